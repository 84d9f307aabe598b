//! Target servers, their groups, and this instance's own enlistment.

use super::Definitions;
use crate::sqlite::codec::{
    At, Bytes16, Db, Unsigned, at, found, instant, limit, optional_at, taken, unsigned, uuid,
};
use crate::{
    CatalogError, Change, EnlistmentRow, NewTarget, Object, OriginatingServer, Result,
    TargetFilter, TargetGroup, TargetGroupMember, TargetServer, name_key,
};
use jiff::Timestamp;
use model::{Enlistment, Generation, InstanceId, InstructionNumber, JobId, ServerId};
use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};

/// How far above the last generation given out a target's own may lie to be believed; a claim beyond that is
/// taken for nonsense, lest one target use up the numbers.
const GENERATION_LEAD_MAX: i64 = 1 << 32;

/// `originating_server_id` of the master.
const MASTER_ORIGIN: i64 = 1;

macro_rules! target_columns {
    () => {
        "server_id, name, location, utc_offset_minutes, enlisted, enlisted_by, poll_interval_secs, \
         generation, instance_id, fingerprint, certificate_serial, certificate_expires, version, \
         last_number"
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<TargetServer> {
    Ok(TargetServer {
        id: ServerId(row.get(0)?),
        name: row.get(1)?,
        location: row.get(2)?,
        utc_offset_minutes: row.get(3)?,
        enlisted: instant(row, 4)?,
        enlisted_by: row.get(5)?,
        poll_interval_secs: row.get(6)?,
        generation: Generation(unsigned(row, 7)?),
        instance: InstanceId(uuid(row, 8)?),
        fingerprint: row.get(9)?,
        certificate_serial: row.get(10)?,
        certificate_expires: optional_at(row, 11)?,
        version: row.get(12)?,
        last_number: InstructionNumber(unsigned(row, 13)?),
    })
}

pub(super) fn target(db: Db<'_>, id: ServerId) -> Result<Option<TargetServer>> {
    db.one(
        concat!(
            "SELECT ",
            target_columns!(),
            " FROM target_servers WHERE server_id = ?1"
        ),
        [id.0],
        read,
    )
}

pub(super) fn target_by_name(db: Db<'_>, name: &str) -> Result<Option<TargetServer>> {
    db.one(
        concat!(
            "SELECT ",
            target_columns!(),
            " FROM target_servers WHERE name_key = ?1"
        ),
        [name_key(name)],
        read,
    )
}

pub(super) fn target_by_instance(db: Db<'_>, instance: InstanceId) -> Result<Option<TargetServer>> {
    db.one(
        concat!(
            "SELECT ",
            target_columns!(),
            " FROM target_servers WHERE instance_id = ?1"
        ),
        [Bytes16(instance.0)],
        read,
    )
}

pub(super) fn targets(db: Db<'_>, filter: &TargetFilter) -> Result<Vec<TargetServer>> {
    let mut sql = String::from(concat!(
        "SELECT ",
        target_columns!(),
        " FROM target_servers WHERE server_id > ?"
    ));
    let mut values: Vec<Value> = vec![filter.after.unwrap_or_default().0.into()];
    if let Some(job) = filter.job {
        sql.push_str(" AND server_id IN (SELECT server_id FROM job_servers WHERE job_id = ?)");
        values.push(job.0.as_bytes().to_vec().into());
    }
    sql.push_str(" ORDER BY server_id LIMIT ?");
    values.push(limit(filter.limit).into());
    db.all(&sql, params_from_iter(values), read)
}

pub(super) fn target_count(db: Db<'_>) -> Result<u64> {
    db.sure("SELECT count(*) FROM target_servers", [], |row| {
        unsigned(row, 0)
    })
}

/// `NotFound` unless the target is enlisted.
pub(super) fn must_exist(db: Db<'_>, server: ServerId) -> Result<()> {
    let known = db.any(
        "SELECT 1 FROM target_servers WHERE server_id = ?1",
        [server.0],
    )?;
    if known {
        Ok(())
    } else {
        Err(CatalogError::not_found(Object::TargetServer, server))
    }
}

pub(super) fn enlist_target(w: &mut Definitions<'_>, target: &NewTarget) -> Result<TargetServer> {
    w.atomically(|w| {
        let other = target_by_instance(w.db, target.instance)?
            .filter(|other| name_key(&other.name) != name_key(&target.name));
        if let Some(other) = other {
            return Err(CatalogError::already_exists(
                Object::TargetServer,
                other.name,
            ));
        }
        let claimed = target.previous_generation.map_or(0, |claimed| claimed.0);
        let generation: u64 = w.db.sure(
            "UPDATE instance SET last_generation = 1 + CASE
                 WHEN ?1 BETWEEN last_generation AND last_generation + ?2 THEN ?1
                 ELSE last_generation END
             RETURNING last_generation",
            [i64::try_from(claimed).unwrap_or(0), GENERATION_LEAD_MAX],
            |row| unsigned(row, 0),
        )?;
        let id: i64 = w.db.sure(
            "INSERT INTO target_servers (name, name_key, location, utc_offset_minutes, enlisted,
                 enlisted_by, poll_interval_secs, generation, instance_id, version)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (name_key) DO UPDATE SET name = excluded.name,
                 location = excluded.location, utc_offset_minutes = excluded.utc_offset_minutes,
                 enlisted = excluded.enlisted, enlisted_by = excluded.enlisted_by,
                 poll_interval_secs = excluded.poll_interval_secs,
                 generation = excluded.generation, instance_id = excluded.instance_id,
                 version = excluded.version, fingerprint = NULL, certificate_serial = NULL,
                 certificate_expires = NULL
             RETURNING server_id",
            params![
                target.name,
                name_key(&target.name),
                target.location,
                target.utc_offset_minutes,
                At(target.enlisted),
                target.enlisted_by,
                target.poll_interval_secs,
                Unsigned(generation),
                Bytes16(target.instance.0),
                target.version,
            ],
            |row| row.get(0),
        )?;
        let id = ServerId(id);
        w.mark("enlist_target");
        w.change(Change::TargetChanged(id));
        self::target(w.db, id)?
            .ok_or_else(|| CatalogError::not_found(Object::TargetServer, &target.name))
    })
}

pub(super) fn set_target_certificate(
    w: &mut Definitions<'_>,
    server: ServerId,
    fingerprint: &[u8],
    serial: &[u8],
    expires: Timestamp,
) -> Result<()> {
    let changed = w.db.run(
        "UPDATE target_servers SET fingerprint = ?2, certificate_serial = ?3, certificate_expires = ?4
         WHERE server_id = ?1",
        params![server.0, fingerprint, serial, At(expires)],
    )?;
    found(changed, Object::TargetServer, server)?;
    w.change(Change::TargetChanged(server));
    Ok(())
}

pub(super) fn update_target(w: &mut Definitions<'_>, target: &TargetServer) -> Result<()> {
    let result = w.db.run(
        "UPDATE target_servers SET name = ?2, name_key = ?3, location = ?4, utc_offset_minutes = ?5,
             poll_interval_secs = ?6, version = ?7 WHERE server_id = ?1",
        params![
            target.id.0,
            target.name,
            name_key(&target.name),
            target.location,
            target.utc_offset_minutes,
            target.poll_interval_secs,
            target.version
        ],
    );
    found(
        taken(result, Object::TargetServer, &target.name)?,
        Object::TargetServer,
        target.id,
    )?;
    w.change(Change::TargetChanged(target.id));
    Ok(())
}

pub(super) fn delete_target(w: &mut Definitions<'_>, server: ServerId) -> Result<()> {
    w.atomically(|w| {
        let stored = target(w.db, server)?
            .ok_or_else(|| CatalogError::not_found(Object::TargetServer, server))?;
        let jobs = super::jobs::job_servers(w.db, None, Some(server))?;
        w.db.run("DELETE FROM job_servers WHERE server_id = ?1", [server.0])?;
        w.db.run(
            "DELETE FROM target_servers WHERE server_id = ?1",
            [server.0],
        )?;
        for row in jobs {
            w.change(Change::JobTargetsChanged(row.job));
        }
        w.change(Change::TargetRemoved {
            server,
            name: stored.name,
        });
        Ok(())
    })
}

fn read_group(row: &Row<'_>) -> rusqlite::Result<TargetGroup> {
    Ok(TargetGroup {
        id: row.get(0)?,
        name: row.get(1)?,
    })
}

pub(super) fn target_groups(db: Db<'_>) -> Result<Vec<TargetGroup>> {
    db.all(
        "SELECT group_id, name FROM target_groups ORDER BY group_id",
        [],
        read_group,
    )
}

pub(super) fn target_group_by_name(db: Db<'_>, name: &str) -> Result<Option<TargetGroup>> {
    db.one(
        "SELECT group_id, name FROM target_groups WHERE name_key = ?1",
        [name_key(name)],
        read_group,
    )
}

pub(super) fn target_group_members(
    db: Db<'_>,
    group: Option<i64>,
) -> Result<Vec<TargetGroupMember>> {
    let read = |row: &Row<'_>| {
        Ok(TargetGroupMember {
            group: row.get(0)?,
            server: ServerId(row.get(1)?),
        })
    };
    match group {
        None => db.all(
            "SELECT group_id, server_id FROM target_group_members ORDER BY group_id, server_id",
            [],
            read,
        ),
        Some(group) => db.all(
            "SELECT group_id, server_id FROM target_group_members WHERE group_id = ?1
             ORDER BY server_id",
            [group],
            read,
        ),
    }
}

pub(super) fn create_target_group(w: &mut Definitions<'_>, name: &str) -> Result<i64> {
    let result = w.db.insert(
        "INSERT INTO target_groups (name, name_key) VALUES (?1, ?2)",
        params![name, name_key(name)],
    );
    let id = taken(result, Object::TargetGroup, name)?;
    w.change(Change::TargetGroupsChanged);
    Ok(id)
}

pub(super) fn rename_target_group(w: &mut Definitions<'_>, id: i64, name: &str) -> Result<()> {
    let result = w.db.run(
        "UPDATE target_groups SET name = ?2, name_key = ?3 WHERE group_id = ?1",
        params![id, name, name_key(name)],
    );
    found(
        taken(result, Object::TargetGroup, name)?,
        Object::TargetGroup,
        id,
    )?;
    w.change(Change::TargetGroupsChanged);
    Ok(())
}

pub(super) fn delete_target_group(w: &mut Definitions<'_>, id: i64) -> Result<()> {
    let removed =
        w.db.run("DELETE FROM target_groups WHERE group_id = ?1", [id])?;
    found(removed, Object::TargetGroup, id)?;
    w.change(Change::TargetGroupsChanged);
    Ok(())
}

pub(super) fn add_target_group_member(
    w: &mut Definitions<'_>,
    member: TargetGroupMember,
) -> Result<()> {
    must_exist(w.db, member.server)?;
    let known = w.db.any(
        "SELECT 1 FROM target_groups WHERE group_id = ?1",
        [member.group],
    )?;
    if !known {
        return Err(CatalogError::not_found(Object::TargetGroup, member.group));
    }
    let result = w.db.run(
        "INSERT INTO target_group_members (group_id, server_id) VALUES (?1, ?2)",
        params![member.group, member.server.0],
    );
    taken(result, Object::TargetGroupMember, member.server)?;
    w.change(Change::TargetGroupsChanged);
    Ok(())
}

pub(super) fn remove_target_group_member(
    w: &mut Definitions<'_>,
    member: TargetGroupMember,
) -> Result<()> {
    let removed = w.db.run(
        "DELETE FROM target_group_members WHERE group_id = ?1 AND server_id = ?2",
        params![member.group, member.server.0],
    )?;
    found(removed, Object::TargetGroupMember, member.server)?;
    w.change(Change::TargetGroupsChanged);
    Ok(())
}

pub(super) fn enlistment(db: Db<'_>) -> Result<Option<EnlistmentRow>> {
    db.one(
        "SELECT master_name, master_address, master_id, generation, enlisted, poll_interval_secs,
             location, encryption, pinned_ca_pem, certificate_pem, certificate_expires, sealed_key
         FROM enlistment WHERE one = 1",
        [],
        |row| {
            Ok(EnlistmentRow {
                enlistment: Enlistment {
                    master_name: row.get(0)?,
                    master_address: row.get(1)?,
                    master_id: InstanceId(uuid(row, 2)?),
                    generation: Generation(unsigned(row, 3)?),
                    enlisted: instant(row, 4)?,
                    poll_interval_secs: row.get(5)?,
                },
                location: row.get(6)?,
                encryption: row.get(7)?,
                pinned_ca_pem: row.get(8)?,
                certificate_pem: row.get(9)?,
                certificate_expires: optional_at(row, 10)?,
                sealed_key: row.get(11)?,
            })
        },
    )
}

pub(super) fn set_enlistment(w: &mut Definitions<'_>, row: &EnlistmentRow) -> Result<()> {
    w.atomically(|w| {
        let enlistment = &row.enlistment;
        w.db.run(
            "INSERT OR REPLACE INTO enlistment (one, master_name, master_address, master_id, generation,
                 enlisted, poll_interval_secs, location, encryption, pinned_ca_pem, certificate_pem,
                 certificate_expires, sealed_key)
             VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                enlistment.master_name,
                enlistment.master_address,
                Bytes16(enlistment.master_id.0),
                Unsigned(enlistment.generation.0),
                At(enlistment.enlisted),
                enlistment.poll_interval_secs,
                row.location,
                row.encryption,
                row.pinned_ca_pem,
                row.certificate_pem,
                at(row.certificate_expires),
                row.sealed_key,
            ],
        )?;
        w.db.run(
            "INSERT OR REPLACE INTO originating_servers (originating_server_id, name, master)
             VALUES (?1, ?2, 1)",
            params![MASTER_ORIGIN, enlistment.master_name],
        )?;
        w.mark("set_enlistment");
        w.change(Change::EnlistmentChanged);
        Ok(())
    })
}

pub(super) fn clear_enlistment(w: &mut Definitions<'_>) -> Result<bool> {
    w.atomically(|w| {
        let removed = w.db.run("DELETE FROM enlistment WHERE one = 1", [])?;
        w.db.run(
            "DELETE FROM originating_servers WHERE originating_server_id = ?1",
            [MASTER_ORIGIN],
        )?;
        w.mark("set_enlistment");
        w.change(Change::EnlistmentChanged);
        Ok(removed > 0)
    })
}

pub(super) fn originating_servers(db: Db<'_>) -> Result<Vec<OriginatingServer>> {
    db.all(
        "SELECT originating_server_id, name, master FROM originating_servers
         ORDER BY originating_server_id",
        [],
        |row| {
            Ok(OriginatingServer {
                id: row.get(0)?,
                name: row.get(1)?,
                master: row.get(2)?,
            })
        },
    )
}

/// Targets of a job, this server left out.
pub(super) fn remote_targets(db: Db<'_>, job: JobId) -> Result<Vec<ServerId>> {
    db.all(
        "SELECT server_id FROM job_servers WHERE job_id = ?1 AND server_id > 0 ORDER BY server_id",
        [Bytes16(job.0)],
        |row| Ok(ServerId(row.get(0)?)),
    )
}
