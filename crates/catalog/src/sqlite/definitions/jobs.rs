//! Jobs, their steps, and what hangs on them.

use super::{Definitions, downloads, schedules, targets};
use crate::sqlite::codec::{At, Bytes16, Db, decode, found, instant, limit, page, taken, uuid};
use crate::{
    BuiltInCategory, CatalogError, Change, DeletedJob, JobDeletion, JobFilter, JobServer,
    NewInstruction, Object, OriginFilter, PostedInstruction, Result, name_key,
};
use jiff::Timestamp;
use model::{
    CategoryId, Job, JobDocument, JobId, JobStep, NotifyLevel, OperatorId, ScheduleId, ServerId,
    StepAction, StepUid, Subsystem,
};
use rusqlite::types::Value;
use rusqlite::{Row, params, params_from_iter};

macro_rules! job_columns {
    () => {
        "job_id, origin, name, enabled, description, start_step_id, category_id, owner_sid, \
         notify_level_eventlog, notify_level_email, notify_level_netsend, notify_level_page, \
         notify_email_operator, notify_netsend_operator, notify_page_operator, delete_level, \
         created, modified, version"
    };
}

macro_rules! step_columns {
    () => {
        "step_id, step_uid, name, subsystem, command, flags, additional_parameters, \
         cmdexec_success_code, on_success, on_success_step_id, on_fail, on_fail_step_id, server, \
         database_name, database_user_name, retry_attempts, retry_interval_minutes, \
         os_run_priority, output_file_name, proxy_name, job_id"
    };
}

fn level(row: &Row<'_>, index: usize) -> rusqlite::Result<NotifyLevel> {
    decode(row, index, "notify level", |code| {
        NotifyLevel::from_code(i32::try_from(code).ok()?)
    })
}

fn action(row: &Row<'_>, index: usize) -> rusqlite::Result<StepAction> {
    decode(row, index, "step action", |code| {
        StepAction::from_code(u8::try_from(code).ok()?)
    })
}

/// An origin as stored: '' for this server.
pub(super) fn origin(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<String>> {
    let origin: String = row.get(index)?;
    Ok((!origin.is_empty()).then_some(origin))
}

fn read_job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: JobId(uuid(row, 0)?),
        originating_server: origin(row, 1)?,
        name: row.get(2)?,
        enabled: row.get(3)?,
        description: row.get(4)?,
        start_step_id: row.get(5)?,
        category: CategoryId(row.get(6)?),
        owner_sid: row.get(7)?,
        notify_level_eventlog: level(row, 8)?,
        notify_level_email: level(row, 9)?,
        notify_level_netsend: level(row, 10)?,
        notify_level_page: level(row, 11)?,
        notify_email_operator: OperatorId(row.get(12)?),
        notify_netsend_operator: OperatorId(row.get(13)?),
        notify_page_operator: OperatorId(row.get(14)?),
        delete_level: level(row, 15)?,
        created: instant(row, 16)?,
        modified: instant(row, 17)?,
        version: row.get(18)?,
    })
}

fn read_step(row: &Row<'_>) -> rusqlite::Result<JobStep> {
    Ok(JobStep {
        step_id: row.get(0)?,
        uid: StepUid(uuid(row, 1)?),
        name: row.get(2)?,
        subsystem: Subsystem::parse(&row.get::<_, String>(3)?),
        command: row.get(4)?,
        flags: row.get(5)?,
        additional_parameters: row.get(6)?,
        cmdexec_success_code: row.get(7)?,
        on_success: action(row, 8)?,
        on_success_step_id: row.get(9)?,
        on_fail: action(row, 10)?,
        on_fail_step_id: row.get(11)?,
        server: row.get(12)?,
        database_name: row.get(13)?,
        database_user_name: row.get(14)?,
        retry_attempts: row.get(15)?,
        retry_interval_minutes: row.get(16)?,
        os_run_priority: row.get(17)?,
        output_file_name: row.get(18)?,
        proxy_name: row.get(19)?,
    })
}

fn read_step_of_job(row: &Row<'_>) -> rusqlite::Result<(JobId, JobStep)> {
    Ok((JobId(uuid(row, 20)?), read_step(row)?))
}

pub(super) fn job(db: Db<'_>, id: JobId) -> Result<Option<Job>> {
    db.one(
        concat!("SELECT ", job_columns!(), " FROM jobs WHERE job_id = ?1"),
        [Bytes16(id.0)],
        read_job,
    )
}

pub(super) fn jobs_by_name(db: Db<'_>, name: &str) -> Result<Vec<Job>> {
    db.all(
        concat!(
            "SELECT ",
            job_columns!(),
            " FROM jobs WHERE name_key = ?1 ORDER BY origin_key"
        ),
        [name_key(name)],
        read_job,
    )
}

/// The conditions of a filter, with their values.
fn conditions(filter: &JobFilter) -> (String, Vec<Value>) {
    let mut sql = String::from(" WHERE job_id > ?");
    let mut values = vec![Value::Blob(
        filter
            .after
            .map(|job| job.0.as_bytes().to_vec())
            .unwrap_or_default(),
    )];
    if let Some(category) = filter.category {
        sql.push_str(" AND category_id = ?");
        values.push(category.0.into());
    }
    if let Some(sid) = &filter.owner_sid {
        sql.push_str(" AND owner_sid = ?");
        values.push(sid.clone().into());
    }
    if let Some(enabled) = filter.enabled {
        sql.push_str(" AND enabled = ?");
        values.push(i64::from(enabled).into());
    }
    match &filter.origin {
        None => {}
        Some(OriginFilter::Local) => sql.push_str(" AND origin_key = ''"),
        Some(OriginFilter::Downloaded) => sql.push_str(" AND origin_key <> ''"),
        Some(OriginFilter::Server(name)) => {
            sql.push_str(" AND origin_key = ? AND origin_key <> ''");
            values.push(name_key(name).into());
        }
    }
    if let Some(server) = filter.target {
        sql.push_str(" AND job_id IN (SELECT job_id FROM job_servers WHERE server_id = ?)");
        values.push(server.0.into());
    }
    (sql, values)
}

pub(super) fn jobs(db: Db<'_>, filter: &JobFilter) -> Result<Vec<Job>> {
    let (conditions, mut values) = conditions(filter);
    values.push(limit(filter.limit).into());
    db.all(
        &format!(
            concat!(
                "SELECT ",
                job_columns!(),
                " FROM jobs{} ORDER BY job_id LIMIT ?"
            ),
            conditions
        ),
        params_from_iter(values),
        read_job,
    )
}

pub(super) fn job_count(db: Db<'_>, filter: &JobFilter) -> Result<u64> {
    let (conditions, mut values) = conditions(filter);
    values.push(limit(filter.limit).into());
    let counts = db.all(
        &format!("SELECT count(*) FROM (SELECT 1 FROM jobs{conditions} LIMIT ?)"),
        params_from_iter(values),
        |row| row.get::<_, i64>(0),
    )?;
    Ok(counts
        .first()
        .and_then(|count| u64::try_from(*count).ok())
        .unwrap_or(0))
}

pub(super) fn job_document(db: Db<'_>, id: JobId) -> Result<Option<JobDocument>> {
    let Some(job) = job(db, id)? else {
        return Ok(None);
    };
    let mut schedules: Vec<model::Schedule> = schedules::schedules_of_job(db, id)?
        .into_iter()
        .map(|row| row.schedule)
        .collect();
    schedules.sort_by_key(|schedule| schedule.uid);
    let owner_login = db
        .one(
            "SELECT name FROM logins WHERE sid = ?1",
            [&job.owner_sid],
            |row| row.get(0),
        )?
        .unwrap_or_default();
    let category_name = db
        .one(
            "SELECT name FROM categories WHERE category_id = ?1",
            [job.category.0],
            |row| row.get(0),
        )?
        .unwrap_or_default();
    Ok(Some(JobDocument {
        steps: steps(db, id)?,
        schedules,
        owner_login,
        category_name,
        job,
    }))
}

pub(super) fn steps(db: Db<'_>, job: JobId) -> Result<Vec<JobStep>> {
    db.all(
        concat!(
            "SELECT ",
            step_columns!(),
            " FROM job_steps WHERE job_id = ?1 ORDER BY step_id"
        ),
        [Bytes16(job.0)],
        read_step,
    )
}

pub(super) fn step(db: Db<'_>, job: JobId, step_id: i32) -> Result<Option<JobStep>> {
    db.one(
        concat!(
            "SELECT ",
            step_columns!(),
            " FROM job_steps WHERE job_id = ?1 AND step_id = ?2"
        ),
        params![Bytes16(job.0), step_id],
        read_step,
    )
}

pub(super) fn step_by_uid(db: Db<'_>, uid: StepUid) -> Result<Option<(JobId, JobStep)>> {
    db.one(
        concat!(
            "SELECT ",
            step_columns!(),
            " FROM job_steps WHERE step_uid = ?1"
        ),
        [Bytes16(uid.0)],
        read_step_of_job,
    )
}

pub(super) fn steps_page(
    db: Db<'_>,
    after: Option<(JobId, i32)>,
    limit: usize,
) -> Result<Vec<(JobId, JobStep)>> {
    let (job, step_id) = after.unwrap_or((JobId::ALL, 0));
    db.all(
        concat!(
            "SELECT ",
            step_columns!(),
            " FROM job_steps WHERE (job_id, step_id) > (?1, ?2) ORDER BY job_id, step_id LIMIT ?3"
        ),
        params![Bytes16(job.0), step_id, page(limit)],
        read_step_of_job,
    )
}

pub(super) fn step_counts(db: Db<'_>, job: Option<JobId>) -> Result<Vec<(JobId, u32)>> {
    let read = |row: &Row<'_>| Ok((JobId(uuid(row, 0)?), row.get(1)?));
    match job {
        None => db.all(
            "SELECT job_id, count(*) FROM job_steps GROUP BY job_id ORDER BY job_id",
            [],
            read,
        ),
        Some(job) => db.all(
            "SELECT job_id, count(*) FROM job_steps WHERE job_id = ?1 GROUP BY job_id",
            [Bytes16(job.0)],
            read,
        ),
    }
}

pub(super) fn steps_using_proxy(db: Db<'_>, proxy_name: &str) -> Result<Vec<(JobId, JobStep)>> {
    let mut steps = db.all(
        concat!(
            "SELECT ",
            step_columns!(),
            " FROM job_steps WHERE proxy_key = ?1"
        ),
        [name_key(proxy_name)],
        read_step_of_job,
    )?;
    steps.sort_by_key(|(job, step)| (*job, step.step_id));
    Ok(steps)
}

pub(super) fn jobs_notifying(db: Db<'_>, operator: OperatorId) -> Result<Vec<Job>> {
    if operator.0 == 0 {
        return Ok(Vec::new());
    }
    let mut jobs = db.all(
        concat!(
            "SELECT ",
            job_columns!(),
            " FROM jobs WHERE (notify_email_operator = ?1 AND notify_email_operator <> 0)
               OR (notify_netsend_operator = ?1 AND notify_netsend_operator <> 0)
               OR (notify_page_operator = ?1 AND notify_page_operator <> 0)"
        ),
        [operator.0],
        read_job,
    )?;
    jobs.sort_by_key(|job| job.id);
    Ok(jobs)
}

pub(super) fn job_servers(
    db: Db<'_>,
    job: Option<JobId>,
    server: Option<ServerId>,
) -> Result<Vec<JobServer>> {
    let read = |row: &Row<'_>| {
        Ok(JobServer {
            job: JobId(uuid(row, 0)?),
            server: ServerId(row.get(1)?),
        })
    };
    match (job, server) {
        (None, None) => db.all(
            "SELECT job_id, server_id FROM job_servers ORDER BY job_id, server_id",
            [],
            read,
        ),
        (Some(job), None) => db.all(
            "SELECT job_id, server_id FROM job_servers WHERE job_id = ?1 ORDER BY server_id",
            [Bytes16(job.0)],
            read,
        ),
        (None, Some(server)) => db.all(
            "SELECT job_id, server_id FROM job_servers WHERE server_id = ?1 ORDER BY job_id",
            [server.0],
            read,
        ),
        (Some(job), Some(server)) => db.all(
            "SELECT job_id, server_id FROM job_servers WHERE job_id = ?1 AND server_id = ?2",
            params![Bytes16(job.0), server.0],
            read,
        ),
    }
}

pub(super) fn deleted_jobs(db: Db<'_>, limit: usize) -> Result<Vec<DeletedJob>> {
    db.all(
        "SELECT job_id, keep_history, deleted FROM deleted_jobs ORDER BY job_id LIMIT ?1",
        [page(limit)],
        |row| {
            Ok(DeletedJob {
                job: JobId(uuid(row, 0)?),
                keep_history: row.get(1)?,
                deleted: instant(row, 2)?,
            })
        },
    )
}

/// Writes a header whole, the version as given.
fn put_job(w: &mut Definitions<'_>, job: &Job, sql: &'static str) -> Result<usize> {
    let origin = job.originating_server.as_deref().unwrap_or("");
    let result = w.db.run(
        sql,
        params![
            Bytes16(job.id.0),
            origin,
            job.name,
            job.enabled,
            job.description,
            job.start_step_id,
            job.category.0,
            job.owner_sid,
            job.notify_level_eventlog.code(),
            job.notify_level_email.code(),
            job.notify_level_netsend.code(),
            job.notify_level_page.code(),
            job.notify_email_operator.0,
            job.notify_netsend_operator.0,
            job.notify_page_operator.0,
            job.delete_level.code(),
            At(job.created),
            At(job.modified),
            job.version,
            name_key(&job.name),
            name_key(origin),
        ],
    );
    let changed = taken(result, Object::Job, &job.name)?;
    if changed > 0 {
        w.change(Change::JobChanged(job.id));
    }
    Ok(changed)
}

const INSERT_JOB: &str = concat!(
    "INSERT INTO jobs (",
    job_columns!(),
    ", name_key, origin_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
     ?16, ?17, ?18, ?19, ?20, ?21)"
);

const UPDATE_JOB: &str = "UPDATE jobs SET origin = ?2, name = ?3, enabled = ?4, description = ?5, \
     start_step_id = ?6, category_id = ?7, owner_sid = ?8, notify_level_eventlog = ?9, \
     notify_level_email = ?10, notify_level_netsend = ?11, notify_level_page = ?12, \
     notify_email_operator = ?13, notify_netsend_operator = ?14, notify_page_operator = ?15, \
     delete_level = ?16, created = ?17, modified = ?18, version = ?19, name_key = ?20, \
     origin_key = ?21 WHERE job_id = ?1";

pub(super) fn create_job(w: &mut Definitions<'_>, job: &Job) -> Result<()> {
    put_job(w, job, INSERT_JOB)?;
    Ok(())
}

pub(super) fn update_job(w: &mut Definitions<'_>, job: &Job) -> Result<()> {
    let version: Option<i64> = w.db.one(
        "SELECT version FROM jobs WHERE job_id = ?1",
        [Bytes16(job.id.0)],
        |row| row.get(0),
    )?;
    let version = version.ok_or_else(|| CatalogError::not_found(Object::Job, job.id))?;
    let job = Job {
        version: version + 1,
        ..job.clone()
    };
    put_job(w, &job, UPDATE_JOB)?;
    Ok(())
}

pub(super) fn touch_job(w: &mut Definitions<'_>, job: JobId, now: Timestamp) -> Result<()> {
    let changed = w.db.run(
        "UPDATE jobs SET version = version + 1, modified = ?2 WHERE job_id = ?1",
        params![Bytes16(job.0), At(now)],
    )?;
    found(changed, Object::Job, job)?;
    w.change(Change::JobChanged(job));
    Ok(())
}

/// `NotFound` unless the job is there.
pub(super) fn must_exist(db: Db<'_>, job: JobId) -> Result<()> {
    if db.any("SELECT 1 FROM jobs WHERE job_id = ?1", [Bytes16(job.0)])? {
        Ok(())
    } else {
        Err(CatalogError::not_found(Object::Job, job))
    }
}

pub(super) fn delete_job(
    w: &mut Definitions<'_>,
    job: JobId,
    deletion: JobDeletion,
    now: Timestamp,
) -> Result<Vec<ScheduleId>> {
    w.atomically(|w| {
        let alert: Option<String> = w.db.one(
            "SELECT name FROM alerts WHERE job_id = ?1",
            [Bytes16(job.0)],
            |row| row.get(0),
        )?;
        if let Some(alert) = alert {
            return Err(CatalogError::InUse {
                object: Object::Job,
                name: job.to_string(),
                by: format!("alert {alert:?}"),
            });
        }
        let attached = if deletion.delete_unused_schedules {
            schedules::schedules_of_job(w.db, job)?
        } else {
            Vec::new()
        };
        let changed =
            w.db.run("DELETE FROM jobs WHERE job_id = ?1", [Bytes16(job.0)])?;
        found(changed, Object::Job, job)?;
        w.db.run(
            "INSERT INTO deleted_jobs (job_id, keep_history, deleted) VALUES (?1, ?2, ?3)
             ON CONFLICT (job_id) DO UPDATE SET keep_history = excluded.keep_history,
                 deleted = excluded.deleted",
            params![Bytes16(job.0), deletion.keep_history, At(now)],
        )?;
        let mut removed = Vec::new();
        for row in attached {
            if schedules::delete_if_unused(w, row.id)? {
                removed.push(row.id);
            }
        }
        w.mark("delete_job");
        w.change(Change::JobDeleted(job));
        Ok(removed)
    })
}

const INSERT_STEP: &str = concat!(
    "INSERT INTO job_steps (",
    step_columns!(),
    ", name_key, proxy_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
     ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)"
);

fn insert_step(w: &mut Definitions<'_>, job: JobId, step: &JobStep) -> Result<()> {
    let result = w.db.run(
        INSERT_STEP,
        params![
            step.step_id,
            Bytes16(step.uid.0),
            step.name,
            step.subsystem.name(),
            step.command,
            step.flags,
            step.additional_parameters,
            step.cmdexec_success_code,
            step.on_success.code(),
            step.on_success_step_id,
            step.on_fail.code(),
            step.on_fail_step_id,
            step.server,
            step.database_name,
            step.database_user_name,
            step.retry_attempts,
            step.retry_interval_minutes,
            step.os_run_priority,
            step.output_file_name,
            step.proxy_name,
            Bytes16(job.0),
            name_key(&step.name),
            step.proxy_name.as_deref().map(name_key),
        ],
    );
    taken(result, Object::JobStep, &step.name)?;
    Ok(())
}

pub(super) fn replace_steps(
    w: &mut Definitions<'_>,
    job: JobId,
    steps_given: &[JobStep],
) -> Result<()> {
    w.atomically(|w| {
        must_exist(w.db, job)?;
        let in_order = (1..).zip(steps_given).all(|(id, step)| step.step_id == id);
        if !in_order {
            return Err(CatalogError::OutOfRange { what: "a step id" });
        }
        let stored = steps(w.db, job)?;
        let stays = |step: &JobStep| steps_given.contains(step);
        // All that change go before any comes: names and uids may have moved from one step to another.
        for step in stored.iter().filter(|step| !stays(step)) {
            w.db.run(
                "DELETE FROM job_steps WHERE job_id = ?1 AND step_id = ?2",
                params![Bytes16(job.0), step.step_id],
            )?;
        }
        for step in steps_given.iter().filter(|step| !stored.contains(step)) {
            insert_step(w, job, step)?;
        }
        w.change(Change::JobChanged(job));
        Ok(())
    })
}

pub(super) fn append_step(w: &mut Definitions<'_>, job: JobId, step: &JobStep) -> Result<()> {
    must_exist(w.db, job)?;
    let last: i32 = w.db.sure(
        "SELECT coalesce(max(step_id), 0) FROM job_steps WHERE job_id = ?1",
        [Bytes16(job.0)],
        |row| row.get(0),
    )?;
    if step.step_id != last + 1 {
        return Err(CatalogError::OutOfRange { what: "a step id" });
    }
    insert_step(w, job, step)?;
    w.change(Change::JobChanged(job));
    Ok(())
}

pub(super) fn update_step(w: &mut Definitions<'_>, job: JobId, step: &JobStep) -> Result<()> {
    w.atomically(|w| {
        let changed = w.db.run(
            "DELETE FROM job_steps WHERE job_id = ?1 AND step_id = ?2",
            params![Bytes16(job.0), step.step_id],
        )?;
        found(changed, Object::JobStep, step.step_id)?;
        insert_step(w, job, step)?;
        w.change(Change::JobChanged(job));
        Ok(())
    })
}

pub(super) fn add_job_server(
    w: &mut Definitions<'_>,
    job: JobId,
    server: ServerId,
    instruction: Option<&NewInstruction>,
) -> Result<Option<PostedInstruction>> {
    w.atomically(|w| {
        must_exist(w.db, job)?;
        if server.0 != 0 {
            targets::must_exist(w.db, server)?;
        }
        let result = w.db.run(
            "INSERT INTO job_servers (job_id, server_id) VALUES (?1, ?2)",
            params![Bytes16(job.0), server.0],
        );
        taken(result, Object::JobServer, server)?;
        w.change(Change::JobTargetsChanged(job));
        instruction
            .map(|instruction| downloads::post_instruction(w, server, instruction))
            .transpose()
    })
}

pub(super) fn remove_job_server(
    w: &mut Definitions<'_>,
    job: JobId,
    server: ServerId,
    instruction: Option<&NewInstruction>,
) -> Result<Option<PostedInstruction>> {
    w.atomically(|w| {
        let changed = w.db.run(
            "DELETE FROM job_servers WHERE job_id = ?1 AND server_id = ?2",
            params![Bytes16(job.0), server.0],
        )?;
        found(changed, Object::JobServer, server)?;
        w.change(Change::JobTargetsChanged(job));
        instruction
            .map(|instruction| downloads::post_instruction(w, server, instruction))
            .transpose()
    })
}

/// The header as a target keeps it: whatever the category on the master, here it is "Jobs from MSX".
fn downloaded_header(w: &Definitions<'_>, document: &JobDocument) -> Result<Job> {
    let stored: Option<String> = w.db.one(
        "SELECT origin FROM jobs WHERE job_id = ?1",
        [Bytes16(document.job.id.0)],
        |row| row.get(0),
    )?;
    if stored.is_some_and(|origin| origin.is_empty()) || document.job.originating_server.is_none() {
        return Err(CatalogError::already_exists(
            Object::Job,
            &document.job.name,
        ));
    }
    Ok(Job {
        category: BuiltInCategory::JOBS_FROM_MSX,
        ..document.job.clone()
    })
}

pub(super) fn apply_job(w: &mut Definitions<'_>, document: &JobDocument) -> Result<()> {
    w.atomically(|w| {
        let job = downloaded_header(w, document)?;
        let before = schedules::schedules_of_job(w.db, job.id)?;
        if put_job(w, &job, UPDATE_JOB)? == 0 {
            put_job(w, &job, INSERT_JOB)?;
            w.db.run(
                "DELETE FROM deleted_jobs WHERE job_id = ?1",
                [Bytes16(job.id.0)],
            )?;
        }
        replace_steps(w, job.id, &document.steps)?;
        for schedule in &document.schedules {
            let id = schedules::put_downloaded(w, schedule)?;
            schedules::attach_schedule(w, job.id, id)?;
        }
        for row in before {
            let stays = document
                .schedules
                .iter()
                .any(|schedule| schedule.uid == row.schedule.uid);
            if !stays {
                schedules::detach_schedule(w, job.id, row.id)?;
                if row.schedule.originating_server.is_some() {
                    schedules::delete_if_unused(w, row.id)?;
                }
            }
        }
        w.db.run(
            "INSERT INTO job_servers (job_id, server_id) VALUES (?1, 0)
             ON CONFLICT (job_id, server_id) DO NOTHING",
            [Bytes16(job.id.0)],
        )?;
        w.mark("apply_job");
        w.change(Change::JobChanged(job.id));
        Ok(())
    })
}

pub(super) fn apply_job_header(w: &mut Definitions<'_>, document: &JobDocument) -> Result<bool> {
    w.atomically(|w| {
        let job = downloaded_header(w, document)?;
        let changed = put_job(w, &job, UPDATE_JOB)?;
        w.mark("apply_job");
        Ok(changed > 0)
    })
}

pub(super) fn delete_downloaded_jobs(
    w: &mut Definitions<'_>,
    now: Timestamp,
) -> Result<Vec<JobId>> {
    w.atomically(|w| {
        let downloaded = w.db.all(
            "SELECT job_id FROM jobs WHERE origin_key <> ''",
            [],
            |row| Ok(JobId(uuid(row, 0)?)),
        )?;
        for job in &downloaded {
            // An alert of the administrator's own answers with no job once the job is gone.
            w.db.run(
                "UPDATE alerts SET job_id = zeroblob(16) WHERE job_id = ?1",
                [Bytes16(job.0)],
            )?;
            let deletion = JobDeletion {
                keep_history: false,
                delete_unused_schedules: true,
            };
            delete_job(w, *job, deletion, now)?;
        }
        w.db.run("DELETE FROM schedules WHERE origin_key <> ''", [])?;
        Ok(downloaded)
    })
}

pub(super) fn forget_deleted_job(w: &mut Definitions<'_>, job: JobId) -> Result<()> {
    w.db.run(
        "DELETE FROM deleted_jobs WHERE job_id = ?1",
        [Bytes16(job.0)],
    )?;
    Ok(())
}
