//! A session that rehearses: everything it writes into the catalog is seen by itself alone and undone in the end.
//!
//! The whole rehearsal is one transaction that never commits. The session's own BEGIN TRANSACTION sets a
//! savepoint in it, COMMIT keeps what is there, ROLLBACK goes back to the savepoint. Procedures that act outside
//! of transactions say so instead of acting.
//!
//! No statement leaves a rehearsal, or the script that is rehearsed could run for real: it ends with the session,
//! or when the client resets its connection.

use crate::call::Transaction;
use crate::error::Result;
use tsql::SqlError;

/// The procedure that begins a rehearsal.
pub(crate) const PROCEDURE: &str = "sp_muster_rehearsal";
/// The savepoint of the session's outermost BEGIN TRANSACTION. T-SQL names have no such character.
const SAVEPOINT: &str = "\u{1}begin";
/// Message that a procedure was not carried out.
const PASSED_OVER: i32 = 50_001;
/// Error of a write that a rehearsal could not undo.
const OUT_OF_REACH: i32 = 50_002;
/// Error of a session that would leave its rehearsal, or begin it anew.
const ONE_WAY: i32 = 50_003;

/// Procedures that act at once, whatever the transaction: on processes, files, history, another server.
const ACT_AT_ONCE: &[&str] = &[
    "sp_cycle_agent_errorlog",
    "sp_cycle_errorlog",
    "sp_delete_jobsteplog",
    "sp_msx_defect",
    "sp_msx_enlist",
    "sp_purge_jobhistory",
    "sp_sqlagent_log_jobhistory",
    "sp_sqlagent_notify",
    "sp_sqlagent_probe_msx",
    "sp_start_job",
    "sp_stop_job",
    "xp_sqlagent_notify",
];

/// Whether a rehearsal passes a procedure over.
pub(crate) fn passes_over(procedure: &str) -> bool {
    ACT_AT_ONCE.contains(&procedure)
}

/// What a procedure answers that is passed over.
pub(crate) fn passed_over(procedure: &str) -> SqlError {
    let text = format!("{procedure} acts at once and is not carried out in a rehearsal.");
    SqlError::new(PASSED_OVER, 10, text)
}

/// What answers a write of tables and modules of databases, which a rehearsal could not undo.
pub(crate) fn out_of_reach() -> SqlError {
    let text = "Tables and modules of databases cannot be changed in a rehearsal.";
    SqlError::new(OUT_OF_REACH, 16, text)
}

/// What answers [`PROCEDURE`] in a session that rehearses.
pub(crate) fn one_way() -> SqlError {
    let text = "The session rehearses: a rehearsal ends with its session and cannot be left or begun anew.";
    SqlError::new(ONE_WAY, 16, text)
}

/// `BEGIN TRANSACTION` of a session that rehearses.
pub(crate) fn begin(transaction: &mut Transaction) -> Result<()> {
    match &mut transaction.lease {
        Some(lease) => Ok(lease.savepoint(SAVEPOINT)?),
        None => {
            transaction.early_savepoints.push(SAVEPOINT.to_owned());
            Ok(())
        }
    }
}

/// `ROLLBACK` of a session that rehearses.
pub(crate) fn rollback(transaction: &mut Transaction) -> Result<()> {
    match &mut transaction.lease {
        Some(lease) => Ok(lease.rollback_to(SAVEPOINT)?),
        // Nothing was written yet.
        None => Ok(()),
    }
}
