//! What the administrator does, by chance.

use crate::context::Context;
use crate::master::Master;
use crate::master::store::{Define, Order};
use crate::target::Target;
use crate::target::store::TROUBLE_MARK;
use crate::time::wall;
use jiff::civil::{Date, Time};
use model::{
    CategoryId, Frequency, InstanceId, Job, JobDocument, JobId, JobStep, NotifyLevel, OperatorId,
    RunId, Schedule, ScheduleUid, StepAction, StepUid, Subday, Subsystem,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Jobs a master has at most.
pub(crate) const JOBS_MAX: usize = 8;

/// Jobs that are there from the beginning.
pub(crate) fn begin(master: &mut Master, targets: &[Target], ctx: &mut Context) {
    let everyone: BTreeSet<InstanceId> = targets.iter().map(|target| target.instance).collect();
    define_job(master, everyone, ctx);
}

/// One act.
pub(crate) fn act(master: &mut Master, targets: &mut [Target], ctx: &mut Context) {
    if !master.is_up() {
        return;
    }
    let jobs: Vec<JobId> = master.definitions.current().jobs.keys().copied().collect();
    let chosen = ctx.random.index(targets.len());
    let instance = targets[chosen].instance;
    let seed = ctx.random.next();
    let what = ctx.random.between(0, 99);
    if jobs.is_empty() || (what < 15 && jobs.len() < JOBS_MAX) {
        let some = some_targets(targets, ctx);
        return define_job(master, some, ctx);
    }
    let job = jobs[ctx.random.index(jobs.len())];
    let write = match what {
        0..30 => change_job(master, job, ctx),
        30..60 => start(master, job, seed, ctx),
        60..67 => post(vec![instance], Order::Stop(job), seed),
        67..75 => {
            let targets = some_targets(targets, ctx);
            Define::Retarget { job, targets, seed }
        }
        75..79 => Define::DeleteJob { job, seed },
        79..83 => {
            let secs = u32::try_from(ctx.random.between(10, 600)).expect("small");
            post(vec![instance], Order::SetPoll(secs), seed)
        }
        83..85 => post(vec![instance], Order::ReEnlist, seed),
        85..88 => Define::Resync {
            instance,
            after: None,
            seed,
        },
        88..91 => return settle_block(master, &mut targets[chosen], ctx),
        91..93 => post(vec![instance], Order::Defect, seed),
        93..95 => Define::Remove(instance),
        95..97 => return targets[chosen].leave(ctx),
        97..98 => return targets[chosen].want_enlistment(ctx),
        _ => return targets[chosen].force_poll(ctx),
    };
    master.administer(write, ctx);
}

/// Deals with what blocks a target: puts the target right, or gives the instruction up.
pub(crate) fn settle_block(master: &mut Master, target: &mut Target, ctx: &mut Context) {
    let instance = target.instance;
    let blocking = master
        .definitions
        .durable
        .members
        .get(&instance)
        .and_then(|member| master.runs.durable.blocking(instance, member));
    let Some(number) = blocking else {
        return;
    };
    if ctx.random.permille(300) {
        target.given_up = true;
        master.administer(Define::DeleteRow { instance, number }, ctx);
    } else {
        target.put_right = ctx.random.permille(700);
        master.clear_error(instance, ctx);
    }
}

fn post(instances: Vec<InstanceId>, order: Order, seed: u64) -> Define {
    Define::Post {
        instances,
        order,
        seed,
    }
}

fn start(master: &Master, job: JobId, seed: u64, ctx: &mut Context) -> Define {
    let all: Vec<InstanceId> = master
        .definitions
        .current()
        .jobs
        .get(&job)
        .map(|job| job.targets.iter().copied().collect())
        .unwrap_or_default();
    let instances = if ctx.random.permille(500) || all.is_empty() {
        all
    } else {
        vec![all[ctx.random.index(all.len())]]
    };
    // Each target's run gets its own id when posted.
    let run = RunId(uuid::Uuid::nil());
    post(instances, Order::Start { job, run }, seed)
}

fn some_targets(targets: &[Target], ctx: &mut Context) -> BTreeSet<InstanceId> {
    targets
        .iter()
        .filter(|_| ctx.random.permille(600))
        .map(|target| target.instance)
        .collect()
}

fn define_job(master: &mut Master, targets: BTreeSet<InstanceId>, ctx: &mut Context) {
    let document = Arc::new(new_document(ctx));
    let seed = ctx.random.next();
    master.administer(
        Define::Job {
            document,
            targets,
            seed,
        },
        ctx,
    );
}

fn change_job(master: &Master, id: JobId, ctx: &mut Context) -> Define {
    let mut document = master
        .definitions
        .current()
        .jobs
        .get(&id)
        .map(|job| JobDocument::clone(&job.document))
        .unwrap_or_else(|| new_document(ctx));
    document.job.version += 1;
    document.job.modified = wall(ctx.now, 0);
    let header_only = ctx.random.permille(500);
    if header_only {
        document.job.enabled = ctx.random.permille(700);
        document.job.description = Some(format!("changed at {}", ctx.now));
    } else {
        document.steps = steps(ctx);
        if ctx.random.permille(500) {
            document.schedules = schedules(ctx);
        }
        document.job.name = name(id, ctx);
    }
    Define::Change {
        document: Arc::new(document),
        header_only,
        seed: ctx.random.next(),
    }
}

fn name(id: JobId, ctx: &mut Context) -> String {
    let trouble = ctx.trouble && ctx.options.faults_per_hour > 0 && ctx.random.permille(60);
    let mark = if trouble {
        TROUBLE_MARK.to_string()
    } else {
        String::new()
    };
    format!("job {}{mark}", id.0.as_simple())
}

fn new_document(ctx: &mut Context) -> JobDocument {
    let id = JobId(ctx.random.uuid());
    let now = wall(ctx.now, 0);
    JobDocument {
        job: Job {
            id,
            originating_server: Some("MASTER".to_owned()),
            name: name(id, ctx),
            enabled: true,
            description: None,
            start_step_id: 1,
            category: CategoryId(1),
            owner_sid: vec![1],
            notify_level_eventlog: NotifyLevel::OnFailure,
            notify_level_email: NotifyLevel::Never,
            notify_level_netsend: NotifyLevel::Never,
            notify_level_page: NotifyLevel::Never,
            notify_email_operator: OperatorId(0),
            notify_netsend_operator: OperatorId(0),
            notify_page_operator: OperatorId(0),
            delete_level: NotifyLevel::Never,
            created: now,
            modified: now,
            version: 1,
        },
        steps: steps(ctx),
        schedules: schedules(ctx),
        owner_login: "sa".to_owned(),
        category_name: "Jobs from MSX".to_owned(),
    }
}

fn steps(ctx: &mut Context) -> Vec<JobStep> {
    let count = i32::try_from(ctx.random.between(1, 3)).expect("small");
    (1..=count)
        .map(|step_id| JobStep {
            step_id,
            uid: StepUid(ctx.random.uuid()),
            name: format!("step {step_id}"),
            subsystem: Subsystem::CmdExec,
            command: Some("true".to_owned()),
            flags: 0,
            additional_parameters: None,
            cmdexec_success_code: 0,
            on_success: StepAction::GoToNextStep,
            on_success_step_id: 0,
            on_fail: if ctx.random.permille(500) {
                StepAction::QuitWithFailure
            } else {
                StepAction::GoToNextStep
            },
            on_fail_step_id: 0,
            server: None,
            database_name: None,
            database_user_name: None,
            retry_attempts: i32::try_from(ctx.random.between(0, 2)).expect("small"),
            retry_interval_minutes: i32::try_from(ctx.random.between(0, 3)).expect("small"),
            os_run_priority: 0,
            output_file_name: None,
            proxy_name: None,
        })
        .collect()
}

fn schedules(ctx: &mut Context) -> Vec<Schedule> {
    let count = ctx.random.between(0, 2);
    let now = wall(ctx.now, 0);
    (0..count)
        .map(|_| {
            let every = i32::try_from(ctx.random.between(5, 90)).expect("small");
            let subday = if ctx.random.permille(900) {
                Subday::Minutes(every)
            } else {
                Subday::Hours(1)
            };
            Schedule {
                uid: ScheduleUid(ctx.random.uuid()),
                name: "every so often".to_owned(),
                originating_server: Some("MASTER".to_owned()),
                owner_sid: vec![1],
                enabled: ctx.random.permille(900),
                frequency: Frequency::Daily { every_days: 1 },
                subday,
                raw: [1, 4, every, 0, 0],
                active_start_date: Date::constant(2026, 1, 1),
                active_end_date: Date::constant(9999, 12, 31),
                active_start_time: Time::constant(0, 3, 0, 0),
                active_end_time: Time::constant(23, 59, 59, 0),
                created: now,
                modified: now,
                version: 1,
            }
        })
        .collect()
}
