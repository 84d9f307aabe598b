//! What the parser takes, refuses and survives.

mod accepted;
mod errors;
mod limits;
mod properties;
mod shapes;

use super::*;
use crate::ast::{Statement, StatementKind};

fn parse(text: &str) -> Result<Batch, Vec<SqlError>> {
    parse_batch(text, &ParseOptions::default())
}

/// The statements of a text that parses.
#[track_caller]
fn statements(text: &str) -> Vec<Statement> {
    match parse(text) {
        Ok(batch) => batch.statements,
        Err(errors) => panic!("{text}\n{errors:#?}"),
    }
}

/// The one statement of a text that parses.
#[track_caller]
fn statement(text: &str) -> StatementKind {
    let mut found = statements(text);
    assert_eq!(found.len(), 1, "{text}: {found:#?}");
    found.remove(0).kind
}
