//! The databases of an instance and the objects in them: tables, modules, schemas and types that users made.
//!
//! One SQLite file per database, in the instance's data directory: `databases/<number>.db`. The file holds the rows
//! and the definitions, so that a transaction of one database is atomic. master's file also lists the databases. A
//! file comes to be with the first object; until then the database is empty and costs nothing.
//!
//! Start with [`Databases`]; what it shows is in [`model`]. Sessions change objects through their own connections,
//! to which the files are attached, and say so with `Databases::changed`.

mod file;
mod list;
pub mod model;
mod type_text;
mod writer;

pub use model::{
    Body, CheckInfo, ColumnInfo, ComputedInfo, ConstraintInfo, DatabaseInfo, DefaultInfo,
    ExecuteAs, FilterInfo, ForeignKeyInfo, IndexInfo, ModuleInfo, ObjectInfo, ObjectKind, Objects,
    ParameterInfo, SchemaInfo, TableInfo, TriggerInfo, TypeInfo, UserType,
};

use crate::host::SYSTEM_DATABASES;
pub(crate) use file::{FileError, bounded, is_durable, load};
pub use list::USER_DATABASES_MAX;
use list::listed;
use rusqlite::{Connection, OpenFlags};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};
use tsql::eval::collate;
use tsql::{SqlError, fault};
pub(crate) use writer::Writer;

/// Largest file of one database.
pub const DATABASE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Longest wait for another session's transaction on the same database.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Numbers of the system's databases.
const MASTER: i32 = 1;
const TEMPDB: i32 = 2;

/// Why the databases of an instance cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabasesError {
    /// The directory.
    #[error("use the directory {path}")]
    Directory {
        /// Where it is.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// master's file.
    #[error("read the list of databases in {path}")]
    List {
        /// Where it is.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// There are files of databases and no list of them: a copy that lacks master's file, or its log.
    #[error(
        "{path} is the file of a database, and master's file, which lists databases, has no list"
    )]
    Unlisted {
        /// The first such file.
        path: PathBuf,
    },
    /// The files were written by a newer program.
    #[error("{path} has format {found}, and this program knows {FORMAT}", FORMAT = file::FORMAT)]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
}

/// One database's file, and what is known of it.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) id: i32,
    pub(crate) path: PathBuf,
    /// Tells it from an earlier database of the same number.
    pub(crate) serial: u64,
    /// Sessions whose current database it is.
    pub(crate) users: AtomicUsize,
    /// Counts committed changes of definitions.
    generation: AtomicU64,
    cache: Mutex<Cache>,
    /// Values of identities to come, by object: they are the instance's, not a session's.
    identities: Mutex<HashMap<i32, Arc<AtomicI64>>>,
}

#[derive(Debug, Default)]
struct Cache {
    reader: Option<Connection>,
    known: Option<(u64, Arc<Objects>)>,
}

impl Database {
    fn new(directory: &Path, id: i32) -> Arc<Self> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self {
            id,
            serial: SERIAL.fetch_add(1, Ordering::SeqCst),
            users: AtomicUsize::new(0),
            path: directory.join(format!("{id}.db")),
            generation: AtomicU64::new(0),
            cache: Mutex::default(),
            identities: Mutex::default(),
        })
    }

    /// The committed definitions.
    fn objects(&self) -> Result<Arc<Objects>, FileError> {
        let mut cache = locked(&self.cache);
        let generation = self.generation.load(Ordering::SeqCst);
        if let Some((of, known)) = &cache.known
            && *of == generation
        {
            return Ok(Arc::clone(known));
        }
        let objects = if self.path.exists() {
            let reader = match cache.reader.take() {
                Some(reader) => reader,
                None => open(&self.path)?,
            };
            let known = cache.known.as_ref().map(|(_, known)| Arc::clone(known));
            // One snapshot for all of its queries.
            reader.execute_batch("BEGIN")?;
            let loaded = file::load(&reader, "main", known.as_deref());
            reader.execute_batch("COMMIT")?;
            cache.reader = Some(reader);
            loaded?
        } else {
            Objects::empty()
        };
        let objects = Arc::new(objects);
        cache.known = Some((generation, Arc::clone(&objects)));
        Ok(objects)
    }

    /// Makes sure that the file exists.
    pub(crate) fn ensure(&self) -> Result<(), FileError> {
        // The lock keeps two sessions from making it at once.
        let _cache = locked(&self.cache);
        if self.path.exists() {
            return Ok(());
        }
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).map_err(|error| cannot_open(&error))?;
        }
        // Nobody sees a file that is half made.
        let making = self.path.with_extension("new");
        remove(&making).map_err(|error| cannot_open(&error))?;
        let db = Connection::open(&making)?;
        db.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
        file::create(&db)?;
        let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        db.close().map_err(|(_, error)| error)?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(FileError::Sqlite(rusqlite::Error::InvalidQuery));
        }
        fs::rename(&making, &self.path)
            .and_then(|()| sync_directory(&self.path))
            .map_err(|error| cannot_open(&error))?;
        Ok(())
    }

    /// The counter of a table's identity. When nobody has used it since the start, it goes on where the file says, or
    /// begins at its seed.
    fn identity(&self, object: i32, seed: i64) -> Result<Arc<AtomicI64>, FileError> {
        let mut identities = locked(&self.identities);
        if let Some(known) = identities.get(&object) {
            return Ok(Arc::clone(known));
        }
        let mut next = None;
        if self.path.exists() {
            let mut cache = locked(&self.cache);
            let reader = match cache.reader.take() {
                Some(reader) => reader,
                None => open(&self.path)?,
            };
            next = Writer::new(&reader, "main").identity(object)?;
            cache.reader = Some(reader);
        }
        let counter = Arc::new(AtomicI64::new(next.unwrap_or(seed)));
        identities.insert(object, Arc::clone(&counter));
        Ok(counter)
    }

    /// The table is gone, or its counter was rolled back: the next use begins anew.
    pub(crate) fn forget_identity(&self, object: i32) {
        locked(&self.identities).remove(&object);
    }
}

fn cannot_open(error: &io::Error) -> FileError {
    tracing::error!(%error, "make the file of a database");
    FileError::Sqlite(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
        None,
    ))
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    db.busy_timeout(LOCK_WAIT)?;
    db.execute_batch("PRAGMA synchronous = FULL")?;
    db.execute_batch(&file::bounded("main", DATABASE_BYTES_MAX))?;
    Ok(db)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) => fs::File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

/// What SQLite keeps of a database: its file, and those beside it.
const SUFFIXES: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Gives a file that no list names the first free name `<number>.db.orphan<n>`, and the files beside it theirs.
fn set_aside(path: &Path) -> io::Result<()> {
    let named = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let mut number = 1;
    while named(&format!(".orphan{number}")).try_exists()? {
        number += 1;
    }
    for suffix in SUFFIXES {
        match fs::rename(named(suffix), named(&format!(".orphan{number}{suffix}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    tracing::error!(file = %path.display(), "no list names this database's file; it is kept as .orphan{number}");
    Ok(())
}

/// Removes a database's file and what SQLite keeps beside it.
fn remove(path: &Path) -> io::Result<()> {
    for suffix in SUFFIXES {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The databases of an instance. One per instance; sessions share it.
#[derive(Debug)]
pub struct Databases {
    directory: PathBuf,
    list: Mutex<BTreeMap<i32, (DatabaseInfo, Arc<Database>)>>,
    /// One change of the list at a time.
    changing: Mutex<()>,
}

impl Databases {
    /// The databases in a directory, which need not exist yet. tempdb begins empty. A file that the list does not
    /// name, as a crash in the middle of CREATE or DROP DATABASE leaves it, is set aside under another name: nothing
    /// that may be data is ever removed at a start.
    ///
    /// `created` is the instance's beginning, which the system's databases show; `owner` owns them.
    ///
    /// # Errors
    /// As [`DatabasesError`] says.
    pub fn open(directory: &Path, created: i64, owner: &[u8]) -> Result<Arc<Self>, DatabasesError> {
        let mut list = BTreeMap::new();
        for (id, name) in SYSTEM_DATABASES {
            let info = DatabaseInfo {
                id,
                name: name.to_owned(),
                created,
                owner_sid: owner.to_vec(),
            };
            list.insert(id, (info, Database::new(directory, id)));
        }
        let failed = |source| DatabasesError::Directory {
            path: directory.to_owned(),
            source,
        };
        if directory.exists() {
            let master = directory.join(format!("{MASTER}.db"));
            let found = listed(&master).map_err(|source| DatabasesError::List {
                path: master.clone(),
                source,
            })?;
            let is_listed = found.is_some();
            for info in found.unwrap_or_default() {
                list.insert(info.id, (info.clone(), Database::new(directory, info.id)));
            }
            remove(&directory.join(format!("{TEMPDB}.db"))).map_err(failed)?;
            for entry in fs::read_dir(directory).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                let id = path
                    .file_stem()
                    .and_then(|stem| stem.to_str())
                    .and_then(|stem| stem.parse::<i32>().ok());
                let stray = id.is_some_and(|id| !list.contains_key(&id));
                if stray && path.extension().is_some_and(|ext| ext == "db") {
                    if !is_listed {
                        return Err(DatabasesError::Unlisted { path });
                    }
                    set_aside(&path).map_err(failed)?;
                }
            }
            for (_, database) in list.values() {
                check_format(&database.path)?;
            }
        }
        Ok(Arc::new(Self {
            directory: directory.to_owned(),
            list: Mutex::new(list),
            changing: Mutex::default(),
        }))
    }

    /// Every database, by number.
    #[must_use]
    pub fn list(&self) -> Vec<DatabaseInfo> {
        locked(&self.list)
            .values()
            .map(|(info, _)| info.clone())
            .collect()
    }

    /// A database by name, without regard to case.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<DatabaseInfo> {
        locked(&self.list)
            .values()
            .find(|(info, _)| collate::same(&info.name, name))
            .map(|(info, _)| info.clone())
    }

    /// A database by number.
    #[must_use]
    pub fn numbered(&self, id: i32) -> Option<DatabaseInfo> {
        locked(&self.list).get(&id).map(|(info, _)| info.clone())
    }

    /// The committed objects of a database; empty when there is no such database.
    ///
    /// What a session has changed in its open transaction only that session sees: `Host::objects_changed`.
    ///
    /// # Errors
    /// 823-like when the file cannot be read.
    pub fn objects(&self, id: i32) -> Result<Arc<Objects>, SqlError> {
        match self.database(id) {
            Some(database) => database.objects().map_err(|error| unreadable(&error)),
            None => Ok(Arc::new(Objects::empty())),
        }
    }

    /// Reads a database's file through: what is wrong with it, at most `most` faults. A file that nobody made yet has
    /// none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn check(&self, id: i32, most: usize) -> Result<Vec<String>, SqlError> {
        let Some(database) = self.database(id).filter(|database| database.path.exists()) else {
            return Ok(Vec::new());
        };
        let found: Result<Vec<String>, FileError> = (|| {
            let db = open(&database.path)?;
            let mut check = db.prepare(&format!("PRAGMA integrity_check({most})"))?;
            let rows = check.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<rusqlite::Result<Vec<String>>>()?)
        })();
        let mut faults = found.map_err(|error| unreadable(&error))?;
        faults.retain(|text| text != "ok");
        Ok(faults)
    }

    /// The file behind a number.
    pub(crate) fn database(&self, id: i32) -> Option<Arc<Database>> {
        locked(&self.list)
            .get(&id)
            .map(|(_, database)| Arc::clone(database))
    }

    /// The counter of a table's identity.
    pub(crate) fn identity(
        &self,
        database: i32,
        object: i32,
        seed: i64,
    ) -> Result<Arc<AtomicI64>, SqlError> {
        let database = self
            .database(database)
            .ok_or_else(|| fault::internal("a database is gone"))?;
        database
            .identity(object, seed)
            .map_err(|error| unreadable(&error))
    }

    /// A session has committed a change of definitions.
    pub(crate) fn changed(&self, id: i32) {
        if let Some(database) = self.database(id) {
            database.generation.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// The error for a database whose file cannot be read; the cause goes to the log.
pub(crate) fn unreadable(error: &FileError) -> SqlError {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "read a database");
    fault::internal("the file of a database cannot be read")
}

fn check_format(path: &Path) -> Result<(), DatabasesError> {
    if !path.exists() {
        return Ok(());
    }
    let found = open(path)
        .and_then(|db| db.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)))
        .map_err(|source| DatabasesError::List {
            path: path.to_owned(),
            source,
        })?;
    if found > file::FORMAT {
        return Err(DatabasesError::Newer {
            path: path.to_owned(),
            found,
        });
    }
    Ok(())
}
