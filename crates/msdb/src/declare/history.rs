//! History: procedures and their result sets.

use super::{
    Columns, DATETIME, Database, Execute, GUID, INT, Procedure, SYSNAME, col, int, null, nvarchar,
    required, text, varchar,
};

/// `sp_help_jobhistory`: full (@mode = 'FULL').
pub(crate) const HELP_JOBHISTORY_FULL: Columns = &[
    col("instance_id", INT),
    col("job_id", GUID),
    col("job_name", SYSNAME),
    col("step_id", INT),
    col("step_name", SYSNAME),
    col("sql_message_id", INT),
    col("sql_severity", INT),
    col("message", nvarchar(4000)),
    col("run_status", INT),
    col("run_date", INT),
    col("run_time", INT),
    col("run_duration", INT),
    col("operator_emailed", SYSNAME),
    col("operator_netsent", SYSNAME),
    col("operator_paged", SYSNAME),
    col("retries_attempted", INT),
    col("server", SYSNAME),
];

/// `sp_help_jobhistory`: summary (@mode = 'SUMMARY').
pub(crate) const HELP_JOBHISTORY_SUMMARY: Columns = &[
    col("job_id", GUID),
    col("job_name", SYSNAME),
    col("run_status", INT),
    col("run_date", INT),
    col("run_time", INT),
    col("run_duration", INT),
    col("operator_emailed", SYSNAME),
    col("operator_netsent", SYSNAME),
    col("operator_paged", SYSNAME),
    col("retries_attempted", INT),
    col("server", SYSNAME),
];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_help_jobhistory",
        database: Database::Msdb,
        execute: Execute::User,
        params: &[
            null("@job_id", GUID),
            null("@job_name", SYSNAME),
            null("@step_id", INT),
            null("@sql_message_id", INT),
            null("@sql_severity", INT),
            null("@start_run_date", INT),
            null("@end_run_date", INT),
            null("@start_run_time", INT),
            null("@end_run_time", INT),
            null("@minimum_run_duration", INT),
            null("@run_status", INT),
            null("@minimum_retries", INT),
            int("@oldest_first", INT, 0),
            null("@server", SYSNAME),
            text("@mode", varchar(7), "SUMMARY"),
        ],
        results: &[
            ("full", HELP_JOBHISTORY_FULL),
            ("summary", HELP_JOBHISTORY_SUMMARY),
        ],
    },
    Procedure {
        name: "sp_purge_jobhistory",
        database: Database::Msdb,
        execute: Execute::Operator,
        params: &[
            null("@job_name", SYSNAME),
            null("@job_id", GUID),
            null("@oldest_date", DATETIME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_sqlagent_log_jobhistory",
        database: Database::Msdb,
        execute: Execute::TargetServers,
        params: &[
            required("@job_id", GUID),
            required("@step_id", INT),
            int("@sql_message_id", INT, 0),
            int("@sql_severity", INT, 0),
            null("@message", nvarchar(4000)),
            required("@run_status", INT),
            required("@run_date", INT),
            required("@run_time", INT),
            required("@run_duration", INT),
            int("@operator_id_emailed", INT, 0),
            int("@operator_id_netsent", INT, 0),
            int("@operator_id_paged", INT, 0),
            required("@retries_attempted", INT),
            null("@server", SYSNAME),
            int("@session_id", INT, 0),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_jobhistory_row_limiter",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[required("@job_id", GUID)],
        results: &[],
    },
];
