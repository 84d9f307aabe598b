//! The built-in scalar functions: name, arguments, type of the result and what it computes, in one table.

use super::{Environment, bits, dates, format, hashes, numbers, parse, strings, variants, zones};
use crate::bind::ir::TypedExpr;
use crate::error::SqlError;
use crate::json;
use crate::types::{Length, SqlType};
use crate::value::Value;
use std::cmp::Ordering;

/// A built-in scalar function.
pub struct Function {
    /// Its name, in capitals.
    pub name: &'static str,
    /// Fewest arguments.
    pub least: usize,
    /// Most arguments.
    pub most: usize,
    /// What each argument becomes; the last stands for all further ones.
    pub params: &'static [Param],
    /// Type of the result.
    pub result: ResultType,
    /// Computes it.
    pub eval: fn(&Call<'_>) -> Result<Value, SqlError>,
    /// Whether each row may give another value.
    pub volatile: bool,
    /// Whether arguments are evaluated only when needed.
    pub lazy: bool,
    /// When the result is NULL.
    pub nulls: Nulls,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// When a function's result is NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// When an argument is.
    Spread,
    /// It may be at any time.
    Maybe,
    /// Never.
    Never,
}

/// What the binder makes of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// Left as it is.
    Any,
    /// A string; other types are converted.
    Text,
    /// A string or binary.
    TextOrBinary,
    /// int
    Int,
    /// bigint
    BigInt,
    /// float
    Float,
    /// Any number; strings become float.
    Number,
    /// A date or time; strings become datetime2, numbers datetime.
    Moment,
    /// As `Moment`, but strings become datetime.
    Classic,
    /// The name of a date part.
    Part,
}

/// Type of a function's result.
#[derive(Clone, Copy)]
pub enum ResultType {
    /// Always the same.
    Fixed(SqlType),
    /// By the arguments.
    Of(fn(&[TypedExpr]) -> SqlType),
}

/// A call with its arguments evaluated.
pub struct Call<'a> {
    /// Which function.
    pub function: &'static Function,
    /// The arguments as expressions, for their types.
    pub exprs: &'a [TypedExpr],
    /// Their values.
    pub args: &'a [Value],
    /// Type of the result.
    pub ty: SqlType,
    /// The session.
    pub env: &'a dyn Environment,
}

impl Call<'_> {
    /// An argument as text; `None` when it is NULL or was not given.
    pub(crate) fn text(&self, at: usize) -> Option<String> {
        super::as_text(self.args.get(at)?, self.exprs.get(at)?.ty)
    }

    /// An argument as a whole number.
    pub(super) fn int(&self, at: usize) -> Option<i64> {
        self.args.get(at)?.as_i64()
    }

    /// An argument as a float.
    pub(super) fn float(&self, at: usize) -> Option<f64> {
        if let Value::Float(v) = self.args.get(at)? {
            Some(*v)
        } else {
            None
        }
    }

    /// Whether any argument is NULL.
    pub(super) fn has_null(&self) -> bool {
        self.args.iter().any(Value::is_null)
    }
}

/// The function of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    ALL.iter()
        .find(|function| function.name.eq_ignore_ascii_case(name))
}

fn session(call: &Call<'_>) -> Result<Value, SqlError> {
    call.env.session_function(call.function.name, call.args)
}

const INT: ResultType = ResultType::Fixed(SqlType::Int);
const NAME: ResultType = ResultType::Fixed(SqlType::SYSNAME);
const VARIANT: ResultType = ResultType::Fixed(SqlType::SqlVariant);
const FLOAT: ResultType = ResultType::Fixed(SqlType::Float);
const DATETIME: ResultType = ResultType::Fixed(SqlType::DateTime);
const IDENTITY: ResultType = ResultType::Fixed(SqlType::Numeric {
    precision: 38,
    scale: 0,
});

/// Whether a string type is Unicode, and its length; what a conversion to text would need for other types.
pub(crate) fn text_shape(ty: SqlType) -> (bool, Length) {
    let plain = |n| (false, Length::Limited(n));
    match ty {
        SqlType::NChar(n) => (true, Length::Limited(n)),
        SqlType::NVarChar(length) => (true, length),
        SqlType::NText | SqlType::Xml => (true, Length::Max),
        SqlType::Char(n) => plain(n),
        SqlType::VarChar(length) => (false, length),
        SqlType::Text => (false, Length::Max),
        SqlType::Bit => plain(1),
        SqlType::TinyInt => plain(3),
        SqlType::SmallInt => plain(6),
        SqlType::Int => plain(12),
        SqlType::BigInt => plain(24),
        SqlType::UniqueIdentifier => plain(36),
        SqlType::Decimal { .. } | SqlType::Numeric { .. } => plain(41),
        SqlType::Money | SqlType::SmallMoney => plain(30),
        SqlType::Real | SqlType::Float => plain(53),
        SqlType::Date
        | SqlType::Time(_)
        | SqlType::SmallDateTime
        | SqlType::DateTime
        | SqlType::DateTime2(_)
        | SqlType::DateTimeOffset(_) => plain(40),
        SqlType::Binary(_) | SqlType::VarBinary(_) | SqlType::Image | SqlType::SqlVariant => {
            plain(8000)
        }
    }
}

/// A variable-length string type.
pub(crate) fn text_type(unicode: bool, length: Length) -> SqlType {
    match (unicode, length) {
        (true, Length::Limited(n)) => SqlType::NVarChar(Length::Limited(n.clamp(1, 4000))),
        (true, Length::Max) => SqlType::NVarChar(Length::Max),
        (false, Length::Limited(n)) => SqlType::VarChar(Length::Limited(n.clamp(1, 8000))),
        (false, Length::Max) => SqlType::VarChar(Length::Max),
    }
}

fn first_type(args: &[TypedExpr]) -> SqlType {
    args.first().map_or(SqlType::Int, |arg| arg.ty)
}

fn same_text(args: &[TypedExpr]) -> SqlType {
    match first_type(args) {
        SqlType::Binary(n) => SqlType::VarBinary(Length::Limited(n)),
        ty @ SqlType::VarBinary(_) => ty,
        ty => {
            let (unicode, length) = text_shape(ty);
            text_type(unicode, length)
        }
    }
}

/// As long as the type allows: REPLACE, REPLICATE, STUFF may lengthen.
fn widest_text(args: &[TypedExpr]) -> SqlType {
    let mut texts = args.iter().map(|arg| arg.ty).filter(|ty| ty.is_string());
    let unicode = texts.clone().any(|ty| text_shape(ty).0);
    if texts.any(|ty| text_shape(ty).1 == Length::Max) {
        return text_type(unicode, Length::Max);
    }
    text_type(unicode, Length::Limited(if unicode { 4000 } else { 8000 }))
}

/// int for the small integers and bit: ABS, SIGN, CEILING and kin.
fn number_type(args: &[TypedExpr]) -> SqlType {
    match first_type(args) {
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int => SqlType::Int,
        SqlType::Real => SqlType::Float,
        SqlType::SmallMoney => SqlType::Money,
        other => other,
    }
}

/// POWER of a decimal has room for what it grows to.
fn power_type(args: &[TypedExpr]) -> SqlType {
    match number_type(args) {
        SqlType::Decimal { scale, .. } | SqlType::Numeric { scale, .. } => SqlType::Numeric {
            precision: 38,
            scale,
        },
        other => other,
    }
}

/// DATETRUNC: the moment's own type.
fn truncated_type(args: &[TypedExpr]) -> SqlType {
    args.get(1).map_or(SqlType::DateTime2(7), |arg| arg.ty)
}

/// A decimal without its fraction.
fn whole_type(args: &[TypedExpr]) -> SqlType {
    match number_type(args) {
        SqlType::Decimal { precision, .. } | SqlType::Numeric { precision, .. } => {
            SqlType::Numeric {
                precision,
                scale: 0,
            }
        }
        other => other,
    }
}

/// DATEADD: the moment's own type.
fn moment_type(args: &[TypedExpr]) -> SqlType {
    args.get(2).map_or(SqlType::DateTime, |arg| arg.ty)
}

fn length_type(args: &[TypedExpr]) -> SqlType {
    match first_type(args) {
        SqlType::VarChar(Length::Max)
        | SqlType::NVarChar(Length::Max)
        | SqlType::VarBinary(Length::Max) => SqlType::BigInt,
        _ => SqlType::Int,
    }
}

macro_rules! functions {
    ($($name:literal $least:literal ..= $most:literal ($($param:ident),*) $result:expr, $nulls:ident, $eval:expr;)*) => {
        static ALL: &[Function] = &[$(Function {
            name: $name,
            least: $least,
            most: $most,
            params: &[$(Param::$param),*],
            result: $result,
            eval: $eval,
            volatile: matches!($name.as_bytes(), b"NEWID" | b"RAND" | b"NEWSEQUENTIALID" | b"PWDENCRYPT"),
            lazy: matches!($name.as_bytes(), b"ISNULL"),
            nulls: Nulls::$nulls,
        }),*];
    };
}

use ResultType::{Fixed, Of};

functions! {
    // Strings.
    "LEN" 1..=1 (Text) Of(length_type), Spread, strings::len;
    "DATALENGTH" 1..=1 (Any) Of(length_type), Spread, strings::data_length;
    "LEFT" 2..=2 (Text, Int) Of(same_text), Spread, strings::left;
    "RIGHT" 2..=2 (Text, Int) Of(same_text), Spread, strings::right;
    "SUBSTRING" 3..=3 (TextOrBinary, Int, Int) Of(same_text), Spread, strings::substring;
    "UPPER" 1..=1 (Text) Of(same_text), Spread, strings::upper;
    "LOWER" 1..=1 (Text) Of(same_text), Spread, strings::lower;
    "LTRIM" 1..=2 (Text) Of(same_text), Spread, strings::ltrim;
    "RTRIM" 1..=2 (Text) Of(same_text), Spread, strings::rtrim;
    "TRIM" 1..=2 (Text) Of(same_text), Spread, strings::trim;
    "REPLACE" 3..=3 (Text) Of(widest_text), Spread, strings::replace;
    "STUFF" 4..=4 (Text, Int, Int, Text) Of(widest_text), Maybe, strings::stuff;
    "REPLICATE" 2..=2 (Text, BigInt) Of(widest_text), Maybe, strings::replicate;
    "SPACE" 1..=1 (BigInt) Fixed(SqlType::varchar(8000)), Maybe, strings::space;
    "REVERSE" 1..=1 (Text) Of(same_text), Spread, strings::reverse;
    "CHARINDEX" 2..=3 (Text, Text, BigInt) INT, Spread, strings::char_index;
    "PATINDEX" 2..=2 (Text) INT, Spread, strings::pat_index;
    "CHAR" 1..=1 (Int) Fixed(SqlType::Char(1)), Maybe, strings::char_of;
    "NCHAR" 1..=1 (Int) Fixed(SqlType::NChar(1)), Maybe, strings::nchar_of;
    "ASCII" 1..=1 (Text) INT, Maybe, strings::ascii;
    "UNICODE" 1..=1 (Text) INT, Maybe, strings::unicode;
    "STR" 1..=3 (Float, Int, Int) Fixed(SqlType::varchar(8000)), Maybe, strings::str_of;
    "QUOTENAME" 1..=2 (Text) Fixed(SqlType::nvarchar(258)), Maybe, strings::quote_name;
    "PARSENAME" 2..=2 (Text, Int) NAME, Maybe, strings::parse_name;
    "CONCAT" 2..=254 (Any) Of(widest_text), Never, strings::concat;
    "CONCAT_WS" 3..=254 (Text, Any) Of(widest_text), Never, strings::concat_ws;
    "SOUNDEX" 1..=1 (Text) Fixed(SqlType::varchar(4)), Spread, strings::soundex;
    "DIFFERENCE" 2..=2 (Text) INT, Spread, strings::difference;
    "TRANSLATE" 3..=3 (Text) Of(same_text), Spread, strings::translate;
    "STRING_ESCAPE" 2..=2 (Text) Fixed(SqlType::NVARCHAR_MAX), Spread, strings::string_escape;
    "FORMAT" 2..=3 (Any, Text, Text) Fixed(SqlType::nvarchar(4000)), Maybe, format::format;
    "FORMATMESSAGE" 1..=21 (Any) Fixed(SqlType::nvarchar(2047)), Maybe, session;
    "ISNUMERIC" 1..=1 (Any) INT, Never, strings::is_numeric;
    "FN_VARBINTOHEXSUBSTRING" 4..=4 (Int, Any, Int, Int) Fixed(SqlType::NVARCHAR_MAX), Maybe, strings::hex_substring;
    "FN_VARBINTOHEXSTR" 1..=1 (Any) Fixed(SqlType::NVARCHAR_MAX), Spread, strings::hex_string;
    "CHECKSUM" 1..=254 (Any) INT, Never, hashes::checksum;
    "BINARY_CHECKSUM" 1..=254 (Any) INT, Never, hashes::binary_checksum;
    "HASHBYTES" 2..=2 (Text, TextOrBinary) Fixed(SqlType::varbinary(8000)), Maybe, hashes::hash_bytes;
    "PWDENCRYPT" 1..=1 (Text) Fixed(SqlType::varbinary(128)), Spread, hashes::encrypt_password;
    "PWDCOMPARE" 2..=3 (Text, Any, Int) INT, Spread, hashes::compare_password;
    "GREATEST" 1..=254 (Any) Of(first_type), Maybe, |call| Ok(super::extreme(call, Ordering::Greater));
    "LEAST" 1..=254 (Any) Of(first_type), Maybe, |call| Ok(super::extreme(call, Ordering::Less));
    "ISNULL" 2..=2 (Any) Of(first_type), Maybe, |call| Ok(call.args[0].clone());
    "ISJSON" 1..=1 (Text) INT, Spread, json::is_json;
    "JSON_VALUE" 2..=2 (Text) Fixed(SqlType::nvarchar(4000)), Maybe, json::json_value;
    "JSON_QUERY" 1..=2 (Text) Fixed(SqlType::NVARCHAR_MAX), Maybe, json::json_query;
    "JSON_MODIFY" 3..=3 (Text, Text, Any) Fixed(SqlType::NVARCHAR_MAX), Maybe, json::json_modify;
    // Numbers.
    "ABS" 1..=1 (Number) Of(number_type), Spread, numbers::abs;
    "SIGN" 1..=1 (Number) Of(number_type), Spread, numbers::sign;
    "CEILING" 1..=1 (Number) Of(whole_type), Spread, numbers::ceiling;
    "FLOOR" 1..=1 (Number) Of(whole_type), Spread, numbers::floor;
    "ROUND" 2..=3 (Number, Int, Int) Of(number_type), Spread, numbers::round;
    "POWER" 2..=2 (Number, Float) Of(power_type), Spread, numbers::power;
    "SQRT" 1..=1 (Float) FLOAT, Spread, numbers::sqrt;
    "SQUARE" 1..=1 (Float) FLOAT, Spread, numbers::square;
    "EXP" 1..=1 (Float) FLOAT, Spread, numbers::exp;
    "LOG" 1..=2 (Float) FLOAT, Spread, numbers::log;
    "LOG10" 1..=1 (Float) FLOAT, Spread, numbers::log10;
    "SIN" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, f64::sin);
    "COS" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, f64::cos);
    "TAN" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, f64::tan);
    "COT" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, |x| 1.0 / x.tan());
    "ASIN" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, f64::asin);
    "ACOS" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, f64::acos);
    "ATAN" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, f64::atan);
    "ATN2" 2..=2 (Float) FLOAT, Spread, numbers::atan2;
    "DEGREES" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, f64::to_degrees);
    "RADIANS" 1..=1 (Float) FLOAT, Spread, |call| numbers::float(call, f64::to_radians);
    "BIT_COUNT" 1..=1 (Any) Fixed(SqlType::BigInt), Spread, bits::bit_count;
    "GET_BIT" 2..=2 (Any, Int) Fixed(SqlType::Bit), Spread, bits::get_bit;
    "SET_BIT" 2..=3 (Any, Int, Int) Of(bits::bits_type), Spread, bits::set_bit;
    "LEFT_SHIFT" 2..=2 (Any, BigInt) Of(bits::bits_type), Spread, bits::left_shift;
    "RIGHT_SHIFT" 2..=2 (Any, BigInt) Of(bits::bits_type), Spread, bits::right_shift;
    "PI" 0..=0 () FLOAT, Never, |_| Ok(Value::Float(std::f64::consts::PI));
    "RAND" 0..=1 (Int) FLOAT, Never, numbers::rand;
    "NEWID" 0..=0 () Fixed(SqlType::UniqueIdentifier), Never, |call| Ok(Value::Guid(call.env.new_guid()));
    "NEWSEQUENTIALID" 0..=0 () Fixed(SqlType::UniqueIdentifier), Never, |call| Ok(Value::Guid(call.env.new_guid()));
    // Dates.
    "GETDATE" 0..=0 () DATETIME, Never, dates::getdate;
    "CURRENT_TIMESTAMP" 0..=0 () DATETIME, Never, dates::getdate;
    "GETUTCDATE" 0..=0 () DATETIME, Never, dates::getutcdate;
    "SYSDATETIME" 0..=0 () Fixed(SqlType::DateTime2(7)), Never, dates::sysdatetime;
    "SYSUTCDATETIME" 0..=0 () Fixed(SqlType::DateTime2(7)), Never, dates::sysutcdatetime;
    "SYSDATETIMEOFFSET" 0..=0 () Fixed(SqlType::DateTimeOffset(7)), Never, dates::sysdatetimeoffset;
    "DATEADD" 3..=3 (Part, BigInt, Classic) Of(moment_type), Spread, dates::date_add;
    "DATEDIFF" 3..=3 (Part, Moment) INT, Spread, dates::date_diff;
    "DATEDIFF_BIG" 3..=3 (Part, Moment) Fixed(SqlType::BigInt), Spread, dates::date_diff;
    "DATEPART" 2..=2 (Part, Moment) INT, Spread, dates::date_part;
    "DATENAME" 2..=2 (Part, Moment) Fixed(SqlType::nvarchar(30)), Spread, dates::date_name;
    "DATETRUNC" 2..=2 (Part, Moment) Of(truncated_type), Spread, dates::date_trunc;
    "DATE_BUCKET" 3..=4 (Part, Int, Moment) Of(moment_type), Spread, dates::date_bucket;
    // Clauses that the binder makes calls of: no name that can be written has a blank.
    "AT TIME ZONE" 2..=2 (Any) Fixed(SqlType::DateTimeOffset(7)), Spread, zones::at_time_zone;
    "PARSE AS" 2..=2 (Text) Fixed(SqlType::Int), Spread, parse::parse;
    "TRY_PARSE AS" 2..=2 (Text) Fixed(SqlType::Int), Maybe, parse::try_parse;
    "DAY" 1..=1 (Moment) INT, Spread, dates::day;
    "MONTH" 1..=1 (Moment) INT, Spread, dates::month;
    "YEAR" 1..=1 (Moment) INT, Spread, dates::year;
    "EOMONTH" 1..=2 (Moment, Int) Fixed(SqlType::Date), Spread, dates::eomonth;
    "ISDATE" 1..=1 (Any) INT, Never, dates::is_date;
    "DATEFROMPARTS" 3..=3 (Int) Fixed(SqlType::Date), Spread, dates::date_from_parts;
    "DATETIMEFROMPARTS" 7..=7 (Int) DATETIME, Spread, dates::datetime_from_parts;
    "DATETIME2FROMPARTS" 8..=8 (Int) Fixed(SqlType::DateTime2(7)), Spread, dates::datetime2_from_parts;
    "SMALLDATETIMEFROMPARTS" 5..=5 (Int) Fixed(SqlType::SmallDateTime), Spread, dates::smalldatetime_from_parts;
    "DATETIMEOFFSETFROMPARTS" 10..=10 (Int) Fixed(SqlType::DateTimeOffset(7)), Spread, dates::datetimeoffset_from_parts;
    "TIMEFROMPARTS" 5..=5 (Int) Fixed(SqlType::Time(7)), Spread, dates::time_from_parts;
    "SWITCHOFFSET" 2..=2 (Any) Fixed(SqlType::DateTimeOffset(7)), Spread, dates::switch_offset;
    "TODATETIMEOFFSET" 2..=2 (Moment, Any) Fixed(SqlType::DateTimeOffset(7)), Spread, dates::to_datetime_offset;
    // sql_variant.
    "SQL_VARIANT_PROPERTY" 2..=2 (Any, Text) VARIANT, Maybe, variants::property;
    // The session and the instance.
    "DB_NAME" 0..=1 (Int) NAME, Maybe, session;
    "DB_ID" 0..=1 (Text) Fixed(SqlType::SmallInt), Maybe, session;
    "ORIGINAL_DB_NAME" 0..=0 () NAME, Maybe, session;
    "SUSER_SNAME" 0..=1 (Any) NAME, Maybe, session;
    "SUSER_NAME" 0..=1 (Any) NAME, Maybe, session;
    "SUSER_SID" 0..=2 (Text, Int) Fixed(SqlType::varbinary(85)), Maybe, session;
    "SID_BINARY" 1..=1 (Text) Fixed(SqlType::varbinary(85)), Maybe, session;
    "SYSTEM_USER" 0..=0 () NAME, Maybe, session;
    "ORIGINAL_LOGIN" 0..=0 () NAME, Maybe, session;
    "USER_NAME" 0..=1 (Int) NAME, Maybe, session;
    "USER" 0..=0 () NAME, Maybe, session;
    "CURRENT_USER" 0..=0 () NAME, Maybe, session;
    "SESSION_USER" 0..=0 () NAME, Maybe, session;
    "USER_ID" 0..=1 (Text) INT, Maybe, session;
    "HOST_NAME" 0..=0 () NAME, Maybe, session;
    "DEFAULT_DOMAIN" 0..=0 () NAME, Maybe, session;
    "APP_NAME" 0..=0 () NAME, Maybe, session;
    "PROGRAM_NAME" 0..=0 () NAME, Maybe, session;
    "SCHEMA_NAME" 0..=1 (Int) NAME, Maybe, session;
    "SCHEMA_ID" 0..=1 (Text) INT, Maybe, session;
    "OBJECT_ID" 1..=2 (Text) INT, Maybe, session;
    "OBJECT_NAME" 1..=2 (Int) NAME, Maybe, session;
    "OBJECT_SCHEMA_NAME" 1..=2 (Int) NAME, Maybe, session;
    "OBJECTPROPERTY" 2..=2 (Int, Text) INT, Maybe, session;
    "OBJECTPROPERTYEX" 2..=2 (Int, Text) VARIANT, Maybe, session;
    "OBJECT_DEFINITION" 1..=1 (Int) Fixed(SqlType::NVARCHAR_MAX), Maybe, session;
    "COLUMNPROPERTY" 3..=3 (Int, Text) INT, Maybe, session;
    "COL_NAME" 2..=2 (Int) NAME, Maybe, session;
    "COL_LENGTH" 2..=2 (Text) Fixed(SqlType::SmallInt), Maybe, session;
    "INDEXPROPERTY" 3..=3 (Int, Text) INT, Maybe, session;
    "INDEX_COL" 3..=3 (Text, Int) NAME, Maybe, session;
    "TYPE_ID" 1..=1 (Text) INT, Maybe, session;
    "TYPE_NAME" 1..=1 (Int) NAME, Maybe, session;
    "TYPEPROPERTY" 2..=2 (Text) INT, Maybe, session;
    "STATS_DATE" 2..=2 (Int) DATETIME, Maybe, session;
    "FILE_ID" 1..=1 (Text) Fixed(SqlType::SmallInt), Maybe, session;
    "FILE_IDEX" 1..=1 (Text) INT, Maybe, session;
    "FILE_NAME" 1..=1 (Int) NAME, Maybe, session;
    "FILEPROPERTY" 2..=2 (Text) INT, Maybe, session;
    "FILEGROUP_ID" 1..=1 (Text) INT, Maybe, session;
    "FILEGROUP_NAME" 1..=1 (Int) NAME, Maybe, session;
    "FULLTEXTSERVICEPROPERTY" 1..=1 (Text) INT, Maybe, session;
    "CERT_ID" 1..=1 (Text) INT, Maybe, session;
    "DATABASEPROPERTY" 2..=2 (Text) INT, Maybe, session;
    "DATABASE_PRINCIPAL_ID" 0..=1 (Text) INT, Maybe, session;
    "SUSER_ID" 0..=1 (Text) INT, Maybe, session;
    "LOGINPROPERTY" 2..=2 (Text) VARIANT, Maybe, session;
    "SESSION_CONTEXT" 1..=1 (Text) VARIANT, Maybe, session;
    "SERVERPROPERTY" 1..=1 (Text) VARIANT, Maybe, session;
    "DATABASEPROPERTYEX" 2..=2 (Text) VARIANT, Maybe, session;
    "CONNECTIONPROPERTY" 1..=1 (Text) VARIANT, Maybe, session;
    "SESSIONPROPERTY" 1..=1 (Text) VARIANT, Maybe, session;
    "IS_SRVROLEMEMBER" 1..=2 (Text) INT, Maybe, session;
    "IS_MEMBER" 1..=1 (Text) INT, Maybe, session;
    "IS_ROLEMEMBER" 1..=2 (Text) INT, Maybe, session;
    "HAS_PERMS_BY_NAME" 3..=5 (Text) INT, Maybe, session;
    "HAS_DBACCESS" 1..=1 (Text) INT, Maybe, session;
    "PERMISSIONS" 0..=2 (Int, Text) INT, Maybe, session;
    "CONTEXT_INFO" 0..=0 () Fixed(SqlType::varbinary(128)), Maybe, session;
    "CURSOR_STATUS" 2..=2 (Text) Fixed(SqlType::SmallInt), Maybe, session;
    "CURRENT_TIMEZONE" 0..=0 () NAME, Maybe, session;
    "CURRENT_TIMEZONE_ID" 0..=0 () NAME, Maybe, session;
    "GETANSINULL" 0..=1 (Text) Fixed(SqlType::SmallInt), Maybe, session;
    "EVENTDATA" 0..=0 () Fixed(SqlType::Xml), Maybe, |_| Ok(Value::Null);
    "MIN_ACTIVE_ROWVERSION" 0..=0 () Fixed(SqlType::Binary(8)), Never, |_| Ok(Value::Binary(vec![0; 8]));
    "KEY_ID" 1..=1 (Text) INT, Maybe, |_| Ok(Value::Null);
    "KEY_GUID" 1..=1 (Text) Fixed(SqlType::UniqueIdentifier), Maybe, |_| Ok(Value::Null);
    "ASYMKEY_ID" 1..=1 (Text) INT, Maybe, |_| Ok(Value::Null);
    "CERTPROPERTY" 2..=2 (Int, Text) VARIANT, Maybe, |_| Ok(Value::Null);
    "SYMKEYPROPERTY" 2..=2 (Int, Text) VARIANT, Maybe, |_| Ok(Value::Null);
    "ASYMKEYPROPERTY" 2..=2 (Int, Text) VARIANT, Maybe, |_| Ok(Value::Null);
    "ASSEMBLYPROPERTY" 2..=2 (Text) VARIANT, Maybe, |_| Ok(Value::Null);
    "FULLTEXTCATALOGPROPERTY" 2..=2 (Text) INT, Maybe, |_| Ok(Value::Null);
    "SCOPE_IDENTITY" 0..=0 () IDENTITY, Maybe, session;
    "ROWCOUNT_BIG" 0..=0 () Fixed(SqlType::BigInt), Never, session;
    "XACT_STATE" 0..=0 () Fixed(SqlType::SmallInt), Never, session;
    "ERROR_NUMBER" 0..=0 () INT, Maybe, session;
    "ERROR_SEVERITY" 0..=0 () INT, Maybe, session;
    "ERROR_STATE" 0..=0 () INT, Maybe, session;
    "ERROR_LINE" 0..=0 () INT, Maybe, session;
    "ERROR_PROCEDURE" 0..=0 () NAME, Maybe, session;
    "ERROR_MESSAGE" 0..=0 () Fixed(SqlType::nvarchar(4000)), Maybe, session;
}
