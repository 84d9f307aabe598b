//! The msdb database: its tables as projections of the catalog, its stored procedures, permissions and
//! error numbers.
//!
//! Start with [`services`] for what the running instance has to offer and [`declare`] for the procedures.

pub mod declare;
pub mod messages;
pub mod services;
