//! A bulk load on its way from the socket to the session's thread.

use engine::{BulkRows, CancelToken};
use std::collections::VecDeque;
use std::time::Duration;
use tds::bulk::{BulkEvent, BulkReader};
use tds::{TdsError, TdsVersion};
use tokio::sync::mpsc;
use tsql::messages as m;
use tsql::{Column, Row, SqlError};

/// Packets between the socket and the session's thread.
const PACKETS_MAX: usize = 4;
/// Bytes that wait for a place among them; while there are more, the client is not read.
pub(super) const WAITING_BYTES_MAX: usize = 64 * 1024;
/// Bytes that wait once the session's thread has taken nothing for [`STALL`]: the client is read on, because an
/// attention may stand behind them.
pub(super) const STALLED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long the session's thread may take nothing before the load counts as stalled.
pub(super) const STALL: Duration = Duration::from_millis(20);

/// The socket's end of a bulk load.
#[derive(Default)]
pub(super) struct BulkFeed {
    // None: nobody takes more, or there is no load.
    packets: Option<mpsc::Sender<Vec<u8>>>,
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    // The session's thread has taken nothing for a while.
    stalled: bool,
    // The last packet has come.
    whole: bool,
    // A load has begun whose last packet has not come.
    inside: bool,
}

impl BulkFeed {
    /// Whether the next packet belongs to a load that has begun.
    pub(super) fn is_inside(&self) -> bool {
        self.inside
    }

    /// Begins a load; what the session's thread reads it from.
    pub(super) fn begin(&mut self) -> mpsc::Receiver<Vec<u8>> {
        let (packets, received) = mpsc::channel(PACKETS_MAX);
        *self = Self {
            packets: Some(packets),
            inside: true,
            ..Self::default()
        };
        received
    }

    /// Takes in a packet of the load. One that nobody wants any more is dropped.
    pub(super) fn take(&mut self, payload: Vec<u8>, last: bool) {
        if self.packets.is_some() && !payload.is_empty() {
            self.waiting_bytes += payload.len();
            self.waiting.push_back(payload);
        }
        self.whole |= last;
        self.inside = !last;
        self.close_when_done();
    }

    /// Ends the load before its end: the session's thread gets nothing more.
    pub(super) fn stop(&mut self) {
        self.packets = None;
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.stalled = false;
    }

    /// An attention in the place of the rest.
    pub(super) fn cut_off(&mut self) {
        self.stop();
        self.inside = false;
    }

    /// Whether the client may send more.
    pub(super) fn has_room(&self) -> bool {
        let most = if self.stalled {
            STALLED_BYTES_MAX
        } else {
            WAITING_BYTES_MAX
        };
        self.waiting_bytes < most
    }

    /// Whether the client waits for the session's thread, which may come to nothing.
    pub(super) fn may_stall(&self) -> bool {
        !self.stalled && !self.has_room()
    }

    /// The session's thread has taken nothing for [`STALL`].
    pub(super) fn stall(&mut self) {
        self.stalled = true;
    }

    /// Whether a packet waits for the session's thread.
    pub(super) fn is_waiting(&self) -> bool {
        self.packets.is_some() && !self.waiting.is_empty()
    }

    /// Hands one packet over. May be dropped at its await without losing its place.
    pub(super) async fn advance(&mut self) {
        let Some(packets) = &self.packets else {
            return;
        };
        let taken = match packets.reserve().await {
            Ok(place) => {
                if let Some(packet) = self.waiting.pop_front() {
                    self.waiting_bytes -= packet.len();
                    place.send(packet);
                }
                true
            }
            Err(_) => false,
        };
        if taken {
            self.stalled = false;
            self.close_when_done();
        } else {
            // The session has given the load up, and said why.
            self.stop();
        }
    }

    fn close_when_done(&mut self) {
        if self.whole && self.waiting.is_empty() {
            self.packets = None;
        }
    }
}

/// The session's end of a bulk load.
pub(super) struct BulkStream {
    packets: mpsc::Receiver<Vec<u8>>,
    reader: BulkReader,
    cancel: CancelToken,
}

impl BulkStream {
    pub(super) fn new(
        packets: mpsc::Receiver<Vec<u8>>,
        version: TdsVersion,
        cancel: CancelToken,
    ) -> Self {
        Self {
            packets,
            reader: BulkReader::new(version),
            cancel,
        }
    }

    /// The next event; `None` at the end of the message. Waits for the client.
    fn next_event(&mut self) -> Result<Option<BulkEvent>, SqlError> {
        loop {
            match self.reader.next_event() {
                Ok(Some(event)) => return Ok(Some(event)),
                Ok(None) => {}
                Err(error) => return Err(self.refused(&error)),
            }
            match self.packets.blocking_recv() {
                Some(packet) => {
                    let fed = self.reader.feed(&packet);
                    fed.map_err(|error| self.refused(&error))?;
                }
                None if self.cancel.is_cancelled() => return Err(m::CANCELLED.with(&[])),
                None if self.reader.is_ended() => return Ok(None),
                // Also when the connection broke: what was not ended is not kept.
                None => return Err(m::BULK_CUT_SHORT.with(&[])),
            }
        }
    }

    fn refused(&self, error: &TdsError) -> SqlError {
        tracing::debug!(%error, "a bulk load could not be read");
        let column = self.reader.column();
        let text = column.max(1).to_string();
        if column > 0 {
            m::BULK_LENGTH.with(&[&text])
        } else if error.refuses_request_only() {
            m::BULK_TYPE.with(&[&text])
        } else {
            m::BULK_CUT_SHORT.with(&[])
        }
    }
}

impl BulkRows for BulkStream {
    fn columns(&mut self) -> Result<Vec<Column>, SqlError> {
        match self.next_event()? {
            Some(BulkEvent::Columns(columns)) => Ok(columns),
            Some(BulkEvent::Row(_) | BulkEvent::End) | None => Err(m::BULK_CUT_SHORT.with(&[])),
        }
    }

    fn next_row(&mut self) -> Result<Option<Row>, SqlError> {
        match self.next_event()? {
            Some(BulkEvent::Row(row)) => Ok(Some(row)),
            Some(BulkEvent::End) => {
                // Nothing is kept before the message is whole.
                match self.next_event()? {
                    None => Ok(None),
                    Some(_) => Err(m::BULK_CUT_SHORT.with(&[])),
                }
            }
            Some(BulkEvent::Columns(_)) | None => Err(m::BULK_CUT_SHORT.with(&[])),
        }
    }
}
