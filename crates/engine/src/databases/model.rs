//! What a database holds, as its file says it: schemas, objects, columns, constraints, modules, types.
//!
//! Instants are UTC microseconds since 1970. Numbers of objects are those that `OBJECT_ID` shows. Texts of
//! expressions and modules are as they were written.

use super::type_text;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tsql::SqlType;
use tsql::eval::collate;

/// Number of the schema `dbo`.
pub const SCHEMA_DBO: i32 = 1;
/// Number of the first schema that a user made.
pub const FIRST_USER_SCHEMA: i32 = 5;
/// Number of the first type that a user made, as `user_type_id` shows it.
pub const FIRST_USER_TYPE: i32 = 257;

/// A database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Its number, as `DB_ID` shows it; 1 to 4 are the system's.
    pub id: i32,
    /// Name as it was given.
    pub name: String,
    /// When it was made.
    pub created: i64,
    /// SID of the login that owns it.
    pub owner_sid: Vec<u8>,
}

impl DatabaseInfo {
    /// Whether every instance has it: master, tempdb, model, msdb.
    #[must_use]
    pub const fn is_system(&self) -> bool {
        self.id <= 4
    }
}

/// A schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaInfo {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Database principal that owns it.
    pub owner: String,
}

/// What kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A procedure.
    Procedure,
    /// A function of one value.
    ScalarFunction,
    /// A function that is one SELECT.
    InlineFunction,
    /// A function that fills a table variable.
    TableFunction,
    /// A trigger of a table or view.
    Trigger,
    /// Another name for an object.
    Synonym,
    /// The table behind a table type.
    TableType,
    /// A primary key.
    PrimaryKey,
    /// A unique constraint.
    UniqueKey,
    /// A CHECK constraint.
    Check,
    /// A default.
    Default,
    /// A foreign key.
    ForeignKey,
}

impl ObjectKind {
    /// `type` of sys.objects, two characters wide.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Table => "U ",
            Self::View => "V ",
            Self::Procedure => "P ",
            Self::ScalarFunction => "FN",
            Self::InlineFunction => "IF",
            Self::TableFunction => "TF",
            Self::Trigger => "TR",
            Self::Synonym => "SN",
            Self::TableType => "TT",
            Self::PrimaryKey => "PK",
            Self::UniqueKey => "UQ",
            Self::Check => "C ",
            Self::Default => "D ",
            Self::ForeignKey => "F ",
        }
    }

    /// `type_desc` of sys.objects.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Table => "USER_TABLE",
            Self::View => "VIEW",
            Self::Procedure => "SQL_STORED_PROCEDURE",
            Self::ScalarFunction => "SQL_SCALAR_FUNCTION",
            Self::InlineFunction => "SQL_INLINE_TABLE_VALUED_FUNCTION",
            Self::TableFunction => "SQL_TABLE_VALUED_FUNCTION",
            Self::Trigger => "SQL_TRIGGER",
            Self::Synonym => "SYNONYM",
            Self::TableType => "TYPE_TABLE",
            Self::PrimaryKey => "PRIMARY_KEY_CONSTRAINT",
            Self::UniqueKey => "UNIQUE_CONSTRAINT",
            Self::Check => "CHECK_CONSTRAINT",
            Self::Default => "DEFAULT_CONSTRAINT",
            Self::ForeignKey => "FOREIGN_KEY_CONSTRAINT",
        }
    }
}

/// A column of a table, view, table type or table function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnInfo {
    /// Its `column_id`; stays when columns before it are dropped.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// Its type; of a column of a user's type, what that stands for.
    #[serde(with = "type_text")]
    pub ty: SqlType,
    /// Number of the user's type it was declared with.
    pub user_type: Option<i32>,
    /// Whether NULL may stand in it.
    pub nullable: bool,
    /// IDENTITY: seed and increment.
    pub identity: Option<(i64, i64)>,
    /// ROWGUIDCOL
    pub rowguid: bool,
    /// What a computed column is.
    pub computed: Option<ComputedInfo>,
    /// Its default.
    pub default: Option<DefaultInfo>,
    /// rowversion: the database gives each row that is written the next number.
    #[serde(default)]
    pub rowversion: bool,
    /// SPARSE
    #[serde(default)]
    pub sparse: bool,
}

impl ColumnInfo {
    /// A column that only takes values.
    #[must_use]
    pub fn plain(id: i32, name: &str, ty: SqlType, nullable: bool) -> Self {
        Self {
            id,
            name: name.to_owned(),
            ty,
            user_type: None,
            nullable,
            identity: None,
            rowguid: false,
            computed: None,
            default: None,
            rowversion: false,
            sparse: false,
        }
    }
}

/// What a computed column is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputedInfo {
    /// Text of its expression.
    pub text: String,
    /// Whether `"x"` in the text is a name.
    pub quoted_identifier: bool,
    /// PERSISTED
    pub persisted: bool,
    /// Whether its values stand with the rows: it is PERSISTED, or part of a key or index.
    pub stored: bool,
    /// Whether a row's value is the same at any time.
    pub deterministic: bool,
}

/// A default of a column: an object of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultInfo {
    /// Object number.
    pub id: i32,
    /// Name.
    pub name: String,
    /// Whether the name was not given.
    pub system_named: bool,
    /// Text of the expression.
    pub text: String,
    /// Whether `"x"` in the text is a name.
    pub quoted_identifier: bool,
}

/// A primary key, unique constraint or index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexInfo {
    /// `index_id` within the table; 1 is the clustered one.
    pub id: i32,
    /// Name.
    pub name: String,
    /// Object number when it is a constraint, and whether the name was not given.
    pub constraint: Option<(i32, bool)>,
    /// PRIMARY KEY
    pub primary: bool,
    /// Unique: a key, or a unique index.
    pub unique: bool,
    /// CLUSTERED
    pub clustered: bool,
    /// Number in the file: the index is `i<number>`.
    pub storage: i64,
    /// Key columns in order, as places among the table's columns, and whether descending.
    pub columns: Vec<(usize, bool)>,
    /// Places of INCLUDEd columns.
    pub include: Vec<usize>,
    /// Which rows a filtered index holds.
    #[serde(default)]
    pub filter: Option<FilterInfo>,
    /// DISABLE: nothing is kept of it until it is rebuilt.
    #[serde(default)]
    pub disabled: bool,
}

/// Which rows a filtered index holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterInfo {
    /// Text of the condition.
    pub text: String,
    /// Whether `"x"` in the text is a name.
    pub quoted_identifier: bool,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInfo {
    /// Object number.
    pub id: i32,
    /// Name.
    pub name: String,
    /// Whether the name was not given.
    pub system_named: bool,
    /// Text of the condition.
    pub text: String,
    /// Whether `"x"` in the text is a name.
    pub quoted_identifier: bool,
    /// Place of the column it stands behind; `None` for one of the table.
    pub column: Option<usize>,
    /// NOCHECK
    pub disabled: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKeyInfo {
    /// Object number.
    pub id: i32,
    /// Name.
    pub name: String,
    /// Whether the name was not given.
    pub system_named: bool,
    /// Places of its columns.
    pub columns: Vec<usize>,
    /// Object number of the table referred to.
    pub table: i32,
    /// Places of the columns referred to.
    pub references: Vec<usize>,
    /// `delete_referential_action`: 0 none, 1 cascade, 2 set null, 3 set default.
    pub on_delete: u8,
    /// `update_referential_action`, likewise.
    pub on_update: u8,
}

/// A table, or what a table type or table function is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableInfo {
    /// Columns in order.
    pub columns: Vec<ColumnInfo>,
    /// Keys and indexes.
    pub indexes: Vec<IndexInfo>,
    /// CHECK constraints.
    pub checks: Vec<CheckInfo>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKeyInfo>,
}

/// Whom a module runs as.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ExecuteAs {
    /// Who calls it.
    #[default]
    Caller,
    /// Its owner.
    Owner,
    /// A database user by name; SELF is the user who made it.
    User(String),
}

/// A parameter of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterInfo {
    /// Name with its `@`.
    pub name: String,
    /// Its type; meaningless for a table parameter.
    #[serde(with = "type_text")]
    pub ty: SqlType,
    /// Number of the user's type it was declared with; a table type for a table parameter.
    pub user_type: Option<i32>,
    /// OUTPUT
    pub output: bool,
    /// READONLY: a table parameter.
    pub readonly: bool,
    /// Whether it has a default.
    pub has_default: bool,
}

/// What a trigger watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerInfo {
    /// INSTEAD OF rather than AFTER.
    pub instead_of: bool,
    /// INSERT, UPDATE, DELETE.
    pub events: Vec<String>,
    /// DISABLE TRIGGER
    pub disabled: bool,
}

/// A view, procedure, function or trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleInfo {
    /// Text of the batch that made it, beginning with CREATE.
    pub definition: String,
    /// WITH ENCRYPTION: nobody is shown the text.
    pub encrypted: bool,
    /// SET QUOTED_IDENTIFIER when it was made.
    pub quoted_identifier: bool,
    /// SET ANSI_NULLS when it was made.
    pub ansi_nulls: bool,
    /// WITH RECOMPILE
    pub recompile: bool,
    /// WITH SCHEMABINDING
    pub schema_bound: bool,
    /// EXECUTE AS
    pub execute_as: ExecuteAs,
    /// Parameters in order.
    pub parameters: Vec<ParameterInfo>,
    /// Type of a scalar function's value.
    #[serde(with = "type_text::optional")]
    pub returns: Option<SqlType>,
    /// Columns of a view or table function.
    pub columns: Vec<ColumnInfo>,
    /// What a trigger watches.
    pub trigger: Option<TriggerInfo>,
}

/// What an object is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// A table or a table type's.
    Table(TableInfo),
    /// A view, procedure, function or trigger.
    Module(Box<ModuleInfo>),
    /// The name that a synonym stands for, as written.
    Synonym(String),
}

/// An object with a name of its own. Constraints stand in their tables; [`Objects::constraints`] lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Its number.
    pub id: i32,
    /// Number of its schema.
    pub schema: i32,
    /// Number of the table that a trigger watches; 0 for others.
    pub parent: i32,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ObjectKind,
    /// When it was made.
    pub created: i64,
    /// When it was last altered.
    pub modified: i64,
    /// What it is made of.
    pub body: Body,
}

impl ObjectInfo {
    /// The table or table type.
    #[must_use]
    pub fn table(&self) -> Option<&TableInfo> {
        match &self.body {
            Body::Table(table) => Some(table),
            Body::Module(_) | Body::Synonym(_) => None,
        }
    }

    /// The view, procedure, function or trigger.
    #[must_use]
    pub fn module(&self) -> Option<&ModuleInfo> {
        match &self.body {
            Body::Module(module) => Some(module),
            Body::Table(_) | Body::Synonym(_) => None,
        }
    }

    /// Columns of a table, table type, view or table function.
    #[must_use]
    pub fn columns(&self) -> &[ColumnInfo] {
        match &self.body {
            Body::Table(table) => &table.columns,
            Body::Module(module) => &module.columns,
            Body::Synonym(_) => &[],
        }
    }
}

/// A constraint as an object of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintInfo<'o> {
    /// Object number.
    pub id: i32,
    /// Name.
    pub name: &'o str,
    /// Which constraint.
    pub kind: ObjectKind,
    /// The table.
    pub table: &'o ObjectInfo,
    /// Whether the name was not given.
    pub system_named: bool,
}

/// A type that a user made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeInfo {
    /// Its `user_type_id`.
    pub id: i32,
    /// Number of its schema.
    pub schema: i32,
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub kind: UserType,
}

/// What a user's type stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserType {
    /// A scalar type, and whether it takes NULL.
    Alias {
        /// The type.
        #[serde(with = "type_text")]
        base: SqlType,
        /// Whether columns of it take NULL unless they say otherwise.
        nullable: bool,
    },
    /// A table: the number of the object ([`ObjectKind::TableType`]) that has its columns.
    Table {
        /// Object number.
        object: i32,
    },
}

/// Everything that one database's file says of its objects, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    pub(super) stamp: i64,
    pub(super) schemas: Vec<SchemaInfo>,
    pub(super) types: Vec<TypeInfo>,
    pub(super) objects: BTreeMap<i32, Arc<ObjectInfo>>,
    pub(super) stamps: HashMap<i32, i64>,
    pub(super) names: HashMap<(i32, String), i32>,
}

impl Objects {
    /// A number that no other state of the database has.
    #[must_use]
    pub fn stamp(&self) -> i64 {
        self.stamp
    }

    /// A number that changes whenever the object does.
    #[must_use]
    pub fn stamp_of(&self, object: i32) -> i64 {
        self.stamps.get(&object).copied().unwrap_or_default()
    }

    /// Schemas: `dbo` first, then those that users made.
    #[must_use]
    pub fn schemas(&self) -> &[SchemaInfo] {
        &self.schemas
    }

    /// A schema by name.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<&SchemaInfo> {
        self.schemas
            .iter()
            .find(|schema| collate::same(&schema.name, name))
    }

    /// Name of a schema.
    #[must_use]
    pub fn schema_name(&self, id: i32) -> &str {
        self.schemas
            .iter()
            .find(|schema| schema.id == id)
            .map_or("dbo", |schema| &schema.name)
    }

    /// Who owns a schema and what is in it.
    #[must_use]
    pub fn schema_owner(&self, name: &str) -> &str {
        self.schema(name).map_or("dbo", |schema| &schema.owner)
    }

    /// Types that users made.
    #[must_use]
    pub fn types(&self) -> &[TypeInfo] {
        &self.types
    }

    /// A type by its schema's and its own name.
    #[must_use]
    pub fn type_named(&self, schema: &str, name: &str) -> Option<&TypeInfo> {
        let schema = self.schema(schema)?.id;
        self.types
            .iter()
            .find(|ty| ty.schema == schema && collate::same(&ty.name, name))
    }

    /// Objects with a name of their own, by number; the tables behind table types among them.
    pub fn objects(&self) -> impl Iterator<Item = &Arc<ObjectInfo>> {
        self.objects.values()
    }

    /// An object by its number.
    #[must_use]
    pub fn object(&self, id: i32) -> Option<&Arc<ObjectInfo>> {
        self.objects.get(&id)
    }

    /// An object by its schema's and its own name. Tables behind table types have no name.
    #[must_use]
    pub fn find(&self, schema: &str, name: &str) -> Option<&Arc<ObjectInfo>> {
        let schema = self.schema(schema)?.id;
        let id = self.names.get(&(schema, collate::key(name)))?;
        self.objects.get(id)
    }

    /// The constraints of all tables, as objects of their own.
    pub fn constraints(&self) -> impl Iterator<Item = ConstraintInfo<'_>> {
        self.objects
            .values()
            .filter_map(|object| Some((object.as_ref(), object.table()?)))
            .flat_map(|(object, table)| constraints_of(object, table))
    }

    /// Triggers of a table, in the order they were made.
    #[must_use]
    pub fn triggers_of(&self, table: i32) -> Vec<&Arc<ObjectInfo>> {
        let mut found: Vec<_> = self
            .objects
            .values()
            .filter(|object| object.kind == ObjectKind::Trigger && object.parent == table)
            .collect();
        found.sort_by_key(|object| (object.created, object.id));
        found
    }
}

fn constraints_of<'o>(
    object: &'o ObjectInfo,
    table: &'o TableInfo,
) -> impl Iterator<Item = ConstraintInfo<'o>> {
    let make = move |id, name: &'o str, kind, system_named| ConstraintInfo {
        id,
        name,
        kind,
        table: object,
        system_named,
    };
    let keys = table.indexes.iter().filter_map(move |index| {
        let (id, system_named) = index.constraint?;
        let kind = if index.primary {
            ObjectKind::PrimaryKey
        } else {
            ObjectKind::UniqueKey
        };
        Some(make(id, &index.name, kind, system_named))
    });
    let checks = table
        .checks
        .iter()
        .map(move |c| make(c.id, &c.name, ObjectKind::Check, c.system_named));
    let defaults = table
        .columns
        .iter()
        .filter_map(|column| column.default.as_ref())
        .map(move |d| make(d.id, &d.name, ObjectKind::Default, d.system_named));
    let foreign = table
        .foreign_keys
        .iter()
        .map(move |f| make(f.id, &f.name, ObjectKind::ForeignKey, f.system_named));
    keys.chain(checks).chain(defaults).chain(foreign)
}
