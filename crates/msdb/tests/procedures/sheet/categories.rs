//! Categories: sp_add_category, sp_update_category, sp_delete_category, sp_help_category.

use super::{Table, done, fails};

const MADE: &str =
    "SELECT name, category_class, category_type FROM syscategories WHERE name = N'new'";
const KNOWN: &str = "The class has a number of its own for a name that it does not know: 14526.";

const ADD: Table = Table {
    procedure: "sp_add_category",
    absent: &[],
    cases: &[
        done("@name = N'new'").then(MADE, &["new|1|1"]),
        done("@class = 'JOB', @type = 'LOCAL', @name = N' new '").then(MADE, &["new|1|1"]),
        done("@class = 'job', @type = 'multi-server', @name = N'new'").then(MADE, &["new|1|2"]),
        done("@class = 'ALERT', @type = 'NONE', @name = N'new'").then(MADE, &["new|2|3"]),
        done("@class = 'OPERATOR', @name = N'new'").then(MADE, &["new|3|3"]),
        done("@name = N'new'")
            .by("dbowner")
            .then(MADE, &["new|1|1"]),
        done("'JOB', 'LOCAL', N'new'")
            .by("boss")
            .then(MADE, &["new|1|1"]),
        // Unique within a class alone.
        done("@class = 'ALERT', @type = 'NONE', @name = N'Ours'").then(
            "SELECT category_class FROM syscategories WHERE name = N'Ours'",
            &["1", "2"],
        ),
        // The first free number is 100; numbers below belong to the built-in ones.
        done("@name = N'new'").then(
            "SELECT COUNT(*) FROM syscategories WHERE name = N'new' AND category_id >= 100",
            &["1"],
        ),
        fails("@name = N'ours'", 14261),
        fails("@name = N'Database Maintenance'", 14261),
        fails("@class = 'ALERT', @type = 'NONE', @name = N'loud'", 14261),
        fails("@class = 'STEP', @name = N'new'", 14266),
        fails("@class = NULL, @name = N'new'", 14266),
        fails("@type = 'NONE', @name = N'new'", 14266),
        fails("@type = 'REMOTE', @name = N'new'", 14266),
        fails("@class = 'ALERT', @type = 'LOCAL', @name = N'new'", 14266),
        fails(
            "@class = 'OPERATOR', @type = 'MULTI-SERVER', @name = N'new'",
            14266,
        ),
        fails("@name = N''", 14200),
        fails("@name = NULL", 14200),
        fails("@class = 'JOB'", 201),
        fails("@name = N'new', @kind = 1", 8145),
        fails("'JOB', 'LOCAL', N'new', 1", 8144),
        fails("@name = N'new'", 229).by("user"),
        fails("@name = N'new'", 229).by("operator"),
        fails("@name = N'new'", 229).by("guest1"),
    ],
};

const UPDATE: Table = Table {
    procedure: "sp_update_category",
    absent: &[(14262, KNOWN)],
    cases: &[
        done("@class = 'JOB', @name = N'ours', @new_name = N'new'").then(MADE, &["new|1|1"]),
        done("@class = 'job', @name = N'Theirs', @new_name = N'new'").then(MADE, &["new|1|2"]),
        done("@class = 'ALERT', @name = N'Loud', @new_name = N'new'").then(MADE, &["new|2|3"]),
        done("@class = 'OPERATOR', @name = N'Night', @new_name = N'new'")
            .by("boss")
            .then(MADE, &["new|3|3"]),
        // Its own name in another case, and the name of another class.
        done("@class = 'JOB', @name = N'Ours', @new_name = N'OURS'").then(
            "SELECT name FROM syscategories WHERE name = N'ours'",
            &["OURS"],
        ),
        done("@class = 'JOB', @name = N'Ours', @new_name = N'Loud'").then(
            "SELECT category_class FROM syscategories WHERE name = N'Loud' ORDER BY 1",
            &["1", "2"],
        ),
        fails(
            "@class = 'JOB', @name = N'Ours', @new_name = N'theirs'",
            14261,
        ),
        fails(
            "@class = 'JOB', @name = N'Ours', @new_name = N'Jobs from MSX'",
            14261,
        ),
        fails(
            "@class = 'JOB', @name = N'nowhere', @new_name = N'new'",
            14526,
        ),
        fails(
            "@class = 'ALERT', @name = N'Ours', @new_name = N'new'",
            14526,
        ),
        fails(
            "@class = 'JOB', @name = N'Database Maintenance', @new_name = N'new'",
            14276,
        ),
        fails(
            "@class = 'JOB', @name = N'[Uncategorized (Local)]', @new_name = N'new'",
            14276,
        ),
        fails(
            "@class = 'STEP', @name = N'Ours', @new_name = N'new'",
            14266,
        ),
        fails("@class = 'JOB', @name = N'Ours', @new_name = N' '", 14200),
        fails("@class = 'JOB', @name = N'', @new_name = N'new'", 14200),
        fails("@class = 'JOB', @name = N'Ours'", 201),
        fails("@name = N'Ours', @new_name = N'new'", 201),
        fails("@class = 'JOB', @name = N'Ours', @new_name = N'new'", 229).by("user"),
        fails("@class = 'JOB', @name = N'Ours', @new_name = N'new'", 229).by("operator"),
    ],
};

const DELETE: Table = Table {
    procedure: "sp_delete_category",
    absent: &[(14262, KNOWN)],
    cases: &[
        done("@class = 'JOB', @name = N'OURS'").then(
            "SELECT COUNT(*) FROM syscategories WHERE name = N'Ours'",
            &["0"],
        ),
        // What was in it falls back to the class's own.
        done("@class = 'JOB', @name = N'Ours'")
            .after("EXEC sp_update_job @job_name = N'local', @category_name = N'Ours'")
            .then(
                "SELECT category_id FROM sysjobs WHERE name = N'local'",
                &["0"],
            ),
        done("@class = 'JOB', @name = N'Theirs'")
            .after("EXEC sp_update_job @job_name = N'fleet', @category_name = N'Theirs'")
            .then(
                "SELECT category_id FROM sysjobs WHERE name = N'fleet'",
                &["2"],
            ),
        done("@class = 'ALERT', @name = N'Loud'")
            .after("EXEC sp_update_alert @name = N'alarm', @category_name = N'Loud'")
            .then(
                "SELECT category_id FROM sysalerts WHERE name = N'alarm'",
                &["98"],
            ),
        done("@class = 'OPERATOR', @name = N'Night'")
            .by("boss")
            .after("EXEC sp_update_operator @name = N'dba', @category_name = N'Night'")
            .then(
                "SELECT category_id FROM sysoperators WHERE name = N'dba'",
                &["99"],
            ),
        fails("@class = 'JOB', @name = N'nowhere'", 14526),
        fails("@class = 'OPERATOR', @name = N'Ours'", 14526),
        fails("@class = 'JOB', @name = N'Jobs from MSX'", 14276),
        fails(
            "@class = 'JOB', @name = N'[Uncategorized (Multi-Server)]'",
            14276,
        ),
        fails("@class = 'ALERT', @name = N'[Uncategorized]'", 14276),
        fails("@class = 'OPERATOR', @name = N'[Uncategorized]'", 14276),
        fails("@class = 'STEP', @name = N'Ours'", 14266),
        fails("@class = 'JOB', @name = N''", 14200),
        fails("@class = 'JOB'", 201),
        fails("@name = N'Ours'", 201),
        fails("@class = 'JOB', @name = N'Ours'", 229).by("user"),
        fails("@class = 'JOB', @name = N'Ours'", 229).by("operator"),
    ],
};

const HELP: Table = Table {
    procedure: "sp_help_category",
    absent: &[],
    cases: &[
        done("@name = N'ours'").gives("*", &["{category Ours}|1|Ours"]),
        done("@name = N'Ours', @suffix = 1").gives("*", &["{category Ours}|LOCAL|Ours"]),
        done("@type = 'MULTI-SERVER'").gives(
            "*",
            &[
                "2|2|[Uncategorized (Multi-Server)]",
                "{category Theirs}|2|Theirs",
            ],
        ),
        done("@class = 'ALERT', @type = 'NONE', @suffix = 1")
            .by("user")
            .gives(
                "category_type name",
                &["NONE|[Uncategorized]", "NONE|Loud", "NONE|Replication"],
            ),
        done("@class = 'OPERATOR'")
            .by("operator")
            .gives("*", &["99|3|[Uncategorized]", "{category Night}|3|Night"]),
        done("@class = 'JOB', @name = N'Theirs', @suffix = 1")
            .by("reader")
            .gives("category_type", &["MULTI-SERVER"]),
        done("@class = 'JOB', @type = 'LOCAL', @name = N'Theirs'").gives("*", &[]),
        fails("@class = 'STEP'", 14266),
        fails("@type = 'REMOTE'", 14266),
        fails("@type = 'NONE'", 14266),
        fails("@class = 'ALERT', @type = 'LOCAL'", 14266),
        fails("", 229).by("guest1"),
    ],
};

tables! {
    add: ADD,
    update: UPDATE,
    delete: DELETE,
    help: HELP,
}
