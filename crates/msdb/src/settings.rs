//! Keys under which the Agent's settings lie in the catalog.
//!
//! Registry values of the Agent's key and the properties of sp_set_sqlagent_properties share them: the key is
//! [`AGENT_PREFIX`] and the registry value's name.

use catalog::{Catalog, CatalogError, HistoryLimits};

/// Before every setting of the Agent.
pub const AGENT_PREFIX: &str = "SQLServerAgent\\";

/// Before every value of the database engine's registry keys that is kept.
pub const ENGINE_PREFIX: &str = "MSSQLServer\\";

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

/// What the Agent's log takes: a sum of 1 errors, 2 warnings, 4 information.
pub const ERROR_LOGGING_LEVEL: &str = "SQLServerAgent\\ErrorLoggingLevel";
/// Errors and warnings: the logging level when unset. Source: agent fact sheet, section 11.
pub const ERROR_LOGGING_LEVEL_DEFAULT: u8 = 3;
/// Before every option of sp_configure that has been set.
pub const CONFIGURATION_PREFIX: &str = "Configuration\\";

/// The key of a value of the Agent's registry key.
#[must_use]
pub fn agent_key(value_name: &str) -> String {
    format!("{AGENT_PREFIX}{value_name}")
}

/// The key of an option of sp_configure.
#[must_use]
pub fn configuration_key(option: &str) -> String {
    format!("{CONFIGURATION_PREFIX}{option}")
}

/// Whether a setting is one of those that [`apply_history_limits`] reads.
#[must_use]
pub fn limits_history(key: &str) -> bool {
    [JOB_HISTORY_MAX_ROWS, JOB_HISTORY_MAX_ROWS_PER_JOB]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(key))
}

/// Makes the catalog keep as much history as the settings say; what is unset keeps the catalog's default.
///
/// To be called when an instance starts, and when such a setting has changed. Procedures that change one outside
/// of a transaction call it themselves.
///
/// # Errors
/// What the catalog raises.
pub fn apply_history_limits(catalog: &Catalog) -> Result<(), CatalogError> {
    let (total, per_job) = catalog.definitions_read(|definitions| {
        let total = definitions.setting(JOB_HISTORY_MAX_ROWS)?;
        let per_job = definitions.setting(JOB_HISTORY_MAX_ROWS_PER_JOB)?;
        Ok::<_, CatalogError>((total, per_job))
    })?;
    let mut limits = HistoryLimits {
        // Not the Agent's: the instance is started with it.
        age_max: catalog.history_limits().age_max,
        ..HistoryLimits::default()
    };
    // -1 and 0 are no limit.
    let limit = |rows: i64| u64::try_from(rows).ok().filter(|rows| *rows > 0);
    if let Some(rows) = total.and_then(|value| value.as_number()) {
        limits.rows_max = limit(rows);
    }
    if let Some(rows) = per_job.and_then(|value| value.as_number()) {
        limits.rows_per_job_and_target = limit(rows);
    }
    catalog.set_history_limits(limits);
    Ok(())
}
