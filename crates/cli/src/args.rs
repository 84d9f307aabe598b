//! The command line, as DESIGN's contract has it.

use clap::{Args, Parser, Subcommand};
use server::options::{HistoryDays, LogFormat, ServeOptions, Settings, UnencryptedLogins};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Multiserver administration of SQL Server Agent, anywhere.
#[derive(Debug, Parser)]
#[command(name = "muster", version, about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an instance: master, target or stand-alone agent
    Serve(ServeArgs),
    /// Run a master and targets as real processes and send a job through them
    Demo(DemoArgs),
    /// Run T-SQL, with sqlcmd's switches
    Sql(crate::sql::SqlArgs),
    /// One-time tokens that enlist targets
    #[command(subcommand)]
    Token(TokenCommand),
    /// Enlist this instance in a master
    Enlist(EnlistArgs),
    /// Leave the master
    Defect(DefectArgs),
    /// The instance's certificate authority
    #[command(subcommand)]
    Ca(CaCommand),
    /// Target servers of a master
    Targets(TableArgs),
    /// Jobs and their last outcomes
    Jobs(TableArgs),
    /// Runs and their steps, newest first
    History(TableArgs),
    /// Download instructions of targets
    Downloads(TableArgs),
    /// The instance in a few lines
    Status(TableArgs),
    /// Definitions as T-SQL, as SSMS scripts them
    Script(crate::as_code::ScriptArgs),
    /// Show what scripts would change, and apply them
    Apply(crate::as_code::ApplyArgs),
    /// Starts and stops job steps for an instance; not for people
    #[command(hide = true)]
    Launcher {
        /// The instance's launcher directory
        #[arg(long)]
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Data directory; made on the first start
    #[arg(long, env = "MUSTER_DATA", value_name = "DIR")]
    data: PathBuf,
    /// Server name, also HOST\INSTANCE [default: this host's name]
    #[arg(long, env = "MUSTER_NAME")]
    name: Option<String>,
    /// Address to listen on, several times if need be; port 0 picks one [default: 0.0.0.0:1433]
    #[arg(
        long,
        env = "MUSTER_LISTEN",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    listen: Vec<SocketAddr>,
    /// A further address for the console alone
    #[arg(long, env = "MUSTER_CONSOLE_LISTEN", value_name = "ADDR")]
    console_listen: Option<SocketAddr>,
    /// Address under which others reach this instance: for certificates and tokens
    #[arg(long, env = "MUSTER_ADVERTISE", value_name = "HOST[,PORT]")]
    advertise: Option<String>,
    /// The organisation's certificate chain for this server, PEM
    #[arg(
        long,
        env = "MUSTER_TLS_CERT",
        value_name = "FILE",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(
        long,
        env = "MUSTER_TLS_KEY",
        value_name = "FILE",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// Authorities that this target trusts for its master, PEM
    #[arg(long, env = "MUSTER_MASTER_CA", value_name = "FILE")]
    master_ca: Option<PathBuf>,
    /// Catalog on PostgreSQL; not available in this version
    #[arg(long, env = "MUSTER_DATABASE", value_name = "URL")]
    database: Option<String>,
    /// Time zone of schedules and local times [default: this host's]
    #[arg(long, env = "MUSTER_TIME_ZONE", value_name = "IANA")]
    time_zone: Option<String>,
    /// File with sa's password for the first start [default: MUSTER_SA_PASSWORD, else one is made and shown]
    #[arg(long, value_name = "FILE")]
    sa_password_file: Option<PathBuf>,
    /// TDS clients without encryption: never, loopback or always [default: loopback]
    #[arg(long, env = "MUSTER_UNENCRYPTED_LOGINS", value_name = "WHICH", value_parser = unencrypted_logins)]
    unencrypted_logins: Option<UnencryptedLogins>,
    /// Form of log lines on standard error: text or json [default: text]
    #[arg(long, env = "MUSTER_LOG_FORMAT", value_name = "FORM", value_parser = log_format)]
    log_format: Option<LogFormat>,
    /// Days that job history is kept, beside its limits in rows [default: no limit]
    #[arg(long, env = "MUSTER_JOB_HISTORY_MAX_DAYS", value_name = "DAYS")]
    job_history_max_days: Option<HistoryDays>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// How many targets
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub(crate) targets: u16,
    /// End when all outcomes are there, instead of staying up to look around
    #[arg(long)]
    pub(crate) once: bool,
    /// Address of the master; port 0 picks one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it
    Create {
        /// Data directory of the master
        #[arg(long, env = "MUSTER_DATA", value_name = "DIR")]
        data: PathBuf,
        /// How long it is good: 30s, 10m, 2h, 1d
        #[arg(long, default_value = "10m", value_parser = duration_secs)]
        ttl: u64,
        /// How many targets may use it
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        uses: u32,
        /// Location of the targets that name none
        #[arg(long)]
        location: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// Print the authority's certificate, PEM
    Export {
        /// Data directory
        #[arg(long, env = "MUSTER_DATA", value_name = "DIR")]
        data: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct EnlistArgs {
    /// Data directory of this instance
    #[arg(long, env = "MUSTER_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The master
    #[arg(long, value_name = "HOST[,PORT]")]
    pub(crate) master: String,
    /// One-time token of the master
    #[arg(long, conflicts_with = "login", required_unless_present = "login")]
    pub(crate) token: Option<String>,
    /// Login on the master, member of TargetServersRole or sysadmin
    #[arg(long)]
    pub(crate) login: Option<String>,
    /// File with its password [default: MUSTER_MASTER_PASSWORD]
    #[arg(long, value_name = "FILE", requires = "login")]
    pub(crate) password_file: Option<PathBuf>,
    /// Free text stored at the master
    #[arg(long)]
    pub(crate) location: Option<String>,
    /// 0 none, 1 encrypt, 2 encrypt and validate
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub(crate) encryption: Option<u8>,
}

#[derive(Debug, Args)]
pub(crate) struct DefectArgs {
    /// Data directory of this instance
    #[arg(long, env = "MUSTER_DATA", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Without contacting the master
    #[arg(long)]
    pub(crate) force: bool,
}

/// Where a table comes from, and in which form.
#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    #[command(flatten)]
    pub(crate) at: crate::at::InstanceArgs,
    /// JSON, one object a row
    #[arg(long)]
    pub(crate) json: bool,
    /// Rows at the most
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: u32,
}

impl ServeArgs {
    /// The options with `muster.toml` beneath flags and variables.
    pub(crate) fn into_options(self) -> Result<ServeOptions, Box<dyn std::error::Error>> {
        let flags = Settings {
            name: self.name,
            listen: self.listen,
            console_listen: self.console_listen,
            advertise: self.advertise,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            master_ca: self.master_ca,
            database: self.database,
            time_zone: self.time_zone,
            unencrypted_logins: self.unencrypted_logins,
            log_format: self.log_format,
            job_history_max_days: self.job_history_max_days,
        };
        let settings = flags.over(Settings::read(&self.data)?);
        let sa_password = match self.sa_password_file {
            Some(path) => Some(read_secret(&path)?),
            None => std::env::var("MUSTER_SA_PASSWORD").ok().map(Into::into),
        };
        Ok(ServeOptions {
            data: self.data,
            settings,
            sa_password,
            crash_point: std::env::var("MUSTER_CRASH_POINT").ok(),
            error_logs: None,
        })
    }
}

/// The first line of a file that holds a secret.
pub(crate) fn read_secret(path: &std::path::Path) -> std::io::Result<zeroize::Zeroizing<String>> {
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(path)?);
    Ok(text.lines().next().unwrap_or_default().to_owned().into())
}

/// `MUSTER_*` variables that mean something; any other is an error, so that a slip is not ignored.
const VARIABLES: [&str; 15] = [
    "MUSTER_DATA",
    "MUSTER_NAME",
    "MUSTER_LISTEN",
    "MUSTER_CONSOLE_LISTEN",
    "MUSTER_ADVERTISE",
    "MUSTER_TLS_CERT",
    "MUSTER_TLS_KEY",
    "MUSTER_MASTER_CA",
    "MUSTER_DATABASE",
    "MUSTER_TIME_ZONE",
    "MUSTER_UNENCRYPTED_LOGINS",
    "MUSTER_LOG_FORMAT",
    "MUSTER_JOB_HISTORY_MAX_DAYS",
    "MUSTER_SA_PASSWORD",
    "MUSTER_MASTER_PASSWORD",
];
/// Variables of tests and of job steps, which a program started by a step inherits.
const FOREIGN_VARIABLE_PREFIXES: [&str; 5] = [
    "MUSTER_CRASH_POINT",
    "MUSTER_JOB_",
    "MUSTER_STEP_",
    "MUSTER_SIM_",
    "MUSTER_TEST_",
];

/// The first `MUSTER_*` variable that means nothing.
pub(crate) fn unknown_variable(names: impl Iterator<Item = String>) -> Option<String> {
    names
        .filter(|name| name.starts_with("MUSTER_"))
        .filter(|name| {
            !FOREIGN_VARIABLE_PREFIXES
                .iter()
                .any(|p| name.starts_with(p))
        })
        .find(|name| !VARIABLES.contains(&name.as_str()))
}

fn unencrypted_logins(text: &str) -> Result<UnencryptedLogins, String> {
    match text {
        "never" => Ok(UnencryptedLogins::Never),
        "loopback" => Ok(UnencryptedLogins::Loopback),
        "always" => Ok(UnencryptedLogins::Always),
        _ => Err("one of never, loopback, always".to_owned()),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("one of text, json".to_owned()),
    }
}

/// Longest life of a token: a week.
const TOKEN_TTL_SECS_MAX: u64 = 7 * 24 * 3_600;

fn duration_secs(text: &str) -> Result<u64, String> {
    let (digits, unit) = text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("a number with s, m, h or d".to_owned()),
    };
    let secs = digits
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(factor))
        .ok_or("a number with s, m, h or d")?;
    if (1..=TOKEN_TTL_SECS_MAX).contains(&secs) {
        Ok(secs)
    } else {
        Err("from 1s to 7d".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations() {
        for (text, secs) in [
            ("30s", Some(30)),
            ("10m", Some(600)),
            ("7d", Some(604_800)),
            ("5", Some(5)),
            ("0", None),
            ("8d", None),
            ("m", None),
            ("1w", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(duration_secs(text).ok(), secs, "{text}");
        }
    }

    #[test]
    fn a_slip_in_a_variable_is_found() {
        let names = |list: &[&str]| {
            list.iter()
                .map(|&n| n.to_owned())
                .collect::<Vec<_>>()
                .into_iter()
        };
        assert_eq!(
            unknown_variable(names(&["PATH", "MUSTER_NAME", "MUSTER_JOB_NAME"])),
            None
        );
        assert_eq!(
            unknown_variable(names(&["MUSTER_NAM"])).as_deref(),
            Some("MUSTER_NAM")
        );
    }
}
