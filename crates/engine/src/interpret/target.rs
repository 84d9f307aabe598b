//! The rows that an UPDATE or DELETE looks at: its FROM, with the table that it changes in it.

use super::stage::Verb;
use super::{Frame, Interpreter};
use crate::databases::ObjectKind;
use crate::session::names::Names;
use crate::session::permanent::Found;
use crate::session::shared::Object;
use crate::session::tables::OwnTable;
use std::sync::Arc;
use tsql::ast::{self, DmlTarget, ObjectName, TableSource};
use tsql::bind::ir::{Body, Cte, Item, Query, ROWID, Source, SourceId, TypedExpr, TypedKind};
use tsql::bind::{Binder, Catalog};
use tsql::{Column, SqlError, SqlType, fault, messages};

/// What a statement changes, and the rows it looks at.
pub(super) struct Rows {
    /// FROM, the table itself included.
    pub(super) source: Source,
    /// The entry of the table in it.
    pub(super) id: SourceId,
    pub(super) table: Arc<OwnTable>,
    /// The columns that the statement may name, and which column of the table each is. None where the statement
    /// names the table itself.
    pub(super) exposed: Option<Vec<(String, Option<usize>)>>,
    /// Whether they are a view's, which an INSTEAD OF trigger takes: they have no numbers.
    pub(super) of_view: bool,
}

impl Rows {
    /// The row's number.
    pub(super) fn row(&self) -> TypedExpr {
        if self.of_view {
            return TypedExpr::constant(tsql::Value::Null, SqlType::BigInt);
        }
        column(self.id, ROWID, SqlType::BigInt)
    }

    /// Whether FROM may show a row more than once.
    pub(super) fn may_repeat(&self) -> bool {
        !self.of_view && !matches!(self.source, Source::Table { .. })
    }

    /// A column's value before the change.
    pub(super) fn old(&self, at: usize) -> TypedExpr {
        let column = &self.table.columns[at].column;
        TypedExpr {
            kind: TypedKind::Column {
                source: self.id,
                column: at,
            },
            ty: column.ty,
            nullable: column.nullable,
        }
    }

    /// The table's column of that name.
    pub(super) fn column(&self, name: &str) -> Result<usize, SqlError> {
        match &self.exposed {
            None => self
                .table
                .position(name)
                .ok_or_else(|| fault::invalid_column(name)),
            Some(columns) => columns
                .iter()
                .find(|(known, _)| tsql::eval::collate::same(known, name))
                .ok_or_else(|| fault::invalid_column(name))?
                .1
                .ok_or_else(|| messages::DERIVED_COLUMN.with(&[name])),
        }
    }
}

pub(super) fn column(source: SourceId, column: usize, ty: SqlType) -> TypedExpr {
    TypedExpr {
        kind: TypedKind::Column { source, column },
        ty,
        nullable: true,
    }
}

impl Interpreter<'_> {
    /// The own table that a statement writes.
    pub(super) fn own_target(
        &self,
        target: &DmlTarget,
        frame: &Frame,
        verb: &str,
    ) -> Result<Arc<OwnTable>, SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let shape = match target {
            DmlTarget::Table { name, .. } => names
                .target(name)
                .map_err(|error| error.at_line(name.span.line))?,
            DmlTarget::Variable(variable) => {
                names.table_variable(&variable.name).ok_or_else(|| {
                    messages::UNDECLARED_TABLE_VARIABLE.at(variable.span.line, &[&variable.name])
                })?
            }
            DmlTarget::Unsupported { feature, span } => {
                return Err(fault::not_supported(feature).at_line(span.line));
            }
        };
        let table = self.own(shape.key, verb)?;
        not_readonly(&table, frame)?;
        Ok(table)
    }

    pub(super) fn own(&self, key: u32, verb: &str) -> Result<Arc<OwnTable>, SqlError> {
        match self.core.shared.object(key) {
            Some(Object::Own(table)) => {
                let place = table.place.as_ref();
                if place.is_some_and(|place| place.object.kind == ObjectKind::View) {
                    return Err(match verb {
                        "MERGE" => fault::not_supported("MERGE into a view"),
                        "TRUNCATE" => messages::TRUNCATE_NO_TABLE.with(&[&table.name]),
                        _ => messages::NOT_UPDATABLE.with(&[&table.name]),
                    });
                }
                if !table.variable {
                    self.no_side_effects(verb)?;
                }
                let permission = match verb {
                    "INSERT" | "UPDATE" | "DELETE" => Some(verb),
                    // It fills what it has just made.
                    "SELECT INTO" => Some("INSERT"),
                    // Its clauses say what it does, and each is asked for.
                    "MERGE" => None,
                    _ => Some("ALTER"),
                };
                if let Some(permission) = permission {
                    self.core.shared.may_use_table(&table, permission)?;
                }
                Ok(table)
            }
            Some(Object::HostTable { decl, .. }) => Err(fault::not_supported(&format!(
                "{verb} of {}.{}.{}",
                decl.database, decl.schema, decl.name
            ))),
            _ => Err(fault::internal("a table is gone")),
        }
    }

    /// The rows that an UPDATE or DELETE looks at. `changed` is a column that it sets: it tells the tables behind a
    /// derived table apart.
    pub(super) fn rows_to_change(
        &self,
        binder: &mut Binder<'_>,
        ctes: &mut Vec<Cte>,
        (target, changed, verb): (&DmlTarget, Option<&str>, Verb),
        from: &[TableSource],
        frame: &Frame,
    ) -> Result<Rows, SqlError> {
        let bound = binder.open_from(from)?;
        if let Some(rows) =
            self.rows_of_view(binder, ctes, (target, changed, verb), from, &bound)?
        {
            return Ok(rows);
        }
        let verb = verb.name();
        let name = match target {
            DmlTarget::Table { name, .. } => Some(name.clone()),
            DmlTarget::Variable(variable) => Some(ObjectName::bare(ast::Ident {
                text: variable.name.clone(),
                quoted: false,
                span: variable.span,
            })),
            DmlTarget::Unsupported { .. } => None,
        };
        if let (Some(source), Some(name)) = (&bound, &name)
            && let Some(id) = binder.entry_named(name)
        {
            let rows = self.entry(binder, ctes, (source.clone(), id), changed, verb)?;
            not_readonly(&rows.table, frame)?;
            return Ok(rows);
        }
        // Without a FROM entry of that name it may still be a common table expression.
        let bare = name.as_ref().and_then(ObjectName::as_bare);
        if let Some(name) = &name
            && bare.is_some_and(|bare| binder.names_cte(&bare.text))
        {
            let own = binder.add_source(&TableSource::Table {
                name: name.clone(),
                alias: None,
                hints: Vec::new(),
            })?;
            let id = own.id().unwrap_or_default();
            let rows = self.entry(binder, ctes, (crossed(own, bound), id), changed, verb)?;
            not_readonly(&rows.table, frame)?;
            return Ok(rows);
        }
        let table = self.own_target(target, frame, verb)?;
        // FROM may show it under an alias.
        if let Some(source) = &bound {
            let mut same = source.tables();
            same.retain(|(_, key)| *key == table.key);
            match same.as_slice() {
                [] => {}
                [(id, _)] => {
                    return Ok(Rows {
                        source: source.clone(),
                        id: *id,
                        table,
                        exposed: None,
                        of_view: false,
                    });
                }
                _ => return Err(messages::AMBIGUOUS_TARGET.with(&[&table.name])),
            }
        }
        // The target joins the scope that is open, under its own name.
        let object = name.filter(|name| name.schema.is_some() || name.database.is_some());
        let id = binder.add_table(&table.name, object, &table.shape());
        let own = Source::Table { id, key: table.key };
        Ok(Rows {
            source: crossed(own, bound),
            id,
            table,
            exposed: None,
            of_view: false,
        })
    }

    /// The rows of a view that a statement changes: the view's own where an INSTEAD OF trigger takes them, otherwise
    /// those of the table behind it. None when the target is no view.
    fn rows_of_view(
        &self,
        binder: &mut Binder<'_>,
        ctes: &mut Vec<Cte>,
        (target, changed, verb): (&DmlTarget, Option<&str>, Verb),
        from: &[TableSource],
        bound: &Option<Source>,
    ) -> Result<Option<Rows>, SqlError> {
        let DmlTarget::Table { name, .. } = target else {
            return Ok(None);
        };
        // The target may be an alias that FROM gives.
        let mut entries = Vec::new();
        for source in from {
            named_in(source, &mut entries);
        }
        let aliased = name.as_bare().and_then(|bare| {
            let mut aliases = entries.iter();
            aliases.find(|(alias, _)| alias.is_some_and(|alias| alias.is(&bare.text)))
        });
        let view = aliased.map_or(name, |(_, name)| *name);
        // What is called like a view may be a common table expression.
        let bare = view.as_bare();
        if bare.is_some_and(|bare| binder.names_cte(&bare.text)) {
            return Ok(None);
        }
        let Some(found) = self.view_of(view)? else {
            return Ok(None);
        };
        let mut shown = aliased.is_some();
        for (alias, other) in &entries {
            if !shown && alias.is_none() && other.name.is(&name.name.text) {
                let other = self.view_of(other)?;
                shown = other.is_some_and(|other| {
                    other.object.id == found.object.id && other.database_name == found.database_name
                });
            }
        }
        // A name of FROM that is not the view's comes before the view.
        if !shown && name.as_bare().is_some() && binder.entry_named(name).is_some() {
            return Ok(None);
        }
        let table = self.core.shared.permanent_table(&found)?;
        self.core.shared.may_use(&found, verb.name())?;
        let (source, id) = match bound {
            Some(bound) if shown && binder.entry_named(name).is_some() => {
                (bound.clone(), binder.entry_named(name).unwrap_or_default())
            }
            _ => {
                let own = binder.add_source(&TableSource::Table {
                    name: name.clone(),
                    alias: None,
                    hints: Vec::new(),
                })?;
                let id = own.id().unwrap_or_default();
                (crossed(own, bound.clone()), id)
            }
        };
        if self.is_instead(&table, verb) {
            return Ok(Some(Rows {
                source,
                id,
                table,
                exposed: None,
                of_view: true,
            }));
        }
        // Who may change the view may change the table behind it, where one owner has both.
        let shared = &self.core.shared;
        let _chain = shared.chained(&found.database_name, found.owner());
        self.entry(binder, ctes, (source, id), changed, verb.name())
            .map(Some)
    }

    /// The view that a name means, through synonyms.
    pub(super) fn view_of(&self, name: &ObjectName) -> Result<Option<Found>, SqlError> {
        let shared = &self.core.shared;
        if name.server.is_some() || name.is_temporary() {
            return Ok(None);
        }
        let name = shared.followed(name, &self.core.database)?;
        let database = name.database.as_ref();
        let database = database.map_or(self.core.database.as_str(), |part| &part.text);
        let found = shared.find_named(database, &name)?;
        Ok(found.filter(|found| found.object.kind == ObjectKind::View))
    }

    /// The rows behind a FROM entry: a table, or a derived table over one.
    fn entry(
        &self,
        binder: &mut Binder<'_>,
        ctes: &mut Vec<Cte>,
        (mut source, id): (Source, SourceId),
        changed: Option<&str>,
        verb: &str,
    ) -> Result<Rows, SqlError> {
        if let Some(key) = super::query::key_of(&source, id) {
            return Ok(Rows {
                source,
                id,
                table: self.own(key, verb)?,
                exposed: None,
                of_view: false,
            });
        }
        let names = binder.entry_columns(id);
        let at = changed.and_then(|name| {
            names
                .iter()
                .position(|known| tsql::eval::collate::same(known, name))
        });
        let Some(exposed) = expose(&mut source, id, ctes, at) else {
            let name = binder.entry_name(id);
            return Err(messages::NOT_UPDATABLE.with(&[&name]));
        };
        let table = self.own(exposed.key, verb)?;
        // The table itself joins by the row's number, so that all its columns are at hand.
        let own = binder.fresh_source();
        let on = TypedExpr::predicate(TypedKind::Compare {
            op: ast::CompareOp::Equal,
            left: Box::new(column(own, ROWID, SqlType::BigInt)),
            right: Box::new(exposed.row),
        });
        let source = Source::Join {
            left: Box::new(source),
            kind: ast::JoinKind::Inner,
            right: Box::new(Source::Table {
                id: own,
                key: exposed.key,
            }),
            on: Some(on),
        };
        let exposed = names.into_iter().zip(exposed.columns).collect();
        Ok(Rows {
            source,
            id: own,
            table,
            exposed: Some(exposed),
            of_view: false,
        })
    }
}

/// 10700 for a parameter.
fn not_readonly(table: &OwnTable, frame: &Frame) -> Result<(), SqlError> {
    if frame.scope.readonly.contains(&table.key) {
        let mut tables = frame.scope.tables.iter();
        let name = tables.find(|(_, key)| *key == table.key);
        let name = name.map_or(table.name.as_str(), |(name, _)| name);
        return Err(messages::TABLE_READONLY.with(&[name]));
    }
    Ok(())
}

/// Aliases and names of the tables in a FROM.
fn named_in<'f>(source: &'f TableSource, out: &mut Vec<(Option<&'f ast::Ident>, &'f ObjectName)>) {
    match source {
        TableSource::Table { name, alias, .. } => {
            out.push((alias.as_ref().map(|alias| &alias.name), name));
        }
        TableSource::Join { left, right, .. } => {
            named_in(left, out);
            named_in(right, out);
        }
        _ => {}
    }
}

fn crossed(own: Source, other: Option<Source>) -> Source {
    match other {
        Some(other) => Source::Join {
            left: Box::new(own),
            kind: ast::JoinKind::Cross,
            right: Box::new(other),
            on: None,
        },
        None => own,
    }
}

/// A table behind a FROM entry.
struct Exposed {
    key: u32,
    /// The number of its row.
    row: TypedExpr,
    /// Which of its columns each column of the entry is.
    columns: Vec<Option<usize>>,
}

/// Makes the row numbers of the one table behind an entry visible; none when there is no such table.
fn expose(
    source: &mut Source,
    wanted: SourceId,
    ctes: &mut Vec<Cte>,
    changed: Option<usize>,
) -> Option<Exposed> {
    match source {
        Source::Table { id, key } if *id == wanted => Some(Exposed {
            key: *key,
            row: column(*id, ROWID, SqlType::BigInt),
            columns: Vec::new(),
        }),
        Source::Query { id, query } if *id == wanted => {
            let hidden = query.columns.len();
            let mut exposed = expose_query(query, ctes, changed)?;
            exposed.row = column(wanted, hidden, SqlType::BigInt);
            Some(exposed)
        }
        Source::Cte { id, key } if *id == wanted => {
            let at = ctes.iter().position(|cte| cte.key == *key)?;
            // Those before it are what it may name itself.
            let mut later = ctes.split_off(at);
            let cte = later.first_mut()?;
            let hidden = cte.query.columns.len();
            let exposed = if cte.recursive.is_empty() {
                expose_query(&mut cte.query, ctes, changed)
            } else {
                None
            };
            if exposed.is_some() {
                cte.columns.push(row_column());
            }
            ctes.append(&mut later);
            let mut exposed = exposed?;
            exposed.row = column(wanted, hidden, SqlType::BigInt);
            Some(exposed)
        }
        Source::Join { left, right, .. } => {
            expose(left, wanted, ctes, changed).or_else(|| expose(right, wanted, ctes, changed))
        }
        Source::Apply { left, .. } => expose(left, wanted, ctes, changed),
        Source::Table { .. }
        | Source::Function { .. }
        | Source::Query { .. }
        | Source::Cte { .. } => None,
    }
}

fn row_column() -> Column {
    Column::nullable("", SqlType::BigInt)
}

fn expose_query(query: &mut Query, ctes: &mut Vec<Cte>, changed: Option<usize>) -> Option<Exposed> {
    let Body::Select(select) = &mut query.body else {
        return None;
    };
    if select.distinct || select.grouped {
        return None;
    }
    let from = select.from.as_mut()?;
    let places: Vec<Option<(SourceId, usize)>> = select
        .items
        .iter()
        .map(|item| match item.expr.kind {
            TypedKind::Column { source, column } => Some((source, column)),
            _ => None,
        })
        .collect();
    let entries = from.entries();
    let below = match (changed.and_then(|at| places.get(at)), entries.as_slice()) {
        (Some(Some((source, _))), _) => *source,
        (_, [only]) => *only,
        _ => return None,
    };
    let changed = changed.and_then(|at| places.get(at).copied().flatten());
    let inner = expose(from, below, ctes, changed.map(|(_, column)| column))?;
    let columns = places
        .iter()
        .map(|place| match place {
            Some((source, column)) if *source == below => {
                // A table's own columns stand for themselves.
                if inner.columns.is_empty() {
                    Some(*column)
                } else {
                    inner.columns.get(*column).copied().flatten()
                }
            }
            _ => None,
        })
        .collect();
    select.items.push(Item {
        expr: inner.row.clone(),
        name: String::new(),
        assign: None,
    });
    query.columns.push(row_column());
    Some(Exposed {
        key: inner.key,
        row: inner.row,
        columns,
    })
}
