//! SET of variables and options, USE.

use super::{Frame, Interpreter};
use crate::host::EnvChange;
use crate::session::shared::option;
use tsql::ast::{
    AssignOp, Expr, ExprKind, IsolationLevel, Literal, SetOption, Statement, StatementKind,
    UnaryOp, Variable,
};
use tsql::bind::ir::TypedKind;
use tsql::bind::{Binder, assign_operator, coerce};
use tsql::convert::DateOrder;
use tsql::{SqlError, Value, fault, messages};

impl Interpreter<'_> {
    pub(super) fn set_variable(
        &mut self,
        variable: &Variable,
        op: AssignOp,
        value: &Expr,
        frame: &mut Frame,
    ) -> Result<(), SqlError> {
        let slot = frame
            .scope
            .slot(&variable.name)
            .ok_or_else(|| fault::undeclared_variable(&variable.name))?;
        let ty = frame.scope.locals[slot].ty;
        let bound = match assign_operator(op) {
            None => self.bind(value, frame)?,
            Some(op) => {
                // `SET @v += x` is `SET @v = @v + x`.
                let whole = Expr {
                    span: value.span,
                    kind: ExprKind::Binary {
                        op,
                        left: Box::new(Expr {
                            span: variable.span,
                            kind: ExprKind::Variable(variable.clone()),
                        }),
                        right: Box::new(value.clone()),
                    },
                };
                self.bind(&whole, frame)?
            }
        };
        let bound = coerce(bound, ty)?;
        frame.values[slot] = self.evaluate(&bound, frame)?;
        Ok(())
    }

    pub(super) fn set_option(
        &mut self,
        setting: &SetOption,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        match setting {
            SetOption::Switch { names, on } => {
                for name in names {
                    self.switch(name, *on)?;
                }
                Ok(())
            }
            SetOption::Value { name, value } => self.set_value(name, value, frame),
            SetOption::IsolationLevel(level) => {
                // Reads are of a snapshot per statement at every level; the level is what a client sees of it.
                self.core.shared.facts().isolation = match level {
                    IsolationLevel::ReadUncommitted => 1,
                    IsolationLevel::ReadCommitted => 2,
                    IsolationLevel::RepeatableRead => 3,
                    IsolationLevel::Serializable => 4,
                    IsolationLevel::Snapshot => 5,
                };
                Ok(())
            }
            SetOption::IdentityInsert { table, on } => {
                let key = self
                    .core
                    .shared
                    .temp_key(&table.name.text)
                    .ok_or_else(|| messages::OBJECT_NOT_FOUND.with(&[&table.to_string()]))?;
                self.core.identity_insert = on.then_some(key);
                Ok(())
            }
            // There are no plans and no pages to count.
            SetOption::Statistics { .. } => Ok(()),
        }
    }

    /// Whether the batch is one to parse and not to run. SET PARSEONLY takes effect when it is parsed: the last one in
    /// a batch decides for the whole of it, and for those behind it.
    pub(super) fn parses_only(&mut self, statements: &[Statement]) -> bool {
        let asked = statements.iter().rev().find_map(|statement| {
            let StatementKind::SetOption(SetOption::Switch { names, on }) = &statement.kind else {
                return None;
            };
            names.iter().any(|name| name == "PARSEONLY").then_some(*on)
        });
        let mut facts = self.core.shared.facts();
        facts.parse_only = asked.unwrap_or(facts.parse_only);
        facts.parse_only
    }

    fn switch(&mut self, name: &str, on: bool) -> Result<(), SqlError> {
        let bit = match name {
            "NOCOUNT" => option::NOCOUNT,
            "XACT_ABORT" => option::XACT_ABORT,
            "QUOTED_IDENTIFIER" => option::QUOTED_IDENTIFIER,
            "ANSI_NULLS" => option::ANSI_NULLS,
            "ANSI_WARNINGS" => option::ANSI_WARNINGS,
            "ANSI_PADDING" => option::ANSI_PADDING,
            "ANSI_NULL_DFLT_ON" => option::ANSI_NULL_DFLT_ON,
            "ANSI_NULL_DFLT_OFF" => option::ANSI_NULL_DFLT_OFF,
            "ANSI_DEFAULTS" => {
                option::ANSI_NULLS
                    | option::ANSI_WARNINGS
                    | option::ANSI_PADDING
                    | option::ANSI_NULL_DFLT_ON
                    | option::QUOTED_IDENTIFIER
            }
            "ARITHABORT" => option::ARITHABORT,
            "ARITHIGNORE" => option::ARITHIGNORE,
            "CONCAT_NULL_YIELDS_NULL" => option::CONCAT_NULL_YIELDS_NULL,
            "NUMERIC_ROUNDABORT" => option::NUMERIC_ROUNDABORT,
            "CURSOR_CLOSE_ON_COMMIT" => option::CURSOR_CLOSE_ON_COMMIT,
            "IMPLICIT_TRANSACTIONS" => option::IMPLICIT_TRANSACTIONS,
            "NOEXEC" => {
                self.core.shared.facts().no_exec = on;
                return Ok(());
            }
            "FMTONLY" => {
                self.core.shared.facts().format_only = on;
                return Ok(());
            }
            "PARSEONLY" | "SHOWPLAN_ALL" | "SHOWPLAN_TEXT" | "SHOWPLAN_XML" if on => {
                return Err(fault::not_supported(&format!("SET {name} ON")));
            }
            // Others have nothing to act on here.
            _ => 0,
        };
        let mut facts = self.core.shared.facts();
        if on {
            facts.options |= bit;
        } else {
            facts.options &= !bit;
        }
        Ok(())
    }

    fn set_value(&mut self, name: &str, value: &Expr, frame: &Frame) -> Result<(), SqlError> {
        let given = match &value.kind {
            ExprKind::Literal(Literal::String { text, .. }) => Value::string(text.as_str()),
            ExprKind::Unary {
                op: UnaryOp::Minus,
                operand,
            } => {
                let bound = self.bind(operand, frame)?;
                let value = self.evaluate(&bound, frame)?;
                value.as_i64().map_or(Value::Null, |n| Value::BigInt(-n))
            }
            _ => {
                let bound = self.bind(value, frame)?;
                self.evaluate(&bound, frame)?
            }
        };
        let number = given.as_i64().and_then(|n| i32::try_from(n).ok());
        let text = given.as_str().unwrap_or_default().to_owned();
        match name {
            "DATEFIRST" => {
                let first = number
                    .and_then(|n| u8::try_from(n).ok())
                    .filter(|n| (1..=7).contains(n));
                let first = first.ok_or_else(|| {
                    SqlError::new(
                        2744,
                        16,
                        "The DATEFIRST value is not valid. It must be between 1 and 7.",
                    )
                })?;
                self.core.shared.facts().date_first = first;
            }
            "DATEFORMAT" => {
                let order = DateOrder::parse(&text).ok_or_else(|| {
                    SqlError::new(
                        2741,
                        16,
                        format!("SET DATEFORMAT date order '{text}' is invalid."),
                    )
                })?;
                self.core.shared.facts().date_order = order;
            }
            "LANGUAGE" => {
                let english = ["us_english", "english", "british", "british english"];
                if !english.iter().any(|known| text.eq_ignore_ascii_case(known)) {
                    return Err(fault::not_supported(&format!("SET LANGUAGE {text}")));
                }
                let british = text.to_ascii_lowercase().starts_with("british");
                let new = if british { "British" } else { "us_english" };
                let old = {
                    let mut facts = self.core.shared.facts();
                    facts.date_order = if british {
                        DateOrder::DayMonthYear
                    } else {
                        DateOrder::MonthDayYear
                    };
                    facts.date_first = if british { 1 } else { 7 };
                    std::mem::replace(&mut facts.language, new.to_owned())
                };
                self.sink.env_change(EnvChange::Language {
                    old,
                    new: new.to_owned(),
                });
                let line = self.line;
                self.sink
                    .message(messages::CHANGED_LANGUAGE.at(line, &[new]));
            }
            "LOCK_TIMEOUT" => self.core.shared.facts().lock_timeout = number.unwrap_or(-1),
            "TEXTSIZE" => {
                // 0 is the default, which bounds nothing here.
                let size = number.filter(|n| *n != 0).unwrap_or(-1);
                self.core.shared.facts().text_size = size;
            }
            "ROWCOUNT" => {
                let rows = given.as_i64().and_then(|n| u64::try_from(n).ok());
                let rows = rows.ok_or_else(|| messages::ROW_COUNT_INVALID.with(&[]))?;
                self.core.shared.facts().row_limit = Some(rows).filter(|rows| *rows != 0);
            }
            "CONTEXT_INFO" => {
                self.core.shared.facts().context_info = match given {
                    Value::Binary(bytes) => Some(bytes),
                    _ => None,
                };
            }
            // DEADLOCK_PRIORITY, QUERY_GOVERNOR_COST_LIMIT and kin: nothing here waits or is governed by them.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn use_database(&mut self, name: &str) -> Result<(), SqlError> {
        let new = self.core.shared.reachable(name)?;
        let old = self.core.database.clone();
        self.core.enter_database(&new);
        self.sink.env_change(EnvChange::Database {
            old,
            new: new.clone(),
        });
        let line = self.line;
        self.sink
            .message(messages::CHANGED_DATABASE.at(line, &[&new]).with_state(2));
        Ok(())
    }

    /// Slot of a variable named in an argument.
    pub(super) fn output_slot(&self, expr: &Expr, frame: &Frame) -> Option<usize> {
        let ExprKind::Variable(variable) = &expr.kind else {
            return None;
        };
        let names = crate::session::names::Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        match Binder::new(&names).expr(expr).map(|bound| bound.kind) {
            Ok(TypedKind::Variable(slot)) => Some(slot),
            _ => frame.scope.slot(&variable.name),
        }
    }
}
