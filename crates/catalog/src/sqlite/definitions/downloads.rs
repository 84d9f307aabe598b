//! The download list.

use super::{Definitions, targets};
use crate::sqlite::codec::{
    At, Bytes16, Db, Unsigned, decode, instant, limit, page, taken, unsigned, uuid,
};
use crate::{
    CatalogError, Change, DownloadFilter, DownloadRow, NewInstruction, Object, PostedInstruction,
    Result,
};
use model::{InstructionNumber, InstructionObject, JobId, Operation, RunId, ServerId};
use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};
use uuid::Uuid;

macro_rules! download_columns {
    () => {
        "instance_id, server_id, number, uid, operation, object_type, object_id, run_id, login, \
         step_name, poll_interval_secs, deleted_object_name, posted"
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<DownloadRow> {
    let run: Option<Bytes16> = row.get(7)?;
    Ok(DownloadRow {
        instance_id: row.get(0)?,
        server: ServerId(row.get(1)?),
        number: InstructionNumber(unsigned(row, 2)?),
        instruction: NewInstruction {
            uid: uuid(row, 3)?,
            operation: decode(row, 4, "operation", |code| {
                Operation::from_code(u8::try_from(code).ok()?)
            })?,
            object: decode(row, 5, "object type", |code| {
                InstructionObject::from_code(u8::try_from(code).ok()?)
            })?,
            object_id: uuid(row, 6)?,
            run: run.map(|run| RunId(run.0)),
            login: row.get(8)?,
            step_name: row.get(9)?,
            poll_interval_secs: row.get(10)?,
            deleted_object_name: row.get(11)?,
            posted: instant(row, 12)?,
        },
    })
}

pub(super) fn download_list(db: Db<'_>, filter: &DownloadFilter) -> Result<Vec<DownloadRow>> {
    let mut sql = String::from(concat!(
        "SELECT ",
        download_columns!(),
        " FROM download_list WHERE instance_id > ?"
    ));
    let mut values: Vec<Value> = vec![filter.after.unwrap_or(0).into()];
    if let Some(server) = filter.server {
        sql.push_str(" AND server_id = ?");
        values.push(server.0.into());
    }
    if let Some(object) = filter.object_id {
        sql.push_str(" AND object_id = ?");
        values.push(object.as_bytes().to_vec().into());
    }
    if let Some(operation) = filter.operation {
        sql.push_str(" AND operation = ?");
        values.push(i64::from(operation.code()).into());
    }
    if let Some(object) = filter.object {
        sql.push_str(" AND object_type = ?");
        values.push(i64::from(object.code()).into());
    }
    // Of one target, the numbers ascend as the instance ids do, and there is an index on them.
    sql.push_str(if filter.server.is_some() {
        " ORDER BY number LIMIT ?"
    } else {
        " ORDER BY instance_id LIMIT ?"
    });
    values.push(limit(filter.limit).into());
    db.all(&sql, params_from_iter(values), read)
}

pub(super) fn instruction(
    db: Db<'_>,
    server: ServerId,
    number: InstructionNumber,
) -> Result<Option<DownloadRow>> {
    db.one(
        concat!(
            "SELECT ",
            download_columns!(),
            " FROM download_list WHERE server_id = ?1 AND number = ?2"
        ),
        params![server.0, Unsigned(number.0)],
        read,
    )
}

pub(super) fn instructions_after(
    db: Db<'_>,
    server: ServerId,
    after: InstructionNumber,
    limit: usize,
) -> Result<Vec<DownloadRow>> {
    db.all(
        concat!(
            "SELECT ",
            download_columns!(),
            " FROM download_list WHERE server_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3"
        ),
        params![server.0, Unsigned(after.0), page(limit)],
        read,
    )
}

/// Posts without a savepoint: whatever fails, fails before anything is written.
pub(super) fn post_instruction(
    w: &mut Definitions<'_>,
    server: ServerId,
    instruction: &NewInstruction,
) -> Result<PostedInstruction> {
    let last =
        w.db.one(
            "SELECT last_number FROM target_servers WHERE server_id = ?1",
            [server.0],
            |row| unsigned(row, 0),
        )?
        .ok_or_else(|| CatalogError::not_found(Object::TargetServer, server))?;
    let number = last + 1;
    let result = w.db.insert(
        "INSERT INTO download_list (server_id, number, uid, operation, object_type, object_id, run_id,
             login, step_name, poll_interval_secs, deleted_object_name, posted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            server.0,
            Unsigned(number),
            Bytes16(instruction.uid),
            instruction.operation.code(),
            instruction.object.code(),
            Bytes16(instruction.object_id),
            instruction.run.map(|run| Bytes16(run.0)),
            instruction.login,
            instruction.step_name,
            instruction.poll_interval_secs,
            instruction.deleted_object_name,
            At(instruction.posted),
        ],
    );
    let instance_id = taken(result, Object::Instruction, instruction.uid)?;
    w.db.run(
        "UPDATE target_servers SET last_number = ?2 WHERE server_id = ?1",
        params![server.0, Unsigned(number)],
    )?;
    w.mark("post_instruction");
    w.change(Change::InstructionsPosted { server });
    Ok(PostedInstruction {
        number: InstructionNumber(number),
        instance_id,
    })
}

pub(super) fn post_to_job_targets(
    w: &mut Definitions<'_>,
    job: JobId,
    instruction: &NewInstruction,
    fresh: &mut dyn FnMut() -> Uuid,
) -> Result<Vec<ServerId>> {
    w.atomically(|w| {
        let servers = targets::remote_targets(w.db, job)?;
        for server in &servers {
            let one = NewInstruction {
                uid: fresh(),
                run: match instruction.operation {
                    Operation::Start => Some(RunId(fresh())),
                    Operation::Insert
                    | Operation::Update
                    | Operation::Delete
                    | Operation::Stop
                    | Operation::ReEnlist
                    | Operation::Defect
                    | Operation::SyncTime
                    | Operation::SetPoll => instruction.run,
                },
                ..instruction.clone()
            };
            post_instruction(w, *server, &one)?;
        }
        Ok(servers)
    })
}

pub(super) fn delete_instruction(w: &mut Definitions<'_>, instance_id: i64) -> Result<()> {
    let server = w.db.one(
        "DELETE FROM download_list WHERE instance_id = ?1 RETURNING server_id",
        [instance_id],
        |row| row.get(0),
    )?;
    let server = server.ok_or_else(|| CatalogError::not_found(Object::Instruction, instance_id))?;
    w.change(Change::InstructionsCleared {
        server: ServerId(server),
    });
    Ok(())
}

pub(super) fn clear_instructions(
    w: &mut Definitions<'_>,
    server: ServerId,
    above: InstructionNumber,
) -> Result<u64> {
    let removed = w.db.run(
        "DELETE FROM download_list WHERE server_id = ?1 AND number > ?2",
        params![server.0, Unsigned(above.0)],
    )?;
    if removed > 0 {
        w.change(Change::InstructionsCleared { server });
    }
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

pub(super) fn raise_instruction_number(
    w: &mut Definitions<'_>,
    server: ServerId,
    number: InstructionNumber,
) -> Result<()> {
    let found = w.db.run(
        "UPDATE target_servers SET last_number = MAX(last_number, ?2) WHERE server_id = ?1",
        params![server.0, Unsigned(number.0)],
    )?;
    if found == 0 {
        return Err(CatalogError::not_found(Object::TargetServer, server));
    }
    Ok(())
}

pub(super) fn trim_downloaded(
    w: &mut Definitions<'_>,
    server: ServerId,
    acknowledged: InstructionNumber,
    keep: usize,
) -> Result<u64> {
    // The newest downloaded row always stays: the cursor is checked against its identity.
    let keep = i64::try_from(keep.max(1)).unwrap_or(i64::MAX);
    let first_kept: Option<u64> = w.db.one(
        "SELECT number FROM download_list WHERE server_id = ?1 AND number <= ?2
         ORDER BY number DESC LIMIT 1 OFFSET ?3",
        params![server.0, Unsigned(acknowledged.0), keep - 1],
        |row| unsigned(row, 0),
    )?;
    let Some(first_kept) = first_kept else {
        return Ok(0);
    };
    let removed = w.db.run(
        "DELETE FROM download_list WHERE server_id = ?1 AND number < ?2",
        params![server.0, Unsigned(first_kept)],
    )?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}
