//! EXEC: procedures of the host, EXEC ('…'), sp_executesql, and the role procedures that are statements in disguise.

use super::{End, Ended, Failure, Frame, Halt, Interpreter, NESTING_MAX};
use crate::host::{AdminStatement, Argument, EnvChange, ProcedureDecl, ResultSink, StatementDone};
use crate::session::shared::option;
use std::sync::Arc;
use tsql::ast::{Execute, ExecuteTarget, ExprKind, ObjectName};
use tsql::bind::DefaultLength;
use tsql::convert::{self, Allowed, Style};
use tsql::eval::{collate, split_name};
use tsql::parser::{ParseOptions, parse_batch};
use tsql::{Column, Row, SqlError, SqlType, Value, fault, messages};

/// An argument as written or as a driver sent it.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// Parameter, with its `@`; `None` by position.
    pub(super) name: Option<String>,
    /// The value and its type; `None` is DEFAULT.
    pub(super) value: Option<(Value, SqlType)>,
    /// OUTPUT.
    pub(super) output: bool,
}

/// What a procedure hands back.
#[derive(Debug, Default)]
pub(super) struct Returned {
    pub(super) code: i32,
    /// Values of arguments given with OUTPUT, by their place among the arguments.
    pub(super) outputs: Vec<(usize, Value, SqlType)>,
}

/// A name in its parts.
pub(super) struct Named {
    pub(super) database: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) name: String,
}

impl Named {
    pub(super) fn parse(text: &str) -> Self {
        let mut parts = split_name(text);
        let name = parts.pop().unwrap_or_default();
        let schema = parts.pop().filter(|part| !part.is_empty());
        let database = parts.pop().filter(|part| !part.is_empty());
        Self {
            database,
            schema,
            // `proc;1` names the first of a group.
            name: name.split(';').next().unwrap_or_default().trim().to_owned(),
        }
    }

    fn of(object: &ObjectName) -> Self {
        let text = |part: &Option<tsql::ast::Ident>| part.as_ref().map(|p| p.text.clone());
        Self {
            database: text(&object.database),
            schema: text(&object.schema),
            name: object.name.text.clone(),
        }
    }

    fn shown(&self) -> String {
        let mut out = String::new();
        if let Some(database) = &self.database {
            out.push_str(database);
            out.push('.');
            if self.schema.is_none() {
                out.push('.');
            }
        }
        if let Some(schema) = &self.schema {
            out.push_str(schema);
            out.push('.');
        }
        out.push_str(&self.name);
        out
    }
}

impl Interpreter<'_> {
    pub(super) fn execute(&mut self, execute: &Execute, frame: &mut Frame) -> Ended {
        let named = match &execute.target {
            ExecuteTarget::Procedure(name) => {
                if name.server.is_some() {
                    return Err(fault::not_supported("a linked server").into());
                }
                Named::of(name)
            }
            ExecuteTarget::Variable(variable) => {
                let slot = frame
                    .scope
                    .slot(&variable.name)
                    .ok_or_else(|| fault::undeclared_variable(&variable.name))?;
                Named::parse(frame.values[slot].as_str().unwrap_or_default())
            }
            ExecuteTarget::Text {
                text,
                principal,
                server,
            } => {
                if server.is_some() {
                    return Err(fault::not_supported("EXEC … AT a linked server").into());
                }
                if principal.is_some() {
                    return Err(fault::not_supported("EXEC … AS").into());
                }
                let text = self.value_as(text, SqlType::NVARCHAR_MAX, frame)?;
                let text = text.as_str().unwrap_or_default().to_owned();
                return self.dynamic(&text, Frame::default()).map(|(end, _)| end);
            }
        };
        let mut given = Vec::with_capacity(execute.args.len());
        for arg in &execute.args {
            let value = if arg.value.kind == ExprKind::Default {
                None
            } else {
                let bound = self.bind(&arg.value, frame)?;
                let value = self.evaluate(&bound, frame)?;
                Some((value, bound.ty))
            };
            given.push(Given {
                name: arg.name.as_ref().map(|name| name.name.clone()),
                value,
                output: arg.output,
            });
        }
        let (end, returned) = self.call(&named, given)?;
        for (at, value, ty) in returned.outputs {
            let slot = execute
                .args
                .get(at)
                .and_then(|arg| self.output_slot(&arg.value, frame));
            if let Some(slot) = slot {
                let to = frame.scope.locals[slot].ty;
                frame.values[slot] = convert::convert(value, ty, to, Style::PLAIN)?;
            }
        }
        if let Some(variable) = &execute.result
            && let Some(slot) = frame.scope.slot(&variable.name)
        {
            let to = frame.scope.locals[slot].ty;
            frame.values[slot] =
                convert::convert(Value::Int(returned.code), SqlType::Int, to, Style::PLAIN)?;
        }
        Ok(end)
    }

    /// Calls a procedure by name.
    pub(super) fn call(
        &mut self,
        named: &Named,
        given: Vec<Given>,
    ) -> Result<(End, Returned), Failure> {
        if let Some(result) = self.own_procedure(named, &given) {
            return result;
        }
        let (decl, database) = self.find(named)?;
        self.deeper()?;
        let result = self.call_host(&decl, &database, given);
        self.shallower();
        result
    }

    fn find(&self, named: &Named) -> Result<(Arc<ProcedureDecl>, String), SqlError> {
        let unknown = || {
            messages::UNKNOWN_PROCEDURE
                .with(&[&named.shown()])
                .with_state(62)
        };
        let host = self.core.shared.host();
        let here = match &named.database {
            Some(name) => host.database(name).ok_or_else(unknown)?,
            None => self.core.database.clone(),
        };
        let schemas = match &named.schema {
            Some(schema) => vec![schema.as_str()],
            None => vec!["dbo", "sys"],
        };
        let mut places: Vec<(&str, &str)> = schemas.iter().map(|s| (here.as_str(), *s)).collect();
        // System procedures live in master and are reached from everywhere.
        let system = named.name.to_ascii_lowercase();
        if system.starts_with("sp_") || system.starts_with("xp_") {
            places.extend(schemas.iter().map(|s| ("master", *s)));
            places.push(("master", "sys"));
        }
        places
            .into_iter()
            .find_map(|(database, schema)| {
                let decl = host.procedure(database, schema, &named.name)?;
                Some((decl, database.to_owned()))
            })
            .ok_or_else(unknown)
    }

    fn deeper(&mut self) -> Result<(), SqlError> {
        let mut facts = self.core.shared.facts();
        if facts.nest_level >= NESTING_MAX {
            return Err(messages::NESTING_LEVEL.with(&[&NESTING_MAX.to_string()]));
        }
        facts.nest_level += 1;
        Ok(())
    }

    fn shallower(&mut self) {
        self.core.shared.facts().nest_level -= 1;
    }

    fn call_host(
        &mut self,
        decl: &Arc<ProcedureDecl>,
        database: &str,
        given: Vec<Given>,
    ) -> Result<(End, Returned), Failure> {
        let bound = bind_arguments(decl, given).map_err(|error| error.in_procedure(decl.name))?;
        let (mut arguments, outputs) = bound;
        let nocount = self.core.shared.facts().has(option::NOCOUNT);
        let here = self.core.database.clone();
        let elsewhere = !collate::same(&here, database);
        let shared = Arc::clone(&self.core.shared);
        let (result, last) = {
            let mut sink = Inner {
                sink: &mut *self.sink,
                nocount,
                last_error: None,
                rows: 0,
            };
            let mut host = shared.host();
            if elsewhere {
                host.enter_database(database);
            }
            let result = host.call(decl, &mut arguments, &mut sink);
            if elsewhere {
                host.enter_database(&here);
            }
            (result, (sink.last_error, sink.rows))
        };
        let (last_error, rows) = last;
        if let Some(error) = &last_error {
            self.outcome.last_error = Some(error.clone());
        }
        let (code, failure) = match result {
            Ok(code) => (code, None),
            Err(error) => (1, Some(error.in_procedure(decl.name))),
        };
        {
            let mut facts = shared.facts();
            facts.row_count = rows;
            facts.last_error = last_error.map_or(0, |error| error.number);
        }
        let outputs = outputs
            .into_iter()
            .map(|(given, param)| (given, arguments[param].value.clone(), decl.params[param].ty))
            .collect();
        if let Some(error) = failure {
            // As RAISERROR and RETURN 1 inside the procedure: a CATCH block, or the next statement.
            let cancelled = error.number == messages::CANCELLED.number;
            if self.tries > 0 || cancelled {
                return Err(Failure {
                    error,
                    raised: !cancelled,
                    thrown: false,
                });
            }
            let number = error.number;
            self.report(error);
            if self.outcome.close {
                self.outcome.aborted = true;
                return Ok((End::Abort, Returned::default()));
            }
            self.core.shared.facts().last_error = number;
        }
        self.sink.procedure_done(code)?;
        Ok((End::Next, Returned { code, outputs }))
    }

    /// Runs a text as a batch of its own inside the running one; returns its frame.
    pub(super) fn dynamic(
        &mut self,
        text: &str,
        mut frame: Frame,
    ) -> Result<(End, Frame), Failure> {
        self.deeper()?;
        let level = self.core.shared.facts().nest_level;
        let variables: Vec<String> = frame
            .scope
            .locals
            .iter()
            .map(|local| local.name.clone())
            .collect();
        let options = ParseOptions {
            quoted_identifier: self.core.shared.facts().has(option::QUOTED_IDENTIFIER),
            variables: &variables,
        };
        frame.inner = true;
        let database = self.core.database.clone();
        let options_before = self.core.shared.facts().options;
        let result = match parse_batch(text, &options) {
            Ok(batch) => self.run(&batch.statements, &mut frame),
            Err(errors) => {
                let mut errors = errors.into_iter();
                let last = errors.next_back();
                for error in errors {
                    self.report(error);
                }
                match last {
                    Some(error) => Err(Halt::Raise(error)),
                    None => Ok(()),
                }
            }
        };
        self.drop_temps(level);
        // What the text set or used ends with it.
        self.core.shared.facts().options = options_before;
        if self.core.database != database {
            let old = std::mem::replace(&mut self.core.database, database.clone());
            self.core.shared.facts().database.clone_from(&database);
            self.core.shared.host().enter_database(&database);
            self.sink
                .env_change(EnvChange::Database { old, new: database });
        }
        self.shallower();
        match result {
            Ok(()) => Ok((End::Next, frame)),
            Err(Halt::Abort) => Ok((End::Abort, frame)),
            Err(Halt::Raise(error)) => Err(error.into()),
        }
    }

    /// Procedures that the engine carries out itself; `None` for others.
    fn own_procedure(
        &mut self,
        named: &Named,
        given: &[Given],
    ) -> Option<Result<(End, Returned), Failure>> {
        let lower = named.name.to_ascii_lowercase();
        let text = |at: usize, name: &str| {
            let found = given
                .iter()
                .find(|arg| {
                    arg.name
                        .as_ref()
                        .is_some_and(|n| n.eq_ignore_ascii_case(name))
                })
                .or_else(|| given.get(at).filter(|arg| arg.name.is_none()));
            found
                .and_then(|arg| arg.value.as_ref())
                .and_then(|(value, _)| value.as_str())
                .map(str::to_owned)
        };
        let statement = match lower.as_str() {
            "sp_executesql" => return Some(self.execute_sql(given)),
            "sp_prepare" | "sp_execute" | "sp_prepexec" | "sp_unprepare" => {
                return Some(self.prepared_procedure(&lower, given));
            }
            "sp_addrolemember" => AdminStatement::AlterRole {
                role: text(0, "@rolename").unwrap_or_default(),
                member: text(1, "@membername").unwrap_or_default(),
                add: true,
            },
            "sp_droprolemember" => AdminStatement::AlterRole {
                role: text(0, "@rolename").unwrap_or_default(),
                member: text(1, "@membername").unwrap_or_default(),
                add: false,
            },
            "sp_addsrvrolemember" => AdminStatement::AlterServerRole {
                member: text(0, "@loginame").unwrap_or_default(),
                role: text(1, "@rolename").unwrap_or_default(),
                add: true,
            },
            "sp_dropsrvrolemember" => AdminStatement::AlterServerRole {
                member: text(0, "@loginame").unwrap_or_default(),
                role: text(1, "@rolename").unwrap_or_default(),
                add: false,
            },
            _ => return None,
        };
        let database = match &named.database {
            Some(name) => self.core.shared.host().database(name),
            None => Some(self.core.database.clone()),
        };
        Some(match database {
            None => Err(messages::UNKNOWN_PROCEDURE.with(&[&named.shown()]).into()),
            Some(database) => {
                let done = self.core.shared.host().administer(&database, &statement);
                match done {
                    Ok(()) => self
                        .sink
                        .procedure_done(0)
                        .map(|()| (End::Next, Returned::default()))
                        .map_err(Failure::from),
                    Err(error) => Err(Failure {
                        error: error.in_procedure(&lower),
                        raised: true,
                        thrown: false,
                    }),
                }
            }
        })
    }

    /// `sp_executesql @stmt, @params, values…`
    pub(super) fn execute_sql(&mut self, given: &[Given]) -> Result<(End, Returned), Failure> {
        let text_of = |arg: Option<&Given>, name: &str| -> Result<Option<String>, SqlError> {
            match arg.and_then(|arg| arg.value.as_ref()) {
                Some((Value::String(text), ty)) => match ty {
                    SqlType::Char(_) | SqlType::VarChar(_) | SqlType::Text => {
                        Err(messages::NOT_UNICODE
                            .with(&[name, "ntext/nchar/nvarchar"])
                            .in_procedure("sp_executesql"))
                    }
                    _ => Ok(Some(text.clone())),
                },
                _ => Ok(None),
            }
        };
        let statement = text_of(given.first(), "@statement")?.unwrap_or_default();
        let params = text_of(given.get(1), "@params")?.unwrap_or_default();
        let frame_and_outputs = self.parameters(&params, given.get(2..).unwrap_or_default(), 2)?;
        self.run_with(&statement, frame_and_outputs)
    }

    /// Runs a text whose frame holds its parameters; collects the OUTPUT values.
    pub(super) fn run_with(
        &mut self,
        text: &str,
        (frame, outputs): (Frame, Vec<(usize, usize)>),
    ) -> Result<(End, Returned), Failure> {
        let (end, frame) = self.dynamic(text, frame)?;
        let outputs = outputs
            .into_iter()
            .map(|(given, slot)| {
                (
                    given,
                    frame.values[slot].clone(),
                    frame.scope.locals[slot].ty,
                )
            })
            .collect();
        let code = self.core.shared.facts().last_error;
        if matches!(end, End::Next) {
            self.sink.procedure_done(code)?;
        }
        Ok((end, Returned { code, outputs }))
    }

    /// A frame with the parameters that a text like `@a int, @b nvarchar(10) OUTPUT` declares, and where the OUTPUT
    /// ones come from: place among all arguments, and slot.
    pub(super) fn parameters(
        &mut self,
        declared: &str,
        given: &[Given],
        skipped: usize,
    ) -> Result<(Frame, Vec<(usize, usize)>), SqlError> {
        let mut frame = Frame::default();
        let mut outputs = Vec::new();
        if declared.trim().is_empty() {
            if !given.is_empty() {
                return Err(messages::TOO_MANY_ARGUMENTS.with(&["sp_executesql"]));
            }
            return Ok((frame, outputs));
        }
        let params = declared_parameters(declared)?;
        if given.len() > params.len() {
            return Err(messages::TOO_MANY_ARGUMENTS.with(&["sp_executesql"]));
        }
        let mut values: Vec<Option<usize>> = vec![None; params.len()];
        for (at, arg) in given.iter().enumerate() {
            let place = match &arg.name {
                None => at,
                Some(name) => params
                    .iter()
                    .position(|param| param.name.eq_ignore_ascii_case(name))
                    .ok_or_else(|| messages::UNKNOWN_PARAMETER.with(&[name, "sp_executesql"]))?,
            };
            if values[place].replace(at).is_some() {
                return Err(messages::PARAMETER_TWICE.with(&[&params[place].name, "sp_executesql"]));
            }
        }
        for (param, value) in params.iter().zip(values) {
            let Some(at) = value else {
                return Err(SqlError::new(
                    8178,
                    16,
                    format!(
                        "The parameterized query expects the parameter '{}', which was not supplied.",
                        param.name
                    ),
                ));
            };
            let arg = &given[at];
            let value = match &arg.value {
                Some((value, from)) => argument(value.clone(), *from, param.ty)?,
                None => Value::Null,
            };
            let slot = frame.declare(&param.name, param.ty, value);
            if arg.output {
                if !param.output {
                    return Err(messages::NOT_OUTPUT.with(&[&param.name]));
                }
                outputs.push((at + skipped, slot));
            }
        }
        Ok((frame, outputs))
    }
}

/// A value as an argument: 8114 where it does not convert.
pub(super) fn argument(value: Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    if value.is_null() {
        return Ok(value);
    }
    // A driver's binary reaches any parameter that a cast would.
    if convert::allowed(from, to) == Allowed::Never {
        return Err(fault::type_clash(from, to));
    }
    convert::convert(value, from, to, Style::PLAIN).map_err(|_| fault::error_converting(from, to))
}

/// A parameter of a text.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) ty: SqlType,
    pub(super) output: bool,
}

/// Reads a list of declared parameters by the parser of CREATE PROCEDURE.
pub(super) fn declared_parameters(text: &str) -> Result<Vec<Declared>, SqlError> {
    let module = format!("CREATE PROCEDURE p {text} AS RETURN");
    let batch =
        parse_batch(&module, &ParseOptions::default()).map_err(|mut errors| errors.remove(0))?;
    let Some(tsql::ast::StatementKind::CreateProcedure(create)) = batch
        .statements
        .into_iter()
        .next()
        .map(|statement| statement.kind)
    else {
        return Err(messages::INCORRECT_SYNTAX.with(&[text]));
    };
    create
        .params
        .iter()
        .map(|param| {
            Ok(Declared {
                name: param.name.name.clone(),
                ty: tsql::bind::resolve_type(&param.ty, DefaultLength::Declaration)?,
                output: param.output,
            })
        })
        .collect()
}

/// Arguments in the order of the declaration, and for OUTPUT ones their place among those given and their parameter.
type Bound = (Vec<Argument>, Vec<(usize, usize)>);

fn bind_arguments(decl: &ProcedureDecl, given: Vec<Given>) -> Result<Bound, SqlError> {
    if decl.params.is_empty() && !given.is_empty() {
        return Err(messages::NO_PARAMETERS.with(&[decl.name]));
    }
    let mut slots: Vec<Option<Argument>> = decl.params.iter().map(|_| None).collect();
    let mut outputs = Vec::new();
    let mut seen = vec![false; decl.params.len()];
    for (at, arg) in given.into_iter().enumerate() {
        let place = match &arg.name {
            None if at < decl.params.len() => at,
            None => return Err(messages::TOO_MANY_ARGUMENTS.with(&[decl.name])),
            Some(name) => decl
                .params
                .iter()
                .position(|param| param.name.eq_ignore_ascii_case(name))
                .ok_or_else(|| messages::UNKNOWN_PARAMETER.with(&[name, decl.name]))?,
        };
        let param = &decl.params[place];
        if std::mem::replace(&mut seen[place], true) {
            return Err(messages::PARAMETER_TWICE.with(&[param.name, decl.name]));
        }
        if arg.output {
            if !param.output {
                return Err(messages::NOT_OUTPUT.with(&[param.name]));
            }
            outputs.push((at, place));
        }
        slots[place] = match arg.value {
            Some((value, from)) => Some(Argument {
                value: argument(value, from, param.ty)?,
                given: true,
            }),
            None => None,
        };
    }
    let mut arguments = Vec::with_capacity(slots.len());
    for (slot, param) in slots.into_iter().zip(&decl.params) {
        arguments.push(match (slot, &param.default) {
            (Some(argument), _) => argument,
            (None, Some(value)) => Argument {
                value: value.clone(),
                given: false,
            },
            (None, None) => {
                return Err(messages::MISSING_PARAMETER
                    .with(&[decl.name, param.name])
                    .with_state(4));
            }
        });
    }
    Ok((arguments, outputs))
}

/// What a procedure of the host writes to: its statements end inside a procedure.
struct Inner<'s> {
    sink: &'s mut dyn ResultSink,
    nocount: bool,
    last_error: Option<SqlError>,
    rows: u64,
}

impl ResultSink for Inner<'_> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.rows = 0;
        self.sink.columns(columns)
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        self.rows += 1;
        self.sink.row(row)
    }

    fn done(&mut self, rows: Option<u64>) -> Result<(), SqlError> {
        self.rows = rows.unwrap_or(0);
        self.sink.statement_done(StatementDone {
            rows: if self.nocount { None } else { rows },
            in_procedure: true,
            failed: false,
            select: true,
        })
    }

    fn message(&mut self, message: SqlError) {
        if message.is_error() {
            self.last_error = Some(message.clone());
        }
        self.sink.message(message);
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        self.sink.flush()
    }
}
