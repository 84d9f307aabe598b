//! Sessions, their connections, requests and transactions.

use super::databases::database_id;
use super::view::{Fill, Filled};
use super::{int, text};
use crate::convert::{datetime, datetime_or_null};
use crate::error::Result;
use crate::rights::On;
use crate::services::{RequestInfo, SessionInfo};
use crate::tables::Scanner;
use jiff::Timestamp;
use tsql::{Row, Value};

/// Bits of @@OPTIONS beside the columns that show them.
const OPTION_COLUMNS: &[(i32, &str)] = &[
    (8, "ansi_warnings"),
    (16, "ansi_padding"),
    (32, "ansi_nulls"),
    (64, "arithabort"),
    (256, "quoted_identifier"),
    (1024, "ansi_null_dflt_on"),
    (4096, "concat_null_yields_null"),
];
/// Requests whose text is a batch begin their handle with this, remote calls too: SQL Server's kind "ad hoc".
const HANDLE_KIND: [u8; 4] = [2, 0, 0, 0];
/// Bytes of a handle.
const HANDLE_BYTES: usize = 20;

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("dm_exec_sessions", sessions).seek(&["session_id"]),
    Filled::sys("dm_exec_connections", connections).seek(&["session_id"]),
    Filled::sys("dm_exec_requests", requests).seek(&["session_id"]),
    Filled::sys("dm_tran_session_transactions", session_transactions),
    Filled::sys("dm_tran_active_transactions", active_transactions),
    Filled::sys("sysprocesses", sysprocesses).seek(&["spid"]),
];

/// All sessions for who may see the server's state, else the login's own; the sought one alone where one is sought.
pub(crate) fn seen(scan: &Scanner<'_>, key: &str) -> Vec<SessionInfo> {
    let caller = scan.caller;
    let sought = scan.number(key);
    // Of the store's failures the statement itself tells.
    let all = scan
        .rights()
        .may(On::Server, "VIEW SERVER STATE")
        .unwrap_or(false);
    let mut sessions = scan.services.sessions();
    sessions.retain(|session| {
        (all || session.sid == caller.sid)
            && sought.is_none_or(|id| id == i64::from(session.session_id))
    });
    sessions
}

/// Handle of a session's request: names it as long as the session has begun no other.
pub(crate) fn handle(session: &SessionInfo, request: &RequestInfo) -> Vec<u8> {
    let mut handle = HANDLE_KIND.to_vec();
    handle.extend(session.session_id.to_be_bytes());
    handle.extend(request.number.to_be_bytes());
    handle.resize(HANDLE_BYTES, 0);
    handle
}

fn request_handle(session: &SessionInfo) -> Value {
    session.request.as_ref().map_or(Value::Null, |request| {
        Value::Binary(handle(session, request))
    })
}

/// Text of the request that a handle names, with the session's database.
pub(crate) fn text_of(scan: &Scanner<'_>, sought: &[u8]) -> Option<(SessionInfo, String)> {
    seen(scan, "").into_iter().find_map(|session| {
        let request = session.request.as_ref()?;
        let found = handle(&session, request) == sought;
        let text = request.text.to_string();
        found.then_some((session, text))
    })
}

/// The first words of a request, as the column `command` and sp_who show them.
pub(crate) fn command(session: &SessionInfo) -> String {
    if !session.running {
        return "AWAITING COMMAND".to_owned();
    }
    let text = session
        .request
        .as_ref()
        .map_or("", |request| &*request.text);
    let word: String = text
        .trim_start()
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    match word.to_ascii_uppercase().as_str() {
        "" => "EXECUTE".to_owned(),
        "EXEC" => "EXECUTE".to_owned(),
        "DECLARE" | "SET" | "IF" | "BEGIN" | "WHILE" | "PRINT" | "WITH" | "USE" => {
            "SELECT".to_owned()
        }
        word => word.to_owned(),
    }
}

pub(crate) const fn status(session: &SessionInfo) -> &'static str {
    if session.running {
        "running"
    } else {
        "sleeping"
    }
}

fn milliseconds(from: Timestamp, to: Timestamp) -> Value {
    let elapsed = to.duration_since(from).as_millis();
    Value::BigInt(i64::try_from(elapsed.max(0)).unwrap_or(i64::MAX))
}

fn cpu(session: &SessionInfo) -> Value {
    Value::BigInt(i64::try_from(session.cpu.as_millis()).unwrap_or(i64::MAX))
}

fn unsigned(value: impl Into<u64>) -> Value {
    Value::BigInt(i64::try_from(value.into()).unwrap_or(i64::MAX))
}

/// What sessions and requests both show of SET options.
fn settings(session: &SessionInfo) -> Vec<(&'static str, Value)> {
    let set = &session.settings;
    let mut row: Vec<(&'static str, Value)> = OPTION_COLUMNS
        .iter()
        .map(|(bit, column)| (*column, Value::Bit(set.is_on(*bit))))
        .collect();
    row.extend([
        ("text_size", int(set.text_size)),
        ("language", text(&set.language)),
        ("date_format", text(set.date_format)),
        ("date_first", int(i64::from(set.date_first))),
        ("transaction_isolation_level", int(i64::from(set.isolation))),
        ("lock_timeout", int(set.lock_timeout)),
        ("row_count", unsigned(set.row_count)),
        ("prev_error", int(set.last_error)),
        (
            "context_info",
            set.context_info.clone().map_or(Value::Null, Value::Binary),
        ),
        ("cpu_time", cpu(session)),
    ]);
    row
}

fn database(scan: &Scanner<'_>, session: &SessionInfo) -> Value {
    int(database_id(scan, &session.database).unwrap_or(1))
}

fn sessions(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for session in seen(scan, "session_id") {
        let mut row = settings(&session);
        row.extend([
            ("session_id", int(i64::from(session.session_id))),
            ("login_time", datetime(session.login_time, &scan.zone)),
            ("host_name", text(&session.host)),
            ("program_name", text(&session.program)),
            ("host_process_id", unsigned(session.client_process_id)),
            ("client_version", int(client_version(&session))),
            ("client_interface_name", text(&session.client_interface)),
            ("security_id", Value::Binary(session.sid.clone())),
            ("login_name", text(&session.login)),
            ("status", text(status(&session))),
            (
                "total_elapsed_time",
                milliseconds(session.login_time, scan.now),
            ),
            (
                "last_request_start_time",
                datetime(session.last_request, &scan.zone),
            ),
            (
                "last_request_end_time",
                datetime_or_null(session.last_request_end, &scan.zone),
            ),
            ("is_user_process", Value::Bit(true)),
            ("original_security_id", Value::Binary(session.sid.clone())),
            ("original_login_name", text(&session.login)),
            ("endpoint_id", int(ENDPOINT_TCP)),
            ("database_id", database(scan, &session)),
            ("authenticating_database_id", int(1)),
            ("open_transaction_count", int(session.open_transactions)),
        ]);
        out.add(row);
    }
    Ok(())
}

/// Number of the endpoint through which all sessions come: `TSQL Default TCP`.
pub(super) const ENDPOINT_TCP: i32 = 4;

/// Major version of the client's interface by its TDS version, as SQL Server shows it.
const fn client_version(session: &SessionInfo) -> i32 {
    match session.protocol_version >> 24 {
        0x71 => 4,
        0x72 => 5,
        0x73 => 6,
        _ => 7,
    }
}

fn connections(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for session in seen(scan, "session_id") {
        // A session of the instance itself has no connection.
        let Some(address) = &session.client_address else {
            continue;
        };
        let encrypted = if session.encrypted { "TRUE" } else { "FALSE" };
        out.add([
            ("session_id", int(i64::from(session.session_id))),
            ("most_recent_session_id", int(i64::from(session.session_id))),
            ("connect_time", datetime(session.login_time, &scan.zone)),
            ("net_transport", text("TCP")),
            ("protocol_type", text("TSQL")),
            ("protocol_version", unsigned(session.protocol_version)),
            ("endpoint_id", int(ENDPOINT_TCP)),
            ("encrypt_option", text(encrypted)),
            ("auth_scheme", text("SQL")),
            ("last_read", datetime(session.last_request, &scan.zone)),
            (
                "last_write",
                datetime(
                    session.last_request_end.unwrap_or(session.login_time),
                    &scan.zone,
                ),
            ),
            ("client_net_address", text(address)),
            (
                "client_tcp_port",
                session
                    .client_port
                    .map_or(Value::Null, |port| int(i64::from(port))),
            ),
            ("connection_id", Value::Guid(session.connection)),
            ("most_recent_sql_handle", request_handle(&session)),
        ]);
    }
    Ok(())
}

fn requests(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for session in seen(scan, "session_id") {
        if !session.running {
            continue;
        }
        let mut row = settings(&session);
        row.extend([
            ("session_id", int(i64::from(session.session_id))),
            ("start_time", datetime(session.last_request, &scan.zone)),
            ("status", text("running")),
            ("command", text(command(&session))),
            ("sql_handle", request_handle(&session)),
            ("statement_start_offset", int(0)),
            ("statement_end_offset", int(-1)),
            ("database_id", database(scan, &session)),
            ("user_id", int(1)),
            ("connection_id", Value::Guid(session.connection)),
            ("blocking_session_id", int(0)),
            ("open_transaction_count", int(session.open_transactions)),
            ("open_resultset_count", int(1)),
            ("transaction_id", transaction_number(&session)),
            ("percent_complete", Value::Real(0.0)),
            (
                "total_elapsed_time",
                milliseconds(session.last_request, scan.now),
            ),
        ]);
        out.add(row);
    }
    Ok(())
}

/// A transaction's number on the whole server: its session's beside the session's own count.
fn transaction_number(session: &SessionInfo) -> Value {
    session.transaction.map_or(Value::BigInt(0), |open| {
        let spid = u64::from(session.session_id.unsigned_abs()) << 40;
        unsigned(spid | (open.descriptor & 0xff_ffff_ffff))
    })
}

fn session_transactions(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for session in seen(scan, "session_id") {
        let Some(open) = session.transaction else {
            continue;
        };
        out.add([
            ("session_id", int(i64::from(session.session_id))),
            ("transaction_id", transaction_number(&session)),
            (
                "transaction_descriptor",
                Value::Binary(open.descriptor.to_le_bytes().to_vec()),
            ),
            ("enlist_count", int(i64::from(session.running))),
            ("is_user_transaction", Value::Bit(true)),
            ("is_local", Value::Bit(true)),
            ("open_transaction_count", int(session.open_transactions)),
        ]);
    }
    Ok(())
}

fn active_transactions(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for session in seen(scan, "session_id") {
        if let Some(open) = session.transaction {
            out.add([
                ("transaction_id", transaction_number(&session)),
                ("name", text("user_transaction")),
                ("transaction_begin_time", datetime(open.begun, &scan.zone)),
                ("transaction_type", int(1)),
                ("transaction_state", int(2)),
            ]);
        }
    }
    Ok(())
}

fn sysprocesses(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for session in seen(scan, "spid") {
        out.add([
            ("spid", int(i64::from(session.session_id))),
            ("dbid", database(scan, &session)),
            ("uid", int(1)),
            ("cpu", cpu(&session)),
            ("login_time", datetime(session.login_time, &scan.zone)),
            ("last_batch", datetime(session.last_request, &scan.zone)),
            ("waittype", Value::Binary(vec![0; 2])),
            ("lastwaittype", text("MISCELLANEOUS")),
            ("waitresource", text("")),
            ("open_tran", int(session.open_transactions)),
            ("status", text(status(&session))),
            ("sid", Value::Binary(session.sid.clone())),
            ("hostname", text(&session.host)),
            ("program_name", text(&session.program)),
            ("hostprocess", text(session.client_process_id.to_string())),
            ("cmd", text(command(&session))),
            ("net_address", text("")),
            ("net_library", text("TCP/IP")),
            ("loginame", text(&session.login)),
            (
                "context_info",
                Value::Binary(session.settings.context_info.clone().unwrap_or_default()),
            ),
            (
                "sql_handle",
                Value::Binary(
                    session
                        .request
                        .as_ref()
                        .map(|request| handle(&session, request))
                        .unwrap_or_default(),
                ),
            ),
            ("stmt_end", int(-1)),
        ]);
    }
    Ok(())
}

/// `sys.dm_exec_sql_text` and `sys.fn_get_sql`: the text behind a handle, or no row.
pub(crate) fn sql_text(scan: &Scanner<'_>, sought: &[u8]) -> Vec<Row> {
    text_of(scan, sought)
        .map(|(_, text)| {
            vec![
                // A batch belongs to no database and no object.
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Bit(false),
                Value::String(text),
            ]
        })
        .into_iter()
        .collect()
}

/// `sys.dm_exec_input_buffer` and DBCC INPUTBUFFER: what a session's last request said.
pub(crate) fn input_buffer(scan: &Scanner<'_>, session_id: i64) -> Vec<Row> {
    seen(scan, "")
        .into_iter()
        .filter(|session| i64::from(session.session_id) == session_id)
        .map(|session| {
            let event = match &session.request {
                Some(request) if request.rpc => text("RPC Event"),
                Some(_) => text("Language Event"),
                None => text("No Event"),
            };
            let said = session.request.as_ref();
            vec![
                event,
                Value::SmallInt(0),
                said.map_or(Value::Null, |request| text(&request.text)),
            ]
        })
        .collect()
}
