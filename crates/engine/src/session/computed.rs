//! Computed columns: their expressions, bound over the rows of their own table.
//!
//! A column that is not stored is worked out where its table is read; a stored one (PERSISTED, or part of a key or
//! index) where its row is written.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only calls and session state make an expression nondeterministic"
)]

use super::names::{Names, Scope};
use super::shared::{Object, Shared};
use super::stored::Stored;
use super::tables::OwnTable;
use tsql::ast::Expr;
use tsql::bind::ir::{SourceId, TypedExpr, TypedKind};
use tsql::bind::{Binder, Catalog};
use tsql::{Column, SqlError, fault, messages};

/// The entry that the columns of an expression belong to; clear of those that a statement numbers itself.
pub(crate) const ROW: SourceId = u32::MAX - 4096;

/// Functions whose value does not follow from their arguments alone.
const NONDETERMINISTIC: &[&str] = &[
    "APP_NAME",
    "CONNECTIONPROPERTY",
    "CONTEXT_INFO",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DATABASEPROPERTY",
    "DATABASEPROPERTYEX",
    "DATABASE_PRINCIPAL_ID",
    "DATENAME",
    "DB_ID",
    "DB_NAME",
    "ERROR_LINE",
    "ERROR_MESSAGE",
    "ERROR_NUMBER",
    "ERROR_PROCEDURE",
    "ERROR_SEVERITY",
    "ERROR_STATE",
    "FORMAT",
    "FORMATMESSAGE",
    "GETDATE",
    "GETUTCDATE",
    "HAS_DBACCESS",
    "HAS_PERMS_BY_NAME",
    "HOST_NAME",
    "IS_MEMBER",
    "IS_ROLEMEMBER",
    "IS_SRVROLEMEMBER",
    "LOGINPROPERTY",
    "NEWID",
    "NEWSEQUENTIALID",
    "OBJECT_DEFINITION",
    "OBJECT_ID",
    "OBJECT_NAME",
    "OBJECT_SCHEMA_NAME",
    "ORIGINAL_DB_NAME",
    "ORIGINAL_LOGIN",
    "PROGRAM_NAME",
    "RAND",
    "ROWCOUNT_BIG",
    "SCHEMA_ID",
    "SCHEMA_NAME",
    "SCOPE_IDENTITY",
    "SERVERPROPERTY",
    "SESSIONPROPERTY",
    "SESSION_CONTEXT",
    "SESSION_USER",
    "SUSER_ID",
    "SUSER_NAME",
    "SUSER_SID",
    "SUSER_SNAME",
    "SYSDATETIME",
    "SYSDATETIMEOFFSET",
    "SYSTEM_USER",
    "SYSUTCDATETIME",
    "USER",
    "USER_ID",
    "USER_NAME",
    "XACT_STATE",
];

/// What a table's rows look like to those who read them.
pub(crate) struct Derived {
    /// Its columns.
    pub(crate) width: usize,
    /// Places and expressions of those that are worked out, over [`ROW`].
    pub(crate) columns: Vec<(usize, TypedExpr)>,
}

/// Binds the expression of a computed column over the columns of its table.
///
/// # Errors
/// 1046 for a subquery, 137 for a variable, and what the binder says of names and types.
pub(crate) fn bind(
    catalog: &dyn Catalog,
    table: &str,
    columns: &[Column],
    expr: &Expr,
) -> Result<TypedExpr, SqlError> {
    let mut binder = Binder::new(catalog).numbered_from(ROW);
    binder.open_table(table, columns);
    let bound = binder.expr(expr)?;
    if bound.any(&TypedExpr::is_query) {
        return Err(messages::SUBQUERY_NOT_ALLOWED.at(expr.span.line, &[]));
    }
    Ok(bound)
}

impl Shared {
    /// What a table's computed columns are: those worked out where it is read, or all of them.
    ///
    /// # Errors
    /// When an expression no longer binds, as after the DROP of a function that it calls.
    pub(crate) fn derived(&self, table: &OwnTable, all: bool) -> Result<Option<Derived>, SqlError> {
        let wanted = |at: usize| {
            let computed = table.columns[at].computed.as_ref();
            computed.is_some_and(|computed| all || !computed.stored)
        };
        let places: Vec<usize> = (0..table.columns.len()).filter(|at| wanted(*at)).collect();
        if places.is_empty() {
            return Ok(None);
        }
        let shape = table.shape();
        let mut columns = Vec::with_capacity(places.len());
        for at in places {
            if let Some(computed) = &table.columns[at].computed {
                let bound = self.bind_computed(table, &shape, &computed.expr)?;
                let ty = table.columns[at].column.ty;
                columns.push((at, tsql::bind::coerce(bound, ty)?));
            }
        }
        Ok(Some(Derived {
            width: table.columns.len(),
            columns,
        }))
    }

    /// Binds the expression of a computed column in the world of its table.
    pub(crate) fn bind_computed(
        &self,
        table: &OwnTable,
        shape: &[Column],
        expr: &Expr,
    ) -> Result<TypedExpr, SqlError> {
        match &table.place {
            Some(place) => {
                // Who may read the table may read what its columns are made of.
                let objects = self.permanent.objects(place.database)?;
                let owner = objects.schema_owner(&place.schema);
                let _chain = self.chained(&place.database_name, owner);
                let world = (place.schema.as_str(), owner);
                let stored = Stored::new(self, &place.database_name, world, &[]);
                bind(&stored, &table.name, shape, expr)
            }
            None => {
                let scope = Scope::default();
                let names = Names {
                    shared: self,
                    scope: &scope,
                };
                bind(&names, &table.name, shape, expr)
            }
        }
    }

    /// Whether an expression gives the same value for the same row at any time.
    pub(crate) fn is_deterministic(&self, expr: &TypedExpr) -> bool {
        !expr.any(&|node| match &node.kind {
            TypedKind::Global(_) | TypedKind::Variable(_) => true,
            TypedKind::Call { function, .. } => NONDETERMINISTIC.contains(&function.name),
            TypedKind::HostCall { key, .. } => !self.is_schema_bound(*key),
            _ => node.is_query(),
        })
    }

    /// Whether a function stands WITH SCHEMABINDING, as one must to count as deterministic.
    fn is_schema_bound(&self, key: u32) -> bool {
        match self.object(key) {
            Some(Object::Routine(routine)) => {
                let module = routine.found.object.module();
                module.is_some_and(|module| module.schema_bound)
            }
            _ => false,
        }
    }
}

/// An expression that reads a computed column, which none may.
pub(crate) fn reads_computed(table: &OwnTable, expr: &TypedExpr) -> Option<String> {
    table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, own)| own.computed.is_some())
        .find(|(at, _)| {
            expr.any(&|node| {
                matches!(node.kind, TypedKind::Column { source, column } if source == ROW && column == *at)
            })
        })
        .map(|(_, own)| own.column.name.clone())
}

/// The definitions of a new table's computed columns, checked: type and NULL of each are worked out.
///
/// # Errors
/// 1759 for one that reads another, 4936 for a stored one whose values are not always the same, 8183 for NOT NULL
/// where nothing is stored.
pub(crate) fn settle(
    shared: &Shared,
    table: &mut OwnTable,
    from: usize,
    required: &[usize],
) -> Result<Vec<(usize, bool)>, SqlError> {
    let mut settled = Vec::new();
    for at in from..table.columns.len() {
        let Some(computed) = table.columns[at].computed.clone() else {
            continue;
        };
        let line = computed.expr.span.line;
        let bound = shared
            .bind_computed(table, &table.shape(), &computed.expr)
            .map_err(|error| error.at_line(line))?;
        if let Some(other) = reads_computed(table, &bound) {
            return Err(messages::COMPUTED_OF_COMPUTED.at(line, &[&other, &table.name]));
        }
        let name = table.columns[at].column.name.clone();
        let deterministic = shared.is_deterministic(&bound);
        if computed.stored && !deterministic {
            return Err(messages::PERSISTED_NONDETERMINISTIC.at(line, &[&name, &table.name]));
        }
        let required = required.contains(&at);
        if required && !computed.stored {
            return Err(messages::COMPUTED_NEEDS_PERSISTED.at(line, &[]));
        }
        if bound.is_null_constant() {
            return Err(fault::not_supported("a computed column of NULL").at_line(line));
        }
        let column = &mut table.columns[at].column;
        column.ty = bound.ty;
        column.nullable = bound.nullable && !required;
        settled.push((at, deterministic));
    }
    Ok(settled)
}
