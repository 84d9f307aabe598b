//! The two files: where they are, how they are opened and migrated.

use crate::{CatalogError, Result};
use refinery::{Migration, Runner};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// File of the lock that keeps a second process out.
const LOCK_FILE: &str = "catalog.lock";
/// Prepared statements a writer keeps.
const WRITER_STATEMENTS_KEPT: usize = 96;
/// Prepared statements a reader keeps.
const READER_STATEMENTS_KEPT: usize = 32;
/// How long a connection waits for a lock that only an outside tool can hold.
const OUTSIDE_LOCK_WAIT: Duration = Duration::from_secs(5);

/// How long the end of a checkpoint, which keeps writers waiting, waits for each group of readers.
const CHECKPOINT_LOCK_WAIT: Duration = Duration::from_millis(5);

/// One of the catalog's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What administrators write.
    Definitions,
    /// What the agent and the fleet write.
    Runs,
}

impl Kind {
    /// The file's name.
    pub(crate) const fn file_name(self) -> &'static str {
        match self {
            Self::Definitions => "msdb.db",
            Self::Runs => "runs.db",
        }
    }

    /// Word for queues, threads and crash points.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Definitions => "definitions",
            Self::Runs => "runs",
        }
    }

    /// Migrations in order: `V<number>__<name>` and its SQL.
    pub(super) const fn migrations(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Definitions => &[
                (
                    "V1__definitions",
                    include_str!("../../migrations/definitions/V1__definitions.sql"),
                ),
                (
                    "V2__principals",
                    include_str!("../../migrations/definitions/V2__principals.sql"),
                ),
            ],
            Self::Runs => &[
                (
                    "V1__runs",
                    include_str!("../../migrations/runs/V1__runs.sql"),
                ),
                (
                    "V2__history_by_start",
                    include_str!("../../migrations/runs/V2__history_by_start.sql"),
                ),
            ],
        }
    }
}

/// Takes the directory for this process; the lock goes with the file handle.
pub(crate) fn lock_directory(directory: &Path) -> Result<File> {
    let path = directory.join(LOCK_FILE);
    let io = |action| {
        let path = path.clone();
        move |source| CatalogError::Io {
            action,
            path,
            source,
        }
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(io("open the lock file"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(CatalogError::DirectoryInUse {
            path: directory.to_owned(),
        }),
        Err(std::fs::TryLockError::Error(source)) => Err(io("lock")(source)),
    }
}

/// Opens a file for its one writer and migrates it.
///
/// WAL with `synchronous=FULL`: a commit is durable when it returns. No memory map: a failing disk is then
/// an error and not a signal, and resident memory stays what the cache says. `temp_store=MEMORY` keeps
/// statement journals off the disk; the cache is small because an idle instance has to be. The log is folded back
/// by [`Checkpoints`](super::checkpoint::Checkpoints).
pub(crate) fn open_writer(directory: &Path, kind: Kind) -> Result<Connection> {
    let path = directory.join(kind.file_name());
    create_private(&path)?;
    let mut connection = open(
        &path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -1024;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 16777216;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    connection.set_prepared_statement_cache_capacity(WRITER_STATEMENTS_KEPT);
    migrate(&mut connection, &path, kind.migrations())?;
    Ok(connection)
}

/// Opens a file to fold its log back.
pub(crate) fn open_checkpointer(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA mmap_size = 0;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    connection.busy_timeout(CHECKPOINT_LOCK_WAIT)?;
    Ok(connection)
}

/// Opens a file for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch(
        "PRAGMA query_only = ON;
         PRAGMA cache_size = -512;
         PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.set_prepared_statement_cache_capacity(READER_STATEMENTS_KEPT);
    Ok(connection)
}

/// Makes the file before SQLite does, readable by the instance's own user alone: it holds password hashes.
/// SQLite gives its log the same permissions.
fn create_private(path: &Path) -> Result<()> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map_err(|source| CatalogError::Io {
        action: "create",
        path: path.to_owned(),
        source,
    })?;
    Ok(())
}

/// Makes the names of new files durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| CatalogError::Io {
            action: "sync",
            path: directory.to_owned(),
            source,
        })
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|source| CatalogError::Storage {
            action: "open a file of the catalog",
            source: Box::new(source),
        })?;
    connection.busy_timeout(OUTSIDE_LOCK_WAIT)?;
    // A statement's plan does not depend on what is bound to it. Without this SQLite compiles a kept statement
    // anew whenever a LIMIT or a term beside a partial index is bound, which takes longer than to run it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Brings a file to the newest schema known; a newer one is refused.
fn migrate(connection: &mut Connection, path: &Path, migrations: &[(&str, &str)]) -> Result<()> {
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let found = schema_version(connection)?;
    if found > known {
        return Err(CatalogError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    if found == known {
        return Ok(());
    }
    runner(migrations)?
        .run(connection)
        .map_err(|source| CatalogError::Storage {
            action: "migrate the catalog",
            source: Box::new(source),
        })?;
    // What a migration rewrites may be everything.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Version of a file's schema; 0 for an empty file.
fn schema_version(connection: &Connection) -> Result<i64> {
    let has_history: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history')",
        [],
        |row| row.get(0),
    )?;
    if !has_history {
        return Ok(0);
    }
    Ok(connection.query_row(
        "SELECT coalesce(max(version), 0) FROM refinery_schema_history",
        [],
        |row| row.get(0),
    )?)
}

fn runner(migrations: &[(&str, &str)]) -> Result<Runner> {
    let migrations = migrations
        .iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|source| CatalogError::Storage {
            action: "read the migrations of this program",
            source: Box::new(source),
        })?;
    Ok(Runner::new(&migrations))
}

#[cfg(test)]
mod tests {
    use super::*;
    use refinery::Target;

    fn schema(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(std::result::Result::unwrap).collect()
    }

    #[test]
    fn stepwise_migration_gives_the_schema_of_a_fresh_install() {
        for kind in [Kind::Definitions, Kind::Runs] {
            let mut fresh = Connection::open_in_memory().unwrap();
            runner(kind.migrations()).unwrap().run(&mut fresh).unwrap();
            let mut stepwise = Connection::open_in_memory().unwrap();
            for version in 1..=kind.migrations().len() {
                let target = Target::Version(i32::try_from(version).unwrap());
                for _ in 0..2 {
                    runner(kind.migrations())
                        .unwrap()
                        .set_target(target)
                        .run(&mut stepwise)
                        .unwrap();
                }
            }
            assert_eq!(schema(&fresh), schema(&stepwise));
            assert!(schema(&fresh).len() > 10);
        }
    }

    #[test]
    fn a_kept_statement_is_compiled_once() {
        let mut connection = open(Path::new(":memory:"), OpenFlags::default()).unwrap();
        runner(Kind::Runs.migrations())
            .unwrap()
            .run(&mut connection)
            .unwrap();
        let sql = "SELECT run_key FROM runs WHERE job_id = ?1 AND state = ?2 LIMIT ?3";
        for round in 0..3 {
            let mut statement = connection.prepare_cached(sql).unwrap();
            let none = statement.query_row((&[0u8; 16], round, round), |_| Ok(()));
            assert_eq!(none, Err(rusqlite::Error::QueryReturnedNoRows));
            assert_eq!(
                statement.get_status(rusqlite::StatementStatus::RePrepare),
                0
            );
        }
    }

    #[test]
    fn permissions_of_the_first_schema_are_kept() {
        let mut connection = Connection::open_in_memory().unwrap();
        let migrations = Kind::Definitions.migrations();
        runner(migrations)
            .unwrap()
            .set_target(Target::Version(1))
            .run(&mut connection)
            .unwrap();
        connection
            .execute_batch(
                "INSERT INTO grants VALUES ('Dba', 'dba', 'S.T.u', 's.t.u', 'Ann', 'ann', 'Select', 'select', 1);
                 INSERT INTO database_users VALUES (7, 'Dba', 'dba', 'Ann', 'ann', x'01', 5);",
            )
            .unwrap();
        runner(migrations).unwrap().run(&mut connection).unwrap();
        let kept: String = connection
            .query_row(
                "SELECT concat_ws('|', database, class, schema, schema_key, object, object_key, grantee, permission,
                     grantor, state) FROM permissions",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(kept, "Dba|1|S|s|T.u|t.u|Ann|SELECT|dbo|0");
        let user: String = connection
            .query_row(
                "SELECT concat_ws('|', user_id, kind, owner, modified) FROM database_users",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(user, "7|0|dbo|5");
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        let kind = Kind::Runs;
        runner(kind.migrations())
            .unwrap()
            .run(&mut connection)
            .unwrap();
        connection
            .execute(
                "UPDATE refinery_schema_history SET version = 99 WHERE version = 1",
                [],
            )
            .unwrap();
        let error = migrate(&mut connection, Path::new("runs.db"), kind.migrations()).unwrap_err();
        assert!(
            matches!(
                error,
                CatalogError::Newer {
                    found: 99,
                    known: 2,
                    ..
                }
            ),
            "{error}"
        );
    }
}
