//! Sessions: sp_who, sp_who2, sp_lock.

use super::padded;
use crate::call::{Call, Output, Store};
use crate::declare::{LOCK, WHO, WHO2};
use crate::error::Result;
use crate::messages::raise;
use crate::services::SessionInfo;
use crate::system::{command, seen_sessions, session_status};
use catalog::name_key;
use tsql::Value;

/// The sessions that `@loginame` asks for: a login's, one by its number, or those that do something (`active`).
fn sought(call: &Call<'_>, store: &mut Store<'_>) -> Result<Vec<SessionInfo>> {
    let mut found = store.read(|definitions| Ok(seen_sessions(&call.scanner(definitions), "")))?;
    let Some(wanted) = call.name("@loginame") else {
        return Ok(found);
    };
    if wanted.eq_ignore_ascii_case("active") {
        found.retain(|session| session.running);
    } else if let Ok(number) = wanted.parse::<i16>() {
        found.retain(|session| session.session_id == number);
    } else {
        let known = store.read(|definitions| Ok(definitions.login(wanted)?.is_some()))?;
        if !known {
            return Err(raise(15007, &[wanted.into()]).into());
        }
        found.retain(|session| name_key(&session.login) == name_key(wanted));
    }
    Ok(found)
}

/// `sp_who`
pub(in crate::procedures) fn who(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let rows = sought(call, store)?.into_iter().map(|session| {
        vec![
            Value::SmallInt(session.session_id),
            Value::SmallInt(0),
            padded(session_status(&session), 30),
            padded(&session.login, 128),
            padded(&session.host, 128),
            padded("0", 5),
            padded(&session.database, 128),
            padded(&command(&session), 26),
            Value::Int(0),
        ]
    });
    out.result(WHO, rows.collect());
    Ok(())
}

/// `sp_who2`
pub(in crate::procedures) fn who2(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let rows = sought(call, store)?.into_iter().map(|session| {
        let number = padded(&session.session_id.to_string(), 5);
        let last = call.zone.to_datetime(session.last_request);
        vec![
            number.clone(),
            Value::string(session_status(&session)),
            Value::string(&*session.login),
            Value::string(if session.host.is_empty() {
                "  ."
            } else {
                &session.host
            }),
            padded("  .", 5),
            Value::string(&*session.database),
            Value::String(command(&session)),
            Value::String(session.cpu.as_millis().to_string()),
            Value::string("0"),
            Value::String(last.strftime("%m/%d %H:%M:%S").to_string()),
            Value::string(&*session.program),
            number,
            padded("0", 5),
        ]
    });
    out.result(WHO2, rows.collect());
    Ok(())
}

/// `sp_lock`: Muster's sessions wait for one writer and hold no locks on rows or pages.
pub(in crate::procedures) fn lock(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    out.result(LOCK, Vec::new());
    Ok(())
}
