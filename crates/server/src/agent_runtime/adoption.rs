//! What an earlier agent left: runs without an outcome, and what the launcher knows of their steps.

use super::driver::InFlight;
use super::{outcome, texts};
use agent::{AdoptedAttempt, AdoptedRow, AdoptedRun, AdoptedState, StepEnd};
use catalog::{Catalog, CatalogError, HistoryFilter, PAGE_ROWS_MAX, RunRecord};
use exec::{StepKey, StepReport, StepState};
use jiff::{SignedDuration, Timestamp};
use model::{HistoryRow, RunId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Marks the number of a launch that no launcher knows: a T-SQL step's.
const IN_PROCESS: u64 = 1 << 32;

/// A run to be taken on.
pub(super) struct Adoption {
    pub(super) run: AdoptedRun,
    /// Tries that go on with the launcher, by number.
    pub(super) going_on: Vec<(u32, InFlight)>,
    /// Tries that ended and whose rows are to come, by number.
    pub(super) ended: Vec<(u32, StepKey)>,
}

/// The number a launch is stored under.
pub(super) fn launch_number(sequence: u32, in_process: bool) -> u64 {
    u64::from(sequence) | if in_process { IN_PROCESS } else { 0 }
}

/// Runs without an outcome.
pub(super) fn active_runs(
    catalog: &Catalog,
) -> Result<Vec<(RunRecord, Vec<HistoryRow>)>, CatalogError> {
    catalog.runs_read(|read| {
        let mut runs = Vec::new();
        for record in read.active_runs()? {
            let filter = HistoryFilter {
                run: Some(record.run.id),
                ..HistoryFilter::default()
            };
            let mut rows = Vec::new();
            let mut after = None;
            loop {
                let page = read.history(&filter, after, PAGE_ROWS_MAX)?;
                let Some(last) = page.last() else { break };
                after = Some(last.id);
                rows.extend(page.into_iter().map(|record| record.row));
            }
            runs.push((record, rows));
        }
        Ok(runs)
    })
}

/// Joins what the store and the launcher know of a run; of the launcher's, whether it is all there was. `user` is who
/// its steps ran as.
pub(super) fn adoption(
    record: &RunRecord,
    rows: &[HistoryRow],
    (known, complete): (&BTreeMap<StepKey, StepReport>, bool),
    user: &str,
    now: Timestamp,
) -> Adoption {
    let run = record.run.id;
    let mut attempts = Vec::new();
    let mut going_on = Vec::new();
    let mut ended = Vec::new();
    for report in steps_of(known, run) {
        let key = report.key;
        if key.sequence < record.rows {
            continue;
        }
        let age = match report.state {
            StepState::Running { pid, .. } => exec::running_for(pid),
            StepState::Ended(_) => None,
        };
        let started = stored_start(record, key.sequence)
            .unwrap_or_else(|| likely_start(record.run.started, rows, age, now));
        let state = match &report.state {
            StepState::Running { .. } => {
                going_on.push((key.sequence, InFlight::adopted(key, started)));
                AdoptedState::Running
            }
            StepState::Ended(end) => {
                ended.push((key.sequence, key));
                AdoptedState::Ended(Box::new(outcome::of_process(end, started, now, user)))
            }
        };
        attempts.push(AdoptedAttempt {
            sequence: key.sequence,
            step_id: key.step_id,
            retry: i32::try_from(key.attempt).unwrap_or(0),
            state,
        });
    }
    // A T-SQL step died with the agent that ran it.
    if let Some(step) = &record.step
        && step.launch == launch_number(record.rows, true)
    {
        attempts.push(AdoptedAttempt {
            sequence: record.rows,
            step_id: step.step_id,
            retry: step.retry,
            state: AdoptedState::Ended(Box::new(outcome::without_process(
                StepEnd::Unknown,
                texts::TSQL_END_UNKNOWN.to_owned(),
                now,
            ))),
        });
    }
    let steps = rows.iter().filter(|row| row.step_id > 0);
    let mut executions: BTreeMap<i32, u32> = BTreeMap::new();
    for row in steps.filter(|row| row.retries_attempted == 0) {
        *executions.entry(row.step_id).or_insert(0) += 1;
    }
    let last_row = last_step(rows).map(|row| AdoptedRow {
        step_id: row.step_id,
        status: row.status,
        retries_attempted: row.retries_attempted,
        ended: end_of(row),
    });
    Adoption {
        run: AdoptedRun {
            run,
            job: record.run.job,
            source: record.run.source.clone(),
            requested: record.run.requested,
            started: record.run.started,
            start_step_id: record.run.start_step_id,
            rows: record.rows,
            last_row,
            executions: executions.into_iter().collect(),
            attempts,
            attempts_complete: complete,
        },
        going_on,
        ended,
    }
}

/// What the launcher knows of a run, in order.
fn steps_of(
    known: &BTreeMap<StepKey, StepReport>,
    run: RunId,
) -> impl Iterator<Item = &StepReport> {
    let first = StepKey {
        run,
        sequence: 0,
        step_id: i32::MIN,
        attempt: 0,
    };
    known
        .range(first..)
        .take_while(move |(key, _)| key.run == run)
        .map(|(_, report)| report)
}

/// When a try began, where that was stored: a try is stored a moment after it was launched.
fn stored_start(record: &RunRecord, sequence: u32) -> Option<Timestamp> {
    record
        .step
        .as_ref()
        .filter(|step| step.launch == launch_number(sequence, false))
        .map(|step| step.started)
}

/// When a try began whose start was not stored: as the age of its process says, and not before the try before it
/// ended.
fn likely_start(
    run: Timestamp,
    rows: &[HistoryRow],
    age: Option<Duration>,
    now: Timestamp,
) -> Timestamp {
    let earliest = last_step(rows).map_or(run, |row| end_of(row).max(run));
    let began = age.and_then(|age| now.checked_sub(age).ok());
    began.map_or(earliest, |began| began.max(earliest)).min(now)
}

/// The row of the last try that ended.
fn last_step(rows: &[HistoryRow]) -> Option<&HistoryRow> {
    let steps = rows.iter().filter(|row| row.step_id > 0);
    steps.max_by_key(|row| row.row)
}

fn end_of(row: &HistoryRow) -> Timestamp {
    let took =
        i64::try_from(row.duration_ms).map_or(SignedDuration::MAX, SignedDuration::from_millis);
    row.started.saturating_add(took).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{JobId, RunStatus};
    use uuid::Uuid;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn row(number: u32, step_id: i32, started: i64, seconds: u64) -> HistoryRow {
        HistoryRow {
            run_id: RunId(Uuid::nil()),
            row: number,
            job_id: JobId(Uuid::nil()),
            step_id,
            step_name: String::new(),
            step_uid: None,
            sql_message_id: 0,
            sql_severity: 0,
            message: String::new(),
            status: RunStatus::Succeeded,
            started: at(started),
            utc_offset_minutes: 0,
            duration_ms: seconds * 1_000,
            retries_attempted: 0,
            server: String::new(),
            output: None,
        }
    }

    /// The run began at 100, and is adopted at 1,000.
    #[test]
    fn a_try_whose_start_was_not_stored_began_when_its_process_did() {
        let check = |rows: &[HistoryRow], age: Option<u64>, expected: i64| {
            let age = age.map(Duration::from_secs);
            let found = likely_start(at(100), rows, age, at(1_000));
            assert_eq!(found, at(expected), "{age:?}");
        };
        check(&[], None, 100);
        check(&[], Some(2), 998);
        check(&[], Some(2_000), 100);
        let before = [row(0, 1, 100, 50), row(1, 2, 150, 200)];
        check(&before, None, 350);
        check(&before, Some(30), 970);
        check(&before, Some(700), 350);
        // Clocks that were set: never beyond now.
        check(&[row(0, 1, 2_000, 50)], Some(30), 1_000);
        check(&[row(0, 1, 50, 1)], Some(u64::MAX), 100);
    }
}
