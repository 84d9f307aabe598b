//! How strings compare: SQL_Latin1_General_CP1_CI_AS in spirit.
//!
//! Blanks at the end do not count, case does not, accents do. Punctuation comes before digits, digits before
//! letters, and an accented letter follows its plain one. Beyond Latin letters the order is that of code points.

use crate::bind::ir::Collation;
use std::cmp::Ordering;

/// Order of two strings under a collation.
#[must_use]
pub fn compare(left: &str, right: &str, collation: Collation) -> Ordering {
    let left = left.trim_end_matches(' ');
    let right = right.trim_end_matches(' ');
    match collation {
        Collation::Binary => left.encode_utf16().cmp(right.encode_utf16()),
        Collation::CaseInsensitive => insensitive(left, right),
        Collation::CaseSensitive => insensitive(left, right).then_with(|| cases(left, right)),
    }
}

/// Whether two names are the same: without regard to case.
#[must_use]
pub fn same(left: &str, right: &str) -> bool {
    compare(left, right, Collation::CaseInsensitive) == Ordering::Equal
}

/// A string whose equality is this order's equality: for sets and maps.
#[must_use]
pub fn key(text: &str) -> String {
    let kept = text.trim_end_matches(' ');
    if kept.is_ascii() {
        kept.to_ascii_lowercase()
    } else {
        kept.chars().flat_map(char::to_lowercase).collect()
    }
}

/// Whether two characters are the same but for case.
pub(super) fn same_char(a: char, b: char) -> bool {
    a == b || a.to_lowercase().eq(b.to_lowercase())
}

/// Order of two characters: by class and letter, then accent.
pub(super) fn compare_chars(a: char, b: char, collation: Collation) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    if collation == Collation::Binary {
        return a.cmp(&b);
    }
    let (x, y) = (lower(a), lower(b));
    let order = weight(x).cmp(&weight(y)).then(x.cmp(&y));
    if collation == Collation::CaseSensitive {
        order.then_with(|| b.is_lowercase().cmp(&a.is_lowercase()))
    } else {
        order
    }
}

fn lower(c: char) -> char {
    let mut folded = c.to_lowercase();
    match (folded.next(), folded.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// Lower case before upper where all else is equal.
fn cases(left: &str, right: &str) -> Ordering {
    left.chars()
        .zip(right.chars())
        .map(|(a, b)| b.is_lowercase().cmp(&a.is_lowercase()))
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

fn insensitive(left: &str, right: &str) -> Ordering {
    let mut accents = Ordering::Equal;
    let mut a = left.chars().map(lower);
    let mut b = right.chars().map(lower);
    loop {
        match (a.next(), b.next()) {
            (None, None) => return accents,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) => {
                let order = weight(x).cmp(&weight(y));
                if order != Ordering::Equal {
                    return order;
                }
                // The same letter under another accent decides only when nothing else does.
                accents = accents.then(x.cmp(&y));
            }
        }
    }
}

/// Class and letter: punctuation, digits, letters; accented Latin letters weigh as their plain ones.
fn weight(c: char) -> (u8, char) {
    let plain = match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => 'a',
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => 'c',
        'ď' => 'd',
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => 'e',
        'ğ' | 'ĝ' | 'ģ' => 'g',
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' => 'i',
        'ł' | 'ľ' | 'ĺ' | 'ļ' => 'l',
        'ñ' | 'ń' | 'ň' | 'ņ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ŕ' | 'ř' => 'r',
        'ś' | 'š' | 'ş' | 'ŝ' => 's',
        'ť' | 'ţ' => 't',
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ų' => 'u',
        'ý' | 'ÿ' => 'y',
        'ź' | 'ž' | 'ż' => 'z',
        other => other,
    };
    let class = if plain.is_alphabetic() {
        2
    } else {
        u8::from(plain.is_numeric())
    };
    (class, plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_compare_as_people_sort_them() {
        let check = |a: &str, b: &str, expected| {
            assert_eq!(
                compare(a, b, Collation::CaseInsensitive),
                expected,
                "{a} {b}"
            );
        };
        check("abc", "ABC  ", Ordering::Equal);
        check("a", "b", Ordering::Less);
        check("_", "1", Ordering::Less);
        check("9", "a", Ordering::Less);
        check("Z", "a", Ordering::Greater);
        check("e", "é", Ordering::Less);
        check("éa", "eb", Ordering::Less);
        check("", " ", Ordering::Equal);
        assert_eq!(compare("a", "A", Collation::CaseSensitive), Ordering::Less);
        assert_eq!(compare("a", "A", Collation::Binary), Ordering::Greater);
        assert_eq!(key("Job "), key("JOB"));
    }
}
