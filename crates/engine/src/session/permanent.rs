//! The session's view of what users made: committed objects, and those of its own open transaction.

use super::shared::Shared;
use super::tables::{Computed, OwnColumn, OwnKey, OwnTable, Place};
use crate::databases::{Database, Databases, ObjectInfo, ObjectKind, Objects, TableInfo};
use crate::interpret::trigger::taken_over;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tsql::ast::{Expr, StatementKind};
use tsql::parser::{ParseOptions, parse_batch};
use tsql::{Column, SqlError, fault};

/// Permanent objects as one session knows them.
#[derive(Debug, Default)]
pub(crate) struct Permanent {
    /// The instance's databases; `None` where there are none.
    databases: Option<Arc<Databases>>,
    /// What the open transaction has made of databases' objects.
    changed: Mutex<BTreeMap<i32, Arc<Objects>>>,
    /// Keys of tables that were named already, and the state they were in: by database and object.
    keys: Mutex<HashMap<(i32, i32), (u32, i64)>>,
}

/// A database that is some session's current one, for as long as this lives.
#[derive(Debug)]
pub(crate) struct InUse(Arc<Database>);

impl InUse {
    fn new(database: Arc<Database>) -> Self {
        database.users.fetch_add(1, Ordering::SeqCst);
        Self(database)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A found object, and where.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Number of the database.
    pub(crate) database: i32,
    /// Name of the database.
    pub(crate) database_name: String,
    /// Everything in it.
    pub(crate) objects: Arc<Objects>,
    /// The object.
    pub(crate) object: Arc<ObjectInfo>,
}

impl Found {
    /// Name of the object's schema.
    pub(crate) fn schema(&self) -> &str {
        self.objects.schema_name(self.object.schema)
    }

    /// Who owns the object.
    pub(crate) fn owner(&self) -> &str {
        self.objects.schema_owner(self.schema())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Permanent {
    pub(crate) fn new(databases: Option<Arc<Databases>>) -> Self {
        Self {
            databases,
            ..Self::default()
        }
    }

    /// The instance's databases.
    ///
    /// # Errors
    /// 40517 where there are none.
    pub(crate) fn databases(&self) -> Result<&Arc<Databases>, SqlError> {
        self.databases
            .as_ref()
            .ok_or_else(|| fault::not_supported("a permanent object"))
    }

    /// A session's hold on its current database.
    pub(crate) fn hold(&self, name: &str) -> Option<InUse> {
        let databases = self.databases.as_ref()?;
        let database = databases.database(databases.named(name)?.id)?;
        Some(InUse::new(database))
    }

    /// The objects of a database, as this session's transaction sees them.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(crate) fn objects(&self, database: i32) -> Result<Arc<Objects>, SqlError> {
        if let Some(changed) = locked(&self.changed).get(&database) {
            return Ok(Arc::clone(changed));
        }
        match &self.databases {
            Some(databases) => databases.objects(database),
            None => Ok(Arc::default()),
        }
    }

    /// The object of a name in a database.
    ///
    /// # Errors
    /// As [`Permanent::objects`].
    pub(crate) fn find(
        &self,
        database: &str,
        schema: &str,
        name: &str,
    ) -> Result<Option<Found>, SqlError> {
        let Some(info) = self.databases.as_ref().and_then(|all| all.named(database)) else {
            return Ok(None);
        };
        let objects = self.objects(info.id)?;
        Ok(objects.find(schema, name).cloned().map(|object| Found {
            database: info.id,
            database_name: info.name,
            objects,
            object,
        }))
    }

    /// The open transaction has changed a database's objects.
    pub(crate) fn change(&self, database: i32, objects: Arc<Objects>) {
        locked(&self.changed).insert(database, objects);
    }

    /// Databases whose objects the open transaction has changed.
    pub(crate) fn changed(&self) -> Vec<i32> {
        locked(&self.changed).keys().copied().collect()
    }

    /// The transaction is over: the databases that it changed, with what it made of them.
    pub(crate) fn end(&self) -> BTreeMap<i32, Arc<Objects>> {
        std::mem::take(&mut *locked(&self.changed))
    }

    /// The session is as new.
    pub(crate) fn clear(&self) {
        locked(&self.changed).clear();
        locked(&self.keys).clear();
    }
}

impl Shared {
    /// The table behind a found object, and its key, which stays the same while the session lasts.
    ///
    /// # Errors
    /// 208-like when the object is no table; when its file cannot be read.
    pub(crate) fn permanent_table(&self, found: &Found) -> Result<Arc<OwnTable>, SqlError> {
        let stamp = found.objects.stamp_of(found.object.id);
        let place = (found.database, found.object.id);
        let mut keys = locked(&self.permanent.keys);
        let known = keys.get(&place).copied();
        if let Some((key, of)) = known
            && of == stamp
            && let Some(super::shared::Object::Own(table)) = self.object(key)
            && table
                .place
                .as_ref()
                .is_some_and(|place| place.database_name == found.database_name)
        {
            return Ok(table);
        }
        let key = known.map_or_else(|| self.next_key(), |(key, _)| key);
        let table = Arc::new(self.table_of(found, key)?);
        if known.is_some() {
            self.replace_own(Arc::clone(&table));
        } else {
            self.add_own(Arc::clone(&table));
        }
        keys.insert(place, (key, stamp));
        Ok(table)
    }

    fn table_of(&self, found: &Found, key: u32) -> Result<OwnTable, SqlError> {
        let of_view;
        let info = if found.object.kind == ObjectKind::View {
            // Nobody reads it by this: it is what an INSTEAD OF trigger is given.
            of_view = TableInfo {
                columns: found.object.columns().to_vec(),
                ..TableInfo::default()
            };
            &of_view
        } else {
            let table = found.object.table();
            table.ok_or_else(|| fault::invalid_object(&found.object.name))?
        };
        let mut table = table_from(info, &found.object.name, key)?;
        if let Some(identity) = table.identity
            && let Some((seed, increment)) = info.columns[identity].identity
        {
            table.seed = seed;
            table.increment = increment;
            let databases = self.permanent.databases()?;
            table.next = databases.identity(found.database, found.object.id, seed)?;
        }
        table.place = Some(Place {
            database: found.database,
            database_name: found.database_name.clone(),
            schema: found.schema().to_owned(),
            triggers: !found.objects.triggers_of(found.object.id).is_empty(),
            instead: taken_over(&found.objects, found.object.id),
            object: Arc::clone(&found.object),
        });
        Ok(table)
    }
}

/// A table of these columns and constraints, without a place of its own.
///
/// # Errors
/// When a stored expression does not parse.
pub(crate) fn table_from(info: &TableInfo, name: &str, key: u32) -> Result<OwnTable, SqlError> {
    let mut columns = Vec::with_capacity(info.columns.len());
    for column in &info.columns {
        columns.push(OwnColumn {
            column: Column {
                name: column.name.clone(),
                ty: column.ty,
                nullable: column.nullable,
            },
            default: match &column.default {
                Some(default) => Some(expression(&default.text, default.quoted_identifier)?),
                None => None,
            },
            computed: match &column.computed {
                Some(computed) => Some(Computed {
                    expr: expression(&computed.text, computed.quoted_identifier)?,
                    stored: computed.stored,
                }),
                None => None,
            },
        });
    }
    let mut checks = Vec::new();
    for check in info.checks.iter().filter(|check| !check.disabled) {
        let condition = condition(&check.text, check.quoted_identifier)?;
        checks.push((check.name.clone(), condition));
    }
    let keys = info
        .indexes
        .iter()
        .filter(|index| index.unique)
        .map(|index| OwnKey {
            name: index.name.clone(),
            primary: index.primary,
            columns: index.columns.clone(),
        })
        .collect();
    Ok(OwnTable {
        key,
        name: name.to_owned(),
        columns,
        keys,
        checks,
        identity: info.columns.iter().position(|c| c.identity.is_some()),
        seed: 1,
        increment: 1,
        next: Arc::new(AtomicI64::new(1)),
        variable: false,
        place: None,
        of_type: None,
    })
}

fn one_statement(text: String, quoted_identifier: bool) -> Option<StatementKind> {
    let options = ParseOptions {
        quoted_identifier,
        variables: &[],
    };
    let batch = parse_batch(&text, &options).ok()?;
    let mut statements = batch.statements.into_iter();
    let first = statements.next()?;
    statements.next().is_none().then_some(first.kind)
}

/// The expression of a stored text.
pub(crate) fn expression(text: &str, quoted_identifier: bool) -> Result<Expr, SqlError> {
    match one_statement(format!("PRINT {text}"), quoted_identifier) {
        Some(StatementKind::Print(expr)) => Ok(expr),
        _ => Err(fault::internal("a stored expression does not parse")),
    }
}

/// The condition of a stored text.
pub(crate) fn condition(text: &str, quoted_identifier: bool) -> Result<Expr, SqlError> {
    match one_statement(format!("IF {text} RETURN"), quoted_identifier) {
        Some(StatementKind::If { condition, .. }) => Ok(condition),
        _ => Err(fault::internal("a stored condition does not parse")),
    }
}
