//! PIVOT and UNPIVOT, as the grouping and the join that they stand for.

use super::coerce::coerce;
use super::ir::{
    Aggregate, Body, Item, Limit, Query, Select, Source, SourceId, TypedExpr, TypedKind,
};
use super::{Binder, Placement};
use crate::ast::{CompareOp, FunctionCall, Ident, JoinKind, TableSource};
use crate::error::SqlError;
use crate::eval::collate;
use crate::fault;
use crate::messages as m;
use crate::types::{Column, Length, SqlType};
use crate::value::Value;

impl Binder<'_> {
    /// A query of all columns of a source, in a scope of its own that `build` sees.
    fn over(
        &mut self,
        source: &TableSource,
        build: impl FnOnce(&mut Self, Vec<Item>) -> Result<(Vec<Item>, Shape), SqlError>,
    ) -> Result<Query, SqlError> {
        let outer = self.scopes.pop();
        self.scopes.push(Vec::new());
        let saved = (self.aggregates, self.windows);
        let built =
            self.source(source).and_then(|from| {
                let all =
                    self.scopes
                        .last()
                        .into_iter()
                        .flatten()
                        .flat_map(|entry| {
                            entry.columns.iter().enumerate().map(|(at, column)| {
                                item(column_of(entry.id, at, column), &column.name)
                            })
                        })
                        .collect();
                let (items, shape) = build(self, all)?;
                Ok((from, items, shape))
            });
        (self.aggregates, self.windows) = saved;
        self.scopes.pop();
        self.scopes.extend(outer);
        let (from, items, shape) = built?;
        let (from, filter, group, grouped) = match shape {
            Shape::Grouped(group) => (from, None, group, true),
            Shape::Joined { rows, filter } => (
                Source::Join {
                    left: Box::new(from),
                    kind: JoinKind::Cross,
                    right: Box::new(rows),
                    on: None,
                },
                Some(filter),
                Vec::new(),
                false,
            ),
        };
        Ok(Query {
            ctes: Vec::new(),
            columns: items
                .iter()
                .map(|item| Column {
                    name: item.name.clone(),
                    ty: item.expr.ty,
                    nullable: item.expr.nullable,
                })
                .collect(),
            body: Body::Select(Box::new(Select {
                distinct: false,
                items,
                from: Some(from),
                filter,
                group,
                grouped,
                having: None,
            })),
            order: Vec::new(),
            limit: Limit::default(),
        })
    }

    /// `PIVOT (aggregate FOR column IN (values))`: grouped by all columns that it does not name.
    pub(super) fn pivot(
        &mut self,
        source: &TableSource,
        call: &FunctionCall,
        column: &[Ident],
        values: &[Ident],
    ) -> Result<Query, SqlError> {
        self.over(source, |binder, all| {
            let key = binder.column(column)?;
            binder.aggregates = Placement::Allowed;
            let bound = binder.function(call)?;
            let TypedKind::Aggregate(aggregate) = &bound.kind else {
                return Err(m::INCORRECT_SYNTAX.with(&[&call.name.to_string()]));
            };
            let Some(argument) = aggregate.args.first() else {
                return Err(m::INCORRECT_SYNTAX.with(&["*"]));
            };
            let used = argument.named();
            let mut items: Vec<Item> = all
                .into_iter()
                .filter(|item| {
                    item.expr.kind != key.kind
                        && !used.iter().any(|other| other.kind == item.expr.kind)
                })
                .collect();
            let group = items.iter().map(|item| item.expr.clone()).collect();
            for value in values {
                if items
                    .iter()
                    .any(|item| collate::same(&item.name, &value.text))
                {
                    return Err(m::DUPLICATE_PIVOT_COLUMN
                        .at(value.span.line, &[&value.text])
                        .with_state(1));
                }
                let text = TypedExpr::constant(
                    Value::string(value.text.as_str()),
                    SqlType::NVarChar(Length::Limited(128)),
                );
                let wanted = coerce(text, key.ty)?;
                let hit = super::expr::compare(CompareOp::Equal, key.clone(), wanted)?;
                let argument = TypedExpr {
                    ty: argument.ty,
                    nullable: true,
                    kind: TypedKind::Case {
                        branches: vec![(hit, argument.clone())],
                        otherwise: None,
                    },
                };
                let mut args = aggregate.args.clone();
                args[0] = argument;
                let expr = TypedExpr {
                    kind: TypedKind::Aggregate(Box::new(Aggregate {
                        args,
                        ..(**aggregate).clone()
                    })),
                    ..bound.clone()
                };
                items.push(item(expr, &value.text));
            }
            Ok((items, Shape::Grouped(group)))
        })
    }

    /// `UNPIVOT (value FOR name IN (columns))`: a row for each of the columns that is not NULL.
    pub(super) fn unpivot(
        &mut self,
        source: &TableSource,
        value: &Ident,
        name: &Ident,
        columns: &[Ident],
    ) -> Result<Query, SqlError> {
        self.over(source, |binder, all| {
            let mut picked: Vec<TypedExpr> = Vec::with_capacity(columns.len());
            for column in columns {
                let bound = binder.column(std::slice::from_ref(column))?;
                if picked.first().is_some_and(|first| first.ty != bound.ty) {
                    return Err(m::UNPIVOT_TYPES.at(column.span.line, &[&column.text]));
                }
                picked.push(bound);
            }
            let Some(first) = picked.first() else {
                return Err(fault::internal("UNPIVOT without columns"));
            };
            let (ty, id) = (first.ty, binder.fresh_source());
            let number = |at: usize| {
                let at = i32::try_from(at).unwrap_or(i32::MAX);
                TypedExpr::constant(Value::Int(at), SqlType::Int)
            };
            let rows = Source::Query {
                id,
                query: Box::new(Query {
                    ctes: Vec::new(),
                    body: Body::Values((0..picked.len()).map(|at| vec![number(at)]).collect()),
                    columns: vec![Column::required("", SqlType::Int)],
                    order: Vec::new(),
                    limit: Limit::default(),
                }),
            };
            let counter = TypedExpr {
                kind: TypedKind::Column {
                    source: id,
                    column: 0,
                },
                ty: SqlType::Int,
                nullable: false,
            };
            let choose = |values: Vec<TypedExpr>, ty: SqlType, nullable: bool| {
                let branches = values
                    .into_iter()
                    .enumerate()
                    .map(|(at, value)| {
                        let hit =
                            super::expr::compare(CompareOp::Equal, counter.clone(), number(at))?;
                        Ok((hit, value))
                    })
                    .collect::<Result<_, SqlError>>()?;
                Ok::<_, SqlError>(TypedExpr {
                    kind: TypedKind::Case {
                        branches,
                        otherwise: None,
                    },
                    ty,
                    nullable,
                })
            };
            let label = SqlType::NVarChar(Length::Limited(128));
            let names = columns
                .iter()
                .map(|column| TypedExpr::constant(Value::string(column.text.as_str()), label))
                .collect();
            let mut items: Vec<Item> = all
                .into_iter()
                .filter(|item| !picked.iter().any(|other| other.kind == item.expr.kind))
                .collect();
            let chosen = choose(picked, ty, false)?;
            let filter = super::expr::is_null(chosen.clone(), true);
            items.push(item(chosen, &value.text));
            items.push(item(choose(names, label, false)?, &name.text));
            Ok((items, Shape::Joined { rows, filter }))
        })
    }
}

/// What is done with the source's rows.
enum Shape {
    Grouped(Vec<TypedExpr>),
    Joined { rows: Source, filter: TypedExpr },
}

fn item(expr: TypedExpr, name: &str) -> Item {
    Item {
        expr,
        name: name.to_owned(),
        assign: None,
    }
}

fn column_of(source: SourceId, at: usize, column: &Column) -> TypedExpr {
    TypedExpr {
        kind: TypedKind::Column { source, column: at },
        ty: column.ty,
        nullable: column.nullable,
    }
}
