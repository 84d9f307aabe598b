//! Arguments meet parameters, of procedures and of texts alike: the one place where errors about them come from.

use crate::host::ParamDecl;
use crate::rpc::RpcTable;
use tsql::convert::{self, Allowed, Style};
use tsql::messages as m;
use tsql::{SqlError, SqlType, Value, fault};

/// A parameter, of a host's procedure or of a text of sp_executesql.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    /// Name with its `@`.
    pub(super) name: String,
    /// Declared type.
    pub(super) ty: SqlType,
    /// Value when the caller gives none; `None` makes it required.
    pub(super) default: Option<Value>,
    /// Declared OUTPUT.
    pub(super) output: bool,
    /// The table type of a table-valued parameter.
    pub(super) table: Option<TableType>,
}

/// A table type that a user made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableType {
    /// Number of its database.
    pub(super) database: i32,
    /// Number of the object that has its columns.
    pub(super) object: i32,
    /// Its name, for errors.
    pub(super) name: String,
}

impl Parameter {
    /// A parameter that takes a value.
    pub(super) fn value(name: &str, ty: SqlType, default: Option<Value>, output: bool) -> Self {
        Self {
            name: name.to_owned(),
            ty,
            default,
            output,
            table: None,
        }
    }
}

impl From<&ParamDecl> for Parameter {
    fn from(param: &ParamDecl) -> Self {
        Self::value(param.name, param.ty, param.default.clone(), param.output)
    }
}

/// An argument as written, or as a driver sent it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    /// Parameter, with its `@`; `None` by position.
    pub(super) name: Option<String>,
    /// The value and its type; `None` is DEFAULT.
    pub(super) value: Option<(Value, SqlType)>,
    /// OUTPUT was asked for.
    pub(super) output: bool,
    /// A table in the place of a value.
    pub(super) table: Option<TableArgument>,
}

/// A table as an argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TableArgument {
    /// A table variable of the caller, by its key, and its type's object, where it has one.
    Own(u32, Option<(i32, i32)>),
    /// What a driver sent.
    Sent(RpcTable),
}

/// A parameter's value for the call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bound {
    /// In the parameter's type.
    pub(super) value: Value,
    /// The argument it came from; `None` when the default was taken.
    pub(super) from: Option<usize>,
}

/// Gives each parameter its value, in the order of declaration.
///
/// # Errors
/// 119 a positional argument after a named one, 8145 a name that is no parameter's, 8143 a parameter given twice,
/// 8144 too many arguments (8146 when there are no parameters at all), 8162 OUTPUT of a parameter that is not,
/// 201 a required one missing, 8114 a value that does not convert.
pub(super) fn bind(
    procedure: &str,
    parameters: &[Parameter],
    given: &[Given],
) -> Result<Vec<Bound>, SqlError> {
    let mut sources: Vec<Option<usize>> = vec![None; parameters.len()];
    let mut named = false;
    let extended = procedure.starts_with("xp_");
    for (at, argument) in given.iter().enumerate() {
        let slot = match &argument.name {
            Some(name) => {
                named = true;
                let known = parameters
                    .iter()
                    .position(|parameter| parameter.name.eq_ignore_ascii_case(name));
                // Extended procedures take their arguments by place, whatever names they are given.
                let place = (extended && at < parameters.len()).then_some(at);
                known
                    .or(place)
                    .ok_or_else(|| unknown(procedure, parameters, name))?
            }
            None if named => {
                return Err(m::POSITIONAL_AFTER_NAMED.with(&[&(at + 1).to_string()]));
            }
            None if parameters.is_empty() => return Err(no_parameters(procedure)),
            None if at >= parameters.len() => {
                return Err(m::TOO_MANY_ARGUMENTS.with(&[procedure]).with_state(2));
            }
            None => at,
        };
        if sources[slot].replace(at).is_some() {
            return Err(m::PARAMETER_TWICE.with(&[&parameters[slot].name]));
        }
        if argument.output && !parameters[slot].output {
            return Err(m::NOT_OUTPUT.with(&[&parameters[slot].name]).with_state(2));
        }
    }
    parameters
        .iter()
        .zip(sources)
        .map(|(parameter, source)| {
            let argument = source.and_then(|at| given.get(at));
            match (
                &parameter.table,
                argument.and_then(|given| given.table.as_ref()),
            ) {
                (Some(ty), table) => {
                    return table_bound(ty, table, argument, source);
                }
                (None, Some(_)) => {
                    return Err(clash("table", parameter.ty.name()));
                }
                (None, None) => {}
            }
            let value = match argument.and_then(|argument| argument.value.clone()) {
                Some((value, ty)) => converted(value, ty, parameter.ty)?,
                None => parameter.default.clone().ok_or_else(|| {
                    m::MISSING_PARAMETER
                        .with(&[procedure, &parameter.name])
                        .with_state(4)
                })?,
            };
            let from = source.filter(|at| given.get(*at).is_some_and(|g| g.value.is_some()));
            Ok(Bound { value, from })
        })
        .collect()
}

/// What a table-valued parameter gets: a table of its own type, or none for an empty one.
fn table_bound(
    ty: &TableType,
    table: Option<&TableArgument>,
    argument: Option<&Given>,
    source: Option<usize>,
) -> Result<Bound, SqlError> {
    let fits = match table {
        Some(TableArgument::Own(_, of)) => *of == Some((ty.database, ty.object)),
        Some(TableArgument::Sent(_)) => true,
        None => {
            let value = argument.and_then(|argument| argument.value.as_ref());
            match value {
                // DEFAULT is a table without rows.
                None => {
                    return Ok(Bound {
                        value: Value::Null,
                        from: None,
                    });
                }
                Some((_, from)) => return Err(clash(from.name(), &ty.name)),
            }
        }
    };
    if !fits {
        return Err(clash("table", &ty.name));
    }
    Ok(Bound {
        value: Value::Null,
        from: source,
    })
}

/// 206
fn clash(from: &str, to: &str) -> SqlError {
    m::OPERAND_CLASH.with(&[from, to])
}

fn no_parameters(procedure: &str) -> SqlError {
    m::NO_PARAMETERS.with(&[procedure]).with_state(2)
}

fn unknown(procedure: &str, parameters: &[Parameter], name: &str) -> SqlError {
    if parameters.is_empty() {
        no_parameters(procedure)
    } else {
        m::UNKNOWN_PARAMETER.with(&[name, procedure])
    }
}

/// A value in a parameter's type.
///
/// # Errors
/// 8114, whatever stands in the way.
pub(super) fn converted(value: Value, from: SqlType, to: SqlType) -> Result<Value, SqlError> {
    let failed = || fault::error_converting(from, to);
    if value.is_null() || from == to {
        return Ok(value);
    }
    // A driver's binary reaches any parameter that a cast would.
    if convert::allowed(from, to) == Allowed::Never {
        return Err(fault::type_clash(from, to));
    }
    convert::convert(value, from, to, Style::PLAIN).map_err(|_| failed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, ty: SqlType, default: Option<Value>, output: bool) -> Parameter {
        Parameter::value(name, ty, default, output)
    }

    /// `name=value`, `value`, `DEFAULT`; `>` before it asks for OUTPUT.
    fn given(text: &str) -> Given {
        let (output, text) = match text.strip_prefix('>') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (Some(name.to_owned()), value),
            None => (None, text),
        };
        Given {
            name,
            value: (value != "DEFAULT").then(|| (Value::string(value), SqlType::varchar(20))),
            output,
            table: None,
        }
    }

    fn check(args: &[&str], expected: Result<&[&str], i32>) {
        let parameters = [
            parameter("@name", SqlType::SYSNAME, None, false),
            parameter("@count", SqlType::Int, Some(Value::Int(7)), false),
            parameter("@id", SqlType::Int, Some(Value::Null), true),
        ];
        let given: Vec<Given> = args.iter().map(|text| given(text)).collect();
        let got = bind("p", &parameters, &given)
            .map(|bound| {
                bound
                    .iter()
                    .map(|b| format!("{:?}/{:?}", b.value, b.from))
                    .collect::<Vec<_>>()
            })
            .map_err(|error| error.number);
        let expected = expected.map(|list| list.iter().map(|s| (*s).to_owned()).collect());
        assert_eq!(got, expected, "{args:?}");
    }

    #[test]
    fn extended_procedures_take_arguments_by_place() {
        let parameters = [
            parameter("@key", SqlType::SYSNAME, None, false),
            parameter("@value", SqlType::Int, Some(Value::Null), true),
        ];
        let given: Vec<Given> = ["a", ">@param=3"].iter().map(|text| given(text)).collect();
        let bound = bind("xp_x", &parameters, &given).unwrap();
        assert_eq!(bound[1].value, Value::Int(3));
        assert_eq!(bind("sp_x", &parameters, &given).unwrap_err().number, 8145);
    }

    #[test]
    fn arguments_and_their_errors() {
        let a = "String(\"a\")/Some(0)";
        check(&["a"], Ok(&[a, "Int(7)/None", "Null/None"]));
        check(&["a", "2"], Ok(&[a, "Int(2)/Some(1)", "Null/None"]));
        check(&["a", "DEFAULT"], Ok(&[a, "Int(7)/None", "Null/None"]));
        check(
            &["@ID=3", "@NAME=a"],
            Ok(&["String(\"a\")/Some(1)", "Int(7)/None", "Int(3)/Some(0)"]),
        );
        check(&["a", ">@id=5"], Ok(&[a, "Int(7)/None", "Int(5)/Some(1)"]));
        check(&[], Err(201));
        check(&["DEFAULT"], Err(201));
        check(&["@nope=1"], Err(8145));
        check(&["a", "1", "2", "3"], Err(8144));
        check(&["a", "@name=b"], Err(8143));
        check(&["@name=a", "1"], Err(119));
        check(&[">a"], Err(8162));
        check(&["a", "x"], Err(8114));
        check(&["a", "99999999999"], Err(8114));
        assert_eq!(bind("p", &[], &[given("1")]).unwrap_err().number, 8146);
        assert_eq!(bind("p", &[], &[given("@a=1")]).unwrap_err().number, 8146);
    }
}
