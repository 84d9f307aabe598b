//! Parameters of Database Mail, its state, and what it would have sent: it is stopped, and nothing was.

use super::touched;
use crate::call::{Call, Output, Store};
use crate::declare::{MAIL_CONFIGURATION, MAIL_QUEUES, MAIL_STATUS};
use crate::error::Result;
use crate::mail_store::{Mail, Parameter};
use crate::messages::{none_of, raise};
use tsql::{Value, fault};

/// Name, value when unset, description.
///
/// Source: SQL Server's documentation of sysmail_configure_sp.
pub(crate) const PARAMETERS: &[(&str, &str, &str)] = &[
    (
        "AccountRetryAttempts",
        "1",
        "Number of retry attempts for a mail server",
    ),
    (
        "AccountRetryDelay",
        "60",
        "Delay between each retry attempt to mail server",
    ),
    (
        "DatabaseMailExeMinimumLifeTime",
        "600",
        "Minimum process lifetime in seconds",
    ),
    (
        "DefaultAttachmentEncoding",
        "MIME",
        "Default attachment encoding",
    ),
    (
        "LoggingLevel",
        "2",
        "Database Mail logging level: normal - 1, extended - 2, verbose - 3",
    ),
    ("MaxFileSize", "1000000", "Default maximum file size"),
    (
        "ProhibitedExtensions",
        "exe,dll,vbs,js",
        "Extensions not allowed in outgoing mails",
    ),
    (
        "ReadTimeout",
        "30",
        "Timeout in seconds of the message queue read operation",
    ),
];

/// Longest value, in UTF-16 units.
const VALUE_UNITS_MAX: usize = 256;

fn known(name: &str) -> Result<&'static str> {
    let found = PARAMETERS
        .iter()
        .find(|known| known.0.eq_ignore_ascii_case(name));
    let found = found.ok_or_else(|| raise(14607, &["parameter name".into()]))?;
    Ok(found.0)
}

/// `sysmail_configure_sp`
pub(in crate::procedures) fn configure(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let name = known(call.name("@parameter_name").unwrap_or_default())?;
    let value = call.text("@parameter_value").unwrap_or_default();
    let whole = value.parse::<u32>().is_ok();
    let numeric = PARAMETERS
        .iter()
        .any(|(known, unset, _)| *known == name && unset.parse::<u32>().is_ok());
    if (numeric && !whole) || value.encode_utf16().count() > VALUE_UNITS_MAX {
        return Err(none_of("@parameter_value", "a whole number").into());
    }
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let parameter = Parameter {
            value: value.to_owned(),
            touched: touched(call),
        };
        mail.configuration.insert(name.to_owned(), parameter);
        mail.save(definitions)
    })
}

/// `sysmail_help_configure_sp`
pub(in crate::procedures) fn help_configuration(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let wanted = call.name("@parameter_name").map(known).transpose()?;
    let mail = store.read(|definitions| Mail::load(definitions))?;
    let rows = PARAMETERS
        .iter()
        .filter(|(name, ..)| wanted.is_none_or(|wanted| wanted == *name))
        .map(|(name, unset, description)| {
            let set = mail.configuration.get(*name);
            let value = set.map_or(*unset, |parameter| parameter.value.as_str());
            [*name, value, *description].map(Value::string).to_vec()
        });
    out.result(MAIL_CONFIGURATION, rows.collect());
    Ok(())
}

/// `sysmail_start_sp`
pub(in crate::procedures) fn start(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    Err(fault::not_supported("sysmail_start_sp (sending mail)").into())
}

/// `sysmail_stop_sp`: it is stopped.
pub(in crate::procedures) fn stop(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    Ok(())
}

/// `sysmail_help_status_sp`
pub(in crate::procedures) fn help_status(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    out.result(MAIL_STATUS, vec![vec![Value::string("STOPPED")]]);
    Ok(())
}

/// `sysmail_help_queue_sp`
pub(in crate::procedures) fn help_queue(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    const QUEUES: &[&str] = &["mail", "status"];
    let wanted = call.name("@queue_type");
    let is_wanted = |queue: &&&str| wanted.is_none_or(|name| name.eq_ignore_ascii_case(queue));
    if QUEUES.iter().find(is_wanted).is_none() {
        return Err(none_of("@queue_type", "mail, status").into());
    }
    let rows = QUEUES.iter().filter(is_wanted).map(|queue| {
        vec![
            Value::string(*queue),
            Value::Int(0),
            Value::string("INACTIVE"),
            Value::Null,
            Value::Null,
        ]
    });
    out.result(MAIL_QUEUES, rows.collect());
    Ok(())
}

/// `sysmail_delete_mailitems_sp`: there are none.
pub(in crate::procedures) fn delete_items(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    if call.datetime("@sent_before").is_none() && call.name("@sent_status").is_none() {
        return Err(raise(14608, &["@sent_before".into(), "@sent_status".into()]).into());
    }
    one_of(
        call,
        "@sent_status",
        &["unsent", "sent", "failed", "retrying"],
    )
}

/// `sysmail_delete_log_sp`: there is none.
pub(in crate::procedures) fn delete_log(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    one_of(
        call,
        "@event_type",
        &["success", "warning", "error", "information"],
    )
}

fn one_of(call: &Call<'_>, parameter: &str, valid: &[&str]) -> Result<()> {
    let fits = |word: &str| valid.iter().any(|known| known.eq_ignore_ascii_case(word));
    if call.name(parameter).is_some_and(|word| !fits(word)) {
        return Err(none_of(parameter, &valid.join(", ")).into());
    }
    Ok(())
}
