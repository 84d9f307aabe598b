//! Whether and how a step runs: its owner's rights, its tokens, its command.

use super::AgentRuntimeConfig;
use super::definitions::Owner;
use super::tsql_step::{StepLogin, TsqlStep};
use super::{LOG_DIRECTORY, STEP_DIRECTORY, texts};
use agent::Launch;
use exec::environment::service_environment;
use exec::output_file::FLAG_APPEND;
use exec::{
    OutputFile, Program, StepCommand, StepIdentity, StepKey, TokenError, TokenValues,
    replace_tokens, step_environment,
};
use jiff::Timestamp;
use jiff::civil::DateTime;
use model::{JobDocument, JobStep, Subsystem};
use std::path::PathBuf;

/// Instance part of a server's name where it has none.
const DEFAULT_INSTANCE: &str = "MSSQLSERVER";
/// Service name of the Agent; a named instance's is `SQLAgent$NAME`.
const AGENT_SERVICE: &str = "SQLSERVERAGENT";
/// Subsystem whose text goes to PowerShell, where the host has it.
const POWERSHELL: &str = "PowerShell";
const POWERSHELL_PROGRAM: &str = "pwsh";
/// Database of a T-SQL step that names none. Source: agent fact sheet, section 4.
const DATABASE_DEFAULT: &str = "master";

/// What is to be done about a launch.
pub(super) enum Prepared {
    /// The launcher runs it.
    Process(Box<StepCommand>),
    /// A thread runs it.
    TSql(Box<TsqlStep>),
    /// Nobody runs it, and this is why.
    Refused(String),
}

/// What the agent knows of its host, read once.
#[derive(Debug, Clone)]
pub(super) struct HostFacts {
    /// What steps inherit.
    pub(super) environment: Vec<(String, String)>,
    /// Name of the user that steps run as.
    pub(super) user: String,
    /// Where PowerShell is, if it is anywhere.
    pub(super) powershell: Option<PathBuf>,
}

impl HostFacts {
    pub(super) fn read() -> Self {
        let environment = service_environment();
        let variable = |name: &str| {
            environment
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
        };
        let path = variable("PATH").unwrap_or_default();
        let powershell = std::env::split_paths(&path)
            .map(|dir| dir.join(POWERSHELL_PROGRAM))
            .find(|program| program.is_file());
        Self {
            user: user_name(),
            environment,
            powershell,
        }
    }
}

/// Name of the user this process runs as; its number where the host has no name for it.
fn user_name() -> String {
    let uid = rustix::process::geteuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(&users, &uid).unwrap_or(uid)
}

/// The name of a user's number in the text of `/etc/passwd`.
fn name_of(users: &str, uid: &str) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// The launcher's key of a try.
pub(super) fn key(launch: &Launch) -> StepKey {
    StepKey {
        run: launch.run,
        sequence: launch.sequence,
        step_id: launch.step().step_id,
        attempt: u32::try_from(launch.retry).unwrap_or(0),
    }
}

/// Decides about a launch. `owner` is the login that owns the job, `None` where there is no such login.
pub(super) fn prepare(
    launch: &Launch,
    config: &AgentRuntimeConfig,
    host: &HostFacts,
    owner: Option<&Owner>,
    now: Timestamp,
) -> Prepared {
    let step = launch.step();
    let Some(owner) = owner else {
        return Prepared::Refused(texts::no_owner(&launch.document.owner_login));
    };
    let zone = config.clock.time_zone();
    let names = Names::new(config);
    let values = names.values(
        launch,
        zone.to_datetime(now),
        zone.to_datetime(launch.run_started),
    );
    let bad = |error: TokenError| Prepared::Refused(texts::bad_token(step.step_id, &error));
    let command = match replace_tokens(step.command.as_deref().unwrap_or_default(), &values) {
        Ok(command) => command.into_owned(),
        Err(error) => return bad(error),
    };
    let output_file = match output_file(step, owner, &values) {
        Ok(file) => file,
        Err(error) => return bad(error),
    };
    let program = match &step.subsystem {
        Subsystem::TSql => {
            return Prepared::TSql(Box::new(TsqlStep {
                key: key(launch),
                login: step_login(&launch.document, step, owner),
                text: command,
                flags: step.flags,
                output_file,
                directory: config.data.join(STEP_DIRECTORY),
            }));
        }
        _ if step.proxy_name.is_some() => {
            return Prepared::Refused(texts::NO_PROXIES.to_owned());
        }
        _ if !owner.sysadmin => return Prepared::Refused(texts::NO_SHELL.to_owned()),
        Subsystem::CmdExec => Program::Shell(command),
        Subsystem::Other(name) if name.eq_ignore_ascii_case(POWERSHELL) => match &host.powershell {
            Some(program) => Program::Argv(vec![
                program.to_string_lossy().into_owned(),
                "-NoLogo".to_owned(),
                "-NoProfile".to_owned(),
                "-NonInteractive".to_owned(),
                "-Command".to_owned(),
                command,
            ]),
            None => return Prepared::Refused(texts::no_subsystem(step.step_id, name)),
        },
        Subsystem::Other(name) => {
            return Prepared::Refused(texts::no_subsystem(step.step_id, name));
        }
    };
    let job_id = launch.document.job.id.to_string();
    let run_id = launch.run.to_string();
    let environment = step_environment(
        host.environment.iter().cloned(),
        &StepIdentity {
            instance: &config.name,
            job_id: &job_id,
            job_name: &launch.document.job.name,
            run_id: &run_id,
            step_id: step.step_id,
            step_name: &step.name,
            attempt: u32::try_from(launch.retry).unwrap_or(0),
        },
    );
    let mut command = StepCommand::new(
        key(launch),
        program,
        environment,
        config.data.join(STEP_DIRECTORY),
    );
    command.output_file = output_file;
    Prepared::Process(Box::new(command))
}

fn step_login(document: &JobDocument, step: &JobStep, owner: &Owner) -> StepLogin {
    StepLogin {
        login: owner.login.clone(),
        sid: document.job.owner_sid.clone(),
        sysadmin: owner.sysadmin,
        database: step
            .database_name
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| DATABASE_DEFAULT.to_owned()),
        database_user: step
            .database_user_name
            .clone()
            .filter(|name| !name.is_empty()),
        program: format!(
            "SQLAgent - TSQL JobStep (Job {} : Step {})",
            document.job.id, step.step_id
        ),
    }
}

/// The step's output file; only jobs of sysadmin members have one.
fn output_file(
    step: &JobStep,
    owner: &Owner,
    values: &TokenValues<'_>,
) -> Result<Option<OutputFile>, TokenError> {
    match step.output_file_name.as_deref() {
        Some(name) if owner.sysadmin && !name.trim().is_empty() => Ok(Some(OutputFile {
            path: replace_tokens(name, values)?.into_owned().into(),
            append: step.flags & FLAG_APPEND != 0,
        })),
        Some(_) | None => Ok(None),
    }
}

/// Names that tokens stand for, as text.
struct Names<'c> {
    config: &'c AgentRuntimeConfig,
    instance: &'c str,
    service: String,
    directory: String,
    logs: String,
}

impl<'c> Names<'c> {
    fn new(config: &'c AgentRuntimeConfig) -> Self {
        let named = config.name.split_once('\\').map(|(_, instance)| instance);
        Self {
            config,
            instance: named.unwrap_or(DEFAULT_INSTANCE),
            service: named.map_or(AGENT_SERVICE.to_owned(), |name| format!("SQLAgent${name}")),
            directory: config.data.to_string_lossy().into_owned(),
            logs: config
                .data
                .join(LOG_DIRECTORY)
                .to_string_lossy()
                .into_owned(),
        }
    }

    fn values<'v>(
        &'v self,
        launch: &'v Launch,
        now: DateTime,
        job_started: DateTime,
    ) -> TokenValues<'v> {
        TokenValues {
            now,
            job_started,
            job_id: launch.document.job.id,
            job_name: &launch.document.job.name,
            step_id: launch.step().step_id,
            step_name: &launch.step().name,
            step_count: launch.executions,
            instance: self.instance,
            server: &self.config.name,
            machine: &self.config.machine,
            master_service: &self.service,
            directory: &self.directory,
            log_directory: &self.logs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_names() {
        let users = "root:x:0:0::/root:/bin/sh\nbroken\nmuster:x:990:990::/:/bin/false\n";
        assert_eq!(name_of(users, "990").as_deref(), Some("muster"));
        assert_eq!(name_of(users, "99"), None);
    }
}
