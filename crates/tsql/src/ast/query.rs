//! SELECT and what it is made of.

use super::{ColumnDef, Expr, FunctionCall, Ident, Literal, ObjectName, Span, Variable};

/// A SELECT statement: `[WITH …] query [OPTION (…)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectStatement {
    /// Common table expressions and XML namespaces.
    pub with: Option<With>,
    /// The query.
    pub query: Query,
    /// OPTION (…)
    pub options: Vec<QueryHint>,
}

/// `WITH [XMLNAMESPACES (…),] cte, …`
#[derive(Debug, Clone, PartialEq)]
pub struct With {
    /// XMLNAMESPACES
    pub namespaces: Vec<XmlNamespace>,
    /// Common table expressions, in order. One that names itself is recursive.
    pub ctes: Vec<Cte>,
}

/// `'uri' AS prefix` or `DEFAULT 'uri'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlNamespace {
    /// The address.
    pub uri: String,
    /// The prefix; `None` is the default namespace.
    pub prefix: Option<Ident>,
}

/// `name [(columns)] AS (query)`
#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    /// Its name.
    pub name: Ident,
    /// Names of its columns, when given.
    pub columns: Vec<Ident>,
    /// Its query.
    pub query: Query,
}

/// A query expression with what follows its last SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// SELECTs and set operators.
    pub body: QueryBody,
    /// ORDER BY
    pub order_by: Vec<OrderItem>,
    /// OFFSET … FETCH
    pub offset: Option<OffsetFetch>,
    /// FOR XML, FOR JSON
    pub for_clause: Option<ForClause>,
    /// Where it stands.
    pub span: Span,
}

/// SELECT, or SELECTs joined by set operators.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryBody {
    /// One SELECT.
    Select(Box<Select>),
    /// `(query)`
    Nested(Box<Query>),
    /// `first op a op b …`, folded from the left; INTERSECT binds tighter and stands as a chain of its
    /// own inside. A flat list, so that a UNION ALL of thousands of rows has no depth.
    Chain {
        /// The first operand.
        first: Box<QueryBody>,
        /// Operators and further operands; at least one.
        rest: Vec<SetOperand>,
    },
}

/// `op [ALL] operand`
#[derive(Debug, Clone, PartialEq)]
pub struct SetOperand {
    /// The operator.
    pub op: SetOperator,
    /// Its right operand.
    pub operand: QueryBody,
    /// Where the operator stands.
    pub span: Span,
}

/// Set operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOperator {
    /// UNION
    Union,
    /// UNION ALL
    UnionAll,
    /// EXCEPT
    Except,
    /// INTERSECT
    Intersect,
}

/// One SELECT, without ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// DISTINCT
    pub distinct: bool,
    /// TOP
    pub top: Option<Top>,
    /// The select list; at least one.
    pub items: Vec<SelectItem>,
    /// INTO
    pub into: Option<ObjectName>,
    /// FROM; several are an old-style cross join.
    pub from: Vec<TableSource>,
    /// WHERE
    pub filter: Option<Expr>,
    /// GROUP BY
    pub group_by: Option<GroupBy>,
    /// HAVING
    pub having: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// `TOP (n) [PERCENT] [WITH TIES]`
#[derive(Debug, Clone, PartialEq)]
pub struct Top {
    /// How many.
    pub count: Box<Expr>,
    /// PERCENT
    pub percent: bool,
    /// WITH TIES
    pub with_ties: bool,
}

/// A part of a select list or OUTPUT clause.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `*`, `t.*`, `dbo.t.*`
    Wildcard {
        /// What stands before the star.
        qualifier: Option<ObjectName>,
        /// Where it stands.
        span: Span,
    },
    /// `expr [AS alias]`, `alias = expr`
    Expr {
        /// The value.
        expr: Expr,
        /// The alias, however it was written; a string alias is quoted.
        alias: Option<Ident>,
    },
    /// `@v = expr`, `@v += expr`
    Assign {
        /// The variable.
        variable: Variable,
        /// `=` or a compound.
        op: AssignOp,
        /// The value.
        value: Expr,
    },
}

/// Operators of assignment, in SELECT, SET and UPDATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignOp {
    /// `=`
    Set,
    /// `+=`
    Add,
    /// `-=`
    Subtract,
    /// `*=`
    Multiply,
    /// `/=`
    Divide,
    /// `%=`
    Modulo,
    /// `&=`
    BitAnd,
    /// `|=`
    BitOr,
    /// `^=`
    BitXor,
}

/// What FROM may hold.
#[derive(Debug, Clone, PartialEq)]
pub enum TableSource {
    /// A table, view, synonym, CTE or temporary table.
    Table {
        /// Its name.
        name: ObjectName,
        /// `[AS] alias`
        alias: Option<TableAlias>,
        /// `WITH (NOLOCK)` and kin.
        hints: Vec<TableHint>,
    },
    /// A table variable.
    Variable {
        /// The variable.
        variable: Variable,
        /// `[AS] alias`
        alias: Option<TableAlias>,
    },
    /// A function: `sys.dm_exec_sql_text(h)`, `STRING_SPLIT(s, ',')`, `OPENJSON(j) WITH (…)`.
    Function {
        /// The call.
        call: Box<FunctionCall>,
        /// `WITH (columns)` of OPENJSON and OPENXML, as written.
        columns: Vec<ColumnDef>,
        /// `[AS] alias [(columns)]`
        alias: Option<TableAlias>,
    },
    /// `x.nodes('…') AS t(c)`
    Nodes {
        /// The method call, an [`super::ExprKind::Method`].
        call: Box<Expr>,
        /// `AS t(c)`
        alias: Option<TableAlias>,
    },
    /// `(SELECT …) AS t`
    Derived {
        /// The query.
        query: Box<Query>,
        /// `[AS] alias [(columns)]`
        alias: Option<TableAlias>,
    },
    /// `(VALUES (…), (…)) AS t(a, b)`
    Values {
        /// Rows of equal length.
        rows: Vec<Vec<Expr>>,
        /// `[AS] alias (columns)`
        alias: Option<TableAlias>,
    },
    /// `left JOIN right ON …`
    Join {
        /// Left side.
        left: Box<TableSource>,
        /// Which join.
        kind: JoinKind,
        /// Right side.
        right: Box<TableSource>,
        /// ON; none for a cross join.
        on: Option<Expr>,
    },
    /// `left CROSS | OUTER APPLY right`
    Apply {
        /// Left side.
        left: Box<TableSource>,
        /// OUTER APPLY
        outer: bool,
        /// Right side, which may name columns of the left.
        right: Box<TableSource>,
    },
    /// `source PIVOT (agg(x) FOR c IN ([a], [b])) AS p`
    Pivot {
        /// What is pivoted.
        source: Box<TableSource>,
        /// The aggregate.
        aggregate: Box<FunctionCall>,
        /// The column whose values become columns.
        column: Vec<Ident>,
        /// Those values.
        values: Vec<Ident>,
        /// `[AS] alias`
        alias: Option<TableAlias>,
    },
    /// `source UNPIVOT (v FOR c IN (a, b)) AS u`
    Unpivot {
        /// What is unpivoted.
        source: Box<TableSource>,
        /// The new column of values.
        value: Ident,
        /// The new column of names.
        column: Ident,
        /// The columns that become rows.
        columns: Vec<Ident>,
        /// `[AS] alias`
        alias: Option<TableAlias>,
    },
    /// Recognised, and refused by the binder by this name at this place: OPENROWSET, OPENQUERY,
    /// FOR SYSTEM_TIME, TABLESAMPLE, a nested DML statement.
    Unsupported {
        /// The feature, as documentation names it.
        feature: String,
        /// Where it stands.
        span: Span,
    },
}

/// `[AS] name [(columns)]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableAlias {
    /// The alias.
    pub name: Ident,
    /// Names of its columns, when given.
    pub columns: Vec<Ident>,
}

/// A table hint: `NOLOCK`, `INDEX(1)`, `FORCESEEK`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHint {
    /// In capitals.
    pub name: String,
    /// What stood in parentheses or after `=`, as written.
    pub args: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// Joins. Join hints (HASH, LOOP, MERGE) are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// [INNER] JOIN
    Inner,
    /// LEFT [OUTER] JOIN
    Left,
    /// RIGHT [OUTER] JOIN
    Right,
    /// FULL [OUTER] JOIN
    Full,
    /// CROSS JOIN
    Cross,
}

/// GROUP BY
#[derive(Debug, Clone, PartialEq)]
pub struct GroupBy {
    /// GROUP BY ALL
    pub all: bool,
    /// The elements, in order.
    pub items: Vec<GroupItem>,
    /// The old `WITH ROLLUP` or `WITH CUBE` over all items.
    pub with: Option<GroupWith>,
}

/// The old spelling behind a GROUP BY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupWith {
    /// WITH ROLLUP
    Rollup,
    /// WITH CUBE
    Cube,
}

/// An element of GROUP BY.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupItem {
    /// An expression.
    Expr(Expr),
    /// `ROLLUP (…)`; each element is a list because composites are allowed.
    Rollup(Vec<Vec<Expr>>),
    /// `CUBE (…)`
    Cube(Vec<Vec<Expr>>),
    /// `GROUPING SETS (…)`
    GroupingSets(Vec<GroupItem>),
    /// `(a, b)` in GROUPING SETS; `()` is the grand total.
    Set(Vec<Expr>),
}

/// `expr [ASC | DESC]`
#[derive(Debug, Clone, PartialEq)]
pub struct OrderItem {
    /// The key; an int constant is a position in the select list.
    pub expr: Expr,
    /// DESC
    pub descending: bool,
}

/// `OFFSET n ROWS [FETCH NEXT m ROWS ONLY]`
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetFetch {
    /// Rows left out.
    pub offset: Box<Expr>,
    /// Rows returned.
    pub fetch: Option<Box<Expr>>,
}

/// FOR XML and its kin.
#[derive(Debug, Clone, PartialEq)]
pub enum ForClause {
    /// FOR XML
    Xml(ForXml),
    /// FOR JSON
    Json(ForJson),
    /// FOR BROWSE
    Browse,
}

/// `FOR XML mode [, options]`
#[derive(Debug, Clone, PartialEq)]
pub struct ForXml {
    /// The mode.
    pub mode: XmlMode,
    /// TYPE
    pub typed: bool,
    /// ROOT: `Some(None)` without a name.
    pub root: Option<Option<String>>,
    /// ELEMENTS
    pub elements: bool,
    /// ELEMENTS XSINIL
    pub xsinil: bool,
    /// BINARY BASE64
    pub binary_base64: bool,
    /// XMLSCHEMA or XMLDATA: recognised, to be refused.
    pub schema: bool,
    /// Where it stands.
    pub span: Span,
}

/// Modes of FOR XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum XmlMode {
    /// RAW [('element')]
    Raw(Option<String>),
    /// AUTO
    Auto,
    /// EXPLICIT
    Explicit,
    /// PATH [('element')]; an empty name leaves rows unwrapped.
    Path(Option<String>),
}

/// `FOR JSON mode [, options]`
#[derive(Debug, Clone, PartialEq)]
pub struct ForJson {
    /// AUTO rather than PATH.
    pub auto: bool,
    /// ROOT: `Some(None)` without a name.
    pub root: Option<Option<String>>,
    /// INCLUDE_NULL_VALUES
    pub include_nulls: bool,
    /// WITHOUT_ARRAY_WRAPPER
    pub without_array: bool,
    /// Where it stands.
    pub span: Span,
}

/// A query hint: `MAXRECURSION 0`, `RECOMPILE`, `LOOP JOIN`.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryHint {
    /// Its words in capitals, one blank between.
    pub name: String,
    /// Its number, where it has one.
    pub value: Option<Literal>,
    /// Where it stands.
    pub span: Span,
}
