//! The error and message record that T-SQL, its procedures and TDS share.

use std::fmt;

/// An error or informational message as a client receives it.
///
/// Severity 0..=10 is a message and fails nothing; 11..=19 an error; from 20 the connection ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SqlError {
    /// Message number, for example 102 or 14262.
    pub number: i32,
    /// Severity ("class" on the wire).
    pub severity: u8,
    /// State, 1 unless the source tells cases apart.
    pub state: u8,
    /// Text for the client. Holds no secret and no path of the host.
    pub message: String,
    /// Procedure that raised it; empty for a batch.
    pub procedure: String,
    /// Line within the batch or procedure, from 1; 0 when not known yet.
    pub line: u32,
}

impl SqlError {
    /// An error or message of state 1, with its place still to be filled in.
    #[must_use]
    pub fn new(number: i32, severity: u8, message: impl Into<String>) -> Self {
        Self {
            number,
            severity,
            state: 1,
            message: message.into(),
            procedure: String::new(),
            line: 0,
        }
    }

    /// The same with another state.
    #[must_use]
    pub fn with_state(mut self, state: u8) -> Self {
        self.state = state;
        self
    }

    /// The same at a line, unless a deeper place is already known.
    #[must_use]
    pub fn at_line(mut self, line: u32) -> Self {
        if self.line == 0 {
            self.line = line;
        }
        self
    }

    /// The same in a procedure, unless a deeper one is already known.
    #[must_use]
    pub fn in_procedure(mut self, name: &str) -> Self {
        if self.procedure.is_empty() {
            name.clone_into(&mut self.procedure);
        }
        self
    }

    /// Whether this fails the statement (severity above 10).
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity > 10
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Msg {}, Level {}, State {}",
            self.number, self.severity, self.state
        )?;
        if !self.procedure.is_empty() {
            write!(f, ", Procedure {}", self.procedure)?;
        }
        if self.line != 0 {
            write!(f, ", Line {}", self.line)?;
        }
        write!(f, ": {}", self.message)
    }
}
