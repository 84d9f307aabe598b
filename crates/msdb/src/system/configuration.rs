//! `sys.configurations`: the options that mean something to Muster, with the values that hold.
//!
//! Options of SQL Server's storage and memory that Muster has no counterpart of are left out rather than given a
//! made-up value.

use super::view::{Fill, Filled};
use super::{int, text};
use crate::error::Result;
use crate::settings::SHOW_ADVANCED_OPTIONS;
use crate::tables::Scanner;
use catalog::DefinitionsRead;
use tsql::Value;

/// An option of sp_configure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConfigurationOption {
    /// `configuration_id`
    pub(crate) id: i32,
    /// Name.
    pub(crate) name: &'static str,
    /// Least value.
    pub(crate) least: i32,
    /// Greatest value.
    pub(crate) most: i32,
    /// Value that holds.
    pub(crate) value: i32,
    /// Whether sp_configure shows it with "show advanced options" alone.
    pub(crate) advanced: bool,
    /// What it means.
    pub(crate) description: &'static str,
}

/// Number of "show advanced options", the only option that can be changed.
pub(crate) const SHOW_ADVANCED_ID: i32 = 518;

const fn fixed(
    id: i32,
    name: &'static str,
    most: i32,
    value: i32,
    advanced: bool,
    description: &'static str,
) -> ConfigurationOption {
    ConfigurationOption {
        id,
        name,
        least: 0,
        most,
        value,
        advanced,
        description,
    }
}

/// Options by number.
#[rustfmt::skip]
const OPTIONS: &[ConfigurationOption] = &[
    fixed(102, "allow updates", 1, 0, false, "Allow updates to system tables"),
    fixed(115, "nested triggers", 1, 1, false, "Allow triggers to be invoked within triggers"),
    fixed(117, "remote access", 1, 0, false, "Allow remote access"),
    fixed(124, "default language", 9999, 0, false, "default language"),
    fixed(400, "cross db ownership chaining", 1, 0, false, "Allow cross db ownership chaining"),
    fixed(SHOW_ADVANCED_ID, "show advanced options", 1, 0, false, "show advanced options"),
    fixed(544, "c2 audit mode", 1, 0, true, "c2 audit mode"),
    fixed(1126, "default full-text language", i32::MAX, 1033, true, "default full-text language"),
    fixed(1127, "two digit year cutoff", 9999, 2049, true, "two digit year cutoff"),
    fixed(1517, "priority boost", 1, 0, true, "Priority boost"),
    fixed(1534, "user options", 32_767, 0, false, "user options"),
    fixed(1539, "max degree of parallelism", 32_767, 1, true, "maximum degree of parallelism"),
    fixed(1546, "affinity mask", i32::MAX, 0, true, "affinity mask"),
    fixed(1547, "scan for startup procs", 1, 0, true, "scan for startup stored procedures"),
    fixed(1548, "awe enabled", 1, 0, true, "AWE enabled in the server"),
    fixed(1555, "transform noise words", 1, 0, true, "Transform noise words for full-text query"),
    fixed(1562, "clr enabled", 1, 0, false, "CLR user code execution enabled in the server"),
    fixed(1568, "default trace enabled", 1, 0, true, "Enable or disable the default trace"),
    fixed(1569, "blocked process threshold (s)", 86_400, 0, true, "Blocked process reporting threshold"),
    fixed(1576, "remote admin connections", 1, 0, false, "Dedicated Admin Connections are allowed from remote clients"),
    fixed(1577, "common criteria compliance enabled", 1, 0, true, "Common Criteria compliance mode enabled"),
    fixed(1578, "EKM provider enabled", 1, 0, true, "Enable or disable EKM provider"),
    fixed(1579, "backup compression default", 1, 0, false, "Enable compression of backups by default"),
    fixed(1580, "filestream access level", 2, 0, false, "Sets the FILESTREAM access level"),
    fixed(1581, "optimize for ad hoc workloads", 1, 0, true, "Cache of ad hoc plans is kept small"),
    fixed(16_384, "Agent XPs", 1, 1, true, "Enable or disable Agent XPs"),
    fixed(16_386, "Database Mail XPs", 1, 0, true, "Enable or disable Database Mail XPs"),
    fixed(16_388, "Ole Automation Procedures", 1, 0, true, "Enable or disable Ole Automation Procedures"),
    fixed(16_390, "xp_cmdshell", 1, 0, true, "Enable or disable command shell"),
    fixed(16_391, "Ad Hoc Distributed Queries", 1, 0, true, "Enable or disable Ad Hoc Distributed Queries"),
    fixed(16_392, "Replication XPs", 1, 0, true, "Enable or disable Replication XPs"),
    fixed(16_393, "contained database authentication", 1, 0, false, "Enables contained databases and contained authentication"),
    fixed(16_398, "external scripts enabled", 1, 0, false, "Allows execution of external scripts"),
];

/// The options with their values as they are now.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn options(definitions: &dyn DefinitionsRead) -> Result<Vec<ConfigurationOption>> {
    let shown = definitions
        .setting(SHOW_ADVANCED_OPTIONS)?
        .and_then(|value| value.as_number())
        .unwrap_or(0);
    let mut options = OPTIONS.to_vec();
    for option in &mut options {
        if option.id == SHOW_ADVANCED_ID {
            option.value = i32::from(shown != 0);
        }
    }
    Ok(options)
}

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("configurations", configurations),
    Filled::sys("sysconfigures", sysconfigures),
];

fn configurations(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for option in options(scan.definitions)? {
        out.add([
            ("configuration_id", int(option.id)),
            ("name", text(option.name)),
            ("value", Value::Int(option.value)),
            ("minimum", Value::Int(option.least)),
            ("maximum", Value::Int(option.most)),
            ("value_in_use", Value::Int(option.value)),
            ("description", text(option.description)),
            ("is_dynamic", Value::Bit(true)),
            ("is_advanced", Value::Bit(option.advanced)),
        ]);
    }
    Ok(())
}

fn sysconfigures(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for option in options(scan.definitions)? {
        out.add([
            ("value", int(option.value)),
            ("config", int(option.id)),
            ("comment", text(option.description)),
            ("status", int(if option.advanced { 3 } else { 1 })),
        ]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::OPTIONS;

    #[test]
    fn options_are_in_order_and_within_their_bounds() {
        assert!(OPTIONS.windows(2).all(|pair| pair[0].id < pair[1].id));
        for option in OPTIONS {
            assert!(
                (option.least..=option.most).contains(&option.value),
                "{}",
                option.name
            );
            assert!(option.name.len() <= 35, "{}", option.name);
        }
    }
}
