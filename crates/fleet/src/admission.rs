//! How fast a master lets targets in: token buckets, with time as an argument.
//!
//! Enlistments, connections and reports have buckets of their own, so that a restart with every target at
//! once stays calm and none of the three starves another.

use std::time::{Duration, Instant};

/// Lets through a rate, and a burst after a quiet time.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    /// Time that one token takes to come back.
    per_token: Duration,
    /// Most tokens that may gather.
    burst: u32,
    // Invariant: the moment at which the bucket was, or will be, full. Never more than burst * per_token
    // past the last caller's now.
    full_at: Option<Instant>,
}

impl TokenBucket {
    /// A full bucket that gives `per_second` tokens a second and holds `burst`; each at least 1.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self {
            per_token: Duration::from_secs(1) / per_second.max(1),
            burst: burst.max(1),
            full_at: None,
        }
    }

    /// Takes `tokens` (more than the burst count as the burst).
    ///
    /// # Errors
    /// How long until so many are there; none was taken.
    pub fn take(&mut self, tokens: u32, now: Instant) -> Result<(), Duration> {
        let tokens = tokens.min(self.burst);
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + self.per_token * tokens;
        let latest = now + self.per_token * self.burst;
        if full_at > latest {
            return Err(full_at - latest);
        }
        self.full_at = Some(full_at);
        Ok(())
    }
}

/// A master's rates.
#[derive(Debug, Clone)]
pub struct Admission {
    /// Enlistments: a signature and a catalog transaction each.
    pub enlistments: TokenBucket,
    /// Hellos: a TLS handshake and a catalog query each.
    pub connections: TokenBucket,
    /// Report rows on their way to the store.
    pub report_rows: TokenBucket,
}

/// Enlistments a second.
pub const ENLISTMENTS_PER_SECOND: u32 = 50;
/// Hellos a second.
pub const CONNECTIONS_PER_SECOND: u32 = 1_000;
/// Report rows a second.
pub const REPORT_ROWS_PER_SECOND: u32 = 50_000;

impl Default for Admission {
    /// Bursts of ten seconds' worth.
    fn default() -> Self {
        let bucket = |rate: u32| TokenBucket::new(rate, rate.saturating_mul(10));
        Self {
            enlistments: bucket(ENLISTMENTS_PER_SECOND),
            connections: bucket(CONNECTIONS_PER_SECOND),
            report_rows: bucket(REPORT_ROWS_PER_SECOND),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "any instant will do to count from"
    )]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut bucket = TokenBucket::new(10, 3);
        for _ in 0..3 {
            assert_eq!(bucket.take(1, at(0)), Ok(()));
        }
        assert_eq!(bucket.take(1, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(1, at(50)), Err(Duration::from_millis(50)));
        assert_eq!(bucket.take(1, at(100)), Ok(()));
        assert_eq!(bucket.take(2, at(200)), Err(Duration::from_millis(100)));
        // A long quiet time gathers no more than the burst.
        assert_eq!(bucket.take(3, at(60_000)), Ok(()));
        assert_eq!(bucket.take(1, at(60_000)), Err(Duration::from_millis(100)));
        // More than the burst is possible once, when full.
        assert_eq!(bucket.take(100, at(120_000)), Ok(()));
        assert_eq!(bucket.take(1, at(120_000)), Err(Duration::from_millis(100)));
        // A clock that stands still or a first call long after makes no panic.
        assert_eq!(bucket.take(0, at(0)), Err(Duration::from_secs(120)));
    }
}
