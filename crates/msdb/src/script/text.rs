//! T-SQL text: literals, calls, comments.

use jiff::civil::{Date, Time};
use model::encoding::{date_to_int, time_to_int};
use std::fmt::Write as _;
use uuid::Uuid;

/// Two tabs and a line end between parameters, as SSMS writes them.
const BETWEEN: &str = ", \n\t\t";

/// `N'…'` with quotes doubled.
pub(super) fn literal(text: &str) -> String {
    format!("N'{}'", text.replace('\'', "''"))
}

/// `[…]` with brackets doubled.
pub(super) fn identifier(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// `/****** Object:  Kind [name] ******/`, whatever the name holds.
pub(super) fn heading(kind: &str, name: &str) -> String {
    let mut name: String = name
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    // Comments nest: neither mark may stand in one.
    for mark in ["*/", "/*"] {
        while name.contains(mark) {
            name = name.replace(mark, if mark == "*/" { "* /" } else { "/ *" });
        }
    }
    format!("/****** Object:  {kind} [{name}] ******/\n")
}

/// A call of a procedure of msdb, built parameter by parameter.
pub(super) struct Call {
    text: String,
    parameters: usize,
}

impl Call {
    /// `EXEC msdb.dbo.name`
    pub(super) fn new(name: &str) -> Self {
        Self {
            text: format!("EXEC msdb.dbo.{name} "),
            parameters: 0,
        }
    }

    /// `EXEC @ReturnCode = msdb.dbo.name`, for scripts that check every call.
    pub(super) fn checked(name: &str) -> Self {
        Self {
            text: format!("EXEC @ReturnCode = msdb.dbo.{name} "),
            parameters: 0,
        }
    }

    /// A parameter with T-SQL for its value.
    pub(super) fn raw(mut self, name: &str, value: &str) -> Self {
        let between = if self.parameters == 0 { "" } else { BETWEEN };
        self.parameters += 1;
        let written = write!(self.text, "{between}{name}={value}");
        written.expect("writing to a string cannot fail");
        self
    }

    /// A text.
    pub(super) fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, &literal(value))
    }

    /// A text, left out when there is none.
    pub(super) fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A number.
    pub(super) fn number(self, name: &str, value: impl Into<i64>) -> Self {
        self.raw(name, &value.into().to_string())
    }

    /// A flag.
    pub(super) fn flag(self, name: &str, value: bool) -> Self {
        self.number(name, i64::from(value))
    }

    /// A uniqueidentifier.
    pub(super) fn guid(self, name: &str, value: Uuid) -> Self {
        self.raw(name, &format!("N'{value}'"))
    }

    /// A date as YYYYMMDD.
    pub(super) fn date(self, name: &str, value: Date) -> Self {
        self.number(name, date_to_int(value))
    }

    /// A time as HHMMSS.
    pub(super) fn time(self, name: &str, value: Time) -> Self {
        self.number(name, time_to_int(value))
    }

    /// The call on lines of its own.
    pub(super) fn done(self) -> String {
        self.text + "\n"
    }

    /// The call and the test that ends the script when it failed.
    pub(super) fn or_quit(self) -> String {
        self.done() + "IF (@@ERROR <> 0 OR @ReturnCode <> 0) GOTO QuitWithRollback\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes_or_comments() {
        assert_eq!(literal("a'b''"), "N'a''b'''''");
        assert_eq!(identifier("a]b"), "[a]]b]");
        for name in ["x */ DROP /* y", "*/*/", "/*/*", "**//", "a\r\nGO"] {
            let heading = heading("Job", name);
            let inside = &heading[2..heading.len() - 3];
            assert!(
                !inside.contains("*/") && !inside.contains("/*"),
                "{heading}"
            );
            assert_eq!(heading.lines().count(), 1);
        }
    }

    #[test]
    fn calls_look_like_those_of_ssms() {
        let call = Call::checked("sp_add_x")
            .text("@name", "é'")
            .optional("@none", None)
            .flag("@enabled", true)
            .or_quit();
        assert_eq!(
            call,
            "EXEC @ReturnCode = msdb.dbo.sp_add_x @name=N'é''', \n\t\t@enabled=1\n\
             IF (@@ERROR <> 0 OR @ReturnCode <> 0) GOTO QuitWithRollback\n"
        );
    }
}
