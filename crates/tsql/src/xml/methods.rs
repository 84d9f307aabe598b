//! value(), query(), exist() and nodes(), as functions of the value, the node it is asked at, and the query's text.

use super::eval::{Evaluator, Focus, Item};
use super::path::{External, Query};
use super::tree::{NodeId, Tree};
use crate::document::lexical;
use crate::error::SqlError;
use crate::eval::{Call, Function, Nulls, Param, ResultType};
use crate::messages as m;
use crate::types::{Length, SqlType};
use crate::value::Value;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Values and queries that a thread keeps read.
const KEPT_MAX: usize = 8;

thread_local! {
    static TREES: RefCell<VecDeque<(String, Rc<Tree>)>> = const { RefCell::new(VecDeque::new()) };
    static QUERIES: RefCell<VecDeque<(String, Rc<Query>)>> = const { RefCell::new(VecDeque::new()) };
}

/// Lets go of the values that the thread's last statements read.
pub fn forget() {
    TREES.with_borrow_mut(VecDeque::clear);
    QUERIES.with_borrow_mut(VecDeque::clear);
}

/// What was made of a text lately, or is made of it now.
fn kept<T>(
    known: &mut VecDeque<(String, Rc<T>)>,
    text: &str,
    make: impl FnOnce() -> Result<T, SqlError>,
) -> Result<Rc<T>, SqlError> {
    if let Some(at) = known.iter().position(|(other, _)| other == text) {
        return Ok(Rc::clone(&known[at].1));
    }
    let made = Rc::new(make()?);
    if known.len() >= KEPT_MAX {
        known.pop_front();
    }
    known.push_back((text.to_owned(), Rc::clone(&made)));
    Ok(made)
}

fn tree(text: &str) -> Result<Rc<Tree>, SqlError> {
    TREES.with_borrow_mut(|known| kept(known, text, || Tree::parse(text, false)))
}

fn query(text: &str, method: &'static str) -> Result<Rc<Query>, SqlError> {
    QUERIES.with_borrow_mut(|known| kept(known, text, || Query::parse(text, method)))
}

/// Arguments: the value, the number of the node that the query starts at or NULL, the query's text, its externals.
const fn method(
    name: &'static str,
    result: SqlType,
    eval: fn(&Call<'_>) -> Result<Value, SqlError>,
) -> Function {
    Function {
        name,
        least: 3,
        most: usize::MAX,
        params: &[Param::Any],
        result: ResultType::Fixed(result),
        eval,
        volatile: false,
        lazy: false,
        nulls: Nulls::Maybe,
    }
}

/// value(), before the conversion to its type.
pub(crate) static VALUE: Function = method("value", SqlType::NVARCHAR_MAX, value);
/// value() of a binary type.
pub(crate) static VALUE_BINARY: Function =
    method("value", SqlType::VarBinary(Length::Max), value_binary);
/// query()
pub(crate) static QUERY: Function = method("query", SqlType::Xml, query_method);
/// exist()
pub(crate) static EXIST: Function = method("exist", SqlType::Bit, exist);

/// modify(), as a function of the old value.
pub(crate) static MODIFY: Function = method("modify", SqlType::Xml, modify_method);

fn modify_method(call: &Call<'_>) -> Result<Value, SqlError> {
    let (Some(value), Some(statement)) = (call.args.first(), call.text(2)) else {
        return Ok(Value::Null);
    };
    let Value::Xml(text) = value else {
        return Err(m::MODIFY_NULL.with(&["xml"]));
    };
    let values = call
        .args
        .iter()
        .cloned()
        .zip(call.exprs.iter().map(|expr| expr.ty));
    let externals: Vec<(Value, SqlType)> = values.skip(3).collect();
    super::modify(text, &statement, &externals).map(Value::Xml)
}

/// The values of T-SQL that a query names.
///
/// # Errors
/// As [`Query::parse`].
pub(crate) fn externals(text: &str, method: &'static str) -> Result<Vec<External>, SqlError> {
    Ok(Query::parse(text, method)?.externals)
}

/// value() takes what gives one value at most.
///
/// # Errors
/// 2389, and as [`Query::parse`].
pub(crate) fn check_value(text: &str) -> Result<(), SqlError> {
    if Query::parse(text, "value")?.is_single() {
        Ok(())
    } else {
        Err(m::XQUERY_SINGLETON.with(&["value", "value"]))
    }
}

/// A value of T-SQL inside a query.
pub(super) fn item(value: &Value, ty: SqlType) -> Option<Item> {
    match value {
        Value::Null => None,
        Value::Bit(v) => Some(Item::Bool(*v)),
        Value::Binary(bytes) => Some(Item::Binary(bytes.clone(), false)),
        _ if crate::convert::is_number(ty) => lexical(value, ty).parse().ok().map(Item::Number),
        _ => Some(Item::Text(lexical(value, ty))),
    }
}

/// Runs a method's query; `None` where there is no value to ask.
fn found<T>(
    call: &Call<'_>,
    then: impl FnOnce(&Evaluator<'_>, Vec<Item>) -> T,
) -> Result<Option<T>, SqlError> {
    let (Some(Value::Xml(text)), Some(path)) = (call.args.first(), call.text(2)) else {
        return Ok(None);
    };
    let at: Option<NodeId> = match (call.args.get(1), call.exprs.get(1)) {
        (Some(Value::Int(id)), _) => usize::try_from(*id).ok(),
        // A row without a node: OUTER APPLY found none.
        (_, Some(expr)) if !expr.is_null_constant() => return Ok(None),
        _ => Some(Tree::DOCUMENT),
    };
    let tree = tree(text)?;
    let Some(at) = at.filter(|at| tree.get(*at).is_some()) else {
        return Ok(None);
    };
    let query = query(&path, call.function.name)?;
    let values = call.args.iter().zip(call.exprs).skip(3);
    let externals: Vec<Option<Item>> = values.map(|(value, expr)| item(value, expr.ty)).collect();
    let evaluator = Evaluator::new(&tree, &externals);
    let items = evaluator.eval(&query.expr, Focus::at(at))?;
    Ok(Some(then(&evaluator, items)))
}

fn value(call: &Call<'_>) -> Result<Value, SqlError> {
    let text = found(call, |evaluator, items| {
        items.first().map(|item| evaluator.text(item))
    })?;
    Ok(text.flatten().map_or(Value::Null, Value::String))
}

fn value_binary(call: &Call<'_>) -> Result<Value, SqlError> {
    let bytes = found(call, |evaluator, items| match items.into_iter().next() {
        Some(Item::Binary(bytes, _)) => Some(bytes),
        Some(other) => super::escape::from_base64(&evaluator.text(&other)),
        None => None,
    })?;
    Ok(bytes.flatten().map_or(Value::Null, Value::Binary))
}

fn exist(call: &Call<'_>) -> Result<Value, SqlError> {
    let hit = found(call, |_, items| !items.is_empty())?;
    Ok(hit.map_or(Value::Null, Value::Bit))
}

fn query_method(call: &Call<'_>) -> Result<Value, SqlError> {
    let text = found(call, |evaluator, items| {
        let mut out = String::new();
        let mut after_value = false;
        for item in &items {
            if let Item::Node(id) = item {
                evaluator.tree.write(*id, true, &mut out);
                after_value = false;
            } else {
                // Values side by side have a blank between them.
                if std::mem::replace(&mut after_value, true) {
                    out.push(' ');
                }
                super::escape::text(&evaluator.text(item), &mut out);
            }
        }
        out
    })?;
    Ok(text.map_or(Value::Null, Value::Xml))
}

/// nodes(): the numbers of the nodes that a query finds. The arguments are a method's.
///
/// # Errors
/// As [`Query::parse`], and what reading the value raises.
pub(crate) fn node_numbers(args: &[Value]) -> Result<Vec<i32>, SqlError> {
    let [Value::Xml(text), at, Value::String(path), externals @ ..] = args else {
        return Ok(Vec::new());
    };
    let start = match at {
        Value::Int(id) if *id >= 0 => usize::try_from(*id).unwrap_or(Tree::DOCUMENT),
        // -1 stands for the document, NULL for a row without a node.
        Value::Int(_) => Tree::DOCUMENT,
        _ => return Ok(Vec::new()),
    };
    let tree = tree(text)?;
    if tree.get(start).is_none() {
        return Ok(Vec::new());
    }
    let query = query(path, "nodes")?;
    let externals: Vec<Option<Item>> = externals
        .iter()
        .map(|value| item(value, crate::convert::type_of(value)))
        .collect();
    let evaluator = Evaluator::new(&tree, &externals);
    let items = evaluator.eval(&query.expr, Focus::at(start))?;
    let ids = items.into_iter().filter_map(|item| match item {
        Item::Node(id) => i32::try_from(id).ok(),
        Item::Text(_) | Item::Number(_) | Item::Bool(_) | Item::Binary(..) => None,
    });
    Ok(ids.collect())
}
