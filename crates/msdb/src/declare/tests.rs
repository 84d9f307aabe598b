//! The declarations against the vendored sheet.

use super::*;

const SHEET: &str = include_str!("../../facts/procedures.toml");

/// `@name type [= default] [OUTPUT]` of a declared parameter.
fn spelled(param: &Param) -> String {
    let default = match param.default {
        Default::Required => "required".to_owned(),
        Default::Null => "NULL".to_owned(),
        Default::Int(number) => number.to_string(),
        Default::Text(text) if matches!(param.ty, SqlType::NVarChar(_)) => format!("N'{text}'"),
        Default::Text(text) => format!("'{text}'"),
    };
    let output = if param.output { " output" } else { "" };
    format!("{} {} {default}{output}", param.name, type_name(param.ty))
}

fn type_name(ty: SqlType) -> String {
    ty.to_string()
}

/// The sheet writes `sysname` for nvarchar(128).
fn sheet_type(name: &str) -> String {
    if name == "sysname" {
        "nvarchar(128)".to_owned()
    } else {
        name.to_owned()
    }
}

fn strings(row: &toml::Value) -> Vec<&str> {
    row.as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect()
}

#[test]
fn every_procedure_of_the_sheet_is_declared_as_it_says() {
    let sheet: toml::Table = SHEET.parse().unwrap();
    assert_eq!(sheet.len(), 97);
    for (name, facts) in &sheet {
        let declared = procedures()
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not declared"));
        let ours: Vec<String> = declared.procedure.params.iter().map(spelled).collect();
        let theirs: Vec<String> = facts["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let row = strings(row);
                let at = if row[0].starts_with('@') { "" } else { "@" };
                let output = if row.len() > 3 { " output" } else { "" };
                format!("{at}{} {} {}{output}", row[0], sheet_type(row[1]), row[2])
            })
            .collect();
        assert_eq!(ours, theirs, "{name}");

        let results = facts.get("results").and_then(toml::Value::as_table);
        assert_eq!(
            declared.procedure.results.len(),
            results.map_or(0, toml::Table::len),
            "{name}"
        );
        for (result, columns) in declared.procedure.results {
            let ours: Vec<String> = columns
                .iter()
                .map(|(column, ty)| format!("{column} {}", type_name(*ty)))
                .collect();
            let theirs: Vec<String> = results.unwrap()[*result]["columns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| {
                    let row = strings(row);
                    format!("{} {}", row[0], sheet_type(row[1]))
                })
                .collect();
            assert_eq!(ours, theirs, "{name} {result}");
        }
    }
}

#[test]
fn who_may_execute_is_what_the_sheet_says() {
    let sheet: toml::Table = SHEET.parse().unwrap();
    for (name, facts) in &sheet {
        let roles = strings(&facts["execute"]);
        let least = if roles.is_empty() {
            continue; // undocumented: our choice, listed in docs/compatibility.md
        } else if roles.contains(&"SQLAgentUserRole") {
            Execute::User
        } else if roles.contains(&"SQLAgentReaderRole") {
            Execute::Reader
        } else if roles.contains(&"SQLAgentOperatorRole") {
            Execute::Operator
        } else {
            Execute::Sysadmin
        };
        assert_eq!(procedures()[name].procedure.execute, least, "{name}");
    }
}

#[test]
fn names_are_unique_and_parameters_too() {
    let declared: usize = GROUPS.iter().map(|group| group.len()).sum();
    assert_eq!(declared, procedures().len());
    for declared in procedures().values() {
        let mut names: Vec<_> = declared.procedure.params.iter().map(|p| p.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), declared.procedure.params.len());
    }
}
