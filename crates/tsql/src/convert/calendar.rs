//! Days, dates and times of day: arithmetic on the proleptic Gregorian calendar that T-SQL uses.

/// 1/300 s of a datetime in a day.
pub const DATETIME_TICKS_PER_DAY: u32 = 25_920_000;
/// 100 ns units in a day.
pub const TICKS_PER_DAY: u64 = 864_000_000_000;
/// 100 ns units in a second.
pub const TICKS_PER_SECOND: u64 = 10_000_000;
/// Days from 0001-01-01 to 1900-01-01.
pub const DAYS_TO_1900: i32 = 693_595;
/// Days from 0001-01-01 to 1970-01-01.
pub const DAYS_TO_1970: i32 = 719_162;
/// 9999-12-31, in days since 0001-01-01.
pub const LAST_DAY: i32 = 3_652_058;
/// 1753-01-01, the first day of datetime, in days since 0001-01-01.
pub const FIRST_DATETIME_DAY: i32 = 639_905;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// 1..=9999
    pub year: i32,
    /// 1..=12
    pub month: u32,
    /// 1..=31
    pub day: u32,
}

/// Days of a month.
#[must_use]
pub const fn days_in_month(year: i32, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 0001-01-01; `None` for a day that does not exist or lies outside years 1 to 9999.
#[must_use]
pub fn days_of(civil: Civil) -> Option<i32> {
    let Civil { year, month, day } = civil;
    if !(1..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || day == 0
        || day > days_in_month(year, month)
    {
        return None;
    }
    // March-based years make the leap day the last of its year.
    let month = i32::try_from(month).ok()?;
    let day = i32::try_from(day).ok()?;
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    // 0000-03-01 is 306 days before 0001-01-01.
    Some(era * 146_097 + day_of_era - 306)
}

/// The day that many days after 0001-01-01.
#[must_use]
pub fn civil_of(days: i32) -> Civil {
    let shifted = days + 306;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    Civil {
        year: of_era + era * 400 + i32::from(month <= 2),
        month: u32::try_from(month).unwrap_or(1),
        day: u32::try_from(day).unwrap_or(1),
    }
}

/// Day of the week of a day: 0 is Monday.
#[must_use]
pub fn weekday(days: i32) -> i32 {
    days.rem_euclid(7)
}

/// The nearest 1/300 s of 100 ns units; may be a whole day.
#[must_use]
pub fn datetime_ticks(ticks: u64) -> u32 {
    u32::try_from((ticks * 3 + 50_000) / 100_000).unwrap_or(u32::MAX)
}

/// 100 ns units of a 1/300 s count, rounded to milliseconds as datetime shows them.
#[must_use]
pub fn ticks_of_datetime(ticks: u32) -> u64 {
    (u64::from(ticks) * 10 + 1) / 3 * 10_000
}

/// Rounds 100 ns units to a number of fractional digits; may be a whole day.
#[must_use]
pub fn round_ticks(ticks: u64, digits: u8) -> u64 {
    let unit = 10_u64.pow(7 - u32::from(digits.min(7)));
    (ticks + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for (year, month, day, days) in [
            (1, 1, 1, 0),
            (1753, 1, 1, FIRST_DATETIME_DAY),
            (1900, 1, 1, DAYS_TO_1900),
            (1970, 1, 1, DAYS_TO_1970),
            (2000, 2, 29, 730_178),
            (9999, 12, 31, LAST_DAY),
        ] {
            let civil = Civil { year, month, day };
            assert_eq!(days_of(civil), Some(days), "{civil:?}");
            assert_eq!(civil_of(days), civil);
        }
        let missing = Civil {
            year: 1900,
            month: 2,
            day: 29,
        };
        assert_eq!(days_of(missing), None);
        // 1900-01-01 was a Monday.
        assert_eq!(weekday(DAYS_TO_1900), 0);
    }

    #[test]
    fn datetime_rounds_to_three_hundredths() {
        assert_eq!(datetime_ticks(9_990_000), 300);
        assert_eq!(ticks_of_datetime(1), 30_000);
        assert_eq!(ticks_of_datetime(2), 70_000);
    }
}
