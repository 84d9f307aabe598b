//! Jobs: one transaction each, which a failed call leaves by QuitWithRollback.

use super::text::{Call, heading};
use super::{Kind, Script, category, schedule};
use crate::error::Result;
use crate::post::target_name;
use catalog::{DefinitionsRead, JobFilter};
use model::{Job, JobStep, OperatorId, ServerId};

pub(super) fn scripts(
    definitions: &dyn DefinitionsRead,
    only: Option<&str>,
) -> Result<Vec<Script>> {
    let mut jobs = match only {
        Some(name) => definitions.jobs_by_name(name)?,
        None => definitions.jobs(&JobFilter::default())?,
    };
    // What came from a master is the master's.
    jobs.retain(|job| job.originating_server.is_none());
    let mut scripts = Vec::with_capacity(jobs.len());
    for job in jobs {
        let text = script(definitions, &job)?;
        scripts.push(Script {
            owner_sid: Some(job.owner_sid),
            ..Script::new(Kind::Job, &job.name, text)
        });
    }
    Ok(scripts)
}

fn script(definitions: &dyn DefinitionsRead, job: &Job) -> Result<String> {
    let mut text = heading("Job", &job.name);
    text.push_str("BEGIN TRANSACTION\nDECLARE @ReturnCode INT\nSELECT @ReturnCode = 0\n");
    if let Some(category) = definitions.category(job.category)? {
        let add = category::adding(Call::checked("sp_add_category"), &category).or_quit();
        text.push_str(&category::unless_there(&category, &add));
    }
    text.push_str("\nDECLARE @jobId BINARY(16)\n");
    text.push_str(&header(definitions, job)?.or_quit());
    for step in definitions.steps(job.id)? {
        text.push_str(&heading("Step", &step.name));
        text.push_str(&self::step(&step).or_quit());
    }
    let start = Call::checked("sp_update_job")
        .raw("@job_id", "@jobId")
        .number("@start_step_id", job.start_step_id);
    text.push_str(&start.or_quit());
    for row in definitions.schedules_of_job(job.id)? {
        let call = Call::checked("sp_add_jobschedule")
            .raw("@job_id", "@jobId")
            .text("@name", &row.schedule.name);
        let call = schedule::timing(call, &row.schedule).guid("@schedule_uid", row.schedule.uid.0);
        text.push_str(&call.or_quit());
    }
    for target in definitions.job_servers(Some(job.id), None)? {
        let name = if target.server == ServerId(0) {
            "(local)".to_owned()
        } else {
            target_name(definitions, target.server)?
        };
        let call = Call::checked("sp_add_jobserver")
            .raw("@job_id", "@jobId")
            .text("@server_name", &name);
        text.push_str(&call.or_quit());
    }
    text.push_str(
        "COMMIT TRANSACTION\nGOTO EndSave\nQuitWithRollback:\n    \
         IF (@@TRANCOUNT > 0) ROLLBACK TRANSACTION\nEndSave:\n",
    );
    Ok(text)
}

fn header(definitions: &dyn DefinitionsRead, job: &Job) -> Result<Call> {
    let owner = definitions.login_by_sid(&job.owner_sid)?;
    let category = definitions.category(job.category)?;
    let operator = |id: OperatorId| -> Result<Option<String>> {
        Ok(definitions.operator(id)?.map(|operator| operator.name))
    };
    Ok(Call::checked("sp_add_job")
        .text("@job_name", &job.name)
        .flag("@enabled", job.enabled)
        .number("@notify_level_eventlog", job.notify_level_eventlog.code())
        .number("@notify_level_email", job.notify_level_email.code())
        .number("@notify_level_netsend", job.notify_level_netsend.code())
        .number("@notify_level_page", job.notify_level_page.code())
        .number("@delete_level", job.delete_level.code())
        .optional("@description", job.description.as_deref())
        .optional("@category_name", category.as_ref().map(|row| &*row.name))
        .optional("@owner_login_name", owner.as_ref().map(|row| &*row.name))
        .optional(
            "@notify_email_operator_name",
            operator(job.notify_email_operator)?.as_deref(),
        )
        .optional(
            "@notify_netsend_operator_name",
            operator(job.notify_netsend_operator)?.as_deref(),
        )
        .optional(
            "@notify_page_operator_name",
            operator(job.notify_page_operator)?.as_deref(),
        )
        .raw("@job_id", "@jobId OUTPUT"))
}

fn step(step: &JobStep) -> Call {
    Call::checked("sp_add_jobstep")
        .raw("@job_id", "@jobId")
        .text("@step_name", &step.name)
        .number("@step_id", step.step_id)
        .number("@cmdexec_success_code", step.cmdexec_success_code)
        .number("@on_success_action", step.on_success.code())
        .number("@on_success_step_id", step.on_success_step_id)
        .number("@on_fail_action", step.on_fail.code())
        .number("@on_fail_step_id", step.on_fail_step_id)
        .number("@retry_attempts", step.retry_attempts)
        .number("@retry_interval", step.retry_interval_minutes)
        .number("@os_run_priority", step.os_run_priority)
        .text("@subsystem", step.subsystem.name())
        .optional("@command", step.command.as_deref())
        .optional(
            "@additional_parameters",
            step.additional_parameters.as_deref(),
        )
        .optional("@server", step.server.as_deref())
        .optional("@database_name", step.database_name.as_deref())
        .optional("@database_user_name", step.database_user_name.as_deref())
        .optional("@output_file_name", step.output_file_name.as_deref())
        .number("@flags", step.flags)
        .optional("@proxy_name", step.proxy_name.as_deref())
}
