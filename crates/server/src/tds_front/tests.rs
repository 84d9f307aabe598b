//! The front over in-process streams, with a session that is made up.

mod bulk;
mod rules;

use super::client::{ClientEncryption, ClientError, ClientOptions, SqlClient};
use super::*;
use crate::identity::Authority;
use crate::identity::tls::{EncryptionOption, Protocol, TlsServer, Trust};
use engine::{
    BatchOutcome, BulkRows, CancelToken, EnvChange, ResultSink, RpcCall, RpcOutcome, RpcOutput,
    StatementDone,
};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use tds::TdsVersion;
use tds::login::Login;
use tds::packet::{MessageReader, MessageWriter, PacketType, ResetConnection, packets};
use tds::prelogin::{Encryption, Prelogin};
use tds::reply::{Event, ReplyReader};
use tds::request::{Parameter, SqlBatch, encode_rpc, execute_sql};
use tds::table::TableParameter;
use tds::token::{Done, DoneKind};
use tds::{TdsError, VersionNumber};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tsql::{Column, SqlError, SqlType, Value};

/// Bytes that lie between the two ends of a stream.
const PIPE_BYTES: usize = 16 * 1024;

/// An instance whose one login is `sa` with `secret`, and whose sessions understand a few words.
#[derive(Default)]
struct Instance {
    produced: AtomicU64,
    resets: AtomicUsize,
    gentle_resets: AtomicUsize,
    loaded: Mutex<Option<u64>>,
    last: Mutex<Option<LoginRequest>>,
    // For one stubborn statement: it tells that it runs, and goes on until it hears something.
    gate: Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>>,
    ended: Mutex<Option<mpsc::Sender<()>>>,
}

struct Factory(Arc<Instance>);

impl SessionFactory for Factory {
    fn login(&self, request: LoginRequest) -> Result<AcceptedLogin, SqlError> {
        *self.0.last.lock().unwrap() = Some(request.clone());
        if request.login != "sa" || request.password.as_str() != "secret" {
            return Err(SqlError::new(18_456, 14, "Login failed."));
        }
        let instance = Arc::clone(&self.0);
        let missing = request.database == "missing";
        Ok(AcceptedLogin {
            database: "msdb".to_owned(),
            language: "us_english".to_owned(),
            open: Box::new(move || {
                if missing {
                    return Err(SqlError::new(4060, 11, "Cannot open database."));
                }
                Ok(Box::new(Words {
                    instance,
                    transaction: 0,
                }) as Box<dyn SqlSession>)
            }),
        })
    }
}

struct Words {
    instance: Arc<Instance>,
    transaction: u64,
}

impl Drop for Words {
    fn drop(&mut self) {
        if let Some(ended) = &*self.instance.ended.lock().unwrap() {
            let _gone = ended.send(());
        }
    }
}

impl Words {
    fn rows(&self, count: u64, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        sink.columns(&[
            Column::required("n", SqlType::BigInt),
            Column::nullable("s", SqlType::nvarchar(100)),
        ])?;
        for n in 0..count {
            self.instance.produced.fetch_add(1, Ordering::SeqCst);
            let n = i64::try_from(n).unwrap();
            sink.row(vec![Value::BigInt(n), Value::string("x".repeat(80))])?;
        }
        sink.statement_done(StatementDone {
            rows: Some(count),
            select: true,
            ..StatementDone::default()
        })
    }

    fn run(
        &mut self,
        text: &str,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> Result<(), SqlError> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        match word {
            "rows" => self.rows(rest.parse().unwrap(), sink),
            "print" => {
                sink.message(SqlError::new(0, 10, rest));
                sink.flush()
            }
            "fail" => {
                sink.message(SqlError::new(50_000, 16, rest).at_line(1));
                sink.statement_done(StatementDone {
                    failed: true,
                    ..StatementDone::default()
                })
            }
            "exec" => {
                sink.statement_done(StatementDone {
                    rows: Some(1),
                    in_procedure: true,
                    ..StatementDone::default()
                })?;
                sink.procedure_done(5)
            }
            "use" => {
                sink.env_change(EnvChange::Database {
                    old: "msdb".to_owned(),
                    new: rest.to_owned(),
                });
                sink.statement_done(StatementDone::default())
            }
            "wait" => {
                assert!(cancel.wait(Duration::from_secs(3600)));
                Err(tsql::messages::CANCELLED.with(&[]))
            }
            "stubborn" => {
                let (started, gate) = self.instance.gate.lock().unwrap().take().unwrap();
                started.send(()).unwrap();
                gate.recv().unwrap();
                sink.env_change(EnvChange::TransactionRolledBack(9));
                Err(tsql::messages::CANCELLED.with(&[]))
            }
            "misfit" => {
                sink.columns(&[Column::required("n", SqlType::Int)])?;
                sink.row(vec![Value::string("not a number")])
            }
            "panic" => panic!("as the test wants"),
            _ => sink.statement_done(StatementDone::default()),
        }
    }
}

impl SqlSession for Words {
    fn batch(
        &mut self,
        text: &str,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> BatchOutcome {
        let mut outcome = BatchOutcome::default();
        for statement in text.split(';') {
            if statement == "fatal" {
                sink.message(SqlError::new(50_001, 20, "the end"));
                outcome.close = true;
                outcome.aborted = true;
                return outcome;
            }
            if let Err(error) = self.run(statement.trim(), sink, cancel) {
                sink.message(error.clone());
                outcome.last_error = Some(error);
                outcome.aborted = true;
                return outcome;
            }
        }
        outcome
    }

    fn rpc(
        &mut self,
        call: RpcCall,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> RpcOutcome {
        let text = call.params[0].value.as_ref().unwrap().as_str().unwrap();
        let batch = self.batch(text, sink, cancel);
        let outputs = call
            .params
            .iter()
            .enumerate()
            .filter(|(_, param)| param.output)
            .map(|(ordinal, param)| RpcOutput {
                ordinal,
                name: param.name.clone(),
                ty: param.ty,
                value: Value::Int(42),
            })
            .collect();
        // The rows of tables are counted.
        let tables = call.params.iter().filter_map(|param| param.table.as_ref());
        let sent = tables.map(|table| table.rows.rows().count()).sum::<usize>();
        let status = 3 + i32::try_from(sent).unwrap();
        RpcOutcome {
            return_status: (!batch.aborted).then_some(status),
            batch,
            outputs,
        }
    }

    /// Counts the rows; a column of any other kind than int is refused.
    fn bulk_load(
        &mut self,
        rows: &mut dyn BulkRows,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> (BatchOutcome, Option<u64>) {
        let mut load = || {
            if rows.columns()?[0].ty != SqlType::Int {
                return Err(SqlError::new(4816, 16, "Invalid column type."));
            }
            let mut count = 0;
            while rows.next_row()?.is_some() {
                count += 1;
                self.instance.produced.fetch_add(1, Ordering::SeqCst);
            }
            Ok(count)
        };
        let mut outcome = BatchOutcome::default();
        let loaded = load();
        if let Err(error) = &loaded {
            sink.message(error.clone());
            outcome.aborted = true;
            outcome.cancelled = cancel.is_cancelled();
        }
        *self.instance.loaded.lock().unwrap() = loaded.as_ref().ok().copied();
        (outcome, loaded.ok())
    }

    fn begin(&mut self, _name: &str, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        self.transaction = 7;
        sink.env_change(EnvChange::TransactionBegun(7));
        Ok(())
    }

    fn commit(&mut self, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        if self.transaction == 0 {
            return Err(tsql::messages::COMMIT_WITHOUT_BEGIN.with(&[]));
        }
        sink.env_change(EnvChange::TransactionCommitted(self.transaction));
        self.transaction = 0;
        Ok(())
    }

    fn rollback(&mut self, _name: &str, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        sink.env_change(EnvChange::TransactionRolledBack(self.transaction));
        self.transaction = 0;
        Ok(())
    }

    fn transaction(&self) -> u64 {
        self.transaction
    }

    fn database(&self) -> String {
        "msdb".to_owned()
    }

    fn reset(&mut self) {
        self.instance.resets.fetch_add(1, Ordering::SeqCst);
    }

    fn reset_keeping_transaction(&mut self) {
        self.instance.gentle_resets.fetch_add(1, Ordering::SeqCst);
    }
}

/// A front with TLS, and what the tests look at.
struct Bench {
    front: Arc<TdsFront>,
    instance: Arc<Instance>,
    tls: Arc<TlsServer>,
    trust: Trust,
}

const HERE: &str = "127.0.0.1:4000";
const AWAY: &str = "192.0.2.1:4000";

fn bench_with(change: impl FnOnce(&mut FrontOptions)) -> Bench {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let directory = std::env::temp_dir().join(format!("muster-tds-{}", uuid::Uuid::new_v4()));
    let authority = Authority::open(&directory, "MASTER", now).unwrap();
    let identity = authority
        .issue_server(&["localhost".to_owned()], now)
        .unwrap();
    let tls = Arc::new(TlsServer::new(identity, authority.certificate()).unwrap());
    let trust = Trust {
        option: EncryptionOption::Encrypt,
        authorities: vec![authority.certificate().clone()],
        pin: None,
    };
    std::fs::remove_dir_all(directory).unwrap();
    let instance = Arc::new(Instance::default());
    let factory = Arc::new(Factory(Arc::clone(&instance)));
    let mut options = FrontOptions::new("MASTER", Some(tls.prelogin_config()), factory);
    change(&mut options);
    Bench {
        front: Arc::new(TdsFront::new(options)),
        instance,
        tls,
        trust,
    }
}

fn bench() -> Bench {
    bench_with(|_| {})
}

impl Bench {
    fn context(&self, peer: &str, strict: bool) -> ConnectionContext {
        ConnectionContext {
            front: Arc::clone(&self.front),
            peer: peer.parse().unwrap(),
            strict,
        }
    }

    fn serve(&self, peer: &str) -> (DuplexStream, JoinHandle<Result<(), FrontError>>) {
        let (client, server) = tokio::io::duplex(PIPE_BYTES);
        let served = tokio::spawn(serve_connection(server, self.context(peer, false)));
        (client, served)
    }

    fn options(&self, encryption: ClientEncryption) -> ClientOptions {
        ClientOptions {
            encryption,
            trust: self.trust.clone(),
            ..ClientOptions::new("localhost", 1433, "sa", "secret")
        }
    }

    async fn client(&self) -> (SqlClient, JoinHandle<Result<(), FrontError>>) {
        let (stream, served) = self.serve(HERE);
        let options = self.options(ClientEncryption::None);
        (SqlClient::over(stream, &options).await.unwrap(), served)
    }

    async fn raw(&self, version: VersionNumber) -> (Raw, JoinHandle<Result<(), FrontError>>) {
        let (stream, served) = self.serve(HERE);
        let mut raw = Raw::new(stream, version);
        raw.log_in(&Login {
            version,
            layout: version.layout().unwrap(),
            ..Login::new(version, "sa", "secret")
        })
        .await;
        (raw, served)
    }
}

/// A client that sends what it is told.
struct Raw {
    stream: DuplexStream,
    reader: MessageReader,
    version: TdsVersion,
}

impl Raw {
    fn new(stream: DuplexStream, version: VersionNumber) -> Self {
        Self {
            stream,
            reader: MessageReader::new(1 << 20),
            version: version.layout().unwrap(),
        }
    }

    async fn send(&mut self, kind: PacketType, payload: &[u8]) {
        let bytes = packets(kind, 4096, 0, payload);
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn batch(&mut self, text: &str) {
        let payload = SqlBatch::encode(text, 0, self.version);
        self.send(PacketType::SqlBatch, &payload).await;
    }

    async fn log_in(&mut self, login: &Login) {
        self.send(PacketType::Login7, &login.encode()).await;
        let events = self.events().await;
        assert!(
            events
                .iter()
                .any(|event| matches!(event, Event::LoginAck { .. })),
            "{events:?}"
        );
    }

    async fn payload(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.reader.next_message().unwrap() {
                assert_eq!(message.kind, PacketType::TabularResult);
                return Some(message.payload);
            }
            let count = self.stream.read(&mut buffer).await.unwrap();
            if count == 0 {
                return None;
            }
            self.reader.feed(&buffer[..count]);
        }
    }

    /// The next answer.
    async fn events(&mut self) -> Vec<Event> {
        let payload = self.payload().await.unwrap();
        let mut reader = ReplyReader::new(self.version);
        reader.feed(&payload).unwrap();
        let mut events = Vec::new();
        while let Some(event) = reader.next_event().unwrap() {
            events.push(event);
        }
        assert!(!reader.is_inside_token());
        events
    }
}

fn done(event: &Event) -> Option<Done> {
    if let Event::Done(done) = event {
        Some(*done)
    } else {
        None
    }
}

fn dones(events: &[Event]) -> Vec<Done> {
    events.iter().filter_map(done).collect()
}

fn errors(events: &[Event]) -> Vec<i32> {
    events
        .iter()
        .filter_map(|event| {
            if let Event::Message(error) = event {
                Some(error.number)
            } else {
                None
            }
        })
        .collect()
}

const ACKNOWLEDGED: Done = Done {
    attention: true,
    ..Done::new(DoneKind::Done)
};

/// The end of an answer that an attention has cut short.
const CUT_SHORT: Done = Done {
    error: true,
    ..Done::new(DoneKind::Done)
};

async fn collect(client: &mut SqlClient, text: &str) -> Vec<Event> {
    let mut events = Vec::new();
    client
        .batch(text, |event| {
            events.push(event);
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
    events
}

#[tokio::test]
async fn every_encryption_works_with_every_packet_size() {
    let bench = bench();
    for encryption in [
        ClientEncryption::Strict,
        ClientEncryption::Mandatory,
        ClientEncryption::Optional,
        ClientEncryption::None,
    ] {
        for packet_size in [0, 512, 4096, 8000, 16_383, 32_763, 32_767] {
            let (near, far) = tokio::io::duplex(PIPE_BYTES);
            let strict = encryption == ClientEncryption::Strict;
            let context = bench.context(HERE, strict);
            let served = if strict {
                let acceptor = TlsAcceptor::from(bench.tls.config(Protocol::Tds));
                tokio::spawn(async move {
                    let stream = acceptor.accept(far).await.unwrap();
                    serve_connection(stream, context).await
                })
            } else {
                tokio::spawn(serve_connection(far, context))
            };
            let options = ClientOptions {
                packet_size,
                database: Some("msdb".to_owned()),
                ..bench.options(encryption)
            };
            let mut client = match SqlClient::over(near, &options).await {
                Ok(client) => client,
                Err(error) => panic!("{encryption:?} {packet_size}: {error:?} {:?}", served.await),
            };
            assert_eq!(client.program(), PROGRAM_NAME);
            assert_eq!(client.product(), ProductVersion::SERVER);
            assert_eq!(client.database(), "msdb");
            assert_eq!(client.login_messages().len(), 2);
            let request = bench.instance.last.lock().unwrap().clone().unwrap();
            let wholly = matches!(
                encryption,
                ClientEncryption::Strict | ClientEncryption::Mandatory
            );
            assert_eq!(request.encrypted, wholly);
            let events = collect(&mut client, "rows 1000").await;
            assert_eq!(events.len(), 1002);
            assert_eq!(dones(&events)[0].rows, Some(1000));
            client.close().await;
            served.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn certificates_are_checked_when_asked() {
    let bench = bench();
    let check = async |host: &str, trusted: bool, expected: bool| {
        let (stream, _served) = bench.serve(HERE);
        let mut options = bench.options(ClientEncryption::Mandatory);
        options.host = host.to_owned();
        options.trust.option = EncryptionOption::Validate;
        if !trusted {
            options.trust.authorities.clear();
        }
        let outcome = SqlClient::over(stream, &options).await;
        match outcome {
            Ok(_) => assert!(expected),
            Err(ClientError::Tls { .. }) => assert!(!expected),
            Err(other) => panic!("{other}"),
        }
    };
    check("localhost", true, true).await;
    check("localhost", false, false).await;
    check("elsewhere", true, false).await;
}

#[tokio::test]
async fn passwords_without_encryption_are_taken_as_the_setting_says() {
    let check = async |setting, require, peer: &str, allowed: bool| {
        let bench = bench_with(|options| {
            options.unencrypted_logins = setting;
            options.require_encryption = require;
        });
        // PRELOGIN says "not supported".
        let (stream, served) = bench.serve(peer);
        let outcome = SqlClient::over(stream, &bench.options(ClientEncryption::None)).await;
        match outcome {
            Ok(client) => {
                assert!(allowed);
                client.close().await;
                served.await.unwrap().unwrap();
            }
            Err(ClientError::EncryptionRequired { .. }) => {
                assert!(!allowed);
                let ended = served.await.unwrap();
                assert!(matches!(ended, Err(FrontError::EncryptionRequired)));
            }
            Err(other) => panic!("{other}"),
        }
        // No PRELOGIN at all.
        let (stream, served) = bench.serve(peer);
        let mut raw = Raw::new(stream, VersionNumber::V7_4);
        let login = Login::new(VersionNumber::V7_4, "sa", "secret").encode();
        raw.send(PacketType::Login7, &login).await;
        let events = raw.events().await;
        if allowed {
            assert!(dones(&events).iter().all(|done| !done.error));
        } else {
            assert_eq!(errors(&events), [17_835]);
            assert!(raw.payload().await.is_none());
            let ended = served.await.unwrap();
            assert!(matches!(
                ended,
                Err(FrontError::LoginRefused { number: 17_835 })
            ));
            assert!(bench.instance.last.lock().unwrap().is_none());
        }
    };
    check(UnencryptedLogins::Loopback, false, HERE, true).await;
    check(UnencryptedLogins::Loopback, false, AWAY, false).await;
    check(UnencryptedLogins::Never, false, HERE, false).await;
    check(UnencryptedLogins::Always, false, AWAY, true).await;
    check(UnencryptedLogins::Always, true, HERE, false).await;
}

#[tokio::test]
async fn refused_logins_are_told_why() {
    let bench = bench();
    let check = async |change: &dyn Fn(&mut Login), number: i32| {
        let (stream, served) = bench.serve(HERE);
        let mut raw = Raw::new(stream, VersionNumber::V7_4);
        let mut login = Login::new(VersionNumber::V7_4, "sa", "secret");
        change(&mut login);
        raw.send(PacketType::Login7, &login.encode()).await;
        let events = raw.events().await;
        assert_eq!(errors(&events), [number]);
        assert!(dones(&events)[0].error);
        assert!(raw.payload().await.is_none());
        let ended = served.await.unwrap();
        assert!(matches!(ended, Err(FrontError::LoginRefused { number: n }) if n == number));
        // The thread of a session that did not open is on its way out.
        while bench.front.open_sessions() > 0 {
            tokio::task::yield_now().await;
        }
    };
    check(&|login| login.password = "wrong".to_owned(), 18_456).await;
    check(&|login| login.integrated_security = true, 18_452).await;
    check(&|login| login.database = "missing".to_owned(), 4060).await;
}

#[tokio::test]
async fn a_client_of_7_1_gets_its_layouts() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber(0x7100_0000)).await;
    raw.batch("rows 2; fail oh").await;
    let events = raw.events().await;
    assert_eq!(errors(&events), [50_000]);
    let dones = dones(&events);
    assert_eq!(dones[0].rows, Some(2));
    assert!(dones[0].more && !dones[1].more && dones[1].error);
}

#[tokio::test]
async fn results_end_with_the_right_tokens() {
    let bench = bench();
    let (mut client, _served) = bench.client().await;
    let mut check = async |text: &str, expected: &[Done]| {
        assert_eq!(dones(&collect(&mut client, text).await), expected, "{text}");
    };
    let plain = Done::new(DoneKind::Done);
    let counted = |rows| Done {
        rows: Some(rows),
        command: tds::token::COMMAND_SELECT,
        ..plain
    };
    let more = |done: Done| Done { more: true, ..done };
    check("", &[plain]).await;
    check("rows 3", &[counted(3)]).await;
    check("rows 3; rows 0", &[more(counted(3)), counted(0)]).await;
    check("print x", &[plain]).await;
    check(
        "exec",
        &[
            Done {
                rows: Some(1),
                ..more(Done::new(DoneKind::InProcedure))
            },
            Done::new(DoneKind::Procedure),
        ],
    )
    .await;
    check(
        "fail x",
        &[Done {
            error: true,
            ..plain
        }],
    )
    .await;
    let events = collect(&mut client, "use master").await;
    assert_eq!(client.database(), "master");
    assert_eq!(events.len(), 2);
    let events = collect(&mut client, "print hello").await;
    assert_eq!(events[0], Event::Message(SqlError::new(0, 0, "hello")));
    let events = collect(&mut client, "misfit").await;
    assert_eq!(errors(&events), [8624]);
    assert!(dones(&events)[0].error);
}

#[tokio::test]
async fn calls_return_status_and_values() {
    let bench = bench();
    let (mut client, _served) = bench.client().await;
    let call = execute_sql(
        "rows 1",
        "@a int",
        vec![Parameter {
            by_reference: true,
            ..Parameter::input("@a", SqlType::Int, 1)
        }],
    );
    let mut events = Vec::new();
    client
        .call(&call, |event| {
            events.push(event);
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
    assert_eq!(events.len(), 6, "{events:?}");
    let dones = dones(&events);
    assert_eq!(dones[0].kind, DoneKind::InProcedure);
    assert!(dones[0].more);
    assert_eq!(events[3], Event::ReturnStatus(3));
    assert_eq!(
        events[4],
        Event::ReturnValue {
            ordinal: 2,
            name: "@a".to_owned(),
            ty: SqlType::Int,
            value: Value::Int(42),
        }
    );
    assert_eq!(dones[1], Done::new(DoneKind::Procedure));
}

#[tokio::test]
async fn several_calls_in_a_message_are_answered_in_one() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    let call = |text: &str| encode_rpc(&execute_sql(text, "", vec![]), 0, raw.version).unwrap();
    let mut payload = call("rows 1");
    payload.push(0xFF);
    payload.extend(&call("fail x")[22..]);
    raw.send(PacketType::Rpc, &payload).await;
    let ends: Vec<_> = dones(&raw.events().await)
        .into_iter()
        .filter(|done| done.kind == DoneKind::Procedure)
        .map(|done| (done.more, done.error))
        .collect();
    assert_eq!(ends, [(true, false), (false, false)]);
}

#[tokio::test]
async fn transaction_requests_tell_the_descriptor() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    let mut check =
        async |request: &[u8], expected: &[tds::token::EnvChange], error: Option<i32>| {
            let mut payload = SqlBatch::encode("", 0, TdsVersion::V7_4);
            payload.extend(request);
            raw.send(PacketType::TransactionManager, &payload).await;
            let events = raw.events().await;
            let changes: Vec<_> = events
                .iter()
                .filter_map(|event| {
                    if let Event::Environment(change) = event {
                        Some(change.clone())
                    } else {
                        None
                    }
                })
                .collect();
            assert_eq!(changes, expected);
            assert_eq!(errors(&events), error.into_iter().collect::<Vec<_>>());
            let last = *dones(&events).last().unwrap();
            assert_eq!(last.error, error.is_some());
            assert!(!last.more);
        };
    use tds::token::EnvChange::{BeginTransaction, CommitTransaction, RollbackTransaction};
    check(&[7, 0, 0, 0], &[], Some(3902)).await;
    check(&[5, 0, 2, 0], &[BeginTransaction(7)], None).await;
    check(&[7, 0, 0, 0], &[CommitTransaction(7)], None).await;
    check(&[5, 0, 0, 0], &[BeginTransaction(7)], None).await;
    check(
        &[8, 0, 0, 1, 0, 0],
        &[RollbackTransaction(7), BeginTransaction(7)],
        None,
    )
    .await;
    check(&[6, 0], &[], Some(3910)).await;
}

#[tokio::test]
async fn an_attention_stops_a_long_result() {
    let bench = bench();
    let (mut client, _served) = bench.client().await;
    let mut rows = 0;
    client
        .batch("rows 1000000000", |event| {
            if let Event::Row(_) = event {
                rows += 1;
            }
            if rows == 10 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await
        .unwrap();
    assert_eq!(rows, 10);
    assert_eq!(collect(&mut client, "rows 1").await.len(), 3);
}

#[tokio::test]
async fn an_attention_stops_a_waiting_statement() {
    let bench = bench();
    let (mut client, _served) = bench.client().await;
    client.canceller().cancel();
    assert_eq!(collect(&mut client, "wait").await, []);
    assert_eq!(collect(&mut client, "rows 1").await.len(), 3);
}

#[tokio::test]
async fn an_attention_does_not_wait_for_a_statement_that_goes_on() {
    let bench = bench();
    let (open, gate) = mpsc::channel();
    let (started, start) = mpsc::channel();
    *bench.instance.gate.lock().unwrap() = Some((started, gate));
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    raw.batch("stubborn").await;
    tokio::task::spawn_blocking(move || start.recv().unwrap())
        .await
        .unwrap();
    raw.send(PacketType::Attention, &[]).await;
    // The statement is still running: nobody has opened its gate.
    assert_eq!(raw.events().await, [Event::Done(CUT_SHORT)]);
    assert_eq!(raw.events().await, [Event::Done(ACKNOWLEDGED)]);
    // The next request waits for it, and learns what became of the transaction.
    raw.batch("rows 1").await;
    open.send(()).unwrap();
    let events = raw.events().await;
    assert_eq!(
        events[0],
        Event::Environment(tds::token::EnvChange::RollbackTransaction(9))
    );
    assert_eq!(events.len(), 4);
}

#[tokio::test]
async fn an_attention_with_nothing_to_stop_is_acknowledged() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber(0x7100_0001)).await;
    for _ in 0..3 {
        raw.send(PacketType::Attention, &[]).await;
        assert_eq!(dones(&raw.events().await), [ACKNOWLEDGED]);
    }
    raw.batch("rows 1").await;
    assert_eq!(raw.events().await.len(), 3);
}

#[tokio::test]
async fn resets_and_given_up_requests_are_answered() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    let send = async |raw: &mut Raw, reset| {
        let mut writer = MessageWriter::new(PacketType::SqlBatch, 4096, 0).with_reset(reset);
        writer.write(&SqlBatch::encode("rows 0", 0, TdsVersion::V7_4));
        let mut bytes = Vec::new();
        writer.finish(&mut bytes);
        raw.stream.write_all(&bytes).await.unwrap();
        raw.events().await[0].clone()
    };
    let reset = Event::Environment(tds::token::EnvChange::ResetDone);
    assert_eq!(send(&mut raw, ResetConnection::Full).await, reset);
    assert_eq!(
        send(&mut raw, ResetConnection::KeepTransaction).await,
        reset
    );
    assert_ne!(send(&mut raw, ResetConnection::No).await, reset);
    assert_eq!(bench.instance.resets.load(Ordering::SeqCst), 1);
    assert_eq!(bench.instance.gentle_resets.load(Ordering::SeqCst), 1);

    raw.stream
        .write_all(&[1, 3, 0, 9, 0, 0, 1, 0, b'S'])
        .await
        .unwrap();
    assert_eq!(
        raw.events().await,
        [Event::Done(Done {
            error: true,
            ..Done::new(DoneKind::Done)
        })]
    );
}

#[tokio::test]
async fn what_is_not_taken_is_refused_and_the_rest_goes_on() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    let mut table = SqlBatch::encode("", 0, TdsVersion::V7_4);
    table.extend([1, 0, b'p', 0, 0, 0, 0, 0, 0xF0]);
    raw.send(PacketType::Rpc, &table).await;
    assert_eq!(errors(&raw.events().await), [8009]);
    raw.batch("rows 1").await;
    assert_eq!(raw.events().await.len(), 3);
}

#[tokio::test]
async fn tables_come_with_their_rows() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    let columns = vec![Column::required("", SqlType::Int)];
    let rows = [vec![Value::Int(1)], vec![Value::Int(2)]];
    let table = TableParameter::new("dbo", "T", columns, &rows, TdsVersion::V7_4).unwrap();
    let mut call = execute_sql("rows 1", "", vec![]);
    let mut payload = encode_rpc(&call, 0, TdsVersion::V7_4).unwrap();
    call.parameters.push(Parameter::table("@t", table));
    let with_table = encode_rpc(&call, 0, TdsVersion::V7_4).unwrap();
    payload.splice(22..22, [&with_table[22..], &[0xFF]].concat());
    raw.send(PacketType::Rpc, &payload).await;
    let events = raw.events().await;
    assert_eq!(errors(&events), [0; 0]);
    let statuses: Vec<&Event> = events
        .iter()
        .filter(|event| matches!(event, Event::ReturnStatus(_)))
        .collect();
    assert_eq!(statuses, [&Event::ReturnStatus(5), &Event::ReturnStatus(3)]);
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_connection() {
    let bench = bench();
    let check = async |kind, payload: &[u8], number: i32| {
        let (mut raw, served) = bench.raw(VersionNumber::V7_4).await;
        raw.send(kind, payload).await;
        let events = raw.events().await;
        assert_eq!(errors(&events), [number]);
        assert!(dones(&events)[0].server_error);
        assert!(raw.payload().await.is_none());
        assert!(matches!(
            served.await.unwrap(),
            Err(FrontError::SessionEnded)
        ));
    };
    check(PacketType::SqlBatch, &[1], 8009).await;
    check(PacketType::Rpc, &[255; 30], 8009).await;
    check(PacketType::Login7, &[], 8009).await;
    let fatal = SqlBatch::encode("fatal", 0, TdsVersion::V7_4);
    check(PacketType::SqlBatch, &fatal, 50_001).await;

    let (mut raw, served) = bench.raw(VersionNumber::V7_4).await;
    raw.stream.write_all(&[0x55; 100]).await.unwrap();
    assert!(raw.payload().await.is_none());
    assert!(matches!(
        served.await.unwrap(),
        Err(FrontError::Protocol(TdsError::UnknownPacketType(0x55)))
    ));
}

#[tokio::test]
async fn garbage_before_the_login_ends_the_connection() {
    let bench = bench();
    for first in [0x12, 0x10, 0x01, 0x99] {
        let (mut stream, served) = bench.serve(HERE);
        let mut garbage = vec![0xA7; 1 << 20];
        garbage[..8].copy_from_slice(&[first, 1, 0, 200, 0, 0, 1, 0]);
        // The front stops reading long before the end.
        let _cut = stream.write_all(&garbage).await;
        let ended = served.await.unwrap();
        assert!(matches!(ended, Err(FrontError::Protocol(_))), "{ended:?}");
    }
    let (mut stream, served) = bench.serve(HERE);
    // A PRELOGIN that never ends.
    for _ in 0..40 {
        let mut packet = vec![0; 4096];
        packet[..4].copy_from_slice(&[0x12, 0, 0x10, 0]);
        if stream.write_all(&packet).await.is_err() {
            break;
        }
    }
    assert!(matches!(
        served.await.unwrap(),
        Err(FrontError::Protocol(TdsError::MessageTooLong { .. }))
    ));
}

#[tokio::test]
async fn a_silent_client_is_sent_away() {
    let bench = bench_with(|options| options.login_timeout = Duration::from_millis(20));
    let (mut stream, served) = bench.serve(HERE);
    let asked = Prelogin {
        encryption: Some(Encryption::On),
        ..Prelogin::default()
    };
    stream
        .write_all(&packets(PacketType::PreLogin, 4096, 0, &asked.encode()))
        .await
        .unwrap();
    assert!(matches!(
        served.await.unwrap(),
        Err(FrontError::LoginTimeout)
    ));
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_back_its_session_alone() {
    let bench = bench();
    let (ended, end) = mpsc::channel();
    *bench.instance.ended.lock().unwrap() = Some(ended);
    let (mut raw, served) = bench.raw(VersionNumber::V7_4).await;
    raw.batch("rows 1000000000").await;
    let mut some = [0; 10_000];
    raw.stream.read_exact(&mut some).await.unwrap();
    drop(raw);
    assert!(served.await.unwrap().is_err());
    tokio::task::spawn_blocking(move || end.recv().unwrap())
        .await
        .unwrap();
    // A row takes about 170 bytes; what lies between session and client is bounded.
    let row_bytes = 170;
    let between = PIPE_BYTES + (OUTPUT_CHUNKS_MAX + 4) * OUTPUT_CHUNK_BYTES + some.len();
    let produced = bench.instance.produced.load(Ordering::SeqCst);
    assert!(
        produced < u64::try_from(between / row_bytes).unwrap(),
        "{produced}"
    );
}

#[tokio::test]
async fn dropping_the_connection_cancels_what_runs() {
    let bench = bench();
    let (ended, end) = mpsc::channel();
    *bench.instance.ended.lock().unwrap() = Some(ended);
    let (mut raw, served) = bench.raw(VersionNumber::V7_4).await;
    raw.batch("print started; wait").await;
    let mut some = [0; 1];
    raw.stream.read_exact(&mut some).await.unwrap();
    served.abort();
    tokio::task::spawn_blocking(move || end.recv().unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_that_breaks_down_is_told_and_closed() {
    let bench = bench();
    let (mut raw, served) = bench.raw(VersionNumber::V7_4).await;
    raw.batch("panic").await;
    assert_eq!(errors(&raw.events().await), [596]);
    assert!(raw.payload().await.is_none());
    assert!(served.await.unwrap().is_err());
}

#[tokio::test]
async fn messages_reach_the_client_while_the_statement_goes_on() {
    let bench = bench();
    let (mut raw, _served) = bench.raw(VersionNumber::V7_4).await;
    raw.batch("print hello; wait").await;
    let mut header = [0; 8];
    raw.stream.read_exact(&mut header).await.unwrap();
    // A packet that does not end its message.
    assert_eq!(header[1], 0);
    let mut rest = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 8];
    raw.stream.read_exact(&mut rest).await.unwrap();
    assert_eq!(rest[0], 0xAB);
    raw.send(PacketType::Attention, &[]).await;
    assert_eq!(raw.events().await, [Event::Done(CUT_SHORT)]);
    assert_eq!(raw.events().await, [Event::Done(ACKNOWLEDGED)]);
}

#[tokio::test]
async fn session_numbers_are_given_again() {
    let spids = Arc::new(Spids::default());
    let first = spids.take().unwrap();
    let second = spids.take().unwrap();
    assert_eq!((first.number, second.number), (51, 52));
    drop(first);
    assert_eq!(spids.take().unwrap().number, 51);
    let all: Vec<_> = std::iter::from_fn(|| spids.take()).collect();
    assert_eq!(all.len(), SESSIONS_MAX - 1);
}
