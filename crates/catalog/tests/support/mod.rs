//! Fixtures: a catalog in a directory of its own, and things to put into it.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "fixtures of tests may unwrap")]

use catalog::{
    Catalog, CatalogOptions, JobDeletion, NewInstance, NewInstruction, NewRun, NewTarget,
    QueuedReport,
};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use model::{
    CategoryId, Frequency, HistoryRow, InstanceId, InstructionObject, Job, JobDocument, JobId,
    JobStep, NotifyLevel, Operation, OperatorId, ReportPosition, RunId, RunSource, RunStatus,
    Schedule, ScheduleUid, StepAction, StepUid, Subday, Subsystem,
};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A directory that goes with the test.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("muster-catalog-{}", Uuid::new_v4()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A copy as a crash would leave it: whatever the files hold at this moment, log included.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        for name in ["msdb.db", "msdb.db-wal", "runs.db", "runs.db-wal"] {
            let from = self.0.join(name);
            if from.exists() {
                std::fs::copy(from, copy.0.join(name)).unwrap();
            }
        }
        copy
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + seconds).unwrap()
}

pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x1000_0000_0000_0000_0000_0000_0000_0000 + n)
}

pub(crate) fn options() -> CatalogOptions {
    CatalogOptions {
        new_instance: Some(NewInstance {
            id: InstanceId(id(1)),
            name: "MASTER".to_owned(),
            created: at(0),
        }),
        ..CatalogOptions::default()
    }
}

pub(crate) fn open(directory: &Directory) -> Catalog {
    Catalog::open(directory.path(), options()).unwrap()
}

pub(crate) fn job(n: u128, name: &str) -> Job {
    Job {
        id: JobId(id(n)),
        originating_server: None,
        name: name.to_owned(),
        enabled: true,
        description: Some("what it does".to_owned()),
        start_step_id: 1,
        category: CategoryId(0),
        owner_sid: vec![1],
        notify_level_eventlog: NotifyLevel::OnFailure,
        notify_level_email: NotifyLevel::Never,
        notify_level_netsend: NotifyLevel::Never,
        notify_level_page: NotifyLevel::Never,
        notify_email_operator: OperatorId(0),
        notify_netsend_operator: OperatorId(0),
        notify_page_operator: OperatorId(0),
        delete_level: NotifyLevel::Never,
        created: at(0),
        modified: at(0),
        version: 1,
    }
}

pub(crate) fn step(n: u128, step_id: i32, name: &str) -> JobStep {
    JobStep {
        step_id,
        uid: StepUid(id(n)),
        name: name.to_owned(),
        subsystem: Subsystem::CmdExec,
        command: Some("true".to_owned()),
        flags: 0,
        additional_parameters: None,
        cmdexec_success_code: 0,
        on_success: StepAction::GoToNextStep,
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

pub(crate) fn schedule(n: u128, name: &str) -> Schedule {
    Schedule {
        uid: ScheduleUid(id(n)),
        name: name.to_owned(),
        originating_server: None,
        owner_sid: vec![1],
        enabled: true,
        frequency: Frequency::Daily { every_days: 1 },
        subday: Subday::Minutes(5),
        raw: [1, 4, 5, 0, 0],
        active_start_date: Date::constant(2026, 1, 1),
        active_end_date: Date::constant(9999, 12, 31),
        active_start_time: Time::constant(0, 0, 0, 0),
        active_end_time: Time::constant(23, 59, 59, 0),
        created: at(0),
        modified: at(0),
        version: 1,
    }
}

pub(crate) fn document(
    n: u128,
    name: &str,
    steps: Vec<JobStep>,
    schedules: Vec<Schedule>,
) -> JobDocument {
    let from = |mut schedule: Schedule| {
        schedule.originating_server = Some("MASTER".to_owned());
        schedule
    };
    JobDocument {
        job: Job {
            originating_server: Some("MASTER".to_owned()),
            ..job(n, name)
        },
        steps,
        schedules: schedules.into_iter().map(from).collect(),
        owner_login: "sa".to_owned(),
        category_name: "[Uncategorized (Multi-Server)]".to_owned(),
    }
}

pub(crate) fn target(n: u128, name: &str) -> NewTarget {
    NewTarget {
        name: name.to_owned(),
        location: Some("rack 4".to_owned()),
        utc_offset_minutes: 60,
        enlisted: at(1),
        enlisted_by: "sa".to_owned(),
        poll_interval_secs: 60,
        instance: InstanceId(id(n)),
        version: "0.1.0".to_owned(),
        previous_generation: None,
    }
}

pub(crate) fn instruction(n: u128, operation: Operation, job: JobId) -> NewInstruction {
    NewInstruction {
        uid: id(n),
        operation,
        object: InstructionObject::Job,
        object_id: job.0,
        run: None,
        login: "sa".to_owned(),
        step_name: None,
        poll_interval_secs: None,
        deleted_object_name: None,
        posted: at(2),
    }
}

pub(crate) fn run(n: u128, job: JobId, session: i64, started: i64) -> NewRun {
    NewRun {
        id: RunId(id(n)),
        job,
        source: RunSource::User {
            login: "sa".to_owned(),
        },
        requested: at(started),
        started: at(started),
        start_step_id: 1,
        session,
    }
}

/// Row `row` of a run: a step for step ids from 1, the outcome for 0.
pub(crate) fn row(run: u128, job: JobId, row: u32, step_id: i32, started: i64) -> HistoryRow {
    HistoryRow {
        run_id: RunId(id(run)),
        row,
        job_id: job,
        step_id,
        step_name: if step_id == 0 {
            "(Job outcome)".to_owned()
        } else {
            format!("step {step_id}")
        },
        step_uid: (step_id > 0).then(|| StepUid(id(900 + u128::try_from(step_id).unwrap()))),
        sql_message_id: 0,
        sql_severity: 0,
        message: "The step succeeded.".to_owned(),
        status: RunStatus::Succeeded,
        started: at(started),
        utc_offset_minutes: 60,
        duration_ms: 1_500,
        retries_attempted: 0,
        server: "TARGET".to_owned(),
        output: (step_id > 0).then(|| "output".to_owned()),
    }
}

pub(crate) fn report(position: u64, row: HistoryRow) -> QueuedReport {
    QueuedReport {
        position: ReportPosition(position),
        row,
    }
}

pub(crate) const DELETION: JobDeletion = JobDeletion {
    keep_history: false,
    delete_unused_schedules: true,
};
