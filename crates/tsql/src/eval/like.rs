//! LIKE and PATINDEX patterns.

use super::collate;
use crate::bind::ir::Collation;
use std::cmp::Ordering;

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// `%`
    Any,
    /// `_`
    One,
    /// A character.
    Char(char),
    /// `[…]`, `[^…]`
    Class {
        /// `^`
        negated: bool,
        /// Ranges; single characters are ranges of one.
        ranges: Vec<(char, char)>,
    },
}

/// Whether the whole text matches a pattern.
#[must_use]
pub fn like(text: &str, pattern: &str, escape: Option<char>, collation: Collation) -> bool {
    let parts = parse(pattern, escape);
    let chars: Vec<char> = text.chars().collect();
    if matches(&parts, &chars, collation) {
        return true;
    }
    // Blanks at the end of the text do not count unless the pattern asks for them.
    let kept = text.trim_end_matches(' ').chars().count();
    kept < chars.len() && matches(&parts, &chars[..kept], collation)
}

/// Position of the first match of a pattern in a text, from 1; 0 without one. As PATINDEX, `%` in front of the
/// pattern lets the match float.
pub(super) fn patindex(pattern: &str, text: &str) -> usize {
    let chars: Vec<char> = text.chars().collect();
    let parts = parse(pattern, None);
    let collation = Collation::CaseInsensitive;
    match parts.split_first() {
        Some((Part::Any, rest)) => (0..=chars.len())
            .find(|start| matches(rest, &chars[*start..], collation))
            .map_or(0, |start| start + 1),
        _ => usize::from(matches(&parts, &chars, collation)),
    }
}

fn parse(pattern: &str, escape: Option<char>) -> Vec<Part> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut parts = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        at += 1;
        if Some(c) == escape {
            if let Some(next) = chars.get(at) {
                parts.push(Part::Char(*next));
                at += 1;
            }
            continue;
        }
        match c {
            '%' if parts.last() == Some(&Part::Any) => {}
            '%' => parts.push(Part::Any),
            '_' => parts.push(Part::One),
            '[' => match class(&chars[at..], escape) {
                Some((part, used)) => {
                    parts.push(part);
                    at += used;
                }
                None => parts.push(Part::Char('[')),
            },
            other => parts.push(Part::Char(other)),
        }
    }
    parts
}

/// The class that starts behind a `[`, and how many characters it takes with its `]`; `None` when nothing closes it.
fn class(chars: &[char], escape: Option<char>) -> Option<(Part, usize)> {
    let negated = chars.first() == Some(&'^');
    let mut at = usize::from(negated);
    let mut ranges = Vec::new();
    loop {
        let mut c = *chars.get(at)?;
        at += 1;
        // A bracket closes unless it comes first and another follows: `[]]` holds a bracket.
        if c == ']' && (!ranges.is_empty() || !chars[at..].contains(&']')) {
            return Some((Part::Class { negated, ranges }, at));
        }
        if Some(c) == escape {
            c = *chars.get(at)?;
            at += 1;
        }
        match (chars.get(at), chars.get(at + 1)) {
            (Some('-'), Some(end)) if *end != ']' => {
                ranges.push((c, *end));
                at += 2;
            }
            _ => ranges.push((c, c)),
        }
    }
}

/// Greedy with one point to fall back to: no worse than text times pattern.
fn matches(parts: &[Part], text: &[char], collation: Collation) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut fallback: Option<(usize, usize)> = None;
    while t < text.len() {
        match parts.get(p) {
            Some(Part::Any) => {
                p += 1;
                fallback = Some((p, t));
            }
            Some(part) if admits(part, text[t], collation) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((next, from)) = fallback else {
                    return false;
                };
                p = next;
                t = from + 1;
                fallback = Some((next, t));
            }
        }
    }
    parts[p..].iter().all(|part| *part == Part::Any)
}

fn admits(part: &Part, c: char, collation: Collation) -> bool {
    let order = |a, b| collate::compare_chars(a, b, collation);
    match part {
        Part::Any | Part::One => true,
        Part::Char(expected) => order(*expected, c) == Ordering::Equal,
        Part::Class { negated, ranges } => {
            let inside = ranges.iter().any(|(low, high)| {
                order(c, *low) != Ordering::Less && order(c, *high) != Ordering::Greater
            });
            inside != *negated
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_documented() {
        let check = |text: &str, pattern: &str, expected: bool| {
            assert_eq!(
                like(text, pattern, None, Collation::CaseInsensitive),
                expected,
                "{text:?} LIKE {pattern:?}"
            );
        };
        check("Backup nightly", "back%", true);
        check("Backup", "_ackup", true);
        check("Backup", "[a-c]ackup", true);
        check("Backup", "[^a-c]ackup", false);
        check("50%", "50[%]", true);
        check("500", "50[%]", false);
        check("a[b", "a[[]b", true);
        check("a[b", "a[b", true);
        check("abc", "abc   ", false);
        check("abc   ", "abc", true);
        check("", "%", true);
        check("aXbXc", "%b%c", true);
        check("a]b", "a]b", true);
        check("a-b", "a[-]b", true);
        assert!(like("10%", "10!%", Some('!'), Collation::CaseInsensitive));
        assert!(!like("101", "10!%", Some('!'), Collation::CaseInsensitive));
        assert_eq!(patindex("%[0-9]%", "job 12"), 5);
        assert_eq!(patindex("%z%", "job"), 0);
        assert_eq!(patindex("job", "job"), 1);
    }
}
