//! Categories of jobs, alerts and operators.

use super::super::support::{Session, s};
use super::world::{
    Category, Class, Errors, Login, MULTISERVER, Name, OF_ALERTS, OF_OPERATORS, Role,
    UNCATEGORIZED, World, name,
};
use super::{Act, Given, sorted};
use proptest::option;
use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(super) enum Op {
    Add {
        class: &'static str,
        kind: Option<&'static str>,
        name: Name,
    },
    Update {
        class: &'static str,
        of: Of,
        new_name: Name,
    },
    Delete {
        class: &'static str,
        of: Of,
    },
}

/// One that calls made, or the built-in one of the class.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Own(Name),
    BuiltIn,
}

fn class_word() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => Just("JOB"),
        3 => Just("alert"),
        3 => Just("OPERATOR"),
        1 => Just("SERVER"),
    ]
}

fn of() -> impl Strategy<Value = Of> {
    prop_oneof![6 => name().prop_map(Of::Own), 1 => Just(Of::BuiltIn)]
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let kind = prop::sample::select(vec!["LOCAL", "MULTI-SERVER", "NONE", "SOME"]);
    prop_oneof![
        4 => (class_word(), option::weighted(0.5, kind), name())
            .prop_map(|(class, kind, name)| Op::Add { class, kind, name }),
        2 => (class_word(), of(), name()).prop_map(|(class, of, new_name)| Op::Update {
            class,
            of,
            new_name,
        }),
        2 => (class_word(), of()).prop_map(|(class, of)| Op::Delete { class, of }),
    ]
}

fn class(word: &str, errors: &mut Errors) -> Option<Class> {
    match word {
        "JOB" => Some(Class::Job),
        "alert" => Some(Class::Alert),
        "OPERATOR" => Some(Class::Operator),
        _ => {
            errors.raise(14266);
            None
        }
    }
}

fn built_in(class: &str) -> &'static str {
    if class == "JOB" {
        "Database Maintenance"
    } else {
        "[Uncategorized]"
    }
}

impl Of {
    fn text(self, class: &str) -> String {
        match self {
            Self::Own(name) => name.text(),
            Self::BuiltIn => built_in(class).to_owned(),
        }
    }

    /// The category, made by a call: 14200, 14526, 14276.
    fn find(self, world: &World, class: Class, errors: &mut Errors) -> Option<u32> {
        match self {
            Self::BuiltIn => {
                errors.raise(14276);
                None
            }
            Self::Own(name) if name.blank() => {
                errors.raise(14200);
                None
            }
            Self::Own(name) => {
                let found = find(world, class, name);
                errors.when(found.is_none(), 14526);
                found
            }
        }
    }
}

/// The category of a class with a name.
pub(super) fn find(world: &World, class: Class, name: Name) -> Option<u32> {
    world
        .categories
        .iter()
        .find(|(_, known)| known.class == class && name.is(&known.name))
        .map(|(id, _)| *id)
}

/// The category that `@category_name` of an alert or operator names: 14234 for none, `None` for a blank name.
pub(super) fn given(
    world: &World,
    class: Class,
    name: Option<Name>,
    errors: &mut Errors,
) -> Option<u32> {
    let name = name.filter(|name| !name.blank())?;
    let found = find(world, class, name);
    errors.when(found.is_none(), 14234);
    found
}

impl Act for Op {
    fn call(&self, _world: &World) -> Given {
        match self {
            Self::Add { class, kind, name } => {
                let mut given = vec![("@class", s(class)), ("@name", name.value())];
                given.extend(kind.map(|kind| ("@type", s(kind))));
                ("sp_add_category", given)
            }
            Self::Update {
                class,
                of,
                new_name,
            } => {
                let given = vec![
                    ("@class", s(class)),
                    ("@name", s(&of.text(class))),
                    ("@new_name", new_name.value()),
                ];
                ("sp_update_category", given)
            }
            Self::Delete { class, of } => {
                let given = vec![("@class", s(class)), ("@name", s(&of.text(class)))];
                ("sp_delete_category", given)
            }
        }
    }

    fn least(&self) -> Role {
        Role::Sysadmin
    }

    fn apply(&self, world: &mut World, _by: Login) -> Errors {
        let mut errors = Errors::default();
        let (Self::Add { class: word, .. }
        | Self::Update { class: word, .. }
        | Self::Delete { class: word, .. }) = self;
        let Some(class) = class(word, &mut errors) else {
            return errors;
        };
        match self {
            Self::Add { kind, name, .. } => {
                let fits = match kind {
                    None => true,
                    Some("LOCAL" | "MULTI-SERVER") => class == Class::Job,
                    Some("NONE") => class != Class::Job,
                    Some(_) => false,
                };
                errors.when(!fits, 14266);
                check_free(world, class, *name, None, &mut errors);
                if errors.none() {
                    let id = world.number();
                    let category = Category {
                        class,
                        multiserver: *kind == Some("MULTI-SERVER"),
                        name: name.text(),
                    };
                    world.categories.insert(id, category);
                }
            }
            Self::Update { of, new_name, .. } => {
                let found = of.find(world, class, &mut errors);
                check_free(world, class, *new_name, found, &mut errors);
                if let Some(id) = found.filter(|_| errors.none()) {
                    world.categories.get_mut(&id).unwrap().name = new_name.text();
                }
            }
            Self::Delete { of, .. } => {
                if let Some(id) = of.find(world, class, &mut errors) {
                    delete(world, id);
                }
            }
        }
        errors
    }
}

fn check_free(world: &World, class: Class, name: Name, but: Option<u32>, errors: &mut Errors) {
    errors.when(name.blank(), 14200);
    let taken = find(world, class, name);
    errors.when(taken.is_some() && taken != but, 14261);
}

/// What was in it goes to the default of the class.
fn delete(world: &mut World, id: u32) {
    let gone = world.categories.remove(&id).unwrap();
    let to = match (gone.class, gone.multiserver) {
        (Class::Job, false) => UNCATEGORIZED,
        (Class::Job, true) => MULTISERVER,
        (Class::Alert, _) => OF_ALERTS,
        (Class::Operator, _) => OF_OPERATORS,
    };
    let jobs = world.jobs.values_mut().map(|job| &mut job.category);
    let alerts = world.alerts.values_mut().map(|alert| &mut alert.category);
    let operators = world
        .operators
        .values_mut()
        .map(|known| &mut known.category);
    for category in jobs.chain(alerts).chain(operators) {
        if *category == id {
            *category = to;
        }
    }
}

/// Categories that calls made; their numbers begin at 100.
pub(super) fn seen(session: &mut Session<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for class in ["JOB", "ALERT", "OPERATOR"] {
        let answer = session.ok("sp_help_category", &[("@class", s(class))]);
        let own = answer.column("category_id");
        let own = own.iter().map(|id| id.as_i64().unwrap() >= 100);
        let kinds = super::texts(&answer, "category_type");
        let names = super::texts(&answer, "name");
        for ((own, kind), name) in own.zip(kinds).zip(names) {
            if own {
                lines.push(format!("{class}|{kind}|{name}"));
            }
        }
    }
    sorted(lines)
}

pub(super) fn held(world: &World) -> Vec<String> {
    let own = world
        .categories
        .iter()
        .filter(|(id, _)| !World::is_built_in(**id));
    sorted(own.map(|(_, category)| {
        let (class, kind) = match (category.class, category.multiserver) {
            (Class::Job, false) => ("JOB", 1),
            (Class::Job, true) => ("JOB", 2),
            (Class::Alert, _) => ("ALERT", 3),
            (Class::Operator, _) => ("OPERATOR", 3),
        };
        format!("{class}|{kind}|{}", category.name)
    }))
}
