//! sp_addrolemember and kin: the older spelling of ALTER ROLE and ALTER SERVER ROLE.

use crate::admin;
use crate::call::{Call, Output, Store};
use crate::error::Result;
use engine::host::AdminStatement;

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

fn role_member(call: &Call<'_>, store: &mut Store<'_>, add: bool) -> Result<()> {
    let statement = AdminStatement::AlterRole {
        role: owned(call, "@rolename"),
        member: owned(call, "@membername"),
        add,
    };
    administer(call, store, &statement)
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

fn owned(call: &Call<'_>, parameter: &str) -> String {
    call.name(parameter).unwrap_or_default().to_owned()
}

fn administer(call: &Call<'_>, store: &mut Store<'_>, statement: &AdminStatement) -> Result<()> {
    admin::administer(
        store,
        &call.caller,
        call.services,
        call.now,
        call.database,
        statement,
    )
}
