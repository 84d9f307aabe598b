//! msdb's tables and views, projected from the catalog.
//!
//! A table is declared by its columns, who may select from it, the columns a scan can seek on, and a function
//! that makes its rows. Ints, local times and names are made here; the catalog knows only instants and keys.

mod activity;
mod agent;
mod alert;
mod columns;
mod history;
mod job;
mod proxy;
mod schedule;
mod target;

use crate::caller::{AgentRole, Caller};
use crate::error::Result;
use crate::made::MadeObjects;
use crate::messages::denied;
use crate::rights::{On, Rights};
use crate::services::Services;
use catalog::{Catalog, DefinitionsRead, RunsRead};
use engine::host::{Scan, SeekKey, TableDecl, TemporaryTable};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use tsql::{Column, Row, SqlType};
use uuid::Uuid;

/// Name, type, nullability.
pub(crate) type Columns = &'static [(&'static str, SqlType, bool)];

/// Who may select, beside those whom roles of the database and GRANT let.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Select {
    /// Every login; rows are filtered where a role may not see them all.
    Public,
    /// The Agent's roles.
    Agent,
    /// TargetServersRole.
    TargetServers,
    /// The Agent's roles and TargetServersRole.
    AgentAndTargets,
    /// Nobody else.
    Nobody,
}

/// A table or view.
pub(crate) struct Table {
    /// Database.
    pub(crate) database: &'static str,
    /// Schema.
    pub(crate) schema: &'static str,
    /// Name.
    pub(crate) name: &'static str,
    /// Columns in order.
    pub(crate) columns: Columns,
    /// Columns a scan seeks on; the best first.
    pub(crate) seek: &'static [&'static str],
    /// Who may select.
    pub(crate) select: Select,
    /// Makes the rows.
    pub(crate) rows: fn(&Scanner<'_>) -> Result<Rows>,
}

/// Rows of a scan: all at once, or read page by page.
pub(crate) enum Rows {
    /// All of them.
    All(Vec<Row>),
    /// As they are asked for.
    Pages(Scan),
}

/// What a projection reads from.
pub(crate) struct Scanner<'s> {
    /// Definitions, as the session's transaction sees them.
    pub(crate) definitions: &'s dyn DefinitionsRead,
    /// For runs, and for pages read later.
    pub(crate) catalog: &'s Catalog,
    /// Who selects.
    pub(crate) caller: &'s Caller,
    /// The running instance.
    pub(crate) services: &'s dyn Services,
    /// Now.
    pub(crate) now: Timestamp,
    /// The instance's time zone.
    pub(crate) zone: TimeZone,
    /// The instance's name.
    pub(crate) server: String,
    /// Database the statement is about.
    pub(crate) database: &'s str,
    /// What users made in the databases, as the session sees it.
    pub(crate) made: Option<&'s MadeObjects>,
    /// The session's temporary tables, where tempdb is asked about.
    pub(crate) temporary: &'s [TemporaryTable],
    rights: OnceCell<Rights<'s>>,
    decl: &'s TableDecl,
    keys: &'s [SeekKey],
}

impl<'s> Scanner<'s> {
    /// A scan of a table or view.
    pub(crate) fn new(
        definitions: &'s dyn DefinitionsRead,
        catalog: &'s Catalog,
        caller: &'s Caller,
        services: &'s dyn Services,
        decl: &'s TableDecl,
        keys: &'s [SeekKey],
    ) -> Self {
        let moment = services.now();
        Self {
            definitions,
            catalog,
            caller,
            services,
            now: moment.utc,
            zone: moment.zone,
            server: services.instance().name,
            database: decl.database,
            made: None,
            temporary: &[],
            rights: OnceCell::new(),
            decl,
            keys,
        }
    }

    /// 229 unless the caller may select from the table.
    ///
    /// # Errors
    /// 229; what the catalog raises.
    pub(crate) fn check_select(&self, table: &Table) -> Result<()> {
        if self.may_select(table)? {
            Ok(())
        } else {
            Err(denied("SELECT", table.name, table.database, table.schema).into())
        }
    }

    /// Whether the caller may select, by role, membership or GRANT, and no DENY.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn may_select(&self, table: &Table) -> Result<bool> {
        let caller = self.caller;
        let by_role = match table.select {
            Select::Public => true,
            Select::Agent => caller.is(AgentRole::User),
            Select::TargetServers => caller.targets_role,
            Select::AgentAndTargets => caller.is(AgentRole::User) || caller.targets_role,
            Select::Nobody => false,
        };
        if caller.sysadmin {
            return Ok(true);
        }
        let on = On::Object(table.database, table.schema, table.name, None);
        Ok(self.rights().said(on, "SELECT")?.unwrap_or(by_role))
    }

    /// What the caller may do.
    pub(crate) fn rights(&self) -> &Rights<'s> {
        self.rights
            .get_or_init(|| self.caller.rights(self.definitions))
    }

    /// Whether the caller is told of an object that a user made: the owners of the database are of all, others of what
    /// they have been granted a permission on.
    ///
    /// # Errors
    /// What the catalog raises.
    pub(crate) fn sees_made(&self, schema: &str, object: &str) -> Result<bool> {
        self.rights().sees_object(self.database, schema, object)
    }

    fn key(&self, column: &str) -> Option<&tsql::Value> {
        let at = self.decl.columns.iter().position(|c| c.name == column)?;
        self.keys
            .iter()
            .find(|key| key.column == at)
            .map(|key| &key.value)
    }

    /// The uuid sought in a column.
    pub(crate) fn guid(&self, column: &str) -> Option<Uuid> {
        self.key(column)?.as_guid()
    }

    /// The number sought in a column.
    pub(crate) fn number(&self, column: &str) -> Option<i64> {
        self.key(column)?.as_i64()
    }

    /// The text sought in a column.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        self.key(column)?.as_str()
    }

    /// Reads runs on a fresh snapshot.
    pub(crate) fn runs<T>(&self, read: impl FnOnce(&dyn RunsRead) -> Result<T>) -> Result<T> {
        self.catalog.runs_read(read)
    }
}

/// A table beside the form in which the engine takes it.
pub(crate) struct Declared {
    /// The declaration.
    pub(crate) table: &'static Table,
    /// The engine's form of it.
    pub(crate) decl: Arc<TableDecl>,
}

impl Declared {
    fn new(table: &'static Table) -> Self {
        let columns = table
            .columns
            .iter()
            .map(|(name, ty, nullable)| Column {
                name: (*name).to_owned(),
                ty: *ty,
                nullable: *nullable,
            })
            .collect();
        let seekable = table
            .seek
            .iter()
            .map(|name| {
                table
                    .columns
                    .iter()
                    .position(|column| column.0 == *name)
                    .expect("a seekable column is one of the table's")
            })
            .collect();
        Self {
            table,
            decl: Arc::new(TableDecl {
                database: table.database,
                schema: table.schema,
                name: table.name,
                columns,
                seekable,
            }),
        }
    }
}

/// Tables by database, schema and name, lower case.
pub(crate) type Register = BTreeMap<(&'static str, &'static str, String), Declared>;

/// Puts tables into a register.
pub(crate) fn register(tables: impl Iterator<Item = &'static Table>) -> Register {
    tables
        .map(|table| {
            let key = (
                table.database,
                table.schema,
                table.name.to_ascii_lowercase(),
            );
            (key, Declared::new(table))
        })
        .collect()
}

/// Every table and view of msdb.
pub(crate) fn tables() -> &'static Register {
    static TABLES: LazyLock<Register> =
        LazyLock::new(|| register(GROUPS.iter().flat_map(|group| group.iter())));
    &TABLES
}

/// A table of msdb.
const fn msdb(
    name: &'static str,
    columns: Columns,
    seek: &'static [&'static str],
    select: Select,
    rows: fn(&Scanner<'_>) -> Result<Rows>,
) -> Table {
    Table {
        database: "msdb",
        schema: "dbo",
        name,
        columns,
        seek,
        select,
        rows,
    }
}

const GROUPS: &[&[Table]] = &[
    activity::TABLES,
    agent::TABLES,
    alert::TABLES,
    history::TABLES,
    job::TABLES,
    proxy::TABLES,
    schedule::TABLES,
    target::TABLES,
];

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = include_str!("../../facts/tables.toml");

    #[test]
    fn every_table_of_the_sheet_has_its_columns() {
        let sheet: toml::Table = SHEET.parse().unwrap();
        assert_eq!(sheet.len(), 28);
        assert_eq!(tables().len(), 28);
        for (name, facts) in &sheet {
            let declared = &tables()[&("msdb", "dbo", name.clone())];
            let ours: Vec<String> = declared
                .decl
                .columns
                .iter()
                .map(|c| format!("{} {} {}", c.name, c.ty, c.nullable))
                .collect();
            let theirs: Vec<String> = facts["columns"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| {
                    let ty = row[1].as_str().unwrap();
                    let ty = if ty == "sysname" { "nvarchar(128)" } else { ty };
                    format!(
                        "{} {ty} {}",
                        row[0].as_str().unwrap(),
                        row[2].as_bool().unwrap()
                    )
                })
                .collect();
            assert_eq!(ours, theirs, "{name}");
        }
    }
}
