//! Remote calls of drivers: sp_executesql, prepared handles, procedures by name.

use super::arguments::{Given, TableArgument};
use super::execute::{Named, Returned};
use super::{End, Failure, Interpreter, wire_cursor};
use crate::rpc::{RpcCall, RpcOutcome, RpcOutput, RpcProcedure};
use crate::session::Prepared;
use crate::session::shared::option;
use tsql::parser::{ParseOptions, parse_batch};
use tsql::{SqlError, SqlType, Value};

/// First handle that sp_prepare gives.
const FIRST_HANDLE: i32 = 1;

impl Interpreter<'_> {
    /// Runs a remote call.
    pub(crate) fn remote(&mut self, call: RpcCall) -> RpcOutcome {
        let name = match call.procedure {
            RpcProcedure::Name(name) => name,
            RpcProcedure::Id(10) => "sp_executesql".to_owned(),
            RpcProcedure::Id(11) => "sp_prepare".to_owned(),
            RpcProcedure::Id(12) => "sp_execute".to_owned(),
            RpcProcedure::Id(13) => "sp_prepexec".to_owned(),
            RpcProcedure::Id(14) => "sp_prepexecrpc".to_owned(),
            RpcProcedure::Id(15) => "sp_unprepare".to_owned(),
            RpcProcedure::Id(other) => wire_cursor::Procedure::name_of(other)
                .map_or_else(|| format!("#{other}"), str::to_owned),
        };
        let given: Vec<Given> = call
            .params
            .iter()
            .map(|param| Given {
                name: (!param.name.is_empty()).then(|| param.name.clone()),
                value: param.value.clone().map(|value| (value, param.ty)),
                output: param.output,
                table: param.table.clone().map(TableArgument::Sent),
            })
            .collect();
        self.statement_starts(1);
        let named = Named::parse(&name);
        let lower = named.name.to_ascii_lowercase();
        let result = if lower == "sp_prepexecrpc" {
            self.prepared_call(&given)
        } else {
            self.call(&named, given)
        };
        let mut outcome = RpcOutcome::default();
        match result {
            Ok((end, returned)) => {
                if matches!(end, End::Next | End::Return) {
                    outcome.return_status = Some(returned.code);
                }
                outcome.outputs = returned
                    .outputs
                    .into_iter()
                    .filter_map(|(ordinal, value, ty)| {
                        Some(RpcOutput {
                            ordinal,
                            name: call.params.get(ordinal)?.name.clone(),
                            ty,
                            value,
                        })
                    })
                    .collect();
            }
            Err(failure) => self.conclude(failure),
        }
        self.finish();
        outcome.batch = std::mem::take(&mut self.outcome);
        outcome
    }

    /// `sp_prepexecrpc @handle OUTPUT, N'{call proc}', values…`: what ODBC sends for `{CALL}`.
    fn prepared_call(&mut self, given: &[Given]) -> Result<(End, Returned), Failure> {
        let name = given
            .get(1)
            .and_then(|arg| arg.value.as_ref())
            .and_then(|(value, _)| value.as_str())
            .unwrap_or_default()
            .to_owned();
        let rest = given.get(2..).unwrap_or_default().to_vec();
        let (end, mut returned) = self.call(&Named::parse(&name), rest)?;
        for output in &mut returned.outputs {
            output.0 += 2;
        }
        // The call is over; the handle names nothing that could be called again.
        returned.outputs.insert(0, (0, Value::Int(0), SqlType::Int));
        Ok((end, returned))
    }

    pub(super) fn prepared_procedure(
        &mut self,
        name: &str,
        given: &[Given],
    ) -> Result<(End, Returned), Failure> {
        let text = |at: usize| {
            given
                .get(at)
                .and_then(|arg| arg.value.as_ref())
                .and_then(|(value, _)| value.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let handle = given
            .first()
            .and_then(|arg| arg.value.as_ref())
            .and_then(|(value, _)| value.as_i64())
            .and_then(|handle| i32::try_from(handle).ok());
        match name {
            "sp_prepare" => {
                self.check_text(&text(1), &text(2))?;
                self.forget(handle);
                let handle = self.prepare(text(1), text(2))?;
                self.sink.procedure_done(0)?;
                Ok((End::Next, with_handle(handle, Returned::default())))
            }
            "sp_prepexec" => {
                let (params, statement) = (text(1), text(2));
                self.check_text(&params, &statement)?;
                let values = given.get(3..).unwrap_or_default();
                let frame = self.parameters(&statement, &params, values, 3)?;
                // A handle that is handed in gives way to the new one.
                self.forget(handle);
                let handle = self.prepare(params, statement.clone())?;
                let (end, returned) = self.run_with(&statement, frame)?;
                Ok((end, with_handle(handle, returned)))
            }
            "sp_execute" => {
                let prepared = self.prepared(handle)?;
                let values = given.get(1..).unwrap_or_default();
                let frame = self.parameters(&prepared.text, &prepared.params, values, 1)?;
                self.run_with(&prepared.text, frame)
            }
            _ => {
                self.unprepare(handle)?;
                self.sink.procedure_done(0)?;
                Ok((End::Next, Returned::default()))
            }
        }
    }

    /// The statement of a handle.
    ///
    /// # Errors
    /// 8179 for a handle that is none.
    pub(super) fn prepared(&self, handle: Option<i32>) -> Result<Prepared, SqlError> {
        handle
            .and_then(|handle| self.core.prepared.get(&handle).cloned())
            .ok_or_else(|| unknown_handle(handle))
    }

    /// Gives a handle up; 8179 for one that is none.
    pub(super) fn unprepare(&mut self, handle: Option<i32>) -> Result<(), SqlError> {
        match handle.and_then(|handle| self.core.prepared.remove(&handle)) {
            Some(_) => Ok(()),
            None => Err(unknown_handle(handle)),
        }
    }

    pub(super) fn forget(&mut self, handle: Option<i32>) {
        if let Some(handle) = handle {
            self.core.prepared.remove(&handle);
        }
    }

    /// Reads a text for its errors of syntax: they are reported, and 8180 follows.
    pub(super) fn check_text(&mut self, params: &str, text: &str) -> Result<(), SqlError> {
        let names: Vec<String> = self
            .declared_parameters(params)?
            .into_iter()
            .map(|parameter| parameter.name)
            .collect();
        let options = ParseOptions {
            quoted_identifier: self.core.shared.facts().has(option::QUOTED_IDENTIFIER),
            variables: &names,
        };
        let Err(errors) = parse_batch(text, &options) else {
            return Ok(());
        };
        for error in errors {
            if self.tries > 0 {
                return Err(error);
            }
            self.report(error);
        }
        Err(SqlError::new(
            8180,
            16,
            "Statement(s) could not be prepared.",
        ))
    }

    pub(super) fn prepare(&mut self, params: String, text: String) -> Result<i32, SqlError> {
        if self.core.prepared.len() >= self.core.options.limits.prepared_handles {
            return Err(tsql::messages::MEMORY_LIMIT.with(&["default"]));
        }
        let mut handle = self.core.last_handle;
        loop {
            handle = handle.checked_add(1).unwrap_or(FIRST_HANDLE);
            if !self.core.prepared.contains_key(&handle) {
                break;
            }
        }
        self.core.last_handle = handle;
        self.core.prepared.insert(handle, Prepared { params, text });
        Ok(handle)
    }
}

fn with_handle(handle: i32, mut returned: Returned) -> Returned {
    returned
        .outputs
        .insert(0, (0, Value::Int(handle), SqlType::Int));
    returned
}

fn unknown_handle(handle: Option<i32>) -> SqlError {
    SqlError::new(
        8179,
        16,
        format!(
            "Could not find prepared statement with handle {}.",
            handle.unwrap_or(0)
        ),
    )
}
