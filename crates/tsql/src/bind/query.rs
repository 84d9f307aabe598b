//! Queries: SELECT, set operators, common table expressions, ORDER BY and TOP.

use super::coerce::{coerce, shared_type};
use super::expr::row_count;
use super::grouping::Grouping;
use super::ir::{Body, Cte, Item, Limit, Query, Select, SortKey, TypedExpr, TypedKind};
use super::{Binder, Placement};
use crate::ast::{
    self, Expr, ExprKind, Ident, Literal, OrderItem, QueryBody, SelectItem, SetOperator,
    TableSource, Top, With,
};
use crate::error::SqlError;
use crate::eval::collate;
use crate::fault;
use crate::messages as m;
use crate::types::{Column, SqlType};
use crate::value::Value;

/// How often a chain of set operators may change from one operator to another.
const OPERATOR_TURNS_MAX: usize = 64;

/// How deep queries may stand in each other (error 191); SQL Server promises 32.
const QUERY_NESTING_MAX: u32 = 64;

/// Where a query stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A statement of its own, or the source of an INSERT.
    Statement,
    /// Below FOR XML or FOR JSON: ordered, and nothing is assigned.
    Document,
    /// In EXISTS: what is selected does not matter, so that `*` needs no table.
    Exists,
    /// Anywhere else: ORDER BY needs TOP, and nothing is assigned.
    Inner,
}

impl Binder<'_> {
    /// Binds a SELECT statement's query with its common table expressions.
    ///
    /// # Errors
    /// As [`Binder::expr`]; 205, 116, 108, 8120, 141 and kin.
    pub fn select(&mut self, with: Option<&With>, query: &ast::Query) -> Result<Query, SqlError> {
        let reach = self.ctes.len();
        let result = self.select_with(with, query);
        self.ctes.truncate(reach);
        result
    }

    fn select_with(&mut self, with: Option<&With>, query: &ast::Query) -> Result<Query, SqlError> {
        let ctes = self.with(with)?;
        let mut bound = self.query(query, Place::Statement)?;
        bound.ctes = ctes;
        Ok(bound)
    }

    /// Binds the common table expressions of a statement; they stay in reach of this binder.
    ///
    /// # Errors
    /// As [`Binder::select`]; 239 for a name given twice.
    pub fn with(&mut self, with: Option<&With>) -> Result<Vec<Cte>, SqlError> {
        let Some(with) = with else {
            return Ok(Vec::new());
        };
        self.declare_namespaces(with)?;
        let mut out = Vec::with_capacity(with.ctes.len());
        for (at, cte) in with.ctes.iter().enumerate() {
            let name = &cte.name.text;
            if with.ctes[..at].iter().any(|other| other.name.is(name)) {
                return Err(m::DUPLICATE_CTE.at(cte.name.span.line, &[name]));
            }
            out.push(self.cte(cte)?);
        }
        Ok(out)
    }

    fn cte(&mut self, cte: &ast::Cte) -> Result<Cte, SqlError> {
        let name = &cte.name.text;
        let key = self.next_cte;
        self.next_cte += 1;
        let recursive = body_mentions(&cte.query.body, name);
        let (mut query, members) = if recursive {
            self.anchor(&cte.query, name)?
        } else {
            (self.query(&cte.query, Place::Inner)?, Vec::new())
        };
        let columns = named_columns(&query.columns, &cte.columns, name)
            .map_err(|error| error.at_line(cte.name.span.line))?;
        query.columns.clone_from(&columns);
        // A recursive member sees NULL in any column that the anchor promised not to have.
        let visible: Vec<Column> = columns
            .iter()
            .map(|column| Column {
                nullable: column.nullable || recursive,
                ..column.clone()
            })
            .collect();
        self.ctes.push((name.clone(), key, visible));
        let types: Vec<SqlType> = columns.iter().map(|column| column.ty).collect();
        let mut rounds = Vec::new();
        for member in members {
            let mut bound = self.body_query(member)?;
            if bound.columns.len() != types.len() {
                return Err(m::SET_OPERATOR_COLUMNS.at(cte.name.span.line, &[]));
            }
            for (column, ty) in bound.columns.iter().zip(&types) {
                let same = std::mem::discriminant(&column.ty) == std::mem::discriminant(ty);
                let both_whole = column.ty.is_integer() && ty.is_integer();
                if !same && !both_whole {
                    return Err(m::RECURSIVE_TYPES.at(cte.name.span.line, &[&column.name, name]));
                }
            }
            coerce_columns(&mut bound, &types)?;
            rounds.push(bound);
        }
        Ok(Cte {
            key,
            columns,
            query,
            recursive: rounds,
        })
    }

    /// Splits a recursive query into what does not name itself and what does.
    fn anchor<'q>(
        &mut self,
        query: &'q ast::Query,
        name: &str,
    ) -> Result<(Query, Vec<&'q QueryBody>), SqlError> {
        let QueryBody::Chain { first, rest } = &query.body else {
            return Err(SqlError::new(
                252,
                16,
                format!(
                    "Recursive common table expression '{name}' does not contain a top-level UNION ALL operator."
                ),
            ));
        };
        let mut bound = self.body_query(first)?;
        let mut members = Vec::new();
        for operand in rest {
            if body_mentions(&operand.operand, name) {
                if operand.op != SetOperator::UnionAll {
                    return Err(fault::not_supported("recursion without UNION ALL"));
                }
                members.push(&operand.operand);
            } else {
                let right = self.body_query(&operand.operand)?;
                bound = set(operand.op, bound, right)?;
            }
        }
        Ok((bound, members))
    }

    /// A query inside an expression: one column, or any number for EXISTS (`columns` 0).
    pub(super) fn subquery(
        &mut self,
        query: &ast::Query,
        columns: usize,
    ) -> Result<Query, SqlError> {
        let place = if columns == 0 {
            Place::Exists
        } else {
            Place::Inner
        };
        let bound = self.inner(query, place)?;
        if columns != 0 && bound.columns.len() != columns {
            return Err(m::SUBQUERY_COLUMNS.at(query.span.line, &[]));
        }
        Ok(bound)
    }

    /// A derived table.
    pub(super) fn derived(&mut self, query: &ast::Query) -> Result<Query, SqlError> {
        self.inner(query, Place::Inner)
    }

    /// A query inside a statement, with aggregates and windows of its own.
    fn inner(&mut self, query: &ast::Query, place: Place) -> Result<Query, SqlError> {
        let aggregates = std::mem::replace(&mut self.aggregates, Placement::Refused);
        let windows = std::mem::replace(&mut self.windows, false);
        let bound = self.query(query, place);
        self.aggregates = aggregates;
        self.windows = windows;
        bound
    }

    fn query(&mut self, query: &ast::Query, place: Place) -> Result<Query, SqlError> {
        if self.depth >= QUERY_NESTING_MAX {
            return Err(m::NESTED_TOO_DEEPLY.at(query.span.line, &[]));
        }
        self.depth += 1;
        let bound = self.query_at(query, place);
        self.depth -= 1;
        bound.map_err(|error| error.at_line(query.span.line))
    }

    fn query_at(&mut self, query: &ast::Query, place: Place) -> Result<Query, SqlError> {
        if let Some(clause) = &query.for_clause {
            return self.document(query, clause, place);
        }
        self.query_rows(query, place)
    }

    /// A query without its FOR clause.
    pub(super) fn query_rows(
        &mut self,
        query: &ast::Query,
        place: Place,
    ) -> Result<Query, SqlError> {
        let mut limit = Limit::default();
        if let Some(offset) = &query.offset {
            limit.offset = Some(row_count(self.expr(&offset.offset)?, false)?);
            limit.fetch = match &offset.fetch {
                Some(fetch) => Some(row_count(self.expr(fetch)?, false)?),
                None => None,
            };
        }
        match &query.body {
            QueryBody::Select(select) => {
                let bare = select.top.is_none() && limit.offset.is_none();
                if matches!(place, Place::Inner | Place::Exists)
                    && bare
                    && !query.order_by.is_empty()
                {
                    return Err(m::ORDER_BY_IN_SUBQUERY.with(&[]));
                }
                self.top(select.top.as_ref(), &mut limit)?;
                let (select, order) = self.select_body(select, &query.order_by, place)?;
                Ok(Query {
                    ctes: Vec::new(),
                    columns: columns_of(&select.items),
                    body: Body::Select(Box::new(select)),
                    order,
                    limit,
                })
            }
            body => {
                let mut bound = self.body_query(body)?;
                if !query.order_by.is_empty() {
                    let order =
                        order_by_columns(&query.order_by, &bound.columns, first_items(body))?;
                    // What is ordered already is ordered within; the outer order is a level above.
                    if !bound.order.is_empty() || bound.limit != Limit::default() {
                        return Err(fault::not_supported("ORDER BY of a query in parentheses"));
                    }
                    bound.order = order;
                }
                if limit.offset.is_some() {
                    bound.limit = limit;
                }
                Ok(bound)
            }
        }
    }

    fn body_query(&mut self, body: &QueryBody) -> Result<Query, SqlError> {
        match body {
            QueryBody::Select(select) => {
                let mut limit = Limit::default();
                self.top(select.top.as_ref(), &mut limit)?;
                let (select, order) = self.select_body(select, &[], Place::Inner)?;
                Ok(Query {
                    ctes: Vec::new(),
                    columns: columns_of(&select.items),
                    body: Body::Select(Box::new(select)),
                    order,
                    limit,
                })
            }
            QueryBody::Nested(query) => self.query(query, Place::Inner),
            QueryBody::Chain { first, rest } => {
                let mut chain = Chain::new(self.body_query(first)?);
                for operand in rest {
                    let right = self.body_query(&operand.operand)?;
                    chain
                        .push(operand.op, right)
                        .map_err(|error| error.at_line(operand.span.line))?;
                }
                chain.finish()
            }
        }
    }

    /// Binds TOP into a limit.
    ///
    /// # Errors
    /// As [`Binder::expr`]; 1060 for a number of rows that is none.
    pub fn top(&mut self, top: Option<&Top>, limit: &mut Limit) -> Result<(), SqlError> {
        if let Some(top) = top {
            limit.top = Some(row_count(self.expr(&top.count)?, top.percent)?);
            limit.percent = top.percent;
            limit.ties = top.with_ties;
        }
        Ok(())
    }

    fn select_body(
        &mut self,
        select: &ast::Select,
        order_by: &[OrderItem],
        place: Place,
    ) -> Result<(Select, Vec<SortKey>), SqlError> {
        self.scopes.push(Vec::new());
        let saved = (self.aggregates, self.windows);
        let result = self.select_scoped(select, order_by, place);
        (self.aggregates, self.windows) = saved;
        let entries = self.scopes.pop().unwrap_or_default();
        let names = entries.into_iter().map(|entry| (entry.id, entry.name));
        self.bound_entries = names.collect();
        result.map_err(|error| error.at_line(select.span.line))
    }

    fn select_scoped(
        &mut self,
        select: &ast::Select,
        order_by: &[OrderItem],
        place: Place,
    ) -> Result<(Select, Vec<SortKey>), SqlError> {
        self.aggregates = Placement::Refused;
        self.windows = false;
        let from = self.from(&select.from)?;
        let filter = select.filter.as_ref().map(|f| self.expr(f)).transpose()?;
        let grouping = self.grouping(select)?;
        self.aggregates = Placement::Allowed;
        self.windows = true;
        self.groupings.push(grouping);
        let listed = self.listed(select, order_by, place);
        let grouping = self.groupings.pop().unwrap_or_default();
        let (mut items, mut having, mut order) = listed?;
        let grouped =
            select.group_by.is_some() || having.is_some() || self.aggregates == Placement::Met;
        if grouped {
            for item in &items {
                self.check_grouped(&item.expr, &grouping, m::NOT_GROUPED)?;
            }
            if let Some(having) = &having {
                self.check_grouped(having, &grouping, m::HAVING_NOT_GROUPED)?;
            }
            for key in &order {
                self.check_grouped(&key.expr, &grouping, m::ORDER_NOT_GROUPED)?;
            }
        }
        if select.distinct && order.iter().any(|key| key.item.is_none()) {
            return Err(SqlError::new(
                145,
                15,
                "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.",
            ));
        }
        let keys = order.iter_mut().map(|key| &mut key.expr);
        let shown = items.iter_mut().map(|item| &mut item.expr);
        for expr in shown.chain(&mut having).chain(keys) {
            grouping.show(expr);
        }
        let (from, group) = grouping.applied(from);
        let bound = Select {
            distinct: select.distinct,
            items,
            from,
            filter,
            group,
            grouped,
            having,
        };
        Ok((bound, order))
    }

    /// The select list, HAVING and ORDER BY.
    #[expect(
        clippy::type_complexity,
        reason = "the three parts of one SELECT that see its groups"
    )]
    fn listed(
        &mut self,
        select: &ast::Select,
        order_by: &[OrderItem],
        place: Place,
    ) -> Result<(Vec<Item>, Option<TypedExpr>, Vec<SortKey>), SqlError> {
        self.into = select.into.is_some() && place == Place::Statement;
        let items = self.items(&select.items, place)?;
        let having = select.having.as_ref().map(|h| self.expr(h)).transpose()?;
        let order = self.order_by(order_by, &items)?;
        Ok((items, having, order))
    }

    /// Binds the items of an OUTPUT clause.
    ///
    /// # Errors
    /// As [`Binder::expr`]; 158 for an aggregate, 10705 for a subquery.
    pub fn output(&mut self, items: &[SelectItem]) -> Result<Vec<Item>, SqlError> {
        let bound = self.items(items, Place::Inner).map_err(|error| {
            if error.number == m::AGGREGATE_IN_WHERE.number {
                m::AGGREGATE_IN_OUTPUT.at(error.line, &[])
            } else {
                error
            }
        })?;
        let queries = bound.iter().any(|item| item.expr.any(&TypedExpr::is_query));
        if queries {
            return Err(m::SUBQUERY_IN_OUTPUT.with(&[]));
        }
        Ok(bound)
    }

    fn items(&mut self, items: &[SelectItem], place: Place) -> Result<Vec<Item>, SqlError> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::Wildcard { qualifier, span } => {
                    let name = qualifier.as_ref().map(ToString::to_string);
                    let mut parts: Vec<&str> = Vec::new();
                    if let Some(object) = qualifier {
                        parts.extend(object.database.as_ref().map(|part| part.text.as_str()));
                        parts.extend(object.schema.as_ref().map(|part| part.text.as_str()));
                        parts.push(&object.name.text);
                    }
                    let before = out.len();
                    for entry in self.scopes.last().into_iter().flatten() {
                        if !entry.answers_to(&parts) {
                            continue;
                        }
                        if self.nodes.iter().any(|(id, _)| *id == entry.id) {
                            let name = entry.columns.first().map_or("", |column| &column.name);
                            return Err(m::NODES_COLUMN.at(span.line, &[name]));
                        }
                        for at in 0..entry.columns.len() {
                            self.reads(entry.id, at)
                                .map_err(|error| error.at_line(span.line))?;
                        }
                        out.extend(entry.columns.iter().enumerate().map(|(at, column)| Item {
                            expr: TypedExpr {
                                kind: TypedKind::Column {
                                    source: entry.id,
                                    column: at,
                                },
                                ty: column.ty,
                                nullable: column.nullable,
                            },
                            name: column.name.clone(),
                            assign: None,
                        }));
                    }
                    if out.len() == before {
                        match name {
                            Some(name) => return Err(m::UNKNOWN_PREFIX.at(span.line, &[&name])),
                            None if place == Place::Exists => out.push(Item {
                                expr: TypedExpr::constant(Value::Int(1), SqlType::Int),
                                name: String::new(),
                                assign: None,
                            }),
                            None => {
                                let error =
                                    SqlError::new(263, 16, "Must specify table to select from.");
                                return Err(error.at_line(span.line));
                            }
                        }
                    }
                }
                SelectItem::Expr { expr, alias } => {
                    let bound = self.expr(expr)?;
                    let name = match (alias, &expr.kind) {
                        (Some(alias), _) => alias.text.clone(),
                        (None, ExprKind::Column(parts)) => parts
                            .last()
                            .map_or_else(String::new, |part| part.text.clone()),
                        _ => String::new(),
                    };
                    out.push(Item {
                        expr: bound,
                        name,
                        assign: None,
                    });
                }
                SelectItem::Assign {
                    variable,
                    op,
                    value,
                } => {
                    if place != Place::Statement {
                        return Err(m::MIXED_ASSIGNMENT.at(variable.span.line, &[]));
                    }
                    let line = variable.span.line;
                    let target = self
                        .variable(&variable.name)
                        .map_err(|error| error.at_line(line))?;
                    let mut bound = self.expr(value)?;
                    if let Some(op) = super::assign_operator(*op) {
                        bound = super::expr::binary(op, target.clone(), bound)
                            .map_err(|error| error.at_line(line))?;
                    }
                    let bound = coerce(bound, target.ty).map_err(|error| error.at_line(line))?;
                    let TypedKind::Variable(slot) = target.kind else {
                        return Err(fault::internal("a variable was expected"));
                    };
                    out.push(Item {
                        expr: bound,
                        name: String::new(),
                        assign: Some(slot),
                    });
                }
            }
        }
        let assigned = out.iter().filter(|item| item.assign.is_some()).count();
        if assigned != 0 && assigned != out.len() {
            return Err(m::MIXED_ASSIGNMENT.with(&[]));
        }
        Ok(out)
    }

    fn order_by(
        &mut self,
        order_by: &[OrderItem],
        items: &[Item],
    ) -> Result<Vec<SortKey>, SqlError> {
        let mut out = Vec::with_capacity(order_by.len());
        for key in order_by {
            let line = key.expr.span.line;
            let item = match &key.expr.kind {
                ExprKind::Literal(Literal::Int(n)) => Some(position(*n, items.len(), line)?),
                ExprKind::Column(parts) if parts.len() == 1 => items.iter().position(|item| {
                    !item.name.is_empty() && collate::same(&item.name, &parts[0].text)
                }),
                _ => None,
            };
            let (expr, item) = match item {
                Some(at) => (items[at].expr.clone(), Some(at)),
                None => {
                    let expr = self.expr(&key.expr)?;
                    let same = items.iter().position(|item| item.expr == expr);
                    (expr, same)
                }
            };
            out.push(SortKey {
                expr,
                item,
                descending: key.descending,
            });
        }
        Ok(out)
    }

    /// In a grouped SELECT each column stands in the GROUP BY or inside an aggregate.
    fn check_grouped(
        &self,
        expr: &TypedExpr,
        group: &Grouping,
        message: m::Message,
    ) -> Result<(), SqlError> {
        if group.keys.contains(expr) || matches!(expr.kind, TypedKind::Aggregate(_)) {
            return Ok(());
        }
        if let TypedKind::Column { source, column } = expr.kind {
            let own = self
                .scopes
                .last()
                .is_some_and(|scope| scope.iter().any(|entry| entry.id == source));
            return if own {
                Err(message.with(&[&self.describe(source, column)]))
            } else {
                Ok(())
            };
        }
        if let TypedKind::Window(window) = &expr.kind {
            // An aggregate in a window is over the groups; its argument may hold aggregates.
            let keys = window.order.iter().map(|key| &key.expr);
            for child in window.args.iter().chain(&window.partition).chain(keys) {
                self.check_grouped(child, group, message)?;
            }
            return Ok(());
        }
        for child in expr.children() {
            self.check_grouped(child, group, message)?;
        }
        Ok(())
    }
}

fn position(n: i32, count: usize, line: u32) -> Result<usize, SqlError> {
    usize::try_from(n)
        .ok()
        .and_then(|n| n.checked_sub(1))
        .filter(|at| *at < count)
        .ok_or_else(|| m::ORDER_BY_POSITION.at(line, &[&n.to_string()]))
}

/// The select list that names the columns of a set operator's result.
fn first_items(body: &QueryBody) -> &[SelectItem] {
    match body {
        QueryBody::Select(select) => &select.items,
        QueryBody::Nested(query) => first_items(&query.body),
        QueryBody::Chain { first, .. } => first_items(first),
    }
}

/// Where a qualified name stands in the first select list, as it is written there.
fn item_named(parts: &[Ident], items: &[SelectItem]) -> Option<usize> {
    // What stands behind a star has no place that could be told from the text.
    let exprs = items.iter().map_while(|item| match item {
        SelectItem::Expr { expr, .. } => Some(expr),
        SelectItem::Wildcard { .. } | SelectItem::Assign { .. } => None,
    });
    let is_named = |expr: &Expr| {
        let ExprKind::Column(found) = &expr.kind else {
            return false;
        };
        let mut pairs = found.iter().rev().zip(parts.iter().rev());
        pairs.all(|(a, b)| collate::same(&a.text, &b.text))
    };
    exprs.into_iter().position(is_named)
}

/// ORDER BY behind a set operator: positions and names of the result, and columns of its first query that it selects.
fn order_by_columns(
    order_by: &[OrderItem],
    columns: &[Column],
    items: &[SelectItem],
) -> Result<Vec<SortKey>, SqlError> {
    order_by
        .iter()
        .map(|key| {
            let line = key.expr.span.line;
            let elsewhere = || {
                let text = "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.";
                SqlError::new(104, 16, text).at_line(line)
            };
            let at = match &key.expr.kind {
                ExprKind::Literal(Literal::Int(n)) => position(*n, columns.len(), line)?,
                ExprKind::Column(parts) if parts.len() == 1 => columns
                    .iter()
                    .position(|column| collate::same(&column.name, &parts[0].text))
                    .ok_or_else(|| fault::invalid_column(&parts[0].text).at_line(line))?,
                ExprKind::Column(parts) => item_named(parts, items).ok_or_else(elsewhere)?,
                _ => return Err(elsewhere()),
            };
            Ok(SortKey {
                expr: TypedExpr {
                    kind: TypedKind::Leaf(at),
                    ty: columns[at].ty,
                    nullable: columns[at].nullable,
                },
                item: Some(at),
                descending: key.descending,
            })
        })
        .collect()
}

fn columns_of(items: &[Item]) -> Vec<Column> {
    items
        .iter()
        .map(|item| Column {
            name: item.name.clone(),
            ty: item.expr.ty,
            nullable: item.expr.nullable,
        })
        .collect()
}

/// Operands of set operators, from left to right. A run of one operator that may be grouped at will becomes a balanced
/// tree, so that a long list of SELECTs is no deep one.
struct Chain {
    run: Vec<Query>,
    op: SetOperator,
    turns: usize,
}

impl Chain {
    fn new(first: Query) -> Self {
        Self {
            run: vec![first],
            op: SetOperator::UnionAll,
            turns: 0,
        }
    }

    fn push(&mut self, op: SetOperator, right: Query) -> Result<(), SqlError> {
        if let Some(first) = self.run.first()
            && first.columns.len() != right.columns.len()
        {
            return Err(m::SET_OPERATOR_COLUMNS.with(&[]));
        }
        let goes_on = op == self.op && matches!(op, SetOperator::UnionAll | SetOperator::Union);
        if !goes_on && self.run.len() > 1 {
            self.turns += 1;
            if self.turns > OPERATOR_TURNS_MAX {
                return Err(m::TOO_COMPLEX.with(&[]));
            }
            let left = balanced(self.op, std::mem::take(&mut self.run))?;
            self.run.push(left);
        }
        self.op = op;
        self.run.push(right);
        Ok(())
    }

    fn finish(self) -> Result<Query, SqlError> {
        balanced(self.op, self.run)
    }
}

fn balanced(op: SetOperator, mut run: Vec<Query>) -> Result<Query, SqlError> {
    if run.len() > 1 {
        let right = run.split_off(run.len() / 2);
        return set(op, balanced(op, run)?, balanced(op, right)?);
    }
    run.pop()
        .ok_or_else(|| fault::internal("a set operator without operands"))
}

/// Two queries joined by a set operator, their columns in the types they share.
fn set(op: SetOperator, mut left: Query, mut right: Query) -> Result<Query, SqlError> {
    if left.columns.len() != right.columns.len() {
        return Err(m::SET_OPERATOR_COLUMNS.with(&[]));
    }
    let mut types = Vec::with_capacity(left.columns.len());
    for at in 0..left.columns.len() {
        let (a, b) = (representative(&left, at), representative(&right, at));
        types.push(shared_type(&[&a, &b]));
    }
    coerce_columns(&mut left, &types)?;
    coerce_columns(&mut right, &types)?;
    let columns = left
        .columns
        .iter()
        .zip(&right.columns)
        .map(|(a, b)| Column {
            nullable: a.nullable || b.nullable,
            ..a.clone()
        })
        .collect();
    Ok(Query {
        ctes: Vec::new(),
        body: Body::Set {
            op,
            left: Box::new(left),
            right: Box::new(right),
        },
        columns,
        order: Vec::new(),
        limit: Limit::default(),
    })
}

/// An expression of a column's type; the constant NULL itself where the column is one.
fn representative(query: &Query, at: usize) -> TypedExpr {
    if let Body::Select(select) = &query.body
        && let Some(item) = select.items.get(at)
        && item.expr.is_null_constant()
    {
        return item.expr.clone();
    }
    TypedExpr {
        kind: TypedKind::Leaf(at),
        ty: query.columns[at].ty,
        nullable: true,
    }
}

/// Converts a query's columns to types, inside it.
pub(super) fn coerce_columns(query: &mut Query, types: &[SqlType]) -> Result<(), SqlError> {
    if query.columns.iter().map(|column| &column.ty).eq(types) {
        return Ok(());
    }
    match &mut query.body {
        Body::Select(select) => {
            for (item, ty) in select.items.iter_mut().zip(types) {
                item.expr = coerce(item.expr.clone(), *ty)?;
            }
            for key in &mut query.order {
                if let Some(at) = key.item {
                    key.expr = select.items[at].expr.clone();
                }
            }
        }
        Body::Set { left, right, .. } => {
            coerce_columns(left, types)?;
            coerce_columns(right, types)?;
        }
        Body::Values(rows) => {
            for row in rows {
                for (value, ty) in row.iter_mut().zip(types) {
                    *value = coerce(value.clone(), *ty)?;
                }
            }
        }
    }
    for (column, ty) in query.columns.iter_mut().zip(types) {
        column.ty = *ty;
    }
    Ok(())
}

/// Columns under the names that an alias or a common table expression gives them.
pub(super) fn named_columns(
    columns: &[Column],
    names: &[ast::Ident],
    of: &str,
) -> Result<Vec<Column>, SqlError> {
    if !names.is_empty() && names.len() != columns.len() {
        return Err(if names.len() < columns.len() {
            m::MORE_COLUMN_NAMES.with(&[of])
        } else {
            m::FEWER_COLUMN_NAMES.with(&[of])
        });
    }
    let mut out: Vec<Column> = Vec::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        let name = names.get(at).map_or(&column.name, |name| &name.text);
        if name.is_empty() {
            return Err(m::COLUMN_UNNAMED.with(&[&(at + 1).to_string(), of]));
        }
        if out.iter().any(|other| collate::same(&other.name, name)) {
            return Err(m::DUPLICATE_COLUMN_NAME.with(&[name, of]));
        }
        out.push(Column {
            name: name.clone(),
            ..column.clone()
        });
    }
    Ok(out)
}

/// Whether a query's FROM names a table, not counting subqueries in expressions.
fn body_mentions(body: &QueryBody, name: &str) -> bool {
    match body {
        QueryBody::Select(select) => select.from.iter().any(|s| source_mentions(s, name)),
        QueryBody::Nested(query) => body_mentions(&query.body, name),
        QueryBody::Chain { first, rest } => {
            body_mentions(first, name) || rest.iter().any(|o| body_mentions(&o.operand, name))
        }
    }
}

fn source_mentions(source: &TableSource, name: &str) -> bool {
    match source {
        TableSource::Table { name: table, .. } => table.as_bare().is_some_and(|bare| bare.is(name)),
        TableSource::Derived { query, .. } => body_mentions(&query.body, name),
        TableSource::Join { left, right, .. } | TableSource::Apply { left, right, .. } => {
            source_mentions(left, name) || source_mentions(right, name)
        }
        TableSource::Pivot { source, .. } | TableSource::Unpivot { source, .. } => {
            source_mentions(source, name)
        }
        TableSource::Variable { .. }
        | TableSource::Function { .. }
        | TableSource::Nodes { .. }
        | TableSource::Values { .. }
        | TableSource::Unsupported { .. } => false,
    }
}
