//! The host's tables and table-valued functions as virtual tables.
//!
//! The module's argument is an object's number in [`Shared`]; columns are `c0`, `c1`, …, a function's arguments are
//! hidden columns `a0`, `a1`, … Equality on seekable columns goes down to [`Host::scan`](crate::Host::scan).

#![expect(
    unsafe_code,
    reason = "rusqlite's virtual-table traits ask for unsafe implementations"
)]

use super::encode::{decode, encode};
use super::functions::raise;
use super::generate::Fragment;
use crate::host::{FunctionDecl, FunctionResult, Scan, SeekKey, TableDecl};
use crate::session::shared::{Object, Shared};
use crate::session::stored::Routine;
use rusqlite::types::{Null, Value as Sqlite};
use rusqlite::vtab::{
    Context, CreateVTab, Filters, IndexConstraintOp, IndexInfo, Module, VTab, VTabConnection,
    VTabCursor, VTabKind, sqlite3_vtab, sqlite3_vtab_cursor,
};
use rusqlite::{Connection, Result};
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_int};
use std::marker::PhantomData;
use std::sync::Arc;
use tsql::rowset::Rowset;
use tsql::{Row, SqlType, Value, messages};

/// Name of the module.
pub(super) const MODULE: &str = "muster";

/// The database whose views show the session's temporary tables.
const TEMPDB: &str = "tempdb";
/// Rows that a whole scan is taken to have: seeks win against it.
const ROWS_OF_A_SCAN: i64 = 1_000_000;
/// Most rows that the right side of an APPLY may give for one row of the left.
const FRAGMENT_ROWS_MAX: usize = 1_000_000;
/// Most bytes of text and the like that these rows may hold.
const FRAGMENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Rows that a seek is taken to have.
const ROWS_OF_A_SEEK: i64 = 10;

/// The handle of a connection, to be kept while it is open.
pub(super) fn handle(db: &Connection) -> *mut rusqlite::ffi::sqlite3 {
    // SAFETY: the handle is only kept; `Store` forgets it before the connection closes.
    unsafe { db.handle() }
}

/// The session's connection once more, for statements inside its statements.
pub(super) fn connection(handle: *mut rusqlite::ffi::sqlite3) -> Result<Connection> {
    // SAFETY: a session is one thread's, and its `Store` takes the handle back before it closes the connection, which
    // it cannot do while a statement runs. The wrapper does not close it.
    unsafe { Connection::from_handle(handle) }
}

pub(super) fn register(db: &Connection, shared: &Arc<Shared>) -> Result<()> {
    const READ_ONLY: &Module<'static, Table> = &Module::read_only_module();
    db.create_module(MODULE, READ_ONLY, Some(Arc::clone(shared)))
}

#[derive(Clone)]
enum Kind {
    Table {
        database: String,
        decl: Arc<TableDecl>,
    },
    /// A function of the host, or one that a user made.
    Function(Arc<FunctionDecl>, Option<Arc<Routine>>),
    /// A built-in function that gives rows.
    Rowset(Arc<Rowset>),
    /// The right side of an APPLY, and the parameters of its statement.
    Fragment(Fragment, Arc<(Vec<Fragment>, Vec<Sqlite>)>),
}

impl Kind {
    fn types(&self) -> Vec<SqlType> {
        match self {
            Self::Table { decl, .. } => decl.columns.iter().map(|column| column.ty).collect(),
            Self::Function(decl, _) => match &decl.returns {
                FunctionResult::Table(columns) => columns.iter().map(|column| column.ty).collect(),
                FunctionResult::Scalar(ty) => vec![*ty],
            },
            Self::Rowset(rowset) => rowset.columns().iter().map(|column| column.ty).collect(),
            Self::Fragment(fragment, _) => fragment.types.clone(),
        }
    }

    /// Number of hidden columns: arguments, or columns from outside.
    fn hidden(&self) -> usize {
        match self {
            Self::Table { .. } => 0,
            Self::Function(decl, _) => decl.params.len(),
            Self::Rowset(rowset) => rowset.params().len(),
            Self::Fragment(fragment, _) => fragment.refs,
        }
    }
}

/// A virtual table. Invariant: `base` is the first field, as SQLite casts the pointer.
#[repr(C)]
struct Table {
    base: sqlite3_vtab,
    shared: Arc<Shared>,
    kind: Kind,
    /// The connection that this table belongs to, for fragments. Valid as long as the table: SQLite disconnects
    /// all tables before it closes the connection.
    db: *mut rusqlite::ffi::sqlite3,
}

// SAFETY: `Table` is `repr(C)` and starts with `sqlite3_vtab`, as the trait asks.
unsafe impl<'vtab> VTab<'vtab> for Table {
    type Aux = Arc<Shared>;
    type Cursor = Cursor<'vtab>;

    fn connect(
        db: &mut VTabConnection,
        aux: Option<&Self::Aux>,
        _module_name: &[u8],
        _database_name: &[u8],
        _table_name: &[u8],
        args: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, Self)> {
        let bad = || rusqlite::Error::ModuleError("unknown object".to_owned());
        let shared = Arc::clone(aux.ok_or_else(bad)?);
        let name = args
            .first()
            .and_then(|arg| std::str::from_utf8(arg).ok())
            .map(str::trim)
            .ok_or_else(bad)?;
        let kind = if let Some(number) = name.strip_prefix('f') {
            let all = shared.fragments();
            let at: usize = number.parse().map_err(|_| bad())?;
            let fragment = all.0.get(at).cloned().ok_or_else(bad)?;
            Kind::Fragment(fragment, all)
        } else {
            match shared.object(name.parse().map_err(|_| bad())?) {
                Some(Object::HostTable { database, decl }) => Kind::Table { database, decl },
                Some(Object::HostFunction(decl)) => Kind::Function(decl, None),
                Some(Object::Routine(routine)) => {
                    Kind::Function(Arc::clone(&routine.decl), Some(routine))
                }
                Some(Object::Rowset(rowset)) => Kind::Rowset(rowset),
                _ => return Err(bad()),
            }
        };
        let mut columns: Vec<String> = kind
            .types()
            .iter()
            .enumerate()
            .map(|(at, ty)| format!("c{at}{}", if ty.is_string() { " COLLATE ci" } else { "" }))
            .collect();
        columns.extend((0..kind.hidden()).map(|at| format!("a{at} HIDDEN")));
        let schema = format!("CREATE TABLE x({})", columns.join(","));
        let schema = CString::new(schema).map_err(|_| bad())?;
        let table = Self {
            base: sqlite3_vtab::default(),
            shared,
            kind,
            // SAFETY: the handle is only kept, and used while this table is connected.
            db: unsafe { db.handle() },
        };
        Ok((Cow::Owned(schema), table))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        let wanted: Vec<usize> = match &self.kind {
            Kind::Table { decl, .. } => decl.seekable.clone(),
            Kind::Function(..) | Kind::Rowset(_) | Kind::Fragment(..) => {
                let first = self.kind.types().len();
                (first..first + self.kind.hidden()).collect()
            }
        };
        let mut found: Vec<(usize, usize)> = Vec::new();
        let mut unusable = false;
        for (at, constraint) in info.constraints().enumerate() {
            let column = usize::try_from(constraint.column()).unwrap_or(usize::MAX);
            if constraint.operator() != IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ
                || !wanted.contains(&column)
            {
                continue;
            }
            if !constraint.is_usable() {
                unusable = true;
            } else if !found.iter().any(|(_, known)| *known == column) {
                found.push((at, column));
            }
        }
        let is_function = !matches!(self.kind, Kind::Table { .. });
        if is_function && unusable {
            // The arguments must be known first: another join order.
            return Ok(false);
        }
        let mut text = String::new();
        for (position, (at, column)) in found.iter().enumerate() {
            let mut usage = info.constraint_usage(*at);
            usage.set_argv_index(c_int::try_from(position + 1).unwrap_or(c_int::MAX));
            // A function's arguments are no columns to check again.
            usage.set_omit(is_function);
            text.push_str(&format!("{column},"));
        }
        info.set_idx_str(&text);
        let seeks = !found.is_empty();
        let best = wanted
            .first()
            .is_some_and(|best| found.iter().any(|(_, column)| column == best));
        let rows = match (seeks, best) {
            (true, true) => ROWS_OF_A_SEEK,
            (true, false) => ROWS_OF_A_SEEK * 10,
            (false, _) => ROWS_OF_A_SCAN,
        };
        info.set_estimated_rows(rows);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        info.set_estimated_cost(rows as f64);
        Ok(true)
    }

    fn open(&'vtab mut self) -> Result<Cursor<'vtab>> {
        Ok(Cursor {
            base: sqlite3_vtab_cursor::default(),
            shared: Arc::clone(&self.shared),
            types: self.kind.types(),
            kind: self.kind.clone(),
            db: self.db,
            raw: Vec::new().into_iter(),
            current: None,
            refs: Vec::new(),
            scan: None,
            row: None,
            arguments: Vec::new(),
            phantom: PhantomData,
        })
    }
}

impl CreateVTab<'_> for Table {
    const KIND: VTabKind = VTabKind::Default;
}

/// A cursor. Invariant: `base` is the first field, as SQLite casts the pointer.
#[repr(C)]
struct Cursor<'vtab> {
    base: sqlite3_vtab_cursor,
    shared: Arc<Shared>,
    kind: Kind,
    types: Vec<SqlType>,
    /// See [`Table::db`].
    db: *mut rusqlite::ffi::sqlite3,
    /// Rows of a fragment still to come, as they are encoded, and the current one.
    raw: std::vec::IntoIter<Vec<Sqlite>>,
    current: Option<Vec<Sqlite>>,
    /// Columns from outside of a fragment.
    refs: Vec<Sqlite>,
    scan: Option<Scan>,
    /// The current row; `None` at the end.
    row: Option<Row>,
    /// A function's arguments.
    arguments: Vec<Value>,
    phantom: PhantomData<&'vtab Table>,
}

impl Cursor<'_> {
    /// Runs a fragment for the columns from outside that are in `refs`.
    fn run(&self, fragment: &Fragment, params: &[Sqlite]) -> Result<Vec<Vec<Sqlite>>> {
        // SAFETY: the handle is this table's own connection, open while a cursor of it is; the wrapper does not
        // close it. SQLite allows statements inside a virtual table's methods.
        let db = unsafe { Connection::from_handle(self.db) }?;
        let mut statement = db.prepare(&fragment.text)?;
        let own = params.iter().enumerate().map(|(at, value)| (at + 1, value));
        let outside = self.refs.iter().enumerate();
        let outside = outside.map(|(at, value)| (Fragment::FIRST_REF + at, value));
        let last = statement.parameter_count();
        for (number, value) in own.chain(outside).filter(|(number, _)| *number <= last) {
            statement.raw_bind_parameter(number, value)?;
        }
        let mut rows = statement.raw_query();
        let mut kept = Vec::new();
        let mut bytes = 0_usize;
        while let Some(row) = rows.next()? {
            let values: Result<Vec<Sqlite>> =
                (0..fragment.types.len()).map(|at| row.get(at)).collect();
            let values = values?;
            bytes = bytes.saturating_add(values.iter().map(long_bytes).sum());
            kept.push(values);
            if kept.len() > FRAGMENT_ROWS_MAX || bytes > FRAGMENT_BYTES_MAX {
                let error = messages::MEMORY_LIMIT.with(&["default"]);
                return Err(raise(&self.shared, error));
            }
        }
        Ok(kept)
    }

    fn advance(&mut self) -> Result<()> {
        if matches!(self.kind, Kind::Fragment(..)) {
            self.current = self.raw.next();
            return Ok(());
        }
        self.row = match self.scan.as_mut().and_then(Iterator::next) {
            Some(row) => Some(row.map_err(|error| raise(&self.shared, error))?),
            None => None,
        };
        Ok(())
    }
}

// SAFETY: `Cursor` is `repr(C)` and starts with `sqlite3_vtab_cursor`, as the trait asks.
unsafe impl VTabCursor for Cursor<'_> {
    fn filter(&mut self, _: c_int, columns: Option<&str>, args: &Filters<'_>) -> Result<()> {
        self.row = None;
        self.scan = None;
        let columns: Vec<usize> = columns
            .unwrap_or_default()
            .split(',')
            .filter_map(|column| column.parse().ok())
            .collect();
        let shared = Arc::clone(&self.shared);
        if let Kind::Fragment(fragment, all) = self.kind.clone() {
            self.refs = vec![Sqlite::Null; fragment.refs];
            for (column, raw) in columns.iter().zip(args.iter()) {
                self.refs[column - self.types.len()] = owned(raw)?;
            }
            self.raw = self.run(&fragment, &all.1)?.into_iter();
            return self.advance();
        }
        let scan = match &self.kind {
            Kind::Fragment(..) => return Ok(()),
            Kind::Table { database, decl } => {
                let mut keys = Vec::with_capacity(columns.len());
                for (column, raw) in columns.iter().zip(args.iter()) {
                    let ty = self.types[*column];
                    // Nothing equals NULL, and a value of another encoding equals none of this type.
                    match decode(raw, ty) {
                        Ok(Value::Null) | Err(_) => return Ok(()),
                        Ok(value) => keys.push(SeekKey {
                            column: *column,
                            value,
                        }),
                    }
                }
                if database.eq_ignore_ascii_case(TEMPDB) {
                    let tables = shared.temporary_tables();
                    shared.host().temporary_tables(tables);
                }
                shared.host().scan(database, decl, &keys)
            }
            Kind::Function(decl, routine) => {
                let first = self.types.len();
                self.arguments = vec![Value::Null; decl.params.len()];
                for (column, raw) in columns.iter().zip(args.iter()) {
                    let at = column - first;
                    self.arguments[at] =
                        decode(raw, decl.params[at].ty).map_err(|error| raise(&shared, error))?;
                }
                if let Some(routine) = routine {
                    crate::interpret::table_function(&shared, routine, &self.arguments)
                } else if let Some(rows) = super::series::scan(decl, &self.arguments) {
                    rows
                } else {
                    shared.host().scan_function(decl, &self.arguments)
                }
            }
            Kind::Rowset(rowset) => {
                let first = self.types.len();
                let params = rowset.params();
                self.arguments = vec![Value::Null; params.len()];
                for (column, raw) in columns.iter().zip(args.iter()) {
                    let at = column - first;
                    self.arguments[at] =
                        decode(raw, params[at]).map_err(|error| raise(&shared, error))?;
                }
                let rows = rowset.rows(&self.arguments);
                rows.map(|rows| Box::new(rows.into_iter().map(Ok)) as Scan)
            }
        };
        self.scan = Some(scan.map_err(|error| raise(&shared, error))?);
        self.advance()
    }

    fn next(&mut self) -> Result<()> {
        self.advance()
    }

    fn eof(&self) -> bool {
        self.row.is_none() && self.current.is_none()
    }

    fn column(&self, context: &mut Context, column: c_int) -> Result<()> {
        let at = usize::try_from(column).unwrap_or(usize::MAX);
        if let Kind::Fragment(..) = self.kind {
            let raw = match at.checked_sub(self.types.len()) {
                Some(hidden) => self.refs.get(hidden),
                None => self.current.as_ref().and_then(|row| row.get(at)),
            };
            return context.set_result(raw.unwrap_or(&Sqlite::Null));
        }
        let (value, ty) = match (self.types.get(at), &self.kind) {
            (Some(ty), _) => (self.row.as_ref().and_then(|row| row.get(at)), *ty),
            (None, Kind::Function(decl, _)) => {
                let argument = at - self.types.len();
                let ty = decl.params.get(argument).map_or(SqlType::Int, |p| p.ty);
                (self.arguments.get(argument), ty)
            }
            (None, Kind::Rowset(rowset)) => {
                let argument = at - self.types.len();
                let ty = rowset.params().get(argument).copied();
                (self.arguments.get(argument), ty.unwrap_or(SqlType::Int))
            }
            (None, Kind::Table { .. } | Kind::Fragment(..)) => (None, SqlType::Int),
        };
        match value {
            Some(value) => {
                let raw = encode(value, ty).map_err(|error| raise(&self.shared, error))?;
                context.set_result(&raw)
            }
            None => context.set_result(Null),
        }
    }

    /// A row's number depends on its values alone: SQLite remembers the matched rows of outer joins by it, whether a
    /// seek or a scan brought them. Equal rows share one, and match alike.
    fn rowid(&self) -> Result<i64> {
        // FNV-1a of the encoded values.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        let encoded: Result<Vec<Sqlite>> = match &self.current {
            Some(row) => Ok(row.clone()),
            None => {
                let values = self.row.iter().flatten().zip(&self.types);
                values
                    .map(|(value, ty)| encode(value, *ty))
                    .collect::<std::result::Result<_, _>>()
                    .map_err(|error| raise(&self.shared, error))
            }
        };
        for value in encoded? {
            match value {
                Sqlite::Null => add(&[0]),
                Sqlite::Integer(v) => add(&v.to_le_bytes()),
                Sqlite::Real(v) => add(&v.to_le_bytes()),
                Sqlite::Text(v) => add(v.as_bytes()),
                Sqlite::Blob(v) => add(&v),
            }
            add(&[0xff]);
        }
        Ok(i64::from_ne_bytes(hash.to_ne_bytes()))
    }
}

/// Bytes that a value takes beside itself.
fn long_bytes(value: &Sqlite) -> usize {
    match value {
        Sqlite::Text(text) => text.len(),
        Sqlite::Blob(bytes) => bytes.len(),
        Sqlite::Null | Sqlite::Integer(_) | Sqlite::Real(_) => 0,
    }
}

/// A value of SQLite's, kept.
fn owned(raw: rusqlite::types::ValueRef<'_>) -> Result<Sqlite> {
    Sqlite::try_from(raw).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, raw.data_type(), Box::new(error))
    })
}
