//! Views and inline table functions: stored queries in the place of a table.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "parameters stand in few kinds of nodes"
)]

use super::ir::{Body, Query, Source, SourceId, TypedExpr, TypedKind};
use super::query::named_columns;
use super::{Binder, Catalog, Entry};
use crate::ast::{FunctionCall, Ident, ObjectName, SelectStatement, TableAlias};
use crate::error::SqlError;
use crate::messages as m;
use crate::types::{Column, SqlType};
use crate::value::Value;
use std::sync::Arc;

/// Stored queries inside stored queries (error 217).
const NESTING_MAX: u32 = 32;

/// A stored query: a view's, or an inline function's.
pub struct StoredQuery<'c> {
    /// Name, for errors.
    pub name: String,
    /// The query.
    pub select: Arc<SelectStatement>,
    /// Names of its columns, where the view gives them.
    pub columns: Vec<Ident>,
    /// Types and defaults of an inline function's parameters. The catalog below shows them as variables of the same
    /// places.
    pub params: Vec<(SqlType, Option<Value>)>,
    /// What names inside the query mean.
    pub catalog: Box<dyn Catalog + 'c>,
}

impl Binder<'_> {
    /// Binds a view in the place of a table.
    pub(super) fn view_source(
        &mut self,
        view: &StoredQuery<'_>,
        name: &ObjectName,
        alias: Option<&TableAlias>,
    ) -> Result<Source, SqlError> {
        let query = self.stored(view, &[])?;
        let columns = query.columns.clone();
        let (id, entry) = self.stored_entry(name, alias, columns);
        self.add_entry(entry, name.span.line)?;
        Ok(Source::Query {
            id,
            query: Box::new(query),
        })
    }

    /// Binds a call of an inline function in the place of a table.
    pub(super) fn inline_source(
        &mut self,
        function: &StoredQuery<'_>,
        call: &FunctionCall,
        alias: Option<&TableAlias>,
    ) -> Result<Source, SqlError> {
        let args = self.arguments(call, &function.params)?;
        let query = self.stored(function, &args)?;
        let name = &call.name;
        let names = alias.map_or(&[][..], |alias| &alias.columns);
        let columns = named_columns(&query.columns, names, &name.name.text)?;
        let (id, entry) = self.stored_entry(name, alias, columns);
        self.add_entry(entry, name.span.line)?;
        Ok(Source::Query {
            id,
            query: Box::new(query),
        })
    }

    fn stored_entry(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        columns: Vec<Column>,
    ) -> (SourceId, Entry) {
        let id = self.new_source();
        let exposed = alias.map_or(&name.name.text, |alias| &alias.name.text);
        let entry = Entry {
            id,
            name: exposed.clone(),
            object: alias.is_none().then(|| name.clone()),
            columns,
        };
        (id, entry)
    }

    /// Binds the query in a world of its own: it sees nothing of the statement around it but its arguments.
    fn stored(&mut self, stored: &StoredQuery<'_>, args: &[TypedExpr]) -> Result<Query, SqlError> {
        if self.stored_depth >= NESTING_MAX {
            return Err(m::NESTING_LEVEL.with(&[&NESTING_MAX.to_string()]));
        }
        let mut inner = Binder::new(stored.catalog.as_ref());
        inner.next_source = self.next_source;
        inner.next_cte = self.next_cte;
        inner.stored_depth = self.stored_depth + 1;
        let bound = inner.select(stored.select.with.as_ref(), &stored.select.query);
        self.next_source = inner.next_source;
        self.next_cte = inner.next_cte;
        let mut query = bound.map_err(|error| error.in_procedure(&stored.name))?;
        query.columns = named_columns(&query.columns, &stored.columns, &stored.name)?;
        if !args.is_empty() {
            Substitution(args).query(&mut query);
        }
        Ok(query)
    }
}

/// Puts arguments in the place of parameters.
struct Substitution<'a>(&'a [TypedExpr]);

impl Substitution<'_> {
    fn query(&self, query: &mut Query) {
        for cte in &mut query.ctes {
            self.query(&mut cte.query);
            for member in &mut cte.recursive {
                self.query(member);
            }
        }
        match &mut query.body {
            Body::Select(select) => {
                for item in &mut select.items {
                    self.expr(&mut item.expr);
                }
                if let Some(from) = &mut select.from {
                    self.source(from);
                }
                let conditions = select.filter.iter_mut().chain(&mut select.having);
                for expr in conditions.chain(&mut select.group) {
                    self.expr(expr);
                }
            }
            Body::Set { left, right, .. } => {
                self.query(left);
                self.query(right);
            }
            Body::Values(rows) => {
                for expr in rows.iter_mut().flatten() {
                    self.expr(expr);
                }
            }
        }
        for key in &mut query.order {
            self.expr(&mut key.expr);
        }
        let limit = &mut query.limit;
        let bounds = limit.top.iter_mut().chain(&mut limit.offset);
        for expr in bounds.chain(&mut limit.fetch) {
            self.expr(expr);
        }
    }

    fn source(&self, source: &mut Source) {
        match source {
            Source::Table { .. } | Source::Cte { .. } => {}
            Source::Function { args, .. } => {
                for arg in args {
                    self.expr(arg);
                }
            }
            Source::Query { query, .. } => self.query(query),
            Source::Apply { left, query, .. } => {
                self.source(left);
                self.query(query);
            }
            Source::Join {
                left, right, on, ..
            } => {
                self.source(left);
                self.source(right);
                if let Some(on) = on {
                    self.expr(on);
                }
            }
        }
    }

    fn expr(&self, expr: &mut TypedExpr) {
        match &mut expr.kind {
            TypedKind::Variable(slot) => {
                if let Some(arg) = self.0.get(*slot) {
                    *expr = arg.clone();
                }
                return;
            }
            TypedKind::Subquery(query) | TypedKind::Exists(query) => self.query(query),
            TypedKind::Quantified { query, .. } => self.query(query),
            _ => {}
        }
        for child in expr.children_mut() {
            self.expr(child);
        }
    }
}
