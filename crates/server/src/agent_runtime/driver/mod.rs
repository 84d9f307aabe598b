//! The agent's thread: tells the state machine what happens, and does what it wants done.

mod adopting;
mod launcher_events;
mod steps;

use super::adoption::launch_number;
use super::definitions::{self, Owner};
use super::handle::{Message, Shared};
use super::launching::HostFacts;
use super::store::{RunEvent, RunWrite, Store, Stored};
use super::tsql_step::TsqlStep;
use super::{
    AgentRuntimeConfig, AgentRuntimeError, CHANGES_SETTLE, CLOCK_CHECK_INTERVAL,
    LAUNCHER_EXIT_WAIT, LOG_DIRECTORY, SHUTDOWN_ALLOWANCE, STEP_DIRECTORY, texts,
};
use agent::{
    Agent, AgentAction, AgentConfig, AgentInput, ExecutionStatus, Launch, Refusal, Refused,
    RefusedRequest, StartAt, StepResult,
};
use catalog::{JobDeletion, MissedMoments, NewRun, StepStart};
use engine::CancelToken;
use exec::{LauncherClient, StepKey};
use jiff::Timestamp;
use model::{JobId, RunId, RunSource};
use msdb::services::{AgentRefusal, StartRequest};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::{Duration, Instant};

/// Jobs read on one snapshot.
const JOBS_PER_READ: usize = 500;
/// Messages handled before writes are submitted and the snapshot is shown.
const MESSAGES_PER_TURN: usize = 256;

type Reply = SyncSender<Result<(), AgentRefusal>>;

/// A try that was launched and whose end has not come.
pub(super) struct InFlight {
    key: StepKey,
    started: Timestamp,
    /// The launch, for another try to hand it over; `None` for adopted ones.
    launch: Option<Box<Launch>>,
    kind: Kind,
    stopping: bool,
}

enum Kind {
    /// With the launcher.
    Process,
    /// On a thread; the token is there once the thread is.
    TSql(CancelToken),
}

impl InFlight {
    pub(super) fn adopted(key: StepKey, started: Timestamp) -> Self {
        Self {
            key,
            started,
            launch: None,
            kind: Kind::Process,
            stopping: false,
        }
    }
}

/// What is known of a run until its outcome is durable.
#[derive(Debug)]
struct RunFacts {
    job: JobId,
    /// Its rows go to the master.
    report: bool,
}

/// The agent's thread.
pub(super) struct Driver {
    config: AgentRuntimeConfig,
    shared: Arc<Shared>,
    sender: Sender<Message>,
    inbox: Receiver<Message>,
    agent: Agent,
    store: Store,
    launcher: LauncherClient,
    host: HostFacts,
    /// Jobs the agent was told of; whether they came from the master.
    jobs: BTreeMap<JobId, bool>,
    owners: BTreeMap<Vec<u8>, Option<Owner>>,
    runs: BTreeMap<RunId, RunFacts>,
    in_flight: BTreeMap<(RunId, u32), InFlight>,
    /// Tries whose rows are on their way; the launcher forgets them afterwards.
    ended: BTreeMap<(RunId, u32), StepKey>,
    /// T-SQL steps that may begin once their begin is durable.
    tsql_beginning: BTreeMap<(RunId, u32), Box<TsqlStep>>,
    tsql_waiting: VecDeque<(RunId, u32)>,
    tsql_running: usize,
    starts: BTreeMap<RunId, Reply>,
    stop_reply: Option<(JobId, Reply)>,
    /// Starts of jobs whose last outcome is on its way to the disk. Whoever read that outcome may ask
    /// before its durability was told here.
    deferred: BTreeMap<JobId, Vec<Message>>,
    /// Jobs whose activity may have changed in this turn.
    touched: BTreeSet<JobId>,
    reports_queued: bool,
    changes_due: Option<Instant>,
    /// Runs in doubt while the launcher's journal is not known to be whole.
    in_doubt: Option<BTreeSet<RunId>>,
    shutdown: Option<Shutdown>,
    abandoned: bool,
}

#[derive(Debug)]
struct Shutdown {
    reply: SyncSender<bool>,
    deadline: Instant,
    /// The agent has everything it wanted.
    complete: bool,
}

impl Driver {
    /// Loads, connects and adopts. See [`super::AgentRuntime::start`].
    pub(super) fn start(
        config: AgentRuntimeConfig,
        shared: Arc<Shared>,
        sender: Sender<Message>,
        inbox: Receiver<Message>,
    ) -> Result<Self, AgentRuntimeError> {
        for name in [STEP_DIRECTORY, LOG_DIRECTORY] {
            make_directory(&config.data.join(name))?;
        }
        let to_inbox = sender.clone();
        let launcher = LauncherClient::connect_or_spawn(
            config.launcher(),
            Box::new(move |event| {
                let _ = to_inbox.send(Message::Launcher(event));
            }),
        )?;
        let now = config.clock.now();
        // From here on every change is noted and read again later, so nothing between is lost.
        drop(shared.take_changes());
        let local = definitions::local_jobs(&config.catalog)?;
        let session = config
            .catalog
            .runs_write(|write| write.open_session(now, &local))?;
        shared.set_session(session.id);
        let agent = Agent::new(
            AgentConfig {
                instance: config.instance,
                server: config.name.clone(),
                time_zone: config.clock.time_zone().clone(),
                limits: config.limits,
            },
            now,
        );
        let store = Store::new(config.catalog.clone(), sender.clone(), session.id);
        let mut driver = Self {
            shared,
            sender,
            inbox,
            agent,
            store,
            launcher,
            host: HostFacts::read(),
            jobs: BTreeMap::new(),
            owners: BTreeMap::new(),
            runs: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            ended: BTreeMap::new(),
            tsql_beginning: BTreeMap::new(),
            tsql_waiting: VecDeque::new(),
            tsql_running: 0,
            starts: BTreeMap::new(),
            stop_reply: None,
            deferred: BTreeMap::new(),
            touched: BTreeSet::new(),
            reports_queued: false,
            changes_due: None,
            in_doubt: None,
            shutdown: None,
            abandoned: false,
            config,
        };
        driver.load(&local)?;
        driver.adopt()?;
        driver.tell(AgentInput::Started);
        driver.end_turn();
        Ok(driver)
    }

    /// Works until shut down.
    pub(super) fn run(&mut self) {
        while !self.is_over() {
            let message = match self.inbox.recv_timeout(self.patience()) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Some(message) = message {
                self.on_message(message);
                for _ in 1..MESSAGES_PER_TURN {
                    match self.inbox.try_recv() {
                        Ok(message) => self.on_message(message),
                        Err(_) => break,
                    }
                }
            }
            let now = self.config.clock.monotonic();
            if self.changes_due.is_some_and(|due| due <= now) {
                self.take_changes();
            }
            self.agent.handle_timeout(self.config.clock.now());
            self.act();
            self.end_turn();
        }
        self.leave();
    }

    fn is_over(&self) -> bool {
        self.abandoned
            || self.shutdown.as_ref().is_some_and(|shutdown| {
                (shutdown.complete && self.store.is_idle())
                    || self.config.clock.monotonic() >= shutdown.deadline
            })
    }

    /// How long there is nothing to do unless something happens.
    fn patience(&self) -> Duration {
        let now = self.config.clock.monotonic();
        let wall = self.config.clock.now();
        let due = self
            .agent
            .poll_timeout()
            .map(|at| Duration::try_from(wall.duration_until(at)).unwrap_or_default());
        let deadlines = [
            self.changes_due,
            self.store.submit_at(),
            self.shutdown.as_ref().map(|shutdown| shutdown.deadline),
        ];
        deadlines
            .into_iter()
            .flatten()
            .map(|at| at.saturating_duration_since(now))
            .chain(due)
            .fold(CLOCK_CHECK_INTERVAL, Duration::min)
    }

    /// Submits writes, shows activity, and wakes whoever sends reports.
    fn end_turn(&mut self) {
        self.store.submit(self.config.clock.monotonic());
        if !self.touched.is_empty() {
            let touched = std::mem::take(&mut self.touched);
            let agent = &self.agent;
            self.shared
                .show(touched.into_iter().map(|job| (job, agent.activity_of(job))));
        }
        if std::mem::take(&mut self.reports_queued) {
            (self.config.reports_queued)();
        }
    }

    // Messages.

    fn on_message(&mut self, message: Message) {
        let starting = match &message {
            Message::Start { request, .. } => Some(request.job),
            Message::StartRecorded(run) => Some(run.job),
            Message::Expect(_)
            | Message::Stop { .. }
            | Message::Changed
            | Message::Launcher(_)
            | Message::Tsql(_)
            | Message::Stored(_)
            | Message::ClockChanged
            | Message::Shutdown(_)
            | Message::Abandon => None,
        };
        if let Some(job) = starting.filter(|job| self.is_completing(*job)) {
            self.deferred.entry(job).or_default().push(message);
            return;
        }
        match message {
            Message::Start {
                request,
                run,
                reply,
            } => {
                self.take_changes();
                self.start_requested(&request, run, reply);
            }
            Message::Expect(run) => {
                self.take_changes();
                self.prepare_ahead(*run);
            }
            Message::StartRecorded(run) => {
                self.take_changes();
                self.start_recorded(*run);
            }
            Message::Stop { job, login, reply } => {
                self.take_changes();
                self.touched.insert(job);
                self.stop_reply = reply.map(|reply| (job, reply));
                self.tell(AgentInput::StopRequested { job, by: login });
                if let Some((_, reply)) = self.stop_reply.take() {
                    let _ = reply.send(Ok(()));
                }
            }
            Message::Changed => {
                self.changes_due
                    .get_or_insert(self.config.clock.monotonic() + CHANGES_SETTLE);
            }
            Message::Launcher(event) => self.on_launcher(event),
            Message::Tsql(ended) => self.on_tsql_ended(*ended),
            Message::Stored(stored) => self.on_stored(stored),
            Message::ClockChanged => self.tell(AgentInput::ClockChanged),
            Message::Shutdown(reply) => {
                let timeout =
                    Duration::try_from(self.config.limits.shutdown_timeout).unwrap_or_default();
                self.shutdown = Some(Shutdown {
                    reply,
                    deadline: self.config.clock.monotonic() + timeout + SHUTDOWN_ALLOWANCE,
                    complete: false,
                });
                self.tell(AgentInput::Shutdown);
            }
            Message::Abandon => self.abandoned = true,
        }
    }

    /// Whether a job's run has ended but for the durability of its outcome.
    fn is_completing(&self, job: JobId) -> bool {
        self.agent
            .activity_of(job)
            .is_some_and(|activity| activity.status() == ExecutionStatus::Completing)
    }

    fn start_requested(&mut self, request: &StartRequest, run: RunId, reply: Reply) {
        self.touched.insert(request.job);
        self.starts.insert(run, reply);
        self.tell(AgentInput::StartRequested {
            job: request.job,
            run,
            source: RunSource::User {
                login: request.login.clone(),
            },
            start_at: request.step_id.map_or(StartAt::JobStart, StartAt::Step),
            already_recorded: false,
        });
    }

    fn start_recorded(&mut self, run: NewRun) {
        self.touched.insert(run.job);
        self.runs.insert(
            run.id,
            RunFacts {
                job: run.job,
                report: true,
            },
        );
        self.tell(AgentInput::StartRequested {
            job: run.job,
            run: run.id,
            source: run.source,
            start_at: StartAt::Step(run.start_step_id),
            already_recorded: true,
        });
    }

    // Definitions.

    /// Reads what changed. Called before any request is taken up, so that a job made by the same caller
    /// is known.
    fn take_changes(&mut self) {
        self.changes_due = None;
        let changes = self.shared.take_changes();
        if changes.principals {
            self.owners.clear();
        }
        let jobs: Vec<JobId> = changes.jobs.into_iter().collect();
        if let Err(error) = self.load(&jobs) {
            tracing::error!(error = %model::error_chain(&error), "changed jobs could not be read");
            self.shared.put_back(&jobs);
            self.changes_due = Some(self.config.clock.monotonic() + CLOCK_CHECK_INTERVAL);
        }
    }

    fn load(&mut self, jobs: &[JobId]) -> Result<(), catalog::CatalogError> {
        for page in jobs.chunks(JOBS_PER_READ) {
            for (job, loaded) in definitions::load(&self.config.catalog, page)? {
                self.touched.insert(job);
                match loaded {
                    Some(loaded) => {
                        let downloaded = loaded.document.job.originating_server.is_some();
                        self.jobs.insert(job, downloaded);
                        self.tell(AgentInput::JobChanged {
                            document: Box::new(loaded.document),
                            schedules: loaded.schedules,
                        });
                    }
                    None => {
                        if self.jobs.remove(&job).is_some() {
                            self.tell(AgentInput::JobRemoved { job });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The login of a SID, `None` where there is none.
    fn owner(&mut self, sid: &[u8]) -> Result<Option<Owner>, catalog::CatalogError> {
        if let Some(owner) = self.owners.get(sid) {
            return Ok(owner.clone());
        }
        let owner = definitions::owner(&self.config.catalog, sid)?;
        self.owners.insert(sid.to_vec(), owner.clone());
        Ok(owner)
    }

    // The state machine.

    fn tell(&mut self, input: AgentInput) {
        self.agent.handle(input, self.config.clock.now());
        self.act();
    }

    /// Does what the agent wants done. What that leads to at once (a refused step's end) is told in turn.
    fn act(&mut self) {
        let mut at_once: VecDeque<AgentInput> = VecDeque::new();
        loop {
            while let Some(action) = self.agent.poll_action() {
                if let Some(input) = self.carry_out(action) {
                    at_once.push_back(input);
                }
            }
            match at_once.pop_front() {
                Some(input) => self.agent.handle(input, self.config.clock.now()),
                None => return,
            }
        }
    }

    fn carry_out(&mut self, action: AgentAction) -> Option<AgentInput> {
        match action {
            AgentAction::RecordStart(start) => {
                self.touched.insert(start.job);
                let report = self.jobs.get(&start.job).copied().unwrap_or(false);
                let job = start.job;
                self.runs.insert(start.run, RunFacts { job, report });
                self.store.push(start.run, RunWrite::Start(start), report);
            }
            AgentAction::LaunchStep(launch) => return self.launch(launch),
            AgentAction::StopStep {
                run,
                sequence,
                force,
            } => return self.stop_step(run, sequence, force),
            AgentAction::RecordStep(row) | AgentAction::RecordOutcome(row) => {
                self.touched.insert(row.job_id);
                let report = self.runs.get(&row.run_id).is_some_and(|facts| facts.report);
                self.store.push(row.run_id, RunWrite::Row(row), report);
            }
            AgentAction::RecordMissed {
                job,
                reason,
                first,
                last,
                count,
                progress,
            } => {
                tracing::warn!(%job, ?reason, %first, %last, count, "due moments did not run");
                let missed = MissedMoments {
                    job,
                    schedule: progress.schedule,
                    first,
                    last,
                    count,
                };
                self.store.push_missed(missed, progress);
            }
            AgentAction::NextRun { job, progress } => self.store.push_progress(job, progress),
            AgentAction::ForgetSchedule { job, schedule } => {
                self.store.forget_schedule(job, schedule);
            }
            AgentAction::Refused(refusal) => self.refused(*refusal),
            AgentAction::DeleteJob { job, .. } => self.delete_job(job),
            AgentAction::ShutdownComplete => {
                if let Some(shutdown) = &mut self.shutdown {
                    shutdown.complete = true;
                }
            }
        }
        None
    }

    fn refused(&mut self, refusal: Refusal) {
        self.touched.insert(refusal.job);
        let why = answer(&refusal.why);
        match &refusal.request {
            RefusedRequest::Start { run, .. } => {
                if let Some(reply) = self.starts.remove(run) {
                    let _ = reply.send(Err(why));
                    return;
                }
            }
            RefusedRequest::Stop { .. } => {
                if let Some((_, reply)) = self.stop_reply.take() {
                    let _ = reply.send(Err(why));
                    return;
                }
            }
        }
        tracing::warn!(job = %refusal.job, name = refusal.job_name, why = %refusal.why, "a request was refused");
    }

    fn delete_job(&self, job: JobId) {
        let deletion = JobDeletion {
            keep_history: false,
            delete_unused_schedules: true,
        };
        let now = self.config.clock.now();
        let catalog = self.config.catalog.clone();
        let submitted = self.config.catalog.submit_definitions(
            move |write: &mut dyn catalog::DefinitionsWrite| {
                write.delete_job(job, deletion, now).map(drop)
            },
            move |result: Result<(), catalog::CatalogError>| {
                drop(catalog);
                if let Err(error) = result {
                    tracing::error!(%job, error = %model::error_chain(&error), "a job that deletes itself is still there");
                }
            },
        );
        if let Err(error) = submitted {
            tracing::error!(%job, %error, "a job that deletes itself is still there");
        }
    }

    // The store.

    fn on_stored(&mut self, stored: Stored) {
        let now = self.config.clock.monotonic();
        let mut told = Vec::new();
        self.reports_queued |= self
            .store
            .stored(stored, now, |run, event| told.push((run, event)));
        for (run, event) in told {
            if let Some(facts) = self.runs.get(&run) {
                self.touched.insert(facts.job);
            }
            match event {
                RunEvent::Started => {
                    if let Some(reply) = self.starts.remove(&run) {
                        let _ = reply.send(Ok(()));
                    }
                    self.tell(AgentInput::StartRecorded { run });
                }
                RunEvent::NotStarted(fault) => {
                    self.tell(AgentInput::StartNotRecorded { run, fault });
                    self.forget(run);
                }
                RunEvent::StepBegins(start) => self.run_tsql((run, sequence_of(&start))),
                RunEvent::StepNotBegun(start, cause) => {
                    self.fail_tsql((run, sequence_of(&start)), texts::not_recorded(&cause));
                }
                RunEvent::StepRecorded(row) => {
                    if let Some(key) = self.ended.remove(&(run, row)) {
                        let _ = self.launcher.collect(key);
                    }
                }
                RunEvent::OutcomeRecorded => {
                    self.tell(AgentInput::OutcomeRecorded { run });
                    self.forget(run);
                }
            }
        }
    }

    /// Forgets a run that has its outcome, or never began.
    fn forget(&mut self, run: RunId) {
        let deferred = self
            .runs
            .remove(&run)
            .and_then(|facts| self.deferred.remove(&facts.job));
        for message in deferred.unwrap_or_default() {
            self.on_message(message);
        }
        if let Some(reply) = self.starts.remove(&run) {
            // Known already, which nobody who draws a fresh id sees.
            let _ = reply.send(Ok(()));
        }
        if let Some(in_doubt) = &mut self.in_doubt {
            in_doubt.remove(&run);
            self.confirm();
        }
    }

    /// The end of the thread.
    fn leave(&mut self) {
        let Some(shutdown) = self.shutdown.take() else {
            return;
        };
        let complete = shutdown.complete && self.store.is_idle();
        if complete {
            self.launcher.shut_down(None, LAUNCHER_EXIT_WAIT);
        }
        let _ = shutdown.reply.send(complete);
    }
}

fn step_ended((run, sequence): (RunId, u32), result: StepResult) -> AgentInput {
    AgentInput::StepEnded {
        run,
        sequence,
        result: Box::new(result),
    }
}

/// The stored begin of a try.
fn begin(key: &StepKey, now: Timestamp, in_process: bool) -> StepStart {
    StepStart {
        run: key.run,
        step_id: key.step_id,
        retry: i32::try_from(key.attempt).unwrap_or(0),
        started: now,
        launch: launch_number(key.sequence, in_process),
        process: None,
    }
}

/// The try a stored begin belongs to.
fn sequence_of(start: &StepStart) -> u32 {
    u32::try_from(start.launch & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

fn failed(why: &Refused) -> AgentRefusal {
    AgentRefusal::Failed {
        cause: why.to_string(),
    }
}

/// A refusal as procedures tell it.
fn answer(why: &Refused) -> AgentRefusal {
    match why {
        Refused::AlreadyRunning { by } => AgentRefusal::AlreadyRunning { by: by.clone() },
        Refused::NotRunning => AgentRefusal::NotRunning,
        Refused::Starting => AgentRefusal::Starting,
        Refused::ShuttingDown => AgentRefusal::Stopped,
        Refused::NoSuchJob
        | Refused::NoSteps
        | Refused::NoSuchStep { .. }
        | Refused::NotRecorded { .. } => failed(why),
        // The list is open, and the text says what a later one is about.
        _ => failed(why),
    }
}

fn make_directory(path: &Path) -> Result<(), AgentRuntimeError> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(path)
        .map_err(|source| AgentRuntimeError::Directory {
            path: path.to_owned(),
            source,
        })
}
