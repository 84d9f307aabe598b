//! The launcher process: `muster launcher --dir DIR`.
//!
//! One thread around an epoll loop. It ends by itself once no agent is connected and nothing runs; what
//! ended and was not collected waits in the journal for the next launcher.
//!
//! SIGTERM ends it, and what it runs, only while no agent is connected: a service manager that signals
//! every process of a service at once must not take the steps away before the agent's shutdown time-out.
//! Under systemd, `KillMode=mixed` keeps the steps from being signalled at a stop, and `KillMode=process`
//! lets them outlive a crash of the agent too.

mod agent_link;
mod ahead;
mod inherited;
mod running;
mod service;
mod serving;
mod steps;

use crate::error::ExecError;
use crate::pages::ProgramPages;
use crate::socket;
use service::Service;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Steps that may run at once; each takes a file descriptor of the launcher.
pub const STEPS_RUNNING_MAX: usize = 900;
/// Steps that may be known at once, those included that ended and were not collected.
pub const STEPS_KNOWN_MAX: usize = 4_096;
/// How long a grandchild may hold the output open after its step's process has ended.
pub const OUTPUT_GRACE: Duration = Duration::from_secs(1);
/// How long a launcher without an agent and without steps waits for either.
pub const LINGER: Duration = Duration::from_secs(30);
/// How long nothing runs before the launcher makes itself small: it is the whole program, of which it needs a
/// hundredth.
pub const REST_AFTER: Duration = Duration::from_secs(10);
/// How long a process that is ready for a step waits for the step's start.
pub const AHEAD_MAX: Duration = Duration::from_secs(5);
/// How often a step of an earlier launcher is looked at: its end tells nobody.
pub const ORPHAN_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Name of the subcommand.
pub const SUBCOMMAND: &str = "launcher";
/// Option that names the directory.
pub const DIR_OPTION: &str = "--dir";
/// What the launcher says on its standard output when it can be connected to.
pub(crate) const READY: &str = "ready";
/// What it says when another launcher has the directory.
pub(crate) const LOCKED: &str = "locked";
/// What it says before the reason when it cannot work.
pub(crate) const FAILED: &str = "failed: ";

/// Directory of spilled outputs and long commands, inside the launcher's.
pub(crate) const OUTPUT_DIR: &str = "out";
const JOURNAL_NAME: &str = "journal";
const LOCK_NAME: &str = "lock";

/// Runs as the launcher if the program's arguments ask for it (`launcher --dir DIR`). To be called before
/// anything is opened and before any thread starts.
#[must_use]
pub fn dispatch(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != SUBCOMMAND || arguments.next()? != DIR_OPTION {
        return None;
    }
    Some(main(Path::new(&arguments.next()?)))
}

/// Runs as the launcher of this directory until it is no longer needed. The directory exists, belongs to
/// this user, and nobody else may write in it. To be called before anything is opened and before any
/// thread starts: it closes whatever files the process inherited, and becomes leader of a session.
#[must_use]
pub fn main(dir: &Path) -> ExitCode {
    inherited::close_files();
    let pages = ProgramPages::note();
    // Fails only where this process leads a group already, which a launcher started by a shell does.
    let _ = rustix::process::setsid();
    // So that what a step leaves behind does not become a zombie where no init reaps it.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let mut stdout = std::io::stdout();
    let mut service = match open(dir, pages) {
        Ok(service) => service,
        Err(ExecError::Locked { .. }) => {
            let _ = writeln!(stdout, "{LOCKED}");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            let _ = writeln!(stdout, "{FAILED}{}", model::error_chain(&error));
            return ExitCode::FAILURE;
        }
    };
    service.rest();
    let _ = writeln!(stdout, "{READY}");
    let _ = stdout.flush();
    match service.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("launcher: {}", model::error_chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn open(dir: &Path, pages: ProgramPages) -> Result<Service, ExecError> {
    let (dir, lock) = take_directory(dir)?;
    std::env::set_current_dir("/").map_err(|source| ExecError::System {
        what: "change to the root directory",
        source,
    })?;
    let listener = socket::bind(&dir).map_err(|source| ExecError::System {
        what: "bind the socket",
        source,
    })?;
    Service::new(dir.clone(), dir.join(JOURNAL_NAME), lock, listener, pages)
}

/// Checks the directory and locks it for the life of this process.
fn take_directory(dir: &Path) -> Result<(PathBuf, File), ExecError> {
    let wrong = |source| ExecError::Directory {
        path: dir.to_owned(),
        source,
    };
    let dir = fs::canonicalize(dir).map_err(wrong)?;
    let metadata = fs::metadata(&dir).map_err(wrong)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0 {
        return Err(wrong(std::io::Error::new(
            std::io::ErrorKind::PermissionDenied,
            "it must belong to the launcher's user, and nobody else may write in it",
        )));
    }
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join(LOCK_NAME))
        .map_err(wrong)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(ExecError::Locked { path: dir }),
        Err(TryLockError::Error(source)) => return Err(wrong(source)),
    }
    match fs::create_dir(dir.join(OUTPUT_DIR)) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            return Err(wrong(error));
        }
        _ => {}
    }
    Ok((dir, lock))
}
