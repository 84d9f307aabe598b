//! What msdb's procedures ask of the running instance around them: agent, fleet, clock, secrets.
//!
//! Implemented once by the server and by a fake in tests. Every method may be called from many session
//! threads at once. None may be called while a catalog write or lease closure runs, except the clock,
//! [`Services::new_uuid`], [`Services::execution`] and [`Services::execution_of`], which never block.

use crate::error_log::{ErrorLog, LogArchive, LogEntry, LogError};
use engine::SessionSettings;
use engine::databases::Databases;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{InstanceId, JobId};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Longest time that [`Services::enlist`] and [`Services::defect`] may take.
///
/// Source: agent fact sheet, "login time-out": default 30 s.
pub const REMOTE_ACT_TIMEOUT: Duration = Duration::from_secs(30);

/// The instance as clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Identity, made once with the data directory.
    pub id: InstanceId,
    /// Server name, also `HOST\INSTANCE`.
    pub name: String,
    /// Name of the computer.
    pub machine: String,
    /// Version of the program, `major.minor.patch`.
    pub version: String,
    /// When the process started.
    pub started: Timestamp,
    /// Operating-system process.
    pub process_id: u32,
    /// `host,port` under which others reach the instance.
    pub address: String,
}

impl Instance {
    /// The part behind the backslash, `None` for a default instance.
    #[must_use]
    pub fn instance_name(&self) -> Option<&str> {
        self.name.split_once('\\').map(|(_, instance)| instance)
    }
}

/// The instant now and the zone that schedules and local times follow.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Now, UTC.
    pub utc: Timestamp,
    /// The instance's time zone.
    pub zone: TimeZone,
}

/// A local job to be started now, by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRequest {
    /// The job.
    pub job: JobId,
    /// Its name, for messages.
    pub job_name: String,
    /// Login that asks.
    pub login: String,
    /// Step to begin with; the job's start step when `None`.
    pub step_id: Option<i32>,
}

/// Why the agent did not do what it was asked. Shown as 22022 except where said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentRefusal {
    /// The job runs already.
    #[error("the job is already running from a request by {by}")]
    AlreadyRunning {
        /// What asked for that run: `User sa`, `Schedule 3 (Nightly)`.
        by: String,
    },
    /// The job does not run.
    #[error("the job is not currently running")]
    NotRunning,
    /// The agent is not there yet (14258) .
    #[error("SQLServerAgent is starting")]
    Starting,
    /// The agent is ending or has stopped.
    #[error("SQLServerAgent is not running")]
    Stopped,
    /// A bound of the agent is reached, or a start row could not be written.
    #[error("{cause}")]
    Failed {
        /// The cause, fit for clients.
        cause: String,
    },
}

/// What a job does at this moment. Codes of `execution_status` (tables sheet).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// A step runs.
    Executing,
    /// Waits for a free place.
    WaitingForThread,
    /// Waits for the next try of a step.
    BetweenRetries,
    /// Nothing.
    Idle,
    /// Suspended.
    Suspended,
    /// Writes its outcome.
    Completing,
}

impl ExecutionStatus {
    /// The number that `current_execution_status` and `job_state` show.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Executing => 1,
            Self::WaitingForThread => 2,
            Self::BetweenRetries => 3,
            Self::Idle => 4,
            Self::Suspended => 5,
            Self::Completing => 7,
        }
    }
}

/// A job that is not idle, from the agent's memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The job.
    pub job: JobId,
    /// What it does.
    pub status: ExecutionStatus,
    /// Number and name of the step it is at.
    pub step: Option<(i32, String)>,
    /// Which retry of that step; 0 for the first try.
    pub retry_attempt: i32,
    /// `run_requested_source` code: 1 schedule, 2 alert, 3 Agent start, 4 user, 6 CPU idle.
    pub request_source: i32,
    /// Who or what asked, where a user did: the login.
    pub request_source_id: Option<String>,
}

/// An open session, for `sys.dm_exec_sessions` and kin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// Number, from 51.
    pub session_id: i16,
    /// Login.
    pub login: String,
    /// SID of the login.
    pub sid: Vec<u8>,
    /// Client computer as the client names it.
    pub host: String,
    /// Client program as the client names it.
    pub program: String,
    /// Client library as the client names it.
    pub client_interface: String,
    /// Peer address, without the port.
    pub client_address: Option<String>,
    /// When it logged in.
    pub login_time: Timestamp,
    /// When its last batch began.
    pub last_request: Timestamp,
    /// Current database.
    pub database: String,
    /// Whether a batch runs now.
    pub running: bool,
    /// When the last batch ended; `None` before the first has.
    pub last_request_end: Option<Timestamp>,
    /// The running request, or the last one; `None` before the first.
    pub request: Option<RequestInfo>,
    /// Processor time of all requests so far.
    pub cpu: Duration,
    /// SET options and their kin, as the last request left them.
    pub settings: SessionSettings,
    /// Client process as the client says.
    pub client_process_id: u32,
    /// Protocol version, as the login record has it.
    pub protocol_version: u32,
    /// Identity of the connection.
    pub connection: Uuid,
    /// Port of the client's end.
    pub client_port: Option<u16>,
    /// The open transaction.
    pub transaction: Option<TransactionInfo>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// Open transactions.
    pub open_transactions: i32,
    /// READ UNCOMMITTED 1, READ COMMITTED 2, REPEATABLE READ 3, SERIALIZABLE 4, SNAPSHOT 5.
    pub isolation_level: i16,
}

/// Longest text of a request that is kept for others to see, in bytes; what is longer is cut off.
pub const REQUEST_TEXT_BYTES_MAX: usize = 16 * 1024;

/// A request of a session, for `sys.dm_exec_requests` and `sys.dm_exec_sql_text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// Which request of its session, from 1.
    pub number: u64,
    /// Its text, at most [`REQUEST_TEXT_BYTES_MAX`], or the name of the procedure called.
    pub text: Arc<str>,
    /// Whether it is a remote procedure call.
    pub rpc: bool,
}

impl RequestInfo {
    /// As much of a request's text as is kept: nothing of one that may carry a password or another secret.
    #[must_use]
    pub fn kept(text: &str) -> Arc<str> {
        let lower = text.to_ascii_lowercase();
        if lower.contains("password") || lower.contains("secret") {
            return Arc::from("-- not shown: the text may hold a secret");
        }
        let mut end = text.len().min(REQUEST_TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Arc::from(&text[..end])
    }
}

/// An open transaction of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionInfo {
    /// Its number within the session's connection.
    pub descriptor: u64,
    /// When it was first seen open.
    pub begun: Timestamp,
}

/// The computer and the process, as far as the operating system tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Processors that the process may use.
    pub processors: u32,
    /// Name of the operating system's distribution; empty when not known.
    pub distribution: String,
    /// Its version; empty when not known.
    pub release: String,
    /// Memory of the computer in KB.
    pub memory_kb: u64,
    /// Memory that could be given to programs now, in KB.
    pub memory_available_kb: u64,
    /// Memory and swap together, in KB.
    pub commit_limit_kb: u64,
    /// Memory and swap that are free, in KB.
    pub commit_available_kb: u64,
    /// File cache in KB.
    pub cache_kb: u64,
    /// Memory of the process that is in use, in KB.
    pub process_resident_kb: u64,
    /// Address space of the process in KB.
    pub process_virtual_kb: u64,
    /// Processor time of the process outside the kernel.
    pub process_user: Duration,
    /// Processor time of the process in the kernel.
    pub process_kernel: Duration,
    /// Path of the program.
    pub program: String,
    /// Name of the user that the process runs as.
    pub account: String,
    /// Time since the computer was started.
    pub uptime: Duration,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Rows.
    Rows,
    /// A log.
    Log,
}

/// A file of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Database that it belongs to.
    pub database: String,
    /// Name within the database.
    pub name: String,
    /// Path.
    pub path: String,
    /// What it holds.
    pub kind: FileKind,
    /// Size.
    pub bytes: u64,
}

/// Room on the file system that a file lies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Where it is mounted.
    pub mount: String,
    /// Size in bytes.
    pub total: u64,
    /// Bytes that the process may still write.
    pub available: u64,
    /// Whether nothing may be written.
    pub read_only: bool,
}

/// `sp_msx_enlist`, checked as far as this instance can check it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnlistRequest {
    /// The master as given: `host`, `host,port` or `host\instance,port`.
    pub master: String,
    /// Free text to store at the master.
    pub location: Option<String>,
    /// Login on this instance that asks; the master keeps it as `enlisted_by_nt_user`.
    pub asked_by: String,
    /// Credential for the login at the master, as `sp_msx_set_account` chose it.
    pub credential: Option<String>,
}

/// An enlistment that is stored on both ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enlisted {
    /// The master's name as it calls itself.
    pub master_name: String,
    /// Whether an enlistment at the same master was there already (its location was changed).
    pub renewed: bool,
}

/// A defection that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defected {
    /// The master that was left.
    pub master_name: String,
    /// Downloaded jobs that were deleted.
    pub jobs_deleted: u64,
}

/// Why an enlistment or a defection did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The master, or a check of this instance, refused with an Agent message number.
    #[error("refused with {number}: {text}")]
    Refused {
        /// Message number, for example 14363.
        number: i32,
        /// Text for the client.
        text: String,
    },
    /// Not reached, not trusted, or broken off; raised as 22026.
    #[error("{cause}")]
    Failed {
        /// The cause, fit for clients.
        cause: String,
    },
}

/// A secret could not be sealed or hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct SecretError {
    /// The cause, without the secret.
    pub cause: String,
}

/// The running instance. See the module for what may be called when.
pub trait Services: Send + Sync {
    /// The instance's names and identity.
    fn instance(&self) -> Instance;

    /// The databases that hold users' objects; `None` where there are none.
    fn databases(&self) -> Option<Arc<Databases>> {
        None
    }

    /// The clock.
    fn now(&self) -> Moment;

    /// Time since an arbitrary fixed point, by a clock that never steps back.
    fn elapsed(&self) -> Duration;

    /// A fresh random identifier (version 4).
    fn new_uuid(&self) -> Uuid;

    /// Starts a local job, durably accepted when this returns.
    ///
    /// # Errors
    /// As [`AgentRefusal`] says.
    fn start_job(&self, request: &StartRequest) -> Result<(), AgentRefusal>;

    /// Asks a running local job to stop; returns before it has ended.
    ///
    /// # Errors
    /// [`AgentRefusal::NotRunning`] when it does not run.
    fn stop_job(&self, job: JobId, login: &str) -> Result<(), AgentRefusal>;

    /// Jobs that are not idle, in order of their ids.
    fn execution(&self) -> Vec<Execution>;

    /// What one job does; `None` when it is idle.
    fn execution_of(&self, job: JobId) -> Option<Execution> {
        self.execution().into_iter().find(|e| e.job == job)
    }

    /// Joins a master, within [`REMOTE_ACT_TIMEOUT`], and stores the enlistment and MSXOperator here.
    ///
    /// # Errors
    /// As [`RemoteError`] says; nothing is stored then.
    fn enlist(&self, request: &EnlistRequest) -> Result<Enlisted, RemoteError>;

    /// Leaves the master, within [`REMOTE_ACT_TIMEOUT`], and removes what came from it. A forced defection
    /// does not contact the master.
    ///
    /// # Errors
    /// As [`RemoteError`] says; nothing is removed then.
    fn defect(&self, forced: bool) -> Result<Defected, RemoteError>;

    /// Polls the master now; does nothing on an instance that is no target.
    fn poll_master(&self);

    /// Tells the agent to read its settings again.
    fn settings_changed(&self);

    /// Entries of a file of a log, oldest first; none where the file is not there.
    ///
    /// # Errors
    /// When the file cannot be read, or no log has so many archives.
    fn read_error_log(&self, log: ErrorLog, archive: u32) -> Result<Vec<LogEntry>, LogError>;

    /// The files of a log, the one being written first.
    ///
    /// # Errors
    /// When they cannot be looked at.
    fn error_log_archives(&self, log: ErrorLog) -> Result<Vec<LogArchive>, LogError>;

    /// Closes the file being written and begins the next.
    ///
    /// # Errors
    /// When the files cannot be renamed or made.
    fn cycle_error_log(&self, log: ErrorLog) -> Result<(), LogError>;

    /// Open sessions, in order of their numbers.
    fn sessions(&self) -> Vec<SessionInfo>;

    /// The computer and the process.
    fn machine(&self) -> Machine;

    /// Files of all databases, those of one database in the order of their numbers, its first file first.
    fn files(&self) -> Vec<DataFile>;

    /// The file system that a path lies on; `None` when it does not tell.
    fn volume(&self, path: &str) -> Option<Volume>;

    /// Seals a secret under the instance's key, for storage.
    ///
    /// # Errors
    /// When the key is not to be had.
    fn seal(&self, clear: &[u8]) -> Result<Vec<u8>, SecretError>;

    /// Hashes a password for storage (argon2id, PHC string). May wait its turn and takes tens of milliseconds.
    ///
    /// # Errors
    /// When the queue of hashings is full.
    fn hash_password(&self, clear: &str) -> Result<String, SecretError>;

    /// Whether a stored hash is that of a password. Takes as long as hashing.
    fn verify_password(&self, _stored: &str, _clear: &str) -> bool {
        false
    }
}
