//! Functions of dates and times.

use super::Call;
use crate::convert::calendar::{self, Civil};
use crate::convert::{self, MONTHS, Style};
use crate::error::SqlError;
use crate::fault;
use crate::messages as m;
use crate::types::SqlType;
use crate::value::Value;

type Outcome = Result<Value, SqlError>;

pub(super) const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const PER_DAY: i128 = calendar::TICKS_PER_DAY as i128;
const TICKS_PER_MINUTE: i128 = 600_000_000;

// ---- now ----

/// A count of 100 ns units since day 0 as day and time of day.
fn split(total: i128) -> Option<(i32, u64)> {
    Some((
        i32::try_from(total.div_euclid(PER_DAY)).ok()?,
        u64::try_from(total.rem_euclid(PER_DAY)).ok()?,
    ))
}

/// A count of 100 ns units since 1970 as days since 0001-01-01 and 100 ns of the day.
pub(super) fn since_1970(ticks: i128) -> Option<(i32, u64)> {
    split(ticks + i128::from(calendar::DAYS_TO_1970) * PER_DAY)
}

/// The instant as days since 0001-01-01 and 100 ns of the day, shifted by minutes.
fn instant(micros: i64, minutes: i16) -> (i32, u64) {
    let ticks = i128::from(micros) * 10 + i128::from(minutes) * TICKS_PER_MINUTE;
    since_1970(ticks).unwrap_or_default()
}

fn classic((days, ticks): (i32, u64)) -> Value {
    let thirds = calendar::datetime_ticks(ticks);
    let carried = thirds >= calendar::DATETIME_TICKS_PER_DAY;
    Value::DateTime {
        days: days - calendar::DAYS_TO_1900 + i32::from(carried),
        ticks: if carried { 0 } else { thirds },
    }
}

pub(super) fn getdate(call: &Call<'_>) -> Outcome {
    let (micros, offset) = call.env.now();
    Ok(classic(instant(micros, offset)))
}

pub(super) fn getutcdate(call: &Call<'_>) -> Outcome {
    Ok(classic(instant(call.env.now().0, 0)))
}

pub(super) fn sysdatetime(call: &Call<'_>) -> Outcome {
    let (micros, offset) = call.env.now();
    let (days, ticks) = instant(micros, offset);
    Ok(Value::DateTime2 { days, ticks })
}

pub(super) fn sysutcdatetime(call: &Call<'_>) -> Outcome {
    let (days, ticks) = instant(call.env.now().0, 0);
    Ok(Value::DateTime2 { days, ticks })
}

pub(super) fn sysdatetimeoffset(call: &Call<'_>) -> Outcome {
    let (micros, offset_minutes) = call.env.now();
    let (days, ticks) = instant(micros, 0);
    Ok(Value::DateTimeOffset {
        days,
        ticks,
        offset_minutes,
    })
}

// ---- parts ----

/// 9810 for a part that a type does not have.
fn has_part(part: Part, ty: SqlType, call: &Call<'_>) -> Result<(), SqlError> {
    let of_day = matches!(
        part,
        Part::Hour
            | Part::Minute
            | Part::Second
            | Part::Millisecond
            | Part::Microsecond
            | Part::Nanosecond
    );
    let missing = match ty {
        SqlType::Date => of_day || part == Part::Offset,
        SqlType::Time(_) => !of_day,
        SqlType::DateTime | SqlType::SmallDateTime => part == Part::Offset,
        _ => false,
    };
    if missing {
        let function = call.function.name.to_ascii_lowercase();
        let word = call.text(0).unwrap_or_default();
        return Err(m::DATE_PART_NOT_SUPPORTED.with(&[&word, &function, ty.name()]));
    }
    Ok(())
}

/// DATETRUNC: the start of the part that a moment is in.
pub(super) fn date_trunc(call: &Call<'_>) -> Outcome {
    let part = part_of(call)?;
    let ty = call.exprs[1].ty;
    if matches!(part, Part::Nanosecond | Part::Offset | Part::Weekday) {
        let word = call.text(0).unwrap_or_default();
        return Err(m::DATE_PART_NOT_SUPPORTED.with(&[&word, "datetrunc", ty.name()]));
    }
    has_part(part, ty, call)?;
    let Some((days, ticks, offset)) = moment(&call.args[1]) else {
        return Ok(Value::Null);
    };
    let civil = calendar::civil_of(days);
    let first = |year, month| {
        calendar::days_of(Civil {
            year,
            month,
            day: 1,
        })
        .unwrap_or(days)
    };
    let unit = |unit: u64| ticks / unit * unit;
    let (days, ticks) = match part {
        Part::Year => (first(civil.year, 1), 0),
        Part::Quarter => (first(civil.year, (civil.month - 1) / 3 * 3 + 1), 0),
        Part::Month => (first(civil.year, civil.month), 0),
        Part::Week => (days - weekday_from(days, call.env.date_first()) + 1, 0),
        Part::IsoWeek => (days - calendar::weekday(days), 0),
        Part::Hour => (days, unit(36_000_000_000)),
        Part::Minute => (days, unit(600_000_000)),
        Part::Second => (days, unit(10_000_000)),
        Part::Millisecond => (days, unit(10_000)),
        Part::Microsecond => (days, unit(10)),
        Part::Day | Part::DayOfYear | Part::Weekday | Part::Nanosecond | Part::Offset => (days, 0),
    };
    let local = Value::DateTime2 { days, ticks };
    if let Value::DateTimeOffset { .. } = call.args[1] {
        let utc =
            i128::from(days) * PER_DAY + i128::from(ticks) - i128::from(offset) * TICKS_PER_MINUTE;
        return Ok(
            split(utc).map_or(Value::Null, |(days, ticks)| Value::DateTimeOffset {
                days,
                ticks,
                offset_minutes: offset,
            }),
        );
    }
    convert::convert(local, SqlType::DateTime2(7), call.ty, Style::PLAIN)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Quarter,
    Month,
    DayOfYear,
    Day,
    Week,
    IsoWeek,
    Weekday,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Offset,
}

fn part_named(name: &str) -> Option<Part> {
    Some(match name.to_ascii_lowercase().as_str() {
        "year" | "yy" | "yyyy" => Part::Year,
        "quarter" | "qq" | "q" => Part::Quarter,
        "month" | "mm" | "m" => Part::Month,
        "dayofyear" | "dy" | "y" => Part::DayOfYear,
        "day" | "dd" | "d" => Part::Day,
        "week" | "wk" | "ww" => Part::Week,
        "iso_week" | "isowk" | "isoww" => Part::IsoWeek,
        "weekday" | "dw" | "w" => Part::Weekday,
        "hour" | "hh" => Part::Hour,
        "minute" | "mi" | "n" => Part::Minute,
        "second" | "ss" | "s" => Part::Second,
        "millisecond" | "ms" => Part::Millisecond,
        "microsecond" | "mcs" => Part::Microsecond,
        "nanosecond" | "ns" => Part::Nanosecond,
        "tzoffset" | "tz" => Part::Offset,
        _ => return None,
    })
}

/// The full name of a date part; `None` for a word that names none.
pub(crate) fn part_name(name: &str) -> Option<&'static str> {
    Some(match part_named(name)? {
        Part::Year => "year",
        Part::Quarter => "quarter",
        Part::Month => "month",
        Part::DayOfYear => "dayofyear",
        Part::Day => "day",
        Part::Week => "week",
        Part::IsoWeek => "iso_week",
        Part::Weekday => "weekday",
        Part::Hour => "hour",
        Part::Minute => "minute",
        Part::Second => "second",
        Part::Millisecond => "millisecond",
        Part::Microsecond => "microsecond",
        Part::Nanosecond => "nanosecond",
        Part::Offset => "tzoffset",
    })
}

fn part_of(call: &Call<'_>) -> Result<Part, SqlError> {
    let name = call.text(0).unwrap_or_default();
    part_named(&name)
        .ok_or_else(|| m::BAD_DATE_PART.with(&[&name, &call.function.name.to_ascii_lowercase()]))
}

/// A moment in local terms: day, 100 ns of it, offset where it has one.
pub(super) fn moment(value: &Value) -> Option<(i32, u64, i16)> {
    Some(match value {
        Value::Date(days) => (*days, 0, 0),
        Value::Time(ticks) => (calendar::DAYS_TO_1900, *ticks, 0),
        Value::DateTime { days, ticks } => (
            days + calendar::DAYS_TO_1900,
            calendar::ticks_of_datetime(*ticks),
            0,
        ),
        Value::DateTime2 { days, ticks } => (*days, *ticks, 0),
        Value::DateTimeOffset {
            days,
            ticks,
            offset_minutes,
        } => {
            let local = i128::from(*days) * PER_DAY
                + i128::from(*ticks)
                + i128::from(*offset_minutes) * TICKS_PER_MINUTE;
            let (days, ticks) = split(local)?;
            (days, ticks, *offset_minutes)
        }
        _ => return None,
    })
}

fn value_of(part: Part, (days, ticks, offset): (i32, u64, i16), first: u8) -> i64 {
    let civil = calendar::civil_of(days);
    let start = |year| {
        let new_year = Civil {
            year,
            month: 1,
            day: 1,
        };
        calendar::days_of(new_year).unwrap_or(0)
    };
    let ticks = i64::try_from(ticks).unwrap_or(0);
    let seconds = ticks / 10_000_000;
    match part {
        Part::Year => i64::from(civil.year),
        Part::Quarter => i64::from(civil.month.div_ceil(3)),
        Part::Month => i64::from(civil.month),
        Part::DayOfYear => i64::from(days - start(civil.year) + 1),
        Part::Day => i64::from(civil.day),
        Part::Week => {
            let january = weekday_from(start(civil.year), first);
            i64::from((days - start(civil.year) + january - 1) / 7 + 1)
        }
        Part::IsoWeek => {
            // The week of a day is that of its Thursday.
            let thursday = days - calendar::weekday(days) + 3;
            let year = calendar::civil_of(thursday).year;
            i64::from((thursday - start(year)) / 7 + 1)
        }
        Part::Weekday => i64::from(weekday_from(days, first)),
        Part::Hour => seconds / 3600,
        Part::Minute => seconds / 60 % 60,
        Part::Second => seconds % 60,
        Part::Millisecond => ticks % 10_000_000 / 10_000,
        Part::Microsecond => ticks % 10_000_000 / 10,
        Part::Nanosecond => ticks % 10_000_000 * 100,
        Part::Offset => i64::from(offset),
    }
}

/// Day of the week from 1, when `first` (1 Monday .. 7 Sunday) is day 1.
fn weekday_from(days: i32, first: u8) -> i32 {
    (calendar::weekday(days) - (i32::from(first) - 1)).rem_euclid(7) + 1
}

fn int(n: i64) -> Value {
    i32::try_from(n).map_or(Value::BigInt(n), Value::Int)
}

pub(super) fn date_part(call: &Call<'_>) -> Outcome {
    let part = part_of(call)?;
    has_part(part, call.exprs[1].ty, call)?;
    Ok(moment(&call.args[1]).map_or(Value::Null, |at| {
        int(value_of(part, at, call.env.date_first()))
    }))
}

pub(super) fn date_name(call: &Call<'_>) -> Outcome {
    let part = part_of(call)?;
    has_part(part, call.exprs[1].ty, call)?;
    let Some(at) = moment(&call.args[1]) else {
        return Ok(Value::Null);
    };
    let name = |names: &[&str], index: i64| {
        let found = usize::try_from(index).ok().and_then(|at| names.get(at));
        found.copied().unwrap_or_default().to_owned()
    };
    Ok(Value::String(match part {
        Part::Month => name(&MONTHS, value_of(Part::Month, at, 7) - 1),
        Part::Weekday => name(&DAYS, i64::from(calendar::weekday(at.0))),
        Part::Offset => {
            let sign = if at.2 < 0 { '-' } else { '+' };
            let minutes = at.2.unsigned_abs();
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
        other => value_of(other, at, call.env.date_first()).to_string(),
    }))
}

fn single(call: &Call<'_>, part: Part) -> Outcome {
    Ok(moment(&call.args[0]).map_or(Value::Null, |at| int(value_of(part, at, 7))))
}

pub(super) fn day(call: &Call<'_>) -> Outcome {
    single(call, Part::Day)
}

pub(super) fn month(call: &Call<'_>) -> Outcome {
    single(call, Part::Month)
}

pub(super) fn year(call: &Call<'_>) -> Outcome {
    single(call, Part::Year)
}

// ---- arithmetic ----

/// 100 ns units of a part of fixed length.
const fn ticks_of(part: Part) -> Option<i128> {
    Some(match part {
        Part::Week | Part::IsoWeek => 7 * PER_DAY,
        Part::Day | Part::DayOfYear | Part::Weekday => PER_DAY,
        Part::Hour => 36_000_000_000,
        Part::Minute => TICKS_PER_MINUTE,
        Part::Second => 10_000_000,
        Part::Millisecond => 10_000,
        Part::Microsecond => 10,
        Part::Year | Part::Quarter | Part::Month | Part::Nanosecond | Part::Offset => return None,
    })
}

/// A date moved by months; the last day of a shorter month where its day is missing.
fn add_months(days: i32, months: i64) -> Option<i32> {
    let civil = calendar::civil_of(days);
    let total = i64::from(civil.year) * 12 + i64::from(civil.month) - 1 + months;
    let year = i32::try_from(total.div_euclid(12)).ok()?;
    let month = u32::try_from(total.rem_euclid(12) + 1).ok()?;
    let day = civil.day.min(calendar::days_in_month(year, month));
    calendar::days_of(Civil { year, month, day })
}

pub(super) fn date_add(call: &Call<'_>) -> Outcome {
    let part = part_of(call)?;
    let Some(count) = call.int(1) else {
        return Ok(Value::Null);
    };
    let value = &call.args[2];
    let overflow = || fault::date_overflow(call.ty);
    let refused = || {
        let part = call.text(0).unwrap_or_default().to_ascii_lowercase();
        m::DATE_PART_NOT_SUPPORTED.with(&[&part, "dateadd", call.ty.name()])
    };
    if i32::try_from(count).is_err() {
        return Err(fault::overflow_converting("expression", SqlType::Int));
    }
    // Day and time of day in `unit` parts of 100 ns, so that datetime keeps its thirds of a millisecond.
    let (days, ticks, unit): (i32, i128, i128) = match value {
        Value::Null => return Ok(Value::Null),
        Value::DateTime { days, ticks } => (
            days + calendar::DAYS_TO_1900,
            i128::from(*ticks) * 100_000,
            3,
        ),
        Value::Date(days) => (*days, 0, 1),
        Value::Time(ticks) => (0, i128::from(*ticks), 1),
        Value::DateTime2 { days, ticks } | Value::DateTimeOffset { days, ticks, .. } => {
            (*days, i128::from(*ticks), 1)
        }
        _ => return Err(fault::internal("DATEADD of no date")),
    };
    let timed = !matches!(value, Value::Date(_));
    let dated = !matches!(value, Value::Time(_));
    let months = match part {
        Part::Year => Some(count * 12),
        Part::Quarter => Some(count * 3),
        Part::Month => Some(count),
        _ => None,
    };
    let (days, ticks) = if let Some(months) = months {
        if !dated {
            return Err(refused());
        }
        (add_months(days, months).ok_or_else(overflow)?, ticks)
    } else {
        let step = if part == Part::Nanosecond {
            i128::from(count) * unit / 100
        } else {
            let size = ticks_of(part).ok_or_else(refused)?;
            if !timed && size < PER_DAY || !dated && size >= PER_DAY {
                return Err(refused());
            }
            i128::from(count) * size * unit
        };
        let total = ticks + step;
        let moved = i128::from(days) + total.div_euclid(PER_DAY * unit);
        let days = i32::try_from(moved).map_err(|_| overflow())?;
        (days, total.rem_euclid(PER_DAY * unit))
    };
    let least = if unit == 3 {
        calendar::FIRST_DATETIME_DAY
    } else {
        0
    };
    if dated && !(least..=calendar::LAST_DAY).contains(&days) {
        return Err(overflow());
    }
    let plain = u64::try_from(ticks / unit).unwrap_or(0);
    Ok(match value {
        Value::DateTime { .. } => {
            let thirds = u32::try_from((ticks + 50_000) / 100_000).unwrap_or(0);
            let carried = thirds >= calendar::DATETIME_TICKS_PER_DAY;
            Value::DateTime {
                days: days - calendar::DAYS_TO_1900 + i32::from(carried),
                ticks: if carried { 0 } else { thirds },
            }
        }
        Value::Date(_) => Value::Date(days),
        Value::Time(_) => Value::Time(plain),
        Value::DateTimeOffset { offset_minutes, .. } => Value::DateTimeOffset {
            days,
            ticks: plain,
            offset_minutes: *offset_minutes,
        },
        _ => Value::DateTime2 { days, ticks: plain },
    })
}

pub(super) fn date_diff(call: &Call<'_>) -> Outcome {
    let part = part_of(call)?;
    let (Some(a), Some(b)) = (moment(&call.args[1]), moment(&call.args[2])) else {
        return Ok(Value::Null);
    };
    let total = |(days, ticks, _): (i32, u64, i16)| i128::from(days) * PER_DAY + i128::from(ticks);
    // Boundaries crossed: each moment's number of whole parts since day 0.
    let index = |at: (i32, u64, i16)| {
        let civil = calendar::civil_of(at.0);
        let months = i128::from(civil.year) * 12 + i128::from(civil.month) - 1;
        match part {
            Part::Year => Some(months.div_euclid(12)),
            Part::Quarter => Some(months.div_euclid(3)),
            Part::Month => Some(months),
            // Weeks start on Sunday whatever DATEFIRST says.
            Part::Week | Part::IsoWeek => Some(i128::from(at.0 + 1).div_euclid(7)),
            Part::Nanosecond => Some(total(at) * 100),
            other => ticks_of(other).map(|unit| total(at).div_euclid(unit)),
        }
    };
    let name = call.function.name.to_ascii_lowercase();
    let (Some(from), Some(to)) = (index(a), index(b)) else {
        return Err(m::DATE_PART_NOT_SUPPORTED.with(&["tzoffset", &name, "datetimeoffset"]));
    };
    let overflow = || m::DATEDIFF_OVERFLOW.with(&[&name, &name]);
    if call.ty == SqlType::BigInt {
        let count = i64::try_from(to - from).map_err(|_| overflow())?;
        Ok(Value::BigInt(count))
    } else {
        let count = i32::try_from(to - from).map_err(|_| overflow())?;
        Ok(Value::Int(count))
    }
}

pub(super) fn eomonth(call: &Call<'_>) -> Outcome {
    let Some((days, _, _)) = moment(&call.args[0]) else {
        return Ok(Value::Null);
    };
    let moved = add_months(days, call.int(1).unwrap_or(0));
    let civil = calendar::civil_of(moved.ok_or_else(|| fault::date_overflow(call.ty))?);
    let last = Civil {
        day: calendar::days_in_month(civil.year, civil.month),
        ..civil
    };
    calendar::days_of(last)
        .map(Value::Date)
        .ok_or_else(|| fault::date_overflow(call.ty))
}

pub(super) fn is_date(call: &Call<'_>) -> Outcome {
    let good = match &call.args[0] {
        Value::String(text) => {
            let style = Style {
                order: call.env.date_order(),
                ..Style::PLAIN
            };
            let value = Value::string(text.as_str());
            let from = SqlType::varchar(8000);
            !text.trim().is_empty()
                && convert::convert(value, from, SqlType::DateTime, style).is_ok()
        }
        Value::DateTime { .. } => true,
        _ => false,
    };
    Ok(Value::Int(i32::from(good)))
}

// ---- from parts ----

fn parts_error(ty: SqlType) -> SqlError {
    SqlError::new(
        289,
        16,
        format!(
            "Cannot construct data type {}, some of the arguments have values which are not valid.",
            ty.name()
        ),
    )
}

fn day_from(call: &Call<'_>) -> Result<i32, SqlError> {
    let part = |at| call.int(at).and_then(|n| u32::try_from(n).ok());
    let year = call.int(0).and_then(|n| i32::try_from(n).ok());
    year.zip(part(1))
        .zip(part(2))
        .and_then(|((year, month), day)| calendar::days_of(Civil { year, month, day }))
        .ok_or_else(|| parts_error(call.ty))
}

/// Hour, minute, second from an argument on, and a fraction in `unit` ticks.
fn time_from(call: &Call<'_>, at: usize, unit: u64) -> Result<u64, SqlError> {
    let part = |at: usize, most: u64| {
        call.int(at)
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| *n <= most)
            .ok_or_else(|| parts_error(call.ty))
    };
    let seconds = part(at, 23)? * 3600 + part(at + 1, 59)? * 60 + part(at + 2, 59)?;
    let fraction = part(at + 3, (calendar::TICKS_PER_SECOND - 1) / unit)?;
    Ok(seconds * calendar::TICKS_PER_SECOND + fraction * unit)
}

fn fraction_unit(call: &Call<'_>, at: usize) -> u64 {
    let digits = call.int(at).and_then(|n| u32::try_from(n).ok());
    10_u64.pow(7 - digits.unwrap_or(7).min(7))
}

pub(super) fn date_from_parts(call: &Call<'_>) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    day_from(call).map(Value::Date)
}

pub(super) fn datetime_from_parts(call: &Call<'_>) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    Ok(classic((day_from(call)?, time_from(call, 3, 10_000)?)))
}

pub(super) fn datetime2_from_parts(call: &Call<'_>) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    Ok(Value::DateTime2 {
        days: day_from(call)?,
        ticks: time_from(call, 3, fraction_unit(call, 7))?,
    })
}

pub(super) fn smalldatetime_from_parts(call: &Call<'_>) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    let part = |at: usize, most: u64| {
        call.int(at)
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| *n <= most)
            .ok_or_else(|| parts_error(call.ty))
    };
    let minutes = part(3, 23)? * 60 + part(4, 59)?;
    let local = Value::DateTime2 {
        days: day_from(call)?,
        ticks: minutes * 60 * calendar::TICKS_PER_SECOND,
    };
    convert::convert(local, SqlType::DateTime2(7), call.ty, Style::PLAIN)
        .map_err(|_| parts_error(call.ty))
}

pub(super) fn datetimeoffset_from_parts(call: &Call<'_>) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    let (hours, minutes) = (call.int(7).unwrap_or(0), call.int(8).unwrap_or(0));
    let offset = i16::try_from(hours.saturating_mul(60).saturating_add(minutes))
        .ok()
        .filter(|offset| offset.unsigned_abs() <= 14 * 60)
        .filter(|_| {
            minutes.abs() < 60 && (hours == 0 || minutes == 0 || (hours < 0) == (minutes < 0))
        })
        .ok_or_else(|| parts_error(call.ty))?;
    let ticks = time_from(call, 3, fraction_unit(call, 9))?;
    let local = i128::from(day_from(call)?) * PER_DAY + i128::from(ticks);
    let (days, ticks) =
        split(local - i128::from(offset) * TICKS_PER_MINUTE).ok_or_else(|| parts_error(call.ty))?;
    Ok(Value::DateTimeOffset {
        days,
        ticks,
        offset_minutes: offset,
    })
}

/// DATE_BUCKET: the start of the bucket, of `width` parts counted from the origin, that a moment is in.
pub(super) fn date_bucket(call: &Call<'_>) -> Outcome {
    let part = part_of(call)?;
    let ty = call.exprs[2].ty;
    let refused = || {
        let word = call.text(0).unwrap_or_default();
        m::DATE_PART_NOT_SUPPORTED.with(&[&word, "date_bucket", ty.name()])
    };
    has_part(part, ty, call)?;
    let Some(width) = call.int(1) else {
        return Ok(Value::Null);
    };
    if width <= 0 {
        return Err(SqlError::new(
            9834,
            16,
            "Invalid bucket width value passed to date_bucket function. Only positive values are allowed.",
        ));
    }
    let (Some(at), origin) = (moment(&call.args[2]), call.args.get(3)) else {
        return Ok(Value::Null);
    };
    let origin = match origin.map(moment) {
        None => (calendar::DAYS_TO_1900, 0, 0),
        Some(None) => return Ok(Value::Null),
        Some(Some(origin)) => origin,
    };
    let months = |(days, ..): (i32, u64, i16)| {
        let civil = calendar::civil_of(days);
        i64::from(civil.year) * 12 + i64::from(civil.month) - 1
    };
    let in_months = match part {
        Part::Year => Some(12),
        Part::Quarter => Some(3),
        Part::Month => Some(1),
        _ => None,
    };
    let overflow = || fault::date_overflow(ty);
    let (days, ticks) = if let Some(unit) = in_months {
        let size = width.checked_mul(unit).ok_or_else(overflow)?;
        let start = |n: i64| add_months(origin.0, n).map(|days| (days, origin.1));
        let mut moved = (months(at) - months(origin)).div_euclid(size) * size;
        let mut found = start(moved).ok_or_else(overflow)?;
        if found > (at.0, at.1) {
            moved -= size;
            found = start(moved).ok_or_else(overflow)?;
        }
        found
    } else {
        let unit = ticks_of(part).filter(|_| part != Part::Weekday && part != Part::IsoWeek);
        let size = unit.ok_or_else(refused)? * i128::from(width);
        let total =
            |(days, ticks, _): (i32, u64, i16)| i128::from(days) * PER_DAY + i128::from(ticks);
        let from = total(origin);
        let start = from + (total(at) - from).div_euclid(size) * size;
        split(start).ok_or_else(overflow)?
    };
    if let Value::DateTimeOffset { .. } = call.args[2] {
        let utc =
            i128::from(days) * PER_DAY + i128::from(ticks) - i128::from(at.2) * TICKS_PER_MINUTE;
        let (days, ticks) = split(utc).ok_or_else(overflow)?;
        return Ok(Value::DateTimeOffset {
            days,
            ticks,
            offset_minutes: at.2,
        });
    }
    let local = Value::DateTime2 { days, ticks };
    convert::convert(local, SqlType::DateTime2(7), call.ty, Style::PLAIN)
}

pub(super) fn time_from_parts(call: &Call<'_>) -> Outcome {
    if call.has_null() {
        return Ok(Value::Null);
    }
    time_from(call, 0, fraction_unit(call, 4)).map(Value::Time)
}

// ---- offsets ----

/// `+hh:mm` or a number of minutes.
fn offset_of(call: &Call<'_>, at: usize) -> Result<Option<i16>, SqlError> {
    let bad = || {
        SqlError::new(
            9812,
            16,
            "The timezone provided to builtin function is invalid.",
        )
    };
    let minutes = match &call.args[at] {
        Value::Null => return Ok(None),
        Value::String(text) => {
            let (sign, rest) = match text.trim().split_at_checked(1) {
                Some(("+", rest)) => (1, rest),
                Some(("-", rest)) => (-1, rest),
                _ => return Err(bad()),
            };
            let (hours, minutes) = rest.split_once(':').ok_or_else(bad)?;
            let hours: i16 = hours.parse().map_err(|_| bad())?;
            let minutes: i16 = minutes.parse().map_err(|_| bad())?;
            i64::from(sign) * (i64::from(hours) * 60 + i64::from(minutes))
        }
        other => other.as_i64().ok_or_else(bad)?,
    };
    i16::try_from(minutes)
        .ok()
        .filter(|m| (-840..=840).contains(m))
        .map(Some)
        .ok_or_else(bad)
}

pub(super) fn switch_offset(call: &Call<'_>) -> Outcome {
    let value = convert::convert(
        call.args[0].clone(),
        call.exprs[0].ty,
        SqlType::DateTimeOffset(7),
        Style::PLAIN,
    )?;
    Ok(match (value, offset_of(call, 1)?) {
        (Value::DateTimeOffset { days, ticks, .. }, Some(offset_minutes)) => {
            Value::DateTimeOffset {
                days,
                ticks,
                offset_minutes,
            }
        }
        _ => Value::Null,
    })
}

pub(super) fn to_datetime_offset(call: &Call<'_>) -> Outcome {
    let (Some((days, ticks, _)), Some(offset_minutes)) =
        (moment(&call.args[0]), offset_of(call, 1)?)
    else {
        return Ok(Value::Null);
    };
    let total = i128::from(days) * PER_DAY + i128::from(ticks)
        - i128::from(offset_minutes) * TICKS_PER_MINUTE;
    let (days, ticks) = split(total).ok_or_else(|| fault::date_overflow(call.ty))?;
    Ok(Value::DateTimeOffset {
        days,
        ticks,
        offset_minutes,
    })
}
