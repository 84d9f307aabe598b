//! BEGIN, COMMIT, ROLLBACK and SAVE TRANSACTION; implicit transactions; the transaction manager's requests.

use super::control::Flow;
use super::stop::Stop;
use super::{Machine, Run};
use crate::host::{EnvChange, ResultSink};
use crate::session::shared::option;
use tsql::SqlError;
use tsql::ast::TransactionName;
use tsql::messages as m;

/// Longest name of a savepoint that tells it apart.
const NAME_CHARACTERS_MAX: usize = 32;

/// The session's transaction. Its nesting is @@TRANCOUNT, in the facts.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// Number of the open one; 0 without one.
    descriptor: u64,
    /// Transactions begun so far.
    begun: u64,
    /// Name that the outermost BEGIN gave it; may be empty.
    name: String,
}

impl Machine {
    /// Number of the open transaction; 0 without one.
    pub(crate) fn transaction_descriptor(&self) -> u64 {
        self.transaction.descriptor
    }

    /// BEGIN TRANSACTION
    pub(crate) fn begin(
        &mut self,
        name: &str,
        sink: &mut dyn ResultSink,
    ) -> Result<(), SqlError> {
        if self.shared.facts().tran_count == 0 {
            self.shared.host().begin()?;
            if let Err(error) = self.queries.begin() {
                self.shared.host().rollback()?;
                return Err(error);
            }
            self.transaction.begun += 1;
            self.transaction.descriptor = self.transaction.begun;
            self.transaction.name = name.to_owned();
            sink.env_change(EnvChange::TransactionBegun(self.transaction.descriptor));
        }
        self.shared.facts().tran_count += 1;
        Ok(())
    }

    /// COMMIT; the outermost makes it durable.
    pub(crate) fn commit(&mut self, sink: &mut dyn ResultSink) -> Result<(), SqlError> {
        let (count, doomed) = {
            let facts = self.shared.facts();
            (facts.tran_count, facts.doomed)
        };
        match count {
            0 => Err(m::COMMIT_WITHOUT_BEGIN.with(&[])),
            _ if doomed => Err(m::TRANSACTION_DOOMED.with(&[])),
            1 => {
                let descriptor = self.transaction.descriptor;
                let committed = self.shared.host().commit();
                let ended = self.queries.end(committed.is_ok());
                self.over();
                sink.env_change(if committed.is_ok() {
                    EnvChange::TransactionCommitted(descriptor)
                } else {
                    EnvChange::TransactionRolledBack(descriptor)
                });
                committed.and(ended)
            }
            _ => {
                self.shared.facts().tran_count -= 1;
                Ok(())
            }
        }
    }

    /// ROLLBACK, of everything or to a savepoint.
    pub(crate) fn rollback(
        &mut self,
        name: &str,
        sink: &mut dyn ResultSink,
    ) -> Result<(), SqlError> {
        if self.shared.facts().tran_count == 0 {
            return Err(m::ROLLBACK_WITHOUT_BEGIN.with(&[]));
        }
        if name.is_empty() || name.eq_ignore_ascii_case(&self.transaction.name) {
            let descriptor = self.transaction.descriptor;
            let result = self.roll_back_all();
            sink.env_change(EnvChange::TransactionRolledBack(descriptor));
            return result;
        }
        if self.shared.facts().doomed {
            return Err(SqlError::new(
                3931,
                16,
                "The current transaction cannot be committed and cannot be rolled back to a savepoint. Roll back the entire transaction.",
            ));
        }
        self.savepoint(name, true)
    }

    /// SAVE TRANSACTION, or ROLLBACK to it.
    fn savepoint(&mut self, name: &str, restore: bool) -> Result<(), SqlError> {
        let name: String = name.chars().take(NAME_CHARACTERS_MAX).collect();
        self.shared.host().savepoint(&name, restore)?;
        self.queries.savepoint(&name, restore)
    }

    /// Everything since the outermost BEGIN is undone.
    pub(super) fn roll_back_all(&mut self) -> Result<(), SqlError> {
        let rolled = self.shared.host().rollback();
        let ended = self.queries.end(false);
        self.over();
        rolled.and(ended)
    }

    fn over(&mut self) {
        self.transaction.descriptor = 0;
        self.transaction.name.clear();
        let mut facts = self.shared.facts();
        facts.tran_count = 0;
        facts.doomed = false;
    }
}

impl Run<'_> {
    /// Rolls back after an error; what that raises is reported.
    pub(super) fn roll_back(&mut self) {
        if self.machine.shared.facts().tran_count == 0 {
            return;
        }
        if let Err(error) = self.machine.rollback("", self.sink) {
            self.report(error);
        }
    }

    pub(super) fn begin_statement(
        &mut self,
        name: Option<&TransactionName>,
    ) -> Result<Flow, Stop> {
        let name = self.transaction_name(name)?;
        self.machine.begin(&name, self.sink)?;
        self.succeeded(0);
        Ok(Flow::Next)
    }

    pub(super) fn commit_statement(&mut self) -> Result<Flow, Stop> {
        self.machine.commit(self.sink).map_err(Stop::statement)?;
        self.succeeded(0);
        Ok(Flow::Next)
    }

    pub(super) fn rollback_statement(
        &mut self,
        name: Option<&TransactionName>,
    ) -> Result<Flow, Stop> {
        if self.request.into_table {
            return Err(Stop::statement(m::ROLLBACK_IN_INSERT_EXEC.with(&[])));
        }
        let name = self.transaction_name(name)?;
        self.machine
            .rollback(&name, self.sink)
            .map_err(Stop::statement)?;
        self.succeeded(0);
        Ok(Flow::Next)
    }

    pub(super) fn save_statement(&mut self, name: &TransactionName) -> Result<Flow, Stop> {
        let name = self.transaction_name(Some(name))?;
        let (count, doomed) = {
            let facts = self.machine.shared.facts();
            (facts.tran_count, facts.doomed)
        };
        if count == 0 {
            return Err(Stop::statement(m::SAVE_WITHOUT_BEGIN.with(&[])));
        }
        if doomed {
            return Err(Stop::statement(m::TRANSACTION_DOOMED.with(&[])));
        }
        self.machine
            .savepoint(&name, false)
            .map_err(Stop::statement)?;
        self.succeeded(0);
        Ok(Flow::Next)
    }

    fn transaction_name(&mut self, name: Option<&TransactionName>) -> Result<String, Stop> {
        Ok(match name {
            None => String::new(),
            Some(TransactionName::Name(name)) => name.text.clone(),
            Some(TransactionName::Variable(variable)) => {
                let (slot, _) = self.slot(variable)?;
                let value = self.frame.values.get(slot);
                value
                    .and_then(|value| value.as_str())
                    .unwrap_or_default()
                    .to_owned()
            }
        })
    }

    /// Before a statement that reads or writes tables: with IMPLICIT_TRANSACTIONS it begins a transaction.
    pub(super) fn touches_tables(&mut self) -> Result<(), Stop> {
        let begins = {
            let facts = self.machine.shared.facts();
            facts.has(option::IMPLICIT_TRANSACTIONS) && facts.tran_count == 0
        };
        if begins {
            self.machine.begin("", self.sink)?;
        }
        Ok(())
    }

    /// Before a statement that writes: not in a doomed transaction.
    pub(super) fn writes_tables(&mut self) -> Result<(), Stop> {
        self.touches_tables()?;
        if self.machine.shared.facts().doomed {
            return Err(Stop::statement(m::TRANSACTION_DOOMED.with(&[])));
        }
        Ok(())
    }
}
