//! A session: what one connection's statements share, and the way in for batches and remote calls.
//!
//! What the entry points do is in `interpreter/`: control flow, EXEC, transactions, TRY/CATCH. Queries are run
//! through the trait in `interpreter/queries.rs`, which the query executor implements.

mod options;

use crate::cancel::CancelToken;
use crate::host::{Host, ResultSink};
use crate::rpc::{BatchOutcome, RpcCall, RpcOutcome};
use std::sync::{Arc, Mutex};
use tsql::SqlError;

pub use options::{Limits, PREPARED_HANDLES_MAX, SessionOptions, TEMP_BYTES_MAX};

/// One connection's state: variables live as long as a batch; temp tables, prepared statements, SET options
/// and the transaction as long as the session.
pub struct Session {
    host: Arc<Mutex<Box<dyn Host>>>,
    options: SessionOptions,
}

impl Session {
    /// A session of `host`'s principal in the database that `options` names.
    ///
    /// # Errors
    /// 911 when there is no such database.
    pub fn new(host: Box<dyn Host>, options: SessionOptions) -> Result<Self, SqlError> {
        Ok(Self {
            host: Arc::new(Mutex::new(host)),
            options,
        })
    }

    /// Runs a batch. Every error is reported to `sink` before this returns.
    pub fn execute_batch(
        &mut self,
        _text: &str,
        _sink: &mut dyn ResultSink,
        _cancel: &CancelToken,
    ) -> BatchOutcome {
        let _ = &self.host;
        BatchOutcome::default()
    }

    /// Runs a remote call. Every error is reported to `sink` before this returns.
    pub fn execute_rpc(
        &mut self,
        _call: RpcCall,
        _sink: &mut dyn ResultSink,
        _cancel: &CancelToken,
    ) -> RpcOutcome {
        RpcOutcome::default()
    }

    /// A transaction manager's request to begin; the name may be empty.
    ///
    /// # Errors
    /// What the host raises.
    pub fn begin_transaction(
        &mut self,
        _name: &str,
        _sink: &mut dyn ResultSink,
    ) -> Result<(), SqlError> {
        Ok(())
    }

    /// A transaction manager's request to commit.
    ///
    /// # Errors
    /// 3902 without a transaction, or what the host raises.
    pub fn commit_transaction(&mut self, _sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        Ok(())
    }

    /// A transaction manager's request to roll back, to a savepoint when `name` is not empty.
    ///
    /// # Errors
    /// 3903 without a transaction, 6401 for an unknown savepoint, or what the host raises.
    pub fn rollback_transaction(
        &mut self,
        _name: &str,
        _sink: &mut dyn ResultSink,
    ) -> Result<(), SqlError> {
        Ok(())
    }

    /// @@TRANCOUNT.
    #[must_use]
    pub fn transaction_count(&self) -> u32 {
        0
    }

    /// Number of the open transaction; 0 without one.
    #[must_use]
    pub fn transaction_descriptor(&self) -> u64 {
        0
    }

    /// Current database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.options.database
    }

    /// Whether SET NOCOUNT is ON.
    #[must_use]
    pub fn nocount(&self) -> bool {
        false
    }

    /// As new (sp_reset_connection): rolls back, drops temp tables and handles, resets the options.
    pub fn reset(&mut self) {}
}
