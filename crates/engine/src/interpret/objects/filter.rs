//! The conditions of filtered indexes, as SQLite takes them.
//!
//! SQLite asks for a text without parameters: constants stand in it as numbers or as hexadecimal digits, so that no
//! text of a user becomes a part of it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a filter is made of few kinds of nodes"
)]

use crate::databases::FilterInfo;
use crate::session::computed::ROW;
use crate::session::environment::Env;
use crate::session::permanent::condition;
use crate::session::shared::Shared;
use crate::session::stored::Stored;
use crate::session::tables::OwnTable;
use crate::store::encode::encode;
use crate::store::generate::{native, operator};
use rusqlite::types::Value as Sqlite;
use std::fmt::Write as _;
use tsql::bind::Binder;
use tsql::bind::ir::{TypedExpr, TypedKind};
use tsql::convert::{self, Style};
use tsql::{SqlError, SqlType, eval, messages};

/// The condition of an index over the columns `c0`, `c1`, … of its table.
///
/// # Errors
/// 10735 for a condition that is more than comparisons of columns with constants, IS NULL, IN and AND.
pub(super) fn sql(
    shared: &Shared,
    table: &OwnTable,
    filter: &FilterInfo,
    index: &str,
) -> Result<String, SqlError> {
    let place = table.place.as_ref();
    let (database, schema) = place.map_or(("", "dbo"), |place| {
        (place.database_name.as_str(), place.schema.as_str())
    });
    // It names columns of its table and nothing else.
    let stored = Stored::new(shared, database, (schema, "dbo"), &[]);
    let mut binder = Binder::new(&stored).numbered_from(ROW);
    binder.open_table(&table.name, &table.shape());
    let bound = binder.expr(&condition(&filter.text, filter.quoted_identifier)?)?;
    Filter {
        shared,
        table,
        index,
    }
    .text(&bound)
}

struct Filter<'f> {
    shared: &'f Shared,
    table: &'f OwnTable,
    index: &'f str,
}

impl Filter<'_> {
    fn refused(&self) -> SqlError {
        messages::BAD_INDEX_FILTER.with(&[self.index])
    }

    fn text(&self, expr: &TypedExpr) -> Result<String, SqlError> {
        match &expr.kind {
            TypedKind::And(left, right) => {
                Ok(format!("({} AND {})", self.text(left)?, self.text(right)?))
            }
            TypedKind::IsNull { operand, negated } => {
                let not = if *negated { "NOT " } else { "" };
                Ok(format!("{} IS {not}NULL", self.column(operand)?.0))
            }
            TypedKind::Compare { op, left, right } => {
                let (column, ty) = self.column(left)?;
                let constant = self.constant(right, ty)?;
                Ok(format!("{column} {} {constant}", operator(*op)))
            }
            TypedKind::In {
                operand,
                list,
                negated: false,
            } => {
                let (column, ty) = self.column(operand)?;
                let mut texts = Vec::with_capacity(list.len());
                for item in list {
                    texts.push(self.constant(item, ty)?);
                }
                Ok(format!("{column} IN ({})", texts.join(",")))
            }
            _ => Err(self.refused()),
        }
    }

    /// A column that stands with its rows, perhaps in the type that the other side has, and its own type.
    fn column(&self, expr: &TypedExpr) -> Result<(String, SqlType), SqlError> {
        match &expr.kind {
            TypedKind::Column { source, column } if *source == ROW => {
                let own = self.table.columns.get(*column);
                match own.filter(|own| own.computed.is_none() && native(own.column.ty)) {
                    Some(own) => Ok((format!("c{column}"), own.column.ty)),
                    None => Err(self.refused()),
                }
            }
            TypedKind::Convert {
                operand,
                style: None,
                safe: false,
            } if keeps_apart(operand.ty, expr.ty) => self.column(operand),
            _ => Err(self.refused()),
        }
    }

    /// A constant in the type of the column that it is compared with, which has to hold it as it is.
    fn constant(&self, expr: &TypedExpr, ty: SqlType) -> Result<String, SqlError> {
        if !expr.is_scalar() || !self.shared.is_deterministic(expr) {
            return Err(self.refused());
        }
        let env = Env::new(self.shared, &[]);
        let given = eval::evaluate(expr, &env, &[])?;
        let value = convert::convert(given.clone(), expr.ty, ty, Style::PLAIN)?;
        if convert::convert(value.clone(), ty, expr.ty, Style::PLAIN)? != given {
            return Err(self.refused());
        }
        Ok(match encode(&value, ty)? {
            Sqlite::Null => "NULL".to_owned(),
            Sqlite::Integer(number) => number.to_string(),
            Sqlite::Real(number) => {
                let mut text = format!("{number:e}");
                if !text.contains('.') {
                    text = text.replacen('e', ".0e", 1);
                }
                text
            }
            Sqlite::Text(text) => format!("CAST(x'{}' AS TEXT)", hex(text.as_bytes())),
            Sqlite::Blob(bytes) => format!("x'{}'", hex(&bytes)),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Whether a conversion never makes two values one: a filter then means the same without it.
fn keeps_apart(from: SqlType, to: SqlType) -> bool {
    match (digits(from), digits(to)) {
        (Some((whole, scale)), Some((into_whole, into_scale))) => {
            whole <= into_whole && scale <= into_scale
        }
        _ => from.is_string() && to.is_string(),
    }
}

/// Digits that an exact number has room for, before its point and behind.
const fn digits(ty: SqlType) -> Option<(u8, u8)> {
    Some(match ty {
        SqlType::Bit => (1, 0),
        SqlType::TinyInt => (3, 0),
        SqlType::SmallInt => (5, 0),
        SqlType::Int => (10, 0),
        SqlType::BigInt => (19, 0),
        SqlType::SmallMoney => (6, 4),
        SqlType::Money => (15, 4),
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
            (precision.saturating_sub(scale), scale)
        }
        _ => return None,
    })
}
