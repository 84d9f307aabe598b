//! Answers as sqlcmd shows them: headings, columns of fixed width, messages.

use std::io::{self, Write};
use std::ops::ControlFlow;
use tds::reply::Event;
use tsql::convert::{Style, convert, format_guid, format_money, type_of};
use tsql::{Column, Length, Row, SqlError, SqlType, Value};

/// How results are shown.
#[derive(Debug, Clone)]
pub(super) struct Format {
    /// Rows between headings; 0 is one heading, below 0 none.
    pub(super) headings: i32,
    /// What stands between columns.
    pub(super) separator: String,
    /// No blanks at the end of columns.
    pub(super) trim: bool,
    /// Longest value in characters; 0 for no limit.
    pub(super) width: usize,
}

/// Shows events. A write that fails ends the answer.
pub(super) struct Printer<W> {
    out: W,
    format: Format,
    server_name: String,
    columns: Vec<Cell>,
    rows: u64,
    failed: bool,
    broken: Option<io::Error>,
}

/// How a column is shown.
#[derive(Debug)]
struct Cell {
    name: String,
    ty: SqlType,
    width: usize,
    right: bool,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(out: W, format: Format, server_name: String) -> Self {
        Self {
            out,
            format,
            server_name,
            columns: Vec::new(),
            rows: 0,
            failed: false,
            broken: None,
        }
    }

    /// Whether an error of a statement was shown since the last call.
    pub(super) fn take_failed(&mut self) -> bool {
        std::mem::take(&mut self.failed)
    }

    /// Ends a batch.
    ///
    /// # Errors
    /// The write that failed, now or before.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self.broken.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }

    /// A line of the client's own.
    ///
    /// # Errors
    /// The write that failed.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// The prompt for a line.
    ///
    /// # Errors
    /// The write that failed.
    pub(super) fn prompt(&mut self, number: usize) -> io::Result<()> {
        write!(self.out, "{number}> ")?;
        self.out.flush()
    }

    /// Shows an event; `Break` when nobody can read it any more.
    pub(super) fn event(&mut self, event: Event) -> ControlFlow<()> {
        let written = match event {
            Event::Columns(columns) => self.begin(&columns),
            Event::Row(row) => self.row(&row),
            Event::Message(message) => self.message(&message),
            Event::Done(done) => match done.rows {
                Some(rows) => self.count(rows),
                None => Ok(()),
            },
            Event::LoginAck { .. }
            | Event::Environment(_)
            | Event::ReturnStatus(_)
            | Event::ReturnValue { .. } => Ok(()),
        };
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.broken = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn begin(&mut self, columns: &[Column]) -> io::Result<()> {
        let limit = self.format.width;
        self.columns = columns.iter().map(|column| cell(column, limit)).collect();
        self.rows = 0;
        if self.format.headings >= 0 {
            self.heading()?;
        }
        Ok(())
    }

    fn heading(&mut self) -> io::Result<()> {
        let names: Vec<_> = self.columns.iter().map(|cell| cell.name.clone()).collect();
        self.cells(&names, false)?;
        let trim = self.format.trim;
        let dashes = self.columns.iter().map(|cell| {
            let width = if trim {
                cell.name.chars().count().max(1)
            } else {
                cell.width
            };
            "-".repeat(width)
        });
        let dashes: Vec<_> = dashes.collect();
        self.cells(&dashes, false)
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        let every = u64::try_from(self.format.headings).unwrap_or(0);
        if every > 0 && self.rows > 0 && self.rows.is_multiple_of(every) {
            writeln!(self.out)?;
            self.heading()?;
        }
        self.rows += 1;
        let limit = self.format.width;
        let texts = row.iter().zip(&self.columns).map(|(value, cell)| {
            let text = text_of(value, cell.ty).unwrap_or_else(|| "NULL".to_owned());
            shorten(text, limit)
        });
        let texts: Vec<_> = texts.collect();
        self.cells(&texts, true)
    }

    fn cells(&mut self, texts: &[String], values: bool) -> io::Result<()> {
        let last = texts.len().saturating_sub(1);
        for (at, (text, cell)) in texts.iter().zip(&self.columns).enumerate() {
            let width = cell.width;
            if self.format.trim {
                write!(self.out, "{}", text.trim_end())?;
            } else if values && cell.right {
                write!(self.out, "{text:>width$}")?;
            } else {
                write!(self.out, "{text:<width$}")?;
            }
            if at < last {
                write!(self.out, "{}", self.format.separator)?;
            }
        }
        writeln!(self.out)
    }

    fn count(&mut self, rows: u64) -> io::Result<()> {
        writeln!(self.out, "\n({rows} rows affected)")
    }

    fn message(&mut self, message: &SqlError) -> io::Result<()> {
        self.failed |= message.is_error();
        // 0 and 10 are plain messages, as PRINT sends them.
        if message.severity != 0 && message.severity != 10 {
            write!(
                self.out,
                "Msg {}, Level {}, State {}, Server {}",
                message.number, message.severity, message.state, self.server_name
            )?;
            if !message.procedure.is_empty() {
                write!(self.out, ", Procedure {}", message.procedure)?;
            }
            writeln!(self.out, ", Line {}", message.line)?;
        }
        writeln!(self.out, "{}", message.message)?;
        // Whoever watches a long batch sees what it says at once.
        self.out.flush()
    }
}

/// How a column is shown: as wide as its type or its name.
fn cell(column: &Column, limit: usize) -> Cell {
    let width = display_width(column.ty);
    let width = match limit {
        0 => width,
        limit => width.min(limit),
    };
    let null = if column.nullable { 4 } else { 1 };
    Cell {
        name: column.name.clone(),
        ty: column.ty,
        width: width.max(column.name.chars().count()).max(null),
        right: is_number(column.ty),
    }
}

/// Characters that the values of a type take at most, as ODBC counts them.
fn display_width(ty: SqlType) -> usize {
    let limited = |length: Length| match length {
        Length::Limited(n) => usize::from(n),
        Length::Max => super::args::COLUMN_CHARS_DEFAULT,
    };
    match ty {
        SqlType::Bit => 1,
        SqlType::TinyInt => 3,
        SqlType::SmallInt => 6,
        SqlType::Int => 11,
        SqlType::BigInt => 20,
        SqlType::Decimal { precision, .. } | SqlType::Numeric { precision, .. } => {
            usize::from(precision) + 2
        }
        SqlType::SmallMoney => 12,
        SqlType::Money => 21,
        SqlType::Real => 14,
        SqlType::Float => 24,
        SqlType::Char(n) | SqlType::NChar(n) => usize::from(n),
        SqlType::VarChar(length) | SqlType::NVarChar(length) => limited(length),
        SqlType::Text | SqlType::NText | SqlType::Image | SqlType::Xml | SqlType::SqlVariant => {
            super::args::COLUMN_CHARS_DEFAULT
        }
        SqlType::Binary(n) => 2 * usize::from(n) + 2,
        SqlType::VarBinary(length) => 2 * limited(length) + 2,
        SqlType::Date => 16,
        SqlType::Time(_) => 22,
        SqlType::SmallDateTime => 19,
        SqlType::DateTime => 23,
        SqlType::DateTime2(_) => 38,
        SqlType::DateTimeOffset(_) => 45,
        SqlType::UniqueIdentifier => 36,
    }
}

fn is_number(ty: SqlType) -> bool {
    ty.is_integer()
        || matches!(
            ty,
            SqlType::Decimal { .. }
                | SqlType::Numeric { .. }
                | SqlType::SmallMoney
                | SqlType::Money
                | SqlType::Real
                | SqlType::Float
        )
}

/// The first `limit` characters; all when it is 0.
fn shorten(mut text: String, limit: usize) -> String {
    if limit > 0
        && let Some((end, _)) = text.char_indices().nth(limit)
    {
        text.truncate(end);
    }
    text
}

/// A value as text; `None` for NULL.
pub(super) fn text_of(value: &Value, ty: SqlType) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bit(v) => u8::from(*v).to_string(),
        Value::TinyInt(v) => v.to_string(),
        Value::SmallInt(v) => v.to_string(),
        Value::Int(v) => v.to_string(),
        Value::BigInt(v) => v.to_string(),
        Value::Money(v) => format_money(*v, 2),
        Value::Real(v) => float_text(f64::from(*v), &v.to_string()),
        Value::Float(v) => float_text(*v, &v.to_string()),
        Value::String(v) | Value::Xml(v) => v.clone(),
        Value::Binary(v) => {
            let mut text = String::with_capacity(2 + 2 * v.len());
            text.push_str("0x");
            text.extend(v.iter().map(|byte| format!("{byte:02X}")));
            text
        }
        Value::Guid(v) => format_guid(*v),
        Value::Decimal(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::DateTime { .. }
        | Value::DateTime2 { .. }
        | Value::DateTimeOffset { .. } => {
            let from = if ty == SqlType::SqlVariant {
                type_of(value)
            } else {
                ty
            };
            let style = Style::numbered(121);
            let text = convert(value.clone(), from, SqlType::NVARCHAR_MAX, style);
            match text {
                Ok(Value::String(text)) => text,
                Ok(other) => format!("{other:?}"),
                Err(error) => error.message,
            }
        }
    })
}

/// A float's shortest text that reads back; very large and very small ones with an exponent.
fn float_text(value: f64, plain: &str) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-5..1e16).contains(&size) {
        format!("{value:E}")
    } else {
        plain.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tds::token::{Done, DoneKind};

    fn events() -> Vec<Event> {
        let columns = vec![
            Column::required("name", SqlType::nvarchar(8)),
            Column::nullable("enabled", SqlType::TinyInt),
            Column::nullable("", SqlType::VarBinary(Length::Limited(2))),
        ];
        let mut done = Done::new(DoneKind::Done);
        done.rows = Some(2);
        vec![
            Event::Columns(columns),
            Event::Row(vec!["job".into(), Value::TinyInt(1), vec![1, 0xab].into()]),
            Event::Row(vec!["job two".into(), Value::Null, Value::Null]),
            Event::Done(done),
            Event::Message(SqlError::new(0, 0, "said")),
            Event::Message(
                SqlError::new(14_262, 16, "It does not exist.")
                    .in_procedure("sp_add_jobstep")
                    .at_line(3),
            ),
        ]
    }

    fn show(format: Format) -> String {
        let mut printer = Printer::new(Vec::new(), format, "MASTER".to_owned());
        for event in events() {
            assert!(printer.event(event).is_continue());
        }
        printer.flush().unwrap();
        assert!(printer.take_failed());
        assert!(!printer.take_failed());
        let text = String::from_utf8(printer.out).unwrap();
        text.lines().map(|line| format!("{line}|\n")).collect()
    }

    fn format() -> Format {
        Format {
            headings: 0,
            separator: " ".to_owned(),
            trim: false,
            width: 256,
        }
    }

    #[test]
    fn columns_line_up() {
        let expected = "\
name     enabled       |
-------- ------- ------|
job            1 0x01AB|
job two     NULL NULL  |
|
(2 rows affected)|
said|
Msg 14262, Level 16, State 1, Server MASTER, Procedure sp_add_jobstep, Line 3|
It does not exist.|
";
        assert_eq!(show(format()), expected);
    }

    #[test]
    fn for_programs() {
        let programs = Format {
            headings: -1,
            separator: ",".to_owned(),
            trim: true,
            width: 5,
        };
        let text = show(programs);
        assert!(
            text.starts_with("job,1,0x01A|\njob t,NULL,NULL|\n|\n"),
            "{text}"
        );
    }

    #[test]
    fn headings_repeat() {
        let repeated = Format {
            headings: 1,
            ..format()
        };
        assert_eq!(show(repeated).matches("enabled").count(), 2);
    }

    #[test]
    fn values() {
        let text = |value: Value, ty| text_of(&value, ty).unwrap();
        assert_eq!(text(Value::Bit(true), SqlType::Bit), "1");
        assert_eq!(text(Value::Money(15_000), SqlType::Money), "1.5000");
        assert_eq!(text(Value::Float(1.1), SqlType::Float), "1.1");
        assert_eq!(text(Value::Float(1e300), SqlType::Float), "1E300");
        assert_eq!(text(Value::Real(0.1), SqlType::Real), "0.1");
        let moment = Value::DateTime {
            days: 0,
            ticks: 300,
        };
        assert_eq!(text(moment, SqlType::DateTime), "1900-01-01 00:00:01.000");
    }

    #[test]
    fn a_reader_that_went_away_ends_the_answer() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut printer = Printer::new(Gone, format(), String::new());
        let said = Event::Message(SqlError::new(0, 0, "said"));
        assert!(printer.event(said).is_break());
        assert!(printer.flush().is_err());
    }
}
