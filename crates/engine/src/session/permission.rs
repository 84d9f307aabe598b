//! Who may use what users made: by permission, or because a module of the same database does it for them.

use super::permanent::Found;
use super::shared::Shared;
use super::tables::OwnTable;
use tsql::{SqlError, messages};

/// What holds until it is dropped: objects of one database need no permission.
pub(crate) struct Chain<'s> {
    shared: &'s Shared,
    before: Option<String>,
}

impl Drop for Chain<'_> {
    fn drop(&mut self) {
        self.shared.facts().chain = self.before.take();
    }
}

impl Shared {
    /// A module of that database runs: what it uses there, its caller may use through it.
    pub(crate) fn chained(&self, database: &str) -> Chain<'_> {
        let before = self.facts().chain.replace(database.to_owned());
        Chain {
            shared: self,
            before,
        }
    }

    /// 229 unless the caller may do that with an object.
    pub(crate) fn may_use(&self, found: &Found, permission: &str) -> Result<(), SqlError> {
        let schema = found.schema();
        self.permitted(&found.database_name, schema, &found.object.name, permission)
    }

    /// 229 unless the caller may do that with a table; the session's own tables are free.
    pub(crate) fn may_use_table(&self, table: &OwnTable, permission: &str) -> Result<(), SqlError> {
        match &table.place {
            Some(place) => {
                self.permitted(&place.database_name, &place.schema, &table.name, permission)
            }
            None => Ok(()),
        }
    }

    fn permitted(
        &self,
        database: &str,
        schema: &str,
        name: &str,
        permission: &str,
    ) -> Result<(), SqlError> {
        if self.facts().chain.as_deref() == Some(database)
            || self.host().permitted(database, schema, name, permission)
        {
            return Ok(());
        }
        Err(messages::PERMISSION_DENIED.with(&[permission, name, database, schema]))
    }
}
