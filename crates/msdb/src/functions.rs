//! Functions of msdb, and functions of `sys` that clients call after login.

use crate::convert::{civil, moment};
use crate::error::Result;
use crate::messages::raise;
use crate::system;
use catalog::DefinitionsRead;
use engine::host::{FunctionDecl, FunctionResult, ParamDecl};
use std::sync::{Arc, LazyLock};
use tsql::{SqlType, Value};

/// The function of a name. Functions of `sys` are in every database.
pub(crate) fn find(database: &str, schema: &str, name: &str) -> Option<Arc<FunctionDecl>> {
    static FUNCTIONS: LazyLock<Vec<Arc<FunctionDecl>>> = LazyLock::new(|| {
        let mut functions = vec![
            Arc::new(scalar(
                "agent_datetime",
                &[("@date", SqlType::Int), ("@time", SqlType::Int)],
                SqlType::DateTime,
            )),
            Arc::new(scalar(
                "SQLAGENT_SUSER_SNAME",
                &[("@user_sid", SqlType::varbinary(85))],
                SqlType::SYSNAME,
            )),
            Arc::new(scalar(
                "SQLAGENT_SUSER_SID",
                &[("@user_name", SqlType::SYSNAME)],
                SqlType::varbinary(85),
            )),
            Arc::new(of_sys(
                "fn_varbintohexstr",
                ("@pbinin", SqlType::varbinary(8000)),
                SqlType::NVARCHAR_MAX,
            )),
            Arc::new(of_sys(
                "fn_hadr_backup_is_preferred_replica",
                ("@dbname", SqlType::SYSNAME),
                SqlType::Bit,
            )),
            Arc::new(of_sys(
                "fn_hadr_is_primary_replica",
                ("@dbname", SqlType::SYSNAME),
                SqlType::Bit,
            )),
        ];
        functions.extend(system::functions());
        functions
    });
    FUNCTIONS
        .iter()
        .find(|function| {
            let here = function.schema == "sys" || function.database.eq_ignore_ascii_case(database);
            // sys functions are also called without a schema.
            let schema_fits = function.schema.eq_ignore_ascii_case(schema)
                || (function.schema == "sys" && schema.eq_ignore_ascii_case("dbo"));
            here && schema_fits && function.name.eq_ignore_ascii_case(name)
        })
        .cloned()
}

fn scalar(
    name: &'static str,
    params: &[(&'static str, SqlType)],
    returns: SqlType,
) -> FunctionDecl {
    FunctionDecl {
        database: "msdb",
        schema: "dbo",
        name,
        params: params.iter().map(|(name, ty)| param(name, *ty)).collect(),
        returns: FunctionResult::Scalar(returns),
    }
}

/// A scalar function of every database.
fn of_sys(name: &'static str, only: (&'static str, SqlType), returns: SqlType) -> FunctionDecl {
    FunctionDecl {
        database: "master",
        schema: "sys",
        ..scalar(name, &[only], returns)
    }
}

fn param(name: &'static str, ty: SqlType) -> ParamDecl {
    ParamDecl {
        name,
        ty,
        default: Some(Value::Null),
        output: false,
    }
}

/// `agent_datetime(date, time)`: YYYYMMDD and HHMMSS as datetime; NULL for NULL or 0 as the date.
///
/// # Errors
/// 242 for ints that are no date or time.
pub(crate) fn agent_datetime(arguments: &[Value]) -> Result<Value> {
    let [date, time] = arguments else {
        return Ok(Value::Null);
    };
    let (Some(date), Some(time)) = (date.as_i64(), time.as_i64()) else {
        return Ok(Value::Null);
    };
    if date == 0 {
        return Ok(Value::Null);
    }
    i32::try_from(date)
        .ok()
        .zip(i32::try_from(time).ok())
        .and_then(|(date, time)| moment(date, time))
        .map(civil)
        .ok_or_else(|| raise(242, &[]).into())
}

/// `SQLAGENT_SUSER_SNAME(sid)`: the login of a SID.
pub(crate) fn suser_sname(definitions: &dyn DefinitionsRead, arguments: &[Value]) -> Result<Value> {
    let Some(Value::Binary(sid)) = arguments.first() else {
        return Ok(Value::Null);
    };
    Ok(definitions
        .login_by_sid(sid)?
        .map(|login| login.name)
        .into())
}

/// `SQLAGENT_SUSER_SID(name)`: the SID of a login.
pub(crate) fn suser_sid(definitions: &dyn DefinitionsRead, arguments: &[Value]) -> Result<Value> {
    let Some(name) = arguments.first().and_then(Value::as_str) else {
        return Ok(Value::Null);
    };
    let found = definitions.login(name)?;
    Ok(found.map_or(Value::Null, |login| Value::Binary(login.sid)))
}

/// `fn_varbintohexstr(binary)`: `0x` and two lower-case digits a byte; NULL for NULL.
pub(crate) fn hex(arguments: &[Value]) -> Value {
    let Some(Value::Binary(bytes)) = arguments.first() else {
        return Value::Null;
    };
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("0x");
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    Value::String(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agent_datetime_of_ints() {
        let call = |date, time| agent_datetime(&[Value::Int(date), Value::Int(time)]);
        assert_eq!(
            call(20_000_101, 10_203).unwrap(),
            Value::DateTime {
                days: 36_524,
                ticks: (3_600 + 123) * 300
            }
        );
        assert_eq!(call(0, 0).unwrap(), Value::Null);
        assert_eq!(
            hex(&[Value::Binary(vec![1, 0xab])]),
            Value::string("0x01ab")
        );
        assert_eq!(hex(&[Value::Null]), Value::Null);
        assert!(call(20_001_301, 0).is_err());
        assert_eq!(
            agent_datetime(&[Value::Null, Value::Int(0)]).unwrap(),
            Value::Null
        );
    }
}
