//! The socket between agent and launcher: where it is, and who may speak on it.

use crate::error::ExecError;
use rustix::fs::Mode;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The socket's name in the launcher's directory.
pub(crate) const SOCKET_NAME: &str = "launcher.sock";
/// Longest path that is used as it is; the system takes 107 bytes. A longer one goes through `/proc`.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// Binds the socket, mode 0600. The caller holds the directory's lock, so a file there is a leftover.
pub(crate) fn bind(dir: &Path) -> io::Result<UnixListener> {
    let path = dir.join(SOCKET_NAME);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let usual = rustix::process::umask(Mode::from_raw_mode(0o177));
    let bound = reach(dir, UnixListener::bind);
    rustix::process::umask(usual);
    bound
}

/// Connects to the socket.
pub(crate) fn connect(dir: &Path) -> io::Result<UnixStream> {
    reach(dir, UnixStream::connect)
}

/// Refuses a peer that is neither this user nor root.
pub(crate) fn check_peer(stream: &UnixStream) -> Result<(), ExecError> {
    let peer =
        rustix::net::sockopt::socket_peercred(stream).map_err(|source| ExecError::Connection {
            source: source.into(),
        })?;
    if peer.uid == rustix::process::geteuid() || peer.uid.is_root() {
        Ok(())
    } else {
        Err(ExecError::Peer {
            uid: peer.uid.as_raw(),
        })
    }
}

fn reach<T>(dir: &Path, act: impl FnOnce(PathBuf) -> io::Result<T>) -> io::Result<T> {
    let path = dir.join(SOCKET_NAME);
    if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return act(path);
    }
    let held = File::open(dir)?;
    act(PathBuf::from(format!(
        "/proc/self/fd/{}/{SOCKET_NAME}",
        held.as_raw_fd()
    )))
}
