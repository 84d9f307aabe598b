//! What clients read of the objects that users make: through the engine, in a database of its own.

use super::scripts::{errors, rows, session};
use super::support::{Fixture, n, s};
use engine::Session;
use tsql::Value;

const MAKE: &str = "
CREATE DATABASE tools
GO
USE tools
GO
CREATE SCHEMA app
GO
CREATE TABLE dbo.parent (
  id int IDENTITY(10, 5) NOT NULL CONSTRAINT PK_parent PRIMARY KEY,
  code nvarchar(20) NOT NULL CONSTRAINT UQ_code UNIQUE,
  price decimal(10, 2) NULL CONSTRAINT DF_price DEFAULT (0),
  CONSTRAINT CK_price CHECK (price >= 0)
)
GO
CREATE TABLE app.child (
  a int NOT NULL,
  b varchar(max) NULL,
  parent int NOT NULL CONSTRAINT FK_parent REFERENCES dbo.parent (id) ON DELETE CASCADE
)
GO
CREATE INDEX IX_parent ON app.child (parent, a DESC)
GO
CREATE TYPE dbo.Flag FROM bit NOT NULL
GO";

fn made(fixture: &Fixture) -> Session {
    let mut session = session(fixture, "sa");
    assert_eq!(errors(&mut session, MAKE), []);
    session
}

/// The rows of a query, each as one text.
fn texts(session: &mut Session, query: &str) -> Vec<String> {
    rows(session, query)
        .into_iter()
        .map(|row| {
            let cells: Vec<String> = row.iter().map(shown).collect();
            cells.join(" ")
        })
        .collect()
}

fn shown(value: &Value) -> String {
    if value.is_null() {
        "NULL".to_owned()
    } else if let Some(text) = value.as_str() {
        text.trim_end().to_owned()
    } else if let Some(number) = value.as_i64() {
        number.to_string()
    } else {
        format!("{value:?}")
    }
}

#[test]
fn catalog_views_show_what_a_user_made() {
    let fixture = Fixture::new();
    let mut sa = made(&fixture);
    let found = texts(
        &mut sa,
        "SELECT s.name, o.name, o.type, o.type_desc, p.name, o.is_ms_shipped
         FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
         LEFT JOIN sys.objects p ON p.object_id = o.parent_object_id ORDER BY o.name",
    );
    insta::assert_debug_snapshot!(found, @r#"
    [
        "app child U USER_TABLE NULL 0",
        "dbo CK_price C CHECK_CONSTRAINT parent 0",
        "dbo DF_price D DEFAULT_CONSTRAINT parent 0",
        "app FK_parent F FOREIGN_KEY_CONSTRAINT child 0",
        "dbo parent U USER_TABLE NULL 0",
        "dbo PK_parent PK PRIMARY_KEY_CONSTRAINT parent 0",
        "dbo UQ_code UQ UNIQUE_CONSTRAINT parent 0",
    ]
    "#);
    let found = texts(
        &mut sa,
        "SELECT c.name, t.name, c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity,
           OBJECT_NAME(c.default_object_id)
         FROM sys.columns c JOIN sys.types t ON t.user_type_id = c.user_type_id
         WHERE c.object_id = OBJECT_ID('dbo.parent') ORDER BY c.column_id",
    );
    insta::assert_debug_snapshot!(found, @r#"
    [
        "id int 4 10 0 0 1 NULL",
        "code nvarchar 40 0 0 0 0 NULL",
        "price decimal 9 10 2 1 0 DF_price",
    ]
    "#);
    let found = texts(
        &mut sa,
        "SELECT i.name, i.index_id, i.type_desc, i.is_primary_key, c.name, ic.key_ordinal, ic.is_descending_key
         FROM sys.indexes i
         JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id
         JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id
         ORDER BY i.name, ic.key_ordinal",
    );
    insta::assert_debug_snapshot!(found, @r#"
    [
        "IX_parent 2 NONCLUSTERED 0 parent 1 0",
        "IX_parent 2 NONCLUSTERED 0 a 2 1",
        "PK_parent 1 CLUSTERED 1 id 1 0",
        "UQ_code 2 NONCLUSTERED 0 code 1 0",
    ]
    "#);
    let found = texts(
        &mut sa,
        "SELECT f.name, OBJECT_NAME(f.parent_object_id), OBJECT_NAME(f.referenced_object_id),
           f.delete_referential_action_desc, COL_NAME(fc.parent_object_id, fc.parent_column_id),
           COL_NAME(fc.referenced_object_id, fc.referenced_column_id)
         FROM sys.foreign_keys f
         JOIN sys.foreign_key_columns fc ON fc.constraint_object_id = f.object_id",
    );
    insta::assert_debug_snapshot!(found, @r#"
    [
        "FK_parent child parent CASCADE parent id",
    ]
    "#);
    let found = texts(
        &mut sa,
        "SELECT name, definition FROM sys.check_constraints
         UNION ALL SELECT name, definition FROM sys.default_constraints
         UNION ALL SELECT name, CAST(seed_value AS varchar(9)) + '+' + CAST(increment_value AS varchar(9))
           FROM sys.identity_columns
         UNION ALL SELECT name, TYPE_NAME(system_type_id) FROM sys.types WHERE is_user_defined = 1",
    );
    insta::assert_debug_snapshot!(found, @r#"
    [
        "CK_price (price >= 0)",
        "DF_price ((0))",
        "id 10+5",
        "Flag bit",
    ]
    "#);
    let found = texts(
        &mut sa,
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, COLUMN_DEFAULT,
           IS_NULLABLE
         FROM INFORMATION_SCHEMA.COLUMNS ORDER BY 2, ORDINAL_POSITION",
    );
    insta::assert_debug_snapshot!(found, @r#"
    [
        "app child a int NULL NULL NO",
        "app child b varchar -1 NULL YES",
        "app child parent int NULL NULL NO",
        "dbo parent id int NULL NULL NO",
        "dbo parent code nvarchar 20 NULL NO",
        "dbo parent price decimal NULL ((0)) YES",
    ]
    "#);
    let found = texts(
        &mut sa,
        "SELECT CONSTRAINT_NAME, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION
         FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE ORDER BY 1",
    );
    insta::assert_debug_snapshot!(found, @r#"
    [
        "FK_parent child parent 1",
        "PK_parent parent id 1",
        "UQ_code parent code 1",
    ]
    "#);
    let databases = texts(
        &mut sa,
        "SELECT name, database_id, state_desc FROM sys.databases",
    );
    assert_eq!(databases.last().map(String::as_str), Some("tools 5 ONLINE"));
    let older = texts(
        &mut sa,
        "SELECT name FROM sysobjects WHERE xtype = 'U' ORDER BY 1",
    );
    assert_eq!(older, ["child", "parent"]);
    let numbers = rows(
        &mut sa,
        "SELECT OBJECT_ID('app.child', 'U'), OBJECT_ID('app.child', 'V'), OBJECT_ID('tools..child')",
    );
    assert!(!numbers[0][0].is_null());
    assert_eq!(numbers[0][1..], [Value::Null, Value::Null]);
}

#[test]
fn what_others_made_is_seen_with_a_permission_alone() {
    let fixture = Fixture::new();
    fixture.member("reader", None);
    let mut sa = made(&fixture);
    let mut reader = session(&fixture, "reader");
    let seen = "USE tools SELECT name FROM sys.tables";
    let denied = errors(&mut reader, seen);
    assert_eq!(denied.first().map(|error| error.number), Some(916));
    assert_eq!(errors(&mut sa, "CREATE USER reader FOR LOGIN reader"), []);
    assert_eq!(texts(&mut reader, seen), [] as [&str; 0]);
    let granted = "ALTER ROLE db_datareader ADD MEMBER reader";
    assert_eq!(errors(&mut sa, granted), []);
    assert_eq!(texts(&mut reader, seen).len(), 2);
}

#[test]
fn temporary_tables_are_tempdbs() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    let found = rows(
        &mut sa,
        "CREATE TABLE #t (id int IDENTITY, name nvarchar(40) NULL)
         SELECT c.name, t.name, c.max_length FROM tempdb.sys.columns c
         JOIN tempdb.sys.types t ON t.user_type_id = c.user_type_id
         WHERE c.object_id = OBJECT_ID('tempdb..#t') ORDER BY c.column_id",
    );
    assert_eq!(
        found,
        [
            vec![s("id"), s("int"), Value::SmallInt(4)],
            vec![s("name"), s("nvarchar"), Value::SmallInt(80)],
        ]
    );
    let found = rows(
        &mut sa,
        "SELECT COL_LENGTH('tempdb..#t', 'name'),
           (SELECT COUNT(*) FROM tempdb.sys.tables WHERE name LIKE '#t[_]%')",
    );
    assert_eq!(found, [[Value::SmallInt(80), n(1)]]);
    let gone = rows(
        &mut sa,
        "DROP TABLE #t SELECT OBJECT_ID('tempdb..#t'), (SELECT COUNT(*) FROM tempdb.sys.tables)",
    );
    assert_eq!(gone, [[Value::Null, n(0)]]);
}

#[test]
fn catalog_procedures_of_drivers() {
    let fixture = Fixture::new();
    let mut sa = made(&fixture);
    assert_eq!(
        texts(&mut sa, "EXEC sp_tables @table_type = '''TABLE'''"),
        ["tools app child TABLE NULL", "tools dbo parent TABLE NULL"]
    );
    let columns = texts(&mut sa, "EXEC sp_columns_100 N'parent', @ODBCVer = 3");
    insta::assert_debug_snapshot!(columns, @r#"
    [
        "tools dbo parent id 4 int identity 10 4 0 10 0 NULL NULL 4 NULL NULL 1 NO 0 0 0 1 NULL NULL NULL NULL NULL NULL 56",
        "tools dbo parent code -9 nvarchar 20 40 NULL NULL 0 NULL NULL -9 NULL 40 2 NO 0 0 0 0 NULL NULL NULL NULL NULL NULL 39",
        "tools dbo parent price 3 decimal 10 12 2 10 1 NULL ((0)) 3 NULL NULL 3 YES 0 0 0 0 NULL NULL NULL NULL NULL NULL 106",
    ]
    "#);
    let columns = texts(&mut sa, "EXEC sp_columns N'ch%', @column_name = 'b'");
    insta::assert_debug_snapshot!(columns, @r#"
    [
        "tools app child b 12 varchar 2147483647 2147483647 NULL NULL 1 NULL NULL 12 NULL 2147483647 2 YES 39",
    ]
    "#);
    assert_eq!(
        texts(&mut sa, "EXEC sp_pkeys N'parent'"),
        ["tools dbo parent id 1 PK_parent"]
    );
    assert_eq!(
        texts(
            &mut sa,
            "EXEC sp_fkeys @fktable_name = N'child', @fktable_owner = N'app'"
        ),
        ["tools dbo parent id tools app child parent 1 1 0 FK_parent PK_parent 7"]
    );
    let indexes = texts(&mut sa, "EXEC sp_statistics N'child', N'app'");
    insta::assert_debug_snapshot!(indexes, @r#"
    [
        "tools app child NULL NULL NULL 0 NULL NULL NULL NULL NULL NULL",
        "tools app child 1 child IX_parent 3 1 parent A NULL NULL NULL",
        "tools app child 1 child IX_parent 3 2 a D NULL NULL NULL",
    ]
    "#);
    let best = texts(&mut sa, "EXEC sp_special_columns N'parent'");
    insta::assert_debug_snapshot!(best, @r#"
    [
        "1 id 4 int identity 10 4 0 1",
    ]
    "#);
    assert_eq!(
        texts(&mut sa, "EXEC sp_datatype_info_100 93, 3"),
        [
            "datetime2 93 27 ' ' scale 1 0 3 NULL 0 NULL datetime2 0 7 9 3 NULL NULL 0",
            "datetime 93 23 ' ' NULL 1 0 3 NULL 0 NULL datetime 3 3 9 3 NULL NULL 12",
            "smalldatetime 93 16 ' ' NULL 1 0 3 NULL 0 NULL smalldatetime 0 0 9 3 NULL NULL 22",
        ]
    );
    assert_eq!(rows(&mut sa, "EXEC sp_datatype_info").len(), 36);
    let all = texts(&mut sa, "EXEC msdb..sp_stored_procedures 'sp_add_jobs%'");
    assert_eq!(
        all,
        [
            "msdb dbo sp_add_jobschedule;1 -1 -1 -1 NULL 2",
            "msdb dbo sp_add_jobserver;1 -1 -1 -1 NULL 2",
            "msdb dbo sp_add_jobstep;1 -1 -1 -1 NULL 2",
        ]
    );
    let parameters = texts(&mut sa, "EXEC msdb..sp_sproc_columns 'sp_delete_category'");
    insta::assert_debug_snapshot!(parameters, @r#"
    [
        "msdb dbo sp_delete_category;1 @RETURN_VALUE 5 4 int 10 4 0 10 0 NULL NULL 4 NULL NULL 0 NO 56",
        "msdb dbo sp_delete_category;1 @class 1 12 varchar 8 8 NULL NULL 1 NULL NULL 12 NULL 8 1 YES 39",
        "msdb dbo sp_delete_category;1 @name 1 -9 nvarchar 128 256 NULL NULL 1 NULL NULL -9 NULL 256 2 YES 39",
    ]
    "#);
    assert_eq!(texts(&mut sa, "EXEC sp_databases").len(), 5);
    assert_eq!(
        texts(&mut sa, "EXEC sp_server_info 1"),
        ["1 DBMS_NAME Microsoft SQL Server"]
    );
    let other = errors(&mut sa, "EXEC sp_tables @table_qualifier = 'master'");
    assert_eq!(other[0].number, 15250);
    // The form for drivers looks into the databases that its pattern admits.
    assert_eq!(
        texts(
            &mut sa,
            "EXEC master.sys.sp_tableswc N'sysjobs', @table_qualifier = 'ms%'"
        ),
        ["msdb dbo sysjobs TABLE NULL"]
    );
    assert_eq!(
        texts(
            &mut sa,
            "EXEC sp_tableswc N'%', N'app', N't%', @table_type = N'''TABLE'''"
        ),
        ["tools app child TABLE NULL"]
    );
    assert_eq!(texts(&mut sa, "EXEC sp_tableswc 'parent'").len(), 1);
    let nowhere = "EXEC sp_tableswc 'parent', @table_qualifier = 'none'";
    assert_eq!(rows(&mut sa, nowhere).len(), 0);
}

#[test]
fn drivers_see_no_database_that_is_closed_to_their_user() {
    let fixture = Fixture::new();
    let mut sa = made(&fixture);
    fixture.member("outsider", None);
    let mut outsider = session(&fixture, "outsider");
    let sql = "EXEC master.sys.sp_tableswc N'parent', @table_qualifier = N'%'";
    assert_eq!(rows(&mut sa, sql).len(), 1);
    assert_eq!(rows(&mut outsider, sql).len(), 0);
}

#[test]
fn help_for_people() {
    let fixture = Fixture::new();
    let mut sa = made(&fixture);
    let mut number = |script: &str| errors(&mut sa, script)[0].number;
    assert_eq!(number("EXEC sp_help 'nothing'"), 15009);
    assert_eq!(number("EXEC sp_helptext 'dbo.parent'"), 15197);
    assert_eq!(number("EXEC sp_helpsrvrolemember 'nothing'"), 15412);
    assert_eq!(number("EXEC sp_helpdb 'nothing'"), 15010);
    assert_eq!(number("EXEC sp_helprole 'nothing'"), 15409);
    assert_eq!(number("EXEC sp_who 'nothing'"), 15007);
    let indexes = texts(&mut sa, "EXEC sp_helpindex 'app.child'");
    insta::assert_debug_snapshot!(indexes, @r#"
    [
        "IX_parent nonclustered located on PRIMARY parent, a(-)",
    ]
    "#);
    let parameters = texts(&mut sa, "EXEC msdb..sp_help 'dbo.sp_delete_category'");
    insta::assert_debug_snapshot!(parameters, @r#"
    [
        "@class varchar 8 8 NULL 1 SQL_Latin1_General_CP1_CI_AS",
        "@name nvarchar 256 256 NULL 2 SQL_Latin1_General_CP1_CI_AS",
    ]
    "#);
    assert_eq!(
        texts(&mut sa, "EXEC sp_helpsrvrolemember 'sysadmin'"),
        ["sysadmin sa Binary([1])"]
    );
    assert_eq!(
        texts(&mut sa, "EXEC sp_who 51"),
        ["51 0 running sa client 0 msdb SELECT 0"]
    );
    assert_eq!(texts(&mut sa, "EXEC xp_msver 'ProductVersion'").len(), 1);
}

#[test]
fn options_of_the_server() {
    let fixture = Fixture::new();
    fixture.member("user", None);
    let mut sa = session(&fixture, "sa");
    let plain = texts(&mut sa, "EXEC sp_configure").len();
    let number = |session: &mut Session, script: &str| errors(session, script)[0].number;
    assert_eq!(number(&mut sa, "EXEC sp_configure 'Agent XPs'"), 15123);
    let set = "EXEC sp_configure 'show advanced options', 1 RECONFIGURE";
    assert_eq!(errors(&mut sa, set), []);
    assert!(texts(&mut sa, "EXEC sp_configure").len() > plain);
    assert_eq!(
        texts(&mut sa, "EXEC sp_configure 'Agent XPs'"),
        ["Agent XPs 0 1 1 1"]
    );
    let same = "EXEC sp_configure 'Agent XPs', 1 RECONFIGURE WITH OVERRIDE";
    assert_eq!(errors(&mut sa, same), []);
    // A value that tunes nothing here is kept and is all there is; what cannot be is kept and not in use.
    for (option, value, shown) in [
        ("max server memory (MB)", 4096, "4096 4096"),
        ("fill factor (%)", 80, "80 80"),
        ("xp_cmdshell", 1, "1 0"),
        ("Agent XPs", 0, "0 1"),
    ] {
        let set = format!("EXEC sp_configure '{option}', {value} RECONFIGURE");
        assert_eq!(errors(&mut sa, &set), [], "{option}");
        let seen = format!(
            "SELECT CAST(value AS int), CAST(value_in_use AS int) FROM sys.configurations WHERE name = '{option}'"
        );
        assert_eq!(texts(&mut sa, &seen), [shown], "{option}");
    }
    let beyond = "EXEC sp_configure 'xp_cmdshell', 2";
    assert_eq!(number(&mut sa, beyond), 15129);
    let mut user = session(&fixture, "user");
    let set = "EXEC sp_configure 'show advanced options', 0";
    assert_eq!(number(&mut user, set), 15247);
    let value = "SELECT CAST(value_in_use AS int) FROM sys.configurations WHERE name = 'Agent XPs'";
    assert_eq!(texts(&mut user, value), ["1"]);
}
