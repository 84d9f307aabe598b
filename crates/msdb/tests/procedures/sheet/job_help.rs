//! sp_help_job, sp_help_jobcount, sp_help_jobactivity, sp_help_jobs_in_schedule.

use super::{TARGET, Table, done, fails};

/// `local` as summaries show it.
const LOCAL: &str = "{job local}|MASTER|local|1|Here.|1|[Uncategorized (Local)]|sa|2|0|0|0|(unknown)|(unknown)|\
                     (unknown)|0|2026-11-03 12:00:00|2026-11-03 12:00:00|5|20261102|23000|1|20261104|23000|\
                     {schedule daily}|4|0 (unknown)|0|2|2|1|1";
const SECOND: &str = "{job second}|MASTER|second|1|No description available.|1|[Uncategorized (Local)]|sa|2|0|0|0|\
                      (unknown)|(unknown)|(unknown)|0|2026-11-03 12:00:00|2026-11-03 12:00:00|3|0|0|5|0|0|0|1|\
                      1 (one)|1|1|1|1|1";

const HELP: Table = Table {
    procedure: "sp_help_job",
    absent: &[],
    cases: &[
        done("").gives("name type", &["local|1", "second|1", "bare|0", "fleet|2", "own|1", "draft|0"]),
        done("@job_name = N'local', @job_aspect = 'JOB'").gives("*", &[LOCAL]),
        done("@job_id = '{job second}', @job_aspect = 'job'").gives("*", &[SECOND]),
        done("@job_name = N'LOCAL', @job_aspect = 'STEPS'").gives(
            "*",
            &[
                "1|one|TSQL|SELECT 1|0 (normal)|0|3 (go to next step)|0|2 (quit with failure)|0|NULL|master|NULL|0|0|\
                 0 (normal)|NULL|1|100|0|20261102|23000|NULL",
                "2|two|TSQL|SELECT 2|0 (normal)|0|1 (quit with success)|0|2 (quit with failure)|0|NULL|msdb|NULL|0|0|\
                 0 (normal)|NULL|0|0|0|0|0|NULL",
            ],
        ),
        done("@job_name = N'local', @job_aspect = 'SCHEDULES'").gives(
            "schedule_id schedule_name enabled freq_type freq_interval freq_subday_type freq_subday_interval \
             freq_relative_interval freq_recurrence_factor active_start_date active_end_date active_start_time \
             active_end_time date_created next_run_date next_run_time schedule_uid job_count",
            &[
                "{schedule daily}|daily|1|4|1|1|0|0|0|20261103|99991231|23000|235959|2026-11-03 12:00:00|20261104|\
                 23000|{uid daily}|1",
                "{schedule shared}|shared|1|8|2|1|0|0|1|20261103|99991231|0|235959|2026-11-03 12:00:00|0|0|\
                 {uid shared}|2",
            ],
        ),
        done("@job_name = N'local', @job_aspect = 'TARGETS'").gives(
            "*",
            &["0|MASTER|NULL|NULL|20261102|23000|101|1|The job succeeded."],
        ),
        done("@job_name = N'fleet', @job_aspect = 'targets'").gives(
            "server_name last_poll_date last_run_date last_run_time last_run_duration last_run_outcome \
             last_outcome_message",
            &[
                "T1|2026-11-03 12:00:00|20261102|230000|2|0|Failed there.",
                "T2|2026-11-03 12:00:00|0|0|0|5|NULL",
            ],
        ),
        done("@job_name = N'local'").says(&[14213, 14214, 14215, 14216]).sets(&[
            ("name has_step has_schedule has_target", &["local|2|2|1"]),
            ("step_name", &["one", "two"]),
            ("schedule_name", &["daily", "shared"]),
            ("server_name", &["MASTER"]),
        ]),
        done("@job_name = N'bare', @job_aspect = 'ALL'").says(&[14213, 14214, 14215, 14216]).sets(&[
            ("name type has_step has_schedule has_target", &["bare|0|0|0|0"]),
            ("*", &[]),
            ("*", &[]),
            ("*", &[]),
        ]),
        done("@job_type = 'LOCAL'").gives("name", &["local", "second", "bare", "own", "draft"]),
        done("@job_type = 'multi-server'").gives("name", &["fleet"]),
        done("@owner_login_name = N'USER'").gives("name", &["own", "draft"]),
        done("@owner_login_name = N'boss'").gives("name", &[]),
        done("@subsystem = N'tsql'").gives("name", &["local", "second", "fleet", "own"]),
        done("@subsystem = N'CmdExec'").gives("name", &[]),
        done("@category_name = N'[uncategorized (multi-server)]'").gives("name", &["fleet"]),
        done("@category_name = N'Ours'").gives("name", &[]),
        done("@enabled = 0").gives("name", &[]),
        done("@enabled = 1, @subsystem = N'TSQL', @owner_login_name = N'user'").gives("name", &["own"]),
        done("@execution_status = 1").gives("name", &["second"]),
        done("@execution_status = 0").gives("name", &["second"]),
        done("@execution_status = 4, @owner_login_name = N'sa'").gives("name", &["local", "bare", "fleet"]),
        done("@execution_status = 7").gives("name", &[]),
        done("@description = N'H_re%'").gives("name", &["local"]),
        done("@description = N'none'").gives("name", &[]),
        done("@date_comparator = '=', @date_created = '2026-11-03 12:00:00', @subsystem = N'TSQL'")
            .gives("name", &["local", "second", "fleet", "own"]),
        done("@date_comparator = '<', @date_created = '2026-11-03 12:00:00'").gives("name", &[]),
        done("@date_comparator = '>', @date_last_modified = '2026-11-03 11:59:59', @owner_login_name = N'user'")
            .gives("name", &["own", "draft"]),
        done("@date_comparator = '>', @date_last_modified = '2026-11-03 12:00:00'").gives("name", &[]),
        done("").by("user").gives("name", &["own", "draft"]),
        done("").by("mate").gives("name", &[]),
        done("").by("reader").gives("name", &["local", "second", "bare", "fleet", "own", "draft"]),
        done("").by("operator").gives("name", &["local", "second", "bare", "fleet", "own", "draft"]),
        done("@owner_login_name = N'user'").by("user").gives("name", &["own", "draft"]),
        done("@owner_login_name = N'sa', @enabled = 1").by("reader").gives("name", &["local", "second", "bare", "fleet"]),
        done("@job_name = N'own', @job_aspect = 'JOB'").by("user").gives("name owner last_run_outcome", &["own|user|3"]),
        done("@job_name = N'theirs', @job_aspect = 'JOB'").within(TARGET).gives(
            "originating_server category type current_execution_status",
            &["HQ|Jobs from MSX|1|1"],
        ),
        fails("@job_name = N'local', @enabled = 1", 14280),
        fails("@job_id = '{job local}', @description = N'%'", 14280),
        fails("@job_aspect = 'JOB'", 14280),
        fails("@job_aspect = 'ALL', @enabled = 1", 14280),
        fails("@job_name = N'local', @job_aspect = 'ALERTS'", 14266),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'theirs'", 14293).within(TARGET).after("EXEC sp_add_job @job_name = N'theirs'"),
        fails("@job_type = 'REMOTE'", 14266),
        fails("@enabled = 2", 14266),
        fails("@execution_status = 6", 14266),
        fails("@execution_status = 8", 14266),
        fails("@execution_status = -1", 14266),
        fails("@date_comparator = '='", 14282),
        fails("@date_created = '20261103'", 14282),
        fails("@date_last_modified = '20261103'", 14282),
        fails("@date_comparator = '!', @date_created = '20261103'", 14266),
        fails("@owner_login_name = N'stranger'", 14262),
        fails("@category_name = N'nowhere'", 14262),
        fails("@subsystem = N'COBOL'", 14234),
        fails("@owner_login_name = N'sa'", 14301).by("user"),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("", 229).by("guest1"),
        fails("", 229).by("target"),
    ],
};

const COUNT: Table = Table {
    procedure: "sp_help_jobcount",
    absent: &[],
    cases: &[
        done("@schedule_name = N'SHARED'").gives("*", &["2"]),
        done("@schedule_id = {schedule shared}").gives("*", &["2"]),
        done("@schedule_name = N'loose'").gives("*", &["0"]),
        done("@schedule_name = N'mine'")
            .by("user")
            .gives("*", &["1"]),
        // Others' jobs are counted for sysadmin alone.
        done("@schedule_name = N'shared'")
            .by("operator")
            .gives("*", &["0"]),
        done("@schedule_name = N'mine'")
            .by("boss")
            .gives("*", &["1"]),
        done("@schedule_name = N'mine'")
            .by("reader")
            .gives("*", &["0"]),
        fails("", 14373),
        fails(
            "@schedule_name = N'shared', @schedule_id = {schedule shared}",
            14373,
        ),
        fails("@schedule_name = N'nowhere'", 14262),
        fails("@schedule_id = 999", 14262),
        fails("@schedule_name = N'twice'", 14371),
        fails("@schedule_name = N'shared'", 14262).by("user"),
        fails("@schedule_name = N'shared'", 229).by("guest1"),
    ],
};

const ACTIVITY: Table = Table {
    procedure: "sp_help_jobactivity",
    absent: &[],
    cases: &[
        done("").gives("session_id job_name run_requested_source", &["2|local|NULL", "2|fleet|4", "2|own|4"]),
        done("@job_name = N'own'").gives(
            "session_id job_id job_name run_requested_date run_requested_source queued_date start_execution_date \
             last_executed_step_id last_executed_step_date stop_execution_date message run_status \
             operator_id_emailed operator_id_netsent operator_id_paged",
            &["2|{job own}|own|2026-11-02 12:00:00|4|NULL|2026-11-02 12:00:00|1|2026-11-02 12:00:00|\
               2026-11-02 13:00:00|Stopped.|3|0|0|0"],
        ),
        done("@job_id = '{job local}'").gives(
            "job_name start_execution_date next_scheduled_run_date job_history_id message run_status",
            &["local|NULL|2026-11-04 02:30:00|NULL|NULL|NULL"],
        ),
        done("@session_id = 1").gives("session_id job_name run_requested_date", &["1|local|NULL", "1|own|NULL"]),
        done("@job_name = N'bare'").gives("*", &[]),
        done("").by("user").gives("job_name", &["own"]),
        done("").by("reader").gives("*", &[]),
        done("@job_name = N'own'").by("operator").gives("*", &[]),
        done("").by("boss").gives("job_name", &["local", "fleet", "own"]),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'own', @job_id = '{job own}'", 14294),
        fails("@session_id = 9", 14262),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("", 229).by("guest1"),
    ],
};

const IN_SCHEDULE: Table = Table {
    procedure: "sp_help_jobs_in_schedule",
    absent: &[],
    cases: &[
        done("@schedule_name = N'daily'").gives("*", &[LOCAL]),
        done("@schedule_id = {schedule shared}").gives("name", &["local", "second"]),
        done("@schedule_name = N'weekly'").gives("name type", &["fleet|2"]),
        done("@schedule_name = N'loose'").gives("*", &[]),
        done("@schedule_name = N'mine'")
            .by("user")
            .gives("name", &["own"]),
        done("@schedule_name = N'shared'")
            .by("reader")
            .gives("name", &["local", "second"]),
        // Of a user's schedule a user sees its own jobs.
        done("@schedule_name = N'spare'")
            .by("user")
            .after("EXEC sp_attach_schedule @job_name = N'bare', @schedule_name = N'spare'")
            .gives("*", &[]),
        done("@schedule_name = N'mine'")
            .by("operator")
            .gives("name owner", &["own|user"]),
        fails("", 14373),
        fails(
            "@schedule_name = N'daily', @schedule_id = {schedule daily}",
            14373,
        ),
        fails("@schedule_name = N'twice'", 14371),
        fails("@schedule_name = N'nowhere'", 14262),
        fails("@schedule_id = 999", 14262),
        fails("@schedule_name = N'daily'", 14262).by("user"),
        fails("@schedule_name = N'daily'", 229).by("guest1"),
    ],
};

tables! {
    help: HELP,
    count: COUNT,
    activity: ACTIVITY,
    in_schedule: IN_SCHEDULE,
}
