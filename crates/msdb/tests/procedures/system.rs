//! `sys` views, functions and properties that clients ask for after login.

use super::support::{Fixture, n, s};
use engine::host::{FunctionResult, Host};
use tsql::Value;

#[test]
fn every_view_answers_in_its_columns() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let names = sa.column("sys.system_views", "name");
    let mut filled = 0;
    for name in &names {
        // Each row is held against the declared types.
        let name = name.as_str().unwrap();
        let schema = if sa.host.table("msdb", "sys", name).is_some() {
            "sys"
        } else {
            "INFORMATION_SCHEMA"
        };
        filled += usize::from(!sa.rows(&format!("{schema}.{name}")).is_empty());
    }
    assert!(
        names.len() > 300 && filled > 60,
        "{filled} of {}",
        names.len()
    );
    assert_eq!(
        sa.column("sys.databases", "name"),
        [s("master"), s("tempdb"), s("model"), s("msdb")]
    );
    let tables = sa.column("sys.tables", "name");
    assert!(tables.contains(&s("sysjobs")) && !tables.contains(&s("sysjobs_view")));
    let information = sa.column("INFORMATION_SCHEMA.TABLES", "TABLE_NAME");
    assert!(information.contains(&s("sysjobs")) && information.contains(&s("sysjobs_view")));
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
    let seen = user.column("sys.procedures", "name");
    assert!(seen.contains(&s("sp_add_job")) && !seen.contains(&s("sp_add_proxy")));
    assert_eq!(user.select("sys.dm_os_sys_info", &[]), Err(300));
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
    let data = sa.host.server_property("instancedefaultdatapath");
    assert_eq!(data, s("/data/"));
    let hex = sa
        .host
        .function("master", "dbo", "fn_varbintohexstr")
        .unwrap();
    let text = sa.host.call_scalar(&hex, &[Value::Binary(vec![0x0f])]);
    assert_eq!(text.unwrap(), s("0x0f"));
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

#[test]
fn requests_and_their_texts() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let handles = sa.column("sys.dm_exec_requests", "sql_handle");
    let [handle @ Value::Binary(_)] = &handles[..] else {
        panic!("one request runs: {handles:?}")
    };
    let function = sa
        .host
        .function("master", "sys", "DM_EXEC_SQL_TEXT")
        .unwrap();
    let mut text_of = |handle: &Value| -> Vec<_> {
        let rows = sa
            .host
            .scan_function(&function, std::slice::from_ref(handle))
            .unwrap();
        rows.map(|row| row.unwrap()[4].clone()).collect()
    };
    assert_eq!(text_of(handle), [s("SELECT 1;")]);
    assert_eq!(text_of(&Value::Binary(vec![1, 2, 3])), []);
}

#[test]
fn texts_of_requests_are_bounded_and_hold_no_secrets() {
    use msdb::services::{REQUEST_TEXT_BYTES_MAX, RequestInfo};
    let long = "é".repeat(REQUEST_TEXT_BYTES_MAX);
    let kept = RequestInfo::kept(&long);
    assert!(kept.len() <= REQUEST_TEXT_BYTES_MAX && long.starts_with(&*kept));
    let kept = RequestInfo::kept("CREATE LOGIN x WITH PassWord = 'abc'");
    assert!(!kept.contains("abc"), "{kept}");
}

#[test]
fn questions_about_objects_columns_and_types() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut sa = fixture.sa();
    let id = |name: &str| n(sa.host.object_id("msdb", "dbo", name).unwrap());
    let (table, view, procedure) = (id("sysjobs"), id("sysjobs_view"), id("sp_add_job"));
    let cases = [
        (
            "OBJECTPROPERTY",
            vec![table.clone(), s("IsUserTable")],
            n(1),
        ),
        ("OBJECTPROPERTY", vec![view.clone(), s("isusertable")], n(0)),
        (
            "OBJECTPROPERTY",
            vec![procedure.clone(), s("IsProcedure")],
            n(1),
        ),
        ("OBJECTPROPERTY", vec![procedure, s("ExecIsStartup")], n(0)),
        (
            "OBJECTPROPERTY",
            vec![table.clone(), s("IsMSShipped")],
            n(1),
        ),
        (
            "OBJECTPROPERTY",
            vec![table.clone(), s("nonsense")],
            Value::Null,
        ),
        ("OBJECTPROPERTY", vec![n(7), s("IsTable")], Value::Null),
        (
            "OBJECTPROPERTYEX",
            vec![table.clone(), s("BaseType")],
            s("U"),
        ),
        ("OBJECT_IS_OF_KIND", vec![table.clone(), s("P")], n(0)),
        ("COL_NAME", vec![table.clone(), n(1)], s("job_id")),
        (
            "COL_LENGTH",
            vec![s("dbo.sysjobs"), s("name")],
            Value::SmallInt(256),
        ),
        ("COL_LENGTH", vec![s("sysjobs"), s("none")], Value::Null),
        (
            "COLUMNPROPERTY",
            vec![table, s("name"), s("AllowsNull")],
            n(0),
        ),
        ("TYPE_ID", vec![s("sysname")], n(256)),
        ("TYPE_NAME", vec![n(231)], s("nvarchar")),
        ("TYPEPROPERTY", vec![s("int"), s("Precision")], n(10)),
        ("SCHEMA_ID", vec![s("SYS")], n(4)),
        ("SCHEMA_NAME", vec![n(1)], s("dbo")),
        ("USER_NAME", vec![n(1)], s("dbo")),
        ("DATABASE_PRINCIPAL_ID", vec![s("db_owner")], n(16_384)),
        ("SUSER_ID", vec![s("sa")], n(1)),
        ("SUSER_NAME", vec![n(3)], s("sysadmin")),
        ("LOGINPROPERTY", vec![s("sa"), s("IsLocked")], n(0)),
        (
            "DATABASEPROPERTYEX",
            vec![s("msdb"), s("Status")],
            s("ONLINE"),
        ),
        (
            "DATABASEPROPERTYEX",
            vec![s("none"), s("Status")],
            Value::Null,
        ),
        ("DATABASEPROPERTY", vec![s("msdb"), s("IsInLoad")], n(0)),
        ("HAS_DBACCESS", vec![s("msdb")], n(1)),
        ("FILE_NAME", vec![n(1)], s("msdb.db")),
        ("FILEPROPERTY", vec![s("msdb.db"), s("SpaceUsed")], n(3)),
        (
            "HAS_PERMS_BY_NAME",
            vec![Value::Null, Value::Null, s("VIEW SERVER STATE")],
            n(1),
        ),
        (
            "CONNECTIONPROPERTY",
            vec![s("client_net_address"), n(51)],
            s("127.0.0.1"),
        ),
    ];
    for (function, arguments, wanted) in &cases {
        let value = sa.host.metadata("msdb", function, arguments).unwrap();
        assert_eq!(value, *wanted, "{function} {arguments:?}");
    }
    let mut user = fixture.session("user");
    let perms = |what: &str, class: &str, permission: &str| vec![s(what), s(class), s(permission)];
    let cases = [
        (vec![Value::Null, Value::Null, s("VIEW SERVER STATE")], n(0)),
        (perms("dbo.sp_add_job", "OBJECT", "EXECUTE"), n(1)),
        // What the caller may not see is as if it were not there.
        (perms("dbo.sp_add_proxy", "OBJECT", "EXECUTE"), Value::Null),
        (perms("sysjobs_view", "OBJECT", "SELECT"), n(1)),
        (perms("sysjobs_view", "OBJECT", "DELETE"), n(0)),
    ];
    for (arguments, wanted) in &cases {
        let value = user
            .host
            .metadata("msdb", "HAS_PERMS_BY_NAME", arguments)
            .unwrap();
        assert_eq!(value, *wanted, "{arguments:?}");
    }
}
