//! The download list: sp_help_downloadlist, sp_post_msx_operation, sp_resync_targetserver.

use super::{TARGET, Table, done, fails};

const NAMED: &str = "This server knows its own name.";

/// One of each kind, for `t1`.
const POSTED: &str = "
EXEC sp_post_msx_operation 'SET-POLL', 'SERVER', @specific_target_server = N't1', @value = 90
EXEC sp_post_msx_operation 'STOP', 'JOB', '{job fleet}', N't1'
EXEC sp_post_msx_operation 'DELETE', 'JOB', 0x00, N't1'";

const HELP: Table = Table {
    procedure: "sp_help_downloadlist",
    absent: &[],
    cases: &[
        done("").gives(
            "source_server operation_code object_name object_id target_server error_message date_posted \
             date_downloaded status",
            &[
                "MASTER|1 (INSERT)|fleet|{job fleet}|T1|NULL|2026-11-03 12:00:00|NULL|0",
                "MASTER|1 (INSERT)|fleet|{job fleet}|T2|NULL|2026-11-03 12:00:00|NULL|0",
            ],
        ),
        done("@target_server = N'T1'").by("boss").after(POSTED).gives(
            "operation_code object_name object_id",
            &[
                "1 (INSERT)|fleet|{job fleet}",
                "9 (SET-POLL)|t1|00000000-0000-0000-0000-000000000000",
                "5 (STOP)|fleet|{job fleet}",
                "3 (DELETE)|(all jobs)|00000000-0000-0000-0000-000000000000",
            ],
        ),
        done("@operation = 'set-poll'").after(POSTED).gives("target_server", &["T1"]),
        done("@operation = 'START'").after(POSTED).gives("target_server", &[]),
        done("@job_name = N'FLEET', @operation = 'STOP'").after(POSTED).gives("operation_code", &["5 (STOP)"]),
        done("@job_id = '{job fleet}', @target_server = N't2'").after(POSTED).gives(
            "operation_code",
            &["1 (INSERT)"],
        ),
        done("@object_type = 'SERVER', @object_name = N'T1'").after(POSTED).gives(
            "operation_code",
            &["9 (SET-POLL)"],
        ),
        done("@object_type = 'job', @object_name = N'Fleet'").gives("target_server", &["T1", "T2"]),
        done("@object_type = 'SCHEDULE', @object_name = N'weekly'").gives("target_server", &[]),
        done("@has_error = 1").gives("target_server", &[]),
        done("@has_error = 0").gives("target_server", &["T1", "T2"]),
        done("@status = 0").gives("target_server", &["T1", "T2"]),
        done("@status = 1").gives("target_server", &[]),
        done("@date_posted = '2026-11-03 12:00'").gives("target_server", &["T1", "T2"]),
        done("@date_posted = '2026-11-03 12:01'").gives("target_server", &[]),
        // A job that is gone keeps its name in the rows that delete it.
        done("@operation = 'DELETE'")
            .after("EXEC sp_delete_job @job_name = N'fleet'")
            .gives("object_name target_server", &["fleet|T1", "fleet|T2"]),
        fails("@operation = 'DANCE'", 14266),
        fails("@object_type = 'FLOOR', @object_name = N'x'", 14266),
        fails("@has_error = 2", 14266),
        fails("@status = 2", 14266),
        fails("@object_type = 'JOB'", 14272),
        fails("@object_name = N'fleet'", 14272),
        fails("@job_name = N'nothing'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000009'", 14262),
        fails("@job_name = N'fleet', @job_id = '{job fleet}'", 14294),
        fails("@target_server = N'nowhere'", 14262),
        fails("", 229).by("user"),
        fails("", 229).by("operator"),
        fails("", 229).by("target"),
    ],
};

const NEWEST: &str = "SELECT operation_code, object_type, target_server FROM sysdownloadlist
    WHERE instance_id > 2 ORDER BY target_server, instance_id";

const POST: Table = Table {
    procedure: "sp_post_msx_operation",
    absent: &[(14225, NAMED)],
    cases: &[
        done("@operation = 'INSERT', @object_type = 'JOB', @job_id = '{job fleet}'")
            .says(&[14230])
            .then(NEWEST, &["1|1|T1", "1|1|T2"]),
        done("'update', 'job', '{job fleet}', N'T2'")
            .by("boss")
            .says(&[14230])
            .then(NEWEST, &["2|1|T2"]),
        done("'START', @job_id = '{job fleet}'").says(&[14230]).then(NEWEST, &["4|1|T1", "4|1|T2"]),
        done("'STOP', 'JOB', '{job fleet}'").says(&[14230]).then(NEWEST, &["5|1|T1", "5|1|T2"]),
        done("'DELETE', 'JOB', '{job fleet}'").says(&[14230]).then(NEWEST, &["3|1|T1", "3|1|T2"]),
        // 0x00 is all jobs.
        done("'DELETE', 'JOB', 0x00").says(&[14230]).then(NEWEST, &["3|1|T1", "3|1|T2", "3|1|T3"]),
        done("'INSERT', 'JOB', 0x00").says(&[14230]).then(NEWEST, &["1|1|T1", "1|1|T2"]),
        done("'RE-ENLIST', 'SERVER'").says(&[14230]).then(NEWEST, &["6|2|T1", "6|2|T2", "6|2|T3"]),
        done("'DEFECT', 'SERVER', @specific_target_server = N't3'").says(&[14230]).then(NEWEST, &["7|2|T3"]),
        done("'SYNC-TIME', 'SERVER', @specific_target_server = N't3'")
            .says(&[14230])
            .then(NEWEST, &["8|2|T3"]),
        done("@operation = 'SET-POLL', @object_type = 'SERVER', @specific_target_server = N't3', @value = 10")
            .says(&[14230])
            .then("SELECT poll_interval FROM systargetservers WHERE server_name = N'T3'", &["10"]),
        done("'SET-POLL', 'SERVER', @value = 28800").says(&[14230]).then(NEWEST, &["9|2|T1", "9|2|T2", "9|2|T3"]),
        // A schedule travels with its jobs.
        done("@operation = 'UPDATE', @object_type = 'SCHEDULE', @schedule_uid = '{uid weekly}'")
            .says(&[14230])
            .then(NEWEST, &["1|1|T1", "1|1|T2"]),
        done("'INSERT', 'SCHEDULE', @specific_target_server = N't2', @schedule_uid = '{uid weekly}'")
            .says(&[14230])
            .then(NEWEST, &["1|1|T2"]),
        // Harmless for a local job, and where there are no targets.
        done("'INSERT', 'JOB', '{job local}'").says(&[14230]).then(NEWEST, &[]),
        done("'UPDATE', 'SCHEDULE', @schedule_uid = '{uid daily}'").says(&[14230]).then(NEWEST, &[]),
        done("'RE-ENLIST', 'SERVER'").within(TARGET).says(&[14230]),
        // The target takes no part in the job.
        done("'INSERT', 'JOB', '{job fleet}', N't3'").says(&[14231]).then(NEWEST, &[]),
        fails("'DANCE', 'JOB', '{job fleet}'", 14266),
        fails("'INSERT', 'FLOOR', '{job fleet}'", 14266),
        fails("'DEFECT', 'JOB', '{job fleet}'", 14266),
        fails("'START', 'SERVER'", 14266),
        fails("'START', 'SCHEDULE', @schedule_uid = '{uid weekly}'", 14266),
        fails("'SET-POLL', 'SERVER'", 14266),
        fails("'SET-POLL', 'SERVER', @value = 9", 14266),
        fails("'SET-POLL', 'SERVER', @value = 28801", 14266),
        fails("'INSERT', 'JOB'", 14233),
        fails("'INSERT', 'JOB', '00000000-0000-0000-0000-000000000009'", 14262),
        fails("'INSERT', 'JOB', '{job fleet}', N'nowhere'", 14262),
        fails("'DEFECT', 'SERVER', @specific_target_server = N'nowhere'", 14262),
        fails("'INSERT', 'SCHEDULE'", 14365),
        fails("'INSERT', 'SCHEDULE', @schedule_uid = '00000000-0000-0000-0000-000000000009'", 14365),
        fails("", 201),
        fails("'INSERT', 'JOB', '{job fleet}'", 229).by("user"),
        fails("'INSERT', 'JOB', '{job fleet}'", 229).by("operator"),
        fails("'INSERT', 'JOB', '{job fleet}'", 229).by("target"),
    ],
};

const RESYNC: Table = Table {
    procedure: "sp_resync_targetserver",
    absent: &[],
    cases: &[
        done("@server_name = N't1'").says(&[14230, 14230]).then(NEWEST, &["3|1|T1", "1|1|T1"]),
        // What waited is gone.
        done("N'T1'").by("boss").after(POSTED).says(&[14230, 14230]).then(
            "SELECT operation_code FROM sysdownloadlist WHERE target_server = N'T1' ORDER BY instance_id",
            &["3", "1"],
        ),
        done("N't3'").says(&[14230, 14548]).then(NEWEST, &["3|1|T3"]),
        done("N'all'").says(&[14230, 14230, 14230, 14230, 14230, 14548]).then(
            NEWEST,
            &["3|1|T1", "1|1|T1", "3|1|T2", "1|1|T2", "3|1|T3"],
        ),
        done("N'ALL'").within(TARGET),
        fails("N'nowhere'", 14262),
        fails("N'Master'", 14262),
        fails("N''", 14200),
        fails("", 201),
        fails("N't1'", 229).by("user"),
        fails("N't1'", 229).by("operator"),
        fails("N't1'", 229).by("target"),
    ],
};

tables! {
    help: HELP,
    post: POST,
    resync: RESYNC,
}
