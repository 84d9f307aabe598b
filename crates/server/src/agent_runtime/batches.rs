//! A T-SQL step's text as batches: GO on a line of its own divides them.

/// Most repetitions that `GO n` may ask for.
pub(super) const GO_COUNT_MAX: u32 = 1_000_000;

/// A batch of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch<'t> {
    /// Its text, without the GO.
    pub(super) text: &'t str,
    /// Lines of the script before it.
    pub(super) lines_before: u32,
    /// How often it runs.
    pub(super) count: u32,
}

/// Where a scan stands at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    /// `/* … */`, nested so deep.
    Comment(u32),
    /// Until this character; doubled it stands for itself, which needs no care here.
    Quoted(u8),
}

/// The batches of a script. GO counts in code only: not within a comment, a string or a quoted name.
/// Batches of blanks alone are left out.
pub(super) fn batches(script: &str) -> Vec<Batch<'_>> {
    let mut found = Vec::new();
    let mut inside = Inside::Code;
    let mut begin = 0;
    let mut begin_line = 0;
    let mut at = 0;
    let mut line_number = 0;
    for line in script.split_inclusive('\n') {
        line_number += 1;
        if inside == Inside::Code
            && let Some(count) = go_count(line)
        {
            push(&mut found, &script[begin..at], begin_line, count);
            begin = at + line.len();
            begin_line = line_number;
        } else {
            inside = scan(line.as_bytes(), inside);
        }
        at += line.len();
    }
    push(&mut found, &script[begin..], begin_line, 1);
    found
}

fn push<'t>(found: &mut Vec<Batch<'t>>, text: &'t str, lines_before: u32, count: u32) {
    if count > 0 && !text.trim().is_empty() {
        found.push(Batch {
            text,
            lines_before,
            count,
        });
    }
}

/// The repetitions of a GO line; `None` where the line is none.
fn go_count(line: &str) -> Option<u32> {
    let line = line.split("--").next().unwrap_or_default().trim();
    let (word, rest) = line.split_at_checked(2)?;
    if !word.eq_ignore_ascii_case("GO") {
        return None;
    }
    if rest.is_empty() {
        return Some(1);
    }
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    let count: u32 = rest.trim().parse().ok()?;
    (count <= GO_COUNT_MAX).then_some(count)
}

fn scan(line: &[u8], mut inside: Inside) -> Inside {
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        let next = line.get(at + 1).copied();
        at += 1;
        inside = match (inside, byte, next) {
            (Inside::Code, b'-', Some(b'-')) => return Inside::Code,
            (Inside::Code, b'/', Some(b'*')) => {
                at += 1;
                Inside::Comment(1)
            }
            (Inside::Code, b'\'' | b'"', _) => Inside::Quoted(byte),
            (Inside::Code, b'[', _) => Inside::Quoted(b']'),
            (Inside::Comment(depth), b'/', Some(b'*')) => {
                at += 1;
                Inside::Comment(depth.saturating_add(1))
            }
            (Inside::Comment(depth), b'*', Some(b'/')) => {
                at += 1;
                if depth > 1 {
                    Inside::Comment(depth - 1)
                } else {
                    Inside::Code
                }
            }
            (Inside::Quoted(end), found, _) if found == end => Inside::Code,
            (same, _, _) => same,
        };
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_divides() {
        let check = |script: &str, expected: &[(&str, u32, u32)]| {
            let found: Vec<(&str, u32, u32)> = batches(script)
                .iter()
                .map(|batch| (batch.text.trim(), batch.lines_before, batch.count))
                .collect();
            assert_eq!(found, expected, "{script}");
        };
        check("select 1", &[("select 1", 0, 1)]);
        check("a\nGO\nb\n", &[("a", 0, 1), ("b", 2, 1)]);
        check(
            "a\r\n  go  -- done\r\nb\r\ngo 3",
            &[("a", 0, 1), ("b", 2, 3)],
        );
        check("GO\nGO\n\nGO\na", &[("a", 4, 1)]);
        check("a\nGO 0\nb", &[("b", 2, 1)]);
        check("a\nGOTO x\nb\nGO x", &[("a\nGOTO x\nb\nGO x", 0, 1)]);
        check(
            "/* a\nGO\n/* b */\nGO\n*/ c\nGO\nd",
            &[("/* a\nGO\n/* b */\nGO\n*/ c", 0, 1), ("d", 6, 1)],
        );
        check(
            "print 'a\nGO\nit''s'\nGO\nb",
            &[("print 'a\nGO\nit''s'", 0, 1), ("b", 4, 1)],
        );
        check("select [x\nGO\n]\ngo", &[("select [x\nGO\n]", 0, 1)]);
        check("-- it's\nGO\nb", &[("-- it's", 0, 1), ("b", 2, 1)]);
        check("", &[]);
        check("a\nGO 99999999999", &[("a\nGO 99999999999", 0, 1)]);
    }
}
