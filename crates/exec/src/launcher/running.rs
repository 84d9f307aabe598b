//! A step that runs: its process, its output, and what has been asked of it.

use super::agent_link::would_block;
use crate::capture::Capture;
use crate::output_file::OutputFileWriter;
use crate::wire::{End, EndedHead, Key};
use rustix::process::Pid;
use std::io::{PipeReader, Read};
use std::time::{Duration, Instant};

/// Bytes read from a step's pipe at once.
const READ_BYTES: usize = 64 * 1024;
/// Reads from one step before the others have their turn.
const READS_PER_TURN: usize = 8;

/// A running step.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) key: Key,
    pub(super) pid: Pid,
    pub(super) start_time: u64,
    pub(super) started: Instant,
    /// Its number with epoll.
    pub(super) token: u64,
    /// `None` once the output has ended.
    pub(super) output: Option<PipeReader>,
    pub(super) capture: Capture,
    pub(super) limit: u32,
    pub(super) file: Option<OutputFileWriter>,
    pub(super) note: Option<String>,
    pub(super) follow: bool,
    /// A stop was asked for while the process ran.
    pub(super) stopped: bool,
    /// How and when the process ended; its output may still come.
    pub(super) exit: Option<(End, Duration)>,
}

impl Running {
    /// Reads the step's output for one turn, handing each piece with its offset to `live`. `true` once
    /// the output has ended.
    pub(super) fn read(&mut self, buffer: &mut Vec<u8>, mut live: impl FnMut(u64, &[u8])) -> bool {
        buffer.resize(READ_BYTES, 0);
        for _ in 0..READS_PER_TURN {
            let Some(pipe) = self.output.as_mut() else {
                return true;
            };
            match pipe.read(buffer) {
                Ok(0) => return true,
                Ok(count) => {
                    let bytes = &buffer[..count];
                    if self.follow {
                        live(self.capture.total(), bytes);
                    }
                    self.capture.push(bytes);
                    if let Some(file) = &mut self.file
                        && let Err(error) = file.write(bytes)
                    {
                        self.note = Some(format!("The output file could not be written: {error}."));
                        self.file = None;
                    }
                    if count < READ_BYTES {
                        // Most likely all there is; epoll says so if not.
                        if self.exit.is_none() {
                            return false;
                        }
                    }
                }
                Err(error) if would_block(&error) => return false,
                Err(_) => return true,
            }
        }
        false
    }

    /// What is left to say of it.
    pub(super) fn finish(self) -> (EndedHead, Vec<u8>) {
        let (end, elapsed) = match self.exit {
            Some((end, elapsed)) => (end, Some(elapsed)),
            None => (End::Unknown, None),
        };
        let mut note = self.note;
        if let Some(error) = self.capture.broken() {
            note.get_or_insert(format!("Some output could not be kept: {error}."));
        }
        let stored = self.capture.finish();
        let head = EndedHead {
            key: self.key,
            end,
            stopped: self.stopped,
            elapsed_ms: elapsed.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            limit: self.limit,
            total: stored.total_bytes,
            lost: stored.lost,
            spilled: stored.inline.is_none(),
            note,
        };
        (head, stored.inline.unwrap_or_default())
    }
}
