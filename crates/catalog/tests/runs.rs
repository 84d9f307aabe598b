//! Runs on the instance that runs them: begin, steps, outcomes, schedules, trimming, purging.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod support;

use catalog::{
    BeginRun, Catalog, CatalogError, CatalogOptions, HistoryFilter, HistoryLimits, HistoryOrder,
    HistoryPurge, MissedMoments, NewRun, NextRun, Process, RecordHistory, RunState, RunsWrite,
    SpoolLimits, StepStart,
};
use jiff::Timestamp;
use model::{
    HistoryId, HistoryRow, InstanceId, JobId, ReportPosition, RunId, RunSource, RunStatus,
    ScheduleUid, ServerId, StepUid,
};
use support::{DELETION, Directory, at, id, job, open, options, row, run};

fn job_id() -> JobId {
    JobId(id(10))
}

fn record(w: &mut dyn RunsWrite, row: &HistoryRow, report: bool) -> catalog::RecordedHistory {
    w.record_history(RecordHistory {
        row,
        operators: [0; 3],
        report,
    })
    .unwrap()
}

/// Runs a job of one step to its end.
fn whole_run(catalog: &Catalog, session: i64, n: u128, started: i64, report: bool) {
    catalog
        .runs_write(|w| {
            w.begin_run(&run(n, job_id(), session, started))?;
            record(w, &row(n, job_id(), 0, 1, started), report);
            record(w, &row(n, job_id(), 1, 0, started), report);
            Ok::<_, CatalogError>(())
        })
        .unwrap();
}

fn session(catalog: &Catalog) -> i64 {
    catalog
        .runs_write(|w| w.open_session(at(0), &[job_id()]))
        .unwrap()
        .id
}

fn history(catalog: &Catalog, filter: &HistoryFilter) -> Vec<(i64, i32)> {
    catalog
        .runs_read(|r| r.history(filter, None, 1_000))
        .unwrap()
        .iter()
        .map(|record| (record.id.0, record.row.step_id))
        .collect()
}

#[test]
fn a_run_from_beginning_to_end() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = session(&catalog);
    let new = run(100, job_id(), session, 10);
    let begun = catalog.runs_write(|w| w.begin_run(&new)).unwrap();
    assert_eq!(begun, BeginRun::Begun);
    let again = catalog.runs_write(|w| w.begin_run(&new)).unwrap();
    assert_eq!(again, BeginRun::AlreadyKnown);

    let start = StepStart {
        run: new.id,
        step_id: 1,
        retry: 0,
        started: at(11),
        launch: 7,
        process: None,
    };
    let with_process = StepStart {
        process: Some(Process {
            pid: 4_242,
            start_ticks: 99,
        }),
        ..start
    };
    catalog.runs_write(|w| w.step_started(&start)).unwrap();
    catalog
        .runs_write(|w| w.step_started(&with_process))
        .unwrap();
    let active = catalog.runs_read(|r| r.active_runs()).unwrap();
    assert_eq!(active.len(), 1);
    assert_eq!(active[0].run, new);
    assert_eq!(active[0].state, RunState::Active);
    assert_eq!(active[0].step, Some(with_process));
    let activity = catalog
        .runs_read(|r| r.activity(Some(session), None))
        .unwrap();
    assert_eq!(activity.len(), 1);
    assert_eq!(activity[0].started, Some(at(10)));
    assert_eq!(activity[0].stopped, None);
    assert_eq!(activity[0].last_step_id, Some(1));
    assert_eq!(activity[0].requested_by.as_deref(), Some("sa"));

    let step_row = row(100, job_id(), 0, 1, 11);
    let outcome = row(100, job_id(), 1, 0, 10);
    let recorded = catalog
        .runs_write(|w| {
            record(w, &step_row, false);
            Ok::<_, CatalogError>(record(w, &outcome, false))
        })
        .unwrap();
    assert!(!recorded.already_known);
    let again = catalog
        .runs_write(|w| Ok::<_, CatalogError>(record(w, &outcome, false)))
        .unwrap();
    assert_eq!((again.id, again.already_known), (recorded.id, true));

    assert_eq!(catalog.runs_read(|r| r.active_runs()).unwrap(), []);
    let ended = catalog.runs_read(|r| r.run(new.id)).unwrap().unwrap();
    assert_eq!((ended.state, ended.rows), (RunState::Ended, 2));
    let activity = catalog
        .runs_read(|r| r.activity(None, Some(job_id())))
        .unwrap();
    assert_eq!(activity[0].history, Some(recorded.id));
    assert_eq!(
        activity[0].stopped,
        Some(Timestamp::from_microsecond(at(11).as_microsecond() + 500_000).unwrap())
    );
    let rows = catalog
        .runs_read(|r| r.history(&HistoryFilter::default(), None, 10))
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].has_output && !rows[1].has_output);
    assert_eq!(
        rows[0].row,
        HistoryRow {
            output: None,
            ..step_row.clone()
        }
    );
    assert_eq!(rows[1].row, outcome);
    let output = catalog.runs_read(|r| r.history_output(rows[0].id)).unwrap();
    assert_eq!(output, step_row.output);
    let outcomes = catalog.runs_read(|r| r.job_outcomes(None, None)).unwrap();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].status, RunStatus::Succeeded);
    assert_eq!(
        (outcomes[0].server, outcomes[0].history),
        (ServerId(0), recorded.id)
    );
    let steps = catalog
        .runs_read(|r| r.step_outcomes(Some(job_id())))
        .unwrap();
    assert_eq!(
        (steps[0].step, steps[0].started),
        (StepUid(id(901)), at(11))
    );
}

#[test]
fn sources_are_read_as_they_were_written() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = session(&catalog);
    let uid = ScheduleUid(id(30));
    let sources = [
        RunSource::Schedule {
            uid,
            schedule_id: 4,
            name: "nightly".to_owned(),
            due: at(5),
        },
        RunSource::AgentStart { uid },
        RunSource::User {
            login: "u".to_owned(),
        },
        RunSource::Master {
            login: "m".to_owned(),
        },
    ];
    for (n, source) in (100..).zip(sources) {
        let new = NewRun {
            source,
            ..run(n, job_id(), session, 10)
        };
        catalog.runs_write(|w| w.begin_run(&new)).unwrap();
        let stored = catalog.runs_read(|r| r.run(new.id)).unwrap().unwrap();
        assert_eq!(stored.run, new);
    }
}

#[test]
fn moments_are_accounted_for_once_and_never_back() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = session(&catalog);
    let schedule = ScheduleUid(id(30));
    let next = |next: Option<i64>, accounted: Option<i64>| NextRun {
        job: job_id(),
        schedule,
        next: next.map(at),
        accounted: accounted.map(at),
    };
    let stored = || catalog.runs_read(|r| r.next_runs(Some(job_id()))).unwrap();
    catalog
        .runs_write(|w| w.set_next_run(&next(Some(60), Some(0))))
        .unwrap();
    let due = NewRun {
        source: RunSource::Schedule {
            uid: schedule,
            schedule_id: 1,
            name: "s".to_owned(),
            due: at(60),
        },
        ..run(100, job_id(), session, 61)
    };
    catalog.runs_write(|w| w.begin_run(&due)).unwrap();
    assert_eq!(stored(), [next(Some(60), Some(60))]);
    catalog
        .runs_write(|w| w.set_next_run(&next(Some(120), None)))
        .unwrap();
    catalog
        .runs_write(|w| w.set_next_run(&next(Some(120), Some(30))))
        .unwrap();
    assert_eq!(stored(), [next(Some(120), Some(60))]);
    let activity = catalog
        .runs_read(|r| r.activity(None, Some(job_id())))
        .unwrap();
    assert_eq!(activity[0].next_run, Some(at(120)));

    let missed = |first, last, count| MissedMoments {
        job: job_id(),
        schedule,
        first: at(first),
        last: at(last),
        count,
    };
    catalog
        .runs_write(|w| w.record_missed(&missed(120, 180, 2)))
        .unwrap();
    catalog
        .runs_write(|w| w.record_missed(&missed(240, 240, 1)))
        .unwrap();
    let kept = catalog.runs_read(|r| r.missed_moments(None)).unwrap();
    assert_eq!(kept, [missed(120, 240, 3)]);
    assert_eq!(stored()[0].accounted, Some(at(240)));
    catalog
        .runs_write(|w| w.remove_next_run(job_id(), schedule))
        .unwrap();
    assert_eq!(stored(), []);
}

#[test]
fn pages_of_history() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = session(&catalog);
    for n in 0..5 {
        whole_run(
            &catalog,
            session,
            100 + n,
            i64::try_from(n).unwrap() * 10,
            false,
        );
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = catalog
            .runs_read(|r| {
                r.history(
                    &HistoryFilter {
                        job: Some(job_id()),
                        order: HistoryOrder::NewestFirst,
                        ..HistoryFilter::default()
                    },
                    after,
                    3,
                )
            })
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.iter().map(|record| record.id.0));
    }
    assert_eq!(seen, (1..=10).rev().collect::<Vec<i64>>());
    let all = HistoryFilter::default();
    let cases: Vec<(HistoryFilter, Vec<(i64, i32)>)> = vec![
        (
            HistoryFilter {
                run: Some(RunId(id(102))),
                ..all.clone()
            },
            vec![(5, 1), (6, 0)],
        ),
        (
            HistoryFilter {
                step_id: Some(0),
                started_from: Some(at(20)),
                started_to: Some(at(30)),
                ..all.clone()
            },
            vec![(6, 0), (8, 0)],
        ),
        (
            HistoryFilter {
                status: Some(RunStatus::Failed),
                ..all.clone()
            },
            vec![],
        ),
        (
            HistoryFilter {
                server: Some(ServerId(3)),
                ..all
            },
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(history(&catalog, &filter), expected, "{filter:?}");
    }
}

const UNLIMITED: HistoryLimits = HistoryLimits {
    rows_max: None,
    rows_per_job_and_target: None,
    age_max: None,
};

fn open_with(directory: &Directory, history: HistoryLimits, spool: SpoolLimits) -> Catalog {
    Catalog::open(
        directory.path(),
        CatalogOptions {
            history_limits: history,
            spool_limits: spool,
            ..options()
        },
    )
    .unwrap()
}

#[test]
fn trimming_keeps_the_newest_outcome() {
    let directory = Directory::new();
    let limits = HistoryLimits {
        rows_max: None,
        rows_per_job_and_target: Some(3),
        ..UNLIMITED
    };
    let catalog = open_with(&directory, limits, SpoolLimits::default());
    let session = session(&catalog);
    for n in 0..10 {
        whole_run(&catalog, session, 100 + n, i64::try_from(n).unwrap(), false);
    }
    let rows = history(&catalog, &HistoryFilter::default());
    assert_eq!(rows, [(18, 0), (19, 1), (20, 0)]);
    // Nothing at all may be kept: the newest outcome is.
    catalog.set_history_limits(HistoryLimits {
        rows_max: Some(0),
        rows_per_job_and_target: Some(0),
        ..UNLIMITED
    });
    whole_run(&catalog, session, 200, 50, false);
    let rows = history(&catalog, &HistoryFilter::default());
    assert_eq!(rows, [(22, 0)]);
}

#[test]
fn trimming_in_all_passes_by_what_has_to_stay() {
    let directory = Directory::new();
    let limits = HistoryLimits {
        rows_max: Some(30),
        rows_per_job_and_target: None,
        ..UNLIMITED
    };
    let catalog = open_with(&directory, limits, SpoolLimits::default());
    let session = session(&catalog);
    // Twenty jobs with one outcome each, which has to stay, then one job over and over.
    for n in 0..20 {
        let other = JobId(id(500 + n));
        catalog
            .runs_write(|w| {
                w.begin_run(&run(600 + n, other, session, 1))?;
                record(w, &row(600 + n, other, 0, 0, 1), false);
                Ok::<_, CatalogError>(())
            })
            .unwrap();
    }
    for n in 0..100 {
        whole_run(&catalog, session, 1_000 + n, 2, false);
    }
    let rows = history(&catalog, &HistoryFilter::default());
    assert_eq!(rows.len(), 30);
    assert!((1..=20).all(|outcome| rows.contains(&(outcome, 0))));
    assert_eq!(rows.last(), Some(&(220, 0)));
}

#[test]
fn waiting_rows_are_not_trimmed_or_purged() {
    let directory = Directory::new();
    let limits = HistoryLimits {
        rows_max: Some(0),
        rows_per_job_and_target: Some(0),
        ..UNLIMITED
    };
    let catalog = open_with(&directory, limits, SpoolLimits::default());
    let session = session(&catalog);
    for n in 0..4 {
        whole_run(&catalog, session, 100 + n, 1, true);
    }
    assert_eq!(history(&catalog, &HistoryFilter::default()).len(), 8);
    assert_eq!(catalog.purge_history(&HistoryPurge::default()).unwrap(), 0);
    catalog
        .runs_write(|w| w.acknowledge_reports(ReportPosition(6)))
        .unwrap();
    assert_eq!(catalog.purge_history(&HistoryPurge::default()).unwrap(), 6);
    assert_eq!(
        history(&catalog, &HistoryFilter::default()),
        [(7, 1), (8, 0)]
    );
}

#[test]
fn purging_by_job_and_date() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = session(&catalog);
    for n in 0..6 {
        whole_run(
            &catalog,
            session,
            100 + n,
            i64::try_from(n).unwrap() * 10,
            false,
        );
    }
    let purge = |job, before: Option<i64>| {
        catalog
            .purge_history(&HistoryPurge {
                job,
                before: before.map(at),
            })
            .unwrap()
    };
    assert_eq!(purge(Some(JobId(id(11))), None), 0);
    assert_eq!(purge(Some(job_id()), Some(20)), 4);
    assert_eq!(purge(None, Some(20)), 0);
    assert_eq!(purge(None, None), 8);
    let outcomes = catalog
        .runs_read(|r| r.job_outcomes(Some(job_id()), None))
        .unwrap();
    assert_eq!(outcomes.len(), 1, "the last outcome is still known");
    // A purged run is still a known run.
    let again = catalog
        .runs_write(|w| w.begin_run(&run(105, job_id(), session, 99)))
        .unwrap();
    assert_eq!(again, BeginRun::AlreadyKnown);
    // Numbers are not given again.
    whole_run(&catalog, session, 300, 99, false);
    assert_eq!(
        history(&catalog, &HistoryFilter::default()),
        [(13, 1), (14, 0)]
    );
}

#[test]
fn output_is_dropped_first_and_outcomes_never() {
    let directory = Directory::new();
    let spool = SpoolLimits {
        output_bytes_max: 12,
        step_rows_max: 4,
    };
    let catalog = open_with(&directory, HistoryLimits::default(), spool);
    let session = session(&catalog);
    for n in 0..6 {
        whole_run(&catalog, session, 100 + n, 1, true);
    }
    let queued = catalog
        .runs_read(|r| r.queued_reports(ReportPosition(0), 100, 1_000_000))
        .unwrap();
    let shown: Vec<(u64, i32, bool)> = queued
        .iter()
        .map(|report| {
            (
                report.position.0,
                report.row.step_id,
                report.row.output.is_some(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (2, 0, false),
            (4, 0, false),
            (5, 1, false),
            (6, 0, false),
            (7, 1, false),
            (8, 0, false),
            (9, 1, true),
            (10, 0, false),
            (11, 1, true),
            (12, 0, false)
        ]
    );
}

#[test]
fn step_logs_keep_the_newest_bytes() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let step = StepUid(id(20));
    let write = |text: &str, append| {
        catalog
            .runs_write(|w| w.write_step_log(job_id(), step, text, append, 8, at(1)))
            .unwrap();
        catalog.runs_read(|r| r.step_logs(Some(step))).unwrap()[0]
            .log
            .clone()
    };
    assert_eq!(write("one ", false), "one ");
    assert_eq!(write("two ", true), "one two ");
    assert_eq!(write("é", true), "e two é");
    // The cut would fall into a character: that character goes too.
    assert_eq!(write("éééé", false), "éééé");
    assert_eq!(write("a", true), "éééa");
    assert_eq!(write("b", true), "éééab");
    assert_eq!(write("c", true), "ééabc");
    assert_eq!(write("three", false), "three");
    let removed = catalog
        .runs_write(|w| w.delete_step_logs(step, None, Some(10)))
        .unwrap();
    assert_eq!(removed, 0);
    let removed = catalog
        .runs_write(|w| w.delete_step_logs(step, Some(at(2)), Some(9)))
        .unwrap();
    assert_eq!(removed, 1);
}

#[test]
fn a_deleted_job_is_cleaned_up_in_the_runs_file() {
    for keep_history in [false, true] {
        let directory = Directory::new();
        let catalog = open(&directory);
        let session = session(&catalog);
        catalog
            .definitions_write(|w| w.create_job(&job(10, "a")))
            .unwrap();
        whole_run(&catalog, session, 100, 1, false);
        catalog
            .runs_write(|w| {
                w.set_next_run(&NextRun {
                    job: job_id(),
                    schedule: ScheduleUid(id(30)),
                    next: Some(at(9)),
                    accounted: None,
                })?;
                w.write_step_log(job_id(), StepUid(id(20)), "x", false, 10, at(1))
            })
            .unwrap();
        let deletion = catalog::JobDeletion {
            keep_history,
            ..DELETION
        };
        catalog
            .definitions_write(|w| w.delete_job(job_id(), deletion, at(5)))
            .unwrap();
        // A crash in between: the next start finishes the work.
        drop(catalog);
        let catalog = open(&directory);
        assert_eq!(catalog.cleanup_deleted_jobs().unwrap(), 1);
        catalog
            .runs_read(|r| {
                assert_eq!(r.next_runs(None)?, []);
                assert_eq!(r.activity(None, None)?, []);
                assert_eq!(r.step_logs(None)?, []);
                assert_eq!(r.step_outcomes(None)?, []);
                assert_eq!(r.job_outcomes(None, None)?.len(), usize::from(keep_history));
                let rows = r.history(&HistoryFilter::default(), None, 10)?;
                assert_eq!(rows.len(), if keep_history { 2 } else { 0 });
                Ok::<_, CatalogError>(())
            })
            .unwrap();
    }
}

#[test]
fn a_run_that_is_still_active_survives_its_jobs_clean_up() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = session(&catalog);
    let new = run(100, job_id(), session, 1);
    catalog.runs_write(|w| w.begin_run(&new)).unwrap();
    catalog
        .runs_write(|w| w.cleanup_job(job_id(), false, 500))
        .unwrap();
    assert_eq!(catalog.runs_read(|r| r.active_runs()).unwrap().len(), 1);
    let activity = catalog.runs_read(|r| r.activity(None, None)).unwrap();
    assert_eq!(activity[0].run, Some(new.id));
}

#[test]
fn history_ids_are_found_by_their_rows() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let session = session(&catalog);
    whole_run(&catalog, session, 100, 1, false);
    let of_run = HistoryFilter {
        run: Some(RunId(id(100))),
        ..HistoryFilter::default()
    };
    let page = catalog
        .runs_read(|r| r.history(&of_run, Some(HistoryId(1)), 10))
        .unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].row.run_id, RunId(id(100)));
    let _ = InstanceId(id(1));
}
