//! GRANT, DENY and REVOKE on every kind of securable, and the views and functions that show them.

use super::scripts::{session, shown};
use super::support::Fixture;
use engine::Session;

/// The database Dba with users ann, bob, cat of logins, a table, a schema and a procedure.
fn fixture() -> (Fixture, Session) {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    check(&mut sa, "CREATE DATABASE Dba\nGO\nUSE Dba", "");
    for (at, name) in (2_u8..).zip(["ann", "bob", "cat"]) {
        fixture.login(name, vec![at; 16]);
        check(&mut sa, &format!("CREATE USER [{name}]"), "");
    }
    check(
        &mut sa,
        "CREATE TABLE t (a int, b int, c int); INSERT t VALUES (1, 2, 3)\nGO\nCREATE SCHEMA s\nGO\n\
         CREATE TABLE s.u (a int)\nGO\nCREATE PROC p AS SELECT 1\nGO\nCREATE ROLE r; ALTER ROLE r ADD MEMBER bob",
        "",
    );
    (fixture, sa)
}

#[track_caller]
fn check(session: &mut Session, script: &str, expected: &str) {
    assert_eq!(shown(session, script), expected, "{script}");
}

/// What sa does, who then does what, and how that ends.
fn table(acts: &[(&str, &str, &str, &str)]) {
    let (fixture, mut sa) = fixture();
    let mut users: Vec<(&str, Session)> = ["ann", "bob", "cat"]
        .into_iter()
        .map(|name| (name, session(&fixture, name)))
        .collect();
    for (_, user) in &mut users {
        check(user, "USE Dba", "");
    }
    for (granted, who, script, expected) in acts {
        check(&mut sa, granted, "");
        let user = users.iter_mut().find(|(name, _)| name == who);
        check(&mut user.unwrap().1, script, expected);
    }
}

#[test]
fn what_includes_what() {
    table(&[
        ("", "ann", "SELECT a FROM t", "!229"),
        (
            "GRANT SELECT ON SCHEMA::dbo TO ann",
            "ann",
            "SELECT a FROM t",
            "1",
        ),
        ("", "ann", "SELECT a FROM s.u", "!229"),
        ("DENY SELECT ON t TO ann", "ann", "SELECT a FROM t", "!229"),
        ("REVOKE SELECT ON t FROM ann", "ann", "SELECT a FROM t", "1"),
        (
            "REVOKE SELECT ON SCHEMA::dbo FROM ann; GRANT SELECT TO r",
            "bob",
            "SELECT a FROM t; SELECT a FROM s.u",
            "1",
        ),
        (
            "DENY SELECT ON SCHEMA::s TO bob",
            "bob",
            "SELECT a FROM s.u",
            "!229",
        ),
        (
            "GRANT CONTROL ON OBJECT::dbo.t TO cat",
            "cat",
            "SELECT a FROM t; ALTER TABLE t ADD d int; GRANT SELECT ON t TO ann; TRUNCATE TABLE t",
            "1",
        ),
        ("INSERT t (a) VALUES (1)", "ann", "SELECT a FROM t", "1"),
        ("GRANT EXECUTE ON SCHEMA::dbo TO ann", "ann", "EXEC p", "1"),
        ("DENY EXECUTE TO public", "ann", "EXEC p", "!229"),
        ("REVOKE EXECUTE TO public", "ann", "EXEC p", "1"),
        (
            "GRANT CREATE TABLE TO ann",
            "ann",
            "CREATE TABLE x (a int)",
            "!2760",
        ),
        (
            "GRANT ALTER ON SCHEMA::s TO ann",
            "ann",
            "CREATE TABLE s.x (a int); DROP TABLE s.x; CREATE TABLE y (a int)",
            "!2760",
        ),
        (
            "GRANT CREATE VIEW TO ann",
            "ann",
            "EXEC ('CREATE VIEW s.v AS SELECT a FROM dbo.t'); SELECT a FROM s.v",
            "!229",
        ),
        (
            "GRANT SELECT ON s.v TO ann",
            "ann",
            "SELECT a FROM s.v",
            "1",
        ),
        ("", "ann", "EXEC ('CREATE PROC s.q AS SELECT 1')", "!262"),
        (
            "GRANT CONTROL TO cat",
            "cat",
            "CREATE ROLE q; CREATE USER low WITHOUT LOGIN; SELECT USER_NAME()",
            "cat",
        ),
        ("DENY SELECT ON t TO cat", "cat", "SELECT a FROM t", "!229"),
        (
            "ALTER ROLE db_owner ADD MEMBER cat",
            "cat",
            "SELECT a FROM t",
            "!229",
        ),
    ]);
}

#[test]
fn columns() {
    table(&[
        (
            "GRANT SELECT (a), UPDATE (b) ON t TO ann",
            "ann",
            "SELECT a FROM t",
            "1",
        ),
        ("", "ann", "SELECT b FROM t", "!230"),
        ("", "ann", "SELECT * FROM t", "!230"),
        ("", "ann", "SELECT a FROM t WHERE b = 2", "!230"),
        ("", "ann", "SELECT a FROM t AS x ORDER BY x.c", "!230"),
        ("", "ann", "SELECT (SELECT MAX(b) FROM t)", "!230"),
        (
            "",
            "ann",
            "WITH q AS (SELECT b FROM t) SELECT * FROM q",
            "!230",
        ),
        ("", "ann", "UPDATE t SET b = 5", ""),
        ("", "ann", "UPDATE t SET c = 5", "!230"),
        ("", "ann", "UPDATE t SET b = 5, a = 6", "!230"),
        ("", "ann", "DELETE t", "!229"),
        // A view of the same owner hands the whole table on.
        (
            "EXEC ('CREATE VIEW v AS SELECT b FROM t'); GRANT SELECT ON v TO ann",
            "ann",
            "SELECT * FROM v; SELECT v.b, t.b FROM v, t",
            "5; !230",
        ),
        (
            "GRANT SELECT ON t TO bob; DENY SELECT (c) ON t TO bob",
            "bob",
            "SELECT a FROM t",
            "1",
        ),
        ("", "bob", "SELECT c FROM t", "!230"),
        ("", "bob", "SELECT * FROM t", "!230"),
        // A column's own GRANT counts whatever is said of the table.
        (
            "DENY SELECT ON t TO cat; GRANT SELECT (a) ON t TO cat",
            "cat",
            "SELECT a FROM t",
            "1",
        ),
        ("", "cat", "SELECT b FROM t", "!230"),
        (
            "REVOKE SELECT (a) ON t FROM ann; REVOKE UPDATE (b) ON t FROM ann",
            "ann",
            "SELECT a FROM t",
            "!229",
        ),
        ("", "ann", "UPDATE t SET b = 5", "!229"),
        // The whole table's word takes the columns' place.
        ("GRANT SELECT ON t TO bob", "bob", "SELECT c FROM t", "3"),
    ]);
}

#[test]
fn grants_of_grants() {
    table(&[
        (
            "GRANT SELECT ON t TO ann WITH GRANT OPTION",
            "ann",
            "GRANT SELECT ON t TO bob WITH GRANT OPTION; GRANT INSERT ON t TO bob",
            "!4613",
        ),
        ("", "bob", "SELECT a FROM t; GRANT SELECT ON t TO cat", "1"),
        (
            "",
            "cat",
            "SELECT a FROM t; GRANT SELECT ON t TO bob",
            "1; !4613",
        ),
        ("", "ann", "GRANT SELECT ON t TO ann", "!4624"),
        ("", "ann", "REVOKE SELECT ON t FROM bob", "!4611"),
        ("", "ann", "REVOKE SELECT ON t FROM bob CASCADE", ""),
        ("", "cat", "SELECT a FROM t", "!229"),
        ("", "bob", "SELECT a FROM t", "!229"),
        (
            "REVOKE GRANT OPTION FOR SELECT ON t FROM ann CASCADE",
            "ann",
            "SELECT a FROM t; GRANT SELECT ON t TO bob",
            "1; !4613",
        ),
        (
            "GRANT SELECT ON t TO r WITH GRANT OPTION",
            "bob",
            "GRANT SELECT ON t TO cat AS r",
            "",
        ),
        ("", "cat", "SELECT a FROM t", "1"),
        ("", "ann", "GRANT SELECT ON t TO cat AS r", "!4613"),
        (
            "REVOKE SELECT ON t FROM r CASCADE",
            "cat",
            "SELECT a FROM t",
            "!229",
        ),
    ]);
}

#[test]
fn what_is_refused() {
    let (fixture, mut sa) = fixture();
    for (script, expected) in [
        ("GRANT SELECT ON nothing TO ann", "!15151"),
        ("GRANT SELECT ON SCHEMA::nothing TO ann", "!15151"),
        ("GRANT SELECT ON t TO nobody", "!15151"),
        ("GRANT SELECT ON t TO db_owner", "!4617"),
        ("GRANT SELECT ON t TO dbo", "!4624"),
        ("GRANT EXECUTE ON t TO ann", "!4606"),
        ("GRANT SELECT ON p TO ann", "!4606"),
        ("GRANT SELECT ON msdb.dbo.sysjobs TO ann", "!4610"),
        ("GRANT SELECT (nothing) ON t TO ann", "!1911"),
        ("GRANT INSERT (a) ON t TO ann", "!1020"),
        ("GRANT SELECT (a) TO ann", "!1020"),
        ("GRANT FLYING TO ann", "!4606"),
        ("GRANT VIEW SERVER STATE TO ann", "!4621"),
        ("GRANT IMPERSONATE ON LOGIN::ann TO bob", "!4621"),
        ("GRANT SELECT ON ASSEMBLY::a TO ann", "!40515"),
        ("GRANT CONTROL ON DATABASE::master TO ann", "!15151"),
        ("GRANT IMPERSONATE ON USER::r TO ann", "!15151"),
        ("USE master; GRANT VIEW SERVER STATE TO sa", "!4624"),
        ("GRANT VIEW SERVER STATE TO sysadmin", "!4617"),
        ("GRANT VIEW SERVER STATE TO nobody", "!15151"),
    ] {
        check(&mut sa, script, expected);
    }
    // Nothing of several is done when one cannot be.
    check(
        &mut sa,
        "USE Dba; GRANT SELECT ON t TO ann, nobody",
        "!15151",
    );
    let mut ann = session(&fixture, "ann");
    check(&mut ann, "SELECT a FROM Dba..t", "!229");
    check(&mut ann, "USE Dba; GRANT SELECT ON t TO bob", "!15151");
    check(&mut ann, "GRANT CREATE TABLE TO bob", "!4613");
}

#[test]
fn the_server() {
    let (fixture, mut sa) = fixture();
    let mut ann = session(&fixture, "ann");
    for (script, expected) in [
        ("SELECT COUNT(*) FROM sys.dm_os_sys_info", "!300"),
        (
            "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), HAS_PERMS_BY_NAME(NULL, NULL, 'CONNECT SQL')",
            "0|1",
        ),
        ("CREATE LOGIN x WITH PASSWORD = 'Some words 1'", "!15247"),
    ] {
        check(&mut ann, script, expected);
    }
    check(
        &mut sa,
        "USE master; GRANT VIEW SERVER STATE TO ann; GRANT ALTER ANY LOGIN TO ann; DENY CONNECT SQL TO bob",
        "",
    );
    for (script, expected) in [
        ("SELECT COUNT(*) FROM sys.dm_os_sys_info", "1"),
        (
            "CREATE LOGIN x WITH PASSWORD = 'Some words 1'; DROP LOGIN x",
            "",
        ),
        (
            "SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE'), HAS_PERMS_BY_NAME(NULL, NULL, 'CONTROL SERVER')",
            "1|0",
        ),
        (
            "SELECT permission_name FROM fn_my_permissions(NULL, 'SERVER')",
            "CONNECT SQL; ALTER ANY LOGIN; VIEW ANY DATABASE; VIEW SERVER STATE",
        ),
        ("ALTER LOGIN sa WITH PASSWORD = 'Some words 1'", "!15151"),
    ] {
        check(&mut ann, script, expected);
    }
    check(
        &mut sa,
        "SELECT g.name, p.permission_name, p.state, p.type FROM sys.server_permissions AS p JOIN sys.server_principals AS g ON g.principal_id = p.grantee_principal_id WHERE g.name IN ('ann', 'bob') ORDER BY 1, 2",
        "ann|ALTER ANY LOGIN|G|ALLG; ann|CONNECT SQL|G|COSQ; ann|VIEW SERVER STATE|G|VWSS; bob|CONNECT SQL|D|COSQ",
    );
    let bob = fixture
        .catalog
        .definitions_read(|d| d.login("bob"))
        .unwrap()
        .unwrap();
    assert!(!msdb::may_connect(&fixture.catalog, &bob).unwrap());
    check(&mut sa, "GRANT CONNECT SQL TO bob", "");
    assert!(msdb::may_connect(&fixture.catalog, &bob).unwrap());
    // CONTROL SERVER is everything but membership.
    check(&mut sa, "GRANT CONTROL SERVER TO bob", "");
    let mut bob = session(&fixture, "bob");
    check(
        &mut bob,
        "USE Dba; SELECT a FROM t; SELECT IS_SRVROLEMEMBER('sysadmin'); CREATE TABLE z (a int)",
        "1; 0",
    );
    check(
        &mut bob,
        "ALTER SERVER ROLE sysadmin ADD MEMBER bob",
        "!15247",
    );
    check(&mut sa, "DENY CONTROL SERVER TO bob", "");
    check(&mut bob, "SELECT a FROM t", "!229");
}

#[test]
fn what_the_views_show() {
    let (_fixture, mut sa) = fixture();
    check(
        &mut sa,
        "GRANT SELECT ON t TO ann WITH GRANT OPTION; GRANT UPDATE (b) ON t TO ann; DENY EXECUTE ON SCHEMA::s TO r; GRANT CREATE TABLE TO bob; GRANT IMPERSONATE ON USER::bob TO cat",
        "",
    );
    check(
        &mut sa,
        "SELECT p.class, p.class_desc, g.name, o.name, p.type, p.permission_name, p.state_desc, p.minor_id FROM sys.database_permissions AS p\n\
         JOIN sys.database_principals AS g ON g.principal_id = p.grantee_principal_id JOIN sys.database_principals AS o ON o.principal_id = p.grantor_principal_id\n\
         WHERE p.permission_name <> 'CONNECT' ORDER BY 1, 6",
        "0|DATABASE|bob|dbo|CRTB|CREATE TABLE|GRANT|0; 1|OBJECT_OR_COLUMN|ann|dbo|SL|SELECT|GRANT_WITH_GRANT_OPTION|0; \
         1|OBJECT_OR_COLUMN|ann|dbo|UP|UPDATE|GRANT|2; 3|SCHEMA|r|dbo|EX|EXECUTE|DENY|0; 4|DATABASE_PRINCIPAL|cat|dbo|IM|IMPERSONATE|GRANT|0",
    );
    for (script, expected) in [
        (
            "SELECT COUNT(*) FROM sys.database_permissions WHERE major_id = OBJECT_ID('t')",
            "2",
        ),
        (
            "SELECT COUNT(*) FROM sys.database_permissions WHERE class = 3 AND major_id = SCHEMA_ID('s')",
            "1",
        ),
        (
            "EXEC sp_helprotect",
            ".|.|bob|dbo|Grant|Create Table|.; dbo|t|ann|dbo|Grant_WGO|Select|(All+New); dbo|t|ann|dbo|Grant|Update|b",
        ),
        (
            "EXEC sp_helprotect 't', 'ann'",
            "dbo|t|ann|dbo|Grant_WGO|Select|(All+New); dbo|t|ann|dbo|Grant|Update|b",
        ),
        ("EXEC sp_helprotect 't', 'bob'", "!15330"),
        (
            "SELECT COUNT(*) FROM sys.fn_builtin_permissions('SCHEMA')",
            "11",
        ),
        (
            "SELECT permission_name, covering_permission_name, parent_class_desc, parent_covering_permission_name FROM sys.fn_builtin_permissions(DEFAULT) WHERE class_desc = 'OBJECT' AND type = 'AL'",
            "ALTER|CONTROL|SCHEMA|ALTER",
        ),
        (
            "EXECUTE AS USER = 'ann'; SELECT HAS_PERMS_BY_NAME('dbo.t', 'OBJECT', 'SELECT'), HAS_PERMS_BY_NAME('dbo.t', 'OBJECT', 'UPDATE'), HAS_PERMS_BY_NAME('dbo.t', 'OBJECT', 'UPDATE', 'b', 'COLUMN'), HAS_PERMS_BY_NAME('dbo.p', 'OBJECT', 'EXECUTE'), HAS_PERMS_BY_NAME('s', 'SCHEMA', 'ANY'), HAS_PERMS_BY_NAME('bob', 'USER', 'IMPERSONATE'); REVERT",
            "1|0|1|NULL|0|0",
        ),
        (
            "EXECUTE AS USER = 'cat'; SELECT HAS_PERMS_BY_NAME('bob', 'USER', 'IMPERSONATE'); REVERT",
            "1",
        ),
        (
            "SELECT permission_name FROM fn_my_permissions('dbo.p', 'OBJECT')",
            "EXECUTE; VIEW DEFINITION; TAKE OWNERSHIP; ALTER; CONTROL",
        ),
        (
            "EXECUTE AS USER = 'ann'; SELECT subentity_name, permission_name FROM fn_my_permissions('dbo.t', 'OBJECT'); REVERT",
            "|SELECT; a|SELECT; b|SELECT; b|UPDATE; c|SELECT",
        ),
        (
            "SELECT GRANTEE, PRIVILEGE_TYPE, IS_GRANTABLE FROM INFORMATION_SCHEMA.TABLE_PRIVILEGES",
            "ann|SELECT|YES",
        ),
        // What is said of a table ends with it.
        (
            "DROP TABLE t; CREATE TABLE t (a int); SELECT COUNT(*) FROM sys.database_permissions WHERE class = 1",
            "0",
        ),
    ] {
        check(&mut sa, script, expected);
    }
}
