//! A small host for the tests: a few tables, a few procedures, a clock that stands still.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "each test file uses its own part"
)]

use engine::databases::Databases;
use engine::{
    AdminStatement, Argument, BatchOutcome, CancelToken, EnvChange, FunctionDecl, FunctionResult,
    Host, ParamDecl, Principal, ProcedureDecl, ResultSink, Scan, SeekKey, Session, SessionOptions,
    StatementDone, TableDecl,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tsql::{Column, Row, SqlError, SqlType, Value};

/// What happened to the host.
#[derive(Debug, Default, Clone)]
pub(crate) struct Log {
    pub(crate) events: Vec<String>,
    pub(crate) seeks: Vec<Vec<(usize, Value)>>,
}

pub(crate) struct TestHost {
    pub(crate) log: Arc<Mutex<Log>>,
    pub(crate) databases: Option<Arc<Databases>>,
}

pub(crate) fn guid(n: u128) -> Value {
    Value::Guid(uuid::Uuid::from_u128(n))
}

fn jobs() -> Arc<TableDecl> {
    Arc::new(TableDecl {
        database: "msdb",
        schema: "dbo",
        name: "sysjobs",
        columns: vec![
            Column::required("job_id", SqlType::UniqueIdentifier),
            Column::required("name", SqlType::SYSNAME),
            Column::required("enabled", SqlType::TinyInt),
            Column::nullable("description", SqlType::nvarchar(512)),
            Column::required("date_created", SqlType::DateTime),
            Column::required("category_id", SqlType::Int),
        ],
        seekable: vec![0, 1],
    })
}

fn categories() -> Arc<TableDecl> {
    Arc::new(TableDecl {
        database: "msdb",
        schema: "dbo",
        name: "syscategories",
        columns: vec![
            Column::required("category_id", SqlType::Int),
            Column::required("name", SqlType::SYSNAME),
            Column::nullable(
                "cost",
                SqlType::Decimal {
                    precision: 10,
                    scale: 2,
                },
            ),
        ],
        seekable: vec![0],
    })
}

fn numbers() -> Arc<TableDecl> {
    Arc::new(TableDecl {
        database: "msdb",
        schema: "dbo",
        name: "numbers",
        columns: vec![Column::required("n", SqlType::BigInt)],
        seekable: vec![],
    })
}

fn rows_of(name: &str) -> Vec<Row> {
    let day = |days: i32| Value::DateTime { days, ticks: 0 };
    match name {
        "sysjobs" => vec![
            vec![
                guid(1),
                "Backup".into(),
                Value::TinyInt(1),
                "nightly".into(),
                day(45_000),
                1.into(),
            ],
            vec![
                guid(2),
                "cleanup".into(),
                Value::TinyInt(0),
                Value::Null,
                day(45_001),
                1.into(),
            ],
            vec![
                guid(3),
                "Report".into(),
                Value::TinyInt(1),
                "weekly".into(),
                day(45_002),
                2.into(),
            ],
            vec![
                guid(4),
                "Z's last".into(),
                Value::TinyInt(1),
                "".into(),
                day(45_003),
                9.into(),
            ],
        ],
        _ => vec![
            vec![1.into(), "Maintenance".into(), decimal(1250)],
            vec![2.into(), "Reporting".into(), decimal(99)],
            vec![3.into(), "Unused".into(), Value::Null],
        ],
    }
}

fn decimal(unscaled: i128) -> Value {
    Value::Decimal(tsql::Decimal {
        unscaled,
        precision: 10,
        scale: 2,
    })
}

fn procedure(name: &'static str, params: Vec<ParamDecl>) -> Arc<ProcedureDecl> {
    Arc::new(ProcedureDecl {
        database: "msdb",
        schema: "dbo",
        name,
        params,
    })
}

fn param(name: &'static str, ty: SqlType, default: Option<Value>, output: bool) -> ParamDecl {
    ParamDecl {
        name,
        ty,
        default,
        output,
    }
}

impl Host for TestHost {
    fn principal(&self) -> Principal {
        Principal {
            login: "sa".into(),
            sid: vec![1],
            sysadmin: true,
        }
    }

    fn enter_database(&mut self, database: &str) {
        self.log
            .lock()
            .unwrap()
            .events
            .push(format!("use {database}"));
    }

    fn databases(&self) -> Option<Arc<Databases>> {
        self.databases.clone()
    }

    fn database(&self, name: &str) -> Option<String> {
        if let Some(databases) = &self.databases {
            return databases.named(name).map(|info| info.name);
        }
        ["master", "msdb", "tempdb"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name))
            .map(str::to_owned)
    }

    fn table(&self, database: &str, schema: &str, name: &str) -> Option<Arc<TableDecl>> {
        if database != "msdb" || !schema.eq_ignore_ascii_case("dbo") {
            return None;
        }
        match name.to_lowercase().as_str() {
            "sysjobs" => Some(jobs()),
            "syscategories" => Some(categories()),
            "numbers" => Some(numbers()),
            _ => None,
        }
    }

    fn scan(&mut self, _: &str, table: &TableDecl, keys: &[SeekKey]) -> Result<Scan, SqlError> {
        let keys: Vec<(usize, Value)> = keys.iter().map(|k| (k.column, k.value.clone())).collect();
        self.log.lock().unwrap().seeks.push(keys.clone());
        if table.name == "numbers" {
            return Ok(Box::new((0_i64..).map(|n| Ok(vec![Value::BigInt(n)]))));
        }
        let rows: Vec<Row> = rows_of(table.name)
            .into_iter()
            .filter(|row| {
                keys.iter()
                    .all(|(column, value)| match (&row[*column], value) {
                        (Value::String(a), Value::String(b)) => {
                            a.eq_ignore_ascii_case(b.trim_end())
                        }
                        (a, b) => a == b,
                    })
            })
            .collect();
        Ok(Box::new(rows.into_iter().map(Ok)))
    }

    fn function(&self, database: &str, _: &str, name: &str) -> Option<Arc<FunctionDecl>> {
        let int = |name| param(name, SqlType::Int, Some(Value::Null), false);
        let returns = match name.to_lowercase().as_str() {
            "twice" => FunctionResult::Scalar(SqlType::Int),
            "upto" => FunctionResult::Table(vec![Column::required("n", SqlType::Int)]),
            _ => return None,
        };
        Some(Arc::new(FunctionDecl {
            database: if database == "master" {
                "master"
            } else {
                "msdb"
            },
            schema: "dbo",
            name: if matches!(returns, FunctionResult::Scalar(_)) {
                "twice"
            } else {
                "upto"
            },
            params: vec![int("@n")],
            returns,
        }))
    }

    fn call_scalar(&mut self, _: &FunctionDecl, args: &[Value]) -> Result<Value, SqlError> {
        Ok(args[0]
            .as_i64()
            .map_or(Value::Null, |n| Value::Int(i32::try_from(n * 2).unwrap())))
    }

    fn scan_function(&mut self, _: &FunctionDecl, args: &[Value]) -> Result<Scan, SqlError> {
        let most = i32::try_from(args[0].as_i64().unwrap_or(0)).unwrap();
        Ok(Box::new((1..=most).map(|n| Ok(vec![Value::Int(n)]))))
    }

    fn procedure(&self, database: &str, schema: &str, name: &str) -> Option<Arc<ProcedureDecl>> {
        if database != "msdb" || schema != "dbo" {
            return None;
        }
        Some(match name.to_lowercase().as_str() {
            "sp_add_job" => procedure(
                "sp_add_job",
                vec![
                    param("@job_name", SqlType::SYSNAME, None, false),
                    param("@enabled", SqlType::TinyInt, Some(Value::TinyInt(1)), false),
                    param(
                        "@description",
                        SqlType::nvarchar(512),
                        Some(Value::Null),
                        false,
                    ),
                    param(
                        "@job_id",
                        SqlType::UniqueIdentifier,
                        Some(Value::Null),
                        true,
                    ),
                ],
            ),
            "sp_help_job" => procedure("sp_help_job", vec![]),
            "sp_fail" => procedure(
                "sp_fail",
                vec![param(
                    "@number",
                    SqlType::Int,
                    Some(Value::Int(14_262)),
                    false,
                )],
            ),
            _ => return None,
        })
    }

    fn call(
        &mut self,
        procedure: &ProcedureDecl,
        arguments: &mut [Argument],
        sink: &mut dyn ResultSink,
    ) -> Result<i32, SqlError> {
        match procedure.name {
            "sp_add_job" => {
                let text = format!("add {:?} given {}", arguments[0].value, arguments[2].given);
                self.log.lock().unwrap().events.push(text);
                if arguments[0].value.as_str() == Some("taken") {
                    return Err(SqlError::new(
                        14_261,
                        16,
                        "The specified @name ('taken') already exists.",
                    ));
                }
                arguments[3].value = guid(77);
                Ok(0)
            }
            "sp_help_job" => {
                sink.columns(&jobs().columns[..2])?;
                for row in rows_of("sysjobs") {
                    sink.row(row[..2].to_vec())?;
                }
                sink.done(Some(4))?;
                Ok(0)
            }
            _ => {
                let number = i32::try_from(arguments[0].value.as_i64().unwrap()).unwrap();
                Err(SqlError::new(number, 16, "It failed."))
            }
        }
    }

    fn administer(&mut self, database: &str, statement: &AdminStatement) -> Result<(), SqlError> {
        self.log
            .lock()
            .unwrap()
            .events
            .push(format!("{database}: {statement:?}"));
        Ok(())
    }

    fn begin(&mut self) -> Result<(), SqlError> {
        self.log.lock().unwrap().events.push("begin".into());
        Ok(())
    }

    fn commit(&mut self) -> Result<(), SqlError> {
        self.log.lock().unwrap().events.push("commit".into());
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), SqlError> {
        self.log.lock().unwrap().events.push("rollback".into());
        Ok(())
    }

    fn savepoint(&mut self, name: &str, restore: bool) -> Result<(), SqlError> {
        self.log
            .lock()
            .unwrap()
            .events
            .push(format!("save {name} {restore}"));
        Ok(())
    }

    fn server_property(&self, name: &str) -> Value {
        match name.to_lowercase().as_str() {
            "servername" => "MASTER".into(),
            "productversion" => "16.0.1000.6".into(),
            "isclustered" => Value::Int(0),
            "@@version" => "Microsoft SQL Server 2022 (Muster)".into(),
            _ => Value::Null,
        }
    }

    fn is_server_role_member(&self, role: &str, _: Option<&str>) -> Option<bool> {
        role.eq_ignore_ascii_case("sysadmin").then_some(true)
    }

    fn is_role_member(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        Some(true)
    }

    fn login_sid(&self, _: Option<&str>) -> Option<Vec<u8>> {
        Some(vec![1])
    }

    fn login_name(&self, _: Option<&[u8]>) -> Option<String> {
        Some("sa".into())
    }

    /// 2026-11-23 12:34:56.789 UTC, an hour east of it.
    fn now(&self) -> (i64, i16) {
        (1_795_437_296_789_000, 60)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// Everything a session wrote, one line each.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<String>,
    pub(crate) types: Vec<SqlType>,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    /// Cancels after that many rows.
    pub(crate) cancel_after: Option<(usize, CancelToken)>,
    /// Shows severity, state and text of messages too.
    pub(crate) texts: bool,
}

impl ResultSink for Lines {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.types = columns.iter().map(|c| c.ty).collect();
        self.columns = columns.to_vec();
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        if names.iter().any(|name| !name.is_empty()) {
            self.lines.push(format!("[{}]", names.join("|")));
        }
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        for (column, value) in self.columns.iter().zip(&row) {
            let promised = column.nullable || !value.is_null();
            assert!(promised, "NULL in {:?} after {:?}", column, self.lines);
        }
        let values: Vec<String> = row
            .iter()
            .zip(&self.types)
            .map(|(value, ty)| match value {
                Value::Null => "NULL".to_owned(),
                Value::Binary(bytes) => {
                    let digits: String = bytes.iter().map(|b| format!("{b:02X}")).collect();
                    format!("0x{digits}")
                }
                other => tsql::convert::text_of(other, *ty),
            })
            .collect();
        self.rows.push(row);
        if let Some((most, token)) = &self.cancel_after {
            if self.rows.len() >= *most {
                token.cancel();
            }
            return Ok(());
        }
        self.lines.push(values.join("|"));
        Ok(())
    }

    fn done(&mut self, _: Option<u64>) -> Result<(), SqlError> {
        panic!("the engine ends statements by statement_done");
    }

    fn statement_done(&mut self, done: StatementDone) -> Result<(), SqlError> {
        if !done.select
            && !done.failed
            && let Some(rows) = done.rows
        {
            self.lines.push(format!("({rows})"));
        }
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        // What follows an error is shown with the texts alone.
        if matches!(message.number, 5701 | 5703) || (message.number == 3621 && !self.texts) {
            return;
        }
        if self.texts && message.number != 0 {
            self.lines.push(format!(
                "Msg {}:{}:{}:{} {}",
                message.number, message.severity, message.state, message.line, message.message
            ));
            return;
        }
        self.lines.push(if message.number == 0 {
            format!("> {}", message.message)
        } else {
            let place = if message.procedure.is_empty() {
                String::new()
            } else {
                format!(" in {}", message.procedure)
            };
            format!("Msg {}:{}{place}", message.number, message.line)
        });
    }

    fn env_change(&mut self, _: EnvChange) {}
}

pub(crate) struct Fixture {
    pub(crate) session: Session,
    pub(crate) log: Arc<Mutex<Log>>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    /// A session over databases in which objects can be made.
    pub(crate) fn with(databases: Option<Arc<Databases>>) -> Self {
        let log = Arc::new(Mutex::new(Log::default()));
        let host = TestHost {
            log: Arc::clone(&log),
            databases,
        };
        let options = SessionOptions {
            database: "msdb".into(),
            application: "tests".into(),
            host_name: "here".into(),
            ..SessionOptions::default()
        };
        Self {
            session: Session::new(Box::new(host), options).unwrap(),
            log,
        }
    }

    pub(crate) fn run(&mut self, sql: &str) -> (Vec<String>, BatchOutcome) {
        let mut lines = Lines::default();
        let outcome = self
            .session
            .execute_batch(sql, &mut lines, &CancelToken::new());
        (lines.lines, outcome)
    }
}

/// What a batch writes in a fresh session, lines joined by `; `.
#[track_caller]
pub(crate) fn check(sql: &str, expected: &str) {
    let (lines, _) = Fixture::new().run(sql);
    assert_eq!(lines.join("; "), expected, "{sql}");
}

/// The value of an expression.
#[track_caller]
pub(crate) fn value(expression: &str, expected: &str) {
    check(&format!("SELECT {expression}"), expected);
}
