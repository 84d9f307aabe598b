//! Rows as text, and ids by name.

use super::super::support::Fixture;
use std::collections::BTreeMap;
use tsql::convert::{Style, convert, type_of};
use tsql::{Column, Row, SqlType, Value};

/// CONVERT's style of dates: `2026-11-03 12:00:00`.
const DATES: Style = Style::numbered(120);

/// The wanted columns (`*` for all) of each row, parted by `|`.
///
/// # Errors
/// The name of a column that isn't there.
pub(super) fn cells(columns: &[Column], rows: &[Row], wanted: &str) -> Result<Vec<String>, String> {
    let places: Vec<usize> = if wanted == "*" {
        (0..columns.len()).collect()
    } else {
        wanted
            .split(' ')
            .map(|name| {
                columns
                    .iter()
                    .position(|column| column.name == name)
                    .ok_or_else(|| name.to_owned())
            })
            .collect::<Result<_, _>>()?
    };
    Ok(rows
        .iter()
        .map(|row| {
            let cells: Vec<String> = places.iter().map(|place| cell(&row[*place])).collect();
            cells.join("|")
        })
        .collect())
}

fn cell(value: &Value) -> String {
    if let Value::Binary(bytes) = value {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        return format!("0x{digits}");
    }
    let text = convert(value.clone(), type_of(value), SqlType::NVARCHAR_MAX, DATES).unwrap();
    text.as_str().unwrap_or("NULL").to_owned()
}

/// What stands for ids in calls and expectations: `{job x}`, `{schedule x}`, `{uid x}`.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Those of an instance. Of several of one name the first is meant.
    pub(super) fn of(fixture: &Fixture) -> Self {
        let mut names = BTreeMap::new();
        let mut sa = fixture.sa();
        for (kind, table, name, id) in [
            ("job", "sysjobs", "name", "job_id"),
            ("schedule", "sysschedules", "name", "schedule_id"),
            ("uid", "sysschedules", "name", "schedule_uid"),
            ("proxy", "sysproxies", "name", "proxy_id"),
            ("category", "syscategories", "name", "category_id"),
            ("alert", "sysalerts", "name", "id"),
            ("operator", "sysoperators", "name", "id"),
            ("credential", "sys.credentials", "name", "credential_id"),
        ] {
            for (name, id) in sa.column(table, name).iter().zip(sa.column(table, id)) {
                let key = format!("{{{kind} {}}}", cell(name));
                names.entry(key).or_insert_with(|| cell(&id));
            }
        }
        Self(names)
    }

    /// A text with its ids.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        if text.contains('{') {
            for (name, id) in &self.0 {
                filled = filled.replace(name, id);
            }
        }
        filled
    }

    /// Texts with their ids.
    pub(super) fn fill_all(&self, texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| self.fill(text)).collect()
    }
}
