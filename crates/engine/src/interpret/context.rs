//! EXECUTE AS and REVERT: whose rights count, and until when.
//!
//! The host knows identities; what was taken on stands here, with the level it was taken on at. What a module or a text
//! took on ends with it; what the session itself took on stays until REVERT.

use super::{End, Failure, Frame, Interpreter, NESTING_MAX};
use crate::databases::ExecuteAs;
use crate::host::{Identity, Impersonated};
use crate::session::permanent::Found;
use tsql::ast::{self, ExecuteAsPrincipal, Expr, Variable};
use tsql::convert::{self, Style};
use tsql::{SqlError, SqlType, Value, messages};
use uuid::Uuid;

/// Contexts that may stand on each other.
const CONTEXTS_MAX: usize = 32;

/// An identity that was taken on, and what it takes to be back.
#[derive(Debug)]
pub(crate) struct Context {
    /// The identity before.
    before: Identity,
    /// The database it was taken on in.
    database: String,
    /// The nesting level of the statement.
    level: u32,
    hold: Hold,
}

/// What keeps a context.
#[derive(Debug, PartialEq, Eq)]
enum Hold {
    Nothing,
    /// WITH COOKIE
    Cookie(Vec<u8>),
    /// WITH NO REVERT
    Forever,
}

impl Context {
    /// One that nothing ends.
    pub(crate) fn for_good(before: Identity, database: &str) -> Self {
        Self {
            before,
            database: database.to_owned(),
            level: 0,
            hold: Hold::Forever,
        }
    }

    /// Whether nobody but the holder of a cookie can end it.
    pub(crate) fn stays(&self) -> bool {
        self.hold != Hold::Nothing
    }
}

impl Interpreter<'_> {
    fn level(&self) -> u32 {
        self.core.shared.facts().nest_level
    }

    /// `EXECUTE AS …`
    pub(super) fn execute_as(
        &mut self,
        statement: &ast::ExecuteAs,
        frame: &mut Frame,
    ) -> Result<(), SqlError> {
        self.no_side_effects("EXECUTE AS")?;
        let level = self.level();
        if level > 0 && (statement.no_revert || statement.cookie.is_some()) {
            return Err(messages::ADHOC_ONLY.with(&[]));
        }
        if self.core.contexts.len() >= CONTEXTS_MAX {
            return Err(messages::NESTING_LEVEL.with(&[&NESTING_MAX.to_string()]));
        }
        let identity = match &statement.principal {
            ExecuteAsPrincipal::Caller => self.caller(level, frame),
            principal => self.impersonated(principal, frame)?,
        };
        let hold = match &statement.cookie {
            _ if statement.no_revert => Hold::Forever,
            Some(variable) => Hold::Cookie(self.cookie_into(variable, frame)?),
            None => Hold::Nothing,
        };
        let before = self.core.shared.host().identity();
        self.core.contexts.push(Context {
            before,
            database: self.core.database.clone(),
            level,
            hold,
        });
        self.core.shared.assume(identity);
        Ok(())
    }

    /// The identity of whoever called the running module or text.
    fn caller(&self, level: u32, frame: &Frame) -> Identity {
        if let Some(caller) = &frame.caller {
            return caller.clone();
        }
        let contexts = &self.core.contexts;
        match contexts.iter().find(|context| context.level == level) {
            Some(first) if level > 0 => first.before.clone(),
            _ => self.core.shared.host().identity(),
        }
    }

    /// The identity of whom `LOGIN = …` or `USER = …` names.
    fn impersonated(
        &mut self,
        principal: &ExecuteAsPrincipal,
        frame: &Frame,
    ) -> Result<Identity, SqlError> {
        let name = |this: &mut Self, expr: &Expr| -> Result<String, SqlError> {
            let value = this.value_as(expr, SqlType::SYSNAME, frame)?;
            Ok(value.as_str().unwrap_or_default().to_owned())
        };
        let database = self.core.database.clone();
        match principal {
            ExecuteAsPrincipal::Caller => Ok(self.caller(self.level(), frame)),
            ExecuteAsPrincipal::Login(expr) => {
                let login = name(self, expr)?;
                let host = self.core.shared.host();
                host.impersonate(&database, Impersonated::Login(&login))
            }
            ExecuteAsPrincipal::User(expr) => {
                let user = name(self, expr)?;
                let host = self.core.shared.host();
                host.impersonate(&database, Impersonated::User(&user))
            }
        }
    }

    /// Makes a cookie and puts it into a variable, which has to be of a binary type.
    fn cookie_into(&self, variable: &Variable, frame: &mut Frame) -> Result<Vec<u8>, SqlError> {
        let slot = frame
            .scope
            .slot(&variable.name)
            .ok_or_else(|| tsql::fault::undeclared_variable(&variable.name))?;
        let mut cookie = Uuid::new_v4().as_bytes().to_vec();
        cookie.extend(Uuid::new_v4().as_bytes());
        let to = frame.scope.locals[slot].ty;
        let from = SqlType::varbinary(8000);
        let value = convert::convert(Value::Binary(cookie.clone()), from, to, Style::PLAIN)?;
        frame.values[slot] = value;
        Ok(cookie)
    }

    /// `REVERT [WITH COOKIE = @c]`: back to before the latest EXECUTE AS of the same module or text; nothing where there
    /// is none.
    pub(super) fn revert(
        &mut self,
        cookie: Option<&Variable>,
        frame: &Frame,
    ) -> Result<(), SqlError> {
        let level = self.level();
        let Some(context) = self.core.contexts.last().filter(|last| last.level == level) else {
            return Ok(());
        };
        if !tsql::eval::collate::same(&context.database, &self.core.database) {
            return Err(messages::REVERT_ELSEWHERE.with(&["EXECUTE AS"]));
        }
        let given = match cookie {
            Some(variable) => {
                let slot = frame
                    .scope
                    .slot(&variable.name)
                    .ok_or_else(|| tsql::fault::undeclared_variable(&variable.name))?;
                Some(&frame.values[slot])
            }
            None => None,
        };
        match (&context.hold, given) {
            (Hold::Nothing, None) => {}
            (Hold::Cookie(kept), Some(Value::Binary(given))) if kept == given => {}
            (Hold::Cookie(_), Some(_)) => return Err(messages::COOKIE_INVALID.with(&[])),
            (Hold::Nothing, Some(_)) | (Hold::Cookie(_), None) | (Hold::Forever, _) => {
                return Err(messages::CANNOT_REVERT.with(&[]));
            }
        }
        if let Some(context) = self.core.contexts.pop() {
            self.core.shared.assume(context.before);
        }
        Ok(())
    }

    /// The end of a module or text: what it took on, and what was taken on inside it, ends.
    pub(crate) fn leave_contexts(&mut self, level: u32) {
        while let Some(context) = self.core.contexts.pop_if(|context| context.level >= level) {
            self.core.shared.assume(context.before);
        }
    }

    /// The identity that a module is to run as; `None` for its caller's.
    pub(super) fn module_identity(&self, found: &Found) -> Result<Option<Identity>, SqlError> {
        let user = match found.object.module().map(|module| &module.execute_as) {
            None | Some(ExecuteAs::Caller) => return Ok(None),
            Some(ExecuteAs::Owner) => found.owner(),
            Some(ExecuteAs::User(user)) => user,
        };
        let host = self.core.shared.host();
        host.module_identity(&found.database_name, user).map(Some)
    }

    /// `EXEC ('…') AS LOGIN | USER = …`
    pub(super) fn dynamic_as(
        &mut self,
        text: &str,
        principal: Option<&ast::ExecuteAs>,
        frame: &Frame,
    ) -> Result<End, Failure> {
        let Some(principal) = principal else {
            return self.dynamic(text, Frame::default()).map(|(end, _)| end);
        };
        let identity = self.impersonated(&principal.principal, frame)?;
        let before = self.core.shared.host().identity();
        self.core.shared.assume(identity);
        let result = self.dynamic(text, Frame::default());
        self.core.shared.assume(before);
        result.map(|(end, _)| end)
    }
}
