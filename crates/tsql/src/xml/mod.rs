//! The xml type: reading and checking it, its methods, and FOR XML.
//!
//! A value is its text in one canonical form: no declaration, no blanks between tags, empty elements closed at once.
//! The methods read it into a [`tree`] that the thread keeps for the next call: [`forget`] lets go of it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule names the nodes and values it treats apart, and says what holds for the rest"
)]

mod escape;
mod eval;
mod fault;
mod for_xml;
mod methods;
mod modify;
mod path;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use escape::base64;
pub use for_xml::XmlForm;
pub(crate) use for_xml::XmlWriter;
pub use methods::forget;
pub(crate) use methods::{
    EXIST, MODIFY, QUERY, VALUE, VALUE_BINARY, check_value, externals, node_numbers,
};
pub use modify::modify;
pub(crate) use modify::modify_externals;
pub(crate) use path::External;

use crate::error::SqlError;
use crate::types::SqlType;
use tree::{Tree, position};

/// Style of CONVERT that keeps blanks between tags.
const KEEP_BLANKS: i32 = 1;

/// A text of some type as an xml value.
///
/// # Errors
/// 9400 and its neighbours for what is not well-formed, 9402 for a declared encoding that the type does not have,
/// 6359 for a document type declaration, 6335 beyond the depth that a value may have.
pub(crate) fn parse(text: &str, from: SqlType, style: i32) -> Result<String, SqlError> {
    check_encoding(text, from)?;
    Ok(Tree::parse(text, style & KEEP_BLANKS != 0)?.write_all())
}

/// A declared encoding must be one that the string's type can have.
fn check_encoding(text: &str, from: SqlType) -> Result<(), SqlError> {
    let Some(end) = text.strip_prefix("<?xml").and_then(|_| text.find("?>")) else {
        return Ok(());
    };
    let declaration = text.get(..end).unwrap_or_default();
    let Some(at) = declaration.find("encoding") else {
        return Ok(());
    };
    let value = declaration.get(at + "encoding".len()..).unwrap_or_default();
    let value = value
        .trim_start()
        .strip_prefix('=')
        .unwrap_or(value)
        .trim_start();
    let quoted = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some((name, _)) = quoted.and_then(|quote| value[1..].split_once(quote)) else {
        return Ok(());
    };
    let wide = matches!(
        name.to_ascii_lowercase().as_str(),
        "utf-16" | "ucs-2" | "utf-16le"
    );
    let unicode = matches!(
        from,
        SqlType::NChar(_) | SqlType::NVarChar(_) | SqlType::NText | SqlType::Xml
    );
    if wide == unicode {
        return Ok(());
    }
    Err(fault::parsing(
        9402,
        position(text, end),
        "unable to switch the encoding",
    ))
}
