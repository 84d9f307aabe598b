//! The language's own table-valued functions: STRING_SPLIT and GENERATE_SERIES.

use super::Binder;
use super::coerce::{coerce, shared_type};
use super::expr::text;
use super::ir::{TypedExpr, TypedKind};
use crate::ast::FunctionCall;
use crate::error::SqlError;
use crate::eval::{text_shape, text_type};
use crate::fault;
use crate::messages as m;
use crate::types::{Column, SqlType};
use crate::value::Value;

/// A table-valued function of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFunction {
    /// STRING_SPLIT(text, separator)
    StringSplit {
        /// A third argument of 1: the parts are numbered.
        ordinal: bool,
    },
    /// GENERATE_SERIES(start, stop, step)
    GenerateSeries,
}

impl TableFunction {
    /// The columns of its rows, for arguments of such types.
    #[must_use]
    pub fn columns(self, args: &[SqlType]) -> Vec<Column> {
        let first = args.first().copied().unwrap_or(SqlType::Int);
        match self {
            Self::StringSplit { ordinal } => {
                let unicode = args.iter().any(|ty| text_shape(*ty).0);
                let value = text_type(unicode, text_shape(first).1);
                let mut columns = vec![Column::nullable("value", value)];
                if ordinal {
                    columns.push(Column::required("ordinal", SqlType::BigInt));
                }
                columns
            }
            Self::GenerateSeries => vec![Column::required("value", first)],
        }
    }
}

impl Binder<'_> {
    /// A call of a function of the language with its arguments; `None` when it is another's.
    pub(super) fn table_function(
        &mut self,
        call: &FunctionCall,
    ) -> Result<Option<(TableFunction, Vec<TypedExpr>)>, SqlError> {
        let Some(name) = call.name.as_bare() else {
            return Ok(None);
        };
        if name.is("STRING_SPLIT") {
            return self.string_split(call).map(Some);
        }
        if name.is("GENERATE_SERIES") {
            return self.generate_series(call).map(Some);
        }
        Ok(None)
    }

    fn string_split(
        &mut self,
        call: &FunctionCall,
    ) -> Result<(TableFunction, Vec<TypedExpr>), SqlError> {
        let (whole, separator, third) = match call.args.as_slice() {
            [whole, separator] => (whole, separator, None),
            [whole, separator, third] => (whole, separator, Some(third)),
            _ => return Err(fault::argument_range("string_split", 2, 3)),
        };
        let args = vec![text(self.expr(whole)?)?, text(self.expr(separator)?)?];
        let ordinal = match third {
            None => false,
            Some(third) => {
                let bound = self.expr_as(third, SqlType::Int)?;
                match bound.kind {
                    TypedKind::Constant(Value::Null) => false,
                    TypedKind::Constant(value) => match value.as_i64() {
                        Some(0) => false,
                        Some(1) => true,
                        _ => return Err(m::ORDINAL_FLAG.with(&[])),
                    },
                    _ => return Err(m::ORDINAL_FLAG.with(&[])),
                }
            }
        };
        Ok((TableFunction::StringSplit { ordinal }, args))
    }

    fn generate_series(
        &mut self,
        call: &FunctionCall,
    ) -> Result<(TableFunction, Vec<TypedExpr>), SqlError> {
        if !(2..=3).contains(&call.args.len()) {
            return Err(fault::argument_range("generate_series", 2, 3));
        }
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            args.push(self.expr(arg)?);
        }
        let given: Vec<&TypedExpr> = args.iter().collect();
        let ty = shared_type(&given);
        let exact = matches!(ty, SqlType::Decimal { .. } | SqlType::Numeric { .. });
        let same = |other: SqlType| {
            exact && matches!(other, SqlType::Decimal { .. } | SqlType::Numeric { .. })
                || other == ty
        };
        let fits = exact || ty.is_integer() && ty != SqlType::Bit;
        let known = args.iter().filter(|arg| !arg.is_null_constant());
        if !fits || known.into_iter().any(|arg| !same(arg.ty)) {
            return Err(m::SERIES_TYPES.with(&[]));
        }
        let args = args
            .into_iter()
            .map(|arg| coerce(arg, ty))
            .collect::<Result<_, _>>()?;
        Ok((TableFunction::GenerateSeries, args))
    }
}
