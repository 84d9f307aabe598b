//! The master's state machine.

use super::event::{Closed, Kick, LoadedInstructions, MasterEvent, Whose};
use super::judge::{CursorStanding, Standing, TargetRecord, judge};
use crate::convert::check_instruction;
use crate::error::{ProtocolError, Result};
use crate::frame::encode_frames;
use crate::limits::{
    DOWNLOAD_BATCH_BYTES_MAX, DOWNLOAD_BATCH_ROWS_MAX, HELLO_BYTES_MAX, HELLO_TIMEOUT,
    INSTRUCTION_BYTES_MAX, KEEP_ALIVE, OUTBOX_MESSAGES_MAX, REPLY_TIMEOUT, SILENCE_GRACE,
    TARGET_MESSAGE_BYTES_MAX,
};
use crate::message::{
    BackoffAdvice, Hello, HelloReply, InstructionText, Instructions, Moment, Refusal, Results,
    ToMaster, ToTarget,
};
use crate::numbers;
use crate::version::judge_version;
use jiff::Timestamp;
use model::{Cursor, Generation, InstanceId, Instruction, ReportPosition};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What all links of a master share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterConfig {
    /// This instance.
    pub master: InstanceId,
    /// Changes with each restore.
    pub incarnation: Uuid,
    /// Newest protocol served; [`PROTOCOL_VERSION`](crate::PROTOCOL_VERSION) outside tests.
    pub version: u32,
    /// How targets wait when a connection breaks.
    pub backoff: BackoffAdvice,
    /// `host,port` of every process that serves this master.
    pub addresses: Vec<String>,
}

/// The master's end of one connection. See the [module](crate::master).
#[derive(Debug)]
pub struct MasterLink {
    config: Arc<MasterConfig>,
    peer: Option<InstanceId>,
    state: State,
    last_received: Instant,
    outbox: VecDeque<ToTarget>,
    events: VecDeque<MasterEvent>,
}

#[derive(Debug)]
enum State {
    AwaitingHello {
        deadline: Instant,
    },
    Admitting {
        hello: Box<Hello>,
        deadline: Instant,
    },
    Resyncing(Box<Member>),
    Serving(Box<Member>),
    Closed,
}

#[derive(Debug)]
struct Member {
    server: model::ServerId,
    version: u32,
    generation: Generation,
    poll_interval_secs: u32,
    reports_durable: ReportPosition,
    reports_only: Option<Refusal>,
    /// Where the target stands, by its own word.
    cursor: Cursor,
    /// Given on this connection and not confirmed yet.
    delivered: Vec<Cursor>,
    /// Changes raised on this connection.
    sequence: u64,
    /// The target will fetch without another notice: it has not answered one yet, or asks anew after each
    /// answer by itself.
    noticed: bool,
    /// Nothing came after this cursor when changes up to the sequence had been raised.
    end: Option<(Cursor, u64)>,
    fetch: Fetch,
    /// The target's results under way, which it wants acknowledged.
    storing_results: Option<Cursor>,
    /// The master's own word on the queue is under way.
    storing_own: bool,
    storing_reports: Option<ReportPosition>,
    issuing: bool,
    removing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fetch {
    None,
    /// Comes after results that are not stored yet.
    Behind(Wanted),
    /// Holds every change up to this sequence.
    Loading {
        sequence: u64,
        wanted: Wanted,
    },
    /// There was nothing to give; the next change is looked at for it.
    Waiting(Wanted),
}

/// What a fetch asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    after: Cursor,
    max: usize,
    waits: bool,
}

impl MasterLink {
    /// A link for a connection that was just accepted. `peer` is the instance that the client's
    /// certificate names; `None` only where targets without encryption are allowed.
    #[must_use]
    pub fn new(config: Arc<MasterConfig>, peer: Option<InstanceId>, now: Moment) -> Self {
        Self {
            config,
            peer,
            state: State::AwaitingHello {
                deadline: now.instant + HELLO_TIMEOUT,
            },
            last_received: now.instant,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Longest message the target may send now. Tell the frame reader after each
    /// [`MasterEvent::Admitted`].
    #[must_use]
    pub const fn message_bytes_max(&self) -> usize {
        match self.state {
            State::AwaitingHello { .. } | State::Admitting { .. } => HELLO_BYTES_MAX,
            State::Resyncing(_) | State::Serving(_) | State::Closed => TARGET_MESSAGE_BYTES_MAX,
        }
    }

    /// Takes a message of the target.
    ///
    /// # Errors
    /// The target broke the protocol. A [`MasterEvent::Close`] follows.
    pub fn handle_frame(&mut self, body: &[u8], now: Moment) -> Result<()> {
        if let State::Closed = self.state {
            return Ok(());
        }
        self.last_received = now.instant;
        let result = ToMaster::decode(body).and_then(|message| self.handle(message, now));
        if let Err(error) = &result {
            self.close(Closed::Protocol(error.clone()));
        }
        result
    }

    /// Time has come to what [`poll_timeout`](Self::poll_timeout) said, or past it.
    pub fn handle_timeout(&mut self, now: Moment) {
        if self.poll_timeout().is_some_and(|due| due <= now.instant) {
            self.close(Closed::Silent);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::AwaitingHello { deadline } | State::Admitting { deadline, .. } => {
                Some(*deadline)
            }
            State::Resyncing(_) | State::Serving(_) => {
                Some(self.last_received + KEEP_ALIVE + SILENCE_GRACE)
            }
            State::Closed => None,
        }
    }

    /// The next message to send, as frames.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.outbox
            .pop_front()
            .map(|message| encode_frames(&message.encode()))
    }

    /// The next thing to do.
    pub fn poll_event(&mut self) -> Option<MasterEvent> {
        self.events.pop_front()
    }

    /// Answers [`MasterEvent::Admit`] with what the catalog holds; `None` for an unknown instance.
    pub fn admit(&mut self, record: Option<&TargetRecord>, now: Moment) {
        let State::Admitting { hello, .. } = &self.state else {
            return;
        };
        let standing = judge(hello, record);
        match (standing, record) {
            (Standing::Member(cursor), Some(record)) => {
                let member = Box::new(Member::new(hello, record, None));
                match cursor {
                    CursorStanding::Foreign => {
                        self.events.push_back(MasterEvent::Resync {
                            after: member.cursor,
                        });
                        self.state = State::Resyncing(member);
                    }
                    CursorStanding::Confirmed => self.serve(member, now.wall),
                    CursorStanding::Ahead => {
                        let cursor = member.cursor;
                        self.serve(member, now.wall);
                        self.store_own(Results {
                            cursor,
                            refused: Vec::new(),
                            failed: None,
                        });
                    }
                }
            }
            (Standing::ReportsOnly(refusal), Some(record)) => {
                let member = Box::new(Member::new(hello, record, Some(refusal)));
                self.serve(member, now.wall);
            }
            (Standing::Defected(text), _) => {
                self.outbox.push_back(ToTarget::Defected { text });
                self.close(Closed::Defected);
            }
            (Standing::Refused(refusal), _) => self.refuse(refusal),
            // Without a record the judgement is never one of these.
            (Standing::Member(_) | Standing::ReportsOnly(_), None) => {}
        }
    }

    /// Sends the target away, while it is being admitted.
    pub fn refuse(&mut self, refusal: Refusal) {
        if let State::Admitting { .. } = self.state {
            let number = refusal.number;
            self.outbox.push_back(ToTarget::Refusal(refusal));
            self.close(Closed::Refused(number));
        }
    }

    /// Answers [`MasterEvent::Resync`] once durable.
    pub fn resynced(&mut self, now: Moment) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Resyncing(member) => self.serve(member, now.wall),
            other @ (State::AwaitingHello { .. }
            | State::Admitting { .. }
            | State::Serving(_)
            | State::Closed) => self.state = other,
        }
    }

    /// Something changed for this target: instructions were posted, an error was cleared, rows deleted.
    pub fn raise_change(&mut self) {
        let State::Serving(member) = &mut self.state else {
            return;
        };
        member.sequence += 1;
        match member.fetch {
            Fetch::Waiting(wanted) => self.load(wanted),
            // Looked at once more unless it finds something now, and then asked again by itself.
            Fetch::Behind(wanted) | Fetch::Loading { wanted, .. } if wanted.waits => {}
            Fetch::None | Fetch::Behind(_) | Fetch::Loading { .. } => {
                if member.reports_only.is_none() && !std::mem::replace(&mut member.noticed, true) {
                    self.outbox.push_back(ToTarget::ChangeNotice {
                        sequence: member.sequence,
                    });
                }
            }
        }
    }

    /// Answers [`MasterEvent::LoadInstructions`].
    pub fn instructions_loaded(&mut self, loaded: LoadedInstructions, now: Moment) {
        let State::Serving(member) = &mut self.state else {
            return;
        };
        let Fetch::Loading { sequence, wanted } = member.fetch else {
            return;
        };
        let packed = pack(loaded, wanted.max);
        if let Some(failed) = packed.unfit {
            // The queue is blocked as if the target had said so; the fetch then finds it blocked.
            let cursor = member.cursor;
            member.fetch = Fetch::Behind(wanted);
            self.store_own(Results {
                cursor,
                refused: Vec::new(),
                failed: Some(failed),
            });
            return;
        }
        let last = packed.list.last().map_or(wanted.after, Instruction::cursor);
        member.end = (!packed.more && !packed.blocked).then_some((last, sequence));
        if wanted.waits && packed.list.is_empty() {
            if sequence < member.sequence {
                self.load(wanted);
            } else {
                member.fetch = Fetch::Waiting(wanted);
            }
            return;
        }
        member.fetch = Fetch::None;
        member.delivered = packed.list.iter().map(Instruction::cursor).collect();
        self.outbox.push_back(ToTarget::Instructions(Instructions {
            generation: member.generation,
            list: packed.list,
            more: packed.more,
            sequence,
            clock: now.wall,
        }));
        if wanted.waits {
            member.noticed = true;
            return;
        }
        // A notice from while the fetch stood back is answered by this; a change from while it loaded may have
        // been covered by that notice, and is not in this answer. So notices start anew here.
        member.noticed = sequence < member.sequence;
        if member.noticed {
            self.outbox.push_back(ToTarget::ChangeNotice {
                sequence: member.sequence,
            });
        }
    }

    /// Answers [`MasterEvent::StoreResults`] once durable.
    pub fn results_stored(&mut self, whose: Whose) {
        let State::Serving(member) = &mut self.state else {
            return;
        };
        match whose {
            Whose::Master => member.storing_own = false,
            Whose::Target => {
                if let Some(cursor) = member.storing_results.take() {
                    self.outbox.push_back(ToTarget::ResultsAck {
                        through: cursor.number,
                    });
                }
            }
        }
        if let Fetch::Behind(wanted) = member.fetch {
            self.load(wanted);
        }
    }

    /// Answers [`MasterEvent::StoreReports`] once durable.
    pub fn reports_stored(&mut self) {
        if let State::Serving(member) = &mut self.state
            && let Some(through) = member.storing_reports.take()
        {
            self.outbox.push_back(ToTarget::ReportAck { through });
        }
    }

    /// Answers [`MasterEvent::IssueCertificate`]: DER, the target's first; or why not.
    pub fn certificate_issued(&mut self, answer: std::result::Result<Vec<Vec<u8>>, Refusal>) {
        if let State::Serving(member) = &mut self.state
            && std::mem::take(&mut member.issuing)
        {
            self.outbox.push_back(ToTarget::Renewed(answer));
        }
    }

    /// Answers [`MasterEvent::RemoveTarget`] once durable.
    pub fn removed(&mut self) {
        if let State::Serving(member) = &self.state
            && member.removing
        {
            self.defected("The server has left this master server.");
        }
    }

    /// What the last store event asked for could not be made durable or read. The target is sent away for
    /// a while and asks again.
    pub fn store_failed(&mut self) {
        self.outbox.push_back(ToTarget::Refusal(Refusal {
            number: numbers::CONVERSATION_FAILED,
            text: "The master server can't store anything now; try again later.".to_owned(),
            retry_after: STORE_FAILED_RETRY,
        }));
        self.close(Closed::Store);
    }

    /// Ends the link from the master's side.
    pub fn kick(&mut self, kick: Kick) {
        match (kick, &self.state) {
            (_, State::Closed) => return,
            (Kick::Defected, State::Serving(_) | State::Resyncing(_)) => {
                return self.defected("The server was defected from this master server.");
            }
            (Kick::Defected | Kick::Superseded | Kick::Stopping, _) => {}
        }
        self.close(Closed::Kicked(kick));
    }

    fn handle(&mut self, message: ToMaster, now: Moment) -> Result<()> {
        let member = match &mut self.state {
            State::AwaitingHello { .. } => {
                let ToMaster::Hello(hello) = message else {
                    return Err(ProtocolError::Unexpected {
                        message: "a first message other than a hello",
                        state: "waiting for the hello",
                    });
                };
                return self.greeted(hello, now);
            }
            State::Serving(member) => member,
            State::Admitting { .. } | State::Resyncing(_) => {
                return Err(ProtocolError::Unexpected {
                    message: "a message",
                    state: "admitting",
                });
            }
            State::Closed => return Ok(()),
        };
        match message {
            ToMaster::Hello(_) => {
                return Err(ProtocolError::Unexpected {
                    message: "hello",
                    state: "admitted",
                });
            }
            ToMaster::Fetch { after, max, waits } => {
                if member.fetch != Fetch::None || member.reports_only.is_some() {
                    return Err(ProtocolError::Unexpected {
                        message: "fetch",
                        state: "fetching, or taking reports only",
                    });
                }
                member.stand_at(after, "fetch.after")?;
                member.noticed = false;
                let wanted = Wanted { after, max, waits };
                if waits && member.end == Some((after, member.sequence)) {
                    member.fetch = Fetch::Waiting(wanted);
                } else {
                    self.load(wanted);
                }
            }
            ToMaster::Results(results) => {
                if member.storing_results.is_some() || member.reports_only.is_some() {
                    return Err(ProtocolError::Unexpected {
                        message: "results",
                        state: "storing results, or taking reports only",
                    });
                }
                if let Some(failed) = &results.failed
                    && !member.delivered.contains(&failed.instruction)
                {
                    return Err(ProtocolError::Field {
                        field: "results.failed",
                    });
                }
                member.stand_at(results.cursor, "results.cursor")?;
                member.storing_results = Some(results.cursor);
                self.events
                    .push_back(MasterEvent::StoreResults(Whose::Target, results));
            }
            ToMaster::Reports(rows) => {
                if member.storing_reports.is_some() {
                    return Err(ProtocolError::Unexpected {
                        message: "reports",
                        state: "storing reports",
                    });
                }
                member.storing_reports = rows.last().map(|row| row.position);
                self.events.push_back(MasterEvent::StoreReports(rows));
            }
            ToMaster::Poll {
                clock,
                utc_offset_minutes,
            } => {
                let sequence = member.sequence;
                self.events.push_back(MasterEvent::Seen {
                    clock,
                    utc_offset_minutes,
                });
                self.send(ToTarget::PollReply {
                    sequence,
                    clock: now.wall,
                })?;
            }
            ToMaster::Facts(facts) => {
                self.events.push_back(MasterEvent::StoreFacts(facts));
            }
            ToMaster::Renew { request_der } => {
                if std::mem::replace(&mut member.issuing, true) {
                    return Err(ProtocolError::Unexpected {
                        message: "request for a certificate",
                        state: "issuing one",
                    });
                }
                if member.reports_only.is_some() {
                    // Who has to enlist anew gets its certificate there.
                    let refusal = member.reports_only.clone();
                    self.certificate_issued(refusal.map_or(Ok(Vec::new()), Err));
                } else {
                    self.events
                        .push_back(MasterEvent::IssueCertificate { request_der });
                }
            }
            ToMaster::Leave { generation } => {
                if generation != member.generation || member.reports_only.is_some() {
                    // An enlistment that is over already.
                    self.defected("The enlistment is over.");
                } else if !std::mem::replace(&mut member.removing, true) {
                    self.events.push_back(MasterEvent::RemoveTarget);
                }
            }
        }
        Ok(())
    }

    fn greeted(&mut self, hello: Box<Hello>, now: Moment) -> Result<()> {
        if self.peer.is_some_and(|peer| peer != hello.instance) {
            return Err(ProtocolError::Field {
                field: "hello.instance",
            });
        }
        let version = judge_version(hello.version, self.config.version);
        self.state = State::Admitting {
            hello: hello.clone(),
            deadline: now.instant + REPLY_TIMEOUT,
        };
        match version {
            Ok(()) => self.events.push_back(MasterEvent::Admit(hello)),
            Err(refusal) => self.refuse(refusal),
        }
        Ok(())
    }

    fn serve(&mut self, member: Box<Member>, clock: Timestamp) {
        self.outbox
            .push_back(ToTarget::HelloReply(Box::new(HelloReply {
                version: member.version,
                master: self.config.master,
                incarnation: self.config.incarnation,
                poll_interval_secs: member.poll_interval_secs,
                reports_durable: member.reports_durable,
                backoff: self.config.backoff,
                clock,
                generation: member.generation,
                reports_only: member.reports_only.clone(),
                addresses: self.config.addresses.clone(),
            })));
        self.events.push_back(MasterEvent::Admitted {
            server: member.server,
            instructions: member.reports_only.is_none(),
        });
        self.state = State::Serving(member);
    }

    /// Has the store look for what a fetch wants, once it has the results that came before.
    fn load(&mut self, wanted: Wanted) {
        if let State::Serving(member) = &mut self.state {
            if member.storing_results.is_some() || member.storing_own {
                member.fetch = Fetch::Behind(wanted);
                return;
            }
            member.fetch = Fetch::Loading {
                sequence: member.sequence,
                wanted,
            };
            self.events.push_back(MasterEvent::LoadInstructions {
                after: wanted.after,
                rows_max: wanted.max.min(DOWNLOAD_BATCH_ROWS_MAX),
                bytes_max: DOWNLOAD_BATCH_BYTES_MAX,
            });
        }
    }

    fn store_own(&mut self, results: Results) {
        if let State::Serving(member) = &mut self.state {
            member.storing_own = true;
            self.events
                .push_back(MasterEvent::StoreResults(Whose::Master, results));
        }
    }

    fn send(&mut self, message: ToTarget) -> Result<()> {
        if self.outbox.len() >= OUTBOX_MESSAGES_MAX {
            return Err(ProtocolError::NotReading {
                max: OUTBOX_MESSAGES_MAX,
            });
        }
        self.outbox.push_back(message);
        Ok(())
    }

    fn defected(&mut self, text: &str) {
        self.outbox.push_back(ToTarget::Defected {
            text: text.to_owned(),
        });
        self.close(Closed::Defected);
    }

    fn close(&mut self, reason: Closed) {
        if !matches!(self.state, State::Closed) {
            self.state = State::Closed;
            self.events.push_back(MasterEvent::Close(reason));
        }
    }
}

/// How long a target stays away from a master whose store fails.
const STORE_FAILED_RETRY: Duration = Duration::from_secs(10);

impl Member {
    fn new(hello: &Hello, record: &TargetRecord, reports_only: Option<Refusal>) -> Self {
        Self {
            server: record.server,
            version: hello.version,
            generation: record.generation,
            poll_interval_secs: record.poll_interval_secs,
            reports_durable: record.reports_durable,
            reports_only,
            cursor: hello.cursor,
            delivered: Vec::new(),
            sequence: 0,
            noticed: false,
            end: None,
            fetch: Fetch::None,
            storing_results: None,
            storing_own: false,
            storing_reports: None,
            issuing: false,
            removing: false,
        }
    }

    /// The target says where it stands: where it stood, or at something given since.
    fn stand_at(&mut self, cursor: Cursor, field: &'static str) -> Result<()> {
        if cursor == self.cursor {
            return Ok(());
        }
        let Some(place) = self.delivered.iter().position(|given| *given == cursor) else {
            return Err(ProtocolError::Field { field });
        };
        self.delivered.drain(..=place);
        if self.delivered.is_empty() {
            // An idle link keeps no room for batches of the past.
            self.delivered = Vec::new();
        }
        self.cursor = cursor;
        Ok(())
    }
}

struct Packed {
    list: Vec<Instruction>,
    more: bool,
    blocked: bool,
    unfit: Option<InstructionText>,
}

/// The longest beginning of a queue that one answer takes. An instruction that no target would take is
/// left out with all after it; where it is the first, it is `unfit`.
fn pack(loaded: LoadedInstructions, rows_max: usize) -> Packed {
    let mut packed = Packed {
        list: Vec::new(),
        more: loaded.more,
        blocked: loaded.blocked,
        unfit: None,
    };
    if loaded.blocked {
        packed.more = false;
        return packed;
    }
    let mut bytes = 0;
    for instruction in loaded.list {
        let reason = match check_instruction(&instruction) {
            Ok(length) if length > INSTRUCTION_BYTES_MAX => Some(format!(
                "The job takes {length} bytes; a target server takes {INSTRUCTION_BYTES_MAX}."
            )),
            Ok(length) => {
                bytes += length;
                let full = bytes > DOWNLOAD_BATCH_BYTES_MAX || packed.list.len() >= rows_max;
                if full && !packed.list.is_empty() {
                    packed.more = true;
                    return packed;
                }
                None
            }
            Err(error) => Some(format!(
                "The job can't be sent to a target server: {error}."
            )),
        };
        match reason {
            None => packed.list.push(instruction),
            Some(text) if packed.list.is_empty() => {
                packed.unfit = Some(InstructionText {
                    instruction: instruction.cursor(),
                    text,
                });
                return packed;
            }
            Some(_) => {
                packed.more = true;
                return packed;
            }
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Hello, TargetFacts};
    use model::{InstructionBody, InstructionNumber, JobId, ServerId};

    #[expect(
        clippy::disallowed_methods,
        reason = "any instant will do to count from"
    )]
    fn now() -> Moment {
        Moment {
            instant: Instant::now(),
            wall: Timestamp::UNIX_EPOCH,
            utc_offset_minutes: 0,
        }
    }

    fn cursor(number: u64) -> Cursor {
        Cursor {
            number: InstructionNumber(number),
            uid: Uuid::from_u128(u128::from(number)),
        }
    }

    fn loaded(number: u64) -> LoadedInstructions {
        LoadedInstructions {
            blocked: false,
            list: vec![Instruction {
                number: cursor(number).number,
                uid: cursor(number).uid,
                body: InstructionBody::Delete(JobId::ALL),
            }],
            more: false,
        }
    }

    fn drain(link: &mut MasterLink) -> (Vec<MasterEvent>, usize) {
        let events = std::iter::from_fn(|| link.poll_event()).collect();
        let messages = std::iter::from_fn(|| link.poll_transmit()).count();
        (events, messages)
    }

    /// A link of a target that says it stands there; the master knows of nothing confirmed.
    fn serving(standing: Cursor, now: Moment) -> MasterLink {
        let instance = InstanceId(Uuid::from_u128(7));
        let config = MasterConfig {
            master: InstanceId(Uuid::from_u128(1)),
            incarnation: Uuid::from_u128(2),
            version: crate::PROTOCOL_VERSION,
            backoff: BackoffAdvice {
                base: Duration::from_secs(1),
                max: Duration::from_secs(2),
            },
            addresses: Vec::new(),
        };
        let mut link = MasterLink::new(Arc::new(config), Some(instance), now);
        let hello = ToMaster::Hello(Box::new(Hello {
            version: crate::PROTOCOL_VERSION,
            instance,
            facts: TargetFacts {
                name: "TARGET1".to_owned(),
                location: None,
                utc_offset_minutes: 0,
                program_version: "1".to_owned(),
            },
            generation: Generation(1),
            cursor: standing,
            reports_acknowledged: ReportPosition(0),
            clock: now.wall,
            incarnation_seen: None,
        }));
        link.handle_frame(&hello.encode(), now).unwrap();
        link.admit(
            Some(&TargetRecord {
                server: ServerId(1),
                generation: Generation(1),
                defected: false,
                resync_due: false,
                poll_interval_secs: 60,
                confirmed: Cursor::START,
                uid_at_cursor: (standing != Cursor::START).then_some(standing.uid),
                reports_durable: ReportPosition(0),
            }),
            now,
        );
        link
    }

    /// A change that comes while a fetch waits for the store is in that fetch's answer; the one after it
    /// has to be told anew, or the target would hear of it at its next poll only.
    #[test]
    fn a_change_behind_a_waiting_fetch_is_told_anew() {
        let now = now();
        let mut link = serving(Cursor::START, now);
        let fetch = |after| {
            let (max, waits) = (10, false);
            ToMaster::Fetch { after, max, waits }.encode()
        };
        link.handle_frame(&fetch(Cursor::START), now).unwrap();
        link.instructions_loaded(loaded(1), now);
        let results = ToMaster::Results(Results {
            cursor: cursor(1),
            refused: Vec::new(),
            failed: None,
        });
        link.handle_frame(&results.encode(), now).unwrap();
        link.handle_frame(&fetch(cursor(1)), now).unwrap();
        drain(&mut link);

        link.raise_change();
        link.results_stored(Whose::Target);
        let (events, _) = drain(&mut link);
        assert!(
            matches!(events[..], [MasterEvent::LoadInstructions { .. }]),
            "{events:?}"
        );
        link.instructions_loaded(loaded(2), now);
        drain(&mut link);

        link.raise_change();
        assert_eq!(drain(&mut link).1, 1, "one notice");
        link.raise_change();
        assert_eq!(drain(&mut link).1, 0, "and no second one until it fetched");

        // Once more; now another change comes while the answer is being loaded, behind the notice's back.
        let results = ToMaster::Results(Results {
            cursor: cursor(2),
            refused: Vec::new(),
            failed: None,
        });
        link.handle_frame(&results.encode(), now).unwrap();
        link.handle_frame(&fetch(cursor(2)), now).unwrap();
        link.raise_change();
        link.results_stored(Whose::Target);
        link.raise_change();
        drain(&mut link);
        link.instructions_loaded(loaded(3), now);
        assert_eq!(
            drain(&mut link).1,
            2,
            "the answer, and a notice of the rest"
        );
    }

    fn results_of_target(at: Cursor) -> Vec<u8> {
        ToMaster::Results(Results {
            cursor: at,
            refused: Vec::new(),
            failed: None,
        })
        .encode()
    }

    /// What is sent in a drained link, by name.
    fn sent(link: &mut MasterLink) -> Vec<ToTarget> {
        drain_events(link);
        std::mem::take(&mut link.outbox).into()
    }

    fn drain_events(link: &mut MasterLink) -> Vec<MasterEvent> {
        std::iter::from_fn(|| link.poll_event()).collect()
    }

    /// The master notes where a target stands that comes with a cursor ahead of what it knew. The target may send
    /// results meanwhile: it is not cut off, and neither answer stands for the other.
    #[test]
    fn the_masters_own_word_and_the_targets_results_are_told_apart() {
        for own_first in [true, false] {
            let now = now();
            let mut link = serving(cursor(1), now);
            let events = drain_events(&mut link);
            assert!(
                matches!(
                    events.last(),
                    Some(MasterEvent::StoreResults(Whose::Master, _))
                ),
                "{events:?}"
            );
            link.handle_frame(&results_of_target(cursor(1)), now)
                .unwrap();
            let (max, waits, after) = (10, true, cursor(1));
            let fetch = ToMaster::Fetch { after, max, waits };
            link.handle_frame(&fetch.encode(), now).unwrap();
            let events = drain_events(&mut link);
            assert!(
                matches!(events[..], [MasterEvent::StoreResults(Whose::Target, _)]),
                "{events:?}"
            );
            sent(&mut link);
            let order = if own_first {
                [Whose::Master, Whose::Target]
            } else {
                [Whose::Target, Whose::Master]
            };
            link.results_stored(order[0]);
            assert!(drain_events(&mut link).is_empty(), "the other is awaited");
            let acknowledged = usize::from(!own_first);
            assert_eq!(sent(&mut link).len(), acknowledged);
            link.results_stored(order[1]);
            let events = drain_events(&mut link);
            assert!(
                matches!(events[..], [MasterEvent::LoadInstructions { .. }]),
                "{events:?}"
            );
            assert_eq!(sent(&mut link).len(), 1 - acknowledged);
            // Nothing is under way any more: a stray answer is no acknowledgement.
            link.results_stored(Whose::Target);
            assert!(sent(&mut link).is_empty());
        }
    }

    /// A document that no target takes is found while the target's results are being stored.
    #[test]
    fn an_unfit_document_does_not_acknowledge_results() {
        let now = now();
        let mut link = serving(Cursor::START, now);
        let (max, waits, after) = (10, true, Cursor::START);
        let fetch = ToMaster::Fetch { after, max, waits };
        link.handle_frame(&fetch.encode(), now).unwrap();
        link.handle_frame(&results_of_target(Cursor::START), now)
            .unwrap();
        sent(&mut link);
        let mut unfit = loaded(1);
        unfit.list[0].body = InstructionBody::SetPoll(u32::MAX);
        link.instructions_loaded(unfit, now);
        let events = drain_events(&mut link);
        assert!(
            matches!(
                &events[..],
                [MasterEvent::StoreResults(Whose::Master, results)] if results.failed.is_some()
            ),
            "{events:?}"
        );
        link.results_stored(Whose::Master);
        assert!(sent(&mut link).is_empty(), "the target's are not stored");
        // And it is not cut off for sending the next once these are.
        link.results_stored(Whose::Target);
        assert_eq!(sent(&mut link).len(), 1);
        link.handle_frame(&results_of_target(Cursor::START), now)
            .unwrap();
    }

    /// A hundred thousand idle links have to fit a small master beside their TLS.
    #[test]
    fn an_idle_link_is_small() {
        let bytes = size_of::<MasterLink>() + size_of::<Member>();
        assert!(bytes <= 1_024, "{bytes} bytes");
        // What the queues allocate at their first use.
        let queues = 4 * (size_of::<ToTarget>() + size_of::<MasterEvent>());
        assert!(queues <= 2_048, "{queues} bytes");
    }
}
