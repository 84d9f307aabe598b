//! Walks every query and command once and asks SQLite how it would run each statement: none may scan a
//! table it could seek in, and none may sort.

use super::definitions::Definitions;
use super::files::Kind;
use super::log::TxLog;
use super::runs::{Limits, Runs};
use crate::*;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use model::*;
use rusqlite::Connection;
use std::cell::RefCell;
use std::collections::BTreeSet;
use uuid::Uuid;

thread_local! {
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Notes a statement that was run.
pub(super) fn saw(sql: &str) {
    SEEN.with_borrow_mut(|seen| {
        if !seen.contains(sql) {
            seen.insert(sql.to_owned());
        }
    });
}

/// Statements that read a whole table on purpose, by a piece of their text.
const WHOLE_TABLES: &[&str] = &[
    // Lists: no condition, in the order of the key.
    "FROM instance",
    "count(*) FROM target_servers",
    // Few rows: tokens live for minutes.
    "expires <= ?1 OR uses_left = 0",
    // SQLite's own table of one row per table.
    "FROM sqlite_sequence",
    // Walks the key down to a named number of rows.
    "ORDER BY number DESC LIMIT 1 OFFSET ?1",
    // Ends with the enlistment: everything downloaded goes.
    "DELETE FROM schedules WHERE origin_key <> ''",
];

/// What is wrong with a statement's plan.
fn fault(connection: &Connection, sql: &str) -> Option<String> {
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    let plan: Vec<String> = statement
        .raw_query()
        .mapped(|row| row.get::<_, String>(3))
        .map(Result::unwrap)
        .collect();
    // Results of inner queries, which are planned by themselves.
    let made: Vec<&str> = plan
        .iter()
        .filter_map(|line| {
            line.strip_prefix("MATERIALIZE ")
                .or_else(|| line.strip_prefix("CO-ROUTINE "))
        })
        .collect();
    let sorts = plan.iter().any(|line| line.contains("TEMP B-TREE"));
    let scans = plan.iter().any(|line| {
        line.starts_with("SCAN ")
            && !line.starts_with("SCAN CONSTANT ROW")
            && !line.contains(" USING INDEX ")
            && !line.contains(" USING COVERING INDEX ")
            && !made.iter().any(|name| *name == &line["SCAN ".len()..])
    });
    let allowed = !sql.contains("WHERE") || WHOLE_TABLES.iter().any(|part| sql.contains(part));
    (sorts || (scans && !allowed)).then(|| format!("{sql}\n    {}", plan.join("\n    ")))
}

/// Methods of a trait that the walk has not called.
fn missed(source: &str, called: &BTreeSet<&str>) -> Vec<String> {
    source
        .lines()
        .filter_map(|line| line.strip_prefix("    fn "))
        .filter_map(|rest| rest.split(['(', '<']).next())
        .filter(|name| !called.contains(name))
        .map(str::to_owned)
        .collect()
}

fn t(n: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + n).unwrap()
}

fn u(n: u128) -> Uuid {
    Uuid::from_u128(n + 1)
}

fn job(n: u128, origin: Option<&str>) -> Job {
    Job {
        id: JobId(u(n)),
        originating_server: origin.map(str::to_owned),
        name: format!("job {n}"),
        enabled: true,
        description: None,
        start_step_id: 1,
        category: CategoryId(0),
        owner_sid: vec![1],
        notify_level_eventlog: NotifyLevel::Never,
        notify_level_email: NotifyLevel::Never,
        notify_level_netsend: NotifyLevel::Never,
        notify_level_page: NotifyLevel::Never,
        notify_email_operator: OperatorId(0),
        notify_netsend_operator: OperatorId(0),
        notify_page_operator: OperatorId(0),
        delete_level: NotifyLevel::Never,
        created: t(0),
        modified: t(0),
        version: 1,
    }
}

fn step(n: u128, step_id: i32) -> JobStep {
    JobStep {
        step_id,
        uid: StepUid(u(n)),
        name: format!("step {step_id}"),
        subsystem: Subsystem::CmdExec,
        command: None,
        flags: 0,
        additional_parameters: None,
        cmdexec_success_code: 0,
        on_success: StepAction::QuitWithSuccess,
        on_success_step_id: 0,
        on_fail: StepAction::QuitWithFailure,
        on_fail_step_id: 0,
        server: None,
        database_name: None,
        database_user_name: None,
        retry_attempts: 0,
        retry_interval_minutes: 0,
        os_run_priority: 0,
        output_file_name: None,
        proxy_name: None,
    }
}

fn schedule(n: u128, origin: Option<&str>) -> Schedule {
    Schedule {
        uid: ScheduleUid(u(n)),
        name: "nightly".to_owned(),
        originating_server: origin.map(str::to_owned),
        owner_sid: vec![1],
        enabled: true,
        frequency: Frequency::Daily { every_days: 1 },
        subday: Subday::Once,
        raw: [1, 1, 0, 0, 0],
        active_start_date: Date::constant(2026, 1, 1),
        active_end_date: Date::constant(9999, 12, 31),
        active_start_time: Time::midnight(),
        active_end_time: Time::constant(23, 59, 59, 0),
        created: t(0),
        modified: t(0),
        version: 1,
    }
}

fn instruction(n: u128) -> NewInstruction {
    NewInstruction {
        uid: u(n),
        operation: Operation::Start,
        object: InstructionObject::Job,
        object_id: u(1),
        run: Some(RunId(u(n + 1))),
        login: "sa".to_owned(),
        step_name: None,
        poll_interval_secs: None,
        deleted_object_name: None,
        posted: t(0),
    }
}

macro_rules! call {
    ($called:ident, $on:ident . $name:ident ( $($arg:expr),* $(,)? )) => {{
        $called.insert(stringify!($name));
        $on.$name($($arg),*).unwrap_or_else(|error| panic!("{}: {error:?}", stringify!($name)))
    }};
}

#[test]
fn every_statement_on_definitions_uses_an_index() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(include_str!(
            "../../migrations/definitions/V1__definitions.sql"
        ))
        .unwrap();
    connection
        .execute_batch(include_str!(
            "../../migrations/definitions/V2__principals.sql"
        ))
        .unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = ON; BEGIN")
        .unwrap();
    let mut log = TxLog::default();
    let mut w = Definitions::writing(&connection, &mut log);
    let mut called = BTreeSet::new();
    let (j, sid) = (JobId(u(1)), vec![1_u8]);
    w.create_instance(&NewInstance {
        id: InstanceId(u(0)),
        name: "A".to_owned(),
        created: t(0),
    })
    .unwrap();
    call!(called, w.instance());
    call!(called, w.rename_instance("B"));
    call!(called, w.new_incarnation());

    let login = Login {
        id: 0,
        name: "sa".to_owned(),
        sid: sid.clone(),
        password_hash: None,
        enabled: true,
        default_database: "master".to_owned(),
        created: t(0),
        modified: t(0),
    };
    call!(called, w.create_login(&login));
    call!(called, w.login("SA"));
    call!(called, w.login_by_sid(&sid));
    call!(called, w.logins());
    let renamed = Login {
        name: "admin".to_owned(),
        ..login
    };
    call!(called, w.update_login(&renamed));
    let member = RoleMember {
        database: "msdb".to_owned(),
        role: "SQLAgentUserRole".to_owned(),
        member: "u".to_owned(),
    };
    call!(called, w.add_role_member(&member));
    call!(called, w.role_members("msdb"));
    call!(called, w.is_role_member("msdb", "sqlagentuserrole", "u"));
    let user = DatabaseUser {
        database: "msdb".to_owned(),
        name: "u".to_owned(),
        sid: sid.clone(),
        ..DatabaseUser::default()
    };
    let id = call!(called, w.create_database_user(&user));
    let renamed = DatabaseUser {
        id,
        name: "v".to_owned(),
        ..user
    };
    call!(called, w.update_database_user(&renamed));
    call!(called, w.database_user("msdb", "u"));
    call!(called, w.database_user_by_sid("msdb", &sid));
    call!(called, w.database_users("msdb"));
    let grant = Grant::on_object("msdb", ("dbo", "p"), "u", "EXECUTE", GrantState::Denied);
    call!(called, w.set_grant(&grant));
    call!(called, w.grants("msdb"));
    call!(called, w.clear_grant(&grant));
    call!(
        called,
        w.forget_securable("msdb", GrantClass::Object, "dbo", "p")
    );
    call!(called, w.forget_database("elsewhere"));
    call!(called, w.remove_role_member(&member));

    let category = call!(
        called,
        w.create_category(CategoryClass::Job, CategoryKind::Local, "own")
    );
    call!(called, w.category(category));
    call!(called, w.category_by_name(CategoryClass::Job, "OWN"));
    call!(called, w.categories());
    call!(called, w.rename_category(category, "mine"));
    for class in [CategoryClass::Alert, CategoryClass::Operator] {
        let id = w.create_category(class, CategoryKind::None, "c").unwrap();
        w.delete_category(id).unwrap();
    }

    call!(called, w.create_job(&job(1, None)));
    call!(called, w.update_job(&job(1, None)));
    call!(called, w.touch_job(j, t(1)));
    call!(called, w.delete_category(category));
    call!(called, w.job(j));
    call!(called, w.jobs_by_name("JOB 1"));
    let filters = [
        JobFilter::default(),
        JobFilter {
            category: Some(CategoryId(0)),
            ..JobFilter::default()
        },
        JobFilter {
            owner_sid: Some(sid.clone()),
            enabled: Some(true),
            ..JobFilter::default()
        },
        JobFilter {
            origin: Some(OriginFilter::Local),
            target: Some(ServerId(0)),
            ..JobFilter::default()
        },
        JobFilter {
            origin: Some(OriginFilter::Downloaded),
            after: Some(j),
            limit: Some(1),
            ..JobFilter::default()
        },
        JobFilter {
            origin: Some(OriginFilter::Server("m".to_owned())),
            ..JobFilter::default()
        },
    ];
    for filter in &filters {
        call!(called, w.jobs(filter));
        call!(called, w.job_count(filter));
    }
    call!(called, w.append_step(j, &step(50, 1)));
    call!(called, w.update_step(j, &step(50, 1)));
    call!(called, w.replace_steps(j, &[step(50, 1), step(51, 2)]));
    call!(called, w.steps(j));
    call!(called, w.step(j, 1));
    call!(called, w.step_by_uid(StepUid(u(50))));
    call!(called, w.steps_page(Some((j, 1)), 10));
    for job in [None, Some(j)] {
        call!(called, w.step_counts(job));
    }

    let s = call!(called, w.create_schedule(&schedule(60, None)));
    call!(called, w.attach_schedule(j, s));
    call!(called, w.schedule(s));
    call!(called, w.schedule_by_uid(ScheduleUid(u(60))));
    call!(called, w.schedules_by_name("NIGHTLY"));
    call!(called, w.schedules());
    call!(called, w.schedules_of_job(j));
    for (job, schedule) in [
        (None, None),
        (Some(j), None),
        (None, Some(s)),
        (Some(j), Some(s)),
    ] {
        call!(called, w.job_schedules(job, schedule));
    }
    call!(called, w.update_schedule(s, &schedule(60, None)));
    call!(called, w.job_document(j));
    call!(called, w.detach_schedule(j, s));
    call!(called, w.delete_schedule(s));

    let operator = Operator {
        name: "MSXOperator".to_owned(),
        ..Operator::default()
    };
    let o = call!(called, w.create_operator(&operator));
    call!(called, w.operator(o));
    call!(called, w.operator_by_name("msxoperator"));
    call!(called, w.operators());
    call!(
        called,
        w.update_operator(&Operator {
            id: o,
            ..operator.clone()
        })
    );
    let other = w
        .create_operator(&Operator {
            name: "other".to_owned(),
            ..operator
        })
        .unwrap();
    let alert = Alert {
        id: 0,
        name: "disk".to_owned(),
        event_source: "MSSQLSERVER".to_owned(),
        event_category_id: None,
        event_id: None,
        message_id: 0,
        severity: 17,
        enabled: true,
        delay_between_responses: 0,
        notification_message: None,
        include_event_description: 5,
        database_name: None,
        event_description_keyword: None,
        job: JobId::ALL,
        performance_condition: None,
        flags: 0,
        category: BuiltInCategory::UNCATEGORIZED_ALERT,
    };
    let a = call!(called, w.create_alert(&alert));
    call!(called, w.alert(a));
    call!(called, w.alert_by_name("DISK"));
    call!(called, w.alerts());
    call!(called, w.update_alert(&Alert { id: a, ..alert }));
    let notification = Notification {
        alert: a,
        operator: o,
        method: 1,
    };
    call!(called, w.create_notification(&notification));
    call!(called, w.update_notification(&notification));
    for (alert, operator) in [
        (None, None),
        (Some(a), None),
        (None, Some(o)),
        (Some(a), Some(o)),
    ] {
        call!(called, w.notifications(alert, operator));
    }
    call!(called, w.jobs_notifying(o));
    call!(called, w.delete_operator(o, Some(other)));
    call!(called, w.delete_notification(a, other));
    call!(called, w.delete_alert(a));

    let credential = Credential {
        id: 0,
        name: "c".to_owned(),
        identity: "i".to_owned(),
        sealed_secret: None,
        created: t(0),
        modified: t(0),
    };
    let c = call!(called, w.create_credential(&credential));
    call!(called, w.credential(c));
    call!(called, w.credential_by_name("C"));
    call!(called, w.credentials());
    call!(
        called,
        w.update_credential(&Credential {
            id: c,
            ..credential
        })
    );
    let subsystem = SubsystemInfo {
        id: 3,
        name: "CmdExec".to_owned(),
        description_id: None,
        max_worker_threads: None,
    };
    call!(called, w.replace_subsystems(&[subsystem]));
    call!(called, w.subsystems());
    let proxy = Proxy {
        id: 0,
        name: "p".to_owned(),
        credential_id: c,
        enabled: true,
        description: None,
        user_sid: vec![],
    };
    let p = call!(called, w.create_proxy(&proxy));
    call!(called, w.proxy(p));
    call!(called, w.proxy_by_name("P"));
    call!(called, w.proxies());
    let renamed = Proxy {
        id: p,
        name: "q".to_owned(),
        ..proxy
    };
    call!(called, w.update_proxy(&renamed));
    let login_grant = ProxyLogin {
        proxy: p,
        sid: vec![2],
        flags: 0,
        name: "u".to_owned(),
    };
    call!(called, w.grant_proxy_login(&login_grant));
    let subsystem_grant = ProxySubsystem {
        proxy: p,
        subsystem: 3,
    };
    call!(called, w.grant_proxy_subsystem(subsystem_grant));
    for proxy in [None, Some(p)] {
        call!(called, w.proxy_logins(proxy));
        call!(called, w.proxy_subsystems(proxy));
    }
    call!(called, w.steps_using_proxy("q"));
    call!(called, w.revoke_proxy_login(p, "U"));
    call!(called, w.revoke_proxy_subsystem(subsystem_grant));
    call!(called, w.delete_proxy(p));
    call!(called, w.delete_credential(c));

    let target = NewTarget {
        name: "T".to_owned(),
        location: None,
        utc_offset_minutes: 0,
        enlisted: t(0),
        enlisted_by: "sa".to_owned(),
        poll_interval_secs: 60,
        instance: InstanceId(u(70)),
        version: "0.1.0".to_owned(),
        previous_generation: None,
    };
    let target = call!(called, w.enlist_target(&target));
    let server = target.id;
    call!(called, w.set_target_certificate(server, &[1], &[2], t(9)));
    call!(called, w.update_target(&target));
    call!(called, w.target(server));
    call!(called, w.target_by_name("t"));
    call!(called, w.target_by_instance(InstanceId(u(70))));
    call!(called, w.targets(&TargetFilter::default()));
    let by_job = TargetFilter {
        job: Some(j),
        after: Some(ServerId(0)),
        limit: Some(3),
    };
    call!(called, w.targets(&by_job));
    call!(called, w.target_count());
    let group = call!(called, w.create_target_group("g"));
    call!(called, w.rename_target_group(group, "h"));
    call!(called, w.target_groups());
    call!(called, w.target_group_by_name("H"));
    let member = TargetGroupMember { group, server };
    call!(called, w.add_target_group_member(member));
    for group in [None, Some(group)] {
        call!(called, w.target_group_members(group));
    }
    call!(called, w.remove_target_group_member(member));
    call!(called, w.delete_target_group(group));

    call!(called, w.add_job_server(j, server, Some(&instruction(80))));
    for (job, server) in [
        (None, None),
        (Some(j), None),
        (None, Some(server)),
        (Some(j), Some(server)),
    ] {
        call!(called, w.job_servers(job, server));
    }
    let posted = call!(called, w.post_instruction(server, &instruction(82)));
    let mut next = 90;
    let mut fresh = || {
        next += 1;
        u(next)
    };
    call!(
        called,
        w.post_to_job_targets(j, &instruction(84), &mut fresh)
    );
    let filters = [
        DownloadFilter::default(),
        DownloadFilter {
            server: Some(server),
            after: Some(0),
            limit: Some(2),
            ..DownloadFilter::default()
        },
        DownloadFilter {
            object_id: Some(u(1)),
            operation: Some(Operation::Start),
            object: Some(InstructionObject::Job),
            ..DownloadFilter::default()
        },
    ];
    for filter in &filters {
        call!(called, w.download_list(filter));
    }
    call!(called, w.instruction(server, posted.number));
    call!(
        called,
        w.instructions_after(server, InstructionNumber(0), 10)
    );
    call!(called, w.delete_instruction(posted.instance_id));
    call!(called, w.trim_downloaded(server, InstructionNumber(3), 1));
    call!(called, w.clear_instructions(server, InstructionNumber(1)));
    call!(
        called,
        w.raise_instruction_number(server, InstructionNumber(1))
    );
    call!(called, w.remove_job_server(j, server, None));
    call!(called, w.delete_target(server));

    let enlistment = EnlistmentRow {
        enlistment: Enlistment {
            master_name: "M".to_owned(),
            master_address: "m,1433".to_owned(),
            master_id: InstanceId(u(5)),
            generation: Generation(1),
            enlisted: t(0),
            poll_interval_secs: 60,
        },
        location: None,
        encryption: 2,
        pinned_ca_pem: String::new(),
        certificate_pem: String::new(),
        certificate_expires: None,
        sealed_key: vec![],
    };
    call!(called, w.set_enlistment(&enlistment));
    call!(called, w.enlistment());
    call!(called, w.originating_servers());
    let document = JobDocument {
        job: job(2, Some("M")),
        steps: vec![step(55, 1)],
        schedules: vec![schedule(65, Some("M"))],
        owner_login: "sa".to_owned(),
        category_name: "x".to_owned(),
    };
    call!(called, w.apply_job(&document));
    let without = JobDocument {
        schedules: vec![],
        ..document.clone()
    };
    call!(called, w.apply_job(&without));
    call!(called, w.apply_job_header(&document));
    call!(called, w.delete_downloaded_jobs(t(5)));
    call!(called, w.clear_enlistment());

    let token = Token {
        id: "abc".to_owned(),
        hash: vec![],
        expires: t(600),
        uses_left: 1,
        location: None,
        created: t(0),
        created_by: "sa".to_owned(),
    };
    call!(called, w.create_token(&token));
    call!(called, w.token("abc"));
    call!(called, w.use_token("abc", t(1)));
    call!(called, w.trim_tokens(t(1)));

    call!(
        called,
        w.set_setting("a\\b", Some(&SettingValue::Bytes(vec![1])))
    );
    call!(called, w.set_setting("c", None));
    call!(called, w.setting("A\\B"));
    call!(called, w.settings("a\\"));
    call!(called, w.set_agent_info("DateEnlisted", Some("x")));
    call!(called, w.set_agent_info("x", None));
    call!(called, w.agent_info());
    let entry = AuditEntry {
        at: t(0),
        principal: "sa".to_owned(),
        action: "x".to_owned(),
        object: "y".to_owned(),
        detail: None,
    };
    call!(called, w.audit(&entry));
    call!(called, w.audit_rows(0, 10));
    let deletion = JobDeletion {
        keep_history: true,
        delete_unused_schedules: true,
    };
    call!(called, w.delete_job(j, deletion, t(6)));
    call!(called, w.deleted_jobs(10));
    call!(called, w.forget_deleted_job(j));
    call!(called, w.delete_database_user("msdb", "v"));
    call!(called, w.delete_login("admin"));

    let missed = missed(include_str!("../api/definitions.rs"), &called);
    assert!(missed.is_empty(), "not walked: {missed:?}");
    check_seen(&connection);
}

fn check_seen(connection: &Connection) {
    let seen = SEEN.take();
    assert!(seen.len() > 30, "{} statements", seen.len());
    let faults: Vec<String> = seen
        .iter()
        .filter_map(|sql| fault(connection, sql))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn row(run: u128, number: u32, step_id: i32) -> HistoryRow {
    HistoryRow {
        run_id: RunId(u(run)),
        row: number,
        job_id: JobId(u(1)),
        step_id,
        step_name: "s".to_owned(),
        step_uid: (step_id > 0).then(|| StepUid(u(50))),
        sql_message_id: 0,
        sql_severity: 0,
        message: "m".to_owned(),
        status: RunStatus::Succeeded,
        started: t(0),
        utc_offset_minutes: 0,
        duration_ms: 1,
        retries_attempted: 0,
        server: "A".to_owned(),
        output: Some("output".to_owned()),
    }
}

#[test]
fn every_statement_on_runs_uses_an_index() {
    let connection = Connection::open_in_memory().unwrap();
    for (_, sql) in Kind::Runs.migrations() {
        connection.execute_batch(sql).unwrap();
    }
    connection
        .execute_batch("PRAGMA foreign_keys = ON; BEGIN")
        .unwrap();
    let mut log = TxLog::default();
    // So tight that everything is trimmed and dropped.
    let limits = Limits {
        history: HistoryLimits {
            rows_max: Some(1),
            rows_per_job_and_target: Some(1),
            age_max: None,
        },
        spool: SpoolLimits {
            output_bytes_max: 1,
            step_rows_max: 1,
        },
    };
    let mut w = Runs::writing(&connection, &mut log, limits);
    let mut called = BTreeSet::new();
    let (j, server, schedule) = (JobId(u(1)), ServerId(4), ScheduleUid(u(60)));
    let session = call!(called, w.open_session(t(0), &[j])).id;
    call!(called, w.sessions());
    call!(called, w.current_session());
    let new_run = NewRun {
        id: RunId(u(10)),
        job: j,
        source: RunSource::Schedule {
            uid: schedule,
            schedule_id: 1,
            name: "nightly".to_owned(),
            due: t(0),
        },
        requested: t(0),
        started: t(0),
        start_step_id: 1,
        session,
    };
    call!(called, w.begin_run(&new_run));
    let start = StepStart {
        run: new_run.id,
        step_id: 1,
        retry: 0,
        started: t(0),
        launch: 1,
        process: None,
    };
    call!(called, w.step_started(&start));
    let rows = [
        row(10, 0, 1),
        row(10, 1, 1),
        row(10, 2, 1),
        row(10, 3, 0),
        row(11, 0, 0),
        row(11, 0, 0),
    ];
    for row in &rows {
        let record = RecordHistory {
            row,
            operators: [0; 3],
            report: true,
        };
        call!(called, w.record_history(record));
    }
    call!(called, w.run(new_run.id));
    call!(called, w.active_runs());
    for (session, job) in [
        (None, None),
        (Some(session), None),
        (None, Some(j)),
        (Some(session), Some(j)),
    ] {
        call!(called, w.activity(session, job));
    }
    let filters = [
        HistoryFilter::default(),
        HistoryFilter {
            job: Some(j),
            order: HistoryOrder::NewestFirst,
            ..HistoryFilter::default()
        },
        HistoryFilter {
            job: Some(j),
            server: Some(server),
            step_id: Some(0),
            status: Some(RunStatus::Failed),
            started_from: Some(t(0)),
            started_to: Some(t(0)),
            duration_ms_min: Some(1),
            sql_message_id: Some(1),
            sql_severity: Some(1),
            retries_min: Some(1),
            ..HistoryFilter::default()
        },
    ];
    for filter in &filters {
        call!(called, w.history(filter, Some(HistoryId(1)), 10));
    }
    call!(called, w.history_output(HistoryId(1)));
    for (job, server) in [
        (None, None),
        (Some(j), None),
        (None, Some(server)),
        (Some(j), Some(server)),
    ] {
        call!(called, w.job_outcomes(job, server));
    }
    call!(
        called,
        w.write_step_log(j, StepUid(u(50)), "x", true, 10, t(0))
    );
    for step in [None, Some(StepUid(u(50)))] {
        call!(called, w.step_logs(step));
    }
    call!(
        called,
        w.delete_step_logs(StepUid(u(50)), Some(t(1)), Some(0))
    );
    let next = NextRun {
        job: j,
        schedule,
        next: Some(t(9)),
        accounted: None,
    };
    call!(called, w.set_next_run(&next));
    let missed_moments = MissedMoments {
        job: j,
        schedule,
        first: t(1),
        last: t(2),
        count: 2,
    };
    call!(called, w.record_missed(&missed_moments));
    for job in [None, Some(j)] {
        call!(called, w.step_outcomes(job));
        call!(called, w.next_runs(job));
        call!(called, w.missed_moments(job));
    }
    call!(called, w.remove_next_run(j, schedule));

    let cursor = |number| TargetCursor {
        generation: Generation(1),
        cursor: Cursor {
            number: InstructionNumber(number),
            uid: u(3),
        },
    };
    call!(called, w.reset_cursor(&cursor(0)));
    call!(
        called,
        w.advance_cursor(&cursor(1), Some(("no such job", t(0))))
    );
    call!(called, w.accept_start(&cursor(2), &new_run));
    call!(called, w.target_cursor());
    call!(called, w.instruction_refusals(InstructionNumber(0)));
    let state = call!(called, w.report_queue());
    call!(called, w.queued_reports(ReportPosition(0), 10, 1_000));
    call!(called, w.acknowledge_reports(state.last));
    call!(called, w.rewind_reports(ReportPosition(0)));
    w.acknowledge_reports(state.last).unwrap();
    call!(called, w.trim_reports(t(9)));

    let reports: Vec<QueuedReport> = [row(20, 0, 1), row(20, 1, 0), row(21, 0, 0)]
        .into_iter()
        .zip(1..)
        .map(|(row, position)| QueuedReport {
            position: ReportPosition(position),
            row,
        })
        .collect();
    let batch = ReportBatch {
        server,
        instance: InstanceId(u(70)),
        rows: &reports,
        received: t(9),
    };
    call!(called, w.store_reports(batch));
    call!(called, w.report_position(InstanceId(u(70))));
    call!(
        called,
        w.acknowledge_instructions(server, Generation(1), InstructionNumber(3), t(1))
    );
    call!(called, w.acknowledged_instruction(server));
    call!(called, w.acknowledged_instructions());
    call!(
        called,
        w.set_instruction_error(server, InstructionNumber(4), "x", true, t(1))
    );
    call!(
        called,
        w.clear_instruction_error(server, InstructionNumber(4))
    );
    for server in [None, Some(server)] {
        call!(called, w.download_states(server));
    }
    call!(
        called,
        w.blocking_instructions(server, InstructionNumber(2))
    );
    call!(called, w.trim_download_states(server, InstructionNumber(2)));
    let poll = Poll {
        server,
        at: t(1),
        target_clock: t(1),
        utc_offset_minutes: 0,
    };
    call!(called, w.record_polls(&[poll]));
    call!(called, w.liveness(server));
    call!(called, w.all_liveness());
    call!(called, w.forget_target(server));
    call!(called, w.forget_job_target(j, server));

    let occurrence = AlertOccurrence {
        alert: 1,
        ..AlertOccurrence::default()
    };
    call!(called, w.set_alert_occurrence(&occurrence));
    call!(called, w.alert_occurrences());
    let notice = OperatorNotice {
        operator: OperatorId(1),
        ..OperatorNotice::default()
    };
    call!(called, w.record_operator_notice(&notice));
    call!(called, w.operator_notices());
    let before = HistoryPurge {
        job: Some(j),
        before: Some(t(0)),
    };
    let place = HistoryPlace {
        started: t(0),
        id: HistoryId(1),
    };
    let all = HistoryPurge::default();
    for rows in [
        before,
        all,
        HistoryPurge {
            job: None,
            ..before
        },
    ] {
        let removal = HistoryRemoval {
            rows,
            keep_newest: true,
            up_to: HistoryId(9),
        };
        call!(called, w.removable_history(&removal, Some(place), 10));
    }
    call!(called, w.history_rows());
    call!(called, w.newest_history());
    call!(called, w.jobs_over_limit(1, Some((j, server)), 10));
    call!(called, w.trim_job_history(j, server, 10));
    call!(called, w.remove_history(&[place], false));
    call!(called, w.cleanup_job(j, false, 100));

    // The history of a run is found by the run and ordered by itself: few rows, so a sort is right.
    check_seen(&connection);
    let of_run = HistoryFilter {
        run: Some(new_run.id),
        ..HistoryFilter::default()
    };
    w.history(&of_run, None, 10).unwrap();
    let missed = missed(include_str!("../api/runs.rs"), &called);
    assert!(missed.is_empty(), "not walked: {missed:?}");
}
