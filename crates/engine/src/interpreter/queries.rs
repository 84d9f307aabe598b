//! What the interpreter asks of the query executor: everything that touches rows.
//!
//! Expressions and SELECTs arrive bound; statements that change or define tables arrive as written, since their
//! targets are the executor's own. Errors are returned, never reported: the interpreter does that, once.

use crate::cancel::CancelToken;
use crate::host::ResultSink;
use crate::session::names::Scope;
use crate::session::shared::Shared;
use std::sync::Arc;
use tsql::ast::{Insert, SelectStatement, Statement, TableDefinition, Variable};
use tsql::bind::ir::{Query, TypedExpr};
use tsql::{Column, Row, SqlError, Value, fault};

/// What a query sees of the text that it stands in.
pub(crate) struct QueryIo<'a> {
    /// Host, objects and facts of the session. `facts().nest_level` is the level of a temporary table made now.
    pub(crate) shared: &'a Arc<Shared>,
    /// Variables and table variables in reach.
    pub(crate) scope: &'a mut Scope,
    /// Values of the variables, by slot; `SELECT @v = …` writes them.
    pub(crate) values: &'a mut Vec<Value>,
    /// Where rows go.
    pub(crate) sink: &'a mut dyn ResultSink,
    /// Stops the query.
    pub(crate) cancel: &'a CancelToken,
}

/// The query executor.
pub(crate) trait QueryRunner: Send {
    /// Value of an expression that holds subqueries; a predicate's is `bit`, NULL for UNKNOWN.
    ///
    /// # Errors
    /// What the expression raises; 512 for a subquery of several rows.
    fn value(&mut self, expr: &TypedExpr, io: &mut QueryIo<'_>) -> Result<Value, SqlError>;

    /// Runs a SELECT: rows to the sink (columns first), to the variables it assigns, or into a new table.
    /// Returns the number of rows.
    ///
    /// # Errors
    /// What the query raises.
    fn select(
        &mut self,
        statement: &SelectStatement,
        query: &Query,
        io: &mut QueryIo<'_>,
    ) -> Result<u64, SqlError>;

    /// Runs INSERT (but for INSERT … EXEC), UPDATE, DELETE, MERGE or TRUNCATE; the number of rows.
    ///
    /// # Errors
    /// What the statement raises; it then has changed nothing.
    fn change(&mut self, statement: &Statement, io: &mut QueryIo<'_>) -> Result<u64, SqlError>;

    /// Inserts a result set of INSERT … EXEC; the number of rows.
    ///
    /// # Errors
    /// 213 when the number of columns differs, and what the insertion raises.
    fn insert_rows(
        &mut self,
        insert: &Insert,
        columns: &[Column],
        rows: Vec<Row>,
        io: &mut QueryIo<'_>,
    ) -> Result<u64, SqlError>;

    /// Runs a CREATE, ALTER or DROP of tables, indexes and modules.
    ///
    /// # Errors
    /// What the statement raises.
    fn define(&mut self, statement: &Statement, io: &mut QueryIo<'_>) -> Result<(), SqlError>;

    /// Makes a table variable, and adds it to the scope.
    ///
    /// # Errors
    /// What the definition raises.
    fn declare_table(
        &mut self,
        variable: &Variable,
        definition: &TableDefinition,
        io: &mut QueryIo<'_>,
    ) -> Result<(), SqlError>;

    /// A text has ended: its table variables, and temporary tables made at this level or deeper, go.
    fn leave(&mut self, scope: &Scope, level: u32);

    /// The outermost BEGIN TRANSACTION, for temporary tables.
    ///
    /// # Errors
    /// What the executor's own store raises.
    fn begin(&mut self) -> Result<(), SqlError> {
        Ok(())
    }

    /// The end of that transaction.
    ///
    /// # Errors
    /// What the executor's own store raises.
    fn end(&mut self, _commit: bool) -> Result<(), SqlError> {
        Ok(())
    }

    /// SAVE TRANSACTION, and ROLLBACK to it when `restore` is true.
    ///
    /// # Errors
    /// What the executor's own store raises.
    fn savepoint(&mut self, _name: &str, _restore: bool) -> Result<(), SqlError> {
        Ok(())
    }

    /// All temporary tables go.
    fn reset(&mut self);
}

/// An executor that runs nothing: every query is refused by name.
pub(crate) struct NoQueries;

impl QueryRunner for NoQueries {
    fn value(&mut self, _: &TypedExpr, _: &mut QueryIo<'_>) -> Result<Value, SqlError> {
        Err(fault::not_supported("subquery"))
    }

    fn select(
        &mut self,
        _: &SelectStatement,
        _: &Query,
        _: &mut QueryIo<'_>,
    ) -> Result<u64, SqlError> {
        Err(fault::not_supported("SELECT … FROM"))
    }

    fn change(&mut self, _: &Statement, _: &mut QueryIo<'_>) -> Result<u64, SqlError> {
        Err(fault::not_supported("INSERT, UPDATE, DELETE, MERGE"))
    }

    fn insert_rows(
        &mut self,
        _: &Insert,
        _: &[Column],
        _: Vec<Row>,
        _: &mut QueryIo<'_>,
    ) -> Result<u64, SqlError> {
        Err(fault::not_supported("INSERT … EXEC"))
    }

    fn define(&mut self, _: &Statement, _: &mut QueryIo<'_>) -> Result<(), SqlError> {
        Err(fault::not_supported("CREATE, ALTER, DROP"))
    }

    fn declare_table(
        &mut self,
        _: &Variable,
        _: &TableDefinition,
        _: &mut QueryIo<'_>,
    ) -> Result<(), SqlError> {
        Err(fault::not_supported("table variable"))
    }

    fn leave(&mut self, _: &Scope, _: u32) {}

    fn reset(&mut self) {}
}
