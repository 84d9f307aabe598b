//! What the binder makes of a statement's expressions and queries: every name resolved, every type known.

use crate::ast::{BinaryOp, CompareOp, JoinKind, SetOperator, UnaryOp};
use crate::document::Form;
use crate::eval::Function;
use crate::types::{Column, SqlType};
use crate::value::Value;
use std::sync::{Arc, OnceLock};

/// Number of a FROM entry, unique within a statement, so that correlation needs no scopes later.
pub type SourceId = u32;

/// In the place of a column's number: the number of the row itself, for what changes it.
pub const ROWID: usize = usize::MAX;

/// A typed expression or predicate. A predicate has the type `bit`; NULL stands for UNKNOWN.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedExpr {
    /// What it is.
    pub kind: TypedKind,
    /// Static type of its value.
    pub ty: SqlType,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// What a [`TypedExpr`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum TypedKind {
    /// A constant. NULL adapts to its surroundings.
    Constant(Value),
    /// A local variable, by its slot.
    Variable(usize),
    /// A parameter that nobody declared, in a text that is only described: NULL to its surroundings, and the type
    /// that they give it is kept.
    Undeclared(Arc<OnceLock<SqlType>>),
    /// A system variable.
    Global(Global),
    /// A column of a FROM entry.
    Column {
        /// The entry.
        source: SourceId,
        /// The column's place in it.
        column: usize,
    },
    /// An argument of a compiled expression, filled in by the executor.
    Leaf(usize),
    /// IDENTITY(type, seed, increment) in the select list of a SELECT INTO.
    Identity {
        /// The first row's number.
        seed: i64,
        /// From row to row.
        increment: i64,
    },
    /// A conversion, written or implied, from the operand's type to the node's.
    Convert {
        /// What is converted.
        operand: Box<TypedExpr>,
        /// CONVERT's style.
        style: Option<Box<TypedExpr>>,
        /// TRY_CAST and TRY_CONVERT: NULL in place of an error.
        safe: bool,
    },
    /// `+x`, `-x`, `~x`
    Unary {
        /// The operator.
        op: UnaryOp,
        /// Its operand, in the node's type.
        operand: Box<TypedExpr>,
    },
    /// Arithmetic, bits and concatenation. Operands are in the node's type; decimals keep their own shapes.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<TypedExpr>,
        /// Right operand.
        right: Box<TypedExpr>,
    },
    /// A built-in scalar function.
    Call {
        /// Which.
        function: &'static Function,
        /// Its arguments, converted.
        args: Vec<TypedExpr>,
    },
    /// A scalar function that the catalog declared.
    HostCall {
        /// The catalog's number for it.
        key: u32,
        /// Its arguments, converted.
        args: Vec<TypedExpr>,
    },
    /// CASE in its searched form.
    Case {
        /// Predicates and values, in order.
        branches: Vec<(TypedExpr, TypedExpr)>,
        /// ELSE.
        otherwise: Option<Box<TypedExpr>>,
    },
    /// A string under a collation.
    Collate {
        /// The string.
        operand: Box<TypedExpr>,
        /// The collation.
        collation: Collation,
    },
    /// A query of one column, as a value.
    Subquery(Box<Query>),
    /// An aggregate over the group.
    Aggregate(Box<Aggregate>),
    /// A window function.
    Window(Box<Window>),

    /// AND
    And(Box<TypedExpr>, Box<TypedExpr>),
    /// OR
    Or(Box<TypedExpr>, Box<TypedExpr>),
    /// NOT
    Not(Box<TypedExpr>),
    /// A comparison; both sides have one type.
    Compare {
        /// The operator.
        op: CompareOp,
        /// Left side.
        left: Box<TypedExpr>,
        /// Right side.
        right: Box<TypedExpr>,
    },
    /// IS [NOT] NULL
    IsNull {
        /// What is tested.
        operand: Box<TypedExpr>,
        /// IS NOT NULL.
        negated: bool,
    },
    /// LIKE
    Like {
        /// What is matched.
        operand: Box<TypedExpr>,
        /// The pattern.
        pattern: Box<TypedExpr>,
        /// The escape character.
        escape: Option<Box<TypedExpr>>,
        /// NOT LIKE.
        negated: bool,
    },
    /// IN (list); all of one type.
    In {
        /// What is sought.
        operand: Box<TypedExpr>,
        /// Among these.
        list: Vec<TypedExpr>,
        /// NOT IN.
        negated: bool,
    },
    /// IN (SELECT …) and comparisons with ANY and ALL; the column has the operand's type.
    Quantified {
        /// The comparison; `=` for IN, `<>` with `all` for NOT IN.
        op: CompareOp,
        /// ALL.
        all: bool,
        /// Left side.
        operand: Box<TypedExpr>,
        /// Right side.
        query: Box<Query>,
    },
    /// EXISTS
    Exists(Box<Query>),
}

/// The expressions directly below a node, by shared or unique reference; subqueries are not entered.
macro_rules! children {
    ($kind:expr, $($as_deref:ident)+, $iter:ident $(, $m:tt)?) => {
        match $kind {
            TypedKind::Constant(_)
            | TypedKind::Variable(_)
            | TypedKind::Undeclared(_)
            | TypedKind::Global(_)
            | TypedKind::Column { .. }
            | TypedKind::Leaf(_)
            | TypedKind::Identity { .. }
            | TypedKind::Subquery(_)
            | TypedKind::Exists(_) => Vec::new(),
            TypedKind::Convert { operand, style, .. } => {
                let mut all = vec![& $($m)? **operand];
                all.extend(style.$($as_deref)+());
                all
            }
            TypedKind::Unary { operand, .. }
            | TypedKind::Collate { operand, .. }
            | TypedKind::Not(operand)
            | TypedKind::IsNull { operand, .. }
            | TypedKind::Quantified { operand, .. } => vec![& $($m)? **operand],
            TypedKind::Binary { left, right, .. }
            | TypedKind::Compare { left, right, .. }
            | TypedKind::And(left, right)
            | TypedKind::Or(left, right) => vec![& $($m)? **left, & $($m)? **right],
            TypedKind::Call { args, .. } | TypedKind::HostCall { args, .. } => args.$iter().collect(),
            TypedKind::Case { branches, otherwise } => {
                let mut all = Vec::new();
                for (when, then) in branches.$iter() {
                    all.push(when);
                    all.push(then);
                }
                all.extend(otherwise.$($as_deref)+());
                all
            }
            TypedKind::Aggregate(aggregate) => {
                let Aggregate { args, order, .. } = & $($m)? **aggregate;
                args.$iter().chain(order.$iter().map(|key| & $($m)? key.expr)).collect()
            }
            TypedKind::Window(window) => {
                let Window { args, partition, order, .. } = & $($m)? **window;
                args.$iter()
                    .chain(partition.$iter())
                    .chain(order.$iter().map(|key| & $($m)? key.expr))
                    .collect()
            }
            TypedKind::Like { operand, pattern, escape, .. } => {
                let mut all = vec![& $($m)? **operand, & $($m)? **pattern];
                all.extend(escape.$($as_deref)+());
                all
            }
            TypedKind::In { operand, list, .. } => {
                let mut all = vec![& $($m)? **operand];
                all.extend(list.$iter());
                all
            }
        }
    };
}

impl TypedExpr {
    /// A constant of a type.
    #[must_use]
    pub fn constant(value: Value, ty: SqlType) -> Self {
        Self {
            nullable: value.is_null(),
            kind: TypedKind::Constant(value),
            ty,
        }
    }

    /// A predicate.
    #[must_use]
    pub fn predicate(kind: TypedKind) -> Self {
        Self {
            kind,
            ty: SqlType::Bit,
            nullable: true,
        }
    }

    /// Whether this is the constant NULL.
    #[must_use]
    pub fn is_null_constant(&self) -> bool {
        matches!(
            self.kind,
            TypedKind::Constant(Value::Null) | TypedKind::Undeclared(_)
        )
    }

    /// The expressions directly below this one, those of subqueries excepted.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        children!(&self.kind, as_deref, iter)
    }

    /// As [`TypedExpr::children`], to change them.
    pub fn children_mut(&mut self) -> Vec<&mut Self> {
        children!(&mut self.kind, as_deref_mut, iter_mut, mut)
    }

    /// Whether any node here, subqueries not entered, is such.
    #[must_use]
    pub fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        test(self) || self.children().into_iter().any(|child| child.any(test))
    }

    /// Whether this node itself holds a query.
    #[must_use]
    pub fn is_query(&self) -> bool {
        matches!(
            self.kind,
            TypedKind::Subquery(_) | TypedKind::Exists(_) | TypedKind::Quantified { .. }
        )
    }

    /// Whether it can be evaluated without rows: no column, subquery, aggregate or window function.
    #[must_use]
    pub fn is_scalar(&self) -> bool {
        !self.any(&|node| {
            matches!(
                node.kind,
                TypedKind::Column { .. }
                    | TypedKind::Leaf(_)
                    | TypedKind::Identity { .. }
                    | TypedKind::Subquery(_)
                    | TypedKind::Exists(_)
                    | TypedKind::Quantified { .. }
                    | TypedKind::Aggregate(_)
                    | TypedKind::Window(_)
            )
        })
    }

    /// Whether each evaluation may give another value (NEWID, RAND).
    #[must_use]
    pub fn is_volatile(&self) -> bool {
        self.any(
            &|node| matches!(&node.kind, TypedKind::Call { function, .. } if function.volatile),
        )
    }
}

/// How strings compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Collation {
    /// Case-insensitive, accents told apart: every collation but those below.
    #[default]
    CaseInsensitive,
    /// `_CS_`
    CaseSensitive,
    /// `_BIN`, `_BIN2`
    Binary,
}

/// System variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Global {
    /// @@ERROR
    Error,
    /// @@ROWCOUNT
    RowCount,
    /// @@TRANCOUNT
    TranCount,
    /// @@FETCH_STATUS
    FetchStatus,
    /// @@CURSOR_ROWS
    CursorRows,
    /// @@IDENTITY
    Identity,
    /// @@NESTLEVEL
    NestLevel,
    /// @@SPID
    Spid,
    /// @@PROCID
    ProcId,
    /// @@SERVERNAME
    ServerName,
    /// @@SERVICENAME
    ServiceName,
    /// @@VERSION
    Version,
    /// @@MICROSOFTVERSION
    MicrosoftVersion,
    /// @@OPTIONS
    Options,
    /// @@LANGUAGE
    Language,
    /// @@LANGID
    LangId,
    /// @@DATEFIRST
    DateFirst,
    /// @@LOCK_TIMEOUT
    LockTimeout,
    /// @@TEXTSIZE
    TextSize,
    /// @@MAX_PRECISION
    MaxPrecision,
    /// @@MAX_CONNECTIONS
    MaxConnections,
    /// @@DBTS
    Dbts,
    /// @@REMSERVER
    RemServer,
    /// The counters of work done, all 0 in Muster: @@CONNECTIONS, @@CPU_BUSY, @@IDLE, @@IO_BUSY, @@PACK_RECEIVED,
    /// @@PACK_SENT, @@PACKET_ERRORS, @@TOTAL_ERRORS, @@TOTAL_READ, @@TOTAL_WRITE.
    Counter,
    /// @@TIMETICKS
    TimeTicks,
}

impl Global {
    /// The variable of that name, `@@` included, and its type.
    #[must_use]
    pub fn find(name: &str) -> Option<(Self, SqlType)> {
        let int = SqlType::Int;
        let name128 = SqlType::SYSNAME;
        let identity = SqlType::Numeric {
            precision: 38,
            scale: 0,
        };
        Some(match name.to_ascii_uppercase().as_str() {
            "@@ERROR" => (Self::Error, int),
            "@@ROWCOUNT" => (Self::RowCount, int),
            "@@TRANCOUNT" => (Self::TranCount, int),
            "@@FETCH_STATUS" => (Self::FetchStatus, int),
            "@@CURSOR_ROWS" => (Self::CursorRows, int),
            "@@IDENTITY" => (Self::Identity, identity),
            "@@NESTLEVEL" => (Self::NestLevel, int),
            "@@SPID" => (Self::Spid, SqlType::SmallInt),
            "@@PROCID" => (Self::ProcId, int),
            "@@SERVERNAME" => (Self::ServerName, name128),
            "@@SERVICENAME" => (Self::ServiceName, name128),
            "@@VERSION" => (Self::Version, SqlType::nvarchar(300)),
            "@@MICROSOFTVERSION" => (Self::MicrosoftVersion, int),
            "@@OPTIONS" => (Self::Options, int),
            "@@LANGUAGE" => (Self::Language, name128),
            "@@LANGID" => (Self::LangId, SqlType::SmallInt),
            "@@DATEFIRST" => (Self::DateFirst, SqlType::TinyInt),
            "@@LOCK_TIMEOUT" => (Self::LockTimeout, int),
            "@@TEXTSIZE" => (Self::TextSize, int),
            "@@MAX_PRECISION" => (Self::MaxPrecision, SqlType::TinyInt),
            "@@MAX_CONNECTIONS" => (Self::MaxConnections, int),
            "@@DBTS" => (Self::Dbts, SqlType::varbinary(8)),
            "@@REMSERVER" => (Self::RemServer, name128),
            "@@TIMETICKS" => (Self::TimeTicks, int),
            "@@CONNECTIONS" | "@@CPU_BUSY" | "@@IDLE" | "@@IO_BUSY" | "@@PACK_RECEIVED"
            | "@@PACK_SENT" | "@@PACKET_ERRORS" | "@@TOTAL_ERRORS" | "@@TOTAL_READ"
            | "@@TOTAL_WRITE" => (Self::Counter, int),
            _ => return None,
        })
    }
}

/// Aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateKind {
    /// COUNT(*) and COUNT(x), int
    Count,
    /// COUNT_BIG
    CountBig,
    /// SUM
    Sum,
    /// AVG
    Avg,
    /// MIN
    Min,
    /// MAX
    Max,
    /// STDEV
    StDev,
    /// STDEVP
    StDevP,
    /// VAR
    Var,
    /// VARP
    VarP,
    /// STRING_AGG(x, separator)
    StringAgg,
    /// The rows as one text, in the form that the aggregate holds.
    Document,
}

/// An aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Which.
    pub kind: AggregateKind,
    /// Arguments; none is `COUNT(*)`.
    pub args: Vec<TypedExpr>,
    /// DISTINCT
    pub distinct: bool,
    /// WITHIN GROUP (ORDER BY …)
    pub order: Vec<SortKey>,
    /// What FOR XML or FOR JSON asks for, with [`AggregateKind::Document`].
    pub form: Option<Arc<Form>>,
}

/// Functions over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowKind {
    /// An aggregate.
    Aggregate(AggregateKind),
    /// ROW_NUMBER
    RowNumber,
    /// RANK
    Rank,
    /// DENSE_RANK
    DenseRank,
    /// NTILE
    Ntile,
    /// PERCENT_RANK
    PercentRank,
    /// CUME_DIST
    CumeDist,
    /// LAG
    Lag,
    /// LEAD
    Lead,
    /// FIRST_VALUE
    FirstValue,
    /// LAST_VALUE
    LastValue,
    /// PERCENTILE_CONT and PERCENTILE_DISC: the value and the share; the order is of WITHIN GROUP.
    Percentile {
        /// PERCENTILE_CONT: between two values where it falls there.
        continuous: bool,
    },
}

/// A function with its OVER clause.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Which.
    pub kind: WindowKind,
    /// Its arguments.
    pub args: Vec<TypedExpr>,
    /// PARTITION BY
    pub partition: Vec<TypedExpr>,
    /// ORDER BY
    pub order: Vec<SortKey>,
    /// ROWS or RANGE
    pub frame: Option<Frame>,
}

/// A window frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// ROWS rather than RANGE.
    pub rows: bool,
    /// Start.
    pub start: Bound,
    /// End.
    pub end: Bound,
}

/// A bound of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// UNBOUNDED PRECEDING
    UnboundedPreceding,
    /// n PRECEDING
    Preceding(u32),
    /// CURRENT ROW
    CurrentRow,
    /// n FOLLOWING
    Following(u32),
    /// UNBOUNDED FOLLOWING
    UnboundedFollowing,
}

/// A key of ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// The key.
    pub expr: TypedExpr,
    /// The column of the select list it stands for, where it does.
    pub item: Option<usize>,
    /// DESC
    pub descending: bool,
}

/// A bound query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Common table expressions that it may name, in order of definition.
    pub ctes: Vec<Cte>,
    /// SELECTs and set operators.
    pub body: Body,
    /// The columns of its result.
    pub columns: Vec<Column>,
    /// ORDER BY
    pub order: Vec<SortKey>,
    /// TOP, OFFSET, FETCH
    pub limit: Limit,
}

/// Which of the rows are returned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limit {
    /// TOP, as bigint, or float for a percentage.
    pub top: Option<TypedExpr>,
    /// PERCENT
    pub percent: bool,
    /// WITH TIES
    pub ties: bool,
    /// OFFSET, as bigint
    pub offset: Option<TypedExpr>,
    /// FETCH, as bigint
    pub fetch: Option<TypedExpr>,
}

/// What a query is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One SELECT.
    Select(Box<Select>),
    /// `left op right`
    Set {
        /// The operator.
        op: SetOperator,
        /// Left side.
        left: Box<Query>,
        /// Right side.
        right: Box<Query>,
    },
    /// VALUES; rows of equal length and types.
    Values(Vec<Vec<TypedExpr>>),
}

/// One SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// DISTINCT
    pub distinct: bool,
    /// The select list.
    pub items: Vec<Item>,
    /// FROM
    pub from: Option<Source>,
    /// WHERE
    pub filter: Option<TypedExpr>,
    /// GROUP BY
    pub group: Vec<TypedExpr>,
    /// Whether rows are grouped: GROUP BY or an aggregate.
    pub grouped: bool,
    /// HAVING
    pub having: Option<TypedExpr>,
}

/// A column of a select list.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its value.
    pub expr: TypedExpr,
    /// Its name; empty without one.
    pub name: String,
    /// The variable it is assigned to.
    pub assign: Option<usize>,
}

/// A common table expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Cte {
    /// Its number within the statement.
    pub key: u32,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its query; the anchor of a recursive one.
    pub query: Query,
    /// The recursive members, joined by UNION ALL.
    pub recursive: Vec<Query>,
}

/// What FROM holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A table that the catalog knows.
    Table {
        /// Number of this entry.
        id: SourceId,
        /// The catalog's number for the table.
        key: u32,
    },
    /// A table-valued function that the catalog knows.
    Function {
        /// Number of this entry.
        id: SourceId,
        /// The catalog's number for the function.
        key: u32,
        /// Its arguments, converted.
        args: Vec<TypedExpr>,
    },
    /// A derived table.
    Query {
        /// Number of this entry.
        id: SourceId,
        /// Its query.
        query: Box<Query>,
    },
    /// A common table expression.
    Cte {
        /// Number of this entry.
        id: SourceId,
        /// Its number.
        key: u32,
    },
    /// CROSS or OUTER APPLY of a query that names columns from outside of it.
    Apply {
        /// Left side.
        left: Box<Source>,
        /// OUTER APPLY.
        outer: bool,
        /// Number of the right entry.
        id: SourceId,
        /// The right side, run for each row of the left.
        query: Box<Query>,
        /// The columns from outside that it names.
        refs: Vec<TypedExpr>,
    },
    /// A join.
    Join {
        /// Left side.
        left: Box<Source>,
        /// Which.
        kind: JoinKind,
        /// Right side.
        right: Box<Source>,
        /// ON
        on: Option<TypedExpr>,
    },
}

impl Source {
    /// Number of the entry, when it is a single one.
    #[must_use]
    pub fn id(&self) -> Option<SourceId> {
        match self {
            Self::Table { id, .. }
            | Self::Function { id, .. }
            | Self::Query { id, .. }
            | Self::Cte { id, .. } => Some(*id),
            Self::Apply { .. } | Self::Join { .. } => None,
        }
    }

    /// Numbers of all entries, from left to right.
    #[must_use]
    pub fn entries(&self) -> Vec<SourceId> {
        match self {
            Self::Apply { left, id, .. } => {
                let mut all = left.entries();
                all.push(*id);
                all
            }
            Self::Join { left, right, .. } => {
                let mut all = left.entries();
                all.extend(right.entries());
                all
            }
            other => other.id().into_iter().collect(),
        }
    }

    /// Number and catalog's number of every table that is an entry of its own.
    #[must_use]
    pub fn tables(&self) -> Vec<(SourceId, u32)> {
        match self {
            Self::Table { id, key } => vec![(*id, *key)],
            Self::Apply { left, .. } => left.tables(),
            Self::Join { left, right, .. } => {
                let mut all = left.tables();
                all.extend(right.tables());
                all
            }
            Self::Function { .. } | Self::Query { .. } | Self::Cte { .. } => Vec::new(),
        }
    }
}
