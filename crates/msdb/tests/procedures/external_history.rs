//! sp_sqlagent_log_jobhistory: rows that another program writes.

use super::support::{Fixture, n, s};
use tsql::Value;

fn row(job: &Value, step: i32, status: i32) -> Vec<(&'static str, Value)> {
    vec![
        ("@job_id", job.clone()),
        ("@step_id", n(step)),
        ("@message", s("done elsewhere")),
        ("@run_status", n(status)),
        ("@run_date", n(20_261_102)),
        ("@run_time", n(233_000)),
        ("@run_duration", n(1_000_005)),
        ("@retries_attempted", n(0)),
    ]
}

fn but(job: &Value, name: &'static str, value: Value) -> Vec<(&'static str, Value)> {
    let mut given = row(job, 1, 1);
    given.retain(|(parameter, _)| *parameter != name);
    given.push((name, value));
    given
}

#[test]
fn rows_reach_history_and_the_last_run_columns() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    let of = [("@job_name", s("a"))];
    let id = sa.ok("sp_help_job", &of).column("job_id").remove(0);
    sa.ok("sp_sqlagent_log_jobhistory", &row(&id, 1, 1));
    sa.ok("sp_sqlagent_log_jobhistory", &row(&id, 0, 0));
    let full = sa.ok(
        "sp_help_jobhistory",
        &[("@job_name", s("a")), ("@mode", s("FULL"))],
    );
    assert_eq!(full.column("step_id"), [n(0), n(1)]);
    assert_eq!(full.column("step_name")[0], s("(Job outcome)"));
    assert_eq!(full.column("run_duration"), [n(1_000_005), n(1_000_005)]);
    assert_eq!(full.column("run_time"), [n(233_000), n(233_000)]);
    let job = sa.ok("sp_help_job", &of);
    assert_eq!(job.column("last_run_date"), [n(20_261_102)]);
    assert_eq!(job.column("last_run_outcome"), [n(0)]);
    let steps = sa.ok("sp_help_jobstep", &of);
    assert_eq!(steps.column("last_run_outcome"), [n(1)]);
    // No run of the agent: nothing is running and nothing is to be taken on after a restart.
    let active = fixture
        .catalog
        .runs_read(|runs| runs.active_runs())
        .unwrap();
    assert!(active.is_empty());
}

#[test]
fn wrong_rows_change_nothing() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    let id = sa
        .ok("sp_help_job", &[("@job_name", s("a"))])
        .column("job_id")
        .remove(0);
    let before = fixture.fingerprint();
    for (given, number) in [
        (but(&id, "@job_id", Value::Null), 14233),
        (but(&id, "@job_id", Value::Guid(uuid::Uuid::nil())), 14262),
        (but(&id, "@step_id", n(-1)), 14266),
        (but(&id, "@run_status", n(6)), 14266),
        (but(&id, "@run_date", n(20_261_301)), 14287),
        (but(&id, "@run_time", n(246_000)), 14287),
        (but(&id, "@run_duration", n(99)), 14287),
        (but(&id, "@retries_attempted", n(-1)), 14266),
        (but(&id, "@server", s("elsewhere")), 14262),
        (but(&id, "@operator_id_paged", n(77)), 14262),
        // An outcome has an end.
        (row(&id, 0, 2), 14266),
        (row(&id, 0, 4), 14266),
    ] {
        sa.call("sp_sqlagent_log_jobhistory", &given).raised(number);
    }
    assert_eq!(before, fixture.fingerprint());
}
