//! FOR JSON: PATH and AUTO.
//!
//! Source: "Format Query Results as JSON with FOR JSON".

use super::path::same_name;
use super::quote;
use crate::ast::ForJson;
use crate::convert;
use crate::document::{FormColumn, lexical};
use crate::error::SqlError;
use crate::messages as m;
use crate::types::SqlType;
use crate::value::Value;

/// A FOR JSON clause over the columns of its query.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonForm {
    /// Columns, each with the objects around it.
    columns: Vec<Placed>,
    /// Names of the tables of AUTO; one level without a name for PATH.
    tables: Vec<String>,
    root: Option<String>,
    nulls: bool,
    array: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Placed {
    path: Vec<String>,
    ty: SqlType,
    level: usize,
    json: bool,
}

impl JsonForm {
    /// Checks the clause against the columns. `tables` are the names of the levels of AUTO.
    ///
    /// # Errors
    /// 13601, 13605 and 13620 for columns and options that do not fit.
    pub fn new(
        clause: &ForJson,
        columns: &[FormColumn],
        tables: &[String],
    ) -> Result<Self, SqlError> {
        if clause.root.is_some() && clause.without_array {
            return Err(m::JSON_WITHOUT_ARRAY_ROOT.with(&[]));
        }
        let mut placed: Vec<Placed> = Vec::with_capacity(columns.len());
        for column in columns {
            if column.name.is_empty() {
                return Err(m::FOR_JSON_UNNAMED.with(&[]));
            }
            let path: Vec<String> = if clause.auto {
                vec![column.name.clone()]
            } else {
                column.name.split('.').map(str::to_owned).collect()
            };
            let level = if clause.auto { column.level } else { 0 };
            // A name is free only where its object is still being written.
            let clash = placed.iter().enumerate().any(|(at, other)| {
                let common = shared(&other.path, &path);
                let ends = common == other.path.len() || common == path.len();
                let left = placed[at + 1..]
                    .iter()
                    .any(|between| shared(&between.path, &path) < common);
                other.level == level && (ends || common > 0 && left)
            });
            if clash {
                return Err(m::FOR_JSON_PROPERTY.with(&[&column.name]));
            }
            placed.push(Placed {
                path,
                ty: column.ty,
                level,
                json: column.json,
            });
        }
        let root = clause.root.as_ref();
        Ok(Self {
            columns: placed,
            tables: if clause.auto && !tables.is_empty() {
                tables.to_vec()
            } else {
                vec![String::new()]
            },
            root: root.map(|name| name.clone().unwrap_or_else(|| "root".to_owned())),
            nulls: clause.include_nulls,
            array: !clause.without_array,
        })
    }
}

impl JsonForm {
    /// Whether the rows stand in brackets: what nests as JSON.
    pub(crate) fn is_array(&self) -> bool {
        self.array
    }
}

fn shared(a: &[String], b: &[String]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| same_name(a, b)).count()
}

/// Writes rows.
#[derive(Debug, Default)]
pub(crate) struct JsonWriter {
    out: String,
    /// The row before, for AUTO.
    last: Option<Vec<Value>>,
}

impl JsonWriter {
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn row(&mut self, form: &JsonForm, values: &[Value]) {
        let deepest = form.tables.len() - 1;
        let first = match &self.last {
            None => 0,
            Some(last) => {
                let same = |level: usize| {
                    let pairs = form.columns.iter().zip(last).zip(values);
                    pairs
                        .filter(|((column, _), _)| column.level == level)
                        .all(|((_, before), now)| before == now)
                };
                (0..deepest).find(|level| !same(*level)).unwrap_or(deepest)
            }
        };
        if self.last.is_some() {
            // What is open below the first level that changes ends here.
            for _ in first..deepest {
                self.out.push_str("}]");
            }
            self.out.push_str("},");
        }
        for level in first..=deepest {
            if level > first {
                if !self.out.ends_with('{') {
                    self.out.push(',');
                }
                quote(&form.tables[level], &mut self.out);
                self.out.push_str(":[");
            }
            self.object(form, level, values);
        }
        self.last = Some(values.to_vec());
    }

    /// The members of one level's object; its end is written with the next row.
    fn object(&mut self, form: &JsonForm, level: usize, values: &[Value]) {
        self.out.push('{');
        let mut open: Vec<&str> = Vec::new();
        for (column, value) in form.columns.iter().zip(values) {
            if column.level != level || value.is_null() && !form.nulls {
                continue;
            }
            let Some((name, around)) = column.path.split_last() else {
                continue;
            };
            let common = open.iter().zip(around).take_while(|(a, b)| *a == b).count();
            for _ in open.drain(common..) {
                self.out.push('}');
            }
            for object in &around[common..] {
                self.comma();
                quote(object, &mut self.out);
                self.out.push_str(":{");
                open.push(object);
            }
            self.comma();
            quote(name, &mut self.out);
            self.out.push(':');
            self.value(column, value);
        }
        for _ in open {
            self.out.push('}');
        }
    }

    fn comma(&mut self) {
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
    }

    fn value(&mut self, column: &Placed, value: &Value) {
        let shown = if column.ty == SqlType::SqlVariant {
            convert::type_of(value)
        } else {
            column.ty
        };
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bit(v) => self.out.push_str(if *v { "true" } else { "false" }),
            _ if column.json || convert::is_number(shown) => {
                self.out.push_str(&lexical(value, column.ty));
            }
            _ => quote(&lexical(value, column.ty), &mut self.out),
        }
    }

    pub(crate) fn finish(mut self, form: &JsonForm) -> String {
        for _ in 1..form.tables.len() {
            self.out.push_str("}]");
        }
        self.out.push('}');
        let mut whole = String::with_capacity(self.out.len() + 16);
        if let Some(root) = &form.root {
            whole.push('{');
            quote(root, &mut whole);
            whole.push(':');
        }
        if form.array {
            whole.push('[');
        }
        whole.push_str(&self.out);
        if form.array {
            whole.push(']');
        }
        if form.root.is_some() {
            whole.push('}');
        }
        whole
    }
}
