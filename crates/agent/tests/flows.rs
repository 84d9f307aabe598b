//! Steps, retries, stops, requests: one run at a time.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use agent::{AgentAction, AgentInput, StartAt, StartFault, StepEnd};
use common::{Desk, JOB, job, run_id};
use model::{JobDocument, NotifyLevel, RunSource, RunStatus, StepAction};

use StepEnd::{Exited, Failed, Stopped, Succeeded, Unknown};

/// Runs a job whose steps end as given, and compares (step, status) of every row, the outcome last.
fn check(document: JobDocument, ends: &[StepEnd], wanted: &[(i32, RunStatus)], last: &str) {
    let mut desk = Desk::with(document);
    desk.started(1);
    for end in ends {
        desk.end(*end);
        // Retries at once, or after their interval.
        if desk.status() == 3 {
            desk.pass(3_600);
            desk.agent.handle_timeout(desk.now);
            desk.lines();
        }
    }
    let rows: Vec<_> = desk.rows.iter().map(|r| (r.step_id, r.status)).collect();
    assert_eq!(rows, wanted);
    let numbers: Vec<u32> = desk.rows.iter().map(|row| row.row).collect();
    assert_eq!(numbers, (0..).take(rows.len()).collect::<Vec<u32>>());
    assert_eq!(desk.rows.last().unwrap().message, last);
    assert_eq!(desk.status(), 7);
    desk.outcome_recorded();
    assert_eq!(desk.status(), 4);
}

fn with(mut document: JobDocument, change: impl FnOnce(&mut JobDocument)) -> JobDocument {
    change(&mut document);
    document
}

const OK: RunStatus = RunStatus::Succeeded;
const BAD: RunStatus = RunStatus::Failed;
const RETRY: RunStatus = RunStatus::Retry;

#[test]
fn flows() {
    let invoked = "The Job was invoked by User sa.";
    check(
        job(2),
        &[Succeeded, Succeeded],
        &[(1, OK), (2, OK), (0, OK)],
        &format!("The job succeeded.  {invoked}  The last step to run was step 2 (s2)."),
    );
    let failed_at_1 = format!("The job failed.  {invoked}  The last step to run was step 1 (s1).");
    check(job(2), &[Failed], &[(1, BAD), (0, BAD)], &failed_at_1);
    check(job(2), &[Exited(1)], &[(1, BAD), (0, BAD)], &failed_at_1);
    // The step's own success code.
    check(
        with(job(1), |d| d.steps[0].cmdexec_success_code = 3),
        &[Exited(3)],
        &[(1, OK), (0, OK)],
        &format!("The job succeeded.  {invoked}  The last step to run was step 1 (s1)."),
    );
    // Failure that goes on, and ends well.
    check(
        with(job(2), |d| d.steps[0].on_fail = StepAction::GoToNextStep),
        &[Failed, Succeeded],
        &[(1, BAD), (2, OK), (0, OK)],
        &format!("The job succeeded.  {invoked}  The last step to run was step 2 (s2)."),
    );
    check(
        with(job(1), |d| d.steps[0].on_fail = StepAction::QuitWithSuccess),
        &[Failed],
        &[(1, BAD), (0, OK)],
        &format!("The job succeeded.  {invoked}  The last step to run was step 1 (s1)."),
    );
    check(
        with(job(1), |d| {
            d.steps[0].on_success = StepAction::QuitWithFailure
        }),
        &[Succeeded],
        &[(1, OK), (0, BAD)],
        &failed_at_1,
    );
    // The last step says "next": the job ends as the step did.
    let next = |d: &mut JobDocument| {
        d.steps[0].on_success = StepAction::GoToNextStep;
        d.steps[0].on_fail = StepAction::GoToNextStep;
    };
    check(
        with(job(1), next),
        &[Succeeded],
        &[(1, OK), (0, OK)],
        &format!("The job succeeded.  {invoked}  The last step to run was step 1 (s1)."),
    );
    check(
        with(job(1), next),
        &[Failed],
        &[(1, BAD), (0, BAD)],
        &failed_at_1,
    );
    // Go to, and around.
    let goto = |to: i32| {
        move |d: &mut JobDocument| {
            d.steps[0].on_success = StepAction::GoToStep;
            d.steps[0].on_success_step_id = to;
        }
    };
    check(
        with(job(3), goto(3)),
        &[Succeeded, Succeeded],
        &[(1, OK), (3, OK), (0, OK)],
        &format!("The job succeeded.  {invoked}  The last step to run was step 3 (s3)."),
    );
    check(
        with(job(1), goto(1)),
        &[Succeeded, Succeeded, Failed],
        &[(1, OK), (1, OK), (1, BAD), (0, BAD)],
        &failed_at_1,
    );
    check(
        with(job(1), goto(9)),
        &[Succeeded],
        &[(1, OK), (0, BAD)],
        &format!("{failed_at_1}  The step to go to, 9, does not exist."),
    );
    // An end that nobody saw is neither tried again nor followed.
    check(
        with(job(2), |d| {
            d.steps[0].retry_attempts = 5;
            d.steps[0].on_fail = StepAction::GoToNextStep;
        }),
        &[Unknown],
        &[(1, BAD), (0, BAD)],
        &format!(
            "{failed_at_1}  The end of the last step cannot be known, so the job does not go on."
        ),
    );
}

#[test]
fn retries() {
    let retrying = |attempts, interval| {
        with(job(2), |d| {
            d.steps[0].retry_attempts = attempts;
            d.steps[0].retry_interval_minutes = interval;
        })
    };
    let succeeded = "The job succeeded.  The Job was invoked by User sa.  The last step to run was step 2 \
                     (s2).";
    check(
        retrying(2, 5),
        &[Failed, Exited(7), Succeeded, Succeeded],
        &[(1, RETRY), (1, RETRY), (1, OK), (2, OK), (0, OK)],
        succeeded,
    );
    check(
        retrying(1, 0),
        &[Failed, Failed],
        &[(1, RETRY), (1, BAD), (0, BAD)],
        "The job failed.  The Job was invoked by User sa.  The last step to run was step 1 (s1).",
    );

    let mut desk = Desk::with(retrying(2, 5));
    assert_eq!(desk.start(1), ["record start at step 1 by sa"]);
    assert_eq!(desk.recorded(), ["launch #0 step 1 retry 0 count 1"]);
    assert_eq!(
        desk.end(Failed),
        ["row 0 step 1 Retry 10s: Out.  The step failed."]
    );
    assert_eq!(desk.status(), 3);
    assert_eq!(
        desk.agent.poll_timeout(),
        Some(common::ts("2026-03-02T12:05:10Z"))
    );
    assert!(desk.wake("12:05:09").is_empty());
    assert_eq!(desk.wake("12:05:10"), ["launch #1 step 1 retry 1 count 1"]);
    let activity = desk.agent.activity_of(JOB).unwrap().run.unwrap();
    assert_eq!(
        (activity.retry, activity.step),
        (1, Some((1, "s1".to_owned())))
    );
    desk.end(Failed);
    desk.wake("12:11:00");
    desk.end(Succeeded);
    let retries: Vec<i32> = desk.rows.iter().map(|row| row.retries_attempted).collect();
    assert_eq!(retries, [0, 1, 2]);
    // The next step begins anew; an end told twice, or of an earlier try, changes nothing.
    assert_eq!(desk.sequence, 3);
    for sequence in [0, 1, 2, 4] {
        let result = Box::new(desk.result(Failed, desk.now));
        let run = desk.run;
        let told = desk.tell(AgentInput::StepEnded {
            run,
            sequence,
            result,
        });
        assert_eq!(told, Vec::<String>::new());
    }
    assert_eq!(
        desk.end(Succeeded),
        [
            "row 3 step 2 Succeeded 10s: Out.  The step succeeded.",
            "row 4 step 0 Succeeded 680s: The job succeeded.  The Job was invoked by User sa.  The last step \
             to run was step 2 (s2).",
        ]
    );
}

#[test]
fn stops() {
    let stopped =
        "The job was stopped prior to completion by User ops.  The Job was invoked by User sa.";
    // While its start is on the way to the disk.
    let mut desk = Desk::with(job(1));
    desk.start(1);
    assert!(desk.stop("ops").is_empty());
    assert_eq!(
        desk.recorded(),
        [format!("row 0 step 0 Canceled 0s: {stopped}")]
    );

    // A running step: asked, then killed, as long as it takes.
    let mut desk = Desk::with(job(2));
    desk.started(1);
    assert_eq!(desk.stop("ops"), ["stop #0"]);
    assert!(desk.stop("other").is_empty());
    assert_eq!(desk.status(), 1);
    assert!(desk.wake("12:00:09").is_empty());
    assert_eq!(desk.wake("12:00:10"), ["kill #0"]);
    assert_eq!(desk.wake("12:00:20"), ["kill #0"]);
    let last = "The last step to run was step 1 (s1).";
    assert_eq!(
        desk.end(Exited(0)),
        [
            "row 0 step 1 Canceled 10s: Out.  The step was stopped.".to_owned(),
            format!("row 1 step 0 Canceled 30s: {stopped}  {last}"),
        ]
    );
    assert_eq!(
        desk.stop("ops"),
        ["refused stop: the job is not currently running"]
    );
    assert_eq!(desk.agent.poll_timeout(), None);
    desk.outcome_recorded();

    // Between retries: at once.
    let mut desk = Desk::with(with(job(1), |d| {
        d.steps[0].retry_attempts = 1;
        d.steps[0].retry_interval_minutes = 5;
    }));
    desk.started(1);
    desk.end(Failed);
    assert_eq!(
        desk.stop("ops"),
        [format!("row 1 step 0 Canceled 10s: {stopped}  {last}")]
    );
    assert_eq!(desk.agent.poll_timeout(), None);

    // The step had ended before the stop was asked for: it keeps its own result, nothing follows it.
    let mut desk = Desk::with(job(2));
    desk.started(1);
    let ended = Box::new(desk.result(Succeeded, desk.now));
    desk.pass(1);
    desk.stop("ops");
    let run = desk.run;
    assert_eq!(
        desk.tell(AgentInput::StepEnded {
            run,
            sequence: 0,
            result: ended
        }),
        [
            "row 0 step 1 Succeeded 0s: Out.  The step succeeded.".to_owned(),
            format!("row 1 step 0 Canceled 1s: {stopped}  {last}"),
        ]
    );

    // Stopped by an order nobody remembers.
    let mut desk = Desk::with(job(1));
    desk.started(1);
    assert_eq!(
        desk.end(Stopped)[1],
        format!(
            "row 1 step 0 Canceled 10s: The job was stopped prior to completion.  The Job was invoked by \
             User sa.  {last}"
        )
    );

    let mut desk = Desk::with(job(1));
    assert_eq!(
        desk.stop("ops"),
        ["refused stop: the job is not currently running"]
    );
}

#[test]
fn requests() {
    let mut desk = Desk::with(with(job(2), |d| d.job.enabled = false));
    // Disabled jobs start by hand. The same request told twice is one; another one is refused.
    desk.start(1);
    assert!(desk.start(1).is_empty());
    assert_eq!(
        desk.start(2),
        ["refused start: the job is already running from a request by User sa"]
    );
    // A start that is durable already and refused gets its outcome, and holds its id meanwhile.
    assert_eq!(
        desk.start_at(3, StartAt::JobStart, true),
        [
            "row 0 step 0 Failed 0s: The job failed.  The Job was invoked by User sa.  The start was refused \
             because the job is already running from a request by User sa.",
            "refused start: the job is already running from a request by User sa",
        ]
    );
    assert!(desk.start_at(3, StartAt::JobStart, true).is_empty());
    desk.tell(AgentInput::OutcomeRecorded { run: run_id(3) });

    let mut desk = Desk::with(job(2));
    assert_eq!(
        desk.start_at(1, StartAt::Named("S2".to_owned()), true),
        ["launch #0 step 2 retry 0 count 1"]
    );
    desk.end(Succeeded);
    assert_eq!(
        desk.rows.last().unwrap().message,
        "The job succeeded.  The Job was invoked by User sa.  The last step to run was step 2 (s2).  The job \
         was requested to start at step 2 (s2)."
    );

    let mut desk = Desk::with(job(2));
    for (start_at, wanted) in [
        (StartAt::Step(3), "refused start: the job has no step 3"),
        (
            StartAt::Named("nix".to_owned()),
            "refused start: the job has no step nix",
        ),
    ] {
        assert_eq!(desk.start_at(1, start_at, false), [wanted]);
    }
    let mut desk = Desk::with(job(0));
    assert_eq!(desk.start(1), ["refused start: the job has no steps"]);
    desk.tell(AgentInput::JobRemoved { job: JOB });
    assert_eq!(desk.start(1), ["refused start: the job does not exist"]);
    assert_eq!(desk.stop("ops"), ["refused stop: the job does not exist"]);
    let mut desk = Desk::loading(common::config(), common::NOON);
    desk.load(job(1), None);
    assert_eq!(desk.start(1), ["refused start: SQLServerAgent is starting"]);
}

#[test]
fn starts_that_are_not_recorded() {
    let mut desk = Desk::with(job(1));
    desk.start(1);
    let fault = StartFault::Failed("disk full".to_owned());
    let run = desk.run;
    assert_eq!(
        desk.tell(AgentInput::StartNotRecorded { run, fault }),
        ["refused start: the start of the run could not be recorded: disk full"]
    );
    assert_eq!(desk.status(), 4);
    desk.start(2);
    let run = desk.run;
    let fault = StartFault::Duplicate;
    assert!(
        desk.tell(AgentInput::StartNotRecorded { run, fault })
            .is_empty()
    );
    assert_eq!(desk.started(4), ["launch #0 step 1 retry 0 count 1"]);
}

#[test]
fn changes_and_removal_while_running() {
    // The run keeps its steps.
    let mut desk = Desk::with(job(2));
    desk.started(1);
    desk.load(job(1), None);
    assert_eq!(desk.end(Succeeded)[1], "launch #1 step 2 retry 0 count 1");
    desk.end(Succeeded);
    desk.outcome_recorded();
    // The next has the new ones.
    desk.started(2);
    assert_eq!(desk.end(Succeeded).len(), 2);
    desk.outcome_recorded();

    // A deleted job's run is stopped, and the job forgotten with its outcome.
    desk.started(3);
    assert_eq!(desk.tell(AgentInput::JobRemoved { job: JOB }), ["stop #0"]);
    assert_eq!(
        desk.start(4),
        ["refused start: the job is already running from a request by User sa"]
    );
    desk.end(Stopped);
    assert_eq!(
        desk.rows.last().unwrap().message,
        "The job was stopped prior to completion because it was deleted.  The Job was invoked by User sa.  \
         The last step to run was step 1 (s1)."
    );
    desk.outcome_recorded();
    assert_eq!(desk.agent.activity().count(), 0);
}

#[test]
fn deletion_after_the_outcome() {
    for (level, end, deleted) in [
        (NotifyLevel::Never, Succeeded, false),
        (NotifyLevel::OnSuccess, Succeeded, true),
        (NotifyLevel::OnSuccess, Failed, false),
        (NotifyLevel::OnFailure, Succeeded, false),
        (NotifyLevel::OnFailure, Failed, true),
        (NotifyLevel::OnFailure, Stopped, false),
        (NotifyLevel::Always, Stopped, true),
    ] {
        let mut desk = Desk::with(with(job(1), |d| d.job.delete_level = level));
        desk.started(1);
        desk.end(end);
        let wanted: &[&str] = if deleted { &["delete job"] } else { &[] };
        assert_eq!(desk.outcome_recorded(), wanted, "{level:?} {end:?}");
    }
}

#[test]
fn places_for_running_steps() {
    let mut config = common::config();
    config.limits.running_steps_max = 1;
    let mut desk = Desk::loading(config, common::NOON);
    let other = model::JobId(uuid::Uuid::from_u128(2));
    desk.load(job(1), None);
    desk.load(with(job(1), |d| d.job.id = other), None);
    desk.tell(AgentInput::Started);
    desk.started(1);
    let second = AgentInput::StartRequested {
        job: other,
        run: run_id(2),
        source: model::RunSource::Master {
            login: "m".to_owned(),
        },
        start_at: StartAt::JobStart,
        already_recorded: true,
    };
    assert!(desk.tell(second).is_empty());
    assert_eq!(desk.agent.activity_of(other).unwrap().status().code(), 2);
    assert_eq!(desk.agent.running().count(), 2);
    assert_eq!(desk.end(Succeeded)[2], "launch #0 step 1 retry 0 count 1");
    assert_eq!(desk.run, run_id(2));
    desk.end(Succeeded);
}

#[test]
fn shutdown() {
    let complete = ["shutdown complete"];
    let mut desk = Desk::with(job(1));
    assert_eq!(desk.tell(AgentInput::Shutdown), complete);
    assert_eq!(
        desk.start(1),
        ["refused start: SQLServerAgent is shutting down"]
    );

    // A running step gets the time-out, then is stopped.
    let mut desk = Desk::with(job(1));
    desk.started(1);
    assert!(desk.tell(AgentInput::Shutdown).is_empty());
    assert_eq!(
        desk.agent.poll_timeout(),
        Some(common::ts("2026-03-02T12:00:15Z"))
    );
    assert_eq!(desk.wake("12:00:15"), ["stop #0"]);
    assert_eq!(
        desk.agent.poll_timeout(),
        Some(common::ts("2026-03-02T12:00:25Z"))
    );
    desk.end(Stopped);
    assert_eq!(
        desk.rows.last().unwrap().message,
        "The job was stopped prior to completion by Shutdown Sequence 0.  The Job was invoked by User sa.  The \
         last step to run was step 1 (s1)."
    );
    assert_eq!(desk.outcome_recorded(), complete);
    assert_eq!(desk.agent.poll_timeout(), None);

    // A retry beyond the deadline is not waited for; a start on its way ends without a step.
    let mut desk = Desk::with(with(job(1), |d| {
        d.steps[0].retry_attempts = 1;
        d.steps[0].retry_interval_minutes = 5;
    }));
    desk.started(1);
    desk.end(Failed);
    assert_eq!(desk.tell(AgentInput::Shutdown).len(), 1);
    assert_eq!(desk.outcome_recorded(), complete);
    let mut desk = Desk::with(job(1));
    desk.start(1);
    desk.tell(AgentInput::Shutdown);
    desk.recorded();
    assert_eq!(desk.rows[0].status, RunStatus::Canceled);
    assert_eq!(desk.outcome_recorded(), complete);
}

#[test]
fn an_expected_launch_is_the_one_that_comes() {
    let source = || RunSource::Master {
        login: "sa".to_owned(),
    };
    let expect = |desk: &Desk, run, step| {
        desk.agent
            .expected_launch(JOB, run_id(run), source(), &StartAt::Step(step), desk.now)
    };
    for step in [1, 2] {
        let mut desk = Desk::with(job(2));
        let expected = expect(&desk, 7, step).unwrap();
        desk.agent.handle(
            AgentInput::StartRequested {
                job: JOB,
                run: run_id(7),
                source: source(),
                start_at: StartAt::Step(step),
                already_recorded: true,
            },
            desk.now,
        );
        let came = desk.agent.poll_action();
        assert_eq!(came, Some(AgentAction::LaunchStep(Box::new(expected))));
        // While it runs, nothing else of the job would be launched.
        assert_eq!(expect(&desk, 8, 1), None);
    }
    let desk = Desk::with(job(2));
    assert_eq!(expect(&desk, 7, 3), None, "no such step");
}
