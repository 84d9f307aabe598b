//! The views of `sys` and `INFORMATION_SCHEMA`: true answers about this instance, or empty.
//!
//! `sheet` says which views there are and what their columns are; the other modules fill those that Muster has
//! something to say in. The rest are empty: there are no availability groups, assemblies or full-text catalogs. All
//! views are in every database; those about one database answer for the database of the statement.

mod columns;
mod configuration;
mod constraints;
mod databases;
mod functions;
mod information;
mod mail;
mod metadata;
mod modules;
mod objects;
mod older;
mod permissions;
mod principals;
mod server;
mod sessions;
mod sheet;
mod types;
mod view;

pub(crate) use configuration::{ConfigurationOption, SHOW_ADVANCED_ID, options as configuration};
pub(crate) use constraints::{foreign as foreign_keys, indexes_of, referred_key};
pub(crate) use databases::{COMPATIBILITY_LEVEL, all as database_list};
pub(crate) use functions::{function_rows, functions};
pub(crate) use metadata::{may_enter, metadata};
pub(crate) use objects::{
    Object, ObjectColumn, ObjectParameter, Scope, all_schemas, objects, shipped_objects,
};
pub(crate) use permissions::object_named;
pub(crate) use principals::{
    Role, memberships, role_id, roles as database_roles, seen_logins, server_memberships,
    server_roles, users,
};
pub(crate) use sessions::{command, seen as seen_sessions, status as session_status};
pub(crate) use types::measures;
pub(crate) use view::View;

use crate::convert::datetime;
use crate::error::Result;
use crate::tables::Scanner;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use tsql::Value;
use view::Filled;

/// Collation of every database.
pub(crate) const COLLATION: &str = "SQL_Latin1_General_CP1_CI_AS";
/// US English.
const LANGUAGE_ID: i32 = 1033;
/// Name of the language of every login.
const LANGUAGE: &str = "us_english";

/// Views by schema and name, both in lower case.
pub(crate) fn views() -> &'static BTreeMap<(String, String), View> {
    static VIEWS: LazyLock<BTreeMap<(String, String), View>> = LazyLock::new(|| {
        sheet::entries()
            .iter()
            .filter(|entry| entry.params.is_none())
            .map(|entry| {
                let filled = GROUPS
                    .iter()
                    .flat_map(|group| group.iter())
                    .find(|filled| filled.schema == entry.schema && filled.name == entry.name);
                let key = (
                    entry.schema.to_ascii_lowercase(),
                    entry.name.to_ascii_lowercase(),
                );
                (key, View::new(entry, filled))
            })
            .collect()
    });
    &VIEWS
}

/// The table of msdb of a name, beside the Agent's: of Database Mail, and of what Muster has nothing of.
pub(crate) fn other_table(name: &str) -> Option<&'static View> {
    static TABLES: LazyLock<Vec<View>> = LazyLock::new(|| {
        let entries = sheet::empty_entries().iter();
        let filled = |name| mail::TABLES.iter().find(|filled| filled.name == name);
        entries
            .map(|entry| View::new(entry, filled(entry.name)))
            .collect()
    });
    let name = name.trim_end_matches(' ');
    TABLES
        .iter()
        .find(|view| view.decl.name.eq_ignore_ascii_case(name))
}

/// The view of a name. Those that stood in `dbo` in old versions are found there too: `master.dbo.sysprocesses`,
/// `master.dbo.spt_values`.
pub(crate) fn view(schema: &str, name: &str) -> Option<&'static View> {
    let name = name.trim_end_matches(' ').to_ascii_lowercase();
    let mut schema = schema.to_ascii_lowercase();
    if schema == "dbo" && (name.starts_with("sys") || name == "spt_values") {
        schema = "sys".to_owned();
    }
    views().get(&(schema, name))
}

const GROUPS: &[&[Filled]] = &[
    columns::VIEWS,
    configuration::VIEWS,
    constraints::VIEWS,
    databases::VIEWS,
    information::VIEWS,
    modules::VIEWS,
    objects::VIEWS,
    older::VIEWS,
    principals::VIEWS,
    server::VIEWS,
    sessions::VIEWS,
    types::VIEWS,
];

/// When the instance was made, as `datetime`.
fn created(scan: &Scanner<'_>) -> Result<Value> {
    Ok(datetime(scan.definitions.instance()?.created, &scan.zone))
}

fn text(value: impl AsRef<str>) -> Value {
    Value::string(value.as_ref())
}

fn int(value: impl Into<i64>) -> Value {
    Value::BigInt(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that fills no view of the sheet would never be called.
    #[test]
    fn every_source_fills_a_view_of_the_sheet() {
        for filled in GROUPS.iter().flat_map(|group| group.iter()) {
            let view = view(filled.schema, filled.name);
            assert!(
                view.is_some_and(|view| !view.is_empty()),
                "{} is not in the sheet",
                filled.name
            );
        }
    }
}
