//! sp_executesql, and the handles of sp_prepare and its kin.
//!
//! Source: "sp_executesql", "sp_prepare", "sp_prepexec", "sp_execute", "sp_unprepare".

use super::arguments::{self, Given, Parameter};
use super::names::{EngineProcedure, ProcedureName};
use super::procedure::{Call, Outcome};
use super::stop::Stop;
use super::text::parameter;
use super::{Frame, Run};
use std::collections::BTreeMap;
use std::sync::Arc;
use tsql::ast::{Batch, Expr, ExprKind, Literal, ModuleBody, StatementKind, UnaryOp};
use tsql::bind::{DefaultLength, resolve_type};
use tsql::messages as m;
use tsql::parser::{ParseOptions, parse_batch};
use tsql::{SqlError, SqlType, Value, fault};

/// The session's handles.
pub(super) struct Prepared {
    max: usize,
    last: i32,
    known: BTreeMap<i32, Arc<Statement>>,
}

/// What a handle stands for.
enum Statement {
    /// A text and its parameters.
    Text {
        batch: Batch,
        parameters: Vec<Parameter>,
    },
    /// A procedure (sp_prepexecrpc).
    Procedure(ProcedureName),
}

impl Prepared {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            last: 0,
            known: BTreeMap::new(),
        }
    }

    /// Keeps a statement; its handle.
    fn keep(&mut self, statement: Statement) -> Result<i32, SqlError> {
        if self.known.len() >= self.max {
            return Err(SqlError::new(
                701,
                17,
                format!(
                    "This session holds {} prepared statements, the most that it may.",
                    self.max
                ),
            ));
        }
        self.last = self.last.checked_add(1).unwrap_or(1);
        while self.known.contains_key(&self.last) {
            self.last = self.last.checked_add(1).unwrap_or(1);
        }
        self.known.insert(self.last, Arc::new(statement));
        Ok(self.last)
    }
}

impl Run<'_> {
    /// Calls one of the engine's own procedures.
    pub(super) fn call_engine(
        &mut self,
        which: EngineProcedure,
        given: &[Given],
        line: u32,
    ) -> Result<Call, Stop> {
        match which {
            EngineProcedure::ExecuteSql => {
                let text = unicode(given, 0, "@statement")?.unwrap_or_default();
                let declared = unicode(given, 1, "@parameters")?.unwrap_or_default();
                self.execute_sql(&text, &declared, given)
            }
            EngineProcedure::Prepare => {
                let (handle, _) = self.prepare(given)?;
                Ok(done(0, vec![(0, Value::Int(handle), SqlType::Int)]))
            }
            EngineProcedure::PrepExec => {
                let (handle, statement) = self.prepare(given)?;
                let result = self.run_statement(&statement, given, 3, line)?;
                Ok(with_handle(result, handle))
            }
            EngineProcedure::PrepExecRpc => {
                let name = text(given, 1).unwrap_or_default();
                let name = ProcedureName::parse(&name).map_err(Stop::statement)?;
                self.drop_handle(given);
                let handle = self
                    .machine
                    .prepared
                    .keep(Statement::Procedure(name.clone()))
                    .map_err(Stop::statement)?;
                let rest = given.get(2..).unwrap_or_default();
                let result = self.call(&name, rest, line)?;
                Ok(with_handle(moved(result, 2), handle))
            }
            EngineProcedure::Execute => {
                let statement = self.statement_of(given)?;
                self.run_statement(&statement, given, 1, line)
            }
            EngineProcedure::Unprepare => {
                self.statement_of(given)?;
                self.drop_handle(given);
                Ok(done(0, Vec::new()))
            }
        }
    }

    fn execute_sql(&mut self, text: &str, declared: &str, given: &[Given]) -> Result<Call, Stop> {
        let values = given.get(2..).unwrap_or_default();
        let parameters = declarations(declared).map_err(Stop::statement)?;
        let (frame, places) = bound_frame(text, declared, &parameters, values)?;
        let frame = self.dynamic(text, frame)?;
        Ok(Call::Done(outcome(frame, &parameters, &places, values, 2)))
    }

    /// Runs what a handle stands for, with the arguments from `first` on.
    fn run_statement(
        &mut self,
        statement: &Statement,
        given: &[Given],
        first: usize,
        line: u32,
    ) -> Result<Call, Stop> {
        let values = given.get(first..).unwrap_or_default();
        match statement {
            Statement::Procedure(name) => {
                let result = self.call(name, values, line)?;
                Ok(moved(result, first))
            }
            Statement::Text { batch, parameters } => {
                let (frame, places) = bound_frame("", "", parameters, values)?;
                let frame = self.nested(batch, frame)?;
                let end = outcome(frame, parameters, &places, values, first);
                Ok(Call::Done(end))
            }
        }
    }

    /// Handle OUTPUT, declarations, text: reads the text and keeps it.
    fn prepare(&mut self, given: &[Given]) -> Result<(i32, Arc<Statement>), Stop> {
        let declared = unicode(given, 1, "@params")?.unwrap_or_default();
        let text = unicode(given, 2, "@stmt")?.unwrap_or_default();
        let parameters = declarations(&declared).map_err(Stop::statement)?;
        let names: Vec<String> = parameters.iter().map(|p| p.name.clone()).collect();
        let batch = match self.parse(&text, &names) {
            Ok(batch) => batch,
            Err(errors) => {
                for error in errors {
                    if self.request.tries > 0 {
                        return Err(Stop::statement(error));
                    }
                    self.report(error);
                }
                return Err(Stop::statement(SqlError::new(
                    8180,
                    16,
                    "Statement(s) could not be prepared.",
                )));
            }
        };
        // A handle that is handed in gives way to the new one.
        self.drop_handle(given);
        let handle = self
            .machine
            .prepared
            .keep(Statement::Text { batch, parameters })
            .map_err(Stop::statement)?;
        match self.machine.prepared.known.get(&handle) {
            Some(statement) => Ok((handle, Arc::clone(statement))),
            None => Err(fault::internal("a prepared statement is gone").into()),
        }
    }

    fn statement_of(&self, given: &[Given]) -> Result<Arc<Statement>, Stop> {
        let handle = handle_of(given);
        handle
            .and_then(|handle| self.machine.prepared.known.get(&handle))
            .cloned()
            .ok_or_else(|| {
                Stop::statement(SqlError::new(
                    8179,
                    16,
                    format!(
                        "Could not find prepared statement with handle {}.",
                        handle.unwrap_or(0)
                    ),
                ))
            })
    }

    fn drop_handle(&mut self, given: &[Given]) {
        if let Some(handle) = handle_of(given) {
            self.machine.prepared.known.remove(&handle);
        }
    }
}

fn handle_of(given: &[Given]) -> Option<i32> {
    let value = given.first()?.value.as_ref()?;
    i32::try_from(value.as_i64()?).ok()
}

fn done(code: i32, outputs: Vec<(usize, Value, SqlType)>) -> Call {
    Call::Done(Outcome { code, outputs })
}

/// The call with the new handle as its first output.
fn with_handle(call: Call, handle: i32) -> Call {
    match call {
        Call::Done(mut outcome) => {
            outcome
                .outputs
                .insert(0, (0, Value::Int(handle), SqlType::Int));
            Call::Done(outcome)
        }
        Call::Failed(stop) => Call::Failed(stop),
    }
}

/// The call with its outputs counted from the start of all arguments.
fn moved(call: Call, by: usize) -> Call {
    match call {
        Call::Done(mut outcome) => {
            for output in &mut outcome.outputs {
                output.0 += by;
            }
            Call::Done(outcome)
        }
        Call::Failed(stop) => Call::Failed(stop),
    }
}

fn text(given: &[Given], at: usize) -> Option<String> {
    let value = given.get(at)?.value.as_ref()?;
    value.as_str().map(str::to_owned)
}

/// A Unicode text among the arguments (ntext, as FreeTDS sends it, included); `None` when it is NULL or missing.
fn unicode(given: &[Given], at: usize, name: &str) -> Result<Option<String>, Stop> {
    let Some(argument) = given.get(at) else {
        if at == 0 || name == "@stmt" {
            return Err(Stop::statement(
                m::MISSING_PARAMETER.with(&["sp_executesql", name]),
            ));
        }
        return Ok(None);
    };
    let null = argument.value.as_ref().is_none_or(Value::is_null);
    let unicode = matches!(
        argument.ty,
        SqlType::NVarChar(_) | SqlType::NChar(_) | SqlType::NText
    );
    if !unicode && !null {
        return Err(Stop::statement(
            m::NOT_UNICODE.with(&[name, "ntext/nchar/nvarchar"]),
        ));
    }
    Ok(text(given, at))
}

/// A frame whose first variables are the parameters, and the arguments they came from.
fn bound_frame(
    text: &str,
    declared: &str,
    parameters: &[Parameter],
    given: &[Given],
) -> Result<(Frame, Vec<Option<usize>>), Stop> {
    let bound = arguments::bind("sp_executesql", parameters, given).map_err(|error| {
        if error.number == m::MISSING_PARAMETER.number
            && let Some(missing) = parameters
                .iter()
                .find(|p| error.message.contains(&format!("'{}'", p.name)))
        {
            return Stop::statement(SqlError::new(
                8178,
                16,
                format!(
                    "The parameterized query '({declared}){text}' expects the parameter '{}', which was not supplied.",
                    missing.name
                ),
            ));
        }
        Stop::statement(error)
    })?;
    let mut frame = Frame::new(true);
    let mut places = Vec::with_capacity(bound.len());
    for (declared, bound) in parameters.iter().zip(bound) {
        parameter(&mut frame, &declared.name, declared.ty, bound.value);
        places.push(bound.from);
    }
    Ok((frame, places))
}

fn outcome(
    frame: Frame,
    parameters: &[Parameter],
    places: &[Option<usize>],
    given: &[Given],
    first: usize,
) -> Outcome {
    let outputs = frame
        .values
        .into_iter()
        .zip(parameters)
        .zip(places)
        .filter_map(|((value, parameter), place)| {
            let at = (*place)?;
            let wanted = given.get(at).is_some_and(|given| given.output);
            wanted.then_some((first + at, value, parameter.ty))
        })
        .collect();
    Outcome {
        code: frame.last_error,
        outputs,
    }
}

/// `@a int, @b nvarchar(10) = N'x' OUTPUT`: read as the head of a procedure, which has the same grammar.
fn declarations(text: &str) -> Result<Vec<Parameter>, SqlError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let bad = || m::INCORRECT_SYNTAX.with(&["@params"]);
    let head = format!("CREATE PROCEDURE p {text}\nAS RETURN");
    let batch = parse_batch(&head, &ParseOptions::default()).map_err(|errors| {
        let first = errors.into_iter().next();
        first.unwrap_or_else(bad)
    })?;
    let mut statements = batch.statements.into_iter();
    let (Some(statement), None) = (statements.next(), statements.next()) else {
        return Err(bad());
    };
    let StatementKind::CreateProcedure(procedure) = statement.kind else {
        return Err(bad());
    };
    // Nothing but declarations may stand in the text.
    let plain = matches!(
        &procedure.body,
        ModuleBody::Statements(body)
            if matches!(body.as_slice(), [only] if only.kind == StatementKind::Return(None))
    );
    if !plain || !procedure.options.is_empty() {
        return Err(bad());
    }
    procedure
        .params
        .into_iter()
        .map(|declared| {
            if declared.readonly {
                return Err(fault::not_supported("table-valued parameter"));
            }
            if declared.varying {
                return Err(fault::not_supported("cursor parameter"));
            }
            let ty = resolve_type(&declared.ty, DefaultLength::Declaration)?;
            let default = match &declared.default {
                Some(expr) => {
                    let (value, from) = constant(expr).ok_or_else(bad)?;
                    Some(arguments::converted(value, from, ty)?)
                }
                None => None,
            };
            Ok(Parameter {
                name: declared.name.name,
                ty,
                default,
                output: declared.output,
            })
        })
        .collect()
}

/// A parameter's default: a constant, perhaps with a sign.
fn constant(expr: &Expr) -> Option<(Value, SqlType)> {
    match &expr.kind {
        ExprKind::Literal(literal) => Some(match literal {
            Literal::Null => (Value::Null, SqlType::Int),
            Literal::Int(v) => (Value::Int(*v), SqlType::Int),
            Literal::Decimal(v) => (
                Value::Decimal(*v),
                SqlType::Numeric {
                    precision: v.precision,
                    scale: v.scale,
                },
            ),
            Literal::Float(v) => (Value::Float(*v), SqlType::Float),
            Literal::Money(v) => (Value::Money(*v), SqlType::Money),
            Literal::String { text, .. } => (Value::string(text.as_str()), SqlType::NVARCHAR_MAX),
            Literal::Binary(bytes) => (
                Value::Binary(bytes.clone()),
                SqlType::VarBinary(tsql::Length::Max),
            ),
        }),
        ExprKind::Unary {
            op: UnaryOp::Minus,
            operand,
        } => match constant(operand)? {
            (Value::Int(v), ty) => Some((Value::Int(v.checked_neg()?), ty)),
            (Value::Float(v), ty) => Some((Value::Float(-v), ty)),
            (Value::Money(v), ty) => Some((Value::Money(v.checked_neg()?), ty)),
            (Value::Decimal(mut v), ty) => {
                v.unscaled = v.unscaled.checked_neg()?;
                Some((Value::Decimal(v), ty))
            }
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[&str], i32>) {
        let got = declarations(text)
            .map(|list| {
                list.iter()
                    .map(|p| {
                        let output = if p.output { " out" } else { "" };
                        format!("{} {}{output}", p.name, p.ty)
                    })
                    .collect::<Vec<_>>()
            })
            .map_err(|error| error.number);
        let expected = expected.map(|list| list.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn declared_parameters() {
        check("", Ok(&[]));
        check(
            "@a int, @b nvarchar(10) = N'x' OUTPUT",
            Ok(&["@a int", "@b nvarchar(10) out"]),
        );
        check("@p1 decimal(10,2)=-1.5 -- a comment", Ok(&["@p1 decimal(10,2)"]));
        check("@a nope", Err(2715));
        check("a int", Err(102));
        check("@a int AS SELECT 1 --", Err(102));
        check("@a int AS RETURN SELECT 1 --", Err(102));
        check("@a int WITH RECOMPILE", Err(102));
    }
}
