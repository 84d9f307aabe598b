//! sp_start_job and sp_stop_job here, activity, sp_help_jobhistory, sp_purge_jobhistory.

use super::support::{Fixture, n, s};
use catalog::RecordHistory;
use jiff::{SignedDuration, Timestamp};
use model::run::OUTCOME_STEP_NAME;
use model::{HistoryRow, JobId, RunId, RunStatus};
use msdb::services::{AgentRefusal, Execution, ExecutionStatus};
use tsql::Value;
use uuid::Uuid;

fn job_id(fixture: &Fixture, name: &str) -> JobId {
    fixture
        .catalog
        .definitions_read(|definitions| definitions.jobs_by_name(name))
        .unwrap()[0]
        .id
}

/// Records a run of one step and its outcome, so many hours after 2026-11-01 00:00 UTC.
fn run(fixture: &Fixture, job: JobId, hours: i64, status: RunStatus) {
    let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let started = start
        .checked_add(SignedDuration::from_hours(hours))
        .unwrap();
    let row = |number: u32, step_id: i32| HistoryRow {
        run_id: RunId(Uuid::from_u128(u128::try_from(hours).unwrap() + 1)),
        row: number,
        job_id: job,
        step_id,
        step_name: if step_id == 0 {
            OUTCOME_STEP_NAME
        } else {
            "one"
        }
        .to_owned(),
        step_uid: None,
        sql_message_id: 0,
        sql_severity: 0,
        message: format!("after {hours} hours"),
        status,
        started,
        utc_offset_minutes: 60,
        duration_ms: 61_500,
        retries_attempted: 0,
        server: "Master".to_owned(),
        output: None,
    };
    fixture
        .catalog
        .runs_write(|runs| {
            for row in [row(0, 1), row(1, 0)] {
                runs.record_history(RecordHistory {
                    row: &row,
                    operators: [0; 3],
                    report: false,
                })?;
            }
            Ok::<_, catalog::CatalogError>(())
        })
        .unwrap();
}

#[test]
fn start_and_stop_ask_the_agent() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("reader", Some("SQLAgentReaderRole"));
    fixture.member("operator", Some("SQLAgentOperatorRole"));
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    sa.job("nowhere", None);
    let a = ("@job_name", s("a"));
    assert_eq!(
        sa.ok("sp_start_job", std::slice::from_ref(&a)).numbers(),
        [14243]
    );
    let quiet = sa.ok(
        "sp_start_job",
        &[a.clone(), ("@output_flag", n(0)), ("@step_name", s("ONE"))],
    );
    assert!(quiet.messages.is_empty());
    fixture
        .session("operator")
        .ok("sp_stop_job", std::slice::from_ref(&a));
    {
        let acts = fixture.fake.acts.lock().unwrap();
        assert_eq!(acts[0], "start a by sa at None");
        assert_eq!(acts[1], "start a by sa at Some(1)");
        assert!(acts[2].ends_with("by operator"), "{}", acts[2]);
    }
    for (number, given) in [
        (14294, vec![]),
        (14262, vec![("@job_name", s("b"))]),
        (14256, vec![("@job_name", s("nowhere"))]),
        (14262, vec![a.clone(), ("@step_name", s("two"))]),
        (14270, vec![a.clone(), ("@server_name", s("t1"))]),
    ] {
        sa.fails(number, "sp_start_job", &given);
    }
    sa.fails(14257, "sp_stop_job", &[("@job_name", s("nowhere"))]);
    sa.fails(14232, "sp_stop_job", &[]);
    fixture
        .session("reader")
        .fails(14393, "sp_start_job", std::slice::from_ref(&a));
    fixture
        .session("user")
        .fails(14262, "sp_start_job", std::slice::from_ref(&a));

    let refuse = |refusal| *fixture.fake.refusal.lock().unwrap() = Some(refusal);
    refuse(AgentRefusal::AlreadyRunning {
        by: "User sa".to_owned(),
    });
    let refused = sa.call("sp_start_job", std::slice::from_ref(&a));
    refused.raised(22022);
    let text = refused.result.unwrap_err().message;
    assert!(
        text.contains("already running from a request by User sa"),
        "{text}"
    );
    let silent = sa.call("sp_start_job", &[a.clone(), ("@error_flag", n(0))]);
    assert_eq!(silent.result, Ok(1));
    refuse(AgentRefusal::NotRunning);
    sa.fails(22022, "sp_stop_job", std::slice::from_ref(&a));
    refuse(AgentRefusal::Starting);
    sa.fails(14258, "sp_start_job", &[a]);
}

#[test]
fn a_running_job_shows_its_step() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    fixture.fake.running.lock().unwrap().push(Execution {
        job: job_id(&fixture, "a"),
        status: ExecutionStatus::BetweenRetries,
        step: Some((1, "one".to_owned())),
        retry_attempt: 2,
        request_source: 4,
        request_source_id: None,
    });
    let help = sa.ok("sp_help_job", &[("@execution_status", n(0))]);
    assert_eq!(help.column("current_execution_status"), [n(3)]);
    assert_eq!(help.column("current_execution_step"), [s("1 (one)")]);
    assert_eq!(help.column("current_retry_attempt"), [n(2)]);
}

#[test]
fn history_is_filtered_and_purged() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("operator", Some("SQLAgentOperatorRole"));
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    let a = job_id(&fixture, "a");
    for hours in 0..4 {
        let status = if hours == 2 {
            RunStatus::Failed
        } else {
            RunStatus::Succeeded
        };
        run(&fixture, a, hours * 24, status);
    }
    let dates = |given: &[(&str, Value)]| {
        let mut session = fixture.sa();
        session.ok("sp_help_jobhistory", given).column("run_date")
    };
    let all = [20_261_104, 20_261_103, 20_261_102, 20_261_101].map(n);
    assert_eq!(dates(&[]), all, "newest first, outcomes only");
    assert_eq!(dates(&[("@mode", s("full"))]).len(), 8);
    assert_eq!(dates(&[("@oldest_first", n(1))])[0], all[3]);
    assert_eq!(dates(&[("@run_status", n(0))]), [n(20_261_103)]);
    assert_eq!(dates(&[("@run_status", n(5))]), []);
    assert_eq!(
        dates(&[
            ("@start_run_date", n(20_261_102)),
            ("@end_run_date", n(20_261_103))
        ]),
        all[1..3]
    );
    // 00:00 UTC is 01:00 where the rows were written.
    assert_eq!(dates(&[("@start_run_time", n(10_000))]).len(), 4);
    assert_eq!(dates(&[("@end_run_time", n(5_959))]).len(), 0);
    assert_eq!(dates(&[("@minimum_run_duration", n(102))]).len(), 0);
    assert_eq!(dates(&[("@minimum_run_duration", n(101))]).len(), 4);
    assert_eq!(dates(&[("@server", s("MASTER"))]).len(), 4);
    assert_eq!(dates(&[("@server", s("t1"))]).len(), 0);
    for (number, given) in [
        (14266, vec![("@mode", s("ODD"))]),
        (14266, vec![("@run_status", n(6))]),
        (14266, vec![("@oldest_first", n(2))]),
        (14287, vec![("@start_run_date", n(20_261_301))]),
        (14287, vec![("@end_run_time", n(240_000))]),
        (14287, vec![("@minimum_run_duration", n(99))]),
        (14262, vec![("@job_name", s("b"))]),
    ] {
        sa.fails(number, "sp_help_jobhistory", &given);
    }
    assert_eq!(
        fixture.session("user").ok("sp_help_jobhistory", &[]).sets[0]
            .1
            .len(),
        0
    );

    let rows = sa.select(
        "sysjobhistory",
        &[("job_id", Value::Guid(a.0)), ("step_id", n(0))],
    );
    let rows = rows.unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0][9..11], [n(10_000), n(101)]);
    let last = sa.ok(
        "sp_help_jobserver",
        &[("@job_name", s("a")), ("@show_last_run_details", n(1))],
    );
    assert_eq!(last.column("last_outcome_message"), [s("after 72 hours")]);

    // 2 November, 01:00 local: the first run's rows are older.
    let oldest = Value::DateTime {
        days: 46_326,
        ticks: 0,
    };
    let purged = sa.ok(
        "sp_purge_jobhistory",
        &[("@job_name", s("a")), ("@oldest_date", oldest)],
    );
    assert_eq!(purged.messages[0].message, "2 history entries purged.");
    let mut operator = fixture.session("operator");
    assert_eq!(operator.ok("sp_purge_jobhistory", &[]).numbers(), [14226]);
    assert_eq!(sa.rows("sysjobhistory").len(), 0);
}

#[test]
fn activity_of_the_latest_session() {
    let fixture = Fixture::new();
    fixture.member("reader", Some("SQLAgentReaderRole"));
    let mut sa = fixture.sa();
    assert_eq!(sa.ok("sp_help_jobactivity", &[]).sets[0].1.len(), 0);
    sa.job("a", Some("(local)"));
    let a = job_id(&fixture, "a");
    fixture
        .catalog
        .runs_write(|runs| {
            runs.open_session("2026-11-01T00:00:00Z".parse().unwrap(), &[a])?;
            runs.open_session("2026-11-02T00:00:00Z".parse().unwrap(), &[a])
        })
        .unwrap();
    assert_eq!(sa.rows("syssessions").len(), 2);
    assert_eq!(sa.rows("sysjobactivity").len(), 2);
    let latest = sa.ok("sp_help_jobactivity", &[]);
    assert_eq!(latest.column("job_name"), [s("a")]);
    let named = sa.ok("sp_help_jobactivity", &[("@job_name", s("a"))]);
    assert_eq!(named.column("session_id"), latest.column("session_id"));
    sa.fails(14262, "sp_help_jobactivity", &[("@session_id", n(99))]);
    let others = fixture.session("reader").ok("sp_help_jobactivity", &[]);
    assert_eq!(
        others.sets[0].1.len(),
        0,
        "only sysadmin sees others' activity"
    );
}
