//! INSERT into views: into the table behind one, or to its INSTEAD OF trigger.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "rows come into one kind of view"
)]

use super::stage::Verb;
use super::{Frame, Interpreter};
use crate::session::names::Names;
use crate::session::tables::OwnTable;
use std::sync::Arc;
use tsql::ast::{DmlTarget, Ident, Insert, ObjectName, TableSource};
use tsql::bind::Binder;
use tsql::bind::ir::{Body, Query, Source, TypedKind};
use tsql::{SqlError, fault, messages};

impl Interpreter<'_> {
    /// The table that an INSERT fills, and the columns that it gives values for.
    pub(super) fn insert_into(
        &self,
        insert: &Insert,
        frame: &Frame,
    ) -> Result<(Arc<OwnTable>, Vec<usize>), SqlError> {
        if let DmlTarget::Table { name, .. } = &insert.target
            && !self.is_own_name(name, frame)
            && let Some(found) = self.view_of(name)?
        {
            self.core.shared.may_use(&found, Verb::Insert.name())?;
            let view = self.core.shared.permanent_table(&found)?;
            if self.is_instead(&view, Verb::Insert) {
                let columns = self.insert_columns(&view, &insert.columns)?;
                return Ok((view, columns));
            }
            // Who may change the view may change the table behind it, where one owner has both.
            let shared = &self.core.shared;
            let _chain = shared.chained(&found.database_name, found.owner());
            return self.insert_behind(name, &view, &insert.columns, frame);
        }
        let table = self.own_target(&insert.target, frame, Verb::Insert.name())?;
        let columns = self.insert_columns(&table, &insert.columns)?;
        Ok((table, columns))
    }

    /// Whether a name means `inserted` or `deleted` of a trigger.
    fn is_own_name(&self, name: &ObjectName, frame: &Frame) -> bool {
        name.as_bare().is_some_and(|bare| {
            let mut tables = frame.scope.tables.iter();
            tables.any(|(known, _)| known.eq_ignore_ascii_case(&bare.text))
        })
    }

    /// The table behind a view, and which of its columns those named of the view are.
    fn insert_behind(
        &self,
        name: &ObjectName,
        view: &OwnTable,
        listed: &[Ident],
        frame: &Frame,
    ) -> Result<(Arc<OwnTable>, Vec<usize>), SqlError> {
        let names = Names {
            shared: &self.core.shared,
            scope: &frame.scope,
        };
        let mut binder = Binder::new(&names);
        binder.open_from(&[])?;
        let source = binder.add_source(&TableSource::Table {
            name: name.clone(),
            alias: None,
            hints: Vec::new(),
        })?;
        let behind = match &source {
            Source::Query { query, .. } => behind(query),
            _ => None,
        };
        let (key, places) = behind.ok_or_else(|| messages::NOT_UPDATABLE.with(&[&view.name]))?;
        let table = self.own(key, Verb::Insert.name())?;
        let place = |name: &Ident| {
            let at = view
                .position(&name.text)
                .ok_or_else(|| fault::invalid_column(&name.text).at_line(name.span.line))?;
            let column = places.get(at).copied().flatten();
            let column = column.and_then(|at| table.columns.get(at));
            let column = column.ok_or_else(|| messages::DERIVED_COLUMN.with(&[&view.name]))?;
            Ok(Ident {
                text: column.column.name.clone(),
                ..name.clone()
            })
        };
        let all: Vec<Ident>;
        let listed = if listed.is_empty() {
            all = view
                .columns
                .iter()
                .zip(&places)
                .filter(|(_, place)| {
                    // As in an INSERT that names no columns of the table.
                    place.is_none_or(|at| {
                        table.identity != Some(at) && table.columns[at].computed.is_none()
                    })
                })
                .map(|(own, _)| Ident {
                    text: own.column.name.clone(),
                    quoted: true,
                    span: name.span,
                })
                .collect();
            &all
        } else {
            listed
        };
        let columns = listed
            .iter()
            .map(place)
            .collect::<Result<Vec<_>, SqlError>>()?;
        let columns = self.insert_columns(&table, &columns)?;
        Ok((table, columns))
    }
}

/// The one table that a query reads, and which of its columns each column of the query is.
fn behind(query: &Query) -> Option<(u32, Vec<Option<usize>>)> {
    let Body::Select(select) = &query.body else {
        return None;
    };
    if select.distinct || select.grouped || query.limit.top.is_some() || !query.ctes.is_empty() {
        return None;
    }
    let (id, key, inner) = match select.from.as_ref()? {
        Source::Table { id, key } => (*id, *key, None),
        Source::Query { id, query } => {
            let (key, places) = behind(query)?;
            (*id, key, Some(places))
        }
        _ => return None,
    };
    let places = select.items.iter().map(|item| match item.expr.kind {
        TypedKind::Column { source, column } if source == id => match &inner {
            None => Some(column),
            Some(places) => places.get(column).copied().flatten(),
        },
        _ => None,
    });
    Some((key, places.collect()))
}
