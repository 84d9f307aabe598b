//! The embedded backend: SQLite, two files, one writer each.

pub(crate) mod checkpoint;
pub(crate) mod codec;
pub(crate) mod definitions;
pub(crate) mod feed;
pub(crate) mod files;
pub(crate) mod lease;
pub(crate) mod log;
pub(crate) mod readers;
pub(crate) mod runs;
pub(crate) mod submit;
pub(crate) mod writer;

#[cfg(test)]
mod walk;
