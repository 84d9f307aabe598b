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

impl Step<'_> {
    /// Line of what it runs.
    pub(super) fn line(&self) -> Option<u32> {
        match self.op {
            Op::Run(statement) => Some(statement.span.line),
            Op::JumpUnless { line, .. } => Some(line),
            Op::Jump(_) | Op::EnterTry { .. } | Op::LeaveTry { .. } | Op::LeaveCatch => None,
        }
    }
}

/// The steps of a batch or module.
#[derive(Debug, Default)]
pub(super) struct Program<'a> {
    pub(super) steps: Vec<Step<'a>>,
    /// All declarations, wherever they stand: a variable lives as long as its batch.
    pub(super) declarations: Vec<&'a Declaration>,
}

/// A GOTO whose target is not known yet.
struct Jump {
    at: usize,
    label: String,
    line: u32,
    /// TRY and CATCH blocks around it.
    blocks: Vec<usize>,
}

struct Builder<'a> {
    program: Program<'a>,
    /// Place of a label, and the TRY and CATCH blocks around it.
    labels: HashMap<String, (usize, Vec<usize>)>,
    gotos: Vec<Jump>,
    /// TRY and CATCH blocks around, each by the place of its first step.
    blocks: Vec<usize>,
    /// Start, and jumps to the end, of the loops around.
    loops: Vec<(usize, Vec<usize>)>,
    depth: usize,
}

impl<'a> Program<'a> {
    /// Flattens statements.
    ///
    /// # Errors
    /// 133 for a GOTO without its label, 1026 for one into a TRY or CATCH block, 135 and 136 for BREAK and CONTINUE outside of a loop.
    pub(super) fn build(statements: &'a [Statement]) -> Result<Self, SqlError> {
        let mut builder = Builder {
            program: Self::default(),
            labels: HashMap::new(),
            gotos: Vec::new(),
            blocks: Vec::new(),
            loops: Vec::new(),
            depth: 0,
        };
        builder.list(statements)?;
        for jump in std::mem::take(&mut builder.gotos) {
            let Some((target, blocks)) = builder.labels.get(&jump.label) else {
                return Err(messages::UNKNOWN_LABEL.at(jump.line, &[&jump.label]));
            };
            if !jump.blocks.starts_with(blocks) {
                return Err(SqlError::new(
                    1026,
                    15,
                    "GOTO cannot be used to jump into a TRY or CATCH scope.",
                )
                .at_line(jump.line));
            }
            let target = *target;
            builder.patch(jump.at, target);
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
                let place = (self.here(), self.blocks.clone());
                self.labels.insert(label.text.to_lowercase(), place);
                // A step of its own, so that a jump here finds the depth of the label.
                let next = self.here() + 1;
                self.push(Op::Jump(next));
            }
            StatementKind::Goto(label) => {
                let jump = self.push(Op::Jump(0));
                self.gotos.push(Jump {
                    at: jump,
                    label: label.text.to_lowercase(),
                    line,
                    blocks: self.blocks.clone(),
                });
            }
            StatementKind::TryCatch { body, handler } => {
                let enter = self.push(Op::EnterTry { handler: 0 });
                self.depth += 1;
                self.blocks.push(enter);
                self.list(body)?;
                self.blocks.pop();
                let leave = self.push(Op::LeaveTry { end: 0 });
                self.patch(enter, self.here());
                self.blocks.push(self.here());
                self.list(handler)?;
                self.blocks.pop();
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
