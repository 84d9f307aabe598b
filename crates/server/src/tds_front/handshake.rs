//! TLS inside PRELOGIN packets: a stream that packs the handshake and lets everything after it through.
//!
//! Source: MS-TDS, "PRELOGIN": TLS records of the handshake travel in packets of type 0x12; from the login
//! packet on, TDS packets travel in TLS records. In a handshake that resumes a session the client speaks last, so its
//! first bare record may come before this end knows that the handshake is over.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tds::packet::{PACKET_BYTES_DEFAULT, PacketReader, PacketType, packets};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const READ_BYTES: usize = 4 * 1024;
/// Types of TLS records: no TDS packet begins so. Source: RFC 5246, section 6.2.1.
const TLS_RECORD_TYPES: std::ops::RangeInclusive<u8> = 20..=23;

/// A stream under TLS, packing TLS records into PRELOGIN packets until [`HandshakeStream::let_through`].
#[derive(Debug)]
pub(super) struct HandshakeStream<S> {
    inner: S,
    packing: bool,
    // The peer packs; ends with its first bare record, or when `packing` ends.
    unpacking: bool,
    // Bytes of the peer that are unpacked and not read yet; first thing read even when not packing.
    unread: Vec<u8>,
    unread_at: usize,
    incoming: PacketReader,
    // TLS bytes that are not in a packet yet.
    record: Vec<u8>,
    // Packets that are not written yet.
    outgoing: Vec<u8>,
    outgoing_at: usize,
}

impl<S> HandshakeStream<S> {
    /// Packs from the start. `early` are bytes of the peer that were read already.
    pub(super) fn new(inner: S, early: &[u8]) -> Self {
        let mut incoming = PacketReader::new();
        incoming.feed(early);
        Self {
            inner,
            packing: true,
            unpacking: true,
            unread: Vec::new(),
            unread_at: 0,
            incoming,
            record: Vec::new(),
            outgoing: Vec::new(),
            outgoing_at: 0,
        }
    }

    /// From now on bytes pass as they are.
    pub(super) fn let_through(&mut self) {
        self.packing = false;
        self.stop_unpacking();
    }

    fn stop_unpacking(&mut self) {
        self.unpacking = false;
        let early = std::mem::take(&mut self.incoming).into_remaining();
        self.unread.drain(..self.unread_at);
        self.unread_at = 0;
        self.unread.extend(early);
    }

    /// The stream within.
    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    fn take_unread(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let rest = self.unread.get(self.unread_at..).unwrap_or_default();
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(rest.get(..count).unwrap_or_default());
        self.unread_at += count;
        if self.unread_at == self.unread.len() {
            self.unread.clear();
            self.unread_at = 0;
        }
        count > 0
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> HandshakeStream<S> {
    fn poll_packed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.record.is_empty() {
            let record = std::mem::take(&mut self.record);
            self.outgoing.extend(packets(
                PacketType::PreLogin,
                PACKET_BYTES_DEFAULT,
                0,
                &record,
            ));
        }
        while let Some(rest) = self.outgoing.get(self.outgoing_at..)
            && !rest.is_empty()
        {
            let count = ready!(Pin::new(&mut self.inner).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing_at += count;
        }
        self.outgoing.clear();
        self.outgoing_at = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for HandshakeStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() == 0 || this.take_unread(buffer) {
            return Poll::Ready(Ok(()));
        }
        // The peer answers only what has reached it.
        if this.packing && this.poll_packed(cx)?.is_ready() {
            let _pending = Pin::new(&mut this.inner).poll_flush(cx)?;
        }
        loop {
            let next = this.incoming.first_byte();
            if next.is_some_and(|first| TLS_RECORD_TYPES.contains(&first)) {
                this.stop_unpacking();
            }
            if !this.unpacking {
                if this.take_unread(buffer) {
                    return Poll::Ready(Ok(()));
                }
                return Pin::new(&mut this.inner).poll_read(cx, buffer);
            }
            let packet = this
                .incoming
                .next_packet()
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if let Some(packet) = packet {
                if packet.header.kind != PacketType::PreLogin {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "a packet of another type inside the TLS handshake",
                    )));
                }
                this.unread.extend_from_slice(packet.payload);
                if this.take_unread(buffer) {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            let mut bytes = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.incoming.feed(read.filled());
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for HandshakeStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.packing {
            this.record.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(this.poll_packed(cx))?;
        Pin::new(&mut this.inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_packed(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_packed(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

/// A connection's bytes, with or without TLS inside the stream.
pub(super) enum Transport<S, T> {
    /// As they are.
    Plain(S),
    /// Inside TLS.
    Tls(Box<T>),
}

impl<S, T> AsyncRead for Transport<S, T>
where
    S: AsyncRead + Unpin,
    T: AsyncRead + Unpin,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl<S, T> AsyncWrite for Transport<S, T>
where
    S: AsyncWrite + Unpin,
    T: AsyncWrite + Unpin,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
