//! Targets that speak T-SQL: enlisting, polling, fetching, and whom they may speak for.

use super::support::{Fixture, Session, n, s};
use tsql::Value;

fn master() -> Fixture {
    let fixture = Fixture::new();
    fixture.member("target", Some("TargetServersRole"));
    fixture.member("other", Some("TargetServersRole"));
    fixture
        .sa()
        .ok("sp_add_operator", &[("@name", s("MSXOperator"))]);
    fixture
}

fn enlistment(action: i32, name: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("@Action", n(action)),
        ("@ServerName", s(name)),
        ("@Location", s("cellar")),
        ("@TimeZoneAdjustment", n(2)),
        ("@LocalTime", Value::Null),
        ("@NTUserName", s("CORP\\agent")),
        ("@PollInterval", n(90)),
    ]
}

fn but(name: &'static str, value: Value) -> Vec<(&'static str, Value)> {
    let mut given = enlistment(0, "TSX1");
    given.retain(|(parameter, _)| *parameter != name);
    given.push((name, value));
    given
}

fn probe<'a>(name: &str, more: &[(&'a str, Value)]) -> Vec<(&'a str, Value)> {
    let mut given = vec![
        ("@server_name", s(name)),
        ("@local_time", s("2026/11/03 14:30:00.000")),
        ("@poll_interval", n(90)),
    ];
    given.extend_from_slice(more);
    given
}

fn targets(session: &mut Session<'_>) -> Vec<Value> {
    session
        .ok("sp_help_targetserver", &[])
        .column("server_name")
}

#[test]
fn a_target_enlists_polls_fetches_and_leaves() {
    let fixture = master();
    let mut target = fixture.session("target");
    let mut sa = fixture.sa();
    target.ok("sp_enlist_tsx", &enlistment(0, "tsx1"));
    let listed = sa.ok("sp_help_targetserver", &[]);
    assert_eq!(listed.column("server_name"), [s("TSX1")]);
    assert_eq!(listed.column("location"), [s("cellar")]);
    assert_eq!(listed.column("time_zone_adjustment"), [n(2)]);
    assert_eq!(listed.column("poll_interval"), [n(90)]);
    assert_eq!(listed.column("enlisted_by_nt_user"), [s("target")]);

    sa.job("fleet", Some("TSX1"));
    let waits = target.ok("sp_sqlagent_probe_msx", &probe("TSX1", &[]));
    assert_eq!(waits.column("unread_instructions"), [n(1)]);
    let zone = [("@time_zone_adjustment", n(1))];
    target.ok("sp_sqlagent_probe_msx", &probe("TSX1", &zone));
    let listed = sa.ok("sp_help_targetserver", &[]);
    assert_eq!(listed.column("time_zone_adjustment"), [n(1)]);
    let local = Value::DateTime {
        days: 46_327,
        ticks: (14 * 60 + 30) * 60 * 300,
    };
    assert_eq!(listed.column("local_time"), [local]);

    let id = sa
        .ok("sp_help_job", &[("@job_name", s("fleet"))])
        .column("job_id")
        .remove(0);
    let whole = target.ok(
        "sp_sqlagent_refresh_job",
        &[("@job_id", id.clone()), ("@server_name", s("tsx1"))],
    );
    assert_eq!(whole.sets.len(), 3);
    assert_eq!(whole.column("name"), [s("fleet")]);

    let mut update = enlistment(2, "TSX1");
    update.retain(|(name, _)| *name != "@Location");
    update.push(("@Location", s("attic")));
    target.ok("sp_enlist_tsx", &update);
    let listed = sa.ok("sp_help_targetserver", &[]);
    assert_eq!(listed.column("location"), [s("attic")]);

    target.ok("sp_enlist_tsx", &enlistment(1, "TSX1"));
    assert!(targets(&mut sa).is_empty());
    let version = target.ok("sp_sqlagent_check_msx_version", &[]);
    assert_eq!(version.sets[0].1.len(), 1);
}

#[test]
fn what_is_refused_changes_nothing() {
    let fixture = master();
    fixture.target("real");
    let mut sa = fixture.sa();
    sa.job("local", Some("(local)"));
    let local = sa
        .ok("sp_help_job", &[("@job_name", s("local"))])
        .column("job_id")
        .remove(0);
    let mut target = fixture.session("target");
    target.ok("sp_enlist_tsx", &enlistment(0, "TSX1"));
    let before = fixture.fingerprint();
    for (given, number) in [
        (but("@Action", n(3)), 14266),
        (but("@ServerName", s("master")), 14297),
        (but("@ServerName", s("(LOCAL)")), 14271),
        (but("@ServerName", s("all")), 14271),
        (but("@ServerName", s("a,b")), 14271),
        (but("@ServerName", s(" ")), 14200),
        (but("@TimeZoneAdjustment", n(15)), 14266),
        (but("@TimeZoneAdjustment", n(-13)), 14266),
        (but("@PollInterval", n(9)), 14266),
        (but("@PollInterval", n(28_801)), 14266),
        (but("@TSX_Version", n(17 << 24)), 14306),
        (but("@TSX_Version", n(13 << 24)), 14306),
        (but("@ServerName", s("real")), 14260),
        (enlistment(1, "real"), 14260),
        (enlistment(2, "real"), 14260),
        (enlistment(1, "nobody"), 14364),
        (enlistment(2, "nobody"), 14364),
    ] {
        target.call("sp_enlist_tsx", &given).raised(number);
    }
    for (given, number) in [
        (probe("nobody", &[]), 14364),
        (probe("real", &[]), 14260),
        (probe("TSX1", &[("@time_zone_adjustment", n(99))]), 14266),
        (
            vec![
                ("@server_name", s("TSX1")),
                ("@local_time", s("yesterday")),
                ("@poll_interval", n(90)),
            ],
            14287,
        ),
        (
            vec![
                ("@server_name", s("TSX1")),
                ("@local_time", s("2026-11-03")),
                ("@poll_interval", n(1)),
            ],
            14266,
        ),
    ] {
        target.call("sp_sqlagent_probe_msx", &given).raised(number);
    }
    for (given, number) in [
        (vec![], 14233),
        (vec![("@job_id", local.clone())], 14200),
        (
            vec![("@job_id", local.clone()), ("@server_name", s("TSX1"))],
            14262,
        ),
    ] {
        target
            .call("sp_sqlagent_refresh_job", &given)
            .raised(number);
    }
    // Another login of the same role speaks for its own targets alone; a name once taken stays taken.
    let mut other = fixture.session("other");
    other
        .call("sp_enlist_tsx", &enlistment(1, "TSX1"))
        .raised(14260);
    other
        .call("sp_enlist_tsx", &enlistment(0, "TSX1"))
        .raised(14260);
    sa.call("sp_enlist_tsx", &but("@ServerName", s("real")))
        .raised(14360);
    assert_eq!(before, fixture.fingerprint());
    sa.ok("sp_sqlagent_refresh_job", &[("@job_id", local)]);

    let bare = Fixture::new();
    bare.member("target", Some("TargetServersRole"));
    bare.session("target")
        .call("sp_enlist_tsx", &enlistment(0, "TSX1"))
        .raised(14363);
}
