//! modify(): XML DML.
//!
//! `insert … into | as first into | as last into | before | after …`, `delete …`, `replace value of … with …`. What is
//! inserted is XML written out, an attribute, a text, or an xml variable.
//!
//! Source: "XML Data Modification Language (XML DML)".

use super::eval::{Evaluator, Focus, Item};
use super::fault;
use super::methods::item;
use super::path::{Expr, External, Reader};
use super::tree::{Kind, Name, NodeId, Tree};
use crate::error::SqlError;
use crate::messages as m;
use crate::types::SqlType;
use crate::value::Value;

/// A statement of XML DML, and the values of T-SQL that it names.
#[derive(Debug, Clone, PartialEq)]
struct Statement {
    action: Action,
    externals: Vec<External>,
}

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Insert {
        what: Vec<New>,
        place: Place,
        target: Expr,
    },
    Delete(Expr),
    Replace {
        target: Expr,
        with: Expr,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum New {
    /// XML as it stands in the query.
    Written(String),
    Attribute(String, Expr),
    Text(Expr),
    /// An xml variable or column.
    Value(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Last,
    Before,
    After,
}

impl Statement {
    fn parse(text: &str) -> Result<Self, SqlError> {
        let mut reader = Reader::new(text, "modify");
        reader.prolog()?;
        let action = if reader.eat_word("insert") {
            let mut what = Vec::new();
            let several = reader.eat("(");
            loop {
                what.push(new(&mut reader)?);
                if !(several && reader.eat(",")) {
                    break;
                }
            }
            if several && !reader.eat(")") {
                return Err(reader.error());
            }
            let place = if reader.eat_word("as") {
                let first = reader.eat_word("first");
                if !first {
                    reader.expect_word("last")?;
                }
                reader.expect_word("into")?;
                if first { Place::First } else { Place::Last }
            } else if reader.eat_word("into") {
                Place::Last
            } else if reader.eat_word("before") {
                Place::Before
            } else {
                reader.expect_word("after")?;
                Place::After
            };
            let target = reader.single()?;
            Action::Insert {
                what,
                place,
                target,
            }
        } else if reader.eat_word("delete") {
            Action::Delete(reader.expr()?)
        } else {
            reader.expect_word("replace")?;
            reader.expect_word("value")?;
            reader.expect_word("of")?;
            let target = reader.single()?;
            reader.expect_word("with")?;
            let with = reader.single()?;
            Action::Replace { target, with }
        };
        reader.end()?;
        Ok(Self {
            action,
            externals: reader.externals,
        })
    }
}

fn new(reader: &mut Reader<'_>) -> Result<New, SqlError> {
    let rest = reader.rest();
    if rest.starts_with('<') {
        let length = written_xml(rest).ok_or_else(|| reader.error())?;
        let mut xml = rest.get(..length).unwrap_or_default().to_owned();
        if xml.contains('{') {
            return Err(crate::fault::not_supported(
                "XQuery expression inside an element constructor in modify()",
            ));
        }
        // The prolog's namespaces hold in it.
        for (prefix, uri) in reader.declared() {
            let used =
                xml.contains(&format!("<{prefix}:")) && !xml.contains(&format!("xmlns:{prefix}"));
            if used {
                let end = xml.find(|c: char| c.is_whitespace() || c == '>' || c == '/');
                xml.insert_str(end.unwrap_or(0), &format!(" xmlns:{prefix}=\"{uri}\""));
            }
        }
        reader.skip(length);
        return Ok(New::Written(xml));
    }
    if reader.eat_word("attribute") {
        let name = reader.name().ok_or_else(|| reader.error())?.to_owned();
        return Ok(New::Attribute(name, braced(reader)?));
    }
    if reader.eat_word("text") {
        return Ok(New::Text(braced(reader)?));
    }
    Ok(New::Value(reader.single()?))
}

fn braced(reader: &mut Reader<'_>) -> Result<Expr, SqlError> {
    if !reader.eat("{") {
        return Err(reader.error());
    }
    let expr = reader.expr()?;
    if reader.eat("}") {
        Ok(expr)
    } else {
        Err(reader.error())
    }
}

/// Length of the element at the start of a text, found by its tags.
fn written_xml(text: &str) -> Option<usize> {
    let mut at = 0;
    let mut depth = 0_usize;
    loop {
        let rest = text.get(at..)?;
        let open = at + rest.find('<')?;
        let tag = text.get(open..)?;
        if let Some(comment) = tag.strip_prefix("<!--") {
            at = open + 4 + comment.find("-->")? + 3;
            continue;
        }
        // A sign of greater inside quotes ends no tag.
        let mut quote = None;
        let close = tag.char_indices().find_map(|(at, c)| {
            match (quote, c) {
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                (None, '>') => return Some(at),
                _ => {}
            }
            None
        })?;
        at = open + close + 1;
        if tag.starts_with("</") {
            depth = depth.checked_sub(1)?;
        } else if !tag.get(..close)?.ends_with('/') {
            depth += 1;
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The values of T-SQL that a statement names.
///
/// # Errors
/// 2205, 2229 and 40517 for a statement that cannot be read.
pub(crate) fn modify_externals(text: &str) -> Result<Vec<External>, SqlError> {
    Ok(Statement::parse(text)?.externals)
}

/// Changes an xml value by a statement of XML DML; values of T-SQL come in the order in which it names them.
///
/// # Errors
/// 2205, 2229 and 40517 for a statement that cannot be read; 2226 for a target of several nodes; and what reading
/// the value raises.
pub fn modify(
    text: &str,
    statement: &str,
    externals: &[(Value, SqlType)],
) -> Result<String, SqlError> {
    let statement = Statement::parse(statement)?;
    let mut tree = Tree::parse(text, false)?;
    let values: Vec<Option<Item>> = externals
        .iter()
        .map(|(value, ty)| item(value, *ty))
        .collect();
    let targets = |tree: &Tree, expr: &Expr| -> Result<Vec<NodeId>, SqlError> {
        let items = Evaluator::new(tree, &values).eval(expr, Focus::at(Tree::DOCUMENT))?;
        let ids = items.into_iter().filter_map(|item| match item {
            Item::Node(id) => Some(id),
            Item::Text(_) | Item::Number(_) | Item::Bool(_) | Item::Binary(..) => None,
        });
        Ok(ids.collect())
    };
    let text_of = |tree: &Tree, expr: &Expr| -> Result<String, SqlError> {
        let evaluator = Evaluator::new(tree, &values);
        let items = evaluator.eval(expr, Focus::at(Tree::DOCUMENT))?;
        let texts: Vec<String> = items.iter().map(|item| evaluator.text(item)).collect();
        Ok(texts.join(" "))
    };
    match &statement.action {
        Action::Delete(target) => {
            for id in targets(&tree, target)? {
                if id != Tree::DOCUMENT {
                    tree.remove(id);
                }
            }
        }
        Action::Replace { target, with } => {
            let Some(id) = one(&targets(&tree, target)?, "replace value of")? else {
                return Ok(tree.write_all());
            };
            let value = text_of(&tree, with)?;
            set_value(&mut tree, id, value)?;
        }
        Action::Insert {
            what,
            place,
            target,
        } => {
            let Some(target) = one(&targets(&tree, target)?, "insert")? else {
                return Ok(tree.write_all());
            };
            let mut nodes = Vec::new();
            for new in what {
                match new {
                    New::Written(xml) => {
                        let part = Tree::parse(xml, false)?;
                        nodes.extend(tree.adopt(&part));
                    }
                    New::Value(expr) => {
                        let part = Tree::parse(&text_of(&tree, expr)?, false)?;
                        nodes.extend(tree.adopt(&part));
                    }
                    New::Text(expr) => {
                        let text = text_of(&tree, expr)?;
                        nodes.push(tree.detached(Kind::Text(text)));
                    }
                    New::Attribute(name, expr) => {
                        let value = text_of(&tree, expr)?;
                        let name = Name {
                            prefix: String::new(),
                            local: name.clone(),
                            uri: String::new(),
                        };
                        tree.add_attribute(target, name, value);
                    }
                }
            }
            let beside = |tree: &Tree| {
                let parent = tree.node(target).parent?;
                let siblings = &tree.node(parent).children;
                Some((parent, siblings.iter().position(|id| *id == target)?))
            };
            match place {
                Place::First => tree.insert(target, 0, &nodes),
                Place::Last => {
                    let end = tree.node(target).children.len();
                    tree.insert(target, end, &nodes);
                }
                Place::Before | Place::After => {
                    if let Some((parent, at)) = beside(&tree) {
                        let at = at + usize::from(*place == Place::After);
                        tree.insert(parent, at, &nodes);
                    }
                }
            }
        }
    }
    let out = tree.write_all();
    if out.len() > crate::document::DOCUMENT_BYTES_MAX {
        return Err(fault::too_large());
    }
    Ok(out)
}

/// The one node of a target.
fn one(found: &[NodeId], verb: &str) -> Result<Option<NodeId>, SqlError> {
    match found {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        _ => Err(m::MODIFY_TARGET.with(&[verb])),
    }
}

fn set_value(tree: &mut Tree, id: NodeId, text: String) -> Result<(), SqlError> {
    let refused = || {
        m::XQUERY_SYNTAX.with(&[
            "modify",
            "The target of 'replace value of' must be an attribute or a text.",
        ])
    };
    let node = tree.node(id);
    let simple = match &node.kind {
        Kind::Element { .. } => match node.children.as_slice() {
            [] => None,
            [child] if matches!(tree.node(*child).kind, Kind::Text(_)) => Some(*child),
            _ => return Err(refused()),
        },
        Kind::Text(_) | Kind::Attribute { .. } => Some(id),
        Kind::Document | Kind::Comment(_) | Kind::Instruction { .. } => return Err(refused()),
    };
    match simple {
        Some(place) => match tree.get_mut(place).map(|node| &mut node.kind) {
            Some(Kind::Text(old) | Kind::Attribute { value: old, .. }) => *old = text,
            _ => return Err(refused()),
        },
        None => {
            let child = tree.detached(Kind::Text(text));
            tree.insert(id, 0, &[child]);
        }
    }
    Ok(())
}
