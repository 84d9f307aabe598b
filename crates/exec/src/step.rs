//! A step as the launcher sees it: what to start, under which key, and how it ended.

use crate::capture::{CapturedOutput, OUTPUT_LIMIT_BYTES_DEFAULT};
use crate::output_file::OutputFile;
use model::RunId;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How long a stopped step may take to end by SIGTERM before its group gets SIGKILL.
pub const STOP_GRACE_DEFAULT: Duration = Duration::from_secs(5);

/// One try of one step of one run: what is started at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepKey {
    /// The run.
    pub run: RunId,
    /// Which execution of a step within the run, ascending: a loop runs the same step again, so the
    /// step's id alone would not be unique.
    pub sequence: u32,
    /// The step's id in the job, from 1.
    pub step_id: i32,
    /// 0 for the first try, then 1 for the first retry and so on.
    pub attempt: u32,
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}",
            self.run, self.sequence, self.step_id, self.attempt
        )
    }
}

impl StepKey {
    /// The key of a text that [`fmt::Display`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let key = Self {
            run: RunId(uuid::Uuid::try_parse(parts.next()?).ok()?),
            sequence: parts.next()?.parse().ok()?,
            step_id: parts.next()?.parse().ok()?,
            attempt: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(key)
    }
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// Command text for `/bin/sh -c`; several lines are fine.
    Shell(String),
    /// A program and its arguments, looked up in the step's own PATH.
    Argv(Vec<String>),
}

/// Everything the launcher needs to start a step. Standard input is empty; standard output and standard
/// error are one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCommand {
    /// Which step; the same key never starts a second process.
    pub key: StepKey,
    /// What to run.
    pub program: Program,
    /// The whole environment, see [`crate::step_environment`]; nothing is inherited.
    pub env: Vec<(String, String)>,
    /// Working directory.
    pub cwd: PathBuf,
    /// How much output is kept, in bytes; what is beyond is read, counted and dropped.
    pub output_limit_bytes: u32,
    /// File that receives all output as well.
    pub output_file: Option<OutputFile>,
    /// Whether output is to be told while it appears ([`crate::LauncherEvent::Output`]).
    pub follow: bool,
}

impl StepCommand {
    /// A command with the default output limit and no output file.
    #[must_use]
    pub fn new(
        key: StepKey,
        program: Program,
        env: Vec<(String, String)>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        Self {
            key,
            program,
            env,
            cwd: cwd.into(),
            output_limit_bytes: OUTPUT_LIMIT_BYTES_DEFAULT,
            output_file: None,
            follow: false,
        }
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEnd {
    /// It exited with this code, 0..=255. Whether that is success is the caller's to say.
    Exited(i32),
    /// This signal killed it.
    Signaled(i32),
    /// No process was started, and none will be for this key; why, in words for the history.
    NotStarted(String),
    /// It was started, and its launcher died before it could see the end.
    Unknown,
}

impl fmt::Display for StepEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "Process Exit Code {code}."),
            Self::Signaled(signal) => {
                write!(
                    f,
                    "The process was ended by signal {}.",
                    signal_name(*signal)
                )
            }
            Self::NotStarted(reason) => {
                write!(f, "The process could not be created (reason: {reason}).")
            }
            Self::Unknown => f.write_str(END_UNKNOWN_TEXT),
        }
    }
}

/// Fixed text of a step whose end nobody saw.
pub const END_UNKNOWN_TEXT: &str = "The end of the step cannot be known, because the launcher that ran it \
     was lost while it ran; it counts as failed.";

/// What is known of a step that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEnded {
    /// Which step.
    pub key: StepKey,
    /// How.
    pub end: StepEnd,
    /// Whether a stop was asked for before it ended.
    pub stopped: bool,
    /// How long it ran; `None` where nobody saw the end.
    pub elapsed: Option<Duration>,
    /// What it wrote.
    pub output: CapturedOutput,
    /// A remark for the history, such as an output file that could not be opened.
    pub note: Option<String>,
}

/// What a launcher knows of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    /// Which step.
    pub key: StepKey,
    /// How it stands.
    pub state: StepState,
}

/// How a step stands with its launcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// It runs.
    Running {
        /// Process id.
        pid: u32,
        /// Started by an earlier launcher that died: its end will be [`StepEnd::Unknown`].
        orphan: bool,
    },
    /// It ended and waits to be collected.
    Ended(StepEnded),
}

/// A signal's name, for messages.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        other => return other.to_string(),
    };
    format!("{signal} ({name})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn keys_survive_their_text() {
        let key = StepKey {
            run: RunId(Uuid::from_u128(7)),
            sequence: 9,
            step_id: 2,
            attempt: 3,
        };
        assert_eq!(StepKey::parse(&key.to_string()), Some(key));
        for bad in ["", "x.1.2.3", "00000000-0000-0000-0000-000000000007.1.2"] {
            assert_eq!(StepKey::parse(bad), None, "{bad}");
        }
        assert_eq!(StepKey::parse(&format!("{key}.4")), None);
    }

    #[test]
    fn ends_read_well() {
        assert_eq!(StepEnd::Exited(3).to_string(), "Process Exit Code 3.");
        assert_eq!(
            StepEnd::Signaled(9).to_string(),
            "The process was ended by signal 9 (SIGKILL)."
        );
        assert_eq!(
            StepEnd::Signaled(40).to_string(),
            "The process was ended by signal 40."
        );
    }
}
