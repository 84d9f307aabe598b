//! Logins, users and roles by statements and by the older procedures, and what members of the fixed roles may do.

use super::scripts::{session, shown};
use super::support::Fixture;
use engine::Session;

/// An instance with logins and the database Dba, in which each has a user.
fn fixture(names: &[&str]) -> (Fixture, Session) {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    check(&mut sa, "CREATE DATABASE Dba\nGO\nUSE Dba", "");
    for (at, name) in (2_u8..).zip(names) {
        fixture.login(name, vec![at; 16]);
        check(&mut sa, &format!("CREATE USER [{name}]"), "");
    }
    (fixture, sa)
}

#[track_caller]
fn check(session: &mut Session, script: &str, expected: &str) {
    assert_eq!(shown(session, script), expected, "{script}");
}

#[test]
fn users_and_roles_come_and_go() {
    let (_fixture, mut sa) = fixture(&["ann", "bob"]);
    for (script, expected) in [
        ("CREATE USER ann", "!15023"),
        ("CREATE USER other FOR LOGIN ann", "!15063"),
        ("CREATE USER x FOR LOGIN nobody", "!15007"),
        ("CREATE USER x FOR LOGIN sa", "!15405"),
        ("CREATE USER dbo WITHOUT LOGIN", "!15023"),
        ("CREATE USER db_owner WITHOUT LOGIN", "!15023"),
        ("CREATE USER x FROM EXTERNAL PROVIDER", "!40517"),
        ("CREATE USER low WITHOUT LOGIN WITH DEFAULT_SCHEMA = s", ""),
        ("CREATE ROLE r AUTHORIZATION low; CREATE ROLE q", ""),
        ("CREATE ROLE R", "!15023"),
        ("CREATE ROLE ann", "!15023"),
        ("CREATE ROLE x AUTHORIZATION nobody", "!15151"),
        (
            "ALTER ROLE r ADD MEMBER ann; ALTER ROLE q ADD MEMBER r; ALTER ROLE db_datareader ADD MEMBER q",
            "",
        ),
        ("ALTER ROLE r ADD MEMBER q", "!15413"),
        ("ALTER ROLE r ADD MEMBER r", "!15413"),
        ("ALTER ROLE r ADD MEMBER nobody", "!15151"),
        ("ALTER ROLE r ADD MEMBER dbo", "!15405"),
        ("ALTER ROLE nothing ADD MEMBER ann", "!15151"),
        ("ALTER ROLE r ADD MEMBER db_owner", "!15405"),
        ("ALTER ROLE r DROP MEMBER bob", "!15151"),
        (
            "SELECT IS_ROLEMEMBER('r', 'ann'), IS_ROLEMEMBER('q', 'ann'), IS_ROLEMEMBER('db_datareader', 'ann'), IS_ROLEMEMBER('r', 'bob')",
            "1|1|1|0",
        ),
        ("DROP ROLE r", "!15144"),
        ("DROP ROLE db_owner", "!15150"),
        ("DROP ROLE nothing", "!15151"),
        ("DROP ROLE IF EXISTS nothing", ""),
        ("DROP USER low", "!15421"),
        ("ALTER AUTHORIZATION ON ROLE::r TO ann", ""),
        (
            "SELECT r.name, o.name FROM sys.database_principals AS r JOIN sys.database_principals AS o ON o.principal_id = r.owning_principal_id WHERE r.name IN ('r', 'q')",
            "r|ann; q|dbo",
        ),
        (
            "SELECT r.name, m.name FROM sys.database_role_members AS x JOIN sys.database_principals AS r ON r.principal_id = x.role_principal_id JOIN sys.database_principals AS m ON m.principal_id = x.member_principal_id ORDER BY 1, 2",
            "db_datareader|q; db_owner|dbo; q|r; r|ann",
        ),
        (
            "SELECT name, type, default_schema_name, authentication_type, DATALENGTH(sid) FROM sys.database_principals WHERE name IN ('low', 'ann', 'r') ORDER BY 1",
            "ann|S|dbo|1|16; low|S|s|0|28; r|R|NULL|0|28",
        ),
        (
            "ALTER ROLE r WITH NAME = r2; SELECT IS_ROLEMEMBER('r2', 'ann'), IS_ROLEMEMBER('r', 'ann')",
            "1|NULL",
        ),
        ("ALTER ROLE db_owner WITH NAME = x", "!15150"),
        (
            "ALTER USER ann WITH NAME = anna, DEFAULT_SCHEMA = dbo; SELECT IS_ROLEMEMBER('r2', 'anna')",
            "1",
        ),
        ("ALTER USER low WITH LOGIN = bob", "!33016"),
        ("ALTER USER nobody WITH NAME = x", "!15151"),
        ("ALTER USER dbo WITH NAME = x", "!15150"),
        (
            "SELECT HAS_PERMS_BY_NAME('Dba', 'DATABASE', 'SELECT'); EXECUTE AS USER = 'anna'; SELECT HAS_PERMS_BY_NAME('Dba', 'DATABASE', 'SELECT'), HAS_PERMS_BY_NAME('Dba', 'DATABASE', 'INSERT'); REVERT",
            "1; 1|0",
        ),
        ("ALTER ROLE r2 DROP MEMBER anna; DROP ROLE r2", ""),
        ("CREATE SCHEMA s2 AUTHORIZATION low", ""),
        ("DROP USER low", "!15138"),
        (
            "ALTER AUTHORIZATION ON SCHEMA::s2 TO dbo; DROP USER low; DROP USER low",
            "!15151",
        ),
        ("DROP USER IF EXISTS low; DROP USER dbo", "!15150"),
        ("DROP USER guest", ""),
    ] {
        check(&mut sa, script, expected);
    }
}

#[test]
fn the_older_procedures_do_the_same() {
    let (_fixture, mut sa) = fixture(&["ann"]);
    for (script, expected) in [
        (
            "EXEC sp_addlogin 'eva', 'Some words 1', 'Dba'; SELECT dbname FROM sys.syslogins WHERE name = 'eva'",
            "Dba",
        ),
        ("EXEC sp_addlogin 'eva', 'Some words 1'", "!15025"),
        ("EXEC sp_addlogin 'x', 'Some words 1', 'nowhere'", "!15010"),
        (
            "EXEC sp_defaultdb 'eva', 'master'; SELECT dbname FROM sys.syslogins WHERE name = 'eva'",
            "master",
        ),
        ("EXEC sp_defaultdb 'eva', 'nowhere'", "!15010"),
        ("EXEC sp_password NULL, 'Other words 2', 'eva'", ""),
        ("EXEC sp_password NULL, '', 'eva'", "!15118"),
        (
            "DECLARE @n sysname; EXEC sp_grantdbaccess 'eva', @n OUTPUT; SELECT @n",
            "eva",
        ),
        (
            "EXEC sp_addrole 'r', 'eva'; EXEC sp_addrolemember 'r', 'ann'",
            "",
        ),
        ("EXEC sp_addrolemember 'nothing', 'ann'", "!15014"),
        ("EXEC sp_addrolemember 'r', 'nobody'", "!15410"),
        ("EXEC sp_helprole 'r'", "r|8|0"),
        ("EXEC sp_helprolemember 'r'", "r|ann|16 bytes"),
        ("EXEC sp_helprole 'nothing'", "!15409"),
        ("EXEC sp_helpuser 'ann'", "ann|r|ann|master|dbo|6|16 bytes"),
        ("EXEC sp_helpdbfixedrole 'db_owner'", "db_owner|DB Owners"),
        ("EXEC sp_droprole 'r'", "!15144"),
        (
            "EXEC sp_droprolemember 'r', 'ann'; EXEC sp_droprole 'r'",
            "",
        ),
        (
            "EXEC sp_revokedbaccess 'eva'; EXEC sp_revokedbaccess 'eva'",
            "!15008",
        ),
        (
            "EXEC sp_adduser 'eva', 'eve', 'db_datareader'; SELECT IS_ROLEMEMBER('db_datareader', 'eve')",
            "1",
        ),
        (
            "EXEC sp_helplogins 'eva'",
            "eva|16 bytes|master|us_english|yes|no; eva|Dba|db_datareader|MemberOf; eva|Dba|eve|User",
        ),
        ("EXEC sp_helplogins 'nobody'", "!15007"),
        (
            "EXEC sp_dropuser 'eve'; EXEC sp_droplogin 'eva'; EXEC sp_droplogin 'eva'",
            "!15151",
        ),
        (
            "EXEC sp_addsrvrolemember 'ann', 'dbcreator'; SELECT IS_SRVROLEMEMBER('dbcreator', 'ann'); EXEC sp_dropsrvrolemember 'ann', 'dbcreator'; SELECT IS_SRVROLEMEMBER('dbcreator', 'ann')",
            "1; 0",
        ),
        (
            "EXEC msdb..sp_addrole 'here'; SELECT COUNT(*) FROM msdb.sys.database_principals WHERE name = 'here'",
            "1",
        ),
    ] {
        check(&mut sa, script, expected);
    }
}

#[test]
fn logins_with_all_their_options() {
    let (fixture, mut sa) = fixture(&["ann", "sec", "root"]);
    let hash = format!("0x0200{}", "AB".repeat(68));
    for (script, expected) in [
        (
            &*format!(
                "CREATE LOGIN moved WITH PASSWORD = {hash} HASHED, SID = 0x0123456789ABCDEF0123456789ABCDEF, DEFAULT_DATABASE = [Dba], CHECK_POLICY = OFF, CHECK_EXPIRATION = OFF, DEFAULT_LANGUAGE = [us_english]"
            ),
            "",
        ),
        (
            "SELECT name, default_database_name, is_disabled FROM sys.sql_logins WHERE sid = 0x0123456789ABCDEF0123456789ABCDEF",
            "moved|Dba|0",
        ),
        ("CREATE LOGIN x WITH PASSWORD = 0x0100 HASHED", "!15021"),
        (
            "CREATE LOGIN x WITH PASSWORD = 'Some words 1', SID = 0x01",
            "!15433",
        ),
        (
            "CREATE LOGIN x WITH PASSWORD = 'Some words 1', SID = 0x0123456789ABCDEF0123456789ABCDEF",
            "!15433",
        ),
        (
            "CREATE LOGIN x WITH PASSWORD = 'Some words 1' MUST_CHANGE, CHECK_EXPIRATION = ON",
            "!40517",
        ),
        ("CREATE LOGIN [host\\x] FROM WINDOWS", "!40517"),
        (
            "CREATE LOGIN [host\\x] WITH PASSWORD = 'Some words 1'",
            "!15006",
        ),
        (
            "CREATE LOGIN x WITH PASSWORD = 'Some words 1', DEFAULT_DATABASE = nowhere",
            "!15010",
        ),
        (
            "CREATE LOGIN sysadmin WITH PASSWORD = 'Some words 1'",
            "!15025",
        ),
        (
            "ALTER LOGIN moved WITH NAME = settled, DEFAULT_DATABASE = master",
            "",
        ),
        (
            "ALTER LOGIN settled DISABLE; SELECT is_disabled FROM sys.sql_logins WHERE name = 'settled'; ALTER LOGIN settled ENABLE",
            "1",
        ),
        ("ALTER LOGIN nobody ENABLE", "!15151"),
        ("ALTER LOGIN settled WITH NAME = ann", "!15025"),
        ("DROP LOGIN settled; DROP LOGIN settled", "!15151"),
        ("DROP LOGIN sa", "!15174"),
        (
            "ALTER SERVER ROLE securityadmin ADD MEMBER sec; ALTER SERVER ROLE sysadmin ADD MEMBER root",
            "",
        ),
        (
            "CREATE SERVER ROLE watchers; ALTER SERVER ROLE watchers ADD MEMBER ann; SELECT IS_SRVROLEMEMBER('watchers', 'ann')",
            "1",
        ),
        ("CREATE SERVER ROLE watchers", "!15025"),
        ("CREATE SERVER ROLE ann", "!15025"),
        ("ALTER SERVER ROLE sysadmin ADD MEMBER watchers", "!15151"),
        (
            "ALTER SERVER ROLE processadmin ADD MEMBER watchers; SELECT IS_SRVROLEMEMBER('processadmin', 'ann')",
            "1",
        ),
        ("ALTER SERVER ROLE watchers ADD MEMBER watchers", "!15413"),
        (
            "ALTER SERVER ROLE watchers WITH NAME = lookouts; SELECT IS_SRVROLEMEMBER('lookouts', 'ann')",
            "1",
        ),
        ("DROP SERVER ROLE lookouts", "!15144"),
        ("DROP SERVER ROLE sysadmin", "!15150"),
        (
            "SELECT r.name, m.name FROM sys.server_role_members AS x JOIN sys.server_principals AS r ON r.principal_id = x.role_principal_id JOIN sys.server_principals AS m ON m.principal_id = x.member_principal_id ORDER BY 1, 2",
            "lookouts|ann; processadmin|lookouts; securityadmin|sec; sysadmin|root; sysadmin|sa",
        ),
        (
            "ALTER SERVER ROLE lookouts DROP MEMBER ann; DROP SERVER ROLE lookouts",
            "",
        ),
    ] {
        check(&mut sa, script, expected);
    }
    // securityadmin administers logins, but none that may do more than it.
    let mut sec = session(&fixture, "sec");
    for (script, expected) in [
        (
            "CREATE LOGIN eva WITH PASSWORD = 'Some words 1'; ALTER LOGIN eva WITH PASSWORD = 'Other words 2'",
            "",
        ),
        ("ALTER LOGIN sa WITH PASSWORD = 'Other words 2'", "!15151"),
        ("ALTER LOGIN root WITH PASSWORD = 'Other words 2'", "!15151"),
        ("DROP LOGIN root", "!15151"),
        ("ALTER SERVER ROLE sysadmin ADD MEMBER sec", "!15247"),
        ("GRANT CONTROL SERVER TO eva", "!4613"),
        ("GRANT VIEW SERVER STATE TO eva", ""),
        ("GRANT IMPERSONATE ON LOGIN::sa TO eva", "!4613"),
        ("ALTER LOGIN sec WITH PASSWORD = 'Some more words 3'", ""),
    ] {
        check(&mut sec, script, expected);
    }
    // One's own password needs the old one.
    let mut eva = session(&fixture, "eva");
    for (script, expected) in [
        ("ALTER LOGIN eva WITH PASSWORD = 'Third words 3'", "!15151"),
        (
            "ALTER LOGIN eva WITH PASSWORD = 'Third words 33' OLD_PASSWORD = 'wrong'",
            "!15211",
        ),
        (
            "ALTER LOGIN eva WITH PASSWORD = 'Third words 33' OLD_PASSWORD = 'Other words 2'",
            "",
        ),
        ("EXEC sp_password 'Third words 33', 'Fourth words'", ""),
        (
            "ALTER LOGIN sa WITH PASSWORD = 'Third words 3' OLD_PASSWORD = 'Other words 2'",
            "!15151",
        ),
        ("ALTER LOGIN eva WITH NAME = sa2", "!15151"),
        ("ALTER LOGIN eva WITH DEFAULT_DATABASE = Dba", ""),
    ] {
        check(&mut eva, script, expected);
    }
}

#[test]
fn what_fixed_roles_let_one_do() {
    let roles = [
        "db_owner",
        "db_datareader",
        "db_datawriter",
        "db_ddladmin",
        "db_securityadmin",
        "db_accessadmin",
        "db_denydatareader",
        "db_denydatawriter",
    ];
    let (fixture, mut sa) = fixture(&roles.map(|role| role.trim_start_matches("db_")));
    check(
        &mut sa,
        "CREATE TABLE t (a int)\nGO\nCREATE PROC p AS RETURN\nGO\nCREATE USER low WITHOUT LOGIN; CREATE ROLE r",
        "",
    );
    for role in roles {
        check(
            &mut sa,
            &format!("ALTER ROLE {role} ADD MEMBER {}", &role[3..]),
            "",
        );
    }
    check(
        &mut sa,
        "GRANT SELECT, INSERT TO denydatareader; GRANT SELECT, INSERT TO denydatawriter",
        "",
    );
    // Statement, and how it ends for each role in the order above.
    let acts: &[(&str, [&str; 8])] = &[
        (
            "SELECT a FROM t",
            ["", "", "!229", "!229", "!229", "!229", "!229", ""],
        ),
        (
            "INSERT t VALUES (1); DELETE t",
            [
                "",
                "!229; !229",
                "",
                "!229; !229",
                "!229; !229",
                "!229; !229",
                "!229",
                "!229; !229",
            ],
        ),
        (
            "EXEC p",
            ["", "!229", "!229", "!229", "!229", "!229", "!229", "!229"],
        ),
        (
            "CREATE TABLE made (a int); DROP TABLE made",
            [
                "",
                "!262; !3701",
                "!262; !3701",
                "",
                "!262; !3701",
                "!262; !3701",
                "!262; !3701",
                "!262; !3701",
            ],
        ),
        (
            "ALTER TABLE t ADD b int; ALTER TABLE t DROP COLUMN b",
            [
                "",
                "!1088; !1088",
                "!1088; !1088",
                "",
                "!1088; !1088",
                "!1088; !1088",
                "!1088; !1088",
                "!1088; !1088",
            ],
        ),
        (
            "EXEC ('CREATE SCHEMA made'); DROP SCHEMA made",
            [
                "",
                "!262; !15151",
                "!262; !15151",
                "",
                "",
                "",
                "!262; !15151",
                "!262; !15151",
            ],
        ),
        (
            "GRANT SELECT ON t TO low; REVOKE SELECT ON t FROM low",
            [
                "",
                "!4613; !4613",
                "!4613; !4613",
                "!4613; !4613",
                "",
                "!15151; !15151",
                "!4613; !4613",
                "!4613; !4613",
            ],
        ),
        (
            "ALTER ROLE r ADD MEMBER low; ALTER ROLE r DROP MEMBER low",
            [
                "",
                "!15151; !15151",
                "!15151; !15151",
                "!15151; !15151",
                "",
                "!15151; !15151",
                "!15151; !15151",
                "!15151; !15151",
            ],
        ),
        (
            "ALTER ROLE db_owner ADD MEMBER low; ALTER ROLE db_owner DROP MEMBER low",
            [
                "",
                "!15151; !15151",
                "!15151; !15151",
                "!15151; !15151",
                "!15151; !15151",
                "!15151; !15151",
                "!15151; !15151",
                "!15151; !15151",
            ],
        ),
        (
            "CREATE USER made WITHOUT LOGIN; DROP USER made",
            [
                "",
                "!15247; !15151",
                "!15247; !15151",
                "!15247; !15151",
                "!15247; !15151",
                "",
                "!15247; !15151",
                "!15247; !15151",
            ],
        ),
        (
            "CREATE ROLE made; DROP ROLE made",
            [
                "",
                "!15247; !15151",
                "!15247; !15151",
                "!15247; !15151",
                "",
                "!15247; !15151",
                "!15247; !15151",
                "!15247; !15151",
            ],
        ),
        (
            "GRANT CONTROL TO low",
            [
                "", "!4613", "!4613", "!4613", "!4613", "!4613", "!4613", "!4613",
            ],
        ),
    ];
    let mut sessions: Vec<Session> = roles
        .iter()
        .map(|role| session(&fixture, &role[3..]))
        .collect();
    for session in &mut sessions {
        check(session, "USE Dba", "");
    }
    for (script, expected) in acts {
        for ((role, session), expected) in roles.iter().zip(&mut sessions).zip(expected) {
            assert_eq!(shown(session, script), *expected, "{role}: {script}");
        }
    }
}

#[test]
fn the_owner_of_a_database_is_its_dbo() {
    let (fixture, mut sa) = fixture(&["ann"]);
    fixture.login("maker", vec![77; 16]);
    check(
        &mut sa,
        "USE master; ALTER SERVER ROLE dbcreator ADD MEMBER maker",
        "",
    );
    let mut maker = session(&fixture, "maker");
    for (script, expected) in [
        (
            "CREATE DATABASE Mine\nGO\nUSE Mine\nGO\nSELECT USER_NAME(), IS_MEMBER('db_owner')",
            "dbo|1",
        ),
        (
            "CREATE TABLE t (a int); INSERT t VALUES (1); SELECT a FROM t",
            "1",
        ),
        (
            "CREATE USER ann; CREATE ROLE r; ALTER ROLE r ADD MEMBER ann; GRANT SELECT ON t TO r",
            "",
        ),
        (
            "EXEC ('CREATE SCHEMA s'); EXEC ('CREATE VIEW s.v AS SELECT a FROM dbo.t'); SELECT a FROM s.v",
            "1",
        ),
        ("ALTER DATABASE Mine SET RECOVERY SIMPLE", ""),
        ("EXECUTE AS USER = 'ann'; SELECT a FROM t; REVERT", "1"),
        (
            "SELECT COUNT(*) FROM fn_my_permissions(NULL, 'DATABASE') WHERE permission_name = 'CONTROL'",
            "1",
        ),
        ("DROP LOGIN maker", "!15151"),
    ] {
        check(&mut maker, script, expected);
    }
    check(&mut sa, "DROP LOGIN maker", "!15174");
    check(
        &mut maker,
        "USE master; DROP DATABASE Mine; CREATE DATABASE Mine\nGO\nUSE Mine\nGO\nSELECT COUNT(*) FROM sys.database_principals WHERE name IN ('ann', 'r')",
        "0",
    );
    check(&mut maker, "USE master", "");
    check(&mut sa, "ALTER AUTHORIZATION ON DATABASE::Mine TO ann", "");
    check(&mut maker, "USE Mine", "!916");
    let mut ann = session(&fixture, "ann");
    check(&mut ann, "USE Mine; SELECT USER_NAME()", "dbo");
    check(&mut sa, "USE Mine; EXEC sp_changedbowner 'maker'", "");
    check(&mut ann, "SELECT HAS_DBACCESS('Mine')", "0");
}

#[test]
fn guests() {
    let (fixture, mut sa) = fixture(&["ann"]);
    fixture.login("stray", vec![66; 16]);
    let mut stray = session(&fixture, "stray");
    check(
        &mut sa,
        "CREATE TABLE t (a int); GRANT SELECT ON t TO public",
        "",
    );
    check(
        &mut stray,
        "SELECT * FROM Dba.dbo.t; SELECT HAS_DBACCESS('Dba'), HAS_DBACCESS('msdb')",
        "0|1; !916",
    );
    check(&mut sa, "GRANT CONNECT TO guest", "");
    check(
        &mut stray,
        "SELECT * FROM Dba.dbo.t; USE Dba; SELECT USER_NAME(), HAS_DBACCESS('Dba'); USE master",
        "guest|1",
    );
    check(&mut sa, "REVOKE CONNECT FROM guest", "");
    check(&mut stray, "USE Dba", "!916");
    // A user may be kept out too.
    let mut ann = session(&fixture, "ann");
    check(&mut ann, "USE Dba; USE master", "");
    check(&mut sa, "DENY CONNECT TO ann", "");
    check(&mut ann, "USE Dba", "!916");
    check(
        &mut sa,
        "GRANT CONNECT TO ann; REVOKE CONNECT FROM ann; REVOKE CONNECT FROM ann",
        "",
    );
    check(&mut ann, "USE Dba", "!916");
    check(&mut sa, "GRANT CONNECT TO ann", "");
    check(&mut ann, "USE Dba", "");
    check(&mut sa, "USE master; REVOKE CONNECT FROM guest", "!15182");
}

#[test]
fn roles_of_msdb() {
    let fixture = Fixture::new();
    fixture.member("op", Some("SQLAgentOperatorRole"));
    fixture.member("mailer", Some("DatabaseMailUserRole"));
    let mut sa = session(&fixture, "sa");
    let mut op = session(&fixture, "op");
    check(
        &mut sa,
        "USE msdb; SELECT name FROM sys.database_principals WHERE type = 'R' AND name LIKE '%Role' ORDER BY 1",
        "DatabaseMailUserRole; SQLAgentOperatorRole; SQLAgentReaderRole; SQLAgentUserRole; TargetServersRole",
    );
    check(
        &mut op,
        "USE msdb; SELECT IS_MEMBER('SQLAgentUserRole'), IS_MEMBER('SQLAgentOperatorRole'), IS_MEMBER('TargetServersRole')",
        "1|1|0",
    );
    check(
        &mut sa,
        "SELECT IS_ROLEMEMBER('DatabaseMailUserRole', 'mailer'), IS_ROLEMEMBER('DatabaseMailUserRole', 'op')",
        "1|0",
    );
    check(&mut sa, "DROP ROLE SQLAgentUserRole", "!15150");
    check(
        &mut sa,
        "ALTER ROLE SQLAgentUserRole DROP MEMBER SQLAgentReaderRole",
        "!15405",
    );
    // Roles that somebody made carry the Agent's.
    check(
        &mut sa,
        "CREATE USER low WITHOUT LOGIN; CREATE ROLE team; ALTER ROLE SQLAgentUserRole ADD MEMBER team; ALTER ROLE team ADD MEMBER low; EXECUTE AS USER = 'low'; SELECT IS_MEMBER('SQLAgentUserRole'); EXEC sp_help_job; REVERT",
        "1",
    );
}

#[test]
fn names_are_looked_for_in_the_default_schema_first() {
    let (fixture, mut sa) = fixture(&["ann"]);
    check(
        &mut sa,
        "EXEC ('CREATE SCHEMA s AUTHORIZATION ann'); ALTER USER ann WITH DEFAULT_SCHEMA = s; GRANT CREATE TABLE, CREATE PROCEDURE, CREATE VIEW TO ann\n\
         CREATE TABLE dbo.t (a int); INSERT dbo.t VALUES (1); CREATE TABLE dbo.d (a int); INSERT dbo.d VALUES (9); GRANT SELECT ON SCHEMA::dbo TO ann",
        "",
    );
    let mut ann = session(&fixture, "ann");
    check(
        &mut ann,
        "SELECT SCHEMA_NAME(); USE Dba; SELECT SCHEMA_NAME(), SCHEMA_NAME(SCHEMA_ID()), IS_MEMBER('db_owner')",
        "guest; s|s|0",
    );
    for (script, expected) in [
        ("SELECT a FROM t", "1"),
        (
            "CREATE TABLE t (a int, b int); INSERT t VALUES (2, 3); SELECT a FROM t; SELECT a FROM dbo.t; SELECT a FROM s.t",
            "2; 1; 2",
        ),
        (
            "SELECT a FROM d; SELECT COUNT(*) FROM sys.tables; SELECT OBJECT_SCHEMA_NAME(OBJECT_ID('t'))",
            "9; 3; s",
        ),
        (
            "CREATE PROC p AS SELECT a FROM t\nGO\nEXEC p; EXEC s.p",
            "2; 2",
        ),
        (
            "CREATE VIEW v AS SELECT a FROM t\nGO\nSELECT a FROM v; ALTER TABLE t ADD c int; UPDATE t SET a = 4; DROP TABLE nothing",
            "2; !3701",
        ),
        ("SELECT a FROM v; EXEC ('SELECT a FROM t')", "4; 4"),
        (
            "DROP VIEW v; DROP PROC p; DROP TABLE t; SELECT a FROM t",
            "1",
        ),
        ("DROP TABLE t", "!3701"),
    ] {
        check(&mut ann, script, expected);
    }
    // What the schema's owner keeps there, its modules hand on; a module looks for names where it is.
    check(
        &mut sa,
        "CREATE TABLE s.t (a int); INSERT s.t VALUES (7)\nGO\nCREATE PROC s.q AS SELECT a FROM t\nGO\nEXEC s.q; SELECT a FROM t; SELECT SCHEMA_NAME()",
        "7; 1; dbo",
    );
}
