//! The procedures on logins, users, roles and permissions that are older than the statements for them. Inside, the same
//! rules hold.
//!
//! Source: SQL Server's documentation of each procedure.

use super::{
    Columns, Database, Execute, Param, Procedure, SYSNAME, char, col, null, nvarchar, required,
    text, varbinary, varchar,
};

/// `sp_helplogins`: the logins.
pub(crate) const HELPLOGINS: Columns = &[
    col("LoginName", SYSNAME),
    col("SID", varbinary(85)),
    col("DefDBName", SYSNAME),
    col("DefLangName", SYSNAME),
    col("AUser", char(5)),
    col("ARemote", char(7)),
];
/// Their users and roles.
pub(crate) const HELPLOGINS_USERS: Columns = &[
    col("LoginName", SYSNAME),
    col("DBName", SYSNAME),
    col("UserName", SYSNAME),
    col("UserOrAlias", char(8)),
];
/// `sp_helprotect`
pub(crate) const HELPROTECT: Columns = &[
    col("Owner", SYSNAME),
    col("Object", SYSNAME),
    col("Grantee", SYSNAME),
    col("Grantor", SYSNAME),
    col("ProtectType", char(10)),
    col("Action", nvarchar(60)),
    col("Column", SYSNAME),
];
/// `sp_helpdbfixedrole`
pub(crate) const HELPDBFIXEDROLE: Columns = &[
    col("DbFixedRole", SYSNAME),
    col("Description", nvarchar(70)),
];

const fn procedure(
    name: &'static str,
    params: &'static [Param],
    results: &'static [(&'static str, Columns)],
) -> Procedure {
    Procedure {
        name,
        database: Database::Master,
        execute: Execute::Public,
        params,
        results,
    }
}

const MEMBERSHIP: &[Param] = &[
    required("@rolename", SYSNAME),
    required("@membername", SYSNAME),
];
const SERVER_MEMBERSHIP: &[Param] = &[
    required("@loginame", SYSNAME),
    required("@rolename", SYSNAME),
];
const USER: &[Param] = &[required("@name_in_db", SYSNAME)];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    procedure("sp_addrolemember", MEMBERSHIP, &[]),
    procedure("sp_droprolemember", MEMBERSHIP, &[]),
    procedure("sp_addsrvrolemember", SERVER_MEMBERSHIP, &[]),
    procedure("sp_dropsrvrolemember", SERVER_MEMBERSHIP, &[]),
    procedure(
        "sp_addrole",
        &[required("@rolename", SYSNAME), null("@ownername", SYSNAME)],
        &[],
    ),
    procedure("sp_droprole", &[required("@rolename", SYSNAME)], &[]),
    procedure(
        "sp_adduser",
        &[
            required("@loginame", SYSNAME),
            null("@name_in_db", SYSNAME),
            null("@grpname", SYSNAME),
        ],
        &[],
    ),
    procedure(
        "sp_grantdbaccess",
        &[
            required("@loginame", SYSNAME),
            null("@name_in_db", SYSNAME).output(),
        ],
        &[],
    ),
    procedure("sp_dropuser", USER, &[]),
    procedure("sp_revokedbaccess", USER, &[]),
    procedure(
        "sp_addlogin",
        &[
            required("@loginame", SYSNAME),
            null("@passwd", SYSNAME),
            text("@defdb", SYSNAME, "master"),
            null("@deflanguage", SYSNAME),
            null("@sid", varbinary(16)),
            null("@encryptopt", varchar(20)),
        ],
        &[],
    ),
    procedure("sp_droplogin", &[required("@loginame", SYSNAME)], &[]),
    procedure(
        "sp_password",
        &[
            null("@old", SYSNAME),
            required("@new", SYSNAME),
            null("@loginame", SYSNAME),
        ],
        &[],
    ),
    procedure(
        "sp_defaultdb",
        &[required("@loginame", SYSNAME), required("@defdb", SYSNAME)],
        &[],
    ),
    procedure(
        "sp_helplogins",
        &[null("@LoginNamePattern", SYSNAME)],
        &[("logins", HELPLOGINS), ("users", HELPLOGINS_USERS)],
    ),
    procedure(
        "sp_helprotect",
        &[
            null("@name", nvarchar(776)),
            null("@username", SYSNAME),
            null("@grantorname", SYSNAME),
            text("@permissionarea", varchar(10), "o s"),
        ],
        &[("permissions", HELPROTECT)],
    ),
    procedure(
        "sp_helpdbfixedrole",
        &[null("@rolename", SYSNAME)],
        &[("roles", HELPDBFIXEDROLE)],
    ),
];
