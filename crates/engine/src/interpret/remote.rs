//! Remote calls of drivers: sp_executesql, prepared handles, procedures by name.

use super::execute::{Given, Named, Returned, declared_parameters};
use super::{End, Failure, Interpreter};
use crate::rpc::{RpcCall, RpcOutcome, RpcOutput, RpcProcedure};
use crate::session::Prepared;
use tsql::{SqlError, SqlType, Value, fault};

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
            RpcProcedure::Id(other) => format!("sp_cursor (remote call {other})"),
        };
        let given: Vec<Given> = call
            .params
            .iter()
            .map(|param| Given {
                name: (!param.name.is_empty()).then(|| param.name.clone()),
                value: param.value.clone().map(|value| (value, param.ty)),
                output: param.output,
            })
            .collect();
        self.statement_starts();
        let named = Named::parse(&name);
        let lower = named.name.to_ascii_lowercase();
        let result = if lower.starts_with("sp_cursor") {
            Err(fault::not_supported(&name).into())
        } else if lower == "sp_prepexecrpc" {
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
            Err(failure) => {
                self.report(failure.error.at_line(1));
                self.outcome.aborted = true;
            }
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
                let handle = self.prepare(text(1), text(2))?;
                self.sink.procedure_done(0)?;
                Ok((End::Next, with_handle(handle, Returned::default())))
            }
            "sp_prepexec" => {
                let (params, statement) = (text(1), text(2));
                let frame = self.parameters(&params, given.get(3..).unwrap_or_default(), 3)?;
                let handle = self.prepare(params, statement.clone())?;
                let (end, returned) = self.run_with(&statement, frame)?;
                Ok((end, with_handle(handle, returned)))
            }
            "sp_execute" => {
                let prepared = handle
                    .and_then(|handle| self.core.prepared.get(&handle).cloned())
                    .ok_or_else(|| unknown_handle(handle))?;
                let values = given.get(1..).unwrap_or_default();
                let frame = self.parameters(&prepared.params, values, 1)?;
                self.run_with(&prepared.text, frame)
            }
            _ => {
                let known = handle.and_then(|handle| self.core.prepared.remove(&handle));
                if known.is_none() {
                    return Err(unknown_handle(handle).into());
                }
                self.sink.procedure_done(0)?;
                Ok((End::Next, Returned::default()))
            }
        }
    }

    fn prepare(&mut self, params: String, text: String) -> Result<i32, SqlError> {
        if self.core.prepared.len() >= self.core.options.limits.prepared_handles {
            return Err(tsql::messages::MEMORY_LIMIT.with(&["default"]));
        }
        if !params.trim().is_empty() {
            declared_parameters(&params)?;
        }
        let last = self.core.prepared.keys().next_back().copied();
        let handle = last.map_or(FIRST_HANDLE, |last| last.wrapping_add(1));
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
