//! FOR XML: RAW, AUTO and PATH.
//!
//! Source: "FOR XML (SQL Server)", "Use PATH Mode with FOR XML", "Use RAW Mode with FOR XML".

use super::escape;
use crate::ast::{ForXml, XmlMode};
use crate::document::{FormColumn, lexical};
use crate::error::SqlError;
use crate::fault;
use crate::messages as m;
use crate::types::SqlType;
use crate::value::Value;

/// The namespace of xsi:nil.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A FOR XML clause over the columns of its query.
#[derive(Debug, Clone, PartialEq)]
pub struct XmlForm {
    columns: Vec<Placed>,
    /// What encloses all rows.
    root: Option<String>,
    /// Element of a row, in RAW and PATH; elements of the tables, in AUTO.
    rows: Rows,
    /// Whether the result is of the type xml.
    typed: bool,
    /// ELEMENTS XSINIL
    nil: bool,
    /// WITH XMLNAMESPACES: prefix, empty for the default, and URI.
    namespaces: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Rows {
    /// One element for each row; none with an empty name.
    Tag(Option<String>),
    /// One for each table, nested.
    Nested(Vec<String>),
}

/// Where a column's value goes, inside its row.
#[derive(Debug, Clone, PartialEq)]
struct Placed {
    path: Vec<String>,
    leaf: Leaf,
    ty: SqlType,
    level: usize,
    /// As messages name it.
    name: String,
}

#[derive(Debug, Clone, PartialEq)]
enum Leaf {
    Text,
    /// `data()`: values side by side have a blank between them.
    Data,
    Attribute(String),
    Comment,
    Instruction(String),
}

impl XmlForm {
    /// Checks the clause against the columns. `tables` are the names of the levels of AUTO.
    ///
    /// # Errors
    /// 6809, 6810, 6850, 6852 and 6864 for columns that do not fit, 40517 for EXPLICIT and schemas.
    pub fn new(
        clause: &ForXml,
        columns: &[FormColumn],
        tables: &[String],
        namespaces: Vec<(String, String)>,
    ) -> Result<Self, SqlError> {
        if clause.schema {
            return Err(fault::not_supported("FOR XML with a schema"));
        }
        let by_path = matches!(clause.mode, XmlMode::Path(_));
        let rows = match &clause.mode {
            XmlMode::Raw(name) => Rows::Tag(Some(name.clone().unwrap_or_else(|| "row".to_owned()))),
            XmlMode::Path(name) => {
                let name = name.clone().unwrap_or_else(|| "row".to_owned());
                Rows::Tag(Some(name).filter(|name| !name.is_empty()))
            }
            XmlMode::Auto => {
                if tables.is_empty() || tables.iter().any(String::is_empty) {
                    return Err(m::FOR_XML_UNNAMED.with(&[]));
                }
                Rows::Nested(tables.iter().map(|name| escape::name(name)).collect())
            }
            XmlMode::Explicit => return Err(fault::not_supported("FOR XML EXPLICIT")),
        };
        let mut placed = Vec::with_capacity(columns.len());
        for column in columns {
            let (path, leaf) = if by_path {
                path_of(&column.name)?
            } else if column.name.is_empty() {
                return Err(m::FOR_XML_UNNAMED.with(&[]));
            } else if clause.elements || column.ty == SqlType::Xml {
                (vec![escape::name(&column.name)], Leaf::Text)
            } else {
                (Vec::new(), Leaf::Attribute(escape::name(&column.name)))
            };
            placed.push(Placed {
                path,
                leaf,
                ty: column.ty,
                level: column.level,
                name: column.name.clone(),
            });
        }
        check_attributes(&placed, &rows)?;
        let root = clause
            .root
            .as_ref()
            .map(|name| escape::name(name.as_deref().unwrap_or("root")));
        Ok(Self {
            columns: placed,
            root,
            rows,
            typed: clause.typed,
            nil: clause.xsinil,
            namespaces,
        })
    }
}

/// A column's name in PATH mode.
fn path_of(name: &str) -> Result<(Vec<String>, Leaf), SqlError> {
    let mut steps: Vec<&str> = name.split('/').collect();
    let last = steps.pop().unwrap_or_default();
    let leaf = match last {
        "" | "*" | "node()" | "text()" => Leaf::Text,
        "data()" => Leaf::Data,
        "comment()" => Leaf::Comment,
        _ => {
            let target = last
                .strip_prefix("processing-instruction(")
                .and_then(|rest| rest.strip_suffix(')'));
            if let Some(target) = target {
                Leaf::Instruction(target.to_owned())
            } else if let Some(attribute) = last.strip_prefix('@') {
                Leaf::Attribute(checked(attribute, name)?)
            } else {
                let mut path = Vec::with_capacity(steps.len() + 1);
                for step in steps.iter().chain([&last]) {
                    path.push(checked(step, name)?);
                }
                return Ok((path, Leaf::Text));
            }
        }
    };
    let path: Result<Vec<String>, SqlError> =
        steps.iter().map(|step| checked(step, name)).collect();
    Ok((path?, leaf))
}

/// An element's or attribute's name, with a prefix or without.
fn checked(step: &str, column: &str) -> Result<String, SqlError> {
    let bad = |c: char| {
        let code = format!("{:04X}", u32::from(c));
        Err(m::FOR_XML_NAME.with(&[column, &c.to_string(), &code]))
    };
    if step.is_empty() {
        return bad('/');
    }
    if let Some(c) = step.chars().find(|c| matches!(c, '@' | '(' | ')' | '*')) {
        return bad(c);
    }
    let parts: Vec<String> = step.splitn(2, ':').map(escape::name).collect();
    Ok(parts.join(":"))
}

/// Attributes come before what else their element holds, and once each.
fn check_attributes(columns: &[Placed], rows: &Rows) -> Result<(), SqlError> {
    let mut seen: Vec<(usize, &[String], &str)> = Vec::new();
    let mut before: Option<&Placed> = None;
    for column in columns {
        if let Leaf::Attribute(name) = &column.leaf {
            if column.path.is_empty() && *rows == Rows::Tag(None) {
                return Err(m::FOR_XML_ROW_TAG.with(&[]));
            }
            let key = (column.level, column.path.as_slice(), name.as_str());
            if seen.contains(&key) {
                return Err(m::FOR_XML_REPEATED.with(&[name]));
            }
            seen.push(key);
            // In PATH mode the element must still be in its start tag.
            let late = before.is_some_and(|before| {
                let inside = before.path.starts_with(&column.path);
                let same = before.path.len() == column.path.len();
                inside && !(same && matches!(before.leaf, Leaf::Attribute(_)))
            });
            if late && column.name.contains('@') {
                return Err(m::FOR_XML_ATTRIBUTE_ORDER.with(&[&column.name]));
            }
        }
        before = Some(column);
    }
    Ok(())
}

/// Writes rows.
#[derive(Debug, Default)]
pub(crate) struct XmlWriter {
    out: String,
    /// Names of the elements around what is written next.
    stack: Vec<String>,
    /// How many of them have their start tag.
    written: usize,
    /// Whether the last start tag still takes attributes.
    in_tag: bool,
    /// Whether the last thing written was a value of `data()`.
    after_data: bool,
    /// The row before, for AUTO.
    last: Option<Vec<Value>>,
}

impl XmlWriter {
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn row(&mut self, form: &XmlForm, values: &[Value]) -> Result<(), SqlError> {
        let base: Vec<String> = form.root.iter().cloned().collect();
        match &form.rows {
            Rows::Tag(tag) => {
                self.go(&base);
                let mut inside = base;
                inside.extend(tag.clone());
                self.go(&inside);
                self.start(form);
                for (column, value) in form.columns.iter().zip(values) {
                    self.column(form, column, value, &inside)?;
                }
                if tag.is_some() {
                    self.go(&inside[..inside.len() - 1]);
                }
            }
            Rows::Nested(tables) => {
                // Elements of the outer tables stay open while their rows repeat.
                let same = |level: usize| {
                    self.last.as_ref().is_some_and(|last| {
                        let pairs = form.columns.iter().zip(last).zip(values);
                        pairs
                            .filter(|((column, _), _)| column.level == level)
                            .all(|((_, before), now)| before == now)
                    })
                };
                let first = (0..tables.len())
                    .find(|level| *level + 1 == tables.len() || !same(*level))
                    .unwrap_or(0);
                let mut inside = base;
                inside.extend(tables[..first].iter().cloned());
                self.go(&inside);
                for (level, table) in tables.iter().enumerate().skip(first) {
                    inside.push(table.clone());
                    self.go(&inside);
                    self.start(form);
                    for (column, value) in form.columns.iter().zip(values) {
                        if column.level == level {
                            self.column(form, column, value, &inside)?;
                        }
                    }
                    self.go(&inside);
                }
                self.last = Some(values.to_vec());
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> String {
        self.go(&[]);
        self.out
    }

    /// Makes a path the surroundings: closes what does not belong to it, and leaves the rest to be opened.
    fn go(&mut self, path: &[String]) {
        let common = self
            .stack
            .iter()
            .zip(path)
            .take_while(|(a, b)| a == b)
            .count();
        while self.stack.len() > common {
            let name = self.stack.pop().unwrap_or_default();
            if self.written > self.stack.len() {
                self.written = self.stack.len();
                self.after_data = false;
                if std::mem::take(&mut self.in_tag) {
                    self.out.push_str("/>");
                } else {
                    self.out.push_str(&format!("</{name}>"));
                }
            }
        }
        self.stack.extend(path[common..].iter().cloned());
    }

    /// Writes the start tags that are still missing.
    fn start(&mut self, form: &XmlForm) {
        while self.written < self.stack.len() {
            self.end_tag();
            self.after_data = false;
            self.out.push('<');
            self.out.push_str(&self.stack[self.written]);
            if self.written == 0 {
                let nil = form.nil.then(|| ("xsi".to_owned(), XSI.to_owned()));
                for (prefix, uri) in form.namespaces.iter().chain(&nil) {
                    let colon = if prefix.is_empty() { "" } else { ":" };
                    self.out.push_str(&format!(" xmlns{colon}{prefix}=\""));
                    escape::attribute(uri, &mut self.out);
                    self.out.push('"');
                }
            }
            self.in_tag = true;
            self.written += 1;
        }
    }

    fn end_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push('>');
        }
    }

    fn column(
        &mut self,
        form: &XmlForm,
        column: &Placed,
        value: &Value,
        row: &[String],
    ) -> Result<(), SqlError> {
        let mut path = row.to_vec();
        path.extend(column.path.iter().cloned());
        self.go(&path);
        if value.is_null() {
            if form.nil && column.leaf == Leaf::Text && !column.path.is_empty() {
                self.start(form);
                self.out.push_str(" xsi:nil=\"true\"");
            }
            return Ok(());
        }
        self.start(form);
        if let Value::Xml(xml) = value
            && !matches!(column.leaf, Leaf::Attribute(_))
        {
            if !xml.is_empty() {
                self.end_tag();
            }
            self.after_data = false;
            self.out.push_str(xml);
            return Ok(());
        }
        let text = lexical(value, column.ty);
        if form.typed
            && let Some(bad) = text.chars().find(|c| !escape::is_xml(*c))
        {
            let name = if column.name.is_empty() {
                "NoName"
            } else {
                &column.name
            };
            let code = format!("{:04X}", u32::from(bad));
            return Err(m::FOR_XML_CHARACTER.with(&[name, &code]));
        }
        match &column.leaf {
            Leaf::Attribute(name) => {
                self.out.push_str(&format!(" {name}=\""));
                escape::attribute(&text, &mut self.out);
                self.out.push('"');
            }
            Leaf::Text | Leaf::Data => {
                if !(form.typed && text.is_empty()) {
                    self.end_tag();
                }
                let data = column.leaf == Leaf::Data;
                if data && self.after_data {
                    self.out.push(' ');
                }
                self.after_data = data;
                if form.typed {
                    escape::kept_text(&text, &mut self.out);
                } else {
                    escape::text(&text, &mut self.out);
                }
            }
            Leaf::Comment => {
                self.end_tag();
                self.out.push_str(&format!("<!--{text}-->"));
            }
            Leaf::Instruction(target) => {
                self.end_tag();
                self.out.push_str(&escape::instruction(target, &text));
            }
        }
        Ok(())
    }
}
