//! Versions of the protocol.

use crate::message::Refusal;
use crate::numbers;
use std::time::Duration;

/// The version this program speaks.
pub const PROTOCOL_VERSION: u32 = 1;
/// How many versions before its own a master still serves.
pub const OLDER_VERSIONS_SERVED: u32 = 2;

/// Whether a master that speaks `master` serves a target that speaks `target`.
///
/// # Errors
/// 14541 for a newer target, 14306 for one that is too old; both versions are in the text.
pub fn judge_version(target: u32, master: u32) -> Result<(), Refusal> {
    let oldest = master.saturating_sub(OLDER_VERSIONS_SERVED).max(1);
    let (number, text) = if target > master {
        (
            numbers::MASTER_TOO_OLD,
            format!(
                "The master server speaks version {master} of the protocol; this target server needs {target} or later."
            ),
        )
    } else if target < oldest {
        (
            numbers::VERSION_MISMATCH,
            format!(
                "The target server speaks version {target} of the protocol; the master server serves {oldest} to {master}."
            ),
        )
    } else {
        return Ok(());
    };
    Err(Refusal {
        number,
        text,
        retry_after: Duration::ZERO,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_and_two_before() {
        for (target, master, number) in [
            (1, 1, None),
            (2, 1, Some(numbers::MASTER_TOO_OLD)),
            (u32::MAX, 1, Some(numbers::MASTER_TOO_OLD)),
            (0, 1, Some(numbers::VERSION_MISMATCH)),
            (1, 2, None),
            (1, 3, None),
            (1, 4, Some(numbers::VERSION_MISMATCH)),
            (2, 4, None),
            (0, 0, Some(numbers::VERSION_MISMATCH)),
        ] {
            let refused = judge_version(target, master).err().map(|r| r.number);
            assert_eq!(refused, number, "target {target}, master {master}");
        }
        insta::assert_snapshot!(
            judge_version(3, 1).unwrap_err(),
            @"The master server speaks version 1 of the protocol; this target server needs 3 or later. (error 14541)"
        );
    }
}
