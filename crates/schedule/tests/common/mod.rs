//! Schedules for tests, and an oracle that knows nothing of the library: it walks the calendar day by day and
//! the zone's local clock minute by minute.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use jiff::civil::{Date, DateTime, Time, Weekday, date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use model::{Frequency, RelativeWeek, Schedule, ScheduleUid, Subday};
use uuid::Uuid;

pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Every day at midnight from 2020 on, without an end.
pub(crate) fn daily() -> Schedule {
    Schedule {
        uid: ScheduleUid(Uuid::nil()),
        name: "nightly".to_owned(),
        originating_server: None,
        owner_sid: vec![1],
        enabled: true,
        frequency: Frequency::Daily { every_days: 1 },
        subday: Subday::Once,
        raw: [1, 1, 0, 0, 0],
        active_start_date: date(2020, 1, 1),
        active_end_date: date(9999, 12, 31),
        active_start_time: Time::midnight(),
        active_end_time: time(23, 59, 59, 0),
        created: Timestamp::UNIX_EPOCH,
        modified: Timestamp::UNIX_EPOCH,
        version: 1,
    }
}

/// Due instants in `from..until`, for schedules whose times and intervals are whole minutes.
pub(crate) fn oracle(
    schedule: &Schedule,
    from: Timestamp,
    until: Timestamp,
    zone: &TimeZone,
) -> Vec<Timestamp> {
    let margin = SignedDuration::from_hours(24 * 4);
    let minutes = |a: Timestamp, b: Timestamp| a.duration_until(b).as_secs() / 60;
    let first = from.checked_sub(margin).unwrap();
    let first = Timestamp::from_second(first.as_second().div_euclid(60) * 60).unwrap();
    let last = until.checked_add(margin).unwrap();
    let clock: Vec<(Timestamp, DateTime)> = (0..minutes(first, last))
        .map(|m| {
            let at = first.checked_add(SignedDuration::from_mins(m)).unwrap();
            (at, zone.to_datetime(at))
        })
        .collect();
    let mut found = Vec::new();
    let mut day = clock[0].1.date();
    while day < clock.last().unwrap().1.date() {
        if opens_on(schedule, day) {
            window(schedule, day, &clock, &mut found);
        }
        day = day.tomorrow().unwrap();
    }
    found.retain(|due| (from..until).contains(due));
    found.sort();
    found.dedup();
    found
}

fn window(
    schedule: &Schedule,
    day: Date,
    clock: &[(Timestamp, DateTime)],
    found: &mut Vec<Timestamp>,
) {
    let wraps = schedule.active_end_time < schedule.active_start_time;
    let last_day = if wraps { day.tomorrow().unwrap() } else { day };
    let opens = day.to_datetime(schedule.active_start_time);
    let closes = last_day.to_datetime(schedule.active_end_time);
    let step = match schedule.subday {
        _ if schedule.frequency == Frequency::Once => 0,
        Subday::Once => 0,
        Subday::Seconds(seconds) => usize::try_from(seconds / 60).unwrap(),
        Subday::Minutes(minutes) => usize::try_from(minutes).unwrap(),
        Subday::Hours(hours) => usize::try_from(hours * 60).unwrap(),
    };
    // The first minute at which the local clock shows the opening or more.
    let Some(first) = clock.iter().position(|(_, local)| *local >= opens) else {
        return;
    };
    if first == 0 {
        return;
    }
    found.push(clock[first].0);
    if step == 0 {
        return;
    }
    for (passed, (at, local)) in clock[first..].iter().enumerate() {
        if *local > closes {
            break;
        }
        if passed % step == 0 {
            found.push(*at);
        }
    }
}

/// Whether a window opens on `day`, by counting from the start date.
fn opens_on(schedule: &Schedule, day: Date) -> bool {
    let start = schedule.active_start_date;
    if day < start || day > schedule.active_end_date {
        return false;
    }
    match schedule.frequency {
        Frequency::Once => day == start,
        Frequency::Daily { every_days } => start
            .series(i64::from(every_days).days())
            .take_while(|d| *d <= day)
            .any(|d| d == day),
        Frequency::Weekly {
            weekdays,
            every_weeks,
        } => {
            let bit = match day.weekday() {
                Weekday::Sunday => 1,
                Weekday::Monday => 2,
                Weekday::Tuesday => 4,
                Weekday::Wednesday => 8,
                Weekday::Thursday => 16,
                Weekday::Friday => 32,
                Weekday::Saturday => 64,
            };
            let mut sundays = 0;
            let mut walk = start;
            while walk < day {
                walk = walk.tomorrow().unwrap();
                sundays += i32::from(walk.weekday() == Weekday::Sunday);
            }
            weekdays & bit != 0 && sundays % every_weeks == 0
        }
        Frequency::Monthly {
            day: wanted,
            every_months,
        } => day.day() == i8::try_from(wanted).unwrap() && months(start, day) % every_months == 0,
        Frequency::MonthlyRelative {
            day_kind,
            week,
            every_months,
        } => {
            let fits = |d: Date| match day_kind {
                8 => true,
                9 => !matches!(d.weekday(), Weekday::Saturday | Weekday::Sunday),
                10 => matches!(d.weekday(), Weekday::Saturday | Weekday::Sunday),
                kind => d.weekday().to_sunday_one_offset() == i8::try_from(kind).unwrap(),
            };
            let all: Vec<Date> = day
                .first_of_month()
                .series(1.day())
                .take_while(|d| d.month() == day.month())
                .filter(|d| fits(*d))
                .collect();
            let wanted = match week {
                RelativeWeek::First => all.first(),
                RelativeWeek::Second => all.get(1),
                RelativeWeek::Third => all.get(2),
                RelativeWeek::Fourth => all.get(3),
                RelativeWeek::Last => all.last(),
            };
            wanted == Some(&day) && months(start, day) % every_months == 0
        }
        Frequency::AgentStart | Frequency::CpuIdle => false,
    }
}

/// Month boundaries passed between two dates.
fn months(start: Date, day: Date) -> i32 {
    let mut count = 0;
    let mut month = start.first_of_month();
    while month < day.first_of_month() {
        month = month.checked_add(1.month()).unwrap();
        count += 1;
    }
    count
}
