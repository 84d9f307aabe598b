//! INSERT BULK and the rows that follow it.
//!
//! The rows go through the INSERT statement, many at a time, so that whatever table takes an INSERT takes a bulk
//! load, with the same conversions, constraints and errors. All of them arrive, or none.

use super::query::value_bytes;
use super::{Frame, Interpreter};
use crate::bulk::BulkRows;
use crate::session::names::Names;
use crate::session::shared::Object;
use tsql::ast::{DmlTarget, Expr, ExprKind, Insert, InsertBulk, InsertSource, Span, Variable};
use tsql::bind::Catalog as _;
use tsql::eval::collate;
use tsql::{Row, SqlError, Value, fault, messages as m};

/// Values of one INSERT statement.
const VALUES_AT_ONCE: usize = 1_000;
/// Rows of one INSERT statement.
const ROWS_AT_ONCE: usize = 100;
/// Bytes of values from which on rows do not wait for others: one INSERT statement has no more than this and a row.
const BYTES_AT_ONCE: u64 = 1024 * 1024;

/// A bulk load that was announced.
pub(crate) struct BulkLoad {
    statement: InsertBulk,
    /// The table's number when an identity column is among the columns: its values are the client's.
    identity_of: Option<u32>,
}

/// Rows that wait for their INSERT statement.
struct Chunk {
    rows: Vec<Row>,
    rows_max: usize,
    /// About how many bytes they take.
    bytes: u64,
}

impl Chunk {
    fn new(rows_max: usize) -> Self {
        Self {
            rows: Vec::with_capacity(rows_max),
            rows_max,
            bytes: 0,
        }
    }

    fn push(&mut self, row: Row) {
        self.bytes += row.iter().map(value_bytes).sum::<u64>();
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.rows_max || self.bytes >= BYTES_AT_ONCE
    }

    /// Moves the values to the first slots and leaves none of an earlier chunk in the others, which would add up.
    fn move_to(&mut self, slots: &mut [Value]) {
        self.bytes = 0;
        let mut values = self.rows.drain(..).flatten();
        for slot in slots {
            *slot = values.next().unwrap_or_default();
        }
    }
}

impl Interpreter<'_> {
    /// `INSERT BULK table (…)`: the next request brings the rows.
    pub(super) fn insert_bulk(&mut self, statement: &InsertBulk) -> Result<(), SqlError> {
        let scope = crate::session::names::Scope::default();
        let names = Names {
            shared: &self.core.shared,
            scope: &scope,
        };
        let line = statement.table.span.line;
        let shape = names
            .table(&statement.table)
            .map_err(|error| error.at_line(line))?;
        for column in &statement.columns {
            let known = shape
                .columns
                .iter()
                .any(|known| collate::same(&known.name, &column.name.text));
            if !known {
                return Err(fault::invalid_column(&column.name.text).at_line(line));
            }
        }
        let identity_of = match self.core.shared.object(shape.key) {
            Some(Object::Own(table)) => table
                .identity
                .and_then(|at| table.columns.get(at))
                .filter(|own| {
                    let mut listed = statement.columns.iter();
                    listed.any(|column| collate::same(&own.column.name, &column.name.text))
                })
                .map(|_| table.key),
            _ => None,
        };
        self.core.bulk = Some(BulkLoad {
            statement: statement.clone(),
            identity_of,
        });
        Ok(())
    }

    /// Inserts the rows that INSERT BULK announced; how many there were.
    pub(crate) fn bulk_load(&mut self, rows: &mut dyn BulkRows) -> Option<u64> {
        let result = match self.core.bulk.take() {
            Some(load) => self.load_all(&load, rows),
            None => Err(m::BULK_NOT_ANNOUNCED.with(&[])),
        };
        let loaded = match result {
            Ok(count) => Some(count),
            Err(error) => {
                // There is no TRY around it, so there is nowhere to go.
                let _ = self.handle(error.into(), 1, &Frame::default(), &mut Vec::new());
                self.outcome.aborted = true;
                None
            }
        };
        self.finish();
        loaded
    }

    fn load_all(&mut self, load: &BulkLoad, rows: &mut dyn BulkRows) -> Result<u64, SqlError> {
        self.writes_tables()?;
        let outer = self.core.identity_insert;
        if load.identity_of.is_some() {
            self.core.identity_insert = load.identity_of;
        }
        let result = self.load_as_one(load, rows);
        self.core.identity_insert = outer;
        result
    }

    /// All rows, or none.
    fn load_as_one(&mut self, load: &BulkLoad, rows: &mut dyn BulkRows) -> Result<u64, SqlError> {
        self.store_text("SAVEPOINT bulk")?;
        let result = self.load_rows(load, rows);
        if result.is_err() {
            self.store_text("ROLLBACK TO bulk")?;
        }
        self.store_text("RELEASE bulk")?;
        result
    }

    fn load_rows(&mut self, load: &BulkLoad, rows: &mut dyn BulkRows) -> Result<u64, SqlError> {
        let columns = rows.columns()?;
        let width = load.statement.columns.len();
        if columns.len() != width || width == 0 {
            let first_odd = columns.len().min(width) + 1;
            return Err(m::BULK_TYPE.with(&[&first_odd.to_string()]));
        }
        let rows_at_once = (VALUES_AT_ONCE / width).clamp(1, ROWS_AT_ONCE);
        let mut frame = Frame::default();
        for number in 0..rows_at_once * width {
            if let Some(column) = columns.get(number % width) {
                frame.declare(&slot_name(number), column.ty, Value::Null);
            }
        }
        let mut count = 0;
        let mut chunk = Chunk::new(rows_at_once);
        // Most chunks are alike: the same statement serves them.
        let mut last: Option<(Vec<bool>, Insert)> = None;
        loop {
            let row = rows.next_row()?;
            let ended = row.is_none();
            if let Some(row) = row {
                chunk.push(row);
            }
            if ended && chunk.rows.is_empty() {
                return Ok(count);
            }
            if !ended && !chunk.is_full() {
                continue;
            }
            let shape: Vec<bool> = chunk
                .rows
                .iter()
                .flatten()
                .map(|value| !load.statement.keep_nulls && value.is_null())
                .collect();
            let insert = match last.take() {
                Some((known, insert)) if known == shape => insert,
                _ => insert_of(&load.statement, &shape, width),
            };
            chunk.move_to(&mut frame.values);
            count += self.insert(&insert, &mut frame)?.unwrap_or(0);
            last = Some((shape, insert));
            if self.cancel.is_cancelled() {
                return Err(m::CANCELLED.with(&[]));
            }
            if self.core.shared.time_is_up() {
                return Err(self.core.shared.time_limit_error());
            }
            if ended {
                return Ok(count);
            }
        }
    }

    fn store_text(&mut self, text: &str) -> Result<(), SqlError> {
        let store = self.core.store(self.cancel)?;
        store
            .db
            .execute_batch(text)
            .map_err(|error| store.error(&error))
    }
}

fn slot_name(number: usize) -> String {
    format!("@bulk{number}")
}

/// `INSERT table (…) VALUES (…), …` over the variables; DEFAULT where `defaults` says so.
fn insert_of(statement: &InsertBulk, defaults: &[bool], width: usize) -> Insert {
    let span = Span::default();
    let expr = |(number, default): (usize, &bool)| Expr {
        span,
        kind: if *default {
            ExprKind::Default
        } else {
            ExprKind::Variable(Variable {
                name: slot_name(number),
                span,
            })
        },
    };
    let values: Vec<Expr> = defaults.iter().enumerate().map(expr).collect();
    Insert {
        with: None,
        top: None,
        target: DmlTarget::Table {
            name: statement.table.clone(),
            hints: Vec::new(),
        },
        columns: statement.columns.iter().map(|c| c.name.clone()).collect(),
        output: Vec::new(),
        source: InsertSource::Values(values.chunks(width).map(<[Expr]>::to_vec).collect()),
        options: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_keep_nothing_of_earlier_chunks() {
        let row = |text: &str| vec![Value::Int(1), Value::string(text)];
        let mut chunk = Chunk::new(2);
        let mut slots = vec![Value::Null; 4];
        chunk.push(row("a"));
        assert!(!chunk.is_full());
        chunk.push(row("b"));
        assert!(chunk.is_full());
        chunk.move_to(&mut slots);
        assert_eq!(slots, [row("a"), row("b")].concat());
        assert!(!chunk.is_full());
        chunk.push(row("c"));
        chunk.move_to(&mut slots);
        assert_eq!(slots, [row("c"), vec![Value::Null; 2]].concat());
    }
}
