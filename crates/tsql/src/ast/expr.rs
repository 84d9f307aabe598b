//! Expressions and predicates.
//!
//! T-SQL keeps scalar expressions and search conditions apart; both are [`Expr`] here, and the parser
//! has already checked that each stands where it may ([`Expr::is_predicate`]).

use super::{ObjectName, OrderItem, Query, Span, TypeName, Variable};
use crate::ast::Ident;
use crate::value::Decimal;

/// An expression or predicate and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// Where it stands, parentheses excluded.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// What an [`Expr`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// `@x`
    Variable(Variable),
    /// `@@ROWCOUNT` and the like; the name keeps its `@@`.
    Global(Variable),
    /// A column, one to four parts: `[[[database.]schema.]table.]column`, in that order. `$action`,
    /// `$IDENTITY` and `$ROWGUID` keep their dollar. A part left out (`db..t.c`) is an empty name.
    Column(Vec<Ident>),
    /// `-x`, `+x`, `~x`
    Unary {
        /// The operator.
        op: UnaryOp,
        /// Its operand.
        operand: Box<Expr>,
    },
    /// Arithmetic, bits, `+` of strings.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// A function call, aggregates and window functions included.
    Function(Box<FunctionCall>),
    /// `CASE [operand] WHEN … THEN … [ELSE …] END`
    Case {
        /// The operand of the simple form; then each `when` is a value, else a predicate.
        operand: Option<Box<Expr>>,
        /// WHEN and THEN, in order; at least one.
        branches: Vec<CaseBranch>,
        /// ELSE.
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(x AS type)`, `TRY_CAST`
    Cast {
        /// What is converted.
        operand: Box<Expr>,
        /// To which type.
        ty: Box<TypeName>,
        /// TRY_CAST: NULL in place of an error.
        safe: bool,
    },
    /// `CONVERT(type, x [, style])`, `TRY_CONVERT`
    Convert {
        /// What is converted.
        operand: Box<Expr>,
        /// To which type.
        ty: Box<TypeName>,
        /// The style.
        style: Option<Box<Expr>>,
        /// TRY_CONVERT: NULL in place of an error.
        safe: bool,
    },
    /// `PARSE(x AS type [USING culture])`, `TRY_PARSE`
    Parse {
        /// What is read.
        operand: Box<Expr>,
        /// As which type.
        ty: Box<TypeName>,
        /// The culture.
        culture: Option<Box<Expr>>,
        /// TRY_PARSE: NULL in place of an error.
        safe: bool,
    },
    /// `IDENTITY(type [, seed, increment])`, in a SELECT … INTO.
    Identity {
        /// Type of the column.
        ty: Box<TypeName>,
        /// Seed and increment.
        seed: Option<IdentitySeed>,
    },
    /// `(SELECT …)` as a value.
    Subquery(Box<Query>),
    /// `x COLLATE name`
    Collate {
        /// The string.
        operand: Box<Expr>,
        /// The collation.
        collation: Ident,
    },
    /// `x AT TIME ZONE zone`
    AtTimeZone {
        /// The moment.
        operand: Box<Expr>,
        /// The zone's name.
        zone: Box<Expr>,
    },
    /// A method of the xml type: `col.value('…', '…')`, `@x.query('…')`, and chains of them.
    Method {
        /// The xml value.
        operand: Box<Expr>,
        /// `value`, `query`, `exist`, `nodes` or `modify`.
        method: Ident,
        /// Arguments.
        args: Vec<Expr>,
    },
    /// DEFAULT in VALUES, SET and arguments.
    Default,

    /// `a AND b`. Long chains arrive as balanced trees.
    And(Box<Expr>, Box<Expr>),
    /// `a OR b`. Long chains arrive as balanced trees.
    Or(Box<Expr>, Box<Expr>),
    /// `NOT a`
    Not(Box<Expr>),
    /// `a = b` and kin.
    Compare {
        /// The operator.
        op: CompareOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `a IS [NOT] DISTINCT FROM b`
    IsDistinct {
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
        /// IS NOT DISTINCT FROM.
        negated: bool,
    },
    /// `a = ANY (SELECT …)`, `SOME`, `ALL`
    Quantified {
        /// The comparison.
        op: CompareOp,
        /// ALL rather than ANY or SOME.
        all: bool,
        /// Left operand.
        left: Box<Expr>,
        /// One column.
        query: Box<Query>,
    },
    /// `a [NOT] IN (x, y)`
    InList {
        /// What is sought.
        operand: Box<Expr>,
        /// Among these; at least one.
        list: Vec<Expr>,
        /// NOT IN.
        negated: bool,
    },
    /// `a [NOT] IN (SELECT …)`
    InQuery {
        /// What is sought.
        operand: Box<Expr>,
        /// Among these; one column.
        query: Box<Query>,
        /// NOT IN.
        negated: bool,
    },
    /// `a [NOT] BETWEEN low AND high`
    Between {
        /// What is compared.
        operand: Box<Expr>,
        /// Lower bound, included.
        low: Box<Expr>,
        /// Upper bound, included.
        high: Box<Expr>,
        /// NOT BETWEEN.
        negated: bool,
    },
    /// `a [NOT] LIKE pattern [ESCAPE c]`
    Like {
        /// What is matched.
        operand: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// The escape character.
        escape: Option<Box<Expr>>,
        /// NOT LIKE.
        negated: bool,
    },
    /// `a IS [NOT] NULL`
    IsNull {
        /// What is tested.
        operand: Box<Expr>,
        /// IS NOT NULL.
        negated: bool,
    },
    /// `EXISTS (SELECT …)`
    Exists(Box<Query>),
    /// `UPDATE(column)` in a trigger.
    UpdatedColumn(Ident),
    /// `CURRENT OF cursor` in a positioned UPDATE or DELETE.
    CurrentOf(CursorRef),

    /// Recognised, and refused by the binder by this name at this place: `NEXT VALUE FOR`,
    /// `CONTAINS`, `geography::…`.
    Unsupported {
        /// The feature, as documentation names it.
        feature: String,
        /// Whether it stands as a predicate.
        predicate: bool,
    },
}

impl Expr {
    /// Whether this is a search condition rather than a value.
    #[must_use]
    pub fn is_predicate(&self) -> bool {
        match &self.kind {
            ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Not(_)
            | ExprKind::Compare { .. }
            | ExprKind::IsDistinct { .. }
            | ExprKind::Quantified { .. }
            | ExprKind::InList { .. }
            | ExprKind::InQuery { .. }
            | ExprKind::Between { .. }
            | ExprKind::Like { .. }
            | ExprKind::IsNull { .. }
            | ExprKind::Exists(_)
            | ExprKind::UpdatedColumn(_)
            | ExprKind::CurrentOf(_) => true,
            ExprKind::Unsupported { predicate, .. } => *predicate,
            ExprKind::Literal(_)
            | ExprKind::Variable(_)
            | ExprKind::Global(_)
            | ExprKind::Column(_)
            | ExprKind::Unary { .. }
            | ExprKind::Binary { .. }
            | ExprKind::Function(_)
            | ExprKind::Case { .. }
            | ExprKind::Cast { .. }
            | ExprKind::Convert { .. }
            | ExprKind::Parse { .. }
            | ExprKind::Identity { .. }
            | ExprKind::Subquery(_)
            | ExprKind::Collate { .. }
            | ExprKind::AtTimeZone { .. }
            | ExprKind::Method { .. }
            | ExprKind::Default => false,
        }
    }
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// NULL
    Null,
    /// A whole number that fits `int`. A sign is a [`UnaryOp`].
    Int(i32),
    /// A whole number beyond `int`, or one with a point: `numeric`.
    Decimal(Decimal),
    /// `1e3`: `float`.
    Float(f64),
    /// `$1.50`: `money`, in ten-thousandths.
    Money(i64),
    /// `'…'` and `N'…'`.
    String {
        /// The text, doubled quotes undone.
        text: String,
        /// Whether it had its `N`: nvarchar rather than varchar.
        unicode: bool,
    },
    /// `0x…`: `varbinary`. An odd number of digits gains a leading zero.
    Binary(Vec<u8>),
}

/// Operators before their operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `~`
    BitNot,
}

/// Operators between two values. `&`, `^`, `|`, `+` and `-` share one precedence, below `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`, also of strings and binaries
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `||`
    Concat,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `<>`, `!=`
    NotEqual,
    /// `<`, and `!>=`
    Less,
    /// `<=`, `!>`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`, `!<`
    GreaterOrEqual,
}

/// One `WHEN … THEN …`.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseBranch {
    /// A predicate in the searched form, a value in the simple form.
    pub when: Expr,
    /// The value.
    pub then: Expr,
}

/// `name([DISTINCT] args | *) [WITHIN GROUP (…)] [OVER (…)]`; also the functions without parentheses
/// (`CURRENT_TIMESTAMP`, `SYSTEM_USER`, `CURRENT_USER`, `SESSION_USER`, `USER`).
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionCall {
    /// The name; functions of users have a schema.
    pub name: ObjectName,
    /// Whether parentheses were written.
    pub parenthesised: bool,
    /// `DISTINCT`
    pub distinct: bool,
    /// `*`, as in `COUNT(*)`
    pub star: bool,
    /// Arguments. A date part (`DATEADD(day, …)`) arrives as a column of one part; the first argument of
    /// IIF is a predicate; `TRIM(a FROM b)` arrives as `b`, `a`.
    pub args: Vec<Expr>,
    /// `IGNORE NULLS` is true, `RESPECT NULLS` false.
    pub ignore_nulls: Option<bool>,
    /// `WITHIN GROUP (ORDER BY …)`
    pub within_group: Vec<OrderItem>,
    /// `OVER (…)`
    pub over: Option<Over>,
}

/// `OVER ([PARTITION BY …] [ORDER BY …] [frame])`
#[derive(Debug, Clone, PartialEq)]
pub struct Over {
    /// PARTITION BY
    pub partition_by: Vec<Expr>,
    /// ORDER BY
    pub order_by: Vec<OrderItem>,
    /// ROWS or RANGE
    pub frame: Option<Frame>,
}

/// `ROWS | RANGE [BETWEEN start AND] end`
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// ROWS rather than RANGE.
    pub rows: bool,
    /// Where the frame starts.
    pub start: FrameBound,
    /// Where it ends; the current row when BETWEEN was not written.
    pub end: FrameBound,
}

/// A bound of a frame.
#[derive(Debug, Clone, PartialEq)]
pub enum FrameBound {
    /// UNBOUNDED PRECEDING
    UnboundedPreceding,
    /// n PRECEDING
    Preceding(Box<Expr>),
    /// CURRENT ROW
    CurrentRow,
    /// n FOLLOWING
    Following(Box<Expr>),
    /// UNBOUNDED FOLLOWING
    UnboundedFollowing,
}

/// `(seed, increment)` of an identity column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentitySeed {
    /// The first value.
    pub seed: i64,
    /// The step.
    pub increment: i64,
}

/// `[GLOBAL] name` or `@variable`, where a statement names a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CursorRef {
    /// A declared cursor.
    Named {
        /// GLOBAL was written.
        global: bool,
        /// Its name.
        name: Ident,
    },
    /// A cursor variable.
    Variable(Variable),
}
