//! Schedules.

use super::text::{Call, heading};
use super::{Kind, Script};
use crate::error::Result;
use catalog::DefinitionsRead;
use model::Schedule;
use schedule::ScheduleNumbers;

pub(super) fn scripts(
    definitions: &dyn DefinitionsRead,
    only: Option<&str>,
) -> Result<Vec<Script>> {
    let rows = match only {
        Some(name) => definitions.schedules_by_name(name)?,
        None => definitions.schedules()?,
    };
    let mut scripts = Vec::new();
    for row in rows {
        let schedule = row.schedule;
        if schedule.originating_server.is_some() {
            continue;
        }
        let owner = definitions.login_by_sid(&schedule.owner_sid)?;
        let call = Call::new("sp_add_schedule").text("@schedule_name", &schedule.name);
        let call = timing(call, &schedule)
            .optional(
                "@owner_login_name",
                owner.as_ref().map(|login| &*login.name),
            )
            .guid("@schedule_uid", schedule.uid.0);
        let text = heading("Schedule", &schedule.name) + &call.done();
        scripts.push(Script {
            owner_sid: Some(schedule.owner_sid),
            ..Script::new(Kind::Schedule, &schedule.name, text)
        });
    }
    Ok(scripts)
}

/// Whether it is enabled and when it is due.
pub(super) fn timing(call: Call, schedule: &Schedule) -> Call {
    let numbers = ScheduleNumbers::of(schedule);
    call.flag("@enabled", schedule.enabled)
        .number("@freq_type", numbers.freq_type)
        .number("@freq_interval", numbers.freq_interval)
        .number("@freq_subday_type", numbers.freq_subday_type)
        .number("@freq_subday_interval", numbers.freq_subday_interval)
        .number("@freq_relative_interval", numbers.freq_relative_interval)
        .number("@freq_recurrence_factor", numbers.freq_recurrence_factor)
        .date("@active_start_date", schedule.active_start_date)
        .date("@active_end_date", schedule.active_end_date)
        .time("@active_start_time", schedule.active_start_time)
        .time("@active_end_time", schedule.active_end_time)
}
