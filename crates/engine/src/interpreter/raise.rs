//! RAISERROR and THROW.

use super::Run;
use super::control::Flow;
use super::format::format_message;
use super::stop::Stop;
use tsql::ast::{RaisError, Throw};
use tsql::messages as m;
use tsql::{SqlError, Value};

/// Highest severity that RAISERROR gives without WITH LOG.
const SEVERITY_WITHOUT_LOG_MAX: u8 = 18;
/// Highest severity.
const SEVERITY_MAX: i64 = 25;
/// Number of an error that has a text of its own, and the first that THROW takes.
const USER_NUMBER: i32 = 50_000;
/// Numbers below are the language's; RAISERROR refuses them.
const FIRST_RAISABLE: i32 = 13_000;

impl Run<'_> {
    /// RAISERROR
    pub(super) fn raiserror(&mut self, raise: &RaisError, line: u32) -> Result<Flow, Stop> {
        let (message, ty) = self.evaluate(&raise.message)?;
        let severity = self.whole(&raise.severity)?.unwrap_or(0);
        let severity = u8::try_from(severity.clamp(0, SEVERITY_MAX)).unwrap_or(0);
        let state = self.whole(&raise.state)?.unwrap_or(1);
        // Source: "RAISERROR": negative states become 1.
        let state = u8::try_from(if state < 0 { 1 } else { state.min(255) }).unwrap_or(1);
        let mut args = Vec::with_capacity(raise.args.len());
        for arg in &raise.args {
            args.push(self.evaluate(arg)?.0);
        }
        if severity > SEVERITY_WITHOUT_LOG_MAX {
            let sysadmin = self.machine.shared.host().principal().sysadmin;
            if !raise.log || !sysadmin {
                return Err(Stop::statement(m::RAISERROR_NEEDS_LOG.with(&[])));
            }
        }
        let number = super::control::whole(&message, ty).ok().flatten();
        let error = match (number, message) {
            (Some(number), value) if value.as_str().is_none() => {
                self.numbered(number, severity, state, &args)?
            }
            (_, Value::Null) => SqlError::new(USER_NUMBER, severity, ""),
            (_, Value::String(format)) => {
                let text = format_message(&format, &args).map_err(Stop::statement)?;
                SqlError::new(USER_NUMBER, severity, text)
            }
            _ => {
                return Err(Stop::statement(m::BAD_FORMAT_ARGUMENT.with(&["1"])));
            }
        };
        let error = error.with_state(state).at_line(line);
        if raise.log {
            tracing::info!(number = error.number, severity, message = %error.message, "RAISERROR WITH LOG");
        }
        let number = error.number;
        if error.is_error() {
            return Err(Stop::raise(error));
        }
        self.report(error);
        self.succeeded(0);
        if raise.seterror {
            self.set_error(number);
        }
        if raise.nowait {
            self.sink.flush()?;
        }
        Ok(Flow::Next)
    }

    /// The message of a number.
    fn numbered(
        &self,
        number: i64,
        severity: u8,
        state: u8,
        args: &[Value],
    ) -> Result<SqlError, Stop> {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        if number < FIRST_RAISABLE || number == USER_NUMBER {
            return Err(Stop::statement(SqlError::new(
                2732,
                16,
                format!(
                    "Error number {number} is invalid. The number must be from 13000 through 2147483647 and it cannot be 50000."
                ),
            )));
        }
        match m::find(number) {
            Some(message) => {
                let text = format_message(message.text, args).map_err(Stop::statement)?;
                Ok(SqlError::new(number, severity, text))
            }
            None => Err(Stop::raise(m::UNKNOWN_MESSAGE.with(&[
                &number.to_string(),
                &severity.to_string(),
                &state.to_string(),
            ]))),
        }
    }

    /// THROW; without arguments the error that the CATCH block handles, once more.
    pub(super) fn throw(&mut self, throw: Option<&Throw>, line: u32) -> Result<Flow, Stop> {
        let Some(throw) = throw else {
            let caught = self.machine.shared.facts().caught.clone();
            let error = caught.unwrap_or_else(|| m::THROW_OUTSIDE_CATCH.at(line, &[]));
            return Err(Stop::throw(error));
        };
        let number = self.whole(&throw.number)?.unwrap_or(0);
        let message = self.text_of(&throw.message)?;
        let state = self.whole(&throw.state)?.unwrap_or(1).clamp(0, 255);
        let number = match i32::try_from(number) {
            Ok(number) if number >= USER_NUMBER => number,
            _ => {
                return Err(Stop::statement(SqlError::new(
                    35_100,
                    16,
                    format!(
                        "Error number {number} in the THROW statement is outside the valid range. Specify an error number in the valid range of 50000 to 2147483647."
                    ),
                )));
            }
        };
        let error = SqlError::new(number, 16, Self::message_text(message))
            .with_state(u8::try_from(state).unwrap_or(1))
            .at_line(line);
        Err(Stop::throw(error))
    }
}
