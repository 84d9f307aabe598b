//! Numbers of refusals, as SQL Server gives them. Source: `reference/errors.toml`; texts are our own.

/// The proof was not accepted (login, token).
pub const LOGIN_FAILED: i32 = 18_456;
/// A name that no target may have.
pub const NAME_NOT_ALLOWED: i32 = 14_271;
/// Another instance is enlisted under the name.
pub const NAME_TAKEN: i32 = 14_261;
/// Enlisted at another master already.
pub const ENLISTED_ELSEWHERE: i32 = 14_296;
/// The server asked to be a master is a target itself.
pub const IS_A_TARGET: i32 = 14_360;
/// A server can't enlist at itself.
pub const SELF_ENLIST: i32 = 14_297;
/// Not enlisted at this master.
pub const NOT_ENLISTED: i32 = 14_298;
/// The enlisting or answering server has the other role.
pub const IS_A_MASTER: i32 = 14_299;
/// The target's protocol is too old for the master.
pub const VERSION_MISMATCH: i32 = 14_306;
/// MSXOperator is missing on the master.
pub const MASTER_NOT_READY: i32 = 14_363;
/// The master is too old for the target.
pub const MASTER_TOO_OLD: i32 = 14_541;
/// A failure while the target speaks with its master, with a text of its own.
pub const CONVERSATION_FAILED: i32 = 22_026;
