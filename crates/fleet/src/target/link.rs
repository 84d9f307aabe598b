//! The target's state machine.

use super::event::{DefinitionsApplied, TargetEvent};
use super::reports::{ReportFlow, pack};
use super::state::{Applied, Applying, Connection, Leaving, Serving, is_order};
use crate::backoff::Backoff;
use crate::error::{ProtocolError, Result};
use crate::frame::encode_frames;
use crate::limits::{
    CONNECT_TIMEOUT, DOWNLOAD_BATCH_ROWS_MAX, LEAVE_FLUSH_MAX, MASTER_MESSAGE_BYTES_MAX,
    OUTBOX_MESSAGES_MAX, REFUSALS_PENDING_MAX, REPLY_TIMEOUT, RESULTS_SETTLE, STORE_RETRY,
};
use crate::message::{
    Hello, HelloReply, InstructionText, Instructions, Moment, ReportRow, Results, TargetFacts,
    ToMaster, ToTarget,
};
use crate::version::PROTOCOL_VERSION;
use model::{
    Cursor, Generation, InstanceId, Instruction, InstructionBody, InstructionNumber, ReportPosition,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What does not change while the link lives.
#[derive(Debug, Clone)]
pub struct TargetConfig {
    /// This instance.
    pub instance: InstanceId,
    /// About this instance; the offset is taken from each [`Moment`].
    pub facts: TargetFacts,
    /// The master enlisted at. Another instance at its address is not spoken with.
    pub master: InstanceId,
    /// The enlistment.
    pub generation: Generation,
    /// Longest silence, in seconds, until the master says otherwise.
    pub poll_interval_secs: u32,
    /// Spreads waits; differs from target to target.
    pub seed: u64,
}

/// What this instance's store holds for the enlistment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetState {
    /// The durable cursor; [`Cursor::START`] for a new enlistment.
    pub cursor: Cursor,
    /// Highest report position known to be acknowledged.
    pub reports_acknowledged: ReportPosition,
    /// Refused orders of this enlistment whose reasons the master may not have yet, ascending.
    pub refused: Vec<InstructionText>,
    /// Incarnation of the master spoken with last.
    pub incarnation_seen: Option<Uuid>,
}

/// The target's end of the fleet conversation. See the [module](crate::target).
#[derive(Debug)]
pub struct TargetLink {
    config: TargetConfig,
    state: TargetState,
    backoff: Backoff,
    connection: Connection,
    // What the store is doing; outlives a connection.
    applying: Option<Applying>,
    store_retry: Option<Instant>,
    leaving: Leaving,
    // Set once the master has let this target go, until the store has finished and the shell was told.
    ending: Option<String>,
    outbox: VecDeque<ToMaster>,
    events: VecDeque<TargetEvent>,
}

impl TargetLink {
    /// A link that connects at once.
    #[must_use]
    pub fn new(config: TargetConfig, mut state: TargetState, now: Moment) -> Self {
        // One past the cursor is of an earlier enlistment; the master would not take it.
        state
            .refused
            .retain(|refused| refused.instruction.number <= state.cursor.number);
        let backoff = Backoff::new(config.seed);
        Self {
            config,
            state,
            backoff,
            connection: Connection::Waiting { until: now.instant },
            applying: None,
            store_retry: None,
            leaving: Leaving::No,
            ending: None,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Longest message the master may send.
    #[must_use]
    pub const fn message_bytes_max(&self) -> usize {
        MASTER_MESSAGE_BYTES_MAX
    }

    /// The durable cursor, as far as the store has said.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.state.cursor
    }

    /// Whether the master has admitted this target on the present connection.
    #[must_use]
    pub const fn is_serving(&self) -> bool {
        matches!(self.connection, Connection::Serving(_))
    }

    /// The connection that [`TargetEvent::Connect`] asked for stands, TLS included.
    pub fn connected(&mut self, now: Moment) {
        if let Connection::Connecting { .. } = self.connection {
            self.connection = Connection::Holding;
            self.advance(now);
        }
    }

    /// The connection broke, or could not be made.
    pub fn disconnected(&mut self, now: Moment) {
        match self.connection {
            Connection::Waiting { .. } | Connection::Ended => {}
            Connection::Connecting { .. }
            | Connection::Holding
            | Connection::Greeting { .. }
            | Connection::Serving(_) => self.wait(Duration::ZERO, now),
        }
    }

    /// Takes a message of the master.
    ///
    /// # Errors
    /// The master broke the protocol. The link has dropped the connection (a
    /// [`TargetEvent::Disconnect`] follows) and will try again.
    pub fn handle_frame(&mut self, body: &[u8], now: Moment) -> Result<()> {
        let result = ToTarget::decode(body).and_then(|message| self.handle(message, now));
        if result.is_err() {
            self.drop_connection(Duration::ZERO, now);
        }
        self.advance(now);
        result
    }

    /// Time has come to what [`poll_timeout`](Self::poll_timeout) said, or past it.
    pub fn handle_timeout(&mut self, now: Moment) {
        match &mut self.connection {
            Connection::Waiting { until } => {
                if *until <= now.instant {
                    self.connect(now);
                }
            }
            Connection::Connecting { deadline } | Connection::Greeting { deadline } => {
                if *deadline <= now.instant {
                    self.drop_connection(Duration::ZERO, now);
                }
            }
            Connection::Serving(serving) => {
                if serving.answer_due().is_some_and(|due| due <= now.instant) {
                    self.drop_connection(Duration::ZERO, now);
                } else if !serving.polling
                    && serving.poll_due(self.config.poll_interval_secs) <= now.instant
                {
                    self.poll(now);
                }
            }
            Connection::Holding | Connection::Ended => {}
        }
        if self.store_retry.is_some_and(|at| at <= now.instant) {
            self.store_retry = None;
            if let Connection::Serving(serving) = &mut self.connection {
                serving.fetch_wanted = true;
                serving.reports_wanted = true;
            }
        }
        self.advance(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let of_connection = match &self.connection {
            Connection::Waiting { until } => Some(*until),
            Connection::Connecting { deadline } | Connection::Greeting { deadline } => {
                Some(*deadline)
            }
            Connection::Serving(serving) => {
                let poll = serving.poll_due(self.config.poll_interval_secs);
                let flush = match self.leaving {
                    Leaving::Wanted { flush_until } if self.applying.is_none() => flush_until,
                    Leaving::Wanted { .. } | Leaving::No | Leaving::Told => None,
                };
                // A poll that is under way has an answer due; the next one comes after it.
                let poll = (!serving.polling).then_some(poll);
                let may_tell = !serving.results_sent && !serving.reports_only;
                let results = serving.results_due.filter(|_| may_tell);
                [poll, serving.answer_due(), flush, results]
                    .into_iter()
                    .flatten()
                    .min()
            }
            Connection::Holding | Connection::Ended => None,
        };
        [of_connection, self.store_retry]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next message to send, as frames.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox
            .pop_front()
            .map(|message| encode_frames(&message.encode()))
    }

    /// The next thing to do.
    pub fn poll_event(&mut self) -> Option<TargetEvent> {
        self.events.pop_front()
    }

    /// [`TargetEvent::ApplyDefinitions`] is done and durable.
    pub fn definitions_applied(&mut self, done: DefinitionsApplied, now: Moment) {
        let Some(Applying::Definitions { batch }) = self.applying.take() else {
            return;
        };
        let applied = &batch[..done.applied.min(batch.len())];
        for definition in applied {
            if let Some(secs) = definition.poll_interval_secs {
                self.config.poll_interval_secs = secs;
            }
        }
        if applied.iter().any(|definition| definition.re_enlist) {
            self.send_facts(now);
        }
        let failed = done
            .failure
            .zip(batch.get(applied.len()))
            .map(|(text, definition)| InstructionText {
                instruction: definition.cursor,
                text,
            });
        if failed.is_none()
            && applied.len() < batch.len()
            && let Connection::Serving(serving) = &mut self.connection
        {
            // Not all were taken up, and none failed: what follows has to come again, in order.
            serving.queue.clear();
        }
        let order_next = match &self.connection {
            Connection::Serving(serving) => serving.queue.front().is_some_and(is_order),
            Connection::Waiting { .. }
            | Connection::Connecting { .. }
            | Connection::Holding
            | Connection::Greeting { .. }
            | Connection::Ended => false,
        };
        match applied.last() {
            // The order's own transaction moves the cursor past both.
            Some(_) if failed.is_none() && order_next => {}
            Some(last) => {
                let cursor = last.cursor;
                self.applying = Some(Applying::Cursor { cursor, failed });
                self.events.push_back(TargetEvent::MoveCursor { cursor });
            }
            None => self.block(failed, now),
        }
        self.advance(now);
    }

    /// [`TargetEvent::MoveCursor`] is done and durable.
    pub fn cursor_moved(&mut self, now: Moment) {
        let Some(Applying::Cursor { cursor, failed }) = self.applying.take() else {
            return;
        };
        self.moved(cursor, now.instant);
        self.block(failed, now);
        self.advance(now);
    }

    /// [`TargetEvent::CarryOut`] is done and durable. `refusals` holds one entry for each order: why it was
    /// refused, or `None`.
    pub fn orders_carried_out(&mut self, refusals: Vec<Option<String>>, now: Moment) {
        let Some(Applying::Orders { cursors }) = self.applying.take() else {
            return;
        };
        let refused = cursors.iter().zip(refusals).filter_map(|(cursor, reason)| {
            reason.map(|text| InstructionText {
                instruction: *cursor,
                text,
            })
        });
        let before = self.state.refused.len();
        self.state.refused.extend(refused);
        let told_by = if self.state.refused.len() > before {
            now.instant
        } else {
            now.instant + RESULTS_SETTLE
        };
        if let Some(last) = cursors.last() {
            self.moved(*last, told_by);
        }
        self.advance(now);
    }

    /// What [`TargetEvent::ApplyDefinitions`], [`TargetEvent::MoveCursor`] or [`TargetEvent::CarryOut`]
    /// asked for could not be made durable. Nothing of it counts as done; the link asks again a little
    /// later. Safe where it did become durable after all.
    pub fn store_failed(&mut self, now: Moment) {
        self.applying = None;
        if let Connection::Serving(serving) = &mut self.connection {
            serving.queue.clear();
        }
        self.store_retry = Some(now.instant + STORE_RETRY);
        self.advance(now);
    }

    /// The rows of [`TargetEvent::LoadReports`] could not be read. The link asks again a little later.
    pub fn reports_load_failed(&mut self, after: ReportPosition, now: Moment) {
        if let Connection::Serving(serving) = &mut self.connection
            && matches!(serving.reports, ReportFlow::Loading)
            && serving.reports_from == after
        {
            serving.reports = ReportFlow::Idle;
            self.store_retry = Some(now.instant + STORE_RETRY);
        }
        self.advance(now);
    }

    /// Answers [`TargetEvent::LoadReports`]. `more`: rows past these are durable too.
    pub fn reports_loaded(
        &mut self,
        after: ReportPosition,
        rows: Vec<ReportRow>,
        more: bool,
        now: Moment,
    ) {
        // An answer to an earlier connection's question may come late; the position tells.
        if let Connection::Serving(serving) = &mut self.connection
            && matches!(serving.reports, ReportFlow::Loading)
            && serving.reports_from == after
        {
            let batch = pack(rows, more);
            serving.reports = batch.flow;
            if !batch.rows.is_empty() {
                self.send(ToMaster::Reports(batch.rows), true, now);
            }
        }
        self.advance(now);
    }

    /// New report rows are durable here.
    pub fn reports_available(&mut self, now: Moment) {
        if let Connection::Serving(serving) = &mut self.connection {
            serving.reports_wanted = true;
        }
        self.advance(now);
    }

    /// Speak with the master at once, whatever the interval.
    pub fn force_poll(&mut self, now: Moment) {
        match &self.connection {
            Connection::Waiting { .. } => self.connect(now),
            Connection::Serving(serving) => {
                if !serving.polling {
                    self.poll(now);
                }
            }
            Connection::Connecting { .. }
            | Connection::Holding
            | Connection::Greeting { .. }
            | Connection::Ended => {}
        }
    }

    /// Facts about this instance changed.
    pub fn set_facts(&mut self, facts: TargetFacts, now: Moment) {
        self.config.facts = facts;
        self.send_facts(now);
    }

    /// Asks for a new certificate; an answer comes as an event. `false`: not admitted now, or already
    /// asked; ask again later.
    pub fn renew(&mut self, request_der: Vec<u8>, now: Moment) -> bool {
        let Connection::Serving(serving) = &mut self.connection else {
            return false;
        };
        if serving.renewing {
            return false;
        }
        serving.renewing = true;
        self.send(ToMaster::Renew { request_der }, true, now);
        true
    }

    /// Leave the master: reports go first, then the master is told; [`TargetEvent::Defect`] follows when it
    /// has agreed. Waits for a connection where there is none.
    pub fn leave(&mut self, now: Moment) {
        if self.leaving == Leaving::No {
            self.leaving = Leaving::Wanted { flush_until: None };
        }
        self.advance(now);
    }

    /// Leave no more: the caller gave up waiting. Too late once the master was told.
    pub fn stay(&mut self) {
        if let Leaving::Wanted { .. } = self.leaving {
            self.leaving = Leaving::No;
            if let Connection::Serving(serving) = &mut self.connection {
                serving.fetch_wanted = true;
            }
        }
    }

    fn handle(&mut self, message: ToTarget, now: Moment) -> Result<()> {
        let unexpected = |message, state| Err(ProtocolError::Unexpected { message, state });
        match &mut self.connection {
            Connection::Serving(serving) => {
                if serving.answer_since.is_some() {
                    serving.answer_since = Some(now.instant);
                }
            }
            Connection::Greeting { .. } => {
                return match message {
                    ToTarget::HelloReply(reply) => self.admit(*reply, now),
                    ToTarget::Refusal(refusal) => {
                        let retry_after = refusal.retry_after;
                        self.events.push_back(TargetEvent::Refused(refusal));
                        self.drop_connection(retry_after, now);
                        Ok(())
                    }
                    ToTarget::Defected { text } => {
                        self.end(text);
                        Ok(())
                    }
                    ToTarget::ChangeNotice { .. }
                    | ToTarget::Instructions(_)
                    | ToTarget::ResultsAck { .. }
                    | ToTarget::ReportAck { .. }
                    | ToTarget::PollReply { .. }
                    | ToTarget::Renewed(_) => {
                        unexpected("a message of an admitted conversation", "greeting")
                    }
                };
            }
            // The connection is gone for this end; what still arrives belongs to it.
            Connection::Waiting { .. }
            | Connection::Connecting { .. }
            | Connection::Holding
            | Connection::Ended => return Ok(()),
        }
        self.handle_serving(message, now)
    }

    fn handle_serving(&mut self, message: ToTarget, now: Moment) -> Result<()> {
        let Connection::Serving(serving) = &mut self.connection else {
            return Ok(());
        };
        match message {
            ToTarget::HelloReply(_) => {
                return Err(ProtocolError::Unexpected {
                    message: "hello reply",
                    state: "admitted",
                });
            }
            ToTarget::Refusal(refusal) => {
                let retry_after = refusal.retry_after;
                self.events.push_back(TargetEvent::Refused(refusal));
                self.drop_connection(retry_after, now);
                return Ok(());
            }
            ToTarget::Defected { text } => {
                self.end(text);
                return Ok(());
            }
            ToTarget::ChangeNotice { sequence } => serving.notice(sequence),
            ToTarget::PollReply { sequence, .. } => {
                serving.polling = false;
                serving.notice(sequence);
            }
            ToTarget::Instructions(instructions) => self.take(instructions)?,
            ToTarget::ResultsAck { through } => self.results_acknowledged(through)?,
            ToTarget::ReportAck { through } => {
                let acknowledged = serving.reports.acknowledge(through)?;
                serving.reports_from = acknowledged.through;
                serving.reports_wanted |= acknowledged.more;
                let through = acknowledged.through;
                // After a rewind the master catches up with what it acknowledged before.
                if through > self.state.reports_acknowledged {
                    self.state.reports_acknowledged = through;
                    self.events
                        .push_back(TargetEvent::ReportsAcknowledged { through });
                }
            }
            ToTarget::Renewed(answer) => {
                if !std::mem::take(&mut serving.renewing) {
                    return Err(ProtocolError::Unexpected {
                        message: "certificate",
                        state: "none was asked for",
                    });
                }
                self.events.push_back(match answer {
                    Ok(chain) => TargetEvent::CertificateRenewed(chain),
                    Err(refusal) => TargetEvent::CertificateRefused(refusal),
                });
            }
        }
        let leaving = self.leaving == Leaving::Told;
        if let Connection::Serving(serving) = &mut self.connection {
            serving.settle(leaving);
        }
        Ok(())
    }

    fn admit(&mut self, reply: HelloReply, now: Moment) -> Result<()> {
        if reply.master != self.config.master {
            return Err(ProtocolError::Field {
                field: "hello_reply.master",
            });
        }
        if reply.version != PROTOCOL_VERSION {
            return Err(ProtocolError::Field {
                field: "hello_reply.version",
            });
        }
        if reply.reports_only.is_none() && reply.generation != self.config.generation {
            return Err(ProtocolError::Field {
                field: "hello_reply.generation",
            });
        }
        self.backoff.succeeded(reply.backoff);
        self.config.poll_interval_secs = reply.poll_interval_secs;
        self.state.incarnation_seen = Some(reply.incarnation);
        if let Leaving::Told = self.leaving {
            self.leaving = Leaving::Wanted { flush_until: None };
        }
        let reports_only = reply.reports_only.is_some();
        self.connection = Connection::Serving(Box::new(Serving {
            reports_only,
            fetched_sequence: 0,
            noticed_sequence: 0,
            fetch_wanted: !reports_only,
            fetching: false,
            queue: VecDeque::new(),
            master_clock: reply.clock,
            results_due: (!reports_only && !self.state.refused.is_empty()).then_some(now.instant),
            failed: None,
            results_sent: false,
            reports: ReportFlow::Idle,
            reports_wanted: true,
            // A restored master knows less than it acknowledged; a restored target less than the master.
            reports_from: reply.reports_durable.min(self.state.reports_acknowledged),
            polling: false,
            renewing: false,
            last_sent: now.instant,
            answer_since: None,
        }));
        self.events.push_back(TargetEvent::Admitted {
            master: reply.master,
            incarnation: reply.incarnation,
            addresses: reply.addresses,
            poll_interval_secs: reply.poll_interval_secs,
            enlist_anew: reply.reports_only,
        });
        Ok(())
    }

    fn take(&mut self, instructions: Instructions) -> Result<()> {
        let Connection::Serving(serving) = &mut self.connection else {
            return Ok(());
        };
        if !std::mem::take(&mut serving.fetching) {
            return Err(ProtocolError::Unexpected {
                message: "instructions",
                state: "none were asked for",
            });
        }
        if instructions.generation != self.config.generation {
            return Err(ProtocolError::Field {
                field: "instructions.generation",
            });
        }
        // Within the list the decoder has checked the order.
        if let Some(first) = instructions.list.first()
            && first.number <= self.state.cursor.number
        {
            return Err(ProtocolError::OutOfOrder {
                number: first.number.0,
                after: self.state.cursor.number.0,
            });
        }
        serving.fetched_sequence = serving.fetched_sequence.max(instructions.sequence);
        // What comes next is asked for at once and waited for. An empty answer is that of a master that does
        // not let a fetch wait: it gives notice.
        serving.fetch_wanted =
            !instructions.list.is_empty() || serving.noticed_sequence > serving.fetched_sequence;
        serving.master_clock = instructions.clock;
        serving.queue = instructions.list.into();
        Ok(())
    }

    fn results_acknowledged(&mut self, through: InstructionNumber) -> Result<()> {
        let Connection::Serving(serving) = &mut self.connection else {
            return Ok(());
        };
        if !std::mem::take(&mut serving.results_sent) {
            return Err(ProtocolError::Unexpected {
                message: "acknowledgement of results",
                state: "none were sent",
            });
        }
        let before = self.state.refused.len();
        self.state
            .refused
            .retain(|refused| refused.instruction.number > through);
        if self.state.refused.len() < before {
            self.events
                .push_back(TargetEvent::RefusalsAcknowledged { through });
        }
        Ok(())
    }

    /// Does whatever the present state allows next.
    fn advance(&mut self, now: Moment) {
        if self.applying.is_none()
            && let Some(text) = self.ending.take()
        {
            self.events.push_back(TargetEvent::Defect { text });
        }
        if let Connection::Holding = self.connection
            && self.applying.is_none()
        {
            self.greet(now);
        }
        self.apply_next();
        let Connection::Serving(serving) = &mut self.connection else {
            return;
        };
        if self.leaving != Leaving::No {
            serving.queue.clear();
        }
        let idle = self.applying.is_none() && serving.queue.is_empty();
        let mut messages = Vec::new();
        if serving.results_due.is_some_and(|due| due <= now.instant)
            && !serving.results_sent
            && !serving.reports_only
        {
            serving.results_due = None;
            serving.results_sent = true;
            messages.push(ToMaster::Results(Results {
                cursor: self.state.cursor,
                refused: self.state.refused.clone(),
                failed: serving.failed.take(),
            }));
        }
        if serving.fetch_wanted
            && idle
            && !serving.fetching
            && !serving.reports_only
            && serving.failed.is_none()
            && self.leaving == Leaving::No
            && self.store_retry.is_none()
            && self.state.refused.len() + DOWNLOAD_BATCH_ROWS_MAX <= REFUSALS_PENDING_MAX
        {
            serving.fetch_wanted = false;
            serving.fetching = true;
            messages.push(ToMaster::Fetch {
                after: self.state.cursor,
                max: DOWNLOAD_BATCH_ROWS_MAX,
                waits: true,
            });
        }
        if serving.reports_wanted
            && self.store_retry.is_none()
            && matches!(serving.reports, ReportFlow::Idle)
        {
            serving.reports_wanted = false;
            serving.reports = ReportFlow::Loading;
            self.events
                .push_back(TargetEvent::load_reports(serving.reports_from));
        }
        if let Leaving::Wanted { flush_until } = self.leaving {
            let until = flush_until.unwrap_or(now.instant + LEAVE_FLUSH_MAX);
            let flushed = matches!(serving.reports, ReportFlow::Idle) && !serving.reports_wanted;
            if idle && (flushed || until <= now.instant) {
                self.leaving = Leaving::Told;
                messages.push(ToMaster::Leave {
                    generation: self.config.generation,
                });
            } else {
                self.leaving = Leaving::Wanted {
                    flush_until: Some(until),
                };
            }
        }
        for message in messages {
            // A fetch waits as long as there is nothing to give; whether the master lives, polls show.
            let answer_due = !matches!(message, ToMaster::Fetch { .. });
            self.send(message, answer_due, now);
        }
    }

    /// Gives the next instructions of one kind to the store.
    fn apply_next(&mut self) {
        let Connection::Serving(serving) = &mut self.connection else {
            return;
        };
        if self.applying.is_some() || self.leaving != Leaving::No {
            return;
        }
        let Some(first) = serving.queue.front() else {
            return;
        };
        if let InstructionBody::Defect = first.body {
            // The master removes the target first and confirms; only then is anything removed here. The
            // cursor stays before the instruction, so a lost confirmation is asked for again.
            serving.queue.clear();
            self.leaving = Leaving::Wanted { flush_until: None };
            return;
        }
        let orders = is_order(first);
        let run = serving
            .queue
            .iter()
            .take_while(|next| {
                is_order(next) == orders && !matches!(next.body, InstructionBody::Defect)
            })
            .count();
        let batch: Vec<Instruction> = serving.queue.drain(..run).collect();
        if orders {
            let cursors: Vec<Cursor> = batch.iter().map(Instruction::cursor).collect();
            if let Some(&cursor) = cursors.last() {
                self.applying = Some(Applying::Orders { cursors });
                self.events.push_back(TargetEvent::CarryOut {
                    orders: batch,
                    cursor,
                    master_clock: serving.master_clock,
                });
            }
        } else {
            self.applying = Some(Applying::Definitions {
                batch: batch.iter().map(Applied::of).collect(),
            });
            self.events.push_back(TargetEvent::ApplyDefinitions {
                instructions: batch,
            });
        }
    }

    /// The cursor is there durably; the master is told by then.
    fn moved(&mut self, cursor: Cursor, told_by: Instant) {
        self.state.cursor = cursor;
        if let Connection::Serving(serving) = &mut self.connection {
            let due = serving.results_due.map_or(told_by, |due| due.min(told_by));
            serving.results_due = Some(due);
        }
    }

    /// Tells the master which definition failed; what came after it waits for a change there.
    fn block(&mut self, failed: Option<InstructionText>, now: Moment) {
        let Some(failed) = failed else {
            return;
        };
        if let Connection::Serving(serving) = &mut self.connection {
            serving.queue.clear();
            serving.results_due = Some(now.instant);
            serving.failed = Some(failed.clone());
        }
        self.events.push_back(TargetEvent::Blocked(failed));
    }

    fn connect(&mut self, now: Moment) {
        self.connection = Connection::Connecting {
            deadline: now.instant + CONNECT_TIMEOUT,
        };
        self.events.push_back(TargetEvent::Connect {
            attempt: self.backoff.attempts(),
        });
    }

    fn greet(&mut self, now: Moment) {
        self.connection = Connection::Greeting {
            deadline: now.instant + REPLY_TIMEOUT,
        };
        let hello = Hello {
            version: PROTOCOL_VERSION,
            instance: self.config.instance,
            facts: self.facts(now),
            generation: self.config.generation,
            cursor: self.state.cursor,
            reports_acknowledged: self.state.reports_acknowledged,
            clock: now.wall,
            incarnation_seen: self.state.incarnation_seen,
        };
        self.send(ToMaster::Hello(Box::new(hello)), false, now);
    }

    fn facts(&self, now: Moment) -> TargetFacts {
        TargetFacts {
            utc_offset_minutes: now.utc_offset_minutes,
            ..self.config.facts.clone()
        }
    }

    fn send_facts(&mut self, now: Moment) {
        if self.is_serving() {
            let facts = self.facts(now);
            self.send(ToMaster::Facts(facts), false, now);
        }
    }

    fn poll(&mut self, now: Moment) {
        if let Connection::Serving(serving) = &mut self.connection {
            serving.polling = true;
        }
        let poll = ToMaster::Poll {
            clock: now.wall,
            utc_offset_minutes: now.utc_offset_minutes,
        };
        self.send(poll, true, now);
    }

    fn send(&mut self, message: ToMaster, answer_due: bool, now: Moment) {
        if let Connection::Serving(serving) = &mut self.connection {
            serving.last_sent = now.instant;
            if answer_due {
                serving.answer_since.get_or_insert(now.instant);
            }
        }
        self.outbox.push_back(message);
        if self.outbox.len() > OUTBOX_MESSAGES_MAX {
            self.drop_connection(Duration::ZERO, now);
        }
    }

    fn drop_connection(&mut self, asked: Duration, now: Moment) {
        match self.connection {
            Connection::Waiting { .. } | Connection::Ended => {}
            Connection::Connecting { .. }
            | Connection::Holding
            | Connection::Greeting { .. }
            | Connection::Serving(_) => {
                self.events.push_back(TargetEvent::Disconnect);
                self.wait(asked, now);
            }
        }
    }

    fn wait(&mut self, asked: Duration, now: Moment) {
        self.outbox.clear();
        if let Leaving::Told = self.leaving {
            self.leaving = Leaving::Wanted { flush_until: None };
        }
        self.connection = Connection::Waiting {
            until: now.instant + self.backoff.next_wait(asked),
        };
    }

    fn end(&mut self, text: String) {
        self.outbox.clear();
        self.store_retry = None;
        self.connection = Connection::Ended;
        self.events.push_back(TargetEvent::Disconnect);
        // What the store is at has to end first, or it could bring back what the defection removes.
        self.ending = Some(text);
    }
}
