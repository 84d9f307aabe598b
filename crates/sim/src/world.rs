//! The whole fleet, its troubles, and the quiet end.

use crate::context::{Context, Stats};
use crate::event::{Event, Healed, Node};
use crate::master::Master;
use crate::master::store::{Define, Order, StoredRow};
use crate::options::Options;
use crate::target::Target;
use crate::target::store::is_outcome;
use crate::time::{HOUR, MINUTE, Micros, SECOND};
use crate::workload;
use model::{InstanceId, ReportPosition, RunId};
use std::collections::{BTreeMap, BTreeSet};

/// Virtual time after the troubles in which everything has to come right.
const SETTLING: Micros = 3 * HOUR;
/// How old a record on a target has to be at the end to be on the master for certain.
const REPORTED_WITHIN: Micros = 30 * MINUTE;
/// How often the administrator tidies up while things settle.
const TIDY_EVERY: Micros = 10 * MINUTE;

/// A rule was broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, after {} virtual minutes: {what}", at_micros / MINUTE)]
pub struct Violation {
    /// The seed that repeats it.
    pub seed: u64,
    /// Virtual time, in microseconds.
    pub at_micros: u64,
    /// Which rule, and where.
    pub what: String,
    /// What happened last, where [`Options::trace`] asked for it.
    pub trace: Vec<String>,
}

/// Runs a fleet from a seed to its quiet end.
///
/// # Errors
/// The first rule that was broken.
pub fn simulate(seed: u64, options: &Options) -> Result<Stats, Violation> {
    let mut world = World::new(seed, options.clone());
    world.run().map_err(|what| Violation {
        seed,
        at_micros: world.ctx.now,
        what,
        trace: world.ctx.trace.drain(..).collect(),
    })?;
    Ok(world.ctx.stats)
}

struct World {
    ctx: Context,
    master: Master,
    targets: Vec<Target>,
}

impl World {
    fn new(seed: u64, options: Options) -> Self {
        let mut ctx = Context::new(seed, options);
        let most = u64::try_from(ctx.options.targets.max(1)).expect("few targets");
        let count = if ctx.options.exact_targets {
            most
        } else {
            ctx.random.between(1, most)
        };
        let master = Master::new(&mut ctx);
        let targets = (0..usize::try_from(count).expect("few targets"))
            .map(|index| Target::new(index, master.instance, &mut ctx))
            .collect();
        Self {
            ctx,
            master,
            targets,
        }
    }

    fn run(&mut self) -> Result<(), String> {
        self.begin();
        let trouble = self.ctx.options.end_of_trouble();
        self.run_until(trouble)?;
        self.end_trouble();
        let end = trouble + SETTLING;
        let mut next = trouble;
        while next < end - REPORTED_WITHIN {
            next += TIDY_EVERY;
            self.run_until(next)?;
            self.tidy();
        }
        let positions: Vec<ReportPosition> = self
            .targets
            .iter()
            .map(|target| target.runs.durable.last_position)
            .collect();
        self.run_until(end)?;
        self.check_end(&positions)?;
        self.ctx.stats.rows =
            u64::try_from(self.master.runs.durable.rows.len()).unwrap_or(u64::MAX);
        self.ctx.stats.instructions = self
            .master
            .definitions
            .durable
            .members
            .values()
            .map(|member| member.last_number)
            .sum();
        Ok(())
    }

    fn begin(&mut self) {
        for target in &mut self.targets {
            target.start(&mut self.ctx);
            target.want_enlistment(&mut self.ctx);
        }
        workload::begin(&mut self.master, &self.targets, &mut self.ctx);
        // Jobs reach targets once these have enlisted.
        self.ctx.after(5 * MINUTE, Event::Administrate);
        if self.ctx.options.faults_per_hour > 0 {
            self.ctx.after(10 * MINUTE, Event::Fault);
        } else {
            self.ctx.trouble = false;
        }
    }

    fn run_until(&mut self, until: Micros) -> Result<(), String> {
        while let Some((at, event)) = self.ctx.queue.pop(until) {
            self.ctx.now = at;
            self.ctx.stats.events += 1;
            self.handle(event);
            if let Some(node) = self.ctx.dead.take() {
                self.crash(node, SECOND, 20 * MINUTE);
                // Two disasters at once find what one does not.
                let restores = self.ctx.options.restores_permille;
                if self.ctx.trouble && self.ctx.random.permille(restores) {
                    self.restore();
                }
            }
            if let Some(what) = self.ctx.checker.violation() {
                return Err(what);
            }
        }
        self.ctx.now = until;
        Ok(())
    }

    fn handle(&mut self, event: Event) {
        let ctx = &mut self.ctx;
        match event {
            Event::ConnectAnswered {
                target,
                life,
                attempt,
                enlist,
            } => {
                self.answer_connect(target, life, attempt, enlist);
            }
            Event::Deliver {
                connection,
                to,
                bytes,
            } => {
                if ctx.target_of(connection, to).is_none() {
                    return;
                }
                ctx.stats.messages += 1;
                ctx.note(u64::try_from(bytes.len()).unwrap_or(0));
                match to {
                    Node::Master => self.master.deliver(connection, &bytes, ctx),
                    Node::Target(target) => self.targets[target].deliver(connection, &bytes, ctx),
                }
            }
            Event::Closed { connection, to } => {
                if ctx.closed_at(connection, to) {
                    match to {
                        Node::Master => self.master.closed(connection),
                        Node::Target(target) => self.targets[target].closed(connection, ctx),
                    }
                }
            }
            Event::Synced { node, life, which } => match node {
                Node::Master if life == self.master.life => self.master.synced(which, ctx),
                Node::Target(target) if life == self.targets[target].life => {
                    self.targets[target].synced(which, ctx);
                }
                Node::Master | Node::Target(_) => {}
            },
            Event::WritesFailed { node, life } => match node {
                Node::Master if life == self.master.life => self.master.writes_failed(ctx),
                Node::Target(target) if life == self.targets[target].life => {
                    self.targets[target].writes_failed(ctx);
                }
                Node::Master | Node::Target(_) => {}
            },
            Event::MasterLink { connection, life } => {
                if life == self.master.life {
                    self.master.link_due(connection, ctx);
                }
            }
            Event::TargetLink { target, life } => {
                if life == self.targets[target].life {
                    self.targets[target].link_due(ctx);
                }
            }
            Event::OpenLink { target, life } => {
                if life == self.targets[target].life {
                    self.targets[target].reopen_link(ctx);
                }
            }
            Event::Agent { target, life } => {
                if life == self.targets[target].life {
                    self.targets[target].agent_due(ctx);
                }
            }
            Event::ProcessEnded {
                target,
                boot,
                process,
            } => {
                self.targets[target].process_ended(boot, process, ctx);
            }
            Event::Restart(Node::Master) => self.master.start(),
            Event::Restart(Node::Target(target)) => self.targets[target].start(ctx),
            Event::Enlist { target } => self.targets[target].enlist(ctx),
            Event::RetryWrites { target, life } => {
                if life == self.targets[target].life {
                    self.targets[target].retry_writes(ctx);
                }
            }
            Event::Administrate => {
                if ctx.now < ctx.options.end_of_trouble() {
                    workload::act(&mut self.master, &mut self.targets, ctx);
                    // Scripts act many times within a moment.
                    let longest = if ctx.random.permille(200) {
                        SECOND / 200
                    } else {
                        2 * HOUR / ctx.options.acts_per_hour.max(1)
                    };
                    let wait = ctx.random.between(0, longest);
                    ctx.after(wait, Event::Administrate);
                }
            }
            Event::Fault => {
                if ctx.trouble {
                    let wait = ctx
                        .random
                        .between(0, 2 * HOUR / ctx.options.faults_per_hour.max(1));
                    ctx.after(wait, Event::Fault);
                    self.fault();
                }
            }
            Event::Heal { node, what } => match (what, node) {
                (Healed::Disk, _) => {
                    ctx.full_disks.remove(&node);
                }
                (Healed::Partition, Node::Target(target)) => {
                    ctx.partitioned.remove(&target);
                }
                (Healed::Partition, Node::Master) => {}
            },
        }
    }

    fn answer_connect(&mut self, target: usize, life: u32, attempt: u64, enlist: bool) {
        let ctx = &mut self.ctx;
        if life != self.targets[target].life {
            return;
        }
        if ctx.partitioned.contains(&target) {
            // Nobody answers; the target gives up by its own time-out, or is told after a while.
            if enlist || ctx.random.permille(500) {
                let wait = ctx.random.between(SECOND, 2 * MINUTE);
                ctx.after(
                    wait,
                    Event::ConnectAnswered {
                        target,
                        life,
                        attempt,
                        enlist,
                    },
                );
            }
            return;
        }
        let connection = self.master.is_up().then(|| ctx.open(target));
        if let Some(connection) = connection {
            let instance = self.targets[target].instance;
            self.master.accept(connection, instance, enlist, ctx);
        }
        if enlist {
            self.targets[target].enlist_connected(connection, ctx);
        } else {
            self.targets[target].connected(attempt, connection, ctx);
        }
    }

    fn any_node(&mut self) -> Node {
        let ctx = &mut self.ctx;
        if ctx.random.permille(300) {
            Node::Master
        } else {
            Node::Target(ctx.random.index(self.targets.len()))
        }
    }

    /// Kills a node, for a while.
    fn crash(&mut self, node: Node, shortest: Micros, longest: Micros) {
        let machine = self.ctx.random.permille(300);
        match node {
            Node::Master => {
                if !self.master.is_up() {
                    return;
                }
                self.master.crash(&mut self.ctx);
            }
            Node::Target(target) => {
                if !self.targets[target].is_up() {
                    return;
                }
                self.targets[target].crash(machine, &mut self.ctx);
            }
        }
        let down = self.ctx.random.skewed(shortest, longest);
        self.ctx.after(down, Event::Restart(node));
    }

    /// Brings the master back from an older copy.
    fn restore(&mut self) {
        self.crash(Node::Master, SECOND, 20 * MINUTE);
        self.master.restore(&mut self.ctx);
    }

    fn fault(&mut self) {
        let node = self.any_node();
        let target = self.ctx.random.index(self.targets.len());
        let restores = self.ctx.options.restores_permille;
        if self.ctx.random.permille(2 * restores) {
            if self.ctx.random.permille(500) {
                self.master.back_up();
            } else {
                self.restore();
            }
            return;
        }
        match self.ctx.random.between(0, 99) {
            0..15 => self.crash(node, SECOND, 20 * MINUTE),
            15..18 => self.crash(Node::Master, HOUR, 3 * HOUR),
            18..50 => {
                let points = self.ctx.random.between(1, 12);
                self.ctx.deaths.insert(node, points);
            }
            50..65 => self.ctx.cut_all(target),
            65..77 => {
                self.ctx.partitioned.insert(target);
                self.ctx.cut_all(target);
                let length = self.ctx.random.skewed(SECOND, HOUR);
                let (node, what) = (Node::Target(target), Healed::Partition);
                self.ctx.after(length, Event::Heal { node, what });
            }
            77..85 => {
                let size = self.ctx.random.skewed(SECOND, 12 * HOUR);
                let size = i64::try_from(size).expect("hours");
                let by = if self.ctx.random.permille(500) {
                    size
                } else {
                    -size
                };
                self.targets[target].jump_clock(by, &mut self.ctx);
            }
            85..93 => {
                self.ctx.full_disks.insert(node);
                let length = self.ctx.random.skewed(SECOND, 30 * MINUTE);
                let what = Healed::Disk;
                self.ctx.after(length, Event::Heal { node, what });
            }
            _ => {
                let points = self.ctx.random.between(1, 12);
                self.ctx.deaths.insert(Node::Target(target), points);
            }
        }
    }

    /// From here on nothing goes wrong any more.
    fn end_trouble(&mut self) {
        let ctx = &mut self.ctx;
        ctx.trouble = false;
        ctx.deaths.clear();
        ctx.full_disks.clear();
        ctx.partitioned.clear();
        self.master.start();
        for target in &mut self.targets {
            target.put_right = true;
            target.start(ctx);
        }
    }

    /// What an administrator does who looks at the fleet: blocks are cleared, rows of servers that have
    /// left are deleted, servers that are told to are enlisted anew (they do that by themselves here).
    fn tidy(&mut self) {
        for target in &mut self.targets {
            let instance = target.instance;
            let Some(member) = self.master.definitions.durable.members.get(&instance) else {
                continue;
            };
            if member.defected {
                continue;
            }
            if std::mem::take(&mut target.given_up) {
                let after = None;
                let seed = self.ctx.random.next();
                self.master.administer(
                    Define::Resync {
                        instance,
                        after,
                        seed,
                    },
                    &mut self.ctx,
                );
                continue;
            }
            if self
                .master
                .runs
                .durable
                .blocking(instance, member)
                .is_some()
            {
                self.master.clear_error(instance, &mut self.ctx);
            } else if target.membership().is_none() && !target.is_enlisting() {
                self.master
                    .administer(Define::Remove(instance), &mut self.ctx);
            }
        }
    }

    fn check_end(&self, positions: &[ReportPosition]) -> Result<(), String> {
        let mut on_master: BTreeMap<(InstanceId, RunId, u32), StoredRow> = BTreeMap::new();
        for row in &self.master.runs.durable.rows {
            if on_master
                .insert((row.instance, row.run, row.row), *row)
                .is_some()
            {
                return Err(format!(
                    "row {} of run {} is on the master twice",
                    row.row, row.run
                ));
            }
        }
        for (target, through) in self.targets.iter().zip(positions) {
            self.check_reports(target, *through, &on_master)?;
            self.check_definitions(target)?;
            check_runs(target)?;
            if let Some(overdue) = target.overdue(&self.ctx) {
                return Err(overdue);
            }
        }
        Ok(())
    }

    fn check_reports(
        &self,
        target: &Target,
        through: ReportPosition,
        on_master: &BTreeMap<(InstanceId, RunId, u32), StoredRow>,
    ) -> Result<(), String> {
        let index = target.index;
        // A target that left reports to nobody.
        let member = self
            .master
            .definitions
            .durable
            .members
            .get(&target.instance);
        let enlisted = member.is_some_and(|member| {
            !member.defected
                && target
                    .membership()
                    .is_some_and(|own| own.generation == member.generation)
        });
        let mine: BTreeSet<(RunId, u32)> = target
            .runs
            .durable
            .history
            .values()
            .map(|row| (row.run_id, row.row))
            .collect();
        for row in on_master
            .values()
            .filter(|row| row.instance == target.instance)
        {
            if !mine.contains(&(row.run, row.row)) {
                return Err(format!(
                    "row {} of run {} is on the master and was never durable on target {index}",
                    row.row, row.run
                ));
            }
        }
        if !enlisted {
            return Ok(());
        }
        for row in target
            .runs
            .durable
            .history
            .range(..=through)
            .map(|(_, row)| row)
        {
            let stored = on_master.get(&(target.instance, row.run_id, row.row));
            if stored != Some(&StoredRow::of(target.instance, row)) {
                return Err(format!(
                    "target {index}: row {} of run {} is not on the master as it is here: {stored:?}",
                    row.row, row.run_id
                ));
            }
        }
        Ok(())
    }

    fn check_definitions(&self, target: &Target) -> Result<(), String> {
        let index = target.index;
        let definitions = &self.master.definitions.durable;
        let member = definitions.members.get(&target.instance);
        let own = target.membership();
        let Some(member) = member.filter(|member| !member.defected) else {
            return match own {
                // Both ends have let go.
                None if target.definitions.durable.jobs.is_empty() => Ok(()),
                None => Err(format!("target {index} kept jobs after it was defected")),
                Some(_) if target.is_enlisting() => Ok(()),
                Some(_) => Err(format!(
                    "target {index} was never told that it is enlisted no more"
                )),
            };
        };
        if own.map(|own| own.generation) != Some(member.generation) {
            return Err(format!(
                "target {index} has enlistment {own:?}, the master {}",
                member.generation
            ));
        }
        let wanted = definitions.jobs_of(target.instance);
        let there = &target.definitions.durable.jobs;
        if !wanted.iter().map(|(id, job)| (id, *job)).eq(there) {
            return Err(format!(
                "target {index} has jobs {:?}, the master wants {:?}",
                there
                    .values()
                    .map(|job| (&job.job.name, job.job.version))
                    .collect::<Vec<_>>(),
                wanted
                    .values()
                    .map(|job| (&job.job.name, job.job.version))
                    .collect::<Vec<_>>(),
            ));
        }
        let confirmed = self
            .master
            .runs
            .durable
            .confirmed(target.instance, member.generation);
        let last = member.queue.keys().next_back().copied().unwrap_or(0);
        if confirmed.number.0 < last {
            return Err(format!(
                "target {index}: instruction {last} is not confirmed, only {}",
                confirmed.number
            ));
        }
        for row in member.queue.values() {
            if let Order::Start { run, .. } = row.order {
                let runs = &target.runs.durable;
                if !runs.runs.contains_key(&run) && !runs.refused_runs.contains(&run) {
                    return Err(format!(
                        "target {index}: START {run} was neither run nor refused"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Every run that began has one outcome; those that began lately may still go on.
fn check_runs(target: &Target) -> Result<(), String> {
    let index = target.index;
    let runs = &target.runs.durable;
    let mut outcomes: BTreeMap<RunId, u32> = BTreeMap::new();
    for row in runs.history.values().filter(|row| is_outcome(row)) {
        *outcomes.entry(row.run_id).or_default() += 1;
    }
    for (run, row) in &runs.runs {
        let count = outcomes.get(run).copied().unwrap_or(0);
        if row.ended != (count == 1) || count > 1 {
            return Err(format!(
                "target {index}: run {run} of job {} has {count} outcomes",
                row.job
            ));
        }
    }
    let open = runs.runs.values().filter(|row| !row.ended).count();
    if open > workload::JOBS_MAX {
        return Err(format!("target {index}: {open} runs have no outcome"));
    }
    Ok(())
}
