//! An agent at a desk: tell it something, read what it wants as short lines.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use agent::{
    Agent, AgentAction, AgentConfig, AgentInput, AgentLimits, AttachedSchedule, RefusedRequest,
    StartAt, StepEnd, StepResult,
};
use jiff::civil::{Time, date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{
    CategoryId, Frequency, HistoryRow, InstanceId, Job, JobDocument, JobId, JobStep, NotifyLevel,
    OperatorId, RunId, RunSource, Schedule, ScheduleUid, StepAction, StepUid, Subday, Subsystem,
};
use uuid::Uuid;

/// Monday noon.
pub(crate) const NOON: &str = "2026-03-02T12:00:00Z";
pub(crate) const JOB: JobId = JobId(Uuid::from_u128(1));
pub(crate) const NIGHTLY: ScheduleUid = ScheduleUid(Uuid::from_u128(100));

pub(crate) fn ts(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn config() -> AgentConfig {
    AgentConfig {
        instance: InstanceId(Uuid::from_u128(0xabc)),
        server: "SRV".to_owned(),
        time_zone: TimeZone::UTC,
        limits: AgentLimits::DEFAULT,
    }
}

/// A job "backup" with steps named `s1`, `s2`, … that go on to the next on success and quit on failure.
pub(crate) fn job(steps: i32) -> JobDocument {
    let never = NotifyLevel::Never;
    let at = Timestamp::UNIX_EPOCH;
    JobDocument {
        job: Job {
            id: JOB,
            originating_server: None,
            name: "backup".to_owned(),
            enabled: true,
            description: None,
            start_step_id: 1,
            category: CategoryId(0),
            owner_sid: vec![1],
            notify_level_eventlog: never,
            notify_level_email: never,
            notify_level_netsend: never,
            notify_level_page: never,
            notify_email_operator: OperatorId(0),
            notify_netsend_operator: OperatorId(0),
            notify_page_operator: OperatorId(0),
            delete_level: never,
            created: at,
            modified: at,
            version: 1,
        },
        steps: (1..=steps).map(|id| step(id, steps)).collect(),
        schedules: Vec::new(),
        owner_login: "sa".to_owned(),
        category_name: "[Uncategorized (Local)]".to_owned(),
    }
}

fn step(id: i32, last: i32) -> JobStep {
    JobStep {
        step_id: id,
        uid: StepUid(Uuid::from_u128(1_000 + u128::try_from(id).unwrap())),
        name: format!("s{id}"),
        subsystem: Subsystem::CmdExec,
        command: Some("true".to_owned()),
        flags: 0,
        additional_parameters: None,
        cmdexec_success_code: 0,
        on_success: if id == last {
            StepAction::QuitWithSuccess
        } else {
            StepAction::GoToNextStep
        },
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
    }
}

/// A schedule "nightly" every day at 02:30.
pub(crate) fn nightly() -> Schedule {
    let at = Timestamp::UNIX_EPOCH;
    Schedule {
        uid: NIGHTLY,
        name: "nightly".to_owned(),
        originating_server: None,
        owner_sid: vec![1],
        enabled: true,
        frequency: Frequency::Daily { every_days: 1 },
        subday: Subday::Once,
        raw: [1, 1, 0, 0, 0],
        active_start_date: date(2026, 1, 1),
        active_end_date: date(9999, 12, 31),
        active_start_time: time(2, 30, 0, 0),
        active_end_time: time(23, 59, 59, 0),
        created: at,
        modified: at,
        version: 1,
    }
}

/// A schedule every so many minutes, all day.
pub(crate) fn every(minutes: i32) -> Schedule {
    Schedule {
        subday: Subday::Minutes(minutes),
        active_start_time: Time::midnight(),
        ..nightly()
    }
}

pub(crate) fn scheduled(schedule: Schedule) -> JobDocument {
    JobDocument {
        schedules: vec![schedule],
        ..job(1)
    }
}

pub(crate) fn run_id(number: u128) -> RunId {
    RunId(Uuid::from_u128(number << 64))
}

pub(crate) fn attached(uid: ScheduleUid, accounted: Option<&str>) -> AttachedSchedule {
    AttachedSchedule {
        uid,
        schedule_id: 7,
        accounted: accounted.map(ts),
        next: None,
    }
}

pub(crate) struct Desk {
    pub(crate) agent: Agent,
    pub(crate) now: Timestamp,
    /// The run that began or was launched last, and its try.
    pub(crate) run: RunId,
    pub(crate) sequence: u32,
    pub(crate) rows: Vec<HistoryRow>,
}

impl Desk {
    /// An agent that is still loading.
    pub(crate) fn loading(config: AgentConfig, now: &str) -> Self {
        Self {
            agent: Agent::new(config, ts(now)),
            now: ts(now),
            run: run_id(0),
            sequence: 0,
            rows: Vec::new(),
        }
    }

    /// An agent at work since noon, with this job.
    pub(crate) fn with(document: JobDocument) -> Self {
        let mut desk = Self::loading(config(), NOON);
        desk.load(document, None);
        desk.tell(AgentInput::Started);
        desk
    }

    pub(crate) fn load(&mut self, document: JobDocument, accounted: Option<&str>) -> Vec<String> {
        let schedules = document
            .schedules
            .iter()
            .map(|s| attached(s.uid, accounted))
            .collect();
        self.tell(AgentInput::JobChanged {
            document: Box::new(document),
            schedules,
        })
    }

    pub(crate) fn tell(&mut self, input: AgentInput) -> Vec<String> {
        self.agent.handle(input, self.now);
        self.lines()
    }

    /// Sets the clock to a time of the same day, or to a whole instant, and wakes the agent.
    pub(crate) fn wake(&mut self, at: &str) -> Vec<String> {
        self.now = if at.contains('T') {
            ts(at)
        } else {
            ts(&format!("2026-03-02T{at}Z"))
        };
        self.agent.handle_timeout(self.now);
        self.lines()
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.now = self
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap();
    }

    pub(crate) fn start(&mut self, number: u128) -> Vec<String> {
        self.start_at(number, StartAt::JobStart, false)
    }

    pub(crate) fn start_at(
        &mut self,
        number: u128,
        start_at: StartAt,
        already_recorded: bool,
    ) -> Vec<String> {
        self.tell(AgentInput::StartRequested {
            job: JOB,
            run: run_id(number),
            source: RunSource::User {
                login: "sa".to_owned(),
            },
            start_at,
            already_recorded,
        })
    }

    /// Starts a run and makes its start durable.
    pub(crate) fn started(&mut self, number: u128) -> Vec<String> {
        self.start(number);
        self.recorded()
    }

    pub(crate) fn recorded(&mut self) -> Vec<String> {
        self.tell(AgentInput::StartRecorded { run: self.run })
    }

    /// Ends the running step ten seconds later.
    pub(crate) fn end(&mut self, end: StepEnd) -> Vec<String> {
        let started = self.now;
        self.pass(10);
        let result = self.result(end, started);
        self.tell(AgentInput::StepEnded {
            run: self.run,
            sequence: self.sequence,
            result: Box::new(result),
        })
    }

    pub(crate) fn result(&self, end: StepEnd, started: Timestamp) -> StepResult {
        StepResult {
            end,
            message: "Out.".to_owned(),
            sql_message_id: 0,
            sql_severity: 0,
            output: None,
            started,
            ended: self.now,
        }
    }

    pub(crate) fn outcome_recorded(&mut self) -> Vec<String> {
        self.tell(AgentInput::OutcomeRecorded { run: self.run })
    }

    pub(crate) fn stop(&mut self, by: &str) -> Vec<String> {
        self.tell(AgentInput::StopRequested {
            job: JOB,
            by: by.to_owned(),
        })
    }

    pub(crate) fn status(&self) -> i32 {
        self.agent.activity_of(JOB).unwrap().status().code()
    }

    pub(crate) fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(action) = self.agent.poll_action() {
            lines.push(self.line(action));
        }
        lines
    }

    fn line(&mut self, action: AgentAction) -> String {
        let next = |at: Option<Timestamp>| at.map_or("never".to_owned(), |at| at.to_string());
        match action {
            AgentAction::RecordStart(row) => {
                self.run = row.run;
                let progress: Vec<String> = row
                    .progress
                    .iter()
                    .map(|p| format!(", {} next {}", p.accounted, next(p.next)))
                    .collect();
                let due = match &row.source {
                    RunSource::Schedule { due, .. } => format!("due {due}"),
                    RunSource::User { login } | RunSource::Master { login } => {
                        format!("by {login}")
                    }
                    RunSource::AgentStart { .. } => "agent start".to_owned(),
                };
                format!(
                    "record start at step {} {due}{}",
                    row.start_step_id,
                    progress.concat()
                )
            }
            AgentAction::LaunchStep(launch) => {
                self.run = launch.run;
                self.sequence = launch.sequence;
                let step = launch.step().step_id;
                let (sequence, retry) = (launch.sequence, launch.retry);
                format!(
                    "launch #{sequence} step {step} retry {retry} count {}",
                    launch.executions
                )
            }
            AgentAction::StopStep {
                sequence, force, ..
            } => format!("{} #{sequence}", if force { "kill" } else { "stop" }),
            AgentAction::RecordStep(row) | AgentAction::RecordOutcome(row) => {
                let line = format!(
                    "row {} step {} {:?} {}s: {}",
                    row.row,
                    row.step_id,
                    row.status,
                    row.duration_ms / 1_000,
                    row.message
                );
                self.rows.push(*row);
                line
            }
            AgentAction::RecordMissed {
                reason,
                first,
                last,
                count,
                progress,
                ..
            } => {
                assert!(progress.accounted >= last, "{progress:?}");
                format!(
                    "missed {count} {reason:?} {first}..{last} next {}",
                    next(progress.next)
                )
            }
            AgentAction::NextRun { progress, .. } => {
                format!(
                    "accounted {} next {}",
                    progress.accounted,
                    next(progress.next)
                )
            }
            AgentAction::ForgetSchedule { .. } => "forget schedule".to_owned(),
            AgentAction::Refused(refusal) => {
                let what = match refusal.request {
                    RefusedRequest::Start { .. } => "start",
                    RefusedRequest::Stop { .. } => "stop",
                };
                format!("refused {what}: {}", refusal.why)
            }
            AgentAction::DeleteJob { .. } => "delete job".to_owned(),
            AgentAction::ShutdownComplete => "shutdown complete".to_owned(),
        }
    }
}
