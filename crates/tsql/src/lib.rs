//! T-SQL without storage or sockets: types and values, lexer, parser, syntax tree and binder.
//!
//! Start with [`types`] and [`value`] for what a column holds, [`error`] for what a client is told.

pub mod error;
pub mod types;
pub mod value;

pub use error::SqlError;
pub use types::{Column, Length, SqlType};
pub use value::{Decimal, Row, Value};
