//! How far an error reaches, and the one place where errors of statements are reported.
//!
//! Source: "Database Engine error severities", "SET XACT_ABORT", "TRY...CATCH".

use super::Run;
use super::control::Flow;
use crate::host::StatementDone;
use crate::session::shared::option;
use tsql::ast::{Statement, StatementKind};
use tsql::messages as m;
use tsql::SqlError;

/// Why a statement did not come to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// An error that nobody has been told of yet.
    Raised(Raised),
    /// An error was reported; the text that it stands in ends, its caller goes on.
    LeaveText,
    /// What was to be said is said; the request ends.
    End,
    /// The client cancelled or went away; the request ends.
    Cancelled,
}

/// An error on its way to a CATCH block or to the client.
#[derive(Debug)]
pub(super) struct Raised {
    pub(super) error: SqlError,
    pub(super) reach: Reach,
}

/// What an error ends when no CATCH block takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The statement, whatever XACT_ABORT says: RAISERROR, and procedures that report by it.
    Raise,
    /// The statement; with XACT_ABORT the request and the transaction.
    Statement,
    /// The text that it stands in, whose own TRY does not see it: names and types that are wrong.
    Text,
    /// The request: THROW.
    Throw,
    /// The request and the transaction: conversions, nesting, deadlocks.
    Batch,
}

/// Numbers that end the request: conversions of values, nesting, deadlock, time and memory limits.
const ENDING: [i32; 13] = [
    217, 235, 241, 245, 248, 295, 701, 1205, 8114, 8169, 8649, 8630, 8623,
];

/// Numbers of severity 16 that come from the names and types of a statement, not from its rows.
const BINDING: [i32; 20] = [
    116, 189, 195, 205, 206, 207, 208, 209, 257, 306, 402, 447, 529, 911, 2715, 2716, 4104, 4121, 8120, 40517,
];

impl Stop {
    /// An error that ends its statement alone.
    pub(super) fn statement(error: SqlError) -> Self {
        Self::Raised(Raised {
            error,
            reach: Reach::Statement,
        })
    }

    /// An error of RAISERROR's kind.
    pub(super) fn raise(error: SqlError) -> Self {
        Self::Raised(Raised {
            error,
            reach: Reach::Raise,
        })
    }

    /// An error found when a statement's names were resolved.
    pub(super) fn unbound(error: SqlError) -> Self {
        Self::Raised(Raised {
            error,
            reach: Reach::Text,
        })
    }

    /// An error of THROW.
    pub(super) fn throw(error: SqlError) -> Self {
        Self::Raised(Raised {
            error,
            reach: Reach::Throw,
        })
    }
}

/// An error of an expression or query, by its number.
impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        let reach = if error.number == m::CANCELLED.number {
            return Self::Cancelled;
        } else if ENDING.contains(&error.number) {
            Reach::Batch
        } else if error.severity == 15 || BINDING.contains(&error.number) {
            Reach::Text
        } else {
            Reach::Statement
        };
        Self::Raised(Raised { error, reach })
    }
}

impl Run<'_> {
    /// What becomes of a statement's error: handed on to a CATCH block, or reported here.
    pub(super) fn failed(
        &mut self,
        mut raised: Raised,
        statement: &Statement,
    ) -> Result<Flow, Stop> {
        raised.error = raised.error.at_line(statement.span.line);
        if self.catchable(&raised) {
            return Err(Stop::Raised(raised));
        }
        let Raised { error, reach } = raised;
        let (number, severity) = (error.number, error.severity);
        self.report(error);
        self.set_error(number);
        let writes = matches!(
            statement.kind,
            StatementKind::Insert(_)
                | StatementKind::Update(_)
                | StatementKind::Delete(_)
                | StatementKind::Merge(_)
        );
        if writes && reach == Reach::Statement {
            self.report(m::TERMINATED.with(&[]).at_line(statement.span.line));
        }
        self.done(StatementDone {
            failed: true,
            ..StatementDone::default()
        })?;
        if severity >= 20 {
            self.request.outcome.aborted = true;
            return Err(Stop::End);
        }
        let abort = self.machine.shared.facts().has(option::XACT_ABORT);
        let ends = match reach {
            Reach::Raise => return Ok(Flow::Next),
            Reach::Statement if !abort => return Ok(Flow::Next),
            Reach::Text if !abort => Stop::LeaveText,
            Reach::Throw if !abort => Stop::End,
            Reach::Statement | Reach::Text | Reach::Throw | Reach::Batch => {
                self.roll_back();
                Stop::End
            }
        };
        self.request.outcome.aborted |= matches!(ends, Stop::End) || !self.frame.dynamic;
        Err(ends)
    }

    /// Whether a CATCH block around the statement takes the error.
    fn catchable(&self, raised: &Raised) -> bool {
        let tries = if raised.reach == Reach::Text {
            self.request.tries - self.frame.tries
        } else {
            self.request.tries
        };
        tries > 0 && raised.error.severity < 20
    }

    /// The state in which a CATCH block finds the transaction.
    pub(super) fn caught(&mut self, raised: &Raised) {
        let deadlock = raised.error.number == m::DEADLOCK.number;
        if deadlock {
            self.roll_back();
        }
        let mut facts = self.machine.shared.facts();
        let abort = facts.has(option::XACT_ABORT) && raised.reach != Reach::Raise;
        if facts.tran_count > 0 && (abort || raised.reach == Reach::Batch) {
            facts.doomed = true;
        }
        facts.last_error = raised.error.number;
    }

    /// @@ERROR.
    pub(super) fn set_error(&mut self, number: i32) {
        self.machine.shared.facts().last_error = number;
    }

    /// A statement has ended without an error.
    pub(super) fn succeeded(&mut self, rows: u64) {
        let mut facts = self.machine.shared.facts();
        facts.last_error = 0;
        facts.row_count = rows;
    }

    /// Tells the client of a statement's end.
    pub(super) fn done(&mut self, done: StatementDone) -> Result<(), Stop> {
        let quiet = self.machine.shared.facts().has(option::NOCOUNT);
        self.sink.statement_done(StatementDone {
            rows: done.rows.filter(|_| !quiet),
            in_procedure: self.frame.dynamic,
            ..done
        })?;
        Ok(())
    }
}
