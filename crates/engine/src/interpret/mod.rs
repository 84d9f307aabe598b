//! Runs statements: control flow, errors, transactions; queries and changes of data through [`crate::store`].

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a statement, expression or type that a rule does not name takes the general way"
)]

mod arguments;
pub(crate) mod bulk;
mod change;
mod context;
pub(crate) mod cursor;
mod data;
mod dbcc;
mod definition;
mod describe;
mod execute;
mod host_change;
mod merge;
mod message;
mod module;
mod objects;
mod output;
mod permanent;
mod program;
mod qualify;
mod query;
mod remote;
mod routine;
mod security;
mod session_context;
mod settings;
mod stage;
mod target;
mod transaction;
pub(crate) mod trigger;
mod view;
pub(crate) mod wire_cursor;

pub(crate) use context::Context;
pub(crate) use cursor::local_key;
pub(crate) use execute::default_value;
pub(crate) use message::{format_message, numbered};
pub(crate) use routine::{scalar_function, table_function};

use crate::cancel::CancelToken;
use crate::host::{Identity, ResultSink, StatementDone};
use crate::rpc::BatchOutcome;
use crate::session::Core;
use crate::session::environment::Env;
use crate::session::names::{Local, Names, Scope};
use crate::session::shared::{Object, option};
use message::{SEVERITY_MAX, SEVERITY_WITHOUT_LOG_MAX};
use program::{Op, Program};
use std::sync::Arc;
use tsql::ast::{Declaration, Expr, QueryBody, Statement, StatementKind};
use tsql::bind::Binder;
use tsql::bind::ir::TypedExpr;
use tsql::convert::{self, Style};
use tsql::eval::{self, Environment};
use tsql::parser::{ParseOptions, parse_batch};
use tsql::{SqlError, SqlType, Value, fault, messages};

/// Levels that procedures, EXEC ('…') and sp_executesql may nest (error 217).
const NESTING_MAX: u32 = 32;
/// Severity from which an error ends the connection.
const SEVERITY_FATAL: u8 = 20;
/// Numbers below are the language's; RAISERROR refuses them.
const FIRST_RAISABLE: i64 = 13_000;
/// Steps between looks at the time limit; the cancel flag is looked at on each.
const STEPS_BETWEEN_CLOCK_CHECKS: u32 = 256;

/// Runs one request.
pub(crate) struct Interpreter<'r> {
    pub(crate) core: &'r mut Core,
    pub(crate) sink: &'r mut dyn ResultSink,
    pub(crate) cancel: &'r CancelToken,
    pub(crate) outcome: BatchOutcome,
    /// TRY blocks in all frames around the running statement.
    tries: u32,
    /// Whether rows are collected for an INSERT … EXEC.
    collecting: bool,
    /// Line of the running statement.
    line: u32,
}

/// Variables and place of one batch or module.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    pub(crate) scope: Scope,
    pub(crate) values: Vec<Value>,
    /// Procedure that errors name; empty for a batch.
    procedure: String,
    /// Who called, where the module runs as somebody else.
    caller: Option<Identity>,
    /// Whether this is not the batch that the client sent.
    inner: bool,
    return_code: i32,
    /// What a scalar function returns: its type, and the value once RETURN ran.
    returns: Option<(SqlType, Value)>,
    /// The text that the statements stand in.
    text: Arc<str>,
    /// Cursor variables, in lower case, and the cursors they stand for.
    cursors: Vec<(String, Option<String>)>,
}

impl Frame {
    /// A new variable; an old one of that name gives way.
    pub(crate) fn declare(&mut self, name: &str, ty: SqlType, value: Value) -> usize {
        if let Some(slot) = self.scope.slot(name) {
            self.scope.locals[slot].ty = ty;
            self.values[slot] = value;
            return slot;
        }
        self.scope.locals.push(Local {
            name: name.to_lowercase(),
            ty,
        });
        self.values.push(value);
        self.values.len() - 1
    }
}

/// Why a request, or a frame of it, stops before its end.
#[derive(Debug)]
enum Halt {
    /// Reported already; nothing more of the request runs.
    Abort,
    /// Not reported: a TRY block of an outer frame handles it.
    Raise(Failure),
}

/// How much an unhandled error ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Statement,
    Scope,
    Batch,
}

/// What a TRY block or CATCH block left behind.
enum Block {
    Try { handler: usize },
    Catch { before: Option<SqlError> },
}

/// An error of a statement, and whether the statement raised it on purpose.
#[derive(Debug)]
struct Failure {
    error: SqlError,
    /// RAISERROR, and errors of the host's procedures: they end nothing by themselves.
    raised: bool,
    /// THROW.
    thrown: bool,
    /// It comes from a text inside, whose own names its caller can't know before.
    inner: bool,
    /// It ends its statement alone, whatever its number: errors of a call's arguments.
    alone: bool,
    /// It took back what its statement had changed, which the client is told.
    terminates: bool,
}

impl Failure {
    /// An error that ends its statement alone.
    fn of_statement(error: SqlError) -> Self {
        Self {
            alone: true,
            ..Self::from(error)
        }
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self {
            error,
            raised: false,
            thrown: false,
            inner: false,
            alone: false,
            terminates: false,
        }
    }
}

/// How a statement ended.
enum End {
    Next,
    Return,
    /// The request is over; everything was reported.
    Abort,
}

type Ended = Result<End, Failure>;

impl<'r> Interpreter<'r> {
    pub(crate) fn new(
        core: &'r mut Core,
        sink: &'r mut dyn ResultSink,
        cancel: &'r CancelToken,
    ) -> Self {
        Self {
            core,
            sink,
            cancel,
            outcome: BatchOutcome::default(),
            tries: 0,
            collecting: false,
            line: 1,
        }
    }

    /// Runs a batch from its text.
    pub(crate) fn batch(&mut self, text: &str) {
        let mut frame = Frame {
            text: Arc::from(text),
            ..Frame::default()
        };
        let options = ParseOptions {
            quoted_identifier: self.core.shared.facts().has(option::QUOTED_IDENTIFIER),
            variables: &[],
        };
        match parse_batch(text, &options) {
            Ok(batch) => {
                if !self.parses_only(&batch.statements) {
                    // A batch that ends in an error was reported where it happened.
                    let _ = self.run(&batch.statements, &mut frame);
                }
            }
            Err(errors) => {
                for error in errors {
                    self.report(error);
                }
                self.outcome.aborted = true;
            }
        }
        self.drop_temps(1);
        self.drop_cursors(0);
        self.finish();
    }

    /// The end of a remote call that failed outside of any text.
    fn conclude(&mut self, failure: Failure) {
        let frame = Frame {
            inner: true,
            ..Frame::default()
        };
        // It has no TRY around it, so there is nowhere to go.
        let _ = self.handle(failure, 1, &frame, &mut Vec::new());
        self.outcome.aborted = true;
    }

    /// What has to hold at the end of every request.
    pub(crate) fn finish(&mut self) {
        let doomed = {
            let facts = self.core.shared.facts();
            facts.doomed && facts.tran_count > 0
        };
        if doomed {
            self.report(messages::TRANSACTION_DOOMED_BATCH.with(&[]));
            if let Err(error) = self.rollback_all() {
                self.report(error);
            }
        }
        self.core.shared.facts().caught = None;
        self.core
            .shared
            .spare
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clear();
        self.drop_variables();
    }

    // ---- errors and messages ----

    /// Shows an error or message to the client.
    pub(crate) fn report(&mut self, error: SqlError) {
        if error.is_error() {
            self.core.shared.facts().last_error = error.number;
            self.outcome.cancelled |= error.number == messages::CANCELLED.number;
            self.outcome.close |= error.severity >= SEVERITY_FATAL;
            self.outcome.last_error = Some(error.clone());
        }
        self.sink.message(error);
    }

    fn done(&mut self, frame: &Frame, rows: Option<u64>, select: bool) -> Result<(), SqlError> {
        let nocount = self.core.shared.facts().has(option::NOCOUNT);
        self.sink.statement_done(StatementDone {
            rows: if nocount { None } else { rows },
            in_procedure: frame.inner,
            failed: false,
            select,
        })
    }

    fn failed(&mut self, frame: &Frame) {
        // The client may be gone; the error was its message.
        let _ = self.sink.statement_done(StatementDone {
            rows: None,
            in_procedure: frame.inner,
            failed: true,
            select: false,
        });
    }

    /// How far an unhandled error reaches.
    fn reach(failure: &Failure) -> Reach {
        if failure.alone {
            return Reach::Statement;
        }
        let error = &failure.error;
        match error.number {
            // Cancelled, out of time, deadlock.
            3617 | 8649 | 1205 => Reach::Batch,
            // Conversions of values, and nesting.
            241 | 244 | 245 | 248 | 295 | 8114 | 8169 | 235 | 217 => Reach::Batch,
            // Names that are found out to be unknown when the statement is compiled.
            207 | 208 | 209 | 4104 | 213 | 120 | 121 | 257 | 206 | 402 | 195 | 137 | 1087
            | 8120 | 8121 | 8117 | 8116 | 911 => Reach::Scope,
            // The transaction ended in a trigger.
            3609 => Reach::Batch,
            _ if error.severity >= SEVERITY_FATAL => Reach::Batch,
            _ => Reach::Statement,
        }
    }

    /// Whether a CATCH block gets an error.
    fn catchable(error: &SqlError) -> bool {
        error.severity > 10
            && error.severity < SEVERITY_FATAL
            && !matches!(error.number, 3617 | 8649)
    }

    // ---- running ----

    fn run(&mut self, statements: &[Statement], frame: &mut Frame) -> Result<(), Halt> {
        let program = match Program::build(statements) {
            Ok(program) => program,
            Err(error) => {
                self.report(error);
                return Err(Halt::Abort);
            }
        };
        for declaration in &program.declarations {
            if let Declaration::Cursor { variable } = declaration {
                frame.cursors.push((variable.name.to_lowercase(), None));
            }
            if let Declaration::Scalar { variable, ty, .. } = declaration {
                match self.declare_of_type(&variable.name, ty, frame) {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => {
                        self.report(error);
                        return Err(Halt::Abort);
                    }
                }
                match self.declared_type(ty) {
                    Ok(ty) => {
                        if frame.scope.slot(&variable.name).is_none() {
                            frame.declare(&variable.name, ty, Value::Null);
                        }
                    }
                    Err(error) => {
                        self.report(error);
                        return Err(Halt::Abort);
                    }
                }
            }
        }
        self.steps(&program, frame)
    }

    fn steps(&mut self, program: &Program<'_>, frame: &mut Frame) -> Result<(), Halt> {
        let mut contexts: Vec<Block> = Vec::new();
        let mut at = 0;
        let mut count = 0_u32;
        while let Some(step) = program.steps.get(at) {
            // A jump out of TRY and CATCH blocks leaves them.
            while contexts.len() > step.depth {
                self.leave(contexts.pop());
            }
            count = count.wrapping_add(1);
            let late =
                count.is_multiple_of(STEPS_BETWEEN_CLOCK_CHECKS) && self.core.shared.time_is_up();
            if self.cancel.is_cancelled() || late {
                let error = if late {
                    self.core.shared.time_limit_error()
                } else {
                    messages::CANCELLED.with(&[])
                };
                let line = step.line().unwrap_or(self.line);
                // Neither goes to a CATCH block, so nothing runs after it.
                let _ = self.handle(error.into(), line, frame, &mut contexts);
                self.unwind(&mut contexts);
                return Err(Halt::Abort);
            }
            at += 1;
            let unrun = self.core.shared.facts().unrun();
            if let Some(unrun) = unrun {
                match step.op {
                    // Both branches are looked at, and a loop once.
                    Op::Jump(_) | Op::JumpUnless { .. } => continue,
                    Op::Run(statement) if !describe::runs(unrun, &statement.kind) => continue,
                    Op::Run(_) | Op::EnterTry { .. } | Op::LeaveTry { .. } | Op::LeaveCatch => {}
                }
            }
            let (result, line) = match step.op {
                Op::Jump(target) => {
                    at = target;
                    continue;
                }
                Op::EnterTry { handler } => {
                    contexts.push(Block::Try { handler });
                    self.tries += 1;
                    continue;
                }
                Op::LeaveTry { end } => {
                    self.leave(contexts.pop());
                    at = end;
                    continue;
                }
                Op::LeaveCatch => {
                    self.leave(contexts.pop());
                    continue;
                }
                Op::JumpUnless {
                    condition,
                    line,
                    target,
                } => {
                    self.statement_starts(line);
                    let truth = self.condition(condition, frame);
                    match truth {
                        Ok(true) => {}
                        Ok(false) | Err(_) => at = target,
                    }
                    if truth.is_ok() {
                        self.statement_succeeded(0);
                    }
                    (truth.map(|_| End::Next).map_err(Failure::from), line)
                }
                Op::Run(statement) => {
                    self.statement_starts(statement.span.line);
                    (self.statement(statement, frame), statement.span.line)
                }
            };
            let failure = match result {
                Ok(End::Next) => continue,
                Ok(End::Return) => {
                    self.unwind(&mut contexts);
                    return Ok(());
                }
                Ok(End::Abort) => {
                    self.unwind(&mut contexts);
                    return Err(Halt::Abort);
                }
                Err(failure) => failure,
            };
            match self.handle(failure, line, frame, &mut contexts) {
                Ok(Some(handler)) => at = handler,
                Ok(None) => {}
                Err(Some(halt)) => {
                    self.unwind(&mut contexts);
                    return Err(halt);
                }
                Err(None) => {
                    self.unwind(&mut contexts);
                    return Ok(());
                }
            }
        }
        self.unwind(&mut contexts);
        Ok(())
    }

    fn leave(&mut self, context: Option<Block>) {
        match context {
            Some(Block::Try { .. }) => self.tries -= 1,
            Some(Block::Catch { before }) => self.core.shared.facts().caught = before,
            None => {}
        }
    }

    fn unwind(&mut self, contexts: &mut Vec<Block>) {
        while let Some(context) = contexts.pop() {
            self.leave(Some(context));
        }
    }

    /// Decides what an error does: `Ok(Some)` goes to a CATCH block, `Ok(None)` goes on, `Err(None)` ends the frame,
    /// `Err(Some)` the request or up to an outer TRY.
    fn handle(
        &mut self,
        failure: Failure,
        line: u32,
        frame: &Frame,
        contexts: &mut Vec<Block>,
    ) -> Result<Option<usize>, Option<Halt>> {
        let reach = Self::reach(&failure);
        let Failure {
            error,
            raised,
            thrown,
            inner,
            terminates,
            ..
        } = failure;
        let mut error = error.at_line(line);
        if frame.inner && error.procedure.is_empty() {
            error = error.in_procedure(&frame.procedure);
        }
        if !error.is_error() {
            self.report(error);
            return Ok(None);
        }
        self.core.shared.facts().last_error = error.number;
        self.core.shared.facts().row_count = 0;
        let aborts = self.core.shared.facts().has(option::XACT_ABORT) && !raised;
        // A text's own TRY does not see what was wrong with its names; that of its caller does.
        let hidden = reach == Reach::Scope && !raised && !thrown && !inner;
        let own = contexts
            .iter()
            .filter(|context| matches!(context, Block::Try { .. }))
            .count();
        let waiting =
            usize::try_from(self.tries).unwrap_or(usize::MAX) > if hidden { own } else { 0 };
        if Self::catchable(&error) && waiting {
            let deadlock = error.number == messages::DEADLOCK.number;
            if deadlock && self.core.shared.facts().tran_count > 0 {
                // The host has given up the transaction.
                if let Err(error) = self.rollback_all() {
                    self.report(error);
                }
            } else if aborts || reach == Reach::Batch && !raised {
                let mut facts = self.core.shared.facts();
                facts.doomed = facts.tran_count > 0;
            }
            while let Some(context) = contexts.pop() {
                if let Block::Try { handler } = context
                    && !hidden
                {
                    self.tries -= 1;
                    let mut facts = self.core.shared.facts();
                    let before = facts.caught.replace(error);
                    contexts.push(Block::Catch { before });
                    return Ok(Some(handler));
                }
                self.leave(Some(context));
            }
            return Err(Some(Halt::Raise(Failure {
                error,
                raised,
                thrown,
                inner: true,
                alone: false,
                terminates: false,
            })));
        }
        // A cancelled request leaves its transaction to the client. Source: "SET XACT_ABORT".
        let cancelled = error.number == messages::CANCELLED.number;
        let (line, procedure) = (error.line, error.procedure.clone());
        self.report(error);
        let in_trigger = !self.core.firing.is_empty();
        if terminates && reach == Reach::Statement && (!aborts || in_trigger) {
            let told = messages::TERMINATED.at(line, &[]).with_state(0);
            self.report(told.in_procedure(&procedure));
        }
        self.failed(frame);
        if raised && !self.outcome.close {
            return Ok(None);
        }
        if aborts || reach == Reach::Batch || thrown || self.outcome.close {
            if (aborts || reach == Reach::Batch && !cancelled || self.outcome.close)
                && self.core.shared.facts().tran_count > 0
                && let Err(error) = self.rollback_all()
            {
                self.report(error);
            }
            self.outcome.aborted = true;
            return Err(Some(Halt::Abort));
        }
        if reach == Reach::Scope {
            self.outcome.aborted |= !frame.inner;
            return Err(None);
        }
        Ok(None)
    }

    fn statement_starts(&mut self, line: u32) {
        self.line = line;
        let now = self.core.shared.host().now();
        self.core.shared.facts().now = now;
    }

    fn statement_succeeded(&mut self, rows: u64) {
        let mut facts = self.core.shared.facts();
        facts.last_error = 0;
        facts.row_count = rows;
    }

    fn statement(&mut self, statement: &Statement, frame: &mut Frame) -> Ended {
        let ended = self.run_statement(statement, frame);
        // An error in a trigger has ended the batch, and the client knows.
        if self.outcome.aborted
            && let Err(failure) = &ended
            && failure.error.number == trigger::ENDED_IN_TRIGGER.0
        {
            return Ok(End::Abort);
        }
        let in_trigger = !self.core.firing.is_empty();
        ended.map_err(|failure| Failure {
            terminates: takes_back(&statement.kind, &failure, in_trigger),
            ..failure
        })
    }

    fn run_statement(&mut self, statement: &Statement, frame: &mut Frame) -> Ended {
        let done = |end: Result<(), SqlError>| end.map(|()| End::Next).map_err(Failure::from);
        if let Some(kind) = self.in_default_schema(&statement.kind) {
            let qualified = Statement {
                kind,
                span: statement.span,
            };
            return self.statement(&qualified, frame);
        }
        let mut rows = 0;
        let end = match &statement.kind {
            StatementKind::Declare(declarations) => {
                for declaration in declarations {
                    rows += u64::from(self.declare(declaration, frame)?);
                }
                if rows == 0 {
                    // Nothing ran: what @@ROWCOUNT and @@ERROR say stays.
                    return Ok(End::Next);
                }
                Ok(End::Next)
            }
            StatementKind::SetVariable {
                variable,
                op,
                value,
            } => {
                rows = 1;
                if self.assign_cursor(variable, value, frame)? {
                    return Ok(End::Next);
                }
                done(self.set_variable(variable, *op, value, frame))
            }
            StatementKind::SetOption(setting) => done(self.set_option(setting, frame)),
            StatementKind::Use(name) => done(self.use_database(&name.text)),
            StatementKind::Print(expr) => done(self.print(expr, frame)),
            StatementKind::RaisError(raise) => {
                let raised = self.raise_error(raise, frame)?;
                if raise.nowait {
                    self.sink.flush()?;
                }
                match raised {
                    Some(error) if error.is_error() => Err(Failure {
                        raised: true,
                        ..Failure::from(error)
                    }),
                    Some(message) => {
                        let message = message.at_line(statement.span.line);
                        let message = if frame.inner {
                            message.in_procedure(&frame.procedure)
                        } else {
                            message
                        };
                        let number = message.number;
                        self.sink.message(message);
                        if raise.nowait {
                            self.sink.flush()?;
                        }
                        self.statement_succeeded(0);
                        if raise.seterror {
                            self.core.shared.facts().last_error = number;
                        }
                        return Ok(End::Next);
                    }
                    None => Ok(End::Next),
                }
            }
            StatementKind::Throw(throw) => {
                let error = self.throw(throw.as_ref(), frame)?;
                Err(Failure {
                    thrown: true,
                    ..Failure::from(error)
                })
            }
            StatementKind::Return(value) => {
                if let (Some(value), Some((ty, _))) = (value, &frame.returns) {
                    let ty = *ty;
                    let value = self.value_as(value, ty, frame)?;
                    frame.returns = Some((ty, value));
                } else if let Some(value) = value {
                    let value = self.value_as(value, SqlType::Int, frame)?;
                    frame.return_code = value
                        .as_i64()
                        .and_then(|code| i32::try_from(code).ok())
                        .unwrap_or(0);
                }
                Ok(End::Return)
            }
            StatementKind::WaitFor { time, value } => done(self.wait_for(*time, value, frame)),
            StatementKind::BeginTransaction {
                distributed, name, ..
            } => {
                if *distributed {
                    return Err(fault::not_supported("BEGIN DISTRIBUTED TRANSACTION").into());
                }
                let name = match name {
                    Some(name) => transaction::transaction_name(name, frame)?,
                    None => String::new(),
                };
                done(self.begin(&name))
            }
            StatementKind::Commit { .. } => done(self.commit()),
            StatementKind::Rollback { name } => done(self.rollback(name.as_ref(), frame)),
            StatementKind::SaveTransaction { name } => done(self.save(name, frame)),
            StatementKind::Execute(execute) => {
                // The procedure decides what @@ERROR and @@ROWCOUNT say.
                return self.execute(execute, frame);
            }
            StatementKind::Select(select) => {
                if reads_tables(&select.query.body) {
                    self.touches_tables()?;
                }
                rows = self.select(select, frame)?;
                Ok(End::Next)
            }
            StatementKind::Insert(insert) => {
                self.writes_tables()?;
                let inserted = self.insert(insert, frame)?;
                let Some(inserted) = inserted else {
                    return Ok(End::Abort);
                };
                rows = inserted;
                self.done(frame, Some(rows), false)?;
                Ok(End::Next)
            }
            StatementKind::InsertBulk(bulk) => {
                self.writes_tables()?;
                done(self.insert_bulk(bulk))
            }
            StatementKind::Update(update) => {
                self.writes_tables()?;
                rows = self.update(update, frame)?;
                self.done(frame, Some(rows), false)?;
                Ok(End::Next)
            }
            StatementKind::Delete(delete) => {
                self.writes_tables()?;
                rows = self.delete(delete, frame)?;
                self.done(frame, Some(rows), false)?;
                Ok(End::Next)
            }
            StatementKind::Merge(merge) => {
                self.writes_tables()?;
                rows = self.merge(merge, frame)?;
                self.done(frame, Some(rows), false)?;
                Ok(End::Next)
            }
            StatementKind::Truncate(target) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.truncate(target, frame))),
            StatementKind::CreateTable(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_table(create, frame))),
            StatementKind::CreateIndex(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_index(create, frame))),
            StatementKind::AlterIndex(alter) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.alter_index(alter))),
            StatementKind::DropIndex(drop) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.drop_index(drop))),
            StatementKind::AlterTable(alter) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.alter_table(alter, frame))),
            StatementKind::CreateView(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_view(create, statement.span, frame))),
            StatementKind::CreateProcedure(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_procedure(create, statement.span, frame))),
            StatementKind::CreateFunction(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_function(create, statement.span, frame))),
            StatementKind::CreateTrigger(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_trigger(create, statement.span, frame))),
            StatementKind::ToggleTrigger {
                enable,
                names,
                target: Some(table),
            } => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.toggle_trigger(*enable, names, table))),
            StatementKind::CreateDatabase(create) => done(self.create_database(create)),
            StatementKind::AlterDatabase(alter) => done(self.alter_database(alter)),
            StatementKind::CreateSchema(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_schema(create))),
            StatementKind::CreateSynonym(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_synonym(create))),
            StatementKind::CreateType(create) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.create_type(create, frame))),
            StatementKind::Drop(objects) => self
                .writes_tables()
                .map_err(Failure::from)
                .and_then(|()| done(self.drop_objects(objects))),
            StatementKind::DeclareCursor { name, cursor } => {
                done(self.declare_cursor(name, cursor, frame))
            }
            StatementKind::SetCursor { variable, cursor } => {
                done(self.set_cursor(variable, cursor, frame))
            }
            StatementKind::OpenCursor(cursor) => done(self.open_cursor(cursor, frame)),
            StatementKind::Fetch(fetch) => {
                rows = self.fetch(fetch, frame)?;
                Ok(End::Next)
            }
            StatementKind::CloseCursor(cursor) => done(self.close_cursor(cursor, frame)),
            StatementKind::DeallocateCursor(cursor) => done(self.deallocate_cursor(cursor, frame)),
            StatementKind::ExecuteAs(execute_as) => done(self.execute_as(execute_as, frame)),
            StatementKind::Revert { cookie } => done(self.revert(cookie.as_ref(), frame)),
            StatementKind::Security(security) => {
                self.touches_tables()?;
                done(self.security(security))
            }
            // Accepted without effect: there is nothing to flush or apply.
            StatementKind::Dbcc {
                command,
                arguments,
                options,
            } => self.dbcc(command, arguments, options, frame),
            StatementKind::Checkpoint
            | StatementKind::Reconfigure
            | StatementKind::UpdateStatistics => Ok(End::Next),
            other => Err(fault::not_supported(unsupported_name(other)).into()),
        };
        if matches!(end, Ok(End::Next)) {
            self.statement_succeeded(rows);
        }
        end
    }

    // ---- expressions ----

    /// What names mean to the statements of a frame.
    pub(crate) fn names<'n>(&'n self, scope: &'n Scope) -> Names<'n> {
        Names {
            shared: &self.core.shared,
            scope,
        }
    }

    pub(crate) fn bind(&self, expr: &Expr, frame: &Frame) -> Result<TypedExpr, SqlError> {
        let names = self.names(&frame.scope);
        Binder::new(&names).expr(expr)
    }

    /// Value of a bound expression; one with subqueries runs as a query.
    pub(crate) fn evaluate(&mut self, expr: &TypedExpr, frame: &Frame) -> Result<Value, SqlError> {
        if expr.is_scalar() {
            let env = Env::new(&self.core.shared, &frame.values);
            return eval::evaluate(expr, &env, &[]);
        }
        self.query_value(expr, frame)
    }

    pub(crate) fn value_as(
        &mut self,
        expr: &Expr,
        ty: SqlType,
        frame: &Frame,
    ) -> Result<Value, SqlError> {
        let bound = self.bind(expr, frame)?;
        let bound = tsql::bind::coerce(bound, ty)?;
        self.evaluate(&bound, frame)
    }

    fn condition(&mut self, expr: &Expr, frame: &Frame) -> Result<bool, SqlError> {
        let bound = self.bind(expr, frame)?;
        if bound.is_scalar() {
            let env = Env::new(&self.core.shared, &frame.values);
            return Ok(eval::truth(&bound, &env, &[])? == Some(true));
        }
        Ok(self.query_value(&bound, frame)?.as_i64() == Some(1))
    }

    // ---- simple statements ----

    /// Whether the declaration ran an assignment.
    fn declare(&mut self, declaration: &Declaration, frame: &mut Frame) -> Result<bool, SqlError> {
        match declaration {
            Declaration::Scalar {
                variable,
                ty,
                value,
            } => {
                let Some(value) = value else {
                    return Ok(false);
                };
                let ty = self.declared_type(ty)?;
                let value = self.value_as(value, ty, frame)?;
                frame.declare(&variable.name, ty, value);
                Ok(true)
            }
            Declaration::Table {
                variable,
                definition,
            } => {
                self.declare_table(&variable.name, definition, frame)?;
                Ok(false)
            }
            // Made with the other variables of the text.
            Declaration::Cursor { .. } => Ok(false),
        }
    }

    fn print(&mut self, expr: &Expr, frame: &Frame) -> Result<(), SqlError> {
        let bound = self.bind(expr, frame)?;
        let value = self.evaluate(&bound, frame)?;
        let message = SqlError::new(0, 0, message::printed(&value, bound.ty));
        self.sink.message(message.at_line(expr.span.line));
        Ok(())
    }

    fn raise_error(
        &mut self,
        raise: &tsql::ast::RaisError,
        frame: &Frame,
    ) -> Result<Option<SqlError>, SqlError> {
        let bound = self.bind(&raise.message, frame)?;
        let message = self.evaluate(&bound, frame)?;
        let severity = self.value_as(&raise.severity, SqlType::Int, frame)?;
        let state = self.value_as(&raise.state, SqlType::Int, frame)?;
        let severity = severity.as_i64().unwrap_or(0).max(0);
        if severity > SEVERITY_WITHOUT_LOG_MAX
            && !(raise.log && self.core.shared.host().principal().sysadmin)
        {
            return Err(messages::RAISERROR_NEEDS_LOG.with(&[]));
        }
        let severity = u8::try_from(severity.min(SEVERITY_MAX)).unwrap_or(16);
        // Below zero the state is 1, beyond 255 it is 255.
        let state = state.as_i64().unwrap_or(1);
        let state = if state < 0 {
            1
        } else {
            u8::try_from(state).unwrap_or(255)
        };
        let mut args = Vec::with_capacity(raise.args.len());
        for arg in &raise.args {
            let bound = self.bind(arg, frame)?;
            args.push(self.evaluate(&bound, frame)?);
        }
        let (number, format) = match &message {
            Value::String(text) => (messages::USER_ERROR.number, text.clone()),
            Value::Null => return Ok(None),
            other => {
                let number = other.as_i64().unwrap_or(0);
                if !(FIRST_RAISABLE..=i64::from(i32::MAX)).contains(&number) || number == 50_000 {
                    return Err(SqlError::new(
                        2732,
                        16,
                        format!(
                            "Error number {number} is invalid. The number must be from 13000 through 2147483647 and it cannot be 50000."
                        ),
                    ));
                }
                let known = numbered(&self.core.shared, number).ok_or_else(|| {
                    messages::UNKNOWN_MESSAGE.with(&[
                        &number.to_string(),
                        &severity.to_string(),
                        &state.to_string(),
                    ])
                })?;
                (i32::try_from(number).unwrap_or(0), known)
            }
        };
        let text = format_message(&format, &args)?;
        Ok(Some(
            SqlError::new(number, severity, text).with_state(state),
        ))
    }

    fn throw(
        &mut self,
        throw: Option<&tsql::ast::Throw>,
        frame: &Frame,
    ) -> Result<SqlError, SqlError> {
        let Some(throw) = throw else {
            let caught = self.core.shared.facts().caught.clone();
            return caught.ok_or_else(|| messages::THROW_OUTSIDE_CATCH.with(&[]));
        };
        let number = self.value_as(&throw.number, SqlType::Int, frame)?;
        let text = self.value_as(&throw.message, SqlType::nvarchar(2048), frame)?;
        let state = self.value_as(&throw.state, SqlType::Int, frame)?;
        let valid = number.as_i64().and_then(|n| i32::try_from(n).ok());
        let Some(valid) = valid.filter(|n| *n >= 50_000) else {
            return Err(SqlError::new(
                35_100,
                16,
                format!(
                    "Error number {} in the THROW statement is outside the valid range. Specify an error number in the valid range of 50000 to 2147483647.",
                    number.as_i64().unwrap_or(0)
                ),
            ));
        };
        let state = state
            .as_i64()
            .and_then(|s| u8::try_from(s).ok())
            .unwrap_or(1);
        let text = message::shortened(text.as_str().unwrap_or_default().to_owned());
        Ok(SqlError::new(valid, 16, text).with_state(state))
    }

    fn wait_for(&mut self, time: bool, value: &Expr, frame: &Frame) -> Result<(), SqlError> {
        let bound = self.bind(value, frame)?;
        let given = self.evaluate(&bound, frame)?;
        let bad = || {
            let text = given.as_str().unwrap_or_default();
            messages::BAD_TIME_SYNTAX.with(&[text])
        };
        let ticks = match convert::convert(given.clone(), bound.ty, SqlType::Time(7), Style::PLAIN)
        {
            Ok(Value::Time(ticks)) => ticks,
            _ => return Err(bad()),
        };
        let wait = if time {
            let now = Env::new(&self.core.shared, &[]).now();
            let local = now.0 + i64::from(now.1) * 60_000_000;
            let of_day = u64::try_from(local.rem_euclid(86_400_000_000)).unwrap_or(0) * 10;
            let day = convert::calendar::TICKS_PER_DAY;
            (ticks + day - of_day) % day
        } else {
            ticks
        };
        self.sink.flush()?;
        let wait = std::time::Duration::from_nanos(wait.saturating_mul(100));
        let cancelled = self.cancel.wait(wait);
        self.core.shared.extend(wait);
        if cancelled {
            return Err(messages::CANCELLED.with(&[]));
        }
        Ok(())
    }

    /// Drops the temporary tables made at a nesting level or deeper; those of the session itself are level 0.
    pub(crate) fn drop_temps(&mut self, level: u32) {
        for key in self.core.shared.temps_from(level) {
            self.drop_own(key);
        }
    }

    /// Drops the table variables of a request.
    fn drop_variables(&mut self) {
        let variables: Vec<u32> = self
            .core
            .shared
            .own_tables()
            .iter()
            .filter(|table| table.variable)
            .map(|table| table.key)
            .collect();
        for key in variables {
            self.drop_own(key);
        }
    }

    fn drop_own(&mut self, key: u32) {
        self.core.shared.remove_temp(key);
        if let (Some(Object::Own(_)), Some(store)) =
            (self.core.shared.object(key), self.core.store.as_mut())
            && let Err(error) = store
                .db
                .execute_batch(&format!("DROP TABLE IF EXISTS t{key}"))
        {
            tracing::warn!(%error, "drop a temporary table");
        }
        self.core.shared.forget(key);
    }
}

/// Whether the failure came while a statement changed rows, and took its changes back.
fn takes_back(kind: &StatementKind, failure: &Failure, in_trigger: bool) -> bool {
    if failure.raised || failure.thrown {
        return false;
    }
    let number = failure.error.number;
    let values = matches!(
        number,
        220 | 232 | 242 | 512 | 515 | 2628 | 8115 | 8134 | 8152
    );
    // What set a trigger off is taken back with it.
    if in_trigger && values {
        return true;
    }
    match kind {
        StatementKind::Insert(_)
        | StatementKind::Update(_)
        | StatementKind::Delete(_)
        | StatementKind::Merge(_) => values || matches!(number, 547 | 550 | 2601 | 2627),
        StatementKind::Select(select) => values && query::select_into(&select.query.body).is_some(),
        StatementKind::AlterTable(_) => values || number == 1505,
        StatementKind::CreateIndex(_) => number == 1505,
        _ => false,
    }
}

/// Whether a query has a FROM, or several parts.
fn reads_tables(body: &QueryBody) -> bool {
    match body {
        QueryBody::Select(select) => !select.from.is_empty() || select.into.is_some(),
        QueryBody::Nested(query) => reads_tables(&query.body),
        QueryBody::Chain { first, rest } => {
            reads_tables(first) || rest.iter().any(|operand| reads_tables(&operand.operand))
        }
    }
}

/// The feature behind a statement that is not there yet.
fn unsupported_name(kind: &StatementKind) -> &str {
    match kind {
        StatementKind::ToggleTrigger { .. } => "ENABLE and DISABLE of a DDL or logon TRIGGER",
        StatementKind::Kill(_) => "KILL",
        StatementKind::Unsupported { feature } => feature,
        _ => "this statement",
    }
}
