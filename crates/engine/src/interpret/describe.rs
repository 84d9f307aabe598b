//! What a text would return, without running it: sp_describe_first_result_set, sp_describe_undeclared_parameters, and
//! statements under SET FMTONLY and SET NOEXEC.
//!
//! Source: "sp_describe_first_result_set (Transact-SQL)", "sp_describe_undeclared_parameters (Transact-SQL)",
//! "SET FMTONLY", "SET NOEXEC".

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "of all statements few have parameters to deduce"
)]

use super::arguments::Given;
use super::execute::{Named, Returned};
use super::{End, Failure, Frame, Interpreter};
use crate::host::{EnvChange, ProcedureDecl, ResultSink, StatementDone};
use crate::session::names::{Names, Scope};
use crate::session::shared::{Unrun, option};
use std::sync::{Arc, OnceLock};
use tsql::ast::{
    CompareOp, Delete, DmlTarget, Expr, ExprKind, Ident, Insert, InsertSource, ObjectName, Query,
    QueryBody, Select, SelectItem, SelectStatement, SetClause, Span, Statement, StatementKind,
    TableSource, Update, With,
};
use tsql::bind::{Binder, Catalog};
use tsql::measures::{measures, wire_type};
use tsql::parser::{ParseOptions, parse_batch, variables_of};
use tsql::{Column, Length, Row, SqlError, SqlType, Value, fault, messages};

const COLLATION: &str = "SQL_Latin1_General_CP1_CI_AS";
/// The collation as results name it on the wire.
const WIRE_COLLATION: i32 = 13_632_521;
const WIRE_SORT: u8 = 52;
/// Most values and conditions of one text that are looked at for the types of its parameters.
const CONDITIONS_MAX: usize = 10_000;
/// Most parameters of one text.
const PARAMETERS_MAX: usize = 2100;

/// Whether a statement runs all the same.
pub(super) const fn runs(unrun: Unrun, statement: &StatementKind) -> bool {
    match unrun {
        Unrun::Skipped => matches!(statement, StatementKind::SetOption(_)),
        Unrun::Described | Unrun::Asked => matches!(
            statement,
            StatementKind::SetOption(_)
                | StatementKind::Use(_)
                | StatementKind::Select(_)
                | StatementKind::Execute(_)
        ),
    }
}

/// Takes the columns of the first result set, and the first error.
#[derive(Default)]
struct First {
    columns: Option<Vec<Column>>,
    error: Option<SqlError>,
}

impl ResultSink for First {
    fn columns(&mut self, columns: &[Column]) -> Result<(), SqlError> {
        self.columns.get_or_insert_with(|| columns.to_vec());
        Ok(())
    }

    fn row(&mut self, _: Row) -> Result<(), SqlError> {
        Ok(())
    }

    fn done(&mut self, _: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }

    fn statement_done(&mut self, _: StatementDone) -> Result<(), SqlError> {
        Ok(())
    }

    fn message(&mut self, message: SqlError) {
        if message.is_error() {
            self.error.get_or_insert(message);
        }
    }

    fn env_change(&mut self, _: EnvChange) {}

    fn flush(&mut self) -> Result<(), SqlError> {
        Ok(())
    }
}

/// A text argument by its place or name.
fn text(given: &[Given], at: usize, name: &str) -> Option<String> {
    let named = |arg: &&Given| {
        let own = arg.name.as_ref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    given
        .iter()
        .find(named)
        .or_else(|| given.get(at).filter(|arg| arg.name.is_none()))
        .and_then(|arg| arg.value.as_ref())
        .and_then(|(value, _)| value.as_str())
        .map(str::to_owned)
}

fn missing(procedure: &str, parameter: &str) -> Failure {
    Failure::of_statement(
        messages::MISSING_PARAMETER
            .with(&[procedure, parameter])
            .in_procedure(procedure),
    )
}

impl Interpreter<'_> {
    /// A procedure that is only described: one of the host sends the columns of its first result set, one that a user
    /// made those of its statements; what the engine carries out itself does nothing, but for texts.
    pub(super) fn describe_call(
        &mut self,
        named: &Named,
        given: &[Given],
    ) -> Result<(End, Returned), Failure> {
        if let Some(made) = self.find_module(named).map_err(Failure::of_statement)? {
            return self.call_module(&made, named, given);
        }
        match self.find(named) {
            Ok((decl, _)) => self.describe_procedure(&decl),
            Err(_) if self.is_own(named) => Ok((End::Next, Returned::default())),
            Err(error) => Err(Failure::of_statement(error)),
        }
    }

    fn describe_procedure(
        &mut self,
        decl: &Arc<ProcedureDecl>,
    ) -> Result<(End, Returned), Failure> {
        let columns = self.core.shared.host().result_columns(decl);
        if !columns.is_empty() {
            self.sink.columns(&columns)?;
            self.sink.statement_done(StatementDone {
                rows: Some(0),
                in_procedure: true,
                failed: false,
                select: true,
            })?;
        }
        Ok((End::Next, Returned::default()))
    }

    /// Columns of the first result set that a text would return; none when it returns none.
    ///
    /// # Errors
    /// Those of the text; 11526 for one that reads a temporary table it makes itself.
    fn first_result(&mut self, text: &str, params: &str) -> Result<Option<Vec<Column>>, SqlError> {
        let mut frame = Frame::default();
        for parameter in self.declared_parameters(params)? {
            frame.declare(&parameter.name, parameter.ty, Value::Null);
        }
        let mut first = First::default();
        let before = self.core.shared.facts().clone();
        let identity_insert = self.core.identity_insert;
        self.core.shared.facts().asked = true;
        let ended = {
            let mut nested = Interpreter {
                core: &mut *self.core,
                sink: &mut first,
                cancel: self.cancel,
                outcome: super::BatchOutcome::default(),
                tries: 0,
                collecting: true,
                line: self.line,
            };
            nested.dynamic(text, frame)
        };
        // Nothing of what the text sets is for the session that asked.
        *self.core.shared.facts() = before;
        self.core.identity_insert = identity_insert;
        if let Some(columns) = first.columns {
            return Ok(Some(columns));
        }
        let error = match ended {
            Err(failure) => Some(failure.error),
            Ok(_) => first.error,
        };
        match error {
            Some(error)
                if error.number == messages::INVALID_OBJECT.number && text.contains('#') =>
            {
                Err(messages::DESCRIBES_TEMPORARY.with(&[text.trim()]))
            }
            Some(error) => Err(error),
            None => Ok(None),
        }
    }

    /// `sp_describe_first_result_set @tsql, @params, @browse_information_mode`
    pub(super) fn describe_first_result_set(
        &mut self,
        given: &[Given],
    ) -> Result<(End, Returned), Failure> {
        const NAME: &str = "sp_describe_first_result_set";
        let statement = text(given, 0, "@tsql").ok_or_else(|| missing(NAME, "@tsql"))?;
        let params = text(given, 1, "@params").unwrap_or_default();
        let described = self
            .first_result(&statement, &params)
            .map_err(Failure::of_statement)?;
        let rows = described.into_iter().flatten().zip(1..).map(described_row);
        self.answer(&first_result_columns(), rows)
    }

    /// `sp_describe_undeclared_parameters @tsql, @params`
    pub(super) fn describe_undeclared_parameters(
        &mut self,
        given: &[Given],
    ) -> Result<(End, Returned), Failure> {
        const NAME: &str = "sp_describe_undeclared_parameters";
        let statement = text(given, 0, "@tsql").ok_or_else(|| missing(NAME, "@tsql"))?;
        let params = text(given, 1, "@params").unwrap_or_default();
        let found = self
            .undeclared(&statement, &params)
            .map_err(Failure::of_statement)?;
        let rows = found.into_iter().zip(1..).map(parameter_row);
        self.answer(&parameter_columns(), rows)
    }

    fn answer(
        &mut self,
        columns: &[Column],
        rows: impl Iterator<Item = Row>,
    ) -> Result<(End, Returned), Failure> {
        self.sink.columns(columns)?;
        let mut count = 0;
        for row in rows {
            self.sink.row(row)?;
            count += 1;
        }
        self.sink.statement_done(StatementDone {
            rows: Some(count),
            in_procedure: true,
            failed: false,
            select: true,
        })?;
        self.sink.procedure_done(0)?;
        Ok((End::Next, Returned::default()))
    }

    /// Parameters that a text uses and nobody declares, in the order of their first use, with the types that their
    /// surroundings give them.
    fn undeclared(&mut self, text: &str, params: &str) -> Result<Vec<(String, SqlType)>, SqlError> {
        let mut scope = Scope::default();
        let mut names = Vec::new();
        for parameter in self.declared_parameters(params)? {
            names.push(parameter.name.to_lowercase());
            scope.locals.push(crate::session::names::Local {
                name: parameter.name.to_lowercase(),
                ty: parameter.ty,
            });
        }
        let mut unknown: Vec<(String, Arc<OnceLock<SqlType>>)> = Vec::new();
        for name in variables_of(text, PARAMETERS_MAX) {
            let lower = name.to_lowercase();
            if !names.contains(&lower) {
                names.push(lower);
                unknown.push((name, Arc::default()));
            }
            if names.len() > PARAMETERS_MAX {
                return Err(SqlError::new(
                    8003,
                    16,
                    format!("Too many parameters. The maximum number is {PARAMETERS_MAX}."),
                ));
            }
        }
        let options = ParseOptions {
            quoted_identifier: self.core.shared.facts().has(option::QUOTED_IDENTIFIER),
            variables: &names,
        };
        let batch = parse_batch(text, &options).map_err(|errors| {
            let first = errors.into_iter().next();
            first.unwrap_or_else(|| fault::internal("a text is refused without an error"))
        })?;
        let [statement] = batch.statements.as_slice() else {
            return Err(messages::NOT_ANALYZED.with(&[]));
        };
        if let StatementKind::Execute(execute) = &statement.kind {
            // The names of a procedure's parameters look like variables and are none.
            unknown.retain(|(name, _)| {
                execute.args.iter().any(|arg| {
                    matches!(&arg.value.kind, ExprKind::Variable(used) if used.name.eq_ignore_ascii_case(name))
                })
            });
        }
        scope.undeclared.clone_from(&unknown);
        let catalog = Names {
            shared: &self.core.shared,
            scope: &scope,
        };
        deduce(&catalog, statement)?;
        Ok(unknown
            .into_iter()
            .map(|(name, ty)| (name, ty.get().map_or(UNKNOWN_TYPE, |ty| widest(*ty))))
            .collect())
    }
}

/// The type of a parameter whose surroundings give it none.
const UNKNOWN_TYPE: SqlType = SqlType::nvarchar(4000);

/// A string or binary may be longer than what it is compared with.
fn widest(ty: SqlType) -> SqlType {
    match ty {
        SqlType::Char(_) | SqlType::VarChar(Length::Limited(_)) => SqlType::varchar(8000),
        SqlType::NChar(_) | SqlType::NVarChar(Length::Limited(_)) => SqlType::nvarchar(4000),
        SqlType::Binary(_) | SqlType::VarBinary(Length::Limited(_)) => SqlType::varbinary(8000),
        other => other,
    }
}

/// Binds a statement so that each parameter meets what surrounds it. A statement that writes is bound as a query over
/// its table in which each column is compared with its new value.
fn deduce(catalog: &Names<'_>, statement: &Statement) -> Result<(), SqlError> {
    match &statement.kind {
        StatementKind::Select(select) => bind(catalog, select),
        StatementKind::Insert(insert) => deduce_insert(catalog, insert),
        StatementKind::Update(update) => deduce_update(catalog, update),
        StatementKind::Delete(delete) => deduce_delete(catalog, delete),
        StatementKind::Execute(execute) => {
            deduce_execute(catalog, execute);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn bind(catalog: &Names<'_>, select: &SelectStatement) -> Result<(), SqlError> {
    Binder::new(catalog)
        .select(select.with.as_ref(), &select.query)
        .map(|_| ())
}

/// The arguments of a procedure of the host take its parameters' types.
fn deduce_execute(catalog: &Names<'_>, execute: &tsql::ast::Execute) {
    let tsql::ast::ExecuteTarget::Procedure(name) = &execute.target else {
        return;
    };
    let facts_database = catalog.shared.facts().database.clone();
    let database = name
        .database
        .as_ref()
        .map_or(facts_database, |part| part.text.clone());
    let host = catalog.shared.host();
    let places = [
        (database.as_str(), "dbo"),
        (database.as_str(), "sys"),
        ("master", "dbo"),
        ("master", "sys"),
    ];
    let Some(decl) = places
        .iter()
        .find_map(|(database, schema)| host.procedure(database, schema, &name.name.text))
    else {
        return;
    };
    for (at, arg) in execute.args.iter().enumerate() {
        let param = match &arg.name {
            Some(name) => decl
                .params
                .iter()
                .find(|param| param.name.eq_ignore_ascii_case(&name.name)),
            None => decl.params.get(at),
        };
        if let (ExprKind::Variable(variable), Some(param)) = (&arg.value.kind, param)
            && let Some(found) = catalog.undeclared(&variable.name)
        {
            let _ = found.set(param.ty);
        }
    }
}

/// A query over tables with a condition, as the parser would give it.
fn query_over(from: Vec<TableSource>, filter: Option<Expr>, span: Span) -> Query {
    let one = Expr {
        kind: ExprKind::Literal(tsql::ast::Literal::Int(1)),
        span,
    };
    Query {
        body: QueryBody::Select(Box::new(Select {
            distinct: false,
            top: None,
            items: vec![SelectItem::Expr {
                expr: one,
                alias: None,
            }],
            into: None,
            from,
            filter,
            group_by: None,
            having: None,
            span,
        })),
        order_by: Vec::new(),
        offset: None,
        for_clause: None,
        span,
    }
}

/// Binds conditions over tables, each by itself, until the type of every parameter is known.
fn bind_over(
    catalog: &Names<'_>,
    with: Option<&With>,
    from: &[TableSource],
    filters: impl Iterator<Item = Expr>,
) -> Result<(), SqlError> {
    let span = Span::default();
    for filter in filters.take(CONDITIONS_MAX) {
        let mut unknown = catalog.scope.undeclared.iter();
        if unknown.all(|(_, found)| found.get().is_some()) {
            break;
        }
        let query = query_over(from.to_vec(), Some(filter), span);
        Binder::new(catalog).select(with, &query)?;
    }
    Ok(())
}

fn target_source(target: &DmlTarget) -> Result<TableSource, SqlError> {
    match target {
        DmlTarget::Table { name, .. } => Ok(TableSource::Table {
            name: name.clone(),
            alias: None,
            hints: Vec::new(),
        }),
        DmlTarget::Variable(variable) => Ok(TableSource::Variable {
            variable: variable.clone(),
            alias: None,
        }),
        DmlTarget::Unsupported { feature, .. } => Err(fault::not_supported(feature)),
    }
}

fn equals(column: Vec<Ident>, value: &Expr) -> Expr {
    Expr {
        kind: ExprKind::Compare {
            op: CompareOp::Equal,
            left: Box::new(Expr {
                kind: ExprKind::Column(column),
                span: value.span,
            }),
            right: Box::new(value.clone()),
        },
        span: value.span,
    }
}

fn deduce_insert(catalog: &Names<'_>, insert: &Insert) -> Result<(), SqlError> {
    match &insert.source {
        InsertSource::Query(query) => Binder::new(catalog)
            .select(insert.with.as_ref(), query)
            .map(|_| ()),
        InsertSource::Values(rows) => {
            let DmlTarget::Table { name, .. } = &insert.target else {
                return Ok(());
            };
            let columns = insert_columns(catalog, name, &insert.columns)?;
            let values = rows.iter().flat_map(|row| columns.iter().zip(row));
            let filters = values
                .filter(|(_, value)| value.kind != ExprKind::Default)
                .map(|(column, value)| equals(vec![column.clone()], value));
            let from = [target_source(&insert.target)?];
            bind_over(catalog, insert.with.as_ref(), &from, filters)
        }
        InsertSource::Execute(_) | InsertSource::DefaultValues => Ok(()),
    }
}

/// The columns that an INSERT fills: those it names, else the table's.
fn insert_columns(
    catalog: &Names<'_>,
    table: &ObjectName,
    named: &[Ident],
) -> Result<Vec<Ident>, SqlError> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let shape = catalog.table(table)?;
    Ok(shape
        .columns
        .iter()
        .map(|column| Ident {
            text: column.name.clone(),
            quoted: true,
            span: table.span,
        })
        .collect())
}

fn deduce_update(catalog: &Names<'_>, update: &Update) -> Result<(), SqlError> {
    let mut filters: Vec<Expr> = update.filter.iter().cloned().collect();
    for clause in &update.set {
        if let SetClause::Column { column, value, .. }
        | SetClause::VariableAndColumn { column, value, .. } = clause
        {
            filters.push(equals(column.clone(), value));
        }
    }
    let from = if update.from.is_empty() {
        vec![target_source(&update.target)?]
    } else {
        update.from.clone()
    };
    bind_over(catalog, update.with.as_ref(), &from, filters.into_iter())
}

fn deduce_delete(catalog: &Names<'_>, delete: &Delete) -> Result<(), SqlError> {
    let from = if delete.from.is_empty() {
        vec![target_source(&delete.target)?]
    } else {
        delete.from.clone()
    };
    bind_over(
        catalog,
        delete.with.as_ref(),
        &from,
        delete.filter.iter().cloned(),
    )
}

// ---- answers ----

const BIT: SqlType = SqlType::Bit;
const NAME: SqlType = SqlType::SYSNAME;

fn shaped(columns: &[(&str, SqlType)]) -> Vec<Column> {
    columns
        .iter()
        .map(|(name, ty)| Column::nullable(*name, *ty))
        .collect()
}

fn first_result_columns() -> Vec<Column> {
    shaped(&[
        ("is_hidden", BIT),
        ("column_ordinal", SqlType::Int),
        ("name", NAME),
        ("is_nullable", BIT),
        ("system_type_id", SqlType::Int),
        ("system_type_name", SqlType::nvarchar(256)),
        ("max_length", SqlType::SmallInt),
        ("precision", SqlType::TinyInt),
        ("scale", SqlType::TinyInt),
        ("collation_name", NAME),
        ("user_type_id", SqlType::Int),
        ("user_type_database", NAME),
        ("user_type_schema", NAME),
        ("user_type_name", NAME),
        ("assembly_qualified_type_name", SqlType::nvarchar(4000)),
        ("xml_collection_id", SqlType::Int),
        ("xml_collection_database", NAME),
        ("xml_collection_schema", NAME),
        ("xml_collection_name", NAME),
        ("is_xml_document", BIT),
        ("is_case_sensitive", BIT),
        ("is_fixed_length_clr_type", BIT),
        ("source_server", NAME),
        ("source_database", NAME),
        ("source_schema", NAME),
        ("source_table", NAME),
        ("source_column", NAME),
        ("is_identity_column", BIT),
        ("is_part_of_unique_key", BIT),
        ("is_updateable", BIT),
        ("is_computed_column", BIT),
        ("is_sparse_column_set", BIT),
        ("ordinal_in_order_by_list", SqlType::SmallInt),
        ("order_by_list_length", SqlType::SmallInt),
        ("order_by_is_descending", SqlType::SmallInt),
        ("tds_type_id", SqlType::Int),
        ("tds_length", SqlType::Int),
        ("tds_collation_id", SqlType::Int),
        ("tds_collation_sort_id", SqlType::TinyInt),
    ])
}

fn name_of(ty: SqlType) -> Value {
    Value::String(ty.to_string())
}

/// A column without what only browsing asks for: its source, keys and order are NULL.
fn described_row((column, ordinal): (Column, i32)) -> Row {
    let found = measures(column.ty);
    let (wire, wire_length) = wire_type(column.ty, column.nullable);
    let text = column.ty.is_string();
    let of_text = |value: Value| if text { value } else { Value::Null };
    let name = if column.name.is_empty() {
        Value::Null
    } else {
        Value::String(column.name)
    };
    let no = Value::Bit(false);
    let mut row = vec![
        no.clone(),
        Value::Int(ordinal),
        name,
        Value::Bit(column.nullable),
        Value::Int(found.id.into()),
        name_of(column.ty),
        Value::SmallInt(found.max_length),
        Value::TinyInt(found.precision),
        Value::TinyInt(found.scale),
        of_text(Value::string(COLLATION)),
    ];
    // The user type, its assembly, and the collection of xml schemas: there are none in a result.
    row.resize(19, Value::Null);
    row.extend([no.clone(), no.clone(), no.clone()]);
    // Where the column comes from.
    row.resize(27, Value::Null);
    row.extend([no.clone(), Value::Null, no.clone(), no.clone(), no]);
    // Its part in the order.
    row.resize(35, Value::Null);
    row.extend([
        Value::Int(wire),
        Value::Int(wire_length),
        of_text(Value::Int(WIRE_COLLATION)),
        of_text(Value::TinyInt(WIRE_SORT)),
    ]);
    row
}

fn parameter_columns() -> Vec<Column> {
    shaped(&[
        ("parameter_ordinal", SqlType::Int),
        ("name", NAME),
        ("suggested_system_type_id", SqlType::Int),
        ("suggested_system_type_name", SqlType::nvarchar(256)),
        ("suggested_max_length", SqlType::SmallInt),
        ("suggested_precision", SqlType::TinyInt),
        ("suggested_scale", SqlType::TinyInt),
        ("suggested_user_type_id", SqlType::Int),
        ("suggested_user_type_database", NAME),
        ("suggested_user_type_schema", NAME),
        ("suggested_user_type_name", NAME),
        (
            "suggested_assembly_qualified_type_name",
            SqlType::nvarchar(4000),
        ),
        ("suggested_xml_collection_id", SqlType::Int),
        ("suggested_xml_collection_database", NAME),
        ("suggested_xml_collection_schema", NAME),
        ("suggested_xml_collection_name", NAME),
        ("suggested_is_xml_document", BIT),
        ("suggested_is_case_sensitive", BIT),
        ("suggested_is_fixed_length_clr_type", BIT),
        ("suggested_is_input", BIT),
        ("suggested_is_output", BIT),
        ("formal_parameter_name", NAME),
        ("suggested_tds_type_id", SqlType::Int),
        ("suggested_tds_length", SqlType::Int),
    ])
}

fn parameter_row(((name, ty), ordinal): ((String, SqlType), i32)) -> Row {
    let found = measures(ty);
    let (wire, wire_length) = wire_type(ty, true);
    let no = Value::Bit(false);
    let mut row = vec![
        Value::Int(ordinal),
        Value::String(name),
        Value::Int(found.id.into()),
        name_of(ty),
        Value::SmallInt(found.max_length),
        Value::TinyInt(found.precision),
        Value::TinyInt(found.scale),
    ];
    row.resize(16, Value::Null);
    row.extend([no.clone(), no.clone(), no.clone(), Value::Bit(true), no]);
    row.extend([Value::Null, Value::Int(wire), Value::Int(wire_length)]);
    row
}
