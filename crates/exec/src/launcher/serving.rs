//! The agent's requests, one by one.

use super::LINGER;
use super::agent_link::{AgentLink, would_block};
use super::service::{Service, Step, Timer};
use crate::clock::monotonic;
use crate::socket;
use crate::step::StepKey;
use crate::wire::{Event, Key, PROTOCOL, Request};
use rustix::event::epoll::{self, EventData, EventFlags};
use std::time::Duration;

impl Service {
    pub(super) fn accept(&mut self) {
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

    pub(super) fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    pub(super) fn drop_agent(&mut self) {
        self.ahead = None;
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

    pub(super) fn on_agent(&mut self, flags: EventFlags) {
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

    pub(super) fn serve_requests(&mut self) {
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

    pub(super) fn serve(&mut self, request: Request, payload: Vec<u8>) {
        match request {
            Request::Hello { .. } => {
                if let Some(agent) = self.agent.as_mut() {
                    agent.greeted = true;
                }
                let hello = Event::Hello {
                    protocol: PROTOCOL,
                    pid: std::process::id(),
                    complete: self.journal.is_complete(),
                    prepares: self.gets_ready,
                };
                self.tell(&hello, &[]);
            }
            Request::Start(head) => {
                if self.steps.contains_key(&head.key.0) {
                    self.tell_state(head.key.0);
                    return;
                }
                self.start(head.command(&payload));
            }
            Request::Prepare(head) => {
                if !self.steps.contains_key(&head.key.0) {
                    self.prepare(head.command(&payload));
                }
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

    pub(super) fn tell(&mut self, event: &Event, payload: &[u8]) {
        if let Some(agent) = self.agent.as_mut().filter(|agent| agent.greeted) {
            agent.tell(event, payload);
        }
    }

    pub(super) fn tell_state(&mut self, key: StepKey) {
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
}
