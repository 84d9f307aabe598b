//! Schedules, shared and attached.

use super::super::support::{Answer, Session, n, s};
use super::world::{Errors, Login, Name, Role, Schedule, World, flag, login, name};
use super::{Act, Given, job, rows, sorted};
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// `freq_type`, `freq_interval`, `freq_recurrence_factor`, and the number they raise.
type Frequency = (i32, i32, i32, Option<i32>);

/// Valid ones and one for each rule of the sheet's table.
const FREQUENCIES: &[Frequency] = &[
    (1, 0, 0, None),
    (4, 1, 0, None),
    (4, 7, 0, None),
    (8, 127, 2, None),
    (16, 31, 1, None),
    (64, 0, 0, None),
    (4, 0, 0, Some(14278)),
    (8, 128, 1, Some(14278)),
    (8, 1, 0, Some(14278)),
    (16, 32, 1, Some(14278)),
    (2, 1, 0, Some(14295)),
    (3, 1, 0, Some(14266)),
];

#[derive(Debug, Clone)]
pub(super) enum Op {
    Add {
        name: Name,
        enabled: u8,
        frequency: Frequency,
        owner: Option<Login>,
    },
    Update {
        of: Reference,
        new_name: Option<Name>,
        enabled: Option<u8>,
        frequency: Option<Frequency>,
        owner: Option<Login>,
    },
    Delete {
        of: Reference,
        force: bool,
    },
    Attach(Name, Reference),
    Detach {
        job: Name,
        of: Reference,
        unused: bool,
    },
    AddToJob {
        job: Name,
        name: Name,
        frequency: Frequency,
    },
    UpdateOfJob {
        job: Name,
        name: Name,
        enabled: Option<u8>,
        frequency: Option<Frequency>,
    },
    DeleteOfJob {
        job: Name,
        name: Name,
        keep: bool,
    },
}

/// How a call says which schedule it means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reference {
    Name(Name),
    /// The one at this place of those that are there, or none.
    Id(u8),
    Both(Name, u8),
    Neither,
}

fn reference() -> impl Strategy<Value = Reference> {
    prop_oneof![
        6 => name().prop_map(Reference::Name),
        6 => (0u8..6).prop_map(Reference::Id),
        1 => (name(), 0u8..6).prop_map(|(name, at)| Reference::Both(name, at)),
        1 => Just(Reference::Neither),
    ]
}

fn frequency() -> impl Strategy<Value = Frequency> {
    let valid: Vec<Frequency> = FREQUENCIES
        .iter()
        .copied()
        .filter(|f| f.3.is_none())
        .collect();
    prop_oneof![
        4 => prop::sample::select(valid),
        1 => prop::sample::select(FREQUENCIES.to_vec()),
    ]
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (name(), flag(), frequency(), option::weighted(0.3, login())).prop_map(
            |(name, enabled, frequency, owner)| Op::Add {
                name,
                enabled,
                frequency,
                owner,
            }
        ),
        2 => (
            reference(),
            option::weighted(0.3, name()),
            option::weighted(0.5, flag()),
            option::weighted(0.4, frequency()),
            option::weighted(0.2, login()),
        )
            .prop_map(|(of, new_name, enabled, frequency, owner)| Op::Update {
                of,
                new_name,
                enabled,
                frequency,
                owner,
            }),
        2 => (reference(), prop::bool::weighted(0.3))
            .prop_map(|(of, force)| Op::Delete { of, force }),
        5 => (name(), reference()).prop_map(|(job, of)| Op::Attach(job, of)),
        3 => (name(), reference(), any::<bool>())
            .prop_map(|(job, of, unused)| Op::Detach { job, of, unused }),
        2 => (name(), name(), frequency()).prop_map(|(job, name, frequency)| Op::AddToJob {
            job,
            name,
            frequency,
        }),
        2 => (
            name(),
            name(),
            option::weighted(0.5, flag()),
            option::weighted(0.5, frequency()),
        )
            .prop_map(|(job, name, enabled, frequency)| Op::UpdateOfJob {
                job,
                name,
                enabled,
                frequency,
            }),
        2 => (name(), name(), any::<bool>())
            .prop_map(|(job, name, keep)| Op::DeleteOfJob { job, name, keep }),
    ]
}

fn timing(frequency: &Frequency) -> Vec<(&'static str, tsql::Value)> {
    vec![
        ("@freq_type", n(frequency.0)),
        ("@freq_interval", n(frequency.1)),
        ("@freq_recurrence_factor", n(frequency.2)),
    ]
}

/// Number of the schedule at a place; one that no schedule has beyond the last.
fn id_at(world: &World, at: u8) -> i32 {
    let mut ids: Vec<i32> = world.schedules.values().map(|known| known.id).collect();
    ids.sort_unstable();
    ids.get(usize::from(at)).copied().unwrap_or(987_654)
}

impl Reference {
    fn given(self, world: &World, name: &'static str) -> Vec<(&'static str, tsql::Value)> {
        let id = |at| ("@schedule_id", n(id_at(world, at)));
        match self {
            Self::Name(of) => vec![(name, of.value())],
            Self::Id(at) => vec![id(at)],
            Self::Both(of, at) => vec![(name, of.value()), id(at)],
            Self::Neither => Vec::new(),
        }
    }

    /// As the instance takes it: a blank name is none.
    fn plain(self) -> Self {
        match self {
            Self::Name(name) if name.blank() => Self::Neither,
            Self::Both(name, at) if name.blank() => Self::Id(at),
            Self::Name(_) | Self::Id(_) | Self::Both(..) | Self::Neither => self,
        }
    }

    /// The schedule meant, among those that the caller sees: 14373, 14262, 14371.
    fn find(self, world: &World, by: Login, errors: &mut Errors) -> Option<u32> {
        let visible = |known: &Schedule| by.role() >= Role::Reader || known.owner == by;
        let matching: Vec<u32> = match self.plain() {
            Self::Both(..) | Self::Neither => {
                errors.raise(14373);
                return None;
            }
            Self::Name(name) => world
                .schedules
                .iter()
                .filter(|(_, known)| name.is(&known.name) && visible(known))
                .map(|(id, _)| *id)
                .collect(),
            Self::Id(at) => world
                .schedules
                .iter()
                .filter(|(_, known)| known.id == id_at(world, at) && visible(known))
                .map(|(id, _)| *id)
                .collect(),
        };
        errors.when(matching.is_empty(), 14262);
        errors.when(matching.len() > 1, 14371);
        matching.first().copied()
    }
}

impl Act for Op {
    fn call(&self, world: &World) -> Given {
        match self {
            Self::Add {
                name,
                enabled,
                frequency,
                owner,
            } => {
                let mut given = timing(frequency);
                given.push(("@schedule_name", name.value()));
                given.push(("@enabled", n((*enabled).into())));
                given.extend(owner.map(|o| ("@owner_login_name", o.value())));
                ("sp_add_schedule", given)
            }
            Self::Update {
                of,
                new_name,
                enabled,
                frequency,
                owner,
            } => {
                let mut given = of.given(world, "@name");
                given.extend(new_name.map(|name| ("@new_name", name.value())));
                given.extend(enabled.map(|e| ("@enabled", n(e.into()))));
                given.extend(frequency.iter().flat_map(timing));
                given.extend(owner.map(|o| ("@owner_login_name", o.value())));
                ("sp_update_schedule", given)
            }
            Self::Delete { of, force } => {
                let mut given = of.given(world, "@schedule_name");
                given.push(("@force_delete", n((*force).into())));
                ("sp_delete_schedule", given)
            }
            Self::Attach(job, of) => {
                let mut given = of.given(world, "@schedule_name");
                given.push(("@job_name", job.value()));
                ("sp_attach_schedule", given)
            }
            Self::Detach { job, of, unused } => {
                let mut given = of.given(world, "@schedule_name");
                given.push(("@job_name", job.value()));
                given.push(("@delete_unused_schedule", n((*unused).into())));
                ("sp_detach_schedule", given)
            }
            Self::AddToJob {
                job,
                name,
                frequency,
            } => {
                let mut given = timing(frequency);
                given.extend([("@job_name", job.value()), ("@name", name.value())]);
                ("sp_add_jobschedule", given)
            }
            Self::UpdateOfJob {
                job,
                name,
                enabled,
                frequency,
            } => {
                let mut given = vec![("@job_name", job.value()), ("@name", name.value())];
                given.extend(enabled.map(|e| ("@enabled", n(e.into()))));
                given.extend(frequency.iter().flat_map(timing));
                ("sp_update_jobschedule", given)
            }
            Self::DeleteOfJob { job, name, keep } => {
                let given = vec![
                    ("@job_name", job.value()),
                    ("@name", name.value()),
                    ("@keep_schedule", n((*keep).into())),
                ];
                ("sp_delete_jobschedule", given)
            }
        }
    }

    fn least(&self) -> Role {
        Role::User
    }

    fn apply(&self, world: &mut World, by: Login) -> Errors {
        let mut errors = Errors::default();
        match self {
            Self::Add {
                name,
                enabled,
                frequency,
                owner,
            } => {
                errors.when(*enabled > 1, 14266);
                if let Some(owner) = owner {
                    errors.when(*owner == Login::Nobody, 14234);
                    errors.when(!by.sysadmin() && *owner != by, 14366);
                }
                add(
                    world,
                    *name,
                    *enabled == 1,
                    frequency,
                    owner.unwrap_or(by),
                    &mut errors,
                );
            }
            Self::Update {
                of,
                new_name,
                enabled,
                frequency,
                owner,
            } => {
                let Some(id) = of.find(world, by, &mut errors) else {
                    return errors;
                };
                let new_name = new_name.filter(|name| !name.blank());
                let switches = new_name.is_none() && frequency.is_none() && owner.is_none();
                if !(switches && by.role() >= Role::Operator) {
                    check_owns(world, by, id, &mut errors);
                }
                if let Some(owner) = owner {
                    errors.when(!by.sysadmin(), 14366);
                    errors.when(*owner == Login::Nobody, 14234);
                }
                let mut schedule = world.schedules[&id].clone();
                schedule.owner = owner.unwrap_or(schedule.owner);
                if let Some(name) = new_name {
                    schedule.name = name.text();
                }
                change(world, id, schedule, *enabled, frequency, &mut errors);
            }
            Self::Delete { of, force } => {
                let Some(id) = of.find(world, by, &mut errors) else {
                    return errors;
                };
                check_owns(world, by, id, &mut errors);
                errors.when(world.is_used(id) && !force, 14372);
                if errors.none() {
                    world.schedules.remove(&id);
                    for job in users(world, id) {
                        world.jobs.get_mut(&job).unwrap().schedules.remove(&id);
                        world.post(job, "INSERT");
                    }
                }
            }
            Self::Attach(job, of) => {
                let job = world.changeable_job(by, *job, &mut errors);
                let id = of.find(world, by, &mut errors);
                let (Some(job), Some(id)) = (job, id) else {
                    return errors;
                };
                let same = world.jobs[&job].owner == world.schedules[&id].owner;
                errors.when(!same && !by.sysadmin(), 14377);
                if errors.none() && world.jobs.get_mut(&job).unwrap().schedules.insert(id) {
                    world.post(job, "INSERT");
                }
            }
            Self::Detach { job, of, unused } => {
                detach(world, by, *job, *of, *unused, &mut errors);
            }
            Self::AddToJob {
                job,
                name,
                frequency,
            } => {
                let job = world.changeable_job(by, *job, &mut errors);
                let owner = job.map_or(by, |job| world.jobs[&job].owner);
                let id = add(world, *name, true, frequency, owner, &mut errors);
                if let (Some(job), Some(id)) = (job, id) {
                    world.jobs.get_mut(&job).unwrap().schedules.insert(id);
                    world.post(job, "INSERT");
                }
            }
            Self::UpdateOfJob {
                job,
                name,
                enabled,
                frequency,
            } => {
                let Some(job) = world.changeable_job(by, *job, &mut errors) else {
                    return errors;
                };
                let Some(id) = attached(world, by, job, *name, 14375, &mut errors) else {
                    return errors;
                };
                check_owns(world, by, id, &mut errors);
                let schedule = world.schedules[&id].clone();
                change(world, id, schedule, *enabled, frequency, &mut errors);
            }
            Self::DeleteOfJob {
                job: name_of_job,
                name,
                keep,
            } => {
                let Some(job) = world.changeable_job(by, *name_of_job, &mut errors) else {
                    return errors;
                };
                let Some(id) = attached(world, by, job, *name, 14376, &mut errors) else {
                    return errors;
                };
                if !keep {
                    errors.when(users(world, id).len() > 1, 14368);
                    check_owns(world, by, id, &mut errors);
                }
                if errors.none() {
                    world.jobs.get_mut(&job).unwrap().schedules.remove(&id);
                    if !keep {
                        world.schedules.remove(&id);
                    }
                    world.post(job, "INSERT");
                }
            }
        }
        errors
    }

    fn learn(&self, world: &mut World, answer: &Answer) {
        if let Self::Add { .. } | Self::AddToJob { .. } = self {
            let id = answer.values["@schedule_id"].as_i64().unwrap();
            let newest = world.schedules.values_mut().next_back().unwrap();
            newest.id = i32::try_from(id).unwrap();
        }
    }
}

fn add(
    world: &mut World,
    name: Name,
    enabled: bool,
    frequency: &Frequency,
    owner: Login,
    errors: &mut Errors,
) -> Option<u32> {
    errors.when(name.blank(), 14200);
    frequency
        .3
        .into_iter()
        .for_each(|number| errors.raise(number));
    if !errors.none() {
        return None;
    }
    let id = world.number();
    let schedule = Schedule {
        id: 0,
        name: name.text(),
        owner,
        enabled,
        frequency: (frequency.0, frequency.1),
    };
    world.schedules.insert(id, schedule);
    Some(id)
}

/// Stores a changed schedule; the jobs that use it go to their targets again.
fn change(
    world: &mut World,
    id: u32,
    mut schedule: Schedule,
    enabled: Option<u8>,
    frequency: &Option<Frequency>,
    errors: &mut Errors,
) {
    errors.when(enabled.is_some_and(|enabled| enabled > 1), 14266);
    if let Some(frequency) = frequency {
        frequency
            .3
            .into_iter()
            .for_each(|number| errors.raise(number));
        schedule.frequency = (frequency.0, frequency.1);
    }
    schedule.enabled = enabled.map_or(schedule.enabled, |enabled| enabled == 1);
    if errors.none() {
        world.schedules.insert(id, schedule);
        for job in users(world, id) {
            world.post(job, "INSERT");
        }
    }
}

fn check_owns(world: &World, by: Login, id: u32, errors: &mut Errors) {
    let mine = world.schedules[&id].owner == by;
    errors.when(!mine && !by.sysadmin(), 14394);
}

fn users(world: &World, id: u32) -> Vec<u32> {
    let uses = |(job, of): (&u32, &super::world::Job)| of.schedules.contains(&id).then_some(*job);
    world.jobs.iter().filter_map(uses).collect()
}

/// The one schedule of a name on a job: 14200, 14262, 14374, and `several`.
fn attached(
    world: &World,
    by: Login,
    job: u32,
    name: Name,
    several: i32,
    errors: &mut Errors,
) -> Option<u32> {
    if name.blank() {
        errors.raise(14200);
        return None;
    }
    let called = |id: &&u32| name.is(&world.schedules[*id].name);
    let found: Vec<u32> = world.jobs[&job]
        .schedules
        .iter()
        .filter(called)
        .copied()
        .collect();
    if found.is_empty() {
        let sees = |known: &Schedule| by.role() >= Role::Reader || known.owner == by;
        let mut known = world.schedules.values();
        let known = known.any(|known| name.is(&known.name) && sees(known));
        errors.raise(if known { 14374 } else { 14262 });
    }
    errors.when(found.len() > 1, several);
    found.first().copied()
}

/// The owner of a job may take a schedule from it without owning that.
fn detach(
    world: &mut World,
    by: Login,
    job: Name,
    of: Reference,
    unused: bool,
    errors: &mut Errors,
) {
    let Some(job) = world.job(by, job, 14294, errors) else {
        return;
    };
    let held = &world.jobs[&job];
    if held.multiserver() {
        errors.when(!by.sysadmin(), 14396);
    } else {
        errors.when(held.owner != by && !by.sysadmin(), 14391);
    }
    let id = match of.plain() {
        Reference::Name(name) => attached(world, by, job, name, 14376, errors),
        Reference::Id(at) => {
            let wanted = id_at(world, at);
            let on_job = |id: &&u32| world.schedules[*id].id == wanted;
            match held.schedules.iter().find(on_job) {
                Some(id) => Some(*id),
                None => {
                    let mut hidden = Errors::default();
                    let known = of.find(world, by, &mut hidden).is_some();
                    errors.raise(if known { 14374 } else { 14262 });
                    None
                }
            }
        }
        Reference::Both(..) | Reference::Neither => {
            errors.raise(14373);
            None
        }
    };
    let Some(id) = id.filter(|_| errors.none()) else {
        return;
    };
    world.jobs.get_mut(&job).unwrap().schedules.remove(&id);
    world.post(job, "INSERT");
    let mine = by.sysadmin() || world.schedules[&id].owner == by;
    if unused && mine {
        world.drop_unused([id].into());
    }
}

const COLUMNS: &[&str] = &[
    "schedule_id",
    "schedule_name",
    "enabled",
    "freq_type",
    "freq_interval",
    "job_count",
];

fn line(world: &World, id: u32) -> String {
    let schedule = &world.schedules[&id];
    format!(
        "{}|{}|{}|{}|{}|{}",
        schedule.id,
        schedule.name,
        i32::from(schedule.enabled),
        schedule.frequency.0,
        schedule.frequency.1,
        users(world, id).len(),
    )
}

pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    rows(&session.ok("sp_help_schedule", &[]), COLUMNS)
}

pub(super) fn held(world: &World, by: Login) -> Vec<String> {
    let visible: BTreeMap<u32, &Schedule> = world
        .schedules
        .iter()
        .filter(|(_, known)| by.role() >= Role::Reader || known.owner == by)
        .map(|(id, known)| (*id, known))
        .collect();
    sorted(visible.into_keys().map(|id| line(world, id)))
}

pub(super) fn seen_attached(session: &mut Session<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for name in job::names(session) {
        let answer = session.ok("sp_help_jobschedule", &[("@job_name", s(&name))]);
        let rows = rows(&answer, COLUMNS);
        lines.extend(rows.into_iter().map(|row| format!("{name}|{row}")));
    }
    sorted(lines)
}

pub(super) fn held_attached(world: &World, by: Login) -> Vec<String> {
    let mut lines = Vec::new();
    for job in job::visible(world, by) {
        for id in &job.schedules {
            lines.push(format!("{}|{}", job.name, line(world, *id)));
        }
    }
    sorted(lines)
}
