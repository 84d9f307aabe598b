//! CREATE, ALTER and CREATE OR ALTER of views, procedures, functions and triggers.

use super::super::{Frame, Interpreter};
use super::Target;
use super::table::{Written, extend, type_of};
use crate::databases::{
    Body, ColumnInfo, ExecuteAs, ModuleInfo, ObjectInfo, ObjectKind, Objects, ParameterInfo,
    TableInfo, TriggerInfo, UserType,
};
use crate::host::Impersonated;
use crate::session::shared::option;
use crate::session::stored::Stored;
use std::sync::Arc;
use tsql::ast::{
    CreateFunction, CreateProcedure, CreateTrigger, CreateView, FunctionReturns, ModuleBody,
    ModuleOption, ModulePrincipal, ModuleVerb, ObjectName, Parameter, Span, TriggerTarget,
};
use tsql::bind::Binder;
use tsql::bind::ir::{self, Query};
use tsql::eval::collate;
use tsql::{Column, SqlError, fault, messages};

/// A module statement, apart from its kind.
struct Module<'m> {
    verb: ModuleVerb,
    name: &'m ObjectName,
    kind: ObjectKind,
    /// The table that a trigger watches.
    parent: i32,
}

/// Whether a query bounds its rows, itself or in a part of its UNION, so that a view of it may be ordered.
fn limited(query: &Query) -> bool {
    let own = query.limit.top.is_some() || query.limit.offset.is_some();
    own || match &query.body {
        ir::Body::Set { left, right, .. } => limited(left) || limited(right),
        ir::Body::Select(_) | ir::Body::Values(_) => false,
    }
}

impl Interpreter<'_> {
    pub(in super::super) fn create_procedure(
        &mut self,
        create: &CreateProcedure,
        span: Span,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        refuse_external(&create.body)?;
        if create.name.is_temporary() {
            return Err(fault::not_supported("a temporary procedure"));
        }
        let module = Module {
            verb: create.verb,
            name: &create.name,
            kind: ObjectKind::Procedure,
            parent: 0,
        };
        let mut info =
            self.module_info(&create.name, (create.verb, span), frame, &create.options)?;
        self.define_module(&module, |_, _, objects| {
            info.parameters = parameters(objects, &create.params)?;
            Ok(info)
        })
    }

    pub(in super::super) fn create_view(
        &mut self,
        create: &CreateView,
        span: Span,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        if create.check_option {
            return Err(fault::not_supported("WITH CHECK OPTION"));
        }
        let module = Module {
            verb: create.verb,
            name: &create.name,
            kind: ObjectKind::View,
            parent: 0,
        };
        let options: Vec<ModuleOption> = create
            .options
            .iter()
            .map(|name| ModuleOption::Other(name.clone()))
            .collect();
        let mut info = self.module_info(&create.name, (create.verb, span), frame, &options)?;
        self.define_module(&module, |this, target, objects| {
            // Names of a view are not deferred: it binds now or not at all.
            let shared = Arc::clone(&this.core.shared);
            let place = this.module_place(objects, &create.name);
            let place = (place.0.as_str(), place.1.as_str());
            let stored = Stored::new(&shared, &target.name, place, &[]);
            let bound =
                Binder::new(&stored).select(create.query.with.as_ref(), &create.query.query)?;
            let ordered = !bound.order.is_empty();
            if ordered && !limited(&bound) {
                return Err(messages::ORDER_BY_IN_SUBQUERY.with(&[]));
            }
            info.columns = columns_of(&bound.columns, &create.columns, &create.name)?;
            Ok(info)
        })
    }

    pub(in super::super) fn create_function(
        &mut self,
        create: &CreateFunction,
        span: Span,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        refuse_external(&create.body)?;
        let kind = match &create.returns {
            FunctionReturns::Scalar(_) => ObjectKind::ScalarFunction,
            FunctionReturns::InlineTable(_) => ObjectKind::InlineFunction,
            FunctionReturns::Table { .. } => ObjectKind::TableFunction,
        };
        let module = Module {
            verb: create.verb,
            name: &create.name,
            kind,
            parent: 0,
        };
        let text = Arc::clone(&frame.text);
        let mut info =
            self.module_info(&create.name, (create.verb, span), frame, &create.options)?;
        if kind == ObjectKind::InlineFunction && info.execute_as != ExecuteAs::Caller {
            return Err(SqlError::new(
                487,
                16,
                "An invalid option was specified for the statement \"CREATE/ALTER FUNCTION\".",
            ));
        }
        let quoted_identifier = info.quoted_identifier;
        self.define_module(&module, |this, target, objects| {
            info.parameters = parameters(objects, &create.params)?;
            match &create.returns {
                FunctionReturns::Scalar(ty) => info.returns = Some(type_of(objects, ty)?.0),
                FunctionReturns::InlineTable(query) => {
                    let shared = Arc::clone(&this.core.shared);
                    let place = this.module_place(objects, &create.name);
                    let place = (place.0.as_str(), place.1.as_str());
                    let stored = Stored::new(&shared, &target.name, place, &info.parameters);
                    let bound = Binder::new(&stored).select(query.with.as_ref(), &query.query)?;
                    info.columns = columns_of(&bound.columns, &[], &create.name)?;
                }
                FunctionReturns::Table { definition, .. } => {
                    let object = ObjectInfo {
                        id: 0,
                        schema: crate::databases::model::SCHEMA_DBO,
                        parent: 0,
                        name: create.name.name.text.clone(),
                        kind: ObjectKind::TableType,
                        created: 0,
                        modified: 0,
                        body: Body::Table(TableInfo::default()),
                    };
                    let mut table = TableInfo::default();
                    let written = Written {
                        definition,
                        text: &text,
                        quoted_identifier,
                    };
                    this.in_file(target, objects, |file| {
                        extend(file, &object, &mut table, written)
                    })?;
                    info.columns = table.columns;
                }
            }
            Ok(info)
        })
    }

    pub(in super::super) fn create_trigger(
        &mut self,
        create: &CreateTrigger,
        span: Span,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        refuse_external(&create.body)?;
        let TriggerTarget::Table(table) = &create.target else {
            return Err(fault::not_supported("a DDL or logon trigger"));
        };
        let target = self.target_of_name(table)?;
        let parent = {
            let objects = self.core.shared.permanent.objects(target.id)?;
            let found = objects.find(Self::schema_name(table), &table.name.text);
            match found {
                Some(found) if found.kind == ObjectKind::Table => found.id,
                Some(found) if found.kind == ObjectKind::View && create.instead_of => found.id,
                _ => {
                    let host = self.core.shared.host();
                    let schema = Self::schema_name(table);
                    return Err(
                        if host.table(&target.name, schema, &table.name.text).is_some() {
                            fault::not_supported(&format!("a trigger on {table}"))
                        } else {
                            messages::NO_TRIGGER_TARGET.with(&[&table.to_string()])
                        },
                    );
                }
            }
        };
        let module = Module {
            verb: create.verb,
            name: &create.name,
            kind: ObjectKind::Trigger,
            parent,
        };
        let mut info =
            self.module_info(&create.name, (create.verb, span), frame, &create.options)?;
        info.trigger = Some(TriggerInfo {
            instead_of: create.instead_of,
            events: create.events.clone(),
            disabled: false,
        });
        self.define_module(&module, |_, _, objects| {
            if create.instead_of {
                one_instead(objects, parent, create, table)?;
            }
            Ok(info)
        })
    }

    /// The parts of a module that do not depend on its kind.
    fn module_info(
        &self,
        name: &ObjectName,
        (verb, span): (ModuleVerb, Span),
        frame: &Frame,
        options: &[ModuleOption],
    ) -> Result<ModuleInfo, SqlError> {
        let facts = self.core.shared.facts();
        let mut info = ModuleInfo {
            definition: definition(&frame.text, verb, span),
            encrypted: false,
            quoted_identifier: facts.has(option::QUOTED_IDENTIFIER),
            ansi_nulls: facts.has(option::ANSI_NULLS),
            recompile: false,
            schema_bound: false,
            execute_as: ExecuteAs::Caller,
            parameters: Vec::new(),
            returns: None,
            columns: Vec::new(),
            trigger: None,
        };
        drop(facts);
        for option in options {
            match option {
                ModuleOption::ExecuteAs(principal) => {
                    let target = self.target_of_name(name)?;
                    info.execute_as = self.runs_as(&target, principal)?;
                }
                ModuleOption::Other(name) => match name.as_str() {
                    "RECOMPILE" => info.recompile = true,
                    "ENCRYPTION" => info.encrypted = true,
                    "SCHEMABINDING" => info.schema_bound = true,
                    "VIEW_METADATA" | "CALLED ON NULL INPUT" | "INLINE = ON" | "INLINE = OFF" => {}
                    other => return Err(fault::not_supported(&format!("WITH {other}"))),
                },
            }
        }
        Ok(info)
    }

    /// Whom a module runs as. Its caller is not asked, so whoever makes it is: 15517 for a user it may not act as.
    fn runs_as(&self, target: &Target, principal: &ModulePrincipal) -> Result<ExecuteAs, SqlError> {
        let host = self.core.shared.host();
        Ok(match principal {
            ModulePrincipal::Caller => ExecuteAs::Caller,
            ModulePrincipal::Owner => ExecuteAs::Owner,
            ModulePrincipal::Myself => ExecuteAs::User(host.user_name(&target.name)),
            ModulePrincipal::User(user) => {
                host.impersonate(&target.name, Impersonated::User(user))?;
                let known = host.principal_named(&target.name, user);
                ExecuteAs::User(known.unwrap_or_else(|| user.clone()))
            }
        })
    }

    /// Schema and owner of a module that is being made.
    fn module_place(&self, objects: &Objects, name: &ObjectName) -> (String, String) {
        let schema = Self::schema_name(name);
        (schema.to_owned(), objects.schema_owner(schema).to_owned())
    }

    /// Who may make or change a module.
    fn may_define_module(&self, target: &Target, module: &Module<'_>) -> Result<(), SqlError> {
        let (schema, name) = (Self::schema_name(module.name), &module.name.name.text);
        let objects = self.core.shared.permanent.objects(target.id)?;
        if module.kind == ObjectKind::Trigger {
            let watched = objects.object(module.parent);
            let may = watched.is_some_and(|table| {
                self.may_alter(target, objects.schema_name(table.schema), &table.name)
            });
            return if may {
                Ok(())
            } else {
                let shown = watched.map_or("", |table| &table.name);
                Err(messages::CANNOT_FIND_OBJECT.with(&[shown]))
            };
        }
        if objects.find(schema, name).is_some() && module.verb != ModuleVerb::Create {
            return if self.may_alter(target, schema, name) {
                Ok(())
            } else {
                Err(fault::invalid_object(&module.name.to_string()))
            };
        }
        if module.verb == ModuleVerb::Alter {
            return Err(fault::invalid_object(&module.name.to_string()));
        }
        let permission = match module.kind {
            ObjectKind::View => "CREATE VIEW",
            ObjectKind::Procedure => "CREATE PROCEDURE",
            _ => "CREATE FUNCTION",
        };
        self.may_create(target, permission, schema)
    }

    /// Writes a module, new or in the place of the old one.
    fn define_module(
        &mut self,
        module: &Module<'_>,
        make: impl FnOnce(&mut Self, &Target, &Objects) -> Result<ModuleInfo, SqlError>,
    ) -> Result<(), SqlError> {
        let target = self.target_of_name(module.name)?;
        self.may_define_module(&target, module)?;
        let moment = self.moment();
        let name = &module.name.name.text;
        self.define_objects(&target, |this, objects| {
            let schema = Self::schema_name(module.name);
            let old = objects.find(schema, name).cloned();
            let object = match (old, module.verb) {
                (Some(old), ModuleVerb::Alter | ModuleVerb::CreateOrAlter) => {
                    if old.kind != module.kind {
                        return Err(messages::WRONG_ALTER.with(&[&module.name.to_string()]));
                    }
                    let body = make(this, &target, objects)?;
                    ObjectInfo {
                        modified: moment,
                        parent: module.parent,
                        body: Body::Module(Box::new(body)),
                        ..(*old).clone()
                    }
                }
                (None, ModuleVerb::Alter) => {
                    return Err(fault::invalid_object(&module.name.to_string()));
                }
                (_, ModuleVerb::Create | ModuleVerb::CreateOrAlter) => {
                    let schema = this.free_in_schema(&target, objects, module.name)?;
                    let body = make(this, &target, objects)?;
                    let id = this.in_file(&target, objects, |file| file.next_object())?;
                    ObjectInfo {
                        id,
                        schema,
                        parent: module.parent,
                        name: name.clone(),
                        kind: module.kind,
                        created: moment,
                        modified: moment,
                        body: Body::Module(Box::new(body)),
                    }
                }
            };
            this.in_file(&target, objects, |file| {
                file.put(&object)?;
                // What writes a table has to know that it is watched.
                match objects.object(module.parent) {
                    Some(table) => file.put(table),
                    None => Ok(()),
                }
            })
        })
    }

    /// `ENABLE | DISABLE TRIGGER name, … | ALL ON table`
    pub(in super::super) fn toggle_trigger(
        &mut self,
        enable: bool,
        names: &[ObjectName],
        table: &ObjectName,
    ) -> Result<(), SqlError> {
        let target = self.target_of_name(table)?;
        if !self.may_alter(&target, Self::schema_name(table), &table.name.text) {
            return Err(messages::CANNOT_FIND_OBJECT.with(&[&table.to_string()]));
        }
        let names: Vec<tsql::ast::Ident> = names.iter().map(|name| name.name.clone()).collect();
        self.define_objects(&target, |this, objects| {
            let found = objects.find(Self::schema_name(table), &table.name.text);
            let watched = |found: &&Arc<ObjectInfo>| {
                matches!(found.kind, ObjectKind::Table | ObjectKind::View)
            };
            let Some(found) = found.filter(watched).cloned() else {
                return Err(messages::NO_TRIGGER_TARGET.with(&[&table.to_string()]));
            };
            this.toggle_triggers(&target, objects, &found, enable, &names)?;
            // What writes the table has to know who watches it.
            this.in_file(&target, objects, |file| file.put(&found))
        })
    }

    /// `ENABLE | DISABLE TRIGGER`, of a table's triggers by name or of all.
    pub(super) fn toggle_triggers(
        &mut self,
        target: &Target,
        objects: &Objects,
        table: &ObjectInfo,
        enable: bool,
        names: &[tsql::ast::Ident],
    ) -> Result<(), SqlError> {
        let all = objects.triggers_of(table.id);
        for name in names {
            if !all
                .iter()
                .any(|trigger| collate::same(&trigger.name, &name.text))
            {
                return Err(messages::OBJECT_NOT_FOUND.with(&[&name.text]));
            }
        }
        for trigger in all {
            let named = names
                .iter()
                .any(|name| collate::same(&trigger.name, &name.text));
            let Some(mut info) = trigger.module().cloned() else {
                continue;
            };
            if let Some(watched) = info.trigger.as_mut()
                && (names.is_empty() || named)
            {
                watched.disabled = !enable;
                let changed = ObjectInfo {
                    body: Body::Module(Box::new(info)),
                    ..(**trigger).clone()
                };
                self.in_file(target, objects, |file| file.put(&changed))?;
            }
        }
        Ok(())
    }
}

/// 2111 when another INSTEAD OF trigger takes one of the events, 2113 when a cascade would change the rows behind it.
fn one_instead(
    objects: &Objects,
    parent: i32,
    create: &CreateTrigger,
    table: &ObjectName,
) -> Result<(), SqlError> {
    let (name, table) = (create.name.to_string(), table.to_string());
    for trigger in objects.triggers_of(parent) {
        let watched = trigger.module().and_then(|module| module.trigger.as_ref());
        let Some(watched) = watched.filter(|watched| watched.instead_of) else {
            continue;
        };
        if collate::same(&trigger.name, &create.name.name.text) {
            continue;
        }
        if let Some(event) = create
            .events
            .iter()
            .find(|event| watched.events.contains(event))
        {
            return Err(messages::SECOND_INSTEAD_OF.with(&[&name, "table", &table, event]));
        }
    }
    let keys = objects.object(parent).and_then(|object| object.table());
    for key in keys.iter().flat_map(|table| &table.foreign_keys) {
        for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
            if action != 0 && create.events.iter().any(|known| known == event) {
                return Err(messages::INSTEAD_OF_CASCADE.with(&[event, &name, &table, event]));
            }
        }
    }
    Ok(())
}

fn refuse_external(body: &ModuleBody) -> Result<(), SqlError> {
    match body {
        ModuleBody::Statements(_) => Ok(()),
        ModuleBody::External => Err(fault::not_supported("EXTERNAL NAME")),
    }
}

/// The text to keep of a module: the whole batch, beginning its statement with CREATE.
fn definition(text: &str, verb: ModuleVerb, span: Span) -> String {
    let start = usize::try_from(span.start).unwrap_or(0);
    let skipped = match verb {
        ModuleVerb::Create => return text.to_owned(),
        ModuleVerb::Alter | ModuleVerb::CreateOrAlter => {
            let lower = text.get(start..).unwrap_or_default().to_ascii_lowercase();
            lower.find("alter").map(|at| start + at + "alter".len())
        }
    };
    match (text.get(..start), skipped.and_then(|end| text.get(end..))) {
        (Some(before), Some(after)) => format!("{before}CREATE{after}"),
        _ => text.to_owned(),
    }
}

/// Parameters of a module as its definition shows them.
fn parameters(objects: &Objects, params: &[Parameter]) -> Result<Vec<ParameterInfo>, SqlError> {
    params
        .iter()
        .map(|param| {
            if param.varying {
                return Err(fault::not_supported("a cursor parameter"));
            }
            let table = table_type(objects, param);
            let (ty, user_type) = match table {
                Some(id) => {
                    if !param.readonly {
                        return Err(messages::TABLE_NOT_READONLY.with(&[&param.name.name]));
                    }
                    (tsql::SqlType::Int, Some(id))
                }
                None => {
                    let (ty, user_type, _) = type_of(objects, &param.ty)?;
                    (ty, user_type)
                }
            };
            Ok(ParameterInfo {
                name: param.name.name.clone(),
                ty,
                user_type,
                output: param.output,
                readonly: param.readonly,
                has_default: param.default.is_some(),
            })
        })
        .collect()
}

/// Number of the table type that a parameter is of.
fn table_type(objects: &Objects, param: &Parameter) -> Option<i32> {
    let name = &param.ty.name;
    let schema = name.schema.as_ref().map_or("dbo", |part| &part.text);
    let found = objects.type_named(schema, &name.name.text)?;
    matches!(found.kind, UserType::Table { .. }).then_some(found.id)
}

/// Columns of a view or inline function.
fn columns_of(
    columns: &[Column],
    names: &[tsql::ast::Ident],
    of: &ObjectName,
) -> Result<Vec<ColumnInfo>, SqlError> {
    let shown = &of.name.text;
    match names.len().cmp(&columns.len()) {
        _ if names.is_empty() => {}
        std::cmp::Ordering::Less => return Err(messages::MORE_COLUMN_NAMES.with(&[shown])),
        std::cmp::Ordering::Greater => return Err(messages::FEWER_COLUMN_NAMES.with(&[shown])),
        std::cmp::Ordering::Equal => {}
    }
    let mut out: Vec<ColumnInfo> = Vec::with_capacity(columns.len());
    for (id, column) in (1..).zip(columns) {
        let name = names.get(out.len()).map_or(&column.name, |name| &name.text);
        if name.is_empty() {
            return Err(SqlError::new(
                4511,
                16,
                format!(
                    "Create View or Function failed because no column name was specified for column {id}."
                ),
            ));
        }
        if out.iter().any(|other| collate::same(&other.name, name)) {
            return Err(SqlError::new(
                4506,
                16,
                format!(
                    "Column names in each view or function must be unique. Column name '{name}' in view or function '{shown}' is specified more than once."
                ),
            ));
        }
        out.push(ColumnInfo::plain(id, name, column.ty, column.nullable));
    }
    Ok(out)
}
