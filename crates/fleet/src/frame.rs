//! Frames: a length of four bytes and a body.
//!
//! The length is big-endian. Its top bit says that the message goes on in the next frame, so that a large
//! job document needs no large frame. Frames of two messages never mix.

use crate::error::{ProtocolError, Result};
use crate::limits::FRAME_BYTES_MAX;

const HEADER_BYTES: usize = 4;
const CONTINUES: u32 = 1 << 31;

/// `body` as frames, ready to be written.
///
/// # Panics
/// Never: a chunk is at most [`FRAME_BYTES_MAX`] long.
#[must_use]
pub fn encode_frames(body: &[u8]) -> Vec<u8> {
    let frames = body.len().div_ceil(FRAME_BYTES_MAX).max(1);
    let mut bytes = Vec::with_capacity(body.len() + frames * HEADER_BYTES);
    let mut rest = body;
    loop {
        let (chunk, after) = rest.split_at(rest.len().min(FRAME_BYTES_MAX));
        let length = u32::try_from(chunk.len()).expect("a chunk is at most FRAME_BYTES_MAX");
        let flag = if after.is_empty() { 0 } else { CONTINUES };
        bytes.extend_from_slice(&(length | flag).to_be_bytes());
        bytes.extend_from_slice(chunk);
        rest = after;
        if rest.is_empty() {
            return bytes;
        }
    }
}

/// Turns bytes as they arrive into message bodies.
///
/// Holds at most one unfinished message, never more than the limit set.
#[derive(Debug)]
pub struct FrameReader {
    message_bytes_max: usize,
    header: [u8; HEADER_BYTES],
    header_len: usize,
    // Invariant: bytes still to come of the frame whose header is complete.
    frame_rest: usize,
    continues: bool,
    in_frame: bool,
    // Invariant: body.len() + frame_rest <= message_bytes_max.
    body: Vec<u8>,
}

impl FrameReader {
    /// A reader that takes messages of at most so many bytes.
    #[must_use]
    pub const fn new(message_bytes_max: usize) -> Self {
        Self {
            message_bytes_max,
            header: [0; HEADER_BYTES],
            header_len: 0,
            frame_rest: 0,
            continues: false,
            in_frame: false,
            body: Vec::new(),
        }
    }

    /// Changes the limit, for messages whose frames are still to come.
    pub const fn set_message_bytes_max(&mut self, bytes: usize) {
        self.message_bytes_max = bytes;
    }

    /// Takes bytes from the front of `input` until a message is complete or the input is used up.
    /// Call again while it returns a body.
    ///
    /// # Errors
    /// A frame or message that is too long. The connection can't be read further.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>> {
        loop {
            if !self.in_frame {
                let take = (HEADER_BYTES - self.header_len).min(input.len());
                let (head, rest) = input.split_at(take);
                self.header[self.header_len..self.header_len + take].copy_from_slice(head);
                self.header_len += take;
                *input = rest;
                if self.header_len < HEADER_BYTES {
                    return Ok(None);
                }
                self.begin_frame(u32::from_be_bytes(self.header))?;
            }
            let take = self.frame_rest.min(input.len());
            let (part, rest) = input.split_at(take);
            self.body.extend_from_slice(part);
            self.frame_rest -= take;
            *input = rest;
            if self.frame_rest > 0 {
                return Ok(None);
            }
            self.in_frame = false;
            self.header_len = 0;
            if !self.continues {
                return Ok(Some(std::mem::take(&mut self.body)));
            }
        }
    }

    fn begin_frame(&mut self, header: u32) -> Result<()> {
        let bytes = usize::try_from(header & !CONTINUES).unwrap_or(usize::MAX);
        if bytes > FRAME_BYTES_MAX {
            return Err(ProtocolError::FrameTooLong {
                bytes,
                max: FRAME_BYTES_MAX,
            });
        }
        self.continues = header & CONTINUES != 0;
        // A frame of nothing that continues could go on for ever.
        let endless = bytes == 0 && self.continues;
        if endless || self.body.len() + bytes > self.message_bytes_max {
            return Err(ProtocolError::MessageTooLong {
                max: self.message_bytes_max,
            });
        }
        self.frame_rest = bytes;
        self.in_frame = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_in_pieces(bytes: &[u8], piece: usize, max: usize) -> Result<Vec<Vec<u8>>> {
        let mut reader = FrameReader::new(max);
        let mut bodies = Vec::new();
        for mut chunk in bytes.chunks(piece) {
            while let Some(body) = reader.read(&mut chunk)? {
                bodies.push(body);
            }
        }
        Ok(bodies)
    }

    #[test]
    fn long_messages_take_several_frames() {
        let body = vec![7u8; FRAME_BYTES_MAX * 2 + 3];
        let bytes = encode_frames(&body);
        assert_eq!(bytes.len(), body.len() + 3 * HEADER_BYTES);
        assert_eq!(
            read_in_pieces(&bytes, 65_537, body.len()).unwrap(),
            std::slice::from_ref(&body)
        );
        assert_eq!(
            read_in_pieces(&bytes, 65_537, body.len() - 1),
            Err(ProtocolError::MessageTooLong {
                max: body.len() - 1
            })
        );
    }

    #[test]
    fn headers_out_of_bounds() {
        for (header, ok) in [
            (0u32, true),
            (CONTINUES, false),
            (0x0010_0000, true),
            (0x0010_0001, false),
            (0x7fff_ffff, false),
            (0xffff_ffff, false),
        ] {
            let read = read_in_pieces(&header.to_be_bytes(), 4, FRAME_BYTES_MAX);
            assert_eq!(read.is_ok(), ok, "{header:#x}");
        }
    }

    proptest! {
        #[test]
        fn split_reads(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5), piece in 1usize..40) {
            let bytes: Vec<u8> = bodies.iter().flat_map(|body| encode_frames(body)).collect();
            prop_assert_eq!(read_in_pieces(&bytes, piece, 1_000).unwrap(), bodies);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..2_000), piece in 1usize..64) {
            if let Ok(bodies) = read_in_pieces(&bytes, piece, 4_096) {
                prop_assert!(bodies.iter().all(|body| body.len() <= 4_096));
            }
        }
    }
}
