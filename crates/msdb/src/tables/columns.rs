//! The columns of msdb's tables and views, as the fact sheet has them (a test compares).

use super::Columns;
use tsql::{Length, SqlType};

const INT: SqlType = SqlType::Int;
const BIGINT: SqlType = SqlType::BigInt;
const TINYINT: SqlType = SqlType::TinyInt;
const BIT: SqlType = SqlType::Bit;
const SYSNAME: SqlType = SqlType::SYSNAME;
const GUID: SqlType = SqlType::UniqueIdentifier;
const DATETIME: SqlType = SqlType::DateTime;
const NTEXT: SqlType = SqlType::NVARCHAR_MAX;

const fn nvarchar(units: u16) -> SqlType {
    SqlType::nvarchar(units)
}

const fn varbinary(bytes: u16) -> SqlType {
    SqlType::VarBinary(Length::Limited(bytes))
}

/// A column that never holds NULL.
const fn col(name: &'static str, ty: SqlType) -> (&'static str, SqlType, bool) {
    (name, ty, false)
}

/// A column that may hold NULL.
const fn null(name: &'static str, ty: SqlType) -> (&'static str, SqlType, bool) {
    (name, ty, true)
}

/// `sysjobs`: One row per job known to this server (local and downloaded).
pub(super) const SYSJOBS: Columns = &[
    col("job_id", GUID),
    col("originating_server_id", INT),
    col("name", SYSNAME),
    col("enabled", TINYINT),
    null("description", nvarchar(512)),
    col("start_step_id", INT),
    col("category_id", INT),
    col("owner_sid", varbinary(85)),
    col("notify_level_eventlog", INT),
    col("notify_level_email", INT),
    col("notify_level_netsend", INT),
    col("notify_level_page", INT),
    col("notify_email_operator_id", INT),
    col("notify_netsend_operator_id", INT),
    col("notify_page_operator_id", INT),
    col("delete_level", INT),
    col("date_created", DATETIME),
    col("date_modified", DATETIME),
    col("version_number", INT),
];

/// `sysjobs_view`: sysjobs joined to the server it came from, limited to jobs the caller may see.
pub(super) const SYSJOBS_VIEW: Columns = &[
    col("job_id", GUID),
    col("originating_server", SYSNAME),
    col("name", SYSNAME),
    col("enabled", TINYINT),
    null("description", nvarchar(512)),
    col("start_step_id", INT),
    col("category_id", INT),
    col("owner_sid", varbinary(85)),
    col("notify_level_eventlog", INT),
    col("notify_level_email", INT),
    col("notify_level_netsend", INT),
    col("notify_level_page", INT),
    col("notify_email_operator_id", INT),
    col("notify_netsend_operator_id", INT),
    col("notify_page_operator_id", INT),
    col("delete_level", INT),
    col("date_created", DATETIME),
    col("date_modified", DATETIME),
    col("version_number", INT),
    col("originating_server_id", INT),
    col("master_server", BIT),
];

/// `sysjobsteps`: Steps of each job.
pub(super) const SYSJOBSTEPS: Columns = &[
    col("job_id", GUID),
    col("step_id", INT),
    col("step_name", SYSNAME),
    col("subsystem", nvarchar(40)),
    null("command", NTEXT),
    col("flags", INT),
    null("additional_parameters", NTEXT),
    col("cmdexec_success_code", INT),
    col("on_success_action", TINYINT),
    col("on_success_step_id", INT),
    col("on_fail_action", TINYINT),
    col("on_fail_step_id", INT),
    null("server", SYSNAME),
    null("database_name", SYSNAME),
    null("database_user_name", SYSNAME),
    col("retry_attempts", INT),
    col("retry_interval", INT),
    col("os_run_priority", INT),
    null("output_file_name", nvarchar(200)),
    col("last_run_outcome", INT),
    col("last_run_duration", INT),
    col("last_run_retries", INT),
    col("last_run_date", INT),
    col("last_run_time", INT),
    null("proxy_id", INT),
    null("step_uid", GUID),
];

/// `sysjobservers`: Targets of each job with the last outcome on each.
pub(super) const SYSJOBSERVERS: Columns = &[
    col("job_id", GUID),
    col("server_id", INT),
    col("last_run_outcome", TINYINT),
    null("last_outcome_message", nvarchar(4000)),
    col("last_run_date", INT),
    col("last_run_time", INT),
    col("last_run_duration", INT),
];

/// `syscategories`: Categories of jobs, alerts and operators.
pub(super) const SYSCATEGORIES: Columns = &[
    col("category_id", INT),
    col("category_class", INT),
    col("category_type", TINYINT),
    col("name", SYSNAME),
];

/// `sysschedules`: Schedules, shared between jobs.
pub(super) const SYSSCHEDULES: Columns = &[
    col("schedule_id", INT),
    col("schedule_uid", GUID),
    col("originating_server_id", INT),
    col("name", SYSNAME),
    col("owner_sid", varbinary(85)),
    col("enabled", INT),
    col("freq_type", INT),
    col("freq_interval", INT),
    col("freq_subday_type", INT),
    col("freq_subday_interval", INT),
    col("freq_relative_interval", INT),
    col("freq_recurrence_factor", INT),
    col("active_start_date", INT),
    col("active_end_date", INT),
    col("active_start_time", INT),
    col("active_end_time", INT),
    col("date_created", DATETIME),
    col("date_modified", DATETIME),
    col("version_number", INT),
];

/// `sysjobschedules`: Which schedule is attached to which job, with the next run.
pub(super) const SYSJOBSCHEDULES: Columns = &[
    null("schedule_id", INT),
    null("job_id", GUID),
    col("next_run_date", INT),
    col("next_run_time", INT),
];

/// `sysjobhistory`: Run history: one row per step run plus one outcome row (step_id 0) per job run.
pub(super) const SYSJOBHISTORY: Columns = &[
    col("instance_id", INT),
    col("job_id", GUID),
    col("step_id", INT),
    col("step_name", SYSNAME),
    col("sql_message_id", INT),
    col("sql_severity", INT),
    null("message", nvarchar(4000)),
    col("run_status", INT),
    col("run_date", INT),
    col("run_time", INT),
    col("run_duration", INT),
    col("operator_id_emailed", INT),
    col("operator_id_netsent", INT),
    col("operator_id_paged", INT),
    col("retries_attempted", INT),
    col("server", SYSNAME),
];

/// `sysjobstepslogs`: Step output kept in the table (step flags 8 and 16).
pub(super) const SYSJOBSTEPSLOGS: Columns = &[
    col("log_id", INT),
    col("log", NTEXT),
    col("date_created", DATETIME),
    col("date_modified", DATETIME),
    null("log_size", BIGINT),
    col("step_uid", GUID),
];

/// `sysjobactivity`: Live and last state of each job per Agent session.
pub(super) const SYSJOBACTIVITY: Columns = &[
    col("session_id", INT),
    col("job_id", GUID),
    null("run_requested_date", DATETIME),
    null("run_requested_source", SYSNAME),
    null("queued_date", DATETIME),
    null("start_execution_date", DATETIME),
    null("last_executed_step_id", INT),
    null("last_executed_step_date", DATETIME),
    null("stop_execution_date", DATETIME),
    null("job_history_id", INT),
    null("next_scheduled_run_date", DATETIME),
];

/// `syssessions`: One row per Agent start.
pub(super) const SYSSESSIONS: Columns =
    &[col("session_id", INT), col("agent_start_date", DATETIME)];

/// `sysalerts`: Alerts.
pub(super) const SYSALERTS: Columns = &[
    col("id", INT),
    col("name", SYSNAME),
    col("event_source", nvarchar(100)),
    null("event_category_id", INT),
    null("event_id", INT),
    col("message_id", INT),
    col("severity", INT),
    col("enabled", TINYINT),
    col("delay_between_responses", INT),
    col("last_occurrence_date", INT),
    col("last_occurrence_time", INT),
    col("last_response_date", INT),
    col("last_response_time", INT),
    null("notification_message", nvarchar(512)),
    col("include_event_description", TINYINT),
    null("database_name", nvarchar(512)),
    null("event_description_keyword", nvarchar(100)),
    col("occurrence_count", INT),
    col("count_reset_date", INT),
    col("count_reset_time", INT),
    col("job_id", GUID),
    col("has_notification", INT),
    col("flags", INT),
    null("performance_condition", nvarchar(512)),
    col("category_id", INT),
];

/// `sysoperators`: Operators (notification recipients).
pub(super) const SYSOPERATORS: Columns = &[
    col("id", INT),
    col("name", SYSNAME),
    col("enabled", TINYINT),
    null("email_address", nvarchar(100)),
    col("last_email_date", INT),
    col("last_email_time", INT),
    null("pager_address", nvarchar(100)),
    col("last_pager_date", INT),
    col("last_pager_time", INT),
    col("weekday_pager_start_time", INT),
    col("weekday_pager_end_time", INT),
    col("saturday_pager_start_time", INT),
    col("saturday_pager_end_time", INT),
    col("sunday_pager_start_time", INT),
    col("sunday_pager_end_time", INT),
    col("pager_days", TINYINT),
    null("netsend_address", nvarchar(100)),
    col("last_netsend_date", INT),
    col("last_netsend_time", INT),
    col("category_id", INT),
];

/// `sysnotifications`: Which operator hears of which alert, and how.
pub(super) const SYSNOTIFICATIONS: Columns = &[
    col("alert_id", INT),
    col("operator_id", INT),
    col("notification_method", TINYINT),
];

/// `sysproxies`: Proxies.
pub(super) const SYSPROXIES: Columns = &[
    col("proxy_id", INT),
    col("name", SYSNAME),
    col("credential_id", INT),
    col("enabled", TINYINT),
    null("description", nvarchar(512)),
    col("user_sid", varbinary(85)),
    col("credential_date_created", DATETIME),
];

/// `sysproxylogin`: Principals allowed to use a proxy.
pub(super) const SYSPROXYLOGIN: Columns = &[
    col("proxy_id", INT),
    null("sid", varbinary(85)),
    null("principal_id", INT),
    col("flags", INT),
];

/// `sysproxysubsystem`: Subsystems a proxy may be used for.
pub(super) const SYSPROXYSUBSYSTEM: Columns = &[col("subsystem_id", INT), col("proxy_id", INT)];

/// `syssubsystems`: Subsystems the Agent can run.
pub(super) const SYSSUBSYSTEMS: Columns = &[
    col("subsystem_id", INT),
    col("subsystem", nvarchar(40)),
    null("description_id", INT),
    null("subsystem_dll", nvarchar(255)),
    null("agent_exe", nvarchar(255)),
    null("start_entry_point", nvarchar(30)),
    null("event_entry_point", nvarchar(30)),
    null("stop_entry_point", nvarchar(30)),
    null("max_worker_threads", INT),
];

/// `systargetservers`: Target servers enlisted at this master.
pub(super) const SYSTARGETSERVERS: Columns = &[
    col("server_id", INT),
    col("server_name", SYSNAME),
    null("location", nvarchar(200)),
    col("time_zone_adjustment", INT),
    col("enlist_date", DATETIME),
    col("last_poll_date", DATETIME),
    col("status", INT),
    col("local_time_at_last_poll", DATETIME),
    col("enlisted_by_nt_user", nvarchar(100)),
    col("poll_interval", INT),
];

/// `systargetservers_view`: systargetservers limited to what the caller may see.
pub(super) const SYSTARGETSERVERS_VIEW: Columns = &[
    col("server_id", INT),
    col("server_name", SYSNAME),
    null("location", nvarchar(200)),
    col("time_zone_adjustment", INT),
    col("enlist_date", DATETIME),
    col("last_poll_date", DATETIME),
    col("status", INT),
    col("local_time_at_last_poll", DATETIME),
    col("enlisted_by_nt_user", nvarchar(100)),
    col("poll_interval", INT),
];

/// `systargetservergroups`: Target server groups.
pub(super) const SYSTARGETSERVERGROUPS: Columns =
    &[col("servergroup_id", INT), col("name", SYSNAME)];

/// `systargetservergroupmembers`: Members of target server groups.
pub(super) const SYSTARGETSERVERGROUPMEMBERS: Columns =
    &[col("servergroup_id", INT), col("server_id", INT)];

/// `sysdownloadlist`: Queue of instructions for all target servers.
pub(super) const SYSDOWNLOADLIST: Columns = &[
    col("instance_id", INT),
    col("source_server", SYSNAME),
    col("operation_code", TINYINT),
    col("object_type", TINYINT),
    col("object_id", GUID),
    col("target_server", SYSNAME),
    null("error_message", nvarchar(1024)),
    col("date_posted", DATETIME),
    null("date_downloaded", DATETIME),
    col("status", TINYINT),
    null("deleted_object_name", SYSNAME),
];

/// `sysoriginatingservers`: Other servers that jobs or schedules came from.
pub(super) const SYSORIGINATINGSERVERS: Columns = &[
    null("originating_server_id", INT),
    col("originating_server", SYSNAME),
    null("master_server", BIT),
];

/// `sysoriginatingservers_view`: sysoriginatingservers plus the local server as id 0.
pub(super) const SYSORIGINATINGSERVERS_VIEW: Columns = &[
    col("originating_server_id", INT),
    col("originating_server", SYSNAME),
    col("master_server", BIT),
];

/// `systaskids`: Maps tasks of very old versions to jobs.
pub(super) const SYSTASKIDS: Columns = &[col("task_id", INT), col("job_id", GUID)];

/// `sqlagent_info`: Attribute/value pairs the Agent keeps for itself (seen: DateEnlisted).
pub(super) const SQLAGENT_INFO: Columns = &[col("attribute", SYSNAME), col("value", nvarchar(512))];

/// `syscachedcredentials`: Cache of login checks for job owners.
pub(super) const SYSCACHEDCREDENTIALS: Columns = &[
    col("login_name", SYSNAME),
    col("has_server_access", BIT),
    col("is_sysadmin_member", BIT),
    col("cachedate", DATETIME),
];
