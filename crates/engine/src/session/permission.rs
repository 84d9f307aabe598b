//! Who may use what users made: by permission, or because a module of the same owner in the same database does it for
//! them.

use super::permanent::Found;
use super::shared::Shared;
use super::tables::OwnTable;
use crate::host::Securable;
use tsql::eval::collate;
use tsql::{SqlError, messages};

/// What ownership chains carry: a module's owner gives the right to these on what else it owns.
const CHAINED: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "EXECUTE",
    "REFERENCES",
];

/// Whose objects need no permission now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChainLink {
    database: String,
    /// Everyone's, when none is named: the statement asks for its permission elsewhere.
    owner: Option<String>,
}

/// What holds until it is dropped.
pub(crate) struct Chain<'s> {
    shared: &'s Shared,
    before: Option<ChainLink>,
}

impl Drop for Chain<'_> {
    fn drop(&mut self) {
        self.shared.facts().chain = self.before.take();
    }
}

impl Shared {
    fn linked(&self, link: Option<ChainLink>) -> Chain<'_> {
        let before = std::mem::replace(&mut self.facts().chain, link);
        Chain {
            shared: self,
            before,
        }
    }

    /// A module of that owner runs: what it uses of the same owner, its caller may use through it.
    pub(crate) fn chained(&self, database: &str, owner: &str) -> Chain<'_> {
        self.linked(Some(ChainLink {
            database: database.to_owned(),
            owner: Some(owner.to_owned()),
        }))
    }

    /// Names of a database are looked up for a statement that asks for its permission elsewhere.
    pub(crate) fn unasked(&self, database: &str) -> Chain<'_> {
        self.linked(Some(ChainLink {
            database: database.to_owned(),
            owner: None,
        }))
    }

    /// A text runs, for which nobody but its caller answers.
    pub(crate) fn unchained(&self) -> Chain<'_> {
        self.linked(None)
    }

    /// 229 unless the caller may do that with an object.
    pub(crate) fn may_use(&self, found: &Found, permission: &str) -> Result<(), SqlError> {
        let (schema, name) = (found.schema(), &found.object.name);
        if self.follows(&found.database_name, found.owner(), permission)
            || self.permitted(&found.database_name, (schema, name), permission)
        {
            return Ok(());
        }
        Err(messages::PERMISSION_DENIED.with(&[permission, name, &found.database_name, schema]))
    }

    /// Whether the caller may read a table as a whole; false when each of its columns has to be asked for.
    ///
    /// # Errors
    /// 229 without any right to read it.
    pub(crate) fn may_read(&self, found: &Found) -> Result<bool, SqlError> {
        let (database, object) = (
            &found.database_name,
            (found.schema(), found.object.name.as_str()),
        );
        if self.follows(database, found.owner(), "SELECT") {
            return Ok(true);
        }
        if self.host().permitted_by_column(database, object, "SELECT") {
            return Ok(false);
        }
        self.may_use(found, "SELECT").map(|()| true)
    }

    /// 229 unless the caller may do that with a table; the session's own tables are free. An UPDATE may be one of some
    /// columns alone, which [`Shared::may_update_columns`] asks for.
    pub(crate) fn may_use_table(&self, table: &OwnTable, permission: &str) -> Result<(), SqlError> {
        let Some(place) = &table.place else {
            return Ok(());
        };
        let (database, object) = (
            &place.database_name,
            (place.schema.as_str(), table.name.as_str()),
        );
        let by_column = || {
            permission == "UPDATE"
                && self
                    .host()
                    .permitted_by_column(database, object, permission)
        };
        if self.table_chained(table, permission)
            || self.permitted(database, object, permission)
            || by_column()
        {
            return Ok(());
        }
        if !CHAINED.contains(&permission) {
            return Err(messages::CANNOT_FIND_OBJECT.with(&[&table.name]));
        }
        Err(messages::PERMISSION_DENIED.with(&[permission, &table.name, database, &place.schema]))
    }

    /// 230 unless the caller may update these columns of a table.
    pub(crate) fn may_update_columns(
        &self,
        table: &OwnTable,
        mut columns: impl Iterator<Item = usize>,
    ) -> Result<(), SqlError> {
        let Some(place) = &table.place else {
            return Ok(());
        };
        let object = (place.schema.as_str(), table.name.as_str());
        if !self
            .host()
            .permitted_by_column(&place.database_name, object, "UPDATE")
        {
            return Ok(());
        }
        columns.try_for_each(|column| self.may_use_column(table, column, "UPDATE"))
    }

    /// 230 unless the caller may do that with a column of a table.
    pub(crate) fn may_use_column(
        &self,
        table: &OwnTable,
        column: usize,
        permission: &str,
    ) -> Result<(), SqlError> {
        let Some(place) = &table.place else {
            return Ok(());
        };
        let name = table
            .columns
            .get(column)
            .map_or("", |own| own.column.name.as_str());
        let on = Securable::Column(&place.schema, &table.name, name);
        if self.table_chained(table, permission)
            || self.host().permitted(&place.database_name, on, permission)
        {
            return Ok(());
        }
        Err(messages::COLUMN_PERMISSION_DENIED.with(&[
            permission,
            name,
            &table.name,
            &place.database_name,
            &place.schema,
        ]))
    }

    fn table_chained(&self, table: &OwnTable, permission: &str) -> bool {
        let Some(place) = &table.place else {
            return true;
        };
        if self.facts().chain.is_none() {
            return false;
        }
        let Ok(objects) = self.permanent.objects(place.database) else {
            return false;
        };
        let owner = objects.schema_owner(&place.schema);
        self.follows(&place.database_name, owner, permission)
    }

    /// Whether the running module gives the right: it and the object are one owner's, in one database.
    pub(super) fn follows(&self, database: &str, owner: &str, permission: &str) -> bool {
        let facts = self.facts();
        let Some(link) = &facts.chain else {
            return false;
        };
        CHAINED.contains(&permission)
            && collate::same(&link.database, database)
            && link
                .owner
                .as_ref()
                .is_none_or(|mine| collate::same(mine, owner))
    }

    fn permitted(&self, database: &str, (schema, name): (&str, &str), permission: &str) -> bool {
        let on = Securable::Object(schema, name);
        self.host().permitted(database, on, permission)
    }

    /// The usual spelling of a database's name that a statement names.
    ///
    /// # Errors
    /// 911 when there is none, 916 when the caller may not enter it.
    pub(crate) fn reachable(&self, name: &str) -> Result<String, SqlError> {
        let host = self.host();
        let database = host
            .database(name)
            .ok_or_else(|| messages::UNKNOWN_DATABASE.with(&[name]))?;
        if host.may_enter(&database) {
            return Ok(database);
        }
        Err(messages::NO_DATABASE_ACCESS.with(&[&host.identity().login, &database]))
    }
}
