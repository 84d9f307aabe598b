//! Between the catalog's instants and 64-bit keys and msdb's local dates, times and ints.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use model::encoding::{date_from_int, duration_to_int, moment_to_ints, time_from_int};
use tsql::Value;
use uuid::Uuid;

/// Days of `datetime` count from here.
const DATETIME_EPOCH: Date = Date::constant(1900, 1, 1);
/// 1/300 s of a day.
const TICKS_PER_DAY: u32 = 25_920_000;

/// A 64-bit key in an `int` column; what doesn't fit shows as the largest int.
pub(crate) fn int(value: i64) -> Value {
    Value::Int(i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX }))
}

/// A small number in a `tinyint` column.
pub(crate) fn tinyint(value: i32) -> Value {
    Value::TinyInt(u8::try_from(value.clamp(0, 255)).unwrap_or(0))
}

/// A flag in a `tinyint` column.
pub(crate) fn flag(value: bool) -> Value {
    Value::TinyInt(u8::from(value))
}

/// A flag in an `int` column.
pub(crate) fn flag_int(value: bool) -> Value {
    Value::Int(i32::from(value))
}

/// A history id in an `int` column: its low 31 bits, so that it stays positive and ascends until 2^31 rows
/// were written, and begins again at 0 then.
pub(crate) fn history_int(id: i64) -> i32 {
    i32::try_from(id & 0x7fff_ffff).expect("31 bits fit an int")
}

/// An instant as `datetime` in a time zone.
pub(crate) fn datetime(instant: Timestamp, zone: &TimeZone) -> Value {
    civil(zone.to_datetime(instant))
}

/// An instant as `datetimeoffset` in a time zone.
pub(crate) fn datetimeoffset(instant: Timestamp, zone: &TimeZone) -> Value {
    const FIRST: Date = Date::constant(1, 1, 1);
    let utc = TimeZone::UTC.to_datetime(instant);
    let days = utc.date().duration_since(FIRST).as_hours() / 24;
    let nanos = utc.time().duration_since(Time::midnight()).as_nanos();
    let minutes = zone.to_offset(instant).seconds() / 60;
    Value::DateTimeOffset {
        days: i32::try_from(days).unwrap_or(0),
        ticks: u64::try_from(nanos / 100).unwrap_or(0),
        offset_minutes: i16::try_from(minutes).unwrap_or(0),
    }
}

/// As [`datetime`], NULL for none.
pub(crate) fn datetime_or_null(instant: Option<Timestamp>, zone: &TimeZone) -> Value {
    instant.map_or(Value::Null, |instant| datetime(instant, zone))
}

/// An instant as `datetime` at a fixed number of minutes east of UTC.
pub(crate) fn datetime_at_offset(instant: Timestamp, minutes: i32) -> Value {
    civil(offset(minutes).to_datetime(instant))
}

/// A local date and time as `datetime`.
pub(crate) fn civil(moment: DateTime) -> Value {
    let mut days = moment.date().duration_since(DATETIME_EPOCH).as_hours() / 24;
    let nanos = moment.time().duration_since(Time::midnight()).as_nanos();
    let mut ticks = u32::try_from((nanos * 300 + 500_000_000) / 1_000_000_000).unwrap_or(0);
    if ticks >= TICKS_PER_DAY {
        ticks -= TICKS_PER_DAY;
        days += 1;
    }
    Value::DateTime {
        days: i32::try_from(days).unwrap_or(0),
        ticks,
    }
}

/// A `datetime` value as local date and time; `None` for other values and beyond year 9999.
pub(crate) fn from_datetime(value: &Value) -> Option<DateTime> {
    let Value::DateTime { days, ticks } = value else {
        return None;
    };
    let nanos = i64::from(*ticks) * 1_000_000_000 / 300;
    DATETIME_EPOCH
        .to_datetime(Time::midnight())
        .checked_add(SignedDuration::from_hours(i64::from(*days) * 24))
        .ok()?
        .checked_add(SignedDuration::from_nanos(nanos))
        .ok()
}

/// A local date and time as an instant: the earlier one where autumn repeats it.
pub(crate) fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_timestamp(local).ok()
}

/// An instant as (YYYYMMDD, HHMMSS) in a time zone.
pub(crate) fn ints(instant: Timestamp, zone: &TimeZone) -> (i32, i32) {
    moment_to_ints(zone.to_datetime(instant))
}

/// An instant as (YYYYMMDD, HHMMSS) in a time zone; (0, 0) for never.
pub(crate) fn ints_or_zero(instant: Option<Timestamp>, zone: &TimeZone) -> (i32, i32) {
    instant.map_or((0, 0), |instant| ints(instant, zone))
}

/// An instant as (YYYYMMDD, HHMMSS) where it was recorded, so many minutes east of UTC.
pub(crate) fn ints_at_offset(instant: Timestamp, minutes: i16) -> (i32, i32) {
    moment_to_ints(offset(minutes.into()).to_datetime(instant))
}

/// Milliseconds as HHMMSS, whole seconds.
pub(crate) fn duration_int(milliseconds: u64) -> i32 {
    duration_to_int(milliseconds / 1_000)
}

/// HHMMSS with any number of hours as milliseconds; `None` when minutes or seconds pass 59.
pub(crate) fn duration_ms(encoded: i32) -> Option<u64> {
    let encoded = u64::try_from(encoded).ok()?;
    let (hours, minutes, seconds) = (encoded / 10_000, encoded / 100 % 100, encoded % 100);
    (minutes < 60 && seconds < 60).then(|| (hours * 3_600 + minutes * 60 + seconds) * 1_000)
}

/// A date int and a time int as a local moment; `None` when either is none.
pub(crate) fn moment(date: i32, time: i32) -> Option<DateTime> {
    Some(date_from_int(date)?.to_datetime(time_from_int(time)?))
}

/// A uuid as uniqueidentifier.
pub(crate) fn guid(id: Uuid) -> Value {
    Value::Guid(id)
}

fn offset(minutes: i32) -> Offset {
    Offset::from_seconds(minutes.saturating_mul(60)).unwrap_or(Offset::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetime_has_three_hundredths() {
        let noon: Timestamp = "2026-11-03T12:00:00.0017Z".parse().unwrap();
        assert_eq!(
            datetime(noon, &TimeZone::UTC),
            Value::DateTime {
                days: 46_327,
                ticks: 12 * 3_600 * 300 + 1,
            }
        );
        let end: Timestamp = "1999-12-31T23:59:59.9999Z".parse().unwrap();
        let shown = datetime(end, &TimeZone::UTC);
        assert_eq!(
            shown,
            Value::DateTime {
                days: 36_524,
                ticks: 0
            }
        );
        assert_eq!(
            from_datetime(&shown).unwrap().to_string(),
            "2000-01-01T00:00:00"
        );
    }

    #[test]
    fn zones_and_offsets() {
        let at: Timestamp = "2026-11-03T23:30:05Z".parse().unwrap();
        assert_eq!(ints_at_offset(at, 60), (20_261_104, 3_005));
        assert_eq!(ints_or_zero(None, &TimeZone::UTC), (0, 0));
        assert_eq!(duration_int(3_661_999), 10_101);
        assert_eq!(duration_ms(10_101), Some(3_661_000));
        assert_eq!(duration_ms(60), None);
        assert_eq!(history_int(0x1_0000_0001), 1);
        assert_eq!(int(i64::MAX), Value::Int(i32::MAX));
    }
}
