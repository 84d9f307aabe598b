//! Which operator hears of which alert.

use super::super::support::{Session, n, s};
use super::operator::operator_name;
use super::world::{Errors, Login, Name, Role, World, name, named};
use super::{Act, Given, rows, sorted, texts};
use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(super) enum Op {
    Add(Name, Name, u8),
    Update(Name, Name, u8),
    Delete(Name, Name),
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let three = || (name(), operator_name(), 0u8..9);
    prop_oneof![
        4 => three().prop_map(|(alert, operator, method)| Op::Add(alert, operator, method)),
        2 => three().prop_map(|(alert, operator, method)| Op::Update(alert, operator, method)),
        1 => (name(), operator_name()).prop_map(|(alert, operator)| Op::Delete(alert, operator)),
    ]
}

impl Act for Op {
    fn call(&self, _world: &World) -> Given {
        let (Self::Add(alert, operator, _)
        | Self::Update(alert, operator, _)
        | Self::Delete(alert, operator)) = self;
        let mut given = vec![
            ("@alert_name", alert.value()),
            ("@operator_name", operator.value()),
        ];
        match self {
            Self::Add(.., method) => {
                given.push(("@notification_method", n((*method).into())));
                ("sp_add_notification", given)
            }
            Self::Update(.., method) => {
                given.push(("@notification_method", n((*method).into())));
                ("sp_update_notification", given)
            }
            Self::Delete(..) => ("sp_delete_notification", given),
        }
    }

    fn least(&self) -> Role {
        Role::Sysadmin
    }

    fn apply(&self, world: &mut World, _by: Login) -> Errors {
        let mut errors = Errors::default();
        let (Self::Add(alert, operator, _)
        | Self::Update(alert, operator, _)
        | Self::Delete(alert, operator)) = self;
        let alert = named(&world.alerts, *alert, |known| &known.name, &mut errors);
        let alert = alert.map(|(id, _)| id);
        let operator = named(
            &world.operators,
            *operator,
            |known| &known.name,
            &mut errors,
        );
        let msx = operator.is_some_and(|(_, known)| Name::MsxOperator.is(&known.name));
        let operator = operator.map(|(id, _)| id);
        if let Self::Add(.., method) | Self::Update(.., method) = self {
            errors.when(!(1..=7).contains(method), 14266);
            // Multiserver jobs alone tell MSXOperator.
            errors.when(msx, 14251);
        }
        let (Some(alert), Some(operator)) = (alert, operator) else {
            return errors;
        };
        let pair = (alert, operator);
        let there = world.notifications.contains_key(&pair);
        match self {
            Self::Add(..) => errors.when(there, 14261),
            Self::Update(..) | Self::Delete(..) => errors.when(!there, 14262),
        }
        if errors.none() {
            match self {
                Self::Add(.., method) | Self::Update(.., method) => {
                    world.notifications.insert(pair, (*method).into());
                }
                Self::Delete(..) => drop(world.notifications.remove(&pair)),
            }
        }
        errors
    }
}

pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let given = |by: &str, name: &str, method: i32| {
        [
            ("@object_type", s(by)),
            ("@name", s(name)),
            ("@enum_type", s("ACTUAL")),
            ("@notification_method", n(method)),
        ]
    };
    for operator in texts(&session.ok("sp_help_operator", &[]), "name") {
        let answer = session.ok("sp_help_notification", &given("ALERTS", &operator, 7));
        let columns = [
            "alert_name",
            "use_email",
            "use_pager",
            "use_netsend",
            "has_email",
        ];
        let of = rows(&answer, &columns);
        lines.extend(of.into_iter().map(|row| format!("{operator} hears {row}")));
    }
    for alert in texts(&session.ok("sp_help_alert", &[]), "name") {
        let answer = session.ok("sp_help_notification", &given("OPERATORS", &alert, 1));
        let of = rows(&answer, &["operator_name", "use_email", "has_email"]);
        lines.extend(of.into_iter().map(|row| format!("{alert} told {row}")));
    }
    sorted(lines)
}

pub(super) fn held(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for ((alert, operator), method) in &world.notifications {
        let alert = &world.alerts[alert].name;
        let has = i32::from(world.operators[operator].email.is_some());
        let operator = &world.operators[operator].name;
        let used = |bit: i32| i32::from(method & bit != 0);
        let (mail, pager, net) = (used(1), used(2), used(4));
        lines.push(format!(
            "{operator} hears {alert}|{mail}|{pager}|{net}|{has}"
        ));
        lines.push(format!("{alert} told {operator}|{mail}|{has}"));
    }
    sorted(lines)
}
