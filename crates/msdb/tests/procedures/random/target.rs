//! Target servers, their groups and the download queue.

use super::super::support::{Session, n, s};
use super::world::{
    About, Errors, Instruction, Login, Name, Role, Server, TARGETS, World, check_new, key, name,
    named, target,
};
use super::{Act, Given, rows, sorted, texts};
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
pub(super) enum Op {
    AddGroup(Name),
    RenameGroup(Name, Name),
    DeleteGroup(Name),
    Join(Name, Server),
    Leave(Name, Server),
    Delete {
        server: Server,
        clear: bool,
        post: bool,
    },
    /// Behind the procedures: a target that is gone enlists.
    Enlist(u8),
    /// All of them without a server.
    Resync(Option<Server>),
    Post {
        operation: &'static str,
        object: &'static str,
        server: Option<Server>,
        seconds: Option<i32>,
    },
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let operation = prop::sample::select(vec![
        "START",
        "INSERT",
        "RE-ENLIST",
        "re-enlist",
        "DEFECT",
        "SYNC-TIME",
        "SET-POLL",
        "DANCE",
    ]);
    let object = prop_oneof![6 => Just("SERVER"), 2 => Just("JOB"), 1 => Just("FLOOR")];
    let seconds = option::weighted(0.5, prop::sample::select(vec![9, 10, 28_800, 28_801]));
    prop_oneof![
        4 => name().prop_map(Op::AddGroup),
        1 => (name(), name()).prop_map(|(name, to)| Op::RenameGroup(name, to)),
        1 => name().prop_map(Op::DeleteGroup),
        5 => (name(), target()).prop_map(|(name, server)| Op::Join(name, server)),
        2 => (name(), target()).prop_map(|(name, server)| Op::Leave(name, server)),
        1 => (target(), any::<bool>(), any::<bool>()).prop_map(|(server, clear, post)| Op::Delete {
            server,
            clear,
            post,
        }),
        1 => (0..TARGETS).prop_map(Op::Enlist),
        1 => option::weighted(0.7, target()).prop_map(Op::Resync),
        3 => (operation, object, option::weighted(0.6, target()), seconds).prop_map(
            |(operation, object, server, seconds)| Op::Post {
                operation,
                object,
                server,
                seconds,
            }
        ),
    ]
}

/// A group with a name.
pub(super) fn group<'w>(world: &'w World, name: &str) -> Option<(u32, &'w BTreeSet<Server>)> {
    let called = |(_, (known, _)): &(&u32, &(String, BTreeSet<Server>))| key(known) == key(name);
    world
        .groups
        .iter()
        .find(called)
        .map(|(id, (_, members))| (*id, members))
}

impl Act for Op {
    fn call(&self, _world: &World) -> Given {
        match self {
            Self::AddGroup(name) => ("sp_add_targetservergroup", vec![("@name", name.value())]),
            Self::RenameGroup(name, to) => {
                let given = vec![("@name", name.value()), ("@new_name", to.value())];
                ("sp_update_targetservergroup", given)
            }
            Self::DeleteGroup(name) => {
                ("sp_delete_targetservergroup", vec![("@name", name.value())])
            }
            Self::Join(name, server) | Self::Leave(name, server) => {
                let given = vec![
                    ("@group_name", name.value()),
                    ("@server_name", s(&server.given())),
                ];
                if matches!(self, Self::Join(..)) {
                    ("sp_add_targetsvrgrp_member", given)
                } else {
                    ("sp_delete_targetsvrgrp_member", given)
                }
            }
            Self::Delete {
                server,
                clear,
                post,
            } => {
                let given = vec![
                    ("@server_name", s(&server.given())),
                    ("@clear_downloadlist", n((*clear).into())),
                    ("@post_defection", n((*post).into())),
                ];
                ("sp_delete_targetserver", given)
            }
            Self::Enlist(at) => (ENLISTMENTS[usize::from(*at)], Vec::new()),
            Self::Resync(server) => {
                let name = server.map_or("all".to_owned(), Server::given);
                ("sp_resync_targetserver", vec![("@server_name", s(&name))])
            }
            Self::Post {
                operation,
                object,
                server,
                seconds,
            } => {
                let mut given = vec![("@operation", s(operation)), ("@object_type", s(object))];
                if *object == "JOB" {
                    given.push(("@job_id", tsql::Value::Guid(uuid::Uuid::nil())));
                }
                given.extend(server.map(|at| ("@specific_target_server", s(&at.given()))));
                given.extend(seconds.map(|seconds| ("@value", n(seconds))));
                ("sp_post_msx_operation", given)
            }
        }
    }

    fn least(&self) -> Role {
        // No procedure: whoever is asked for does it.
        if matches!(self, Self::Enlist(_)) {
            Role::User
        } else {
            Role::Sysadmin
        }
    }

    fn apply(&self, world: &mut World, _by: Login) -> Errors {
        let mut errors = Errors::default();
        match self {
            Self::AddGroup(name) => {
                check_group(world, *name, None, &mut errors);
                if errors.none() {
                    let id = world.number();
                    world.groups.insert(id, (name.text(), [].into()));
                }
            }
            Self::RenameGroup(name, to) => {
                let found = named(&world.groups, *name, |known| &known.0, &mut errors);
                let found = found.map(|(id, _)| id);
                check_group(world, *to, found, &mut errors);
                if let Some(id) = found.filter(|_| errors.none()) {
                    world.groups.get_mut(&id).unwrap().0 = to.text();
                }
            }
            Self::DeleteGroup(name) => {
                let found = named(&world.groups, *name, |known| &known.0, &mut errors);
                if let Some(id) = found.map(|(id, _)| id) {
                    world.groups.remove(&id);
                }
            }
            Self::Join(name, server) | Self::Leave(name, server) => {
                let joins = matches!(self, Self::Join(..));
                errors.when(!world.targets.contains(server), 14262);
                let found = named(&world.groups, *name, |known| &known.0, &mut errors);
                let Some(id) = found.map(|(id, _)| id) else {
                    return errors;
                };
                let members = &mut world.groups.get_mut(&id).unwrap().1;
                if joins {
                    errors.when(members.contains(server), 14263);
                } else {
                    errors.when(!members.contains(server), 14264);
                }
                if errors.none() && joins {
                    members.insert(*server);
                } else if errors.none() {
                    members.remove(server);
                }
            }
            Self::Delete {
                server,
                clear,
                post,
            } => {
                errors.when(!world.targets.contains(server), 14262);
                if errors.none() {
                    delete(world, *server, *clear, *post);
                }
            }
            Self::Enlist(at) => {
                world.targets.insert(Server::Target(*at));
            }
            Self::Resync(server) => {
                errors.when(server.is_some_and(|s| !world.targets.contains(&s)), 14262);
                if errors.none() {
                    let all = world.targets.clone();
                    for at in all.into_iter().filter(|at| server.is_none_or(|s| s == *at)) {
                        resync(world, at);
                    }
                }
            }
            Self::Post { .. } => self.post(world, &mut errors),
        }
        errors
    }
}

/// A call's name for a target that enlists.
const ENLISTMENTS: [&str; TARGETS as usize] = ["enlist t0", "enlist t1", "enlist t2"];

fn check_group(world: &World, name: Name, but: Option<u32>, errors: &mut Errors) {
    check_new(
        &world.groups,
        name,
        |known| &known.0,
        Some(','),
        but,
        errors,
    );
}

/// It leaves its jobs and groups at once, and the list when it has been told, or at once.
fn delete(world: &mut World, server: Server, clear: bool, post: bool) {
    if clear || !post {
        world.queue.retain(|row| row.server != server);
    }
    for job in world.jobs.values_mut() {
        job.servers.remove(&server);
    }
    for (_, members) in world.groups.values_mut() {
        members.remove(&server);
    }
    if post {
        world.post_to_server(server, "DEFECT");
    } else {
        world.targets.remove(&server);
    }
}

/// A new queue: away with all jobs, then each job it is targeted by.
fn resync(world: &mut World, server: Server) {
    world.queue.retain(|row| row.server != server);
    push_all(world, server, "DELETE");
    each_job(world, server, "INSERT");
}

fn push_all(world: &mut World, server: Server, operation: &'static str) {
    world.queue.push(Instruction {
        server,
        operation,
        about: Some(About::AllJobs),
    });
}

fn each_job(world: &mut World, server: Server, operation: &'static str) {
    let jobs: Vec<u32> = world
        .jobs
        .iter()
        .filter(|(_, job)| job.servers.contains(&server))
        .map(|(id, _)| *id)
        .collect();
    for job in jobs {
        world.post_to(server, job, operation);
    }
}

impl Op {
    fn post(&self, world: &mut World, errors: &mut Errors) {
        let Self::Post {
            operation,
            object,
            server,
            seconds,
        } = self
        else {
            return;
        };
        let known: &[&'static str] = match *object {
            "SERVER" => &["RE-ENLIST", "DEFECT", "SYNC-TIME", "SET-POLL"],
            "JOB" => &["START", "INSERT"],
            _ => &[],
        };
        let word = known
            .iter()
            .find(|known| **known == operation.to_uppercase());
        errors.when(word.is_none(), 14266);
        let in_range = seconds.is_some_and(|seconds| (10..=28_800).contains(&seconds));
        errors.when(*operation == "SET-POLL" && !in_range, 14266);
        errors.when(server.is_some_and(|at| !world.targets.contains(&at)), 14262);
        let Some(word) = word.filter(|_| errors.none()) else {
            return;
        };
        let to: Vec<Server> = match server {
            Some(at) => vec![*at],
            None => world.targets.iter().copied().collect(),
        };
        for at in to {
            if *object == "JOB" {
                each_job(world, at, word);
            } else {
                world.post_to_server(at, word);
            }
        }
    }
}

pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    let answer = session.ok("sp_help_targetserver", &[]);
    rows(&answer, &["server_name", "unread_instructions"])
}

pub(super) fn held(world: &World) -> Vec<String> {
    sorted(world.targets.iter().map(|at| {
        let unread = world.queue.iter().filter(|row| row.server == *at).count();
        format!("{}|{unread}", at.shown())
    }))
}

pub(super) fn seen_groups(session: &mut Session<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for name in texts(&session.ok("sp_help_targetservergroup", &[]), "name") {
        let answer = session.ok("sp_help_targetservergroup", &[("@name", s(&name))]);
        let members = rows(&answer, &["server_name"]);
        lines.push(format!("{name}: {}", members.join(" ")));
    }
    sorted(lines)
}

pub(super) fn held_groups(world: &World) -> Vec<String> {
    sorted(world.groups.values().map(|(name, members)| {
        let members: Vec<String> = members.iter().map(|at| at.shown()).collect();
        format!("{name}: {}", members.join(" "))
    }))
}

/// Each target's instructions in their order; which target is told first is no one's business.
pub(super) fn seen_queue(session: &mut Session<'_>) -> Vec<String> {
    let answer = session.ok("sp_help_downloadlist", &[]);
    let (operations, targets) = (
        texts(&answer, "operation_code"),
        texts(&answer, "target_server"),
    );
    let names = texts(&answer, "object_name");
    let mut lines: Vec<(String, String)> = operations
        .iter()
        .zip(names)
        .zip(targets)
        .map(|((operation, name), target)| {
            let word = operation.split(['(', ')']).nth(1).unwrap();
            (target, format!("{word}|{name}"))
        })
        .collect();
    // The sort is stable.
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines
        .into_iter()
        .map(|(at, row)| format!("{at}|{row}"))
        .collect()
}

pub(super) fn held_queue(world: &World) -> Vec<String> {
    let mut queue: Vec<&Instruction> = world.queue.iter().collect();
    queue.sort_by_key(|row| row.server);
    let line = |row: &Instruction| {
        let name = match &row.about {
            None => row.server.given(),
            Some(About::AllJobs) => "(all jobs)".to_owned(),
            Some(About::Job(id, kept)) => {
                let live = world.jobs.get(id).map(|job| job.name.clone());
                live.or_else(|| kept.clone())
                    .unwrap_or_else(|| "-".to_owned())
            }
        };
        format!("{}|{}|{name}", row.server.shown(), row.operation)
    };
    queue.into_iter().map(line).collect()
}
