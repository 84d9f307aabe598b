//! What a session is told at its start.

use super::shared::Facts;
use std::time::Duration;

/// Facts of the login, and the session's bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOptions {
    /// Database to start in.
    pub database: String,
    /// APP_NAME()
    pub application: String,
    /// HOST_NAME()
    pub host_name: String,
    /// @@SPID
    pub spid: i16,
    /// @@LANGUAGE
    pub language: String,
    /// Bounds.
    pub limits: Limits,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            database: "master".to_owned(),
            application: String::new(),
            host_name: String::new(),
            spid: 51,
            language: "us_english".to_owned(),
            limits: Limits::default(),
        }
    }
}

/// Bounds of what one session may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest time a single request may run, WAITFOR aside; `None` for no bound.
    pub request_time: Option<Duration>,
    /// Most bytes that temp tables and intermediate results of the session may take.
    pub temp_bytes: u64,
    /// Most prepared handles at once (sp_prepare).
    pub prepared_handles: usize,
}

/// Default of [`Limits::temp_bytes`].
pub const TEMP_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Default of [`Limits::prepared_handles`].
pub const PREPARED_HANDLES_MAX: usize = 4096;

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_time: None,
            temp_bytes: TEMP_BYTES_MAX,
            prepared_handles: PREPARED_HANDLES_MAX,
        }
    }
}

/// SET options and their kin, for those who look at a session from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// Bits as @@OPTIONS shows them.
    pub options: i32,
    /// @@LANGUAGE
    pub language: String,
    /// `mdy`, `dmy`, …
    pub date_format: &'static str,
    /// @@DATEFIRST
    pub date_first: u8,
    /// @@TEXTSIZE
    pub text_size: i32,
    /// @@LOCK_TIMEOUT in milliseconds; -1 waits for ever.
    pub lock_timeout: i32,
    /// READ UNCOMMITTED 1, READ COMMITTED 2, REPEATABLE READ 3, SERIALIZABLE 4, SNAPSHOT 5.
    pub isolation: i16,
    /// Rows of the last statement.
    pub row_count: u64,
    /// Number of the last statement's error, or 0.
    pub last_error: i32,
    /// CONTEXT_INFO()
    pub context_info: Option<Vec<u8>>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self::of(&Facts::new(&SessionOptions::default(), 0))
    }
}

impl SessionSettings {
    /// What a session's facts say.
    pub(crate) fn of(facts: &Facts) -> Self {
        Self {
            options: facts.options,
            language: facts.language.clone(),
            date_format: facts.date_order.name(),
            date_first: facts.date_first,
            text_size: facts.text_size,
            lock_timeout: facts.lock_timeout,
            isolation: facts.isolation,
            row_count: facts.row_count,
            last_error: facts.last_error,
            context_info: facts.context_info.clone(),
        }
    }

    /// Whether an option is ON, by its bit in @@OPTIONS: ANSI_WARNINGS 8, ANSI_PADDING 16, ANSI_NULLS 32,
    /// ARITHABORT 64, QUOTED_IDENTIFIER 256, ANSI_NULL_DFLT_ON 1024, CONCAT_NULL_YIELDS_NULL 4096.
    #[must_use]
    pub const fn is_on(&self, bit: i32) -> bool {
        self.options & bit != 0
    }
}
