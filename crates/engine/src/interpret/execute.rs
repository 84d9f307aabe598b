//! EXEC: procedures of the host, EXEC ('…'), sp_executesql, and other procedures that the engine carries out itself.

use super::arguments::{self, Given, Parameter};
use super::{
    End, Ended, Failure, Frame, Halt, Interpreter, NESTING_MAX, SEVERITY_FATAL, wire_cursor,
};
use crate::host::{Argument, EnvChange, ProcedureDecl, ResultSink, StatementDone};
use crate::session::shared::option;
use std::sync::Arc;
use tsql::ast::{
    Execute, ExecuteTarget, Expr, ExprKind, ModuleBody, ObjectName, StatementKind, UnaryOp,
};
use tsql::bind::ir::TypedKind;
use tsql::bind::{Binder, Catalog, FunctionShape, TableShape};
use tsql::convert::{self, Style};
use tsql::eval::{collate, split_name};
use tsql::parser::{ParseOptions, parse_batch};
use tsql::{Column, Row, SqlError, SqlType, Value, fault, messages};

/// Procedures that the engine carries out itself, those of cursors aside.
const OWN_PROCEDURES: &[&str] = &[
    "sp_addrolemember",
    "sp_addsrvrolemember",
    "sp_describe_first_result_set",
    "sp_describe_undeclared_parameters",
    "sp_droprolemember",
    "sp_dropsrvrolemember",
    "sp_execute",
    "sp_executesql",
    "sp_prepare",
    "sp_prepexec",
    "sp_set_session_context",
    "sp_unprepare",
];
/// Errors from this number on are raised by procedures, below it by the language.
const FIRST_OF_PROCEDURES: i32 = 13_000;

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
        self.no_side_effects("EXECUTE STRING")?;
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
                let text = self.value_as(text, SqlType::NVARCHAR_MAX, frame)?;
                let text = text.as_str().unwrap_or_default().to_owned();
                return self.dynamic_as(&text, principal.as_ref(), frame);
            }
        };
        let mut given = Vec::with_capacity(execute.args.len());
        for arg in &execute.args {
            let table = self.table_argument(&arg.value, frame);
            let value = if arg.value.kind == ExprKind::Default || table.is_some() {
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
                table,
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
        let unrun = self.core.shared.facts().unrun().is_some();
        if unrun && !named.name.eq_ignore_ascii_case("sp_executesql") {
            return self.describe_call(named, &given);
        }
        if let Some(result) = self.own_procedure(named, &given) {
            return result;
        }
        let found = self.find(named);
        // What the user made comes before a system procedure of another database.
        let here = named.database.as_ref().unwrap_or(&self.core.database);
        let own = found
            .as_ref()
            .is_ok_and(|(decl, _)| decl.database.eq_ignore_ascii_case(here));
        if !own && let Some(made) = self.find_module(named).map_err(Failure::of_statement)? {
            return self.call_module(&made, named, &given);
        }
        let (decl, database) = match found {
            Err(_) if self.core.shared.host().refuses_procedure(&named.name) => {
                return Err(Failure::of_statement(fault::not_supported(&named.name)));
            }
            found => found.map_err(Failure::of_statement)?,
        };
        self.deeper()?;
        let result = self.call_host(&decl, &database, &given);
        self.shallower();
        result
    }

    pub(super) fn find(&self, named: &Named) -> Result<(Arc<ProcedureDecl>, String), SqlError> {
        let unknown = || {
            messages::UNKNOWN_PROCEDURE
                .with(&[&named.shown()])
                .with_state(62)
        };
        let host = self.core.shared.host();
        let here = match &named.database {
            Some(name) => {
                let here = host.database(name).ok_or_else(unknown)?;
                if !host.may_enter(&here) {
                    let login = host.identity().login;
                    return Err(messages::NO_DATABASE_ACCESS.with(&[&login, &here]));
                }
                here
            }
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
                // One of master that was not named there acts where it is called.
                let decl = host.procedure(database, schema, &named.name)?;
                Some((decl, here.clone()))
            })
            .ok_or_else(unknown)
    }

    pub(super) fn deeper(&mut self) -> Result<(), SqlError> {
        let mut facts = self.core.shared.facts();
        if facts.nest_level >= NESTING_MAX {
            return Err(messages::NESTING_LEVEL.with(&[&NESTING_MAX.to_string()]));
        }
        facts.nest_level += 1;
        Ok(())
    }

    pub(super) fn shallower(&mut self) {
        self.core.shared.facts().nest_level -= 1;
    }

    fn call_host(
        &mut self,
        decl: &Arc<ProcedureDecl>,
        database: &str,
        given: &[Given],
    ) -> Result<(End, Returned), Failure> {
        let parameters: Vec<Parameter> = decl.params.iter().map(Parameter::from).collect();
        let bound = arguments::bind(decl.name, &parameters, given)
            .map_err(|error| Failure::of_statement(error.in_procedure(decl.name)))?;
        let mut values: Vec<Argument> = bound
            .iter()
            .map(|bound| Argument {
                value: bound.value.clone(),
                given: bound.from.is_some(),
            })
            .collect();
        self.touches_tables()?;
        let (nocount, abort, lock_timeout) = {
            let facts = self.core.shared.facts();
            let abort = facts.has(option::XACT_ABORT);
            (facts.has(option::NOCOUNT), abort, facts.lock_timeout)
        };
        let here = self.core.database.clone();
        let elsewhere = !collate::same(&here, database);
        let shared = Arc::clone(&self.core.shared);
        let line = self.line;
        let text;
        let (result, ended, mut last_error, held, rows) = {
            let mut sink = Inner {
                sink: &mut *self.sink,
                procedure: decl.name,
                line,
                nocount,
                hold: self.tries > 0,
                held: None,
                last_error: None,
                select: false,
                rows: 0,
            };
            let mut host = shared.host();
            if elsewhere {
                host.enter_database(database);
            }
            host.set_lock_timeout(lock_timeout);
            let result = host.call(decl, &mut values, &mut sink);
            if elsewhere {
                host.enter_database(&here);
            }
            text = host.procedure_text(decl).filter(|_| result.is_ok());
            drop(host);
            let ended = if sink.select { sink.done(None) } else { Ok(()) };
            (result, ended, sink.last_error, sink.held, sink.rows)
        };
        {
            let mut facts = shared.facts();
            facts.row_count = rows;
            facts.last_error = last_error.as_ref().map_or(0, |error| error.number);
        }
        if let Some(error) = last_error.take() {
            self.outcome.close |= error.severity >= SEVERITY_FATAL;
            self.outcome.last_error = Some(error);
        }
        let (code, failure) = match (result, held) {
            (Err(error), _) | (Ok(_), Some(error)) => {
                (1, Some(error.in_procedure(decl.name).at_line(line)))
            }
            (Ok(code), None) => (code, None),
        };
        if let Some(text) = text.filter(|_| failure.is_none()) {
            let mut frame = Frame::default();
            for (parameter, argument) in parameters.iter().zip(&values) {
                frame.declare(&parameter.name, parameter.ty, argument.value.clone());
            }
            if let (End::Abort, _) = self.dynamic(text, frame)? {
                return Ok((End::Abort, Returned::default()));
            }
        }
        let outputs = bound
            .iter()
            .zip(&parameters)
            .zip(values)
            .filter_map(|((bound, parameter), argument)| {
                let at = bound.from?;
                let wanted = given.get(at).is_some_and(|given| given.output);
                wanted.then_some((at, argument.value, parameter.ty))
            })
            .collect();
        if let Some(error) = failure {
            // As RAISERROR and RETURN 1 inside the procedure: a CATCH block, or the next statement. Errors of the
            // language, which a procedure meets rather than raises, obey XACT_ABORT.
            let whole = error.number == messages::CANCELLED.number
                || error.number == messages::DEADLOCK.number;
            let ends = whole || abort && error.number < FIRST_OF_PROCEDURES;
            if self.tries > 0 || ends {
                return Err(Failure {
                    raised: !ends,
                    alone: !whole,
                    ..Failure::from(error)
                });
            }
            let number = error.number;
            self.report(error);
            if self.outcome.close {
                self.outcome.aborted = true;
                return Ok((End::Abort, Returned::default()));
            }
            self.core.shared.facts().last_error = number;
        } else {
            ended?;
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
            .chain(frame.scope.tables.iter().map(|(name, _)| name.clone()))
            .collect();
        let options = ParseOptions {
            quoted_identifier: self.core.shared.facts().has(option::QUOTED_IDENTIFIER),
            variables: &variables,
        };
        frame.inner = true;
        frame.text = Arc::from(text);
        let database = self.core.database.clone();
        let before = self.core.shared.facts().clone();
        let shared = Arc::clone(&self.core.shared);
        let unchained = shared.unchained();
        if before.nest_level > 1 {
            // A text's names are its caller's, not those of the module that it stands in.
            shared.look_up_schema();
        }
        let result = match parse_batch(text, &options) {
            Ok(batch) => self.run(&batch.statements, &mut frame),
            Err(errors) => {
                let mut errors = errors.into_iter();
                // A CATCH block gets one error, and the client is told of none.
                let last = if self.tries > 0 {
                    errors.next()
                } else {
                    errors.next_back()
                };
                let tell = self.tries == 0;
                for error in errors.filter(|_| tell) {
                    self.report(error);
                }
                match last {
                    Some(error) => Err(Halt::Raise(error.into())),
                    None => Ok(()),
                }
            }
        };
        drop(unchained);
        self.leave_contexts(level);
        self.drop_temps(level);
        self.drop_cursors(level);
        // What the text set or used ends with it.
        {
            let mut facts = self.core.shared.facts();
            facts.options = before.options;
            facts.no_exec = before.no_exec;
            facts.format_only = before.format_only;
            facts.date_first = before.date_first;
            facts.date_order = before.date_order;
            facts.lock_timeout = before.lock_timeout;
            facts.text_size = before.text_size;
            facts.isolation = before.isolation;
        }
        let schema = before.schema;
        if self.core.database != database {
            let old = self.core.database.clone();
            self.core.enter_database(&database);
            self.sink
                .env_change(EnvChange::Database { old, new: database });
        }
        self.core.shared.facts().schema = schema;
        self.shallower();
        match result {
            Ok(()) => Ok((End::Next, frame)),
            Err(Halt::Abort) => Ok((End::Abort, frame)),
            Err(Halt::Raise(failure)) => Err(Failure {
                inner: true,
                ..failure
            }),
        }
    }

    /// Whether the engine carries a procedure out itself.
    pub(super) fn is_own(&self, named: &Named) -> bool {
        let lower = named.name.to_ascii_lowercase();
        wire_cursor::Procedure::of(&lower).is_some() || OWN_PROCEDURES.contains(&lower.as_str())
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
        if let Some(procedure) = wire_cursor::Procedure::of(&lower) {
            return Some(self.wire_cursor(procedure, given));
        }
        match lower.as_str() {
            "sp_executesql" => return Some(self.execute_sql(given)),
            "sp_describe_first_result_set" => return Some(self.describe_first_result_set(given)),
            "sp_describe_undeclared_parameters" => {
                return Some(self.describe_undeclared_parameters(given));
            }
            "sp_set_session_context" => return Some(self.set_session_context(given)),
            "sp_prepare" | "sp_execute" | "sp_prepexec" | "sp_unprepare" => {
                return Some(self.prepared_procedure(&lower, given));
            }
            "sp_changedbowner" => {}
            _ => return None,
        }
        let database = named.database.clone();
        let database = database.unwrap_or_else(|| self.core.database.clone());
        let login = text(0, "@loginame").unwrap_or_default();
        Some(match self.give_database(&database, &login) {
            Ok(()) => self
                .sink
                .procedure_done(0)
                .map(|()| (End::Next, Returned::default()))
                .map_err(Failure::from),
            Err(error) => Err(Failure {
                raised: true,
                ..Failure::of_statement(error.in_procedure(&lower))
            }),
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
        if given.is_empty() {
            return Err(Failure::of_statement(
                messages::MISSING_PARAMETER
                    .with(&["sp_executesql", "@statement"])
                    .in_procedure("sp_executesql"),
            ));
        }
        let statement = text_of(given.first(), "@statement")?.unwrap_or_default();
        let params = text_of(given.get(1), "@params")?.unwrap_or_default();
        let values = given.get(2..).unwrap_or_default();
        let frame = self
            .parameters(&statement, &params, values, 2)
            .map_err(Failure::of_statement)?;
        self.run_with(&statement, frame)
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
        text: &str,
        declared: &str,
        given: &[Given],
        skipped: usize,
    ) -> Result<(Frame, Vec<(usize, usize)>), SqlError> {
        let parameters = self.declared_parameters(declared)?;
        let bound = arguments::bind("sp_executesql", &parameters, given).map_err(|error| {
            let missing = parameters.iter().find(|parameter| {
                error.number == messages::MISSING_PARAMETER.number
                    && error.message.contains(&format!("'{}'", parameter.name))
            });
            match missing {
                Some(missing) => SqlError::new(
                    8178,
                    16,
                    format!(
                        "The parameterized query '({declared}){text}' expects the parameter '{}', which was not supplied.",
                        missing.name
                    ),
                ),
                None => error,
            }
        })?;
        let mut frame = Frame::default();
        let mut outputs = Vec::new();
        for (parameter, bound) in parameters.iter().zip(bound) {
            if let Some(ty) = &parameter.table {
                let argument = bound.from.and_then(|at| given.get(at)?.table.as_ref());
                self.table_parameter(&parameter.name, ty, argument, &mut frame)?;
                continue;
            }
            let slot = frame.declare(&parameter.name, parameter.ty, bound.value);
            if let Some(at) = bound.from
                && given.get(at).is_some_and(|argument| argument.output)
            {
                outputs.push((at + skipped, slot));
            }
        }
        Ok((frame, outputs))
    }
}

impl Interpreter<'_> {
    /// Reads a list of declared parameters by the parser of CREATE PROCEDURE, which has the same grammar.
    pub(super) fn declared_parameters(&self, text: &str) -> Result<Vec<Parameter>, SqlError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let bad = || messages::INCORRECT_SYNTAX.with(&["@params"]);
        let create = declaration(text)?;
        create
            .params
            .iter()
            .map(|param| {
                if param.varying {
                    return Err(fault::not_supported("a cursor parameter"));
                }
                let name = &param.name.name;
                if let Some(table) = self.table_type_named(&param.ty)? {
                    if !param.readonly {
                        return Err(messages::TABLE_NOT_READONLY.with(&[name]));
                    }
                    return Ok(Parameter {
                        table: Some(table),
                        ..Parameter::value(name, SqlType::Int, None, false)
                    });
                }
                let ty = self.declared_type(&param.ty)?;
                let default = match &param.default {
                    Some(expr) => {
                        let (value, from) = constant(expr).ok_or_else(bad)?;
                        Some(arguments::converted(value, from, ty)?)
                    }
                    None => None,
                };
                Ok(Parameter::value(name, ty, default, param.output))
            })
            .collect()
    }
}

/// The statement that a list of declared parameters makes, in front of an empty body.
fn declaration(text: &str) -> Result<tsql::ast::CreateProcedure, SqlError> {
    let bad = || messages::INCORRECT_SYNTAX.with(&["@params"]);
    let module = format!("CREATE PROCEDURE p {text}\nAS RETURN");
    let batch = parse_batch(&module, &ParseOptions::default())
        // The line is one of the text around the declarations, which the client does not know.
        .map_err(|errors| SqlError {
            line: 0,
            ..errors.into_iter().next().unwrap_or_else(bad)
        })?;
    let mut statements = batch.statements.into_iter().map(|statement| statement.kind);
    let (Some(StatementKind::CreateProcedure(create)), None) =
        (statements.next(), statements.next())
    else {
        return Err(bad());
    };
    // Nothing but declarations may stand in the text.
    let plain = matches!(
        &create.body,
        ModuleBody::Statements(body)
            if matches!(body.as_slice(), [only] if only.kind == StatementKind::Return(None))
    );
    if !plain || !create.options.is_empty() {
        return Err(bad());
    }
    Ok(*create)
}

/// A parameter's default in its type.
///
/// # Errors
/// 102 when it is no constant, 8114 when it does not convert.
pub(crate) fn default_value(expr: &Expr, ty: SqlType) -> Result<Value, SqlError> {
    if let ExprKind::Column(parts) = &expr.kind
        && let [word] = parts.as_slice()
    {
        // A bare word stands for itself.
        return arguments::converted(Value::string(&*word.text), SqlType::SYSNAME, ty);
    }
    let (value, from) =
        constant(expr).ok_or_else(|| messages::INCORRECT_SYNTAX.at(expr.span.line, &["="]))?;
    arguments::converted(value, from, ty)
}

/// A parameter's default: a constant, which the binder folds together with its sign.
fn constant(expr: &Expr) -> Option<(Value, SqlType)> {
    struct Nothing;
    impl Catalog for Nothing {
        fn variable(&self, _: &str) -> Option<(usize, SqlType)> {
            None
        }
        fn table(&self, name: &ObjectName) -> Result<TableShape, SqlError> {
            Err(fault::invalid_object(&name.to_string()))
        }
        fn table_variable(&self, _: &str) -> Option<TableShape> {
            None
        }
        fn function(&self, _: &ObjectName) -> Option<FunctionShape> {
            None
        }
        fn rowset(&self, _: tsql::rowset::Rowset) -> u32 {
            0
        }
    }
    let (operand, negative) = match &expr.kind {
        ExprKind::Unary {
            op: UnaryOp::Minus,
            operand,
        } => (operand.as_ref(), true),
        _ => (expr, false),
    };
    let bound = Binder::new(&Nothing).expr(operand).ok()?;
    let TypedKind::Constant(value) = bound.kind else {
        return None;
    };
    let value = match (negative, value) {
        (false, value) => value,
        (true, Value::Int(v)) => Value::Int(v.checked_neg()?),
        (true, Value::Float(v)) => Value::Float(-v),
        (true, Value::Money(v)) => Value::Money(v.checked_neg()?),
        (true, Value::Decimal(mut v)) => {
            v.unscaled = v.unscaled.checked_neg()?;
            Value::Decimal(v)
        }
        (true, _) => return None,
    };
    Some((value, bound.ty))
}

/// What a procedure of the host writes to: its statements end inside a procedure, and errors that a CATCH block
/// waits for are held back.
struct Inner<'s> {
    sink: &'s mut dyn ResultSink,
    procedure: &'s str,
    line: u32,
    nocount: bool,
    /// Whether a CATCH block waits.
    hold: bool,
    held: Option<SqlError>,
    /// The last error that the client was told of.
    last_error: Option<SqlError>,
    /// Whether a result set was started and has not ended.
    select: bool,
    rows: u64,
}

impl ResultSink for Inner<'_> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        if self.select {
            self.done(None)?;
        }
        self.select = true;
        self.rows = 0;
        self.sink.columns(columns)
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        self.rows += 1;
        self.sink.row(row)
    }

    fn done(&mut self, rows: Option<u64>) -> Result<(), SqlError> {
        let select = std::mem::take(&mut self.select);
        let rows = rows.or(select.then_some(self.rows));
        self.rows = rows.unwrap_or(0);
        self.sink.statement_done(StatementDone {
            rows: rows.filter(|_| !self.nocount),
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
            self.last_error = Some(message.clone());
        }
        self.sink.message(message);
    }

    fn env_change(&mut self, change: EnvChange) {
        self.sink.env_change(change);
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        self.sink.flush()
    }

    fn wanted(&mut self) -> Result<(), SqlError> {
        self.sink.wanted()
    }
}
