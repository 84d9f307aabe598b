//! Operators.

use super::text::{Call, heading};
use super::{Kind, Script};
use crate::error::Result;
use crate::lookup::category_name;
use catalog::DefinitionsRead;

pub(super) fn scripts(definitions: &dyn DefinitionsRead) -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    for operator in definitions.operators()? {
        let call = Call::new("sp_add_operator")
            .text("@name", &operator.name)
            .flag("@enabled", operator.enabled)
            .number(
                "@weekday_pager_start_time",
                operator.weekday_pager_start_time,
            )
            .number("@weekday_pager_end_time", operator.weekday_pager_end_time)
            .number(
                "@saturday_pager_start_time",
                operator.saturday_pager_start_time,
            )
            .number("@saturday_pager_end_time", operator.saturday_pager_end_time)
            .number("@sunday_pager_start_time", operator.sunday_pager_start_time)
            .number("@sunday_pager_end_time", operator.sunday_pager_end_time)
            .number("@pager_days", operator.pager_days)
            .optional("@email_address", operator.email_address.as_deref())
            .optional("@pager_address", operator.pager_address.as_deref())
            .optional("@netsend_address", operator.netsend_address.as_deref())
            .text(
                "@category_name",
                &category_name(definitions, operator.category)?,
            );
        let text = heading("Operator", &operator.name) + &call.done();
        scripts.push(Script::new(Kind::Operator, &operator.name, text));
    }
    Ok(scripts)
}
