//! Commands that ask a running instance through its control socket, or read its public files.

use crate::args::{DefectArgs, EnlistArgs, read_secret};
use server::control::{Answer, Request, ask};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// `muster token create`: the token alone on standard output.
pub(crate) fn token_create(
    data: &Path,
    ttl_secs: u64,
    uses: u32,
    location: Option<String>,
) -> ExitCode {
    show(
        data,
        &Request::TokenCreate {
            ttl_secs,
            uses,
            location,
        },
    )
}

/// `muster enlist`.
pub(crate) fn enlist(args: EnlistArgs) -> ExitCode {
    let password = match (&args.login, &args.password_file) {
        (None, _) => None,
        (Some(_), Some(path)) => match read_secret(path) {
            Ok(secret) => Some(secret.to_string()),
            Err(error) => return fail(&format!("read {}: {error}", path.display())),
        },
        (Some(_), None) => match std::env::var("MUSTER_MASTER_PASSWORD") {
            Ok(password) => Some(password),
            Err(_) => return fail("give --password-file or MUSTER_MASTER_PASSWORD with --login"),
        },
    };
    show(
        &args.data,
        &Request::Enlist {
            master: args.master,
            token: args.token,
            login: args.login,
            password,
            location: args.location,
            encryption: args.encryption,
        },
    )
}

/// `muster defect`.
pub(crate) fn defect(args: &DefectArgs) -> ExitCode {
    show(&args.data, &Request::Defect { force: args.force })
}

/// `muster ca export`: public, so the instance need not run.
pub(crate) fn ca_export(data: &Path) -> ExitCode {
    let path = server::ca_certificate_path(data);
    match std::fs::read_to_string(&path) {
        Ok(pem) => print(pem.trim_end()),
        Err(error) => fail(&format!("read {}: {error}", path.display())),
    }
}

fn show(data: &Path, request: &Request) -> ExitCode {
    match ask(data, request) {
        Ok(Answer::Text { text }) => print(&text),
        Ok(Answer::Results { .. }) => fail("the instance answered something else"),
        Ok(Answer::Error { number, message }) => fail(&numbered(number, &message)),
        Err(error) => fail(&model::error_chain(&error)),
    }
}

/// A message with its SQL number, where it has one.
pub(crate) fn numbered(number: Option<i32>, message: &str) -> String {
    match number {
        Some(number) => format!("Msg {number}: {message}"),
        None => message.to_owned(),
    }
}

/// Prints a line to standard output; a closed pipe is a failure, not a panic.
pub(crate) fn print(text: &str) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Prints why a command failed.
pub(crate) fn fail(message: &str) -> ExitCode {
    eprintln!("muster: {message}");
    ExitCode::FAILURE
}
