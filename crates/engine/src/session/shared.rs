//! What SQLite's callbacks and the interpreter share: the host, the known objects, facts of the session.

use crate::cancel::CancelToken;
use crate::host::{FunctionDecl, Host, Identity, TableDecl, TemporaryTable};
use crate::session::permanent::Permanent;
use crate::session::permission::ChainLink;
use crate::session::stored::{ParsedModules, Routine};
use crate::session::tables::OwnTable;
use crate::store::attach::Attached;
use crate::store::functions::Compiled;
use crate::store::generate::Fragment;
use rusqlite::types::Value as Sqlite;
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tsql::convert::DateOrder;
use tsql::rowset::Rowset;
use tsql::{SqlError, Value, messages};

/// Levels of recursion of a common table expression unless OPTION (MAXRECURSION) says otherwise.
const RECURSION_MAX: u32 = 100;

/// Something that a query may name.
#[derive(Clone)]
pub(crate) enum Object {
    /// A table or view of the host.
    HostTable {
        /// Database it was named in.
        database: String,
        decl: Arc<TableDecl>,
    },
    /// A function of the host.
    HostFunction(Arc<FunctionDecl>),
    /// A function that a user made.
    Routine(Arc<Routine>),
    /// A built-in function that gives rows.
    Rowset(Arc<Rowset>),
    /// A temporary table, a table variable, or a permanent table of a database.
    Own(Arc<OwnTable>),
    /// A temporary table that was dropped.
    Gone,
}

/// Facts that functions and system variables show.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) database: String,
    /// Schema in which names are looked for first, and in which new objects are made.
    pub(crate) schema: String,
    pub(crate) original_database: String,
    pub(crate) application: String,
    pub(crate) host_name: String,
    pub(crate) spid: i16,
    pub(crate) language: String,
    /// The statement's moment: UTC microseconds and minutes east.
    pub(crate) now: (i64, i16),
    pub(crate) last_error: i32,
    pub(crate) row_count: u64,
    /// SET ROWCOUNT; none for all rows.
    pub(crate) row_limit: Option<u64>,
    pub(crate) tran_count: u32,
    pub(crate) doomed: bool,
    pub(crate) fetch_status: i32,
    /// @@CURSOR_ROWS: rows of the cursor opened last.
    pub(crate) cursor_rows: i32,
    /// CURSOR_STATUS of each cursor that a name refers to, by its key.
    pub(crate) cursor_states: BTreeMap<String, i16>,
    pub(crate) identity: Option<i128>,
    pub(crate) nest_level: u32,
    pub(crate) proc_id: i32,
    /// The error that the running CATCH block handles.
    pub(crate) caught: Option<SqlError>,
    pub(crate) date_first: u8,
    pub(crate) date_order: DateOrder,
    pub(crate) lock_timeout: i32,
    pub(crate) text_size: i32,
    pub(crate) isolation: i16,
    /// Bits as @@OPTIONS shows them.
    pub(crate) options: i32,
    /// SET PARSEONLY: batches are parsed, and none runs.
    pub(crate) parse_only: bool,
    /// SET NOEXEC ON.
    pub(crate) no_exec: bool,
    /// SET FMTONLY ON.
    pub(crate) format_only: bool,
    /// Whether a text is only described.
    pub(crate) asked: bool,
    pub(crate) random: u64,
    pub(crate) recursion: u32,
    pub(crate) context_info: Option<Vec<u8>>,
    /// Values of sp_set_session_context by key in lower case, and whether they stay as they are.
    pub(crate) session_context: BTreeMap<String, (Value, bool)>,
    /// Whose objects need no permission of the caller, while a module runs.
    pub(crate) chain: Option<ChainLink>,
}

/// What becomes of statements that do not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unrun {
    /// SET NOEXEC ON: nothing.
    Skipped,
    /// SET FMTONLY ON: those that return rows send their columns.
    Described,
    /// As `Described`, for a text that a procedure was asked about: nothing in it lets statements run again.
    Asked,
}

/// Bits of @@OPTIONS.
pub(crate) mod option {
    pub(crate) const IMPLICIT_TRANSACTIONS: i32 = 2;
    pub(crate) const CURSOR_CLOSE_ON_COMMIT: i32 = 4;
    pub(crate) const ANSI_WARNINGS: i32 = 8;
    pub(crate) const ANSI_PADDING: i32 = 16;
    pub(crate) const ANSI_NULLS: i32 = 32;
    pub(crate) const ARITHABORT: i32 = 64;
    pub(crate) const ARITHIGNORE: i32 = 128;
    pub(crate) const QUOTED_IDENTIFIER: i32 = 256;
    pub(crate) const NOCOUNT: i32 = 512;
    pub(crate) const ANSI_NULL_DFLT_ON: i32 = 1024;
    pub(crate) const ANSI_NULL_DFLT_OFF: i32 = 2048;
    pub(crate) const CONCAT_NULL_YIELDS_NULL: i32 = 4096;
    pub(crate) const NUMERIC_ROUNDABORT: i32 = 8192;
    pub(crate) const XACT_ABORT: i32 = 16384;
    /// What drivers of today get at login.
    pub(crate) const AT_LOGIN: i32 = ANSI_WARNINGS
        | ANSI_PADDING
        | ANSI_NULLS
        | ARITHABORT
        | QUOTED_IDENTIFIER
        | ANSI_NULL_DFLT_ON
        | CONCAT_NULL_YIELDS_NULL;
}

impl Facts {
    pub(crate) fn new(options: &super::SessionOptions, seed: u64) -> Self {
        Self {
            database: options.database.clone(),
            schema: "dbo".to_owned(),
            original_database: options.database.clone(),
            application: options.application.clone(),
            host_name: options.host_name.clone(),
            spid: options.spid,
            language: options.language.clone(),
            now: (0, 0),
            last_error: 0,
            row_count: 0,
            row_limit: None,
            tran_count: 0,
            doomed: false,
            fetch_status: 0,
            cursor_rows: 0,
            cursor_states: BTreeMap::new(),
            identity: None,
            nest_level: 0,
            proc_id: 0,
            caught: None,
            date_first: 7,
            date_order: DateOrder::default(),
            lock_timeout: -1,
            text_size: -1,
            isolation: 2,
            options: option::AT_LOGIN,
            parse_only: false,
            no_exec: false,
            format_only: false,
            asked: false,
            random: seed | 1,
            recursion: RECURSION_MAX,
            context_info: None,
            session_context: BTreeMap::new(),
            chain: None,
        }
    }

    /// What becomes of statements while they do not run.
    pub(crate) const fn unrun(&self) -> Option<Unrun> {
        if self.asked {
            Some(Unrun::Asked)
        } else if self.no_exec {
            Some(Unrun::Skipped)
        } else if self.format_only {
            Some(Unrun::Described)
        } else {
            None
        }
    }

    pub(crate) fn has(&self, bit: i32) -> bool {
        self.options & bit != 0
    }
}

/// Number of a temporary table: negative, as in tempdb.
pub(crate) fn temporary_id(key: u32) -> i32 {
    const FIRST: i64 = -100;
    i32::try_from(FIRST - i64::from(key)).unwrap_or(i32::MIN)
}
/// Compiled expressions and fragments of a statement.
pub(crate) struct Working(Arc<Vec<Compiled>>, Arc<(Vec<Fragment>, Vec<Sqlite>)>);

/// The shared state of one session.
pub(crate) struct Shared {
    host: Mutex<Box<dyn Host>>,
    /// What users made in the instance's databases.
    pub(crate) permanent: Permanent,
    /// Modules that ran already.
    pub(crate) parsed: ParsedModules,
    this: Weak<Self>,
    /// The session's database, for statements inside its statements; null while it is not open.
    pub(crate) handle: AtomicPtr<rusqlite::ffi::sqlite3>,
    /// Files attached to it, the latest used last.
    pub(crate) files: Mutex<Vec<Attached>>,
    /// Token of the running request.
    cancel: Mutex<CancelToken>,
    /// Tables of functions' variables that are free to be used again: the function's text, the variable, the key.
    pub(crate) spare: Mutex<Vec<(usize, String, u32)>>,
    pub(crate) facts: Mutex<Facts>,
    /// Compiled expressions of the running statement.
    plan: Mutex<Arc<Vec<Compiled>>>,
    /// Its fragments, and the parameters that they share with it.
    fragments: Mutex<Arc<(Vec<Fragment>, Vec<Sqlite>)>>,
    pending: Mutex<Option<SqlError>>,
    objects: Mutex<Vec<Object>>,
    /// Tables of which the caller may read some columns alone.
    by_column: Mutex<HashSet<u32>>,
    /// Temporary tables in reach: name in lower case, key and nesting level; the latest last.
    temps: Mutex<Vec<(String, u32, u32)>>,
    /// When the running request has to end, in the host's elapsed time; 0 for no bound.
    deadline_micros: AtomicU64,
    limit: Mutex<Duration>,
    overdue: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(host: Box<dyn Host>, facts: Facts, this: Weak<Self>) -> Self {
        Self {
            parsed: ParsedModules::default(),
            this,
            handle: AtomicPtr::new(std::ptr::null_mut()),
            files: Mutex::default(),
            cancel: Mutex::default(),
            spare: Mutex::default(),
            permanent: Permanent::new(host.databases()),
            host: Mutex::new(host),
            facts: Mutex::new(facts),
            plan: Mutex::default(),
            fragments: Mutex::default(),
            pending: Mutex::default(),
            objects: Mutex::default(),
            by_column: Mutex::default(),
            temps: Mutex::default(),
            deadline_micros: AtomicU64::new(0),
            limit: Mutex::new(Duration::ZERO),
            overdue: AtomicBool::new(false),
        }
    }

    /// The host. Never held while SQLite runs, nor while facts are.
    pub(crate) fn host(&self) -> MutexGuard<'_, Box<dyn Host>> {
        locked(&self.host)
    }

    /// The rights of that identity count from now on, and its names are looked for in its own schema.
    pub(crate) fn assume(&self, identity: Identity) {
        self.host().assume(identity);
        self.look_up_schema();
    }

    /// The caller's default schema in the current database is looked up anew.
    pub(crate) fn look_up_schema(&self) {
        let database = self.facts().database.clone();
        let schema = self.host().default_schema(&database);
        self.facts().schema = schema;
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        locked(&self.facts)
    }

    pub(crate) fn plan(&self) -> Arc<Vec<Compiled>> {
        Arc::clone(&locked(&self.plan))
    }

    /// Itself, for what runs inside a statement.
    pub(crate) fn this(&self) -> Result<Arc<Self>, SqlError> {
        self.this
            .upgrade()
            .ok_or_else(|| tsql::fault::internal("the session is gone"))
    }

    pub(crate) fn set_cancel(&self, cancel: &CancelToken) {
        *locked(&self.cancel) = cancel.clone();
    }

    pub(crate) fn cancel(&self) -> CancelToken {
        locked(&self.cancel).clone()
    }

    /// What a statement works with, to be put back after another ran inside it.
    pub(crate) fn working(&self) -> Working {
        Working(self.plan(), self.fragments())
    }

    pub(crate) fn put_back(&self, working: Working) {
        *locked(&self.plan) = working.0;
        *locked(&self.fragments) = working.1;
    }

    pub(crate) fn set_plan(&self, compiled: Vec<Compiled>) {
        *locked(&self.plan) = Arc::new(compiled);
    }

    pub(crate) fn fragments(&self) -> Arc<(Vec<Fragment>, Vec<Sqlite>)> {
        Arc::clone(&locked(&self.fragments))
    }

    pub(crate) fn set_fragments(&self, fragments: Vec<Fragment>, params: Vec<Sqlite>) {
        *locked(&self.fragments) = Arc::new((fragments, params));
    }

    pub(crate) fn set_pending(&self, error: SqlError) {
        // The first error is the cause of those that follow.
        locked(&self.pending).get_or_insert(error);
    }

    pub(crate) fn take_pending(&self) -> Option<SqlError> {
        locked(&self.pending).take()
    }

    pub(crate) fn object(&self, key: u32) -> Option<Object> {
        let at = usize::try_from(key).ok()?;
        locked(&self.objects).get(at).cloned()
    }

    /// The key of an object, known already or new.
    pub(crate) fn intern(&self, object: Object) -> u32 {
        let mut objects = locked(&self.objects);
        let known = objects.iter().position(|other| match (other, &object) {
            (
                Object::HostTable {
                    database: a,
                    decl: x,
                },
                Object::HostTable {
                    database: b,
                    decl: y,
                },
            ) => a == b && (Arc::ptr_eq(x, y) || x == y),
            (Object::HostFunction(x), Object::HostFunction(y)) => x == y,
            (Object::Routine(x), Object::Routine(y)) => x == y,
            (Object::Rowset(x), Object::Rowset(y)) => x == y,
            _ => false,
        });
        let at = known.unwrap_or_else(|| {
            objects.push(object);
            objects.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// Forgets all objects: the session's database is gone.
    pub(crate) fn clear_objects(&self) {
        locked(&self.objects).clear();
        locked(&self.temps).clear();
        locked(&self.by_column).clear();
        self.permanent.clear();
    }

    /// Whether each column of a table has to be asked for when it is read.
    pub(crate) fn read_by_column(&self, key: u32, each: bool) {
        let mut tables = locked(&self.by_column);
        if each {
            tables.insert(key);
        } else {
            tables.remove(&key);
        }
    }

    /// Whether each column of a table has to be asked for.
    pub(crate) fn is_read_by_column(&self, key: u32) -> bool {
        locked(&self.by_column).contains(&key)
    }

    /// The key that the next own table will have.
    pub(crate) fn next_key(&self) -> u32 {
        u32::try_from(locked(&self.objects).len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn add_own(&self, table: Arc<OwnTable>) {
        locked(&self.objects).push(Object::Own(table));
    }

    /// Puts another state of a permanent table in its old one's place.
    pub(crate) fn replace_own(&self, table: Arc<OwnTable>) {
        if let Ok(at) = usize::try_from(table.key)
            && let Some(slot) = locked(&self.objects).get_mut(at)
        {
            *slot = Object::Own(table);
        }
    }

    /// The key of a temporary table.
    pub(crate) fn temp_key(&self, name: &str) -> Option<u32> {
        let lower = name.to_lowercase();
        let temps = locked(&self.temps);
        temps
            .iter()
            .rev()
            .find(|(known, _, _)| *known == lower)
            .map(|(_, key, _)| *key)
    }

    /// Brings a temporary table into reach; false when one of that name was made at the same level.
    pub(crate) fn add_temp(&self, name: &str, key: u32, level: u32) -> bool {
        let lower = name.to_lowercase();
        let mut temps = locked(&self.temps);
        let clash = temps
            .iter()
            .any(|(known, _, at)| *known == lower && *at == level);
        if !clash {
            temps.push((lower, key, level));
        }
        !clash
    }

    /// Takes a temporary table out of reach.
    pub(crate) fn remove_temp(&self, key: u32) {
        locked(&self.temps).retain(|(_, known, _)| *known != key);
    }

    /// Keys of the temporary tables made at a nesting level or deeper.
    pub(crate) fn temps_from(&self, level: u32) -> Vec<u32> {
        locked(&self.temps)
            .iter()
            .filter(|(_, _, at)| *at >= level)
            .map(|(_, key, _)| *key)
            .collect()
    }

    /// The temporary tables in reach, as tempdb shows them.
    pub(crate) fn temporary_tables(&self) -> Vec<TemporaryTable> {
        let keys: Vec<u32> = locked(&self.temps).iter().map(|(_, key, _)| *key).collect();
        keys.into_iter()
            .filter_map(|key| match self.object(key) {
                Some(Object::Own(table)) => Some(TemporaryTable {
                    id: temporary_id(key),
                    name: table.name.clone(),
                    columns: table.shape(),
                    identity: table.identity,
                }),
                _ => None,
            })
            .collect()
    }

    /// The session's own tables that still exist.
    pub(crate) fn own_tables(&self) -> Vec<Arc<OwnTable>> {
        locked(&self.objects)
            .iter()
            .filter_map(|object| match object {
                Object::Own(table) if table.place.is_none() => Some(Arc::clone(table)),
                Object::Own(_)
                | Object::HostTable { .. }
                | Object::HostFunction(_)
                | Object::Rowset(_)
                | Object::Routine(_)
                | Object::Gone => None,
            })
            .collect()
    }

    pub(crate) fn forget(&self, key: u32) {
        if let Ok(at) = usize::try_from(key)
            && let Some(slot) = locked(&self.objects).get_mut(at)
        {
            *slot = Object::Gone;
        }
    }

    pub(crate) fn next_identity(&self, key: u32) -> Result<i64, SqlError> {
        match self.object(key) {
            Some(Object::Own(table)) => {
                let value = table.next_identity()?;
                self.facts().identity = Some(i128::from(value));
                Ok(value)
            }
            _ => Err(tsql::fault::internal("an identity without a table")),
        }
    }

    pub(crate) fn recursion_limit(&self) -> u32 {
        self.facts().recursion
    }

    // ---- time ----

    /// Starts the clock of a request.
    pub(crate) fn start_clock(&self, limit: Option<Duration>) {
        self.overdue.store(false, Ordering::SeqCst);
        let micros = limit.map_or(0, |limit| {
            let end = self.host().elapsed().saturating_add(limit);
            u64::try_from(end.as_micros()).unwrap_or(u64::MAX).max(1)
        });
        *locked(&self.limit) = limit.unwrap_or_default();
        self.deadline_micros.store(micros, Ordering::SeqCst);
    }

    /// Whether the request has run for too long.
    pub(crate) fn time_is_up(&self) -> bool {
        if self.overdue.load(Ordering::SeqCst) {
            return true;
        }
        let deadline = self.deadline_micros.load(Ordering::SeqCst);
        if deadline == 0 {
            return false;
        }
        let now = self.host().elapsed().as_micros();
        let up = now >= u128::from(deadline);
        self.overdue.store(up, Ordering::SeqCst);
        up
    }

    /// Time spent waiting does not count.
    pub(crate) fn extend(&self, waited: Duration) {
        let more = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        // Nothing else moves the deadline while a request runs.
        let deadline = self.deadline_micros.load(Ordering::SeqCst);
        if deadline != 0 {
            let later = deadline.saturating_add(more);
            self.deadline_micros.store(later, Ordering::SeqCst);
        }
    }

    pub(crate) fn time_limit_error(&self) -> SqlError {
        let seconds = locked(&self.limit).as_secs_f64();
        messages::TIME_LIMIT.with(&[&format!("{seconds}")])
    }
}
