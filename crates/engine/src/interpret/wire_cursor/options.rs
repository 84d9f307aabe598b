//! What a driver asks of a cursor, and what it gets.
//!
//! Source: "sp_cursoropen (Transact-SQL)", scrollopt and ccopt.

use tsql::SqlError;
use tsql::messages as m;

const KEYSET: i32 = 0x0001;
const DYNAMIC: i32 = 0x0002;
const FORWARD_ONLY: i32 = 0x0004;
const STATIC: i32 = 0x0008;
const FAST_FORWARD: i32 = 0x0010;
const PARAMETERIZED: i32 = 0x1000;
const AUTO_FETCH: i32 = 0x2000;
const AUTO_CLOSE: i32 = 0x4000;
/// Of both options: only what the bits from 0x10000 on name is welcome.
const CHECK_ACCEPTED: i32 = 0x8000;
/// Distance between the bit of a kind and the bit that says that it is welcome.
const ACCEPTABLE_SHIFT: u32 = 16;

const READ_ONLY: i32 = 0x0001;
const ALLOW_DIRECT: i32 = 0x2000;

/// The kind of cursor that the engine makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A snapshot that scrolls; also what a keyset or dynamic cursor becomes.
    Static,
    /// A snapshot that is read once from beginning to end.
    ForwardOnly,
    /// The same, which may fetch and close by itself.
    FastForward,
}

impl Kind {
    /// Its bit of scrollopt.
    pub(super) const fn code(self) -> i32 {
        match self {
            Self::Static => STATIC,
            Self::ForwardOnly => FORWARD_ONLY,
            Self::FastForward => FAST_FORWARD,
        }
    }

    pub(super) const fn scrolls(self) -> bool {
        matches!(self, Self::Static)
    }
}

/// A cursor as it will be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) kind: Kind,
    /// Declarations of parameters, and their values, follow the row count.
    pub(super) parameterized: bool,
    /// The first rows come with the answer to the opening.
    pub(super) auto_fetch: bool,
    /// The cursor closes itself when its last row was fetched.
    pub(super) auto_close: bool,
    /// What is no query may run without a cursor.
    pub(super) direct: bool,
}

/// The concurrency of every cursor: nothing can be changed through one.
pub(super) const CONCURRENCY: i32 = READ_ONLY;

impl Options {
    /// Decides by the values that a driver sent.
    ///
    /// # Errors
    /// 16902 for values that contradict themselves, 16955 when what the engine has is not acceptable.
    pub(super) fn decide(procedure: &str, scroll: i32, concurrency: i32) -> Result<Self, SqlError> {
        let bad = |name| m::CURSOR_PARAMETER.with(&[procedure, name]);
        let kinds = KEYSET | DYNAMIC | FORWARD_ONLY | STATIC | FAST_FORWARD;
        let wanted = scroll & kinds;
        if wanted.count_ones() > 1 {
            return Err(bad("scrollopt"));
        }
        if (concurrency & 0xF).count_ones() > 1 {
            return Err(bad("ccopt"));
        }
        let kind = match wanted {
            FORWARD_ONLY => Kind::ForwardOnly,
            FAST_FORWARD => Kind::FastForward,
            _ => Kind::Static,
        };
        let welcome = |options: i32, code: i32| {
            options & CHECK_ACCEPTED == 0
                || options & code != 0
                || options & (code << ACCEPTABLE_SHIFT) != 0
        };
        if !welcome(scroll, kind.code()) || !welcome(concurrency, READ_ONLY) {
            return Err(m::CURSOR_NOT_ACCEPTABLE.with(&[]));
        }
        let auto = kind == Kind::FastForward;
        Ok(Self {
            kind,
            parameterized: scroll & PARAMETERIZED != 0,
            auto_fetch: auto && scroll & AUTO_FETCH != 0,
            auto_close: auto && scroll & AUTO_CLOSE != 0,
            direct: concurrency & ALLOW_DIRECT != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drivers_ask_and_get() {
        let check = |scroll: i32, concurrency: i32, expected: Result<Kind, i32>| {
            let found = Options::decide("sp_cursoropen", scroll, concurrency);
            let found = found.map(|o| o.kind).map_err(|error| error.number);
            assert_eq!(found, expected, "0x{scroll:X} 0x{concurrency:X}");
        };
        check(0, 0, Ok(Kind::Static));
        // jTDS: each type of result set, parameterized or not, to be changed or not.
        check(8, 1, Ok(Kind::Static));
        check(0x1001, 2, Ok(Kind::Static));
        check(4, 1, Ok(Kind::ForwardOnly));
        // The JDBC driver's selectMethod=cursor.
        check(0x1010, 0x2001, Ok(Kind::FastForward));
        // ODBC: a dynamic cursor, or another that is acceptable.
        check(0x1_8002 | 0x8_0000, 0x1_8001, Ok(Kind::Static));
        check(0x2_8002, 0x1_8001, Err(16_955));
        check(0x8_8008, 0x8_8004, Err(16_955));
        check(3, 1, Err(16_902));
        check(1, 3, Err(16_902));
    }

    #[test]
    fn only_fast_forward_cursors_fetch_and_close_by_themselves() {
        let auto = AUTO_FETCH | AUTO_CLOSE;
        let fast = Options::decide("", FAST_FORWARD | auto, READ_ONLY | ALLOW_DIRECT).unwrap();
        assert!(fast.auto_fetch && fast.auto_close && fast.direct);
        let plain = Options::decide("", STATIC | auto, READ_ONLY).unwrap();
        assert!(!plain.auto_fetch && !plain.auto_close && !plain.direct);
    }
}
