//! Statements in order: IF, WHILE, BEGIN … END, GOTO, RETURN, TRY … CATCH, and the way to every other statement.

use super::Run;
use super::stop::{Reach, Stop};
use tsql::ast::{Expr, Statement, StatementKind};
use tsql::messages as m;
use tsql::{SqlError, SqlType, Value, fault};

/// Where the run goes after a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flow {
    /// To the next statement.
    Next,
    /// Out of the loop.
    Break,
    /// To the loop's condition.
    Continue,
    /// To a label, in lower case.
    Goto(String),
    /// Out of the text.
    Return,
}

impl Run<'_> {
    /// Runs statements from the first, or from inside the one that holds the label `entry`.
    pub(super) fn list(
        &mut self,
        statements: &[Statement],
        mut entry: Option<String>,
    ) -> Result<Flow, Stop> {
        let mut at = match &entry {
            Some(label) => position(statements, label).unwrap_or(0),
            None => 0,
        };
        while let Some(statement) = statements.get(at) {
            match self.statement(statement, entry.take())? {
                Flow::Next => at += 1,
                Flow::Goto(label) => match position(statements, &label) {
                    Some(target) => {
                        at = target;
                        entry = Some(label);
                    }
                    None => return Ok(Flow::Goto(label)),
                },
                flow @ (Flow::Break | Flow::Continue | Flow::Return) => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &Statement, entry: Option<String>) -> Result<Flow, Stop> {
        if self.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let now = self.machine.shared.host().now();
        self.machine.shared.facts().now = now;
        let result = if self.machine.shared.time_is_up() {
            Err(Stop::from(self.machine.shared.time_limit_error()))
        } else {
            self.execute(statement, entry)
        };
        match result {
            Err(Stop::Raised(raised)) => self.failed(raised, statement),
            other => other,
        }
    }

    fn execute(&mut self, statement: &Statement, entry: Option<String>) -> Result<Flow, Stop> {
        let line = statement.span.line;
        match &statement.kind {
            StatementKind::If {
                condition,
                then,
                otherwise,
            } => {
                let holds = match &entry {
                    Some(label) => contains(then, label),
                    None => self.condition(condition)?,
                };
                match (holds, otherwise) {
                    (true, _) => self.branch(then, entry),
                    (false, Some(otherwise)) => self.branch(otherwise, entry),
                    (false, None) => Ok(Flow::Next),
                }
            }
            StatementKind::While { condition, body } => {
                let mut entry = entry;
                loop {
                    if entry.is_none() {
                        if self.cancel.is_cancelled() {
                            return Err(Stop::Cancelled);
                        }
                        if !self.condition(condition)? {
                            return Ok(Flow::Next);
                        }
                    }
                    match self.branch(body, entry.take())? {
                        Flow::Next | Flow::Continue => {}
                        Flow::Break => return Ok(Flow::Next),
                        Flow::Goto(label) if contains(body, &label) => entry = Some(label),
                        flow @ (Flow::Goto(_) | Flow::Return) => return Ok(flow),
                    }
                }
            }
            StatementKind::Block(statements) => self.list(statements, entry),
            StatementKind::TryCatch { body, handler } => {
                if entry.is_some() {
                    return Err(into_try().at_line(line).into());
                }
                self.try_catch(body, handler)
            }
            StatementKind::Break => Ok(Flow::Break),
            StatementKind::Continue => Ok(Flow::Continue),
            StatementKind::Label(_) => Ok(Flow::Next),
            StatementKind::Goto(label) => Ok(Flow::Goto(label.text.to_lowercase())),
            // A value is refused by the parser where none may stand, and procedures of T-SQL do not exist.
            StatementKind::Return(_) => Ok(Flow::Return),

            StatementKind::Declare(declarations) => self.declare_statement(declarations),
            StatementKind::SetVariable {
                variable,
                op,
                value,
            } => self.set_variable(variable, *op, value),
            StatementKind::Print(value) => self.print(value, line),
            StatementKind::RaisError(raise) => self.raiserror(raise, line),
            StatementKind::Throw(throw) => self.throw(throw.as_ref(), line),
            StatementKind::WaitFor { time, value } => self.wait_for(*time, value),

            StatementKind::Use(database) => self.use_database(database, line),
            StatementKind::SetOption(option) => self.set_option(option, line),

            StatementKind::BeginTransaction {
                distributed, name, ..
            } => {
                if *distributed {
                    return Err(fault::not_supported("BEGIN DISTRIBUTED TRANSACTION").into());
                }
                self.begin_statement(name.as_ref())
            }
            StatementKind::Commit { .. } => self.commit_statement(),
            StatementKind::Rollback { name } => self.rollback_statement(name.as_ref()),
            StatementKind::SaveTransaction { name } => self.save_statement(name),

            StatementKind::Execute(execute) => self.execute_statement(execute, line),

            StatementKind::Select(select) => self.select_statement(select),
            StatementKind::Insert(insert) => self.insert_statement(insert, line, statement),
            StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Merge(_)
            | StatementKind::Truncate(_) => self.change_statement(statement),
            StatementKind::CreateTable(_)
            | StatementKind::AlterTable(_)
            | StatementKind::CreateIndex(_)
            | StatementKind::DropIndex(_)
            | StatementKind::CreateView(_)
            | StatementKind::CreateProcedure(_)
            | StatementKind::CreateFunction(_)
            | StatementKind::CreateTrigger(_)
            | StatementKind::CreateType(_)
            | StatementKind::CreateSynonym(_)
            | StatementKind::CreateSchema(_)
            | StatementKind::Drop(_) => self.define_statement(statement),

            StatementKind::DeclareCursor { name, cursor } => self.declare_cursor(name, cursor),
            StatementKind::SetCursor { variable, cursor } => {
                self.set_cursor(variable, cursor)
            }
            StatementKind::OpenCursor(cursor) => self.open_cursor(cursor),
            StatementKind::Fetch(fetch) => self.fetch(fetch),
            StatementKind::CloseCursor(cursor) => self.close_cursor(cursor),
            StatementKind::DeallocateCursor(cursor) => self.deallocate_cursor(cursor),

            StatementKind::Security(security) => self.security_statement(security),

            // What they would flush or refresh is always up to date here.
            StatementKind::Checkpoint | StatementKind::UpdateStatistics => self.nothing(),
            StatementKind::Reconfigure => self.nothing(),

            StatementKind::CreateDatabase(_) => Err(unsupported("CREATE DATABASE")),
            StatementKind::AlterDatabase(_) => Err(unsupported("ALTER DATABASE")),
            StatementKind::ExecuteAs(_) => Err(unsupported("EXECUTE AS")),
            StatementKind::Revert => Err(unsupported("REVERT")),
            StatementKind::Kill(_) => Err(unsupported("KILL")),
            StatementKind::Dbcc { command } => Err(unsupported(&format!("DBCC {command}"))),
            StatementKind::ToggleTrigger { enable, .. } => Err(unsupported(if *enable {
                "ENABLE TRIGGER"
            } else {
                "DISABLE TRIGGER"
            })),
            StatementKind::Unsupported { feature } => Err(unsupported(feature)),
        }
    }

    fn nothing(&mut self) -> Result<Flow, Stop> {
        self.succeeded(0);
        Ok(Flow::Next)
    }

    /// A branch of IF or the body of WHILE: a jump inside it stays inside it.
    fn branch(&mut self, statement: &Statement, entry: Option<String>) -> Result<Flow, Stop> {
        self.list(std::slice::from_ref(statement), entry)
    }

    /// A condition's truth; UNKNOWN counts as false. IF and WHILE are statements: they reset @@ERROR.
    fn condition(&mut self, condition: &Expr) -> Result<bool, Stop> {
        let holds = self.truth(condition)?;
        self.succeeded(0);
        Ok(holds == Some(true))
    }

    fn try_catch(&mut self, body: &[Statement], handler: &[Statement]) -> Result<Flow, Stop> {
        self.request.tries += 1;
        self.frame.tries += 1;
        let result = self.list(body, None);
        self.request.tries -= 1;
        self.frame.tries -= 1;
        match result {
            Err(Stop::Raised(raised)) if raised.reach != Reach::Text => {
                self.caught(&raised);
                let outer = self
                    .machine
                    .shared
                    .facts()
                    .caught
                    .replace(raised.error);
                let result = self.list(handler, None);
                self.machine.shared.facts().caught = outer;
                result
            }
            other => other,
        }
    }
}

fn unsupported(feature: &str) -> Stop {
    Stop::from(fault::not_supported(feature))
}

fn into_try() -> SqlError {
    SqlError::new(
        1026,
        15,
        "GOTO cannot be used to jump into a TRY or CATCH scope.",
    )
}

/// Which of the statements is, or holds, a label.
fn position(statements: &[Statement], label: &str) -> Option<usize> {
    statements
        .iter()
        .position(|statement| contains(statement, label))
}

fn contains(statement: &Statement, label: &str) -> bool {
    match &statement.kind {
        StatementKind::Label(name) => name.text.to_lowercase() == label,
        StatementKind::Block(statements) => position(statements, label).is_some(),
        StatementKind::If {
            then, otherwise, ..
        } => {
            contains(then, label)
                || otherwise
                    .as_ref()
                    .is_some_and(|statement| contains(statement, label))
        }
        StatementKind::While { body, .. } => contains(body, label),
        StatementKind::TryCatch { body, handler } => {
            position(body, label).is_some() || position(handler, label).is_some()
        }
        _ => false,
    }
}

/// A value that a statement reads as a whole number; `None` for NULL.
pub(super) fn whole(value: &Value, ty: SqlType) -> Result<Option<i64>, SqlError> {
    if value.is_null() {
        return Ok(None);
    }
    if !matches!(tsql::convert::allowed(ty, SqlType::BigInt), tsql::convert::Allowed::Implicit) {
        return Err(m::OPERAND_CLASH.with(&[ty.name(), "int"]));
    }
    let value = tsql::convert::convert(
        value.clone(),
        ty,
        SqlType::BigInt,
        tsql::convert::Style::PLAIN,
    )?;
    Ok(value.as_i64())
}
