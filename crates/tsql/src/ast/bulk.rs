//! INSERT BULK, which drivers send before the rows of a bulk load.

use super::{Ident, ObjectName, TypeName};

/// `INSERT BULK table (column type, …) WITH (…)`
#[derive(Debug, Clone, PartialEq)]
pub struct InsertBulk {
    /// Where the rows go.
    pub table: ObjectName,
    /// The columns that will come, in order.
    pub columns: Vec<BulkColumn>,
    /// `KEEP_NULLS`: a NULL stays one, also where the column has a default.
    pub keep_nulls: bool,
}

/// A column of a bulk load.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkColumn {
    /// Its name in the table.
    pub name: Ident,
    /// The type that the driver says.
    pub ty: TypeName,
}
