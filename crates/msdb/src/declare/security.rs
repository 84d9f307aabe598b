//! Role membership procedures of every database. Inside, the same rules hold as for `ALTER ROLE`.

use super::{Database, Execute, Procedure, SYSNAME, required};

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_addrolemember",
        database: Database::Master,
        execute: Execute::Public,
        params: &[
            required("@rolename", SYSNAME),
            required("@membername", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_droprolemember",
        database: Database::Master,
        execute: Execute::Public,
        params: &[
            required("@rolename", SYSNAME),
            required("@membername", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_addsrvrolemember",
        database: Database::Master,
        execute: Execute::Public,
        params: &[
            required("@loginame", SYSNAME),
            required("@rolename", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_dropsrvrolemember",
        database: Database::Master,
        execute: Execute::Public,
        params: &[
            required("@loginame", SYSNAME),
            required("@rolename", SYSNAME),
        ],
        results: &[],
    },
];
