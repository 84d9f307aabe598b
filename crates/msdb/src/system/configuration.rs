//! `sys.configurations`: SQL Server's options, what administrators set them to, and what holds.
//!
//! Any option keeps the value it is given. What most of them tune, Muster has not, so that the value kept is all there
//! is to them and counts as in use; those that would switch something on or off that is fixed here keep a value in use
//! of their own, which setting them does not change.

use super::view::{Fill, Filled};
use super::{int, text};
use crate::error::Result;
use crate::settings::{CONFIGURATION_PREFIX, configuration_key};
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
    /// Value that it is set to.
    pub(crate) value: i32,
    /// Value that holds where setting the option changes nothing.
    pub(crate) fixed: Option<i32>,
    /// Whether RECONFIGURE alone puts it in force, without a start.
    pub(crate) dynamic: bool,
    /// Whether sp_configure shows it with "show advanced options" alone.
    pub(crate) advanced: bool,
}

impl ConfigurationOption {
    /// Value in use.
    pub(crate) fn in_use(&self) -> i32 {
        self.fixed.unwrap_or(self.value)
    }

    /// What it means. SQL Server's own texts repeat the name for most.
    fn description(&self) -> &'static str {
        let known = DESCRIPTIONS.iter().find(|(name, _)| *name == self.name);
        known.map_or(self.name, |(_, text)| text)
    }
}

/// Number of "show advanced options".
pub(crate) const SHOW_ADVANCED_ID: i32 = 518;

const fn option(
    id: i32,
    name: &'static str,
    value: i32,
    least: i32,
    most: i32,
) -> ConfigurationOption {
    ConfigurationOption {
        id,
        name,
        least,
        most,
        value,
        fixed: None,
        dynamic: true,
        advanced: true,
    }
}

impl ConfigurationOption {
    /// Shown without "show advanced options".
    const fn basic(mut self) -> Self {
        self.advanced = false;
        self
    }

    /// Takes a start of the server.
    const fn at_start(mut self) -> Self {
        self.dynamic = false;
        self
    }

    /// Whatever it is set to, this holds.
    const fn holds(mut self, value: i32) -> Self {
        self.fixed = Some(value);
        self
    }
}

const MAX: i32 = i32::MAX;

/// Options by number. Source: SQL Server's documentation, "Server configuration options".
#[rustfmt::skip]
const OPTIONS: &[ConfigurationOption] = &[
    option(101, "recovery interval (min)", 0, 0, 32_767),
    option(102, "allow updates", 0, 0, 1).basic(),
    option(103, "user connections", 0, 0, 32_767).at_start(),
    option(106, "locks", 0, 0, MAX).at_start(),
    option(107, "open objects", 0, 0, MAX).at_start(),
    option(109, "fill factor (%)", 0, 0, 100).at_start(),
    option(114, "disallow results from triggers", 0, 0, 1).holds(0),
    option(115, "nested triggers", 1, 0, 1).basic().holds(1),
    option(116, "server trigger recursion", 1, 0, 1).basic(),
    option(117, "remote access", 0, 0, 1).basic().at_start().holds(0),
    option(124, "default language", 0, 0, 9_999).basic().holds(0),
    option(400, "cross db ownership chaining", 0, 0, 1).basic().holds(0),
    option(503, "max worker threads", 0, 0, 65_535),
    option(505, "network packet size (B)", 4_096, 512, 32_767),
    option(SHOW_ADVANCED_ID, "show advanced options", 0, 0, 1).basic(),
    option(542, "remote proc trans", 0, 0, 1).basic().holds(0),
    option(544, "c2 audit mode", 0, 0, 1).at_start().holds(0),
    option(1126, "default full-text language", 1_033, 0, MAX),
    option(1127, "two digit year cutoff", 2_049, 1_753, 9_999).holds(2_049),
    option(1505, "index create memory (KB)", 0, 0, MAX),
    option(1517, "priority boost", 0, 0, 1).at_start().holds(0),
    option(1519, "remote login timeout (s)", 10, 0, MAX).basic(),
    option(1520, "remote query timeout (s)", 600, 0, MAX).basic(),
    option(1531, "cursor threshold", -1, -1, MAX),
    option(1532, "set working set size", 0, 0, 1).at_start(),
    option(1534, "user options", 0, 0, 32_767).basic().holds(0),
    option(1535, "affinity mask", 0, i32::MIN, MAX).holds(0),
    option(1536, "max text repl size (B)", 65_536, -1, MAX).basic(),
    option(1537, "media retention", 0, 0, 365),
    option(1538, "cost threshold for parallelism", 5, 0, 32_767),
    option(1539, "max degree of parallelism", 0, 0, 32_767),
    option(1540, "min memory per query (KB)", 1_024, 512, MAX),
    option(1541, "query wait (s)", -1, -1, MAX),
    option(1543, "min server memory (MB)", 0, 0, MAX),
    option(1544, "max server memory (MB)", MAX, 128, MAX),
    option(1545, "query governor cost limit", 0, 0, MAX),
    option(1546, "lightweight pooling", 0, 0, 1).at_start().holds(0),
    option(1547, "scan for startup procs", 0, 0, 1).at_start().holds(0),
    option(1549, "affinity64 mask", 0, i32::MIN, MAX).holds(0),
    option(1550, "affinity I/O mask", 0, i32::MIN, MAX).at_start().holds(0),
    option(1551, "affinity64 I/O mask", 0, i32::MIN, MAX).at_start().holds(0),
    option(1555, "transform noise words", 0, 0, 1),
    option(1556, "precompute rank", 0, 0, 1),
    option(1557, "PH timeout (s)", 60, 1, 3_600),
    option(1562, "clr enabled", 0, 0, 1).basic().holds(0),
    option(1563, "max full-text crawl range", 4, 0, 256),
    option(1564, "ft notify bandwidth (min)", 0, 0, 32_767),
    option(1565, "ft notify bandwidth (max)", 100, 0, 32_767),
    option(1566, "ft crawl bandwidth (min)", 0, 0, 32_767),
    option(1567, "ft crawl bandwidth (max)", 100, 0, 32_767),
    option(1568, "default trace enabled", 0, 0, 1).holds(0),
    option(1569, "blocked process threshold (s)", 0, 0, 86_400),
    option(1570, "in-doubt xact resolution", 0, 0, 2),
    option(1576, "remote admin connections", 0, 0, 1).basic().holds(0),
    option(1577, "common criteria compliance enabled", 0, 0, 1).at_start().holds(0),
    option(1578, "EKM provider enabled", 0, 0, 1).holds(0),
    option(1579, "backup compression default", 0, 0, 1).basic(),
    option(1580, "filestream access level", 0, 0, 2).basic().holds(0),
    option(1581, "optimize for ad hoc workloads", 0, 0, 1),
    option(1582, "access check cache bucket count", 0, 0, 65_536),
    option(1583, "access check cache quota", 0, 0, MAX),
    option(1584, "backup checksum default", 0, 0, 1).basic(),
    option(1585, "automatic soft-NUMA disabled", 0, 0, 1).at_start().holds(0),
    option(1586, "external scripts enabled", 0, 0, 1).basic().holds(0),
    option(1587, "clr strict security", 1, 0, 1).holds(1),
    option(1588, "column encryption enclave type", 0, 0, 2).basic().at_start().holds(0),
    option(1589, "tempdb metadata memory-optimized", 0, 0, 1).at_start().holds(0),
    option(1591, "ADR cleaner retry timeout (min)", 15, 0, 32_767),
    option(1592, "ADR Preallocation Factor", 4, 0, 32_767),
    option(16_384, "Agent XPs", 1, 0, 1).holds(1),
    option(16_386, "Database Mail XPs", 0, 0, 1).holds(0),
    option(16_387, "SMO and DMO XPs", 1, 0, 1).holds(1),
    option(16_388, "Ole Automation Procedures", 0, 0, 1).holds(0),
    option(16_390, "xp_cmdshell", 0, 0, 1).holds(0),
    option(16_391, "Ad Hoc Distributed Queries", 0, 0, 1).holds(0),
    option(16_392, "Replication XPs", 0, 0, 1).holds(0),
    option(16_393, "contained database authentication", 0, 0, 1).basic().holds(0),
    option(16_394, "hadoop connectivity", 0, 0, 7).basic().at_start().holds(0),
    option(16_395, "polybase network encryption", 1, 0, 1).basic(),
    option(16_396, "remote data archive", 0, 0, 1).basic().holds(0),
    option(16_397, "allow polybase export", 0, 0, 1).basic().holds(0),
    option(16_398, "allow filesystem enumeration", 1, 0, 1),
    option(16_399, "polybase enabled", 0, 0, 1).basic().at_start().holds(0),
];

/// Descriptions that say more than the name.
const DESCRIPTIONS: &[(&str, &str)] = &[
    ("allow updates", "Allow updates to system tables"),
    (
        "nested triggers",
        "Allow triggers to be invoked within triggers",
    ),
    ("remote access", "Allow remote access"),
    (
        "cross db ownership chaining",
        "Allow cross db ownership chaining",
    ),
    ("priority boost", "Priority boost"),
    ("max degree of parallelism", "maximum degree of parallelism"),
    (
        "min server memory (MB)",
        "Minimum size of server memory (MB)",
    ),
    (
        "max server memory (MB)",
        "Maximum size of server memory (MB)",
    ),
    (
        "scan for startup procs",
        "scan for startup stored procedures",
    ),
    (
        "clr enabled",
        "CLR user code execution enabled in the server",
    ),
    (
        "default trace enabled",
        "Enable or disable the default trace",
    ),
    (
        "blocked process threshold (s)",
        "Blocked process reporting threshold",
    ),
    (
        "remote admin connections",
        "Dedicated Admin Connections are allowed from remote clients",
    ),
    (
        "backup compression default",
        "Enable compression of backups by default",
    ),
    (
        "filestream access level",
        "Sets the FILESTREAM access level",
    ),
    ("Agent XPs", "Enable or disable Agent XPs"),
    ("Database Mail XPs", "Enable or disable Database Mail XPs"),
    (
        "Ole Automation Procedures",
        "Enable or disable Ole Automation Procedures",
    ),
    ("xp_cmdshell", "Enable or disable command shell"),
    (
        "Ad Hoc Distributed Queries",
        "Enable or disable Ad Hoc Distributed Queries",
    ),
    ("Replication XPs", "Enable or disable Replication XPs"),
];

/// The options with their values as they are now.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn options(definitions: &dyn DefinitionsRead) -> Result<Vec<ConfigurationOption>> {
    let mut options = OPTIONS.to_vec();
    for (key, value) in definitions.settings(CONFIGURATION_PREFIX)? {
        let number = value.as_number().and_then(|n| i32::try_from(n).ok());
        let found = options
            .iter_mut()
            .find(|option| configuration_key(option.name) == key);
        if let (Some(option), Some(number)) = (found, number) {
            option.value = number;
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
            ("value_in_use", Value::Int(option.in_use())),
            ("description", text(option.description())),
            ("is_dynamic", Value::Bit(option.dynamic)),
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
            ("comment", text(option.description())),
            (
                "status",
                int(i32::from(option.dynamic) + 2 * i32::from(option.advanced)),
            ),
        ]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTIONS, OPTIONS};

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
            assert!(
                (option.least..=option.most).contains(&option.in_use()),
                "{}",
                option.name
            );
        }
    }
    #[test]
    fn descriptions_are_of_options() {
        for (name, _) in DESCRIPTIONS {
            assert!(OPTIONS.iter().any(|option| option.name == *name), "{name}");
        }
    }
}
