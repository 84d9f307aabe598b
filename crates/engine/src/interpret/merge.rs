//! MERGE into temporary tables and table variables.

use super::change::{Assigned, staged_row};
use super::data::{checked, target_of, with_defaults};
use super::output::{Outputs, Shown};
use super::stage::{Stage, Verb, action_text};
use super::target::Rows;
use super::{Frame, Interpreter};
use crate::session::names::Names;
use crate::session::tables::OwnTable;
use crate::store::generate::Generator;
use std::sync::Arc;
use tsql::ast::{JoinKind, Merge, MergeAction, MergeClause, MergeWhen};
use tsql::bind::Binder;
use tsql::bind::ir::{Cte, Limit, Source, SourceId, TypedExpr, TypedKind};
use tsql::{SqlError, Value, fault, messages};

/// A bound MERGE.
struct Bound {
    ctes: Vec<Cte>,
    target: Rows,
    source: Source,
    on: TypedExpr,
    clauses: Vec<Clause>,
    limit: Limit,
    outputs: Outputs,
}

/// A bound WHEN clause.
struct Clause {
    when: MergeWhen,
    condition: Option<TypedExpr>,
    action: Action,
}

enum Action {
    Update(Vec<Assigned>),
    Delete,
    /// Values by column; the identity is given by the table.
    Insert(Vec<(usize, TypedExpr)>),
}

impl Action {
    /// The permission that it takes on the target.
    const fn permission(&self) -> &'static str {
        match self {
            Self::Update(_) => "UPDATE",
            Self::Delete => "DELETE",
            Self::Insert(_) => "INSERT",
        }
    }

    const fn verb(&self) -> Verb {
        match self {
            Self::Update(_) => Verb::Update,
            Self::Delete => Verb::Delete,
            Self::Insert(_) => Verb::Insert,
        }
    }
}

impl Interpreter<'_> {
    pub(super) fn merge(&mut self, merge: &Merge, frame: &mut Frame) -> Result<u64, SqlError> {
        self.recursion(&merge.options)?;
        let bound = self.bind_merge(merge, frame)?;
        let table = Arc::clone(&bound.target.table);
        let first = self.first_rows(&bound.limit, frame)?;
        let mut stage = self.stage(&table, &bound.outputs.extras)?;
        for clause in &bound.clauses {
            if let Action::Update(sets) = &clause.action {
                stage
                    .updated
                    .extend(sets.iter().filter_map(|set| set.column));
            }
        }
        let result = self
            .fill_merge(&bound, &stage, frame)
            .and_then(|()| self.stage_is_unique(&stage))
            .and_then(|()| match first {
                Some(rows) => self.stage_first(&stage, rows),
                None => Ok(()),
            })
            .and_then(|()| self.take_place(&table, &stage, &bound.outputs, frame, "MERGE"));
        self.unstage(&stage);
        result
    }

    fn bind_merge(&self, merge: &Merge, frame: &Frame) -> Result<Bound, SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let mut binder = Binder::new(&names);
        let ctes = binder.with(merge.with.as_ref())?;
        let table = self.own_target(&merge.target, frame, "MERGE")?;
        let source = binder
            .open_from(std::slice::from_ref(&merge.source))?
            .ok_or_else(|| fault::internal("a MERGE without a source"))?;
        let name = merge
            .alias
            .as_ref()
            .map_or(table.name.as_str(), |alias| &alias.name.text);
        let object = match &merge.target {
            tsql::ast::DmlTarget::Table { name, .. } if merge.alias.is_none() => Some(name.clone()),
            _ => None,
        };
        let id = binder.add_table(name, object, &table.shape());
        let on = binder.expr(&merge.on)?;
        let target = Rows {
            source: Source::Table { id, key: table.key },
            id,
            table,
            exposed: None,
            of_view: false,
        };
        let mut clauses: Vec<Clause> = Vec::with_capacity(merge.clauses.len());
        for clause in &merge.clauses {
            let line = clause.span.line;
            let hidden = match clause.when {
                MergeWhen::Matched => Vec::new(),
                MergeWhen::NotMatchedByTarget => vec![target.id],
                MergeWhen::NotMatchedBySource => source.entries(),
            };
            let seen = binder.without(&hidden, |binder| self.bind_clause(binder, clause, &target));
            let bound = match seen {
                Ok(bound) => Ok(bound),
                // A name that the clause does not see has an error of its own.
                Err(error) => match self.bind_clause(&mut binder, clause, &target) {
                    Ok(bound) => Err(out_of_reach(&binder, &bound, &hidden).unwrap_or(error)),
                    Err(_) => Err(error),
                },
            };
            let bound = bound.map_err(|error| error.at_line(line))?;
            in_order(&clauses, &bound).map_err(|error| error.at_line(line))?;
            let permission = bound.action.permission();
            self.core.shared.may_use_table(&target.table, permission)?;
            clauses.push(bound);
        }
        let mut limit = Limit::default();
        binder.top(merge.top.as_ref(), &mut limit)?;
        let shown = Shown {
            inserted: true,
            deleted: true,
            action: true,
        };
        let outputs = self.outputs(
            &mut binder,
            &merge.output,
            (&target.table, Some(id)),
            shown,
            frame,
        )?;
        Ok(Bound {
            ctes,
            target,
            source,
            on,
            clauses,
            limit,
            outputs,
        })
    }

    fn bind_clause(
        &self,
        binder: &mut Binder<'_>,
        clause: &MergeClause,
        target: &Rows,
    ) -> Result<Clause, SqlError> {
        let table = &target.table;
        let condition = clause
            .condition
            .as_ref()
            .map(|condition| binder.expr(condition))
            .transpose()?;
        let action = match &clause.action {
            MergeAction::Delete => Action::Delete,
            MergeAction::Update(sets) => {
                let sets = self.sets(binder, sets, target)?;
                if sets.iter().any(|set| set.column.is_none()) {
                    return Err(fault::not_supported("MERGE … SET of a variable"));
                }
                Action::Update(sets)
            }
            MergeAction::Insert { columns, values } => {
                let places = self.insert_columns(table, columns)?;
                let mut given = Vec::new();
                if let Some(values) = values {
                    if values.len() != places.len() {
                        return Err(if columns.is_empty() {
                            messages::INSERT_COLUMN_COUNT.with(&[])
                        } else if values.len() < places.len() {
                            messages::FEWER_VALUES.with(&[])
                        } else {
                            messages::MORE_VALUES.with(&[])
                        });
                    }
                    let row = with_defaults(std::slice::from_ref(values), table, &places);
                    for (at, value) in places.iter().zip(row.iter().flatten()) {
                        let ty = table.columns[*at].column.ty;
                        given.push((*at, checked(binder.expr(value)?, ty)?));
                    }
                }
                for (at, own) in table.columns.iter().enumerate() {
                    let known = given.iter().any(|(place, _)| *place == at);
                    if known || table.identity == Some(at) || own.computed.is_some() {
                        continue;
                    }
                    let expr = match &own.default {
                        Some(default) => checked(binder.expr(default)?, own.column.ty)?,
                        None => TypedExpr::constant(Value::Null, own.column.ty),
                    };
                    given.push((at, expr));
                }
                Action::Insert(given)
            }
        };
        Ok(Clause {
            when: clause.when,
            condition,
            action,
        })
    }

    /// Puts what each clause does with its rows into the hidden table.
    fn fill_merge(&mut self, bound: &Bound, stage: &Stage, frame: &Frame) -> Result<(), SqlError> {
        for (at, clause) in bound.clauses.iter().enumerate() {
            let earlier = bound.clauses[..at]
                .iter()
                .filter(|other| other.when == clause.when);
            let (text, plan) = self.generate(frame, |generator| {
                let with = generator.with(&bound.ctes)?;
                let values = clause.values(generator, bound, stage)?;
                let (insert, texts) = stage.insert(&values);
                let mut text = format!("{with}{insert} SELECT {texts} FROM ");
                text.push_str(&bound.rows(generator, clause.when)?);
                if let Some(condition) = &clause.condition {
                    text.push_str(&format!(" AND ({})", generator.expr(condition)?));
                }
                for other in earlier {
                    if let Some(condition) = &other.condition {
                        text.push_str(&format!(
                            " AND ({}) IS NOT TRUE",
                            generator.expr(condition)?
                        ));
                    }
                }
                Ok(text)
            })?;
            self.fill(&text, plan)?;
        }
        Ok(())
    }
}

impl Bound {
    /// FROM and WHERE of the rows that a kind of clause is about.
    fn rows(&self, generator: &mut Generator<'_>, when: MergeWhen) -> Result<String, SqlError> {
        let target = &self.target.source;
        Ok(match when {
            MergeWhen::Matched => {
                let both = Source::Join {
                    left: Box::new(target.clone()),
                    kind: JoinKind::Inner,
                    right: Box::new(self.source.clone()),
                    on: Some(self.on.clone()),
                };
                format!("{} WHERE 1", generator.source(&both)?)
            }
            MergeWhen::NotMatchedByTarget => {
                let source = generator.source(&self.source)?;
                let target = generator.source(target)?;
                let on = generator.expr(&self.on)?;
                format!("{source} WHERE NOT EXISTS (SELECT 1 FROM {target} WHERE {on})")
            }
            MergeWhen::NotMatchedBySource => {
                let target = generator.source(target)?;
                let source = generator.source(&self.source)?;
                let on = generator.expr(&self.on)?;
                format!("{target} WHERE NOT EXISTS (SELECT 1 FROM {source} WHERE {on})")
            }
        })
    }
}

impl Clause {
    fn values(
        &self,
        generator: &mut Generator<'_>,
        bound: &Bound,
        stage: &Stage,
    ) -> Result<Vec<(usize, String)>, SqlError> {
        let table = &bound.target.table;
        let verb = self.action.verb();
        let mut values = match &self.action {
            Action::Insert(_) => vec![(Stage::ACTION, action_text(verb).to_owned())],
            Action::Update(_) | Action::Delete => staged_row(generator, &bound.target, verb)?,
        };
        match &self.action {
            Action::Delete => {}
            Action::Update(sets) => {
                for at in 0..table.columns.len() {
                    let set = sets.iter().find(|set| set.column == Some(at));
                    let value = match set {
                        Some(set) => new_value(generator, table, at, &set.expr, verb)?,
                        None => generator.expr(&bound.target.old(at))?,
                    };
                    values.push((stage.after(at), value));
                }
            }
            Action::Insert(given) => {
                for (at, value) in given {
                    let text = new_value(generator, table, *at, value, verb)?;
                    values.push((stage.after(*at), text));
                }
                let identity = table
                    .identity
                    .filter(|at| !given.iter().any(|(place, _)| place == at));
                if let Some(at) = identity {
                    values.push((stage.after(at), format!("next_identity({})", table.key)));
                }
            }
        }
        let source = bound.source.entries();
        for (at, extra) in bound.outputs.extras.iter().enumerate() {
            let of_source =
                matches!(extra.kind, TypedKind::Column { source: id, .. } if source.contains(&id));
            if self.when != MergeWhen::NotMatchedBySource || !of_source {
                values.push((stage.extra(at), generator.expr(extra)?));
            }
        }
        Ok(values)
    }
}

fn new_value(
    generator: &mut Generator<'_>,
    table: &OwnTable,
    at: usize,
    expr: &TypedExpr,
    verb: Verb,
) -> Result<String, SqlError> {
    let target = target_of(table, at, verb.name());
    generator.assigned(&checked(expr.clone(), target.ty)?, target)
}

/// A clause without a condition is the last of its kind, and each action of a matched row stands in one clause.
fn in_order(before: &[Clause], clause: &Clause) -> Result<(), SqlError> {
    let kind = match clause.when {
        MergeWhen::Matched => "WHEN MATCHED",
        MergeWhen::NotMatchedByTarget => "WHEN NOT MATCHED",
        MergeWhen::NotMatchedBySource => "WHEN NOT MATCHED BY SOURCE",
    };
    let same = || before.iter().filter(|other| other.when == clause.when);
    if same().any(|other| other.condition.is_none()) {
        return Err(messages::MERGE_CLAUSE_ORDER.with(&[kind, kind]));
    }
    let verb = clause.action.verb();
    if same().any(|other| other.action.verb() == verb) {
        return Err(messages::MERGE_ACTION_TWICE.with(&[verb.name(), kind]));
    }
    Ok(())
}

/// 5333 or 5334 for a column that the clause does not see.
fn out_of_reach(binder: &Binder<'_>, clause: &Clause, hidden: &[SourceId]) -> Option<SqlError> {
    let exprs: Vec<&TypedExpr> = match &clause.action {
        Action::Update(sets) => sets.iter().map(|set| &set.expr).collect(),
        Action::Delete => Vec::new(),
        Action::Insert(values) => values.iter().map(|(_, value)| value).collect(),
    };
    let named = clause
        .condition
        .iter()
        .chain(exprs)
        .flat_map(|expr| expr.named());
    for column in named {
        if let TypedKind::Column { source, column } = column.kind
            && hidden.contains(&source)
        {
            let columns = binder.entry_columns(source);
            let column = columns.get(column).map_or("", String::as_str);
            let name = format!("{}.{column}", binder.entry_name(source));
            return Some(if clause.when == MergeWhen::NotMatchedByTarget {
                messages::MERGE_SOURCE_ONLY.with(&[&name])
            } else {
                messages::MERGE_TARGET_ONLY.with(&[&name])
            });
        }
    }
    None
}
