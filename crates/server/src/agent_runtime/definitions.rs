//! What the agent reads of the definitions: jobs that run here, and who may do what.

use agent::AttachedSchedule;
use catalog::{Catalog, CatalogError, JobFilter, NextRun};
use model::{JobDocument, JobId, ScheduleUid, ServerId};
use std::collections::BTreeMap;

/// This server among a job's targets.
const LOCAL_SERVER: ServerId = ServerId(0);
/// SID of `sa`, who is always a member of sysadmin.
const SA_SID: [u8; 1] = [1];
const SYSADMIN_ROLE: &str = "sysadmin";

/// A job as the agent takes it.
#[derive(Debug)]
pub(super) struct LoadedJob {
    pub(super) document: JobDocument,
    pub(super) schedules: Vec<AttachedSchedule>,
}

/// The owner of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// Login name.
    pub(super) login: String,
    /// Member of sysadmin.
    pub(super) sysadmin: bool,
}

/// Ids of all jobs that run on this server.
pub(super) fn local_jobs(catalog: &Catalog) -> Result<Vec<JobId>, CatalogError> {
    let filter = JobFilter {
        target: Some(LOCAL_SERVER),
        ..JobFilter::default()
    };
    catalog.definitions_read(|read| {
        Ok::<_, CatalogError>(read.jobs(&filter)?.into_iter().map(|job| job.id).collect())
    })
}

/// Jobs as they are now, each `None` where it is gone or does not run here.
pub(super) fn load(
    catalog: &Catalog,
    jobs: &[JobId],
) -> Result<Vec<(JobId, Option<LoadedJob>)>, CatalogError> {
    // Progress first: a schedule's progress is never ahead of a definition read later.
    let progress: Vec<Vec<NextRun>> = catalog.runs_read(|read| {
        jobs.iter()
            .map(|job| read.next_runs(Some(*job)))
            .collect::<Result<_, CatalogError>>()
    })?;
    catalog.definitions_read(|read| {
        jobs.iter()
            .zip(progress)
            .map(|(job, progress)| {
                if read.job_servers(Some(*job), Some(LOCAL_SERVER))?.is_empty() {
                    return Ok((*job, None));
                }
                let Some(document) = read.job_document(*job)? else {
                    return Ok((*job, None));
                };
                let progress: BTreeMap<ScheduleUid, NextRun> = progress
                    .into_iter()
                    .map(|next| (next.schedule, next))
                    .collect();
                let schedules = read
                    .job_schedules(Some(*job), None)?
                    .into_iter()
                    .map(|attached| {
                        let stored = progress.get(&attached.uid);
                        AttachedSchedule {
                            uid: attached.uid,
                            schedule_id: attached.schedule.0,
                            accounted: stored.and_then(|stored| stored.accounted),
                            next: stored.and_then(|stored| stored.next),
                        }
                    })
                    .collect();
                let loaded = LoadedJob {
                    document,
                    schedules,
                };
                Ok((*job, Some(loaded)))
            })
            .collect()
    })
}

/// The login of a SID; `None` where there is none.
pub(super) fn owner(catalog: &Catalog, sid: &[u8]) -> Result<Option<Owner>, CatalogError> {
    catalog.definitions_read(|read| {
        let Some(login) = read.login_by_sid(sid)? else {
            return Ok(None);
        };
        let sysadmin = sid == SA_SID || read.is_role_member("", SYSADMIN_ROLE, &login.name)?;
        Ok::<_, CatalogError>(Some(Owner {
            login: login.name,
            sysadmin,
        }))
    })
}
