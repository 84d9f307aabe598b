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

/// `sp_help_notification`: alerts, email alone.
const ALERTS_EMAIL: Columns = &[
    col("alert_id", INT),
    col("alert_name", SYSNAME),
    col("use_email", INT),
    col("has_email", INT),
];

/// `sp_help_notification`: alerts, pager alone.
const ALERTS_PAGER: Columns = &[
    col("alert_id", INT),
    col("alert_name", SYSNAME),
    col("use_pager", INT),
    col("has_pager", INT),
];

/// `sp_help_notification`: alerts, netsend alone.
const ALERTS_NETSEND: Columns = &[
    col("alert_id", INT),
    col("alert_name", SYSNAME),
    col("use_netsend", INT),
    col("has_netsend", INT),
];

/// `sp_help_notification`: operators, email alone.
const OPERATORS_EMAIL: Columns = &[
    col("operator_id", INT),
    col("operator_name", SYSNAME),
    col("use_email", INT),
    col("has_email", INT),
];

/// `sp_help_notification`: operators, pager alone.
const OPERATORS_PAGER: Columns = &[
    col("operator_id", INT),
    col("operator_name", SYSNAME),
    col("use_pager", INT),
    col("has_pager", INT),
];

/// `sp_help_notification`: operators, netsend alone.
const OPERATORS_NETSEND: Columns = &[
    col("operator_id", INT),
    col("operator_name", SYSNAME),
    col("use_netsend", INT),
    col("has_netsend", INT),
];

/// Shapes of `sp_help_notification`: alerts, operators; in each all methods, then each method alone.
pub(crate) const NOTIFICATION_COLUMNS: [[Columns; 4]; 2] = [
    [
        HELP_NOTIFICATION_ALERTS,
        ALERTS_EMAIL,
        ALERTS_PAGER,
        ALERTS_NETSEND,
    ],
    [
        HELP_NOTIFICATION_OPERATORS,
        OPERATORS_EMAIL,
        OPERATORS_PAGER,
        OPERATORS_NETSEND,
    ],
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
