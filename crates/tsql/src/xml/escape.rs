//! Characters that have another form inside XML.

/// Writes character data.
pub(super) fn text(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#x0D;"),
            c => other(c, out),
        }
    }
}

/// Writes character data that is to be read again: blanks alone would be dropped as they are.
pub(super) fn kept_text(data: &str, out: &mut String) {
    if is_blank(data) {
        for c in data.chars() {
            out.push_str(&format!("&#x{:02X};", u32::from(c)));
        }
    } else {
        text(data, out);
    }
}

/// Whether there are blanks and nothing else.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'))
}

/// Writes an attribute's value, for double quotes.
pub(super) fn attribute(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#x0D;"),
            '\n' => out.push_str("&#x0A;"),
            '\t' => out.push_str("&#x09;"),
            c => other(c, out),
        }
    }
}

fn other(c: char, out: &mut String) {
    if is_xml(c) {
        out.push(c);
    } else {
        out.push_str(&format!("&#x{:02X};", u32::from(c)));
    }
}

/// Whether XML 1.0 allows a character.
pub(super) const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// A processing instruction.
pub(super) fn instruction(target: &str, data: &str) -> String {
    if data.is_empty() {
        format!("<?{target}?>")
    } else {
        format!("<?{target} {data}?>")
    }
}

/// A name as FOR XML writes it: what a name may not hold becomes its code.
pub(super) fn name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.chars().enumerate() {
        let fits = if at == 0 {
            c.is_alphabetic() || c == '_'
        } else {
            c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
        };
        if fits {
            out.push(c);
        } else {
            out.push_str(&format!("_x{:04X}_", u32::from(c)));
        }
    }
    out
}

/// Bytes as XML and JSON carry them.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group
            .iter()
            .chain(&[0, 0])
            .take(3)
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        for at in 0..4 {
            if at > group.len() {
                out.push('=');
                continue;
            }
            let index = usize::try_from(word >> (18 - 6 * at) & 63).unwrap_or(0);
            out.push(char::from(ALPHABET[index]));
        }
    }
    out
}

/// The bytes of a base64 text, blanks left out; `None` for what is none.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let clean: Vec<u8> = text.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    if !clean.len().is_multiple_of(4) {
        return None;
    }
    let end = clean.iter().position(|c| *c == b'=').unwrap_or(clean.len());
    if clean.len() - end > 2 || clean[end..].iter().any(|c| *c != b'=') {
        return None;
    }
    let mut out = Vec::with_capacity(clean.len() / 4 * 3);
    let (mut word, mut bits) = (0_u32, 0_u32);
    for c in &clean[..end] {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        word = word << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(word >> bits & 0xff).unwrap_or(0));
        }
    }
    Some(out)
}
