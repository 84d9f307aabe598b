//! Why a connection ended.

use std::io;
use tds::TdsError;

/// Why a connection ended other than by the client's wish.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrontError {
    /// The stream failed, or ended inside a message.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// The client broke the protocol.
    #[error("the client does not keep to TDS")]
    Protocol(#[from] TdsError),
    /// TLS inside PRELOGIN packets failed.
    #[error("the TLS handshake failed")]
    Tls(#[source] io::Error),
    /// The login did not end in time.
    #[error("no login in time")]
    LoginTimeout,
    /// A request began and did not go on.
    #[error("a request stopped arriving")]
    RequestTimeout,
    /// The client can't encrypt and may not log in without.
    #[error("a login without encryption is not allowed from this address")]
    EncryptionRequired,
    /// The login was refused; the client was told.
    #[error("login refused with {number}")]
    LoginRefused {
        /// Number of the error.
        number: i32,
    },
    /// The session ended the connection with an error of severity 20 or above.
    #[error("the session ended the connection")]
    SessionEnded,
    /// The session's thread could not be started, or ended by itself.
    #[error("the session's thread is gone")]
    SessionLost,
}
