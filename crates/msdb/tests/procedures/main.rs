//! Procedures and tables through the engine's host, over a real catalog in a temporary directory.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something is not as it should be"
)]

mod agent;
mod alerts;
mod as_code;
mod enlistment;
mod error_logs;
mod external_history;
mod grants;
mod history;
mod impersonation;
mod jobs;
mod made;
mod metadata;
mod operators;
mod permissions;
mod principals;
mod proxies;
mod public_scripts;
mod random;
mod registry;
mod schedules;
mod scripts;
mod security;
mod sheet;
mod steps;
mod support;
mod system;
mod tables;
mod targets;
mod transactions;
mod tsx;
mod two_admins;
mod wrong_input;
