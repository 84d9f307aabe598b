//! Statements as a flat list of steps with jumps, so that loops, TRY and GOTO need no recursion.

use std::collections::HashMap;
use tsql::ast::{Declaration, Expr, Statement, StatementKind};
use tsql::{SqlError, messages};

/// One step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op<'a> {
    /// Runs a statement that holds no others.
    Run(&'a Statement),
    /// Goes on at `target` unless the condition is true.
    JumpUnless {
        condition: &'a Expr,
        line: u32,
        target: usize,
    },
    /// Goes on at a step.
    Jump(usize),
    /// Errors go to `handler` from here on.
    EnterTry { handler: usize },
    /// The TRY block ended well: goes on behind its CATCH.
    LeaveTry { end: usize },
    /// The CATCH block ended.
    LeaveCatch,
}

/// A step, and how many TRY and CATCH blocks are around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) op: Op<'a>,
    pub(super) depth: usize,
}

/// The steps of a batch or module.
#[derive(Debug, Default)]
pub(super) struct Program<'a> {
    pub(super) steps: Vec<Step<'a>>,
    /// All declarations, wherever they stand: a variable lives as long as its batch.
    pub(super) declarations: Vec<&'a Declaration>,
}

struct Builder<'a> {
    program: Program<'a>,
    labels: HashMap<String, usize>,
    gotos: Vec<(usize, String, u32)>,
    /// Start, and jumps to the end, of the loops around.
    loops: Vec<(usize, Vec<usize>)>,
    depth: usize,
}

impl<'a> Program<'a> {
    /// Flattens statements.
    ///
    /// # Errors
    /// 133 for a GOTO without its label, 135 and 136 for BREAK and CONTINUE outside of a loop.
    pub(super) fn build(statements: &'a [Statement]) -> Result<Self, SqlError> {
        let mut builder = Builder {
            program: Self::default(),
            labels: HashMap::new(),
            gotos: Vec::new(),
            loops: Vec::new(),
            depth: 0,
        };
        builder.list(statements)?;
        for (at, label, line) in std::mem::take(&mut builder.gotos) {
            let target = builder
                .labels
                .get(&label)
                .copied()
                .ok_or_else(|| messages::UNKNOWN_LABEL.at(line, &[&label]))?;
            builder.patch(at, target);
        }
        Ok(builder.program)
    }
}

impl<'a> Builder<'a> {
    fn here(&self) -> usize {
        self.program.steps.len()
    }

    fn push(&mut self, op: Op<'a>) -> usize {
        let depth = self.depth;
        self.program.steps.push(Step { op, depth });
        self.here() - 1
    }

    fn patch(&mut self, at: usize, to: usize) {
        match &mut self.program.steps[at].op {
            Op::Jump(target)
            | Op::JumpUnless { target, .. }
            | Op::EnterTry { handler: target }
            | Op::LeaveTry { end: target } => *target = to,
            Op::Run(_) | Op::LeaveCatch => {}
        }
    }

    fn list(&mut self, statements: &'a [Statement]) -> Result<(), SqlError> {
        for statement in statements {
            self.statement(statement)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &'a Statement) -> Result<(), SqlError> {
        let line = statement.span.line;
        match &statement.kind {
            StatementKind::Block(body) => self.list(body)?,
            StatementKind::If {
                condition,
                then,
                otherwise,
            } => {
                let test = self.push(Op::JumpUnless {
                    condition,
                    line,
                    target: 0,
                });
                self.statement(then)?;
                match otherwise {
                    Some(otherwise) => {
                        let skip = self.push(Op::Jump(0));
                        self.patch(test, self.here());
                        self.statement(otherwise)?;
                        self.patch(skip, self.here());
                    }
                    None => self.patch(test, self.here()),
                }
            }
            StatementKind::While { condition, body } => {
                let start = self.here();
                let test = self.push(Op::JumpUnless {
                    condition,
                    line,
                    target: 0,
                });
                self.loops.push((start, Vec::new()));
                self.statement(body)?;
                self.push(Op::Jump(start));
                let end = self.here();
                self.patch(test, end);
                for jump in self.loops.pop().map(|(_, ends)| ends).unwrap_or_default() {
                    self.patch(jump, end);
                }
            }
            StatementKind::Break => {
                let jump = self.push(Op::Jump(0));
                match self.loops.last_mut() {
                    Some((_, ends)) => ends.push(jump),
                    None => return Err(messages::BREAK_OUTSIDE.at(line, &[])),
                }
            }
            StatementKind::Continue => match self.loops.last() {
                Some((start, _)) => {
                    let start = *start;
                    self.push(Op::Jump(start));
                }
                None => return Err(messages::CONTINUE_OUTSIDE.at(line, &[])),
            },
            StatementKind::Label(label) => {
                self.labels.insert(label.text.to_lowercase(), self.here());
                // A step of its own, so that a jump here finds the depth of the label.
                let next = self.here() + 1;
                self.push(Op::Jump(next));
            }
            StatementKind::Goto(label) => {
                let jump = self.push(Op::Jump(0));
                self.gotos.push((jump, label.text.to_lowercase(), line));
            }
            StatementKind::TryCatch { body, handler } => {
                let enter = self.push(Op::EnterTry { handler: 0 });
                self.depth += 1;
                self.list(body)?;
                let leave = self.push(Op::LeaveTry { end: 0 });
                self.patch(enter, self.here());
                self.list(handler)?;
                self.push(Op::LeaveCatch);
                self.depth -= 1;
                self.patch(leave, self.here());
            }
            StatementKind::Declare(declarations) => {
                self.program.declarations.extend(declarations);
                self.push(Op::Run(statement));
            }
            _ => {
                self.push(Op::Run(statement));
            }
        }
        Ok(())
    }
}
