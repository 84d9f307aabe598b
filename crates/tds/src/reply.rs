//! What a server answers, read as events while it arrives.

use crate::charset::Collation;
use crate::error::TdsError;
use crate::token::{COLUMNS_MAX, Done, DoneKind, EnvChange, code, done, env};
use crate::types::{Frame, TypeInfo};
use crate::value::{Chunks, Place, decode_value};
use crate::version::{ProductVersion, TdsVersion, VersionNumber};
use crate::wire::Reader;
use tsql::{Column, Row, SqlError, SqlType, Value};

/// Most bytes that one row, or one other token, of an answer may have.
pub const ROW_BYTES_MAX: usize = 256 * 1024 * 1024;

/// One thing that a server says.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The login is accepted.
    LoginAck {
        /// Protocol version that both will speak.
        version: VersionNumber,
        /// Name of the server program.
        program: String,
        /// Version of the server program.
        product: ProductVersion,
    },
    /// A result set begins.
    Columns(Vec<Column>),
    /// A row of it.
    Row(Row),
    /// An error (severity above 10) or a message.
    Message(SqlError),
    /// A statement or procedure ends.
    Done(Done),
    /// The session's environment changed.
    Environment(EnvChange),
    /// A procedure's return code.
    ReturnStatus(i32),
    /// An output parameter.
    ReturnValue {
        /// Its place among the call's parameters, from 0.
        ordinal: u16,
        /// Its name.
        name: String,
        /// Its type.
        ty: SqlType,
        /// Its value.
        value: Value,
    },
}

#[derive(Debug)]
struct PartialRow {
    // Bit set: the column is NULL and has no bytes. Empty for rows without a bitmap.
    nulls: Vec<u8>,
    values: Row,
    chunks: Option<Chunks>,
    // Bytes used up for `values` and `chunks`.
    bytes: usize,
}

/// Reads the payloads of an answer's packets.
///
/// A row is read value by value and a long value chunk by chunk, so nothing is read twice however the bytes
/// are cut into packets.
#[derive(Debug)]
pub struct ReplyReader {
    version: TdsVersion,
    buffer: Vec<u8>,
    // Invariant: at ≤ buffer.len(); bytes before it are used up.
    at: usize,
    columns: Vec<TypeInfo>,
    row: Option<PartialRow>,
    layout: Layout,
    // Of one row or one other token, as the bytes come.
    bytes_max: usize,
}

/// Who speaks, where that changes the layout of COLMETADATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Answer,
    /// Names of tables have one part whatever the version, as all clients write them.
    BulkLoad,
}

impl ReplyReader {
    /// Reads answers in the layout of this version.
    #[must_use]
    pub fn new(version: TdsVersion) -> Self {
        Self {
            version,
            buffer: Vec::new(),
            at: 0,
            columns: Vec::new(),
            row: None,
            layout: Layout::Answer,
            bytes_max: ROW_BYTES_MAX,
        }
    }

    /// Reads what a client sends as a bulk load.
    pub(crate) fn of_bulk_load(version: TdsVersion, bytes_max: usize) -> Self {
        Self {
            layout: Layout::BulkLoad,
            bytes_max,
            ..Self::new(version)
        }
    }

    /// How many values of the row that is being read are there.
    pub(crate) fn values_read(&self) -> Option<usize> {
        self.row.as_ref().map(|row| row.values.len())
    }

    /// Adds the payload of a packet. Take all events before feeding again.
    ///
    /// # Errors
    /// [`TdsError::MessageTooLong`] when a row or another token has more than [`ROW_BYTES_MAX`].
    pub fn feed(&mut self, payload: &[u8]) -> Result<(), TdsError> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let gathered = self.row.as_ref().map_or(0, |row| row.bytes);
        if self.buffer.len() + payload.len() + gathered > self.bytes_max {
            return Err(TdsError::MessageTooLong {
                limit: self.bytes_max,
            });
        }
        self.buffer.extend_from_slice(payload);
        Ok(())
    }

    /// The next event, when all of it is there.
    ///
    /// # Errors
    /// Bytes that are not an answer; the connection is then beyond use.
    pub fn next_event(&mut self) -> Result<Option<Event>, TdsError> {
        loop {
            let mut reader = Reader::new(self.buffer.get(self.at..).unwrap_or_default(), "token");
            if let Some(row) = &mut self.row {
                let outcome = row.advance(&mut reader, &self.columns);
                self.at += reader.position();
                row.bytes += reader.position();
                return match outcome {
                    Ok(()) => Ok(self.row.take().map(|row| Event::Row(row.values))),
                    Err(error) if error.is_truncated() => Ok(None),
                    Err(error) => Err(error),
                };
            }
            if reader.is_empty() {
                return Ok(None);
            }
            let form = (self.version, self.layout);
            match Self::token(&mut reader, form, &mut self.columns, &mut self.row) {
                Ok(event) => {
                    self.at += reader.position();
                    if event.is_some() {
                        return Ok(event);
                    }
                }
                Err(error) if error.is_truncated() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether a token has begun and not ended. At the end of a message that is an error of the server.
    #[must_use]
    pub fn is_inside_token(&self) -> bool {
        self.row.is_some() || self.at < self.buffer.len()
    }

    /// Reads one token; `None` for one that says nothing to Muster's client, and for a row's beginning.
    fn token(
        reader: &mut Reader<'_>,
        (version, layout): (TdsVersion, Layout),
        columns: &mut Vec<TypeInfo>,
        row: &mut Option<PartialRow>,
    ) -> Result<Option<Event>, TdsError> {
        let token = reader.u8()?;
        Ok(match token {
            code::COLMETADATA => {
                let Some((named, types)) = decode_columns(reader, version, layout)? else {
                    return Ok(None);
                };
                *columns = types;
                Some(Event::Columns(named))
            }
            code::ROW | code::NBCROW => {
                let bitmap_bytes = if token == code::NBCROW {
                    columns.len().div_ceil(8)
                } else {
                    0
                };
                let nulls = reader.take(bitmap_bytes)?.to_vec();
                *row = Some(PartialRow {
                    nulls,
                    values: Vec::with_capacity(columns.len()),
                    chunks: None,
                    bytes: 0,
                });
                None
            }
            code::ERROR | code::INFO => {
                let message = body(reader, |part| {
                    Ok(SqlError {
                        number: part.i32()?,
                        state: part.u8()?,
                        severity: part.u8()?,
                        message: part.us_varchar()?,
                        procedure: {
                            let _server = part.b_varchar()?;
                            part.b_varchar()?
                        },
                        line: if version >= TdsVersion::V7_2 {
                            part.u32()?
                        } else {
                            u32::from(part.u16()?)
                        },
                    })
                })?;
                Some(Event::Message(message))
            }
            code::ENVCHANGE => Some(Event::Environment(body(reader, decode_environment)?)),
            code::LOGINACK => Some(body(reader, |part| {
                let _interface = part.u8()?;
                Ok(Event::LoginAck {
                    version: VersionNumber::from_acknowledged(part.array()?),
                    program: part.b_varchar()?,
                    product: ProductVersion::from_bytes(part.array()?),
                })
            })?),
            code::DONE | code::DONEPROC | code::DONEINPROC => {
                let status = reader.u16()?;
                let command = reader.u16()?;
                let rows = if version >= TdsVersion::V7_2 {
                    reader.u64()?
                } else {
                    u64::from(reader.u32()?)
                };
                Some(Event::Done(Done {
                    kind: match token {
                        code::DONE => DoneKind::Done,
                        code::DONEPROC => DoneKind::Procedure,
                        _ => DoneKind::InProcedure,
                    },
                    more: status & done::MORE != 0,
                    error: status & done::ERROR != 0,
                    in_transaction: status & done::IN_TRANSACTION != 0,
                    attention: status & done::ATTENTION != 0,
                    server_error: status & done::SERVER_ERROR != 0,
                    rows: (status & done::COUNT != 0).then_some(rows),
                    command,
                }))
            }
            code::RETURNSTATUS => Some(Event::ReturnStatus(reader.i32()?)),
            code::RETURNVALUE => {
                let ordinal = reader.u16()?;
                let name = reader.b_varchar()?;
                let _status = reader.u8()?;
                let _nullable = decode_user_type_and_flags(reader, version)?;
                let info = TypeInfo::decode(reader, version)?;
                let value = decode_value(reader, info, Place::Parameter)?;
                Some(Event::ReturnValue {
                    ordinal,
                    name,
                    ty: info.ty,
                    value,
                })
            }
            code::FEATUREEXTACK => {
                while reader.u8()? != 0xFF {
                    let length = reader.size32()?;
                    reader.take(length)?;
                }
                None
            }
            code::SESSIONSTATE => {
                let length = reader.size32()?;
                reader.take(length)?;
                None
            }
            code::ORDER | code::TABNAME | code::COLINFO => {
                let length = reader.u16()?;
                reader.take(usize::from(length))?;
                None
            }
            other => return Err(TdsError::UnknownToken(other)),
        })
    }
}

impl PartialRow {
    /// Reads as many values as are there. The reader stands behind what was kept, error or not.
    fn advance(&mut self, reader: &mut Reader<'_>, columns: &[TypeInfo]) -> Result<(), TdsError> {
        while let Some(info) = columns.get(self.values.len()) {
            let at = self.values.len();
            let null = self
                .nulls
                .get(at / 8)
                .is_some_and(|bits| bits & (1 << (at % 8)) != 0);
            let value = if null {
                Value::Null
            } else if info.frame == Frame::Chunks {
                let mut chunks = self.chunks.take().unwrap_or_default();
                match chunks.advance(reader) {
                    Ok(()) => chunks.finish(*info)?,
                    Err(error) => {
                        self.chunks = Some(chunks);
                        return Err(error);
                    }
                }
            } else {
                let mut ahead = *reader;
                let value = decode_value(&mut ahead, *info, Place::Row)?;
                *reader = ahead;
                value
            };
            self.values.push(value);
        }
        Ok(())
    }
}

/// A token with a two-byte length: all of it, or nothing.
fn body<'a, T>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, TdsError>,
) -> Result<T, TdsError> {
    let length = reader.u16()?;
    let mut part = reader.part(usize::from(length))?;
    read(&mut part).map_err(Reader::closed)
}

fn decode_environment(part: &mut Reader<'_>) -> Result<EnvChange, TdsError> {
    let kind = part.u8()?;
    let size = |part: &Reader<'_>, text: String| {
        text.parse::<u16>()
            .map_err(|_| part.invalid(env::PACKET_SIZE))
    };
    let descriptor = |part: &Reader<'_>, bytes: &[u8]| {
        <[u8; 8]>::try_from(bytes)
            .map(u64::from_le_bytes)
            .map_err(|_| part.invalid(kind))
    };
    Ok(match kind {
        env::DATABASE => EnvChange::Database {
            new: part.b_varchar()?,
            old: part.b_varchar()?,
        },
        env::LANGUAGE => EnvChange::Language {
            new: part.b_varchar()?,
            old: part.b_varchar()?,
        },
        env::PACKET_SIZE => {
            let (new, old) = (part.b_varchar()?, part.b_varchar()?);
            EnvChange::PacketSize {
                new: size(part, new)?,
                old: size(part, old)?,
            }
        }
        env::COLLATION => match <[u8; 5]>::try_from(part.b_varbyte()?) {
            Ok(bytes) => EnvChange::Collation(Collation(bytes)),
            Err(_) => EnvChange::Other(kind),
        },
        env::BEGIN => {
            let new = part.b_varbyte()?;
            EnvChange::BeginTransaction(descriptor(part, new)?)
        }
        env::COMMIT | env::ROLLBACK => {
            let _new = part.b_varbyte()?;
            let old = part.b_varbyte()?;
            let old = descriptor(part, old)?;
            if kind == env::COMMIT {
                EnvChange::CommitTransaction(old)
            } else {
                EnvChange::RollbackTransaction(old)
            }
        }
        env::RESET => EnvChange::ResetDone,
        other => EnvChange::Other(other),
    })
}

/// Columns as events tell them, and as rows are read by them.
type Described = (Vec<Column>, Vec<TypeInfo>);

fn decode_columns(
    reader: &mut Reader<'_>,
    version: TdsVersion,
    layout: Layout,
) -> Result<Option<Described>, TdsError> {
    let count = reader.u16()?;
    if count == u16::MAX {
        return Ok(None);
    }
    if usize::from(count) > COLUMNS_MAX {
        return Err(reader.invalid(count));
    }
    let mut columns = Vec::new();
    let mut types = Vec::new();
    for _ in 0..count {
        let nullable = decode_user_type_and_flags(reader, version)?;
        let info = TypeInfo::decode(reader, version)?;
        if info.frame == Frame::Long {
            let parts = if version >= TdsVersion::V7_2 && layout == Layout::Answer {
                reader.u8()?
            } else {
                1
            };
            for _ in 0..parts {
                reader.us_varchar()?;
            }
        }
        columns.push(Column {
            name: reader.b_varchar()?,
            ty: info.ty,
            nullable,
        });
        types.push(info);
    }
    Ok(Some((columns, types)))
}

fn decode_user_type_and_flags(
    reader: &mut Reader<'_>,
    version: TdsVersion,
) -> Result<bool, TdsError> {
    reader.take(if version >= TdsVersion::V7_2 { 4 } else { 2 })?;
    Ok(reader.u16()? & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::TokenWriter;
    use proptest::prelude::*;

    fn read(version: TdsVersion, bytes: &[u8], piece: usize) -> Result<Vec<Event>, TdsError> {
        let mut reader = ReplyReader::new(version);
        let mut events = Vec::new();
        for part in bytes.chunks(piece.max(1)) {
            reader.feed(part)?;
            while let Some(event) = reader.next_event()? {
                events.push(event);
            }
        }
        assert!(!reader.is_inside_token());
        Ok(events)
    }

    /// The specification's example of a login's answer, cut to its tokens.
    #[test]
    fn a_login_answer_is_read() {
        let mut bytes = vec![0xE3, 9, 0, 1, 2, b'm', 0, b's', 0, 1, b'm', 0];
        bytes.extend([
            0xAB, 18, 0, 0x45, 0x16, 0, 0, 2, 0, 1, 0, b'C', 0, 0, 0, 1, 0, 0, 0,
        ]);
        bytes.truncate(12);
        bytes.extend([
            0xAB, 16, 0, 0x45, 0x16, 0, 0, 2, 0, 1, 0, b'C', 0, 0, 0, 1, 0, 0, 0,
        ]);
        bytes.extend([0xAD, 12, 0, 1, 0x74, 0, 0, 4, 1, b'S', 0, 16, 0, 0x03, 0xE8]);
        bytes.extend([0xE3, 8, 0, 7, 5, 9, 4, 0xD0, 0, 0x34, 0]);
        bytes.extend([0xE3, 19, 0, 4, 4]);
        bytes.extend(b"4\x000\x009\x006\x00");
        bytes.push(4);
        bytes.extend(b"4\x000\x009\x006\x00");
        bytes.extend([0xAE, 0x0A, 1, 0, 0, 0, 1, 0xFF]);
        bytes.extend([0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for piece in [1, 7, 1000] {
            let events = read(TdsVersion::V7_4, &bytes, piece).unwrap();
            assert_eq!(events.len(), 6);
            assert_eq!(
                events[1],
                Event::Message(SqlError::new(5701, 0, "C").with_state(2).at_line(1))
            );
            assert_eq!(
                events[2],
                Event::LoginAck {
                    version: VersionNumber::V7_4,
                    program: "S".to_owned(),
                    product: ProductVersion::SERVER,
                }
            );
            assert_eq!(
                events[4],
                Event::Environment(EnvChange::PacketSize {
                    new: 4096,
                    old: 4096
                })
            );
            assert_eq!(events[5], Event::Done(Done::new(DoneKind::Done)));
        }
    }

    #[test]
    fn tokens_that_only_others_send_are_skipped() {
        let bytes = [
            0xA9, 2, 0, 1, 0, 0xA4, 1, 0, 9, 0xA5, 1, 0, 9, 0xE4, 1, 0, 0, 0, 9, 0x79, 1, 0, 0, 0,
        ];
        assert_eq!(
            read(TdsVersion::V7_4, &bytes, 3).unwrap(),
            [Event::ReturnStatus(1)]
        );
        assert_eq!(
            read(TdsVersion::V7_4, &[0x00], 1),
            Err(TdsError::UnknownToken(0))
        );
    }

    #[test]
    fn a_fixed_type_of_another_server_is_read() {
        let bytes = [
            0x81, 1, 0, 0, 0, 0, 0, 8, 0, 0x38, 1, b'n', 0, 0xD1, 5, 0, 0, 0,
        ];
        assert_eq!(
            read(TdsVersion::V7_4, &bytes, 2).unwrap(),
            [
                Event::Columns(vec![Column::required("n", SqlType::Int)]),
                Event::Row(vec![Value::Int(5)])
            ]
        );
    }

    proptest! {
        #[test]
        fn everything_written_is_read_in_any_pieces(
            set in proptest::collection::vec(crate::value::tests::typed_value(), 1..12),
            piece in 1usize..200,
            number in any::<i32>(),
            text in "\\PC{0,80}",
            rows in any::<Option<u32>>(),
            nullable in proptest::collection::vec(any::<bool>(), 12),
        ) {
            let version = TdsVersion::V7_4;
            let mut nullable = nullable.into_iter();
            let mut writer = TokenWriter::new(version);
            let (types, row): (Vec<_>, Vec<_>) = set.into_iter().unzip();
            let columns: Vec<_> = types
                .iter()
                .map(|ty| Column { nullable: nullable.next().unwrap_or(true), ..Column::required("c", *ty) })
                .collect();
            let message = SqlError::new(number, 16, text).at_line(9).in_procedure("p");
            let end = Done { rows: rows.map(u64::from), ..Done::new(DoneKind::Procedure) };
            let nulls = vec![Value::Null; columns.len()];
            writer.columns(&columns).unwrap();
            writer.row(&row).unwrap();
            writer.row(&nulls).unwrap();
            writer.message(&message, "S");
            writer.return_value(3, "@o", types[0], &row[0]).unwrap();
            writer.done(end);
            let expected = vec![
                Event::Columns(columns),
                Event::Row(row.clone()),
                Event::Row(nulls),
                Event::Message(message),
                Event::ReturnValue {
                    ordinal: 3,
                    name: "@o".to_owned(),
                    ty: types[0],
                    value: row[0].clone(),
                },
                Event::Done(end),
            ];
            prop_assert_eq!(read(version, &writer.take(), piece).unwrap(), expected);
        }

        #[test]
        fn old_clients_read_what_is_written_for_them(
            set in proptest::collection::vec(crate::value::tests::typed_value(), 1..12),
        ) {
            for version in [TdsVersion::V7_1, TdsVersion::V7_2, TdsVersion::V7_3A] {
                let mut writer = TokenWriter::new(version);
                let (types, row): (Vec<_>, Vec<_>) = set.iter().cloned().unzip();
                let columns: Vec<_> = types.iter().map(|ty| Column::nullable("c", *ty)).collect();
                writer.columns(&columns).unwrap();
                writer.row(&row).unwrap();
                writer.done(Done::new(DoneKind::Done));
                prop_assert_eq!(read(version, &writer.take(), 5).unwrap().len(), 3);
            }
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for version in [TdsVersion::V7_1, TdsVersion::V7_4] {
                let mut reader = ReplyReader::new(version);
                reader.feed(&bytes).unwrap();
                while let Ok(Some(_)) = reader.next_event() {}
            }
        }

        #[test]
        fn damaged_answers_never_panic(
            set in proptest::collection::vec(crate::value::tests::typed_value(), 1..6),
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut writer = TokenWriter::new(TdsVersion::V7_4);
            let (types, row): (Vec<_>, Vec<_>) = set.into_iter().unzip();
            let columns: Vec<_> = types.iter().map(|ty| Column::nullable("c", *ty)).collect();
            writer.columns(&columns).unwrap();
            writer.row(&row).unwrap();
            let mut bytes = writer.take();
            *at.get_mut(&mut bytes) = byte;
            let mut reader = ReplyReader::new(TdsVersion::V7_4);
            reader.feed(&bytes).unwrap();
            while let Ok(Some(_)) = reader.next_event() {}
        }
    }
}
