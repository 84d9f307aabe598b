//! Procedures of `sys` that people and tools type: sp_help and its kin, sp_who, sp_configure.
//!
//! Source: SQL Server's documentation of each procedure.

use super::Default;
use super::{
    Columns, DATETIME, Database, Execute, INT, Param, Procedure, SYSNAME, TINYINT, char, col,
    nchar, null, nvarchar, param, required, text, varbinary, varchar,
};
use tsql::SqlType;

const SMALLINT: SqlType = SqlType::SmallInt;
/// A name of up to three parts.
const OBJECT: SqlType = nvarchar(776);

/// `sp_helptext`: the text by lines.
pub(crate) const HELPTEXT: Columns = &[col("Text", nvarchar(255))];

/// `sp_help` without a name.
pub(crate) const HELP_OBJECTS: Columns = &[
    col("Name", SYSNAME),
    col("Owner", SYSNAME),
    col("Object_type", nvarchar(31)),
];
/// `sp_help` of an object.
pub(crate) const HELP_OBJECT: Columns = &[
    col("Name", SYSNAME),
    col("Owner", SYSNAME),
    col("Type", nvarchar(31)),
    col("Created_datetime", DATETIME),
];
/// Its columns.
pub(crate) const HELP_COLUMNS: Columns = &[
    col("Column_name", SYSNAME),
    col("Type", SYSNAME),
    col("Computed", varchar(35)),
    col("Length", INT),
    col("Prec", char(5)),
    col("Scale", char(5)),
    col("Nullable", varchar(35)),
    col("TrimTrailingBlanks", varchar(35)),
    col("FixedLenNullInSource", varchar(35)),
    col("Collation", SYSNAME),
];
/// Its identity column.
pub(crate) const HELP_IDENTITY: Columns = &[
    col("Identity", SYSNAME),
    col(
        "Seed",
        SqlType::Numeric {
            precision: 38,
            scale: 0,
        },
    ),
    col(
        "Increment",
        SqlType::Numeric {
            precision: 38,
            scale: 0,
        },
    ),
    col("Not For Replication", INT),
];
/// Its column that names rows by uniqueidentifier.
pub(crate) const HELP_ROWGUID: Columns = &[col("RowGuidCol", SYSNAME)];
/// Its filegroup.
pub(crate) const HELP_FILEGROUP: Columns = &[col("Data_located_on_filegroup", SYSNAME)];
/// Its parameters.
pub(crate) const HELP_PARAMETERS: Columns = &[
    col("Parameter_name", SYSNAME),
    col("Type", SYSNAME),
    col("Length", SMALLINT),
    col("Prec", INT),
    col("Scale", INT),
    col("Param_order", INT),
    col("Collation", SYSNAME),
];
/// `sp_helpindex`
pub(crate) const HELPINDEX: Columns = &[
    col("index_name", SYSNAME),
    col("index_description", varchar(210)),
    col("index_keys", nvarchar(2078)),
];
/// `sp_helpdb`
pub(crate) const HELPDB: Columns = &[
    col("name", SYSNAME),
    col("db_size", nvarchar(13)),
    col("owner", SYSNAME),
    col("dbid", SMALLINT),
    col("created", nvarchar(11)),
    col("status", nvarchar(600)),
    col("compatibility_level", TINYINT),
];
/// `sp_helpfile`, and `sp_helpdb` of a database.
pub(crate) const HELPFILE: Columns = &[
    col("name", SYSNAME),
    col("fileid", SMALLINT),
    col("filename", nvarchar(260)),
    col("filegroup", SYSNAME),
    col("size", nvarchar(18)),
    col("maxsize", nvarchar(18)),
    col("growth", nvarchar(18)),
    col("usage", varchar(9)),
];
/// `sp_who`
pub(crate) const WHO: Columns = &[
    col("spid", SMALLINT),
    col("ecid", SMALLINT),
    col("status", nchar(30)),
    col("loginame", nchar(128)),
    col("hostname", nchar(128)),
    col("blk", char(5)),
    col("dbname", nchar(128)),
    col("cmd", nchar(26)),
    col("request_id", INT),
];
/// `sp_who2`
pub(crate) const WHO2: Columns = &[
    col("SPID", char(5)),
    col("Status", varchar(30)),
    col("Login", SYSNAME),
    col("HostName", SYSNAME),
    col("BlkBy", char(5)),
    col("DBName", SYSNAME),
    col("Command", varchar(26)),
    col("CPUTime", varchar(30)),
    col("DiskIO", varchar(30)),
    col("LastBatch", varchar(48)),
    col("ProgramName", SYSNAME),
    col("SPID", char(5)),
    col("REQUESTID", char(5)),
];
/// `sp_configure`
pub(crate) const CONFIGURE: Columns = &[
    col("name", nvarchar(35)),
    col("minimum", INT),
    col("maximum", INT),
    col("config_value", INT),
    col("run_value", INT),
];
/// `sp_helpuser`
pub(crate) const HELPUSER: Columns = &[
    col("UserName", SYSNAME),
    col("RoleName", SYSNAME),
    col("LoginName", SYSNAME),
    col("DefDBName", SYSNAME),
    col("DefSchemaName", SYSNAME),
    col("UserID", char(10)),
    col("SID", varbinary(85)),
];
/// `sp_helprole`
pub(crate) const HELPROLE: Columns = &[
    col("RoleName", SYSNAME),
    col("RoleId", INT),
    col("IsAppRole", INT),
];
/// `sp_helprolemember`
pub(crate) const HELPROLEMEMBER: Columns = &[
    col("DbRole", SYSNAME),
    col("MemberName", SYSNAME),
    col("MemberSID", varbinary(85)),
];
/// `sp_helpsrvrole`
pub(crate) const HELPSRVROLE: Columns =
    &[col("ServerRole", SYSNAME), col("Description", nvarchar(35))];
/// `sp_helpsrvrolemember`
pub(crate) const HELPSRVROLEMEMBER: Columns = &[
    col("ServerRole", SYSNAME),
    col("MemberName", SYSNAME),
    col("MemberSID", varbinary(85)),
];
/// `sp_helpserver`
pub(crate) const HELPSERVER: Columns = &[
    col("name", SYSNAME),
    col("network_name", SYSNAME),
    col("status", varchar(70)),
    col("id", char(4)),
    col("collation_name", SYSNAME),
    col("connect_timeout", INT),
    col("query_timeout", INT),
];
/// `sp_linkedservers`
pub(crate) const LINKEDSERVERS: Columns = &[
    col("SRV_NAME", SYSNAME),
    col("SRV_PROVIDERNAME", nvarchar(128)),
    col("SRV_PRODUCT", nvarchar(128)),
    col("SRV_DATASOURCE", nvarchar(4000)),
    col("SRV_PROVIDERSTRING", nvarchar(4000)),
    col("SRV_LOCATION", nvarchar(4000)),
    col("SRV_CAT", SYSNAME),
];
/// `sp_helpsort`
pub(crate) const HELPSORT: Columns = &[col("Server default collation", nvarchar(1000))];
/// `sp_lock`
pub(crate) const LOCK: Columns = &[
    col("spid", SMALLINT),
    col("dbid", SMALLINT),
    col("ObjId", INT),
    col("IndId", SMALLINT),
    col("Type", nchar(4)),
    col("Resource", nchar(32)),
    col("Mode", nvarchar(8)),
    col("Status", nvarchar(5)),
];
/// `sp_spaceused` of a database.
pub(crate) const SPACE_DATABASE: Columns = &[
    col("database_name", SYSNAME),
    col("database_size", varchar(18)),
    col("unallocated space", varchar(18)),
];
/// What of it is reserved and used.
pub(crate) const SPACE_USED: Columns = &[
    col("reserved", varchar(18)),
    col("data", varchar(18)),
    col("index_size", varchar(18)),
    col("unused", varchar(18)),
];
/// `xp_msver`
pub(crate) const MSVER: Columns = &[
    col("Index", SMALLINT),
    col("Name", nvarchar(64)),
    col("Internal_Value", INT),
    col("Character_Value", nvarchar(512)),
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

const ON_LOGIN: &[Param] = &[null("@loginame", SYSNAME)];
const OF_ROLE: &[Param] = &[null("@rolename", SYSNAME)];
const OF_SERVER_ROLE: &[Param] = &[null("@srvrolename", SYSNAME)];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    procedure(
        "sp_helptext",
        &[required("@objname", OBJECT), null("@columnname", SYSNAME)],
        &[("text", HELPTEXT)],
    ),
    procedure(
        "sp_help",
        &[null("@objname", OBJECT)],
        &[
            ("objects", HELP_OBJECTS),
            ("object", HELP_OBJECT),
            ("columns", HELP_COLUMNS),
            ("identity", HELP_IDENTITY),
            ("rowguidcol", HELP_ROWGUID),
            ("filegroup", HELP_FILEGROUP),
            ("parameters", HELP_PARAMETERS),
            ("indexes", HELPINDEX),
        ],
    ),
    procedure(
        "sp_helpindex",
        &[required("@objname", OBJECT)],
        &[("indexes", HELPINDEX)],
    ),
    procedure(
        "sp_helpdb",
        &[null("@dbname", SYSNAME)],
        &[("databases", HELPDB), ("files", HELPFILE)],
    ),
    procedure(
        "sp_helpfile",
        &[null("@filename", SYSNAME)],
        &[("files", HELPFILE)],
    ),
    procedure("sp_who", ON_LOGIN, &[("sessions", WHO)]),
    procedure("sp_who2", ON_LOGIN, &[("sessions", WHO2)]),
    procedure(
        "sp_configure",
        &[null("@configname", varchar(35)), null("@configvalue", INT)],
        &[("options", CONFIGURE)],
    ),
    procedure(
        "sp_helpuser",
        &[null("@name_in_db", SYSNAME)],
        &[("users", HELPUSER)],
    ),
    procedure("sp_helprole", OF_ROLE, &[("roles", HELPROLE)]),
    procedure("sp_helprolemember", OF_ROLE, &[("members", HELPROLEMEMBER)]),
    procedure("sp_helpsrvrole", OF_SERVER_ROLE, &[("roles", HELPSRVROLE)]),
    procedure(
        "sp_helpsrvrolemember",
        OF_SERVER_ROLE,
        &[("members", HELPSRVROLEMEMBER)],
    ),
    procedure(
        "sp_helpserver",
        &[
            null("@server", SYSNAME),
            null("@optname", varchar(35)),
            null("@show_topology", varchar(1)),
        ],
        &[("servers", HELPSERVER)],
    ),
    procedure("sp_linkedservers", &[], &[("servers", LINKEDSERVERS)]),
    procedure("sp_helpsort", &[], &[("collation", HELPSORT)]),
    procedure(
        "sp_lock",
        &[null("@spid1", INT), null("@spid2", INT)],
        &[("locks", LOCK)],
    ),
    procedure(
        "sp_spaceused",
        &[
            null("@objname", OBJECT),
            text("@updateusage", varchar(5), "false"),
            text("@mode", varchar(11), "ALL"),
            param("@oneresultset", super::BIT, Default::Int(0)),
        ],
        &[("database", SPACE_DATABASE), ("space", SPACE_USED)],
    ),
    procedure(
        "xp_msver",
        &[null("@optname", nvarchar(64))],
        &[("values", MSVER)],
    ),
];
