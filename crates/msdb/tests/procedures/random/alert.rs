//! Alerts and what they wait for.

use super::super::support::{Session, n, s};
use super::world::{
    Alert, Class, Condition, Errors, Login, Name, OF_ALERTS, Role, World, check_new, flag, key,
    name, named,
};
use super::{Act, Given, category, rows, sorted};
use proptest::option;
use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(super) enum Op {
    Add(Name, Changes),
    Update {
        name: Name,
        new_name: Option<Name>,
        changes: Changes,
        occurrences: Option<i32>,
    },
    Delete(Name),
}

/// What a call says of an alert.
#[derive(Debug, Clone)]
pub(super) struct Changes {
    enabled: Option<u8>,
    message: Option<i32>,
    severity: Option<i32>,
    database: Option<&'static str>,
    performance: Option<&'static str>,
    /// A blank name takes the job away.
    job: Option<Name>,
    category: Option<Name>,
}

const CONDITIONS: &[&str] = &[
    "SQLAgent:Jobs|Active jobs|_Total|>|5",
    "SQLAgent:Jobs|Failed jobs||=|1.5",
    "SQLAgent:Jobs|Active jobs|_Total|!|5",
    "SQLAgent:Jobs|Active jobs|>|5",
];
const VALID_CONDITIONS: usize = 2;

/// A condition, mostly of one kind.
fn condition() -> impl Strategy<Value = (Option<i32>, Option<i32>, Option<&'static str>)> {
    let message = prop::sample::select(vec![50_001, 50_002, 823]);
    let severity = 16i32..19;
    let text = prop::sample::select(CONDITIONS.to_vec());
    prop_oneof![
        4 => message.clone().prop_map(|id| (Some(id), None, None)),
        4 => severity.clone().prop_map(|level| (None, Some(level), None)),
        3 => text.clone().prop_map(|text| (None, None, Some(text))),
        1 => prop::sample::select(vec![-1, 26]).prop_map(|level| (None, Some(level), None)),
        1 => (message.clone(), severity).prop_map(|(id, level)| (Some(id), Some(level), None)),
        1 => (message, text).prop_map(|(id, text)| (Some(id), None, Some(text))),
        1 => Just((None, None, None)),
    ]
}

fn changes(conditioned: f64) -> impl Strategy<Value = Changes> {
    (
        option::weighted(0.4, flag()),
        option::weighted(conditioned, condition()),
        option::weighted(0.3, prop::sample::select(vec!["msdb", "master", "MASTER"])),
        option::weighted(0.4, name()),
        option::weighted(0.3, name()),
    )
        .prop_map(|(enabled, condition, database, job, category)| {
            let (message, severity, performance) = condition.unwrap_or_default();
            Changes {
                enabled,
                message,
                severity,
                database,
                performance,
                job,
                category,
            }
        })
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let occurrences = option::weighted(0.1, 0i32..2);
    prop_oneof![
        5 => (name(), changes(0.98)).prop_map(|(name, changes)| Op::Add(name, changes)),
        3 => (name(), option::weighted(0.3, name()), changes(0.4), occurrences).prop_map(
            |(name, new_name, changes, occurrences)| Op::Update {
                name,
                new_name,
                changes,
                occurrences,
            }
        ),
        1 => name().prop_map(Op::Delete),
    ]
}

impl Changes {
    fn given(&self) -> Vec<(&'static str, tsql::Value)> {
        let mut given = Vec::new();
        given.extend(self.enabled.map(|e| ("@enabled", n(e.into()))));
        given.extend(self.message.map(|id| ("@message_id", n(id))));
        given.extend(self.severity.map(|level| ("@severity", n(level))));
        given.extend(self.database.map(|name| ("@database_name", s(name))));
        given.extend(
            self.performance
                .map(|text| ("@performance_condition", s(text))),
        );
        given.extend(self.job.map(|name| ("@job_name", name.value())));
        given.extend(self.category.map(|name| ("@category_name", name.value())));
        given
    }

    fn apply(&self, world: &World, by: Login, alert: &mut Alert, errors: &mut Errors) {
        if let Some(enabled) = self.enabled {
            errors.when(enabled > 1, 14266);
            alert.enabled = enabled == 1;
        }
        let condition = &mut alert.condition;
        condition.message = self.message.unwrap_or(condition.message);
        if let Some(level) = self.severity {
            errors.when(!(0..=25).contains(&level), 14266);
            condition.severity = level;
        }
        if let Some(name) = self.database {
            condition.database = Some(name.to_owned());
        }
        if let Some(text) = self.performance {
            condition.performance = Some(text.to_owned());
        }
        if let Some(text) = &condition.performance {
            let event = condition.message != 0 || condition.severity != 0;
            errors.when(event || self.database.is_some(), 14505);
            let valid = CONDITIONS[..VALID_CONDITIONS].contains(&text.as_str());
            errors.when(!valid, 14507);
        } else {
            errors.when((condition.message != 0) == (condition.severity != 0), 14500);
        }
        if let Some(name) = self.job {
            if name.blank() {
                alert.job = None;
            } else if let Some(job) = world.job(by, name, 14294, errors) {
                errors.when(world.jobs[&job].servers.is_empty(), 14527);
                alert.job = Some(job);
            }
        }
        let category = category::given(world, Class::Alert, self.category, errors);
        alert.category = category.unwrap_or(alert.category);
    }
}

/// 14501 where another alert waits for the same.
fn check_unique(world: &World, alert: &Alert, but: Option<u32>, errors: &mut Errors) {
    let folded = |condition: &Condition| Condition {
        database: condition.database.as_deref().map(key),
        performance: condition.performance.as_deref().map(key),
        ..*condition
    };
    let clash = world.alerts.iter().any(|(id, other)| {
        Some(*id) != but && folded(&other.condition) == folded(&alert.condition)
    });
    errors.when(clash, 14501);
}

impl Act for Op {
    fn call(&self, _world: &World) -> Given {
        match self {
            Self::Add(name, changes) => {
                let mut given = changes.given();
                given.push(("@name", name.value()));
                ("sp_add_alert", given)
            }
            Self::Update {
                name,
                new_name,
                changes,
                occurrences,
            } => {
                let mut given = changes.given();
                given.push(("@name", name.value()));
                given.extend(new_name.map(|name| ("@new_name", name.value())));
                given.extend(occurrences.map(|count| ("@occurrence_count", n(count))));
                ("sp_update_alert", given)
            }
            Self::Delete(name) => ("sp_delete_alert", vec![("@name", name.value())]),
        }
    }

    fn least(&self) -> Role {
        Role::Sysadmin
    }

    fn apply(&self, world: &mut World, by: Login) -> Errors {
        let mut errors = Errors::default();
        match self {
            Self::Add(name, changes) => {
                check_new(
                    &world.alerts,
                    *name,
                    |known| &known.name,
                    None,
                    None,
                    &mut errors,
                );
                let mut alert = Alert {
                    name: name.text(),
                    enabled: true,
                    condition: Condition::default(),
                    job: None,
                    category: OF_ALERTS,
                };
                changes.apply(world, by, &mut alert, &mut errors);
                check_unique(world, &alert, None, &mut errors);
                if errors.none() {
                    let id = world.number();
                    world.alerts.insert(id, alert);
                }
            }
            Self::Update {
                name,
                new_name,
                changes,
                occurrences,
            } => {
                errors.when(occurrences.is_some_and(|count| count != 0), 14266);
                let found = named(&world.alerts, *name, |known| &known.name, &mut errors);
                let Some((id, alert)) = found else {
                    return errors;
                };
                let mut alert = alert.clone();
                if let Some(to) = new_name.filter(|name| !name.blank()) {
                    let of = &world.alerts;
                    check_new(of, to, |known| &known.name, None, Some(id), &mut errors);
                    alert.name = to.text();
                }
                changes.apply(world, by, &mut alert, &mut errors);
                check_unique(world, &alert, Some(id), &mut errors);
                if errors.none() {
                    world.alerts.insert(id, alert);
                }
            }
            Self::Delete(name) => {
                let found = named(&world.alerts, *name, |known| &known.name, &mut errors);
                if let Some(id) = found.map(|(id, _)| id) {
                    world.alerts.remove(&id);
                    world.notifications.retain(|(alert, _), _| *alert != id);
                }
            }
        }
        errors
    }
}

pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    rows(
        &session.ok("sp_help_alert", &[]),
        &[
            "name",
            "enabled",
            "message_id",
            "severity",
            "database_name",
            "performance_condition",
            "job_name",
            "category_name",
            "has_notification",
            "type",
        ],
    )
}

pub(super) fn held(world: &World) -> Vec<String> {
    sorted(world.alerts.iter().map(|(id, alert)| {
        let condition = &alert.condition;
        let methods = world
            .notifications
            .iter()
            .filter(|((of, _), _)| of == id)
            .fold(0, |all, (_, method)| all | method);
        format!(
            "{}|{}|{}|{}|{}|{}|{}|{}|{methods}|{}",
            alert.name,
            i32::from(alert.enabled),
            condition.message,
            condition.severity,
            condition.database.as_deref().unwrap_or("-"),
            condition.performance.as_deref().unwrap_or("-"),
            alert.job.map_or("-", |job| &world.jobs[&job].name),
            world.categories[&alert.category].name,
            if condition.performance.is_some() {
                2
            } else {
                1
            },
        )
    }))
}
