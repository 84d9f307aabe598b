//! The one place that reads the host's clock.

use fleet::message::Moment;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::Instant;

/// Time as the instance sees it: the wall clock and the time zone that schedules follow.
pub trait Clock: Send + Sync + 'static {
    /// The instant now.
    fn now(&self) -> Timestamp;

    /// A moment for measuring spans; never goes back.
    fn monotonic(&self) -> Instant;

    /// The zone that schedules and local times follow.
    fn time_zone(&self) -> &TimeZone;

    /// Minutes east of UTC at `instant`.
    fn offset_minutes(&self, instant: Timestamp) -> i16 {
        let seconds = self.time_zone().to_offset(instant).seconds();
        i16::try_from(seconds / 60).unwrap_or(0)
    }

    /// Now, as the fleet's machines take it.
    fn moment(&self) -> Moment {
        let wall = self.now();
        Moment {
            instant: self.monotonic(),
            wall,
            utc_offset_minutes: self.offset_minutes(wall),
        }
    }
}

/// The host's own clock.
#[derive(Debug, Clone)]
pub struct SystemClock {
    zone: TimeZone,
}

impl SystemClock {
    /// The host's clock, read in `zone`.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock module that the ban points to"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock module that the ban points to"
    )]
    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn time_zone(&self) -> &TimeZone {
        &self.zone
    }
}
