//! Gives memory back once the instance has nothing to do.
//!
//! Caches, free blocks and the program's own pages are worth their room while they are used. A target spends
//! most of its life waiting, on a host that has other things to do with its memory.

use crate::{allocator, platform};
use catalog::Catalog;
use exec::ProgramPages;
use std::sync::Arc;
use std::time::Duration;

/// How often the instance looks at itself.
const LOOK_PAUSE: Duration = Duration::from_secs(10);
/// Processor time between two looks up to which the instance rests: timers and signs of life take so much.
const RESTING_MAX: Duration = Duration::from_millis(20);
/// Processor time since memory was given back from which it is worth doing again.
const WORTH_MIN: Duration = Duration::from_millis(50);

/// When memory was given back, in processor time.
#[derive(Debug, Default)]
struct Rest {
    looked: Duration,
    given_back: Option<Duration>,
}

impl Rest {
    /// Whether to give back memory now, where so much processor time was used so far.
    fn is_due(&mut self, used: Duration) -> bool {
        let resting = used.saturating_sub(self.looked) <= RESTING_MAX;
        self.looked = used;
        resting
            && self
                .given_back
                .is_none_or(|then| used.saturating_sub(then) >= WORTH_MIN)
    }

    fn given_back(&mut self, used: Duration) {
        self.looked = used;
        self.given_back = Some(used);
    }
}

/// Looks at the instance until the task is dropped.
pub async fn keep_small(pages: Arc<ProgramPages>, catalog: Catalog) {
    let mut rest = Rest::default();
    loop {
        tokio::time::sleep(LOOK_PAUSE).await;
        if !rest.is_due(platform::processor_time()) {
            continue;
        }
        let (pages, catalog) = (Arc::clone(&pages), catalog.clone());
        let done = tokio::task::spawn_blocking(move || {
            catalog.release_memory();
            allocator::trim();
            pages.give_back();
        });
        if done.await.is_err() {
            tracing::error!("giving memory back failed");
        }
        rest.given_back(platform::processor_time());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_at_rest_and_not_again_for_nothing() {
        let mut rest = Rest::default();
        let mut at = |used, due| {
            let used = Duration::from_millis(used);
            assert_eq!(rest.is_due(used), due, "{used:?}");
            if due {
                rest.given_back(used + Duration::from_millis(5));
            }
        };
        at(400, false); // it has just started
        at(1_000, false);
        at(1_020, true);
        at(1_030, false); // resting on
        at(1_045, false);
        at(1_076, false); // small acts that add up: not resting
        at(1_080, true);
        at(3_000, false);
        at(3_001, true);
    }
}
