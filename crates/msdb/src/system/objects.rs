//! Objects and schemas of a database: what there is, and how `sys.objects` and its kin number and name it.

use super::view::{Fill, Filled, View};
use super::{created, int, sheet, text, views};
use crate::convert::datetime;
use crate::declare::{self, Database, procedures};
use crate::error::Result;
use crate::tables::{Declared, Scanner, tables};
use engine::databases::{
    ColumnInfo, ComputedInfo, DefaultInfo, ModuleInfo, ObjectInfo, ObjectKind, TableInfo,
};
use engine::host::{TemporaryTable, stable_object_id};
use std::sync::Arc;
use tsql::{SqlType, Value};

/// Schemas that every database has: number and name.
pub(crate) const SCHEMAS: [(i32, &str); 4] = [
    (1, "dbo"),
    (2, "guest"),
    (3, "INFORMATION_SCHEMA"),
    (4, "sys"),
];

/// Which objects of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of the database itself, Muster's own tables and procedures of msdb among them.
    Own,
    /// Those of `sys` and `INFORMATION_SCHEMA`.
    System,
    /// Both.
    All,
}

/// What an object is.
#[derive(Clone)]
pub(crate) enum Origin {
    /// A table or view of msdb.
    Declared(&'static Declared),
    /// A procedure of msdb or of every database.
    Procedure(&'static declare::Declared),
    /// A view of `sys` or `INFORMATION_SCHEMA`.
    View(&'static View),
    /// A function of `sys`.
    Function(&'static sheet::Entry),
    /// What a user made.
    Made(Arc<ObjectInfo>),
    /// A constraint of a table that a user made.
    Constraint(Arc<ObjectInfo>),
    /// A temporary table of the session.
    Temporary(TemporaryTable),
}

/// An object.
#[derive(Clone)]
pub(crate) struct Object {
    /// Its number.
    pub(crate) id: i32,
    /// Its name.
    pub(crate) name: String,
    /// Number of its schema.
    pub(crate) schema_id: i32,
    /// Name of its schema.
    pub(crate) schema: String,
    /// Number of the table it belongs to; 0 for most.
    pub(crate) parent: i32,
    /// `type`, without blanks.
    pub(crate) code: &'static str,
    /// `type_desc`
    pub(crate) description: &'static str,
    /// When it was made.
    pub(crate) created: Value,
    /// When it was changed.
    pub(crate) modified: Value,
    /// Whether it comes with Muster.
    pub(crate) shipped: bool,
    /// What it is.
    pub(crate) origin: Origin,
}

/// A column of an object.
#[derive(Debug, Clone)]
pub(crate) struct ObjectColumn {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) ty: SqlType,
    pub(crate) user_type: Option<i32>,
    pub(crate) nullable: bool,
    /// What more is known of a column of a table that a user made.
    pub(crate) made: Option<ColumnInfo>,
}

impl ObjectColumn {
    fn of(info: &ColumnInfo) -> Self {
        Self {
            id: info.id,
            name: info.name.clone(),
            ty: info.ty,
            user_type: info.user_type,
            nullable: info.nullable,
            made: Some(info.clone()),
        }
    }

    /// Whether its values are counted up.
    pub(crate) fn identity(&self) -> Option<(i64, i64)> {
        self.made.as_ref().and_then(|info| info.identity)
    }

    /// Its default.
    pub(crate) fn default(&self) -> Option<&DefaultInfo> {
        self.made.as_ref().and_then(|info| info.default.as_ref())
    }

    /// What it is computed by.
    pub(crate) fn computed(&self) -> Option<&ComputedInfo> {
        self.made.as_ref().and_then(|info| info.computed.as_ref())
    }
}

/// A parameter of an object; number 0 is what a scalar function returns.
#[derive(Debug, Clone)]
pub(crate) struct ObjectParameter {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) ty: SqlType,
    pub(crate) user_type: Option<i32>,
    pub(crate) output: bool,
    pub(crate) readonly: bool,
}

impl Object {
    /// Whether it is a table.
    pub(crate) fn is_table(&self) -> bool {
        self.code == "U"
    }

    /// Whether it is a view.
    pub(crate) fn is_view(&self) -> bool {
        self.code == "V"
    }

    /// Whether it can be called: a procedure or function.
    pub(crate) fn is_routine(&self) -> bool {
        matches!(self.code, "P" | "X" | "FN" | "IF" | "TF")
    }

    /// Its columns in order.
    pub(crate) fn columns(&self) -> Vec<ObjectColumn> {
        let plain = |columns: &[tsql::Column]| {
            columns
                .iter()
                .zip(1..)
                .map(|(column, id)| ObjectColumn {
                    id,
                    name: column.name.clone(),
                    ty: column.ty,
                    user_type: None,
                    nullable: column.nullable,
                    made: None,
                })
                .collect()
        };
        match &self.origin {
            Origin::Declared(declared) => plain(&declared.decl.columns),
            Origin::View(view) => plain(&view.decl.columns),
            Origin::Function(entry) => plain(&entry.engine_columns()),
            Origin::Made(object) => object.columns().iter().map(ObjectColumn::of).collect(),
            Origin::Temporary(table) => plain(&table.columns),
            Origin::Procedure(_) | Origin::Constraint(_) => Vec::new(),
        }
    }

    /// Its parameters in order.
    pub(crate) fn parameters(&self) -> Vec<ObjectParameter> {
        match &self.origin {
            Origin::Procedure(declared) => declared
                .decl
                .params
                .iter()
                .zip(1..)
                .map(|(param, id)| ObjectParameter {
                    id,
                    name: param.name.to_owned(),
                    ty: param.ty,
                    user_type: None,
                    output: param.output,
                    readonly: false,
                })
                .collect(),
            Origin::Function(entry) => entry
                .params
                .iter()
                .flatten()
                .zip(1..)
                .map(|((name, ty), id)| ObjectParameter {
                    id,
                    name: (*name).to_owned(),
                    ty: *ty,
                    user_type: None,
                    output: false,
                    readonly: false,
                })
                .collect(),
            Origin::Made(object) => object.module().map(made_parameters).unwrap_or_default(),
            Origin::Declared(_)
            | Origin::View(_)
            | Origin::Constraint(_)
            | Origin::Temporary(_) => Vec::new(),
        }
    }

    /// The table that a user made.
    pub(crate) fn table(&self) -> Option<&TableInfo> {
        match &self.origin {
            Origin::Made(object) => object.table(),
            Origin::Declared(_)
            | Origin::Procedure(_)
            | Origin::View(_)
            | Origin::Function(_)
            | Origin::Constraint(_)
            | Origin::Temporary(_) => None,
        }
    }

    /// The module that a user made.
    pub(crate) fn module(&self) -> Option<&ModuleInfo> {
        match &self.origin {
            Origin::Made(object) => object.module(),
            Origin::Declared(_)
            | Origin::Procedure(_)
            | Origin::View(_)
            | Origin::Function(_)
            | Origin::Constraint(_)
            | Origin::Temporary(_) => None,
        }
    }

    /// Text of the module that a user wrote; `None` for others and for encrypted ones.
    pub(crate) fn definition(&self) -> Option<&str> {
        let module = self.module().filter(|module| !module.encrypted)?;
        Some(&module.definition)
    }

    /// What the views on objects share.
    pub(super) fn row(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("name", text(&self.name)),
            ("object_id", int(self.id)),
            ("schema_id", int(self.schema_id)),
            ("parent_object_id", int(self.parent)),
            ("type", text(self.code)),
            ("type_desc", text(self.description)),
            ("create_date", self.created.clone()),
            ("modify_date", self.modified.clone()),
            ("is_ms_shipped", Value::Bit(self.shipped)),
        ]
    }
}

/// The objects of the statement's database that the caller may see, the sought one alone where one is sought.
///
/// # Errors
/// What the catalog raises.
pub(crate) fn objects(
    scan: &Scanner<'_>,
    scope: Scope,
    sought: Option<i64>,
) -> Result<Vec<Object>> {
    let made = created(scan)?;
    let mut found = Vec::new();
    if scope != Scope::System {
        made_objects(scan, sought, &mut found)?;
        if scan.database.eq_ignore_ascii_case("tempdb") {
            temporary(scan, sought, &mut found);
        }
    }
    let mut offer = |name: &str, schema: &str, (code, description), origin| {
        let id = stable_object_id(scan.database, schema, name);
        if sought.is_some_and(|sought| sought != i64::from(id)) {
            return;
        }
        let (schema_id, schema) = SCHEMAS
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(schema))
            .map_or((1, "dbo"), |(id, name)| (*id, *name));
        found.push(Object {
            id,
            name: name.to_owned(),
            schema_id,
            schema: schema.to_owned(),
            parent: 0,
            code,
            description,
            created: made.clone(),
            modified: made.clone(),
            shipped: true,
            origin,
        });
    };
    if scope != Scope::System && scan.database.eq_ignore_ascii_case("msdb") {
        for declared in tables().values() {
            let kind = if declared.table.name.ends_with("_view") {
                VIEW
            } else {
                ("U", "USER_TABLE")
            };
            offer(declared.table.name, "dbo", kind, Origin::Declared(declared));
        }
        for declared in procedures().values() {
            if declared.procedure.database == Database::Msdb {
                let origin = Origin::Procedure(declared);
                offer(declared.procedure.name, "dbo", PROCEDURE, origin);
            }
        }
    }
    if scope != Scope::Own {
        for view in views().values() {
            offer(view.decl.name, view.decl.schema, VIEW, Origin::View(view));
        }
        for entry in sheet::entries() {
            if entry.params.is_some() {
                let kind = ("IF", "SQL_INLINE_TABLE_VALUED_FUNCTION");
                offer(entry.name, entry.schema, kind, Origin::Function(entry));
            }
        }
        for declared in procedures().values() {
            if declared.procedure.database == Database::Master {
                let kind = if declared.procedure.name.starts_with("xp_") {
                    ("X", "EXTENDED_STORED_PROCEDURE")
                } else {
                    PROCEDURE
                };
                let origin = Origin::Procedure(declared);
                offer(declared.procedure.name, "sys", kind, origin);
            }
        }
    }
    let mut visible = Vec::with_capacity(found.len());
    for object in found {
        if sees(scan, &object)? {
            visible.push(object);
        }
    }
    Ok(visible)
}

const VIEW: (&str, &str) = ("V", "VIEW");
const PROCEDURE: (&str, &str) = ("P", "SQL_STORED_PROCEDURE");

/// Whether the caller has a permission on an object: nobody else is told of it.
fn sees(scan: &Scanner<'_>, object: &Object) -> Result<bool> {
    if scan.caller.sysadmin {
        return Ok(true);
    }
    match &object.origin {
        Origin::View(_) | Origin::Function(_) | Origin::Temporary(_) => Ok(true),
        Origin::Declared(declared) => scan.may_select(declared.table),
        Origin::Procedure(declared) => scan
            .caller
            .may_execute(scan.definitions, declared.procedure),
        Origin::Made(made) | Origin::Constraint(made) => scan.sees_made(&object.schema, &made.name),
    }
}

/// What users made in the statement's database, with the constraints of their tables.
fn made_objects(scan: &Scanner<'_>, sought: Option<i64>, found: &mut Vec<Object>) -> Result<()> {
    let Some(made) = scan.made else {
        return Ok(());
    };
    let all = made.objects(scan.database)?;
    let instant = |micros: i64| match jiff::Timestamp::from_microsecond(micros) {
        Ok(instant) => datetime(instant, &scan.zone),
        Err(_) => Value::Null,
    };
    let wanted = |id: i32| sought.is_none_or(|sought| sought == i64::from(id));
    let object =
        |info: &Arc<ObjectInfo>, id, name: &str, parent, kind: ObjectKind, origin| Object {
            id,
            name: name.to_owned(),
            schema_id: info.schema,
            schema: all.schema_name(info.schema).to_owned(),
            parent,
            code: kind.code().trim_end(),
            description: kind.description(),
            created: instant(info.created),
            modified: instant(info.modified),
            shipped: false,
            origin,
        };
    for info in all.objects().filter(|info| wanted(info.id)) {
        let origin = Origin::Made(Arc::clone(info));
        found.push(object(
            info,
            info.id,
            &info.name,
            info.parent,
            info.kind,
            origin,
        ));
    }
    for constraint in all.constraints().filter(|found| wanted(found.id)) {
        if let Some(table) = all.object(constraint.table.id) {
            let origin = Origin::Constraint(Arc::clone(table));
            let (id, name, kind) = (constraint.id, constraint.name, constraint.kind);
            found.push(object(table, id, name, table.id, kind, origin));
        }
    }
    Ok(())
}

/// The session's temporary tables, under names as wide as tempdb gives them.
fn temporary(scan: &Scanner<'_>, sought: Option<i64>, found: &mut Vec<Object>) {
    const NAME_WIDTH: usize = 116;
    let now = datetime(scan.now, &scan.zone);
    for table in scan.temporary {
        if sought.is_some_and(|sought| sought != i64::from(table.id)) {
            continue;
        }
        let name = if table.name.starts_with("##") {
            table.name.clone()
        } else {
            let number = table.id.unsigned_abs();
            format!("{:_<NAME_WIDTH$}{number:012X}", table.name)
        };
        found.push(Object {
            id: table.id,
            name,
            schema_id: 1,
            schema: "dbo".to_owned(),
            parent: 0,
            code: "U",
            description: "USER_TABLE",
            created: now.clone(),
            modified: now.clone(),
            shipped: false,
            origin: Origin::Temporary(table.clone()),
        });
    }
}

fn made_parameters(module: &ModuleInfo) -> Vec<ObjectParameter> {
    let value = module.returns.map(|ty| ObjectParameter {
        id: 0,
        name: String::new(),
        ty,
        user_type: None,
        output: true,
        readonly: false,
    });
    let parameters = module.parameters.iter().zip(1..);
    let parameters = parameters.map(|(parameter, id)| ObjectParameter {
        id,
        name: parameter.name.clone(),
        ty: parameter.ty,
        user_type: parameter.user_type,
        output: parameter.output,
        readonly: parameter.readonly,
    });
    value.into_iter().chain(parameters).collect()
}

/// Schema and name of every object that comes with Muster, as a database shows them.
pub(crate) fn shipped_objects(
    database: &str,
) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
    let msdb = database.eq_ignore_ascii_case("msdb");
    let tables = tables().values().filter(move |_| msdb);
    let tables = tables.map(|declared| (declared.table.schema, declared.table.name));
    let views = views()
        .values()
        .map(|view| (view.decl.schema, view.decl.name));
    let functions = sheet::entries()
        .iter()
        .filter(|entry| entry.params.is_some());
    let functions = functions.map(|entry| (entry.schema, entry.name));
    let procedures = procedures().values().map(|declared| {
        let (database, schema) = declared.procedure.database.place();
        (database, schema, declared.procedure.name)
    });
    let procedures = procedures.filter(move |(database, ..)| *database != "msdb" || msdb);
    let procedures = procedures.map(|(_, schema, name)| (schema, name));
    tables.chain(procedures).chain(views).chain(functions)
}

/// The views.
pub(super) const VIEWS: &[Filled] = &[
    Filled::sys("schemas", schemas).seek(&["schema_id"]),
    Filled::sys("objects", own_objects).seek(ID),
    Filled::sys("all_objects", all_objects).seek(ID),
    Filled::sys("system_objects", system_objects).seek(ID),
    Filled::sys("tables", only_tables).seek(ID),
    Filled::sys("views", own_views).seek(ID),
    Filled::sys("all_views", all_views).seek(ID),
    Filled::sys("system_views", system_views).seek(ID),
    Filled::sys("procedures", only_procedures).seek(ID),
];

/// The column that all views on objects seek on.
pub(super) const ID: &[&str] = &["object_id"];

/// Number, name and owner of each schema of the statement's database.
///
/// # Errors
/// When the database's file cannot be read.
pub(crate) fn all_schemas(scan: &Scanner<'_>) -> Result<Vec<(i32, String, i64)>> {
    let standing = SCHEMAS
        .iter()
        .map(|(id, name)| (*id, (*name).to_owned(), i64::from(*id)));
    let roles = super::principals::fixed_roles(scan.database).filter(|role| *role != "public");
    let roles = roles.map(|role| {
        let id = super::role_id(role);
        (id, role.to_owned(), i64::from(id))
    });
    let mut schemas: Vec<_> = standing.chain(roles).collect();
    if let Some(made) = scan.made {
        let users = super::principals::users(scan)?;
        let roles = super::principals::roles(scan)?;
        for schema in made.objects(scan.database)?.schemas() {
            if schema.id != 1 {
                let owner = super::principals::principal_id(&users, &roles, &schema.owner);
                schemas.push((schema.id, schema.name.clone(), owner));
            }
        }
    }
    Ok(schemas)
}

fn schemas(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for (id, name, owner) in all_schemas(scan)? {
        out.add([
            ("name", text(&name)),
            ("schema_id", int(id)),
            ("principal_id", int(owner)),
        ]);
    }
    Ok(())
}

/// The objects of a scope under the key that the scan seeks.
pub(super) fn sought(scan: &Scanner<'_>, scope: Scope) -> Result<Vec<Object>> {
    objects(scan, scope, scan.number("object_id"))
}

fn add(out: &mut Fill<'_>, objects: Vec<Object>, wanted: fn(&Object) -> bool) {
    for object in objects.iter().filter(|object| wanted(object)) {
        out.add(object.row());
    }
}

fn own_objects(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    add(out, sought(scan, Scope::Own)?, |_| true);
    Ok(())
}

fn all_objects(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    add(out, sought(scan, Scope::All)?, |_| true);
    Ok(())
}

fn system_objects(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    add(out, sought(scan, Scope::System)?, |_| true);
    Ok(())
}

fn own_views(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    add(out, sought(scan, Scope::Own)?, Object::is_view);
    Ok(())
}

fn all_views(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    add(out, sought(scan, Scope::All)?, Object::is_view);
    Ok(())
}

fn system_views(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    add(out, sought(scan, Scope::System)?, Object::is_view);
    Ok(())
}

fn only_procedures(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    add(out, sought(scan, Scope::Own)?, |object| {
        matches!(object.code, "P" | "X")
    });
    Ok(())
}

fn only_tables(scan: &Scanner<'_>, out: &mut Fill<'_>) -> Result<()> {
    for object in sought(scan, Scope::Own)? {
        if object.is_table() {
            let columns = object.columns();
            let mut row = object.row();
            row.extend([
                (
                    "max_column_id_used",
                    int(columns.iter().map(|column| column.id).max().unwrap_or(0)),
                ),
                ("uses_ansi_nulls", Value::Bit(true)),
                ("text_in_row_limit", int(0)),
                ("lock_escalation", int(0)),
                ("lock_escalation_desc", text("TABLE")),
                ("durability", int(0)),
                ("durability_desc", text("SCHEMA_AND_DATA")),
                ("temporal_type", int(0)),
                ("temporal_type_desc", text("NON_TEMPORAL_TABLE")),
                ("ledger_type", int(0)),
                ("ledger_type_desc", text("NON_LEDGER_TABLE")),
            ]);
            out.add(row);
        }
    }
    Ok(())
}
