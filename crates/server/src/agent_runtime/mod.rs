//! The agent of an instance: gives `agent`'s state machine a thread, the catalog, the launcher and T-SQL
//! sessions.
//!
//! One thread owns the state machine and never waits for the disk: it submits writes and goes on when
//! they are durable, so that many runs share each commit. A step starts once its run's start row is
//! durable; a launcher's step is forgotten by the launcher once its history row is. T-SQL steps run on
//! threads of their own, each after its own start is durable, because no launcher could tell a restarted
//! agent what became of it.
//!
//! Start with [`AgentRuntime`] (the owner's side) and [`AgentHandle`] (everybody else's).

mod adoption;
mod definitions;
mod driver;
mod handle;
mod launching;
mod outcome;
mod store;
mod texts;
mod tsql_step;

pub use handle::{AgentHandle, START_REPLY_TIMEOUT};
pub use tsql_step::{SessionFactory, StepLogin};

use crate::clock::Clock;
use crate::target_end::TargetAgent;
use agent::AgentLimits;
use catalog::{Catalog, CatalogError, NewRun};
use driver::Driver;
use exec::{ExecError, LauncherConfig};
use handle::{Message, Shared};
use jiff::SignedDuration;
use model::{InstanceId, JobId};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Steps of all kinds that run at once; further runs wait for a place.
pub const STEPS_AT_ONCE_MAX: usize = 512;
/// T-SQL steps that run at once; further ones wait.
pub const TSQL_STEPS_AT_ONCE_MAX: usize = 64;
/// Longest time between two looks at the clock: how soon a step of the wall clock is noticed.
pub const CLOCK_CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// How long changed definitions may settle before they are read, unless a request needs them.
pub const CHANGES_SETTLE: Duration = Duration::from_millis(15);
/// What an orderly end may take beyond the shutdown time-out: stopping steps, and writing their outcomes.
pub const SHUTDOWN_ALLOWANCE: Duration = Duration::from_secs(30);
/// How long the launcher may take to end once nothing runs.
pub const LAUNCHER_EXIT_WAIT: Duration = Duration::from_secs(5);
/// Directory, inside the data directory, that steps start in.
pub const STEP_DIRECTORY: &str = "steps";
/// Directory, inside the data directory, that the token SQLLOGDIR names.
pub const LOG_DIRECTORY: &str = "log";
/// Directory, inside the data directory, of the launcher.
pub const LAUNCHER_DIRECTORY: &str = "launcher";

/// The bounds an instance's agent works under.
#[must_use]
pub fn default_limits() -> AgentLimits {
    AgentLimits {
        running_steps_max: STEPS_AT_ONCE_MAX,
        // The launcher sends SIGKILL itself when its grace is over; this is for a launcher that was lost.
        stop_grace: SignedDuration::from_secs(10),
        ..AgentLimits::DEFAULT
    }
}

/// What an agent works with.
#[derive(Clone)]
pub struct AgentRuntimeConfig {
    /// The instance.
    pub instance: InstanceId,
    /// Its name, for history rows and tokens.
    pub name: String,
    /// Name of the computer.
    pub machine: String,
    /// Its data directory.
    pub data: PathBuf,
    /// The program that is the launcher too; see [`LauncherConfig`].
    pub program: PathBuf,
    /// Definitions and runs.
    pub catalog: Catalog,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Makes sessions for T-SQL steps.
    pub sessions: SessionFactory,
    /// Called when rows for the master have become durable. Must not block.
    pub reports_queued: Arc<dyn Fn() + Send + Sync>,
    /// Bounds; see [`default_limits`].
    pub limits: AgentLimits,
}

impl AgentRuntimeConfig {
    /// Where the launcher works.
    #[must_use]
    pub fn launcher(&self) -> LauncherConfig {
        LauncherConfig {
            dir: self.data.join(LAUNCHER_DIRECTORY),
            program: self.program.clone(),
        }
    }
}

/// Why an agent could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentRuntimeError {
    /// The catalog failed.
    #[error("load jobs and runs")]
    Catalog(#[from] CatalogError),
    /// There is no launcher.
    #[error("get a launcher")]
    Launcher(#[from] ExecError),
    /// A directory for steps could not be made.
    #[error("make the directory {path}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A thread could not be started.
    #[error("start the agent's thread")]
    Thread(#[source] std::io::Error),
    /// The thread ended before it was ready.
    #[error("the agent's thread ended while it started")]
    Ended,
}

/// A running agent. Dropping it without [`AgentRuntime::shut_down`] leaves steps to the launcher, as a
/// crash would.
#[derive(Debug)]
pub struct AgentRuntime {
    handle: AgentHandle,
    thread: Option<JoinHandle<()>>,
    shutdown_timeout: Duration,
}

impl AgentRuntime {
    /// Opens a session, loads the jobs that run here, finds or starts the launcher, and takes on the runs
    /// that an earlier agent left. Blocks until the agent is at work.
    ///
    /// # Errors
    /// [`AgentRuntimeError`].
    pub fn start(config: AgentRuntimeConfig) -> Result<Self, AgentRuntimeError> {
        let shutdown_timeout =
            Duration::try_from(config.limits.shutdown_timeout).unwrap_or_default();
        let (sender, inbox) = channel();
        let shared = Arc::new(Shared::default());
        let subscription = shared.subscribe(&config.catalog, sender.clone());
        let (ready, when_ready) = sync_channel(1);
        let for_driver = Arc::clone(&shared);
        let to_itself = sender.clone();
        let thread = std::thread::Builder::new()
            .name("agent".to_owned())
            .spawn(move || {
                let _subscription = subscription;
                match Driver::start(config, for_driver, to_itself, inbox) {
                    Ok(mut driver) => {
                        let _ = ready.send(Ok(()));
                        driver.run();
                    }
                    Err(error) => {
                        let _ = ready.send(Err(error));
                    }
                }
            })
            .map_err(AgentRuntimeError::Thread)?;
        when_ready.recv().map_err(|_| AgentRuntimeError::Ended)??;
        Ok(Self {
            handle: AgentHandle::new(sender, shared),
            thread: Some(thread),
            shutdown_timeout,
        })
    }

    /// What others speak with.
    #[must_use]
    pub fn handle(&self) -> AgentHandle {
        self.handle.clone()
    }

    /// Ends in order: running jobs get the shutdown time-out, then are stopped and recorded; then the
    /// launcher ends. Whether everything was recorded in time; what was not is taken on at the next start.
    #[must_use]
    pub fn shut_down(mut self) -> bool {
        let (reply, done) = sync_channel(1);
        if !self.handle.tell(Message::Shutdown(reply)) {
            return false;
        }
        let patience = self.shutdown_timeout + SHUTDOWN_ALLOWANCE + LAUNCHER_EXIT_WAIT;
        let complete = done.recv_timeout(patience).unwrap_or(false);
        if complete && let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        complete
    }
}

impl Drop for AgentRuntime {
    fn drop(&mut self) {
        // Ends the thread; a no-op after an orderly end.
        self.handle.tell(Message::Abandon);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl TargetAgent for AgentHandle {
    fn session(&self) -> i64 {
        AgentHandle::session(self)
    }

    fn is_running(&self, job: JobId) -> bool {
        self.execution_of(job).is_some()
    }

    fn expect_run(&self, run: &NewRun) {
        AgentHandle::expect_run(self, run);
    }

    fn start_recorded_run(&self, run: NewRun) {
        AgentHandle::start_recorded_run(self, run);
    }

    fn stop(&self, job: JobId, login: &str) {
        AgentHandle::stop_recorded(self, job, login);
    }
}
