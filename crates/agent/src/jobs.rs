//! Jobs as they are loaded, changed and removed, and how far their schedules have come.

use crate::agent::{Agent, Phase};
use crate::run::{Run, StopCause};
use crate::{AgentAction, AttachedSchedule, ScheduleProgress};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{JobDocument, JobId, Schedule, ScheduleUid};
use std::sync::Arc;

/// A job in memory.
#[derive(Debug)]
pub(crate) struct JobEntry {
    pub(crate) document: Arc<JobDocument>,
    /// One for each schedule of `document`, in its order.
    pub(crate) slots: Vec<Slot>,
    pub(crate) run: Option<Box<Run>>,
    /// Deleted, and kept only until its run has ended. Invariant: then `slots` is empty.
    pub(crate) removed: bool,
}

/// How far a schedule of a job has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) uid: ScheduleUid,
    pub(crate) schedule_id: i64,
    /// Every due moment up to this one was decided.
    pub(crate) accounted: Timestamp,
    /// The next due moment; `None` where there is none or the schedule is not active.
    /// Invariant: present in the agent's due queue exactly when it is `Some`, but for moments put off while
    /// the job's start row is on its way to the disk.
    pub(crate) next: Option<Timestamp>,
}

impl Slot {
    pub(crate) fn progress(&self) -> ScheduleProgress {
        ScheduleProgress {
            schedule: self.uid,
            accounted: self.accounted,
            next: self.next,
        }
    }
}

impl Agent {
    pub(crate) fn job_changed(&mut self, document: JobDocument, attached: &[AttachedSchedule]) {
        let job = document.job.id;
        // Moments that are due already belong to the job as it was.
        self.settle_job(job);
        let old = self.jobs.remove(&job);
        let old_slots = old.as_ref().map_or(&[][..], |entry| &entry.slots);
        for slot in old_slots {
            if let Some(next) = slot.next {
                self.due.remove(&(next, job, slot.uid));
            }
            if !document.schedules.iter().any(|s| s.uid == slot.uid) {
                self.actions.push_back(AgentAction::ForgetSchedule {
                    job,
                    schedule: slot.uid,
                });
            }
        }
        let mut slots = Vec::with_capacity(document.schedules.len());
        for schedule in &document.schedules {
            let stored = attached.iter().find(|stored| stored.uid == schedule.uid);
            let held = old.as_ref().and_then(|entry| {
                let index = entry.slots.iter().position(|s| s.uid == schedule.uid)?;
                Some((entry, entry.slots[index]))
            });
            let (slot, told) = match held {
                Some((entry, slot)) => {
                    let same = is_active(&entry.document, schedule.uid)
                        == (document.job.enabled && schedule.enabled)
                        && find(&entry.document, schedule.uid)
                            .is_some_and(|old| same_timing(old, schedule));
                    let told = Some((Some(slot.accounted), slot.next));
                    let schedule_id = stored.map_or(slot.schedule_id, |s| s.schedule_id);
                    let slot = if same {
                        Slot {
                            schedule_id,
                            ..slot
                        }
                    } else {
                        // The moments of the old timing up to now are decided; those of the new one count
                        // from now.
                        self.new_slot(
                            &document,
                            schedule,
                            schedule_id,
                            self.now.max(slot.accounted),
                        )
                    };
                    (slot, told)
                }
                None => {
                    let accounted = stored.and_then(|s| s.accounted);
                    let slot = self.new_slot(
                        &document,
                        schedule,
                        stored.map_or(0, |s| s.schedule_id),
                        self.plausible(accounted),
                    );
                    (slot, stored.map(|s| (s.accounted, s.next)))
                }
            };
            self.clock_high = self.clock_high.max(slot.accounted);
            if let Some(next) = slot.next {
                self.due.insert((next, job, slot.uid));
            }
            if told != Some((Some(slot.accounted), slot.next)) {
                self.actions.push_back(AgentAction::NextRun {
                    job,
                    progress: slot.progress(),
                });
            }
            slots.push(slot);
        }
        let run = old.and_then(|entry| entry.run);
        self.jobs.insert(
            job,
            JobEntry {
                document: Arc::new(document),
                slots,
                run,
                removed: false,
            },
        );
    }

    pub(crate) fn job_removed(&mut self, job: JobId) {
        let Some(entry) = self.jobs.get_mut(&job) else {
            return;
        };
        for slot in std::mem::take(&mut entry.slots) {
            if let Some(next) = slot.next {
                self.due.remove(&(next, job, slot.uid));
            }
        }
        if let Some(run) = &entry.run {
            let run = run.id;
            entry.removed = true;
            self.stop_run(run, StopCause::Removed);
        } else {
            self.jobs.remove(&job);
        }
    }

    /// Makes every schedule count from now, in `zone`, after what is due in the old zone is decided.
    pub(crate) fn time_zone_changed(&mut self, zone: TimeZone) {
        if self.phase == Phase::Active {
            while self.decide_first_due() {}
            let put_off: Vec<JobId> = self.runs.values().copied().collect();
            for job in put_off {
                self.settle_job(job);
            }
        }
        self.config.time_zone = zone;
        let now = self.now;
        self.recount_all(|slot| Some(slot.accounted.max(now)));
    }

    /// Notices a clock that went back further than schedules may be kept waiting.
    pub(crate) fn note_clock(&mut self, now: Timestamp) {
        if now < self.now {
            self.clock_went_back(now);
        }
        self.now = now;
        let limit = self.config.limits.clock_step_back_max;
        if self.clock_high.duration_since(now) > limit {
            self.clock_high = now;
            self.recount_all(|slot| (slot.accounted > now).then_some(now));
        }
        self.clock_high = self.clock_high.max(now);
    }

    /// Moves the watermark of the slots for which `accounted` gives one, and tells what changed.
    fn recount_all(&mut self, accounted: impl Fn(&Slot) -> Option<Timestamp>) {
        for (job, entry) in &mut self.jobs {
            for slot in &mut entry.slots {
                let Some(accounted) = accounted(slot) else {
                    continue;
                };
                let before = *slot;
                slot.accounted = accounted;
                slot.next = is_active(&entry.document, slot.uid)
                    .then(|| find(&entry.document, slot.uid))
                    .flatten()
                    .and_then(|s| schedule::next_run(s, accounted, &self.config.time_zone));
                if slot.next == before.next && slot.accounted == before.accounted {
                    continue;
                }
                if let Some(next) = before.next {
                    self.due.remove(&(next, *job, slot.uid));
                }
                if let Some(next) = slot.next {
                    self.due.insert((next, *job, slot.uid));
                }
                self.actions.push_back(AgentAction::NextRun {
                    job: *job,
                    progress: slot.progress(),
                });
            }
        }
    }

    fn new_slot(
        &self,
        document: &JobDocument,
        schedule: &Schedule,
        schedule_id: i64,
        accounted: Timestamp,
    ) -> Slot {
        let active = document.job.enabled && schedule.enabled;
        Slot {
            uid: schedule.uid,
            schedule_id,
            accounted,
            next: active
                .then(|| schedule::next_run(schedule, accounted, &self.config.time_zone))
                .flatten(),
        }
    }

    /// A stored watermark; now where there is none or it lies too far ahead to wait for.
    fn plausible(&self, accounted: Option<Timestamp>) -> Timestamp {
        accounted
            .filter(|at| at.duration_since(self.now) <= self.config.limits.clock_step_back_max)
            .unwrap_or(self.now)
    }
}

pub(crate) fn find(document: &JobDocument, uid: ScheduleUid) -> Option<&Schedule> {
    document.schedules.iter().find(|s| s.uid == uid)
}

/// Whether the job and its schedule are both enabled.
fn is_active(document: &JobDocument, uid: ScheduleUid) -> bool {
    document.job.enabled && find(document, uid).is_some_and(|s| s.enabled)
}

/// Whether two versions of a schedule are due at the same moments.
fn same_timing(a: &Schedule, b: &Schedule) -> bool {
    a.frequency == b.frequency
        && a.subday == b.subday
        && a.active_start_date == b.active_start_date
        && a.active_end_date == b.active_end_date
        && a.active_start_time == b.active_start_time
        && a.active_end_time == b.active_end_time
}
