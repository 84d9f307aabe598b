//! Proxies, the subsystems they are for and the principals that may use them.

use super::super::support::{Answer, Session, n, s};
use super::world::{Errors, Login, Name, Proxy, Role, World, flag, key, name};
use super::{Act, Given, rows, sorted};
use proptest::option;
use proptest::prelude::*;

/// Credentials of the instance.
pub(super) const CREDENTIALS: &[&str] = &["cred", "spare"];
/// A server role and its one member among the callers.
pub(super) const SERVER_ROLE: &str = "setupadmin";
pub(super) const IN_SERVER_ROLE: &str = "visitor";

#[derive(Debug, Clone)]
pub(super) enum Op {
    Add {
        name: Name,
        enabled: u8,
        credential: Option<&'static str>,
    },
    Update {
        name: Name,
        new_name: Option<Name>,
        enabled: Option<u8>,
        credential: Option<&'static str>,
    },
    Delete(Name),
    Grant(Name, Option<&'static str>),
    Revoke(Name, Option<&'static str>),
    GrantLogin(Name, Principal),
    RevokeLogin(Name, &'static str),
}

/// Whom a grant is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Principal {
    Login(&'static str),
    ServerRole(&'static str),
    MsdbRole(&'static str),
    LoginAndRole,
    None,
}

fn principal() -> impl Strategy<Value = Principal> {
    prop_oneof![
        4 => prop::sample::select(vec!["user", "visitor", "nobody", "sa", "boss"])
            .prop_map(Principal::Login),
        3 => prop::sample::select(vec![SERVER_ROLE, "sysadmin", "dustadmin"])
            .prop_map(Principal::ServerRole),
        3 => prop::sample::select(vec!["SQLAgentUserRole", "SQLAgentOperatorRole", "DustRole"])
            .prop_map(Principal::MsdbRole),
        1 => Just(Principal::LoginAndRole),
        1 => Just(Principal::None),
    ]
}

fn credential() -> impl Strategy<Value = &'static str> {
    prop_oneof![4 => Just("cred"), 2 => Just("SPARE"), 1 => Just("lost")]
}

fn subsystem() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        Some("CmdExec"),
        Some("cmdexec"),
        Some("PowerShell"),
        Some("TSQL"),
        Some("Abacus"),
        None,
    ])
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let grantee = prop::sample::select(vec![
        "user",
        "VISITOR",
        SERVER_ROLE,
        "SQLAgentUserRole",
        "sqlagentoperatorrole",
        "nobody",
    ]);
    prop_oneof![
        4 => (name(), flag(), option::weighted(0.95, credential())).prop_map(
            |(name, enabled, credential)| Op::Add {
                name,
                enabled,
                credential,
            }
        ),
        2 => (
            name(),
            option::weighted(0.4, name()),
            option::weighted(0.4, flag()),
            option::weighted(0.4, credential()),
        )
            .prop_map(|(name, new_name, enabled, credential)| Op::Update {
                name,
                new_name,
                enabled,
                credential,
            }),
        1 => name().prop_map(Op::Delete),
        4 => (name(), subsystem()).prop_map(|(name, of)| Op::Grant(name, of)),
        2 => (name(), subsystem()).prop_map(|(name, of)| Op::Revoke(name, of)),
        4 => (name(), principal()).prop_map(|(name, to)| Op::GrantLogin(name, to)),
        2 => (name(), grantee).prop_map(|(name, from)| Op::RevokeLogin(name, from)),
    ]
}

/// The proxy of a name.
pub(super) fn find(world: &World, name: Name) -> Option<u32> {
    world
        .proxies
        .iter()
        .find(|(_, proxy)| name.is(&proxy.name))
        .map(|(id, _)| *id)
}

/// The proxy a call must name: 14524 for a blank name, 14262 for none.
fn needed(world: &World, name: Name, errors: &mut Errors) -> Option<u32> {
    if name.blank() {
        errors.raise(14524);
        return None;
    }
    let found = find(world, name);
    errors.when(found.is_none(), 14262);
    found
}

/// Whether a login that is no sysadmin may use a proxy: by name, by a server role or by a role of msdb.
pub(super) fn may_use(proxy: &Proxy, by: Login) -> bool {
    proxy.principals.iter().any(|(name, flags)| match flags {
        0 => key(name) == key(by.name()),
        1 => name == SERVER_ROLE && by.name() == IN_SERVER_ROLE,
        // Grants to a lower role reach the higher ones.
        _ => name == "SQLAgentUserRole" || by.role() >= Role::Operator,
    })
}

fn known_credential(name: Option<&str>, errors: &mut Errors) -> Option<&'static str> {
    let found = CREDENTIALS
        .iter()
        .copied()
        .find(|known| name.is_some_and(|name| key(name) == *known));
    errors.when(name.is_some() && found.is_none(), 14262);
    found
}

impl Act for Op {
    fn call(&self, _world: &World) -> Given {
        let of = |name: &Name| ("@proxy_name", name.value());
        match self {
            Self::Add {
                name,
                enabled,
                credential,
            } => {
                let mut given = vec![of(name), ("@enabled", n((*enabled).into()))];
                given.extend(credential.map(|name| ("@credential_name", s(name))));
                ("sp_add_proxy", given)
            }
            Self::Update {
                name,
                new_name,
                enabled,
                credential,
            } => {
                let mut given = vec![of(name)];
                given.extend(new_name.map(|name| ("@new_name", name.value())));
                given.extend(enabled.map(|e| ("@enabled", n(e.into()))));
                given.extend(credential.map(|name| ("@credential_name", s(name))));
                ("sp_update_proxy", given)
            }
            Self::Delete(name) => ("sp_delete_proxy", vec![of(name)]),
            Self::Grant(name, subsystem) | Self::Revoke(name, subsystem) => {
                let mut given = vec![of(name)];
                given.extend(subsystem.map(|name| ("@subsystem_name", s(name))));
                if matches!(self, Self::Grant(..)) {
                    ("sp_grant_proxy_to_subsystem", given)
                } else {
                    ("sp_revoke_proxy_from_subsystem", given)
                }
            }
            Self::GrantLogin(name, to) => {
                let mut given = vec![of(name)];
                match to {
                    Principal::Login(name) => given.push(("@login_name", s(name))),
                    Principal::ServerRole(name) => given.push(("@fixed_server_role", s(name))),
                    Principal::MsdbRole(name) => given.push(("@msdb_role", s(name))),
                    Principal::LoginAndRole => given.extend([
                        ("@login_name", s("user")),
                        ("@msdb_role", s("SQLAgentUserRole")),
                    ]),
                    Principal::None => {}
                }
                ("sp_grant_login_to_proxy", given)
            }
            Self::RevokeLogin(name, from) => {
                let given = vec![of(name), ("@name", s(from))];
                ("sp_revoke_login_from_proxy", given)
            }
        }
    }

    fn least(&self) -> Role {
        Role::Sysadmin
    }

    fn apply(&self, world: &mut World, _by: Login) -> Errors {
        let mut errors = Errors::default();
        match self {
            Self::Add {
                name,
                enabled,
                credential,
            } => {
                errors.when(*enabled > 1, 14266);
                errors.when(credential.is_none(), 14524);
                let credential = known_credential(*credential, &mut errors);
                // Without a name it is called as the identity of its credential.
                let called = match credential {
                    Some(credential) if name.blank() => format!("{credential}-identity"),
                    _ => name.text(),
                };
                let taken = |proxy: &Proxy| key(&proxy.name) == key(&called);
                errors.when(world.proxies.values().any(taken), 14261);
                if let Some(credential) = credential.filter(|_| errors.none()) {
                    let id = world.number();
                    let proxy = Proxy {
                        id: 0,
                        name: called,
                        enabled: *enabled == 1,
                        credential,
                        subsystems: [].into(),
                        principals: [].into(),
                    };
                    world.proxies.insert(id, proxy);
                }
            }
            Self::Update {
                name,
                new_name,
                enabled,
                credential,
            } => {
                let id = needed(world, *name, &mut errors);
                let new_name = new_name.filter(|name| !name.blank());
                if let Some(to) = new_name {
                    let taken = find(world, to);
                    errors.when(taken.is_some() && taken != id, 14261);
                }
                errors.when(enabled.is_some_and(|enabled| enabled > 1), 14266);
                let credential = known_credential(*credential, &mut errors);
                if let Some(id) = id.filter(|_| errors.none()) {
                    let proxy = world.proxies.get_mut(&id).unwrap();
                    if let Some(to) = new_name {
                        proxy.name = to.text();
                    }
                    proxy.enabled = enabled.map_or(proxy.enabled, |enabled| enabled == 1);
                    proxy.credential = credential.unwrap_or(proxy.credential);
                }
            }
            Self::Delete(name) => {
                let Some(id) = needed(world, *name, &mut errors) else {
                    return errors;
                };
                let mut steps = world.jobs.values().flat_map(|job| &job.steps);
                errors.when(steps.any(|step| step.proxy == Some(id)), 14518);
                if errors.none() {
                    world.proxies.remove(&id);
                }
            }
            Self::Grant(name, of) | Self::Revoke(name, of) => {
                let granting = matches!(self, Self::Grant(..));
                let id = needed(world, *name, &mut errors);
                let subsystem = subsystem_of(*of, &mut errors);
                let (Some(id), Some(subsystem)) = (id, subsystem) else {
                    return errors;
                };
                let granted = &mut world.proxies.get_mut(&id).unwrap().subsystems;
                if granting {
                    errors.when(granted.contains(subsystem), 14531);
                } else {
                    errors.when(!granted.contains(subsystem), 14600);
                }
                if errors.none() && granting {
                    granted.insert(subsystem);
                } else if errors.none() {
                    granted.remove(subsystem);
                }
            }
            Self::GrantLogin(name, to) => {
                let id = needed(world, *name, &mut errors);
                let (to, flags) = grantee(*to, &mut errors);
                let Some(id) = id else { return errors };
                let principals = &mut world.proxies.get_mut(&id).unwrap().principals;
                errors.when(principals.contains_key(to), 14531);
                if errors.none() {
                    principals.insert(to.to_owned(), flags);
                }
            }
            Self::RevokeLogin(name, from) => {
                let Some(id) = needed(world, *name, &mut errors) else {
                    return errors;
                };
                let principals = &mut world.proxies.get_mut(&id).unwrap().principals;
                let before = principals.len();
                principals.retain(|name, _| key(name) != key(from));
                errors.when(principals.len() == before, 14523);
            }
        }
        errors
    }

    fn learn(&self, world: &mut World, answer: &Answer) {
        if let Self::Add { .. } = self {
            let id = answer.values["@proxy_id"].as_i64().unwrap();
            let newest = world.proxies.values_mut().next_back().unwrap();
            newest.id = i32::try_from(id).unwrap();
        }
    }
}

fn subsystem_of(name: Option<&str>, errors: &mut Errors) -> Option<&'static str> {
    match name {
        None => errors.raise(14524),
        Some("TSQL") => errors.raise(14530),
        Some("CmdExec" | "cmdexec") => return Some("CmdExec"),
        Some("PowerShell") => return Some("PowerShell"),
        Some(_) => errors.raise(14262),
    }
    None
}

/// The principal with its flag: 14519, 14520, 14521, 14522, 14395.
fn grantee(to: Principal, errors: &mut Errors) -> (&'static str, i32) {
    match to {
        Principal::Login(name) => {
            errors.when(name == "nobody", 14520);
            errors.when(name == "sa" || name == "boss", 14395);
            (name, 0)
        }
        Principal::ServerRole(name) => {
            errors.when(name == "dustadmin", 14521);
            errors.when(name == "sysadmin", 14395);
            (name, 1)
        }
        Principal::MsdbRole(name) => {
            errors.when(name == "DustRole", 14522);
            (name, 2)
        }
        Principal::LoginAndRole | Principal::None => {
            errors.raise(14519);
            ("", 0)
        }
    }
}

pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    let columns = ["proxy_id", "name", "credential_identity", "enabled"];
    rows(&session.ok("sp_help_proxy", &[]), &columns)
}

pub(super) fn held(world: &World) -> Vec<String> {
    sorted(world.proxies.values().map(|proxy| {
        format!(
            "{}|{}|{}-identity|{}",
            proxy.id,
            proxy.name,
            proxy.credential,
            i32::from(proxy.enabled)
        )
    }))
}

pub(super) fn seen_logins(session: &mut Session<'_>) -> Vec<String> {
    let answer = session.ok("sp_enum_login_for_proxy", &[]);
    rows(&answer, &["proxy_name", "flags", "name"])
}

pub(super) fn held_logins(world: &World) -> Vec<String> {
    let of = |proxy: &Proxy| -> Vec<String> {
        let line = |(name, flags): (&String, &i32)| format!("{}|{flags}|{name}", proxy.name);
        proxy.principals.iter().map(line).collect()
    };
    sorted(world.proxies.values().flat_map(of))
}

pub(super) fn seen_grants(session: &mut Session<'_>) -> Vec<String> {
    let answer = session.ok("sp_enum_proxy_for_subsystem", &[]);
    rows(&answer, &["subsystem_name", "proxy_name"])
}

pub(super) fn held_grants(world: &World) -> Vec<String> {
    let of = |proxy: &Proxy| -> Vec<String> {
        let line = |name: &&'static str| format!("{name}|{}", proxy.name);
        proxy.subsystems.iter().map(line).collect()
    };
    sorted(world.proxies.values().flat_map(of))
}
