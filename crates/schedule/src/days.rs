//! Which days a schedule opens its window on.

use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};
use model::{Frequency, RelativeWeek, Schedule};

/// Month steps after which a missing day of the month is known never to come: the Gregorian calendar repeats
/// after 400 years, and a step that is no whole number of years meets another month within 12 steps.
const MONTH_STEPS_MAX: i32 = 400;

/// The first day, not before `from`, on which a window opens; `None` when there is none up to the end date.
pub(crate) fn next_day(schedule: &Schedule, from: Date) -> Option<Date> {
    let start = schedule.active_start_date;
    let from = from.max(start);
    let day = match schedule.frequency {
        Frequency::Once => (from == start).then_some(start),
        Frequency::Daily { every_days } => {
            let step = i64::from(every_days.max(1));
            let passed = days_between(start, from);
            add_days(start, (passed + step - 1) / step * step)
        }
        Frequency::Weekly {
            weekdays,
            every_weeks,
        } => next_weekly(start, from, weekdays, every_weeks),
        Frequency::Monthly { day, every_months } => {
            next_monthly(start, from, every_months, |first| {
                let day = i8::try_from(day).ok()?;
                (day >= 1 && day <= first.days_in_month())
                    .then(|| Date::new(first.year(), first.month(), day).ok())
                    .flatten()
            })
        }
        Frequency::MonthlyRelative {
            day_kind,
            week,
            every_months,
        } => next_monthly(start, from, every_months, |first| {
            relative_day(first, day_kind, week)
        }),
        Frequency::AgentStart | Frequency::CpuIdle => None,
    }?;
    (day <= schedule.active_end_date).then_some(day)
}

fn next_weekly(start: Date, from: Date, weekdays: u8, every_weeks: i32) -> Option<Date> {
    if weekdays & 0x7f == 0 {
        return None;
    }
    let step = i64::from(every_weeks.max(1));
    let sunday = |date: Date| add_days(date, -i64::from(date.weekday().to_sunday_zero_offset()));
    // Before the first Sunday of the calendar there is none; no schedule starts there.
    let first_week = sunday(start)?;
    let week = days_between(first_week, sunday(from)?) / 7;
    let in_week = |week: i64, not_before: Date| {
        (0..7)
            .filter(|offset| weekdays & (1 << offset) != 0)
            .filter_map(|offset| add_days(first_week, week * 7 + offset))
            .find(|date| *date >= not_before)
    };
    if week % step == 0
        && let Some(date) = in_week(week, from)
    {
        return Some(date);
    }
    in_week((week / step + 1) * step, from)
}

fn next_monthly(
    start: Date,
    from: Date,
    every_months: i32,
    day_of: impl Fn(Date) -> Option<Date>,
) -> Option<Date> {
    let step = every_months.max(1);
    let month_number = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
    let first = month_number(start);
    let passed = month_number(from) - first;
    let mut month = first.checked_add(passed.checked_add(step - 1)? / step * step)?;
    for _ in 0..=MONTH_STEPS_MAX {
        let year = i16::try_from(month / 12).ok()?;
        let first_day = Date::new(year, i8::try_from(month % 12 + 1).ok()?, 1).ok()?;
        if let Some(day) = day_of(first_day)
            && day >= from
        {
            return Some(day);
        }
        month = month.checked_add(step)?;
    }
    None
}

/// The day that `week` and `day_kind` mean in the month of `first`.
fn relative_day(first: Date, day_kind: u8, week: RelativeWeek) -> Option<Date> {
    let last = week == RelativeWeek::Last;
    let nth = match week {
        RelativeWeek::First => 1,
        RelativeWeek::Second => 2,
        RelativeWeek::Third => 3,
        RelativeWeek::Fourth => 4,
        RelativeWeek::Last => -1,
    };
    let wanted = |date: Date| {
        let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        if day_kind == 9 { !weekend } else { weekend }
    };
    match day_kind {
        1..=7 => {
            let weekday = Weekday::from_sunday_one_offset(i8::try_from(day_kind).ok()?).ok()?;
            first.nth_weekday_of_month(nth, weekday).ok()
        }
        8 if last => Some(first.last_of_month()),
        8 => add_days(first, i64::from(nth) - 1),
        9 | 10 if last => (0..7)
            .filter_map(|back| add_days(first.last_of_month(), -back))
            .find(|date| wanted(*date)),
        9 | 10 => (0..i64::from(first.days_in_month()))
            .filter_map(|offset| add_days(first, offset))
            .filter(|date| wanted(*date))
            .nth(usize::try_from(nth - 1).ok()?),
        _ => None,
    }
}

pub(crate) fn add_days(date: Date, days: i64) -> Option<Date> {
    let span: Span = Span::new().try_days(days).ok()?;
    date.checked_add(span).ok()
}

/// The day before, or `date` itself at the beginning of the calendar.
pub(crate) fn day_before(date: Date) -> Date {
    date.saturating_sub(1.day())
}

fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24
}
