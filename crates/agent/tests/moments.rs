//! Due moments: started in time, missed when late, never twice; clocks and zones that jump.

mod common;

use agent::{AgentInput, AttachedSchedule, StartFault, StepEnd};
use common::{Desk, JOB, NIGHTLY, NOON, attached, config, every, job, nightly, scheduled, ts};
use jiff::tz::TimeZone;
use model::{Frequency, RunId, ScheduleUid};
use uuid::Uuid;

const NONE: [&str; 0] = [];

/// An agent that starts at `now`, with what was stored of the job's schedule.
fn restarted(document: model::JobDocument, accounted: Option<&str>, now: &str) -> Vec<String> {
    let mut desk = Desk::loading(config(), now);
    let mut lines = desk.load(document, accounted);
    assert_eq!(desk.agent.poll_timeout(), None);
    lines.extend(desk.tell(AgentInput::Started));
    lines
}

#[test]
fn a_moment_starts_its_run() {
    let mut desk = Desk::with(scheduled(nightly()));
    assert_eq!(desk.agent.poll_timeout(), Some(ts("2026-03-03T02:30:00Z")));
    let next = desk.agent.activity_of(JOB).unwrap().next.unwrap();
    assert_eq!((next.schedule, next.schedule_id), (NIGHTLY, 7));
    assert!(desk.wake("2026-03-03T02:29:59.999Z").is_empty());
    assert_eq!(
        desk.wake("2026-03-03T02:30:00Z"),
        [
            "record start at step 1 due 2026-03-03T02:30:00Z, 2026-03-03T02:30:00Z next 2026-03-04T02:30:00Z"
        ]
    );
    let expected = RunId::scheduled(config().instance, JOB, ts("2026-03-03T02:30:00Z"));
    assert_eq!(desk.run, expected);
    assert_eq!(desk.recorded(), ["launch #0 step 1 retry 0 count 1"]);
    desk.end(StepEnd::Succeeded);
    assert_eq!(
        desk.rows[1].message,
        "The job succeeded.  The Job was invoked by Schedule 7 (nightly).  The last step to run was step 1 (s1)."
    );
}

#[test]
fn lateness() {
    let start =
        |due: &str, next: &str| format!("record start at step 1 due {due}, {due} next {next}");
    // Within the tolerance it runs; of several moments the latest.
    let mut desk = Desk::with(scheduled(nightly()));
    assert_eq!(
        desk.wake("2026-03-03T02:31:00Z"),
        [start("2026-03-03T02:30:00Z", "2026-03-04T02:30:00Z")]
    );
    let mut desk = Desk::with(scheduled(nightly()));
    assert_eq!(
        desk.wake("2026-03-03T02:31:00.000000001Z"),
        ["missed 1 Late 2026-03-03T02:30:00Z..2026-03-03T02:30:00Z next 2026-03-04T02:30:00Z"]
    );
    let mut desk = Desk::with(scheduled(every(15)));
    assert_eq!(
        desk.wake("13:00:30"),
        [
            "missed 3 Late 2026-03-02T12:15:00Z..2026-03-02T12:45:00Z next 2026-03-02T13:00:00Z"
                .to_owned(),
            start("2026-03-02T13:00:00Z", "2026-03-02T13:15:00Z"),
        ]
    );
}

#[test]
fn moments_while_the_agent_was_down() {
    // A week down: coalesced, not run late.
    assert_eq!(
        restarted(scheduled(nightly()), Some("2026-02-23T02:30:00Z"), NOON),
        [
            "accounted 2026-02-23T02:30:00Z next 2026-02-24T02:30:00Z",
            "missed 7 Late 2026-02-24T02:30:00Z..2026-03-02T02:30:00Z next 2026-03-03T02:30:00Z",
        ]
    );
    // Back within the tolerance: it runs.
    assert_eq!(
        restarted(
            scheduled(nightly()),
            Some("2026-03-01T02:30:00Z"),
            "2026-03-02T02:30:40Z"
        )[1],
        "record start at step 1 due 2026-03-02T02:30:00Z, 2026-03-02T02:30:00Z next 2026-03-03T02:30:00Z"
    );
    // A schedule nothing is stored of counts from now.
    assert_eq!(
        restarted(scheduled(nightly()), None, NOON),
        ["accounted 2026-03-02T12:00:00Z next 2026-03-03T02:30:00Z"]
    );
    // What is stored already is not told again.
    let mut desk = Desk::loading(config(), NOON);
    let schedules = vec![AttachedSchedule {
        next: Some(ts("2026-03-03T02:30:00Z")),
        ..attached(NIGHTLY, Some("2026-03-02T02:30:00Z"))
    }];
    let document = Box::new(scheduled(nightly()));
    assert_eq!(
        desk.tell(AgentInput::JobChanged {
            document,
            schedules
        }),
        NONE
    );
    // A one-time schedule that passed while down is missed, once.
    let mut once = nightly();
    once.frequency = Frequency::Once;
    once.active_start_date = jiff::civil::date(2026, 3, 1);
    assert_eq!(
        restarted(scheduled(once), Some("2026-02-28T00:00:00Z"), NOON)[1],
        "missed 1 Late 2026-03-01T02:30:00Z..2026-03-01T02:30:00Z next never"
    );
}

#[test]
fn disabled_is_not_missed() {
    let mut document = scheduled(every(15));
    document.job.enabled = false;
    let mut desk = Desk::with(document.clone());
    assert_eq!(desk.agent.poll_timeout(), None);
    assert_eq!(desk.wake("18:00:00"), NONE);
    document.job.enabled = true;
    document.schedules[0].enabled = false;
    assert_eq!(desk.load(document.clone(), None), NONE);
    assert_eq!(desk.wake("19:00:00"), NONE);
    document.schedules[0].enabled = true;
    assert_eq!(
        desk.load(document.clone(), None),
        ["accounted 2026-03-02T19:00:00Z next 2026-03-02T19:15:00Z"]
    );
    document.schedules[0].enabled = false;
    assert_eq!(
        desk.load(document.clone(), None),
        ["accounted 2026-03-02T19:00:00Z next never"]
    );
    document.schedules.clear();
    assert_eq!(desk.load(document, None), ["forget schedule"]);
}

#[test]
fn overlap_is_missed() {
    let mut desk = Desk::with(scheduled(every(15)));
    desk.wake("12:15:00");
    desk.recorded();
    assert_eq!(
        desk.wake("12:30:00"),
        [
            "missed 1 StillRunning 2026-03-02T12:30:00Z..2026-03-02T12:30:00Z next 2026-03-02T12:45:00Z"
        ]
    );
    desk.end(StepEnd::Succeeded);
    desk.wake("12:44:59");
    // Its outcome is not durable yet.
    assert_eq!(desk.wake("12:45:00").len(), 1);
    desk.outcome_recorded();
    assert!(desk.wake("13:00:00")[0].starts_with("record start"));
    // A job without steps has nothing to run.
    let mut empty = scheduled(every(15));
    empty.steps.clear();
    let mut desk = Desk::with(empty);
    assert_eq!(
        desk.wake("12:15:00"),
        [
            "missed 1 NothingToRun 2026-03-02T12:15:00Z..2026-03-02T12:15:00Z next 2026-03-02T12:30:00Z"
        ]
    );
}

#[test]
fn schedules_that_meet_start_one_run() {
    let mut document = scheduled(every(15));
    let mut second = every(10);
    second.uid = ScheduleUid(Uuid::from_u128(101));
    document.schedules.push(second);
    let mut desk = Desk::with(document);
    // 12:30 is a moment of both, and 12:20 of the second only.
    desk.wake("12:10:00");
    desk.recorded();
    desk.end(StepEnd::Succeeded);
    desk.outcome_recorded();
    assert_eq!(
        desk.wake("12:30:20"),
        [
            "missed 1 Late 2026-03-02T12:15:00Z..2026-03-02T12:15:00Z next 2026-03-02T12:30:00Z",
            "missed 1 Late 2026-03-02T12:20:00Z..2026-03-02T12:20:00Z next 2026-03-02T12:30:00Z",
            "record start at step 1 due 2026-03-02T12:30:00Z, 2026-03-02T12:30:00Z next 2026-03-02T12:45:00Z, \
             2026-03-02T12:30:00Z next 2026-03-02T12:40:00Z",
        ]
    );
}

#[test]
fn starts_that_are_not_recorded() {
    let mut desk = Desk::with(scheduled(nightly()));
    desk.wake("2026-03-03T02:30:00Z");
    let (run, fault) = (desk.run, StartFault::Failed("disk full".to_owned()));
    assert_eq!(
        desk.tell(AgentInput::StartNotRecorded { run, fault }),
        [
            "missed 1 NotRecorded 2026-03-03T02:30:00Z..2026-03-03T02:30:00Z next 2026-03-04T02:30:00Z",
            "refused start: the start of the run could not be recorded: disk full",
        ]
    );
    desk.wake("2026-03-04T02:30:00Z");
    let (run, fault) = (desk.run, StartFault::Duplicate);
    assert_eq!(
        desk.tell(AgentInput::StartNotRecorded { run, fault }),
        ["accounted 2026-03-04T02:30:00Z next 2026-03-05T02:30:00Z"]
    );
}

#[test]
fn agent_start() {
    let mut start = nightly();
    start.frequency = Frequency::AgentStart;
    let mut desk = Desk::loading(config(), NOON);
    desk.load(scheduled(start.clone()), None);
    assert_eq!(
        desk.tell(AgentInput::Started),
        ["record start at step 1 agent start"]
    );
    assert_eq!(desk.tell(AgentInput::Started), NONE);
    desk.recorded();
    desk.end(StepEnd::Succeeded);
    assert_eq!(
        desk.rows[1].message,
        "The job succeeded.  The Job was invoked by Start Sequence 0.  The last step to run was step 1 (s1)."
    );
    // Not when disabled, nor before or after its life, nor twice for two such schedules.
    let changes: [fn(&mut model::JobDocument); 4] = [
        |d| d.job.enabled = false,
        |d| d.schedules[0].enabled = false,
        |d| d.schedules[0].active_start_date = jiff::civil::date(2026, 3, 3),
        |d| d.schedules[0].active_end_date = jiff::civil::date(2026, 3, 1),
    ];
    for change in changes {
        let mut document = scheduled(start.clone());
        change(&mut document);
        let mut desk = Desk::loading(config(), NOON);
        desk.load(document, None);
        assert_eq!(desk.tell(AgentInput::Started), NONE);
    }
    let mut two = scheduled(start.clone());
    two.schedules.push(start);
    two.schedules[1].uid = ScheduleUid(Uuid::from_u128(101));
    let mut desk = Desk::loading(config(), NOON);
    desk.load(two, None);
    assert_eq!(desk.tell(AgentInput::Started).len(), 1);
}

#[test]
fn clock_jumps() {
    // Forwards by a day: missed, coalesced.
    let mut desk = Desk::with(scheduled(every(60)));
    assert_eq!(
        desk.wake("2026-03-03T12:30:00Z"),
        ["missed 24 Late 2026-03-02T13:00:00Z..2026-03-03T12:00:00Z next 2026-03-03T13:00:00Z"]
    );
    // A little back: moments that were decided do not come again.
    desk.wake("2026-03-03T13:00:00Z");
    desk.recorded();
    desk.end(StepEnd::Succeeded);
    desk.outcome_recorded();
    assert_eq!(desk.wake("2026-03-03T12:55:00Z"), NONE);
    assert_eq!(desk.wake("2026-03-03T13:00:30Z"), NONE);
    // Far back: schedules count anew; a moment that had its run meets its id in the store.
    assert_eq!(
        desk.wake("2026-03-02T12:30:00Z"),
        ["accounted 2026-03-02T12:30:00Z next 2026-03-02T13:00:00Z"]
    );
    assert_eq!(desk.wake("2026-03-02T13:00:00Z").len(), 1);
    let (run, fault) = (desk.run, StartFault::Duplicate);
    assert_eq!(
        desk.tell(AgentInput::StartNotRecorded { run, fault }),
        ["accounted 2026-03-02T13:00:00Z next 2026-03-02T14:00:00Z"]
    );
    // A stored watermark from a clock that was years ahead silences nothing.
    assert_eq!(
        restarted(scheduled(every(60)), Some("2036-01-01T00:00:00Z"), NOON),
        ["accounted 2026-03-02T12:00:00Z next 2026-03-02T13:00:00Z"]
    );
    // One that is a little ahead is waited for.
    let mut desk = Desk::loading(config(), NOON);
    desk.load(scheduled(every(1)), Some("2026-03-02T12:05:00Z"));
    desk.tell(AgentInput::Started);
    assert_eq!(desk.agent.poll_timeout(), Some(ts("2026-03-02T12:06:00Z")));

    // Waits do not grow by the step of the clock.
    let mut document = job(1);
    document.steps[0].retry_attempts = 1;
    document.steps[0].retry_interval_minutes = 5;
    let mut desk = Desk::with(document);
    desk.started(1);
    desk.end(StepEnd::Failed);
    desk.now = ts("2020-01-01T00:00:00Z");
    desk.tell(AgentInput::ClockChanged);
    assert_eq!(desk.agent.poll_timeout(), Some(ts("2020-01-01T00:05:00Z")));
}

#[test]
fn another_zone() {
    let mut desk = Desk::with(scheduled(nightly()));
    let paris = TimeZone::get("Europe/Paris").unwrap();
    assert_eq!(
        desk.tell(AgentInput::TimeZoneChanged(paris)),
        ["accounted 2026-03-02T12:00:00Z next 2026-03-03T01:30:00Z"]
    );
    desk.wake("2026-03-03T01:30:00Z");
    desk.recorded();
    desk.end(StepEnd::Succeeded);
    assert_eq!(desk.rows[1].utc_offset_minutes, 60);
}

#[test]
fn a_change_decides_what_was_due_before() {
    // Due at 12:15; the change comes a second later, before the agent was woken.
    let mut desk = Desk::with(scheduled(every(15)));
    desk.now = ts("2026-03-02T12:15:01Z");
    assert_eq!(
        desk.load(scheduled(every(20)), None),
        [
            "record start at step 1 due 2026-03-02T12:15:00Z, 2026-03-02T12:15:00Z next 2026-03-02T12:30:00Z",
            "accounted 2026-03-02T12:15:01Z next 2026-03-02T12:20:00Z",
        ]
    );
    // A change that leaves the timing as it is leaves the watermark too.
    let mut renamed = scheduled(every(20));
    renamed.job.name = "other".to_owned();
    desk.now = ts("2026-03-02T12:16:00Z");
    assert_eq!(desk.load(renamed, None), NONE);
}

#[test]
fn a_storm_comes_in_batches() {
    let mut config = config();
    config.limits.due_batch_max = 10;
    let mut desk = Desk::loading(config, NOON);
    for number in 1..=25u128 {
        let mut document = scheduled(every(60));
        document.job.id = model::JobId(Uuid::from_u128(number));
        desk.load(document, None);
    }
    desk.tell(AgentInput::Started);
    let sizes: Vec<usize> = (0..4).map(|_| desk.wake("13:00:00").len()).collect();
    assert_eq!(sizes, [10, 10, 5, 0]);
}
