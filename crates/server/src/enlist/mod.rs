//! Enlistment, both ends: the master's desk and the target's application.

pub mod apply;
pub mod desk;
mod used_token;

use fleet::frame::FrameReader;
use std::io;
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes read at once.
const READ_BYTES: usize = 8 * 1024;

/// Reads the one message that a machine waits for, of at most `bytes_max` bytes, until `deadline`.
///
/// # Errors
/// What the connection says; `InvalidData` for frames that are too long, `UnexpectedEof` for a short one,
/// `TimedOut`.
async fn read_message<S: AsyncRead + Unpin>(
    stream: &mut S,
    bytes_max: usize,
    deadline: Instant,
) -> io::Result<Vec<u8>> {
    let mut reader = FrameReader::new(bytes_max);
    let mut chunk = [0u8; READ_BYTES];
    let read = async {
        loop {
            let read = stream.read(&mut chunk).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let body = reader
                .read(&mut &chunk[..read])
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if let Some(body) = body {
                return Ok(body);
            }
        }
    };
    tokio::time::timeout_at(deadline.into(), read)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Writes what a machine has to say.
async fn write_frames<S: AsyncWrite + Unpin>(stream: &mut S, frames: &[u8]) -> io::Result<()> {
    stream.write_all(frames).await?;
    stream.flush().await
}
