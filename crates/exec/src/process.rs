//! Processes of the operating system: starting one in a group of its own, and telling it from a later
//! one that was given the same number.

use crate::step::{Program, StepCommand};
use crate::suspended::Suspended;
use rustix::process::Pid;
use std::fs;
use std::io::{self, PipeReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Longest text that `execve` takes as one argument, in bytes (Linux: 32 pages of 4 KiB, with its NUL).
const ARGUMENT_BYTES_MAX: usize = 32 * 4096 - 1;

/// A process just started.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) pid: Pid,
    /// See [`start_time`]; 0 where it could not be read.
    pub(crate) start_time: u64,
    /// Its output, reading without blocking.
    pub(crate) output: PipeReader,
}

/// Starts a step. A text too long for an argument goes through the file `script`.
///
/// The process leads a new group, starts with default signal handling, an empty standard input, and no
/// other open file. It inherits the launcher's umask and resource limits, which are the service's.
///
/// # Errors
/// Why not, in words for the history.
pub(crate) fn spawn(command: &StepCommand, script: &Path) -> Result<Spawned, String> {
    let (mut process, output) = build(command, script)?;
    let child = process.spawn().map_err(|error| {
        if command.cwd.is_dir() {
            error.to_string()
        } else {
            format!(
                "the working directory {} does not exist",
                command.cwd.display()
            )
        }
    })?;
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or("its process id is out of range")?;
    Ok(Spawned {
        pid,
        start_time: start_time(pid).unwrap_or(0),
        output,
    })
}

/// A process that stands ready to be what [`spawn`] would start. Where it never becomes that, nothing of the
/// step has been done: no text of it is in a file, and no output file is open.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) process: Suspended,
    start_time: u64,
    output: PipeReader,
}

impl Ready {
    /// Starts a process that waits before its first instruction. `None` for a step that needs more than that,
    /// or cannot start.
    ///
    /// # Errors
    /// Why there can be no such process, whatever the step.
    pub(crate) fn new(command: &StepCommand) -> io::Result<Option<Self>> {
        let short =
            matches!(&command.program, Program::Shell(text) if text.len() < ARGUMENT_BYTES_MAX);
        if !short || command.output_file.is_some() || !command.cwd.is_dir() {
            return Ok(None);
        }
        let Ok((process, output)) = build(command, Path::new("")) else {
            return Ok(None);
        };
        let process = Suspended::start(process)?;
        Ok(Some(Self {
            start_time: start_time(process.pid()).unwrap_or(0),
            process,
            output,
        }))
    }

    /// Lets it run. `None` where it is gone.
    pub(crate) fn release(self) -> Option<Spawned> {
        Some(Spawned {
            pid: self.process.release()?,
            start_time: self.start_time,
            output: self.output,
        })
    }
}

/// What starts a step, and where its output can be read.
fn build(command: &StepCommand, script: &Path) -> Result<(Command, PipeReader), String> {
    let mut process = match &command.program {
        Program::Shell(text) if text.len() < ARGUMENT_BYTES_MAX => {
            let mut shell = program("/bin/sh");
            shell.arg("-c").arg(text);
            shell
        }
        Program::Shell(text) => {
            write_script(script, text)
                .map_err(|error| format!("write the command to a file: {error}"))?;
            let mut shell = program("/bin/sh");
            shell.arg(script);
            shell
        }
        Program::Argv(words) => {
            let (name, arguments) = words.split_first().ok_or("no program is named")?;
            let mut process = program(name);
            process.args(arguments);
            process
        }
    };
    let (reader, writer) = io::pipe().map_err(|error| format!("make a pipe: {error}"))?;
    rustix::io::ioctl_fionbio(&reader, true).map_err(|error| format!("set up a pipe: {error}"))?;
    let second = writer
        .try_clone()
        .map_err(|error| format!("set up a pipe: {error}"))?;
    process
        .env_clear()
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .current_dir(&command.cwd)
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(second)
        .process_group(0);
    Ok((process, reader))
}

/// When a process started, in clock ticks since the machine's start; with the id it names one process.
/// `None` when there is no such process.
pub(crate) fn start_time(pid: Pid) -> Option<u64> {
    Some(stat(pid)?.start_time)
}

/// Whether the process of this id and start time still runs. One that has ended and waits for its parent
/// runs no more: in a container without an init it may wait for ever.
pub(crate) fn is_running(pid: Pid, start_time: u64) -> bool {
    stat(pid).is_some_and(|stat| stat.start_time == start_time && !stat.ended)
}

/// For how long a process has been running, to a clock tick. `None` when there is none or the system does not tell.
#[must_use]
pub fn running_for(pid: u32) -> Option<Duration> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    let started = ticks(start_time(pid)?, rustix::param::clock_ticks_per_second())?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let up: f64 = uptime.split_ascii_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(up).ok()?.checked_sub(started)
}

/// So many clock ticks as a span of time.
fn ticks(count: u64, per_second: u64) -> Option<Duration> {
    let millis = count.checked_mul(1_000)?.checked_div(per_second)?;
    Some(Duration::from_millis(millis))
}

/// What is read of `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    ended: bool,
    start_time: u64,
}

fn stat(pid: Pid) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?)
}

/// Fields 3 and 22 of `/proc/PID/stat`. The second field is the program's name in parentheses, which may
/// itself hold blanks and parentheses.
fn parse_stat(stat: &[u8]) -> Option<Stat> {
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = std::str::from_utf8(stat.get(after_name..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X" | "x");
    let start_time = fields.nth(18)?.parse().ok()?;
    Some(Stat { ended, start_time })
}

/// Which start of the machine this is; process ids of another one mean nothing.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// A program to start, by its path or by the PATH it will have itself.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where processes are started"
)]
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(name)
}

fn write_script(path: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_times() {
        let line = b"7 (a) (b c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3\n";
        let expected = Stat {
            ended: false,
            start_time: 987_654,
        };
        assert_eq!(parse_stat(line), Some(expected));
        let zombie = b"7 (x) Z 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 5 1";
        assert!(parse_stat(zombie).is_some_and(|stat| stat.ended));
        for bad in [&b""[..], b"7", b"7 (x", b"7 (x) S 1 2", b"7 (x) \xff"] {
            assert_eq!(parse_stat(bad), None);
        }
        let own = rustix::process::getpid();
        let ticks = start_time(own).unwrap();
        assert!(is_running(own, ticks) && !is_running(own, ticks + 1));
        assert!(!boot_id().is_empty());
    }

    #[test]
    fn a_process_has_an_age() {
        assert_eq!(ticks(250, 100), Some(Duration::from_millis(2_500)));
        assert_eq!(ticks(1, 0), None);
        let own = running_for(std::process::id()).unwrap();
        let first = running_for(1).unwrap();
        assert!(own <= first, "{own:?} and {first:?}");
        assert_eq!(running_for(0), None);
        assert_eq!(running_for(u32::MAX), None);
    }
}
