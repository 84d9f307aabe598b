//! LIKE patterns of filter parameters.

/// Longest pattern and text compared, in characters; beyond, nothing matches.
const LIKE_CHARS_MAX: usize = 4_000;

/// Whether `part` occurs in `text`, without regard to case.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Whether `text` is LIKE `pattern`, without regard to case: `%` any run, `_` any one character,
/// `[a-f]`, `[^a-f]` one of (not of) a set.
///
/// Takes time in proportion to text × pattern at most.
pub(crate) fn like(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    if text.len() > LIKE_CHARS_MAX || pattern.len() > LIKE_CHARS_MAX {
        return false;
    }
    let tokens = tokens(&pattern);
    // The usual greedy walk: on a mismatch, go back to the last `%` and let it take one more character.
    let (mut at, mut token, mut star) = (0, 0, None);
    while at < text.len() {
        match tokens.get(token) {
            Some(Token::Any) => {
                star = Some((token, at));
                token += 1;
            }
            Some(one) if one.admits(text[at]) => {
                at += 1;
                token += 1;
            }
            _ => {
                let Some((any, taken)) = star else {
                    return false;
                };
                star = Some((any, taken + 1));
                at = taken + 1;
                token = any + 1;
            }
        }
    }
    tokens[token..]
        .iter()
        .all(|token| matches!(token, Token::Any))
}

enum Token {
    Any,
    One,
    Char(char),
    Set {
        not: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Token {
    fn admits(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Char(own) => *own == c,
            Self::Set { not, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *not
            }
        }
    }
}

fn tokens(pattern: &[char]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while let Some(c) = pattern.get(at) {
        at += 1;
        match c {
            '%' => tokens.push(Token::Any),
            '_' => tokens.push(Token::One),
            '[' => match pattern[at..].iter().position(|c| *c == ']') {
                Some(length) => {
                    tokens.push(set(&pattern[at..at + length]));
                    at += length + 1;
                }
                None => tokens.push(Token::Char('[')),
            },
            other => tokens.push(Token::Char(*other)),
        }
    }
    tokens
}

fn set(inside: &[char]) -> Token {
    let (not, mut rest) = match inside {
        ['^', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut ranges = Vec::new();
    loop {
        match rest {
            [low, '-', high, tail @ ..] => {
                ranges.push((*low, *high));
                rest = tail;
            }
            [one, tail @ ..] => {
                ranges.push((*one, *one));
                rest = tail;
            }
            [] => return Token::Set { not, ranges },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn patterns() {
        for (text, pattern, matches) in [
            ("Nightly backup", "%BACKUP", true),
            ("Nightly backup", "night_y%", true),
            ("abc", "[a-c][^x]c", true),
            ("abc", "[a-c][^b]c", false),
            ("", "%", true),
            ("", "", true),
            ("a", "", false),
            ("a[b", "a[b", true),
            ("aaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%c", false),
        ] {
            assert_eq!(like(text, pattern), matches, "{text} LIKE {pattern}");
        }
    }
}
