//! Instances with one of everything, in which cases run.

use super::super::scripts;
use super::super::support::{Copied, Fixture, NOW, s};
use catalog::{
    EnlistmentRow, NewRun, NextRun, Poll, QueuedReport, RecordHistory, ReportBatch, StepStart,
};
use engine::host::AdminStatement;
use jiff::Timestamp;
use model::run::OUTCOME_STEP_NAME;
use model::{
    Enlistment, Generation, HistoryRow, InstanceId, JobDocument, JobId, ReportPosition, RunId,
    RunSource, RunStatus, ServerId,
};
use msdb::services::{Execution, ExecutionStatus};
use std::sync::LazyLock;
use uuid::Uuid;

/// A way to build an instance.
#[derive(Clone, Copy)]
pub(in super::super) struct World {
    /// Its name.
    pub(in super::super) name: &'static str,
    /// Opens one. It is built once per test program; the others are copies.
    pub(in super::super) open: fn() -> Fixture,
}

/// A master with targets `t1` and `t2`, both in the group `pair`, and `t3`, which is in none.
///
/// Logins are named by what they are: `boss` (sysadmin), `user` and `mate` (SQLAgentUserRole), `reader`, `operator`,
/// `target` (TargetServersRole), `dbowner` (db_owner of msdb), `guest1` (no role).
///
/// | job | owner | targets | steps | schedules |
/// | --- | --- | --- | --- | --- |
/// | `local` | sa | here | one, two | daily, shared |
/// | `second` | sa | here | one | shared |
/// | `bare` | sa | | | |
/// | `fleet` | sa | t1, t2 | one | weekly |
/// | `own` | user | here | one | mine |
/// | `draft` | user | | | |
///
/// Schedules beside: `loose` (sa's, unused), `spare` (user's, unused) and two named `twice` (sa's, unused).
/// Then there are the operators MSXOperator and dba, the alert `alarm`, which starts `local`, categories `Ours`
/// (LOCAL), `Theirs` (MULTI-SERVER), `Loud` (ALERT) and `Night` (OPERATOR), and the proxy `px` for CmdExec, which
/// `user` may use. `local` ran twice (failed, then succeeded), `own` once (stopped), `fleet` once on t1 (failed). `second`
/// runs: the first retry of its step, asked for by `boss`.
pub(in super::super) const MASTER: World = World {
    name: "master",
    open: || {
        static BUILT: LazyLock<Copied> = LazyLock::new(|| master().copied());
        BUILT.open()
    },
};

/// A target of the master HQ with its job `theirs` (step one, schedule hourly), which runs, and jobs made here: `local`
/// (sa's, schedule daily), `own` (user's, schedule mine) and `draft` (user's). Logins as in [`MASTER`].
pub(in super::super) const TARGET: World = World {
    name: "target",
    open: || {
        static BUILT: LazyLock<Copied> = LazyLock::new(|| target().copied());
        BUILT.open()
    },
};

/// [`TARGET`] after it has left its master by force and kept the master's job.
pub(in super::super) const LEFT: World = World {
    name: "left",
    open: || {
        static BUILT: LazyLock<Copied> = LazyLock::new(|| {
            let fixture = target();
            fixture.write(|definitions| definitions.clear_enlistment());
            fixture.copied()
        });
        BUILT.open()
    },
};

const LOGINS: &[(&str, Option<&str>)] = &[
    ("boss", None),
    ("user", Some("SQLAgentUserRole")),
    ("mate", Some("SQLAgentUserRole")),
    ("reader", Some("SQLAgentReaderRole")),
    ("operator", Some("SQLAgentOperatorRole")),
    ("target", Some("TargetServersRole")),
    ("dbowner", Some("db_owner")),
    ("guest1", None),
];

const DEFINITIONS: &str = "
EXEC sp_add_operator @name = N'MSXOperator', @email_address = N'msx@hq'
EXEC sp_add_operator @name = N'dba', @email_address = N'dba@hq'
EXEC sp_add_category @class = 'JOB', @type = 'LOCAL', @name = N'Ours'
EXEC sp_add_category @class = 'JOB', @type = 'MULTI-SERVER', @name = N'Theirs'
EXEC sp_add_category @class = 'ALERT', @type = 'NONE', @name = N'Loud'
EXEC sp_add_category @class = 'OPERATOR', @type = 'NONE', @name = N'Night'
EXEC sp_add_proxy @proxy_name = N'px', @credential_name = N'cred'
EXEC sp_grant_proxy_to_subsystem @proxy_name = N'px', @subsystem_name = N'CmdExec'
EXEC sp_grant_login_to_proxy @proxy_name = N'px', @login_name = N'user'
EXEC sp_add_targetservergroup @name = N'pair'
EXEC sp_add_targetsvrgrp_member @group_name = N'pair', @server_name = N't1'
EXEC sp_add_targetsvrgrp_member @group_name = N'pair', @server_name = N't2'

EXEC sp_add_job @job_name = N'local', @description = N'Here.'
EXEC sp_add_jobstep @job_name = N'local', @step_name = N'one', @command = N'SELECT 1', @on_success_action = 3
EXEC sp_add_jobstep @job_name = N'local', @step_name = N'two', @command = N'SELECT 2', @database_name = N'msdb'
EXEC sp_add_job @job_name = N'second'
EXEC sp_add_jobstep @job_name = N'second', @step_name = N'one', @command = N'SELECT 1'
EXEC sp_add_job @job_name = N'bare'
EXEC sp_add_job @job_name = N'fleet'
EXEC sp_add_jobstep @job_name = N'fleet', @step_name = N'one', @command = N'SELECT 1'

EXEC sp_add_schedule @schedule_name = N'daily', @freq_type = 4, @freq_interval = 1, @active_start_time = 23000
EXEC sp_add_schedule @schedule_name = N'shared', @freq_type = 8, @freq_interval = 2, @freq_recurrence_factor = 1
EXEC sp_add_schedule @schedule_name = N'weekly', @freq_type = 8, @freq_interval = 64, @freq_recurrence_factor = 1
EXEC sp_add_schedule @schedule_name = N'loose', @freq_type = 64
EXEC sp_add_schedule @schedule_name = N'twice', @freq_type = 4
EXEC sp_add_schedule @schedule_name = N'twice', @freq_type = 4
EXEC sp_attach_schedule @job_name = N'local', @schedule_name = N'daily'
EXEC sp_attach_schedule @job_name = N'local', @schedule_name = N'shared'
EXEC sp_attach_schedule @job_name = N'second', @schedule_name = N'shared'
EXEC sp_attach_schedule @job_name = N'fleet', @schedule_name = N'weekly'

EXEC sp_add_jobserver @job_name = N'local'
EXEC sp_add_jobserver @job_name = N'second'
EXEC sp_add_jobserver @job_name = N'fleet', @server_name = N't1'
EXEC sp_add_jobserver @job_name = N'fleet', @server_name = N't2'
EXEC sp_add_alert @name = N'alarm', @severity = 17, @job_name = N'local'
";

const OF_USER: &str = "
EXEC sp_add_job @job_name = N'own'
EXEC sp_add_jobstep @job_name = N'own', @step_name = N'one', @command = N'SELECT 1'
EXEC sp_add_schedule @schedule_name = N'mine', @freq_type = 4, @freq_interval = 1
EXEC sp_attach_schedule @job_name = N'own', @schedule_name = N'mine'
EXEC sp_add_jobserver @job_name = N'own'
EXEC sp_add_job @job_name = N'draft'
EXEC sp_add_schedule @schedule_name = N'spare', @freq_type = 4, @freq_interval = 1
";

/// What `local` did on the days before [`NOW`].
const RUNS: &str = "
DECLARE @local uniqueidentifier = (SELECT job_id FROM sysjobs WHERE name = N'local')
DECLARE @dba int = (SELECT id FROM sysoperators WHERE name = N'dba')
EXEC sp_sqlagent_log_jobhistory @job_id = @local, @step_id = 1, @sql_message_id = 208, @sql_severity = 16,
    @message = N'No such table.', @run_status = 2, @run_date = 20261101, @run_time = 23000, @run_duration = 5,
    @retries_attempted = 0
EXEC sp_sqlagent_log_jobhistory @job_id = @local, @step_id = 1, @sql_message_id = 208, @sql_severity = 16,
    @message = N'Still none.', @run_status = 0, @run_date = 20261101, @run_time = 23005, @run_duration = 10,
    @retries_attempted = 1
EXEC sp_sqlagent_log_jobhistory @job_id = @local, @step_id = 0, @message = N'The job failed.', @run_status = 0,
    @run_date = 20261101, @run_time = 23000, @run_duration = 15, @operator_id_emailed = @dba, @retries_attempted = 0
EXEC sp_sqlagent_log_jobhistory @job_id = @local, @step_id = 1, @message = N'Well.', @run_status = 1,
    @run_date = 20261102, @run_time = 23000, @run_duration = 100, @retries_attempted = 0
EXEC sp_sqlagent_log_jobhistory @job_id = @local, @step_id = 0, @message = N'The job succeeded.', @run_status = 1,
    @run_date = 20261102, @run_time = 23000, @run_duration = 101, @retries_attempted = 0
";

/// Runs a script that must succeed.
fn script(fixture: &Fixture, login: &str, text: &str) {
    let mut session = scripts::session(fixture, login);
    // One commit, one wait for the disk.
    let text = format!("USE msdb\nBEGIN TRANSACTION\n{text}\nCOMMIT");
    assert_eq!(scripts::errors(&mut session, &text), [], "by {login}");
}

fn with_logins() -> Fixture {
    let fixture = Fixture::new();
    for (login, role) in LOGINS {
        fixture.member(login, *role);
    }
    let mut sa = fixture.sa();
    sa.ok(
        "sp_addsrvrolemember",
        &[("@loginame", s("boss")), ("@rolename", s("sysadmin"))],
    );
    sa.administer(&AdminStatement::CreateCredential {
        name: "cred".to_owned(),
        identity: "who".to_owned(),
        secret: None,
    });
    drop(sa);
    fixture
}

fn master() -> Fixture {
    let fixture = with_logins();
    let targets: Vec<ServerId> = ["t1", "t2", "t3"].map(|name| fixture.target(name)).into();
    script(&fixture, "sa", DEFINITIONS);
    script(&fixture, "user", OF_USER);
    script(&fixture, "sa", RUNS);
    ran(&fixture, &targets);
    running(&fixture, "second", 1);
    fixture
}

/// Makes a job run its first step.
fn running(fixture: &Fixture, name: &str, retry_attempt: i32) {
    let job = fixture
        .catalog
        .definitions_read(|definitions| definitions.jobs_by_name(name))
        .unwrap()
        .remove(0);
    fixture.fake.running.lock().unwrap().push(Execution {
        job: job.id,
        status: ExecutionStatus::Executing,
        step: Some((1, "one".to_owned())),
        retry_attempt,
        request_source: 4,
        request_source_id: Some("boss".to_owned()),
    });
}

/// The rest of what happened: a run of `own` in the agent's second session, one of `fleet` on t1, next runs, a poll
/// and a step's log.
fn ran(fixture: &Fixture, targets: &[ServerId]) {
    let now = at(NOW);
    let id = |name: &str| {
        fixture
            .sa()
            .select("sysjobs", &[("name", s(name))])
            .unwrap()[0][0]
            .as_guid()
    };
    let [local, own, fleet] = ["local", "own", "fleet"].map(|name| JobId(id(name).unwrap()));
    let (daily, step) = fixture
        .catalog
        .definitions_read(|definitions| {
            let daily = definitions
                .schedules_by_name("daily")?
                .remove(0)
                .schedule
                .uid;
            Ok::<_, catalog::CatalogError>((daily, definitions.steps(local)?.remove(0).uid))
        })
        .unwrap();
    let stopped = HistoryRow {
        run_id: RunId(Uuid::from_u128(1)),
        row: 0,
        job_id: own,
        step_id: 0,
        step_name: OUTCOME_STEP_NAME.to_owned(),
        step_uid: None,
        sql_message_id: 0,
        sql_severity: 0,
        message: "Stopped.".to_owned(),
        status: RunStatus::Canceled,
        started: at("2026-11-02T12:00:00Z"),
        utc_offset_minutes: 0,
        duration_ms: 3_600_000,
        retries_attempted: 0,
        server: "Master".to_owned(),
        output: None,
    };
    let reported = HistoryRow {
        run_id: RunId(Uuid::from_u128(2)),
        job_id: fleet,
        message: "Failed there.".to_owned(),
        status: RunStatus::Failed,
        started: at("2026-11-02T22:00:00Z"),
        utc_offset_minutes: 60,
        duration_ms: 2_000,
        server: "T1".to_owned(),
        ..stopped.clone()
    };
    fixture
        .catalog
        .runs_write(|runs| {
            runs.open_session(at("2026-11-01T00:00:00Z"), &[local, own])?;
            let session = runs.open_session(at("2026-11-02T00:00:00Z"), &[local, own])?;
            runs.begin_run(&NewRun {
                id: stopped.run_id,
                job: own,
                source: RunSource::User {
                    login: "user".to_owned(),
                },
                requested: stopped.started,
                started: stopped.started,
                start_step_id: 1,
                session: session.id,
            })?;
            runs.step_started(&StepStart {
                run: stopped.run_id,
                step_id: 1,
                retry: 0,
                started: stopped.started,
                launch: 1,
                process: None,
            })?;
            runs.record_history(RecordHistory {
                row: &stopped,
                operators: [0; 3],
                report: false,
            })?;
            runs.store_reports(ReportBatch {
                server: targets[0],
                instance: InstanceId(Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"t1")),
                rows: &[QueuedReport {
                    position: ReportPosition(1),
                    row: reported,
                }],
                received: now,
            })?;
            runs.set_next_run(&NextRun {
                job: local,
                schedule: daily,
                next: Some(at("2026-11-04T02:30:00Z")),
                accounted: None,
            })?;
            runs.write_step_log(local, step, "hello", false, 100, now)?;
            runs.record_polls(&[Poll {
                server: targets[0],
                at: now,
                target_clock: now,
                utc_offset_minutes: 60,
            }])
        })
        .unwrap();
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn target() -> Fixture {
    let fixture = with_logins();
    script(
        &fixture,
        "sa",
        "EXEC sp_add_operator @name = N'MSXOperator', @email_address = N'msx@hq'
        EXEC sp_add_job @job_name = N'theirs'
        EXEC sp_add_jobstep @job_name = N'theirs', @step_name = N'one', @command = N'SELECT 1'
        EXEC sp_add_jobschedule @job_name = N'theirs', @name = N'hourly', @freq_type = 4, @freq_interval = 1,
            @freq_subday_type = 8, @freq_subday_interval = 1
        EXEC sp_add_jobserver @job_name = N'theirs'",
    );
    downloaded(&fixture, "theirs");
    enlisted(&fixture);
    script(
        &fixture,
        "sa",
        "EXEC sp_add_job @job_name = N'local'
        EXEC sp_add_jobstep @job_name = N'local', @step_name = N'one', @command = N'SELECT 1'
        EXEC sp_add_jobschedule @job_name = N'local', @name = N'daily', @freq_type = 4, @freq_interval = 1
        EXEC sp_add_jobserver @job_name = N'local'",
    );
    script(&fixture, "user", OF_USER);
    running(&fixture, "theirs", 0);
    fixture
}

/// Makes a job and its schedules the master's, as their document brings them.
fn downloaded(fixture: &Fixture, name: &str) {
    let document: Option<JobDocument> = fixture
        .catalog
        .definitions_read(|definitions| {
            let job = definitions.jobs_by_name(name)?.remove(0);
            definitions.job_document(job.id)
        })
        .unwrap();
    let mut document = document.unwrap();
    script(
        fixture,
        "sa",
        &format!("EXEC sp_delete_job @job_name = N'{name}'"),
    );
    document.job.originating_server = Some("HQ".to_owned());
    for schedule in &mut document.schedules {
        schedule.originating_server = Some("HQ".to_owned());
    }
    fixture.write(|definitions| definitions.apply_job(&document));
}

fn enlisted(fixture: &Fixture) {
    let enlistment = Enlistment {
        master_name: "HQ".to_owned(),
        master_address: "hq,1433".to_owned(),
        master_id: InstanceId(Uuid::from_u128(77)),
        generation: Generation(1),
        enlisted: NOW.parse().unwrap(),
        poll_interval_secs: 60,
    };
    fixture.write(|definitions| {
        definitions.set_enlistment(&EnlistmentRow {
            enlistment,
            location: None,
            encryption: 2,
            pinned_ca_pem: String::new(),
            certificate_pem: String::new(),
            certificate_expires: None,
            sealed_key: Vec::new(),
        })
    });
}
