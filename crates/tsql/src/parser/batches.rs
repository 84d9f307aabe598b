//! Cutting a script at its GO lines, as a client does before it sends anything.

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
    let mut state = State::Code;
    let mut batch_start = 0;
    let mut batch_line = 1;
    let mut at = 0;
    let mut line = 1_u32;
    for text in script.split_inclusive('\n') {
        let next = at + text.len();
        if state == State::Code
            && let Some(count) = go(text)
        {
            push(&mut batches, script.get(batch_start..at), batch_line, count);
            batch_start = next;
            batch_line = line + 1;
        } else {
            state = state.after(text);
        }
        at = next;
        line += 1;
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
fn go(line: &str) -> Option<u32> {
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

/// What the next character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    /// Inside a mark that closes with this character.
    Quoted(char),
    /// Inside this many block comments.
    Comment(u32),
}

impl State {
    /// The state at the end of a line. A line comment ends there.
    fn after(self, line: &str) -> Self {
        let mut state = self;
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            let pair = chars.peek().map(|next| (c, *next));
            state = match (state, pair) {
                (Self::Code, Some(('-', '-'))) => return Self::Code,
                (Self::Code, Some(('/', '*'))) => {
                    chars.next();
                    Self::Comment(1)
                }
                (Self::Code, _) => match c {
                    '\'' | '"' => Self::Quoted(c),
                    '[' => Self::Quoted(']'),
                    _ => Self::Code,
                },
                // A doubled mark closes and opens again, which comes to the same.
                (Self::Quoted(close), _) if c == close => Self::Code,
                (Self::Quoted(close), _) => Self::Quoted(close),
                (Self::Comment(depth), Some(('/', '*'))) => {
                    chars.next();
                    Self::Comment(depth.saturating_add(1))
                }
                (Self::Comment(depth), Some(('*', '/'))) => {
                    chars.next();
                    if depth > 1 {
                        Self::Comment(depth - 1)
                    } else {
                        Self::Code
                    }
                }
                (Self::Comment(depth), _) => Self::Comment(depth),
            };
        }
        state
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
        check("-- it's\nGO\nb", &[("-- it's\n", 1, 1), ("b", 3, 1)]);
        check("/* ' */\nGO\nb", &[("/* ' */\n", 1, 1), ("b", 3, 1)]);
    }
}
