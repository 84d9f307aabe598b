//! Targets of a job: procedures and their result sets.

use super::{
    BIT, Columns, DATETIME, Database, Execute, GUID, INT, Procedure, SYSNAME, TINYINT, col, int,
    null, nvarchar, required, text, varchar,
};

/// `sp_help_jobserver`: servers (@show_last_run_details = 0).
pub(crate) const HELP_JOBSERVER_SERVERS: Columns = &[
    col("server_id", INT),
    col("server_name", SYSNAME),
    col("enlist_date", DATETIME),
    col("last_poll_date", DATETIME),
];

/// `sp_help_jobserver`: servers with last run (@show_last_run_details = 1).
pub(crate) const HELP_JOBSERVER_SERVERS_WITH_LAST_RUN: Columns = &[
    col("server_id", INT),
    col("server_name", SYSNAME),
    col("enlist_date", DATETIME),
    col("last_poll_date", DATETIME),
    col("last_run_date", INT),
    col("last_run_time", INT),
    col("last_run_duration", INT),
    col("last_run_outcome", TINYINT),
    col("last_outcome_message", nvarchar(4000)),
];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_help_jobserver",
        database: Database::Msdb,
        execute: Execute::User,
        params: &[
            null("@job_id", GUID),
            null("@job_name", SYSNAME),
            int("@show_last_run_details", TINYINT, 0),
        ],
        results: &[
            ("servers", HELP_JOBSERVER_SERVERS),
            (
                "servers_with_last_run",
                HELP_JOBSERVER_SERVERS_WITH_LAST_RUN,
            ),
        ],
    },
    Procedure {
        name: "sp_add_jobserver",
        database: Database::Msdb,
        execute: Execute::User,
        params: &[
            null("@job_id", GUID),
            null("@job_name", SYSNAME),
            text("@server_name", SYSNAME, "(local)"),
            int("@automatic_post", BIT, 1),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_delete_jobserver",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@job_id", GUID),
            null("@job_name", SYSNAME),
            required("@server_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_apply_job_to_targets",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@job_id", GUID),
            null("@job_name", SYSNAME),
            null("@target_server_groups", nvarchar(2048)),
            null("@target_servers", nvarchar(2048)),
            text("@operation", varchar(7), "APPLY"),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_remove_job_from_targets",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@job_id", GUID),
            null("@job_name", SYSNAME),
            null("@target_server_groups", nvarchar(1024)),
            null("@target_servers", nvarchar(1024)),
        ],
        results: &[],
    },
];
