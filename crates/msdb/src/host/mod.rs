//! The engine's host: one session's view of msdb, of `sys`, and of its own transaction.

mod identity;

pub use identity::may_connect;

use crate::admin;
use crate::call::{Call, Output, Store, Transaction, index};
use crate::caller::{AgentRole, Caller};
use crate::changes;
use crate::declare::{Database, Declared as DeclaredProcedure, Procedure, columns, procedures};
use crate::error::{Fault, Result, from_catalog};
use crate::functions;
use crate::made::MadeObjects;
use crate::messages::raise;
use crate::procedures::{body, download_marks, is_refused, procedure_text};
use crate::properties;
use crate::rehearsal;
use crate::services::Services;
use crate::system::{self, View};
use crate::tables::{self, Declared, Rows, Scanner};
use catalog::{AuditEntry, Catalog, name_key};
use engine::databases::{ConstraintInfo, Databases, Objects};
use engine::host::{
    AdminStatement, Argument, FunctionDecl, FunctionResult, Host, Identity, Impersonated,
    Principal, ProcedureDecl, ResultSink, RowChange, SYSTEM_DATABASES, Scan, Securable, SeekKey,
    TableDecl, TemporaryTable, stable_object_id,
};
use std::sync::Arc;
use std::time::Duration;
use tsql::{Column, Row, SqlError, Value};

/// One session's host.
pub struct MsdbHost {
    catalog: Catalog,
    services: Arc<dyn Services>,
    /// Whose rights count now.
    identity: Identity,
    /// The login that opened the session.
    original: Identity,
    database: String,
    transaction: Option<Transaction>,
    /// SET LOCK_TIMEOUT of the session; the catalog's limit when `None`.
    lock_timeout: Option<Duration>,
    made: MadeObjects,
    /// The session's temporary tables, as the engine told last; taken by the next read.
    temporary: Vec<TemporaryTable>,
}

impl std::fmt::Debug for MsdbHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MsdbHost")
            .field("login", &self.identity.login)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl MsdbHost {
    /// A session of a login that has been authenticated.
    #[must_use]
    pub fn new(catalog: Catalog, services: Arc<dyn Services>, login: String, sid: Vec<u8>) -> Self {
        let made = MadeObjects::new(services.databases());
        let identity = Identity {
            login,
            sid,
            user: None,
        };
        Self {
            catalog,
            services,
            original: identity.clone(),
            identity,
            database: "master".to_owned(),
            transaction: None,
            lock_timeout: None,
            made,
            temporary: Vec::new(),
        }
    }

    /// An audit row of the caller's.
    fn audit(&self, action: &str, object: &str) -> AuditEntry {
        AuditEntry {
            at: self.services.now().utc,
            principal: self.original.login.clone(),
            action: action.to_owned(),
            object: object.to_owned(),
            detail: None,
        }
    }

    fn store(&mut self) -> Store<'_> {
        Store::new(&self.catalog, self.transaction.as_mut()).waiting(self.lock_timeout)
    }

    /// The transaction of a rehearsal, where the session rehearses.
    fn rehearsed(&mut self) -> Option<&mut Transaction> {
        self.transaction.as_mut().filter(|open| open.rehearsal)
    }

    fn rehearses(&self) -> bool {
        self.transaction.as_ref().is_some_and(|open| open.rehearsal)
    }

    /// Begins a rehearsal, which nothing the session runs can end. 50003 within one, 226 inside a transaction of
    /// the session's own.
    fn rehearse(&mut self, on: bool) -> Result<()> {
        if self.rehearses() {
            return Err(rehearsal::one_way().into());
        }
        if self.transaction.is_some() {
            return Err(raise(226, &[rehearsal::PROCEDURE.into()]).into());
        }
        self.transaction = on.then(|| Transaction {
            rehearsal: true,
            ..Transaction::default()
        });
        Ok(())
    }

    /// The caller's rights now, and that they admit the procedure where one is given. `sa` costs no look.
    fn caller(&mut self, procedure: Option<&'static Procedure>) -> Result<Caller> {
        if let Some(sa) = Caller::sa(&self.made, &self.identity, &self.original) {
            return Ok(sa);
        }
        let made = self.made.clone();
        let (identity, original) = (self.identity.clone(), self.original.clone());
        self.store().read(|definitions| {
            let caller = Caller::resolve(definitions, &made, &identity, &original)?;
            if let Some(procedure) = procedure {
                caller.check_execute(definitions, procedure)?;
            }
            Ok(caller)
        })
    }

    /// A read that answers a question about principals; a failure of the store is logged and answers `None`.
    fn ask<T>(
        &self,
        question: impl FnOnce(&dyn catalog::DefinitionsRead) -> Result<Option<T>>,
    ) -> Option<T> {
        match self.catalog.definitions_read(question) {
            Ok(answer) => answer,
            Err(fault) => {
                let error = SqlError::from(fault);
                tracing::error!(%error, "a question about principals failed");
                None
            }
        }
    }

    fn run(
        &mut self,
        name: &str,
        arguments: &mut [Argument],
        sink: &mut dyn ResultSink,
    ) -> Result<i32> {
        let key = name.to_ascii_lowercase();
        let declared = procedures()
            .get(&key)
            .ok_or_else(|| raise(2812, &[name.into()]))?;
        let caller = self.caller(Some(declared.procedure))?;
        if key == rehearsal::PROCEDURE {
            self.rehearse(
                arguments
                    .first()
                    .is_some_and(|on| on.value.as_i64() == Some(1)),
            )?;
            return Ok(0);
        }
        if self.rehearses() && rehearsal::passes_over(&key) {
            sink.message(rehearsal::passed_over(&key));
            return Ok(0);
        }
        let mut store =
            Store::new(&self.catalog, self.transaction.as_mut()).waiting(self.lock_timeout);
        let Some(body) = body(&key) else {
            return Err(raise(40515, &["Procedure".into(), name.into()]).into());
        };
        let outputs = {
            let call = Call::new(
                declared.procedure,
                arguments,
                caller,
                &*self.services,
                &self.catalog,
                &self.made,
                &self.database,
            );
            let mut out = Output::new(sink);
            body(&call, &mut store, &mut out)?;
            out.finish()?
        };
        let (code, values) = outputs;
        for (parameter, value) in values {
            arguments[index(declared.procedure, parameter)].value = value;
        }
        Ok(code)
    }

    fn read_table(&mut self, database: &str, source: Source, keys: &[SeekKey]) -> Result<Scan> {
        let decl = Arc::clone(source.decl());
        let rows = self.scanned(database, &decl, keys, |scanner| match source {
            Source::Table(declared) => {
                scanner.check_select(declared.table)?;
                (declared.table.rows)(scanner)
            }
            Source::View(view) => view.rows(scanner).map(Rows::All),
        })?;
        Ok(match rows {
            Rows::All(rows) => Box::new(rows.into_iter().map(Ok)),
            Rows::Pages(scan) => scan,
        })
    }

    /// Reads by a scanner of the caller's in a database.
    fn scanned<T>(
        &mut self,
        database: &str,
        decl: &TableDecl,
        keys: &[SeekKey],
        read: impl FnOnce(&Scanner<'_>) -> Result<T>,
    ) -> Result<T> {
        let caller = self.caller(None)?;
        let catalog = self.catalog.clone();
        let services = Arc::clone(&self.services);
        let made = self.made.clone();
        let temporary = std::mem::take(&mut self.temporary);
        self.store().read(|definitions| {
            let mut scanner = Scanner::new(definitions, &catalog, &caller, &*services, decl, keys);
            scanner.database = database;
            scanner.made = Some(&made);
            scanner.temporary = &temporary;
            read(&scanner)
        })
    }
}

/// Where the rows of a table or view come from.
#[derive(Clone, Copy)]
enum Source {
    Table(&'static Declared),
    View(&'static View),
}

impl Source {
    const fn decl(&self) -> &Arc<TableDecl> {
        match self {
            Self::Table(declared) => &declared.decl,
            Self::View(view) => &view.decl,
        }
    }
}

/// The table or view of a name: a table of msdb, or a view that every database has.
fn source(database: &str, schema: &str, name: &str) -> Option<Source> {
    let key = name.trim_end_matches(' ').to_ascii_lowercase();
    if schema.eq_ignore_ascii_case("dbo") && database.eq_ignore_ascii_case("msdb") {
        if let Some(table) = tables::tables().get(&("msdb", "dbo", key)) {
            return Some(Source::Table(table));
        }
        if let Some(view) = system::other_table(name) {
            return Some(Source::View(view));
        }
    }
    system::view(schema, name).map(Source::View)
}

impl Host for MsdbHost {
    fn principal(&self) -> Principal {
        Principal {
            login: self.identity.login.clone(),
            sid: self.identity.sid.clone(),
            sysadmin: self.judge(|rights| Ok(rights.server()?.sysadmin)),
        }
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn original_login(&self) -> String {
        self.original.login.clone()
    }

    fn impersonate(&self, database: &str, whom: Impersonated<'_>) -> Result<Identity, SqlError> {
        Ok(self.impersonated(database, whom)?)
    }

    fn module_identity(&self, database: &str, user: &str) -> Result<Identity, SqlError> {
        let found = self.user_identity(database, user)?;
        found.ok_or_else(|| raise(15517, &[user.into()]))
    }

    fn assume(&mut self, identity: Identity) {
        self.identity = identity;
    }

    fn user_name(&self, database: &str) -> String {
        self.user_in(database)
    }

    fn default_schema(&self, database: &str) -> String {
        self.schema_in(database)
    }

    fn may_enter(&self, database: &str) -> bool {
        self.judge(|rights| Ok(rights.in_database(database)?.is_some()))
    }

    fn has_user(&self, database: &str, sid: &[u8]) -> bool {
        let user = self.ask(|definitions| {
            let user = definitions.database_user_by_sid(database, sid)?;
            Ok(Some(user.is_some()))
        });
        user.unwrap_or(true)
    }

    fn principal_named(&self, database: &str, name: &str) -> Option<String> {
        self.ask(|definitions| {
            let found = admin::principal(definitions, database, name)?;
            Ok(found.map(|found| found.name().to_owned()))
        })
    }

    fn permitted_by_column(&self, database: &str, object: (&str, &str), permission: &str) -> bool {
        self.depends_on_columns(database, object, permission)
    }

    fn forget_database(&mut self, database: &str) -> Result<(), SqlError> {
        Ok(self.forget_principals(database)?)
    }

    fn forget_securable(&mut self, database: &str, on: Securable<'_>) -> Result<(), SqlError> {
        Ok(self.forget_permissions(database, on)?)
    }

    fn enter_database(&mut self, database: &str) {
        database.clone_into(&mut self.database);
    }

    fn databases(&self) -> Option<Arc<Databases>> {
        self.services.databases()
    }

    fn may_write_databases(&self) -> Result<(), SqlError> {
        // A rehearsal is undone in the catalog alone: what lies elsewhere is out of its reach.
        if self.rehearses() {
            return Err(rehearsal::out_of_reach());
        }
        Ok(())
    }

    fn objects_changed(&mut self, database: i32, objects: Option<Arc<Objects>>) {
        self.made.changed(database, objects);
    }

    fn database(&self, name: &str) -> Option<String> {
        if let Some(databases) = self.services.databases() {
            return databases.named(name).map(|info| info.name);
        }
        SYSTEM_DATABASES
            .iter()
            .find(|(_, known)| name_key(known) == name_key(name))
            .map(|(_, known)| (*known).to_owned())
    }

    fn database_id(&self, name: &str) -> Option<i32> {
        self.made.database(name).map(|info| info.id)
    }

    fn database_name(&self, id: i32) -> Option<String> {
        let mut all = self.made.databases().into_iter();
        all.find(|info| info.id == id).map(|info| info.name)
    }

    fn table(&self, database: &str, schema: &str, name: &str) -> Option<Arc<TableDecl>> {
        source(database, schema, name).map(|source| Arc::clone(source.decl()))
    }

    fn scan(
        &mut self,
        database: &str,
        table: &TableDecl,
        keys: &[SeekKey],
    ) -> Result<Scan, SqlError> {
        let Some(source) = source(table.database, table.schema, table.name) else {
            return Err(SqlError::new(
                208,
                16,
                format!("Invalid object name '{}'.", table.name),
            ));
        };
        Ok(self.read_table(database, source, keys)?)
    }

    fn function(&self, database: &str, schema: &str, name: &str) -> Option<Arc<FunctionDecl>> {
        functions::find(database, schema, name)
    }

    fn call_scalar(
        &mut self,
        function: &FunctionDecl,
        arguments: &[Value],
    ) -> Result<Value, SqlError> {
        match function.name {
            "agent_datetime" => return Ok(functions::agent_datetime(arguments)?),
            "fn_varbintohexstr" => return Ok(functions::hex(arguments)),
            // A database in no availability group is its own preferred replica.
            "fn_hadr_backup_is_preferred_replica" => return Ok(Value::Bit(true)),
            // NULL: the database is in no availability group.
            "fn_hadr_is_primary_replica" => return Ok(Value::Null),
            _ => {}
        }
        let found = self.store().read(|definitions| {
            if function.name == "SQLAGENT_SUSER_SID" {
                functions::suser_sid(definitions, arguments)
            } else {
                functions::suser_sname(definitions, arguments)
            }
        })?;
        Ok(found)
    }

    fn scan_function(
        &mut self,
        function: &FunctionDecl,
        arguments: &[Value],
    ) -> Result<Scan, SqlError> {
        let database = self.database.clone();
        let decl = TableDecl::nameless();
        let rows = self.scanned(&database, &decl, &[], |scanner| {
            system::function_rows(scanner, function.name, arguments)
        })?;
        Ok(Box::new(rows.into_iter().map(Ok)))
    }

    fn check_change(
        &self,
        _database: &str,
        table: &TableDecl,
        columns: Option<&[usize]>,
    ) -> Result<(), SqlError> {
        let sysadmin = self.principal().sysadmin;
        if !sysadmin && download_marks::is_mark(table, columns) {
            let targets = self.ask(|definitions| {
                let caller =
                    Caller::resolve(definitions, &self.made, &self.identity, &self.original)?;
                Ok(Some(caller.targets_role))
            });
            if targets == Some(true) {
                return Ok(());
            }
        }
        changes::check(sysadmin, table, columns)
    }

    fn change_row(
        &mut self,
        _database: &str,
        table: &TableDecl,
        change: &RowChange<'_>,
    ) -> Result<(), SqlError> {
        if download_marks::is_mark(table, change.new.map(|(columns, _)| columns)) {
            let caller = self.caller(None)?;
            if self.rehearses() {
                return Ok(());
            }
            let (catalog, now) = (self.catalog.clone(), self.services.now().utc);
            return download_marks::mark(&caller, &mut self.store(), &catalog, now, table, change)
                .map_err(SqlError::from);
        }
        let (name, given) = changes::call(&mut self.store(), table, change)?;
        let declared = procedures()
            .get(name)
            .ok_or_else(|| raise(2812, &[name.into()]))?;
        let mut arguments = Vec::with_capacity(declared.decl.params.len());
        for param in &declared.decl.params {
            let value = given.iter().find(|(known, _)| *known == param.name);
            let converted = value.map(|(_, value)| {
                let from = tsql::convert::type_of(value);
                tsql::convert::convert(value.clone(), from, param.ty, tsql::convert::Style::PLAIN)
            });
            arguments.push(Argument {
                given: converted.is_some(),
                value: match converted {
                    Some(value) => value?,
                    None => param.default.clone().unwrap_or_default(),
                },
            });
        }
        self.run(name, &mut arguments, &mut Quiet)
            .map(|_| ())
            .map_err(SqlError::from)
    }

    fn procedure(&self, database: &str, schema: &str, name: &str) -> Option<Arc<ProcedureDecl>> {
        declared(database, schema, name).map(|declared| Arc::clone(&declared.decl))
    }

    fn refuses_procedure(&self, name: &str) -> bool {
        is_refused(name)
    }

    fn call(
        &mut self,
        procedure: &ProcedureDecl,
        arguments: &mut [Argument],
        sink: &mut dyn ResultSink,
    ) -> Result<i32, SqlError> {
        self.run(procedure.name, arguments, sink)
            .map_err(|fault| SqlError::from(fault).in_procedure(procedure.name))
    }

    fn set_lock_timeout(&mut self, milliseconds: i32) {
        let limit = u64::try_from(milliseconds).ok();
        self.lock_timeout = limit.map(Duration::from_millis);
    }

    fn procedure_text(&self, procedure: &ProcedureDecl) -> Option<&'static str> {
        procedure_text(procedure.name)
    }

    fn administer(&mut self, database: &str, statement: &AdminStatement) -> Result<(), SqlError> {
        let caller = self.caller(None)?;
        let now = self.services.now().utc;
        let mut store =
            Store::new(&self.catalog, self.transaction.as_mut()).waiting(self.lock_timeout);
        admin::administer(
            &mut store,
            &caller,
            &self.made,
            &*self.services,
            now,
            database,
            statement,
        )?;
        Ok(())
    }

    fn begin(&mut self) -> Result<(), SqlError> {
        if let Some(open) = self.rehearsed() {
            return Ok(rehearsal::begin(open)?);
        }
        self.transaction = Some(Transaction::default());
        Ok(())
    }

    fn commit(&mut self) -> Result<(), SqlError> {
        if self.rehearses() {
            return Ok(());
        }
        let lease = self.transaction.take().and_then(|open| open.lease);
        match lease {
            Some(lease) => lease.commit().map_err(|error| from_catalog(&error)),
            None => Ok(()),
        }
    }

    fn rollback(&mut self) -> Result<(), SqlError> {
        if let Some(open) = self.rehearsed() {
            return Ok(rehearsal::rollback(open)?);
        }
        let lease = self.transaction.take().and_then(|open| open.lease);
        match lease {
            Some(lease) => lease.rollback().map_err(|error| from_catalog(&error)),
            None => Ok(()),
        }
    }

    fn reset(&mut self) {
        // A lease that is dropped rolls back.
        self.transaction = None;
    }

    fn savepoint(&mut self, name: &str, restore: bool) -> Result<(), SqlError> {
        let unknown = || raise(6401, &[name.into()]);
        let open = self.transaction.as_mut().ok_or_else(unknown)?;
        let done = match (&mut open.lease, restore) {
            (Some(lease), false) => lease.savepoint(name),
            (Some(lease), true) => lease.rollback_to(name),
            (None, false) => {
                open.early_savepoints.push(name.to_owned());
                Ok(())
            }
            (None, true) => {
                let known = &open.early_savepoints;
                let known = known.iter().any(|saved| saved.eq_ignore_ascii_case(name));
                return if known { Ok(()) } else { Err(unknown()) };
            }
        };
        done.map_err(|error| from_catalog(&error))
    }

    fn permitted(&self, database: &str, on: Securable<'_>, permission: &str) -> bool {
        self.judge(|rights| rights.may(identity::securable(database, on), permission))
    }

    fn result_columns(&self, procedure: &ProcedureDecl) -> Vec<Column> {
        procedures()
            .get(&procedure.name.to_ascii_lowercase())
            .and_then(|declared| declared.procedure.results.first())
            .map_or_else(Vec::new, |(_, found)| columns(found))
    }

    fn message_text(&self, number: i32) -> Option<String> {
        crate::messages::lookup(number).map(|(_, text)| text.to_owned())
    }

    fn server_property(&self, name: &str) -> Value {
        const PATHS: &[&str] = &[
            "InstanceDefaultDataPath",
            "InstanceDefaultLogPath",
            "InstanceDefaultBackupPath",
        ];
        if PATHS.iter().any(|path| path.eq_ignore_ascii_case(name)) {
            // The directory of the instance's first file.
            let files = self.services.files();
            let place = files.first().and_then(|file| file.path.rsplit_once('/'));
            return place.map_or(Value::Null, |(directory, _)| {
                Value::String(format!("{directory}/"))
            });
        }
        let instance = self.services.instance();
        properties::server_property(&instance, self.services.now().zone, name)
    }

    fn is_server_role_member(&self, role: &str, login: Option<&str>) -> Option<bool> {
        self.in_server_role(role, login)
    }

    fn is_role_member(&self, database: &str, role: &str, user: Option<&str>) -> Option<bool> {
        self.in_role(database, role, user)
    }

    fn object_id(&self, database: &str, schema: &str, name: &str) -> Option<i32> {
        // A file that cannot be read has no numbers; whoever uses its objects is told why.
        if let Ok(made) = self.made.objects(database) {
            let constraint = || {
                let wanted = made.schema(schema)?.id;
                let mut all = made.constraints();
                let of_name = |found: &ConstraintInfo<'_>| {
                    found.table.schema == wanted && name_key(found.name) == name_key(name)
                };
                all.find(of_name).map(|found| found.id)
            };
            let object = made.find(schema, name).map(|object| object.id);
            if let Some(id) = object.or_else(constraint) {
                return Some(id);
            }
        }
        let known = self.table(database, schema, name).is_some()
            || self.procedure(database, schema, name).is_some()
            || self.function(database, schema, name).is_some();
        known.then(|| stable_object_id(database, schema, name))
    }

    fn metadata(
        &mut self,
        database: &str,
        function: &str,
        arguments: &[Value],
    ) -> Result<Value, SqlError> {
        let nothing = TableDecl::nameless();
        Ok(self.scanned(database, &nothing, &[], |scanner| {
            system::metadata(scanner, function, arguments)
        })?)
    }

    fn temporary_tables(&mut self, tables: Vec<TemporaryTable>) {
        self.temporary = tables;
    }

    fn login_sid(&self, login: Option<&str>) -> Option<Vec<u8>> {
        match login {
            None => Some(self.identity.sid.clone()),
            Some(name) => {
                self.ask(|definitions| Ok(definitions.login(name)?.map(|login| login.sid)))
            }
        }
    }

    fn login_name(&self, sid: Option<&[u8]>) -> Option<String> {
        match sid {
            None => Some(self.identity.login.clone()),
            Some(sid) => {
                self.ask(|definitions| Ok(definitions.login_by_sid(sid)?.map(|login| login.name)))
            }
        }
    }

    fn now(&self) -> (i64, i16) {
        let moment = self.services.now();
        let offset = moment.zone.to_offset(moment.utc).seconds() / 60;
        (
            moment.utc.as_microsecond(),
            i16::try_from(offset).unwrap_or(0),
        )
    }

    fn elapsed(&self) -> Duration {
        self.services.elapsed()
    }

    fn object_name(&self, database: &str, id: i32) -> Option<(String, String)> {
        // A file that cannot be read has no names; whoever uses its objects is told why.
        if let Ok(made) = self.made.objects(database) {
            let schema = |id: i32| made.schema_name(id).to_owned();
            if let Some(object) = made.object(id) {
                return Some((schema(object.schema), object.name.clone()));
            }
            if let Some(found) = made.constraints().find(|found| found.id == id) {
                return Some((schema(found.table.schema), found.name.to_owned()));
            }
        }
        system::shipped_objects(database)
            .find(|(schema, name)| stable_object_id(database, schema, name) == id)
            .map(|(schema, name)| (schema.to_owned(), name.to_owned()))
    }
}

/// Whether the login may use the Agent at all: sysadmin or one of the Agent's roles in msdb.
///
/// For the console and the command line, which ask before they show anything.
///
/// # Errors
/// What the catalog raises.
pub fn may_use_agent(catalog: &Catalog, login: &str, sid: &[u8]) -> Result<bool, SqlError> {
    let answer: Result<bool, Fault> = catalog.definitions_read(|definitions| {
        let identity = Identity {
            login: login.to_owned(),
            sid: sid.to_vec(),
            user: None,
        };
        let made = MadeObjects::default();
        Ok(Caller::resolve(definitions, &made, &identity, &identity)?.is(AgentRole::User))
    });
    Ok(answer?)
}

/// A table, view, procedure or function that every instance has: what kind it is, its schema and its name.
pub(crate) fn shipped(
    database: &str,
    schema: &str,
    name: &str,
) -> Option<(admin::Kind, &'static str, &'static str)> {
    if let Some(source) = source(database, schema, name) {
        let decl = source.decl();
        return Some((admin::Kind::Rows, decl.schema, decl.name));
    }
    if let Some(declared) = declared(database, schema, name) {
        let decl = &declared.decl;
        return Some((admin::Kind::Procedure, decl.schema, decl.name));
    }
    let decl = functions::find(database, schema, name)?;
    let kind = match decl.returns {
        FunctionResult::Scalar(_) => admin::Kind::Function,
        FunctionResult::Table(_) => admin::Kind::Rows,
    };
    Some((kind, decl.schema, decl.name))
}

/// The procedure of a name: one of msdb, or one of master, which is there in `dbo` and `sys`.
fn declared(database: &str, schema: &str, name: &str) -> Option<&'static DeclaredProcedure> {
    let name = name.trim_end_matches(' ').to_ascii_lowercase();
    let declared = procedures().get(&name)?;
    let dbo = schema.eq_ignore_ascii_case("dbo");
    let found = match declared.procedure.database {
        Database::Msdb => dbo && database.eq_ignore_ascii_case("msdb"),
        Database::Master => dbo || schema.eq_ignore_ascii_case("sys"),
    };
    found.then_some(declared)
}

/// Takes what a procedure answers to nobody.
struct Quiet;

impl ResultSink for Quiet {
    fn columns(&mut self, _columns: &[Column]) -> Result<(), SqlError> {
        Ok(())
    }

    fn row(&mut self, _row: Row) -> Result<(), SqlError> {
        Ok(())
    }

    fn done(&mut self, _rows: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, _message: SqlError) {}
}
