//! An instance in a temporary directory, its sessions, and a fake of what surrounds it.

#![expect(unreachable_pub, reason = "a test binary has no one to reach")]

use catalog::{Catalog, CatalogOptions, DefinitionsWrite, Login, NewInstance, NewTarget};
use engine::SessionSettings;
use engine::databases::Databases;
use engine::host::{Argument, Host, ResultSink, SeekKey};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{InstanceId, JobId, POLL_INTERVAL_SECS_DEFAULT, ServerId};
use msdb::MsdbHost;
use msdb::error_log::{ErrorLog, LogArchive, LogEntry, LogError};
use msdb::services::{
    AgentRefusal, DataFile, Defected, EnlistRequest, Enlisted, Execution, FileKind, Instance,
    Machine, Moment, RemoteError, RequestInfo, SecretError, Services, SessionInfo, StartRequest,
    TransactionInfo, Volume,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tsql::{Column, Row, SqlError, SqlType, Value};
use uuid::Uuid;

/// Tuesday, 3 November 2026, 12:00 UTC.
pub const NOW: &str = "2026-11-03T12:00:00Z";

/// What the server would do, recorded instead of done.
#[derive(Default)]
pub struct Fake {
    pub acts: Mutex<Vec<String>>,
    pub refusal: Mutex<Option<AgentRefusal>>,
    pub remote: Mutex<Option<RemoteError>>,
    pub running: Mutex<Vec<Execution>>,
    pub databases: Mutex<Option<Arc<Databases>>>,
    pub log: Mutex<Vec<LogEntry>>,
    ids: AtomicU64,
}

impl Fake {
    fn act(&self, act: String) {
        self.acts.lock().unwrap().push(act);
    }

    fn answer(&self) -> Result<(), AgentRefusal> {
        self.refusal.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl Services for Fake {
    fn instance(&self) -> Instance {
        Instance {
            id: InstanceId(Uuid::from_u128(1)),
            name: "Master".to_owned(),
            machine: "host".to_owned(),
            version: "0.1.0".to_owned(),
            started: NOW.parse().unwrap(),
            process_id: 1,
            address: "127.0.0.1,1433".to_owned(),
        }
    }

    fn databases(&self) -> Option<Arc<Databases>> {
        self.databases.lock().unwrap().clone()
    }

    fn now(&self) -> Moment {
        Moment {
            utc: NOW.parse().unwrap(),
            zone: TimeZone::UTC,
        }
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn new_uuid(&self) -> Uuid {
        let n = self.ids.fetch_add(1, Ordering::SeqCst);
        Uuid::from_u128(0xa000_0000_0000_4000_8000_0000_0000_0000 + u128::from(n))
    }

    fn start_job(&self, request: &StartRequest) -> Result<(), AgentRefusal> {
        self.answer()?;
        let step = request.step_id;
        self.act(format!(
            "start {} by {} at {step:?}",
            request.job_name, request.login
        ));
        Ok(())
    }

    fn stop_job(&self, job: JobId, login: &str) -> Result<(), AgentRefusal> {
        self.answer()?;
        self.act(format!("stop {job} by {login}"));
        Ok(())
    }

    fn execution(&self) -> Vec<Execution> {
        self.running.lock().unwrap().clone()
    }

    fn enlist(&self, request: &EnlistRequest) -> Result<Enlisted, RemoteError> {
        if let Some(error) = self.remote.lock().unwrap().clone() {
            return Err(error);
        }
        self.act(format!("{request:?}"));
        Ok(Enlisted {
            master_name: "HQ".to_owned(),
            renewed: false,
        })
    }

    fn defect(&self, forced: bool) -> Result<Defected, RemoteError> {
        self.act(format!("defect {forced}"));
        Ok(Defected {
            master_name: "HQ".to_owned(),
            jobs_deleted: 3,
        })
    }

    fn poll_master(&self) {
        self.act("poll".to_owned());
    }

    fn settings_changed(&self) {
        self.act("settings".to_owned());
    }

    fn read_error_log(&self, log: ErrorLog, archive: u32) -> Result<Vec<LogEntry>, LogError> {
        if archive > 9 {
            let cause = "there are 9 archives at the most".to_owned();
            return Err(LogError { cause });
        }
        let entries = self.log.lock().unwrap().clone();
        Ok(if log == ErrorLog::Agent && archive == 0 {
            entries
        } else {
            Vec::new()
        })
    }

    fn error_log_archives(&self, _log: ErrorLog) -> Result<Vec<LogArchive>, LogError> {
        Ok(vec![LogArchive {
            number: 0,
            modified: NOW.parse().unwrap(),
            bytes: 4_096,
        }])
    }

    fn cycle_error_log(&self, log: ErrorLog) -> Result<(), LogError> {
        self.act(format!("cycle {log:?}"));
        Ok(())
    }

    fn sessions(&self) -> Vec<SessionInfo> {
        ["sa", "reader"]
            .iter()
            .zip(51..)
            .map(|(login, session_id)| SessionInfo {
                session_id,
                login: (*login).to_owned(),
                sid: if *login == "sa" { vec![1] } else { vec![9; 16] },
                host: "client".to_owned(),
                program: "test".to_owned(),
                client_interface: "none".to_owned(),
                client_address: Some("127.0.0.1".to_owned()),
                login_time: NOW.parse().unwrap(),
                last_request: NOW.parse().unwrap(),
                database: "msdb".to_owned(),
                running: session_id == 51,
                last_request_end: None,
                request: Some(RequestInfo {
                    number: 1,
                    text: RequestInfo::kept("SELECT 1;"),
                    rpc: false,
                }),
                cpu: Duration::from_millis(20),
                settings: SessionSettings::default(),
                client_process_id: 7,
                protocol_version: 0x7400_0004,
                connection: Uuid::from_u128(2),
                client_port: Some(50_000),
                transaction: Some(TransactionInfo {
                    descriptor: 1,
                    begun: NOW.parse().unwrap(),
                }),
                encrypted: true,
                open_transactions: 0,
                isolation_level: 2,
            })
            .collect()
    }

    fn machine(&self) -> Machine {
        Machine {
            processors: 2,
            distribution: "Debian GNU/Linux".to_owned(),
            release: "12".to_owned(),
            memory_kb: 8_000_000,
            memory_available_kb: 4_000_000,
            commit_limit_kb: 9_000_000,
            commit_available_kb: 5_000_000,
            cache_kb: 1_000_000,
            process_resident_kb: 50_000,
            process_virtual_kb: 500_000,
            process_user: Duration::from_secs(3),
            process_kernel: Duration::from_secs(1),
            program: "/usr/bin/muster".to_owned(),
            account: "muster".to_owned(),
            uptime: Duration::from_secs(3600),
        }
    }

    fn files(&self) -> Vec<DataFile> {
        let file = |name: &str, kind, bytes| DataFile {
            database: "msdb".to_owned(),
            name: name.to_owned(),
            path: format!("/data/{name}"),
            kind,
            bytes,
        };
        vec![
            file("msdb.db", FileKind::Rows, 16_385),
            file("msdb.db-wal", FileKind::Log, 8_192),
        ]
    }

    fn volume(&self, _path: &str) -> Option<Volume> {
        Some(Volume {
            mount: "/".to_owned(),
            total: 1_000_000,
            available: 400_000,
            read_only: false,
        })
    }

    fn seal(&self, clear: &[u8]) -> Result<Vec<u8>, SecretError> {
        Ok(clear.iter().rev().copied().collect())
    }

    fn hash_password(&self, clear: &str) -> Result<String, SecretError> {
        Ok(format!("hash of {} characters", clear.len()))
    }

    fn verify_password(&self, stored: &str, clear: &str) -> bool {
        stored == format!("hash of {} characters", clear.len())
    }
}

/// An instance's files and what its fake remembers.
pub struct Copied {
    files: Vec<(PathBuf, Vec<u8>)>,
    running: Vec<Execution>,
    ids: u64,
}

impl Copied {
    /// An instance like it.
    pub fn open(&self) -> Fixture {
        let directory = new_directory();
        for (path, bytes) in &self.files {
            let path = directory.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let fixture = Fixture::open(directory);
        fixture
            .fake
            .running
            .lock()
            .unwrap()
            .clone_from(&self.running);
        fixture.fake.ids.store(self.ids, Ordering::SeqCst);
        fixture
    }
}

fn new_directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("muster-msdb-{}", Uuid::new_v4()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// Files below a directory, by their paths from `root`. SQLite makes its `-shm` files anew.
fn read_files(root: &Path, directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_files(root, &path, files);
        } else if !path.to_string_lossy().ends_with("-shm") {
            let name = path.strip_prefix(root).unwrap().to_owned();
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
}

/// An instance.
pub struct Fixture {
    pub catalog: Catalog,
    pub fake: Arc<Fake>,
    directory: PathBuf,
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Fixture {
    /// A fresh instance named `Master` with the login `sa`.
    pub fn new() -> Self {
        let fixture = Self::open(new_directory());
        fixture.login("sa", vec![1]);
        fixture
    }

    /// The instance in a directory.
    fn open(directory: PathBuf) -> Self {
        let now: Timestamp = NOW.parse().unwrap();
        let options = CatalogOptions {
            new_instance: Some(NewInstance {
                id: InstanceId(Uuid::from_u128(1)),
                name: "Master".to_owned(),
                created: now,
            }),
            lock_timeout: Duration::from_millis(200),
            ..CatalogOptions::default()
        };
        let fixture = Self {
            catalog: Catalog::open(&directory, options).unwrap(),
            fake: Arc::new(Fake::default()),
            directory,
        };
        let databases = fixture.directory.join("databases");
        let databases = Databases::open(&databases, now.as_microsecond(), &[1]).unwrap();
        *fixture.fake.databases.lock().unwrap() = Some(databases);
        fixture
    }

    /// The instance as it stands, to open others like it.
    pub fn copied(&self) -> Copied {
        let mut files = Vec::new();
        read_files(&self.directory, &self.directory, &mut files);
        Copied {
            files,
            running: self.fake.running.lock().unwrap().clone(),
            ids: self.fake.ids.load(Ordering::SeqCst),
        }
    }

    pub fn login(&self, name: &str, sid: Vec<u8>) {
        self.write(|definitions| {
            definitions.create_login(&Login {
                id: 0,
                name: name.to_owned(),
                sid,
                password_hash: None,
                enabled: true,
                default_database: "master".to_owned(),
                created: NOW.parse().unwrap(),
                modified: NOW.parse().unwrap(),
            })
        });
    }

    /// Writes to the catalog behind the procedures' backs.
    pub fn write<T>(
        &self,
        write: impl FnOnce(&mut dyn DefinitionsWrite) -> catalog::Result<T>,
    ) -> T {
        self.catalog.definitions_write(write).unwrap()
    }

    /// A login that is a user of msdb and, where given, a member of a role.
    pub fn member(&self, name: &str, role: Option<&str>) {
        let first = name.bytes().next().unwrap();
        self.login(name, vec![first; 16]);
        let mut sa = self.sa();
        sa.administer(&engine::host::AdminStatement::CreateUser {
            name: name.to_owned(),
            login: Some(name.to_owned()),
            default_schema: None,
        });
        if let Some(role) = role {
            let call = sa.call(
                "sp_addrolemember",
                &[("@rolename", s(role)), ("@membername", s(name))],
            );
            call.ok();
        }
    }

    /// A target server enlisted by `sa`.
    pub fn target(&self, name: &str) -> ServerId {
        let instance = Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes());
        self.write(|definitions| {
            definitions.enlist_target(&NewTarget {
                name: name.to_owned(),
                location: None,
                utc_offset_minutes: 60,
                enlisted: NOW.parse().unwrap(),
                enlisted_by: "sa".to_owned(),
                poll_interval_secs: POLL_INTERVAL_SECS_DEFAULT,
                instance: InstanceId(instance),
                version: "0.1.0".to_owned(),
                previous_generation: None,
            })
        })
        .id
    }

    pub fn sa(&self) -> Session<'_> {
        self.session("sa")
    }

    /// A session of a login.
    pub fn session(&self, login: &str) -> Session<'_> {
        let sid = self
            .catalog
            .definitions_read(|definitions| definitions.login(login))
            .unwrap()
            .unwrap()
            .sid;
        let services: Arc<dyn Services> = Arc::clone(&self.fake) as Arc<dyn Services>;
        let mut host = MsdbHost::new(self.catalog.clone(), services, login.to_owned(), sid);
        host.enter_database("msdb");
        Session {
            host,
            fixture: self,
        }
    }

    /// Every row of every msdb table and of the principals, and every setting, as text: equal when nothing changed.
    pub fn fingerprint(&self) -> String {
        let mut sa = self.sa();
        let mut text = String::new();
        for table in TABLES.iter().chain(PRINCIPALS) {
            for row in sa.rows(table) {
                text.push_str(&format!("{table} {row:?}\n"));
            }
        }
        let settings = self
            .catalog
            .definitions_read(|definitions| definitions.settings(""))
            .unwrap();
        for (key, value) in settings {
            text.push_str(&format!("{key} {value:?}\n"));
        }
        text
    }
}

/// Every table of msdb.
pub const TABLES: &[&str] = &[
    "sysjobs",
    "sysjobs_view",
    "sysjobsteps",
    "sysjobstepslogs",
    "sysschedules",
    "sysjobschedules",
    "sysjobservers",
    "sysjobhistory",
    "sysjobactivity",
    "syssessions",
    "syscategories",
    "sysalerts",
    "sysoperators",
    "sysnotifications",
    "sysproxies",
    "sysproxylogin",
    "sysproxysubsystem",
    "syssubsystems",
    "systargetservers",
    "systargetservers_view",
    "systargetservergroups",
    "systargetservergroupmembers",
    "sysdownloadlist",
    "sysoriginatingservers",
    "sysoriginatingservers_view",
    "systaskids",
    "sqlagent_info",
    "syscachedcredentials",
];

const PRINCIPALS: &[&str] = &[
    "sys.server_principals",
    "sys.server_role_members",
    "sys.database_principals",
    "sys.database_role_members",
    "sys.credentials",
];

/// A session.
pub struct Session<'f> {
    pub host: MsdbHost,
    fixture: &'f Fixture,
}

/// A string argument.
pub fn s(text: &str) -> Value {
    Value::string(text)
}

/// A number argument.
pub fn n(number: i32) -> Value {
    Value::Int(number)
}

/// What a call came to.
#[derive(Debug)]
pub struct Answer {
    pub result: Result<i32, SqlError>,
    pub sets: Vec<(Vec<Column>, Vec<Row>)>,
    pub messages: Vec<SqlError>,
    pub values: BTreeMap<&'static str, Value>,
}

impl Answer {
    /// Holds that the call succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.result.as_ref().ok(), Some(&0), "{:?}", self.result);
        self
    }

    /// Holds that the call raised this number.
    #[track_caller]
    pub fn raised(&self, number: i32) -> &Self {
        let raised = self.result.as_ref().err().map(|error| error.number);
        assert_eq!(raised, Some(number), "{:?}", self.result);
        self
    }

    /// Numbers of the messages.
    pub fn numbers(&self) -> Vec<i32> {
        self.messages.iter().map(|message| message.number).collect()
    }

    /// A column of the first result set.
    pub fn column(&self, name: &str) -> Vec<Value> {
        let (columns, rows) = &self.sets[0];
        let at = columns.iter().position(|c| c.name == name).unwrap();
        rows.iter().map(|row| row[at].clone()).collect()
    }
}

#[derive(Default)]
struct Sink {
    sets: Vec<(Vec<Column>, Vec<Row>)>,
    messages: Vec<SqlError>,
}

impl ResultSink for Sink {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.sets.push((columns.to_vec(), Vec::new()));
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        let (columns, rows) = self.sets.last_mut().unwrap();
        assert_eq!(columns.len(), row.len());
        check_row(columns, &row, false);
        rows.push(row);
        Ok(())
    }

    fn done(&mut self, _rows: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        self.messages.push(message);
    }
}

/// Holds that each value is of its column's type, and NULL only where it may be.
fn check_row(columns: &[Column], row: &Row, nullable: bool) {
    for (column, value) in columns.iter().zip(row) {
        let fits = match value {
            Value::Null => nullable || column.nullable,
            Value::Bit(_) => column.ty == SqlType::Bit,
            Value::TinyInt(_) => column.ty == SqlType::TinyInt,
            Value::SmallInt(_) => column.ty == SqlType::SmallInt,
            Value::Int(_) => matches!(column.ty, SqlType::Int | SqlType::SqlVariant),
            Value::BigInt(_) => matches!(column.ty, SqlType::BigInt | SqlType::SqlVariant),
            Value::Real(_) => column.ty == SqlType::Real,
            Value::DateTimeOffset { .. } => matches!(column.ty, SqlType::DateTimeOffset(_)),
            Value::Float(_) => column.ty == SqlType::Float,
            Value::String(_) => column.ty.is_string() || column.ty == SqlType::SqlVariant,
            Value::Binary(_) => matches!(column.ty, SqlType::VarBinary(_) | SqlType::Binary(_)),
            Value::DateTime { .. } => column.ty == SqlType::DateTime,
            Value::Guid(_) => column.ty == SqlType::UniqueIdentifier,
            Value::Decimal(_)
            | Value::Money(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::DateTime2 { .. }
            | Value::Xml(_) => false,
        };
        assert!(fits, "{} {} is {value:?}", column.name, column.ty);
    }
}

impl Session<'_> {
    /// Calls a procedure with named arguments; the others get their defaults.
    #[track_caller]
    pub fn call(&mut self, name: &str, given: &[(&str, Value)]) -> Answer {
        let declared = self
            .host
            .procedure("msdb", "dbo", name)
            .unwrap_or_else(|| panic!("{name} is not declared"));
        for (parameter, _) in given {
            let known = declared.params.iter().any(|p| p.name == *parameter);
            assert!(known, "{name} has no {parameter}");
        }
        let mut arguments: Vec<Argument> = declared
            .params
            .iter()
            .map(|param| {
                let given = given.iter().find(|(name, _)| *name == param.name);
                Argument {
                    value: match given {
                        Some((_, value)) => typed(value, param.ty),
                        None => param.default.clone().unwrap_or(Value::Null),
                    },
                    given: given.is_some(),
                }
            })
            .collect();
        let mut sink = Sink::default();
        let result = self.host.call(&declared, &mut arguments, &mut sink);
        let values = declared
            .params
            .iter()
            .zip(arguments)
            .map(|(param, argument)| (param.name, argument.value))
            .collect();
        Answer {
            result,
            sets: sink.sets,
            messages: sink.messages,
            values,
        }
    }

    /// As [`Session::call`], holding that it succeeds.
    #[track_caller]
    pub fn ok(&mut self, name: &str, given: &[(&str, Value)]) -> Answer {
        self.call(name, given).ok()
    }

    /// Holds that a call raises a number and changes nothing.
    #[track_caller]
    pub fn fails(&mut self, number: i32, name: &str, given: &[(&str, Value)]) {
        let before = self.fixture.fingerprint();
        let answer = self.call(name, given);
        answer.raised(number);
        assert_eq!(answer.sets.len(), 0, "{name} answered before it failed");
        assert_eq!(
            before,
            self.fixture.fingerprint(),
            "{name} changed something"
        );
    }

    /// Carries out an administrative statement.
    #[track_caller]
    pub fn administer(&mut self, statement: &engine::host::AdminStatement) {
        self.host.administer("msdb", statement).unwrap();
    }

    /// All rows of a table; `sys.` before a name means that schema.
    #[track_caller]
    pub fn rows(&mut self, name: &str) -> Vec<Row> {
        self.select(name, &[]).unwrap()
    }

    /// Rows of a table, sought by columns, or the number raised.
    pub fn select(&mut self, name: &str, keys: &[(&str, Value)]) -> Result<Vec<Row>, i32> {
        let (schema, name) = name.split_once('.').unwrap_or(("dbo", name));
        let decl = self
            .host
            .table("msdb", schema, name)
            .unwrap_or_else(|| panic!("{name} is not declared"));
        let keys: Vec<SeekKey> = keys
            .iter()
            .map(|(column, value)| {
                let column = decl.columns.iter().position(|c| c.name == *column).unwrap();
                assert!(decl.seekable.contains(&column));
                SeekKey {
                    column,
                    value: value.clone(),
                }
            })
            .collect();
        let scan = self
            .host
            .scan("msdb", &decl, &keys)
            .map_err(|error| error.number)?;
        let rows: Vec<Row> = scan.collect::<Result<_, _>>().map_err(|e| e.number)?;
        for row in &rows {
            assert_eq!(row.len(), decl.columns.len(), "{name}");
            check_row(&decl.columns, row, false);
        }
        Ok(rows)
    }

    /// A column of a table.
    #[track_caller]
    pub fn column(&mut self, table: &str, column: &str) -> Vec<Value> {
        let (schema, name) = table.split_once('.').unwrap_or(("dbo", table));
        let decl = self.host.table("msdb", schema, name).unwrap();
        let at = decl.columns.iter().position(|c| c.name == column).unwrap();
        self.rows(table)
            .into_iter()
            .map(|row| row[at].clone())
            .collect()
    }

    /// A local job with one step, targeted here unless told otherwise.
    #[track_caller]
    pub fn job(&mut self, name: &str, target: Option<&str>) {
        self.ok("sp_add_job", &[("@job_name", s(name))]);
        self.ok(
            "sp_add_jobstep",
            &[
                ("@job_name", s(name)),
                ("@step_name", s("one")),
                ("@command", s("SELECT 1")),
            ],
        );
        if let Some(server) = target {
            self.ok(
                "sp_add_jobserver",
                &[("@job_name", s(name)), ("@server_name", s(server))],
            );
        }
    }
}

/// A test's value in a parameter's type, as the engine would hand it over.
fn typed(value: &Value, ty: SqlType) -> Value {
    let Value::Int(number) = value else {
        return value.clone();
    };
    if ty == SqlType::Bit {
        Value::Bit(*number != 0)
    } else if ty == SqlType::TinyInt {
        Value::TinyInt(u8::try_from(*number).unwrap())
    } else {
        Value::Int(*number)
    }
}
