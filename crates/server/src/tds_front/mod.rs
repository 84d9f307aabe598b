//! TDS connections on the server's side: from the first byte to the end, over any stream.
//!
//! [`TdsFront`] holds what all connections share; [`serve_connection`] serves one. A connection is one
//! asynchronous task that owns the socket and one thread that owns the SQL session: requests go to the
//! thread, whole tokens come back through a channel of [`OUTPUT_CHUNKS_MAX`] chunks, so a client that reads
//! slowly holds back its own session and nothing else.
//!
//! - [`session`]: what the front asks of the instance: logins and sessions.
//! - `greeting`: PRELOGIN, TLS, LOGIN7.
//! - `conversation`: requests, answers, attention.
//! - `bulk`: rows of a bulk load on their way to the session's thread, a few packets at a time.
//! - `worker`, `sink`: the session's thread, and results as tokens.
//! - [`client`]: Muster as a client of a SQL Server or of another instance.
//!
//! Passwords without encryption: a client that can't encrypt (PRELOGIN "not supported", or no PRELOGIN at
//! all) is let in as [`UnencryptedLogins`] says, by default from this machine only.

mod bulk;
pub mod client;
mod conversation;
mod error;
mod greeting;
mod handshake;
pub mod session;
mod sink;
mod worker;

pub use error::FrontError;
pub use session::{AcceptedLogin, LoginRequest, SessionFactory, SqlSession};

use crate::options::UnencryptedLogins;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tds::ProductVersion;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

/// Time from the first byte to the end of the login.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest pause inside a request that has begun to arrive.
pub const REQUEST_PAUSE_MAX: Duration = Duration::from_secs(120);
/// Time that a cancelled statement has to stop before the attention is acknowledged without waiting for it.
pub const ATTENTION_GRACE: Duration = Duration::from_millis(60);
/// Time for the last bytes of a connection that ends.
pub const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);
/// Logins that are verified at once; others wait, within [`LOGIN_TIMEOUT`].
pub const LOGINS_AT_ONCE_MAX: usize = 8;
/// Chunks of an answer between the session's thread and the socket.
pub const OUTPUT_CHUNKS_MAX: usize = 4;
/// Bytes after which the session's thread hands a chunk over.
pub const OUTPUT_CHUNK_BYTES: usize = 32 * 1024;
/// Bytes read from the socket at once.
pub const READ_BYTES: usize = 8 * 1024;
/// Stack of a session's thread: statements nest.
pub const SESSION_STACK_BYTES: usize = 8 * 1024 * 1024;
/// Sessions open at once (17809 above).
pub const SESSIONS_MAX: usize = 4_096;
/// First session number given to clients; lower ones are the server's own.
pub const SPID_FIRST: u16 = 51;
/// Program name in LOGINACK; clients compare it.
pub const PROGRAM_NAME: &str = "Microsoft SQL Server";

/// What all connections share.
pub struct TdsFront {
    options: FrontOptions,
    logins: Arc<Semaphore>,
    spids: Arc<Spids>,
}

/// How a front is set up.
pub struct FrontOptions {
    /// Name of the instance, in errors and messages.
    pub server_name: String,
    /// Version told in PRELOGIN and LOGINACK.
    pub version: ProductVersion,
    /// TLS inside PRELOGIN packets: must offer TLS 1.2 alone, since clients break on 1.3 there. `None`: no TLS,
    /// so only clients that [`UnencryptedLogins`] lets in can log in.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Insist on encryption of whole connections; else of the login packet at least.
    pub require_encryption: bool,
    /// Who may log in without encryption.
    pub unencrypted_logins: UnencryptedLogins,
    /// Time from the first byte to the end of the login; [`LOGIN_TIMEOUT`].
    pub login_timeout: Duration,
    /// Logins and sessions.
    pub sessions: Arc<dyn SessionFactory>,
}

impl FrontOptions {
    /// The defaults around a name, a TLS configuration and the instance's sessions.
    #[must_use]
    pub fn new(
        server_name: impl Into<String>,
        tls: Option<Arc<rustls::ServerConfig>>,
        sessions: Arc<dyn SessionFactory>,
    ) -> Self {
        Self {
            server_name: server_name.into(),
            version: ProductVersion::SERVER,
            tls,
            require_encryption: false,
            unencrypted_logins: UnencryptedLogins::default(),
            login_timeout: LOGIN_TIMEOUT,
            sessions,
        }
    }
}

/// One connection's facts.
#[derive(Clone)]
pub struct ConnectionContext {
    /// What it shares with the others.
    pub front: Arc<TdsFront>,
    /// The client.
    pub peer: SocketAddr,
    /// Whether TLS is around the whole stream already (strict encryption, TDS 8.0).
    pub strict: bool,
}

impl TdsFront {
    /// A front without connections yet.
    #[must_use]
    pub fn new(options: FrontOptions) -> Self {
        Self {
            options,
            logins: Arc::new(Semaphore::new(LOGINS_AT_ONCE_MAX)),
            spids: Arc::default(),
        }
    }

    /// Sessions whose thread is there. It reaches 0 some time after the last connection has ended, when
    /// every session has rolled back what it had open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.spids.taken().len()
    }

    fn allows_unencrypted(&self, peer: SocketAddr) -> bool {
        match self.options.unencrypted_logins {
            UnencryptedLogins::Never => false,
            UnencryptedLogins::Loopback => peer.ip().to_canonical().is_loopback(),
            UnencryptedLogins::Always => true,
        }
    }
}

/// Serves one connection until it ends. `stream` yields the connection's bytes from the first on (inside
/// TLS for strict encryption). Dropping the future ends the connection and cancels what it runs.
///
/// # Errors
/// Why the connection ended other than by the client's closing it between requests: for one line in the log.
pub async fn serve_connection<S>(stream: S, context: ConnectionContext) -> Result<(), FrontError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let greeting = greeting::greet(stream, &context);
    let welcomed = tokio::time::timeout(context.front.options.login_timeout, Box::pin(greeting))
        .await
        .map_err(|_| FrontError::LoginTimeout)??;
    Box::pin(conversation::converse(welcomed, &context)).await
}

/// Session numbers in use.
#[derive(Default)]
struct Spids {
    taken: Mutex<BTreeSet<u16>>,
}

impl Spids {
    fn taken(&self) -> std::sync::MutexGuard<'_, BTreeSet<u16>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lowest free number; `None` when [`SESSIONS_MAX`] are taken.
    fn take(self: &Arc<Self>) -> Option<Spid> {
        let mut taken = self.taken();
        if taken.len() >= SESSIONS_MAX {
            return None;
        }
        let number = (SPID_FIRST..=u16::MAX).find(|number| !taken.contains(number))?;
        taken.insert(number);
        Some(Spid {
            number,
            spids: Arc::clone(self),
        })
    }
}

/// A session number, free again when dropped.
struct Spid {
    number: u16,
    spids: Arc<Spids>,
}

impl Drop for Spid {
    fn drop(&mut self) {
        self.spids.taken().remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
