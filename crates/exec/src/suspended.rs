//! A process that has its program loaded and has run none of it.
//!
//! Between the death of this process and the first instruction of that program stands the kernel: a traced
//! process stops once its program is loaded, and the option that ends it with its tracer is set before it may
//! load anything. So there is no moment at which a program begins without [`Suspended::release`].
//!
//! Where tracing is not allowed, [`Suspended::start`] says so, and nobody is worse off.
#![expect(
    unsafe_code,
    reason = "forking and tracing have no safe form; both are used for this alone"
)]

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What opens the gate; its closing keeps it shut for ever.
const GO: u8 = 1;
/// Exit code of a process whose program could not be loaded. Nobody reads it.
const NOT_LOADED: i32 = 127;
/// Where a wait status holds the event of a traced process. Source: ptrace(2).
const EVENT_SHIFT: u32 = 16;

/// A traced process on its way to its program's first instruction, or standing before it. Dropped, it ends.
#[derive(Debug)]
pub(crate) struct Suspended {
    pid: Pid,
    loaded: bool,
    /// It runs, or has been waited for: it is no longer this value's to end.
    over: bool,
}

impl Suspended {
    /// Starts a process that will stand before the first instruction of the program. To be called in a process
    /// of one thread, which is the one to call everything else here.
    ///
    /// # Errors
    /// What the system says; nothing was started then.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let (mut gate, mut opener) = io::pipe()?;
        // SAFETY: this process has one thread, so the child's copy of it is whole and may do what it likes.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(opener);
                let mut word = [0];
                if matches!(gate.read(&mut word), Ok(1)) {
                    let _ = command.exec();
                }
                // SAFETY: ends the child at once, without what its parent had registered for its own end.
                unsafe { libc::_exit(NOT_LOADED) }
            }
            raw => {
                let pid = Pid::from_raw(raw).ok_or(io::ErrorKind::InvalidData)?;
                let suspended = Self {
                    pid,
                    loaded: false,
                    over: false,
                };
                seize(pid)?;
                opener.write_all(&[GO])?;
                Ok(suspended)
            }
        }
    }

    /// Its number.
    pub(crate) const fn pid(&self) -> Pid {
        self.pid
    }

    /// Takes note of what the system told of it. `false`: it is of no use any more.
    pub(crate) fn note(&mut self, status: WaitStatus) -> bool {
        self.over |= !status.stopped();
        self.loaded |= status.as_raw() >> EVENT_SHIFT == libc::PTRACE_EVENT_EXEC;
        self.loaded && !self.over
    }

    /// Lets it run. `None`: it is gone, and has run nothing.
    pub(crate) fn release(mut self) -> Option<Pid> {
        if !self.loaded {
            let wait = || rustix::process::waitpid(Some(self.pid), WaitOptions::empty());
            let (_, status) = rustix::io::retry_on_intr(wait).ok()??;
            if !self.note(status) {
                return None;
            }
        }
        detach(self.pid).ok()?;
        self.over = true;
        Some(self.pid)
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        if !self.over {
            // Fails only where it is gone. Its end is taken with those of other children.
            let _ = rustix::process::kill_process(self.pid, Signal::KILL);
        }
    }
}

/// Traces a process: it will stop once it has loaded a program, and end when this one does.
fn seize(pid: Pid) -> io::Result<()> {
    let options = libc::PTRACE_O_EXITKILL | libc::PTRACE_O_TRACEEXEC;
    // SAFETY: the request reads no memory of this process, nor writes any.
    done(unsafe {
        libc::ptrace(
            libc::PTRACE_SEIZE,
            raw(pid),
            NOTHING,
            libc::c_long::from(options),
        )
    })
}

/// Traces it no longer; it goes on.
fn detach(pid: Pid) -> io::Result<()> {
    // SAFETY: as above.
    done(unsafe { libc::ptrace(libc::PTRACE_DETACH, raw(pid), NOTHING, NOTHING) })
}

/// What a request does not use.
const NOTHING: libc::c_long = 0;

fn raw(pid: Pid) -> libc::pid_t {
    pid.as_raw_nonzero().get()
}

fn done(result: libc::c_long) -> io::Result<()> {
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
