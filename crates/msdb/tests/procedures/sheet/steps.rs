//! sp_add_jobstep, sp_update_jobstep, sp_delete_jobstep, sp_help_jobstep.

use super::{TARGET, Table, done, fails};

const NEW: &str = "SELECT s.step_id, s.step_name, subsystem, command, flags, additional_parameters, \
                   cmdexec_success_code, on_success_action, on_success_step_id, on_fail_action, on_fail_step_id, \
                   server, database_name, database_user_name, retry_attempts, retry_interval, os_run_priority, \
                   output_file_name, proxy_id FROM sysjobsteps AS s WHERE s.step_name = N'new'";
const ORDER: &str = "SELECT step_id, step_name, on_success_step_id, on_fail_step_id FROM sysjobsteps \
                     WHERE job_id = '{job local}' ORDER BY step_id";
const QUEUE: &str =
    "SELECT target_server, operation_code FROM sysdownloadlist ORDER BY instance_id";
const VERSION: &str = "SELECT version_number FROM sysjobs WHERE name = N'bare'";
/// A job whose first step goes to the last.
const GO_TO: &str =
    "EXEC sp_update_jobstep @job_name = N'local', @step_id = 1, @on_success_action = 4,
    @on_success_step_id = 2";

/// As many steps as a job may have.
const MANY: &str = "BEGIN TRANSACTION
DECLARE @n int = 0, @name sysname
WHILE @n < 1000
BEGIN
    SET @n += 1
    SET @name = CONCAT(N'step ', @n)
    EXEC sp_add_jobstep @job_name = N'bare', @step_name = @name
END
COMMIT";

const ADD: Table = Table {
    procedure: "sp_add_jobstep",
    absent: &[(14530, "14517 says it when the step is made.")],
    cases: &[
        done("@job_name = N'bare', @step_name = N'new'")
            .then(NEW, &["1|new|TSQL|NULL|0|NULL|0|1|0|2|0|NULL|master|NULL|0|0|0|NULL|NULL"]),
        done("@job_id = '{job bare}', @step_name = N' new ', @command = N'SELECT 1'")
            .then(NEW, &["1|new|TSQL|SELECT 1|0|NULL|0|1|0|2|0|NULL|master|NULL|0|0|0|NULL|NULL"]),
        done(
            "@job_name = N'local', @step_id = 3, @step_name = N'new', @subsystem = N'cmdexec', @command = N'id',
            @additional_parameters = N'<x/>', @cmdexec_success_code = 7, @on_success_action = 4,
            @on_success_step_id = 1, @on_fail_action = 4, @on_fail_step_id = 2, @server = N'there',
            @database_name = N'd', @retry_attempts = 9, @retry_interval = 8, @os_run_priority = -1,
            @output_file_name = N'/tmp/$(ESCAPE_NONE(JOBID))', @flags = 90, @proxy_name = N'PX'",
        )
        .then(
            NEW,
            &["3|new|CmdExec|id|90|<x/>|7|4|1|4|2|there|d|NULL|9|8|-1|/tmp/$(ESCAPE_NONE(JOBID))|{proxy px}"],
        ),
        done("@job_name = N'bare', @step_name = N'new', @database_user_name = N'dbo', @database_name = N'msdb'")
            .then("SELECT database_user_name FROM sysjobsteps WHERE step_name = N'new'", &["dbo"]),
        done("@job_name = N'bare', @step_name = N'new', @subsystem = N'CmdExec', @proxy_id = {proxy px}")
            .then("SELECT proxy_id FROM sysjobsteps WHERE step_name = N'new'", &["{proxy px}"]),
        done("@job_name = N'bare', @step_name = N'new', @subsystem = N'CmdExec', @proxy_id = {proxy px}, @proxy_name = N'px'"),
        done("@job_name = N'bare', @step_name = N'new', @subsystem = N'Snapshot'")
            .then("SELECT subsystem FROM sysjobsteps WHERE step_name = N'new'", &["Snapshot"]),
        done("@job_name = N'bare', @step_name = N'new', @subsystem = N'dts'")
            .then("SELECT subsystem FROM sysjobsteps WHERE step_name = N'new'", &["SSIS"]),
        done(
            "@job_name = N'bare', @step_name = N'new', @step_uid = @guid OUTPUT;
            SELECT step_name FROM sysjobsteps WHERE step_uid = @guid",
        )
        .gives("step_name", &["new"]),
        // Put in between, those after it move and what others go to with them.
        done("@job_name = N'local', @step_id = 2, @step_name = N'new'")
            .after(GO_TO)
            .then(ORDER, &["1|one|3|0", "2|new|0|0", "3|two|0|0"]),
        done("@job_name = N'local', @step_id = 1, @step_name = N'new'")
            .after(GO_TO)
            .then(ORDER, &["1|new|0|0", "2|one|3|0", "3|two|0|0"]),
        done("@job_name = N'bare', @step_name = N'new'").then(VERSION, &["2"]),
        // A step that may still be made is named: a warning.
        done("@job_name = N'bare', @step_name = N'new', @on_success_action = 4, @on_success_step_id = 5").says(&[14236]),
        done("@job_name = N'bare', @step_name = N'new', @on_fail_action = 4, @on_fail_step_id = 2").says(&[14236]),
        // What an action does not go to is not kept.
        done("@job_name = N'bare', @step_name = N'new', @on_success_step_id = 5")
            .then("SELECT on_success_step_id FROM sysjobsteps WHERE step_name = N'new'", &["0"]),
        done("@job_name = N'own', @step_name = N'new'").by("user").then(NEW, &[
            "2|new|TSQL|NULL|0|NULL|0|1|0|2|0|NULL|master|NULL|0|0|0|NULL|NULL",
        ]),
        done("@job_name = N'own', @step_name = N'new', @subsystem = N'CmdExec', @proxy_name = N'px'").by("user"),
        done("@job_name = N'own', @step_name = N'new'").by("boss"),
        // Steps of replication are db_owner's too.
        done("@job_name = N'theirs', @step_name = N'new', @subsystem = N'LogReader', @proxy_name = N'px'")
            .by("dbowner")
            .after(
                "EXEC sp_add_job @job_name = N'theirs', @owner_login_name = N'dbowner'
                EXEC sp_grant_proxy_to_subsystem @proxy_name = N'px', @subsystem_name = N'LogReader'
                EXEC sp_grant_login_to_proxy @proxy_name = N'px', @login_name = N'dbowner'",
            ),
        done("@job_name = N'own', @step_name = N'new', @subsystem = N'CmdExec', @proxy_name = N'px'").by("boss"),
        // Nothing is posted; the caller is reminded.
        done("@job_name = N'fleet', @step_name = N'new'").says(&[14547]).then(QUEUE, &["T1|1", "T2|1"]),
        fails("@step_name = N'new'", 14294),
        fails("@job_name = N'bare', @job_id = '{job bare}', @step_name = N'new'", 14294),
        fails("@job_name = N'nowhere', @step_name = N'new'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007', @step_name = N'new'", 14262),
        fails("@job_name = N'theirs', @step_name = N'new'", 14293).within(TARGET).after("EXEC sp_add_job @job_name = N'theirs'"),
        fails("@job_name = N'theirs', @step_name = N'new'", 14274).within(TARGET),
        fails("@job_name = N'bare'", 201),
        fails("@job_name = N'bare', @step_name = N' '", 14200),
        fails("@job_name = N'local', @step_name = N'ONE'", 14261),
        fails("@job_name = N'local', @step_id = 0, @step_name = N'new'", 14266),
        fails("@job_name = N'local', @step_id = 4, @step_name = N'new'", 14266),
        fails("@job_name = N'local', @step_id = -1, @step_name = N'new'", 14266),
        fails("@job_name = N'bare', @step_name = N'new'", 14266).after(MANY),
        fails("@job_name = N'bare', @step_name = N'new', @command = @long", 14250)
            .with("DECLARE @long nvarchar(max) = REPLICATE(CAST(N'x' AS nvarchar(max)), 4194305)"),
        fails("@job_name = N'bare', @step_name = N'new', @subsystem = N'COBOL'", 14234),
        fails("@job_name = N'bare', @step_name = N'new', @on_success_action = 0", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @on_success_action = 5", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @on_fail_action = 5", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @on_success_action = 4", 14235),
        fails("@job_name = N'bare', @step_name = N'new', @on_success_action = 4, @on_success_step_id = 1", 14235),
        fails("@job_name = N'bare', @step_name = N'new', @on_fail_action = 4, @on_fail_step_id = -2", 14235),
        fails("@job_name = N'bare', @step_name = N'new', @retry_attempts = -1", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @retry_interval = -1", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @os_run_priority = 2", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @flags = 1", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @flags = 128", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @flags = -2", 14266),
        fails("@job_name = N'bare', @step_name = N'new', @subsystem = N'CmdExec', @proxy_name = N'none'", 14262),
        fails("@job_name = N'bare', @step_name = N'new', @subsystem = N'CmdExec', @proxy_id = 99", 14262),
        fails("@job_name = N'bare', @step_name = N'new', @proxy_name = N'px'", 14517),
        fails("@job_name = N'bare', @step_name = N'new', @subsystem = N'PowerShell', @proxy_name = N'px'", 14516),
        fails("@job_name = N'own', @step_name = N'new', @subsystem = N'CmdExec'", 14516).by("user"),
        fails("@job_name = N'bare', @step_name = N'new', @subsystem = N'Merge', @output_file_name = N'/tmp/x'", 14545),
        fails("@job_name = N'bare', @step_name = N'new', @subsystem = N'CmdExec', @database_user_name = N'dbo'", 14545),
        fails("@job_name = N'fleet', @step_name = N'new', @database_user_name = N'dbo'", 14542),
        fails("@job_name = N'own', @step_name = N'new', @output_file_name = N'/tmp/x'", 14582).by("user"),
        fails("@job_name = N'own', @step_name = N'new', @database_user_name = N'dbo'", 14583).by("user"),
        fails("@job_name = N'own', @step_name = N'new', @subsystem = N'Distribution'", 14260).by("user"),
        fails("@job_name = N'local', @step_name = N'new'", 14262).by("user"),
        fails("@job_name = N'own', @step_name = N'new'", 14525).by("reader"),
        fails("@job_name = N'own', @step_name = N'new'", 14525).by("operator"),
        fails("@job_name = N'fleet', @step_name = N'new'", 14396).by("operator"),
        fails("@job_name = N'own', @step_name = N'new'", 229).by("guest1"),
    ],
};

const TWO: &str = "SELECT step_name, subsystem, command, flags, additional_parameters, cmdexec_success_code, \
                   on_success_action, on_success_step_id, on_fail_action, on_fail_step_id, server, database_name, \
                   database_user_name, retry_attempts, retry_interval, os_run_priority, output_file_name, proxy_id \
                   FROM sysjobsteps WHERE job_id = '{job local}' AND step_id = 2";
const FULL: &str = "EXEC sp_update_jobstep @job_name = N'local', @step_id = 2, @subsystem = N'CmdExec',
    @output_file_name = N'/tmp/x', @proxy_name = N'px', @server = N'there', @additional_parameters = N'<x/>'";

const UPDATE: Table = Table {
    procedure: "sp_update_jobstep",
    absent: &[],
    cases: &[
        // What is left out stays.
        done("@job_name = N'local', @step_id = 2")
            .then(TWO, &["two|TSQL|SELECT 2|0|NULL|0|1|0|2|0|NULL|msdb|NULL|0|0|0|NULL|NULL"]),
        done(
            "@job_id = '{job local}', @step_id = 2, @step_name = N' last ', @subsystem = N'CmdExec', @command = N'id',
            @additional_parameters = N'<x/>', @cmdexec_success_code = 7, @on_success_action = 4,
            @on_success_step_id = 1, @on_fail_action = 3, @on_fail_step_id = 1, @server = N'there',
            @database_name = N'd', @retry_attempts = 9, @retry_interval = 8, @os_run_priority = 15,
            @output_file_name = N'/tmp/x', @flags = 2, @proxy_id = {proxy px}, @proxy_name = N'px'",
        )
        .then(TWO, &["last|CmdExec|id|2|<x/>|7|4|1|3|0|there|d|NULL|9|8|15|/tmp/x|{proxy px}"]),
        done("@job_name = N'local', @step_id = 2, @database_user_name = N'dbo'")
            .then("SELECT database_user_name FROM sysjobsteps WHERE step_name = N'two'", &["dbo"]),
        done("@job_name = N'local', @step_id = 2, @step_name = N'TWO', @command = N''")
            .then("SELECT step_name, command FROM sysjobsteps WHERE step_name = N'two'", &["TWO|"]),
        // An empty text takes the file, the proxy, the server and the rest away.
        done(
            "@job_name = N'local', @step_id = 2, @output_file_name = N'', @proxy_name = N'', @server = N'',
            @additional_parameters = N''",
        )
        .after(FULL)
        .then(TWO, &["two|CmdExec|SELECT 2|0|NULL|0|1|0|2|0|NULL|msdb|NULL|0|0|0|NULL|NULL"]),
        done("@job_name = N'local', @step_id = 1, @on_fail_action = 4, @on_fail_step_id = 5").says(&[14236]),
        done("@job_name = N'own', @step_id = 1, @command = N'x'").by("user").then(
            "SELECT command FROM sysjobsteps WHERE job_id = '{job own}'",
            &["x"],
        ),
        done("@job_name = N'own', @step_id = 1, @command = N'x'").by("boss").then(
            "SELECT version_number FROM sysjobs WHERE name = N'own'",
            &["4"],
        ),
        done("@job_name = N'fleet', @step_id = 1, @command = N'x'").says(&[14547]).then(QUEUE, &["T1|1", "T2|1"]),
        fails("@step_id = 1", 14294),
        fails("@job_name = N'local', @job_id = '{job local}', @step_id = 1", 14294),
        fails("@job_name = N'nowhere', @step_id = 1", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007', @step_id = 1", 14262),
        fails("@job_name = N'theirs', @step_id = 1", 14293).within(TARGET).after("EXEC sp_add_job @job_name = N'theirs'"),
        fails("@job_name = N'theirs', @step_id = 1", 14274).within(TARGET),
        fails("@job_name = N'local'", 201),
        fails("@job_name = N'local', @step_id = 0", 14262),
        fails("@job_name = N'local', @step_id = 3", 14262),
        fails("@job_name = N'local', @step_id = 2, @step_name = N'ONE'", 14261),
        fails("@job_name = N'local', @step_id = 2, @subsystem = N'COBOL'", 14234),
        fails("@job_name = N'local', @step_id = 2, @on_success_action = 0", 14266),
        fails("@job_name = N'local', @step_id = 2, @on_fail_action = 5", 14266),
        fails("@job_name = N'local', @step_id = 2, @on_success_action = 4", 14235),
        fails("@job_name = N'local', @step_id = 2, @on_success_action = 4, @on_success_step_id = 2", 14235),
        fails("@job_name = N'local', @step_id = 2, @on_fail_action = 4, @on_fail_step_id = 0", 14235),
        fails("@job_name = N'local', @step_id = 2, @retry_attempts = -1", 14266),
        fails("@job_name = N'local', @step_id = 2, @retry_interval = -1", 14266),
        fails("@job_name = N'local', @step_id = 2, @os_run_priority = 7", 14266),
        fails("@job_name = N'local', @step_id = 2, @flags = 128", 14266),
        fails("@job_name = N'local', @step_id = 2, @proxy_name = N'px'", 14517),
        fails("@job_name = N'local', @step_id = 2, @proxy_name = N'none'", 14262),
        fails("@job_name = N'local', @step_id = 2, @proxy_id = 99", 14262),
        fails("@job_name = N'local', @step_id = 2, @subsystem = N'SSIS', @proxy_name = N'px'", 14516),
        fails("@job_name = N'own', @step_id = 1, @subsystem = N'CmdExec'", 14516).by("user"),
        fails("@job_name = N'own', @step_id = 1, @output_file_name = N'/tmp/x'", 14582).by("user"),
        fails("@job_name = N'own', @step_id = 1, @database_user_name = N'dbo'", 14583).by("user"),
        fails("@job_name = N'own', @step_id = 1, @subsystem = N'Merge'", 14260).by("user"),
        fails("@job_name = N'fleet', @step_id = 1, @database_user_name = N'dbo'", 14542),
        fails("@job_name = N'local', @step_id = 1", 14262).by("user"),
        fails("@job_name = N'own', @step_id = 1", 14525).by("reader"),
        fails("@job_name = N'own', @step_id = 1", 14525).by("operator"),
        fails("@job_name = N'fleet', @step_id = 1", 14396).by("operator"),
        fails("@job_name = N'own', @step_id = 1", 229).by("guest1"),
    ],
};

const DELETE: Table = Table {
    procedure: "sp_delete_jobstep",
    absent: &[(14235, "0 means every step, and any other number that is no step's does not exist: 14262.")],
    cases: &[
        done("@job_name = N'local', @step_id = 2").then(ORDER, &["1|one|0|0"]),
        done("@job_id = '{job local}', @step_id = 1").then(ORDER, &["1|two|0|0"]),
        done("@job_name = N'local', @step_id = 0").then(ORDER, &[]),
        // A step that went to it ends the job; one that goes beyond it follows.
        done("@job_name = N'local', @step_id = 2").after(GO_TO).then(
            "SELECT on_success_action, on_success_step_id FROM sysjobsteps WHERE job_id = '{job local}'",
            &["1|0"],
        ),
        done("@job_name = N'local', @step_id = 2")
            .after(
                "EXEC sp_add_jobstep @job_name = N'local', @step_name = N'three'
                EXEC sp_update_jobstep @job_name = N'local', @step_id = 1, @on_fail_action = 4, @on_fail_step_id = 3",
            )
            .then(ORDER, &["1|one|0|2", "2|three|0|0"]),
        // A start step that is gone is the first again.
        done("@job_name = N'local', @step_id = 2")
            .after("EXEC sp_update_job @job_name = N'local', @start_step_id = 2")
            .then("SELECT start_step_id FROM sysjobs WHERE name = N'local'", &["1"]),
        // Its log goes too.
        done("@job_name = N'local', @step_id = 1").then("SELECT COUNT(*) FROM sysjobstepslogs", &["0"]),
        done("@job_name = N'local', @step_id = 2").then("SELECT COUNT(*) FROM sysjobstepslogs", &["1"]),
        done("@job_name = N'own', @step_id = 1").by("user"),
        done("@job_name = N'own', @step_id = 1")
            .by("boss")
            .then("SELECT version_number FROM sysjobs WHERE name = N'own'", &["4"]),
        done("@job_name = N'bare', @step_id = 0"),
        done("@job_name = N'fleet', @step_id = 1").says(&[14547]).then(QUEUE, &["T1|1", "T2|1"]),
        fails("@step_id = 1", 14294),
        fails("@job_name = N'local', @job_id = '{job local}', @step_id = 1", 14294),
        fails("@job_name = N'nowhere', @step_id = 1", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007', @step_id = 1", 14262),
        fails("@job_name = N'local'", 201),
        fails("@job_name = N'local', @step_id = NULL", 14262),
        fails("@job_name = N'local', @step_id = 3", 14262),
        fails("@job_name = N'local', @step_id = -1", 14262),
        fails("@job_name = N'theirs', @step_id = 1", 14274).within(TARGET),
        fails("@job_name = N'local', @step_id = 1", 14262).by("user"),
        fails("@job_name = N'own', @step_id = 1", 14525).by("reader"),
        fails("@job_name = N'own', @step_id = 1", 14525).by("operator"),
        fails("@job_name = N'fleet', @step_id = 1", 14396).by("operator"),
        fails("@job_name = N'own', @step_id = 1", 229).by("guest1"),
    ],
};

const HELP: Table = Table {
    procedure: "sp_help_jobstep",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL'").gives(
            "*",
            &[
                "1|one|TSQL|SELECT 1|0|0|3|0|2|0|NULL|master|NULL|0|0|0|NULL|1|100|0|20261102|23000|NULL",
                "2|two|TSQL|SELECT 2|0|0|1|0|2|0|NULL|msdb|NULL|0|0|0|NULL|0|0|0|0|0|NULL",
            ],
        ),
        done("@job_id = '{job local}', @step_id = 2").gives("step_name", &["two"]),
        done("@job_name = N'local', @step_name = N'ONE'").gives("step_id", &["1"]),
        done("@job_name = N'local', @step_id = 1, @step_name = N'one'").gives("step_id", &["1"]),
        done("@job_name = N'local', @step_id = 1, @suffix = 1").gives(
            "flags on_success_action on_fail_action os_run_priority",
            &["0 (normal)|3 (go to next step)|2 (quit with failure)|0 (normal)"],
        ),
        done("@job_name = N'bare'").gives("*", &[]),
        done("@job_name = N'own'").by("user").gives("step_name", &["one"]),
        done("@job_name = N'own'").by("reader").gives("step_name", &["one"]),
        done("@job_name = N'fleet'").by("operator").gives("step_name", &["one"]),
        fails("", 14294),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'local', @step_id = 3", 14262),
        fails("@job_name = N'local', @step_name = N'three'", 14262),
        fails("@job_name = N'local', @step_id = 1, @step_name = N'two'", 14262),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("@job_name = N'own'", 14262).by("mate"),
        fails("@job_name = N'own'", 229).by("guest1"),
    ],
};

const HELP_LOG: Table = Table {
    procedure: "sp_help_jobsteplog",
    absent: &[],
    cases: &[
        done("@job_name = N'local'").gives(
            "job_id job_name step_id step_name date_created date_modified log",
            &["{job local}|local|1|one|2026-11-03 12:00:00|2026-11-03 12:00:00|hello"],
        ),
        // The size is in megabytes, that of an nvarchar.
        done("@job_id = '{job local}', @step_id = 1").gives("log_size", &["9.53674e-006"]),
        done("@job_name = N'local', @step_name = N'ONE'").gives("step_id", &["1"]),
        done("@job_name = N'local', @step_id = 2").gives("*", &[]),
        done("@job_name = N'bare'").gives("*", &[]),
        done("@job_name = N'own'").by("user").gives("*", &[]),
        done("@job_name = N'local'")
            .by("reader")
            .gives("log", &["hello"]),
        done("@job_name = N'local'")
            .by("operator")
            .gives("log", &["hello"]),
        fails("", 14294),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_name = N'local', @step_id = 3", 14262),
        fails("@job_name = N'local', @step_name = N'three'", 14262),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("@job_name = N'local'", 229).by("guest1"),
    ],
};

const LOGS: &str = "SELECT COUNT(*) FROM sysjobstepslogs";

const DELETE_LOG: Table = Table {
    procedure: "sp_delete_jobsteplog",
    absent: &[],
    cases: &[
        done("@job_name = N'local'").then(LOGS, &["0"]),
        done("@job_id = '{job local}', @step_id = 1").then(LOGS, &["0"]),
        done("@job_name = N'local', @step_name = N'ONE'").then(LOGS, &["0"]),
        done("@job_name = N'local', @step_id = 2").then(LOGS, &["1"]),
        done("@job_name = N'local', @older_than = '2026-11-03 12:00:01'").then(LOGS, &["0"]),
        done("@job_name = N'local', @older_than = '2026-11-03 12:00:00'").then(LOGS, &["1"]),
        done("@job_name = N'local', @larger_than = 9").then(LOGS, &["0"]),
        done("@job_name = N'local', @larger_than = 10").then(LOGS, &["1"]),
        done("@job_name = N'local', @older_than = '20261104', @larger_than = 10")
            .then(LOGS, &["1"]),
        done("@job_name = N'local', @older_than = '20261104', @larger_than = 9")
            .by("boss")
            .then(LOGS, &["0"]),
        done("@job_name = N'own'").by("user").then(LOGS, &["1"]),
        // History and logs of a master's job are this server's.
        done("@job_name = N'theirs'").within(TARGET),
        fails("", 14294),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_name = N'local', @step_id = 3", 14262),
        fails("@job_name = N'local', @step_name = N'three'", 14262),
        fails("@job_name = N'local', @larger_than = -1", 14266),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("@job_name = N'local'", 14525).by("reader"),
        fails("@job_name = N'local'", 14525).by("operator"),
        fails("@job_name = N'fleet'", 14396).by("operator"),
        fails("@job_name = N'local'", 229).by("guest1"),
    ],
};

tables! {
    add: ADD,
    update: UPDATE,
    delete: DELETE,
    help: HELP,
    help_log: HELP_LOG,
    delete_log: DELETE_LOG,
}
