//! Functions that ask about objects, columns, types, schemas, principals and databases: OBJECTPROPERTY and its kin.
//!
//! A question about what there is not, what the caller may not see, or what no property of that name says, is NULL.

use super::constraints::indexes_of;
use super::databases::{all, files};
use super::objects::{Object, ObjectColumn, Origin, Scope, all_schemas, objects};
use super::permissions::{has_permission, object_named, permission_bits};
use super::principals::{roles, seen_logins, server_roles, users};
use super::types::{made_types, measures, named, numbered};
use super::{COLLATION, LANGUAGE};
use crate::convert::datetime;
use crate::error::Result;
use crate::rights::same;
use crate::tables::Scanner;
use catalog::name_key;
use engine::databases::{ComputedInfo, UserType};
use tsql::eval::split_name;
use tsql::{SqlType, Value};

/// Internal version of a database of SQL Server 2022.
const DATABASE_VERSION: i32 = 957;

/// Arguments of a function.
struct Arguments<'a>(&'a [Value]);

impl Arguments<'_> {
    fn text(&self, at: usize) -> &str {
        self.0.get(at).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, at: usize) -> Option<i64> {
        self.0.get(at).and_then(Value::as_i64)
    }

    fn given(&self, at: usize) -> Option<&str> {
        self.0.get(at).and_then(Value::as_str)
    }

    /// A property's name, as the tables below spell it.
    fn property(&self, at: usize) -> String {
        self.text(at).trim().to_ascii_lowercase()
    }
}

fn flag(set: bool) -> Value {
    Value::Int(i32::from(set))
}

fn int(value: impl Into<i64>) -> Value {
    i32::try_from(value.into()).map_or(Value::Null, Value::Int)
}

fn name(found: Option<impl Into<String>>) -> Value {
    found.map_or(Value::Null, |name| Value::String(name.into()))
}

/// Windows' name of the instance's time zone; its own where Windows has none.
fn zone_name(scan: &Scanner<'_>) -> String {
    let iana = scan.zone.iana_name().unwrap_or("UTC");
    tsql::eval::windows_name(iana).unwrap_or(iana).to_owned()
}

/// The value of a function, by its name in capitals; NULL for what is not known.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn metadata(scan: &Scanner<'_>, function: &str, given: &[Value]) -> Result<Value> {
    let arguments = Arguments(given);
    Ok(match function {
        "OBJECTPROPERTY" | "OBJECTPROPERTYEX" => {
            let extended = function == "OBJECTPROPERTYEX";
            match object(scan, arguments.number(0))? {
                Some(object) => object_property(scan, &object, &arguments.property(1), extended)?,
                None => Value::Null,
            }
        }
        "OBJECT_DEFINITION" => match object(scan, arguments.number(0))? {
            Some(object) => name(object.definition()),
            None => Value::Null,
        },
        "OBJECT_IS_OF_KIND" => match object(scan, arguments.number(0))? {
            Some(object) => flag(is_of_kind(&object, arguments.text(1))),
            None => Value::Null,
        },
        "COL_NAME" => {
            let id = arguments.number(1);
            let column = columns(scan, arguments.number(0))?
                .into_iter()
                .find(|column| Some(i64::from(column.id)) == id);
            name(column.map(|column| column.name))
        }
        "COL_LENGTH" => match object_named(scan, arguments.text(0))? {
            Some(object) => column_named(&object, arguments.text(1)).map_or(Value::Null, |found| {
                Value::SmallInt(measures(found.ty).max_length)
            }),
            None => Value::Null,
        },
        "COLUMNPROPERTY" => match object(scan, arguments.number(0))? {
            Some(object) => column_property(&object, arguments.text(1), &arguments.property(2)),
            None => Value::Null,
        },
        "INDEXPROPERTY" => match object(scan, arguments.number(0))? {
            Some(object) => index_property(&object, arguments.text(1), &arguments.property(2)),
            None => Value::Null,
        },
        "INDEX_COL" => match object_named(scan, arguments.text(0))? {
            Some(object) => index_column(&object, arguments.number(1), arguments.number(2)),
            None => Value::Null,
        },
        "TYPE_ID" => type_id(scan, arguments.text(0))?,
        "TYPE_NAME" => type_name(scan, arguments.number(0).unwrap_or(0))?,
        "TYPEPROPERTY" => type_property(scan, arguments.text(0), &arguments.property(1))?,
        "SCHEMA_ID" => {
            let wanted = name_key(arguments.text(0));
            let mut schemas = all_schemas(scan)?.into_iter();
            let found = schemas.find(|(_, name, _)| name_key(name) == wanted);
            found.map_or(Value::Null, |(id, ..)| Value::Int(id))
        }
        "SCHEMA_NAME" => {
            let wanted = arguments.number(0);
            let mut schemas = all_schemas(scan)?.into_iter();
            name(
                schemas
                    .find(|(id, ..)| Some(i64::from(*id)) == wanted)
                    .map(|found| found.1),
            )
        }
        "HAS_PERMS_BY_NAME" => {
            let permission = arguments.text(2);
            let about = (arguments.given(0), arguments.given(1));
            // A column is named after the securable, with its class.
            let column = arguments.given(3).filter(|_| {
                arguments
                    .given(4)
                    .is_some_and(|class| class.trim().eq_ignore_ascii_case("COLUMN"))
            });
            let answer = has_permission(scan, about, permission, column)?;
            answer.map_or(Value::Null, flag)
        }
        "PERMISSIONS" => {
            let about = object(scan, arguments.number(0))?;
            if about.is_none() && !given.is_empty() {
                return Ok(Value::Null);
            }
            Value::Int(permission_bits(scan, about, arguments.given(1))?)
        }
        "HAS_DBACCESS" => has_access(scan, arguments.text(0))?,
        "USER_ID" | "DATABASE_PRINCIPAL_ID" => user_id(scan, arguments.given(0))?,
        "USER_NAME" => user_name(scan, arguments.number(0))?,
        "SUSER_ID" => login_number(scan, arguments.given(0))?,
        "SUSER_NAME" => login_name(scan, arguments.number(0))?,
        "LOGINPROPERTY" => login_property(scan, arguments.text(0), &arguments.property(1))?,
        "DATABASEPROPERTYEX" | "DATABASEPROPERTY" => {
            let value = database_property(scan, arguments.text(0), &arguments.property(1))?;
            // The older function knows numbers alone.
            if function == "DATABASEPROPERTY" && value.as_i64().is_none() {
                Value::Null
            } else {
                value
            }
        }
        "CURRENT_TIMEZONE_ID" => Value::String(zone_name(scan)),
        "CURRENT_TIMEZONE" => {
            let offset = scan.zone.to_offset(scan.now).seconds() / 60;
            let offset = super::server::offset_text(i16::try_from(offset).unwrap_or(0));
            Value::String(format!("(UTC{offset}) {}", zone_name(scan)))
        }
        "FILE_ID" | "FILE_IDEX" => {
            let wanted = name_key(arguments.text(0));
            let mut own = files(scan, Some(scan.database)).into_iter();
            let found = own.find(|(_, _, file)| name_key(&file.name) == wanted);
            let number = found.map(|(_, at, _)| at);
            if function == "FILE_ID" {
                let small = number.and_then(|at| i16::try_from(at).ok());
                small.map_or(Value::Null, Value::SmallInt)
            } else {
                number.map_or(Value::Null, Value::Int)
            }
        }
        "FILE_NAME" => {
            let wanted = arguments.number(0);
            let mut own = files(scan, Some(scan.database)).into_iter();
            let found = own.find(|(_, at, _)| Some(i64::from(*at)) == wanted);
            name(found.map(|(_, _, file)| file.name))
        }
        "FILEPROPERTY" => file_property(scan, arguments.text(0), &arguments.property(1)),
        "FILEGROUP_NAME" => name((arguments.number(0) == Some(1)).then_some("PRIMARY")),
        "FILEGROUP_ID" => {
            if name_key(arguments.text(0)) == name_key("PRIMARY") {
                Value::Int(1)
            } else {
                Value::Null
            }
        }
        "FULLTEXTSERVICEPROPERTY" => match arguments.property(0).as_str() {
            "isfulltextinstalled" => Value::Int(0),
            _ => Value::Null,
        },
        "CONNECTIONPROPERTY" => connection_property(scan, &arguments),
        // Muster keeps no statistics of values.
        _ => Value::Null,
    })
}

/// An object of the statement's database by its number.
fn object(scan: &Scanner<'_>, id: Option<i64>) -> Result<Option<Object>> {
    match id {
        Some(id) => Ok(objects(scan, Scope::All, Some(id))?.pop()),
        None => Ok(None),
    }
}

fn columns(scan: &Scanner<'_>, id: Option<i64>) -> Result<Vec<ObjectColumn>> {
    Ok(object(scan, id)?.map_or(Vec::new(), |object| object.columns()))
}

fn column_named(object: &Object, wanted: &str) -> Option<ObjectColumn> {
    let wanted = name_key(wanted);
    let mut columns = object.columns().into_iter();
    columns.find(|column| name_key(&column.name) == wanted)
}

fn object_property(
    scan: &Scanner<'_>,
    object: &Object,
    property: &str,
    extended: bool,
) -> Result<Value> {
    let code = object.code;
    let table = object.table();
    let has = |wanted: &str| Ok(flag(code == wanted));
    let module = object.module();
    let trigger = module.and_then(|module| module.trigger.as_ref());
    let indexes = || table.map_or(&[][..], |table| &table.indexes);
    let only_table = |set: bool| {
        if object.is_table() {
            flag(set)
        } else {
            Value::Null
        }
    };
    Ok(match property {
        "istable" => flag(matches!(code, "U" | "TT")),
        "isusertable" => return has("U"),
        "issystemtable" => return has("S"),
        "isview" => return has("V"),
        "isprocedure" => return has("P"),
        "isextendedproc" => return has("X"),
        "istrigger" => return has("TR"),
        "isscalarfunction" => return has("FN"),
        "isinlinefunction" => return has("IF"),
        "istablefunction" => flag(matches!(code, "IF" | "TF")),
        "isprimarykey" => return has("PK"),
        "isuniquecnst" => return has("UQ"),
        "ischeckcnst" => return has("C"),
        "isdefaultcnst" | "isdefault" => return has("D"),
        "isforeignkey" => return has("F"),
        "isconstraint" => flag(matches!(code, "PK" | "UQ" | "C" | "D" | "F")),
        "isrule" | "isreplproc" | "isqueue" | "isencrypted" if property != "isencrypted" => {
            flag(false)
        }
        "isencrypted" => flag(module.is_some_and(|module| module.encrypted)),
        "ismsshipped" => flag(object.shipped),
        "isexecuted" | "isexecutable" => flag(object.is_routine()),
        "ownerid" => Value::Int(1),
        "schemaid" => Value::Int(object.schema_id),
        "issystemverified" | "isdeterministic" | "isprecise" => flag(false),
        "isschemabound" => flag(module.is_some_and(|module| module.schema_bound)),
        "execisstartup" if object.is_routine() => flag(false),
        "execisansinullson" => module.map_or(Value::Null, |module| flag(module.ansi_nulls)),
        "execisquotedidenton" => {
            module.map_or(Value::Null, |module| flag(module.quoted_identifier))
        }
        "execisaftertrigger" => trigger.map_or(Value::Null, |trigger| flag(!trigger.instead_of)),
        "execisinsteadoftrigger" => trigger.map_or(Value::Null, |trigger| flag(trigger.instead_of)),
        "execistriggerdisabled" => trigger.map_or(Value::Null, |trigger| flag(trigger.disabled)),
        "tablehasidentity" => only_table(
            object
                .columns()
                .iter()
                .any(|column| column.identity().is_some()),
        ),
        "tablehasprimarykey" => only_table(indexes().iter().any(|index| index.primary)),
        "tablehasindex" => only_table(!indexes().is_empty()),
        "tablehasclustindex" => only_table(indexes().iter().any(|index| index.clustered)),
        "tablehasnonclustindex" => only_table(indexes().iter().any(|index| !index.clustered)),
        "tablehasuniquecnst" => only_table(
            indexes()
                .iter()
                .any(|index| index.constraint.is_some() && !index.primary),
        ),
        "tablehascheckcnst" => only_table(table.is_some_and(|table| !table.checks.is_empty())),
        "tablehasforeignkey" => {
            only_table(table.is_some_and(|table| !table.foreign_keys.is_empty()))
        }
        "tablehasdefaultcnst" => only_table(
            object
                .columns()
                .iter()
                .any(|column| column.default().is_some()),
        ),
        "tablehasrowguidcol" => only_table(
            object
                .columns()
                .iter()
                .any(|column| column.made.as_ref().is_some_and(|made| made.rowguid)),
        ),
        "tablehastextimage" => only_table(
            object
                .columns()
                .iter()
                .any(|column| matches!(column.ty, SqlType::Text | SqlType::NText | SqlType::Image)),
        ),
        "tableisfake" | "tableisfiletable" | "tableismemoryoptimized" => only_table(false),
        "tabletemporaltype" => only_table(false),
        "tablehasinserttrigger" | "tablehasupdatetrigger" | "tablehasdeletetrigger" => {
            let event = &property["tablehas".len()..property.len() - "trigger".len()];
            let watched = objects(scan, Scope::Own, None)?.iter().any(|other| {
                let events = other.module().and_then(|module| module.trigger.as_ref());
                other.parent == object.id
                    && events.is_some_and(|trigger| {
                        trigger
                            .events
                            .iter()
                            .any(|known| known.eq_ignore_ascii_case(event))
                    })
            });
            only_table(watched)
        }
        "basetype" if extended => Value::string(code),
        _ => Value::Null,
    })
}

/// Whether values of a type are not exact.
const fn is_approximate(ty: SqlType) -> bool {
    matches!(ty, SqlType::Real | SqlType::Float)
}

fn column_property(object: &Object, wanted: &str, property: &str) -> Value {
    let Some(column) = column_named(object, wanted) else {
        return parameter_property(object, wanted, property);
    };
    let of = measures(column.ty);
    match property {
        "allowsnull" => flag(column.nullable),
        "columnid" => Value::Int(column.id),
        "isidentity" => flag(column.identity().is_some()),
        "iscomputed" => flag(column.computed().is_some()),
        "isdeterministic" => column
            .computed()
            .map_or(flag(false), |computed| flag(computed.deterministic)),
        "isprecise" => flag(column.computed().is_some() && !is_approximate(column.ty)),
        "isindexable" if column.computed().is_some() => {
            let computed = column.computed();
            let stored = |c: &ComputedInfo| c.persisted || !is_approximate(column.ty);
            flag(computed.is_some_and(|c| c.deterministic && stored(c)))
        }
        "isrowguidcol" => flag(column.made.as_ref().is_some_and(|made| made.rowguid)),
        "precision" => match super::information::lengths(column.ty) {
            Some((characters, _)) => Value::Int(characters),
            None => int(of.precision),
        },
        "scale" if of.precision > 0 => int(of.scale),
        "charmaxlen" => super::information::lengths(column.ty)
            .map_or(Value::Null, |(characters, _)| Value::Int(characters)),
        "usesansitrim" if column.ty.is_string() => flag(true),
        "isidnotforrepl"
        | "isxmlindexable"
        | "issparse"
        | "iscolumnset"
        | "ishidden"
        | "isfulltextindexed"
        | "systemdataaccess"
        | "userdataaccess"
        | "generatedalwaystype" => flag(false),
        "isindexable" => flag(object.is_table()),
        _ => Value::Null,
    }
}

fn parameter_property(object: &Object, wanted: &str, property: &str) -> Value {
    let wanted = name_key(wanted);
    let mut parameters = object.parameters().into_iter();
    let Some(parameter) = parameters.find(|known| name_key(&known.name) == wanted) else {
        return Value::Null;
    };
    match property {
        "isoutparam" => flag(parameter.output),
        "allowsnull" => flag(true),
        "precision" => int(measures(parameter.ty).precision),
        "scale" => int(measures(parameter.ty).scale),
        _ => Value::Null,
    }
}

fn index_property(object: &Object, wanted: &str, property: &str) -> Value {
    let wanted = name_key(wanted);
    let indexes = indexes_of(object).into_iter();
    let mut infos = indexes.filter_map(|index| index.info);
    let Some(info) = infos.find(|info| name_key(&info.name) == wanted) else {
        return Value::Null;
    };
    match property {
        "indexid" => Value::Int(info.id),
        "isunique" => flag(info.unique),
        "isclustered" => flag(info.clustered),
        "isdisabled" | "ishypothetical" | "isautostatistics" | "isstatistics" | "ispadindex"
        | "isfulltextkey" | "indexfillfactor" | "iscolumnstore" => flag(false),
        _ => Value::Null,
    }
}

fn index_column(object: &Object, index: Option<i64>, key: Option<i64>) -> Value {
    let mut indexes = indexes_of(object).into_iter();
    let found = indexes.find(|known| Some(i64::from(known.id)) == index);
    let place = key.and_then(|key| usize::try_from(key - 1).ok());
    let column = found.and_then(|index| {
        let info = index.info?;
        let (at, _) = *info.columns.get(place?)?;
        Some(object.table()?.columns.get(at)?.name.clone())
    });
    name(column)
}

fn type_id(scan: &Scanner<'_>, wanted: &str) -> Result<Value> {
    if let Some((id, _)) = named(wanted) {
        return Ok(Value::Int(id));
    }
    let key = name_key(&split_name(wanted).pop().unwrap_or_default());
    let mut made = made_types(scan)?.into_iter();
    Ok(made
        .find(|made| name_key(&made.name) == key)
        .map_or(Value::Null, |made| Value::Int(made.id)))
}

fn type_name(scan: &Scanner<'_>, id: i64) -> Result<Value> {
    if let Some((found, _)) = numbered(id) {
        return Ok(Value::string(found));
    }
    let mut made = made_types(scan)?.into_iter();
    Ok(name(
        made.find(|made| i64::from(made.id) == id)
            .map(|made| made.name),
    ))
}

fn type_property(scan: &Scanner<'_>, wanted: &str, property: &str) -> Result<Value> {
    let ty = match named(wanted) {
        Some((id, ty)) => Some((ty, id != 256)),
        None => {
            let key = name_key(&split_name(wanted).pop().unwrap_or_default());
            made_types(scan)?
                .into_iter()
                .find_map(|made| match made.kind {
                    UserType::Alias { base, nullable } if name_key(&made.name) == key => {
                        Some((base, nullable))
                    }
                    UserType::Alias { .. } | UserType::Table { .. } => None,
                })
        }
    };
    let Some((ty, nullable)) = ty else {
        return Ok(Value::Null);
    };
    let of = measures(ty);
    Ok(match property {
        "allowsnull" => flag(nullable),
        "ownerid" => Value::Int(1),
        "precision" => match super::information::lengths(ty) {
            Some((characters, _)) => Value::Int(characters),
            None => int(of.precision),
        },
        "scale" if of.precision > 0 => int(of.scale),
        "usesansitrim" if ty.is_string() => flag(true),
        _ => Value::Null,
    })
}

/// A database that everyone may enter needs no user.
fn has_access(scan: &Scanner<'_>, wanted: &str) -> Result<Value> {
    let mut known = all(scan).into_iter();
    match known.find(|info| name_key(&info.name) == name_key(wanted)) {
        Some(info) => Ok(flag(may_enter(scan, &info.name)?)),
        None => Ok(Value::Null),
    }
}

/// Whether the caller may use a database, named in its usual spelling.
pub(crate) fn may_enter(scan: &Scanner<'_>, database: &str) -> Result<bool> {
    Ok(scan.rights().in_database(database)?.is_some())
}

/// Number of a user or role; the caller's without a name.
fn user_id(scan: &Scanner<'_>, wanted: Option<&str>) -> Result<Value> {
    let known = users(scan)?;
    let Some(wanted) = wanted else {
        let token = scan.rights().in_database(scan.database)?;
        let me =
            token.and_then(|token| known.into_iter().find(|user| same(&user.name, &token.user)));
        return Ok(me.map_or(Value::Int(2), |me| int(me.id)));
    };
    if let Some(user) = known
        .iter()
        .find(|user| name_key(&user.name) == name_key(wanted))
    {
        return Ok(int(user.id));
    }
    let mut roles = roles(scan)?.into_iter();
    let role = roles.find(|role| same(&role.name, wanted));
    Ok(role.map_or(Value::Null, |role| int(role.id)))
}

fn user_name(scan: &Scanner<'_>, id: Option<i64>) -> Result<Value> {
    let user = users(scan)?.into_iter().find(|user| Some(user.id) == id);
    if let Some(user) = user {
        return Ok(Value::String(user.name));
    }
    let mut roles = roles(scan)?.into_iter();
    Ok(name(
        roles.find(|role| Some(role.id) == id).map(|role| role.name),
    ))
}

fn login_number(scan: &Scanner<'_>, wanted: Option<&str>) -> Result<Value> {
    let login = seen_logins(scan)?.into_iter().find(|login| match wanted {
        Some(wanted) => name_key(&login.name) == name_key(wanted),
        None => login.sid == scan.caller.identity.sid,
    });
    if let Some(login) = login {
        return Ok(int(super::principals::login_id(&login)));
    }
    let mut roles = server_roles(scan)?.into_iter();
    let role = wanted.and_then(|wanted| roles.find(|role| same(&role.name, wanted)));
    Ok(role.map_or(Value::Null, |role| int(role.id)))
}

fn login_name(scan: &Scanner<'_>, id: Option<i64>) -> Result<Value> {
    let mut logins = seen_logins(scan)?.into_iter();
    if let Some(login) = logins.find(|login| Some(super::principals::login_id(login)) == id) {
        return Ok(Value::String(login.name));
    }
    let mut roles = server_roles(scan)?.into_iter();
    Ok(name(
        roles.find(|role| Some(role.id) == id).map(|role| role.name),
    ))
}

fn login_property(scan: &Scanner<'_>, wanted: &str, property: &str) -> Result<Value> {
    let mut logins = seen_logins(scan)?.into_iter();
    let Some(login) = logins.find(|login| name_key(&login.name) == name_key(wanted)) else {
        return Ok(Value::Null);
    };
    Ok(match property {
        // Logins are braked, never locked, and passwords do not expire.
        "islocked" | "isexpired" | "ismustchange" => Value::Int(0),
        "defaultdatabase" => Value::String(login.default_database),
        "defaultlanguage" => Value::string(LANGUAGE),
        "passwordlastsettime" => datetime(login.modified, &scan.zone),
        _ => Value::Null,
    })
}

fn database_property(scan: &Scanner<'_>, wanted: &str, property: &str) -> Result<Value> {
    let wanted = if wanted.is_empty() {
        scan.database
    } else {
        wanted
    };
    let mut known = all(scan).into_iter();
    if !known.any(|info| name_key(&info.name) == name_key(wanted)) {
        return Ok(Value::Null);
    }
    Ok(match property {
        "status" => Value::string("ONLINE"),
        "updateability" => Value::string("READ_WRITE"),
        "useraccess" => Value::string("MULTI_USER"),
        "recovery" => Value::string("SIMPLE"),
        "collation" => Value::string(COLLATION),
        "comparisonstyle" => Value::Int(196_609),
        "lcid" => Value::Int(1033),
        "sqlsortorder" => Value::TinyInt(52),
        "version" => Value::Int(DATABASE_VERSION),
        "maxsizeinbytes" => {
            Value::BigInt(i64::try_from(engine::databases::DATABASE_BYTES_MAX).unwrap_or(i64::MAX))
        }
        "isautocreatestatistics"
        | "isautoupdatestatistics"
        | "isautoclose"
        | "isautoshrink"
        | "isfulltextenabled"
        | "isinstandby"
        | "ismergepublished"
        | "ispublished"
        | "issubscribed"
        | "issyncwithbackup"
        | "istornpagedetectionenabled"
        | "isparameterizationforced"
        | "isaccelerateddatabaserecoveryon"
        | "isclone"
        | "isdatabasesuspendedforsnapshotbackup"
        | "ismemoryoptimizedelevatetosnapshotenabled"
        | "isxtpsupported"
        | "isverifiedclone"
        | "isinload"
        | "isinrecovery"
        | "isoffline"
        | "isreadonly"
        | "issingleuser"
        | "issuspect"
        | "isshutdown"
        | "isemergencymode"
        | "isdboonly"
        | "isbulkcopy"
        | "istrunclog"
        | "isansinulldefault"
        | "isansinullsenabled"
        | "isansipaddingenabled"
        | "isansiwarningsenabled"
        | "isarithmeticabortenabled"
        | "isclosecursorsoncommitenabled"
        | "islocalcursorsdefault"
        | "isnullconcat"
        | "isnumericroundabortenabled"
        | "isquotedidentifiersenabled"
        | "isrecursivetriggersenabled" => Value::Int(0),
        _ => Value::Null,
    })
}

fn file_property(scan: &Scanner<'_>, wanted: &str, property: &str) -> Value {
    const PAGE_BYTES: u64 = 8192;
    let mut own = files(scan, Some(scan.database)).into_iter();
    let Some((_, at, file)) = own.find(|(_, _, file)| name_key(&file.name) == name_key(wanted))
    else {
        return Value::Null;
    };
    let log = file.kind == crate::services::FileKind::Log;
    match property {
        "isreadonly" => Value::Int(0),
        "isprimaryfile" => flag(at == 1),
        "islogfile" => flag(log),
        "spaceused" => int(i64::try_from(file.bytes.div_ceil(PAGE_BYTES)).unwrap_or(i64::MAX)),
        _ => Value::Null,
    }
}

/// The second argument is the number of the session that asks.
fn connection_property(scan: &Scanner<'_>, arguments: &Arguments<'_>) -> Value {
    let session = scan.services.sessions().into_iter();
    let me = arguments.number(1);
    let mut session = session.filter(|session| Some(i64::from(session.session_id)) == me);
    let Some(session) = session.next() else {
        return Value::Null;
    };
    match arguments.property(0).as_str() {
        "net_transport" => Value::string("TCP"),
        "protocol_type" => Value::string("TSQL"),
        "auth_scheme" => Value::string("SQL"),
        "client_net_address" => name(session.client_address),
        _ => Value::Null,
    }
}

/// Whether an object is of the kind that the second argument of OBJECT_ID names.
fn is_of_kind(object: &Object, kind: &str) -> bool {
    let kind = kind.trim().to_ascii_uppercase();
    object.code == kind || (kind == "K" && matches!(object.origin, Origin::Constraint(_)))
}
