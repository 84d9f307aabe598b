//! What a client asks after login: batches, remote procedure calls, transaction manager requests.
//!
//! Source: MS-TDS, "SQLBatch", "RPC Request", "Transaction Manager Request", "ALL_HEADERS".

use crate::error::TdsError;
use crate::table::TableParameter;
use crate::types::{TypeInfo, encode_type_info, token, type_for};
use crate::value::{Place, decode_value, encode_value};
use crate::version::TdsVersion;
use crate::wire::{Put, Reader, utf16_text};
use tsql::{SqlType, Value};

/// Most parameters of one call. Source: T-SQL, "Maximum capacity specifications".
pub const PARAMETERS_MAX: usize = 2_100;

const HEADER_TRANSACTION: u16 = 2;
const BATCH_SEPARATOR_7_1: u8 = 0x80;
const BATCH_SEPARATOR: u8 = 0xFF;
const NO_EXECUTE_SEPARATOR: u8 = 0xFE;
const STATUS_BY_REFERENCE: u8 = 0x01;
const STATUS_DEFAULT: u8 = 0x02;
const STATUS_ENCRYPTED: u8 = 0x08;

/// What stands before a request from 7.2 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headers {
    /// Descriptor of the transaction that the client believes to be open; 0 for none.
    pub transaction: u64,
}

/// A batch of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlBatch {
    /// Transaction.
    pub headers: Headers,
    /// The text.
    pub text: String,
}

impl SqlBatch {
    /// Reads the payload of a batch message.
    ///
    /// # Errors
    /// [`TdsError::Truncated`] or [`TdsError::Invalid`] in its headers.
    pub fn decode(payload: &[u8], version: TdsVersion) -> Result<Self, TdsError> {
        let mut reader = Reader::new(payload, "SQLBatch");
        let headers = decode_headers(&mut reader, version)?;
        let text = utf16_text(reader.take(reader.remaining())?);
        Ok(Self { headers, text })
    }

    /// Writes the payload.
    #[must_use]
    pub fn encode(text: &str, transaction: u64, version: TdsVersion) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() * 2 + 22);
        encode_headers(&mut out, transaction, version);
        out.put_utf16(text);
        out
    }
}

/// What a call names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Procedure {
    /// A name as the client wrote it, one to four parts.
    Name(String),
    /// One of the procedures with a number, by it.
    Id(ProcedureId),
}

impl Procedure {
    /// The numbered procedure that this means, also when it is named: `sp_executesql`, `sys.sp_prepare`.
    #[must_use]
    pub fn well_known(&self) -> Option<ProcedureId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Name(name) => {
                let last = name.rsplit('.').next().unwrap_or(name);
                let bare = last
                    .trim()
                    .trim_start_matches(['[', '"'])
                    .trim_end_matches([']', '"']);
                ProcedureId::ALL
                    .into_iter()
                    .find(|id| id.name().eq_ignore_ascii_case(bare))
            }
        }
    }
}

/// The procedures that a call can name by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcedureId {
    /// 1
    Cursor,
    /// 2
    CursorOpen,
    /// 3
    CursorPrepare,
    /// 4
    CursorExecute,
    /// 5
    CursorPrepExec,
    /// 6
    CursorUnprepare,
    /// 7
    CursorFetch,
    /// 8
    CursorOption,
    /// 9
    CursorClose,
    /// 10
    ExecuteSql,
    /// 11
    Prepare,
    /// 12
    Execute,
    /// 13
    PrepExec,
    /// 14
    PrepExecRpc,
    /// 15
    Unprepare,
}

impl ProcedureId {
    const ALL: [Self; 15] = [
        Self::Cursor,
        Self::CursorOpen,
        Self::CursorPrepare,
        Self::CursorExecute,
        Self::CursorPrepExec,
        Self::CursorUnprepare,
        Self::CursorFetch,
        Self::CursorOption,
        Self::CursorClose,
        Self::ExecuteSql,
        Self::Prepare,
        Self::Execute,
        Self::PrepExec,
        Self::PrepExecRpc,
        Self::Unprepare,
    ];

    /// Its number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Cursor => 1,
            Self::CursorOpen => 2,
            Self::CursorPrepare => 3,
            Self::CursorExecute => 4,
            Self::CursorPrepExec => 5,
            Self::CursorUnprepare => 6,
            Self::CursorFetch => 7,
            Self::CursorOption => 8,
            Self::CursorClose => 9,
            Self::ExecuteSql => 10,
            Self::Prepare => 11,
            Self::Execute => 12,
            Self::PrepExec => 13,
            Self::PrepExecRpc => 14,
            Self::Unprepare => 15,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cursor => "sp_cursor",
            Self::CursorOpen => "sp_cursoropen",
            Self::CursorPrepare => "sp_cursorprepare",
            Self::CursorExecute => "sp_cursorexecute",
            Self::CursorPrepExec => "sp_cursorprepexec",
            Self::CursorUnprepare => "sp_cursorunprepare",
            Self::CursorFetch => "sp_cursorfetch",
            Self::CursorOption => "sp_cursoroption",
            Self::CursorClose => "sp_cursorclose",
            Self::ExecuteSql => "sp_executesql",
            Self::Prepare => "sp_prepare",
            Self::Execute => "sp_execute",
            Self::PrepExec => "sp_prepexec",
            Self::PrepExecRpc => "sp_prepexecrpc",
            Self::Unprepare => "sp_unprepare",
        }
    }
}

/// A parameter of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Name with its `@`; empty for a parameter by position.
    pub name: String,
    /// The caller wants its value back.
    pub by_reference: bool,
    /// The procedure's default is to be used; the value is NULL.
    pub use_default: bool,
    /// Type that the client announced.
    pub ty: SqlType,
    /// Value.
    pub value: Value,
    /// The rows of a table-valued parameter; type and value then mean nothing.
    pub table: Option<TableParameter>,
}

impl Parameter {
    /// A table-valued parameter.
    #[must_use]
    pub fn table(name: impl Into<String>, table: TableParameter) -> Self {
        Self {
            table: Some(table),
            ..Self::input(name, SqlType::SqlVariant, Value::Null)
        }
    }

    /// An input parameter.
    #[must_use]
    pub fn input(name: impl Into<String>, ty: SqlType, value: impl Into<Value>) -> Self {
        Self {
            name: name.into(),
            by_reference: false,
            use_default: false,
            ty,
            value: value.into(),
            table: None,
        }
    }
}

/// One remote procedure call.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcCall {
    /// What is called.
    pub procedure: Procedure,
    /// Asks for a fresh plan; without meaning here.
    pub with_recompile: bool,
    /// Parameters in order.
    pub parameters: Vec<Parameter>,
    /// The call is only to be checked, not run.
    pub no_execute: bool,
}

/// The calls of one message, read one at a time so that only one is held.
#[derive(Debug)]
pub struct RpcReader {
    payload: Vec<u8>,
    at: usize,
    version: TdsVersion,
    headers: Headers,
    failed: bool,
}

impl RpcReader {
    /// Starts reading the payload of a RPC message.
    ///
    /// # Errors
    /// [`TdsError::Truncated`] or [`TdsError::Invalid`] in its headers.
    pub fn new(payload: Vec<u8>, version: TdsVersion) -> Result<Self, TdsError> {
        let mut reader = Reader::new(&payload, "RPC");
        let headers = decode_headers(&mut reader, version)?;
        let at = reader.position();
        Ok(Self {
            payload,
            at,
            version,
            headers,
            failed: false,
        })
    }

    /// What stands before the calls.
    #[must_use]
    pub fn headers(&self) -> Headers {
        self.headers
    }

    /// The next call; `None` after the last one, and after an error.
    pub fn next_call(&mut self) -> Option<Result<RpcCall, TdsError>> {
        let mut reader = Reader::new(self.payload.get(self.at..).unwrap_or_default(), "RPC");
        if self.failed || reader.is_empty() {
            return None;
        }
        let call = decode_call(&mut reader, self.version);
        self.at += reader.position();
        self.failed = call.is_err();
        Some(call)
    }

    /// Whether no call follows.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.failed || self.at >= self.payload.len()
    }
}

fn decode_call(reader: &mut Reader<'_>, version: TdsVersion) -> Result<RpcCall, TdsError> {
    let procedure = match reader.u16()? {
        u16::MAX => {
            let number = reader.u16()?;
            ProcedureId::ALL
                .into_iter()
                .find(|id| id.number() == number)
                .map(Procedure::Id)
                .ok_or_else(|| reader.invalid(number))?
        }
        units => Procedure::Name(reader.utf16(usize::from(units))?),
    };
    let options = reader.u16()?;
    let mut call = RpcCall {
        procedure,
        with_recompile: options & 1 != 0,
        parameters: Vec::new(),
        no_execute: false,
    };
    while let Some(next) = reader.peek() {
        let separator = if version >= TdsVersion::V7_2 {
            next == BATCH_SEPARATOR || next == NO_EXECUTE_SEPARATOR
        } else {
            next == BATCH_SEPARATOR_7_1
        };
        if separator {
            reader.u8()?;
            call.no_execute = next == NO_EXECUTE_SEPARATOR;
            break;
        }
        if call.parameters.len() == PARAMETERS_MAX {
            return Err(TdsError::UnsupportedFeature(
                "a call of more than 2100 parameters",
            ));
        }
        let name = reader.b_varchar()?;
        let status = reader.u8()?;
        if status & STATUS_ENCRYPTED != 0 {
            return Err(TdsError::UnsupportedFeature("an encrypted parameter"));
        }
        if reader.peek() == Some(token::TABLE) && version >= TdsVersion::V7_3A {
            reader.u8()?;
            let mut parameter = Parameter::table(name, TableParameter::decode(reader, version)?);
            parameter.use_default = status & STATUS_DEFAULT != 0;
            call.parameters.push(parameter);
            continue;
        }
        let info = TypeInfo::decode(reader, version)?;
        let value = decode_value(reader, info, Place::Parameter)?;
        call.parameters.push(Parameter {
            table: None,
            name,
            by_reference: status & STATUS_BY_REFERENCE != 0,
            use_default: status & STATUS_DEFAULT != 0,
            ty: info.ty,
            value,
        });
    }
    Ok(call)
}

/// Writes the payload of a message with one call.
///
/// # Errors
/// [`TdsError::ValueKind`] or [`TdsError::ValueRange`] for a parameter whose value does not go with its type.
pub fn encode_rpc(
    call: &RpcCall,
    transaction: u64,
    version: TdsVersion,
) -> Result<Vec<u8>, TdsError> {
    let mut out = Vec::new();
    encode_headers(&mut out, transaction, version);
    match &call.procedure {
        Procedure::Name(name) => {
            out.put_us_varchar(name, 1_023);
        }
        Procedure::Id(id) => {
            out.put_u16(u16::MAX);
            out.put_u16(id.number());
        }
    }
    out.put_u16(u16::from(call.with_recompile));
    for parameter in &call.parameters {
        out.put_b_varchar(crate::wire::cut_utf16(&parameter.name, 127).0);
        let mut status = 0;
        if parameter.by_reference {
            status |= STATUS_BY_REFERENCE;
        }
        if parameter.use_default {
            status |= STATUS_DEFAULT;
        }
        out.put_u8(status);
        if let Some(table) = &parameter.table {
            out.put_u8(token::TABLE);
            table.encode(&mut out, version)?;
            continue;
        }
        encode_type_info(&mut out, type_for(parameter.ty, version));
        encode_value(
            &mut out,
            parameter.ty,
            &parameter.value,
            version,
            Place::Parameter,
        )?;
    }
    Ok(out)
}

/// A call of sp_executesql: a statement, the declarations of its parameters (`@a int, @b nvarchar(5)`)
/// and their values.
#[must_use]
pub fn execute_sql(statement: &str, declarations: &str, arguments: Vec<Parameter>) -> RpcCall {
    let mut parameters = vec![Parameter::input("", SqlType::NVARCHAR_MAX, statement)];
    if !declarations.is_empty() {
        parameters.push(Parameter::input("", SqlType::NVARCHAR_MAX, declarations));
        parameters.extend(arguments);
    }
    RpcCall {
        procedure: Procedure::Id(ProcedureId::ExecuteSql),
        with_recompile: false,
        parameters,
        no_execute: false,
    }
}

/// Isolation level asked with a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IsolationLevel {
    /// As it is.
    Unchanged,
    /// READ UNCOMMITTED
    ReadUncommitted,
    /// READ COMMITTED
    ReadCommitted,
    /// REPEATABLE READ
    RepeatableRead,
    /// SERIALIZABLE
    Serializable,
    /// SNAPSHOT
    Snapshot,
}

/// How a transaction is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeginTransaction {
    /// Isolation level.
    pub isolation: IsolationLevel,
    /// Name; mostly empty.
    pub name: String,
}

/// A transaction manager request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionRequest {
    /// 5
    Begin(BeginTransaction),
    /// 7, and whether another begins at once.
    Commit {
        /// Name; mostly empty.
        name: String,
        /// The next one.
        then: Option<BeginTransaction>,
    },
    /// 8, and whether another begins at once.
    Rollback {
        /// Name of the transaction or savepoint; empty for all.
        name: String,
        /// The next one.
        then: Option<BeginTransaction>,
    },
    /// 9
    Save {
        /// Name of the savepoint.
        name: String,
    },
    /// 0, 1 and 6: distributed transactions, which Muster does not take.
    Distributed,
}

impl TransactionRequest {
    /// Reads the payload.
    ///
    /// # Errors
    /// [`TdsError::Truncated`] or [`TdsError::Invalid`].
    pub fn decode(payload: &[u8], version: TdsVersion) -> Result<(Headers, Self), TdsError> {
        let mut reader = Reader::new(payload, "transaction manager request");
        let headers = decode_headers(&mut reader, version)?;
        let request = match reader.u16()? {
            0 | 1 | 6 => Self::Distributed,
            5 => Self::Begin(decode_begin(&mut reader)?),
            7 => Self::Commit {
                name: decode_name(&mut reader)?,
                then: decode_then(&mut reader)?,
            },
            8 => Self::Rollback {
                name: decode_name(&mut reader)?,
                then: decode_then(&mut reader)?,
            },
            9 => Self::Save {
                name: decode_name(&mut reader)?,
            },
            other => return Err(reader.invalid(other)),
        };
        Ok((headers, request))
    }
}

fn decode_begin(reader: &mut Reader<'_>) -> Result<BeginTransaction, TdsError> {
    let isolation = match reader.u8()? {
        0 => IsolationLevel::Unchanged,
        1 => IsolationLevel::ReadUncommitted,
        2 => IsolationLevel::ReadCommitted,
        3 => IsolationLevel::RepeatableRead,
        4 => IsolationLevel::Serializable,
        5 => IsolationLevel::Snapshot,
        other => return Err(reader.invalid(other)),
    };
    let name = decode_name(reader)?;
    Ok(BeginTransaction { isolation, name })
}

/// The name's length is in bytes.
fn decode_name(reader: &mut Reader<'_>) -> Result<String, TdsError> {
    Ok(utf16_text(reader.b_varbyte()?))
}

fn decode_then(reader: &mut Reader<'_>) -> Result<Option<BeginTransaction>, TdsError> {
    // Some clients end the message before the flags.
    if reader.is_empty() || reader.u8()? & 1 == 0 {
        return Ok(None);
    }
    decode_begin(reader).map(Some)
}

fn decode_headers(reader: &mut Reader<'_>, version: TdsVersion) -> Result<Headers, TdsError> {
    let mut headers = Headers::default();
    if version < TdsVersion::V7_2 {
        return Ok(headers);
    }
    let total = reader.size32()?;
    let mut all = reader.part(total.checked_sub(4).ok_or_else(|| reader.invalid(0u8))?)?;
    while !all.is_empty() {
        let length = all.size32()?;
        let mut header = all.part(length.checked_sub(4).ok_or_else(|| all.invalid(0u8))?)?;
        if header.u16()? == HEADER_TRANSACTION {
            headers.transaction = header.u64()?;
            let _outstanding = header.u32()?;
        }
    }
    Ok(headers)
}

fn encode_headers(out: &mut Vec<u8>, transaction: u64, version: TdsVersion) {
    if version < TdsVersion::V7_2 {
        return;
    }
    out.put_u32(22);
    out.put_u32(18);
    out.put_u16(HEADER_TRANSACTION);
    out.put_u64(transaction);
    out.put_u32(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NEW: TdsVersion = TdsVersion::V7_4;
    const OLD: TdsVersion = TdsVersion::V7_1;

    const HEADERS: [u8; 22] = [
        22, 0, 0, 0, 18, 0, 0, 0, 2, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
    ];

    fn with_headers(rest: &[u8]) -> Vec<u8> {
        [&HEADERS, rest].concat()
    }

    #[test]
    fn batches_have_headers_from_7_2_on() {
        let new = SqlBatch::decode(&with_headers(b"a\0b\0"), NEW).unwrap();
        assert_eq!((new.text.as_str(), new.headers.transaction), ("ab", 9));
        let old = SqlBatch::decode(b"a\0b\0", OLD).unwrap();
        assert_eq!((old.text.as_str(), old.headers.transaction), ("ab", 0));
        assert_eq!(SqlBatch::encode("ab", 9, NEW), with_headers(b"a\0b\0"));
        assert!(SqlBatch::decode(&[3, 0, 0, 0], NEW).is_err());
        assert!(SqlBatch::decode(&[255, 255, 255, 255, 0], NEW).is_err());
        assert!(SqlBatch::decode(&[8, 0, 0, 0, 2, 0, 0, 0], NEW).is_err());
    }

    fn calls(payload: Vec<u8>, version: TdsVersion) -> Vec<Result<RpcCall, TdsError>> {
        let mut reader = RpcReader::new(payload, version).unwrap();
        std::iter::from_fn(|| reader.next_call()).collect()
    }

    #[test]
    fn a_call_by_number_with_parameters_is_read() {
        let payload = with_headers(&[
            0xFF, 0xFF, 10, 0, 0, 0, // sp_executesql, no options
            0, 0, 0xE7, 4, 0, 9, 4, 0xD0, 0, 0x34, 2, 0, b'x', 0, // nvarchar(2) 'x'
            2, b'@', 0, b'a', 0, 1, 0x26, 4, 4, 7, 0, 0, 0, // @a int OUTPUT = 7
            2, b'@', 0, b'b', 0, 2, 0x26, 4, 0, // @b int DEFAULT
        ]);
        let found = calls(payload, NEW).remove(0).unwrap();
        assert_eq!(found.procedure.well_known(), Some(ProcedureId::ExecuteSql));
        assert_eq!(
            found.parameters,
            [
                Parameter::input("", SqlType::nvarchar(2), "x"),
                Parameter {
                    by_reference: true,
                    ..Parameter::input("@a", SqlType::Int, 7)
                },
                Parameter {
                    use_default: true,
                    ..Parameter::input("@b", SqlType::Int, Value::Null)
                },
            ]
        );
    }

    #[test]
    fn text_parameters_of_freetds_are_read() {
        let payload = with_headers(&[
            3, 0, b's', 0, b'p', 0, b'x', 0, 0, 0, 0, 0, 0x63, 4, 0, 0, 0, 9, 4, 0xD0, 0, 0x34, 4,
            0, 0, 0, b'a', 0, b'b', 0, 0, 0, 0x23, 1, 0, 0, 0, 9, 4, 0xD0, 0, 0x34, 255, 255, 255,
            255,
        ]);
        let found = calls(payload, NEW).remove(0).unwrap();
        assert_eq!(found.procedure, Procedure::Name("spx".to_owned()));
        assert_eq!(found.parameters[0].ty, SqlType::NText);
        assert_eq!(found.parameters[0].value, Value::string("ab"));
        assert_eq!(found.parameters[1].value, Value::Null);
    }

    #[test]
    fn tables_stand_among_other_parameters() {
        let columns = vec![tsql::Column::required("", SqlType::Int)];
        let rows = [vec![Value::Int(1)], vec![Value::Int(2)]];
        let table = TableParameter::new("dbo", "T", columns, &rows, NEW).unwrap();
        let call = RpcCall {
            procedure: Procedure::Name("p".to_owned()),
            with_recompile: false,
            parameters: vec![
                Parameter::input("@a", SqlType::Int, 1),
                Parameter::table("@t", table),
                Parameter::input("@b", SqlType::Int, 2),
            ],
            no_execute: false,
        };
        let found = calls(encode_rpc(&call, 9, NEW).unwrap(), NEW).remove(0);
        assert_eq!(found.unwrap(), call);
        // Older clients have none.
        let old = calls(encode_rpc(&call, 9, OLD).unwrap(), OLD).remove(0);
        assert!(old.unwrap_err().refuses_request_only());
    }

    #[test]
    fn several_calls_are_told_apart_by_the_versions_separator() {
        let call = [1, 0, b'p', 0, 0, 0];
        let new = with_headers(&[&call[..], &[0xFF], &call[..], &[0xFE], &call[..]].concat());
        let found = calls(new, NEW);
        assert_eq!(found.len(), 3);
        assert!(found[1].as_ref().unwrap().no_execute);
        let old = [&call[..], &[0x80], &call[..]].concat();
        assert_eq!(calls(old, OLD).len(), 2);
    }

    #[test]
    fn what_is_not_taken_is_told_and_ends_the_reading() {
        let check = |rest: &[u8], request_only: bool| {
            let mut found = calls(with_headers(rest), NEW);
            assert_eq!(found.len(), 1);
            let error = found.remove(0).unwrap_err();
            assert_eq!(error.refuses_request_only(), request_only, "{error}");
        };
        check(&[1, 0, b'p', 0, 0, 0, 0, 0, 0xF0], true);
        check(&[1, 0, b'p', 0, 0, 0, 0, 0, 0xF3, 0, 0, 0, 1], false);
        check(&[1, 0, b'p', 0, 0, 0, 0, 8, 0x38], true);
        check(&[0xFF, 0xFF, 99, 0, 0, 0], false);
        check(&[1, 0, b'p', 0, 0, 0, 0, 0, 0x26], false);
        let mut many = vec![1, 0, b'p', 0, 0, 0];
        many.extend([0, 0, 0x1F].repeat(PARAMETERS_MAX + 1));
        check(&many, true);
    }

    #[test]
    fn names_of_numbered_procedures_are_recognised() {
        let check = |name: &str, expected| {
            assert_eq!(Procedure::Name(name.to_owned()).well_known(), expected);
        };
        check("sp_executesql", Some(ProcedureId::ExecuteSql));
        check("[sys].[SP_PrepExec]", Some(ProcedureId::PrepExec));
        check("sp_help_job", None);
        check("", None);
    }

    #[test]
    fn transaction_manager_requests_are_read() {
        let check = |rest: &[u8], expected: TransactionRequest| {
            let (headers, found) = TransactionRequest::decode(&with_headers(rest), NEW).unwrap();
            assert_eq!((headers.transaction, found), (9, expected));
        };
        let begin = |isolation, name: &str| BeginTransaction {
            isolation,
            name: name.to_owned(),
        };
        check(
            &[5, 0, 2, 2, b't', 0],
            TransactionRequest::Begin(begin(IsolationLevel::ReadCommitted, "t")),
        );
        check(
            &[7, 0, 0, 1, 5, 0],
            TransactionRequest::Commit {
                name: String::new(),
                then: Some(begin(IsolationLevel::Snapshot, "")),
            },
        );
        check(
            &[8, 0, 0, 0],
            TransactionRequest::Rollback {
                name: String::new(),
                then: None,
            },
        );
        check(
            &[9, 0, 2, b's', 0],
            TransactionRequest::Save {
                name: "s".to_owned(),
            },
        );
        check(&[6, 0], TransactionRequest::Distributed);
        assert!(TransactionRequest::decode(&with_headers(&[4, 0]), NEW).is_err());
        assert!(TransactionRequest::decode(&with_headers(&[5, 0, 9, 0]), NEW).is_err());
    }

    proptest! {
        #[test]
        fn calls_round_trip(
            values in proptest::collection::vec(crate::value::tests::typed_value(), 0..8),
            old in any::<bool>(),
        ) {
            let call = RpcCall {
                procedure: Procedure::Name("dbo.sp_x".to_owned()),
                with_recompile: true,
                parameters: values
                    .into_iter()
                    .enumerate()
                    .map(|(at, (ty, value))| Parameter {
                        by_reference: at % 2 == 1,
                        ..Parameter::input(format!("@p{at}"), ty, value)
                    })
                    .collect(),
                no_execute: false,
            };
            // 7.1 spells newer types in another way, so only its framing is compared.
            let version = if old { OLD } else { NEW };
            let found = calls(encode_rpc(&call, 3, version).unwrap(), version).remove(0).unwrap();
            if old {
                prop_assert_eq!(found.parameters.len(), call.parameters.len());
            } else {
                prop_assert_eq!(found, call);
            }
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for version in [OLD, NEW] {
                for payload in [bytes.clone(), with_headers(&bytes)] {
                    let _outcome = SqlBatch::decode(&payload, version);
                    let _outcome = TransactionRequest::decode(&payload, version);
                    if let Ok(mut reader) = RpcReader::new(payload, version) {
                        while let Some(_call) = reader.next_call() {}
                    }
                }
            }
        }

        #[test]
        fn damaged_calls_never_panic(
            (ty, value) in crate::value::tests::typed_value(),
            at in 22usize..150,
            byte in any::<u8>(),
            cut in 0usize..200,
        ) {
            let call = execute_sql("SELECT @a", "@a x", vec![Parameter::input("@a", ty, value)]);
            let mut bytes = encode_rpc(&call, 0, NEW).unwrap();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(bytes.len().min(22 + cut));
            let _outcome = calls(bytes, NEW);
        }
    }
}
