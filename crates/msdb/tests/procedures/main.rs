//! Procedures and tables through the engine's host, over a real catalog in a temporary directory.

mod enlistment;
mod history;
mod jobs;
mod operators;
mod permissions;
mod registry;
mod schedules;
mod security;
mod steps;
mod support;
mod system;
mod tables;
mod targets;
mod transactions;
