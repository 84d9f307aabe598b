//! Removing much history: purges in turns, limits by rows and by age, what always stays.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod support;

use catalog::{
    Catalog, CatalogError, CatalogOptions, HistoryFilter, HistoryLimits, HistoryPurge, PURGE_TURN,
    QueuedReport, RecordHistory, ReportBatch, TRIM_ROWS_PER_WRITE,
};
use model::{InstanceId, JobId, ReportPosition, ServerId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use support::{Directory, at, id, open, options, report, row, run};

/// Cases per property: each opens a catalog of its own.
const CASES: u32 = 48;
/// Bytes of a page in the log.
const LOG_PAGE_BYTES: u64 = 4_096 + 24;

fn job(n: u128) -> JobId {
    JobId(id(10 + n))
}

fn limits(
    rows_max: Option<u64>,
    rows_per_job_and_target: Option<u64>,
    age_secs: Option<u64>,
) -> HistoryLimits {
    HistoryLimits {
        rows_max,
        rows_per_job_and_target,
        age_max: age_secs.map(Duration::from_secs),
    }
}

fn open_unlimited(directory: &Directory) -> Catalog {
    let options = CatalogOptions {
        history_limits: limits(None, None, None),
        ..options()
    };
    Catalog::open(directory.path(), options).unwrap()
}

/// Runs of one step that a target reports, by jobs in turn, a second apart.
fn reported(catalog: &Catalog, server: i64, runs: u128, jobs: u128) {
    let rows: Vec<QueuedReport> = (0..runs)
        .flat_map(|n| {
            let started = i64::try_from(n).unwrap();
            let position = u64::try_from(n).unwrap() * 2;
            let run = u128::try_from(server).unwrap() * 1_000_000 + n;
            [
                report(position + 1, row(run, job(n % jobs), 0, 1, started)),
                report(position + 2, row(run, job(n % jobs), 1, 0, started)),
            ]
        })
        .collect();
    for rows in rows.chunks(512) {
        catalog
            .runs_write(|w| {
                w.store_reports(ReportBatch {
                    server: ServerId(server),
                    instance: InstanceId(id(u128::try_from(server).unwrap())),
                    rows,
                    received: at(1),
                })
            })
            .unwrap();
    }
}

/// Records a run of one step here.
fn run_here(catalog: &Catalog, n: u128, job: JobId, started: i64, report: bool) {
    catalog
        .runs_write(|w| {
            for (number, step) in [(0, 1), (1, 0)] {
                w.record_history(RecordHistory {
                    row: &row(n, job, number, step, started),
                    operators: [0; 3],
                    report,
                })?;
            }
            Ok::<_, CatalogError>(())
        })
        .unwrap();
}

/// What is left: job, server, step and seconds of start.
fn left(catalog: &Catalog) -> Vec<(u128, i64, i32, i64)> {
    let page = catalog
        .runs_read(|r| r.history(&HistoryFilter::default(), None, 10_000))
        .unwrap();
    page.iter()
        .map(|record| {
            (
                record.row.job_id.0.as_u128() - job(0).0.as_u128(),
                record.server.0,
                record.row.step_id,
                record.row.started.as_second() - at(0).as_second(),
            )
        })
        .collect()
}

#[test]
fn a_purge_counts_what_it_removes_and_leaves_what_comes_meanwhile() {
    let directory = Directory::new();
    let catalog = open_unlimited(&directory);
    reported(&catalog, 1, 5_000, 100);
    let over = AtomicBool::new(false);
    let (removed, added) = std::thread::scope(|scope| {
        let runs = scope.spawn(|| {
            let mut runs = 0;
            while !over.load(Ordering::Acquire) {
                run_here(&catalog, 9_000_000 + runs, job(5), 0, false);
                runs += 1;
            }
            runs
        });
        let removed = catalog.purge_history(&HistoryPurge::default());
        over.store(true, Ordering::Release);
        (removed.unwrap(), runs.join().unwrap())
    });
    let rows = left(&catalog);
    assert!(rows.iter().all(|(_, server, ..)| *server == 0));
    let total = 10_000 + u64::try_from(added).unwrap() * 2;
    assert_eq!(removed + rows.len() as u64, total);
    let counted = catalog.runs_read(|r| r.history_rows()).unwrap();
    assert_eq!(counted, rows.len() as u64);
}

#[test]
fn rows_of_a_run_that_goes_on_stay() {
    let directory = Directory::new();
    let options = CatalogOptions {
        history_limits: limits(Some(1), Some(1), Some(1)),
        ..options()
    };
    let catalog = Catalog::open(directory.path(), options).unwrap();
    let session = catalog
        .runs_write(|w| w.open_session(at(0), &[job(1)]))
        .unwrap();
    let step = |number, step| {
        catalog
            .runs_write(|w| {
                w.record_history(RecordHistory {
                    row: &row(7, job(1), number, step, 10),
                    operators: [0; 3],
                    report: false,
                })
            })
            .unwrap();
    };
    catalog
        .runs_write(|w| w.begin_run(&run(7, job(1), session.id, 10)))
        .unwrap();
    step(0, 1);
    step(1, 2);
    // Whatever asks for it: what comes next is decided by these rows, should the program end here.
    catalog.trim_history(at(1_000_000)).unwrap();
    catalog.purge_history(&HistoryPurge::default()).unwrap();
    assert_eq!(left(&catalog).len(), 2);
    step(2, 0);
    catalog.trim_history(at(1_000_000)).unwrap();
    let steps: Vec<i32> = left(&catalog).iter().map(|(_, _, step, _)| *step).collect();
    assert_eq!(steps, [0]);
}

#[test]
fn the_log_stays_short_during_a_purge() {
    let directory = Directory::new();
    reported(&open_unlimited(&directory), 1, 10_000, 100);
    let catalog = open_unlimited(&directory);
    let log = || {
        let file = directory.path().join("runs.db-wal");
        std::fs::metadata(file).unwrap().len() / LOG_PAGE_BYTES
    };
    let mut longest = 0;
    let removed = catalog
        .purge_history_while(&HistoryPurge::default(), || {
            longest = longest.max(log());
            Ok::<_, CatalogError>(())
        })
        .unwrap();
    assert_eq!(removed, 20_000);
    // All of it would be ten times as many pages.
    assert!(longest < 4_000, "{longest} pages");
}

#[test]
fn a_purge_that_is_called_off_keeps_what_it_did() {
    let directory = Directory::new();
    let catalog = open_unlimited(&directory);
    reported(&catalog, 1, 500, 10);
    let mut turns = 0;
    let error = catalog
        .purge_history_while(&HistoryPurge::default(), || {
            turns += 1;
            if turns < 3 {
                return Ok(());
            }
            Err(CatalogError::Closed)
        })
        .unwrap_err();
    assert!(matches!(error, CatalogError::Closed));
    let rows = left(&catalog).len();
    assert!(rows < 1_000 && rows > 0, "{rows}");
    assert_eq!(
        catalog.runs_read(|r| r.history_rows()).unwrap(),
        rows as u64
    );
    let rest = catalog.purge_history(&HistoryPurge::default()).unwrap();
    assert_eq!(rest, rows as u64);
}

#[test]
fn a_purge_by_date_takes_what_started_before_whoever_wrote_it_when() {
    let directory = Directory::new();
    let catalog = open_unlimited(&directory);
    // Reports come late: what started first is written last.
    run_here(&catalog, 1, job(0), 30, false);
    run_here(&catalog, 2, job(1), 20, false);
    reported(&catalog, 3, 12, 2);
    let before = |job, seconds| HistoryPurge {
        job,
        before: Some(at(seconds)),
    };
    for (purge, removed, rows) in [
        (before(Some(job(0)), 0), 0, 28),
        (before(Some(job(0)), 1), 2, 26),
        (before(Some(job(1)), 20), 12, 14),
        (before(None, 4), 2, 12),
        (before(None, 4), 0, 12),
        (before(None, 21), 10, 2),
        (before(None, 31), 2, 0),
    ] {
        assert_eq!(catalog.purge_history(&purge).unwrap(), removed, "{purge:?}");
        assert_eq!(left(&catalog).len(), rows, "{purge:?}");
    }
}

#[test]
fn trimming_to_each_limit() {
    // Job 0 on servers 1 and 2, job 1 on server 1: runs at 0, 1, 2 and so on, two rows each.
    let check = |limits: HistoryLimits, now: i64, expected: &[(u128, i64, i32, i64)]| {
        let directory = Directory::new();
        let catalog = open_unlimited(&directory);
        reported(&catalog, 1, 4, 2);
        reported(&catalog, 2, 2, 1);
        assert_eq!(catalog.trim_history(at(1_000)).unwrap(), 0, "no limit");
        catalog.set_history_limits(limits);
        let removed = catalog.trim_history(at(now)).unwrap();
        let mut rows = left(&catalog);
        rows.sort_unstable();
        assert_eq!(rows, expected, "{limits:?}");
        assert_eq!(removed, 12 - expected.len() as u64, "{limits:?}");
        assert_eq!(catalog.trim_history(at(now)).unwrap(), 0, "{limits:?}");
    };
    let all = [
        (0, 1, 0, 0),
        (0, 1, 0, 2),
        (0, 1, 1, 0),
        (0, 1, 1, 2),
        (0, 2, 0, 0),
        (0, 2, 0, 1),
        (0, 2, 1, 0),
        (0, 2, 1, 1),
        (1, 1, 0, 1),
        (1, 1, 0, 3),
        (1, 1, 1, 1),
        (1, 1, 1, 3),
    ];
    let newest = [(0, 1, 0, 2), (0, 2, 0, 1), (1, 1, 0, 3)];
    let last_run = [
        (0, 1, 0, 2),
        (0, 1, 1, 2),
        (0, 2, 0, 1),
        (0, 2, 1, 1),
        (1, 1, 0, 3),
        (1, 1, 1, 3),
    ];
    check(limits(Some(12), Some(4), Some(10)), 10, &all);
    // By job and target.
    check(limits(None, Some(2), None), 0, &last_run);
    check(limits(None, Some(0), None), 0, &newest);
    // In all: the oldest go first, whatever their job, but for the newest outcomes.
    check(
        limits(Some(6), None, None),
        0,
        &[
            (0, 1, 0, 2),
            (0, 2, 0, 0),
            (0, 2, 0, 1),
            (0, 2, 1, 0),
            (0, 2, 1, 1),
            (1, 1, 0, 3),
        ],
    );
    check(limits(Some(0), None, None), 0, &newest);
    // By age: what started exactly as long ago stays.
    check(
        limits(None, None, Some(8)),
        10,
        &[
            (0, 1, 0, 2),
            (0, 1, 1, 2),
            (0, 2, 0, 1),
            (1, 1, 0, 3),
            (1, 1, 1, 3),
        ],
    );
    check(
        limits(None, None, Some(7)),
        10,
        &[(0, 1, 0, 2), (0, 2, 0, 1), (1, 1, 0, 3), (1, 1, 1, 3)],
    );
    check(limits(None, None, Some(0)), 1_000, &newest);
    check(limits(None, None, Some(u64::MAX)), 1_000, &all);
    // One after the other.
    check(
        limits(Some(8), Some(3), Some(7)),
        10,
        &[(0, 1, 0, 2), (0, 2, 0, 1), (1, 1, 0, 3), (1, 1, 1, 3)],
    );
}

#[test]
fn an_outcome_trims_a_little_and_the_feed_tells_of_the_rest() {
    let directory = Directory::new();
    let catalog = open_unlimited(&directory);
    reported(&catalog, 1, 200, 1);
    for n in 0..100 {
        run_here(&catalog, n, job(0), 0, false);
    }
    let (sender, heard) = std::sync::mpsc::channel();
    let _subscription = catalog.subscribe(Box::new(move |changes| {
        if changes.contains(&catalog::Change::HistoryOverLimit) {
            let _ = sender.send(());
        }
    }));
    catalog.set_history_limits(limits(None, Some(2), None));
    run_here(&catalog, 1_000, job(0), 0, false);
    let here = |catalog: &Catalog| left(catalog).iter().filter(|row| row.1 == 0).count();
    assert_eq!(here(&catalog), 202 - TRIM_ROWS_PER_WRITE - 1);
    assert!(heard.try_recv().is_ok());
    catalog.trim_history(at(0)).unwrap();
    assert_eq!(left(&catalog).len(), 4);
    // From now on each outcome keeps the limit by itself.
    run_here(&catalog, 1_001, job(0), 0, false);
    assert_eq!(here(&catalog), 2);
    assert!(heard.try_recv().is_err());
}

#[test]
fn much_history_of_a_deleted_job_goes_in_turns() {
    let directory = Directory::new();
    let catalog = open_unlimited(&directory);
    let (big, small) = (support::job(10, "big"), support::job(11, "small"));
    catalog
        .definitions_write(|w| {
            w.create_job(&big)?;
            w.create_job(&small)
        })
        .unwrap();
    reported(&catalog, 1, 1_000, 2);
    catalog
        .definitions_write(|w| w.delete_job(big.id, support::DELETION, at(5)))
        .unwrap();
    let before = catalog.statistics().runs_commits;
    assert_eq!(catalog.cleanup_deleted_jobs().unwrap(), 1);
    assert!(catalog.statistics().runs_commits > before + 1);
    let rows = left(&catalog);
    assert_eq!(rows.len(), 1_000);
    assert!(rows.iter().all(|(job, ..)| *job == 1));
    assert!(PURGE_TURN < Duration::from_millis(50));
}

#[derive(Debug, Clone)]
enum Act {
    /// A run of a job here, started at, for the master or not.
    Run(u8, i64, bool),
    /// A run of a job on a target.
    Report(u8, u8, i64),
    Acknowledge(u64),
    Limits(Option<u64>, Option<u64>, Option<u64>),
    Trim(i64),
    Reopen,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let limit = || prop::option::of(0_u64..12);
    prop::collection::vec(
        prop_oneof![
            6 => (0_u8..3, 0_i64..100, any::<bool>()).prop_map(|(job, at, report)| Act::Run(job, at, report)),
            6 => (0_u8..3, 1_u8..3, 0_i64..100).prop_map(|(job, server, at)| Act::Report(job, server, at)),
            2 => (0_u64..40).prop_map(Act::Acknowledge),
            2 => (limit(), limit(), prop::option::of(0_u64..100)).prop_map(|(all, each, age)| Act::Limits(all, each, age)),
            2 => (0_i64..150).prop_map(Act::Trim),
            1 => Just(Act::Reopen),
        ],
        1..40,
    )
}

/// A row as the model has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PlainRow {
    key: (u8, u8),
    started: i64,
    outcome: bool,
    /// Position in the queue for the master.
    position: Option<u64>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    /// Whatever runs, is reported, acknowledged and limited: the newest outcome of a job on a target and what waits
    /// for the master are there; after a trim nothing else is beyond a limit; and nothing goes within the limits.
    #[test]
    fn trimming_keeps_what_has_to_stay_and_no_more(acts in acts()) {
        let directory = Directory::new();
        let mut catalog = open_unlimited(&directory);
        let mut limits = limits(None, None, None);
        // All rows ever, by number; the newest outcomes; and what the queue has had.
        let mut rows: BTreeMap<i64, PlainRow> = BTreeMap::new();
        let mut newest: BTreeMap<(u8, u8), i64> = BTreeMap::new();
        let (mut queued, mut acknowledged, mut sent, mut last_id) = (0_u64, 0_u64, 0_u64, 0_i64);
        for (n, act) in (0_u128..).zip(acts) {
            let before: BTreeSet<i64> = ids(&catalog);
            let mut trimmed = None;
            match act {
                Act::Run(j, started, report) => {
                    run_here(&catalog, n, job(j.into()), started, report);
                    for outcome in [false, true] {
                        last_id += 1;
                        queued += u64::from(report);
                        rows.insert(last_id, PlainRow {
                            key: (j, 0), started, outcome, position: report.then_some(queued),
                        });
                    }
                    newest.insert((j, 0), last_id);
                }
                Act::Report(j, server, started) => {
                    let rows_of = [
                        report(sent + 1, row(n, job(j.into()), 0, 1, started)),
                        report(sent + 2, row(n, job(j.into()), 1, 0, started)),
                    ];
                    sent += 2;
                    catalog.runs_write(|w| w.store_reports(ReportBatch {
                        server: ServerId(server.into()),
                        instance: InstanceId(id(server.into())),
                        rows: &rows_of,
                        received: at(1),
                    })).unwrap();
                    for outcome in [false, true] {
                        last_id += 1;
                        rows.insert(last_id, PlainRow { key: (j, server), started, outcome, position: None });
                    }
                    newest.insert((j, server), last_id);
                }
                Act::Acknowledge(up_to) => {
                    if catalog.runs_write(|w| w.acknowledge_reports(ReportPosition(up_to))).is_ok() {
                        acknowledged = acknowledged.max(up_to);
                    }
                }
                Act::Limits(all, each, age) => {
                    limits = self::limits(all, each, age);
                    catalog.set_history_limits(limits);
                }
                Act::Trim(now) => {
                    catalog.trim_history(at(now)).unwrap();
                    trimmed = Some(now);
                }
                Act::Reopen => {
                    drop(catalog);
                    catalog = open_unlimited(&directory);
                    catalog.set_history_limits(limits);
                }
            }
            let kept = ids(&catalog);
            let stays = |id: &i64| {
                newest.values().any(|newest| newest == id)
                    || rows[id].position.is_some_and(|position| position > acknowledged)
            };
            prop_assert!(rows.keys().filter(|id| stays(id)).all(|id| kept.contains(id)));
            prop_assert_eq!(catalog.runs_read(|r| r.history_rows()).unwrap(), kept.len() as u64);
            let of = |key: (u8, u8), ids: &BTreeSet<i64>| ids.iter().filter(|id| rows[id].key == key).count() as u64;
            if let Some(now) = trimmed {
                for (id, row) in rows.iter().filter(|(id, _)| kept.contains(id) && !stays(id)) {
                    if let Some(most) = limits.rows_per_job_and_target
                        && of(row.key, &kept) > most
                    {
                        // Only what stands behind rows that stay may be left.
                        let ahead = kept.iter().filter(|other| *other < id && rows[other].key == row.key);
                        prop_assert!(ahead.clone().any(stays), "{id} of {row:?}");
                    }
                    prop_assert!(limits.rows_max.is_none_or(|most| kept.len() as u64 <= most));
                    prop_assert!(limits.age_max.is_none_or(|age| row.started >= now - i64::try_from(age.as_secs()).unwrap()));
                }
            }
            // What went was beyond a limit.
            let all: BTreeSet<i64> = before.iter().copied().chain(rows.keys().copied().filter(|id| *id > before.last().copied().unwrap_or(0) && *id > last_id - 2)).collect();
            for gone in all.difference(&kept) {
                let row = rows[gone];
                let over_each = limits.rows_per_job_and_target.is_some_and(|most| of(row.key, &all) > most);
                let over_all = limits.rows_max.is_some_and(|most| all.len() as u64 > most);
                let too_old = trimmed.is_some_and(|now| limits.age_max.is_some_and(|age| row.started < now - i64::try_from(age.as_secs()).unwrap()));
                prop_assert!(over_each || over_all || too_old, "{gone} {row:?}");
            }
            if let Some(most) = limits.rows_per_job_and_target {
                for key in newest.keys() {
                    // Never fewer than the limit because of the limit alone.
                    let alone = limits.rows_max.is_none() && limits.age_max.is_none();
                    prop_assert!(!alone || of(*key, &kept) >= most.min(of(*key, &all)));
                }
            }
        }
    }
}

fn ids(catalog: &Catalog) -> BTreeSet<i64> {
    let page = catalog
        .runs_read(|r| r.history(&HistoryFilter::default(), None, 10_000))
        .unwrap();
    page.iter().map(|record| record.id.0).collect()
}

#[test]
fn a_new_catalog_has_no_limit_of_age() {
    let directory = Directory::new();
    assert_eq!(open(&directory).history_limits().age_max, None);
}
