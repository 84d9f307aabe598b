//! Categories: procedures and their result sets.

use super::{
    BIT, Columns, Database, Execute, INT, Procedure, SYSNAME, TINYINT, col, int, null, required,
    text, varchar,
};

/// `sp_help_category`: categories (@suffix = 0).
pub(crate) const HELP_CATEGORY_CATEGORIES: Columns = &[
    col("category_id", INT),
    col("category_type", TINYINT),
    col("name", SYSNAME),
];

/// `sp_help_category`: categories text (@suffix = 1).
pub(crate) const HELP_CATEGORY_CATEGORIES_TEXT: Columns = &[
    col("category_id", INT),
    col("category_type", SYSNAME),
    col("name", SYSNAME),
];

/// The declarations.
pub(super) const PROCEDURES: &[Procedure] = &[
    Procedure {
        name: "sp_add_category",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            text("@class", varchar(8), "JOB"),
            text("@type", varchar(12), "LOCAL"),
            required("@name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_update_category",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[
            required("@class", varchar(8)),
            required("@name", SYSNAME),
            required("@new_name", SYSNAME),
        ],
        results: &[],
    },
    Procedure {
        name: "sp_delete_category",
        database: Database::Msdb,
        execute: Execute::Sysadmin,
        params: &[required("@class", varchar(8)), required("@name", SYSNAME)],
        results: &[],
    },
    Procedure {
        name: "sp_help_category",
        database: Database::Msdb,
        execute: Execute::User,
        params: &[
            text("@class", varchar(8), "JOB"),
            null("@type", varchar(12)),
            null("@name", SYSNAME),
            int("@suffix", BIT, 0),
        ],
        results: &[
            ("categories", HELP_CATEGORY_CATEGORIES),
            ("categories_text", HELP_CATEGORY_CATEGORIES_TEXT),
        ],
    },
];
