//! OUTPUT: rows of a change, to the client or into a table.

use super::stage::{ACTION, Stage};
use super::{Frame, Interpreter};
use crate::session::tables::OwnTable;
use std::sync::Arc;
use tsql::ast::Output;
use tsql::bind::Binder;
use tsql::bind::ir::{Body, Item, Limit, Query, Select, Source, SourceId, TypedExpr, TypedKind};
use tsql::{Column, SqlError, messages};

/// The entry of the hidden table in the queries over it.
const STAGED: SourceId = u32::MAX - 1;

/// The OUTPUT clauses of one statement.
pub(super) struct Outputs {
    clauses: Vec<Clause>,
    /// What they name beside the values before and after.
    pub(super) extras: Vec<TypedExpr>,
}

struct Clause {
    items: Vec<Item>,
    /// The table and its columns that the rows go into; the client without one.
    into: Option<(Arc<OwnTable>, Vec<usize>)>,
}

/// The entries that only OUTPUT sees.
struct Entries {
    inserted: Option<SourceId>,
    deleted: Option<SourceId>,
    action: Option<SourceId>,
    /// The changed table's own entry: its values are those before the change.
    target: Option<SourceId>,
}

/// Which of `inserted`, `deleted` and `$action` a statement has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) inserted: bool,
    pub(super) deleted: bool,
    pub(super) action: bool,
}

impl Outputs {
    /// No OUTPUT clause.
    pub(super) const fn none() -> Self {
        Self {
            clauses: Vec::new(),
            extras: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }
}

impl Interpreter<'_> {
    /// Binds OUTPUT clauses in the scope that is open. `target` is the changed table's own entry there.
    pub(super) fn outputs(
        &self,
        binder: &mut Binder<'_>,
        outputs: &[Output],
        (table, target): (&OwnTable, Option<SourceId>),
        shown: Shown,
        frame: &Frame,
    ) -> Result<Outputs, SqlError> {
        let mut bound = Outputs {
            clauses: Vec::with_capacity(outputs.len()),
            extras: Vec::new(),
        };
        if outputs.is_empty() {
            return Ok(bound);
        }
        let mut shape = table.shape();
        // A MERGE row has values before, or after, or both, and its source's unless that has no such row.
        let has_gaps = shown.action;
        for column in &mut shape {
            column.nullable |= has_gaps;
        }
        let mut add = |wanted: bool, name: &str, columns: &[Column]| {
            wanted.then(|| binder.add_table(name, None, columns))
        };
        let entries = Entries {
            inserted: add(shown.inserted, "inserted", &shape),
            deleted: add(shown.deleted, "deleted", &shape),
            action: add(shown.action, "", &[Column::required("$action", ACTION)]),
            target,
        };
        for output in outputs {
            let line = output.span.line;
            let mut items = binder
                .output(&output.items)
                .map_err(|error| error.at_line(line))?;
            for item in &mut items {
                place(
                    &mut item.expr,
                    &entries,
                    table.columns.len(),
                    &mut bound.extras,
                );
                item.expr.nullable |= has_gaps;
            }
            let into = match &output.into {
                None => None,
                Some(into) => {
                    let table = self.own_target(&into.target, frame, "INSERT")?;
                    let columns = self.insert_columns(&table, &into.columns)?;
                    if columns.len() != items.len() {
                        return Err(messages::INSERT_COLUMN_COUNT.at(line, &[]));
                    }
                    Some((table, columns))
                }
            };
            bound.clauses.push(Clause { items, into });
        }
        Ok(bound)
    }

    /// Sends the rows of a change where its OUTPUT clauses say.
    pub(super) fn put_out(
        &mut self,
        outputs: &Outputs,
        stage: &Stage,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        // What goes into tables comes first: when it fails, the client has seen nothing yet.
        let (into, client): (Vec<&Clause>, Vec<&Clause>) = outputs
            .clauses
            .iter()
            .partition(|clause| clause.into.is_some());
        for clause in into {
            if let Some((table, columns)) = &clause.into {
                self.insert_query(table, columns, &clause.query(stage), frame)?;
            }
        }
        for clause in client {
            self.stream(&clause.query(stage), frame)?;
        }
        Ok(())
    }
}

impl Clause {
    fn query(&self, stage: &Stage) -> Query {
        Query {
            ctes: Vec::new(),
            columns: self
                .items
                .iter()
                .map(|item| Column {
                    name: item.name.clone(),
                    ty: item.expr.ty,
                    nullable: item.expr.nullable,
                })
                .collect(),
            body: Body::Select(Box::new(Select {
                distinct: false,
                items: self.items.clone(),
                from: Some(Source::Table {
                    id: STAGED,
                    key: stage.key,
                }),
                filter: None,
                group: Vec::new(),
                grouped: false,
                having: None,
            })),
            order: Vec::new(),
            limit: Limit::default(),
        }
    }
}

/// Turns the columns of an OUTPUT item into those of the hidden table of a table of `width` columns.
fn place(expr: &mut TypedExpr, entries: &Entries, width: usize, extras: &mut Vec<TypedExpr>) {
    let TypedKind::Column { source, column: at } = expr.kind else {
        for child in expr.children_mut() {
            place(child, entries, width, extras);
        }
        return;
    };
    let entry = Some(source);
    let at = if entry == entries.inserted {
        Stage::new_of(width, at)
    } else if entry == entries.deleted || entry == entries.target {
        Stage::old_of(at)
    } else if entry == entries.action {
        Stage::ACTION
    } else {
        let known = extras.iter().position(|known| known.kind == expr.kind);
        let known = known.unwrap_or_else(|| {
            extras.push(expr.clone());
            extras.len() - 1
        });
        Stage::extra_of(width, known)
    };
    expr.kind = TypedKind::Column {
        source: STAGED,
        column: at,
    };
}
