//! Accounts of Database Mail: sysmail_add_account_sp and kin.

use super::{by_id_or_name, full, new_name, taken_name, touched};
use crate::call::{Call, Output, Store};
use crate::declare::MAIL_ACCOUNTS;
use crate::error::Result;
use crate::mail_store::{Account, ENTRIES_MAX, Mail};
use crate::messages::{none_of, raise};
use catalog::name_key;
use tsql::{SqlError, Value};

/// Port of a server that none was given for.
const SMTP_PORT: i32 = 25;
/// The only kind of server.
const SMTP: &str = "SMTP";

/// The account that `@account_id` or `@account_name` names.
pub(super) fn chosen(call: &Call<'_>, mail: &Mail) -> Result<i32> {
    let by_name = |name: &str| mail.account_named(name).map(|account| account.id);
    let known = |id: i32| mail.accounts.iter().any(|account| account.id == id);
    by_id_or_name(call, "account", known, by_name)
}

/// The password, sealed before anything is locked.
fn sealed(call: &Call<'_>) -> Result<Option<Vec<u8>>> {
    let Some(clear) = call.text("@password").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let sealed = call.services.seal(clear.as_bytes());
    let failed = |_| SqlError::new(14603, 16, "The password could not be sealed.");
    Ok(Some(sealed.map_err(failed)?))
}

fn check_kind(call: &Call<'_>) -> Result<()> {
    match call.name("@mailserver_type") {
        Some(kind) if !kind.eq_ignore_ascii_case(SMTP) => {
            Err(none_of("@mailserver_type", SMTP).into())
        }
        _ => Ok(()),
    }
}

/// `sysmail_add_account_sp`
pub(in crate::procedures) fn add(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    check_kind(call)?;
    let password = sealed(call)?;
    let text = |name| call.text(name).map(str::to_owned);
    let id = store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let name = new_name(call, "account")?;
        if mail.account_named(name).is_some() {
            return Err(taken_name(
                "SYSMAIL_ACCOUNT_NameMustBeUnique",
                "sysmail_account",
                name,
            ));
        }
        if mail.accounts.len() >= ENTRIES_MAX {
            return Err(full());
        }
        let account = Account {
            id: mail.next_account(),
            name: name.to_owned(),
            description: text("@description"),
            email_address: text("@email_address").unwrap_or_default(),
            display_name: text("@display_name"),
            replyto_address: text("@replyto_address"),
            server: text("@mailserver_name").unwrap_or_else(|| call.server.clone()),
            port: call.int("@port").unwrap_or(SMTP_PORT),
            username: text("@username"),
            sealed_password: password,
            use_default_credentials: call.bit("@use_default_credentials"),
            enable_ssl: call.bit("@enable_ssl"),
            timeout: None,
            touched: touched(call),
        };
        let id = account.id;
        mail.accounts.push(account);
        mail.save(definitions)?;
        Ok(id)
    })?;
    out.set("@account_id", Value::Int(id));
    Ok(())
}

/// `sysmail_update_account_sp`: what is not given stays.
pub(in crate::procedures) fn update(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    check_kind(call)?;
    let password = sealed(call)?;
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        // With both, the name is a new one.
        let id = match (call.int("@account_id"), call.name("@account_name")) {
            (Some(id), Some(_)) => {
                let known = mail.accounts.iter().any(|account| account.id == id);
                known
                    .then_some(id)
                    .ok_or_else(|| raise(14606, &["account id".into()]))?
            }
            _ => chosen(call, &mail)?,
        };
        if let Some(name) = call.name("@account_name")
            && mail.account_named(name).is_some_and(|found| found.id != id)
        {
            return Err(taken_name(
                "SYSMAIL_ACCOUNT_NameMustBeUnique",
                "sysmail_account",
                name,
            ));
        }
        let account = mail.accounts.iter_mut().find(|account| account.id == id);
        let account = account.ok_or_else(|| raise(14606, &["account id".into()]))?;
        let text = |name| call.text(name).map(str::to_owned);
        if let Some(name) = call.name("@account_name") {
            name.clone_into(&mut account.name);
        }
        if let Some(address) = text("@email_address") {
            account.email_address = address;
        }
        if let Some(server) = text("@mailserver_name") {
            account.server = server;
        }
        for (parameter, field) in [
            ("@description", &mut account.description),
            ("@display_name", &mut account.display_name),
            ("@replyto_address", &mut account.replyto_address),
            ("@username", &mut account.username),
        ] {
            if let Some(value) = text(parameter) {
                *field = Some(value);
            }
        }
        if password.is_some() {
            account.sealed_password = password;
        }
        if let Some(port) = call.int("@port") {
            account.port = port;
        }
        if call.int("@timeout").is_some() {
            account.timeout = call.int("@timeout");
        }
        if call.int("@use_default_credentials").is_some() {
            account.use_default_credentials = call.bit("@use_default_credentials");
        }
        if call.int("@enable_ssl").is_some() {
            account.enable_ssl = call.bit("@enable_ssl");
        }
        account.touched = touched(call);
        mail.save(definitions)
    })
}

/// `sysmail_delete_account_sp`: the account leaves its profiles.
pub(in crate::procedures) fn delete(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let id = chosen(call, &mail)?;
        mail.accounts.retain(|account| account.id != id);
        mail.members.retain(|member| member.account != id);
        mail.save(definitions)
    })
}

/// `sysmail_help_account_sp`
pub(in crate::procedures) fn help(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let mail = store.read(|definitions| Mail::load(definitions))?;
    let all = call.int("@account_id").is_none() && call.name("@account_name").is_none();
    let wanted = if all {
        None
    } else {
        Some(chosen(call, &mail)?)
    };
    let mut accounts: Vec<&Account> = mail.accounts.iter().collect();
    accounts.retain(|account| wanted.is_none_or(|id| id == account.id));
    accounts.sort_by_key(|account| name_key(&account.name));
    let rows = accounts.into_iter().map(|account| {
        vec![
            Value::Int(account.id),
            Value::string(account.name.as_str()),
            account.description.clone().into(),
            Value::string(account.email_address.as_str()),
            account.display_name.clone().into(),
            account.replyto_address.clone().into(),
            Value::string(SMTP),
            Value::string(account.server.as_str()),
            Value::Int(account.port),
            account.username.clone().into(),
            Value::Bit(account.use_default_credentials),
            Value::Bit(account.enable_ssl),
        ]
    });
    out.result(MAIL_ACCOUNTS, rows.collect());
    Ok(())
}
