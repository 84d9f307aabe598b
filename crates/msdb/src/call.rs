//! One call of a procedure: its arguments, the caller, the store it reads and writes, and what it answers.
//!
//! A procedure is `fn(&Call, &mut Store, &mut Output) -> Result<()>`. It reads and checks inside the same
//! [`Store::read`] or [`Store::write`] closure in which it acts, so that checks and writes see one snapshot,
//! and answers through [`Output`], which holds everything back until the write is durable.

use crate::caller::Caller;
use crate::convert::from_datetime;
use crate::declare::{Columns, Procedure, columns};
use crate::error::{Fault, Result};
use crate::made::MadeObjects;
use crate::services::Services;
use crate::tables::Scanner;
use catalog::{
    AuditEntry, Catalog, DefinitionsRead, DefinitionsWrite, LOCK_TIMEOUT_DEFAULT, Lease, RunsRead,
};
use engine::host::{Argument, ResultSink, TableDecl};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::Date};
use std::time::Duration;
use tsql::{Row, SqlError, Value};
use uuid::Uuid;

/// What a procedure is called with.
pub(crate) struct Call<'a> {
    /// Its declaration.
    pub(crate) procedure: &'static Procedure,
    arguments: &'a [Argument],
    /// Who calls.
    pub(crate) caller: Caller,
    /// The running instance.
    pub(crate) services: &'a dyn Services,
    /// Now.
    pub(crate) now: Timestamp,
    /// The instance's time zone.
    pub(crate) zone: TimeZone,
    /// Name of the instance.
    pub(crate) server: String,
    /// Database the session is in.
    pub(crate) database: &'a str,
    catalog: &'a Catalog,
    made: &'a MadeObjects,
    /// For [`Call::scanner`].
    no_table: TableDecl,
}

impl<'a> Call<'a> {
    /// A call with arguments in the order of the declaration.
    pub(crate) fn new(
        procedure: &'static Procedure,
        arguments: &'a [Argument],
        caller: Caller,
        services: &'a dyn Services,
        catalog: &'a Catalog,
        made: &'a MadeObjects,
        database: &'a str,
    ) -> Self {
        let moment = services.now();
        Self {
            procedure,
            arguments,
            caller,
            services,
            now: moment.utc,
            zone: moment.zone,
            server: services.instance().name,
            database,
            catalog,
            made,
            no_table: TableDecl::nameless(),
        }
    }

    /// Reads of the caller's in the current database, as the system views read.
    pub(crate) fn scanner<'s>(&'s self, definitions: &'s dyn DefinitionsRead) -> Scanner<'s> {
        let (caller, services) = (&self.caller, self.services);
        let mut scanner = Scanner::new(
            definitions,
            self.catalog,
            caller,
            services,
            &self.no_table,
            &[],
        );
        scanner.database = self.database;
        scanner.made = Some(self.made);
        scanner
    }

    fn argument(&self, name: &str) -> &Argument {
        &self.arguments[index(self.procedure, name)]
    }

    /// The value of a parameter.
    pub(crate) fn value(&self, name: &str) -> &Value {
        &self.argument(name).value
    }

    /// Whether the caller gave the parameter at all.
    pub(crate) fn given(&self, name: &str) -> bool {
        self.argument(name).given
    }

    /// A text as given; `None` for NULL.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).as_str()
    }

    /// A name: blanks around it don't count, and an empty one is none.
    pub(crate) fn name(&self, name: &str) -> Option<&str> {
        self.text(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// An integer or bit; `None` for NULL.
    pub(crate) fn int(&self, name: &str) -> Option<i32> {
        self.value(name).as_i64().map(|v| {
            i32::try_from(v).expect("integer parameters of msdb are declared int or smaller")
        })
    }

    /// A bit; NULL is false.
    pub(crate) fn bit(&self, name: &str) -> bool {
        self.int(name).is_some_and(|v| v != 0)
    }

    /// A uniqueidentifier; `None` for NULL.
    pub(crate) fn guid(&self, name: &str) -> Option<Uuid> {
        self.value(name).as_guid()
    }

    /// A datetime, local; `None` for NULL.
    pub(crate) fn datetime(&self, name: &str) -> Option<DateTime> {
        from_datetime(self.value(name))
    }

    /// Today, local.
    pub(crate) fn today(&self) -> Date {
        self.zone.to_datetime(self.now).date()
    }

    /// Reads runs on a fresh snapshot.
    pub(crate) fn runs<T>(&self, read: impl FnOnce(&dyn RunsRead) -> Result<T>) -> Result<T> {
        self.catalog.runs_read(read)
    }

    /// What users made in the databases.
    pub(crate) const fn made(&self) -> &MadeObjects {
        self.made
    }

    /// The catalog, for the few acts that are no plain read or write.
    pub(crate) fn catalog(&self) -> &Catalog {
        self.catalog
    }

    /// What the call is about, for the audit: its first argument that names something.
    fn subject(&self) -> String {
        self.procedure
            .params
            .iter()
            .zip(self.arguments)
            .find_map(|(param, argument)| {
                let names = param.name.ends_with("name") || param.name.ends_with("_id");
                let value = &argument.value;
                let text = value.as_str().map(str::to_owned);
                let id = || value.as_guid().map(|id| id.to_string());
                let number = || value.as_i64().map(|id| id.to_string());
                text.or_else(id).or_else(number).filter(|_| names)
            })
            .unwrap_or_default()
    }
}

/// Place of a parameter in its declaration.
pub(crate) fn index(procedure: &Procedure, name: &str) -> usize {
    procedure
        .params
        .iter()
        .position(|param| param.name == name)
        .unwrap_or_else(|| panic!("{} declares no {name}", procedure.name))
}

/// The definitions as a session sees them: fresh, or through its open transaction.
pub(crate) struct Store<'a> {
    /// The catalog.
    catalog: &'a Catalog,
    /// The session's transaction, if one is open.
    transaction: Option<&'a mut Transaction>,
    /// How long a write waits for its turn, where the session says so.
    lock_timeout: Option<Duration>,
}

/// A session's open transaction. Nothing is held before its first write.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    /// The hold of the writer.
    pub(crate) lease: Option<Lease>,
    /// Savepoints set before the first write; they all mean the beginning.
    pub(crate) early_savepoints: Vec<String>,
    /// Whether it is a rehearsal, which never commits.
    pub(crate) rehearsal: bool,
}

impl Transaction {
    /// The lease, taken at the first write.
    fn lease(&mut self, catalog: &Catalog, lock_timeout: Option<Duration>) -> Result<&mut Lease> {
        if self.lease.is_none() {
            let mut lease = catalog.lease(lock_timeout.unwrap_or(LOCK_TIMEOUT_DEFAULT))?;
            for name in self.early_savepoints.drain(..) {
                lease.savepoint(&name)?;
            }
            self.lease = Some(lease);
        }
        self.lease
            .as_mut()
            .ok_or_else(|| catalog::CatalogError::Closed.into())
    }
}

impl<'a> Store<'a> {
    /// The definitions as a session with this transaction sees them.
    pub(crate) fn new(catalog: &'a Catalog, transaction: Option<&'a mut Transaction>) -> Self {
        Self {
            catalog,
            transaction,
            lock_timeout: None,
        }
    }

    /// With the session's own limit on waits for the writer; the catalog's when `None`.
    pub(crate) fn waiting(mut self, lock_timeout: Option<Duration>) -> Self {
        self.lock_timeout = lock_timeout;
        self
    }

    /// Whether a transaction is open.
    pub(crate) fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// Whether the session rehearses: nothing may act beside its transaction.
    pub(crate) fn rehearses(&self) -> bool {
        self.transaction
            .as_ref()
            .is_some_and(|transaction| transaction.rehearsal)
    }

    /// Whether the session holds the writer.
    pub(crate) fn holds_writer(&self) -> bool {
        self.transaction
            .as_ref()
            .is_some_and(|transaction| transaction.lease.is_some())
    }

    /// Reads on one snapshot, the session's own uncommitted writes included.
    pub(crate) fn read<T>(
        &mut self,
        read: impl FnOnce(&dyn DefinitionsRead) -> Result<T>,
    ) -> Result<T> {
        let lease = self
            .transaction
            .as_mut()
            .and_then(|transaction| transaction.lease.as_mut());
        match lease {
            Some(lease) => lease.run(|definitions| read(&*definitions)),
            None => self.catalog.definitions_read(read),
        }
    }

    /// Writes, with an audit row: durable on return, or part of the open transaction. An error undoes all
    /// of it.
    pub(crate) fn write<T>(
        &mut self,
        call: &Call<'_>,
        write: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T>,
    ) -> Result<T> {
        let audit = AuditEntry {
            at: call.now,
            principal: call.caller.login.clone(),
            action: call.procedure.name.to_owned(),
            object: call.subject(),
            detail: call.caller.audit_detail(),
        };
        self.write_audited(&audit, write)
    }

    /// As [`Store::write`], with an audit row of the caller's making.
    pub(crate) fn write_audited<T>(
        &mut self,
        audit: &AuditEntry,
        write: impl FnOnce(&mut dyn DefinitionsWrite) -> Result<T>,
    ) -> Result<T> {
        let audited = |definitions: &mut dyn DefinitionsWrite| {
            let written = write(definitions)?;
            definitions.audit(audit)?;
            Ok::<T, Fault>(written)
        };
        match self.transaction.as_mut() {
            Some(transaction) => transaction
                .lease(self.catalog, self.lock_timeout)?
                .run(audited),
            None => match self.lock_timeout {
                Some(limit) => self.catalog.definitions_write_within(limit, audited),
                None => self.catalog.definitions_write(audited),
            },
        }
    }
}

enum Event {
    Columns(Columns),
    Row(Row),
    End(u64),
    Message(SqlError),
}

/// Answers of a procedure, held back until it has succeeded or flushes them itself.
pub(crate) struct Output<'a> {
    sink: &'a mut dyn ResultSink,
    pending: Vec<Event>,
    outputs: Vec<(&'static str, Value)>,
    code: i32,
}

impl<'a> Output<'a> {
    /// Answers to a sink.
    pub(crate) fn new(sink: &'a mut dyn ResultSink) -> Self {
        Self {
            sink,
            pending: Vec::new(),
            outputs: Vec::new(),
            code: 0,
        }
    }

    /// A message of severity ≤ 10.
    pub(crate) fn message(&mut self, message: SqlError) {
        self.pending.push(Event::Message(message));
    }

    /// A whole result set.
    pub(crate) fn result(&mut self, columns: Columns, rows: Vec<Row>) {
        self.begin(columns);
        let count = rows.len();
        for row in rows {
            self.row(row);
        }
        self.end(count as u64);
    }

    /// Begins a result set that is sent in parts; [`Output::row`]s and one [`Output::end`] follow.
    pub(crate) fn begin(&mut self, columns: Columns) {
        self.pending.push(Event::Columns(columns));
    }

    /// A row of the set begun last.
    pub(crate) fn row(&mut self, row: Row) {
        self.pending.push(Event::Row(row));
    }

    /// Ends the set begun last.
    pub(crate) fn end(&mut self, rows: u64) {
        self.pending.push(Event::End(rows));
    }

    /// Value of an OUTPUT parameter.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.outputs.push((name, value.into()));
    }

    /// The return code, where it isn't 0 although nothing is raised.
    pub(crate) fn return_code(&mut self, code: i32) {
        self.code = code;
    }

    /// Sends what is held back. May block until the client reads: never inside a read or write closure.
    pub(crate) fn flush(&mut self) -> Result<()> {
        for event in self.pending.drain(..) {
            match event {
                Event::Columns(set) => self.sink.columns(&columns(set))?,
                Event::Row(row) => self.sink.row(row)?,
                Event::End(rows) => self.sink.done(Some(rows))?,
                Event::Message(message) => self.sink.message(message),
            }
        }
        Ok(())
    }

    /// Whether the client still waits; 3617 when it cancelled or went away.
    pub(crate) fn wanted(&mut self) -> Result<()> {
        Ok(self.sink.wanted()?)
    }

    /// Sends what is held back and gives the return code and the OUTPUT values.
    pub(crate) fn finish(mut self) -> Result<(i32, Vec<(&'static str, Value)>)> {
        self.flush()?;
        Ok((self.code, self.outputs))
    }
}
