//! The msdb database: projections, stored procedures, permissions and error numbers.
