//! Dates and times from and to text, and between each other.

use super::calendar::{self, Civil};
use super::{Style, binary, number};
use crate::error::SqlError;
use crate::fault;
use crate::types::SqlType;
use crate::value::Value;

/// SET DATEFORMAT: the order of the parts of an all-number date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DateOrder {
    /// mdy
    #[default]
    MonthDayYear,
    /// dmy
    DayMonthYear,
    /// ymd
    YearMonthDay,
    /// ydm
    YearDayMonth,
    /// myd
    MonthYearDay,
    /// dym
    DayYearMonth,
}

impl DateOrder {
    /// The order named as SET DATEFORMAT names it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "mdy" => Self::MonthDayYear,
            "dmy" => Self::DayMonthYear,
            "ymd" => Self::YearMonthDay,
            "ydm" => Self::YearDayMonth,
            "myd" => Self::MonthYearDay,
            "dym" => Self::DayYearMonth,
            _ => return None,
        })
    }

    /// The name that SET DATEFORMAT gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MonthDayYear => "mdy",
            Self::DayMonthYear => "dmy",
            Self::YearMonthDay => "ymd",
            Self::YearDayMonth => "ydm",
            Self::MonthYearDay => "myd",
            Self::DayYearMonth => "dym",
        }
    }

    /// Whether the day comes before the month.
    const fn day_first(self) -> bool {
        matches!(
            self,
            Self::DayMonthYear | Self::DayYearMonth | Self::YearDayMonth
        )
    }
}

/// English month names; the first three letters are their short forms.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment between types: day, time of day in 100 ns, and the offset where one is known.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Days since 0001-01-01, local to the offset.
    days: i32,
    /// 100 ns since midnight, local to the offset.
    ticks: u64,
    /// Minutes east of UTC.
    offset: Option<i16>,
    /// 1/300 s, where the value came from datetime: keeps it exact.
    classic: Option<u32>,
}

impl Moment {
    const fn plain(days: i32, ticks: u64) -> Self {
        Self {
            days,
            ticks,
            offset: None,
            classic: None,
        }
    }

    /// The moment of a date or time value.
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Date(days) => Self::plain(*days, 0),
            Value::Time(ticks) => Self::plain(calendar::DAYS_TO_1900, *ticks),
            Value::DateTime { days, ticks } => Self {
                classic: Some(*ticks),
                ..Self::plain(
                    days + calendar::DAYS_TO_1900,
                    calendar::ticks_of_datetime(*ticks),
                )
            },
            Value::DateTime2 { days, ticks } => Self::plain(*days, *ticks),
            Value::DateTimeOffset {
                days,
                ticks,
                offset_minutes,
            } => shift(*days, *ticks, *offset_minutes),
            _ => return None,
        })
    }
}

pub(super) fn to_datetime_like(
    value: Value,
    from: SqlType,
    to: SqlType,
    style: Style,
) -> Result<Value, SqlError> {
    let classic = matches!(to, SqlType::DateTime | SqlType::SmallDateTime);
    let moment = match &value {
        Value::Null => return Ok(Value::Null),
        Value::String(text) => {
            parse(text, style, classic).map_err(|problem| problem.error(from, to))?
        }
        Value::Binary(bytes) if classic => {
            let number = binary::to_i64(bytes, 8);
            Moment {
                classic: u32::try_from(number & 0xffff_ffff).ok(),
                ..Moment::plain(
                    i32::try_from(number >> 32).unwrap_or(0) + calendar::DAYS_TO_1900,
                    0,
                )
            }
        }
        other => match Moment::of(other) {
            Some(moment) => moment,
            None if classic && super::is_number(super::type_of(other)) => {
                from_number(value, from, to)?
            }
            None => return Err(fault::explicit_not_allowed(from, to)),
        },
    };
    build(moment, from, to)
}

/// Days since 1900 and their fraction.
fn from_number(value: Value, from: SqlType, to: SqlType) -> Result<Moment, SqlError> {
    let Value::Float(days) = number::to_float(value, from, SqlType::Float)? else {
        return Err(fault::explicit_not_allowed(from, to));
    };
    let whole = days.floor();
    let ticks = ((days - whole) * f64::from(calendar::DATETIME_TICKS_PER_DAY)).round();
    if !(-60_000.0..=2_958_463.0).contains(&whole) {
        return Err(fault::overflow_converting("expression", to));
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
    let (whole, ticks) = (whole as i32, ticks as i64);
    Ok(Moment {
        classic: u32::try_from(ticks).ok(),
        ..Moment::plain(whole + calendar::DAYS_TO_1900, 0)
    })
}

/// A UTC day and time in the local time of an offset.
fn shift(days: i32, ticks: u64, offset: i16) -> Moment {
    let per_day = i64::try_from(calendar::TICKS_PER_DAY).unwrap_or(i64::MAX);
    let local = i64::try_from(ticks).unwrap_or(0) + i64::from(offset) * 600_000_000;
    Moment {
        offset: Some(offset),
        ..Moment::plain(
            days + i32::try_from(local.div_euclid(per_day)).unwrap_or(0),
            u64::try_from(local.rem_euclid(per_day)).unwrap_or(0),
        )
    }
}

fn build(moment: Moment, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let range = || fault::date_out_of_range(from, to);
    // A fraction rounded up may reach the next day.
    let carry = |digits| {
        let ticks = calendar::round_ticks(moment.ticks, digits);
        if ticks >= calendar::TICKS_PER_DAY {
            (moment.days + 1, ticks - calendar::TICKS_PER_DAY)
        } else {
            (moment.days, ticks)
        }
    };
    Ok(match to {
        SqlType::Date => Value::Date(moment.days),
        SqlType::Time(digits) => {
            Value::Time(calendar::round_ticks(moment.ticks, digits) % calendar::TICKS_PER_DAY)
        }
        SqlType::DateTime => {
            let mut ticks = moment
                .classic
                .unwrap_or_else(|| calendar::datetime_ticks(moment.ticks));
            let mut days = moment.days;
            if ticks >= calendar::DATETIME_TICKS_PER_DAY {
                ticks -= calendar::DATETIME_TICKS_PER_DAY;
                days += 1;
            }
            if !(calendar::FIRST_DATETIME_DAY..=calendar::LAST_DAY).contains(&days) {
                return Err(range());
            }
            Value::DateTime {
                days: days - calendar::DAYS_TO_1900,
                ticks,
            }
        }
        SqlType::SmallDateTime => {
            // To the minute; 29.998 s rounds down.
            let ticks = moment
                .classic
                .map_or(moment.ticks, calendar::ticks_of_datetime);
            let minutes = (ticks / 10_000 + 30_001) / 60_000;
            let (days, minutes) = if minutes >= 1440 {
                (moment.days + 1, minutes - 1440)
            } else {
                (moment.days, minutes)
            };
            let since = days - calendar::DAYS_TO_1900;
            if !(0..=65_535).contains(&since) {
                return Err(range());
            }
            Value::DateTime {
                days: since,
                ticks: u32::try_from(minutes * 18_000).unwrap_or(0),
            }
        }
        SqlType::DateTime2(digits) => {
            let (days, ticks) = carry(digits);
            if days > calendar::LAST_DAY {
                return Err(range());
            }
            Value::DateTime2 { days, ticks }
        }
        SqlType::DateTimeOffset(digits) => {
            let (days, ticks) = carry(digits);
            let offset = moment.offset.unwrap_or(0);
            let utc = shift(days, ticks, -offset);
            if !(0..=calendar::LAST_DAY).contains(&utc.days) {
                return Err(range());
            }
            Value::DateTimeOffset {
                days: utc.days,
                ticks: utc.ticks,
                offset_minutes: offset,
            }
        }
        _ => return Err(fault::explicit_not_allowed(from, to)),
    })
}

// ---- text → moment ----

enum Problem {
    /// Not a date or time at all: 241.
    Shape,
    /// Shaped like one, but no such day or time: 242 for datetime.
    Range,
}

impl Problem {
    fn error(self, from: SqlType, to: SqlType) -> SqlError {
        match (self, to) {
            (Self::Range, SqlType::DateTime | SqlType::SmallDateTime) => {
                fault::date_out_of_range(from, to)
            }
            (Self::Shape, SqlType::SmallDateTime) => SqlError::new(
                295,
                16,
                "Conversion failed when converting character string to smalldatetime data type.",
            )
            .with_state(3),
            _ => fault::bad_date(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token<'t> {
    Digits(&'t str),
    Word(&'t str),
    Mark(char),
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    /// More parts than any date has.
    const TOKENS_MAX: usize = 32;
    let class = |c: char| {
        if c.is_ascii_digit() {
            1
        } else if c.is_alphabetic() {
            2
        } else {
            0
        }
    };
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if class(c) == 0 {
            if !c.is_whitespace() {
                out.push(Token::Mark(c));
            } else if out.last() != Some(&Token::Mark(' ')) {
                out.push(Token::Mark(' '));
            }
            rest = &rest[c.len_utf8()..];
        } else {
            let end = rest
                .find(|other| class(other) != class(c))
                .unwrap_or(rest.len());
            let (run, tail) = rest.split_at(end);
            out.push(if class(c) == 1 {
                Token::Digits(run)
            } else {
                Token::Word(run)
            });
            rest = tail;
        }
        if out.len() > TOKENS_MAX {
            return None;
        }
    }
    Some(out)
}

fn parse(text: &str, style: Style, classic: bool) -> Result<Moment, Problem> {
    let text = text.trim();
    let mut moment = Moment::plain(calendar::DAYS_TO_1900, 0);
    if text.is_empty() {
        return Ok(moment);
    }
    let parts = tokens(text).ok_or(Problem::Shape)?;
    let (date, time) = parts.split_at(time_start(&parts));
    let date = trim_marks(date);
    if !date.is_empty() {
        moment.days = parse_date(date, style, classic)?;
    }
    if !time.is_empty() {
        let (ticks, offset) = parse_time(time)?;
        moment.ticks = ticks;
        moment.offset = offset;
        // Only the Z of ISO 8601 may follow a datetime.
        let zulu = matches!(parts.last(), Some(Token::Word(z)) if z.eq_ignore_ascii_case("z"));
        if offset.is_some() && classic && !zulu {
            return Err(Problem::Shape);
        }
    }
    Ok(moment)
}

/// Whether a token is AM (false) or PM (true).
fn half(token: &Token<'_>) -> Option<bool> {
    match token {
        Token::Word(w) if w.eq_ignore_ascii_case("am") => Some(false),
        Token::Word(w) if w.eq_ignore_ascii_case("pm") => Some(true),
        _ => None,
    }
}

/// The time starts at the number before the first colon, or before AM or PM.
fn time_start(parts: &[Token<'_>]) -> usize {
    let marked = parts
        .iter()
        .position(|t| *t == Token::Mark(':') || half(t).is_some());
    let Some(end) = marked else {
        return parts.len();
    };
    let mut at = end;
    while at > 0 && parts[at - 1] == Token::Mark(' ') {
        at -= 1;
    }
    if at > 0 && matches!(parts[at - 1], Token::Digits(_)) {
        at - 1
    } else {
        end
    }
}

fn trim_marks<'p, 't>(mut parts: &'p [Token<'t>]) -> &'p [Token<'t>] {
    while let Some((last, rest)) = parts.split_last() {
        let separator = *last == Token::Mark(' ')
            || matches!(last, Token::Word(t) if t.eq_ignore_ascii_case("t"));
        if !separator {
            break;
        }
        parts = rest;
    }
    parts
}

fn value_of(digits: &str) -> Result<u32, Problem> {
    digits.parse().map_err(|_| Problem::Shape)
}

/// Two-digit years up to 49 are of this century.
fn full_year(digits: &str) -> Result<i32, Problem> {
    let year = i32::try_from(value_of(digits)?).map_err(|_| Problem::Shape)?;
    Ok(match digits.len() {
        4 => year,
        1 | 2 if year <= 49 => 2000 + year,
        1 | 2 => 1900 + year,
        _ => return Err(Problem::Shape),
    })
}

fn month_named(word: &str) -> Option<u32> {
    MONTHS
        .iter()
        .position(|name| {
            name.eq_ignore_ascii_case(word)
                || word.len() == 3 && name[..3].eq_ignore_ascii_case(word)
        })
        .and_then(|at| u32::try_from(at + 1).ok())
}

fn parse_date(parts: &[Token<'_>], style: Style, classic: bool) -> Result<i32, Problem> {
    let mut numbers: Vec<&str> = Vec::new();
    let mut month: Option<u32> = None;
    for part in parts {
        match part {
            Token::Digits(digits) => numbers.push(digits),
            Token::Word(word) => {
                let named = month_named(word).ok_or(Problem::Shape)?;
                if month.replace(named).is_some() {
                    return Err(Problem::Shape);
                }
            }
            Token::Mark(' ' | '-' | '/' | '.' | ',') => {}
            Token::Mark(_) => return Err(Problem::Shape),
        }
    }
    let civil = match (numbers.as_slice(), month) {
        // yyyymmdd, yymmdd
        ([run], None) if run.len() == 8 || run.len() == 6 => {
            let split = run.len() - 4;
            Civil {
                year: full_year(&run[..split])?,
                month: value_of(&run[split..split + 2])?,
                day: value_of(&run[split + 2..])?,
            }
        }
        ([year], month) if year.len() == 4 => Civil {
            year: full_year(year)?,
            month: month.unwrap_or(1),
            day: 1,
        },
        ([first, second], Some(month)) => {
            let (day, year) = if first.len() == 4 {
                (second, first)
            } else {
                (first, second)
            };
            Civil {
                year: full_year(year)?,
                month,
                day: value_of(day)?,
            }
        }
        ([a, b, c], None) => ordered([a, b, c], style, classic)?,
        _ => return Err(Problem::Shape),
    };
    calendar::days_of(civil).ok_or(Problem::Range)
}

fn ordered(parts: [&str; 3], style: Style, classic: bool) -> Result<Civil, Problem> {
    let [a, b, c] = parts;
    let order = match style.number % 100 {
        1 | 10 if style.given => DateOrder::MonthDayYear,
        3..=5 if style.given => DateOrder::DayMonthYear,
        2 | 11 | 12 | 20 | 21 | 23 | 25..=27 if style.given => DateOrder::YearMonthDay,
        _ => style.order,
    };
    // Where the year has four digits it says itself where it stands.
    let day_first = order.day_first();
    let order = match (a.len(), b.len(), c.len()) {
        // Only datetime reads the rest by DATEFORMAT.
        (4, _, _) if classic && day_first => DateOrder::YearDayMonth,
        (4, _, _) => DateOrder::YearMonthDay,
        (_, 4, _) if day_first => DateOrder::DayYearMonth,
        (_, 4, _) => DateOrder::MonthYearDay,
        (_, _, 4) if day_first => DateOrder::DayMonthYear,
        (_, _, 4) => DateOrder::MonthDayYear,
        _ => order,
    };
    let (year, month, day) = match order {
        DateOrder::MonthDayYear => (c, a, b),
        DateOrder::DayMonthYear => (c, b, a),
        DateOrder::YearMonthDay => (a, b, c),
        DateOrder::YearDayMonth => (a, c, b),
        DateOrder::MonthYearDay => (b, a, c),
        DateOrder::DayYearMonth => (b, c, a),
    };
    if month.len() > 2 || day.len() > 2 {
        return Err(Problem::Shape);
    }
    Ok(Civil {
        year: full_year(year)?,
        month: value_of(month)?,
        day: value_of(day)?,
    })
}

fn parse_time(parts: &[Token<'_>]) -> Result<(u64, Option<i16>), Problem> {
    let number = |at: usize| match parts.get(at) {
        Some(Token::Digits(digits)) => Ok(*digits),
        _ => Err(Problem::Shape),
    };
    let mark = |at: usize, c: char| parts.get(at) == Some(&Token::Mark(c));
    let mut hour = value_of(number(0)?)?;
    let (mut minute, mut second, mut fraction) = (0, 0, 0);
    let mut at = 1;
    if mark(at, ':') {
        minute = value_of(number(at + 1)?)?;
        at += 2;
        if mark(at, ':') {
            second = value_of(number(at + 1)?)?;
            at += 2;
            if mark(at, '.') {
                fraction = fraction_ticks(number(at + 1)?)?;
                at += 2;
            } else if mark(at, ':') {
                // hh:mm:ss:mmm counts milliseconds whatever the number of digits.
                let digits = number(at + 1)?;
                if digits.len() > 3 {
                    return Err(Problem::Shape);
                }
                fraction = u64::from(value_of(digits)?) * 10_000;
                at += 2;
            }
        }
    }
    at += usize::from(mark(at, ' '));
    if let Some(afternoon) = parts.get(at).and_then(half) {
        if hour > 12 || hour == 0 && afternoon {
            return Err(Problem::Range);
        }
        hour = hour % 12 + if afternoon { 12 } else { 0 };
        at += 1;
    }
    at += usize::from(mark(at, ' '));
    let offset = match parts.get(at) {
        None => None,
        Some(Token::Word(z)) if z.eq_ignore_ascii_case("z") => {
            at += 1;
            Some(0)
        }
        Some(Token::Mark(sign @ ('+' | '-'))) => {
            if !mark(at + 2, ':') {
                return Err(Problem::Shape);
            }
            let minutes = value_of(number(at + 3)?)?;
            let total = value_of(number(at + 1)?)?
                .checked_mul(60)
                .and_then(|hours| hours.checked_add(minutes))
                .and_then(|total| i16::try_from(total).ok())
                .ok_or(Problem::Range)?;
            at += 4;
            if total > 840 || minutes > 59 {
                return Err(Problem::Range);
            }
            Some(if *sign == '-' { -total } else { total })
        }
        Some(_) => return Err(Problem::Shape),
    };
    if at != parts.len() {
        return Err(Problem::Shape);
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(Problem::Range);
    }
    let seconds = u64::from(hour * 3600 + minute * 60 + second);
    Ok((seconds * calendar::TICKS_PER_SECOND + fraction, offset))
}

fn fraction_ticks(digits: &str) -> Result<u64, Problem> {
    if digits.len() > 9 {
        return Err(Problem::Shape);
    }
    let padded = format!("{digits:0<7}");
    padded[..7].parse().map_err(|_| Problem::Shape)
}

// ---- moment → text ----

/// A date or time as CONVERT writes it under a style.
///
/// # Errors
/// 281 for a style that this type does not have.
pub fn format_datetime_like(
    value: &Value,
    from: SqlType,
    style: Style,
) -> Result<String, SqlError> {
    let moment = Moment::of(value).ok_or_else(|| fault::internal("a date was expected"))?;
    let digits = match from {
        SqlType::Time(p) | SqlType::DateTime2(p) | SqlType::DateTimeOffset(p) => p,
        _ if moment.classic.is_some() => 3,
        _ => 7,
    };
    let has_date = !matches!(value, Value::Time(_));
    let has_time = !matches!(value, Value::Date(_));
    // datetime defaults to style 0; the newer types to 121.
    let number = if style.given || moment.classic.is_some() {
        style.number
    } else {
        121
    };
    let (date, time) = patterns(number).ok_or_else(|| fault::bad_style(number, from))?;
    let mut out = String::new();
    if has_date {
        write_pattern(&mut out, date, &moment, digits);
    }
    if has_time && !time.is_empty() {
        if !out.is_empty() {
            out.push(if matches!(number, 126 | 127) {
                'T'
            } else {
                ' '
            });
        }
        // A whole second has no fraction in the ISO forms.
        let whole = matches!(number, 126 | 127) && moment.ticks % calendar::TICKS_PER_SECOND == 0;
        let time = if whole { "H:m:s" } else { time };
        write_pattern(&mut out, time, &moment, digits);
        match moment.offset {
            Some(0) if number == 127 => out.push('Z'),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs();
                if number != 126 {
                    out.push(' ');
                }
                out.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
            }
            None if number == 127 && moment.classic.is_some() => out.push('Z'),
            None => {}
        }
    }
    if out.is_empty() {
        return Err(fault::bad_style(number, from));
    }
    Ok(out)
}

/// Date and time patterns of a style. Letters: Y year, y two digits of it, M month, D day, d day padded with a
/// blank, b short month name, H hour, h hour of 12 padded with a blank, m minute, s second, F `.` and fraction,
/// f `:` and milliseconds, p AM or PM. Others stand for themselves.
const fn patterns(style: i32) -> Option<(&'static str, &'static str)> {
    Some(match style {
        0 | 100 => ("b d Y", "h:mp"),
        1 => ("M/D/y", ""),
        101 => ("M/D/Y", ""),
        2 => ("y.M.D", ""),
        102 => ("Y.M.D", ""),
        3 => ("D/M/y", ""),
        103 => ("D/M/Y", ""),
        4 => ("D.M.y", ""),
        104 => ("D.M.Y", ""),
        5 => ("D-M-y", ""),
        105 => ("D-M-Y", ""),
        6 => ("D b y", ""),
        106 => ("D b Y", ""),
        7 => ("b D, y", ""),
        107 => ("b D, Y", ""),
        8 | 24 | 108 => ("", "H:m:s"),
        9 | 109 => ("b d Y", "h:m:sfp"),
        10 => ("M-D-y", ""),
        110 => ("M-D-Y", ""),
        11 => ("y/M/D", ""),
        111 => ("Y/M/D", ""),
        12 => ("yMD", ""),
        112 => ("YMD", ""),
        13 | 113 => ("D b Y", "H:m:sf"),
        14 | 114 => ("", "H:m:sf"),
        20 | 120 => ("Y-M-D", "H:m:s"),
        21 | 25 | 121 | 126 | 127 => ("Y-M-D", "H:m:sF"),
        22 => ("M/D/y", "h:m:s p"),
        23 => ("Y-M-D", ""),
        _ => return None,
    })
}

fn write_pattern(out: &mut String, pattern: &str, moment: &Moment, digits: u8) {
    let civil = calendar::civil_of(moment.days);
    let seconds = moment.ticks / calendar::TICKS_PER_SECOND;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    let month = usize::try_from(civil.month - 1).unwrap_or(0);
    let fraction = format!("{:07}", moment.ticks % calendar::TICKS_PER_SECOND);
    let shown = &fraction[..usize::from(digits.min(7))];
    for c in pattern.chars() {
        let piece = match c {
            'Y' => format!("{:04}", civil.year),
            'y' => format!("{:02}", civil.year % 100),
            'M' => format!("{:02}", civil.month),
            'D' => format!("{:02}", civil.day),
            'd' => format!("{:>2}", civil.day),
            'b' => MONTHS[month][..3].to_owned(),
            'H' => format!("{hour:02}"),
            'h' => format!("{hour12:>2}"),
            'm' => format!("{minute:02}"),
            's' => format!("{second:02}"),
            'p' => (if hour < 12 { "AM" } else { "PM" }).to_owned(),
            'f' if moment.classic.is_some() => format!(":{shown}"),
            'F' | 'f' if digits > 0 => format!(".{shown}"),
            'F' | 'f' => String::new(),
            other => other.to_string(),
        };
        out.push_str(&piece);
    }
}
