//! Proxies and subsystems: procedures and their result sets.

use super::{
    Columns, Database, Execute, INT, Procedure, SYSNAME, TINYINT, col, int, null, nvarchar,
    required, varbinary,
};

/// `sp_help_proxy`: proxies.
pub(crate) const HELP_PROXY_PROXIES: Columns = &[
    col("proxy_id", INT),
    col("name", SYSNAME),
    col("credential_identity", SYSNAME),
    col("enabled", TINYINT),
    col("description", nvarchar(1024)),
    col("user_sid", varbinary(85)),
    col("credential_id", INT),
    col("credential_identity_exists", INT),
];

/// `sp_enum_login_for_proxy`: grants.
pub(crate) const ENUM_LOGIN_FOR_PROXY_GRANTS: Columns = &[
    col("proxy_id", INT),
    col("proxy_name", SYSNAME),
    col("flags", INT),
    col("name", SYSNAME),
    col("sid", varbinary(85)),
    col("principal_id", INT),
];

/// `sp_enum_proxy_for_subsystem`: grants.
pub(crate) const ENUM_PROXY_FOR_SUBSYSTEM_GRANTS: Columns = &[
    col("subsystem_id", INT),
    col("subsystem_name", SYSNAME),
    col("proxy_id", INT),
    col("proxy_name", SYSNAME),
];

/// `sp_enum_sqlagent_subsystems`: subsystems.
pub(crate) const ENUM_SQLAGENT_SUBSYSTEMS_SUBSYSTEMS: Columns = &[
    col("subsystem", nvarchar(40)),
    col("description", nvarchar(512)),
    col("subsystem_dll", nvarchar(510)),
    col("agent_exe", nvarchar(510)),
    col("start_entry_point", nvarchar(30)),
    col("event_entry_point", nvarchar(30)),
    col("stop_entry_point", nvarchar(30)),
    col("max_worker_threads", INT),
    col("subsystem_id", INT),
];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_add_proxy",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@proxy_name", SYSNAME),
            int("@enabled", TINYINT, 1),
            null("@description", nvarchar(512)),
            null("@credential_name", SYSNAME),
            null("@credential_id", INT),
            null("@proxy_id", INT).output(),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_update_proxy",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@proxy_id", INT),
            null("@proxy_name", SYSNAME),
            null("@credential_name", SYSNAME),
            null("@credential_id", INT),
            null("@new_name", SYSNAME),
            null("@enabled", TINYINT),
            null("@description", nvarchar(512)),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_delete_proxy",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[null("@proxy_id", INT), null("@proxy_name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_help_proxy",
        database: Database::Msdb,
        execute: Execute::Operator,
        params: &[
            null("@proxy_id", INT),
            null("@proxy_name", SYSNAME),
            null("@subsystem_name", SYSNAME),
            null("@name", nvarchar(256)),
        ],
        results: &[("proxies", HELP_PROXY_PROXIES)],
    },
    Procedure {
        name: "sp_grant_proxy_to_subsystem",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@proxy_id", INT),
            null("@proxy_name", SYSNAME),
            null("@subsystem_id", INT),
            null("@subsystem_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_revoke_proxy_from_subsystem",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@proxy_id", INT),
            null("@proxy_name", SYSNAME),
            null("@subsystem_id", INT),
            null("@subsystem_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_grant_login_to_proxy",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@login_name", nvarchar(256)),
            null("@fixed_server_role", nvarchar(256)),
            null("@msdb_role", nvarchar(256)),
            null("@proxy_id", INT),
            null("@proxy_name", nvarchar(256)),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_revoke_login_from_proxy",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@name", nvarchar(256)),
            null("@proxy_id", INT),
            null("@proxy_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_enum_login_for_proxy",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@name", nvarchar(256)),
            null("@proxy_id", INT),
            null("@proxy_name", SYSNAME),
        ],
        results: &[("grants", ENUM_LOGIN_FOR_PROXY_GRANTS)],
    },
    Procedure {
        name: "sp_enum_proxy_for_subsystem",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@proxy_id", INT),
            null("@proxy_name", SYSNAME),
            null("@subsystem_id", INT),
            null("@subsystem_name", SYSNAME),
        ],
        results: &[("grants", ENUM_PROXY_FOR_SUBSYSTEM_GRANTS)],
    },
    Procedure {
        name: "sp_enum_sqlagent_subsystems",
        database: Database::Msdb,
        execute: Execute::Operator,
        params: &[],
        results: &[("subsystems", ENUM_SQLAGENT_SUBSYSTEMS_SUBSYSTEMS)],
    },
];
