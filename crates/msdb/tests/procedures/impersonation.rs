//! EXECUTE AS and REVERT, in statements and in modules, and that nobody gets more by them than they may.

use super::scripts::{session, shown};
use super::support::Fixture;
use engine::Session;

/// An instance with the logins ann, bob and cat, who have users in the database Dba, which boss owns. sue is one of
/// its db_owners, and low a user without a login.
fn fixture() -> (Fixture, Session) {
    let fixture = Fixture::new();
    for name in ["ann", "bob", "cat", "boss", "sue"] {
        fixture.login(name, vec![name.bytes().map(|b| b % 16).sum(); 16]);
    }
    let mut sa = session(&fixture, "sa");
    check(
        &mut sa,
        "CREATE DATABASE Dba; ALTER AUTHORIZATION ON DATABASE::Dba TO boss\nGO\nUSE Dba\nGO\n\
         CREATE USER ann FOR LOGIN ann; CREATE USER bob FOR LOGIN bob; CREATE USER sue FOR LOGIN sue\n\
         ALTER ROLE db_owner ADD MEMBER sue; CREATE USER low WITHOUT LOGIN\n\
         CREATE TABLE t (a int); INSERT t VALUES (1)\nGRANT SELECT ON t TO low",
        "",
    );
    (fixture, sa)
}

#[track_caller]
fn check(session: &mut Session, script: &str, expected: &str) {
    assert_eq!(shown(session, script), expected, "{script}");
}

const WHO: &str =
    "SELECT SUSER_SNAME(), USER_NAME(), ORIGINAL_LOGIN(), IS_SRVROLEMEMBER('sysadmin')";

#[test]
fn who_one_is() {
    let (_fixture, mut sa) = fixture();
    for (script, expected) in [
        ("USE Dba", ""),
        (WHO, "sa|dbo|sa|1"),
        (
            &format!(
                "EXECUTE AS LOGIN = 'ann'; {WHO}; SELECT SYSTEM_USER, CURRENT_USER, SESSION_USER; REVERT; {WHO}"
            ),
            "ann|ann|sa|0; ann|ann|ann; sa|dbo|sa|1",
        ),
        // A context of the session stays over the end of its batch.
        ("EXECUTE AS USER = 'bob'", ""),
        (WHO, "bob|bob|sa|0"),
        (
            "SELECT IS_MEMBER('db_owner'), IS_ROLEMEMBER('public')",
            "0|1",
        ),
        ("REVERT", ""),
        (WHO, "sa|dbo|sa|1"),
        ("REVERT; REVERT", ""),
        // The database's owner is its dbo, with no more than that.
        (
            &format!("EXECUTE AS USER = 'dbo'; {WHO}; SELECT IS_MEMBER('db_owner'); REVERT"),
            "boss|dbo|sa|0; 1",
        ),
        (
            "EXECUTE AS USER = 'low'; SELECT LEFT(SUSER_SNAME(), 8), USER_NAME(), SUSER_SID(); SELECT a FROM t; REVERT",
            "S-1-9-3-|low|28 bytes; 1",
        ),
        // Contexts stand on each other.
        (
            "EXECUTE AS LOGIN = 'sue'; EXECUTE AS USER = 'low'; SELECT USER_NAME(); REVERT; SELECT USER_NAME(); REVERT; SELECT USER_NAME()",
            "low; sue; dbo",
        ),
        // What a text takes on ends with it.
        (
            "EXEC ('EXECUTE AS USER = ''low''; SELECT USER_NAME()'); SELECT USER_NAME()",
            "low; dbo",
        ),
        (
            "EXEC ('SELECT USER_NAME()') AS USER = 'low'; SELECT USER_NAME()",
            "low; dbo",
        ),
        (
            "EXEC ('SELECT SUSER_NAME()') AS LOGIN = 'ann'; SELECT SUSER_NAME()",
            "ann; sa",
        ),
        // A text reverts nothing of its caller's.
        (
            "EXECUTE AS USER = 'low'; EXEC ('REVERT; SELECT USER_NAME()'); REVERT; SELECT USER_NAME()",
            "low; dbo",
        ),
        ("EXECUTE AS CALLER; SELECT USER_NAME(); REVERT", "dbo"),
        (
            "DECLARE @u sysname = 'low'; EXECUTE AS USER = @u; SELECT USER_NAME(); REVERT",
            "low",
        ),
        // An error in it leaves the context as it was.
        (
            "BEGIN TRY EXEC ('EXECUTE AS USER = ''low''; SELECT 1 / 0') END TRY BEGIN CATCH SELECT ERROR_NUMBER(), USER_NAME() END CATCH",
            "8134|dbo",
        ),
    ] {
        check(&mut sa, script, expected);
    }
}

#[test]
fn who_may_act_as_whom() {
    let (fixture, mut sa) = fixture();
    let mut ann = session(&fixture, "ann");
    let mut sue = session(&fixture, "sue");
    let mut boss = session(&fixture, "boss");
    check(&mut ann, "USE Dba", "");
    check(&mut sue, "USE Dba", "");
    check(
        &mut boss,
        "USE Dba; SELECT USER_NAME(), IS_MEMBER('db_owner')",
        "dbo|1",
    );
    for (script, expected) in [
        ("EXECUTE AS LOGIN = 'bob'", "!15406"),
        ("EXECUTE AS LOGIN = 'sa'", "!15406"),
        ("EXECUTE AS LOGIN = 'nobody'", "!15406"),
        ("EXECUTE AS LOGIN = NULL", "!15406"),
        ("EXECUTE AS USER = 'bob'", "!15517"),
        ("EXECUTE AS USER = 'dbo'", "!15517"),
        ("EXECUTE AS USER = 'nobody'", "!15517"),
        ("EXEC ('SELECT 1') AS USER = 'bob'", "!15517"),
        ("EXEC ('SELECT 1') AS LOGIN = 'bob'", "!15406"),
        // Everyone may act as themselves.
        ("EXECUTE AS USER = 'ann'; SELECT USER_NAME(); REVERT", "ann"),
        (
            "EXECUTE AS LOGIN = 'ann'; SELECT USER_NAME(); REVERT",
            "ann",
        ),
    ] {
        check(&mut ann, script, expected);
    }
    for owner in [&mut sue, &mut boss] {
        check(
            owner,
            "EXECUTE AS USER = 'bob'; SELECT USER_NAME(); REVERT",
            "bob",
        );
        check(
            owner,
            "EXECUTE AS USER = 'dbo'; SELECT USER_NAME(); REVERT",
            "dbo",
        );
        check(owner, "EXECUTE AS USER = 'db_owner'", "!15517");
        check(owner, "EXECUTE AS LOGIN = 'bob'", "!15406");
    }
    // Granted, and taken back; a DENY wins.
    check(&mut sue, "GRANT IMPERSONATE ON USER::bob TO ann", "");
    check(
        &mut ann,
        "EXECUTE AS USER = 'bob'; SELECT USER_NAME(); REVERT",
        "bob",
    );
    check(&mut sue, "DENY IMPERSONATE ON USER::bob TO public", "");
    check(&mut ann, "EXECUTE AS USER = 'bob'", "!15517");
    check(
        &mut sue,
        "REVOKE IMPERSONATE ON USER::bob TO public; REVOKE IMPERSONATE ON USER::bob TO ann",
        "",
    );
    check(&mut ann, "EXECUTE AS USER = 'bob'", "!15517");
    check(
        &mut sa,
        "USE master; GRANT IMPERSONATE ON LOGIN::bob TO ann",
        "",
    );
    check(
        &mut ann,
        "EXECUTE AS LOGIN = 'bob'; SELECT SUSER_NAME(); REVERT",
        "bob",
    );
    // A login needs a way into the database.
    check(&mut sa, "USE Dba; EXECUTE AS LOGIN = 'cat'", "!916");
    check(
        &mut sa,
        "USE master; EXECUTE AS LOGIN = 'cat'; USE Dba; REVERT",
        "!916",
    );
}

#[test]
fn what_is_kept_stays() {
    let (_fixture, mut sa) = fixture();
    for (script, expected) in [
        ("USE Dba; REVERT WITH COOKIE = @c", "!137"),
        (
            "DECLARE @c varbinary(100), @d varbinary(100) = 0x12; EXECUTE AS USER = 'low' WITH COOKIE INTO @c; SELECT DATALENGTH(@c), USER_NAME()\n\
             REVERT; REVERT WITH COOKIE = @d; SELECT USER_NAME(); REVERT WITH COOKIE = @c; SELECT USER_NAME()",
            "32|low; low; dbo; !15591; !15589",
        ),
        (
            "EXEC ('EXECUTE AS USER = ''low'' WITH NO REVERT')",
            "!15590",
        ),
        // It has to be reverted where it began.
        (
            "EXECUTE AS LOGIN = 'sue'; USE tempdb; REVERT; SELECT SUSER_NAME(); USE Dba; REVERT; SELECT SUSER_NAME()",
            "sue; sa; !15357",
        ),
        (
            "EXECUTE AS USER = 'low' WITH NO REVERT; REVERT; SELECT USER_NAME()",
            "low; !15591",
        ),
    ] {
        check(&mut sa, script, expected);
    }
    // Nothing, not even a new beginning of the connection, gives the old rights back.
    assert_eq!(sa.may_reset().unwrap_err().number, 18_059);
    sa.reset();
    check(&mut sa, "SELECT IS_SRVROLEMEMBER('sysadmin')", "0");
}

#[test]
fn a_reset_reverts() {
    let (_fixture, mut sa) = fixture();
    check(
        &mut sa,
        "USE Dba; EXECUTE AS LOGIN = 'ann'; EXECUTE AS USER = 'ann'",
        "",
    );
    sa.may_reset().unwrap();
    sa.reset();
    check(&mut sa, WHO, "sa|dbo|sa|1");
}

#[test]
fn contexts_are_bounded() {
    let (_fixture, mut sa) = fixture();
    check(&mut sa, "USE Dba", "");
    check(
        &mut sa,
        "DECLARE @i int = 0; WHILE @i < 40 BEGIN SET @i += 1; EXECUTE AS USER = 'dbo' END",
        "!217",
    );
    check(
        &mut sa,
        "DECLARE @i int = 0; WHILE @i < 32 BEGIN SET @i += 1; REVERT END; SELECT SUSER_NAME()",
        "sa",
    );
}

#[test]
fn modules_run_as_whom_they_say() {
    let (fixture, mut sa) = fixture();
    let mut ann = session(&fixture, "ann");
    check(
        &mut sa,
        "USE Dba\nGO\nCREATE PROC p_caller AS SELECT USER_NAME()\nGO\n\
         CREATE PROC p_low WITH EXECUTE AS 'low' AS SELECT USER_NAME(), SUSER_NAME() WHERE 1 = 0; SELECT USER_NAME(); EXECUTE AS CALLER; SELECT USER_NAME(); REVERT; SELECT USER_NAME()\nGO\n\
         CREATE PROC p_owner WITH EXECUTE AS OWNER AS SELECT USER_NAME(), IS_SRVROLEMEMBER('sysadmin'); EXEC ('SELECT a FROM t')\nGO\n\
         CREATE PROC p_self WITH EXECUTE AS SELF AS SELECT USER_NAME()\nGO\n\
         CREATE FUNCTION f () RETURNS sysname WITH EXECUTE AS OWNER AS BEGIN RETURN USER_NAME() END\nGO\n\
         CREATE PROC p_left AS EXECUTE AS USER = 'low'; SELECT USER_NAME()\nGO\n\
         CREATE TABLE log (who sysname)\nGO\n\
         CREATE TRIGGER tr ON t WITH EXECUTE AS OWNER AFTER INSERT AS INSERT log VALUES (USER_NAME())\nGO\n\
         GRANT EXECUTE TO ann; GRANT INSERT ON t TO ann",
        "",
    );
    check(&mut ann, "USE Dba", "");
    for (script, expected) in [
        ("EXEC p_caller", "ann"),
        ("EXEC p_low; SELECT USER_NAME()", "low; ann; low; ann"),
        ("EXEC p_owner; SELECT USER_NAME()", "dbo|0; 1; ann"),
        ("EXEC p_self", "dbo"),
        ("SELECT dbo.f(), USER_NAME()", "dbo|ann"),
        ("INSERT t VALUES (2); SELECT USER_NAME()", "ann"),
        ("EXEC p_left", "ann; !15517"),
    ] {
        check(&mut ann, script, expected);
    }
    check(
        &mut sa,
        "SELECT who FROM log; EXEC p_left; SELECT USER_NAME()",
        "dbo; low; dbo",
    );
    check(
        &mut sa,
        "SELECT OBJECT_NAME(object_id), execute_as_principal_id FROM sys.sql_modules WHERE execute_as_principal_id < 0 ORDER BY 1",
        "f|-2; p_owner|-2; tr|-2",
    );
    for (script, expected) in [
        (
            "CREATE PROC bad WITH EXECUTE AS 'nobody' AS SELECT 1",
            "!15517",
        ),
        (
            "CREATE PROC bad WITH EXECUTE AS 'db_owner' AS SELECT 1",
            "!15517",
        ),
        (
            "CREATE FUNCTION bad () RETURNS TABLE WITH EXECUTE AS OWNER AS RETURN SELECT 1 AS a",
            "!487",
        ),
        // Whom a module runs as has to stay.
        ("DROP USER low", "!15136"),
    ] {
        check(&mut sa, script, expected);
    }
}

/// Everything here would give somebody more than they have.
#[test]
fn nobody_gets_more() {
    let (fixture, mut sa) = fixture();
    let mut sue = session(&fixture, "sue");
    let mut ann = session(&fixture, "ann");
    check(
        &mut sa,
        "CREATE DATABASE Other; CREATE TABLE Other.dbo.secret (a int)",
        "",
    );
    check(
        &mut sa,
        "EXEC msdb.dbo.sp_add_job @job_name = 'of sa'; EXEC msdb.dbo.sp_add_jobserver @job_name = 'of sa'",
        "",
    );
    check(
        &mut sa,
        "USE Dba; ALTER AUTHORIZATION ON DATABASE::Dba TO sa; CREATE TABLE dbo.hers (a int)",
        "",
    );
    check(&mut ann, "USE Dba", "");
    // Whoever may change a view may not change another table under the view's name.
    check(
        &mut sa,
        "CREATE TABLE dbo.behind (x int); CREATE TABLE dbo.kept (x int); INSERT dbo.kept VALUES (1)\nGO\nCREATE VIEW dbo.shown AS SELECT x FROM dbo.behind\nGO\nGRANT SELECT, UPDATE, DELETE ON dbo.shown TO ann; GRANT SELECT ON dbo.kept TO ann",
        "",
    );
    for (script, expected) in [
        ("UPDATE dbo.shown SET x = 2 FROM dbo.kept AS shown", "!1013"),
        ("DELETE dbo.shown FROM dbo.kept AS shown", "!1013"),
        ("UPDATE shown SET x = 2 FROM dbo.kept AS shown", "!229"),
        (
            "WITH shown AS (SELECT x FROM dbo.kept) UPDATE y SET x = 2 FROM shown AS y",
            "!229",
        ),
        ("SELECT x FROM dbo.kept", "1"),
    ] {
        check(&mut ann, script, expected);
    }
    // A database's owners act as dbo, whose login is sa: that gives them the database and nothing else.
    check(
        &mut sue,
        "USE Dba\nGO\nCREATE PROC up WITH EXECUTE AS OWNER AS SELECT SUSER_NAME(), IS_SRVROLEMEMBER('sysadmin'); ALTER SERVER ROLE sysadmin ADD MEMBER sue\nGO\nEXEC up",
        "sa|0; !15247",
    );
    for (script, expected) in [
        ("CREATE LOGIN evil WITH PASSWORD = 'Some words 1'", "!15247"),
        ("ALTER LOGIN sa WITH PASSWORD = 'Some words 1'", "!15151"),
        ("ALTER LOGIN sa DISABLE", "!15151"),
        ("DROP LOGIN ann", "!15151"),
        ("ALTER SERVER ROLE sysadmin ADD MEMBER sue", "!15247"),
        ("CREATE DATABASE Mine", "!262"),
        ("SELECT * FROM Other.dbo.secret", "!916"),
        ("USE Other", "!916"),
        ("EXECUTE AS LOGIN = 'ann'", "!15406"),
        ("EXECUTE AS LOGIN = 'sa'", "!15406"),
        ("ALTER AUTHORIZATION ON DATABASE::Dba TO ann", "!15151"),
        ("EXEC msdb.dbo.sp_add_job @job_name = 'evil'", "!229"),
        ("EXEC msdb.dbo.sp_start_job @job_name = 'of sa'", "!229"),
        ("SELECT COUNT(*) FROM msdb.dbo.sysjobs", "!229"),
        ("SELECT * FROM sys.dm_os_sys_info", "!300"),
        ("EXEC sp_configure 'show advanced options', 1", "!15247"),
        ("ALTER LOGIN sa WITH DEFAULT_DATABASE = Dba", "!15151"),
        ("USE master; GRANT CONTROL SERVER TO sue", "!4613"),
    ] {
        for context in ["", "EXECUTE AS USER = 'dbo'; "] {
            let seen = shown(&mut sue, &format!("USE Dba; {context}{script}"));
            shown(&mut sue, "USE Dba; REVERT; REVERT");
            assert_eq!(seen, expected, "{context}{script}");
        }
    }
    // In msdb too: its dbo is sa's user, and its jobs are sa's.
    fixture.write(|definitions| {
        definitions.create_database_user(&catalog::DatabaseUser {
            database: "msdb".to_owned(),
            name: "sue".to_owned(),
            sid: definitions.login("sue")?.unwrap().sid,
            ..catalog::DatabaseUser::default()
        })?;
        definitions.add_role_member(&catalog::RoleMember {
            database: "msdb".to_owned(),
            role: "db_owner".to_owned(),
            member: "sue".to_owned(),
        })
    });
    for (script, expected) in [
        (
            "USE msdb; EXECUTE AS USER = 'dbo'; SELECT IS_SRVROLEMEMBER('sysadmin'), USER_NAME()",
            "0|dbo",
        ),
        ("EXEC sp_add_job @job_name = 'evil'", "!15404"),
        (
            "EXEC sp_add_job @job_name = 'evil', @owner_login_name = 'sa'",
            "!14515",
        ),
        (
            "EXEC sp_update_job @job_name = 'of sa', @description = 'mine'",
            "!14525",
        ),
        (
            "EXEC sp_add_jobstep @job_name = 'of sa', @step_name = 'evil', @command = 'ALTER SERVER ROLE sysadmin ADD MEMBER sue'",
            "!14525",
        ),
        ("ALTER SERVER ROLE sysadmin ADD MEMBER sue", "!15247"),
        ("REVERT", ""),
    ] {
        check(&mut sue, script, expected);
    }
    // A text inside a module is its caller's; a module of another owner or database hands nothing on.
    check(
        &mut sa,
        "USE Dba\nGO\nCREATE PROC dyn AS EXEC ('SELECT a FROM hers'); EXEC sp_executesql N'SELECT a FROM hers'\nGO\n\
         CREATE PROC chained AS SELECT a FROM hers; TRUNCATE TABLE hers\nGO\n\
         CREATE PROC far AS SELECT a FROM Other.dbo.secret\nGO\n\
         CREATE SCHEMA s AUTHORIZATION bob\nGO\nCREATE VIEW s.v AS SELECT a FROM dbo.hers\nGO\n\
         CREATE VIEW dbo.v AS SELECT a FROM dbo.hers\nGO\n\
         GRANT EXECUTE ON dyn TO ann; GRANT EXECUTE ON chained TO ann; GRANT EXECUTE ON far TO ann; GRANT SELECT ON s.v TO ann; GRANT SELECT ON dbo.v TO ann",
        "",
    );
    for (script, expected) in [
        ("EXEC dyn", "!229; !229"),
        ("EXEC chained", "!1088"),
        ("EXEC far", "!916"),
        ("SELECT * FROM s.v", "!229"),
        ("SELECT * FROM dbo.v", ""),
    ] {
        check(&mut ann, script, expected);
    }
    check(
        &mut sa,
        "SELECT IS_SRVROLEMEMBER('sysadmin', 'sue'), (SELECT COUNT(*) FROM msdb..sysjobs)",
        "0|1",
    );
}

#[test]
fn the_audit_names_both() {
    let (fixture, mut sa) = fixture();
    check(
        &mut sa,
        "EXECUTE AS LOGIN = 'sa'; REVERT; USE master; ALTER SERVER ROLE securityadmin ADD MEMBER ann; EXECUTE AS LOGIN = 'ann'; CREATE LOGIN new WITH PASSWORD = 'Some words 1'; REVERT",
        "",
    );
    let rows = fixture
        .catalog
        .definitions_read(|definitions| definitions.audit_rows(0, 1000))
        .unwrap();
    let last = &rows.last().unwrap().entry;
    assert_eq!(
        (last.principal.as_str(), last.detail.as_deref()),
        ("ann", Some("by sa"))
    );
}
