//! Remote procedure calls.

use super::arguments::Given;
use super::names::{EngineProcedure, ProcedureName, WIRE_CURSORS};
use super::procedure::Call;
use super::stop::Stop;
use super::{Frame, Machine, Request, Run};
use crate::cancel::CancelToken;
use crate::host::ResultSink;
use crate::rpc::{RpcCall, RpcOutcome, RpcOutput, RpcProcedure};
use tsql::{Value, fault};

impl Machine {
    /// Runs a remote call; every error is reported to `sink`.
    pub(crate) fn rpc(
        &mut self,
        call: RpcCall,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> RpcOutcome {
        self.shared.start_clock(self.limits.request_time);
        let now = self.shared.host().now();
        self.shared.facts().now = now;
        let mut request = Request::default();
        let mut run = Run {
            machine: self,
            sink,
            cancel,
            request: &mut request,
            frame: Frame::new(true),
        };
        let given: Vec<Given> = call
            .params
            .iter()
            .map(|param| Given {
                name: (!param.name.is_empty()).then(|| param.name.clone()),
                ty: param.ty,
                value: param.value.clone(),
                output: param.output,
            })
            .collect();
        let result = run.remote(&call.procedure, &given);
        let mut outcome = RpcOutcome::default();
        match result {
            Ok(Call::Done(done)) => {
                run.machine.queries.leave(&run.frame.scope, 1);
                outcome.return_status = Some(done.code);
                outcome.outputs = done
                    .outputs
                    .into_iter()
                    .map(|(ordinal, value, ty)| RpcOutput {
                        ordinal,
                        name: call
                            .params
                            .get(ordinal)
                            .map(|param| param.name.clone())
                            .unwrap_or_default(),
                        ty,
                        value,
                    })
                    .collect();
            }
            Ok(Call::Failed(stop)) => {
                outcome.return_status = Some(1);
                outcome.outputs = unchanged(&call);
                run.conclude(Err(stop));
            }
            Err(stop) => run.conclude(Err(stop)),
        }
        run.finish();
        outcome.batch = request.outcome;
        outcome
    }
}

impl Run<'_> {
    fn remote(&mut self, procedure: &RpcProcedure, given: &[Given]) -> Result<Call, Stop> {
        match procedure {
            RpcProcedure::Name(name) => {
                let name = ProcedureName::parse(name).map_err(Stop::statement)?;
                self.call(&name, given, 1)
            }
            RpcProcedure::Id(id) => {
                let which = match id {
                    10 => EngineProcedure::ExecuteSql,
                    11 => EngineProcedure::Prepare,
                    12 => EngineProcedure::Execute,
                    13 => EngineProcedure::PrepExec,
                    14 => EngineProcedure::PrepExecRpc,
                    15 => EngineProcedure::Unprepare,
                    other => {
                        let at = usize::from(*other).checked_sub(1);
                        let name = at.and_then(|at| WIRE_CURSORS.get(at));
                        let name = name.map_or_else(
                            || format!("procedure number {other}"),
                            |name| (*name).to_owned(),
                        );
                        return Err(Stop::statement(fault::not_supported(&name)));
                    }
                };
                self.call_engine(which, given, 1)
            }
        }
    }
}

/// A procedure that failed leaves its OUTPUT arguments as they came.
fn unchanged(call: &RpcCall) -> Vec<RpcOutput> {
    call.params
        .iter()
        .enumerate()
        .filter(|(_, param)| param.output)
        .map(|(ordinal, param)| RpcOutput {
            ordinal,
            name: param.name.clone(),
            ty: param.ty,
            value: param.value.clone().unwrap_or(Value::Null),
        })
        .collect()
}
