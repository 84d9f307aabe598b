//! Names of procedures, and what they mean.

use super::Run;
use super::stop::Stop;
use crate::host::ProcedureDecl;
use std::fmt;
use std::sync::Arc;
use tsql::ast::ObjectName;
use tsql::eval::split_name;
use tsql::messages as m;
use tsql::{SqlError, fault};

/// A procedure's name, as far as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProcedureName {
    server: Option<String>,
    database: Option<String>,
    schema: Option<String>,
    name: String,
    /// As written, for messages.
    written: String,
}

/// Procedures that are the engine's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EngineProcedure {
    ExecuteSql,
    Prepare,
    Execute,
    PrepExec,
    PrepExecRpc,
    Unprepare,
}

/// What a name means.
#[derive(Debug, Clone)]
pub(super) enum Callee {
    /// A procedure of the host, and the database that is current while it runs.
    Host(Arc<ProcedureDecl>, String),
    /// One of the engine's own, and the database to run in when one was written.
    Engine(EngineProcedure, Option<String>),
}

/// Cursors over the wire, which a client's driver asks for by number or name.
pub(super) const WIRE_CURSORS: [&str; 9] = [
    "sp_cursor",
    "sp_cursoropen",
    "sp_cursorprepare",
    "sp_cursorexecute",
    "sp_cursorprepexec",
    "sp_cursorunprepare",
    "sp_cursorfetch",
    "sp_cursoroption",
    "sp_cursorclose",
];

impl From<&ObjectName> for ProcedureName {
    fn from(name: &ObjectName) -> Self {
        let text = |part: &Option<tsql::ast::Ident>| part.as_ref().map(|ident| ident.text.clone());
        Self {
            server: text(&name.server),
            database: text(&name.database),
            schema: text(&name.schema),
            name: name.name.text.clone(),
            written: name.to_string(),
        }
    }
}

impl ProcedureName {
    /// From a string: the value of `EXEC @p`, or a name from the wire.
    ///
    /// # Errors
    /// 203 for one of more than four parts, or an empty one.
    pub(super) fn parse(text: &str) -> Result<Self, SqlError> {
        // A driver may send `name;1`, the first of a group.
        let text = text.trim();
        let plain = text.strip_suffix(";1").unwrap_or(text);
        let mut parts = split_name(plain);
        let name = parts.pop().unwrap_or_default();
        if name.trim().is_empty() || parts.len() > 3 {
            return Err(m::BAD_IDENTIFIER.with(&[text]));
        }
        let mut next = || parts.pop().filter(|part| !part.is_empty());
        Ok(Self {
            schema: next(),
            database: next(),
            server: next(),
            name,
            written: text.to_owned(),
        })
    }
}

impl fmt::Display for ProcedureName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Run<'_> {
    /// What a procedure's name means here: the current database first, then master for `sp_` and `xp_` names.
    ///
    /// # Errors
    /// 2812 when it means nothing, 911 for an unknown database.
    pub(super) fn resolve(&self, name: &ProcedureName) -> Result<Callee, Stop> {
        let host = self.machine.shared.host();
        if let Some(server) = &name.server {
            let own = host.server_property("ServerName");
            if !own.as_str().is_some_and(|own| own.eq_ignore_ascii_case(server)) {
                return Err(fault::not_supported(&format!("linked server {server}")).into());
            }
        }
        let database = match &name.database {
            Some(database) => Some(
                host.database(database)
                    .ok_or_else(|| Stop::statement(m::UNKNOWN_DATABASE.with(&[database])))?,
            ),
            None => None,
        };
        let system = name
            .schema
            .as_ref()
            .is_none_or(|schema| ["sys", "dbo"].iter().any(|known| schema.eq_ignore_ascii_case(known)));
        let key = name.name.trim_end().to_ascii_lowercase();
        if system {
            let own = match key.as_str() {
                "sp_executesql" => Some(EngineProcedure::ExecuteSql),
                "sp_prepare" => Some(EngineProcedure::Prepare),
                "sp_execute" => Some(EngineProcedure::Execute),
                "sp_prepexec" => Some(EngineProcedure::PrepExec),
                "sp_prepexecrpc" => Some(EngineProcedure::PrepExecRpc),
                "sp_unprepare" => Some(EngineProcedure::Unprepare),
                known if WIRE_CURSORS.contains(&known) => {
                    return Err(Stop::statement(fault::not_supported(known)));
                }
                _ => None,
            };
            if let Some(own) = own {
                return Ok(Callee::Engine(own, database));
            }
        }
        let current = self.machine.shared.facts().database.clone();
        let here = database.unwrap_or_else(|| current.clone());
        let written = name.schema.as_deref();
        let schema = written.unwrap_or("dbo");
        if let Some(decl) = host.procedure(&here, schema, &name.name) {
            return Ok(Callee::Host(decl, here));
        }
        // A system procedure acts in the database where it is called.
        if key.starts_with("sp_") || key.starts_with("xp_") {
            let schemas = match written {
                Some(schema) => vec![schema],
                None => vec!["sys", "dbo"],
            };
            let found = schemas
                .into_iter()
                .find_map(|schema| host.procedure("master", schema, &name.name));
            if let Some(decl) = found {
                return Ok(Callee::Host(decl, here));
            }
        }
        Err(Stop::statement(
            m::UNKNOWN_PROCEDURE
                .with(&[&name.to_string()])
                .with_state(62),
        ))
    }
}
