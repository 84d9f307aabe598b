//! Expressions and predicates.

use super::Binder;
use super::coerce::{cast, coerce, shared_type, unify};
use super::ir::{Collation, Global, TypedExpr, TypedKind};
use super::types::{DefaultLength, resolve_type};
use crate::ast::{
    AssignOp, BinaryOp, CompareOp, Expr, ExprKind, IdentitySeed, Literal, Query, UnaryOp,
};
use crate::convert::{self, Allowed};
use crate::error::SqlError;
use crate::eval::{result_type, text_shape, text_type};
use crate::fault;
use crate::messages as m;
use crate::types::{Length, SqlType};
use crate::value::Value;

/// The operator of a compound assignment; none for `=`.
#[must_use]
pub const fn assign_operator(op: AssignOp) -> Option<BinaryOp> {
    Some(match op {
        AssignOp::Set => return None,
        AssignOp::Add => BinaryOp::Add,
        AssignOp::Subtract => BinaryOp::Subtract,
        AssignOp::Multiply => BinaryOp::Multiply,
        AssignOp::Divide => BinaryOp::Divide,
        AssignOp::Modulo => BinaryOp::Modulo,
        AssignOp::BitAnd => BinaryOp::BitAnd,
        AssignOp::BitOr => BinaryOp::BitOr,
        AssignOp::BitXor => BinaryOp::BitXor,
    })
}

impl Binder<'_> {
    /// Binds an expression or predicate.
    ///
    /// # Errors
    /// 207, 209, 4104, 137, 195, 8117, 257, 206, 402 and kin, each with its line.
    pub fn expr(&mut self, expr: &Expr) -> Result<TypedExpr, SqlError> {
        self.kind(&expr.kind)
            .map_err(|error| error.at_line(expr.span.line))
    }

    /// Binds an expression and converts it as an assignment does.
    ///
    /// # Errors
    /// As [`Binder::expr`], and 257 or 206 when the types do not go together.
    pub fn expr_as(&mut self, expr: &Expr, ty: SqlType) -> Result<TypedExpr, SqlError> {
        let bound = self.expr(expr)?;
        coerce(bound, ty).map_err(|error| error.at_line(expr.span.line))
    }

    fn kind(&mut self, kind: &ExprKind) -> Result<TypedExpr, SqlError> {
        match kind {
            ExprKind::Literal(literal) => Ok(constant(literal)),
            ExprKind::Variable(variable) => self.variable(&variable.name),
            ExprKind::Global(variable) => {
                let (global, ty) = Global::find(&variable.name)
                    .ok_or_else(|| fault::undeclared_variable(&variable.name))?;
                Ok(TypedExpr {
                    kind: TypedKind::Global(global),
                    ty,
                    nullable: true,
                })
            }
            ExprKind::Column(parts) => {
                let column = self.column(parts)?;
                if self.is_node(&column) {
                    let name = parts.last().map_or("", |part| &part.text);
                    return Err(m::NODES_COLUMN.with(&[name]));
                }
                Ok(column)
            }
            ExprKind::Unary { op, operand } => {
                let operand = self.expr(operand)?;
                unary(*op, operand)
            }
            ExprKind::Binary { op, left, right } => self.operators(*op, left, right),
            ExprKind::Function(call) => self.function(call),
            ExprKind::Case {
                operand,
                branches,
                otherwise,
            } => {
                let operand = operand.as_ref().map(|o| self.expr(o)).transpose()?;
                let mut bound = Vec::with_capacity(branches.len());
                for branch in branches {
                    let when = self.expr(&branch.when)?;
                    let when = match &operand {
                        Some(operand) => {
                            let operand = self.copy(operand)?;
                            compare(CompareOp::Equal, operand, when)?
                        }
                        None => when,
                    };
                    bound.push((when, self.expr(&branch.then)?));
                }
                let otherwise = otherwise.as_ref().map(|o| self.expr(o)).transpose()?;
                case(bound, otherwise)
            }
            ExprKind::Cast { operand, ty, safe } => {
                let ty = resolve_type(ty, DefaultLength::Conversion)?;
                let operand = self.expr(operand)?;
                explicit(operand, ty, None, *safe)
            }
            ExprKind::Convert {
                operand,
                ty,
                style,
                safe,
            } => {
                let ty = resolve_type(ty, DefaultLength::Conversion)?;
                let operand = self.expr(operand)?;
                let style = style
                    .as_ref()
                    .map(|style| self.expr_as(style, SqlType::Int))
                    .transpose()?;
                explicit(operand, ty, style, *safe)
            }
            ExprKind::Parse {
                operand,
                ty,
                culture,
                safe,
            } => self.parse_as(operand, ty, culture.as_deref(), *safe),
            ExprKind::Identity { ty, seed } if self.into => {
                let ty = resolve_type(ty, DefaultLength::Declaration)?;
                let seed = seed.unwrap_or(IdentitySeed {
                    seed: 1,
                    increment: 1,
                });
                Ok(TypedExpr {
                    kind: TypedKind::Identity {
                        seed: seed.seed,
                        increment: seed.increment,
                    },
                    ty,
                    nullable: false,
                })
            }
            ExprKind::Identity { .. } => Err(m::IDENTITY_OUTSIDE_INTO.with(&[])),
            ExprKind::Subquery(query) => {
                let query = self.subquery(query, 1)?;
                let ty = query.columns[0].ty;
                Ok(TypedExpr {
                    kind: TypedKind::Subquery(Box::new(query)),
                    ty,
                    nullable: true,
                })
            }
            ExprKind::Collate { operand, collation } => {
                let operand = self.expr(operand)?;
                if !operand.ty.is_string() {
                    return Err(SqlError::new(
                        447,
                        16,
                        format!(
                            "Expression type {} is invalid for COLLATE clause.",
                            operand.ty.name()
                        ),
                    ));
                }
                Ok(TypedExpr {
                    ty: operand.ty,
                    nullable: operand.nullable,
                    kind: TypedKind::Collate {
                        operand: Box::new(operand),
                        collation: collation_named(&collation.text),
                    },
                })
            }
            ExprKind::AtTimeZone { operand, zone } => self.at_time_zone(operand, zone),
            ExprKind::Method {
                operand,
                method,
                args,
            } => self.method(operand, method, args),
            ExprKind::Default => Err(m::INCORRECT_SYNTAX_KEYWORD.with(&["DEFAULT"])),
            ExprKind::And(left, right) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                Ok(TypedExpr::predicate(TypedKind::And(
                    Box::new(left),
                    Box::new(right),
                )))
            }
            ExprKind::Or(left, right) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                Ok(TypedExpr::predicate(TypedKind::Or(
                    Box::new(left),
                    Box::new(right),
                )))
            }
            ExprKind::Not(operand) => Ok(not(self.expr(operand)?)),
            ExprKind::Compare { op, left, right } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                if !self.catalog.ansi_nulls() && (may_equal_null(&left) || may_equal_null(&right)) {
                    match op {
                        CompareOp::Equal => return is_distinct(self, left, right, true),
                        CompareOp::NotEqual => return is_distinct(self, left, right, false),
                        _ => {}
                    }
                }
                compare(*op, left, right)
            }
            ExprKind::IsDistinct {
                left,
                right,
                negated,
            } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                is_distinct(self, left, right, *negated)
            }
            ExprKind::Quantified {
                op,
                all,
                left,
                query,
            } => self.quantified(*op, *all, left, query),
            ExprKind::InList {
                operand,
                list,
                negated,
            } => {
                let operand = self.expr(operand)?;
                let list = list
                    .iter()
                    .map(|item| self.expr(item))
                    .collect::<Result<Vec<_>, _>>()?;
                in_list(operand, list, *negated)
            }
            ExprKind::InQuery {
                operand,
                query,
                negated,
            } => {
                let op = if *negated {
                    CompareOp::NotEqual
                } else {
                    CompareOp::Equal
                };
                self.quantified(op, *negated, operand, query)
            }
            ExprKind::Between {
                operand,
                low,
                high,
                negated,
            } => {
                let operand = self.expr(operand)?;
                let (low, high) = (self.expr(low)?, self.expr(high)?);
                let from = compare(CompareOp::GreaterOrEqual, self.copy(&operand)?, low)?;
                let to = compare(CompareOp::LessOrEqual, operand, high)?;
                let both = TypedExpr::predicate(TypedKind::And(Box::new(from), Box::new(to)));
                Ok(if *negated { not(both) } else { both })
            }
            ExprKind::Like {
                operand,
                pattern,
                escape,
                negated,
            } => {
                let operand = text(self.expr(operand)?)?;
                let pattern = text(self.expr(pattern)?)?;
                let escape = match escape {
                    Some(escape) => Some(Box::new(text(self.expr(escape)?)?)),
                    None => None,
                };
                Ok(TypedExpr::predicate(TypedKind::Like {
                    operand: Box::new(operand),
                    pattern: Box::new(pattern),
                    escape,
                    negated: *negated,
                }))
            }
            ExprKind::IsNull { operand, negated } => {
                let operand = match &operand.kind {
                    // A row of nodes() may be asked for.
                    ExprKind::Column(parts) => self.column(parts)?,
                    _ => self.expr(operand)?,
                };
                Ok(is_null(operand, *negated))
            }
            ExprKind::Exists(query) => {
                let query = self.subquery(query, 0)?;
                Ok(TypedExpr {
                    nullable: false,
                    ..TypedExpr::predicate(TypedKind::Exists(Box::new(query)))
                })
            }
            ExprKind::UpdatedColumn(column) => {
                let bit = |set| TypedExpr::constant(Value::Bit(set), SqlType::Bit);
                let set = self.catalog.is_updated(&column.text)?;
                compare(CompareOp::Equal, bit(set), bit(true))
            }
            ExprKind::CurrentOf(_) => Err(fault::not_supported("WHERE CURRENT OF")),
            ExprKind::Unsupported { feature, .. } => Err(fault::not_supported(feature)),
        }
    }

    /// A chain of binary operators. Its left side may be long; it is walked rather than entered.
    fn operators(
        &mut self,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
    ) -> Result<TypedExpr, SqlError> {
        let mut chain = vec![(op, right, 0)];
        let mut first = left;
        while let ExprKind::Binary { op, left, right } = &first.kind {
            chain.push((*op, right, first.span.line));
            first = left;
        }
        let mut bound = self.expr(first)?;
        for (op, right, line) in chain.into_iter().rev() {
            let right = self.expr(right)?;
            bound = binary(op, bound, right).map_err(|error| match line {
                0 => error,
                line => error.at_line(line),
            })?;
        }
        Ok(bound)
    }

    /// A local variable.
    ///
    /// # Errors
    /// 137 when there is none of that name.
    pub fn variable(&self, name: &str) -> Result<TypedExpr, SqlError> {
        if let Some(found) = self.catalog.undeclared(name) {
            return Ok(TypedExpr {
                kind: TypedKind::Undeclared(found),
                ty: SqlType::Int,
                nullable: true,
            });
        }
        let (slot, ty) = self.catalog.variable(name).ok_or_else(|| {
            if self.catalog.table_variable(name).is_some() {
                m::UNDECLARED_VARIABLE.with(&[name])
            } else {
                fault::undeclared_variable(name)
            }
        })?;
        Ok(TypedExpr {
            kind: TypedKind::Variable(slot),
            ty,
            nullable: true,
        })
    }

    fn quantified(
        &mut self,
        op: CompareOp,
        all: bool,
        operand: &Expr,
        query: &Query,
    ) -> Result<TypedExpr, SqlError> {
        let operand = self.expr(operand)?;
        let mut query = self.subquery(query, 1)?;
        let column = TypedExpr {
            kind: TypedKind::Leaf(0),
            ty: query.columns[0].ty,
            nullable: true,
        };
        let ty = shared_type(&[&operand, &column]);
        comparable(op, ty)?;
        super::query::coerce_columns(&mut query, &[ty])?;
        Ok(TypedExpr::predicate(TypedKind::Quantified {
            op,
            all,
            operand: Box::new(coerce(operand, ty)?),
            query: Box::new(query),
        }))
    }
}

/// Whether SET ANSI_NULLS OFF makes this side equal NULL: a variable, or NULL itself.
fn may_equal_null(side: &TypedExpr) -> bool {
    side.is_null_constant() || matches!(side.kind, TypedKind::Variable(_))
}

/// `=` and kin of two bound sides.
pub(super) fn compare(
    op: CompareOp,
    left: TypedExpr,
    right: TypedExpr,
) -> Result<TypedExpr, SqlError> {
    let (left, right) = unify(left, right)?;
    comparable(op, left.ty)?;
    Ok(TypedExpr::predicate(TypedKind::Compare {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }))
}

pub(super) fn comparable(op: CompareOp, ty: SqlType) -> Result<(), SqlError> {
    match ty {
        SqlType::Text | SqlType::NText | SqlType::Image => {
            let name = match op {
                CompareOp::Equal => "equal to",
                CompareOp::NotEqual => "not equal to",
                CompareOp::Less => "less than",
                CompareOp::LessOrEqual => "less than or equal to",
                CompareOp::Greater => "greater than",
                CompareOp::GreaterOrEqual => "greater than or equal to",
            };
            Err(fault::incompatible_types(ty, ty, name))
        }
        SqlType::Xml => Err(m::TYPE_NOT_COMPARABLE.with(&["xml"])),
        _ => Ok(()),
    }
}

pub(super) fn not(operand: TypedExpr) -> TypedExpr {
    TypedExpr::predicate(TypedKind::Not(Box::new(operand)))
}

pub(super) fn is_null(operand: TypedExpr, negated: bool) -> TypedExpr {
    TypedExpr {
        nullable: false,
        ..TypedExpr::predicate(TypedKind::IsNull {
            operand: Box::new(operand),
            negated,
        })
    }
}

/// Unequal, where two NULLs are equal: never UNKNOWN.
fn is_distinct(
    binder: &mut Binder<'_>,
    left: TypedExpr,
    right: TypedExpr,
    negated: bool,
) -> Result<TypedExpr, SqlError> {
    let yes = || TypedExpr::constant(Value::Int(1), SqlType::Int);
    let no = || TypedExpr::constant(Value::Int(0), SqlType::Int);
    let both_null = TypedExpr::predicate(TypedKind::And(
        Box::new(is_null(binder.copy(&left)?, false)),
        Box::new(is_null(binder.copy(&right)?, false)),
    ));
    let equal = TypedExpr::predicate(TypedKind::Or(
        Box::new(compare(CompareOp::Equal, left, right)?),
        Box::new(both_null),
    ));
    let (hit, miss) = if negated {
        (yes(), no())
    } else {
        (no(), yes())
    };
    compare(
        CompareOp::Equal,
        case(vec![(equal, hit)], Some(miss))?,
        yes(),
    )
}

fn in_list(operand: TypedExpr, list: Vec<TypedExpr>, negated: bool) -> Result<TypedExpr, SqlError> {
    let all: Vec<&TypedExpr> = std::iter::once(&operand).chain(&list).collect();
    let ty = shared_type(&all);
    comparable(CompareOp::Equal, ty)?;
    let operand = coerce(operand, ty)?;
    let list = list
        .into_iter()
        .map(|item| coerce(item, ty))
        .collect::<Result<_, _>>()?;
    Ok(TypedExpr::predicate(TypedKind::In {
        operand: Box::new(operand),
        list,
        negated,
    }))
}

/// CASE of bound branches: all values in the type they share.
pub(super) fn case(
    branches: Vec<(TypedExpr, TypedExpr)>,
    otherwise: Option<TypedExpr>,
) -> Result<TypedExpr, SqlError> {
    let values: Vec<&TypedExpr> = branches
        .iter()
        .map(|(_, then)| then)
        .chain(otherwise.as_ref())
        .collect();
    if values.iter().all(|value| value.is_null_constant()) {
        return Err(SqlError::new(
            8133,
            16,
            "At least one of the result expressions in a CASE specification must be an expression other than the NULL constant.",
        ));
    }
    let ty = shared_type(&values);
    let nullable = otherwise.is_none() || values.iter().any(|value| value.nullable);
    let branches = branches
        .into_iter()
        .map(|(when, then)| Ok((when, coerce(then, ty)?)))
        .collect::<Result<_, SqlError>>()?;
    let otherwise = otherwise
        .map(|value| coerce(value, ty).map(Box::new))
        .transpose()?;
    Ok(TypedExpr {
        kind: TypedKind::Case {
            branches,
            otherwise,
        },
        ty,
        nullable,
    })
}

/// CAST and CONVERT.
fn explicit(
    operand: TypedExpr,
    ty: SqlType,
    style: Option<TypedExpr>,
    safe: bool,
) -> Result<TypedExpr, SqlError> {
    // A NULL keeps its conversion: its type was asked for, so that it no longer adapts to its surroundings.
    if !operand.is_null_constant() && convert::allowed(operand.ty, ty) == Allowed::Never {
        return Err(fault::explicit_not_allowed(operand.ty, ty));
    }
    Ok(TypedExpr {
        nullable: operand.nullable || safe,
        kind: TypedKind::Convert {
            operand: Box::new(operand),
            style: style.map(Box::new),
            safe,
        },
        ty,
    })
}

/// An expression as a string: other types are converted to one that holds them.
///
/// # Errors
/// 206 and 257 for types that do not become strings.
pub(super) fn text(expr: TypedExpr) -> Result<TypedExpr, SqlError> {
    if expr.ty.is_string() {
        return Ok(expr);
    }
    if expr.is_null_constant() {
        return Ok(TypedExpr::constant(Value::Null, SqlType::varchar(1)));
    }
    let (unicode, length) = text_shape(expr.ty);
    coerce(expr, text_type(unicode, length))
}

fn collation_named(name: &str) -> Collation {
    let upper = name.to_ascii_uppercase();
    if upper.ends_with("_BIN") || upper.ends_with("_BIN2") {
        Collation::Binary
    } else if upper.contains("_CS") {
        Collation::CaseSensitive
    } else {
        Collation::CaseInsensitive
    }
}

fn constant(literal: &Literal) -> TypedExpr {
    let (value, ty) = match literal {
        Literal::Null => (Value::Null, SqlType::Int),
        Literal::Int(v) => (Value::Int(*v), SqlType::Int),
        Literal::Decimal(d) => (
            Value::Decimal(*d),
            SqlType::Numeric {
                precision: d.precision,
                scale: d.scale,
            },
        ),
        Literal::Float(v) => (Value::Float(*v), SqlType::Float),
        Literal::Money(v) => (Value::Money(*v), SqlType::Money),
        Literal::String { text, unicode } => {
            let units = if *unicode {
                text.encode_utf16().count()
            } else {
                text.chars().count()
            };
            let most = if *unicode { 4000 } else { 8000 };
            let length = match u16::try_from(units.max(1)) {
                Ok(n) if n <= most => Length::Limited(n),
                _ => Length::Max,
            };
            (Value::string(text.as_str()), text_type(*unicode, length))
        }
        Literal::Binary(bytes) => {
            let length = match u16::try_from(bytes.len().max(1)) {
                Ok(n) if n <= 8000 => Length::Limited(n),
                _ => Length::Max,
            };
            (Value::Binary(bytes.clone()), SqlType::VarBinary(length))
        }
    };
    TypedExpr::constant(value, ty)
}

fn unary(op: UnaryOp, operand: TypedExpr) -> Result<TypedExpr, SqlError> {
    let name = match op {
        UnaryOp::Plus => return Ok(operand),
        UnaryOp::Minus => "minus",
        UnaryOp::BitNot => "'~'",
    };
    let fits = match op {
        UnaryOp::BitNot => operand.ty.is_integer(),
        UnaryOp::Plus | UnaryOp::Minus => {
            convert::is_number(operand.ty) && operand.ty != SqlType::Bit
        }
    };
    if !fits && !operand.is_null_constant() {
        return Err(fault::invalid_operand(operand.ty, name));
    }
    // A negative constant is a constant.
    if let (UnaryOp::Minus, TypedKind::Constant(Value::Int(v))) = (op, &operand.kind)
        && let Some(v) = v.checked_neg()
    {
        return Ok(TypedExpr::constant(Value::Int(v), SqlType::Int));
    }
    Ok(TypedExpr {
        ty: operand.ty,
        nullable: operand.nullable,
        kind: TypedKind::Unary {
            op,
            operand: Box::new(operand),
        },
    })
}

const fn operator_name(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add | BinaryOp::Concat => "add",
        BinaryOp::Subtract => "subtract",
        BinaryOp::Multiply => "multiply",
        BinaryOp::Divide => "divide",
        BinaryOp::Modulo => "modulo",
        BinaryOp::BitAnd => "'&'",
        BinaryOp::BitOr => "'|'",
        BinaryOp::BitXor => "'^'",
    }
}

fn node(op: BinaryOp, left: TypedExpr, right: TypedExpr, ty: SqlType) -> TypedExpr {
    TypedExpr {
        nullable: left.nullable || right.nullable,
        kind: TypedKind::Binary {
            op,
            left: Box::new(left),
            right: Box::new(right),
        },
        ty,
    }
}

/// An operator of two bound operands.
///
/// # Errors
/// 8117, 402, 206 and 257 when the types do not go together.
pub fn binary(op: BinaryOp, left: TypedExpr, right: TypedExpr) -> Result<TypedExpr, SqlError> {
    let ty = shared_type(&[&left, &right]);
    let adds = matches!(op, BinaryOp::Add | BinaryOp::Concat);
    if op == BinaryOp::Concat || adds && ty.is_string() {
        return concatenation(op, text(left)?, text(right)?);
    }
    if adds && matches!(ty, SqlType::VarBinary(_) | SqlType::Binary(_)) {
        let length = match (text_length(left.ty), text_length(right.ty)) {
            (Some(a), Some(b)) => Length::Limited(a.saturating_add(b).min(8000)),
            _ => Length::Max,
        };
        return Ok(node(op, left, right, SqlType::VarBinary(length)));
    }
    let newer = |ty: SqlType| {
        convert::is_date_or_time(ty) && !matches!(ty, SqlType::DateTime | SqlType::SmallDateTime)
    };
    let (a, b) = (left.ty, right.ty);
    if (newer(a) || newer(b)) && std::mem::discriminant(&a) != std::mem::discriminant(&b) {
        // A number of days is no interval to the newer types.
        return Err(match (convert::is_number(a), convert::is_number(b)) {
            _ if left.is_null_constant() || right.is_null_constant() => {
                fault::invalid_operand(if newer(a) { a } else { b }, operator_name(op))
            }
            (true, _) => fault::type_clash(b, a),
            (_, true) => fault::type_clash(a, b),
            _ => fault::incompatible_types(a, b, operator_name(op)),
        });
    }
    let invalid = |ty| Err(fault::invalid_operand(ty, operator_name(op)));
    match ty {
        SqlType::Decimal { .. } | SqlType::Numeric { .. } => decimal(op, left, right, ty),
        SqlType::BigInt | SqlType::Int | SqlType::SmallInt | SqlType::TinyInt => {
            Ok(node(op, coerce(left, ty)?, coerce(right, ty)?, ty))
        }
        SqlType::Bit if matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor) => {
            Ok(node(op, coerce(left, ty)?, coerce(right, ty)?, ty))
        }
        SqlType::Float | SqlType::Real | SqlType::Money | SqlType::SmallMoney => {
            let modulo_of_float =
                op == BinaryOp::Modulo && matches!(ty, SqlType::Float | SqlType::Real);
            if modulo_of_float
                || matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor)
            {
                return invalid(ty);
            }
            Ok(node(op, coerce(left, ty)?, coerce(right, ty)?, ty))
        }
        SqlType::DateTime | SqlType::SmallDateTime
            if matches!(op, BinaryOp::Add | BinaryOp::Subtract) =>
        {
            let ty = SqlType::DateTime;
            Ok(node(op, coerce(left, ty)?, coerce(right, ty)?, ty))
        }
        other => invalid(other),
    }
}

fn text_length(ty: SqlType) -> Option<u16> {
    match ty {
        SqlType::Binary(n) | SqlType::VarBinary(Length::Limited(n)) => Some(n),
        _ => match text_shape(ty).1 {
            Length::Limited(n) => Some(n),
            Length::Max => None,
        },
    }
}

fn concatenation(op: BinaryOp, left: TypedExpr, right: TypedExpr) -> Result<TypedExpr, SqlError> {
    let old = |ty| matches!(ty, SqlType::Text | SqlType::NText);
    if old(left.ty) || old(right.ty) {
        return Err(fault::incompatible_types(left.ty, right.ty, "add"));
    }
    let unicode = text_shape(left.ty).0 || text_shape(right.ty).0;
    let length = match (text_length(left.ty), text_length(right.ty)) {
        (Some(a), Some(b)) => {
            Length::Limited(a.saturating_add(b).min(if unicode { 4000 } else { 8000 }))
        }
        _ => Length::Max,
    };
    Ok(node(op, left, right, text_type(unicode, length)))
}

/// Decimals keep their own shapes; whole numbers become decimals of their digits.
fn decimal(
    op: BinaryOp,
    left: TypedExpr,
    right: TypedExpr,
    ty: SqlType,
) -> Result<TypedExpr, SqlError> {
    if matches!(op, BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor) {
        return Err(fault::invalid_operand(ty, operator_name(op)));
    }
    let shaped = |expr: TypedExpr| -> Result<(TypedExpr, (u8, u8)), SqlError> {
        let shape = match &expr.kind {
            TypedKind::Constant(Value::Int(v)) => {
                Some((convert::integer_precision(i128::from(*v)), 0))
            }
            _ if expr.is_null_constant() => None,
            _ => convert::exact_shape(expr.ty),
        };
        let shape = match (shape, ty) {
            (Some(shape), _) => shape,
            (
                None,
                SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale },
            ) => (precision, scale),
            (None, _) => (38, 0),
        };
        let target = SqlType::Numeric {
            precision: shape.0,
            scale: shape.1,
        };
        let same = matches!(expr.ty, SqlType::Decimal { .. } | SqlType::Numeric { .. });
        let expr = if same { expr } else { coerce(expr, target)? };
        Ok((expr, shape))
    };
    let (left, left_shape) = shaped(left)?;
    let (right, right_shape) = shaped(right)?;
    let (precision, scale) = result_type(op, left_shape, right_shape);
    Ok(node(op, left, right, SqlType::Numeric { precision, scale }))
}

/// A bigint, for TOP and OFFSET.
pub(super) fn row_count(expr: TypedExpr, percent: bool) -> Result<TypedExpr, SqlError> {
    let ty = if percent {
        SqlType::Float
    } else {
        SqlType::BigInt
    };
    if !percent
        && !expr.ty.is_integer()
        && !matches!(expr.ty, SqlType::Decimal { .. } | SqlType::Numeric { .. })
    {
        return Err(m::TOP_NOT_NUMERIC.with(&[]));
    }
    Ok(cast(expr, ty))
}
