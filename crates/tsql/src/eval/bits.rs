//! Functions of bits: BIT_COUNT, GET_BIT, SET_BIT, LEFT_SHIFT, RIGHT_SHIFT.
//!
//! Source: "Bit manipulation functions (Transact-SQL)".

use super::Call;
use crate::bind::ir::TypedExpr;
use crate::convert::{self, Style};
use crate::error::SqlError;
use crate::fault;
use crate::types::SqlType;
use crate::value::Value;

type Outcome = Result<Value, SqlError>;

/// The argument's own type where it has bits; others become int.
pub(super) fn bits_type(args: &[TypedExpr]) -> SqlType {
    match args.first().map(|arg| arg.ty) {
        Some(
            ty @ (SqlType::Bit
            | SqlType::TinyInt
            | SqlType::SmallInt
            | SqlType::BigInt
            | SqlType::Binary(_)
            | SqlType::VarBinary(_)),
        ) => ty,
        _ => SqlType::Int,
    }
}

/// A value's bits, its highest byte first.
fn bytes_of(call: &Call<'_>) -> Result<Option<Vec<u8>>, SqlError> {
    let ty = bits_type(call.exprs);
    let value = convert::convert(call.args[0].clone(), call.exprs[0].ty, ty, Style::PLAIN)?;
    Ok(match value {
        Value::Bit(v) => Some(vec![u8::from(v)]),
        Value::TinyInt(v) => Some(vec![v]),
        Value::SmallInt(v) => Some(v.to_be_bytes().to_vec()),
        Value::Int(v) => Some(v.to_be_bytes().to_vec()),
        Value::BigInt(v) => Some(v.to_be_bytes().to_vec()),
        Value::Binary(bytes) => Some(bytes),
        Value::Null => None,
        _ => {
            return Err(fault::invalid_argument(
                call.exprs[0].ty,
                1,
                call.function.name,
            ));
        }
    })
}

fn value_of(ty: SqlType, bytes: Vec<u8>) -> Value {
    let low = |wanted: usize| {
        bytes[bytes.len().saturating_sub(wanted)..]
            .iter()
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte))
            .to_le_bytes()
    };
    match ty {
        SqlType::Bit => Value::Bit(bytes.iter().any(|byte| byte & 1 == 1)),
        SqlType::TinyInt => Value::TinyInt(low(1)[0]),
        SqlType::SmallInt => Value::SmallInt(i16::from_le_bytes([low(2)[0], low(2)[1]])),
        SqlType::BigInt => Value::BigInt(i64::from_le_bytes(low(8))),
        SqlType::Binary(_) | SqlType::VarBinary(_) => Value::Binary(bytes),
        _ => {
            let all = low(4);
            Value::Int(i32::from_le_bytes([all[0], all[1], all[2], all[3]]))
        }
    }
}

pub(super) fn bit_count(call: &Call<'_>) -> Outcome {
    Ok(bytes_of(call)?.map_or(Value::Null, |bytes| {
        Value::BigInt(bytes.iter().map(|byte| i64::from(byte.count_ones())).sum())
    }))
}

/// Byte and mask of a bit, counted from the lowest; 9838 beyond the value.
fn place(call: &Call<'_>, length: usize) -> Result<Option<(usize, u8)>, SqlError> {
    let Some(offset) = call.int(1) else {
        return Ok(None);
    };
    let bits = if bits_type(call.exprs) == SqlType::Bit {
        1
    } else {
        length * 8
    };
    let offset = usize::try_from(offset).ok().filter(|offset| *offset < bits);
    let offset = offset.ok_or_else(|| {
        let name = call.function.name.to_ascii_lowercase();
        SqlError::new(
            9838,
            16,
            format!("The bit offset passed to {name} is outside of the value."),
        )
    })?;
    Ok(Some((length - 1 - offset / 8, 1 << (offset % 8))))
}

pub(super) fn get_bit(call: &Call<'_>) -> Outcome {
    let Some(bytes) = bytes_of(call)? else {
        return Ok(Value::Null);
    };
    Ok(place(call, bytes.len())?
        .map_or(Value::Null, |(at, mask)| Value::Bit(bytes[at] & mask != 0)))
}

pub(super) fn set_bit(call: &Call<'_>) -> Outcome {
    let Some(mut bytes) = bytes_of(call)? else {
        return Ok(Value::Null);
    };
    let Some((at, mask)) = place(call, bytes.len())? else {
        return Ok(Value::Null);
    };
    let on = call.args.get(2).map_or(Some(1), Value::as_i64);
    match on {
        None => return Ok(Value::Null),
        Some(0) => bytes[at] &= !mask,
        Some(_) => bytes[at] |= mask,
    }
    Ok(value_of(call.ty, bytes))
}

/// Moves bits to the higher places by a positive count, to the lower ones by a negative; zeros follow.
fn shifted(bytes: &[u8], count: i64) -> Vec<u8> {
    let total = i64::try_from(bytes.len())
        .unwrap_or(i64::MAX)
        .saturating_mul(8);
    let bit = |place: i64| {
        let from = place.saturating_sub(count);
        if !(0..total).contains(&from) {
            return false;
        }
        let from = usize::try_from(from).unwrap_or(0);
        bytes[bytes.len() - 1 - from / 8] >> (from % 8) & 1 == 1
    };
    let mut moved: Vec<u8> = (0..total / 8)
        .map(|byte| (0..8).fold(0, |all, at| all | u8::from(bit(byte * 8 + at)) << at))
        .collect();
    moved.reverse();
    moved
}

fn shift(call: &Call<'_>, sign: i64) -> Outcome {
    let (Some(bytes), Some(count)) = (bytes_of(call)?, call.int(1)) else {
        return Ok(Value::Null);
    };
    Ok(value_of(
        call.ty,
        shifted(&bytes, count.saturating_mul(sign)),
    ))
}

pub(super) fn left_shift(call: &Call<'_>) -> Outcome {
    shift(call, 1)
}

pub(super) fn right_shift(call: &Call<'_>) -> Outcome {
    shift(call, -1)
}
