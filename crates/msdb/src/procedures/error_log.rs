//! Reading, listing and closing the error logs.

use crate::call::{Call, Output, Store};
use crate::convert::{datetime, instant, int};
use crate::declare::{ENUMERRORLOGS, LOGININFO, READERRORLOG_AGENT, READERRORLOG_SERVER};
use crate::error::Result;
use crate::error_log::{ErrorLog, LogEntry, LogError};
use crate::messages::{none_of, raise};
use crate::pattern::contains;
use jiff::Timestamp;
use tsql::{Row, Value};

/// Longest `Text` shown, in UTF-16 units: the column's length.
const TEXT_UNITS_MAX: usize = 4_000;

/// `sp_cycle_agent_errorlog`
pub(super) fn cycle_agent(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    cycle(call, ErrorLog::Agent)
}

/// `sp_cycle_errorlog`
pub(super) fn cycle_server(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    cycle(call, ErrorLog::Server)
}

/// Closes a log's file and begins the next, as the operation L of sp_sqlagent_notify does too.
pub(super) fn cycle(call: &Call<'_>, log: ErrorLog) -> Result<()> {
    Ok(call.services.cycle_error_log(log).map_err(not_to_be_had)?)
}

/// `xp_readerrorlog`, `sp_readerrorlog`: archive, type, two texts that must both occur, from, to, order.
pub(super) fn read(call: &Call<'_>, _store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let log = kind(call, "@p2")?;
    let archive = u32::try_from(call.int("@p1").unwrap_or(0))
        .map_err(|_| raise(14266, &["@p1".into(), "0 and up".into()]))?;
    let bound = |parameter: &str| -> Result<Option<Timestamp>> {
        match call.datetime(parameter) {
            None => Ok(None),
            Some(local) => instant(local, &call.zone)
                .map(Some)
                .ok_or_else(|| raise(14287, &[parameter.into(), "date".into()]).into()),
        }
    };
    let (from, to) = (bound("@p5")?, bound("@p6")?);
    let newest_first = match call.name("@p7").unwrap_or("asc") {
        word if word.eq_ignore_ascii_case("asc") => false,
        word if word.eq_ignore_ascii_case("desc") => true,
        _ => return Err(none_of("@p7", "asc, desc").into()),
    };
    let texts: Vec<&str> = ["@p3", "@p4"]
        .iter()
        .filter_map(|parameter| call.text(parameter))
        .filter(|text| !text.is_empty())
        .collect();
    let mut entries = call
        .services
        .read_error_log(log, archive)
        .map_err(not_to_be_had)?;
    entries.retain(|entry| {
        texts.iter().all(|text| contains(&entry.text, text))
            && from.is_none_or(|from| entry.at >= from)
            && to.is_none_or(|to| entry.at <= to)
    });
    if newest_first {
        entries.reverse();
    }
    let rows = entries.iter().map(|entry| row(call, log, entry)).collect();
    let columns = match log {
        ErrorLog::Server => READERRORLOG_SERVER,
        ErrorLog::Agent => READERRORLOG_AGENT,
    };
    out.result(columns, rows);
    Ok(())
}

/// Who writes the server's log: readers keep few characters for it.
const SERVER_PROCESS: &str = "Server";

fn row(call: &Call<'_>, log: ErrorLog, entry: &LogEntry) -> Row {
    let about = match log {
        ErrorLog::Server => Value::string(SERVER_PROCESS),
        ErrorLog::Agent => Value::Int(entry.severity.code()),
    };
    vec![
        datetime(entry.at, &call.zone),
        about,
        Value::String(cut(&entry.text)),
    ]
}

fn cut(text: &str) -> String {
    let mut units = 0;
    text.chars()
        .take_while(|character| {
            units += character.len_utf16();
            units <= TEXT_UNITS_MAX
        })
        .collect()
}

/// `xp_enumerrorlogs`, `sp_enumerrorlogs`
pub(super) fn list(call: &Call<'_>, _store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let log = kind(call, "@p1")?;
    let files = call
        .services
        .error_log_archives(log)
        .map_err(not_to_be_had)?;
    let rows = files
        .iter()
        .map(|file| {
            let local = call.zone.to_datetime(file.modified);
            vec![
                int(file.number.into()),
                Value::String(local.strftime("%m/%d/%Y  %H:%M").to_string()),
                int(i64::try_from(file.bytes).unwrap_or(i64::MAX)),
            ]
        })
        .collect();
    out.result(ENUMERRORLOGS, rows);
    Ok(())
}

fn kind(call: &Call<'_>, parameter: &str) -> Result<ErrorLog> {
    match call.int(parameter) {
        None | Some(1) => Ok(ErrorLog::Server),
        Some(2) => Ok(ErrorLog::Agent),
        Some(_) => Err(none_of(parameter, "1, 2").into()),
    }
}

fn not_to_be_had(error: LogError) -> tsql::SqlError {
    raise(22004, &[(&error.cause).into()])
}

/// `xp_logininfo`: Windows accounts, of which there are none here.
pub(super) fn login_info(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    if let Some(name) = call.name("@acctname") {
        return Err(raise(15404, &[name.into()]).into());
    }
    out.result(LOGININFO, Vec::new());
    Ok(())
}
