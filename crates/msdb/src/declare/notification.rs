//! Notifications: procedures and their result sets.

use super::{
    Columns, Database, Execute, INT, Procedure, SYSNAME, TINYINT, char, col, null, required,
};

/// `sp_help_notification`: alerts (@object_type = 'ALERTS').
pub(crate) const HELP_NOTIFICATION_ALERTS: Columns = &[
    col("alert_id", INT),
    col("alert_name", SYSNAME),
    col("use_email", INT),
    col("use_pager", INT),
    col("use_netsend", INT),
    col("has_email", INT),
    col("has_pager", INT),
    col("has_netsend", INT),
];

/// `sp_help_notification`: operators (@object_type = 'OPERATORS').
pub(crate) const HELP_NOTIFICATION_OPERATORS: Columns = &[
    col("operator_id", INT),
    col("operator_name", SYSNAME),
    col("use_email", INT),
    col("use_pager", INT),
    col("use_netsend", INT),
    col("has_email", INT),
    col("has_pager", INT),
    col("has_netsend", INT),
];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_add_notification",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@alert_name", SYSNAME),
            required("@operator_name", SYSNAME),
            required("@notification_method", TINYINT),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_update_notification",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@alert_name", SYSNAME),
            required("@operator_name", SYSNAME),
            required("@notification_method", TINYINT),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_delete_notification",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@alert_name", SYSNAME),
            required("@operator_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_help_notification",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@object_type", char(9)),
            required("@name", SYSNAME),
            required("@enum_type", char(10)),
            required("@notification_method", TINYINT),
            null("@target_name", SYSNAME),
        ],
        results: &[
            ("alerts", HELP_NOTIFICATION_ALERTS),
            ("operators", HELP_NOTIFICATION_OPERATORS),
        ],
    },
];
