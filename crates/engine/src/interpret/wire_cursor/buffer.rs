//! Where a cursor's fetch buffer stands among its rows.
//!
//! Source: "sp_cursorfetch (Transact-SQL)", fetch types and their remarks.

/// A fetch type, without those that move nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    /// The first rows.
    First,
    /// Those behind the buffer.
    Next,
    /// Those before the buffer; near the beginning the buffer starts at the first row and is full.
    Previous,
    /// Those before the buffer; near the beginning there are fewer.
    PreviousNoAdjust,
    /// The last rows.
    Last,
    /// From a row on, counted from 1, or from the end when negative.
    Absolute(i64),
    /// From a row on, counted from the first of the buffer.
    Relative(i64),
}

/// The rows of the last fetch.
///
/// Invariant: `first` is in 0..=total + 1; outside 1..=total, before and behind all rows, `count` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Buffer {
    /// Its first row, from 1.
    pub(super) first: i64,
    /// How many rows it has.
    pub(super) count: i64,
}

impl Buffer {
    const BEFORE: Self = Self { first: 0, count: 0 };

    /// The buffer after a move, of at most `rows` rows (not negative) out of `total`, and whether a move
    /// backwards was stopped at the first row.
    pub(super) fn moved(self, to: Move, rows: i64, total: i64) -> (Self, bool) {
        let from = |start: i64| {
            if start < 1 {
                Self::BEFORE
            } else if start > total {
                Self {
                    first: total + 1,
                    count: 0,
                }
            } else {
                Self {
                    first: start,
                    count: rows.min(total - start + 1),
                }
            }
        };
        // A start before the first row still shows the first rows when it is not farther away than a buffer.
        let near = |start: i64, distance: i64| {
            if start < 1 && self.first > 1 && distance <= rows {
                from(1)
            } else {
                from(start)
            }
        };
        let buffer = match to {
            Move::First if rows == 0 => Self::BEFORE,
            Move::First => from(1),
            Move::Next => from((self.first + self.count).max(1)),
            Move::Previous | Move::PreviousNoAdjust if self.first <= 1 => Self::BEFORE,
            Move::Previous => {
                let start = self.first.saturating_sub(rows);
                return (from(start.max(1)), start < 1);
            }
            Move::PreviousNoAdjust => {
                let start = self.first.saturating_sub(rows).max(1);
                Self {
                    first: start,
                    count: self.first - start,
                }
            }
            Move::Last if rows == 0 => from(total + 1),
            Move::Last => from(total.saturating_sub(rows).saturating_add(1).max(1)),
            Move::Absolute(row) if row < 0 => {
                let start = (total + 1).saturating_add(row);
                if start < 1 && row.saturating_neg() <= rows {
                    from(1)
                } else {
                    from(start)
                }
            }
            Move::Absolute(row) => from(row),
            Move::Relative(offset) => {
                near(self.first.saturating_add(offset), offset.saturating_neg())
            }
        };
        (buffer, false)
    }

    /// The position as FETCH INFO tells it: 0 before all rows, -1 behind them.
    pub(super) fn position(self, total: i64) -> i64 {
        if self.first > total { -1 } else { self.first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Move::{Absolute, First, Last, Next, Previous, PreviousNoAdjust, Relative};
    use proptest::prelude::*;

    #[test]
    fn where_a_fetch_leads() {
        let before = (0, 0);
        let behind = (7, 0);
        // Of six rows, three at a time.
        for (start, to, expected, stopped) in [
            (before, Next, (1, 3), false),
            ((1, 3), Next, (4, 3), false),
            ((5, 2), Next, behind, false),
            (behind, Next, behind, false),
            (behind, Previous, (4, 3), false),
            // "Using PREV to change a cursor position": two rows too few.
            ((3, 3), Previous, (1, 3), true),
            ((3, 3), PreviousNoAdjust, (1, 2), false),
            ((4, 3), Previous, (1, 3), false),
            ((1, 3), Previous, before, false),
            (before, Previous, before, false),
            (before, PreviousNoAdjust, before, false),
            ((5, 2), First, (1, 3), false),
            (before, Last, (4, 3), false),
            (before, Absolute(6), (6, 1), false),
            (before, Absolute(7), behind, false),
            ((2, 3), Absolute(0), before, false),
            (before, Absolute(-2), (5, 2), false),
            (before, Absolute(-9), before, false),
            ((2, 3), Relative(2), (4, 3), false),
            ((2, 3), Relative(0), (2, 3), false),
            ((2, 3), Relative(-3), (1, 3), false),
            ((2, 3), Relative(-4), before, false),
            (before, Relative(1), (1, 3), false),
            (behind, Relative(-1), (6, 1), false),
            ((2, 3), Relative(i64::MIN), before, false),
            ((2, 3), Relative(i64::MAX), behind, false),
        ] {
            let buffer = Buffer {
                first: start.0,
                count: start.1,
            };
            let (found, adjusted) = buffer.moved(to, 3, 6);
            assert_eq!(
                ((found.first, found.count), adjusted),
                (expected, stopped),
                "{start:?} {to:?}"
            );
        }
        let none = Buffer::default();
        assert_eq!(none.moved(First, 0, 6).0, Buffer::BEFORE);
        assert_eq!(none.moved(Last, 0, 6).0.position(6), -1);
        assert_eq!(none.moved(Next, 5, 0).0.position(0), -1);
    }

    proptest! {
        #[test]
        fn a_buffer_never_leaves_its_rows(
            moves in proptest::collection::vec((0u8..7, any::<i64>(), 0i64..50), 1..20),
            total in 0i64..40,
        ) {
            let mut buffer = Buffer::default();
            for (kind, number, rows) in moves {
                let to = match kind {
                    0 => First,
                    1 => Next,
                    2 => Previous,
                    3 => PreviousNoAdjust,
                    4 => Last,
                    5 => Absolute(number),
                    _ => Relative(number),
                };
                buffer = buffer.moved(to, rows, total).0;
                prop_assert!((0..=total + 1).contains(&buffer.first));
                prop_assert!(buffer.count >= 0 && buffer.count <= rows.max(0));
                prop_assert!(buffer.count == 0 || buffer.first >= 1);
                prop_assert!(buffer.count == 0 || buffer.first + buffer.count <= total + 1);
            }
        }
    }
}
