//! A target: the real link and the real agent over a simulated store and launcher.

pub(crate) mod launcher;
pub(crate) mod store;

use crate::context::Context;
use crate::event::{ConnectionId, Event, Life, Node, Which};
use crate::file::File;
use crate::options::Broken;
use crate::time::{HOUR, MINUTE, Micros, SECOND, wall, when};
use agent::{
    AdoptedRun, Agent, AgentAction, AgentConfig, AgentInput, AgentLimits, AttachedSchedule, Launch,
    ScheduleProgress, StartAt, StartFault, StartRow, StepEnd,
};
use fleet::enlist::EnlistCall;
use fleet::message::{EnlistRequest, InstructionText, Proof, TargetFacts};
use fleet::{
    DefinitionsApplied, FrameReader, Moment, PROTOCOL_VERSION, TargetConfig, TargetEvent,
    TargetLink, TargetState, numbers,
};
use jiff::tz::TimeZone;
use launcher::Launcher;
use model::{
    Cursor, Generation, InstanceId, Instruction, InstructionBody, JobDocument, JobId, RunId,
    RunSource, ScheduleUid,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use store::{Define, Definitions, Membership, Record, RunRow, Runs, Timing};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) index: usize,
    pub(crate) instance: InstanceId,
    master: InstanceId,
    pub(crate) life: Life,
    boot: Life,
    skew: i64,
    jumps: u32,
    pub(crate) definitions: File<Definitions, DefineDone>,
    pub(crate) runs: File<Runs, RecordDone>,
    launcher: Launcher,
    alive: Option<Box<Alive>>,
    /// Whether jobs that make trouble are taken.
    pub(crate) put_right: bool,
    /// Whether an instruction of it was given up, so that only a re-sync makes it whole.
    pub(crate) given_up: bool,
    /// The token of an enlistment that was asked for and not answered yet.
    token: Option<Uuid>,
    /// Connection attempts so far.
    attempts: u64,
}

/// What a crash takes away.
#[derive(Debug)]
struct Alive {
    agent: Agent,
    link: Option<Link>,
    enlisting: Option<Enlisting>,
    agent_wake: Option<Micros>,
    /// Writes that found no room, in order.
    stuck: VecDeque<(Record, RecordDone)>,
    /// Callers to be told that their write failed.
    failed: Vec<Failed>,
    /// Schedules as the agent was told them.
    timings: BTreeMap<(JobId, ScheduleUid), Arc<model::Schedule>>,
}

#[derive(Debug)]
struct Link {
    machine: TargetLink,
    generation: Generation,
    connection: Option<(ConnectionId, FrameReader)>,
    attempt: u64,
    wake: Option<Micros>,
}

#[derive(Debug)]
struct Enlisting {
    connection: ConnectionId,
    reader: FrameReader,
    call: EnlistCall,
}

#[derive(Debug)]
pub(crate) enum DefineDone {
    Applied(Generation),
    Defected,
    Enlisted,
    /// A broken node's: its cursor moved before.
    AppliedLate,
}

#[derive(Debug)]
pub(crate) enum RecordDone {
    Cursor(Generation),
    Orders(Box<OrdersDone>),
    Start(RunId),
    Outcome(RunId),
    /// A broken node's: its definitions follow.
    CursorTooEarly(Generation, Vec<Instruction>),
    Nothing,
}

#[derive(Debug)]
pub(crate) struct OrdersDone {
    generation: Generation,
    refusals: Vec<Option<String>>,
    starts: Vec<(RunId, JobId, RunSource, StartAt)>,
    stops: Vec<JobId>,
}

#[derive(Debug)]
enum Failed {
    Store(Generation),
    Start(RunId),
}

impl Target {
    pub(crate) fn new(index: usize, master: InstanceId, ctx: &mut Context) -> Self {
        let broken = ctx.options.broken;
        Self {
            index,
            instance: InstanceId(ctx.random.uuid()),
            master,
            life: 0,
            boot: 0,
            skew: 0,
            jumps: 0,
            definitions: File::new(Definitions::default()),
            runs: File::new(Runs::new(broken)),
            launcher: Launcher::default(),
            alive: None,
            put_right: false,
            given_up: false,
            token: None,
            attempts: 0,
        }
    }

    const fn node(&self) -> Node {
        Node::Target(self.index)
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.alive.is_some()
    }

    /// Whether an enlistment is under way.
    pub(crate) const fn is_enlisting(&self) -> bool {
        self.token.is_some()
    }

    pub(crate) fn membership(&self) -> Option<Membership> {
        self.definitions.durable.enlistment
    }

    fn moment(&self, ctx: &Context) -> Moment {
        ctx.clock.moment(ctx.now, self.skew)
    }

    /// Begins a life: machines are made anew from what is durable.
    pub(crate) fn start(&mut self, ctx: &mut Context) {
        if self.alive.is_some() {
            return;
        }
        self.life += 1;
        let index = self.index;
        ctx.say(|| format!("target {index}: starts"));
        let now = wall(ctx.now, self.skew);
        let mut agent = Agent::new(
            AgentConfig {
                instance: self.instance,
                server: format!("TARGET{}", self.index),
                time_zone: TimeZone::UTC,
                limits: AgentLimits::DEFAULT,
            },
            now,
        );
        let mut timings = BTreeMap::new();
        for document in self.definitions.durable.jobs.values() {
            note_timings(&mut timings, document);
            agent.handle(self.job_changed(document), now);
        }
        let runs = &self.runs.durable.runs;
        for (run, row) in runs.iter().filter(|(_, row)| !row.ended) {
            agent.handle(AgentInput::Adopt(Box::new(self.adopted(*run, row))), now);
        }
        agent.handle(AgentInput::Started, now);
        self.alive = Some(Box::new(Alive {
            agent,
            link: None,
            enlisting: None,
            agent_wake: None,
            stuck: VecDeque::new(),
            failed: Vec::new(),
            timings,
        }));
        self.open_link(ctx);
        if self.token.is_some() {
            ctx.after(SECOND, Event::Enlist { target: self.index });
        }
        self.settle(ctx);
    }

    fn adopted(&self, run: RunId, row: &RunRow) -> AdoptedRun {
        AdoptedRun {
            run,
            job: row.job,
            source: row.source.clone(),
            requested: row.requested,
            started: row.started,
            start_step_id: row.start_step_id,
            rows: row.rows,
            last_row: row.last_row,
            executions: Vec::new(),
            attempts: self.launcher.attempts(run),
            attempts_complete: row.boot == self.boot,
        }
    }

    fn job_changed(&self, document: &Arc<JobDocument>) -> AgentInput {
        let job = document.job.id;
        let schedules = document
            .schedules
            .iter()
            .filter_map(|schedule| {
                let stored = self.runs.current().schedules.get(&(job, schedule.uid))?;
                Some(AttachedSchedule {
                    uid: schedule.uid,
                    schedule_id: 1,
                    accounted: Some(stored.progress.accounted),
                    next: stored.progress.next,
                })
            })
            .collect();
        AgentInput::JobChanged {
            document: Box::new(JobDocument::clone(document)),
            schedules,
        }
    }

    fn open_link(&mut self, ctx: &mut Context) {
        let Some(membership) = self.definitions.durable.enlistment else {
            return;
        };
        let moment = self.moment(ctx);
        let runs = &self.runs.durable;
        let machine = TargetLink::new(
            TargetConfig {
                instance: self.instance,
                facts: self.facts(),
                master: self.master,
                generation: membership.generation,
                poll_interval_secs: membership.poll_interval_secs,
                seed: ctx.random.next(),
            },
            TargetState {
                cursor: runs.cursor(membership.generation),
                reports_acknowledged: runs.acknowledged,
                refused: runs.refused(membership.generation),
                incarnation_seen: None,
            },
            moment,
        );
        if let Some(alive) = &mut self.alive {
            alive.link = Some(Link {
                machine,
                generation: membership.generation,
                connection: None,
                attempt: 0,
                wake: None,
            });
        }
    }

    fn facts(&self) -> TargetFacts {
        TargetFacts {
            name: format!("TARGET{}", self.index),
            location: None,
            utc_offset_minutes: 0,
            program_version: "sim".to_owned(),
        }
    }

    /// Ends a life: the process dies, and with `machine` its processes too.
    pub(crate) fn crash(&mut self, machine: bool, ctx: &mut Context) {
        let index = self.index;
        ctx.say(|| format!("target {index}: dies, machine {machine}"));
        ctx.stats.crashes += 1;
        self.alive = None;
        self.life += 1;
        self.definitions.crash(&mut ctx.random);
        self.runs.crash(&mut ctx.random);
        self.check_store(ctx);
        if machine {
            self.boot += 1;
            self.launcher.clear();
        }
        ctx.close_all(self.node());
    }

    pub(crate) fn jump_clock(&mut self, by: i64, ctx: &mut Context) {
        // Clocks never show a time before the simulation's first day.
        self.skew = (self.skew + by).clamp(-20 * 3_600_000_000, 200 * 3_600_000_000);
        self.jumps += 1;
        self.tell_agent(AgentInput::ClockChanged, ctx);
    }

    fn tell_agent(&mut self, input: AgentInput, ctx: &mut Context) {
        let now = wall(ctx.now, self.skew);
        if let Some(alive) = &mut self.alive {
            alive.agent.handle(input, now);
        }
        self.settle(ctx);
    }

    /// Does something with the link, where there is one, and what follows from it.
    fn with_link(&mut self, ctx: &mut Context, act: impl FnOnce(&mut TargetLink, Moment)) {
        let moment = self.moment(ctx);
        if let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.as_mut()) {
            act(&mut link.machine, moment);
        }
        self.settle(ctx);
    }

    /// As [`with_link`](Self::with_link), for the link of one enlistment.
    fn with_link_of(
        &mut self,
        generation: Generation,
        ctx: &mut Context,
        act: impl FnOnce(&mut TargetLink, Moment),
    ) {
        let same = self
            .alive
            .as_ref()
            .and_then(|alive| alive.link.as_ref())
            .is_some_and(|link| link.generation == generation);
        if same {
            self.with_link(ctx, act);
        }
    }

    pub(crate) fn leave(&mut self, ctx: &mut Context) {
        self.with_link(ctx, TargetLink::leave);
    }

    pub(crate) fn force_poll(&mut self, ctx: &mut Context) {
        self.with_link(ctx, TargetLink::force_poll);
    }

    pub(crate) fn agent_due(&mut self, ctx: &mut Context) {
        let now = wall(ctx.now, self.skew);
        if let Some(alive) = &mut self.alive {
            alive.agent_wake = None;
            alive.agent.handle_timeout(now);
        }
        self.settle(ctx);
    }

    pub(crate) fn link_due(&mut self, ctx: &mut Context) {
        if let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.as_mut()) {
            link.wake = None;
        }
        self.with_link(ctx, TargetLink::handle_timeout);
    }

    pub(crate) fn process_ended(&mut self, boot: Life, process: u64, ctx: &mut Context) {
        if boot != self.boot {
            return;
        }
        let end = if ctx.random.permille(800) {
            StepEnd::Exited(0)
        } else {
            StepEnd::Exited(1)
        };
        self.end_process(process, end, ctx);
    }

    fn end_process(&mut self, process: u64, end: StepEnd, ctx: &mut Context) {
        let now = wall(ctx.now, self.skew);
        if let Some((run, sequence, result)) = self.launcher.end(process, end, now) {
            let result = Box::new(result);
            self.tell_agent(
                AgentInput::StepEnded {
                    run,
                    sequence,
                    result,
                },
                ctx,
            );
        }
    }

    // The network's side.

    pub(crate) fn connected(
        &mut self,
        attempt: u64,
        connection: Option<ConnectionId>,
        ctx: &mut Context,
    ) {
        let current = self
            .alive
            .as_mut()
            .and_then(|alive| alive.link.as_mut())
            .filter(|link| link.attempt == attempt && link.connection.is_none());
        let Some(link) = current else {
            if let Some(connection) = connection {
                ctx.close(connection, self.node(), true);
            }
            return;
        };
        match connection {
            Some(connection) => {
                let reader = FrameReader::new(link.machine.message_bytes_max());
                link.connection = Some((connection, reader));
                self.with_link(ctx, TargetLink::connected);
            }
            None => self.with_link(ctx, TargetLink::disconnected),
        }
    }

    pub(crate) fn enlist_connected(&mut self, connection: Option<ConnectionId>, ctx: &mut Context) {
        let moment = self.moment(ctx);
        let node = self.node();
        let retry = ctx.random.between(10 * SECOND, 5 * MINUTE);
        let (Some(alive), Some(token)) = (&mut self.alive, self.token) else {
            if let Some(connection) = connection {
                ctx.close(connection, node, true);
            }
            return;
        };
        // Whatever becomes of this attempt, there will be another until the answer is there.
        ctx.after(retry, Event::Enlist { target: self.index });
        let Some(connection) = connection else {
            return;
        };
        let request = EnlistRequest {
            version: PROTOCOL_VERSION,
            proof: Proof::Token {
                id: token.to_string(),
                secret: Vec::new(),
            },
            instance: self.instance,
            facts: TargetFacts {
                name: format!("TARGET{}", self.index),
                location: None,
                utc_offset_minutes: 0,
                program_version: "sim".to_owned(),
            },
            request_der: vec![0x30, 0],
            previous_generation: self.definitions.durable.last_generation,
            enlisted_at: self.definitions.durable.enlistment.map(|_| self.master),
            requested_by: "sa".to_owned(),
        };
        let mut call = EnlistCall::new(&request, moment);
        if let Some(bytes) = call.poll_transmit() {
            ctx.send(connection, node, bytes);
        }
        if let Some(before) = alive.enlisting.take() {
            ctx.close(before.connection, node, true);
        }
        alive.enlisting = Some(Enlisting {
            connection,
            reader: FrameReader::new(call.message_bytes_max()),
            call,
        });
    }

    pub(crate) fn deliver(&mut self, id: ConnectionId, bytes: &[u8], ctx: &mut Context) {
        let moment = self.moment(ctx);
        let Some(alive) = &mut self.alive else {
            return;
        };
        if let Some(enlisting) = &mut alive.enlisting
            && enlisting.connection == id
        {
            let mut input = bytes;
            let answer = enlisting
                .reader
                .read(&mut input)
                .ok()
                .flatten()
                .and_then(|body| enlisting.call.handle_frame(&body).ok());
            if let Some(answer) = answer {
                alive.enlisting = None;
                ctx.close(id, self.node(), true);
                if let Ok(reply) = answer {
                    self.enlisted(
                        Membership {
                            generation: reply.generation,
                            poll_interval_secs: reply.poll_interval_secs,
                        },
                        ctx,
                    );
                }
            }
            return;
        }
        let Some(link) = &mut alive.link else {
            return;
        };
        let Some((connection, reader)) = &mut link.connection else {
            return;
        };
        if *connection != id {
            return;
        }
        let mut input = bytes;
        // A doubled message may well break the protocol; the link then drops the connection.
        while let Ok(Some(body)) = reader.read(&mut input) {
            if link.machine.handle_frame(&body, moment).is_err() {
                break;
            }
        }
        self.settle(ctx);
    }

    pub(crate) fn closed(&mut self, id: ConnectionId, ctx: &mut Context) {
        let Some(alive) = &mut self.alive else {
            return;
        };
        if alive
            .enlisting
            .as_ref()
            .is_some_and(|enlisting| enlisting.connection == id)
        {
            alive.enlisting = None;
            return;
        }
        if let Some(link) = &mut alive.link
            && link
                .connection
                .as_ref()
                .is_some_and(|(connection, _)| *connection == id)
        {
            link.connection = None;
            self.with_link(ctx, TargetLink::disconnected);
        }
    }

    /// The administrator enlists this target, or enlists it anew.
    pub(crate) fn want_enlistment(&mut self, ctx: &mut Context) {
        if self.token.is_none() {
            self.token = Some(ctx.random.uuid());
            ctx.after(0, Event::Enlist { target: self.index });
        }
    }

    /// Tries to enlist, when that is wanted.
    pub(crate) fn enlist(&mut self, ctx: &mut Context) {
        let Some(alive) = &self.alive else {
            return;
        };
        if self.token.is_some() && alive.enlisting.is_none() {
            self.attempts += 1;
            let wait = ctx.random.between(1_000, SECOND);
            ctx.after(
                wait,
                Event::ConnectAnswered {
                    target: self.index,
                    life: self.life,
                    attempt: self.attempts,
                    enlist: true,
                },
            );
        } else if self.token.is_some() {
            ctx.after(MINUTE, Event::Enlist { target: self.index });
        }
    }

    fn enlisted(&mut self, membership: Membership, ctx: &mut Context) {
        let index = self.index;
        ctx.say(|| format!("target {index}: {membership:?}"));
        self.drop_link(ctx);
        let node = self.node();
        if ctx.full_disks.contains(&node) {
            // The token stays: the same membership will be given again.
            self.open_link(ctx);
            self.settle(ctx);
            return;
        }
        self.define(Define::Enlist(membership), DefineDone::Enlisted, ctx);
    }

    fn drop_link(&mut self, ctx: &mut Context) {
        let node = self.node();
        if let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.take())
            && let Some((connection, _)) = link.connection
        {
            ctx.close(connection, node, true);
        }
    }

    // The store's side.

    fn define(&mut self, write: Define, done: DefineDone, ctx: &mut Context) {
        let node = self.node();
        if ctx.is_dead(node) {
            return;
        }
        if self.definitions.write(write, done) {
            self.schedule_sync(Which::Definitions, ctx);
        }
        ctx.store_point(node);
    }

    fn record(&mut self, write: Record, done: RecordDone, ctx: &mut Context) {
        let node = self.node();
        if ctx.is_dead(node) {
            return;
        }
        let Some(alive) = &mut self.alive else {
            return;
        };
        let full = ctx.full_disks.contains(&node);
        if full || !alive.stuck.is_empty() {
            // Orders and starts fail at once; what has happened already waits for room, in order.
            let failed = match &done {
                RecordDone::Start(run) => Some(Failed::Start(*run)),
                RecordDone::Orders(orders) => Some(Failed::Store(orders.generation)),
                RecordDone::Cursor(generation) | RecordDone::CursorTooEarly(generation, _) => {
                    Some(Failed::Store(*generation))
                }
                RecordDone::Outcome(_) | RecordDone::Nothing => None,
            };
            let life = self.life;
            match failed {
                Some(failed) => {
                    alive.failed.push(failed);
                    ctx.after(10_000, Event::WritesFailed { node, life });
                }
                None => {
                    alive.stuck.push_back((write, done));
                    if alive.stuck.len() == 1 {
                        let target = self.index;
                        ctx.after(SECOND, Event::RetryWrites { target, life });
                    }
                }
            }
            return;
        }
        if self.runs.write(write, done) {
            self.schedule_sync(Which::Runs, ctx);
        }
        ctx.store_point(node);
    }

    pub(crate) fn retry_writes(&mut self, ctx: &mut Context) {
        let node = self.node();
        let Some(alive) = &mut self.alive else {
            return;
        };
        if ctx.full_disks.contains(&node) {
            let (target, life) = (self.index, self.life);
            ctx.after(SECOND, Event::RetryWrites { target, life });
            return;
        }
        for (write, done) in std::mem::take(&mut alive.stuck) {
            self.record(write, done, ctx);
        }
        self.settle(ctx);
    }

    pub(crate) fn writes_failed(&mut self, ctx: &mut Context) {
        let Some(alive) = &mut self.alive else {
            return;
        };
        for failed in std::mem::take(&mut alive.failed) {
            match failed {
                Failed::Store(generation) => {
                    self.with_link_of(generation, ctx, TargetLink::store_failed);
                }
                Failed::Start(run) => {
                    let fault = StartFault::Failed("no room".to_owned());
                    self.tell_agent(AgentInput::StartNotRecorded { run, fault }, ctx);
                }
            }
        }
    }

    fn schedule_sync(&mut self, which: Which, ctx: &mut Context) {
        let latency = ctx.sync_latency();
        let (node, life) = (self.node(), self.life);
        ctx.after(latency, Event::Synced { node, life, which });
    }

    pub(crate) fn synced(&mut self, which: Which, ctx: &mut Context) {
        match which {
            Which::Definitions => {
                let done = self.definitions.sync();
                if self.definitions.start_sync() {
                    self.schedule_sync(which, ctx);
                }
                ctx.store_point(self.node());
                for (done, found) in done {
                    self.defined(done, found, ctx);
                }
            }
            Which::Runs => {
                let before = self.runs.durable.last_position;
                let done = self.runs.sync();
                if self.runs.start_sync() {
                    self.schedule_sync(which, ctx);
                }
                ctx.store_point(self.node());
                self.check_store(ctx);
                let reports = self.runs.durable.last_position > before;
                for (done, found) in done {
                    self.recorded(done, &found, ctx);
                }
                if reports && !ctx.is_dead(self.node()) {
                    self.with_link(ctx, TargetLink::reports_available);
                }
            }
        }
    }

    fn check_store(&self, ctx: &mut Context) {
        if let Some((job, moment)) = self.runs.durable.lost_moments.first() {
            let index = self.index;
            ctx.checker.violated(|| {
                format!("target {index}: moment {moment} of job {job} neither started nor missed")
            });
        }
    }

    fn defined(&mut self, done: DefineDone, found: store::Defined, ctx: &mut Context) {
        if ctx.is_dead(self.node()) {
            return;
        }
        let index = self.index;
        if found.stray {
            ctx.checker.violated(|| {
                format!("target {index}: instructions of an enlistment that is over took effect")
            });
        }
        for (job, document) in found.changed {
            let input = match document {
                Some(document) => {
                    if let Some(alive) = &mut self.alive {
                        alive.timings.retain(|(of, _), _| *of != job);
                        note_timings(&mut alive.timings, &document);
                    }
                    self.job_changed(&document)
                }
                None => {
                    if let Some(alive) = &mut self.alive {
                        alive.timings.retain(|(of, _), _| *of != job);
                    }
                    AgentInput::JobRemoved { job }
                }
            };
            self.tell_agent(input, ctx);
        }
        match done {
            DefineDone::Applied(generation) => {
                self.with_link_of(generation, ctx, |link, now| {
                    link.definitions_applied(found.done, now);
                });
            }
            DefineDone::AppliedLate => {}
            DefineDone::Defected => {
                self.drop_link(ctx);
                self.come_back(ctx);
            }
            DefineDone::Enlisted => {
                self.token = None;
                self.drop_link(ctx);
                self.open_link(ctx);
                self.settle(ctx);
            }
        }
    }

    /// After a while the administrator enlists a target that was let go.
    fn come_back(&mut self, ctx: &mut Context) {
        let wait = ctx.random.between(MINUTE, HOUR);
        if ctx.trouble && self.token.is_none() {
            self.token = Some(ctx.random.uuid());
            ctx.after(wait, Event::Enlist { target: self.index });
        }
    }

    fn recorded(&mut self, done: RecordDone, found: &store::Recorded, ctx: &mut Context) {
        if ctx.is_dead(self.node()) {
            return;
        }
        match done {
            RecordDone::Cursor(generation) => {
                self.with_link_of(generation, ctx, TargetLink::cursor_moved);
            }
            RecordDone::CursorTooEarly(generation, instructions) => {
                let applied = instructions.len();
                let put_right = self.put_right;
                let write = Define::Apply {
                    generation,
                    instructions,
                    put_right,
                };
                self.define(write, DefineDone::AppliedLate, ctx);
                let done = DefinitionsApplied {
                    applied,
                    failure: None,
                };
                self.with_link_of(generation, ctx, |link, now| {
                    link.definitions_applied(done, now)
                });
            }
            RecordDone::Orders(orders) => {
                let mut orders = orders;
                for (run, job, source, start_at) in std::mem::take(&mut orders.starts) {
                    if found.begun.contains(&run) && ctx.options.broken != Broken::StartsTooEarly {
                        self.start_run(run, job, source, start_at, ctx);
                    }
                }
                let OrdersDone {
                    generation,
                    refusals,
                    stops,
                    ..
                } = *orders;
                for job in stops {
                    let by = "sa".to_owned();
                    self.tell_agent(AgentInput::StopRequested { job, by }, ctx);
                }
                self.with_link_of(generation, ctx, |link, now| {
                    link.orders_carried_out(refusals, now);
                });
            }
            RecordDone::Start(run) => {
                let input = if found.begun.contains(&run) {
                    AgentInput::StartRecorded { run }
                } else {
                    let fault = StartFault::Duplicate;
                    AgentInput::StartNotRecorded { run, fault }
                };
                self.tell_agent(input, ctx);
            }
            RecordDone::Outcome(run) => {
                self.launcher.forget(run);
                self.tell_agent(AgentInput::OutcomeRecorded { run }, ctx);
            }
            RecordDone::Nothing => {}
        }
    }

    fn start_run(
        &mut self,
        run: RunId,
        job: JobId,
        source: RunSource,
        start_at: StartAt,
        ctx: &mut Context,
    ) {
        let input = AgentInput::StartRequested {
            job,
            run,
            source,
            start_at,
            already_recorded: true,
        };
        self.tell_agent(input, ctx);
    }

    /// Carries out what the machines ask for, until they ask for nothing.
    fn settle(&mut self, ctx: &mut Context) {
        loop {
            if ctx.is_dead(self.node()) {
                return;
            }
            self.transmit(ctx);
            let Some(alive) = &mut self.alive else {
                return;
            };
            if let Some(link) = &mut alive.link
                && let Some(event) = link.machine.poll_event()
            {
                let generation = link.generation;
                self.handle_link(event, generation, ctx);
                continue;
            }
            if let Some(action) = alive.agent.poll_action() {
                self.handle_agent(action, ctx);
                continue;
            }
            break;
        }
        self.schedule_wakes(ctx);
    }

    fn transmit(&mut self, ctx: &mut Context) {
        let node = self.node();
        let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.as_mut()) else {
            return;
        };
        while let Some(bytes) = link.machine.poll_transmit() {
            if let Some((connection, _)) = &link.connection {
                ctx.send(*connection, node, bytes);
            }
        }
    }

    fn schedule_wakes(&mut self, ctx: &mut Context) {
        let (target, life, skew) = (self.index, self.life, self.skew);
        let Some(alive) = &mut self.alive else {
            return;
        };
        if let Some(link) = &mut alive.link
            && let Some(due) = link.machine.poll_timeout()
        {
            let at = ctx.clock.micros(due).max(ctx.now);
            if link.wake.is_none_or(|wake| at < wake) {
                link.wake = Some(at);
                ctx.queue.push(at, Event::TargetLink { target, life });
            }
        }
        if let Some(due) = alive.agent.poll_timeout() {
            let at = when(due, skew).max(ctx.now);
            if alive.agent_wake.is_none_or(|wake| at < wake) {
                alive.agent_wake = Some(at);
                ctx.queue.push(at, Event::Agent { target, life });
            }
        }
    }

    fn handle_link(&mut self, event: TargetEvent, generation: Generation, ctx: &mut Context) {
        let index = self.index;
        ctx.say(|| format!("target {index}: {}", brief(&event)));
        match event {
            TargetEvent::Connect { .. } => {
                self.attempts += 1;
                let attempt = self.attempts;
                if let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.as_mut()) {
                    link.attempt = attempt;
                }
                let wait = ctx.random.between(500, 50_000);
                ctx.after(
                    wait,
                    Event::ConnectAnswered {
                        target: self.index,
                        life: self.life,
                        attempt,
                        enlist: false,
                    },
                );
            }
            TargetEvent::Disconnect => {
                let node = self.node();
                if let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.as_mut()) {
                    link.attempt = 0;
                    if let Some((connection, _)) = link.connection.take() {
                        ctx.close(connection, node, true);
                    }
                }
            }
            TargetEvent::Admitted { enlist_anew, .. } => {
                if enlist_anew.is_some() {
                    self.enlist_soon(ctx);
                }
            }
            TargetEvent::Refused(refusal) => {
                if refusal.number == numbers::NOT_ENLISTED {
                    self.enlist_soon(ctx);
                }
            }
            TargetEvent::ApplyDefinitions { instructions } => {
                self.apply(instructions, generation, ctx)
            }
            TargetEvent::MoveCursor { cursor } => {
                self.check_skipped(generation, cursor, &[], ctx);
                let write = Record::Cursor { generation, cursor };
                self.record(write, RecordDone::Cursor(generation), ctx);
            }
            TargetEvent::CarryOut { orders, cursor, .. } => {
                self.carry_out(&orders, cursor, generation, ctx)
            }
            TargetEvent::Blocked(_) => {}
            TargetEvent::Defect { .. } => {
                let node = self.node();
                if ctx.full_disks.contains(&node) {
                    // As a process that can't write would: it comes again and is told again.
                    self.drop_link(ctx);
                    self.open_link(ctx);
                } else {
                    self.define(Define::Defect, DefineDone::Defected, ctx);
                }
            }
            TargetEvent::LoadReports {
                after, rows_max, ..
            } => {
                let (rows, more) = self.runs.durable.reports(after, rows_max);
                let moment = self.moment(ctx);
                if let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.as_mut()) {
                    link.machine.reports_loaded(after, rows, more, moment);
                }
            }
            TargetEvent::ReportsAcknowledged { through } => {
                ctx.checker.acknowledged(index, self.instance, through);
                self.record(Record::Acknowledged(through), RecordDone::Nothing, ctx);
            }
            TargetEvent::RefusalsAcknowledged { through } => {
                self.record(
                    Record::RefusalsAcknowledged(through),
                    RecordDone::Nothing,
                    ctx,
                );
            }
            TargetEvent::CertificateRenewed(_) | TargetEvent::CertificateRefused(_) => {}
        }
    }

    fn enlist_soon(&mut self, ctx: &mut Context) {
        if self.token.is_none() {
            self.token = Some(ctx.random.uuid());
            let wait = ctx.random.between(SECOND, 10 * MINUTE);
            ctx.after(wait, Event::Enlist { target: self.index });
        }
    }

    fn apply(
        &mut self,
        mut instructions: Vec<Instruction>,
        generation: Generation,
        ctx: &mut Context,
    ) {
        let broken = ctx.options.broken;
        if broken == Broken::AppliesBackwards {
            instructions.reverse();
        }
        self.check_order(generation, &instructions, ctx);
        let node = self.node();
        if ctx.full_disks.contains(&node) {
            let life = self.life;
            if let Some(alive) = &mut self.alive {
                alive.failed.push(Failed::Store(generation));
            }
            ctx.after(10_000, Event::WritesFailed { node, life });
            return;
        }
        if broken == Broken::MovesCursorFirst
            && let Some(last) = instructions.last()
        {
            let cursor = last.cursor();
            let write = Record::Cursor { generation, cursor };
            self.record(
                write,
                RecordDone::CursorTooEarly(generation, instructions),
                ctx,
            );
            return;
        }
        let put_right = self.put_right;
        let write = Define::Apply {
            generation,
            instructions,
            put_right,
        };
        self.define(write, DefineDone::Applied(generation), ctx);
    }

    fn check_order(&self, generation: Generation, instructions: &[Instruction], ctx: &mut Context) {
        let index = self.index;
        let mut last = self.runs.current().cursor(generation).number;
        for instruction in instructions {
            if instruction.number <= last {
                ctx.checker.violated(|| {
                    format!(
                        "target {index}: instruction {} took effect after {last}",
                        instruction.number
                    )
                });
            }
            last = instruction.number;
        }
        ctx.note(last.0);
    }

    /// Whether every instruction between the durable cursor and a new one took effect.
    fn check_skipped(
        &self,
        generation: Generation,
        cursor: Cursor,
        orders: &[Instruction],
        ctx: &mut Context,
    ) {
        let from = self.runs.current().cursor(generation).number.0;
        let applied = &self.definitions.durable.applied;
        let index = self.index;
        let done =
            |uid: &Uuid| applied.contains(uid) || orders.iter().any(|order| order.uid == *uid);
        let skipped = ctx
            .checker
            .queue(self.instance, generation, cursor)
            .filter(|_| cursor.number.0 > from)
            .and_then(|queue| {
                queue
                    .range(from + 1..=cursor.number.0)
                    .find(|(_, uid)| !done(uid))
                    .map(|(number, _)| *number)
            });
        if let Some(number) = skipped {
            ctx.checker.violated(|| {
                format!(
                    "target {index}: the cursor passed instruction {number}, which had no effect"
                )
            });
        }
    }

    fn carry_out(
        &mut self,
        orders: &[Instruction],
        cursor: Cursor,
        generation: Generation,
        ctx: &mut Context,
    ) {
        self.check_order(generation, orders, ctx);
        self.check_skipped(generation, cursor, orders, ctx);
        let now = wall(ctx.now, self.skew);
        let boot = self.boot;
        let mut done = OrdersDone {
            generation,
            refusals: Vec::new(),
            starts: Vec::new(),
            stops: Vec::new(),
        };
        let mut starts = Vec::new();
        let mut refused = Vec::new();
        let mut refused_runs = Vec::new();
        for order in orders {
            let refusal = match &order.body {
                InstructionBody::Start {
                    job, run, login, ..
                } => {
                    let refusal = self.refuse_start(*job, &done.starts);
                    if refusal.is_none() {
                        let source = RunSource::Master {
                            login: login.clone(),
                        };
                        starts.push((
                            *run,
                            RunRow {
                                job: *job,
                                source: source.clone(),
                                requested: now,
                                started: now,
                                start_step_id: 1,
                                boot,
                                rows: 0,
                                last_row: None,
                                ended: false,
                            },
                        ));
                        done.starts.push((*run, *job, source, StartAt::JobStart));
                    } else {
                        refused_runs.push(*run);
                    }
                    refusal
                }
                InstructionBody::Stop { job, .. } => {
                    let runs = self.job_runs(*job) == Some(true);
                    if runs {
                        done.stops.push(*job);
                    }
                    (!runs).then(|| "The job does not run.".to_owned())
                }
                InstructionBody::SyncTime => Some("The clock is not set here.".to_owned()),
                InstructionBody::Insert(_)
                | InstructionBody::Update(_)
                | InstructionBody::Delete(_)
                | InstructionBody::ReEnlist { .. }
                | InstructionBody::Defect
                | InstructionBody::SetPoll(_) => Some("not an order".to_owned()),
            };
            if let Some(text) = &refusal {
                refused.push(InstructionText {
                    instruction: order.cursor(),
                    text: text.clone(),
                });
            }
            done.refusals.push(refusal);
        }
        if ctx.options.broken == Broken::StartsTooEarly {
            for (run, job, source, start_at) in &done.starts {
                if !self.runs.current().runs.contains_key(run) {
                    self.start_run(*run, *job, source.clone(), start_at.clone(), ctx);
                }
            }
        }
        let write = Record::Orders {
            generation,
            cursor,
            starts,
            refused,
            refused_runs,
        };
        self.record(write, RecordDone::Orders(Box::new(done)), ctx);
    }

    /// Whether a job runs; `None` for an unknown job.
    fn job_runs(&self, job: JobId) -> Option<bool> {
        let activity = self.alive.as_ref()?.agent.activity_of(job)?;
        Some(activity.run.is_some())
    }

    fn refuse_start(
        &self,
        job: JobId,
        batch: &[(RunId, JobId, RunSource, StartAt)],
    ) -> Option<String> {
        match self.job_runs(job) {
            None => Some("The job does not exist.".to_owned()),
            Some(true) => Some("The job runs already.".to_owned()),
            Some(false) if batch.iter().any(|(_, started, ..)| *started == job) => {
                Some("The job runs already.".to_owned())
            }
            Some(false) => None,
        }
    }

    fn handle_agent(&mut self, action: AgentAction, ctx: &mut Context) {
        let index = self.index;
        ctx.say(|| format!("target {index}: {}", brief(&action)));
        match action {
            AgentAction::RecordStart(row) => {
                let run = row.run;
                let timings = row
                    .progress
                    .iter()
                    .map(|progress| self.timing(row.job, progress.schedule))
                    .collect();
                let boot = self.boot;
                let row: Box<StartRow> = row;
                self.record(
                    Record::Start { row, boot, timings },
                    RecordDone::Start(run),
                    ctx,
                );
            }
            AgentAction::LaunchStep(launch) => self.launch(&launch, ctx),
            AgentAction::StopStep { run, sequence, .. } => {
                if let Some(process) = self.launcher.find(run, sequence) {
                    self.end_process(process, StepEnd::Stopped, ctx);
                }
            }
            AgentAction::RecordStep(row) => {
                self.record(Record::Step(Arc::from(row)), RecordDone::Nothing, ctx);
            }
            AgentAction::RecordOutcome(row) => {
                let run = row.run_id;
                self.record(
                    Record::Outcome(Arc::from(row)),
                    RecordDone::Outcome(run),
                    ctx,
                );
            }
            AgentAction::RecordMissed {
                job,
                first,
                last,
                progress,
                ..
            } => {
                let timing = self.timing(job, progress.schedule);
                let write = Record::Missed {
                    job,
                    first,
                    last,
                    progress,
                    timing,
                };
                self.record(write, RecordDone::Nothing, ctx);
            }
            AgentAction::NextRun { job, progress } => {
                let progress: ScheduleProgress = progress;
                let timing = self.timing(job, progress.schedule);
                self.record(
                    Record::Progress {
                        job,
                        progress,
                        timing,
                    },
                    RecordDone::Nothing,
                    ctx,
                );
            }
            AgentAction::ForgetSchedule { job, schedule } => {
                self.record(
                    Record::ForgetSchedule { job, schedule },
                    RecordDone::Nothing,
                    ctx,
                );
            }
            AgentAction::Refused(_)
            | AgentAction::DeleteJob { .. }
            | AgentAction::ShutdownComplete => {}
        }
    }

    fn timing(&self, job: JobId, schedule: ScheduleUid) -> Timing {
        Timing {
            schedule: self
                .alive
                .as_ref()
                .and_then(|alive| alive.timings.get(&(job, schedule)))
                .cloned(),
            jumps: self.jumps,
        }
    }

    fn launch(&mut self, launch: &Launch, ctx: &mut Context) {
        if ctx.is_dead(self.node()) {
            return;
        }
        let step = launch.step();
        let job = launch.document.job.id;
        ctx.stats.launches += 1;
        ctx.note(u64::from(launch.sequence));
        ctx.checker
            .launched(self.index, job, launch.run, launch.sequence, &launch.source);
        let now = wall(ctx.now, self.skew);
        let process =
            self.launcher
                .launch(launch.run, launch.sequence, step.step_id, launch.retry, now);
        let lasts = ctx.random.skewed(10_000, 10 * MINUTE);
        let (target, boot) = (self.index, self.boot);
        ctx.after(
            lasts,
            Event::ProcessEnded {
                target,
                boot,
                process,
            },
        );
    }

    /// For the end: whether every schedule of an enabled job is accounted for up to now.
    pub(crate) fn overdue(&self, ctx: &Context) -> Option<String> {
        let now = wall(ctx.now, self.skew);
        let late = now
            .saturating_sub(jiff::SignedDuration::from_mins(2))
            .unwrap_or(now);
        for document in self
            .definitions
            .durable
            .jobs
            .values()
            .filter(|d| d.job.enabled)
        {
            for schedule in document.schedules.iter().filter(|s| s.enabled) {
                let stored = self
                    .runs
                    .durable
                    .schedules
                    .get(&(document.job.id, schedule.uid));
                let next = stored.map(|stored| stored.progress.next);
                let fine = match next {
                    None => false,
                    Some(None) => true,
                    Some(Some(next)) => next > late,
                };
                if !fine {
                    return Some(format!(
                        "target {}: schedule {} of job {} stands at {next:?} at {now}",
                        self.index, schedule.uid, document.job.name
                    ));
                }
            }
        }
        None
    }
}

/// The beginning of what a value looks like.
pub(crate) fn brief(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").chars().take(200).collect()
}

fn note_timings(
    timings: &mut BTreeMap<(JobId, ScheduleUid), Arc<model::Schedule>>,
    document: &JobDocument,
) {
    if !document.job.enabled {
        return;
    }
    for schedule in document
        .schedules
        .iter()
        .filter(|schedule| schedule.enabled)
    {
        timings.insert((document.job.id, schedule.uid), Arc::new(schedule.clone()));
    }
}
