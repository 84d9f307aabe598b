//! Aggregates that SQLite lacks, over groups and over windows.

use super::encode::{unwide, wide};
use super::functions::raise;
use crate::session::shared::Shared;
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::{Value as Sqlite, ValueRef};
use rusqlite::{Connection, Result};
use std::cmp::Ordering;
use std::sync::Arc;
use tsql::bind::ir::Collation;
use tsql::convert::rescale;
use tsql::eval::collate;
use tsql::{SqlError, SqlType, fault, messages};

/// Most rows of one partition of PERCENTILE_CONT and PERCENTILE_DISC.
const PERCENTILE_ROWS_MAX: usize = 1_000_000;

pub(super) fn register(db: &Connection, shared: &Arc<Shared>, flags: FunctionFlags) -> Result<()> {
    db.create_aggregate_function("single", 1, flags, Single(Arc::clone(shared)))?;
    db.create_window_function("dsum", 1, flags, DecimalSum(Arc::clone(shared)))?;
    let state = Arc::clone(shared);
    db.create_scalar_function("davg", 4, flags, move |context| {
        average(context).map_err(|error| raise(&state, error))
    })?;
    for kind in [
        Spread::VAR,
        Spread::VAR_POPULATION,
        Spread::DEVIATION,
        Spread::DEVIATION_POPULATION,
    ] {
        db.create_window_function(kind.name, 1, flags, kind)?;
    }
    db.create_window_function("percentile", 4, flags, Percentile(Arc::clone(shared)))
}

/// The one value of a subquery; 512 when there are several.
struct Single(Arc<Shared>);

impl Aggregate<Option<Sqlite>, Option<Sqlite>> for Single {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Sqlite>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Option<Sqlite>) -> Result<()> {
        if state.is_some() {
            return Err(raise(&self.0, fault::subquery_rows()));
        }
        *state = Some(context.get(0)?);
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        state: Option<Option<Sqlite>>,
    ) -> Result<Option<Sqlite>> {
        Ok(state.flatten())
    }
}

fn digits(raw: ValueRef<'_>) -> Option<i128> {
    match raw {
        ValueRef::Integer(v) => Some(i128::from(v)),
        ValueRef::Blob(bytes) => unwide(bytes),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) => None,
    }
}

fn overflow() -> SqlError {
    let ty = SqlType::Numeric {
        precision: 38,
        scale: 0,
    };
    fault::overflow_converting("expression", ty)
}

/// Sum and count of decimals.
type Total = (i128, i64);

struct DecimalSum(Arc<Shared>);

impl DecimalSum {
    fn add(&self, raw: ValueRef<'_>, state: &mut Total, sign: i64) -> Result<()> {
        if let Some(value) = digits(raw) {
            state.0 = value
                .checked_mul(i128::from(sign))
                .and_then(|value| state.0.checked_add(value))
                .ok_or_else(|| raise(&self.0, overflow()))?;
            state.1 += sign;
        }
        Ok(())
    }
}

fn total((sum, count): Total) -> Option<Vec<u8>> {
    (count > 0).then(|| wide(sum).to_vec())
}

impl Aggregate<Total, Option<Vec<u8>>> for DecimalSum {
    fn init(&self, _: &mut Context<'_>) -> Result<Total> {
        Ok((0, 0))
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Total) -> Result<()> {
        self.add(context.get_raw(0), state, 1)
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<Total>) -> Result<Option<Vec<u8>>> {
        Ok(state.and_then(total))
    }
}

impl WindowAggregate<Total, Option<Vec<u8>>> for DecimalSum {
    fn value(&self, state: Option<&mut Total>) -> Result<Option<Vec<u8>>> {
        Ok(state.copied().and_then(total))
    }

    fn inverse(&self, context: &mut Context<'_>, state: &mut Total) -> Result<()> {
        self.add(context.get_raw(0), state, -1)
    }
}

/// `davg(sum, count, scale of the sum, scale of the result)`
fn average(context: &Context<'_>) -> std::result::Result<Option<Vec<u8>>, SqlError> {
    let bad = |_| fault::internal("an average of what is no number");
    let (Some(sum), count) = (digits(context.get_raw(0)), context.get::<i64>(1)) else {
        return Ok(None);
    };
    let (count, from, to) = (
        count.map_err(bad)?,
        context.get(2).map_err(bad)?,
        context.get(3).map_err(bad)?,
    );
    if count == 0 {
        return Ok(None);
    }
    let scaled = rescale(sum, from, to).ok_or_else(overflow)?;
    Ok(Some(wide(scaled / i128::from(count)).to_vec()))
}

/// VAR, STDEV and kin, by Welford's method.
#[derive(Debug, Clone, Copy)]
struct Spread {
    name: &'static str,
    /// Of a sample rather than the whole population.
    sample: bool,
    root: bool,
}

impl Spread {
    const VAR: Self = Self {
        name: "var",
        sample: true,
        root: false,
    };
    const VAR_POPULATION: Self = Self {
        name: "varp",
        sample: false,
        root: false,
    };
    const DEVIATION: Self = Self {
        name: "stdev",
        sample: true,
        root: true,
    };
    const DEVIATION_POPULATION: Self = Self {
        name: "stdevp",
        sample: false,
        root: true,
    };

    fn result(self, state: &Moments) -> Option<f64> {
        let divisor = if self.sample {
            state.count - 1.0
        } else {
            state.count
        };
        (divisor > 0.0).then(|| {
            // Rows that left the window may leave a rounding error below zero behind.
            let variance = (state.squares / divisor).max(0.0);
            if self.root { variance.sqrt() } else { variance }
        })
    }
}

#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Aggregate<Moments, Option<f64>> for Spread {
    fn init(&self, _: &mut Context<'_>) -> Result<Moments> {
        Ok(Moments::default())
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Moments) -> Result<()> {
        if let Some(value) = context.get::<Option<f64>>(0)? {
            state.count += 1.0;
            let delta = value - state.mean;
            state.mean += delta / state.count;
            state.squares += delta * (value - state.mean);
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<Moments>) -> Result<Option<f64>> {
        Ok(state.and_then(|state| self.result(&state)))
    }
}

impl WindowAggregate<Moments, Option<f64>> for Spread {
    fn value(&self, state: Option<&mut Moments>) -> Result<Option<f64>> {
        Ok(state.and_then(|state| self.result(state)))
    }

    fn inverse(&self, context: &mut Context<'_>, state: &mut Moments) -> Result<()> {
        let Some(value) = context.get::<Option<f64>>(0)? else {
            return Ok(());
        };
        if state.count <= 1.0 {
            *state = Moments::default();
            return Ok(());
        }
        let delta = value - state.mean;
        state.count -= 1.0;
        state.mean -= delta / state.count;
        state.squares -= delta * (value - state.mean);
        Ok(())
    }
}

/// `percentile(x, share, continuous, descending)`, over whole partitions.
struct Percentile(Arc<Shared>);

#[derive(Default)]
struct Sorted {
    values: Vec<Sqlite>,
    share: f64,
    continuous: bool,
    descending: bool,
}

impl Sorted {
    fn result(&mut self) -> Option<Sqlite> {
        self.values.sort_by(order);
        if self.descending {
            self.values.reverse();
        }
        let last = self.values.len().checked_sub(1)?;
        if !self.continuous {
            // The first whose share of the rows up to it is enough.
            let count = as_float(last) + 1.0;
            let at = (self.share * count).ceil() - 1.0;
            return self.values.get(as_index(at).min(last)).cloned();
        }
        let place = self.share * as_float(last);
        let (low, high) = (as_index(place.floor()), as_index(place.ceil()));
        let (Sqlite::Real(low), Sqlite::Real(high)) =
            (self.values.get(low)?, self.values.get(high)?)
        else {
            return None;
        };
        Some(Sqlite::Real(low + (high - low) * place.fract()))
    }
}

#[expect(clippy::cast_precision_loss, reason = "bounded by PERCENTILE_ROWS_MAX")]
fn as_float(n: usize) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float beyond the bounds becomes the nearest bound"
)]
fn as_index(x: f64) -> usize {
    x as usize
}

fn order(a: &Sqlite, b: &Sqlite) -> Ordering {
    match (a, b) {
        (Sqlite::Integer(a), Sqlite::Integer(b)) => a.cmp(b),
        (Sqlite::Real(a), Sqlite::Real(b)) => a.total_cmp(b),
        (Sqlite::Blob(a), Sqlite::Blob(b)) => a.cmp(b),
        (Sqlite::Text(a), Sqlite::Text(b)) => collate::compare(a, b, Collation::CaseInsensitive),
        // Wide and narrow decimals never meet: a column has one encoding.
        _ => Ordering::Equal,
    }
}

impl Aggregate<Sorted, Option<Sqlite>> for Percentile {
    fn init(&self, _: &mut Context<'_>) -> Result<Sorted> {
        Ok(Sorted::default())
    }

    fn step(&self, context: &mut Context<'_>, state: &mut Sorted) -> Result<()> {
        (state.share, state.continuous, state.descending) =
            (context.get(1)?, context.get(2)?, context.get(3)?);
        let value: Sqlite = context.get(0)?;
        if value == Sqlite::Null {
            return Ok(());
        }
        if state.values.len() >= PERCENTILE_ROWS_MAX {
            let error = messages::MEMORY_LIMIT.with(&["default"]);
            return Err(raise(&self.0, error));
        }
        state.values.push(value);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<Sorted>) -> Result<Option<Sqlite>> {
        Ok(state.and_then(|mut state| state.result()))
    }
}

impl WindowAggregate<Sorted, Option<Sqlite>> for Percentile {
    fn value(&self, state: Option<&mut Sorted>) -> Result<Option<Sqlite>> {
        Ok(state.and_then(Sorted::result))
    }

    fn inverse(&self, _: &mut Context<'_>, _: &mut Sorted) -> Result<()> {
        // Its window is the whole partition: no row ever leaves.
        Err(raise(
            &self.0,
            fault::internal("a row left a whole partition"),
        ))
    }
}
