//! What differs between two sets of definitions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Cells of the table that finds common lines, at most; beyond, all lines between the common ends are shown.
const TABLE_CELLS_MAX: usize = 4_000_000;

/// A definition as its script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) script: String,
}

/// `+ KIND name` for what is new, `- KIND name` for what is gone, `~ KIND name` and the lines that differ for
/// what is changed. Empty when nothing differs.
pub(super) fn differences(before: &[Definition], after: &[Definition]) -> String {
    let (before, after) = (by_name(before), by_name(after));
    let mut shown = String::new();
    for (key, old) in &before {
        let written = match after.get(key) {
            None => writeln!(shown, "- {} {}", key.0, key.1),
            Some(new) if new != old => {
                let lines = lines(old, new);
                write!(shown, "~ {} {}\n{lines}", key.0, key.1)
            }
            Some(_) => Ok(()),
        };
        written.expect("writing to a string cannot fail");
    }
    for key in after.keys().filter(|key| !before.contains_key(*key)) {
        writeln!(shown, "+ {} {}", key.0, key.1).expect("writing to a string cannot fail");
    }
    shown.trim_end().to_owned()
}

/// Scripts by kind and name. Schedules may share a name: theirs are told apart by their order.
fn by_name(definitions: &[Definition]) -> BTreeMap<(&str, &str, usize), &str> {
    let mut named = BTreeMap::new();
    for one in definitions {
        let mut at = 0;
        while named.contains_key(&(&*one.kind, &*one.name, at)) {
            at += 1;
        }
        named.insert((&*one.kind, &*one.name, at), &*one.script);
    }
    named
}

/// Lines of `old` that are gone (`-`) and lines of `new` that came (`+`), in order.
fn lines(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.lines().map(str::trim_end).collect();
    let new: Vec<&str> = new.lines().map(str::trim_end).collect();
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let mut shown = String::new();
    let mut show = |mark: char, line: &str| {
        writeln!(shown, "    {mark} {}", line.trim_start())
            .expect("writing to a string cannot fail");
    };
    let common = common(old, new);
    let (mut i, mut j) = (0, 0);
    for (next_i, next_j) in common.into_iter().chain([(old.len(), new.len())]) {
        for line in &old[i..next_i] {
            show('-', line);
        }
        for line in &new[j..next_j] {
            show('+', line);
        }
        (i, j) = (next_i + 1, next_j + 1);
    }
    shown
}

/// Places of a longest common subsequence, ascending; none where the texts are too long to look.
fn common(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let width = new.len() + 1;
    if (old.len() + 1).saturating_mul(width) > TABLE_CELLS_MAX {
        return Vec::new();
    }
    // longest[i][j]: common lines of old[i..] and new[j..].
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let mut places = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            places.push((i, j));
            i += 1;
            j += 1;
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(kind: &str, name: &str, script: &str) -> Definition {
        Definition {
            kind: kind.to_owned(),
            name: name.to_owned(),
            script: script.to_owned(),
        }
    }

    #[test]
    fn what_is_new_gone_and_changed() {
        let before = [
            definition("JOB", "gone", "x"),
            definition("JOB", "kept", "a\nb"),
            definition("JOB", "changed", "a\n\t\t@x=1,\nb\nc\nd"),
            definition("SCHEDULE", "twin", "1"),
            definition("SCHEDULE", "twin", "2"),
        ];
        let after = [
            definition("JOB", "kept", "a\nb"),
            definition("JOB", "changed", "a\n\t\t@x=2,\nb\nnew\nd"),
            definition("ALERT", "new", "y"),
            definition("SCHEDULE", "twin", "1"),
            definition("SCHEDULE", "twin", "3"),
        ];
        let shown = [
            "~ JOB changed",
            "    - @x=1,",
            "    + @x=2,",
            "    - c",
            "    + new",
            "- JOB gone",
            "~ SCHEDULE twin",
            "    - 2",
            "    + 3",
            "+ ALERT new",
        ];
        assert_eq!(differences(&before, &after), shown.join("\n"));
        assert_eq!(differences(&before, &before), "");
    }

    #[test]
    fn long_texts_are_shown_whole_between_their_ends() {
        let long = |middle: &str| format!("first\n{}last", format!("{middle}\n").repeat(3_000));
        let shown = lines(&long("a"), &long("b"));
        assert_eq!(shown.lines().count(), 6_000);
        assert!(shown.starts_with("    - a\n") && shown.ends_with("    + b\n"));
    }
}
