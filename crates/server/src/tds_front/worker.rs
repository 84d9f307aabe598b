//! The thread that a SQL session lives on.

use super::bulk::BulkStream;
use super::session::{OpenSession, SqlSession};
use super::sink::{Answer, Output, TokenSink};
use super::{FrontError, OUTPUT_CHUNKS_MAX, SESSION_STACK_BYTES, Spid};
use engine::{CancelToken, ResultSink, RpcParam, RpcProcedure, RpcRows, RpcTable};
use std::sync::Arc;
use std::thread;
use tds::packet::ResetConnection;
use tds::request::{
    BeginTransaction, IsolationLevel, Procedure, RpcCall, RpcReader, TransactionRequest,
};
use tds::table::TableParameter;
use tds::{TdsError, TdsVersion};
use tokio::sync::{mpsc, oneshot};
use tsql::{Column, Row, SqlError};

/// What the session is to do.
pub(super) enum Work {
    /// A batch of statements.
    Batch(String),
    /// Remote procedure calls.
    Calls(RpcReader),
    /// A transaction manager request.
    Transaction(TransactionRequest),
    /// The rows of a bulk load, packet by packet.
    Bulk(mpsc::Receiver<Vec<u8>>),
    /// Nothing but this error: the request could not be read, or is not taken.
    Refuse(SqlError),
}

/// A request with what surrounds it.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reset: ResetConnection,
    pub(super) cancel: CancelToken,
}

/// The connection's end of the session's thread. Dropping it cancels what runs and ends the session.
pub(super) struct Worker {
    jobs: mpsc::Sender<Job>,
    pub(super) output: mpsc::Receiver<Output>,
    current: CancelToken,
    pub(super) spid: u16,
}

impl Worker {
    /// Starts the thread and opens the session on it.
    ///
    /// # Errors
    /// What the session's opening raised, as `Ok(Err(…))`; [`FrontError::SessionLost`] without a thread.
    pub(super) async fn start(
        open: OpenSession,
        spid: Spid,
        version: TdsVersion,
        server_name: String,
    ) -> Result<Result<Self, SqlError>, FrontError> {
        let (jobs, queue) = mpsc::channel(1);
        let (results, output) = mpsc::channel(OUTPUT_CHUNKS_MAX);
        let (opened, ready) = oneshot::channel();
        let number = spid.number;
        thread::Builder::new()
            .name(format!("sql-{number}"))
            .stack_size(SESSION_STACK_BYTES)
            .spawn(move || {
                // Freed last: the number is taken for as long as the session is there.
                let _spid = spid;
                match open() {
                    Ok(session) => {
                        if opened.send(Ok(())).is_ok() {
                            run(session, queue, &results, version, &server_name);
                        }
                    }
                    Err(error) => {
                        let _gone = opened.send(Err(error));
                    }
                }
            })
            .map_err(|_| FrontError::SessionLost)?;
        let outcome = ready.await.map_err(|_| FrontError::SessionLost)?;
        Ok(outcome.map(|()| Self {
            jobs,
            output,
            current: CancelToken::new(),
            spid: number,
        }))
    }

    /// Hands a job over; the session must be idle.
    ///
    /// # Errors
    /// [`FrontError::SessionLost`] when the thread has ended by itself.
    pub(super) fn hand_over(
        &mut self,
        work: Work,
        reset: ResetConnection,
    ) -> Result<(), FrontError> {
        let cancel = CancelToken::new();
        self.current = cancel.clone();
        self.jobs
            .try_send(Job {
                work,
                reset,
                cancel,
            })
            .map_err(|_| FrontError::SessionLost)
    }

    /// Cancels what runs.
    pub(super) fn cancel(&self) {
        self.current.cancel();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.current.cancel();
    }
}

fn run(
    mut session: Box<dyn SqlSession>,
    mut queue: mpsc::Receiver<Job>,
    results: &mpsc::Sender<Output>,
    version: TdsVersion,
    server_name: &str,
) {
    while let Some(job) = queue.blocking_recv() {
        let mut sink = TokenSink::new(version, results, &job.cancel, server_name, Answer::Batch);
        if job.reset != ResetConnection::No
            && let Err(error) = session.may_reset()
        {
            sink.message(error);
            sink.finish_batch(true, true, false);
            sink.close(true);
            return;
        }
        match job.reset {
            ResetConnection::No => {}
            ResetConnection::Full => {
                session.reset();
                sink.reset_done();
            }
            ResetConnection::KeepTransaction => {
                session.reset_keeping_transaction();
                sink.reset_done();
            }
        }
        let close = match job.work {
            Work::Batch(text) => {
                let outcome = session.batch(&text, &mut sink, &job.cancel);
                sink.finish_batch(outcome.aborted, outcome.close, false);
                outcome.close
            }
            Work::Bulk(packets) => {
                let mut rows = BulkStream::new(packets, version, job.cancel.clone());
                let (outcome, loaded) = session.bulk_load(&mut rows, &mut sink, &job.cancel);
                // Nobody reads the rest, so the connection's task stops gathering it.
                drop(rows);
                sink.finish_load(loaded, outcome.close);
                outcome.close
            }
            Work::Calls(calls) => run_calls(&mut *session, calls, &mut sink, &job.cancel),
            Work::Transaction(request) => {
                let outcome = run_transaction(&mut *session, request, &mut sink, &job.cancel);
                let close = outcome.as_ref().err().is_some_and(|e| e.severity >= 20);
                let failed = outcome.is_err();
                if let Err(error) = outcome {
                    sink.message(error);
                }
                sink.finish_batch(failed, close, false);
                close
            }
            Work::Refuse(error) => {
                let close = error.severity >= 20;
                sink.message(error);
                sink.finish_batch(true, close, false);
                close
            }
        };
        sink.close(close);
        if close {
            return;
        }
    }
}

/// Runs the calls of a message until the last, a malformed one, an attention or the connection's end.
fn run_calls(
    session: &mut dyn SqlSession,
    mut calls: RpcReader,
    sink: &mut TokenSink<'_>,
    cancel: &CancelToken,
) -> bool {
    sink.begin(Answer::Call);
    let mut any = false;
    while let Some(call) = calls.next_call() {
        any = true;
        if cancel.is_cancelled() {
            return false;
        }
        let call = match call {
            Ok(call) => call,
            Err(error) => {
                let close = !error.refuses_request_only();
                sink.message(malformed_call(&error, close));
                sink.finish_call(None, &[], true, close, false);
                return close;
            }
        };
        let more = !calls.is_finished();
        if call.no_execute {
            sink.finish_call(None, &[], false, false, more);
            continue;
        }
        let outcome = session.rpc(engine_call(call), sink, cancel);
        let close = outcome.batch.close;
        sink.finish_call(
            outcome.return_status,
            &outcome.outputs,
            outcome.batch.aborted,
            close,
            more && !close,
        );
        if close {
            return true;
        }
    }
    if !any {
        sink.finish_call(None, &[], false, false, false);
    }
    false
}

/// The rows of a table-valued parameter, as they were sent.
#[derive(Debug)]
struct SentRows(TableParameter);

impl RpcRows for SentRows {
    fn rows(&self) -> Box<dyn Iterator<Item = Row> + '_> {
        Box::new(self.0.rows())
    }
}

fn engine_table(table: TableParameter) -> RpcTable {
    RpcTable {
        schema: table.schema.clone(),
        type_name: table.type_name.clone(),
        width: table.width,
        columns: table.columns.clone(),
        places: table.places.clone(),
        rows: Arc::new(SentRows(table)),
    }
}

fn engine_call(call: RpcCall) -> engine::RpcCall {
    let procedure = match call.procedure.well_known() {
        Some(id) => RpcProcedure::Id(id.number()),
        None => match call.procedure {
            Procedure::Name(name) => RpcProcedure::Name(name),
            Procedure::Id(id) => RpcProcedure::Id(id.number()),
        },
    };
    engine::RpcCall {
        procedure,
        params: call
            .parameters
            .into_iter()
            .map(|parameter| RpcParam {
                name: parameter.name,
                ty: parameter.ty,
                value: (!parameter.use_default).then_some(parameter.value),
                output: parameter.by_reference,
                table: parameter.table.map(engine_table),
            })
            .collect(),
    }
}

fn run_transaction(
    session: &mut dyn SqlSession,
    request: TransactionRequest,
    sink: &mut TokenSink<'_>,
    cancel: &CancelToken,
) -> Result<(), SqlError> {
    let (outcome, then) = match request {
        TransactionRequest::Begin(begin) => return start(session, &begin, sink, cancel),
        TransactionRequest::Commit { name: _, then } => (session.commit(sink), then),
        TransactionRequest::Rollback { name, then } => (session.rollback(&name, sink), then),
        TransactionRequest::Save { name } => {
            let name = name.replace(']', "]]");
            return quietly(session, &format!("SAVE TRANSACTION [{name}]"), cancel);
        }
        TransactionRequest::Distributed => {
            return Err(SqlError::new(
                3910,
                16,
                "Distributed transactions are not supported.",
            ));
        }
    };
    outcome?;
    match then {
        Some(begin) => start(session, &begin, sink, cancel),
        None => Ok(()),
    }
}

fn start(
    session: &mut dyn SqlSession,
    begin: &BeginTransaction,
    sink: &mut TokenSink<'_>,
    cancel: &CancelToken,
) -> Result<(), SqlError> {
    let level = match begin.isolation {
        IsolationLevel::Unchanged => None,
        IsolationLevel::ReadUncommitted => Some("READ UNCOMMITTED"),
        IsolationLevel::ReadCommitted => Some("READ COMMITTED"),
        IsolationLevel::RepeatableRead => Some("REPEATABLE READ"),
        IsolationLevel::Serializable => Some("SERIALIZABLE"),
        IsolationLevel::Snapshot => Some("SNAPSHOT"),
    };
    if let Some(level) = level {
        let statement = format!("SET TRANSACTION ISOLATION LEVEL {level}");
        quietly(session, &statement, cancel)?;
    }
    session.begin(&begin.name, sink)
}

/// Runs a statement of the front's own, whose results the client does not see.
fn quietly(
    session: &mut dyn SqlSession,
    statement: &str,
    cancel: &CancelToken,
) -> Result<(), SqlError> {
    match session.batch(statement, &mut Quiet, cancel).last_error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

struct Quiet;

impl ResultSink for Quiet {
    fn columns(&mut self, _columns: &[Column]) -> Result<(), SqlError> {
        Ok(())
    }

    fn row(&mut self, _row: Row) -> Result<(), SqlError> {
        Ok(())
    }

    fn done(&mut self, _rows: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, _message: SqlError) {}
}

/// 8009 and its kin: a call that can't be read. Source: "Database Engine events and errors", 8000 and following.
pub(super) fn malformed_call(error: &TdsError, close: bool) -> SqlError {
    let text = format!("The remote procedure call could not be read: {error}.");
    SqlError::new(8009, if close { 20 } else { 16 }, text)
}
