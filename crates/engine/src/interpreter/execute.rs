//! EXEC.

use super::arguments::Given;
use super::control::Flow;
use super::names::ProcedureName;
use super::procedure::Call;
use super::stop::Stop;
use super::{Frame, Run};
use tsql::ast::{Execute, ExecuteArgument, ExecuteTarget, ExprKind};
use tsql::{SqlType, Value, fault};

impl Run<'_> {
    /// `EXEC [@rc =] procedure …`, `EXEC @name …`, `EXEC ('…')`
    pub(super) fn execute_statement(
        &mut self,
        execute: &Execute,
        line: u32,
    ) -> Result<Flow, Stop> {
        if let Some(option) = execute
            .options
            .iter()
            .find(|option| *option != "RECOMPILE" && *option != "RESULT SETS UNDEFINED")
        {
            return Err(fault::not_supported(&format!("WITH {option}")).into());
        }
        let name = match &execute.target {
            ExecuteTarget::Text {
                text,
                principal,
                server,
            } => {
                if principal.is_some() {
                    return Err(fault::not_supported("EXECUTE AS").into());
                }
                if server.is_some() || !execute.args.is_empty() {
                    return Err(fault::not_supported("EXEC (…) AT linked server").into());
                }
                if let Some(text) = self.text_of(text)? {
                    self.dynamic(&text, Frame::new(true))?;
                }
                return Ok(Flow::Next);
            }
            ExecuteTarget::Procedure(name) => ProcedureName::from(name),
            ExecuteTarget::Variable(variable) => {
                let (slot, _) = self.slot(variable)?;
                let value = self.frame.values.get(slot).cloned().unwrap_or_default();
                let text = value.as_str().unwrap_or_default();
                ProcedureName::parse(text).map_err(Stop::statement)?
            }
        };
        let mut given = Vec::with_capacity(execute.args.len());
        for argument in &execute.args {
            given.push(self.given(argument)?);
        }
        let result = match &execute.result {
            Some(variable) => Some(self.slot(variable)?.0),
            None => None,
        };
        match self.call(&name, &given, line)? {
            Call::Done(outcome) => {
                for (at, value, ty) in outcome.outputs {
                    if let Some(ExprKind::Variable(variable)) =
                        execute.args.get(at).map(|argument| &argument.value.kind)
                    {
                        let (slot, _) = self.slot(variable)?;
                        self.assign(slot, value, ty)?;
                    }
                }
                if let Some(slot) = result {
                    self.assign(slot, Value::Int(outcome.code), SqlType::Int)?;
                }
                self.sink.procedure_done(outcome.code)?;
                Ok(Flow::Next)
            }
            Call::Failed(stop) => {
                // Where a CATCH block takes the error, the statement assigns nothing.
                if let Some(slot) = result.filter(|_| self.request.tries == 0) {
                    self.assign(slot, Value::Int(1), SqlType::Int)?;
                }
                Err(stop)
            }
        }
    }

    /// An argument's value and type.
    fn given(&mut self, argument: &ExecuteArgument) -> Result<Given, Stop> {
        let name = argument.name.as_ref().map(|name| name.name.clone());
        if argument.value.kind == ExprKind::Default {
            return Ok(Given {
                name,
                ty: SqlType::Int,
                value: None,
                output: false,
            });
        }
        if let ExprKind::Variable(variable) = &argument.value.kind {
            let lower = variable.name.to_lowercase();
            if self.frame.scope.tables.iter().any(|(known, _)| *known == lower) {
                return Err(fault::not_supported("table-valued parameter").into());
            }
            if self.frame.cursors.iter().any(|(known, _)| *known == lower) {
                return Err(fault::not_supported("cursor parameter").into());
            }
        }
        let (value, ty) = self.evaluate(&argument.value)?;
        Ok(Given {
            name,
            ty,
            value: Some(value),
            output: argument.output,
        })
    }
}
