//! Collations on the wire, and code page 1252.

/// Five bytes that name a collation: LCID and comparison flags, then a sort id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Collation(pub [u8; 5]);

impl Collation {
    /// SQL_Latin1_General_CP1_CI_AS, the collation of every Muster instance: LCID 0x0409, ignoring case,
    /// kana type and width, sort id 52.
    pub const SERVER: Self = Self([0x09, 0x04, 0xD0, 0x00, 0x34]);

    /// How text of a non-Unicode type is encoded under this collation.
    ///
    /// Collations of other code pages are read as 1252, which is what the server declares.
    #[must_use]
    pub(crate) fn charset(self) -> Charset {
        // Bit 26 of the first four bytes, little-endian. Source: MS-TDS, "Collation Rule Definition".
        if self.0[3] & 0x04 != 0 {
            Charset::Utf8
        } else {
            Charset::Cp1252
        }
    }
}

/// Encoding of non-Unicode text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Cp1252,
    Utf8,
}

impl Charset {
    pub(crate) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Cp1252 => decode_cp1252(bytes),
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

/// Text of code page 1252. Its five unassigned bytes are the control characters of the same number.
#[must_use]
pub fn decode_cp1252(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            0x80..=0x9F => HIGH_CONTROLS
                .get(usize::from(byte - 0x80))
                .copied()
                .unwrap_or('?'),
            other => char::from(*other),
        })
        .collect()
}

/// Text in code page 1252; characters that it lacks become `?`, as SQL Server converts them.
pub fn encode_cp1252(text: &str, out: &mut Vec<u8>) {
    out.extend(text.chars().map(cp1252_byte));
}

/// Length of `text` in code page 1252.
#[must_use]
pub fn cp1252_length(text: &str) -> usize {
    text.chars().count()
}

fn cp1252_byte(character: char) -> u8 {
    match u8::try_from(u32::from(character)) {
        Ok(byte @ (..0x80 | 0xA0..)) => byte,
        _ => HIGH_CONTROLS
            .iter()
            .zip(0x80u8..)
            .find(|(candidate, _)| **candidate == character)
            .map_or(b'?', |(_, byte)| byte),
    }
}

/// Bytes 0x80..=0x9F of code page 1252.
const HIGH_CONTROLS: [char; 32] = [
    '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2C6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}', '\u{8F}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}', '\u{17E}', '\u{178}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_round_trips() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = decode_cp1252(&bytes);
        let mut back = Vec::new();
        encode_cp1252(&text, &mut back);
        assert_eq!(back, bytes);
        assert_eq!(cp1252_length(&text), 256);
    }

    #[test]
    fn known_characters() {
        let mut out = Vec::new();
        encode_cp1252("é€™ŸĀ漢😀", &mut out);
        assert_eq!(out, [0xE9, 0x80, 0x99, 0x9F, b'?', b'?', b'?']);
    }

    #[test]
    fn utf8_collations_are_recognised() {
        assert_eq!(Collation::SERVER.charset(), Charset::Cp1252);
        assert_eq!(
            Collation([0x09, 0x04, 0xD0, 0x04, 0x00]).charset(),
            Charset::Utf8
        );
    }
}
