//! Definitions: names, references, cascades, documents, and whether what was written is what is read.
#![allow(clippy::unwrap_used, reason = "tests may unwrap")]

mod support;

use catalog::{
    Alert, BuiltInCategory, Catalog, CatalogError, CategoryClass, CategoryKind, Credential,
    DatabaseUser, DefinitionsWrite, Grant, GrantState, JobFilter, Login, NewInstruction, NewTarget,
    Notification, Object, OriginFilter, Proxy, RoleMember, SettingValue, Token,
};
use model::{
    CategoryId, Generation, JobId, NotifyLevel, Operation, Operator, OperatorId, ScheduleId,
    ScheduleUid, ServerId, StepUid,
};
use support::{
    DELETION, Directory, at, document, id, instruction, job, open, schedule, step, target,
};

fn with_catalog(test: impl FnOnce(&Catalog)) {
    let directory = Directory::new();
    test(&open(&directory));
}

/// Runs a write that has to succeed.
fn write<T>(
    catalog: &Catalog,
    act: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T, CatalogError>,
) -> T {
    catalog.definitions_write(act).unwrap()
}

/// Runs a write that has to fail, and shows how.
fn refused<T: std::fmt::Debug>(
    catalog: &Catalog,
    act: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T, CatalogError>,
) -> String {
    catalog.definitions_write(act).unwrap_err().to_string()
}

#[test]
fn a_new_catalog_has_its_instance_and_the_built_in_categories() {
    with_catalog(|catalog| {
        let instance = catalog.definitions_read(|d| d.instance()).unwrap();
        assert_eq!(
            (instance.name.as_str(), instance.incarnation),
            ("MASTER", 1)
        );
        let categories = catalog.definitions_read(|d| d.categories()).unwrap();
        let stored: Vec<(i64, &str)> = categories
            .iter()
            .map(|category| (category.id.0, category.name.as_str()))
            .collect();
        let built_in: Vec<(i64, &str)> = BuiltInCategory::ALL
            .iter()
            .map(|category| (category.id, category.name))
            .collect();
        assert_eq!(stored, built_in);
        assert_eq!(write(catalog, |w| w.new_incarnation()), 2);
    });
}

#[test]
fn a_job_is_read_as_it_was_written() {
    with_catalog(|catalog| {
        let given = job(10, "Nightly backup");
        let steps = vec![step(20, 1, "dump"), step(21, 2, "ship")];
        write(catalog, |w| {
            w.create_job(&given)?;
            w.replace_steps(given.id, &steps)?;
            let first = w.create_schedule(&schedule(30, "nightly"))?;
            w.attach_schedule(given.id, first)?;
            assert!(!w.attach_schedule(given.id, first)?);
            w.create_login(&login("sa", &[1]))
        });
        let stored = catalog
            .definitions_read(|d| d.job_document(given.id))
            .unwrap()
            .unwrap();
        assert_eq!(stored.job, given);
        assert_eq!(stored.steps, steps);
        assert_eq!(stored.schedules, [schedule(30, "nightly")]);
        assert_eq!(stored.owner_login, "sa");
        assert_eq!(stored.category_name, "[Uncategorized (Local)]");
        assert_eq!(
            catalog
                .definitions_read(|d| d.job_document(JobId(id(99))))
                .unwrap(),
            None
        );
    });
}

fn login(name: &str, sid: &[u8]) -> Login {
    Login {
        id: 0,
        name: name.to_owned(),
        sid: sid.to_vec(),
        password_hash: Some("$argon2id$".to_owned()),
        enabled: true,
        default_database: "master".to_owned(),
        created: at(0),
        modified: at(0),
    }
}

#[test]
fn names_are_unique_per_origin_without_regard_to_case() {
    with_catalog(|catalog| {
        write(catalog, |w| w.create_job(&job(10, "Backup")));
        insta::assert_snapshot!(
            refused(catalog, |w| w.create_job(&job(11, "BACKUP  "))),
            @r#"job "BACKUP  " already exists"#
        );
        insta::assert_snapshot!(
            refused(catalog, |w| w.create_job(&job(10, "other"))),
            @r#"job "other" already exists"#
        );
        // A downloaded job may share a local one's name.
        write(catalog, |w| {
            w.apply_job(&document(12, "backup", vec![], vec![]))
        });
        let both = catalog
            .definitions_read(|d| d.jobs_by_name("BackUp"))
            .unwrap();
        let origins: Vec<Option<&str>> = both
            .iter()
            .map(|job| job.originating_server.as_deref())
            .collect();
        assert_eq!(origins, [None, Some("MASTER")]);
        insta::assert_snapshot!(
            refused(catalog, |w| w.apply_job(&document(13, "Backup", vec![], vec![]))),
            @r#"job "Backup" already exists"#
        );
        insta::assert_snapshot!(
            refused(catalog, |w| w.apply_job(&document(10, "mine now", vec![], vec![]))),
            @r#"job "mine now" already exists"#
        );
    });
}

#[test]
fn every_change_raises_the_version() {
    with_catalog(|catalog| {
        let given = job(10, "a");
        write(catalog, |w| w.create_job(&given));
        write(catalog, |w| {
            w.update_job(&model::Job {
                name: "b".to_owned(),
                version: 77,
                ..given.clone()
            })
        });
        write(catalog, |w| w.touch_job(given.id, at(9)));
        let stored = catalog
            .definitions_read(|d| d.job(given.id))
            .unwrap()
            .unwrap();
        assert_eq!((stored.version, stored.modified), (3, at(9)));
        let schedule_id = write(catalog, |w| w.create_schedule(&schedule(30, "s")));
        write(catalog, |w| {
            w.update_schedule(
                schedule_id,
                &model::Schedule {
                    uid: ScheduleUid(id(31)),
                    enabled: false,
                    ..schedule(30, "t")
                },
            )
        });
        let stored = catalog
            .definitions_read(|d| d.schedule(schedule_id))
            .unwrap()
            .unwrap();
        assert_eq!(stored.schedule.uid, ScheduleUid(id(30)));
        assert_eq!(stored.schedule.version, 2);
        assert_eq!(stored.schedule.name, "t");
    });
}

#[test]
fn what_is_not_there_is_said() {
    with_catalog(|catalog| {
        let missing = JobId(id(404));
        let acts: Vec<(&str, String)> = vec![
            ("update", refused(catalog, |w| w.update_job(&job(404, "x")))),
            ("touch", refused(catalog, |w| w.touch_job(missing, at(1)))),
            (
                "delete",
                refused(catalog, |w| w.delete_job(missing, DELETION, at(1))),
            ),
            ("steps", refused(catalog, |w| w.replace_steps(missing, &[]))),
            (
                "server",
                refused(catalog, |w| w.add_job_server(missing, ServerId(0), None)),
            ),
            (
                "attach",
                refused(catalog, |w| w.attach_schedule(missing, ScheduleId(1))),
            ),
            (
                "post",
                refused(catalog, |w| {
                    w.post_instruction(ServerId(5), &instruction(1, Operation::Insert, missing))
                }),
            ),
            ("target", refused(catalog, |w| w.delete_target(ServerId(5)))),
            ("login", refused(catalog, |w| w.delete_login("nobody"))),
        ];
        for (act, message) in acts {
            assert!(message.ends_with("does not exist"), "{act}: {message}");
        }
    });
}

#[test]
fn steps_are_replaced_whole_even_when_names_change_places() {
    with_catalog(|catalog| {
        let job_id = JobId(id(10));
        write(catalog, |w| {
            w.create_job(&job(10, "a"))?;
            w.replace_steps(
                job_id,
                &[step(20, 1, "x"), step(21, 2, "y"), step(22, 3, "z")],
            )
        });
        let swapped = vec![step(21, 1, "y"), step(20, 2, "x")];
        write(catalog, |w| w.replace_steps(job_id, &swapped));
        assert_eq!(
            catalog.definitions_read(|d| d.steps(job_id)).unwrap(),
            swapped
        );
        write(catalog, |w| w.append_step(job_id, &step(23, 3, "last")));
        write(catalog, |w| {
            w.update_step(job_id, &step(23, 3, "last of all"))
        });
        insta::assert_snapshot!(
            refused(catalog, |w| w.append_step(job_id, &step(24, 5, "gap"))),
            @"a step id is out of range"
        );
        insta::assert_snapshot!(
            refused(catalog, |w| w.replace_steps(job_id, &[step(20, 2, "x")])),
            @"a step id is out of range"
        );
        insta::assert_snapshot!(
            refused(catalog, |w| w.append_step(job_id, &step(24, 4, "X"))),
            @r#"job step "X" already exists"#
        );
        let page = catalog.definitions_read(|d| d.steps_page(None, 2)).unwrap();
        assert_eq!(page.len(), 2);
        let rest = catalog
            .definitions_read(|d| d.steps_page(Some((job_id, 2)), 9))
            .unwrap();
        assert_eq!(rest, [(job_id, step(23, 3, "last of all"))]);
        for only in [None, Some(job_id)] {
            let counts = catalog.definitions_read(|d| d.step_counts(only)).unwrap();
            assert_eq!(counts, [(job_id, 3)]);
        }
        let none = catalog.definitions_read(|d| d.step_counts(Some(model::JobId(id(999)))));
        assert_eq!(none.unwrap(), []);
        let found = catalog
            .definitions_read(|d| d.step_by_uid(StepUid(id(20))))
            .unwrap();
        assert_eq!(found, Some((job_id, step(20, 2, "x"))));
    });
}

#[test]
fn deleting_a_job_takes_what_hangs_on_it() {
    with_catalog(|catalog| {
        let job_id = JobId(id(10));
        let (own, shared) = write(catalog, |w| {
            w.create_job(&job(10, "a"))?;
            w.create_job(&job(11, "b"))?;
            w.append_step(job_id, &step(20, 1, "x"))?;
            let own = w.create_schedule(&schedule(30, "own"))?;
            let shared = w.create_schedule(&schedule(31, "shared"))?;
            w.attach_schedule(job_id, own)?;
            w.attach_schedule(job_id, shared)?;
            w.attach_schedule(JobId(id(11)), shared)?;
            w.add_job_server(job_id, ServerId(0), None)?;
            Ok((own, shared))
        });
        let removed = write(catalog, |w| w.delete_job(job_id, DELETION, at(5)));
        assert_eq!(removed, [own]);
        catalog
            .definitions_read(|d| {
                assert_eq!(d.job(job_id)?, None);
                assert_eq!(d.steps(job_id)?, []);
                assert_eq!(d.job_servers(Some(job_id), None)?, []);
                assert_eq!(d.schedules()?.len(), 1);
                assert_eq!(d.schedule(shared)?.unwrap().schedule.name, "shared");
                assert_eq!(d.deleted_jobs(10)?.len(), 1);
                Ok::<_, CatalogError>(())
            })
            .unwrap();
        assert_eq!(catalog.cleanup_deleted_jobs().unwrap(), 1);
        assert_eq!(catalog.cleanup_deleted_jobs().unwrap(), 0);
    });
}

#[test]
fn a_job_that_an_alert_starts_stays() {
    with_catalog(|catalog| {
        write(catalog, |w| {
            w.create_job(&job(10, "a"))?;
            w.create_alert(&alert("disk full", JobId(id(10))))
        });
        let message = refused(catalog, |w| w.delete_job(JobId(id(10)), DELETION, at(5)));
        assert!(
            message.ends_with(r#"is in use by alert "disk full""#),
            "{message}"
        );
    });
}

fn alert(name: &str, job: JobId) -> Alert {
    Alert {
        id: 0,
        name: name.to_owned(),
        event_source: "MSSQLSERVER".to_owned(),
        event_category_id: None,
        event_id: None,
        message_id: 0,
        severity: 17,
        enabled: true,
        delay_between_responses: 60,
        notification_message: Some("look".to_owned()),
        include_event_description: 5,
        database_name: None,
        event_description_keyword: None,
        job,
        performance_condition: None,
        flags: 0,
        category: BuiltInCategory::UNCATEGORIZED_ALERT,
    }
}

#[test]
fn filters() {
    with_catalog(|catalog| {
        write(catalog, |w| {
            w.create_job(&job(10, "a"))?;
            w.create_job(&model::Job {
                enabled: false,
                category: CategoryId(3),
                owner_sid: vec![2],
                ..job(11, "b")
            })?;
            w.create_job(&job(12, "c"))?;
            w.apply_job(&document(13, "d", vec![], vec![]))?;
            w.add_job_server(JobId(id(12)), ServerId(0), None)?;
            Ok(())
        });
        let all = JobFilter::default();
        let cases: Vec<(JobFilter, &str)> = vec![
            (all.clone(), "abcd"),
            (
                JobFilter {
                    category: Some(CategoryId(3)),
                    ..all.clone()
                },
                "b",
            ),
            (
                JobFilter {
                    owner_sid: Some(vec![1]),
                    ..all.clone()
                },
                "acd",
            ),
            (
                JobFilter {
                    enabled: Some(false),
                    ..all.clone()
                },
                "b",
            ),
            (
                JobFilter {
                    origin: Some(OriginFilter::Local),
                    ..all.clone()
                },
                "abc",
            ),
            (
                JobFilter {
                    origin: Some(OriginFilter::Downloaded),
                    ..all.clone()
                },
                "d",
            ),
            (
                JobFilter {
                    origin: Some(OriginFilter::Server("master".to_owned())),
                    ..all.clone()
                },
                "d",
            ),
            (
                JobFilter {
                    target: Some(ServerId(0)),
                    ..all.clone()
                },
                "cd",
            ),
            (
                JobFilter {
                    after: Some(JobId(id(10))),
                    limit: Some(2),
                    ..all.clone()
                },
                "bc",
            ),
        ];
        for (filter, names) in cases {
            let (jobs, count) = catalog
                .definitions_read(|d| {
                    Ok::<_, CatalogError>((d.jobs(&filter)?, d.job_count(&filter)?))
                })
                .unwrap();
            let found: String = jobs.iter().map(|job| job.name.as_str()).collect();
            assert_eq!(found, names, "{filter:?}");
            assert_eq!(count, u64::try_from(names.len()).unwrap(), "{filter:?}");
        }
    });
}

#[test]
fn an_applied_document_replaces_the_older_copy() {
    with_catalog(|catalog| {
        let job_id = JobId(id(10));
        let first = document(
            10,
            "a",
            vec![step(20, 1, "x"), step(21, 2, "y")],
            vec![schedule(30, "old"), schedule(31, "kept")],
        );
        write(catalog, |w| w.apply_job(&first));
        write(catalog, |w| w.apply_job(&first));
        let second = document(
            10,
            "a2",
            vec![step(21, 1, "y")],
            vec![schedule(31, "kept"), schedule(32, "new")],
        );
        write(catalog, |w| w.apply_job(&second));
        let stored = catalog
            .definitions_read(|d| d.job_document(job_id))
            .unwrap()
            .unwrap();
        assert_eq!(stored.job.name, "a2");
        assert_eq!(stored.job.category, BuiltInCategory::JOBS_FROM_MSX);
        assert_eq!(stored.steps, second.steps);
        assert_eq!(stored.schedules, second.schedules);
        let names: Vec<String> = catalog
            .definitions_read(|d| d.schedules())
            .unwrap()
            .into_iter()
            .map(|row| row.schedule.name)
            .collect();
        assert_eq!(names, ["kept", "new"], "a schedule nothing uses is gone");
        let local = catalog
            .definitions_read(|d| d.job_servers(Some(job_id), None))
            .unwrap();
        assert_eq!(local.len(), 1);
        // The header alone.
        let mut header = second.clone();
        header.job.enabled = false;
        header.steps.clear();
        assert!(write(catalog, |w| w.apply_job_header(&header)));
        let stored = catalog
            .definitions_read(|d| d.job_document(job_id))
            .unwrap()
            .unwrap();
        assert!(!stored.job.enabled);
        assert_eq!(stored.steps, second.steps);
        assert!(!write(catalog, |w| w.apply_job_header(&document(
            77,
            "absent",
            vec![],
            vec![]
        ))));
    });
}

#[test]
fn defection_takes_downloaded_jobs_alone() {
    with_catalog(|catalog| {
        write(catalog, |w| {
            w.create_job(&job(9, "local"))?;
            w.create_schedule(&schedule(40, "local schedule"))?;
            w.apply_job(&document(10, "a", vec![], vec![schedule(30, "s")]))?;
            w.apply_job(&document(11, "b", vec![], vec![schedule(30, "s")]))?;
            w.create_alert(&alert("starts a", JobId(id(10))))
        });
        let gone = write(catalog, |w| w.delete_downloaded_jobs(at(3)));
        assert_eq!(gone, [JobId(id(10)), JobId(id(11))]);
        catalog
            .definitions_read(|d| {
                assert_eq!(d.jobs(&JobFilter::default())?.len(), 1);
                assert_eq!(d.schedules()?.len(), 1);
                assert_eq!(d.alert_by_name("starts a")?.unwrap().job, JobId::ALL);
                Ok::<_, CatalogError>(())
            })
            .unwrap();
    });
}

#[test]
fn instructions_are_numbered_per_target_without_reuse() {
    with_catalog(|catalog| {
        let (a, b) = write(catalog, |w| {
            w.create_job(&job(10, "a"))?;
            Ok((
                w.enlist_target(&target(50, "T1"))?.id,
                w.enlist_target(&target(51, "T2"))?.id,
            ))
        });
        let job_id = JobId(id(10));
        let insert = |n| instruction(n, Operation::Insert, job_id);
        let posted = write(catalog, |w| {
            let first = w.add_job_server(job_id, a, Some(&insert(60)))?.unwrap();
            let second = w.add_job_server(job_id, b, Some(&insert(61)))?.unwrap();
            Ok([first, second])
        });
        assert_eq!(posted.map(|row| row.number.0), [1, 1]);
        assert!(posted[1].instance_id > posted[0].instance_id);
        let mut next = 70;
        let mut fresh = || {
            next += 1;
            id(next)
        };
        let start = NewInstruction {
            operation: Operation::Start,
            ..insert(62)
        };
        let to = write(catalog, |w| {
            w.post_to_job_targets(job_id, &start, &mut fresh)
        });
        assert_eq!(to, [a, b]);
        let rows = catalog
            .definitions_read(|d| d.instructions_after(a, model::InstructionNumber(1), 10))
            .unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].instruction.uid, id(71));
        assert_eq!(rows[0].instruction.run, Some(model::RunId(id(72))));
        // Same uid twice: refused, and no number is used up.
        insta::assert_snapshot!(
            refused(catalog, |w| w.post_instruction(a, &insert(60))),
            @r#"download instruction "10000000-0000-0000-0000-00000000003c" already exists"#
        );
        write(catalog, |w| {
            w.clear_instructions(a, model::InstructionNumber(0))
        });
        let again = write(catalog, |w| w.post_instruction(a, &insert(63)));
        assert_eq!(again.number.0, 3, "numbers go on after a clear");
        let stored = catalog.definitions_read(|d| d.target(a)).unwrap().unwrap();
        assert_eq!(stored.last_number.0, 3);
        // A restored master learns how far the target is.
        for number in [40, 7] {
            write(catalog, |w| {
                w.raise_instruction_number(a, model::InstructionNumber(number))
            });
        }
        let next = write(catalog, |w| w.post_instruction(a, &insert(64)));
        assert_eq!(next.number.0, 41);
    });
}

#[test]
fn downloaded_rows_are_trimmed_to_the_newest() {
    with_catalog(|catalog| {
        let server = write(catalog, |w| Ok(w.enlist_target(&target(50, "T"))?.id));
        write(catalog, |w| {
            for n in 0..10 {
                w.post_instruction(server, &instruction(100 + n, Operation::Insert, JobId::ALL))?;
            }
            Ok(())
        });
        let removed = write(catalog, |w| {
            w.trim_downloaded(server, model::InstructionNumber(6), 2)
        });
        assert_eq!(removed, 4);
        let left: Vec<u64> = catalog
            .definitions_read(|d| d.instructions_after(server, model::InstructionNumber(0), 99))
            .unwrap()
            .iter()
            .map(|row| row.number.0)
            .collect();
        assert_eq!(left, [5, 6, 7, 8, 9, 10]);
        // What the cursor points at stays even when nothing is to be kept.
        write(catalog, |w| {
            w.trim_downloaded(server, model::InstructionNumber(6), 0)
        });
        let cursor = catalog
            .definitions_read(|d| d.instruction(server, model::InstructionNumber(6)))
            .unwrap();
        assert!(cursor.is_some());
    });
}

#[test]
fn generations_never_repeat() {
    with_catalog(|catalog| {
        let first = write(catalog, |w| w.enlist_target(&target(50, "T")));
        write(catalog, |w| {
            w.set_target_certificate(first.id, &[1; 32], &[2; 8], at(99))
        });
        let again = write(catalog, |w| w.enlist_target(&target(52, "t")));
        assert_eq!(again.id, first.id, "the name keeps its number");
        assert!(again.generation > first.generation);
        assert_eq!(again.fingerprint, None);
        assert_eq!(again.name, "t");
        write(catalog, |w| w.delete_target(first.id));
        let third = write(catalog, |w| w.enlist_target(&target(50, "T")));
        assert!(third.generation > again.generation);
        assert!(
            third.id > first.id,
            "a deleted target's number is not reused"
        );
        insta::assert_snapshot!(
            refused(catalog, |w| w.enlist_target(&target(50, "OTHER"))),
            @r#"target server "T" already exists"#
        );
    });
}

/// A master restored from an older copy has forgotten generations that its targets had since.
#[test]
fn a_generation_lies_above_what_the_target_had() {
    with_catalog(|catalog| {
        let claiming = |claimed| NewTarget {
            previous_generation: Some(Generation(claimed)),
            ..target(50, "T")
        };
        for (claimed, given) in [
            (0, 1),
            (7, 8),
            (3, 9),
            (9, 10),
            // Nonsense does not use up the numbers.
            (u64::MAX, 11),
            (i64::MAX as u64, 12),
            ((1 << 32) + 13, 13),
        ] {
            let target = write(catalog, |w| w.enlist_target(&claiming(claimed)));
            assert_eq!(target.generation, Generation(given), "claiming {claimed}");
        }
    });
}

#[test]
fn categories_fall_back() {
    with_catalog(|catalog| {
        let own = write(catalog, |w| {
            let own = w.create_category(CategoryClass::Job, CategoryKind::Multiserver, "Mine")?;
            w.create_job(&model::Job {
                category: own,
                ..job(10, "a")
            })?;
            Ok(own)
        });
        assert_eq!(own.0, 100);
        insta::assert_snapshot!(
            refused(catalog, |w| w.create_category(CategoryClass::Job, CategoryKind::Local, "MINE")),
            @r#"category "MINE" already exists"#
        );
        insta::assert_snapshot!(
            refused(catalog, |w| w.delete_category(CategoryId(3))),
            @r#"category "Database Maintenance" is in use by the instance: it is built in"#
        );
        write(catalog, |w| w.delete_category(own));
        let stored = catalog.definitions_read(|d| d.job(JobId(id(10)))).unwrap();
        assert_eq!(
            stored.unwrap().category,
            BuiltInCategory::UNCATEGORIZED_MULTISERVER
        );
        let next = write(catalog, |w| {
            w.create_category(CategoryClass::Alert, CategoryKind::None, "Mine")
        });
        assert_eq!(next.0, 101, "numbers are not reused");
    });
}

#[test]
fn operators_are_reassigned() {
    with_catalog(|catalog| {
        let named = |name: &str| Operator {
            name: name.to_owned(),
            enabled: true,
            ..Operator::default()
        };
        let (old, new, alert_id) = write(catalog, |w| {
            let old = w.create_operator(&named("old"))?;
            let new = w.create_operator(&named("new"))?;
            let alert_id = w.create_alert(&alert("x", JobId::ALL))?;
            w.create_notification(&Notification {
                alert: alert_id,
                operator: old,
                method: 1,
            })?;
            w.create_notification(&Notification {
                alert: alert_id,
                operator: new,
                method: 2,
            })?;
            w.create_job(&model::Job {
                notify_level_email: NotifyLevel::Always,
                notify_email_operator: old,
                ..job(10, "a")
            })?;
            Ok((old, new, alert_id))
        });
        write(catalog, |w| w.delete_operator(old, Some(new)));
        catalog
            .definitions_read(|d| {
                assert_eq!(d.job(JobId(id(10)))?.unwrap().notify_email_operator, new);
                assert_eq!(
                    d.notifications(Some(alert_id), None)?,
                    [Notification {
                        alert: alert_id,
                        operator: new,
                        method: 3
                    }]
                );
                assert_eq!(d.jobs_notifying(new)?.len(), 1);
                assert_eq!(d.jobs_notifying(OperatorId(0))?.len(), 0);
                Ok::<_, CatalogError>(())
            })
            .unwrap();
        write(catalog, |w| w.delete_operator(new, None));
        let stored = catalog.definitions_read(|d| d.job(JobId(id(10)))).unwrap();
        assert_eq!(stored.unwrap().notify_email_operator, OperatorId(0));
    });
}

#[test]
fn proxies_in_use_stay_and_steps_follow_their_names() {
    with_catalog(|catalog| {
        let job_id = JobId(id(10));
        let (credential, proxy) = write(catalog, |w| {
            let credential = w.create_credential(&Credential {
                id: 0,
                name: "c".to_owned(),
                identity: "DOMAIN\\u".to_owned(),
                sealed_secret: Some(vec![1, 2, 3]),
                created: at(0),
                modified: at(0),
            })?;
            let proxy = Proxy {
                id: 0,
                name: "p".to_owned(),
                credential_id: credential,
                enabled: true,
                description: None,
                user_sid: vec![9],
            };
            let proxy = Proxy {
                id: w.create_proxy(&proxy)?,
                ..proxy
            };
            w.create_job(&job(10, "a"))?;
            w.append_step(
                job_id,
                &model::JobStep {
                    proxy_name: Some("P".to_owned()),
                    ..step(20, 1, "x")
                },
            )?;
            Ok((credential, proxy))
        });
        let message = refused(catalog, |w| w.delete_proxy(proxy.id));
        assert!(
            message.starts_with(r#"proxy "p" is in use by step 1"#),
            "{message}"
        );
        insta::assert_snapshot!(
            refused(catalog, |w| w.delete_credential(credential)),
            @r#"credential "c" is in use by proxy "p""#
        );
        write(catalog, |w| {
            w.update_proxy(&Proxy {
                name: "q".to_owned(),
                ..proxy.clone()
            })
        });
        let steps = catalog.definitions_read(|d| d.steps(job_id)).unwrap();
        assert_eq!(steps[0].proxy_name.as_deref(), Some("q"));
    });
}

#[test]
fn principals() {
    with_catalog(|catalog| {
        let member = RoleMember {
            database: String::new(),
            role: "sysadmin".to_owned(),
            member: "dba".to_owned(),
        };
        let user = DatabaseUser {
            database: "msdb".to_owned(),
            name: "dba".to_owned(),
            sid: vec![7; 16],
            ..DatabaseUser::default()
        };
        let grant = Grant::on_object(
            "msdb",
            ("dbo", "sp_purge_jobhistory"),
            "dba",
            "EXECUTE",
            GrantState::Granted,
        );
        write(catalog, |w| {
            w.create_login(&login("dba", &[7; 16]))?;
            assert!(w.add_role_member(&member)?);
            assert!(!w.add_role_member(&member)?);
            w.create_database_user(&user)?;
            w.set_grant(&grant)
        });
        insta::assert_snapshot!(
            refused(catalog, |w| w.create_login(&login("DBA", &[8; 16]))),
            @r#"login "DBA" already exists"#
        );
        write(catalog, |w| {
            w.update_login(&Login {
                name: "dbo2".to_owned(),
                ..login("dba", &[7; 16])
            })
        });
        catalog
            .definitions_read(|d| {
                assert!(d.is_role_member("", "SYSADMIN", "DBO2")?);
                assert!(!d.is_role_member("", "sysadmin", "dba")?);
                assert_eq!(d.login_by_sid(&[7; 16])?.unwrap().name, "dbo2");
                assert_eq!(
                    d.database_user_by_sid("MSDB", &[7; 16])?.unwrap().name,
                    "dba"
                );
                assert_eq!(d.grants("msdb")?, std::slice::from_ref(&grant));
                Ok::<_, CatalogError>(())
            })
            .unwrap();
        write(catalog, |w| w.delete_database_user("msdb", "DBA"));
        write(catalog, |w| w.delete_login("dbo2"));
        let (members, grants) = catalog
            .definitions_read(|d| Ok::<_, CatalogError>((d.role_members("")?, d.grants("msdb")?)))
            .unwrap();
        assert_eq!((members.len(), grants.len()), (0, 0));
    });
}

#[test]
fn secrets_are_not_shown_by_debug() {
    let shown = format!("{:?}", login("sa", &[1]));
    assert!(!shown.contains("argon2"), "{shown}");
}

#[test]
fn tokens_are_used_up_and_end() {
    with_catalog(|catalog| {
        let token = Token {
            id: "abc".to_owned(),
            hash: vec![1],
            expires: at(600),
            uses_left: 1,
            location: None,
            created: at(0),
            created_by: "sa".to_owned(),
        };
        write(catalog, |w| w.create_token(&token));
        assert!(
            write(catalog, |w| w.use_token("abc", at(600))).is_none(),
            "past its end"
        );
        assert!(
            write(catalog, |w| w.use_token("ABC", at(1))).is_none(),
            "another token"
        );
        let used = write(catalog, |w| w.use_token("abc", at(1))).unwrap();
        assert_eq!(used.uses_left, 0);
        assert!(
            write(catalog, |w| w.use_token("abc", at(1))).is_none(),
            "used up"
        );
        assert_eq!(write(catalog, |w| w.trim_tokens(at(2))), 1);
    });
}

#[test]
fn settings_keep_their_kind() {
    with_catalog(|catalog| {
        let values = [
            ("Agent\\Text", SettingValue::Text("42".to_owned())),
            ("Agent\\Number", SettingValue::Number(42)),
            ("Agent\\Bytes", SettingValue::Bytes(vec![4, 2])),
            ("Other", SettingValue::Number(-1)),
        ];
        write(catalog, |w| {
            values
                .iter()
                .try_for_each(|(key, value)| w.set_setting(key, Some(value)))
        });
        let stored = catalog.definitions_read(|d| d.settings("AGENT\\")).unwrap();
        let expected: Vec<(String, SettingValue)> = [2, 1, 0]
            .map(|n: usize| (values[n].0.to_owned(), values[n].1.clone()))
            .to_vec();
        assert_eq!(stored, expected);
        write(catalog, |w| w.set_setting("agent\\text", None));
        assert_eq!(
            catalog
                .definitions_read(|d| d.setting("Agent\\Text"))
                .unwrap(),
            None
        );
    });
}

#[test]
fn not_found_names_its_kind() {
    with_catalog(|catalog| {
        let error = catalog
            .definitions_write(|w| w.delete_alert(5))
            .unwrap_err();
        assert!(matches!(
            error,
            CatalogError::NotFound {
                object: Object::Alert,
                ..
            }
        ));
    });
}
