//! Due instants: a day's window laid over the time zone.

use crate::days::{add_days, day_before, next_day};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use model::{Schedule, Subday};

/// How far the local clock passes a window's end before the window is over for good.
const CLOSING_MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// Windows that [`due_between`] looks at; beyond it the count is a lower bound. More than 270 years of days.
pub const DUE_WINDOWS_MAX: u32 = 100_000;

/// Windows a search for the next moment may pass over without finding one: each holds its opening, so only
/// the windows around `after` itself can.
const WINDOWS_PASSED_MAX: u32 = 8;

/// The due instants within a span of time, coalesced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueSpan {
    /// How many; a lower bound past [`DUE_WINDOWS_MAX`] windows.
    pub count: u64,
    /// The earliest.
    pub first: Timestamp,
    /// The latest.
    pub last: Timestamp,
    /// The one before the latest; `None` when there is one only.
    pub before_last: Option<Timestamp>,
}

/// The first instant strictly after `after` at which the schedule is due in `zone`.
///
/// Local dates and times of the schedule are those of `zone`. Whether the schedule is enabled is the caller's
/// question. `None`: never again, or no clock decides (`AgentStart`, `CpuIdle`).
#[must_use]
pub fn next_run(schedule: &Schedule, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let mut from = earliest_day(after, zone);
    for _ in 0..WINDOWS_PASSED_MAX {
        let window = next_window(schedule, from, zone)?;
        if let Some(due) = window.first_after(after) {
            return Some(due);
        }
        from = add_days(window.day, 1)?;
    }
    None
}

/// The due instants strictly after `after`, ascending.
pub fn upcoming<'a>(
    schedule: &'a Schedule,
    after: Timestamp,
    zone: &'a TimeZone,
) -> impl Iterator<Item = Timestamp> + 'a {
    std::iter::successors(next_run(schedule, after, zone), move |due| {
        next_run(schedule, *due, zone)
    })
}

/// The due instants in `after < due <= until`, counted without visiting each; `None` when there is none.
#[must_use]
pub fn due_between(
    schedule: &Schedule,
    after: Timestamp,
    until: Timestamp,
    zone: &TimeZone,
) -> Option<DueSpan> {
    let mut span: Option<DueSpan> = None;
    let mut passed = after;
    let mut from = earliest_day(after, zone);
    for _ in 0..DUE_WINDOWS_MAX {
        let Some(window) = next_window(schedule, from, zone) else {
            break;
        };
        if window.opens > until {
            break;
        }
        if let Some(found) = window.between(passed, until) {
            passed = found.last;
            span = Some(match span {
                None => found,
                Some(so_far) => DueSpan {
                    count: so_far.count.saturating_add(found.count),
                    first: so_far.first,
                    last: found.last,
                    before_last: found.before_last.or(Some(so_far.last)),
                },
            });
        }
        let Some(day) = add_days(window.day, 1) else {
            break;
        };
        from = day;
    }
    span
}

/// One day's window in UTC.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// Local day it opens on.
    day: jiff::civil::Date,
    /// First due instant.
    opens: Timestamp,
    /// No instant past this one is due. Invariant: not before `opens`.
    closes: Timestamp,
    /// Real time between instants; `None`: `opens` alone.
    step: Option<i64>,
}

impl Window {
    fn first_after(&self, after: Timestamp) -> Option<Timestamp> {
        if after < self.opens {
            return Some(self.opens);
        }
        let step = self.step?;
        let index = whole_seconds(self.opens, after) / step + 1;
        self.at(index).filter(|due| *due <= self.closes)
    }

    fn between(&self, after: Timestamp, until: Timestamp) -> Option<DueSpan> {
        let first = self.first_after(after).filter(|due| *due <= until)?;
        let closes = self.closes.min(until);
        let (count, last, before_last) = match self.step {
            None => (1, first, None),
            Some(step) => {
                let more = whole_seconds(first, closes) / step;
                let last = later(first, more.checked_mul(step)?)?;
                let before_last = (more > 0).then(|| later(last, -step)).flatten();
                (
                    u64::try_from(more).ok()?.saturating_add(1),
                    last,
                    before_last,
                )
            }
        };
        Some(DueSpan {
            count,
            first,
            last,
            before_last,
        })
    }

    fn at(&self, index: i64) -> Option<Timestamp> {
        later(self.opens, index.checked_mul(self.step?)?)
    }
}

/// The day a window that holds an instant after `after` can open on at the earliest: windows reach into the
/// following day where they wrap midnight or the spring change moves their opening there.
fn earliest_day(after: Timestamp, zone: &TimeZone) -> jiff::civil::Date {
    day_before(zone.to_datetime(after).date())
}

fn next_window(schedule: &Schedule, from: jiff::civil::Date, zone: &TimeZone) -> Option<Window> {
    let day = next_day(schedule, from)?;
    let opens = opening(zone, day.to_datetime(schedule.active_start_time))?;
    let step = match schedule.subday {
        _ if schedule.frequency == model::Frequency::Once => None,
        Subday::Once => None,
        Subday::Seconds(every) => Some(i64::from(every.max(1))),
        Subday::Minutes(every) => Some(i64::from(every.max(1)) * 60),
        Subday::Hours(every) => Some(i64::from(every.max(1)) * 3_600),
    };
    let closes = if step.is_none() {
        opens
    } else {
        let wraps = schedule.active_end_time < schedule.active_start_time;
        let closing_day = if wraps { add_days(day, 1) } else { Some(day) };
        closing_day
            .and_then(|day| closing(zone, day.to_datetime(schedule.active_end_time)))
            .unwrap_or(Timestamp::MAX)
            .max(opens)
    };
    Some(Window {
        day,
        opens,
        closes,
        step,
    })
}

/// The first instant at which the local clock shows `local` or, where that is skipped, something later.
fn opening(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { before, .. } => gap_end(zone, local, before),
    }
}

/// The last instant before the local clock first passes `local` by a minute, and not past `local` itself: where
/// the clock is set back within that minute, as after 23:59:59, the repeated hour belongs to the window.
fn closing(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { before, .. } => gap_end(zone, local, before)?
            .checked_sub(SignedDuration::from_nanos(1))
            .ok(),
        AmbiguousOffset::Fold { before, after } => {
            let passed = local.checked_add(CLOSING_MINUTE).ok()?;
            let offset = if zone.to_ambiguous_timestamp(passed).is_ambiguous() {
                before
            } else {
                after
            };
            offset.to_timestamp(local).ok()
        }
    }
}

/// The instant of the change that skips `local`. With the offset before the change `local` lies at or after it.
fn gap_end(zone: &TimeZone, local: DateTime, before: Offset) -> Option<Timestamp> {
    let inside = before.to_timestamp(local).ok()?;
    let just_after = inside.checked_add(SignedDuration::from_nanos(1)).ok()?;
    zone.preceding(just_after)
        .next()
        .map(|transition| transition.timestamp())
}

/// Whole seconds from `from` to `to`, rounded down; 0 when `to` is earlier.
fn whole_seconds(from: Timestamp, to: Timestamp) -> i64 {
    from.duration_until(to).as_secs().max(0)
}

fn later(from: Timestamp, seconds: i64) -> Option<Timestamp> {
    from.checked_add(SignedDuration::from_secs(seconds)).ok()
}
