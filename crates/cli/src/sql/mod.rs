//! `muster sql`: a client with sqlcmd's switches.
//!
//! [`script`] cuts lines into batches and understands what a client understands (`GO`, `:r`,
//! `:setvar`, `$(NAME)`); [`output`] shows answers; [`connection`] logs in and runs batches.

mod args;
mod connection;
mod output;
mod runner;
mod script;

pub(crate) use args::{SqlArgs, TrustArgs};

use crate::commands::fail;
use connection::Connection;
use server::control::ResultTable;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use tds::reply::Event;

/// Runs the command. Exit status 1 when the login failed, a file cannot be read, a client command is
/// wrong, or, with `-b` or `:on error exit`, a statement failed.
pub(crate) fn run(args: SqlArgs) -> ExitCode {
    match runner::run(args) {
        Ok(code) => code,
        Err(error) => fail(&model::error_chain(&error)),
    }
}

/// Text of a script's file.
///
/// # Errors
/// What there is to tell the user: the file cannot be read, or is no text.
pub(crate) fn read_script(path: &Path) -> Result<String, String> {
    runner::read(path).map_err(|error| model::error_chain(&error))
}

/// Runs a script with a login of its own, batches parted by GO, and gathers its result sets, values as text.
///
/// # Errors
/// What there is to tell the user: no connection, no login, or the first error; batches after it do not run.
pub(crate) fn query(
    server: &str,
    login: &str,
    password: Option<&str>,
    trust: &TrustArgs,
    sql: &str,
) -> Result<Vec<ResultTable>, String> {
    let options = args::client_options(server, login, password, trust)
        .map_err(|error| model::error_chain(&error))?;
    let mut connection = Connection::open(&options).map_err(|error| model::error_chain(&error))?;
    let mut results = Vec::new();
    for batch in tsql::parser::split_batches(sql) {
        for _ in 0..batch.count {
            self::batch(&mut connection, batch.text, &mut results)?;
        }
    }
    Ok(results)
}

fn batch(
    connection: &mut Connection,
    sql: &str,
    results: &mut Vec<ResultTable>,
) -> Result<(), String> {
    let mut columns = Vec::new();
    let mut failure = None;
    let ran = connection.batch(sql, |event| {
        match event {
            Event::Columns(found) => {
                results.push(ResultTable {
                    columns: found.iter().map(|column| column.name.clone()).collect(),
                    rows: Vec::new(),
                });
                columns = found;
            }
            Event::Row(row) => {
                let cells = row.iter().zip(&columns);
                let cells = cells.map(|(value, column)| output::text_of(value, column.ty));
                if let Some(result) = results.last_mut() {
                    result.rows.push(cells.collect());
                }
            }
            Event::Message(message) if message.is_error() && failure.is_none() => {
                failure = Some(message.to_string());
            }
            Event::Message(_)
            | Event::LoginAck { .. }
            | Event::Done(_)
            | Event::Environment(_)
            | Event::ReturnStatus(_)
            | Event::ReturnValue { .. } => {}
        }
        ControlFlow::Continue(())
    });
    ran.map_err(|error| model::error_chain(&error))?;
    match failure {
        Some(message) => Err(message),
        None => Ok(()),
    }
}
