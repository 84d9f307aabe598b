//! Little-endian primitives: reading without panic, writing with bounds.

use crate::error::TdsError;

/// A position in bytes from a peer. Every read checks the length first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; `what` names the item in errors.
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, at: 0, what }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(crate) fn truncated(&self) -> TdsError {
        TdsError::Truncated { what: self.what }
    }

    pub(crate) fn invalid(&self, value: impl Into<u64>) -> TdsError {
        TdsError::Invalid {
            what: self.what,
            value: value.into(),
        }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], TdsError> {
        let end = self.at.checked_add(count).ok_or_else(|| self.truncated())?;
        let bytes = self
            .bytes
            .get(self.at..end)
            .ok_or_else(|| self.truncated())?;
        self.at = end;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], TdsError> {
        let bytes = self.take(N)?;
        let mut array = [0; N];
        array.copy_from_slice(bytes);
        Ok(array)
    }

    /// The next `count` bytes as a reader of their own. What ends early inside them is not cured by
    /// more bytes, so the caller maps the error with [`Reader::closed`].
    pub(crate) fn part(&mut self, count: usize) -> Result<Reader<'a>, TdsError> {
        Ok(Reader::new(self.take(count)?, self.what))
    }

    /// An error of a part with a length of its own: truncation becomes malformation.
    pub(crate) fn closed(error: TdsError) -> TdsError {
        if let TdsError::Truncated { what } = error {
            TdsError::Invalid { what, value: 0 }
        } else {
            error
        }
    }

    pub(crate) fn u8(&mut self) -> Result<u8, TdsError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, TdsError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u16_be(&mut self) -> Result<u16, TdsError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, TdsError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, TdsError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, TdsError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A 32-bit length as a size.
    pub(crate) fn size32(&mut self) -> Result<usize, TdsError> {
        let length = self.u32()?;
        usize::try_from(length).map_err(|_| self.invalid(length))
    }

    /// UTF-16 text of `units` units.
    pub(crate) fn utf16(&mut self, units: usize) -> Result<String, TdsError> {
        let count = units.checked_mul(2).ok_or_else(|| self.truncated())?;
        Ok(utf16_text(self.take(count)?))
    }

    /// `B_VARCHAR`: length in units in one byte.
    pub(crate) fn b_varchar(&mut self) -> Result<String, TdsError> {
        let units = self.u8()?;
        self.utf16(usize::from(units))
    }

    /// `US_VARCHAR`: length in units in two bytes.
    pub(crate) fn us_varchar(&mut self) -> Result<String, TdsError> {
        let units = self.u16()?;
        self.utf16(usize::from(units))
    }

    /// `B_VARBYTE`: length in bytes in one byte.
    pub(crate) fn b_varbyte(&mut self) -> Result<&'a [u8], TdsError> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }
}

/// UTF-16LE bytes as text; lone surrogates and an odd last byte become U+FFFD.
pub(crate) fn utf16_text(bytes: &[u8]) -> String {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let mut text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

/// Appends primitives.
pub(crate) trait Put {
    fn put(&mut self, bytes: &[u8]);

    fn put_u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    fn put_u16(&mut self, value: u16) {
        self.put(&value.to_le_bytes());
    }

    fn put_u16_be(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    fn put_u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }

    fn put_u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    fn put_i32(&mut self, value: i32) {
        self.put(&value.to_le_bytes());
    }

    fn put_utf16(&mut self, text: &str) {
        for unit in text.encode_utf16() {
            self.put(&unit.to_le_bytes());
        }
    }

    /// `B_VARCHAR`, cut to 255 units.
    fn put_b_varchar(&mut self, text: &str) {
        let (text, units) = cut_utf16(text, usize::from(u8::MAX));
        self.put_u8(u8::try_from(units).unwrap_or(u8::MAX));
        self.put_utf16(text);
    }

    /// `US_VARCHAR`, cut to `units_max` units.
    fn put_us_varchar(&mut self, text: &str, units_max: u16) {
        let (text, units) = cut_utf16(text, usize::from(units_max));
        self.put_u16(u16::try_from(units).unwrap_or(u16::MAX));
        self.put_utf16(text);
    }
}

impl Put for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The longest start of `text` with at most `units_max` UTF-16 units, and its number of units.
pub(crate) fn cut_utf16(text: &str, units_max: usize) -> (&str, usize) {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        let next = units + character.len_utf16();
        if next > units_max {
            return (text.split_at(at).0, units);
        }
        units = next;
    }
    (text, units)
}

/// Writes a two-byte length before what `body` appends.
///
/// The callers bound their contents, so the length fits; a longer body would be a bug.
pub(crate) fn with_length16(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.put_u16(0);
    body(out);
    let length =
        u16::try_from(out.len() - at - 2).expect("token contents are bounded by their callers");
    if let Some(place) = out.get_mut(at..at + 2) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}
