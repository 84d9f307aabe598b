//! Texts of modules, triggers and synonyms.

use super::objects::{ID, Object, Origin, Scope, sought};
use super::principals::{principal_id, roles, users};
use super::view::{Fill, Filled};
use super::{int, text};
use crate::error::Result;
use crate::tables::Scanner;
use engine::databases::{Body, ExecuteAs};
use tsql::Value;

/// What stands for the owner in `execute_as_principal_id`.
const AS_OWNER: i32 = -2;

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("sql_modules", own_modules).seek(ID),
    Filled::sys("all_sql_modules", own_modules).seek(ID),
    Filled::sys("triggers", triggers).seek(ID),
    Filled::sys("trigger_events", trigger_events).seek(ID),
    Filled::sys("synonyms", synonyms).seek(ID),
];

/// Texts of the modules that users made. What comes with Muster is no T-SQL and has no text.
fn own_modules(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    let (users, roles) = (users(scan)?, roles(scan)?);
    for object in sought(scan, Scope::Own)? {
        let Some(module) = object.module() else {
            continue;
        };
        let execute_as = match &module.execute_as {
            ExecuteAs::Caller => Value::Null,
            ExecuteAs::Owner => int(AS_OWNER),
            ExecuteAs::User(user) => int(principal_id(&users, &roles, user)),
        };
        out.add([
            ("execute_as_principal_id", execute_as),
            ("object_id", int(object.id)),
            ("definition", object.definition().map_or(Value::Null, text)),
            ("uses_ansi_nulls", Value::Bit(module.ansi_nulls)),
            (
                "uses_quoted_identifier",
                Value::Bit(module.quoted_identifier),
            ),
            ("is_schema_bound", Value::Bit(module.schema_bound)),
            ("is_recompiled", Value::Bit(module.recompile)),
        ]);
    }
    Ok(())
}

fn triggers(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        let Some(trigger) = object.module().and_then(|module| module.trigger.as_ref()) else {
            continue;
        };
        out.add([
            ("name", text(&object.name)),
            ("object_id", int(object.id)),
            ("parent_class", int(1)),
            ("parent_class_desc", text("OBJECT_OR_COLUMN")),
            ("parent_id", int(object.parent)),
            ("type", text(object.code)),
            ("type_desc", text(object.description)),
            ("create_date", object.created.clone()),
            ("modify_date", object.modified.clone()),
            ("is_disabled", Value::Bit(trigger.disabled)),
            ("is_instead_of_trigger", Value::Bit(trigger.instead_of)),
        ]);
    }
    Ok(())
}

fn trigger_events(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        let Some(trigger) = object.module().and_then(|module| module.trigger.as_ref()) else {
            continue;
        };
        for event in &trigger.events {
            let event = event.to_ascii_uppercase();
            let number = match event.as_str() {
                "INSERT" => 1,
                "UPDATE" => 2,
                _ => 3,
            };
            out.add([
                ("object_id", int(object.id)),
                ("type", int(number)),
                ("type_desc", text(&event)),
                ("is_trigger_event", Value::Bit(true)),
            ]);
        }
    }
    Ok(())
}

fn synonyms(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        if let Some(base) = base_of(&object) {
            let mut row = object.row();
            row.push(("base_object_name", text(base)));
            out.add(row);
        }
    }
    Ok(())
}

/// What a synonym stands for.
fn base_of(object: &Object) -> Option<&str> {
    match &object.origin {
        Origin::Made(made) => match &made.body {
            Body::Synonym(base) => Some(base),
            Body::Table(_) | Body::Module(_) => None,
        },
        Origin::Declared(_)
        | Origin::Procedure(_)
        | Origin::View(_)
        | Origin::Function(_)
        | Origin::Constraint(_)
        | Origin::Temporary(_) => None,
    }
}
