//! Runs bound T-SQL: an interpreter, and SQLite as executor over the tables and procedures of a host.
//!
//! It does not know what msdb means: that is the [`Host`]'s part. Start with [`host`].

pub mod host;

pub use host::{
    AdminStatement, Argument, Host, ParamDecl, Principal, ProcedureDecl, ResultSink, Scan, SeekKey,
    TableDecl,
};
