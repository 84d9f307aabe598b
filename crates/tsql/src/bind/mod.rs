//! The typed binder: from syntax to expressions and queries with every name resolved and every type known.

pub mod ir;
