//! Proxies, their grants to principals and subsystems, and the subsystems.

use super::jobstep::named_proxy;
use crate::admin::{in_server_role, known_role, server_role};
use crate::call::{Call, Output, Store};
use crate::caller::{Caller, MSDB_ROLES, SYSADMIN, is_sysadmin};
use crate::convert::{flag, flag_int, int};
use crate::declare::{
    ENUM_LOGIN_FOR_PROXY_GRANTS, ENUM_PROXY_FOR_SUBSYSTEM_GRANTS,
    ENUM_SQLAGENT_SUBSYSTEMS_SUBSYSTEMS, HELP_PROXY_PROXIES,
};
use crate::error::Result;
use crate::lookup;
use crate::made::MadeObjects;
use crate::messages::{lookup as message, raise, taken, unknown};
use crate::subsystems;
use crate::system::role_id;
use catalog::{
    Credential, DefinitionsRead, Proxy, ProxyLogin, ProxySubsystem, SubsystemInfo, name_key,
};
use engine::host::Identity;
use tsql::Value;

/// Kinds of principals. Source: code `proxy_principal`.
const LOGIN: i32 = 0;
const SERVER_ROLE: i32 = 1;
const MSDB_ROLE: i32 = 2;
/// `subsystem_id` of TSQL, which takes no proxy.
const TSQL: i64 = 1;

/// `sp_add_proxy`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let enabled = lookup::flag(call, "@enabled")?.unwrap_or(true);
    let id = store.write(call, |definitions| {
        let credential = credential(call, &*definitions)?
            .ok_or_else(|| raise(14524, &["@credential_name".into(), "@credential_id".into()]))?;
        // Without a name a proxy is called as the identity behind it.
        let name = call
            .name("@proxy_name")
            .unwrap_or(&credential.identity)
            .to_owned();
        check_free(&*definitions, "@proxy_name", &name, None)?;
        Ok(definitions.create_proxy(&Proxy {
            id: 0,
            name,
            credential_id: credential.id,
            enabled,
            description: call.text("@description").map(str::to_owned),
            user_sid: identity_sid(&*definitions, &credential)?,
        })?)
    })?;
    out.set("@proxy_id", int(id));
    Ok(())
}

/// The SID of the login that the identity names; 0x00 for an identity of the operating system.
fn identity_sid(definitions: &dyn DefinitionsRead, credential: &Credential) -> Result<Vec<u8>> {
    Ok(definitions
        .login(&credential.identity)?
        .map_or_else(|| vec![0], |login| login.sid))
}

fn credential(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Option<Credential>> {
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
    match (by_name, by_id) {
        (Some(a), Some(b)) if a.id != b.id => {
            let names = ["@credential_name".into(), "@credential_id".into()];
            Err(raise(14605, &names).into())
        }
        (a, b) => Ok(a.or(b)),
    }
}

fn check_free(
    definitions: &dyn DefinitionsRead,
    parameter: &str,
    name: &str,
    but: Option<i64>,
) -> Result<()> {
    match definitions.proxy_by_name(name)? {
        Some(other) if Some(other.id) != but => Err(taken(parameter, name).into()),
        _ => Ok(()),
    }
}

/// The proxy of `@proxy_id` or `@proxy_name`; 14524 for neither.
fn proxy(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Proxy> {
    named_proxy(call, definitions)?
        .ok_or_else(|| raise(14524, &["@proxy_id".into(), "@proxy_name".into()]).into())
}

/// `sp_update_proxy`
pub(super) fn update(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let mut proxy = proxy(call, &*definitions)?;
        if let Some(name) = call.name("@new_name") {
            check_free(&*definitions, "@new_name", name, Some(proxy.id))?;
            name.clone_into(&mut proxy.name);
        }
        if let Some(enabled) = lookup::flag(call, "@enabled")? {
            proxy.enabled = enabled;
        }
        if let Some(description) = call.text("@description") {
            proxy.description = Some(description.to_owned());
        }
        if let Some(credential) = credential(call, &*definitions)? {
            proxy.credential_id = credential.id;
            proxy.user_sid = identity_sid(&*definitions, &credential)?;
        }
        Ok(definitions.update_proxy(&proxy)?)
    })
}

/// `sp_delete_proxy`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    store.write(call, |definitions| {
        let proxy = proxy(call, &*definitions)?;
        if !definitions.steps_using_proxy(&proxy.name)?.is_empty() {
            return Err(raise(14518, &[proxy.id.into()]).into());
        }
        Ok(definitions.delete_proxy(proxy.id)?)
    })
}

/// `sp_help_proxy`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let for_login = call.name("@name");
    let for_subsystem = call.name("@subsystem_name");
    if for_login.is_some() != for_subsystem.is_some() {
        return Err(raise(14532, &["@subsystem_name".into(), "@name".into()]).into());
    }
    store.read(|definitions| {
        let mut proxies = match named_proxy(call, definitions)? {
            Some(proxy) => vec![proxy],
            None => definitions.proxies()?,
        };
        if let (Some(login), Some(subsystem)) = (for_login, for_subsystem) {
            let subsystem = subsystems::by_name(definitions, subsystem)?
                .ok_or_else(|| unknown("@subsystem_name", subsystem))?;
            let mut usable = Vec::new();
            for proxy in proxies {
                if serves(definitions, &proxy, login, subsystem.id)? {
                    usable.push(proxy);
                }
            }
            proxies = usable;
        }
        let mut rows = Vec::with_capacity(proxies.len());
        for proxy in proxies {
            let credential = definitions.credential(proxy.credential_id)?;
            let exists = credential.is_some();
            let identity = credential.map(|credential| credential.identity);
            let shown = call.caller.sysadmin;
            rows.push(vec![
                int(proxy.id),
                Value::string(proxy.name),
                identity.filter(|_| shown).into(),
                flag(proxy.enabled),
                proxy.description.into(),
                Some(proxy.user_sid).filter(|_| shown).into(),
                int(proxy.credential_id),
                flag_int(exists),
            ]);
        }
        out.result(HELP_PROXY_PROXIES, rows);
        Ok(())
    })
}

/// Whether the login of a name may run steps of a subsystem under a proxy.
fn serves(
    definitions: &dyn DefinitionsRead,
    proxy: &Proxy,
    login: &str,
    subsystem: i64,
) -> Result<bool> {
    let granted = definitions
        .proxy_subsystems(Some(proxy.id))?
        .iter()
        .any(|grant| grant.subsystem == subsystem);
    match definitions.login(login)? {
        Some(login) if granted => {
            let identity = Identity {
                login: login.name,
                sid: login.sid,
                user: None,
            };
            let caller =
                Caller::resolve(definitions, &MadeObjects::default(), &identity, &identity)?;
            may_use(&caller, definitions, proxy.id)
        }
        _ => Ok(false),
    }
}

/// Whether a login may use a proxy: sysadmin any, others by a grant to the login, to a server role it is in or to
/// a role of msdb. Grants to one of the Agent's roles reach the higher ones.
pub(super) fn may_use(
    caller: &Caller,
    definitions: &dyn DefinitionsRead,
    proxy: i64,
) -> Result<bool> {
    if caller.sysadmin {
        return Ok(true);
    }
    for grant in definitions.proxy_logins(Some(proxy))? {
        let mine = match grant.flags {
            LOGIN => name_key(&grant.name) == name_key(&caller.login),
            SERVER_ROLE => match definitions.login(&caller.login)? {
                Some(login) => in_server_role(definitions, &grant.name, &login)?,
                None => false,
            },
            _ => caller.reaches_role(&grant.name),
        };
        if mine {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The subsystem of `@subsystem_id` or `@subsystem_name`; TSQL is refused (14530).
fn subsystem(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<Option<SubsystemInfo>> {
    let by_name = match call.name("@subsystem_name") {
        None => None,
        Some(name) => Some(
            subsystems::by_name(definitions, name)?
                .ok_or_else(|| unknown("@subsystem_name", name))?,
        ),
    };
    let by_id = match call.int("@subsystem_id") {
        None => None,
        Some(id) => Some(
            subsystems::known(definitions)?
                .into_iter()
                .find(|known| known.id == i64::from(id))
                .ok_or_else(|| unknown("@subsystem_id", &id.to_string()))?,
        ),
    };
    let found = match (by_name, by_id) {
        (Some(a), Some(b)) if a.id != b.id => {
            let names = ["@subsystem_name".into(), "@subsystem_id".into()];
            return Err(raise(14605, &names).into());
        }
        (a, b) => a.or(b),
    };
    Ok(found)
}

fn proxy_and_subsystem(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
) -> Result<(Proxy, SubsystemInfo)> {
    let proxy = proxy(call, definitions)?;
    let subsystem = subsystem(call, definitions)?
        .ok_or_else(|| raise(14524, &["@subsystem_id".into(), "@subsystem_name".into()]))?;
    if subsystem.id == TSQL {
        return Err(raise(14530, &[]).into());
    }
    Ok((proxy, subsystem))
}

/// `sp_grant_proxy_to_subsystem`
pub(super) fn grant_subsystem(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let (proxy, subsystem) = proxy_and_subsystem(call, &*definitions)?;
        // The catalog refers to its own list; it is filled with the usual one when it is empty.
        if definitions.subsystems()?.is_empty() {
            definitions.replace_subsystems(&subsystems::default_subsystems())?;
        }
        let grant = ProxySubsystem {
            proxy: proxy.id,
            subsystem: subsystem.id,
        };
        if definitions
            .proxy_subsystems(Some(proxy.id))?
            .contains(&grant)
        {
            let names = [(&proxy.name).into(), (&subsystem.name).into()];
            return Err(raise(14531, &names).into());
        }
        Ok(definitions.grant_proxy_subsystem(grant)?)
    })
}

/// `sp_revoke_proxy_from_subsystem`
pub(super) fn revoke_subsystem(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let (proxy, subsystem) = proxy_and_subsystem(call, &*definitions)?;
        let grant = ProxySubsystem {
            proxy: proxy.id,
            subsystem: subsystem.id,
        };
        if !definitions
            .proxy_subsystems(Some(proxy.id))?
            .contains(&grant)
        {
            let names = [(&proxy.name).into(), (&subsystem.name).into()];
            return Err(raise(14600, &names).into());
        }
        Ok(definitions.revoke_proxy_subsystem(grant)?)
    })
}

/// `sp_grant_login_to_proxy`
pub(super) fn grant_login(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let proxy = proxy(call, &*definitions)?;
        let grant = principal(call, &*definitions, proxy.id)?;
        let there = definitions
            .proxy_logins(Some(proxy.id))?
            .iter()
            .any(|known| name_key(&known.name) == name_key(&grant.name));
        if there {
            let names = [(&proxy.name).into(), (&grant.name).into()];
            return Err(raise(14531, &names).into());
        }
        Ok(definitions.grant_proxy_login(&grant)?)
    })
}

/// Exactly one kind of principal (14519), known (14520..14522), not sysadmin (14395).
fn principal(call: &Call<'_>, definitions: &dyn DefinitionsRead, proxy: i64) -> Result<ProxyLogin> {
    let login = call.name("@login_name");
    let server = call.name("@fixed_server_role");
    let msdb = call.name("@msdb_role");
    let grant = |sid: Vec<u8>, flags: i32, name: &str| ProxyLogin {
        proxy,
        sid,
        flags,
        name: name.to_owned(),
    };
    match (login, server, msdb) {
        (Some(name), None, None) => {
            let login = definitions
                .login(name)?
                .ok_or_else(|| raise(14520, &[name.into()]))?;
            if is_sysadmin(definitions, &login.name, &login.sid)? {
                return Err(raise(14395, &[name.into()]).into());
            }
            Ok(grant(login.sid, LOGIN, &login.name))
        }
        (None, Some(name), None) => {
            let role = server_role(name).ok_or_else(|| raise(14521, &[name.into()]))?;
            if role == SYSADMIN {
                return Err(raise(14395, &[name.into()]).into());
            }
            Ok(grant(role.as_bytes().to_vec(), SERVER_ROLE, role))
        }
        (None, None, Some(name)) => {
            let role = known_role(definitions, "msdb", name)?
                .ok_or_else(|| raise(14522, &[name.into()]))?;
            Ok(grant(role.as_bytes().to_vec(), MSDB_ROLE, &role))
        }
        _ => Err(raise(14519, &[]).into()),
    }
}

/// `sp_revoke_login_from_proxy`
pub(super) fn revoke_login(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let proxy = proxy(call, &*definitions)?;
        let name = call.name("@name").unwrap_or_default();
        let grant = definitions
            .proxy_logins(Some(proxy.id))?
            .into_iter()
            .find(|grant| name_key(&grant.name) == name_key(name))
            .ok_or_else(|| raise(14523, &[name.into(), (&proxy.name).into()]))?;
        Ok(definitions.revoke_proxy_login(proxy.id, &grant.name)?)
    })
}

/// `sp_enum_login_for_proxy`
pub(super) fn enum_logins(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        let only = named_proxy(call, definitions)?.map(|proxy| proxy.id);
        let names = definitions.proxies()?;
        let wanted = call.name("@name");
        let rows = definitions
            .proxy_logins(only)?
            .into_iter()
            .filter(|grant| wanted.is_none_or(|name| name_key(name) == name_key(&grant.name)))
            .map(|grant| {
                let proxy = names.iter().find(|proxy| proxy.id == grant.proxy);
                let role = MSDB_ROLES
                    .iter()
                    .any(|role| role.eq_ignore_ascii_case(&grant.name));
                vec![
                    int(grant.proxy),
                    proxy.map(|proxy| proxy.name.clone()).into(),
                    Value::Int(grant.flags),
                    Value::string(&*grant.name),
                    Value::Binary(grant.sid),
                    Some(role_id(&grant.name)).filter(|_| role).into(),
                ]
            })
            .collect();
        out.result(ENUM_LOGIN_FOR_PROXY_GRANTS, rows);
        Ok(())
    })
}

/// `sp_enum_proxy_for_subsystem`
pub(super) fn enum_subsystem_proxies(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        let only = named_proxy(call, definitions)?.map(|proxy| proxy.id);
        let subsystem = subsystem(call, definitions)?.map(|subsystem| subsystem.id);
        let proxies = definitions.proxies()?;
        let known = subsystems::known(definitions)?;
        let rows = definitions
            .proxy_subsystems(only)?
            .into_iter()
            .filter(|grant| subsystem.is_none_or(|id| id == grant.subsystem))
            .map(|grant| {
                let subsystem = known.iter().find(|known| known.id == grant.subsystem);
                let proxy = proxies.iter().find(|proxy| proxy.id == grant.proxy);
                vec![
                    int(grant.subsystem),
                    subsystem.map(|known| known.name.clone()).into(),
                    int(grant.proxy),
                    proxy.map(|proxy| proxy.name.clone()).into(),
                ]
            })
            .collect();
        out.result(ENUM_PROXY_FOR_SUBSYSTEM_GRANTS, rows);
        Ok(())
    })
}

/// `sp_enum_sqlagent_subsystems`
pub(super) fn enum_subsystems(
    _call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let rows = store
        .read(subsystems::known)?
        .into_iter()
        .map(|subsystem| {
            let description = subsystem.description_id.and_then(message);
            vec![
                Value::string(subsystem.name),
                description.map(|(_, text)| text).into(),
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                Value::Null,
                subsystem.max_worker_threads.into(),
                int(subsystem.id),
            ]
        })
        .collect();
    out.result(ENUM_SQLAGENT_SUBSYSTEMS_SUBSYSTEMS, rows);
    Ok(())
}
