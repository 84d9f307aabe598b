//! The agent of an instance with a real catalog and a real launcher. This program is its own launcher:
//! started with `launcher --dir DIR` it is one, otherwise it runs the tests below.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "tests, with a harness of their own"
)]

use agent::AgentLimits;
use catalog::{Catalog, CatalogOptions, Change, HistoryFilter, Login, NewInstance, NewRun};
use engine::{Session, SessionOptions};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{
    CategoryId, Frequency, HistoryRow, InstanceId, Job, JobId, JobStep, NotifyLevel, OperatorId,
    RunId, RunSource, RunStatus, Schedule, ScheduleUid, ServerId, StepAction, StepUid, Subday,
    Subsystem,
};
use msdb::MsdbHost;
use msdb::error_log::{ErrorLog, LogArchive, LogEntry, LogError};
use msdb::services::{self, AgentRefusal, Services, StartRequest};
use server::agent_runtime::{
    AgentHandle, AgentRuntime, AgentRuntimeConfig, SessionFactory, default_limits,
};
use server::clock::Clock;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tsql::SqlError;
use uuid::Uuid;

/// Nothing here takes this long unless it hangs.
const BOUND: Duration = Duration::from_secs(60);
const SA: &[u8] = &[1];
const USER_SID: &[u8] = &[7; 16];

fn main() -> ExitCode {
    if let Some(code) = exec::launcher::dispatch(std::env::args_os()) {
        return code;
    }
    let tests: &[(&str, fn())] = &[
        ("a_job_from_start_to_outcome", a_job_from_start_to_outcome),
        ("failures_say_why", failures_say_why),
        ("retries", retries),
        ("requests_are_answered", requests_are_answered),
        (
            "a_start_right_behind_an_outcome",
            a_start_right_behind_an_outcome,
        ),
        ("a_stop_reaches_the_step", a_stop_reaches_the_step),
        ("a_schedule_comes_due", a_schedule_comes_due),
        ("an_agent_start_schedule", an_agent_start_schedule),
        ("runs_of_an_earlier_agent", runs_of_an_earlier_agent),
        (
            "a_recorded_start_is_run_or_closed",
            a_recorded_start_is_run_or_closed,
        ),
        ("a_launcher_that_dies", a_launcher_that_dies),
        ("an_order_that_never_arrived", an_order_that_never_arrived),
        (
            "a_lost_journal_starts_nothing_twice",
            a_lost_journal_starts_nothing_twice,
        ),
        ("rows_for_the_master", rows_for_the_master),
        ("tsql_steps_without_an_engine", tsql_steps_without_an_engine),
        ("tsql_steps", tsql_steps),
        ("a_tsql_step_is_stopped", a_tsql_step_is_stopped),
        (
            "a_tsql_step_does_not_run_twice",
            a_tsql_step_does_not_run_twice,
        ),
        ("an_orderly_end", an_orderly_end),
        ("step_logs_and_files", step_logs_and_files),
        ("a_job_that_deletes_itself", a_job_that_deletes_itself),
        ("many_at_once", many_at_once),
    ];
    let filters: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let mut failed = Vec::new();
    for (name, test) in tests {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        let started = Instant::now();
        let passed = std::panic::catch_unwind(test).is_ok();
        let verdict = if passed { "ok" } else { "FAILED" };
        println!("test {name} ... {verdict} ({:?})", started.elapsed());
        if !passed {
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("failed: {}", failed.join(", "));
        ExitCode::FAILURE
    }
}

/// A wall clock that stands still until told; spans are the host's.
struct TestClock {
    now: Mutex<Timestamp>,
    zone: TimeZone,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let mut now = self.now.lock().unwrap();
        // Moves a little with each look, so that orders and their effects differ.
        *now += SignedDuration::from_micros(1);
        *now
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn time_zone(&self) -> &TimeZone {
        &self.zone
    }
}

/// An instance without sockets.
struct Instance {
    data: PathBuf,
    catalog: Catalog,
    clock: Arc<TestClock>,
    outcomes: Receiver<()>,
    _subscription: catalog::Subscription,
    reports: Arc<AtomicUsize>,
    sessions: SessionFactory,
    limits: AgentLimits,
}

impl Instance {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let data =
            std::env::temp_dir().join(format!("muster-agent-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data).unwrap();
        let start: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let catalog = Catalog::open(
            &data,
            CatalogOptions {
                new_instance: Some(NewInstance {
                    id: InstanceId(Uuid::from_u128(1)),
                    name: "T1".to_owned(),
                    created: start,
                }),
                ..CatalogOptions::default()
            },
        )
        .unwrap();
        let login = |name: &str, sid: &[u8]| Login {
            id: 0,
            name: name.to_owned(),
            sid: sid.to_vec(),
            password_hash: None,
            enabled: true,
            default_database: "master".to_owned(),
            created: start,
            modified: start,
        };
        catalog
            .definitions_write(|write| {
                if write.login_by_sid(SA)?.is_none() {
                    write.create_login(&login("sa", SA))?;
                }
                write.create_login(&login("someone", USER_SID))
            })
            .unwrap();
        let (sender, outcomes) = channel();
        let subscription = catalog.subscribe(Box::new(move |changes| {
            let outcome =
                |change: &Change| matches!(change, Change::HistoryAdded { outcome: true, .. });
            if changes.iter().any(outcome) {
                let _ = sender.send(());
            }
        }));
        Self {
            data,
            catalog,
            clock: Arc::new(TestClock {
                now: Mutex::new(start),
                zone: TimeZone::UTC,
            }),
            outcomes,
            _subscription: subscription,
            reports: Arc::new(AtomicUsize::new(0)),
            sessions: Arc::new(|step| {
                Err(SqlError::new(
                    4060,
                    11,
                    format!("no database {}", step.database),
                ))
            }),
            limits: default_limits(),
        }
    }

    fn start(&self) -> AgentRuntime {
        let reports = Arc::clone(&self.reports);
        AgentRuntime::start(AgentRuntimeConfig {
            instance: InstanceId(Uuid::from_u128(1)),
            name: "T1".to_owned(),
            machine: "host".to_owned(),
            data: self.data.clone(),
            program: std::env::current_exe().unwrap(),
            catalog: self.catalog.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            sessions: Arc::clone(&self.sessions),
            reports_queued: Arc::new(move || {
                reports.fetch_add(1, Ordering::Relaxed);
            }),
            limits: self.limits,
        })
        .unwrap()
    }

    /// Stores a job that runs here.
    fn add(&self, job: &TestJob) -> JobId {
        self.catalog
            .definitions_write(|write| {
                write.create_job(&job.job)?;
                write.replace_steps(job.job.id, &job.steps)?;
                if let Some(schedule) = &job.schedule {
                    let id = write.create_schedule(schedule)?;
                    write.attach_schedule(job.job.id, id)?;
                }
                write.add_job_server(job.job.id, ServerId(0), None)?;
                Ok::<_, catalog::CatalogError>(job.job.id)
            })
            .unwrap()
    }

    fn rows(&self, filter: HistoryFilter) -> Vec<HistoryRow> {
        self.catalog
            .runs_read(|read| read.history(&filter, None, 1_000))
            .unwrap()
            .into_iter()
            .map(|record| record.row)
            .collect()
    }

    fn rows_of_job(&self, job: JobId) -> Vec<HistoryRow> {
        self.rows(HistoryFilter {
            job: Some(job),
            ..HistoryFilter::default()
        })
    }

    /// Rows of a job once it has so many outcomes.
    fn wait_outcomes(&self, job: JobId, count: usize) -> Vec<HistoryRow> {
        let deadline = Instant::now() + BOUND;
        loop {
            let rows = self.rows_of_job(job);
            if rows.iter().filter(|row| row.step_id == 0).count() >= count {
                return rows;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let told = self.outcomes.recv_timeout(left);
            assert!(told.is_ok(), "no outcome in time: {rows:#?}");
        }
    }

    fn run(&self, agent: &AgentHandle, job: JobId) -> Vec<HistoryRow> {
        let before = self
            .rows_of_job(job)
            .iter()
            .filter(|row| row.step_id == 0)
            .count();
        start(agent, job).unwrap();
        let mut rows = self.wait_outcomes(job, before + 1);
        let run = rows.last().unwrap().run_id;
        rows.retain(|row| row.run_id == run);
        rows
    }

    fn advance(&self, agent: &AgentHandle, by: SignedDuration) {
        *self.clock.now.lock().unwrap() += by;
        agent.clock_changed();
    }

    fn step_dir(&self) -> PathBuf {
        self.data.join("steps")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

struct TestJob {
    job: Job,
    steps: Vec<JobStep>,
    schedule: Option<Schedule>,
}

fn job(name: &str) -> TestJob {
    let created: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    TestJob {
        job: Job {
            id: JobId(Uuid::new_v4()),
            originating_server: None,
            name: name.to_owned(),
            enabled: true,
            description: None,
            start_step_id: 1,
            category: CategoryId(0),
            owner_sid: SA.to_vec(),
            notify_level_eventlog: NotifyLevel::OnFailure,
            notify_level_email: NotifyLevel::Never,
            notify_level_netsend: NotifyLevel::Never,
            notify_level_page: NotifyLevel::Never,
            notify_email_operator: OperatorId(0),
            notify_netsend_operator: OperatorId(0),
            notify_page_operator: OperatorId(0),
            delete_level: NotifyLevel::Never,
            created,
            modified: created,
            version: 1,
        },
        steps: Vec::new(),
        schedule: None,
    }
}

impl TestJob {
    fn step(mut self, subsystem: Subsystem, command: &str) -> Self {
        let step_id = i32::try_from(self.steps.len()).unwrap() + 1;
        if let Some(last) = self.steps.last_mut() {
            last.on_success = StepAction::GoToNextStep;
        }
        self.steps.push(JobStep {
            step_id,
            uid: StepUid(Uuid::new_v4()),
            name: format!("step {step_id}"),
            subsystem,
            command: Some(command.to_owned()),
            flags: 0,
            additional_parameters: None,
            cmdexec_success_code: 0,
            on_success: StepAction::QuitWithSuccess,
            on_success_step_id: 0,
            on_fail: StepAction::QuitWithFailure,
            on_fail_step_id: 0,
            server: None,
            database_name: None,
            database_user_name: None,
            retry_attempts: 0,
            retry_interval_minutes: 0,
            os_run_priority: 0,
            output_file_name: None,
            proxy_name: None,
        });
        self
    }

    fn shell(self, command: &str) -> Self {
        self.step(Subsystem::CmdExec, command)
    }

    fn last(mut self, change: impl FnOnce(&mut JobStep)) -> Self {
        change(self.steps.last_mut().unwrap());
        self
    }

    fn scheduled(mut self, frequency: Frequency, at: Time) -> Self {
        let created = self.job.created;
        self.schedule = Some(Schedule {
            uid: ScheduleUid(Uuid::new_v4()),
            name: "when".to_owned(),
            originating_server: None,
            owner_sid: SA.to_vec(),
            enabled: true,
            frequency,
            subday: Subday::Once,
            raw: [1, 1, 0, 0, 0],
            active_start_date: Date::constant(2026, 1, 1),
            active_end_date: Date::constant(9999, 12, 31),
            active_start_time: at,
            active_end_time: Time::constant(23, 59, 59, 0),
            created,
            modified: created,
            version: 1,
        });
        self
    }
}

fn start(agent: &AgentHandle, job: JobId) -> Result<RunId, AgentRefusal> {
    let run = RunId(Uuid::new_v4());
    let request = StartRequest {
        job,
        job_name: "the job".to_owned(),
        login: "sa".to_owned(),
        step_id: None,
    };
    agent.start_job(&request, run).map(|()| run)
}

/// Waits for something that no event tells, and fails past the bound.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// A command that waits until the test lets it go on.
struct Gate(PathBuf);

impl Gate {
    fn new(instance: &Instance) -> Self {
        Self(instance.data.join(Uuid::new_v4().to_string()))
    }

    fn command(&self) -> String {
        let path = self.0.display();
        format!("echo waits; mkfifo {path}; read x < {path}; rm {path}; echo goes on")
    }

    fn wait_reached(&self) {
        eventually("the step at its gate", || self.0.exists());
    }

    fn open(&self) {
        self.wait_reached();
        std::fs::write(&self.0, "go\n").unwrap();
    }
}

fn launcher_pid(data: &Path) -> rustix::process::Pid {
    let dir = data.join("launcher").canonicalize().unwrap();
    let found = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .find_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let mut words = line.split('\0').skip(1);
            let is_it = words.next()? == "launcher"
                && words.next()? == "--dir"
                && Path::new(words.next()?).canonicalize().ok()? == dir;
            is_it.then_some(pid)
        });
    rustix::process::Pid::from_raw(found.expect("a launcher")).unwrap()
}

fn a_job_from_start_to_outcome() {
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    // Made after the agent started, and started in the same breath.
    let id = instance.add(
        &job("hello")
            .shell("echo $MUSTER_JOB_NAME $(ESCAPE_NONE(STEPID)) $(ESCAPE_SQUOTE(JOBNAME))")
            .shell("pwd; exit 3")
            .last(|step| step.cmdexec_success_code = 3),
    );
    let rows = instance.run(&agent, id);
    let shape: Vec<_> = rows
        .iter()
        .map(|row| (row.row, row.step_id, row.status))
        .collect();
    assert_eq!(
        shape,
        [
            (0, 1, RunStatus::Succeeded),
            (1, 2, RunStatus::Succeeded),
            (2, 0, RunStatus::Succeeded)
        ]
    );
    assert!(
        rows[0].message.starts_with("Executed as user: "),
        "{}",
        rows[0].message
    );
    assert!(
        rows[0]
            .message
            .ends_with(" hello 1 hello  Process Exit Code 0.  The step succeeded."),
        "{}",
        rows[0].message
    );
    let cwd = instance.step_dir().canonicalize().unwrap();
    assert!(
        rows[1].message.contains(cwd.to_str().unwrap()),
        "{}",
        rows[1].message
    );
    assert!(
        rows[2].message.contains("invoked by User sa"),
        "{}",
        rows[2].message
    );
    assert_eq!(rows[2].server, "T1");
    eventually("idle", || agent.execution().is_empty());
    let activity = instance
        .catalog
        .runs_read(|read| read.activity(Some(agent.session()), Some(id)))
        .unwrap();
    assert!(activity[0].stopped.is_some() && activity[0].history.is_some());
    assert!(runtime.shut_down());
    // The launcher kept nothing.
    let left = std::fs::read_to_string(instance.data.join("launcher/journal")).unwrap();
    assert_eq!(
        left.matches("Intent").count(),
        left.matches("Collected").count(),
        "{left}"
    );
}

fn failures_say_why() {
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    let check = |job: TestJob, expected: &str| {
        let id = instance.add(&job);
        let rows = instance.run(&agent, id);
        assert_eq!(rows[0].status, RunStatus::Failed, "{rows:#?}");
        assert_eq!(rows.last().unwrap().status, RunStatus::Failed);
        let message = &rows[0].message;
        assert!(message.contains(expected), "{message}");
        assert!(message.ends_with("The step failed."), "{message}");
    };
    check(
        job("exit").shell("echo no; exit 9"),
        "no  Process Exit Code 9.",
    );
    check(
        job("missing").shell("no-such-command"),
        "Process Exit Code 127.",
    );
    check(job("killed").shell("kill -9 $$"), "signal 9 (SIGKILL)");
    check(job("nul").shell("echo \0"), "could not be created");
    check(
        job("token").shell("echo $(JOBID)"),
        "step 1 (reason: line 1: the token JOBID is used without an ESCAPE macro)",
    );
    check(
        job("subsystem").step(Subsystem::Other("Snapshot".to_owned()), "x"),
        "subsystem Snapshot is not available",
    );
    check(
        job("proxy")
            .shell("true")
            .last(|step| step.proxy_name = Some("p".to_owned())),
        "no proxy accounts",
    );
    let mut theirs = job("theirs").shell("touch /tmp/never");
    theirs.job.owner_sid = USER_SID.to_vec();
    check(theirs, "only a member of the sysadmin role");
    let mut nobody = job("nobody").shell("true");
    nobody.job.owner_sid = vec![9; 16];
    check(nobody, "is no login of this server");
    // Output that the message cannot hold is kept beside it.
    let id = instance.add(&job("long").shell("seq 1 5000; exit 1"));
    let rows = instance.run(&agent, id);
    assert!(
        rows[0]
            .message
            .ends_with("Process Exit Code 1.  The step failed.")
    );
    let record = instance
        .catalog
        .runs_read(|read| {
            let filter = HistoryFilter {
                job: Some(id),
                step_id: Some(1),
                ..HistoryFilter::default()
            };
            let record = read.history(&filter, None, 1)?.remove(0);
            read.history_output(record.id)
        })
        .unwrap();
    assert!(record.unwrap().ends_with("\n4999\n5000\n"));
    assert!(runtime.shut_down());
}

fn retries() {
    let instance = Instance::new();
    let runtime = instance.start();
    let id = instance.add(
        &job("stubborn")
            .shell("echo x >> tries; test $(wc -l < tries) -ge 3")
            .last(|step| step.retry_attempts = 5),
    );
    let rows = instance.run(&runtime.handle(), id);
    let shape: Vec<_> = rows
        .iter()
        .map(|row| (row.step_id, row.status, row.retries_attempted))
        .collect();
    assert_eq!(
        shape,
        [
            (1, RunStatus::Retry, 0),
            (1, RunStatus::Retry, 1),
            (1, RunStatus::Succeeded, 2),
            (0, RunStatus::Succeeded, 0)
        ]
    );
    assert!(runtime.shut_down());
}

fn requests_are_answered() {
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    let gate = Gate::new(&instance);
    let id = instance.add(&job("one at a time").shell(&gate.command()));
    start(&agent, id).unwrap();
    gate.wait_reached();
    assert_eq!(
        start(&agent, id),
        Err(AgentRefusal::AlreadyRunning {
            by: "User sa".to_owned()
        })
    );
    let running = agent.execution_of(id).unwrap();
    assert_eq!(running.step, Some((1, "step 1".to_owned())));
    assert_eq!(running.request_source_id.as_deref(), Some("sa"));
    gate.open();
    let rows = instance.wait_outcomes(id, 1);
    assert_eq!(rows.len(), 2, "{rows:#?}");
    eventually("idle", || agent.execution().is_empty());
    assert_eq!(agent.stop_job(id, "sa"), Err(AgentRefusal::NotRunning));
    let unknown = JobId(Uuid::new_v4());
    assert!(matches!(
        start(&agent, unknown),
        Err(AgentRefusal::Failed { .. })
    ));
    // A job without a local target is not the agent's.
    let elsewhere = job("elsewhere").shell("true");
    instance
        .catalog
        .definitions_write(|write| {
            write.create_job(&elsewhere.job)?;
            write.replace_steps(elsewhere.job.id, &elsewhere.steps)
        })
        .unwrap();
    assert!(start(&agent, elsewhere.job.id).is_err());
    let empty = instance.add(&job("empty"));
    assert!(start(&agent, empty).is_err());
    assert!(runtime.shut_down());
    assert_eq!(start(&agent, id), Err(AgentRefusal::Stopped));
}

fn a_start_right_behind_an_outcome() {
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    let id = instance.add(&job("again").shell("true"));
    for count in 1..=30 {
        // An outcome that is there to be read is the end of the run for whoever reads it.
        start(&agent, id).unwrap();
        instance.wait_outcomes(id, count);
    }
    assert!(runtime.shut_down());
}

fn a_stop_reaches_the_step() {
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    let id = instance.add(
        &job("endless")
            .shell("echo begun; touch up; sleep 1000")
            .shell("true"),
    );
    start(&agent, id).unwrap();
    eventually("the step", || instance.step_dir().join("up").exists());
    agent.stop_job(id, "boss").unwrap();
    let rows = instance.wait_outcomes(id, 1);
    let shape: Vec<_> = rows.iter().map(|row| (row.step_id, row.status)).collect();
    assert_eq!(shape, [(1, RunStatus::Canceled), (0, RunStatus::Canceled)]);
    assert!(rows[0].message.contains("begun"), "{}", rows[0].message);
    assert!(
        rows[1].message.contains("by User boss"),
        "{}",
        rows[1].message
    );
    assert!(runtime.shut_down());
}

fn a_schedule_comes_due() {
    let instance = Instance::new();
    let id = instance.add(&job("daily").shell("echo due").scheduled(
        Frequency::Daily { every_days: 1 },
        Time::constant(10, 30, 0, 0),
    ));
    let runtime = instance.start();
    let agent = runtime.handle();
    eventually("the next run", || {
        let next = instance
            .catalog
            .runs_read(|read| read.next_runs(Some(id)))
            .unwrap();
        next.first()
            .is_some_and(|next| next.next == Some("2026-03-02T10:30:00Z".parse().unwrap()))
    });
    instance.advance(&agent, SignedDuration::from_mins(30));
    let rows = instance.wait_outcomes(id, 1);
    assert!(
        rows[1].message.contains("invoked by Schedule 1 (when)")
            || rows[1].message.contains("(when)"),
        "{}",
        rows[1].message
    );
    // Two days pass at once: what is too late is missed, and written down as such.
    instance.advance(&agent, SignedDuration::from_hours(49));
    eventually("the missed moments", || {
        let missed = instance
            .catalog
            .runs_read(|read| read.missed_moments(Some(id)))
            .unwrap();
        missed.iter().map(|missed| missed.count).sum::<u64>() == 2
    });
    assert_eq!(instance.rows_of_job(id).len(), 2);
    assert!(runtime.shut_down());
}

fn an_agent_start_schedule() {
    let instance = Instance::new();
    let id = instance.add(
        &job("at start")
            .shell("true")
            .scheduled(Frequency::AgentStart, Time::midnight()),
    );
    let runtime = instance.start();
    instance.wait_outcomes(id, 1);
    assert!(runtime.shut_down());
    instance.advance_alone(SignedDuration::from_mins(1));
    let runtime = instance.start();
    instance.wait_outcomes(id, 2);
    assert!(runtime.shut_down());
    let sessions = instance.catalog.runs_read(|read| read.sessions()).unwrap();
    assert_eq!(sessions.len(), 2);
}

impl Instance {
    fn advance_alone(&self, by: SignedDuration) {
        *self.clock.now.lock().unwrap() += by;
    }
}

fn runs_of_an_earlier_agent() {
    let instance = Instance::new();
    let (going, ended) = (Gate::new(&instance), Gate::new(&instance));
    let first = instance.start();
    let a = instance.add(&job("goes on").shell(&going.command()).shell("echo second"));
    let logged = job("ends meanwhile")
        .shell(&format!("{}; exit 4", ended.command()))
        .last(|step| step.flags = 8);
    let b = instance.add(&logged);
    start(&first.handle(), a).unwrap();
    start(&first.handle(), b).unwrap();
    going.wait_reached();
    ended.wait_reached();
    drop(first);
    ended.open();
    eventually("the end", || {
        std::fs::read_to_string(instance.data.join("launcher/journal"))
            .unwrap()
            .contains("{\"Exited\":4}")
    });
    let second = instance.start();
    let rows = instance.wait_outcomes(b, 1);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].status, RunStatus::Failed);
    assert!(
        rows[0].message.contains("goes on  Process Exit Code 4."),
        "{}",
        rows[0].message
    );
    let log = instance
        .catalog
        .runs_read(|read| read.step_logs(Some(logged.steps[0].uid)))
        .unwrap();
    assert_eq!(log[0].log, "waits\ngoes on\n");
    assert!(second.handle().execution_of(a).is_some());
    going.open();
    let rows = instance.wait_outcomes(a, 1);
    let shape: Vec<_> = rows
        .iter()
        .map(|row| (row.row, row.step_id, row.status))
        .collect();
    assert_eq!(
        shape,
        [
            (0, 1, RunStatus::Succeeded),
            (1, 2, RunStatus::Succeeded),
            (2, 0, RunStatus::Succeeded)
        ]
    );
    assert!(second.shut_down());
}

fn recorded(instance: &Instance, job: JobId, session: i64) -> NewRun {
    let now = instance.clock.now();
    let run = NewRun {
        id: RunId(Uuid::new_v4()),
        job,
        source: RunSource::Master {
            login: "chief".to_owned(),
        },
        requested: now,
        started: now,
        start_step_id: 1,
        session,
    };
    instance
        .catalog
        .runs_write(|write| write.begin_run(&run).map(drop))
        .unwrap();
    run
}

fn a_recorded_start_is_run_or_closed() {
    let instance = Instance::new();
    let gate = Gate::new(&instance);
    let runtime = instance.start();
    let agent = runtime.handle();
    let id = instance.add(&job("ordered").shell(&gate.command()));
    let first = recorded(&instance, id, agent.session());
    agent.start_recorded_run(first.clone());
    assert!(agent.execution_of(id).is_some());
    // Told twice is told once.
    agent.start_recorded_run(first.clone());
    let second = recorded(&instance, id, agent.session());
    agent.start_recorded_run(second.clone());
    let rows = instance.wait_outcomes(id, 1);
    assert_eq!(rows[0].run_id, second.id);
    assert!(
        rows[0].message.contains("already running"),
        "{}",
        rows[0].message
    );
    gate.open();
    let rows = instance.wait_outcomes(id, 2);
    assert_eq!(rows.last().unwrap().run_id, first.id);
    assert!(rows.last().unwrap().message.contains("by User chief"));
    drop(runtime);
    // Durable, but the agent died before it heard of it.
    let third = recorded(&instance, id, agent.session());
    let runtime = instance.start();
    gate.open();
    let rows = instance.wait_outcomes(id, 3);
    let last = rows.last().unwrap();
    assert_eq!((last.run_id, last.status), (third.id, RunStatus::Succeeded));
    assert!(runtime.shut_down());
}

fn a_launcher_that_dies() {
    let instance = Instance::new();
    let gate = Gate::new(&instance);
    let runtime = instance.start();
    let agent = runtime.handle();
    let id = instance.add(&job("orphaned").shell(&gate.command()).shell("echo never"));
    start(&agent, id).unwrap();
    gate.wait_reached();
    rustix::process::kill_process(launcher_pid(&instance.data), rustix::process::Signal::KILL)
        .unwrap();
    gate.open();
    let rows = instance.wait_outcomes(id, 1);
    let shape: Vec<_> = rows.iter().map(|row| (row.step_id, row.status)).collect();
    assert_eq!(shape, [(1, RunStatus::Failed), (0, RunStatus::Failed)]);
    assert!(
        rows[0].message.contains(exec::step::END_UNKNOWN_TEXT),
        "{}",
        rows[0].message
    );
    let after = instance.add(&job("after").shell("echo fine"));
    let rows = instance.run(&agent, after);
    assert_eq!(rows[0].status, RunStatus::Succeeded);
    assert!(runtime.shut_down());
}

fn an_order_that_never_arrived() {
    use rustix::process::{Signal, kill_process};
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    // Once a step has run, the launcher has the agent's word that nothing is in doubt.
    let before = instance.add(&job("before").shell("true"));
    instance.run(&agent, before);
    let id = instance.add(&job("ordered").shell("echo x >> ran"));
    let launcher = launcher_pid(&instance.data);
    kill_process(launcher, Signal::STOP).unwrap();
    let run = start(&agent, id).unwrap();
    eventually("the order", || {
        let record = instance.catalog.runs_read(|read| read.run(run)).unwrap();
        record.is_some_and(|record| record.step.is_some())
    });
    kill_process(launcher, Signal::KILL).unwrap();
    let rows = instance.wait_outcomes(id, 1);
    assert_eq!(rows[0].status, RunStatus::Succeeded, "{rows:#?}");
    let ran = std::fs::read_to_string(instance.step_dir().join("ran")).unwrap();
    assert_eq!(ran, "x\n");
    assert!(runtime.shut_down());
}

fn a_lost_journal_starts_nothing_twice() {
    let instance = Instance::new();
    let gate = Gate::new(&instance);
    let runtime = instance.start();
    let agent = runtime.handle();
    let id = instance.add(&job("once").shell(&format!("echo x >> ran; {}", gate.command())));
    start(&agent, id).unwrap();
    gate.wait_reached();
    drop(runtime);
    rustix::process::kill_process(launcher_pid(&instance.data), rustix::process::Signal::KILL)
        .unwrap();
    std::fs::remove_file(instance.data.join("launcher/journal")).unwrap();
    let runtime = instance.start();
    let rows = instance.wait_outcomes(id, 1);
    assert_eq!(rows.last().unwrap().status, RunStatus::Failed);
    gate.open();
    assert_eq!(
        std::fs::read_to_string(instance.step_dir().join("ran")).unwrap(),
        "x\n"
    );
    // What was in doubt is settled, so the next one is not.
    let next = instance.add(&job("next").shell("echo x >> next"));
    let run = recorded(&instance, next, runtime.handle().session());
    drop(runtime);
    let runtime = instance.start();
    let rows = instance.wait_outcomes(next, 1);
    assert_eq!(rows.last().unwrap().run_id, run.id);
    assert_eq!(
        rows.last().unwrap().status,
        RunStatus::Succeeded,
        "{rows:#?}"
    );
    assert!(runtime.shut_down());
}

fn rows_for_the_master() {
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    let local = instance.add(&job("local").shell("true"));
    instance.run(&agent, local);
    assert_eq!(instance.reports.load(Ordering::Relaxed), 0);
    let mut theirs = job("theirs").shell("echo reported");
    theirs.job.originating_server = Some("MASTER".to_owned());
    theirs.job.category = CategoryId(1);
    let id = instance.add(&theirs);
    instance.run(&agent, id);
    eventually("the hook", || instance.reports.load(Ordering::Relaxed) > 0);
    let queued = instance
        .catalog
        .runs_read(|read| read.queued_reports(model::ReportPosition::default(), 100, 1_000_000))
        .unwrap();
    assert_eq!(queued.len(), 2);
    assert!(queued.iter().all(|queued| queued.row.job_id == id));
    assert!(runtime.shut_down());
}

fn tsql_steps_without_an_engine() {
    let instance = Instance::new();
    let runtime = instance.start();
    let id = instance.add(
        &job("sql")
            .step(Subsystem::TSql, "select 1")
            .last(|step| step.database_name = Some("nowhere".to_owned())),
    );
    let rows = instance.run(&runtime.handle(), id);
    assert_eq!(
        rows[0].message,
        "Executed as user: sa. no database nowhere [SQLSTATE 42000] (Error 4060)  The step failed."
    );
    assert_eq!((rows[0].sql_message_id, rows[0].sql_severity), (4060, 11));
    assert!(runtime.shut_down());
}

/// What a T-SQL session finds around it here: an agent and nothing else.
struct Surroundings {
    agent: OnceLock<AgentHandle>,
    start: Timestamp,
}

impl Services for Surroundings {
    fn instance(&self) -> services::Instance {
        services::Instance {
            id: InstanceId(Uuid::from_u128(1)),
            name: "T1".to_owned(),
            machine: "host".to_owned(),
            version: "0.1.0".to_owned(),
            started: self.start,
            process_id: 1,
            address: "127.0.0.1,1433".to_owned(),
        }
    }

    fn now(&self) -> services::Moment {
        services::Moment {
            utc: self.start,
            zone: TimeZone::UTC,
        }
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn new_uuid(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn start_job(&self, request: &StartRequest) -> Result<(), AgentRefusal> {
        let agent = self.agent.get().ok_or(AgentRefusal::Starting)?;
        agent.start_job(request, RunId(Uuid::new_v4()))
    }

    fn stop_job(&self, job: JobId, login: &str) -> Result<(), AgentRefusal> {
        let agent = self.agent.get().ok_or(AgentRefusal::Starting)?;
        agent.stop_job(job, login)
    }

    fn execution(&self) -> Vec<services::Execution> {
        self.agent.get().map_or(Vec::new(), AgentHandle::execution)
    }

    fn enlist(
        &self,
        _request: &services::EnlistRequest,
    ) -> Result<services::Enlisted, services::RemoteError> {
        unreachable!("no step here enlists")
    }

    fn defect(&self, _forced: bool) -> Result<services::Defected, services::RemoteError> {
        unreachable!("no step here defects")
    }

    fn poll_master(&self) {}

    fn settings_changed(&self) {}

    fn read_error_log(&self, _log: ErrorLog, _archive: u32) -> Result<Vec<LogEntry>, LogError> {
        unreachable!("no step here reads a log")
    }

    fn error_log_archives(&self, _log: ErrorLog) -> Result<Vec<LogArchive>, LogError> {
        unreachable!("no step here lists a log")
    }

    fn cycle_error_log(&self, _log: ErrorLog) -> Result<(), LogError> {
        unreachable!("no step here closes a log")
    }

    fn sessions(&self) -> Vec<services::SessionInfo> {
        Vec::new()
    }

    fn machine(&self) -> services::Machine {
        unreachable!("no step here asks about the computer")
    }

    fn files(&self) -> Vec<services::DataFile> {
        Vec::new()
    }

    fn volume(&self, _path: &str) -> Option<services::Volume> {
        None
    }

    fn seal(&self, clear: &[u8]) -> Result<Vec<u8>, services::SecretError> {
        Ok(clear.to_vec())
    }

    fn hash_password(&self, clear: &str) -> Result<String, services::SecretError> {
        Ok(clear.to_owned())
    }
}

/// An instance whose T-SQL steps run in the engine.
fn with_engine() -> (Instance, Arc<Surroundings>) {
    let mut instance = Instance::new();
    let surroundings = Arc::new(Surroundings {
        agent: OnceLock::new(),
        start: instance.clock.now(),
    });
    let (catalog, services) = (instance.catalog.clone(), Arc::clone(&surroundings));
    instance.sessions = Arc::new(move |step| {
        let services = Arc::clone(&services) as Arc<dyn Services>;
        let host = MsdbHost::new(
            catalog.clone(),
            services,
            step.login.clone(),
            step.sid.clone(),
        );
        let options = SessionOptions {
            database: step.database.clone(),
            ..SessionOptions::default()
        };
        Session::new(Box::new(host), options)
    });
    (instance, surroundings)
}

fn tsql_steps() {
    let (instance, surroundings) = with_engine();
    let runtime = instance.start();
    let agent = runtime.handle();
    let _ = surroundings.agent.set(agent.clone());
    let sql = |name: &str, text: &str| job(name).step(Subsystem::TSql, text);
    let run = |job: &TestJob| {
        let id = instance.add(job);
        instance.run(&agent, id)
    };

    let rows = run(&sql(
        "says",
        "print 'one'\nGO\nselect 7 as n, null as x\nprint 'two'",
    ));
    assert_eq!(rows[0].status, RunStatus::Succeeded, "{rows:#?}");
    assert_eq!(
        rows[0].message,
        "Executed as user: sa. one [SQLSTATE 01000] (Message 0)  two [SQLSTATE 01000] \
         (Message 0)  The step succeeded."
    );
    let rows = run(&sql("shows", "select 7 as n, null as x").last(|step| {
        step.flags = 4;
        step.output_file_name = Some("shown.txt".to_owned());
    }));
    let shown = "n\tx\n-\t-\n7\tNULL\n";
    assert!(rows[0].message.contains(shown), "{}", rows[0].message);
    let file = std::fs::read_to_string(instance.step_dir().join("shown.txt")).unwrap();
    assert!(file.starts_with(shown), "{file}");

    // A failed batch ends the step; what follows GO does not run. Lines count in the step.
    let rows = run(&sql(
        "fails",
        "print 'a'\nGO\n\nraiserror('bad %d', 16, 1, 5)\nGO\nprint 'never'",
    )
    .last(|step| step.flags = 8));
    assert_eq!(rows[0].status, RunStatus::Failed);
    assert_eq!((rows[0].sql_message_id, rows[0].sql_severity), (50_000, 16));
    assert!(
        rows[0]
            .message
            .contains("bad 5 [SQLSTATE 42000] (Error 50000)"),
        "{}",
        rows[0].message
    );
    assert!(!rows[0].message.contains("never"));
    let logs = instance
        .catalog
        .runs_read(|read| read.step_logs(None))
        .unwrap();
    assert!(
        logs[0].log.contains("Msg 50000, Level 16, State 1, Line 4"),
        "{}",
        logs[0].log
    );

    // An error that the script handles is none.
    let rows = run(&sql(
        "handles",
        "begin try select 1/0 end try begin catch print 'handled' end catch",
    ));
    assert_eq!(rows[0].status, RunStatus::Succeeded, "{rows:#?}");
    assert_eq!((rows[0].sql_message_id, rows[0].sql_severity), (0, 0));

    let rows = run(&sql("nowhere", "select 1").last(|step| {
        step.database_name = Some("nowhere".to_owned());
    }));
    assert_eq!(rows[0].status, RunStatus::Failed);

    // A step may start another job, through the very agent that runs it.
    let other = instance.add(&job("other").shell("true"));
    let rows = run(&sql(
        "starts",
        "exec msdb.dbo.sp_start_job @job_name = N'other'",
    ));
    assert_eq!(rows[0].status, RunStatus::Succeeded, "{rows:#?}");
    instance.wait_outcomes(other, 1);

    // A user's step runs as that user.
    let mut theirs = sql("theirs", "print suser_sname()");
    theirs.job.owner_sid = USER_SID.to_vec();
    let rows = run(&theirs);
    assert!(
        rows[0]
            .message
            .starts_with("Executed as user: someone. someone "),
        "{}",
        rows[0].message
    );
    assert!(runtime.shut_down());
}

fn a_tsql_step_is_stopped() {
    let (instance, surroundings) = with_engine();
    let runtime = instance.start();
    let agent = runtime.handle();
    let _ = surroundings.agent.set(agent.clone());
    let id =
        instance.add(&job("waits").step(Subsystem::TSql, "print 'x' waitfor delay '01:00:00'"));
    start(&agent, id).unwrap();
    eventually("the step", || {
        agent
            .execution_of(id)
            .is_some_and(|execution| execution.step.is_some())
    });
    agent.stop_job(id, "boss").unwrap();
    let rows = instance.wait_outcomes(id, 1);
    let shape: Vec<_> = rows.iter().map(|row| (row.step_id, row.status)).collect();
    assert_eq!(shape, [(1, RunStatus::Canceled), (0, RunStatus::Canceled)]);
    assert!(runtime.shut_down());
}

fn a_tsql_step_does_not_run_twice() {
    let mut instance = Instance::new();
    let (reached, when_reached) = sync_channel(1);
    let (go_on, when_going_on) = sync_channel::<()>(1);
    let when_going_on = Mutex::new(when_going_on);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    instance.sessions = Arc::new(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        let _ = reached.send(());
        let _ = when_going_on.lock().unwrap().recv_timeout(BOUND);
        Err(SqlError::new(50_000, 16, "too late"))
    });
    let first = instance.start();
    let id = instance.add(&job("sql").step(Subsystem::TSql, "select 1"));
    start(&first.handle(), id).unwrap();
    when_reached.recv_timeout(BOUND).unwrap();
    drop(first);
    let second = instance.start();
    let rows = instance.wait_outcomes(id, 1);
    assert_eq!(rows[0].status, RunStatus::Failed);
    assert!(
        rows[0].message.contains("cannot be known"),
        "{}",
        rows[0].message
    );
    go_on.send(()).unwrap();
    assert!(second.shut_down());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(instance.rows_of_job(id).len(), 2);
}

fn an_orderly_end() {
    let mut instance = Instance::new();
    instance.limits.shutdown_timeout = SignedDuration::from_millis(50);
    let runtime = instance.start();
    let agent = runtime.handle();
    let id = instance.add(&job("endless").shell("touch up; sleep 1000"));
    start(&agent, id).unwrap();
    eventually("the step", || instance.step_dir().join("up").exists());
    let launcher = launcher_pid(&instance.data);
    let clock = Arc::clone(&instance.clock);
    // The wall clock of this test stands still, so somebody has to move it past the time-out.
    let mover = std::thread::spawn(move || {
        eventually("the end", || {
            *clock.now.lock().unwrap() += SignedDuration::from_millis(1);
            agent.clock_changed();
            rustix::process::test_kill_process(launcher).is_err()
                || std::fs::read_to_string(format!("/proc/{}/stat", launcher.as_raw_nonzero()))
                    .is_ok_and(|stat| stat.contains(") Z"))
        });
    });
    assert!(runtime.shut_down());
    mover.join().unwrap();
    let rows = instance.wait_outcomes(id, 1);
    let shape: Vec<_> = rows.iter().map(|row| (row.step_id, row.status)).collect();
    assert_eq!(shape, [(1, RunStatus::Canceled), (0, RunStatus::Canceled)]);
    assert!(rows[1].message.contains("Shutdown"), "{}", rows[1].message);
}

fn step_logs_and_files() {
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    let written = job("written")
        .shell("echo $(ESCAPE_NONE(STEPCT)) kept")
        .last(|step| {
            step.flags = 16 + 2;
            step.output_file_name = Some("$(ESCAPE_NONE(JOBNAME)).log".to_owned());
        });
    let id = instance.add(&written);
    instance.run(&agent, id);
    instance.run(&agent, id);
    let logs = instance
        .catalog
        .runs_read(|read| read.step_logs(Some(written.steps[0].uid)))
        .unwrap();
    assert_eq!(logs.len(), 1);
    assert_eq!(logs[0].log, "1 kept\n1 kept\n");
    let file = instance.step_dir().join("written.log");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "1 kept\n1 kept\n");
    assert!(runtime.shut_down());
}

fn a_job_that_deletes_itself() {
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    let mut once = job("once").shell("true");
    once.job.delete_level = NotifyLevel::OnSuccess;
    let id = instance.add(&once);
    start(&agent, id).unwrap();
    eventually("the deletion", || {
        instance
            .catalog
            .definitions_read(|read| read.job(id))
            .unwrap()
            .is_none()
    });
    // Readers may see a commit an instant before the agent hears of it.
    eventually("the agent to know", || start(&agent, id).is_err());
    assert!(runtime.shut_down());
}

fn many_at_once() {
    const JOBS: usize = 300;
    let instance = Instance::new();
    let runtime = instance.start();
    let agent = runtime.handle();
    let jobs: Vec<JobId> = (0..JOBS)
        .map(|number| instance.add(&job(&format!("job {number}")).shell(":")))
        .collect();
    let began = Instant::now();
    let commits = instance.catalog.statistics().runs_commits;
    for id in &jobs {
        let run = recorded_later(&instance, *id, agent.session());
        agent.start_recorded_run(run);
    }
    for id in &jobs {
        assert_eq!(instance.wait_outcomes(*id, 1).len(), 2);
    }
    let rate = f64::from(u32::try_from(JOBS).unwrap()) / began.elapsed().as_secs_f64();
    let commits = instance.catalog.statistics().runs_commits - commits;
    println!("    {rate:.0} jobs/s in {commits} commits");
    assert!(runtime.shut_down());
}

/// A START whose row is on its way to the disk with others.
fn recorded_later(instance: &Instance, job: JobId, session: i64) -> NewRun {
    let now = instance.clock.now();
    let run = NewRun {
        id: RunId(Uuid::new_v4()),
        job,
        source: RunSource::Master {
            login: "chief".to_owned(),
        },
        requested: now,
        started: now,
        start_step_id: 1,
        session,
    };
    let stored = run.clone();
    instance
        .catalog
        .submit_runs(
            move |write: &mut dyn catalog::RunsWrite| write.begin_run(&stored).map(drop),
            |result: Result<(), catalog::CatalogError>| result.unwrap(),
        )
        .unwrap();
    run
}
