//! Database Mail: its settings are kept and shown; there is no mail system that would send anything.

mod accounts;
mod configuration;
mod profiles;

pub(super) use accounts::{
    add as add_account, delete as delete_account, help as help_account, update as update_account,
};
pub(crate) use configuration::PARAMETERS as MAIL_PARAMETERS;
pub(super) use configuration::{
    configure, delete_items, delete_log, help_configuration, help_queue, help_status, start, stop,
};
pub(super) use profiles::{
    add as add_profile, add_account as add_profile_account, delete as delete_profile,
    delete_account as delete_profile_account, grant as add_principal, help as help_profile,
    help_accounts as help_profile_accounts, help_grants as help_principals,
    revoke as delete_principal, update as update_profile, update_account as update_profile_account,
    update_grant as update_principal,
};

use crate::call::{Call, Output, Store};
use crate::error::{Fault, Result};
use crate::mail_store::{ENTRIES_MAX, Mail, Touched};
use crate::messages::{none_of, raise};
use tsql::SqlError;

/// Number of the object that `@…_id` or `@…_name` names: 14604 without both, 14605 when they name two, 14606 and 14607
/// for one that is not there.
fn by_id_or_name(
    call: &Call<'_>,
    object: &str,
    known: impl Fn(i32) -> bool,
    by_name: impl Fn(&str) -> Option<i32>,
) -> Result<i32> {
    let (id, name) = (format!("@{object}_id"), format!("@{object}_name"));
    let wrong_id = || raise(14606, &[(&format!("{object} id")).into()]);
    let wrong_name = || raise(14607, &[(&format!("{object} name")).into()]);
    match (call.int(&id), call.name(&name)) {
        (None, None) => Err(raise(14604, &[(&id).into(), (&name).into()]).into()),
        (Some(number), None) => {
            let found = known(number).then_some(number);
            Ok(found.ok_or_else(wrong_id)?)
        }
        (None, Some(text)) => Ok(by_name(text).ok_or_else(wrong_name)?),
        (Some(number), Some(text)) => {
            let found = by_name(text).ok_or_else(wrong_name)?;
            if found == number {
                Ok(number)
            } else {
                Err(raise(14605, &[(&id).into(), (&name).into()]).into())
            }
        }
    }
}

/// The name of a new account or profile; 515 where it is NULL.
fn new_name<'c>(call: &'c Call<'_>, object: &str) -> Result<&'c str> {
    call.name(&format!("@{object}_name")).ok_or_else(|| {
        let null = SqlError::new(
            515,
            16,
            format!(
                "Cannot insert the value NULL into column 'name', table 'msdb.dbo.sysmail_{object}'; column does not allow nulls. INSERT fails."
            ),
        );
        null.into()
    })
}

/// 2627 of a table of Database Mail.
fn taken_name(constraint: &str, table: &str, key: &str) -> Fault {
    let text = format!(
        "Violation of UNIQUE KEY constraint '{constraint}'. Cannot insert duplicate key in object 'dbo.{table}'. The duplicate key value is ({key})."
    );
    SqlError::new(2627, 14, text).into()
}

fn full() -> Fault {
    let text = format!("Database Mail keeps at most {ENTRIES_MAX} entries of a kind.");
    SqlError::new(14603, 16, text).into()
}

fn touched(call: &Call<'_>) -> Touched {
    Touched::new(call.now, &call.caller.login)
}

/// `sp_send_dbmail`: checks what it is given and ends as where Database Mail is stopped.
pub(super) fn send(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let recipients = ["@recipients", "@copy_recipients", "@blind_copy_recipients"];
    if recipients.iter().all(|name| call.name(name).is_none()) {
        let names = recipients.join(", ");
        return Err(raise(14618, &[(&names).into()]).into());
    }
    for (parameter, valid) in [
        ("@body_format", &["TEXT", "HTML"][..]),
        ("@importance", &["LOW", "NORMAL", "HIGH"]),
        (
            "@sensitivity",
            &["NORMAL", "PERSONAL", "PRIVATE", "CONFIDENTIAL"],
        ),
    ] {
        let fits = |word: &str| valid.iter().any(|known| known.eq_ignore_ascii_case(word));
        if call.name(parameter).is_some_and(|word| !fits(word)) {
            return Err(none_of(parameter, &valid.join(", ")).into());
        }
    }
    let mail = store.read(|definitions| Mail::load(definitions))?;
    let mut defaults = mail.principals.iter().filter(|known| known.is_default);
    match call.name("@profile_name") {
        Some(name) if mail.profile_named(name).is_none() => {
            return Err(raise(14607, &["profile name".into()]).into());
        }
        None if defaults.next().is_none() => return Err(raise(14636, &[]).into()),
        Some(_) | None => {}
    }
    Err(raise(14641, &[]).into())
}
