//! The interpreter: control flow, EXEC, transactions, TRY/CATCH, SET, and the entry points of a session.
//!
//! Scalar expressions are bound by `tsql::bind` and evaluated by `tsql::eval`. Whatever reads or writes tables
//! (SELECT with FROM, subqueries, INSERT, UPDATE, DELETE, temp tables, table variables, cursors' queries) is run
//! through the trait in `queries`.
