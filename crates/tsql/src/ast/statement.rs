//! Batches and statements.

use super::{
    AlterDatabase, AlterIndex, AlterTable, AssignOp, CreateDatabase, CreateFunction, CreateIndex,
    CreateProcedure, CreateSchema, CreateSynonym, CreateTable, CreateTrigger, CreateType,
    CreateView, CursorDefinition, CursorRef, Delete, DmlTarget, DropIndex, DropObjects, Expr,
    Ident, Insert, InsertBulk, Merge, ObjectName, SecurityStatement, SelectStatement, Span,
    TableDefinition, TypeName, Update, Variable,
};

/// What a client sends at once: statements in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The statements; none when the text held nothing but comments.
    pub statements: Vec<Statement>,
}

/// A statement and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Where it stands, without its semicolon.
    pub span: Span,
    /// What it is.
    pub kind: StatementKind,
}

/// What a statement is.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `DECLARE @a int = 1, @t TABLE (…), @c CURSOR`
    Declare(Vec<Declaration>),
    /// `DECLARE c CURSOR … FOR …`
    DeclareCursor {
        /// Its name.
        name: Ident,
        /// What it is.
        cursor: CursorDefinition,
    },
    /// `SET @v = expr`, `SET @v += expr`
    SetVariable {
        /// The variable.
        variable: Variable,
        /// `=` or a compound.
        op: AssignOp,
        /// The value.
        value: Expr,
    },
    /// `SET @c = CURSOR … FOR …` and `SET @c = name`
    SetCursor {
        /// The cursor variable.
        variable: Variable,
        /// What it is.
        cursor: CursorDefinition,
    },
    /// `SET NOCOUNT ON` and kin
    SetOption(SetOption),
    /// `USE name`
    Use(Ident),
    /// `PRINT expr`
    Print(Expr),
    /// `RAISERROR (…)`
    RaisError(Box<RaisError>),
    /// `THROW [number, message, state]`
    Throw(Option<Throw>),
    /// `IF … [ELSE …]`
    If {
        /// The condition, a predicate.
        condition: Expr,
        /// Run when it is true.
        then: Box<Statement>,
        /// Run when it is false or unknown.
        otherwise: Option<Box<Statement>>,
    },
    /// `WHILE …`
    While {
        /// The condition, a predicate.
        condition: Expr,
        /// Run while it is true.
        body: Box<Statement>,
    },
    /// BREAK
    Break,
    /// CONTINUE
    Continue,
    /// `BEGIN … END`
    Block(Vec<Statement>),
    /// `label:`
    Label(Ident),
    /// `GOTO label`
    Goto(Ident),
    /// `RETURN [expr]`
    Return(Option<Expr>),
    /// `BEGIN TRY … END TRY BEGIN CATCH … END CATCH`
    TryCatch {
        /// Statements of the TRY block.
        body: Vec<Statement>,
        /// Statements of the CATCH block.
        handler: Vec<Statement>,
    },
    /// `WAITFOR DELAY | TIME expr`
    WaitFor {
        /// TIME rather than DELAY.
        time: bool,
        /// A string constant or variable.
        value: Expr,
    },
    /// `BEGIN [DISTRIBUTED] TRANSACTION [name] [WITH MARK …]`
    BeginTransaction {
        /// DISTRIBUTED: to be refused.
        distributed: bool,
        /// Its name.
        name: Option<TransactionName>,
        /// WITH MARK
        mark: bool,
    },
    /// `COMMIT [TRANSACTION [name] | WORK]`
    Commit {
        /// Its name, which has no effect.
        name: Option<TransactionName>,
    },
    /// `ROLLBACK [TRANSACTION [name] | WORK]`
    Rollback {
        /// A savepoint or the outermost transaction.
        name: Option<TransactionName>,
    },
    /// `SAVE TRANSACTION name`
    SaveTransaction {
        /// Its name.
        name: TransactionName,
    },
    /// EXEC, and a procedure name at the start of a batch
    Execute(Box<Execute>),
    /// SELECT
    Select(Box<SelectStatement>),
    /// INSERT
    Insert(Box<Insert>),
    /// INSERT BULK
    InsertBulk(Box<InsertBulk>),
    /// UPDATE
    Update(Box<Update>),
    /// DELETE
    Delete(Box<Delete>),
    /// MERGE
    Merge(Box<Merge>),
    /// `TRUNCATE TABLE name`
    Truncate(DmlTarget),
    /// `OPEN cursor`
    OpenCursor(CursorRef),
    /// `FETCH … FROM cursor INTO …`
    Fetch(Box<Fetch>),
    /// `CLOSE cursor`
    CloseCursor(CursorRef),
    /// `DEALLOCATE cursor`
    DeallocateCursor(CursorRef),
    /// CREATE TABLE
    CreateTable(Box<CreateTable>),
    /// ALTER TABLE
    AlterTable(Box<AlterTable>),
    /// CREATE INDEX
    CreateIndex(Box<CreateIndex>),
    /// ALTER INDEX
    AlterIndex(AlterIndex),
    /// DROP INDEX
    DropIndex(DropIndex),
    /// CREATE or ALTER VIEW
    CreateView(Box<CreateView>),
    /// CREATE or ALTER PROCEDURE
    CreateProcedure(Box<CreateProcedure>),
    /// CREATE or ALTER FUNCTION
    CreateFunction(Box<CreateFunction>),
    /// CREATE or ALTER TRIGGER
    CreateTrigger(Box<CreateTrigger>),
    /// CREATE TYPE
    CreateType(Box<CreateType>),
    /// CREATE SYNONYM
    CreateSynonym(CreateSynonym),
    /// CREATE DATABASE
    CreateDatabase(CreateDatabase),
    /// ALTER DATABASE
    AlterDatabase(AlterDatabase),
    /// CREATE SCHEMA
    CreateSchema(CreateSchema),
    /// DROP of tables, views, modules, …
    Drop(DropObjects),
    /// Logins, users, roles, credentials, permissions
    Security(Box<SecurityStatement>),
    /// `EXECUTE AS …`
    ExecuteAs(ExecuteAs),
    /// REVERT
    Revert {
        /// WITH COOKIE
        cookie: Option<Variable>,
    },
    /// `KILL session`
    Kill(Expr),
    /// CHECKPOINT
    Checkpoint,
    /// `RECONFIGURE [WITH OVERRIDE]`
    Reconfigure,
    /// `DBCC command (…)`
    Dbcc {
        /// The command, in capitals.
        command: String,
        /// What stands in its parentheses.
        arguments: Vec<DbccArgument>,
        /// The words behind WITH, in capitals.
        options: Vec<String>,
    },
    /// `UPDATE STATISTICS …`: accepted without effect.
    UpdateStatistics,
    /// `ENABLE | DISABLE TRIGGER name ON target`
    ToggleTrigger {
        /// ENABLE rather than DISABLE.
        enable: bool,
        /// The triggers; empty is ALL.
        names: Vec<ObjectName>,
        /// The table or view; `None` is DATABASE or ALL SERVER.
        target: Option<ObjectName>,
    },
    /// Recognised, and refused at run time by this name at this line: `BACKUP`, `RESTORE`,
    /// `BULK INSERT`, Service Broker statements, …
    Unsupported {
        /// The feature, as documentation names it.
        feature: String,
    },
}

/// One part of a DECLARE.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large variant is the usual one"
)]
pub enum Declaration {
    /// `@v [AS] type [= expr]`
    Scalar {
        /// The variable.
        variable: Variable,
        /// Its type.
        ty: TypeName,
        /// Its first value, NULL when not given.
        value: Option<Expr>,
    },
    /// `@t [AS] TABLE (…)`
    Table {
        /// The variable.
        variable: Variable,
        /// Its columns.
        definition: TableDefinition,
    },
    /// `@c CURSOR`
    Cursor {
        /// The variable.
        variable: Variable,
    },
}

/// SET of an option of the session.
#[derive(Debug, Clone, PartialEq)]
pub enum SetOption {
    /// `SET ANSI_NULLS, QUOTED_IDENTIFIER ON`: names in capitals, all known to T-SQL.
    Switch {
        /// The options.
        names: Vec<String>,
        /// ON
        on: bool,
    },
    /// `SET LOCK_TIMEOUT 1000`, `SET DATEFORMAT ymd`, `SET LANGUAGE us_english`,
    /// `SET DEADLOCK_PRIORITY LOW`, `SET ROWCOUNT @n`, `SET TEXTSIZE 2147483647`, …
    Value {
        /// In capitals.
        name: String,
        /// A word arrives as a string constant.
        value: Expr,
    },
    /// `SET TRANSACTION ISOLATION LEVEL …`
    IsolationLevel(IsolationLevel),
    /// `SET IDENTITY_INSERT table ON`
    IdentityInsert {
        /// The table.
        table: ObjectName,
        /// ON
        on: bool,
    },
    /// `SET STATISTICS IO, TIME ON`
    Statistics {
        /// IO, TIME, XML, PROFILE; in capitals.
        names: Vec<String>,
        /// ON
        on: bool,
    },
}

/// Isolation levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsolationLevel {
    /// READ UNCOMMITTED
    ReadUncommitted,
    /// READ COMMITTED
    ReadCommitted,
    /// REPEATABLE READ
    RepeatableRead,
    /// SNAPSHOT
    Snapshot,
    /// SERIALIZABLE
    Serializable,
}

/// `RAISERROR (message, severity, state [, args]) [WITH LOG, NOWAIT, SETERROR]`
#[derive(Debug, Clone, PartialEq)]
pub struct RaisError {
    /// A string, a number of sys.messages, or a variable.
    pub message: Expr,
    /// The severity.
    pub severity: Expr,
    /// The state.
    pub state: Expr,
    /// Arguments of the format.
    pub args: Vec<Expr>,
    /// WITH LOG
    pub log: bool,
    /// WITH NOWAIT
    pub nowait: bool,
    /// WITH SETERROR
    pub seterror: bool,
}

/// `THROW number, message, state`
#[derive(Debug, Clone, PartialEq)]
pub struct Throw {
    /// The number, from 50000.
    pub number: Expr,
    /// The message.
    pub message: Expr,
    /// The state.
    pub state: Expr,
}

/// Name of a transaction or savepoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionName {
    /// As written.
    Name(Ident),
    /// In a variable.
    Variable(Variable),
}

/// `EXEC [@rc =] module args [WITH …]`
#[derive(Debug, Clone, PartialEq)]
pub struct Execute {
    /// `@rc =`
    pub result: Option<Variable>,
    /// What runs.
    pub target: ExecuteTarget,
    /// Arguments in order.
    pub args: Vec<ExecuteArgument>,
    /// WITH RECOMPILE, RESULT SETS …: the first words in capitals.
    pub options: Vec<String>,
}

/// What EXEC runs.
#[derive(Debug, Clone, PartialEq)]
pub enum ExecuteTarget {
    /// A procedure by name.
    Procedure(ObjectName),
    /// A procedure whose name is in a variable.
    Variable(Variable),
    /// `EXEC (expr + …) [AS LOGIN | USER = '…'] [AT server]`
    Text {
        /// The string, one expression; parts are joined with `+`.
        text: Expr,
        /// AS LOGIN or AS USER.
        principal: Option<ExecuteAs>,
        /// AT server: to be refused.
        server: Option<Ident>,
    },
}

/// `[@name =] value [OUTPUT]`
#[derive(Debug, Clone, PartialEq)]
pub struct ExecuteArgument {
    /// The parameter, when named.
    pub name: Option<Variable>,
    /// A constant, a variable, [`super::ExprKind::Default`], or a bare word as a string constant.
    pub value: Expr,
    /// OUTPUT; then `value` is a variable.
    pub output: bool,
}

/// `EXECUTE AS …`
#[derive(Debug, Clone, PartialEq)]
pub struct ExecuteAs {
    /// Whom.
    pub principal: ExecuteAsPrincipal,
    /// WITH NO REVERT
    pub no_revert: bool,
    /// WITH COOKIE INTO
    pub cookie: Option<Variable>,
}

/// Whom EXECUTE AS names.
#[derive(Debug, Clone, PartialEq)]
pub enum ExecuteAsPrincipal {
    /// CALLER
    Caller,
    /// LOGIN = '…'
    Login(Expr),
    /// USER = '…'
    User(Expr),
}

/// `FETCH [direction FROM] cursor [INTO …]`
#[derive(Debug, Clone, PartialEq)]
pub struct Fetch {
    /// Which row.
    pub direction: FetchDirection,
    /// From where.
    pub cursor: CursorRef,
    /// Into these variables; to the client when none.
    pub into: Vec<Variable>,
}

/// Which row FETCH takes.
#[derive(Debug, Clone, PartialEq)]
pub enum FetchDirection {
    /// NEXT
    Next,
    /// PRIOR
    Prior,
    /// FIRST
    First,
    /// LAST
    Last,
    /// ABSOLUTE n
    Absolute(Expr),
    /// RELATIVE n
    Relative(Expr),
}

/// An argument of DBCC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DbccArgument {
    /// A name, a string, or another word.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A variable.
    Variable(Variable),
}
