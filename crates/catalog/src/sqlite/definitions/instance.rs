//! The instance, its settings and the audit.

use super::Definitions;
use crate::sqlite::codec::{At, Bytes16, Db, instant, page, unsigned, uuid};
use crate::{
    AuditEntry, AuditRecord, CatalogError, Change, Instance, NewInstance, Object, Result,
    SettingValue, name_key,
};
use model::InstanceId;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Row, params};

pub(super) fn stored_instance(db: Db<'_>) -> Result<Option<Instance>> {
    db.one(
        "SELECT instance_id, name, incarnation, created FROM instance WHERE one = 1",
        [],
        |row| {
            Ok(Instance {
                id: InstanceId(uuid(row, 0)?),
                name: row.get(1)?,
                incarnation: unsigned(row, 2)?,
                created: instant(row, 3)?,
            })
        },
    )
}

pub(super) fn instance(db: Db<'_>) -> Result<Instance> {
    stored_instance(db)?.ok_or_else(|| CatalogError::not_found(Object::Instance, ""))
}

/// Writes what a new catalog begins with.
pub(super) fn create_instance(w: &mut Definitions<'_>, new: &NewInstance) -> Result<()> {
    w.atomically(|w| {
        w.db.run(
            "INSERT INTO instance (one, instance_id, name, incarnation, created)
             VALUES (1, ?1, ?2, 1, ?3)",
            params![Bytes16(new.id.0), new.name, At(new.created)],
        )?;
        super::operators::write_built_in(w)
    })
}

pub(super) fn rename_instance(w: &mut Definitions<'_>, name: &str) -> Result<()> {
    w.db.run("UPDATE instance SET name = ?1 WHERE one = 1", [name])?;
    w.change(Change::InstanceChanged);
    Ok(())
}

pub(super) fn new_incarnation(w: &mut Definitions<'_>) -> Result<u64> {
    let incarnation = w.db.sure(
        "UPDATE instance SET incarnation = incarnation + 1 WHERE one = 1 RETURNING incarnation",
        [],
        |row| unsigned(row, 0),
    )?;
    w.change(Change::InstanceChanged);
    Ok(incarnation)
}

fn setting_value(row: &Row<'_>, index: usize) -> rusqlite::Result<SettingValue> {
    match row.get_ref(index)? {
        ValueRef::Integer(number) => Ok(SettingValue::Number(number)),
        ValueRef::Blob(bytes) => Ok(SettingValue::Bytes(bytes.to_vec())),
        ValueRef::Text(_) => Ok(SettingValue::Text(row.get(index)?)),
        other @ (ValueRef::Null | ValueRef::Real(_)) => Err(rusqlite::Error::InvalidColumnType(
            index,
            "value".to_owned(),
            other.data_type(),
        )),
    }
}

pub(super) fn setting(db: Db<'_>, key: &str) -> Result<Option<SettingValue>> {
    db.one(
        "SELECT value FROM settings WHERE key_key = ?1",
        [name_key(key)],
        |row| setting_value(row, 0),
    )
}

pub(super) fn settings(db: Db<'_>, prefix: &str) -> Result<Vec<(String, SettingValue)>> {
    let prefix = prefix.to_lowercase();
    db.all(
        "SELECT key, value FROM settings WHERE key_key >= ?1 AND key_key < ?2 ORDER BY key_key",
        params![prefix, format!("{prefix}\u{10ffff}")],
        |row| Ok((row.get(0)?, setting_value(row, 1)?)),
    )
}

pub(super) fn set_setting(
    w: &mut Definitions<'_>,
    key: &str,
    value: Option<&SettingValue>,
) -> Result<()> {
    match value {
        None => {
            w.db.run("DELETE FROM settings WHERE key_key = ?1", [name_key(key)])?;
        }
        Some(value) => {
            let value = match value {
                SettingValue::Text(text) => Value::Text(text.clone()),
                SettingValue::Number(number) => Value::Integer(*number),
                SettingValue::Bytes(bytes) => Value::Blob(bytes.clone()),
            };
            w.db.run(
                "INSERT OR REPLACE INTO settings (key_key, key, value) VALUES (?1, ?2, ?3)",
                params![name_key(key), key, value],
            )?;
        }
    }
    w.change(Change::SettingChanged(key.to_owned()));
    Ok(())
}

pub(super) fn agent_info(db: Db<'_>) -> Result<Vec<(String, String)>> {
    db.all(
        "SELECT attribute, value FROM agent_info ORDER BY attribute_key",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(super) fn set_agent_info(
    w: &mut Definitions<'_>,
    attribute: &str,
    value: Option<&str>,
) -> Result<()> {
    match value {
        None => w.db.run(
            "DELETE FROM agent_info WHERE attribute_key = ?1",
            [name_key(attribute)],
        )?,
        Some(value) => w.db.run(
            "INSERT OR REPLACE INTO agent_info (attribute_key, attribute, value) VALUES (?1, ?2, ?3)",
            params![name_key(attribute), attribute, value],
        )?,
    };
    w.change(Change::SettingChanged(attribute.to_owned()));
    Ok(())
}

pub(super) fn audit_rows(db: Db<'_>, after: i64, limit: usize) -> Result<Vec<AuditRecord>> {
    db.all(
        "SELECT audit_id, at, principal, action, object, detail FROM audit WHERE audit_id > ?1
         ORDER BY audit_id LIMIT ?2",
        params![after, page(limit)],
        |row| {
            Ok(AuditRecord {
                id: row.get(0)?,
                entry: AuditEntry {
                    at: instant(row, 1)?,
                    principal: row.get(2)?,
                    action: row.get(3)?,
                    object: row.get(4)?,
                    detail: row.get(5)?,
                },
            })
        },
    )
}

pub(super) fn audit(w: &mut Definitions<'_>, entry: &AuditEntry) -> Result<()> {
    w.db.run(
        "INSERT INTO audit (at, principal, action, object, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            At(entry.at),
            entry.principal,
            entry.action,
            entry.object,
            entry.detail
        ],
    )?;
    Ok(())
}
