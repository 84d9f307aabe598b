//! Changes of rows of permanent tables: locks, identities that outlive the session, errors that name constraints.

use super::{Frame, Interpreter};
use crate::databases::{IndexInfo, Writer, unreadable};
use crate::session::tables::{OwnTable, Place};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tsql::ast::ObjectName;
use tsql::bind::Catalog;
use tsql::bind::ir::Query;
use tsql::{SqlError, fault, messages};

/// SQLite's words for a foreign key that does not hold.
const FOREIGN_KEY_FAILED: &str = "FOREIGN KEY constraint failed";

impl Interpreter<'_> {
    /// Before a change of a table's rows: nobody else changes its database meanwhile.
    pub(super) fn lock_table(&mut self, table: &OwnTable) -> Result<(), SqlError> {
        match &table.place {
            Some(place) => self.lock_database(place.database),
            None => Ok(()),
        }
    }

    /// After a change of a table's rows, in the same transaction: the identity goes on behind them.
    pub(super) fn keep_identity(&mut self, table: &OwnTable) -> Result<(), SqlError> {
        let (Some(place), Some(_)) = (&table.place, table.identity) else {
            return Ok(());
        };
        let next = table.next.load(Ordering::SeqCst);
        let schema = format!("d{}", place.database);
        let store = self.core.store(self.cancel)?;
        Writer::new(&store.db, &schema)
            .put_identity(place.object.id, next)
            .map_err(|error| unreadable(&error))
    }

    /// SELECT … INTO of a permanent table.
    pub(super) fn select_into_permanent(
        &mut self,
        into: &ObjectName,
        query: &Query,
        places: &[usize],
        frame: &Frame,
    ) -> Result<u64, SqlError> {
        let result = self.whole(|own| {
            own.create_permanent_into(into, query)?;
            let shape = own.names(&frame.scope).table(into)?;
            let table = own.own(shape.key, "SELECT INTO")?;
            own.insert_query(&table, places, query, frame)
        });
        if self.core.shared.facts().tran_count == 0 {
            self.definitions_ended(result.is_ok());
        } else if result.is_err() {
            self.definitions_restored()?;
        }
        result
    }

    /// TRUNCATE TABLE of a permanent table.
    pub(super) fn truncate_permanent(
        &mut self,
        table: &Arc<OwnTable>,
        place: &Place,
    ) -> Result<(), SqlError> {
        let objects = self.core.shared.permanent.objects(place.database)?;
        let referenced = objects
            .objects()
            .filter(|other| other.id != place.object.id)
            .filter_map(|other| other.table())
            .any(|other| {
                other
                    .foreign_keys
                    .iter()
                    .any(|key| key.table == place.object.id)
            });
        if referenced {
            return Err(messages::TRUNCATE_REFERENCED.with(&[&table.object_name()]));
        }
        self.whole(|own| {
            own.lock_table(table)?;
            own.core_batch(&format!("DELETE FROM {}", table.sql_name()))?;
            own.core.reseeded.push((place.database, place.object.id));
            table.reseed();
            own.keep_identity(table)
        })
    }

    /// The error behind SQLite's refusal of a change.
    pub(super) fn violated(&self, table: &OwnTable, text: &str, message: &str) -> SqlError {
        if message.contains(FOREIGN_KEY_FAILED) {
            return self.foreign_key_violated(table, text);
        }
        let Some(place) = &table.place else {
            return own_key_violated(table, message);
        };
        let indexes = place
            .object
            .table()
            .map_or(&[][..], |table| table.indexes.as_slice());
        match index_of(indexes, message) {
            Some(index) if index.constraint.is_some() => messages::DUPLICATE_KEY.with(&[
                key_kind(index.primary),
                &index.name,
                &table.object_name(),
                "…",
            ]),
            Some(index) => {
                messages::DUPLICATE_KEY_ROW.with(&[&table.object_name(), &index.name, "…"])
            }
            None => fault::internal(message),
        }
    }

    fn foreign_key_violated(&self, table: &OwnTable, text: &str) -> SqlError {
        let verb = ["DELETE", "UPDATE", "INSERT"]
            .into_iter()
            .filter_map(|verb| text.find(verb).map(|at| (at, verb)))
            .min()
            .map_or("INSERT", |(_, verb)| verb);
        let conflict = |kind: &str, key: &str, table: &str, database: &str| {
            messages::CONSTRAINT_CONFLICT.with(&[verb, kind, key, database, table, ""])
        };
        let Some(place) = &table.place else {
            return fault::internal(FOREIGN_KEY_FAILED);
        };
        let Ok(objects) = self.core.shared.permanent.objects(place.database) else {
            return fault::internal(FOREIGN_KEY_FAILED);
        };
        let shown = |id: i32| {
            objects.object(id).map_or_else(String::new, |object| {
                format!("{}.{}", objects.schema_name(object.schema), object.name)
            })
        };
        let own = place
            .object
            .table()
            .and_then(|table| table.foreign_keys.first());
        let others = objects
            .objects()
            .filter_map(|other| other.table().map(|table| (other, table)))
            .find_map(|(other, table)| {
                let mut keys = table.foreign_keys.iter();
                let key = keys.find(|key| key.table == place.object.id)?;
                Some((other, key))
            });
        match (verb, own, others) {
            ("INSERT", Some(key), _) | ("UPDATE", Some(key), None) => conflict(
                "FOREIGN KEY",
                &key.name,
                &shown(key.table),
                &place.database_name,
            ),
            (_, _, Some((other, key))) => conflict(
                "REFERENCE",
                &key.name,
                &shown(other.id),
                &place.database_name,
            ),
            (_, Some(key), None) => conflict(
                "FOREIGN KEY",
                &key.name,
                &shown(key.table),
                &place.database_name,
            ),
            (_, None, None) => fault::internal(FOREIGN_KEY_FAILED),
        }
    }
}

fn key_kind(primary: bool) -> &'static str {
    if primary { "PRIMARY KEY" } else { "UNIQUE KEY" }
}

/// Columns in SQLite's "UNIQUE constraint failed: t5.c0, t5.c1".
fn columns_of(message: &str) -> Vec<usize> {
    message
        .rsplit(": ")
        .next()
        .unwrap_or_default()
        .split(',')
        .filter_map(|part| part.trim().rsplit(".c").next()?.parse().ok())
        .collect()
}

/// The index behind SQLite's message, by its columns, or by its own name when it is over expressions.
fn index_of<'i>(indexes: &'i [IndexInfo], message: &str) -> Option<&'i IndexInfo> {
    if let Some((_, name)) = message.split_once("index '") {
        let storage = name.trim_start_matches('i').split(['n', '\'']).next()?;
        return indexes
            .iter()
            .find(|index| index.storage.to_string() == storage);
    }
    let columns = columns_of(message);
    indexes.iter().filter(|index| index.unique).find(|index| {
        index.columns.len() == columns.len()
            && index.columns.iter().all(|(at, _)| columns.contains(at))
    })
}

/// The error of a key of a temporary table or table variable.
fn own_key_violated(table: &OwnTable, message: &str) -> SqlError {
    let columns = columns_of(message);
    let key = table.keys.iter().find(|key| {
        key.columns.len() == columns.len() && key.columns.iter().all(|(at, _)| columns.contains(at))
    });
    let (kind, name) = key.map_or(("UNIQUE KEY", ""), |key| {
        (key_kind(key.primary), key.name.as_str())
    });
    messages::DUPLICATE_KEY.with(&[kind, name, &table.name, "…"])
}
