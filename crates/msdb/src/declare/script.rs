//! Muster's own procedures for definitions as code.

use super::{
    BIT, Columns, Database, Execute, NTEXT, Procedure, SYSNAME, col, null, required, text, varchar,
};

/// `sp_muster_script`: a definition and the T-SQL that makes it.
pub(crate) const SCRIPTS: Columns = &[
    col("object_type", varchar(20)),
    col("object_name", SYSNAME),
    col("script", NTEXT),
];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_muster_script",
        database: Database::Msdb,
        execute: Execute::User,
        params: &[
            text("@object_type", varchar(20), "ALL"),
            null("@name", SYSNAME),
        ],
        results: &[("scripts", SCRIPTS)],
    },
    Procedure {
        name: "sp_muster_rehearsal",
        database: Database::Msdb,
        execute: Execute::User,
        params: &[required("@on", BIT)],
        results: &[],
    },
];
