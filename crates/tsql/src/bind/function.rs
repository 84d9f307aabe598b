//! Function calls: built-in scalars, aggregates, window functions, and those of the catalog.

use super::coerce::{coerce, shared_type};
use super::expr::{case, comparable, compare, is_null, text};
use super::ir::{
    Aggregate, AggregateKind, Bound, Frame, SortKey, TypedExpr, TypedKind, Window, WindowKind,
};
use super::{Binder, Placement, Returns};
use crate::ast::{CompareOp, Expr, ExprKind, FrameBound, FunctionCall, Literal, OrderItem, Over};
use crate::convert;
use crate::error::SqlError;
use crate::eval::{self, Function, Nulls, Param, ResultType};
use crate::fault;
use crate::messages as m;
use crate::types::SqlType;
use crate::value::Value;

fn aggregate_named(name: &str) -> Option<AggregateKind> {
    Some(match name {
        "COUNT" => AggregateKind::Count,
        "COUNT_BIG" => AggregateKind::CountBig,
        "SUM" => AggregateKind::Sum,
        "AVG" => AggregateKind::Avg,
        "MIN" => AggregateKind::Min,
        "MAX" => AggregateKind::Max,
        "STDEV" => AggregateKind::StDev,
        "STDEVP" => AggregateKind::StDevP,
        "VAR" => AggregateKind::Var,
        "VARP" => AggregateKind::VarP,
        "STRING_AGG" => AggregateKind::StringAgg,
        _ => return None,
    })
}

fn window_named(name: &str) -> Option<WindowKind> {
    Some(match name {
        "ROW_NUMBER" => WindowKind::RowNumber,
        "RANK" => WindowKind::Rank,
        "DENSE_RANK" => WindowKind::DenseRank,
        "NTILE" => WindowKind::Ntile,
        "PERCENT_RANK" => WindowKind::PercentRank,
        "CUME_DIST" => WindowKind::CumeDist,
        "LAG" => WindowKind::Lag,
        "LEAD" => WindowKind::Lead,
        "FIRST_VALUE" => WindowKind::FirstValue,
        "LAST_VALUE" => WindowKind::LastValue,
        "PERCENTILE_CONT" => WindowKind::Percentile { continuous: true },
        "PERCENTILE_DISC" => WindowKind::Percentile { continuous: false },
        _ => return None,
    })
}

impl Binder<'_> {
    pub(super) fn function(&mut self, call: &FunctionCall) -> Result<TypedExpr, SqlError> {
        let name = call.name.name.text.to_ascii_uppercase();
        let schema = call.name.schema.as_ref();
        let built_in = schema.is_none_or(|schema| schema.is("sys"));
        if schema.is_some()
            && let Some(shape) = self.catalog.function(&call.name)
        {
            return self.catalog_function(call, &shape);
        }
        // Functions of msdb and master are reached with and without their schema.
        if !built_in && !name.starts_with("FN_") {
            return Err(
                m::NOT_A_FUNCTION.with(&[schema.map_or("", |s| &s.text), &call.name.to_string()])
            );
        }
        if let Some(kind) = aggregate_named(&name) {
            return match &call.over {
                Some(over) => self.window(WindowKind::Aggregate(kind), call, over),
                None => self.aggregate(kind, call),
            };
        }
        if let Some(kind) = window_named(&name) {
            let over = call
                .over
                .as_ref()
                .ok_or_else(|| m::NEEDS_OVER.with(&[&name]))?;
            return self.window(kind, call, over);
        }
        if call.over.is_some() {
            return Err(m::NOT_WINDOW_FUNCTION.with(&[&name]));
        }
        match name.as_str() {
            "COALESCE" => self.coalesce(call),
            "NULLIF" => {
                let [a, b] = self.exactly(call)?;
                let equal = compare(CompareOp::Equal, self.copy(&a)?, b)?;
                let null = TypedExpr::constant(Value::Null, a.ty);
                case(vec![(equal, null)], Some(a))
            }
            "IIF" => {
                let [when, then, otherwise] = self.exactly(call)?;
                case(vec![(when, then)], Some(otherwise))
            }
            "CHOOSE" => self.choose(call),

            "COLUMNS_UPDATED" => {
                let [] = self.exactly(call)?;
                let bits = self.catalog.columns_updated();
                let bits = bits.ok_or_else(|| m::UPDATE_OUTSIDE_TRIGGER.with(&[]))?;
                let ty = SqlType::varbinary(u16::try_from(bits.len()).unwrap_or(u16::MAX));
                Ok(TypedExpr::constant(Value::Binary(bits), ty))
            }
            "GROUPING" | "GROUPING_ID" => self.grouping_function(&name, call),
            _ => match eval::find(&name) {
                Some(function) => self.scalar(call, function),
                None => match self.catalog.function(&call.name) {
                    Some(shape) => self.catalog_function(call, &shape),
                    None => Err(match schema {
                        Some(schema) if !schema.is("sys") => {
                            m::NOT_A_FUNCTION.with(&[&schema.text, &call.name.to_string()])
                        }
                        _ => fault::unknown_function(&call.name.name.text),
                    }),
                },
            },
        }
    }

    fn args(&mut self, call: &FunctionCall) -> Result<Vec<TypedExpr>, SqlError> {
        call.args.iter().map(|arg| self.expr(arg)).collect()
    }

    fn exactly<const N: usize>(&mut self, call: &FunctionCall) -> Result<[TypedExpr; N], SqlError> {
        let args = self.args(call)?;
        args.try_into()
            .map_err(|_| fault::wrong_argument_count(&call.name.name.text, N))
    }

    fn coalesce(&mut self, call: &FunctionCall) -> Result<TypedExpr, SqlError> {
        let mut args = self.args(call)?;
        if args.len() < 2 {
            return Err(fault::wrong_argument_count("coalesce", 2));
        }
        if args.iter().all(TypedExpr::is_null_constant) {
            return Err(SqlError::new(
                4127,
                16,
                "At least one of the arguments to COALESCE must be an expression that is not the NULL constant.",
            ));
        }
        let last = args.pop();
        let branches = args
            .into_iter()
            .map(|arg| Ok((is_null(self.copy(&arg)?, true), arg)))
            .collect::<Result<_, SqlError>>()?;
        case(branches, last)
    }

    fn choose(&mut self, call: &FunctionCall) -> Result<TypedExpr, SqlError> {
        let mut args = self.args(call)?.into_iter();
        let index = args
            .next()
            .ok_or_else(|| fault::wrong_argument_count("choose", 2))?;
        let index = coerce(index, SqlType::Int)?;
        let mut branches = Vec::new();
        for (at, value) in (1_i32..).zip(args) {
            let at = TypedExpr::constant(Value::Int(at), SqlType::Int);
            let index = self.copy(&index)?;
            branches.push((compare(CompareOp::Equal, index, at)?, value));
        }
        case(branches, None)
    }

    fn scalar(
        &mut self,
        call: &FunctionCall,
        function: &'static Function,
    ) -> Result<TypedExpr, SqlError> {
        let count = call.args.len();
        if count < function.least || count > function.most {
            return Err(if function.least == function.most {
                fault::wrong_argument_count(function.name, function.least)
            } else {
                fault::argument_range(function.name, function.least, function.most)
            });
        }
        let mut args = Vec::with_capacity(count);
        for (at, arg) in call.args.iter().enumerate() {
            let param = function
                .params
                .get(at)
                .or(function.params.last())
                .copied()
                .unwrap_or(Param::Any);
            args.push(self.argument(arg, param, at, function)?);
        }
        if matches!(function.name, "GREATEST" | "LEAST") {
            let given: Vec<&TypedExpr> = args.iter().collect();
            let ty = shared_type(&given);
            comparable(CompareOp::Greater, ty)?;
            args = args
                .into_iter()
                .map(|arg| coerce(arg, ty))
                .collect::<Result<_, _>>()?;
        }
        if function.name == "ISNULL" && args.len() == 2 {
            // The second argument takes the first one's type, but for a NULL without a type.
            let first_is_null = args[0].is_null_constant();
            let ty = if first_is_null {
                args[1].ty
            } else {
                args[0].ty
            };
            args = args
                .into_iter()
                .map(|arg| coerce(arg, ty))
                .collect::<Result<_, _>>()?;
        }
        let ty = match function.result {
            ResultType::Fixed(ty) => ty,
            ResultType::Of(rule) => rule(&args),
        };
        let nullable = match function.nulls {
            Nulls::Never => false,
            Nulls::Spread => args.iter().any(|arg| arg.nullable),
            Nulls::Maybe => function.name != "ISNULL" || args.iter().all(|arg| arg.nullable),
        };
        Ok(TypedExpr {
            kind: TypedKind::Call { function, args },
            ty,
            nullable,
        })
    }

    fn argument(
        &mut self,
        arg: &Expr,
        param: Param,
        at: usize,
        function: &'static Function,
    ) -> Result<TypedExpr, SqlError> {
        if param == Param::Part {
            return date_part(arg, function);
        }
        let bound = self.expr(arg)?;
        let ty = bound.ty;
        let invalid = || fault::invalid_argument(ty, at + 1, function.name);
        let null = bound.is_null_constant();
        match param {
            Param::Any | Param::Part => Ok(bound),
            Param::Text | Param::TextOrBinary => {
                let binary = matches!(
                    ty,
                    SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image
                );
                if binary && param == Param::TextOrBinary {
                    Ok(bound)
                } else if matches!(ty, SqlType::SqlVariant | SqlType::Image | SqlType::Xml) {
                    Err(invalid())
                } else {
                    text(bound).map_err(|_| invalid())
                }
            }
            Param::Int => coerce(bound, SqlType::Int).map_err(|_| invalid()),
            Param::BigInt => coerce(bound, SqlType::BigInt).map_err(|_| invalid()),
            Param::Float => coerce(bound, SqlType::Float).map_err(|_| invalid()),
            Param::Number if null => coerce(bound, SqlType::Int),
            Param::Number if convert::is_number(ty) => Ok(bound),
            Param::Number => coerce(bound, SqlType::Float).map_err(|_| invalid()),
            Param::Moment | Param::Classic if convert::is_date_or_time(ty) => Ok(bound),
            Param::Moment if ty.is_string() => coerce(bound, SqlType::DateTime2(7)),
            Param::Moment | Param::Classic => {
                coerce(bound, SqlType::DateTime).map_err(|_| invalid())
            }
        }
    }

    fn catalog_function(
        &mut self,
        call: &FunctionCall,
        shape: &super::FunctionShape,
    ) -> Result<TypedExpr, SqlError> {
        let Returns::Scalar(ty) = shape.returns else {
            return Err(m::NOT_A_FUNCTION.with(&["", &call.name.to_string()]));
        };
        let args = self.catalog_args(call, shape)?;
        Ok(TypedExpr {
            kind: TypedKind::HostCall {
                key: shape.key,
                args,
            },
            ty,
            nullable: true,
        })
    }

    /// Arguments of a function of the catalog, converted; DEFAULT takes the declared value.
    pub(super) fn catalog_args(
        &mut self,
        call: &FunctionCall,
        shape: &super::FunctionShape,
    ) -> Result<Vec<TypedExpr>, SqlError> {
        self.arguments(call, &shape.params)
    }

    /// Arguments in the types of parameters.
    pub(super) fn arguments(
        &mut self,
        call: &FunctionCall,
        params: &[(SqlType, Option<Value>)],
    ) -> Result<Vec<TypedExpr>, SqlError> {
        let name = call.name.to_string();
        if call.args.len() > params.len() {
            return Err(m::TOO_MANY_ARGUMENTS.with(&[&name]));
        }
        let mut args = Vec::with_capacity(params.len());
        for (at, (ty, default)) in params.iter().enumerate() {
            let written = call.args.get(at);
            let bound = match (written, default) {
                (Some(arg), _) if arg.kind != ExprKind::Default => self.expr_as(arg, *ty)?,
                (Some(_), Some(value)) => TypedExpr::constant(value.clone(), *ty),
                (Some(_), None) => TypedExpr::constant(Value::Null, *ty),
                (None, _) => {
                    return Err(SqlError::new(
                        313,
                        16,
                        format!(
                            "An insufficient number of arguments were supplied for the procedure or function {name}."
                        ),
                    ));
                }
            };
            args.push(bound);
        }
        Ok(args)
    }

    // ---- aggregates and windows ----

    fn aggregate(
        &mut self,
        kind: AggregateKind,
        call: &FunctionCall,
    ) -> Result<TypedExpr, SqlError> {
        if self.aggregates == Placement::Refused {
            return Err(m::AGGREGATE_IN_WHERE.with(&[]));
        }
        let outer = std::mem::replace(&mut self.aggregates, Placement::Refused);
        let windows = std::mem::replace(&mut self.windows, false);
        let bound = self.aggregate_args(kind, call);
        self.aggregates = if outer == Placement::Refused {
            outer
        } else {
            Placement::Met
        };
        self.windows = windows;
        let (args, ty) = bound.map_err(|error| {
            if error.number == m::AGGREGATE_IN_WHERE.number {
                m::AGGREGATE_OF_AGGREGATE.with(&[])
            } else {
                error
            }
        })?;
        let holds_query = args.iter().any(|arg| {
            arg.any(&|node| {
                matches!(
                    node.kind,
                    TypedKind::Subquery(_) | TypedKind::Exists(_) | TypedKind::Quantified { .. }
                )
            })
        });
        if holds_query {
            return Err(m::AGGREGATE_OF_AGGREGATE.with(&[]));
        }
        let order = self.sort_keys(&call.within_group)?;
        Ok(TypedExpr {
            nullable: !matches!(kind, AggregateKind::Count | AggregateKind::CountBig),
            kind: TypedKind::Aggregate(Box::new(Aggregate {
                kind,
                args,
                distinct: call.distinct,
                order,
                form: None,
            })),
            ty,
        })
    }

    fn aggregate_args(
        &mut self,
        kind: AggregateKind,
        call: &FunctionCall,
    ) -> Result<(Vec<TypedExpr>, SqlType), SqlError> {
        let name = call.name.name.text.to_ascii_lowercase();
        let counts = matches!(kind, AggregateKind::Count | AggregateKind::CountBig);
        if call.star {
            if !counts {
                return Err(m::INCORRECT_SYNTAX.with(&["*"]));
            }
            let ty = if kind == AggregateKind::Count {
                SqlType::Int
            } else {
                SqlType::BigInt
            };
            return Ok((Vec::new(), ty));
        }
        let wanted = if kind == AggregateKind::StringAgg {
            2
        } else {
            1
        };
        if call.args.len() != wanted {
            return Err(fault::wrong_argument_count(&name, wanted));
        }
        let mut args = self.args(call)?;
        let ty = args[0].ty;
        let refused = || fault::invalid_operand(ty, &name);
        let result = match kind {
            AggregateKind::Count => SqlType::Int,
            AggregateKind::CountBig => SqlType::BigInt,
            AggregateKind::Min | AggregateKind::Max => match ty {
                SqlType::Bit | SqlType::Text | SqlType::NText | SqlType::Image | SqlType::Xml => {
                    return Err(refused());
                }
                other => other,
            },
            AggregateKind::Sum | AggregateKind::Avg => match ty {
                SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => SqlType::Int,
                SqlType::BigInt => SqlType::BigInt,
                SqlType::Decimal { scale, .. } | SqlType::Numeric { scale, .. } => {
                    SqlType::Numeric {
                        precision: 38,
                        scale: if kind == AggregateKind::Sum {
                            scale
                        } else {
                            scale.max(6)
                        },
                    }
                }
                SqlType::Money | SqlType::SmallMoney => SqlType::Money,
                SqlType::Real | SqlType::Float => SqlType::Float,
                _ => return Err(refused()),
            },
            AggregateKind::StDev
            | AggregateKind::StDevP
            | AggregateKind::Var
            | AggregateKind::VarP => {
                if !convert::is_number(ty) || ty == SqlType::Bit {
                    return Err(refused());
                }
                let first = args.remove(0);
                args.push(coerce(first, SqlType::Float)?);
                SqlType::Float
            }
            AggregateKind::Document => return Err(fault::internal("a document is no function")),
            AggregateKind::StringAgg => {
                let separator = args.pop();
                let first = text(args.remove(0))?;
                let (unicode, length) = eval::text_shape(first.ty);
                let length = if length == crate::types::Length::Max {
                    length
                } else {
                    crate::types::Length::Limited(8000)
                };
                args.push(first);
                if let Some(separator) = separator {
                    args.push(text(separator)?);
                }
                eval::text_type(unicode, length)
            }
        };
        Ok((args, result))
    }

    pub(super) fn sort_keys(&mut self, items: &[OrderItem]) -> Result<Vec<SortKey>, SqlError> {
        items
            .iter()
            .map(|item| {
                Ok(SortKey {
                    expr: self.expr(&item.expr)?,
                    item: None,
                    descending: item.descending,
                })
            })
            .collect()
    }

    fn window(
        &mut self,
        kind: WindowKind,
        call: &FunctionCall,
        over: &Over,
    ) -> Result<TypedExpr, SqlError> {
        if !self.windows {
            return Err(m::WINDOW_CONTEXT.with(&[]));
        }
        let name = call.name.name.text.to_ascii_uppercase();
        let sorted = matches!(kind, WindowKind::Percentile { .. });
        if sorted != (call.within_group.len() == 1) {
            return Err(m::INCORRECT_SYNTAX.with(&[&name]));
        }
        if sorted && (!over.order_by.is_empty() || over.frame.is_some()) {
            return Err(m::PERCENTILE_ORDER.with(&[&name]));
        }
        let ranks = !sorted && !matches!(kind, WindowKind::Aggregate(_));
        if ranks && over.order_by.is_empty() {
            return Err(m::NEEDS_ORDER_BY.with(&[&name]));
        }
        if call.distinct {
            return Err(m::DISTINCT_OVER.with(&[]));
        }
        if over.frame.is_some() && over.order_by.is_empty() {
            return Err(m::FRAME_WITHOUT_ORDER.with(&[]));
        }
        self.windows = false;
        let bound = self.window_args(kind, call);
        let partition: Result<Vec<_>, _> = over
            .partition_by
            .iter()
            .map(|expr| self.expr(expr))
            .collect();
        let order = self.sort_keys(if sorted {
            &call.within_group
        } else {
            &over.order_by
        });
        self.windows = true;
        let (args, ty, nullable) = bound?;
        let frame = over.frame.as_ref().map(frame).transpose()?;
        Ok(TypedExpr {
            kind: TypedKind::Window(Box::new(Window {
                kind,
                args,
                partition: partition?,
                order: order?,
                frame,
            })),
            ty,
            nullable,
        })
    }

    fn window_args(
        &mut self,
        kind: WindowKind,
        call: &FunctionCall,
    ) -> Result<(Vec<TypedExpr>, SqlType, bool), SqlError> {
        Ok(match kind {
            WindowKind::Aggregate(AggregateKind::StringAgg) => {
                return Err(m::NOT_WINDOW_FUNCTION.with(&["STRING_AGG"]));
            }
            WindowKind::Aggregate(aggregate) => {
                let (args, ty) = self.aggregate_args(aggregate, call)?;
                let counts = matches!(aggregate, AggregateKind::Count | AggregateKind::CountBig);
                (args, ty, !counts)
            }
            WindowKind::Percentile { continuous } => {
                let [share] = self.exactly(call)?;
                let share = coerce(share, SqlType::Float)?;
                let mut value = match call.within_group.first() {
                    Some(key) => self.expr(&key.expr)?,
                    None => return Err(m::INCORRECT_SYNTAX.with(&["WITHIN"])),
                };
                if continuous {
                    if !convert::is_number(value.ty) {
                        return Err(fault::invalid_operand(value.ty, "percentile_cont"));
                    }
                    value = coerce(value, SqlType::Float)?;
                }
                let ty = value.ty;
                (vec![value, share], ty, true)
            }
            WindowKind::RowNumber | WindowKind::Rank | WindowKind::DenseRank => {
                (Vec::new(), SqlType::BigInt, false)
            }
            WindowKind::PercentRank | WindowKind::CumeDist => (Vec::new(), SqlType::Float, false),
            WindowKind::Ntile => {
                let [groups] = self.exactly(call)?;
                (
                    vec![coerce(groups, SqlType::BigInt)?],
                    SqlType::BigInt,
                    false,
                )
            }
            WindowKind::FirstValue | WindowKind::LastValue => {
                let [value] = self.exactly(call)?;
                let ty = value.ty;
                (vec![value], ty, true)
            }
            WindowKind::Lag | WindowKind::Lead => {
                let mut given = self.args(call)?.into_iter();
                let value = given
                    .next()
                    .ok_or_else(|| fault::argument_range("lag", 1, 3))?;
                let ty = value.ty;
                let mut args = vec![value];
                if let Some(offset) = given.next() {
                    args.push(coerce(offset, SqlType::BigInt)?);
                }
                if let Some(default) = given.next() {
                    let ty = shared_type(&[&args[0]]);
                    args.push(coerce(default, ty)?);
                }
                (args, ty, true)
            }
        })
    }
}

fn date_part(arg: &Expr, function: &'static Function) -> Result<TypedExpr, SqlError> {
    let name = function.name.to_ascii_lowercase();
    let word = match &arg.kind {
        ExprKind::Column(parts) if parts.len() == 1 => &parts[0].text,
        _ => {
            return Err(SqlError::new(
                1023,
                15,
                format!("Invalid parameter 1 specified for {name}."),
            ));
        }
    };
    // `mm` in GROUP BY is `month` in the select list.
    let part = eval::part_name(word).ok_or_else(|| m::BAD_DATE_PART.with(&[word, &name]))?;
    Ok(TypedExpr::constant(
        Value::string(part),
        SqlType::varchar(30),
    ))
}

fn frame(frame: &crate::ast::Frame) -> Result<Frame, SqlError> {
    let rows = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(Literal::Int(n)) => {
            u32::try_from(*n).map_err(|_| m::INCORRECT_SYNTAX.with(&["ROWS"]))
        }
        _ => Err(fault::not_supported("a window frame of variable size")),
    };
    let bound = |bound: &FrameBound| {
        Ok(match bound {
            FrameBound::UnboundedPreceding => Bound::UnboundedPreceding,
            FrameBound::Preceding(n) => Bound::Preceding(rows(n)?),
            FrameBound::CurrentRow => Bound::CurrentRow,
            FrameBound::Following(n) => Bound::Following(rows(n)?),
            FrameBound::UnboundedFollowing => Bound::UnboundedFollowing,
        })
    };
    let (start, end) = (bound(&frame.start)?, bound(&frame.end)?);
    let counted = |bound| matches!(bound, Bound::Preceding(_) | Bound::Following(_));
    if !frame.rows && (counted(start) || counted(end)) {
        return Err(m::RANGE_OF_ROWS.with(&[]));
    }
    Ok(Frame {
        rows: frame.rows,
        start,
        end,
    })
}
