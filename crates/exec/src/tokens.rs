//! Tokens in step commands and output file names: `$(ESCAPE_SQUOTE(JOBID))` and kin.
//!
//! Source: "Use Tokens in Job Steps". Names are case-sensitive, values are put in as text, and a token
//! without an ESCAPE macro fails the step. Anything else behind `$(` is left alone: in a shell it is a
//! command.

use jiff::civil::DateTime;
use model::job::STEP_COMMAND_BYTES_MAX;
use model::{JobId, encoding};
use std::borrow::Cow;
use std::fmt::Write;

/// What tokens stand for in one try of a step. Dates and times are the instance's local ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenValues<'a> {
    /// DATE and TIME.
    pub now: DateTime,
    /// STRTDT and STRTTM.
    pub job_started: DateTime,
    /// JOBID, written as a binary constant (`0x…`) in the byte order of uniqueidentifier.
    pub job_id: JobId,
    /// JOBNAME.
    pub job_name: &'a str,
    /// STEPID.
    pub step_id: i32,
    /// STEPNAME.
    pub step_name: &'a str,
    /// STEPCT: times this step ran in this run, retries left out.
    pub step_count: u32,
    /// INST: the part of the instance's name behind `\`, or MSSQLSERVER.
    pub instance: &'a str,
    /// SRVR: the instance's whole name.
    pub server: &'a str,
    /// MACH: the computer.
    pub machine: &'a str,
    /// MSSA: service name of the master's Agent.
    pub master_service: &'a str,
    /// SQLDIR: the data directory.
    pub directory: &'a str,
    /// SQLLOGDIR: the directory of logs.
    pub log_directory: &'a str,
}

/// Why a step with tokens cannot run. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A token without an ESCAPE macro.
    #[error("line {line}: the token {name} is used without an ESCAPE macro")]
    Unescaped {
        /// The token.
        name: String,
        /// Where.
        line: usize,
    },
    /// An ESCAPE macro around something that is no token.
    #[error("line {line}: variable {name} not found")]
    Unknown {
        /// What it names.
        name: String,
        /// Where.
        line: usize,
    },
    /// An ESCAPE macro that does not end.
    #[error("line {line}: syntax error in an ESCAPE macro")]
    Syntax {
        /// Where.
        line: usize,
    },
    /// The text grew beyond the longest step command.
    #[error(
        "the command is longer than {STEP_COMMAND_BYTES_MAX} bytes after its tokens were replaced"
    )]
    TooLong,
}

/// Prefix of the program that runs CmdExec steps, the value of OSCMD.
const SHELL_PREFIX: &str = "/bin/sh -c ";

const MACROS: [(&str, Option<char>); 4] = [
    ("ESCAPE_SQUOTE(", Some('\'')),
    ("ESCAPE_DQUOTE(", Some('"')),
    ("ESCAPE_RBRACKET(", Some(']')),
    ("ESCAPE_NONE(", None),
];
/// Tokens that only a run started by an alert has; elsewhere they stay as they are.
const ALERT_TOKENS: [&str; 5] = ["A-DBN", "A-SVR", "A-ERR", "A-SEV", "A-MSG"];
const TOKENS: [&str; 16] = [
    "DATE",
    "TIME",
    "STRTDT",
    "STRTTM",
    "JOBID",
    "JOBNAME",
    "STEPID",
    "STEPNAME",
    "STEPCT",
    "INST",
    "SRVR",
    "MACH",
    "MSSA",
    "OSCMD",
    "SQLDIR",
    "SQLLOGDIR",
];

/// The text with its tokens replaced; borrowed when there is none.
///
/// # Errors
/// A token that is not escaped, not known or not closed.
pub fn replace_tokens<'t>(
    text: &'t str,
    values: &TokenValues<'_>,
) -> Result<Cow<'t, str>, TokenError> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find("$(") {
        let start = at + found;
        let inner = &text[start + 2..];
        at = start + 2;
        match recognise(inner) {
            Piece::Other => {}
            Piece::Bare(name) => {
                return Err(TokenError::Unescaped {
                    name: name.to_owned(),
                    line: line_of(text, start),
                });
            }
            Piece::Broken => {
                return Err(TokenError::Syntax {
                    line: line_of(text, start),
                });
            }
            Piece::Escaped {
                name,
                quote,
                length,
            } => {
                at += length;
                if is_alert_token(name) {
                    continue;
                }
                let value = value_of(name, values).ok_or_else(|| TokenError::Unknown {
                    name: name.to_owned(),
                    line: line_of(text, start),
                })?;
                out.push_str(&text[copied..start]);
                match quote {
                    None => out.push_str(&value),
                    Some(quote) => {
                        for character in value.chars() {
                            out.push(character);
                            if character == quote {
                                out.push(quote);
                            }
                        }
                    }
                }
                copied = at;
                if out.len() > STEP_COMMAND_BYTES_MAX {
                    return Err(TokenError::TooLong);
                }
            }
        }
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(text));
    }
    out.push_str(&text[copied..]);
    if out.len() > STEP_COMMAND_BYTES_MAX {
        return Err(TokenError::TooLong);
    }
    Ok(Cow::Owned(out))
}

/// What stands behind `$(`.
enum Piece<'t> {
    Other,
    Bare(&'t str),
    Broken,
    Escaped {
        name: &'t str,
        quote: Option<char>,
        /// Bytes behind `$(`, both closing parentheses included.
        length: usize,
    },
}

fn recognise(inner: &str) -> Piece<'_> {
    for (word, quote) in MACROS {
        let Some(rest) = inner.strip_prefix(word) else {
            continue;
        };
        let close = if rest.starts_with("WMI(") {
            ")))"
        } else {
            "))"
        };
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        return match line.find(close) {
            Some(end) => {
                let name = &rest[..end + close.len() - 2];
                Piece::Escaped {
                    name,
                    quote,
                    length: word.len() + name.len() + 2,
                }
            }
            None => Piece::Broken,
        };
    }
    let bare = TOKENS.iter().chain(&ALERT_TOKENS).find(|name| {
        inner
            .strip_prefix(**name)
            .is_some_and(|rest| rest.starts_with(')'))
    });
    match bare {
        Some(name) => Piece::Bare(name),
        None if inner.starts_with("WMI(") => Piece::Bare("WMI"),
        None => Piece::Other,
    }
}

fn is_alert_token(name: &str) -> bool {
    ALERT_TOKENS.contains(&name) || name.starts_with("WMI(")
}

fn value_of<'v>(name: &str, values: &'v TokenValues<'_>) -> Option<Cow<'v, str>> {
    let date = |moment: DateTime| Cow::Owned(encoding::date_to_int(moment.date()).to_string());
    let time =
        |moment: DateTime| Cow::Owned(format!("{:06}", encoding::time_to_int(moment.time())));
    Some(match name {
        "DATE" => date(values.now),
        "TIME" => time(values.now),
        "STRTDT" => date(values.job_started),
        "STRTTM" => time(values.job_started),
        "JOBID" => Cow::Owned(values.job_id.0.to_bytes_le().iter().fold(
            String::from("0x"),
            |mut hex, byte| {
                // Writing to a String never fails.
                let _ = write!(hex, "{byte:02X}");
                hex
            },
        )),
        "JOBNAME" => Cow::Borrowed(values.job_name),
        "STEPID" => Cow::Owned(values.step_id.to_string()),
        "STEPNAME" => Cow::Borrowed(values.step_name),
        "STEPCT" => Cow::Owned(values.step_count.to_string()),
        "INST" => Cow::Borrowed(values.instance),
        "SRVR" => Cow::Borrowed(values.server),
        "MACH" => Cow::Borrowed(values.machine),
        "MSSA" => Cow::Borrowed(values.master_service),
        "OSCMD" => Cow::Borrowed(SHELL_PREFIX),
        "SQLDIR" => Cow::Borrowed(values.directory),
        "SQLLOGDIR" => Cow::Borrowed(values.log_directory),
        _ => return None,
    })
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn values() -> TokenValues<'static> {
        TokenValues {
            now: date(2026, 11, 3).at(9, 5, 7, 0),
            job_started: date(2026, 1, 2).at(0, 0, 9, 0),
            job_id: JobId(Uuid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)),
            job_name: "o'clock \"x\" [y]",
            step_id: 3,
            step_name: "copy",
            step_count: 2,
            instance: "MSSQLSERVER",
            server: "T1",
            machine: "host",
            master_service: "SQLSERVERAGENT",
            directory: "/data",
            log_directory: "/data/log",
        }
    }

    #[test]
    fn tokens_become_values() {
        let check = |text: &str, expected: &str| {
            assert_eq!(
                replace_tokens(text, &values()).as_deref(),
                Ok(expected),
                "{text}"
            );
        };
        check("$(ESCAPE_NONE(DATE))", "20261103");
        check("$(ESCAPE_NONE(TIME))", "090507");
        check(
            "$(ESCAPE_NONE(STRTDT))_$(ESCAPE_NONE(STRTTM))",
            "20260102_000009",
        );
        check(
            "$(ESCAPE_NONE(JOBID))",
            "0x0403020106050807090A0B0C0D0E0F10",
        );
        check("'$(ESCAPE_SQUOTE(JOBNAME))'", "'o''clock \"x\" [y]'");
        check("$(ESCAPE_DQUOTE(JOBNAME))", "o'clock \"\"x\"\" [y]");
        check("$(ESCAPE_RBRACKET(JOBNAME))", "o'clock \"x\" [y]]");
        check(
            "a $(ESCAPE_NONE(STEPID)) b $(ESCAPE_NONE(STEPNAME)) c",
            "a 3 b copy c",
        );
        check("$(ESCAPE_NONE(STEPCT))", "2");
        check(
            "$(ESCAPE_NONE(INST)) $(ESCAPE_NONE(SRVR)) $(ESCAPE_NONE(MACH))",
            "MSSQLSERVER T1 host",
        );
        check(
            "$(ESCAPE_NONE(MSSA)) $(ESCAPE_NONE(SQLDIR)) $(ESCAPE_NONE(SQLLOGDIR))",
            "SQLSERVERAGENT /data /data/log",
        );
        check("$(ESCAPE_NONE(OSCMD))x", "/bin/sh -c x");
    }

    #[test]
    fn the_shell_keeps_its_commands() {
        for text in [
            "echo $(date) $((1 + 2)) ${X} $(DATE +%s) $(jobid) $( DATE)",
            "$(ESCAPE_FOO(DATE)) $(escape_none(DATE))",
            "$(ESCAPE_NONE(A-MSG)) $(ESCAPE_SQUOTE(WMI(Name)))",
            "$(",
            "$",
            "",
        ] {
            assert_eq!(replace_tokens(text, &values()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_wrong_fails_the_step() {
        let check = |text: &str, expected: &str| {
            let error = replace_tokens(text, &values()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{text}");
        };
        check(
            "x\necho $(DATE)",
            "line 2: the token DATE is used without an ESCAPE macro",
        );
        check(
            "$(A-MSG)",
            "line 1: the token A-MSG is used without an ESCAPE macro",
        );
        check(
            "$(WMI(x))",
            "line 1: the token WMI is used without an ESCAPE macro",
        );
        check(
            "\n\n$(ESCAPE_NONE(date))",
            "line 3: variable date not found",
        );
        check(
            "$(ESCAPE_NONE(DATE)",
            "line 1: syntax error in an ESCAPE macro",
        );
        check(
            "$(ESCAPE_NONE(DATE\n))",
            "line 1: syntax error in an ESCAPE macro",
        );
        let long = "x".repeat(STEP_COMMAND_BYTES_MAX) + "$(ESCAPE_NONE(DATE))";
        assert_eq!(replace_tokens(&long, &values()), Err(TokenError::TooLong));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_values_are_not_read_again(text in r"(\$\(|ESCAPE_NONE\(|DATE|JOBNAME|\)|WMI\(|ä|\n){0,12}") {
            let mut values = values();
            values.job_name = "$(ESCAPE_NONE(DATE))";
            if let Ok(out) = replace_tokens(&text, &values) {
                let whole = text.matches("$(ESCAPE_NONE(JOBNAME))").count();
                prop_assert_eq!(out.matches("$(ESCAPE_NONE(DATE))").count(), whole);
            }
        }
    }
}
