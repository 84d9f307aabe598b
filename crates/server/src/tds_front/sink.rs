//! Results of a session as tokens, in chunks for the socket.

use super::OUTPUT_CHUNK_BYTES;
use engine::{CancelToken, EnvChange, ResultSink, RpcOutput, StatementDone};
use tds::TdsVersion;
use tds::token::{COMMAND_SELECT, Done, DoneKind, TokenWriter};
use tokio::sync::mpsc::Sender;
use tsql::messages::CANCELLED;
use tsql::{Column, Row, SqlError};

/// What a session's thread hands to the connection's task.
#[derive(Debug)]
pub(super) enum Output {
    /// Whole tokens of the answer; thrown away after an attention.
    Tokens(Vec<u8>),
    /// Whole tokens that tell of the environment; never thrown away.
    Environment(Vec<u8>),
    /// What came so far is to reach the client now.
    Flush,
    /// The request is done.
    End {
        /// The connection ends too.
        close: bool,
    },
}

/// What is being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// A batch or a transaction manager request.
    Batch,
    /// A remote procedure call.
    Call,
}

/// Writes one request's results. An end token is held back until it is known whether more follows.
pub(super) struct TokenSink<'a> {
    tokens: TokenWriter,
    output: &'a Sender<Output>,
    cancel: &'a CancelToken,
    server_name: &'a str,
    answer: Answer,
    held: Option<Done>,
    // An error was told and no end token has marked it yet.
    failed: bool,
    gone: bool,
}

impl<'a> TokenSink<'a> {
    /// A sink for a request in a client's version.
    pub(super) fn new(
        version: TdsVersion,
        output: &'a Sender<Output>,
        cancel: &'a CancelToken,
        server_name: &'a str,
        answer: Answer,
    ) -> Self {
        Self {
            tokens: TokenWriter::new(version),
            output,
            cancel,
            server_name,
            answer,
            held: None,
            failed: false,
            gone: false,
        }
    }

    /// What the next results answer.
    pub(super) fn begin(&mut self, answer: Answer) {
        self.answer = answer;
    }

    /// Ends a batch. `more`: another answer follows in the same message.
    pub(super) fn finish_batch(&mut self, failed: bool, close: bool, more: bool) {
        let failed = failed || std::mem::take(&mut self.failed);
        let end = match self.held.take() {
            Some(held) if held.kind != DoneKind::InProcedure && (held.error || !failed) => held,
            Some(held) => {
                self.tokens.done(Done { more: true, ..held });
                let kind = if held.kind == DoneKind::InProcedure {
                    DoneKind::Procedure
                } else {
                    DoneKind::Done
                };
                Done::new(kind)
            }
            None => Done::new(DoneKind::Done),
        };
        self.tokens.done(Done {
            more,
            error: end.error || failed,
            server_error: close,
            ..end
        });
    }

    /// Ends a bulk load, of so many rows; `None` when it failed.
    pub(super) fn finish_load(&mut self, rows: Option<u64>, close: bool) {
        self.held = rows.map(|rows| Done {
            rows: Some(rows),
            ..Done::new(DoneKind::Done)
        });
        self.finish_batch(rows.is_none(), close, false);
    }

    /// Ends a call: return status, output values, end token.
    pub(super) fn finish_call(
        &mut self,
        status: Option<i32>,
        outputs: &[RpcOutput],
        failed: bool,
        close: bool,
        more: bool,
    ) {
        self.release();
        let mut failed = failed || std::mem::take(&mut self.failed);
        if let Some(status) = status {
            self.tokens.return_status(status);
        }
        for output in outputs {
            let ordinal = u16::try_from(output.ordinal).unwrap_or(u16::MAX);
            let written = self
                .tokens
                .return_value(ordinal, &output.name, output.ty, &output.value);
            if let Err(error) = written {
                failed = true;
                self.tokens.message(&unsendable(&error), self.server_name);
            }
        }
        self.tokens.done(Done {
            more,
            error: failed,
            server_error: close,
            ..Done::new(DoneKind::Procedure)
        });
    }

    /// Tells that the reset asked for is done.
    pub(super) fn reset_done(&mut self) {
        self.environment(&tds::token::EnvChange::ResetDone);
    }

    /// Hands over the last tokens and the end.
    pub(super) fn close(mut self, close: bool) {
        self.hand_over();
        self.send(Output::End { close });
    }

    fn environment(&mut self, change: &tds::token::EnvChange) {
        self.release();
        self.hand_over();
        self.tokens.environment(change);
        let tokens = self.tokens.take();
        if !tokens.is_empty() {
            self.send(Output::Environment(tokens));
        }
    }

    fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.tokens.done(Done { more: true, ..held });
        }
    }

    fn hand_over(&mut self) {
        if !self.tokens.is_empty() {
            let tokens = self.tokens.take();
            if !self.cancel.is_cancelled() {
                self.send(Output::Tokens(tokens));
            }
        }
    }

    fn send(&mut self, output: Output) {
        if !self.gone && self.output.blocking_send(output).is_err() {
            self.gone = true;
        }
    }

    /// Hands a full chunk over; 3617 when nobody wants more.
    fn progress(&mut self) -> Result<(), SqlError> {
        if self.tokens.len() >= OUTPUT_CHUNK_BYTES {
            self.hand_over();
        }
        if self.gone || self.cancel.is_cancelled() {
            return Err(CANCELLED.with(&[]));
        }
        Ok(())
    }

    fn refuse(&mut self, error: &tds::TdsError) -> SqlError {
        let error = unsendable(error);
        tracing::error!(%error, "a result could not be sent");
        error
    }
}

impl ResultSink for TokenSink<'_> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.release();
        if let Err(error) = self.tokens.columns(columns) {
            return Err(self.refuse(&error));
        }
        self.progress()
    }

    fn cursor_columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.release();
        if let Err(error) = self.tokens.cursor_columns(columns) {
            return Err(self.refuse(&error));
        }
        self.progress()
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        if let Err(error) = self.tokens.row(&row) {
            return Err(self.refuse(&error));
        }
        self.progress()
    }

    fn done(&mut self, rows: Option<u64>) -> Result<(), SqlError> {
        self.statement_done(StatementDone {
            rows,
            ..StatementDone::default()
        })
    }

    fn message(&mut self, mut message: SqlError) {
        self.release();
        if message.is_error() {
            self.failed = true;
        } else if message.severity == 10 {
            // Clients get messages of severity 10 as severity 0. Source: "Database Engine error severities".
            message.severity = 0;
        }
        self.tokens.message(&message, self.server_name);
        // A client that is gone is noticed by the next result.
        let _cancelled = self.progress();
    }

    fn statement_done(&mut self, done: StatementDone) -> Result<(), SqlError> {
        self.release();
        let failed = std::mem::take(&mut self.failed);
        self.held = Some(Done {
            error: done.failed || failed,
            rows: done.rows,
            command: if done.select { COMMAND_SELECT } else { 0 },
            ..Done::new(if done.in_procedure || self.answer == Answer::Call {
                DoneKind::InProcedure
            } else {
                DoneKind::Done
            })
        });
        self.progress()
    }

    fn procedure_done(&mut self, return_code: i32) -> Result<(), SqlError> {
        if self.answer == Answer::Batch {
            self.release();
            self.tokens.return_status(return_code);
            self.held = Some(Done {
                error: std::mem::take(&mut self.failed),
                ..Done::new(DoneKind::Procedure)
            });
        }
        self.progress()
    }

    fn env_change(&mut self, change: EnvChange) {
        use tds::token::EnvChange as Wire;
        self.environment(&match change {
            EnvChange::Database { old, new } => Wire::Database { new, old },
            EnvChange::Language { old, new } => Wire::Language { new, old },
            EnvChange::TransactionBegun(id) => Wire::BeginTransaction(id),
            EnvChange::TransactionCommitted(id) => Wire::CommitTransaction(id),
            EnvChange::TransactionRolledBack(id) => Wire::RollbackTransaction(id),
        });
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        self.release();
        self.hand_over();
        self.send(Output::Flush);
        self.progress()
    }

    fn wanted(&mut self) -> Result<(), SqlError> {
        self.progress()
    }
}

/// What the client reads when a result does not go with its own columns: a defect of the server.
fn unsendable(error: &tds::TdsError) -> SqlError {
    SqlError::new(
        8624,
        16,
        format!("Internal error: a result could not be sent: {error}."),
    )
}
