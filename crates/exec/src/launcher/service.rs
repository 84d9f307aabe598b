//! The launcher's loop and all it knows. What the agent asks is in `serving`, what becomes of steps in
//! `steps`.

use super::agent_link::AgentLink;
use super::ahead::Ahead;
use super::running::Running;
use super::{LINGER, ORPHAN_CHECK_INTERVAL, OUTPUT_DIR, REST_AFTER};
use crate::clock::monotonic;
use crate::error::ExecError;
use crate::journal::{Journal, Record, Remembered, unknown_end};
use crate::pages::ProgramPages;
use crate::process;
use crate::socket;
use crate::step::StepKey;
use crate::wire::EndedHead;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const LISTENER: u64 = 0;
const CHILDREN: u64 = 1;
const TERMINATE: u64 = 2;
/// Numbers from here on are given out, each once: to agents and to steps' outputs.
const FIRST_FREE: u64 = 16;
/// Events taken from epoll at once.
const EVENTS_MAX: usize = 64;

/// A step, from its start until it is collected.
#[derive(Debug)]
pub(super) enum Step {
    Running(Box<Running>),
    /// Started by a launcher that died; watched until it is gone.
    Orphan {
        pid: Pid,
        start_time: u64,
        stopped: bool,
    },
    Ended {
        head: Box<EndedHead>,
        payload: Vec<u8>,
    },
}

/// What to do at a moment. A step's timers may fire after the step has ended; they check.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timer {
    /// SIGKILL for a stopped step's group.
    Kill(StepKey),
    /// Wait no longer for a step's output.
    Output(StepKey),
    /// Look at orphans.
    Orphans,
    /// See whether this launcher is still needed.
    Linger,
    /// See whether it has nothing to do.
    Rest,
    /// Wait no longer for the start of a step that a process is ready for.
    Ahead(StepKey),
}

/// The launcher.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) dir: PathBuf,
    /// Held for as long as this process lives.
    pub(super) _lock: File,
    pub(super) epoll: OwnedFd,
    pub(super) listener: UnixListener,
    pub(super) children: UnixStream,
    pub(super) terminate: UnixStream,
    pub(super) journal: Journal,
    /// The last line could not be written; said once.
    pub(super) journal_broken: bool,
    pub(super) steps: BTreeMap<StepKey, Step>,
    pub(super) by_pid: BTreeMap<i32, StepKey>,
    pub(super) by_token: BTreeMap<u64, StepKey>,
    pub(super) next_token: u64,
    /// How many of `steps` are [`Step::Running`].
    pub(super) running: usize,
    /// Whether this system lets processes be got ready.
    pub(super) gets_ready: bool,
    /// A process that is ready for a step.
    pub(super) ahead: Option<Ahead>,
    pub(super) timers: BTreeMap<(Instant, u64), Timer>,
    pub(super) timers_made: u64,
    pub(super) agent: Option<AgentLink>,
    pub(super) alone_since: Instant,
    pub(super) closing: bool,
    pub(super) buffer: Vec<u8>,
    pub(super) pages: ProgramPages,
    /// A look whether nothing runs is due.
    pub(super) rest_due: bool,
}

fn system(what: &'static str) -> impl Fn(rustix::io::Errno) -> ExecError {
    move |error| ExecError::System {
        what,
        source: error.into(),
    }
}

impl Service {
    /// Reads the journal and gets ready to serve.
    pub(super) fn new(
        dir: PathBuf,
        journal: PathBuf,
        lock: File,
        listener: UnixListener,
        pages: ProgramPages,
    ) -> Result<Self, ExecError> {
        let (journal, remembered) = Journal::open(journal)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(system("make an epoll"))?;
        let nonblocking = |source| ExecError::System {
            what: "set up the socket",
            source,
        };
        listener.set_nonblocking(true).map_err(nonblocking)?;
        let children = signal_stream(SIGCHLD)?;
        let terminate = signal_stream(SIGTERM)?;
        // SIGQUIT too: a shell's background program has it ignored, and steps would inherit that; what is
        // handled here is reset when a step starts.
        for signal in [SIGHUP, SIGINT, SIGQUIT] {
            // A handler that does nothing, unlike "ignore", is not inherited by steps.
            signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).map_err(
                |source| ExecError::System {
                    what: "handle a signal",
                    source,
                },
            )?;
        }
        let watch = system("watch a file");
        epoll::add(
            &epoll,
            &listener,
            EventData::new_u64(LISTENER),
            EventFlags::IN,
        )
        .map_err(&watch)?;
        epoll::add(
            &epoll,
            &children,
            EventData::new_u64(CHILDREN),
            EventFlags::IN,
        )
        .map_err(&watch)?;
        epoll::add(
            &epoll,
            &terminate,
            EventData::new_u64(TERMINATE),
            EventFlags::IN,
        )
        .map_err(&watch)?;
        let mut service = Self {
            dir,
            _lock: lock,
            epoll,
            listener,
            children,
            terminate,
            journal,
            journal_broken: false,
            steps: BTreeMap::new(),
            by_pid: BTreeMap::new(),
            by_token: BTreeMap::new(),
            next_token: FIRST_FREE,
            running: 0,
            gets_ready: true,
            ahead: None,
            timers: BTreeMap::new(),
            timers_made: 0,
            agent: None,
            alone_since: monotonic(),
            closing: false,
            buffer: Vec::new(),
            pages,
            rest_due: false,
        };
        service.adopt(remembered);
        service.remove_unknown_files();
        service.schedule(LINGER, Timer::Linger);
        Ok(service)
    }

    /// Serves until the launcher is no longer needed.
    pub(super) fn run(&mut self) -> Result<(), ExecError> {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        while !self.is_done() {
            let timeout = self.timers.keys().next().map(|(due, _)| {
                let wait = due.saturating_duration_since(monotonic());
                // Rounded up to the millisecond that epoll knows, or the loop would spin.
                let wait = wait + Duration::from_micros(999);
                Timespec::try_from(wait).unwrap_or(Timespec {
                    tv_sec: 1,
                    tv_nsec: 0,
                })
            });
            match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(system("wait for events")(error)),
            }
            for event in events.drain(..) {
                self.on_event(event.data.u64(), event.flags);
            }
            self.fire_timers();
            self.after_turn();
        }
        // Under the lock, so no newer launcher's socket can be hit.
        let _ = fs::remove_file(self.dir.join(socket::SOCKET_NAME));
        Ok(())
    }

    fn is_done(&self) -> bool {
        if self.running > 0 {
            return false;
        }
        if self.closing {
            return self.agent.as_ref().is_none_or(AgentLink::is_flushed);
        }
        self.agent.is_none()
            && monotonic().saturating_duration_since(self.alone_since) >= LINGER
            && !self
                .steps
                .values()
                .any(|step| matches!(step, Step::Orphan { .. }))
    }

    fn on_event(&mut self, token: u64, flags: EventFlags) {
        match token {
            LISTENER => self.accept(),
            CHILDREN => {
                drain(&self.children);
                self.reap();
            }
            TERMINATE => {
                drain(&self.terminate);
                if self.agent.is_none() {
                    self.shut_down(Some(crate::step::STOP_GRACE_DEFAULT));
                }
            }
            _ => {
                if self
                    .agent
                    .as_ref()
                    .is_some_and(|agent| agent.token == token)
                {
                    self.on_agent(flags);
                } else if let Some(key) = self.by_token.get(&token).copied() {
                    self.on_output(key);
                }
            }
        }
    }

    // Time.

    pub(super) fn schedule(&mut self, after: Duration, timer: Timer) {
        self.timers_made += 1;
        self.timers
            .insert((monotonic() + after, self.timers_made), timer);
    }

    fn fire_timers(&mut self) {
        let now = monotonic();
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > now {
                return;
            }
            match entry.remove() {
                Timer::Kill(key) => match self.steps.get(&key) {
                    Some(Step::Running(running)) if running.exit.is_none() => {
                        signal_group(running.pid, Signal::KILL);
                    }
                    Some(Step::Orphan {
                        pid, start_time, ..
                    }) if process::is_running(*pid, *start_time) => {
                        signal_group(*pid, Signal::KILL);
                    }
                    Some(_) | None => {}
                },
                Timer::Output(key) => {
                    if matches!(self.steps.get(&key), Some(Step::Running(running)) if running.exit.is_some())
                    {
                        self.on_output(key);
                        self.finish(key);
                    }
                }
                Timer::Orphans => self.check_orphans(),
                Timer::Ahead(key) => self.forget_ahead(key),
                // `is_done` looks by itself.
                Timer::Linger => {}
                Timer::Rest => {
                    self.rest_due = false;
                    if self.running == 0 {
                        self.rest();
                    }
                }
            }
        }
    }

    /// Lets go of memory that is not needed while nothing runs.
    pub(super) fn rest(&mut self) {
        self.buffer = Vec::new();
        self.pages.give_back();
    }

    /// Looks in a while whether nothing runs.
    pub(super) fn rest_later(&mut self) {
        if !std::mem::replace(&mut self.rest_due, true) {
            self.schedule(REST_AFTER, Timer::Rest);
        }
    }

    fn check_orphans(&mut self) {
        let mut gone = Vec::new();
        let mut left = false;
        for (key, step) in &self.steps {
            if let Step::Orphan {
                pid,
                start_time,
                stopped,
            } = step
            {
                if process::is_running(*pid, *start_time) {
                    left = true;
                } else {
                    gone.push((*key, *stopped));
                }
            }
        }
        for (key, stopped) in gone {
            let head = EndedHead {
                stopped,
                ..unknown_end(key)
            };
            self.ended(head, Vec::new());
        }
        if left {
            self.schedule(ORPHAN_CHECK_INTERVAL, Timer::Orphans);
        }
    }

    /// Sends what can be sent, goes on with requests that waited for room, and tidies the journal.
    fn after_turn(&mut self) {
        self.serve_requests();
        let mut broken = false;
        if let Some(agent) = self.agent.as_mut() {
            broken = agent.flush().is_err();
            let wanted = agent.wanted();
            if !broken && wanted != agent.interest {
                agent.interest = wanted;
                broken = epoll::modify(
                    &self.epoll,
                    &agent.stream,
                    EventData::new_u64(agent.token),
                    wanted,
                )
                .is_err();
            }
        }
        if broken {
            self.drop_agent();
        }
        if self.journal.wants_compaction() {
            let remembered = self.remembered();
            if let Err(error) = self.journal.compact(&remembered) {
                self.complain(&error.to_string());
            }
        }
    }

    // The journal and files.

    pub(super) fn record(&mut self, record: &Record) {
        match self.journal.append(record) {
            Ok(()) => self.journal_broken = false,
            Err(error) => self.complain(&format!("write the journal: {error}")),
        }
    }

    pub(super) fn complain(&mut self, what: &str) {
        if !self.journal_broken {
            eprintln!("launcher: {what}");
        }
        self.journal_broken = true;
    }

    fn remembered(&self) -> BTreeMap<StepKey, Remembered> {
        self.steps
            .iter()
            .map(|(key, step)| {
                let state = match step {
                    Step::Running(running) => Remembered::Open {
                        process: Some((running.pid.as_raw_nonzero().get(), running.start_time)),
                    },
                    Step::Orphan {
                        pid, start_time, ..
                    } => Remembered::Open {
                        process: Some((pid.as_raw_nonzero().get(), *start_time)),
                    },
                    Step::Ended { head, payload } => {
                        Remembered::Ended((**head).clone(), text_of(payload))
                    }
                };
                (*key, state)
            })
            .collect()
    }

    fn adopt(&mut self, remembered: BTreeMap<StepKey, Remembered>) {
        let mut orphans = false;
        for (key, state) in remembered {
            match state {
                Remembered::Ended(head, text) => {
                    self.steps.insert(
                        key,
                        Step::Ended {
                            head: Box::new(head),
                            payload: bytes_of(&text),
                        },
                    );
                }
                Remembered::Open { process } => {
                    let alive = process.and_then(|(pid, start_time)| {
                        let pid = Pid::from_raw(pid)?;
                        process::is_running(pid, start_time).then_some((pid, start_time))
                    });
                    match alive {
                        Some((pid, start_time)) => {
                            orphans = true;
                            self.steps.insert(
                                key,
                                Step::Orphan {
                                    pid,
                                    start_time,
                                    stopped: false,
                                },
                            );
                        }
                        None => self.ended(unknown_end(key), Vec::new()),
                    }
                }
            }
        }
        if orphans {
            self.schedule(ORPHAN_CHECK_INTERVAL, Timer::Orphans);
        }
    }

    /// Removes outputs and commands of steps that nobody knows any more.
    fn remove_unknown_files(&self) {
        let Ok(listing) = fs::read_dir(self.dir.join(OUTPUT_DIR)) else {
            return;
        };
        for entry in listing.flatten() {
            let name = entry.file_name();
            let key = name
                .to_str()
                .map(|name| name.trim_end_matches(SCRIPT_SUFFIX))
                .and_then(StepKey::parse);
            if key.is_none_or(|key| !self.steps.contains_key(&key)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    pub(super) fn output_path(&self, key: StepKey) -> PathBuf {
        self.dir.join(OUTPUT_DIR).join(key.to_string())
    }

    pub(super) fn script_path(&self, key: StepKey) -> PathBuf {
        self.dir
            .join(OUTPUT_DIR)
            .join(format!("{key}{SCRIPT_SUFFIX}"))
    }
}

const SCRIPT_SUFFIX: &str = ".sh";

pub(super) fn signal_group(pid: Pid, signal: Signal) {
    // Fails only where the group is gone.
    let _ = rustix::process::kill_process_group(pid, signal);
}

/// A stream that becomes readable when the signal arrives.
fn signal_stream(signal: i32) -> Result<UnixStream, ExecError> {
    let make = || -> io::Result<UnixStream> {
        let (reader, writer) = UnixStream::pair()?;
        reader.set_nonblocking(true)?;
        writer.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal, writer)?;
        Ok(reader)
    };
    make().map_err(|source| ExecError::System {
        what: "handle a signal",
        source,
    })
}

fn drain(mut stream: &UnixStream) {
    let mut bytes = [0u8; 64];
    while matches!(stream.read(&mut bytes), Ok(count) if count > 0) {}
}

/// Bytes as a text of the same length in characters, which JSON can hold.
pub(super) fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.chars()
        .filter_map(|character| u8::try_from(u32::from(character)).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_as_text() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes_of(&text_of(&all)), all);
    }
}
