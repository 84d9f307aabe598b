//! The error logs in the data directory: `log/ERRORLOG` for the server, `log/SQLAGENT.OUT` for the Agent.
//!
//! Everything here also went to standard error; these files are what `xp_readerrorlog` reads. A new file
//! begins at every start, when asked (`sp_cycle_agent_errorlog`) and when one is full. Old ones are renamed to
//! higher numbers and the oldest is dropped, so that the directory stays bounded.
//!
//! Nothing is written before [`ErrorLogs::open`]: until the catalog's lock is held another instance may be
//! running on the directory. Entries up to then are kept in memory, so many at most.

use crate::clock::{Clock, SystemClock};
use crate::options::ServeOptions;
use jiff::Timestamp;
use jiff::tz::TimeZone;
pub use msdb::error_log::{ErrorLog, LogArchive, LogEntry, LogError, LogSeverity};
use msdb::settings::ERROR_LOGGING_LEVEL_DEFAULT;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Directory of the logs in the data directory.
const DIRECTORY: &str = "log";
/// What the name of a file ends with until it takes its place.
const FRESH: &str = "new";
/// Size at which a file is closed and the next begins.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Longest entry, in bytes of its text; what is longer is cut.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Entries kept while nothing may be written yet.
const EARLY_ENTRIES_MAX: usize = 64;
/// Closed files kept of the server's log.
const SERVER_ARCHIVES: u32 = 6;
/// Closed files kept of the Agent's log. Source: fact sheet `procedures.toml`, sp_cycle_agent_errorlog.
const AGENT_ARCHIVES: u32 = 9;

/// Both logs of an instance.
pub struct ErrorLogs {
    directory: PathBuf,
    clock: Arc<dyn Clock>,
    agent_level: AtomicU8,
    state: Mutex<State>,
}

enum State {
    /// Nothing may be written yet.
    Waiting(VecDeque<(ErrorLog, LogEntry)>),
    Open {
        server: Current,
        agent: Current,
    },
}

/// The file being written. Invariant: `bytes` is its size.
struct Current {
    file: File,
    bytes: u64,
}

impl std::fmt::Debug for ErrorLogs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ErrorLogs")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl ErrorLogs {
    /// The logs of a data directory. Nothing is written before [`ErrorLogs::open`].
    #[must_use]
    pub fn new(data: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory: data.join(DIRECTORY),
            clock,
            agent_level: AtomicU8::new(ERROR_LOGGING_LEVEL_DEFAULT),
            state: Mutex::new(State::Waiting(VecDeque::new())),
        }
    }

    /// The logs of an instance that is about to start. A time zone that is none is the host's: the start says so.
    #[must_use]
    pub fn of(options: &ServeOptions) -> Self {
        let named = options.settings.time_zone.as_deref();
        let zone = named
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or_else(TimeZone::system);
        Self::new(&options.data, Arc::new(SystemClock::new(zone)))
    }

    /// Begins new files and writes what was said so far. The caller holds the catalog's lock.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(&self) -> io::Result<()> {
        let mut state = self.state();
        let State::Waiting(early) = &mut *state else {
            return Ok(());
        };
        let early = std::mem::take(early);
        crate::platform::create_private_directory(&self.directory)?;
        *state = State::Open {
            server: self.begin(ErrorLog::Server)?,
            agent: self.begin(ErrorLog::Agent)?,
        };
        for (log, entry) in early {
            self.write(&mut state, log, &entry);
        }
        Ok(())
    }

    /// Which entries the Agent's log takes: a sum of 1 errors, 2 warnings, 4 information.
    pub fn set_agent_level(&self, level: u8) {
        self.agent_level.store(level, Ordering::Relaxed);
    }

    /// Adds an entry now. The Agent's log leaves out what its level does not ask for.
    ///
    /// A file that cannot be written loses the entry: there is nowhere left to complain but standard error,
    /// where the entry stands already.
    pub fn add(&self, log: ErrorLog, severity: LogSeverity, source: &str, text: &str) {
        let level = self.agent_level.load(Ordering::Relaxed);
        if log == ErrorLog::Agent && level & severity.level_bit() == 0 {
            return;
        }
        self.add_always(log, severity, source, text);
    }

    /// As [`ErrorLogs::add`], whatever the Agent's level: its start and end are always told.
    pub fn add_always(&self, log: ErrorLog, severity: LogSeverity, source: &str, text: &str) {
        let entry = LogEntry {
            at: self.clock.now(),
            severity,
            source: one_line(source),
            text: one_line(text),
        };
        let mut state = self.state();
        if let State::Waiting(early) = &mut *state {
            if early.len() < EARLY_ENTRIES_MAX {
                early.push_back((log, entry));
            }
            return;
        }
        self.write(&mut state, log, &entry);
    }

    /// Entries of a file in the order they were written. A file that is not there has none.
    ///
    /// # Errors
    /// When the file cannot be read, or `archive` is beyond those that are kept.
    pub fn read(&self, log: ErrorLog, archive: u32) -> Result<Vec<LogEntry>, LogError> {
        if archive > archives(log) {
            return Err(LogError {
                cause: format!("there are {} archives at the most", archives(log)),
            });
        }
        match fs::read(self.path(log, archive)) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes)
                .lines()
                .filter_map(parse)
                .collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The files that are there, the one being written first.
    ///
    /// # Errors
    /// When they cannot be looked at.
    pub fn list(&self, log: ErrorLog) -> Result<Vec<LogArchive>, LogError> {
        let mut files = Vec::new();
        for number in 0..=archives(log) {
            let found = match fs::metadata(self.path(log, number)) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(&error)),
            };
            let modified = found
                .modified()
                .ok()
                .and_then(|at| Timestamp::try_from(at).ok())
                .unwrap_or(Timestamp::UNIX_EPOCH);
            files.push(LogArchive {
                number,
                modified,
                bytes: found.len(),
            });
        }
        Ok(files)
    }

    /// Closes the file being written and begins the next.
    ///
    /// # Errors
    /// When the files cannot be renamed or made; writing then goes on in the old one.
    pub fn cycle(&self, log: ErrorLog) -> Result<(), LogError> {
        let mut state = self.state();
        let State::Open { server, agent } = &mut *state else {
            return Err(LogError {
                cause: "the log is not open yet".to_owned(),
            });
        };
        let current = match log {
            ErrorLog::Server => server,
            ErrorLog::Agent => agent,
        };
        *current = self.begin(log).map_err(|error| failed(&error))?;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while writing leaves at most a cut line behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, state: &mut State, log: ErrorLog, entry: &LogEntry) {
        let State::Open { server, agent } = state else {
            return;
        };
        let current = match log {
            ErrorLog::Server => server,
            ErrorLog::Agent => agent,
        };
        if current.bytes >= FILE_BYTES_MAX
            && let Ok(next) = self.begin(log)
        {
            *current = next;
        }
        let line = self.line(entry);
        if current.file.write_all(line.as_bytes()).is_ok() {
            current.bytes += line.len() as u64;
        }
    }

    /// `2026-11-03T12:00:00.123+01:00 ! [source] text`, the mark as in the Agent's own files.
    fn line(&self, entry: &LogEntry) -> String {
        let local = entry
            .at
            .to_zoned(self.clock.time_zone().clone())
            .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z");
        let mark = mark(entry.severity);
        format!("{local} {mark} [{}] {}\n", entry.source, entry.text)
    }

    /// Moves the files one number up, drops the oldest and begins a new one.
    ///
    /// The new file is made first, under another name: without a file handle or room on the disk nothing has moved.
    /// What a move that fails leaves is a number without a file, and the next time files move up to there alone.
    fn begin(&self, log: ErrorLog) -> io::Result<Current> {
        let fresh = self.path(log, 0).with_added_extension(FRESH);
        let file = OpenOptions::new().create(true).append(true).open(&fresh)?;
        // A crash may have left one, which nobody has written to.
        file.set_len(0)?;
        let moved = self.move_up(log).and_then(|()| {
            let placed = fs::rename(&fresh, self.path(log, 0));
            if placed.is_err() {
                // Writing goes on in the file that was the first.
                let _ = fs::rename(self.path(log, 1), self.path(log, 0));
            }
            placed
        });
        if let Err(error) = moved {
            let _ = fs::remove_file(&fresh);
            return Err(error);
        }
        Ok(Current { file, bytes: 0 })
    }

    /// Frees the first number: the files up to the first number without one move up.
    fn move_up(&self, log: ErrorLog) -> io::Result<()> {
        let mut free = archives(log);
        for number in 0..archives(log) {
            match fs::symlink_metadata(self.path(log, number)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    free = number;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        for number in (0..free).rev() {
            fs::rename(self.path(log, number), self.path(log, number + 1))?;
        }
        Ok(())
    }

    fn path(&self, log: ErrorLog, archive: u32) -> PathBuf {
        let name = match (log, archive) {
            (ErrorLog::Server, 0) => "ERRORLOG".to_owned(),
            (ErrorLog::Server, number) => format!("ERRORLOG.{number}"),
            (ErrorLog::Agent, 0) => "SQLAGENT.OUT".to_owned(),
            (ErrorLog::Agent, number) => format!("SQLAGENT.{number}"),
        };
        self.directory.join(name)
    }
}

const fn archives(log: ErrorLog) -> u32 {
    match log {
        ErrorLog::Server => SERVER_ARCHIVES,
        ErrorLog::Agent => AGENT_ARCHIVES,
    }
}

const fn mark(severity: LogSeverity) -> char {
    match severity {
        LogSeverity::Error => '!',
        LogSeverity::Warning => '+',
        LogSeverity::Information => '?',
    }
}

fn failed(error: &io::Error) -> LogError {
    LogError {
        cause: error.to_string(),
    }
}

/// A text without line ends and other control characters, cut to the bound: nobody forges a line of the log.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(TEXT_BYTES_MAX));
    for character in text.chars() {
        let character = if character.is_control() {
            ' '
        } else {
            character
        };
        if line.len() + character.len_utf8() > TEXT_BYTES_MAX {
            break;
        }
        line.push(character);
    }
    line
}

/// The entry of a line; `None` for a line that a crash cut.
fn parse(line: &str) -> Option<LogEntry> {
    let (at, rest) = line.split_once(' ')?;
    let (severity, rest) = rest.split_once(' ')?;
    let (source, text) = rest.strip_prefix('[')?.split_once("] ")?;
    let severity = match severity {
        "!" => LogSeverity::Error,
        "+" => LogSeverity::Warning,
        "?" => LogSeverity::Information,
        _ => return None,
    };
    Some(LogEntry {
        at: at.parse().ok()?,
        severity,
        source: source.to_owned(),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Logs(ErrorLogs, PathBuf);

    impl Drop for Logs {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.1);
        }
    }

    fn logs() -> Logs {
        let data = std::env::temp_dir().join(format!("muster-log-{}", uuid::Uuid::new_v4()));
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new(zone));
        Logs(ErrorLogs::new(&data, clock), data)
    }

    fn texts(logs: &ErrorLogs, log: ErrorLog, archive: u32) -> Vec<String> {
        let entries = logs.read(log, archive).unwrap();
        entries.into_iter().map(|entry| entry.text).collect()
    }

    #[test]
    fn what_is_written_is_read_and_nothing_is_forged() {
        let Logs(logs, _) = &logs();
        let before = SystemClock::new(TimeZone::UTC).now();
        logs.add(ErrorLog::Server, LogSeverity::Error, "early", "said before");
        assert!(logs.cycle(ErrorLog::Server).is_err());
        logs.open().unwrap();
        let forged = "one\n2026-01-01T00:00:00.000Z ! [x] two\u{7}";
        logs.add(ErrorLog::Server, LogSeverity::Warning, "tds", forged);
        let long = "ä".repeat(TEXT_BYTES_MAX);
        logs.add(ErrorLog::Server, LogSeverity::Information, "tds", &long);
        let entries = logs.read(ErrorLog::Server, 0).unwrap();
        assert_eq!(entries.len(), 3);
        assert_eq!(entries[0].source, "early");
        assert_eq!(entries[1].severity, LogSeverity::Warning);
        assert_eq!(entries[1].text, "one 2026-01-01T00:00:00.000Z ! [x] two ");
        assert_eq!(entries[2].text.len(), TEXT_BYTES_MAX);
        let apart = entries[0].at.duration_since(before).as_millis();
        assert!(
            apart.abs() < 60_000,
            "the local time reads back as an instant"
        );
        assert!(logs.read(ErrorLog::Server, 7).is_err());
    }

    #[test]
    fn the_level_decides_what_the_agents_log_takes() {
        let Logs(logs, _) = &logs();
        logs.open().unwrap();
        let say = |text: &str| {
            for severity in [
                LogSeverity::Error,
                LogSeverity::Warning,
                LogSeverity::Information,
            ] {
                logs.add(
                    ErrorLog::Agent,
                    severity,
                    "a",
                    &format!("{text}{}", severity.code()),
                );
            }
        };
        say("default");
        logs.set_agent_level(4);
        say("four");
        logs.set_agent_level(7);
        say("all");
        assert_eq!(
            texts(logs, ErrorLog::Agent, 0),
            ["default1", "default2", "four3", "all1", "all2", "all3"]
        );
    }

    #[test]
    fn files_move_up_and_the_oldest_goes() {
        let Logs(logs, data) = &logs();
        logs.open().unwrap();
        for n in 0..12 {
            logs.add_always(ErrorLog::Agent, LogSeverity::Error, "a", &n.to_string());
            logs.cycle(ErrorLog::Agent).unwrap();
        }
        assert_eq!(texts(logs, ErrorLog::Agent, 0), Vec::<String>::new());
        assert_eq!(texts(logs, ErrorLog::Agent, 1), ["11"]);
        assert_eq!(texts(logs, ErrorLog::Agent, 9), ["3"]);
        let numbers: Vec<u32> = logs
            .list(ErrorLog::Agent)
            .unwrap()
            .iter()
            .map(|file| file.number)
            .collect();
        assert_eq!(numbers, (0..=9).collect::<Vec<_>>());
        assert_eq!(logs.list(ErrorLog::Server).unwrap().len(), 1);
        assert!(data.join("log/SQLAGENT.9").exists() && !data.join("log/SQLAGENT.10").exists());
    }

    /// What stands in the way is a directory, since the tests' user may write everywhere.
    #[test]
    fn a_file_that_cannot_begin_leaves_all_in_place() {
        let Logs(logs, data) = &logs();
        logs.open().unwrap();
        let say = |text: &str| logs.add_always(ErrorLog::Server, LogSeverity::Error, "a", text);
        for n in 0..4 {
            say(&n.to_string());
            logs.cycle(ErrorLog::Server).unwrap();
        }
        say("last");
        let all = || -> Vec<Vec<String>> {
            let numbers = 0..=SERVER_ARCHIVES;
            numbers.map(|n| texts(logs, ErrorLog::Server, n)).collect()
        };
        let before = all();
        assert_eq!(before[..3], [vec!["last"], vec!["3"], vec!["2"]]);
        // No room for a new file.
        let fresh = data.join("log/ERRORLOG.new");
        fs::create_dir(&fresh).unwrap();
        for _ in 0..3 {
            assert!(logs.cycle(ErrorLog::Server).is_err());
        }
        assert_eq!(all(), before);
        say("still written");
        assert_eq!(texts(logs, ErrorLog::Server, 0), ["last", "still written"]);
        fs::remove_dir(&fresh).unwrap();
        logs.cycle(ErrorLog::Server).unwrap();
        assert_eq!(texts(logs, ErrorLog::Server, 2), ["3"]);
        assert_eq!(texts(logs, ErrorLog::Server, 5), ["0"]);
        assert!(!fresh.exists());
    }

    #[test]
    fn files_move_up_to_the_first_number_without_one() {
        let Logs(logs, data) = &logs();
        logs.open().unwrap();
        for n in 0..7 {
            logs.add_always(ErrorLog::Server, LogSeverity::Error, "a", &n.to_string());
            logs.cycle(ErrorLog::Server).unwrap();
        }
        fs::remove_file(data.join("log/ERRORLOG.3")).unwrap();
        logs.cycle(ErrorLog::Server).unwrap();
        let shown = |number| texts(logs, ErrorLog::Server, number);
        assert_eq!(shown(1), Vec::<String>::new());
        assert_eq!(
            (shown(2), shown(3)),
            (vec!["6".to_owned()], vec!["5".to_owned()])
        );
        assert_eq!(
            (shown(4), shown(6)),
            (vec!["3".to_owned()], vec!["1".to_owned()])
        );
    }

    #[test]
    fn a_full_file_gives_way_to_the_next() {
        let Logs(logs, _) = &logs();
        logs.open().unwrap();
        let text = "x".repeat(TEXT_BYTES_MAX);
        let lines = FILE_BYTES_MAX / TEXT_BYTES_MAX as u64 + 1;
        for _ in 0..lines {
            logs.add(ErrorLog::Server, LogSeverity::Error, "a", &text);
        }
        let sizes: Vec<u64> = logs
            .list(ErrorLog::Server)
            .unwrap()
            .iter()
            .map(|file| file.bytes)
            .collect();
        assert_eq!(sizes.len(), 2);
        assert!(
            sizes
                .iter()
                .all(|bytes| *bytes < FILE_BYTES_MAX + 16 * 1024)
        );
    }

    #[test]
    fn a_line_that_a_crash_cut_is_passed_over() {
        for line in [
            "",
            "2026-11-03T12:00:00Z",
            "2026-11-03T12:00:00Z ! [a",
            "x ! [a] b",
        ] {
            assert_eq!(parse(line), None, "{line:?}");
        }
    }
}
