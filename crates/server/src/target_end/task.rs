//! The task that drives a target's link.

use super::connection::MasterRoute;
use super::orders::{Closing, Given, Left, Orders};
use super::store::TargetStore;
use crate::clock::Clock;
use crate::enlist::apply::{CLIENT_KEY_CONTEXT, expiry, pem_of};
use crate::identity::authority::new_target_request;
use crate::identity::{FileSealer, IdentityError};
use crate::outgoing::Outgoing;
use crate::store_work::{StoreWork, guarded};
use catalog::{CatalogError, EnlistmentRow};
use fleet::frame::FrameReader;
use fleet::limits::{CONNECT_TIMEOUT, STORE_RETRY};
use fleet::message::{InstructionText, Moment, ReportRow, TargetFacts};
use fleet::target::{DefinitionsApplied, TargetConfig, TargetEvent, TargetLink, TargetState};
use jiff::{SignedDuration, Timestamp};
use model::{Cursor, InstanceId, ReportPosition};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio_rustls::client::TlsStream;

/// Bytes read from the connection at once.
const READ_BYTES: usize = 16 * 1024;
/// Bytes that may wait to be written before the link is asked for more.
const WRITE_BYTES_WAITING_MAX: usize = 256 * 1024;
/// Time for the end of a connection to go out.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);
/// Acknowledged report positions are stored together, this long after the first.
const ACKNOWLEDGEMENT_DELAY: Duration = Duration::from_secs(1);
/// How often the certificate's age is looked at.
const RENEWAL_LOOK: Duration = Duration::from_secs(3_600);
/// A certificate is renewed when less than this is left: a third of its 30 days.
const RENEWAL_LEFT: SignedDuration = SignedDuration::from_hours(10 * 24);
/// Longest wait of a timer that has nothing to wait for.
const FAR: Duration = Duration::from_secs(3_600);

/// What the task works with.
pub struct TargetEnd {
    /// Catalog and agent.
    pub store: Arc<TargetStore>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Opens and seals the client key.
    pub sealer: Arc<FileSealer>,
    /// This instance.
    pub instance: InstanceId,
    /// About this instance.
    pub facts: TargetFacts,
    /// The enlistment.
    pub row: EnlistmentRow,
    /// How the master is reached.
    pub route: MasterRoute,
}

/// What was done off the task.
enum Done {
    Definitions(Result<DefinitionsApplied, CatalogError>),
    Cursor(Result<(), CatalogError>),
    Orders(Result<Vec<Option<String>>, CatalogError>),
    Reports(ReportPosition, Result<(Vec<ReportRow>, bool), CatalogError>),
    /// With the number of the attempt: one that was given up may still end.
    Connected(u64, Box<Result<TlsStream<TcpStream>, String>>),
    Left(Result<u64, CatalogError>),
    /// The master's addresses are kept, or will be told again with the next connection.
    Addresses(Result<(), CatalogError>),
}

struct Task {
    end: TargetEnd,
    link: TargetLink,
    work: StoreWork,
    done: mpsc::Sender<Done>,
    reader: Option<ReadHalf<TlsStream<TcpStream>>>,
    writer: Option<WriteHalf<TlsStream<TcpStream>>>,
    frames: FrameReader,
    outgoing: Outgoing,
    /// Ends the connection once `outgoing` is written.
    closing: bool,
    acknowledged: Option<(ReportPosition, Instant)>,
    /// Connection attempts so far, and the one under way.
    attempts: u64,
    connecting: Option<AbortHandle>,
    /// Key of the certificate that was asked for on this connection.
    renewal: Option<Vec<u8>>,
    next_renewal_look: Instant,
    leaving: Vec<oneshot::Sender<Left>>,
    /// When to try again to remove the enlistment that has ended.
    leave_again: Option<Instant>,
    ended: bool,
}

/// Things the store can do at the same time: one application, one load, a connection attempt, leaving.
const DONE_WAITING_MAX: usize = 8;

/// Runs until the enlistment ends or an order says stop. Nothing that the task began in the store is still
/// under way when it returns.
///
/// # Errors
/// What the catalog says when the state of the enlistment cannot be read.
pub async fn run(end: TargetEnd, orders: Arc<Orders>) -> Result<(), CatalogError> {
    let _closing = Closing(&orders);
    let state = {
        let store = Arc::clone(&end.store);
        tokio::task::spawn_blocking(move || stored_state(&store))
            .await
            .unwrap_or(Err(CatalogError::Closed))?
    };
    let config = TargetConfig {
        instance: end.instance,
        facts: end.facts.clone(),
        master: end.row.enlistment.master_id,
        generation: end.row.enlistment.generation,
        poll_interval_secs: end.row.enlistment.poll_interval_secs,
        seed: end.instance.0.as_u64_pair().0,
    };
    let (done, mut finished) = mpsc::channel(DONE_WAITING_MAX);
    let now = end.clock.moment();
    let link = TargetLink::new(config, state, now);
    let frames = FrameReader::new(link.message_bytes_max());
    let mut task = Task {
        next_renewal_look: now.instant,
        link,
        work: StoreWork::default(),
        done,
        reader: None,
        writer: None,
        frames,
        outgoing: Outgoing::default(),
        closing: false,
        acknowledged: None,
        attempts: 0,
        connecting: None,
        renewal: None,
        leaving: Vec::new(),
        leave_again: None,
        ended: false,
        end,
    };
    let mut chunk = vec![0u8; READ_BYTES];
    while !task.ended {
        task.drain();
        let deadline = task.deadline();
        tokio::select! {
            given = orders.take() => {
                if given.stop {
                    break;
                }
                task.order(given);
            }
            Some(done) = finished.recv() => task.finish(done),
            read = read_some(task.reader.as_mut(), &mut chunk) => task.read(read.map(|n| &chunk[..n])),
            sent = send_some(task.writer.as_mut(), &mut task.outgoing) => task.sent(sent).await,
            () = tokio::time::sleep_until(deadline.into()) => task.tick(),
        }
    }
    task.flush_acknowledgement();
    task.hang_up();
    drop(task);
    // Each piece of work holds a sender: the channel ends when all of it is done.
    while finished.recv().await.is_some() {}
    Ok(())
}

fn stored_state(store: &TargetStore) -> Result<TargetState, CatalogError> {
    store.catalog.runs_read(|read| {
        let cursor = read
            .target_cursor()?
            .filter(|cursor| cursor.generation == store.generation)
            .map_or(Cursor::START, |stored| stored.cursor);
        let refused = read
            .instruction_refusals(model::InstructionNumber(0))?
            .into_iter()
            .map(|refusal| InstructionText {
                instruction: Cursor {
                    number: refusal.number,
                    uid: refusal.uid,
                },
                text: refusal.reason,
            })
            .collect();
        Ok(TargetState {
            cursor,
            reports_acknowledged: read.report_queue()?.acknowledged,
            refused,
            incarnation_seen: None,
        })
    })
}

async fn read_some(
    reader: Option<&mut ReadHalf<TlsStream<TcpStream>>>,
    chunk: &mut [u8],
) -> std::io::Result<usize> {
    match reader {
        Some(reader) => reader.read(chunk).await,
        None => std::future::pending().await,
    }
}

async fn send_some(
    writer: Option<&mut WriteHalf<TlsStream<TcpStream>>>,
    outgoing: &mut Outgoing,
) -> std::io::Result<()> {
    match writer {
        Some(writer) => outgoing.send(writer).await,
        None => std::future::pending().await,
    }
}

impl Task {
    fn now(&self) -> Moment {
        self.end.clock.moment()
    }

    fn deadline(&self) -> Instant {
        let now = self.end.clock.monotonic();
        let acknowledgement = self.acknowledged.map(|(_, due)| due);
        [
            self.link.poll_timeout(),
            acknowledgement,
            self.leave_again,
            Some(self.next_renewal_look),
            Some(now + FAR),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(now)
    }

    /// Does what the link wants, until it wants nothing more.
    fn drain(&mut self) {
        while let Some(event) = self.link.poll_event() {
            self.handle(event);
        }
        while self.outgoing.waiting() < WRITE_BYTES_WAITING_MAX {
            match self.link.poll_transmit() {
                Some(frames) => self.outgoing.push(frames),
                None => break,
            }
        }
    }

    fn handle(&mut self, event: TargetEvent) {
        match event {
            TargetEvent::Connect { attempt } => self.connect(attempt),
            TargetEvent::Disconnect => {
                if self.outgoing.is_empty() {
                    self.hang_up();
                } else {
                    self.closing = true;
                }
            }
            TargetEvent::Admitted {
                addresses,
                enlist_anew,
                ..
            } => {
                self.end.route.learn(&addresses);
                self.spawn(move |store| {
                    Done::Addresses(guarded(|| store.keep_addresses(&addresses)))
                });
                // An earlier look may have found no connection to ask on.
                self.next_renewal_look = self.end.clock.monotonic();
                match enlist_anew {
                    None => tracing::info!(
                        master = self.end.row.enlistment.master_name,
                        "connected to the master"
                    ),
                    Some(refusal) => tracing::warn!(
                        reason = refusal.text,
                        "the master takes reports only; enlist again"
                    ),
                }
            }
            TargetEvent::Refused(refusal) => {
                tracing::warn!(
                    number = refusal.number,
                    reason = refusal.text,
                    "the master refused"
                );
            }
            TargetEvent::ApplyDefinitions { instructions } => {
                self.spawn(move |store| {
                    Done::Definitions(guarded(|| store.apply_definitions(&instructions)))
                });
            }
            TargetEvent::MoveCursor { cursor } => {
                self.spawn(move |store| Done::Cursor(guarded(|| store.move_cursor(cursor))));
            }
            TargetEvent::CarryOut { orders, .. } => {
                let store = Arc::clone(&self.end.store);
                match self
                    .work
                    .here(|| Done::Orders(guarded(|| store.carry_out(&orders))))
                {
                    Ok(done) => self.finish(done),
                    Err(_) => {
                        self.spawn(move |store| Done::Orders(guarded(|| store.carry_out(&orders))))
                    }
                }
            }
            TargetEvent::Blocked(text) => {
                tracing::warn!(
                    instruction = text.instruction.number.0,
                    reason = text.text,
                    "an instruction failed"
                );
            }
            TargetEvent::Defect { text } => {
                tracing::info!(reason = text, "leaving the master");
                self.spawn(move |store| Done::Left(guarded(|| store.defect())));
            }
            TargetEvent::LoadReports {
                after,
                rows_max,
                bytes_max,
            } => self.spawn(move |store| {
                let rows = guarded(|| store.load_reports(after, rows_max, bytes_max));
                Done::Reports(after, rows)
            }),
            TargetEvent::ReportsAcknowledged { through } => {
                let due = self.end.clock.monotonic() + ACKNOWLEDGEMENT_DELAY;
                let due = self.acknowledged.map_or(due, |(_, earlier)| earlier);
                self.acknowledged = Some((through, due));
            }
            // At most a named number of refusals is kept, and telling them again changes nothing.
            TargetEvent::RefusalsAcknowledged { .. } => {}
            TargetEvent::CertificateRenewed(chain) => self.take_certificate(&chain),
            TargetEvent::CertificateRefused(refusal) => {
                self.renewal = None;
                tracing::warn!(reason = refusal.text, "the master gave no new certificate");
            }
        }
    }

    fn spawn(&self, work: impl FnOnce(&TargetStore) -> Done + Send + 'static) {
        let store = Arc::clone(&self.end.store);
        let done = self.done.clone();
        self.work.spawn(move || {
            // The task is gone when the instance ends; then nobody needs the answer.
            let _ = done.blocking_send(work(&store));
        });
    }

    fn connect(&mut self, attempt: u32) {
        self.hang_up();
        self.attempts += 1;
        let number = self.attempts;
        let route = self.end.route.clone();
        let done = self.done.clone();
        let connecting = tokio::spawn(async move {
            let connected =
                match tokio::time::timeout(CONNECT_TIMEOUT, route.connect(attempt)).await {
                    Ok(Ok(stream)) => Ok(stream),
                    Ok(Err(error)) => Err(error.to_string()),
                    Err(_) => Err("the connection was not made in time".to_owned()),
                };
            let _ = done
                .send(Done::Connected(number, Box::new(connected)))
                .await;
        });
        self.connecting = Some(connecting.abort_handle());
    }

    fn hang_up(&mut self) {
        if let Some(connecting) = self.connecting.take() {
            connecting.abort();
        }
        self.reader = None;
        self.writer = None;
        self.outgoing.clear();
        self.closing = false;
        // The answer to a request would have come on this connection.
        self.renewal = None;
        self.frames = FrameReader::new(self.link.message_bytes_max());
    }

    fn finish(&mut self, done: Done) {
        let now = self.now();
        let failed =
            |error: &CatalogError| tracing::error!(%error, "the store failed; trying again");
        match done {
            Done::Definitions(Ok(applied)) => self.link.definitions_applied(applied, now),
            Done::Cursor(Ok(())) => self.link.cursor_moved(now),
            Done::Orders(Ok(refusals)) => self.link.orders_carried_out(refusals, now),
            Done::Reports(after, Ok((rows, more))) => {
                self.link.reports_loaded(after, rows, more, now);
            }
            Done::Definitions(Err(error)) | Done::Cursor(Err(error)) | Done::Orders(Err(error)) => {
                failed(&error);
                self.link.store_failed(now);
            }
            Done::Reports(after, Err(error)) => {
                failed(&error);
                self.link.reports_load_failed(after, now);
            }
            Done::Connected(number, connected) => {
                // An attempt that was given up.
                if number != self.attempts || self.connecting.take().is_none() {
                    return;
                }
                match *connected {
                    Ok(stream) => {
                        let (reader, writer) = tokio::io::split(stream);
                        self.reader = Some(reader);
                        self.writer = Some(writer);
                        self.link.connected(now);
                    }
                    Err(reason) => {
                        tracing::info!(reason, "the master is not reached");
                        self.link.disconnected(now);
                    }
                }
            }
            Done::Addresses(Ok(())) => {}
            Done::Addresses(Err(error)) => failed(&error),
            Done::Left(Ok(jobs)) => {
                for answer in self.leaving.drain(..) {
                    let _ = answer.send(Ok(jobs));
                }
                self.ended = true;
            }
            Done::Left(Err(error)) => {
                // The master has let us go, and the link has nothing more to say: only this is left to do.
                failed(&error);
                for answer in self.leaving.drain(..) {
                    let _ = answer.send(Err(error.to_string()));
                }
                self.leave_again = Some(now.instant + STORE_RETRY);
            }
        }
    }

    fn read(&mut self, read: std::io::Result<&[u8]>) {
        let now = self.now();
        let mut bytes = match read {
            Ok(bytes) if !bytes.is_empty() => bytes,
            ended => {
                if let Err(error) = ended {
                    // Where the master does not take our certificate, this is where it shows.
                    tracing::warn!(%error, "the connection to the master broke");
                }
                self.hang_up();
                self.link.disconnected(now);
                return;
            }
        };
        loop {
            let handled = match self.frames.read(&mut bytes) {
                Ok(Some(body)) => self.link.handle_frame(&body, now),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            if let Err(error) = handled {
                tracing::warn!(%error, "the master broke the protocol");
                self.hang_up();
                self.link.disconnected(now);
                return;
            }
        }
    }

    async fn sent(&mut self, sent: std::io::Result<()>) {
        match sent {
            Ok(()) => {
                if self.closing {
                    if let Some(writer) = self.writer.as_mut() {
                        // The connection ends either way, so nobody waits for a peer that does not read.
                        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, writer.shutdown()).await;
                    }
                    self.hang_up();
                }
            }
            Err(_) => {
                self.hang_up();
                let now = self.now();
                self.link.disconnected(now);
            }
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        if self
            .link
            .poll_timeout()
            .is_some_and(|due| due <= now.instant)
        {
            self.link.handle_timeout(now);
        }
        if self.acknowledged.is_some_and(|(_, due)| due <= now.instant) {
            self.flush_acknowledgement();
        }
        if self.leave_again.is_some_and(|due| due <= now.instant) {
            self.leave_again = None;
            self.spawn(move |store| Done::Left(guarded(|| store.defect())));
        }
        if self.next_renewal_look <= now.instant {
            self.next_renewal_look = now.instant + RENEWAL_LOOK;
            self.renew_when_due(now);
        }
    }

    fn order(&mut self, given: Given) {
        let now = self.now();
        if given.reports_available {
            self.link.reports_available(now);
        }
        if given.force_poll {
            self.link.force_poll(now);
        }
        if !given.leave.is_empty() {
            self.leaving.extend(given.leave);
            self.link.leave(now);
        }
        if given.stay {
            self.leaving.retain(|answer| !answer.is_closed());
            // Another one may still wait.
            if self.leaving.is_empty() {
                self.link.stay();
            }
        }
    }

    fn flush_acknowledgement(&mut self) {
        let Some((through, _)) = self.acknowledged.take() else {
            return;
        };
        let store = Arc::clone(&self.end.store);
        let done = self.done.clone();
        tokio::task::spawn_blocking(move || {
            let _under_way = done;
            if let Err(error) = store.acknowledge_reports(through) {
                // The master knows its own position and tells it at the next hello.
                tracing::warn!(%error, "an acknowledged position was not stored");
            }
        });
    }

    fn renew_when_due(&mut self, now: Moment) {
        let ends = self.end.row.certificate_expires;
        let due = ends.is_none_or(|end| end.duration_since(now.wall) < RENEWAL_LEFT);
        if !due || self.renewal.is_some() {
            return;
        }
        match new_target_request(&self.end.facts.name) {
            Ok((request, key)) => {
                if self.link.renew(request, now) {
                    self.renewal = Some(key);
                }
            }
            Err(error) => tracing::error!(%error, "no key for a new certificate"),
        }
    }

    fn take_certificate(&mut self, chain: &[Vec<u8>]) {
        let Some(key) = self.renewal.take() else {
            return;
        };
        match self.renewed_row(chain, &key, self.end.clock.now()) {
            Ok((row, route)) => {
                self.end.row = row.clone();
                self.end.route = route;
                self.spawn_certificate(row);
            }
            Err(error) => tracing::error!(%error, "the new certificate is not usable"),
        }
    }

    fn renewed_row(
        &self,
        chain: &[Vec<u8>],
        key: &[u8],
        now: Timestamp,
    ) -> Result<(EnlistmentRow, MasterRoute), IdentityError> {
        let row = EnlistmentRow {
            certificate_pem: pem_of(chain.iter().map(Vec::as_slice)),
            certificate_expires: expiry(now),
            sealed_key: self.end.sealer.seal(CLIENT_KEY_CONTEXT, key)?,
            ..self.end.row.clone()
        };
        let route = self.end.route.with_identity(&row, &self.end.sealer)?;
        Ok((row, route))
    }

    fn spawn_certificate(&self, row: EnlistmentRow) {
        let store = Arc::clone(&self.end.store);
        let done = self.done.clone();
        tokio::task::spawn_blocking(move || {
            let _under_way = done;
            let stored = store.catalog.definitions_write(|write| {
                // An enlistment that ended or was renewed meanwhile keeps its own certificate.
                match write.enlistment()? {
                    Some(here) if here.enlistment.generation == row.enlistment.generation => write
                        .set_enlistment(&EnlistmentRow {
                            enlistment: here.enlistment,
                            ..row.clone()
                        }),
                    Some(_) | None => Ok(()),
                }
            });
            match stored {
                Ok(()) => tracing::info!("the certificate was renewed"),
                Err(error) => {
                    let error: CatalogError = error;
                    tracing::error!(%error, "the new certificate was not stored");
                }
            }
        });
    }
}
