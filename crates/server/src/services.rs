//! What msdb's procedures may ask of the running instance.

use crate::agent_runtime::AgentHandle;
use crate::clock::Clock;
use crate::enlist::apply::{Applicant, Application, EnlistError};
use crate::error_log::ErrorLogs;
use crate::fleet_membership::Membership;
use crate::identity::tls::EncryptionOption;
use crate::identity::token::EnlistToken;
use crate::identity::{FileSealer, password};
use crate::machine;
use crate::sessions::Sessions;
use catalog::{Catalog, CatalogError, SettingValue};
use engine::databases::Databases;
use fleet::message::Proof;
use model::{JobId, RunId};
use msdb::error_log::{ErrorLog, LogArchive, LogEntry, LogError, LogSeverity};
use msdb::services::{
    AgentRefusal, DataFile, Defected, EnlistRequest, Enlisted, Execution, Instance, Machine,
    Moment, RemoteError, SecretError, Services, SessionInfo, StartRequest, Volume,
};
use msdb::settings::{
    ERROR_LOGGING_LEVEL, ERROR_LOGGING_LEVEL_DEFAULT, MSX_CREDENTIAL, MSX_ENCRYPT_CHANNEL_OPTIONS,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use uuid::Uuid;

/// What credentials' secrets are sealed for.
pub const CREDENTIAL_CONTEXT: &str = "secret";

/// The running instance as procedures see it.
pub struct InstanceServices {
    /// Names and identity.
    pub instance: Instance,
    /// Definitions and runs.
    pub catalog: Catalog,
    /// What users made.
    pub databases: Arc<Databases>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// When the process started.
    pub started: Instant,
    /// Seals credentials.
    pub sealer: Arc<FileSealer>,
    /// Open sessions.
    pub sessions: Arc<Sessions>,
    /// Runs jobs.
    pub agent: AgentHandle,
    /// Enlists.
    pub applicant: Arc<Applicant>,
    /// The target's end.
    pub membership: Arc<Membership>,
    /// Where asynchronous work runs.
    pub runtime: Handle,
    /// What the program says of itself.
    pub error_logs: Arc<ErrorLogs>,
    /// The instance's data.
    pub data_directory: PathBuf,
    /// Files of the databases of users.
    pub databases_directory: PathBuf,
}

impl InstanceServices {
    /// Enlists with a proof, and starts or restarts the target's end. Blocks.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub fn enlist_with(&self, application: Application) -> Result<Enlisted, RemoteError> {
        let applied = self
            .runtime
            .block_on(Arc::clone(&self.applicant).enlist(application))
            .map_err(remote_error)?;
        self.membership.restart();
        Ok(Enlisted {
            master_name: applied.master_name,
            renewed: applied.renewed,
        })
    }

    /// Applies the Agent's logging level and writes the first entries of both logs.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn begin_logs(&self) -> Result<(), CatalogError> {
        self.apply_log_level()?;
        let instance = &self.instance;
        for (log, what) in [(ErrorLog::Server, "server"), (ErrorLog::Agent, "agent")] {
            let text = format!(
                "Muster {} starts as {} on {}; process {}.",
                instance.version, instance.name, instance.machine, instance.process_id
            );
            self.error_logs
                .add_always(log, LogSeverity::Information, what, &text);
        }
        Ok(())
    }

    fn apply_log_level(&self) -> Result<(), CatalogError> {
        let stored = self
            .catalog
            .definitions_read(|read| read.setting(ERROR_LOGGING_LEVEL))?
            .and_then(|value| value.as_number())
            .and_then(|level| u8::try_from(level).ok());
        self.error_logs
            .set_agent_level(stored.unwrap_or(ERROR_LOGGING_LEVEL_DEFAULT));
        Ok(())
    }

    /// The encryption option as it is set now.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn encryption_option(&self) -> Result<EncryptionOption, CatalogError> {
        encryption_option(&self.catalog)
    }

    fn credential(&self, name: Option<&str>) -> Result<Proof, RemoteError> {
        let failed = |cause: &str| RemoteError::Failed {
            cause: cause.to_owned(),
        };
        let credential = self
            .catalog
            .definitions_read(|read| {
                let chosen = match name {
                    Some(name) => Some(name.to_owned()),
                    None => read
                        .setting(MSX_CREDENTIAL)?
                        .and_then(|value| value.as_text().map(str::to_owned)),
                };
                match chosen {
                    Some(name) => read.credential_by_name(&name),
                    None => Ok(None),
                }
            })
            .map_err(|error: CatalogError| failed(&error.to_string()))?
            .ok_or_else(|| {
                failed("there is no account for the master server; set one with sp_msx_set_account, or enlist with a token")
            })?;
        let sealed = credential
            .sealed_secret
            .ok_or_else(|| failed("the credential for the master server has no secret"))?;
        let secret = self
            .sealer
            .open_sealed(CREDENTIAL_CONTEXT, &sealed)
            .map_err(|error| failed(&error.to_string()))?;
        let password = String::from_utf8(secret.to_vec())
            .map_err(|_| failed("the credential's secret is not text"))?;
        Ok(Proof::Login {
            login: credential.identity,
            password,
        })
    }
}

/// The encryption option as it is set: validation unless said otherwise.
///
/// # Errors
/// What the catalog says.
pub fn encryption_option(catalog: &Catalog) -> Result<EncryptionOption, CatalogError> {
    let stored = catalog.definitions_read(|read| read.setting(MSX_ENCRYPT_CHANNEL_OPTIONS))?;
    Ok(option_of(stored))
}

/// The encryption option that a setting's value stands for.
pub(crate) fn option_of(stored: Option<SettingValue>) -> EncryptionOption {
    stored
        .and_then(|value| value.as_number())
        .and_then(EncryptionOption::from_code)
        .unwrap_or(EncryptionOption::Validate)
}

/// The proof and the pin of a token's text.
///
/// # Errors
/// [`RemoteError::Failed`] when it is no token.
pub fn token_proof(text: &str) -> Result<(Proof, [u8; 32]), RemoteError> {
    let token = EnlistToken::parse(text).ok_or_else(|| RemoteError::Failed {
        cause: "the text is not an enlistment token".to_owned(),
    })?;
    let proof = Proof::Token {
        id: token.id,
        secret: token.secret.to_vec(),
    };
    Ok((proof, token.pin))
}

fn remote_error(error: EnlistError) -> RemoteError {
    match error {
        // A login that the master does not take is a failure of the conversation for whoever enlists.
        EnlistError::Refused(refusal) if refusal.number == fleet::numbers::LOGIN_FAILED => {
            RemoteError::Failed {
                cause: refusal.text,
            }
        }
        EnlistError::Refused(refusal) => RemoteError::Refused {
            number: refusal.number,
            text: refusal.text,
        },
        other @ (EnlistError::Address(_)
        | EnlistError::Dial(_)
        | EnlistError::Unencrypted
        | EnlistError::Broken(_)
        | EnlistError::Timeout
        | EnlistError::Identity(_)
        | EnlistError::Catalog(_)) => RemoteError::Failed {
            cause: model::error_chain(&other),
        },
    }
}

impl Services for InstanceServices {
    fn databases(&self) -> Option<Arc<Databases>> {
        Some(Arc::clone(&self.databases))
    }

    fn instance(&self) -> Instance {
        self.instance.clone()
    }

    fn now(&self) -> Moment {
        Moment {
            utc: self.clock.now(),
            zone: self.clock.time_zone().clone(),
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock
            .monotonic()
            .saturating_duration_since(self.started)
    }

    fn new_uuid(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn start_job(&self, request: &StartRequest) -> Result<(), AgentRefusal> {
        self.agent.start_job(request, RunId(Uuid::new_v4()))
    }

    fn stop_job(&self, job: JobId, login: &str) -> Result<(), AgentRefusal> {
        self.agent.stop_job(job, login)
    }

    fn execution(&self) -> Vec<Execution> {
        self.agent.execution()
    }

    fn execution_of(&self, job: JobId) -> Option<Execution> {
        self.agent.execution_of(job)
    }

    fn enlist(&self, request: &EnlistRequest) -> Result<Enlisted, RemoteError> {
        let proof = self.credential(request.credential.as_deref())?;
        let encryption = self
            .encryption_option()
            .map_err(|error| RemoteError::Failed {
                cause: error.to_string(),
            })?;
        self.enlist_with(Application {
            master: request.master.clone(),
            proof,
            pin: None,
            encryption,
            location: request.location.clone(),
            requested_by: request.asked_by.clone(),
        })
    }

    fn defect(&self, forced: bool) -> Result<Defected, RemoteError> {
        self.membership.defect(forced)
    }

    fn poll_master(&self) {
        self.membership.force_poll();
    }

    fn settings_changed(&self) {
        if let Err(error) = self.apply_log_level() {
            tracing::warn!(%error, "the Agent's logging level was not read");
        }
        self.membership.restart();
    }

    fn read_error_log(&self, log: ErrorLog, archive: u32) -> Result<Vec<LogEntry>, LogError> {
        self.error_logs.read(log, archive)
    }

    fn error_log_archives(&self, log: ErrorLog) -> Result<Vec<LogArchive>, LogError> {
        self.error_logs.list(log)
    }

    fn cycle_error_log(&self, log: ErrorLog) -> Result<(), LogError> {
        self.error_logs.cycle(log)
    }

    fn sessions(&self) -> Vec<SessionInfo> {
        self.sessions.list()
    }

    fn machine(&self) -> Machine {
        machine::machine()
    }

    fn files(&self) -> Vec<DataFile> {
        let list = self.databases.list();
        machine::files(&self.data_directory, &self.databases_directory, &list)
    }

    fn volume(&self, path: &str) -> Option<Volume> {
        machine::volume(path)
    }

    fn seal(&self, clear: &[u8]) -> Result<Vec<u8>, SecretError> {
        self.sealer
            .seal(CREDENTIAL_CONTEXT, clear)
            .map_err(|error| SecretError {
                cause: error.to_string(),
            })
    }

    fn hash_password(&self, clear: &str) -> Result<String, SecretError> {
        password::hash(clear).map_err(|error| SecretError {
            cause: error.to_string(),
        })
    }

    fn verify_password(&self, stored: &str, clear: &str) -> bool {
        password::verify_hash(clear, stored)
    }
}
