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
use crate::host::{FunctionDecl, FunctionResult, Scan, SeekKey, TableDecl};
use crate::session::shared::{Object, Shared};
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
use tsql::{Row, SqlType, Value};

/// Name of the module.
pub(super) const MODULE: &str = "muster";

/// Rows that a whole scan is taken to have: seeks win against it.
const ROWS_OF_A_SCAN: i64 = 1_000_000;
/// Rows that a seek is taken to have.
const ROWS_OF_A_SEEK: i64 = 10;

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
    Function(Arc<FunctionDecl>),
}

impl Kind {
    fn types(&self) -> Vec<SqlType> {
        match self {
            Self::Table { decl, .. } => decl.columns.iter().map(|column| column.ty).collect(),
            Self::Function(decl) => match &decl.returns {
                FunctionResult::Table(columns) => columns.iter().map(|column| column.ty).collect(),
                FunctionResult::Scalar(ty) => vec![*ty],
            },
        }
    }
}

/// A virtual table. Invariant: `base` is the first field, as SQLite casts the pointer.
#[repr(C)]
struct Table {
    base: sqlite3_vtab,
    shared: Arc<Shared>,
    kind: Kind,
}

// SAFETY: `Table` is `repr(C)` and starts with `sqlite3_vtab`, as the trait asks.
unsafe impl<'vtab> VTab<'vtab> for Table {
    type Aux = Arc<Shared>;
    type Cursor = Cursor<'vtab>;

    fn connect(
        _: &mut VTabConnection,
        aux: Option<&Self::Aux>,
        _module_name: &[u8],
        _database_name: &[u8],
        _table_name: &[u8],
        args: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, Self)> {
        let bad = || rusqlite::Error::ModuleError("unknown object".to_owned());
        let shared = Arc::clone(aux.ok_or_else(bad)?);
        let key = args
            .first()
            .and_then(|arg| std::str::from_utf8(arg).ok())
            .and_then(|arg| arg.trim().parse().ok())
            .ok_or_else(bad)?;
        let kind = match shared.object(key) {
            Some(Object::HostTable { database, decl }) => Kind::Table { database, decl },
            Some(Object::HostFunction(decl)) => Kind::Function(decl),
            _ => return Err(bad()),
        };
        let mut columns: Vec<String> = kind
            .types()
            .iter()
            .enumerate()
            .map(|(at, ty)| format!("c{at}{}", if ty.is_string() { " COLLATE ci" } else { "" }))
            .collect();
        if let Kind::Function(decl) = &kind {
            columns.extend((0..decl.params.len()).map(|at| format!("a{at} HIDDEN")));
        }
        let schema = format!("CREATE TABLE x({})", columns.join(","));
        let schema = CString::new(schema).map_err(|_| bad())?;
        let table = Self {
            base: sqlite3_vtab::default(),
            shared,
            kind,
        };
        Ok((Cow::Owned(schema), table))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        let wanted: Vec<usize> = match &self.kind {
            Kind::Table { decl, .. } => decl.seekable.clone(),
            Kind::Function(decl) => {
                let first = self.kind.types().len();
                (first..first + decl.params.len()).collect()
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
        let is_function = matches!(self.kind, Kind::Function(_));
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
    scan: Option<Scan>,
    /// The current row; `None` at the end.
    row: Option<Row>,
    /// A function's arguments.
    arguments: Vec<Value>,
    phantom: PhantomData<&'vtab Table>,
}

impl Cursor<'_> {
    fn advance(&mut self) -> Result<()> {
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
        let scan = match &self.kind {
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
                shared.host().scan(database, decl, &keys)
            }
            Kind::Function(decl) => {
                let first = self.types.len();
                self.arguments = vec![Value::Null; decl.params.len()];
                for (column, raw) in columns.iter().zip(args.iter()) {
                    let at = column - first;
                    self.arguments[at] =
                        decode(raw, decl.params[at].ty).map_err(|error| raise(&shared, error))?;
                }
                shared.host().scan_function(decl, &self.arguments)
            }
        };
        self.scan = Some(scan.map_err(|error| raise(&shared, error))?);
        self.advance()
    }

    fn next(&mut self) -> Result<()> {
        self.advance()
    }

    fn eof(&self) -> bool {
        self.row.is_none()
    }

    fn column(&self, context: &mut Context, column: c_int) -> Result<()> {
        let at = usize::try_from(column).unwrap_or(usize::MAX);
        let (value, ty) = match (self.types.get(at), &self.kind) {
            (Some(ty), _) => (self.row.as_ref().and_then(|row| row.get(at)), *ty),
            (None, Kind::Function(decl)) => {
                let argument = at - self.types.len();
                let ty = decl.params.get(argument).map_or(SqlType::Int, |p| p.ty);
                (self.arguments.get(argument), ty)
            }
            (None, Kind::Table { .. }) => (None, SqlType::Int),
        };
        match value {
            Some(value) => {
                let raw = encode(value, ty).map_err(|error| raise(&self.shared, error))?;
                context.set_result(&raw)
            }
            None => context.set_result(&Null),
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
        for (value, ty) in self.row.iter().flatten().zip(&self.types) {
            match encode(value, *ty).map_err(|error| raise(&self.shared, error))? {
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
