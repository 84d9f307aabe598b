//! Operators: sp_add_operator, sp_update_operator, sp_delete_operator, sp_help_operator, sp_help_operator_jobs,
//! sp_notify_operator.

use super::{TARGET, Table, done, fails};

const MADE: &str = "SELECT enabled, email_address, pager_address, netsend_address, weekday_pager_start_time,
    weekday_pager_end_time, saturday_pager_start_time, saturday_pager_end_time, sunday_pager_start_time,
    sunday_pager_end_time, pager_days FROM sysoperators WHERE name = N'new'";
const CATEGORY: &str = "SELECT c.name FROM sysoperators AS o JOIN syscategories AS c
    ON c.category_id = o.category_id WHERE o.name = N'new'";

const ADD: Table = Table {
    procedure: "sp_add_operator",
    absent: &[],
    cases: &[
        done("@name = N'new'").then(
            MADE,
            &["1|NULL|NULL|NULL|90000|180000|90000|180000|90000|180000|0"],
        ),
        done(
            "@name = N'new', @enabled = 0, @email_address = N'e', @pager_address = N'p', @netsend_address = N'n',
             @weekday_pager_start_time = 0, @weekday_pager_end_time = 235959, @saturday_pager_start_time = 1,
             @saturday_pager_end_time = 2, @sunday_pager_start_time = 3, @sunday_pager_end_time = 4,
             @pager_days = 127, @category_name = N'night'",
        )
        .by("boss")
        .then(MADE, &["0|e|p|n|0|235959|1|2|3|4|127"]),
        done("@name = N'new', @category_name = N'Night'").then(CATEGORY, &["Night"]),
        done("@name = N' new '").then(CATEGORY, &["[Uncategorized]"]),
        fails("@name = N'DBA'", 14261),
        fails("@name = N'msxoperator'", 14261),
        fails("@name = N'50%'", 14289),
        fails("@name = N''", 14200),
        fails("@name = NULL", 14200),
        fails("", 201),
        fails("@name = N'new', @enabled = 2", 14266),
        fails("@name = N'new', @pager_days = 128", 14266),
        fails("@name = N'new', @weekday_pager_start_time = 240000", 14287),
        fails("@name = N'new', @weekday_pager_end_time = -1", 14287),
        fails("@name = N'new', @saturday_pager_start_time = 6000", 14287),
        fails("@name = N'new', @saturday_pager_end_time = 60", 14287),
        fails("@name = N'new', @sunday_pager_start_time = 999999", 14287),
        fails("@name = N'new', @sunday_pager_end_time = 126000", 14287),
        fails("@name = N'new', @category_name = N'nothing'", 14234),
        fails("@name = N'new', @category_name = N'Loud'", 14234),
        fails("@name = N'new'", 229).by("user"),
        fails("@name = N'new'", 229).by("operator"),
        fails("@name = N'MSXOperator'", 14261).within(TARGET),
    ],
};

const DBA: &str =
    "SELECT name, enabled, email_address FROM sysoperators WHERE name <> N'MSXOperator'";
const FAIL_SAFE: &str = "DECLARE @name nvarchar(255)
    EXEC master.dbo.xp_instance_regread N'HKEY_LOCAL_MACHINE', N'SOFTWARE\\Microsoft\\MSSQLServer\\SQLServerAgent',
        N'AlertFailSafeOperator', @name OUTPUT
    SELECT @name";
const SET_FAIL_SAFE: &str = "EXEC master.dbo.xp_instance_regwrite N'HKEY_LOCAL_MACHINE',
    N'SOFTWARE\\Microsoft\\MSSQLServer\\SQLServerAgent', N'AlertFailSafeOperator', N'REG_SZ', N'dba'";

const UPDATE: Table = Table {
    procedure: "sp_update_operator",
    absent: &[],
    cases: &[
        done("@name = N'dba'").then(DBA, &["dba|1|dba@hq"]),
        done("@name = N'DBA', @new_name = N'Dba', @enabled = 0").by("boss").then(DBA, &["Dba|0|dba@hq"]),
        done("@name = N'dba', @email_address = N''").then(DBA, &["dba|1|NULL"]),
        done(
            "@name = N'dba', @new_name = N'new', @email_address = N'e', @pager_address = N'p',
             @netsend_address = N'n', @weekday_pager_start_time = 10000, @weekday_pager_end_time = 20000,
             @saturday_pager_start_time = 30000, @saturday_pager_end_time = 40000,
             @sunday_pager_start_time = 50000, @sunday_pager_end_time = 60000, @pager_days = 65,
             @category_name = N'Night'",
        )
        .then(MADE, &["1|e|p|n|10000|20000|30000|40000|50000|60000|65"]),
        // The fail-safe operator stays it under its new name.
        done("@name = N'dba', @new_name = N'new'").after(SET_FAIL_SAFE).then(FAIL_SAFE, &["new"]),
        done("@name = N'dba', @enabled = 0").after(SET_FAIL_SAFE).then(FAIL_SAFE, &["dba"]),
        // Targets fetch MSXOperator again.
        done("@name = N'MSXOperator', @email_address = N'new@hq'").then(
            "SELECT operation_code, target_server FROM sysdownloadlist WHERE operation_code > 5 ORDER BY 2",
            &["6|T1", "6|T2", "6|T3"],
        ),
        done("@name = N'dba', @email_address = N'new@hq'").then(
            "SELECT COUNT(*) FROM sysdownloadlist WHERE operation_code > 5",
            &["0"],
        ),
        fails("@name = N'MSXOperator', @new_name = N'new'", 14222),
        fails("@name = N'MSXOperator', @new_name = N'MSXOPERATOR'", 14222),
        fails("@name = N'MSXOperator', @enabled = 0", 14223)
            .within(TARGET),
        fails("@name = N'dba', @new_name = N'other'", 14261).after("EXEC sp_add_operator N'other'"),
        fails("@name = N'dba', @new_name = N'MSXOperator'", 14261),
        fails("@name = N'dba', @new_name = N'a%'", 14289),
        fails("@name = N'nobody'", 14262),
        fails("@name = N''", 14200),
        fails("", 201),
        fails("@name = N'dba', @enabled = 2", 14266),
        fails("@name = N'dba', @pager_days = 128", 14266),
        fails("@name = N'dba', @weekday_pager_start_time = 246000", 14287),
        fails("@name = N'dba', @sunday_pager_end_time = -5", 14287),
        fails("@name = N'dba', @category_name = N'Ours'", 14234),
        fails("@name = N'dba', @enabled = 0", 229).by("user"),
        fails("@name = N'dba', @enabled = 0", 229).by("operator"),
    ],
};

const TOLD: &str = "SELECT o.name, n.notification_method FROM sysnotifications AS n
    JOIN sysoperators AS o ON o.id = n.operator_id";
const NOTED: &str = "EXEC sp_add_operator @name = N'other'
    EXEC sp_add_notification N'alarm', N'dba', 1
    EXEC sp_update_job @job_name = N'local', @notify_level_email = 2, @notify_email_operator_name = N'dba',
        @notify_page_operator_name = N'other', @notify_netsend_operator_name = N'dba'";
const OF_JOB: &str = "SELECT e.name, n.name, p.name FROM sysjobs AS j
    LEFT JOIN sysoperators AS e ON e.id = j.notify_email_operator_id
    LEFT JOIN sysoperators AS n ON n.id = j.notify_netsend_operator_id
    LEFT JOIN sysoperators AS p ON p.id = j.notify_page_operator_id
    WHERE j.name = N'local'";

const DELETE: Table = Table {
    procedure: "sp_delete_operator",
    absent: &[],
    cases: &[
        done("@name = N'DBA'").then("SELECT name FROM sysoperators", &["MSXOperator"]),
        done("N'dba'").by("boss").after(NOTED).then(TOLD, &[]),
        done("N'dba'").after(NOTED).then(OF_JOB, &["NULL|NULL|other"]),
        done("N'dba', N'OTHER'").after(NOTED).then(TOLD, &["other|1"]),
        done("@name = N'dba', @reassign_to_operator = N'other'")
            .after(NOTED)
            .then(OF_JOB, &["other|other|other"]),
        // Who is told already is told by both methods.
        done("@name = N'dba', @reassign_to_operator = N'other'")
            .after("EXEC sp_add_operator N'other' EXEC sp_add_notification N'alarm', N'dba', 1 EXEC sp_add_notification N'alarm', N'other', 4")
            .then(TOLD, &["other|5"]),
        done("N'other'")
            .after("EXEC sp_add_operator N'other'")
            .then(DBA, &["dba|1|dba@hq"]),
        // With no target left the server need be no master.
        done("N'MSXOperator'")
            .after(
                "EXEC sp_delete_targetserver N't1', @post_defection = 0
                 EXEC sp_delete_targetserver N't2', @post_defection = 0
                 EXEC sp_delete_targetserver N't3', @post_defection = 0",
            )
            .then("SELECT name FROM sysoperators", &["dba"]),
        fails("N'nobody'", 14262),
        fails("N'dba', N'nobody'", 14262),
        fails("N'dba', N'MSXOperator'", 14251),
        fails("N'dba', N'Dba'", 14251),
        fails("N''", 14200),
        fails("", 201),
        fails("N'MSXOperator'", 14223),
        fails("N'MSXOperator'", 14223).within(TARGET),
        fails("N'dba'", 14504).after(SET_FAIL_SAFE),
        fails("N'DBA', N'other'", 14504).after(SET_FAIL_SAFE),
        fails("N'dba'", 229).by("user"),
        fails("N'dba'", 229).by("operator"),
    ],
};

const HELP: Table = Table {
    procedure: "sp_help_operator",
    absent: &[],
    cases: &[
        done("").gives("name", &["dba", "MSXOperator"]),
        done("@operator_name = N'DBA'").by("user").gives(
            "*",
            &["{operator dba}|dba|1|dba@hq|0|0|NULL|0|0|90000|180000|90000|180000|90000|180000|0|NULL|0|0|[Uncategorized]"],
        ),
        done("@operator_id = {operator MSXOperator}").by("reader").gives(
            "name email_address category_name",
            &["MSXOperator|msx@hq|[Uncategorized]"],
        ),
        done("N'dba'")
            .by("operator")
            .after("EXEC sp_update_operator N'dba', @category_name = N'Night', @pager_days = 62")
            .gives("pager_days category_name", &["62|Night"]),
        fails("@operator_name = N'nobody'", 14262),
        fails("@operator_id = 99", 14262),
        fails("@operator_name = N'dba', @operator_id = {operator dba}", 14524),
        fails("", 229).by("guest1"),
        fails("", 229).by("target"),
    ],
};

const JOBS: Table = Table {
    procedure: "sp_help_operator_jobs",
    absent: &[],
    cases: &[
        done("@operator_name = N'dba'").gives("name", &[]),
        done("N'DBA'").by("boss").after(NOTED).gives(
            "*",
            &["{job local}|local|2|0|0"],
        ),
        done("N'other'")
            .after("EXEC sp_add_operator N'other' EXEC sp_update_job @job_name = N'own', @notify_level_page = 3, @notify_page_operator_name = N'other'")
            .gives(
                "name notify_level_email notify_level_netsend notify_level_page",
                &["own|0|0|3"],
            ),
        fails("@operator_name = N'nobody'", 14262),
        fails("", 14262),
        fails("N'dba'", 229).by("guest1"),
    ],
};

const NOTIFY: Table = Table {
    procedure: "sp_notify_operator",
    absent: &[],
    cases: &[
        fails("@name = N'dba', @subject = N's', @body = N'b'", 14603),
        fails(
            "@profile_name = N'p', @id = {operator dba}, @subject = N's', @body = N'b', @file_attachments = N'f',
             @mail_database = N'msdb'",
            14603,
        )
        .by("user"),
        fails("@id = {operator dba}, @name = N'DBA'", 14603).by("operator"),
        fails("@name = N'dba'", 14601).after("EXEC sp_update_operator N'dba', @enabled = 0"),
        fails("@name = N'dba'", 14602).after("EXEC sp_update_operator N'dba', @email_address = N''"),
        fails("@subject = N's'", 14604),
        fails("@id = {operator MSXOperator}, @name = N'dba'", 14605),
        fails("@name = N'nobody'", 14262),
        fails("@id = 99", 14262),
        fails("@name = N'dba'", 229).by("guest1"),
    ],
};

tables! {
    add: ADD,
    update: UPDATE,
    delete: DELETE,
    help: HELP,
    jobs: JOBS,
    notify: NOTIFY,
}
