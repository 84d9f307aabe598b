//! Cutting a script at its GO lines, as a client does before it sends anything.

use std::ops::Range;

/// A part of a script between GO lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptBatch<'a> {
    /// The text, without its GO line.
    pub text: &'a str,
    /// Line of the script on which the text begins, from 1.
    pub line: u32,
    /// How often it runs: `GO 5`. From 0; 1 without a number.
    pub count: u32,
}

/// Cuts a script at lines that hold `GO` or `GO n` alone, blanks and a comment behind it aside.
///
/// A GO inside a string, a quoted name or a block comment is no separator. Batches without a word are
/// left out.
#[must_use]
pub fn split_batches(script: &str) -> Vec<ScriptBatch<'_>> {
    let script = script.strip_prefix('\u{feff}').unwrap_or(script);
    let mut batches = Vec::new();
    let mut scanner = LineScanner::default();
    let mut batch_start = 0;
    let mut batch_line = 1;
    let mut at = 0;
    for (text, line) in script.split_inclusive('\n').zip(1_u32..) {
        let next = at + text.len();
        if scanner.in_code()
            && let Some(count) = go_count(text)
        {
            push(&mut batches, script.get(batch_start..at), batch_line, count);
            batch_start = next;
            batch_line = line + 1;
        } else {
            scanner.follow(text);
        }
        at = next;
    }
    push(&mut batches, script.get(batch_start..), batch_line, 1);
    batches
}

fn push<'a>(batches: &mut Vec<ScriptBatch<'a>>, text: Option<&'a str>, line: u32, count: u32) {
    if let Some(text) = text
        && !text.trim().is_empty()
    {
        batches.push(ScriptBatch { text, line, count });
    }
}

/// How often the batch before a GO line runs; `None` when the line is no GO.
///
/// The line must begin in code ([`LineScanner::in_code`]).
#[must_use]
pub fn go_count(line: &str) -> Option<u32> {
    let mut words = line.split("--").next()?.split_whitespace();
    let first = words.next()?.trim_end_matches(';');
    if !first.eq_ignore_ascii_case("GO") {
        return None;
    }
    let count = match words.next() {
        Some(word) => word.trim_end_matches(';').parse().ok()?,
        None => 1,
    };
    words.next().is_none().then_some(count)
}

/// Follows a script line by line: what a line begins in, and where its comments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineScanner {
    state: State,
}

/// What the next character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Code,
    /// Inside a mark that closes with this character.
    Quoted(char),
    /// Inside this many block comments.
    Comment(u32),
}

impl LineScanner {
    /// Whether the next line begins outside strings, quoted names and block comments.
    #[must_use]
    pub fn in_code(&self) -> bool {
        self.state == State::Code
    }

    /// Takes a line, with or without its line end. Returns the byte ranges of its comments.
    pub fn follow(&mut self, line: &str) -> Vec<Range<usize>> {
        let mut comments = Vec::new();
        let mut opened = 0;
        let mut chars = line.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            match self.state {
                State::Code => match (c, next) {
                    ('-', Some('-')) => {
                        comments.push(at..line.len());
                        return comments;
                    }
                    ('/', Some('*')) => {
                        chars.next();
                        opened = at;
                        self.state = State::Comment(1);
                    }
                    ('\'' | '"', _) => self.state = State::Quoted(c),
                    ('[', _) => self.state = State::Quoted(']'),
                    _ => {}
                },
                // A doubled mark closes and opens again, which comes to the same.
                State::Quoted(close) if c == close => self.state = State::Code,
                State::Quoted(_) => {}
                State::Comment(depth) => match (c, next) {
                    ('/', Some('*')) => {
                        chars.next();
                        self.state = State::Comment(depth.saturating_add(1));
                    }
                    ('*', Some('/')) => {
                        chars.next();
                        if depth > 1 {
                            self.state = State::Comment(depth - 1);
                        } else {
                            comments.push(opened..at + 2);
                            self.state = State::Code;
                        }
                    }
                    _ => {}
                },
            }
        }
        if let State::Comment(_) = self.state {
            comments.push(opened..line.len());
        }
        comments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, expected: &[(&str, u32, u32)]) {
        let batches = split_batches(script);
        let found: Vec<_> = batches.iter().map(|b| (b.text, b.line, b.count)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn go_lines_cut() {
        check("a\nGO\nb", &[("a\n", 1, 1), ("b", 3, 1)]);
        check(
            "a\r\n go 3 -- three\r\n\r\nb\r\n",
            &[("a\r\n", 1, 3), ("\r\nb\r\n", 3, 1)],
        );
        check("GO\nGO\na\nGO", &[("a\n", 3, 1)]);
        check("\u{feff}a\ngo;\n", &[("a\n", 1, 1)]);
        check("", &[]);
    }

    #[test]
    fn what_is_no_go() {
        for script in [
            "'\nGO\n'",
            "[\nGO\n]",
            "\"\nGO\n\"",
            "/*\nGO\n*/ x",
            "/* /* */\nGO\n*/ x",
            "a GO\nGOTO b\nGO x\nGO 1 2\n",
            "'it''s\nGO\n'",
        ] {
            check(script, &[(script, 1, 1)]);
        }
        check("/* a */ '\nGO\n'", &[("/* a */ '\nGO\n'", 1, 1)]);
        check("-- it's\nGO\nb", &[("-- it's\n", 1, 1), ("b", 3, 1)]);
        check("/* ' */\nGO\nb", &[("/* ' */\n", 1, 1), ("b", 3, 1)]);
    }

    #[test]
    fn comments_have_their_places() {
        let mut scanner = LineScanner::default();
        assert_eq!(scanner.follow("a /* b */ c -- d"), [2..9, 12..16]);
        assert_eq!(scanner.follow("'--' /* x"), vec![5..9]);
        assert!(!scanner.in_code());
        assert_eq!(scanner.follow("y */ z"), vec![0..4]);
        assert!(scanner.in_code());
    }
}
