//! What users made in the instance's databases, as one session sees it: committed, and its own open transaction's.

use crate::error::Result;
use catalog::name_key;
use engine::databases::{DatabaseInfo, Databases, Objects};
use engine::host::SYSTEM_DATABASES;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The databases and their objects. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct MadeObjects {
    databases: Option<Arc<Databases>>,
    /// What the open transaction has changed, by database.
    own: BTreeMap<i32, Arc<Objects>>,
}

impl MadeObjects {
    /// The objects of an instance's databases.
    pub(crate) fn new(databases: Option<Arc<Databases>>) -> Self {
        Self {
            databases,
            own: BTreeMap::new(),
        }
    }

    /// The open transaction changed a database's objects; `None` when it is over.
    pub(crate) fn changed(&mut self, database: i32, objects: Option<Arc<Objects>>) {
        match objects {
            Some(objects) => self.own.insert(database, objects),
            None => self.own.remove(&database),
        };
    }

    /// Every database, by number.
    pub(crate) fn databases(&self) -> Vec<DatabaseInfo> {
        match &self.databases {
            Some(databases) => databases.list(),
            None => SYSTEM_DATABASES
                .iter()
                .map(|(id, name)| DatabaseInfo {
                    id: *id,
                    name: (*name).to_owned(),
                    created: 0,
                    owner_sid: crate::caller::SA_SID.to_vec(),
                })
                .collect(),
        }
    }

    /// A database by name.
    pub(crate) fn database(&self, name: &str) -> Option<DatabaseInfo> {
        self.databases()
            .into_iter()
            .find(|info| name_key(&info.name) == name_key(name))
    }

    /// The objects of a database; none when there is no such database.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(crate) fn objects(&self, database: &str) -> Result<Arc<Objects>> {
        let Some(databases) = &self.databases else {
            return Ok(Arc::default());
        };
        let Some(info) = databases.named(database) else {
            return Ok(Arc::default());
        };
        match self.own.get(&info.id) {
            Some(own) => Ok(Arc::clone(own)),
            None => Ok(databases.objects(info.id)?),
        }
    }
}
