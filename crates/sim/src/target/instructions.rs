//! A target and what its link asks for.

use super::store::{Define, Record, RunRow};
use super::{DefineDone, Failed, OrdersDone, RecordDone, Target, brief};
use crate::context::Context;
use crate::event::Event;
use crate::options::Broken;
use crate::time::{MINUTE, SECOND, wall};
use agent::StartAt;
use fleet::message::InstructionText;
use fleet::{TargetEvent, numbers};
use model::{Cursor, Generation, Instruction, InstructionBody, JobId, RunId, RunSource};
use uuid::Uuid;

impl Target {
    pub(super) fn handle_link(
        &mut self,
        event: TargetEvent,
        generation: Generation,
        ctx: &mut Context,
    ) {
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
            TargetEvent::Blocked(_) => ctx.stats.blocks += 1,
            TargetEvent::Defect { .. } => {
                ctx.stats.defections += 1;
                let node = self.node();
                if ctx.full_disks.contains(&node) {
                    // As a process that can't write would: it comes again and is told again.
                    self.drop_link(ctx);
                    let (target, life) = (self.index, self.life);
                    ctx.after(MINUTE, Event::OpenLink { target, life });
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

    pub(super) fn enlist_soon(&mut self, ctx: &mut Context) {
        if self.token.is_none() {
            self.token = Some(ctx.random.uuid());
            let wait = ctx.random.between(SECOND, 10 * MINUTE);
            ctx.after(wait, Event::Enlist { target: self.index });
        }
    }

    pub(super) fn apply(
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

    pub(super) fn check_order(
        &self,
        generation: Generation,
        instructions: &[Instruction],
        ctx: &mut Context,
    ) {
        let index = self.index;
        let mut last = self.runs.durable.cursor(generation).number;
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
            let calm = ctx.options.faults_per_hour == 0;
            ctx.checker
                .carried_out(index, instruction.uid, ctx.now, calm);
        }
        ctx.note(last.0);
    }

    /// Whether every instruction between the durable cursor and a new one took effect.
    pub(super) fn check_skipped(
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

    pub(super) fn carry_out(
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
                ctx.stats.refused_orders += 1;
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
    pub(super) fn job_runs(&self, job: JobId) -> Option<bool> {
        let activity = self.alive.as_ref()?.agent.activity_of(job)?;
        Some(activity.run.is_some())
    }

    pub(super) fn refuse_start(
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
}
