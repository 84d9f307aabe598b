//! Work on much history: purges, trimming, what deleted jobs leave.
//!
//! All of it is done in short turns. Between two, every other writer gets the connection, a checkpoint that is
//! under way ends, and other work of this kind has its turn.

use crate::handle::Inner;
use crate::sqlite::readers::now;
use crate::sqlite::runs::Runs;
use crate::{
    Catalog, CatalogError, DeletedJob, HistoryPlace, HistoryPurge, HistoryRemoval, PAGE_ROWS_MAX,
    PURGE_CHUNK_ROWS, PURGE_CHUNK_ROWS_MIN, PURGE_TURN, Result, RunsWrite,
};
use jiff::Timestamp;
use model::{JobId, ServerId};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Deleted jobs looked at in one transaction of the clean-up.
const CLEANUP_JOBS: usize = 50;

/// Who works on much history, in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    numbers: Mutex<Numbers>,
    served: Condvar,
}

#[derive(Debug, Default)]
struct Numbers {
    next: u64,
    serving: u64,
}

impl Queue {
    /// Does something when those who came before have.
    fn in_turn<T>(&self, act: impl FnOnce() -> T) -> T {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = numbers.next;
        numbers.next += 1;
        while numbers.serving != mine {
            numbers = self
                .served
                .wait(numbers)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(numbers);
        let _next = Next(self);
        act()
    }
}

/// Lets the next in, even after a panic.
struct Next<'q>(&'q Queue);

impl Drop for Next<'_> {
    fn drop(&mut self) {
        self.0
            .numbers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .serving += 1;
        self.0.served.notify_all();
    }
}

/// Writes in short turns, of as many rows as fit in [`PURGE_TURN`].
struct Turns<'c> {
    inner: &'c Inner,
    rows: usize,
}

impl<'c> Turns<'c> {
    fn new(catalog: &'c Catalog) -> Self {
        Self {
            inner: catalog.inner(),
            rows: PURGE_CHUNK_ROWS_MIN,
        }
    }

    /// One turn: a write, told how many rows it may remove.
    fn take<T>(&mut self, write: impl FnOnce(&mut dyn RunsWrite, usize) -> Result<T>) -> Result<T> {
        let inner = self.inner;
        let rows = self.rows;
        let mut began = None;
        let result = inner.housekeeping.in_turn(|| {
            inner.runs.checkpoints().settle();
            let limits = inner.limits();
            inner
                .runs
                .write(inner.options.lock_timeout, |connection, log| {
                    began = Some(now());
                    write(&mut Runs::writing(connection, log, limits), rows)
                })
        })?;
        let taken = began.map(|began| began.elapsed()).unwrap_or_default();
        self.rows = next_rows(rows, taken);
        Ok(result)
    }
}

/// Rows of the next turn after one of `rows` that took so long.
fn next_rows(rows: usize, taken: Duration) -> usize {
    let next = if taken > PURGE_TURN {
        rows / 2
    } else if taken < PURGE_TURN / 2 {
        rows.saturating_mul(2)
    } else {
        rows
    };
    next.clamp(PURGE_CHUNK_ROWS_MIN, PURGE_CHUNK_ROWS)
}

impl Catalog {
    /// Removes history, letting other writes in between. Rows that wait for the master stay, and so do those
    /// that come meanwhile. Returns how many rows went.
    ///
    /// # Errors
    /// As [`Catalog::runs_write`]; rows removed before stay removed.
    pub fn purge_history(&self, purge: &HistoryPurge) -> Result<u64> {
        self.purge_history_while(purge, || Ok(()))
    }

    /// As [`Catalog::purge_history`], asking before each turn whether to go on.
    ///
    /// # Errors
    /// As [`Catalog::purge_history`], and what `go_on` raises; rows removed before stay removed.
    pub fn purge_history_while<E: From<CatalogError>>(
        &self,
        purge: &HistoryPurge,
        go_on: impl FnMut() -> Result<(), E>,
    ) -> Result<u64, E> {
        self.remove(*purge, false, 0, go_on)
    }

    /// Brings history back within its limits: first each job on each target, then in all, then by age. The newest
    /// outcome of a job on a target and rows that wait for the master stay. Returns how many rows went.
    ///
    /// # Errors
    /// As [`Catalog::runs_write`]; rows removed before stay removed.
    pub fn trim_history(&self, now: Timestamp) -> Result<u64> {
        let limits = self.history_limits();
        let mut removed = 0;
        if let Some(most) = limits.rows_per_job_and_target {
            removed += self.trim_jobs(most)?;
        }
        if let Some(most) = limits.rows_max {
            removed += self.remove(HistoryPurge::default(), true, most, || {
                Ok::<_, CatalogError>(())
            })?;
        }
        // An age that reaches back beyond all time is no limit.
        if let Some(before) = limits.age_max.and_then(|age| now.checked_sub(age).ok()) {
            let old = HistoryPurge {
                job: None,
                before: Some(before),
            };
            removed += self.remove(old, true, 0, || Ok::<_, CatalogError>(()))?;
        }
        Ok(removed)
    }

    fn trim_jobs(&self, most: u64) -> Result<u64> {
        let mut turns = Turns::new(self);
        let mut removed = 0;
        let mut after: Option<(JobId, ServerId)> = None;
        loop {
            let found = self.runs_read(|runs| runs.jobs_over_limit(most, after, PAGE_ROWS_MAX))?;
            let Some(last) = found.last else {
                return Ok(removed);
            };
            after = Some(last);
            for (job, server) in found.over {
                loop {
                    let (count, limit) = turns
                        .take(|runs, rows| Ok((runs.trim_job_history(job, server, rows)?, rows)))?;
                    removed += count as u64;
                    if count < limit {
                        break;
                    }
                }
            }
        }
    }

    /// Removes rows, oldest first, until no more than `keep` rows of history are there: others may remove rows
    /// meanwhile. They are chosen in stretches on a reader, so that the writer is held for the removal alone.
    fn remove<E: From<CatalogError>>(
        &self,
        rows: HistoryPurge,
        keep_newest: bool,
        keep: u64,
        mut go_on: impl FnMut() -> Result<(), E>,
    ) -> Result<u64, E> {
        let beyond = || -> Result<usize> {
            let rows = self.runs_read(|runs| runs.history_rows())?;
            Ok(usize::try_from(rows.saturating_sub(keep)).unwrap_or(usize::MAX))
        };
        let removal = HistoryRemoval {
            rows,
            keep_newest,
            up_to: self.runs_read(|runs| runs.newest_history())?,
        };
        let mut turns = Turns::new(self);
        let mut after: Option<HistoryPlace> = None;
        let mut removed = 0;
        loop {
            let limit = beyond()?.min(PAGE_ROWS_MAX);
            if limit == 0 {
                break;
            }
            let chosen = self.runs_read(|runs| runs.removable_history(&removal, after, limit))?;
            let Some(last) = chosen.last() else { break };
            after = Some(*last);
            let mut chosen = &chosen[..];
            while !chosen.is_empty() {
                go_on()?;
                let left = beyond()?;
                if left == 0 {
                    return Ok(removed);
                }
                let (count, rest) = turns.take(|runs, rows| {
                    let (turn, rest) = chosen.split_at(rows.min(chosen.len()).min(left));
                    Ok((runs.remove_history(turn, keep_newest)?, rest))
                })?;
                removed += count as u64;
                chosen = rest;
            }
        }
        Ok(removed)
    }

    /// Removes what is left of deleted jobs in the runs file. Re-runnable; to be called at start and after
    /// [`JobDeleted`](crate::Change::JobDeleted). Returns how many jobs were finished.
    ///
    /// # Errors
    /// As [`Catalog::runs_write`] and [`Catalog::definitions_write`].
    pub fn cleanup_deleted_jobs(&self) -> Result<u64> {
        let mut turns = Turns::new(self);
        let mut finished = 0;
        loop {
            let deleted =
                self.definitions_read(|definitions| definitions.deleted_jobs(CLEANUP_JOBS))?;
            if deleted.is_empty() {
                return Ok(finished);
            }
            let mut left = &deleted[..];
            while !left.is_empty() {
                let done = turns.take(|runs, rows| cleanup(runs, left, rows))?;
                if done > 0 {
                    self.definitions_write(|definitions| {
                        left[..done]
                            .iter()
                            .try_for_each(|job| definitions.forget_deleted_job(job.job))
                    })?;
                }
                left = &left[done..];
                finished += done as u64;
            }
        }
    }
}

/// Removes up to `rows` rows of deleted jobs; how many of them are finished.
fn cleanup(runs: &mut dyn RunsWrite, deleted: &[DeletedJob], rows: usize) -> Result<usize> {
    let mut left = rows;
    for (done, job) in deleted.iter().enumerate() {
        let removed = runs.cleanup_job(job.job, job.keep_history, left)?;
        if removed >= left {
            return Ok(done);
        }
        left -= removed;
    }
    Ok(deleted.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_grow_and_shrink_within_their_bounds() {
        for (rows, millis, next) in [
            (16, 0, 32),
            (300, 1, 500),
            (500, 3, 500),
            (100, 4, 100),
            (100, 6, 50),
            (20, 60, 16),
        ] {
            assert_eq!(
                next_rows(rows, Duration::from_millis(millis)),
                next,
                "{rows}"
            );
        }
    }

    #[test]
    fn who_comes_first_is_served_first() {
        let queue = Queue::default();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            queue.in_turn(|| {
                for n in 0..4 {
                    let (queue, order) = (&queue, &order);
                    scope.spawn(move || queue.in_turn(|| order.lock().unwrap().push(n)));
                    // Until it stands in line.
                    while queue.numbers.lock().unwrap().next < n + 2 {
                        std::thread::yield_now();
                    }
                }
            });
        });
        assert_eq!(order.into_inner().unwrap(), [0, 1, 2, 3]);
    }
}
