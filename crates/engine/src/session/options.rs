//! What a session is told at its start.

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
