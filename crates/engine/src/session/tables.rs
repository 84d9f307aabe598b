//! Tables that statements write: temporary tables, table variables, and permanent tables of databases.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only the narrow integers bound an identity"
)]

use crate::databases::ObjectInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tsql::ast::Expr;
use tsql::eval::collate;
use tsql::{Column, SqlError, SqlType, fault};

/// A column of such a table.
#[derive(Debug, Clone)]
pub(crate) struct OwnColumn {
    pub(crate) column: Column,
    /// Value when an INSERT gives none.
    pub(crate) default: Option<Expr>,
    /// What a computed column is.
    pub(crate) computed: Option<Computed>,
}

impl OwnColumn {
    /// A column without a default that takes values.
    pub(crate) fn plain(column: Column) -> Self {
        Self {
            column,
            default: None,
            computed: None,
        }
    }

    /// Whether its values stand with the rows.
    pub(crate) fn is_stored(&self) -> bool {
        self.computed
            .as_ref()
            .is_none_or(|computed| computed.stored)
    }
}

/// What a computed column is.
#[derive(Debug, Clone)]
pub(crate) struct Computed {
    /// Its expression, over the columns of its table.
    pub(crate) expr: Expr,
    /// Whether its values are worked out when a row is written, and stand with it.
    pub(crate) stored: bool,
}

/// A key of such a table.
#[derive(Debug, Clone)]
pub(crate) struct OwnKey {
    pub(crate) name: String,
    pub(crate) primary: bool,
    pub(crate) columns: Vec<(usize, bool)>,
}

/// Where a permanent table is kept.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Number of its database, whose file is attached as `d<number>`.
    pub(crate) database: i32,
    /// Name of that database.
    pub(crate) database_name: String,
    /// Name of its schema.
    pub(crate) schema: String,
    /// Whether triggers watch it.
    pub(crate) triggers: bool,
    /// INSERT, UPDATE and DELETE, where INSTEAD OF triggers take them over, and the numbers of these.
    pub(crate) instead: Vec<(String, i32)>,
    /// Its definition; its rows are in table `t<object number>`.
    pub(crate) object: Arc<ObjectInfo>,
}

/// A table. The rows of a temporary one or of a table variable are in the session's database, as table `t<key>`.
#[derive(Debug)]
pub(crate) struct OwnTable {
    pub(crate) key: u32,
    /// Name as written, with its `#` or `@`.
    pub(crate) name: String,
    pub(crate) columns: Vec<OwnColumn>,
    pub(crate) keys: Vec<OwnKey>,
    pub(crate) checks: Vec<(String, Expr)>,
    /// The identity column.
    pub(crate) identity: Option<usize>,
    pub(crate) seed: i64,
    pub(crate) increment: i64,
    /// The value that the next row gets.
    pub(crate) next: Arc<AtomicI64>,
    /// Whether it is a table variable, which ROLLBACK leaves alone.
    pub(crate) variable: bool,
    /// Where a permanent table is kept; `None` for the session's own.
    pub(crate) place: Option<Place>,
    /// The type of a table variable that was declared with one: its database, and the object that has its columns.
    pub(crate) of_type: Option<(i32, i32)>,
}

impl OwnTable {
    /// A table without columns or keys yet.
    pub(crate) fn empty(key: u32, name: &str, variable: bool) -> Self {
        Self {
            key,
            name: name.to_owned(),
            columns: Vec::new(),
            keys: Vec::new(),
            checks: Vec::new(),
            identity: None,
            seed: 1,
            increment: 1,
            next: Arc::new(AtomicI64::new(1)),
            variable,
            place: None,
            of_type: None,
        }
    }

    /// The table's name in SQLite's SQL.
    pub(crate) fn sql_name(&self) -> String {
        match &self.place {
            None => format!("t{}", self.key),
            Some(place) => format!("d{}.t{}", place.database, place.object.id),
        }
    }

    /// Whether the values of a computed column are written with its rows.
    pub(crate) fn has_stored(&self) -> bool {
        let mut columns = self.columns.iter();
        columns.any(|own| own.computed.is_some() && own.is_stored())
    }

    /// Whether triggers watch it.
    pub(crate) fn has_triggers(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.triggers)
    }

    /// The name as errors about keys and constraints have it: `dbo.t`.
    pub(crate) fn object_name(&self) -> String {
        match &self.place {
            None => self.name.clone(),
            Some(place) => format!("{}.{}", place.schema, self.name),
        }
    }

    /// Name of the database it is in.
    pub(crate) fn database_name(&self) -> &str {
        self.place
            .as_ref()
            .map_or("tempdb", |place| &place.database_name)
    }

    /// The name as errors about values have it: `database.dbo.t`.
    pub(crate) fn full_name(&self) -> String {
        match &self.place {
            None => self.name.clone(),
            Some(place) => format!("{}.{}.{}", place.database_name, place.schema, self.name),
        }
    }

    pub(crate) fn shape(&self) -> Vec<Column> {
        self.columns.iter().map(|c| c.column.clone()).collect()
    }

    /// The column of that name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|own| collate::same(&own.column.name, name))
    }

    /// Whether a column belongs to a key.
    pub(crate) fn in_key(&self, at: usize) -> bool {
        self.keys
            .iter()
            .any(|key| key.columns.iter().any(|(column, _)| *column == at))
    }

    /// Takes the next identity value; gaps stay when the row is not kept.
    pub(crate) fn next_identity(&self) -> Result<i64, SqlError> {
        let value = self.next.fetch_add(self.increment, Ordering::SeqCst);
        let ty = self
            .identity
            .and_then(|at| self.columns.get(at))
            .map_or(SqlType::BigInt, |c| c.column.ty);
        let fits = match ty {
            SqlType::TinyInt => u8::try_from(value).is_ok(),
            SqlType::SmallInt => i16::try_from(value).is_ok(),
            SqlType::Int => i32::try_from(value).is_ok(),
            _ => true,
        };
        if fits {
            Ok(value)
        } else {
            Err(fault::overflow_converting("IDENTITY", ty))
        }
    }

    /// An explicit identity value moves the next one on.
    pub(crate) fn saw_identity(&self, value: i64) {
        if self.increment > 0 {
            self.next
                .fetch_max(value.saturating_add(self.increment), Ordering::SeqCst);
        } else {
            self.next
                .fetch_min(value.saturating_add(self.increment), Ordering::SeqCst);
        }
    }

    /// TRUNCATE: as new.
    pub(crate) fn reseed(&self) {
        self.next.store(self.seed, Ordering::SeqCst);
    }
}
