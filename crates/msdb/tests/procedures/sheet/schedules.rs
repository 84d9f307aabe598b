//! Schedules that stand alone: sp_add_schedule, sp_update_schedule, sp_delete_schedule, sp_help_schedule,
//! sp_get_schedule_description.

use super::{TARGET, Table, done, fails};

const NEW: &str = "SELECT name, enabled, freq_type, freq_interval, freq_subday_type, freq_subday_interval, \
                   freq_relative_interval, freq_recurrence_factor, active_start_date, active_end_date, \
                   active_start_time, active_end_time, SUSER_SNAME(owner_sid), version_number FROM sysschedules \
                   WHERE name = N'new'";
const OWNER: &str = "SELECT SUSER_SNAME(owner_sid) FROM sysschedules WHERE name = N'new'";
const QUEUE: &str =
    "SELECT target_server, operation_code FROM sysdownloadlist ORDER BY instance_id";

const ADD: Table = Table {
    procedure: "sp_add_schedule",
    absent: &[],
    cases: &[
        done("@schedule_name = N'new', @freq_type = 4")
            .then(NEW, &["new|1|4|1|1|0|0|0|20261103|99991231|0|235959|sa|1"]),
        done("N' new ', 0, 1, 0").then(NEW, &["new|0|1|0|0|0|0|0|20261103|99991231|0|235959|sa|1"]),
        done(
            "@schedule_name = N'new', @enabled = 1, @freq_type = 32, @freq_interval = 10, @freq_subday_type = 4,
            @freq_subday_interval = 15, @freq_relative_interval = 16, @freq_recurrence_factor = 2,
            @active_start_date = 20270228, @active_end_date = 20270301, @active_start_time = 10203,
            @active_end_time = 235958",
        )
        .then(NEW, &["new|1|32|10|4|15|16|2|20270228|20270301|10203|235958|sa|1"]),
        done("@schedule_name = N'new', @freq_type = 4, @freq_interval = 31, @freq_subday_type = 2, @freq_subday_interval = 10")
            .then(NEW, &["new|1|4|31|2|10|0|0|20261103|99991231|0|235959|sa|1"]),
        done("@schedule_name = N'new', @freq_type = 4, @freq_subday_type = 8, @freq_subday_interval = 1"),
        done("@schedule_name = N'new', @freq_type = 8, @freq_interval = 127, @freq_recurrence_factor = 1"),
        done("@schedule_name = N'new', @freq_type = 16, @freq_interval = 31, @freq_recurrence_factor = 1"),
        done("@schedule_name = N'new', @freq_type = 64, @freq_interval = 0"),
        done("@schedule_name = N'new', @freq_type = 128"),
        done("@schedule_name = N'new', @freq_type = 4, @active_start_date = 19900101, @active_end_date = 19900101"),
        done("@schedule_name = N'new', @freq_type = 4, @active_start_date = 0, @active_end_date = 0")
            .then(NEW, &["new|1|4|1|1|0|0|0|20261103|99991231|0|235959|sa|1"]),
        // An end before the start closes the window on the following day.
        done("@schedule_name = N'new', @freq_type = 4, @active_start_time = 220000, @active_end_time = 60000"),
        done(
            "@schedule_name = N'new', @freq_type = 4, @schedule_id = @int OUTPUT, @schedule_uid = @guid OUTPUT;
            SELECT name FROM sysschedules WHERE schedule_id = @int AND schedule_uid = @guid",
        )
        .gives("name", &["new"]),
        done("@schedule_name = N'new', @freq_type = 4, @schedule_uid = '00000000-0000-0000-0000-000000000007'").then(
            "SELECT schedule_uid FROM sysschedules WHERE name = N'new'",
            &["00000000-0000-0000-0000-000000000007"],
        ),
        // Names may repeat.
        done("@schedule_name = N'daily', @freq_type = 4")
            .then("SELECT COUNT(*) FROM sysschedules WHERE name = N'daily'", &["2"]),
        done("@schedule_name = N'new', @freq_type = 4, @originating_server = N'(local)'").then(OWNER, &["sa"]),
        done("@schedule_name = N'new', @freq_type = 4, @owner_login_name = N'user'").then(OWNER, &["user"]),
        done("@schedule_name = N'new', @freq_type = 4").by("user").then(OWNER, &["user"]),
        done("@schedule_name = N'new', @freq_type = 4, @owner_login_name = N'user'").by("user").then(OWNER, &["user"]),
        done("@schedule_name = N'new', @freq_type = 4").by("reader").then(OWNER, &["reader"]),
        done("@schedule_name = N'new', @freq_type = 4").by("operator").then(OWNER, &["operator"]),
        fails("@freq_type = 4", 201),
        fails("@schedule_name = N'', @freq_type = 4", 14200),
        fails("@schedule_name = N'new', @enabled = 2, @freq_type = 4", 14266),
        // The default 0 of the frequency is no frequency.
        fails("@schedule_name = N'new'", 14266),
        fails("@schedule_name = N'new', @freq_type = 3", 14266),
        fails("@schedule_name = N'new', @freq_type = 256", 14266),
        fails("@schedule_name = N'new', @freq_type = 2", 14295),
        fails("@schedule_name = N'new', @freq_type = 4, @freq_interval = 0", 14278),
        fails("@schedule_name = N'new', @freq_type = 8, @freq_interval = 0, @freq_recurrence_factor = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 8, @freq_interval = 128, @freq_recurrence_factor = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 8, @freq_interval = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 16, @freq_interval = 32, @freq_recurrence_factor = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 16, @freq_interval = 0, @freq_recurrence_factor = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 16, @freq_interval = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 32, @freq_interval = 11, @freq_relative_interval = 1, @freq_recurrence_factor = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 32, @freq_interval = 1, @freq_relative_interval = 3, @freq_recurrence_factor = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 32, @freq_interval = 1, @freq_relative_interval = 1", 14278),
        fails("@schedule_name = N'new', @freq_type = 4, @freq_subday_type = 3", 14266),
        fails("@schedule_name = N'new', @freq_type = 4, @freq_subday_type = 2, @freq_subday_interval = 9", 14266),
        fails("@schedule_name = N'new', @freq_type = 4, @freq_subday_type = 4, @freq_subday_interval = 0", 14266),
        fails("@schedule_name = N'new', @freq_type = 4, @freq_subday_type = 8", 14266),
        fails("@schedule_name = N'new', @freq_type = 4, @active_start_date = 19891231", 14287),
        fails("@schedule_name = N'new', @freq_type = 4, @active_start_date = 20260230", 14287),
        fails("@schedule_name = N'new', @freq_type = 4, @active_end_date = 20261301", 14287),
        fails("@schedule_name = N'new', @freq_type = 4, @active_start_time = 240000", 14287),
        fails("@schedule_name = N'new', @freq_type = 4, @active_start_time = -1", 14287),
        fails("@schedule_name = N'new', @freq_type = 4, @active_end_time = 6000", 14287),
        fails("@schedule_name = N'new', @freq_type = 4, @active_end_time = 99", 14287),
        fails("@schedule_name = N'new', @freq_type = 4, @active_start_date = 20270102, @active_end_date = 20270101", 14288),
        fails("@schedule_name = N'new', @freq_type = 4, @active_end_date = 20261102", 14288),
        fails("@schedule_name = N'new', @freq_type = 4, @schedule_uid = '{uid daily}'", 14261),
        fails("@schedule_name = N'new', @freq_type = 4, @owner_login_name = N'stranger'", 14234),
        fails("@schedule_name = N'new', @freq_type = 4, @owner_login_name = N'sa'", 14366).by("user"),
        fails("@schedule_name = N'new', @freq_type = 4, @owner_login_name = N'user'", 14366).by("operator"),
        fails("@schedule_name = N'new', @freq_type = 4, @originating_server = N'elsewhere'", 14370),
        fails("@schedule_name = N'new', @freq_type = 4, @originating_server = N'HQ'", 14274).within(TARGET),
        fails("@schedule_name = N'new', @freq_type = 4", 229).by("guest1"),
    ],
};

const SHARED: &str = "SELECT name, enabled, freq_type, freq_interval, freq_subday_type, freq_subday_interval, \
                      freq_relative_interval, freq_recurrence_factor, active_start_date, active_end_date, \
                      active_start_time, active_end_time, SUSER_SNAME(owner_sid), version_number FROM sysschedules \
                      WHERE schedule_id = {schedule shared}";

const UPDATE: Table = Table {
    procedure: "sp_update_schedule",
    absent: &[],
    cases: &[
        // What is left out stays; the version counts.
        done("@name = N'SHARED'").then(SHARED, &["shared|1|8|2|1|0|0|1|20261103|99991231|0|235959|sa|2"]),
        done("@schedule_id = {schedule shared}, @enabled = 0")
            .then(SHARED, &["shared|0|8|2|1|0|0|1|20261103|99991231|0|235959|sa|2"]),
        done(
            "@name = N'shared', @new_name = N' new ', @enabled = 0, @freq_type = 32, @freq_interval = 8,
            @freq_subday_type = 8, @freq_subday_interval = 2, @freq_relative_interval = 2,
            @freq_recurrence_factor = 3, @active_start_date = 20270101, @active_end_date = 20271231,
            @active_start_time = 60000, @active_end_time = 180000, @owner_login_name = N'user'",
        )
        .then(SHARED, &["new|0|32|8|8|2|2|3|20270101|20271231|60000|180000|user|2"]),
        // Editing does not switch it on again.
        done("@name = N'shared', @freq_interval = 4")
            .after("EXEC sp_update_schedule @name = N'shared', @enabled = 0")
            .then(SHARED, &["shared|0|8|4|1|0|0|1|20261103|99991231|0|235959|sa|3"]),
        done("@name = N'mine', @freq_interval = 2").by("user"),
        done("@name = N'mine', @enabled = 0")
            .by("operator")
            .then("SELECT enabled FROM sysschedules WHERE name = N'mine'", &["0"]),
        done("@name = N'mine', @owner_login_name = N'mate'")
            .by("boss")
            .then("SELECT SUSER_SNAME(owner_sid) FROM sysschedules WHERE name = N'mine'", &["mate"]),
        // Jobs that use it go to their targets again, whole.
        done("@name = N'weekly', @enabled = 0").then(QUEUE, &["T1|1", "T2|1", "T1|1", "T2|1"]),
        done("@name = N'weekly', @enabled = 0, @automatic_post = 0").then(QUEUE, &["T1|1", "T2|1"]),
        done("@name = N'daily', @enabled = 0").then(QUEUE, &["T1|1", "T2|1"]),
        fails("@enabled = 0", 14373),
        fails("@name = N'shared', @schedule_id = {schedule shared}", 14373),
        fails("@name = N'nowhere', @enabled = 0", 14262),
        fails("@schedule_id = 999, @enabled = 0", 14262),
        fails("@name = N'twice', @enabled = 0", 14371),
        fails("@name = N'shared', @enabled = 2", 14266),
        fails("@name = N'shared', @freq_type = 3", 14266),
        fails("@name = N'shared', @freq_type = 2", 14295),
        fails("@name = N'shared', @freq_interval = 128", 14278),
        fails("@name = N'shared', @freq_recurrence_factor = 0", 14278),
        fails("@name = N'shared', @freq_type = 32", 14278),
        fails("@name = N'shared', @freq_subday_type = 16", 14266),
        fails("@name = N'shared', @freq_subday_type = 4", 14266),
        fails("@name = N'shared', @active_start_date = 20261131", 14287),
        fails("@name = N'shared', @active_end_date = 7", 14287),
        fails("@name = N'shared', @active_start_time = 246060", 14287),
        fails("@name = N'shared', @active_end_time = 240000", 14287),
        fails("@name = N'shared', @active_end_date = 20261102", 14288),
        fails("@name = N'shared', @owner_login_name = N'stranger'", 14234),
        fails("@name = N'mine', @owner_login_name = N'mate'", 14366).by("user"),
        fails("@name = N'shared', @enabled = 0", 14262).by("user"),
        fails("@name = N'mine', @enabled = 0", 14394).by("reader"),
        fails("@name = N'mine', @enabled = 0, @new_name = N'new'", 14394).by("operator"),
        fails("@name = N'mine', @freq_interval = 2", 14394).by("operator"),
        fails("@name = N'hourly', @enabled = 0", 14274).within(TARGET),
        fails("@name = N'hourly', @enabled = 0", 14274).by("operator").within(TARGET),
        fails("@name = N'mine', @enabled = 0", 229).by("guest1"),
    ],
};

const NAMES: &str = "SELECT name FROM sysschedules WHERE name IN (N'loose', N'shared', N'weekly', N'mine') ORDER BY name";

const DELETE: Table = Table {
    procedure: "sp_delete_schedule",
    absent: &[],
    cases: &[
        done("@schedule_name = N'LOOSE'").then(NAMES, &["mine", "shared", "weekly"]),
        done("@schedule_id = {schedule loose}").then(NAMES, &["mine", "shared", "weekly"]),
        done("@schedule_name = N'shared', @force_delete = 1").then(
            "SELECT (SELECT COUNT(*) FROM sysschedules WHERE name = N'shared'), (SELECT COUNT(*) FROM sysjobschedules
            WHERE job_id = '{job local}'), (SELECT COUNT(*) FROM sysjobschedules WHERE job_id = '{job second}')",
            &["0|1|0"],
        ),
        done("@schedule_name = N'spare'").by("user"),
        done("@schedule_name = N'mine', @force_delete = 1").by("user").then(NAMES, &["loose", "shared", "weekly"]),
        done("@schedule_name = N'spare'").by("boss"),
        done("@schedule_name = N'weekly', @force_delete = 1").then(QUEUE, &["T1|1", "T2|1", "T1|1", "T2|1"]),
        done("@schedule_name = N'weekly', @force_delete = 1, @automatic_post = 0").then(QUEUE, &["T1|1", "T2|1"]),
        fails("", 14373),
        fails("@schedule_name = N'loose', @schedule_id = {schedule loose}", 14373),
        fails("@schedule_name = N'nowhere'", 14262),
        fails("@schedule_id = 999", 14262),
        fails("@schedule_name = N'twice'", 14371),
        fails("@schedule_name = N'daily'", 14372),
        fails("@schedule_name = N'mine', @force_delete = 0", 14372).by("user"),
        fails("@schedule_name = N'loose'", 14262).by("user"),
        fails("@schedule_name = N'spare'", 14394).by("reader"),
        fails("@schedule_name = N'spare'", 14394).by("operator"),
        fails("@schedule_name = N'hourly', @force_delete = 1", 14274).within(TARGET),
        fails("@schedule_name = N'spare'", 229).by("guest1"),
    ],
};

const HELP: Table = Table {
    procedure: "sp_help_schedule",
    absent: &[],
    cases: &[
        done("@schedule_name = N'DAILY'").gives(
            "*",
            &["{schedule daily}|{uid daily}|daily|1|4|1|1|0|0|0|20261103|99991231|23000|235959|2026-11-03 12:00:00|\
               (Description not requested.)|1"],
        ),
        done("@schedule_id = {schedule shared}, @include_description = 1").gives(
            "schedule_name schedule_description job_count",
            &["shared|Occurs every week on Monday at 00:00:00. Schedule will be used starting on 2026-11-03.|2"],
        ),
        done("@schedule_name = N'twice'").gives("schedule_name job_count", &["twice|0", "twice|0"]),
        done("").gives(
            "schedule_name",
            &["daily", "shared", "weekly", "loose", "twice", "twice", "mine", "spare"],
        ),
        done("@attached_schedules_only = 1").gives("schedule_name", &["daily", "shared", "weekly", "mine"]),
        done("@schedule_name = N'loose', @attached_schedules_only = 1").gives("schedule_name", &[]),
        done("").by("user").gives("schedule_name", &["mine", "spare"]),
        done("").by("mate").gives("schedule_name", &[]),
        done("@attached_schedules_only = 1").by("reader").gives("schedule_name", &["daily", "shared", "weekly", "mine"]),
        done("@schedule_name = N'spare'").by("operator").gives("schedule_name", &["spare"]),
        fails("@schedule_name = N'daily', @schedule_id = {schedule daily}", 14373),
        fails("@schedule_name = N'nowhere'", 14262),
        fails("@schedule_id = 999", 14262),
        fails("@schedule_name = N'daily'", 14262).by("user"),
        fails("@schedule_id = {schedule daily}", 14262).by("user"),
        fails("", 229).by("guest1"),
    ],
};

const DESCRIBE: Table = Table {
    procedure: "sp_get_schedule_description",
    absent: &[],
    cases: &[
        done("1, 0, 0, 0, 0, 0, 20270101, 99991231, 233000, 235959, @text OUTPUT; SELECT @text AS t")
            .gives("t", &["Occurs on 2027-01-01 at 23:30:00."]),
        done(
            "@freq_type = 4, @freq_interval = 2, @freq_subday_type = 4, @freq_subday_interval = 15,
            @freq_relative_interval = 0, @freq_recurrence_factor = 0, @active_start_date = NULL,
            @active_end_date = NULL, @active_start_time = 80000, @active_end_time = 180000,
            @schedule_description = @text OUTPUT; SELECT @text AS t",
        )
        .gives("t", &["Occurs every 2 days every 15 minutes between 08:00:00 and 18:00:00. Schedule will be used starting on 2026-11-03."]),
        done("@freq_type = 64, @schedule_description = @text OUTPUT; SELECT @text AS t")
            .by("user")
            .gives("t", &["Starts automatically when SQLServerAgent starts."]),
        done("@freq_type = 128, @schedule_description = @text OUTPUT; SELECT @text AS t").gives("t", &["Starts whenever the CPU use has stayed below 10 percent for 600 seconds."]),
        done("@freq_type = 32, @freq_interval = 9, @freq_relative_interval = 16, @freq_recurrence_factor = 1,
            @schedule_description = @text OUTPUT; SELECT @text AS t").gives("t", &["Occurs every month on the last weekday at 00:00:00. Schedule will be used starting on 2026-11-03."]),
        fails("", 14266),
        fails("@freq_type = 2", 14295),
        fails("@freq_type = 4", 14278),
        fails("@freq_type = 4, @freq_interval = 1, @active_start_time = 240000", 14287),
        fails("@freq_type = 64", 229).by("guest1"),
    ],
};

tables! {
    add: ADD,
    update: UPDATE,
    delete: DELETE,
    help: HELP,
    describe: DESCRIBE,
}
