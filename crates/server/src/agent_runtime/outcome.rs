//! A step's end as the agent and the history know it.

use super::texts;
use agent::{StepEnd, StepResult};
use exec::{CapturedOutput, StepEnded};
use jiff::{SignedDuration, Timestamp};
use model::JobStep;

/// Bits of `sysjobsteps.flags`: output goes to the step's log, replacing or adding.
pub(super) const FLAG_LOG_REPLACE: i32 = 8;
/// See [`FLAG_LOG_REPLACE`].
pub(super) const FLAG_LOG_APPEND: i32 = 16;

/// What a step's end comes to: the result, and the text for its log where it keeps one.
pub(super) fn of_process(
    ended: &StepEnded,
    started: Timestamp,
    now: Timestamp,
    user: &str,
) -> StepResult {
    let end = match &ended.end {
        _ if ended.stopped && !matches!(ended.end, exec::StepEnd::Unknown) => StepEnd::Stopped,
        exec::StepEnd::Exited(code) => StepEnd::Exited(*code),
        exec::StepEnd::Signaled(_) | exec::StepEnd::NotStarted(_) => StepEnd::Failed,
        exec::StepEnd::Unknown if ended.stopped => StepEnd::Stopped,
        exec::StepEnd::Unknown => StepEnd::Unknown,
    };
    let mut ending = ended.end.to_string();
    if let Some(note) = &ended.note {
        ending = format!("{note}  {ending}");
    }
    let (message, whole) = texts::compose(&texts::executed_as(user), &ended.output.text, &ending);
    let finished = ended.elapsed.map_or(now, |elapsed| {
        let elapsed = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
        started.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    });
    StepResult {
        end,
        message,
        sql_message_id: 0,
        sql_severity: 0,
        output: kept(&ended.output, whole),
        started,
        // Not beyond now: a try that ended before a stop was asked for has ended by itself.
        ended: finished.min(now).max(started),
    }
}

/// The end of a step that was not started, or about which nothing is known but this text.
pub(super) fn without_process(end: StepEnd, message: String, now: Timestamp) -> StepResult {
    StepResult {
        end,
        message,
        sql_message_id: 0,
        sql_severity: 0,
        output: None,
        started: now,
        ended: now,
    }
}

/// The output beyond what the message holds.
pub(super) fn kept(output: &CapturedOutput, message_has_it_all: bool) -> Option<String> {
    (!message_has_it_all).then(|| output.text.clone())
}

/// How a step keeps its output in its table: `Some(append)`.
pub(super) fn log_mode(step: &JobStep) -> Option<bool> {
    if step.flags & FLAG_LOG_APPEND != 0 {
        Some(true)
    } else if step.flags & FLAG_LOG_REPLACE != 0 {
        Some(false)
    } else {
        None
    }
}
