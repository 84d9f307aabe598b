//! The errors of XML, with their arguments typed.

use crate::error::SqlError;
use crate::messages as m;

/// 9400 and its neighbours: what is wrong at a line and character of the text.
pub(super) fn parsing(number: i32, place: (u32, u32), reason: &str) -> SqlError {
    let (line, character) = place;
    SqlError {
        number,
        ..m::XML_PARSE.with(&[&line.to_string(), &character.to_string(), reason])
    }
}

/// 6359
pub(super) fn document_type() -> SqlError {
    m::XML_DTD.with(&[])
}

/// 6335
pub(super) fn too_deep(most: usize) -> SqlError {
    m::XML_TOO_DEEP.with(&[&most.to_string()])
}

/// 6365
pub(super) fn too_large() -> SqlError {
    m::XML_TOO_LARGE.with(&[])
}
