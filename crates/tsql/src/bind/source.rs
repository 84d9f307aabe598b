//! FROM: tables, derived tables, functions, joins.

use super::coerce::shared_type;
use super::free::free_columns;
use super::ir::{Body, Limit, Query, Source, SourceId, TypedExpr};
use super::query::{coerce_columns, named_columns};
use super::{Binder, Entry, Returns};
use crate::ast::{Expr, FunctionCall, JoinKind, ObjectName, TableAlias, TableSource};
use crate::error::SqlError;
use crate::eval::collate;
use crate::fault;
use crate::messages as m;
use crate::types::{Column, SqlType};

impl Binder<'_> {
    /// Binds the entries of FROM, joined as by old-style cross joins.
    pub(super) fn from(&mut self, sources: &[TableSource]) -> Result<Option<Source>, SqlError> {
        let mut whole: Option<Source> = None;
        for source in sources {
            let bound = self.source(source)?;
            whole = Some(match whole {
                Some(left) => Source::Join {
                    left: Box::new(left),
                    kind: JoinKind::Cross,
                    right: Box::new(bound),
                    on: None,
                },
                None => bound,
            });
        }
        Ok(whole)
    }

    /// Binds the FROM of an UPDATE or DELETE in a scope of its own, which stays open.
    ///
    /// # Errors
    /// As [`Binder::select`].
    pub fn open_from(&mut self, sources: &[TableSource]) -> Result<Option<Source>, SqlError> {
        self.scopes.push(Vec::new());
        self.from(sources)
    }

    /// The FROM entry of that alias or name, its number, and its key when it is a table.
    #[must_use]
    pub fn entry_named(&self, name: &ObjectName) -> Option<u32> {
        let scope = self.scopes.last()?;
        let bare = &name.name.text;
        let named = |aliased: bool| {
            scope
                .iter()
                .find(|entry| entry.object.is_none() == aliased && collate::same(&entry.name, bare))
        };
        // A name of several parts is no alias.
        let aliased = name.as_bare().and_then(|_| named(true));
        aliased.or_else(|| named(false)).map(|entry| entry.id)
    }

    /// Binds one more FROM entry into the scope that is open.
    ///
    /// # Errors
    /// As [`Binder::select`].
    pub fn add_source(&mut self, source: &TableSource) -> Result<Source, SqlError> {
        self.source(source)
    }

    /// Binds with some entries of the scope that is open out of reach.
    ///
    /// # Errors
    /// What `bind` returns.
    pub fn without<T>(
        &mut self,
        hidden: &[SourceId],
        bind: impl FnOnce(&mut Self) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let whole = self.scopes.last().cloned();
        if let Some(scope) = self.scopes.last_mut() {
            scope.retain(|entry| !hidden.contains(&entry.id));
        }
        let bound = bind(self);
        if let (Some(scope), Some(whole)) = (self.scopes.last_mut(), whole) {
            *scope = whole;
        }
        bound
    }

    /// Whether a common table expression of that name is in reach.
    #[must_use]
    pub fn names_cte(&self, name: &str) -> bool {
        self.ctes
            .iter()
            .any(|(known, _, _)| collate::same(known, name))
    }

    /// The exposed name of an entry of the scope that is open; empty when there is none.
    #[must_use]
    pub fn entry_name(&self, id: SourceId) -> String {
        self.entry(id)
            .map_or_else(String::new, |entry| entry.name.clone())
    }

    /// The columns' names of an entry of the scope that is open.
    #[must_use]
    pub fn entry_columns(&self, id: SourceId) -> Vec<String> {
        self.entry(id).map_or_else(Vec::new, |entry| {
            entry.columns.iter().map(|c| c.name.clone()).collect()
        })
    }

    fn entry(&self, id: SourceId) -> Option<&Entry> {
        let scope = self.scopes.last()?;
        scope.iter().find(|entry| entry.id == id)
    }

    pub(super) fn add_entry(&mut self, entry: Entry, line: u32) -> Result<(), SqlError> {
        let Some(scope) = self.scopes.last_mut() else {
            return Err(fault::internal("a FROM without a scope"));
        };
        let clash = scope.iter().find(|other| {
            collate::same(&other.name, &entry.name)
                && !entry.name.is_empty()
                && match (&other.object, &entry.object) {
                    (Some(a), Some(b)) => same_object(a, b),
                    _ => true,
                }
        });
        if let Some(other) = clash {
            return Err(m::DUPLICATE_EXPOSED_NAME.at(line, &[&other.name, &entry.name]));
        }
        scope.push(entry);
        Ok(())
    }

    pub(super) fn source(&mut self, source: &TableSource) -> Result<Source, SqlError> {
        match source {
            TableSource::Table { name, alias, .. } => self
                .table_source(name, alias.as_ref())
                .map_err(|error| error.at_line(name.span.line)),
            TableSource::Variable { variable, alias } => {
                let line = variable.span.line;
                let shape = self
                    .catalog
                    .table_variable(&variable.name)
                    .ok_or_else(|| m::UNDECLARED_TABLE_VARIABLE.at(line, &[&variable.name]))?;
                let id = self.new_source();
                let name = alias
                    .as_ref()
                    .map_or(&variable.name, |alias| &alias.name.text);
                let entry = Entry {
                    id,
                    name: name.clone(),
                    object: None,
                    columns: shape.columns,
                };
                self.add_entry(entry, line)?;
                Ok(Source::Table { id, key: shape.key })
            }
            TableSource::Function {
                call,
                columns,
                alias,
            } => {
                if call.name.as_bare().is_some_and(|name| name.is("OPENJSON")) {
                    return self
                        .open_json(call, columns, alias.as_ref())
                        .map_err(|error| error.at_line(call.name.span.line));
                }
                if !columns.is_empty() {
                    return Err(fault::not_supported("a function WITH columns")
                        .at_line(call.name.span.line));
                }
                self.function_source(call, alias.as_ref())
                    .map_err(|error| error.at_line(call.name.span.line))
            }
            TableSource::Nodes { call, alias } => self
                .nodes_source(call, alias.as_ref())
                .map_err(|error| error.at_line(call.span.line)),
            TableSource::Derived { query, alias } => {
                // A derived table does not see its neighbours.
                let hidden = self.scopes.pop();
                let bound = self.derived(query);
                self.scopes.extend(hidden);
                let bound = bound?;
                self.query_entry(bound, alias.as_ref(), query.span.line)
            }
            TableSource::Values { rows, alias } => {
                let line = alias.as_ref().map_or(0, |alias| alias.name.span.line);
                let hidden = self.scopes.pop();
                let bound = self.values(rows);
                self.scopes.extend(hidden);
                let bound = bound?;
                self.query_entry(bound, alias.as_ref(), line)
            }
            TableSource::Join { .. } | TableSource::Apply { .. } => self.joins(source),
            TableSource::Pivot {
                source,
                aggregate,
                column,
                values,
                alias,
            } => {
                let line = aggregate.name.span.line;
                let query = self
                    .pivot(source, aggregate, column, values)
                    .map_err(|error| error.at_line(line))?;
                self.query_entry(query, alias.as_ref(), line)
            }
            TableSource::Unpivot {
                source,
                value,
                column,
                columns,
                alias,
            } => {
                let line = column.span.line;
                let query = self
                    .unpivot(source, value, column, columns)
                    .map_err(|error| error.at_line(line))?;
                self.query_entry(query, alias.as_ref(), line)
            }
            TableSource::Unsupported { feature, span } => {
                Err(fault::not_supported(feature).at_line(span.line))
            }
        }
    }

    fn table_source(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
    ) -> Result<Source, SqlError> {
        let exposed = alias
            .map_or(&name.name.text, |alias| &alias.name.text)
            .clone();
        let object = alias.is_none().then(|| name.clone());
        if let Some(bare) = name.as_bare() {
            let cte = self
                .ctes
                .iter()
                .rev()
                .find(|(known, _, _)| bare.is(known))
                .cloned();
            if let Some((_, key, columns)) = cte {
                let id = self.new_source();
                let entry = Entry {
                    id,
                    name: exposed,
                    object: None,
                    columns,
                };
                self.add_entry(entry, name.span.line)?;
                return Ok(Source::Cte { id, key });
            }
        }
        if name.server.is_some() {
            return Err(fault::not_supported("a linked server"));
        }
        let catalog = self.catalog;
        if let Some(view) = catalog.view(name)? {
            return self.view_source(&view, name, alias);
        }
        let shape = catalog.table(name)?;
        let id = self.new_source();
        let entry = Entry {
            id,
            name: exposed,
            object,
            columns: shape.columns,
        };
        self.add_entry(entry, name.span.line)?;
        self.tables.push((id, shape.key));
        Ok(Source::Table { id, key: shape.key })
    }

    fn function_source(
        &mut self,
        call: &FunctionCall,
        alias: Option<&TableAlias>,
    ) -> Result<Source, SqlError> {
        let unknown = || fault::invalid_object(&call.name.to_string());
        let (key, columns, args) = match self.table_function(call)? {
            Some((function, args)) => {
                let types: Vec<SqlType> = args.iter().map(|arg| arg.ty).collect();
                let key = self.catalog.table_function(function, &types);
                let key = key.ok_or_else(unknown)?;
                (key, function.columns(&types), args)
            }
            None => {
                let catalog = self.catalog;
                if let Some(function) = catalog.inline_function(&call.name)? {
                    return self.inline_source(&function, call, alias);
                }
                let shape = catalog.function(&call.name).ok_or_else(unknown)?;
                let args = self.catalog_args(call, &shape)?;
                match shape.returns {
                    Returns::Table(columns) => (shape.key, columns, args),
                    Returns::Scalar(_) => return Err(unknown()),
                }
            }
        };
        let exposed = alias.map_or(&call.name.name.text, |alias| &alias.name.text);
        let columns = match alias {
            Some(alias) => named_columns(&columns, &alias.columns, exposed)?,
            None => columns,
        };
        let id = self.new_source();
        let entry = Entry {
            id,
            name: exposed.clone(),
            object: None,
            columns,
        };
        self.add_entry(entry, call.name.span.line)?;
        Ok(Source::Function { id, key, args })
    }

    fn query_entry(
        &mut self,
        query: Query,
        alias: Option<&TableAlias>,
        line: u32,
    ) -> Result<Source, SqlError> {
        let name = alias.map_or("", |alias| alias.name.text.as_str());
        let names = alias.map_or(&[][..], |alias| &alias.columns);
        let columns =
            named_columns(&query.columns, names, name).map_err(|error| error.at_line(line))?;
        let id = self.new_source();
        let entry = Entry {
            id,
            name: name.to_owned(),
            object: None,
            columns,
        };
        self.add_entry(entry, line)?;
        Ok(Source::Query {
            id,
            query: Box::new(query),
        })
    }

    /// Binds the rows of VALUES; each column in the type its values share.
    ///
    /// # Errors
    /// 10709 for rows of different lengths, and as [`Binder::expr`].
    pub fn values(&mut self, rows: &[Vec<Expr>]) -> Result<Query, SqlError> {
        let width = rows.first().map_or(0, Vec::len);
        let mut bound: Vec<Vec<TypedExpr>> = Vec::with_capacity(rows.len());
        for row in rows {
            if row.len() != width {
                return Err(m::VALUES_ROWS.at(row.first().map_or(0, |e| e.span.line), &[]));
            }
            bound.push(
                row.iter()
                    .map(|expr| self.expr(expr))
                    .collect::<Result<_, _>>()?,
            );
        }
        let mut columns = Vec::with_capacity(width);
        for at in 0..width {
            let all: Vec<&TypedExpr> = bound.iter().map(|row| &row[at]).collect();
            columns.push(Column {
                name: String::new(),
                ty: shared_type(&all),
                nullable: all.iter().any(|expr| expr.nullable),
            });
        }
        let types: Vec<SqlType> = columns.iter().map(|column| column.ty).collect();
        // The types above are what coerce_columns compares with; it must see them as changed.
        let mut query = Query {
            ctes: Vec::new(),
            columns: Vec::new(),
            body: Body::Values(bound),
            order: Vec::new(),
            limit: Limit::default(),
        };
        if !types.is_empty() {
            coerce_columns(&mut query, &types)?;
        }
        query.columns = columns;
        Ok(query)
    }

    fn entries(&self) -> usize {
        self.scopes.last().map_or(0, Vec::len)
    }

    /// Columns of the entries in a range may be NULL from now on: an outer join put them there.
    fn make_nullable(&mut self, entries: std::ops::Range<usize>) {
        if let Some(scope) = self.scopes.last_mut() {
            for entry in scope.get_mut(entries).into_iter().flatten() {
                for column in &mut entry.columns {
                    column.nullable = true;
                }
            }
        }
    }

    /// A chain of joins. Its left side may be long; it is walked rather than entered.
    fn joins(&mut self, source: &TableSource) -> Result<Source, SqlError> {
        let start = self.entries();
        let mut chain = Vec::new();
        let mut first = source;
        while let TableSource::Join { left, .. } | TableSource::Apply { left, .. } = first {
            chain.push(first);
            first = left;
        }
        let mut bound = self.source(first)?;
        for link in chain.into_iter().rev() {
            bound = match link {
                TableSource::Join {
                    kind, right, on, ..
                } => self.join(start, bound, *kind, right, on.as_ref())?,
                TableSource::Apply { outer, right, .. } => self.apply(bound, *outer, right)?,
                _ => return Err(fault::internal("a join was expected")),
            };
        }
        Ok(bound)
    }

    /// `start` is the number of entries before its left side.
    fn join(
        &mut self,
        start: usize,
        left: Source,
        kind: JoinKind,
        right: &TableSource,
        on: Option<&Expr>,
    ) -> Result<Source, SqlError> {
        let middle = self.entries();
        let right = self.source(right)?;
        let end = self.entries();
        // ON sees the two sides of its own join only.
        let scope = self.scopes.last_mut();
        let before: Vec<Entry> =
            scope.map_or_else(Vec::new, |scope| scope.drain(..start).collect());
        let on = on.map(|on| self.expr(on)).transpose();
        if let Some(scope) = self.scopes.last_mut() {
            scope.splice(0..0, before);
        }
        let on = on?;
        match kind {
            JoinKind::Left => self.make_nullable(middle..end),
            JoinKind::Right => self.make_nullable(start..middle),
            JoinKind::Full => self.make_nullable(start..end),
            JoinKind::Inner | JoinKind::Cross => {}
        }
        Ok(Source::Join {
            left: Box::new(left),
            kind,
            right: Box::new(right),
            on,
        })
    }

    /// APPLY: its right side sees the left one, a function by its arguments, a query by the columns it names.
    fn apply(
        &mut self,
        left: Source,
        outer: bool,
        right: &TableSource,
    ) -> Result<Source, SqlError> {
        let middle = self.entries();
        let right = match right {
            TableSource::Derived { query, alias } => {
                // The scope stays open: the left side's columns are an outer query's to the right side.
                let bound = self.derived(query)?;
                self.query_entry(bound, alias.as_ref(), query.span.line)?
            }
            TableSource::Values { rows, alias } => {
                let line = alias.as_ref().map_or(0, |alias| alias.name.span.line);
                let bound = self.values(rows)?;
                self.query_entry(bound, alias.as_ref(), line)?
            }
            other => self.source(other)?,
        };
        let end = self.entries();
        if outer {
            self.make_nullable(middle..end);
        }
        if let Source::Query { id, query } = right {
            let refs = free_columns(&query);
            if !refs.is_empty() {
                return Ok(Source::Apply {
                    left: Box::new(left),
                    outer,
                    id,
                    query,
                    refs,
                });
            }
            return Ok(joined(left, outer, Source::Query { id, query }));
        }
        Ok(joined(left, outer, right))
    }
}

/// The join that an APPLY is when its right side asks nothing of the left one.
fn joined(left: Source, outer: bool, right: Source) -> Source {
    Source::Join {
        left: Box::new(left),
        kind: if outer {
            JoinKind::Left
        } else {
            JoinKind::Cross
        },
        right: Box::new(right),
        on: None,
    }
}

fn same_object(a: &ObjectName, b: &ObjectName) -> bool {
    let part = |x: &Option<crate::ast::Ident>, default: &str| {
        x.as_ref()
            .map_or_else(|| collate::key(default), |ident| collate::key(&ident.text))
    };
    part(&a.schema, "dbo") == part(&b.schema, "dbo")
        && part(&a.database, "") == part(&b.database, "")
}
