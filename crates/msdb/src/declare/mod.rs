//! Procedures declared as data: names, parameters, result sets and who may execute them.
//!
//! One file per noun. A test compares every declaration with the vendored fact sheet, so that a wrong type or
//! a column out of order is found here and not by a client.

mod agent;
mod alert;
mod category;
mod driver;
mod enlist;
mod error_log;
mod help;
mod history;
mod job;
mod jobserver;
mod jobstep;
mod mail;
mod master;
mod notification;
mod operator;
mod proxy;
mod registry;
mod schedule;
mod script;
mod security;
mod target;
mod upkeep;

pub(crate) use agent::*;
pub(crate) use alert::*;
pub(crate) use category::*;
pub(crate) use driver::*;
pub(crate) use enlist::*;
pub(crate) use error_log::*;
pub(crate) use help::*;
pub(crate) use history::*;
pub(crate) use job::*;
pub(crate) use jobserver::*;
pub(crate) use jobstep::*;
pub(crate) use mail::*;
pub(crate) use master::*;
pub(crate) use notification::*;
pub(crate) use operator::*;
pub(crate) use proxy::*;
pub(crate) use registry::*;
pub(crate) use schedule::*;
pub(crate) use script::*;
pub(crate) use security::*;
pub(crate) use target::*;
pub(crate) use upkeep::*;

use engine::host::{ParamDecl, ProcedureDecl};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use tsql::{Column, Length, SqlType, Value};

/// Database a procedure lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// `msdb`, schema `dbo`.
    Msdb,
    /// `master`, reachable from every database.
    Master,
}

impl Database {
    /// Database and schema by name.
    #[must_use]
    pub const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Msdb => ("msdb", "dbo"),
            Self::Master => ("master", "sys"),
        }
    }
}

/// The least role that may execute a procedure. Members of sysadmin always may.
///
/// The Agent's roles include one another: User ⊂ Reader ⊂ Operator ⊂ sysadmin.
/// Source: fact sheet `procedures.toml`, `execute`; docs/compatibility.md for undocumented ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execute {
    /// Every login.
    Public,
    /// SQLAgentUserRole and up.
    User,
    /// SQLAgentReaderRole and up.
    Reader,
    /// SQLAgentOperatorRole and sysadmin.
    Operator,
    /// TargetServersRole and sysadmin.
    TargetServers,
    /// DatabaseMailUserRole and sysadmin.
    MailUser,
    /// sysadmin alone.
    Sysadmin,
}

/// Value of a parameter that the caller leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// There is none: 201.
    Required,
    /// NULL
    Null,
    /// A number, in the parameter's type.
    Int(i64),
    /// A text.
    Text(&'static str),
}

/// A parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Name with its `@`.
    pub name: &'static str,
    /// Type.
    pub ty: SqlType,
    /// Value when left out.
    pub default: Default,
    /// Whether it is declared OUTPUT.
    pub output: bool,
}

impl Param {
    const fn output(mut self) -> Self {
        self.output = true;
        self
    }
}

/// Columns of a result set, in order. All may hold NULL.
pub(crate) type Columns = &'static [(&'static str, SqlType)];

/// A procedure.
#[derive(Debug, Clone, Copy)]
pub struct Procedure {
    /// Name.
    pub name: &'static str,
    /// Where it lives.
    pub database: Database,
    /// Who may execute it.
    pub execute: Execute,
    /// Parameters in order.
    pub params: &'static [Param],
    /// Result sets it may return: name and columns.
    pub results: &'static [(&'static str, Columns)],
}

/// Every procedure of msdb and of the Agent in master, by lower-case name.
pub fn procedures() -> &'static BTreeMap<String, Declared> {
    static PROCEDURES: LazyLock<BTreeMap<String, Declared>> = LazyLock::new(|| {
        GROUPS
            .iter()
            .flat_map(|group| group.iter())
            .map(|procedure| {
                let declared = Declared {
                    procedure,
                    decl: Arc::new(declaration(procedure)),
                };
                (procedure.name.to_ascii_lowercase(), declared)
            })
            .collect()
    });
    &PROCEDURES
}

/// A procedure beside the form in which the engine takes it.
#[derive(Debug)]
pub struct Declared {
    /// The declaration.
    pub procedure: &'static Procedure,
    /// The engine's form of it.
    pub decl: Arc<ProcedureDecl>,
}

/// The columns of a result set in the engine's form.
pub(crate) fn columns(columns: Columns) -> Vec<Column> {
    columns
        .iter()
        .map(|(name, ty)| Column::nullable(*name, *ty))
        .collect()
}

const GROUPS: &[&[Procedure]] = &[
    agent::PROCEDURES,
    alert::PROCEDURES,
    category::PROCEDURES,
    driver::PROCEDURES,
    enlist::PROCEDURES,
    error_log::PROCEDURES,
    help::PROCEDURES,
    history::PROCEDURES,
    job::PROCEDURES,
    jobserver::PROCEDURES,
    jobstep::PROCEDURES,
    mail::PROCEDURES,
    master::PROCEDURES,
    notification::PROCEDURES,
    operator::PROCEDURES,
    proxy::PROCEDURES,
    registry::PROCEDURES,
    schedule::PROCEDURES,
    script::PROCEDURES,
    security::PROCEDURES,
    target::PROCEDURES,
    upkeep::PROCEDURES,
];

fn declaration(procedure: &Procedure) -> ProcedureDecl {
    let (database, schema) = procedure.database.place();
    ProcedureDecl {
        database,
        schema,
        name: procedure.name,
        params: procedure
            .params
            .iter()
            .map(|param| ParamDecl {
                name: param.name,
                ty: param.ty,
                default: default_value(param),
                output: param.output,
            })
            .collect(),
    }
}

fn default_value(param: &Param) -> Option<Value> {
    match param.default {
        Default::Required => None,
        Default::Null => Some(Value::Null),
        Default::Text(text) => Some(Value::string(text)),
        Default::Int(number) => Some(integer(param.ty, number)),
    }
}

/// A declared number in its parameter's type.
fn integer(ty: SqlType, number: i64) -> Value {
    let fits = "a declared default fits its type";
    if ty == SqlType::Bit {
        Value::Bit(number != 0)
    } else if ty == SqlType::TinyInt {
        Value::TinyInt(u8::try_from(number).expect(fits))
    } else {
        Value::Int(i32::try_from(number).expect(fits))
    }
}

const INT: SqlType = SqlType::Int;
const TINYINT: SqlType = SqlType::TinyInt;
const BIT: SqlType = SqlType::Bit;
const FLOAT: SqlType = SqlType::Float;
const SYSNAME: SqlType = SqlType::SYSNAME;
const GUID: SqlType = SqlType::UniqueIdentifier;
const DATETIME: SqlType = SqlType::DateTime;
/// nvarchar(max)
const NTEXT: SqlType = SqlType::NVARCHAR_MAX;

const fn nvarchar(units: u16) -> SqlType {
    SqlType::nvarchar(units)
}

const fn varchar(bytes: u16) -> SqlType {
    SqlType::varchar(bytes)
}

const fn varbinary(bytes: u16) -> SqlType {
    SqlType::VarBinary(Length::Limited(bytes))
}

const fn char(bytes: u16) -> SqlType {
    SqlType::Char(bytes)
}

const fn nchar(units: u16) -> SqlType {
    SqlType::NChar(units)
}

const fn col(name: &'static str, ty: SqlType) -> (&'static str, SqlType) {
    (name, ty)
}

const fn param(name: &'static str, ty: SqlType, default: Default) -> Param {
    Param {
        name,
        ty,
        default,
        output: false,
    }
}

const fn required(name: &'static str, ty: SqlType) -> Param {
    param(name, ty, Default::Required)
}

const fn null(name: &'static str, ty: SqlType) -> Param {
    param(name, ty, Default::Null)
}

const fn int(name: &'static str, ty: SqlType, value: i64) -> Param {
    param(name, ty, Default::Int(value))
}

const fn text(name: &'static str, ty: SqlType, value: &'static str) -> Param {
    param(name, ty, Default::Text(value))
}

#[cfg(test)]
mod tests;
