//! The sheet of SQL Server's system views and table-valued functions: names, columns, types, order.
//!
//! `facts/system-views.txt` is the declaration itself, not a copy to compare with: what a client sees of a view's
//! columns is what the sheet says. A name at the start of a line begins a view, or a function when parameters follow
//! it in brackets; indented lines list columns as `name type`, with `?` where NULL may appear.

use std::sync::LazyLock;
use tsql::{Column, Length, SqlType};

const SHEET: &str = include_str!("../../facts/system-views.txt");

/// A view, or a function when it has parameters.
pub(crate) struct Entry {
    /// `sys` or `INFORMATION_SCHEMA`.
    pub(super) schema: &'static str,
    /// Name in its usual spelling.
    pub(super) name: &'static str,
    /// A function's parameters.
    pub(super) params: Option<Vec<(&'static str, SqlType)>>,
    /// Columns in order.
    pub(super) columns: Vec<(&'static str, SqlType, bool)>,
}

impl Entry {
    /// The columns in the engine's form.
    pub(super) fn engine_columns(&self) -> Vec<Column> {
        self.columns
            .iter()
            .map(|(name, ty, nullable)| Column {
                name: (*name).to_owned(),
                ty: *ty,
                nullable: *nullable,
            })
            .collect()
    }
}

/// Every entry of the sheet, in its order.
pub(super) fn entries() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| parse(SHEET));
    &ENTRIES
}

/// Tables of msdb that are empty here: they belong to what Muster has nothing of.
pub(super) fn empty_entries() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> =
        LazyLock::new(|| parse(include_str!("../../facts/msdb-views.txt")));
    &ENTRIES
}

fn parse(text: &'static str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut start = 0;
    let mut ends: Vec<(usize, usize)> = Vec::new();
    // Columns wrap anywhere, so each entry's body is taken as one piece of text.
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if !line.starts_with([' ', '#', '\n']) {
            entries.push(head(line.trim_end()));
            ends.push((end, end));
        } else if line.starts_with(' ')
            && let Some(last) = ends.last_mut()
        {
            last.1 = end;
        }
        start = end;
    }
    for (entry, (from, to)) in entries.iter_mut().zip(ends) {
        entry.columns = split(&text[from..to])
            .map(|column| {
                let (name, rest) = typed(column);
                match rest.strip_suffix('?') {
                    Some(ty) => (name, type_named(ty), true),
                    None => (name, type_named(rest), false),
                }
            })
            .collect();
    }
    entries
}

fn head(line: &'static str) -> Entry {
    let (path, params) = match line.split_once('(') {
        Some((path, params)) => (path, params.strip_suffix(')')),
        None => (line, None),
    };
    let (schema, name) = path.split_once('.').expect("the sheet names schema.view");
    Entry {
        schema,
        name,
        params: params.map(|params| {
            split(params)
                .map(|param| {
                    let (name, ty) = typed(param);
                    (name, type_named(ty.trim_end_matches('?')))
                })
                .collect()
        }),
        columns: Vec::new(),
    }
}

/// The parts between commas, but not within brackets.
fn split(text: &'static str) -> impl Iterator<Item = &'static str> {
    let mut depth = 0_u8;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

fn typed(part: &'static str) -> (&'static str, &'static str) {
    let (name, ty) = part
        .split_once(char::is_whitespace)
        .expect("the sheet gives each column a type");
    (name, ty.trim())
}

fn type_named(text: &str) -> SqlType {
    let (name, sizes) = match text.split_once('(') {
        Some((name, sizes)) => (name, sizes.trim_end_matches(')')),
        None => (text, ""),
    };
    let fits = "the sheet's sizes are numbers";
    let size = || sizes.parse::<u16>().expect(fits);
    let small = |text: &str| text.trim().parse::<u8>().expect(fits);
    let length = || match sizes {
        "max" => Length::Max,
        _ => Length::Limited(size()),
    };
    match name {
        "bit" => SqlType::Bit,
        "tinyint" => SqlType::TinyInt,
        "smallint" => SqlType::SmallInt,
        "int" => SqlType::Int,
        "bigint" => SqlType::BigInt,
        "decimal" | "numeric" => {
            let (precision, scale) = sizes.split_once(',').expect(fits);
            let (precision, scale) = (small(precision), small(scale));
            if name == "numeric" {
                SqlType::Numeric { precision, scale }
            } else {
                SqlType::Decimal { precision, scale }
            }
        }
        "real" => SqlType::Real,
        "float" => SqlType::Float,
        "char" => SqlType::Char(size()),
        "varchar" => SqlType::VarChar(length()),
        "text" => SqlType::Text,
        "nchar" => SqlType::NChar(size()),
        "nvarchar" => SqlType::NVarChar(length()),
        "sysname" => SqlType::SYSNAME,
        "ntext" => SqlType::NText,
        "binary" => SqlType::Binary(size()),
        "varbinary" => SqlType::VarBinary(length()),
        "image" => SqlType::Image,
        "datetime" => SqlType::DateTime,
        "datetime2" => SqlType::DateTime2(small(sizes)),
        "datetimeoffset" => SqlType::DateTimeOffset(small(sizes)),
        "time" => SqlType::Time(small(sizes)),
        "uniqueidentifier" => SqlType::UniqueIdentifier,
        "sql_variant" => SqlType::SqlVariant,
        "xml" => SqlType::Xml,
        other => panic!("the sheet names the type {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_entry_has_columns_and_its_own_name() {
        let mut names = BTreeSet::new();
        for entry in entries() {
            assert!(!entry.columns.is_empty(), "{}", entry.name);
            let unique: BTreeSet<_> = entry.columns.iter().map(|column| column.0).collect();
            assert_eq!(unique.len(), entry.columns.len(), "{}", entry.name);
            assert!(
                names.insert((entry.schema, entry.name.to_ascii_lowercase())),
                "{} is there twice",
                entry.name
            );
        }
        assert!(names.len() > 350);
    }

    #[test]
    fn lines_wrap_and_sizes_keep_their_commas() {
        let entries = parse(
            "# note\n\nsys.a\n  x int, y numeric(25,0)?,\n  z\n  nvarchar(max)?\nsys.f(@p int)\n  c bit\n",
        );
        let [view, function] = &entries[..] else {
            panic!("two entries")
        };
        assert_eq!(
            view.columns,
            [
                ("x", SqlType::Int, false),
                (
                    "y",
                    SqlType::Numeric {
                        precision: 25,
                        scale: 0
                    },
                    true
                ),
                ("z", SqlType::NVARCHAR_MAX, true),
            ]
        );
        assert_eq!(
            function.params.as_deref(),
            Some(&[("@p", SqlType::Int)][..])
        );
    }
}
