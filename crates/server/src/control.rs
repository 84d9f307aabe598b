//! The control socket: how commands with `--data` speak to the running instance.
//!
//! One request and one answer per connection, each a line of JSON. The socket file is private, and the
//! peer must be the user the instance runs as (or root).

use serde::{Deserialize, Serialize};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// File name of the socket in the data directory.
pub const CONTROL_SOCKET: &str = "control.sock";
/// Longest request, in bytes: scripts to be applied come whole.
const REQUEST_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest answer a client reads, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Requests served at the same time.
const CONNECTIONS_MAX: usize = 16;
/// Time a client has to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest a client waits for its answer; an enlistment may take its 30 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// What a command asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// `muster token create`.
    TokenCreate {
        /// Seconds until it expires.
        ttl_secs: u64,
        /// Enlistments it is good for.
        uses: u32,
        /// Location that targets get which name none.
        location: Option<String>,
    },
    /// `muster enlist`.
    Enlist {
        /// `HOST[,PORT]`.
        master: String,
        /// One-time token, or else login and password.
        token: Option<String>,
        /// Login on the master.
        login: Option<String>,
        /// Its password.
        password: Option<String>,
        /// Free text stored at the master.
        location: Option<String>,
        /// 0, 1 or 2; the stored option when not given.
        encryption: Option<u8>,
    },
    /// `muster defect`.
    Defect {
        /// Without contacting the master.
        force: bool,
    },
    /// A T-SQL batch run as sysadmin: what the table commands are made of.
    Query {
        /// The batch.
        sql: String,
    },
}

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done; a text for standard output.
    Text {
        /// The text, without a line end.
        text: String,
    },
    /// The result sets of a query.
    Results {
        /// In order.
        results: Vec<ResultTable>,
    },
    /// Not done.
    Error {
        /// SQL message number where there is one.
        number: Option<i32>,
        /// Why.
        message: String,
    },
}

/// One result set, its values in the form clients show.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ResultTable {
    /// Column names.
    pub columns: Vec<String>,
    /// Rows; NULL is null.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Who asked, by the socket's own word.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// Operating-system user.
    pub user: u32,
}

/// Carries out requests. Called on a blocking thread.
pub trait ControlHandler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Request, peer: Peer) -> Answer;
}

/// Why a command could not be passed to the instance.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Nobody listens.
    #[error("no instance of Muster runs on {directory}")]
    NotRunning {
        /// The data directory.
        directory: PathBuf,
        /// Why the socket could not be reached.
        #[source]
        source: io::Error,
    },
    /// The conversation broke off.
    #[error("the instance did not answer")]
    Broken(#[source] io::Error),
    /// The answer was not understood: another version.
    #[error("the instance answered something else; is it another version?")]
    Unintelligible(#[source] serde_json::Error),
}

/// Binds the socket of a data directory, replacing what a killed instance left. The caller holds the
/// catalog's lock, so that no other instance can be behind an existing file.
///
/// # Errors
/// What the file system says.
pub fn bind(directory: &Path) -> io::Result<UnixListener> {
    let path = directory.join(CONTROL_SOCKET);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves requests until the listener is dropped with its task.
pub async fn serve(listener: UnixListener, handler: Arc<dyn ControlHandler>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "the control socket does not accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let handler = Arc::clone(&handler);
        tokio::spawn(async move {
            if let Err(error) = converse(stream, handler).await {
                tracing::debug!(%error, "control conversation ended");
            }
            drop(place);
        });
    }
}

async fn converse(stream: UnixStream, handler: Arc<dyn ControlHandler>) -> io::Result<()> {
    let user = stream.peer_cred()?.uid();
    let (reader, mut writer) = stream.into_split();
    let answer = if user == crate::platform::current_user() || user == 0 {
        let mut line = String::new();
        let mut reader = tokio::io::BufReader::new(reader.take(REQUEST_BYTES_MAX));
        tokio::time::timeout(REQUEST_TIMEOUT, reader.read_line(&mut line)).await??;
        match serde_json::from_str::<Request>(&line) {
            Ok(request) => {
                tokio::task::spawn_blocking(move || handler.handle(request, Peer { user })).await?
            }
            Err(error) => Answer::Error {
                number: None,
                message: format!("the request is not understood: {error}"),
            },
        }
    } else {
        tracing::warn!(user, "refused a control request of another user");
        Answer::Error {
            number: None,
            message: "only the user who runs the instance may control it".to_owned(),
        }
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    writer.write_all(&bytes).await
}

/// Asks the instance of a data directory. Blocks; for commands, not for the instance itself.
///
/// # Errors
/// [`ControlError`].
pub fn ask(directory: &Path, request: &Request) -> Result<Answer, ControlError> {
    let stream = StdUnixStream::connect(directory.join(CONTROL_SOCKET)).map_err(|source| {
        ControlError::NotRunning {
            directory: directory.to_owned(),
            source,
        }
    })?;
    let line = exchange(stream, request).map_err(ControlError::Broken)?;
    serde_json::from_slice(&line).map_err(ControlError::Unintelligible)
}

fn exchange(mut stream: StdUnixStream, request: &Request) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    stream.set_write_timeout(Some(REQUEST_TIMEOUT))?;
    let mut bytes = serde_json::to_vec(request)?;
    bytes.push(b'\n');
    stream.write_all(&bytes)?;
    let mut line = Vec::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX)).read_until(b'\n', &mut line)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo;
    impl ControlHandler for Echo {
        fn handle(&self, request: Request, _peer: Peer) -> Answer {
            Answer::Text {
                text: format!("{request:?}"),
            }
        }
    }

    #[test]
    fn a_request_is_answered_and_nonsense_refused() {
        let directory = std::env::temp_dir().join(format!("muster-ctl-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&directory).unwrap();
        assert!(matches!(
            ask(&directory, &Request::Defect { force: true }),
            Err(ControlError::NotRunning { .. })
        ));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(async { bind(&directory) }).unwrap();
        let mode = std::fs::metadata(directory.join(CONTROL_SOCKET))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let client = {
            let directory = directory.clone();
            std::thread::spawn(move || {
                let good = ask(&directory, &Request::Defect { force: true });
                let mut bad = StdUnixStream::connect(directory.join(CONTROL_SOCKET)).unwrap();
                bad.write_all(b"{\"command\":\"dance\"}\n").unwrap();
                let mut line = String::new();
                BufReader::new(bad).read_line(&mut line).unwrap();
                (good, line)
            })
        };
        let server = runtime.spawn(serve(listener, Arc::new(Echo)));
        let (good, bad) = runtime
            .block_on(async { tokio::task::spawn_blocking(move || client.join()).await })
            .unwrap()
            .unwrap();
        server.abort();
        assert!(matches!(good.unwrap(), Answer::Text { text } if text.contains("force: true")));
        assert!(bad.contains("not understood"), "{bad}");
        std::fs::remove_dir_all(directory).unwrap();
    }
}
