//! FOR XML and FOR JSON: a query over the rows of the query that they end.

use super::Binder;
use super::ir::{
    Aggregate, AggregateKind, Body, Item, Limit, Query, Select, Source, TypedExpr, TypedKind,
};
use super::query::Place;
use crate::ast::{self, ForClause, XmlMode};
use crate::document::{Form, FormColumn};
use crate::error::SqlError;
use crate::fault;
use crate::json::{JsonForm, is_json_text};
use crate::messages as m;
use crate::types::{Column, SqlType};
use crate::xml::XmlForm;
use std::sync::Arc;

/// Name of the column that FOR XML gives, as clients know it.
const XML_COLUMN: &str = "XML_F52E2B61-18A1-11d1-B105-00805F49916B";
/// As [`XML_COLUMN`], for FOR JSON.
const JSON_COLUMN: &str = "JSON_F52E2B61-18A1-11d1-B105-00805F49916B";

impl Binder<'_> {
    /// A query with FOR XML or FOR JSON: one row with the document.
    pub(super) fn document(
        &mut self,
        query: &ast::Query,
        clause: &ForClause,
        place: Place,
    ) -> Result<Query, SqlError> {
        let word = match clause {
            ForClause::Xml(_) => "XML",
            ForClause::Json(_) => "JSON",
            ForClause::Browse => return Err(fault::not_supported("FOR BROWSE")),
        };
        if let ast::QueryBody::Select(select) = &query.body {
            let assigns = select.items.iter();
            let assigns = assigns.filter(|item| matches!(item, ast::SelectItem::Assign { .. }));
            if assigns.count() > 0 {
                return Err(m::FOR_XML_PLACE.with(&[word, "ASSIGNMENT"]));
            }
        }
        let rows = self.query_rows(query, Place::Document)?;
        let entries = std::mem::take(&mut self.bound_entries);
        let auto = match clause {
            ForClause::Xml(xml) => xml.mode == XmlMode::Auto,
            ForClause::Json(json) => json.auto,
            ForClause::Browse => false,
        };
        let mut tables: Vec<(u32, String)> = Vec::new();
        let mut columns = Vec::with_capacity(rows.columns.len());
        for (at, column) in rows.columns.iter().enumerate() {
            let item = match &rows.body {
                Body::Select(select) => select.items.get(at).map(|item| &item.expr),
                Body::Set { .. } | Body::Values(_) => None,
            };
            let mut level = tables.len().saturating_sub(1);
            if auto
                && let Some(TypedKind::Column { source, .. }) = item.map(|item| &item.kind)
                && let Some((_, name)) = entries.iter().find(|(id, _)| id == source)
            {
                let known = tables.iter().position(|(id, _)| id == source);
                level = known.unwrap_or_else(|| {
                    tables.push((*source, name.clone()));
                    tables.len() - 1
                });
            }
            columns.push(FormColumn {
                name: column.name.clone(),
                ty: column.ty,
                level,
                json: item.is_some_and(is_json),
            });
        }
        let tables: Vec<String> = tables.into_iter().map(|(_, name)| name).collect();
        let statement = place == Place::Statement;
        let (form, name, ty, absent) = match clause {
            ForClause::Xml(xml) => {
                let namespaces = self.namespaces.clone();
                let form = XmlForm::new(xml, &columns, &tables, namespaces)
                    .map_err(|error| error.at_line(xml.span.line))?;
                let (name, ty) = match (xml.typed, statement) {
                    (true, _) => ("", SqlType::Xml),
                    (false, true) => (XML_COLUMN, SqlType::NText),
                    (false, false) => ("", SqlType::NVARCHAR_MAX),
                };
                (Form::Xml(form), name, ty, statement && !xml.typed)
            }
            ForClause::Json(json) => {
                let form = JsonForm::new(json, &columns, &tables)
                    .map_err(|error| error.at_line(json.span.line))?;
                let name = if statement { JSON_COLUMN } else { "" };
                (Form::Json(form), name, SqlType::NVARCHAR_MAX, statement)
            }
            ForClause::Browse => return Err(fault::not_supported("FOR BROWSE")),
        };
        let id = self.new_source();
        let args = rows
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| TypedExpr {
                kind: TypedKind::Column {
                    source: id,
                    column: at,
                },
                ty: column.ty,
                nullable: column.nullable,
            });
        let whole = TypedExpr {
            kind: TypedKind::Aggregate(Box::new(Aggregate {
                kind: AggregateKind::Document,
                args: args.collect(),
                distinct: false,
                order: Vec::new(),
                form: Some(Arc::new(form)),
            })),
            ty,
            nullable: true,
        };
        // Without rows a statement has no document, and a subquery a NULL.
        let having = absent.then(|| super::expr::is_null(whole.clone(), true));
        Ok(Query {
            ctes: Vec::new(),
            columns: vec![Column::nullable(name, ty)],
            body: Body::Select(Box::new(Select {
                distinct: false,
                items: vec![Item {
                    expr: whole,
                    name: name.to_owned(),
                    assign: None,
                }],
                from: Some(Source::Query {
                    id,
                    query: Box::new(rows),
                }),
                filter: None,
                group: Vec::new(),
                grouped: true,
                having,
            })),
            order: Vec::new(),
            limit: Limit::default(),
        })
    }

    /// The namespaces of WITH XMLNAMESPACES: prefix, empty for the default, and URI.
    pub(super) fn declare_namespaces(&mut self, with: &ast::With) -> Result<(), SqlError> {
        for namespace in &with.namespaces {
            let prefix = namespace.prefix.as_ref().map_or("", |prefix| &prefix.text);
            if self.namespaces.iter().any(|(known, _)| known == prefix) {
                return Err(m::NAMESPACE_TWICE.with(&[prefix]));
            }
            self.namespaces
                .push((prefix.to_owned(), namespace.uri.clone()));
        }
        Ok(())
    }
}

/// Whether an expression gives JSON: a function that does, or FOR JSON with its brackets.
fn is_json(expr: &TypedExpr) -> bool {
    match &expr.kind {
        TypedKind::Subquery(query) => match &query.body {
            Body::Select(select) => select.items.first().is_some_and(|item| {
                matches!(&item.expr.kind, TypedKind::Aggregate(aggregate)
                    if matches!(aggregate.form.as_deref(), Some(Form::Json(form)) if form.is_array()))
            }),
            Body::Set { .. } | Body::Values(_) => false,
        },
        _ => is_json_text(expr),
    }
}
