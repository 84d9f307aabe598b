//! What is on the disk, when, and what opening refuses.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod support;

use catalog::{
    CRASH_POINTS, Catalog, CatalogError, CatalogOptions, CrashPoints, HistoryFilter, JobFilter,
    RecordHistory, ReportBatch,
};
use model::{InstanceId, JobId, Operation, ServerId};
use std::process::Command;
use std::time::Duration;
use support::{
    DELETION, Directory, at, document, id, instruction, job, open, options, report, row, run,
    target,
};

#[test]
fn a_second_instance_is_refused_until_the_first_ends() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let error = Catalog::open(directory.path(), options()).unwrap_err();
    assert!(
        matches!(error, CatalogError::DirectoryInUse { .. }),
        "{error}"
    );
    // A lease that outlives its catalog still holds the files.
    let lease = catalog.lease(Duration::ZERO).unwrap();
    drop(catalog);
    let error = Catalog::open(directory.path(), options()).unwrap_err();
    assert!(
        matches!(error, CatalogError::DirectoryInUse { .. }),
        "{error}"
    );
    drop(lease);
    open(&directory);
}

#[test]
fn an_empty_directory_needs_a_new_instance() {
    let directory = Directory::new();
    let error = Catalog::open(directory.path(), CatalogOptions::default()).unwrap_err();
    assert!(matches!(error, CatalogError::NotFound { .. }), "{error}");
    open(&directory);
    // From then on it is known by itself.
    let catalog = Catalog::open(directory.path(), CatalogOptions::default()).unwrap();
    let instance = catalog.definitions_read(|d| d.instance()).unwrap();
    assert_eq!(instance.id, InstanceId(id(1)));
}

#[test]
fn a_missing_directory_and_a_file_that_is_no_catalog() {
    let directory = Directory::new();
    let error = Catalog::open(&directory.path().join("nowhere"), options()).unwrap_err();
    assert!(matches!(error, CatalogError::Io { .. }), "{error}");
    std::fs::write(directory.path().join("msdb.db"), vec![7_u8; 8_192]).unwrap();
    let error = Catalog::open(directory.path(), options()).unwrap_err();
    assert!(matches!(error, CatalogError::Corrupt { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn the_files_are_the_instances_own() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Directory::new();
    let _catalog = open(&directory);
    for name in ["msdb.db", "msdb.db-wal", "runs.db", "runs.db-wal"] {
        let mode = std::fs::metadata(directory.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_returned_is_in_the_files_and_what_did_not_is_not() {
    let directory = Directory::new();
    let catalog = open(&directory);
    catalog
        .definitions_write(|w| w.create_job(&job(10, "durable")))
        .unwrap();
    let mut lease = catalog.lease(Duration::ZERO).unwrap();
    lease.run(|w| w.create_job(&job(11, "not yet"))).unwrap();
    let copy = directory.copy();
    lease.commit().unwrap();
    let later = directory.copy();
    for (files, count) in [(copy, 1), (later, 2)] {
        let jobs = open(&files)
            .definitions_read(|d| d.jobs(&JobFilter::default()))
            .unwrap();
        assert_eq!(jobs.len(), count);
    }
}

/// Directory in which the other process works; set by the test that starts it.
const DIRECTORY: &str = "MUSTER_TEST_CRASH_DIRECTORY";
/// Crash point of the other process.
const POINT: &str = "MUSTER_TEST_CRASH_POINT";

/// One act of every kind that has crash points, each in a commit of its own.
fn acts(catalog: &Catalog) {
    let job_id = JobId(id(10));
    let definitions =
        |act: &mut dyn FnMut(&mut dyn catalog::DefinitionsWrite) -> Result<(), CatalogError>| {
            catalog.definitions_write(|w| act(w)).unwrap();
        };
    let runs = |act: &mut dyn FnMut(&mut dyn catalog::RunsWrite) -> Result<(), CatalogError>| {
        catalog.runs_write(|w| act(w)).unwrap();
    };
    definitions(&mut |w| w.create_job(&job(10, "a")));
    definitions(&mut |w| w.enlist_target(&target(50, "T")).map(drop));
    definitions(&mut |w| {
        let server = w.target_by_name("T")?.unwrap().id;
        w.add_job_server(
            job_id,
            server,
            Some(&instruction(60, Operation::Insert, job_id)),
        )
        .map(drop)
    });
    definitions(&mut |w| w.apply_job(&document(12, "downloaded", vec![], vec![])));
    definitions(&mut |w| w.clear_enlistment().map(drop));
    runs(&mut |w| {
        w.open_session(at(0), &[job_id])?;
        Ok(())
    });
    runs(&mut |w| w.begin_run(&run(100, job_id, 1, 1)).map(drop));
    let cursor = catalog::TargetCursor {
        generation: model::Generation(1),
        cursor: model::Cursor {
            number: model::InstructionNumber(1),
            uid: id(3),
        },
    };
    runs(&mut |w| w.accept_start(&cursor, &run(101, job_id, 1, 1)).map(drop));
    runs(&mut |w| {
        w.step_started(&catalog::StepStart {
            run: model::RunId(id(100)),
            step_id: 1,
            retry: 0,
            started: at(1),
            launch: 1,
            process: None,
        })
    });
    for (number, step) in [(0, 1), (1, 0)] {
        runs(&mut |w| {
            w.record_history(RecordHistory {
                row: &row(100, job_id, number, step, 1),
                operators: [0; 3],
                report: true,
            })
            .map(drop)
        });
    }
    runs(&mut |w| w.acknowledge_reports(model::ReportPosition(2)));
    runs(&mut |w| {
        w.store_reports(ReportBatch {
            server: ServerId(1),
            instance: InstanceId(id(70)),
            rows: &[report(1, row(200, job_id, 0, 0, 1))],
            received: at(1),
        })
        .map(drop)
    });
    runs(&mut |w| {
        w.acknowledge_instructions(
            ServerId(1),
            model::Generation(1),
            model::InstructionNumber(1),
            at(2),
        )
    });
    definitions(&mut |w| w.delete_job(job_id, DELETION, at(5)).map(drop));
    catalog.cleanup_deleted_jobs().unwrap();
}

/// Not a test by itself: the process that dies, started by the next test.
#[test]
fn the_process_that_dies() {
    let (Ok(directory), Ok(point)) = (std::env::var(DIRECTORY), std::env::var(POINT)) else {
        return;
    };
    let catalog = Catalog::open(
        std::path::Path::new(&directory),
        CatalogOptions {
            crash_points: CrashPoints::armed(&point).unwrap(),
            ..options()
        },
    )
    .unwrap();
    acts(&catalog);
}

/// What is stored, in words.
fn summary(catalog: &Catalog) -> String {
    let (jobs, targets, posted) = catalog
        .definitions_read(|d| {
            Ok::<_, CatalogError>((
                d.job_count(&JobFilter::default())?,
                d.target_count()?,
                d.download_list(&catalog::DownloadFilter::default())?.len(),
            ))
        })
        .unwrap();
    let (rows, runs, reported) = catalog
        .runs_read(|r| {
            Ok::<_, CatalogError>((
                r.history(&HistoryFilter::default(), None, 99)?.len(),
                r.active_runs()?.len(),
                r.report_position(InstanceId(id(70)))?,
            ))
        })
        .unwrap();
    format!(
        "{jobs} jobs, {targets} targets, {posted} posted, {rows} rows, {runs} active, {reported}"
    )
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the process that dies has to be another one"
)]
fn the_process_may_die_at_every_commit() {
    let mut walked = 0;
    for point in CRASH_POINTS
        .iter()
        .filter(|point| !point.starts_with("server."))
    {
        let directory = Directory::new();
        // The instance is there before: its making is a commit, too.
        let new = summary(&open(&directory));
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_process_that_dies", "--test-threads=1"])
            .env(DIRECTORY, directory.path())
            .env(POINT, point)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), None, "{point} was not reached");
        let catalog = open(&directory);
        let after = summary(&catalog);
        if *point == "definitions.before_commit" {
            assert_eq!(after, new, "nothing was committed");
        }
        if *point == "definitions.after_commit" {
            assert_eq!(
                after.split(',').next(),
                Some("1 jobs"),
                "the job is durable"
            );
        }
        walked += 1;
        // Whatever was cut off can be done again.
        catalog.cleanup_deleted_jobs().unwrap();
        catalog
            .definitions_write(|w| w.create_job(&job(999, "after the crash")))
            .unwrap();
    }
    assert!(walked > 30, "{walked}");
}
