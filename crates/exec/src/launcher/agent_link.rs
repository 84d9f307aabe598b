//! The launcher's end of the connection to the agent.

use crate::error::ExecError;
use crate::wire::{self, Event, FrameBuffer, Request};
use rustix::event::epoll::EventFlags;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

/// Unsent bytes beyond which live output is left out and no request is read.
const UNSENT_BYTES_MAX: usize = 1024 * 1024;
/// Bytes read from the agent at once.
const READ_BYTES: usize = 32 * 1024;

/// A connected agent.
#[derive(Debug)]
pub(super) struct AgentLink {
    pub(super) stream: UnixStream,
    /// Its number with epoll.
    pub(super) token: u64,
    received: FrameBuffer,
    unsent: Vec<u8>,
    sent: usize,
    /// Whether it said hello; nothing is told to it before.
    pub(super) greeted: bool,
    /// What epoll watches for at present.
    pub(super) interest: EventFlags,
}

impl AgentLink {
    pub(super) fn new(stream: UnixStream, token: u64) -> Self {
        Self {
            stream,
            token,
            received: FrameBuffer::default(),
            unsent: Vec::new(),
            sent: 0,
            greeted: false,
            interest: EventFlags::IN,
        }
    }

    /// Reads what has arrived, once. `false`: the agent is gone.
    pub(super) fn receive(&mut self) -> io::Result<bool> {
        let mut bytes = [0u8; READ_BYTES];
        match self.stream.read(&mut bytes) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.received.extend(&bytes[..count]);
                Ok(true)
            }
            Err(error) if would_block(&error) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The next request, unless too much is unsent.
    ///
    /// # Errors
    /// A frame that makes no sense.
    pub(super) fn next(&mut self) -> Result<Option<(Request, Vec<u8>)>, ExecError> {
        if self.is_congested() {
            return Ok(None);
        }
        self.received.next()
    }

    /// Whether so much is unsent that what can be left out should be.
    pub(super) fn is_congested(&self) -> bool {
        self.unsent.len() - self.sent > UNSENT_BYTES_MAX
    }

    /// Queues an event.
    pub(super) fn tell(&mut self, event: &Event, payload: &[u8]) {
        if let Err(error) = wire::encode(&mut self.unsent, event, payload) {
            eprintln!("launcher: {error}");
        }
    }

    /// Sends what the socket takes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.unsent.len() {
            match self.stream.write(&self.unsent[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(error) if would_block(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.unsent.clear();
        self.unsent.shrink_to(16 * 1024);
        self.sent = 0;
        Ok(())
    }

    /// Whether everything was sent.
    pub(super) fn is_flushed(&self) -> bool {
        self.unsent.is_empty()
    }

    /// What epoll has to watch for.
    pub(super) fn wanted(&self) -> EventFlags {
        let mut flags = EventFlags::empty();
        if !self.is_congested() {
            flags |= EventFlags::IN;
        }
        if !self.is_flushed() {
            flags |= EventFlags::OUT;
        }
        flags
    }
}

pub(super) fn would_block(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}
