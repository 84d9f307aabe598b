//! Switches of `muster sql`, and the login they make.

use clap::Args;
use server::identity::IdentityError;
use server::identity::authority::read_certificates;
use server::identity::tls::EncryptionOption;
use server::tds_front::client::{ClientEncryption, ClientOptions, PORT_DEFAULT};
use std::path::PathBuf;
use std::time::Duration;
use zeroize::Zeroizing;

/// Variable that holds the password when `-P` is not given, as sqlcmd has it.
const PASSWORD_VARIABLE: &str = "SQLCMDPASSWORD";

/// Application name that the server is told.
const APPLICATION: &str = "muster sql";

/// Longest value of a column shown, in characters, unless `-y` says otherwise.
pub(super) const COLUMN_CHARS_DEFAULT: usize = 256;

/// Run T-SQL, with sqlcmd's switches
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct SqlArgs {
    /// Instance to log in to
    #[arg(short = 'S', value_name = "HOST[,PORT]", default_value = "127.0.0.1")]
    pub(super) server: String,
    /// Login
    #[arg(short = 'U', value_name = "LOGIN")]
    pub(super) login: String,
    /// Password [default: SQLCMDPASSWORD]
    #[arg(short = 'P', value_name = "PASSWORD", allow_hyphen_values = true)]
    pub(super) password: Option<String>,
    /// Database to start in
    #[arg(short = 'd', value_name = "DB")]
    pub(super) database: Option<String>,
    /// Run this text and end
    #[arg(
        short = 'Q',
        value_name = "TEXT",
        conflicts_with = "input",
        allow_hyphen_values = true
    )]
    pub(super) query: Option<String>,
    /// Run these files and end
    #[arg(short = 'i', value_name = "FILE", num_args = 1.., value_delimiter = ',')]
    pub(super) input: Vec<PathBuf>,
    /// Write results to this file
    #[arg(short = 'o', value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Variables for $(NAME)
    #[arg(short = 'v', value_name = "NAME=VALUE", num_args = 1.., value_parser = variable)]
    pub(super) variables: Vec<(String, String)>,
    /// Leave $(NAME) as it is
    #[arg(short = 'x')]
    pub(super) no_substitution: bool,
    #[command(flatten)]
    pub(super) trust: TrustArgs,
    /// Encryption: strict, mandatory, optional or disable
    #[arg(
        short = 'N',
        value_name = "MODE",
        num_args = 0..=1,
        default_value = "mandatory",
        default_missing_value = "mandatory",
        value_parser = encryption
    )]
    pub(super) encryption: ClientEncryption,
    /// Stop at the first error, with exit status 1
    #[arg(short = 'b')]
    pub(super) stop_on_error: bool,
    /// Rows between headings; -1 for no headings, 0 for one
    #[arg(
        short = 'h',
        value_name = "ROWS",
        allow_negative_numbers = true,
        default_value_t = 0
    )]
    pub(super) headings: i32,
    /// What stands between columns
    #[arg(
        short = 's',
        value_name = "SEP",
        default_value = " ",
        allow_hyphen_values = true
    )]
    pub(super) separator: String,
    /// No blanks at the end of columns
    #[arg(short = 'W')]
    pub(super) trim: bool,
    /// Longest value shown, in characters; 0 for no limit
    #[arg(short = 'y', value_name = "WIDTH", default_value_t = COLUMN_CHARS_DEFAULT)]
    pub(super) width: usize,
    /// Seconds to connect and log in
    #[arg(short = 'l', value_name = "SECONDS", default_value_t = 8)]
    pub(super) login_timeout: u64,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// Whose certificate is good enough. Without either, the certificate must come from the system's authorities.
#[derive(Debug, Clone, Args)]
pub(crate) struct TrustArgs {
    /// Trust the server's certificate without a check
    #[arg(short = 'C')]
    pub(crate) trust_server_certificate: bool,
    /// Authorities to trust besides the system's, PEM ('muster ca export' writes one)
    #[arg(
        long = "ca",
        value_name = "FILE",
        conflicts_with = "trust_server_certificate"
    )]
    pub(crate) ca: Option<PathBuf>,
}

/// What is wrong with the switches.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArgsError {
    /// `-S` does not name a server.
    #[error("{0:?} is not HOST or HOST,PORT")]
    Server(String),
    /// A named instance has no port that could be asked for.
    #[error("{0:?} names an instance; give its address as HOST,PORT")]
    NamedInstance(String),
    /// No password.
    #[error("no password: give -P or set {PASSWORD_VARIABLE}")]
    NoPassword,
    /// The file of `--ca` holds no authority.
    #[error("read the authorities of --ca")]
    Authorities(#[source] IdentityError),
}

impl SqlArgs {
    /// The login these switches ask for.
    pub(super) fn client_options(&self) -> Result<ClientOptions, ArgsError> {
        let mut options = client_options(
            &self.server,
            &self.login,
            self.password.as_deref(),
            &self.trust,
        )?;
        options.database.clone_from(&self.database);
        options.encryption = self.encryption;
        if self.login_timeout > 0 {
            options.login_timeout = Duration::from_secs(self.login_timeout);
        }
        Ok(options)
    }
}

/// The login of `-S`, `-U`, `-P`, `-C` and `--ca`.
pub(super) fn client_options(
    server: &str,
    login: &str,
    password: Option<&str>,
    trust: &TrustArgs,
) -> Result<ClientOptions, ArgsError> {
    let (host, port) = address(server)?;
    let password = match password {
        Some(password) => Zeroizing::new(password.to_owned()),
        None => Zeroizing::new(std::env::var(PASSWORD_VARIABLE).unwrap_or_default()),
    };
    if password.is_empty() {
        return Err(ArgsError::NoPassword);
    }
    let mut options = ClientOptions::new(host, port, login, &password);
    APPLICATION.clone_into(&mut options.application);
    if trust.trust_server_certificate {
        options.trust.option = EncryptionOption::Encrypt;
    }
    if let Some(file) = &trust.ca {
        options.trust.authorities = read_certificates(file).map_err(ArgsError::Authorities)?;
    }
    Ok(options)
}

/// `[tcp:]HOST[,PORT]`; `.` and `(local)` are this host.
fn address(server: &str) -> Result<(String, u16), ArgsError> {
    let invalid = || ArgsError::Server(server.to_owned());
    let plain = match server.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("tcp:") => server.get(4..).unwrap_or_default(),
        _ => server,
    };
    let (host, port) = match plain.split_once(',') {
        Some((host, port)) => (host, port.trim().parse().map_err(|_| invalid())?),
        None => (plain, PORT_DEFAULT),
    };
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    if host.contains('\\') {
        return Err(ArgsError::NamedInstance(server.to_owned()));
    }
    let host = match host {
        "" => return Err(invalid()),
        "." | "(local)" => "127.0.0.1",
        host => host,
    };
    Ok((host.to_owned(), port))
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if super::script::is_variable_name(name) => {
            let value = value.trim_matches('"');
            Ok((name.to_owned(), value.to_owned()))
        }
        _ => Err("not NAME=VALUE".to_owned()),
    }
}

fn encryption(text: &str) -> Result<ClientEncryption, String> {
    match text.to_ascii_lowercase().as_str() {
        "s" | "strict" => Ok(ClientEncryption::Strict),
        "m" | "mandatory" | "true" | "t" | "yes" | "1" => Ok(ClientEncryption::Mandatory),
        "o" | "optional" | "false" | "f" | "no" | "0" => Ok(ClientEncryption::Optional),
        "disable" => Ok(ClientEncryption::None),
        _ => Err("not strict, mandatory, optional or disable".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Alone {
        #[command(flatten)]
        args: SqlArgs,
    }

    fn parse(line: &[&str]) -> SqlArgs {
        let words = ["sql", "-U", "sa"].iter().chain(line);
        Alone::try_parse_from(words).unwrap().args
    }

    #[test]
    fn switches_as_sqlcmd_takes_them() {
        let args = parse(&[
            "-S",
            "db1,14330",
            "-P",
            "-secret",
            "-N",
            "-C",
            "-b",
            "-h",
            "-1",
            "-W",
        ]);
        assert_eq!(args.headings, -1);
        assert_eq!(args.encryption, ClientEncryption::Mandatory);
        let options = args.client_options().unwrap();
        assert_eq!((options.host.as_str(), options.port), ("db1", 14330));
        assert_eq!(*options.password, "-secret");
        assert_eq!(options.trust.option, EncryptionOption::Encrypt);

        let args = parse(&[
            "-P",
            "x",
            "-i",
            "a.sql",
            "b.sql,c.sql",
            "-v",
            "a=1",
            "b=two words",
            "-Ns",
        ]);
        assert_eq!(args.input, ["a.sql", "b.sql", "c.sql"].map(PathBuf::from));
        assert_eq!(args.variables[1], ("b".to_owned(), "two words".to_owned()));
        assert_eq!(args.encryption, ClientEncryption::Strict);
        assert_eq!(
            args.client_options().unwrap().trust.option,
            EncryptionOption::Validate
        );
    }

    #[test]
    fn addresses() {
        let ok = |text: &str| address(text).ok();
        assert_eq!(ok("h"), Some(("h".to_owned(), 1433)));
        assert_eq!(ok("tcp:h,1"), Some(("h".to_owned(), 1)));
        assert_eq!(ok("[::1],5"), Some(("::1".to_owned(), 5)));
        assert_eq!(ok("."), Some(("127.0.0.1".to_owned(), 1433)));
        for bad in ["", "h,", "h,x", "h,70000", "h\\instance", ",1"] {
            assert_eq!(ok(bad), None, "{bad}");
        }
    }
}
