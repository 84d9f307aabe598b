//! WAITFOR.

use super::Run;
use super::control::Flow;
use super::stop::Stop;
use std::time::Duration;
use tsql::ast::Expr;
use tsql::messages as m;
use tsql::{Value, convert};

/// Microseconds of a day: the bound of WAITFOR.
const DAY_MICROS: u64 = 86_400_000_000;

impl Run<'_> {
    /// `WAITFOR DELAY | TIME`; ends at once when cancelled.
    pub(super) fn wait_for(&mut self, time: bool, value: &Expr) -> Result<Flow, Stop> {
        let (value, ty) = self.evaluate(value)?;
        let text = match &value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => convert::text_of(other, ty),
        };
        let micros = micros_of(&value)
            .or_else(|| parse_time(&text))
            .ok_or_else(|| Stop::from(m::BAD_TIME_SYNTAX.with(&[&text])))?;
        let micros = if time {
            let (now, offset) = self.machine.shared.host().now();
            let local = now.saturating_add(i64::from(offset) * 60_000_000);
            let passed = u64::try_from(local.rem_euclid(86_400_000_000)).unwrap_or(0);
            if micros >= passed {
                micros - passed
            } else {
                DAY_MICROS - passed + micros
            }
        } else {
            micros
        };
        // What was written so far must not wait as well.
        self.sink.flush()?;
        let waited = Duration::from_micros(micros);
        if self.cancel.wait(waited) {
            return Err(Stop::Cancelled);
        }
        self.machine.shared.extend(waited);
        self.succeeded(0);
        Ok(Flow::Next)
    }
}

/// Time of day of a moment; `None` for other values.
fn micros_of(value: &Value) -> Option<u64> {
    match value {
        Value::DateTime { ticks, .. } => Some(u64::from(*ticks) * 10_000 / 3),
        Value::DateTime2 { ticks, .. } | Value::Time(ticks) => Some(ticks / 10),
        _ => None,
    }
}

/// `hh:mm[:ss[.fff]]`, below a day, with an optional date before it that has no effect.
fn parse_time(text: &str) -> Option<u64> {
    let text = text.trim();
    let (hours, rest) = text.split_once(':')?;
    let (minutes, seconds) = match rest.split_once(':') {
        Some((minutes, seconds)) => (minutes, seconds),
        None => (rest, "0"),
    };
    let (seconds, fraction) = match seconds.split_once('.') {
        Some((seconds, fraction)) => (seconds, fraction),
        None => (seconds, ""),
    };
    let below = |text: &str, bound: u64| -> Option<u64> {
        let plain = !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        let number: u64 = plain.then(|| text.parse().ok())??;
        (number < bound).then_some(number)
    };
    let (hours, minutes, seconds) = (below(hours, 24)?, below(minutes, 60)?, below(seconds, 60)?);
    let micros = if fraction.is_empty() {
        0
    } else {
        if fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        format!("{fraction:0<6}").parse::<u64>().ok()?
    };
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use super::parse_time;

    #[test]
    fn times() {
        for (text, expected) in [
            ("00:00:01", Some(1_000_000)),
            (" 00:00:00.25 ", Some(250_000)),
            ("1:30", Some(5_400_000_000)),
            ("23:59:59.999", Some(86_399_999_000)),
            ("24:00", None),
            ("00:60", None),
            ("00:00:61", None),
            ("5", None),
            ("", None),
            ("-1:00", None),
            ("00:00:00.x", None),
            ("a:b:c", None),
        ] {
            assert_eq!(parse_time(text), expected, "{text}");
        }
    }
}
