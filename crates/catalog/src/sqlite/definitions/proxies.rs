//! Credentials, proxies and subsystems.

use super::Definitions;
use crate::sqlite::codec::{At, Db, found, instant, taken};
use crate::{
    CatalogError, Change, Credential, Object, Proxy, ProxyLogin, ProxySubsystem, Result,
    SubsystemInfo, name_key,
};
use model::JobId;
use rusqlite::{Row, params};

macro_rules! credential_columns {
    () => {
        "credential_id, name, identity, sealed_secret, created, modified"
    };
}

fn read_credential(row: &Row<'_>) -> rusqlite::Result<Credential> {
    Ok(Credential {
        id: row.get(0)?,
        name: row.get(1)?,
        identity: row.get(2)?,
        sealed_secret: row.get(3)?,
        created: instant(row, 4)?,
        modified: instant(row, 5)?,
    })
}

pub(super) fn credential(db: Db<'_>, id: i64) -> Result<Option<Credential>> {
    db.one(
        concat!(
            "SELECT ",
            credential_columns!(),
            " FROM credentials WHERE credential_id = ?1"
        ),
        [id],
        read_credential,
    )
}

pub(super) fn credential_by_name(db: Db<'_>, name: &str) -> Result<Option<Credential>> {
    db.one(
        concat!(
            "SELECT ",
            credential_columns!(),
            " FROM credentials WHERE name_key = ?1"
        ),
        [name_key(name)],
        read_credential,
    )
}

pub(super) fn credentials(db: Db<'_>) -> Result<Vec<Credential>> {
    db.all(
        concat!(
            "SELECT ",
            credential_columns!(),
            " FROM credentials ORDER BY credential_id"
        ),
        [],
        read_credential,
    )
}

pub(super) fn create_credential(w: &mut Definitions<'_>, credential: &Credential) -> Result<i64> {
    let result = w.db.insert(
        "INSERT INTO credentials (name, identity, sealed_secret, created, modified, name_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            credential.name,
            credential.identity,
            credential.sealed_secret,
            At(credential.created),
            At(credential.modified),
            name_key(&credential.name)
        ],
    );
    let id = taken(result, Object::Credential, &credential.name)?;
    w.change(Change::CredentialChanged(credential.name.clone()));
    Ok(id)
}

pub(super) fn update_credential(w: &mut Definitions<'_>, credential: &Credential) -> Result<()> {
    let result = w.db.run(
        "UPDATE credentials SET name = ?2, identity = ?3, sealed_secret = ?4, modified = ?5, name_key = ?6
         WHERE credential_id = ?1",
        params![
            credential.id,
            credential.name,
            credential.identity,
            credential.sealed_secret,
            At(credential.modified),
            name_key(&credential.name)
        ],
    );
    found(
        taken(result, Object::Credential, &credential.name)?,
        Object::Credential,
        credential.id,
    )?;
    w.change(Change::CredentialChanged(credential.name.clone()));
    Ok(())
}

pub(super) fn delete_credential(w: &mut Definitions<'_>, id: i64) -> Result<()> {
    let stored =
        credential(w.db, id)?.ok_or_else(|| CatalogError::not_found(Object::Credential, id))?;
    let user: Option<String> = w.db.one(
        "SELECT name FROM proxies WHERE credential_id = ?1",
        [id],
        |row| row.get(0),
    )?;
    if let Some(proxy) = user {
        return Err(CatalogError::InUse {
            object: Object::Credential,
            name: stored.name,
            by: format!("proxy {proxy:?}"),
        });
    }
    w.db.run("DELETE FROM credentials WHERE credential_id = ?1", [id])?;
    w.change(Change::CredentialChanged(stored.name));
    Ok(())
}

macro_rules! proxy_columns {
    () => {
        "proxy_id, name, credential_id, enabled, description, user_sid"
    };
}

fn read_proxy(row: &Row<'_>) -> rusqlite::Result<Proxy> {
    Ok(Proxy {
        id: row.get(0)?,
        name: row.get(1)?,
        credential_id: row.get(2)?,
        enabled: row.get(3)?,
        description: row.get(4)?,
        user_sid: row.get(5)?,
    })
}

pub(super) fn proxy(db: Db<'_>, id: i64) -> Result<Option<Proxy>> {
    db.one(
        concat!(
            "SELECT ",
            proxy_columns!(),
            " FROM proxies WHERE proxy_id = ?1"
        ),
        [id],
        read_proxy,
    )
}

pub(super) fn proxy_by_name(db: Db<'_>, name: &str) -> Result<Option<Proxy>> {
    db.one(
        concat!(
            "SELECT ",
            proxy_columns!(),
            " FROM proxies WHERE name_key = ?1"
        ),
        [name_key(name)],
        read_proxy,
    )
}

pub(super) fn proxies(db: Db<'_>) -> Result<Vec<Proxy>> {
    db.all(
        concat!(
            "SELECT ",
            proxy_columns!(),
            " FROM proxies ORDER BY proxy_id"
        ),
        [],
        read_proxy,
    )
}

fn credential_must_exist(db: Db<'_>, id: i64) -> Result<()> {
    if credential(db, id)?.is_some() {
        Ok(())
    } else {
        Err(CatalogError::not_found(Object::Credential, id))
    }
}

fn proxy_must_exist(db: Db<'_>, id: i64) -> Result<Proxy> {
    proxy(db, id)?.ok_or_else(|| CatalogError::not_found(Object::Proxy, id))
}

pub(super) fn create_proxy(w: &mut Definitions<'_>, proxy: &Proxy) -> Result<i64> {
    credential_must_exist(w.db, proxy.credential_id)?;
    let result = w.db.insert(
        "INSERT INTO proxies (name, credential_id, enabled, description, user_sid, name_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            proxy.name,
            proxy.credential_id,
            proxy.enabled,
            proxy.description,
            proxy.user_sid,
            name_key(&proxy.name)
        ],
    );
    let id = taken(result, Object::Proxy, &proxy.name)?;
    w.change(Change::ProxiesChanged);
    Ok(id)
}

pub(super) fn update_proxy(w: &mut Definitions<'_>, given: &Proxy) -> Result<()> {
    w.atomically(|w| {
        let stored = proxy_must_exist(w.db, given.id)?;
        credential_must_exist(w.db, given.credential_id)?;
        let result = w.db.run(
            "UPDATE proxies SET name = ?2, credential_id = ?3, enabled = ?4, description = ?5,
                 user_sid = ?6, name_key = ?7 WHERE proxy_id = ?1",
            params![
                given.id,
                given.name,
                given.credential_id,
                given.enabled,
                given.description,
                given.user_sid,
                name_key(&given.name)
            ],
        );
        taken(result, Object::Proxy, &given.name)?;
        if stored.name != given.name {
            let jobs: Vec<JobId> = super::jobs::steps_using_proxy(w.db, &stored.name)?
                .into_iter()
                .map(|(job, _)| job)
                .collect();
            w.db.run(
                "UPDATE job_steps SET proxy_name = ?2, proxy_key = ?3 WHERE proxy_key = ?1",
                params![name_key(&stored.name), given.name, name_key(&given.name)],
            )?;
            for job in jobs {
                w.change(Change::JobChanged(job));
            }
        }
        w.change(Change::ProxiesChanged);
        Ok(())
    })
}

pub(super) fn delete_proxy(w: &mut Definitions<'_>, id: i64) -> Result<()> {
    let stored = proxy_must_exist(w.db, id)?;
    let users = super::jobs::steps_using_proxy(w.db, &stored.name)?;
    if let Some((job, step)) = users.first() {
        return Err(CatalogError::InUse {
            object: Object::Proxy,
            name: stored.name,
            by: format!("step {} of job {job}", step.step_id),
        });
    }
    w.db.run("DELETE FROM proxies WHERE proxy_id = ?1", [id])?;
    w.change(Change::ProxiesChanged);
    Ok(())
}

pub(super) fn proxy_logins(db: Db<'_>, proxy: Option<i64>) -> Result<Vec<ProxyLogin>> {
    let read = |row: &Row<'_>| {
        Ok(ProxyLogin {
            proxy: row.get(0)?,
            sid: row.get(1)?,
            flags: row.get(2)?,
            name: row.get(3)?,
        })
    };
    match proxy {
        None => db.all(
            "SELECT proxy_id, sid, flags, name FROM proxy_logins ORDER BY proxy_id, name_key",
            [],
            read,
        ),
        Some(proxy) => db.all(
            "SELECT proxy_id, sid, flags, name FROM proxy_logins WHERE proxy_id = ?1 ORDER BY name_key",
            [proxy],
            read,
        ),
    }
}

pub(super) fn proxy_subsystems(db: Db<'_>, proxy: Option<i64>) -> Result<Vec<ProxySubsystem>> {
    let read = |row: &Row<'_>| {
        Ok(ProxySubsystem {
            proxy: row.get(0)?,
            subsystem: row.get(1)?,
        })
    };
    match proxy {
        None => db.all(
            "SELECT proxy_id, subsystem_id FROM proxy_subsystems ORDER BY proxy_id, subsystem_id",
            [],
            read,
        ),
        Some(proxy) => db.all(
            "SELECT proxy_id, subsystem_id FROM proxy_subsystems WHERE proxy_id = ?1
             ORDER BY subsystem_id",
            [proxy],
            read,
        ),
    }
}

pub(super) fn grant_proxy_login(w: &mut Definitions<'_>, grant: &ProxyLogin) -> Result<()> {
    proxy_must_exist(w.db, grant.proxy)?;
    let result = w.db.run(
        "INSERT INTO proxy_logins (proxy_id, name, name_key, sid, flags) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            grant.proxy,
            grant.name,
            name_key(&grant.name),
            grant.sid,
            grant.flags
        ],
    );
    taken(result, Object::ProxyLogin, &grant.name)?;
    w.change(Change::ProxiesChanged);
    Ok(())
}

pub(super) fn revoke_proxy_login(w: &mut Definitions<'_>, proxy: i64, name: &str) -> Result<()> {
    let removed = w.db.run(
        "DELETE FROM proxy_logins WHERE proxy_id = ?1 AND name_key = ?2",
        params![proxy, name_key(name)],
    )?;
    found(removed, Object::ProxyLogin, name)?;
    w.change(Change::ProxiesChanged);
    Ok(())
}

pub(super) fn grant_proxy_subsystem(w: &mut Definitions<'_>, grant: ProxySubsystem) -> Result<()> {
    proxy_must_exist(w.db, grant.proxy)?;
    let known = w.db.any(
        "SELECT 1 FROM subsystems WHERE subsystem_id = ?1",
        [grant.subsystem],
    )?;
    if !known {
        return Err(CatalogError::not_found(
            Object::ProxySubsystem,
            grant.subsystem,
        ));
    }
    let result = w.db.run(
        "INSERT INTO proxy_subsystems (proxy_id, subsystem_id) VALUES (?1, ?2)",
        params![grant.proxy, grant.subsystem],
    );
    taken(result, Object::ProxySubsystem, grant.subsystem)?;
    w.change(Change::ProxiesChanged);
    Ok(())
}

pub(super) fn revoke_proxy_subsystem(w: &mut Definitions<'_>, grant: ProxySubsystem) -> Result<()> {
    let removed = w.db.run(
        "DELETE FROM proxy_subsystems WHERE proxy_id = ?1 AND subsystem_id = ?2",
        params![grant.proxy, grant.subsystem],
    )?;
    found(removed, Object::ProxySubsystem, grant.subsystem)?;
    w.change(Change::ProxiesChanged);
    Ok(())
}

pub(super) fn subsystems(db: Db<'_>) -> Result<Vec<SubsystemInfo>> {
    db.all(
        "SELECT subsystem_id, name, description_id, max_worker_threads FROM subsystems
         ORDER BY subsystem_id",
        [],
        |row| {
            Ok(SubsystemInfo {
                id: row.get(0)?,
                name: row.get(1)?,
                description_id: row.get(2)?,
                max_worker_threads: row.get(3)?,
            })
        },
    )
}

pub(super) fn replace_subsystems(
    w: &mut Definitions<'_>,
    subsystems: &[SubsystemInfo],
) -> Result<()> {
    w.atomically(|w| {
        w.db.run("DELETE FROM subsystems", [])?;
        for subsystem in subsystems {
            let result = w.db.run(
                "INSERT INTO subsystems (subsystem_id, name, description_id, max_worker_threads)
                 VALUES (?1, ?2, ?3, ?4)",
                params![
                    subsystem.id,
                    subsystem.name,
                    subsystem.description_id,
                    subsystem.max_worker_threads
                ],
            );
            taken(result, Object::ProxySubsystem, &subsystem.name)?;
        }
        w.change(Change::ProxiesChanged);
        Ok(())
    })
}
