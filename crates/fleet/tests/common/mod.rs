//! Messages for tests: at least one of each kind, every field set to something of its own.
#![allow(dead_code, reason = "each test uses its part")]

use fleet::message::{
    BackoffAdvice, EnlistAnswer, EnlistReply, EnlistRequest, Hello, HelloReply, InstructionText,
    Instructions, Proof, Refusal, ReportRow, Results, TargetFacts, ToMaster, ToTarget,
};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use model::{
    CategoryId, Cursor, Frequency, Generation, HistoryRow, InstanceId, Instruction,
    InstructionBody, InstructionNumber, Job, JobDocument, JobId, JobStep, NotifyLevel, Operator,
    OperatorId, RelativeWeek, ReportPosition, RunId, RunStatus, Schedule, ScheduleUid, StepAction,
    StepUid, Subday, Subsystem,
};
use std::time::Duration;
use uuid::Uuid;

pub(crate) fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x0123_4567_89ab_cdef_0000_0000_0000_0000 + n)
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).expect("within range")
}

pub(crate) fn cursor(number: u64) -> Cursor {
    Cursor {
        number: InstructionNumber(number),
        uid: uuid(u128::from(number)),
    }
}

pub(crate) fn facts() -> TargetFacts {
    TargetFacts {
        name: r"EDGE1\SHOP".to_owned(),
        location: Some("Lyon, cellar".to_owned()),
        utc_offset_minutes: -90,
        program_version: "0.1.0".to_owned(),
    }
}

pub(crate) fn refusal() -> Refusal {
    Refusal {
        number: 14_541,
        text: "too new".to_owned(),
        retry_after: Duration::from_millis(1_500),
    }
}

pub(crate) fn operator() -> Operator {
    Operator {
        id: OperatorId(4),
        name: "MSXOperator".to_owned(),
        enabled: true,
        email_address: Some("dba@example.com".to_owned()),
        pager_address: None,
        netsend_address: Some("desk".to_owned()),
        pager_days: 62,
        weekday_pager_start_time: 80_000,
        weekday_pager_end_time: 180_000,
        saturday_pager_start_time: 90_000,
        saturday_pager_end_time: 120_000,
        sunday_pager_start_time: 1,
        sunday_pager_end_time: 2,
        category: CategoryId(99),
    }
}

pub(crate) fn job(id: u128, name: &str) -> Job {
    Job {
        id: JobId(uuid(id)),
        originating_server: Some("MASTER".to_owned()),
        name: name.to_owned(),
        enabled: true,
        description: Some("Für alle 🚀".to_owned()),
        start_step_id: 1,
        category: CategoryId(2),
        owner_sid: vec![1],
        notify_level_eventlog: NotifyLevel::OnFailure,
        notify_level_email: NotifyLevel::Always,
        notify_level_netsend: NotifyLevel::Never,
        notify_level_page: NotifyLevel::OnSuccess,
        notify_email_operator: OperatorId(4),
        notify_netsend_operator: OperatorId(5),
        notify_page_operator: OperatorId(6),
        delete_level: NotifyLevel::Never,
        created: at(1),
        modified: at(2),
        version: 3,
    }
}

pub(crate) fn step(step_id: i32) -> JobStep {
    JobStep {
        step_id,
        uid: StepUid(uuid(7_000)),
        name: format!("step {step_id}"),
        subsystem: Subsystem::CmdExec,
        command: Some("echo hello".to_owned()),
        flags: 6,
        additional_parameters: Some("<x/>".to_owned()),
        cmdexec_success_code: 3,
        on_success: StepAction::GoToNextStep,
        on_success_step_id: 0,
        on_fail: StepAction::GoToStep,
        on_fail_step_id: 1,
        server: Some("srv".to_owned()),
        database_name: Some("msdb".to_owned()),
        database_user_name: Some("dbo".to_owned()),
        retry_attempts: 2,
        retry_interval_minutes: 5,
        os_run_priority: -1,
        output_file_name: Some("/tmp/out".to_owned()),
        proxy_name: Some("proxy".to_owned()),
    }
}

pub(crate) fn schedule(frequency: Frequency, subday: Subday) -> Schedule {
    Schedule {
        uid: ScheduleUid(uuid(8_000)),
        name: "nightly".to_owned(),
        originating_server: None,
        owner_sid: vec![1, 2, 3],
        enabled: true,
        frequency,
        subday,
        raw: [1, 2, 3, 4, 5],
        active_start_date: Date::constant(2026, 1, 2),
        active_end_date: Date::constant(9999, 12, 31),
        active_start_time: Time::constant(2, 30, 15, 0),
        active_end_time: Time::constant(23, 59, 59, 0),
        created: at(3),
        modified: at(4),
        version: 5,
    }
}

pub(crate) fn document() -> JobDocument {
    let frequencies = [
        (Frequency::Once, Subday::Once),
        (Frequency::Daily { every_days: 2 }, Subday::Minutes(10)),
        (
            Frequency::Weekly {
                weekdays: 65,
                every_weeks: 3,
            },
            Subday::Hours(4),
        ),
        (
            Frequency::Monthly {
                day: 31,
                every_months: 2,
            },
            Subday::Seconds(30),
        ),
        (
            Frequency::MonthlyRelative {
                day_kind: 9,
                week: RelativeWeek::Last,
                every_months: 1,
            },
            Subday::Once,
        ),
        (Frequency::AgentStart, Subday::Once),
        (Frequency::CpuIdle, Subday::Once),
    ];
    let bare = JobStep {
        subsystem: Subsystem::TSql,
        command: None,
        additional_parameters: None,
        server: None,
        database_name: None,
        database_user_name: None,
        output_file_name: None,
        proxy_name: None,
        ..step(2)
    };
    JobDocument {
        job: job(100, "Backup"),
        steps: vec![step(1), bare],
        schedules: frequencies
            .into_iter()
            .map(|(frequency, subday)| schedule(frequency, subday))
            .collect(),
        owner_login: "sa".to_owned(),
        category_name: "[Uncategorized (Multi-Server)]".to_owned(),
    }
}

pub(crate) fn history_row(row: u32) -> HistoryRow {
    HistoryRow {
        run_id: RunId(uuid(300)),
        row,
        job_id: JobId(uuid(100)),
        step_id: 1,
        step_name: "step 1".to_owned(),
        step_uid: Some(StepUid(uuid(7_000))),
        sql_message_id: 50_000,
        sql_severity: 16,
        message: "The step failed.".to_owned(),
        status: RunStatus::Failed,
        started: at(10),
        utc_offset_minutes: 120,
        duration_ms: 1_234,
        retries_attempted: 1,
        server: "EDGE1".to_owned(),
        output: Some("line\n".to_owned()),
    }
}

pub(crate) fn instruction(number: u64, body: InstructionBody) -> Instruction {
    Instruction {
        number: InstructionNumber(number),
        uid: uuid(u128::from(number)),
        body,
    }
}

pub(crate) fn start(number: u64, job: u128) -> Instruction {
    instruction(
        number,
        InstructionBody::Start {
            job: JobId(uuid(job)),
            run: RunId(uuid(10_000 + u128::from(number))),
            login: "sa".to_owned(),
            step_name: Some("step 2".to_owned()),
        },
    )
}

pub(crate) fn all_instructions() -> Vec<Instruction> {
    let job = JobId(uuid(100));
    let bodies = vec![
        InstructionBody::Insert(Some(Box::new(document()))),
        InstructionBody::Insert(None),
        InstructionBody::Update(Some(Box::new(JobDocument {
            steps: Vec::new(),
            schedules: Vec::new(),
            ..document()
        }))),
        InstructionBody::Update(None),
        InstructionBody::Delete(JobId::ALL),
        InstructionBody::Stop {
            job,
            login: "sa".to_owned(),
        },
        InstructionBody::ReEnlist {
            operator: Some(Box::new(operator())),
        },
        InstructionBody::ReEnlist { operator: None },
        InstructionBody::Defect,
        InstructionBody::SyncTime,
        InstructionBody::SetPoll(600),
    ];
    let mut list: Vec<Instruction> = (1..)
        .zip(bodies)
        .map(|(number, body)| instruction(number, body))
        .collect();
    list.push(start(12, 100));
    list
}

pub(crate) fn to_master() -> Vec<(&'static str, ToMaster)> {
    vec![
        (
            "hello",
            ToMaster::Hello(Box::new(Hello {
                version: 1,
                instance: InstanceId(uuid(1)),
                facts: facts(),
                generation: Generation(3),
                cursor: cursor(41),
                reports_acknowledged: ReportPosition(77),
                clock: at(5),
                incarnation_seen: Some(uuid(2)),
            })),
        ),
        (
            "hello-first",
            ToMaster::Hello(Box::new(Hello {
                version: 1,
                instance: InstanceId(uuid(1)),
                facts: TargetFacts {
                    location: None,
                    ..facts()
                },
                generation: Generation(1),
                cursor: Cursor::START,
                reports_acknowledged: ReportPosition(0),
                clock: at(5),
                incarnation_seen: None,
            })),
        ),
        (
            "fetch",
            ToMaster::Fetch {
                after: cursor(41),
                max: 256,
                waits: false,
            },
        ),
        (
            "fetch_waiting",
            ToMaster::Fetch {
                after: cursor(41),
                max: 256,
                waits: true,
            },
        ),
        (
            "results",
            ToMaster::Results(Results {
                cursor: cursor(42),
                refused: vec![InstructionText {
                    instruction: cursor(40),
                    text: "runs already".to_owned(),
                }],
                failed: Some(InstructionText {
                    instruction: cursor(43),
                    text: "Proxy not found.".to_owned(),
                }),
            }),
        ),
        (
            "reports",
            ToMaster::Reports(vec![
                ReportRow {
                    position: ReportPosition(78),
                    row: history_row(0),
                },
                ReportRow {
                    position: ReportPosition(80),
                    row: HistoryRow {
                        step_uid: None,
                        output: None,
                        step_id: 0,
                        status: RunStatus::Succeeded,
                        ..history_row(1)
                    },
                },
            ]),
        ),
        (
            "poll",
            ToMaster::Poll {
                clock: at(6),
                utc_offset_minutes: 60,
            },
        ),
        ("facts", ToMaster::Facts(facts())),
        (
            "renew",
            ToMaster::Renew {
                request_der: vec![0x30, 3, 2, 1, 5],
            },
        ),
        (
            "leave",
            ToMaster::Leave {
                generation: Generation(3),
            },
        ),
    ]
}

pub(crate) fn hello_reply() -> HelloReply {
    HelloReply {
        version: 1,
        master: InstanceId(uuid(9)),
        incarnation: uuid(2),
        poll_interval_secs: 60,
        reports_durable: ReportPosition(70),
        backoff: BackoffAdvice {
            base: Duration::from_millis(500),
            max: Duration::from_secs(30),
        },
        clock: at(7),
        generation: Generation(3),
        reports_only: None,
        addresses: vec!["master.example.com,1433".to_owned()],
    }
}

pub(crate) fn to_target() -> Vec<(&'static str, ToTarget)> {
    vec![
        ("hello-reply", ToTarget::HelloReply(Box::new(hello_reply()))),
        (
            "hello-reply-reports-only",
            ToTarget::HelloReply(Box::new(HelloReply {
                reports_only: Some(refusal()),
                ..hello_reply()
            })),
        ),
        ("refusal", ToTarget::Refusal(refusal())),
        ("change-notice", ToTarget::ChangeNotice { sequence: 12 }),
        (
            "instructions",
            ToTarget::Instructions(Instructions {
                generation: Generation(3),
                list: all_instructions(),
                more: true,
                sequence: 12,
                clock: at(8),
            }),
        ),
        (
            "results-ack",
            ToTarget::ResultsAck {
                through: InstructionNumber(42),
            },
        ),
        (
            "report-ack",
            ToTarget::ReportAck {
                through: ReportPosition(80),
            },
        ),
        (
            "poll-reply",
            ToTarget::PollReply {
                sequence: 13,
                clock: at(9),
            },
        ),
        (
            "defected",
            ToTarget::Defected {
                text: "bye".to_owned(),
            },
        ),
        (
            "renewed",
            ToTarget::Renewed(Ok(vec![vec![0x30, 0], vec![0x30, 1, 1]])),
        ),
        ("renewed-not", ToTarget::Renewed(Err(refusal()))),
    ]
}

pub(crate) fn enlist_requests() -> Vec<(&'static str, EnlistRequest)> {
    let by_token = EnlistRequest {
        version: 1,
        proof: Proof::Token {
            id: "k7".to_owned(),
            secret: vec![1, 2, 3],
        },
        instance: InstanceId(uuid(1)),
        facts: facts(),
        request_der: vec![0x30, 0],
        previous_generation: Some(Generation(2)),
        enlisted_at: Some(InstanceId(uuid(9))),
        requested_by: "sa".to_owned(),
    };
    let by_login = EnlistRequest {
        proof: Proof::Login {
            login: "enlister".to_owned(),
            password: "s3cret".to_owned(),
        },
        previous_generation: None,
        enlisted_at: None,
        ..by_token.clone()
    };
    vec![("enlist-by-token", by_token), ("enlist-by-login", by_login)]
}

pub(crate) fn enlist_answers() -> Vec<(&'static str, EnlistAnswer)> {
    vec![
        (
            "enlisted",
            Ok(EnlistReply {
                version: 1,
                master_name: "MASTER".to_owned(),
                master: InstanceId(uuid(9)),
                incarnation: uuid(2),
                generation: Generation(3),
                chain_der: vec![vec![0x30, 0]],
                ca_der: vec![0x30, 2, 5, 0],
                operator: Some(operator()),
                poll_interval_secs: 60,
                addresses: vec!["master,1433".to_owned()],
                clock: at(11),
                moved: true,
            }),
        ),
        ("enlist-refused", Err(refusal())),
    ]
}
