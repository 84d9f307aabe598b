//! What a target and its master keep of each other.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod support;

use catalog::{
    Catalog, CatalogError, DownloadState, HistoryFilter, Poll, QueuedReport, RecordHistory,
    ReportBatch, ReportStored, StartAccepted, TargetCursor,
};
use model::{
    Cursor, Generation, InstanceId, InstructionNumber, JobId, ReportPosition, RunStatus, ServerId,
};
use support::{Directory, at, id, open, report, row, run};

const SERVER: ServerId = ServerId(4);

fn job_id() -> JobId {
    JobId(id(10))
}

fn cursor(generation: u64, number: u64) -> TargetCursor {
    TargetCursor {
        generation: Generation(generation),
        cursor: Cursor {
            number: InstructionNumber(number),
            uid: id(u128::from(number)),
        },
    }
}

#[test]
fn a_start_is_accepted_once() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = catalog
        .runs_write(|w| w.open_session(at(0), &[]))
        .unwrap()
        .id;
    let new = run(100, job_id(), session, 1);
    let accept = |cursor: TargetCursor| catalog.runs_write(|w| w.accept_start(&cursor, &new));
    assert_eq!(accept(cursor(1, 1)).unwrap(), StartAccepted::Accepted);
    // Delivered again, after a crash before the acknowledgement.
    assert_eq!(accept(cursor(1, 1)).unwrap(), StartAccepted::AlreadyStarted);
    // Delivered under another number, by a master that was restored.
    assert_eq!(accept(cursor(2, 1)).unwrap(), StartAccepted::AlreadyStarted);
    assert_eq!(catalog.runs_read(|r| r.active_runs()).unwrap().len(), 1);
    assert_eq!(
        catalog.runs_read(|r| r.target_cursor()).unwrap(),
        Some(cursor(2, 1))
    );
}

#[test]
fn the_cursor_does_not_go_back_by_itself() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let advance = |cursor: TargetCursor| catalog.runs_write(|w| w.advance_cursor(&cursor, None));
    assert_eq!(catalog.runs_read(|r| r.target_cursor()).unwrap(), None);
    advance(cursor(1, 3)).unwrap();
    advance(cursor(1, 3)).unwrap();
    for back in [cursor(1, 2), cursor(0, 9)] {
        let error = advance(back).unwrap_err();
        assert!(matches!(error, CatalogError::OutOfRange { .. }), "{error}");
    }
    advance(cursor(2, 1)).unwrap();
    catalog
        .runs_write(|w| w.advance_cursor(&cursor(2, 2), Some(("no such job", at(5)))))
        .unwrap();
    let refusals = catalog
        .runs_read(|r| r.instruction_refusals(InstructionNumber(0)))
        .unwrap();
    assert_eq!(refusals.len(), 1);
    assert_eq!(
        (refusals[0].number.0, refusals[0].reason.as_str()),
        (2, "no such job")
    );
    catalog
        .runs_write(|w| w.reset_cursor(&cursor(3, 0)))
        .unwrap();
    assert_eq!(
        catalog.runs_read(|r| r.target_cursor()).unwrap(),
        Some(cursor(3, 0))
    );
}

#[test]
fn the_queue_for_the_master() {
    let directory = Directory::new();
    let catalog = open(&directory);
    for n in 0..3 {
        catalog
            .runs_write(|w| {
                for (number, step) in [(0, 1), (1, 0)] {
                    w.record_history(RecordHistory {
                        row: &row(100 + n, job_id(), number, step, 1),
                        operators: [0; 3],
                        report: true,
                    })?;
                }
                Ok::<_, CatalogError>(())
            })
            .unwrap();
    }
    let queued = |above: u64, rows, bytes| -> Vec<u64> {
        catalog
            .runs_read(|r| r.queued_reports(ReportPosition(above), rows, bytes))
            .unwrap()
            .iter()
            .map(|report| report.position.0)
            .collect()
    };
    assert_eq!(queued(0, 100, 1_000_000), [1, 2, 3, 4, 5, 6]);
    assert_eq!(queued(2, 3, 1_000_000), [3, 4, 5]);
    assert_eq!(queued(0, 100, 0), [1], "at least one");
    assert_eq!(queued(0, 100, 50), [1, 2]);
    let full = catalog
        .runs_read(|r| r.queued_reports(ReportPosition(0), 1, 100))
        .unwrap();
    assert_eq!(full[0].row, row(100, job_id(), 0, 1, 1), "with its output");

    let acknowledge = |up_to| catalog.runs_write(|w| w.acknowledge_reports(ReportPosition(up_to)));
    acknowledge(4).unwrap();
    acknowledge(2).unwrap();
    let error = acknowledge(7).unwrap_err();
    assert!(matches!(error, CatalogError::OutOfRange { .. }), "{error}");
    let state = catalog.runs_read(|r| r.report_queue()).unwrap();
    assert_eq!((state.acknowledged.0, state.last.0), (4, 6));
    // A restored master asks for them again.
    assert_eq!(queued(0, 100, 1_000_000).len(), 6);
    catalog
        .runs_write(|w| w.rewind_reports(ReportPosition(1)))
        .unwrap();
    let error = catalog
        .runs_write(|w| w.rewind_reports(ReportPosition(2)))
        .unwrap_err();
    assert!(matches!(error, CatalogError::OutOfRange { .. }), "{error}");
    acknowledge(4).unwrap();
    // Some days later.
    assert_eq!(catalog.runs_write(|w| w.trim_reports(at(1))).unwrap(), 0);
    assert_eq!(catalog.runs_write(|w| w.trim_reports(at(2))).unwrap(), 4);
    assert_eq!(queued(0, 100, 1_000_000), [5, 6]);
}

fn store(catalog: &Catalog, rows: &[QueuedReport]) -> ReportStored {
    catalog
        .runs_write(|w| {
            w.store_reports(ReportBatch {
                server: SERVER,
                instance: InstanceId(id(70)),
                rows,
                received: at(9),
            })
        })
        .unwrap()
}

#[test]
fn reports_are_stored_exactly_once() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = catalog
        .runs_write(|w| w.open_session(at(0), &[]))
        .unwrap()
        .id;
    let rows: Vec<QueuedReport> = (0..6_u128)
        .map(|n| {
            let number = u32::try_from(n % 2).unwrap();
            let step = i32::from(n % 2 == 0);
            let started = i64::try_from(n / 2).unwrap();
            report(
                u64::try_from(n).unwrap() + 1,
                row(100 + n / 2, job_id(), number, step, started),
            )
        })
        .collect();
    let stored = store(&catalog, &rows[..3]);
    assert_eq!((stored.position.0, stored.new_rows), (3, 3));
    let stored = store(&catalog, &rows[1..]);
    assert_eq!((stored.position.0, stored.new_rows), (6, 3));
    let stored = store(&catalog, &rows[..2]);
    assert_eq!((stored.position.0, stored.new_rows), (6, 0), "late doubles");
    assert_eq!(store(&catalog, &[]).position.0, 6);
    let kept = catalog
        .runs_read(|r| r.history(&HistoryFilter::default(), None, 99))
        .unwrap();
    assert_eq!(kept.len(), 6);
    assert!(kept.iter().all(|record| record.server == SERVER));
    let outcomes = catalog
        .runs_read(|r| r.job_outcomes(None, Some(SERVER)))
        .unwrap();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].started, at(2), "the last run's");
    assert_eq!(outcomes[0].status, RunStatus::Succeeded);
    let activity = catalog
        .runs_read(|r| r.activity(Some(session), None))
        .unwrap();
    assert_eq!(activity[0].started, Some(at(2)));
    assert_eq!(activity[0].history, Some(outcomes[0].history));
    assert_eq!(
        catalog
            .runs_read(|r| r.report_position(InstanceId(id(71))))
            .unwrap(),
        ReportPosition(0)
    );
}

#[test]
fn a_report_does_not_hide_a_run_of_the_master_itself() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = catalog
        .runs_write(|w| w.open_session(at(0), &[]))
        .unwrap()
        .id;
    let here = run(50, job_id(), session, 1);
    catalog.runs_write(|w| w.begin_run(&here)).unwrap();
    store(&catalog, &[report(1, row(100, job_id(), 0, 0, 5))]);
    let activity = catalog
        .runs_read(|r| r.activity(Some(session), None))
        .unwrap();
    assert_eq!(activity[0].run, Some(here.id));
}

#[test]
fn download_states() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let states = || {
        catalog
            .runs_read(|r| r.download_states(Some(SERVER)))
            .unwrap()
    };
    let acknowledge = |generation, up_to, when| {
        catalog
            .runs_write(|w| {
                w.acknowledge_instructions(
                    SERVER,
                    Generation(generation),
                    InstructionNumber(up_to),
                    at(when),
                )
            })
            .unwrap();
        catalog
            .runs_read(|r| r.acknowledged_instruction(SERVER))
            .unwrap()
            .0
    };
    assert_eq!(acknowledge(1, 2, 5), 2);
    assert_eq!(acknowledge(1, 1, 6), 2, "never back");
    let error = |number, text: &str, blocks| {
        catalog
            .runs_write(|w| {
                w.set_instruction_error(SERVER, InstructionNumber(number), text, blocks, at(7))
            })
            .unwrap();
    };
    error(3, "Proxy not found.", true);
    error(4, "the job is not running", false);
    let blocked: Vec<(u64, bool)> = states()
        .iter()
        .map(|state| (state.number.0, state.blocks()))
        .collect();
    assert_eq!(blocked, [(1, false), (2, false), (3, true), (4, false)]);
    let blocking = |above| {
        let above = InstructionNumber(above);
        catalog
            .runs_read(|r| r.blocking_instructions(SERVER, above))
            .unwrap()
    };
    assert_eq!(blocking(2), [InstructionNumber(3)]);
    assert_eq!(blocking(3), []);
    assert_eq!(acknowledge(1, 4, 8), 4);
    let state = |number, downloaded, error: Option<&str>| DownloadState {
        server: SERVER,
        number: InstructionNumber(number),
        downloaded: Some(at(downloaded)),
        error: error.map(str::to_owned),
    };
    assert_eq!(
        states(),
        [
            state(1, 5, None),
            state(2, 5, None),
            state(3, 8, None),
            state(4, 7, Some("the job is not running")),
        ]
    );
    let cleared = catalog
        .runs_write(|w| w.clear_instruction_error(SERVER, InstructionNumber(4)))
        .unwrap();
    assert!(cleared);
    // A new enlistment begins where it begins; the old one is not heard any more.
    assert_eq!(acknowledge(2, 1, 9), 1);
    assert_eq!(acknowledge(1, 9, 9), 1);
    catalog.runs_write(|w| w.forget_target(SERVER)).unwrap();
    assert_eq!(states(), []);
}

#[test]
fn signs_of_life_are_written_together() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let poll = |server, when| Poll {
        server: ServerId(server),
        at: at(when),
        target_clock: at(when + 3),
        utc_offset_minutes: -300,
    };
    let before = catalog.statistics().runs_commits;
    catalog
        .runs_write(|w| w.record_polls(&[poll(1, 5), poll(2, 6), poll(1, 7)]))
        .unwrap();
    assert_eq!(catalog.statistics().runs_commits - before, 1);
    let all = catalog.runs_read(|r| r.all_liveness()).unwrap();
    assert_eq!(all, [poll(1, 7), poll(2, 6)]);
    assert_eq!(
        catalog.runs_read(|r| r.liveness(ServerId(9))).unwrap(),
        None
    );
}
