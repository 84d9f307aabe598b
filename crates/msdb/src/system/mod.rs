//! `sys` views that clients ask for after login: true answers about this instance, or empty.
//!
//! They are the same in every database; those about one database (`sys.objects`, `sys.database_principals`)
//! answer for the database of the statement.

mod objects;
mod principals;
mod server;

pub(crate) use principals::role_id;
pub(crate) use server::COLLATION;

use crate::error::Result;
use crate::tables::{Columns, Register, Rows, Scanner, Select, Table, register};
use std::sync::LazyLock;
use tsql::SqlType;

/// Every view, as `("master", "sys", name)`.
pub(crate) fn views() -> &'static Register {
    static VIEWS: LazyLock<Register> =
        LazyLock::new(|| register(GROUPS.iter().flat_map(|group| group.iter())));
    &VIEWS
}

/// Views that old scripts reach through `dbo` too: `master.dbo.sysprocesses`.
pub(crate) const COMPATIBILITY: &[&str] = &["sysdatabases", "syslogins", "sysprocesses"];

const GROUPS: &[&[Table]] = &[objects::VIEWS, principals::VIEWS, server::VIEWS];

const INT: SqlType = SqlType::Int;
const SMALLINT: SqlType = SqlType::SmallInt;
const TINYINT: SqlType = SqlType::TinyInt;
const BIT: SqlType = SqlType::Bit;
const SYSNAME: SqlType = SqlType::SYSNAME;
const DATETIME: SqlType = SqlType::DateTime;
const VARIANT: SqlType = SqlType::SqlVariant;

const fn nvarchar(units: u16) -> SqlType {
    SqlType::nvarchar(units)
}

const fn char(bytes: u16) -> SqlType {
    SqlType::Char(bytes)
}

const fn varbinary(bytes: u16) -> SqlType {
    SqlType::varbinary(bytes)
}

/// A column that never holds NULL.
const fn col(name: &'static str, ty: SqlType) -> (&'static str, SqlType, bool) {
    (name, ty, false)
}

/// A column that may hold NULL.
const fn null(name: &'static str, ty: SqlType) -> (&'static str, SqlType, bool) {
    (name, ty, true)
}

/// A view of `sys`.
const fn sys(
    name: &'static str,
    columns: Columns,
    rows: fn(&Scanner<'_>) -> Result<Rows>,
) -> Table {
    Table {
        database: "master",
        schema: "sys",
        name,
        columns,
        seek: &[],
        select: Select::Public,
        rows,
    }
}
