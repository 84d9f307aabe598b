//! A session: what one connection's statements share, and the way in for batches and remote calls.

pub(crate) mod computed;
pub(crate) mod environment;
pub(crate) mod names;
mod options;
pub(crate) mod permanent;
mod permission;
pub(crate) mod shared;
pub(crate) mod stored;
pub(crate) mod tables;

use crate::bulk::BulkRows;
use crate::cancel::CancelToken;
use crate::host::{Host, Impersonated, ResultSink};
use crate::interpret::bulk::BulkLoad;
use crate::interpret::cursor::Cursors;
use crate::interpret::wire_cursor::WireCursors;
use crate::interpret::{Context, Interpreter};
use crate::rpc::{BatchOutcome, RpcCall, RpcOutcome};
use crate::store::Store;
use permanent::InUse;
use shared::{Facts, Shared, option};
use std::collections::BTreeMap;
use std::sync::Arc;
use tsql::{SqlError, messages};

pub use options::{Limits, PREPARED_HANDLES_MAX, SessionOptions, SessionSettings, TEMP_BYTES_MAX};

/// A statement that sp_prepare keeps.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// Declarations of its parameters.
    pub(crate) params: String,
    /// Its text.
    pub(crate) text: String,
}

/// What a session is made of.
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    /// Opened by the first query that needs it.
    pub(crate) store: Option<Store>,
    pub(crate) options: SessionOptions,
    pub(crate) database: String,
    pub(crate) prepared: BTreeMap<i32, Prepared>,
    /// The last handle given to a prepared statement.
    pub(crate) last_handle: i32,
    pub(crate) cursors: Cursors,
    /// Cursors that a driver opened by remote calls.
    pub(crate) wire_cursors: WireCursors,
    /// Number of the latest transaction.
    pub(crate) transaction: u64,
    /// Name that the outermost BEGIN TRANSACTION gave; may be empty.
    pub(crate) transaction_name: String,
    pub(crate) savepoints: Vec<String>,
    /// The table that SET IDENTITY_INSERT names.
    pub(crate) identity_insert: Option<u32>,
    /// What INSERT BULK announced: the next request has to bring the rows.
    pub(crate) bulk: Option<BulkLoad>,
    /// Whether this runs a function's body, inside a statement of the session.
    pub(crate) nested: bool,
    /// Keeps the current database from being dropped.
    in_use: Option<InUse>,
    /// Tables whose identities the open transaction began anew: database and object.
    pub(crate) reseeded: Vec<(i32, i32)>,
    /// Indexes made so far, for their names.
    pub(crate) indexes: u64,
    /// Triggers that run, the innermost last: database and object.
    pub(crate) firing: Vec<(i32, i32)>,
    /// Identities that EXECUTE AS took on, the latest last.
    pub(crate) contexts: Vec<Context>,
}

impl Core {
    /// What runs a function's body inside a statement of the session that `shared` belongs to.
    pub(crate) fn nested(shared: Arc<Shared>) -> Result<Self, SqlError> {
        let database = shared.facts().database.clone();
        let store = Store::within(&shared)?;
        Ok(Self {
            store,
            options: SessionOptions {
                database: database.clone(),
                ..SessionOptions::default()
            },
            database,
            prepared: BTreeMap::new(),
            last_handle: 0,
            cursors: Cursors::default(),
            wire_cursors: WireCursors::default(),
            transaction: 0,
            transaction_name: String::new(),
            savepoints: Vec::new(),
            identity_insert: None,
            bulk: None,
            nested: true,
            in_use: None,
            reseeded: Vec::new(),
            indexes: 0,
            firing: Vec::new(),
            contexts: Vec::new(),
            shared,
        })
    }

    /// The current database is this from now on.
    pub(crate) fn enter_database(&mut self, name: &str) {
        name.clone_into(&mut self.database);
        name.clone_into(&mut self.shared.facts().database);
        self.shared.host().enter_database(name);
        self.shared.look_up_schema();
        self.in_use = self.shared.permanent.hold(name);
    }

    /// The session's database, opened at the first use.
    pub(crate) fn store(&mut self, cancel: &CancelToken) -> Result<&mut Store, SqlError> {
        if self.store.is_none() {
            let mut store = Store::open(Arc::clone(&self.shared), self.options.limits.temp_bytes)?;
            store.watch(cancel)?;
            self.store = Some(store);
        }
        self.store
            .as_mut()
            .ok_or_else(|| tsql::fault::internal("no database"))
    }

    /// Before a write: inside BEGIN TRANSACTION the session's database begins one too, with the savepoints there are.
    ///
    /// Until then each statement reads what others have committed.
    pub(crate) fn begin_writing(&mut self, cancel: &CancelToken) -> Result<(), SqlError> {
        if self.shared.facts().tran_count == 0 {
            return Ok(());
        }
        let savepoints = self.savepoints.len();
        let store = self.store(cancel)?;
        if !store.db.is_autocommit() {
            return Ok(());
        }
        let mut text = "BEGIN".to_owned();
        for at in 0..savepoints {
            text.push_str(&format!("; SAVEPOINT p{at}"));
        }
        store
            .db
            .execute_batch(&text)
            .map_err(|error| store.error(&error))
    }
}

/// One connection's state: variables live as long as a batch; temporary tables, prepared statements, SET options and
/// the transaction as long as the session.
pub struct Session {
    core: Core,
}

impl Session {
    /// A session of `host`'s principal in the database that `options` names.
    ///
    /// # Errors
    /// 911 when there is no such database, 916 when the principal may not enter it.
    pub fn new(mut host: Box<dyn Host>, options: SessionOptions) -> Result<Self, SqlError> {
        let database = host
            .database(&options.database)
            .ok_or_else(|| messages::UNKNOWN_DATABASE.with(&[&options.database]))?;
        if !host.may_enter(&database) {
            let login = host.identity().login;
            return Err(messages::NO_DATABASE_ACCESS.with(&[&login, &database]));
        }
        host.enter_database(&database);
        let seed = host.now().0.unsigned_abs() ^ u64::from(options.spid.unsigned_abs()) << 48;
        let mut options = options;
        options.database.clone_from(&database);
        let facts = Facts::new(&options, seed);
        let mut session = Self {
            core: Core {
                shared: Arc::new_cyclic(|this| Shared::new(host, facts, this.clone())),
                store: None,
                options,
                database,
                prepared: BTreeMap::new(),
                last_handle: 0,
                cursors: Cursors::default(),
                wire_cursors: WireCursors::default(),
                transaction: 0,
                transaction_name: String::new(),
                savepoints: Vec::new(),
                identity_insert: None,
                bulk: None,
                nested: false,
                in_use: None,
                reseeded: Vec::new(),
                indexes: 0,
                firing: Vec::new(),
                contexts: Vec::new(),
            },
        };
        session.core.in_use = session.core.shared.permanent.hold(&session.core.database);
        Ok(session)
    }

    /// The beginning of every request but a bulk load's rows.
    fn start(&mut self, cancel: &CancelToken) -> Result<(), SqlError> {
        if self.core.bulk.take().is_some() {
            return Err(messages::BULK_EXPECTED.with(&[]));
        }
        self.start_clock(cancel)
    }

    fn start_clock(&mut self, cancel: &CancelToken) -> Result<(), SqlError> {
        self.core.shared.take_pending();
        let limit = self.core.options.limits.request_time;
        self.core.shared.start_clock(limit);
        self.core.shared.set_cancel(cancel);
        self.core.shared.look_up_schema();
        match self.core.store.as_mut() {
            Some(store) => store.watch(cancel),
            None => Ok(()),
        }
    }

    /// Runs a batch. Every error is reported to `sink` before this returns.
    pub fn execute_batch(
        &mut self,
        text: &str,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> BatchOutcome {
        let started = self.start(cancel);
        let mut interpreter = Interpreter::new(&mut self.core, sink, cancel);
        match started {
            Ok(()) => interpreter.batch(text),
            Err(error) => {
                interpreter.report(error);
                interpreter.outcome.aborted = true;
            }
        }
        let outcome = std::mem::take(&mut interpreter.outcome);
        cancel.attach(None);
        // Between requests nothing of a value is kept.
        tsql::xml::forget();
        outcome
    }

    /// Runs a remote call. Every error is reported to `sink` before this returns.
    pub fn execute_rpc(
        &mut self,
        call: RpcCall,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> RpcOutcome {
        let started = self.start(cancel);
        let mut interpreter = Interpreter::new(&mut self.core, sink, cancel);
        let outcome = match started {
            Ok(()) => interpreter.remote(call),
            Err(error) => {
                interpreter.report(error);
                RpcOutcome {
                    batch: std::mem::take(&mut interpreter.outcome),
                    ..RpcOutcome::default()
                }
            }
        };
        cancel.attach(None);
        // Between requests nothing of a value is kept.
        tsql::xml::forget();
        outcome
    }

    /// Takes in the rows that an INSERT BULK announced, all of them or none; how many there were. Every error is
    /// reported to `sink` before this returns, and ends the load.
    pub fn bulk_load(
        &mut self,
        rows: &mut dyn BulkRows,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> (BatchOutcome, Option<u64>) {
        let started = self.start_clock(cancel);
        let mut interpreter = Interpreter::new(&mut self.core, sink, cancel);
        let loaded = match started {
            Ok(()) => interpreter.bulk_load(rows),
            Err(error) => {
                interpreter.report(error);
                interpreter.outcome.aborted = true;
                None
            }
        };
        let outcome = std::mem::take(&mut interpreter.outcome);
        cancel.attach(None);
        (outcome, loaded)
    }

    /// A transaction manager's request to begin; the name may be empty.
    ///
    /// # Errors
    /// What the host raises.
    pub fn begin_transaction(
        &mut self,
        name: &str,
        sink: &mut dyn ResultSink,
    ) -> Result<(), SqlError> {
        let cancel = CancelToken::new();
        Interpreter::new(&mut self.core, sink, &cancel).begin(name)
    }

    /// A transaction manager's request to commit.
    ///
    /// # Errors
    /// 3902 without a transaction, or what the host raises.
    pub fn commit_transaction(&mut self, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        let cancel = CancelToken::new();
        Interpreter::new(&mut self.core, sink, &cancel).commit()
    }

    /// A transaction manager's request to roll back, to a savepoint when `name` is not empty.
    ///
    /// # Errors
    /// 3903 without a transaction, 6401 for an unknown savepoint, or what the host raises.
    pub fn rollback_transaction(
        &mut self,
        name: &str,
        sink: &mut dyn ResultSink,
    ) -> Result<(), SqlError> {
        let cancel = CancelToken::new();
        Interpreter::new(&mut self.core, sink, &cancel).rollback_named(name)
    }

    /// @@TRANCOUNT.
    #[must_use]
    pub fn transaction_count(&self) -> u32 {
        self.core.shared.facts().tran_count
    }

    /// Number of the open transaction; 0 without one.
    #[must_use]
    pub fn transaction_descriptor(&self) -> u64 {
        if self.transaction_count() == 0 {
            0
        } else {
            self.core.transaction
        }
    }

    /// Current database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.core.database
    }

    /// SET options and their kin as they are now.
    #[must_use]
    pub fn settings(&self) -> SessionSettings {
        SessionSettings::of(&self.core.shared.facts())
    }

    /// Whether SET NOCOUNT is ON.
    #[must_use]
    pub fn nocount(&self) -> bool {
        self.core.shared.facts().has(option::NOCOUNT)
    }

    /// Acts as a user of the current database from now on, for good.
    ///
    /// # Errors
    /// 15517 for a user that there is not, or that the session's principal may not act as.
    pub fn act_as_user(&mut self, user: &str) -> Result<(), SqlError> {
        let database = self.core.database.clone();
        let host = self.core.shared.host();
        let identity = host.impersonate(&database, Impersonated::User(user))?;
        let before = host.identity();
        drop(host);
        self.core
            .contexts
            .push(Context::for_good(before, &database));
        self.core.shared.assume(identity);
        Ok(())
    }

    /// Whether the connection may be reset: not while somebody else's identity is kept by a cookie or for good.
    ///
    /// # Errors
    /// 18059, which ends the connection.
    pub fn may_reset(&self) -> Result<(), SqlError> {
        if self.core.contexts.iter().any(Context::stays) {
            return Err(messages::CONTEXT_AT_RESET.with(&[]));
        }
        Ok(())
    }

    /// As new but for the transaction (RESETCONNECTIONSKIPTRAN): drops temporary tables and handles, resets the
    /// options. Without a transaction, the same as [`Session::reset`].
    pub fn reset_keeping_transaction(&mut self) {
        if self.transaction_count() == 0 {
            self.reset();
            return;
        }
        let cancel = CancelToken::new();
        Interpreter::new(&mut self.core, &mut Nowhere, &cancel).drop_temps(0);
        let before = self.core.shared.facts().clone();
        self.forget_settings();
        let mut facts = self.core.shared.facts();
        facts.tran_count = before.tran_count;
        facts.doomed = before.doomed;
        facts.isolation = before.isolation;
    }

    /// As new (sp_reset_connection): rolls back, drops temporary tables and handles, resets the options.
    ///
    /// A host that fails to roll back says so in the log; its session starts a new transaction all the same.
    pub fn reset(&mut self) {
        if self.transaction_count() > 0
            && let Err(error) = self.core.shared.host().rollback()
        {
            tracing::warn!(%error, "roll back at a reset of the connection");
        }
        self.core.shared.host().reset();
        self.core.store = None;
        self.core.shared.clear_objects();
        self.core.savepoints.clear();
        self.forget_settings();
    }

    /// What every reset undoes.
    fn forget_settings(&mut self) {
        self.core.prepared.clear();
        // One that stays, stays: whoever resets was told so by `may_reset`.
        if !self.core.contexts.iter().any(Context::stays) {
            Interpreter::new(&mut self.core, &mut Nowhere, &CancelToken::new()).leave_contexts(0);
        }
        self.core.cursors = Cursors::default();
        self.core.wire_cursors = WireCursors::default();
        self.core.identity_insert = None;
        self.core.bulk = None;
        let random = self.core.shared.facts().random;
        *self.core.shared.facts() = Facts::new(&self.core.options, random);
        let database = self.core.options.database.clone();
        self.core.enter_database(&database);
    }
}

/// Where messages of the session's own acts go.
struct Nowhere;

impl ResultSink for Nowhere {
    fn columns(&mut self, _: &[tsql::Column]) -> Result<(), SqlError> {
        Ok(())
    }

    fn row(&mut self, _: tsql::Row) -> Result<(), SqlError> {
        Ok(())
    }

    fn done(&mut self, _: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, _: SqlError) {}
}
