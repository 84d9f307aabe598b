//! Clauses that compute like functions: AT TIME ZONE, PARSE.

use super::Binder;
use super::coerce::coerce;
use super::expr::text;
use super::ir::{TypedExpr, TypedKind};
use super::types::{DefaultLength, resolve_type};
use crate::ast::{Expr, TypeName};
use crate::convert;
use crate::error::SqlError;
use crate::eval;
use crate::fault;
use crate::types::SqlType;
use crate::value::Value;

fn call(name: &str, args: Vec<TypedExpr>, ty: SqlType) -> Result<TypedExpr, SqlError> {
    let function = eval::find(name).ok_or_else(|| fault::internal("a clause is no function"))?;
    Ok(TypedExpr {
        kind: TypedKind::Call { function, args },
        ty,
        nullable: true,
    })
}

impl Binder<'_> {
    /// `x AT TIME ZONE zone`: datetimeoffset with as many digits as the moment's type shows.
    pub(super) fn at_time_zone(
        &mut self,
        operand: &Expr,
        zone: &Expr,
    ) -> Result<TypedExpr, SqlError> {
        let mut moment = self.expr(operand)?;
        if moment.is_null_constant() {
            moment = coerce(moment, SqlType::DateTime2(7))?;
        }
        let digits = match moment.ty {
            SqlType::SmallDateTime => 0,
            SqlType::DateTime => 3,
            SqlType::DateTime2(digits) | SqlType::DateTimeOffset(digits) => digits,
            other => return Err(fault::invalid_argument(other, 1, "AT TIME ZONE")),
        };
        let zone = text(self.expr(zone)?)?;
        call(
            "AT TIME ZONE",
            vec![moment, zone],
            SqlType::DateTimeOffset(digits),
        )
    }

    /// `PARSE(x AS type USING culture)`
    pub(super) fn parse_as(
        &mut self,
        operand: &Expr,
        ty: &TypeName,
        culture: Option<&Expr>,
        safe: bool,
    ) -> Result<TypedExpr, SqlError> {
        let ty = resolve_type(ty, DefaultLength::Conversion)?;
        if !convert::is_date_or_time(ty) && (!convert::is_number(ty) || ty == SqlType::Bit) {
            return Err(fault::not_supported(&format!("PARSE as {}", ty.name())));
        }
        let operand = text(self.expr(operand)?)?;
        let culture = match culture {
            Some(culture) => text(self.expr(culture)?)?,
            None => TypedExpr::constant(Value::string("en-US"), SqlType::varchar(5)),
        };
        let name = if safe { "TRY_PARSE AS" } else { "PARSE AS" };
        call(name, vec![operand, culture], ty)
    }
}
