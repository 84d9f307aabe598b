//! Packets and messages: the header, assembling messages from bytes, splitting messages into packets.
//!
//! Source: MS-TDS, "Packet Header".

use crate::error::TdsError;
use crate::wire::Put;

/// Bytes of a packet header.
pub const HEADER_BYTES: usize = 8;
/// Smallest packet size that a client may ask for.
pub const PACKET_BYTES_MIN: u16 = 512;
/// Largest packet size that a client may ask for.
pub const PACKET_BYTES_MAX: u16 = 32_767;
/// Packet size before login, and the answer to a client that asks for 0.
pub const PACKET_BYTES_DEFAULT: u16 = 4_096;
/// Longest message before login is done, from a peer that nobody knows yet. A login of ten texts at their
/// longest has 3 KB; the rest is room for feature extensions and for tokens that are refused. (MS-TDS allows
/// 128 KB.)
pub const LOGIN_MESSAGE_BYTES_MAX: usize = 32 * 1024;
/// Longest request after login.
pub const REQUEST_MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PacketType {
    /// A batch of statements.
    SqlBatch,
    /// The login of TDS before 7.0.
    LegacyLogin,
    /// Remote procedure calls.
    Rpc,
    /// What a server answers.
    TabularResult,
    /// A request to cancel; it has no contents.
    Attention,
    /// Rows of a bulk load.
    BulkLoad,
    /// A federated authentication token.
    FedAuthToken,
    /// A transaction manager request.
    TransactionManager,
    /// LOGIN7.
    Login7,
    /// A SSPI message.
    Sspi,
    /// PRELOGIN, and TLS records of the handshake.
    PreLogin,
}

impl PacketType {
    /// The byte on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::SqlBatch => 0x01,
            Self::LegacyLogin => 0x02,
            Self::Rpc => 0x03,
            Self::TabularResult => 0x04,
            Self::Attention => 0x06,
            Self::BulkLoad => 0x07,
            Self::FedAuthToken => 0x08,
            Self::TransactionManager => 0x0E,
            Self::Login7 => 0x10,
            Self::Sspi => 0x11,
            Self::PreLogin => 0x12,
        }
    }

    /// The type of a byte on the wire.
    ///
    /// # Errors
    /// [`TdsError::UnknownPacketType`].
    pub const fn from_code(code: u8) -> Result<Self, TdsError> {
        Ok(match code {
            0x01 => Self::SqlBatch,
            0x02 => Self::LegacyLogin,
            0x03 => Self::Rpc,
            0x04 => Self::TabularResult,
            0x06 => Self::Attention,
            0x07 => Self::BulkLoad,
            0x08 => Self::FedAuthToken,
            0x0E => Self::TransactionManager,
            0x10 => Self::Login7,
            0x11 => Self::Sspi,
            0x12 => Self::PreLogin,
            other => return Err(TdsError::UnknownPacketType(other)),
        })
    }
}

const STATUS_END_OF_MESSAGE: u8 = 0x01;
const STATUS_IGNORE: u8 = 0x02;
const STATUS_RESET: u8 = 0x08;
const STATUS_RESET_KEEP_TRANSACTION: u8 = 0x10;

/// A decoded packet header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketHeader {
    /// What the message is.
    pub kind: PacketType,
    /// Status bits as they came.
    pub status: u8,
    /// Length with the header, 8..=32767.
    pub length: u16,
    /// Session number; 0 from clients.
    pub spid: u16,
    /// Number of the packet, modulo 256.
    pub packet_id: u8,
}

impl PacketHeader {
    /// Reads a header.
    ///
    /// # Errors
    /// [`TdsError::UnknownPacketType`]; [`TdsError::Invalid`] for a length outside 8..=32767.
    pub fn decode(bytes: [u8; HEADER_BYTES]) -> Result<Self, TdsError> {
        let [
            kind,
            status,
            high,
            low,
            spid_high,
            spid_low,
            packet_id,
            _window,
        ] = bytes;
        let kind = PacketType::from_code(kind)?;
        let length = u16::from_be_bytes([high, low]);
        if usize::from(length) < HEADER_BYTES || length > PACKET_BYTES_MAX {
            return Err(TdsError::Invalid {
                what: "packet length",
                value: length.into(),
            });
        }
        Ok(Self {
            kind,
            status,
            length,
            spid: u16::from_be_bytes([spid_high, spid_low]),
            packet_id,
        })
    }

    /// Writes a header.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let [high, low] = self.length.to_be_bytes();
        let [spid_high, spid_low] = self.spid.to_be_bytes();
        [
            self.kind.code(),
            self.status,
            high,
            low,
            spid_high,
            spid_low,
            self.packet_id,
            0,
        ]
    }

    /// Whether this is the last packet of its message.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.status & STATUS_END_OF_MESSAGE != 0
    }

    /// The reset that it asks for.
    #[must_use]
    pub fn reset(&self) -> ResetConnection {
        if self.status & STATUS_RESET_KEEP_TRANSACTION != 0 {
            ResetConnection::KeepTransaction
        } else if self.status & STATUS_RESET != 0 {
            ResetConnection::Full
        } else {
            ResetConnection::No
        }
    }
}

/// What a request asks of the session before it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetConnection {
    /// Nothing.
    No,
    /// Back to the state after login; an open transaction is rolled back.
    Full,
    /// Back to the state after login; an open transaction stays.
    KeepTransaction,
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: PacketType,
    /// Reset asked in its first packet.
    pub reset: ResetConnection,
    /// The sender gave the message up: it must be ignored.
    pub ignore: bool,
    /// Contents of all packets.
    pub payload: Vec<u8>,
}

/// What a reader finds that does not assemble bulk loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A whole message of any other type.
    Message(Message),
    /// One packet of a bulk load.
    Bulk(BulkPart),
}

/// One packet of a bulk load, which may be longer than memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkPart {
    /// Reset asked in it; of meaning in the first packet alone.
    pub reset: ResetConnection,
    /// It is the last one.
    pub last: bool,
    /// The sender gave the load up: it must be ignored.
    pub ignore: bool,
    /// Its contents.
    pub payload: Vec<u8>,
}

/// One packet, borrowed from its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Its header.
    pub header: PacketHeader,
    /// Its contents.
    pub payload: &'a [u8],
}

/// Finds packets in bytes that arrive in any pieces.
#[derive(Debug, Default)]
pub struct PacketReader {
    buffer: Vec<u8>,
    // Invariant: start ≤ buffer.len(); bytes before it are used up.
    start: usize,
}

impl PacketReader {
    /// An empty reader.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes from the peer. The caller takes all whole packets before it feeds again, so the buffer
    /// holds one packet and one read at most.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole packet, when it is there.
    ///
    /// # Errors
    /// As [`PacketHeader::decode`]; the connection is then beyond use.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, TdsError> {
        let unread = self.buffer.get(self.start..).unwrap_or_default();
        let Some(header) = unread.first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let header = PacketHeader::decode(*header)?;
        let Some(payload) = unread.get(HEADER_BYTES..usize::from(header.length)) else {
            return Ok(None);
        };
        self.start += usize::from(header.length);
        Ok(Some(Packet { header, payload }))
    }

    /// Bytes that belong to no packet yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The first byte that belongs to no packet yet: the next packet's type.
    #[must_use]
    pub fn first_byte(&self) -> Option<u8> {
        self.buffer.get(self.start).copied()
    }

    /// Hands back the bytes that were fed and not used.
    #[must_use]
    pub fn into_remaining(mut self) -> Vec<u8> {
        self.buffer.drain(..self.start);
        self.buffer
    }
}

/// Assembles messages from bytes, under a bound.
#[derive(Debug)]
pub struct MessageReader {
    packets: PacketReader,
    open: Option<Message>,
    // A bulk load has begun and not ended. Invariant: then `open` is `None`.
    inside_bulk: bool,
    limit: usize,
}

impl MessageReader {
    /// A reader of messages up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            packets: PacketReader::new(),
            open: None,
            inside_bulk: false,
            limit,
        }
    }

    /// Sets another bound, as after login.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Adds bytes from the peer; take all messages before feeding again.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.packets.feed(bytes);
    }

    /// The next whole message, when it is there.
    ///
    /// # Errors
    /// A bad header, a packet of another type inside a message, or a message above the bound: the
    /// connection is then beyond use.
    pub fn next_message(&mut self) -> Result<Option<Message>, TdsError> {
        while let Some(Packet { header, payload }) = self.packets.next_packet()? {
            let whole = Self::assemble(&mut self.open, self.limit, header, payload)?;
            if whole.is_some() {
                return Ok(whole);
            }
        }
        Ok(None)
    }

    /// The next whole message, or the next packet of a bulk load. An attention inside a bulk load ends it.
    ///
    /// # Errors
    /// As [`MessageReader::next_message`].
    pub fn next_incoming(&mut self) -> Result<Option<Incoming>, TdsError> {
        while let Some(Packet { header, payload }) = self.packets.next_packet()? {
            if self.open.is_none() && header.kind == PacketType::BulkLoad {
                self.inside_bulk = !header.is_last();
                return Ok(Some(Incoming::Bulk(BulkPart {
                    reset: header.reset(),
                    last: header.is_last(),
                    ignore: header.is_last() && header.status & STATUS_IGNORE != 0,
                    payload: payload.to_vec(),
                })));
            }
            if self.inside_bulk && header.kind != PacketType::Attention {
                return Err(TdsError::PacketOutOfTurn {
                    open: PacketType::BulkLoad.code(),
                    found: header.kind.code(),
                });
            }
            self.inside_bulk = false;
            if let Some(message) = Self::assemble(&mut self.open, self.limit, header, payload)? {
                return Ok(Some(Incoming::Message(message)));
            }
        }
        Ok(None)
    }

    fn assemble(
        open: &mut Option<Message>,
        limit: usize,
        header: PacketHeader,
        payload: &[u8],
    ) -> Result<Option<Message>, TdsError> {
        let message = match open {
            Some(message) if message.kind != header.kind => {
                return Err(TdsError::PacketOutOfTurn {
                    open: message.kind.code(),
                    found: header.kind.code(),
                });
            }
            Some(message) => message,
            None => open.insert(Message {
                kind: header.kind,
                reset: header.reset(),
                ignore: false,
                payload: Vec::new(),
            }),
        };
        if message.payload.len() + payload.len() > limit {
            return Err(TdsError::MessageTooLong { limit });
        }
        message.payload.extend_from_slice(payload);
        if header.is_last() {
            message.ignore = header.status & STATUS_IGNORE != 0;
            return Ok(open.take());
        }
        Ok(None)
    }

    /// Whether a message has begun and not ended.
    #[must_use]
    pub fn is_inside_message(&self) -> bool {
        self.open.is_some() || self.inside_bulk || self.packets.buffered() > 0
    }

    /// Hands back the bytes that were fed and not used.
    #[must_use]
    pub fn into_remaining(self) -> Vec<u8> {
        self.packets.into_remaining()
    }
}

/// Splits a message into packets while it is being written.
#[derive(Debug)]
pub struct MessageWriter {
    kind: PacketType,
    spid: u16,
    packet_size: usize,
    next_id: u8,
    first_status: u8,
    pending: Vec<u8>,
    // Bytes of `pending` that are already in packets.
    sent: usize,
}

impl MessageWriter {
    /// A message of packets of `packet_size` bytes, header included (512..=32767, else the nearest).
    #[must_use]
    pub fn new(kind: PacketType, packet_size: u16, spid: u16) -> Self {
        Self {
            kind,
            spid,
            packet_size: usize::from(packet_size.clamp(PACKET_BYTES_MIN, PACKET_BYTES_MAX)),
            next_id: 1,
            first_status: 0,
            pending: Vec::new(),
            sent: 0,
        }
    }

    /// Asks for a reset of the session in the first packet.
    #[must_use]
    pub fn with_reset(mut self, reset: ResetConnection) -> Self {
        self.first_status = match reset {
            ResetConnection::No => 0,
            ResetConnection::Full => STATUS_RESET,
            ResetConnection::KeepTransaction => STATUS_RESET_KEEP_TRANSACTION,
        };
        self
    }

    /// Appends contents.
    pub fn write(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Bytes that are in no packet yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len() - self.sent
    }

    /// Moves every packet that is full, and not the message's last, to `out`.
    pub fn take_full_packets(&mut self, out: &mut Vec<u8>) {
        let room = self.packet_size - HEADER_BYTES;
        while self.pending() > room {
            self.packet(out, room, 0);
        }
        self.pending.drain(..self.sent);
        self.sent = 0;
    }

    /// Moves all the rest to `out` without ending the message, so that a reader is not kept waiting.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        self.take_full_packets(out);
        if self.pending() > 0 {
            self.packet(out, self.pending(), 0);
        }
        self.pending.clear();
        self.sent = 0;
    }

    /// Ends the message: moves the rest to `out`, the last packet marked so.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.take_full_packets(out);
        self.packet(out, self.pending(), STATUS_END_OF_MESSAGE);
    }

    fn packet(&mut self, out: &mut Vec<u8>, length: usize, status: u8) {
        let header = PacketHeader {
            kind: self.kind,
            status: status | std::mem::take(&mut self.first_status),
            length: u16::try_from(HEADER_BYTES + length)
                .expect("packet_size is at most PACKET_BYTES_MAX"),
            spid: self.spid,
            packet_id: self.next_id,
        };
        self.next_id = self.next_id.wrapping_add(1);
        out.put(&header.encode());
        out.put(
            self.pending
                .get(self.sent..self.sent + length)
                .expect("length is at most pending()"),
        );
        self.sent += length;
    }
}

/// A whole message as packets.
#[must_use]
pub fn packets(kind: PacketType, packet_size: u16, spid: u16, payload: &[u8]) -> Vec<u8> {
    let mut writer = MessageWriter::new(kind, packet_size, spid);
    let mut out = Vec::with_capacity(payload.len() + HEADER_BYTES);
    writer.write(payload);
    writer.finish(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_header_is_laid_out_as_the_specification_says() {
        let bytes = [0x10, 0x01, 0x00, 0xA8, 0x00, 0x34, 0x01, 0x00];
        let header = PacketHeader::decode(bytes).unwrap();
        assert_eq!(
            header,
            PacketHeader {
                kind: PacketType::Login7,
                status: 1,
                length: 168,
                spid: 52,
                packet_id: 1
            }
        );
        assert!(header.is_last());
        assert_eq!(header.encode(), bytes);
    }

    #[test]
    fn bad_headers_are_refused() {
        let check = |bytes: [u8; 8], expected: TdsError| {
            let mut reader = MessageReader::new(100);
            reader.feed(&bytes);
            assert_eq!(reader.next_message(), Err(expected));
        };
        let length = |value| TdsError::Invalid {
            what: "packet length",
            value,
        };
        check(
            [0x55, 1, 0, 8, 0, 0, 0, 0],
            TdsError::UnknownPacketType(0x55),
        );
        check([0x01, 1, 0, 7, 0, 0, 0, 0], length(7));
        check([0x01, 1, 0x80, 0, 0, 0, 0, 0], length(0x8000));
    }

    #[test]
    fn a_message_above_its_bound_is_refused() {
        let mut reader = MessageReader::new(1000);
        reader.feed(&packets(PacketType::SqlBatch, 512, 0, &[0; 1001]));
        assert_eq!(
            reader.next_message(),
            Err(TdsError::MessageTooLong { limit: 1000 })
        );
    }

    #[test]
    fn another_type_inside_a_message_is_refused() {
        let mut reader = MessageReader::new(1000);
        reader.feed(&[1, 0, 0, 9, 0, 0, 1, 0, b'a', 3, 1, 0, 8, 0, 0, 2, 0]);
        assert_eq!(
            reader.next_message(),
            Err(TdsError::PacketOutOfTurn { open: 1, found: 3 })
        );
    }

    #[test]
    fn bulk_loads_come_packet_by_packet() {
        let mut reader = MessageReader::new(4);
        let part = |payload: &[u8], last, ignore| {
            Incoming::Bulk(BulkPart {
                reset: ResetConnection::No,
                last,
                ignore,
                payload: payload.to_vec(),
            })
        };
        // Longer than the bound on messages.
        reader.feed(&[7, 0, 0, 12, 0, 0, 1, 0, b'a', b'b', b'c', b'd']);
        reader.feed(&[7, 1, 0, 11, 0, 0, 2, 0, b'e', b'f', b'g']);
        let mut next = || reader.next_incoming().unwrap();
        assert_eq!(next(), Some(part(b"abcd", false, false)));
        assert_eq!(next(), Some(part(b"efg", true, false)));
        assert_eq!(next(), None);
        assert!(!reader.is_inside_message());
        reader.feed(&[7, 0, 0, 9, 0, 0, 1, 0, b'a', 7, 3, 0, 8, 0, 0, 2, 0]);
        assert_eq!(
            reader.next_incoming().unwrap(),
            Some(part(b"a", false, false))
        );
        assert!(reader.is_inside_message());
        assert_eq!(reader.next_incoming().unwrap(), Some(part(b"", true, true)));
        // An attention may stand in the place of the rest; nothing else may.
        reader.feed(&[7, 0, 0, 8, 0, 0, 1, 0, 6, 1, 0, 8, 0, 0, 1, 0]);
        reader.next_incoming().unwrap();
        assert!(matches!(
            reader.next_incoming().unwrap(),
            Some(Incoming::Message(Message {
                kind: PacketType::Attention,
                ..
            }))
        ));
        assert!(!reader.is_inside_message());
        reader.feed(&[7, 0, 0, 8, 0, 0, 1, 0, 1, 1, 0, 8, 0, 0, 1, 0]);
        reader.next_incoming().unwrap();
        assert_eq!(
            reader.next_incoming(),
            Err(TdsError::PacketOutOfTurn { open: 7, found: 1 })
        );
    }

    #[test]
    fn reset_and_ignore_flags_are_seen() {
        let check = |status: u8, reset, ignore| {
            let mut reader = MessageReader::new(1000);
            reader.feed(&[1, status, 0, 8, 0, 0, 1, 0]);
            let message = reader.next_message().unwrap().unwrap();
            assert_eq!((message.reset, message.ignore), (reset, ignore));
        };
        check(0x01, ResetConnection::No, false);
        check(0x09, ResetConnection::Full, false);
        check(0x11, ResetConnection::KeepTransaction, false);
        check(0x03, ResetConnection::No, true);
    }

    #[test]
    fn flushing_keeps_the_message_open() {
        let mut writer = MessageWriter::new(PacketType::TabularResult, 512, 7);
        let mut out = Vec::new();
        writer.write(b"abc");
        writer.take_full_packets(&mut out);
        assert!(out.is_empty());
        writer.flush(&mut out);
        assert_eq!(out, [4, 0, 0, 11, 0, 7, 1, 0, b'a', b'b', b'c']);
        out.clear();
        writer.finish(&mut out);
        assert_eq!(out, [4, 1, 0, 8, 0, 7, 2, 0]);
    }

    proptest! {
        #[test]
        fn messages_survive_any_packet_size_and_any_pieces(
            payload in proptest::collection::vec(any::<u8>(), 0..5000),
            packet_size in 0u16..40_000,
            piece in 1usize..700,
        ) {
            let bytes = packets(PacketType::Rpc, packet_size, 51, &payload);
            let mut reader = MessageReader::new(5000);
            let mut found = Vec::new();
            for part in bytes.chunks(piece) {
                reader.feed(part);
                while let Some(message) = reader.next_message().unwrap() {
                    found.push(message);
                }
            }
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0].payload, &payload);
            prop_assert!(!reader.is_inside_message());
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut reader = MessageReader::new(1000);
            reader.feed(&bytes);
            while let Ok(Some(_)) = reader.next_message() {}
        }
    }
}
