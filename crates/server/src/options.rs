//! What `muster serve` is started with: flags, `MUSTER_*` variables, `muster.toml`, in this order of weight.

use crate::error_log::ErrorLogs;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};
use zeroize::Zeroizing;

/// Name of the settings file in the data directory.
pub const SETTINGS_FILE: &str = "muster.toml";
/// Largest settings file read, in bytes.
const SETTINGS_BYTES_MAX: u64 = 256 * 1024;
/// Where an instance listens unless told otherwise: TDS's own port, on every address.
pub const LISTEN_DEFAULT: &str = "0.0.0.0:1433";

/// How an instance is started; everything but the data directory may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Server name, also `HOST\INSTANCE`; the host's name when not given. Kept once the instance exists.
    pub name: Option<String>,
    /// Addresses to listen on; port 0 picks a free one.
    pub listen: Vec<SocketAddr>,
    /// A further address for the console alone.
    pub console_listen: Option<SocketAddr>,
    /// `HOST[,PORT]` under which others reach the instance: stands in certificates and tokens.
    pub advertise: Option<String>,
    /// The organisation's certificate chain for this server, PEM.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// Authorities (PEM) that this target trusts for its master.
    pub master_ca: Option<PathBuf>,
    /// `postgres://…`: not available in this version, refused by name.
    pub database: Option<String>,
    /// IANA time zone that schedules and local times follow; the host's when not given.
    pub time_zone: Option<String>,
    /// Whether TDS clients that refuse encryption may log in: `never`, `loopback` (default), `always`.
    pub unencrypted_logins: Option<UnencryptedLogins>,
    /// `text` (default) or `json`, on standard error.
    pub log_format: Option<LogFormat>,
    /// Days after which job history goes, but for the newest outcome of a job on a server; kept by number alone
    /// (`sp_set_sqlagent_properties`) when not given.
    pub job_history_max_days: Option<HistoryDays>,
}

/// Which TDS clients may log in without any encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnencryptedLogins {
    /// None.
    Never,
    /// Those on this machine.
    #[default]
    Loopback,
    /// All. The password then crosses the network in the clear.
    Always,
}

/// Days that job history is kept: 1 to [`HistoryDays::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u16")]
pub struct HistoryDays(u16);

impl HistoryDays {
    /// A hundred years.
    pub const MAX: u16 = 36_525;
    const HOURS_PER_DAY: u64 = 24;

    /// As a span of time.
    #[must_use]
    pub const fn age(self) -> Duration {
        Duration::from_hours(self.0 as u64 * Self::HOURS_PER_DAY)
    }
}

impl TryFrom<u16> for HistoryDays {
    type Error = String;

    fn try_from(days: u16) -> Result<Self, String> {
        if (1..=Self::MAX).contains(&days) {
            Ok(Self(days))
        } else {
            Err(format!("from 1 to {} days", Self::MAX))
        }
    }
}

impl FromStr for HistoryDays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<u16>()
            .map_err(|_| format!("from 1 to {} days", Self::MAX))?
            .try_into()
    }
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// Settings with their data directory and the secret that must not be in a settings file.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where the instance lives.
    pub data: PathBuf,
    /// The rest.
    pub settings: Settings,
    /// `sa`'s password for the first start; one is made and shown when not given.
    pub sa_password: Option<Zeroizing<String>>,
    /// `MUSTER_CRASH_POINT`, for tests: where the process ends itself.
    pub crash_point: Option<String>,
    /// Where the program's own messages are kept beside standard error; the instance makes its own if `None`.
    pub error_logs: Option<Arc<ErrorLogs>>,
}

/// Why settings could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file could not be read.
    #[error("read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is larger than any sensible one.
    #[error("{path} is larger than {SETTINGS_BYTES_MAX} bytes")]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// Not TOML, or a key that there is none of.
    #[error("{path}: {message}")]
    Parse {
        /// Which.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
}

impl Settings {
    /// The settings file of a data directory; empty settings when there is none.
    ///
    /// # Errors
    /// [`SettingsError`], also for unknown keys.
    pub fn read(data: &Path) -> Result<Self, SettingsError> {
        let path = data.join(SETTINGS_FILE);
        let size = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(SettingsError::Read { path, source }),
        };
        if size > SETTINGS_BYTES_MAX {
            return Err(SettingsError::TooLarge { path });
        }
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(SettingsError::Read { path, source }),
        };
        toml::from_str(&text).map_err(|error| SettingsError::Parse {
            path,
            message: error.to_string(),
        })
    }

    /// These settings, with what they leave out taken from `lesser`.
    #[must_use]
    pub fn over(self, lesser: Self) -> Self {
        Self {
            name: self.name.or(lesser.name),
            listen: if self.listen.is_empty() {
                lesser.listen
            } else {
                self.listen
            },
            console_listen: self.console_listen.or(lesser.console_listen),
            advertise: self.advertise.or(lesser.advertise),
            tls_cert: self.tls_cert.or(lesser.tls_cert),
            tls_key: self.tls_key.or(lesser.tls_key),
            master_ca: self.master_ca.or(lesser.master_ca),
            database: self.database.or(lesser.database),
            time_zone: self.time_zone.or(lesser.time_zone),
            unencrypted_logins: self.unencrypted_logins.or(lesser.unencrypted_logins),
            log_format: self.log_format.or(lesser.log_format),
            job_history_max_days: self.job_history_max_days.or(lesser.job_history_max_days),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, SettingsError> {
        let directory =
            std::env::temp_dir().join(format!("muster-settings-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(SETTINGS_FILE), text).unwrap();
        let settings = Settings::read(&directory);
        fs::remove_dir_all(directory).unwrap();
        settings
    }

    #[test]
    fn unknown_keys_and_bad_values_are_errors() {
        for bad in [
            "nam = 'A'",
            "listen = ['nowhere']",
            "unencrypted_logins = 'maybe'",
            "job_history_max_days = 0",
            "job_history_max_days = 36526",
            "job_history_max_days = '30'",
            "name = ",
        ] {
            assert!(
                matches!(parse(bad), Err(SettingsError::Parse { .. })),
                "{bad}"
            );
        }
        assert_eq!(
            Settings::read(Path::new("/nonexistent")).unwrap(),
            Settings::default()
        );
    }

    #[test]
    fn what_weighs_more_wins_key_by_key() {
        let file =
            parse("name = 'FILE'\ntime_zone = 'Europe/Paris'\nlisten = ['127.0.0.1:0']\njob_history_max_days = 30").unwrap();
        let flags = Settings {
            name: Some("FLAG".to_owned()),
            ..Settings::default()
        };
        let settings = flags.over(file);
        assert_eq!(settings.name.as_deref(), Some("FLAG"));
        assert_eq!(settings.time_zone.as_deref(), Some("Europe/Paris"));
        assert_eq!(settings.listen.len(), 1);
        let age = settings.job_history_max_days.map(HistoryDays::age);
        assert_eq!(age, Some(Duration::from_secs(30 * 86_400)));
    }
}
