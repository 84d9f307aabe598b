//! What the front asks of the instance: whether a login is good, and a session for it.

use engine::{BatchOutcome, BulkRows, CancelToken, ResultSink, RpcCall, RpcOutcome, Session};
use std::net::SocketAddr;
use tds::VersionNumber;
use tsql::SqlError;
use zeroize::Zeroizing;

/// Who asks to come in.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    /// Login name as typed.
    pub login: String,
    /// Clear password, wiped when dropped.
    pub password: Zeroizing<String>,
    /// Database asked for; empty for the login's default.
    pub database: String,
    /// Language asked for; empty for the default.
    pub language: String,
    /// Application name as the client says.
    pub application: String,
    /// Client host name as the client says.
    pub host_name: String,
    /// Client library as it says.
    pub library: String,
    /// Client process id as it says.
    pub client_pid: u32,
    /// The client's address, as seen.
    pub peer: SocketAddr,
    /// Whether the whole connection is encrypted, not its login alone.
    pub encrypted: bool,
    /// Number that the session will have (@@SPID).
    pub spid: u16,
    /// Protocol version asked for.
    pub version: VersionNumber,
}

/// Opens the session, on the thread where it will live.
pub type OpenSession = Box<dyn FnOnce() -> Result<Box<dyn SqlSession>, SqlError> + Send>;

/// A login that is good.
pub struct AcceptedLogin {
    /// Database that the session starts in, in its usual spelling.
    pub database: String,
    /// Language, `us_english`.
    pub language: String,
    /// Makes the session. May still fail, for example with 4060.
    pub open: OpenSession,
}

/// The instance, as far as logins go.
pub trait SessionFactory: Send + Sync + 'static {
    /// Verifies a login and writes it to the audit. Called on a thread that may block; at most
    /// [`LOGINS_AT_ONCE_MAX`](super::LOGINS_AT_ONCE_MAX) at once. It throttles by login and address itself.
    ///
    /// # Errors
    /// What the client is told: 18456 for a wrong name or password (without telling which), 4060 for a
    /// database that can't be opened.
    fn login(&self, request: LoginRequest) -> Result<AcceptedLogin, SqlError>;
}

/// A SQL session on its thread. Results, errors and changes of the environment go to the sink; they are
/// reported before a call returns.
pub trait SqlSession {
    /// Runs a batch.
    fn batch(
        &mut self,
        text: &str,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> BatchOutcome;

    /// Runs a remote procedure call, the sp_prepare family included.
    fn rpc(&mut self, call: RpcCall, sink: &mut dyn ResultSink, cancel: &CancelToken)
    -> RpcOutcome;

    /// Takes in the rows of a bulk load, which a batch has announced; how many there were.
    fn bulk_load(
        &mut self,
        rows: &mut dyn BulkRows,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> (BatchOutcome, Option<u64>);

    /// Begins a transaction.
    ///
    /// # Errors
    /// What refused it; not reported to the sink.
    fn begin(&mut self, name: &str, sink: &mut dyn ResultSink) -> Result<(), SqlError>;

    /// Commits the transaction.
    ///
    /// # Errors
    /// As [`SqlSession::begin`].
    fn commit(&mut self, sink: &mut dyn ResultSink) -> Result<(), SqlError>;

    /// Rolls back everything, or to a savepoint when `name` is not empty.
    ///
    /// # Errors
    /// As [`SqlSession::begin`].
    fn rollback(&mut self, name: &str, sink: &mut dyn ResultSink) -> Result<(), SqlError>;

    /// Number of the open transaction; 0 without one.
    fn transaction(&self) -> u64;

    /// Current database.
    fn database(&self) -> String;

    /// Whether the session can go back to the state after login.
    ///
    /// # Errors
    /// 18059 while it acts as somebody else for good; the connection then ends.
    fn may_reset(&self) -> Result<(), SqlError> {
        Ok(())
    }

    /// Back to the state after login; an open transaction is rolled back.
    fn reset(&mut self);

    /// Back to the state after login; an open transaction stays.
    fn reset_keeping_transaction(&mut self);
}

impl SqlSession for Session {
    fn batch(
        &mut self,
        text: &str,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> BatchOutcome {
        self.execute_batch(text, sink, cancel)
    }

    fn rpc(
        &mut self,
        call: RpcCall,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> RpcOutcome {
        self.execute_rpc(call, sink, cancel)
    }

    fn bulk_load(
        &mut self,
        rows: &mut dyn BulkRows,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> (BatchOutcome, Option<u64>) {
        Session::bulk_load(self, rows, sink, cancel)
    }

    fn begin(&mut self, name: &str, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        self.begin_transaction(name, sink)
    }

    fn commit(&mut self, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        self.commit_transaction(sink)
    }

    fn rollback(&mut self, name: &str, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        self.rollback_transaction(name, sink)
    }

    fn transaction(&self) -> u64 {
        self.transaction_descriptor()
    }

    fn database(&self) -> String {
        Session::database(self).to_owned()
    }

    fn may_reset(&self) -> Result<(), SqlError> {
        Session::may_reset(self)
    }

    fn reset(&mut self) {
        Session::reset(self);
    }

    fn reset_keeping_transaction(&mut self) {
        Session::reset_keeping_transaction(self);
    }
}
