//! Runs bound T-SQL: an interpreter, and SQLite as executor over the tables and procedures of a host.
//!
//! It does not know what msdb means: that is the [`Host`]'s part. Start with [`Session`], then [`host`].
//!
//! Control flow, EXEC, transactions, TRY/CATCH and queries live in `interpret/`; SQLite, what it calls back into and
//! the SQL that is generated for it in `store/`; the databases and objects that users make in [`databases`].

pub mod bulk;
pub mod cancel;
pub mod databases;
pub mod host;
mod interpret;
pub mod rpc;
pub mod session;
mod store;

pub use bulk::BulkRows;
pub use cancel::CancelToken;
pub use host::{
    AdminStatement, Argument, EnvChange, FunctionDecl, FunctionResult, GivenPassword, Host,
    Identity, Impersonated, ParamDecl, PermissionChange, Principal, ProcedureDecl, ResultSink,
    RowChange, Scan, Securable, SeekKey, StatementDone, TableDecl, TemporaryTable,
};
pub use rpc::{
    BatchOutcome, RpcCall, RpcOutcome, RpcOutput, RpcParam, RpcProcedure, RpcRows, RpcTable,
};
pub use session::{Limits, Session, SessionOptions, SessionSettings};
