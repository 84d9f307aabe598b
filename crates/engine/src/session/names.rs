//! Resolves names for the binder: variables of the frame, temporary tables, the host's objects.

use super::shared::{Object, Shared};
use super::stored::{Routine, stored_query};
use crate::databases::ObjectKind;
use crate::host::{FunctionDecl, FunctionResult};
use std::sync::{Arc, OnceLock};
use tsql::ast::ObjectName;
use tsql::bind::{Catalog, FunctionShape, Returns, StoredQuery, TableFunction, TableShape};
use tsql::eval::collate;
use tsql::rowset::Rowset;
use tsql::{SqlError, SqlType, fault, messages};

/// A local variable.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    /// Name with its `@`, in lower case.
    pub(crate) name: String,
    pub(crate) ty: SqlType,
}

/// Columns of the table that a trigger watches: name, number, and whether the statement sets it.
#[derive(Debug)]
pub(crate) struct Updated(pub(crate) Vec<(String, i32, bool)>);

impl Updated {
    /// COLUMNS_UPDATED(): a bit for each column number, the lowest first.
    fn bits(&self) -> Vec<u8> {
        let last = self.0.iter().map(|(_, id, _)| *id).max().unwrap_or(1);
        let place = |id: i32| usize::try_from(id - 1).unwrap_or(0);
        let mut bits = vec![0; place(last) / 8 + 1];
        for (_, id, _) in self.0.iter().filter(|(_, _, set)| *set) {
            bits[place(*id) / 8] |= 1 << (place(*id) % 8);
        }
        bits
    }
}

/// What the names of one batch or procedure mean. Values stand beside it, by slot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) locals: Vec<Local>,
    /// Table variables: name in lower case, and key.
    pub(crate) tables: Vec<(String, u32)>,
    /// Parameters that nobody declared, in a text that is only described: name in lower case, and its type once it
    /// is known.
    pub(crate) undeclared: Vec<(String, Arc<OnceLock<SqlType>>)>,
    /// Keys of those that are parameters, which nobody changes.
    pub(crate) readonly: Vec<u32>,
    /// Where a trigger runs, what its statement sets.
    pub(crate) updated: Option<Arc<Updated>>,
}

impl Scope {
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        let lower = name.to_lowercase();
        self.locals.iter().position(|local| local.name == lower)
    }
}

/// The binder's catalog.
pub(crate) struct Names<'s> {
    pub(crate) shared: &'s Shared,
    pub(crate) scope: &'s Scope,
}

impl Names<'_> {
    fn database_of(&self, name: &ObjectName) -> Result<String, SqlError> {
        match &name.database {
            Some(part) => self.shared.reachable(&part.text),
            None => Ok(self.shared.facts().database.clone()),
        }
    }

    /// Schemas to look in, for a name that may leave its schema out.
    fn schemas(&self, name: &ObjectName) -> Vec<String> {
        if let Some(schema) = &name.schema {
            return vec![schema.text.clone()];
        }
        let mut schemas = vec!["dbo".to_owned(), "sys".to_owned()];
        let own = self.shared.facts().schema.clone();
        if own != "dbo" {
            schemas.insert(0, own);
        }
        schemas
    }

    fn host_function(&self, name: &ObjectName) -> Option<Arc<FunctionDecl>> {
        let here = self.database_of(name).ok()?;
        let host = self.shared.host();
        let schemas = self.schemas(name);
        let mut places: Vec<(&str, &str)> = schemas
            .iter()
            .map(|schema| (here.as_str(), schema.as_str()))
            .collect();
        if name.database.is_none() && name.schema.as_ref().is_none_or(|schema| schema.is("sys")) {
            places.push(("master", "sys"));
        }
        places
            .into_iter()
            .find_map(|(database, schema)| host.function(database, schema, &name.name.text))
    }

    /// A table that a user made.
    fn permanent(&self, database: &str, name: &ObjectName) -> Result<Option<TableShape>, SqlError> {
        for schema in self.schemas(name) {
            let permanent = &self.shared.permanent;
            if let Some(found) = permanent.find(database, &schema, &name.name.text)? {
                let whole = self.shared.may_read(&found)?;
                let table = self.shared.permanent_table(&found)?;
                if self.shared.facts().chain.is_none() {
                    self.shared.read_by_column(table.key, !whole);
                }
                return Ok(self.own(table.key));
            }
        }
        Ok(None)
    }

    /// A table that a statement writes, which needs no permission to read it.
    pub(crate) fn target(&self, name: &ObjectName) -> Result<TableShape, SqlError> {
        let here = self.database_of(name)?;
        let _chain = self.shared.unasked(&here);
        self.table(name)
    }

    /// `inserted` and `deleted`, where a trigger runs.
    fn trigger_table(&self, name: &str) -> Option<TableShape> {
        let tables = &self.scope.tables;
        let (_, key) = tables
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        self.own(*key)
    }

    /// A function that a user made. One that cannot be read is none: whoever made it is told why by the log.
    fn routine(&self, name: &ObjectName) -> Option<FunctionShape> {
        let here = self.database_of(name).ok()?;
        let name = self.shared.followed(name, &here).ok()?;
        let here = self.database_of(&name).ok()?;
        let mut found = None;
        for schema in self.schemas(&name) {
            if found.is_none() {
                let permanent = &self.shared.permanent;
                found = permanent.find(&here, &schema, &name.name.text).ok()?;
            }
        }
        let routine = Routine::of(self.shared, &found?).ok()??;
        let params = routine.decl.params.iter();
        let params = params.map(|param| (param.ty, param.default.clone()));
        Some(FunctionShape {
            params: params.collect(),
            returns: match &routine.decl.returns {
                FunctionResult::Scalar(ty) => Returns::Scalar(*ty),
                FunctionResult::Table(columns) => Returns::Table(columns.clone()),
            },
            key: self.shared.intern(Object::Routine(Arc::new(routine))),
        })
    }

    fn own(&self, key: u32) -> Option<TableShape> {
        match self.shared.object(key) {
            Some(Object::Own(table)) => Some(TableShape {
                key,
                columns: table.shape(),
            }),
            _ => None,
        }
    }
}

impl Catalog for Names<'_> {
    fn ansi_nulls(&self) -> bool {
        self.shared.facts().has(super::shared::option::ANSI_NULLS)
    }

    fn undeclared(&self, name: &str) -> Option<Arc<OnceLock<SqlType>>> {
        let mut known = self.scope.undeclared.iter();
        known
            .find(|(undeclared, _)| undeclared.eq_ignore_ascii_case(name))
            .map(|(_, found)| Arc::clone(found))
    }

    fn variable(&self, name: &str) -> Option<(usize, SqlType)> {
        let slot = self.scope.slot(name)?;
        Some((slot, self.scope.locals[slot].ty))
    }

    fn table(&self, name: &ObjectName) -> Result<TableShape, SqlError> {
        let unknown = || fault::invalid_object(&name.to_string());
        if name.is_temporary() {
            return self
                .shared
                .temp_key(&name.name.text)
                .and_then(|key| self.own(key))
                .ok_or_else(unknown);
        }
        if let Some(bare) = name.as_bare()
            && let Some(shape) = self.trigger_table(&bare.text)
        {
            return Ok(shape);
        }
        let here = self.shared.facts().database.clone();
        let name = &self.shared.followed(name, &here)?;
        let database = self.database_of(name)?;
        let schemas = self.schemas(name);
        let host = self.shared.host();
        let decl = schemas
            .iter()
            .find_map(|schema| host.table(&database, schema, &name.name.text));
        drop(host);
        let Some(decl) = decl else {
            return self.permanent(&database, name)?.ok_or_else(unknown);
        };
        let columns = decl.columns.clone();
        let key = self.shared.intern(Object::HostTable { database, decl });
        Ok(TableShape { key, columns })
    }

    fn is_updated(&self, column: &str) -> Result<bool, SqlError> {
        let updated = self.scope.updated.as_ref();
        let updated = updated.ok_or_else(|| messages::UPDATE_OUTSIDE_TRIGGER.with(&[]))?;
        let mut columns = updated.0.iter();
        columns
            .find(|(name, _, _)| collate::same(name, column))
            .map(|(_, _, set)| *set)
            .ok_or_else(|| fault::invalid_column(column))
    }

    fn columns_updated(&self) -> Option<Vec<u8>> {
        self.scope.updated.as_ref().map(|updated| updated.bits())
    }

    fn table_variable(&self, name: &str) -> Option<TableShape> {
        let lower = name.to_lowercase();
        let (_, key) = self
            .scope
            .tables
            .iter()
            .find(|(known, _)| *known == lower)?;
        self.own(*key)
    }

    fn read_column(&self, table: u32, column: usize) -> Result<(), SqlError> {
        if !self.shared.is_read_by_column(table) {
            return Ok(());
        }
        match self.shared.object(table) {
            Some(Object::Own(own)) => self.shared.may_use_column(&own, column, "SELECT"),
            _ => Ok(()),
        }
    }

    fn rowset(&self, rowset: Rowset) -> u32 {
        self.shared.intern(Object::Rowset(Arc::new(rowset)))
    }

    fn table_function(&self, function: TableFunction, args: &[SqlType]) -> Option<u32> {
        let decl = crate::store::series::declared(function, args);
        Some(self.shared.intern(Object::HostFunction(decl)))
    }

    fn view(&self, name: &ObjectName) -> Result<Option<StoredQuery<'_>>, SqlError> {
        let trigger_table = name.as_bare().map(|bare| self.trigger_table(&bare.text));
        if trigger_table.flatten().is_some() {
            return Ok(None);
        }
        let here = self.shared.facts().database.clone();
        stored_query(self.shared, name, &here, ObjectKind::View)
    }

    fn inline_function(&self, name: &ObjectName) -> Result<Option<StoredQuery<'_>>, SqlError> {
        let here = self.shared.facts().database.clone();
        stored_query(self.shared, name, &here, ObjectKind::InlineFunction)
    }

    fn function(&self, name: &ObjectName) -> Option<FunctionShape> {
        let Some(decl) = self.host_function(name) else {
            return self.routine(name);
        };
        let params = decl
            .params
            .iter()
            .map(|param| (param.ty, param.default.clone()))
            .collect();
        let returns = match &decl.returns {
            FunctionResult::Scalar(ty) => Returns::Scalar(*ty),
            FunctionResult::Table(columns) => Returns::Table(columns.clone()),
        };
        Some(FunctionShape {
            key: self.shared.intern(Object::HostFunction(decl)),
            params,
            returns,
        })
    }
}
