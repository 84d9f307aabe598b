//! The Agent's subsystems by number.

use crate::error::Result;
use crate::messages::raise;
use catalog::{DefinitionsRead, SubsystemInfo};
use tsql::SqlError;

/// Number, name, message number of the description, steps that may run at once.
///
/// Source: fact sheet `tables.toml`, code `subsystem`; descriptions from `errors.toml`.
const SUBSYSTEMS: &[(i64, &str, i32, i32)] = &[
    (1, "TSQL", 14556, 40),
    (2, "ActiveScripting", 14555, 20),
    (3, "CmdExec", 14550, 20),
    (4, "Snapshot", 14551, 200),
    (5, "LogReader", 14552, 50),
    (6, "Distribution", 14553, 200),
    (7, "Merge", 14554, 200),
    (8, "QueueReader", 14581, 200),
    (9, "ANALYSISQUERY", 14513, 200),
    (10, "ANALYSISCOMMAND", 14514, 200),
    (11, "SSIS", 14538, 200),
    (12, "PowerShell", 14698, 2),
];

/// What an instance knows at first. The server stores what its host really has.
#[must_use]
pub fn default_subsystems() -> Vec<SubsystemInfo> {
    SUBSYSTEMS
        .iter()
        .map(|(id, name, description, workers)| SubsystemInfo {
            id: *id,
            name: (*name).to_owned(),
            description_id: Some(*description),
            max_worker_threads: Some(*workers),
        })
        .collect()
}

/// The subsystems as stored, or the usual ones while none are.
pub(crate) fn known(definitions: &dyn DefinitionsRead) -> Result<Vec<SubsystemInfo>> {
    let stored = definitions.subsystems()?;
    Ok(if stored.is_empty() {
        default_subsystems()
    } else {
        stored
    })
}

/// A subsystem by name. `Dts`, as proxy pages and old scripts have it, is SSIS.
pub(crate) fn by_name(
    definitions: &dyn DefinitionsRead,
    name: &str,
) -> Result<Option<SubsystemInfo>> {
    let name = if name.eq_ignore_ascii_case("Dts") {
        "SSIS"
    } else {
        name
    };
    Ok(known(definitions)?
        .into_iter()
        .find(|subsystem| subsystem.name.eq_ignore_ascii_case(name)))
}

/// 14234 for a subsystem that there isn't.
pub(crate) fn unknown() -> SqlError {
    let lists = "sp_enum_sqlagent_subsystems";
    raise(14234, &["@subsystem".into(), lists.into()])
}
