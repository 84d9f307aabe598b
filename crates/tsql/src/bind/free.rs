//! The columns that a query names without defining them: those of the queries around it.

use super::ir::{Body, Query, SortKey, Source, SourceId, TypedExpr, TypedKind};

/// The columns of a query that come from outside of it, each once.
#[must_use]
pub(super) fn free_columns(query: &Query) -> Vec<TypedExpr> {
    let mut walk = Walk::default();
    walk.query(query);
    let Walk { defined, named, .. } = walk;
    named
        .into_iter()
        .filter(|column| match column.kind {
            TypedKind::Column { source, .. } => !defined.contains(&source),
            _ => false,
        })
        .collect()
}

impl TypedExpr {
    /// Whether it names a column of a FROM entry, here or in a subquery.
    #[must_use]
    pub fn mentions(&self, entry: SourceId) -> bool {
        self.named().iter().any(
            |column| matches!(column.kind, TypedKind::Column { source, .. } if source == entry),
        )
    }

    /// Number of nodes, those of subqueries included.
    #[must_use]
    pub fn size(&self) -> usize {
        let mut walk = Walk::default();
        walk.expr(self);
        walk.size
    }

    /// The columns that it names, here or in subqueries, each once.
    #[must_use]
    pub fn named(&self) -> Vec<Self> {
        let mut walk = Walk::default();
        walk.expr(self);
        walk.named
    }
}

/// Numbers of FROM entries are unique within a statement, so that order does not matter.
#[derive(Default)]
struct Walk {
    /// Expressions met.
    size: usize,
    defined: Vec<SourceId>,
    named: Vec<TypedExpr>,
}

impl Walk {
    fn query(&mut self, query: &Query) {
        for cte in &query.ctes {
            self.query(&cte.query);
            for member in &cte.recursive {
                self.query(member);
            }
        }
        match &query.body {
            Body::Select(select) => {
                for item in &select.items {
                    self.expr(&item.expr);
                }
                if let Some(from) = &select.from {
                    self.source(from);
                }
                let conditions = select.filter.iter().chain(&select.having);
                for expr in conditions.chain(&select.group) {
                    self.expr(expr);
                }
            }
            Body::Set { left, right, .. } => {
                self.query(left);
                self.query(right);
            }
            Body::Values(rows) => {
                for expr in rows.iter().flatten() {
                    self.expr(expr);
                }
            }
        }
        for SortKey { expr, .. } in &query.order {
            self.expr(expr);
        }
        let limit = &query.limit;
        for expr in limit.top.iter().chain(&limit.offset).chain(&limit.fetch) {
            self.expr(expr);
        }
    }

    fn source(&mut self, source: &Source) {
        match source {
            Source::Table { id, .. } | Source::Cte { id, .. } => self.defined.push(*id),
            Source::Function { id, args, .. } => {
                self.defined.push(*id);
                for arg in args {
                    self.expr(arg);
                }
            }
            Source::Query { id, query } => {
                self.defined.push(*id);
                self.query(query);
            }
            Source::Apply {
                left, id, query, ..
            } => {
                self.source(left);
                self.defined.push(*id);
                self.query(query);
            }
            Source::Join {
                left, right, on, ..
            } => {
                self.source(left);
                self.source(right);
                if let Some(on) = on {
                    self.expr(on);
                }
            }
        }
    }

    fn expr(&mut self, expr: &TypedExpr) {
        self.size += 1;
        match &expr.kind {
            TypedKind::Column { .. } if !self.named.contains(expr) => self.named.push(expr.clone()),
            TypedKind::Subquery(query) | TypedKind::Exists(query) => self.query(query),
            TypedKind::Quantified { query, .. } => self.query(query),
            _ => {}
        }
        for child in expr.children() {
            self.expr(child);
        }
    }
}
