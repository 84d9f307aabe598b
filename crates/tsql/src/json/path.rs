//! JSON paths: `$`, `lax $.a."b c"[0]`, `strict $.a`.

use super::{Kind, Node};
use crate::error::SqlError;
use crate::eval::collate;
use crate::messages as m;

/// A JSON path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// `strict`: what is missing is an error.
    pub(super) strict: bool,
    /// `append`, in JSON_MODIFY.
    pub(super) append: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Item(usize),
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// 13607 with the character that does not fit and its position, from 0.
    pub(super) fn parse(text: &str) -> Result<Self, SqlError> {
        let chars: Vec<char> = text.chars().collect();
        let unexpected = |at: usize| {
            let c = chars.get(at).copied().unwrap_or('.');
            m::JSON_PATH.with(&[&c.to_string(), &at.to_string()])
        };
        let mut at = 0;
        let blanks = |at: &mut usize| {
            while chars.get(*at).is_some_and(|c| c.is_whitespace()) {
                *at += 1;
            }
        };
        let word = |at: &mut usize, word: &str| {
            let end = *at + word.len();
            let hit = chars
                .get(*at..end)
                .is_some_and(|c| c.iter().collect::<String>() == word)
                && chars.get(end).is_some_and(|c| c.is_whitespace());
            if hit {
                *at = end;
                blanks(at);
            }
            hit
        };
        blanks(&mut at);
        let append = word(&mut at, "append");
        let strict = word(&mut at, "strict");
        if !strict {
            word(&mut at, "lax");
        }
        if chars.get(at) != Some(&'$') {
            return Err(unexpected(at));
        }
        at += 1;
        let mut steps = Vec::new();
        loop {
            blanks(&mut at);
            match chars.get(at) {
                None => break,
                Some('.') => {
                    at += 1;
                    let mut name = String::new();
                    if chars.get(at) == Some(&'"') {
                        at += 1;
                        loop {
                            match chars.get(at) {
                                None => return Err(unexpected(at)),
                                Some('"') => break,
                                Some('\\') if chars.get(at + 1).is_some() => {
                                    at += 1;
                                    name.push(chars[at]);
                                }
                                Some(c) => name.push(*c),
                            }
                            at += 1;
                        }
                        at += 1;
                    } else {
                        let fits = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '$');
                        while let Some(c) = chars.get(at).filter(|c| fits(c)) {
                            name.push(*c);
                            at += 1;
                        }
                        if name.is_empty() {
                            return Err(unexpected(at));
                        }
                    }
                    steps.push(Step::Member(name));
                }
                Some('[') => {
                    at += 1;
                    let start = at;
                    while chars.get(at).is_some_and(char::is_ascii_digit) {
                        at += 1;
                    }
                    let digits: String = chars[start..at].iter().collect();
                    let index = digits.parse().map_err(|_| unexpected(at))?;
                    if chars.get(at) != Some(&']') {
                        return Err(unexpected(at));
                    }
                    at += 1;
                    steps.push(Step::Item(index));
                }
                Some(_) => return Err(unexpected(at)),
            }
        }
        Ok(Self {
            strict,
            append,
            steps,
        })
    }

    /// The value that the path leads to.
    pub(super) fn find<'n>(&self, root: &'n Node) -> Option<&'n Node> {
        follow(root, &self.steps)
    }
}

/// The value behind some steps. Names are told apart by case; the first of several is taken.
pub(super) fn follow<'n>(root: &'n Node, steps: &[Step]) -> Option<&'n Node> {
    let mut node = root;
    for step in steps {
        node = match (step, &node.kind) {
            (Step::Member(name), Kind::Object(members)) => {
                &members.iter().find(|member| member.name == *name)?.value
            }
            (Step::Item(at), Kind::Array(items)) => items.get(*at)?,
            _ => return None,
        };
    }
    Some(node)
}

/// Whether two properties of a FOR JSON clause clash.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    collate::same(a, b)
}
