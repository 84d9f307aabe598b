//! What a target has to be sent so that it has what the catalog wants.

use model::JobId;
use std::collections::BTreeMap;

/// An instruction to be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedDownload {
    /// Remove every downloaded job.
    DeleteAll,
    /// Remove one.
    Delete(JobId),
    /// Send the whole job.
    Insert(JobId),
}

/// The download list that turns what a target last confirmed into what the catalog wants: jobs with their
/// versions, on both sides. `None` for a target of unknown state: everything is sent afresh, behind a
/// removal of all.
///
/// Removals come first, so that a name that changed hands is free; each part is in order of job ids.
#[must_use]
pub fn plan_downloads(
    wanted: &BTreeMap<JobId, i64>,
    confirmed: Option<&BTreeMap<JobId, i64>>,
) -> Vec<PlannedDownload> {
    let Some(confirmed) = confirmed else {
        return std::iter::once(PlannedDownload::DeleteAll)
            .chain(wanted.keys().copied().map(PlannedDownload::Insert))
            .collect();
    };
    let gone = confirmed
        .keys()
        .filter(|job| !wanted.contains_key(job))
        .copied()
        .map(PlannedDownload::Delete);
    // Any other version is replaced, a newer one too: the master was restored then.
    let differing = wanted
        .iter()
        .filter(|(job, version)| confirmed.get(job) != Some(version))
        .map(|(job, _)| PlannedDownload::Insert(*job));
    gone.chain(differing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn jobs() -> impl Strategy<Value = BTreeMap<JobId, i64>> {
        let job = (1u128..20).prop_map(|n| JobId(Uuid::from_u128(n)));
        prop::collection::btree_map(job, 1i64..4, 0..10)
    }

    proptest! {
        /// Carrying out the plan gives what is wanted, and nothing is sent in vain.
        #[test]
        fn the_plan_leads_there(wanted in jobs(), confirmed in prop::option::of(jobs()), on_target in jobs()) {
            let plan = plan_downloads(&wanted, confirmed.as_ref());
            let mut target = confirmed.clone().unwrap_or(on_target);
            for step in &plan {
                match step {
                    PlannedDownload::DeleteAll => target.clear(),
                    PlannedDownload::Delete(job) => {
                        prop_assert!(target.remove(job).is_some());
                    }
                    PlannedDownload::Insert(job) => {
                        let before = target.insert(*job, wanted[job]);
                        prop_assert_ne!(before, Some(wanted[job]));
                    }
                }
            }
            prop_assert_eq!(&target, &wanted);
            if confirmed.as_ref() == Some(&wanted) {
                prop_assert!(plan.is_empty());
            }
        }
    }
}
