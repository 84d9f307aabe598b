//! Posting download instructions: who gets what when a definition changes (multiserver fact sheet, section 7).

use crate::call::Call;
use crate::error::Result;
use crate::lookup::is_multiserver;
use crate::messages::text;
use catalog::{DefinitionsRead, DefinitionsWrite, NewInstruction};
use model::{InstructionObject, Job, JobId, Operation, RunId, ScheduleId, ServerId};
use uuid::Uuid;

/// An instruction about a job, or about all of them.
pub(crate) fn about_job(call: &Call<'_>, operation: Operation, job: JobId) -> NewInstruction {
    instruction(call, operation, InstructionObject::Job, job.0)
}

/// An instruction about the target itself.
pub(crate) fn about_server(call: &Call<'_>, operation: Operation) -> NewInstruction {
    instruction(call, operation, InstructionObject::Server, Uuid::nil())
}

/// An instruction, with an identity of its own and, for START, a run.
pub(crate) fn instruction(
    call: &Call<'_>,
    operation: Operation,
    object: InstructionObject,
    object_id: Uuid,
) -> NewInstruction {
    NewInstruction {
        uid: call.services.new_uuid(),
        operation,
        object,
        object_id,
        run: (operation == Operation::Start).then(|| RunId(call.services.new_uuid())),
        login: call.caller.login.clone(),
        step_name: None,
        poll_interval_secs: None,
        deleted_object_name: None,
        posted: call.now,
    }
}

/// Posts an instruction to every remote target of its job. Returns how many; 0 for a local job.
pub(crate) fn to_targets(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: JobId,
    instruction: &NewInstruction,
) -> Result<usize> {
    if !is_multiserver(&*definitions, job)? {
        return Ok(0);
    }
    let posted =
        definitions.post_to_job_targets(job, instruction, &mut || call.services.new_uuid())?;
    Ok(posted.len())
}

/// Posts a change of a job's header, steps or schedules to its remote targets.
pub(crate) fn change(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: JobId,
    operation: Operation,
) -> Result<usize> {
    let instruction = about_job(call, operation, job);
    to_targets(call, definitions, job, &instruction)
}

/// Posts a job's deletion to its remote targets; the queue keeps its name.
pub(crate) fn deletion(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    job: &Job,
) -> Result<usize> {
    let mut instruction = about_job(call, Operation::Delete, job.id);
    instruction.deleted_object_name = Some(job.name.clone());
    to_targets(call, definitions, job.id, &instruction)
}

/// Posts each multiserver job of a schedule again, whole, to its targets.
pub(crate) fn jobs_of_schedule(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    schedule: ScheduleId,
) -> Result<()> {
    for attached in definitions.job_schedules(None, Some(schedule))? {
        change(call, definitions, attached.job, Operation::Insert)?;
    }
    Ok(())
}

/// Names of targets by their numbers, for listings.
pub(crate) fn target_name(definitions: &dyn DefinitionsRead, server: ServerId) -> Result<String> {
    Ok(definitions
        .target(server)?
        .map_or_else(|| text(14205).to_owned(), |target| target.name))
}
