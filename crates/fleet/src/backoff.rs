//! How long to wait before the next connection.

use crate::limits::{BACKOFF_BASE_DEFAULT, BACKOFF_MAX_DEFAULT};
use crate::message::BackoffAdvice;
use std::time::Duration;

impl Default for BackoffAdvice {
    fn default() -> Self {
        Self {
            base: BACKOFF_BASE_DEFAULT,
            max: BACKOFF_MAX_DEFAULT,
        }
    }
}

/// Waits that grow and are spread by chance, so that a fleet that lost its master doesn't return as one.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    advice: BackoffAdvice,
    attempts: u32,
    random: SplitMix64,
}

impl Backoff {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            advice: BackoffAdvice::default(),
            attempts: 0,
            random: SplitMix64(seed),
        }
    }

    /// Attempts since the last success.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The master admitted: waits start small again, by its advice.
    pub(crate) fn succeeded(&mut self, advice: BackoffAdvice) {
        self.attempts = 0;
        self.advice = advice;
    }

    /// The next wait, at least `asked`: between half and all of a bound that doubles with each attempt.
    pub(crate) fn next_wait(&mut self, asked: Duration) -> Duration {
        let doubled = self.advice.base.saturating_mul(1 << self.attempts.min(20));
        self.attempts = self.attempts.saturating_add(1);
        let bound = doubled.min(self.advice.max).max(asked);
        let half = bound / 2;
        let spread = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX);
        let extra = Duration::from_nanos(self.random.below(spread.saturating_add(1)));
        if asked.is_zero() {
            half + extra
        } else {
            asked + extra
        }
    }
}

/// A small generator for spreading waits; not for secrets.
#[derive(Debug, Clone)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`; 0 for a bound of 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_bounded() {
        let mut backoff = Backoff::new(7);
        backoff.succeeded(BackoffAdvice {
            base: Duration::from_secs(1),
            max: Duration::from_secs(8),
        });
        for bound in [1, 2, 4, 8, 8, 8] {
            let wait = backoff.next_wait(Duration::ZERO);
            let bound = Duration::from_secs(bound);
            assert!(wait >= bound / 2 && wait <= bound, "{wait:?} of {bound:?}");
        }
        for _ in 0..100 {
            let wait = backoff.next_wait(Duration::from_secs(60));
            assert!(wait >= Duration::from_secs(60) && wait <= Duration::from_secs(90));
        }
    }

    #[test]
    fn zero_advice_is_no_panic() {
        let mut backoff = Backoff::new(0);
        backoff.succeeded(BackoffAdvice {
            base: Duration::ZERO,
            max: Duration::ZERO,
        });
        assert_eq!(backoff.next_wait(Duration::ZERO), Duration::ZERO);
    }
}
