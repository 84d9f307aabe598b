//! Between the wire's types and Muster's, with every check on what a peer sent.

mod definition;
mod enlist;
mod fleet;

pub(crate) use enlist::{
    decode_enlist_answer, decode_enlist_request, encode_enlist_answer, encode_enlist_request,
};
pub(crate) use fleet::{
    check_instruction, decode_to_master, decode_to_target, encode_to_master, encode_to_target,
    encoded_report_len,
};

use crate::error::{ProtocolError, Result};
use crate::limits::{
    ADDRESSES_MAX, CERTIFICATE_BYTES_MAX, CHAIN_CERTIFICATES_MAX, SHORT_TEXT_UNITS_MAX,
};
use crate::wire;
use jiff::Timestamp;
use model::Cursor;
use prost::Message as _;
use std::time::Duration;
use uuid::Uuid;

fn encode(body: wire::Body) -> Vec<u8> {
    wire::Envelope { body: Some(body) }.encode_to_vec()
}

fn decode(bytes: &[u8]) -> Result<wire::Body> {
    wire::Envelope::decode(bytes)
        .map_err(|error| ProtocolError::Malformed {
            detail: error.to_string(),
        })?
        .body
        .ok_or(ProtocolError::UnknownMessage)
}

const fn bad(field: &'static str) -> ProtocolError {
    ProtocolError::Field { field }
}

fn required<T>(value: Option<T>, field: &'static str) -> Result<T> {
    value.ok_or(bad(field))
}

fn uuid_of(bytes: &[u8], field: &'static str) -> Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|_| bad(field))
}

fn bytes_of(uuid: Uuid) -> Vec<u8> {
    uuid.as_bytes().to_vec()
}

/// A text of at most so many UTF-16 units.
fn text(value: String, units_max: usize, field: &'static str) -> Result<String> {
    // A unit takes at most three bytes of UTF-8, so long texts need no count.
    if value.len() > units_max * 3 || value.encode_utf16().count() > units_max {
        return Err(bad(field));
    }
    Ok(value)
}

/// The beginning of a text of our own that a peer takes.
fn cut(text: &str, units_max: usize) -> String {
    let mut units = 0;
    text.chars()
        .take_while(|c| {
            units += c.len_utf16();
            units <= units_max
        })
        .collect()
}

/// A text of at most so many UTF-16 units that is not blank.
fn name(value: String, units_max: usize, field: &'static str) -> Result<String> {
    if value.trim().is_empty() {
        return Err(bad(field));
    }
    text(value, units_max, field)
}

fn optional_text(
    value: Option<String>,
    units_max: usize,
    field: &'static str,
) -> Result<Option<String>> {
    value.map(|value| text(value, units_max, field)).transpose()
}

fn bounded(value: Vec<u8>, bytes_max: usize, field: &'static str) -> Result<Vec<u8>> {
    if value.len() > bytes_max {
        return Err(bad(field));
    }
    Ok(value)
}

fn instant(microseconds: i64, field: &'static str) -> Result<Timestamp> {
    Timestamp::from_microsecond(microseconds).map_err(|_| bad(field))
}

fn offset(minutes: i32, field: &'static str) -> Result<i16> {
    // Real zones lie within 14 hours; one more day's half is room for odd clocks.
    i16::try_from(minutes)
        .ok()
        .filter(|minutes| (-1_440..=1_440).contains(minutes))
        .ok_or(bad(field))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn cursor_of(cursor: Option<wire::Cursor>, field: &'static str) -> Result<Cursor> {
    let cursor = required(cursor, field)?;
    Ok(Cursor {
        number: model::InstructionNumber(cursor.number),
        uid: uuid_of(&cursor.uid, field)?,
    })
}

fn wire_cursor(cursor: Cursor) -> wire::Cursor {
    wire::Cursor {
        number: cursor.number.0,
        uid: bytes_of(cursor.uid),
    }
}

fn chain(chain: Vec<Vec<u8>>, field: &'static str) -> Result<Vec<Vec<u8>>> {
    let fits = chain.iter().all(|der| der.len() <= CERTIFICATE_BYTES_MAX);
    if chain.is_empty() || chain.len() > CHAIN_CERTIFICATES_MAX || !fits {
        return Err(bad(field));
    }
    Ok(chain)
}

fn addresses(addresses: Vec<String>, field: &'static str) -> Result<Vec<String>> {
    if addresses.len() > ADDRESSES_MAX {
        return Err(bad(field));
    }
    addresses
        .into_iter()
        .map(|address| name(address, SHORT_TEXT_UNITS_MAX, field))
        .collect()
}

fn poll_interval(secs: u32, field: &'static str) -> Result<u32> {
    if !model::POLL_INTERVAL_SECS_RANGE.contains(&secs) {
        return Err(bad(field));
    }
    Ok(secs)
}
