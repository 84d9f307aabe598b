//! When a schedule comes due, in UTC, and how it reads in English. No IO and no clock.
//!
//! Start with [`next_run`], [`due_between`] and [`ScheduleNumbers::check`].
//!
//! # Rules this crate fixes
//!
//! * **Counting starts at `active_start_date`.** "Every 3 days", "every 2 weeks" and "every 2 months" count
//!   from the day, the week (Sunday first, as the weekday mask has it) and the month of `active_start_date`.
//!   SQL Server counts weekly and monthly schedules with a past start date from the day the schedule was
//!   attached or the Agent looked at it, so one schedule has different days on different servers and after a
//!   change. Here every target of a multiserver job, every restart and every preview agree.
//! * **A day's window** opens at `active_start_time` and closes at `active_end_time`, both included. An end
//!   before the start closes the window on the following day; the window belongs to the day it opens on, for
//!   weekday masks and for `active_end_date` alike: "Friday 22:00 to 02:00" ends early on Saturday.
//! * **Daylight saving.** A start that the spring change skips moves to the first valid moment after it. A
//!   time that autumn repeats means its first occurrence. Within a window moments are a fixed real time apart,
//!   so "every 10 minutes" keeps its rhythm through both changes. The window closes when the local clock first
//!   passes its end, so that nothing runs at a time an administrator excluded; only where the clock is set
//!   back within the minute after the end ("until 23:59:59", set back at midnight) the repeated hour is part of
//!   the window. The first moment of a window always runs, even where the change skips the whole window.
//! * **Months without the day** (31 in April) are skipped.
//!
//! Deliberately absent: whether a job or schedule is enabled, and `AgentStart` and `CpuIdle`, which no clock
//! decides: their next run is `None`.

mod days;
mod describe;
mod next;
mod numbers;

pub use describe::{DESCRIPTION_CHARS_MAX, describe, texts};
pub use next::{DUE_WINDOWS_MAX, DueSpan, due_between, next_run, upcoming};
pub use numbers::{
    END_DATE_NONE, END_TIME_DEFAULT, InvalidReason, START_DATE_MIN, SUBDAY_SECONDS_MIN,
    ScheduleFault, ScheduleNumbers, Timing,
};
