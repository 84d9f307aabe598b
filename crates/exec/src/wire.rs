//! What agent and launcher say to each other over the socket.
//!
//! A frame is a length, the length of its head, the head as JSON and a payload of plain bytes: command
//! text and output need no escaping. `Hello` and `Shutdown` keep their shape in every version,
//! so that a newer agent can part from an older launcher.

use crate::capture::Stored;
use crate::error::ExecError;
use crate::output_file::OutputFile;
use crate::step::{Program, StepCommand, StepEnd, StepKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Version of this protocol.
pub(crate) const PROTOCOL: u32 = 1;
/// Longest frame after its length, in bytes: the longest command and room for its environment.
pub(crate) const FRAME_BYTES_MAX: usize = model::job::STEP_COMMAND_BYTES_MAX + 512 * 1024;
/// Bytes of the two lengths.
const PREFIX_BYTES: usize = 8;

/// What the agent asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Request {
    /// First message.
    Hello { protocol: u32 },
    /// Start a step; the payload is the shell text where there is no `argv`.
    Start(StepHead),
    /// Get a process ready that this step may need soon. Nothing of it runs before `Start`, and without one
    /// nothing ever does. Only for launchers whose hello says that they can.
    Prepare(StepHead),
    /// SIGTERM to the step's group, SIGKILL after the grace.
    Stop { key: Key, grace_ms: u64 },
    /// Tell output as it appears, or stop telling it.
    Follow { key: Key, on: bool },
    /// Tell all steps, then `Listed`.
    List,
    /// Forget an ended step and its output.
    Collect { key: Key },
    /// The agent has dealt with everything an earlier journal may have known.
    Confirm,
    /// End, once nothing runs; with `stop`, stop what runs.
    Shutdown { stop: bool, grace_ms: u64 },
}

/// A step without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepHead {
    pub(crate) key: Key,
    pub(crate) argv: Option<Vec<String>>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: String,
    pub(crate) limit: u32,
    pub(crate) file: Option<(String, bool)>,
    pub(crate) follow: bool,
}

impl StepHead {
    /// The head of a command; its text goes beside it.
    ///
    /// # Errors
    /// [`ExecError::Message`] for a path that is not UTF-8.
    pub(crate) fn of(command: &StepCommand) -> Result<(Self, &str), ExecError> {
        let path = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .ok_or_else(|| ExecError::Message {
                    what: format!("with a path that is not UTF-8: {}", path.display()),
                })
        };
        let (argv, text) = match &command.program {
            Program::Shell(text) => (None, text.as_str()),
            Program::Argv(words) => (Some(words.clone()), ""),
        };
        let head = Self {
            key: Key(command.key),
            argv,
            env: command.env.clone(),
            cwd: path(&command.cwd)?,
            limit: command.output_limit_bytes,
            file: command
                .output_file
                .as_ref()
                .map(|file| Ok::<_, ExecError>((path(&file.path)?, file.append)))
                .transpose()?,
            follow: command.follow,
        };
        Ok((head, text))
    }

    /// The command with this text.
    pub(crate) fn command(self, text: &[u8]) -> StepCommand {
        StepCommand {
            key: self.key.0,
            program: self.argv.map_or_else(
                || Program::Shell(String::from_utf8_lossy(text).into_owned()),
                Program::Argv,
            ),
            env: self.env,
            cwd: self.cwd.into(),
            output_limit_bytes: self.limit,
            output_file: self.file.map(|(path, append)| OutputFile {
                path: path.into(),
                append,
            }),
            follow: self.follow,
        }
    }
}

/// What the launcher tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// Answer to `Hello`.
    Hello {
        protocol: u32,
        pid: u32,
        complete: bool,
        /// Whether it takes `Prepare`; earlier ones do not say.
        #[serde(default)]
        prepares: bool,
    },
    /// The step runs; answers `Start` and `List`.
    Running { key: Key, pid: u32, orphan: bool },
    /// Output, the payload, from this byte of the stream on. Gaps are possible.
    Output { key: Key, offset: u64 },
    /// The step ended; the payload is its output where `spilled` is false.
    Ended(EndedHead),
    /// Every step was told.
    Listed,
}

/// An end without its payload; the journal has the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndedHead {
    pub(crate) key: Key,
    pub(crate) end: End,
    pub(crate) stopped: bool,
    pub(crate) elapsed_ms: Option<u64>,
    pub(crate) limit: u32,
    pub(crate) total: u64,
    pub(crate) lost: bool,
    pub(crate) spilled: bool,
    pub(crate) note: Option<String>,
}

impl EndedHead {
    /// The output with this payload.
    pub(crate) fn stored(&self, payload: Vec<u8>) -> Stored {
        Stored {
            limit_bytes: self.limit,
            total_bytes: self.total,
            lost: self.lost,
            inline: (!self.spilled).then_some(payload),
        }
    }
}

/// [`StepEnd`] as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum End {
    Exited(i32),
    Signaled(i32),
    NotStarted(String),
    Unknown,
}

impl From<End> for StepEnd {
    fn from(end: End) -> Self {
        match end {
            End::Exited(code) => Self::Exited(code),
            End::Signaled(signal) => Self::Signaled(signal),
            End::NotStarted(reason) => Self::NotStarted(reason),
            End::Unknown => Self::Unknown,
        }
    }
}

/// [`StepKey`] as its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Key(pub(crate) StepKey);

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0.to_string()
    }
}

impl TryFrom<String> for Key {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        StepKey::parse(&text).map(Self).ok_or("not a step key")
    }
}

/// Appends a frame to `out`.
///
/// # Errors
/// [`ExecError::Message`] when it is longer than [`FRAME_BYTES_MAX`]; `out` is then unchanged.
pub(crate) fn encode<T: Serialize>(
    out: &mut Vec<u8>,
    head: &T,
    payload: &[u8],
) -> Result<(), ExecError> {
    let head = serde_json::to_vec(head).map_err(|error| ExecError::Message {
        what: error.to_string(),
    })?;
    let length = 4 + head.len() + payload.len();
    if length > FRAME_BYTES_MAX {
        return Err(too_long(length));
    }
    let (Ok(length), Ok(head_length)) = (u32::try_from(length), u32::try_from(head.len())) else {
        return Err(too_long(length));
    };
    out.reserve(PREFIX_BYTES + head.len() + payload.len());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&head_length.to_le_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
    Ok(())
}

/// Bytes as they arrive, cut into frames.
#[derive(Debug, Default)]
pub(crate) struct FrameBuffer {
    bytes: Vec<u8>,
    start: usize,
}

impl FrameBuffer {
    /// Takes received bytes.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
            if self.bytes.capacity() > 256 * 1024 {
                self.bytes.shrink_to(64 * 1024);
            }
        } else if self.start > 64 * 1024 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// [`ExecError::Message`] for a frame that is too long or not understood; the connection is then useless.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> Result<Option<(T, Vec<u8>)>, ExecError> {
        let rest = &self.bytes[self.start..];
        let Some((prefix, _)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_le_bytes(*prefix)).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX {
            return Err(too_long(length));
        }
        let Some(body) = rest.get(4..4 + length) else {
            return Ok(None);
        };
        let bad = |what: &str| ExecError::Message {
            what: what.to_owned(),
        };
        let (head_length, body) = body
            .split_first_chunk::<4>()
            .ok_or_else(|| bad("without a head"))?;
        let head_length = usize::try_from(u32::from_le_bytes(*head_length)).unwrap_or(usize::MAX);
        let (head, payload) = body
            .split_at_checked(head_length)
            .ok_or_else(|| bad("with a head longer than itself"))?;
        let head = serde_json::from_slice(head).map_err(|error| bad(&error.to_string()))?;
        let payload = payload.to_vec();
        self.start += 4 + length;
        Ok(Some((head, payload)))
    }
}

fn too_long(length: usize) -> ExecError {
    ExecError::Message {
        what: format!("of {length} bytes is longer than {FRAME_BYTES_MAX}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::RunId;
    use proptest::prelude::*;

    #[test]
    fn frames_survive_any_cut() {
        let key = Key(StepKey {
            run: RunId(uuid::Uuid::from_u128(5)),
            sequence: 0,
            step_id: 1,
            attempt: 0,
        });
        let mut bytes = Vec::new();
        encode(&mut bytes, &Request::Stop { key, grace_ms: 5 }, b"").unwrap();
        encode(&mut bytes, &Request::List, b"\xff\x00").unwrap();
        for cut in 0..bytes.len() {
            let mut buffer = FrameBuffer::default();
            let mut seen = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                buffer.extend(part);
                while let Some(frame) = buffer.next::<Request>().unwrap() {
                    seen.push(frame);
                }
            }
            assert_eq!(
                seen,
                [
                    (Request::Stop { key, grace_ms: 5 }, Vec::new()),
                    (Request::List, b"\xff\x00".to_vec())
                ]
            );
        }
    }

    #[test]
    fn bad_frames_are_refused() {
        let refused = |bytes: &[u8]| {
            let mut buffer = FrameBuffer::default();
            buffer.extend(bytes);
            assert!(buffer.next::<Request>().is_err(), "{bytes:?}");
        };
        refused(&u32::MAX.to_le_bytes());
        refused(&[0, 0, 0, 0]);
        refused(&[5, 0, 0, 0, 9, 0, 0, 0, b'x']);
        refused(&[5, 0, 0, 0, 1, 0, 0, 0, b'x']);
        let mut out = Vec::new();
        assert!(encode(&mut out, &Request::List, &vec![0; FRAME_BYTES_MAX]).is_err());
        assert!(out.is_empty());
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut buffer = FrameBuffer::default();
            buffer.extend(&bytes);
            while let Ok(Some(_)) = buffer.next::<Request>() {}
        }
    }
}
