//! The agent's side: starts the launcher when there is none, speaks with it, and finds it again.
//!
//! A thread reads what the launcher tells and hands it to one callback. When the launcher dies, that
//! thread says [`LauncherEvent::Lost`], starts another, and says [`LauncherEvent::Connected`] with all
//! that the new one knows from the journal.

use crate::clock::monotonic;
use crate::environment::service_environment;
use crate::error::ExecError;
use crate::launcher::{DIR_OPTION, FAILED, LOCKED, OUTPUT_DIR, READY, SUBCOMMAND};
use crate::process;
use crate::socket;
use crate::step::{StepCommand, StepEnded, StepKey, StepReport, StepState};
use crate::wire::{self, EndedHead, Event, FrameBuffer, Key, PROTOCOL, Request, StepHead};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, PipeReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a launcher may take to start and to answer.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a message to the launcher may wait for room before the launcher counts as lost.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Shortest and longest wait before another try to get a launcher.
pub const RECONNECT_WAIT: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_secs(5));
/// The launcher's log starts anew beyond this, in bytes.
const LOG_BYTES_MAX: u64 = 256 * 1024;
/// Longest last words taken from a launcher that gave up, in bytes.
const REASON_BYTES_MAX: u64 = 4 * 1024;
/// Bytes read from the launcher at once.
const READ_BYTES: usize = 64 * 1024;

/// Where the launcher works and which program it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LauncherConfig {
    /// Its directory, made with mode 0700 when missing. One launcher works in one directory.
    pub dir: PathBuf,
    /// The program, called as `PROGRAM launcher --dir DIR`.
    pub program: PathBuf,
}

/// What the launcher tells. Events of one step come in order; an end may be told more than once.
#[derive(Debug)]
pub enum LauncherEvent {
    /// A launcher is there, at first and again after [`LauncherEvent::Lost`].
    Connected {
        /// Its process id.
        pid: u32,
        /// Whether it was started just now.
        spawned: bool,
        /// Whether a step missing from `steps` was certainly never started. Where it is false, such a step
        /// is in doubt; once the caller has dealt with all of them, it calls [`LauncherClient::confirm`].
        complete: bool,
        /// All steps it knows.
        steps: Vec<StepReport>,
    },
    /// A step runs.
    Running {
        /// Which.
        key: StepKey,
        /// Process id.
        pid: u32,
    },
    /// Output of a followed step, as it appears. Gaps are possible; the whole comes with the end.
    Output {
        /// Which step.
        key: StepKey,
        /// Place of the first byte in the step's stream.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A step ended. It stays known until [`LauncherClient::collect`].
    Ended(StepEnded),
    /// The launcher is gone; another is being started.
    Lost {
        /// Why.
        reason: ExecError,
    },
    /// No launcher could be had; the tries go on.
    Unavailable {
        /// Why.
        reason: ExecError,
    },
}

/// Takes events on the client's reader thread. It must not block for long, nor call the client:
/// hand the event on.
pub type EventHandler = Box<dyn FnMut(LauncherEvent) + Send>;

/// A connection to the launcher of one directory, kept up until dropped. Dropping leaves the launcher
/// and its steps alone.
#[derive(Debug)]
pub struct LauncherClient {
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    config: LauncherConfig,
    link: Mutex<Link>,
    /// Wakes the reader from its wait between two tries.
    closed: Condvar,
}

#[derive(Debug, Default)]
struct Link {
    /// `None` while there is no launcher.
    stream: Option<UnixStream>,
    /// Whether that launcher gets processes ready.
    prepares: bool,
    closing: bool,
    /// Launchers started by this process, to be reaped.
    children: Vec<Child>,
    /// Room for frames, kept.
    frame: Vec<u8>,
}

/// A connection that has been made and greeted.
struct Greeted {
    stream: UnixStream,
    frames: FrameBuffer,
    pid: u32,
    spawned: bool,
    complete: bool,
    prepares: bool,
    steps: Vec<StepReport>,
}

impl LauncherClient {
    /// Connects to the launcher of `config.dir`, starting it when there is none. The first event is
    /// [`LauncherEvent::Connected`]. Blocks up to [`CONNECT_TIMEOUT`].
    ///
    /// # Errors
    /// Why there is no launcher; [`ExecError::LauncherFailed`] has its own words.
    pub fn connect_or_spawn(
        config: LauncherConfig,
        mut events: EventHandler,
    ) -> Result<Self, ExecError> {
        make_directory(&config)?;
        let shared = Arc::new(Shared {
            config,
            link: Mutex::new(Link::default()),
            closed: Condvar::new(),
        });
        let greeted = shared.connect()?;
        let for_reader = Arc::clone(&shared);
        let reader = std::thread::Builder::new()
            .name("launcher-events".to_owned())
            .spawn(move || for_reader.read_until_closed(greeted, &mut events))
            .map_err(|source| ExecError::System {
                what: "start a thread",
                source,
            })?;
        Ok(Self {
            shared,
            reader: Some(reader),
        })
    }

    /// Starts a step, unless its key was started before: then its state is told again. Returns when the
    /// request is on its way; [`LauncherEvent::Running`] or [`LauncherEvent::Ended`] follows.
    ///
    /// # Errors
    /// [`ExecError::Connection`] while there is no launcher (the step is in doubt until the next
    /// [`LauncherEvent::Connected`]); [`ExecError::Message`] for a command beyond the longest message.
    pub fn start(&self, command: &StepCommand) -> Result<(), ExecError> {
        let (head, text) = StepHead::of(command)?;
        self.shared.send(&Request::Start(head), text.as_bytes())
    }

    /// Lets the launcher get a process ready for a step that may start soon. Nothing of the step runs before
    /// [`LauncherClient::start`] with the same command; without it the process ends, having run nothing. One
    /// step at a time; a launcher that cannot do it is not asked.
    ///
    /// # Errors
    /// As [`LauncherClient::start`].
    pub fn prepare(&self, command: &StepCommand) -> Result<(), ExecError> {
        if !self.shared.lock().prepares {
            return Ok(());
        }
        let (head, text) = StepHead::of(command)?;
        self.shared.send(&Request::Prepare(head), text.as_bytes())
    }

    /// Stops a step: SIGTERM to its group, SIGKILL after `grace`.
    ///
    /// # Errors
    /// [`ExecError::Connection`] while there is no launcher.
    pub fn stop(&self, key: StepKey, grace: Duration) -> Result<(), ExecError> {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.shared.send(
            &Request::Stop {
                key: Key(key),
                grace_ms,
            },
            &[],
        )
    }

    /// Turns [`LauncherEvent::Output`] on or off for a step.
    ///
    /// # Errors
    /// [`ExecError::Connection`] while there is no launcher.
    pub fn follow(&self, key: StepKey, on: bool) -> Result<(), ExecError> {
        self.shared
            .send(&Request::Follow { key: Key(key), on }, &[])
    }

    /// Says that every step an earlier journal may have known has been dealt with: from now on a step the
    /// launcher doesn't know was never started.
    ///
    /// # Errors
    /// [`ExecError::Connection`] while there is no launcher.
    pub fn confirm(&self) -> Result<(), ExecError> {
        self.shared.send(&Request::Confirm, &[])
    }

    /// Lets the launcher forget an ended step and its output. To be called once the end is durable with
    /// the caller; until then the launcher tells it after each reconnection.
    ///
    /// # Errors
    /// [`ExecError::Connection`] while there is no launcher.
    pub fn collect(&self, key: StepKey) -> Result<(), ExecError> {
        self.shared.send(&Request::Collect { key: Key(key) }, &[])
    }

    /// Ends the launcher once nothing runs, at once stopping what runs where `stop_grace` is given, and
    /// waits up to `wait` for its end. Whether it ended in time.
    pub fn shut_down(&mut self, stop_grace: Option<Duration>, wait: Duration) -> bool {
        self.shared.lock().closing = true;
        let grace_ms = stop_grace.map_or(0, |grace| {
            u64::try_from(grace.as_millis()).unwrap_or(u64::MAX)
        });
        let request = Request::Shutdown {
            stop: stop_grace.is_some(),
            grace_ms,
        };
        if self.shared.send(&request, &[]).is_err() {
            return false;
        }
        // The reader ends when the launcher closes the socket, which is when the launcher ends.
        let deadline = monotonic() + wait;
        let mut link = self.shared.lock();
        while link.stream.is_some() {
            let left = deadline.saturating_duration_since(monotonic());
            if left.is_zero() {
                break;
            }
            link = self
                .shared
                .closed
                .wait_timeout(link, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let ended = link.stream.is_none();
        drop(link);
        self.close();
        ended
    }

    fn close(&mut self) {
        let mut link = self.shared.lock();
        link.closing = true;
        if let Some(stream) = &link.stream {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(link);
        self.shared.closed.notify_all();
        if let Some(reader) = self.reader.take()
            && reader.thread().id() != std::thread::current().id()
        {
            let _ = reader.join();
        }
    }
}

impl Drop for LauncherClient {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, request: &Request, payload: &[u8]) -> Result<(), ExecError> {
        let mut link = self.lock();
        let link = &mut *link;
        let Some(stream) = link.stream.as_mut() else {
            return Err(ExecError::Connection {
                source: io::ErrorKind::NotConnected.into(),
            });
        };
        link.frame.clear();
        wire::encode(&mut link.frame, request, payload)?;
        let written = stream.write_all(&link.frame);
        link.frame.shrink_to(64 * 1024);
        written.map_err(|source| {
            // Part of a frame may be on its way: this connection is of no more use.
            if let Some(stream) = link.stream.take() {
                let _ = stream.shutdown(Shutdown::Both);
            }
            ExecError::Connection { source }
        })
    }

    fn read_until_closed(&self, first: Greeted, events: &mut EventHandler) {
        let mut next = Some(first);
        let mut wait = RECONNECT_WAIT.0;
        loop {
            if let Some(greeted) = next.take() {
                wait = RECONNECT_WAIT.0;
                let reason = self.read(greeted, events);
                let mut link = self.lock();
                link.stream = None;
                let closing = link.closing;
                drop(link);
                self.closed.notify_all();
                if closing {
                    break;
                }
                events(LauncherEvent::Lost { reason });
            }
            match self.connect() {
                Ok(greeted) => next = Some(greeted),
                Err(reason) => {
                    events(LauncherEvent::Unavailable { reason });
                    let link = self.lock();
                    let (link, _) = self
                        .closed
                        .wait_timeout_while(link, wait, |link| !link.closing)
                        .unwrap_or_else(PoisonError::into_inner);
                    if link.closing {
                        break;
                    }
                    wait = (wait * 2).min(RECONNECT_WAIT.1);
                }
            }
        }
        reap(&mut self.lock().children);
    }

    /// Hands on what one launcher tells, until it is gone; why it is.
    fn read(&self, greeted: Greeted, events: &mut EventHandler) -> ExecError {
        let Greeted {
            mut stream,
            mut frames,
            pid,
            spawned,
            complete,
            prepares: _,
            steps,
        } = greeted;
        events(LauncherEvent::Connected {
            pid,
            spawned,
            complete,
            steps,
        });
        let mut bytes = vec![0u8; READ_BYTES];
        loop {
            loop {
                match frames.next::<Event>() {
                    Ok(Some((event, payload))) => {
                        if let Some(event) = self.understand(event, payload) {
                            events(event);
                        }
                    }
                    Ok(None) => break,
                    Err(error) => return error,
                }
            }
            match stream.read(&mut bytes) {
                Ok(0) => {
                    return ExecError::Connection {
                        source: io::ErrorKind::UnexpectedEof.into(),
                    };
                }
                Ok(count) => frames.extend(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return ExecError::Connection { source },
            }
        }
    }

    fn understand(&self, event: Event, payload: Vec<u8>) -> Option<LauncherEvent> {
        match event {
            Event::Running { key, pid, .. } => Some(LauncherEvent::Running { key: key.0, pid }),
            Event::Output { key, offset } => Some(LauncherEvent::Output {
                key: key.0,
                offset,
                bytes: payload,
            }),
            Event::Ended(head) => Some(LauncherEvent::Ended(self.ended(head, payload))),
            Event::Hello { .. } | Event::Listed => None,
        }
    }

    fn ended(&self, head: EndedHead, payload: Vec<u8>) -> StepEnded {
        let key = head.key.0;
        let path = self.config.dir.join(OUTPUT_DIR).join(key.to_string());
        StepEnded {
            key,
            stopped: head.stopped,
            elapsed: head.elapsed_ms.map(Duration::from_millis),
            output: head.stored(payload).read(&path),
            note: head.note,
            end: head.end.into(),
        }
    }

    /// Gets a launcher: the one that is there, or a new one.
    fn connect(&self) -> Result<Greeted, ExecError> {
        reap(&mut self.lock().children);
        let deadline = monotonic() + CONNECT_TIMEOUT;
        let mut spawned = false;
        loop {
            let why = match self.greet(deadline, spawned) {
                Ok(greeted) => {
                    let stream = greeted
                        .stream
                        .try_clone()
                        .map_err(|source| ExecError::Connection { source })?;
                    let mut link = self.lock();
                    link.stream = Some(stream);
                    link.prepares = greeted.prepares;
                    if link.closing
                        && let Some(stream) = &link.stream
                    {
                        let _ = stream.shutdown(Shutdown::Both);
                    }
                    return Ok(greeted);
                }
                Err(error) => error,
            };
            // Nobody listens, or a launcher that was about to end. Everything else is final.
            if !matches!(why, ExecError::Connection { .. }) || monotonic() >= deadline {
                return Err(why);
            }
            match self.spawn(deadline) {
                Ok(()) => spawned = true,
                // Another launcher holds the directory: it is starting, or ending.
                Err(ExecError::Locked { path }) => {
                    let link = self.lock();
                    let (link, _) = self
                        .closed
                        .wait_timeout_while(link, RECONNECT_WAIT.0, |link| !link.closing)
                        .unwrap_or_else(PoisonError::into_inner);
                    if link.closing || monotonic() >= deadline {
                        return Err(ExecError::Locked { path });
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Connects, greets, and asks for all steps.
    fn greet(&self, deadline: Instant, spawned: bool) -> Result<Greeted, ExecError> {
        let connection = |source| ExecError::Connection { source };
        let mut stream = socket::connect(&self.config.dir).map_err(connection)?;
        socket::check_peer(&stream)?;
        stream
            .set_write_timeout(Some(WRITE_TIMEOUT))
            .map_err(connection)?;
        let mut hello = Vec::new();
        wire::encode(&mut hello, &Request::Hello { protocol: PROTOCOL }, &[])?;
        wire::encode(&mut hello, &Request::List, &[])?;
        stream.write_all(&hello).map_err(connection)?;
        let mut frames = FrameBuffer::default();
        let mut steps = BTreeMap::new();
        let mut launcher = (0, false, false);
        let mut bytes = vec![0u8; READ_BYTES];
        loop {
            while let Some((event, payload)) = frames.next::<Event>()? {
                match event {
                    Event::Hello {
                        protocol,
                        pid,
                        complete,
                        prepares,
                    } => {
                        if protocol != PROTOCOL {
                            // That one ends when its steps have; then ours can start.
                            let mut shutdown = Vec::new();
                            let request = Request::Shutdown {
                                stop: false,
                                grace_ms: 0,
                            };
                            wire::encode(&mut shutdown, &request, &[])?;
                            stream.write_all(&shutdown).map_err(connection)?;
                            return Err(ExecError::Protocol {
                                theirs: protocol,
                                ours: PROTOCOL,
                            });
                        }
                        launcher = (pid, complete, prepares);
                    }
                    Event::Running { key, pid, orphan } => {
                        steps.insert(key.0, StepState::Running { pid, orphan });
                    }
                    Event::Ended(head) => {
                        steps.insert(head.key.0, StepState::Ended(self.ended(head, payload)));
                    }
                    Event::Output { .. } => {}
                    Event::Listed => {
                        stream.set_read_timeout(None).map_err(connection)?;
                        let steps = steps
                            .into_iter()
                            .map(|(key, state)| StepReport { key, state })
                            .collect();
                        return Ok(Greeted {
                            stream,
                            frames,
                            pid: launcher.0,
                            spawned,
                            complete: launcher.1,
                            prepares: launcher.2,
                            steps,
                        });
                    }
                }
            }
            let left = deadline.saturating_duration_since(monotonic());
            if left.is_zero() {
                return Err(self.no_answer());
            }
            stream.set_read_timeout(Some(left)).map_err(connection)?;
            match stream.read(&mut bytes) {
                Ok(0) => return Err(connection(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => frames.extend(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(self.no_answer());
                }
                Err(source) => return Err(connection(source)),
            }
        }
    }

    /// Starts a launcher and waits until it says that it is ready.
    fn spawn(&self, deadline: Instant) -> Result<(), ExecError> {
        let log = self.open_log().map_err(|source| ExecError::Directory {
            path: self.config.dir.clone(),
            source,
        })?;
        let wrong = |source| ExecError::Spawn {
            program: self.config.program.clone(),
            source,
        };
        let (answer, writer) = io::pipe().map_err(wrong)?;
        let mut command = process::program(&self.config.program);
        command
            .arg(SUBCOMMAND)
            .arg(DIR_OPTION)
            .arg(&self.config.dir)
            .env_clear()
            // The launcher gives steps the environment it is told; its own holds no secret either.
            .envs(service_environment())
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(log);
        let child = command.spawn().map_err(wrong)?;
        // Closes this process's copy of the pipe's writing end.
        drop(command);
        self.lock().children.push(child);
        self.wait_for_ready(answer, deadline)
    }

    fn wait_for_ready(&self, mut answer: PipeReader, deadline: Instant) -> Result<(), ExecError> {
        let mut said = Vec::new();
        let mut bytes = [0u8; 512];
        loop {
            let line = String::from_utf8_lossy(&said);
            if let Some((line, _)) = line.split_once('\n')
                && line == READY
            {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(monotonic());
            let timeout = Timespec::try_from(left).map_err(|_| self.no_answer())?;
            let mut watched = [PollFd::new(&answer, PollFlags::IN)];
            match poll(&mut watched, Some(&timeout)) {
                Ok(0) => return Err(self.no_answer()),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => {
                    return Err(ExecError::System {
                        what: "wait for the launcher",
                        source: error.into(),
                    });
                }
            }
            let count = answer.read(&mut bytes).unwrap_or(0);
            if count == 0 || said.len() > usize::try_from(REASON_BYTES_MAX).unwrap_or(0) {
                let text = String::from_utf8_lossy(&said);
                if text.trim() == LOCKED {
                    return Err(ExecError::Locked {
                        path: self.config.dir.clone(),
                    });
                }
                let reason = match text.trim().strip_prefix(FAILED) {
                    Some(reason) => reason.to_owned(),
                    None => format!("it ended at once ({})", self.config.program.display()),
                };
                return Err(ExecError::LauncherFailed { reason });
            }
            said.extend_from_slice(&bytes[..count]);
        }
    }

    fn no_answer(&self) -> ExecError {
        ExecError::NoAnswer {
            path: self.config.dir.clone(),
        }
    }

    fn open_log(&self) -> io::Result<File> {
        let path = self.config.dir.join("launcher.log");
        let long = fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_BYTES_MAX);
        if long {
            fs::remove_file(&path)?;
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
    }
}

fn make_directory(config: &LauncherConfig) -> Result<(), ExecError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.dir)
        .map_err(|source| ExecError::Directory {
            path: config.dir.clone(),
            source,
        })
}

/// Takes the ends of launchers that have ended.
fn reap(children: &mut Vec<Child>) {
    children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}
