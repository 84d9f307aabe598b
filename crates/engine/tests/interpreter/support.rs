//! A host in memory, a sink that writes a transcript, and `check`.

use engine::host::{
    AdminStatement, Argument, EnvChange, FunctionDecl, FunctionResult, Host, ParamDecl, Principal,
    ProcedureDecl, ResultSink, SYSTEM_DATABASES, Scan, SeekKey, StatementDone, TableDecl,
};
use engine::{CancelToken, Session, SessionOptions};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tsql::{Column, Row, SqlError, SqlType, Value};

/// What the host was asked to do, in order.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// A host with a few procedures, one table and one function.
pub(crate) struct MemoryHost {
    log: Log,
    database: String,
    savepoints: Vec<String>,
    /// The next COMMIT fails.
    pub(crate) commit_fails: bool,
    pub(crate) sysadmin: bool,
}

impl MemoryHost {
    pub(crate) fn new(log: Log) -> Self {
        Self {
            log,
            database: "master".to_owned(),
            savepoints: Vec::new(),
            commit_fails: false,
            sysadmin: true,
        }
    }

    fn note(&self, text: impl Into<String>) {
        self.log.lock().unwrap().push(text.into());
    }
}

fn param(name: &'static str, ty: SqlType, default: Option<Value>, output: bool) -> ParamDecl {
    ParamDecl {
        name,
        ty,
        default,
        output,
    }
}

fn procedures() -> Vec<ProcedureDecl> {
    let msdb = |name, params| ProcedureDecl {
        database: "msdb",
        schema: "dbo",
        name,
        params,
    };
    let guid = SqlType::UniqueIdentifier;
    vec![
        msdb(
            "sp_add_thing",
            vec![
                param("@name", SqlType::SYSNAME, None, false),
                param("@count", SqlType::Int, Some(Value::Int(7)), false),
                param("@id", SqlType::Int, Some(Value::Null), true),
                param("@guid", guid, Some(Value::Null), true),
            ],
        ),
        // Raises an error.
        msdb(
            "sp_fail",
            vec![param(
                "@number",
                SqlType::Int,
                Some(Value::Int(14_262)),
                false,
            )],
        ),
        // Reports an error and returns 1.
        msdb("sp_complain", vec![]),
        // Two rows.
        msdb("sp_rows", vec![]),
        // Returns what it is given.
        msdb(
            "sp_return",
            vec![param("@code", SqlType::Int, Some(Value::Int(0)), false)],
        ),
        ProcedureDecl {
            database: "master",
            schema: "sys",
            name: "sp_where",
            params: vec![],
        },
    ]
}

impl Host for MemoryHost {
    fn principal(&self) -> Principal {
        Principal {
            login: "sa".to_owned(),
            sid: vec![1],
            sysadmin: self.sysadmin,
        }
    }

    fn enter_database(&mut self, database: &str) {
        database.clone_into(&mut self.database);
    }

    fn database(&self, name: &str) -> Option<String> {
        SYSTEM_DATABASES
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(_, known)| (*known).to_owned())
    }

    fn table(&self, database: &str, schema: &str, name: &str) -> Option<Arc<TableDecl>> {
        let known = database.eq_ignore_ascii_case("msdb")
            && schema.eq_ignore_ascii_case("dbo")
            && name.eq_ignore_ascii_case("things");
        known.then(|| {
            Arc::new(TableDecl {
                database: "msdb",
                schema: "dbo",
                name: "things",
                columns: vec![
                    Column::required("id", SqlType::Int),
                    Column::nullable("name", SqlType::SYSNAME),
                ],
                seekable: vec![0],
            })
        })
    }

    fn scan(&mut self, _: &str, _: &TableDecl, _: &[SeekKey]) -> Result<Scan, SqlError> {
        let rows = [(1, "one"), (2, "two"), (3, "three")];
        Ok(Box::new(rows.into_iter().map(|(id, name)| {
            Ok(vec![Value::Int(id), Value::string(name)])
        })))
    }

    fn function(&self, database: &str, _: &str, name: &str) -> Option<Arc<FunctionDecl>> {
        let known = database.eq_ignore_ascii_case("msdb") && name.eq_ignore_ascii_case("twice");
        known.then(|| {
            Arc::new(FunctionDecl {
                database: "msdb",
                schema: "dbo",
                name: "twice",
                params: vec![param("@n", SqlType::Int, None, false)],
                returns: FunctionResult::Scalar(SqlType::Int),
            })
        })
    }

    fn call_scalar(&mut self, _: &FunctionDecl, args: &[Value]) -> Result<Value, SqlError> {
        let n = args.first().and_then(Value::as_i64).unwrap_or(0);
        Ok(Value::Int(i32::try_from(n * 2).unwrap()))
    }

    fn procedure(&self, database: &str, schema: &str, name: &str) -> Option<Arc<ProcedureDecl>> {
        procedures()
            .into_iter()
            .find(|decl| {
                decl.database.eq_ignore_ascii_case(database)
                    && decl.schema.eq_ignore_ascii_case(schema)
                    && decl.name.eq_ignore_ascii_case(name)
            })
            .map(Arc::new)
    }

    fn call(
        &mut self,
        procedure: &ProcedureDecl,
        arguments: &mut [Argument],
        sink: &mut dyn ResultSink,
    ) -> Result<i32, SqlError> {
        let shown: Vec<String> = arguments
            .iter()
            .map(|argument| {
                let given = if argument.given { "" } else { "*" };
                format!("{}{given}", show(&argument.value))
            })
            .collect();
        self.note(format!("{} {}", procedure.name, shown.join(", ")));
        match procedure.name {
            "sp_add_thing" => {
                arguments[2].value = Value::Int(42);
                arguments[3].value = Value::Guid(uuid::Uuid::from_u128(7));
                Ok(0)
            }
            "sp_fail" => {
                let number = arguments[0].value.as_i64().unwrap();
                let number = i32::try_from(number).unwrap();
                Err(SqlError::new(number, 16, "It failed."))
            }
            "sp_complain" => {
                sink.message(SqlError::new(0, 0, "just a word"));
                sink.message(SqlError::new(14_500, 16, "I complain."));
                Ok(1)
            }
            "sp_rows" => {
                sink.columns(&[Column::nullable("n", SqlType::Int)])?;
                sink.row(vec![Value::Int(1)])?;
                sink.row(vec![Value::Int(2)])?;
                sink.done(Some(2))?;
                Ok(0)
            }
            "sp_return" => Ok(i32::try_from(arguments[0].value.as_i64().unwrap()).unwrap()),
            "sp_where" => {
                let database = self.database.clone();
                self.note(format!("in {database}"));
                Ok(0)
            }
            other => panic!("no body for {other}"),
        }
    }

    fn administer(&mut self, database: &str, statement: &AdminStatement) -> Result<(), SqlError> {
        if let AdminStatement::DropUser { name } = statement
            && name == "nobody"
        {
            return Err(SqlError::new(15_151, 16, "Cannot drop the user 'nobody'."));
        }
        self.note(format!("{database}: {statement:?}"));
        Ok(())
    }

    fn begin(&mut self) -> Result<(), SqlError> {
        self.note("begin");
        self.savepoints.clear();
        Ok(())
    }

    fn commit(&mut self) -> Result<(), SqlError> {
        if std::mem::take(&mut self.commit_fails) {
            self.note("commit fails");
            return Err(SqlError::new(
                1222,
                16,
                "Lock request time out period exceeded.",
            ));
        }
        self.note("commit");
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), SqlError> {
        self.note("rollback");
        Ok(())
    }

    fn savepoint(&mut self, name: &str, restore: bool) -> Result<(), SqlError> {
        if restore {
            if !self.savepoints.iter().any(|known| known == name) {
                return Err(tsql::messages::UNKNOWN_SAVEPOINT.with(&[name]));
            }
            self.note(format!("rollback to {name}"));
        } else {
            self.savepoints.push(name.to_owned());
            self.note(format!("save {name}"));
        }
        Ok(())
    }

    fn server_property(&self, name: &str) -> Value {
        if name.eq_ignore_ascii_case("ServerName") {
            Value::string("MEMORY")
        } else {
            Value::Null
        }
    }

    fn is_server_role_member(&self, _: &str, _: Option<&str>) -> Option<bool> {
        Some(self.sysadmin)
    }

    fn is_role_member(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
        Some(false)
    }

    fn login_sid(&self, _: Option<&str>) -> Option<Vec<u8>> {
        Some(vec![1])
    }

    fn login_name(&self, _: Option<&[u8]>) -> Option<String> {
        Some("sa".to_owned())
    }

    fn now(&self) -> (i64, i16) {
        // 2026-01-02 03:04:05 UTC
        (1_767_323_045_000_000, 0)
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => match other.as_i64() {
            Some(number) => number.to_string(),
            None => tsql::convert::text_of(other, tsql::convert::type_of(other)),
        },
    }
}

/// Writes what comes, a line each.
#[derive(Default)]
pub(crate) struct Transcript {
    pub(crate) text: String,
    pub(crate) columns: Vec<Column>,
    /// Cancels at the first flush: what was told so far is out, and WAITFOR begins.
    pub(crate) cancel_at_flush: Option<CancelToken>,
}

impl ResultSink for Transcript {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        writeln!(self.text, "[{}]", names.join(",")).unwrap();
        self.columns = columns.to_vec();
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        for (column, value) in self.columns.iter().zip(&row) {
            let promised = column.nullable || !value.is_null();
            assert!(promised, "NULL in {column:?} after {}", self.text);
        }
        let values: Vec<String> = row.iter().map(show).collect();
        writeln!(self.text, "({})", values.join(",")).unwrap();
        Ok(())
    }

    fn done(&mut self, _: Option<u64>) -> Result<(), SqlError> {
        panic!("the engine ends statements by statement_done");
    }

    fn message(&mut self, message: SqlError) {
        if message.number == 0 {
            writeln!(self.text, "> {}", message.message).unwrap();
        } else {
            writeln!(self.text, "{message}").unwrap();
        }
    }

    fn statement_done(&mut self, done: StatementDone) -> Result<(), SqlError> {
        let mut line = "done".to_owned();
        if let Some(rows) = done.rows {
            write!(line, " {rows}").unwrap();
        }
        for (set, word) in [(done.in_procedure, "inside"), (done.failed, "failed")] {
            if set {
                write!(line, " {word}").unwrap();
            }
        }
        writeln!(self.text, "{line}").unwrap();
        Ok(())
    }

    fn procedure_done(&mut self, code: i32) -> Result<(), SqlError> {
        writeln!(self.text, "returned {code}").unwrap();
        Ok(())
    }

    fn env_change(&mut self, change: EnvChange) {
        let line = match change {
            EnvChange::Database { new, .. } => format!("database {new}"),
            EnvChange::Language { new, .. } => format!("language {new}"),
            EnvChange::TransactionBegun(id) => format!("begun {id}"),
            EnvChange::TransactionCommitted(id) => format!("committed {id}"),
            EnvChange::TransactionRolledBack(id) => format!("rolled back {id}"),
        };
        writeln!(self.text, "{line}").unwrap();
    }

    fn flush(&mut self) -> Result<(), SqlError> {
        if let Some(cancel) = &self.cancel_at_flush {
            cancel.cancel();
        }
        Ok(())
    }
}

/// A session with its log.
pub(crate) struct Fixture {
    pub(crate) session: Session,
    pub(crate) log: Log,
}

pub(crate) fn fixture() -> Fixture {
    fixture_of(|_| {})
}

pub(crate) fn fixture_of(change: impl FnOnce(&mut MemoryHost)) -> Fixture {
    new_fixture(change, |_| {})
}

pub(crate) fn fixture_with(change: impl FnOnce(&mut SessionOptions)) -> Fixture {
    new_fixture(|_| {}, change)
}

fn new_fixture(
    change: impl FnOnce(&mut MemoryHost),
    set: impl FnOnce(&mut SessionOptions),
) -> Fixture {
    let log = Log::default();
    let mut host = MemoryHost::new(Arc::clone(&log));
    change(&mut host);
    let mut options = SessionOptions {
        database: "msdb".to_owned(),
        ..SessionOptions::default()
    };
    set(&mut options);
    let session = Session::new(Box::new(host), options).unwrap();
    Fixture { session, log }
}

impl Fixture {
    /// Runs a batch; its transcript.
    pub(crate) fn run(&mut self, sql: &str) -> String {
        let mut sink = Transcript::default();
        let outcome = self
            .session
            .execute_batch(sql, &mut sink, &CancelToken::new());
        let told = sink.text.contains("Msg ");
        if let Some(error) = &outcome.last_error {
            assert!(told, "not told: {error} in {sql}");
        }
        sink.text
    }

    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

/// Checks the transcript of a batch in a new session.
#[track_caller]
pub(crate) fn check(sql: &str, expected: &str) {
    same(&fixture().run(sql), expected, sql);
}

/// Compares transcripts, indentation aside.
#[track_caller]
pub(crate) fn same(got: &str, expected: &str, sql: &str) {
    let expected: Vec<&str> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let got: Vec<&str> = got.lines().map(str::trim_end).collect();
    assert_eq!(got, expected, "\n{sql}\n");
}
