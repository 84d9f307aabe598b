//! What expressions see of the session: variables, system variables, functions about session and instance.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a function names the values it takes; all others are NULL to it"
)]

use super::shared::{Facts, Object, Shared, option};
use crate::host::Host;
use std::sync::MutexGuard;
use tsql::bind::ir::Global;
use tsql::convert::DateOrder;
use tsql::eval::{Environment, collate, split_name};
use tsql::{Decimal, SqlError, Value, fault};
use uuid::Uuid;

/// Build number that @@MICROSOFTVERSION shows: 16.0.4135, as SERVERPROPERTY('ProductVersion') has it.
const MICROSOFT_VERSION: i32 = 0x1000_1027;
/// Locale of us_english.
const LANGUAGE_ID: i16 = 0;
/// CURSOR_STATUS of a cursor that is none.
const NO_CURSOR: i16 = -3;
/// Functions that the host answers, NULL as an argument included.
const ASK_HOST: &[&str] = &["HAS_PERMS_BY_NAME", "IS_SRVROLEMEMBER"];

/// The environment of a statement.
pub(crate) struct Env<'s> {
    shared: &'s Shared,
    variables: &'s [Value],
}

impl<'s> Env<'s> {
    /// With the values of local variables, by slot.
    pub(crate) const fn new(shared: &'s Shared, variables: &'s [Value]) -> Self {
        Self { shared, variables }
    }

    /// Inside SQLite: variables were replaced by their values.
    pub(crate) const fn of_rows(shared: &'s Shared) -> Self {
        Self {
            shared,
            variables: &[],
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.shared.facts()
    }
}

fn text(value: &str) -> Value {
    Value::string(value)
}

fn int(value: i64) -> Value {
    i32::try_from(value).map_or(Value::Null, Value::Int)
}

fn maybe(value: Option<String>) -> Value {
    value.map_or(Value::Null, Value::String)
}

fn flag(value: Option<bool>) -> Value {
    value.map_or(Value::Null, |yes| Value::Int(i32::from(yes)))
}

impl Environment for Env<'_> {
    fn variable(&self, slot: usize) -> Value {
        self.variables.get(slot).cloned().unwrap_or_default()
    }

    fn global(&self, global: Global) -> Value {
        let facts = self.facts();
        match global {
            Global::Error => Value::Int(facts.last_error),
            Global::RowCount => Value::Int(i32::try_from(facts.row_count).unwrap_or(i32::MAX)),
            Global::TranCount => Value::Int(i32::try_from(facts.tran_count).unwrap_or(i32::MAX)),
            Global::FetchStatus => Value::Int(facts.fetch_status),
            Global::CursorRows => Value::Int(facts.cursor_rows),
            Global::Counter => Value::Int(0),
            Global::Identity => identity(facts.identity),
            Global::NestLevel => Value::Int(i32::try_from(facts.nest_level).unwrap_or(i32::MAX)),
            Global::Spid => Value::SmallInt(facts.spid),
            Global::ProcId => Value::Int(facts.proc_id),
            Global::ServerName | Global::ServiceName | Global::Version => {
                drop(facts);
                let name = match global {
                    Global::ServerName => "ServerName",
                    Global::Version => "@@VERSION",
                    _ => "@@SERVICENAME",
                };
                let value = self.shared.host().server_property(name);
                if value.is_null() && global == Global::ServiceName {
                    return text("MSSQLSERVER");
                }
                value
            }
            Global::MicrosoftVersion => Value::Int(MICROSOFT_VERSION),
            Global::Options => Value::Int(facts.options),
            Global::Language => text(&facts.language),
            Global::LangId => Value::SmallInt(LANGUAGE_ID),
            Global::DateFirst => Value::TinyInt(facts.date_first),
            Global::LockTimeout => Value::Int(facts.lock_timeout),
            Global::TextSize => Value::Int(facts.text_size),
            Global::MaxPrecision => Value::TinyInt(38),
            Global::MaxConnections => Value::Int(32_767),
            Global::Dbts => Value::Binary(vec![0; 8]),
            Global::RemServer => Value::Null,
            Global::TimeTicks => Value::Int(31_250),
        }
    }

    fn now(&self) -> (i64, i16) {
        self.facts().now
    }

    fn new_guid(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn random(&self, seed: Option<i32>) -> f64 {
        let mut facts = self.facts();
        if let Some(seed) = seed {
            // Spread close seeds apart, and keep clear of zero.
            let wide = u64::from(seed.unsigned_abs()).wrapping_add(0x9e37_79b9_7f4a_7c15);
            facts.random = wide.wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1;
        }
        // xorshift64*
        let mut x = facts.random;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        facts.random = x;
        let high = u32::try_from(x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).unwrap_or(0);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    fn date_first(&self) -> u8 {
        self.facts().date_first
    }

    fn date_order(&self) -> DateOrder {
        self.facts().date_order
    }

    fn null_concatenates(&self) -> bool {
        self.facts().has(option::CONCAT_NULL_YIELDS_NULL)
    }

    fn failed_arithmetic_is_null(&self) -> bool {
        let facts = self.facts();
        !facts.has(option::ARITHABORT) && !facts.has(option::ANSI_WARNINGS)
    }

    fn session_function(&self, name: &str, args: &[Value]) -> Result<Value, SqlError> {
        if let Some(value) = self.of_session(name, args)? {
            return Ok(value);
        }
        self.of_host(name, args)
    }

    fn host_function(&self, key: u32, args: &[Value]) -> Result<Value, SqlError> {
        match self.shared.object(key) {
            Some(Object::HostFunction(decl)) => self.shared.host().call_scalar(&decl, args),
            Some(Object::Routine(routine)) => {
                crate::interpret::scalar_function(self.shared, &routine, args)
            }
            _ => Err(fault::internal("a function is gone")),
        }
    }
}

fn identity(value: Option<i128>) -> Value {
    value.map_or(Value::Null, |unscaled| {
        Value::Decimal(Decimal {
            unscaled,
            precision: 38,
            scale: 0,
        })
    })
}

impl Env<'_> {
    /// Functions that need no host; `None` for others.
    fn of_session(&self, name: &str, args: &[Value]) -> Result<Option<Value>, SqlError> {
        let facts = self.facts();
        let caught = facts.caught.as_ref();
        let first = args.first().and_then(Value::as_str);
        Ok(Some(match name {
            "ERROR_NUMBER" => caught.map_or(Value::Null, |e| Value::Int(e.number)),
            "ERROR_SEVERITY" => caught.map_or(Value::Null, |e| Value::Int(i32::from(e.severity))),
            "ERROR_STATE" => caught.map_or(Value::Null, |e| Value::Int(i32::from(e.state))),
            "ERROR_LINE" => caught.map_or(Value::Null, |e| int(i64::from(e.line))),
            "ERROR_PROCEDURE" => caught
                .filter(|e| !e.procedure.is_empty())
                .map_or(Value::Null, |e| text(&e.procedure)),
            "ERROR_MESSAGE" => caught.map_or(Value::Null, |e| text(&e.message)),
            "XACT_STATE" => Value::SmallInt(match (facts.tran_count, facts.doomed) {
                (0, _) => 0,
                (_, true) => -1,
                (_, false) => 1,
            }),
            "SCOPE_IDENTITY" => identity(facts.identity),
            "ROWCOUNT_BIG" => Value::BigInt(i64::try_from(facts.row_count).unwrap_or(i64::MAX)),
            "HOST_NAME" => text(&facts.host_name),
            "APP_NAME" | "PROGRAM_NAME" => text(&facts.application),
            "ORIGINAL_DB_NAME" => text(&facts.original_database),
            "DB_NAME" if args.is_empty() => text(&facts.database),
            "CONTEXT_INFO" => facts
                .context_info
                .clone()
                .map_or(Value::Null, Value::Binary),
            "SESSION_CONTEXT" => facts
                .session_context
                .get(&first.unwrap_or_default().to_lowercase())
                .map_or(Value::Null, |(value, _)| value.clone()),
            "SESSIONPROPERTY" => {
                let bit = match first.unwrap_or_default().to_ascii_uppercase().as_str() {
                    "ANSI_NULLS" => option::ANSI_NULLS,
                    "ANSI_PADDING" => option::ANSI_PADDING,
                    "ANSI_WARNINGS" => option::ANSI_WARNINGS,
                    "ARITHABORT" => option::ARITHABORT,
                    "CONCAT_NULL_YIELDS_NULL" => option::CONCAT_NULL_YIELDS_NULL,
                    "NUMERIC_ROUNDABORT" => option::NUMERIC_ROUNDABORT,
                    "QUOTED_IDENTIFIER" => option::QUOTED_IDENTIFIER,
                    _ => return Ok(Some(Value::Null)),
                };
                Value::Int(i32::from(facts.has(bit)))
            }
            "CONNECTIONPROPERTY" => match first.unwrap_or_default().to_ascii_lowercase().as_str() {
                "net_transport" => text("TCP"),
                "protocol_type" => text("TSQL"),
                "auth_scheme" => text("SQL"),
                _ => return Ok(None),
            },
            "FORMATMESSAGE" => {
                drop(facts);
                return Ok(Some(self.formatted(args)));
            }
            "CURSOR_STATUS" => {
                let scope = first.unwrap_or_default().to_ascii_lowercase();
                let name = args
                    .get(1)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_lowercase();
                let key = match scope.as_str() {
                    "global" => name,
                    "local" => crate::interpret::local_key(&name, facts.nest_level),
                    "variable" => return Err(fault::not_supported("CURSOR_STATUS('variable', …)")),
                    _ => return Ok(Some(Value::SmallInt(NO_CURSOR))),
                };
                Value::SmallInt(*facts.cursor_states.get(&key).unwrap_or(&NO_CURSOR))
            }
            "GETANSINULL" => Value::SmallInt(i16::from(facts.has(option::ANSI_NULL_DFLT_ON))),
            _ => return Ok(None),
        }))
    }

    /// FORMATMESSAGE: of a text, or of a message by its number; NULL where there is none.
    fn formatted(&self, args: &[Value]) -> Value {
        let rest = args.get(1..).unwrap_or_default();
        let format = match args.first() {
            Some(Value::String(format)) => Some(format.clone()),
            Some(number) => number
                .as_i64()
                .and_then(|n| crate::interpret::numbered(self.shared, n)),
            None => None,
        };
        format
            .and_then(|format| crate::interpret::format_message(&format, rest).ok())
            .map_or(Value::Null, Value::String)
    }

    /// Functions that ask the host.
    fn of_host(&self, name: &str, args: &[Value]) -> Result<Value, SqlError> {
        let (database, spid) = {
            let facts = self.facts();
            (facts.database.clone(), facts.spid)
        };
        let first = args.first().and_then(Value::as_str);
        // Temporary tables are tempdb's; their numbers are negative.
        let temporary = first.map_or_else(
            || {
                args.first()
                    .and_then(Value::as_i64)
                    .is_some_and(|id| id < 0)
            },
            is_temporary,
        );
        let database = if temporary {
            "tempdb".to_owned()
        } else {
            database
        };
        let temporaries = temporary.then(|| self.shared.temporary_tables());
        let mut host = self.shared.host();
        if let Some(tables) = temporaries {
            host.temporary_tables(tables);
        }
        let second = args.get(1).and_then(Value::as_str);
        let given_null = args.first().is_some_and(Value::is_null);
        if given_null && !ASK_HOST.contains(&name) {
            return Ok(Value::Null);
        }
        Ok(match name {
            "SCHEMA_NAME" if args.is_empty() => text(&host.default_schema(&database)),
            "SCHEMA_ID" if args.is_empty() => {
                let schema = host.default_schema(&database);
                if schema == "dbo" {
                    Value::Int(crate::databases::model::SCHEMA_DBO)
                } else {
                    host.metadata(&database, name, &[text(&schema)])?
                }
            }
            "DB_NAME" => {
                let id = args.first().and_then(Value::as_i64);
                maybe(
                    id.and_then(|id| i32::try_from(id).ok())
                        .and_then(|id| host.database_name(id)),
                )
            }
            "DB_ID" => {
                let id = host.database_id(first.unwrap_or(&database));
                id.and_then(|id| i16::try_from(id).ok())
                    .map_or(Value::Null, Value::SmallInt)
            }
            "SUSER_SNAME" | "SUSER_NAME" => match args.first() {
                None => text(&host.identity().login),
                Some(Value::Binary(sid)) => maybe(host.login_name(Some(sid))),
                Some(_) => host.metadata(&database, "SUSER_NAME", args)?,
            },
            "SUSER_SID" | "SID_BINARY" => host.login_sid(first).map_or(Value::Null, Value::Binary),
            "SYSTEM_USER" => text(&host.identity().login),
            "ORIGINAL_LOGIN" => text(&host.original_login()),
            "USER_NAME" | "USER" | "CURRENT_USER" | "SESSION_USER" => match args.first() {
                None => text(&host.user_name(&database)),
                Some(_) => host.metadata(&database, "USER_NAME", args)?,
            },
            "OBJECT_ID" => object_id(
                self.shared,
                host.as_mut(),
                &database,
                first.unwrap_or_default(),
                second,
            )?,
            "OBJECT_NAME" | "OBJECT_SCHEMA_NAME" => {
                let id = args.first().and_then(Value::as_i64);
                let owner = args
                    .get(1)
                    .and_then(Value::as_i64)
                    .and_then(|id| i32::try_from(id).ok())
                    .and_then(|id| host.database_name(id))
                    .unwrap_or(database);
                let found = id.and_then(|id| i32::try_from(id).ok()).and_then(|id| {
                    made_object_name(self.shared, &owner, id)
                        .or_else(|| host.object_name(&owner, id))
                });
                maybe(found.map(|(schema, object)| {
                    if name == "OBJECT_NAME" {
                        object
                    } else {
                        schema
                    }
                }))
            }
            // The machine is in no domain but its own.
            "DEFAULT_DOMAIN" => host.server_property("MachineName"),
            "SERVERPROPERTY" => host.server_property(first.unwrap_or_default()),
            "IS_SRVROLEMEMBER" => {
                flag(host.is_server_role_member(first.unwrap_or_default(), second))
            }
            "IS_MEMBER" => flag(host.is_role_member(&database, first.unwrap_or_default(), None)),
            "IS_ROLEMEMBER" => {
                flag(host.is_role_member(&database, first.unwrap_or_default(), second))
            }
            "CONNECTIONPROPERTY" => {
                let asked = [text(first.unwrap_or_default()), Value::SmallInt(spid)];
                host.metadata(&database, name, &asked)?
            }
            _ => host.metadata(&database, name, args)?,
        })
    }
}

/// Whether a name of up to three parts names a temporary table.
fn is_temporary(name: &str) -> bool {
    split_name(name)
        .pop()
        .is_some_and(|name| name.starts_with('#'))
}

/// OBJECT_ID of a temporary table, or of what the host knows; NULL when it is not of the kind asked for.
fn object_id(
    shared: &Shared,
    host: &mut dyn Host,
    database: &str,
    name: &str,
    kind: Option<&str>,
) -> Result<Value, SqlError> {
    let mut parts = split_name(name);
    let object = parts.pop().unwrap_or_default();
    if object.starts_with('#') {
        let key = shared.temp_key(&object);
        let fits = kind.is_none_or(|kind| collate::same(kind, "U"));
        return Ok(key.filter(|_| fits).map_or(Value::Null, |key| {
            Value::Int(super::shared::temporary_id(key))
        }));
    }
    let schema = parts.pop().filter(|s| !s.is_empty());
    let database = parts
        .pop()
        .filter(|d| !d.is_empty())
        .unwrap_or_else(|| database.to_owned());
    let Some(database) = host.database(&database) else {
        return Ok(Value::Null);
    };
    let own = shared.facts().schema.clone();
    let schemas = match &schema {
        Some(schema) => vec![schema.as_str()],
        None => vec![own.as_str(), "dbo", "sys"],
    };
    if let Some(id) = schemas
        .iter()
        .find_map(|schema| made_object_id(shared, &database, schema, &object, kind))
    {
        return Ok(Value::Int(id));
    }
    let found = schemas
        .into_iter()
        .find_map(|schema| host.object_id(&database, schema, &object));
    let Some(id) = found.map(Value::Int) else {
        return Ok(Value::Null);
    };
    let Some(kind) = kind else {
        return Ok(id);
    };
    let asked = [id.clone(), text(kind)];
    let fits = host.metadata(&database, "OBJECT_IS_OF_KIND", &asked)?;
    Ok(if fits.as_i64() == Some(0) {
        Value::Null
    } else {
        id
    })
}

/// Number of an object that a user made, of a kind when one is asked for; constraints are objects too.
fn made_object_id(
    shared: &Shared,
    database: &str,
    schema: &str,
    name: &str,
    kind: Option<&str>,
) -> Option<i32> {
    let fits = |code: &str| kind.is_none_or(|kind| kind.trim().eq_ignore_ascii_case(code.trim()));
    if let Some(found) = shared.permanent.find(database, schema, name).ok()? {
        return fits(found.object.kind.code()).then_some(found.object.id);
    }
    let databases = shared.permanent.databases().ok()?;
    let objects = shared
        .permanent
        .objects(databases.named(database)?.id)
        .ok()?;
    let schema = objects.schema(schema)?.id;
    objects
        .constraints()
        .find(|constraint| {
            constraint.table.schema == schema
                && collate::same(constraint.name, name)
                && fits(constraint.kind.code())
        })
        .map(|constraint| constraint.id)
}

/// Schema and name of an object that a user made; constraints are objects too.
fn made_object_name(shared: &Shared, database: &str, id: i32) -> Option<(String, String)> {
    let databases = shared.permanent.databases().ok()?;
    let objects = shared
        .permanent
        .objects(databases.named(database)?.id)
        .ok()?;
    let schema = |number: i32| objects.schema_name(number).to_owned();
    if let Some(object) = objects.object(id) {
        return Some((schema(object.schema), object.name.clone()));
    }
    let constraint = objects.constraints().find(|found| found.id == id)?;
    Some((schema(constraint.table.schema), constraint.name.to_owned()))
}
