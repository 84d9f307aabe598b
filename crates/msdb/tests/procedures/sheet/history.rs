//! sp_help_jobhistory, sp_purge_jobhistory, sp_jobhistory_row_limiter, sp_sqlagent_log_jobhistory.

use super::{TARGET, Table, done, fails};

const HELP: Table = Table {
    procedure: "sp_help_jobhistory",
    absent: &[],
    cases: &[
        done("").gives(
            "*",
            &[
                "{job fleet}|fleet|0|20261102|230000|2|NULL|NULL|NULL|0|T1",
                "{job own}|own|3|20261102|120000|10000|NULL|NULL|NULL|0|Master",
                "{job local}|local|1|20261102|23000|101|NULL|NULL|NULL|0|Master",
                "{job local}|local|0|20261101|23000|15|dba|NULL|NULL|0|Master",
            ],
        ),
        done("@job_name = N'LOCAL', @mode = 'full'").gives(
            "*",
            &[
                "5|{job local}|local|0|(Job outcome)|0|0|The job succeeded.|1|20261102|23000|101|NULL|NULL|NULL|0|\
                 Master",
                "4|{job local}|local|1|one|0|0|Well.|1|20261102|23000|100|NULL|NULL|NULL|0|Master",
                "3|{job local}|local|0|(Job outcome)|0|0|The job failed.|0|20261101|23000|15|dba|NULL|NULL|0|Master",
                "2|{job local}|local|1|one|208|16|Still none.|0|20261101|23005|10|NULL|NULL|NULL|1|Master",
                "1|{job local}|local|1|one|208|16|No such table.|2|20261101|23000|5|NULL|NULL|NULL|0|Master",
            ],
        ),
        done("@job_id = '{job local}', @oldest_first = 1, @mode = 'FULL'")
            .gives("instance_id", &["1", "2", "3", "4", "5"]),
        done("@step_id = 1, @mode = 'FULL'").gives("instance_id", &["4", "2", "1"]),
        done("@step_id = 0, @mode = 'FULL'").gives("job_name", &["fleet", "own", "local", "local"]),
        done("@job_name = N'local', @step_id = 1").gives("run_status", &["1", "0", "2"]),
        done("@sql_message_id = 208, @mode = 'FULL'").gives("instance_id", &["2", "1"]),
        done("@sql_severity = 16, @mode = 'FULL'").gives("instance_id", &["2", "1"]),
        done("@start_run_date = 20261102").gives("job_name", &["fleet", "own", "local"]),
        done("@end_run_date = 20261101").gives("job_name", &["local"]),
        done("@start_run_date = 20261101, @end_run_date = 20261101, @mode = 'FULL'").gives("instance_id", &["3", "2", "1"]),
        done("@start_run_time = 120000").gives("job_name", &["fleet", "own"]),
        done("@end_run_time = 23000").gives("job_name", &["local", "local"]),
        done("@minimum_run_duration = 101").gives("job_name", &["own", "local"]),
        done("@run_status = 0").gives("job_name", &["fleet", "local"]),
        done("@run_status = 2, @mode = 'FULL'").gives("instance_id", &["1"]),
        done("@run_status = 3").gives("job_name", &["own"]),
        done("@run_status = 4").gives("*", &[]),
        done("@run_status = 5").gives("*", &[]),
        done("@minimum_retries = 1, @mode = 'FULL'").gives("instance_id", &["2"]),
        done("@server = N't1'").gives("job_name", &["fleet"]),
        done("@server = N'MASTER', @job_name = N'own'").gives("job_name", &["own"]),
        done("@job_name = N'bare'").gives("*", &[]),
        done("").by("user").gives("job_name", &["own"]),
        done("").by("mate").gives("*", &[]),
        done("").by("reader").gives("job_name", &["fleet", "own", "local", "local"]),
        done("@job_name = N'fleet'").by("operator").gives("run_status", &["0"]),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'theirs'", 14293).within(TARGET).after("EXEC sp_add_job @job_name = N'theirs'"),
        fails("@run_status = 6", 14266),
        fails("@run_status = -1", 14266),
        fails("@oldest_first = 2", 14266),
        fails("@mode = 'ODD'", 14266),
        fails("@start_run_date = 20261301", 14287),
        fails("@end_run_date = 1", 14287),
        fails("@start_run_time = 240000", 14287),
        fails("@end_run_time = 99", 14287),
        fails("@minimum_run_duration = 99", 14287),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("", 229).by("guest1"),
    ],
};

const LEFT: &str = "SELECT instance_id FROM sysjobhistory ORDER BY instance_id";
const GRANT: &str = "GRANT EXECUTE ON dbo.sp_purge_jobhistory TO [user]
GRANT EXECUTE ON dbo.sp_purge_jobhistory TO [reader]";

const PURGE: Table = Table {
    procedure: "sp_purge_jobhistory",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL'")
            .says(&[14226])
            .then(LEFT, &["6", "7"]),
        done("@job_id = '{job local}'")
            .says(&[14226])
            .then(LEFT, &["6", "7"]),
        done("").says(&[14226]).then(LEFT, &[]),
        done("@oldest_date = '20261102'")
            .says(&[14226])
            .then(LEFT, &["4", "5", "6", "7"]),
        done("@job_name = N'local', @oldest_date = '2026-11-01T02:30:05'")
            .says(&[14226])
            .then(LEFT, &["2", "4", "5", "6", "7"]),
        done("@job_name = N'bare'")
            .says(&[14226])
            .then(LEFT, &["1", "2", "3", "4", "5", "6", "7"]),
        done("@job_name = N'own'")
            .by("operator")
            .says(&[14226])
            .then(LEFT, &["1", "2", "3", "4", "5", "7"]),
        done("@job_name = N'theirs'").within(TARGET).says(&[14226]),
        // Without a job SQLAgentOperatorRole reaches the local ones.
        done("").by("operator").says(&[14226]).then(LEFT, &["7"]),
        done("").by("boss").says(&[14226]).then(LEFT, &[]),
        // The other roles need a GRANT, and reach their own jobs then.
        done("@job_name = N'own'")
            .by("user")
            .after(GRANT)
            .says(&[14226])
            .then(LEFT, &["1", "2", "3", "4", "5", "7"]),
        fails("@job_name = N'local'", 14262).by("user").after(GRANT),
        fails("", 14392).by("user").after(GRANT),
        fails("@job_name = N'local'", 14392)
            .by("reader")
            .after(GRANT),
        fails("@job_name = N'fleet'", 14392).by("operator"),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'theirs'", 14293)
            .within(TARGET)
            .after("EXEC sp_add_job @job_name = N'theirs'"),
        fails("@job_name = N'own'", 229).by("user"),
        fails("@job_name = N'own'", 229).by("reader"),
        fails("@oldest_date = 'long ago'", 8114),
    ],
};

const LIMIT: Table = Table {
    procedure: "sp_jobhistory_row_limiter",
    absent: &[],
    cases: &[
        done("@job_id = '{job local}'").unchanged(),
        done("@job_id = '{job own}'").by("boss").unchanged(),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("", 201),
        fails("@job_id = '{job local}'", 229).by("operator"),
    ],
};

const NEWEST: &str = "SELECT step_id, step_name, sql_message_id, sql_severity, message, run_status, run_date, run_time, \
                      run_duration, operator_id_emailed, operator_id_netsent, operator_id_paged, retries_attempted, \
                      server FROM sysjobhistory WHERE instance_id = 8";
const GOOD: &str = "@job_id = '{job local}', @step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 1, \
                    @run_duration = 2, @retries_attempted = 0";

const LOG: Table = Table {
    procedure: "sp_sqlagent_log_jobhistory",
    absent: &[],
    cases: &[
        done(GOOD).then(NEWEST, &["0|(Job outcome)|0|0||1|20261103|1|2|0|0|0|0|Master"]),
        done(
            "@job_id = '{job local}', @step_id = 2, @sql_message_id = 50000, @sql_severity = 11, @message = N'So so.',
            @run_status = 3, @run_date = 20261103, @run_time = 120000, @run_duration = 1000000,
            @operator_id_emailed = {operator dba}, @operator_id_netsent = {operator dba},
            @operator_id_paged = {operator dba}, @retries_attempted = 4, @server = N'MASTER', @session_id = 2",
        )
        .by("boss")
        .then(NEWEST, &["2|two|50000|11|So so.|3|20261103|120000|1000000|{operator dba}|{operator dba}|{operator dba}|4|Master"]),
        // The last-run columns follow.
        done(GOOD).then(
            "SELECT last_run_outcome, last_run_date, last_run_time, last_run_duration FROM sysjobservers
            WHERE job_id = '{job local}'",
            &["1|20261103|1|2"],
        ),
        // The limits are kept with each outcome, oldest first.
        done(GOOD)
            .after("EXEC sp_set_sqlagent_properties @jobhistory_max_rows = 100, @jobhistory_max_rows_per_job = 2")
            .then("SELECT instance_id FROM sysjobhistory WHERE job_id = '{job local}' ORDER BY 1", &["5", "8"]),
        fails("@step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = 0", 201),
        fails("@job_id = NULL, @step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = 0", 14233),
        fails("@job_id = '00000000-0000-0000-0000-000000000007', @step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = 0", 14262),
        fails("@job_id = '{job local}', @step_id = -1, @run_status = 1, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = 0", 14266),
        fails("@job_id = '{job local}', @step_id = 0, @run_status = 2, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = 0", 14266),
        fails("@job_id = '{job local}', @step_id = 1, @run_status = 5, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = 0", 14266),
        fails("@job_id = '{job local}', @step_id = 0, @run_status = 1, @run_date = 20261131, @run_time = 1, @run_duration = 2, @retries_attempted = 0", 14287),
        fails("@job_id = '{job local}', @step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 99, @run_duration = 2, @retries_attempted = 0", 14287),
        fails("@job_id = '{job local}', @step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 1, @run_duration = 99, @retries_attempted = 0", 14287),
        fails("@job_id = '{job local}', @step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = -1", 14266),
        fails("@job_id = '{job local}', @step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = 0, @operator_id_emailed = 99", 14262),
        fails("@job_id = '{job local}', @step_id = 0, @run_status = 1, @run_date = 20261103, @run_time = 1, @run_duration = 2, @retries_attempted = 0, @server = N't1'", 14262),
        fails(GOOD, 229).by("operator"),
        // A target speaks for itself alone, and by its name.
        fails(GOOD, 14260).by("target"),
    ],
};

tables! {
    help: HELP,
    purge: PURGE,
    limit: LIMIT,
    log: LOG,
}
