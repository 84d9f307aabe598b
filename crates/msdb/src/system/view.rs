//! A view of the sheet beside what fills it.

use super::sheet::Entry;
use crate::error::Result;
use crate::messages::raise;
use crate::rights::On;
use crate::tables::Scanner;
use engine::host::TableDecl;
use std::collections::HashMap;
use std::sync::Arc;
use tsql::{Length, Row, SqlType, Value};

/// Makes a view's rows.
pub(super) type Source = fn(&Scanner<'_>, &mut Fill<'_>) -> Result<()>;

/// What fills a view of that name.
pub(super) struct Filled {
    /// Schema.
    pub(super) schema: &'static str,
    /// Name as in the sheet.
    pub(super) name: &'static str,
    /// Columns that the source looks up in [`Scanner`]; the best first.
    pub(super) seek: &'static [&'static str],
    /// Whether it tells of the whole server, which needs VIEW SERVER STATE.
    pub(super) server_state: bool,
    /// The source.
    pub(super) source: Source,
}

impl Filled {
    /// A view of `sys`.
    pub(super) const fn sys(name: &'static str, source: Source) -> Self {
        Self {
            schema: "sys",
            name,
            seek: &[],
            server_state: false,
            source,
        }
    }

    /// A view of `INFORMATION_SCHEMA`.
    pub(super) const fn information(name: &'static str, source: Source) -> Self {
        Self {
            schema: "INFORMATION_SCHEMA",
            ..Self::sys(name, source)
        }
    }

    /// A table of msdb.
    pub(super) const fn msdb(name: &'static str, source: Source) -> Self {
        Self {
            schema: "dbo",
            ..Self::sys(name, source)
        }
    }

    /// With columns to seek on.
    pub(super) const fn seek(mut self, columns: &'static [&'static str]) -> Self {
        self.seek = columns;
        self
    }

    /// For those alone who may see the server's state.
    pub(super) const fn server_state(mut self) -> Self {
        self.server_state = true;
        self
    }
}

/// A view as the host serves it.
pub(crate) struct View {
    /// The engine's form of it.
    pub(crate) decl: Arc<TableDecl>,
    /// Whether it needs VIEW SERVER STATE.
    pub(super) server_state: bool,
    /// `None` for what Muster has nothing of: the view is empty.
    source: Option<Source>,
    /// A row with nothing said: 0 in bits, 0 or '' where NULL is not allowed, NULL elsewhere.
    blank: Row,
    places: HashMap<&'static str, usize>,
}

impl View {
    pub(super) fn new(entry: &'static Entry, filled: Option<&'static Filled>) -> Self {
        let places: HashMap<_, _> = entry.columns.iter().map(|c| c.0).zip(0..).collect();
        let seekable = filled
            .map_or(&[][..], |filled| filled.seek)
            .iter()
            .map(|name| places[name])
            .collect();
        Self {
            decl: Arc::new(TableDecl {
                database: if entry.schema == "dbo" {
                    "msdb"
                } else {
                    "master"
                },
                schema: entry.schema,
                name: entry.name,
                columns: entry.engine_columns(),
                seekable,
            }),
            server_state: filled.is_some_and(|filled| filled.server_state),
            source: filled.map(|filled| filled.source),
            blank: entry
                .columns
                .iter()
                .map(|(_, ty, nullable)| unsaid(*ty, *nullable))
                .collect(),
            places,
        }
    }

    /// Whether nothing ever fills it.
    pub(crate) const fn is_empty(&self) -> bool {
        self.source.is_none()
    }

    /// The rows.
    ///
    /// # Errors
    /// 300 without VIEW SERVER STATE, where it is needed; what the catalog raises.
    pub(crate) fn rows(&self, scan: &Scanner<'_>) -> Result<Vec<Row>> {
        let mut fill = Fill {
            view: self,
            rows: Vec::new(),
        };
        if self.server_state && !scan.rights().may(On::Server, "VIEW SERVER STATE")? {
            return Err(raise(300, &["VIEW SERVER STATE".into(), "server".into()]).into());
        }
        if let Some(source) = self.source {
            source(scan, &mut fill)?;
        }
        Ok(fill.rows)
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "numbers and strings have a zero; other types are always said"
)]
fn unsaid(ty: SqlType, nullable: bool) -> Value {
    match ty {
        SqlType::Bit => Value::Bit(false),
        _ if nullable => Value::Null,
        SqlType::TinyInt => Value::TinyInt(0),
        SqlType::SmallInt => Value::SmallInt(0),
        SqlType::Int => Value::Int(0),
        SqlType::BigInt => Value::BigInt(0),
        ty if ty.is_string() => Value::string(""),
        _ => Value::Null,
    }
}

/// The rows of a view in the making. Columns are set by name; those that are not keep what says nothing.
pub(super) struct Fill<'v> {
    view: &'v View,
    rows: Vec<Row>,
}

impl Fill<'_> {
    /// Adds a row. An integer or bit takes its column's type.
    ///
    /// # Panics
    /// For a name that is no column of the view: a mistake in the source, which the walk over all views finds.
    pub(super) fn add(&mut self, values: impl IntoIterator<Item = (&'static str, Value)>) {
        let mut row = self.view.blank.clone();
        for (name, value) in values {
            let Some(at) = self.view.places.get(name) else {
                panic!("{} has no column {name}", self.view.decl.name);
            };
            row[*at] = fit(value, self.view.decl.columns[*at].ty);
        }
        self.rows.push(row);
    }
}

/// A value in the type of its column: integers and bits change their type as far as they fit, strings and binaries of
/// a fixed length are filled up, and nothing is longer than its column.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other values and types are as they are"
)]
fn fit(value: Value, ty: SqlType) -> Value {
    let number = match (value, ty) {
        (Value::Int(number), _) => i64::from(number),
        (Value::BigInt(number), _) => number,
        (Value::Bit(set), _) => i64::from(set),
        (Value::String(text), SqlType::Char(n) | SqlType::NChar(n)) => {
            let kept: String = text.chars().take(n.into()).collect();
            return Value::String(format!("{kept:width$}", width = usize::from(n)));
        }
        (
            Value::String(text),
            SqlType::NVarChar(Length::Limited(n)) | SqlType::VarChar(Length::Limited(n)),
        ) if text.chars().count() > usize::from(n) => {
            return Value::String(text.chars().take(n.into()).collect());
        }
        (Value::Binary(mut bytes), SqlType::Binary(n)) => {
            bytes.resize(n.into(), 0);
            return Value::Binary(bytes);
        }
        (value, _) => return value,
    };
    let upper = |max: i64| number.clamp(-max - 1, max);
    match ty {
        SqlType::Bit => Value::Bit(number != 0),
        SqlType::TinyInt => Value::TinyInt(u8::try_from(number.clamp(0, 255)).unwrap_or(0)),
        SqlType::SmallInt => Value::SmallInt(i16::try_from(upper(32_767)).unwrap_or(0)),
        SqlType::Int => Value::Int(i32::try_from(upper(i64::from(i32::MAX))).unwrap_or(0)),
        SqlType::BigInt => Value::BigInt(number),
        SqlType::SqlVariant => Value::Int(i32::try_from(upper(i64::from(i32::MAX))).unwrap_or(0)),
        _ => Value::BigInt(number),
    }
}
