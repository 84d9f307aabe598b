//! What a client makes of a script: batches, commands, variables.

use std::collections::BTreeMap;
use tsql::parser::{LineScanner, go_count};

/// What a line asks the client to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Send this text, so often.
    Run {
        /// The batch.
        text: String,
        /// How often.
        count: u32,
    },
    /// `:r FILE`
    Include(String),
    /// `:listvar`: these variables.
    List(Vec<(String, String)>),
    /// `:on error exit` is true, `:on error ignore` false.
    OnError(bool),
    /// `:quit`, `:exit`
    Quit,
}

/// A client command that is wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScriptError {
    /// A variable that nobody set.
    #[error("'{0}' scripting variable not defined")]
    Undefined(String),
    /// A command that this client does not have.
    #[error("command {0} is not supported")]
    Unsupported(String),
    /// A command with wrong arguments.
    #[error("wrong arguments: {0}")]
    Syntax(String),
}

/// The lines read so far, and the variables.
#[derive(Debug)]
pub(super) struct Script {
    batch: String,
    scanner: LineScanner,
    /// By name in capitals.
    variables: BTreeMap<String, String>,
    /// Whether `$(NAME)` is replaced.
    substitute: bool,
}

impl Script {
    pub(super) fn new(variables: &[(String, String)], substitute: bool) -> Self {
        let upper = |(name, value): &(String, String)| (name.to_uppercase(), value.clone());
        Self {
            batch: String::new(),
            scanner: LineScanner::default(),
            variables: variables.iter().map(upper).collect(),
            substitute,
        }
    }

    /// How many lines the batch under way has, for a prompt.
    pub(super) fn lines(&self) -> usize {
        self.batch.lines().count()
    }

    /// Takes a line, with or without its line end.
    ///
    /// # Errors
    /// [`ScriptError`]; the script cannot go on.
    pub(super) fn line(&mut self, line: &str) -> Result<Option<Action>, ScriptError> {
        if self.scanner.in_code() {
            let line = line.trim_end_matches(['\r', '\n']);
            if let Some(count) = go_count(line) {
                let text = std::mem::take(&mut self.batch);
                let run = count > 0 && !text.trim().is_empty();
                return Ok(run.then_some(Action::Run { text, count }));
            }
            if let Some((name, rest)) = command(line) {
                return self.command(&name, rest);
            }
        }
        let line = self.expand(line)?;
        self.scanner.follow(&line);
        self.batch.push_str(&line);
        Ok(None)
    }

    /// The batch that no GO ended.
    pub(super) fn finish(&mut self) -> Option<Action> {
        self.scanner = LineScanner::default();
        let text = std::mem::take(&mut self.batch);
        (!text.trim().is_empty()).then_some(Action::Run { text, count: 1 })
    }

    fn command(&mut self, name: &str, rest: &str) -> Result<Option<Action>, ScriptError> {
        let expanded = self.expand(rest)?;
        let rest = expanded.trim();
        let syntax = || ScriptError::Syntax(format!(":{name} {rest}"));
        match name {
            "r" => match unquote(rest) {
                "" => Err(syntax()),
                file => Ok(Some(Action::Include(file.to_owned()))),
            },
            "setvar" => {
                let (variable, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                if !is_variable_name(variable) {
                    return Err(syntax());
                }
                let value = unquote(value.trim());
                if value.is_empty() {
                    self.variables.remove(&variable.to_uppercase());
                } else {
                    let value = value.to_owned();
                    self.variables.insert(variable.to_uppercase(), value);
                }
                Ok(None)
            }
            "listvar" => {
                let all = self.variables.iter();
                let all = all.map(|(name, value)| (name.clone(), value.clone()));
                Ok(Some(Action::List(all.collect())))
            }
            "on" => {
                let words: Vec<_> = rest.split_whitespace().map(str::to_lowercase).collect();
                match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                    ["error", "exit"] => Ok(Some(Action::OnError(true))),
                    ["error", "ignore"] => Ok(Some(Action::OnError(false))),
                    _ => Err(syntax()),
                }
            }
            "reset" => {
                self.batch.clear();
                Ok(None)
            }
            "quit" => Ok(Some(Action::Quit)),
            "exit" if rest.is_empty() => Ok(Some(Action::Quit)),
            _ => Err(ScriptError::Unsupported(format!(":{name}"))),
        }
    }

    /// The line with `$(NAME)` replaced, comments aside.
    fn expand(&self, line: &str) -> Result<String, ScriptError> {
        if !self.substitute || !line.contains("$(") {
            return Ok(line.to_owned());
        }
        let comments = self.scanner.clone().follow(line);
        let mut expanded = String::with_capacity(line.len());
        let mut at = 0;
        while let Some(found) = line.get(at..).and_then(|rest| rest.find("$(")) {
            let start = at + found;
            expanded.push_str(line.get(at..start).unwrap_or_default());
            let name = line.get(start + 2..).and_then(|rest| rest.split_once(')'));
            let name = name
                .map(|(name, _)| name)
                .filter(|name| is_variable_name(name));
            let commented = comments.iter().any(|range| range.contains(&start));
            match name {
                Some(name) if !commented => {
                    expanded.push_str(&self.value(name)?);
                    at = start + 2 + name.len() + 1;
                }
                // Not a variable of the client: a token of the agent, or a comment.
                Some(_) | None => {
                    expanded.push_str("$(");
                    at = start + 2;
                }
            }
        }
        expanded.push_str(line.get(at..).unwrap_or_default());
        Ok(expanded)
    }

    /// The value of a variable: the script's, else the environment's.
    fn value(&self, name: &str) -> Result<String, ScriptError> {
        if let Some(value) = self.variables.get(&name.to_uppercase()) {
            return Ok(value.clone());
        }
        std::env::var(name).map_err(|_| ScriptError::Undefined(name.to_owned()))
    }
}

/// Whether a word can name a variable: letters, digits, `_` and `-`.
pub(super) fn is_variable_name(name: &str) -> bool {
    let valid = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && name.chars().all(valid)
}

/// The client command on a line, in small letters, and what follows it.
fn command(line: &str) -> Option<(String, &str)> {
    let text = line.trim();
    if let Some(command) = text.strip_prefix(':') {
        let end = command.find(|c: char| !c.is_alphabetic());
        let (name, rest) = command.split_at(end.unwrap_or(command.len()));
        return (!name.is_empty()).then(|| (name.to_lowercase(), rest));
    }
    // Commands of old, which need no colon.
    let bare = ["quit", "exit", "reset"];
    let found = bare
        .into_iter()
        .find(|name| text.eq_ignore_ascii_case(name));
    found.map(|name| (name.to_owned(), ""))
}

fn unquote(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a script does, one line each.
    fn play(text: &str) -> Vec<String> {
        let variables = [("Who".to_owned(), "x".to_owned())];
        let mut script = Script::new(&variables, true);
        let mut done = Vec::new();
        for line in text.split_inclusive('\n') {
            match script.line(line) {
                Ok(Some(Action::Run { text, count })) => done.push(format!("{count} × {text:?}")),
                Ok(Some(action)) => done.push(format!("{action:?}")),
                Ok(None) => {}
                Err(error) => {
                    done.push(error.to_string());
                    return done;
                }
            }
        }
        if let Some(Action::Run { text, .. }) = script.finish() {
            done.push(format!("end {text:?}"));
        }
        done
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(play(text), expected);
    }

    #[test]
    fn batches() {
        check(
            "a\r\nGO\r\nb\nGO 3\nc",
            &["1 × \"a\\r\\n\"", "3 × \"b\\n\"", "end \"c\""],
        );
        check("GO\nGO 2\n\nGO", &[]);
        check("'\nGO\n:quit\n'\nGO", &["1 × \"'\\nGO\\n:quit\\n'\\n\""]);
        check("a\nGO 0\nb\nGO", &["1 × \"b\\n\""]);
    }

    #[test]
    fn commands() {
        check(
            ":r \"a b.sql\"\n:on error exit\n:On Error IGNORE\n",
            &["Include(\"a b.sql\")", "OnError(true)", "OnError(false)"],
        );
        check("a\n:reset\nb\nEXIT\n", &["Quit", "end \"b\\n\""]);
        check("a\nreset\nquit", &["Quit"]);
        check(":connect x\n", &["command :connect is not supported"]);
        check(":exit(SELECT 1)\n", &["command :exit is not supported"]);
        check(":r\n", &["wrong arguments: :r "]);
    }

    #[test]
    fn variables() {
        check("SELECT '$(who)', [$(WHO)]", &["end \"SELECT 'x', [x]\""]);
        check(":setvar a \"1 2\"\n$(a)$(who)\nGO\n", &["1 × \"1 2x\\n\""]);
        check(
            ":setvar a 1\n:setvar a\n$(a)\n",
            &["'a' scripting variable not defined"],
        );
        check(
            "-- $(no)\n/* $(no) */ $(Who) /* \n$(no) */",
            &["end \"-- $(no)\\n/* $(no) */ x /* \\n$(no) */\""],
        );
        check(
            "$(ESCAPE_SQUOTE(JOBID)) $(date +%Y) $(",
            &["end \"$(ESCAPE_SQUOTE(JOBID)) $(date +%Y) $(\""],
        );
        check(":listvar", &["List([(\"WHO\", \"x\")])"]);
        let mut script = Script::new(&[], false);
        assert_eq!(script.line("$(a)"), Ok(None));
        let text = "$(a)".to_owned();
        assert_eq!(script.finish(), Some(Action::Run { text, count: 1 }));
    }
}
