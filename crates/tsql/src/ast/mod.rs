//! The syntax tree of T-SQL.
//!
//! It holds what was written, in the shape of the language, names unresolved and types unchecked.
//! Start with [`Batch`] and [`StatementKind`]. Depth is bounded by the parser
//! ([`crate::parser::NESTING_MAX`], [`crate::parser::EXPRESSION_HEIGHT_MAX`]), so that a walk may
//! recurse. What T-SQL knows and Muster does not is in the tree too, as `Unsupported` with the name of
//! the feature, so that it can be refused by name and line.

mod bulk;
mod ddl;
mod dml;
mod expr;
mod query;
mod security;
mod span;
mod statement;
mod types;

pub use bulk::*;
pub use ddl::*;
pub use dml::*;
pub use expr::*;
pub use query::*;
pub use security::*;
pub use span::*;
pub use statement::*;
pub use types::*;
