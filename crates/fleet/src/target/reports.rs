//! How a target sends its reports: one batch at a time, each acknowledged before the next is read.

use crate::convert::encoded_report_len;
use crate::error::{ProtocolError, Result};
use crate::limits::{REPORT_BATCH_BYTES_MAX, REPORT_BATCH_ROWS_MAX};
use crate::message::ReportRow;
use model::ReportPosition;

/// Where the stream stands on the present connection.
#[derive(Debug)]
pub(super) enum ReportFlow {
    /// Everything durable was sent, as far as is known.
    Idle,
    /// Rows are being read.
    Loading,
    /// A batch waits for its acknowledgement.
    Sent {
        first: ReportPosition,
        through: ReportPosition,
        /// More rows were there when the batch was read.
        more: bool,
    },
}

/// A batch to send, or nothing when there are no rows.
pub(super) struct Batch {
    pub(super) rows: Vec<ReportRow>,
    pub(super) flow: ReportFlow,
}

/// The longest beginning of `rows` that one message takes, at least one row.
pub(super) fn pack(mut rows: Vec<ReportRow>, mut more: bool) -> Batch {
    let mut bytes = 0;
    let fits = rows
        .iter()
        .take(REPORT_BATCH_ROWS_MAX)
        .take_while(|row| {
            bytes += encoded_report_len(row);
            bytes <= REPORT_BATCH_BYTES_MAX
        })
        .count()
        .max(1);
    if fits < rows.len() {
        rows.truncate(fits);
        more = true;
    }
    let flow = match (rows.first(), rows.last()) {
        (Some(first), Some(last)) => ReportFlow::Sent {
            first: first.position,
            through: last.position,
            more,
        },
        _ => ReportFlow::Idle,
    };
    Batch { rows, flow }
}

/// What an acknowledgement leaves.
pub(super) struct Acknowledged {
    /// Highest position that is safe.
    pub(super) through: ReportPosition,
    /// Whether to read on.
    pub(super) more: bool,
}

impl ReportFlow {
    /// Takes an acknowledgement. A master that says more than was sent knows a later state of this target
    /// (it was restored); only what was sent now counts.
    pub(super) fn acknowledge(&mut self, acknowledged: ReportPosition) -> Result<Acknowledged> {
        let Self::Sent {
            first,
            through,
            more,
        } = *self
        else {
            return Err(ProtocolError::Unexpected {
                message: "report acknowledgement",
                state: "no report waits for one",
            });
        };
        if acknowledged < first {
            return Err(ProtocolError::Field {
                field: "report_ack.through",
            });
        }
        *self = Self::Idle;
        Ok(Acknowledged {
            through: acknowledged.min(through),
            more: more || acknowledged < through,
        })
    }
}
