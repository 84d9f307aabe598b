//! What the master stores, in two files, and the transactions on them.

use crate::file::FileState;
use crate::options::Broken;
use crate::random::Random;
use fleet::message::{ReportRow, Results};
use fleet::{PlannedDownload, plan_downloads};
use model::{
    Cursor, Generation, InstanceId, Instruction, InstructionBody, InstructionNumber, JobDocument,
    JobId, ReportPosition, RunId, RunStatus, ServerId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// What administrators write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Definitions {
    pub(crate) members: BTreeMap<InstanceId, Member>,
    pub(crate) jobs: BTreeMap<JobId, MasterJob>,
    last_server: i64,
    /// Raised by every restore.
    pub(crate) incarnation: u64,
}

/// A target, enlisted or gone.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) server: ServerId,
    pub(crate) generation: Generation,
    pub(crate) defected: bool,
    pub(crate) poll_interval_secs: u32,
    /// The token of the present enlistment, so that its repetition gives the same.
    token: Uuid,
    /// Incarnation of the master in which it was enlisted or re-synced.
    pub(crate) incarnation: u64,
    pub(crate) last_number: u64,
    pub(crate) queue: BTreeMap<u64, QueueRow>,
}

#[derive(Debug, Clone)]
pub(crate) struct QueueRow {
    pub(crate) uid: Uuid,
    pub(crate) order: Order,
}

/// An instruction as it is kept; documents are read when it is given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    Insert(JobId),
    Update(JobId),
    Delete(JobId),
    Start { job: JobId, run: RunId },
    Stop(JobId),
    SetPoll(u32),
    ReEnlist,
    Defect,
}

#[derive(Debug, Clone)]
pub(crate) struct MasterJob {
    pub(crate) document: Arc<JobDocument>,
    pub(crate) targets: BTreeSet<InstanceId>,
}

/// A transaction on the definitions. `seed` gives uids.
#[derive(Debug, Clone)]
pub(crate) enum Define {
    Enlist {
        instance: InstanceId,
        previous: Option<Generation>,
        token: Uuid,
    },
    Remove(InstanceId),
    Job {
        document: Arc<JobDocument>,
        targets: BTreeSet<InstanceId>,
        seed: u64,
    },
    Change {
        document: Arc<JobDocument>,
        header_only: bool,
        seed: u64,
    },
    DeleteJob {
        job: JobId,
        seed: u64,
    },
    Retarget {
        job: JobId,
        targets: BTreeSet<InstanceId>,
        seed: u64,
    },
    Post {
        instances: Vec<InstanceId>,
        order: Order,
        seed: u64,
    },
    Resync {
        instance: InstanceId,
        /// Where the target stands; `None` where an administrator asks.
        after: Option<InstructionNumber>,
        seed: u64,
    },
    DeleteRow {
        instance: InstanceId,
        number: u64,
    },
}

/// What a transaction on the definitions found.
#[derive(Debug)]
pub(crate) enum Defined {
    /// Targets whose queues changed.
    Touched(Vec<InstanceId>),
    Enlisted {
        generation: Generation,
        moved: bool,
    },
    Removed,
}

impl FileState for Definitions {
    type Write = Define;
    type Found = Defined;

    fn apply(&mut self, write: &Define) -> Defined {
        match write {
            Define::Enlist {
                instance,
                previous,
                token,
            } => self.enlist(*instance, *previous, *token),
            Define::Remove(instance) => {
                if let Some(member) = self.members.get_mut(instance) {
                    member.defected = true;
                    member.queue.clear();
                }
                for job in self.jobs.values_mut() {
                    job.targets.remove(instance);
                }
                Defined::Removed
            }
            Define::Job {
                document,
                targets,
                seed,
            } => {
                let job = document.job.id;
                let targets: BTreeSet<InstanceId> = targets
                    .iter()
                    .filter(|instance| self.is_enlisted(instance))
                    .copied()
                    .collect();
                let touched = self.post(&targets, &Order::Insert(job), *seed);
                let document = Arc::clone(document);
                self.jobs.insert(job, MasterJob { document, targets });
                Defined::Touched(touched)
            }
            Define::Change {
                document,
                header_only,
                seed,
            } => {
                let id = document.job.id;
                let Some(job) = self.jobs.get_mut(&id) else {
                    return Defined::Touched(Vec::new());
                };
                job.document = Arc::clone(document);
                let order = if *header_only {
                    Order::Update(id)
                } else {
                    Order::Insert(id)
                };
                let targets = job.targets.clone();
                Defined::Touched(self.post(&targets, &order, *seed))
            }
            Define::DeleteJob { job, seed } => match self.jobs.remove(job) {
                Some(gone) => {
                    Defined::Touched(self.post(&gone.targets, &Order::Delete(*job), *seed))
                }
                None => Defined::Touched(Vec::new()),
            },
            Define::Retarget { job, targets, seed } => self.retarget(*job, targets, *seed),
            Define::Post {
                instances,
                order,
                seed,
            } => {
                let instances = instances.iter().copied().collect();
                Defined::Touched(self.post(&instances, order, *seed))
            }
            Define::Resync {
                instance,
                after,
                seed,
            } => self.resync(*instance, *after, *seed),
            Define::DeleteRow { instance, number } => {
                if let Some(member) = self.members.get_mut(instance) {
                    member.queue.remove(number);
                }
                Defined::Touched(vec![*instance])
            }
        }
    }
}

impl Definitions {
    pub(crate) fn is_enlisted(&self, instance: &InstanceId) -> bool {
        self.members
            .get(instance)
            .is_some_and(|member| !member.defected)
    }

    /// The jobs a target should have.
    pub(crate) fn jobs_of(&self, instance: InstanceId) -> BTreeMap<JobId, &Arc<JobDocument>> {
        self.jobs
            .iter()
            .filter(|(_, job)| job.targets.contains(&instance))
            .map(|(id, job)| (*id, &job.document))
            .collect()
    }

    /// Instructions past a number, as they would be given out.
    pub(crate) fn instructions(
        &self,
        instance: InstanceId,
        after: u64,
        max: usize,
    ) -> (Vec<Instruction>, bool) {
        let Some(member) = self.members.get(&instance) else {
            return (Vec::new(), false);
        };
        let mut rows = member.queue.range(after + 1..);
        let list = rows
            .by_ref()
            .take(max)
            .map(|(number, row)| Instruction {
                number: InstructionNumber(*number),
                uid: row.uid,
                body: self.body(&row.order),
            })
            .collect();
        (list, rows.next().is_some())
    }

    fn body(&self, order: &Order) -> InstructionBody {
        let document = |job: &JobId| {
            self.jobs
                .get(job)
                .map(|job| Box::new(JobDocument::clone(&job.document)))
        };
        let login = || "sa".to_owned();
        match order {
            Order::Insert(job) => InstructionBody::Insert(document(job)),
            Order::Update(job) => InstructionBody::Update(document(job)),
            Order::Delete(job) => InstructionBody::Delete(*job),
            Order::Start { job, run } => InstructionBody::Start {
                job: *job,
                run: *run,
                login: login(),
                step_name: None,
            },
            Order::Stop(job) => InstructionBody::Stop {
                job: *job,
                login: login(),
            },
            Order::SetPoll(secs) => InstructionBody::SetPoll(*secs),
            Order::ReEnlist => InstructionBody::ReEnlist { operator: None },
            Order::Defect => InstructionBody::Defect,
        }
    }

    fn enlist(
        &mut self,
        instance: InstanceId,
        previous: Option<Generation>,
        token: Uuid,
    ) -> Defined {
        if let Some(member) = self.members.get(&instance)
            && member.token == token
        {
            // The answer was lost: the same membership again.
            return Defined::Enlisted {
                generation: member.generation,
                moved: true,
            };
        }
        let before = self.members.get(&instance);
        let moved = before.is_some();
        let generation = before
            .map(|member| member.generation)
            .max(previous)
            .map_or(1, |generation| generation.0 + 1);
        self.last_server += 1;
        let member = Member {
            server: ServerId(self.last_server),
            generation: Generation(generation),
            defected: false,
            poll_interval_secs: model::POLL_INTERVAL_SECS_DEFAULT,
            token,
            incarnation: self.incarnation,
            last_number: 0,
            queue: BTreeMap::new(),
        };
        self.members.insert(instance, member);
        // A new enlistment begins with an empty target; jobs of the old one are targeted anew.
        let mine: Vec<JobId> = self.jobs_of(instance).into_keys().collect();
        let mut random = Random::new(u64::from_le_bytes(
            token.as_bytes()[..8].try_into().expect("eight bytes"),
        ));
        for job in mine {
            self.post_one(instance, &Order::Insert(job), &mut random);
        }
        Defined::Enlisted {
            generation: Generation(generation),
            moved,
        }
    }

    fn retarget(&mut self, job: JobId, targets: &BTreeSet<InstanceId>, seed: u64) -> Defined {
        let wanted: BTreeSet<InstanceId> = targets
            .iter()
            .filter(|instance| self.is_enlisted(instance))
            .copied()
            .collect();
        let Some(entry) = self.jobs.get_mut(&job) else {
            return Defined::Touched(Vec::new());
        };
        let before = std::mem::replace(&mut entry.targets, wanted.clone());
        let added = wanted.difference(&before).copied().collect();
        let removed = before.difference(&wanted).copied().collect();
        let mut touched = self.post(&added, &Order::Insert(job), seed);
        touched.extend(self.post(&removed, &Order::Delete(job), seed ^ 1));
        Defined::Touched(touched)
    }

    fn resync(
        &mut self,
        instance: InstanceId,
        after: Option<InstructionNumber>,
        seed: u64,
    ) -> Defined {
        let wanted = self
            .jobs_of(instance)
            .into_iter()
            .map(|(id, document)| (id, document.job.version))
            .collect();
        let Some(member) = self
            .members
            .get_mut(&instance)
            .filter(|member| !member.defected)
        else {
            return Defined::Touched(Vec::new());
        };
        member.queue.clear();
        if let Some(after) = after {
            member.last_number = member.last_number.max(after.0);
            member.incarnation = self.incarnation;
        }
        let mut random = Random::new(seed);
        for planned in plan_downloads(&wanted, None) {
            let order = match planned {
                PlannedDownload::DeleteAll => Order::Delete(JobId::ALL),
                PlannedDownload::Delete(job) => Order::Delete(job),
                PlannedDownload::Insert(job) => Order::Insert(job),
            };
            self.post_one(instance, &order, &mut random);
        }
        Defined::Touched(vec![instance])
    }

    fn post(
        &mut self,
        instances: &BTreeSet<InstanceId>,
        order: &Order,
        seed: u64,
    ) -> Vec<InstanceId> {
        let mut random = Random::new(seed);
        let mut touched = Vec::new();
        for instance in instances {
            if self.is_enlisted(instance) {
                self.post_one(*instance, order, &mut random);
                touched.push(*instance);
            }
        }
        touched
    }

    fn post_one(&mut self, instance: InstanceId, order: &Order, random: &mut Random) {
        let Some(member) = self.members.get_mut(&instance) else {
            return;
        };
        let uid = random.uuid();
        let order = match order {
            // Each target's run is its own.
            Order::Start { job, .. } => Order::Start {
                job: *job,
                run: RunId(uid),
            },
            Order::SetPoll(secs) => {
                member.poll_interval_secs = *secs;
                order.clone()
            }
            Order::Insert(_)
            | Order::Update(_)
            | Order::Delete(_)
            | Order::Stop(_)
            | Order::ReEnlist
            | Order::Defect => order.clone(),
        };
        member.last_number += 1;
        member
            .queue
            .insert(member.last_number, QueueRow { uid, order });
    }
}

/// What the fleet writes.
#[derive(Debug, Clone)]
pub(crate) struct Runs {
    pub(crate) confirmed: BTreeMap<InstanceId, (Generation, Cursor)>,
    /// What targets said of instructions they could not carry out; the newest of each target counts.
    pub(crate) errors: BTreeMap<InstanceId, Cursor>,
    pub(crate) rows: Vec<StoredRow>,
    known: BTreeSet<(RunId, u32)>,
    pub(crate) positions: BTreeMap<InstanceId, ReportPosition>,
    broken: Broken,
}

/// What is kept of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredRow {
    pub(crate) instance: InstanceId,
    pub(crate) run: RunId,
    pub(crate) row: u32,
    pub(crate) job: JobId,
    pub(crate) step_id: i32,
    pub(crate) status: RunStatus,
}

impl StoredRow {
    pub(crate) const fn of(instance: InstanceId, row: &model::HistoryRow) -> Self {
        Self {
            instance,
            run: row.run_id,
            row: row.row,
            job: row.job_id,
            step_id: row.step_id,
            status: row.status,
        }
    }
}

/// A transaction on the runs.
#[derive(Debug, Clone)]
pub(crate) enum Record {
    Results {
        instance: InstanceId,
        generation: Generation,
        results: Results,
    },
    Confirm {
        instance: InstanceId,
        generation: Generation,
        cursor: Cursor,
    },
    Reports {
        instance: InstanceId,
        rows: Vec<ReportRow>,
    },
    ClearError(InstanceId),
}

impl FileState for Runs {
    type Write = Record;
    type Found = ();

    fn apply(&mut self, write: &Record) {
        match write {
            Record::Results {
                instance,
                generation,
                results,
            } => {
                let known = self.confirmed(*instance, *generation);
                if results.cursor.number > known.number {
                    self.confirmed
                        .insert(*instance, (*generation, results.cursor));
                }
                let confirmed = self.confirmed(*instance, *generation);
                if let Some(failed) = &results.failed
                    && failed.instruction.number > confirmed.number
                {
                    self.errors.insert(*instance, failed.instruction);
                }
            }
            Record::Confirm {
                instance,
                generation,
                cursor,
            } => {
                self.confirmed.insert(*instance, (*generation, *cursor));
                self.errors.remove(instance);
            }
            Record::Reports { instance, rows } => {
                for row in rows {
                    let new = self.known.insert((row.row.run_id, row.row.row));
                    if new || self.broken == Broken::ForgetsDuplicates {
                        self.rows.push(StoredRow::of(*instance, &row.row));
                    }
                }
                if let Some(last) = rows.last() {
                    self.positions.insert(*instance, last.position);
                }
            }
            Record::ClearError(instance) => {
                self.errors.remove(instance);
            }
        }
    }
}

impl Runs {
    pub(crate) const fn new(broken: Broken) -> Self {
        Self {
            confirmed: BTreeMap::new(),
            errors: BTreeMap::new(),
            rows: Vec::new(),
            known: BTreeSet::new(),
            positions: BTreeMap::new(),
            broken,
        }
    }

    /// The confirmed cursor of an enlistment.
    pub(crate) fn confirmed(&self, instance: InstanceId, generation: Generation) -> Cursor {
        self.confirmed
            .get(&instance)
            .filter(|(of, _)| *of == generation)
            .map_or(Cursor::START, |(_, cursor)| *cursor)
    }

    /// The instruction that blocks a target: one past its cursor that is still in its queue.
    pub(crate) fn blocking(&self, instance: InstanceId, member: &Member) -> Option<u64> {
        let error = self.errors.get(&instance)?;
        let confirmed = self.confirmed(instance, member.generation);
        let number = error.number.0;
        let there = member
            .queue
            .get(&number)
            .is_some_and(|row| row.uid == error.uid);
        (there && error.number > confirmed.number).then_some(number)
    }
}
