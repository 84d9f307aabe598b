//! Hashes: HASHBYTES, BINARY_CHECKSUM, PWDENCRYPT and PWDCOMPARE.
//!
//! Source: "HASHBYTES (Transact-SQL)", "BINARY_CHECKSUM (Transact-SQL)", "PWDCOMPARE (Transact-SQL)"; the layout of a
//! password hash (version, salt, digest) as published descriptions of `sys.sql_logins.password_hash` give it.

use super::{Call, collate};
use crate::convert::{self, Style};
use crate::error::SqlError;
use crate::types::{Length, SqlType};
use crate::value::Value;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

type Outcome = Result<Value, SqlError>;

/// Hash with SHA-1, which servers before 2012 made.
const VERSION_SHA1: [u8; 2] = [1, 0];
/// Hash with SHA-512.
const VERSION_SHA512: [u8; 2] = [2, 0];
const SALT_BYTES: usize = 4;

fn digest<D: Digest>(bytes: &[u8]) -> Vec<u8> {
    D::digest(bytes).to_vec()
}

/// An argument's bytes: a string's in its code page or in UTF-16, any other type's as a conversion to varbinary gives
/// them.
fn bytes_of(call: &Call<'_>, at: usize) -> Result<Option<Vec<u8>>, SqlError> {
    let (value, ty) = (call.args[at].clone(), call.exprs[at].ty);
    let to = SqlType::VarBinary(Length::Max);
    Ok(match convert::convert(value, ty, to, Style::PLAIN)? {
        Value::Binary(bytes) => Some(bytes),
        _ => None,
    })
}

/// HASHBYTES; NULL for an algorithm that is none.
pub(super) fn hash_bytes(call: &Call<'_>) -> Outcome {
    let (Some(algorithm), Some(bytes)) = (call.text(0), bytes_of(call, 1)?) else {
        return Ok(Value::Null);
    };
    Ok(match algorithm.trim_end().to_ascii_uppercase().as_str() {
        "MD5" => Value::Binary(digest::<Md5>(&bytes)),
        "SHA" | "SHA1" => Value::Binary(digest::<Sha1>(&bytes)),
        "SHA2_256" => Value::Binary(digest::<Sha256>(&bytes)),
        "SHA2_512" => Value::Binary(digest::<Sha512>(&bytes)),
        name @ ("MD2" | "MD4") => {
            return Err(crate::fault::not_supported(&format!("HASHBYTES('{name}')")));
        }
        _ => Value::Null,
    })
}

/// One step of the checksum: the sum so far, turned by four bits, and the next number.
const fn fold(sum: u32, next: u32) -> u32 {
    sum.rotate_left(4) ^ next
}

fn signed(sum: u32) -> Value {
    Value::Int(i32::from_ne_bytes(sum.to_ne_bytes()))
}

/// The sum of one value: a whole number that fits is its own, anything else is summed byte by byte.
fn sum_of(call: &Call<'_>, at: usize) -> Result<u32, SqlError> {
    let whole = call.args[at].as_i64().and_then(|n| i32::try_from(n).ok());
    if let Some(n) = whole {
        return Ok(u32::from_ne_bytes(n.to_ne_bytes()));
    }
    let bytes = bytes_of(call, at)?.unwrap_or_default();
    Ok(bytes
        .iter()
        .fold(0, |sum, byte| fold(sum, u32::from(*byte))))
}

pub(super) fn binary_checksum(call: &Call<'_>) -> Outcome {
    let sums = (0..call.args.len()).map(|at| sum_of(call, at));
    let total = sums.reduce(|total, next| Ok(fold(total?, next?)));
    Ok(signed(total.unwrap_or(Ok(0))?))
}

/// CHECKSUM: as BINARY_CHECKSUM, but strings that compare as equal have the same sum.
pub(super) fn checksum(call: &Call<'_>) -> Outcome {
    let sum = |at: usize| match call.text(at).filter(|_| call.exprs[at].ty.is_string()) {
        Some(text) => Ok(collate::key(&text)
            .bytes()
            .fold(0, |sum, byte| fold(sum, u32::from(byte)))),
        None => sum_of(call, at),
    };
    let total = (0..call.args.len())
        .map(sum)
        .reduce(|total, next| Ok(fold(total?, next?)));
    Ok(signed(total.unwrap_or(Ok(0))?))
}

fn utf16(text: &str) -> impl Iterator<Item = u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes)
}

/// PWDENCRYPT: a hash with a random salt.
pub(super) fn encrypt_password(call: &Call<'_>) -> Outcome {
    let Some(text) = call.text(0) else {
        return Ok(Value::Null);
    };
    let random = call.env.new_guid();
    let salt = &random.as_bytes()[..SALT_BYTES];
    let salted: Vec<u8> = utf16(&text).chain(salt.iter().copied()).collect();
    let hash = [&VERSION_SHA512, salt, &digest::<Sha512>(&salted)].concat();
    Ok(Value::Binary(hash))
}

/// PWDCOMPARE: 1 when the hash is the password's, else 0.
pub(super) fn compare_password(call: &Call<'_>) -> Outcome {
    let (Some(text), Value::Binary(hash)) = (call.text(0), &call.args[1]) else {
        return Ok(Value::Null);
    };
    let same = hash
        .split_at_checked(VERSION_SHA512.len())
        .and_then(|(version, rest)| Some((version, rest.split_at_checked(SALT_BYTES)?)))
        .is_some_and(|(version, (salt, stored))| {
            let salted: Vec<u8> = utf16(&text).chain(salt.iter().copied()).collect();
            match version.try_into() {
                Ok(VERSION_SHA512) => digest::<Sha512>(&salted) == stored,
                // Old servers stored a second digest, of the password in capitals, behind the first.
                Ok(VERSION_SHA1) => stored.starts_with(&digest::<Sha1>(&salted)),
                _ => false,
            }
        });
    Ok(Value::Int(i32::from(same)))
}
