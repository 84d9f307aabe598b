//! The catalog procedures that drivers call: sp_tables, sp_columns, sp_datatype_info and their kin.
//!
//! Source: SQL Server's documentation, "Catalog stored procedures"; the columns that only the forms with `_100` have
//! from the documentation of the ODBC driver.

use super::{
    BIT, Columns, Database, Execute, INT, Param, Procedure, SYSNAME, TINYINT, char, col, int, null,
    nvarchar, required, text, varchar,
};
use tsql::SqlType;

const SMALLINT: SqlType = SqlType::SmallInt;
/// A name with the escape characters that a pattern may need.
const PATTERN: SqlType = nvarchar(384);
/// A procedure's name with its number.
const NUMBERED: SqlType = nvarchar(134);
const REMARKS: (&str, SqlType) = col("REMARKS", varchar(254));

/// `sp_tables`
pub(crate) const TABLES: Columns = &[
    col("TABLE_QUALIFIER", SYSNAME),
    col("TABLE_OWNER", SYSNAME),
    col("TABLE_NAME", SYSNAME),
    col("TABLE_TYPE", varchar(32)),
    REMARKS,
];

/// `sp_columns`
pub(crate) const COLUMNS: Columns = &[
    col("TABLE_QUALIFIER", SYSNAME),
    col("TABLE_OWNER", SYSNAME),
    col("TABLE_NAME", SYSNAME),
    col("COLUMN_NAME", SYSNAME),
    col("DATA_TYPE", SMALLINT),
    col("TYPE_NAME", SYSNAME),
    col("PRECISION", INT),
    col("LENGTH", INT),
    col("SCALE", SMALLINT),
    col("RADIX", SMALLINT),
    col("NULLABLE", SMALLINT),
    REMARKS,
    col("COLUMN_DEF", nvarchar(4000)),
    col("SQL_DATA_TYPE", SMALLINT),
    col("SQL_DATETIME_SUB", SMALLINT),
    col("CHAR_OCTET_LENGTH", INT),
    col("ORDINAL_POSITION", INT),
    col("IS_NULLABLE", varchar(254)),
    col("SS_DATA_TYPE", TINYINT),
];

/// `sp_columns_100`
pub(crate) const COLUMNS_100: Columns = &[
    col("TABLE_QUALIFIER", SYSNAME),
    col("TABLE_OWNER", SYSNAME),
    col("TABLE_NAME", SYSNAME),
    col("COLUMN_NAME", SYSNAME),
    col("DATA_TYPE", SMALLINT),
    col("TYPE_NAME", SYSNAME),
    col("PRECISION", INT),
    col("LENGTH", INT),
    col("SCALE", SMALLINT),
    col("RADIX", SMALLINT),
    col("NULLABLE", SMALLINT),
    REMARKS,
    col("COLUMN_DEF", nvarchar(4000)),
    col("SQL_DATA_TYPE", SMALLINT),
    col("SQL_DATETIME_SUB", SMALLINT),
    col("CHAR_OCTET_LENGTH", INT),
    col("ORDINAL_POSITION", INT),
    col("IS_NULLABLE", varchar(254)),
    col("SS_IS_SPARSE", SMALLINT),
    col("SS_IS_COLUMN_SET", SMALLINT),
    col("SS_IS_COMPUTED", SMALLINT),
    col("SS_IS_IDENTITY", SMALLINT),
    col("SS_UDT_CATALOG_NAME", SYSNAME),
    col("SS_UDT_SCHEMA_NAME", SYSNAME),
    col("SS_UDT_ASSEMBLY_TYPE_NAME", nvarchar(4000)),
    col("SS_XML_SCHEMACOLLECTION_CATALOG_NAME", SYSNAME),
    col("SS_XML_SCHEMACOLLECTION_SCHEMA_NAME", SYSNAME),
    col("SS_XML_SCHEMACOLLECTION_NAME", SYSNAME),
    col("SS_DATA_TYPE", TINYINT),
];

/// `sp_datatype_info`, `sp_datatype_info_100`
pub(crate) const DATATYPE_INFO: Columns = &[
    col("TYPE_NAME", SYSNAME),
    col("DATA_TYPE", SMALLINT),
    col("PRECISION", INT),
    col("LITERAL_PREFIX", varchar(32)),
    col("LITERAL_SUFFIX", varchar(32)),
    col("CREATE_PARAMS", varchar(32)),
    col("NULLABLE", SMALLINT),
    col("CASE_SENSITIVE", SMALLINT),
    col("SEARCHABLE", SMALLINT),
    col("UNSIGNED_ATTRIBUTE", SMALLINT),
    col("MONEY", SMALLINT),
    col("AUTO_INCREMENT", SMALLINT),
    col("LOCAL_TYPE_NAME", SYSNAME),
    col("MINIMUM_SCALE", SMALLINT),
    col("MAXIMUM_SCALE", SMALLINT),
    col("SQL_DATA_TYPE", SMALLINT),
    col("SQL_DATETIME_SUB", SMALLINT),
    col("NUM_PREC_RADIX", INT),
    col("INTERVAL_PRECISION", SMALLINT),
    col("USERTYPE", SMALLINT),
];

/// `sp_stored_procedures`
pub(crate) const STORED_PROCEDURES: Columns = &[
    col("PROCEDURE_QUALIFIER", SYSNAME),
    col("PROCEDURE_OWNER", SYSNAME),
    col("PROCEDURE_NAME", NUMBERED),
    col("NUM_INPUT_PARAMS", INT),
    col("NUM_OUTPUT_PARAMS", INT),
    col("NUM_RESULT_SETS", INT),
    REMARKS,
    col("PROCEDURE_TYPE", SMALLINT),
];

/// `sp_sproc_columns`
pub(crate) const SPROC_COLUMNS: Columns = &[
    col("PROCEDURE_QUALIFIER", SYSNAME),
    col("PROCEDURE_OWNER", SYSNAME),
    col("PROCEDURE_NAME", NUMBERED),
    col("COLUMN_NAME", SYSNAME),
    col("COLUMN_TYPE", SMALLINT),
    col("DATA_TYPE", SMALLINT),
    col("TYPE_NAME", SYSNAME),
    col("PRECISION", INT),
    col("LENGTH", INT),
    col("SCALE", SMALLINT),
    col("RADIX", SMALLINT),
    col("NULLABLE", SMALLINT),
    REMARKS,
    col("COLUMN_DEF", nvarchar(4000)),
    col("SQL_DATA_TYPE", SMALLINT),
    col("SQL_DATETIME_SUB", SMALLINT),
    col("CHAR_OCTET_LENGTH", INT),
    col("ORDINAL_POSITION", INT),
    col("IS_NULLABLE", varchar(254)),
    col("SS_DATA_TYPE", TINYINT),
];

/// `sp_sproc_columns_100`
pub(crate) const SPROC_COLUMNS_100: Columns = &[
    col("PROCEDURE_QUALIFIER", SYSNAME),
    col("PROCEDURE_OWNER", SYSNAME),
    col("PROCEDURE_NAME", NUMBERED),
    col("COLUMN_NAME", SYSNAME),
    col("COLUMN_TYPE", SMALLINT),
    col("DATA_TYPE", SMALLINT),
    col("TYPE_NAME", SYSNAME),
    col("PRECISION", INT),
    col("LENGTH", INT),
    col("SCALE", SMALLINT),
    col("RADIX", SMALLINT),
    col("NULLABLE", SMALLINT),
    REMARKS,
    col("COLUMN_DEF", nvarchar(4000)),
    col("SQL_DATA_TYPE", SMALLINT),
    col("SQL_DATETIME_SUB", SMALLINT),
    col("CHAR_OCTET_LENGTH", INT),
    col("ORDINAL_POSITION", INT),
    col("IS_NULLABLE", varchar(254)),
    col("SS_TYPE_CATALOG_NAME", SYSNAME),
    col("SS_TYPE_SCHEMA_NAME", SYSNAME),
    col("SS_UDT_CATALOG_NAME", SYSNAME),
    col("SS_UDT_SCHEMA_NAME", SYSNAME),
    col("SS_UDT_ASSEMBLY_TYPE_NAME", nvarchar(4000)),
    col("SS_XML_SCHEMACOLLECTION_CATALOG_NAME", SYSNAME),
    col("SS_XML_SCHEMACOLLECTION_SCHEMA_NAME", SYSNAME),
    col("SS_XML_SCHEMACOLLECTION_NAME", SYSNAME),
    col("SS_DATA_TYPE", TINYINT),
];

/// `sp_pkeys`
pub(crate) const PKEYS: Columns = &[
    col("TABLE_QUALIFIER", SYSNAME),
    col("TABLE_OWNER", SYSNAME),
    col("TABLE_NAME", SYSNAME),
    col("COLUMN_NAME", SYSNAME),
    col("KEY_SEQ", SMALLINT),
    col("PK_NAME", SYSNAME),
];

/// `sp_fkeys`
pub(crate) const FKEYS: Columns = &[
    col("PKTABLE_QUALIFIER", SYSNAME),
    col("PKTABLE_OWNER", SYSNAME),
    col("PKTABLE_NAME", SYSNAME),
    col("PKCOLUMN_NAME", SYSNAME),
    col("FKTABLE_QUALIFIER", SYSNAME),
    col("FKTABLE_OWNER", SYSNAME),
    col("FKTABLE_NAME", SYSNAME),
    col("FKCOLUMN_NAME", SYSNAME),
    col("KEY_SEQ", SMALLINT),
    col("UPDATE_RULE", SMALLINT),
    col("DELETE_RULE", SMALLINT),
    col("FK_NAME", SYSNAME),
    col("PK_NAME", SYSNAME),
    col("DEFERRABILITY", SMALLINT),
];

/// `sp_statistics`, `sp_statistics_100`
pub(crate) const STATISTICS: Columns = &[
    col("TABLE_QUALIFIER", SYSNAME),
    col("TABLE_OWNER", SYSNAME),
    col("TABLE_NAME", SYSNAME),
    col("NON_UNIQUE", SMALLINT),
    col("INDEX_QUALIFIER", SYSNAME),
    col("INDEX_NAME", SYSNAME),
    col("TYPE", SMALLINT),
    col("SEQ_IN_INDEX", SMALLINT),
    col("COLUMN_NAME", SYSNAME),
    col("COLLATION", char(1)),
    col("CARDINALITY", INT),
    col("PAGES", INT),
    col("FILTER_CONDITION", varchar(128)),
];

/// `sp_special_columns`, `sp_special_columns_100`
pub(crate) const SPECIAL_COLUMNS: Columns = &[
    col("SCOPE", SMALLINT),
    col("COLUMN_NAME", SYSNAME),
    col("DATA_TYPE", SMALLINT),
    col("TYPE_NAME", SYSNAME),
    col("PRECISION", INT),
    col("LENGTH", INT),
    col("SCALE", SMALLINT),
    col("PSEUDO_COLUMN", SMALLINT),
];

/// `sp_databases`
pub(crate) const DATABASES: Columns = &[
    col("DATABASE_NAME", SYSNAME),
    col("DATABASE_SIZE", INT),
    REMARKS,
];

/// `sp_server_info`
pub(crate) const SERVER_INFO: Columns = &[
    col("ATTRIBUTE_ID", INT),
    col("ATTRIBUTE_NAME", varchar(60)),
    col("ATTRIBUTE_VALUE", varchar(255)),
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

const OF_TABLES: &[Param] = &[
    null("@table_name", PATTERN),
    null("@table_owner", PATTERN),
    null("@table_qualifier", SYSNAME),
    null("@table_type", varchar(100)),
    int("@fUsePattern", BIT, 1),
];

const OF_TYPES: &[Param] = &[int("@data_type", INT, 0), int("@ODBCVer", TINYINT, 2)];

const OF_TABLE: &[Param] = &[
    required("@table_name", SYSNAME),
    null("@table_owner", SYSNAME),
    null("@table_qualifier", SYSNAME),
];

const OF_SPECIAL: &[Param] = &[
    required("@table_name", SYSNAME),
    null("@table_owner", SYSNAME),
    null("@qualifier", SYSNAME),
    text("@col_type", char(1), "R"),
    text("@scope", char(1), "T"),
    text("@nullable", char(1), "U"),
    int("@ODBCVer", INT, 2),
];

const OF_STATISTICS: &[Param] = &[
    required("@table_name", SYSNAME),
    null("@table_owner", SYSNAME),
    null("@table_qualifier", SYSNAME),
    text("@index_name", SYSNAME, "%"),
    text("@is_unique", char(1), "N"),
    text("@accuracy", char(1), "Q"),
];

const OF_ROUTINE: &[Param] = &[
    text("@procedure_name", nvarchar(390), "%"),
    null("@procedure_owner", PATTERN),
    null("@procedure_qualifier", SYSNAME),
    null("@column_name", PATTERN),
    int("@ODBCVer", INT, 2),
    int("@fUsePattern", BIT, 1),
];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    procedure("sp_tables", OF_TABLES, &[("tables", TABLES)]),
    // What ODBC drivers ask when a database is named: its name may be a pattern too.
    procedure("sp_tableswc", OF_TABLES, &[("tables", TABLES)]),
    procedure(
        "sp_columns",
        &[
            required("@table_name", PATTERN),
            null("@table_owner", PATTERN),
            null("@table_qualifier", SYSNAME),
            null("@column_name", PATTERN),
            int("@ODBCVer", INT, 2),
        ],
        &[("columns", COLUMNS)],
    ),
    procedure(
        "sp_columns_100",
        &[
            required("@table_name", PATTERN),
            null("@table_owner", PATTERN),
            null("@table_qualifier", SYSNAME),
            null("@column_name", PATTERN),
            int("@NameScope", INT, 0),
            int("@ODBCVer", INT, 2),
            int("@fUsePattern", BIT, 1),
        ],
        &[("columns", COLUMNS_100)],
    ),
    procedure("sp_datatype_info", OF_TYPES, &[("types", DATATYPE_INFO)]),
    procedure(
        "sp_datatype_info_100",
        OF_TYPES,
        &[("types", DATATYPE_INFO)],
    ),
    procedure(
        "sp_stored_procedures",
        &[
            null("@sp_name", nvarchar(390)),
            null("@sp_owner", PATTERN),
            null("@sp_qualifier", SYSNAME),
            int("@fUsePattern", BIT, 1),
        ],
        &[("procedures", STORED_PROCEDURES)],
    ),
    procedure(
        "sp_sproc_columns",
        OF_ROUTINE,
        &[("parameters", SPROC_COLUMNS)],
    ),
    procedure(
        "sp_sproc_columns_100",
        OF_ROUTINE,
        &[("parameters", SPROC_COLUMNS_100)],
    ),
    procedure("sp_pkeys", OF_TABLE, &[("keys", PKEYS)]),
    procedure(
        "sp_fkeys",
        &[
            null("@pktable_name", SYSNAME),
            null("@pktable_owner", SYSNAME),
            null("@pktable_qualifier", SYSNAME),
            null("@fktable_name", SYSNAME),
            null("@fktable_owner", SYSNAME),
            null("@fktable_qualifier", SYSNAME),
        ],
        &[("keys", FKEYS)],
    ),
    procedure("sp_statistics", OF_STATISTICS, &[("indexes", STATISTICS)]),
    procedure(
        "sp_statistics_100",
        OF_STATISTICS,
        &[("indexes", STATISTICS)],
    ),
    procedure(
        "sp_special_columns",
        OF_SPECIAL,
        &[("columns", SPECIAL_COLUMNS)],
    ),
    procedure(
        "sp_special_columns_100",
        OF_SPECIAL,
        &[("columns", SPECIAL_COLUMNS)],
    ),
    procedure("sp_databases", &[], &[("databases", DATABASES)]),
    procedure(
        "sp_server_info",
        &[null("@attribute_id", INT)],
        &[("attributes", SERVER_INFO)],
    ),
];
