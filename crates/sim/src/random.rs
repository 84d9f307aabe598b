//! Chance from a seed.

/// A small generator (splitmix64): the same seed gives the same numbers everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Within `low..=high`.
    pub(crate) const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// Below `bound`, which is not 0.
    pub(crate) fn index(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("collections are small");
        usize::try_from(self.next() % bound).expect("below a usize")
    }

    /// True so many times in a thousand.
    pub(crate) const fn permille(&mut self, chance: u64) -> bool {
        self.next() % 1_000 < chance
    }

    /// Within `low..=high`, small values much more often.
    pub(crate) fn skewed(&mut self, low: u64, high: u64) -> u64 {
        let span = (high - low + 1).ilog2();
        let bits = self.between(0, u64::from(span));
        low + self.between(0, (1 << bits) - 1).min(high - low)
    }

    pub(crate) const fn uuid(&mut self) -> uuid::Uuid {
        uuid::Uuid::from_u64_pair(self.next(), self.next())
    }
}
