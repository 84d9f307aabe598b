//! Profiles of Database Mail, their accounts, and who may use them.

use super::{by_id_or_name, full, new_name, taken_name, touched};
use crate::call::{Call, Output, Store};
use crate::declare::{MAIL_MEMBERS, MAIL_PRINCIPALS, MAIL_PROFILES};
use crate::error::Result;
use crate::mail_store::{ENTRIES_MAX, Mail, Member, Principal, Profile};
use crate::messages::raise;
use catalog::{DefinitionsRead, name_key};
use tsql::Value;

/// SID that stands for everybody: a profile of it is public.
const EVERYBODY: &[u8] = &[0];
const PUBLIC: &str = "public";
/// Name under which help shows everybody.
const GUEST: &str = "guest";

/// The profile that `@profile_id` or `@profile_name` names.
fn chosen(call: &Call<'_>, mail: &Mail) -> Result<i32> {
    let by_name = |name: &str| mail.profile_named(name).map(|profile| profile.id);
    let known = |id: i32| mail.profiles.iter().any(|profile| profile.id == id);
    by_id_or_name(call, "profile", known, by_name)
}

fn given(call: &Call<'_>, object: &str) -> bool {
    call.int(&format!("@{object}_id")).is_some() || call.name(&format!("@{object}_name")).is_some()
}

/// `sysmail_add_profile_sp`
pub(in crate::procedures) fn add(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let id = store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let name = new_name(call, "profile")?;
        if mail.profile_named(name).is_some() {
            return Err(taken_name(
                "SYSMAIL_PROFILE_NameMustBeUnique",
                "sysmail_profile",
                name,
            ));
        }
        if mail.profiles.len() >= ENTRIES_MAX {
            return Err(full());
        }
        let id = mail.next_profile();
        mail.profiles.push(Profile {
            id,
            name: name.to_owned(),
            description: call.text("@description").map(str::to_owned),
            touched: touched(call),
        });
        mail.save(definitions)?;
        Ok(id)
    })?;
    out.set("@profile_id", Value::Int(id));
    Ok(())
}

/// `sysmail_update_profile_sp`: with number and name, the name is a new one.
pub(in crate::procedures) fn update(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let id = match (call.int("@profile_id"), call.name("@profile_name")) {
            (Some(id), Some(_)) => id,
            _ => chosen(call, &mail)?,
        };
        let name = call.name("@profile_name");
        if let Some(name) = name
            && mail.profile_named(name).is_some_and(|found| found.id != id)
        {
            return Err(taken_name(
                "SYSMAIL_PROFILE_NameMustBeUnique",
                "sysmail_profile",
                name,
            ));
        }
        let profile = mail.profiles.iter_mut().find(|profile| profile.id == id);
        let profile = profile.ok_or_else(|| raise(14606, &["profile id".into()]))?;
        if let Some(name) = name {
            name.clone_into(&mut profile.name);
        }
        if let Some(description) = call.text("@description") {
            profile.description = Some(description.to_owned());
        }
        profile.touched = touched(call);
        mail.save(definitions)
    })
}

/// `sysmail_delete_profile_sp`
pub(in crate::procedures) fn delete(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let id = chosen(call, &mail)?;
        mail.profiles.retain(|profile| profile.id != id);
        mail.members.retain(|member| member.profile != id);
        mail.principals.retain(|principal| principal.profile != id);
        mail.save(definitions)
    })
}

/// `sysmail_help_profile_sp`
pub(in crate::procedures) fn help(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let mail = store.read(|definitions| Mail::load(definitions))?;
    let wanted = given(call, "profile")
        .then(|| chosen(call, &mail))
        .transpose()?;
    let mut profiles: Vec<&Profile> = mail.profiles.iter().collect();
    profiles.retain(|profile| wanted.is_none_or(|id| id == profile.id));
    profiles.sort_by_key(|profile| name_key(&profile.name));
    let rows = profiles.into_iter().map(|profile| {
        vec![
            Value::Int(profile.id),
            Value::string(profile.name.as_str()),
            profile.description.clone().into(),
        ]
    });
    out.result(MAIL_PROFILES, rows.collect());
    Ok(())
}

/// `sysmail_add_profileaccount_sp`
pub(in crate::procedures) fn add_account(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let (profile, account) = (chosen(call, &mail)?, super::accounts::chosen(call, &mail)?);
        let is_it = |member: &Member| member.profile == profile && member.account == account;
        if mail.members.iter().any(is_it) {
            let key = format!("{profile}, {account}");
            return Err(taken_name(
                "SYSMAIL_ACCOUNT_IDMustBeUnique",
                "sysmail_profileaccount",
                &key,
            ));
        }
        if mail.members.len() >= ENTRIES_MAX {
            return Err(full());
        }
        mail.members.push(Member {
            profile,
            account,
            sequence: call.int("@sequence_number").unwrap_or(0),
            touched: touched(call),
        });
        mail.save(definitions)
    })
}

/// `sysmail_update_profileaccount_sp`
pub(in crate::procedures) fn update_account(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let (profile, account) = (chosen(call, &mail)?, super::accounts::chosen(call, &mail)?);
        let mut members = mail.members.iter_mut();
        if let Some(member) =
            members.find(|member| member.profile == profile && member.account == account)
        {
            member.sequence = call.int("@sequence_number").unwrap_or(member.sequence);
            member.touched = touched(call);
        }
        mail.save(definitions)
    })
}

/// `sysmail_delete_profileaccount_sp`: of one profile, one account, or both.
pub(in crate::procedures) fn delete_account(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let (profile, account) = chosen_pair(call, &mail)?;
        mail.members.retain(|member| {
            !(profile.is_none_or(|id| id == member.profile)
                && account.is_none_or(|id| id == member.account))
        });
        mail.save(definitions)
    })
}

/// Profile and account where given; 14608 for neither.
fn chosen_pair(call: &Call<'_>, mail: &Mail) -> Result<(Option<i32>, Option<i32>)> {
    let profile = given(call, "profile")
        .then(|| chosen(call, mail))
        .transpose()?;
    let account = given(call, "account").then(|| super::accounts::chosen(call, mail));
    let account = account.transpose()?;
    if profile.is_none() && account.is_none() {
        return Err(raise(14608, &["profile".into(), "account".into()]).into());
    }
    Ok((profile, account))
}

/// `sysmail_help_profileaccount_sp`
pub(in crate::procedures) fn help_accounts(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let mail = store.read(|definitions| Mail::load(definitions))?;
    let (profile, account) = if given(call, "profile") || given(call, "account") {
        chosen_pair(call, &mail)?
    } else {
        (None, None)
    };
    let mut members: Vec<&Member> = mail.members.iter().collect();
    members.retain(|member| {
        profile.is_none_or(|id| id == member.profile)
            && account.is_none_or(|id| id == member.account)
    });
    members.sort_by_key(|member| (member.profile, member.sequence, member.account));
    let rows = members.into_iter().map(|member| {
        let profile = mail.profiles.iter().find(|p| p.id == member.profile);
        let account = mail.accounts.iter().find(|a| a.id == member.account);
        vec![
            Value::Int(member.profile),
            profile.map(|profile| profile.name.clone()).into(),
            Value::Int(member.account),
            account.map(|account| account.name.clone()).into(),
            Value::Int(member.sequence),
        ]
    });
    out.result(MAIL_MEMBERS, rows.collect());
    Ok(())
}

/// SID of the principal that `@principal_name` or `@principal_id` names; `None` where neither is given. 0 and public
/// are everybody.
fn principal(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Option<Vec<u8>>> {
    let Some(name) = call.name("@principal_name") else {
        return match call.int("@principal_id") {
            None => Ok(None),
            Some(0) => Ok(Some(EVERYBODY.to_vec())),
            Some(_) => Err(raise(14606, &["principal id".into()]).into()),
        };
    };
    if name.eq_ignore_ascii_case(PUBLIC) || name.eq_ignore_ascii_case(GUEST) {
        return Ok(Some(EVERYBODY.to_vec()));
    }
    let user = definitions
        .database_user("msdb", name)?
        .map(|user| user.sid);
    let sid = match user {
        Some(sid) => Some(sid),
        None => definitions.login(name)?.map(|login| login.sid),
    };
    match sid {
        Some(sid) => Ok(Some(sid)),
        None => Err(raise(14607, &["principal name".into()]).into()),
    }
}

/// `sysmail_add_principalprofile_sp`
pub(in crate::procedures) fn grant(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let sid = principal(call, &*definitions)?
            .ok_or_else(|| raise(14604, &["@principal_id".into(), "@principal_name".into()]))?;
        let profile = chosen(call, &mail)?;
        if mail
            .principals
            .iter()
            .any(|known| known.profile == profile && known.sid == sid)
        {
            return Err(taken_name(
                "SYSMAIL_PRINCIPALPROFILE_IDMustBeUnique",
                "sysmail_principalprofile",
                &profile.to_string(),
            ));
        }
        if mail.principals.len() >= ENTRIES_MAX {
            return Err(full());
        }
        let is_default = call.bit("@is_default");
        if is_default {
            one_default(&mut mail, &sid);
        }
        mail.principals.push(Principal {
            profile,
            sid,
            is_default,
            touched: touched(call),
        });
        mail.save(definitions)
    })
}

/// A principal has one default profile.
fn one_default(mail: &mut Mail, sid: &[u8]) {
    for known in mail.principals.iter_mut().filter(|known| known.sid == sid) {
        known.is_default = false;
    }
}

/// `sysmail_update_principalprofile_sp`
pub(in crate::procedures) fn update_grant(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let sid = principal(call, &*definitions)?
            .ok_or_else(|| raise(14604, &["@principal_id".into(), "@principal_name".into()]))?;
        let profile = chosen(call, &mail)?;
        let is_default = call.bit("@is_default");
        if is_default {
            one_default(&mut mail, &sid);
        }
        let mut all = mail.principals.iter_mut();
        if let Some(known) = all.find(|known| known.profile == profile && known.sid == sid) {
            known.is_default = is_default;
            known.touched = touched(call);
        }
        mail.save(definitions)
    })
}

/// `sysmail_delete_principalprofile_sp`
pub(in crate::procedures) fn revoke(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let mut mail = Mail::load(&*definitions)?;
        let sid = principal(call, &*definitions)?;
        let profile = given(call, "profile")
            .then(|| chosen(call, &mail))
            .transpose()?;
        if sid.is_none() && profile.is_none() {
            return Err(raise(14608, &["principal".into(), "profile".into()]).into());
        }
        mail.principals.retain(|known| {
            !(sid.as_ref().is_none_or(|sid| *sid == known.sid)
                && profile.is_none_or(|id| id == known.profile))
        });
        mail.save(definitions)
    })
}

/// `sysmail_help_principalprofile_sp`
pub(in crate::procedures) fn help_grants(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        let mail = Mail::load(definitions)?;
        let sid = principal(call, definitions)?;
        let profile = given(call, "profile")
            .then(|| chosen(call, &mail))
            .transpose()?;
        let mut rows = Vec::new();
        for known in &mail.principals {
            let wanted = sid.as_ref().is_none_or(|sid| *sid == known.sid)
                && profile.is_none_or(|id| id == known.profile);
            if !wanted {
                continue;
            }
            let everybody = known.sid == EVERYBODY;
            let name = if everybody {
                Some(GUEST.to_owned())
            } else {
                definitions
                    .login_by_sid(&known.sid)?
                    .map(|login| login.name)
            };
            let of = mail
                .profiles
                .iter()
                .find(|profile| profile.id == known.profile);
            rows.push(vec![
                if everybody {
                    Value::Int(0)
                } else {
                    Value::Null
                },
                name.into(),
                Value::Int(known.profile),
                of.map(|profile| profile.name.clone()).into(),
                Value::Bit(known.is_default),
            ]);
        }
        out.result(MAIL_PRINCIPALS, rows);
        Ok(())
    })
}
