//! INSERT, UPDATE, DELETE, MERGE.

use super::{
    AssignOp, Execute, Expr, Ident, ObjectName, Query, QueryHint, SelectItem, Span, TableAlias,
    TableHint, TableSource, Top, Variable, With,
};

/// The table that a statement writes.
#[derive(Debug, Clone, PartialEq)]
pub enum DmlTarget {
    /// A table, view, temporary table, or (UPDATE, DELETE) an alias of FROM.
    Table {
        /// Its name.
        name: ObjectName,
        /// `WITH (…)`
        hints: Vec<TableHint>,
    },
    /// A table variable.
    Variable(Variable),
    /// Recognised, and refused by the binder by this name: OPENROWSET, OPENQUERY.
    Unsupported {
        /// The feature, as documentation names it.
        feature: String,
        /// Where it stands.
        span: Span,
    },
}

/// `INSERT [TOP (n)] [INTO] target [(columns)] [OUTPUT …] source`
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// Common table expressions before it.
    pub with: Option<With>,
    /// TOP
    pub top: Option<Top>,
    /// Where the rows go.
    pub target: DmlTarget,
    /// Its columns, when given.
    pub columns: Vec<Ident>,
    /// OUTPUT
    pub output: Vec<Output>,
    /// The rows.
    pub source: InsertSource,
    /// OPTION (…)
    pub options: Vec<QueryHint>,
}

/// Where the rows of an INSERT come from.
#[derive(Debug, Clone, PartialEq)]
pub enum InsertSource {
    /// `VALUES (…), (…)`
    Values(Vec<Vec<Expr>>),
    /// `SELECT …`
    Query(Box<Query>),
    /// `EXEC …`
    Execute(Box<Execute>),
    /// `DEFAULT VALUES`
    DefaultValues,
}

/// `UPDATE [TOP (n)] target SET … [OUTPUT …] [FROM …] [WHERE …]`
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Common table expressions before it.
    pub with: Option<With>,
    /// TOP
    pub top: Option<Top>,
    /// The table.
    pub target: DmlTarget,
    /// SET
    pub set: Vec<SetClause>,
    /// OUTPUT
    pub output: Vec<Output>,
    /// FROM
    pub from: Vec<TableSource>,
    /// WHERE, [`super::ExprKind::CurrentOf`] included.
    pub filter: Option<Expr>,
    /// OPTION (…)
    pub options: Vec<QueryHint>,
}

/// One assignment of an UPDATE.
#[derive(Debug, Clone, PartialEq)]
pub enum SetClause {
    /// `column = expr`, `column += expr`
    Column {
        /// The column, one to three parts.
        column: Vec<Ident>,
        /// `=` or a compound.
        op: AssignOp,
        /// The value.
        value: Expr,
    },
    /// `@v = expr`
    Variable {
        /// The variable.
        variable: Variable,
        /// `=` or a compound.
        op: AssignOp,
        /// The value.
        value: Expr,
    },
    /// `@v = column = expr`
    VariableAndColumn {
        /// The variable.
        variable: Variable,
        /// The column.
        column: Vec<Ident>,
        /// `=` or a compound, between column and value.
        op: AssignOp,
        /// The value of both.
        value: Expr,
    },
    /// `column.modify('…')`, `column.WRITE(…)`: recognised, to be refused.
    Unsupported {
        /// The feature, as documentation names it.
        feature: String,
        /// Where it stands.
        span: Span,
    },
}

/// `DELETE [TOP (n)] [FROM] target [OUTPUT …] [FROM …] [WHERE …]`
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// Common table expressions before it.
    pub with: Option<With>,
    /// TOP
    pub top: Option<Top>,
    /// The table.
    pub target: DmlTarget,
    /// OUTPUT
    pub output: Vec<Output>,
    /// The second FROM.
    pub from: Vec<TableSource>,
    /// WHERE, [`super::ExprKind::CurrentOf`] included.
    pub filter: Option<Expr>,
    /// OPTION (…)
    pub options: Vec<QueryHint>,
}

/// `OUTPUT items [INTO target [(columns)]]`
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What is returned: `inserted.x`, `deleted.*`, `$action`, expressions.
    pub items: Vec<SelectItem>,
    /// INTO; to the client when not given.
    pub into: Option<OutputInto>,
    /// Where it stands.
    pub span: Span,
}

/// INTO of an OUTPUT clause.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputInto {
    /// The table.
    pub target: DmlTarget,
    /// Its columns, when given.
    pub columns: Vec<Ident>,
}

/// `MERGE [INTO] target USING source ON … WHEN … ;`
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// Common table expressions before it.
    pub with: Option<With>,
    /// TOP
    pub top: Option<Top>,
    /// The table.
    pub target: DmlTarget,
    /// `[AS] alias` of the target.
    pub alias: Option<TableAlias>,
    /// USING
    pub source: TableSource,
    /// ON
    pub on: Expr,
    /// WHEN …, in order; at least one.
    pub clauses: Vec<MergeClause>,
    /// OUTPUT
    pub output: Vec<Output>,
    /// OPTION (…)
    pub options: Vec<QueryHint>,
}

/// `WHEN … [AND …] THEN …`
#[derive(Debug, Clone, PartialEq)]
pub struct MergeClause {
    /// When it applies.
    pub when: MergeWhen,
    /// AND
    pub condition: Option<Expr>,
    /// What is done.
    pub action: MergeAction,
    /// Where it stands.
    pub span: Span,
}

/// When a clause of MERGE applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeWhen {
    /// MATCHED
    Matched,
    /// NOT MATCHED [BY TARGET]
    NotMatchedByTarget,
    /// NOT MATCHED BY SOURCE
    NotMatchedBySource,
}

/// What a clause of MERGE does.
#[derive(Debug, Clone, PartialEq)]
pub enum MergeAction {
    /// UPDATE SET …
    Update(Vec<SetClause>),
    /// DELETE
    Delete,
    /// INSERT [(columns)] VALUES (…); no values is DEFAULT VALUES.
    Insert {
        /// Columns, when given.
        columns: Vec<Ident>,
        /// One row, or none for DEFAULT VALUES.
        values: Option<Vec<Expr>>,
    },
}
