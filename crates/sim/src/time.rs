//! Virtual time, in microseconds from the start of a simulation.

use fleet::Moment;
use jiff::Timestamp;
use std::time::{Duration, Instant};

pub(crate) type Micros = u64;

pub(crate) const SECOND: Micros = 1_000_000;
pub(crate) const MINUTE: Micros = 60 * SECOND;
pub(crate) const HOUR: Micros = 60 * MINUTE;

/// When simulations begin, by a right clock: 2026-03-01 00:00 UTC.
const EPOCH_MICROS: i64 = 1_772_323_200_000_000;

/// Turns virtual time into what machines are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "an instant can't be made otherwise; only spans from it are looked at"
    )]
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    pub(crate) fn instant(self, now: Micros) -> Instant {
        self.origin + Duration::from_micros(now)
    }

    /// The virtual time of an instant, rounded up.
    pub(crate) fn micros(self, instant: Instant) -> Micros {
        let nanos = instant.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(nanos.div_ceil(1_000)).unwrap_or(u64::MAX)
    }

    /// `skew` is how far the wall clock is off, in microseconds.
    pub(crate) fn moment(self, now: Micros, skew: i64) -> Moment {
        Moment {
            instant: self.instant(now),
            wall: wall(now, skew),
            utc_offset_minutes: 0,
        }
    }
}

/// What a wall clock that is off by `skew` shows.
pub(crate) fn wall(now: Micros, skew: i64) -> Timestamp {
    let micros = EPOCH_MICROS + i64::try_from(now).unwrap_or(i64::MAX / 2) + skew;
    Timestamp::from_microsecond(micros).expect("simulations end long before time does")
}

/// When a wall clock that is off by `skew` shows `at`; 0 where that was before the start.
pub(crate) fn when(at: Timestamp, skew: i64) -> Micros {
    let micros = at.as_nanosecond().div_ceil_micros() - EPOCH_MICROS - skew;
    u64::try_from(micros).unwrap_or(0)
}

trait DivCeilMicros {
    fn div_ceil_micros(self) -> i64;
}

impl DivCeilMicros for i128 {
    fn div_ceil_micros(self) -> i64 {
        i64::try_from((self + 999).div_euclid(1_000)).unwrap_or(i64::MAX / 2)
    }
}
