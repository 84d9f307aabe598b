//! What each fuzz target does with its bytes: reads them as a peer's, and checks what must hold whatever they are.
//!
//! Shared by the targets and by the test that replays the corpora, so each uses its part.
#![allow(dead_code, reason = "each target uses its own body")]

use fleet::message::{EnlistRequest, ToMaster, ToTarget, decode_enlist_answer};
use fleet::{FrameReader, encode_frames, limits};
use tds::TdsVersion;
use tds::bulk::BulkReader;
use tds::login::Login;
use tds::packet::{
    Incoming, LOGIN_MESSAGE_BYTES_MAX, MessageReader, PacketReader, PacketType, packets,
};
use tds::prelogin::Prelogin;
use tds::reply::ReplyReader;
use tds::request::{RpcReader, SqlBatch, TransactionRequest, encode_rpc};
use tsql::ast::{ObjectName, StatementKind};
use tsql::bind::{Binder, Catalog, FunctionShape, TableShape};
use tsql::parser::{ParseOptions, parse_batch};
use tsql::rowset::Rowset;
use tsql::{Column, SqlError, SqlType, fault};

/// Bound on a message after login here; small, so that it is met.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// The version that a byte stands for.
fn version(byte: u8) -> TdsVersion {
    match byte % 5 {
        0 => TdsVersion::V7_1,
        1 => TdsVersion::V7_2,
        2 => TdsVersion::V7_3A,
        3 => TdsVersion::V7_3B,
        _ => TdsVersion::V7_4,
    }
}

/// The first byte, and the rest.
fn split(data: &[u8]) -> Option<(u8, &[u8])> {
    data.split_first().map(|(first, rest)| (*first, rest))
}

/// Bytes of a stranger: packets, PRELOGIN, LOGIN7.
pub(crate) fn tds_before_login(data: &[u8]) {
    let mut reader = MessageReader::new(LOGIN_MESSAGE_BYTES_MAX);
    for piece in data.chunks(1000) {
        reader.feed(piece);
        loop {
            match reader.next_message() {
                Ok(Some(message)) => {
                    assert!(message.payload.len() <= LOGIN_MESSAGE_BYTES_MAX);
                    if let Ok(asked) = Prelogin::decode(&message.payload) {
                        let again = Prelogin::decode(&asked.encode());
                        assert_eq!(again, Ok(asked));
                    }
                    login_record(&message.payload);
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

/// A login record. What is read is written and read again the same, as far as it is written.
pub(crate) fn login_record(data: &[u8]) {
    let Ok(login) = Login::decode(data) else {
        return;
    };
    let again = Login::decode(&login.encode()).expect("what was written can be read");
    assert_eq!(again.layout, login.layout);
    assert!(!format!("{login:?}").contains("password"));
}

/// Bytes of a client that has logged in: packets of every kind.
pub(crate) fn tds_after_login(data: &[u8]) {
    let Some((first, data)) = split(data) else {
        return;
    };
    let version = version(first);
    let mut reader = MessageReader::new(MESSAGE_BYTES_MAX);
    let mut bulk = None;
    for piece in data.chunks(700) {
        reader.feed(piece);
        loop {
            match reader.next_incoming() {
                Ok(Some(Incoming::Message(message))) => {
                    request(message.kind, message.payload, version);
                }
                Ok(Some(Incoming::Bulk(part))) => {
                    let load = bulk.get_or_insert_with(|| BulkReader::new(version));
                    let fed = load.feed(&part.payload).is_ok();
                    let alive = fed && drain_bulk(load);
                    if part.last || !alive {
                        bulk = None;
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

fn request(kind: PacketType, payload: Vec<u8>, version: TdsVersion) {
    match kind {
        PacketType::SqlBatch => drop(SqlBatch::decode(&payload, version)),
        PacketType::TransactionManager => drop(TransactionRequest::decode(&payload, version)),
        PacketType::Rpc
        | PacketType::LegacyLogin
        | PacketType::TabularResult
        | PacketType::Attention
        | PacketType::BulkLoad
        | PacketType::FedAuthToken
        | PacketType::Login7
        | PacketType::Sspi
        | PacketType::PreLogin => calls(payload, version),
    }
}

/// Remote procedure calls behind a byte for the version.
pub(crate) fn rpc(data: &[u8]) {
    if let Some((first, payload)) = split(data) {
        calls(payload.to_vec(), version(first));
    }
}

/// Reads calls. One that was read and can be written is read again the same.
fn calls(payload: Vec<u8>, version: TdsVersion) {
    let Ok(mut reader) = RpcReader::new(payload, version) else {
        return;
    };
    while let Some(call) = reader.next_call() {
        let Ok(call) = call else {
            return;
        };
        for table in call.parameters.iter().filter_map(|p| p.table.as_ref()) {
            assert_eq!(table.rows().count(), table.row_count());
        }
        let Ok(written) = encode_rpc(&call, 0, TdsVersion::V7_4) else {
            continue;
        };
        let mut again = RpcReader::new(written, TdsVersion::V7_4).expect("its own headers");
        let again = again
            .next_call()
            .expect("a call")
            .expect("that can be read");
        assert_eq!(again.procedure, call.procedure);
        assert_eq!(again.parameters.len(), call.parameters.len());
    }
}

/// Rows of a bulk load behind a byte for the version.
pub(crate) fn bulk_load(data: &[u8]) {
    let Some((first, data)) = split(data) else {
        return;
    };
    let mut load = BulkReader::new(version(first));
    for piece in data.chunks(usize::from(first) + 1) {
        if load.feed(piece).is_err() || !drain_bulk(&mut load) {
            return;
        }
    }
}

fn drain_bulk(load: &mut BulkReader) -> bool {
    loop {
        match load.next_event() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// What a server answers to Muster as a client.
pub(crate) fn tds_answer(data: &[u8]) {
    let Some((first, data)) = split(data) else {
        return;
    };
    let mut reader = ReplyReader::new(version(first));
    for piece in data.chunks(usize::from(first) + 1) {
        if reader.feed(piece).is_err() {
            return;
        }
        loop {
            match reader.next_event() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
    let mut found = PacketReader::new();
    found.feed(&packets(PacketType::TabularResult, 512, 1, data));
    while let Ok(Some(_)) = found.next_packet() {}
}

/// T-SQL text: lexer, parser, and the binder for its queries.
pub(crate) fn tsql(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let options = ParseOptions {
        quoted_identifier: true,
        variables: &[],
    };
    let breaks = text.chars().filter(|c| matches!(c, '\n' | '\r')).count();
    let lines = u32::try_from(breaks + 1).expect("a short text");
    match parse_batch(&text, &options) {
        Ok(batch) => {
            let known = Known;
            for statement in &batch.statements {
                if let StatementKind::Select(select) = &statement.kind {
                    let mut binder = Binder::new(&known);
                    drop(binder.select(select.with.as_ref(), &select.query));
                }
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(
                errors
                    .iter()
                    .all(|error| error.is_error() && error.line <= lines)
            );
        }
    }
}

/// A catalog of one table, and one variable.
struct Known;

impl Catalog for Known {
    fn variable(&self, name: &str) -> Option<(usize, SqlType)> {
        name.eq_ignore_ascii_case("@v").then_some((0, SqlType::Int))
    }

    fn table(&self, name: &ObjectName) -> Result<TableShape, SqlError> {
        if name.name.text.eq_ignore_ascii_case("t") {
            Ok(TableShape {
                key: 1,
                columns: vec![
                    Column::required("a", SqlType::Int),
                    Column::nullable("b", SqlType::nvarchar(10)),
                    Column::nullable("c", SqlType::DateTime),
                    Column::nullable(
                        "d",
                        SqlType::Decimal {
                            precision: 10,
                            scale: 2,
                        },
                    ),
                ],
            })
        } else {
            Err(fault::invalid_object(&name.to_string()))
        }
    }

    fn table_variable(&self, _: &str) -> Option<TableShape> {
        None
    }

    fn function(&self, _: &ObjectName) -> Option<FunctionShape> {
        None
    }

    fn rowset(&self, _: Rowset) -> u32 {
        2
    }
}

/// Frames of the fleet, from either end.
pub(crate) fn fleet_frames(data: &[u8]) {
    let Some((first, data)) = split(data) else {
        return;
    };
    let mut reader = FrameReader::new(limits::HELLO_BYTES_MAX);
    for mut piece in data.chunks(usize::from(first) + 1) {
        while !piece.is_empty() {
            match reader.read(&mut piece) {
                Ok(Some(body)) => fleet_message(&body),
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }
    fleet_message(data);
    let mut again = FrameReader::new(data.len());
    let framed = encode_frames(data);
    assert_eq!(again.read(&mut framed.as_slice()), Ok(Some(data.to_vec())));
}

fn fleet_message(body: &[u8]) {
    if let Ok(message) = ToMaster::decode(body) {
        assert_eq!(ToMaster::decode(&message.encode()), Ok(message));
    }
    if let Ok(message) = ToTarget::decode(body) {
        assert_eq!(ToTarget::decode(&message.encode()), Ok(message));
    }
    if let Ok(request) = EnlistRequest::decode(body) {
        assert_eq!(EnlistRequest::decode(&request.encode()), Ok(request));
    }
    drop(decode_enlist_answer(body));
}
