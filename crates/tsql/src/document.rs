//! Rows as one text: FOR XML and FOR JSON.
//!
//! The binder makes a [`Form`] of the clause and of the columns of its query; the executor hands the rows to a
//! [`Writer`] in order.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value's text is the plain one, but for the types named"
)]

use crate::convert::{self, Style};
use crate::error::SqlError;
use crate::fault;
use crate::json::JsonWriter;
use crate::messages as m;
use crate::types::SqlType;
use crate::value::Value;
use crate::xml::XmlWriter;

pub use crate::json::JsonForm;
pub use crate::xml::XmlForm;

/// Most bytes of a document: what a session may hold of one value.
pub const DOCUMENT_BYTES_MAX: usize = 256 << 20;

/// A column of the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FormColumn {
    /// Its name; empty without one.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// For AUTO: the place of its table among those that the select list names, in order.
    pub level: usize,
    /// Whether its text is JSON already.
    pub json: bool,
}

/// What FOR XML or FOR JSON asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// FOR XML
    Xml(XmlForm),
    /// FOR JSON
    Json(JsonForm),
}

/// Writes rows in a form.
#[derive(Debug, Default)]
pub struct Writer(State);

#[derive(Debug, Default)]
enum State {
    /// No row yet.
    #[default]
    Empty,
    Xml(XmlWriter),
    Json(JsonWriter),
}

impl Writer {
    /// Adds a row; all rows go to one form.
    ///
    /// # Errors
    /// 6841 for a character that XML forbids, 6365 and 701 beyond [`DOCUMENT_BYTES_MAX`].
    pub fn row(&mut self, form: &Form, values: &[Value]) -> Result<(), SqlError> {
        match form {
            Form::Xml(form) => {
                if let State::Empty = self.0 {
                    self.0 = State::Xml(XmlWriter::default());
                }
                let State::Xml(writer) = &mut self.0 else {
                    return Err(fault::internal("a document of two forms"));
                };
                writer.row(form, values)?;
                if writer.len() > DOCUMENT_BYTES_MAX {
                    return Err(m::XML_TOO_LARGE.with(&[]));
                }
            }
            Form::Json(form) => {
                if let State::Empty = self.0 {
                    self.0 = State::Json(JsonWriter::default());
                }
                let State::Json(writer) = &mut self.0 else {
                    return Err(fault::internal("a document of two forms"));
                };
                writer.row(form, values);
                if writer.len() > DOCUMENT_BYTES_MAX {
                    return Err(m::MEMORY_LIMIT.with(&["default"]));
                }
            }
        }
        Ok(())
    }

    /// The document; `None` when there were no rows.
    #[must_use]
    pub fn finish(self, form: &Form) -> Option<String> {
        match (self.0, form) {
            (State::Xml(writer), _) => Some(writer.finish()),
            (State::Json(writer), Form::Json(form)) => Some(writer.finish(form)),
            (State::Empty | State::Json(_), _) => None,
        }
    }
}

/// A value as XML Schema and JSON write it; binary in base64.
pub(crate) fn lexical(value: &Value, ty: SqlType) -> String {
    let ty = if ty == SqlType::SqlVariant {
        convert::type_of(value)
    } else {
        ty
    };
    let moment = |style| {
        convert::format_datetime_like(value, ty, Style::numbered(style)).unwrap_or_default()
    };
    match value {
        Value::Binary(bytes) => crate::xml::base64(bytes),
        Value::Money(v) => convert::format_money(*v, 2),
        Value::Float(v) => convert::format_float(*v, 2, false),
        Value::Real(v) => convert::format_float(f64::from(*v), 2, true),
        Value::DateTime { .. } | Value::DateTime2 { .. } => moment(126),
        Value::DateTimeOffset { offset_minutes, .. } => {
            moment(if *offset_minutes == 0 { 127 } else { 126 })
        }
        _ => convert::text_of(value, ty),
    }
}
