//! Remote procedure calls as a client's driver sends them, and what comes back.

use std::sync::Arc;
use tsql::{Column, Row, SqlError, SqlType, Value};

/// Procedure that a call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RpcProcedure {
    /// By name, as written; may have up to three parts.
    Name(String),
    /// By well-known number: 10 sp_executesql, 11 sp_prepare, 12 sp_execute, 13 sp_prepexec,
    /// 14 sp_prepexecrpc, 15 sp_unprepare; 1..=9 the cursor procedures.
    Id(u16),
}

/// One argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcParam {
    /// Name with its `@`; empty for an argument by position.
    pub name: String,
    /// Type on the wire.
    pub ty: SqlType,
    /// The value; `None` asks for the parameter's default.
    pub value: Option<Value>,
    /// Whether the caller wants it back.
    pub output: bool,
    /// The rows of a table-valued parameter; type and value then mean nothing.
    pub table: Option<RpcTable>,
}

/// A table-valued parameter as a driver sent it.
#[derive(Debug, Clone)]
pub struct RpcTable {
    /// Schema of its type; may be empty.
    pub schema: String,
    /// Name of its type; empty when the procedure's declaration is to say it.
    pub type_name: String,
    /// How many columns the client says that the type has.
    pub width: usize,
    /// The columns that rows have values for; the others take their defaults.
    pub columns: Vec<Column>,
    /// The place of each of them in the type.
    pub places: Vec<usize>,
    /// The rows.
    pub rows: Arc<dyn RpcRows>,
}

impl PartialEq for RpcTable {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rows, &other.rows)
    }
}

/// Rows of a table-valued parameter, which stay as they were sent until they are asked for.
pub trait RpcRows: std::fmt::Debug + Send + Sync {
    /// The rows in order, each of as many values as there are columns.
    fn rows(&self) -> Box<dyn Iterator<Item = Row> + '_>;
}

/// A remote procedure call.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcCall {
    /// What to call.
    pub procedure: RpcProcedure,
    /// Arguments in order.
    pub params: Vec<RpcParam>,
}

/// An output value of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcOutput {
    /// Ordinal of the argument among [`RpcCall::params`], from 0.
    pub ordinal: usize,
    /// Name as the caller gave it; empty for an argument by position.
    pub name: String,
    /// Type to send it as.
    pub ty: SqlType,
    /// The value.
    pub value: Value,
}

/// How a batch ended. Every error was reported to the sink already.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BatchOutcome {
    /// The last error reported, if any.
    pub last_error: Option<SqlError>,
    /// Whether the batch stopped before its end because of an error.
    pub aborted: bool,
    /// Whether it stopped because the client cancelled.
    pub cancelled: bool,
    /// Whether the connection has to be closed (an error of severity 20 and above).
    pub close: bool,
}

/// How a remote call ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RpcOutcome {
    /// As for a batch.
    pub batch: BatchOutcome,
    /// Return code; `None` when the call did not come so far.
    pub return_status: Option<i32>,
    /// Values of the arguments that asked to come back, in their order.
    pub outputs: Vec<RpcOutput>,
}
