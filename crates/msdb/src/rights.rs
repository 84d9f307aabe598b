//! What a login may do with the objects that users made: roles of their database, GRANT and DENY.

use crate::caller::is_sysadmin;
use crate::error::Result;
use catalog::{DefinitionsRead, GrantState};
use std::collections::BTreeSet;

/// An object and what is to be done with it.
pub(crate) struct Wanted<'w> {
    pub(crate) database: &'w str,
    pub(crate) schema: &'w str,
    pub(crate) object: &'w str,
    /// SELECT, EXECUTE, …
    pub(crate) permission: &'w str,
}

/// Whether a login may do that. Ownership of the database is known to the caller.
pub(crate) fn may_use(
    definitions: &dyn DefinitionsRead,
    login: &str,
    sid: &[u8],
    wanted: &Wanted<'_>,
) -> Result<bool> {
    if is_sysadmin(definitions, login, sid)? {
        return Ok(true);
    }
    let user = definitions.database_user_by_sid(wanted.database, sid)?;
    let user = user.map_or_else(|| "guest".to_owned(), |user| user.name);
    let roles = roles_of(definitions, wanted.database, &user)?;
    if roles.contains("db_owner") {
        return Ok(true);
    }
    let reads = wanted.permission == "SELECT";
    let writes = matches!(wanted.permission, "INSERT" | "UPDATE" | "DELETE");
    if (reads && roles.contains("db_denydatareader"))
        || (writes && roles.contains("db_denydatawriter"))
    {
        return Ok(false);
    }
    let whole = format!("{}.{}", wanted.schema, wanted.object);
    let mut granted = (reads && roles.contains("db_datareader"))
        || (writes && roles.contains("db_datawriter"))
        || (wanted.permission == "ALTER" && roles.contains("db_ddladmin"));
    for grant in definitions.grants(wanted.database)? {
        let mine = grant.grantee.eq_ignore_ascii_case(&user)
            || roles.contains(&grant.grantee.to_lowercase());
        let covers = grant.permission == wanted.permission || grant.permission == "CONTROL";
        if mine && covers && grant.object.eq_ignore_ascii_case(&whole) {
            match grant.state {
                GrantState::Denied => return Ok(false),
                GrantState::Granted => granted = true,
            }
        }
    }
    Ok(granted)
}

/// Roles of a database that a user is in, by roles in roles too; lower case, `public` among them.
pub(crate) fn roles_of(
    definitions: &dyn DefinitionsRead,
    database: &str,
    user: &str,
) -> Result<BTreeSet<String>> {
    let mut roles = BTreeSet::from(["public".to_owned()]);
    let members = definitions.role_members(database)?;
    let mut seekers = vec![user.to_lowercase()];
    // A role may be a member of a role; each is looked at once.
    while let Some(member) = seekers.pop() {
        for entry in &members {
            let role = entry.role.to_lowercase();
            if entry.member.to_lowercase() == member && roles.insert(role.clone()) {
                seekers.push(role);
            }
        }
    }
    Ok(roles)
}
