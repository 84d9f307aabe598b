//! SQLite as the executor: encodings, generated SQL, functions, collations, aggregates and virtual tables.
//!
//! Nothing that a user wrote becomes SQL text here: names are numbered, values are parameters.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "an encoding names the types and nodes it treats apart, and says what holds for the rest"
)]

mod aggregates;
pub(crate) mod attach;
pub(crate) mod encode;
pub(crate) mod functions;
pub(crate) mod generate;
pub(crate) mod series;
mod vtab;

use crate::cancel::CancelToken;
use crate::session::shared::{Object, Shared};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tsql::{SqlError, fault, messages};

/// Virtual-machine steps of SQLite between looks at the cancel flag: well under a millisecond.
const STEPS_BETWEEN_CHECKS: i32 = 4000;
/// Statements kept prepared for a session.
const PREPARED_STATEMENTS_MAX: usize = 32;
/// What SQLite says of a statement beyond one of its limits.
const BEYOND_LIMITS: [&str; 6] = [
    "too many",
    "too large",
    "too deep",
    "variable number must be",
    "tables in a join",
    "stack overflow",
];
/// Pages of the session's database are of this size.
const PAGE_BYTES: u64 = 4096;

/// A session's own in-memory database.
pub(crate) struct Store {
    /// The connection.
    pub(crate) db: Connection,
    shared: Arc<Shared>,
    /// Keys of the objects that have a virtual table here.
    attached: HashSet<u32>,
    /// Whether this is the session's own connection, which ends with it.
    own: bool,
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.own {
            self.shared
                .handle
                .store(std::ptr::null_mut(), Ordering::SeqCst);
            self.shared
                .files
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
    }
}

impl Store {
    /// Opens the database and teaches it T-SQL.
    pub(crate) fn open(shared: Arc<Shared>, temp_bytes: u64) -> Result<Self, SqlError> {
        let db = Connection::open_in_memory().map_err(|e| internal(&e))?;
        db.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS_MAX);
        // Plans do not depend on what is bound: else every statement with a LIMIT is compiled twice.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(|e| internal(&e))?;
        // Temporary tables stay in memory, under the bound on the number of pages. What sorts and intermediate results
        // need beyond a few megabytes goes to files that have no name, so that no query takes memory for all its rows.
        let pages = (temp_bytes / PAGE_BYTES).clamp(64, u64::from(u32::MAX));
        db.execute_batch(&format!(
            "PRAGMA page_size = {PAGE_BYTES}; PRAGMA temp_store = FILE; PRAGMA max_page_count = {pages}; \
             PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;"
        ))
        .map_err(|e| internal(&e))?;
        functions::register(&db, &shared).map_err(|e| internal(&e))?;
        vtab::register(&db, &shared).map_err(|e| internal(&e))?;
        shared.handle.store(vtab::handle(&db), Ordering::SeqCst);
        Ok(Self {
            db,
            shared,
            attached: HashSet::new(),
            own: true,
        })
    }

    /// The session's database for a statement inside one of its statements; none when it is not open yet.
    pub(crate) fn within(shared: &Arc<Shared>) -> Result<Option<Self>, SqlError> {
        let handle = shared.handle.load(Ordering::SeqCst);
        if handle.is_null() {
            return Ok(None);
        }
        let db = vtab::connection(handle).map_err(|error| internal(&error))?;
        Ok(Some(Self {
            db,
            shared: Arc::clone(shared),
            attached: HashSet::new(),
            own: false,
        }))
    }

    /// Makes sure that a table or function of the host, or a permanent table, can be named in SQL.
    pub(crate) fn attach(&mut self, key: u32) -> Result<(), SqlError> {
        let object = self.shared.object(key);
        if let Some(Object::Own(table)) = &object
            && let Some(place) = &table.place
        {
            let database = self
                .shared
                .permanent
                .databases()?
                .database(place.database)
                .ok_or_else(|| fault::invalid_object(&table.full_name()))?;
            return self.attach_database(&database);
        }
        let virtual_table = matches!(
            object,
            Some(
                Object::HostTable { .. }
                    | Object::HostFunction(_)
                    | Object::Rowset(_)
                    | Object::Routine(_)
            )
        );
        if virtual_table && self.attached.insert(key) {
            self.db
                .execute_batch(&format!(
                    "CREATE VIRTUAL TABLE IF NOT EXISTS temp.o{key} USING {}({key})",
                    vtab::MODULE
                ))
                .map_err(|e| self.error(&e))?;
        }
        Ok(())
    }

    /// Makes a statement's fragments nameable; [`Store::forget_fragments`] ends that.
    pub(crate) fn attach_fragments(&mut self, plan: &generate::Plan) -> Result<(), SqlError> {
        if plan.fragments.is_empty() {
            return Ok(());
        }
        self.shared
            .set_fragments(plan.fragments.clone(), plan.params.clone());
        for number in 0..plan.fragments.len() {
            // One may be left over from a statement that failed half-way.
            self.db
                .execute_batch(&format!(
                    "DROP TABLE IF EXISTS temp.f{number}; CREATE VIRTUAL TABLE temp.f{number} USING {}(f{number})",
                    vtab::MODULE
                ))
                .map_err(|e| self.error(&e))?;
        }
        Ok(())
    }

    /// The statement is over, and with it its fragments.
    pub(crate) fn forget_fragments(&mut self, count: usize) {
        for number in 0..count {
            let dropped = self
                .db
                .execute_batch(&format!("DROP TABLE IF EXISTS temp.f{number}"));
            if let Err(error) = dropped {
                tracing::warn!(%error, "drop a fragment");
            }
        }
        if count > 0 {
            self.shared.set_fragments(Vec::new(), Vec::new());
        }
    }

    /// A rollback may have taken virtual tables with it: each is made again when it is next named.
    pub(crate) fn rolled_back(&mut self) {
        self.attached.clear();
    }

    /// From now on the token stops queries, and so does the time limit.
    pub(crate) fn watch(&mut self, cancel: &CancelToken) -> Result<(), SqlError> {
        cancel.attach(Some(self.db.get_interrupt_handle()));
        let token = cancel.clone();
        let shared = Arc::clone(&self.shared);
        self.db
            .progress_handler(
                STEPS_BETWEEN_CHECKS,
                Some(move || token.is_cancelled() || shared.time_is_up()),
            )
            .map_err(|e| internal(&e))
    }

    /// The error behind SQLite's failure: what a function or scan raised, or a translation.
    pub(crate) fn error(&self, error: &rusqlite::Error) -> SqlError {
        if let Some(pending) = self.shared.take_pending() {
            return pending;
        }
        let code = error.sqlite_error_code();
        let text = error.to_string();
        match code {
            Some(rusqlite::ErrorCode::OperationInterrupted) => {
                if self.shared.time_is_up() {
                    self.shared.time_limit_error()
                } else {
                    messages::CANCELLED.with(&[])
                }
            }
            Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::OutOfMemory) => {
                messages::MEMORY_LIMIT.with(&["default"])
            }
            Some(rusqlite::ErrorCode::DatabaseBusy) => messages::LOCK_TIMEOUT.with(&[]),
            _ if text.contains("integer overflow") => {
                fault::overflow_converting("expression", tsql::SqlType::BigInt)
            }
            _ if BEYOND_LIMITS.iter().any(|part| text.contains(part)) => {
                messages::TOO_COMPLEX.with(&[])
            }
            _ => {
                eprintln!("DEBUG {text:.300}");
                internal(error)
            }
        }
    }
}

fn internal(error: &rusqlite::Error) -> SqlError {
    tracing::error!(%error, "query executor");
    fault::internal("the query executor failed")
}
