//! A target: the real link and the real agent over a simulated store and launcher.

mod disk;
mod instructions;
mod launcher;
mod network;
mod running;
pub(crate) mod store;

use crate::context::Context;
use crate::event::{ConnectionId, Event, Life, Node};
use crate::file::File;
use crate::time::{Micros, SECOND, wall, when};
use agent::{
    AdoptedRun, Agent, AgentConfig, AgentInput, AgentLimits, AttachedSchedule, StartAt, StepEnd,
};
use fleet::enlist::EnlistCall;
use fleet::message::TargetFacts;
use fleet::{FrameReader, Moment, TargetConfig, TargetLink, TargetState};
use jiff::tz::TimeZone;
use launcher::Launcher;
use model::{
    Generation, InstanceId, Instruction, JobDocument, JobId, RunId, RunSource, ScheduleUid,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use store::{Definitions, Membership, Record, RunRow, Runs};
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

    /// Makes the link anew where there is none.
    pub(crate) fn reopen_link(&mut self, ctx: &mut Context) {
        if self
            .alive
            .as_ref()
            .is_some_and(|alive| alive.link.is_none())
        {
            self.open_link(ctx);
            self.settle(ctx);
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
        // A wake that an earlier one has overtaken is none.
        if let Some(alive) = &mut self.alive
            && alive.agent_wake == Some(ctx.now)
        {
            alive.agent_wake = None;
            alive.agent.handle_timeout(now);
            self.settle(ctx);
        }
    }

    pub(crate) fn link_due(&mut self, ctx: &mut Context) {
        if let Some(link) = self.alive.as_mut().and_then(|alive| alive.link.as_mut())
            && link.wake == Some(ctx.now)
        {
            link.wake = None;
            self.with_link(ctx, TargetLink::handle_timeout);
        }
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
