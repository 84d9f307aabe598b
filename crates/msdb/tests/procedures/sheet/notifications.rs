//! Notifications: sp_add_notification, sp_update_notification, sp_delete_notification, sp_help_notification.

use super::{Table, done, fails};

const TOLD: &str = "SELECT a.name, o.name, n.notification_method FROM sysnotifications AS n
    JOIN sysalerts AS a ON a.id = n.alert_id JOIN sysoperators AS o ON o.id = n.operator_id ORDER BY 1, 2";
const NOTED: &str = "EXEC sp_add_notification N'alarm', N'dba', 1";

const ADD: Table = Table {
    procedure: "sp_add_notification",
    absent: &[],
    cases: &[
        done("@alert_name = N'alarm', @operator_name = N'dba', @notification_method = 1")
            .then(TOLD, &["alarm|dba|1"]),
        done("N'Alarm', N'DBA', 7").by("boss").then(TOLD, &["alarm|dba|7"]),
        done("N'alarm', N'dba', 2").then(TOLD, &["alarm|dba|2"]),
        done("N'alarm', N'other', 4")
            .after("EXEC sp_add_notification N'alarm', N'dba', 1 EXEC sp_add_operator @name = N'other'")
            .then(TOLD, &["alarm|dba|1", "alarm|other|4"]),
        // An operator that is off may be noted all the same.
        done("N'alarm', N'dba', 1")
            .after("EXEC sp_update_operator @name = N'dba', @enabled = 0")
            .then(TOLD, &["alarm|dba|1"]),
        fails("N'alarm', N'dba', 1", 14261).after(NOTED),
        fails("N'alarm', N'dba', 2", 14261).after(NOTED),
        fails("N'nothing', N'dba', 1", 14262),
        fails("N'alarm', N'nobody', 1", 14262),
        fails("N'', N'dba', 1", 14200),
        fails("N'alarm', N'', 1", 14200),
        fails("N'alarm', N'dba', 0", 14266),
        fails("N'alarm', N'dba', 8", 14266),
        fails("N'alarm', N'dba', NULL", 14266),
        fails("N'alarm', N'MSXOperator', 1", 14251),
        fails("N'alarm', N'dba'", 201),
        fails("N'alarm', N'dba', 1", 229).by("user"),
        fails("N'alarm', N'dba', 1", 229).by("operator"),
    ],
};

const UPDATE: Table = Table {
    procedure: "sp_update_notification",
    absent: &[],
    cases: &[
        done("@alert_name = N'ALARM', @operator_name = N'Dba', @notification_method = 6")
            .after(NOTED)
            .then(TOLD, &["alarm|dba|6"]),
        done("N'alarm', N'dba', 7")
            .by("boss")
            .after(NOTED)
            .then(TOLD, &["alarm|dba|7"]),
        fails("N'alarm', N'dba', 1", 14262),
        fails("N'nothing', N'dba', 1", 14262),
        fails("N'alarm', N'nobody', 1", 14262),
        fails("N'alarm', N'dba', 0", 14266).after(NOTED),
        fails("N'alarm', N'dba', 8", 14266).after(NOTED),
        fails("N'alarm'", 201),
        fails("N'alarm', N'dba', 1", 229).by("reader"),
        fails("N'alarm', N'dba', 1", 229).by("operator"),
    ],
};

const DELETE: Table = Table {
    procedure: "sp_delete_notification",
    absent: &[],
    cases: &[
        done("@alert_name = N'Alarm', @operator_name = N'DBA'")
            .after(NOTED)
            .then(TOLD, &[]),
        done("N'alarm', N'dba'").by("boss").after(NOTED).then(
            "SELECT COUNT(*) FROM sysalerts UNION ALL SELECT COUNT(*) FROM sysoperators",
            &["1", "2"],
        ),
        fails("N'alarm', N'dba'", 14262),
        fails("N'nothing', N'dba'", 14262).after(NOTED),
        fails("N'alarm', N'nobody'", 14262).after(NOTED),
        fails("N'', N'dba'", 14200),
        fails("N'alarm'", 201),
        fails("N'alarm', N'dba'", 229).by("operator").after(NOTED),
    ],
};

const OTHERS: &str = "EXEC sp_add_notification N'alarm', N'dba', 5
    EXEC sp_add_operator @name = N'other', @pager_address = N'pager', @netsend_address = N'net'
    EXEC sp_add_alert @name = N'second', @severity = 20
    EXEC sp_add_notification N'second', N'other', 2";

const HELP: Table = Table {
    procedure: "sp_help_notification",
    absent: &[],
    cases: &[
        done("'ALERTS', N'dba', 'ACTUAL', 7").after(OTHERS).gives(
            "alert_id alert_name use_email use_pager use_netsend has_email has_pager has_netsend",
            &["{alert alarm}|alarm|1|0|1|1|0|0"],
        ),
        done("'alerts', N'DBA', 'all', 7").by("boss").after(OTHERS).gives(
            "alert_name use_email use_netsend",
            &["alarm|1|1", "second|0|0"],
        ),
        done(
            "@object_type = 'ALERTS', @name = N'dba', @enum_type = 'TARGET', @notification_method = 7,
             @target_name = N'Second'",
        )
        .after(OTHERS)
        .gives("alert_name use_email", &["second|0"]),
        done("'OPERATORS', N'second', 'ACTUAL', 7").after(OTHERS).gives(
            "operator_id operator_name use_email use_pager use_netsend has_email has_pager has_netsend",
            &["{operator other}|other|0|1|0|0|1|1"],
        ),
        // MSXOperator is no one's to be told by alerts, but it is an operator.
        done("'OPERATORS', N'alarm', 'ALL', 1").after(OTHERS).gives(
            "operator_name use_email has_email",
            &["dba|1|1", "MSXOperator|0|1", "other|0|0"],
        ),
        done("'OPERATORS', N'alarm', 'TARGET', 7, N'other'")
            .after(OTHERS)
            .gives("operator_name use_pager has_pager", &["other|0|1"]),
        // One method asked for is one method shown.
        done("'ALERTS', N'dba', 'ACTUAL', 1").after(OTHERS).gives("*", &["{alert alarm}|alarm|1|1"]),
        done("'ALERTS', N'dba', 'ACTUAL', 2").after(OTHERS).gives("*", &["{alert alarm}|alarm|0|0"]),
        done("'ALERTS', N'dba', 'ACTUAL', 4").after(OTHERS).gives("*", &["{alert alarm}|alarm|1|0"]),
        fails("'JOBS', N'dba', 'ACTUAL', 7", 14266),
        fails("'ALERTS', N'dba', 'SOME', 7", 14266),
        fails("'ALERTS', N'dba', 'ACTUAL', 3", 14266),
        fails("'ALERTS', N'dba', 'ACTUAL', 0", 14266),
        fails("'ALERTS', N'nobody', 'ACTUAL', 7", 14262),
        fails("'OPERATORS', N'nothing', 'ACTUAL', 7", 14262),
        fails("'ALERTS', N'dba', 'TARGET', 7", 14502),
        fails("'ALERTS', N'dba', 'ALL', 7, N'alarm'", 14503),
        fails("'OPERATORS', N'alarm', 'ACTUAL', 7, N'dba'", 14503),
        fails("'ALERTS', N'dba', 'TARGET', 7, N'nothing'", 14262),
        fails("'OPERATORS', N'alarm', 'TARGET', 7, N'nobody'", 14262),
        fails("'ALERTS', N'dba', 'ALL'", 201),
        fails("'ALERTS', N'dba', 'ALL', 7", 229).by("user"),
        fails("'ALERTS', N'dba', 'ALL', 7", 229).by("operator"),
    ],
};

tables! {
    add: ADD,
    update: UPDATE,
    delete: DELETE,
    help: HELP,
}
