//! T-SQL steps: a thread, a session of the job's owner, and what came out of it.

use super::handle::Message;
use super::outcome::kept;
use super::texts;
use crate::clock::Clock;
use agent::{StepEnd, StepResult};
use engine::{CancelToken, ResultSink, Session};
use exec::output_file::OutputFileWriter;
use exec::{CapturedOutput, OUTPUT_LIMIT_BYTES_DEFAULT, OutputBuffer, OutputFile, StepKey};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tsql::convert::text_of;
use tsql::parser::split_batches;
use tsql::{Column, Row, SqlError, SqlType};

/// Bit of `sysjobsteps.flags`: result sets go into the history's message.
pub(super) const FLAG_RESULTS_IN_HISTORY: i32 = 4;
/// Bit of `sysjobsteps.flags`: all output goes into the history's message.
pub(super) const FLAG_ALL_IN_HISTORY: i32 = 32;
/// Stack of a T-SQL step's thread, in bytes: deep expressions recurse.
const STACK_BYTES: usize = 8 * 1024 * 1024;
/// Messages kept for the history's text, in bytes.
const MESSAGES_BYTES_MAX: u32 = 64 * 1024;

/// Makes a session for a step. Called on the step's own thread, where the session then lives.
pub type SessionFactory = Arc<dyn Fn(&StepLogin) -> Result<Session, SqlError> + Send + Sync>;

/// Who a T-SQL step runs as, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLogin {
    /// Login that owns the job.
    pub login: String,
    /// Its SID.
    pub sid: Vec<u8>,
    /// Whether it is a member of sysadmin; the step then runs with the agent's rights.
    pub sysadmin: bool,
    /// Database to start in.
    pub database: String,
    /// Database user to run as, where the step names one (owners in sysadmin only).
    pub database_user: Option<String>,
    /// Program name of the session.
    pub program: String,
}

/// A step to be run.
#[derive(Debug, Clone)]
pub(super) struct TsqlStep {
    pub(super) key: StepKey,
    pub(super) login: StepLogin,
    /// The script, its tokens replaced.
    pub(super) text: String,
    pub(super) flags: i32,
    pub(super) output_file: Option<OutputFile>,
    /// What a relative output file is relative to.
    pub(super) directory: PathBuf,
}

/// A step that ended.
#[derive(Debug)]
pub(super) struct TsqlEnded {
    pub(super) key: StepKey,
    pub(super) result: StepResult,
    /// All it wrote, for its log.
    pub(super) output: CapturedOutput,
}

/// Starts a step's thread; its end comes as a message.
///
/// # Errors
/// That there is no thread to be had.
pub(super) fn spawn(
    step: TsqlStep,
    sessions: SessionFactory,
    clock: Arc<dyn Clock>,
    cancel: CancelToken,
    sender: Sender<Message>,
) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("tsql-step".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let key = step.key;
            // A panic in a step is a bug, but the run must not wait for ever because of it.
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                run(&step, &sessions, &*clock, &cancel)
            }))
            .unwrap_or_else(|_| {
                let now = clock.now();
                let text = "The step ended by an internal error.".to_owned();
                TsqlEnded {
                    key,
                    result: super::outcome::without_process(StepEnd::Failed, text, now),
                    output: CapturedOutput::default(),
                }
            });
            let _ = sender.send(Message::Tsql(Box::new(ended)));
        })
        .map(drop)
}

/// Runs a step to its end.
fn run(
    step: &TsqlStep,
    sessions: &SessionFactory,
    clock: &dyn Clock,
    cancel: &CancelToken,
) -> TsqlEnded {
    let started = clock.now();
    let mut sink = StepSink::new(step);
    let mut cancelled = cancel.is_cancelled();
    if !cancelled {
        match sessions(&step.login) {
            Ok(mut session) => cancelled = run_batches(step, &mut session, &mut sink, cancel),
            Err(error) => sink.message(error),
        }
    }
    let failed = sink.severity > 10;
    let end = match (cancelled, failed) {
        (true, _) => StepEnd::Stopped,
        (false, true) => StepEnd::Failed,
        (false, false) => StepEnd::Succeeded,
    };
    let (sql_message_id, sql_severity) = (sink.last_error, i32::from(sink.severity));
    let sql_severity = if failed { sql_severity } else { 0 };
    let note = sink.note.take().unwrap_or_default();
    let (said, output, said_has_it_all) = sink.finish();
    let (message, whole) =
        texts::compose(&texts::executed_as(&step.login.login), &said.text, &note);
    let whole = whole && !said.truncated && said_has_it_all;
    TsqlEnded {
        key: step.key,
        result: StepResult {
            end,
            message,
            sql_message_id,
            sql_severity,
            output: kept(&output, whole),
            started,
            ended: clock.now().max(started),
        },
        output,
    }
}

/// Runs the batches until one fails; whether the step was cancelled.
fn run_batches(
    step: &TsqlStep,
    session: &mut Session,
    sink: &mut StepSink,
    cancel: &CancelToken,
) -> bool {
    for batch in split_batches(&step.text) {
        sink.lines_before = batch.line.saturating_sub(1);
        for _ in 0..batch.count {
            let outcome = session.execute_batch(batch.text, sink, cancel);
            sink.end_result();
            if outcome.cancelled || cancel.is_cancelled() {
                return true;
            }
            if sink.severity > 10 || outcome.close {
                return false;
            }
        }
    }
    false
}

/// Collects what a step says.
struct StepSink {
    /// For the history's message.
    said: OutputBuffer,
    /// Everything, in the order it came.
    output: OutputBuffer,
    /// Whether result sets are said too.
    results_in_message: bool,
    /// Whether something is in `output` and not in `said`.
    left_out: bool,
    file: Option<OutputFileWriter>,
    note: Option<String>,
    last_error: i32,
    severity: u8,
    lines_before: u32,
    /// Types of the result set that is going on.
    in_result: Option<Vec<SqlType>>,
}

impl StepSink {
    fn new(step: &TsqlStep) -> Self {
        let mut note = None;
        let file = step.output_file.as_ref().and_then(|file| {
            OutputFileWriter::open(file, &step.directory)
                .inspect_err(|error| {
                    note = Some(format!(
                        "The output file {} could not be opened: {error}.",
                        file.path.display()
                    ));
                })
                .ok()
        });
        Self {
            said: OutputBuffer::new(MESSAGES_BYTES_MAX),
            output: OutputBuffer::new(OUTPUT_LIMIT_BYTES_DEFAULT),
            results_in_message: step.flags & (FLAG_RESULTS_IN_HISTORY | FLAG_ALL_IN_HISTORY) != 0,
            left_out: false,
            file,
            note,
            last_error: 0,
            severity: 0,
            lines_before: 0,
            in_result: None,
        }
    }

    fn write(&mut self, text: &str) {
        self.output.push(text);
        if let Some(file) = &mut self.file
            && let Err(error) = file.write(text.as_bytes())
        {
            self.note = Some(format!("The output file could not be written: {error}."));
            self.file = None;
        }
    }

    fn result(&mut self, text: &str) {
        self.write(text);
        if self.results_in_message {
            self.said.push(text);
        } else {
            self.left_out = true;
        }
    }

    fn end_result(&mut self) {
        if self.in_result.take().is_some() {
            self.result("\n");
        }
    }

    /// What was said, everything, and whether they are the same but for the form.
    fn finish(self) -> (CapturedOutput, CapturedOutput, bool) {
        (self.said.finish(), self.output.finish(), !self.left_out)
    }
}

impl ResultSink for StepSink {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.end_result();
        self.in_result = Some(columns.iter().map(|column| column.ty).collect());
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let rules: Vec<String> = names
            .iter()
            .map(|name| "-".repeat(name.chars().count().max(1)))
            .collect();
        self.result(&format!("{}\n{}\n", names.join("\t"), rules.join("\t")));
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        let types = self.in_result.as_deref().unwrap_or_default();
        let values: Vec<String> = row
            .iter()
            .zip(types)
            .map(|(value, ty)| {
                if value.is_null() {
                    "NULL".to_owned()
                } else {
                    text_of(value, *ty)
                }
            })
            .collect();
        self.result(&format!("{}\n", values.join("\t")));
        Ok(())
    }

    fn done(&mut self, rows: Option<u64>) -> Result<(), SqlError> {
        self.end_result();
        if let Some(rows) = rows {
            self.result(&format!("({rows} rows affected)\n"));
        }
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        self.end_result();
        let line = message.line.saturating_add(self.lines_before);
        self.severity = self.severity.max(message.severity);
        if message.is_error() {
            self.last_error = message.number;
            self.write(&format!(
                "Msg {}, Level {}, State {}, Line {line}\n{}\n",
                message.number, message.severity, message.state, message.message
            ));
            self.said.push(&format!(
                "{} [SQLSTATE 42000] (Error {})  ",
                message.message, message.number
            ));
        } else {
            self.write(&format!("{}\n", message.message));
            self.said.push(&format!(
                "{} [SQLSTATE 01000] (Message {})  ",
                message.message, message.number
            ));
        }
    }
}
