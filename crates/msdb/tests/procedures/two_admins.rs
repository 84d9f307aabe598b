//! Two administrators at once: no lost update, waits that end, and an agent that goes on meanwhile.

use super::scripts::{errors, run, session};
use super::support::{Fixture, NOW, n, s};
use model::{JobId, RunId, RunSource};
use tsql::Value;
use uuid::Uuid;

/// Changes that each of two administrators makes.
const CHANGES: i32 = 40;

#[test]
fn concurrent_changes_of_one_job_are_all_kept() {
    let fixture = Fixture::new();
    fixture.sa().job("shared", Some("(local)"));
    let version = fixture.sa().column("sysjobs", "version_number")[0].as_i64();
    std::thread::scope(|scope| {
        for (parameter, text) in [("@description", true), ("@delete_level", false)] {
            let fixture = &fixture;
            scope.spawn(move || {
                let mut sa = fixture.sa();
                for change in 1..=CHANGES {
                    let value = if text {
                        s(&change.to_string())
                    } else {
                        n(change % 4)
                    };
                    sa.ok(
                        "sp_update_job",
                        &[("@job_name", s("shared")), (parameter, value)],
                    );
                }
            });
        }
    });
    let mut sa = fixture.sa();
    // Each change saw the one before it: none wrote over the other's column, and every one counted.
    assert_eq!(
        sa.column("sysjobs", "description"),
        [s(&CHANGES.to_string())]
    );
    assert_eq!(sa.column("sysjobs", "delete_level"), [n(CHANGES % 4)]);
    let now = sa.column("sysjobs", "version_number")[0].as_i64();
    assert_eq!(now.unwrap() - version.unwrap(), i64::from(2 * CHANGES));
}

#[test]
fn a_step_added_meanwhile_is_not_lost() {
    let fixture = Fixture::new();
    fixture.sa().job("shared", Some("(local)"));
    std::thread::scope(|scope| {
        for who in ["a", "b"] {
            let fixture = &fixture;
            scope.spawn(move || {
                let mut sa = fixture.sa();
                for step in 0..CHANGES {
                    let name = ("@step_name", s(&format!("{who}{step}")));
                    sa.ok("sp_add_jobstep", &[("@job_name", s("shared")), name]);
                }
            });
        }
    });
    let mut sa = fixture.sa();
    let steps = sa.ok("sp_help_jobstep", &[("@job_name", s("shared"))]);
    let expected: Vec<Value> = (1..=2 * CHANGES + 1).map(n).collect();
    assert_eq!(steps.column("step_id"), expected);
}

#[test]
fn set_lock_timeout_says_how_long_a_write_waits() {
    let fixture = Fixture::new();
    let mut holder = session(&fixture, "sa");
    let open = "BEGIN TRANSACTION EXEC msdb.dbo.sp_add_job @job_name = N'held'";
    assert!(errors(&mut holder, open).is_empty());
    let mut other = session(&fixture, "sa");
    for script in [
        "SET LOCK_TIMEOUT 0 EXEC msdb.dbo.sp_add_job @job_name = N'other'",
        "SET LOCK_TIMEOUT 20 BEGIN TRANSACTION EXEC msdb.dbo.sp_add_job @job_name = N'other'",
        "EXEC msdb.dbo.sp_add_category @name = N'c'",
        "CREATE LOGIN eve WITH PASSWORD = 'Correct horse 1'",
    ] {
        let numbers: Vec<i32> = errors(&mut other, script)
            .iter()
            .map(|e| e.number)
            .collect();
        assert_eq!(numbers, [1222], "{script}");
    }
    assert_eq!(other.transaction_count(), 1, "the transaction goes on");
    assert!(errors(&mut other, "ROLLBACK").is_empty());
    std::thread::scope(|scope| {
        // Longer than the fixture's own time-out, so that only the setting explains that the other gets its turn.
        let end = "WAITFOR DELAY '00:00:00.500' COMMIT";
        scope.spawn(move || assert!(errors(&mut holder, end).is_empty()));
        let patient = "SET LOCK_TIMEOUT 30000 EXEC msdb.dbo.sp_add_job @job_name = N'other'";
        assert_eq!(errors(&mut other, patient), []);
    });
    assert_eq!(fixture.sa().rows("sysjobs").len(), 2);
}

#[test]
fn the_agent_goes_on_while_a_transaction_is_open() {
    let fixture = Fixture::new();
    fixture.sa().job("runs", Some("(local)"));
    let id = fixture.sa().column("sysjobs", "job_id").remove(0).as_guid();
    let mut holder = session(&fixture, "sa");
    let open = "BEGIN TRANSACTION EXEC msdb.dbo.sp_update_job @job_name = N'runs', @enabled = 0";
    assert!(errors(&mut holder, open).is_empty());
    // On this very thread: were anything to wait for the transaction, it would wait for ever.
    let job = JobId(id.unwrap());
    fixture
        .catalog
        .runs_write(|runs| {
            let session = runs.open_session(NOW.parse().unwrap(), &[job])?;
            runs.begin_run(&catalog::NewRun {
                id: RunId(Uuid::from_u128(9)),
                job,
                source: RunSource::User {
                    login: "sa".to_owned(),
                },
                requested: NOW.parse().unwrap(),
                started: NOW.parse().unwrap(),
                start_step_id: 1,
                session: session.id,
            })
        })
        .unwrap();
    let seen = run(
        &mut session(&fixture, "sa"),
        "SELECT enabled FROM msdb.dbo.sysjobs
         SELECT COUNT(*) FROM msdb.dbo.sysjobactivity WHERE start_execution_date IS NOT NULL",
    );
    assert_eq!(
        seen.sets[0].1,
        [[Value::TinyInt(1)]],
        "what is not committed is not seen"
    );
    assert_eq!(seen.sets[1].1, [[n(1)]]);
    assert!(errors(&mut holder, "ROLLBACK").is_empty());
}
