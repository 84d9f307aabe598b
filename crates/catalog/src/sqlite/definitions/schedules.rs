//! Schedules and their attachment to jobs.

use super::Definitions;
use super::jobs::{must_exist as job_must_exist, origin};
use crate::sqlite::codec::{At, Bytes16, Db, found, instant, taken, uuid};
use crate::{CatalogError, Change, JobSchedule, Object, Result, ScheduleRow, name_key};
use jiff::civil::{Date, Time};
use model::encoding::{date_from_int, date_to_int, time_from_int, time_to_int};
use model::{Frequency, JobId, RelativeWeek, Schedule, ScheduleId, ScheduleUid, Subday};
use rusqlite::types::Type;
use rusqlite::{Row, params};

macro_rules! schedule_columns {
    () => {
        "s.schedule_uid, s.origin, s.name, s.owner_sid, s.enabled, s.kind, s.kind_a, s.kind_b, s.kind_c, \
         s.subday_unit, s.subday_count, s.raw_interval, s.raw_subday_type, s.raw_subday_interval, \
         s.raw_relative_interval, s.raw_recurrence_factor, s.active_start_date, s.active_end_date, \
         s.active_start_time, s.active_end_time, s.created, s.modified, s.version, s.schedule_id"
    };
}

/// A frequency as its kind and three numbers.
fn frequency_numbers(frequency: Frequency) -> [i32; 4] {
    match frequency {
        Frequency::Once => [1, 0, 0, 0],
        Frequency::Daily { every_days } => [4, every_days, 0, 0],
        Frequency::Weekly {
            weekdays,
            every_weeks,
        } => [8, i32::from(weekdays), every_weeks, 0],
        Frequency::Monthly { day, every_months } => [16, i32::from(day), every_months, 0],
        Frequency::MonthlyRelative {
            day_kind,
            week,
            every_months,
        } => [32, i32::from(day_kind), week.code(), every_months],
        Frequency::AgentStart => [64, 0, 0, 0],
        Frequency::CpuIdle => [128, 0, 0, 0],
    }
}

fn frequency([kind, a, b, c]: [i32; 4]) -> Option<Frequency> {
    Some(match kind {
        1 => Frequency::Once,
        4 => Frequency::Daily { every_days: a },
        8 => Frequency::Weekly {
            weekdays: u8::try_from(a).ok()?,
            every_weeks: b,
        },
        16 => Frequency::Monthly {
            day: u8::try_from(a).ok()?,
            every_months: b,
        },
        32 => Frequency::MonthlyRelative {
            day_kind: u8::try_from(a).ok()?,
            week: RelativeWeek::from_code(b)?,
            every_months: c,
        },
        64 => Frequency::AgentStart,
        128 => Frequency::CpuIdle,
        _ => return None,
    })
}

const fn subday_numbers(subday: Subday) -> [i32; 2] {
    match subday {
        Subday::Once => [1, 0],
        Subday::Seconds(count) => [2, count],
        Subday::Minutes(count) => [4, count],
        Subday::Hours(count) => [8, count],
    }
}

const fn subday([unit, count]: [i32; 2]) -> Option<Subday> {
    match unit {
        1 => Some(Subday::Once),
        2 => Some(Subday::Seconds(count)),
        4 => Some(Subday::Minutes(count)),
        8 => Some(Subday::Hours(count)),
        _ => None,
    }
}

fn wrong(index: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(index, "schedules".to_owned(), Type::Integer)
}

fn date(row: &Row<'_>, index: usize) -> rusqlite::Result<Date> {
    date_from_int(row.get(index)?).ok_or_else(|| wrong(index))
}

fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Time> {
    time_from_int(row.get(index)?).ok_or_else(|| wrong(index))
}

fn read(row: &Row<'_>) -> rusqlite::Result<ScheduleRow> {
    Ok(ScheduleRow {
        id: ScheduleId(row.get(23)?),
        schedule: Schedule {
            uid: ScheduleUid(uuid(row, 0)?),
            originating_server: origin(row, 1)?,
            name: row.get(2)?,
            owner_sid: row.get(3)?,
            enabled: row.get(4)?,
            frequency: frequency([row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?])
                .ok_or_else(|| wrong(5))?,
            subday: subday([row.get(9)?, row.get(10)?]).ok_or_else(|| wrong(9))?,
            raw: [
                row.get(11)?,
                row.get(12)?,
                row.get(13)?,
                row.get(14)?,
                row.get(15)?,
            ],
            active_start_date: date(row, 16)?,
            active_end_date: date(row, 17)?,
            active_start_time: time(row, 18)?,
            active_end_time: time(row, 19)?,
            created: instant(row, 20)?,
            modified: instant(row, 21)?,
            version: row.get(22)?,
        },
    })
}

pub(super) fn schedule(db: Db<'_>, id: ScheduleId) -> Result<Option<ScheduleRow>> {
    db.one(
        concat!(
            "SELECT ",
            schedule_columns!(),
            " FROM schedules s WHERE s.schedule_id = ?1"
        ),
        [id.0],
        read,
    )
}

pub(super) fn schedule_by_uid(db: Db<'_>, uid: ScheduleUid) -> Result<Option<ScheduleRow>> {
    db.one(
        concat!(
            "SELECT ",
            schedule_columns!(),
            " FROM schedules s WHERE s.schedule_uid = ?1"
        ),
        [Bytes16(uid.0)],
        read,
    )
}

pub(super) fn schedules_by_name(db: Db<'_>, name: &str) -> Result<Vec<ScheduleRow>> {
    db.all(
        concat!(
            "SELECT ",
            schedule_columns!(),
            " FROM schedules s WHERE s.name_key = ?1 ORDER BY s.schedule_id"
        ),
        [name_key(name)],
        read,
    )
}

pub(super) fn schedules(db: Db<'_>) -> Result<Vec<ScheduleRow>> {
    db.all(
        concat!(
            "SELECT ",
            schedule_columns!(),
            " FROM schedules s ORDER BY s.schedule_id"
        ),
        [],
        read,
    )
}

pub(super) fn schedules_of_job(db: Db<'_>, job: JobId) -> Result<Vec<ScheduleRow>> {
    db.all(
        concat!(
            "SELECT ",
            schedule_columns!(),
            " FROM job_schedules j JOIN schedules s ON s.schedule_id = j.schedule_id
              WHERE j.job_id = ?1 ORDER BY j.schedule_id"
        ),
        [Bytes16(job.0)],
        read,
    )
}

pub(super) fn job_schedules(
    db: Db<'_>,
    job: Option<JobId>,
    schedule: Option<ScheduleId>,
) -> Result<Vec<JobSchedule>> {
    let read = |row: &Row<'_>| {
        Ok(JobSchedule {
            job: JobId(uuid(row, 0)?),
            schedule: ScheduleId(row.get(1)?),
            uid: ScheduleUid(uuid(row, 2)?),
        })
    };
    match (job, schedule) {
        (None, None) => db.all(
            "SELECT j.job_id, j.schedule_id, s.schedule_uid
             FROM job_schedules j JOIN schedules s ON s.schedule_id = j.schedule_id
             ORDER BY j.job_id, j.schedule_id",
            [],
            read,
        ),
        (Some(job), None) => db.all(
            "SELECT j.job_id, j.schedule_id, s.schedule_uid
             FROM job_schedules j JOIN schedules s ON s.schedule_id = j.schedule_id
             WHERE j.job_id = ?1 ORDER BY j.schedule_id",
            [Bytes16(job.0)],
            read,
        ),
        (None, Some(schedule)) => db.all(
            "SELECT j.job_id, j.schedule_id, s.schedule_uid
             FROM job_schedules j JOIN schedules s ON s.schedule_id = j.schedule_id
             WHERE j.schedule_id = ?1 ORDER BY j.job_id",
            [schedule.0],
            read,
        ),
        (Some(job), Some(schedule)) => db.all(
            "SELECT j.job_id, j.schedule_id, s.schedule_uid
             FROM job_schedules j JOIN schedules s ON s.schedule_id = j.schedule_id
             WHERE j.job_id = ?1 AND j.schedule_id = ?2",
            params![Bytes16(job.0), schedule.0],
            read,
        ),
    }
}

/// Writes every column but the number; `sql` takes them in the order of `schedule_columns`.
fn put(w: &Definitions<'_>, schedule: &Schedule, version: i64, sql: &'static str) -> Result<usize> {
    let origin = schedule.originating_server.as_deref().unwrap_or("");
    let [kind, kind_a, kind_b, kind_c] = frequency_numbers(schedule.frequency);
    let [subday_unit, subday_count] = subday_numbers(schedule.subday);
    let [interval, subday_type, subday_interval, relative, recurrence] = schedule.raw;
    let result = w.db.run(
        sql,
        params![
            Bytes16(schedule.uid.0),
            origin,
            schedule.name,
            schedule.owner_sid,
            schedule.enabled,
            kind,
            kind_a,
            kind_b,
            kind_c,
            subday_unit,
            subday_count,
            interval,
            subday_type,
            subday_interval,
            relative,
            recurrence,
            date_to_int(schedule.active_start_date),
            date_to_int(schedule.active_end_date),
            time_to_int(schedule.active_start_time),
            time_to_int(schedule.active_end_time),
            At(schedule.created),
            At(schedule.modified),
            version,
            name_key(&schedule.name),
            name_key(origin),
        ],
    );
    taken(result, Object::Schedule, schedule.uid)
}

const INSERT: &str = "INSERT INTO schedules (schedule_uid, origin, name, owner_sid, enabled, kind, kind_a, \
     kind_b, kind_c, subday_unit, subday_count, raw_interval, raw_subday_type, raw_subday_interval, \
     raw_relative_interval, raw_recurrence_factor, active_start_date, active_end_date, \
     active_start_time, active_end_time, created, modified, version, name_key, origin_key) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
     ?20, ?21, ?22, ?23, ?24, ?25)";

const UPDATE: &str = "UPDATE schedules SET origin = ?2, name = ?3, owner_sid = ?4, enabled = ?5, \
     kind = ?6, kind_a = ?7, kind_b = ?8, kind_c = ?9, subday_unit = ?10, subday_count = ?11, \
     raw_interval = ?12, raw_subday_type = ?13, raw_subday_interval = ?14, \
     raw_relative_interval = ?15, raw_recurrence_factor = ?16, active_start_date = ?17, \
     active_end_date = ?18, active_start_time = ?19, active_end_time = ?20, created = ?21, \
     modified = ?22, version = ?23, name_key = ?24, origin_key = ?25 WHERE schedule_uid = ?1";

pub(super) fn create_schedule(w: &mut Definitions<'_>, schedule: &Schedule) -> Result<ScheduleId> {
    put(w, schedule, schedule.version, INSERT)?;
    let id = ScheduleId(w.db.0.last_insert_rowid());
    w.change(Change::ScheduleChanged(id));
    Ok(id)
}

/// Tells that a schedule changed, and with it every job that uses it.
fn changed(w: &mut Definitions<'_>, id: ScheduleId) -> Result<()> {
    w.change(Change::ScheduleChanged(id));
    for attached in job_schedules(w.db, None, Some(id))? {
        w.change(Change::JobChanged(attached.job));
    }
    Ok(())
}

pub(super) fn update_schedule(
    w: &mut Definitions<'_>,
    id: ScheduleId,
    given: &Schedule,
) -> Result<()> {
    let stored =
        schedule(w.db, id)?.ok_or_else(|| CatalogError::not_found(Object::Schedule, id))?;
    let next = Schedule {
        uid: stored.schedule.uid,
        created: stored.schedule.created,
        ..given.clone()
    };
    put(w, &next, stored.schedule.version + 1, UPDATE)?;
    changed(w, id)
}

/// Creates or replaces a schedule as its master sent it. Returns its number here.
pub(super) fn put_downloaded(w: &mut Definitions<'_>, given: &Schedule) -> Result<ScheduleId> {
    match schedule_by_uid(w.db, given.uid)? {
        None => create_schedule(w, given),
        Some(stored) if stored.schedule.originating_server.is_none() => {
            Err(CatalogError::already_exists(Object::Schedule, &given.name))
        }
        Some(stored) => {
            if stored.schedule != *given {
                put(w, given, given.version, UPDATE)?;
                changed(w, stored.id)?;
            }
            Ok(stored.id)
        }
    }
}

pub(super) fn delete_schedule(w: &mut Definitions<'_>, id: ScheduleId) -> Result<()> {
    let attached = job_schedules(w.db, None, Some(id))?;
    let removed =
        w.db.run("DELETE FROM schedules WHERE schedule_id = ?1", [id.0])?;
    found(removed, Object::Schedule, id)?;
    w.change(Change::ScheduleDeleted(id));
    for row in attached {
        w.change(Change::JobChanged(row.job));
    }
    Ok(())
}

/// Deletes a schedule that no job uses. Returns whether it did.
pub(super) fn delete_if_unused(w: &mut Definitions<'_>, id: ScheduleId) -> Result<bool> {
    let removed = w.db.run(
        "DELETE FROM schedules WHERE schedule_id = ?1
         AND NOT EXISTS (SELECT 1 FROM job_schedules j WHERE j.schedule_id = ?1)",
        [id.0],
    )?;
    if removed > 0 {
        w.change(Change::ScheduleDeleted(id));
    }
    Ok(removed > 0)
}

pub(super) fn attach_schedule(
    w: &mut Definitions<'_>,
    job: JobId,
    schedule_id: ScheduleId,
) -> Result<bool> {
    job_must_exist(w.db, job)?;
    if schedule(w.db, schedule_id)?.is_none() {
        return Err(CatalogError::not_found(Object::Schedule, schedule_id));
    }
    let added = w.db.run(
        "INSERT INTO job_schedules (job_id, schedule_id) VALUES (?1, ?2)
         ON CONFLICT (job_id, schedule_id) DO NOTHING",
        params![Bytes16(job.0), schedule_id.0],
    )?;
    if added > 0 {
        w.change(Change::JobChanged(job));
    }
    Ok(added > 0)
}

pub(super) fn detach_schedule(
    w: &mut Definitions<'_>,
    job: JobId,
    schedule_id: ScheduleId,
) -> Result<()> {
    let removed = w.db.run(
        "DELETE FROM job_schedules WHERE job_id = ?1 AND schedule_id = ?2",
        params![Bytes16(job.0), schedule_id.0],
    )?;
    found(removed, Object::JobSchedule, schedule_id)?;
    w.change(Change::JobChanged(job));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_back() {
        let frequencies = [
            Frequency::Once,
            Frequency::Daily { every_days: 3 },
            Frequency::Weekly {
                weekdays: 127,
                every_weeks: 2,
            },
            Frequency::Monthly {
                day: 31,
                every_months: 6,
            },
            Frequency::MonthlyRelative {
                day_kind: 10,
                week: RelativeWeek::Last,
                every_months: 12,
            },
            Frequency::AgentStart,
            Frequency::CpuIdle,
        ];
        for value in frequencies {
            assert_eq!(frequency(frequency_numbers(value)), Some(value));
        }
        for value in [
            Subday::Once,
            Subday::Seconds(15),
            Subday::Minutes(5),
            Subday::Hours(2),
        ] {
            assert_eq!(subday(subday_numbers(value)), Some(value));
        }
        assert_eq!(frequency([2, 0, 0, 0]), None);
        assert_eq!(frequency([8, 256, 1, 0]), None);
        assert_eq!(subday([3, 0]), None);
    }
}
