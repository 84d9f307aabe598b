//! SQL sessions: logins over TDS, and batches that the instance runs for itself.

use crate::agent_runtime::StepLogin;
use crate::clock::Clock;
use crate::control::ResultTable;
use crate::identity::PasswordVault;
use crate::logins::{LoginRefused, authenticate};
use crate::machine;
use crate::tds_front::{AcceptedLogin, LoginRequest, SessionFactory, SqlSession};
use catalog::{Catalog, Login};
use engine::{
    BatchOutcome, BulkRows, CancelToken, Host as _, ResultSink, RpcCall, RpcOutcome, RpcProcedure,
    Session, SessionOptions, SessionSettings,
};
use msdb::MsdbHost;
use msdb::services::{RequestInfo, Services, SessionInfo, TransactionInfo};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tsql::{Column, Row, SqlError};
use uuid::Uuid;

/// Login failed. Source: SQL Server error 18456, severity 14, state 1 whatever the cause.
const LOGIN_FAILED: i32 = 18_456;
/// Too many connections or no room for one more. Source: SQL Server error 17809.
const TOO_BUSY: i32 = 17_809;
/// The database does not exist or is not the login's to open. Source: SQL Server error 4060, severity 11.
const CANNOT_OPEN_DATABASE: i32 = 4_060;
/// Rows that a batch of the instance itself may give.
const OWN_ROWS_MAX: usize = 100_000;
/// Database that sessions start in unless login or client say otherwise.
const DATABASE_DEFAULT: &str = "master";

/// Opens sessions and knows the open ones.
pub struct Sessions {
    catalog: Catalog,
    vault: Arc<PasswordVault>,
    clock: Arc<dyn Clock>,
    /// Set once, when the instance around it is complete.
    services: OnceLock<Arc<dyn Services>>,
    open: Mutex<BTreeMap<i16, SessionInfo>>,
}

impl Sessions {
    /// No sessions yet.
    #[must_use]
    pub fn new(catalog: Catalog, vault: Arc<PasswordVault>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            catalog,
            vault,
            clock,
            services: OnceLock::new(),
            open: Mutex::default(),
        })
    }

    /// Gives the sessions the instance they run in; the first call counts.
    pub fn attach(&self, services: Arc<dyn Services>) {
        drop(self.services.set(services));
    }

    /// Open sessions, in order of their numbers.
    #[must_use]
    pub fn list(&self) -> Vec<SessionInfo> {
        self.open().values().cloned().collect()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<i16, SessionInfo>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session of a login, outside any connection.
    ///
    /// # Errors
    /// 911 and kin for the database; 17809 before the instance is complete.
    pub fn session(
        &self,
        (name, sid): (&str, &[u8]),
        options: SessionOptions,
    ) -> Result<Session, SqlError> {
        Session::new(Box::new(self.host(name, sid)?), options)
    }

    fn host(&self, name: &str, sid: &[u8]) -> Result<MsdbHost, SqlError> {
        let services = self
            .services
            .get()
            .ok_or_else(|| SqlError::new(TOO_BUSY, 20, "The server is starting."))?;
        Ok(MsdbHost::new(
            self.catalog.clone(),
            Arc::clone(services),
            name.to_owned(),
            sid.to_vec(),
        ))
    }

    /// A session for a T-SQL step: of the job's owner, or of the database user that the step names.
    ///
    /// # Errors
    /// As [`Sessions::session`]; 15517 for a database user that there is none of.
    pub fn step_session(&self, step: &StepLogin) -> Result<Session, SqlError> {
        let options = SessionOptions {
            database: step.database.clone(),
            application: step.program.clone(),
            ..SessionOptions::default()
        };
        let mut session = self.session((&step.login, &step.sid), options)?;
        if let Some(user) = &step.database_user {
            session.act_as_user(user)?;
        }
        Ok(session)
    }

    /// Runs a batch as a login and gathers its result sets.
    ///
    /// # Errors
    /// The first error; batches after it do not run.
    pub fn run(&self, login: &Login, text: &str) -> Result<Vec<ResultTable>, SqlError> {
        let options = SessionOptions {
            database: "msdb".to_owned(),
            application: "muster".to_owned(),
            ..SessionOptions::default()
        };
        let mut session = self.session((&login.name, &login.sid), options)?;
        let mut gathered = Gathered::default();
        for batch in tsql::parser::split_batches(text) {
            for _ in 0..batch.count {
                session.execute_batch(batch.text, &mut gathered, &CancelToken::new());
                if let Some(error) = gathered.error {
                    return Err(error);
                }
            }
        }
        Ok(gathered.results)
    }
}

impl SessionFactory for Arc<Sessions> {
    fn login(&self, request: LoginRequest) -> Result<AcceptedLogin, SqlError> {
        let login = authenticate(
            &self.catalog,
            &self.vault,
            (&request.login, &request.password),
            request.peer.ip(),
            self.clock.monotonic(),
        )
        .map_err(|refused| {
            tracing::warn!(login = request.login, peer = %request.peer, reason = %refused, "login refused");
            refused_text(&request.login, &refused)
        })?;
        let wanted = [request.database.as_str(), login.default_database.as_str()]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or(DATABASE_DEFAULT);
        let host = self.host(&login.name, &login.sid)?;
        let database = host
            .database(wanted)
            .filter(|database| host.may_enter(database))
            .ok_or_else(|| {
                SqlError::new(
                    CANNOT_OPEN_DATABASE,
                    11,
                    format!("Cannot open database \"{wanted}\" requested by the login. The login failed."),
                )
            })?;
        let options = SessionOptions {
            database: database.clone(),
            application: request.application.clone(),
            host_name: request.host_name.clone(),
            spid: i16::try_from(request.spid).unwrap_or(i16::MAX),
            ..SessionOptions::default()
        };
        let language = options.language.clone();
        let now = self.clock.now();
        let info = SessionInfo {
            session_id: options.spid,
            login: login.name.clone(),
            sid: login.sid.clone(),
            host: request.host_name,
            program: request.application,
            client_interface: request.library,
            client_address: Some(request.peer.ip().to_string()),
            login_time: now,
            last_request: now,
            database: database.clone(),
            running: false,
            last_request_end: None,
            request: None,
            cpu: Duration::ZERO,
            settings: SessionSettings::default(),
            client_process_id: request.client_pid,
            protocol_version: request.version.0,
            connection: Uuid::new_v4(),
            client_port: Some(request.peer.port()),
            transaction: None,
            encrypted: request.encrypted,
            open_transactions: 0,
            isolation_level: 2,
        };
        let sessions = Arc::clone(self);
        Ok(AcceptedLogin {
            database,
            language,
            open: Box::new(move || {
                let session = sessions.session((&login.name, &login.sid), options)?;
                sessions.open().insert(info.session_id, info.clone());
                Ok(Box::new(Tracked {
                    session,
                    sessions,
                    id: info.session_id,
                }))
            }),
        })
    }
}

fn refused_text(login: &str, refused: &LoginRefused) -> SqlError {
    match refused {
        LoginRefused::Braked(_) => SqlError::new(
            TOO_BUSY,
            20,
            format!("Login of '{login}' is not possible now: {refused}. Try again later."),
        ),
        LoginRefused::Wrong
        | LoginRefused::Disabled
        | LoginRefused::Denied
        | LoginRefused::Rights(_)
        | LoginRefused::Catalog(_) => SqlError::new(
            LOGIN_FAILED,
            14,
            format!("Login failed for user '{login}'."),
        ),
    }
}

/// What a remote call says: the text of the statement that it carries, else the procedure's name.
fn said(call: &RpcCall) -> String {
    let texts = call
        .params
        .iter()
        .filter_map(|param| param.value.as_ref()?.as_str());
    match &call.procedure {
        // The statement is the longest text: declarations of its parameters stand before or after it.
        RpcProcedure::Id(_) => texts
            .max_by_key(|text| text.len())
            .unwrap_or_default()
            .to_owned(),
        RpcProcedure::Name(name) if name.to_ascii_lowercase().ends_with("sp_executesql") => texts
            .max_by_key(|text| text.len())
            .unwrap_or(name)
            .to_owned(),
        RpcProcedure::Name(name) => name.clone(),
    }
}

/// A session that shows in `sys.dm_exec_sessions` as long as it lives.
struct Tracked {
    session: Session,
    sessions: Arc<Sessions>,
    id: i16,
}

impl Tracked {
    /// A request begins.
    fn begins(&self, text: &str, rpc: bool) {
        let text = RequestInfo::kept(text);
        let now = self.sessions.clock.now();
        if let Some(info) = self.sessions.open().get_mut(&self.id) {
            let number = info.request.as_ref().map_or(0, |request| request.number) + 1;
            info.request = Some(RequestInfo { number, text, rpc });
            info.running = true;
            info.last_request = now;
        }
    }

    /// A request has ended, or something else has changed the session.
    fn note(&self) {
        let now = self.sessions.clock.now();
        let settings = self.session.settings();
        // The session has its thread for itself.
        let cpu = machine::thread_time();
        if let Some(info) = self.sessions.open().get_mut(&self.id) {
            if info.running {
                info.running = false;
                info.last_request_end = Some(now);
            }
            info.cpu = cpu;
            info.isolation_level = settings.isolation;
            info.settings = settings;
            Session::database(&self.session).clone_into(&mut info.database);
            info.open_transactions =
                i32::try_from(self.session.transaction_count()).unwrap_or(i32::MAX);
            let descriptor = self.session.transaction_descriptor();
            info.transaction = match info.transaction {
                Some(open) if open.descriptor == descriptor => Some(open),
                _ => (descriptor != 0).then_some(TransactionInfo {
                    descriptor,
                    begun: now,
                }),
            };
        }
    }
}

impl SqlSession for Tracked {
    fn batch(
        &mut self,
        text: &str,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> BatchOutcome {
        self.begins(text, false);
        let outcome = self.session.batch(text, sink, cancel);
        self.note();
        outcome
    }

    fn rpc(
        &mut self,
        call: RpcCall,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> RpcOutcome {
        self.begins(&said(&call), true);
        let outcome = self.session.rpc(call, sink, cancel);
        self.note();
        outcome
    }

    fn bulk_load(
        &mut self,
        rows: &mut dyn BulkRows,
        sink: &mut dyn ResultSink,
        cancel: &CancelToken,
    ) -> (BatchOutcome, Option<u64>) {
        self.begins("INSERT BULK", false);
        let loaded = self.session.bulk_load(rows, sink, cancel);
        self.note();
        loaded
    }

    fn begin(&mut self, name: &str, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        let done = self.session.begin(name, sink);
        self.note();
        done
    }

    fn commit(&mut self, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        let done = self.session.commit(sink);
        self.note();
        done
    }

    fn rollback(&mut self, name: &str, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        let done = self.session.rollback(name, sink);
        self.note();
        done
    }

    fn transaction(&self) -> u64 {
        self.session.transaction()
    }

    fn database(&self) -> String {
        SqlSession::database(&self.session)
    }

    fn may_reset(&self) -> Result<(), SqlError> {
        SqlSession::may_reset(&self.session)
    }

    fn reset(&mut self) {
        SqlSession::reset(&mut self.session);
        self.note();
    }

    fn reset_keeping_transaction(&mut self) {
        SqlSession::reset_keeping_transaction(&mut self.session);
        self.note();
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.sessions.open().remove(&self.id);
    }
}

/// Result sets in memory, their values as text.
#[derive(Default)]
struct Gathered {
    results: Vec<ResultTable>,
    columns: Vec<Column>,
    rows: usize,
    error: Option<SqlError>,
}

impl ResultSink for Gathered {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.columns = columns.to_vec();
        self.results.push(ResultTable {
            columns: columns.iter().map(|column| column.name.clone()).collect(),
            rows: Vec::new(),
        });
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SqlError> {
        self.rows += 1;
        if self.rows > OWN_ROWS_MAX {
            return Err(SqlError::new(
                TOO_BUSY,
                16,
                format!("The answer has more than {OWN_ROWS_MAX} rows."),
            ));
        }
        let cells = row
            .iter()
            .zip(&self.columns)
            .map(|(value, column)| {
                (!value.is_null()).then(|| tsql::convert::text_of(value, column.ty))
            })
            .collect();
        if let Some(result) = self.results.last_mut() {
            result.rows.push(cells);
        }
        Ok(())
    }

    fn done(&mut self, _rows: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        if message.is_error() && self.error.is_none() {
            self.error = Some(message);
        }
    }
}
