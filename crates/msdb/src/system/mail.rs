//! The tables of Database Mail in msdb, for members of sysadmin.

use super::view::{Fill, Filled};
use super::{int, text};
use crate::convert::datetime;
use crate::error::Result;
use crate::mail_store::{Mail, Touched};
use crate::procedures::MAIL_PARAMETERS;
use crate::tables::Scanner;
use tsql::Value;

/// The only kind of server.
const SMTP: &str = "SMTP";

/// The tables.
pub(super) const TABLES: &[Filled] = &[
    Filled::msdb("sysmail_account", accounts),
    Filled::msdb("sysmail_configuration", configuration),
    Filled::msdb("sysmail_principalprofile", principals),
    Filled::msdb("sysmail_profile", profiles),
    Filled::msdb("sysmail_profileaccount", members),
    Filled::msdb("sysmail_server", servers),
    Filled::msdb("sysmail_servertype", server_types),
];

/// The document, to those who may read it.
fn mail(scan: &Scanner<'_>) -> Result<Mail> {
    if scan.caller.sysadmin {
        Mail::load(scan.definitions)
    } else {
        Ok(Mail::default())
    }
}

fn when(scan: &Scanner<'_>, touched: &Touched) -> Value {
    datetime(touched.at(), &scan.zone)
}

fn accounts(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for account in mail(scan)?.accounts {
        out.add([
            ("account_id", int(account.id)),
            ("name", text(account.name)),
            ("description", account.description.into()),
            ("email_address", text(account.email_address)),
            ("display_name", account.display_name.into()),
            ("replyto_address", account.replyto_address.into()),
            ("last_mod_datetime", when(scan, &account.touched)),
            ("last_mod_user", text(account.touched.user)),
        ]);
    }
    Ok(())
}

fn servers(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for account in mail(scan)?.accounts {
        out.add([
            ("account_id", int(account.id)),
            ("servertype", text(SMTP)),
            ("servername", text(account.server)),
            ("port", int(account.port)),
            ("username", account.username.into()),
            (
                "use_default_credentials",
                Value::Bit(account.use_default_credentials),
            ),
            ("enable_ssl", Value::Bit(account.enable_ssl)),
            ("timeout", account.timeout.map_or(Value::Null, int)),
            ("last_mod_datetime", when(scan, &account.touched)),
            ("last_mod_user", text(account.touched.user)),
        ]);
    }
    Ok(())
}

fn server_types(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    out.add([
        ("servertype", text(SMTP)),
        ("is_incoming", Value::Bit(false)),
        ("is_outgoing", Value::Bit(true)),
        ("last_mod_datetime", super::created(scan)?),
        ("last_mod_user", text("sa")),
    ]);
    Ok(())
}

fn profiles(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for profile in mail(scan)?.profiles {
        out.add([
            ("profile_id", int(profile.id)),
            ("name", text(profile.name)),
            ("description", profile.description.into()),
            ("last_mod_datetime", when(scan, &profile.touched)),
            ("last_mod_user", text(profile.touched.user)),
        ]);
    }
    Ok(())
}

fn members(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for member in mail(scan)?.members {
        out.add([
            ("profile_id", int(member.profile)),
            ("account_id", int(member.account)),
            ("sequence_number", int(member.sequence)),
            ("last_mod_datetime", when(scan, &member.touched)),
            ("last_mod_user", text(member.touched.user)),
        ]);
    }
    Ok(())
}

fn principals(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for principal in mail(scan)?.principals {
        out.add([
            ("profile_id", int(principal.profile)),
            ("last_mod_datetime", when(scan, &principal.touched)),
            ("last_mod_user", text(principal.touched.user)),
            ("principal_sid", Value::Binary(principal.sid)),
            ("is_default", Value::Bit(principal.is_default)),
        ]);
    }
    Ok(())
}

fn configuration(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let mail = mail(scan)?;
    for (name, unset, description) in MAIL_PARAMETERS {
        let set = mail.configuration.get(*name);
        let (at, user) = match set {
            Some(set) => (when(scan, &set.touched), set.touched.user.as_str()),
            None => (super::created(scan)?, "sa"),
        };
        out.add([
            ("paramname", text(name)),
            ("paramvalue", text(set.map_or(*unset, |set| &set.value))),
            ("description", text(description)),
            ("last_mod_datetime", at),
            ("last_mod_user", text(user)),
        ]);
    }
    Ok(())
}
