//! A simulated file of a store: writes land in memory, become durable by a sync, and are lost by a crash.

use crate::random::Random;

/// What a file holds, changed by writes alone.
pub(crate) trait FileState: Clone {
    /// A transaction.
    type Write;
    /// What a transaction found.
    type Found;

    /// Carries a transaction out.
    fn apply(&mut self, write: &Self::Write) -> Self::Found;
}

/// One file of one store.
///
/// Readers see `durable` alone, as with a write-ahead log whose commits show once they are synced;
/// transactions see what came before them.
#[derive(Debug)]
pub(crate) struct File<S: FileState, D> {
    pub(crate) durable: S,
    current: S,
    unsynced: Vec<S::Write>,
    waiting: Vec<(D, S::Found)>,
    /// Writes that the sync under way covers.
    syncing: usize,
}

impl<S: FileState, D> File<S, D> {
    pub(crate) fn new(state: S) -> Self {
        Self {
            durable: state.clone(),
            current: state,
            unsynced: Vec::new(),
            waiting: Vec::new(),
            syncing: 0,
        }
    }

    /// What transactions see now.
    pub(crate) const fn current(&self) -> &S {
        &self.current
    }

    /// Carries a write out in memory; `done` comes back from the sync that makes it durable.
    /// Returns whether a sync has to be scheduled.
    pub(crate) fn write(&mut self, write: S::Write, done: D) -> bool {
        let found = self.current.apply(&write);
        self.unsynced.push(write);
        self.waiting.push((done, found));
        self.start_sync()
    }

    /// Ends the sync under way: what it covers is durable. Ask [`start_sync`](Self::start_sync) afterwards.
    pub(crate) fn sync(&mut self) -> Vec<(D, S::Found)> {
        let covered = std::mem::take(&mut self.syncing);
        for write in self.unsynced.drain(..covered) {
            let _ = self.durable.apply(&write);
        }
        self.waiting.drain(..covered).collect()
    }

    /// Whether writes wait and no sync is under way; one is then.
    pub(crate) fn start_sync(&mut self) -> bool {
        let start = self.syncing == 0 && !self.unsynced.is_empty();
        if start {
            self.syncing = self.unsynced.len();
        }
        start
    }

    /// Power goes: of the writes not synced, only a beginning by chance is on the disk.
    pub(crate) fn crash(&mut self, random: &mut Random) {
        let kept = if random.permille(500) {
            0
        } else {
            random.index(self.unsynced.len() + 1)
        };
        for write in self.unsynced.drain(..).take(kept) {
            let _ = self.durable.apply(&write);
        }
        self.unsynced.clear();
        self.waiting.clear();
        self.syncing = 0;
        self.current = self.durable.clone();
    }

    /// Replaces everything by an older copy.
    pub(crate) fn restore(&mut self, copy: S) {
        *self = Self::new(copy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl FileState for Vec<u32> {
        type Write = u32;
        type Found = usize;
        fn apply(&mut self, write: &u32) -> usize {
            self.push(*write);
            self.len()
        }
    }

    #[test]
    fn a_sync_covers_what_was_written_before_it_began() {
        let mut file = File::new(Vec::new());
        assert!(file.write(1, 'a'));
        assert!(!file.write(2, 'b'));
        assert_eq!((file.durable.len(), file.current().len()), (0, 2));
        assert_eq!(file.sync(), [('a', 1)]);
        assert_eq!(file.durable, [1]);
        assert!(file.start_sync());
        assert_eq!(file.sync(), [('b', 2)]);
        assert!(!file.start_sync());
    }

    #[test]
    fn a_crash_keeps_a_beginning_of_what_was_not_synced() {
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let mut file = File::new(Vec::new());
            for n in 1..=3 {
                file.write(n, ());
            }
            let _ = file.sync();
            file.crash(&mut Random::new(seed));
            assert!([1, 2, 3].starts_with(&file.durable) && !file.durable.is_empty());
            assert_eq!(file.current(), &file.durable);
            lengths.insert(file.durable.len());
        }
        assert_eq!(lengths.len(), 3);
    }
}
