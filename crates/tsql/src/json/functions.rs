//! ISJSON, JSON_VALUE, JSON_QUERY, JSON_MODIFY.
//!
//! Source: "JSON functions (Transact-SQL)".

use super::path::{Path, Step, follow};
use super::{Kind, Node, quote, read};
use crate::bind::ir::{TypedExpr, TypedKind};
use crate::convert;
use crate::document::lexical;
use crate::error::SqlError;
use crate::eval::Call;
use crate::messages as m;
use crate::value::Value;

/// Longest text of JSON_VALUE, in UTF-16 units.
const VALUE_UNITS_MAX: usize = 4000;

/// ISJSON(text): whether it is an object or array.
pub(crate) fn is_json(call: &Call<'_>) -> Result<Value, SqlError> {
    Ok(call.text(0).map_or(Value::Null, |text| {
        Value::Int(i32::from(read(&text).is_ok()))
    }))
}

/// Text, tree and path; `None` when a value is NULL.
fn operands(call: &Call<'_>) -> Result<Option<(String, Node, Path)>, SqlError> {
    let Some(text) = call.text(0) else {
        return Ok(None);
    };
    let path = match call.args.len() {
        1 => "$".to_owned(),
        _ => match call.text(1) {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let path = Path::parse(&path)?;
    let root = read(&text)?;
    Ok(Some((text, root, path)))
}

/// JSON_VALUE(text, path): a scalar.
pub(crate) fn json_value(call: &Call<'_>) -> Result<Value, SqlError> {
    let Some((text, root, path)) = operands(call)? else {
        return Ok(Value::Null);
    };
    let Some(node) = path.find(&root) else {
        return absent(&path);
    };
    if node.is_compound() && path.strict {
        return Err(m::JSON_NOT_SCALAR.with(&[]));
    }
    match node.scalar(&text) {
        Some(value) if value.encode_utf16().count() > VALUE_UNITS_MAX => {
            if path.strict {
                Err(m::JSON_TRUNCATED.with(&[]))
            } else {
                Ok(Value::Null)
            }
        }
        Some(value) => Ok(Value::String(value)),
        None => Ok(Value::Null),
    }
}

/// JSON_QUERY(text [, path]): an object or array, as it was written.
pub(crate) fn json_query(call: &Call<'_>) -> Result<Value, SqlError> {
    let Some((text, root, path)) = operands(call)? else {
        return Ok(Value::Null);
    };
    match path.find(&root) {
        None => absent(&path),
        Some(node) if node.is_compound() => Ok(Value::string(node.raw(&text))),
        Some(_) if path.strict => Err(m::JSON_NOT_OBJECT.with(&[])),
        Some(_) => Ok(Value::Null),
    }
}

fn absent(path: &Path) -> Result<Value, SqlError> {
    if path.strict {
        Err(m::JSON_NO_PROPERTY.with(&[]))
    } else {
        Ok(Value::Null)
    }
}

/// JSON_MODIFY(text, path, value): the text with a value changed, added or, by NULL in lax mode, taken away.
pub(crate) fn json_modify(call: &Call<'_>) -> Result<Value, SqlError> {
    let (Some(text), Some(path)) = (call.text(0), call.text(1)) else {
        return Ok(Value::Null);
    };
    let path = Path::parse(&path)?;
    let root = read(&text)?;
    let value = call.args.get(2).unwrap_or(&Value::Null);
    let mut written = String::new();
    match (value, call.exprs.get(2)) {
        (Value::Null, _) => written.push_str("null"),
        (value, expr) => scalar(value, expr, &mut written),
    }
    let out = if path.append {
        append(&text, &root, &path, &written)?
    } else {
        replace(&text, &root, &path, &written, value.is_null())?
    };
    Ok(Value::String(out))
}

/// A value of T-SQL inside JSON.
fn scalar(value: &Value, expr: Option<&TypedExpr>, out: &mut String) {
    match value {
        Value::Bit(v) => out.push_str(if *v { "true" } else { "false" }),
        _ if convert::is_number(convert::type_of(value)) => {
            out.push_str(&lexical(value, convert::type_of(value)));
        }
        _ => {
            let text = lexical(value, expr.map_or(convert::type_of(value), |e| e.ty));
            if expr.is_some_and(is_json_text) {
                out.push_str(&text);
            } else {
                quote(&text, out);
            }
        }
    }
}

/// Whether an expression gives JSON rather than a text: JSON_QUERY and JSON_MODIFY do, and FOR JSON in a subquery.
pub(crate) fn is_json_text(expr: &TypedExpr) -> bool {
    match &expr.kind {
        TypedKind::Call { function, .. } => matches!(function.name, "JSON_QUERY" | "JSON_MODIFY"),
        TypedKind::Convert { operand, .. } => is_json_text(operand),
        _ => false,
    }
}

fn spliced(text: &str, at: std::ops::Range<usize>, with: &str) -> String {
    let mut out = text.to_owned();
    out.replace_range(at, with);
    out
}

fn append(text: &str, root: &Node, path: &Path, written: &str) -> Result<String, SqlError> {
    match path.find(root).map(|node| (&node.kind, node.span.clone())) {
        Some((Kind::Array(items), span)) => {
            let comma = if items.is_empty() { "" } else { "," };
            let end = span.end - 1;
            Ok(spliced(text, end..end, &format!("{comma}{written}")))
        }
        Some(_) if path.strict => Err(m::JSON_NOT_OBJECT.with(&[])),
        Some(_) => Ok(text.to_owned()),
        None => replace(text, root, path, &format!("[{written}]"), false),
    }
}

fn replace(
    text: &str,
    root: &Node,
    path: &Path,
    written: &str,
    null: bool,
) -> Result<String, SqlError> {
    let Some((last, parents)) = path.steps.split_last() else {
        // The whole text is not replaced.
        return Err(m::JSON_PATH.with(&["$", "0"]));
    };
    let parent = follow(root, parents);
    let found = path.find(root);
    match (
        found,
        parent.map(|parent| (&parent.kind, &parent.span)),
        last,
    ) {
        (Some(node), Some((Kind::Object(members), _)), Step::Member(name))
            if null && !path.strict =>
        {
            let at = members.iter().position(|member| member.name == *name);
            let at = at.unwrap_or_default();
            let start = members[at].start;
            // The comma before it goes too, or the one behind it when it is the first.
            let range = if at > 0 {
                members[at - 1].value.span.end..node.span.end
            } else if let Some(next) = members.get(1) {
                start..next.start
            } else {
                start..node.span.end
            };
            Ok(spliced(text, range, ""))
        }
        (Some(node), _, _) => Ok(spliced(text, node.span.clone(), written)),
        (None, _, _) if path.strict => Err(m::JSON_NO_PROPERTY.with(&[])),
        (None, _, _) if null => Ok(text.to_owned()),
        (None, Some((Kind::Object(members), span)), Step::Member(name)) => {
            let mut added = String::new();
            if !members.is_empty() {
                added.push(',');
            }
            quote(name, &mut added);
            added.push(':');
            added.push_str(written);
            let end = span.end - 1;
            Ok(spliced(text, end..end, &added))
        }
        (None, Some((Kind::Array(items), span)), Step::Item(at)) if *at == items.len() => {
            let comma = if items.is_empty() { "" } else { "," };
            let end = span.end - 1;
            Ok(spliced(text, end..end, &format!("{comma}{written}")))
        }
        (None, _, _) => Ok(text.to_owned()),
    }
}
