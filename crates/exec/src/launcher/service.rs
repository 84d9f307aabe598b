//! The launcher's loop and all it knows.

use super::agent_link::{AgentLink, would_block};
use super::running::Running;
use super::{
    LINGER, ORPHAN_CHECK_INTERVAL, OUTPUT_DIR, OUTPUT_GRACE, STEPS_KNOWN_MAX, STEPS_RUNNING_MAX,
};
use crate::capture::Capture;
use crate::clock::monotonic;
use crate::error::ExecError;
use crate::journal::{Journal, Record, Remembered, unknown_end};
use crate::output_file::{OutputFile, OutputFileWriter};
use crate::process;
use crate::socket;
use crate::step::{Program, StepCommand, StepKey};
use crate::wire::{End, EndedHead, Event, Key, PROTOCOL, Request};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::process::{Pid, Signal, WaitOptions};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
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
enum Step {
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
enum Timer {
    /// SIGKILL for a stopped step's group.
    Kill(StepKey),
    /// Wait no longer for a step's output.
    Output(StepKey),
    /// Look at orphans.
    Orphans,
    /// See whether this launcher is still needed.
    Linger,
}

/// The launcher.
#[derive(Debug)]
pub(super) struct Service {
    dir: PathBuf,
    /// Held for as long as this process lives.
    _lock: File,
    epoll: OwnedFd,
    listener: UnixListener,
    children: UnixStream,
    terminate: UnixStream,
    journal: Journal,
    /// The last line could not be written; said once.
    journal_broken: bool,
    steps: BTreeMap<StepKey, Step>,
    by_pid: BTreeMap<i32, StepKey>,
    by_token: BTreeMap<u64, StepKey>,
    next_token: u64,
    /// How many of `steps` are [`Step::Running`].
    running: usize,
    timers: BTreeMap<(Instant, u64), Timer>,
    timers_made: u64,
    agent: Option<AgentLink>,
    alone_since: Instant,
    closing: bool,
    buffer: Vec<u8>,
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
        for signal in [SIGHUP, SIGINT] {
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
            timers: BTreeMap::new(),
            timers_made: 0,
            agent: None,
            alone_since: monotonic(),
            closing: false,
            buffer: Vec::new(),
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

    // The agent.

    fn accept(&mut self) {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) => {
                    if !would_block(&error) {
                        eprintln!("launcher: accept: {error}");
                    }
                    return;
                }
            };
            if let Err(error) = socket::check_peer(&stream) {
                eprintln!("launcher: {error}");
                continue;
            }
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            // The newest agent is the living one.
            self.drop_agent();
            let token = self.token();
            let watched = epoll::add(
                &self.epoll,
                &stream,
                EventData::new_u64(token),
                EventFlags::IN,
            );
            if watched.is_ok() {
                self.agent = Some(AgentLink::new(stream, token));
            }
        }
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    fn drop_agent(&mut self) {
        if let Some(agent) = self.agent.take() {
            let _ = epoll::delete(&self.epoll, &agent.stream);
            for step in self.steps.values_mut() {
                if let Step::Running(running) = step {
                    running.follow = false;
                }
            }
        }
        self.alone_since = monotonic();
        self.schedule(LINGER, Timer::Linger);
    }

    fn on_agent(&mut self, flags: EventFlags) {
        let Some(agent) = self.agent.as_mut() else {
            return;
        };
        let gone = EventFlags::HUP | EventFlags::ERR;
        let alive = if flags.contains(EventFlags::IN) {
            agent.receive().unwrap_or(false)
        } else {
            !flags.intersects(gone)
        };
        self.serve_requests();
        if !alive {
            self.drop_agent();
        }
    }

    fn serve_requests(&mut self) {
        while let Some(agent) = self.agent.as_mut() {
            match agent.next() {
                Ok(Some((request, payload))) => self.serve(request, payload),
                Ok(None) => return,
                Err(error) => {
                    eprintln!("launcher: {error}");
                    self.drop_agent();
                    return;
                }
            }
        }
    }

    fn serve(&mut self, request: Request, payload: Vec<u8>) {
        match request {
            Request::Hello { .. } => {
                if let Some(agent) = self.agent.as_mut() {
                    agent.greeted = true;
                }
                let hello = Event::Hello {
                    protocol: PROTOCOL,
                    pid: std::process::id(),
                    complete: self.journal.is_complete(),
                };
                self.tell(&hello, &[]);
            }
            Request::Start {
                key,
                argv,
                env,
                cwd,
                limit,
                file,
                follow,
            } => {
                if self.steps.contains_key(&key.0) {
                    self.tell_state(key.0);
                    return;
                }
                let program = argv.map_or_else(
                    || Program::Shell(String::from_utf8_lossy(&payload).into_owned()),
                    Program::Argv,
                );
                self.start(StepCommand {
                    key: key.0,
                    program,
                    env,
                    cwd: cwd.into(),
                    output_limit_bytes: limit,
                    output_file: file.map(|(path, append)| OutputFile {
                        path: path.into(),
                        append,
                    }),
                    follow,
                });
            }
            Request::Stop { key, grace_ms } => {
                self.stop(key.0, Duration::from_millis(grace_ms));
            }
            Request::Follow { key, on } => {
                if let Some(Step::Running(running)) = self.steps.get_mut(&key.0) {
                    running.follow = on;
                }
            }
            Request::List => {
                let keys: Vec<StepKey> = self.steps.keys().copied().collect();
                for key in keys {
                    self.tell_state(key);
                }
                self.tell(&Event::Listed, &[]);
            }
            Request::Collect { key } => self.collect(key.0),
            Request::Confirm => {
                if let Err(error) = self.journal.confirm() {
                    self.complain(&format!("write the journal: {error}"));
                }
            }
            Request::Shutdown { stop, grace_ms } => {
                self.shut_down(stop.then_some(Duration::from_millis(grace_ms)));
            }
        }
    }

    fn tell(&mut self, event: &Event, payload: &[u8]) {
        if let Some(agent) = self.agent.as_mut().filter(|agent| agent.greeted) {
            agent.tell(event, payload);
        }
    }

    fn tell_state(&mut self, key: StepKey) {
        let Some(agent) = self.agent.as_mut().filter(|agent| agent.greeted) else {
            return;
        };
        match self.steps.get(&key) {
            Some(Step::Running(running)) => agent.tell(
                &Event::Running {
                    key: Key(key),
                    pid: running.pid.as_raw_nonzero().get().unsigned_abs(),
                    orphan: false,
                },
                &[],
            ),
            Some(Step::Orphan { pid, .. }) => agent.tell(
                &Event::Running {
                    key: Key(key),
                    pid: pid.as_raw_nonzero().get().unsigned_abs(),
                    orphan: true,
                },
                &[],
            ),
            Some(Step::Ended { head, payload }) => {
                agent.tell(&Event::Ended((**head).clone()), payload);
            }
            None => {}
        }
    }

    // Steps.

    fn start(&mut self, command: StepCommand) {
        let key = command.key;
        if self.closing {
            return self.refuse(key, "the launcher is shutting down".to_owned());
        }
        if self.running >= STEPS_RUNNING_MAX || self.steps.len() >= STEPS_KNOWN_MAX {
            return self.refuse(key, "too many steps at once".to_owned());
        }
        if let Err(error) = self.journal.append(&Record::Intent(Key(key))) {
            let reason = format!("the launcher's journal cannot be written: {error}");
            return self.refuse(key, reason);
        }
        let mut note = None;
        let file = command.output_file.as_ref().and_then(|file| {
            OutputFileWriter::open(file, &command.cwd)
                .inspect_err(|error| {
                    note = Some(format!(
                        "The output file {} could not be opened: {error}.",
                        file.path.display()
                    ));
                })
                .ok()
        });
        let spawned = match process::spawn(&command, &self.script_path(key)) {
            Ok(spawned) => spawned,
            Err(reason) => {
                let head = EndedHead {
                    end: End::NotStarted(reason),
                    note,
                    ..unknown_end(key)
                };
                return self.ended(head, Vec::new());
            }
        };
        let started = monotonic();
        let pid = spawned.pid.as_raw_nonzero().get();
        self.record(&Record::Started(Key(key), pid, spawned.start_time));
        let token = self.token();
        let watched = epoll::add(
            &self.epoll,
            &spawned.output,
            EventData::new_u64(token),
            EventFlags::IN,
        );
        if let Err(error) = watched {
            note.get_or_insert(format!("The output could not be watched: {error}."));
        } else {
            self.by_token.insert(token, key);
        }
        self.by_pid.insert(pid, key);
        let running = Running {
            key: Key(key),
            pid: spawned.pid,
            start_time: spawned.start_time,
            started,
            token,
            output: watched.is_ok().then_some(spawned.output),
            capture: Capture::new(command.output_limit_bytes, self.output_path(key)),
            limit: command.output_limit_bytes,
            file,
            note,
            follow: command.follow,
            stopped: false,
            exit: None,
        };
        self.steps.insert(key, Step::Running(Box::new(running)));
        self.running += 1;
        self.tell_state(key);
    }

    /// Says that a step was not started, and remembers nothing: whoever refuses has no room for it.
    fn refuse(&mut self, key: StepKey, reason: String) {
        let head = EndedHead {
            end: End::NotStarted(reason),
            ..unknown_end(key)
        };
        self.tell(&Event::Ended(head), &[]);
    }

    fn stop(&mut self, key: StepKey, grace: Duration) {
        match self.steps.get_mut(&key) {
            Some(Step::Running(running)) => {
                if running.exit.is_some() {
                    // It ended by itself; what is left is a grandchild with its output.
                    self.finish(key);
                    return;
                }
                running.stopped = true;
                signal_group(running.pid, Signal::TERM);
                // A stopped process would not see it.
                signal_group(running.pid, Signal::CONT);
            }
            Some(Step::Orphan {
                pid,
                start_time,
                stopped,
            }) => {
                *stopped = true;
                if process::is_running(*pid, *start_time) {
                    signal_group(*pid, Signal::TERM);
                    signal_group(*pid, Signal::CONT);
                }
            }
            Some(Step::Ended { .. }) | None => return,
        }
        self.schedule(grace, Timer::Kill(key));
    }

    fn collect(&mut self, key: StepKey) {
        let Some(Step::Ended { head, .. }) = self.steps.get(&key) else {
            return;
        };
        if head.spilled {
            let _ = fs::remove_file(self.output_path(key));
        }
        self.steps.remove(&key);
        self.record(&Record::Collected(Key(key)));
    }

    fn shut_down(&mut self, stop: Option<Duration>) {
        self.closing = true;
        if let Some(grace) = stop {
            let keys: Vec<StepKey> = self.steps.keys().copied().collect();
            for key in keys {
                self.stop(key, grace);
            }
        }
    }

    fn on_output(&mut self, key: StepKey) {
        let Some(Step::Running(running)) = self.steps.get_mut(&key) else {
            return;
        };
        let agent = &mut self.agent;
        let over = running.read(&mut self.buffer, |offset, bytes| {
            if let Some(agent) = agent.as_mut()
                && agent.greeted
                && !agent.is_congested()
            {
                agent.tell(
                    &Event::Output {
                        key: Key(key),
                        offset,
                    },
                    bytes,
                );
            }
        });
        if over {
            if let Some(pipe) = running.output.take() {
                let _ = epoll::delete(&self.epoll, &pipe);
            }
            self.by_token.remove(&running.token);
            if running.exit.is_some() {
                self.finish(key);
            }
        }
    }

    /// Takes the ends of children: steps, and what they left behind.
    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let Some(key) = self.by_pid.remove(&pid.as_raw_nonzero().get()) else {
                continue;
            };
            let Some(Step::Running(running)) = self.steps.get_mut(&key) else {
                continue;
            };
            let end = match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => End::Exited(code),
                (None, Some(signal)) => End::Signaled(signal),
                (None, None) => End::Unknown,
            };
            let elapsed = monotonic().saturating_duration_since(running.started);
            running.exit = Some((end, elapsed));
            if running.stopped {
                // What is left of a stopped step's group. A group that has members keeps its number; an
                // empty one gave it back an instant ago, and numbers are given out in a circle.
                signal_group(running.pid, Signal::KILL);
            }
            if running.output.is_none() {
                self.finish(key);
            } else {
                self.schedule(OUTPUT_GRACE, Timer::Output(key));
                self.on_output(key);
            }
        }
    }

    fn finish(&mut self, key: StepKey) {
        let running = match self.steps.remove(&key) {
            Some(Step::Running(running)) => *running,
            Some(other @ (Step::Orphan { .. } | Step::Ended { .. })) => {
                self.steps.insert(key, other);
                return;
            }
            None => return,
        };
        self.running -= 1;
        if let Some(pipe) = &running.output {
            let _ = epoll::delete(&self.epoll, pipe);
        }
        self.by_token.remove(&running.token);
        self.by_pid.remove(&running.pid.as_raw_nonzero().get());
        let (head, payload) = running.finish();
        self.ended(head, payload);
    }

    fn ended(&mut self, head: EndedHead, payload: Vec<u8>) {
        let key = head.key.0;
        let _ = fs::remove_file(self.script_path(key));
        self.record(&Record::Ended(head.clone(), text_of(&payload)));
        self.steps.insert(
            key,
            Step::Ended {
                head: Box::new(head),
                payload,
            },
        );
        self.tell_state(key);
    }

    // Time.

    fn schedule(&mut self, after: Duration, timer: Timer) {
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
                // `is_done` looks by itself.
                Timer::Linger => {}
            }
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

    fn record(&mut self, record: &Record) {
        match self.journal.append(record) {
            Ok(()) => self.journal_broken = false,
            Err(error) => self.complain(&format!("write the journal: {error}")),
        }
    }

    fn complain(&mut self, what: &str) {
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

    fn output_path(&self, key: StepKey) -> PathBuf {
        self.dir.join(OUTPUT_DIR).join(key.to_string())
    }

    fn script_path(&self, key: StepKey) -> PathBuf {
        self.dir
            .join(OUTPUT_DIR)
            .join(format!("{key}{SCRIPT_SUFFIX}"))
    }
}

const SCRIPT_SUFFIX: &str = ".sh";

fn signal_group(pid: Pid, signal: Signal) {
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
fn text_of(bytes: &[u8]) -> String {
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
