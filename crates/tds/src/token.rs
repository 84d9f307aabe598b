//! What a server answers: tokens, written for one client version.
//!
//! Source: MS-TDS, "Data Packet Stream Tokens".

use crate::charset::Collation;
use crate::error::TdsError;
use crate::types::{encode_type_info, fixed_token, type_for};
use crate::value::{Place, encode_fixed, encode_value};
use crate::version::{ProductVersion, TdsVersion, VersionNumber};
use crate::wire::{Put, cut_utf16, with_length16};
use tsql::{Column, SqlError, SqlType, Value};

pub(crate) mod code {
    pub(crate) const RETURNSTATUS: u8 = 0x79;
    pub(crate) const COLMETADATA: u8 = 0x81;
    pub(crate) const TABNAME: u8 = 0xA4;
    pub(crate) const COLINFO: u8 = 0xA5;
    pub(crate) const ORDER: u8 = 0xA9;
    pub(crate) const ERROR: u8 = 0xAA;
    pub(crate) const INFO: u8 = 0xAB;
    pub(crate) const RETURNVALUE: u8 = 0xAC;
    pub(crate) const LOGINACK: u8 = 0xAD;
    pub(crate) const FEATUREEXTACK: u8 = 0xAE;
    pub(crate) const ROW: u8 = 0xD1;
    pub(crate) const NBCROW: u8 = 0xD2;
    pub(crate) const ENVCHANGE: u8 = 0xE3;
    pub(crate) const SESSIONSTATE: u8 = 0xE4;
    pub(crate) const DONE: u8 = 0xFD;
    pub(crate) const DONEPROC: u8 = 0xFE;
    pub(crate) const DONEINPROC: u8 = 0xFF;
}

pub(crate) mod env {
    pub(crate) const DATABASE: u8 = 1;
    pub(crate) const LANGUAGE: u8 = 2;
    pub(crate) const PACKET_SIZE: u8 = 4;
    pub(crate) const COLLATION: u8 = 7;
    pub(crate) const BEGIN: u8 = 8;
    pub(crate) const COMMIT: u8 = 9;
    pub(crate) const ROLLBACK: u8 = 10;
    pub(crate) const RESET: u8 = 18;
}

pub(crate) mod done {
    pub(crate) const MORE: u16 = 0x01;
    pub(crate) const ERROR: u16 = 0x02;
    pub(crate) const IN_TRANSACTION: u16 = 0x04;
    pub(crate) const COUNT: u16 = 0x10;
    pub(crate) const ATTENTION: u16 = 0x20;
    pub(crate) const SERVER_ERROR: u16 = 0x100;
}

/// COLINFO: the column is an expression, of no table.
const COLINFO_EXPRESSION: u8 = 0x04;
/// COLINFO: the column was not asked for.
const COLINFO_HIDDEN: u8 = 0x10;
/// Most columns of one result set. Source: T-SQL, "Maximum capacity specifications".
pub const COLUMNS_MAX: usize = 4_096;
/// Longest text of an error or message, in UTF-16 units; longer text is cut.
pub const MESSAGE_UNITS_MAX: u16 = 8_000;
/// DONE's command for a statement that returns rows.
pub const COMMAND_SELECT: u16 = 0xC1;

/// Which of the three end tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoneKind {
    /// End of a statement of a batch.
    Done,
    /// End of a procedure.
    Procedure,
    /// End of a statement inside a procedure.
    InProcedure,
}

/// The end of a statement or procedure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Which token.
    pub kind: DoneKind,
    /// More results follow in this message.
    pub more: bool,
    /// The statement failed.
    pub error: bool,
    /// A transaction is open.
    pub in_transaction: bool,
    /// Answers an attention.
    pub attention: bool,
    /// The failure is severe: what the client has got of this result is to be thrown away.
    pub server_error: bool,
    /// Rows counted.
    pub rows: Option<u64>,
    /// What kind of statement ended; [`COMMAND_SELECT`] or 0.
    pub command: u16,
}

impl Done {
    /// A plain end.
    #[must_use]
    pub const fn new(kind: DoneKind) -> Self {
        Self {
            kind,
            more: false,
            error: false,
            in_transaction: false,
            attention: false,
            server_error: false,
            rows: None,
            command: 0,
        }
    }
}

/// A change of the session's environment that the client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvChange {
    /// Current database.
    Database {
        /// Now.
        new: String,
        /// Before.
        old: String,
    },
    /// Language.
    Language {
        /// Now.
        new: String,
        /// Before.
        old: String,
    },
    /// Packet size in bytes.
    PacketSize {
        /// Now.
        new: u16,
        /// Before.
        old: u16,
    },
    /// Collation of the current database.
    Collation(Collation),
    /// A transaction has begun; its descriptor. Not told below 7.2.
    BeginTransaction(u64),
    /// A transaction was committed.
    CommitTransaction(u64),
    /// A transaction was rolled back.
    RollbackTransaction(u64),
    /// The reset that the request asked for is done.
    ResetDone,
    /// Read from another server: one that Muster's client does not follow.
    Other(u8),
}

/// Appends tokens for a client of one version. Every method appends whole tokens or nothing.
#[derive(Debug)]
pub struct TokenWriter {
    version: TdsVersion,
    out: Vec<u8>,
    columns: Vec<Announced>,
}

/// A column as the client was told of it.
#[derive(Debug, Clone, Copy)]
struct Announced {
    ty: SqlType,
    /// In the spelling of fixed length.
    fixed: Option<u8>,
}

impl Announced {
    /// Columns that cannot hold NULL are announced in the spelling of fixed length, but to clients that know no null
    /// bitmap: without one there would be no way to tell of a NULL where the query promised none, and those clients
    /// read either spelling.
    fn new(column: &Column, version: TdsVersion) -> Self {
        let has_bitmap = version >= TdsVersion::V7_3B;
        Self {
            ty: column.ty,
            fixed: fixed_token(column.ty).filter(|_| has_bitmap && !column.nullable),
        }
    }
}

impl TokenWriter {
    /// Writes for a client of this version.
    #[must_use]
    pub fn new(version: TdsVersion) -> Self {
        Self {
            version,
            out: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// The client's version.
    #[must_use]
    pub fn version(&self) -> TdsVersion {
        self.version
    }

    /// Bytes written and not taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing waits to be taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Takes what was written: whole tokens. The columns of the current result set are kept.
    #[must_use]
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// LOGINACK: the login is accepted.
    pub fn login_ack(&mut self, asked: VersionNumber, program: &str, product: ProductVersion) {
        self.out.put_u8(code::LOGINACK);
        with_length16(&mut self.out, |out| {
            out.put_u8(1);
            out.put(&asked.acknowledged());
            out.put_b_varchar(program);
            out.put(&product.to_bytes());
        });
    }

    /// FEATUREEXTACK: answers to the feature extensions of a login.
    pub fn feature_ack(&mut self, features: &[(u8, &[u8])]) {
        self.out.put_u8(code::FEATUREEXTACK);
        for (id, data) in features {
            self.out.put_u8(*id);
            self.out
                .put_u32(u32::try_from(data.len()).unwrap_or(u32::MAX));
            self.out.put(data);
        }
        self.out.put_u8(0xFF);
    }

    /// ENVCHANGE. Transactions are not told to clients below 7.2, which have no descriptors.
    pub fn environment(&mut self, change: &EnvChange) {
        let version = self.version;
        let transaction = |out: &mut Vec<u8>, code: u8, new: Option<u64>, old: Option<u64>| {
            out.put_u8(code);
            for descriptor in [new, old] {
                match descriptor {
                    Some(descriptor) => {
                        out.put_u8(8);
                        out.put_u64(descriptor);
                    }
                    None => out.put_u8(0),
                }
            }
        };
        let texts = |out: &mut Vec<u8>, code: u8, new: &str, old: &str| {
            out.put_u8(code);
            out.put_b_varchar(new);
            out.put_b_varchar(old);
        };
        let is_transaction = matches!(
            change,
            EnvChange::BeginTransaction(_)
                | EnvChange::CommitTransaction(_)
                | EnvChange::RollbackTransaction(_)
        );
        if matches!(change, EnvChange::Other(_)) || (is_transaction && version < TdsVersion::V7_2) {
            return;
        }
        self.out.put_u8(code::ENVCHANGE);
        with_length16(&mut self.out, |out| match change {
            EnvChange::Database { new, old } => texts(out, env::DATABASE, new, old),
            EnvChange::Language { new, old } => texts(out, env::LANGUAGE, new, old),
            EnvChange::PacketSize { new, old } => {
                texts(out, env::PACKET_SIZE, &new.to_string(), &old.to_string());
            }
            EnvChange::Collation(collation) => {
                out.put(&[env::COLLATION, 5]);
                out.put(&collation.0);
                out.put_u8(0);
            }
            EnvChange::BeginTransaction(id) => transaction(out, env::BEGIN, Some(*id), None),
            EnvChange::CommitTransaction(id) => transaction(out, env::COMMIT, None, Some(*id)),
            EnvChange::RollbackTransaction(id) => transaction(out, env::ROLLBACK, None, Some(*id)),
            EnvChange::ResetDone => out.put(&[env::RESET, 0, 0]),
            EnvChange::Other(_) => {}
        });
    }

    /// ERROR above severity 10, else INFO.
    pub fn message(&mut self, message: &SqlError, server: &str) {
        let version = self.version;
        self.out.put_u8(if message.is_error() {
            code::ERROR
        } else {
            code::INFO
        });
        with_length16(&mut self.out, |out| {
            out.put_i32(message.number);
            out.put_u8(message.state);
            out.put_u8(message.severity);
            out.put_us_varchar(&message.message, MESSAGE_UNITS_MAX);
            out.put_b_varchar(cut_utf16(server, 128).0);
            out.put_b_varchar(cut_utf16(&message.procedure, 128).0);
            if version >= TdsVersion::V7_2 {
                out.put_u32(message.line);
            } else {
                out.put_u16(u16::try_from(message.line).unwrap_or(u16::MAX));
            }
        });
    }

    /// COLMETADATA: starts a result set.
    ///
    /// # Errors
    /// [`TdsError::RowShape`] above [`COLUMNS_MAX`] columns.
    pub fn columns(&mut self, columns: &[Column]) -> Result<(), TdsError> {
        let count = u16::try_from(columns.len())
            .ok()
            .filter(|_| columns.len() <= COLUMNS_MAX)
            .ok_or(TdsError::RowShape {
                expected: COLUMNS_MAX,
                found: columns.len(),
            })?;
        self.columns.clear();
        self.out.put_u8(code::COLMETADATA);
        self.out.put_u16(count);
        for column in columns {
            let announced = Announced::new(column, self.version);
            self.columns.push(announced);
            let ty = type_for(column.ty, self.version);
            put_user_type_and_flags(&mut self.out, self.version, column.nullable);
            match announced.fixed {
                Some(token) => self.out.put_u8(token),
                None => encode_type_info(&mut self.out, ty),
            }
            if matches!(ty, SqlType::Text | SqlType::NText | SqlType::Image) {
                // The table's name, in parts from 7.2 on. Muster names none.
                if self.version >= TdsVersion::V7_2 {
                    self.out.put_u8(1);
                }
                self.out.put_u16(0);
            }
            self.out.put_b_varchar(cut_utf16(&column.name, 128).0);
        }
        Ok(())
    }

    /// COLMETADATA of a cursor's rows, with TABNAME and COLINFO: no column belongs to a table that could be
    /// changed, and the last one, each row's state, is hidden.
    ///
    /// # Errors
    /// [`TdsError::RowShape`] without columns, or above 255 of them, as COLINFO numbers them in one byte.
    pub fn cursor_columns(&mut self, columns: &[Column]) -> Result<(), TdsError> {
        let count = u8::try_from(columns.len())
            .ok()
            .filter(|count| *count > 0)
            .ok_or(TdsError::RowShape {
                expected: usize::from(u8::MAX),
                found: columns.len(),
            })?;
        self.columns(columns)?;
        self.out.put_u8(code::TABNAME);
        self.out.put_u16(0);
        self.out.put_u8(code::COLINFO);
        with_length16(&mut self.out, |out| {
            for number in 1..=count {
                let hidden = if number == count { COLINFO_HIDDEN } else { 0 };
                out.put(&[number, 0, COLINFO_EXPRESSION | hidden]);
            }
        });
        Ok(())
    }

    /// A row of the result set started last, with a null bitmap where that is shorter and known to the
    /// client, or where NULL stands in a column that should hold none.
    ///
    /// # Errors
    /// [`TdsError::RowShape`], [`TdsError::ValueKind`] or [`TdsError::ValueRange`]; nothing is written then.
    pub fn row(&mut self, row: &[Value]) -> Result<(), TdsError> {
        if row.len() != self.columns.len() {
            return Err(TdsError::RowShape {
                expected: self.columns.len(),
                found: row.len(),
            });
        }
        let start = self.out.len();
        let outcome = self.append_row(row);
        if outcome.is_err() {
            self.out.truncate(start);
        }
        outcome
    }

    fn append_row(&mut self, row: &[Value]) -> Result<(), TdsError> {
        let bitmap_bytes = row.len().div_ceil(8);
        let (mut nulls, mut unspeakable) = (0, false);
        for (column, value) in self.columns.iter().zip(row) {
            if value.is_null() {
                nulls += 1;
                unspeakable |= column.fixed.is_some();
            }
        }
        let compact = unspeakable || (self.version >= TdsVersion::V7_3B && nulls > bitmap_bytes);
        if compact {
            self.out.put_u8(code::NBCROW);
            for eight in row.chunks(8) {
                let bits = eight
                    .iter()
                    .enumerate()
                    .filter(|(_, value)| value.is_null())
                    .fold(0u8, |bits, (at, _)| bits | 1 << at);
                self.out.put_u8(bits);
            }
        } else {
            self.out.put_u8(code::ROW);
        }
        for (column, value) in self.columns.iter().zip(row) {
            if compact && value.is_null() {
                continue;
            }
            match column.fixed {
                Some(_) => encode_fixed(&mut self.out, column.ty, value)?,
                None => encode_value(&mut self.out, column.ty, value, self.version, Place::Row)?,
            }
        }
        Ok(())
    }

    /// DONE, DONEPROC or DONEINPROC.
    pub fn done(&mut self, end: Done) {
        let mut status = 0;
        for (set, bit) in [
            (end.more, done::MORE),
            (end.error, done::ERROR),
            (end.in_transaction, done::IN_TRANSACTION),
            (end.rows.is_some(), done::COUNT),
            (end.attention, done::ATTENTION),
            (end.server_error, done::SERVER_ERROR),
        ] {
            if set {
                status |= bit;
            }
        }
        self.out.put_u8(match end.kind {
            DoneKind::Done => code::DONE,
            DoneKind::Procedure => code::DONEPROC,
            DoneKind::InProcedure => code::DONEINPROC,
        });
        self.out.put_u16(status);
        self.out.put_u16(end.command);
        let rows = end.rows.unwrap_or(0);
        if self.version >= TdsVersion::V7_2 {
            self.out.put_u64(rows);
        } else {
            self.out.put_u32(u32::try_from(rows).unwrap_or(u32::MAX));
        }
    }

    /// RETURNSTATUS: a procedure's return code.
    pub fn return_status(&mut self, status: i32) {
        self.out.put_u8(code::RETURNSTATUS);
        self.out.put_i32(status);
    }

    /// RETURNVALUE: an output parameter. `ordinal` counts the call's parameters from 0.
    ///
    /// # Errors
    /// As [`encode_value`]; nothing is written then.
    pub fn return_value(
        &mut self,
        ordinal: u16,
        name: &str,
        ty: SqlType,
        value: &Value,
    ) -> Result<(), TdsError> {
        let start = self.out.len();
        self.out.put_u8(code::RETURNVALUE);
        self.out.put_u16(ordinal);
        self.out.put_b_varchar(cut_utf16(name, 128).0);
        self.out.put_u8(1);
        put_user_type_and_flags(&mut self.out, self.version, true);
        encode_type_info(&mut self.out, type_for(ty, self.version));
        let outcome = encode_value(&mut self.out, ty, value, self.version, Place::Parameter);
        if outcome.is_err() {
            self.out.truncate(start);
        }
        outcome
    }
}

fn put_user_type_and_flags(out: &mut Vec<u8>, version: TdsVersion, nullable: bool) {
    if version >= TdsVersion::V7_2 {
        out.put_u32(0);
    } else {
        out.put_u16(0);
    }
    // Bit 0: nullable. Bits 2 and 3: whether it can be updated is unknown.
    out.put_u16(if nullable { 0x0009 } else { 0x0008 });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: TdsVersion, write: impl FnOnce(&mut TokenWriter), expected: &[u8]) {
        let mut writer = TokenWriter::new(version);
        write(&mut writer);
        assert_eq!(writer.take(), expected);
    }

    const NEW: TdsVersion = TdsVersion::V7_4;
    const OLD: TdsVersion = TdsVersion::V7_1;

    #[test]
    fn login_tokens() {
        check(
            NEW,
            |w| w.login_ack(VersionNumber::V7_4, "M", ProductVersion::SERVER),
            &[0xAD, 12, 0, 1, 0x74, 0, 0, 4, 1, b'M', 0, 16, 0, 0x03, 0xE8],
        );
        check(
            NEW,
            |w| w.feature_ack(&[(0x0A, &[0])]),
            &[0xAE, 0x0A, 1, 0, 0, 0, 0, 0xFF],
        );
    }

    #[test]
    fn environment_changes() {
        check(
            NEW,
            |w| {
                w.environment(&EnvChange::Database {
                    new: "ms".to_owned(),
                    old: "m".to_owned(),
                });
            },
            &[0xE3, 9, 0, 1, 2, b'm', 0, b's', 0, 1, b'm', 0],
        );
        check(
            NEW,
            |w| w.environment(&EnvChange::PacketSize { new: 512, old: 8 }),
            &[0xE3, 11, 0, 4, 3, b'5', 0, b'1', 0, b'2', 0, 1, b'8', 0],
        );
        check(
            NEW,
            |w| w.environment(&EnvChange::Collation(Collation::SERVER)),
            &[0xE3, 8, 0, 7, 5, 9, 4, 0xD0, 0, 0x34, 0],
        );
        check(
            NEW,
            |w| w.environment(&EnvChange::BeginTransaction(1)),
            &[0xE3, 11, 0, 8, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        );
        check(
            NEW,
            |w| w.environment(&EnvChange::CommitTransaction(1)),
            &[0xE3, 11, 0, 9, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0],
        );
        check(
            NEW,
            |w| w.environment(&EnvChange::RollbackTransaction(1)),
            &[0xE3, 11, 0, 10, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0],
        );
        check(OLD, |w| w.environment(&EnvChange::BeginTransaction(1)), &[]);
        check(
            NEW,
            |w| w.environment(&EnvChange::ResetDone),
            &[0xE3, 3, 0, 18, 0, 0],
        );
    }

    #[test]
    fn errors_and_messages() {
        let error = SqlError::new(102, 15, "x").at_line(3).in_procedure("p");
        check(
            NEW,
            |w| w.message(&error, "S"),
            &[
                0xAA, 20, 0, 102, 0, 0, 0, 1, 15, 1, 0, b'x', 0, 1, b'S', 0, 1, b'p', 0, 3, 0, 0, 0,
            ],
        );
        check(
            OLD,
            |w| w.message(&error, "S"),
            &[
                0xAA, 18, 0, 102, 0, 0, 0, 1, 15, 1, 0, b'x', 0, 1, b'S', 0, 1, b'p', 0, 3, 0,
            ],
        );
        check(
            OLD,
            |w| w.message(&SqlError::new(0, 0, ""), ""),
            &[0xAB, 12, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        );
        let mut writer = TokenWriter::new(NEW);
        writer.message(&SqlError::new(50_000, 16, "é".repeat(100_000)), "S");
        assert!(writer.len() < 20_000);
    }

    #[test]
    fn result_sets() {
        let columns = [
            Column::required("a", SqlType::Int),
            Column::nullable("b", SqlType::nvarchar(2)),
        ];
        check(
            NEW,
            |w| {
                w.columns(&columns).unwrap();
                w.row(&[Value::Int(1), Value::string("x")]).unwrap();
            },
            &[
                0x81, 2, 0, 0, 0, 0, 0, 8, 0, 0x38, 1, b'a', 0, 0, 0, 0, 0, 9, 0, 0xE7, 4, 0, 9, 4,
                0xD0, 0, 0x34, 1, b'b', 0, 0xD1, 1, 0, 0, 0, 2, 0, b'x', 0,
            ],
        );
        // Without a null bitmap the spelling that can hold NULL stays.
        check(
            TdsVersion::V7_3A,
            |w| {
                w.columns(&columns[..1]).unwrap();
                w.row(&[Value::Null]).unwrap();
            },
            &[0x81, 1, 0, 0, 0, 0, 0, 8, 0, 0x26, 4, 1, b'a', 0, 0xD1, 0],
        );
        check(
            OLD,
            |w| {
                w.columns(&[Column::nullable("t", SqlType::Text)]).unwrap();
                w.row(&[Value::Null]).unwrap();
            },
            &[
                0x81, 1, 0, 0, 0, 9, 0, 0x23, 255, 255, 255, 0x7F, 9, 4, 0xD0, 0, 0x34, 0, 0, 1,
                b't', 0, 0xD1, 0,
            ],
        );
        let mut writer = TokenWriter::new(NEW);
        writer.columns(&columns).unwrap();
        let before = writer.len();
        assert!(writer.row(&[Value::Int(1), Value::string("xyz")]).is_err());
        assert!(writer.row(&[Value::Int(1)]).is_err());
        assert_eq!(writer.len(), before);
    }

    #[test]
    fn a_cursors_rows_have_a_hidden_state() {
        let columns = [
            Column::required("a", SqlType::Int),
            Column::required("S", SqlType::Int),
        ];
        check(
            NEW,
            |w| w.cursor_columns(&columns).unwrap(),
            &[
                0x81, 2, 0, 0, 0, 0, 0, 8, 0, 0x38, 1, b'a', 0, 0, 0, 0, 0, 8, 0, 0x38, 1, b'S', 0,
                0xA4, 0, 0, 0xA5, 6, 0, 1, 0, 4, 2, 0, 0x14,
            ],
        );
        let many = vec![Column::required("a", SqlType::Int); 256];
        assert!(TokenWriter::new(NEW).cursor_columns(&many).is_err());
        assert!(TokenWriter::new(NEW).cursor_columns(&[]).is_err());
    }

    #[test]
    fn rows_of_many_nulls_have_a_bitmap() {
        let columns: Vec<Column> = (0..9)
            .map(|_| Column::nullable("", SqlType::TinyInt))
            .collect();
        let mut row = vec![Value::Null; 9];
        row[8] = Value::TinyInt(5);
        let check = |version, expected: &[u8]| {
            let mut writer = TokenWriter::new(version);
            writer.columns(&columns).unwrap();
            let _metadata = writer.take();
            writer.row(&row).unwrap();
            assert_eq!(writer.take(), expected);
        };
        check(NEW, &[0xD2, 0xFF, 0x00, 1, 5]);
        check(TdsVersion::V7_3A, &[0xD1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5]);
    }

    #[test]
    fn a_null_that_was_not_promised_is_told_by_the_bitmap() {
        let columns = [
            Column::required("a", SqlType::Int),
            Column::required("b", SqlType::Bit),
        ];
        let mut writer = TokenWriter::new(NEW);
        writer.columns(&columns).unwrap();
        let _metadata = writer.take();
        writer.row(&[Value::Null, Value::Bit(true)]).unwrap();
        assert_eq!(writer.take(), [0xD2, 0x01, 1]);
        assert!(writer.row(&[Value::Int(1), Value::string("no")]).is_err());
        assert!(writer.is_empty());
    }

    #[test]
    fn ends_and_return_values() {
        let end = Done {
            more: true,
            error: true,
            rows: Some(3),
            command: COMMAND_SELECT,
            ..Done::new(DoneKind::Done)
        };
        check(
            NEW,
            |w| w.done(end),
            &[0xFD, 0x13, 0, 0xC1, 0, 3, 0, 0, 0, 0, 0, 0, 0],
        );
        check(OLD, |w| w.done(end), &[0xFD, 0x13, 0, 0xC1, 0, 3, 0, 0, 0]);
        check(
            OLD,
            |w| {
                w.done(Done {
                    attention: true,
                    ..Done::new(DoneKind::Done)
                });
            },
            &[0xFD, 0x20, 0, 0, 0, 0, 0, 0, 0],
        );
        check(
            OLD,
            |w| w.done(Done::new(DoneKind::InProcedure)),
            &[0xFF, 0, 0, 0, 0, 0, 0, 0, 0],
        );
        check(NEW, |w| w.return_status(-6), &[0x79, 0xFA, 255, 255, 255]);
        check(
            NEW,
            |w| {
                w.return_value(2, "@p", SqlType::Int, &Value::Int(7))
                    .unwrap();
            },
            &[
                0xAC, 2, 0, 2, b'@', 0, b'p', 0, 1, 0, 0, 0, 0, 9, 0, 0x26, 4, 4, 7, 0, 0, 0,
            ],
        );
        check(
            OLD,
            |w| {
                w.return_value(0, "", SqlType::Int, &Value::Null).unwrap();
            },
            &[0xAC, 0, 0, 0, 1, 0, 0, 9, 0, 0x26, 4, 0],
        );
    }
}
