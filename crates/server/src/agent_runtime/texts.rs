//! The sentences the agent adds to histories and answers, apart from the logic, for translation.

use model::run::HISTORY_MESSAGE_UNITS_MAX;

/// Answer to a request that the agent's thread did not take up in time.
pub(super) const NO_ANSWER: &str =
    "SQLServerAgent did not answer in time; whether the job was started shows its activity";
/// Step of an owner who may not use the shell.
pub(super) const NO_SHELL: &str = "The step was refused, because only a member of the sysadmin role may own a CmdExec step that runs \
     without a proxy account.";
/// Step under a proxy.
pub(super) const NO_PROXIES: &str =
    "The step was refused, because this server has no proxy accounts for steps.";
/// T-SQL step that no thread was had for.
pub(super) const NO_THREAD: &str = "No thread could be started for the step";
/// T-SQL step whose process died.
pub(super) const TSQL_END_UNKNOWN: &str = "The end of the step cannot be known, because the agent that ran it was interrupted; it counts as \
     failed.";
/// Step of a launch that was lost with the launcher and its journal.
pub(super) const LAUNCH_IN_DOUBT: &str = "Whether the step ran cannot be known, because its launcher and what it had written down were lost.";
/// Units that the agent's last sentence, and the blanks before it, may take.
const ENDING_UNITS: usize = 64;

/// Step of a subsystem that this host cannot run.
pub(super) fn no_subsystem(step_id: i32, name: &str) -> String {
    format!(
        "Unable to start execution of step {step_id} (reason: the subsystem {name} is not available on this server)."
    )
}

/// Step with a token that cannot be replaced.
pub(super) fn bad_token(step_id: i32, error: &exec::TokenError) -> String {
    format!("Unable to start execution of step {step_id} (reason: {error}).")
}

/// Step of a job whose owner is no login any more.
pub(super) fn no_owner(owner: &str) -> String {
    format!(
        "The step was refused, because the owner of the job ({owner}) is no login of this server."
    )
}

/// Step of a job whose owner could not be looked up.
pub(super) fn owner_not_read(cause: &str) -> String {
    format!("The step was not started, because the job's owner could not be looked up: {cause}.")
}

/// Step that could not be stored as begun.
pub(super) fn not_recorded(cause: &str) -> String {
    format!("The step was not started, because its start could not be recorded: {cause}.")
}

/// Who a step ran as.
pub(super) fn executed_as(user: &str) -> String {
    format!("Executed as user: {user}.")
}

/// A history text of a beginning, what the step said, and an ending, with room left for the agent's own
/// last sentence. What the step said is cut where it is too long; whether it is whole.
pub(super) fn compose(beginning: &str, said: &str, ending: &str) -> (String, bool) {
    let units = |text: &str| text.encode_utf16().count();
    let room = HISTORY_MESSAGE_UNITS_MAX
        .saturating_sub(ENDING_UNITS + units(beginning) + units(ending) + 3);
    let said = said.trim_end();
    let mut used = 0;
    let end = said
        .char_indices()
        .find(|(_, character)| {
            used += character.len_utf16();
            used > room
        })
        .map_or(said.len(), |(at, _)| at);
    let mut text = beginning.to_owned();
    for part in [&said[..end], ending] {
        if !part.is_empty() {
            if !text.is_empty() {
                text.push_str(if part == ending { "  " } else { " " });
            }
            text.push_str(part);
        }
    }
    (text, end == said.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_said_gives_way() {
        assert_eq!(
            compose("Executed as user: x.", "out\n", "Process Exit Code 0."),
            (
                "Executed as user: x. out  Process Exit Code 0.".to_owned(),
                true
            )
        );
        assert_eq!(compose("", "", "end"), ("end".to_owned(), true));
        let (text, whole) = compose("begin", &"😀".repeat(4_000), "end");
        assert!(!whole && text.ends_with("  end"));
        assert!(text.encode_utf16().count() <= HISTORY_MESSAGE_UNITS_MAX - ENDING_UNITS);
    }
}
