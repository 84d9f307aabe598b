//! What a launcher writes down, so that the next one knows: which steps were started, as which
//! process, and how they ended.
//!
//! A file of JSON lines, each written by one call. It survives the death of the launcher; it is not
//! synced, because a step does not survive the machine. The intent to start is written before the
//! process exists: a key found here is never started again.

use crate::error::ExecError;
use crate::process;
use crate::step::StepKey;
use crate::wire::{End, EndedHead, Key};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The journal is written anew when it has grown to this, in bytes, and what lives in it is less than half.
pub(crate) const JOURNAL_BYTES_COMPACT: u64 = 1024 * 1024;

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Record {
    /// First line: the start of the machine that process ids belong to.
    Boot(String),
    /// The agent knows that nothing before this journal is left to be known; see [`Journal::is_complete`].
    Confirmed,
    /// A process is about to be started.
    Intent(Key),
    /// It was: process id, and start time in ticks.
    Started(Key, i32, u64),
    /// It ended; the text is its output where that is not in a file.
    Ended(EndedHead, String),
    /// The agent has the end; the key will not come again.
    Collected(Key),
}

/// What the journal knows of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remembered {
    /// Started, or about to be; the process where it is known.
    Open { process: Option<(i32, u64)> },
    /// Ended, with its inline output.
    Ended(EndedHead, String),
}

/// The open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    size: u64,
    compacted_size: u64,
    /// The last line may be there in part.
    torn: bool,
    complete: bool,
}

impl Journal {
    /// Opens the journal at `path`, made when missing, and tells what it knows. Lines that make no sense
    /// (the launcher was killed while it wrote) are left out. After a restart of the machine no process
    /// is left, so every open step has an unknown end.
    ///
    /// # Errors
    /// [`ExecError::Journal`].
    pub(crate) fn open(path: PathBuf) -> Result<(Self, BTreeMap<StepKey, Remembered>), ExecError> {
        let boot = process::boot_id();
        let mut steps = BTreeMap::new();
        let text = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(ExecError::Journal { path, source }),
        };
        let mut same_boot = false;
        let mut complete = false;
        for line in text.split(|byte| *byte == b'\n') {
            match serde_json::from_slice::<Record>(line) {
                Ok(Record::Boot(id)) => same_boot = id == boot,
                Ok(Record::Confirmed) => complete = true,
                Ok(record) => apply(&mut steps, record),
                Err(_) => {}
            }
        }
        if !same_boot {
            for state in steps.values_mut() {
                if let Remembered::Open { process } = state {
                    *process = None;
                }
            }
        }
        let journal = Self::write_anew(path, &steps, complete && same_boot)?;
        Ok((journal, steps))
    }

    /// Whether a step that is not in this journal was certainly never started. Not so for a journal that
    /// is new, or whose last lines a fall of the machine may have taken, until the agent confirms that it
    /// has dealt with every step it knew before.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Takes the agent's confirmation.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub(crate) fn confirm(&mut self) -> io::Result<()> {
        if !self.complete {
            self.append(&Record::Confirmed)?;
            self.complete = true;
        }
        Ok(())
    }

    /// Adds a line.
    ///
    /// # Errors
    /// What the system says; the line may then be there in part, which readers survive.
    pub(crate) fn append(&mut self, record: &Record) -> io::Result<()> {
        let mut line = line_of(record)?;
        if self.torn {
            line.insert(0, b'\n');
        }
        self.torn = true;
        self.file.write_all(&line)?;
        self.torn = false;
        self.size += u64::try_from(line.len()).unwrap_or(0);
        Ok(())
    }

    /// Whether it is time to [`Journal::compact`].
    pub(crate) fn wants_compaction(&self) -> bool {
        self.size >= JOURNAL_BYTES_COMPACT && self.size / 2 >= self.compacted_size
    }

    /// Writes the file anew with these steps alone.
    ///
    /// # Errors
    /// [`ExecError::Journal`]; the old file then stays in use.
    pub(crate) fn compact(
        &mut self,
        steps: &BTreeMap<StepKey, Remembered>,
    ) -> Result<(), ExecError> {
        *self = Self::write_anew(self.path.clone(), steps, self.complete)?;
        Ok(())
    }

    fn write_anew(
        path: PathBuf,
        steps: &BTreeMap<StepKey, Remembered>,
        complete: bool,
    ) -> Result<Self, ExecError> {
        match Self::try_write_anew(&path, steps, complete) {
            Ok((file, size)) => Ok(Self {
                path,
                file,
                size,
                compacted_size: size,
                torn: false,
                complete,
            }),
            Err(source) => Err(ExecError::Journal { path, source }),
        }
    }

    fn try_write_anew(
        path: &Path,
        steps: &BTreeMap<StepKey, Remembered>,
        complete: bool,
    ) -> io::Result<(File, u64)> {
        let mut bytes = line_of(&Record::Boot(process::boot_id()))?;
        if complete {
            bytes.extend(line_of(&Record::Confirmed)?);
        }
        for (key, state) in steps {
            let key = Key(*key);
            match state {
                Remembered::Open { process } => {
                    bytes.extend(line_of(&Record::Intent(key))?);
                    if let Some((pid, start)) = process {
                        bytes.extend(line_of(&Record::Started(key, *pid, *start))?);
                    }
                }
                Remembered::Ended(head, output) => {
                    bytes.extend(line_of(&Record::Ended(head.clone(), output.clone()))?);
                }
            }
        }
        let fresh = path.with_extension("new");
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        // A leftover of a launcher that died here.
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = options.open(&fresh)?;
        file.write_all(&bytes)?;
        fs::rename(&fresh, path)?;
        Ok((file, u64::try_from(bytes.len()).unwrap_or(0)))
    }
}

fn apply(steps: &mut BTreeMap<StepKey, Remembered>, record: Record) {
    match record {
        Record::Boot(_) | Record::Confirmed => {}
        Record::Intent(key) => {
            steps
                .entry(key.0)
                .or_insert(Remembered::Open { process: None });
        }
        Record::Started(key, pid, start) => {
            steps.insert(
                key.0,
                Remembered::Open {
                    process: Some((pid, start)),
                },
            );
        }
        Record::Ended(head, output) => {
            steps.insert(head.key.0, Remembered::Ended(head, output));
        }
        Record::Collected(key) => {
            steps.remove(&key.0);
        }
    }
}

/// An end that nobody saw.
pub(crate) fn unknown_end(key: StepKey) -> EndedHead {
    EndedHead {
        key: Key(key),
        end: End::Unknown,
        stopped: false,
        elapsed_ms: None,
        limit: 0,
        total: 0,
        lost: false,
        spilled: false,
        note: None,
    }
}

fn line_of(record: &Record) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(record).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::RunId;
    use uuid::Uuid;

    fn key(number: u128) -> StepKey {
        StepKey {
            run: RunId(Uuid::from_u128(number)),
            sequence: 0,
            step_id: 1,
            attempt: 0,
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("muster-journal-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join(name);
        let _ = fs::remove_file(&path);
        path
    }

    #[test]
    fn remembers_across_lives_and_torn_lines() {
        let path = scratch("torn");
        let (mut journal, steps) = Journal::open(path.clone()).unwrap();
        assert!(steps.is_empty());
        for number in 1..=4 {
            journal.append(&Record::Intent(Key(key(number)))).unwrap();
        }
        journal
            .append(&Record::Started(Key(key(2)), 77, 5))
            .unwrap();
        let ended = unknown_end(key(3));
        journal
            .append(&Record::Ended(ended.clone(), "out".to_owned()))
            .unwrap();
        journal.append(&Record::Collected(Key(key(4)))).unwrap();
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"Intent\":\"torn")
            .unwrap();
        let expected = BTreeMap::from([
            (key(1), Remembered::Open { process: None }),
            (
                key(2),
                Remembered::Open {
                    process: Some((77, 5)),
                },
            ),
            (key(3), Remembered::Ended(ended, "out".to_owned())),
        ]);
        assert!(!journal.is_complete());
        for complete in [false, true, true] {
            let (mut journal, steps) = Journal::open(path.clone()).unwrap();
            assert_eq!(steps, expected);
            assert_eq!(journal.is_complete(), complete);
            journal.confirm().unwrap();
        }
    }

    #[test]
    fn another_start_of_the_machine_has_no_processes() {
        let path = scratch("boot");
        let lines = [
            Record::Boot("another".to_owned()),
            Record::Confirmed,
            Record::Started(Key(key(1)), 1, 1),
        ];
        let text: Vec<u8> = lines
            .iter()
            .flat_map(|line| line_of(line).unwrap())
            .collect();
        fs::write(&path, text).unwrap();
        let (journal, steps) = Journal::open(path).unwrap();
        assert!(!journal.is_complete());
        assert_eq!(
            steps,
            BTreeMap::from([(key(1), Remembered::Open { process: None })])
        );
    }

    #[test]
    fn stays_small() {
        let path = scratch("small");
        let (mut journal, steps) = Journal::open(path.clone()).unwrap();
        let mut number = 0;
        while !journal.wants_compaction() {
            number += 1;
            journal.append(&Record::Intent(Key(key(number)))).unwrap();
            journal
                .append(&Record::Collected(Key(key(number))))
                .unwrap();
        }
        assert!(fs::metadata(&path).unwrap().len() >= JOURNAL_BYTES_COMPACT);
        journal.compact(&steps).unwrap();
        assert!(fs::metadata(&path).unwrap().len() < 100);
        assert!(!journal.wants_compaction());
    }
}
