//! Between Rust's values and SQLite's.

use crate::{CatalogError, Object, Result};
use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, ErrorCode, OptionalExtension as _, Params, Row, ffi};
use std::fmt;
use uuid::Uuid;

/// An instant as microseconds since 1970 UTC. What is finer is dropped.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) Timestamp);

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_microsecond().into())
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = i64::column_result(value)?;
        Timestamp::from_microsecond(micros)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(micros))
    }
}

/// A UUID as 16 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Bytes16(pub(crate) Uuid);

impl ToSql for Bytes16 {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Bytes16 {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Uuid::from_slice(value.as_blob()?)
            .map(Self)
            .map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

/// An unsigned number as a signed one; what does not fit is an error, never another number.
#[derive(Clone, Copy)]
pub(crate) struct Unsigned(pub(crate) u64);

impl ToSql for Unsigned {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        i64::try_from(self.0)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }
}

impl FromSql for Unsigned {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = i64::column_result(value)?;
        u64::try_from(number)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(number))
    }
}

/// A stored code that stands for no value.
#[derive(Debug)]
struct UnknownCode {
    what: &'static str,
    code: i64,
}

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no {}", self.code, self.what)
    }
}

impl std::error::Error for UnknownCode {}

/// Turns a stored code of column `index` into its value.
pub(crate) fn decode<T>(
    row: &Row<'_>,
    index: usize,
    what: &'static str,
    from_code: impl FnOnce(i64) -> Option<T>,
) -> rusqlite::Result<T> {
    let code: i64 = row.get(index)?;
    from_code(code).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            index,
            rusqlite::types::Type::Integer,
            Box::new(UnknownCode { what, code }),
        )
    })
}

/// `Option<i64>` of an `Option<Timestamp>` column.
pub(crate) fn at(value: Option<Timestamp>) -> Option<At> {
    value.map(At)
}

/// Column `index` as an optional instant.
pub(crate) fn optional_at(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<At>>(index)?.map(|at| at.0))
}

/// Column `index` as an instant.
pub(crate) fn instant(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    Ok(row.get::<_, At>(index)?.0)
}

/// Column `index` as a UUID.
pub(crate) fn uuid(row: &Row<'_>, index: usize) -> rusqlite::Result<Uuid> {
    Ok(row.get::<_, Bytes16>(index)?.0)
}

/// Column `index` as an unsigned number.
pub(crate) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, Unsigned>(index)?.0)
}

/// A connection, with the few ways in which the catalog runs statements: always prepared and kept.
#[derive(Clone, Copy)]
pub(crate) struct Db<'c>(pub(crate) &'c rusqlite::Connection);

impl<'c> Db<'c> {
    /// A statement, from the connection's cache if it is there.
    pub(crate) fn prepare(self, sql: &str) -> Result<CachedStatement<'c>> {
        #[cfg(test)]
        super::walk::saw(sql);
        Ok(self.0.prepare_cached(sql)?)
    }

    /// The first row, if there is one.
    pub(crate) fn one<T>(
        self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.prepare(sql)?.query_row(params, read).optional()?)
    }

    /// The row that must be there.
    pub(crate) fn sure<T>(
        self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        Ok(self.prepare(sql)?.query_row(params, read)?)
    }

    /// All rows.
    pub(crate) fn all<T>(
        self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<Vec<T>>>()?)
    }

    /// Whether there is a row.
    pub(crate) fn any(self, sql: &'static str, params: impl Params) -> Result<bool> {
        Ok(self.prepare(sql)?.exists(params)?)
    }

    /// Runs a write; returns how many rows it changed.
    pub(crate) fn run(self, sql: &'static str, params: impl Params) -> Result<usize> {
        Ok(self.prepare(sql)?.execute(params)?)
    }

    /// Runs an insert that does nothing for a key that is there; returns the new row's number.
    ///
    /// The commands that run most use this and not `RETURNING`, which makes SQLite keep a journal of each
    /// statement: inside a savepoint its cost grows with every page the savepoint has touched.
    pub(crate) fn insert_new(self, sql: &'static str, params: impl Params) -> Result<Option<i64>> {
        let inserted = self.prepare(sql)?.execute(params)?;
        Ok((inserted > 0).then(|| self.0.last_insert_rowid()))
    }

    /// Runs an insert; returns the new row's number.
    pub(crate) fn insert(self, sql: &'static str, params: impl Params) -> Result<i64> {
        Ok(self.prepare(sql)?.insert(params)?)
    }
}

impl From<rusqlite::Error> for CatalogError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error_code();
        match code {
            Some(ErrorCode::DiskFull) => return Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                return Self::Corrupt {
                    detail: error.to_string(),
                };
            }
            _ => {}
        }
        if matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
        ) {
            return Self::Corrupt {
                detail: error.to_string(),
            };
        }
        if matches!(error, rusqlite::Error::ToSqlConversionFailure(_)) {
            return Self::OutOfRange {
                what: "a number to be stored",
            };
        }
        Self::Storage {
            action: "run a statement of the catalog",
            source: Box::new(error),
        }
    }
}

/// SQLite's own number for a failed statement.
fn extended_code(error: &CatalogError) -> Option<i32> {
    let CatalogError::Storage { source, .. } = error else {
        return None;
    };
    let error = source.downcast_ref::<rusqlite::Error>()?;
    Some(error.sqlite_error()?.extended_code)
}

/// Turns a violated uniqueness into `AlreadyExists`.
pub(crate) fn taken<T>(result: Result<T>, object: Object, name: impl fmt::Display) -> Result<T> {
    result.map_err(|error| match extended_code(&error) {
        Some(
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID,
        ) => CatalogError::already_exists(object, name),
        _ => error,
    })
}

/// `NotFound` unless a statement changed a row.
pub(crate) fn found(changed: usize, object: Object, name: impl fmt::Display) -> Result<()> {
    if changed == 0 {
        Err(CatalogError::not_found(object, name))
    } else {
        Ok(())
    }
}

/// A page's size as SQLite takes it; everything for `None`.
pub(crate) fn limit(limit: Option<usize>) -> i64 {
    limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX))
}

/// A page's size, bounded.
pub(crate) fn page(limit: usize) -> i64 {
    i64::try_from(limit.min(crate::PAGE_ROWS_MAX)).unwrap_or(i64::MAX)
}
