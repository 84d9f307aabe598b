//! The master: the real links over a simulated store.

pub(crate) mod store;

use crate::context::Context;
use crate::event::{ConnectionId, Event, Life, Node, Which};
use crate::file::File;
use crate::options::Broken;
use crate::target::brief;
use crate::time::wall;
use fleet::enlist::{DeskFacts, EnlistDesk, judge_request};
use fleet::master::{Kick, LoadedInstructions, TargetRecord, Whose};
use fleet::message::{BackoffAdvice, EnlistReply, EnlistRequest, Hello, Proof};
use fleet::{FrameReader, MasterConfig, MasterEvent, MasterLink, Moment, PROTOCOL_VERSION};
use model::{Cursor, Generation, InstanceId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Define, Defined, Definitions, Record, Runs};
use uuid::Uuid;

#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) instance: InstanceId,
    incarnation: Uuid,
    pub(crate) life: Life,
    up: bool,
    pub(crate) definitions: File<Definitions, DefineDone>,
    pub(crate) runs: File<Runs, RecordDone>,
    config: Arc<MasterConfig>,
    links: BTreeMap<ConnectionId, Link>,
    desks: BTreeMap<ConnectionId, Desk>,
    /// The admitted link of each target.
    registered: BTreeMap<InstanceId, ConnectionId>,
    /// Links whose write failed.
    failed: Vec<ConnectionId>,
    copy: Option<(Definitions, Runs)>,
}

#[derive(Debug)]
struct Link {
    machine: MasterLink,
    reader: FrameReader,
    instance: InstanceId,
    generation: Generation,
    wake: Option<u64>,
}

#[derive(Debug)]
struct Desk {
    machine: EnlistDesk,
    reader: FrameReader,
}

#[derive(Debug)]
pub(crate) enum DefineDone {
    Administered,
    Resynced {
        connection: ConnectionId,
        instance: InstanceId,
        generation: Generation,
        after: Cursor,
    },
    Removed(ConnectionId),
    Deleted(InstanceId),
    Enlisted {
        connection: ConnectionId,
        instance: InstanceId,
    },
}

#[derive(Debug)]
pub(crate) enum RecordDone {
    Results(ConnectionId, Whose),
    Confirmed(ConnectionId),
    Reports(ConnectionId),
    Cleared(InstanceId),
}

impl Master {
    pub(crate) fn new(ctx: &mut Context) -> Self {
        let instance = InstanceId(ctx.random.uuid());
        let incarnation = ctx.random.uuid();
        let broken = ctx.options.broken;
        Self {
            instance,
            incarnation,
            life: 0,
            up: true,
            definitions: File::new(Definitions::default()),
            runs: File::new(Runs::new(broken)),
            config: config(instance, incarnation),
            links: BTreeMap::new(),
            desks: BTreeMap::new(),
            registered: BTreeMap::new(),
            failed: Vec::new(),
            copy: None,
        }
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.up
    }

    pub(crate) fn start(&mut self) {
        if !self.up {
            self.up = true;
            self.life += 1;
            self.config = config(self.instance, self.incarnation);
        }
    }

    pub(crate) fn crash(&mut self, ctx: &mut Context) {
        ctx.stats.crashes += 1;
        ctx.say(|| "master: dies".to_owned());
        self.up = false;
        self.life += 1;
        self.links.clear();
        self.desks.clear();
        self.registered.clear();
        self.failed.clear();
        self.definitions.crash(&mut ctx.random);
        self.runs.crash(&mut ctx.random);
        ctx.close_all(Node::Master);
        self.tell_checker(None, ctx);
    }

    /// Copies both files, consistently.
    pub(crate) fn back_up(&mut self) {
        self.copy = Some((self.definitions.durable.clone(), self.runs.durable.clone()));
    }

    /// Puts the copy in the place of what is there. The master is down.
    pub(crate) fn restore(&mut self, ctx: &mut Context) {
        if let Some((mut definitions, runs)) = self.copy.clone() {
            definitions.incarnation += 1;
            ctx.stats.restores += 1;
            ctx.say(|| "master: is restored".to_owned());
            self.definitions.restore(definitions);
            self.runs.restore(runs);
            self.incarnation = ctx.random.uuid();
            self.tell_checker(None, ctx);
        }
    }

    fn tell_checker(&self, touched: Option<&[InstanceId]>, ctx: &mut Context) {
        let members = &self.definitions.current().members;
        for (instance, member) in members {
            if touched.is_none_or(|touched| touched.contains(instance)) {
                let rows = member.queue.iter().map(|(number, row)| (*number, row.uid));
                ctx.checker
                    .queue_is(*instance, member.generation, rows.collect(), ctx.now);
            }
        }
    }

    fn moment(ctx: &Context) -> Moment {
        ctx.clock.moment(ctx.now, 0)
    }

    // The administrator's side.

    /// An administrator's transaction; it fails silently where there is no room.
    pub(crate) fn administer(&mut self, write: Define, ctx: &mut Context) {
        if !self.up || ctx.full_disks.contains(&Node::Master) {
            return;
        }
        let done = match &write {
            Define::Remove(instance) => DefineDone::Deleted(*instance),
            Define::Enlist { .. }
            | Define::Job { .. }
            | Define::Change { .. }
            | Define::DeleteJob { .. }
            | Define::Retarget { .. }
            | Define::Post { .. }
            | Define::Resync { .. }
            | Define::DeleteRow { .. } => DefineDone::Administered,
        };
        self.define(write, done, ctx);
    }

    /// Clears the error that blocks a target.
    pub(crate) fn clear_error(&mut self, instance: InstanceId, ctx: &mut Context) {
        if self.up && !ctx.full_disks.contains(&Node::Master) {
            self.record(
                Record::ClearError(instance),
                RecordDone::Cleared(instance),
                ctx,
            );
        }
    }

    // The network's side.

    pub(crate) fn accept(
        &mut self,
        connection: ConnectionId,
        instance: InstanceId,
        enlist: bool,
        ctx: &mut Context,
    ) {
        let moment = Self::moment(ctx);
        if enlist {
            let machine = EnlistDesk::new(moment);
            let reader = FrameReader::new(machine.message_bytes_max());
            self.desks.insert(connection, Desk { machine, reader });
            return;
        }
        let machine = MasterLink::new(Arc::clone(&self.config), Some(instance), moment);
        let reader = FrameReader::new(machine.message_bytes_max());
        let link = Link {
            machine,
            reader,
            instance,
            generation: Generation(0),
            wake: None,
        };
        self.links.insert(connection, link);
        self.settle(connection, ctx);
    }

    pub(crate) fn deliver(&mut self, id: ConnectionId, bytes: &[u8], ctx: &mut Context) {
        let moment = Self::moment(ctx);
        let mut input = bytes;
        if let Some(desk) = self.desks.get_mut(&id) {
            let request = desk
                .reader
                .read(&mut input)
                .ok()
                .flatten()
                .and_then(|body| desk.machine.handle_frame(&body).ok());
            let Some(request) = request else {
                return self.close_desk(id, ctx);
            };
            let facts = DeskFacts {
                master: self.instance,
                version: PROTOCOL_VERSION,
                ready: true,
                enlisted_at: None,
            };
            match judge_request(&request, &facts) {
                Ok(()) => self.enlist(id, &request, ctx),
                Err(refusal) => {
                    let bytes = desk.machine.answer(&Err(refusal));
                    ctx.send(id, Node::Master, bytes);
                }
            }
            return;
        }
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        while let Ok(Some(body)) = link.reader.read(&mut input) {
            if link.machine.handle_frame(&body, moment).is_err() {
                ctx.stats.protocol_errors += 1;
                break;
            }
        }
        self.settle(id, ctx);
    }

    pub(crate) fn closed(&mut self, id: ConnectionId) {
        self.desks.remove(&id);
        self.forget(id);
    }

    pub(crate) fn link_due(&mut self, id: ConnectionId, ctx: &mut Context) {
        let moment = Self::moment(ctx);
        if let Some(link) = self.links.get_mut(&id)
            && link.wake == Some(ctx.now)
        {
            link.wake = None;
            link.machine.handle_timeout(moment);
            self.settle(id, ctx);
        }
    }

    fn forget(&mut self, id: ConnectionId) {
        if let Some(link) = self.links.remove(&id)
            && self.registered.get(&link.instance) == Some(&id)
        {
            self.registered.remove(&link.instance);
        }
    }

    fn close_desk(&mut self, id: ConnectionId, ctx: &mut Context) {
        self.desks.remove(&id);
        ctx.close(id, Node::Master, true);
    }

    fn enlist(&mut self, id: ConnectionId, request: &EnlistRequest, ctx: &mut Context) {
        let Proof::Token { id: token, .. } = &request.proof else {
            return self.close_desk(id, ctx);
        };
        let Ok(token) = Uuid::parse_str(token) else {
            return self.close_desk(id, ctx);
        };
        if ctx.full_disks.contains(&Node::Master) {
            return self.close_desk(id, ctx);
        }
        let instance = request.instance;
        let write = Define::Enlist {
            instance,
            previous: request.previous_generation,
            token,
        };
        let done = DefineDone::Enlisted {
            connection: id,
            instance,
        };
        self.define(write, done, ctx);
    }

    // The store's side.

    fn define(&mut self, write: Define, done: DefineDone, ctx: &mut Context) {
        ctx.say(|| format!("master: {}", brief(&write)));
        if ctx.is_dead(Node::Master) {
            return;
        }
        if self.definitions.write(write, done) {
            self.schedule_sync(Which::Definitions, ctx);
        }
        self.tell_checker(None, ctx);
        ctx.store_point(Node::Master);
    }

    fn record(&mut self, write: Record, done: RecordDone, ctx: &mut Context) {
        if ctx.is_dead(Node::Master) {
            return;
        }
        if self.runs.write(write, done) {
            self.schedule_sync(Which::Runs, ctx);
        }
        ctx.store_point(Node::Master);
    }

    /// Whether there is room; a link's write fails otherwise.
    fn has_room(&mut self, id: ConnectionId, ctx: &mut Context) -> bool {
        if !ctx.full_disks.contains(&Node::Master) {
            return true;
        }
        self.failed.push(id);
        let (node, life) = (Node::Master, self.life);
        ctx.after(10_000, Event::WritesFailed { node, life });
        false
    }

    pub(crate) fn writes_failed(&mut self, ctx: &mut Context) {
        for id in std::mem::take(&mut self.failed) {
            self.with_link(id, ctx, |link, _| link.store_failed());
        }
    }

    fn schedule_sync(&self, which: Which, ctx: &mut Context) {
        let latency = ctx.sync_latency();
        let (node, life) = (Node::Master, self.life);
        ctx.after(latency, Event::Synced { node, life, which });
    }

    pub(crate) fn synced(&mut self, which: Which, ctx: &mut Context) {
        match which {
            Which::Definitions => {
                let done = self.definitions.sync();
                if self.definitions.start_sync() {
                    self.schedule_sync(which, ctx);
                }
                ctx.store_point(Node::Master);
                for (done, found) in done {
                    self.defined(done, found, ctx);
                }
            }
            Which::Runs => {
                let done = self.runs.sync();
                if self.runs.start_sync() {
                    self.schedule_sync(which, ctx);
                }
                for (instance, position) in &self.runs.durable.positions {
                    ctx.checker.reports_durable(*instance, *position);
                }
                ctx.store_point(Node::Master);
                for (done, ()) in done {
                    self.recorded(done, ctx);
                }
            }
        }
    }

    fn defined(&mut self, done: DefineDone, found: Defined, ctx: &mut Context) {
        if ctx.is_dead(Node::Master) {
            return;
        }
        match (done, found) {
            (
                DefineDone::Resynced {
                    connection,
                    instance,
                    generation,
                    after,
                },
                _,
            ) => {
                let write = Record::Confirm {
                    instance,
                    generation,
                    cursor: after,
                };
                self.record(write, RecordDone::Confirmed(connection), ctx);
            }
            (DefineDone::Removed(connection), _) => {
                self.with_link(connection, ctx, |link, _| link.removed());
            }
            (DefineDone::Deleted(instance), _) => self.kick(instance, Kick::Defected, ctx),
            (
                DefineDone::Enlisted {
                    connection,
                    instance,
                },
                Defined::Enlisted { generation, moved },
            ) => {
                self.kick(instance, Kick::Stopping, ctx);
                self.enlisted(connection, instance, generation, moved, ctx);
            }
            (DefineDone::Administered, Defined::Touched(touched)) => {
                for instance in touched {
                    self.raise_change(instance, ctx);
                }
            }
            (DefineDone::Administered | DefineDone::Enlisted { .. }, _) => {}
        }
    }

    fn enlisted(
        &mut self,
        id: ConnectionId,
        instance: InstanceId,
        generation: Generation,
        moved: bool,
        ctx: &mut Context,
    ) {
        let Some(desk) = self.desks.get(&id) else {
            return;
        };
        let poll_interval_secs = self
            .definitions
            .durable
            .members
            .get(&instance)
            .map_or(model::POLL_INTERVAL_SECS_DEFAULT, |member| {
                member.poll_interval_secs
            });
        let answer = desk.machine.answer(&Ok(EnlistReply {
            version: PROTOCOL_VERSION,
            master_name: "MASTER".to_owned(),
            master: self.instance,
            incarnation: self.incarnation,
            generation,
            chain_der: vec![vec![0x30, 0]],
            ca_der: vec![0x30, 0],
            operator: None,
            poll_interval_secs,
            addresses: Vec::new(),
            clock: wall(ctx.now, 0),
            moved,
        }));
        ctx.send(id, Node::Master, answer);
    }

    fn recorded(&mut self, done: RecordDone, ctx: &mut Context) {
        if ctx.is_dead(Node::Master) {
            return;
        }
        match done {
            RecordDone::Results(id, whose) => {
                self.with_link(id, ctx, |link, _| link.results_stored(whose));
            }
            RecordDone::Confirmed(id) => self.with_link(id, ctx, MasterLink::resynced),
            RecordDone::Reports(id) => {
                if ctx.options.broken != Broken::AcknowledgesTooEarly {
                    self.with_link(id, ctx, |link, _| link.reports_stored());
                }
            }
            RecordDone::Cleared(instance) => self.raise_change(instance, ctx),
        }
    }

    fn raise_change(&mut self, instance: InstanceId, ctx: &mut Context) {
        if let Some(id) = self.registered.get(&instance) {
            self.with_link(*id, ctx, |link, _| link.raise_change());
        }
    }

    fn kick(&mut self, instance: InstanceId, kick: Kick, ctx: &mut Context) {
        if let Some(id) = self.registered.get(&instance) {
            self.with_link(*id, ctx, |link, _| link.kick(kick));
        }
    }

    fn with_link(
        &mut self,
        id: ConnectionId,
        ctx: &mut Context,
        act: impl FnOnce(&mut MasterLink, Moment),
    ) {
        let moment = Self::moment(ctx);
        if let Some(link) = self.links.get_mut(&id) {
            act(&mut link.machine, moment);
            self.settle(id, ctx);
        }
    }

    /// Carries out what a link asks for, until it asks for nothing.
    fn settle(&mut self, id: ConnectionId, ctx: &mut Context) {
        loop {
            if ctx.is_dead(Node::Master) {
                return;
            }
            let Some(link) = self.links.get_mut(&id) else {
                return;
            };
            while let Some(bytes) = link.machine.poll_transmit() {
                ctx.send(id, Node::Master, bytes);
            }
            let Some(event) = link.machine.poll_event() else {
                break;
            };
            self.handle_link(id, event, ctx);
        }
        let life = self.life;
        if let Some(link) = self.links.get_mut(&id)
            && let Some(due) = link.machine.poll_timeout()
        {
            let at = ctx.clock.micros(due).max(ctx.now);
            if link.wake.is_none_or(|wake| at < wake) {
                link.wake = Some(at);
                ctx.queue.push(
                    at,
                    Event::MasterLink {
                        connection: id,
                        life,
                    },
                );
            }
        }
    }

    fn handle_link(&mut self, id: ConnectionId, event: MasterEvent, ctx: &mut Context) {
        ctx.say(|| format!("master, connection {id}: {}", brief(&event)));
        let moment = Self::moment(ctx);
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let (instance, generation) = (link.instance, link.generation);
        match event {
            MasterEvent::Admit(hello) => self.admit(id, &hello, ctx),
            MasterEvent::Admitted { .. } => {
                link.reader
                    .set_message_bytes_max(link.machine.message_bytes_max());
                if let Some(older) = self.registered.insert(instance, id)
                    && older != id
                {
                    self.with_link(older, ctx, |link, _| link.kick(Kick::Superseded));
                    self.registered.insert(instance, id);
                }
            }
            MasterEvent::Resync { after } => {
                ctx.stats.resyncs += 1;
                if self.has_room(id, ctx) {
                    let seed = ctx.random.next();
                    let write = Define::Resync {
                        instance,
                        after: Some(after.number),
                        seed,
                    };
                    let done = DefineDone::Resynced {
                        connection: id,
                        instance,
                        generation,
                        after,
                    };
                    self.define(write, done, ctx);
                }
            }
            MasterEvent::LoadInstructions {
                after, rows_max, ..
            } => {
                let definitions = &self.definitions.durable;
                let member = definitions.members.get(&instance);
                let blocked = member
                    .is_some_and(|member| self.runs.durable.blocking(instance, member).is_some());
                let gone = definitions.is_enlisted(&instance);
                if !gone && ctx.options.broken != Broken::ServesDefected {
                    link.machine.kick(Kick::Defected);
                    return;
                }
                let (list, more) = definitions.instructions(instance, after.number.0, rows_max);
                link.machine.instructions_loaded(
                    LoadedInstructions {
                        blocked,
                        list,
                        more,
                    },
                    moment,
                );
            }
            MasterEvent::StoreResults(whose, results) => {
                if self.has_room(id, ctx) {
                    let write = Record::Results {
                        instance,
                        generation,
                        results,
                    };
                    self.record(write, RecordDone::Results(id, whose), ctx);
                }
            }
            MasterEvent::StoreReports(rows) => {
                if self.has_room(id, ctx) {
                    self.record(
                        Record::Reports { instance, rows },
                        RecordDone::Reports(id),
                        ctx,
                    );
                    if ctx.options.broken == Broken::AcknowledgesTooEarly
                        && let Some(link) = self.links.get_mut(&id)
                    {
                        link.machine.reports_stored();
                    }
                }
            }
            MasterEvent::StoreFacts(_) | MasterEvent::Seen { .. } => {}
            MasterEvent::IssueCertificate { .. } => {
                link.machine.certificate_issued(Ok(vec![vec![0x30, 0]]));
            }
            MasterEvent::RemoveTarget => {
                if self.has_room(id, ctx) {
                    self.define(Define::Remove(instance), DefineDone::Removed(id), ctx);
                }
            }
            MasterEvent::Close(_) => {
                self.forget(id);
                ctx.close(id, Node::Master, true);
            }
        }
    }

    fn admit(&mut self, id: ConnectionId, hello: &Hello, ctx: &mut Context) {
        let moment = Self::moment(ctx);
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let broken = ctx.options.broken;
        let instance = hello.instance;
        let runs = &self.runs.durable;
        let record = self
            .definitions
            .durable
            .members
            .get(&instance)
            .map(|member| {
                let at_cursor = member.queue.get(&hello.cursor.number.0).map(|row| row.uid);
                let trusts = broken == Broken::TrustsForeignCursors;
                TargetRecord {
                    server: member.server,
                    generation: member.generation,
                    defected: member.defected && broken != Broken::ServesDefected,
                    resync_due: member.incarnation != self.definitions.durable.incarnation
                        && !matches!(
                            broken,
                            Broken::ForgetsRestore | Broken::TrustsForeignCursors
                        ),
                    poll_interval_secs: member.poll_interval_secs,
                    confirmed: if trusts {
                        hello.cursor
                    } else {
                        runs.confirmed(instance, member.generation)
                    },
                    uid_at_cursor: at_cursor,
                    reports_durable: runs.positions.get(&instance).copied().unwrap_or_default(),
                }
            });
        if let Some(record) = &record {
            link.generation = record.generation;
        }
        link.machine.admit(record.as_ref(), moment);
    }
}

fn config(master: InstanceId, incarnation: Uuid) -> Arc<MasterConfig> {
    Arc::new(MasterConfig {
        master,
        incarnation,
        version: PROTOCOL_VERSION,
        backoff: BackoffAdvice {
            base: Duration::from_secs(1),
            max: Duration::from_secs(60),
        },
        addresses: Vec::new(),
    })
}
