//! Keeps a bounded part of a step's output: its beginning and its end, in fixed room.
//!
//! Little output stays in memory; more goes to a file that never grows beyond the limit. The stored
//! bytes are a head followed by a ring: once the room is full, the oldest bytes of the ring give way.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Output kept of a step unless it says otherwise, in bytes.
pub const OUTPUT_LIMIT_BYTES_DEFAULT: u32 = 1024 * 1024;
/// Most output that may be kept of a step, in bytes.
pub const OUTPUT_LIMIT_BYTES_MAX: u32 = 16 * 1024 * 1024;
/// Output up to here needs no file, in bytes.
pub(crate) const INLINE_OUTPUT_BYTES_MAX: usize = 2 * 1024;

/// A step's output as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CapturedOutput {
    /// The text; bytes that are no UTF-8, and NUL, became U+FFFD. Where bytes were left out, a line says how many.
    pub text: String,
    /// Bytes the step wrote.
    pub total_bytes: u64,
    /// Whether some of them were dropped.
    pub truncated: bool,
}

/// Collects output that never leaves this process, such as that of a T-SQL step.
#[derive(Debug)]
pub struct OutputBuffer(Capture);

impl OutputBuffer {
    /// Room for `limit_bytes`, in memory.
    #[must_use]
    pub fn new(limit_bytes: u32) -> Self {
        let mut capture = Capture::new(limit_bytes, PathBuf::new());
        capture.inline_max = usize::MAX;
        Self(capture)
    }

    /// Takes the next text.
    pub fn push(&mut self, text: &str) {
        self.0.push(text.as_bytes());
    }

    /// What was kept.
    #[must_use]
    pub fn finish(self) -> CapturedOutput {
        assemble(&self.0.inline, self.0.total, self.0.layout)
    }
}

/// Takes bytes as they come; room is bounded by the limit.
#[derive(Debug)]
pub(crate) struct Capture {
    layout: Layout,
    total: u64,
    /// The stored bytes while `file` is `None`.
    inline: Vec<u8>,
    inline_max: usize,
    file: Option<File>,
    path: PathBuf,
    /// The file could not be written: what came since is counted and lost.
    broken: Option<io::Error>,
}

/// Where a stream's bytes go in the stored bytes.
#[derive(Debug, Clone, Copy)]
struct Layout {
    limit: usize,
    head: usize,
}

impl Layout {
    fn new(limit_bytes: u32) -> Self {
        let limit = usize_of(u64::from(limit_bytes.min(OUTPUT_LIMIT_BYTES_MAX)));
        Self {
            limit,
            head: limit.div_ceil(2),
        }
    }

    fn ring(self) -> usize {
        self.limit - self.head
    }

    /// Place of the byte at `offset` of the stream, and how many bytes from there on lie side by side;
    /// `None` where it has no place.
    fn place(self, offset: u64) -> Option<(usize, usize)> {
        if offset < u64_of(self.head) {
            let at = usize_of(offset);
            return Some((at, self.head - at));
        }
        let ring = u64_of(self.ring());
        let at = usize_of((offset - u64_of(self.head)).checked_rem(ring)?);
        Some((self.head + at, self.ring() - at))
    }
}

impl Capture {
    /// Room for `limit_bytes`; `path` is the file to use when memory is not enough.
    pub(crate) fn new(limit_bytes: u32, path: PathBuf) -> Self {
        Self {
            layout: Layout::new(limit_bytes),
            total: 0,
            inline: Vec::new(),
            inline_max: INLINE_OUTPUT_BYTES_MAX,
            file: None,
            path,
            broken: None,
        }
    }

    /// Bytes seen so far.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Why output was lost, if it was.
    pub(crate) fn broken(&self) -> Option<&io::Error> {
        self.broken.as_ref()
    }

    /// Takes the next bytes. Never fails: without room on the disk they are counted and dropped.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some((at, room)) = self.layout.place(self.total) else {
                self.total += u64_of(rest.len());
                return;
            };
            let (now, later) = rest.split_at(room.min(rest.len()));
            if self.broken.is_none()
                && let Err(error) = self.store(at, now)
            {
                self.broken = Some(error);
            }
            self.total += u64_of(now.len());
            rest = later;
        }
    }

    /// What is stored: the bytes themselves where they are few, else that a file has them.
    pub(crate) fn finish(self) -> Stored {
        let limit = u32::try_from(self.layout.limit).unwrap_or(u32::MAX);
        Stored {
            limit_bytes: limit,
            total_bytes: self.total,
            lost: self.broken.is_some(),
            inline: self.file.is_none().then_some(self.inline),
        }
    }

    fn store(&mut self, at: usize, bytes: &[u8]) -> io::Result<()> {
        let end = at + bytes.len();
        if self.file.is_none() && end <= self.inline_max {
            if self.inline.len() < end {
                self.inline.resize(end, 0);
            }
            self.inline[at..end].copy_from_slice(bytes);
            return Ok(());
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&self.path)?;
                file.write_all_at(&self.inline, 0)?;
                self.inline = Vec::new();
                file
            }
        };
        let written = file.write_all_at(bytes, u64_of(at));
        self.file = Some(file);
        written
    }
}

/// A finished capture, as the journal and the messages carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) limit_bytes: u32,
    pub(crate) total_bytes: u64,
    /// Some bytes could not be written to the file.
    pub(crate) lost: bool,
    /// The stored bytes; `None` when the step's file has them.
    pub(crate) inline: Option<Vec<u8>>,
}

impl Stored {
    /// The text; reads `path` where the bytes are not inline. A file that is gone counts as lost output.
    pub(crate) fn read(&self, path: &Path) -> CapturedOutput {
        let layout = Layout::new(self.limit_bytes);
        let from_file;
        let (bytes, lost) = match &self.inline {
            Some(bytes) => (bytes.as_slice(), self.lost),
            None => match read_bounded(path, layout.limit) {
                Ok(bytes) => {
                    from_file = bytes;
                    (from_file.as_slice(), self.lost)
                }
                Err(_) => (&[][..], true),
            },
        };
        let mut output = assemble(bytes, self.total_bytes, layout);
        output.truncated |= lost;
        output
    }
}

/// Puts stored bytes back in the order of the stream.
fn assemble(stored: &[u8], total: u64, layout: Layout) -> CapturedOutput {
    let expected = usize_of(total.min(u64_of(layout.limit)));
    if stored.len() < expected || total <= u64_of(layout.limit) {
        // Whole output, or what an accident left of it.
        let kept = &stored[..stored.len().min(expected)];
        return CapturedOutput {
            text: clean(kept),
            total_bytes: total,
            truncated: u64_of(kept.len()) < total,
        };
    }
    let (head, ring) = stored[..layout.limit].split_at(layout.head);
    let oldest = usize_of((total - u64_of(layout.head)) % u64_of(ring.len().max(1)));
    let tail = [
        &ring[oldest.min(ring.len())..],
        &ring[..oldest.min(ring.len())],
    ]
    .concat();
    let head = match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => &head[..error.valid_up_to()],
        _ => head,
    };
    let continuation = tail
        .iter()
        .take(3)
        .take_while(|byte| (0x80..0xC0).contains(*byte))
        .count();
    let tail = &tail[continuation..];
    let left_out = total - u64_of(head.len()) - u64_of(tail.len());
    CapturedOutput {
        text: format!(
            "{}\n[... {left_out} bytes left out ...]\n{}",
            clean(head),
            clean(tail)
        ),
        total_bytes: total,
        truncated: true,
    }
}

fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\0') {
        text.replace('\0', "\u{FFFD}")
    } else {
        text.into_owned()
    }
}

fn read_bounded(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(u64_of(limit))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn u64_of(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn usize_of(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("muster-capture-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        dir.join(name)
    }

    fn captured(limit: u32, chunks: &[&[u8]], name: &str) -> CapturedOutput {
        let path = scratch(name);
        let mut capture = Capture::new(limit, path.clone());
        for chunk in chunks {
            capture.push(chunk);
        }
        let output = capture.finish().read(&path);
        let _ = std::fs::remove_file(path);
        output
    }

    #[test]
    fn keeps_head_and_tail() {
        let output = captured(8, &[b"0123456", b"789abcdef"], "a");
        assert_eq!(output.text, "0123\n[... 8 bytes left out ...]\ncdef");
        assert_eq!((output.total_bytes, output.truncated), (16, true));
        let whole = captured(8, &[b"01234", b"567"], "b");
        assert_eq!((whole.text.as_str(), whole.truncated), ("01234567", false));
        let none = captured(0, &[b"abc"], "c");
        assert_eq!((none.total_bytes, none.truncated), (3, true));
        let one = captured(1, &[b"abc"], "d");
        assert_eq!(one.text, "a\n[... 2 bytes left out ...]\n");
    }

    #[test]
    fn is_gentle_to_characters() {
        let output = captured(8, &["äöüäöüäöü".as_bytes()], "e");
        assert_eq!(output.text, "äö\n[... 10 bytes left out ...]\nöü");
        let cut = captured(6, &["aäöüäöüä".as_bytes()], "f");
        assert!(!cut.text.contains('\u{FFFD}'), "{}", cut.text);
        let foreign = captured(100, &[b"a\xff\0b"], "g");
        assert_eq!(foreign.text, "a\u{FFFD}\u{FFFD}b");
        assert!(!foreign.truncated);
    }

    #[test]
    fn lost_file_is_truncation() {
        let path = scratch("h");
        let mut capture = Capture::new(10_000, path.clone());
        capture.push(&[b'x'; 5_000]);
        let stored = capture.finish();
        assert_eq!(stored.inline, None);
        std::fs::remove_file(&path).unwrap();
        let output = stored.read(&path);
        assert_eq!((output.total_bytes, output.truncated), (5_000, true));
        let mut nowhere = Capture::new(10_000, PathBuf::from("/nonexistent/dir/file"));
        nowhere.push(&[b'x'; 5_000]);
        assert!(nowhere.broken().is_some());
        assert_eq!(nowhere.total(), 5_000);
        assert!(nowhere.finish().read(&path).truncated);
    }

    proptest! {
        #[test]
        fn agrees_with_keeping_everything(
            limit in 0u32..5_000,
            chunks in prop::collection::vec(prop::collection::vec(b'a'..=b'z', 0..3_000), 0..6),
        ) {
            let all = chunks.concat();
            let pieces: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let output = captured(limit, &pieces, &format!("p{limit}-{}", all.len()));
            let limit = usize::try_from(limit).unwrap();
            let text = String::from_utf8(all.clone()).unwrap();
            prop_assert_eq!(output.total_bytes, u64_of(all.len()));
            if all.len() <= limit {
                prop_assert_eq!(&output.text, &text);
                prop_assert!(!output.truncated);
            } else if limit > 0 {
                let (head, tail) = (limit.div_ceil(2), limit / 2);
                let expected = format!(
                    "{}\n[... {} bytes left out ...]\n{}",
                    &text[..head], all.len() - limit, &text[all.len() - tail..]
                );
                prop_assert_eq!(&output.text, &expected);
                let mut buffer = OutputBuffer::new(u32::try_from(limit).unwrap());
                buffer.push(&text);
                prop_assert_eq!(&buffer.finish(), &output);
            }
        }
    }
}
