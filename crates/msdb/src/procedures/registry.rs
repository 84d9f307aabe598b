//! xp_instance_regread and kin on the Agent's keys.
//!
//! There is no registry: values of the Agent's key are settings of the catalog. Values of the database engine's keys
//! are kept as they are given; those that say what this instance is are answered truly and stay so.

use crate::call::{Call, Output, Store};
use crate::declare::REGREAD;
use crate::error::Result;
use crate::messages::{none_of, raise};
use crate::settings::{ENGINE_PREFIX, agent_key, apply_history_limits};
use catalog::{DefinitionsRead, SettingValue};
use tsql::{SqlError, Value};

/// Numbers that values of the Agent's key may have, and what an unset one means.
///
/// Source: multiserver fact sheet, sections 11, 12 and 14; procedures sheet, sp_set_sqlagent_properties.
const NUMBERS: &[(&str, std::ops::RangeInclusive<i64>, Option<i64>)] = &[
    ("MsxEncryptChannelOptions", 0..=2, Some(2)),
    ("AllowDownloadedJobsToMatchProxyName", 0..=1, Some(0)),
    ("AlertForwardAlways", 0..=1, Some(0)),
    ("AlertForwardingSeverity", 0..=25, None),
    ("JobHistoryMaxRows", -1..=2_147_483_647, None),
    ("JobHistoryMaxRowsPerJob", 0..=2_147_483_647, None),
];

/// Most values of the engine's keys that are kept.
const ENGINE_VALUES_MAX: usize = 1_000;

/// Longest text a value may have, in UTF-16 units.
const TEXT_UNITS_MAX: usize = 4_000;

/// Where a key leads.
enum Key {
    /// The Agent's own.
    Agent,
    /// The database engine's: `...\MSSQLServer`, and what lies below it in capitals.
    Engine(String),
    /// Anything else.
    Other,
}

fn key(call: &Call<'_>) -> Key {
    let root = call.name("@rootkey").unwrap_or_default();
    let path = call
        .name("@key")
        .unwrap_or_default()
        .trim_end_matches('\\')
        .to_uppercase();
    let machine =
        root.eq_ignore_ascii_case("HKEY_LOCAL_MACHINE") || root.eq_ignore_ascii_case("HKLM");
    if !machine || !path.starts_with("SOFTWARE\\MICROSOFT\\") {
        Key::Other
    } else if path.ends_with("\\SQLSERVERAGENT") {
        Key::Agent
    } else if path.ends_with("\\MSSQLSERVER") {
        Key::Engine(String::new())
    } else if let Some((_, below)) = path.rsplit_once("\\MSSQLSERVER\\") {
        Key::Engine(below.to_owned())
    } else {
        Key::Other
    }
}

/// Where a value of the engine's keys lies in the catalog.
fn engine_key(below: &str, name: &str) -> String {
    format!("{ENGINE_PREFIX}{below}\\{name}")
}

/// `xp_instance_regread`, `xp_regread`: into the OUTPUT argument, or as a row without one. A value that isn't
/// there leaves NULL, with message 22001 unless `no_output` is given.
pub(super) fn read(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let name = call.name("@value_name").unwrap_or_default();
    let value = match key(call) {
        Key::Agent => store.read(|definitions| agent_value(definitions, name))?,
        Key::Engine(below) => match engine_value(&below, name) {
            Some(value) => Some(value),
            None => store.read(|definitions| {
                let kept = definitions.setting(&engine_key(&below, name))?;
                Ok::<_, crate::error::Fault>(kept.map(value_of))
            })?,
        },
        Key::Other => None,
    };
    if value.is_none() && call.name("@no_output").is_none() {
        out.message(not_there("RegQueryValueEx"));
    }
    if call.given("@value") {
        out.set("@value", value.unwrap_or(Value::Null));
        return Ok(());
    }
    let rows = value
        .map(|value| vec![Value::string(name), as_text(value)])
        .into_iter()
        .collect();
    out.result(REGREAD, rows);
    Ok(())
}

fn agent_value(definitions: &dyn DefinitionsRead, name: &str) -> Result<Option<Value>> {
    if let Some(value) = definitions.setting(&agent_key(name))? {
        return Ok(Some(value_of(value)));
    }
    if name.eq_ignore_ascii_case("MSXServerName") {
        return Ok(definitions
            .enlistment()?
            .map(|row| Value::String(row.enlistment.master_name)));
    }
    Ok(number_rule(name)
        .and_then(|(_, unset)| unset)
        .map(crate::convert::int))
}

fn value_of(setting: SettingValue) -> Value {
    match setting {
        SettingValue::Text(text) => Value::String(text),
        SettingValue::Number(number) => crate::convert::int(number),
        SettingValue::Bytes(bytes) => Value::Binary(bytes),
    }
}

fn number_rule(name: &str) -> Option<(std::ops::RangeInclusive<i64>, Option<i64>)> {
    NUMBERS
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name))
        .map(|(_, range, unset)| (range.clone(), *unset))
}

/// What is true of this instance: it takes SQL logins (mixed mode, 2) and audits failed ones (2).
fn engine_value(below: &str, name: &str) -> Option<Value> {
    if !below.is_empty() {
        return None;
    }
    if name.eq_ignore_ascii_case("LoginMode") || name.eq_ignore_ascii_case("AuditLevel") {
        Some(Value::Int(2))
    } else {
        None
    }
}

fn as_text(value: Value) -> Value {
    match value.as_i64() {
        Some(number) => Value::string(number.to_string()),
        None => value,
    }
}

/// `xp_instance_regwrite`, `xp_regwrite`: on the Agent's and the engine's keys.
pub(super) fn write(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let (key, name) = writable(call)?;
    let below = match key {
        Key::Agent => {
            let value = setting(call, number_rule(name).map(|(range, _)| range))?;
            store.write(call, |definitions| {
                Ok(definitions.set_setting(&agent_key(name), Some(&value))?)
            })?;
            return changed(call, store);
        }
        Key::Engine(below) => below,
        Key::Other => return Err(refused()),
    };
    let value = setting(call, None)?;
    if let Some(holds) = engine_value(&below, name) {
        // What this instance is does not change by being told otherwise.
        let same = value.as_number() == holds.as_i64();
        return if same { Ok(()) } else { Err(refused()) };
    }
    store.write(call, |definitions| {
        let kept = definitions.settings(ENGINE_PREFIX)?;
        let key = engine_key(&below, name);
        let known = kept
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(&key));
        if !known && kept.len() >= ENGINE_VALUES_MAX {
            return Err(refused());
        }
        Ok(definitions.set_setting(&key, Some(&value))?)
    })
}

/// Makes a changed setting of the Agent work; that of a transaction does after its commit.
fn changed(call: &Call<'_>, store: &Store<'_>) -> Result<()> {
    if !store.in_transaction() {
        apply_history_limits(call.catalog())?;
        call.services.settings_changed();
    }
    Ok(())
}

/// Where a write goes, and the value's name.
fn writable<'c>(call: &'c Call<'_>) -> Result<(Key, &'c str)> {
    let key = key(call);
    if matches!(key, Key::Other) {
        return Err(refused());
    }
    let name = call.name("@value_name");
    let name = name.ok_or_else(|| raise(14200, &["@value_name".into()]))?;
    Ok((key, name))
}

fn refused() -> crate::error::Fault {
    let text = "RegCreateKeyEx() returned error 5, 'Access is denied.' Only values of the Agent's and the engine's keys can be written.";
    SqlError::new(22001, 16, text).into()
}

fn setting(call: &Call<'_>, range: Option<std::ops::RangeInclusive<i64>>) -> Result<SettingValue> {
    let kind = call.name("@type").unwrap_or_default().to_uppercase();
    let value = call.value("@value");
    let bad = || raise(14200, &["@value".into()]);
    let setting = match kind.as_str() {
        "REG_SZ" | "REG_EXPAND_SZ" => {
            let text = match (value.as_str(), value.as_i64()) {
                (Some(text), _) => text.to_owned(),
                (None, Some(number)) => number.to_string(),
                (None, None) => return Err(bad().into()),
            };
            if text.encode_utf16().count() > TEXT_UNITS_MAX {
                let most = i64::try_from(TEXT_UNITS_MAX).unwrap_or(i64::MAX);
                return Err(raise(14250, &["@value".into(), most.into()]).into());
            }
            SettingValue::Text(text)
        }
        "REG_DWORD" => {
            let number = value
                .as_i64()
                .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
                .filter(|number| i32::try_from(*number).is_ok())
                .ok_or_else(bad)?;
            SettingValue::Number(number)
        }
        "REG_BINARY" => {
            let Value::Binary(bytes) = value else {
                return Err(bad().into());
            };
            SettingValue::Bytes(bytes.clone())
        }
        _ => return Err(none_of("@type", "REG_SZ, REG_DWORD, REG_BINARY").into()),
    };
    if let Some(range) = range {
        let fits = setting.as_number().is_some_and(|n| range.contains(&n));
        if !fits {
            let valid = format!("{} to {}, as REG_DWORD", range.start(), range.end());
            return Err(none_of("@value", &valid).into());
        }
    }
    Ok(setting)
}

/// `xp_instance_regdeletevalue`, `xp_regdeletevalue`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let (key, name) = writable(call)?;
    let agent = matches!(key, Key::Agent);
    let key = match key {
        Key::Agent => agent_key(name),
        Key::Engine(below) => engine_key(&below, name),
        Key::Other => return Err(refused()),
    };
    let there = store.write(call, |definitions| {
        let there = definitions.setting(&key)?.is_some();
        definitions.set_setting(&key, None)?;
        Ok(there)
    })?;
    if !there {
        out.message(not_there("RegDeleteValue"));
    } else if agent {
        changed(call, store)?;
    }
    Ok(())
}

fn not_there(function: &str) -> SqlError {
    let text =
        format!("{function}() returned error 2, 'The system cannot find the file specified.'");
    raise(22001, &[(&text).into()])
}
