//! Cursors of T-SQL. Each is a snapshot, taken when it is opened.

use super::{Frame, Interpreter};
use crate::session::names::{Names, Scope};
use std::collections::BTreeMap;
use tsql::ast::{
    CursorDefinition, CursorRef, Expr, ExprKind, Fetch, FetchDirection, Ident, SelectStatement,
    Variable,
};
use tsql::bind::Binder;
use tsql::bind::ir::Query;
use tsql::convert::{self, Style};
use tsql::messages as m;
use tsql::{Column, Row, SqlError, SqlType, Value, fault};

/// Most cursors of a session.
pub(super) const CURSORS_MAX: usize = 1024;

/// CURSOR_STATUS of a cursor that is not open; an open one shows whether it has rows.
const CLOSED: i16 = -1;

/// The session's cursors.
#[derive(Default)]
pub(crate) struct Cursors {
    /// By key: the name in lower case, with `@level` behind it for a local one.
    known: BTreeMap<String, Cursor>,
    /// Cursors without a name of their own so far.
    anonymous: u64,
}

impl Cursors {
    /// About how many bytes the rows of open ones take.
    pub(crate) fn bytes(&self) -> u64 {
        self.known.values().map(|cursor| cursor.bytes).sum()
    }
}

struct Cursor {
    query: SelectStatement,
    /// Variables as they were when it was declared.
    scope: Scope,
    values: Vec<Value>,
    columns: Vec<Column>,
    scroll: bool,
    /// Nesting level of the text that it ends with; `None` for a global one.
    level: Option<u32>,
    /// Whether its name still refers to it.
    named: bool,
    rows: Option<Vec<Row>>,
    /// About how many bytes they take.
    bytes: u64,
    /// Row last fetched, from 1; 0 before the first, one more than there are behind the last.
    at: usize,
}

impl Interpreter<'_> {
    /// Local cursors of a text end with it.
    pub(super) fn drop_cursors(&mut self, level: u32) {
        let before = self.core.cursors.known.len();
        self.core
            .cursors
            .known
            .retain(|_, cursor| cursor.level.is_none_or(|own| own < level));
        if self.core.cursors.known.len() != before {
            self.show_cursors();
        }
    }

    /// Lets CURSOR_STATUS see the cursors as they are.
    fn show_cursors(&mut self) {
        let known = self.core.cursors.known.iter();
        let states = known
            .filter(|(_, cursor)| cursor.named)
            .map(|(key, cursor)| {
                let state = match &cursor.rows {
                    None => CLOSED,
                    Some(rows) => i16::from(!rows.is_empty()),
                };
                (key.clone(), state)
            })
            .collect();
        self.core.shared.facts().cursor_states = states;
    }

    /// `DECLARE name CURSOR …`
    pub(super) fn declare_cursor(
        &mut self,
        name: &Ident,
        definition: &CursorDefinition,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let local = definition.global == Some(false);
        let level = self.core.shared.facts().nest_level;
        let key = if local {
            local_key(&name.text, level)
        } else {
            name.text.to_lowercase()
        };
        if self.core.cursors.known.contains_key(&key) {
            return Err(m::CURSOR_EXISTS.with(&[&name.text]));
        }
        self.make_cursor(key, definition, local.then_some(level), frame)
    }

    /// `SET @c = CURSOR …`
    pub(super) fn set_cursor(
        &mut self,
        variable: &Variable,
        definition: &CursorDefinition,
        frame: &mut Frame,
    ) -> Result<(), SqlError> {
        let level = self.core.shared.facts().nest_level;
        self.core.cursors.anonymous += 1;
        let key = local_key(&format!("@{}", self.core.cursors.anonymous), level);
        self.make_cursor(key.clone(), definition, Some(level), frame)?;
        point(frame, variable, Some(key))
    }

    /// `SET @c = name` and `SET @c = @d`; false when `variable` is no cursor variable.
    pub(super) fn assign_cursor(
        &mut self,
        variable: &Variable,
        value: &Expr,
        frame: &mut Frame,
    ) -> Result<bool, SqlError> {
        let lower = variable.name.to_lowercase();
        if !frame.cursors.iter().any(|(name, _)| *name == lower) {
            return Ok(false);
        }
        let source = match &value.kind {
            ExprKind::Column(parts) if parts.len() == 1 => CursorRef::Named {
                global: false,
                name: parts[0].clone(),
            },
            ExprKind::Variable(other) => CursorRef::Variable(other.clone()),
            _ => return Err(m::INCORRECT_SYNTAX.with(&[&variable.name])),
        };
        let key = self.cursor_key(&source, frame)?;
        point(frame, variable, Some(key))?;
        Ok(true)
    }

    /// `OPEN cursor`
    pub(super) fn open_cursor(
        &mut self,
        cursor: &CursorRef,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let key = self.cursor_key(cursor, frame)?;
        self.touches_tables()?;
        let Some(known) = self.core.cursors.known.get(&key) else {
            return Err(unknown(cursor));
        };
        if known.rows.is_some() {
            return Err(m::CURSOR_OPEN.with(&[]));
        }
        // The query sees the variables of its declaration.
        let statement = known.query.clone();
        let seen = Frame {
            scope: known.scope.clone(),
            values: known.values.clone(),
            ..Frame::default()
        };
        let query = self.bound(&statement, &seen.scope)?;
        // All cursors together keep to the session's bound.
        let taken = self.core.cursors.bytes() + self.core.wire_cursors.bytes();
        let left = self.core.options.limits.temp_bytes.saturating_sub(taken);
        let (rows, bytes) = self.rows_of(&query, &seen, left)?;
        if let Some(known) = self.core.cursors.known.get_mut(&key) {
            known.rows = Some(rows);
            known.bytes = bytes;
            known.at = 0;
            let count = known.rows.as_ref().map_or(0, Vec::len);
            self.core.shared.facts().cursor_rows = i32::try_from(count).unwrap_or(i32::MAX);
        }
        self.show_cursors();
        Ok(())
    }

    /// `FETCH`: sets @@FETCH_STATUS; the number of rows.
    pub(super) fn fetch(&mut self, fetch: &Fetch, frame: &mut Frame) -> Result<u64, SqlError> {
        let key = self.cursor_key(&fetch.cursor, frame)?;
        let offset = match &fetch.direction {
            FetchDirection::Absolute(expr) | FetchDirection::Relative(expr) => self
                .value_as(expr, SqlType::BigInt, frame)?
                .as_i64()
                .unwrap_or(0),
            FetchDirection::Next
            | FetchDirection::Prior
            | FetchDirection::First
            | FetchDirection::Last => 0,
        };
        let Some(cursor) = self.core.cursors.known.get_mut(&key) else {
            return Err(unknown(&fetch.cursor));
        };
        let Some(rows) = &cursor.rows else {
            return Err(m::CURSOR_NOT_OPEN.with(&[]));
        };
        let name = direction_name(&fetch.direction);
        if !cursor.scroll && name != "next" {
            return Err(m::FETCH_FORWARD_ONLY.with(&["fetch", name]));
        }
        if !fetch.into.is_empty() && fetch.into.len() != cursor.columns.len() {
            return Err(m::FETCH_VARIABLES.with(&[]));
        }
        cursor.at = target(&fetch.direction, cursor.at, rows.len(), offset);
        let row = cursor
            .at
            .checked_sub(1)
            .and_then(|at| rows.get(at))
            .cloned();
        let columns = cursor.columns.clone();
        self.core.shared.facts().fetch_status = if row.is_some() { 0 } else { -1 };
        let count = u64::from(row.is_some());
        if fetch.into.is_empty() {
            self.sink.columns(&columns)?;
            if let Some(row) = row {
                self.sink.row(row)?;
            }
            self.done(frame, Some(count), true)?;
            return Ok(count);
        }
        for ((variable, value), column) in fetch
            .into
            .iter()
            .zip(row.into_iter().flatten())
            .zip(&columns)
        {
            let slot = frame
                .scope
                .slot(&variable.name)
                .ok_or_else(|| fault::undeclared_variable(&variable.name))?;
            let to = frame.scope.locals[slot].ty;
            frame.values[slot] = convert::convert(value, column.ty, to, Style::PLAIN)?;
        }
        Ok(count)
    }

    /// `CLOSE cursor`
    pub(super) fn close_cursor(
        &mut self,
        cursor: &CursorRef,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let key = self.cursor_key(cursor, frame)?;
        let known = self.core.cursors.known.get_mut(&key);
        let known = known.ok_or_else(|| unknown(cursor))?;
        if known.rows.take().is_none() {
            return Err(m::CURSOR_NOT_OPEN.with(&[]));
        }
        known.bytes = 0;
        self.show_cursors();
        Ok(())
    }

    /// `DEALLOCATE cursor`: a cursor goes with the last that refers to it.
    pub(super) fn deallocate_cursor(
        &mut self,
        cursor: &CursorRef,
        frame: &mut Frame,
    ) -> Result<(), SqlError> {
        let key = self.cursor_key(cursor, frame)?;
        match cursor {
            CursorRef::Variable(variable) => point(frame, variable, None)?,
            CursorRef::Named { .. } => {
                if let Some(known) = self.core.cursors.known.get_mut(&key) {
                    known.named = false;
                }
            }
        }
        let pointed = frame
            .cursors
            .iter()
            .any(|(_, target)| target.as_deref() == Some(key.as_str()));
        let named = self
            .core
            .cursors
            .known
            .get(&key)
            .is_some_and(|known| known.named);
        if !pointed && !named {
            self.core.cursors.known.remove(&key);
        }
        self.show_cursors();
        Ok(())
    }

    fn bound(&self, statement: &SelectStatement, scope: &Scope) -> Result<Query, SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope,
        };
        Binder::new(&names).select(statement.with.as_ref(), &statement.query)
    }

    fn make_cursor(
        &mut self,
        key: String,
        definition: &CursorDefinition,
        level: Option<u32>,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        // FOR UPDATE is for changes WHERE CURRENT OF the cursor, which are refused where they stand.
        if self.core.cursors.known.len() >= CURSORS_MAX {
            return Err(m::MEMORY_LIMIT.with(&["default"]));
        }
        let has = |option: &str| definition.options.iter().any(|known| known == option);
        let scroll = has("SCROLL")
            || ((has("STATIC") || has("KEYSET") || has("DYNAMIC")) && !has("FORWARD_ONLY"));
        // Names that are wrong are found now, not when the cursor is opened.
        let columns = self.bound(&definition.query, &frame.scope)?.columns;
        let cursor = Cursor {
            query: (*definition.query).clone(),
            scope: frame.scope.clone(),
            values: frame.values.clone(),
            columns,
            scroll,
            level,
            named: !key.starts_with('@'),
            rows: None,
            bytes: 0,
            at: 0,
        };
        self.core.cursors.known.insert(key, cursor);
        self.show_cursors();
        Ok(())
    }

    /// Key of the cursor that is meant: a local one first.
    fn cursor_key(&self, cursor: &CursorRef, frame: &Frame) -> Result<String, SqlError> {
        match cursor {
            CursorRef::Named { global, name } => {
                let level = self.core.shared.facts().nest_level;
                let local = local_key(&name.text, level);
                let reachable = |key: &String| {
                    let known = self.core.cursors.known.get(key);
                    known.is_some_and(|cursor| cursor.named)
                };
                [local, name.text.to_lowercase()]
                    .into_iter()
                    .skip(usize::from(*global))
                    .find(reachable)
                    .ok_or_else(|| unknown(cursor))
            }
            CursorRef::Variable(variable) => {
                let lower = variable.name.to_lowercase();
                let mut known = frame.cursors.iter();
                known
                    .find(|(name, _)| *name == lower)
                    .and_then(|(_, key)| key.clone())
                    .ok_or_else(|| m::CURSOR_VARIABLE_EMPTY.with(&[&variable.name]))
            }
        }
    }
}

/// Lets a cursor variable stand for a cursor.
fn point(frame: &mut Frame, variable: &Variable, key: Option<String>) -> Result<(), SqlError> {
    let lower = variable.name.to_lowercase();
    match frame.cursors.iter_mut().find(|(name, _)| *name == lower) {
        Some((_, target)) => {
            *target = key;
            Ok(())
        }
        None => Err(fault::undeclared_variable(&variable.name)),
    }
}

pub(crate) fn local_key(name: &str, level: u32) -> String {
    format!("{}@{level}", name.to_lowercase())
}

fn unknown(cursor: &CursorRef) -> SqlError {
    let name = match cursor {
        CursorRef::Named { name, .. } => &name.text,
        CursorRef::Variable(variable) => &variable.name,
    };
    m::UNKNOWN_CURSOR.with(&[name])
}

fn direction_name(direction: &FetchDirection) -> &'static str {
    match direction {
        FetchDirection::Next => "next",
        FetchDirection::Prior => "prior",
        FetchDirection::First => "first",
        FetchDirection::Last => "last",
        FetchDirection::Absolute(_) => "absolute",
        FetchDirection::Relative(_) => "relative",
    }
}

/// The row that a FETCH leads to, from 1; 0 and `rows + 1` are before and behind all rows.
fn target(direction: &FetchDirection, at: usize, rows: usize, offset: i64) -> usize {
    let from = |base: usize, offset: i64| -> usize {
        let steps = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        let moved = if offset < 0 {
            base.saturating_sub(steps)
        } else {
            base.saturating_add(steps)
        };
        moved.min(rows + 1)
    };
    match direction {
        FetchDirection::Next => from(at, 1),
        FetchDirection::Prior => from(at, -1),
        FetchDirection::First => 1,
        FetchDirection::Last => rows,
        FetchDirection::Absolute(_) if offset < 0 => from(rows + 1, offset),
        FetchDirection::Absolute(_) => from(0, offset),
        FetchDirection::Relative(_) => from(at, offset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_fetch_leads() {
        let expr = || Expr {
            span: tsql::ast::Span::default(),
            kind: ExprKind::Default,
        };
        for (direction, at, rows, offset, expected) in [
            (FetchDirection::Next, 0, 2, 0, 1),
            (FetchDirection::Next, 2, 2, 0, 3),
            (FetchDirection::Next, 3, 2, 0, 3),
            (FetchDirection::Prior, 3, 2, 0, 2),
            (FetchDirection::Prior, 0, 2, 0, 0),
            (FetchDirection::First, 2, 2, 0, 1),
            (FetchDirection::Last, 0, 2, 0, 2),
            (FetchDirection::Last, 0, 0, 0, 0),
            (FetchDirection::Absolute(expr()), 1, 5, 3, 3),
            (FetchDirection::Absolute(expr()), 1, 5, -1, 5),
            (FetchDirection::Absolute(expr()), 1, 5, 9, 6),
            (FetchDirection::Absolute(expr()), 1, 5, -9, 0),
            (FetchDirection::Relative(expr()), 2, 5, 2, 4),
            (FetchDirection::Relative(expr()), 2, 5, -3, 0),
        ] {
            assert_eq!(
                target(&direction, at, rows, offset),
                expected,
                "{direction:?}"
            );
        }
    }
}
