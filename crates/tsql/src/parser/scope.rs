//! Rules over a whole batch: variables, labels, loops, the place of module statements.

use super::Parser;
use crate::ast::{Ident, Span, Variable};
use crate::messages;
use std::collections::BTreeMap;

/// What a variable holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VariableKind {
    /// A value.
    Scalar,
    /// A table.
    Table,
    /// A cursor.
    Cursor,
}

/// What a text may do, by what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// A batch, or dynamic SQL.
    Batch,
    /// The body of a procedure.
    Procedure,
    /// The body of a function.
    Function,
    /// The body of a trigger.
    Trigger,
}

/// What has been declared so far.
#[derive(Debug)]
pub(super) struct Scope {
    /// By name in small letters.
    variables: BTreeMap<String, VariableKind>,
    /// By name in small letters.
    labels: BTreeMap<String, Span>,
    gotos: Vec<Ident>,
    /// Loops around the current statement.
    pub(super) loops: u32,
    pub(super) frame: Frame,
}

impl Scope {
    pub(super) fn new(variables: &[String]) -> Self {
        let scalar = |name: &String| (name.to_lowercase(), VariableKind::Scalar);
        Self {
            variables: variables.iter().map(scalar).collect(),
            labels: BTreeMap::new(),
            gotos: Vec::new(),
            loops: 0,
            frame: Frame::Batch,
        }
    }

    fn kind_of(&self, variable: &Variable) -> Option<VariableKind> {
        self.variables.get(&variable.name.to_lowercase()).copied()
    }
}

impl Parser<'_> {
    /// Declares a variable (134 when it is declared already).
    pub(super) fn declare(&mut self, variable: &Variable, kind: VariableKind) {
        let name = variable.name.to_lowercase();
        if self.scope.variables.insert(name, kind).is_some() {
            let line = variable.span.line;
            self.violate(messages::DUPLICATE_VARIABLE.at(line, &[&variable.name]));
        }
    }

    /// Checks the use of a variable as a value or cursor (137).
    pub(super) fn use_variable(&mut self, variable: &Variable) {
        let found = self.scope.kind_of(variable);
        if !matches!(found, Some(VariableKind::Scalar | VariableKind::Cursor)) {
            self.undeclared(variable);
        }
    }

    /// Checks the use of a variable as an argument, which may be a value or a table (137).
    pub(super) fn use_any_variable(&mut self, variable: &Variable) {
        if self.scope.kind_of(variable).is_none() {
            self.undeclared(variable);
        }
    }

    fn undeclared(&mut self, variable: &Variable) {
        let error = messages::UNDECLARED_VARIABLE.at(variable.span.line, &[&variable.name]);
        self.violate(error.with_state(2));
    }

    /// Checks the use of a variable as a table (1087). A parameter declared outside may be a table.
    pub(super) fn use_table_variable(&mut self, variable: &Variable) {
        if self.scope.kind_of(variable).is_none() {
            let line = variable.span.line;
            self.violate(messages::UNDECLARED_TABLE_VARIABLE.at(line, &[&variable.name]));
        }
    }

    /// A label (132 when it stands twice).
    pub(super) fn label(&mut self, label: &Ident) {
        let name = label.text.to_lowercase();
        if self.scope.labels.insert(name, label.span).is_some() {
            self.violate(messages::DUPLICATE_LABEL.at(label.span.line, &[&label.text]));
        }
    }

    /// A GOTO; its label may follow.
    pub(super) fn goto(&mut self, label: &Ident) {
        self.scope.gotos.push(label.clone());
    }

    /// At the end of a batch: labels that GOTO names and nobody declared (133).
    pub(super) fn check_gotos(&mut self) {
        for label in std::mem::take(&mut self.scope.gotos) {
            if !self.scope.labels.contains_key(&label.text.to_lowercase()) {
                self.violate(messages::UNKNOWN_LABEL.at(label.span.line, &[&label.text]));
            }
        }
    }
}
