//! Changes of rows in two steps: the rows before and after are worked out into a hidden table first, then applied.
//!
//! What needs it: OUTPUT, MERGE, SET of variables, and keys that move from row to row within one statement. The hidden
//! table's columns are the row's number, `$action`, the values before, the values after, and what OUTPUT names beside
//! them.

use super::data::target_of;
use super::output::Outputs;
use super::trigger::verbs;
use super::{Frame, Interpreter};
use crate::session::computed::ROW;
use crate::session::tables::{OwnColumn, OwnTable};
use crate::store::generate::Plan;
use std::sync::Arc;
use tsql::bind::ir::TypedExpr;
use tsql::{Column, SqlError, SqlType, fault, messages};

/// Columns before the values: the row's number and `$action`.
const FIRST_VALUE: usize = 2;

/// `$action`.
pub(super) const ACTION: SqlType = SqlType::nvarchar(10);

/// The hidden table of one statement.
pub(super) struct Stage {
    pub(super) key: u32,
    /// Columns of the changed table.
    width: usize,
    /// Those of them that SET names.
    pub(super) updated: Vec<usize>,
}

impl Stage {
    /// The row's number in the changed table; NULL for a new row.
    pub(super) const ROW: usize = 0;
    /// INSERT, UPDATE or DELETE.
    pub(super) const ACTION: usize = 1;

    /// Place of a column's value before the change.
    pub(super) const fn old_of(at: usize) -> usize {
        FIRST_VALUE + at
    }

    /// Place of a column's value after the change, of a table of `width` columns.
    pub(super) const fn new_of(width: usize, at: usize) -> usize {
        FIRST_VALUE + width + at
    }

    /// Place of what OUTPUT names beside them, of a table of `width` columns.
    pub(super) const fn extra_of(width: usize, at: usize) -> usize {
        FIRST_VALUE + 2 * width + at
    }

    /// Place of a column's value after the change.
    pub(super) const fn after(&self, at: usize) -> usize {
        Self::new_of(self.width, at)
    }

    /// Place of an extra value.
    pub(super) const fn extra(&self, at: usize) -> usize {
        Self::extra_of(self.width, at)
    }

    /// Places and SQL texts of a row to come, as INSERT … SELECT of them.
    pub(super) fn insert(&self, values: &[(usize, String)]) -> (String, String) {
        let names: Vec<String> = values.iter().map(|(at, _)| format!("c{at}")).collect();
        let texts: Vec<&str> = values.iter().map(|(_, text)| text.as_str()).collect();
        (
            format!("INSERT INTO t{}({})", self.key, names.join(",")),
            texts.join(","),
        )
    }
}

/// The word of an action, as a text in SQL.
pub(super) const fn action_text(verb: Verb) -> &'static str {
    match verb {
        Verb::Insert => "'INSERT'",
        Verb::Update => "'UPDATE'",
        Verb::Delete => "'DELETE'",
    }
}

/// What is done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Insert,
    Update,
    Delete,
}

impl Verb {
    /// The statement's word, for messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

impl Interpreter<'_> {
    /// Makes the hidden table for changes of `table`; [`Interpreter::unstage`] ends it.
    pub(super) fn stage(
        &mut self,
        table: &OwnTable,
        extras: &[TypedExpr],
    ) -> Result<Stage, SqlError> {
        let column = |ty: SqlType| OwnColumn::plain(Column::nullable("", ty));
        let values = table.columns.iter().map(|own| column(own.column.ty));
        let columns = [column(SqlType::BigInt), column(ACTION)]
            .into_iter()
            .chain(values.clone())
            .chain(values)
            .chain(extras.iter().map(|extra| column(extra.ty)))
            .collect();
        let key = self.core.shared.next_key();
        let hidden = OwnTable {
            columns,
            ..OwnTable::empty(key, "", true)
        };
        self.add(hidden, None)?;
        Ok(Stage {
            key,
            width: table.columns.len(),
            updated: Vec::new(),
        })
    }

    pub(super) fn unstage(&mut self, stage: &Stage) {
        self.drop_own(stage.key);
    }

    /// Puts rows into the hidden table.
    pub(super) fn fill(&mut self, text: &str, plan: Plan) -> Result<(), SqlError> {
        match super::query::change(self.core, self.cancel, text, plan) {
            Ok(_) => Ok(()),
            Err(super::query::ChangeError::Sql(error)) => Err(error),
            Err(super::query::ChangeError::Constraint(_)) => {
                Err(fault::internal("a hidden table has no keys"))
            }
        }
    }

    /// Number of the rows in the hidden table.
    fn staged(&mut self, stage: &Stage) -> Result<u64, SqlError> {
        let store = self.core.store(self.cancel)?;
        let count: i64 = store
            .db
            .query_row(&format!("SELECT count(*) FROM t{}", stage.key), [], |row| {
                row.get(0)
            })
            .map_err(|error| store.error(&error))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Leaves each row of the changed table in once; which of several matches stays is not promised.
    pub(super) fn stage_once(&mut self, stage: &Stage) -> Result<(), SqlError> {
        self.core_batch(&format!(
            "DELETE FROM t{key} WHERE rowid NOT IN (SELECT min(rowid) FROM t{key} GROUP BY c{row})",
            key = stage.key,
            row = Stage::ROW
        ))
    }

    /// 8672 when a MERGE would change a row twice.
    pub(super) fn stage_is_unique(&mut self, stage: &Stage) -> Result<(), SqlError> {
        let store = self.core.store(self.cancel)?;
        let twice: bool = store
            .db
            .query_row(
                &format!(
                    "SELECT EXISTS (SELECT 1 FROM t{key} WHERE c{row} IS NOT NULL \
                     GROUP BY c{row} HAVING count(*) > 1)",
                    key = stage.key,
                    row = Stage::ROW
                ),
                [],
                |row| row.get(0),
            )
            .map_err(|error| store.error(&error))?;
        if twice {
            return Err(messages::MERGE_TWICE.with(&[]));
        }
        Ok(())
    }

    /// Keeps the first rows of the hidden table.
    pub(super) fn stage_first(&mut self, stage: &Stage, rows: u64) -> Result<(), SqlError> {
        self.core_batch(&format!(
            "DELETE FROM t{key} WHERE rowid NOT IN (SELECT rowid FROM t{key} ORDER BY rowid LIMIT {rows})",
            key = stage.key
        ))
    }

    /// Does what the hidden table says and puts out what OUTPUT wants of it, or changes nothing; returns the number of
    /// rows.
    pub(super) fn take_place(
        &mut self,
        table: &Arc<OwnTable>,
        stage: &Stage,
        outputs: &Outputs,
        frame: &Frame,
        verb: &str,
    ) -> Result<u64, SqlError> {
        self.whole(|own| {
            own.lock_table(table)?;
            let seen = table.has_triggers() || !outputs.is_empty();
            if verb != Verb::Delete.name() && (table.has_stored() || seen) {
                own.compute(table, stage, frame)?;
            }
            let (instead, done): (Vec<Verb>, Vec<Verb>) = verbs(verb)
                .iter()
                .partition(|verb| own.is_instead(table, **verb));
            // Rows leave before others come, so that keys may move from one to another.
            for verb in done.iter().rev() {
                own.apply(table, stage, *verb)?;
            }
            if !done.is_empty() {
                own.keep_identity(table)?;
                if verb != Verb::Delete.name() {
                    own.checks_hold(table, frame, verb)?;
                }
            }
            own.put_out(outputs, stage, frame)?;
            let count = own.staged(stage)?;
            for verb in instead {
                own.fire_triggers(table, stage, verb, true)?;
            }
            for verb in done {
                own.fire_triggers(table, stage, verb, false)?;
            }
            Ok(count)
        })
    }

    /// Works out the computed columns of the rows to come.
    fn compute(&mut self, table: &OwnTable, stage: &Stage, frame: &Frame) -> Result<(), SqlError> {
        let Some(derived) = self.core.shared.derived(table, true)? else {
            return Ok(());
        };
        let hidden = format!("t{}", stage.key);
        let (text, plan) = self.generate(frame, |generator| {
            let places: Vec<String> = (0..stage.width)
                .filter(|at| derived.columns.iter().all(|(other, _)| other != at))
                .map(|at| format!(",c{} AS c{at}", stage.after(at)))
                .collect();
            let mut values = Vec::new();
            let mut pairs = Vec::new();
            for (at, expr) in &derived.columns {
                let target = target_of(table, *at, Verb::Insert.name());
                values.push(format!(",{} AS v{at}", generator.assigned(expr, target)?));
                pairs.push(format!("c{} = n.v{at}", stage.after(*at)));
            }
            Ok(format!(
                "UPDATE {hidden} SET {} FROM (SELECT r{} FROM (SELECT rowid AS r{} FROM {hidden} \
                 WHERE c{} <> 'DELETE') AS s{ROW}) AS n WHERE {hidden}.rowid = n.r",
                pairs.join(","),
                values.concat(),
                places.concat(),
                Stage::ACTION
            ))
        })?;
        self.fill(&text, plan)
    }

    /// Whether foreign keys refer to a table.
    fn is_referenced(&self, table: &OwnTable) -> Result<bool, SqlError> {
        let Some(place) = &table.place else {
            return Ok(false);
        };
        let objects = self.core.shared.permanent.objects(place.database)?;
        let mut tables = objects.objects().filter_map(|object| object.table());
        Ok(tables.any(|other| {
            let mut keys = other.foreign_keys.iter();
            keys.any(|key| key.table == place.object.id)
        }))
    }

    /// Does one kind of what the hidden table says.
    fn apply(&mut self, table: &Arc<OwnTable>, stage: &Stage, verb: Verb) -> Result<(), SqlError> {
        let (row, action) = (Stage::ROW, Stage::ACTION);
        let own = table.sql_name();
        let hidden = format!("t{}", stage.key);
        let stored = || (0..stage.width).filter(|at| table.columns[*at].is_stored());
        let names: Vec<String> = stored().map(|at| format!("c{at}")).collect();
        let news: Vec<String> = stored().map(|at| format!("c{}", stage.after(at))).collect();
        let (names, news) = (names.join(","), news.join(","));
        let set: Vec<usize> = (0..stage.width)
            .filter(|at| {
                let computed = table.columns[*at].computed.is_some();
                stage.updated.contains(at) || computed && table.columns[*at].is_stored()
            })
            .collect();
        let rows = format!("FROM {hidden} WHERE c{action} = {}", action_text(verb));
        let gone = || {
            format!(
                "DELETE FROM {own} WHERE rowid IN (SELECT c{row} {rows} AND c{row} IS NOT NULL)"
            )
        };
        let texts = match verb {
            Verb::Delete => vec![gone()],
            Verb::Update if set.is_empty() => Vec::new(),
            // What refers to a row must not see it leave.
            Verb::Update
                if !set.iter().any(|at| table.in_key(*at)) || self.is_referenced(table)? =>
            {
                let pairs: Vec<String> = set.iter().map(|at| format!("c{at} = n.v{at}")).collect();
                let values: Vec<String> = set
                    .iter()
                    .map(|at| format!(",c{} AS v{at}", stage.after(*at)))
                    .collect();
                vec![format!(
                    "UPDATE {own} SET {} FROM (SELECT c{row} AS r{} {rows}) AS n WHERE {own}.rowid = n.r",
                    pairs.join(","),
                    values.concat()
                )]
            }
            // Keys may move from one row to another.
            Verb::Update => vec![
                gone(),
                format!("INSERT INTO {own}(rowid,{names}) SELECT c{row},{news} {rows}"),
            ],
            Verb::Insert => vec![format!(
                "INSERT INTO {own}({names}) SELECT {news} {rows} ORDER BY rowid"
            )],
        };
        for text in texts {
            self.change_rows(table, &text, Plan::default())?;
        }
        Ok(())
    }
}
