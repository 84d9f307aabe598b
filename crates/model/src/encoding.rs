//! msdb's integers for dates, times and durations.
//!
//! Source: `dbo.sysjobhistory`: dates are YYYYMMDD, times HHMMSS, durations HHMMSS whose hours may pass 99;
//! 0 is "never" for a date.

use jiff::civil::{Date, DateTime, Time};

/// A date as YYYYMMDD.
#[must_use]
pub fn date_to_int(date: Date) -> i32 {
    i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day())
}

/// The date of YYYYMMDD; `None` when it isn't one.
#[must_use]
pub fn date_from_int(value: i32) -> Option<Date> {
    let year = i16::try_from(value / 10_000).ok()?;
    let month = i8::try_from(value / 100 % 100).ok()?;
    let day = i8::try_from(value % 100).ok()?;
    Date::new(year, month, day).ok()
}

/// A time as HHMMSS; fractions of a second are dropped.
#[must_use]
pub fn time_to_int(time: Time) -> i32 {
    i32::from(time.hour()) * 10_000 + i32::from(time.minute()) * 100 + i32::from(time.second())
}

/// The time of HHMMSS; `None` when it isn't one.
#[must_use]
pub fn time_from_int(value: i32) -> Option<Time> {
    let hour = i8::try_from(value / 10_000).ok()?;
    let minute = i8::try_from(value / 100 % 100).ok()?;
    let second = i8::try_from(value % 100).ok()?;
    Time::new(hour, minute, second, 0).ok()
}

/// A local moment as its two integers.
#[must_use]
pub fn moment_to_ints(moment: DateTime) -> (i32, i32) {
    (date_to_int(moment.date()), time_to_int(moment.time()))
}

/// A duration in whole seconds as HHMMSS, saturating at the largest `int`.
#[must_use]
pub fn duration_to_int(seconds: u64) -> i32 {
    let hours = seconds / 3_600;
    let encoded = hours
        .saturating_mul(10_000)
        .saturating_add(seconds / 60 % 60 * 100)
        .saturating_add(seconds % 60);
    i32::try_from(encoded).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        let date = Date::constant(2026, 11, 3);
        assert_eq!(date_to_int(date), 20_261_103);
        assert_eq!(date_from_int(20_261_103), Some(date));
        for bad in [0, -1, 20_261_301, 20_260_230, i32::MAX, i32::MIN] {
            assert_eq!(date_from_int(bad), None, "{bad}");
        }
        assert_eq!(time_to_int(Time::constant(2, 0, 0, 0)), 20_000);
        for bad in [-1, 240_000, 236_000, 60, i32::MAX] {
            assert_eq!(time_from_int(bad), None, "{bad}");
        }
        assert_eq!(time_from_int(0), Some(Time::midnight()));
        assert_eq!(duration_to_int(3_600 * 101 + 61), 1_010_101);
        assert_eq!(duration_to_int(u64::MAX), i32::MAX);
    }
}
