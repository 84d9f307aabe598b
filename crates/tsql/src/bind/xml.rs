//! The methods of the xml type, and the rows of nodes().

use super::coerce::coerce;
use super::ir::{Source, TypedExpr, TypedKind};
use super::types::{DefaultLength, resolve_type};
use super::{Binder, Entry};
use crate::ast::{Expr, ExprKind, Ident, Literal, Span, TableAlias};
use crate::error::SqlError;
use crate::fault;
use crate::messages as m;
use crate::parser::parse_type;
use crate::rowset::Rowset;
use crate::types::{Column, SqlType};
use crate::value::Value;
use crate::xml::{self, External};

/// An xml value, and the node in it that a method starts at.
struct Context {
    value: TypedExpr,
    node: TypedExpr,
}

impl Binder<'_> {
    /// `x.value('…', 'type')`, `x.query('…')`, `x.exist('…')`, and `modify` in SET.
    pub(super) fn method(
        &mut self,
        operand: &Expr,
        method: &Ident,
        args: &[Expr],
    ) -> Result<TypedExpr, SqlError> {
        let context = self.method_context(operand, method)?;
        match method.text.as_str() {
            "value" => {
                let path = self.query_text(args, 0, "value", 2)?;
                xml::check_value(&path)?;
                let ty = literal(args, 1, "value")?;
                let ty = parse_type(&ty)
                    .ok()
                    .ok_or_else(|| m::UNKNOWN_TYPE.with(&["1", &ty]))
                    .and_then(|name| resolve_type(&name, DefaultLength::Declaration))?;
                let binary = matches!(ty, SqlType::Binary(_) | SqlType::VarBinary(_));
                let function = if binary {
                    &xml::VALUE_BINARY
                } else {
                    &xml::VALUE
                };
                let args = self.method_args(context, path, "value")?;
                let from = if binary {
                    SqlType::VarBinary(crate::types::Length::Max)
                } else {
                    SqlType::NVARCHAR_MAX
                };
                Ok(TypedExpr {
                    nullable: true,
                    ty,
                    kind: TypedKind::Convert {
                        operand: Box::new(call(function, args, from)),
                        style: None,
                        safe: false,
                    },
                })
            }
            "query" => {
                let path = self.query_text(args, 0, "query", 1)?;
                let args = self.method_args(context, path, "query")?;
                Ok(call(&xml::QUERY, args, SqlType::Xml))
            }
            "exist" => {
                let path = self.query_text(args, 0, "exist", 1)?;
                let args = self.method_args(context, path, "exist")?;
                Ok(call(&xml::EXIST, args, SqlType::Bit))
            }
            "modify" => {
                let text = self.query_text(args, 0, "modify", 1)?;
                let named = xml::modify_externals(&text)?;
                let args = self.with_externals(context, text, named)?;
                Ok(call(&xml::MODIFY, args, SqlType::Xml))
            }
            "nodes" => Err(m::XML_METHOD_MISUSED.with(&["nodes", "non-mutator method"])),
            _ => Err(fault::not_supported(&format!("xml method {}", method.text))),
        }
    }

    /// `x.nodes('…') AS t(c)`
    pub(super) fn nodes_source(
        &mut self,
        call: &Expr,
        alias: Option<&TableAlias>,
    ) -> Result<Source, SqlError> {
        let line = call.span.line;
        let ExprKind::Method {
            operand,
            method,
            args,
        } = &call.kind
        else {
            return Err(fault::internal("nodes() without a call"));
        };
        if method.text != "nodes" {
            return Err(m::XML_METHOD_MISUSED.with(&[&method.text, "nodes() method"]));
        }
        let Some((alias, [column])) = alias.map(|alias| (alias, alias.columns.as_slice())) else {
            return Err(m::INCORRECT_SYNTAX.at(line, &[")"]));
        };
        let mut context = self.method_context(operand, method)?;
        if context.node.is_null_constant() {
            context.node = TypedExpr::constant(Value::Int(-1), SqlType::Int);
        }
        let path = self.query_text(args, 0, "nodes", 1)?;
        let value = context.value.clone();
        let args = self.method_args(context, path, "nodes")?;
        let types = args.iter().map(|arg| arg.ty).collect();
        let key = self.catalog.rowset(Rowset::Nodes { types });
        let id = self.new_source();
        self.nodes.push((id, value));
        let entry = Entry {
            id,
            name: alias.name.text.clone(),
            object: None,
            columns: vec![Column::required(&column.text, SqlType::Int)],
        };
        self.add_entry(entry, line)?;
        Ok(Source::Function { id, key, args })
    }

    /// Whether an expression is the column of a nodes().
    pub(super) fn is_node(&self, expr: &TypedExpr) -> bool {
        self.node_value(expr).is_some()
    }

    fn node_value(&self, expr: &TypedExpr) -> Option<&TypedExpr> {
        let TypedKind::Column { source, .. } = expr.kind else {
            return None;
        };
        let found = self.nodes.iter().find(|(id, _)| *id == source);
        found.map(|(_, value)| value)
    }

    fn method_context(&mut self, operand: &Expr, method: &Ident) -> Result<Context, SqlError> {
        if let ExprKind::Column(parts) = &operand.kind {
            let column = self
                .column(parts)
                .map_err(|error| error.at_line(operand.span.line))?;
            if let Some(value) = self.node_value(&column) {
                return Ok(Context {
                    value: value.clone(),
                    node: column,
                });
            }
        }
        let value = self.expr(operand)?;
        if value.ty != SqlType::Xml && !value.is_null_constant() {
            return Err(m::XML_METHOD_OF_OTHER.at(method.span.line, &[value.ty.name()]));
        }
        Ok(Context {
            value,
            node: TypedExpr::constant(Value::Null, SqlType::Int),
        })
    }

    /// A method's query with the namespaces of the statement in front.
    fn query_text(
        &self,
        args: &[Expr],
        at: usize,
        method: &str,
        count: usize,
    ) -> Result<String, SqlError> {
        if args.len() != count {
            return Err(fault::wrong_argument_count(method, count));
        }
        let mut text = String::new();
        for (prefix, uri) in &self.namespaces {
            let uri = uri.replace('"', "\"\"");
            if prefix.is_empty() {
                text.push_str(&format!("declare default element namespace \"{uri}\"; "));
            } else {
                text.push_str(&format!("declare namespace {prefix}=\"{uri}\"; "));
            }
        }
        text.push_str(&literal(args, at, method)?);
        Ok(text)
    }

    fn method_args(
        &mut self,
        context: Context,
        path: String,
        method: &'static str,
    ) -> Result<Vec<TypedExpr>, SqlError> {
        let named = xml::externals(&path, method)?;
        self.with_externals(context, path, named)
    }

    fn with_externals(
        &mut self,
        context: Context,
        path: String,
        named: Vec<External>,
    ) -> Result<Vec<TypedExpr>, SqlError> {
        let text = TypedExpr::constant(Value::String(path), SqlType::NVARCHAR_MAX);
        let value = coerce(context.value, SqlType::Xml)?;
        let mut args = vec![value, context.node, text];
        for external in named {
            args.push(match external {
                External::Variable(name) => self.variable(&name)?,
                External::Column(name) => {
                    let parts = name.split('.').map(|part| Ident {
                        text: part.trim_matches(['[', ']']).to_owned(),
                        quoted: false,
                        span: Span::default(),
                    });
                    self.column(&parts.collect::<Vec<_>>())?
                }
            });
        }
        Ok(args)
    }
}

fn call(function: &'static crate::eval::Function, args: Vec<TypedExpr>, ty: SqlType) -> TypedExpr {
    TypedExpr {
        kind: TypedKind::Call { function, args },
        ty,
        nullable: true,
    }
}

/// An argument that must be written out.
fn literal(args: &[Expr], at: usize, method: &str) -> Result<String, SqlError> {
    match args.get(at).map(|arg| &arg.kind) {
        Some(ExprKind::Literal(Literal::String { text, .. })) => Ok(text.clone()),
        _ => Err(m::XML_METHOD_LITERAL.with(&[&(at + 1).to_string(), method])),
    }
}
