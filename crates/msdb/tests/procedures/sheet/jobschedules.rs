//! Schedules on jobs: sp_attach_schedule, sp_detach_schedule, sp_add_jobschedule, sp_update_jobschedule,
//! sp_delete_jobschedule, sp_help_jobschedule.

use super::{TARGET, Table, done, fails};

const ON_BARE: &str = "SELECT s.name FROM sysjobschedules AS j JOIN sysschedules AS s \
                       ON s.schedule_id = j.schedule_id WHERE j.job_id = '{job bare}'";
const ON_LOCAL: &str = "SELECT s.name FROM sysjobschedules AS j JOIN sysschedules AS s \
                        ON s.schedule_id = j.schedule_id WHERE j.job_id = '{job local}' ORDER BY s.name";
const VERSION: &str = "SELECT version_number FROM sysjobs WHERE name = N'bare'";
const QUEUE: &str =
    "SELECT target_server, operation_code FROM sysdownloadlist ORDER BY instance_id";
/// Two schedules of one name on one job, of which one is shared.
const TWICE: &str = "
DECLARE @id int
DECLARE c CURSOR FOR SELECT schedule_id FROM sysschedules WHERE name = N'twice'
OPEN c
FETCH NEXT FROM c INTO @id
WHILE @@FETCH_STATUS = 0
BEGIN
    EXEC sp_attach_schedule @job_name = N'local', @schedule_id = @id
    FETCH NEXT FROM c INTO @id
END
CLOSE c
DEALLOCATE c";
const NAMESAKE: &str = "EXEC sp_add_job @job_name = N'theirs'";

/// As many schedules as a job may have.
const MANY: &str = "BEGIN TRANSACTION
DECLARE @n int = 0
WHILE @n < 1000
BEGIN
    SET @n += 1
    EXEC sp_add_jobschedule @job_name = N'bare', @name = N'x'
END
COMMIT";

const ATTACH: Table = Table {
    procedure: "sp_attach_schedule",
    absent: &[],
    cases: &[
        done("@job_name = N'BARE', @schedule_name = N'LOOSE'").then(ON_BARE, &["loose"]),
        done("@job_id = '{job bare}', @schedule_id = {schedule loose}").then(ON_BARE, &["loose"]),
        done("@job_name = N'bare', @schedule_name = N'loose'").then(VERSION, &["2"]),
        done("@job_name = N'bare', @schedule_name = N'shared'").then(
            "SELECT COUNT(*) FROM sysjobschedules WHERE schedule_id = {schedule shared}",
            &["3"],
        ),
        // What is attached already stays so.
        done("@job_name = N'local', @schedule_name = N'daily'").unchanged(),
        done("@job_name = N'own', @schedule_name = N'spare'").by("user"),
        // sysadmin may join what belongs to two owners.
        done("@job_name = N'own', @schedule_name = N'loose'").by("boss"),
        done("@job_name = N'fleet', @schedule_name = N'loose'")
            .then(QUEUE, &["T1|1", "T2|1", "T1|1", "T2|1"]),
        done("@job_name = N'fleet', @schedule_name = N'loose', @automatic_post = 0")
            .then(QUEUE, &["T1|1", "T2|1"]),
        fails("@schedule_name = N'loose'", 14294),
        fails(
            "@job_name = N'bare', @job_id = '{job bare}', @schedule_name = N'loose'",
            14294,
        ),
        fails("@job_name = N'bare'", 14373),
        fails(
            "@job_name = N'bare', @schedule_name = N'loose', @schedule_id = {schedule loose}",
            14373,
        ),
        fails("@job_name = N'nowhere', @schedule_name = N'loose'", 14262),
        fails(
            "@job_id = '00000000-0000-0000-0000-000000000007', @schedule_name = N'loose'",
            14262,
        ),
        fails("@job_name = N'bare', @schedule_name = N'nowhere'", 14262),
        fails("@job_name = N'bare', @schedule_id = 999", 14262),
        fails("@job_name = N'bare', @schedule_name = N'twice'", 14371),
        fails("@job_name = N'bare', @schedule_name = N'loose'", 14266).after(MANY),
        fails("@job_name = N'theirs', @schedule_name = N'daily'", 14293)
            .within(TARGET)
            .after(NAMESAKE),
        fails("@job_name = N'theirs', @schedule_name = N'daily'", 14274).within(TARGET),
        fails("@job_name = N'local', @schedule_name = N'hourly'", 14274).within(TARGET),
        fails("@job_name = N'own', @schedule_name = N'loose'", 14262).by("user"),
        fails("@job_name = N'local', @schedule_name = N'spare'", 14262).by("user"),
        fails("@job_name = N'readers', @schedule_name = N'loose'", 14377)
            .by("reader")
            .after("EXEC sp_add_job @job_name = N'readers', @owner_login_name = N'reader'"),
        fails("@job_name = N'own', @schedule_name = N'spare'", 14525).by("reader"),
        fails("@job_name = N'own', @schedule_name = N'spare'", 14525).by("operator"),
        fails("@job_name = N'fleet', @schedule_name = N'loose'", 14396).by("operator"),
        fails("@job_name = N'own', @schedule_name = N'spare'", 229).by("guest1"),
    ],
};

const DETACH: Table = Table {
    procedure: "sp_detach_schedule",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL', @schedule_name = N'DAILY'").then(ON_LOCAL, &["shared"]),
        done("@job_id = '{job local}', @schedule_id = {schedule shared}")
            .then(ON_LOCAL, &["daily"]),
        done("@job_name = N'local', @schedule_name = N'daily'").then(
            "SELECT name FROM sysschedules WHERE name = N'daily'",
            &["daily"],
        ),
        done("@job_name = N'local', @schedule_name = N'daily', @delete_unused_schedule = 1")
            .then("SELECT name FROM sysschedules WHERE name = N'daily'", &[]),
        // Another job still uses it.
        done("@job_name = N'local', @schedule_name = N'shared', @delete_unused_schedule = 1").then(
            "SELECT name FROM sysschedules WHERE name = N'shared'",
            &["shared"],
        ),
        done("@job_name = N'own', @schedule_name = N'mine', @delete_unused_schedule = 1")
            .by("user")
            .then("SELECT name FROM sysschedules WHERE name = N'mine'", &[]),
        // The job's owner detaches a schedule that is not its own, but does not delete it.
        done("@job_name = N'own', @schedule_id = {schedule loose}, @delete_unused_schedule = 1")
            .by("user")
            .after("EXEC sp_attach_schedule @job_name = N'own', @schedule_name = N'loose'")
            .then(
                "SELECT name FROM sysschedules WHERE name = N'loose'",
                &["loose"],
            ),
        done("@job_name = N'own', @schedule_name = N'mine'").by("boss"),
        done("@job_name = N'fleet', @schedule_name = N'weekly'")
            .then(QUEUE, &["T1|1", "T2|1", "T1|1", "T2|1"]),
        done("@job_name = N'fleet', @schedule_name = N'weekly', @automatic_post = 0")
            .then(QUEUE, &["T1|1", "T2|1"]),
        fails("@schedule_name = N'daily'", 14294),
        fails(
            "@job_name = N'local', @job_id = '{job local}', @schedule_name = N'daily'",
            14294,
        ),
        fails("@job_name = N'local'", 14373),
        fails(
            "@job_name = N'local', @schedule_name = N'daily', @schedule_id = {schedule daily}",
            14373,
        ),
        fails("@job_name = N'nowhere', @schedule_name = N'daily'", 14262),
        fails("@job_name = N'local', @schedule_name = N'nowhere'", 14262),
        fails("@job_name = N'local', @schedule_id = 999", 14262),
        fails("@job_name = N'local', @schedule_name = N'loose'", 14374),
        fails(
            "@job_name = N'local', @schedule_id = {schedule loose}",
            14374,
        ),
        fails("@job_name = N'local', @schedule_name = N'twice'", 14376).after(TWICE),
        fails("@job_name = N'theirs', @schedule_name = N'hourly'", 14274).within(TARGET),
        fails("@job_name = N'local', @schedule_name = N'daily'", 14262).by("user"),
        fails("@job_name = N'own', @schedule_name = N'daily'", 14262).by("user"),
        fails("@job_name = N'own', @schedule_id = {schedule daily}", 14262).by("user"),
        fails("@job_name = N'own', @schedule_name = N'mine'", 14391).by("reader"),
        fails("@job_name = N'own', @schedule_name = N'mine'", 14391).by("operator"),
        fails("@job_name = N'fleet', @schedule_name = N'weekly'", 14396).by("operator"),
        fails("@job_name = N'own', @schedule_name = N'mine'", 229).by("guest1"),
    ],
};

const NEW: &str = "SELECT name, enabled, freq_type, freq_interval, freq_subday_type, freq_subday_interval, \
                   freq_relative_interval, freq_recurrence_factor, active_start_date, active_end_date, \
                   active_start_time, active_end_time, SUSER_SNAME(owner_sid) FROM sysschedules WHERE name = N'new'";
const SHARED: &str = "SELECT name, freq_type, freq_interval, version_number FROM sysschedules \
                      WHERE schedule_id = {schedule shared}";

const ADD: Table = Table {
    procedure: "sp_add_jobschedule",
    absent: &[
        (14261, "Names of schedules may repeat, also on a job: 14375 and 14376 tell of it."),
        (14273, "Without a job 14294 names the parameters that give it."),
        (14377, "A new schedule gets the job's owner, so that the two always match."),
    ],
    cases: &[
        done("@job_name = N'bare', @name = N'new'")
            .then(NEW, &["new|1|1|0|0|0|0|0|20261103|99991231|0|235959|sa"]),
        done(
            "@job_id = '{job bare}', @name = N' new ', @enabled = 0, @freq_type = 32, @freq_interval = 8,
            @freq_subday_type = 8, @freq_subday_interval = 2, @freq_relative_interval = 2,
            @freq_recurrence_factor = 3, @active_start_date = 20270101, @active_end_date = 20271231,
            @active_start_time = 60000, @active_end_time = 180000",
        )
        .then(NEW, &["new|0|32|8|8|2|2|3|20270101|20271231|60000|180000|sa"]),
        done("@job_name = N'bare', @name = N'new', @freq_type = 4, @freq_interval = 1").then(ON_BARE, &["new"]),
        done("@job_name = N'bare', @name = N'new'").then(VERSION, &["2"]),
        done(
            "@job_name = N'bare', @name = N'new', @schedule_id = @int OUTPUT, @schedule_uid = @guid OUTPUT;
            SELECT name FROM sysschedules WHERE schedule_id = @int AND schedule_uid = @guid",
        )
        .gives("name", &["new"]),
        // The schedule is the job owner's, whoever makes it.
        done("@job_name = N'own', @name = N'new'").then("SELECT SUSER_SNAME(owner_sid) FROM sysschedules WHERE name = N'new'", &["user"]),
        done("@job_name = N'own', @name = N'new'").by("user"),
        done("@job_name = N'local', @name = N'daily'").then(ON_LOCAL, &["daily", "daily", "shared"]),
        // A known uid means that schedule.
        done("@job_name = N'bare', @name = N'shared', @freq_type = 4, @freq_interval = 3, @schedule_uid = '{uid shared}'")
            .then(SHARED, &["shared|4|3|2"]),
        done("@job_name = N'fleet', @name = N'new'").then(QUEUE, &["T1|1", "T2|1", "T1|1", "T2|1"]),
        done("@job_name = N'fleet', @name = N'new', @automatic_post = 0").then(QUEUE, &["T1|1", "T2|1"]),
        fails("@name = N'new'", 14294),
        fails("@job_name = N'bare', @job_id = '{job bare}', @name = N'new'", 14294),
        fails("@job_name = N'bare'", 201),
        fails("@job_name = N'bare', @name = N''", 14200),
        fails("@job_name = N'nowhere', @name = N'new'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007', @name = N'new'", 14262),
        fails("@job_name = N'bare', @name = N'new', @enabled = 2", 14266),
        fails("@job_name = N'bare', @name = N'new', @freq_type = 0", 14266),
        fails("@job_name = N'bare', @name = N'new', @freq_type = 2", 14295),
        fails("@job_name = N'bare', @name = N'new', @freq_type = 4", 14278),
        fails("@job_name = N'bare', @name = N'new', @freq_type = 8, @freq_interval = 1", 14278),
        fails("@job_name = N'bare', @name = N'new', @freq_type = 4, @freq_interval = 1, @freq_subday_type = 5", 14266),
        fails("@job_name = N'bare', @name = N'new', @active_start_date = 20261301", 14287),
        fails("@job_name = N'bare', @name = N'new', @active_end_date = 20261301", 14287),
        fails("@job_name = N'bare', @name = N'new', @active_start_time = 250000", 14287),
        fails("@job_name = N'bare', @name = N'new', @active_end_time = 250000", 14287),
        fails("@job_name = N'bare', @name = N'new', @active_end_date = 20261102", 14288),
        fails("@job_name = N'theirs', @name = N'new'", 14274).within(TARGET),
        fails("@job_name = N'local', @name = N'new', @schedule_uid = '{uid hourly}'", 14274).within(TARGET),
        fails("@job_name = N'theirs', @name = N'new'", 14293).within(TARGET).after(NAMESAKE),
        fails("@job_name = N'local', @name = N'new'", 14262).by("user"),
        fails("@job_name = N'own', @name = N'new'", 14525).by("reader"),
        fails("@job_name = N'own', @name = N'new'", 14525).by("operator"),
        fails("@job_name = N'fleet', @name = N'new'", 14396).by("operator"),
        fails("@job_name = N'own', @name = N'new', @schedule_uid = '{uid shared}'", 14394).by("user"),
        fails("@job_name = N'own', @name = N'new'", 229).by("guest1"),
    ],
};

const DAILY: &str = "SELECT name, enabled, freq_type, freq_interval, freq_subday_type, freq_subday_interval, \
                     freq_relative_interval, freq_recurrence_factor, active_start_date, active_end_date, \
                     active_start_time, active_end_time, version_number FROM sysschedules \
                     WHERE schedule_id = {schedule daily}";

const UPDATE: Table = Table {
    procedure: "sp_update_jobschedule",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL', @name = N'DAILY'")
            .then(DAILY, &["daily|1|4|1|1|0|0|0|20261103|99991231|23000|235959|2"]),
        done(
            "@job_id = '{job local}', @name = N'daily', @new_name = N'new', @enabled = 0, @freq_type = 32,
            @freq_interval = 8, @freq_subday_type = 8, @freq_subday_interval = 2, @freq_relative_interval = 2,
            @freq_recurrence_factor = 3, @active_start_date = 20270101, @active_end_date = 20271231,
            @active_start_time = 60000, @active_end_time = 180000",
        )
        .then(DAILY, &["new|0|32|8|8|2|2|3|20270101|20271231|60000|180000|2"]),
        // One of several of a name, but the only one on the job.
        done("@job_name = N'local', @name = N'daily', @enabled = 0")
            .after("EXEC sp_add_schedule @schedule_name = N'daily', @freq_type = 4")
            .then("SELECT enabled FROM sysschedules WHERE name = N'daily' ORDER BY schedule_id", &["0", "1"]),
        done("@job_name = N'own', @name = N'mine', @enabled = 0").by("user"),
        done("@job_name = N'own', @name = N'mine', @enabled = 0").by("boss"),
        done("@job_name = N'fleet', @name = N'weekly', @enabled = 0").then(QUEUE, &["T1|1", "T2|1", "T1|1", "T2|1"]),
        done("@job_name = N'fleet', @name = N'weekly', @enabled = 0, @automatic_post = 0").then(QUEUE, &["T1|1", "T2|1"]),
        fails("@name = N'daily'", 14294),
        fails("@job_name = N'local', @job_id = '{job local}', @name = N'daily'", 14294),
        fails("@job_name = N'local'", 201),
        fails("@job_name = N'local', @name = N''", 14200),
        fails("@job_name = N'nowhere', @name = N'daily'", 14262),
        fails("@job_name = N'local', @name = N'nowhere'", 14262),
        fails("@job_name = N'local', @name = N'loose'", 14374),
        fails("@job_name = N'local', @name = N'twice'", 14375).after(TWICE),
        fails("@job_name = N'local', @name = N'daily', @enabled = 2", 14266),
        fails("@job_name = N'local', @name = N'daily', @freq_type = 2", 14295),
        fails("@job_name = N'local', @name = N'daily', @freq_interval = 0", 14278),
        fails("@job_name = N'local', @name = N'daily', @freq_subday_type = 4", 14266),
        fails("@job_name = N'local', @name = N'daily', @active_start_time = 999999", 14287),
        fails("@job_name = N'local', @name = N'daily', @active_end_date = 20261102", 14288),
        fails("@job_name = N'theirs', @name = N'hourly'", 14274).within(TARGET),
        fails("@job_name = N'local', @name = N'daily'", 14262).by("user"),
        fails("@job_name = N'own', @name = N'loose'", 14394)
            .by("user")
            .after("EXEC sp_attach_schedule @job_name = N'own', @schedule_name = N'loose'"),
        fails("@job_name = N'own', @name = N'mine'", 14525).by("reader"),
        fails("@job_name = N'own', @name = N'mine', @enabled = 0", 14525).by("operator"),
        fails("@job_name = N'fleet', @name = N'weekly'", 14396).by("operator"),
        fails("@job_name = N'own', @name = N'mine'", 229).by("guest1"),
    ],
};

const DELETE: Table = Table {
    procedure: "sp_delete_jobschedule",
    absent: &[
        (
            14367,
            "It speaks of several schedules; the call names one: 14368.",
        ),
        (14369, "The job is always given."),
    ],
    cases: &[
        done("@job_name = N'LOCAL', @name = N'DAILY'").then(ON_LOCAL, &["shared"]),
        done("@job_id = '{job local}', @name = N'daily'")
            .then("SELECT name FROM sysschedules WHERE name = N'daily'", &[]),
        done("@job_name = N'local', @name = N'daily', @keep_schedule = 1").then(
            "SELECT name FROM sysschedules WHERE name = N'daily'",
            &["daily"],
        ),
        done("@job_name = N'local', @name = N'shared', @keep_schedule = 1")
            .then(ON_LOCAL, &["daily"]),
        done("@job_name = N'own', @name = N'mine'")
            .by("user")
            .then("SELECT name FROM sysschedules WHERE name = N'mine'", &[]),
        done("@job_name = N'own', @name = N'mine'").by("boss"),
        // The job's owner takes somebody else's schedule off, no more.
        done("@job_name = N'own', @name = N'loose', @keep_schedule = 1")
            .by("user")
            .after("EXEC sp_attach_schedule @job_name = N'own', @schedule_name = N'loose'"),
        done("@job_name = N'fleet', @name = N'weekly'")
            .then(QUEUE, &["T1|1", "T2|1", "T1|1", "T2|1"]),
        done("@job_name = N'fleet', @name = N'weekly', @automatic_post = 0")
            .then(QUEUE, &["T1|1", "T2|1"]),
        fails("@name = N'daily'", 14294),
        fails(
            "@job_name = N'local', @job_id = '{job local}', @name = N'daily'",
            14294,
        ),
        fails("@job_name = N'local'", 201),
        fails("@job_name = N'local', @name = N' '", 14200),
        fails("@job_name = N'nowhere', @name = N'daily'", 14262),
        fails("@job_name = N'local', @name = N'nowhere'", 14262),
        fails("@job_name = N'local', @name = N'loose'", 14374),
        fails("@job_name = N'local', @name = N'twice'", 14376).after(TWICE),
        fails("@job_name = N'local', @name = N'shared'", 14368),
        fails("@job_name = N'own', @name = N'loose'", 14394)
            .by("user")
            .after("EXEC sp_attach_schedule @job_name = N'own', @schedule_name = N'loose'"),
        fails("@job_name = N'theirs', @name = N'hourly'", 14274).within(TARGET),
        fails("@job_name = N'local', @name = N'daily'", 14262).by("user"),
        fails("@job_name = N'own', @name = N'mine'", 14525).by("reader"),
        fails("@job_name = N'own', @name = N'mine'", 14525).by("operator"),
        fails("@job_name = N'fleet', @name = N'weekly'", 14396).by("operator"),
        fails("@job_name = N'own', @name = N'mine'", 229).by("guest1"),
    ],
};

const HELP: Table = Table {
    procedure: "sp_help_jobschedule",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL'").gives(
            "*",
            &[
                "{schedule daily}|daily|1|4|1|1|0|0|0|20261103|99991231|23000|235959|2026-11-03 12:00:00|\
                 (Description not requested.)|20261104|23000|{uid daily}|1",
                "{schedule shared}|shared|1|8|2|1|0|0|1|20261103|99991231|0|235959|2026-11-03 12:00:00|\
                 (Description not requested.)|0|0|{uid shared}|2",
            ],
        ),
        done("@job_id = '{job local}', @schedule_name = N'SHARED'").gives("schedule_name", &["shared"]),
        done("@job_name = N'local', @schedule_name = N'daily', @include_description = 1")
            .gives("schedule_description", &["Occurs every day at 02:30:00. Schedule will be used starting on 2026-11-03."]),
        done("@schedule_id = {schedule daily}").gives("schedule_name next_run_date next_run_time", &["daily|20261104|23000"]),
        done("@schedule_id = {schedule loose}").gives("schedule_name job_count", &["loose|0"]),
        done("@job_name = N'bare'").gives("*", &[]),
        done("@job_name = N'own'").by("user").gives("schedule_name", &["mine"]),
        done("@job_name = N'own'").by("reader").gives("schedule_name", &["mine"]),
        done("@schedule_id = {schedule spare}").by("user").gives("schedule_name", &["spare"]),
        done("@job_name = N'fleet'").by("operator").gives("schedule_name", &["weekly"]),
        fails("", 14273),
        fails("@schedule_name = N'daily'", 14273),
        fails("@job_name = N'local', @schedule_id = {schedule daily}", 14273),
        fails("@schedule_name = N'daily', @schedule_id = {schedule daily}", 14273),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@schedule_id = 999", 14262),
        fails("@job_name = N'local', @schedule_name = N'loose'", 14262),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("@schedule_id = {schedule daily}", 14262).by("user"),
        fails("@job_name = N'local'", 229).by("guest1"),
    ],
};

tables! {
    attach: ATTACH,
    detach: DETACH,
    add: ADD,
    update: UPDATE,
    delete: DELETE,
    help: HELP,
}
