//! Joining and leaving a master, and the account for it.
//!
//! Enlisting and defecting act on both ends at once: they hold no lock, and a ROLLBACK does not undo them.

use crate::call::{Call, Output, Store};
use crate::convert::int;
use crate::declare::MSX_GET_ACCOUNT_ACCOUNT;
use crate::error::Result;
use crate::lookup;
use crate::messages::{raise, unknown};
use crate::services::{EnlistRequest, RemoteError};
use crate::settings;
use catalog::{Credential, DefinitionsRead, SettingValue};
use tsql::{SqlError, Value};

/// `sp_msx_enlist`
pub(super) fn enlist(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let master = call
        .name("@msx_server_name")
        .ok_or_else(|| raise(14200, &["@msx_server_name".into()]))?;
    check_no_lock(store, "sp_msx_enlist")?;
    if lookup::is_local_server(call, master) {
        return Err(raise(14297, &[]).into());
    }
    if master.contains('\\') && !master.contains(',') {
        let cause =
            "A named instance is reached by its port: give the master as 'host\\instance,port'.";
        return Err(raise(22026, &[cause.into()]).into());
    }
    let (credential, left) = store.read(|definitions| {
        if definitions.target_count()? > 0 {
            return Err(raise(14299, &[]).into());
        }
        let credential = msx_credential(definitions)?.map(|credential| credential.name);
        let left = definitions
            .enlistment()?
            .map(|row| row.enlistment.master_name);
        Ok((credential, left))
    })?;
    let request = EnlistRequest {
        master: master.to_owned(),
        location: call.name("@location").map(str::to_owned),
        asked_by: call.caller.login.clone(),
        credential,
    };
    let enlisted = call
        .services
        .enlist(&request)
        .map_err(|error| remote_error(&error))?;
    let name = &enlisted.master_name;
    out.message(match left {
        Some(old) if !enlisted.renewed && !old.eq_ignore_ascii_case(name) => {
            raise(14228, &[(&old).into(), name.into()])
        }
        _ => raise(14229, &[name.into()]),
    });
    Ok(())
}

/// `sp_msx_defect`
pub(super) fn defect(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let forced = call.bit("@forced_defection");
    check_no_lock(store, "sp_msx_defect")?;
    store.read(|definitions| match definitions.enlistment()? {
        Some(_) => Ok(()),
        None => Err(raise(14298, &[]).into()),
    })?;
    let defected = call
        .services
        .defect(forced)
        .map_err(|error| remote_error(&error))?;
    let deleted = i64::try_from(defected.jobs_deleted).unwrap_or(i64::MAX);
    out.message(raise(
        14227,
        &[(&defected.master_name).into(), deleted.into()],
    ));
    if forced {
        out.message(raise(14217, &[(&call.server).into()]));
    }
    Ok(())
}

/// Both ends write on their own: a session that holds the writer would wait for itself.
fn check_no_lock(store: &Store<'_>, procedure: &str) -> Result<()> {
    if store.holds_writer() {
        return Err(raise(226, &[procedure.into()]).into());
    }
    Ok(())
}

/// The master's own number, or 22026 with the cause.
fn remote_error(error: &RemoteError) -> SqlError {
    match error {
        RemoteError::Refused { number, text } => SqlError::new(*number, 16, text),
        RemoteError::Failed { cause } => raise(22026, &[cause.into()]),
    }
}

/// `sp_msx_set_account`: a credential, or neither name nor number to forget it.
pub(super) fn set_account(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let by_name = match call.name("@credential_name") {
            None => None,
            Some(name) => Some(
                definitions
                    .credential_by_name(name)?
                    .ok_or_else(|| unknown("@credential_name", name))?,
            ),
        };
        let by_id = match call.int("@credential_id") {
            None => None,
            Some(id) => Some(
                definitions
                    .credential(id.into())?
                    .ok_or_else(|| unknown("@credential_id", &id.to_string()))?,
            ),
        };
        if let (Some(a), Some(b)) = (&by_name, &by_id)
            && a.id != b.id
        {
            let names = ["@credential_name".into(), "@credential_id".into()];
            return Err(raise(14605, &names).into());
        }
        let value = by_name.or(by_id).map(|c| SettingValue::Text(c.name));
        Ok(definitions.set_setting(settings::MSX_CREDENTIAL, value.as_ref())?)
    })
}

/// `sp_msx_get_account`
pub(super) fn get_account(
    _call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    const SQL_LOGIN: i32 = 1;
    let credential = store.read(msx_credential)?;
    let rows = credential
        .into_iter()
        .map(|credential| {
            vec![
                Value::Int(SQL_LOGIN),
                int(credential.id),
                Value::string(credential.name),
                Value::string(credential.identity),
            ]
        })
        .collect();
    out.result(MSX_GET_ACCOUNT_ACCOUNT, rows);
    Ok(())
}

/// The credential that logs in at the master; `None` when none is set or it is gone.
fn msx_credential(definitions: &dyn DefinitionsRead) -> Result<Option<Credential>> {
    match definitions.setting(settings::MSX_CREDENTIAL)? {
        Some(SettingValue::Text(name)) => Ok(definitions.credential_by_name(&name)?),
        _ => Ok(None),
    }
}
