//! The rows of a bulk load, which follow an INSERT BULK statement in a message of their own.
//!
//! Source: MS-TDS, "Bulk Load BCP".

use crate::error::TdsError;
use crate::reply::{Event, ReplyReader};
use crate::version::TdsVersion;
use tsql::{Column, Row};

/// Most bytes that one row of a bulk load may have, all its values together.
pub const BULK_ROW_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One thing that a bulk load says.
#[derive(Debug, Clone, PartialEq)]
pub enum BulkEvent {
    /// What its rows look like; comes first, and once.
    Columns(Vec<Column>),
    /// A row.
    Row(Row),
    /// There are no more rows.
    End,
}

/// Reads a bulk load while it arrives; no more is held than the row that is being read.
#[derive(Debug)]
pub struct BulkReader {
    tokens: ReplyReader,
    described: bool,
    ended: bool,
}

impl BulkReader {
    /// Reads a bulk load in the layout of this version.
    #[must_use]
    pub fn new(version: TdsVersion) -> Self {
        Self {
            tokens: ReplyReader::of_bulk_load(version, BULK_ROW_BYTES_MAX),
            described: false,
            ended: false,
        }
    }

    /// Adds the payload of a packet. Take all events before feeding again.
    ///
    /// # Errors
    /// [`TdsError::MessageTooLong`] when a row has more than [`BULK_ROW_BYTES_MAX`].
    pub fn feed(&mut self, payload: &[u8]) -> Result<(), TdsError> {
        self.tokens.feed(payload)
    }

    /// The next event, when all of it is there.
    ///
    /// # Errors
    /// Bytes that are no bulk load; nothing more can be read then.
    pub fn next_event(&mut self) -> Result<Option<BulkEvent>, TdsError> {
        let out_of_turn = |value: u64| TdsError::Invalid {
            what: "a bulk load",
            value,
        };
        if self.ended {
            return if self.tokens.is_inside_token() {
                Err(out_of_turn(0))
            } else {
                Ok(None)
            };
        }
        let Some(event) = self.tokens.next_event()? else {
            return Ok(None);
        };
        match event {
            Event::Columns(columns) if !self.described => {
                self.described = true;
                Ok(Some(BulkEvent::Columns(columns)))
            }
            Event::Row(row) if self.described => Ok(Some(BulkEvent::Row(row))),
            Event::Done(_) => {
                self.ended = true;
                Ok(Some(BulkEvent::End))
            }
            Event::Columns(_) => Err(out_of_turn(0x81)),
            Event::Row(_) => Err(out_of_turn(0xD1)),
            Event::LoginAck { .. }
            | Event::Message(_)
            | Event::Environment(_)
            | Event::ReturnStatus(_)
            | Event::ReturnValue { .. } => Err(out_of_turn(1)),
        }
    }

    /// Whether the end has been read.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// The column, from 1, whose value is being read; 0 outside rows.
    #[must_use]
    pub fn column(&self) -> usize {
        self.tokens.values_read().map_or(0, |read| read + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Done, DoneKind, TokenWriter};
    use proptest::prelude::*;
    use tsql::{Length, SqlType, Value};

    const NEW: TdsVersion = TdsVersion::V7_4;

    fn read(bytes: &[u8], piece: usize) -> Result<(Vec<BulkEvent>, bool), TdsError> {
        let mut reader = BulkReader::new(NEW);
        let mut events = Vec::new();
        for part in bytes.chunks(piece.max(1)) {
            reader.feed(part)?;
            while let Some(event) = reader.next_event()? {
                events.push(event);
            }
        }
        Ok((events, reader.is_ended()))
    }

    fn written(rows: &[(i32, &str)]) -> (Vec<Column>, Vec<u8>) {
        let columns = vec![
            Column::required("a", SqlType::Int),
            Column::nullable("b", SqlType::NVARCHAR_MAX),
        ];
        let mut writer = TokenWriter::new(NEW);
        writer.columns(&columns).unwrap();
        for (a, b) in rows {
            let row = [Value::Int(*a), Value::string(*b)];
            writer.row(&row).unwrap();
        }
        writer.done(Done::new(DoneKind::Done));
        (columns, writer.take())
    }

    #[test]
    fn text_columns_name_their_table_in_one_part() {
        // What SqlBulkCopy and FreeTDS write: COLMETADATA with one text column of table "t".
        let mut bytes = vec![0x81, 1, 0, 0, 0, 0, 0, 9, 0, 0x23, 255, 255, 255, 0x7F];
        bytes.extend([9, 4, 0xD0, 0, 0x34, 1, 0, b't', 0, 1, b'x', 0]);
        bytes.extend([0xD1, 16]);
        bytes.extend([0xFF; 16]);
        bytes.extend([0; 8]);
        bytes.extend([2, 0, 0, 0, b'h', b'i']);
        bytes.extend([0xD1, 0]);
        bytes.extend([0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let (events, ended) = read(&bytes, 7).unwrap();
        assert!(ended);
        assert_eq!(
            events,
            [
                BulkEvent::Columns(vec![Column::nullable("x", SqlType::Text)]),
                BulkEvent::Row(vec![Value::string("hi")]),
                BulkEvent::Row(vec![Value::Null]),
                BulkEvent::End,
            ]
        );
    }

    #[test]
    fn what_is_no_bulk_load_is_refused() {
        let (_, good) = written(&[(1, "x")]);
        let columns_end = good.iter().position(|byte| *byte == 0xD1).unwrap();
        let twice = [&good[..columns_end], &good[..]].concat();
        assert!(read(&twice, 1000).is_err());
        assert!(read(&good[columns_end..], 1000).is_err());
        assert!(read(&[&good[..], &[0]].concat(), 1000).is_err());
        assert!(read(&[0x79, 0, 0, 0, 0], 1000).is_err());
        let (_, ended) = read(&good[..good.len() - 1], 1000).unwrap();
        assert!(!ended);
    }

    #[test]
    fn a_row_has_one_budget_for_all_its_values() {
        const BUDGET: usize = 10_000;
        const PACKET: usize = 500;
        // Both ways in which values come: in chunks, and behind their length.
        for ty in [SqlType::VarBinary(Length::Max), SqlType::varbinary(4_000)] {
            let columns: Vec<Column> = (0..4).map(|_| Column::nullable("b", ty)).collect();
            let load = |sizes: [usize; 4]| {
                let mut writer = TokenWriter::new(NEW);
                writer.columns(&columns).unwrap();
                // The budget is a row's: three of them have more than it together.
                for _ in 0..3 {
                    let row = sizes.map(|size| Value::Binary(vec![7; size]));
                    writer.row(&row).unwrap();
                }
                writer.done(Done::new(DoneKind::Done));
                let mut reader = BulkReader {
                    tokens: ReplyReader::of_bulk_load(NEW, BUDGET),
                    ..BulkReader::new(NEW)
                };
                let mut rows = 0;
                for packet in writer.take().chunks(PACKET) {
                    if let Err(error) = reader.feed(packet) {
                        return Err((error, reader.column()));
                    }
                    while let Some(event) = reader.next_event().unwrap() {
                        rows += usize::from(matches!(event, BulkEvent::Row(_)));
                    }
                }
                Ok(rows)
            };
            assert_eq!(load([2_000; 4]), Ok(3), "{ty:?}");
            // No value is longer than the budget; the third is too much for it.
            let refused = load([3_990; 4]);
            let limit = BUDGET;
            assert_eq!(
                refused,
                Err((TdsError::MessageTooLong { limit }, 3)),
                "{ty:?}"
            );
        }
    }

    #[test]
    fn a_bad_value_names_its_column() {
        let mut writer = TokenWriter::new(NEW);
        writer
            .columns(&[Column::nullable("a", SqlType::Int)])
            .unwrap();
        writer.row(&[Value::Int(1)]).unwrap();
        writer.done(Done::new(DoneKind::Done));
        let mut bytes = writer.take();
        let row = bytes.iter().position(|byte| *byte == 0xD1).unwrap();
        // An int of five bytes.
        bytes[row + 1] = 5;
        let mut reader = BulkReader::new(NEW);
        reader.feed(&bytes).unwrap();
        reader.next_event().unwrap();
        assert!(reader.next_event().is_err());
        assert_eq!(reader.column(), 1);
    }

    proptest! {
        #[test]
        fn loads_survive_any_pieces(
            rows in proptest::collection::vec((any::<i32>(), "\\PC{0,40}"), 0..20),
            piece in 1usize..60,
        ) {
            let rows: Vec<(i32, &str)> = rows.iter().map(|(a, b)| (*a, b.as_str())).collect();
            let (columns, bytes) = written(&rows);
            let (events, ended) = read(&bytes, piece).unwrap();
            prop_assert!(ended);
            prop_assert_eq!(&events[0], &BulkEvent::Columns(columns));
            prop_assert_eq!(events.len(), rows.len() + 2);
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), piece in 1usize..50) {
            let _outcome = read(&bytes, piece);
        }
    }
}
