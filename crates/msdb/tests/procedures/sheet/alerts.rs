//! Alerts: sp_add_alert, sp_update_alert, sp_delete_alert, sp_help_alert.

use super::{Table, done, fails};

const MADE: &str =
    "SELECT message_id, severity, enabled, delay_between_responses, include_event_description,
    database_name, event_description_keyword, performance_condition, event_source, flags
    FROM sysalerts WHERE name = N'new'";
const RESPONSE: &str = "SELECT j.name FROM sysalerts AS a JOIN sysjobs AS j ON j.job_id = a.job_id
    WHERE a.name = N'new'";
const FREE_OF_MESSAGES: &str = "No message number is kept from alerts.";
const WMI: &str = "There is no WMI here to ask: namespace and query are taken as they are.";

const ADD: Table = Table {
    procedure: "sp_add_alert",
    absent: &[
        (14506, FREE_OF_MESSAGES),
        (14509, WMI),
        (14511, WMI),
        (14512, WMI),
    ],
    cases: &[
        done("@name = N'new', @severity = 19").then(
            MADE,
            &["0|19|1|0|5|NULL|NULL|NULL|MSSQLSERVER|0"],
        ),
        done("@name = N'new', @message_id = 50001, @severity = 0, @enabled = 0").then(
            MADE,
            &["50001|0|0|0|5|NULL|NULL|NULL|MSSQLSERVER|0"],
        ),
        done(
            "@name = N'new', @severity = 25, @delay_between_responses = 60, @include_event_description_in = 7,
             @database_name = N'msdb', @event_description_keyword = N'%disk%', @notification_message = N'Look.',
             @raise_snmp_trap = 0, @job_name = N'local', @category_name = N'Loud'",
        )
        .by("boss")
        .then(MADE, &["0|25|1|60|7|msdb|%disk%|NULL|MSSQLSERVER|0"]),
        done("@name = N'new', @message_id = 1, @job_id = '{job local}'").then(RESPONSE, &["local"]),
        done("N'new', 50001, 0, 1, 30, N'Text', 4").then(
            MADE,
            &["50001|0|1|30|4|NULL|NULL|NULL|MSSQLSERVER|0"],
        ),
        // A multiserver job answers as well; 0x00 and an empty name are no job.
        done("@name = N'new', @message_id = 1, @job_name = N'fleet'").then(RESPONSE, &["fleet"]),
        done("@name = N'new', @message_id = 1, @job_id = 0x00").then(RESPONSE, &[]),
        done("@name = N'new', @message_id = 1, @job_name = N''").then(RESPONSE, &[]),
        done(
            "@name = N'new', @performance_condition = N'SQLAgent:Jobs|Active jobs|_Total|>|5'",
        )
        .then(
            MADE,
            &["0|0|1|0|5|NULL|NULL|SQLAgent:Jobs|Active jobs|_Total|>|5|MSSQLSERVER|0"],
        ),
        done("@name = N'new', @performance_condition = N'Databases|Data File(s) Size (KB)||<|1.5'")
            .then(
                "SELECT COUNT(*) FROM sysalerts WHERE performance_condition LIKE N'Databases|%||<|1.5'",
                &["1"],
            ),
        done("@name = N'new', @wmi_namespace = N'\\\\.\\root\\x', @wmi_query = N'SELECT * FROM e'")
            .then(
                MADE,
                &["0|0|1|0|5|\\\\.\\root\\x|NULL|SELECT * FROM e|WMI|0"],
            ),
        // The same condition in another database is another condition.
        done("@name = N'new', @severity = 17, @database_name = N'msdb'").then(
            "SELECT COUNT(*) FROM sysalerts WHERE severity = 17",
            &["2"],
        ),
        done("@name = N'new', @severity = 17, @event_description_keyword = N'disk'").then(
            "SELECT COUNT(*) FROM sysalerts WHERE severity = 17",
            &["2"],
        ),
        fails("@name = N'ALARM', @severity = 19", 14261),
        fails("@name = N'', @severity = 19", 14200),
        fails("@name = NULL, @severity = 19", 14200),
        fails("@severity = 19", 201),
        fails("@name = N'new', @severity = 17", 14501),
        fails("@name = N'new', @severity = 17, @enabled = 0, @job_name = N'local'", 14501),
        fails("@name = N'new'", 14500),
        fails("@name = N'new', @message_id = 0, @severity = 0", 14500),
        fails("@name = N'new', @message_id = 1, @severity = 1", 14500),
        fails("@name = N'new', @severity = 26", 14266),
        fails("@name = N'new', @severity = -1", 14266),
        fails("@name = N'new', @message_id = -1", 14266),
        fails("@name = N'new', @severity = 19, @enabled = 2", 14266),
        fails("@name = N'new', @severity = 19, @delay_between_responses = -1", 14266),
        fails("@name = N'new', @severity = 19, @include_event_description_in = 8", 14266),
        fails("@name = N'new', @performance_condition = N'a|b|c|>'", 14507),
        fails("@name = N'new', @performance_condition = N'a|b|c|!|1'", 14507),
        fails("@name = N'new', @performance_condition = N'a|b|c|=|x'", 14507),
        fails("@name = N'new', @performance_condition = N'|b|c|=|1'", 14507),
        fails("@name = N'new', @performance_condition = N'a||c|=|1'", 14507),
        fails("@name = N'new', @message_id = 1, @performance_condition = N'a|b|c|>|1'", 14505),
        fails("@name = N'new', @severity = 1, @performance_condition = N'a|b|c|>|1'", 14505),
        fails(
            "@name = N'new', @database_name = N'msdb', @performance_condition = N'a|b|c|>|1'",
            14505,
        ),
        fails(
            "@name = N'new', @event_description_keyword = N'x', @performance_condition = N'a|b|c|>|1'",
            14505,
        ),
        fails("@name = N'new', @wmi_namespace = N'root'", 14508),
        fails("@name = N'new', @wmi_query = N'SELECT 1'", 14508),
        fails("@name = N'new', @wmi_namespace = N'r', @wmi_query = N'q', @severity = 1", 14510),
        fails("@name = N'new', @wmi_namespace = N'r', @wmi_query = N'q', @message_id = 1", 14510),
        fails(
            "@name = N'new', @wmi_namespace = N'r', @wmi_query = N'q', @database_name = N'msdb'",
            14510,
        ),
        fails(
            "@name = N'new', @wmi_namespace = N'r', @wmi_query = N'q', @performance_condition = N'a|b|c|>|1'",
            14510,
        ),
        fails(
            "@name = N'new', @wmi_namespace = N'r', @wmi_query = N'q', @event_description_keyword = N'x'",
            14510,
        ),
        fails("@name = N'new', @severity = 19, @job_name = N'nothing'", 14262),
        fails("@name = N'new', @severity = 19, @job_id = '00000000-0000-0000-0000-000000000009'", 14262),
        fails("@name = N'new', @severity = 19, @job_name = N'bare'", 14527),
        fails("@name = N'new', @severity = 19, @job_id = '{job bare}'", 14527),
        fails("@name = N'new', @severity = 19, @category_name = N'nothing'", 14234),
        // A category of another class is none.
        fails("@name = N'new', @severity = 19, @category_name = N'Ours'", 14234),
        fails("@name = N'new', @severity = 19", 229).by("user"),
        fails("@name = N'new', @severity = 19", 229).by("operator"),
        fails("@name = N'new', @severity = 19", 229).by("target"),
    ],
};

const ALARM: &str = "SELECT name, message_id, severity, enabled FROM sysalerts";

const UPDATE: Table = Table {
    procedure: "sp_update_alert",
    absent: &[],
    cases: &[
        done("@name = N'alarm'").then(ALARM, &["alarm|0|17|1"]).unchanged(),
        done("@name = N'Alarm', @new_name = N'ALARM'").then(ALARM, &["ALARM|0|17|1"]),
        done("@name = N'alarm', @new_name = N'new', @enabled = 0")
            .by("boss")
            .then(ALARM, &["new|0|17|0"]),
        done("@name = N'alarm', @severity = 18").then(ALARM, &["alarm|0|18|1"]),
        done("@name = N'alarm', @message_id = 50001, @severity = 0").then(
            ALARM,
            &["alarm|50001|0|1"],
        ),
        done(
            "@name = N'alarm', @delay_between_responses = 5, @notification_message = N'Go.',
             @include_event_description_in = 0, @database_name = N'msdb', @event_description_keyword = N'x',
             @raise_snmp_trap = 1, @category_name = N'Loud'",
        )
        .then(
            "SELECT delay_between_responses, notification_message, include_event_description, database_name,
                event_description_keyword FROM sysalerts",
            &["5|Go.|0|msdb|x"],
        ),
        // An empty text takes the value away.
        done("@name = N'alarm', @notification_message = N'', @database_name = N''")
            .after("EXEC sp_update_alert N'alarm', @notification_message = N'x', @database_name = N'msdb'")
            .then(
                "SELECT notification_message, database_name FROM sysalerts",
                &["NULL|NULL"],
            ),
        done("@name = N'alarm', @job_name = N'second'").then(
            "SELECT j.name FROM sysalerts AS a JOIN sysjobs AS j ON j.job_id = a.job_id",
            &["second"],
        ),
        done("@name = N'alarm', @job_id = '{job own}'").then(
            "SELECT j.name FROM sysalerts AS a JOIN sysjobs AS j ON j.job_id = a.job_id",
            &["own"],
        ),
        done("@name = N'alarm', @job_id = 0x00").then(
            "SELECT job_id FROM sysalerts",
            &["00000000-0000-0000-0000-000000000000"],
        ),
        done("@name = N'alarm', @severity = 0, @performance_condition = N'a|b|c|>|1'").then(
            "SELECT severity, performance_condition FROM sysalerts",
            &["0|a|b|c|>|1"],
        ),
        done(
            "@name = N'alarm', @severity = 0, @wmi_namespace = N'root', @wmi_query = N'SELECT *'",
        )
        .then("SELECT event_source, database_name FROM sysalerts", &["WMI|root"]),
        done(
            "@name = N'alarm', @occurrence_count = 0, @count_reset_date = 20261101, @count_reset_time = 93000,
             @last_occurrence_date = 0, @last_occurrence_time = 0, @last_response_date = 0, @last_response_time = 0",
        )
        .then(
            "SELECT occurrence_count, count_reset_date, count_reset_time, last_occurrence_date, last_response_date
             FROM sysalerts",
            &["0|20261101|93000|0|0"],
        ),
        fails("@name = N'nothing'", 14262),
        fails("@name = N''", 14200),
        fails("@enabled = 1", 201),
        fails("@name = N'alarm', @new_name = N'other'", 14261)
            .after("EXEC sp_add_alert @name = N'other', @severity = 18"),
        fails("@name = N'alarm', @severity = 18", 14501)
            .after("EXEC sp_add_alert @name = N'other', @severity = 18"),
        fails("@name = N'alarm', @message_id = 50001", 14500),
        fails("@name = N'alarm', @severity = 0", 14500),
        fails("@name = N'alarm', @performance_condition = N'a|b|c|>|1'", 14505),
        fails("@name = N'alarm', @severity = 0, @performance_condition = N'a|b|>|1'", 14507),
        fails("@name = N'alarm', @wmi_namespace = N'root', @wmi_query = N'q'", 14510),
        fails("@name = N'alarm', @wmi_query = N'q'", 14508),
        fails("@name = N'alarm', @enabled = 2", 14266),
        fails("@name = N'alarm', @severity = 26", 14266),
        fails("@name = N'alarm', @message_id = -1, @severity = 0", 14266),
        fails("@name = N'alarm', @delay_between_responses = -1", 14266),
        fails("@name = N'alarm', @include_event_description_in = 8", 14266),
        fails("@name = N'alarm', @occurrence_count = 1", 14266),
        fails("@name = N'alarm', @last_occurrence_date = 20261101", 14266),
        fails("@name = N'alarm', @last_occurrence_time = 1", 14266),
        fails("@name = N'alarm', @last_response_date = 20261101", 14266),
        fails("@name = N'alarm', @last_response_time = 1", 14266),
        fails("@name = N'alarm', @count_reset_date = 20261301", 14287),
        fails("@name = N'alarm', @count_reset_date = 20261101, @count_reset_time = 250000", 14287),
        fails("@name = N'alarm', @job_name = N'draft'", 14527),
        fails("@name = N'alarm', @job_name = N'nothing'", 14262),
        fails("@name = N'alarm', @category_name = N'Night'", 14234),
        fails("@name = N'alarm', @enabled = 0", 229).by("operator"),
        fails("@name = N'alarm', @enabled = 0", 229).by("user"),
    ],
};

const DELETE: Table = Table {
    procedure: "sp_delete_alert",
    absent: &[],
    cases: &[
        done("@name = N'alarm'").then("SELECT name FROM sysalerts", &[]),
        done("N'ALARM'").by("boss").then("SELECT name FROM sysalerts", &[]),
        // Its notifications go with it; operator and job stay.
        done("@name = N'alarm'")
            .after("EXEC sp_add_notification N'alarm', N'dba', 1")
            .then(
                "SELECT (SELECT COUNT(*) FROM sysnotifications), (SELECT COUNT(*) FROM sysoperators),
                    (SELECT COUNT(*) FROM sysjobs WHERE name = N'local')",
                &["0|2|1"],
            ),
        fails("@name = N'nothing'", 14262),
        fails("@name = N''", 14200),
        fails("", 201),
        fails("@name = N'alarm'", 229).by("user"),
        fails("@name = N'alarm'", 229).by("operator"),
    ],
};

const ALERT_ROW: &str = "name event_source message_id severity enabled delay_between_responses \
                         last_occurrence_date occurrence_count job_name has_notification flags \
                         performance_condition category_name wmi_namespace wmi_query type";

const HELP: Table = Table {
    procedure: "sp_help_alert",
    absent: &[],
    cases: &[
        done("").gives(
            ALERT_ROW,
            &["alarm|MSSQLSERVER|0|17|1|0|0|0|local|0|0|NULL|[Uncategorized]|NULL|NULL|1"],
        ),
        done("@alert_name = N'ALARM'")
            .by("operator")
            .gives("name", &["alarm"]),
        done("@alert_id = {alert alarm}").gives("name id", &["alarm|{alert alarm}"]),
        done("@alert_name = N'alarm'")
            .after(
                "EXEC sp_add_notification N'alarm', N'dba', 3
                 EXEC sp_add_operator @name = N'other'
                 EXEC sp_add_notification N'alarm', N'other', 4",
            )
            .gives("has_notification", &["7"]),
        done("@order_by = N'severity'")
            .after(
                "EXEC sp_add_alert @name = N'a', @severity = 20
                 EXEC sp_add_alert @name = N'b', @severity = 10",
            )
            .gives("name", &["b", "alarm", "a"]),
        done("")
            .after(
                "EXEC sp_add_alert @name = N'a', @severity = 20
                 EXEC sp_add_alert @name = N'b', @severity = 10",
            )
            .gives("name", &["a", "alarm", "b"]),
        done("@category_name = N'loud'")
            .after("EXEC sp_add_alert @name = N'a', @severity = 20, @category_name = N'Loud'")
            .gives("name category_name", &["a|Loud"]),
        done("@category_name = N'Loud'").gives("name", &[]),
        done("@alert_name = N'a'")
            .after("EXEC sp_add_alert @name = N'a', @performance_condition = N'o|c||<|1'")
            .gives(
                "type performance_condition database_name",
                &["2|o|c||<|1|NULL"],
            ),
        done("@alert_name = N'a'")
            .after("EXEC sp_add_alert @name = N'a', @wmi_namespace = N'root', @wmi_query = N'q'")
            .gives(
                "type event_source database_name performance_condition wmi_namespace wmi_query",
                &["3|WMI|NULL|NULL|root|q"],
            ),
        done("@alert_name = N'a', @legacy_format = 1")
            .after("EXEC sp_add_alert @name = N'a', @wmi_namespace = N'root', @wmi_query = N'q'")
            .gives("type performance_condition", &["3|q"]),
        fails("@alert_name = N'nothing'", 14262),
        fails("@alert_id = 99", 14262),
        fails("@category_name = N'nothing'", 14234),
        fails("@order_by = N'nothing'", 14266),
        fails("@order_by = N'name; DROP TABLE x'", 14266),
        fails("", 229).by("user"),
        fails("", 229).by("reader"),
        fails("", 229).by("target"),
    ],
};

tables! {
    add: ADD,
    update: UPDATE,
    delete: DELETE,
    help: HELP,
}
