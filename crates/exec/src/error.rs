//! What can go wrong between the agent and its launcher.

use std::io;
use std::path::PathBuf;

/// A failure of the launcher or of the way to it. A step that fails is no error of this kind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecError {
    /// The launcher's directory could not be made or used.
    #[error("prepare the launcher's directory {path}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program that should run as launcher could not be started.
    #[error("start the launcher {program}")]
    Spawn {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The launcher started and gave up; its own words.
    #[error("the launcher did not start: {reason}")]
    LauncherFailed {
        /// What it said before it ended.
        reason: String,
    },
    /// The launcher did not answer within [`crate::client::CONNECT_TIMEOUT`].
    #[error("the launcher in {path} did not answer in time")]
    NoAnswer {
        /// Its directory.
        path: PathBuf,
    },
    /// The launcher, left by another version of the program, speaks another version of the protocol. It
    /// was asked to end once its steps have.
    #[error("the launcher speaks protocol {theirs}, this program speaks {ours}")]
    Protocol {
        /// The launcher's.
        theirs: u32,
        /// Ours.
        ours: u32,
    },
    /// The connection to the launcher broke or could not be made.
    #[error("connection to the launcher")]
    Connection {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A message was not understood, or longer than its bound.
    #[error("message {what}")]
    Message {
        /// Which rule it breaks.
        what: String,
    },
    /// The other end of the socket belongs to another user.
    #[error("the other end of the launcher's socket belongs to user {uid}")]
    Peer {
        /// That user's id.
        uid: u32,
    },
    /// Another launcher works in this directory.
    #[error("another launcher works in {path}")]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The journal could not be read or written.
    #[error("launcher journal {path}")]
    Journal {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A call of the operating system failed in the launcher itself.
    #[error("launcher: {what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl ExecError {
    /// Whether trying again later may help without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NoAnswer { .. }
            | Self::Connection { .. }
            | Self::Locked { .. }
            | Self::Spawn { .. }
            | Self::Protocol { .. }
            | Self::LauncherFailed { .. } => true,
            Self::Directory { .. }
            | Self::Message { .. }
            | Self::Peer { .. }
            | Self::Journal { .. }
            | Self::System { .. } => false,
        }
    }
}
