//! Errors inside msdb: the client's own, or the catalog's on their way to the client.

use crate::messages::raise;
use catalog::CatalogError;
use tsql::SqlError;

/// What ends a procedure or a scan.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// An error with its number, as the client receives it.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The catalog failed or refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Result inside msdb.
pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

impl From<Fault> for SqlError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sql(error) => error,
            Fault::Catalog(error) => from_catalog(&error),
        }
    }
}

/// The SQL error for a failure of the catalog. Details of files and causes go to the log, not to the client.
pub(crate) fn from_catalog(error: &CatalogError) -> SqlError {
    let number_and_text: (i32, u8, String) = match error {
        CatalogError::LockTimeout { .. } | CatalogError::Busy { .. } => return raise(1222, &[]),
        CatalogError::LeaseExpired { limit } => (
            3998,
            16,
            format!("The transaction was rolled back by the server: it was {limit}."),
        ),
        CatalogError::ReadTimeout { limit } => {
            // SQL Server's number for a snapshot whose rows are gone.
            let text = format!("The query's snapshot grew older than {limit:?}. Rerun the query.");
            (3958, 16, text)
        }
        CatalogError::UnknownSavepoint { name } => {
            return raise(6401, &[name.into()]);
        }
        CatalogError::AlreadyExists { object, name } => {
            (2627, 14, format!("The {object} {name:?} already exists."))
        }
        CatalogError::NotFound { object, name } => {
            (3701, 11, format!("The {object} {name:?} does not exist."))
        }
        CatalogError::InUse { object, name, by } => {
            (547, 16, format!("The {object} {name:?} is in use by {by}."))
        }
        CatalogError::OutOfRange { what } => (8115, 16, format!("The {what} is out of range.")),
        CatalogError::Full => (
            1105,
            17,
            "No room is left on the disk for the catalog.".to_owned(),
        ),
        CatalogError::Closed => (6005, 14, "SHUTDOWN is in progress.".to_owned()),
        CatalogError::Commit { source } => {
            tracing::error!(error = %model::error_chain(error), "commit failed");
            return from_catalog(source);
        }
        CatalogError::Newer { .. }
        | CatalogError::DirectoryInUse { .. }
        | CatalogError::Corrupt { .. }
        | CatalogError::Io { .. }
        | CatalogError::Storage { .. }
        | _ => {
            tracing::error!(error = %model::error_chain(error), "catalog failed");
            (
                823,
                24,
                "The catalog could not be read or written; the server's log says more.".to_owned(),
            )
        }
    };
    let (number, severity, text) = number_and_text;
    SqlError::new(number, severity, text)
}
