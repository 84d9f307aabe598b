//! Running modules that users made: procedures, and the bodies of functions and triggers.

use super::arguments::{self, Given, Parameter, TableArgument, TableType};
use super::execute::{Named, Returned};
use super::{End, Failure, Frame, Halt, Interpreter};
use crate::databases::{ObjectKind, Objects, ParameterInfo, UserType};
use crate::rpc::RpcTable;
use crate::session::permanent::{Found, table_from};
use crate::session::shared::{Object, option};
use crate::session::stored::Parsed;
use std::sync::Arc;
use tsql::ast::{Expr, ExprKind, ModuleBody, Statement, StatementKind};
use tsql::bind::resolve_type;
use tsql::eval::collate;
use tsql::{SqlError, fault, messages};

impl Interpreter<'_> {
    /// The user's procedure of a name: in its own database, and for `sp_` names in master too.
    pub(super) fn find_module(&self, named: &Named) -> Result<Option<Found>, SqlError> {
        let shared = &self.core.shared;
        let here = named.database.as_deref().unwrap_or(&self.core.database);
        if let Some(database) = &named.database {
            let known = shared.reachable(database);
            if let Err(error) = known
                && error.number == messages::NO_DATABASE_ACCESS.number
            {
                return Err(error);
            }
        }
        let schemas = match &named.schema {
            Some(schema) => vec![schema.clone()],
            None => vec![shared.facts().schema.clone(), "dbo".to_owned()],
        };
        let mut found = None;
        for schema in &schemas {
            if found.is_none() {
                found = shared.permanent.find(here, schema, &named.name)?;
            }
        }
        if found.is_none() && named.name.to_ascii_lowercase().starts_with("sp_") {
            let schema = named.schema.as_deref().unwrap_or("dbo");
            found = shared.permanent.find("master", schema, &named.name)?;
        }
        if let Some(synonym) = &found
            && let crate::databases::Body::Synonym(target) = &synonym.object.body
        {
            let target = Named::parse(target);
            let database = target.database.as_deref();
            let database = database.unwrap_or(&synonym.database_name);
            let schema = target.schema.as_deref().unwrap_or("dbo");
            found = shared.permanent.find(database, schema, &target.name)?;
        }
        Ok(found)
    }

    /// Calls a procedure that a user made.
    pub(super) fn call_module(
        &mut self,
        found: &Found,
        named: &Named,
        given: &[Given],
    ) -> Result<(End, Returned), Failure> {
        let name = found.object.name.clone();
        if found.object.kind != ObjectKind::Procedure {
            return Err(Failure::of_statement(SqlError::new(
                2809,
                16,
                format!(
                    "The request for procedure '{name}' failed because '{name}' is a {} object.",
                    super::objects::kind_word(found.object.kind)
                ),
            )));
        }
        self.core
            .shared
            .may_use(found, "EXECUTE")
            .map_err(Failure::of_statement)?;
        let parsed = self
            .core
            .shared
            .parsed
            .get(found)
            .map_err(Failure::of_statement)?;
        let StatementKind::CreateProcedure(create) = &parsed.statement else {
            return Err(fault::internal("a procedure is none").into());
        };
        let module = found
            .object
            .module()
            .ok_or_else(|| fault::internal("a procedure is none"))?;
        let mut parameters = Vec::with_capacity(module.parameters.len());
        for (info, param) in module.parameters.iter().zip(&create.params) {
            if let Some(ty) = self.type_of_parameter(found, info) {
                parameters.push(Parameter {
                    table: Some(ty),
                    ..Parameter::value(&info.name, info.ty, None, false)
                });
                continue;
            }
            let default = match &param.default {
                Some(expr) => Some(super::default_value(expr, info.ty)?),
                None => None,
            };
            parameters.push(Parameter::value(&info.name, info.ty, default, info.output));
        }
        let bound = arguments::bind(&name, &parameters, given)
            .map_err(|error| Failure::of_statement(error.in_procedure(&name)))?;
        let mut frame = Frame {
            procedure: name,
            ..Frame::default()
        };
        let mut outputs = Vec::new();
        for (parameter, bound) in parameters.iter().zip(bound) {
            if let Some(ty) = &parameter.table {
                let argument = bound.from.and_then(|at| given.get(at)?.table.as_ref());
                self.table_parameter(&parameter.name, ty, argument, &mut frame)
                    .map_err(|error| Failure::of_statement(error.in_procedure(&frame.procedure)))?;
                continue;
            }
            let slot = frame.declare(&parameter.name, parameter.ty, bound.value);
            if let Some(at) = bound.from
                && given.get(at).is_some_and(|argument| argument.output)
            {
                outputs.push((at, slot));
            }
        }
        // A procedure of master that was not named there acts where it is called.
        let database = if named.database.is_none() && found.database_name != self.core.database {
            self.core.database.clone()
        } else {
            found.database_name.clone()
        };
        let ModuleBody::Statements(body) = &create.body else {
            return Err(fault::not_supported("EXTERNAL NAME").into());
        };
        let transactions = self.core.shared.facts().tran_count;
        let end = self.run_module(found, &parsed, body, &mut frame, &database)?;
        if matches!(end, End::Abort) {
            return Ok((End::Abort, Returned::default()));
        }
        let now = self.core.shared.facts().tran_count;
        if now != transactions {
            let error = messages::TRANSACTION_COUNT
                .with(&[&transactions.to_string(), &now.to_string()])
                .in_procedure(&frame.procedure);
            self.report(error);
        }
        let outputs = outputs
            .into_iter()
            .map(|(at, slot)| {
                let ty = frame.scope.locals[slot].ty;
                (at, frame.values[slot].clone(), ty)
            })
            .collect();
        let code = frame.return_code;
        self.sink.procedure_done(code)?;
        Ok((End::Next, Returned { code, outputs }))
    }

    /// Runs a module's statements in a scope of their own.
    pub(super) fn run_module(
        &mut self,
        found: &Found,
        parsed: &Parsed,
        body: &[Statement],
        frame: &mut Frame,
        database: &str,
    ) -> Result<End, Failure> {
        self.deeper()?;
        let level = self.core.shared.facts().nest_level;
        frame.inner = true;
        frame.text = Arc::clone(&parsed.text);
        let before = self.core.shared.facts().clone();
        let here = self.core.database.clone();
        {
            let mut facts = self.core.shared.facts();
            facts.proc_id = found.object.id;
            if let Some(module) = found.object.module() {
                for (bit, on) in [
                    (option::QUOTED_IDENTIFIER, module.quoted_identifier),
                    (option::ANSI_NULLS, module.ansi_nulls),
                ] {
                    facts.options = if on {
                        facts.options | bit
                    } else {
                        facts.options & !bit
                    };
                }
            }
        }
        if !collate::same(&here, database) {
            self.core.enter_database(database);
        }
        let shared = Arc::clone(&self.core.shared);
        let acting = self.module_identity(found);
        let result = match acting {
            Ok(acting) => {
                if let Some(acting) = acting {
                    frame.caller = Some(shared.host().identity());
                    shared.assume(acting);
                }
                // Names inside are looked for where the module itself is.
                found.schema().clone_into(&mut shared.facts().schema);
                let _chain = shared.chained(&found.database_name, found.owner());
                self.run(body, frame)
            }
            Err(error) => Err(Halt::Raise(error.into())),
        };
        self.leave_contexts(level);
        if let Some(caller) = frame.caller.take() {
            shared.assume(caller);
        }
        self.drop_temps(level);
        self.drop_cursors(level);
        {
            let mut facts = self.core.shared.facts();
            facts.proc_id = before.proc_id;
            facts.options = before.options;
            facts.no_exec = before.no_exec;
            facts.format_only = before.format_only;
            facts.date_first = before.date_first;
            facts.date_order = before.date_order;
            facts.lock_timeout = before.lock_timeout;
            facts.text_size = before.text_size;
            facts.isolation = before.isolation;
        }
        if self.core.database != here {
            self.core.enter_database(&here);
        }
        shared.facts().schema = before.schema;
        self.shallower();
        match result {
            Ok(()) => Ok(End::Next),
            Err(Halt::Abort) => Ok(End::Abort),
            Err(Halt::Raise(failure)) => Err(Failure {
                inner: true,
                ..failure
            }),
        }
    }

    /// `DECLARE @t dbo.TableType`: makes the variable when the type is a table; false for any other type.
    pub(super) fn declare_of_type(
        &mut self,
        name: &str,
        ty: &tsql::ast::TypeName,
        frame: &mut Frame,
    ) -> Result<bool, SqlError> {
        if resolve_type(ty, tsql::bind::DefaultLength::Declaration).is_ok() {
            return Ok(false);
        }
        let Some((database, objects, object)) = self.table_type(ty)? else {
            return Ok(false);
        };
        let lower = name.to_lowercase();
        if frame.scope.tables.iter().any(|(known, _)| *known == lower) {
            return Ok(true);
        }
        let key = self.variable_of(&objects, object, name, database)?;
        frame.scope.tables.push((lower, key));
        Ok(true)
    }

    /// Makes a table variable of a table type; returns its key.
    fn variable_of(
        &mut self,
        objects: &Objects,
        object: i32,
        name: &str,
        database: i32,
    ) -> Result<u32, SqlError> {
        let info = objects
            .object(object)
            .and_then(|object| object.table())
            .ok_or_else(|| fault::internal("a table type without a table"))?;
        let key = self.core.shared.next_key();
        let mut table = table_from(info, name, key)?;
        if let Some(identity) = table.identity
            && let Some((seed, increment)) = info.columns[identity].identity
        {
            table.seed = seed;
            table.increment = increment;
            table.reseed();
        }
        table.variable = true;
        table.of_type = Some((database, object));
        self.add(table, None)?;
        Ok(key)
    }

    /// The table type of a name, for a parameter.
    pub(super) fn table_type_named(
        &self,
        ty: &tsql::ast::TypeName,
    ) -> Result<Option<TableType>, SqlError> {
        if resolve_type(ty, tsql::bind::DefaultLength::Declaration).is_ok() {
            return Ok(None);
        }
        let found = self.table_type(ty)?;
        Ok(found.map(|(database, _, object)| TableType {
            database,
            object,
            name: ty.name.name.text.clone(),
        }))
    }

    /// The table type of a module's parameter.
    fn type_of_parameter(&self, found: &Found, info: &ParameterInfo) -> Option<TableType> {
        let types = found.objects.types();
        let ty = types.iter().find(|ty| Some(ty.id) == info.user_type)?;
        match ty.kind {
            UserType::Table { object } => Some(TableType {
                database: found.database,
                object,
                name: ty.name.clone(),
            }),
            UserType::Alias { .. } => None,
        }
    }

    /// The table variable that an argument names, unless it names a value.
    pub(super) fn table_argument(&self, value: &Expr, frame: &Frame) -> Option<TableArgument> {
        let ExprKind::Variable(variable) = &value.kind else {
            return None;
        };
        let lower = variable.name.to_lowercase();
        let mut tables = frame.scope.tables.iter();
        let (_, key) = tables.find(|(name, _)| *name == lower)?;
        let of_type = match self.core.shared.object(*key) {
            Some(Object::Own(table)) => table.of_type,
            _ => None,
        };
        Some(TableArgument::Own(*key, of_type))
    }

    /// Gives a frame a table-valued parameter: the caller's own table, or one of what a driver sent.
    pub(super) fn table_parameter(
        &mut self,
        name: &str,
        ty: &TableType,
        argument: Option<&TableArgument>,
        frame: &mut Frame,
    ) -> Result<(), SqlError> {
        let key = match argument {
            Some(TableArgument::Own(key, _)) => *key,
            Some(TableArgument::Sent(_)) | None => {
                let objects = self.core.shared.permanent.objects(ty.database)?;
                self.variable_of(&objects, ty.object, name, ty.database)?
            }
        };
        if let Some(TableArgument::Sent(sent)) = argument {
            self.fill_parameter(key, ty, sent)?;
        }
        frame.scope.tables.push((name.to_lowercase(), key));
        frame.scope.readonly.push(key);
        Ok(())
    }

    /// Puts the rows that a driver sent into a table variable.
    fn fill_parameter(
        &mut self,
        key: u32,
        ty: &TableType,
        sent: &RpcTable,
    ) -> Result<(), SqlError> {
        let Some(Object::Own(table)) = self.core.shared.object(key) else {
            return Err(fault::internal("a table is gone"));
        };
        if !sent.type_name.is_empty() && !collate::same(&sent.type_name, &ty.name) {
            return Err(messages::OPERAND_CLASH.with(&[&sent.type_name, &ty.name]));
        }
        // NULL has no columns, and stands for a table without rows.
        if sent.width == 0 {
            return Ok(());
        }
        if sent.width != table.columns.len() {
            let (given, wanted) = (sent.width.to_string(), table.columns.len().to_string());
            return Err(messages::TABLE_PARAMETER_WIDTH.with(&[&given, &wanted]));
        }
        for at in &sent.places {
            if table.identity == Some(*at) {
                return Err(messages::IDENTITY_OF_VARIABLE.with(&[]));
            }
            if table.columns[*at].computed.is_some() {
                let name = &table.columns[*at].column.name;
                return Err(messages::COMPUTED_NOT_WRITABLE.with(&[name]));
            }
        }
        let rows = (sent.columns.as_slice(), sent.rows.rows());
        self.insert_collected(&table, &sent.places, rows, &Frame::default())
            .map(|_| ())
    }

    /// The table type of a name, as the object that has its columns.
    fn table_type(
        &self,
        ty: &tsql::ast::TypeName,
    ) -> Result<Option<(i32, Arc<Objects>, i32)>, SqlError> {
        let Ok(target) = self.target_of_name(&ty.name) else {
            return Ok(None);
        };
        let objects = self.core.shared.permanent.objects(target.id)?;
        let schema = ty.name.schema.as_ref().map_or("dbo", |part| &part.text);
        let object = match objects.type_named(schema, &ty.name.name.text) {
            Some(found) => match found.kind {
                crate::databases::UserType::Table { object } => object,
                crate::databases::UserType::Alias { .. } => return Ok(None),
            },
            None => return Ok(None),
        };
        Ok(Some((target.id, objects, object)))
    }

    /// The type of a declaration: of the language, or an alias that a user made.
    pub(super) fn declared_type(
        &self,
        ty: &tsql::ast::TypeName,
    ) -> Result<tsql::SqlType, SqlError> {
        let failed = match resolve_type(ty, tsql::bind::DefaultLength::Declaration) {
            Ok(known) => return Ok(known),
            Err(error) => error,
        };
        let Ok(target) = self.target_of_name(&ty.name) else {
            return Err(failed);
        };
        let objects = self.core.shared.permanent.objects(target.id)?;
        super::objects::type_of(&objects, ty).map(|(ty, _, _)| ty)
    }
}
