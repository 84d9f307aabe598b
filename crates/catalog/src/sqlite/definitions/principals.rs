//! Logins, users, roles, grants and tokens.

use super::Definitions;
use crate::sqlite::codec::{At, Db, decode, found, instant, taken};
use crate::{
    Change, DatabaseUser, Grant, GrantClass, GrantState, Login, Object, PrincipalKind, Result,
    RoleMember, Token, name_key,
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
            rename_principal(w, "", &stored.name, &login.name)?;
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
        forget_principal(w, "", name)?;
        w.change(Change::LoginChanged(name.to_owned()));
        Ok(())
    })
}

/// The new name of a principal goes wherever the old one stands.
fn rename_principal(w: &mut Definitions<'_>, database: &str, old: &str, new: &str) -> Result<()> {
    let names = params![name_key(database), name_key(old), new, name_key(new)];
    w.db.run(
        "UPDATE role_members SET member = ?3, member_key = ?4
         WHERE database_key = ?1 AND member_key = ?2",
        names,
    )?;
    w.db.run(
        "UPDATE role_members SET role = ?3, role_key = ?4
         WHERE database_key = ?1 AND role_key = ?2",
        names,
    )?;
    w.db.run(
        "UPDATE permissions SET grantee = ?3, grantee_key = ?4
         WHERE database_key = ?1 AND grantee_key = ?2",
        names,
    )?;
    w.db.run(
        "UPDATE permissions SET grantor = ?3, grantor_key = ?4
         WHERE database_key = ?1 AND grantor_key = ?2",
        names,
    )?;
    w.db.run(
        "UPDATE permissions SET object = ?3, object_key = ?4
         WHERE database_key = ?1 AND class IN (4, 101) AND object_key = ?2",
        names,
    )?;
    let owners = params![name_key(database), old, new];
    w.db.run(
        "UPDATE database_users SET owner = ?3 WHERE database_key = ?1 AND owner = ?2",
        owners,
    )?;
    Ok(())
}

/// Memberships and permissions of a principal that is gone, and what others may do with it.
fn forget_principal(w: &mut Definitions<'_>, database: &str, name: &str) -> Result<()> {
    let keys = params![name_key(database), name_key(name)];
    w.db.run(
        "DELETE FROM role_members WHERE database_key = ?1 AND member_key = ?2",
        keys,
    )?;
    w.db.run(
        "DELETE FROM role_members WHERE database_key = ?1 AND role_key = ?2",
        keys,
    )?;
    w.db.run(
        "DELETE FROM permissions WHERE database_key = ?1 AND grantee_key = ?2",
        keys,
    )?;
    w.db.run(
        "DELETE FROM permissions WHERE database_key = ?1 AND class IN (4, 101) AND object_key = ?2",
        keys,
    )?;
    Ok(())
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

macro_rules! user_columns {
    () => {
        "user_id, database, name, sid, kind, default_schema, owner, created, modified"
    };
}

const fn kind_code(kind: PrincipalKind) -> i64 {
    match kind {
        PrincipalKind::User => 0,
        PrincipalKind::WithoutLogin => 1,
        PrincipalKind::Role => 2,
    }
}

fn read_user(row: &Row<'_>) -> rusqlite::Result<DatabaseUser> {
    Ok(DatabaseUser {
        id: row.get(0)?,
        database: row.get(1)?,
        name: row.get(2)?,
        sid: row.get(3)?,
        kind: decode(row, 4, "kind of principal", |code| {
            [
                PrincipalKind::User,
                PrincipalKind::WithoutLogin,
                PrincipalKind::Role,
            ]
            .into_iter()
            .find(|kind| kind_code(*kind) == code)
        })?,
        default_schema: row.get(5)?,
        owner: row.get(6)?,
        created: instant(row, 7)?,
        modified: instant(row, 8)?,
    })
}

pub(super) fn database_user(
    db: Db<'_>,
    database: &str,
    name: &str,
) -> Result<Option<DatabaseUser>> {
    db.one(
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM database_users WHERE database_key = ?1 AND name_key = ?2"
        ),
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
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM database_users WHERE database_key = ?1 AND sid = ?2 AND kind <> 2"
        ),
        params![name_key(database), sid],
        read_user,
    )
}

pub(super) fn database_users(db: Db<'_>, database: &str) -> Result<Vec<DatabaseUser>> {
    let mut users = db.all(
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM database_users WHERE database_key = ?1"
        ),
        [name_key(database)],
        read_user,
    )?;
    users.sort_by_key(|user| user.id);
    Ok(users)
}

pub(super) fn create_database_user(w: &mut Definitions<'_>, user: &DatabaseUser) -> Result<i64> {
    let result = w.db.insert(
        "INSERT INTO database_users (database, database_key, name, name_key, sid, kind, default_schema, owner,
             created, modified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            user.database,
            name_key(&user.database),
            user.name,
            name_key(&user.name),
            user.sid,
            kind_code(user.kind),
            user.default_schema,
            user.owner,
            At(user.created),
            At(user.modified)
        ],
    );
    let id = taken(result, Object::DatabaseUser, &user.name)?;
    principals_changed(w, &user.database, &user.name);
    Ok(id)
}

pub(super) fn update_database_user(w: &mut Definitions<'_>, user: &DatabaseUser) -> Result<()> {
    w.atomically(|w| {
        let stored = w
            .db
            .one(
                concat!(
                    "SELECT ",
                    user_columns!(),
                    " FROM database_users WHERE user_id = ?1"
                ),
                [user.id],
                read_user,
            )?
            .ok_or_else(|| crate::CatalogError::not_found(Object::DatabaseUser, &user.name))?;
        let result = w.db.run(
            "UPDATE database_users SET name = ?2, name_key = ?3, sid = ?4, kind = ?5, default_schema = ?6,
                 owner = ?7, modified = ?8 WHERE user_id = ?1",
            params![
                user.id,
                user.name,
                name_key(&user.name),
                user.sid,
                kind_code(user.kind),
                user.default_schema,
                user.owner,
                At(user.modified)
            ],
        );
        taken(result, Object::DatabaseUser, &user.name)?;
        if stored.name != user.name {
            rename_principal(w, &stored.database, &stored.name, &user.name)?;
        }
        principals_changed(w, &stored.database, &user.name);
        Ok(())
    })
}

pub(super) fn delete_database_user(
    w: &mut Definitions<'_>,
    database: &str,
    name: &str,
) -> Result<()> {
    w.atomically(|w| {
        let removed = w.db.run(
            "DELETE FROM database_users WHERE database_key = ?1 AND name_key = ?2",
            params![name_key(database), name_key(name)],
        )?;
        found(removed, Object::DatabaseUser, name)?;
        forget_principal(w, database, name)?;
        principals_changed(w, database, name);
        Ok(())
    })
}

pub(super) fn forget_database(w: &mut Definitions<'_>, database: &str) -> Result<()> {
    w.atomically(|w| {
        let key = name_key(database);
        w.db.run("DELETE FROM database_users WHERE database_key = ?1", [&key])?;
        w.db.run("DELETE FROM role_members WHERE database_key = ?1", [&key])?;
        w.db.run("DELETE FROM permissions WHERE database_key = ?1", [&key])?;
        w.change(Change::DatabasePrincipalsChanged(database.to_owned()));
        Ok(())
    })
}

pub(super) fn forget_securable(
    w: &mut Definitions<'_>,
    database: &str,
    class: GrantClass,
    schema: &str,
    object: &str,
) -> Result<u64> {
    let removed = w.db.run(
        "DELETE FROM permissions WHERE database_key = ?1 AND class = ?2 AND schema_key = ?3 AND object_key = ?4",
        params![
            name_key(database),
            class.code(),
            name_key(schema),
            name_key(object)
        ],
    )?;
    if removed > 0 {
        w.change(Change::DatabasePrincipalsChanged(database.to_owned()));
    }
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

const fn state_code(state: GrantState) -> i64 {
    match state {
        GrantState::Denied => 0,
        GrantState::Granted => 1,
        GrantState::Grantable => 2,
    }
}

pub(super) fn grants(db: Db<'_>, database: &str) -> Result<Vec<Grant>> {
    db.all(
        "SELECT database, class, schema, object, field, grantee, grantor, permission, state
         FROM permissions WHERE database_key = ?1
         ORDER BY class, schema_key, object_key, field_key, grantee_key, permission, grantor_key",
        [name_key(database)],
        |row| {
            Ok(Grant {
                database: row.get(0)?,
                class: decode(row, 1, "class of securables", |code| {
                    GrantClass::ALL
                        .into_iter()
                        .find(|class| class.code() == code)
                })?,
                schema: row.get(2)?,
                object: row.get(3)?,
                column: row.get(4)?,
                grantee: row.get(5)?,
                grantor: row.get(6)?,
                permission: row.get(7)?,
                state: decode(row, 8, "state of a permission", |code| {
                    [
                        GrantState::Denied,
                        GrantState::Granted,
                        GrantState::Grantable,
                    ]
                    .into_iter()
                    .find(|state| state_code(*state) == code)
                })?,
            })
        },
    )
}

pub(super) fn set_grant(w: &mut Definitions<'_>, grant: &Grant) -> Result<()> {
    w.db.run(
        "INSERT OR REPLACE INTO permissions (database, database_key, class, schema, schema_key, object, object_key,
             field, field_key, grantee, grantee_key, permission, grantor, grantor_key, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            grant.database,
            name_key(&grant.database),
            grant.class.code(),
            grant.schema,
            name_key(&grant.schema),
            grant.object,
            name_key(&grant.object),
            grant.column,
            name_key(&grant.column),
            grant.grantee,
            name_key(&grant.grantee),
            grant.permission,
            grant.grantor,
            name_key(&grant.grantor),
            state_code(grant.state)
        ],
    )?;
    principals_changed(w, &grant.database, &grant.grantee);
    Ok(())
}

pub(super) fn clear_grant(w: &mut Definitions<'_>, grant: &Grant) -> Result<bool> {
    let removed = w.db.run(
        "DELETE FROM permissions WHERE database_key = ?1 AND class = ?2 AND schema_key = ?3 AND object_key = ?4
             AND field_key = ?5 AND grantee_key = ?6 AND permission = ?7 AND grantor_key = ?8",
        params![
            name_key(&grant.database),
            grant.class.code(),
            name_key(&grant.schema),
            name_key(&grant.object),
            name_key(&grant.column),
            name_key(&grant.grantee),
            grant.permission,
            name_key(&grant.grantor)
        ],
    )?;
    if removed > 0 {
        principals_changed(w, &grant.database, &grant.grantee);
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
