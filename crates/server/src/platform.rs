//! What differs between operating systems: private files, and who is at the other end of the control socket.
//!
//! The rest of the house calls these functions, so that another system needs only another version of them.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

/// Mode of files that hold secrets.
const PRIVATE_FILE_MODE: u32 = 0o600;
/// Mode of directories that hold secrets.
const PRIVATE_DIRECTORY_MODE: u32 = 0o700;

/// Creates a directory that only its owner may enter, with its parents; an existing one is kept as it is.
///
/// # Errors
/// What the file system says.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_DIRECTORY_MODE)
        .create(path)
}

/// Writes a file that only its owner may read, whole or not at all: a crash leaves the old file or the new.
///
/// # Errors
/// What the file system says.
pub fn write_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let temporary = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_FILE_MODE)
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    fs::File::open(directory)?.sync_all()
}

/// The user this process runs as.
#[must_use]
pub fn current_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Processor time that this process has used.
#[must_use]
pub fn processor_time() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(used).unwrap_or_default()
}

/// The host's name, without its domain; `localhost` when the system has none.
#[must_use]
pub fn host_name() -> String {
    let name = rustix::system::uname();
    let text = name.nodename().to_string_lossy();
    let short = text.split('.').next().unwrap_or_default();
    if short.is_empty() {
        "localhost".to_owned()
    } else {
        short.to_owned()
    }
}

/// Asks a process to end in order (SIGTERM).
///
/// # Errors
/// What the system says, for example that there is no such process.
pub fn ask_to_stop(process: u32) -> io::Result<()> {
    let pid = i32::try_from(process)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(
        pid,
        rustix::process::Signal::TERM,
    )?)
}
