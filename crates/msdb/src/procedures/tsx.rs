//! What a target that speaks T-SQL instead of Muster's own protocol calls on its master: sp_enlist_tsx,
//! sp_sqlagent_probe_msx, sp_sqlagent_refresh_job, sp_sqlagent_check_msx_version. It marks its instructions by an
//! UPDATE of sysdownloadlist and reports what it ran by sp_sqlagent_log_jobhistory.
//!
//! A member of TargetServersRole acts for targets that its own login enlisted here, and never for one that is
//! known by a certificate; sysadmin acts for any.

use super::{job_help, jobstep, schedule_help};
use crate::call::{Call, Output, Store};
use crate::caller::Caller;
use crate::convert::{from_datetime, int};
use crate::declare::{
    CHECK_MSX_VERSION, HELP_JOB_JOB, HELP_JOB_SCHEDULES, HELP_JOB_STEPS, PROBE_MSX,
};
use crate::error::{Fault, Result};
use crate::messages::{none_of, raise, unknown};
use crate::properties::PRODUCT_VERSION;
use crate::targets::{TargetFacts, unread};
use catalog::{DefinitionsRead, DownloadFilter, NewTarget, Poll, TargetServer};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use model::{InstanceId, JobId, MSX_OPERATOR, POLL_INTERVAL_SECS_RANGE, ServerId};
use tsql::convert::{Style, convert};
use tsql::{SqlType, Value};
use uuid::Uuid;

/// Namespace of the instance ids that T-SQL targets get, made from their names: they have none of their own.
const TSQL_TARGETS: Uuid = Uuid::from_u128(0x6d75_7374_6572_4e53_8074_7371_6c5f_7478);
/// Hours that clocks lie apart at the most. Source: the time zones there are.
const HOURS_EAST: std::ops::RangeInclusive<i32> = -12..=14;
/// Versions older than the master's that may enlist. Source: multiserver fact sheet, section 2.
const OLDER_VERSIONS: i32 = 2;
/// Bits that `@@MICROSOFTVERSION` has below its major version.
const VERSION_SHIFT: u32 = 24;

/// `sp_enlist_tsx`: 0 enlists, 1 defects, 2 updates.
pub(super) fn enlist(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    match call.int("@Action") {
        Some(0) => join(call, store),
        Some(1) => leave(call, store),
        Some(2) => update(call, store),
        _ => Err(none_of("@Action", "0, 1, 2").into()),
    }
}

fn join(call: &Call<'_>, store: &mut Store<'_>) -> Result<()> {
    let name = server_name(call, "@ServerName")?;
    let new = NewTarget {
        name: name.to_owned(),
        location: call.name("@Location").map(str::to_owned),
        utc_offset_minutes: i32::from(hours(call, "@TimeZoneAdjustment")?) * 60,
        enlisted: call.now,
        enlisted_by: enlisted_by(call),
        poll_interval_secs: poll_interval(call, "@PollInterval")?,
        instance: instance_of(name),
        previous_generation: None,
        version: version(call)?,
    };
    store.write(call, |definitions| {
        if definitions.operator_by_name(MSX_OPERATOR)?.is_none() {
            return Err(raise(14363, &[(&call.server).into()]).into());
        }
        if definitions.enlistment()?.is_some() {
            return Err(raise(14299, &[]).into());
        }
        if let Some(target) = definitions.target_by_name(name)? {
            check_may_speak_for(&call.caller, &target)?;
            if target.instance != new.instance {
                return Err(raise(14360, &[name.into()]).into());
            }
        }
        definitions.enlist_target(&new)?;
        Ok(())
    })
}

fn leave(call: &Call<'_>, store: &mut Store<'_>) -> Result<()> {
    let server = store.write(call, |definitions| {
        let target = enlisted(call, &*definitions, "@ServerName")?;
        definitions.delete_target(target.id)?;
        Ok(target.id)
    })?;
    if !store.in_transaction() {
        call.catalog().runs_write(|runs| {
            runs.forget_target(server)?;
            Ok::<(), Fault>(())
        })?;
    }
    Ok(())
}

fn update(call: &Call<'_>, store: &mut Store<'_>) -> Result<()> {
    let minutes = i32::from(hours(call, "@TimeZoneAdjustment")?) * 60;
    let poll_interval_secs = poll_interval(call, "@PollInterval")?;
    let version = version(call)?;
    store.write(call, |definitions| {
        let target = enlisted(call, &*definitions, "@ServerName")?;
        Ok(definitions.update_target(&TargetServer {
            location: call.name("@Location").map(str::to_owned),
            utc_offset_minutes: minutes,
            poll_interval_secs,
            version,
            ..target
        })?)
    })
}

/// `sp_sqlagent_probe_msx`: a sign of life, answered by how many instructions wait.
pub(super) fn probe(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let poll_interval_secs = poll_interval(call, "@poll_interval")?;
    let hours = call
        .int("@time_zone_adjustment")
        .map(|_| hours(call, "@time_zone_adjustment"))
        .transpose()?;
    let local = local_time(call)?;
    let target = store.read(|definitions| enlisted(call, definitions, "@server_name"))?;
    let minutes = match hours {
        Some(hours) => i16::from(hours) * 60,
        None => i16::try_from(target.utc_offset_minutes).unwrap_or(0),
    };
    let poll = Poll {
        server: target.id,
        at: call.now,
        target_clock: instant_at(local, minutes)
            .ok_or_else(|| raise(14287, &["@local_time".into(), "date".into()]))?,
        utc_offset_minutes: minutes,
    };
    // A poll that has nothing new writes no definition.
    if poll_interval_secs != target.poll_interval_secs {
        store.write(call, |definitions| {
            Ok(definitions.update_target(&TargetServer {
                poll_interval_secs,
                ..target.clone()
            })?)
        })?;
    }
    call.catalog().runs_write(|runs| {
        runs.record_polls(&[poll])?;
        Ok::<(), Fault>(())
    })?;
    store.read(|definitions| {
        let facts = call.runs(|runs| TargetFacts::read(runs, &target, call.now))?;
        let instructions = definitions.download_list(&DownloadFilter {
            server: Some(target.id),
            ..DownloadFilter::default()
        })?;
        let row = vec![int(target.id.0), Value::Int(unread(&instructions, &facts))];
        out.result(PROBE_MSX, vec![row]);
        Ok(())
    })
}

/// `sp_sqlagent_refresh_job`: a job of a target, whole: header, steps, schedules.
pub(super) fn refresh_job(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        let id = call
            .guid("@job_id")
            .map(JobId)
            .ok_or_else(|| raise(14233, &[]))?;
        let absent = || unknown("@job_id", &id.to_string().to_uppercase());
        let job = definitions.job(id)?.ok_or_else(absent)?;
        if call.name("@server_name").is_some() || !call.caller.sysadmin {
            let target = enlisted(call, definitions, "@server_name")?;
            let targeted = definitions.job_servers(Some(id), Some(target.id))?;
            if targeted.is_empty() {
                return Err(absent().into());
            }
        }
        let steps = definitions.steps(id)?;
        let schedules = definitions.schedules_of_job(id)?;
        out.result(
            HELP_JOB_JOB,
            job_help::summaries(call, definitions, vec![job])?,
        );
        out.result(
            HELP_JOB_STEPS,
            jobstep::rows(call, definitions, id, &steps, true)?,
        );
        out.result(
            HELP_JOB_SCHEDULES,
            schedule_help::job_rows(call, definitions, Some(id), &schedules, true)?,
        );
        Ok(())
    })
}

/// `sp_sqlagent_check_msx_version`: the version that a master of this server must have at least.
pub(super) fn check_version(
    _call: &Call<'_>,
    _store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    out.result(
        CHECK_MSX_VERSION,
        vec![vec![Value::string(PRODUCT_VERSION)]],
    );
    Ok(())
}

fn server_name<'c>(call: &'c Call<'_>, parameter: &str) -> Result<&'c str> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    if name.eq_ignore_ascii_case(&call.server) {
        return Err(raise(14297, &[]).into());
    }
    let usable = !name.eq_ignore_ascii_case("(local)")
        && !name.eq_ignore_ascii_case("ALL")
        && !name.contains(',')
        && !name.chars().any(char::is_control);
    if usable {
        Ok(name)
    } else {
        Err(raise(14271, &[name.into()]).into())
    }
}

/// The target of a name parameter, for which the caller may speak; 14364 when it is not enlisted.
fn enlisted(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
) -> Result<TargetServer> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    let target = definitions
        .target_by_name(name)?
        .filter(|target| target.id != ServerId(0))
        .ok_or_else(|| raise(14364, &[name.into()]))?;
    check_may_speak_for(&call.caller, &target)?;
    Ok(target)
}

/// 14260 unless the caller may speak for a target: one that its own login enlisted, and that has no certificate.
pub(crate) fn check_may_speak_for(caller: &Caller, target: &TargetServer) -> Result<()> {
    let own = target.instance == instance_of(&target.name)
        && target.fingerprint.is_none()
        && target.enlisted_by.eq_ignore_ascii_case(&caller.login);
    if own || caller.sysadmin {
        Ok(())
    } else {
        Err(raise(14260, &[]).into())
    }
}

/// sysadmin may say who ran the enlistment; for anyone else it is the login that runs it.
fn enlisted_by(call: &Call<'_>) -> String {
    let said = call.name("@NTUserName").filter(|_| call.caller.sysadmin);
    said.unwrap_or(&call.caller.login).to_owned()
}

fn instance_of(name: &str) -> InstanceId {
    InstanceId(Uuid::new_v5(
        &TSQL_TARGETS,
        catalog::name_key(name).as_bytes(),
    ))
}

fn hours(call: &Call<'_>, parameter: &str) -> Result<i8> {
    call.int(parameter)
        .filter(|hours| HOURS_EAST.contains(hours))
        .and_then(|hours| i8::try_from(hours).ok())
        .ok_or_else(|| {
            let valid = format!("{} to {}", HOURS_EAST.start(), HOURS_EAST.end());
            none_of(parameter, &valid).into()
        })
}

fn poll_interval(call: &Call<'_>, parameter: &str) -> Result<u32> {
    call.int(parameter)
        .and_then(|secs| u32::try_from(secs).ok())
        .filter(|secs| POLL_INTERVAL_SECS_RANGE.contains(secs))
        .ok_or_else(|| {
            let range = POLL_INTERVAL_SECS_RANGE;
            let valid = format!("{} to {}", range.start(), range.end());
            none_of(parameter, &valid).into()
        })
}

/// `@TSX_Version` as `@@MICROSOFTVERSION` counts; 0 says nothing. The two versions before the master's may enlist.
fn version(call: &Call<'_>) -> Result<String> {
    let given = call.int("@TSX_Version").unwrap_or(0);
    if given == 0 {
        return Ok(String::new());
    }
    let major = given >> VERSION_SHIFT;
    let own = PRODUCT_VERSION.split('.').next().unwrap_or_default();
    let own: i32 = own.parse().unwrap_or_default();
    if (own - OLDER_VERSIONS..=own).contains(&major) {
        return Ok(format!("{major}.0"));
    }
    let theirs = major.to_string();
    Err(raise(14306, &[(&theirs).into(), PRODUCT_VERSION.into()]).into())
}

fn local_time(call: &Call<'_>) -> Result<DateTime> {
    let text = call.value("@local_time").clone();
    let bad = || raise(14287, &["@local_time".into(), "date".into()]);
    let converted = convert(
        text,
        SqlType::nvarchar(100),
        SqlType::DateTime,
        Style::PLAIN,
    )
    .map_err(|_| bad())?;
    Ok(from_datetime(&converted).ok_or_else(bad)?)
}

fn instant_at(local: DateTime, minutes_east: i16) -> Option<Timestamp> {
    let offset = Offset::from_seconds(i32::from(minutes_east) * 60).ok()?;
    offset.to_timestamp(local).ok()
}
