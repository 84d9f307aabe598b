//! T-SQL without storage or sockets: types and values, lexer, parser, syntax tree and binder.
//!
//! Start with [`types`] and [`value`] for what a column holds, [`error`] and [`messages`] for what a
//! client is told, [`ast`] for the language and [`parser`] for its reading.

pub mod ast;
pub mod bind;
pub mod convert;
pub mod document;
pub mod error;
pub mod eval;
pub mod fault;
mod json;
mod lexer;
pub mod measures;
pub mod messages;
pub mod parser;
pub mod rowset;
pub mod types;
pub mod value;
pub mod xml;

pub use error::SqlError;
pub use types::{Column, Length, SqlType};
pub use value::{Decimal, Row, Value};
