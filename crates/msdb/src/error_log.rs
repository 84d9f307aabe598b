//! The instance's error logs as procedures read them: the server's and the Agent's.

use jiff::Timestamp;

/// One of the two logs. Archives are numbered: 0 is being written, 1 is the newest closed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorLog {
    /// The server's: what the instance says of itself. Type 1 of xp_readerrorlog.
    Server,
    /// The Agent's, as far as its logging level admits. Type 2 of xp_readerrorlog.
    Agent,
}

/// How grave an entry is. The number is `ErrorLevel` of xp_readerrorlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogSeverity {
    /// 1
    Error,
    /// 2
    Warning,
    /// 3
    Information,
}

impl LogSeverity {
    /// The number that xp_readerrorlog shows.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Error => 1,
            Self::Warning => 2,
            Self::Information => 3,
        }
    }

    /// Its bit in the Agent's logging level (`ErrorLoggingLevel`).
    #[must_use]
    pub const fn level_bit(self) -> u8 {
        match self {
            Self::Error => 1,
            Self::Warning => 2,
            Self::Information => 4,
        }
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// When it was written.
    pub at: Timestamp,
    /// How grave.
    pub severity: LogSeverity,
    /// The part of the program that wrote it.
    pub source: String,
    /// What it says, on one line.
    pub text: String,
}

/// A file of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogArchive {
    /// Its number.
    pub number: u32,
    /// When it was last written.
    pub modified: Timestamp,
    /// Its size.
    pub bytes: u64,
}

/// A log could not be read or closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct LogError {
    /// The cause, fit for clients.
    pub cause: String,
}
