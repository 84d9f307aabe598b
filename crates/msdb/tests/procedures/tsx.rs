//! Targets that speak T-SQL: enlisting, polling, fetching, and whom they may speak for.

use super::scripts::{run, session};
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

/// A history row as a target uploads it.
fn ran(job: &Value, server: &str, step: i32, status: i32) -> Vec<(&'static str, Value)> {
    vec![
        ("@job_id", job.clone()),
        ("@step_id", n(step)),
        ("@message", s("done over there")),
        ("@run_status", n(status)),
        ("@run_date", n(20_261_103)),
        ("@run_time", n(143_000)),
        ("@run_duration", n(130)),
        ("@retries_attempted", n(0)),
        ("@server", s(server)),
    ]
}

/// The job's number for a caller.
fn job_id(session: &mut Session<'_>, name: &str) -> Value {
    session
        .ok("sp_help_job", &[("@job_name", s(name))])
        .column("job_id")
        .remove(0)
}

#[test]
fn a_target_reports_what_it_ran() {
    let fixture = master();
    let mut sa = fixture.sa();
    let mut target = fixture.session("target");
    target.ok("sp_enlist_tsx", &enlistment(0, "TSX1"));
    fixture
        .session("other")
        .ok("sp_enlist_tsx", &enlistment(0, "TSX2"));
    sa.job("fleet", Some("TSX1"));
    let of = [("@job_name", s("fleet"))];
    sa.ok(
        "sp_add_jobserver",
        &[("@job_name", s("fleet")), ("@server_name", s("TSX2"))],
    );
    let id = job_id(&mut sa, "fleet");
    target.ok("sp_sqlagent_log_jobhistory", &ran(&id, "tsx1", 1, 1));
    target.ok("sp_sqlagent_log_jobhistory", &ran(&id, "TSX1", 0, 1));
    fixture
        .session("other")
        .ok("sp_sqlagent_log_jobhistory", &ran(&id, "TSX2", 0, 0));
    let details = [of[0].clone(), ("@show_last_run_details", n(1))];
    let servers = sa.ok("sp_help_jobserver", &details);
    assert_eq!(servers.column("server_name"), [s("TSX1"), s("TSX2")]);
    assert_eq!(servers.column("last_run_outcome"), [n(1), n(0)].map(tiny));
    assert_eq!(
        servers.column("last_run_date"),
        [n(20_261_103), n(20_261_103)]
    );
    assert_eq!(servers.column("last_run_time"), [n(143_000), n(143_000)]);
    assert_eq!(servers.column("last_run_duration"), [n(130), n(130)]);
    assert_eq!(
        servers.column("last_outcome_message"),
        [s("done over there"), s("done over there")]
    );
    let full = sa.ok("sp_help_jobhistory", &[of[0].clone(), ("@mode", s("FULL"))]);
    assert_eq!(full.column("server"), [s("TSX2"), s("TSX1"), s("TSX1")]);
    assert_eq!(full.column("run_status"), [n(0), n(1), n(1)]);
    // The target's clock is two hours east of UTC.
    let started: jiff::Timestamp = "2026-11-03T12:30:00Z".parse().unwrap();
    let rows = fixture
        .catalog
        .runs_read(|runs| runs.history(&catalog::HistoryFilter::default(), None, 9))
        .unwrap();
    assert!(rows.iter().all(|row| row.row.started == started));
    assert!(rows.iter().all(|row| row.row.utc_offset_minutes == 120));
}

fn tiny(value: Value) -> Value {
    Value::TinyInt(u8::try_from(value.as_i64().unwrap()).unwrap())
}

#[test]
fn a_target_reports_for_itself_alone() {
    let fixture = master();
    fixture.member("user", Some("SQLAgentOperatorRole"));
    fixture.target("real");
    let mut sa = fixture.sa();
    let mut target = fixture.session("target");
    target.ok("sp_enlist_tsx", &enlistment(0, "TSX1"));
    fixture
        .session("other")
        .ok("sp_enlist_tsx", &enlistment(0, "TSX2"));
    sa.job("fleet", Some("TSX2"));
    sa.ok(
        "sp_add_jobserver",
        &[("@job_name", s("fleet")), ("@server_name", s("real"))],
    );
    sa.job("local", Some("(local)"));
    let (fleet, local) = (job_id(&mut sa, "fleet"), job_id(&mut sa, "local"));
    let before = fixture.fingerprint();
    for (given, number) in [
        (ran(&fleet, "TSX2", 0, 1), 14260),
        (ran(&fleet, "real", 0, 1), 14260),
        (ran(&fleet, "nobody", 0, 1), 14262),
        // A job that it does not have.
        (ran(&fleet, "TSX1", 0, 1), 14262),
        (ran(&local, "MASTER", 0, 1), 14260),
        (ran(&local, "(local)", 0, 1), 14260),
        (ran(&Value::Null, "TSX1", 0, 1), 14233),
    ] {
        target
            .call("sp_sqlagent_log_jobhistory", &given)
            .raised(number);
    }
    let mut unnamed = ran(&local, "", 0, 1);
    unnamed.retain(|(name, _)| *name != "@server");
    target
        .call("sp_sqlagent_log_jobhistory", &unnamed)
        .raised(14260);
    fixture
        .session("user")
        .call("sp_sqlagent_log_jobhistory", &ran(&fleet, "TSX2", 0, 1))
        .raised(229);
    assert_eq!(before, fixture.fingerprint());
}

#[test]
fn a_target_marks_its_instructions() {
    let fixture = master();
    let mut sa = fixture.sa();
    let mut target = fixture.session("target");
    target.ok("sp_enlist_tsx", &enlistment(0, "TSX1"));
    fixture
        .session("other")
        .ok("sp_enlist_tsx", &enlistment(0, "TSX2"));
    for name in ["a", "b", "c"] {
        sa.job(name, Some("TSX1"));
    }
    sa.job("d", Some("TSX2"));
    let mut own = session(&fixture, "target");
    let list = "SELECT instance_id, status, error_message FROM msdb.dbo.sysdownloadlist
         WHERE target_server = N'TSX1' ORDER BY instance_id";
    let rows = |own: &mut engine::Session| run(own, list).sets.remove(0).1;
    let ids: Vec<i64> = rows(&mut own)
        .iter()
        .map(|row| row[0].as_i64().unwrap())
        .collect();
    assert_eq!(ids.len(), 3);
    let mut change = |sql: &str, numbers: &[i32]| {
        let said = run(&mut own, sql).messages;
        let errors = said.iter().filter(|message| message.severity > 10);
        let raised: Vec<i32> = errors.map(|message| message.number).collect();
        assert_eq!(raised, numbers, "{sql}: {said:?}");
    };
    let table = "UPDATE msdb.dbo.sysdownloadlist SET";
    let before = fixture.fingerprint();
    change(
        &format!("{table} status = 1 WHERE instance_id = {}", ids[1]),
        &[40517],
    );
    change(
        &format!("{table} status = 0 WHERE instance_id = {}", ids[0]),
        &[14266],
    );
    change(
        &format!("{table} status = 1 WHERE target_server = N'TSX2'"),
        &[14260],
    );
    change(&format!("{table} operation_code = 3"), &[229]);
    change("DELETE msdb.dbo.sysdownloadlist", &[229]);
    assert_eq!(before, fixture.fingerprint());
    change(
        &format!(
            "{table} status = 1, date_downloaded = GETDATE() WHERE instance_id = {}",
            ids[0]
        ),
        &[],
    );
    change(
        &format!(
            "{table} error_message = N'no such proxy' WHERE instance_id = {}",
            ids[1]
        ),
        &[],
    );
    let unread = |target: &mut Session<'_>| {
        target
            .ok("sp_sqlagent_probe_msx", &probe("TSX1", &[]))
            .column("unread_instructions")
    };
    assert_eq!(unread(&mut target), [n(2)]);
    let blocked = sa.ok("sp_help_targetserver", &[("@server_name", s("TSX1"))]);
    assert_eq!(blocked.column("unread_instructions"), [n(2)]);
    change(
        &format!(
            "{table} error_message = NULL WHERE instance_id = {}",
            ids[1]
        ),
        &[],
    );
    change(
        &format!("{table} status = 1 WHERE target_server = N'TSX1' AND status = 0"),
        &[],
    );
    assert_eq!(unread(&mut target), [n(0)]);
    let mut own = session(&fixture, "target");
    for row in rows(&mut own) {
        assert_eq!(row[1..], [Value::TinyInt(1), Value::Null]);
    }
    let mut user = {
        fixture.member("user", Some("SQLAgentOperatorRole"));
        session(&fixture, "user")
    };
    let refused = run(&mut user, &format!("{table} status = 1"));
    assert_eq!(refused.messages[0].number, 229);
}
