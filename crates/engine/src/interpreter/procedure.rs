//! Calls of procedures, the host's and the engine's own, from EXEC and from the wire.

use super::arguments::{self, Given, Parameter};
use super::names::{Callee, ProcedureName};
use super::stop::Stop;
use super::Run;
use crate::host::{Argument, EnvChange, ProcedureDecl, ResultSink, StatementDone};
use crate::session::shared::option;
use tsql::messages as m;
use tsql::{Column, Row, SqlError, SqlType, Value};

/// Errors from this number on are raised by procedures, below it by the language.
const FIRST_OF_PROCEDURES: i32 = 13_000;

/// A call that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    /// Its return code.
    pub(super) code: i32,
    /// Values of OUTPUT arguments: the argument's place, the value, and its type.
    pub(super) outputs: Vec<(usize, Value, SqlType)>,
}

/// How a call went, once its arguments were right.
#[derive(Debug)]
pub(super) enum Call {
    /// To its end.
    Done(Outcome),
    /// An error ended the procedure; its return code is 1.
    Failed(Stop),
}

impl Run<'_> {
    /// Calls a procedure.
    ///
    /// # Errors
    /// 2812, and what is wrong with the arguments: then nothing was run.
    pub(super) fn call(
        &mut self,
        name: &ProcedureName,
        given: &[Given],
        line: u32,
    ) -> Result<Call, Stop> {
        match self.resolve(name)? {
            Callee::Host(decl, database) => self.call_host(&decl, &database, given, line),
            Callee::Engine(which, None) => self.call_engine(which, given, line),
            Callee::Engine(which, Some(database)) => {
                let before = self.machine.shared.facts().database.clone();
                self.enter_database(&database);
                let result = self.call_engine(which, given, line);
                self.enter_database(&before);
                result
            }
        }
    }

    fn call_host(
        &mut self,
        decl: &ProcedureDecl,
        database: &str,
        given: &[Given],
        line: u32,
    ) -> Result<Call, Stop> {
        let parameters: Vec<Parameter> = decl
            .params
            .iter()
            .map(|param| Parameter {
                name: param.name.to_owned(),
                ty: param.ty,
                default: param.default.clone(),
                output: param.output,
            })
            .collect();
        let bound = arguments::bind(decl.name, &parameters, given)
            .map_err(|error| Stop::statement(error.in_procedure(decl.name)))?;
        self.touches_tables()?;
        let level = self.deeper()?;
        let mut arguments: Vec<Argument> = bound
            .iter()
            .map(|bound| Argument {
                value: bound.value.clone(),
                given: bound.from.is_some(),
            })
            .collect();
        let (current, quiet) = {
            let facts = self.machine.shared.facts();
            (facts.database.clone(), facts.has(option::NOCOUNT))
        };
        let mut sink = ProcedureSink {
            inner: &mut *self.sink,
            procedure: decl.name,
            line,
            quiet,
            hold: self.request.tries > 0,
            held: None,
            reported: None,
            select: false,
            rows: 0,
        };
        let result = {
            let mut host = self.machine.shared.host();
            if current != database {
                host.enter_database(database);
            }
            let result = host.call(decl, &mut arguments, &mut sink);
            if current != database {
                host.enter_database(&current);
            }
            result
        };
        let ended = if sink.select { sink.done(None) } else { Ok(()) };
        let (held, reported, rows) = (sink.held, sink.reported, sink.rows);
        {
            let mut facts = self.machine.shared.facts();
            facts.nest_level = level - 1;
            facts.row_count = rows;
            facts.last_error = reported.as_ref().map_or(0, |error| error.number);
        }
        if let Some(error) = reported {
            self.frame.last_error = error.number;
            self.request.outcome.close |= error.severity >= 20;
            self.request.outcome.last_error = Some(error);
        }
        let error = match (result, held) {
            (Err(error), _) | (Ok(_), Some(error)) => error,
            (Ok(code), None) => {
                ended?;
                let outputs = bound
                    .iter()
                    .zip(&parameters)
                    .zip(arguments)
                    .filter_map(|((bound, parameter), argument)| {
                        let at = bound.from?;
                        let wanted = given.get(at).is_some_and(|given| given.output);
                        wanted.then_some((at, argument.value, parameter.ty))
                    })
                    .collect();
                return Ok(Call::Done(Outcome { code, outputs }));
            }
        };
        if error.number == m::CANCELLED.number {
            return Err(Stop::Cancelled);
        }
        let error = error.in_procedure(decl.name).at_line(line);
        Ok(Call::Failed(if error.number >= FIRST_OF_PROCEDURES {
            Stop::raise(error)
        } else if error.number == m::DEADLOCK.number {
            Stop::from(error)
        } else {
            Stop::statement(error)
        }))
    }
}

/// What a procedure of the host writes to: its statements end inside a procedure, and errors that a CATCH block
/// waits for are held back.
struct ProcedureSink<'a> {
    inner: &'a mut dyn ResultSink,
    procedure: &'a str,
    line: u32,
    /// NOCOUNT
    quiet: bool,
    /// Whether a CATCH block waits.
    hold: bool,
    held: Option<SqlError>,
    /// The last error that the client was told of.
    reported: Option<SqlError>,
    /// A result set was started and has not ended.
    select: bool,
    /// Rows of the last statement.
    rows: u64,
}

impl ResultSink for ProcedureSink<'_> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        if self.select {
            self.done(None)?;
        }
        self.select = true;
        self.rows = 0;
        self.inner.columns(columns)
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        self.rows += 1;
        self.inner.row(row)
    }

    fn done(&mut self, rows: Option<u64>) -> Result<(), SqlError> {
        let select = std::mem::take(&mut self.select);
        let rows = rows.or(select.then_some(self.rows));
        self.rows = rows.unwrap_or(0);
        self.inner.statement_done(StatementDone {
            rows: rows.filter(|_| !self.quiet),
            in_procedure: true,
            failed: false,
            select,
        })
    }

    fn message(&mut self, message: SqlError) {
        let message = message.in_procedure(self.procedure).at_line(self.line);
        if message.is_error() {
            if self.hold {
                self.held.get_or_insert(message);
                return;
            }
            self.reported = Some(message.clone());
        }
        self.inner.message(message);
    }

    fn env_change(&mut self, change: EnvChange) {
        self.inner.env_change(change);
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        self.inner.flush()
    }
}
