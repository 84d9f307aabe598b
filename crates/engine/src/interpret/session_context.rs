//! `sp_set_session_context`: values that SESSION_CONTEXT gives back until the session ends.

use super::arguments::{self, Given, Parameter};
use super::execute::Returned;
use super::{End, Failure, Interpreter};
use tsql::{SqlError, SqlType, Value};

/// Most bytes of all keys and values of a session. Source: SQL Server's documentation of sp_set_session_context.
const BYTES_MAX: usize = 1024 * 1024;
/// Bytes that a value without text or bytes is taken to have.
const VALUE_BYTES: usize = 16;
const NAME: &str = "sp_set_session_context";

impl Interpreter<'_> {
    /// Sets a value; one that was set read-only stays (15664), and all together are bounded (15665).
    pub(super) fn set_session_context(
        &mut self,
        given: &[Given],
    ) -> Result<(End, Returned), Failure> {
        self.keep_in_session(given)
            .map_err(|error| Failure::of_statement(error.in_procedure(NAME)))?;
        self.sink.procedure_done(0)?;
        Ok((End::Next, Returned::default()))
    }

    fn keep_in_session(&self, given: &[Given]) -> Result<(), SqlError> {
        let parameter = |name: &str, ty, default| Parameter::value(name, ty, default, false);
        let parameters = [
            parameter("@key", SqlType::SYSNAME, None),
            parameter("@value", SqlType::SqlVariant, None),
            parameter("@read_only", SqlType::Bit, Some(Value::Bit(false))),
        ];
        let bound = arguments::bind(NAME, &parameters, given)?;
        let [key, value, read_only] = &bound[..] else {
            return Ok(());
        };
        let key = key.value.as_str().unwrap_or_default();
        let lower = key.to_lowercase();
        let mut facts = self.core.shared.facts();
        let kept = &mut facts.session_context;
        if kept.get(&lower).is_some_and(|(_, fixed)| *fixed) {
            return Err(SqlError::new(
                15664,
                16,
                format!(
                    "Cannot set key '{key}' in the session context. The key has been set as read_only for this session."
                ),
            ));
        }
        let others = kept.iter().filter(|(known, _)| **known != lower);
        let taken: usize = others
            .map(|(known, (value, _))| known.len() + size(value))
            .sum();
        if taken + lower.len() + size(&value.value) > BYTES_MAX {
            return Err(SqlError::new(
                15665,
                16,
                format!(
                    "The value was not set for key '{key}' because the total size of keys and values in the session context would exceed the 1 MB limit."
                ),
            ));
        }
        let fixed = read_only.value.as_i64() == Some(1);
        kept.insert(lower, (value.value.clone(), fixed));
        Ok(())
    }
}

/// Bytes that a value takes.
fn size(value: &Value) -> usize {
    match (value.as_str(), value) {
        (Some(text), _) => text.len() * 2,
        (None, Value::Binary(bytes)) => bytes.len(),
        (None, _) => VALUE_BYTES,
    }
}
