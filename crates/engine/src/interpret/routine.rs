//! Functions that users made, called from inside a statement: they run in an interpreter of their own over the
//! session's database.

use super::{End, Frame, Interpreter};
use crate::host::{FunctionResult, ResultSink, Scan};
use crate::session::Core;
use crate::session::shared::Shared;
use crate::session::stored::Routine;
use std::sync::PoisonError;
use tsql::ast::{FunctionReturns, ModuleBody, StatementKind};
use tsql::{Column, Row, SqlError, SqlType, Value, fault, messages};

/// Most rows that a function may give.
const ROWS_MAX: usize = 1_000_000;

/// Nobody reads what a function prints; its error is its caller's.
#[derive(Default)]
struct Nowhere {
    error: Option<SqlError>,
}

impl ResultSink for Nowhere {
    fn columns(&mut self, _: &[Column]) -> Result<(), SqlError> {
        Err(SqlError::new(
            444,
            16,
            "Select statements included within a function cannot return data to a client.",
        ))
    }

    fn row(&mut self, _: Row) -> Result<(), SqlError> {
        Ok(())
    }

    fn done(&mut self, _: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        if message.is_error() {
            self.error.get_or_insert(message);
        }
    }
}

/// Value of a scalar function.
pub(crate) fn scalar_function(
    shared: &Shared,
    routine: &Routine,
    args: &[Value],
) -> Result<Value, SqlError> {
    within(shared, |own| {
        let frame = own.run_function(routine, args)?;
        Ok(frame.returns.map(|(_, value)| value).unwrap_or_default())
    })
}

/// Rows of a multi-statement function.
pub(crate) fn table_function(
    shared: &Shared,
    routine: &Routine,
    args: &[Value],
) -> Result<Scan, SqlError> {
    let rows = within(shared, |own| own.function_rows(routine, args))?;
    Ok(Box::new(rows.into_iter().map(Ok)))
}

/// Runs something inside the statement that runs now, and leaves the session as it was.
fn within<T>(
    shared: &Shared,
    work: impl FnOnce(&mut Interpreter<'_>) -> Result<T, SqlError>,
) -> Result<T, SqlError> {
    let working = shared.working();
    let before = shared.facts().clone();
    let mut core = Core::nested(shared.this()?)?;
    let cancel = shared.cancel();
    let mut sink = Nowhere::default();
    let mut interpreter = Interpreter::new(&mut core, &mut sink, &cancel);
    // An error ends the function, and its caller handles it.
    interpreter.tries = 1;
    let result = work(&mut interpreter);
    drop(core);
    shared.put_back(working);
    let random = shared.facts().random;
    let here = {
        let mut facts = shared.facts();
        *facts = before;
        facts.random = random;
        facts.database.clone()
    };
    shared.host().enter_database(&here);
    match (result, sink.error) {
        (_, Some(error)) => Err(error),
        (result, None) => result,
    }
}

impl Interpreter<'_> {
    /// Runs a function's statements; its frame holds what it returns.
    fn run_function(&mut self, routine: &Routine, args: &[Value]) -> Result<Frame, SqlError> {
        let found = &routine.found;
        let permission = match routine.decl.returns {
            FunctionResult::Scalar(_) => "EXECUTE",
            FunctionResult::Table(_) => "SELECT",
        };
        if !routine.chained {
            self.core.shared.may_use(found, permission)?;
        }
        let parsed = self.core.shared.parsed.get(found)?;
        let StatementKind::CreateFunction(create) = &parsed.statement else {
            return Err(fault::internal("a function is none"));
        };
        let ModuleBody::Statements(body) = &create.body else {
            return Err(fault::not_supported("EXTERNAL NAME"));
        };
        let mut frame = Frame {
            procedure: found.object.name.clone(),
            text: std::sync::Arc::clone(&parsed.text),
            ..Frame::default()
        };
        for ((param, decl), value) in create.params.iter().zip(&routine.decl.params).zip(args) {
            frame.declare(&param.name.name, decl.ty, value.clone());
        }
        if let FunctionResult::Scalar(ty) = routine.decl.returns {
            frame.returns = Some((ty, Value::Null));
        }
        if let FunctionReturns::Table {
            variable,
            definition,
        } = &create.returns
        {
            self.declare_table(&variable.name, definition, &mut frame)?;
        }
        let database = found.database_name.clone();
        let end = self.run_module(found, &parsed, body, &mut frame, &database);
        match end {
            Ok(End::Next | End::Return) => Ok(frame),
            Ok(End::Abort) => {
                self.put_by(&frame)?;
                Err(fault::internal("a function was stopped"))
            }
            Err(failure) => {
                self.put_by(&frame)?;
                Err(failure.error)
            }
        }
        .and_then(|frame| {
            if matches!(routine.decl.returns, FunctionResult::Scalar(_)) {
                self.put_by(&frame)?;
            }
            Ok(frame)
        })
    }

    fn function_rows(&mut self, routine: &Routine, args: &[Value]) -> Result<Vec<Row>, SqlError> {
        let FunctionResult::Table(columns) = &routine.decl.returns else {
            return Err(fault::internal("a function without rows"));
        };
        let frame = self.run_function(routine, args)?;
        // The first table of the frame is what the function fills.
        let key = frame.scope.tables.first().map_or(0, |(_, key)| *key);
        let types: Vec<SqlType> = columns.iter().map(|column| column.ty).collect();
        let rows = self.filled_rows(key, &types);
        self.put_by(&frame)?;
        rows
    }

    fn filled_rows(&mut self, key: u32, types: &[SqlType]) -> Result<Vec<Row>, SqlError> {
        let (text, plan) = self.generate(&Frame::default(), |generator| {
            let columns: Vec<String> = (0..types.len()).map(|at| format!("s1.c{at}")).collect();
            let rows = generator.rows_of(1, key)?;
            Ok(format!(
                "SELECT {} FROM {rows} ORDER BY s1.rowid",
                columns.join(",")
            ))
        })?;
        let mut kept = Vec::new();
        super::query::run(self.core, self.cancel, &text, plan, types, &mut |row| {
            if kept.len() >= ROWS_MAX {
                return Err(messages::MEMORY_LIMIT.with(&["default"]));
            }
            kept.push(row);
            Ok(())
        })?;
        Ok(kept)
    }

    /// Empties the tables of a function's variables and keeps them for its next call: SQLite drops no table while a
    /// statement runs. The end of the request drops them.
    fn put_by(&mut self, frame: &Frame) -> Result<(), SqlError> {
        for (name, key) in &frame.scope.tables {
            self.core_batch(&format!("DELETE FROM t{key}"))?;
            self.core
                .shared
                .spare
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((text_of(frame), name.clone(), *key));
        }
        Ok(())
    }

    /// A table that an earlier call of the same function put by.
    pub(super) fn spare_table(&self, name: &str, frame: &Frame) -> Option<u32> {
        if !self.core.nested {
            return None;
        }
        let mut spare = self
            .core
            .shared
            .spare
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let text = text_of(frame);
        let at = spare
            .iter()
            .position(|(of, known, _)| *of == text && known == name)?;
        Some(spare.swap_remove(at).2)
    }

    /// 443 inside a function.
    pub(super) fn no_side_effects(&self, operator: &str) -> Result<(), SqlError> {
        if self.core.nested {
            return Err(SqlError::new(
                443,
                16,
                format!("Invalid use of a side-effecting operator '{operator}' within a function."),
            ));
        }
        Ok(())
    }
}

/// Tells functions apart: the address of a parsed text, which lives as long as the request.
fn text_of(frame: &Frame) -> usize {
    frame.text.as_ptr().addr()
}
