//! Modules as the session runs them: parsed once, and the world that names inside them live in.

use super::names::{Names, Scope};
use super::permanent::Found;
use super::shared::Shared;
use crate::databases::{ObjectKind, ParameterInfo};
use crate::host::{FunctionDecl, FunctionResult, ParamDecl};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tsql::ast::{FunctionReturns, Ident, ObjectName, SelectStatement, Span, StatementKind};
use tsql::bind::{Catalog, FunctionShape, StoredQuery, TableFunction, TableShape};
use tsql::eval::split_name;
use tsql::parser::{ParseOptions, parse_batch};
use tsql::rowset::Rowset;
use tsql::{Column, SqlError, SqlType, Value, fault};

/// Parsed modules that a session keeps.
const PARSED_MODULES_MAX: usize = 64;

/// A parsed module.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Its text.
    pub(crate) text: Arc<str>,
    /// The statement that makes it.
    pub(crate) statement: StatementKind,
    /// The query of a view or inline function.
    select: Option<Arc<SelectStatement>>,
}

/// Parsed modules by database and object, and the states they were in.
type Known = HashMap<(i32, i32), (i64, Arc<Parsed>)>;

/// The modules that ran already.
#[derive(Debug, Default)]
pub(crate) struct ParsedModules(Mutex<Known>);

impl ParsedModules {
    /// The parsed text of a module.
    ///
    /// # Errors
    /// When the stored text does not parse, which an older program may have stored.
    pub(crate) fn get(&self, found: &Found) -> Result<Arc<Parsed>, SqlError> {
        let place = (found.database, found.object.id);
        let stamp = found.objects.stamp_of(found.object.id);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, parsed)) = known.get(&place)
            && *of == stamp
        {
            return Ok(Arc::clone(parsed));
        }
        let module = found
            .object
            .module()
            .ok_or_else(|| fault::invalid_object(&found.object.name))?;
        let options = ParseOptions {
            quoted_identifier: module.quoted_identifier,
            variables: &[],
        };
        let batch = parse_batch(&module.definition, &options).map_err(|errors| {
            let first = errors.into_iter().next();
            first.unwrap_or_else(|| fault::internal("a stored module does not parse"))
        })?;
        let statement = batch
            .statements
            .into_iter()
            .next()
            .ok_or_else(|| fault::internal("a stored module is empty"))?
            .kind;
        let parsed = Arc::new(Parsed {
            text: Arc::from(module.definition.as_str()),
            select: select_of(&statement),
            statement,
        });
        if known.len() >= PARSED_MODULES_MAX {
            known.clear();
        }
        known.insert(place, (stamp, Arc::clone(&parsed)));
        Ok(parsed)
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only views and functions hold a query"
)]
fn select_of(statement: &StatementKind) -> Option<Arc<SelectStatement>> {
    match statement {
        StatementKind::CreateView(view) => Some(Arc::new((*view.query).clone())),
        StatementKind::CreateFunction(function) => match &function.returns {
            FunctionReturns::InlineTable(query) => Some(Arc::new((**query).clone())),
            FunctionReturns::Scalar(_) | FunctionReturns::Table { .. } => None,
        },
        _ => None,
    }
}

/// A scalar or multi-statement function that a user made.
#[derive(Debug, Clone)]
pub(crate) struct Routine {
    pub(crate) found: Found,
    /// Its parameters and result; names are in `found`.
    pub(crate) decl: Arc<FunctionDecl>,
    /// Whether a module that names it gives the right to it.
    pub(crate) chained: bool,
    stamp: i64,
}

impl PartialEq for Routine {
    fn eq(&self, other: &Self) -> bool {
        self.stamp == other.stamp
            && self.chained == other.chained
            && self.found.object.id == other.found.object.id
            && self.found.database == other.found.database
            && self.found.database_name == other.found.database_name
    }
}

impl Routine {
    /// The function, when the found object is one that runs statements.
    ///
    /// # Errors
    /// When its text does not parse, or a default is no constant.
    pub(super) fn of(shared: &Shared, found: &Found) -> Result<Option<Self>, SqlError> {
        let Some(module) = found.object.module() else {
            return Ok(None);
        };
        let returns = match (found.object.kind, module.returns) {
            (ObjectKind::ScalarFunction, Some(ty)) => FunctionResult::Scalar(ty),
            (ObjectKind::TableFunction, _) => FunctionResult::Table(
                module
                    .columns
                    .iter()
                    .map(|column| Column {
                        name: column.name.clone(),
                        ty: column.ty,
                        nullable: column.nullable,
                    })
                    .collect(),
            ),
            _ => return Ok(None),
        };
        let parsed = shared.parsed.get(found)?;
        let permission = match returns {
            FunctionResult::Scalar(_) => "EXECUTE",
            FunctionResult::Table(_) => "SELECT",
        };
        let params = parameters(&parsed, &module.parameters)?
            .into_iter()
            .map(|(ty, default)| ParamDecl {
                name: "",
                ty,
                default,
                output: false,
            })
            .collect();
        Ok(Some(Self {
            stamp: found.objects.stamp_of(found.object.id),
            chained: shared.follows(&found.database_name, found.owner(), permission),
            found: found.clone(),
            decl: Arc::new(FunctionDecl {
                database: "",
                schema: "",
                name: "",
                params,
                returns,
            }),
        }))
    }
}

/// Types and defaults of a function's parameters.
fn parameters(
    parsed: &Parsed,
    infos: &[ParameterInfo],
) -> Result<Vec<(SqlType, Option<Value>)>, SqlError> {
    let StatementKind::CreateFunction(function) = &parsed.statement else {
        return Ok(Vec::new());
    };
    infos
        .iter()
        .zip(&function.params)
        .map(|(info, param)| {
            let default = match &param.default {
                Some(expr) => Some(crate::interpret::default_value(expr, info.ty)?),
                None => None,
            };
            Ok((info.ty, default))
        })
        .collect()
}

/// What names inside a view or inline function mean: objects of its own database and schema, and its parameters.
pub(crate) struct Stored<'s> {
    shared: &'s Shared,
    scope: Scope,
    database: String,
    schema: String,
    /// Who owns the module.
    owner: String,
    params: Vec<(String, SqlType)>,
}

impl<'s> Stored<'s> {
    /// The world of a module of a database and schema.
    pub(crate) fn new(
        shared: &'s Shared,
        database: &str,
        (schema, owner): (&str, &str),
        params: &[ParameterInfo],
    ) -> Self {
        Self {
            shared,
            scope: Scope::default(),
            database: database.to_owned(),
            schema: schema.to_owned(),
            owner: owner.to_owned(),
            params: params
                .iter()
                .map(|param| (param.name.to_lowercase(), param.ty))
                .collect(),
        }
    }

    fn names(&self) -> Names<'_> {
        Names {
            shared: self.shared,
            scope: &self.scope,
        }
    }

    /// The name with its database, and first in the module's own schema when it names none.
    fn places(&self, name: &ObjectName) -> Vec<ObjectName> {
        let ident = |text: &str| Ident {
            text: text.to_owned(),
            quoted: true,
            span: name.span,
        };
        let mut whole = name.clone();
        if whole.database.is_none() {
            whole.database = Some(ident(&self.database));
        }
        if whole.schema.is_some() {
            return vec![whole];
        }
        let mut schemas = vec![self.schema.as_str()];
        schemas.extend(
            ["dbo", "sys"]
                .iter()
                .filter(|standing| **standing != self.schema),
        );
        let places = schemas.into_iter().map(|schema| ObjectName {
            schema: Some(ident(schema)),
            ..whole.clone()
        });
        places.collect()
    }
}

impl Catalog for Stored<'_> {
    fn variable(&self, name: &str) -> Option<(usize, SqlType)> {
        let lower = name.to_lowercase();
        let slot = self.params.iter().position(|(known, _)| *known == lower)?;
        Some((slot, self.params[slot].1))
    }

    fn table(&self, name: &ObjectName) -> Result<TableShape, SqlError> {
        if name.is_temporary() {
            return Err(fault::not_supported(
                "a temporary table in a view or function",
            ));
        }
        let names = self.names();
        // Who may use the view or function may use what it reads in its own database.
        let _chain = self.shared.chained(&self.database, &self.owner);
        let mut result = Err(fault::invalid_object(&name.to_string()));
        for place in self.places(name) {
            result = names.table(&place);
            if result.is_ok() {
                break;
            }
        }
        result.map_err(|error| {
            if error.number == tsql::messages::INVALID_OBJECT.number {
                fault::invalid_object(&name.to_string())
            } else {
                error
            }
        })
    }

    fn table_variable(&self, _: &str) -> Option<TableShape> {
        None
    }

    fn function(&self, name: &ObjectName) -> Option<FunctionShape> {
        let names = self.names();
        let _chain = self.shared.chained(&self.database, &self.owner);
        self.places(name)
            .iter()
            .find_map(|place| names.function(place))
    }

    fn read_column(&self, table: u32, column: usize) -> Result<(), SqlError> {
        let _chain = self.shared.chained(&self.database, &self.owner);
        self.names().read_column(table, column)
    }

    fn rowset(&self, rowset: Rowset) -> u32 {
        self.names().rowset(rowset)
    }

    fn table_function(&self, function: TableFunction, args: &[SqlType]) -> Option<u32> {
        self.names().table_function(function, args)
    }

    fn view(&self, name: &ObjectName) -> Result<Option<StoredQuery<'_>>, SqlError> {
        let _chain = self.shared.chained(&self.database, &self.owner);
        for place in self.places(name) {
            if let Some(view) = stored_query(self.shared, &place, &self.database, ObjectKind::View)?
            {
                return Ok(Some(view));
            }
        }
        Ok(None)
    }

    fn inline_function(&self, name: &ObjectName) -> Result<Option<StoredQuery<'_>>, SqlError> {
        let _chain = self.shared.chained(&self.database, &self.owner);
        for place in self.places(name) {
            let kind = ObjectKind::InlineFunction;
            if let Some(function) = stored_query(self.shared, &place, &self.database, kind)? {
                return Ok(Some(function));
            }
        }
        Ok(None)
    }
}

/// The stored query of a name, when it is one of that kind.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn stored_query<'s>(
    shared: &'s Shared,
    name: &ObjectName,
    database: &str,
    kind: ObjectKind,
) -> Result<Option<StoredQuery<'s>>, SqlError> {
    if name.server.is_some() || name.is_temporary() {
        return Ok(None);
    }
    let name = shared.followed(name, database)?;
    let database = name.database.as_ref().map_or(database, |part| &part.text);
    let Some(found) = shared.find_named(database, &name)? else {
        return Ok(None);
    };
    if found.object.kind != kind {
        return Ok(None);
    }
    shared.may_use(&found, "SELECT")?;
    let parsed = shared.parsed.get(&found)?;
    let (Some(select), Some(module)) = (&parsed.select, found.object.module()) else {
        return Ok(None);
    };
    let columns = if let StatementKind::CreateView(view) = &parsed.statement {
        view.columns.clone()
    } else {
        Vec::new()
    };
    let params = parameters(&parsed, &module.parameters)?;
    Ok(Some(StoredQuery {
        name: found.object.name.clone(),
        select: Arc::clone(select),
        columns,
        params,
        catalog: Box::new(Stored::new(
            shared,
            &found.database_name,
            (found.schema(), found.owner()),
            &module.parameters,
        )),
    }))
}

impl Shared {
    /// The object of a name, which without a schema is looked for in the caller's own first.
    pub(crate) fn find_named(
        &self,
        database: &str,
        name: &ObjectName,
    ) -> Result<Option<Found>, SqlError> {
        let bare = &name.name.text;
        if let Some(schema) = &name.schema {
            return self.permanent.find(database, &schema.text, bare);
        }
        let own = self.facts().schema.clone();
        if own != "dbo"
            && let Some(found) = self.permanent.find(database, &own, bare)?
        {
            return Ok(Some(found));
        }
        self.permanent.find(database, "dbo", bare)
    }

    /// The name that a synonym stands for; any other name as it is. A synonym of a synonym is not followed.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn followed(
        &self,
        name: &ObjectName,
        database: &str,
    ) -> Result<ObjectName, SqlError> {
        let here = name.database.as_ref().map_or(database, |part| &part.text);
        let Some(found) = self.find_named(here, name)? else {
            return Ok(name.clone());
        };
        let crate::databases::Body::Synonym(target) = &found.object.body else {
            return Ok(name.clone());
        };
        Ok(object_name(target, &found.database_name, name.span))
    }
}

/// The name in a text of up to four parts; the database is `database` unless it is named.
fn object_name(text: &str, database: &str, span: Span) -> ObjectName {
    let ident = |text: String| Ident {
        text,
        quoted: true,
        span,
    };
    let mut parts = split_name(text);
    let mut next = || parts.pop().filter(|part| !part.is_empty()).map(ident);
    let name = next().unwrap_or_else(|| Ident {
        text: String::new(),
        quoted: true,
        span,
    });
    let schema = next();
    let in_database = next();
    let server = next();
    ObjectName {
        server,
        database: Some(in_database.unwrap_or_else(|| Ident {
            text: database.to_owned(),
            quoted: true,
            span,
        })),
        schema,
        name,
        span,
    }
}
