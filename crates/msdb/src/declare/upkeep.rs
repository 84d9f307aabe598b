//! What scripts of upkeep call: history of backups and plans, statistics, files of the host, a command for each table.

use super::{
    BIT, Columns, DATETIME, Database, Default, Execute, GUID, INT, NTEXT, Param, Procedure,
    SYSNAME, col, int, nchar, null, nvarchar, param, required, text, varchar,
};
use tsql::SqlType;

/// `xp_fileexist` without an OUTPUT argument.
pub(crate) const FILE_EXIST: Columns = &[
    col("File Exists", INT),
    col("File is a Directory", INT),
    col("Parent Directory Exists", INT),
];

/// `xp_subdirs`
pub(crate) const SUBDIRS: Columns = &[col("subdirectory", nvarchar(512))];

/// `xp_dirtree`
pub(crate) const DIRTREE: Columns = &[col("subdirectory", nvarchar(512)), col("depth", INT)];

/// `xp_dirtree` with files.
pub(crate) const DIRTREE_FILES: Columns = &[
    col("subdirectory", nvarchar(512)),
    col("depth", INT),
    col("file", INT),
];

/// `xp_loginconfig`
pub(crate) const LOGIN_CONFIG: Columns = &[col("name", SYSNAME), col("config_value", SYSNAME)];

/// `sp_validatelogins`
pub(crate) const VALIDATE_LOGINS: Columns = &[
    col("SID", SqlType::VarBinary(tsql::Length::Limited(85))),
    col("NT Login", SYSNAME),
];

const FOR_EACH_TABLE: &[Param] = &[
    required("@command1", nvarchar(2000)),
    param("@replacechar", nchar(1), Default::Text("?")),
    null("@command2", nvarchar(2000)),
    null("@command3", nvarchar(2000)),
    null("@whereand", nvarchar(2000)),
    null("@precommand", nvarchar(2000)),
    null("@postcommand", nvarchar(2000)),
];

const FILE: &[Param] = &[
    required("@filename", nvarchar(260)),
    null("@exists", INT).output(),
];

const TREE: &[Param] = &[
    required("@path", nvarchar(260)),
    int("@depth", INT, 0),
    int("@file", INT, 0),
];

const OBJECT: &[Param] = &[required("@objname", nvarchar(776))];

const PLAN_LOG: &[Param] = &[
    null("@plan_id", GUID),
    null("@subplan_id", GUID),
    null("@oldest_time", DATETIME),
];

const fn procedure(
    name: &'static str,
    database: Database,
    execute: Execute,
    params: &'static [Param],
    results: &'static [(&'static str, Columns)],
) -> Procedure {
    Procedure {
        name,
        database,
        execute,
        params,
        results,
    }
}

/// The declarations.
#[rustfmt::skip]
pub(super) const PROCEDURES: &[Procedure] = &[
    procedure("sp_MSforeachtable", Database::Master, Execute::Public, FOR_EACH_TABLE, &[]),
    procedure("sp_MS_marksystemobject", Database::Master, Execute::Sysadmin, &[required("@objname", nvarchar(517)), null("@namespace", varchar(10))], &[]),
    procedure("sp_sqlexec", Database::Master, Execute::Public, &[required("@p1", NTEXT)], &[]),
    procedure("sp_recompile", Database::Master, Execute::Public, OBJECT, &[]),
    procedure("sp_refreshview", Database::Master, Execute::Public, &[required("@viewname", nvarchar(776))], &[]),
    procedure("sp_refreshsqlmodule", Database::Master, Execute::Public, &[required("@name", nvarchar(776)), null("@namespace", nvarchar(20))], &[]),
    procedure("sp_updatestats", Database::Master, Execute::Public, &[text("@resample", super::char(8), "NO")], &[]),
    procedure("sp_validatelogins", Database::Master, Execute::Sysadmin, &[], &[("logins", VALIDATE_LOGINS)]),
    procedure("xp_fileexist", Database::Master, Execute::Sysadmin, FILE, &[("file", FILE_EXIST)]),
    procedure("xp_subdirs", Database::Master, Execute::Sysadmin, &[required("@path", nvarchar(260))], &[("directories", SUBDIRS)]),
    procedure("xp_dirtree", Database::Master, Execute::Sysadmin, TREE, &[("directories", DIRTREE), ("directories and files", DIRTREE_FILES)]),
    procedure("xp_loginconfig", Database::Master, Execute::Sysadmin, &[null("@config_name", SYSNAME)], &[("settings", LOGIN_CONFIG)]),
    procedure("xp_sqlagent_is_starting", Database::Master, Execute::Public, &[int("@retval", INT, 0).output()], &[]),
    procedure("sp_delete_backuphistory", Database::Msdb, Execute::Sysadmin, &[required("@oldest_date", DATETIME)], &[]),
    procedure("sp_delete_database_backuphistory", Database::Msdb, Execute::Sysadmin, &[required("@database_name", SYSNAME)], &[]),
    procedure("sp_maintplan_delete_log", Database::Msdb, Execute::Sysadmin, PLAN_LOG, &[]),
    procedure("sp_syspolicy_purge_history", Database::Msdb, Execute::Sysadmin, &[int("@include_system", BIT, 0)], &[]),
];
