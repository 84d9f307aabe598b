//! Definitions as T-SQL scripts in the shape that SSMS writes: applied to an empty instance they make equal
//! definitions.
//!
//! Not in a script: logins, targets and secrets of credentials, which are made otherwise, and what the fleet
//! downloaded, which is the master's. Identifiers of jobs are given anew; those of schedules are kept.

mod alert;
mod category;
mod job;
mod operator;
mod proxy;
mod schedule;
mod target_group;
mod text;

use crate::error::Result;
use catalog::DefinitionsRead;

/// What can be scripted, in the order in which scripts must run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Categories of jobs, alerts and operators that are not built in.
    Category,
    /// Operators.
    Operator,
    /// Proxies, with their credentials (without the secret) and their grants.
    Proxy,
    /// Schedules.
    Schedule,
    /// Jobs with steps, schedules and targets.
    Job,
    /// Alerts with their notifications.
    Alert,
    /// Target server groups with their members.
    TargetGroup,
}

impl Kind {
    /// All of them, in the order in which scripts must run.
    pub(crate) const ALL: [Self; 7] = [
        Self::Category,
        Self::Operator,
        Self::Proxy,
        Self::Schedule,
        Self::Job,
        Self::Alert,
        Self::TargetGroup,
    ];

    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Category => "CATEGORY",
            Self::Operator => "OPERATOR",
            Self::Proxy => "PROXY",
            Self::Schedule => "SCHEDULE",
            Self::Job => "JOB",
            Self::Alert => "ALERT",
            Self::TargetGroup => "TARGETGROUP",
        }
    }

    /// Whether everyone who may use the Agent sees it; the others are sysadmin's alone.
    pub(crate) const fn is_owned(self) -> bool {
        matches!(self, Self::Schedule | Self::Job)
    }
}

/// A definition and its script.
pub(crate) struct Script {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its name.
    pub(crate) name: String,
    /// Who owns it, where it has an owner.
    pub(crate) owner_sid: Option<Vec<u8>>,
    /// T-SQL, batches parted by GO.
    pub(crate) text: String,
}

impl Script {
    fn new(kind: Kind, name: &str, text: String) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            owner_sid: None,
            text: format!("USE [msdb]\nGO\n{text}GO\n"),
        }
    }
}

/// Scripts of one kind in the order of their names, of all or of those with this name.
pub(crate) fn scripts(
    definitions: &dyn DefinitionsRead,
    kind: Kind,
    only: Option<&str>,
) -> Result<Vec<Script>> {
    let mut scripts = match kind {
        Kind::Category => category::scripts(definitions),
        Kind::Operator => operator::scripts(definitions),
        Kind::Proxy => proxy::scripts(definitions),
        Kind::Schedule => schedule::scripts(definitions, only),
        Kind::Job => job::scripts(definitions, only),
        Kind::Alert => alert::scripts(definitions),
        Kind::TargetGroup => target_group::scripts(definitions),
    }?;
    if let Some(only) = only.map(catalog::name_key) {
        scripts.retain(|script| catalog::name_key(&script.name) == only);
    }
    scripts.sort_by_key(|script| catalog::name_key(&script.name));
    Ok(scripts)
}
