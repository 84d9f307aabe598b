//! ROLLUP, CUBE and GROUPING SETS.
//!
//! Rows are multiplied by the grouping sets, one marker per key says whether the set leaves it out, and the grouping is
//! by the set and by the keys that it keeps. GROUPING(key) is the marker.

use super::Binder;
use super::ir::{Body, Limit, Query, Source, SourceId, TypedExpr, TypedKind};
use crate::ast::{self, CompareOp, FunctionCall, GroupItem, GroupWith, JoinKind};
use crate::error::SqlError;
use crate::fault;
use crate::messages as m;
use crate::types::{Column, SqlType};
use crate::value::Value;

/// Most grouping sets of one GROUP BY.
const SETS_MAX: usize = 4096;
/// Most keys of a ROLLUP, CUBE or GROUPING SETS.
const KEYS_MAX: usize = 32;

/// A bound GROUP BY.
#[derive(Debug, Clone, Default)]
pub(super) struct Grouping {
    /// Every key, each once.
    pub(super) keys: Vec<TypedExpr>,
    /// Which keys each set keeps; a plain GROUP BY is one set of all.
    sets: Vec<Vec<usize>>,
    /// The entry of the markers, where there is more than one set.
    markers: Option<SourceId>,
}

impl Grouping {
    /// Whether a key stands in the sets, so that it may be left out of one.
    fn multiplied(&self) -> bool {
        self.markers.is_some()
    }

    fn key(&mut self, expr: TypedExpr) -> usize {
        let known = self.keys.iter().position(|key| *key == expr);
        known.unwrap_or_else(|| {
            self.keys.push(expr);
            self.keys.len() - 1
        })
    }

    /// 1 in the groups whose set leaves the key out.
    fn marker(&self, at: usize) -> TypedExpr {
        match self.markers {
            Some(source) => TypedExpr {
                kind: TypedKind::Column {
                    source,
                    column: at + 1,
                },
                ty: SqlType::TinyInt,
                nullable: false,
            },
            None => TypedExpr::constant(Value::TinyInt(0), SqlType::TinyInt),
        }
    }

    /// A key as the groups show it: NULL where their set leaves it out.
    fn shown(&self, at: usize) -> TypedExpr {
        let key = self.keys[at].clone();
        let ty = key.ty;
        let kept = TypedExpr::predicate(TypedKind::Compare {
            op: CompareOp::Equal,
            left: Box::new(self.marker(at)),
            right: Box::new(TypedExpr::constant(Value::TinyInt(0), SqlType::TinyInt)),
        });
        TypedExpr {
            kind: TypedKind::Case {
                branches: vec![(kept, key)],
                otherwise: None,
            },
            ty,
            nullable: true,
        }
    }

    /// What FROM and GROUP BY become; as they are for a single set.
    pub(super) fn applied(&self, from: Option<Source>) -> (Option<Source>, Vec<TypedExpr>) {
        let Some(id) = self.markers else {
            return (from, self.keys.clone());
        };
        let rows = self
            .sets
            .iter()
            .zip(0_i32..)
            .map(|(set, number)| {
                let number = TypedExpr::constant(Value::Int(number), SqlType::Int);
                let marks = (0..self.keys.len()).map(|at| {
                    let out = u8::from(!set.contains(&at));
                    TypedExpr::constant(Value::TinyInt(out), SqlType::TinyInt)
                });
                std::iter::once(number).chain(marks).collect()
            })
            .collect();
        let mut columns = vec![Column::required("", SqlType::Int)];
        columns.extend(
            self.keys
                .iter()
                .map(|_| Column::required("", SqlType::TinyInt)),
        );
        let markers = Source::Query {
            id,
            query: Box::new(Query {
                ctes: Vec::new(),
                body: Body::Values(rows),
                columns,
                order: Vec::new(),
                limit: Limit::default(),
            }),
        };
        let from = match from {
            Some(from) => Source::Join {
                left: Box::new(from),
                kind: JoinKind::Cross,
                right: Box::new(markers),
                on: None,
            },
            None => markers,
        };
        let set = TypedExpr {
            kind: TypedKind::Column {
                source: id,
                column: 0,
            },
            ty: SqlType::Int,
            nullable: false,
        };
        let shown = (0..self.keys.len()).map(|at| self.shown(at));
        (Some(from), std::iter::once(set).chain(shown).collect())
    }

    /// Puts what the groups show in the place of the keys; arguments of aggregates stay.
    pub(super) fn show(&self, expr: &mut TypedExpr) {
        if !self.multiplied() || matches!(expr.kind, TypedKind::Aggregate(_)) {
            return;
        }
        if let Some(at) = self.keys.iter().position(|key| key == expr) {
            *expr = self.shown(at);
            return;
        }
        let mut nullable = expr.nullable;
        for child in expr.children_mut() {
            self.show(child);
            nullable |= child.nullable;
        }
        if matches!(
            expr.kind,
            TypedKind::Convert { .. } | TypedKind::Unary { .. } | TypedKind::Binary { .. }
        ) {
            expr.nullable = nullable;
        }
    }
}

impl Binder<'_> {
    /// Binds GROUP BY.
    pub(super) fn grouping(&mut self, select: &ast::Select) -> Result<Grouping, SqlError> {
        let mut grouping = Grouping::default();
        let Some(group) = &select.group_by else {
            return Ok(grouping);
        };
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        let mut several = false;
        for item in &group.items {
            several |= !matches!(item, GroupItem::Expr(_));
            let more = self.sets_of(item, &mut grouping)?;
            sets = product(&sets, &more)?;
        }
        if let Some(with) = group.with {
            several = true;
            let all: Vec<Vec<usize>> = (0..grouping.keys.len()).map(|at| vec![at]).collect();
            sets = match with {
                GroupWith::Rollup => rollup(&all),
                GroupWith::Cube => cube(&all)?,
            };
        }
        if several {
            if grouping.keys.len() > KEYS_MAX {
                return Err(m::TOO_MANY_GROUPING_KEYS.with(&[&KEYS_MAX.to_string()]));
            }
            let plain = matches!(sets.as_slice(), [set] if set.len() == grouping.keys.len());
            if !plain {
                grouping.markers = Some(self.fresh_source());
            }
        }
        grouping.sets = sets;
        Ok(grouping)
    }

    fn sets_of(
        &mut self,
        item: &GroupItem,
        grouping: &mut Grouping,
    ) -> Result<Vec<Vec<usize>>, SqlError> {
        Ok(match item {
            GroupItem::Expr(expr) => vec![vec![self.group_key(expr, grouping)?]],
            GroupItem::Set(exprs) => vec![self.group_keys(exprs, grouping)?],
            GroupItem::Rollup(parts) => rollup(&self.group_parts(parts, grouping)?),
            GroupItem::Cube(parts) => cube(&self.group_parts(parts, grouping)?)?,
            GroupItem::GroupingSets(items) => {
                let mut all = Vec::new();
                for item in items {
                    all.extend(self.sets_of(item, grouping)?);
                }
                all
            }
        })
    }

    fn group_parts(
        &mut self,
        parts: &[Vec<ast::Expr>],
        grouping: &mut Grouping,
    ) -> Result<Vec<Vec<usize>>, SqlError> {
        parts
            .iter()
            .map(|part| self.group_keys(part, grouping))
            .collect()
    }

    fn group_keys(
        &mut self,
        exprs: &[ast::Expr],
        grouping: &mut Grouping,
    ) -> Result<Vec<usize>, SqlError> {
        exprs
            .iter()
            .map(|expr| self.group_key(expr, grouping))
            .collect()
    }

    fn group_key(&mut self, expr: &ast::Expr, grouping: &mut Grouping) -> Result<usize, SqlError> {
        let bound = self.expr(expr).map_err(|error| {
            if error.number == m::AGGREGATE_IN_WHERE.number {
                m::AGGREGATE_IN_GROUP_BY.at(error.line, &[])
            } else {
                error
            }
        })?;
        if bound.any(&TypedExpr::is_query) {
            return Err(m::AGGREGATE_IN_GROUP_BY.at(expr.span.line, &[]));
        }
        if !bound.any(&|node| matches!(node.kind, TypedKind::Column { .. })) {
            return Err(m::GROUP_BY_CONSTANT.at(expr.span.line, &[]));
        }
        Ok(grouping.key(bound))
    }

    /// GROUPING and GROUPING_ID.
    pub(super) fn grouping_function(
        &mut self,
        name: &str,
        call: &FunctionCall,
    ) -> Result<TypedExpr, SqlError> {
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            args.push(self.expr(arg)?);
        }
        let Some(grouping) = self.groupings.last() else {
            return Err(m::GROUPING_ARGUMENT.with(&["1", name]));
        };
        let mut bits = Vec::with_capacity(args.len());
        for (number, arg) in (1..).zip(&args) {
            let at = grouping.keys.iter().position(|key| key == arg);
            let at = at.ok_or_else(|| m::GROUPING_ARGUMENT.with(&[&number.to_string(), name]))?;
            bits.push(grouping.marker(at));
        }
        if name == "GROUPING" {
            return match <[TypedExpr; 1]>::try_from(bits) {
                Ok([bit]) => Ok(bit),
                Err(_) => Err(fault::wrong_argument_count(name, 1)),
            };
        }
        // The first argument is the highest bit.
        let mut number = TypedExpr::constant(Value::Int(0), SqlType::Int);
        for bit in bits {
            let two = TypedExpr::constant(Value::Int(2), SqlType::Int);
            number = super::binary(ast::BinaryOp::Multiply, number, two)?;
            number = super::binary(ast::BinaryOp::Add, number, bit)?;
        }
        Ok(number)
    }
}

/// Every union of one set of each.
fn product(a: &[Vec<usize>], b: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, SqlError> {
    if a.len().saturating_mul(b.len()) > SETS_MAX {
        return Err(m::TOO_MANY_GROUPING_SETS.with(&[&SETS_MAX.to_string()]));
    }
    let mut out = Vec::with_capacity(a.len() * b.len());
    for left in a {
        for right in b {
            let mut set = left.clone();
            set.extend(right.iter().filter(|key| !left.contains(key)));
            out.push(set);
        }
    }
    Ok(out)
}

/// All parts, then without the last one, and so on to none.
fn rollup(parts: &[Vec<usize>]) -> Vec<Vec<usize>> {
    (0..=parts.len())
        .rev()
        .map(|count| parts[..count].concat())
        .collect()
}

/// Every choice of parts.
fn cube(parts: &[Vec<usize>]) -> Result<Vec<Vec<usize>>, SqlError> {
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    for part in parts {
        sets = product(&sets, &[part.clone(), Vec::new()])?;
    }
    Ok(sets)
}
