//! The typed binder: from syntax to expressions and queries with every name resolved and every type known.
//!
//! Start with [`Binder`]. It asks a [`Catalog`] for names and runs nothing.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule names the types and nodes it treats apart, and says what holds for the rest"
)]

mod clause;
mod coerce;
mod document;
mod expr;
mod free;
mod function;
mod grouping;
pub mod ir;
mod json;
mod pivot;
mod query;
mod series;
mod source;
mod stored;
mod types;
mod xml;

pub use coerce::coerce;
pub use expr::{assign_operator, binary};
pub use series::TableFunction;
pub use stored::StoredQuery;
pub use types::{DefaultLength, resolve_type};

use crate::ast::{Ident, ObjectName};
use crate::error::SqlError;
use crate::eval::collate;
use crate::fault;
use crate::messages as m;
use crate::rowset::Rowset;
use crate::types::{Column, SqlType};
use crate::value::Value;
use ir::{SourceId, TypedExpr, TypedKind};
use std::sync::{Arc, OnceLock};

/// Where names come from.
pub trait Catalog {
    /// Slot and type of a local variable, its `@` included.
    fn variable(&self, name: &str) -> Option<(usize, SqlType)>;
    /// Where the type of a parameter is kept that nobody declared, in a text that is only described; `None` for any
    /// other name, and wherever a text runs.
    fn undeclared(&self, _name: &str) -> Option<Arc<OnceLock<SqlType>>> {
        None
    }
    /// A table or view.
    ///
    /// # Errors
    /// 208 when there is none, 911 for a database that does not exist.
    fn table(&self, name: &ObjectName) -> Result<TableShape, SqlError>;
    /// SET ANSI_NULLS: nothing equals NULL.
    fn ansi_nulls(&self) -> bool {
        true
    }
    /// UPDATE(column): whether the statement that set the running trigger off sets a column.
    ///
    /// # Errors
    /// 140 where no trigger runs, 207 for an unknown column.
    fn is_updated(&self, _column: &str) -> Result<bool, SqlError> {
        Err(m::UPDATE_OUTSIDE_TRIGGER.with(&[]))
    }
    /// COLUMNS_UPDATED(); `None` where no trigger runs.
    fn columns_updated(&self) -> Option<Vec<u8>> {
        None
    }
    /// A table variable, its `@` included.
    fn table_variable(&self, name: &str) -> Option<TableShape>;
    /// A scalar or table-valued function that is not built in.
    fn function(&self, name: &ObjectName) -> Option<FunctionShape>;
    /// The view of a name; `None` when it is no view.
    ///
    /// # Errors
    /// When the view cannot be read.
    fn view(&self, _name: &ObjectName) -> Result<Option<StoredQuery<'_>>, SqlError> {
        Ok(None)
    }
    /// The inline table function of a name; `None` when it is none.
    ///
    /// # Errors
    /// When the function cannot be read.
    fn inline_function(&self, _name: &ObjectName) -> Result<Option<StoredQuery<'_>>, SqlError> {
        Ok(None)
    }
    /// A statement reads that column of a table; tables are known by the numbers that [`Catalog::table`] gave.
    ///
    /// # Errors
    /// 230 for a column that may not be read.
    fn read_column(&self, _table: u32, _column: usize) -> Result<(), SqlError> {
        Ok(())
    }
    /// The number of a built-in function that gives rows.
    fn rowset(&self, rowset: Rowset) -> u32;
    /// The catalog's number for a table-valued function of the language, for arguments of such types; `None` when it
    /// runs none.
    fn table_function(&self, function: TableFunction, args: &[SqlType]) -> Option<u32> {
        let _ = (function, args);
        None
    }
}

/// A table as the binder sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct TableShape {
    /// The catalog's number for it.
    pub key: u32,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A function as the binder sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionShape {
    /// The catalog's number for it.
    pub key: u32,
    /// Types and defaults of its parameters.
    pub params: Vec<(SqlType, Option<Value>)>,
    /// What it returns.
    pub returns: Returns,
}

/// What a function returns.
#[derive(Debug, Clone, PartialEq)]
pub enum Returns {
    /// A value.
    Scalar(SqlType),
    /// Rows.
    Table(Vec<Column>),
}

/// Most nodes that a statement's CASE, COALESCE, BETWEEN and kin may copy: nested into each other they double.
const COPIED_NODES_MAX: usize = 100_000;

/// Binds the expressions and queries of one statement.
pub struct Binder<'c> {
    catalog: &'c dyn Catalog,
    /// FROM entries in reach, the innermost SELECT last.
    scopes: Vec<Vec<Entry>>,
    /// Common table expressions in reach, the latest last.
    ctes: Vec<(String, u32, Vec<Column>)>,
    next_source: SourceId,
    next_cte: u32,
    /// How many queries stand around what is being bound.
    depth: u32,
    /// Nodes that were copied because their value is needed twice.
    copied: usize,
    /// Whether aggregates may stand here, and whether one was met.
    aggregates: Placement,
    /// Whether window functions may stand here.
    windows: bool,
    /// How many stored queries are around this one.
    stored_depth: u32,
    /// FROM entries that are tables, and the catalog's numbers for them.
    tables: Vec<(SourceId, u32)>,
    /// The values behind the rows of nodes().
    nodes: Vec<(SourceId, TypedExpr)>,
    /// WITH XMLNAMESPACES of the statement: prefix, empty for the default, and URI.
    namespaces: Vec<(String, String)>,
    /// FROM entries of the SELECT that was bound last, for FOR XML AUTO and FOR JSON AUTO.
    bound_entries: Vec<(SourceId, String)>,
    /// Whether the SELECT being bound has INTO.
    into: bool,
    /// GROUP BY of the SELECTs whose lists are being bound, the innermost last.
    groupings: Vec<grouping::Grouping>,
}

/// Whether aggregates may stand where an expression is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    Refused,
    Allowed,
    Met,
}

/// A FROM entry.
#[derive(Debug, Clone)]
struct Entry {
    id: SourceId,
    /// Alias, or the table's own name.
    name: String,
    /// Schema and database, when the name was not an alias.
    object: Option<ObjectName>,
    columns: Vec<Column>,
}

impl Entry {
    /// Whether a qualifier of a column, without the column itself, means this entry.
    fn answers_to(&self, qualifier: &[&str]) -> bool {
        let Some((table, rest)) = qualifier.split_last() else {
            return true;
        };
        if !collate::same(&self.name, table) {
            return false;
        }
        let Some(object) = &self.object else {
            return rest.is_empty();
        };
        let schema = object.schema.as_ref().map_or("dbo", |part| &part.text);
        let database = object.database.as_ref().map(|part| part.text.as_str());
        match rest {
            [] => true,
            [s] => collate::same(schema, s),
            [d, s] => {
                (s.is_empty() || collate::same(schema, s))
                    && database.is_none_or(|known| collate::same(known, d))
            }
            _ => false,
        }
    }
}

impl<'c> Binder<'c> {
    /// A binder over a catalog.
    #[must_use]
    pub fn new(catalog: &'c dyn Catalog) -> Self {
        Self {
            catalog,
            scopes: Vec::new(),
            ctes: Vec::new(),
            next_source: 1,
            next_cte: 1,
            depth: 0,
            copied: 0,
            aggregates: Placement::Refused,
            windows: false,
            stored_depth: 0,
            tables: Vec::new(),
            nodes: Vec::new(),
            namespaces: Vec::new(),
            bound_entries: Vec::new(),
            into: false,
            groupings: Vec::new(),
        }
    }

    /// The same, numbering its FROM entries from `first` on: what it binds becomes a part of other statements.
    #[must_use]
    pub fn numbered_from(mut self, first: SourceId) -> Self {
        self.next_source = first;
        self
    }

    /// The number of a FROM entry that no name reaches.
    pub fn fresh_source(&mut self) -> SourceId {
        self.new_source()
    }

    fn new_source(&mut self) -> SourceId {
        let id = self.next_source;
        self.next_source += 1;
        id
    }

    /// Opens a scope with one table in it, for the expressions of UPDATE, DELETE, CHECK and DEFAULT.
    pub fn open_table(&mut self, name: &str, columns: &[Column]) -> SourceId {
        let id = self.new_source();
        self.scopes.push(vec![Entry {
            id,
            name: name.to_owned(),
            object: None,
            columns: columns.to_vec(),
        }]);
        id
    }

    /// Adds a table to the scope that is open: the target of an UPDATE or DELETE that its FROM does not name.
    /// `object` is its name where that has a schema or database.
    pub fn add_table(
        &mut self,
        name: &str,
        object: Option<ObjectName>,
        columns: &[Column],
    ) -> SourceId {
        let id = self.new_source();
        let entry = Entry {
            id,
            name: name.to_owned(),
            object,
            columns: columns.to_vec(),
        };
        match self.scopes.last_mut() {
            Some(scope) => scope.push(entry),
            None => self.scopes.push(vec![entry]),
        }
        id
    }

    /// A copy of an expression whose value is needed once more.
    ///
    /// # Errors
    /// 8632 when a statement copies too much.
    fn copy(&mut self, expr: &TypedExpr) -> Result<TypedExpr, SqlError> {
        self.copied = self.copied.saturating_add(expr.size());
        if self.copied > COPIED_NODES_MAX {
            return Err(m::EXPRESSION_LIMIT.with(&[]));
        }
        Ok(expr.clone())
    }

    /// Resolves a column by its parts.
    fn column(&self, parts: &[Ident]) -> Result<TypedExpr, SqlError> {
        let (name, qualifier) = match parts.split_last() {
            Some((name, rest)) => (
                name.text.as_str(),
                rest.iter()
                    .map(|part| part.text.as_str())
                    .collect::<Vec<_>>(),
            ),
            None => return Err(fault::internal("a column without a name")),
        };
        let mut known_table = false;
        for scope in self.scopes.iter().rev() {
            let mut found: Option<TypedExpr> = None;
            for entry in scope.iter().filter(|entry| entry.answers_to(&qualifier)) {
                known_table = true;
                for (at, column) in entry.columns.iter().enumerate() {
                    if !collate::same(&column.name, name) {
                        continue;
                    }
                    let hit = TypedExpr {
                        kind: TypedKind::Column {
                            source: entry.id,
                            column: at,
                        },
                        ty: column.ty,
                        nullable: column.nullable,
                    };
                    if found.replace(hit).is_some() {
                        return Err(m::AMBIGUOUS_COLUMN.with(&[name]));
                    }
                }
            }
            if let Some(found) = found {
                if let TypedKind::Column { source, column } = found.kind {
                    self.reads(source, column)?;
                }
                return Ok(found);
            }
        }
        if qualifier.is_empty() || known_table {
            Err(fault::invalid_column(name))
        } else {
            let whole: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
            Err(m::UNBOUND_COLUMN.with(&[&whole.join(".")]))
        }
    }

    /// Tells the catalog that a column of a FROM entry is read.
    fn reads(&self, source: SourceId, column: usize) -> Result<(), SqlError> {
        match self.tables.iter().find(|(id, _)| *id == source) {
            Some((_, table)) => self.catalog.read_column(*table, column),
            None => Ok(()),
        }
    }

    /// Table and column as messages name them.
    fn describe(&self, source: SourceId, column: usize) -> String {
        self.scopes
            .iter()
            .flatten()
            .find(|entry| entry.id == source)
            .map_or_else(String::new, |entry| {
                let name = entry.columns.get(column).map_or("", |c| c.name.as_str());
                format!("{}.{name}", entry.name)
            })
    }
}
