//! A directory of databases that goes away with the test.

use crate::common::Fixture;
use engine::databases::Databases;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An instance's directory of databases.
pub(crate) struct Place {
    path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let name = format!("muster-databases-{}", uuid::Uuid::new_v4());
        Self {
            path: std::env::temp_dir().join(name).join("databases"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The databases as a start of the instance finds them.
    pub(crate) fn open(&self) -> Arc<Databases> {
        Databases::open(&self.path, 0, &[1]).unwrap()
    }
}

impl Place {
    /// A session of `sa` in msdb.
    pub(crate) fn session(&self) -> Fixture {
        Fixture::with(Some(self.open()))
    }
}

/// Runs batches one after the other in one session; each has to write what stands beside it, lines joined by `; `.
#[track_caller]
pub(crate) fn follow(session: &mut Fixture, batches: &[(&str, &str)]) {
    for (batch, expected) in batches {
        let (lines, _) = session.run(batch);
        assert_eq!(lines.join("; "), *expected, "{batch}");
    }
}

/// The same in a new session over new databases.
#[track_caller]
pub(crate) fn check(batches: &[(&str, &str)]) {
    let place = Place::new();
    follow(&mut place.session(), batches);
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(root) = self.path.parent() {
            let _ = std::fs::remove_dir_all(root);
        }
    }
}
