//! What a master link's events mean for the catalog. Everything here blocks.

use crate::clock::Clock;
use crate::identity::Authority;
use catalog::{
    AuditEntry, Catalog, CatalogError, DefinitionsRead, DownloadRow, NewInstruction, Poll,
    QueuedReport, ReportBatch, SettingValue, TargetFilter,
};
use fleet::master::{LoadedInstructions, TargetRecord};
use fleet::message::{Hello, Refusal, ReportRow, Results, TargetFacts};
use fleet::{PlannedDownload, numbers, plan_downloads};
use model::{
    Cursor, Generation, InstanceId, Instruction, InstructionBody, InstructionNumber,
    InstructionObject, JobDocument, JobId, MSX_OPERATOR, Operation, RunId, ServerId,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Settings that remember instances which left, each with its generation, so that a target whose answer
/// was lost is told again.
pub const DEFECTED_SETTINGS: &str = "fleet/defected/";
/// Settings that remember, by instance, the incarnation of this master in which it was re-synced.
const RESYNCED_SETTINGS: &str = "fleet/resynced/";
/// Downloaded instructions are trimmed whenever so many more are done.
const TRIM_EVERY: u64 = 64;
/// Login under which the master posts by itself.
const OWN_LOGIN: &str = "sa";

/// What the client certificate of a connection says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The instance it was issued to.
    pub instance: InstanceId,
    /// The enlistment it was issued for.
    pub generation: Generation,
}

/// What a connection learns when it acts for an enlistment.
#[derive(Debug)]
pub enum Enlisted<T> {
    /// The enlistment is in force.
    Yes(T),
    /// The target has enlisted anew since; this connection's enlistment is over.
    Anew,
    /// The target is gone.
    No,
}

/// The catalog as the master's links use it.
pub struct MasterStore {
    /// Definitions and runs.
    pub catalog: Catalog,
    /// Signs certificates.
    pub authority: Arc<Authority>,
    /// Now.
    pub clock: Arc<dyn Clock>,
}

impl MasterStore {
    /// What the catalog holds of the target that says hello. `None` also when its certificate is of another
    /// enlistment than the one in force: it was taken back.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn target_record(
        &self,
        hello: &Hello,
        certificate: PeerCertificate,
    ) -> Result<Option<TargetRecord>, CatalogError> {
        let key = format!("{DEFECTED_SETTINGS}{}", hello.instance.0);
        let resynced_key = format!("{RESYNCED_SETTINGS}{}", hello.instance.0);
        let (target, defected, incarnation, resynced) = self.catalog.definitions_read(|read| {
            Ok::<_, CatalogError>((
                read.target_by_instance(hello.instance)?,
                read.setting(&key)?,
                read.instance()?.incarnation,
                read.setting(&resynced_key)?,
            ))
        })?;
        let resynced = resynced.and_then(|value| value.as_number());
        let Some(target) = target else {
            return Ok(defected.map(|_| TargetRecord {
                server: ServerId(0),
                generation: hello.generation,
                defected: true,
                resync_due: false,
                poll_interval_secs: model::POLL_INTERVAL_SECS_DEFAULT,
                confirmed: Cursor::START,
                uid_at_cursor: None,
                reports_durable: model::ReportPosition(0),
            }));
        };
        if certificate.generation != target.generation && hello.generation == target.generation {
            return Ok(None);
        }
        let (number, reports_durable) = self.catalog.runs_read(|read| {
            Ok::<_, CatalogError>((
                read.acknowledged_instruction(target.id)?,
                read.report_position(hello.instance)?,
            ))
        })?;
        let (confirmed, at_cursor) = self.catalog.definitions_read(|read| {
            Ok::<_, CatalogError>((
                read.instruction(target.id, number)?,
                read.instruction(target.id, hello.cursor.number)?,
            ))
        })?;
        if certificate.generation == target.generation
            && (target.version != hello.facts.program_version
                || target.utc_offset_minutes != i32::from(hello.facts.utc_offset_minutes))
        {
            self.store_facts(target.id, &hello.facts)?;
        }
        let uid_of = |row: Option<DownloadRow>| row.map(|row| row.instruction.uid);
        Ok(Some(TargetRecord {
            server: target.id,
            generation: target.generation,
            defected: false,
            resync_due: incarnation > 1 && resynced != i64::try_from(incarnation).ok(),
            poll_interval_secs: target.poll_interval_secs,
            confirmed: Cursor {
                number,
                uid: uid_of(confirmed).unwrap_or_default(),
            },
            uid_at_cursor: uid_of(at_cursor),
            reports_durable,
        }))
    }

    /// Clears a target's queue and posts everything afresh, above the number where the target stands.
    /// Does nothing for an enlistment that is over.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn resync(
        &self,
        server: ServerId,
        generation: Generation,
        after: Cursor,
    ) -> Result<(), CatalogError> {
        let now = self.clock.now();
        let in_force = self.catalog.definitions_write(|write| {
            if !is_in_force(&*write, server, generation)? {
                return Ok(false);
            }
            write.clear_instructions(server, InstructionNumber(0))?;
            write.raise_instruction_number(server, after.number)?;
            if let Some(target) = write.target(server)? {
                let incarnation = i64::try_from(write.instance()?.incarnation).unwrap_or(i64::MAX);
                write.set_setting(
                    &format!("{RESYNCED_SETTINGS}{}", target.instance.0),
                    Some(&SettingValue::Number(incarnation)),
                )?;
            }
            let mut wanted = BTreeMap::new();
            for target in write.job_servers(None, Some(server))? {
                if let Some(job) = write.job(target.job)? {
                    wanted.insert(job.id, job.version);
                }
            }
            for planned in plan_downloads(&wanted, None) {
                let (operation, object_id) = match planned {
                    PlannedDownload::DeleteAll => (Operation::Delete, JobId::ALL.0),
                    PlannedDownload::Delete(job) => (Operation::Delete, job.0),
                    PlannedDownload::Insert(job) => (Operation::Insert, job.0),
                };
                let instruction = NewInstruction {
                    uid: Uuid::new_v4(),
                    operation,
                    object: InstructionObject::Job,
                    object_id,
                    run: None,
                    login: OWN_LOGIN.to_owned(),
                    step_name: None,
                    poll_interval_secs: None,
                    deleted_object_name: None,
                    posted: now,
                };
                write.post_instruction(server, &instruction)?;
            }
            Ok::<_, CatalogError>(true)
        })?;
        if !in_force {
            return Ok(());
        }
        self.catalog.runs_write(|write| {
            write.acknowledge_instructions(server, generation, after.number, now)
        })
    }

    /// A part of a target's queue, with whole job documents.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn load_instructions(
        &self,
        (server, generation): (ServerId, Generation),
        after: Cursor,
        rows_max: usize,
        bytes_max: usize,
    ) -> Result<Enlisted<LoadedInstructions>, CatalogError> {
        let errors: Vec<InstructionNumber> = self
            .catalog
            .runs_read(|read| read.blocking_instructions(server, after.number))?;
        self.catalog.definitions_read(|read| {
            match read.target(server)? {
                None => return Ok(Enlisted::No),
                Some(target) if target.generation != generation => return Ok(Enlisted::Anew),
                Some(_) => {}
            }
            let mut loaded = LoadedInstructions {
                blocked: false,
                list: Vec::new(),
                more: false,
            };
            for number in errors {
                // An instruction that was deleted from the queue blocks it no more, nor does one whose job is
                // gone, or meant for this target no more: it has nothing left to do.
                let posted = read.instruction(server, number)?;
                if let Some(posted) = posted
                    && still_blocks(read, &posted)?
                {
                    loaded.blocked = true;
                    return Ok(Enlisted::Yes(loaded));
                }
            }
            let rows = read.instructions_after(server, after.number, rows_max + 1)?;
            let mut bytes = 0;
            loaded.more = rows.len() > rows_max;
            for row in rows.into_iter().take(rows_max) {
                let body = body_of(read, server, &row.instruction)?;
                bytes += size_of_body(&body);
                if bytes > bytes_max && !loaded.list.is_empty() {
                    loaded.more = true;
                    break;
                }
                loaded.list.push(Instruction {
                    number: row.number,
                    uid: row.instruction.uid,
                    body,
                });
            }
            Ok(Enlisted::Yes(loaded))
        })
    }

    /// Stores how far a target came; durable on return.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn store_results(
        &self,
        server: ServerId,
        generation: Generation,
        results: &Results,
    ) -> Result<(), CatalogError> {
        let now = self.clock.now();
        let known = |cursor: Cursor| {
            self.catalog.definitions_read(|read| {
                Ok::<_, CatalogError>(
                    read.instruction(server, cursor.number)?
                        .is_some_and(|row| row.instruction.uid == cursor.uid),
                )
            })
        };
        let mut refused = Vec::new();
        for text in &results.refused {
            if known(text.instruction)? {
                refused.push(text);
            }
        }
        let failed = match &results.failed {
            Some(text) if known(text.instruction)? => Some(text),
            Some(_) | None => None,
        };
        let before = self.catalog.runs_write(|write| {
            let before = write.acknowledged_instruction(server)?;
            write.acknowledge_instructions(server, generation, results.cursor.number, now)?;
            for text in &refused {
                write.set_instruction_error(
                    server,
                    text.instruction.number,
                    &text.text,
                    false,
                    now,
                )?;
            }
            if let Some(text) = failed {
                write.set_instruction_error(
                    server,
                    text.instruction.number,
                    &text.text,
                    true,
                    now,
                )?;
            }
            Ok::<_, CatalogError>(before)
        })?;
        if results.cursor.number.0 / TRIM_EVERY > before.0 / TRIM_EVERY {
            self.catalog.definitions_write(|write| {
                write
                    .trim_downloaded(
                        server,
                        results.cursor.number,
                        catalog::DOWNLOADED_ROWS_KEPT_DEFAULT,
                    )
                    .map(|_| ())
            })?;
        }
        Ok(())
    }

    /// Stores reports; durable on return.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn store_reports(
        &self,
        server: ServerId,
        instance: InstanceId,
        rows: Vec<ReportRow>,
    ) -> Result<(), CatalogError> {
        let rows: Vec<QueuedReport> = rows
            .into_iter()
            .map(|report| QueuedReport {
                position: report.position,
                row: report.row,
            })
            .collect();
        let batch = ReportBatch {
            server,
            instance,
            rows: &rows,
            received: self.clock.now(),
        };
        self.catalog
            .runs_write(|write| write.store_reports(batch).map(|_| ()))?;
        self.catalog.crash_points().hit("server.before_report_ack");
        Ok(())
    }

    /// Stores what a target says of itself.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn store_facts(&self, server: ServerId, facts: &TargetFacts) -> Result<(), CatalogError> {
        self.catalog.definitions_write(|write| {
            let Some(mut target) = write.target(server)? else {
                return Ok(());
            };
            if facts.location.is_some() {
                target.location.clone_from(&facts.location);
            }
            target.utc_offset_minutes = i32::from(facts.utc_offset_minutes);
            target.version.clone_from(&facts.program_version);
            write.update_target(&target)
        })
    }

    /// Writes signs of life.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn record_polls(&self, polls: &[Poll]) -> Result<(), CatalogError> {
        self.catalog.runs_write(|write| write.record_polls(polls))
    }

    /// A new certificate for a target, of its enlistment in force: the chain, its own first. Durable, with
    /// its audit row, on return.
    ///
    /// # Errors
    /// A refusal for the target.
    pub fn issue_certificate(
        &self,
        (server, generation): (ServerId, Generation),
        request_der: &[u8],
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let now = self.clock.now();
        let issued = self.catalog.definitions_write(|write| {
            let Some(target) = write.target(server)?.filter(|t| t.generation == generation) else {
                return Ok(Err("The enlistment is over.".to_owned()));
            };
            let certificate = match self.authority.issue_target(
                request_der,
                (target.instance, generation),
                &target.name,
                now,
            ) {
                Ok(certificate) => certificate,
                Err(error) => {
                    return Ok(Err(format!(
                        "The certificate request cannot be signed: {error}."
                    )));
                }
            };
            let (fingerprint, ends) = (&certificate.fingerprint, certificate.not_after);
            write.set_target_certificate(server, fingerprint, &[], ends)?;
            write.audit(&AuditEntry {
                at: now,
                principal: target.name.clone(),
                action: "renew certificate".to_owned(),
                object: target.name,
                detail: Some(format!("generation {}, ends {ends}", generation.0)),
            })?;
            Ok::<_, CatalogError>(Ok(certificate.der.to_vec()))
        });
        let refusal = |text: String| Refusal {
            number: numbers::CONVERSATION_FAILED,
            text,
            retry_after: Duration::ZERO,
        };
        match issued {
            Ok(Ok(der)) => Ok(vec![der, self.authority.certificate().to_vec()]),
            Ok(Err(text)) => Err(refusal(text)),
            Err(error) => {
                tracing::error!(%error, "a renewed certificate was not stored");
                Err(refusal(
                    "The master server cannot renew certificates now.".to_owned(),
                ))
            }
        }
    }

    /// Removes a target that leaves, and remembers that it did. An enlistment that is over, or a target
    /// that has enlisted anew since, stays as it is.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn remove_target(
        &self,
        server: ServerId,
        generation: Generation,
    ) -> Result<(), CatalogError> {
        let now = self.clock.now();
        let removed = self.catalog.definitions_write(|write| {
            let Some(target) = write.target(server)?.filter(|t| t.generation == generation) else {
                return Ok(false);
            };
            write.delete_target(server)?;
            let generation = i64::try_from(generation.0).unwrap_or(i64::MAX);
            write.set_setting(
                &format!("{DEFECTED_SETTINGS}{}", target.instance.0),
                Some(&SettingValue::Number(generation)),
            )?;
            write.audit(&AuditEntry {
                at: now,
                principal: target.name.clone(),
                action: "defect".to_owned(),
                object: target.name,
                detail: Some(format!("generation {generation}")),
            })?;
            Ok::<_, CatalogError>(true)
        })?;
        if removed {
            self.catalog
                .runs_write(|write| write.forget_target(server))?;
        }
        Ok(())
    }

    /// Targets that are enlisted.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn targets(&self) -> Result<usize, CatalogError> {
        self.catalog
            .definitions_read(|read| Ok(read.targets(&TargetFilter::default())?.len()))
    }
}

fn is_in_force(
    read: &dyn DefinitionsRead,
    server: ServerId,
    generation: Generation,
) -> Result<bool, CatalogError> {
    Ok(read
        .target(server)?
        .is_some_and(|target| target.generation == generation))
}

/// Whether an instruction that the target could not carry out would fail there again.
fn still_blocks(read: &dyn DefinitionsRead, failed: &DownloadRow) -> Result<bool, CatalogError> {
    let posted = &failed.instruction;
    let of_a_job = posted.object == InstructionObject::Job
        && matches!(posted.operation, Operation::Insert | Operation::Update);
    Ok(!of_a_job || is_targeted(read, JobId(posted.object_id), failed.server)?)
}

/// Whether a job is there and meant for a target.
fn is_targeted(
    read: &dyn DefinitionsRead,
    job: JobId,
    server: ServerId,
) -> Result<bool, CatalogError> {
    Ok(!read.job_servers(Some(job), Some(server))?.is_empty())
}

/// The body of a posted instruction, with the job as it is now: none where it is gone, or meant for this target no
/// more, in which case a DELETE follows.
fn body_of(
    read: &dyn DefinitionsRead,
    server: ServerId,
    posted: &NewInstruction,
) -> Result<InstructionBody, CatalogError> {
    let job = JobId(posted.object_id);
    let document = || {
        if !is_targeted(read, job, server)? {
            return Ok::<_, CatalogError>(None);
        }
        Ok(read.job_document(job)?.map(Box::new))
    };
    Ok(match posted.operation {
        // A schedule travels with its jobs: whoever posts one posts an INSERT of each job that uses it. What
        // is left of it in a queue has nothing of its own to do.
        Operation::Insert | Operation::Update | Operation::Delete
            if posted.object == InstructionObject::Schedule =>
        {
            InstructionBody::Update(None)
        }
        Operation::Insert => InstructionBody::Insert(document()?),
        Operation::Update => InstructionBody::Update(document()?),
        Operation::Delete => InstructionBody::Delete(job),
        Operation::Start => InstructionBody::Start {
            job,
            run: posted.run.unwrap_or(RunId(posted.uid)),
            login: posted.login.clone(),
            step_name: posted.step_name.clone(),
        },
        Operation::Stop => InstructionBody::Stop {
            job,
            login: posted.login.clone(),
        },
        Operation::ReEnlist => InstructionBody::ReEnlist {
            operator: read.operator_by_name(MSX_OPERATOR)?.map(Box::new),
        },
        Operation::Defect => InstructionBody::Defect,
        Operation::SyncTime => InstructionBody::SyncTime,
        Operation::SetPoll => InstructionBody::SetPoll(
            posted
                .poll_interval_secs
                .unwrap_or(model::POLL_INTERVAL_SECS_DEFAULT),
        ),
    })
}

/// Roughly how many bytes a body takes on the wire; the link packs by the exact size.
fn size_of_body(body: &InstructionBody) -> usize {
    /// A header, or a step without its command.
    const PART_BYTES: usize = 512;
    let of = |document: &JobDocument| {
        document
            .steps
            .iter()
            .map(|step| PART_BYTES + step.command.as_ref().map_or(0, String::len))
            .sum::<usize>()
            + PART_BYTES * (1 + document.schedules.len())
    };
    match body {
        InstructionBody::Insert(Some(document)) | InstructionBody::Update(Some(document)) => {
            of(document)
        }
        InstructionBody::Insert(None)
        | InstructionBody::Update(None)
        | InstructionBody::Delete(_)
        | InstructionBody::Start { .. }
        | InstructionBody::Stop { .. }
        | InstructionBody::ReEnlist { .. }
        | InstructionBody::Defect
        | InstructionBody::SyncTime
        | InstructionBody::SetPoll(_) => PART_BYTES,
    }
}
