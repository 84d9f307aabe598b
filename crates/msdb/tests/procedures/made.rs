//! Objects that users make, under msdb's own permissions and transactions.

use super::scripts::{errors, rows, session};
use super::support::Fixture;
use engine::Session;
use tsql::Value;

/// Numbers of a script's errors have to be these.
#[track_caller]
fn check(session: &mut Session, script: &str, expected: &[i32]) {
    let numbers: Vec<i32> = errors(session, script).iter().map(|e| e.number).collect();
    assert_eq!(numbers, expected, "{script}");
}

#[test]
fn who_may_use_an_object_is_granted() {
    let fixture = Fixture::new();
    fixture.member("mary", None);
    fixture.member("boss", Some("db_owner"));
    let mut sa = session(&fixture, "sa");
    let mut mary = session(&fixture, "mary");
    let mut boss = session(&fixture, "boss");
    check(
        &mut sa,
        "USE msdb\nGO\nCREATE TABLE dbo.t (a int); INSERT t VALUES (1)\nGO\n\
         CREATE PROC dbo.p AS UPDATE t SET a += 1; SELECT a FROM t; SELECT COUNT(*) FROM sysjobs\nGO\n\
         CREATE VIEW dbo.v AS SELECT a FROM t\nGO\nCREATE FUNCTION dbo.f () RETURNS int AS BEGIN RETURN (SELECT MAX(a) FROM t) END",
        &[],
    );
    let all = [
        "SELECT * FROM msdb..t",
        "INSERT msdb..t VALUES (2)",
        "DELETE msdb..t",
        "SELECT * FROM msdb..v",
        "SELECT msdb.dbo.f()",
        "EXEC msdb..p",
    ];
    for statement in all {
        check(&mut mary, statement, &[229]);
    }
    check(&mut mary, "TRUNCATE TABLE msdb..t", &[1088]);
    check(&mut mary, "GRANT SELECT ON msdb..t TO mary", &[4610]);
    check(&mut mary, "USE msdb; CREATE TABLE x (a int)", &[262]);
    check(&mut mary, "DROP TABLE msdb..t", &[3701]);
    check(&mut mary, "GRANT SELECT ON t TO mary", &[15151]);
    check(
        &mut boss,
        "USE msdb; SELECT * FROM t; GRANT SELECT ON v TO mary; GRANT EXECUTE ON dbo.f TO public; GRANT INSERT ON t TO mary",
        &[],
    );
    // A view and a function read for who may use them; a table of the same database is theirs through them alone.
    check(&mut mary, "SELECT * FROM msdb..v; SELECT msdb.dbo.f()", &[]);
    check(&mut mary, "INSERT msdb..t VALUES (2)", &[]);
    // A MERGE takes what its clauses do.
    for (clause, errors) in [
        ("WHEN NOT MATCHED THEN INSERT VALUES (3)", &[][..]),
        ("WHEN MATCHED THEN DELETE", &[229]),
        ("WHEN MATCHED THEN UPDATE SET a = 4", &[229]),
        (
            "WHEN NOT MATCHED THEN INSERT VALUES (3) WHEN MATCHED THEN DELETE",
            &[229],
        ),
    ] {
        let merge = format!("MERGE msdb..t AS t USING (SELECT 3 AS a) AS s ON t.a = s.a {clause};");
        check(&mut mary, &merge, errors);
    }
    check(&mut mary, "SELECT * FROM msdb..t", &[229]);
    check(&mut sa, "USE msdb; DENY SELECT ON v TO public", &[]);
    check(&mut mary, "SELECT * FROM msdb..v", &[229]);
    check(&mut sa, "USE msdb; REVOKE SELECT ON v FROM public", &[]);
    check(&mut mary, "SELECT * FROM msdb..v", &[]);
    check(
        &mut sa,
        "USE msdb; GRANT SELECT ON nothing TO mary",
        &[15151],
    );
    check(&mut sa, "USE msdb; GRANT SELECT ON t TO nobody", &[15151]);
}

#[test]
fn a_grant_on_an_agent_procedure_is_what_its_role_would_be() {
    let fixture = Fixture::new();
    fixture.member("mary", None);
    let mut sa = session(&fixture, "sa");
    let mut mary = session(&fixture, "mary");
    let help = "EXEC msdb.dbo.sp_help_category";
    check(&mut mary, help, &[229]);
    check(
        &mut sa,
        "USE msdb; GRANT EXECUTE ON dbo.sp_help_category TO mary",
        &[],
    );
    check(&mut mary, help, &[]);
    check(
        &mut sa,
        "USE msdb; DENY EXECUTE ON OBJECT::dbo.sp_help_category TO mary",
        &[],
    );
    check(&mut mary, help, &[229]);
}

#[test]
fn jobs_and_tables_are_taken_back_together() {
    let fixture = Fixture::new();
    let mut sa = session(&fixture, "sa");
    check(
        &mut sa,
        "CREATE DATABASE Dba; CREATE TABLE Dba.dbo.made (name sysname)",
        &[],
    );
    let make =
        "BEGIN TRAN; INSERT Dba..made VALUES ('j'); EXEC msdb.dbo.sp_add_job @job_name = N'j'; ";
    check(&mut sa, &format!("{make} ROLLBACK"), &[]);
    let count = "SELECT (SELECT COUNT(*) FROM Dba..made), (SELECT COUNT(*) FROM msdb..sysjobs)";
    assert_eq!(rows(&mut sa, count), [[Value::Int(0), Value::Int(0)]]);
    check(&mut sa, &format!("{make} COMMIT"), &[]);
    assert_eq!(rows(&mut sa, count), [[Value::Int(1), Value::Int(1)]]);
    let names = "SELECT DB_ID('dba'), DB_NAME(DB_ID('DBA')), OBJECT_NAME(OBJECT_ID('Dba..made'), DB_ID('Dba'))";
    assert_eq!(
        rows(&mut sa, names),
        [[
            Value::SmallInt(5),
            Value::string("Dba"),
            Value::string("made")
        ]]
    );
}
