//! Tables: what a seek leaves, and what each caller sees.

use super::support::{Fixture, TABLES, n, s};
use tsql::Value;

#[test]
fn a_seek_gives_what_a_filter_would() {
    let fixture = Fixture::new();
    fixture.target("t1");
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    sa.job("b", Some("t1"));
    sa.ok(
        "sp_add_jobschedule",
        &[
            ("@job_name", s("a")),
            ("@name", s("daily")),
            ("@freq_type", n(4)),
            ("@freq_interval", n(1)),
        ],
    );
    sa.ok("sp_add_operator", &[("@name", s("dba"))]);
    sa.ok("sp_add_targetservergroup", &[("@name", s("g"))]);
    for table in TABLES {
        let decl = {
            use engine::host::Host;
            sa.host.table("msdb", "dbo", table).unwrap()
        };
        let all = sa.rows(table);
        for at in &decl.seekable {
            let column = decl.columns[*at].name.clone();
            for row in &all {
                let key = row[*at].clone();
                let sought = sa.select(table, &[(&column, key.clone())]).unwrap();
                let filtered: Vec<_> = all.iter().filter(|row| row[*at] == key).cloned().collect();
                // A seek may give more rows than match, never fewer.
                for row in &filtered {
                    assert!(sought.contains(row), "{table}.{column}");
                }
                assert!(sought.len() <= all.len(), "{table}.{column}");
            }
        }
    }
    let none = Value::Guid(uuid::Uuid::from_u128(3));
    assert_eq!(sa.select("sysjobs", &[("job_id", none)]).unwrap().len(), 0);
    assert_eq!(
        sa.select("sysdownloadlist", &[("target_server", s("t9"))])
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn the_view_shows_each_caller_its_jobs() {
    let fixture = Fixture::new();
    fixture.target("t1");
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("reader", Some("SQLAgentReaderRole"));
    fixture.member("target", Some("TargetServersRole"));
    fixture.member("data", Some("db_datareader"));
    let mut sa = fixture.sa();
    sa.job("local", Some("(local)"));
    sa.job("multi", Some("t1"));
    fixture.session("user").job("own", Some("(local)"));
    for (login, expected) in [
        ("sa", 3),
        ("reader", 3),
        ("user", 1),
        ("target", 1),
        ("data", 0),
    ] {
        let seen = fixture.session(login).column("sysjobs_view", "name");
        assert_eq!(seen.len(), expected, "{login} sees {seen:?}");
    }
    assert_eq!(fixture.session("data").rows("sysjobs").len(), 3);
    assert_eq!(
        fixture
            .session("user")
            .ok("sp_help_job", &[])
            .column("name"),
        [s("own")]
    );
}
