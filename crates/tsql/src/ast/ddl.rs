//! CREATE, ALTER and DROP of tables, indexes and modules.

use super::{
    Expr, Ident, IdentitySeed, NamedOption, ObjectName, SelectStatement, Span, Statement, TypeName,
    Variable,
};

/// `CREATE TABLE name (…)`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// Its name; `#t` and `##t` are temporary.
    pub name: ObjectName,
    /// Columns and constraints.
    pub definition: TableDefinition,
}

/// Columns and constraints of a table, table variable or table type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableDefinition {
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// Constraints of the table.
    pub constraints: Vec<Constraint>,
    /// `INDEX …` inside the parentheses.
    pub indexes: Vec<InlineIndex>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDef {
    /// Its name.
    pub name: Ident,
    /// Its type, or the expression of a computed column.
    pub kind: ColumnKind,
    /// COLLATE
    pub collation: Option<Ident>,
    /// NULL is true, NOT NULL false; `None` when neither was written.
    pub nullable: Option<bool>,
    /// IDENTITY; (1, 1) when no numbers were written.
    pub identity: Option<IdentitySeed>,
    /// ROWGUIDCOL
    pub rowguid: bool,
    /// DEFAULT, PRIMARY KEY, UNIQUE, CHECK and REFERENCES behind the column.
    pub constraints: Vec<Constraint>,
    /// The path of an OPENJSON or OPENXML column.
    pub path: Option<String>,
    /// `AS JSON` of an OPENJSON column.
    pub as_json: bool,
    /// Where it stands.
    pub span: Span,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnKind {
    /// Values of a type.
    Typed(TypeName),
    /// `AS (expr) [PERSISTED]`
    Computed {
        /// The expression.
        expr: Expr,
        /// PERSISTED
        persisted: bool,
    },
}

/// `[CONSTRAINT name] …`
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    /// Its name, when given.
    pub name: Option<Ident>,
    /// What it asks.
    pub kind: ConstraintKind,
    /// Where it stands.
    pub span: Span,
}

/// What a constraint asks.
#[derive(Debug, Clone, PartialEq)]
pub enum ConstraintKind {
    /// PRIMARY KEY or UNIQUE.
    Key {
        /// PRIMARY KEY rather than UNIQUE.
        primary: bool,
        /// CLUSTERED or NONCLUSTERED, when written.
        clustered: Option<bool>,
        /// The columns; empty behind a column, which it then names.
        columns: Vec<IndexColumn>,
    },
    /// FOREIGN KEY … REFERENCES …
    ForeignKey {
        /// The columns; empty behind a column.
        columns: Vec<Ident>,
        /// The other table.
        table: ObjectName,
        /// Its columns, when given.
        references: Vec<Ident>,
        /// ON DELETE
        on_delete: ReferentialAction,
        /// ON UPDATE
        on_update: ReferentialAction,
    },
    /// CHECK (…)
    Check(Expr),
    /// DEFAULT expr [FOR column]
    Default {
        /// The value.
        expr: Expr,
        /// FOR column, in ALTER TABLE.
        column: Option<Ident>,
    },
}

/// What happens to referring rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferentialAction {
    /// NO ACTION
    #[default]
    NoAction,
    /// CASCADE
    Cascade,
    /// SET NULL
    SetNull,
    /// SET DEFAULT
    SetDefault,
}

/// A key column of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexColumn {
    /// The column.
    pub name: Ident,
    /// DESC
    pub descending: bool,
}

/// `INDEX name [UNIQUE] [CLUSTERED] (columns)` inside a table definition or behind a column.
#[derive(Debug, Clone, PartialEq)]
pub struct InlineIndex {
    /// Its name.
    pub name: Ident,
    /// UNIQUE
    pub unique: bool,
    /// The columns.
    pub columns: Vec<IndexColumn>,
}

/// `ALTER TABLE name …`
#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable {
    /// The table.
    pub name: ObjectName,
    /// What changes.
    pub action: AlterTableAction,
}

/// What ALTER TABLE changes.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterTableAction {
    /// `[WITH CHECK | NOCHECK] ADD …`
    Add(TableDefinition),
    /// `ALTER COLUMN name type [NULL | NOT NULL]`
    AlterColumn(Box<ColumnDef>),
    /// `DROP COLUMN`, `DROP CONSTRAINT`
    Drop(Vec<AlterTableDrop>),
    /// `CHECK | NOCHECK CONSTRAINT name, … | ALL`
    CheckConstraint {
        /// CHECK rather than NOCHECK.
        enable: bool,
        /// The constraints; empty is ALL.
        names: Vec<Ident>,
    },
    /// `ENABLE | DISABLE TRIGGER name, … | ALL`
    Trigger {
        /// ENABLE rather than DISABLE.
        enable: bool,
        /// The triggers; empty is ALL.
        names: Vec<Ident>,
    },
    /// Recognised, and refused by name: REBUILD, SWITCH, SET.
    Unsupported {
        /// The feature, as documentation names it.
        feature: String,
    },
}

/// One thing that ALTER TABLE … DROP removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterTableDrop {
    /// A column rather than a constraint.
    pub column: bool,
    /// IF EXISTS
    pub if_exists: bool,
    /// Its name.
    pub name: Ident,
}

/// `CREATE [UNIQUE] [CLUSTERED] INDEX name ON table (…)`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateIndex {
    /// Its name.
    pub name: Ident,
    /// UNIQUE
    pub unique: bool,
    /// CLUSTERED
    pub clustered: bool,
    /// COLUMNSTORE, XML, SPATIAL or FULLTEXT, in capitals: to be refused.
    pub unusual: Option<String>,
    /// The table or view.
    pub table: ObjectName,
    /// Key columns.
    pub columns: Vec<IndexColumn>,
    /// INCLUDE
    pub include: Vec<Ident>,
    /// WHERE
    pub filter: Option<Expr>,
    /// WITH (…)
    pub options: Vec<NamedOption>,
}

/// `ALTER INDEX name | ALL ON table …`
#[derive(Debug, Clone, PartialEq)]
pub struct AlterIndex {
    /// The index; `None` is ALL.
    pub index: Option<Ident>,
    /// Its table.
    pub table: ObjectName,
    /// What is done with it.
    pub action: AlterIndexAction,
}

/// What ALTER INDEX does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlterIndexAction {
    /// REBUILD
    Rebuild,
    /// REORGANIZE
    Reorganize,
    /// DISABLE
    Disable,
    /// SET (…), and RESUME, PAUSE and ABORT of a rebuild that never waits.
    Set,
}

/// How a module statement was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleVerb {
    /// CREATE
    Create,
    /// ALTER
    Alter,
    /// CREATE OR ALTER
    CreateOrAlter,
}

/// `CREATE VIEW name [(columns)] AS select`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    /// CREATE, ALTER or both.
    pub verb: ModuleVerb,
    /// Its name.
    pub name: ObjectName,
    /// Names of its columns, when given.
    pub columns: Vec<Ident>,
    /// Its query.
    pub query: Box<SelectStatement>,
    /// WITH ENCRYPTION, SCHEMABINDING, VIEW_METADATA, in capitals.
    pub options: Vec<String>,
    /// WITH CHECK OPTION
    pub check_option: bool,
}

/// `CREATE PROCEDURE name params AS body`. The definition to store is the text of the batch.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateProcedure {
    /// CREATE, ALTER or both.
    pub verb: ModuleVerb,
    /// Its name.
    pub name: ObjectName,
    /// Parameters in order.
    pub params: Vec<Parameter>,
    /// WITH RECOMPILE, ENCRYPTION, EXECUTE AS …
    pub options: Vec<ModuleOption>,
    /// The statements.
    pub body: ModuleBody,
}

/// `CREATE FUNCTION name (params) RETURNS … AS …`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateFunction {
    /// CREATE, ALTER or both.
    pub verb: ModuleVerb,
    /// Its name.
    pub name: ObjectName,
    /// Parameters in order.
    pub params: Vec<Parameter>,
    /// What it returns.
    pub returns: FunctionReturns,
    /// WITH SCHEMABINDING, EXECUTE AS …
    pub options: Vec<ModuleOption>,
    /// The statements; for an inline table function one [`super::StatementKind::Return`] is not
    /// made: its query stands in [`FunctionReturns::InlineTable`] and the body is empty.
    pub body: ModuleBody,
}

/// What a function returns.
#[derive(Debug, Clone, PartialEq)]
pub enum FunctionReturns {
    /// A value.
    Scalar(TypeName),
    /// `RETURNS TABLE AS RETURN (select)`
    InlineTable(Box<SelectStatement>),
    /// `RETURNS @t TABLE (…)`
    Table {
        /// The variable.
        variable: Variable,
        /// Its columns.
        definition: TableDefinition,
    },
}

/// `CREATE TRIGGER name ON table AFTER … AS body`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTrigger {
    /// CREATE, ALTER or both.
    pub verb: ModuleVerb,
    /// Its name.
    pub name: ObjectName,
    /// What it watches.
    pub target: TriggerTarget,
    /// INSTEAD OF rather than AFTER or FOR.
    pub instead_of: bool,
    /// INSERT, UPDATE, DELETE, or event names, in capitals.
    pub events: Vec<String>,
    /// WITH ENCRYPTION, EXECUTE AS …
    pub options: Vec<ModuleOption>,
    /// The statements.
    pub body: ModuleBody,
}

/// What a trigger watches.
#[derive(Debug, Clone, PartialEq)]
pub enum TriggerTarget {
    /// A table or view.
    Table(ObjectName),
    /// ON DATABASE
    Database,
    /// ON ALL SERVER
    AllServer,
}

/// The body of a module.
#[derive(Debug, Clone, PartialEq)]
pub enum ModuleBody {
    /// T-SQL.
    Statements(Vec<Statement>),
    /// EXTERNAL NAME assembly.class.method: to be refused.
    External,
}

/// `@name type [= default] [OUTPUT] [READONLY]`
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Variable,
    /// Its type.
    pub ty: TypeName,
    /// VARYING, of a cursor parameter.
    pub varying: bool,
    /// NULL is true, NOT NULL false; `None` when neither was written.
    pub nullable: Option<bool>,
    /// Its default: a constant.
    pub default: Option<Expr>,
    /// OUTPUT
    pub output: bool,
    /// READONLY
    pub readonly: bool,
}

/// An option behind WITH of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleOption {
    /// EXECUTE AS …
    ExecuteAs(ModulePrincipal),
    /// Any other, in capitals: RECOMPILE, ENCRYPTION, SCHEMABINDING, NATIVE_COMPILATION, …
    Other(String),
}

/// Whom a module runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModulePrincipal {
    /// CALLER
    Caller,
    /// SELF
    Myself,
    /// OWNER
    Owner,
    /// A user, by name.
    User(String),
}

/// `DROP kind [IF EXISTS] name, …`
#[derive(Debug, Clone, PartialEq)]
pub struct DropObjects {
    /// What is dropped.
    pub kind: DropKind,
    /// IF EXISTS
    pub if_exists: bool,
    /// Names in order; at least one.
    pub names: Vec<ObjectName>,
}

/// What DROP removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropKind {
    /// TABLE
    Table,
    /// VIEW
    View,
    /// PROCEDURE
    Procedure,
    /// FUNCTION
    Function,
    /// TRIGGER
    Trigger,
    /// DATABASE
    Database,
    /// SCHEMA
    Schema,
    /// TYPE
    Type,
    /// SYNONYM
    Synonym,
}

/// `DROP INDEX name ON table, …` and the old `DROP INDEX table.name`
#[derive(Debug, Clone, PartialEq)]
pub struct DropIndex {
    /// IF EXISTS
    pub if_exists: bool,
    /// Index and table.
    pub indexes: Vec<(Ident, ObjectName)>,
}

/// `CREATE TYPE name AS TABLE (…) | FROM type`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateType {
    /// Its name.
    pub name: ObjectName,
    /// What it is.
    pub kind: TypeKind,
}

/// What a type of a user is.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// AS TABLE
    Table(TableDefinition),
    /// FROM another type.
    Alias {
        /// The base type.
        base: TypeName,
        /// NULL is true, NOT NULL false.
        nullable: Option<bool>,
    },
}

/// `CREATE DATABASE name …`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateDatabase {
    /// Its name.
    pub name: Ident,
    /// COLLATE
    pub collation: Option<Ident>,
    /// Whether files, options or a snapshot were named; they have no meaning here.
    pub details: bool,
    /// AS SNAPSHOT OF, FOR ATTACH: to be refused.
    pub unusual: Option<String>,
}

/// `ALTER DATABASE name …`
#[derive(Debug, Clone, PartialEq)]
pub struct AlterDatabase {
    /// The database; `None` is CURRENT.
    pub name: Option<Ident>,
    /// `SET RECOVERY SIMPLE` and kin: the words in capitals, one blank between.
    pub action: String,
}

/// `CREATE SCHEMA name [AUTHORIZATION owner]`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateSchema {
    /// Its name.
    pub name: Ident,
    /// AUTHORIZATION
    pub owner: Option<Ident>,
}

/// `CREATE SYNONYM name FOR object`
#[derive(Debug, Clone, PartialEq)]
pub struct CreateSynonym {
    /// Its name.
    pub name: ObjectName,
    /// What it stands for.
    pub target: ObjectName,
}

/// `DECLARE name CURSOR … FOR select`
#[derive(Debug, Clone, PartialEq)]
pub struct CursorDefinition {
    /// LOCAL is `Some(false)`, GLOBAL `Some(true)`.
    pub global: Option<bool>,
    /// FORWARD_ONLY, SCROLL, STATIC, KEYSET, DYNAMIC, FAST_FORWARD, READ_ONLY, SCROLL_LOCKS,
    /// OPTIMISTIC, TYPE_WARNING, INSENSITIVE; in capitals.
    pub options: Vec<String>,
    /// The query.
    pub query: Box<SelectStatement>,
    /// FOR UPDATE [OF columns]; FOR READ ONLY stands among the options as READ_ONLY.
    pub for_update: Option<Vec<Ident>>,
}
