//! OPENJSON: the members of an object or array as rows.
//!
//! Source: "OPENJSON (Transact-SQL)".

use super::path::Path;
use super::{Kind, Node, read};
use crate::convert::{self, Style};
use crate::error::SqlError;
use crate::messages as m;
use crate::types::{Column, SqlType};
use crate::value::{Row, Value};

/// OPENJSON with or without its WITH clause.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OpenJson {
    /// The columns of WITH; none for `key`, `value`, `type`.
    pub(crate) columns: Vec<JsonColumn>,
}

/// A column of OPENJSON … WITH.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonColumn {
    pub(crate) name: String,
    pub(crate) ty: SqlType,
    /// Its path; its name when none was given.
    pub(crate) path: Option<String>,
    /// AS JSON
    pub(crate) json: bool,
}

impl OpenJson {
    /// The columns of its rows.
    pub(crate) fn columns(&self) -> Vec<Column> {
        if self.columns.is_empty() {
            return vec![
                Column::required("key", SqlType::nvarchar(4000)),
                Column::nullable("value", SqlType::NVARCHAR_MAX),
                Column::required("type", SqlType::TinyInt),
            ];
        }
        let columns = self.columns.iter();
        columns
            .map(|column| Column::nullable(&column.name, column.ty))
            .collect()
    }

    /// Its rows for a text and a path.
    ///
    /// # Errors
    /// 13609 and 13607 for text and path that cannot be read, 13608 and 13623 of strict paths, and what conversions
    /// raise.
    pub(crate) fn rows(
        &self,
        text: Option<&str>,
        path: Option<&str>,
    ) -> Result<Vec<Row>, SqlError> {
        let Some(text) = text else {
            return Ok(Vec::new());
        };
        let path = Path::parse(path.unwrap_or("$"))?;
        let root = read(text)?;
        let Some(node) = path.find(&root) else {
            return if path.strict {
                Err(m::JSON_NO_PROPERTY.with(&[]))
            } else {
                Ok(Vec::new())
            };
        };
        if self.columns.is_empty() {
            return Ok(members(node, text));
        }
        let objects: Vec<&Node> = match &node.kind {
            Kind::Array(items) => items.iter().collect(),
            Kind::Object(_) => vec![node],
            Kind::Null | Kind::Bool(_) | Kind::Number | Kind::String(_) => Vec::new(),
        };
        objects
            .into_iter()
            .map(|object| {
                let columns = self.columns.iter();
                columns.map(|column| column.value(object, text)).collect()
            })
            .collect()
    }
}

fn members(node: &Node, text: &str) -> Vec<Row> {
    let row = |key: String, value: &Node| {
        let shown = match value.scalar(text) {
            Some(text) => Value::String(text),
            None if value.is_compound() => Value::string(value.raw(text)),
            None => Value::Null,
        };
        vec![
            Value::String(key),
            shown,
            Value::TinyInt(value.type_number()),
        ]
    };
    match &node.kind {
        Kind::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| row(at.to_string(), item))
            .collect(),
        Kind::Object(members) => members
            .iter()
            .map(|member| row(member.name.clone(), &member.value))
            .collect(),
        Kind::Null | Kind::Bool(_) | Kind::Number | Kind::String(_) => Vec::new(),
    }
}

impl JsonColumn {
    fn value(&self, object: &Node, text: &str) -> Result<Value, SqlError> {
        let path = match &self.path {
            Some(path) => Path::parse(path)?,
            None => Path::parse(&format!("$.\"{}\"", self.name.replace('"', "\\\"")))?,
        };
        let Some(node) = path.find(object) else {
            return if path.strict {
                Err(m::JSON_NO_PROPERTY.with(&[]))
            } else {
                Ok(Value::Null)
            };
        };
        let found = if self.json {
            node.is_compound().then(|| node.raw(text).to_owned())
        } else {
            node.scalar(text)
        };
        match found {
            Some(text) => convert::convert(
                Value::String(text),
                SqlType::NVARCHAR_MAX,
                self.ty,
                Style::PLAIN,
            ),
            None if path.strict && node.kind != Kind::Null => Err(if self.json {
                m::JSON_NOT_OBJECT.with(&[])
            } else {
                m::JSON_NOT_SCALAR.with(&[])
            }),
            None => Ok(Value::Null),
        }
    }
}
