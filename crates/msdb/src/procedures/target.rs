//! Target servers and their groups, on the master.

use crate::call::{Call, Output, Store};
use crate::convert::{datetime, datetime_at_offset, int};
use crate::declare::{
    HELP_TARGETSERVER_TARGETSERVERS, HELP_TARGETSERVERGROUP_GROUPS, HELP_TARGETSERVERGROUP_MEMBERS,
    TARGET_SERVER_SUMMARY,
};
use crate::error::Result;
use crate::messages::{raise, taken, unknown};
use crate::post;
use crate::targets::{TargetFacts, unread};
use catalog::{
    DOWNLOADED_ROWS_KEPT_DEFAULT, DefinitionsRead, DefinitionsWrite, DownloadFilter, JobFilter,
    TargetFilter, TargetGroup, TargetGroupMember, TargetServer,
};
use model::{InstructionNumber, JobId, Operation, ServerId};
use tsql::{SqlError, Value};

/// `sp_help_targetserver`
pub(super) fn help(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    store.read(|definitions| {
        let targets = match call.name("@server_name") {
            Some(_) => vec![named(call, definitions, "@server_name")?],
            None => definitions.targets(&TargetFilter::default())?,
        };
        let mut rows = Vec::with_capacity(targets.len());
        for target in targets {
            let facts = call.runs(|runs| TargetFacts::read(runs, &target, call.now))?;
            let instructions = definitions.download_list(&DownloadFilter {
                server: Some(target.id),
                ..DownloadFilter::default()
            })?;
            // The target's clock at its last poll, carried forward.
            let clock = facts.clock_now(call.now);
            rows.push(vec![
                int(target.id.0),
                Value::string(target.name.to_uppercase()),
                target.location.clone().into(),
                Value::Int(facts.utc_offset_minutes / 60),
                datetime(target.enlisted, &call.zone),
                datetime(facts.last_poll, &call.zone),
                Value::Int(facts.status.code()),
                Value::Int(unread(&instructions, &facts)),
                datetime_at_offset(clock, facts.utc_offset_minutes),
                Value::string(target.enlisted_by),
                int(target.poll_interval_secs.into()),
            ]);
        }
        out.result(HELP_TARGETSERVER_TARGETSERVERS, rows);
        Ok(())
    })
}

/// `sp_delete_targetserver`.
///
/// With `@post_defection = 1` the target loses its jobs and groups here at once, but stays listed until it
/// has taken the DEFECT instruction and left; with 0 it is gone at once.
pub(super) fn delete(call: &Call<'_>, store: &mut Store<'_>, _out: &mut Output<'_>) -> Result<()> {
    let gone = store.write(call, |definitions| {
        let target = named(call, &*definitions, "@server_name")?;
        if call.bit("@clear_downloadlist") {
            definitions.clear_instructions(target.id, InstructionNumber(0))?;
        }
        if !call.bit("@post_defection") {
            definitions.delete_target(target.id)?;
            return Ok(Some(target.id));
        }
        for job in definitions.job_servers(None, Some(target.id))? {
            definitions.remove_job_server(job.job, target.id, None)?;
        }
        for member in definitions.target_group_members(None)? {
            if member.server == target.id {
                definitions.remove_target_group_member(member)?;
            }
        }
        let defect = post::about_server(call, Operation::Defect);
        definitions.post_instruction(target.id, &defect)?;
        Ok(None)
    })?;
    if let Some(server) = gone
        && !store.in_transaction()
    {
        call.catalog().runs_write(|runs| {
            runs.forget_target(server)?;
            Ok::<(), crate::error::Fault>(())
        })?;
    }
    Ok(())
}

/// `sp_resync_targetserver`
pub(super) fn resync(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    let name = call
        .name("@server_name")
        .ok_or_else(|| raise(14200, &["@server_name".into()]))?;
    let messages = store.write(call, |definitions| {
        let targets = if name.eq_ignore_ascii_case("ALL") {
            definitions.targets(&TargetFilter::default())?
        } else {
            vec![named(call, &*definitions, "@server_name")?]
        };
        let mut messages = Vec::new();
        for target in targets {
            resync_one(call, definitions, &target, &mut messages)?;
        }
        Ok(messages)
    })?;
    for message in messages {
        out.message(message);
    }
    Ok(())
}

/// New content of a target's queue: delete all, then every job it is targeted by.
fn resync_one(
    call: &Call<'_>,
    definitions: &mut dyn DefinitionsWrite,
    target: &TargetServer,
    messages: &mut Vec<SqlError>,
) -> Result<()> {
    // What the target has done stays: its cursor is checked against the newest of those rows.
    let done = call.catalog().runs_read(|runs| {
        Ok::<_, crate::error::Fault>(runs.acknowledged_instruction(target.id)?)
    })?;
    definitions.clear_instructions(target.id, done)?;
    let delete_all = post::about_job(call, Operation::Delete, JobId::ALL);
    definitions.post_instruction(target.id, &delete_all)?;
    messages.push(raise(
        14230,
        &[1i64.into(), Operation::Delete.word().into()],
    ));
    let jobs = definitions.jobs(&JobFilter {
        target: Some(target.id),
        ..JobFilter::default()
    })?;
    for job in &jobs {
        let insert = post::about_job(call, Operation::Insert, job.id);
        definitions.post_instruction(target.id, &insert)?;
    }
    if jobs.is_empty() {
        messages.push(raise(14548, &[(&target.name).into()]));
    } else {
        let count = i64::try_from(jobs.len()).unwrap_or(i64::MAX);
        let word = Operation::Insert.word();
        messages.push(raise(14230, &[count.into(), word.into()]));
    }
    Ok(())
}

/// `sp_downloaded_row_limiter`: keeps the newest of a target's downloaded instructions.
pub(super) fn limit_downloaded(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let target = named(call, &*definitions, "@server_name")?;
        let done = call.runs(|runs| Ok(runs.acknowledged_instruction(target.id)?))?;
        definitions.trim_downloaded(target.id, done, DOWNLOADED_ROWS_KEPT_DEFAULT)?;
        Ok(())
    })
}

/// `sp_target_server_summary`: how many jobs each target has, and how far it is with its instructions.
pub(super) fn summary(call: &Call<'_>, store: &mut Store<'_>, out: &mut Output<'_>) -> Result<()> {
    store.read(|definitions| {
        let targets = match call.name("@target_server") {
            Some(_) => vec![named(call, definitions, "@target_server")?],
            None => definitions.targets(&TargetFilter::default())?,
        };
        let mut rows = Vec::with_capacity(targets.len());
        for target in targets {
            let facts = call.runs(|runs| TargetFacts::read(runs, &target, call.now))?;
            let instructions = definitions.download_list(&DownloadFilter {
                server: Some(target.id),
                ..DownloadFilter::default()
            })?;
            let jobs = definitions.job_servers(None, Some(target.id))?.len();
            rows.push(vec![
                int(target.id.0),
                Value::string(target.name.to_uppercase()),
                datetime_at_offset(facts.clock_now(call.now), facts.utc_offset_minutes),
                datetime(facts.last_poll, &call.zone),
                Value::Int(unread(&instructions, &facts)),
                Value::Int(i32::from(facts.status.blocked)),
                Value::Int(i32::try_from(jobs).unwrap_or(i32::MAX)),
            ]);
        }
        out.result(TARGET_SERVER_SUMMARY, rows);
        Ok(())
    })
}

/// `sp_add_targetservergroup`
pub(super) fn add_group(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let name = new_group_name(call, &*definitions, "@name", None)?;
        definitions.create_target_group(name)?;
        Ok(())
    })
}

/// `sp_update_targetservergroup`
pub(super) fn update_group(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let group = group(call, &*definitions, "@name")?;
        let name = new_group_name(call, &*definitions, "@new_name", Some(group.id))?;
        Ok(definitions.rename_target_group(group.id, name)?)
    })
}

/// `sp_delete_targetservergroup`
pub(super) fn delete_group(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let group = group(call, &*definitions, "@name")?;
        Ok(definitions.delete_target_group(group.id)?)
    })
}

/// `sp_help_targetservergroup`
pub(super) fn help_group(
    call: &Call<'_>,
    store: &mut Store<'_>,
    out: &mut Output<'_>,
) -> Result<()> {
    store.read(|definitions| {
        if call.name("@name").is_none() {
            let rows = definitions
                .target_groups()?
                .into_iter()
                .map(|group| vec![int(group.id), Value::string(group.name)])
                .collect();
            out.result(HELP_TARGETSERVERGROUP_GROUPS, rows);
            return Ok(());
        }
        let group = group(call, definitions, "@name")?;
        let mut rows = Vec::new();
        for member in definitions.target_group_members(Some(group.id))? {
            let name = post::target_name(definitions, member.server)?;
            rows.push(vec![
                int(member.server.0),
                Value::string(name.to_uppercase()),
            ]);
        }
        out.result(HELP_TARGETSERVERGROUP_MEMBERS, rows);
        Ok(())
    })
}

/// `sp_add_targetsvrgrp_member`
pub(super) fn add_member(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let (group, target, member) = membership(call, &*definitions)?;
        if is_member(&*definitions, member)? {
            return Err(raise(14263, &[(&target.name).into(), (&group.name).into()]).into());
        }
        Ok(definitions.add_target_group_member(member)?)
    })
}

/// `sp_delete_targetsvrgrp_member`
pub(super) fn delete_member(
    call: &Call<'_>,
    store: &mut Store<'_>,
    _out: &mut Output<'_>,
) -> Result<()> {
    store.write(call, |definitions| {
        let (group, target, member) = membership(call, &*definitions)?;
        if !is_member(&*definitions, member)? {
            return Err(raise(14264, &[(&target.name).into(), (&group.name).into()]).into());
        }
        Ok(definitions.remove_target_group_member(member)?)
    })
}

fn membership(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
) -> Result<(TargetGroup, TargetServer, TargetGroupMember)> {
    let group = group(call, definitions, "@group_name")?;
    let target = named(call, definitions, "@server_name")?;
    let member = TargetGroupMember {
        group: group.id,
        server: target.id,
    };
    Ok((group, target, member))
}

fn is_member(definitions: &dyn DefinitionsRead, member: TargetGroupMember) -> Result<bool> {
    Ok(definitions
        .target_group_members(Some(member.group))?
        .contains(&member))
}

fn group(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
) -> Result<TargetGroup> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    definitions
        .target_group_by_name(name)?
        .ok_or_else(|| unknown(parameter, name).into())
}

fn new_group_name<'c>(
    call: &'c Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
    but: Option<i64>,
) -> Result<&'c str> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    if name.contains(',') {
        return Err(raise(14289, &[parameter.into(), ",".into()]).into());
    }
    match definitions.target_group_by_name(name)? {
        Some(other) if Some(other.id) != but => Err(taken(parameter, name).into()),
        _ => Ok(name),
    }
}

fn named(
    call: &Call<'_>,
    definitions: &dyn DefinitionsRead,
    parameter: &str,
) -> Result<TargetServer> {
    let name = call
        .name(parameter)
        .ok_or_else(|| raise(14200, &[parameter.into()]))?;
    definitions
        .target_by_name(name)?
        .filter(|target| target.id != ServerId(0))
        .ok_or_else(|| unknown(parameter, name).into())
}
