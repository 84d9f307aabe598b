//! Bulk load: INSERT BULK says where rows go, and the next request brings them.

use tsql::{Column, Row, SqlError};

/// The rows of a bulk load, as they arrive. Both ends may wait: for the client, or for the table.
pub trait BulkRows {
    /// The columns that the rows have, in the order of INSERT BULK. Asked once, before the first row.
    ///
    /// # Errors
    /// 4804 and its kin for bytes that are no rows; 3617 when the client cancelled or went away.
    fn columns(&mut self) -> Result<Vec<Column>, SqlError>;

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// As [`BulkRows::columns`].
    fn next_row(&mut self) -> Result<Option<Row>, SqlError>;
}
