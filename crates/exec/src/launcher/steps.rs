//! What happens to a step: start, stop, output, end, collection.

use super::running::Running;
use super::service::{Service, Step, Timer, signal_group, text_of};
use super::{OUTPUT_GRACE, STEPS_KNOWN_MAX, STEPS_RUNNING_MAX};
use crate::capture::Capture;
use crate::clock::monotonic;
use crate::journal::{Record, unknown_end};
use crate::output_file::OutputFileWriter;
use crate::process;
use crate::step::{StepCommand, StepKey};
use crate::wire::{End, EndedHead, Event, Key};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::process::{Signal, WaitOptions};
use std::fs;
use std::time::Duration;

impl Service {
    pub(super) fn start(&mut self, command: StepCommand) {
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
        let spawned = match self.take_ahead(&command) {
            Some(spawned) => Ok(spawned),
            None => process::spawn(&command, &self.script_path(key)),
        };
        let spawned = match spawned {
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
    pub(super) fn refuse(&mut self, key: StepKey, reason: String) {
        let head = EndedHead {
            end: End::NotStarted(reason),
            ..unknown_end(key)
        };
        self.tell(&Event::Ended(head), &[]);
    }

    pub(super) fn stop(&mut self, key: StepKey, grace: Duration) {
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

    pub(super) fn collect(&mut self, key: StepKey) {
        let Some(Step::Ended { head, .. }) = self.steps.get(&key) else {
            return;
        };
        if head.spilled {
            let _ = fs::remove_file(self.output_path(key));
        }
        self.steps.remove(&key);
        self.record(&Record::Collected(Key(key)));
    }

    pub(super) fn shut_down(&mut self, stop: Option<Duration>) {
        self.closing = true;
        self.ahead = None;
        if let Some(grace) = stop {
            let keys: Vec<StepKey> = self.steps.keys().copied().collect();
            for key in keys {
                self.stop(key, grace);
            }
        }
    }

    pub(super) fn on_output(&mut self, key: StepKey) {
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
    pub(super) fn reap(&mut self) {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            if self.note_ahead(pid, status) || status.stopped() {
                continue;
            }
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

    pub(super) fn finish(&mut self, key: StepKey) {
        let running = match self.steps.remove(&key) {
            Some(Step::Running(running)) => *running,
            Some(other @ (Step::Orphan { .. } | Step::Ended { .. })) => {
                self.steps.insert(key, other);
                return;
            }
            None => return,
        };
        self.running -= 1;
        self.rest_later();
        if let Some(pipe) = &running.output {
            let _ = epoll::delete(&self.epoll, pipe);
        }
        self.by_token.remove(&running.token);
        self.by_pid.remove(&running.pid.as_raw_nonzero().get());
        let (head, payload) = running.finish();
        self.ended(head, payload);
    }

    pub(super) fn ended(&mut self, head: EndedHead, payload: Vec<u8>) {
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
}
