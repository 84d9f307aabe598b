//! Tabular Data Stream codec, both ways, without sockets: TDS 7.1 to 7.4, and 8.0 inside strict TLS.
//!
//! It turns bytes into messages and back and knows the protocol's layouts; what a statement means, when
//! to answer and where bytes come from is its callers' part. Nothing here blocks, and no length that a
//! peer names is allocated before its bytes are there.
//!
//! - [`packet`]: packets and messages.
//! - [`prelogin`], [`login`]: how a connection begins.
//! - [`request`], [`table`]: what a client asks; both reading and writing.
//! - [`bulk`]: the rows of a bulk load.
//! - [`token`]: what a server answers, writing.
//! - [`reply`]: what a server answers, reading.
//! - [`types`], [`value`]: types and values of [`tsql`] on the wire.
//!
//! Source throughout: "[MS-TDS]: Tabular Data Stream Protocol".

pub mod bulk;
pub mod charset;
mod error;
pub mod login;
pub mod packet;
pub mod prelogin;
pub mod reply;
pub mod request;
pub mod table;
pub mod token;
pub mod types;
pub mod value;
mod version;
mod wire;

pub use error::TdsError;
pub use version::{ProductVersion, TdsVersion, VersionNumber};
