//! What can be wrong with bytes from a peer, or with a value to be sent.

use tsql::SqlType;

/// A failure to read or write TDS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TdsError {
    /// The bytes end inside an item. For a stream this means: feed more.
    #[error("{what} ends early")]
    Truncated {
        /// The item that was being read.
        what: &'static str,
    },
    /// An item holds a value that the protocol does not allow there.
    #[error("{what} holds {value}, which the protocol does not allow")]
    Invalid {
        /// The item.
        what: &'static str,
        /// What it holds, widened.
        value: u64,
    },
    /// A packet type that TDS does not know.
    #[error("packet type 0x{0:02X} is unknown")]
    UnknownPacketType(u8),
    /// A packet of another type inside a message.
    #[error("packet type 0x{found:02X} inside a message of type 0x{open:02X}")]
    PacketOutOfTurn {
        /// Type of the message that is being assembled.
        open: u8,
        /// Type of the packet that came.
        found: u8,
    },
    /// A message above its named bound.
    #[error("message longer than {limit} bytes")]
    MessageTooLong {
        /// The bound in bytes.
        limit: usize,
    },
    /// A protocol version below 7.1.
    #[error("TDS version 0x{0:08X} is not supported")]
    UnsupportedVersion(u32),
    /// A data type token that TDS does not know.
    #[error("data type 0x{0:02X} is unknown")]
    UnknownType(u8),
    /// A data type that Muster does not take.
    #[error("data type {name} is not supported")]
    UnsupportedType {
        /// Its name, for people.
        name: &'static str,
    },
    /// A feature of a request that Muster does not take.
    #[error("{0} is not supported")]
    UnsupportedFeature(&'static str),
    /// A token that Muster's client does not understand.
    #[error("token 0x{0:02X} is unknown")]
    UnknownToken(u8),
    /// A value that does not go with its column or parameter.
    #[error("a value of kind {kind} does not fit type {ty}")]
    ValueKind {
        /// Declared type.
        ty: SqlType,
        /// Kind of the value.
        kind: &'static str,
    },
    /// A value that is longer, or larger, than its declared type allows.
    #[error("a value is out of range for type {ty}")]
    ValueRange {
        /// Declared type.
        ty: SqlType,
    },
    /// A row whose length differs from its columns.
    #[error("a row of {found} values for {expected} columns")]
    RowShape {
        /// Number of columns.
        expected: usize,
        /// Number of values.
        found: usize,
    },
}

impl TdsError {
    /// Whether only this request fails: the message was well framed, and the connection can go on.
    #[must_use]
    pub fn refuses_request_only(&self) -> bool {
        matches!(
            self,
            Self::UnsupportedType { .. } | Self::UnsupportedFeature(_) | Self::UnknownType(_)
        )
    }

    /// Whether more bytes may cure it.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        matches!(self, Self::Truncated { .. })
    }
}
