//! Statements that make, change and drop permanent objects: databases, tables, indexes, modules, schemas, types.
//!
//! Definitions change inside a transaction of the database's own file, together with the tables they describe. What
//! a session does in its open transaction only it sees, until it commits.

mod alter;
mod authorization;
mod database;
mod drop;
mod filter;
mod index;
mod module;
mod rebuild;
mod table;

pub(super) use table::type_of;

use super::Interpreter;
use crate::databases::{
    Databases, FileError, ObjectInfo, ObjectKind, Objects, TableInfo, Writer, load, unreadable,
};
use crate::host::Securable;
use crate::session::permanent::table_from;
use crate::session::shared::Shared;
use crate::session::tables::{OwnTable, Place};
use rusqlite::Connection;
use std::sync::Arc;
use std::time::Duration;
use tsql::ast::ObjectName;
use tsql::{SqlError, fault, messages};

/// Pause between tries of a lock that another session has.
const LOCK_RETRY: Duration = Duration::from_millis(5);

/// A database that a statement changes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Its number.
    pub(super) id: i32,
    /// Its name.
    pub(super) name: String,
    /// Its name in SQLite's SQL.
    pub(super) sql: String,
}

/// Where a change of definitions is written: the file as it is attached, under its write lock.
pub(super) struct Definitions<'c> {
    pub(super) db: &'c Connection,
    pub(super) target: &'c Target,
    pub(super) writer: Writer<'c>,
    /// The objects as they are.
    pub(super) objects: &'c Objects,
    /// The session, for names in expressions.
    pub(super) shared: &'c Shared,
}

impl Definitions<'_> {
    /// A table as statements see it, with the columns that it will have.
    pub(super) fn own_table(
        &self,
        object: &ObjectInfo,
        table: &TableInfo,
    ) -> Result<OwnTable, SqlError> {
        let mut own = table_from(table, &object.name, u32::MAX)?;
        own.place = Some(Place {
            database: self.target.id,
            database_name: self.target.name.clone(),
            schema: self.objects.schema_name(object.schema).to_owned(),
            triggers: false,
            instead: Vec::new(),
            object: Arc::new(object.clone()),
        });
        Ok(own)
    }

    /// A number for a new object.
    pub(super) fn next_object(&self) -> Result<i32, SqlError> {
        self.writer.next_object(&|_| false).map_err(|e| broken(&e))
    }

    /// Writes an object.
    pub(super) fn put(&self, object: &ObjectInfo) -> Result<(), SqlError> {
        self.writer.put(object).map_err(|error| broken(&error))
    }
}

/// A failure of a file in a change of definitions.
pub(super) fn broken(error: &FileError) -> SqlError {
    if let FileError::Sqlite(cause) = error
        && cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
    {
        return messages::DATABASE_FULL.with(&[""]);
    }
    unreadable(error)
}

impl Interpreter<'_> {
    /// The database that a name means: the one it names, or the current one.
    ///
    /// # Errors
    /// 911 for an unknown one, 40517 where no permanent objects can be made.
    pub(super) fn target(&self, name: Option<&str>) -> Result<Target, SqlError> {
        let databases = self.databases()?;
        let name = match name {
            Some(name) => self.core.shared.reachable(name)?,
            None => self.core.database.clone(),
        };
        let info = databases
            .named(&name)
            .ok_or_else(|| messages::UNKNOWN_DATABASE.with(&[&name]))?;
        Ok(Target {
            id: info.id,
            name: info.name,
            sql: format!("d{}", info.id),
        })
    }

    pub(super) fn target_of_name(&self, name: &ObjectName) -> Result<Target, SqlError> {
        if name.server.is_some() {
            return Err(fault::not_supported("a linked server"));
        }
        self.target(name.database.as_ref().map(|part| part.text.as_str()))
    }

    pub(super) fn databases(&self) -> Result<Arc<Databases>, SqlError> {
        self.core.shared.permanent.databases().cloned()
    }

    /// Whether the caller has a permission in a database.
    pub(super) fn permitted(&self, target: &Target, on: Securable<'_>, permission: &str) -> bool {
        let host = self.core.shared.host();
        host.permitted(&target.name, on, permission)
    }

    /// 262 unless the caller may make such objects in a database, 2760 unless in that schema of it.
    pub(super) fn may_create(
        &self,
        target: &Target,
        permission: &str,
        schema: &str,
    ) -> Result<(), SqlError> {
        if !self.permitted(target, Securable::Database, permission) {
            return Err(messages::NO_STATEMENT_PERMISSION.with(&[permission, &target.name]));
        }
        if !self.permitted(target, Securable::Schema(schema), "ALTER") {
            return Err(messages::UNKNOWN_SCHEMA.with(&[schema]));
        }
        Ok(())
    }

    /// Whether the caller may change the definition of an object.
    pub(super) fn may_alter(&self, target: &Target, schema: &str, name: &str) -> bool {
        self.permitted(target, Securable::Object(schema, name), "ALTER")
    }

    /// Whether the caller may drop an object.
    pub(super) fn may_drop(&self, target: &Target, schema: &str, name: &str) -> bool {
        self.permitted(target, Securable::Object(schema, name), "CONTROL")
            || self.permitted(target, Securable::Schema(schema), "ALTER")
    }

    /// The principal that is to own something: the one that is named, when the caller may act as it; otherwise the
    /// caller's own user.
    ///
    /// # Errors
    /// 15151 for one that there is not, or that the caller may not act as.
    pub(super) fn owner_to_be(
        &self,
        target: &Target,
        owner: Option<&tsql::ast::Ident>,
    ) -> Result<String, SqlError> {
        let host = self.core.shared.host();
        let Some(owner) = owner else {
            return Ok(host.user_name(&target.name));
        };
        host.principal_named(&target.name, &owner.text)
            .filter(|name| {
                host.is_role_member(&target.name, name, None) == Some(true)
                    || host.permitted(&target.name, Securable::User(name), "IMPERSONATE")
            })
            .ok_or_else(|| messages::NO_SUCH_PRINCIPAL.with(&["find", "principal", &owner.text]))
    }

    /// Nobody has any permission on what is gone.
    pub(super) fn forget_permissions(
        &self,
        target: &Target,
        on: Securable<'_>,
    ) -> Result<(), SqlError> {
        let lock_timeout = self.core.shared.facts().lock_timeout;
        let mut host = self.core.shared.host();
        host.set_lock_timeout(lock_timeout);
        host.forget_securable(&target.name, on)
    }

    /// 2714 when an object of that name is there, a user's or the system's.
    pub(super) fn name_is_free(
        &self,
        target: &Target,
        objects: &Objects,
        schema: &str,
        name: &str,
    ) -> Result<(), SqlError> {
        let host = self.core.shared.host();
        let system = host.table(&target.name, schema, name).is_some()
            || host.function(&target.name, schema, name).is_some()
            || host
                .procedure(&target.name, schema, name)
                .is_some_and(|decl| decl.database.eq_ignore_ascii_case(&target.name));
        let constraint = || {
            let schema = objects.schema(schema).map(|schema| schema.id);
            objects.constraints().any(|constraint| {
                Some(constraint.table.schema) == schema
                    && tsql::eval::collate::same(constraint.name, name)
            })
        };
        if system || objects.find(schema, name).is_some() || constraint() {
            return Err(messages::OBJECT_EXISTS.with(&[name]).with_state(6));
        }
        Ok(())
    }

    /// Takes the write lock of a database, waiting for the session that has it.
    ///
    /// # Errors
    /// 1222 when the wait was too long, 1205 when the transaction reads what is no longer so.
    pub(super) fn lock_database(&mut self, id: i32) -> Result<(), SqlError> {
        self.core.shared.host().may_write_databases()?;
        let database = self
            .databases()?
            .database(id)
            .ok_or_else(|| fault::internal("a database is gone"))?;
        self.core.begin_writing(self.cancel)?;
        let (spid, patience) = {
            let facts = self.core.shared.facts();
            let asked = u64::try_from(facts.lock_timeout).map(Duration::from_millis);
            let longest = crate::databases::LOCK_WAIT;
            (
                facts.spid,
                asked.map_or(longest, |asked| asked.min(longest)),
            )
        };
        self.core.store(self.cancel)?.attach_database(&database)?;
        let mut waited = Duration::ZERO;
        while !self.core.store(self.cancel)?.lock_database(id, spid)? {
            if waited >= patience {
                return Err(messages::LOCK_TIMEOUT.with(&[]));
            }
            if self.cancel.wait(LOCK_RETRY) {
                return Err(messages::CANCELLED.with(&[]));
            }
            waited = waited.saturating_add(LOCK_RETRY);
        }
        Ok(())
    }

    /// Runs a change of a database's definitions: all of it happens, or nothing.
    pub(super) fn define_objects<T>(
        &mut self,
        target: &Target,
        work: impl FnOnce(&mut Self, &Objects) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        self.no_side_effects("CREATE, ALTER or DROP")?;
        self.core_batch("SAVEPOINT define")?;
        let result = self
            .lock_database(target.id)
            .and_then(|()| self.objects_in_file(target))
            .and_then(|objects| work(self, &objects));
        if result.is_err() {
            let store = self.core.store(self.cancel)?;
            // Interrupted or out of room, SQLite has ended the whole transaction already.
            if store.db.is_autocommit() {
                return result;
            }
            store.rolled_back();
            self.core_batch("ROLLBACK TO define")?;
        }
        self.core_batch("RELEASE define")?;
        if result.is_ok() {
            self.definitions_changed(target)?;
        }
        result
    }

    /// The definitions as the session's own connection sees them.
    pub(super) fn objects_in_file(&mut self, target: &Target) -> Result<Arc<Objects>, SqlError> {
        let known = self.core.shared.permanent.objects(target.id)?;
        let store = self.core.store(self.cancel)?;
        load(&store.db, &target.sql, Some(&known))
            .map(Arc::new)
            .map_err(|error| broken(&error))
    }

    /// Calls `work` with the file of a database that is locked.
    pub(super) fn in_file<T>(
        &mut self,
        target: &Target,
        objects: &Objects,
        work: impl FnOnce(&Definitions<'_>) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        let shared = Arc::clone(&self.core.shared);
        let store = self.core.store(self.cancel)?;
        work(&Definitions {
            shared: &shared,
            db: &store.db,
            target,
            writer: Writer::new(&store.db, &target.sql),
            objects,
        })
    }

    /// The session, or everyone when no transaction is open, sees other definitions from now on.
    fn definitions_changed(&mut self, target: &Target) -> Result<(), SqlError> {
        if self.core.store(self.cancel)?.db.is_autocommit() {
            self.databases()?.changed(target.id);
            return Ok(());
        }
        self.show_own(target)
    }

    /// The session sees the definitions that its own connection sees.
    fn show_own(&mut self, target: &Target) -> Result<(), SqlError> {
        let objects = self.objects_in_file(target)?;
        let shared = Arc::clone(&self.core.shared);
        shared.permanent.change(target.id, Arc::clone(&objects));
        shared.host().objects_changed(target.id, Some(objects));
        Ok(())
    }

    /// A part of the transaction was taken back, and perhaps changes of definitions with it.
    pub(super) fn definitions_restored(&mut self) -> Result<(), SqlError> {
        let changed = self.core.shared.permanent.changed();
        for id in changed {
            if let Some(info) = self.databases()?.numbered(id) {
                self.show_own(&Target {
                    id,
                    name: info.name,
                    sql: format!("d{id}"),
                })?;
            }
        }
        Ok(())
    }

    /// The transaction is over: what it changed is everyone's, or nobody's.
    pub(super) fn definitions_ended(&mut self, committed: bool) {
        let shared = Arc::clone(&self.core.shared);
        let reseeded = std::mem::take(&mut self.core.reseeded);
        let Ok(databases) = shared.permanent.databases() else {
            return;
        };
        for (id, objects) in shared.permanent.end() {
            shared.host().objects_changed(id, None);
            if committed {
                databases.changed(id);
            } else if let (Some(database), Ok(kept)) =
                (databases.database(id), databases.objects(id))
            {
                for object in objects.objects() {
                    if kept.object(object.id).is_none() {
                        database.forget_identity(object.id);
                    }
                }
            }
        }
        if !committed {
            for (id, object) in reseeded {
                if let Some(database) = databases.database(id) {
                    database.forget_identity(object);
                }
            }
        }
    }

    /// The moment that new definitions show: UTC microseconds.
    pub(super) fn moment(&self) -> i64 {
        self.core.shared.facts().now.0
    }

    /// The name of an object's schema, as written or `dbo`.
    pub(super) fn schema_name(name: &ObjectName) -> &str {
        name.schema.as_ref().map_or("dbo", |part| &part.text)
    }
}

/// What errors call a kind of object.
pub(super) fn kind_word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Table => "table",
        ObjectKind::View => "view",
        ObjectKind::Procedure => "procedure",
        ObjectKind::ScalarFunction | ObjectKind::InlineFunction | ObjectKind::TableFunction => {
            "function"
        }
        ObjectKind::Trigger => "trigger",
        ObjectKind::Synonym => "synonym",
        ObjectKind::TableType => "type",
        ObjectKind::PrimaryKey
        | ObjectKind::UniqueKey
        | ObjectKind::Check
        | ObjectKind::Default
        | ObjectKind::ForeignKey => "constraint",
    }
}
