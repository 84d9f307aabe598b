//! What has to be tidied in the runs file: after definitions changed, and as history grows old. Each piece can be
//! done again, so a crash in between costs nothing.

use crate::clock::Clock;
use catalog::{Catalog, CatalogError, Change, Subscription, TargetFilter};
use jiff::SignedDuration;
use model::{JobId, ServerId};
use msdb::settings::{apply_history_limits, limits_history};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How long acknowledged reports are kept, so that a restored master can be sent them again.
const REPORTS_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Pause between two rounds when nothing calls for one.
const ROUND_PAUSE: Duration = Duration::from_secs(600);
/// Jobs whose targets changed that are remembered one by one; above, all jobs are looked at.
const JOBS_REMEMBERED_MAX: usize = 10_000;

/// What the change feed left to do.
#[derive(Default)]
pub struct Maintenance {
    wanted: Mutex<Wanted>,
    wake: Notify,
}

#[derive(Clone, Default)]
struct Wanted {
    deleted_jobs: bool,
    removed_targets: bool,
    retargeted: BTreeSet<JobId>,
    all_jobs: bool,
    /// The limits of history may have changed.
    limits: bool,
}

impl Maintenance {
    /// Remembers what changes leave to do, as long as the subscription is kept.
    pub fn subscribe(self: &Arc<Self>, catalog: &Catalog) -> Subscription {
        let this = Arc::clone(self);
        catalog.subscribe(Box::new(move |changes| {
            let mut wanted = this.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            let mut any = false;
            for change in changes {
                any |= wanted.note(change);
            }
            drop(wanted);
            if any {
                this.wake.notify_one();
            }
        }))
    }

    /// Tidies until the task is dropped: everything at first, then what changes call for.
    pub async fn run(self: Arc<Self>, catalog: Catalog, clock: Arc<dyn Clock>) {
        let mut wanted = Wanted {
            deleted_jobs: true,
            removed_targets: true,
            retargeted: BTreeSet::new(),
            all_jobs: true,
            limits: false,
        };
        loop {
            let (catalog, clock) = (catalog.clone(), Arc::clone(&clock));
            let round = wanted.clone();
            let done = tokio::task::spawn_blocking(move || tidy(&catalog, &*clock, &round)).await;
            if let Ok(Err(error)) = done {
                tracing::warn!(%error, "the runs file was not tidied; trying again later");
                let mut again = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                again.add(wanted);
            }
            // Running out of time is as good a reason for a round as being woken.
            let _ = tokio::time::timeout(ROUND_PAUSE, self.wake.notified()).await;
            wanted =
                std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Wanted {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "of the catalog's many changes, few leave something to tidy"
    )]
    fn note(&mut self, change: &Change) -> bool {
        match change {
            Change::JobDeleted(_) => self.deleted_jobs = true,
            Change::TargetRemoved { .. } => self.removed_targets = true,
            // Every round trims.
            Change::HistoryOverLimit => {}
            Change::SettingChanged(key) if limits_history(key) => self.limits = true,
            Change::JobTargetsChanged(job) => {
                if self.retargeted.len() < JOBS_REMEMBERED_MAX {
                    self.retargeted.insert(*job);
                } else {
                    self.all_jobs = true;
                }
            }
            _ => return false,
        }
        true
    }
}

impl Wanted {
    /// What another round left undone.
    fn add(&mut self, other: Self) {
        self.deleted_jobs |= other.deleted_jobs;
        self.removed_targets |= other.removed_targets;
        self.all_jobs |= other.all_jobs;
        self.limits |= other.limits;
        self.retargeted.extend(other.retargeted);
        if self.retargeted.len() > JOBS_REMEMBERED_MAX {
            self.retargeted.clear();
            self.all_jobs = true;
        }
    }
}

fn tidy(catalog: &Catalog, clock: &dyn Clock, wanted: &Wanted) -> Result<(), CatalogError> {
    if wanted.limits {
        apply_history_limits(catalog)?;
    }
    if wanted.deleted_jobs {
        catalog.cleanup_deleted_jobs()?;
    }
    if wanted.removed_targets {
        forget_removed_targets(catalog)?;
    }
    if wanted.all_jobs {
        forget_lost_outcomes(catalog, None)?;
    } else {
        for job in &wanted.retargeted {
            forget_lost_outcomes(catalog, Some(*job))?;
        }
    }
    let now = clock.now();
    if let Ok(before) = now.checked_sub(REPORTS_KEPT) {
        catalog.runs_write(|write| write.trim_reports(before).map(|_| ()))?;
    }
    catalog.trim_history(now)?;
    Ok(())
}

/// Signs of life and download states of targets that are gone.
fn forget_removed_targets(catalog: &Catalog) -> Result<(), CatalogError> {
    // The runs first: a target that enlists in between is then not taken for one that is gone.
    let known: BTreeSet<ServerId> = catalog.runs_read(|read| {
        let alive = read.all_liveness()?.into_iter().map(|poll| poll.server);
        let acknowledged = read.acknowledged_instructions()?;
        let acknowledged = acknowledged.into_iter().map(|(server, _)| server);
        Ok::<_, CatalogError>(alive.chain(acknowledged).collect())
    })?;
    let enlisted: BTreeSet<ServerId> = catalog.definitions_read(|read| {
        let targets = read.targets(&TargetFilter::default())?;
        Ok::<_, CatalogError>(targets.into_iter().map(|target| target.id).collect())
    })?;
    for server in known.difference(&enlisted) {
        catalog.runs_write(|write| write.forget_target(*server))?;
    }
    Ok(())
}

/// Last outcomes of jobs on servers that they do not target any more.
fn forget_lost_outcomes(catalog: &Catalog, job: Option<JobId>) -> Result<(), CatalogError> {
    // The outcomes first: a target added in between is then not taken for one that was removed.
    let outcomes = catalog.runs_read(|read| read.job_outcomes(job, None))?;
    let targeted: BTreeSet<(JobId, ServerId)> = catalog.definitions_read(|read| {
        let servers = read.job_servers(job, None)?;
        Ok::<_, CatalogError>(
            servers
                .into_iter()
                .map(|target| (target.job, target.server))
                .collect(),
        )
    })?;
    for outcome in outcomes {
        let key = (outcome.job, outcome.server);
        if !targeted.contains(&key) {
            catalog.runs_write(|write| write.forget_job_target(key.0, key.1))?;
        }
    }
    Ok(())
}
