//! DECLARE, SET @v and PRINT.

use super::Run;
use super::control::Flow;
use super::format::shortened;
use super::stop::Stop;
use tsql::ast::{
    AssignOp, Declaration, Expr, ExprKind, Statement, StatementKind, Variable,
};
use tsql::bind::{DefaultLength, assign_operator, resolve_type};
use tsql::{SqlError, SqlType, Value, convert};

/// Most characters that PRINT writes.
const PRINT_CHARACTERS_MAX: usize = 8000;

impl Run<'_> {
    /// Makes the scalar and cursor variables of a text; they exist from its start, wherever a jump leads.
    ///
    /// # Errors
    /// 2715 and kin for types.
    pub(super) fn declare_all(&mut self, statements: &[Statement]) -> Result<(), SqlError> {
        for statement in statements {
            match &statement.kind {
                StatementKind::Declare(declarations) => {
                    for declaration in declarations {
                        match declaration {
                            Declaration::Scalar { variable, ty, .. } => {
                                let ty = resolve_type(ty, DefaultLength::Declaration)?;
                                self.frame.declare(&variable.name, ty, Value::Null);
                            }
                            Declaration::Cursor { variable } => {
                                let name = variable.name.to_lowercase();
                                self.frame.cursors.push((name, None));
                            }
                            Declaration::Table { .. } => {}
                        }
                    }
                }
                StatementKind::Block(inner) => self.declare_all(inner)?,
                StatementKind::If {
                    then, otherwise, ..
                } => {
                    self.declare_all(std::slice::from_ref(then))?;
                    if let Some(otherwise) = otherwise {
                        self.declare_all(std::slice::from_ref(otherwise))?;
                    }
                }
                StatementKind::While { body, .. } => {
                    self.declare_all(std::slice::from_ref(body))?;
                }
                StatementKind::TryCatch { body, handler } => {
                    self.declare_all(body)?;
                    self.declare_all(handler)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// DECLARE as a statement: first values, and table variables.
    pub(super) fn declare_statement(
        &mut self,
        declarations: &[Declaration],
    ) -> Result<Flow, Stop> {
        for declaration in declarations {
            match declaration {
                Declaration::Scalar {
                    variable,
                    value: Some(value),
                    ..
                } => {
                    self.set_variable(variable, AssignOp::Set, value)?;
                }
                Declaration::Table {
                    variable,
                    definition,
                } => {
                    // In a loop the variable keeps its rows.
                    let lower = variable.name.to_lowercase();
                    let known = self.frame.scope.tables.iter().any(|(name, _)| *name == lower);
                    if !known {
                        let (queries, mut io) = self.queries();
                        queries.declare_table(variable, definition, &mut io)?;
                    }
                }
                Declaration::Scalar { value: None, .. } | Declaration::Cursor { .. } => {}
            }
        }
        Ok(Flow::Next)
    }

    /// `SET @v = …`, `SET @v += …`
    pub(super) fn set_variable(
        &mut self,
        variable: &Variable,
        op: AssignOp,
        value: &Expr,
    ) -> Result<Flow, Stop> {
        if self.assign_cursor(variable, value)? {
            return Ok(Flow::Next);
        }
        let (slot, ty) = self.slot(variable)?;
        let value = match assign_operator(op) {
            None => self.evaluate_as(value, ty)?,
            Some(op) => {
                let left = Expr {
                    span: variable.span,
                    kind: ExprKind::Variable(variable.clone()),
                };
                let whole = Expr {
                    span: variable.span.to(value.span),
                    kind: ExprKind::Binary {
                        op,
                        left: Box::new(left),
                        right: Box::new(value.clone()),
                    },
                };
                self.evaluate_as(&whole, ty)?
            }
        };
        self.assign(slot, value, ty)?;
        self.succeeded(1);
        Ok(Flow::Next)
    }

    /// PRINT
    pub(super) fn print(&mut self, value: &Expr, line: u32) -> Result<Flow, Stop> {
        let (value, ty) = self.evaluate(value)?;
        let text = match value {
            // A message without any text is shown as a blank line.
            Value::Null => " ".to_owned(),
            Value::String(text) => text,
            other => {
                if ty == SqlType::SqlVariant {
                    convert::text_of(&other, convert::type_of(&other))
                } else {
                    convert::text_of(&other, ty)
                }
            }
        };
        let text: String = text.chars().take(PRINT_CHARACTERS_MAX).collect();
        let procedure = String::new();
        self.report(SqlError {
            procedure,
            line,
            ..SqlError::new(0, 0, text)
        });
        self.succeeded(0);
        Ok(Flow::Next)
    }

    /// A text of RAISERROR and THROW as a message keeps it.
    pub(super) fn message_text(text: Option<String>) -> String {
        shortened(text.unwrap_or_default())
    }
}
