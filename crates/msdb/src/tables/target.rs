//! Target servers, their groups, the download list, and where jobs came from.

use super::columns::{
    SYSDOWNLOADLIST, SYSORIGINATINGSERVERS, SYSORIGINATINGSERVERS_VIEW,
    SYSTARGETSERVERGROUPMEMBERS, SYSTARGETSERVERGROUPS, SYSTARGETSERVERS, SYSTARGETSERVERS_VIEW,
};
use super::{Rows, Scanner, Select, Table, msdb};
use crate::convert::{datetime, datetime_at_offset, datetime_or_null, guid, int, tinyint};
use crate::error::Result;
use crate::messages::text;
use crate::targets::TargetFacts;
use catalog::{DownloadFilter, TargetFilter, TargetServer};
use model::{Operation, ServerId};
use std::collections::BTreeMap;
use tsql::{Row, Value};

/// The tables.
pub(super) const TABLES: &[Table] = &[
    msdb(
        "systargetservers",
        SYSTARGETSERVERS,
        &["server_id", "server_name"],
        Select::Nobody,
        targets,
    ),
    msdb(
        "systargetservers_view",
        SYSTARGETSERVERS_VIEW,
        &["server_id", "server_name"],
        Select::AgentAndTargets,
        targets_view,
    ),
    msdb(
        "systargetservergroups",
        SYSTARGETSERVERGROUPS,
        &[],
        Select::Nobody,
        groups,
    ),
    msdb(
        "systargetservergroupmembers",
        SYSTARGETSERVERGROUPMEMBERS,
        &["servergroup_id"],
        Select::Nobody,
        members,
    ),
    msdb(
        "sysdownloadlist",
        SYSDOWNLOADLIST,
        &["target_server", "object_id", "operation_code"],
        Select::TargetServers,
        downloads,
    ),
    msdb(
        "sysoriginatingservers",
        SYSORIGINATINGSERVERS,
        &[],
        Select::Nobody,
        origins,
    ),
    msdb(
        "sysoriginatingservers_view",
        SYSORIGINATINGSERVERS_VIEW,
        &[],
        Select::Agent,
        origins_view,
    ),
];

fn sought(scan: &Scanner<'_>) -> Result<Vec<TargetServer>> {
    let definitions = scan.definitions;
    if let Some(id) = scan.number("server_id") {
        Ok(definitions.target(ServerId(id))?.into_iter().collect())
    } else if let Some(name) = scan.text("server_name") {
        Ok(definitions.target_by_name(name)?.into_iter().collect())
    } else {
        Ok(definitions.targets(&TargetFilter::default())?)
    }
}

fn targets(scan: &Scanner<'_>) -> Result<Rows> {
    let sought = sought(scan)?;
    let rows = sought
        .iter()
        .map(|target| target_row(scan, target))
        .collect::<Result<_>>()?;
    Ok(Rows::All(rows))
}

/// A login of TargetServersRole sees the target it enlisted, and no other; the Agent's readers see all.
fn targets_view(scan: &Scanner<'_>) -> Result<Rows> {
    let all = scan.caller.is(crate::caller::AgentRole::User);
    let mut rows = Vec::new();
    for target in sought(scan)? {
        if all || target.enlisted_by.eq_ignore_ascii_case(&scan.caller.login) {
            rows.push(target_row(scan, &target)?);
        }
    }
    Ok(Rows::All(rows))
}

fn target_row(scan: &Scanner<'_>, target: &TargetServer) -> Result<Row> {
    let facts = scan.runs(|runs| TargetFacts::read(runs, target, scan.now))?;
    Ok(vec![
        int(target.id.0),
        Value::string(target.name.to_uppercase()),
        target.location.clone().into(),
        Value::Int(facts.utc_offset_minutes / 60),
        datetime(target.enlisted, &scan.zone),
        datetime(facts.last_poll, &scan.zone),
        Value::Int(facts.status.code()),
        datetime_at_offset(facts.clock, facts.utc_offset_minutes),
        Value::string(&*target.enlisted_by),
        int(target.poll_interval_secs.into()),
    ])
}

fn groups(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = scan
        .definitions
        .target_groups()?
        .into_iter()
        .map(|group| vec![int(group.id), Value::string(group.name)])
        .collect();
    Ok(Rows::All(rows))
}

fn members(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = scan
        .definitions
        .target_group_members(scan.number("servergroup_id"))?
        .into_iter()
        .map(|member| vec![int(member.group), int(member.server.0)])
        .collect();
    Ok(Rows::All(rows))
}

fn downloads(scan: &Scanner<'_>) -> Result<Rows> {
    let definitions = scan.definitions;
    let targets: BTreeMap<ServerId, TargetServer> = match scan.text("target_server") {
        Some(name) => definitions.target_by_name(name)?.into_iter().collect(),
        None => definitions.targets(&TargetFilter::default())?,
    }
    .into_iter()
    .map(|target| (target.id, target))
    .collect();
    let server = match (scan.text("target_server"), targets.keys().next()) {
        (None, _) => None,
        (Some(_), Some(id)) => Some(*id),
        (Some(_), None) => return Ok(Rows::All(Vec::new())),
    };
    let mut facts = BTreeMap::new();
    for target in targets.values() {
        let read = scan.runs(|runs| TargetFacts::read(runs, target, scan.now))?;
        facts.insert(target.id, read);
    }
    let filter = DownloadFilter {
        server,
        object_id: scan.guid("object_id"),
        operation: scan
            .number("operation_code")
            .and_then(|code| u8::try_from(code).ok())
            .and_then(Operation::from_code),
        ..DownloadFilter::default()
    };
    let rows = definitions
        .download_list(&filter)?
        .into_iter()
        .map(|row| {
            let download = facts.get(&row.server).map(|facts| facts.download(&row));
            let name = targets
                .get(&row.server)
                .map_or(text(14205), |target| &target.name);
            let instruction = &row.instruction;
            vec![
                int(row.instance_id),
                Value::string(scan.server.to_uppercase()),
                Value::TinyInt(instruction.operation.code()),
                Value::TinyInt(instruction.object.code()),
                guid(instruction.object_id),
                Value::string(name.to_uppercase()),
                download
                    .and_then(|download| download.error)
                    .map(str::to_owned)
                    .into(),
                datetime(instruction.posted, &scan.zone),
                datetime_or_null(download.and_then(|download| download.at), &scan.zone),
                tinyint(i32::from(download.is_some_and(|download| download.done))),
                instruction.deleted_object_name.clone().into(),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn origins(scan: &Scanner<'_>) -> Result<Rows> {
    let rows = scan
        .definitions
        .originating_servers()?
        .into_iter()
        .map(|server| {
            vec![
                int(server.id),
                Value::string(server.name.to_uppercase()),
                Value::Bit(server.master),
            ]
        })
        .collect();
    Ok(Rows::All(rows))
}

fn origins_view(scan: &Scanner<'_>) -> Result<Rows> {
    let mut rows = vec![vec![
        Value::Int(0),
        Value::string(scan.server.to_uppercase()),
        Value::Bit(false),
    ]];
    if let Rows::All(others) = origins(scan)? {
        rows.extend(others);
    }
    Ok(Rows::All(rows))
}
