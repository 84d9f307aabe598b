//! Random schedules, crashes and restarts against a store that loses what is not committed and a launcher that
//! outlives the agent, but not the machine: every due moment starts at most once and is either started or
//! recorded as missed; every durable run gets one outcome; no try is launched twice.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use agent::{
    AdoptedAttempt, AdoptedRow, AdoptedRun, AdoptedState, Agent, AgentAction, AgentInput,
    AttachedSchedule, Launch, StartAt, StartFault, StartRow, StepEnd, StepResult,
};
use common::{NOON, config, every, job, ts};
use jiff::{SignedDuration, Timestamp};
use model::{
    HistoryRow, JobDocument, JobId, RunId, RunSource, RunStatus, ScheduleUid, StepAction, Subday,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use uuid::Uuid;

#[derive(Debug, Clone)]
enum Op {
    /// Time passes, in seconds; the agent wakes when it wants to.
    Pass(i64),
    /// Time passes and the agent is not woken.
    Sleep(i64),
    /// So many of the waiting writes become durable.
    Commit(usize),
    /// The agent dies, and begins again after so many seconds; the machine with it, if so.
    Crash { down: i64, machine: bool },
    /// The agent dies after so many more actions, in the middle of what it wants.
    CrashAfter(usize),
    /// A request for the job of this index; as a START that is durable already, if so.
    Start { job: usize, recorded: bool },
    /// A stop of the job of this index.
    Stop(usize),
    /// The next start row cannot be written.
    Fail,
    /// The clock is set, by so many seconds.
    SetClock(i64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (1..400i64).prop_map(Op::Pass),
        2 => (1..400i64).prop_map(Op::Sleep),
        8 => (1..20usize).prop_map(Op::Commit),
        2 => (0..200i64, any::<bool>()).prop_map(|(down, machine)| Op::Crash { down, machine }),
        1 => (20..100_000i64).prop_map(|down| Op::Crash { down, machine: true }),
        2 => (0..6usize).prop_map(Op::CrashAfter),
        2 => (0..3usize, any::<bool>()).prop_map(|(job, recorded)| Op::Start { job, recorded }),
        1 => (0..3usize).prop_map(Op::Stop),
        1 => Just(Op::Fail),
    ]
}

/// A job with steps, retries and a cycle of step durations and ends.
fn document(number: u128) -> impl Strategy<Value = JobDocument> {
    (
        1..4i32,
        0..3i32,
        0..3i32,
        any::<bool>(),
        proptest::collection::vec(
            prop_oneof![
                (15..200i32).prop_map(Subday::Seconds),
                (1..9i32).prop_map(Subday::Minutes)
            ],
            1..3,
        ),
    )
        .prop_map(move |(steps, attempts, interval, goes_on, subdays)| {
            let mut document = job(steps);
            document.job.id = JobId(Uuid::from_u128(number));
            for step in &mut document.steps {
                step.retry_attempts = attempts;
                step.retry_interval_minutes = interval;
                if goes_on {
                    step.on_fail = StepAction::GoToNextStep;
                }
            }
            for (index, subday) in subdays.into_iter().enumerate() {
                let mut schedule = every(1);
                schedule.subday = subday;
                schedule.uid = ScheduleUid(Uuid::from_u128(
                    number * 10 + u128::try_from(index).unwrap(),
                ));
                document.schedules.push(schedule);
            }
            document
        })
}

/// What is durable.
#[derive(Debug, Default)]
struct Store {
    schedules: BTreeMap<(JobId, ScheduleUid), (Timestamp, Option<Timestamp>)>,
    runs: BTreeMap<RunId, StoredRun>,
    missed: Vec<(JobId, ScheduleUid, Timestamp, Timestamp, u64)>,
}

#[derive(Debug)]
struct StoredRun {
    start: StartRow,
    /// Life of the machine it began in.
    life: u32,
    place: usize,
    rows: Vec<HistoryRow>,
}

impl StoredRun {
    fn ended(&self) -> bool {
        self.rows.last().is_some_and(|row| row.step_id == 0)
    }
}

/// A try as the launcher knows it.
#[derive(Debug, Clone)]
struct Try {
    job: JobId,
    step_id: i32,
    retry: i32,
    started: Timestamp,
    ends: Timestamp,
    end: StepEnd,
    told: bool,
    dead: bool,
}

struct World {
    documents: Vec<JobDocument>,
    agent: Agent,
    now: Timestamp,
    begun: Timestamp,
    store: Store,
    writes: VecDeque<AgentAction>,
    tries: BTreeMap<(RunId, u32), Try>,
    life: u32,
    boots: u32,
    requests: u128,
    fail_next: bool,
    crash_after: Option<usize>,
    clock_was_set: bool,
}

impl World {
    fn new(documents: Vec<JobDocument>) -> Self {
        let now = ts(NOON);
        let mut world = Self {
            documents,
            agent: Agent::new(config(), now),
            now,
            begun: now,
            store: Store::default(),
            writes: VecDeque::new(),
            tries: BTreeMap::new(),
            life: 0,
            boots: 0,
            requests: 0,
            fail_next: false,
            crash_after: None,
            clock_was_set: false,
        };
        // The store knows since when a schedule counts.
        for document in &world.documents {
            for schedule in &document.schedules {
                world
                    .store
                    .schedules
                    .insert((document.job.id, schedule.uid), (now, None));
            }
        }
        world.boot();
        world
    }

    fn boot(&mut self) {
        self.boots += 1;
        let boot = self.boots;
        self.writes.clear();
        self.agent = Agent::new(config(), self.now);
        for document in self.documents.clone() {
            let schedules = document
                .schedules
                .iter()
                .map(|schedule| {
                    let (accounted, next) = self.store.schedules[&(document.job.id, schedule.uid)];
                    AttachedSchedule {
                        uid: schedule.uid,
                        schedule_id: 1,
                        accounted: Some(accounted),
                        next,
                    }
                })
                .collect();
            let document = Box::new(document);
            self.tell(AgentInput::JobChanged {
                document,
                schedules,
            });
            if self.boots != boot {
                // The agent died while it was told, and was told everything anew.
                return;
            }
        }
        let mut active: Vec<_> = self
            .store
            .runs
            .iter()
            .filter(|(_, run)| !run.ended())
            .map(|(id, run)| (run.place, *id))
            .collect();
        active.sort_unstable();
        for (_, id) in active {
            let adopted = self.adopted(id);
            self.tell(AgentInput::Adopt(Box::new(adopted)));
        }
        self.tell(AgentInput::Started);
    }

    fn adopted(&mut self, id: RunId) -> AdoptedRun {
        let run = &self.store.runs[&id];
        let rows = u32::try_from(run.rows.len()).unwrap();
        let mut attempts = Vec::new();
        for ((_, sequence), known) in self.tries.range_mut((id, rows)..=(id, u32::MAX)) {
            if known.dead {
                continue;
            }
            known.told = known.ends <= self.now;
            let state = if known.told {
                AdoptedState::Ended(Box::new(result(known)))
            } else {
                AdoptedState::Running
            };
            attempts.push(AdoptedAttempt {
                sequence: *sequence,
                step_id: known.step_id,
                retry: known.retry,
                state,
            });
        }
        AdoptedRun {
            run: id,
            job: run.start.job,
            source: run.start.source.clone(),
            requested: run.start.requested,
            started: run.start.started,
            start_step_id: run.start.start_step_id,
            rows,
            last_row: run.rows.last().map(|row| AdoptedRow {
                step_id: row.step_id,
                status: row.status,
                retries_attempted: row.retries_attempted,
                ended: row
                    .started
                    .checked_add(SignedDuration::from_millis(
                        i64::try_from(row.duration_ms).unwrap(),
                    ))
                    .unwrap(),
            }),
            executions: Vec::new(),
            attempts,
            attempts_complete: run.life == self.life,
        }
    }

    fn tell(&mut self, input: AgentInput) {
        self.agent.handle(input, self.now);
        self.act();
    }

    fn wake(&mut self) {
        self.agent.handle_timeout(self.now);
        self.act();
    }

    fn act(&mut self) {
        while let Some(action) = self.agent.poll_action() {
            if let Some(left) = &mut self.crash_after {
                if *left == 0 {
                    self.crash_after = None;
                    self.boot();
                    return;
                }
                *left -= 1;
            }
            match action {
                AgentAction::LaunchStep(launch) => self.launch(&launch),
                AgentAction::StopStep { run, sequence, .. } => {
                    let now = self.now;
                    let known = self
                        .tries
                        .get_mut(&(run, sequence))
                        .expect("it was launched");
                    if known.ends > now {
                        known.ends = now;
                        known.end = StepEnd::Stopped;
                    }
                }
                AgentAction::Refused(_) => {}
                AgentAction::DeleteJob { .. }
                | AgentAction::ForgetSchedule { .. }
                | AgentAction::ShutdownComplete => panic!("not asked for: {action:?}"),
                AgentAction::RecordStart(_)
                | AgentAction::RecordStep(_)
                | AgentAction::RecordOutcome(_)
                | AgentAction::RecordMissed { .. }
                | AgentAction::NextRun { .. } => self.writes.push_back(action),
            }
        }
    }

    fn launch(&mut self, launch: &Launch) {
        let job = launch.document.job.id;
        assert!(
            self.store.runs.contains_key(&launch.run),
            "launched before its start was durable"
        );
        for known in self.tries.values() {
            assert!(
                known.dead || known.job != job || known.ends <= self.now,
                "two steps of a job at once"
            );
        }
        // Durations and ends that follow from the try itself.
        let mix = launch.run.0.as_u128() ^ u128::from(launch.sequence).wrapping_mul(0x9e37_79b9);
        let seconds = i64::try_from(mix % 97).unwrap();
        let end = match mix % 5 {
            0 => StepEnd::Failed,
            1 => StepEnd::Exited(i32::from(mix.is_multiple_of(2))),
            _ => StepEnd::Succeeded,
        };
        let known = Try {
            job,
            step_id: launch.step().step_id,
            retry: launch.retry,
            started: self.now,
            ends: self
                .now
                .checked_add(SignedDuration::from_secs(seconds))
                .unwrap(),
            end,
            told: false,
            dead: false,
        };
        let before = self.tries.insert((launch.run, launch.sequence), known);
        // A machine that died leaves the wall clock alone to say whether a retry's wait was over.
        let misled = |before: &Try| before.dead && self.clock_was_set;
        assert!(
            before.as_ref().is_none_or(misled),
            "the same try was launched twice: {before:?}"
        );
    }

    fn collect(&mut self) {
        let ended: Vec<_> = self
            .tries
            .iter_mut()
            .filter(|(_, known)| !known.told && !known.dead && known.ends <= self.now)
            .map(|(key, known)| {
                known.told = true;
                (*key, result(known))
            })
            .collect();
        for ((run, sequence), result) in ended {
            self.tell(AgentInput::StepEnded {
                run,
                sequence,
                result: Box::new(result),
            });
        }
    }

    fn commit(&mut self, count: usize) {
        for _ in 0..count {
            let Some(write) = self.writes.pop_front() else {
                return;
            };
            match write {
                AgentAction::RecordStart(row) => self.commit_start(*row),
                AgentAction::RecordStep(row) => self.commit_row(*row),
                AgentAction::RecordOutcome(row) => {
                    let run = row.run_id;
                    self.commit_row(*row);
                    self.tell(AgentInput::OutcomeRecorded { run });
                }
                AgentAction::RecordMissed {
                    job,
                    first,
                    last,
                    count,
                    progress,
                    ..
                } => {
                    self.store
                        .missed
                        .push((job, progress.schedule, first, last, count));
                    self.progress(job, &[progress]);
                }
                AgentAction::NextRun { job, progress } => self.progress(job, &[progress]),
                AgentAction::LaunchStep(_)
                | AgentAction::StopStep { .. }
                | AgentAction::ForgetSchedule { .. }
                | AgentAction::Refused(_)
                | AgentAction::DeleteJob { .. }
                | AgentAction::ShutdownComplete => unreachable!("not a write"),
            }
        }
    }

    fn commit_start(&mut self, row: StartRow) {
        let run = row.run;
        if std::mem::take(&mut self.fail_next) {
            let fault = StartFault::Failed("full".to_owned());
            self.tell(AgentInput::StartNotRecorded { run, fault });
        } else if self.store.runs.contains_key(&run) {
            assert!(self.clock_was_set, "a moment came twice");
            let fault = StartFault::Duplicate;
            self.tell(AgentInput::StartNotRecorded { run, fault });
        } else {
            self.progress(row.job, &row.progress);
            self.insert_run(row);
            self.tell(AgentInput::StartRecorded { run });
        }
    }

    fn insert_run(&mut self, start: StartRow) {
        let (life, place) = (self.life, self.store.runs.len());
        let run = StoredRun {
            life,
            place,
            rows: Vec::new(),
            start,
        };
        self.store.runs.insert(run.start.run, run);
    }

    fn commit_row(&mut self, row: HistoryRow) {
        let run = self
            .store
            .runs
            .get_mut(&row.run_id)
            .expect("start rows come first");
        assert!(!run.ended(), "a row after the outcome");
        assert_eq!(usize::try_from(row.row).unwrap(), run.rows.len());
        run.rows.push(row);
    }

    fn progress(&mut self, job: JobId, all: &[agent::ScheduleProgress]) {
        for progress in all {
            let stored = self
                .store
                .schedules
                .get_mut(&(job, progress.schedule))
                .unwrap();
            *stored = (stored.0.max(progress.accounted), progress.next);
        }
    }

    fn request(&mut self, job: usize, recorded: bool) {
        let document = &self.documents[job % self.documents.len()];
        let (job, start_step_id) = (document.job.id, document.job.start_step_id);
        self.requests += 1;
        let run = RunId(Uuid::from_u128(self.requests << 64));
        let source = RunSource::Master {
            login: "m".to_owned(),
        };
        if recorded {
            // With the cursor, in a transaction of its own.
            self.insert_run(StartRow {
                run,
                job,
                source: source.clone(),
                requested: self.now,
                started: self.now,
                start_step_id,
                progress: Vec::new(),
            });
        }
        self.tell(AgentInput::StartRequested {
            job,
            run,
            source,
            start_at: StartAt::JobStart,
            already_recorded: recorded,
        });
    }

    fn pass(&mut self, seconds: i64) {
        let until = self
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap();
        loop {
            let timeout = self.agent.poll_timeout();
            let ended = self
                .tries
                .values()
                .filter(|known| !known.told && !known.dead)
                .map(|known| known.ends)
                .min();
            match timeout.into_iter().chain(ended).min() {
                Some(next) if next <= until => {
                    self.now = self.now.max(next);
                    self.collect();
                    self.wake();
                }
                _ => break,
            }
        }
        self.now = until;
        self.collect();
        self.wake();
    }

    fn step(&mut self, op: &Op) {
        match *op {
            Op::Pass(seconds) => self.pass(seconds),
            Op::Sleep(seconds) => {
                self.now = self
                    .now
                    .checked_add(SignedDuration::from_secs(seconds))
                    .unwrap();
            }
            Op::Commit(count) => self.commit(count),
            Op::Crash { down, machine } => {
                if machine {
                    self.life += 1;
                    for known in self.tries.values_mut() {
                        known.dead = true;
                    }
                }
                self.now = self
                    .now
                    .checked_add(SignedDuration::from_secs(down))
                    .unwrap();
                self.boot();
            }
            Op::CrashAfter(actions) => self.crash_after = Some(actions),
            Op::Start { job, recorded } => self.request(job, recorded),
            Op::Stop(job) => {
                let job = self.documents[job % self.documents.len()].job.id;
                let by = "ops".to_owned();
                self.tell(AgentInput::StopRequested { job, by });
            }
            Op::Fail => self.fail_next = true,
            Op::SetClock(seconds) => {
                self.clock_was_set = true;
                // Processes do not follow the wall clock.
                let step = SignedDuration::from_secs(seconds);
                for known in self.tries.values_mut() {
                    known.ends = known.ends.saturating_add(step).unwrap();
                }
                self.now = self
                    .now
                    .saturating_add(SignedDuration::from_secs(seconds))
                    .unwrap();
                self.tell(AgentInput::ClockChanged);
            }
        }
    }

    /// Lets everything that is going on come to its end, without anything new going wrong.
    fn settle(&mut self) {
        self.crash_after = None;
        self.fail_next = false;
        for document in &mut self.documents {
            document.job.enabled = false;
        }
        self.wake();
        for document in self.documents.clone() {
            self.tell(AgentInput::JobChanged {
                document: Box::new(document),
                schedules: Vec::new(),
            });
        }
        // Each round ends a step or a retry's wait at the least.
        for _ in 0..40 {
            self.commit(usize::MAX);
            self.pass(200);
        }
        self.commit(usize::MAX);
    }

    fn check_runs(&self) {
        for (id, run) in &self.store.runs {
            assert!(run.ended(), "{id} has no outcome: {run:?}");
            let steps = &run.rows[..run.rows.len() - 1];
            assert!(steps.iter().all(|row| row.step_id > 0));
            assert!(steps.iter().all(|row| row.status != RunStatus::InProgress));
            for row in steps {
                let known = self.tries.get(&(*id, row.row));
                assert!(
                    known.is_some() || row.status == RunStatus::Failed,
                    "a row of a try that was never launched: {row:?}"
                );
            }
        }
        for ((run, sequence), known) in &self.tries {
            let rows = &self.store.runs[run].rows;
            let recorded = rows
                .iter()
                .any(|row| row.row == *sequence && row.step_id == known.step_id);
            // A machine that died took the rows along that were not durable; the outcome is a failed one.
            let failed = rows
                .last()
                .is_some_and(|row| row.status == RunStatus::Failed);
            let lost = known.dead && failed;
            assert!(recorded || lost, "a try without its row");
        }
    }

    fn check_moments(&self, until: Timestamp) {
        for document in &self.documents {
            let job = document.job.id;
            for schedule in &document.schedules {
                // Moments of this schedule that a start accounted for.
                let started: BTreeSet<Timestamp> = self
                    .store
                    .runs
                    .values()
                    .filter(|run| run.start.job == job)
                    .filter(|run| {
                        run.start
                            .progress
                            .iter()
                            .any(|p| p.schedule == schedule.uid)
                    })
                    .filter_map(|run| match &run.start.source {
                        RunSource::Schedule { due, .. } => Some(*due),
                        RunSource::User { .. }
                        | RunSource::Master { .. }
                        | RunSource::AgentStart { .. } => None,
                    })
                    .collect();
                let spans: Vec<_> = self
                    .store
                    .missed
                    .iter()
                    .filter(|(j, s, ..)| (*j, *s) == (job, schedule.uid))
                    .collect();
                let zone = jiff::tz::TimeZone::UTC;
                let mut missed = 0;
                for due in
                    schedule::upcoming(schedule, self.begun, &zone).take_while(|d| *d <= until)
                {
                    let covering = spans
                        .iter()
                        .filter(|(.., first, last, _)| (*first..=*last).contains(&due))
                        .count();
                    let begun = usize::from(started.contains(&due));
                    assert_eq!(
                        begun + covering,
                        1,
                        "{due} of {schedule:?}: started {begun}, missed {covering} times"
                    );
                    missed += u64::try_from(covering).unwrap();
                }
                let counted: u64 = spans.iter().map(|(.., count)| count).sum();
                assert_eq!(missed, counted);
            }
        }
    }
}

fn result(known: &Try) -> StepResult {
    StepResult {
        end: known.end,
        message: String::new(),
        sql_message_id: 0,
        sql_severity: 0,
        output: None,
        started: known.started,
        ended: known.ends,
    }
}

fn documents() -> impl Strategy<Value = Vec<JobDocument>> {
    (document(1), document(2)).prop_map(|(a, b)| vec![a, b])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_moment_once(
        documents in documents(),
        ops in proptest::collection::vec(op(), 1..80),
    ) {
        let mut world = World::new(documents);
        for op in &ops {
            world.step(op);
        }
        let until = world.now;
        world.settle();
        world.check_runs();
        world.check_moments(until);
    }

    #[test]
    fn clocks_that_are_set(
        documents in documents(),
        ops in proptest::collection::vec(
            prop_oneof![6 => op(), 1 => (-100_000..100_000i64).prop_map(Op::SetClock), 1 => (-900..900i64).prop_map(Op::SetClock)],
            1..80,
        ),
    ) {
        let mut world = World::new(documents);
        for op in &ops {
            world.step(op);
        }
        // However the clock was set, schedules are alive again within the bound.
        world.crash_after = None;
        let bound = config().limits.clock_step_back_max;
        world.pass(1);
        for entry in world.agent.activity() {
            let next = entry.next.expect("an endless schedule").at;
            let longest = SignedDuration::from_mins(10);
            prop_assert!(next.duration_since(world.now) <= bound.saturating_add(longest));
        }
        world.settle();
        world.check_runs();
    }
}
