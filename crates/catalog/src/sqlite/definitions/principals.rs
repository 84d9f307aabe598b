//! Logins, users, roles, grants and tokens.

use super::Definitions;
use crate::sqlite::codec::{At, Db, found, instant, taken};
use crate::{
    Change, DatabaseUser, Grant, GrantState, Login, Object, Result, RoleMember, Token, name_key,
};
use jiff::Timestamp;
use rusqlite::{Row, params};

macro_rules! login_columns {
    () => {
        "login_id, name, sid, password_hash, enabled, default_database, created, modified"
    };
}

fn read_login(row: &Row<'_>) -> rusqlite::Result<Login> {
    Ok(Login {
        id: row.get(0)?,
        name: row.get(1)?,
        sid: row.get(2)?,
        password_hash: row.get(3)?,
        enabled: row.get(4)?,
        default_database: row.get(5)?,
        created: instant(row, 6)?,
        modified: instant(row, 7)?,
    })
}

pub(super) fn login(db: Db<'_>, name: &str) -> Result<Option<Login>> {
    db.one(
        concat!(
            "SELECT ",
            login_columns!(),
            " FROM logins WHERE name_key = ?1"
        ),
        [name_key(name)],
        read_login,
    )
}

pub(super) fn login_by_sid(db: Db<'_>, sid: &[u8]) -> Result<Option<Login>> {
    db.one(
        concat!("SELECT ", login_columns!(), " FROM logins WHERE sid = ?1"),
        [sid],
        read_login,
    )
}

pub(super) fn logins(db: Db<'_>) -> Result<Vec<Login>> {
    db.all(
        concat!(
            "SELECT ",
            login_columns!(),
            " FROM logins ORDER BY login_id"
        ),
        [],
        read_login,
    )
}

pub(super) fn create_login(w: &mut Definitions<'_>, login: &Login) -> Result<i64> {
    let result = w.db.insert(
        "INSERT INTO logins (name, sid, password_hash, enabled, default_database, created, modified,
             name_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            login.name,
            login.sid,
            login.password_hash,
            login.enabled,
            login.default_database,
            At(login.created),
            At(login.modified),
            name_key(&login.name),
        ],
    );
    let id = taken(result, Object::Login, &login.name)?;
    w.change(Change::LoginChanged(login.name.clone()));
    Ok(id)
}

pub(super) fn update_login(w: &mut Definitions<'_>, login: &Login) -> Result<()> {
    w.atomically(|w| {
        let stored = login_by_sid(w.db, &login.sid)?
            .ok_or_else(|| crate::CatalogError::not_found(Object::Login, &login.name))?;
        let result = w.db.run(
            "UPDATE logins SET name = ?2, password_hash = ?3, enabled = ?4, default_database = ?5,
                 modified = ?6, name_key = ?7 WHERE sid = ?1",
            params![
                login.sid,
                login.name,
                login.password_hash,
                login.enabled,
                login.default_database,
                At(login.modified),
                name_key(&login.name),
            ],
        );
        taken(result, Object::Login, &login.name)?;
        if stored.name != login.name {
            w.db.run(
                "UPDATE role_members SET member = ?2, member_key = ?3
                 WHERE database_key = '' AND member_key = ?1",
                params![name_key(&stored.name), login.name, name_key(&login.name)],
            )?;
            w.change(Change::LoginChanged(stored.name));
        }
        w.change(Change::LoginChanged(login.name.clone()));
        Ok(())
    })
}

pub(super) fn delete_login(w: &mut Definitions<'_>, name: &str) -> Result<()> {
    w.atomically(|w| {
        let removed =
            w.db.run("DELETE FROM logins WHERE name_key = ?1", [name_key(name)])?;
        found(removed, Object::Login, name)?;
        w.db.run(
            "DELETE FROM role_members WHERE database_key = '' AND member_key = ?1",
            [name_key(name)],
        )?;
        w.change(Change::LoginChanged(name.to_owned()));
        Ok(())
    })
}

/// Tells that principals of a database changed; a login when the database is the server.
fn principals_changed(w: &mut Definitions<'_>, database: &str, member: &str) {
    w.change(if database.is_empty() {
        Change::LoginChanged(member.to_owned())
    } else {
        Change::DatabasePrincipalsChanged(database.to_owned())
    });
}

pub(super) fn role_members(db: Db<'_>, database: &str) -> Result<Vec<RoleMember>> {
    db.all(
        "SELECT database, role, member FROM role_members WHERE database_key = ?1
         ORDER BY role_key, member_key",
        [name_key(database)],
        |row| {
            Ok(RoleMember {
                database: row.get(0)?,
                role: row.get(1)?,
                member: row.get(2)?,
            })
        },
    )
}

pub(super) fn is_role_member(db: Db<'_>, database: &str, role: &str, member: &str) -> Result<bool> {
    db.any(
        "SELECT 1 FROM role_members WHERE database_key = ?1 AND role_key = ?2 AND member_key = ?3",
        params![name_key(database), name_key(role), name_key(member)],
    )
}

pub(super) fn add_role_member(w: &mut Definitions<'_>, member: &RoleMember) -> Result<bool> {
    let added = w.db.run(
        "INSERT INTO role_members (database, database_key, role, role_key, member, member_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            member.database,
            name_key(&member.database),
            member.role,
            name_key(&member.role),
            member.member,
            name_key(&member.member)
        ],
    )?;
    if added > 0 {
        principals_changed(w, &member.database, &member.member);
    }
    Ok(added > 0)
}

pub(super) fn remove_role_member(w: &mut Definitions<'_>, member: &RoleMember) -> Result<bool> {
    let removed = w.db.run(
        "DELETE FROM role_members WHERE database_key = ?1 AND role_key = ?2 AND member_key = ?3",
        params![
            name_key(&member.database),
            name_key(&member.role),
            name_key(&member.member)
        ],
    )?;
    if removed > 0 {
        principals_changed(w, &member.database, &member.member);
    }
    Ok(removed > 0)
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<DatabaseUser> {
    Ok(DatabaseUser {
        id: row.get(0)?,
        database: row.get(1)?,
        name: row.get(2)?,
        sid: row.get(3)?,
        created: instant(row, 4)?,
    })
}

pub(super) fn database_user(
    db: Db<'_>,
    database: &str,
    name: &str,
) -> Result<Option<DatabaseUser>> {
    db.one(
        "SELECT user_id, database, name, sid, created FROM database_users
         WHERE database_key = ?1 AND name_key = ?2",
        params![name_key(database), name_key(name)],
        read_user,
    )
}

pub(super) fn database_user_by_sid(
    db: Db<'_>,
    database: &str,
    sid: &[u8],
) -> Result<Option<DatabaseUser>> {
    db.one(
        "SELECT user_id, database, name, sid, created FROM database_users
         WHERE database_key = ?1 AND sid = ?2",
        params![name_key(database), sid],
        read_user,
    )
}

pub(super) fn database_users(db: Db<'_>, database: &str) -> Result<Vec<DatabaseUser>> {
    let mut users = db.all(
        "SELECT user_id, database, name, sid, created FROM database_users WHERE database_key = ?1",
        [name_key(database)],
        read_user,
    )?;
    users.sort_by_key(|user| user.id);
    Ok(users)
}

pub(super) fn create_database_user(w: &mut Definitions<'_>, user: &DatabaseUser) -> Result<i64> {
    let result = w.db.insert(
        "INSERT INTO database_users (database, database_key, name, name_key, sid, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            user.database,
            name_key(&user.database),
            user.name,
            name_key(&user.name),
            user.sid,
            At(user.created)
        ],
    );
    let id = taken(result, Object::DatabaseUser, &user.name)?;
    w.change(Change::DatabasePrincipalsChanged(user.database.clone()));
    Ok(id)
}

pub(super) fn delete_database_user(
    w: &mut Definitions<'_>,
    database: &str,
    name: &str,
) -> Result<()> {
    w.atomically(|w| {
        let keys = params![name_key(database), name_key(name)];
        let removed = w.db.run(
            "DELETE FROM database_users WHERE database_key = ?1 AND name_key = ?2",
            keys,
        )?;
        found(removed, Object::DatabaseUser, name)?;
        w.db.run(
            "DELETE FROM role_members WHERE database_key = ?1 AND member_key = ?2",
            params![name_key(database), name_key(name)],
        )?;
        w.db.run(
            "DELETE FROM grants WHERE database_key = ?1 AND grantee_key = ?2",
            params![name_key(database), name_key(name)],
        )?;
        w.change(Change::DatabasePrincipalsChanged(database.to_owned()));
        Ok(())
    })
}

pub(super) fn grants(db: Db<'_>, database: &str) -> Result<Vec<Grant>> {
    db.all(
        "SELECT database, object, grantee, permission, denied FROM grants WHERE database_key = ?1
         ORDER BY object_key, grantee_key, permission_key",
        [name_key(database)],
        |row| {
            let denied: bool = row.get(4)?;
            Ok(Grant {
                database: row.get(0)?,
                object: row.get(1)?,
                grantee: row.get(2)?,
                permission: row.get(3)?,
                state: if denied {
                    GrantState::Denied
                } else {
                    GrantState::Granted
                },
            })
        },
    )
}

pub(super) fn set_grant(w: &mut Definitions<'_>, grant: &Grant) -> Result<()> {
    w.db.run(
        "INSERT OR REPLACE INTO grants (database, database_key, object, object_key, grantee, grantee_key,
             permission, permission_key, denied)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            grant.database,
            name_key(&grant.database),
            grant.object,
            name_key(&grant.object),
            grant.grantee,
            name_key(&grant.grantee),
            grant.permission,
            name_key(&grant.permission),
            grant.state == GrantState::Denied
        ],
    )?;
    w.change(Change::DatabasePrincipalsChanged(grant.database.clone()));
    Ok(())
}

pub(super) fn clear_grant(w: &mut Definitions<'_>, grant: &Grant) -> Result<bool> {
    let removed = w.db.run(
        "DELETE FROM grants WHERE database_key = ?1 AND object_key = ?2 AND grantee_key = ?3
         AND permission_key = ?4",
        params![
            name_key(&grant.database),
            name_key(&grant.object),
            name_key(&grant.grantee),
            name_key(&grant.permission)
        ],
    )?;
    if removed > 0 {
        w.change(Change::DatabasePrincipalsChanged(grant.database.clone()));
    }
    Ok(removed > 0)
}

fn read_token(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        id: row.get(0)?,
        hash: row.get(1)?,
        expires: instant(row, 2)?,
        uses_left: row.get(3)?,
        location: row.get(4)?,
        created: instant(row, 5)?,
        created_by: row.get(6)?,
    })
}

pub(super) fn token(db: Db<'_>, id: &str) -> Result<Option<Token>> {
    db.one(
        "SELECT token_id, hash, expires, uses_left, location, created, created_by FROM tokens
         WHERE token_id = ?1",
        [id],
        read_token,
    )
}

pub(super) fn create_token(w: &mut Definitions<'_>, token: &Token) -> Result<()> {
    let result = w.db.run(
        "INSERT INTO tokens (token_id, hash, expires, uses_left, location, created, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            token.id,
            token.hash,
            At(token.expires),
            token.uses_left,
            token.location,
            At(token.created),
            token.created_by
        ],
    );
    taken(result, Object::Token, &token.id)?;
    Ok(())
}

pub(super) fn use_token(
    w: &mut Definitions<'_>,
    id: &str,
    now: Timestamp,
) -> Result<Option<Token>> {
    w.db.one(
        "UPDATE tokens SET uses_left = uses_left - 1
         WHERE token_id = ?1 AND uses_left > 0 AND expires > ?2
         RETURNING token_id, hash, expires, uses_left, location, created, created_by",
        params![id, At(now)],
        read_token,
    )
}

pub(super) fn trim_tokens(w: &mut Definitions<'_>, now: Timestamp) -> Result<u64> {
    let removed = w.db.run(
        "DELETE FROM tokens WHERE token_id IN
             (SELECT token_id FROM tokens WHERE expires <= ?1 OR uses_left = 0)",
        [At(now)],
    )?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}
