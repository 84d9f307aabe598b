//! What a durable commit of a job costs when nothing but the store does it.

#![allow(dead_code, reason = "each benchmark uses its own part")]

use rusqlite::{Connection, params};
use std::path::Path;

/// A job's rows in bare tables: what every store of jobs on SQLite has to write, and the indexes without which
/// nobody finds them again. No checks, no audit, no change feed, and every statement compiled once.
pub struct BareStore {
    connection: Connection,
    jobs: i64,
}

/// As many pages as the catalog lets its own log grow to.
const LOG_PAGES: u32 = 2_000;

impl BareStore {
    pub fn new(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = {LOG_PAGES};
                 CREATE TABLE jobs (job_id BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner BLOB NOT NULL,
                     description TEXT, enabled INTEGER, start_step_id INTEGER, created INTEGER, modified INTEGER,
                     version INTEGER) WITHOUT ROWID;
                 CREATE TABLE job_steps (job_id BLOB, step_id INTEGER, step_uid BLOB NOT NULL UNIQUE, name TEXT,
                     subsystem TEXT, command TEXT, on_success INTEGER, on_fail INTEGER,
                     PRIMARY KEY (job_id, step_id)) WITHOUT ROWID;
                 CREATE TABLE schedules (schedule_id INTEGER PRIMARY KEY, schedule_uid BLOB NOT NULL UNIQUE,
                     name TEXT, owner BLOB NOT NULL, kind INTEGER, interval INTEGER, start_time INTEGER);
                 CREATE INDEX schedules_by_name ON schedules (name);
                 CREATE TABLE job_schedules (job_id BLOB, schedule_id INTEGER,
                     PRIMARY KEY (job_id, schedule_id)) WITHOUT ROWID;
                 CREATE INDEX job_schedules_by_schedule ON job_schedules (schedule_id, job_id);
                 CREATE TABLE job_servers (job_id BLOB, server_id INTEGER,
                     PRIMARY KEY (job_id, server_id)) WITHOUT ROWID;
                 CREATE INDEX job_servers_by_server ON job_servers (server_id, job_id);"
            ))
            .unwrap();
        Self {
            connection,
            jobs: 0,
        }
    }

    /// A job of two steps, a schedule and a target, durable.
    pub fn job(&mut self) {
        self.jobs += 1;
        let number = self.jobs;
        let id = uuid::Uuid::new_v4().into_bytes();
        let owner = [1u8].as_slice();
        let run = |sql, values: &[&dyn rusqlite::ToSql]| {
            let mut statement = self.connection.prepare_cached(sql).unwrap();
            statement.execute(values).unwrap();
        };
        run("BEGIN IMMEDIATE", &[]);
        run(
            "INSERT INTO jobs VALUES (?1, ?2, ?3, 'No description available.', 1, 1, ?4, ?4, 1)",
            params![id, format!("job {number}"), owner, number],
        );
        for (step_id, name) in [(1, "dump"), (2, "check")] {
            run(
                "INSERT INTO job_steps VALUES (?1, ?2, ?3, ?4, 'CmdExec', 'true', 3, 2)",
                params![id, step_id, uuid::Uuid::new_v4().into_bytes(), name],
            );
        }
        run(
            "INSERT INTO schedules VALUES (?1, ?2, ?3, ?4, 4, 1, 23000)",
            params![
                number,
                uuid::Uuid::new_v4().into_bytes(),
                format!("job {number} nightly"),
                owner
            ],
        );
        run(
            "INSERT INTO job_schedules VALUES (?1, ?2)",
            params![id, number],
        );
        run("INSERT INTO job_servers VALUES (?1, 0)", params![id]);
        run("COMMIT", &[]);
    }
}
