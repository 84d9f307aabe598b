//! Texts: the batch itself, and texts that run inside it.

use super::stop::{Raised, Reach, Stop};
use super::{Frame, Run};
use crate::host::StatementDone;
use crate::session::shared::option;
use tsql::ast::Batch;
use tsql::convert::DateOrder;
use tsql::messages as m;
use tsql::parser::{ParseOptions, parse_batch};
use tsql::{SqlError, SqlType, Value};

/// How deep procedures and texts may nest (error 217).
pub(super) const NESTING_MAX: u32 = 32;

/// Options that a text may change for itself only.
struct Options {
    bits: i32,
    date_first: u8,
    date_order: DateOrder,
    lock_timeout: i32,
    text_size: i32,
    isolation: i16,
}

impl Run<'_> {
    /// Runs the text of a request; what goes wrong is in the outcome.
    pub(super) fn whole_batch(&mut self, text: &str) {
        match self.parse(text, &[]) {
            Ok(batch) => self.top(&batch),
            Err(errors) => {
                for error in errors {
                    self.set_error(error.number);
                    self.report(error);
                }
                self.request.outcome.aborted = true;
            }
        }
        let scope = std::mem::take(&mut self.frame.scope);
        // Temporary tables of the batch itself live on with the session.
        self.machine.queries.leave(&scope, 1);
        self.machine.cursors.leave(0);
    }

    fn top(&mut self, batch: &Batch) {
        let result = match self.declare_all(&batch.statements) {
            Ok(()) => self.list(&batch.statements, None).map(drop),
            Err(error) => Err(Stop::unbound(error)),
        };
        self.conclude(result);
    }

    /// What is left of a request that stopped.
    pub(super) fn conclude(&mut self, result: Result<(), Stop>) {
        match result {
            Ok(()) => {}
            Err(Stop::Cancelled) => self.cancelled(),
            Err(Stop::End | Stop::LeaveText) => self.request.outcome.aborted = true,
            Err(Stop::Raised(Raised { error, reach })) => {
                self.set_error(error.number);
                self.report(error);
                let abort = self.machine.shared.facts().has(option::XACT_ABORT);
                if reach == Reach::Batch || (abort && reach != Reach::Raise) {
                    self.roll_back();
                }
                self.request.outcome.aborted = true;
            }
        }
    }

    /// Source: "SET XACT_ABORT": a cancelled request leaves its transaction open unless the option is ON.
    fn cancelled(&mut self) {
        self.request.outcome.cancelled = true;
        self.request.outcome.aborted = true;
        if self.machine.shared.facts().has(option::XACT_ABORT) {
            self.roll_back();
        }
    }

    pub(super) fn parse(&self, text: &str, variables: &[String]) -> Result<Batch, Vec<SqlError>> {
        let options = ParseOptions {
            quoted_identifier: self.machine.shared.facts().has(option::QUOTED_IDENTIFIER),
            variables,
        };
        parse_batch(text, &options)
    }

    /// Parses and runs a text inside this one. Its errors of syntax leave this one going.
    pub(super) fn dynamic(&mut self, text: &str, frame: Frame) -> Result<Frame, Stop> {
        let variables: Vec<String> = frame
            .scope
            .locals
            .iter()
            .map(|local| local.name.clone())
            .collect();
        match self.parse(text, &variables) {
            Ok(batch) => self.nested(&batch, frame),
            Err(errors) => self.refused(errors, frame),
        }
    }

    /// Reports the errors of a text that cannot run, or raises the first where a CATCH block waits.
    fn refused(&mut self, errors: Vec<SqlError>, mut frame: Frame) -> Result<Frame, Stop> {
        for error in errors {
            if self.request.tries > 0 {
                return Err(Stop::statement(error));
            }
            frame.last_error = error.number;
            self.set_error(error.number);
            self.report(error);
        }
        self.done(StatementDone {
            failed: true,
            ..StatementDone::default()
        })?;
        if self.machine.shared.facts().has(option::XACT_ABORT) {
            self.roll_back();
            self.request.outcome.aborted = true;
            return Err(Stop::End);
        }
        Ok(frame)
    }

    /// Runs a parsed text inside this one; its frame as the text left it.
    pub(super) fn nested(&mut self, batch: &Batch, mut frame: Frame) -> Result<Frame, Stop> {
        let level = self.deeper()?;
        let (database, options) = {
            let facts = self.machine.shared.facts();
            let options = Options {
                bits: facts.options,
                date_first: facts.date_first,
                date_order: facts.date_order,
                lock_timeout: facts.lock_timeout,
                text_size: facts.text_size,
                isolation: facts.isolation,
            };
            (facts.database.clone(), options)
        };
        frame.dynamic = true;
        frame.tries = 0;
        let mut inner = Run {
            machine: &mut *self.machine,
            sink: &mut *self.sink,
            cancel: self.cancel,
            request: &mut *self.request,
            frame,
        };
        let result = match inner.declare_all(&batch.statements) {
            Ok(()) => inner.list(&batch.statements, None).map(drop),
            Err(error) => Err(Stop::statement(error)),
        };
        let frame = inner.frame;
        self.machine.queries.leave(&frame.scope, level);
        self.machine.cursors.leave(level);
        {
            let mut facts = self.machine.shared.facts();
            facts.nest_level = level - 1;
            facts.options = options.bits;
            facts.date_first = options.date_first;
            facts.date_order = options.date_order;
            facts.lock_timeout = options.lock_timeout;
            facts.text_size = options.text_size;
            facts.isolation = options.isolation;
        }
        if self.machine.shared.facts().database != database {
            self.enter_database(&database);
        }
        match result {
            Ok(()) | Err(Stop::LeaveText) => {
                if frame.last_error != 0 {
                    self.frame.last_error = frame.last_error;
                }
                Ok(frame)
            }
            // What the text's own CATCH could not see, its caller's can.
            Err(Stop::Raised(Raised { error, reach })) => Err(Stop::Raised(Raised {
                error,
                reach: if reach == Reach::Text {
                    Reach::Statement
                } else {
                    reach
                },
            })),
            Err(stop) => Err(stop),
        }
    }

    /// One level down; 217 when that is too deep.
    pub(super) fn deeper(&mut self) -> Result<u32, Stop> {
        let mut facts = self.machine.shared.facts();
        if facts.nest_level >= NESTING_MAX {
            let error = m::NESTING_LEVEL.with(&[&NESTING_MAX.to_string()]);
            return Err(Stop::from(error));
        }
        facts.nest_level += 1;
        Ok(facts.nest_level)
    }
}

/// A text's parameter as its first variable.
pub(super) fn parameter(frame: &mut Frame, name: &str, ty: SqlType, value: Value) {
    frame.declare(name, ty, value);
}
