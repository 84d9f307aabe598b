//! A target and its store.

use super::store::{Define, Record};
use super::{DefineDone, Failed, OrdersDone, RecordDone, Target, note_timings, store};
use crate::context::Context;
use crate::event::{Event, Which};
use crate::options::Broken;
use crate::time::{HOUR, MINUTE, SECOND};
use agent::{AgentInput, StartAt, StartFault};
use fleet::{DefinitionsApplied, TargetLink};
use model::{JobId, RunId, RunSource};

impl Target {
    pub(super) fn define(&mut self, write: Define, done: DefineDone, ctx: &mut Context) {
        let node = self.node();
        if ctx.is_dead(node) {
            return;
        }
        if self.definitions.write(write, done) {
            self.schedule_sync(Which::Definitions, ctx);
        }
        ctx.store_point(node);
    }

    pub(super) fn record(&mut self, write: Record, done: RecordDone, ctx: &mut Context) {
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
            ctx.stats.failed_writes += 1;
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

    pub(super) fn schedule_sync(&mut self, which: Which, ctx: &mut Context) {
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

    pub(super) fn check_store(&self, ctx: &mut Context) {
        if let Some((job, moment)) = self.runs.durable.lost_moments.first() {
            let index = self.index;
            ctx.checker.violated(|| {
                format!("target {index}: moment {moment} of job {job} neither started nor missed")
            });
        }
    }

    pub(super) fn defined(&mut self, done: DefineDone, found: store::Defined, ctx: &mut Context) {
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
    pub(super) fn come_back(&mut self, ctx: &mut Context) {
        let wait = ctx.random.between(MINUTE, HOUR);
        if ctx.trouble && self.token.is_none() {
            self.token = Some(ctx.random.uuid());
            ctx.after(wait, Event::Enlist { target: self.index });
        }
    }

    pub(super) fn recorded(
        &mut self,
        done: RecordDone,
        found: &store::Recorded,
        ctx: &mut Context,
    ) {
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

    pub(super) fn start_run(
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
}
