//! Named places at which the program can be made to die, for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// All crash points. `definitions.*` and `runs.*` stand around every commit of a file; the others around
/// the commit that carries a named command, or at a place in `server` that acknowledges something.
///
/// Tests walk this list; a point that isn't in it can't be armed.
pub const CRASH_POINTS: &[&str] = &[
    "definitions.before_commit",
    "definitions.after_commit",
    "runs.before_commit",
    "runs.after_commit",
    "enlist_target.before_commit",
    "enlist_target.after_commit",
    "post_instruction.before_commit",
    "post_instruction.after_commit",
    "delete_job.before_commit",
    "delete_job.after_commit",
    "apply_job.before_commit",
    "apply_job.after_commit",
    "set_enlistment.before_commit",
    "set_enlistment.after_commit",
    "begin_run.before_commit",
    "begin_run.after_commit",
    "accept_start.before_commit",
    "accept_start.after_commit",
    "advance_cursor.before_commit",
    "advance_cursor.after_commit",
    "step_started.before_commit",
    "step_started.after_commit",
    "record_step.before_commit",
    "record_step.after_commit",
    "record_outcome.before_commit",
    "record_outcome.after_commit",
    "store_reports.before_commit",
    "store_reports.after_commit",
    "acknowledge_reports.before_commit",
    "acknowledge_reports.after_commit",
    "acknowledge_downloads.before_commit",
    "acknowledge_downloads.after_commit",
    "cleanup_job.before_commit",
    "cleanup_job.after_commit",
    "server.before_report_ack",
    "server.before_instruction_ack",
    "server.before_enlist_reply",
    "server.after_step_prepare",
    "server.before_step_launch",
    "server.after_step_launch",
    "server.after_step_end",
];

/// Crash points of this process: inert unless armed.
///
/// The program reads `MUSTER_CRASH_POINT=name[:n]` once at start and arms with it; nothing else does.
#[derive(Debug, Clone, Default)]
pub struct CrashPoints {
    armed: Option<Arc<Armed>>,
}

#[derive(Debug)]
struct Armed {
    name: &'static str,
    /// Hits left until the process ends; 0 once it is past.
    left: AtomicU32,
}

impl CrashPoints {
    /// Points that never fire.
    #[must_use]
    pub const fn inert() -> Self {
        Self { armed: None }
    }

    /// Arms one point from `name` or `name:n`: the process ends at its `n`th hit (the first by default).
    /// `None` when the name is not in [`CRASH_POINTS`] or `n` is not a number from 1.
    #[must_use]
    pub fn armed(text: &str) -> Option<Self> {
        let (name, count) = match text.split_once(':') {
            Some((name, count)) => (name, count.parse().ok().filter(|count| *count > 0)?),
            None => (text, 1),
        };
        let name = *CRASH_POINTS.iter().find(|known| **known == name)?;
        Some(Self {
            armed: Some(Arc::new(Armed {
                name,
                left: AtomicU32::new(count),
            })),
        })
    }

    /// Passes the point `name`; ends the process at once, with nothing flushed, when it is the armed one.
    pub fn hit(&self, name: &'static str) {
        debug_assert!(
            CRASH_POINTS.contains(&name),
            "crash point {name:?} is not listed"
        );
        if self.fires(name) {
            std::process::abort();
        }
    }

    /// Passes `<base>.<suffix>` without building the name.
    pub(crate) fn hit_pair(&self, base: &str, suffix: &str) {
        let fires = self.armed.as_ref().is_some_and(|armed| {
            armed
                .name
                .strip_prefix(base)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| rest == suffix)
                && armed.count_down()
        });
        if fires {
            std::process::abort();
        }
    }

    fn fires(&self, name: &str) -> bool {
        self.armed
            .as_ref()
            .is_some_and(|armed| armed.name == name && armed.count_down())
    }
}

impl Armed {
    /// Counts a hit; true at the one that ends the process.
    fn count_down(&self) -> bool {
        self.left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                left.checked_sub(1)
            })
            == Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arming() {
        assert!(CrashPoints::armed("nowhere").is_none());
        assert!(CrashPoints::armed("runs.after_commit:0").is_none());
        assert!(CrashPoints::armed("runs.after_commit:x").is_none());
        let points = CrashPoints::armed("runs.after_commit:3").unwrap();
        let fired: Vec<bool> = (0..5).map(|_| points.fires("runs.after_commit")).collect();
        assert_eq!(fired, [false, false, true, false, false]);
        assert!(!points.fires("runs.before_commit"));
        CrashPoints::inert().hit("runs.before_commit");
    }

    #[test]
    fn names_are_distinct() {
        let mut names = CRASH_POINTS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CRASH_POINTS.len());
    }
}
