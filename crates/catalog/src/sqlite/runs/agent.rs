//! Sessions, runs, activity and next runs of this instance's agent.

use super::Runs;
use crate::sqlite::codec::{
    At, Bytes16, Db, Unsigned, at, decode, instant, optional_at, unsigned, uuid,
};
use crate::{
    Activity, BeginRun, CatalogError, Change, MissedMoments, NewRun, NextRun, Object, Process,
    Result, RunRecord, RunState, Session, StartAccepted, StepStart, TargetCursor,
};
use jiff::Timestamp;
use model::{HistoryId, JobId, RunId, RunSource, ScheduleUid};
use rusqlite::{Row, params};

/// Stored codes of what asked for a run.
const SOURCE_SCHEDULE: i64 = 1;
const SOURCE_AGENT_START: i64 = 3;
const SOURCE_USER: i64 = 4;
const SOURCE_MASTER: i64 = 5;

fn read_session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        started: instant(row, 1)?,
    })
}

pub(super) fn sessions(db: Db<'_>) -> Result<Vec<Session>> {
    db.all(
        "SELECT session_id, started FROM sessions ORDER BY session_id",
        [],
        read_session,
    )
}

pub(super) fn current_session(db: Db<'_>) -> Result<Option<Session>> {
    db.one(
        "SELECT session_id, started FROM sessions ORDER BY session_id DESC LIMIT 1",
        [],
        read_session,
    )
}

macro_rules! activity_columns {
    () => {
        "session_id, job_id, run_id, requested, source_code, requested_by, queued, started, \
         last_step_id, last_step_started, stopped, history_id, next_run"
    };
}

fn read_activity(row: &Row<'_>) -> rusqlite::Result<Activity> {
    Ok(Activity {
        session: row.get(0)?,
        job: JobId(uuid(row, 1)?),
        run: row.get::<_, Option<Bytes16>>(2)?.map(|run| RunId(run.0)),
        requested: optional_at(row, 3)?,
        source_code: row.get(4)?,
        requested_by: row.get(5)?,
        queued: optional_at(row, 6)?,
        started: optional_at(row, 7)?,
        last_step_id: row.get(8)?,
        last_step_started: optional_at(row, 9)?,
        stopped: optional_at(row, 10)?,
        history: row.get::<_, Option<i64>>(11)?.map(HistoryId),
        next_run: optional_at(row, 12)?,
    })
}

pub(super) fn activity(
    db: Db<'_>,
    session: Option<i64>,
    job: Option<JobId>,
) -> Result<Vec<Activity>> {
    match (session, job) {
        (None, None) => db.all(
            concat!(
                "SELECT ",
                activity_columns!(),
                " FROM activity ORDER BY session_id, job_id"
            ),
            [],
            read_activity,
        ),
        (Some(session), None) => db.all(
            concat!(
                "SELECT ",
                activity_columns!(),
                " FROM activity WHERE session_id = ?1 ORDER BY job_id"
            ),
            [session],
            read_activity,
        ),
        (None, Some(job)) => db.all(
            concat!(
                "SELECT ",
                activity_columns!(),
                " FROM activity WHERE job_id = ?1 ORDER BY session_id"
            ),
            [Bytes16(job.0)],
            read_activity,
        ),
        (Some(session), Some(job)) => db.all(
            concat!(
                "SELECT ",
                activity_columns!(),
                " FROM activity WHERE session_id = ?1 AND job_id = ?2"
            ),
            params![session, Bytes16(job.0)],
            read_activity,
        ),
    }
}

macro_rules! run_columns {
    () => {
        "r.run_id, r.job_id, r.state, l.session_id, l.source, l.source_login, l.source_schedule_uid, \
         l.source_schedule_id, l.source_name, l.source_due, l.requested, l.started, l.start_step_id, \
         l.next_row, l.step_id, l.step_retry, l.step_started, l.step_launch, l.pid, l.pid_start_ticks"
    };
}

fn read_source(row: &Row<'_>) -> rusqlite::Result<RunSource> {
    let login = |row: &Row<'_>| -> rusqlite::Result<String> {
        Ok(row.get::<_, Option<String>>(5)?.unwrap_or_default())
    };
    let code = decode(row, 4, "source of a run", |code| {
        (matches!(
            code,
            SOURCE_SCHEDULE | SOURCE_AGENT_START | SOURCE_USER | SOURCE_MASTER
        ))
        .then_some(code)
    })?;
    Ok(match code {
        SOURCE_SCHEDULE => RunSource::Schedule {
            uid: ScheduleUid(uuid(row, 6)?),
            schedule_id: row.get(7)?,
            name: row.get(8)?,
            due: instant(row, 9)?,
        },
        SOURCE_AGENT_START => RunSource::AgentStart {
            uid: ScheduleUid(uuid(row, 6)?),
        },
        SOURCE_MASTER => RunSource::Master { login: login(row)? },
        _ => RunSource::User { login: login(row)? },
    })
}

fn read_run(row: &Row<'_>) -> rusqlite::Result<RunRecord> {
    let id = RunId(uuid(row, 0)?);
    let process = match row.get::<_, Option<u32>>(18)? {
        None => None,
        Some(pid) => Some(Process {
            pid,
            start_ticks: unsigned(row, 19)?,
        }),
    };
    let step = match row.get::<_, Option<i32>>(14)? {
        None => None,
        Some(step_id) => Some(StepStart {
            run: id,
            step_id,
            retry: row.get(15)?,
            started: instant(row, 16)?,
            launch: unsigned(row, 17)?,
            process,
        }),
    };
    let state: i64 = row.get(2)?;
    Ok(RunRecord {
        run: NewRun {
            id,
            job: JobId(uuid(row, 1)?),
            session: row.get(3)?,
            source: read_source(row)?,
            requested: instant(row, 10)?,
            started: instant(row, 11)?,
            start_step_id: row.get(12)?,
        },
        state: if state == 0 {
            RunState::Active
        } else {
            RunState::Ended
        },
        step,
        rows: row.get(13)?,
    })
}

pub(super) fn run(db: Db<'_>, id: RunId) -> Result<Option<RunRecord>> {
    db.one(
        concat!(
            "SELECT ",
            run_columns!(),
            " FROM runs r JOIN local_runs l ON l.run_key = r.run_key WHERE r.run_id = ?1"
        ),
        [Bytes16(id.0)],
        read_run,
    )
}

pub(super) fn active_runs(db: Db<'_>) -> Result<Vec<RunRecord>> {
    db.all(
        concat!(
            "SELECT ",
            run_columns!(),
            " FROM runs r JOIN local_runs l ON l.run_key = r.run_key WHERE r.state = 0
              ORDER BY r.run_key"
        ),
        [],
        read_run,
    )
}

pub(super) fn next_runs(db: Db<'_>, job: Option<JobId>) -> Result<Vec<NextRun>> {
    let read = |row: &Row<'_>| {
        Ok(NextRun {
            job: JobId(uuid(row, 0)?),
            schedule: ScheduleUid(uuid(row, 1)?),
            next: optional_at(row, 2)?,
            accounted: optional_at(row, 3)?,
        })
    };
    match job {
        None => db.all(
            "SELECT job_id, schedule_uid, next, accounted FROM next_runs ORDER BY job_id, schedule_uid",
            [],
            read,
        ),
        Some(job) => db.all(
            "SELECT job_id, schedule_uid, next, accounted FROM next_runs WHERE job_id = ?1
             ORDER BY schedule_uid",
            [Bytes16(job.0)],
            read,
        ),
    }
}

pub(super) fn missed_moments(db: Db<'_>, job: Option<JobId>) -> Result<Vec<MissedMoments>> {
    let read = |row: &Row<'_>| {
        Ok(MissedMoments {
            job: JobId(uuid(row, 0)?),
            schedule: ScheduleUid(uuid(row, 1)?),
            first: instant(row, 2)?,
            last: instant(row, 3)?,
            count: unsigned(row, 4)?,
        })
    };
    match job {
        None => db.all(
            "SELECT job_id, schedule_uid, first, last, count FROM missed_moments
             ORDER BY job_id, schedule_uid",
            [],
            read,
        ),
        Some(job) => db.all(
            "SELECT job_id, schedule_uid, first, last, count FROM missed_moments WHERE job_id = ?1
             ORDER BY schedule_uid",
            [Bytes16(job.0)],
            read,
        ),
    }
}

pub(super) fn open_session(
    w: &mut Runs<'_>,
    started: Timestamp,
    jobs: &[JobId],
) -> Result<Session> {
    let id =
        w.db.insert("INSERT INTO sessions (started) VALUES (?1)", [At(started)])?;
    for job in jobs {
        let next = earliest_next(w.db, *job)?;
        w.db.run(
            "INSERT INTO activity (session_id, job_id, next_run) VALUES (?1, ?2, ?3)
             ON CONFLICT (session_id, job_id) DO NOTHING",
            params![id, Bytes16(job.0), at(next)],
        )?;
    }
    w.change(Change::SessionOpened(id));
    Ok(Session { id, started })
}

fn earliest_next(db: Db<'_>, job: JobId) -> Result<Option<Timestamp>> {
    db.sure(
        "SELECT min(next) FROM next_runs WHERE job_id = ?1",
        [Bytes16(job.0)],
        |row| optional_at(row, 0),
    )
}

/// What asked for the run, as columns: code, login, schedule uid, schedule id, name, due.
type SourceColumns<'a> = (
    i64,
    Option<&'a str>,
    Option<Bytes16>,
    Option<i64>,
    Option<&'a str>,
    Option<At>,
);

fn source_columns(source: &RunSource) -> SourceColumns<'_> {
    match source {
        RunSource::Schedule {
            uid,
            schedule_id,
            name,
            due,
        } => (
            SOURCE_SCHEDULE,
            None,
            Some(Bytes16(uid.0)),
            Some(*schedule_id),
            Some(name),
            Some(At(*due)),
        ),
        RunSource::AgentStart { uid } => (
            SOURCE_AGENT_START,
            None,
            Some(Bytes16(uid.0)),
            None,
            None,
            None,
        ),
        RunSource::User { login } => (SOURCE_USER, Some(login), None, None, None, None),
        RunSource::Master { login } => (SOURCE_MASTER, Some(login), None, None, None, None),
    }
}

pub(super) fn begin_run(w: &mut Runs<'_>, run: &NewRun) -> Result<BeginRun> {
    w.atomically(|w| {
        w.mark("begin_run");
        if let RunSource::Schedule { uid, due, .. } = &run.source {
            account_for(w, run.job, *uid, *due)?;
        }
        let key = w.db.insert_new(
            "INSERT INTO runs (run_id, job_id, server_id, state) VALUES (?1, ?2, 0, 0)
             ON CONFLICT (run_id) DO NOTHING",
            params![Bytes16(run.id.0), Bytes16(run.job.0)],
        )?;
        let Some(key) = key else {
            return Ok(BeginRun::AlreadyKnown);
        };
        let (source, login, schedule_uid, schedule_id, name, due) = source_columns(&run.source);
        w.db.run(
            "INSERT INTO local_runs (run_key, session_id, source, source_login, source_schedule_uid,
                 source_schedule_id, source_name, source_due, requested, started, start_step_id,
                 next_row)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)",
            params![
                key,
                run.session,
                source,
                login,
                schedule_uid,
                schedule_id,
                name,
                due,
                At(run.requested),
                At(run.started),
                run.start_step_id
            ],
        )?;
        w.db.run(
            "INSERT INTO activity (session_id, job_id, run_id, requested, source_code, requested_by, started)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (session_id, job_id) DO UPDATE SET run_id = excluded.run_id,
                 requested = excluded.requested, source_code = excluded.source_code,
                 requested_by = excluded.requested_by, started = excluded.started, queued = NULL,
                 last_step_id = NULL, last_step_started = NULL, stopped = NULL, history_id = NULL",
            params![
                run.session,
                Bytes16(run.job.0),
                Bytes16(run.id.0),
                At(run.requested),
                run.source.code(),
                login,
                At(run.started)
            ],
        )?;
        w.change(Change::RunChanged {
            job: run.job,
            run: run.id,
        });
        Ok(BeginRun::Begun)
    })
}

pub(super) fn accept_start(
    w: &mut Runs<'_>,
    cursor: &TargetCursor,
    run: &NewRun,
) -> Result<StartAccepted> {
    w.atomically(|w| {
        super::target::advance_cursor(w, cursor, None)?;
        w.mark("accept_start");
        Ok(match begin_run(w, run)? {
            BeginRun::Begun => StartAccepted::Accepted,
            BeginRun::AlreadyKnown => StartAccepted::AlreadyStarted,
        })
    })
}

pub(super) fn step_started(w: &mut Runs<'_>, start: &StepStart) -> Result<()> {
    let known = w.db.one(
        "SELECT r.run_key, r.job_id, l.session_id FROM runs r
         JOIN local_runs l ON l.run_key = r.run_key WHERE r.run_id = ?1",
        [Bytes16(start.run.0)],
        |row| {
            Ok((
                row.get::<_, i64>(0)?,
                JobId(uuid(row, 1)?),
                row.get::<_, i64>(2)?,
            ))
        },
    )?;
    let (key, job, session) =
        known.ok_or_else(|| CatalogError::not_found(Object::Run, start.run))?;
    w.db.run(
        "UPDATE local_runs SET step_id = ?2, step_retry = ?3, step_started = ?4, step_launch = ?5, pid = ?6,
             pid_start_ticks = ?7 WHERE run_key = ?1",
        params![
            key,
            start.step_id,
            start.retry,
            At(start.started),
            Unsigned(start.launch),
            start.process.map(|process| process.pid),
            start.process.map(|process| Unsigned(process.start_ticks)),
        ],
    )?;
    w.db.run(
        "UPDATE activity SET last_step_id = ?4, last_step_started = ?5
         WHERE session_id = ?1 AND job_id = ?2 AND run_id = ?3",
        params![
            session,
            Bytes16(job.0),
            Bytes16(start.run.0),
            start.step_id,
            At(start.started)
        ],
    )?;
    w.mark("step_started");
    w.change(Change::RunChanged {
        job,
        run: start.run,
    });
    Ok(())
}

/// Moves the watermark of a schedule's moments, never back.
fn account_for(
    w: &mut Runs<'_>,
    job: JobId,
    schedule: ScheduleUid,
    until: Timestamp,
) -> Result<()> {
    w.db.run(
        "INSERT INTO next_runs (job_id, schedule_uid, accounted) VALUES (?1, ?2, ?3)
         ON CONFLICT (job_id, schedule_uid) DO UPDATE
             SET accounted = max(coalesce(accounted, excluded.accounted), excluded.accounted)",
        params![Bytes16(job.0), Bytes16(schedule.0), At(until)],
    )?;
    Ok(())
}

/// Shows the earliest next run of a job in the current session's activity.
fn show_next(w: &mut Runs<'_>, job: JobId) -> Result<()> {
    if let Some(session) = current_session(w.db)? {
        let next = earliest_next(w.db, job)?;
        w.db.run(
            "INSERT INTO activity (session_id, job_id, next_run) VALUES (?1, ?2, ?3)
             ON CONFLICT (session_id, job_id) DO UPDATE SET next_run = excluded.next_run",
            params![session.id, Bytes16(job.0), at(next)],
        )?;
    }
    w.change(Change::NextRunChanged(job));
    Ok(())
}

pub(super) fn set_next_run(w: &mut Runs<'_>, next: &NextRun) -> Result<()> {
    w.atomically(|w| {
        w.db.run(
            "INSERT INTO next_runs (job_id, schedule_uid, next, accounted) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (job_id, schedule_uid) DO UPDATE SET next = excluded.next,
                 accounted = CASE WHEN excluded.accounted IS NULL THEN accounted
                     ELSE max(coalesce(accounted, excluded.accounted), excluded.accounted) END",
            params![
                Bytes16(next.job.0),
                Bytes16(next.schedule.0),
                at(next.next),
                at(next.accounted)
            ],
        )?;
        show_next(w, next.job)
    })
}

pub(super) fn remove_next_run(w: &mut Runs<'_>, job: JobId, schedule: ScheduleUid) -> Result<()> {
    w.atomically(|w| {
        w.db.run(
            "DELETE FROM next_runs WHERE job_id = ?1 AND schedule_uid = ?2",
            params![Bytes16(job.0), Bytes16(schedule.0)],
        )?;
        show_next(w, job)
    })
}

pub(super) fn record_missed(w: &mut Runs<'_>, missed: &MissedMoments) -> Result<()> {
    w.atomically(|w| {
        w.db.run(
            "INSERT INTO missed_moments (job_id, schedule_uid, first, last, count)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (job_id, schedule_uid) DO UPDATE SET first = min(first, excluded.first),
                 last = max(last, excluded.last), count = count + excluded.count",
            params![
                Bytes16(missed.job.0),
                Bytes16(missed.schedule.0),
                At(missed.first),
                At(missed.last),
                Unsigned(missed.count)
            ],
        )?;
        account_for(w, missed.job, missed.schedule, missed.last)
    })
}
