//! Operators, the fail-safe one among them.

use super::super::support::{Session, n, s};
use super::world::{
    Class, Errors, Login, Name, OF_OPERATORS, Operator, Role, World, check_new, flag, name, named,
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
    },
    Delete {
        name: Name,
        reassign: Option<Name>,
    },
    FailSafe(Name),
}

/// What a call says of an operator.
#[derive(Debug, Clone)]
pub(super) struct Changes {
    enabled: Option<u8>,
    email: Option<&'static str>,
    days: Option<u8>,
    weekday_start: Option<i32>,
    category: Option<Name>,
}

pub(super) fn operator_name() -> impl Strategy<Value = Name> {
    prop_oneof![4 => name(), 1 => Just(Name::MsxOperator)]
}

fn changes() -> impl Strategy<Value = Changes> {
    (
        option::weighted(0.5, flag()),
        option::weighted(
            0.5,
            prop::sample::select(vec!["", "a@b.example", "c@d.example"]),
        ),
        option::weighted(0.3, prop::sample::select(vec![0u8, 62, 127, 128])),
        option::weighted(
            0.3,
            prop::sample::select(vec![0, 80_000, 235_959, 236_000, -1]),
        ),
        option::weighted(0.3, name()),
    )
        .prop_map(|(enabled, email, days, weekday_start, category)| Changes {
            enabled,
            email,
            days,
            weekday_start,
            category,
        })
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (operator_name(), changes()).prop_map(|(name, changes)| Op::Add(name, changes)),
        3 => (operator_name(), option::weighted(0.4, operator_name()), changes()).prop_map(
            |(name, new_name, changes)| Op::Update {
                name,
                new_name,
                changes,
            }
        ),
        1 => (operator_name(), option::weighted(0.5, operator_name()))
            .prop_map(|(name, reassign)| Op::Delete { name, reassign }),
        1 => name().prop_map(Op::FailSafe),
    ]
}

impl Changes {
    fn given(&self) -> Vec<(&'static str, tsql::Value)> {
        let mut given = Vec::new();
        given.extend(self.enabled.map(|e| ("@enabled", n(e.into()))));
        given.extend(self.email.map(|address| ("@email_address", s(address))));
        given.extend(self.days.map(|days| ("@pager_days", n(days.into()))));
        given.extend(
            self.weekday_start
                .map(|at| ("@weekday_pager_start_time", n(at))),
        );
        given.extend(self.category.map(|name| ("@category_name", name.value())));
        given
    }

    fn apply(&self, world: &World, operator: &mut Operator, errors: &mut Errors) {
        if let Some(enabled) = self.enabled {
            errors.when(enabled > 1, 14266);
            operator.enabled = enabled == 1;
        }
        if let Some(address) = self.email {
            operator.email = Some(address.to_owned()).filter(|address| !address.is_empty());
        }
        if let Some(days) = self.days {
            errors.when(days > 127, 14266);
            operator.days = days.into();
        }
        if let Some(at) = self.weekday_start {
            errors.when(!(0..=235_959).contains(&at), 14287);
            operator.weekday_start = at;
        }
        let category = category::given(world, Class::Operator, self.category, errors);
        operator.category = category.unwrap_or(operator.category);
    }
}

impl Act for Op {
    fn call(&self, _world: &World) -> Given {
        match self {
            Self::Add(name, changes) => {
                let mut given = changes.given();
                given.push(("@name", name.value()));
                ("sp_add_operator", given)
            }
            Self::Update {
                name,
                new_name,
                changes,
            } => {
                let mut given = changes.given();
                given.push(("@name", name.value()));
                given.extend(new_name.map(|name| ("@new_name", name.value())));
                ("sp_update_operator", given)
            }
            Self::Delete { name, reassign } => {
                let mut given = vec![("@name", name.value())];
                given.extend(reassign.map(|to| ("@reassign_to_operator", to.value())));
                ("sp_delete_operator", given)
            }
            Self::FailSafe(name) => {
                let given = vec![
                    ("@rootkey", s("HKEY_LOCAL_MACHINE")),
                    (
                        "@key",
                        s("SOFTWARE\\Microsoft\\MSSQLServer\\SQLServerAgent"),
                    ),
                    ("@value_name", s("AlertFailSafeOperator")),
                    ("@type", s("REG_SZ")),
                    ("@value", name.value()),
                ];
                ("xp_instance_regwrite", given)
            }
        }
    }

    fn least(&self) -> Role {
        Role::Sysadmin
    }

    fn apply(&self, world: &mut World, _by: Login) -> Errors {
        let mut errors = Errors::default();
        match self {
            Self::Add(name, changes) => {
                check_name(world, *name, None, &mut errors);
                let mut operator = new(*name);
                changes.apply(world, &mut operator, &mut errors);
                if errors.none() {
                    let id = world.number();
                    world.operators.insert(id, operator);
                }
            }
            Self::Update {
                name,
                new_name,
                changes,
            } => update(world, *name, *new_name, changes, &mut errors),
            Self::Delete { name, reassign } => delete(world, *name, *reassign, &mut errors),
            Self::FailSafe(name) => world.fail_safe = Some(name.text()),
        }
        errors
    }
}

/// An operator of whom a call says nothing but the name.
fn new(name: Name) -> Operator {
    Operator {
        name: name.text(),
        enabled: true,
        email: None,
        days: 0,
        weekday_start: 90_000,
        category: OF_OPERATORS,
    }
}

fn check_name(world: &World, name: Name, but: Option<u32>, errors: &mut Errors) {
    check_new(
        &world.operators,
        name,
        |known| &known.name,
        Some('%'),
        but,
        errors,
    );
}

fn update(
    world: &mut World,
    name: Name,
    new_name: Option<Name>,
    changes: &Changes,
    errors: &mut Errors,
) {
    let new_name = new_name.filter(|name| !name.blank());
    let found = named(&world.operators, name, |known| &known.name, errors);
    let mut changed = found.map(|(id, known)| (id, known.clone()));
    let msx = changed
        .as_ref()
        .is_some_and(|(_, known)| Name::MsxOperator.is(&known.name));
    if let Some(to) = new_name {
        check_name(world, to, changed.as_ref().map(|(id, _)| *id), errors);
        errors.when(msx, 14222);
    }
    // What else is wrong is looked for without the operator too.
    let mut nothing = new(name);
    let operator = changed.as_mut().map_or(&mut nothing, |(_, known)| known);
    changes.apply(world, operator, errors);
    let Some((id, mut operator)) = changed.filter(|_| errors.none()) else {
        return;
    };
    if let Some(to) = new_name {
        // The fail-safe operator stays it under its new name.
        let fail_safe = world.fail_safe.as_mut();
        if let Some(set) = fail_safe.filter(|set| name.is(set)) {
            *set = to.text();
        }
        operator.name = to.text();
    }
    world.operators.insert(id, operator);
    if msx {
        // Targets fetch MSXOperator again.
        for target in world.targets.clone() {
            world.post_to_server(target, "RE-ENLIST");
        }
    }
}

fn delete(world: &mut World, name: Name, reassign: Option<Name>, errors: &mut Errors) {
    let reassign = reassign.filter(|name| !name.blank());
    let found = named(&world.operators, name, |known| &known.name, errors).map(|(id, _)| id);
    let to = reassign.and_then(|to| named(&world.operators, to, |known| &known.name, errors));
    let to = to.map(|(id, known)| (id, Name::MsxOperator.is(&known.name)));
    // Alerts are not for MSXOperator, and an operator that goes takes nothing over.
    errors.when(to.is_some_and(|(id, msx)| msx || Some(id) == found), 14251);
    let Some(id) = found else { return };
    let gone = world.operators[&id].name.clone();
    errors.when(
        Name::MsxOperator.is(&gone) && !world.targets.is_empty(),
        14223,
    );
    let fail_safe = world.fail_safe.as_deref();
    errors.when(fail_safe.is_some_and(|set| name.is(set)), 14504);
    if !errors.none() {
        return;
    }
    let to = to.map(|(id, _)| id);
    world.operators.remove(&id);
    for job in world.jobs.values_mut() {
        if job.email_operator == Some(id) {
            job.email_operator = to;
        }
    }
    let told: Vec<(u32, i32)> = world
        .notifications
        .iter()
        .filter(|((_, operator), _)| *operator == id)
        .map(|((alert, _), method)| (*alert, *method))
        .collect();
    for (alert, method) in told {
        world.notifications.remove(&(alert, id));
        if let Some(to) = to {
            *world.notifications.entry((alert, to)).or_default() |= method;
        }
    }
}

pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    rows(
        &session.ok("sp_help_operator", &[]),
        &[
            "name",
            "enabled",
            "email_address",
            "pager_days",
            "weekday_pager_start_time",
            "category_name",
        ],
    )
}

pub(super) fn held(world: &World) -> Vec<String> {
    sorted(world.operators.values().map(|operator| {
        format!(
            "{}|{}|{}|{}|{}|{}",
            operator.name,
            i32::from(operator.enabled),
            operator.email.as_deref().unwrap_or("-"),
            operator.days,
            operator.weekday_start,
            world.categories[&operator.category].name,
        )
    }))
}
