//! A target and what its agent asks for.

use super::store::{Record, Timing};
use super::{RecordDone, Target, brief};
use crate::context::Context;
use crate::event::Event;
use crate::time::{MINUTE, wall};
use agent::{AgentAction, Launch, ScheduleProgress, StartRow, StepEnd};
use model::{JobId, ScheduleUid};
use std::sync::Arc;

impl Target {
    pub(super) fn handle_agent(&mut self, action: AgentAction, ctx: &mut Context) {
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
                ctx.stats.missed += 1;
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

    pub(super) fn timing(&self, job: JobId, schedule: ScheduleUid) -> Timing {
        Timing {
            schedule: self
                .alive
                .as_ref()
                .and_then(|alive| alive.timings.get(&(job, schedule)))
                .cloned(),
            jumps: self.jumps,
        }
    }

    pub(super) fn launch(&mut self, launch: &Launch, ctx: &mut Context) {
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
