//! The server: sp_configure, sp_helpserver, sp_linkedservers, sp_helpsort, xp_msver.

use super::padded;
use crate::call::{Call, Output, Store};
use crate::declare::{CONFIGURE, HELPSERVER, HELPSORT, LINKEDSERVERS, MSVER};
use crate::error::Result;
use crate::messages::raise;
use crate::pattern::like;
use crate::properties::PRODUCT_VERSION;
use crate::settings::configuration_key;
use crate::system::{COLLATION, ConfigurationOption, SHOW_ADVANCED_ID, configuration};
use catalog::SettingValue;
use tsql::{SqlError, Value};

/// The option that a name or the beginning of one means: 15123 for none, 15124 for several.
fn option(all: &[ConfigurationOption], wanted: &str) -> Result<ConfigurationOption> {
    let lower = wanted.to_lowercase();
    if let Some(exact) = all
        .iter()
        .find(|option| option.name.to_lowercase() == lower)
    {
        return Ok(*exact);
    }
    let mut found = all
        .iter()
        .filter(|option| option.name.to_lowercase().contains(&lower));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(*one),
        (None, _) => Err(raise(15123, &[wanted.into()]).into()),
        (Some(_), Some(_)) => Err(raise(15124, &[wanted.into()]).into()),
    }
}

/// `sp_configure`: shows the options, or sets one (15129 outside its range). One that cannot change what holds keeps
/// the value all the same, and the caller is told.
pub(in crate::procedures) fn configure(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let all = store.read(|definitions| configuration(definitions))?;
    let advanced = all
        .iter()
        .any(|option| option.id == SHOW_ADVANCED_ID && option.value != 0);
    let mut shown = all;
    shown.retain(|option| advanced || !option.advanced);
    let chosen = match call.name("@configname") {
        Some(wanted) => Some(option(&shown, wanted)?),
        None => None,
    };
    let (Some(chosen), Some(value)) = (chosen, call.int("@configvalue")) else {
        if chosen.is_none() && call.int("@configvalue").is_some() {
            return Err(raise(15123, &["NULL".into()]).into());
        }
        shown.retain(|option| chosen.is_none_or(|chosen| chosen.id == option.id));
        shown.sort_by_key(|option| option.name.to_lowercase());
        let rows = shown.iter().map(|option| {
            vec![
                Value::string(option.name),
                Value::Int(option.least),
                Value::Int(option.most),
                Value::Int(option.value),
                Value::Int(option.in_use()),
            ]
        });
        out.result(CONFIGURE, rows.collect());
        return Ok(());
    };
    call.caller.require_sysadmin(|| raise(15247, &[]))?;
    if !(chosen.least..=chosen.most).contains(&value) {
        return Err(raise(15129, &[value.into(), chosen.name.into()]).into());
    }
    if value != chosen.value {
        let kept = SettingValue::Number(value.into());
        store.write(call, |definitions| {
            Ok(definitions.set_setting(&configuration_key(chosen.name), Some(&kept))?)
        })?;
    }
    let (old, new) = (chosen.value, value);
    out.message(raise(15457, &[chosen.name.into(), old.into(), new.into()]));
    if let Some(holds) = chosen.fixed.filter(|holds| *holds != value) {
        let text = format!(
            "Muster keeps the value of '{}'; the value in use stays {holds}.",
            chosen.name
        );
        out.message(SqlError::new(0, 0, text));
    }
    Ok(())
}

/// `sp_helpserver`: this server alone; Muster links no others.
pub(in crate::procedures) fn helpserver(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    if let Some(wanted) = call.name("@server")
        && !wanted.eq_ignore_ascii_case(&call.server)
    {
        return Err(raise(15015, &[wanted.into()]).into());
    }
    let row = vec![
        Value::string(&*call.server),
        Value::string(&*call.server),
        Value::string("use remote collation"),
        padded("0", 4),
        Value::Null,
        Value::Int(0),
        Value::Int(0),
    ];
    out.result(HELPSERVER, vec![row]);
    Ok(())
}

/// `sp_linkedservers`
pub(in crate::procedures) fn linkedservers(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let row = vec![
        Value::string(&*call.server),
        Value::string("SQLNCLI"),
        Value::string("SQL Server"),
        Value::string(&*call.server),
        Value::Null,
        Value::Null,
        Value::Null,
    ];
    out.result(LINKEDSERVERS, vec![row]);
    Ok(())
}

/// `sp_helpsort`
pub(in crate::procedures) fn helpsort(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    out.result(HELPSORT, vec![vec![Value::string(COLLATION)]]);
    Ok(())
}

/// `xp_msver`
pub(in crate::procedures) fn msver(
    call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let machine = call.services.machine();
    let instance = call.services.instance();
    let architecture = if cfg!(target_arch = "aarch64") {
        "ARM64"
    } else {
        "X64"
    };
    let platform = format!("Linux {architecture}");
    let processors = i32::try_from(machine.processors).unwrap_or(i32::MAX);
    let megabytes = i32::try_from(machine.memory_kb / 1024).unwrap_or(i32::MAX);
    let memory = format!("{megabytes} ({})", machine.memory_kb.saturating_mul(1024));
    let system = format!("{} {}", machine.distribution, machine.release);
    let values: [(i16, &str, Option<i32>, String); 9] = [
        (
            1,
            "ProductName",
            None,
            "Microsoft SQL Server 2022 compatible: Muster".to_owned(),
        ),
        (
            2,
            "ProductVersion",
            Some(16 << 16),
            PRODUCT_VERSION.to_owned(),
        ),
        (
            3,
            "Language",
            Some(1033),
            "English (United States)".to_owned(),
        ),
        (4, "Platform", None, platform),
        (8, "FileVersion", None, instance.version),
        (15, "WindowsVersion", None, system),
        (
            16,
            "ProcessorCount",
            Some(processors),
            processors.to_string(),
        ),
        (19, "PhysicalMemory", Some(megabytes), memory),
        (20, "Product ID", None, String::new()),
    ];
    let wanted = call.name("@optname");
    let rows = values
        .into_iter()
        .filter(|(_, name, ..)| wanted.is_none_or(|wanted| like(name, wanted)))
        .map(|(index, name, number, text)| {
            vec![
                Value::SmallInt(index),
                Value::string(name),
                number.map_or(Value::Null, Value::Int),
                if text.is_empty() {
                    Value::Null
                } else {
                    Value::String(text)
                },
            ]
        });
    out.result(MSVER, rows.collect());
    Ok(())
}
