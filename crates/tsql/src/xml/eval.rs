//! Finds in a [`Tree`] what a [`Query`] asks for.

use super::escape;
use super::path::{Axis, Compare, Expr, Operator, Path, Start, Step, Test};
use super::tree::{Kind, NodeId, Tree};
use crate::convert::hex;
use crate::error::SqlError;
use crate::messages as m;
use std::cell::Cell;

/// Most nodes that one evaluation looks at: nested predicates over a large value end here.
const VISITS_MAX: u64 = 50_000_000;

/// A value of XQuery.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Node(NodeId),
    Text(String),
    Number(f64),
    Bool(bool),
    /// Bytes, and whether they show as hexadecimal digits rather than base64.
    Binary(Vec<u8>, bool),
}

/// Fewest and most arguments of a function; `None` for an unknown one.
pub(super) fn arity(name: &str) -> Option<(usize, usize)> {
    Some(match name {
        "position" | "last" | "true" | "false" => (0, 0),
        "local-name" | "namespace-uri" | "name" | "string" | "number" | "string-length"
        | "data" => (0, 1),
        "count" | "sum" | "min" | "max" | "avg" | "not" | "empty" | "distinct-values"
        | "lower-case" | "upper-case" | "ceiling" | "floor" | "round" | "xs:string" | "xs:int"
        | "xs:integer" | "xs:decimal" | "xs:double" | "xs:float" | "xs:long" | "xs:date"
        | "xs:dateTime" | "xs:boolean" | "xs:hexBinary" | "xs:base64Binary" => (1, 1),
        "contains" => (2, 2),
        "substring" => (2, 3),
        "concat" => (2, 64),
        _ => return None,
    })
}

/// Evaluates over one tree.
pub(super) struct Evaluator<'t> {
    pub(super) tree: &'t Tree,
    /// Values from T-SQL; `None` for NULL.
    pub(super) externals: &'t [Option<Item>],
    pub(super) visits: Cell<u64>,
}

/// The node in hand, and its place among those like it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Focus {
    pub(super) node: NodeId,
    pub(super) position: usize,
    pub(super) size: usize,
}

impl Focus {
    pub(super) const fn at(node: NodeId) -> Self {
        Self {
            node,
            position: 1,
            size: 1,
        }
    }
}

impl<'t> Evaluator<'t> {
    pub(super) fn new(tree: &'t Tree, externals: &'t [Option<Item>]) -> Self {
        Self {
            tree,
            externals,
            visits: Cell::new(0),
        }
    }

    fn visit(&self) -> Result<(), SqlError> {
        let visits = self.visits.get() + 1;
        self.visits.set(visits);
        if visits > VISITS_MAX {
            return Err(m::TOO_COMPLEX.with(&[]));
        }
        Ok(())
    }

    /// An item's value as text.
    pub(super) fn text(&self, item: &Item) -> String {
        match item {
            Item::Node(id) => self.tree.text(*id),
            Item::Text(text) => text.clone(),
            Item::Number(number) => number_text(*number),
            Item::Bool(value) => value.to_string(),
            Item::Binary(bytes, true) => hex(bytes),
            Item::Binary(bytes, false) => escape::base64(bytes),
        }
    }

    fn number(&self, item: &Item) -> Option<f64> {
        match item {
            Item::Number(number) => Some(*number),
            Item::Bool(value) => Some(f64::from(u8::from(*value))),
            Item::Node(_) | Item::Text(_) | Item::Binary(..) => self.text(item).trim().parse().ok(),
        }
    }

    fn truth(&self, items: &[Item]) -> bool {
        match items.first() {
            None => false,
            Some(Item::Node(_)) => true,
            Some(Item::Bool(value)) => *value,
            Some(Item::Number(number)) => *number != 0.0,
            Some(Item::Text(text)) => !text.is_empty(),
            Some(Item::Binary(bytes, _)) => !bytes.is_empty(),
        }
    }

    pub(super) fn eval(&self, expr: &Expr, focus: Focus) -> Result<Vec<Item>, SqlError> {
        self.visit()?;
        Ok(match expr {
            Expr::Text(text) => vec![Item::Text(text.clone())],
            Expr::Number(number) => vec![Item::Number(*number)],
            Expr::External(at) => self
                .externals
                .get(*at)
                .cloned()
                .flatten()
                .into_iter()
                .collect(),
            Expr::Sequence(items) => {
                let mut all = Vec::new();
                for item in items {
                    all.extend(self.eval(item, focus)?);
                }
                all
            }
            Expr::Or(left, right) => {
                let left = self.truth(&self.eval(left, focus)?);
                vec![Item::Bool(left || self.truth(&self.eval(right, focus)?))]
            }
            Expr::And(left, right) => {
                let left = self.truth(&self.eval(left, focus)?);
                vec![Item::Bool(left && self.truth(&self.eval(right, focus)?))]
            }
            Expr::Compare(op, left, right) => {
                let (left, right) = (self.eval(left, focus)?, self.eval(right, focus)?);
                let mut hit = false;
                for a in &left {
                    for b in &right {
                        self.visit()?;
                        hit = hit || self.compare(*op, a, b);
                    }
                }
                vec![Item::Bool(hit)]
            }
            Expr::Arithmetic(op, left, right) => {
                let (left, right) = (self.eval(left, focus)?, self.eval(right, focus)?);
                let (Some(a), Some(b)) = (left.first(), right.first()) else {
                    return Ok(Vec::new());
                };
                let (Some(a), Some(b)) = (self.number(a), self.number(b)) else {
                    return Ok(Vec::new());
                };
                vec![Item::Number(match op {
                    Operator::Add => a + b,
                    Operator::Subtract => a - b,
                    Operator::Multiply => a * b,
                    Operator::Divide => a / b,
                    Operator::Modulo => a % b,
                })]
            }
            Expr::Negate(operand) => {
                let operand = self.eval(operand, focus)?;
                let number = operand.first().and_then(|item| self.number(item));
                number.map(|n| Item::Number(-n)).into_iter().collect()
            }
            Expr::Call(name, args) => self.call(name, args, focus)?,
            Expr::Path(path) => self.path(path, focus)?,
        })
    }

    /// Numbers compare as numbers, everything else as text.
    fn compare(&self, op: Compare, a: &Item, b: &Item) -> bool {
        let numeric = matches!(a, Item::Number(_)) || matches!(b, Item::Number(_));
        let order = if numeric {
            match (self.number(a), self.number(b)) {
                (Some(a), Some(b)) => a.partial_cmp(&b),
                _ => None,
            }
        } else {
            Some(self.text(a).cmp(&self.text(b)))
        };
        let Some(order) = order else {
            return false;
        };
        match op {
            Compare::Equal => order.is_eq(),
            Compare::NotEqual => order.is_ne(),
            Compare::Less => order.is_lt(),
            Compare::LessOrEqual => order.is_le(),
            Compare::Greater => order.is_gt(),
            Compare::GreaterOrEqual => order.is_ge(),
        }
    }

    fn path(&self, path: &Path, focus: Focus) -> Result<Vec<Item>, SqlError> {
        let mut items = match &path.start {
            Start::Root => vec![Item::Node(Tree::DOCUMENT)],
            Start::Context => vec![Item::Node(focus.node)],
            Start::Expr(inner) => self.eval(inner, focus)?,
        };
        items = self.filter(items, &path.predicates, focus)?;
        for step in &path.steps {
            let mut found = Vec::new();
            for item in &items {
                if let Item::Node(node) = item {
                    found.extend(self.step(step, *node)?);
                }
            }
            // In document order, each once.
            found.sort_unstable();
            found.dedup();
            items = found.into_iter().map(Item::Node).collect();
        }
        Ok(items)
    }

    fn step(&self, step: &Step, from: NodeId) -> Result<Vec<NodeId>, SqlError> {
        let mut nodes = Vec::new();
        let node = self.tree.node(from);
        match step.axis {
            Axis::Own => nodes.push(from),
            Axis::Parent => nodes.extend(node.parent),
            Axis::Child => nodes.extend(&node.children),
            Axis::Attribute => {
                if let Kind::Element { attributes, .. } = &node.kind {
                    nodes.extend(attributes);
                }
            }
            Axis::Descendant | Axis::DescendantOrSelf => {
                if step.axis == Axis::DescendantOrSelf {
                    nodes.push(from);
                }
                let mut waiting: Vec<NodeId> = node.children.iter().rev().copied().collect();
                while let Some(id) = waiting.pop() {
                    self.visit()?;
                    nodes.push(id);
                    waiting.extend(self.tree.node(id).children.iter().rev());
                }
            }
        }
        let mut kept = Vec::new();
        for id in nodes {
            self.visit()?;
            if self.passes(&step.test, step.axis, id) {
                kept.push(Item::Node(id));
            }
        }
        let kept = self.filter(kept, &step.predicates, Focus::at(from))?;
        let ids = kept.into_iter().filter_map(|item| match item {
            Item::Node(id) => Some(id),
            Item::Text(_) | Item::Number(_) | Item::Bool(_) | Item::Binary(..) => None,
        });
        Ok(ids.collect())
    }

    fn passes(&self, test: &Test, axis: Axis, id: NodeId) -> bool {
        let kind = &self.tree.node(id).kind;
        match (test, kind) {
            (Test::Node, _)
            | (Test::Text, Kind::Text(_))
            | (Test::Comment, Kind::Comment(_))
            | (Test::Instruction, Kind::Instruction { .. }) => true,
            (
                Test::Name { uri, local },
                Kind::Element { name, .. } | Kind::Attribute { name, .. },
            ) => {
                let is_attribute = matches!(kind, Kind::Attribute { .. });
                (is_attribute == (axis == Axis::Attribute) || axis == Axis::Own)
                    && uri.as_ref().is_none_or(|uri| *uri == name.uri)
                    && local.as_ref().is_none_or(|local| *local == name.local)
            }
            _ => false,
        }
    }

    fn filter(
        &self,
        mut items: Vec<Item>,
        predicates: &[Expr],
        outer: Focus,
    ) -> Result<Vec<Item>, SqlError> {
        for predicate in predicates {
            let size = items.len();
            let mut kept = Vec::new();
            for (at, item) in items.into_iter().enumerate() {
                let node = match &item {
                    Item::Node(id) => *id,
                    Item::Text(_) | Item::Number(_) | Item::Bool(_) | Item::Binary(..) => {
                        outer.node
                    }
                };
                let focus = Focus {
                    node,
                    position: at + 1,
                    size,
                };
                let value = self.eval(predicate, focus)?;
                let holds = match value.as_slice() {
                    [Item::Number(number)] => count(at + 1) == *number,
                    value => self.truth(value),
                };
                if holds {
                    kept.push(item);
                }
            }
            items = kept;
        }
        Ok(items)
    }

    fn call(&self, name: &str, args: &[Expr], focus: Focus) -> Result<Vec<Item>, SqlError> {
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            values.push(self.eval(arg, focus)?);
        }
        let first = || match values.first() {
            Some(items) => items.first().cloned(),
            None => Some(Item::Node(focus.node)),
        };
        let all = || values.first().cloned().unwrap_or_default();
        let text = |at: usize| {
            let items = values.get(at).map(Vec::as_slice).unwrap_or_default();
            items
                .first()
                .map_or_else(String::new, |item| self.text(item))
        };
        let number = |at: usize| {
            let items = values.get(at).map(Vec::as_slice).unwrap_or_default();
            items.first().and_then(|item| self.number(item))
        };
        let of = |number: Option<f64>| number.map(Item::Number).into_iter().collect::<Vec<_>>();
        let one = |text: String| vec![Item::Text(text)];
        let numbers = || -> Vec<f64> {
            let items = all();
            items.iter().filter_map(|item| self.number(item)).collect()
        };
        Ok(match name {
            "position" => vec![Item::Number(count(focus.position))],
            "last" => vec![Item::Number(count(focus.size))],
            "true" => vec![Item::Bool(true)],
            "false" => vec![Item::Bool(false)],
            "local-name" | "namespace-uri" | "name" => {
                let found = match first() {
                    Some(Item::Node(id)) => match &self.tree.node(id).kind {
                        Kind::Element { name, .. } | Kind::Attribute { name, .. } => Some(name),
                        _ => None,
                    },
                    _ => None,
                };
                one(found.map_or_else(String::new, |found| match name {
                    "local-name" => found.local.clone(),
                    "namespace-uri" => found.uri.clone(),
                    _ => found.written(),
                }))
            }
            "string" | "xs:string" | "xs:date" | "xs:dateTime" => {
                let item = first();
                item.map(|item| Item::Text(self.text(&item)))
                    .into_iter()
                    .collect()
            }
            "xs:boolean" => {
                let hit = matches!(text(0).trim(), "true" | "1");
                first().map(|_| Item::Bool(hit)).into_iter().collect()
            }
            "string-length" => {
                let item = first();
                let text = item.map_or_else(String::new, |item| self.text(&item));
                vec![Item::Number(count(text.chars().count()))]
            }
            "number" | "xs:int" | "xs:integer" | "xs:decimal" | "xs:double" | "xs:float"
            | "xs:long" => of(first().and_then(|item| self.number(&item))),
            "data" => match args.len() {
                0 => first()
                    .map(|item| Item::Text(self.text(&item)))
                    .into_iter()
                    .collect(),
                _ => {
                    let items = all();
                    items
                        .iter()
                        .map(|item| match item {
                            Item::Node(_) => Item::Text(self.text(item)),
                            other => other.clone(),
                        })
                        .collect()
                }
            },
            "distinct-values" => {
                let mut seen: Vec<Item> = Vec::new();
                for item in all() {
                    let item = match item {
                        Item::Node(_) => Item::Text(self.text(&item)),
                        other => other,
                    };
                    self.visit()?;
                    if !seen.contains(&item) {
                        seen.push(item);
                    }
                }
                seen
            }
            "count" => vec![Item::Number(count(all().len()))],
            "empty" => vec![Item::Bool(all().is_empty())],
            "not" => vec![Item::Bool(!self.truth(&all()))],
            "sum" => vec![Item::Number(numbers().iter().sum())],
            "avg" => {
                let numbers = numbers();
                let sum: f64 = numbers.iter().sum();
                of((!numbers.is_empty()).then(|| sum / count(numbers.len())))
            }
            "min" => of(numbers().into_iter().reduce(f64::min)),
            "max" => of(numbers().into_iter().reduce(f64::max)),
            "ceiling" => of(number(0).map(f64::ceil)),
            "floor" => of(number(0).map(f64::floor)),
            "round" => of(number(0).map(f64::round)),
            "lower-case" => one(text(0).to_lowercase()),
            "upper-case" => one(text(0).to_uppercase()),
            "contains" => vec![Item::Bool(text(0).contains(&text(1)))],
            "concat" => one((0..values.len()).map(text).collect()),
            "substring" => {
                let start = number(1).map_or(1.0, f64::round);
                let length = if values.len() > 2 {
                    number(2).unwrap_or(0.0).round()
                } else {
                    f64::INFINITY
                };
                let kept = text(0);
                let places = kept.chars().enumerate();
                one(places
                    .filter(|(at, _)| {
                        let place = count(at + 1);
                        place >= start && place < start + length
                    })
                    .map(|(_, c)| c)
                    .collect())
            }
            "xs:hexBinary" => match first() {
                Some(Item::Binary(bytes, _)) => vec![Item::Binary(bytes, true)],
                Some(item) => {
                    let bytes = from_hex(&self.text(&item));
                    bytes
                        .map(|bytes| Item::Binary(bytes, true))
                        .into_iter()
                        .collect()
                }
                None => Vec::new(),
            },
            "xs:base64Binary" => match first() {
                Some(Item::Binary(bytes, _)) => vec![Item::Binary(bytes, false)],
                Some(item) => {
                    let bytes = escape::from_base64(&self.text(&item));
                    bytes
                        .map(|bytes| Item::Binary(bytes, false))
                        .into_iter()
                        .collect()
                }
                None => Vec::new(),
            },
            _ => Vec::new(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "no tree has so many nodes")]
const fn count(n: usize) -> f64 {
    n as f64
}

/// Whole numbers without a fraction.
fn number_text(number: f64) -> String {
    format!("{number}")
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect()
}
