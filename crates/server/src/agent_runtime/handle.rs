//! The agent as the rest of the instance sees it: requests that are answered, and what jobs do at present.

use super::store::Stored;
use super::tsql_step::TsqlEnded;
use agent::{JobActivity, RunActivity};
use catalog::{Catalog, Change, NewRun, Subscription};
use exec::LauncherEvent;
use model::{JobId, RunId, RunSource};
use msdb::services::{AgentRefusal, Execution, ExecutionStatus, StartRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a start waits for its row to become durable.
pub const START_REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// What the agent's thread is told. Every sender waits for an answer, or is bounded by the steps that
/// run, so the channel needs no bound of its own.
pub(super) enum Message {
    /// Start a job, and answer once its start row is durable.
    Start {
        request: Box<StartRequest>,
        run: RunId,
        reply: SyncSender<Result<(), AgentRefusal>>,
    },
    /// A START of the master whose row is being written.
    Expect(Box<NewRun>),
    /// A START of the master; its row is durable.
    StartRecorded(Box<NewRun>),
    /// Stop a job, and answer whether there was anything to stop.
    Stop {
        job: JobId,
        login: String,
        reply: Option<SyncSender<Result<(), AgentRefusal>>>,
    },
    /// There are changes in [`Shared::changes`].
    Changed,
    /// From the launcher.
    Launcher(LauncherEvent),
    /// From a T-SQL step's thread.
    Tsql(Box<TsqlEnded>),
    /// From the catalog.
    Stored(Stored),
    /// The clock was set.
    ClockChanged,
    /// End in order; answer whether all was recorded.
    Shutdown(SyncSender<bool>),
    /// End at once.
    Abandon,
}

/// What the agent's thread shares with others without their waiting for it.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Jobs that are not idle.
    running: Mutex<BTreeMap<JobId, Execution>>,
    changes: Mutex<Changes>,
    session: AtomicI64,
}

/// What changed since the agent last looked. Bounded by the number of jobs.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Jobs to be looked at again.
    pub(super) jobs: BTreeSet<JobId>,
    /// Logins or roles changed: who may do what has to be asked anew.
    pub(super) principals: bool,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty() && !self.principals
    }
}

impl Shared {
    /// Collects changes that concern the agent. Called on the committing thread, so it only takes notes.
    pub(super) fn subscribe(
        self: &Arc<Self>,
        catalog: &Catalog,
        sender: Sender<Message>,
    ) -> Subscription {
        let shared = Arc::clone(self);
        catalog.subscribe(Box::new(move |changes| {
            let mut noted = lock(&shared.changes);
            let was_empty = noted.is_empty();
            for change in changes {
                match change {
                    Change::JobChanged(job)
                    | Change::JobDeleted(job)
                    | Change::JobTargetsChanged(job) => {
                        noted.jobs.insert(*job);
                    }
                    Change::LoginChanged(_) => noted.principals = true,
                    Change::ScheduleChanged(_)
                    | Change::ScheduleDeleted(_)
                    | Change::InstructionsPosted { .. }
                    | Change::InstructionsCleared { .. }
                    | Change::TargetChanged(_)
                    | Change::TargetRemoved { .. }
                    | Change::TargetGroupsChanged
                    | Change::EnlistmentChanged
                    | Change::SettingChanged(_)
                    | Change::DatabasePrincipalsChanged(_)
                    | Change::OperatorChanged(_)
                    | Change::CategoriesChanged
                    | Change::AlertsChanged
                    | Change::ProxiesChanged
                    | Change::CredentialChanged(_)
                    | Change::InstanceChanged
                    | Change::SessionOpened(_)
                    | Change::RunChanged { .. }
                    | Change::HistoryAdded { .. }
                    | Change::HistoryPurged
                    | Change::HistoryOverLimit
                    | Change::ReportsQueued
                    | Change::DownloadsChanged(_)
                    | Change::NextRunChanged(_) => {}
                }
            }
            let wake = was_empty && !noted.is_empty();
            drop(noted);
            if wake {
                let _ = sender.send(Message::Changed);
            }
        }))
    }

    pub(super) fn take_changes(&self) -> Changes {
        std::mem::take(&mut lock(&self.changes))
    }

    /// Notes changes again that could not be looked at.
    pub(super) fn put_back(&self, jobs: &[JobId]) {
        lock(&self.changes).jobs.extend(jobs);
    }

    pub(super) fn set_session(&self, session: i64) {
        self.session.store(session, Ordering::Release);
    }

    /// Replaces what is known of these jobs.
    pub(super) fn show(&self, jobs: impl Iterator<Item = (JobId, Option<JobActivity>)>) {
        let mut running = lock(&self.running);
        for (job, activity) in jobs {
            match activity.and_then(|activity| activity.run) {
                Some(run) => {
                    running.insert(job, execution(job, run));
                }
                None => {
                    running.remove(&job);
                }
            }
        }
    }
}

/// A clonable way to the agent. None of its questions about running jobs waits for anything.
#[derive(Debug, Clone)]
pub struct AgentHandle {
    sender: Sender<Message>,
    shared: Arc<Shared>,
}

impl AgentHandle {
    pub(super) fn new(sender: Sender<Message>, shared: Arc<Shared>) -> Self {
        Self { sender, shared }
    }

    pub(super) fn tell(&self, message: Message) -> bool {
        self.sender.send(message).is_ok()
    }

    /// The agent's session: `syssessions.session_id`.
    #[must_use]
    pub fn session(&self) -> i64 {
        self.shared.session.load(Ordering::Acquire)
    }

    /// Starts a job under a run id that the caller drew. The start is durable when this returns.
    ///
    /// # Errors
    /// As [`AgentRefusal`] says. After [`START_REPLY_TIMEOUT`] the start is in doubt, and the text says so.
    pub fn start_job(&self, request: &StartRequest, run: RunId) -> Result<(), AgentRefusal> {
        let (reply, answer) = sync_channel(1);
        let request = Box::new(request.clone());
        if !self.tell(Message::Start {
            request,
            run,
            reply,
        }) {
            return Err(AgentRefusal::Stopped);
        }
        self.wait(&answer)
    }

    /// Asks the running job to stop; returns before it has ended.
    ///
    /// # Errors
    /// [`AgentRefusal::NotRunning`] when it does not run.
    pub fn stop_job(&self, job: JobId, login: &str) -> Result<(), AgentRefusal> {
        let (reply, answer) = sync_channel(1);
        let login = login.to_owned();
        if !self.tell(Message::Stop {
            job,
            login,
            reply: Some(reply),
        }) {
            return Err(AgentRefusal::Stopped);
        }
        self.wait(&answer)
    }

    /// A START of the master whose row is being written. The agent may get a process ready for it, which runs
    /// nothing before the start is told by [`AgentHandle::start_recorded_run`].
    pub fn expect_run(&self, run: &NewRun) {
        self.tell(Message::Expect(Box::new(run.clone())));
    }

    /// A START of the master whose row is durable: its first step may begin. A refusal is recorded as the
    /// run's outcome.
    pub fn start_recorded_run(&self, run: NewRun) {
        // Shown at once, so that a STOP right behind it finds the job running.
        lock(&self.shared.running)
            .entry(run.job)
            .or_insert_with(|| starting(&run));
        self.tell(Message::StartRecorded(Box::new(run)));
    }

    /// A STOP of the master. Where nothing runs any more, nothing happens.
    pub fn stop_recorded(&self, job: JobId, login: &str) {
        let login = login.to_owned();
        self.tell(Message::Stop {
            job,
            login,
            reply: None,
        });
    }

    /// The wall clock was set; due moments are looked at anew.
    pub fn clock_changed(&self) {
        self.tell(Message::ClockChanged);
    }

    /// Jobs that are not idle, in order of their ids.
    #[must_use]
    pub fn execution(&self) -> Vec<Execution> {
        lock(&self.shared.running).values().cloned().collect()
    }

    /// What one job does; `None` when it is idle.
    #[must_use]
    pub fn execution_of(&self, job: JobId) -> Option<Execution> {
        lock(&self.shared.running).get(&job).cloned()
    }

    fn wait(
        &self,
        answer: &std::sync::mpsc::Receiver<Result<(), AgentRefusal>>,
    ) -> Result<(), AgentRefusal> {
        use std::sync::mpsc::RecvTimeoutError;
        match answer.recv_timeout(START_REPLY_TIMEOUT) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(AgentRefusal::Failed {
                cause: super::texts::NO_ANSWER.to_owned(),
            }),
            Err(RecvTimeoutError::Disconnected) => Err(AgentRefusal::Stopped),
        }
    }
}

/// A run that the agent has not taken up yet.
fn starting(run: &NewRun) -> Execution {
    Execution {
        job: run.job,
        status: ExecutionStatus::Executing,
        step: None,
        retry_attempt: 0,
        request_source: run.source.code(),
        request_source_id: asked_by(&run.source),
    }
}

fn asked_by(source: &RunSource) -> Option<String> {
    match source {
        RunSource::User { login } | RunSource::Master { login } => Some(login.clone()),
        RunSource::Schedule { .. } | RunSource::AgentStart { .. } => None,
    }
}

fn execution(job: JobId, run: RunActivity) -> Execution {
    let status = match run.status {
        agent::ExecutionStatus::Executing => ExecutionStatus::Executing,
        agent::ExecutionStatus::WaitingForThread => ExecutionStatus::WaitingForThread,
        agent::ExecutionStatus::BetweenRetries => ExecutionStatus::BetweenRetries,
        agent::ExecutionStatus::Idle => ExecutionStatus::Idle,
        agent::ExecutionStatus::Completing => ExecutionStatus::Completing,
    };
    Execution {
        job,
        status,
        step: run.step,
        retry_attempt: run.retry,
        request_source: run.source.code(),
        request_source_id: asked_by(&run.source),
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
