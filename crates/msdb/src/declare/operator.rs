//! Operators: procedures and their result sets.

use super::{
    Columns, Database, Execute, GUID, INT, NTEXT, Procedure, SYSNAME, TINYINT, col, int, null,
    nvarchar, required, text,
};

/// `sp_help_operator`: operators.
pub(crate) const HELP_OPERATOR_OPERATORS: Columns = &[
    col("id", INT),
    col("name", SYSNAME),
    col("enabled", TINYINT),
    col("email_address", nvarchar(100)),
    col("last_email_date", INT),
    col("last_email_time", INT),
    col("pager_address", nvarchar(100)),
    col("last_pager_date", INT),
    col("last_pager_time", INT),
    col("weekday_pager_start_time", INT),
    col("weekday_pager_end_time", INT),
    col("saturday_pager_start_time", INT),
    col("saturday_pager_end_time", INT),
    col("sunday_pager_start_time", INT),
    col("sunday_pager_end_time", INT),
    col("pager_days", TINYINT),
    col("netsend_address", nvarchar(100)),
    col("last_netsend_date", INT),
    col("last_netsend_time", INT),
    col("category_name", SYSNAME),
];

/// `sp_help_operator_jobs`: jobs.
pub(crate) const HELP_OPERATOR_JOBS_JOBS: Columns = &[
    col("job_id", GUID),
    col("name", SYSNAME),
    col("notify_level_email", INT),
    col("notify_level_netsend", INT),
    col("notify_level_page", INT),
];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_add_operator",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@name", SYSNAME),
            int("@enabled", TINYINT, 1),
            null("@email_address", nvarchar(100)),
            null("@pager_address", nvarchar(100)),
            int("@weekday_pager_start_time", INT, 90000),
            int("@weekday_pager_end_time", INT, 180000),
            int("@saturday_pager_start_time", INT, 90000),
            int("@saturday_pager_end_time", INT, 180000),
            int("@sunday_pager_start_time", INT, 90000),
            int("@sunday_pager_end_time", INT, 180000),
            int("@pager_days", TINYINT, 0),
            null("@netsend_address", nvarchar(100)),
            null("@category_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_update_operator",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@name", SYSNAME),
            null("@new_name", SYSNAME),
            null("@enabled", TINYINT),
            null("@email_address", nvarchar(100)),
            null("@pager_address", nvarchar(100)),
            null("@weekday_pager_start_time", INT),
            null("@weekday_pager_end_time", INT),
            null("@saturday_pager_start_time", INT),
            null("@saturday_pager_end_time", INT),
            null("@sunday_pager_start_time", INT),
            null("@sunday_pager_end_time", INT),
            null("@pager_days", TINYINT),
            null("@netsend_address", nvarchar(100)),
            null("@category_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_delete_operator",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@name", SYSNAME),
            null("@reassign_to_operator", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_help_operator",
        database: Database::Msdb,
        execute: Execute::User,
        params: &[null("@operator_name", SYSNAME), null("@operator_id", INT)],
        results: &[("operators", HELP_OPERATOR_OPERATORS)],
    },
    Procedure {
        name: "sp_help_operator_jobs",
        database: Database::Msdb,
        execute: Execute::Operator,
        params: &[null("@operator_name", SYSNAME)],
        results: &[("jobs", HELP_OPERATOR_JOBS_JOBS)],
    },
    Procedure {
        name: "sp_notify_operator",
        database: Database::Msdb,
        execute: Execute::User,
        params: &[
            null("@profile_name", SYSNAME),
            null("@id", INT),
            null("@name", SYSNAME),
            null("@subject", nvarchar(256)),
            null("@body", NTEXT),
            null("@file_attachments", nvarchar(512)),
            text("@mail_database", SYSNAME, "msdb"),
        ],
        results: &[],
    },
];
