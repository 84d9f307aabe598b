//! The sentences of history rows, apart from the logic, for translation. Two blanks between sentences.
//!
//! Source: agent fact sheet, section 8 (message shapes).

use crate::run::StopCause;
use model::run::HISTORY_MESSAGE_UNITS_MAX;
use model::{JobStep, RunSource, RunStatus};

const SEPARATOR: &str = "  ";

/// Body of a step, or note of a run, whose launch nobody can vouch for.
pub(crate) const LAUNCH_UNKNOWN: &str = "Whether a step ran cannot be known, because the agent and \
     its launcher were both interrupted.";
/// Note of a run that ended because a step's end is unknown.
pub(crate) const NOTE_END_UNKNOWN: &str =
    "The end of the last step cannot be known, so the job does not go on.";
/// Note of an adopted run whose job is gone.
pub(crate) const NOTE_JOB_GONE: &str = "The job does not exist any more.";
/// Note of a run that reached the last row number.
pub(crate) const NOTE_ROWS_FULL: &str = "The run has reached the largest number of history rows.";

/// Note of a run that was to go to a step that does not exist.
pub(crate) fn note_no_such_step(step_id: i32) -> String {
    format!("The step to go to, {step_id}, does not exist.")
}

/// Note of an adopted run whose rows of history are gone.
pub(crate) fn note_rows_gone() -> String {
    "The history of its steps is gone, so it is not known where it has to go on.".to_owned()
}

/// Note of a recorded start that was refused.
pub(crate) fn note_refused(why: &crate::Refused) -> String {
    format!("The start was refused because {why}.")
}

/// What asked for a run, as "invoked by" and refusals name it.
pub(crate) fn source_name(source: &RunSource) -> String {
    match source {
        RunSource::Schedule {
            schedule_id, name, ..
        } => format!("Schedule {schedule_id} ({name})"),
        RunSource::User { login } | RunSource::Master { login } => format!("User {login}"),
        RunSource::AgentStart { .. } => "Start Sequence 0".to_owned(),
    }
}

/// What an outcome row tells.
pub(crate) struct OutcomeText<'a> {
    pub(crate) status: RunStatus,
    pub(crate) stop: Option<&'a StopCause>,
    pub(crate) source: &'a RunSource,
    pub(crate) last_step: Option<&'a JobStep>,
    /// The step asked for, where it is not the job's own start step.
    pub(crate) start_step: Option<&'a JobStep>,
    pub(crate) note: Option<&'a str>,
}

/// The message of an outcome row.
pub(crate) fn outcome(text: &OutcomeText<'_>) -> String {
    let mut sentences = vec![match text.status {
        RunStatus::Succeeded => "The job succeeded.".to_owned(),
        RunStatus::Canceled => match text.stop {
            None | Some(StopCause::Earlier) => {
                "The job was stopped prior to completion.".to_owned()
            }
            Some(StopCause::User(login)) => {
                format!("The job was stopped prior to completion by User {login}.")
            }
            Some(StopCause::Shutdown) => {
                "The job was stopped prior to completion by Shutdown Sequence 0.".to_owned()
            }
            Some(StopCause::Removed) => {
                "The job was stopped prior to completion because it was deleted.".to_owned()
            }
        },
        RunStatus::Failed | RunStatus::Retry | RunStatus::InProgress => {
            "The job failed.".to_owned()
        }
    }];
    sentences.push(format!(
        "The Job was invoked by {}.",
        source_name(text.source)
    ));
    if let Some(step) = text.last_step {
        sentences.push(format!(
            "The last step to run was step {} ({}).",
            step.step_id, step.name
        ));
    }
    if let Some(step) = text.start_step {
        sentences.push(format!(
            "The job was requested to start at step {} ({}).",
            step.step_id, step.name
        ));
    }
    sentences.extend(text.note.map(str::to_owned));
    limited(&sentences.join(SEPARATOR), "")
}

/// The message of a step's row: what the step said, and how it ended.
pub(crate) fn step(body: &str, status: RunStatus) -> String {
    let ending = match status {
        RunStatus::Succeeded => "The step succeeded.",
        RunStatus::Canceled => "The step was stopped.",
        RunStatus::Failed | RunStatus::Retry | RunStatus::InProgress => "The step failed.",
    };
    let body = body.trim_end();
    if body.is_empty() {
        return ending.to_owned();
    }
    limited(body, &format!("{SEPARATOR}{ending}"))
}

/// `body` cut so that it and `ending` fit a history message.
fn limited(body: &str, ending: &str) -> String {
    let room = HISTORY_MESSAGE_UNITS_MAX.saturating_sub(ending.encode_utf16().count());
    let mut units = 0;
    let mut text: String = body
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= room
        })
        .collect();
    text.push_str(ending);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bodies_keep_their_ending() {
        for body in ["é".repeat(5_000), "😀".repeat(5_000), "x".repeat(4_000)] {
            let message = step(&body, RunStatus::Failed);
            let units = message.encode_utf16().count();
            assert!(
                (HISTORY_MESSAGE_UNITS_MAX - 1..=HISTORY_MESSAGE_UNITS_MAX).contains(&units),
                "{units}"
            );
            assert!(message.ends_with("  The step failed."));
        }
        assert_eq!(step(" \n", RunStatus::Succeeded), "The step succeeded.");
    }
}
