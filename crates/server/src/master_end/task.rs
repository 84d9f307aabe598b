//! The task of one connection: bytes in, decisions by the link, bytes out.

use super::registry::{MasterEnd, Signals};
use super::store::{Enlisted, MasterStore, PeerCertificate};
use crate::listener::Stream;
use crate::outgoing::Outgoing;
use crate::store_work::guarded;
use catalog::{CatalogError, Poll};
use fleet::frame::FrameReader;
use fleet::master::{
    Closed, Kick, LoadedInstructions, MasterEvent, MasterLink, TargetRecord, Whose,
};
use fleet::message::{Hello, Moment, Refusal, ReportRow};
use fleet::numbers;
use jiff::Timestamp;
use model::{Generation, InstanceId, ServerId};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::mpsc;

/// Bytes read from a connection at once. Small: there may be 100,000 idle connections.
const READ_BYTES: usize = 2 * 1024;
/// Bytes that may wait to be written before the link is asked for more.
const WRITE_BYTES_WAITING_MAX: usize = 256 * 1024;
/// Time for the last bytes of a connection that ends.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);
/// Answers of the store that may wait: the link asks for a few things at once at the most.
const DONE_WAITING_MAX: usize = 4;
/// How long a target waits that got no certificate.
const CERTIFICATE_RETRY: Duration = Duration::from_secs(60);
/// Longest wait of a timer that has nothing to wait for.
const FAR: Duration = Duration::from_secs(3_600);

/// What the store has done, off the task. Travels in a box: a channel keeps room for many messages, and
/// there is one for each connection.
enum Done {
    Record(Result<Option<TargetRecord>, CatalogError>),
    Resynced(Result<(), CatalogError>),
    Loaded(Result<Enlisted<LoadedInstructions>, CatalogError>),
    Results(Whose, Result<(), CatalogError>),
    Reports(Result<(), CatalogError>),
    Certificate(Result<Vec<Vec<u8>>, Refusal>),
    Removed(Result<(), CatalogError>),
}

/// A target that was admitted on this connection.
#[derive(Clone, Copy)]
struct Member {
    server: ServerId,
    instance: InstanceId,
    generation: Generation,
}

/// What is remembered of the hello.
#[derive(Clone, Copy)]
struct Greeting {
    instance: InstanceId,
    generation: Generation,
    clock: Timestamp,
    utc_offset_minutes: i16,
}

struct Task {
    end: Arc<MasterEnd>,
    peer: SocketAddr,
    certificate: PeerCertificate,
    connection: u64,
    signals: Arc<Signals>,
    link: MasterLink,
    hello: Option<Greeting>,
    member: Option<Member>,
    /// As what the registry knows this connection: the target, and whether instructions flow.
    registered: Option<(ServerId, bool)>,
    frames: FrameReader,
    outgoing: Outgoing,
    done: mpsc::Sender<Box<Done>>,
    blocked: bool,
    /// Reports that wait for their turn by the admission's rate.
    held_reports: Option<(Vec<ReportRow>, Instant)>,
    closed: Option<Closed>,
}

impl MasterEnd {
    /// Serves one connection of a target until it ends.
    pub async fn converse(
        self: Arc<Self>,
        stream: Box<dyn Stream>,
        peer: SocketAddr,
        certificate: PeerCertificate,
    ) {
        let (done, mut finished) = mpsc::channel(DONE_WAITING_MAX);
        let now = self.clock.moment();
        let link = MasterLink::new(Arc::clone(&self.config), Some(certificate.instance), now);
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut task = Task {
            connection: self.next_connection(),
            signals: Arc::default(),
            frames: FrameReader::new(link.message_bytes_max()),
            link,
            hello: None,
            member: None,
            registered: None,
            outgoing: Outgoing::default(),
            done,
            blocked: false,
            held_reports: None,
            closed: None,
            end: self,
            peer,
            certificate,
        };
        let mut chunk = [0u8; READ_BYTES];
        loop {
            task.drain();
            if task.closed.is_some() {
                break;
            }
            let deadline = task.deadline();
            let signals = Arc::clone(&task.signals);
            tokio::select! {
                woken = signals.take() => task.woken(woken),
                Some(done) = finished.recv() => task.finish(*done),
                read = reader.read(&mut chunk) => match read {
                    Ok(count) if count > 0 => task.read(&chunk[..count]),
                    Ok(_) | Err(_) => break,
                },
                sent = task.outgoing.send(&mut writer) => if sent.is_err() {
                    break;
                },
                () = tokio::time::sleep_until(deadline.into()) => task.tick(),
            }
        }
        task.farewell(reader, writer).await;
    }
}

/// What a target hears that asked for a certificate where none could be made.
fn unable(error: &CatalogError) -> Refusal {
    tracing::error!(%error, "no certificate was issued");
    Refusal {
        number: numbers::CONVERSATION_FAILED,
        text: "The master server can't issue a certificate now; try again later.".to_owned(),
        retry_after: CERTIFICATE_RETRY,
    }
}

impl Task {
    fn now(&self) -> Moment {
        self.end.clock.moment()
    }

    fn deadline(&self) -> Instant {
        let now = self.end.clock.monotonic();
        let held = self.held_reports.as_ref().map(|(_, until)| *until);
        [self.link.poll_timeout(), held, Some(now + FAR)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now)
    }

    fn drain(&mut self) {
        while self.closed.is_none() {
            let Some(event) = self.link.poll_event() else {
                break;
            };
            self.handle(event);
        }
        while self.outgoing.waiting() < WRITE_BYTES_WAITING_MAX {
            match self.link.poll_transmit() {
                Some(frames) => self.outgoing.push(frames),
                None => break,
            }
        }
    }

    fn handle(&mut self, event: MasterEvent) {
        match event {
            MasterEvent::Admit(hello) => self.admit(*hello),
            MasterEvent::Admitted {
                server,
                instructions,
            } => self.admitted(server, instructions),
            MasterEvent::Resync { after } => {
                self.work(move |store, member| {
                    let resynced =
                        guarded(|| store.resync(member.server, member.generation, after));
                    Done::Resynced(resynced)
                });
            }
            MasterEvent::LoadInstructions {
                after,
                rows_max,
                bytes_max,
            } => self.quick_work(move |store, member| {
                let enlistment = (member.server, member.generation);
                Done::Loaded(guarded(|| {
                    store.load_instructions(enlistment, after, rows_max, bytes_max)
                }))
            }),
            MasterEvent::StoreResults(whose, results) => self.work(move |store, member| {
                let (server, generation) = (member.server, member.generation);
                let stored = guarded(|| store.store_results(server, generation, &results));
                Done::Results(whose, stored)
            }),
            MasterEvent::StoreReports(rows) => self.store_reports(rows),
            MasterEvent::StoreFacts(facts) => {
                if let Some(member) = self.member {
                    let store = Arc::clone(&self.end.store);
                    tokio::task::spawn_blocking(move || {
                        if let Err(error) = store.store_facts(member.server, &facts) {
                            tracing::warn!(%error, "a target's facts were not stored");
                        }
                    });
                }
            }
            MasterEvent::Seen {
                clock,
                utc_offset_minutes,
            } => {
                if let Some(member) = self.member {
                    self.seen(member.server, clock, utc_offset_minutes);
                }
            }
            MasterEvent::IssueCertificate { request_der } => self.work(move |store, member| {
                let enlistment = (member.server, member.generation);
                let issued = guarded(|| Ok(store.issue_certificate(enlistment, &request_der)));
                Done::Certificate(issued.unwrap_or_else(|error| Err(unable(&error))))
            }),
            MasterEvent::RemoveTarget => {
                self.work(|store, member| {
                    let (server, generation) = (member.server, member.generation);
                    Done::Removed(guarded(|| store.remove_target(server, generation)))
                });
            }
            MasterEvent::Close(closed) => self.closed = Some(closed),
        }
    }

    fn admit(&mut self, hello: Hello) {
        self.hello = Some(Greeting {
            instance: hello.instance,
            generation: hello.generation,
            clock: hello.clock,
            utc_offset_minutes: hello.facts.utc_offset_minutes,
        });
        let now = self.end.clock.monotonic();
        let admitted = self
            .end
            .admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .connections
            .take(1, now);
        if let Err(wait) = admitted {
            return self.link.refuse(Refusal {
                number: numbers::CONVERSATION_FAILED,
                text: "The master server is busy with many target servers; try again.".to_owned(),
                retry_after: wait,
            });
        }
        let store = Arc::clone(&self.end.store);
        let certificate = self.certificate;
        let done = self.done.clone();
        tokio::task::spawn_blocking(move || {
            // The connection may have ended meanwhile; then nobody needs the answer.
            let record = guarded(|| store.target_record(&hello, certificate));
            let _ = done.blocking_send(Box::new(Done::Record(record)));
        });
    }

    fn admitted(&mut self, server: ServerId, instructions: bool) {
        let Some(hello) = self.hello else {
            return;
        };
        self.member = Some(Member {
            server,
            instance: hello.instance,
            generation: hello.generation,
        });
        self.frames
            .set_message_bytes_max(self.link.message_bytes_max());
        let member = (server, instructions);
        self.end
            .register(member, self.connection, Arc::clone(&self.signals));
        self.registered = Some(member);
        // A hello is a sign of life too, or a target would look silent until its first poll.
        self.seen(server, hello.clock, hello.utc_offset_minutes);
        tracing::info!(server = server.0, peer = %self.peer, instructions, "a target is connected");
    }

    fn seen(&self, server: ServerId, target_clock: Timestamp, utc_offset_minutes: i16) {
        self.end.seen(Poll {
            server,
            at: self.end.clock.now(),
            target_clock,
            utc_offset_minutes,
        });
    }

    /// Runs store work off the task, for the target that said hello.
    fn work(&self, work: impl FnOnce(&MasterStore, Member) -> Done + Send + 'static) {
        let Some(member) = self.member else {
            return tracing::error!("store work without an admitted target");
        };
        let store = Arc::clone(&self.end.store);
        let done = self.done.clone();
        self.end.work.spawn(move || {
            let _ = done.blocking_send(Box::new(work(&store, member)));
        });
    }

    /// Runs a small read at once where nothing else is under way, else as [`Task::work`].
    fn quick_work(&mut self, work: impl FnOnce(&MasterStore, Member) -> Done + Send + 'static) {
        let Some(member) = self.member else {
            return tracing::error!("store work without an admitted target");
        };
        let store = Arc::clone(&self.end.store);
        match self.end.work.here(move || work(&store, member)) {
            Ok(done) => self.finish(done),
            Err(work) => self.work(|_, _| work()),
        }
    }

    fn store_reports(&mut self, rows: Vec<ReportRow>) {
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let now = self.end.clock.monotonic();
        let turn = self
            .end
            .admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .report_rows
            .take(count, now);
        match turn {
            Ok(()) => self.work(move |store, member| {
                let (server, instance) = (member.server, member.instance);
                Done::Reports(guarded(|| store.store_reports(server, instance, rows)))
            }),
            Err(wait) => self.held_reports = Some((rows, now + wait)),
        }
    }

    fn finish(&mut self, done: Done) {
        let now = self.now();
        match done {
            Done::Record(Ok(record)) => {
                // Store work of a re-sync comes before the link says that the target is admitted.
                self.member = record
                    .as_ref()
                    .zip(self.hello)
                    .map(|(record, hello)| Member {
                        server: record.server,
                        instance: hello.instance,
                        generation: hello.generation,
                    });
                self.link.admit(record.as_ref(), now);
            }
            Done::Resynced(Ok(())) => self.link.resynced(now),
            Done::Loaded(Ok(Enlisted::No)) => self.link.kick(Kick::Defected),
            Done::Loaded(Ok(Enlisted::Anew)) => self.link.kick(Kick::Superseded),
            Done::Loaded(Ok(Enlisted::Yes(loaded))) => {
                self.blocked = loaded.blocked;
                self.link.instructions_loaded(loaded, now);
            }
            Done::Results(whose, Ok(())) => self.link.results_stored(whose),
            Done::Reports(Ok(())) => self.link.reports_stored(),
            Done::Certificate(answer) => self.link.certificate_issued(answer),
            Done::Removed(Ok(())) => self.link.removed(),
            Done::Record(Err(error))
            | Done::Resynced(Err(error))
            | Done::Loaded(Err(error))
            | Done::Results(_, Err(error))
            | Done::Reports(Err(error))
            | Done::Removed(Err(error)) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &CatalogError) {
        tracing::error!(%error, peer = %self.peer, "the store failed a target");
        self.link.store_failed();
    }

    fn woken(&mut self, woken: super::registry::Woken) {
        if woken.changed || (woken.unblocked && std::mem::take(&mut self.blocked)) {
            self.link.raise_change();
        }
        if let Some(kick) = woken.kick {
            self.link.kick(kick);
        }
    }

    fn read(&mut self, mut bytes: &[u8]) {
        let now = self.now();
        loop {
            let handled = match self.frames.read(&mut bytes) {
                Ok(Some(body)) => self.link.handle_frame(&body, now),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            if let Err(error) = handled {
                tracing::warn!(peer = %self.peer, %error, "a target broke the protocol");
                self.closed = Some(Closed::Protocol(error));
                return;
            }
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        self.link.handle_timeout(now);
        if let Some((rows, until)) = self.held_reports.take() {
            if until <= now.instant {
                self.store_reports(rows);
            } else {
                self.held_reports = Some((rows, until));
            }
        }
    }

    /// Sends what waits to be sent, and ends the connection.
    async fn farewell(
        mut self,
        reader: ReadHalf<Box<dyn Stream>>,
        mut writer: WriteHalf<Box<dyn Stream>>,
    ) {
        if let Some(member) = self.registered {
            self.end.unregister(member, self.connection);
            tracing::info!(server = member.0.0, peer = %self.peer, closed = ?self.closed, "a target's connection ended");
        }
        while let Some(frames) = self.link.poll_transmit() {
            self.outgoing.push(frames);
        }
        let outgoing = &mut self.outgoing;
        let last = async {
            if !outgoing.is_empty() {
                outgoing.send(&mut writer).await?;
            }
            writer.shutdown().await
        };
        // A peer that does not read its farewell misses it.
        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, last).await;
        drop(reader);
    }
}
