//! The instance: databases, sessions, configuration, host, messages.

use super::{
    BIT, DATETIME, INT, SMALLINT, SYSNAME, TINYINT, VARIANT, char, col, null, nvarchar, sys,
    varbinary,
};
use crate::caller::SA_SID;
use crate::convert::datetime;
use crate::error::Result;
use crate::messages;
use crate::services::SessionInfo;
use crate::tables::{Columns, Rows, Scanner, Table};
use engine::host::SYSTEM_DATABASES;
use tsql::{Row, Value};

/// Collation of every database.
pub(crate) const COLLATION: &str = "SQL_Latin1_General_CP1_CI_AS";
/// Compatibility level of SQL Server 2022.
const COMPATIBILITY_LEVEL: u8 = 160;
/// US English.
const LANGUAGE_ID: i16 = 1033;

const DATABASES: Columns = &[
    col("name", SYSNAME),
    col("database_id", INT),
    null("source_database_id", INT),
    null("owner_sid", varbinary(85)),
    col("create_date", DATETIME),
    col("compatibility_level", TINYINT),
    null("collation_name", SYSNAME),
    null("user_access", TINYINT),
    null("user_access_desc", nvarchar(60)),
    null("is_read_only", BIT),
    col("is_auto_close_on", BIT),
    null("is_auto_shrink_on", BIT),
    null("state", TINYINT),
    null("state_desc", nvarchar(60)),
    null("is_in_standby", BIT),
    null("is_cleanly_shutdown", BIT),
    null("snapshot_isolation_state", TINYINT),
    null("snapshot_isolation_state_desc", nvarchar(60)),
    null("is_read_committed_snapshot_on", BIT),
    null("recovery_model", TINYINT),
    null("recovery_model_desc", nvarchar(60)),
    col("is_published", BIT),
    col("is_subscribed", BIT),
    col("is_distributor", BIT),
    col("is_encrypted", BIT),
    null("replica_id", tsql::SqlType::UniqueIdentifier),
    null("group_database_id", tsql::SqlType::UniqueIdentifier),
    null("containment", TINYINT),
    null("containment_desc", nvarchar(60)),
];

const SYSDATABASES: Columns = &[
    null("name", SYSNAME),
    null("dbid", SMALLINT),
    null("sid", varbinary(85)),
    null("crdate", DATETIME),
    null("cmptlevel", TINYINT),
    null("status", INT),
];

const SESSIONS: Columns = &[
    col("session_id", SMALLINT),
    col("login_time", DATETIME),
    null("host_name", SYSNAME),
    null("program_name", SYSNAME),
    null("host_process_id", INT),
    null("client_version", INT),
    null("client_interface_name", nvarchar(32)),
    col("security_id", varbinary(85)),
    col("login_name", SYSNAME),
    null("nt_domain", SYSNAME),
    null("nt_user_name", SYSNAME),
    col("status", nvarchar(30)),
    null("context_info", varbinary(128)),
    col("cpu_time", INT),
    col("memory_usage", INT),
    col("last_request_start_time", DATETIME),
    null("last_request_end_time", DATETIME),
    col("is_user_process", BIT),
    null("language", SYSNAME),
    col("transaction_isolation_level", SMALLINT),
    col("lock_timeout", INT),
    col("deadlock_priority", INT),
    col("original_security_id", varbinary(85)),
    col("original_login_name", SYSNAME),
    col("database_id", SMALLINT),
    null("authenticating_database_id", INT),
    col("open_transaction_count", INT),
];

const CONNECTIONS: Columns = &[
    null("session_id", INT),
    null("most_recent_session_id", INT),
    col("connect_time", DATETIME),
    col("net_transport", nvarchar(40)),
    null("protocol_type", nvarchar(40)),
    null("encrypt_option", nvarchar(40)),
    col("auth_scheme", nvarchar(40)),
    null("client_net_address", nvarchar(48)),
];

const SYSPROCESSES: Columns = &[
    col("spid", SMALLINT),
    col("kpid", SMALLINT),
    col("blocked", SMALLINT),
    col("dbid", SMALLINT),
    col("login_time", DATETIME),
    col("last_batch", DATETIME),
    col("open_tran", SMALLINT),
    col("status", char(30)),
    col("sid", varbinary(85)),
    col("hostname", nvarchar(128)),
    col("program_name", nvarchar(128)),
    col("loginame", nvarchar(128)),
];

const CONFIGURATIONS: Columns = &[
    col("configuration_id", INT),
    col("name", nvarchar(35)),
    null("value", VARIANT),
    null("minimum", VARIANT),
    null("maximum", VARIANT),
    null("value_in_use", VARIANT),
    col("description", nvarchar(255)),
    col("is_dynamic", BIT),
    col("is_advanced", BIT),
];

/// Number, name, value, advanced.
const OPTIONS: &[(i32, &str, i32, bool)] = &[
    (518, "show advanced options", 1, false),
    (1534, "user options", 0, false),
    (1562, "clr enabled", 0, false),
    (1576, "remote admin connections", 0, false),
    (16_384, "Agent XPs", 1, true),
    (16_386, "Database Mail XPs", 0, true),
    (16_388, "Ole Automation Procedures", 0, true),
    (16_390, "xp_cmdshell", 0, true),
];

const HOST_INFO: Columns = &[
    col("host_platform", nvarchar(256)),
    col("host_distribution", nvarchar(256)),
    col("host_release", nvarchar(256)),
    col("host_service_pack_level", nvarchar(256)),
    null("host_sku", INT),
    col("os_language_version", INT),
    col("host_architecture", nvarchar(256)),
];

const SERVERS: Columns = &[
    col("server_id", INT),
    col("name", SYSNAME),
    col("product", SYSNAME),
    col("provider", SYSNAME),
    null("data_source", nvarchar(4000)),
    null("location", nvarchar(4000)),
    null("provider_string", nvarchar(4000)),
    null("catalog", SYSNAME),
    null("is_linked", BIT),
    null("is_data_access_enabled", BIT),
    col("modify_date", DATETIME),
];

const MESSAGES: Columns = &[
    col("message_id", INT),
    col("language_id", SMALLINT),
    null("severity", TINYINT),
    col("is_event_logged", BIT),
    col("text", nvarchar(2048)),
];

/// The views.
pub(super) const VIEWS: &[Table] = &[
    sys("databases", DATABASES, databases),
    sys("sysdatabases", SYSDATABASES, sysdatabases),
    sys("dm_exec_sessions", SESSIONS, sessions),
    sys("dm_exec_connections", CONNECTIONS, connections),
    sys("sysprocesses", SYSPROCESSES, sysprocesses),
    sys("configurations", CONFIGURATIONS, configurations),
    sys("dm_os_host_info", HOST_INFO, host_info),
    sys("servers", SERVERS, servers),
    sys("messages", MESSAGES, all_messages),
];

fn created(scan: &Scanner<'_>) -> Result<Value> {
    Ok(datetime(scan.definitions.instance()?.created, &scan.zone))
}

fn databases(scan: &Scanner<'_>) -> Result<Rows> {
    let created = created(scan)?;
    let rows = SYSTEM_DATABASES
        .iter()
        .map(|(id, name)| {
            vec![
                Value::string(*name),
                Value::Int(*id),
                Value::Null,
                Value::Binary(SA_SID.to_vec()),
                created.clone(),
                Value::TinyInt(COMPATIBILITY_LEVEL),
                Value::string(COLLATION),
                Value::TinyInt(0),
                Value::string("MULTI_USER"),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(false),
                Value::TinyInt(0),
                Value::string("ONLINE"),
                Value::Bit(false),
                Value::Bit(false),
                Value::TinyInt(1),
                Value::string("ON"),
                Value::Bit(true),
                Value::TinyInt(3),
                Value::string("SIMPLE"),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(false),
                Value::Bit(false),
                Value::Null,
                Value::Null,
                Value::TinyInt(0),
                Value::string("NONE"),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn sysdatabases(scan: &Scanner<'_>) -> Result<Rows> {
    let created = created(scan)?;
    let rows = SYSTEM_DATABASES
        .iter()
        .map(|(id, name)| {
            vec![
                Value::string(*name),
                small(*id),
                Value::Binary(SA_SID.to_vec()),
                created.clone(),
                Value::TinyInt(COMPATIBILITY_LEVEL),
                Value::Int(0),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn small(value: i32) -> Value {
    Value::SmallInt(i16::try_from(value).unwrap_or(i16::MAX))
}

/// All sessions for sysadmin, else the login's own.
fn seen_sessions(scan: &Scanner<'_>) -> Vec<SessionInfo> {
    let mut sessions = scan.services.sessions();
    sessions.retain(|session| scan.caller.sysadmin || session.sid == scan.caller.sid);
    sessions
}

fn database_id(name: &str) -> i16 {
    let id = SYSTEM_DATABASES
        .iter()
        .find(|(_, known)| known.eq_ignore_ascii_case(name))
        .map_or(1, |(id, _)| *id);
    i16::try_from(id).unwrap_or(1)
}

fn status(session: &SessionInfo) -> Value {
    Value::string(if session.running {
        "running"
    } else {
        "sleeping"
    })
}

fn sessions(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = seen_sessions(scan)
        .iter()
        .map(|session| session_row(scan, session))
        .collect();
    Ok(Rows::All(rows))
}

fn session_row(scan: &Scanner<'_>, session: &SessionInfo) -> Row {
    let last = datetime(session.last_request, &scan.zone);
    vec![
        Value::SmallInt(session.session_id),
        datetime(session.login_time, &scan.zone),
        Value::string(&*session.host),
        Value::string(&*session.program),
        Value::Null,
        Value::Null,
        Value::string(&*session.client_interface),
        Value::Binary(session.sid.clone()),
        Value::string(&*session.login),
        Value::Null,
        Value::Null,
        status(session),
        Value::Null,
        Value::Int(0),
        Value::Int(0),
        last.clone(),
        if session.running { Value::Null } else { last },
        Value::Bit(true),
        Value::string("us_english"),
        Value::SmallInt(session.isolation_level),
        Value::Int(-1),
        Value::Int(0),
        Value::Binary(session.sid.clone()),
        Value::string(&*session.login),
        Value::SmallInt(database_id(&session.database)),
        Value::Int(1),
        Value::Int(session.open_transactions),
    ]
}

fn connections(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = seen_sessions(scan)
        .into_iter()
        .map(|session| {
            let encrypted = if session.encrypted { "TRUE" } else { "FALSE" };
            vec![
                Value::Int(session.session_id.into()),
                Value::Int(session.session_id.into()),
                datetime(session.login_time, &scan.zone),
                Value::string("TCP"),
                Value::string("TSQL"),
                Value::string(encrypted),
                Value::string("SQL"),
                session.client_address.into(),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn sysprocesses(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = seen_sessions(scan)
        .into_iter()
        .map(|session| {
            vec![
                Value::SmallInt(session.session_id),
                Value::SmallInt(0),
                Value::SmallInt(0),
                Value::SmallInt(database_id(&session.database)),
                datetime(session.login_time, &scan.zone),
                datetime(session.last_request, &scan.zone),
                small(session.open_transactions),
                status(&session),
                Value::Binary(session.sid),
                Value::String(session.host),
                Value::String(session.program),
                Value::String(session.login),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn configurations(_scan: &Scanner<'_>) -> Result<Rows> {
    let rows = OPTIONS
        .iter()
        .map(|(id, name, value, advanced)| {
            vec![
                Value::Int(*id),
                Value::string(*name),
                Value::Int(*value),
                Value::Int(0),
                Value::Int(1),
                Value::Int(*value),
                Value::string(*name),
                Value::Bit(true),
                Value::Bit(*advanced),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn host_info(_scan: &Scanner<'_>) -> Result<Rows> {
    let platform = if cfg!(windows) { "Windows" } else { "Linux" };
    let architecture = if cfg!(target_arch = "aarch64") {
        "ARM64"
    } else {
        "X64"
    };
    Ok(Rows::All(vec![vec![
        Value::string(platform),
        Value::string(platform),
        Value::string(""),
        Value::string(""),
        Value::Null,
        Value::Int(0),
        Value::string(architecture),
    ]]))
}

fn servers(scan: &Scanner<'_>) -> Result<Rows> {
    Ok(Rows::All(vec![vec![
        Value::Int(0),
        Value::string(&*scan.server),
        Value::string("SQL Server"),
        Value::string("SQLNCLI"),
        Value::string(&*scan.server),
        Value::Null,
        Value::Null,
        Value::Null,
        Value::Bit(false),
        Value::Bit(false),
        created(scan)?,
    ]]))
}

fn all_messages(_scan: &Scanner<'_>) -> Result<Rows> {
    let rows = messages::all()
        .iter()
        .map(|(number, severity, text)| {
            vec![
                Value::Int(*number),
                Value::SmallInt(LANGUAGE_ID),
                Value::TinyInt(*severity),
                Value::Bit(false),
                Value::string(*text),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}
