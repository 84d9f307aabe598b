//! What the link's events mean for the catalog and the agent. Everything here blocks.

use super::addresses::keep_addresses;
use crate::clock::Clock;
use crate::enlist::apply::set_msx_operator;
use catalog::{
    AuditEntry, Catalog, CatalogError, DefinitionsRead, DefinitionsWrite, JobDeletion, NewRun,
    StartAccepted, TargetCursor,
};
use fleet::message::ReportRow;
use fleet::target::DefinitionsApplied;
use model::{
    Cursor, Generation, Instruction, InstructionBody, JobDocument, JobId, MSX_OPERATOR,
    POLL_INTERVAL_SECS_RANGE, ReportPosition, RunId, RunSource, Subsystem,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// SID of `sa`: downloaded jobs run under the target agent's rights, whoever owns them on the master.
const AGENT_OWNER_SID: [u8; 1] = [1];
/// Subsystems whose steps this program can store and, where the host has what they need, run.
const SUBSYSTEMS_TAKEN: [&str; 5] = ["PowerShell", "PostgreSQL", "MySQL", "SQLite", "HTTP"];

/// The agent as far as the master's orders concern it.
pub trait TargetAgent: Send + Sync + 'static {
    /// The agent's session.
    fn session(&self) -> i64;

    /// Whether a run of the job is going on.
    fn is_running(&self, job: JobId) -> bool;

    /// A START has come whose row is about to be written. Nothing of it may run yet; getting ready is optional.
    fn expect_run(&self, _run: &NewRun) {}

    /// A run whose start row is durable may start its first step.
    fn start_recorded_run(&self, run: NewRun);

    /// The run of a job has to stop.
    fn stop(&self, job: JobId, login: &str);
}

/// Carries out what the link wants done.
pub struct TargetStore {
    /// Definitions and runs.
    pub catalog: Catalog,
    /// The agent.
    pub agent: Arc<dyn TargetAgent>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// The master's name; where downloaded jobs come from.
    pub master_name: String,
    /// The enlistment.
    pub generation: Generation,
}

impl TargetStore {
    /// Applies definitions in order, stopping at the first that fails; durable on return.
    ///
    /// # Errors
    /// What the catalog says when nothing could be stored.
    pub fn apply_definitions(
        &self,
        instructions: &[Instruction],
    ) -> Result<DefinitionsApplied, CatalogError> {
        self.catalog.definitions_write(|write| {
            let mut applied = 0;
            for instruction in instructions {
                match self.apply_one(write, &instruction.body) {
                    Ok(()) => applied += 1,
                    Err(NotApplied::Unfit(text)) => {
                        return Ok(DefinitionsApplied {
                            applied,
                            failure: Some(text),
                        });
                    }
                    Err(NotApplied::Catalog(error)) if error.is_retryable() => return Err(error),
                    Err(NotApplied::Catalog(error)) => {
                        return Ok(DefinitionsApplied {
                            applied,
                            failure: Some(error.to_string()),
                        });
                    }
                }
            }
            Ok(DefinitionsApplied {
                applied,
                failure: None,
            })
        })
    }

    fn apply_one(
        &self,
        write: &mut dyn DefinitionsWrite,
        body: &InstructionBody,
    ) -> Result<(), NotApplied> {
        match body {
            InstructionBody::Insert(Some(document)) => {
                let document = self.naturalise(document);
                check_steps(write, &document)?;
                write.apply_job(&document)?;
            }
            InstructionBody::Update(Some(document)) => {
                write.apply_job_header(&self.naturalise(document))?;
            }
            InstructionBody::Insert(None) | InstructionBody::Update(None) => {}
            InstructionBody::Delete(JobId::ALL) => {
                write.delete_downloaded_jobs(self.clock.now())?;
            }
            InstructionBody::Delete(job) => {
                // A job made here may not go because a master says so.
                let downloaded = write
                    .job(*job)?
                    .is_some_and(|job| job.originating_server.is_some());
                if downloaded {
                    let deletion = JobDeletion {
                        keep_history: false,
                        delete_unused_schedules: true,
                    };
                    write.delete_job(*job, deletion, self.clock.now())?;
                }
            }
            InstructionBody::ReEnlist { operator } => {
                set_msx_operator(write, operator.as_deref())?;
            }
            InstructionBody::SetPoll(secs) => {
                if !POLL_INTERVAL_SECS_RANGE.contains(secs) {
                    return Err(NotApplied::Unfit(format!(
                        "A poll interval of {secs} seconds is out of range."
                    )));
                }
                if let Some(mut row) = write.enlistment()? {
                    row.enlistment.poll_interval_secs = *secs;
                    write.set_enlistment(&row)?;
                }
            }
            InstructionBody::Start { .. }
            | InstructionBody::Stop { .. }
            | InstructionBody::SyncTime
            | InstructionBody::Defect => {
                return Err(NotApplied::Unfit(
                    "The instruction is an order, not a definition.".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// The document as it stands on this server: from the master, owned by the agent's own login.
    fn naturalise(&self, document: &JobDocument) -> JobDocument {
        let mut document = document.clone();
        document.job.originating_server = Some(self.master_name.clone());
        document.job.owner_sid = AGENT_OWNER_SID.to_vec();
        for schedule in &mut document.schedules {
            schedule.originating_server = Some(self.master_name.clone());
            schedule.owner_sid = AGENT_OWNER_SID.to_vec();
        }
        document
    }

    /// Moves the cursor; durable on return.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn move_cursor(&self, cursor: Cursor) -> Result<(), CatalogError> {
        self.catalog
            .runs_write(|write| write.advance_cursor(&self.stored(cursor), None))
    }

    fn stored(&self, cursor: Cursor) -> TargetCursor {
        TargetCursor {
            generation: self.generation,
            cursor,
        }
    }

    /// Carries out orders: start rows, refusals and cursor in one transaction, then the agent is told.
    /// Gives the reason of each refused order.
    ///
    /// # Errors
    /// What the catalog says; nothing was done then.
    pub fn carry_out(&self, orders: &[Instruction]) -> Result<Vec<Option<String>>, CatalogError> {
        let now = self.clock.now();
        let session = self.agent.session();
        let decided: Vec<Decided> = self.catalog.definitions_read(|read| {
            orders
                .iter()
                .map(|order| decide(read, &order.body, now, session))
                .collect::<Result<_, CatalogError>>()
        })?;
        if let [Decided::Start(run)] = &decided[..] {
            self.agent.expect_run(run);
        }
        let mut starting: BTreeSet<JobId> = BTreeSet::new();
        let (refusals, acts) = self.catalog.runs_write(|write| {
            let mut refusals = Vec::with_capacity(orders.len());
            let mut acts = Vec::new();
            for (order, decided) in orders.iter().zip(&decided) {
                let cursor = self.stored(order.cursor());
                let refusal = match decided {
                    Decided::Start(run) => {
                        starting.insert(run.job);
                        if write.accept_start(&cursor, run)? == StartAccepted::Accepted {
                            acts.push(Act::Start(run.clone()));
                        }
                        refusals.push(None);
                        continue;
                    }
                    Decided::Stop { job, login } => {
                        if starting.contains(job) || self.agent.is_running(*job) {
                            acts.push(Act::Stop {
                                job: *job,
                                login: login.clone(),
                            });
                            None
                        } else {
                            Some("The job is not running.".to_owned())
                        }
                    }
                    Decided::Refused(text) => Some(text.clone()),
                };
                write.advance_cursor(&cursor, refusal.as_deref().map(|text| (text, now)))?;
                refusals.push(refusal);
            }
            Ok::<_, CatalogError>((refusals, acts))
        })?;
        self.catalog
            .crash_points()
            .hit("server.before_instruction_ack");
        for act in acts {
            match act {
                Act::Start(run) => self.agent.start_recorded_run(run),
                Act::Stop { job, login } => self.agent.stop(job, &login),
            }
        }
        Ok(refusals)
    }

    /// Rows for the master past a position, and whether there are more.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn load_reports(
        &self,
        after: ReportPosition,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<(Vec<ReportRow>, bool), CatalogError> {
        self.catalog.runs_read(|read| {
            let rows: Vec<ReportRow> = read
                .queued_reports(after, rows_max, bytes_max)?
                .into_iter()
                .map(|queued| ReportRow {
                    position: queued.position,
                    row: queued.row,
                })
                .collect();
            let last = rows.last().map_or(after, |row| row.position);
            Ok((rows, read.report_queue()?.last > last))
        })
    }

    /// Notes that the master has reports up to a position.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn acknowledge_reports(&self, through: ReportPosition) -> Result<(), CatalogError> {
        self.catalog
            .runs_write(|write| write.acknowledge_reports(through))
    }

    /// Keeps the addresses that the master told beside the one enlisted at.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn keep_addresses(&self, addresses: &[String]) -> Result<(), CatalogError> {
        keep_addresses(&self.catalog, self.generation, addresses)
    }

    /// Removes what came from the master, and the enlistment. Returns how many jobs went.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn defect(&self) -> Result<u64, CatalogError> {
        leave(&self.catalog, &*self.clock, Some(self.generation))
    }
}

/// Removes downloaded jobs, MSXOperator and the enlistment in one transaction, with its audit row. Where a
/// generation is given, another enlistment than that one stays: it was made since. Returns how many jobs
/// went.
///
/// # Errors
/// What the catalog says.
pub fn leave(
    catalog: &Catalog,
    clock: &dyn Clock,
    generation: Option<Generation>,
) -> Result<u64, CatalogError> {
    catalog.definitions_write(|write| {
        let Some(row) = write.enlistment()? else {
            return Ok(0);
        };
        let enlistment = row.enlistment;
        if generation.is_some_and(|only| only != enlistment.generation)
            || !write.clear_enlistment()?
        {
            return Ok(0);
        }
        let jobs = write.delete_downloaded_jobs(clock.now())?;
        if let Some(operator) = write.operator_by_name(MSX_OPERATOR)? {
            write.delete_operator(operator.id, None)?;
        }
        write.audit(&AuditEntry {
            at: clock.now(),
            principal: "agent".to_owned(),
            action: "defect".to_owned(),
            object: enlistment.master_name,
            detail: Some(format!(
                "generation {}, {} jobs removed{}",
                enlistment.generation.0,
                jobs.len(),
                if generation.is_some() { "" } else { ", forced" }
            )),
        })?;
        Ok(jobs.len() as u64)
    })
}

/// Why a definition was not applied.
enum NotApplied {
    /// It does not fit this server; the text goes to the master and blocks the queue.
    Unfit(String),
    Catalog(CatalogError),
}

impl From<CatalogError> for NotApplied {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

/// Steps that this server could never run are refused when they are downloaded, as the Agent does.
fn check_steps(read: &dyn DefinitionsRead, document: &JobDocument) -> Result<(), NotApplied> {
    for step in &document.steps {
        if let Some(proxy) = &step.proxy_name {
            let matching = read
                .setting(msdb::settings::ALLOW_DOWNLOADED_JOBS_TO_MATCH_PROXY_NAME)?
                .is_some_and(|value| value.as_number() == Some(1));
            if !matching {
                return Err(NotApplied::Unfit(
                    "The job step requires a proxy account, however proxy matching is disabled on the target server."
                        .to_owned(),
                ));
            }
            if read.proxy_by_name(proxy)?.is_none() {
                return Err(NotApplied::Unfit("Proxy not found.".to_owned()));
            }
        }
        if let Subsystem::Other(name) = &step.subsystem
            && !SUBSYSTEMS_TAKEN
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        {
            return Err(NotApplied::Unfit(format!(
                "Step {} of job '{}' needs the subsystem {name}, which this server does not have.",
                step.step_id, document.job.name
            )));
        }
    }
    Ok(())
}

/// An order, looked at before the transaction.
enum Decided {
    Start(NewRun),
    Stop { job: JobId, login: String },
    Refused(String),
}

/// What the agent is told after the commit.
enum Act {
    Start(NewRun),
    Stop { job: JobId, login: String },
}

fn decide(
    read: &dyn DefinitionsRead,
    body: &InstructionBody,
    now: jiff::Timestamp,
    session: i64,
) -> Result<Decided, CatalogError> {
    Ok(match body {
        InstructionBody::Start {
            job,
            run,
            login,
            step_name,
        } => decide_start(
            read,
            (*job, *run),
            login,
            step_name.as_deref(),
            now,
            session,
        )?,
        InstructionBody::Stop { job, login } => Decided::Stop {
            job: *job,
            login: login.clone(),
        },
        InstructionBody::SyncTime => Decided::Refused(
            "This server's clock is kept by its operating system and is not set from the master."
                .to_owned(),
        ),
        InstructionBody::Insert(_)
        | InstructionBody::Update(_)
        | InstructionBody::Delete(_)
        | InstructionBody::ReEnlist { .. }
        | InstructionBody::Defect
        | InstructionBody::SetPoll(_) => {
            Decided::Refused("The instruction is a definition, not an order.".to_owned())
        }
    })
}

fn decide_start(
    read: &dyn DefinitionsRead,
    (job, run): (JobId, RunId),
    login: &str,
    step_name: Option<&str>,
    now: jiff::Timestamp,
    session: i64,
) -> Result<Decided, CatalogError> {
    let Some(stored) = read.job(job)? else {
        return Ok(Decided::Refused(
            "The job is not on this server.".to_owned(),
        ));
    };
    // Steps are numbered from 1 without gaps.
    if read.step(job, 1)?.is_none() {
        return Ok(Decided::Refused("The job has no steps.".to_owned()));
    }
    let start_step_id = match step_name {
        None => stored.start_step_id,
        Some(name) => {
            let steps = read.steps(job)?;
            let step = steps
                .iter()
                .find(|step| step.name.to_lowercase() == name.to_lowercase());
            match step {
                Some(step) => step.step_id,
                None => {
                    return Ok(Decided::Refused(format!(
                        "The job has no step named '{name}'."
                    )));
                }
            }
        }
    };
    Ok(Decided::Start(NewRun {
        id: run,
        job,
        source: RunSource::Master {
            login: login.to_owned(),
        },
        requested: now,
        started: now,
        start_step_id,
        session,
    }))
}
