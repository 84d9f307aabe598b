//! Bulk loads: streamed, held back, given up, cut off.

use super::*;
use crate::tds_front::bulk::{STALL, STALLED_BYTES_MAX};
use tds::token::TokenWriter;

fn head(ty: SqlType) -> Vec<u8> {
    head_of(&Column::required("n", ty))
}

fn head_of(column: &Column) -> Vec<u8> {
    let mut writer = TokenWriter::new(TdsVersion::V7_4);
    writer.columns(std::slice::from_ref(column)).unwrap();
    writer.take()
}

fn rows(count: i32) -> Vec<u8> {
    let mut writer = TokenWriter::new(TdsVersion::V7_4);
    writer
        .columns(&[Column::required("n", SqlType::Int)])
        .unwrap();
    drop(writer.take());
    for n in 0..count {
        writer.row(&[Value::Int(n)]).unwrap();
    }
    writer.take()
}

fn end() -> Vec<u8> {
    let mut writer = TokenWriter::new(TdsVersion::V7_4);
    writer.done(Done::new(DoneKind::Done));
    writer.take()
}

fn whole(count: i32) -> Vec<u8> {
    [head(SqlType::Int), rows(count), end()].concat()
}

/// One packet of a bulk load.
fn packet(payload: &[u8], status: u8) -> Vec<u8> {
    let [high, low] = u16::try_from(payload.len() + 8).unwrap().to_be_bytes();
    [&[7, status, high, low, 0, 0, 1, 0], payload].concat()
}

/// Lets the connection's task do all that it can do by itself: both run on one thread.
async fn others_run() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

/// Rows of a load that is longer than what waits between the ends, however long it waits.
const LONG: i32 = 1_200_000;
const MORE: u8 = 0;
const LAST: u8 = 1;
const GIVEN_UP: u8 = 3;

#[tokio::test]
async fn a_load_is_counted() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    // Longer than what lies between the ends.
    raw.send(PacketType::BulkLoad, &whole(100_000)).await;
    let plain = Done::new(DoneKind::Done);
    assert_eq!(
        raw.events().await,
        [Event::Done(Done {
            rows: Some(100_000),
            ..plain
        })]
    );
    raw.batch("rows 1").await;
    assert_eq!(raw.events().await.len(), 3);
}

#[tokio::test]
async fn a_load_that_is_refused_does_not_end_the_connection() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    let check = async |raw: &mut Raw, payload: &[u8], number: i32| {
        raw.send(PacketType::BulkLoad, payload).await;
        let events = raw.events().await;
        assert_eq!(errors(&events), [number]);
        assert!(dones(&events)[0].error);
        raw.batch("rows 1").await;
        assert_eq!(raw.events().await.len(), 3);
    };
    // Found out at the beginning, while most is still to come.
    let wrong = [head(SqlType::BigInt), rows(100_000), end()].concat();
    check(&mut raw, &wrong, 4816).await;
    check(&mut raw, &whole(10)[..40], 4804).await;
    check(&mut raw, &[head(SqlType::Int), rows(3)].concat(), 4804).await;
    check(&mut raw, &[whole(1), vec![0]].concat(), 4804).await;
    check(&mut raw, &[], 4804).await;
    let nullable = head_of(&Column::nullable("n", SqlType::Int));
    let five_bytes = [nullable, vec![0xD1, 5, 0, 0, 0, 0, 0], end()].concat();
    check(&mut raw, &five_bytes, 4815).await;
    // A table-valued column.
    check(&mut raw, &[0x81, 1, 0, 0, 0, 0, 0, 9, 0, 0xF3], 4816).await;
}

#[tokio::test]
async fn a_load_that_is_given_up_is_not_kept() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    let first = packet(&[head(SqlType::Int), rows(5)].concat(), MORE);
    raw.stream.write_all(&first).await.unwrap();
    raw.stream.write_all(&packet(&[], GIVEN_UP)).await.unwrap();
    assert_eq!(raw.events().await, [Event::Done(CUT_SHORT)]);
    assert_eq!(*bench.instance.loaded.lock().unwrap(), None);
    // At once, in one packet.
    raw.stream
        .write_all(&packet(&whole(1), GIVEN_UP))
        .await
        .unwrap();
    assert_eq!(raw.events().await, [Event::Done(CUT_SHORT)]);
    assert_eq!(*bench.instance.loaded.lock().unwrap(), None);
    raw.send(PacketType::BulkLoad, &whole(2)).await;
    assert_eq!(dones(&raw.events().await)[0].rows, Some(2));
}

#[tokio::test]
async fn an_attention_ends_a_load() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    for inside in [true, false] {
        let first = [head(SqlType::Int), rows(5)].concat();
        let status = if inside { MORE } else { LAST };
        raw.stream.write_all(&packet(&first, status)).await.unwrap();
        raw.send(PacketType::Attention, &[]).await;
        let mut dones_seen = Vec::new();
        while dones_seen.last() != Some(&ACKNOWLEDGED) {
            dones_seen.extend(dones(&raw.events().await));
        }
        assert_eq!(*bench.instance.loaded.lock().unwrap(), None);
    }
    raw.batch("rows 1").await;
    assert_eq!(raw.events().await.len(), 3);
}

#[tokio::test]
async fn a_connection_that_breaks_keeps_nothing() {
    let bench = bench();
    let (ended, end) = mpsc::channel();
    *bench.instance.ended.lock().unwrap() = Some(ended);
    let (mut raw, served) = bench.raw(VersionNumber::V7_4).await;
    // All rows and the end token are there, the message's end is not.
    raw.stream
        .write_all(&packet(&whole(5), MORE))
        .await
        .unwrap();
    drop(raw);
    assert!(served.await.unwrap().is_err());
    tokio::task::spawn_blocking(move || end.recv().unwrap())
        .await
        .unwrap();
    assert_eq!(*bench.instance.loaded.lock().unwrap(), None);
}

#[tokio::test]
async fn a_busy_session_holds_the_client_back() {
    let bench = bench();
    let (open, gate) = mpsc::channel();
    let (started, start) = mpsc::channel();
    *bench.instance.gate.lock().unwrap() = Some((started, gate));
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    raw.batch("stubborn").await;
    tokio::task::spawn_blocking(move || start.recv().unwrap())
        .await
        .unwrap();
    // The session is not free for the load that comes before its answer.
    let bytes = packets(PacketType::BulkLoad, 4096, 0, &whole(LONG));
    let mut written = 0;
    loop {
        tokio::select! {
            biased;
            count = raw.stream.write(&bytes[written..]) => written += count.unwrap(),
            () = others_run() => break,
        }
    }
    let between = PIPE_BYTES + STALLED_BYTES_MAX + 8 * 4096 + READ_BYTES;
    assert!(written <= between, "{written}");
    open.send(()).unwrap();
    let (mut input, mut output) = tokio::io::split(raw.stream);
    let rest = bytes[written..].to_vec();
    let send = tokio::spawn(async move { output.write_all(&rest).await.unwrap() });
    let mut reader = MessageReader::new(1 << 20);
    let mut events = Vec::new();
    let mut buffer = [0; 4096];
    while dones(&events).len() < 2 {
        let count = input.read(&mut buffer).await.unwrap();
        reader.feed(&buffer[..count]);
        while let Some(message) = reader.next_message().unwrap() {
            let mut tokens = ReplyReader::new(TdsVersion::V7_4);
            tokens.feed(&message.payload).unwrap();
            while let Some(event) = tokens.next_event().unwrap() {
                events.push(event);
            }
        }
    }
    send.await.unwrap();
    assert_eq!(
        dones(&events)[1].rows,
        Some(u64::try_from(LONG).unwrap()),
        "{events:?}"
    );
}

#[tokio::test]
async fn an_attention_is_heard_behind_a_load_that_waits() {
    let bench = bench();
    let (open, gate) = mpsc::channel();
    let (started, start) = mpsc::channel();
    *bench.instance.gate.lock().unwrap() = Some((started, gate));
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    raw.batch("stubborn").await;
    tokio::task::spawn_blocking(move || start.recv().unwrap())
        .await
        .unwrap();
    // More than is taken in at once, and its end is still to come.
    let rows = [head(SqlType::Int), rows(200_000)].concat();
    for part in rows.chunks(4_000) {
        raw.stream.write_all(&packet(part, MORE)).await.unwrap();
    }
    raw.send(PacketType::Attention, &[]).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&ACKNOWLEDGED) {
        seen.extend(dones(&raw.events().await));
    }
    assert_eq!(seen, [CUT_SHORT, ACKNOWLEDGED], "the statement goes on");
    assert!(STALL + crate::tds_front::ATTENTION_GRACE <= std::time::Duration::from_millis(100));
    open.send(()).unwrap();
    // The load was called off with what it waited for.
    raw.batch("rows 1").await;
    let answer = raw.events().await;
    assert_eq!(
        answer.len(),
        4,
        "with the statement's end of a transaction: {answer:?}"
    );
    assert_eq!(*bench.instance.loaded.lock().unwrap(), None);
}
