//! The program `muster`.

mod args;
mod commands;
mod demo;
mod sql;
mod tables;

use args::{CaCommand, Cli, Command, TokenCommand};
use clap::Parser as _;
use server::options::{LogFormat, ServeOptions};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Before anything that a launcher has no use for: it stays small.
    if let Some(code) = exec::launcher::dispatch(std::env::args_os()) {
        return code;
    }
    let cli = Cli::parse();
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    if let Some(name) = args::unknown_variable(names) {
        return commands::fail(&format!(
            "unknown variable {name}; see 'muster serve --help'"
        ));
    }
    match cli.command {
        Command::Serve(args) => match args.into_options() {
            Ok(options) => serve(options),
            Err(error) => commands::fail(&model::error_chain(error.as_ref())),
        },
        Command::Demo(args) => demo::run(&args),
        Command::Sql(args) => sql::run(args),
        Command::Token(TokenCommand::Create {
            data,
            ttl,
            uses,
            location,
        }) => commands::token_create(&data, ttl, uses, location),
        Command::Enlist(args) => commands::enlist(args),
        Command::Defect(args) => commands::defect(&args),
        Command::Ca(CaCommand::Export { data }) => commands::ca_export(&data),
        Command::Targets(args) => tables::run(&args, tables::Table::Targets),
        Command::Jobs(args) => tables::run(&args, tables::Table::Jobs),
        Command::History(args) => tables::run(&args, tables::Table::History),
        Command::Downloads(args) => tables::run(&args, tables::Table::Downloads),
        Command::Status(args) => tables::run(&args, tables::Table::Status),
        // Taken care of above; kept so that the command line knows the word.
        Command::Launcher { dir } => exec::launcher::main(&dir),
    }
}

fn serve(options: ServeOptions) -> ExitCode {
    start_log(options.settings.log_format.unwrap_or_default());
    match server::serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", model::error_chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error: standard output carries the ready line alone.
fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}
