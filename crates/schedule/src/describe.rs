//! A schedule in one English sentence or two, for sp_help_jobschedule and sp_get_schedule_description.

use jiff::civil::Date;
use model::{Frequency, RelativeWeek, Schedule, Subday};

/// The words of descriptions, apart from the logic, for translation.
pub mod texts {
    /// Weekdays, Sunday first.
    pub const WEEKDAYS: [&str; 7] = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    /// Day kinds 8, 9, 10 of monthly relative schedules.
    pub const DAY_KINDS: [&str; 3] = ["day", "weekday", "weekend day"];
    /// First to last.
    pub const RELATIVE: [&str; 5] = ["first", "second", "third", "fourth", "last"];
    /// Frequency 64 (14579).
    pub const AGENT_START: &str = "Starts automatically when SQLServerAgent starts.";
    /// Frequency 128 (14578); the limits are settings of the server.
    pub const CPU_IDLE: &str = "Starts whenever the CPUs become idle.";
}

/// Longest description, in characters. Source: sp_get_schedule_description, nvarchar(255).
pub const DESCRIPTION_CHARS_MAX: usize = 255;

/// The schedule in English, at most [`DESCRIPTION_CHARS_MAX`] characters.
#[must_use]
pub fn describe(schedule: &Schedule) -> String {
    let start = schedule.active_start_date;
    let days = match schedule.frequency {
        Frequency::Once => {
            return format!("Occurs on {start} at {}.", schedule.active_start_time);
        }
        Frequency::AgentStart => return texts::AGENT_START.to_owned(),
        Frequency::CpuIdle => return texts::CPU_IDLE.to_owned(),
        Frequency::Daily { every_days } => every(every_days, "day"),
        Frequency::Weekly {
            weekdays,
            every_weeks,
        } => format!(
            "{} on {}",
            every(every_weeks, "week"),
            weekday_names(weekdays)
        ),
        Frequency::Monthly { day, every_months } => {
            format!("{} on day {day}", every(every_months, "month"))
        }
        Frequency::MonthlyRelative {
            day_kind,
            week,
            every_months,
        } => format!(
            "{} on the {} {}",
            every(every_months, "month"),
            relative_name(week),
            day_kind_name(day_kind)
        ),
    };
    let text = format!("Occurs {days}{}. {}", times(schedule), life(schedule));
    text.chars().take(DESCRIPTION_CHARS_MAX).collect()
}

fn times(schedule: &Schedule) -> String {
    let (opens, closes) = (schedule.active_start_time, schedule.active_end_time);
    let (interval, unit) = match schedule.subday {
        Subday::Once => return format!(" at {opens}"),
        Subday::Seconds(interval) => (interval, "second"),
        Subday::Minutes(interval) => (interval, "minute"),
        Subday::Hours(interval) => (interval, "hour"),
    };
    format!(" {} between {opens} and {closes}", every(interval, unit))
}

fn life(schedule: &Schedule) -> String {
    let (start, end) = (schedule.active_start_date, schedule.active_end_date);
    if end == Date::MAX {
        format!("Schedule will be used starting on {start}.")
    } else {
        format!("Schedule will be used between {start} and {end}.")
    }
}

fn every(count: i32, unit: &str) -> String {
    if count == 1 {
        format!("every {unit}")
    } else {
        format!("every {count} {unit}s")
    }
}

fn weekday_names(mask: u8) -> String {
    let names: Vec<&str> = (0..7)
        .filter(|bit| mask & (1 << bit) != 0)
        .map(|bit: usize| texts::WEEKDAYS[bit])
        .collect();
    names.join(", ")
}

const fn relative_name(week: RelativeWeek) -> &'static str {
    match week {
        RelativeWeek::First => texts::RELATIVE[0],
        RelativeWeek::Second => texts::RELATIVE[1],
        RelativeWeek::Third => texts::RELATIVE[2],
        RelativeWeek::Fourth => texts::RELATIVE[3],
        RelativeWeek::Last => texts::RELATIVE[4],
    }
}

fn day_kind_name(day_kind: u8) -> &'static str {
    let index = usize::from(day_kind);
    texts::WEEKDAYS
        .iter()
        .chain(&texts::DAY_KINDS)
        .nth(index.saturating_sub(1))
        .copied()
        .unwrap_or("day")
}
