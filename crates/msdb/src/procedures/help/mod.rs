//! sp_help and its kin: objects, databases, principals, sessions and options as people ask about them.

mod databases;
mod objects;
mod permissions;
mod principals;
mod server;
mod sessions;

pub(super) use databases::{helpdb, helpfile, spaceused};
pub(super) use objects::{help, helpindex, helptext};
pub(super) use permissions::{helplogins, helprotect};
pub(super) use principals::{
    helpdbfixedrole, helprole, helprolemember, helpsrvrole, helpsrvrolemember, helpuser,
};
pub(super) use server::{configure, helpserver, helpsort, linkedservers, msver};
pub(super) use sessions::{lock, who, who2};

use tsql::Value;

/// A text filled with blanks to a width, as char and nchar columns hold it.
fn padded(text: &str, width: usize) -> Value {
    let kept: String = text.chars().take(width).collect();
    Value::String(format!("{kept:width$}"))
}
