//! Enlistment, both ends: the master's desk and the target's application.

pub mod apply;
pub mod desk;
mod used_token;

use fleet::frame::{FrameReader, encode_frames};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Bytes read at once.
const READ_BYTES: usize = 8 * 1024;

/// Reads one message of at most `bytes_max` bytes.
///
/// # Errors
/// What the connection says; `InvalidData` for frames that are too long, `UnexpectedEof` for a short one.
async fn read_message<S: AsyncRead + Unpin>(
    stream: &mut S,
    bytes_max: usize,
) -> io::Result<Vec<u8>> {
    let mut reader = FrameReader::new(bytes_max);
    let mut chunk = [0u8; READ_BYTES];
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
}

/// Writes one message.
async fn write_message<S: AsyncWrite + Unpin>(stream: &mut S, body: &[u8]) -> io::Result<()> {
    stream.write_all(&encode_frames(body)).await?;
    stream.flush().await
}
