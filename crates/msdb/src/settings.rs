//! Keys under which the Agent's settings lie in the catalog.
//!
//! Registry values of the Agent's key and the properties of sp_set_sqlagent_properties share them: the key is
//! [`AGENT_PREFIX`] and the registry value's name.

/// Before every setting of the Agent.
pub const AGENT_PREFIX: &str = "SQLServerAgent\\";

/// Name of the credential that logs in at the master; text. Set by sp_msx_set_account.
pub const MSX_CREDENTIAL: &str = "SQLServerAgent\\MSXCredential";
/// How a target checks its master: 0, 1 or 2; 2 when unset.
pub const MSX_ENCRYPT_CHANNEL_OPTIONS: &str = "SQLServerAgent\\MsxEncryptChannelOptions";
/// Whether downloaded steps may use a proxy of the same name: 0 or 1; 0 when unset.
pub const ALLOW_DOWNLOADED_JOBS_TO_MATCH_PROXY_NAME: &str =
    "SQLServerAgent\\AllowDownloadedJobsToMatchProxyName";
/// History rows kept in all; -1 is no limit. The catalog's default when unset.
pub const JOB_HISTORY_MAX_ROWS: &str = "SQLServerAgent\\JobHistoryMaxRows";
/// History rows kept of one job on one target. The catalog's default when unset.
pub const JOB_HISTORY_MAX_ROWS_PER_JOB: &str = "SQLServerAgent\\JobHistoryMaxRowsPerJob";

/// The key of a value of the Agent's registry key.
#[must_use]
pub fn agent_key(value_name: &str) -> String {
    format!("{AGENT_PREFIX}{value_name}")
}
