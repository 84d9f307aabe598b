//! Enlisting and defecting: procedures and their result sets.

use super::{
    BIT, Columns, DATETIME, Database, Execute, INT, Procedure, SYSNAME, col, int, null, nvarchar,
    required,
};

/// `sp_msx_get_account`: account.
pub(crate) const MSX_GET_ACCOUNT_ACCOUNT: Columns = &[
    col("msx_connection", INT),
    col("msx_credential_id", INT),
    col("msx_credential_name", SYSNAME),
    col("msx_login_name", nvarchar(4000)),
];

/// `sp_sqlagent_check_msx_version`. Its page gives no shape; this one is Muster's.
pub(crate) const CHECK_MSX_VERSION: Columns = &[col("required_msx_version", SYSNAME)];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_msx_enlist",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@msx_server_name", SYSNAME),
            null("@location", nvarchar(100)),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_msx_defect",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[int("@forced_defection", BIT, 0)],
        results: &[],
    },
    Procedure {
        name: "sp_msx_get_account",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[],
        results: &[("account", MSX_GET_ACCOUNT_ACCOUNT)],
    },
    Procedure {
        name: "sp_msx_set_account",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@credential_name", SYSNAME),
            null("@credential_id", INT),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_enlist_tsx",
        database: Database::Msdb,
        execute: Execute::TargetServers,
        params: &[
            required("@Action", INT),
            required("@ServerName", SYSNAME),
            required("@Location", nvarchar(200)),
            required("@TimeZoneAdjustment", INT),
            required("@LocalTime", DATETIME),
            required("@NTUserName", nvarchar(100)),
            required("@PollInterval", INT),
            int("@TSX_Version", INT, 0),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_sqlagent_check_msx_version",
        database: Database::Msdb,
        execute: Execute::TargetServers,
        params: &[],
        results: &[],
    },
];
