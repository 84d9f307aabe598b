//! Groups of commands against plain models.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod support;

use catalog::{Catalog, CatalogError, HistoryFilter, QueuedReport, RecordHistory, ReportBatch};
use model::{InstanceId, InstructionNumber, JobId, Operation, ReportPosition, ServerId};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use support::{DELETION, Directory, at, id, instruction, job, open, report, row, schedule, target};

/// Cases per property: each opens a catalog of its own.
const CASES: u32 = 24;

fn job_id(n: u8) -> JobId {
    JobId(id(10 + u128::from(n)))
}

/// What a flaky network makes of one target's stream of reports.
#[derive(Debug, Clone)]
enum Delivery {
    /// Rows from a position on, so many of them.
    Send { from: usize, count: usize },
    /// The master crashes and comes back.
    Reopen,
}

fn deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    prop::collection::vec(
        prop_oneof![
            9 => (0_usize..40, 1_usize..12).prop_map(|(from, count)| Delivery::Send { from, count }),
            1 => Just(Delivery::Reopen),
        ],
        1..20,
    )
}

#[derive(Debug, Clone)]
enum Edit {
    Create(u8),
    Delete(u8),
    Rename(u8, u8),
    Attach(u8, u8),
    Detach(u8, u8),
    Target(u8, u8),
    Untarget(u8, u8),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let (job, other) = (0_u8..5, 0_u8..3);
    prop::collection::vec(
        prop_oneof![
            job.clone().prop_map(Edit::Create),
            job.clone().prop_map(Edit::Delete),
            (job.clone(), job.clone()).prop_map(|(job, name)| Edit::Rename(job, name)),
            (job.clone(), other.clone()).prop_map(|(job, other)| Edit::Attach(job, other)),
            (job.clone(), other.clone()).prop_map(|(job, other)| Edit::Detach(job, other)),
            (job.clone(), other.clone()).prop_map(|(job, other)| Edit::Target(job, other)),
            (job, other).prop_map(|(job, other)| Edit::Untarget(job, other)),
        ],
        1..60,
    )
}

/// A job as the model has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct PlainJob {
    name: String,
    version: i64,
    schedules: BTreeSet<u8>,
    targets: BTreeSet<u8>,
}

#[derive(Debug, Clone)]
enum Spool {
    Run,
    Acknowledge(u64),
    Rewind(u64),
    Reopen,
}

fn spooling() -> impl Strategy<Value = Vec<Spool>> {
    prop::collection::vec(
        prop_oneof![
            4 => Just(Spool::Run),
            3 => (0_u64..30).prop_map(Spool::Acknowledge),
            1 => (0_u64..30).prop_map(Spool::Rewind),
            1 => Just(Spool::Reopen),
        ],
        1..40,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    /// However reports are lost, doubled and cut, the master has each row it was sent once, and the
    /// position it acknowledges is the highest it was sent.
    #[test]
    fn reports_are_stored_once(deliveries in deliveries()) {
        let stream: Vec<QueuedReport> = (0..48_u128)
            .map(|n| {
                let number = u32::try_from(n % 3).unwrap();
                let step = if number == 2 { 0 } else { i32::try_from(number).unwrap() + 1 };
                report(u64::try_from(n).unwrap() + 1, row(100 + n / 3, job_id(0), number, step, 1))
            })
            .collect();
        let directory = Directory::new();
        let mut catalog = open(&directory);
        let mut sent = BTreeSet::new();
        let mut position = 0;
        for delivery in deliveries {
            match delivery {
                Delivery::Reopen => {
                    drop(catalog);
                    catalog = open(&directory);
                }
                Delivery::Send { from, count } => {
                    let rows = &stream[from..(from + count).min(stream.len())];
                    let before = sent.len();
                    sent.extend(rows.iter().map(|report| (report.row.run_id, report.row.row)));
                    position = position.max(rows.last().map_or(0, |report| report.position.0));
                    let stored = catalog.runs_write(|w| w.store_reports(ReportBatch {
                        server: ServerId(1),
                        instance: InstanceId(id(70)),
                        rows,
                        received: at(1),
                    })).unwrap();
                    prop_assert_eq!(stored.new_rows, sent.len() - before);
                    prop_assert_eq!(stored.position.0, position);
                }
            }
        }
        let kept = catalog.runs_read(|r| r.history(&HistoryFilter::default(), None, 999)).unwrap();
        let found: Vec<_> = kept.iter().map(|record| (record.row.run_id, record.row.row)).collect();
        let distinct: BTreeSet<_> = found.iter().copied().collect();
        prop_assert_eq!(found.len(), distinct.len());
        prop_assert_eq!(distinct, sent);
    }

    /// Jobs, attachments, targets and queues are what a plain map says, and a refused edit changes nothing.
    #[test]
    fn jobs_and_queues_follow_a_plain_model(edits in edits()) {
        let directory = Directory::new();
        let catalog = open(&directory);
        let (schedules, servers) = catalog.definitions_write(|w| {
            let mut schedules = Vec::new();
            let mut servers = Vec::new();
            for n in 0..3 {
                schedules.push(w.create_schedule(&schedule(200 + n, "s"))?);
                servers.push(w.enlist_target(&target(300 + n, &format!("T{n}")))?.id);
            }
            Ok::<_, CatalogError>((schedules, servers))
        }).unwrap();
        let mut model: BTreeMap<u8, PlainJob> = BTreeMap::new();
        let mut queues: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
        for (uid, edit) in (1_000..).zip(edits) {
            let posted = |n: u8| instruction(uid, Operation::Insert, job_id(n));
            match edit {
                Edit::Create(n) => {
                    let name = format!("job {n}");
                    let taken = model.contains_key(&n) || model.values().any(|job| job.name == name);
                    let done = catalog.definitions_write(|w| w.create_job(&job(10 + u128::from(n), &name)));
                    prop_assert_eq!(done.is_ok(), !taken);
                    if !taken {
                        model.insert(n, PlainJob { name, version: 1, ..PlainJob::default() });
                    }
                }
                Edit::Delete(n) => {
                    let done = catalog.definitions_write(|w| w.delete_job(
                        job_id(n),
                        catalog::JobDeletion { delete_unused_schedules: false, ..DELETION },
                        at(1),
                    ));
                    prop_assert_eq!(done.is_ok(), model.remove(&n).is_some());
                }
                Edit::Rename(n, to) => {
                    let name = format!("JOB {to}");
                    let taken = model.iter().any(|(other, job)| *other != n && job.name.eq_ignore_ascii_case(&name));
                    let done = catalog.definitions_write(|w| w.update_job(&job(10 + u128::from(n), &name)));
                    prop_assert_eq!(done.is_ok(), !taken && model.contains_key(&n));
                    if let (true, Some(job)) = (done.is_ok(), model.get_mut(&n)) {
                        // Kept in the lower case that the other branch makes, so that comparing is plain.
                        job.name = name.to_lowercase();
                        job.version += 1;
                    }
                }
                Edit::Attach(n, s) => {
                    let done = catalog.definitions_write(|w| w.attach_schedule(job_id(n), schedules[usize::from(s)]));
                    match (done, model.get_mut(&n)) {
                        (Ok(new), Some(job)) => prop_assert_eq!(new, job.schedules.insert(s)),
                        (done, job) => prop_assert!(done.is_err() && job.is_none()),
                    }
                }
                Edit::Detach(n, s) => {
                    let done = catalog.definitions_write(|w| w.detach_schedule(job_id(n), schedules[usize::from(s)]));
                    let was = model.get_mut(&n).is_some_and(|job| job.schedules.remove(&s));
                    prop_assert_eq!(done.is_ok(), was);
                }
                Edit::Target(n, s) => {
                    let done = catalog.definitions_write(|w| w.add_job_server(job_id(n), servers[usize::from(s)], Some(&posted(n))));
                    let new = model.get_mut(&n).is_some_and(|job| job.targets.insert(s));
                    prop_assert_eq!(done.is_ok(), new);
                    if new {
                        queues.entry(s).or_default().push(n);
                    }
                }
                Edit::Untarget(n, s) => {
                    let done = catalog.definitions_write(|w| w.remove_job_server(job_id(n), servers[usize::from(s)], Some(&posted(n))));
                    let was = model.get_mut(&n).is_some_and(|job| job.targets.remove(&s));
                    prop_assert_eq!(done.is_ok(), was);
                    if was {
                        queues.entry(s).or_default().push(n);
                    }
                }
            }
        }
        catalog.definitions_read(|d| {
            let mut stored = BTreeMap::new();
            for job in d.jobs(&catalog::JobFilter::default())? {
                let n = u8::try_from(job.id.0.as_u128() & 0xff).unwrap() - 10;
                let attached = d.job_schedules(Some(job.id), None)?;
                let targets = d.job_servers(Some(job.id), None)?;
                stored.insert(n, PlainJob {
                    name: job.name.to_lowercase(),
                    version: job.version,
                    schedules: attached.iter().map(|row| {
                        u8::try_from(schedules.iter().position(|id| *id == row.schedule).unwrap()).unwrap()
                    }).collect(),
                    targets: targets.iter().map(|row| {
                        u8::try_from(servers.iter().position(|id| *id == row.server).unwrap()).unwrap()
                    }).collect(),
                });
            }
            assert_eq!(stored, model);
            for (n, server) in (0_u8..).zip(&servers) {
                let rows = d.instructions_after(*server, InstructionNumber(0), 999)?;
                let queue: Vec<u8> = rows.iter().map(|row| {
                    u8::try_from(row.instruction.object_id.as_u128() & 0xff).unwrap() - 10
                }).collect();
                assert_eq!(queue, queues.get(&n).cloned().unwrap_or_default());
                assert!((1..).zip(&rows).all(|(number, row)| row.number.0 == number));
            }
            Ok::<_, CatalogError>(())
        }).unwrap();
    }

    /// The queue for the master never loses or doubles a row, whatever is acknowledged and taken back.
    #[test]
    fn the_spool_keeps_what_is_not_acknowledged(steps in spooling()) {
        let directory = Directory::new();
        let mut catalog = open(&directory);
        let (mut last, mut acknowledged, mut runs) = (0_u64, 0_u64, 0_u128);
        for step in steps {
            match step {
                Spool::Reopen => {
                    drop(catalog);
                    catalog = open(&directory);
                }
                Spool::Run => {
                    record_run(&catalog, runs);
                    runs += 1;
                    last += 2;
                }
                Spool::Acknowledge(up_to) => {
                    let done = catalog.runs_write(|w| w.acknowledge_reports(ReportPosition(up_to)));
                    prop_assert_eq!(done.is_ok(), up_to <= last);
                    if up_to <= last {
                        acknowledged = acknowledged.max(up_to);
                    }
                }
                Spool::Rewind(to) => {
                    let done = catalog.runs_write(|w| w.rewind_reports(ReportPosition(to)));
                    prop_assert_eq!(done.is_ok(), to <= acknowledged);
                    acknowledged = acknowledged.min(to.max(if to <= acknowledged { 0 } else { acknowledged }));
                }
            }
            let state = catalog.runs_read(|r| r.report_queue()).unwrap();
            prop_assert_eq!((state.acknowledged.0, state.last.0), (acknowledged, last));
        }
        let queued = catalog.runs_read(|r| r.queued_reports(ReportPosition(0), 999, usize::MAX)).unwrap();
        let positions: Vec<u64> = queued.iter().map(|report| report.position.0).collect();
        prop_assert_eq!(positions, (1..=last).collect::<Vec<u64>>());
        prop_assert!(queued.iter().all(|report| report.row.output.is_some() == (report.row.step_id != 0)));
    }
}

fn record_run(catalog: &Catalog, n: u128) {
    catalog
        .runs_write(|w| {
            for (number, step) in [(0, 1), (1, 0)] {
                w.record_history(RecordHistory {
                    row: &row(500 + n, job_id(0), number, step, 1),
                    operators: [0; 3],
                    report: true,
                })?;
            }
            Ok::<_, CatalogError>(())
        })
        .unwrap();
}
