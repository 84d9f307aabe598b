//! Bytes on their way out of a connection.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// Room that an empty buffer keeps: most messages are small, and there may be 100,000 idle connections.
const IDLE_BYTES_MAX: usize = 1024;

/// Bytes that wait to be written and flushed.
///
/// What was written is remembered here and not in a future, so that [`Outgoing::send`] may be dropped at
/// any point (a `select!` does) and no byte goes out twice.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    // Invariant: at most `bytes.len()`.
    written: usize,
    unflushed: bool,
}

impl Outgoing {
    /// Adds bytes at the end.
    pub(crate) fn push(&mut self, mut bytes: Vec<u8>) {
        if self.bytes.is_empty() {
            self.bytes = bytes;
        } else {
            self.bytes.append(&mut bytes);
        }
    }

    /// How many bytes are not written yet.
    pub(crate) fn waiting(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// Whether everything is written and flushed.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting() == 0 && !self.unflushed
    }

    /// Forgets what is left: the connection it was meant for is gone.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Completes once everything is written and flushed; pends while there is nothing to send.
    ///
    /// # Errors
    /// What the connection says.
    pub(crate) async fn send<W: AsyncWrite + Unpin>(&mut self, writer: &mut W) -> io::Result<()> {
        poll_fn(|context| self.poll_send(context, writer)).await
    }

    fn poll_send<W: AsyncWrite + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        writer: &mut W,
    ) -> Poll<io::Result<()>> {
        while self.waiting() > 0 {
            let rest = &self.bytes[self.written..];
            let written = ready!(Pin::new(&mut *writer).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
            self.unflushed = true;
        }
        self.written = 0;
        self.bytes.clear();
        if self.bytes.capacity() > IDLE_BYTES_MAX {
            self.bytes = Vec::new();
        }
        if !self.unflushed {
            return Poll::Pending;
        }
        ready!(Pin::new(writer).poll_flush(context))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future as _;
    use std::task::Waker;

    /// Takes a few bytes at a time, and holds each back before it takes or flushes more.
    #[derive(Default)]
    struct Slow {
        taken: Vec<u8>,
        flushed: usize,
        ready: bool,
    }

    impl AsyncWrite for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if !std::mem::replace(&mut self.ready, false) {
                return Poll::Pending;
            }
            let count = bytes.len().min(3);
            self.taken.extend_from_slice(&bytes[..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if !std::mem::replace(&mut self.ready, false) {
                return Poll::Pending;
            }
            self.flushed = self.taken.len();
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn a_send_that_is_dropped_at_every_point_sends_each_byte_once() {
        let mut outgoing = Outgoing::default();
        let mut writer = Slow::default();
        let message: Vec<u8> = (0..=255).collect();
        outgoing.push(message[..100].to_vec());
        outgoing.push(message[100..].to_vec());
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..1_000 {
            writer.ready = true;
            // Polled once and dropped, as a `select!` does when another branch is ready.
            let mut send = Box::pin(outgoing.send(&mut writer));
            if let Poll::Ready(sent) = send.as_mut().poll(&mut context) {
                sent.unwrap();
                break;
            }
        }
        assert!(outgoing.is_empty());
        assert_eq!(writer.taken, message);
        assert_eq!(writer.flushed, message.len());
    }
}
