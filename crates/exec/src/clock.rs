//! The one place of this crate that reads a clock: how long steps take and when to give up waiting.

use std::time::Instant;

/// A moment on the monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the launcher measures processes, which move by no clock of ours"
)]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}
