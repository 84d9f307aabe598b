//! sp_addlogin, sp_adduser, sp_addrolemember and kin: the older spelling of CREATE LOGIN, CREATE USER and ALTER ROLE.

use crate::admin;
use crate::call::{Call, Output, Store};
use crate::error::Result;
use crate::messages::raise;
use engine::host::{AdminStatement, GivenPassword};
use tsql::Value;

/// `sp_addrolemember`
pub(super) fn add_role_member(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    role_member(call, store, true)
}

/// `sp_droprolemember`
pub(super) fn drop_role_member(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    role_member(call, store, false)
}

/// 15014 for a role that there is not, 15410 for a member that there is not.
fn role_member(call: &Call<'_>, store: &mut Store<'_>, add: bool) -> Result<()> {
    let (role, member) = (owned(call, "@rolename"), owned(call, "@membername"));
    add_to_role(call, store, role, member, add)
}

fn add_to_role(
    call: &Call<'_>,
    store: &mut Store<'_>,
    role: String,
    member: String,
    add: bool,
) -> Result<()> {
    store.read(|definitions| {
        let known = admin::known_role(definitions, call.database, &role)?;
        if known.is_none_or(|role| role == "public") {
            return Err(raise(15014, &[(&role).into()]).into());
        }
        if admin::principal(definitions, call.database, &member)?.is_none() {
            return Err(raise(15410, &[(&member).into()]).into());
        }
        Ok(())
    })?;
    administer(
        call,
        store,
        &AdminStatement::AlterRole { role, member, add },
    )
}

/// `sp_addsrvrolemember`
pub(super) fn add_server_role_member(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    server_role_member(call, store, true)
}

/// `sp_dropsrvrolemember`
pub(super) fn drop_server_role_member(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    server_role_member(call, store, false)
}

fn server_role_member(call: &Call<'_>, store: &mut Store<'_>, add: bool) -> Result<()> {
    let statement = AdminStatement::AlterServerRole {
        role: owned(call, "@rolename"),
        member: owned(call, "@loginame"),
        add,
    };
    administer(call, store, &statement)
}

/// `sp_addrole`
pub(super) fn add_role(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let statement = AdminStatement::CreateRole {
        server: false,
        name: owned(call, "@rolename"),
        owner: call.name("@ownername").map(str::to_owned),
    };
    administer(call, store, &statement)
}

/// `sp_droprole`
pub(super) fn drop_role(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let statement = AdminStatement::DropRole {
        server: false,
        name: owned(call, "@rolename"),
    };
    administer(call, store, &statement)
}

/// `sp_adduser`
pub(super) fn add_user(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let user = create_user(call, store)?;
    match call.name("@grpname") {
        Some(role) => add_to_role(call, store, role.to_owned(), user, true),
        None => Ok(()),
    }
}

/// `sp_grantdbaccess`
pub(super) fn grant_access(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    let user = create_user(call, store)?;
    out.set("@name_in_db", Value::String(user));
    Ok(())
}

fn create_user(call: &Call<'_>, store: &mut Store<'_>) -> Result<String> {
    let login = owned(call, "@loginame");
    let name = call.name("@name_in_db").unwrap_or(&login).to_owned();
    let statement = AdminStatement::CreateUser {
        name: name.clone(),
        login: Some(login),
        default_schema: None,
    };
    administer(call, store, &statement)?;
    Ok(name)
}

/// `sp_dropuser`, `sp_revokedbaccess`
pub(super) fn drop_user(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let name = owned(call, "@name_in_db");
    store.read(
        |definitions| match admin::principal(definitions, call.database, &name)? {
            None => Err(raise(15008, &[(&name).into()]).into()),
            Some(_) => Ok(()),
        },
    )?;
    administer(call, store, &AdminStatement::DropUser { name })
}

/// `sp_addlogin`
pub(super) fn add_login(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let option = call.name("@encryptopt").map(str::to_ascii_lowercase);
    let hashed = match option.as_deref() {
        None => false,
        Some("skip_encryption") => true,
        Some(_) => return Err(raise(15021, &["@encryptopt".into()]).into()),
    };
    let sid = if let Value::Binary(sid) = call.value("@sid") {
        Some(sid.clone())
    } else {
        None
    };
    let statement = AdminStatement::CreateLogin {
        name: owned(call, "@loginame"),
        password: GivenPassword {
            text: call.text("@passwd").unwrap_or_default().to_owned(),
            hashed,
        },
        sid,
        default_database: call.name("@defdb").map(str::to_owned),
    };
    administer(call, store, &statement)
}

/// `sp_droplogin`
pub(super) fn drop_login(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let name = owned(call, "@loginame");
    administer(call, store, &AdminStatement::DropLogin { name })
}

/// `sp_password`
pub(super) fn password(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let given = |name: &str| {
        call.text(name).map(|text| GivenPassword {
            text: text.to_owned(),
            hashed: false,
        })
    };
    let login = call.name("@loginame");
    let statement = AdminStatement::AlterLogin {
        name: login.unwrap_or(&call.caller.login).to_owned(),
        password: Some(given("@new").unwrap_or(GivenPassword {
            text: String::new(),
            hashed: false,
        })),
        // Who may set it anyway needs no old one.
        old_password: given("@old").filter(|_| !call.caller.sysadmin || login.is_none()),
        enabled: None,
        rename: None,
        default_database: None,
    };
    administer(call, store, &statement)
}

/// `sp_defaultdb`
pub(super) fn default_database(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    let statement = AdminStatement::AlterLogin {
        name: owned(call, "@loginame"),
        password: None,
        old_password: None,
        enabled: None,
        rename: None,
        default_database: Some(owned(call, "@defdb")),
    };
    administer(call, store, &statement)
}

fn owned(call: &Call<'_>, parameter: &str) -> String {
    call.name(parameter).unwrap_or_default().to_owned()
}

fn administer(call: &Call<'_>, store: &mut Store<'_>, statement: &AdminStatement) -> Result<()> {
    admin::administer(
        store,
        &call.caller,
        call.made(),
        call.services,
        call.now,
        call.database,
        statement,
    )
}
