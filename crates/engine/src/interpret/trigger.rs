//! Triggers of tables and views: those AFTER a change, and those that run in its place.

use super::stage::{Stage, Verb};
use super::{End, Frame, Interpreter};
use crate::databases::{ObjectInfo, Objects};
use crate::session::names::Updated;
use crate::session::permanent::Found;
use crate::session::shared::option;
use crate::session::tables::{OwnColumn, OwnTable, Place};
use std::sync::Arc;
use tsql::ast::{ModuleBody, StatementKind};
use tsql::{SqlError, fault};

/// A trigger ended the transaction it ran in.
pub(super) const ENDED_IN_TRIGGER: (i32, &str) = (
    3609,
    "The transaction ended in the trigger. The batch has been aborted.",
);

/// Events that INSTEAD OF triggers of an object take over, and the triggers.
pub(crate) fn taken_over(objects: &Objects, object: i32) -> Vec<(String, i32)> {
    objects
        .triggers_of(object)
        .iter()
        .filter_map(|trigger| Some((trigger.id, trigger.module()?.trigger.as_ref()?)))
        .filter(|(_, watched)| watched.instead_of && !watched.disabled)
        .flat_map(|(id, watched)| watched.events.iter().map(move |event| (event.clone(), id)))
        .collect()
}

fn is_due(trigger: &ObjectInfo, verb: &str, instead_of: bool) -> bool {
    trigger
        .module()
        .and_then(|module| module.trigger.as_ref())
        .is_some_and(|watched| {
            !watched.disabled
                && watched.instead_of == instead_of
                && watched.events.iter().any(|event| event == verb)
        })
}

/// What is done with rows when the statement is no MERGE.
pub(super) fn verbs(verb: &str) -> &[Verb] {
    match verb {
        "INSERT" => &[Verb::Insert],
        "UPDATE" => &[Verb::Update],
        "DELETE" => &[Verb::Delete],
        _ => &[Verb::Insert, Verb::Update, Verb::Delete],
    }
}

impl Interpreter<'_> {
    /// Whether an INSTEAD OF trigger takes such changes over. What the trigger itself does to its table is done.
    pub(super) fn is_instead(&self, table: &OwnTable, verb: Verb) -> bool {
        let Some(place) = &table.place else {
            return false;
        };
        let mut taken = place.instead.iter();
        taken.any(|(event, trigger)| {
            event == verb.name() && self.core.firing.last() != Some(&(place.database, *trigger))
        })
    }

    /// Fires the triggers of a change whose rows stand in `stage`: those in its place, or those after it.
    pub(super) fn fire_triggers(
        &mut self,
        table: &Arc<OwnTable>,
        stage: &Stage,
        verb: Verb,
        instead_of: bool,
    ) -> Result<(), SqlError> {
        let Some(place) = table.place.as_ref().filter(|place| place.triggers) else {
            return Ok(());
        };
        let objects = self.core.shared.permanent.objects(place.database)?;
        let due: Vec<Found> = objects
            .triggers_of(place.object.id)
            .into_iter()
            .filter(|trigger| is_due(trigger, verb.name(), instead_of))
            // A trigger does not set itself off (RECURSIVE_TRIGGERS OFF).
            .filter(|trigger| self.core.firing.last() != Some(&(place.database, trigger.id)))
            .map(|trigger| Found {
                database: place.database,
                database_name: place.database_name.clone(),
                objects: Arc::clone(&objects),
                object: Arc::clone(trigger),
            })
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let updated = Arc::new(updated(place, stage, verb));
        let inserted = self.changed_rows(table, stage, verb, true)?;
        let deleted = self.changed_rows(table, stage, verb, false)?;
        let result = due
            .iter()
            .try_for_each(|trigger| self.fire(trigger, (inserted, deleted), &updated));
        for key in [inserted, deleted] {
            self.drop_own(key);
        }
        result
    }

    fn fire(
        &mut self,
        trigger: &Found,
        (inserted, deleted): (u32, u32),
        updated: &Arc<Updated>,
    ) -> Result<(), SqlError> {
        let parsed = self.core.shared.parsed.get(trigger)?;
        let StatementKind::CreateTrigger(create) = &parsed.statement else {
            return Err(fault::internal("a trigger is none"));
        };
        let ModuleBody::Statements(body) = &create.body else {
            return Err(fault::not_supported("EXTERNAL NAME"));
        };
        let mut frame = Frame {
            procedure: trigger.object.name.clone(),
            ..Frame::default()
        };
        for (name, key) in [("inserted", inserted), ("deleted", deleted)] {
            frame.scope.tables.push((name.to_owned(), key));
        }
        frame.scope.updated = Some(Arc::clone(updated));
        // A trigger always runs in a transaction, which its statement's own end ends.
        let own = self.core.shared.facts().tran_count == 0;
        if own {
            self.core.shared.host().begin()?;
            self.core.shared.facts().tran_count = 1;
        }
        let options = self.core.shared.facts().options;
        self.core.shared.facts().options |= option::XACT_ABORT;
        let database = trigger.database_name.clone();
        self.core.firing.push((trigger.database, trigger.object.id));
        let result = self.run_module(trigger, &parsed, body, &mut frame, &database);
        self.core.firing.pop();
        self.core.shared.facts().options = options;
        let ended = self.core.shared.facts().tran_count == 0;
        if own && !ended {
            self.core.shared.facts().tran_count = 0;
            if matches!(result, Ok(End::Next)) {
                self.core.shared.host().commit()?;
            } else {
                self.core.shared.host().rollback()?;
            }
        }
        match result {
            Ok(End::Next | End::Return) if !ended => Ok(()),
            Ok(_) => Err(SqlError::new(ENDED_IN_TRIGGER.0, 16, ENDED_IN_TRIGGER.1)),
            Err(failure) => Err(failure.error),
        }
    }

    /// A table of the rows after a change, or before it.
    fn changed_rows(
        &mut self,
        table: &OwnTable,
        stage: &Stage,
        verb: Verb,
        after: bool,
    ) -> Result<u32, SqlError> {
        let columns = table
            .columns
            .iter()
            .map(|own| OwnColumn::plain(own.column.clone()))
            .collect();
        let key = self.core.shared.next_key();
        let name = if after { "inserted" } else { "deleted" };
        self.add(
            OwnTable {
                columns,
                ..OwnTable::empty(key, name, true)
            },
            None,
        )?;
        if (after && verb == Verb::Delete) || (!after && verb == Verb::Insert) {
            return Ok(key);
        }
        let names: Vec<String> = (0..table.columns.len())
            .map(|at| format!("c{at}"))
            .collect();
        let values: Vec<String> = (0..table.columns.len())
            .map(|at| {
                let place = if after {
                    stage.after(at)
                } else {
                    Stage::old_of(at)
                };
                format!("c{place}")
            })
            .collect();
        self.core_batch(&format!(
            "INSERT INTO t{key}({}) SELECT {} FROM t{} WHERE c{} = '{}'",
            names.join(","),
            values.join(","),
            stage.key,
            Stage::ACTION,
            verb.name()
        ))?;
        Ok(key)
    }
}

/// Which columns a statement sets: all of those of new rows, none of those that go.
fn updated(place: &Place, stage: &Stage, verb: Verb) -> Updated {
    let columns = place.object.columns().iter().enumerate();
    Updated(
        columns
            .map(|(at, column)| {
                let set = match verb {
                    Verb::Insert => true,
                    Verb::Update => stage.updated.contains(&at),
                    Verb::Delete => false,
                };
                (column.name.clone(), column.id, set)
            })
            .collect(),
    )
}
