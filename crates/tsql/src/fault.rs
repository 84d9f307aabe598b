//! The errors of binding, conversion and evaluation, with their arguments typed.
//!
//! Numbers, severities and texts stand in [`crate::messages`].

use crate::error::SqlError;
use crate::messages as m;
use crate::types::SqlType;

/// Number of the error for a failure inside the query executor that has no number of its own.
pub const INTERNAL: i32 = 8630;

/// A feature of T-SQL that Muster does not have.
#[must_use]
pub fn not_supported(feature: &str) -> SqlError {
    m::NOT_SUPPORTED.with(&[feature])
}

/// Something that should not happen inside the executor.
#[must_use]
pub fn internal(detail: &str) -> SqlError {
    SqlError::new(INTERNAL, 17, format!("Internal query error: {detail}."))
}

/// 245
#[must_use]
pub fn conversion_failed(from: SqlType, text: &str, to: SqlType) -> SqlError {
    m::CONVERSION_FAILED.with(&[from.name(), text, to.name()])
}

/// 8114
#[must_use]
pub fn error_converting(from: SqlType, to: SqlType) -> SqlError {
    m::PARAMETER_CONVERSION
        .with(&[from.name(), numeric_name(to)])
        .with_state(5)
}

/// 8115
#[must_use]
pub fn overflow_converting(from: &str, to: SqlType) -> SqlError {
    m::ARITHMETIC_OVERFLOW
        .with(&[from, numeric_name(to)])
        .with_state(2)
}

/// Messages call decimal by its other name.
const fn numeric_name(ty: SqlType) -> &'static str {
    if let SqlType::Decimal { .. } = ty {
        "numeric"
    } else {
        ty.name()
    }
}

/// 220
#[must_use]
pub fn overflow_value(to: SqlType, value: i64) -> SqlError {
    m::OVERFLOW_FOR_TYPE.with(&[to.name(), &value.to_string()])
}

/// 232
#[must_use]
pub fn overflow_float(to: SqlType, value: f64) -> SqlError {
    m::OVERFLOW_OF_TYPE.with(&[to.name(), &format!("{value:.6}")])
}

/// 244 for tinyint and smallint, 248 for int
#[must_use]
pub fn text_overflowed(from: SqlType, text: &str, to: SqlType) -> SqlError {
    match to.name() {
        "tinyint" => m::INT_OVERFLOW_COLUMN.with(&[from.name(), text, "INT1"]),
        "smallint" => m::INT_OVERFLOW_COLUMN.with(&[from.name(), text, "INT2"]),
        _ => m::INT_OVERFLOW_TEXT.with(&[from.name(), text]),
    }
}

/// 8134
#[must_use]
pub fn divide_by_zero() -> SqlError {
    m::DIVIDE_BY_ZERO.with(&[])
}

/// 241
#[must_use]
pub fn bad_date() -> SqlError {
    m::BAD_DATETIME.with(&[])
}

/// 242
#[must_use]
pub fn date_out_of_range(from: SqlType, to: SqlType) -> SqlError {
    m::DATETIME_RANGE
        .with(&[from.name(), to.name()])
        .with_state(3)
}

/// 517
#[must_use]
pub fn date_overflow(ty: SqlType) -> SqlError {
    m::DATE_ADD_OVERFLOW.with(&[ty.name()])
}

/// 8169
#[must_use]
pub fn bad_guid() -> SqlError {
    m::BAD_GUID.with(&[]).with_state(2)
}

/// 235
#[must_use]
pub fn bad_money() -> SqlError {
    m::CHAR_TO_MONEY.with(&[])
}

/// 529
#[must_use]
pub fn explicit_not_allowed(from: SqlType, to: SqlType) -> SqlError {
    m::EXPLICIT_CONVERSION.with(&[from.name(), to.name()])
}

/// 257
#[must_use]
pub fn implicit_not_allowed(from: SqlType, to: SqlType) -> SqlError {
    m::IMPLICIT_CONVERSION
        .with(&[from.name(), to.name()])
        .with_state(3)
}

/// 206
#[must_use]
pub fn type_clash(from: SqlType, to: SqlType) -> SqlError {
    m::OPERAND_CLASH
        .with(&[from.name(), to.name()])
        .with_state(2)
}

/// 281
#[must_use]
pub fn bad_style(style: i32, from: SqlType) -> SqlError {
    m::BAD_STYLE.with(&[&style.to_string(), from.name()])
}

/// 8152, for a place without a column name
#[must_use]
pub fn truncated() -> SqlError {
    m::TRUNCATION_SHORT.with(&[]).with_state(30)
}

/// 2628
#[must_use]
pub fn truncated_in(table: &str, column: &str, value: &str) -> SqlError {
    m::TRUNCATION.with(&[table, column, value])
}

/// 207
#[must_use]
pub fn invalid_column(name: &str) -> SqlError {
    m::INVALID_COLUMN.with(&[name])
}

/// 208
#[must_use]
pub fn invalid_object(name: &str) -> SqlError {
    m::INVALID_OBJECT.with(&[name])
}

/// 137
#[must_use]
pub fn undeclared_variable(name: &str) -> SqlError {
    m::UNDECLARED_VARIABLE.with(&[name]).with_state(2)
}

/// 8117
#[must_use]
pub fn invalid_operand(ty: SqlType, operator: &str) -> SqlError {
    m::OPERAND_INVALID.with(&[ty.name(), operator])
}

/// 8116
#[must_use]
pub fn invalid_argument(ty: SqlType, position: usize, function: &str) -> SqlError {
    m::ARGUMENT_INVALID.with(&[
        ty.name(),
        &position.to_string(),
        &function.to_ascii_lowercase(),
    ])
}

/// 402
#[must_use]
pub fn incompatible_types(left: SqlType, right: SqlType, operator: &str) -> SqlError {
    SqlError::new(
        402,
        16,
        format!(
            "The data types {} and {} are incompatible in the {operator} operator.",
            left.name(),
            right.name()
        ),
    )
}

/// 174
#[must_use]
pub fn wrong_argument_count(function: &str, count: usize) -> SqlError {
    m::ARGUMENT_COUNT.with(&[&function.to_ascii_lowercase(), &count.to_string()])
}

/// 189
#[must_use]
pub fn argument_range(function: &str, least: usize, most: usize) -> SqlError {
    m::ARGUMENT_RANGE.with(&[
        &function.to_ascii_lowercase(),
        &least.to_string(),
        &most.to_string(),
    ])
}

/// 195
#[must_use]
pub fn unknown_function(name: &str) -> SqlError {
    m::NOT_RECOGNIZED
        .with(&[name, "built-in function name"])
        .with_state(10)
}

/// 536
#[must_use]
pub fn invalid_length(function: &str) -> SqlError {
    m::NEGATIVE_LENGTH.with(&[&function.to_ascii_lowercase()])
}

/// 537
#[must_use]
pub fn invalid_left_or_substring() -> SqlError {
    m::INVALID_LENGTH.with(&[]).with_state(2)
}

/// 512
#[must_use]
pub fn subquery_rows() -> SqlError {
    m::SUBQUERY_ROWS.with(&[])
}
