//! Target servers, groups and the download list: procedures and their result sets.

use super::{
    BIT, Columns, DATETIME, Database, Execute, GUID, INT, Procedure, SYSNAME, TINYINT, col, int,
    null, nvarchar, required, text, varchar,
};

/// `sp_help_targetservergroup`: groups (@name omitted).
pub(crate) const HELP_TARGETSERVERGROUP_GROUPS: Columns =
    &[col("servergroup_id", INT), col("name", SYSNAME)];

/// `sp_help_targetservergroup`: members (@name given).
pub(crate) const HELP_TARGETSERVERGROUP_MEMBERS: Columns =
    &[col("server_id", INT), col("server_name", SYSNAME)];

/// `sp_help_targetserver`: targetservers.
pub(crate) const HELP_TARGETSERVER_TARGETSERVERS: Columns = &[
    col("server_id", INT),
    col("server_name", SYSNAME),
    col("location", nvarchar(200)),
    col("time_zone_adjustment", INT),
    col("enlist_date", DATETIME),
    col("last_poll_date", DATETIME),
    col("status", INT),
    col("unread_instructions", INT),
    col("local_time", DATETIME),
    col("enlisted_by_nt_user", nvarchar(100)),
    col("poll_interval", INT),
];

/// `sp_help_downloadlist`: instructions.
pub(crate) const HELP_DOWNLOADLIST_INSTRUCTIONS: Columns = &[
    col("instance_id", INT),
    col("source_server", SYSNAME),
    col("operation_code", nvarchar(4000)),
    col("object_name", SYSNAME),
    col("object_id", GUID),
    col("target_server", SYSNAME),
    col("error_message", nvarchar(1024)),
    col("date_posted", DATETIME),
    col("date_downloaded", DATETIME),
    col("status", TINYINT),
];

/// `sp_target_server_summary`. Its page gives no shape; this one is Muster's.
pub(crate) const TARGET_SERVER_SUMMARY: Columns = &[
    col("server_id", INT),
    col("server_name", SYSNAME),
    col("local_time", DATETIME),
    col("last_poll_date", DATETIME),
    col("unread_instructions", INT),
    col("blocked", INT),
    col("jobs", INT),
];

/// `sp_multi_server_job_summary`. Its page gives no shape; this one is Muster's.
pub(crate) const MULTI_SERVER_JOB_SUMMARY: Columns = &[
    col("job_id", GUID),
    col("job_name", SYSNAME),
    col("enabled", TINYINT),
    col("targets", INT),
    col("targets_current", INT),
    col("targets_failed_last", INT),
];

/// `sp_sqlagent_probe_msx`. Its page gives no shape; this one is Muster's.
pub(crate) const PROBE_MSX: Columns = &[col("server_id", INT), col("unread_instructions", INT)];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_add_targetservergroup",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[required("@name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_update_targetservergroup",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[required("@name", SYSNAME), required("@new_name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_delete_targetservergroup",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[required("@name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_help_targetservergroup",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[null("@name", SYSNAME)],
        results: &[
            ("groups", HELP_TARGETSERVERGROUP_GROUPS),
            ("members", HELP_TARGETSERVERGROUP_MEMBERS),
        ],
    },
    Procedure {
        name: "sp_add_targetsvrgrp_member",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@group_name", SYSNAME),
            required("@server_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_delete_targetsvrgrp_member",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@group_name", SYSNAME),
            required("@server_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_help_targetserver",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[null("@server_name", SYSNAME)],
        results: &[("targetservers", HELP_TARGETSERVER_TARGETSERVERS)],
    },
    Procedure {
        name: "sp_delete_targetserver",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@server_name", SYSNAME),
            int("@clear_downloadlist", BIT, 1),
            int("@post_defection", BIT, 1),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_help_downloadlist",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            null("@job_id", GUID),
            null("@job_name", SYSNAME),
            null("@operation", varchar(64)),
            null("@object_type", varchar(64)),
            null("@object_name", SYSNAME),
            null("@target_server", SYSNAME),
            null("@has_error", TINYINT),
            null("@status", TINYINT),
            null("@date_posted", DATETIME),
        ],
        results: &[("instructions", HELP_DOWNLOADLIST_INSTRUCTIONS)],
    },
    Procedure {
        name: "sp_post_msx_operation",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@operation", varchar(64)),
            text("@object_type", varchar(64), "JOB"),
            null("@job_id", GUID),
            null("@specific_target_server", SYSNAME),
            null("@value", INT),
            null("@schedule_uid", GUID),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_resync_targetserver",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[required("@server_name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_sqlagent_probe_msx",
        database: Database::Msdb,
        execute: Execute::TargetServers,
        params: &[
            required("@server_name", SYSNAME),
            required("@local_time", nvarchar(100)),
            required("@poll_interval", INT),
            null("@time_zone_adjustment", INT),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_sqlagent_refresh_job",
        database: Database::Msdb,
        execute: Execute::TargetServers,
        params: &[null("@job_id", GUID), null("@server_name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_downloaded_row_limiter",
        database: Database::Msdb,
        execute: Execute::TargetServers,
        params: &[required("@server_name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_multi_server_job_summary",
        database: Database::Msdb,
        execute: Execute::Reader,
        params: &[null("@job_id", GUID), null("@job_name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_target_server_summary",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[null("@target_server", SYSNAME)],
        results: &[],
    },
];
