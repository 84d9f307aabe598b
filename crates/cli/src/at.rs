//! Which instance a command speaks to: one on this host by its control socket, or any by a login.

use crate::commands::numbered;
use crate::sql::TrustArgs;
use clap::Args;
use server::control::{Answer, Request, ResultTable, ask};
use std::path::PathBuf;

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct InstanceArgs {
    /// Data directory of a running instance on this host
    #[arg(
        long,
        env = "MUSTER_DATA",
        value_name = "DIR",
        conflicts_with = "server"
    )]
    pub(crate) data: Option<PathBuf>,
    /// Instance to log in to
    #[arg(
        short = 'S',
        value_name = "HOST[,PORT]",
        required_unless_present = "data"
    )]
    pub(crate) server: Option<String>,
    /// Login
    #[arg(short = 'U', value_name = "LOGIN", requires = "server")]
    pub(crate) login: Option<String>,
    /// Password [default: SQLCMDPASSWORD]
    #[arg(short = 'P', value_name = "PASSWORD", requires = "server")]
    pub(crate) password: Option<String>,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

impl InstanceArgs {
    /// Runs a script in a session of its own, batches parted by GO, and gathers its result sets. The first error
    /// ends it.
    ///
    /// # Errors
    /// What there is to tell the user.
    pub(crate) fn run(&self, sql: &str) -> Result<Vec<ResultTable>, String> {
        match &self.data {
            Some(data) => match ask(
                data,
                &Request::Query {
                    sql: sql.to_owned(),
                },
            ) {
                Ok(Answer::Results { results }) => Ok(results),
                Ok(Answer::Error { number, message }) => Err(numbered(number, &message)),
                Ok(Answer::Text { .. }) => Err("the instance answered something else".to_owned()),
                Err(error) => Err(model::error_chain(&error)),
            },
            None => crate::sql::query(
                self.server.as_deref().unwrap_or_default(),
                self.login.as_deref().unwrap_or_default(),
                self.password.as_deref(),
                &self.trust,
                sql,
            ),
        }
    }
}
