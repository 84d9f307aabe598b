//! The program `muster`.

mod args;
mod as_code;
mod at;
mod commands;
mod demo;
mod error_log;
mod sql;
mod tables;

use args::{CaCommand, Cli, Command, TokenCommand};
use clap::Parser as _;
use error_log::ErrorLogLayer;
use server::error_log::ErrorLogs;
use server::options::{LogFormat, ServeOptions};
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
        Command::Script(args) => as_code::script(&args),
        Command::Apply(args) => as_code::apply(&args),
        // Taken care of above; kept so that the command line knows the word.
        Command::Launcher { dir } => exec::launcher::main(&dir),
    }
}

fn serve(mut options: ServeOptions) -> ExitCode {
    let logs = Arc::new(ErrorLogs::of(&options));
    start_log(
        options.settings.log_format.unwrap_or_default(),
        Arc::clone(&logs),
    );
    options.error_logs = Some(logs);
    match server::serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", model::error_chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error, since standard output carries the ready line alone, and into the error logs.
fn start_log(format: LogFormat, logs: Arc<ErrorLogs>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(ErrorLogLayer(logs).with_filter(LevelFilter::INFO))
        .init();
}
