//! The language's own table-valued functions: STRING_SPLIT and GENERATE_SERIES.

use crate::host::{FunctionDecl, FunctionResult, ParamDecl, Scan};
use std::sync::Arc;
use tsql::bind::TableFunction;
use tsql::convert::{self, Style};
use tsql::{Column, Decimal, SqlError, SqlType, Value, fault};

/// The schema of these declarations, which no name in a script has.
const SCHEMA: &str = "";

/// The declaration of a built-in function for arguments of such types.
pub(crate) fn declared(function: TableFunction, args: &[SqlType]) -> Arc<FunctionDecl> {
    let params = args
        .iter()
        .map(|ty| ParamDecl {
            name: "",
            ty: *ty,
            default: None,
            output: false,
        })
        .collect();
    Arc::new(FunctionDecl {
        database: "",
        schema: SCHEMA,
        name: match function {
            TableFunction::StringSplit { .. } => "STRING_SPLIT",
            TableFunction::GenerateSeries => "GENERATE_SERIES",
        },
        params,
        returns: FunctionResult::Table(function.columns(args)),
    })
}

/// The rows of a built-in function; none when it is another's.
pub(super) fn scan(decl: &FunctionDecl, args: &[Value]) -> Option<Result<Scan, SqlError>> {
    if decl.schema != SCHEMA {
        return None;
    }
    let FunctionResult::Table(columns) = &decl.returns else {
        return None;
    };
    Some(if args.iter().any(Value::is_null) {
        Ok(Box::new(std::iter::empty()) as Scan)
    } else if decl.name == "STRING_SPLIT" {
        split(args, columns)
    } else {
        series(args, columns)
    })
}

fn split(args: &[Value], columns: &[Column]) -> Result<Scan, SqlError> {
    let text = args
        .first()
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let separator = args.get(1).and_then(Value::as_str).unwrap_or_default();
    let mut marks = separator.chars();
    let (Some(mark), None) = (marks.next(), marks.next()) else {
        return Err(SqlError::new(
            214,
            11,
            "Procedure expects parameter 'separator' of type 'nchar(1)/nvarchar(1)'.",
        ));
    };
    let numbered = columns.len() > 1;
    let mut rest = Some(text);
    let mut ordinal = 0_i64;
    Ok(Box::new(std::iter::from_fn(move || {
        let whole = rest.take()?;
        let part = match whole.split_once(mark) {
            Some((part, after)) => {
                let part = part.to_owned();
                rest = Some(after.to_owned());
                part
            }
            None => whole,
        };
        ordinal += 1;
        let mut row = vec![Value::String(part)];
        if numbered {
            row.push(Value::BigInt(ordinal));
        }
        Some(Ok(row))
    })))
}

/// Whole numbers and decimals alike, as scaled digits.
fn series(args: &[Value], columns: &[Column]) -> Result<Scan, SqlError> {
    let ty = columns.first().map_or(SqlType::Int, |column| column.ty);
    let scale = match ty {
        SqlType::Decimal { scale, .. } | SqlType::Numeric { scale, .. } => scale,
        _ => 0,
    };
    let digits = |value: &Value| match value {
        Value::Decimal(d) => convert::rescale(d.unscaled, d.scale, scale),
        other => other.as_i64().map(i128::from),
    };
    let missing = || fault::internal("a series of what is no number");
    let start = args.first().and_then(digits).ok_or_else(missing)?;
    let stop = args.get(1).and_then(digits).ok_or_else(missing)?;
    let step = match args.get(2) {
        Some(step) => digits(step).ok_or_else(missing)?,
        None if start <= stop => convert::pow10(scale),
        None => -convert::pow10(scale),
    };
    if step == 0 {
        return Err(SqlError::new(
            4199,
            16,
            "Argument value 0 is invalid for argument 3 of generate_series function.",
        ));
    }
    let mut next = Some(start);
    Ok(Box::new(std::iter::from_fn(move || {
        let at = next?;
        if (step > 0 && at > stop) || (step < 0 && at < stop) {
            return None;
        }
        next = at.checked_add(step);
        let value = match ty {
            SqlType::Decimal { precision, scale } | SqlType::Numeric { precision, scale } => {
                Ok(Value::Decimal(Decimal {
                    unscaled: at,
                    precision,
                    scale,
                }))
            }
            _ => match i64::try_from(at) {
                Ok(at) => convert::convert(Value::BigInt(at), SqlType::BigInt, ty, Style::PLAIN),
                Err(_) => Err(fault::overflow_converting("expression", ty)),
            },
        };
        Some(value.map(|value| vec![value]))
    })))
}
