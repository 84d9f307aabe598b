//! The download list: sp_help_downloadlist and sp_post_msx_operation.

use crate::call::{Call, Output, Store};
use crate::convert::{datetime, datetime_or_null, from_datetime, guid, int, tinyint};
use crate::declare::HELP_DOWNLOADLIST_INSTRUCTIONS;
use crate::error::Result;
use crate::lookup;
use crate::messages::{none_of, raise, text, unknown};
use crate::post;
use crate::targets::TargetFacts;
use catalog::{
    DefinitionsRead, DefinitionsWrite, DownloadFilter, DownloadRow, NewInstruction, TargetFilter,
    TargetServer, name_key,
};
use model::{
    InstructionObject, JobId, Operation, POLL_INTERVAL_SECS_RANGE, RunId, ScheduleUid, ServerId,
};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use tsql::Value;

const OPERATIONS: &str =
    "INSERT, UPDATE, DELETE, START, STOP, RE-ENLIST, DEFECT, SYNC-TIME, SET-POLL";

/// `sp_help_downloadlist`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let operation = match call.name("@operation") {
        None => None,
        Some(word) => {
            Some(Operation::parse(word).ok_or_else(|| none_of("@operation", OPERATIONS))?)
        }
    };
    let object = match call.name("@object_type") {
        None => None,
        Some(word) => Some(parse_object(word)?),
    };
    if object.is_some() != call.name("@object_name").is_some() {
        return Err(raise(14272, &[]).into());
    }
    let has_error = lookup::flag(call, "@has_error")?;
    let status = lookup::flag(call, "@status")?;
    store.read(|definitions| {
        let job = lookup::optional_job(call, definitions)?;
        let target = match call.name("@target_server") {
            None => None,
            Some(name) => Some(
                definitions
                    .target_by_name(name)?
                    .ok_or_else(|| unknown("@target_server", name))?
                    .id,
            ),
        };
        let filter = DownloadFilter {
            server: target,
            object_id: job.map(|job| job.id.0),
            operation,
            object,
            ..DownloadFilter::default()
        };
        let mut shown = Shown::default();
        let mut rows = Vec::new();
        for row in definitions.download_list(&filter)? {
            let object_name = shown.object_name(definitions, &row)?;
            if let Some(wanted) = call.name("@object_name")
                && object_name.as_deref().map(name_key) != Some(name_key(wanted))
            {
                continue;
            }
            if !posted_since(call, &row) {
                continue;
            }
            let (name, facts) = shown.target(call, definitions, row.server)?;
            let download = facts.as_ref().map(|facts| facts.download(&row));
            let done = download.is_some_and(|download| download.done);
            let error = download.and_then(|download| download.error);
            if has_error.is_some_and(|wanted| wanted != error.is_some())
                || status.is_some_and(|wanted| wanted != done)
            {
                continue;
            }
            rows.push(vec![
                int(row.instance_id),
                Value::string(call.server.to_uppercase()),
                Value::string(format!(
                    "{} ({})",
                    row.instruction.operation.code(),
                    row.instruction.operation.word()
                )),
                object_name.into(),
                guid(row.instruction.object_id),
                Value::string(name.to_uppercase()),
                error.map(str::to_owned).into(),
                datetime(row.instruction.posted, &call.zone),
                datetime_or_null(download.and_then(|download| download.at), &call.zone),
                tinyint(i32::from(done)),
            ]);
        }
        out.result(HELP_DOWNLOADLIST_INSTRUCTIONS, rows);
        Ok(())
    })
}

fn posted_since(call: &Call<'_>, row: &DownloadRow) -> bool {
    let Some(wanted) = call.datetime("@date_posted") else {
        return true;
    };
    from_datetime(&datetime(row.instruction.posted, &call.zone)).is_some_and(|at| at >= wanted)
}

/// Names and states looked up once each.
#[derive(Default)]
struct Shown {
    targets: BTreeMap<ServerId, (String, Option<TargetFacts>)>,
}

impl Shown {
    fn target(
        &mut self,
        call: &Call<'_>,
        definitions: &dyn DefinitionsRead,
        server: ServerId,
    ) -> Result<&(String, Option<TargetFacts>)> {
        match self.targets.entry(server) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let entry = match definitions.target(server)? {
                    None => (text(14205).to_owned(), None),
                    Some(target) => {
                        let facts = call.runs(|runs| TargetFacts::read(runs, &target, call.now))?;
                        (target.name, Some(facts))
                    }
                };
                Ok(unknown.insert(entry))
            }
        }
    }

    /// Job or schedule name, kept name of a deleted one, or the target's own name.
    fn object_name(
        &self,
        definitions: &dyn DefinitionsRead,
        row: &DownloadRow,
    ) -> Result<Option<String>> {
        let id = row.instruction.object_id;
        let live = match row.instruction.object {
            InstructionObject::Job if id.is_nil() => Some("(all jobs)".to_owned()),
            InstructionObject::Job => definitions.job(JobId(id))?.map(|job| job.name),
            InstructionObject::Schedule => definitions
                .schedule_by_uid(ScheduleUid(id))?
                .map(|row| row.schedule.name),
            InstructionObject::Server => definitions.target(row.server)?.map(|target| target.name),
        };
        Ok(live.or_else(|| row.instruction.deleted_object_name.clone()))
    }
}

fn parse_object(word: &str) -> Result<InstructionObject> {
    match word.to_uppercase().as_str() {
        "JOB" => Ok(InstructionObject::Job),
        "SERVER" => Ok(InstructionObject::Server),
        "SCHEDULE" => Ok(InstructionObject::Schedule),
        _ => Err(none_of("@object_type", "JOB, SERVER, SCHEDULE").into()),
    }
}

/// `sp_post_msx_operation`
pub(super) fn post(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let word = call.name("@operation").unwrap_or_default();
    let operation = Operation::parse(word).ok_or_else(|| none_of("@operation", OPERATIONS))?;
    let object = parse_object(call.name("@object_type").unwrap_or("JOB"))?;
    check_pair(operation, object)?;
    let poll_interval = poll_interval(call, operation)?;
    let posted = store.write(call, |definitions| {
        let mut instruction = post::instruction(call, operation, object, uuid::Uuid::nil());
        instruction.poll_interval_secs = poll_interval;
        match object {
            InstructionObject::Server => {
                let targets = specific_or_all(call, &*definitions)?;
                post_each(call, definitions, &targets, &instruction)
            }
            InstructionObject::Job => post_job(call, definitions, instruction),
            InstructionObject::Schedule => post_schedule(call, definitions, operation),
        }
    })?;
    match posted {
        Posted::Count(count) => {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            out.message(raise(14230, &[count.into(), operation.word().into()]));
        }
        Posted::NotTargeted { what, name } => {
            out.message(raise(14231, &[what.into(), (&name).into()]));
        }
    }
    Ok(())
}

enum Posted {
    Count(usize),
    NotTargeted { what: &'static str, name: String },
}

/// Which operations an object takes.
fn check_pair(operation: Operation, object: InstructionObject) -> Result<()> {
    let (fits, valid) = match object {
        InstructionObject::Job => (
            matches!(
                operation,
                Operation::Insert
                    | Operation::Update
                    | Operation::Delete
                    | Operation::Start
                    | Operation::Stop
            ),
            "INSERT, UPDATE, DELETE, START, STOP",
        ),
        InstructionObject::Server => (
            matches!(
                operation,
                Operation::ReEnlist | Operation::Defect | Operation::SyncTime | Operation::SetPoll
            ),
            "RE-ENLIST, DEFECT, SYNC-TIME, SET-POLL",
        ),
        InstructionObject::Schedule => (
            matches!(
                operation,
                Operation::Insert | Operation::Update | Operation::Delete
            ),
            "INSERT, UPDATE, DELETE",
        ),
    };
    if fits {
        Ok(())
    } else {
        Err(none_of("@operation", valid).into())
    }
}

fn poll_interval(call: &Call<'_>, operation: Operation) -> Result<Option<u32>> {
    if operation != Operation::SetPoll {
        return Ok(None);
    }
    call.int("@value")
        .and_then(|value| u32::try_from(value).ok())
        .filter(|value| POLL_INTERVAL_SECS_RANGE.contains(value))
        .map(Some)
        .ok_or_else(|| none_of("@value", "10..28800").into())
}

fn specific_or_all(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
) -> Result<Vec<TargetServer>> {
    match call.name("@specific_target_server") {
        None => Ok(definitions.targets(&TargetFilter::default())?),
        Some(name) => Ok(vec![
            definitions
                .target_by_name(name)?
                .ok_or_else(|| unknown("@specific_target_server", name))?,
        ]),
    }
}

/// Posts a copy with an identity of its own to each target.
fn post_each(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    targets: &[TargetServer],
    instruction: &NewInstruction,
) -> Result<Posted> {
    for target in targets {
        let mut own = instruction.clone();
        own.uid = call.services.new_uuid();
        own.run = own.run.map(|_| RunId(call.services.new_uuid()));
        definitions.post_instruction(target.id, &own)?;
        if let Some(secs) = own.poll_interval_secs {
            let mut target = target.clone();
            target.poll_interval_secs = secs;
            definitions.update_target(&target)?;
        }
    }
    Ok(Posted::Count(targets.len()))
}

fn post_job(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    mut instruction: NewInstruction,
) -> Result<Posted> {
    let id = call
        .guid("@job_id")
        .map(JobId)
        .ok_or_else(|| raise(14233, &[]))?;
    instruction.object_id = id.0;
    if id == JobId::ALL {
        return post_all_jobs(call, definitions, &instruction);
    }
    let job = definitions.job(id)?;
    if job.is_none() && instruction.operation != Operation::Delete {
        return Err(unknown("@job_id", &id.to_string().to_uppercase()).into());
    }
    if instruction.operation == Operation::Delete {
        instruction.deleted_object_name = job.as_ref().map(|job| job.name.clone());
    }
    if call.name("@specific_target_server").is_none() {
        return Ok(Posted::Count(post::to_targets(
            call,
            definitions,
            id,
            &instruction,
        )?));
    }
    let targets = specific_or_all(call, &*definitions)?;
    // A DELETE may concern a job that the target no longer belongs to; every other operation needs it to.
    for target in &targets {
        let targeted = definitions.job_servers(Some(id), Some(target.id))?;
        if targeted.is_empty() && instruction.operation != Operation::Delete {
            return Ok(Posted::NotTargeted {
                what: "target server",
                name: target.name.clone(),
            });
        }
    }
    post_each(call, definitions, &targets, &instruction)
}

/// 0x00: one DELETE for all jobs; every other operation once per multiserver job of the target.
fn post_all_jobs(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    instruction: &NewInstruction,
) -> Result<Posted> {
    let targets = specific_or_all(call, &*definitions)?;
    if instruction.operation == Operation::Delete {
        return post_each(call, definitions, &targets, instruction);
    }
    let mut count = 0;
    for target in &targets {
        for job in definitions.job_servers(None, Some(target.id))? {
            let mut own = instruction.clone();
            own.object_id = job.job.0;
            post_each(call, definitions, std::slice::from_ref(target), &own)?;
            count += 1;
        }
    }
    Ok(Posted::Count(count))
}

/// A schedule travels with its jobs: each multiserver job that uses it is posted again, whole.
fn post_schedule(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    operation: Operation,
) -> Result<Posted> {
    let row = call
        .guid("@schedule_uid")
        .map(|uid| definitions.schedule_by_uid(ScheduleUid(uid)))
        .transpose()?
        .flatten();
    let Some(row) = row else {
        if operation == Operation::Delete && call.guid("@schedule_uid").is_some() {
            return Ok(Posted::Count(0));
        }
        return Err(raise(14365, &[]).into());
    };
    let mut count = 0;
    for attached in definitions.job_schedules(None, Some(row.id))? {
        let insert = post::about_job(call, Operation::Insert, attached.job);
        if call.name("@specific_target_server").is_none() {
            count += post::to_targets(call, definitions, attached.job, &insert)?;
            continue;
        }
        for target in specific_or_all(call, &*definitions)? {
            let targeted = definitions.job_servers(Some(attached.job), Some(target.id))?;
            if !targeted.is_empty() {
                post_each(call, definitions, std::slice::from_ref(&target), &insert)?;
                count += 1;
            }
        }
    }
    Ok(Posted::Count(count))
}
