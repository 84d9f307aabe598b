//! From bound queries to SQLite's SQL.
//!
//! Relations, and comparisons of values with the same encoding, are SQLite's. Whatever else an expression does is
//! compiled: `ev(n, leaf, …)` calls back into [`tsql::eval`], with columns, aggregates and subqueries as leaves.
//! What does not depend on rows is computed before the query runs and becomes a parameter.

use super::encode::{INTEGER_DIGITS, encode};
use super::functions::{Compiled, Target};
use crate::session::computed::{Derived, ROW};
use rusqlite::types::Value as Sqlite;
use std::collections::BTreeSet;
use tsql::ast::{CompareOp, JoinKind, SetOperator};
use tsql::bind::ir::{
    Aggregate, AggregateKind, Body, Bound, Collation, Cte, Frame, Limit, Query, ROWID, Select,
    SortKey, Source, SourceId, TypedExpr, TypedKind, Window, WindowKind,
};
use tsql::eval::{self, Environment};
use tsql::{Length, SqlError, SqlType, Value, fault, messages};

/// What one generated statement needs besides its text.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Parameters `?1`, `?2`, …
    pub(crate) params: Vec<Sqlite>,
    /// Expressions for `ev`.
    pub(crate) compiled: Vec<Compiled>,
    /// Objects that the text names.
    pub(crate) objects: BTreeSet<u32>,
    /// Right sides of APPLY, run for each row of the left: tables `f0`, `f1`, … while the statement runs.
    pub(crate) fragments: Vec<Fragment>,
}

/// A query that runs for each row of another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fragment {
    /// Its text; the columns from outside are parameters from [`Fragment::FIRST_REF`] on.
    pub(crate) text: String,
    /// Types of its columns.
    pub(crate) types: Vec<SqlType>,
    /// How many columns from outside it names.
    pub(crate) refs: usize,
}

impl Fragment {
    /// Number of the parameter that holds the first column from outside, clear of a statement's own.
    pub(crate) const FIRST_REF: usize = 30_000;
}

/// Generates the text of one statement.
pub(crate) struct Generator<'e> {
    env: &'e dyn Environment,
    /// The SQL name behind the key of a table that has rows of its own; `None` for a virtual table.
    own: &'e dyn Fn(u32) -> Option<String>,
    /// The columns behind such a key that are worked out where they are read.
    derived: &'e dyn Fn(u32) -> Result<Option<Derived>, SqlError>,
    pub(crate) plan: Plan,
    next_alias: u32,
    /// Columns from outside of the fragments being written, the innermost last.
    outside: Vec<Vec<TypedExpr>>,
}

impl<'e> Generator<'e> {
    pub(crate) fn new(
        env: &'e dyn Environment,
        own: &'e dyn Fn(u32) -> Option<String>,
        derived: &'e dyn Fn(u32) -> Result<Option<Derived>, SqlError>,
    ) -> Self {
        Self {
            env,
            own,
            derived,
            plan: Plan::default(),
            next_alias: 0,
            outside: Vec::new(),
        }
    }

    fn alias(&mut self) -> String {
        self.next_alias += 1;
        format!("q{}", self.next_alias)
    }

    /// A parameter of that value.
    pub(crate) fn param(&mut self, value: Sqlite) -> String {
        match value {
            Sqlite::Null => "NULL".to_owned(),
            Sqlite::Integer(v) if v >= 0 => v.to_string(),
            other => {
                self.plan.params.push(other);
                format!("?{}", self.plan.params.len())
            }
        }
    }

    /// Name of a table in SQL.
    pub(crate) fn table(&mut self, key: u32) -> String {
        self.plan.objects.insert(key);
        (self.own)(key).unwrap_or_else(|| format!("temp.o{key}"))
    }

    /// A table in FROM, under the alias of its entry, with the columns that are worked out from its rows.
    pub(crate) fn rows_of(&mut self, id: SourceId, key: u32) -> Result<String, SqlError> {
        let table = self.table(key);
        let Some(derived) = (self.derived)(key)? else {
            return Ok(format!("{table} AS s{id}"));
        };
        let rows = self.with_derived(&derived, &table)?;
        Ok(format!("({rows}) AS s{id}"))
    }

    /// A SELECT of the row numbers and all columns of a table, the derived ones worked out.
    pub(crate) fn with_derived(
        &mut self,
        derived: &Derived,
        table: &str,
    ) -> Result<String, SqlError> {
        let mut columns = vec!["rowid AS rowid".to_owned()];
        for at in 0..derived.width {
            let expr = derived.columns.iter().find(|(other, _)| *other == at);
            columns.push(match expr {
                Some((_, expr)) => {
                    let text = self.expr(expr)?;
                    format!("{} AS c{at}", collated(&text, expr))
                }
                None => format!("c{at}"),
            });
        }
        Ok(format!(
            "SELECT {} FROM {table} AS s{ROW}",
            columns.join(",")
        ))
    }

    // ---- queries ----

    /// A query whose columns are named `c0`, `c1`, …
    pub(crate) fn query(&mut self, query: &Query) -> Result<String, SqlError> {
        let with = self.with(&query.ctes)?;
        let text = match &query.body {
            Body::Select(select) => {
                let mut items = Vec::with_capacity(select.items.len());
                for (at, item) in select.items.iter().enumerate() {
                    let text = self.expr(&item.expr)?;
                    // Duplicates go, and groups form, under the column's collation.
                    let collated = if select.distinct {
                        collated(&text, &item.expr)
                    } else {
                        text
                    };
                    items.push(format!("{collated} AS c{at}"));
                }
                if query.limit.ties && !select.distinct {
                    self.tied(select, items, query)?
                } else {
                    let body = self.select(select, &items)?;
                    self.ordered(body, &query.order, &query.limit)?
                }
            }
            body => {
                let body = self.body(body, query.columns.iter().map(|column| column.ty))?;
                self.ordered(body, &query.order, &query.limit)?
            }
        };
        Ok(format!("{with}{text}"))
    }

    fn body(
        &mut self,
        body: &Body,
        types: impl Iterator<Item = SqlType>,
    ) -> Result<String, SqlError> {
        match body {
            Body::Select(_) => Err(fault::internal("a SELECT has its own path")),
            Body::Values(rows) => {
                let mut lines = Vec::with_capacity(rows.len());
                for row in rows {
                    let values = row
                        .iter()
                        .map(|value| self.expr(value))
                        .collect::<Result<Vec<_>, _>>()?;
                    lines.push(format!("({})", values.join(",")));
                }
                let names: Vec<String> = types
                    .enumerate()
                    .map(|(at, _)| format!("column{} AS c{at}", at + 1))
                    .collect();
                Ok(format!(
                    "SELECT {} FROM (VALUES {})",
                    names.join(","),
                    lines.join(",")
                ))
            }
            Body::Set { op, left, right } => {
                let names: Vec<String> = types
                    .enumerate()
                    .map(
                        |(at, ty)| match collation_name(ty, Collation::CaseInsensitive) {
                            Some(name) => format!("c{at} COLLATE {name} AS c{at}"),
                            None => format!("c{at}"),
                        },
                    )
                    .collect();
                let names = names.join(",");
                let op = match op {
                    SetOperator::Union => "UNION",
                    SetOperator::UnionAll => "UNION ALL",
                    SetOperator::Except => "EXCEPT",
                    SetOperator::Intersect => "INTERSECT",
                };
                let (left, right) = (self.query(left)?, self.query(right)?);
                Ok(format!(
                    "SELECT {names} FROM ({left}) {op} SELECT {names} FROM ({right})"
                ))
            }
        }
    }

    /// Adds ORDER BY and the row limits.
    pub(crate) fn ordered(
        &mut self,
        mut text: String,
        order: &[SortKey],
        limit: &Limit,
    ) -> Result<String, SqlError> {
        // A share, or a place with its equals, is counted over the rows first.
        let counted = if limit.percent || limit.ties {
            Some(self.counted(&text, order, limit)?)
        } else {
            None
        };
        if !order.is_empty() {
            let mut keys = Vec::with_capacity(order.len());
            for key in order {
                let value = match key.item {
                    Some(at) => format!("c{at}"),
                    None => self.expr(&key.expr)?,
                };
                let direction = if key.descending { " DESC" } else { "" };
                keys.push(format!("{}{direction}", collated(&value, &key.expr)));
            }
            text.push_str(" ORDER BY ");
            text.push_str(&keys.join(","));
        }
        if let Some(counted) = counted {
            text.push_str(&format!(" LIMIT ({counted})"));
        } else if let Some(count) = limit.top.as_ref().or(limit.fetch.as_ref()) {
            let count = self.row_count(count)?;
            text.push_str(&format!(" LIMIT {count}"));
        }
        if let Some(offset) = &limit.offset {
            let offset = self.row_count(offset)?;
            if limit.fetch.is_none() {
                text.push_str(" LIMIT -1");
            }
            text.push_str(&format!(" OFFSET {offset}"));
        }
        Ok(text)
    }

    /// A query that counts the rows of TOP … PERCENT and TOP … WITH TIES.
    fn counted(
        &mut self,
        body: &str,
        order: &[SortKey],
        limit: &Limit,
    ) -> Result<String, SqlError> {
        let Some(top) = &limit.top else {
            return Err(fault::internal("TOP without a number"));
        };
        let count = if limit.percent {
            let share = match eval::evaluate(top, self.env, &[])? {
                Value::Float(share) if (0.0..=100.0).contains(&share) => share,
                _ => {
                    return Err(SqlError::new(
                        1031,
                        15,
                        "Percent values must be between 0 and 100.",
                    ));
                }
            };
            let share = self.param(Sqlite::Real(share));
            // A broken row counts as a whole one.
            format!(
                "SELECT CAST(n AS INTEGER) + (n > CAST(n AS INTEGER)) FROM \
                 (SELECT count(*) * {share} / 100.0 AS n FROM ({body}))"
            )
        } else {
            format!("SELECT {}", self.row_count(top)?)
        };
        if !limit.ties {
            return Ok(count);
        }
        if order.is_empty() {
            return Err(messages::TIES_WITHOUT_ORDER.with(&[]));
        }
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            let at = key.item.ok_or_else(|| {
                fault::not_supported("TOP WITH TIES ordered by what is not in the select list")
            })?;
            let direction = if key.descending { " DESC" } else { "" };
            keys.push(format!(
                "{}{direction}",
                collated(&format!("c{at}"), &key.expr)
            ));
        }
        Ok(format!(
            "SELECT count(*) FROM (SELECT rank() OVER (ORDER BY {}) AS place FROM ({body})) \
             WHERE place <= ({count})",
            keys.join(",")
        ))
    }

    /// TOP … WITH TIES: each row has its place in the order, and the last place has all its rows.
    fn tied(
        &mut self,
        select: &Select,
        mut items: Vec<String>,
        query: &Query,
    ) -> Result<String, SqlError> {
        if query.order.is_empty() {
            return Err(messages::TIES_WITHOUT_ORDER.with(&[]));
        }
        let body = self.select(select, &items)?;
        let unordered = Limit {
            ties: false,
            ..query.limit.clone()
        };
        let count = if unordered.percent {
            self.counted(&body, &[], &unordered)?
        } else {
            let top = query.limit.top.as_ref();
            let top = top.ok_or_else(|| fault::internal("TOP without a number"))?;
            self.row_count(top)?.to_string()
        };
        let names: Vec<String> = (0..items.len()).map(|at| format!("c{at}")).collect();
        let names = names.join(",");
        // A key may be a window itself, and none stands within another: the keys are columns first.
        let mut keys = Vec::with_capacity(query.order.len());
        for (at, key) in query.order.iter().enumerate() {
            let value = self.expr(&key.expr)?;
            items.push(format!("{value} AS k{at}"));
            let direction = if key.descending { " DESC" } else { "" };
            keys.push(format!(
                "{}{direction}",
                collated(&format!("k{at}"), &key.expr)
            ));
        }
        let body = self.select(select, &items)?;
        Ok(format!(
            "SELECT {names} FROM (SELECT {names},rank() OVER (ORDER BY {}) AS place FROM ({body})) \
             WHERE place <= ({count}) ORDER BY place",
            keys.join(",")
        ))
    }

    fn row_count(&mut self, expr: &TypedExpr) -> Result<i64, SqlError> {
        if !expr.is_scalar() {
            return Err(fault::not_supported("a row count that depends on rows"));
        }
        match eval::evaluate(expr, self.env, &[])?.as_i64() {
            Some(count) if count >= 0 => Ok(count),
            _ => Err(messages::ROW_COUNT_INVALID.with(&[])),
        }
    }

    /// SELECT of ready items, without ORDER BY.
    pub(crate) fn select(&mut self, select: &Select, items: &[String]) -> Result<String, SqlError> {
        let mut text = format!(
            "SELECT {}{}",
            if select.distinct { "DISTINCT " } else { "" },
            items.join(",")
        );
        if let Some(from) = &select.from {
            text.push_str(" FROM ");
            text.push_str(&self.source(from)?);
        }
        if let Some(filter) = &select.filter {
            text.push_str(" WHERE ");
            text.push_str(&self.expr(filter)?);
        }
        if !select.group.is_empty() {
            let mut keys = Vec::with_capacity(select.group.len());
            for key in &select.group {
                let value = self.expr(key)?;
                keys.push(collated(&value, key));
            }
            text.push_str(" GROUP BY ");
            text.push_str(&keys.join(","));
        }
        if let Some(having) = &select.having {
            let having = self.expr(having)?;
            // Without GROUP BY there is one group, of all rows.
            if select.group.is_empty() {
                text.push_str(" GROUP BY NULL");
            }
            text.push_str(&format!(" HAVING {having}"));
        }
        Ok(text)
    }

    pub(crate) fn with(&mut self, ctes: &[Cte]) -> Result<String, SqlError> {
        if ctes.is_empty() {
            return Ok(String::new());
        }
        let mut parts = Vec::with_capacity(ctes.len());
        for cte in ctes {
            let mut names: Vec<String> =
                (0..cte.columns.len()).map(|at| format!("c{at}")).collect();
            let query = self.query(&cte.query)?;
            if cte.recursive.is_empty() {
                parts.push(format!("w{}({}) AS ({query})", cte.key, names.join(",")));
                continue;
            }
            let listed = names.join(",");
            names.push("round".to_owned());
            let mut text = format!("SELECT {listed}, 0 FROM ({query})");
            for member in &cte.recursive {
                text.push_str(" UNION ALL ");
                text.push_str(&self.recursive_member(member, cte.key)?);
            }
            parts.push(format!("w{}({}) AS ({text})", cte.key, names.join(",")));
        }
        Ok(format!("WITH RECURSIVE {} ", parts.join(",")))
    }

    fn recursive_member(&mut self, member: &Query, key: u32) -> Result<String, SqlError> {
        let Body::Select(select) = &member.body else {
            return Err(fault::not_supported(
                "a recursive member of several SELECTs",
            ));
        };
        let own = select
            .from
            .as_ref()
            .and_then(|from| cte_source(from, key))
            .ok_or_else(|| fault::not_supported("recursion inside a subquery"))?;
        let mut items = select
            .items
            .iter()
            .map(|item| self.expr(&item.expr))
            .collect::<Result<Vec<_>, _>>()?;
        items.push(format!("rounds(s{own}.round)"));
        self.select(select, &items)
    }

    pub(crate) fn source(&mut self, source: &Source) -> Result<String, SqlError> {
        Ok(match source {
            Source::Table { id, key } => self.rows_of(*id, *key)?,
            Source::Function { id, key, args } => {
                let args = args
                    .iter()
                    .map(|arg| self.expr(arg))
                    .collect::<Result<Vec<_>, _>>()?;
                let table = self.table(*key);
                format!(
                    "{}({}) AS s{id}",
                    table.replace("temp.", ""),
                    args.join(",")
                )
            }
            Source::Query { id, query } => format!("({}) AS s{id}", self.query(query)?),
            Source::Cte { id, key } => format!("w{key} AS s{id}"),
            Source::Apply {
                left,
                outer,
                id,
                query,
                refs,
            } => {
                let left = self.source(left)?;
                let args = refs
                    .iter()
                    .map(|column| self.expr(column))
                    .collect::<Result<Vec<_>, _>>()?;
                self.outside.push(refs.clone());
                let text = self.query(query);
                self.outside.pop();
                let number = self.plan.fragments.len();
                self.plan.fragments.push(Fragment {
                    text: text?,
                    types: query.columns.iter().map(|column| column.ty).collect(),
                    refs: refs.len(),
                });
                let word = if *outer { "LEFT JOIN" } else { "JOIN" };
                format!("{left} {word} f{number}({}) AS s{id} ON 1", args.join(","))
            }
            Source::Join {
                left,
                kind,
                right,
                on,
            } => {
                let left = self.source(left)?;
                let nested = matches!(**right, Source::Join { .. });
                let right = self.source(right)?;
                let right = if nested { format!("({right})") } else { right };
                let word = match kind {
                    JoinKind::Inner | JoinKind::Cross => "JOIN",
                    JoinKind::Left => "LEFT JOIN",
                    JoinKind::Right => "RIGHT JOIN",
                    JoinKind::Full => "FULL JOIN",
                };
                let on = match on {
                    Some(on) => self.expr(on)?,
                    None => "1".to_owned(),
                };
                format!("{left} {word} {right} ON {on}")
            }
        })
    }

    // ---- expressions ----

    /// An expression or predicate.
    pub(crate) fn expr(&mut self, expr: &TypedExpr) -> Result<String, SqlError> {
        if expr.is_scalar() && !expr.is_volatile() {
            // An error is raised only where a row needs the value.
            return match eval::evaluate(expr, self.env, &[]) {
                Ok(value) => {
                    let raw = encode(&value, expr.ty)?;
                    Ok(self.param(raw))
                }
                Err(_) => self.compile(expr, None),
            };
        }
        match &expr.kind {
            TypedKind::Column { source, column } => {
                let place = self
                    .outside
                    .last()
                    .and_then(|refs| refs.iter().position(|known| known.kind == expr.kind));
                Ok(match place {
                    Some(at) => format!("?{}", Fragment::FIRST_REF + at),
                    None if *column == ROWID => format!("s{source}.rowid"),
                    None => format!("s{source}.c{column}"),
                })
            }
            TypedKind::Leaf(at) => Ok(format!("c{at}")),
            TypedKind::Collate { operand, .. } => self.expr(operand),
            TypedKind::Convert {
                operand,
                style: None,
                ..
            } if same_encoding(operand.ty, expr.ty) => self.expr(operand),
            TypedKind::Subquery(query) => self.scalar_subquery(query),
            TypedKind::Exists(query) => Ok(format!("EXISTS ({})", self.query(query)?)),
            TypedKind::Quantified {
                op,
                all,
                operand,
                query,
            } => self.quantified(*op, *all, operand, query),
            TypedKind::Aggregate(aggregate) => self.aggregate(aggregate, expr.ty, None),
            TypedKind::Window(window) => self.window(window, expr.ty),
            TypedKind::And(left, right) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                Ok(format!("({left} AND {right})"))
            }
            TypedKind::Or(left, right) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                // The plus keeps SQLite from seeking each side: it would tell rows apart by their numbers, which equal
                // rows of a virtual table share.
                Ok(format!("(+({left} OR {right}))"))
            }
            TypedKind::Not(operand) => Ok(format!("(NOT {})", self.expr(operand)?)),
            TypedKind::IsNull { operand, negated } => {
                let operand = self.expr(operand)?;
                Ok(format!(
                    "({operand} IS {}NULL)",
                    if *negated { "NOT " } else { "" }
                ))
            }
            TypedKind::Compare { op, left, right } if native(left.ty) => {
                let collation = eval::collation_of(left, right);
                let ty = left.ty;
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                let left = with_collation(&left, ty, collation);
                Ok(format!("({left} {} {right})", operator(*op)))
            }
            TypedKind::In {
                operand,
                list,
                negated,
            } if native(operand.ty) => {
                let ty = operand.ty;
                let collation = eval::explicit_collation(operand).unwrap_or_default();
                let operand = self.expr(operand)?;
                let operand = with_collation(&operand, ty, collation);
                let list = list
                    .iter()
                    .map(|item| self.expr(item))
                    .collect::<Result<Vec<_>, _>>()?;
                let word = if *negated { "NOT IN" } else { "IN" };
                Ok(format!("({operand} {word} ({}))", list.join(",")))
            }
            TypedKind::Case {
                branches,
                otherwise,
            } if expr.any(&TypedExpr::is_query) => {
                let mut text = "CASE".to_owned();
                for (when, then) in branches {
                    let (when, then) = (self.expr(when)?, self.expr(then)?);
                    text.push_str(&format!(" WHEN {when} THEN {then}"));
                }
                if let Some(otherwise) = otherwise {
                    let otherwise = self.expr(otherwise)?;
                    text.push_str(&format!(" ELSE {otherwise}"));
                }
                Ok(format!("{text} END"))
            }
            _ => self.compile(expr, None),
        }
    }

    /// A value for a column: converted already, checked for NULL.
    pub(crate) fn assigned(
        &mut self,
        expr: &TypedExpr,
        target: Target,
    ) -> Result<String, SqlError> {
        self.compile(expr, Some(target))
    }

    /// `ev(n, leaf, …)`
    fn compile(&mut self, expr: &TypedExpr, target: Option<Target>) -> Result<String, SqlError> {
        let (tree, leaves) = split(expr, self.env);
        let mut args = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            args.push(self.expr(leaf)?);
        }
        let index = self.plan.compiled.len();
        self.plan.compiled.push(Compiled {
            expr: tree,
            leaves: leaves.iter().map(|leaf| leaf.ty).collect(),
            target,
            form: None,
        });
        let mut text = format!("ev({index}");
        for arg in args {
            text.push(',');
            text.push_str(&arg);
        }
        text.push(')');
        Ok(text)
    }

    fn scalar_subquery(&mut self, query: &Query) -> Result<String, SqlError> {
        let text = self.query(query)?;
        if at_most_one_row(query) {
            return Ok(format!("({text})"));
        }
        let alias = self.alias();
        Ok(format!(
            "(SELECT single({alias}.c0) FROM ({text}) AS {alias})"
        ))
    }

    fn quantified(
        &mut self,
        op: CompareOp,
        all: bool,
        operand: &TypedExpr,
        query: &Query,
    ) -> Result<String, SqlError> {
        let ty = operand.ty;
        if !native(ty) {
            return Err(fault::not_supported(&format!(
                "IN (SELECT …) of type {}",
                ty.name()
            )));
        }
        let collation = eval::explicit_collation(operand).unwrap_or_default();
        let left = self.expr(operand)?;
        let left = with_collation(&left, ty, collation);
        let query = self.query(query)?;
        match (op, all) {
            (CompareOp::Equal, false) => Ok(format!("({left} IN ({query}))")),
            (CompareOp::NotEqual, true) => Ok(format!("({left} NOT IN ({query}))")),
            _ => {
                let alias = self.alias();
                let holds = format!("{left} {} {alias}.c0", operator(op));
                let exists = |condition: &str| {
                    format!("EXISTS (SELECT 1 FROM ({query}) AS {alias} WHERE {condition})")
                };
                // ALL is false at one failure, ANY true at one success; NULL where it might be.
                let (decided, first, last) = if all {
                    (exists(&format!("NOT ({holds})")), 0, 1)
                } else {
                    (exists(&holds), 1, 0)
                };
                let unknown = exists(&format!("({holds}) IS NULL"));
                Ok(format!(
                    "CASE WHEN {decided} THEN {first} WHEN {unknown} THEN NULL ELSE {last} END"
                ))
            }
        }
    }

    /// An aggregate, perhaps with the text of an OVER clause behind it.
    fn aggregate(
        &mut self,
        aggregate: &Aggregate,
        ty: SqlType,
        over: Option<&str>,
    ) -> Result<String, SqlError> {
        let over = over.unwrap_or_default();
        if aggregate.kind == AggregateKind::Document {
            return self.document(aggregate, ty);
        }
        let Some(first) = aggregate.args.first() else {
            return Ok(format!("count(*){over}"));
        };
        let value = self.expr(first)?;
        let value = collated(&value, first);
        let distinct = if aggregate.distinct { "DISTINCT " } else { "" };
        let exact = matches!(first.ty, SqlType::Decimal { .. } | SqlType::Numeric { .. });
        Ok(match aggregate.kind {
            AggregateKind::Count | AggregateKind::CountBig => {
                format!("count({distinct}{value}){over}")
            }
            AggregateKind::Min => format!("min({value}){over}"),
            AggregateKind::Max => format!("max({value}){over}"),
            AggregateKind::Sum if exact => format!("dsum({distinct}{value}){over}"),
            AggregateKind::Sum => {
                let sum = format!("sum({distinct}{value}){over}");
                if ty == SqlType::Int {
                    self.narrowed(&sum)
                } else {
                    sum
                }
            }
            AggregateKind::Avg if exact => {
                let scale = |ty| match ty {
                    SqlType::Decimal { scale, .. } | SqlType::Numeric { scale, .. } => scale,
                    _ => 0,
                };
                format!(
                    "davg(dsum({distinct}{value}){over},count({distinct}{value}){over},{},{})",
                    scale(first.ty),
                    scale(ty)
                )
            }
            AggregateKind::Avg if ty == SqlType::Float => {
                format!("avg({distinct}{value}){over}")
            }
            AggregateKind::Avg => {
                format!("(sum({distinct}{value}){over} / count({distinct}{value}){over})")
            }
            AggregateKind::Document => return Err(fault::internal("a document has its own path")),
            AggregateKind::VarP => format!("varp({distinct}{value}){over}"),
            AggregateKind::Var => format!("var({distinct}{value}){over}"),
            AggregateKind::StDevP => format!("stdevp({distinct}{value}){over}"),
            AggregateKind::StDev => format!("stdev({distinct}{value}){over}"),
            AggregateKind::StringAgg => {
                let separator = match aggregate.args.get(1) {
                    Some(separator) => self.expr(separator)?,
                    None => "''".to_owned(),
                };
                let mut order = Vec::new();
                for key in &aggregate.order {
                    let value = self.expr(&key.expr)?;
                    let direction = if key.descending { " DESC" } else { "" };
                    order.push(format!("{}{direction}", collated(&value, &key.expr)));
                }
                let order = if order.is_empty() {
                    String::new()
                } else {
                    format!(" ORDER BY {}", order.join(","))
                };
                format!("group_concat({value},{separator}{order})")
            }
        })
    }

    /// `document(n, column, …)`
    fn document(&mut self, aggregate: &Aggregate, ty: SqlType) -> Result<String, SqlError> {
        let mut columns = Vec::with_capacity(aggregate.args.len());
        for arg in &aggregate.args {
            columns.push(self.expr(arg)?);
        }
        let index = self.plan.compiled.len();
        self.plan.compiled.push(Compiled {
            expr: TypedExpr::constant(Value::Null, ty),
            leaves: aggregate.args.iter().map(|arg| arg.ty).collect(),
            target: None,
            form: aggregate.form.clone(),
        });
        Ok(format!("document({index},{})", columns.join(",")))
    }

    /// A sum of ints is an int: 8115 beyond.
    fn narrowed(&mut self, sum: &str) -> String {
        let leaf = TypedExpr {
            kind: TypedKind::Leaf(0),
            ty: SqlType::BigInt,
            nullable: true,
        };
        let index = self.plan.compiled.len();
        self.plan.compiled.push(Compiled {
            expr: TypedExpr {
                kind: TypedKind::Convert {
                    operand: Box::new(leaf),
                    style: None,
                    safe: false,
                },
                ty: SqlType::Int,
                nullable: true,
            },
            leaves: vec![SqlType::BigInt],
            target: None,
            form: None,
        });
        format!("ev({index},{sum})")
    }

    fn window(&mut self, window: &Window, ty: SqlType) -> Result<String, SqlError> {
        let mut clauses = Vec::new();
        if !window.partition.is_empty() {
            let mut keys = Vec::new();
            for key in &window.partition {
                let value = self.expr(key)?;
                keys.push(collated(&value, key));
            }
            clauses.push(format!("PARTITION BY {}", keys.join(",")));
        }
        let whole = matches!(window.kind, WindowKind::Percentile { .. });
        if !window.order.is_empty() && !whole {
            let mut keys = Vec::new();
            for key in &window.order {
                let value = self.expr(&key.expr)?;
                let direction = if key.descending { " DESC" } else { "" };
                keys.push(format!("{}{direction}", collated(&value, &key.expr)));
            }
            clauses.push(format!("ORDER BY {}", keys.join(",")));
        }
        if let Some(frame) = &window.frame {
            clauses.push(frame_text(frame));
        }
        let over = format!(" OVER ({})", clauses.join(" "));
        let name = match window.kind {
            WindowKind::Aggregate(kind) => {
                let aggregate = Aggregate {
                    kind,
                    args: window.args.clone(),
                    distinct: false,
                    order: Vec::new(),
                    form: None,
                };
                return self.aggregate(&aggregate, ty, Some(&over));
            }
            WindowKind::Percentile { continuous } => {
                let [value, share] = window.args.as_slice() else {
                    return Err(fault::internal("a percentile of nothing"));
                };
                let descending = window.order.first().is_some_and(|key| key.descending);
                let (value, share) = (self.expr(value)?, self.expr(share)?);
                return Ok(format!(
                    "percentile({value},{share},{continuous},{descending}){over}"
                ));
            }
            WindowKind::RowNumber => "row_number",
            WindowKind::Rank => "rank",
            WindowKind::DenseRank => "dense_rank",
            WindowKind::Ntile => "ntile",
            WindowKind::PercentRank => "percent_rank",
            WindowKind::CumeDist => "cume_dist",
            WindowKind::Lag => "lag",
            WindowKind::Lead => "lead",
            WindowKind::FirstValue => "first_value",
            WindowKind::LastValue => "last_value",
        };
        let args = window
            .args
            .iter()
            .map(|arg| self.expr(arg))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{name}({}){over}", args.join(",")))
    }
}

/// Splits an expression into what [`tsql::eval`] computes and the leaves that SQLite hands it.
///
/// Variables become constants: SQLite's callbacks do not see them.
pub(crate) fn split(expr: &TypedExpr, env: &dyn Environment) -> (TypedExpr, Vec<TypedExpr>) {
    let mut leaves: Vec<TypedExpr> = Vec::new();
    let mut tree = expr.clone();
    extract(&mut tree, env, true, &mut leaves);
    (tree, leaves)
}

/// As [`split`], but variables stay: for expressions evaluated by the interpreter itself.
pub(crate) fn split_keeping_variables(
    expr: &TypedExpr,
    env: &dyn Environment,
    leaves: &mut Vec<TypedExpr>,
) -> TypedExpr {
    let mut tree = expr.clone();
    extract(&mut tree, env, false, leaves);
    tree
}

fn extract(
    node: &mut TypedExpr,
    env: &dyn Environment,
    fix_variables: bool,
    leaves: &mut Vec<TypedExpr>,
) {
    match &node.kind {
        TypedKind::Variable(slot) if fix_variables => {
            node.kind = TypedKind::Constant(env.variable(*slot));
        }
        TypedKind::Column { .. }
        | TypedKind::Leaf(_)
        | TypedKind::Subquery(_)
        | TypedKind::Exists(_)
        | TypedKind::Quantified { .. }
        | TypedKind::Aggregate(_)
        | TypedKind::Window(_) => {
            let at = leaves
                .iter()
                .position(|known| known == node)
                .unwrap_or_else(|| {
                    leaves.push(node.clone());
                    leaves.len() - 1
                });
            node.kind = TypedKind::Leaf(at);
        }
        _ => {
            for child in node.children_mut() {
                extract(child, env, fix_variables, leaves);
            }
        }
    }
}

fn cte_source(source: &Source, wanted: u32) -> Option<u32> {
    match source {
        Source::Cte { id, key } if *key == wanted => Some(*id),
        Source::Join { left, right, .. } => {
            cte_source(left, wanted).or_else(|| cte_source(right, wanted))
        }
        Source::Apply { left, .. } => cte_source(left, wanted),
        Source::Cte { .. }
        | Source::Table { .. }
        | Source::Function { .. }
        | Source::Query { .. } => None,
    }
}

/// Whether a query's shape alone promises no second row.
fn at_most_one_row(query: &Query) -> bool {
    let top_one = query.limit.top.as_ref().is_some_and(
        |top| matches!(&top.kind, TypedKind::Constant(value) if value.as_i64() == Some(1)),
    ) && !query.limit.ties
        && !query.limit.percent;
    let single_group = matches!(&query.body, Body::Select(select) if select.group.is_empty()
        && (select.grouped || select.from.is_none()));
    top_one || single_group
}

/// Whether values of a type compare in SQLite as in T-SQL.
/// Whether values of a type compare in SQLite as they are encoded.
pub(crate) const fn native(ty: SqlType) -> bool {
    !matches!(
        ty,
        SqlType::Binary(_)
            | SqlType::VarBinary(_)
            | SqlType::Image
            | SqlType::SqlVariant
            | SqlType::Xml
    )
}

/// Whether a conversion leaves the encoding as it is, whatever the value.
fn same_encoding(from: SqlType, to: SqlType) -> bool {
    let rank = |ty| match ty {
        SqlType::Bit => Some(0),
        SqlType::TinyInt => Some(1),
        SqlType::SmallInt => Some(2),
        SqlType::Int => Some(3),
        SqlType::BigInt => Some(4),
        _ => None,
    };
    if let (Some(a), Some(b)) = (rank(from), rank(to)) {
        return a <= b;
    }
    if let (
        SqlType::Decimal {
            precision: p,
            scale: s,
        }
        | SqlType::Numeric {
            precision: p,
            scale: s,
        },
        SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale },
    ) = (from, to)
    {
        return s == scale
            && p <= precision
            && (p <= INTEGER_DIGITS) == (precision <= INTEGER_DIGITS);
    }
    let fits = |a: Length, b: Length| match (a, b) {
        (_, Length::Max) => true,
        (Length::Max, Length::Limited(_)) => false,
        (Length::Limited(a), Length::Limited(b)) => a <= b,
    };
    match (from, to) {
        (SqlType::NVarChar(a), SqlType::NVarChar(b))
        | (SqlType::VarChar(a), SqlType::VarChar(b) | SqlType::NVarChar(b)) => fits(a, b),
        (SqlType::NChar(a), SqlType::NVarChar(b))
        | (SqlType::Char(a), SqlType::VarChar(b) | SqlType::NVarChar(b)) => {
            fits(Length::Limited(a), b)
        }
        (SqlType::SmallDateTime, SqlType::DateTime) | (SqlType::SmallMoney, SqlType::Money) => true,
        _ => false,
    }
}

const fn collation_name(ty: SqlType, collation: Collation) -> Option<&'static str> {
    if matches!(ty, SqlType::DateTimeOffset(_)) {
        return Some("dto");
    }
    if !ty.is_string() {
        return None;
    }
    Some(match collation {
        Collation::CaseInsensitive => "ci",
        Collation::CaseSensitive => "cs",
        Collation::Binary => "bin",
    })
}

fn with_collation(text: &str, ty: SqlType, collation: Collation) -> String {
    collation_name(ty, collation)
        .map_or_else(|| text.to_owned(), |name| format!("{text} COLLATE {name}"))
}

fn collated(text: &str, expr: &TypedExpr) -> String {
    with_collation(
        text,
        expr.ty,
        eval::explicit_collation(expr).unwrap_or_default(),
    )
}

pub(crate) const fn operator(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "=",
        CompareOp::NotEqual => "<>",
        CompareOp::Less => "<",
        CompareOp::LessOrEqual => "<=",
        CompareOp::Greater => ">",
        CompareOp::GreaterOrEqual => ">=",
    }
}

fn frame_text(frame: &Frame) -> String {
    let bound = |bound: Bound| match bound {
        Bound::UnboundedPreceding => "UNBOUNDED PRECEDING".to_owned(),
        Bound::Preceding(n) => format!("{n} PRECEDING"),
        Bound::CurrentRow => "CURRENT ROW".to_owned(),
        Bound::Following(n) => format!("{n} FOLLOWING"),
        Bound::UnboundedFollowing => "UNBOUNDED FOLLOWING".to_owned(),
    };
    format!(
        "{} BETWEEN {} AND {}",
        if frame.rows { "ROWS" } else { "RANGE" },
        bound(frame.start),
        bound(frame.end)
    )
}
