//! The error logs: procedures and their result sets.

use super::{
    Columns, DATETIME, Database, Execute, INT, Procedure, SYSNAME, char, col, int, null, nvarchar,
    text, varchar,
};
use super::{Param, SqlType};

/// `xp_readerrorlog`, type 1: the server's log.
pub(crate) const READERRORLOG_SERVER: Columns = &[
    col("LogDate", DATETIME),
    col("ProcessInfo", nvarchar(100)),
    col("Text", nvarchar(4000)),
];

/// `xp_readerrorlog`, type 2: the Agent's log.
pub(crate) const READERRORLOG_AGENT: Columns = &[
    col("LogDate", DATETIME),
    col("ErrorLevel", INT),
    col("Text", nvarchar(4000)),
];

/// `xp_enumerrorlogs`: files of a log.
pub(crate) const ENUMERRORLOGS: Columns = &[
    col("Archive #", INT),
    col("Date", nvarchar(24)),
    col("Log File Size (Byte)", INT),
];

/// `xp_logininfo`: Windows accounts.
pub(crate) const LOGININFO: Columns = &[
    col("account name", SYSNAME),
    col("type", char(8)),
    col("privilege", char(9)),
    col("mapped login name", SYSNAME),
    col("permission path", SYSNAME),
];

const READ: &[Param] = &[
    int("@p1", INT, 0),
    int("@p2", INT, 1),
    null("@p3", nvarchar(4000)),
    null("@p4", nvarchar(4000)),
    null("@p5", DATETIME),
    null("@p6", DATETIME),
    text("@p7", nvarchar(4), "asc"),
];

const ENUMERATE: &[Param] = &[int("@p1", INT, 1)];

const READ_RESULTS: &[(&str, Columns)] = &[
    ("server_log", READERRORLOG_SERVER),
    ("agent_log", READERRORLOG_AGENT),
];

const fn procedure(
    name: &'static str,
    database: Database,
    params: &'static [Param],
    results: &'static [(&'static str, Columns)],
) -> Procedure {
    Procedure {
        name,
        database,
        execute: Execute::Sysadmin,
        params,
        results,
    }
}

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    procedure("sp_cycle_agent_errorlog", Database::Msdb, &[], &[]),
    procedure("sp_cycle_errorlog", Database::Master, &[], &[]),
    procedure("xp_readerrorlog", Database::Master, READ, READ_RESULTS),
    procedure("sp_readerrorlog", Database::Master, READ, READ_RESULTS),
    procedure(
        "xp_enumerrorlogs",
        Database::Master,
        ENUMERATE,
        &[("files", ENUMERRORLOGS)],
    ),
    procedure(
        "sp_enumerrorlogs",
        Database::Master,
        ENUMERATE,
        &[("files", ENUMERRORLOGS)],
    ),
    procedure(
        "xp_logininfo",
        Database::Master,
        &[
            null("@acctname", SYSNAME),
            null("@option", varchar(10)),
            null("@privilege", SqlType::varchar(12)).output(),
        ],
        &[("accounts", LOGININFO)],
    ),
];
