//! What can be wrong with what a peer sent.

/// A peer broke the protocol. The connection ends; nothing else suffers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A frame announces more bytes than [`FRAME_BYTES_MAX`](crate::limits::FRAME_BYTES_MAX).
    #[error("frame of {bytes} bytes is longer than {max}")]
    FrameTooLong {
        /// Announced.
        bytes: usize,
        /// Allowed.
        max: usize,
    },
    /// The frames of one message exceed what this peer may send now.
    #[error("message is longer than {max} bytes")]
    MessageTooLong {
        /// Allowed.
        max: usize,
    },
    /// The bytes are no message.
    #[error("message can't be decoded: {detail}")]
    Malformed {
        /// What the decoder found.
        detail: String,
    },
    /// A message of a kind that this end doesn't take.
    #[error("message of an unknown kind, or of the other end")]
    UnknownMessage,
    /// A field holds what it can't hold.
    #[error("field {field} is missing or out of range")]
    Field {
        /// `message.field`.
        field: &'static str,
    },
    /// A message that the conversation's state doesn't allow.
    #[error("{message} is out of place while {state}")]
    Unexpected {
        /// The message.
        message: &'static str,
        /// What the conversation was doing.
        state: &'static str,
    },
    /// Instructions that go back, or belong to another enlistment.
    #[error("instruction {number} does not follow {after}")]
    OutOfOrder {
        /// Number received.
        number: u64,
        /// Number carried out last.
        after: u64,
    },
    /// The peer sends and does not read.
    #[error("more than {max} messages wait for a peer that does not read")]
    NotReading {
        /// Allowed.
        max: usize,
    },
}

/// Shorthand for the machines.
pub(crate) type Result<T, E = ProtocolError> = std::result::Result<T, E>;
