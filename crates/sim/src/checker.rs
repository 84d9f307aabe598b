//! The reference model: what must hold whatever happens.
//!
//! While a simulation runs: no try of a step is launched twice, no moment of a schedule starts twice, no
//! moment is passed over, instructions take effect in order and none is skipped, nothing takes effect on a
//! target that is not enlisted. At the end, when all is quiet: everything that a target recorded is on the
//! master once, and every target has what the master wants.

use crate::time::{Micros, SECOND};
use jiff::Timestamp;
use model::{Cursor, Generation, InstanceId, JobId, ReportPosition, RunId, RunSource};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// How soon an instruction takes effect where nothing goes wrong: less than the shortest poll interval.
const PROMPT: Micros = 5 * SECOND;

#[derive(Debug, Default)]
pub(crate) struct Checker {
    launched: BTreeSet<(usize, RunId, u32)>,
    moments: BTreeSet<(usize, JobId, Timestamp)>,
    queues: BTreeMap<InstanceId, (Generation, BTreeMap<u64, Uuid>)>,
    /// Highest report position of each target that ever was durable on the master.
    durable: BTreeMap<InstanceId, ReportPosition>,
    /// When instructions were posted.
    posted: BTreeMap<Uuid, Micros>,
    violation: Option<String>,
}

impl Checker {
    /// Notes a broken rule; the first one counts.
    pub(crate) fn violated(&mut self, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(what());
        }
    }

    pub(crate) fn violation(&mut self) -> Option<String> {
        self.violation.take()
    }

    /// A step was handed to the launcher.
    pub(crate) fn launched(
        &mut self,
        target: usize,
        job: JobId,
        run: RunId,
        sequence: u32,
        source: &RunSource,
    ) {
        if !self.launched.insert((target, run, sequence)) {
            self.violated(|| {
                format!("target {target}: try {sequence} of run {run} launched twice")
            });
        }
        if sequence == 0
            && let RunSource::Schedule { due, .. } = source
            && !self.moments.insert((target, job, *due))
        {
            self.violated(|| format!("target {target}: moment {due} of job {job} run twice"));
        }
    }

    /// Reports of a target are durable on the master up to a position.
    pub(crate) fn reports_durable(&mut self, instance: InstanceId, through: ReportPosition) {
        let known = self.durable.entry(instance).or_default();
        *known = through.max(*known);
    }

    /// A target takes reports for safe.
    pub(crate) fn acknowledged(
        &mut self,
        target: usize,
        instance: InstanceId,
        through: ReportPosition,
    ) {
        if self
            .durable
            .get(&instance)
            .is_none_or(|durable| through > *durable)
        {
            self.violated(|| {
                format!(
                    "target {target}: reports up to {through} acknowledged before they were durable"
                )
            });
        }
    }

    /// An instruction is about to take effect on a target. While nothing goes wrong, a connected target
    /// hears of it at once, not at its next poll.
    pub(crate) fn carried_out(&mut self, target: usize, uid: Uuid, now: Micros, calm: bool) {
        if let Some(posted) = self.posted.remove(&uid)
            && calm
            && now - posted > PROMPT
        {
            let seconds = (now - posted) / SECOND;
            self.violated(|| {
                format!("target {target}: an instruction took {seconds} s to arrive, and nothing was wrong")
            });
        }
    }

    /// The master's queue for a target is this now.
    pub(crate) fn queue_is(
        &mut self,
        instance: InstanceId,
        generation: Generation,
        rows: BTreeMap<u64, Uuid>,
        now: Micros,
    ) {
        let known = self.queues.get(&instance).map(|(_, rows)| rows);
        for uid in rows.values() {
            if known.is_none_or(|known| !known.values().any(|other| other == uid)) {
                self.posted.entry(*uid).or_insert(now);
            }
        }
        self.queues.insert(instance, (generation, rows));
    }

    /// The queue that a cursor is of; `None` where the master was restored meanwhile, or cleared the row.
    pub(crate) fn queue(
        &self,
        instance: InstanceId,
        generation: Generation,
        cursor: Cursor,
    ) -> Option<&BTreeMap<u64, Uuid>> {
        let (of, rows) = self.queues.get(&instance)?;
        let same = *of == generation && rows.get(&cursor.number.0) == Some(&cursor.uid);
        same.then_some(rows)
    }
}
