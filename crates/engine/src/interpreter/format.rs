//! The printf of RAISERROR and FORMATMESSAGE.
//!
//! Source: Transact-SQL reference, "RAISERROR", the conversion specifications.

use tsql::messages as m;
use tsql::{SqlError, Value};

/// Most characters that a message keeps; what is longer ends in an ellipsis.
const MESSAGE_CHARACTERS_MAX: usize = 2047;
/// Widest field that is honoured, so that a message cannot be made huge by its format.
const WIDTH_MAX: usize = 2047;

/// Fills in `format` with `args`.
///
/// # Errors
/// 2787 for a specification that is none, 2786 for an argument of another type.
pub(super) fn format_message(format: &str, args: &[Value]) -> Result<String, SqlError> {
    let mut out = String::with_capacity(format.len());
    let mut next = 0_usize;
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let Some((spec, after)) = Spec::read(rest) else {
            let shown: String = rest.chars().take(20).collect();
            return Err(m::BAD_FORMAT.with(&[&format!("%{shown}")]));
        };
        rest = after;
        spec.write(&mut out, args, &mut next)?;
    }
    out.push_str(rest);
    Ok(shortened(out))
}

/// The text as far as a message goes.
pub(super) fn shortened(text: String) -> String {
    if text.chars().count() <= MESSAGE_CHARACTERS_MAX {
        return text;
    }
    let mut kept: String = text.chars().take(MESSAGE_CHARACTERS_MAX - 3).collect();
    kept.push_str("...");
    kept
}

/// A width or a precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    None,
    Fixed(usize),
    /// `*`: the next argument.
    Argument,
}

/// One conversion specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spec {
    minus: bool,
    plus: bool,
    zero: bool,
    hash: bool,
    blank: bool,
    width: Size,
    precision: Size,
    kind: char,
}

impl Spec {
    /// The specification at the start of `text`, its `%` taken, and what follows it.
    fn read(text: &str) -> Option<(Self, &str)> {
        let mut spec = Self {
            minus: false,
            plus: false,
            zero: false,
            hash: false,
            blank: false,
            width: Size::None,
            precision: Size::None,
            kind: 's',
        };
        let mut rest = text;
        loop {
            let flag = match rest.chars().next()? {
                '-' => &mut spec.minus,
                '+' => &mut spec.plus,
                '0' => &mut spec.zero,
                '#' => &mut spec.hash,
                ' ' => &mut spec.blank,
                _ => break,
            };
            *flag = true;
            rest = &rest[1..];
        }
        (spec.width, rest) = size(rest)?;
        if let Some(after) = rest.strip_prefix('.') {
            (spec.precision, rest) = size(after)?;
            if spec.precision == Size::None {
                spec.precision = Size::Fixed(0);
            }
        }
        rest = ["I64", "h", "l"]
            .iter()
            .find_map(|prefix| rest.strip_prefix(prefix))
            .unwrap_or(rest);
        spec.kind = rest.chars().next()?;
        "diosuxX"
            .contains(spec.kind)
            .then(|| (spec, &rest[spec.kind.len_utf8()..]))
    }

    fn write(self, out: &mut String, args: &[Value], next: &mut usize) -> Result<(), SqlError> {
        let width = taken(self.width, args, next)?;
        let precision = taken(self.precision, args, next)?;
        let at = *next;
        *next += 1;
        let body = match args.get(at) {
            None | Some(Value::Null) => "(null)".to_owned(),
            Some(value) => self.text(value, precision).ok_or_else(|| mismatch(at))?,
        };
        let missing = width
            .unwrap_or(0)
            .min(WIDTH_MAX)
            .saturating_sub(body.chars().count());
        if self.minus {
            out.push_str(&body);
            out.extend(std::iter::repeat_n(' ', missing));
        } else if self.zero && self.kind != 's' && precision.is_none() {
            let sign = body.len() - body.trim_start_matches(['-', '+', ' ']).len();
            out.push_str(&body[..sign]);
            out.extend(std::iter::repeat_n('0', missing));
            out.push_str(&body[sign..]);
        } else {
            out.extend(std::iter::repeat_n(' ', missing));
            out.push_str(&body);
        }
        Ok(())
    }

    /// The value as the specification shows it; `None` for a value of another type.
    fn text(self, value: &Value, precision: Option<usize>) -> Option<String> {
        if self.kind == 's' {
            let text = match value {
                Value::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => other.as_str()?.to_owned(),
            };
            return Some(match precision {
                Some(limit) => text.chars().take(limit).collect(),
                None => text,
            });
        }
        let number = value.as_i64()?;
        let wide = matches!(value, Value::BigInt(_));
        let unsigned = if wide {
            u64::from_ne_bytes(number.to_ne_bytes())
        } else {
            // 32 bits in two's complement, as the language's int has them.
            u64::from_ne_bytes(number.to_ne_bytes()) & u64::from(u32::MAX)
        };
        let prefix = |mark: &'static str| if self.hash && unsigned != 0 { mark } else { "" };
        let (sign, digits) = match self.kind {
            'd' | 'i' => {
                let sign = if number < 0 {
                    "-"
                } else if self.plus {
                    "+"
                } else if self.blank {
                    " "
                } else {
                    ""
                };
                (sign, number.unsigned_abs().to_string())
            }
            'o' => (prefix("0"), format!("{unsigned:o}")),
            'x' => (prefix("0x"), format!("{unsigned:x}")),
            'X' => (prefix("0X"), format!("{unsigned:X}")),
            _ => ("", unsigned.to_string()),
        };
        let zeros = precision
            .unwrap_or(0)
            .min(WIDTH_MAX)
            .saturating_sub(digits.len());
        Some(format!("{sign}{}{digits}", "0".repeat(zeros)))
    }
}

/// Digits or `*` at the start of `text`, and what follows; `None` when the number is absurd.
fn size(text: &str) -> Option<(Size, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((Size::Argument, rest));
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    if end == 0 {
        return Some((Size::None, text));
    }
    Some((Size::Fixed(text[..end].parse().ok()?), &text[end..]))
}

fn taken(size: Size, args: &[Value], next: &mut usize) -> Result<Option<usize>, SqlError> {
    match size {
        Size::None => Ok(None),
        Size::Fixed(n) => Ok(Some(n)),
        Size::Argument => {
            let at = *next;
            *next += 1;
            match args.get(at).map(Value::as_i64) {
                Some(Some(n)) => Ok(Some(usize::try_from(n).unwrap_or(0))),
                Some(None) => Err(mismatch(at)),
                None => Ok(None),
            }
        }
    }
}

fn mismatch(at: usize) -> SqlError {
    m::BAD_FORMAT_ARGUMENT.with(&[&(at + 1).to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, args: &[Value], expected: Result<&str, i32>) {
        let got = format_message(format, args).map_err(|error| error.number);
        assert_eq!(got, expected.map(str::to_owned), "{format}");
    }

    #[test]
    fn specifications() {
        let text = |text: &str| Value::string(text);
        check("plain", &[], Ok("plain"));
        check("100%%", &[], Ok("100%"));
        check(
            "job %s, step %d",
            &[text("a"), Value::Int(2)],
            Ok("job a, step 2"),
        );
        check("<%7.3s>", &[text("abcdef")], Ok("<    abc>"));
        check("<%-5s>", &[text("ab")], Ok("<ab   >"));
        check(
            "<%*.*s>",
            &[Value::Int(7), Value::Int(3), text("abcdef")],
            Ok("<    abc>"),
        );
        check("<%05d>", &[Value::Int(-42)], Ok("<-0042>"));
        check("<%+i>", &[Value::Int(5)], Ok("<+5>"));
        check(
            "%x %X %#x",
            &[Value::Int(255), Value::Int(255), Value::Int(255)],
            Ok("ff FF 0xff"),
        );
        check("%u", &[Value::Int(-1)], Ok("4294967295"));
        check("%o", &[Value::Int(8)], Ok("10"));
        check(
            "%I64d",
            &[Value::BigInt(9_000_000_000)],
            Ok("9000000000"),
        );
        check("%ld %hd", &[Value::Int(1), Value::SmallInt(2)], Ok("1 2"));
        check("%s and %d", &[Value::Null], Ok("(null) and (null)"));
        check("%d", &[text("x")], Err(2786));
        check("%s", &[Value::Int(1)], Err(2786));
        check("100% sure", &[], Err(2787));
        check("50%", &[], Err(2787));
        check("%é", &[], Err(2787));
    }

    #[test]
    fn long_messages_end_in_an_ellipsis() {
        let message = format_message(&"é".repeat(3000), &[]).unwrap();
        assert_eq!(message.chars().count(), 2047);
        assert!(message.ends_with("é..."));
        let wide = format_message("%999999d", &[Value::Int(1)]).unwrap();
        assert_eq!(wide.len(), 2047);
    }
}
