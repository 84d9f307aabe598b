//! Steps of jobs.

use super::super::support::{Session, n, s};
use super::world::{Errors, Job, Login, Name, Role, Step, World, flag, key, name};
use super::{Act, Given, job, proxy, sorted};
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) enum Op {
    /// At the end without a place.
    Add {
        job: Name,
        at: Option<i32>,
        new: Changes,
    },
    Update {
        job: Name,
        at: i32,
        new: Changes,
    },
    Delete {
        job: Name,
        at: i32,
    },
}

/// What a call says of a step.
#[derive(Debug, Clone)]
pub(super) struct Changes {
    name: Option<Name>,
    subsystem: Option<&'static str>,
    proxy: Option<Name>,
    success: Option<(u8, i32)>,
    database_user: bool,
    retry_attempts: Option<i32>,
    flags: Option<i32>,
}

fn changes(named: f64) -> impl Strategy<Value = Changes> {
    let subsystem = prop_oneof![
        3 => Just("TSQL"),
        4 => Just("cmdexec"),
        1 => Just("Abacus"),
    ];
    (
        option::weighted(named, name()),
        option::weighted(0.5, subsystem),
        option::weighted(0.3, name()),
        option::weighted(0.4, (1u8..6, 0i32..5)),
        prop::bool::weighted(0.1),
        option::weighted(0.1, -1i32..3),
        option::weighted(0.1, prop::sample::select(vec![0, 4, 1, 128])),
    )
        .prop_map(
            |(name, subsystem, proxy, success, database_user, retry_attempts, flags)| Changes {
                name,
                subsystem,
                proxy,
                success,
                database_user,
                retry_attempts,
                flags,
            },
        )
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let place = option::weighted(0.4, 0i32..5);
    prop_oneof![
        5 => (name(), place, changes(0.98)).prop_map(|(job, at, new)| Op::Add { job, at, new }),
        3 => (name(), 0i32..4, changes(0.3)).prop_map(|(job, at, new)| Op::Update { job, at, new }),
        1 => (name(), 0i32..4, flag()).prop_map(|(job, at, all)| Op::Delete {
            job,
            at: if all == 2 { 0 } else { at + 1 },
        }),
    ]
}

impl Changes {
    fn given(&self) -> Vec<(&'static str, tsql::Value)> {
        let mut given = Vec::new();
        given.extend(self.name.map(|name| ("@step_name", name.value())));
        given.extend(self.subsystem.map(|name| ("@subsystem", s(name))));
        given.extend(self.proxy.map(|name| ("@proxy_name", name.value())));
        if let Some((action, step)) = self.success {
            given.push(("@on_success_action", n(action.into())));
            given.push(("@on_success_step_id", n(step)));
        }
        if self.database_user {
            given.push(("@database_user_name", s("guest")));
        }
        given.extend(
            self.retry_attempts
                .map(|tries| ("@retry_attempts", n(tries))),
        );
        given.extend(self.flags.map(|flags| ("@flags", n(flags))));
        given
    }

    /// The step as it will be at place `at` of a job.
    fn applied(
        &self,
        world: &World,
        by: Login,
        job: &Job,
        mut step: Step,
        at: i32,
        errors: &mut Errors,
    ) -> Step {
        if let Some(name) = self.name.filter(|name| !name.blank()) {
            step.name = name.text();
        }
        errors.when(step.name.is_empty(), 14200);
        match self.subsystem {
            None => {}
            Some("TSQL") => step.cmdexec = false,
            Some("cmdexec") => step.cmdexec = true,
            Some(_) => errors.raise(14234),
        }
        if let Some(name) = self.proxy.filter(|name| !name.blank()) {
            let found = proxy::find(world, name);
            errors.when(found.is_none(), 14262);
            step.proxy = found.or(step.proxy);
        }
        if let Some((action, to)) = self.success {
            errors.when(!(1..=4).contains(&action), 14266);
            step.on_success = action;
            step.success_step = if action == 4 { to } else { 0 };
            errors.when(action == 4 && (to < 1 || to == at), 14235);
        }
        step.database_user |= self.database_user;
        errors.when(self.retry_attempts.is_some_and(|tries| tries < 0), 14266);
        let bits = 2 | 4 | 8 | 16 | 32 | 64;
        errors.when(self.flags.is_some_and(|flags| flags & !bits != 0), 14266);
        if step.database_user {
            errors.when(!by.sysadmin(), 14583);
            errors.when(step.cmdexec, 14545);
            errors.when(job.multiserver(), 14542);
        }
        errors.when(!step.cmdexec && step.proxy.is_some(), 14517);
        if step.cmdexec {
            let may = match step.proxy {
                None => by.sysadmin(),
                Some(id) => {
                    let proxy = &world.proxies[&id];
                    let granted = proxy.subsystems.contains("CmdExec")
                        && (by.sysadmin() || proxy::may_use(proxy, by));
                    granted || (by.sysadmin() && job.multiserver())
                }
            };
            errors.when(!may, 14516);
        }
        step
    }
}

impl Act for Op {
    fn call(&self, _world: &World) -> Given {
        match self {
            Self::Add { job, at, new } => {
                let mut given = new.given();
                given.push(("@job_name", job.value()));
                given.extend(at.map(|at| ("@step_id", n(at))));
                ("sp_add_jobstep", given)
            }
            Self::Update { job, at, new } => {
                let mut given = new.given();
                given.extend([("@job_name", job.value()), ("@step_id", n(*at))]);
                ("sp_update_jobstep", given)
            }
            Self::Delete { job, at } => {
                let given = vec![("@job_name", job.value()), ("@step_id", n(*at))];
                ("sp_delete_jobstep", given)
            }
        }
    }

    fn least(&self) -> Role {
        Role::User
    }

    fn apply(&self, world: &mut World, by: Login) -> Errors {
        let mut errors = Errors::default();
        let (Self::Add { job, .. } | Self::Update { job, .. } | Self::Delete { job, .. }) = self;
        let Some(id) = world.changeable_job(by, *job, &mut errors) else {
            // What else is wrong is seen without the job too, but nothing orders the two.
            return errors;
        };
        let mut job = world.jobs[&id].clone();
        match self {
            Self::Add { at, new, .. } => add(world, by, &mut job, *at, new, &mut errors),
            Self::Update { at, new, .. } => {
                let place = usize::try_from(*at - 1).unwrap_or(usize::MAX);
                let Some(step) = job.steps.get(place).cloned() else {
                    errors.raise(14262);
                    return errors;
                };
                let step = new.applied(world, by, &job, step, *at, &mut errors);
                check_name(&job, &step.name, Some(place), &mut errors);
                job.steps[place] = step;
            }
            Self::Delete { at, .. } => delete(&mut job, *at, &mut errors),
        }
        if errors.none() {
            let last = i32::try_from(job.steps.len().max(1)).unwrap();
            if job.start_step > last {
                job.start_step = 1;
            }
            world.jobs.insert(id, job);
        }
        errors
    }
}

fn check_name(job: &Job, name: &str, but: Option<usize>, errors: &mut Errors) {
    let taken = job
        .steps
        .iter()
        .enumerate()
        .any(|(at, step)| Some(at) != but && key(&step.name) == key(name));
    errors.when(taken, 14261);
}

fn add(
    world: &World,
    by: Login,
    job: &mut Job,
    at: Option<i32>,
    new: &Changes,
    errors: &mut Errors,
) {
    let next = i32::try_from(job.steps.len()).unwrap() + 1;
    let at = at.unwrap_or(next);
    errors.when(!(1..=next).contains(&at), 14266);
    let blank = Step {
        name: String::new(),
        cmdexec: false,
        proxy: None,
        database_user: false,
        on_success: 1,
        success_step: 0,
    };
    let step = new.applied(world, by, job, blank, at, errors);
    check_name(job, &step.name, None, errors);
    if errors.none() {
        for other in &mut job.steps {
            if other.on_success == 4 && other.success_step >= at {
                // Only where steps move: a go-to beyond the end stays what it says.
                other.success_step += i32::from(at < next);
            }
        }
        job.steps.insert(usize::try_from(at - 1).unwrap(), step);
    }
}

fn delete(job: &mut Job, at: i32, errors: &mut Errors) {
    if at == 0 {
        job.steps.clear();
        return;
    }
    let place = usize::try_from(at - 1).unwrap_or(usize::MAX);
    if place >= job.steps.len() {
        errors.raise(14262);
        return;
    }
    job.steps.remove(place);
    for step in &mut job.steps {
        if step.on_success == 4 && step.success_step == at {
            step.on_success = 1;
            step.success_step = 0;
        } else if step.on_success == 4 && step.success_step > at {
            step.success_step -= 1;
        }
    }
}

pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let columns = [
        "step_id",
        "step_name",
        "subsystem",
        "on_success_action",
        "on_success_step_id",
        "database_user_name",
        "proxy_id",
    ];
    for name in job::names(session) {
        let answer = session.ok("sp_help_jobstep", &[("@job_name", s(&name))]);
        let rows = super::rows(&answer, &columns);
        lines.extend(rows.into_iter().map(|row| format!("{name}|{row}")));
    }
    sorted(lines)
}

pub(super) fn held(world: &World, by: Login) -> Vec<String> {
    let ids: BTreeMap<u32, String> = world
        .proxies
        .iter()
        .map(|(id, proxy)| (*id, proxy.id.to_string()))
        .collect();
    let mut lines = Vec::new();
    for job in job::visible(world, by) {
        for (at, step) in job.steps.iter().enumerate() {
            lines.push(format!(
                "{}|{}|{}|{}|{}|{}|{}|{}",
                job.name,
                at + 1,
                step.name,
                if step.cmdexec { "CmdExec" } else { "TSQL" },
                step.on_success,
                step.success_step,
                if step.database_user { "guest" } else { "-" },
                step.proxy.map_or("-", |id| ids[&id].as_str()),
            ));
        }
    }
    sorted(lines)
}
