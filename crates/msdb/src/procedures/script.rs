//! `sp_muster_script`: definitions as T-SQL.

use crate::call::{Call, Output, Store};
use crate::caller::AgentRole;
use crate::declare::SCRIPTS;
use crate::error::Result;
use crate::messages::{none_of, raise, unknown};
use crate::script::{Kind, Script, scripts};
use tsql::Value;

/// `sp_muster_script`: what the caller may see, in the order in which the scripts must run.
pub(super) fn script(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let kinds = kinds(call)?;
    let all = kinds.len() > 1;
    let name = call.name("@name");
    if all && name.is_some() {
        return Err(raise(14272, &[]).into());
    }
    let rows = store.read(|definitions| {
        let mut rows = Vec::new();
        for kind in kinds {
            if !kind.is_owned() && !call.caller.sysadmin {
                if all {
                    continue;
                }
                return Err(raise(14260, &[]).into());
            }
            let seen = scripts(definitions, kind, name)?
                .into_iter()
                .filter(|script| sees(call, script));
            rows.extend(seen.map(|script| {
                vec![
                    Value::string(script.kind.word()),
                    Value::String(script.name),
                    Value::String(script.text),
                ]
            }));
        }
        match name {
            Some(name) if rows.is_empty() => Err(unknown("@name", name).into()),
            _ => Ok(rows),
        }
    })?;
    out.result(SCRIPTS, rows);
    Ok(())
}

fn kinds(call: &Call<'_>) -> Result<Vec<Kind>> {
    let word = call.name("@object_type").unwrap_or("ALL");
    if word.eq_ignore_ascii_case("ALL") {
        return Ok(Kind::ALL.to_vec());
    }
    let found = Kind::ALL
        .into_iter()
        .find(|kind| kind.word().eq_ignore_ascii_case(word));
    found.map(|kind| vec![kind]).ok_or_else(|| {
        let words = Kind::ALL.map(Kind::word).join(", ");
        none_of("@object_type", &format!("ALL, {words}")).into()
    })
}

fn sees(call: &Call<'_>, script: &Script) -> bool {
    call.caller.is(AgentRole::Reader)
        || script
            .owner_sid
            .as_ref()
            .is_none_or(|owner| *owner == call.caller.sid)
}

/// `sp_muster_rehearsal`: the host itself begins rehearsals, before it comes here.
pub(super) fn rehearsal(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    Ok(())
}
