//! Jobs and where they run.

use super::super::support::{Session, n, s};
use super::world::{
    Errors, FROM_MSX, Job, Login, MAINTENANCE, MULTISERVER, Name, Role, Server, UNCATEGORIZED,
    World, check_new, flag, login, name, target,
};
use super::{Act, Given, category, rows, sorted, target as targets, texts};
use proptest::option;
use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(super) enum Op {
    Add {
        name: Name,
        enabled: u8,
        category: Option<Category>,
        owner: Option<Login>,
        email: Option<Name>,
        level: i32,
    },
    Update {
        name: Name,
        new_name: Option<Name>,
        enabled: Option<u8>,
        category: Option<Category>,
        owner: Option<Login>,
        /// A blank name takes the operator away.
        email: Option<Name>,
        start_step: Option<i32>,
    },
    Delete {
        name: Name,
        unused: bool,
    },
    Start(Name),
    AddServer(Name, Server),
    DeleteServer(Name, Server),
    Apply {
        name: Name,
        servers: Vec<Server>,
        groups: Vec<Name>,
        remove: bool,
    },
}

/// A category of jobs as calls name it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Category {
    Own(Name),
    BuiltIn(u32),
}

fn job_category() -> impl Strategy<Value = Category> {
    prop_oneof![
        3 => name().prop_map(Category::Own),
        1 => prop::sample::select(vec![UNCATEGORIZED, FROM_MSX, MULTISERVER, MAINTENANCE])
            .prop_map(Category::BuiltIn),
    ]
}

impl Category {
    fn text(self, world: &World) -> String {
        match self {
            Self::Own(name) => name.text(),
            Self::BuiltIn(id) => world.categories[&id].name.clone(),
        }
    }

    /// The category: 14234 for none, 14267 for the one of downloaded jobs. A blank name is none given.
    fn find(self, world: &World, errors: &mut Errors) -> Option<u32> {
        let id = match self {
            Self::BuiltIn(id) => Some(id),
            Self::Own(name) if name.blank() => return None,
            Self::Own(name) => category::find(world, super::world::Class::Job, name),
        };
        errors.when(id.is_none(), 14234);
        errors.when(id == Some(FROM_MSX), 14267);
        id
    }
}

fn told() -> impl Strategy<Value = Name> {
    prop_oneof![2 => name(), 1 => Just(Name::MsxOperator)]
}

fn anywhere() -> impl Strategy<Value = Server> {
    prop_oneof![1 => Just(Server::Local), 1 => target()]
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let level = prop_oneof![8 => 0i32..4, 1 => Just(4)];
    prop_oneof![
        6 => (
            name(),
            flag(),
            option::weighted(0.4, job_category()),
            option::weighted(0.3, login()),
            option::weighted(0.3, told()),
            level,
        )
            .prop_map(|(name, enabled, category, owner, email, level)| Op::Add {
                name,
                enabled,
                category,
                owner,
                email,
                level,
            }),
        4 => (
            name(),
            option::weighted(0.3, name()),
            option::weighted(0.4, flag()),
            option::weighted(0.3, job_category()),
            option::weighted(0.2, login()),
            option::weighted(0.2, told()),
            option::weighted(0.1, 0i32..4),
        )
            .prop_map(
                |(name, new_name, enabled, category, owner, email, start_step)| Op::Update {
                    name,
                    new_name,
                    enabled,
                    category,
                    owner,
                    email,
                    start_step,
                }
            ),
        1 => (name(), any::<bool>()).prop_map(|(name, unused)| Op::Delete { name, unused }),
        2 => name().prop_map(Op::Start),
        5 => (name(), anywhere()).prop_map(|(name, server)| Op::AddServer(name, server)),
        2 => (name(), anywhere()).prop_map(|(name, server)| Op::DeleteServer(name, server)),
        2 => (
            name(),
            prop::collection::vec(target(), 0..3),
            prop::collection::vec(name(), 0..2),
            prop::bool::weighted(0.3),
        )
            .prop_map(|(name, servers, groups, remove)| Op::Apply {
                name,
                servers,
                groups,
                remove,
            }),
    ]
}

impl Act for Op {
    fn call(&self, world: &World) -> Given {
        let of = |name: &Name| ("@job_name", name.value());
        match self {
            Self::Add {
                name,
                enabled,
                category,
                owner,
                email,
                level,
            } => {
                let mut given = vec![
                    of(name),
                    ("@enabled", n((*enabled).into())),
                    ("@notify_level_email", n(*level)),
                ];
                given.extend(category.map(|c| ("@category_name", s(&c.text(world)))));
                given.extend(owner.map(|o| ("@owner_login_name", o.value())));
                given.extend(email.map(|e| ("@notify_email_operator_name", e.value())));
                ("sp_add_job", given)
            }
            Self::Update {
                name,
                new_name,
                enabled,
                category,
                owner,
                email,
                start_step,
            } => {
                let mut given = vec![of(name)];
                given.extend(new_name.map(|name| ("@new_name", name.value())));
                given.extend(enabled.map(|e| ("@enabled", n(e.into()))));
                given.extend(category.map(|c| ("@category_name", s(&c.text(world)))));
                given.extend(owner.map(|o| ("@owner_login_name", o.value())));
                given.extend(email.map(|e| ("@notify_email_operator_name", e.value())));
                given.extend(start_step.map(|id| ("@start_step_id", n(id))));
                ("sp_update_job", given)
            }
            Self::Delete { name, unused } => {
                let unused = ("@delete_unused_schedule", n((*unused).into()));
                ("sp_delete_job", vec![of(name), unused])
            }
            Self::Start(name) => ("sp_start_job", vec![of(name)]),
            Self::AddServer(name, server) => {
                let server = ("@server_name", s(&server.given()));
                ("sp_add_jobserver", vec![of(name), server])
            }
            Self::DeleteServer(name, server) => {
                let server = ("@server_name", s(&server.given()));
                ("sp_delete_jobserver", vec![of(name), server])
            }
            Self::Apply {
                name,
                servers,
                groups,
                remove,
            } => {
                let list = |names: Vec<String>| s(&names.join(","));
                let mut given = vec![of(name)];
                if !servers.is_empty() {
                    let names = servers.iter().map(|server| server.given()).collect();
                    given.push(("@target_servers", list(names)));
                }
                if !groups.is_empty() {
                    let names = groups.iter().map(|name| name.text()).collect();
                    given.push(("@target_server_groups", list(names)));
                }
                if *remove {
                    return ("sp_remove_job_from_targets", given);
                }
                ("sp_apply_job_to_targets", given)
            }
        }
    }

    fn least(&self) -> Role {
        match self {
            Self::Add { .. }
            | Self::Update { .. }
            | Self::Delete { .. }
            | Self::Start(_)
            | Self::AddServer(..) => Role::User,
            Self::DeleteServer(..) | Self::Apply { .. } => Role::Sysadmin,
        }
    }

    fn apply(&self, world: &mut World, by: Login) -> Errors {
        let mut errors = Errors::default();
        match self {
            Self::Add { .. } => self.add(world, by, &mut errors),
            Self::Update { .. } => self.update(world, by, &mut errors),
            Self::Delete { name, unused } => delete(world, by, *name, *unused, &mut errors),
            Self::Start(name) => start(world, by, *name, &mut errors),
            Self::AddServer(name, server) => add_server(world, by, *name, *server, &mut errors),
            Self::DeleteServer(name, server) => {
                delete_server(world, by, *name, *server, &mut errors);
            }
            Self::Apply {
                name,
                servers,
                groups,
                remove,
            } => {
                let job = world.job(by, *name, 14294, &mut errors);
                errors.when(
                    servers.is_empty() && groups.iter().all(|g| g.blank()),
                    14283,
                );
                let named = listed(world, servers, groups, &mut errors);
                let Some(job) = job else { return errors };
                for server in named {
                    let there = world.jobs[&job].servers.contains(&server);
                    if there == *remove && errors.none() {
                        if *remove {
                            take_away(world, job, server);
                        } else {
                            send(world, job, server, &mut errors);
                        }
                    }
                }
            }
        }
        errors
    }
}

impl Op {
    fn add(&self, world: &mut World, by: Login, errors: &mut Errors) {
        let Self::Add {
            name,
            enabled,
            category,
            owner,
            email,
            level,
        } = self
        else {
            return;
        };
        check_new(&world.jobs, *name, |job| &job.name, Some('%'), None, errors);
        errors.when(*enabled > 1, 14266);
        errors.when(*level > 3, 14266);
        let category = category
            .and_then(|category| category.find(world, errors))
            .unwrap_or(UNCATEGORIZED);
        if let Some(owner) = owner {
            errors.when(*owner == Login::Nobody, 14234);
            errors.when(!by.sysadmin() && *owner != by, 14515);
        }
        let email_operator = email.and_then(|name| notified(world, name, errors));
        if errors.none() {
            let job = Job {
                name: name.text(),
                enabled: *enabled == 1,
                owner: owner.unwrap_or(by),
                category,
                email_operator,
                email_level: *level,
                start_step: 1,
                steps: Vec::new(),
                schedules: [].into(),
                servers: [].into(),
            };
            let id = world.number();
            world.jobs.insert(id, job);
        }
    }

    fn update(&self, world: &mut World, by: Login, errors: &mut Errors) {
        let Self::Update {
            name,
            new_name,
            enabled,
            category,
            owner,
            email,
            start_step,
        } = self
        else {
            return;
        };
        let new_name = new_name.filter(|name| !name.blank());
        let found = world.job(by, *name, 14294, errors);
        let mut changed = found.map(|id| world.jobs[&id].clone());
        let job = found.map(|id| &world.jobs[&id]);
        let multiserver = job.is_some_and(Job::multiserver);
        let switches = enabled.is_some()
            && new_name.is_none()
            && category.is_none_or(|c| matches!(c, Category::Own(name) if name.blank()))
            && owner.is_none()
            && email.is_none()
            && start_step.is_none();
        if let Some(job) = job {
            if !(switches && by.role() == Role::Operator && !multiserver) {
                world.check_may_change(by, job, errors);
            }
            let steps = i32::try_from(job.steps.len().max(1)).unwrap();
            errors.when(start_step.is_some_and(|id| id < 1 || id > steps), 14266);
        }
        if let Some(name) = new_name {
            check_new(&world.jobs, name, |job| &job.name, Some('%'), found, errors);
        }
        errors.when(enabled.is_some_and(|enabled| enabled > 1), 14266);
        if let Some(id) = category.and_then(|category| category.find(world, errors)) {
            let fits = world.categories[&id].multiserver == multiserver;
            if let Some(job) = job
                && !fits
                && !job.servers.is_empty()
            {
                errors.raise(if multiserver { 14286 } else { 14285 });
            }
            changed.iter_mut().for_each(|job| job.category = id);
        }
        if let Some(owner) = owner {
            errors.when(!by.sysadmin(), 14242);
            errors.when(*owner == Login::Nobody, 14234);
            errors.when(multiserver && !owner.sysadmin(), 14544);
            changed.iter_mut().for_each(|job| job.owner = *owner);
        }
        if let Some(name) = email {
            let operator = notified(world, *name, errors);
            changed
                .iter_mut()
                .for_each(|job| job.email_operator = operator);
        }
        let (Some(id), Some(mut job)) = (found, changed) else {
            return;
        };
        errors.when(multiserver && tells_another(world, &job), 14221);
        if errors.none() {
            if let Some(name) = new_name {
                job.name = name.text();
            }
            job.enabled = enabled.map_or(job.enabled, |enabled| enabled == 1);
            job.start_step = start_step.unwrap_or(job.start_step);
            world.jobs.insert(id, job);
            world.post(id, "UPDATE");
        }
    }
}

/// The operator to be told: 14234 for one that is unknown; a blank name is no one.
fn notified(world: &World, name: Name, errors: &mut Errors) -> Option<u32> {
    let found = world
        .operators
        .iter()
        .find(|(_, operator)| name.is(&operator.name));
    errors.when(found.is_none() && !name.blank(), 14234);
    found.map(|(id, _)| *id)
}

/// Whether a job tells another operator than MSXOperator.
fn tells_another(world: &World, job: &Job) -> bool {
    job.email_operator
        .is_some_and(|id| !Name::MsxOperator.is(&world.operators[&id].name))
}

fn delete(world: &mut World, by: Login, name: Name, unused: bool, errors: &mut Errors) {
    let Some(id) = world.job(by, name, 14279, errors) else {
        return;
    };
    world.check_may_change(by, &world.jobs[&id], errors);
    if errors.none() {
        world.post(id, "DELETE");
        let gone = world.jobs.remove(&id).unwrap();
        if unused {
            world.drop_unused(gone.schedules);
        }
        for alert in world.alerts.values_mut() {
            alert.job = alert.job.filter(|job| *job != id);
        }
    }
}

fn start(world: &mut World, by: Login, name: Name, errors: &mut Errors) {
    let Some(id) = world.job(by, name, 14294, errors) else {
        return;
    };
    let job = &world.jobs[&id];
    errors.when(job.multiserver() && !by.sysadmin(), 14397);
    let may = job.owner == by || by.role() >= Role::Operator;
    errors.when(!may && !job.multiserver(), 14393);
    errors.when(job.servers.is_empty(), 14256);
    errors.when(job.steps.is_empty(), 14528);
    if errors.none() {
        world.post(id, "START");
    }
}

fn add_server(world: &mut World, by: Login, name: Name, server: Server, errors: &mut Errors) {
    let id = world.job(by, name, 14294, errors);
    if server != Server::Local {
        errors.when(!by.sysadmin(), 14398);
        errors.when(!world.targets.contains(&server), 14262);
    }
    let Some(id) = id else { return };
    let job = &world.jobs[&id];
    errors.when(job.servers.contains(&server), 14269);
    if server == Server::Local {
        world.check_may_change(by, job, errors);
        errors.when(job.multiserver(), 14291);
        if errors.none() {
            let job = world.jobs.get_mut(&id).unwrap();
            if world.categories[&job.category].multiserver {
                job.category = UNCATEGORIZED;
            }
            job.servers.insert(server);
        }
    } else {
        send(world, id, server, errors);
    }
}

/// Targets a job at a remote server.
fn send(world: &mut World, id: u32, server: Server, errors: &mut Errors) {
    let job = &world.jobs[&id];
    errors.when(job.servers.contains(&Server::Local), 14290);
    errors.when(!job.owner.sysadmin(), 14544);
    errors.when(tells_another(world, job), 14221);
    errors.when(job.steps.iter().any(|step| step.database_user), 14542);
    if errors.none() {
        let job = world.jobs.get_mut(&id).unwrap();
        if !world.categories[&job.category].multiserver {
            job.category = MULTISERVER;
        }
        job.servers.insert(server);
        world.post_to(server, id, "INSERT");
    }
}

fn delete_server(world: &mut World, by: Login, name: Name, server: Server, errors: &mut Errors) {
    let id = world.job(by, name, 14294, errors);
    let known = server == Server::Local || world.targets.contains(&server);
    errors.when(!known, 14262);
    let Some(id) = id else { return };
    errors.when(!world.jobs[&id].servers.contains(&server), 14270);
    if errors.none() {
        take_away(world, id, server);
    }
}

fn take_away(world: &mut World, id: u32, server: Server) {
    world.jobs.get_mut(&id).unwrap().servers.remove(&server);
    if server != Server::Local {
        world.post_to(server, id, "DELETE");
    }
}

/// The servers of two lists, each once and in the order of their names.
fn listed(world: &World, servers: &[Server], groups: &[Name], errors: &mut Errors) -> Vec<Server> {
    let mut named: std::collections::BTreeSet<Server> = servers.iter().copied().collect();
    errors.when(
        named.iter().any(|server| !world.targets.contains(server)),
        14262,
    );
    for name in groups {
        // A comma ends a name in a list.
        for part in name
            .text()
            .split(',')
            .filter(|part| !part.trim().is_empty())
        {
            match targets::group(world, part) {
                Some((_, members)) => named.extend(members),
                None => errors.raise(14262),
            }
        }
    }
    named.into_iter().collect()
}

pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    rows(
        &session.ok("sp_help_job", &[]),
        &[
            "name",
            "enabled",
            "owner",
            "category",
            "notify_level_email",
            "notify_email_operator",
            "start_step_id",
            "has_step",
            "has_schedule",
            "has_target",
            "type",
        ],
    )
}

pub(super) fn held(world: &World, by: Login) -> Vec<String> {
    sorted(visible(world, by).map(|job| {
        let kind = match (job.servers.is_empty(), job.multiserver()) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        };
        let operator = job
            .email_operator
            .map_or("(unknown)", |id| &world.operators[&id].name);
        format!(
            "{}|{}|{}|{}|{}|{operator}|{}|{}|{}|{}|{kind}",
            job.name,
            i32::from(job.enabled),
            job.owner.name(),
            world.categories[&job.category].name,
            job.email_level,
            job.start_step,
            job.steps.len(),
            job.schedules.len(),
            job.servers.len(),
        )
    }))
}

/// Jobs that a caller sees.
pub(super) fn visible(world: &World, by: Login) -> impl Iterator<Item = &Job> {
    world.jobs.values().filter(move |job| world.sees(by, job))
}

/// Names of the jobs that a session sees.
pub(super) fn names(session: &mut Session<'_>) -> Vec<String> {
    texts(&session.ok("sp_help_job", &[]), "name")
}

pub(super) fn seen_servers(session: &mut Session<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for name in names(session) {
        let answer = session.ok("sp_help_jobserver", &[("@job_name", s(&name))]);
        let servers = texts(&answer, "server_name");
        lines.extend(servers.into_iter().map(|server| format!("{name}|{server}")));
    }
    sorted(lines)
}

pub(super) fn held_servers(world: &World, by: Login) -> Vec<String> {
    let line = |job: &Job, server: &Server| format!("{}|{}", job.name, server.shown());
    sorted(visible(world, by).flat_map(|job| job.servers.iter().map(move |at| line(job, at))))
}
