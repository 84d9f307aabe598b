//! How the rest of the instance reaches the task of the target's end.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// What comes of leaving: the number of jobs removed, or why not.
pub type Left = Result<u64, String>;

/// Orders to one running target's end. Wake-ups of one kind melt into one, so none is ever lost and
/// nothing piles up.
#[derive(Debug, Default)]
pub struct Orders {
    wake: Notify,
    given: Mutex<Given>,
}

/// What was ordered since the task looked last.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) reports_available: bool,
    pub(super) force_poll: bool,
    pub(super) stay: bool,
    pub(super) stop: bool,
    pub(super) leave: Vec<oneshot::Sender<Left>>,
    /// Nobody takes orders any more.
    closed: bool,
}

impl Orders {
    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self, order: impl FnOnce(&mut Given)) {
        order(&mut self.given());
        self.wake.notify_one();
    }

    /// Rows wait for the master.
    pub fn reports_available(&self) {
        self.give(|given| given.reports_available = true);
    }

    /// Speak with the master now.
    pub fn force_poll(&self) {
        self.give(|given| given.force_poll = true);
    }

    /// Leave the master; the answer comes when the enlistment is gone. `None`: the task has ended.
    pub fn leave(&self) -> Option<oneshot::Receiver<Left>> {
        let mut given = self.given();
        if given.closed {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        given.leave.push(answer);
        drop(given);
        self.wake.notify_one();
        Some(answered)
    }

    /// One who asked to leave gave up; its receiver is dropped.
    pub fn stay(&self) {
        self.give(|given| given.stay = true);
    }

    /// End the task; the enlistment stays.
    pub fn stop(&self) {
        self.give(|given| given.stop = true);
    }

    /// Waits for orders and takes them. May be dropped at any point.
    pub(super) async fn take(&self) -> Given {
        self.wake.notified().await;
        std::mem::take(&mut *self.given())
    }

    /// No more orders are taken; who waits for an answer learns that there will be none.
    pub(super) fn close(&self) {
        *self.given() = Given {
            closed: true,
            ..Given::default()
        };
    }
}

/// Closes orders when the task ends, however it does.
pub(super) struct Closing<'a>(pub(super) &'a Orders);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn orders_melt_and_none_is_lost() {
        let orders = Orders::default();
        for _ in 0..1_000 {
            orders.reports_available();
            orders.force_poll();
        }
        let mut answers: Vec<_> = (0..3).map(|_| orders.leave().unwrap()).collect();
        let given = orders.take().await;
        assert!(given.reports_available && given.force_poll && !given.stop && !given.stay);
        assert_eq!(given.leave.len(), 3);
        for answer in given.leave {
            answer.send(Ok(7)).unwrap();
        }
        for answer in &mut answers {
            assert_eq!(answer.await.unwrap(), Ok(7));
        }
        let waiting = orders.leave().unwrap();
        drop(Closing(&orders));
        assert!(waiting.await.is_err(), "the task has ended");
        assert!(orders.leave().is_none());
    }
}
