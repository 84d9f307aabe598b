//! USE and SET of options.

use super::Run;
use super::control::Flow;
use super::stop::Stop;
use crate::host::EnvChange;
use crate::session::shared::option;
use tsql::ast::{ExprKind, Expr, Ident, IsolationLevel, Literal, SetOption};
use tsql::convert::DateOrder;
use tsql::messages as m;
use tsql::{SqlError, Value, fault};

/// The one language.
const LANGUAGE: &str = "us_english";
/// Most bytes of SET CONTEXT_INFO.
const CONTEXT_BYTES: usize = 128;

/// What a switch does.
enum Switch {
    /// A bit of @@OPTIONS.
    Bit(i32),
    /// Several of them.
    Bits(&'static [i32]),
    /// Nothing that a client could tell.
    Silent,
    /// Nothing when it is OFF; ON is refused.
    Off,
}

fn switch(name: &str) -> Switch {
    match name {
        "NOCOUNT" => Switch::Bit(option::NOCOUNT),
        "XACT_ABORT" => Switch::Bit(option::XACT_ABORT),
        "QUOTED_IDENTIFIER" => Switch::Bit(option::QUOTED_IDENTIFIER),
        "IMPLICIT_TRANSACTIONS" => Switch::Bit(option::IMPLICIT_TRANSACTIONS),
        "ANSI_NULLS" => Switch::Bit(option::ANSI_NULLS),
        "ANSI_PADDING" => Switch::Bit(option::ANSI_PADDING),
        "ANSI_WARNINGS" => Switch::Bit(option::ANSI_WARNINGS),
        "ANSI_NULL_DFLT_ON" => Switch::Bit(option::ANSI_NULL_DFLT_ON),
        "ANSI_NULL_DFLT_OFF" => Switch::Bit(option::ANSI_NULL_DFLT_OFF),
        "ARITHABORT" => Switch::Bit(option::ARITHABORT),
        "ARITHIGNORE" => Switch::Bit(option::ARITHIGNORE),
        "CONCAT_NULL_YIELDS_NULL" => Switch::Bit(option::CONCAT_NULL_YIELDS_NULL),
        "CURSOR_CLOSE_ON_COMMIT" => Switch::Bit(option::CURSOR_CLOSE_ON_COMMIT),
        "NUMERIC_ROUNDABORT" => Switch::Bit(option::NUMERIC_ROUNDABORT),
        "ANSI_DEFAULTS" => Switch::Bits(&[
            option::ANSI_NULLS,
            option::ANSI_NULL_DFLT_ON,
            option::ANSI_PADDING,
            option::ANSI_WARNINGS,
            option::CURSOR_CLOSE_ON_COMMIT,
            option::IMPLICIT_TRANSACTIONS,
            option::QUOTED_IDENTIFIER,
        ]),
        // Hints about plans and constraints.
        "DISABLE_DEF_CNST_CHK" | "FORCEPLAN" | "NO_BROWSETABLE" | "REMOTE_PROC_TRANSACTIONS" => {
            Switch::Silent
        }
        // FMTONLY, NOEXEC, PARSEONLY, SHOWPLAN_…
        _ => Switch::Off,
    }
}

impl Run<'_> {
    /// USE
    pub(super) fn use_database(&mut self, name: &Ident, line: u32) -> Result<Flow, Stop> {
        let known = self.machine.shared.host().database(&name.text);
        let Some(database) = known else {
            return Err(Stop::unbound(m::UNKNOWN_DATABASE.with(&[&name.text])));
        };
        self.enter_database(&database);
        self.report(m::CHANGED_DATABASE.with(&[&database]).with_state(2).at_line(line));
        self.succeeded(0);
        Ok(Flow::Next)
    }

    /// SET of an option
    pub(super) fn set_option(&mut self, set: &SetOption, line: u32) -> Result<Flow, Stop> {
        match set {
            SetOption::Switch { names, on } => {
                for name in names {
                    self.switch(name, *on)?;
                }
            }
            SetOption::Value { name, value } => self.set_value(name, value, line)?,
            SetOption::IsolationLevel(level) => {
                self.machine.shared.facts().isolation = match level {
                    IsolationLevel::ReadUncommitted => 1,
                    IsolationLevel::ReadCommitted => 2,
                    IsolationLevel::RepeatableRead => 3,
                    IsolationLevel::Serializable => 4,
                    IsolationLevel::Snapshot => 5,
                };
            }
            SetOption::IdentityInsert { .. } => {
                return Err(fault::not_supported("SET IDENTITY_INSERT").into());
            }
            // The figures themselves are not kept; nothing in a script depends on them.
            SetOption::Statistics { names, on } => {
                let plan = names.iter().find(|name| *name == "XML" || *name == "PROFILE");
                if let Some(name) = plan.filter(|_| *on) {
                    return Err(fault::not_supported(&format!("SET STATISTICS {name}")).into());
                }
            }
        }
        self.succeeded(0);
        Ok(Flow::Next)
    }

    fn switch(&mut self, name: &str, on: bool) -> Result<(), Stop> {
        let bits: &[i32] = match &switch(name) {
            Switch::Bit(bit) => &[*bit],
            Switch::Bits(bits) => bits,
            Switch::Silent => return Ok(()),
            Switch::Off if !on => return Ok(()),
            Switch::Off => return Err(fault::not_supported(&format!("SET {name} ON")).into()),
        };
        let mut facts = self.machine.shared.facts();
        for bit in bits {
            if on {
                facts.options |= bit;
            } else {
                facts.options &= !bit;
            }
        }
        Ok(())
    }

    fn set_value(&mut self, name: &str, value: &Expr, line: u32) -> Result<(), Stop> {
        match name {
            "LOCK_TIMEOUT" => {
                let number = self.int_option(name, value)?;
                self.machine.shared.facts().lock_timeout = number.max(-1);
            }
            "TEXTSIZE" => {
                let number = self.int_option(name, value)?;
                // Source: "SET TEXTSIZE": 0 is the default of 4 KB.
                let number = if number == 0 { 4096 } else { number };
                self.machine.shared.facts().text_size = number;
            }
            "ROWCOUNT" => {
                if self.int_option(name, value)? != 0 {
                    return Err(fault::not_supported("SET ROWCOUNT other than 0").into());
                }
            }
            "DATEFIRST" => {
                let number = self.int_option(name, value)?;
                match u8::try_from(number) {
                    Ok(day @ 1..=7) => self.machine.shared.facts().date_first = day,
                    _ => {
                        return Err(Stop::statement(SqlError::new(
                            2742,
                            16,
                            format!("SET DATEFIRST {number} is out of range."),
                        )));
                    }
                }
            }
            "DATEFORMAT" => {
                let text = self.text_of(value)?.unwrap_or_default();
                let order = match text.to_ascii_lowercase().as_str() {
                    "mdy" => DateOrder::MonthDayYear,
                    "dmy" => DateOrder::DayMonthYear,
                    "ymd" => DateOrder::YearMonthDay,
                    "ydm" => DateOrder::YearDayMonth,
                    "myd" => DateOrder::MonthYearDay,
                    "dym" => DateOrder::DayYearMonth,
                    _ => {
                        return Err(Stop::statement(SqlError::new(
                            2741,
                            16,
                            format!("SET DATEFORMAT date order '{text}' is invalid."),
                        )));
                    }
                };
                self.machine.shared.facts().date_order = order;
            }
            "LANGUAGE" => {
                let text = self.text_of(value)?.unwrap_or_default();
                if !["us_english", "english"].iter().any(|known| text.eq_ignore_ascii_case(known)) {
                    return Err(fault::not_supported(&format!("SET LANGUAGE {text}")).into());
                }
                let old = std::mem::replace(
                    &mut self.machine.shared.facts().language,
                    LANGUAGE.to_owned(),
                );
                self.sink.env_change(EnvChange::Language {
                    old,
                    new: LANGUAGE.to_owned(),
                });
                self.report(m::CHANGED_LANGUAGE.with(&[LANGUAGE]).at_line(line));
            }
            "CONTEXT_INFO" => {
                let (value, _) = self.evaluate(value)?;
                let Value::Binary(mut bytes) = value else {
                    return Err(Stop::statement(SqlError::new(
                        2743,
                        16,
                        "SET CONTEXT_INFO requires a non-null binary value.",
                    )));
                };
                bytes.resize(CONTEXT_BYTES, 0);
                self.machine.shared.facts().context_info = Some(bytes);
            }
            // Sessions do not block each other, and queries are not costed.
            "DEADLOCK_PRIORITY" | "QUERY_GOVERNOR_COST_LIMIT" | "FIPS_FLAGGER" => {}
            _ => return Err(fault::not_supported(&format!("SET {name}")).into()),
        }
        Ok(())
    }

    fn int_option(&mut self, name: &str, value: &Expr) -> Result<i32, Stop> {
        // A word where a number belongs.
        if matches!(&value.kind, ExprKind::Literal(Literal::String { .. })) {
            let text = self.text_of(value)?.unwrap_or_default();
            return Err(Stop::unbound(m::INCORRECT_SYNTAX.with(&[&text])));
        }
        let number = self.whole(value)?.unwrap_or(0);
        i32::try_from(number).map_err(|_| {
            Stop::statement(SqlError::new(
                1080,
                15,
                format!("The integer value {number} is out of range for SET {name}."),
            ))
        })
    }
}
