//! Work on the store that the tasks of fleet connections have done.
//!
//! Such work blocks, so it goes to threads for that. A change of thread there and back takes as long as a small
//! read, though, and a START has to wait for it: where nothing else is under way, quick work is done on the spot.

use catalog::CatalogError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Handle, RuntimeFlavor};

/// Does store work for the other end of a fleet connection. A panic is a failure of the store to whoever waits for
/// the answer, which would not come otherwise.
///
/// # Errors
/// The work's, and `Storage` after a panic.
pub(crate) fn guarded<T>(
    work: impl FnOnce() -> Result<T, CatalogError>,
) -> Result<T, CatalogError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(CatalogError::Storage {
            action: "do work for a fleet connection",
            source: "it panicked".into(),
        })
    })
}

/// Counts work under way. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoreWork(Arc<AtomicUsize>);

/// One piece of work, until it is dropped.
struct Underway(Arc<AtomicUsize>);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl StoreWork {
    fn begin(&self) -> (Underway, bool) {
        let before = self.0.fetch_add(1, Ordering::AcqRel);
        (Underway(Arc::clone(&self.0)), before == 0)
    }

    /// Does work on a thread that may block.
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let (underway, _) = self.begin();
        tokio::task::spawn_blocking(move || {
            work();
            drop(underway);
        });
    }

    /// Does quick work on this thread, which hands its other tasks on first. Gives the work back where other
    /// work is under way: many at once would leave no thread for the network.
    ///
    /// # Errors
    /// The work, which was not done.
    pub(crate) fn here<T, W: FnOnce() -> T>(&self, work: W) -> Result<T, W> {
        let (_underway, alone) = self.begin();
        if !alone {
            return Err(work);
        }
        Ok(match Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
            // Tests; there is no other thread to hand tasks to.
            RuntimeFlavor::CurrentThread | _ => work(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_panic_is_a_failure_of_the_store() {
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
        assert!(matches!(
            guarded::<()>(|| Err(CatalogError::Full)),
            Err(CatalogError::Full)
        ));
        let lost = guarded::<()>(|| panic!("a bug"));
        assert!(
            matches!(lost, Err(CatalogError::Storage { .. })),
            "{lost:?}"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn quick_work_is_done_on_the_spot_unless_other_work_is_under_way() {
        let work = StoreWork::default();
        let thread = std::thread::current().id();
        let there = work.here(|| std::thread::current().id()).ok();
        assert_eq!(there, Some(thread));
        let (go_on, wait) = mpsc::channel::<()>();
        let (done, mut ended) = tokio::sync::mpsc::channel(1);
        work.spawn(move || {
            let _ = wait.recv();
            let _ = done.blocking_send(());
        });
        assert!(work.here(|| ()).is_err());
        go_on.send(()).unwrap();
        ended.recv().await.unwrap();
        // The piece of work ends an instant after its last act.
        while work.here(|| ()).is_err() {
            tokio::task::yield_now().await;
        }
    }
}
