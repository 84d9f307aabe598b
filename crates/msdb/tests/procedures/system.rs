//! `sys` views, functions and properties that clients ask for after login.

use super::support::{Fixture, n, s};
use engine::host::{FunctionResult, Host};
use tsql::Value;

#[test]
fn every_view_answers_in_its_columns() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let names = sa.column("sys.system_views", "name");
    assert!(names.len() > 20);
    for name in names {
        // Each row is held against the declared types.
        sa.rows(&format!("sys.{}", name.as_str().unwrap()));
    }
    assert_eq!(
        sa.column("sys.databases", "name"),
        [s("master"), s("tempdb"), s("model"), s("msdb")]
    );
    let tables = sa.column("sys.tables", "name");
    assert!(tables.contains(&s("sysjobs")) && !tables.contains(&s("sysjobs_view")));
    assert!(
        sa.column("sys.procedures", "name")
            .contains(&s("sp_add_job"))
    );
    assert_eq!(sa.rows("sysprocesses").len(), 2, "through dbo as well");
}

#[test]
fn others_see_themselves_only() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("other", None);
    let mut user = fixture.session("user");
    let logins = user.column("sys.sql_logins", "name");
    assert_eq!(logins, [s("sa"), s("user")]);
    assert_eq!(user.rows("sys.dm_exec_sessions").len(), 0);
    assert_eq!(user.rows("sys.credentials").len(), 0);
    assert_eq!(fixture.sa().rows("sys.dm_exec_sessions").len(), 2);
}

#[test]
fn functions_and_properties() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let function = sa.host.function("msdb", "dbo", "AGENT_DATETIME").unwrap();
    let value = sa
        .host
        .call_scalar(&function, &[n(20_261_103), n(120_000)])
        .unwrap();
    assert_eq!(
        value,
        Value::DateTime {
            days: 46_327,
            ticks: 12_960_000
        }
    );
    let bad = sa.host.call_scalar(&function, &[n(20_261_303), n(0)]);
    assert_eq!(bad.unwrap_err().number, 242);
    let name = sa
        .host
        .function("msdb", "dbo", "sqlagent_suser_sname")
        .unwrap();
    let login = sa
        .host
        .call_scalar(&name, &[Value::Binary(vec![1])])
        .unwrap();
    assert_eq!(login, s("sa"));
    let properties = sa
        .host
        .function("master", "sys", "fn_listextendedproperty")
        .unwrap();
    assert!(matches!(properties.returns, FunctionResult::Table(_)));
    assert_eq!(sa.host.scan_function(&properties, &[]).unwrap().count(), 0);
    assert_eq!(sa.host.server_property("ServerName"), s("Master"));
    assert_eq!(sa.host.server_property("InstanceName"), Value::Null);
    assert_eq!(sa.host.now().1, 0);
    assert!(sa.host.procedure("master", "dbo", "sp_add_job").is_none());
    assert!(
        sa.host
            .procedure("msdb", "sys", "XP_INSTANCE_REGREAD")
            .is_some()
    );
    let id = sa.host.object_id("msdb", "dbo", "sysjobs").unwrap();
    assert_eq!(
        sa.host.object_name("msdb", id),
        Some(("dbo".to_owned(), "sysjobs".to_owned()))
    );
}
