//! sp_add_jobstep, sp_update_jobstep, sp_delete_jobstep, sp_help_jobstep.

use super::proxy::may_use;
use crate::call::{Call, Output, Store};
use crate::caller::check_may_change;
use crate::convert::{duration_int, guid, int, ints_at_offset};
use crate::declare::{HELP_JOB_STEPS, HELP_JOBSTEP_STEPS};
use crate::error::{Fault, Result};
use crate::lookup;
use crate::messages::{none_of, raise, taken, text, unknown};
use crate::subsystems;
use catalog::{DefinitionsRead, DefinitionsWrite, Proxy, StepOutcome, name_key};
use model::job::{JOB_STEPS_MAX, STEP_COMMAND_BYTES_MAX};
use model::{Job, JobId, JobStep, StepAction, StepUid, Subsystem};
use std::collections::BTreeMap;
use tsql::{Row, Value};

/// Bits that `@flags` may have; 1 is internal.
const FLAG_BITS: i32 = 2 | 4 | 8 | 16 | 32 | 64;
/// `@os_run_priority`
const PRIORITIES: &[i32] = &[-15, -1, 0, 1, 15];
/// Subsystems whose steps may write an output file.
const WITH_OUTPUT_FILE: &[&str] = &[
    "TSQL",
    "CmdExec",
    "PowerShell",
    "SSIS",
    "ANALYSISQUERY",
    "ANALYSISCOMMAND",
];
/// Subsystems of replication: sysadmin and db_owner of msdb only.
const REPLICATION: &[&str] = &[
    "Snapshot",
    "LogReader",
    "Distribution",
    "Merge",
    "QueueReader",
];

/// `sp_add_jobstep`
pub(super) fn add(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let uid = StepUid(call.services.new_uuid());
    let multiserver = store.write(call, |definitions| {
        let (job, multiserver) = changeable_job(call, &*definitions)?;
        let mut steps = definitions.steps(job.id)?;
        let last = i32::try_from(steps.len()).unwrap_or(i32::MAX);
        let step_id = call.int("@step_id").unwrap_or(last + 1);
        if step_id < 1 || step_id > last + 1 {
            return Err(none_of("@step_id", &format!("1 to {}", last + 1)).into());
        }
        if steps.len() >= JOB_STEPS_MAX {
            return Err(none_of("@step_id", &format!("1 to {JOB_STEPS_MAX}")).into());
        }
        let mut step = JobStep {
            step_id,
            uid,
            name: String::new(),
            subsystem: Subsystem::TSql,
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
        };
        let context = Context {
            job: &job,
            multiserver,
            steps: &steps,
            steps_after: steps.len() + 1,
        };
        change(call, &*definitions, out, &mut step, &context)?;
        if step_id == last + 1 {
            definitions.append_step(job.id, &step)?;
        } else {
            insert_step(&mut steps, step);
            definitions.replace_steps(job.id, &steps)?;
        }
        definitions.touch_job(job.id, call.now)?;
        Ok(multiserver)
    })?;
    if multiserver {
        out.message(raise(14547, &[]));
    }
    out.set("@step_uid", guid(uid.0));
    Ok(())
}

/// `sp_update_jobstep`
pub(super) fn update(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let multiserver = store.write(call, |definitions| {
        let (job, multiserver) = changeable_job(call, &*definitions)?;
        let steps = definitions.steps(job.id)?;
        let mut step = step_by_id(call, &steps)?.clone();
        let context = Context {
            job: &job,
            multiserver,
            steps: &steps,
            steps_after: steps.len(),
        };
        change(call, &*definitions, out, &mut step, &context)?;
        definitions.update_step(job.id, &step)?;
        definitions.touch_job(job.id, call.now)?;
        Ok(multiserver)
    })?;
    if multiserver {
        out.message(raise(14547, &[]));
    }
    Ok(())
}

/// `sp_delete_jobstep`
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let (multiserver, gone) = store.write(call, |definitions| {
        let (job, multiserver) = changeable_job(call, &*definitions)?;
        let mut steps = definitions.steps(job.id)?;
        let mut gone: Vec<StepUid> = steps.iter().map(|step| step.uid).collect();
        if call.int("@step_id") == Some(0) {
            steps.clear();
        } else {
            let step = step_by_id(call, &steps)?;
            gone = vec![step.uid];
            let step_id = step.step_id;
            remove_step(&mut steps, step_id);
        }
        definitions.replace_steps(job.id, &steps)?;
        keep_start_step(definitions, &job, steps.len())?;
        definitions.touch_job(job.id, call.now)?;
        Ok((multiserver, gone))
    })?;
    // Logs lie in the runs file. Within a transaction, which may still be undone, they stay and are shown no more
    // (tables::history); they go with their job.
    if !store.in_transaction() {
        call.catalog().runs_write(|runs| {
            for step in gone {
                runs.delete_step_logs(step, None, None)?;
            }
            Ok::<(), Fault>(())
        })?;
    }
    if multiserver {
        out.message(raise(14547, &[]));
    }
    Ok(())
}

/// A run can't begin with a step that is gone: the start step falls back to the first.
fn keep_start_step(definitions: &mut dyn DefinitionsWrite, job: &Job, steps: usize) -> Result<()> {
    let beyond = usize::try_from(job.start_step_id).is_ok_and(|start| start > steps.max(1));
    if beyond {
        let mut job = job.clone();
        job.start_step_id = 1;
        definitions.update_job(&job)?;
    }
    Ok(())
}

/// Puts a step in at its place: it and those after it move down, and so do the steps that others go to.
/// What the new step goes to is meant as the steps are afterwards.
fn insert_step(steps: &mut Vec<JobStep>, step: JobStep) {
    let at = step.step_id;
    for other in steps.iter_mut() {
        if other.step_id >= at {
            other.step_id += 1;
        }
        shift_goto(other, |target| target + i32::from(target >= at));
    }
    steps.push(step);
    steps.sort_by_key(|step| step.step_id);
}

/// Takes a step out: later ones move up, and so do the steps that others go to. A step that went to the one
/// that is gone ends the job instead, as its default does.
fn remove_step(steps: &mut Vec<JobStep>, gone: i32) {
    steps.retain(|step| step.step_id != gone);
    for step in steps.iter_mut() {
        if step.step_id > gone {
            step.step_id -= 1;
        }
        if step.on_success == StepAction::GoToStep && step.on_success_step_id == gone {
            step.on_success = StepAction::QuitWithSuccess;
            step.on_success_step_id = 0;
        }
        if step.on_fail == StepAction::GoToStep && step.on_fail_step_id == gone {
            step.on_fail = StepAction::QuitWithFailure;
            step.on_fail_step_id = 0;
        }
        shift_goto(step, |target| target - i32::from(target > gone));
    }
}

fn shift_goto(step: &mut JobStep, shift: impl Fn(i32) -> i32) {
    if step.on_success == StepAction::GoToStep {
        step.on_success_step_id = shift(step.on_success_step_id);
    }
    if step.on_fail == StepAction::GoToStep {
        step.on_fail_step_id = shift(step.on_fail_step_id);
    }
}

fn changeable_job(call: &Call<'_>, definitions: &dyn DefinitionsRead) -> Result<(Job, bool)> {
    let job = lookup::job(call, definitions)?;
    let multiserver = lookup::is_multiserver(definitions, job.id)?;
    lookup::check_local(&job)?;
    check_may_change(&call.caller, &job, multiserver)?;
    Ok((job, multiserver))
}

fn step_by_id<'s>(call: &Call<'_>, steps: &'s [JobStep]) -> Result<&'s JobStep> {
    let id = call.int("@step_id").unwrap_or(0);
    steps
        .iter()
        .find(|step| step.step_id == id)
        .ok_or_else(|| unknown("@step_id", &id.to_string()).into())
}

/// What a step is checked against.
struct Context<'c> {
    job: &'c Job,
    multiserver: bool,
    steps: &'c [JobStep],
    /// Steps the job will have.
    steps_after: usize,
}

/// Puts the parameters into a step and checks it as a whole. sp_add_jobstep and sp_update_jobstep share it:
/// what is NULL stays as the step has it.
fn change(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    out: &mut Output<'_>,
    step: &mut JobStep,
    context: &Context<'_>,
) -> Result<()> {
    if let Some(name) = call.name("@step_name") {
        name.clone_into(&mut step.name);
    }
    if step.name.is_empty() {
        return Err(raise(14200, &["@step_name".into()]).into());
    }
    let clash = context
        .steps
        .iter()
        .any(|other| other.uid != step.uid && name_key(&other.name) == name_key(&step.name));
    if clash {
        return Err(taken("@step_name", &step.name).into());
    }
    change_subsystem(call, definitions, step)?;
    change_texts(call, step);
    if step
        .command
        .as_ref()
        .is_some_and(|command| command.len() > STEP_COMMAND_BYTES_MAX)
    {
        let most = i64::try_from(STEP_COMMAND_BYTES_MAX).unwrap_or(i64::MAX);
        return Err(raise(14250, &["@command".into(), most.into()]).into());
    }
    change_flow(call, out, step, context)?;
    change_numbers(call, step)?;
    change_proxy(call, definitions, step)?;
    check_rights(call, definitions, step, context)
}

fn change_subsystem(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    step: &mut JobStep,
) -> Result<()> {
    let Some(name) = call.name("@subsystem") else {
        return Ok(());
    };
    let Some(known) = subsystems::by_name(definitions, name)? else {
        return Err(subsystems::unknown().into());
    };
    if is_one_of(REPLICATION, name) && !call.caller.has_role("db_owner") {
        return Err(raise(14260, &[]).into());
    }
    step.subsystem = Subsystem::parse(&known.name);
    Ok(())
}

fn change_texts(call: &Call<'_>, step: &mut JobStep) {
    let texts = [
        ("@command", &mut step.command),
        ("@additional_parameters", &mut step.additional_parameters),
        ("@server", &mut step.server),
        ("@database_name", &mut step.database_name),
        ("@database_user_name", &mut step.database_user_name),
        ("@output_file_name", &mut step.output_file_name),
    ];
    for (parameter, field) in texts {
        if let Some(given) = call.text(parameter) {
            let clears = given.is_empty() && parameter != "@command";
            *field = (!clears).then(|| given.to_owned());
        }
    }
    if step.subsystem == Subsystem::TSql && step.database_name.is_none() {
        step.database_name = Some("master".to_owned());
    }
}

fn change_flow(
    call: &Call<'_>,
    out: &mut Output<'_>,
    step: &mut JobStep,
    context: &Context<'_>,
) -> Result<()> {
    let own = step.step_id;
    let flows = [
        (
            "@on_success_action",
            "@on_success_step_id",
            &mut step.on_success,
            &mut step.on_success_step_id,
        ),
        (
            "@on_fail_action",
            "@on_fail_step_id",
            &mut step.on_fail,
            &mut step.on_fail_step_id,
        ),
    ];
    for (action_parameter, target_parameter, action, target) in flows {
        if let Some(code) = call.int(action_parameter) {
            *action = u8::try_from(code)
                .ok()
                .and_then(StepAction::from_code)
                .ok_or_else(|| none_of(action_parameter, "1, 2, 3, 4"))?;
        }
        if let Some(given) = call.int(target_parameter) {
            *target = given;
        }
        if *action != StepAction::GoToStep {
            *target = 0;
            continue;
        }
        if *target < 1 || *target == own {
            return Err(raise(14235, &[target_parameter.into(), own.into()]).into());
        }
        if usize::try_from(*target).is_ok_and(|target| target > context.steps_after) {
            out.message(raise(14236, &[target_parameter.into()]));
        }
    }
    Ok(())
}

fn change_numbers(call: &Call<'_>, step: &mut JobStep) -> Result<()> {
    /// Parameter, field, whether a value is valid, the valid values.
    type Rule<'s> = (&'static str, &'s mut i32, fn(i32) -> bool, &'static str);
    let numbers: [Rule<'_>; 4] = [
        (
            "@retry_attempts",
            &mut step.retry_attempts,
            |v| v >= 0,
            "0 and up",
        ),
        (
            "@retry_interval",
            &mut step.retry_interval_minutes,
            |v| v >= 0,
            "0 and up",
        ),
        (
            "@os_run_priority",
            &mut step.os_run_priority,
            |v| PRIORITIES.contains(&v),
            "-15, -1, 0, 1, 15",
        ),
        (
            "@flags",
            &mut step.flags,
            |v| v & !FLAG_BITS == 0,
            "a sum of 2, 4, 8, 16, 32, 64",
        ),
    ];
    for (parameter, field, valid, values) in numbers {
        if let Some(given) = call.int(parameter) {
            if !valid(given) {
                return Err(none_of(parameter, values).into());
            }
            *field = given;
        }
    }
    if let Some(code) = call.int("@cmdexec_success_code") {
        step.cmdexec_success_code = code;
    }
    Ok(())
}

fn change_proxy(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    step: &mut JobStep,
) -> Result<()> {
    if call.text("@proxy_name") == Some("") || call.int("@proxy_id") == Some(0) {
        step.proxy_name = None;
    } else if let Some(proxy) = named_proxy(call, definitions)? {
        step.proxy_name = Some(proxy.name);
    }
    if step.subsystem == Subsystem::TSql && step.proxy_name.is_some() {
        return Err(raise(14517, &[]).into());
    }
    Ok(())
}

/// The proxy that `@proxy_id` or `@proxy_name` names; both must mean the same one (14605).
pub(super) fn named_proxy(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
) -> Result<Option<Proxy>> {
    let by_id = match call.int("@proxy_id") {
        None => None,
        Some(id) => Some(
            definitions
                .proxy(id.into())?
                .ok_or_else(|| unknown("@proxy_id", &id.to_string()))?,
        ),
    };
    let by_name = match call.name("@proxy_name") {
        None => None,
        Some(name) => Some(
            definitions
                .proxy_by_name(name)?
                .ok_or_else(|| unknown("@proxy_name", name))?,
        ),
    };
    match (by_id, by_name) {
        (Some(a), Some(b)) if a.id != b.id => {
            Err(raise(14605, &["@proxy_id".into(), "@proxy_name".into()]).into())
        }
        (a, b) => Ok(a.or(b)),
    }
}

/// Who may have what in a step: output files and database users are for sysadmin, everything but TSQL needs
/// a proxy that the caller may use.
fn check_rights(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    step: &JobStep,
    context: &Context<'_>,
) -> Result<()> {
    let tsql = step.subsystem == Subsystem::TSql;
    let subsystem = step.subsystem.name();
    if step.output_file_name.is_some() {
        call.caller.require_sysadmin(|| raise(14582, &[]))?;
        if !is_one_of(WITH_OUTPUT_FILE, subsystem) {
            return Err(raise(14545, &["@output_file_name".into(), subsystem.into()]).into());
        }
    }
    if step.database_user_name.is_some() {
        call.caller.require_sysadmin(|| raise(14583, &[]))?;
        if !tsql {
            return Err(raise(14545, &["@database_user_name".into(), subsystem.into()]).into());
        }
        if context.multiserver {
            return Err(raise(14542, &["@database_user_name".into()]).into());
        }
    }
    if tsql || (call.caller.sysadmin && step.proxy_name.is_none()) {
        return Ok(());
    }
    let refused = |proxy: i64| {
        raise(
            14516,
            &[proxy.into(), subsystem.into(), (&call.caller.login).into()],
        )
    };
    let Some(name) = &step.proxy_name else {
        return Err(refused(0).into());
    };
    // A multiserver job's proxy is the target's (multiserver fact sheet, section 11); the one here lends
    // its name only. It must exist all the same.
    let proxy = definitions
        .proxy_by_name(name)?
        .ok_or_else(|| unknown("@proxy_name", name))?;
    let granted = subsystem_granted(definitions, proxy.id, subsystem)?
        && may_use(&call.caller, definitions, proxy.id)?;
    if granted
        || (call.caller.sysadmin && context.multiserver && context.job.originating_server.is_none())
    {
        Ok(())
    } else {
        Err(refused(proxy.id).into())
    }
}

fn subsystem_granted(
    definitions: &dyn DefinitionsRead,
    proxy: i64,
    subsystem: &str,
) -> Result<bool> {
    let id = subsystems::by_name(definitions, subsystem)?.map(|known| known.id);
    Ok(definitions
        .proxy_subsystems(Some(proxy))?
        .iter()
        .any(|grant| Some(grant.subsystem) == id))
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// `sp_help_jobstep`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let suffix = call.bit("@suffix");
    let columns = if suffix {
        HELP_JOB_STEPS
    } else {
        HELP_JOBSTEP_STEPS
    };
    store.read(|definitions| {
        let job = lookup::job(call, definitions)?;
        let mut steps = definitions.steps(job.id)?;
        if let Some(id) = call.int("@step_id") {
            step_by_id(call, &steps)?;
            steps.retain(|step| step.step_id == id);
        }
        if let Some(name) = call.name("@step_name") {
            steps.retain(|step| name_key(&step.name) == name_key(name));
            if steps.is_empty() {
                return Err(unknown("@step_name", name).into());
            }
        }
        let rows = rows(call, definitions, job.id, &steps, suffix)?;
        out.result(columns, rows);
        Ok(())
    })
}

/// Rows of the steps shape; with `suffix` codes become texts.
pub(super) fn rows(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    job: JobId,
    steps: &[JobStep],
    suffix: bool,
) -> Result<Vec<Row>> {
    let outcomes: BTreeMap<StepUid, StepOutcome> = call.runs(|runs| {
        Ok(runs
            .step_outcomes(Some(job))?
            .into_iter()
            .map(|outcome| (outcome.step, outcome))
            .collect())
    })?;
    let proxies = definitions.proxies()?;
    Ok(steps
        .iter()
        .map(|step| row(step, outcomes.get(&step.uid), &proxies, suffix))
        .collect())
}

fn row(step: &JobStep, outcome: Option<&StepOutcome>, proxies: &[Proxy], suffix: bool) -> Row {
    let (date, time) = outcome.map_or((0, 0), |outcome| {
        ints_at_offset(outcome.started, outcome.utc_offset_minutes)
    });
    let coded = |code: i32, plain: Value, message: Option<i32>| {
        if !suffix {
            return plain;
        }
        Value::string(match message {
            Some(number) => format!("{code} {}", text(number)),
            None => code.to_string(),
        })
    };
    let action = |action: StepAction| {
        coded(
            action.code().into(),
            Value::TinyInt(action.code()),
            Some(action_text(action)),
        )
    };
    vec![
        Value::Int(step.step_id),
        Value::string(&*step.name),
        Value::string(step.subsystem.name()),
        step.command.clone().into(),
        coded(step.flags, Value::Int(step.flags), flag_text(step.flags)),
        Value::Int(step.cmdexec_success_code),
        action(step.on_success),
        Value::Int(step.on_success_step_id),
        action(step.on_fail),
        Value::Int(step.on_fail_step_id),
        step.server.clone().into(),
        step.database_name.clone().into(),
        step.database_user_name.clone().into(),
        Value::Int(step.retry_attempts),
        Value::Int(step.retry_interval_minutes),
        coded(
            step.os_run_priority,
            Value::Int(step.os_run_priority),
            priority_text(step.os_run_priority),
        ),
        step.output_file_name.clone().into(),
        Value::Int(outcome.map_or(0, |outcome| outcome.status.code())),
        Value::Int(outcome.map_or(0, |outcome| duration_int(outcome.duration_ms))),
        Value::Int(outcome.map_or(0, |outcome| outcome.retries)),
        Value::Int(date),
        Value::Int(time),
        proxy_id(step, proxies),
    ]
}

/// `proxy_id` of a step; NULL without one.
pub(crate) fn proxy_id(step: &JobStep, proxies: &[Proxy]) -> Value {
    step.proxy_name
        .as_ref()
        .and_then(|name| {
            proxies
                .iter()
                .find(|proxy| name_key(&proxy.name) == name_key(name))
        })
        .map_or(Value::Null, |proxy| int(proxy.id))
}

const fn action_text(action: StepAction) -> i32 {
    match action {
        StepAction::QuitWithSuccess => 14562,
        StepAction::QuitWithFailure => 14563,
        StepAction::GoToNextStep => 14564,
        StepAction::GoToStep => 14565,
    }
}

const fn flag_text(flags: i32) -> Option<i32> {
    match flags {
        0 => Some(14561),
        1 => Some(14558),
        2 => Some(14559),
        4 => Some(14560),
        _ => None,
    }
}

const fn priority_text(priority: i32) -> Option<i32> {
    match priority {
        -15 => Some(14566),
        -1 => Some(14567),
        0 => Some(14561),
        1 => Some(14568),
        15 => Some(14569),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn step(step_id: i32, uid: u128, goes_to: i32) -> JobStep {
        JobStep {
            step_id,
            uid: StepUid(Uuid::from_u128(uid)),
            name: uid.to_string(),
            subsystem: Subsystem::TSql,
            command: None,
            flags: 0,
            additional_parameters: None,
            cmdexec_success_code: 0,
            on_success: StepAction::QuitWithSuccess,
            on_success_step_id: 0,
            on_fail: if goes_to == 0 {
                StepAction::QuitWithFailure
            } else {
                StepAction::GoToStep
            },
            on_fail_step_id: goes_to,
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

    /// What each step goes to on failure, by identity.
    fn flows(steps: &[JobStep]) -> BTreeMap<StepUid, Option<StepUid>> {
        let target = |step: &JobStep| {
            let at = usize::try_from(step.on_fail_step_id).unwrap();
            at.checked_sub(1).map(|at| steps[at].uid)
        };
        steps.iter().map(|step| (step.uid, target(step))).collect()
    }

    proptest! {
        /// Whatever is put in and taken out, ids have no gaps and each go-to leads to the step it led to before,
        /// or, that one gone, to the end of the job.
        #[test]
        fn flows_survive_insertion_and_deletion(moves in proptest::collection::vec((any::<bool>(), 0u8..8, 0u8..8), 1..40)) {
            let mut steps: Vec<JobStep> = Vec::new();
            let mut fresh = 0u128;
            for (insert, at, to) in moves {
                let before = flows(&steps);
                let count = i32::try_from(steps.len()).unwrap();
                if insert || steps.is_empty() {
                    let at = i32::from(at) % (count + 1) + 1;
                    let to = i32::from(to) % (count + 2);
                    let to = if to == at { 0 } else { to };
                    fresh += 1;
                    let new = step(at, fresh, to);
                    let uid = new.uid;
                    insert_step(&mut steps, new);
                    let mut after = flows(&steps);
                    after.remove(&uid);
                    prop_assert_eq!(after, before);
                } else {
                    let gone = i32::from(at) % count + 1;
                    let uid = steps[usize::try_from(gone - 1).unwrap()].uid;
                    remove_step(&mut steps, gone);
                    let expected: BTreeMap<_, _> = before
                        .into_iter()
                        .filter(|(from, _)| *from != uid)
                        .map(|(from, to)| (from, to.filter(|to| *to != uid)))
                        .collect();
                    prop_assert_eq!(flows(&steps), expected);
                }
                let ids: Vec<i32> = steps.iter().map(|step| step.step_id).collect();
                let expected: Vec<i32> = (1..).take(steps.len()).collect();
                prop_assert_eq!(ids, expected);
            }
        }
    }
}
