//! BEGIN, COMMIT, ROLLBACK and SAVE TRANSACTION.

use super::{Frame, Interpreter};
use crate::host::EnvChange;
use crate::session::shared::{Shared, option};
use crate::store::encode::Parameter;
use rusqlite::types::Value as Sqlite;
use tsql::ast::TransactionName;
use tsql::{SqlError, messages};

/// Rows of a table variable, kept across a ROLLBACK.
struct Kept {
    key: u32,
    columns: usize,
    rows: Vec<Vec<Sqlite>>,
}

impl Interpreter<'_> {
    /// BEGIN TRANSACTION; the outermost keeps its name, by which ROLLBACK may call it.
    pub(crate) fn begin(&mut self, name: &str) -> Result<(), SqlError> {
        let count = self.core.shared.facts().tran_count;
        if count == 0 {
            self.core.shared.host().begin()?;
            self.core.transaction += 1;
            name.clone_into(&mut self.core.transaction_name);
            self.sink
                .env_change(EnvChange::TransactionBegun(self.core.transaction));
        }
        self.core.shared.facts().tran_count = count + 1;
        Ok(())
    }

    pub(crate) fn commit(&mut self) -> Result<(), SqlError> {
        let (count, doomed) = {
            let facts = self.core.shared.facts();
            (facts.tran_count, facts.doomed)
        };
        match count {
            0 => Err(messages::COMMIT_WITHOUT_BEGIN.with(&[])),
            _ if doomed => Err(messages::TRANSACTION_DOOMED.with(&[])),
            1 => {
                let committed = self.core.shared.host().commit();
                if let Err(error) = committed {
                    // The host has rolled back; so does the session.
                    self.core.shared.facts().tran_count = 0;
                    self.end_store_transaction("ROLLBACK")?;
                    self.definitions_ended(false);
                    self.sink
                        .env_change(EnvChange::TransactionRolledBack(self.core.transaction));
                    return Err(error);
                }
                self.core.shared.facts().tran_count = 0;
                let ended = self.end_store_transaction("COMMIT");
                self.definitions_ended(ended.is_ok());
                ended?;
                self.sink
                    .env_change(EnvChange::TransactionCommitted(self.core.transaction));
                Ok(())
            }
            more => {
                self.core.shared.facts().tran_count = more - 1;
                Ok(())
            }
        }
    }

    pub(super) fn rollback(
        &mut self,
        name: Option<&TransactionName>,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let name = match name {
            Some(name) => Some(transaction_name(name, frame)?),
            None => None,
        };
        self.rollback_named(name.as_deref().unwrap_or_default())
    }

    /// ROLLBACK to a savepoint, or of everything when the name is empty or the transaction's own.
    pub(crate) fn rollback_named(&mut self, name: &str) -> Result<(), SqlError> {
        if self.collecting {
            return Err(messages::ROLLBACK_IN_INSERT_EXEC.with(&[]));
        }
        if self.core.shared.facts().tran_count == 0 {
            return Err(messages::ROLLBACK_WITHOUT_BEGIN.with(&[]));
        }
        let savepoint = self
            .core
            .savepoints
            .iter()
            .rposition(|known| known.eq_ignore_ascii_case(name));
        match savepoint {
            Some(_) if self.core.shared.facts().doomed => Err(SqlError::new(
                3931,
                16,
                "The current transaction cannot be committed and cannot be rolled back to a savepoint. Roll back the entire transaction.",
            )),
            Some(at) if !name.is_empty() => {
                self.core.shared.host().savepoint(name, true)?;
                self.core.savepoints.truncate(at + 1);
                self.store_batch(&format!("ROLLBACK TO p{at}"))?;
                self.definitions_restored()
            }
            _ if name.is_empty() || name.eq_ignore_ascii_case(&self.core.transaction_name) => {
                self.rollback_all()
            }
            _ => Err(messages::UNKNOWN_SAVEPOINT.with(&[name])),
        }
    }

    pub(crate) fn rollback_all(&mut self) -> Result<(), SqlError> {
        {
            let mut facts = self.core.shared.facts();
            facts.tran_count = 0;
            facts.doomed = false;
        }
        let result = self.core.shared.host().rollback();
        self.end_store_transaction("ROLLBACK")?;
        self.definitions_ended(false);
        self.sink
            .env_change(EnvChange::TransactionRolledBack(self.core.transaction));
        result
    }

    pub(super) fn save(&mut self, name: &TransactionName, frame: &Frame) -> Result<(), SqlError> {
        let (count, doomed) = {
            let facts = self.core.shared.facts();
            (facts.tran_count, facts.doomed)
        };
        if count == 0 {
            return Err(messages::SAVE_WITHOUT_BEGIN.with(&[]));
        }
        if doomed {
            return Err(messages::TRANSACTION_DOOMED.with(&[]));
        }
        let name = transaction_name(name, frame)?;
        self.core.shared.host().savepoint(&name, false)?;
        let at = self.core.savepoints.len();
        self.core.savepoints.push(name);
        self.store_batch(&format!("SAVEPOINT p{at}"))
    }

    /// Before a statement that reads or writes tables: with IMPLICIT_TRANSACTIONS it begins a transaction.
    pub(super) fn touches_tables(&mut self) -> Result<(), SqlError> {
        let begins = {
            let facts = self.core.shared.facts();
            facts.has(option::IMPLICIT_TRANSACTIONS)
                && facts.tran_count == 0
                && facts.unrun().is_none()
        };
        if begins { self.begin("") } else { Ok(()) }
    }

    /// Before a statement that writes tables: not in a doomed transaction.
    pub(super) fn writes_tables(&mut self) -> Result<(), SqlError> {
        self.touches_tables()?;
        if self.core.shared.facts().doomed {
            return Err(messages::TRANSACTION_DOOMED.with(&[]));
        }
        Ok(())
    }

    fn store_batch(&mut self, text: &str) -> Result<(), SqlError> {
        match self.core.store.as_mut() {
            Some(store) if !store.db.is_autocommit() => {
                store.rolled_back();
                store
                    .db
                    .execute_batch(text)
                    .map_err(|error| store.error(&error))
            }
            _ => Ok(()),
        }
    }

    /// COMMIT or ROLLBACK in the session's database. Table variables keep their rows.
    fn end_store_transaction(&mut self, word: &str) -> Result<(), SqlError> {
        self.core.savepoints.clear();
        let Some(store) = self.core.store.as_mut() else {
            return Ok(());
        };
        store.rolled_back();
        if store.db.is_autocommit() {
            return Ok(());
        }
        let kept = if word == "ROLLBACK" {
            keep(&self.core.shared, &store.db).map_err(|error| store.error(&error))?
        } else {
            Vec::new()
        };
        store
            .db
            .execute_batch(word)
            .map_err(|error| store.error(&error))?;
        // Tables that the transaction made are gone with it.
        for table in self.core.shared.own_tables() {
            let exists = store
                .db
                .table_exists(None, format!("t{}", table.key).as_str())
                .map_err(|error| store.error(&error))?;
            if !exists && !table.variable {
                self.core.shared.remove_temp(table.key);
                self.core.shared.forget(table.key);
            }
        }
        put_back(&kept, &store.db).map_err(|error| store.error(&error))
    }
}

fn keep(shared: &Shared, db: &rusqlite::Connection) -> rusqlite::Result<Vec<Kept>> {
    let mut all = Vec::new();
    for table in shared.own_tables().iter().filter(|table| table.variable) {
        let columns = table.columns.len();
        let mut statement = db.prepare(&format!("SELECT * FROM t{}", table.key))?;
        let mut rows = statement.query([])?;
        let mut kept = Vec::new();
        while let Some(row) = rows.next()? {
            let values: rusqlite::Result<Vec<Sqlite>> =
                (0..columns).map(|at| row.get(at)).collect();
            kept.push(values?);
        }
        all.push(Kept {
            key: table.key,
            columns,
            rows: kept,
        });
    }
    Ok(all)
}

fn put_back(kept: &[Kept], db: &rusqlite::Connection) -> rusqlite::Result<()> {
    for table in kept {
        let names: Vec<String> = (0..table.columns).map(|at| format!("c{at}")).collect();
        // The table itself may have been made inside the transaction.
        db.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS t{key}({names}); DELETE FROM t{key}",
            key = table.key,
            names = names.join(",")
        ))?;
        let marks = vec!["?"; table.columns].join(",");
        let mut insert = db.prepare(&format!("INSERT INTO t{} VALUES ({marks})", table.key))?;
        for row in &table.rows {
            let params = row.iter().cloned().map(Parameter);
            insert.execute(rusqlite::params_from_iter(params))?;
        }
    }
    Ok(())
}

pub(super) fn transaction_name(name: &TransactionName, frame: &Frame) -> Result<String, SqlError> {
    Ok(match name {
        TransactionName::Name(ident) => ident.text.clone(),
        TransactionName::Variable(variable) => {
            let slot = frame
                .scope
                .slot(&variable.name)
                .ok_or_else(|| tsql::fault::undeclared_variable(&variable.name))?;
            frame.values[slot].as_str().unwrap_or_default().to_owned()
        }
    })
}
