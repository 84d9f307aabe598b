//! OPENJSON.

use super::coerce::coerce;
use super::expr::text;
use super::ir::{Source, TypedExpr};
use super::query::named_columns;
use super::types::{DefaultLength, resolve_type};
use super::{Binder, Entry};
use crate::ast::{ColumnDef, ColumnKind, FunctionCall, TableAlias};
use crate::error::SqlError;
use crate::fault;
use crate::json::{JsonColumn, OpenJson};
use crate::rowset::{Json, Rowset};
use crate::types::SqlType;
use crate::value::Value;

impl Binder<'_> {
    /// `OPENJSON(text [, path]) [WITH (name type [path] [AS JSON], …)] [AS t [(columns)]]`
    pub(super) fn open_json(
        &mut self,
        call: &FunctionCall,
        columns: &[ColumnDef],
        alias: Option<&TableAlias>,
    ) -> Result<Source, SqlError> {
        if !(1..=2).contains(&call.args.len()) {
            return Err(fault::argument_range("OPENJSON", 1, 2));
        }
        let mut args = Vec::with_capacity(2);
        for arg in &call.args {
            let bound = text(self.expr(arg)?)?;
            args.push(coerce(bound, SqlType::NVARCHAR_MAX)?);
        }
        if args.len() < 2 {
            let whole = TypedExpr::constant(Value::string("$"), SqlType::NVARCHAR_MAX);
            args.push(whole);
        }
        let mut wanted = Vec::with_capacity(columns.len());
        for column in columns {
            let ColumnKind::Typed(ty) = &column.kind else {
                return Err(fault::internal("a computed column in OPENJSON"));
            };
            wanted.push(JsonColumn {
                name: column.name.text.clone(),
                ty: resolve_type(ty, DefaultLength::Declaration)?,
                path: column.path.clone(),
                json: column.as_json,
            });
        }
        let rowset = Rowset::Json(Json(OpenJson { columns: wanted }));
        let shown = rowset.columns();
        let key = self.catalog.rowset(rowset);
        let exposed = alias.map_or("OPENJSON", |alias| &alias.name.text);
        let columns = match alias {
            Some(alias) => named_columns(&shown, &alias.columns, exposed)?,
            None => shown,
        };
        let id = self.new_source();
        let entry = Entry {
            id,
            name: exposed.to_owned(),
            object: None,
            columns,
        };
        self.add_entry(entry, call.name.span.line)?;
        Ok(Source::Function { id, key, args })
    }
}
