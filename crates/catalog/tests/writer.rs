//! Group commit, leases, submitted writes and the change feed.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod support;

use catalog::{
    AuditEntry, Catalog, CatalogError, CatalogOptions, Change, LeaseLimit, SettingValue,
};
use model::JobId;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;
use support::{Directory, at, id, job, open, options};

const SOON: Duration = Duration::from_millis(30);
const LONG: Duration = Duration::from_secs(60);

fn job_count(catalog: &Catalog) -> u64 {
    catalog
        .definitions_read(|d| d.job_count(&catalog::JobFilter::default()))
        .unwrap()
}

fn create(catalog: &Catalog, n: u128) -> Result<(), CatalogError> {
    catalog.definitions_write(|w| w.create_job(&job(n, &format!("job {n}"))))
}

#[test]
fn a_lone_write_is_one_commit() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let before = catalog.statistics();
    create(&catalog, 10).unwrap();
    let after = catalog.statistics();
    assert_eq!(after.definitions_commits - before.definitions_commits, 1);
    assert_eq!(after.definitions_writes - before.definitions_writes, 1);
    assert_eq!(after.runs_commits, before.runs_commits);
}

#[test]
fn memory_is_given_back_around_what_is_in_use() {
    let directory = Directory::new();
    let catalog = open(&directory);
    create(&catalog, 10).unwrap();
    // From within a read, and while a lease holds the writer: neither is waited for, and both go on.
    let mut lease = catalog.lease(LONG).unwrap();
    lease
        .run(|w| w.create_job(&job(11, "leased")).map(|_| ()))
        .unwrap();
    let seen = catalog
        .definitions_read(|d| {
            catalog.release_memory();
            d.job_count(&catalog::JobFilter::default())
        })
        .unwrap();
    assert_eq!(seen, 1);
    lease.commit().unwrap();
    // More often than there are readers: those that were closed can be opened again.
    for n in 0..2 * u128::try_from(catalog::READERS_PER_FILE_MAX).unwrap() {
        catalog.release_memory();
        create(&catalog, 100 + n).unwrap();
        assert_eq!(u128::from(job_count(&catalog)), n + 3);
    }
}

#[test]
fn writes_that_come_together_share_commits() {
    const WRITERS: u128 = 32;
    let directory = Directory::new();
    let catalog = open(&directory);
    // While a lease holds the writer, all of them queue up; then they go in groups.
    let lease = catalog.lease(LONG).unwrap();
    let before = catalog.statistics();
    let ready = Arc::new(Barrier::new(usize::try_from(WRITERS).unwrap() + 1));
    let threads: Vec<_> = (0..WRITERS)
        .map(|n| {
            let (catalog, ready) = (catalog.clone(), Arc::clone(&ready));
            std::thread::spawn(move || {
                ready.wait();
                create(&catalog, 100 + n).unwrap();
                // What a writer was told is durable can be read at once.
                let stored = catalog
                    .definitions_read(|d| d.job(JobId(id(100 + n))))
                    .unwrap();
                assert!(stored.is_some());
            })
        })
        .collect();
    ready.wait();
    while catalog.statistics().definitions_waiting < usize::try_from(WRITERS).unwrap() {
        std::thread::yield_now();
    }
    lease.rollback().unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
    let after = catalog.statistics();
    let commits = after.definitions_commits - before.definitions_commits;
    assert_eq!(after.definitions_writes - before.definitions_writes, 32);
    assert!(commits <= 8, "{commits} commits for 32 writes");
    assert_eq!(u128::from(job_count(&catalog)), WRITERS);
}

#[test]
fn a_failed_write_undoes_itself_alone() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let threads: Vec<_> = (0..16_u128)
        .map(|n| {
            let catalog = catalog.clone();
            std::thread::spawn(move || {
                catalog.definitions_write(|w| {
                    w.create_job(&job(200 + n, &format!("job {n}")))?;
                    if n % 2 == 1 {
                        return Err(CatalogError::OutOfRange { what: "an odd job" });
                    }
                    Ok(())
                })
            })
        })
        .collect();
    for (n, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap().is_ok(), n % 2 == 0);
    }
    assert_eq!(job_count(&catalog), 8);
}

#[test]
fn a_panic_in_a_write_undoes_it_and_leaves_the_writer_usable() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let clone = catalog.clone();
    let panicked = std::thread::spawn(move || {
        clone.definitions_write(|w| -> Result<(), CatalogError> {
            w.create_job(&job(10, "lost"))?;
            panic!("a bug in a procedure");
        })
    })
    .join();
    assert!(panicked.is_err());
    create(&catalog, 11).unwrap();
    assert_eq!(job_count(&catalog), 1);
}

#[test]
fn a_failed_command_leaves_the_transaction_as_it_was() {
    let directory = Directory::new();
    let catalog = open(&directory);
    catalog
        .definitions_write(|w| {
            w.create_job(&job(10, "one"))?;
            let twice = [support::step(20, 1, "same"), support::step(21, 2, "SAME ")];
            let error = w.replace_steps(JobId(id(10)), &twice).unwrap_err();
            assert!(
                matches!(error, CatalogError::AlreadyExists { .. }),
                "{error}"
            );
            assert_eq!(w.steps(JobId(id(10)))?, []);
            w.set_setting("kept", Some(&SettingValue::Number(1)))
        })
        .unwrap();
    assert_eq!(job_count(&catalog), 1);
    let kept = catalog.definitions_read(|d| d.setting("KEPT")).unwrap();
    assert_eq!(kept, Some(SettingValue::Number(1)));
}

#[test]
fn a_lease_sees_its_own_writes_and_others_do_not() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let mut lease = catalog.lease(LONG).unwrap();
    lease.run(|w| w.create_job(&job(10, "mine"))).unwrap();
    let seen = lease.run(|w| w.jobs_by_name("MINE")).unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(job_count(&catalog), 0);
    // Runs go on while definitions are leased.
    catalog.runs_write(|w| w.open_session(at(1), &[])).unwrap();
    lease.commit().unwrap();
    assert_eq!(job_count(&catalog), 1);
}

#[test]
fn a_failed_statement_leaves_the_rest_of_the_lease() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let mut lease = catalog.lease(LONG).unwrap();
    lease.run(|w| w.create_job(&job(10, "one"))).unwrap();
    let error = lease
        .run(|w| {
            w.create_job(&job(11, "two"))?;
            w.create_job(&job(12, "ONE"))
        })
        .unwrap_err();
    assert!(
        matches!(error, CatalogError::AlreadyExists { .. }),
        "{error}"
    );
    lease.commit().unwrap();
    assert_eq!(job_count(&catalog), 1);
}

#[test]
fn savepoints() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let mut lease = catalog.lease(LONG).unwrap();
    let count = |lease: &mut catalog::Lease| {
        lease
            .run(|w| w.job_count(&catalog::JobFilter::default()))
            .unwrap()
    };
    lease.run(|w| w.create_job(&job(10, "a"))).unwrap();
    lease.savepoint("s; DROP TABLE jobs").unwrap();
    lease.run(|w| w.create_job(&job(11, "b"))).unwrap();
    lease.savepoint("inner").unwrap();
    lease.run(|w| w.create_job(&job(12, "c"))).unwrap();
    lease.savepoint("inner").unwrap();
    lease.run(|w| w.create_job(&job(13, "d"))).unwrap();
    lease.rollback_to("inner").unwrap();
    assert_eq!(count(&mut lease), 3);
    lease.rollback_to("inner").unwrap();
    assert_eq!(count(&mut lease), 3, "the newest of that name stays set");
    lease.rollback_to("s; DROP TABLE jobs").unwrap();
    assert_eq!(count(&mut lease), 1);
    let error = lease.rollback_to("inner").unwrap_err();
    assert!(matches!(error, CatalogError::UnknownSavepoint { .. }));
    lease.commit().unwrap();
    assert_eq!(job_count(&catalog), 1);
}

#[test]
fn a_dropped_lease_rolls_back() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let mut lease = catalog.lease(LONG).unwrap();
    lease.run(|w| w.create_job(&job(10, "one"))).unwrap();
    drop(lease);
    create(&catalog, 11).unwrap();
    assert_eq!(job_count(&catalog), 1);
}

#[test]
fn waiting_for_a_lease_ends_with_a_lock_time_out() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let lease = catalog.lease(LONG).unwrap();
    let error = catalog.lease(SOON).unwrap_err();
    assert!(matches!(error, CatalogError::LockTimeout { .. }), "{error}");
    assert!(error.is_retryable());
    for timeout in [SOON, Duration::ZERO] {
        let error = catalog
            .definitions_write_within(timeout, |w| w.create_job(&job(10, "late")))
            .unwrap_err();
        assert!(matches!(error, CatalogError::LockTimeout { .. }), "{error}");
    }
    drop(lease);
    create(&catalog, 10).unwrap();
}

#[test]
fn a_lease_that_idles_is_ended_by_whoever_waits() {
    let directory = Directory::new();
    let catalog = Catalog::open(
        directory.path(),
        CatalogOptions {
            lease_idle_max: SOON,
            ..options()
        },
    )
    .unwrap();
    let mut lease = catalog.lease(LONG).unwrap();
    lease.run(|w| w.create_job(&job(10, "abandoned"))).unwrap();
    create(&catalog, 11).unwrap();
    for _ in 0..2 {
        let error = lease.run(|w| w.job(JobId(id(10)))).unwrap_err();
        assert!(
            matches!(error, CatalogError::LeaseExpired { limit: LeaseLimit::Idle(limit) } if limit == SOON),
            "{error}"
        );
    }
    let error = lease.commit().unwrap_err();
    assert!(
        matches!(error, CatalogError::LeaseExpired { .. }),
        "{error}"
    );
    assert_eq!(job_count(&catalog), 1);
}

#[test]
fn a_lease_that_lasts_too_long_is_ended_even_while_it_runs() {
    let directory = Directory::new();
    let catalog = Catalog::open(
        directory.path(),
        CatalogOptions {
            lease_total_max: SOON,
            ..options()
        },
    )
    .unwrap();
    let mut lease = catalog.lease(LONG).unwrap();
    let clone = catalog.clone();
    let waiter = std::thread::spawn(move || create(&clone, 11));
    let error = lease
        .run(|w| -> Result<(), CatalogError> {
            // A statement that would go on for ever.
            for n in 0.. {
                w.set_setting(&format!("k{}", n % 100), Some(&SettingValue::Number(n)))?;
            }
            Ok(())
        })
        .unwrap_err();
    assert!(
        matches!(
            error,
            CatalogError::LeaseExpired {
                limit: LeaseLimit::Total(_)
            }
        ),
        "{error}"
    );
    waiter.join().unwrap().unwrap();
    let kept = catalog.definitions_read(|d| d.settings("")).unwrap();
    assert_eq!(kept, []);
}

#[test]
fn submitted_writes_answer_once_durable() {
    const WRITES: u128 = 500;
    let directory = Directory::new();
    let catalog = open(&directory);
    let (sender, answers) = mpsc::channel();
    for n in 0..WRITES {
        let sender = sender.clone();
        catalog
            .submit_definitions(
                move |w| {
                    w.create_job(&job(1_000 + n, &format!("job {}", n / 2)))?;
                    Ok::<_, CatalogError>(n)
                },
                move |result: Result<u128, CatalogError>| sender.send(result).unwrap(),
            )
            .unwrap();
    }
    let results: Vec<_> = answers.iter().take(500).collect();
    // Of every two of one name, the first got it.
    let done: Vec<u128> = results
        .iter()
        .filter_map(|r| r.as_ref().ok().copied())
        .collect();
    assert_eq!(done, (0..WRITES).step_by(2).collect::<Vec<_>>());
    assert_eq!(job_count(&catalog), 250);
    assert!(catalog.statistics().definitions_commits < 250);
}

#[test]
fn closing_works_off_what_was_submitted() {
    let directory = Directory::new();
    let catalog = open(&directory);
    for n in 0..20 {
        catalog
            .submit_definitions(
                move |w| w.create_job(&job(n + 10, &format!("job {n}"))),
                |result: Result<(), CatalogError>| result.unwrap(),
            )
            .unwrap();
    }
    drop(catalog);
    assert_eq!(job_count(&open(&directory)), 20);
}

#[test]
fn changes_are_published_after_the_commit_in_order() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (to, reader) = (Arc::clone(&heard), catalog.clone());
    let subscription = catalog.subscribe(Box::new(move |changes| {
        for change in changes {
            if let Change::JobChanged(job) = change {
                // A subscriber reads what it is told of.
                assert!(reader.definitions_read(|d| d.job(*job)).unwrap().is_some());
            }
        }
        to.lock().unwrap().extend_from_slice(changes);
    }));
    create(&catalog, 10).unwrap();
    let mut lease = catalog.lease(LONG).unwrap();
    lease.run(|w| w.create_job(&job(11, "eleven"))).unwrap();
    lease.savepoint("s").unwrap();
    lease.run(|w| w.create_job(&job(12, "twelve"))).unwrap();
    lease.rollback_to("s").unwrap();
    let failed: Result<(), CatalogError> = lease.run(|w| {
        w.create_job(&job(13, "thirteen"))?;
        Err(CatalogError::OutOfRange { what: "it" })
    });
    assert!(failed.is_err());
    assert_eq!(*heard.lock().unwrap(), [Change::JobChanged(JobId(id(10)))]);
    lease.commit().unwrap();
    catalog
        .definitions_write(|w| w.set_setting("x", None))
        .unwrap();
    assert_eq!(
        *heard.lock().unwrap(),
        [
            Change::JobChanged(JobId(id(10))),
            Change::JobChanged(JobId(id(11))),
            Change::SettingChanged("x".to_owned()),
        ]
    );
    drop(subscription);
    create(&catalog, 14).unwrap();
    assert_eq!(heard.lock().unwrap().len(), 3);
}

#[test]
fn an_audit_row_commits_with_its_act() {
    let directory = Directory::new();
    let catalog = open(&directory);
    let entry = |action: &str| AuditEntry {
        at: at(3),
        principal: "sa".to_owned(),
        action: action.to_owned(),
        object: "job".to_owned(),
        detail: None,
    };
    for (n, fails) in [(10, true), (11, false)] {
        let _ = catalog.definitions_write(|w| {
            w.create_job(&job(n, &format!("job {n}")))?;
            w.audit(&entry(&format!("add {n}")))?;
            if fails {
                return Err(CatalogError::OutOfRange { what: "it" });
            }
            Ok(())
        });
    }
    let rows = catalog.definitions_read(|d| d.audit_rows(0, 10)).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].entry, entry("add 11"));
}

#[test]
fn an_endless_read_is_ended() {
    let directory = Directory::new();
    let catalog = Catalog::open(
        directory.path(),
        CatalogOptions {
            read_timeout: SOON,
            ..options()
        },
    )
    .unwrap();
    catalog
        .definitions_write(|w| {
            (0..2_000).try_for_each(|n| w.create_job(&job(n + 10, &format!("job {n}"))))
        })
        .unwrap();
    let error = catalog
        .definitions_read(|d| -> Result<(), CatalogError> {
            loop {
                d.jobs(&catalog::JobFilter::default())?;
            }
        })
        .unwrap_err();
    assert!(matches!(error, CatalogError::ReadTimeout { .. }), "{error}");
    assert_eq!(job_count(&catalog), 2_000);
}
