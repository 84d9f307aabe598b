//! Runs that were going on when the agent died.

mod common;

use agent::{AdoptedAttempt, AdoptedRow, AdoptedRun, AdoptedState, AgentInput, StepEnd};
use common::{Desk, JOB, NOON, config, job, run_id, ts};
use model::{JobDocument, RunSource, RunStatus, StepAction};

fn adopted() -> AdoptedRun {
    AdoptedRun {
        run: run_id(1),
        job: JOB,
        source: RunSource::User {
            login: "sa".to_owned(),
        },
        requested: ts("2026-03-02T11:50:00Z"),
        started: ts("2026-03-02T11:50:00Z"),
        start_step_id: 1,
        rows: 0,
        last_row: None,
        executions: Vec::new(),
        attempts: Vec::new(),
        attempts_complete: true,
    }
}

fn row(step_id: i32, status: RunStatus, retries_attempted: i32) -> Option<AdoptedRow> {
    Some(AdoptedRow {
        step_id,
        status,
        retries_attempted,
        ended: ts("2026-03-02T11:58:00Z"),
    })
}

fn known(sequence: u32, step_id: i32, end: Option<StepEnd>) -> AdoptedAttempt {
    let desk = Desk::loading(config(), "2026-03-02T11:59:00Z");
    let state = end.map_or(AdoptedState::Running, |end| {
        AdoptedState::Ended(Box::new(desk.result(end, ts("2026-03-02T11:58:00Z"))))
    });
    AdoptedAttempt {
        sequence,
        step_id,
        retry: 0,
        state,
    }
}

/// Three steps; the first is tried twice, five minutes apart.
fn document() -> JobDocument {
    let mut document = job(3);
    document.steps[0].retry_attempts = 1;
    document.steps[0].retry_interval_minutes = 5;
    document
}

/// What an agent at noon does with a run.
fn check(run: AdoptedRun, wanted: &[&str]) -> Desk {
    let mut desk = Desk::loading(config(), NOON);
    desk.load(document(), None);
    desk.run = run.run;
    // Told twice, it is one run.
    assert!(
        desk.tell(AgentInput::Adopt(Box::new(run.clone())))
            .is_empty()
    );
    assert!(desk.tell(AgentInput::Adopt(Box::new(run))).is_empty());
    assert_eq!(
        desk.stop("ops"),
        ["refused stop: SQLServerAgent is starting"]
    );
    assert_eq!(desk.tell(AgentInput::Started), wanted);
    desk
}

const LAST_1: &str = "The Job was invoked by User sa.  The last step to run was step 1 (s1).";

#[test]
fn nothing_was_launched() {
    let mut desk = check(adopted(), &["launch #0 step 1 retry 0 count 1"]);
    desk.end(StepEnd::Succeeded);
    assert_eq!(desk.run, run_id(1));
}

#[test]
fn a_step_goes_on() {
    let mut desk = check(
        AdoptedRun {
            attempts: vec![known(0, 1, None)],
            ..adopted()
        },
        &[],
    );
    assert_eq!(desk.status(), 1);
    assert_eq!(
        desk.start(2),
        ["refused start: the job is already running from a request by User sa"]
    );
    desk.sequence = 0;
    desk.run = run_id(1);
    assert_eq!(
        desk.end(StepEnd::Succeeded),
        [
            "row 0 step 1 Succeeded 10s: Out.  The step succeeded.",
            "launch #1 step 2 retry 0 count 1"
        ]
    );
}

#[test]
fn steps_ended_meanwhile() {
    check(
        AdoptedRun {
            attempts: vec![
                known(0, 1, Some(StepEnd::Succeeded)),
                known(1, 2, Some(StepEnd::Exited(0))),
                known(2, 3, None),
            ],
            ..adopted()
        },
        &[
            "row 0 step 1 Succeeded 60s: Out.  The step succeeded.",
            "row 1 step 2 Succeeded 60s: Out.  The step succeeded.",
        ],
    );
    check(
        AdoptedRun {
            rows: 1,
            last_row: row(1, RunStatus::Succeeded, 0),
            // The launcher still keeps what is durable already.
            attempts: vec![
                known(0, 1, Some(StepEnd::Succeeded)),
                known(1, 2, Some(StepEnd::Failed)),
            ],
            ..adopted()
        },
        &[
            "row 1 step 2 Failed 60s: Out.  The step failed.",
            "row 2 step 0 Failed 600s: The job failed.  The Job was invoked by User sa.  The last step to \
             run was step 2 (s2).",
        ],
    );
}

#[test]
fn only_the_outcome_was_missing() {
    check(
        AdoptedRun {
            rows: 3,
            last_row: row(3, RunStatus::Succeeded, 0),
            attempts_complete: false,
            ..adopted()
        },
        &[
            "row 3 step 0 Succeeded 600s: The job succeeded.  The Job was invoked by User sa.  The last step \
             to run was step 3 (s3).",
        ],
    );
    let canceled =
        format!("row 1 step 0 Canceled 600s: The job was stopped prior to completion.  {LAST_1}");
    check(
        AdoptedRun {
            rows: 1,
            last_row: row(1, RunStatus::Canceled, 0),
            ..adopted()
        },
        &[&canceled],
    );
    check(
        AdoptedRun {
            attempts: vec![known(0, 1, Some(StepEnd::Stopped))],
            ..adopted()
        },
        &[
            "row 0 step 1 Canceled 60s: Out.  The step was stopped.",
            &canceled,
        ],
    );
}

#[test]
fn lost() {
    // The launcher died too: nobody knows whether the step ran.
    let lost = [
        "row 0 step 1 Failed 0s: Whether a step ran cannot be known, because the agent and its launcher \
         were both interrupted.  The step failed."
            .to_owned(),
        format!(
            "row 1 step 0 Failed 600s: The job failed.  {LAST_1}  The end of the last step cannot be known, \
             so the job does not go on."
        ),
    ];
    check(
        AdoptedRun {
            attempts_complete: false,
            ..adopted()
        },
        &[&lost[0], &lost[1]],
    );
    let outcome = format!(
        "row 1 step 0 Failed 600s: The job failed.  {LAST_1}  The end of the last step cannot be known, so \
         the job does not go on."
    );
    check(
        AdoptedRun {
            attempts: vec![known(0, 1, Some(StepEnd::Unknown))],
            ..adopted()
        },
        &["row 0 step 1 Failed 60s: Out.  The step failed.", &outcome],
    );
}

#[test]
fn between_retries() {
    let waiting = AdoptedRun {
        rows: 1,
        last_row: row(1, RunStatus::Retry, 0),
        executions: vec![(1, 4)],
        ..adopted()
    };
    // The wait goes on; it was certainly not launched.
    let mut desk = check(waiting.clone(), &[]);
    assert_eq!(desk.status(), 3);
    assert_eq!(desk.wake("12:03:00"), ["launch #1 step 1 retry 1 count 4"]);
    // Where nobody knows, it may have been: the interval may have been another then.
    let unknown = AdoptedRun {
        attempts_complete: false,
        ..waiting.clone()
    };
    check(
        unknown,
        &[
            "row 1 step 1 Failed 0s: Whether a step ran cannot be known, because the agent and its launcher were both interrupted.  The step failed.",
            "row 2 step 0 Failed 600s: The job failed.  The Job was invoked by User sa.  The last step to run was step 1 (s1).  The end of the last step cannot be known, so the job does not go on.",
        ],
    );
    // Its time had come before the restart.
    let due = AdoptedRun {
        last_row: row(1, RunStatus::Retry, 0).map(|r| AdoptedRow {
            ended: ts("2026-03-02T11:54:00Z"),
            ..r
        }),
        ..waiting.clone()
    };
    check(due, &["launch #1 step 1 retry 1 count 4"]);
    // It goes on already.
    let mut going = waiting;
    going.attempts = vec![AdoptedAttempt {
        retry: 1,
        ..known(1, 1, None)
    }];
    let mut desk = check(going, &[]);
    desk.sequence = 1;
    assert_eq!(
        desk.end(StepEnd::Failed)[0],
        "row 1 step 1 Failed 10s: Out.  The step failed."
    );
}

#[test]
fn the_job_changed_meanwhile() {
    // What was launched counts, not what would be launched now.
    let mut desk = Desk::loading(config(), NOON);
    let mut changed = document();
    changed.steps[0].on_success = StepAction::QuitWithSuccess;
    desk.load(changed, None);
    let run = AdoptedRun {
        attempts: vec![known(0, 3, None)],
        ..adopted()
    };
    desk.tell(AgentInput::Adopt(Box::new(run)));
    assert!(desk.tell(AgentInput::Started).is_empty());
    desk.run = run_id(1);
    assert_eq!(
        desk.end(StepEnd::Succeeded)[0],
        "row 0 step 3 Succeeded 10s: Out.  The step succeeded."
    );

    // The step is gone: whatever runs of it is ended, and the run fails.
    check(
        AdoptedRun {
            attempts: vec![known(0, 9, None)],
            ..adopted()
        },
        &[
            "kill #0",
            "row 0 step 0 Failed 600s: The job failed.  The Job was invoked by User sa.  The step to go to, \
             9, does not exist.",
        ],
    );
    check(
        AdoptedRun {
            start_step_id: 9,
            ..adopted()
        },
        &[
            "row 0 step 0 Failed 600s: The job failed.  The Job was invoked by User sa.  The step to go to, \
             9, does not exist.",
        ],
    );
}

#[test]
fn runs_that_have_no_place() {
    // The job is gone.
    let mut desk = Desk::loading(config(), NOON);
    let gone = AdoptedRun {
        attempts: vec![known(0, 1, None)],
        ..adopted()
    };
    desk.tell(AgentInput::Adopt(Box::new(gone)));
    assert_eq!(
        desk.tell(AgentInput::Started),
        [
            "kill #0",
            "row 0 step 0 Failed 600s: The job failed.  The Job was invoked by User sa.  The job does not \
             exist any more.",
        ]
    );
    assert!(desk.tell(AgentInput::Shutdown).is_empty());
    let run = run_id(1);
    assert_eq!(
        desk.tell(AgentInput::OutcomeRecorded { run }),
        ["shutdown complete"]
    );

    // A START that was durable before the agent could refuse it: the run that has come further goes on.
    let mut desk = Desk::loading(config(), NOON);
    desk.load(document(), None);
    let first = AdoptedRun {
        run: run_id(2),
        ..adopted()
    };
    let further = AdoptedRun {
        attempts: vec![known(0, 1, None)],
        ..adopted()
    };
    desk.tell(AgentInput::Adopt(Box::new(first)));
    desk.tell(AgentInput::Adopt(Box::new(further)));
    assert_eq!(
        desk.tell(AgentInput::Started),
        [
            "row 0 step 0 Failed 600s: The job failed.  The Job was invoked by User sa.  The start was \
             refused because the job is already running from a request by User sa.",
        ]
    );
    assert_eq!(desk.rows[0].run_id, run_id(2));
}

#[test]
fn a_step_that_ends_while_loading() {
    let mut desk = Desk::loading(config(), NOON);
    desk.load(document(), None);
    let run = AdoptedRun {
        attempts: vec![known(0, 1, None)],
        ..adopted()
    };
    desk.tell(AgentInput::Adopt(Box::new(run)));
    desk.run = run_id(1);
    assert!(desk.end(StepEnd::Succeeded).is_empty());
    assert_eq!(
        desk.tell(AgentInput::Started),
        [
            "row 0 step 1 Succeeded 10s: Out.  The step succeeded.",
            "launch #1 step 2 retry 0 count 1"
        ]
    );
}

#[test]
fn an_adopted_step_can_be_stopped() {
    let mut desk = check(
        AdoptedRun {
            attempts: vec![known(0, 1, None)],
            ..adopted()
        },
        &[],
    );
    assert_eq!(desk.stop("ops"), ["stop #0"]);
    desk.end(StepEnd::Stopped);
    assert_eq!(desk.rows.last().unwrap().status, RunStatus::Canceled);
    desk.outcome_recorded();
    assert_eq!(desk.status(), 4);
}
