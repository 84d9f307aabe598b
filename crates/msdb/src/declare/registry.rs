//! Registry procedures of master, as far as the Agent's own keys go (DESIGN section 9).

use super::{Columns, Database, Execute, Param, Procedure, SYSNAME, col, null, nvarchar, required};
use tsql::SqlType;

/// `xp_instance_regread`, `xp_regread` without an OUTPUT argument.
pub(crate) const REGREAD: Columns = &[col("Value", nvarchar(255)), col("Data", nvarchar(4000))];

const READ: &[Param] = &[
    required("@rootkey", SYSNAME),
    required("@key", nvarchar(4000)),
    required("@value_name", nvarchar(255)),
    null("@value", SqlType::SqlVariant).output(),
    null("@no_output", nvarchar(20)),
];

const WRITE: &[Param] = &[
    required("@rootkey", SYSNAME),
    required("@key", nvarchar(4000)),
    required("@value_name", nvarchar(255)),
    required("@type", nvarchar(20)),
    required("@value", SqlType::SqlVariant),
];

const DELETE: &[Param] = &[
    required("@rootkey", SYSNAME),
    required("@key", nvarchar(4000)),
    required("@value_name", nvarchar(255)),
];

const fn procedure(
    name: &'static str,
    execute: Execute,
    params: &'static [Param],
    results: &'static [(&'static str, Columns)],
) -> Procedure {
    Procedure {
        name,
        database: Database::Master,
        execute,
        params,
        results,
    }
}

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    procedure(
        "xp_instance_regread",
        Execute::Public,
        READ,
        &[("value", REGREAD)],
    ),
    procedure("xp_regread", Execute::Public, READ, &[("value", REGREAD)]),
    procedure("xp_instance_regwrite", Execute::Sysadmin, WRITE, &[]),
    procedure("xp_regwrite", Execute::Sysadmin, WRITE, &[]),
    procedure("xp_instance_regdeletevalue", Execute::Sysadmin, DELETE, &[]),
    procedure("xp_regdeletevalue", Execute::Sysadmin, DELETE, &[]),
];
