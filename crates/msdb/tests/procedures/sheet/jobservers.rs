//! Targets of a job: sp_add_jobserver, sp_delete_jobserver, sp_apply_job_to_targets, sp_remove_job_from_targets,
//! sp_help_jobserver, and what a target asks its master: sp_sqlagent_refresh_job.

use super::{TARGET, Table, done, fails};

const QUEUE: &str =
    "SELECT target_server, operation_code FROM sysdownloadlist ORDER BY instance_id";
const BARE: &str = "SELECT category_id, (SELECT COUNT(*) FROM sysjobservers WHERE job_id = '{job bare}') FROM sysjobs \
                    WHERE name = N'bare'";
const OURS: &str = "EXEC sp_update_job @job_name = N'bare', @category_name = N'Ours'";
const THEIRS: &str = "EXEC sp_update_job @job_name = N'bare', @category_name = N'Theirs'";
const NAMESAKE: &str = "EXEC sp_add_job @job_name = N'theirs'";

const ADD: Table = Table {
    procedure: "sp_add_jobserver",
    absent: &[(14234, "An unknown server does not exist: 14262.")],
    cases: &[
        done("@job_name = N'BARE'").then(BARE, &["0|1"]),
        done("@job_id = '{job bare}', @server_name = N'(LOCAL)'").then(BARE, &["0|1"]),
        done("@job_name = N'bare', @server_name = N'master'").then(
            "SELECT server_id, last_run_outcome, last_run_date, last_run_time, last_run_duration, \
             last_outcome_message FROM sysjobservers WHERE job_id = '{job bare}'",
            &["0|5|0|0|0|NULL"],
        ),
        done("@job_name = N'draft'").by("user"),
        done("@job_name = N'draft'").by("boss"),
        // Nothing is posted for a local job, and everything for a remote one.
        done("@job_name = N'bare'").then(QUEUE, &["T1|1", "T2|1"]),
        done("@job_name = N'bare', @server_name = N'T3'").then(QUEUE, &["T1|1", "T2|1", "T3|1"]),
        done("@job_name = N'bare', @server_name = N't3', @automatic_post = 0").then(QUEUE, &["T1|1", "T2|1"]),
        done("@job_name = N'fleet', @server_name = N't3'").by("boss").then(QUEUE, &["T1|1", "T2|1", "T3|1"]),
        // A category of the other kind gives way to the class's own.
        done("@job_name = N'bare', @server_name = N't3'").then(BARE, &["2|1"]),
        done("@job_name = N'bare', @server_name = N't3'").after(OURS).then(BARE, &["2|1"]),
        done("@job_name = N'bare', @server_name = N't3'").after(THEIRS).then(BARE, &["{category Theirs}|1"]),
        done("@job_name = N'bare'").after(THEIRS).then(BARE, &["0|1"]),
        done("@job_name = N'bare'").after(OURS).then(BARE, &["{category Ours}|1"]),
        fails("", 14294),
        fails("@job_name = N'bare', @job_id = '{job bare}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'bare', @server_name = N't4'", 14262),
        fails("@job_name = N'local'", 14269),
        fails("@job_name = N'fleet', @server_name = N'T1'", 14269),
        fails("@job_name = N'local', @server_name = N't1'", 14290),
        fails("@job_name = N'fleet'", 14291),
        fails("@job_name = N'draft', @server_name = N't1'", 14544),
        fails("@job_name = N'bare', @server_name = N't1'", 14221)
            .after("EXEC sp_update_job @job_name = N'bare', @notify_page_operator_name = N'dba'"),
        fails("@job_name = N'bare', @server_name = N't1'", 14542)
            .after("EXEC sp_add_jobstep @job_name = N'bare', @step_name = N'one', @database_user_name = N'dbo'"),
        fails("@job_name = N'theirs'", 14293).within(TARGET).after(NAMESAKE),
        fails("@job_name = N'theirs'", 14274).within(TARGET),
        fails("@job_name = N'bare'", 14262).by("user"),
        fails("@job_name = N'draft', @server_name = N't1'", 14398).by("user"),
        fails("@job_name = N'fleet', @server_name = N't3'", 14398).by("operator"),
        fails("@job_name = N'draft'", 14525).by("reader"),
        fails("@job_name = N'draft'", 14525).by("operator"),
        fails("@job_name = N'draft'", 229).by("guest1"),
    ],
};

const DELETE: Table = Table {
    procedure: "sp_delete_jobserver",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL', @server_name = N'(local)'")
            .then("SELECT COUNT(*) FROM sysjobservers WHERE job_id = '{job local}'", &["0"]),
        done("@job_id = '{job local}', @server_name = N'MASTER'")
            .then("SELECT COUNT(*) FROM sysjobservers WHERE job_id = '{job local}'", &["0"]),
        done("@job_name = N'fleet', @server_name = N'T1'").then(
            "SELECT target_server, operation_code, deleted_object_name FROM sysdownloadlist ORDER BY instance_id",
            &["T1|1|NULL", "T2|1|NULL", "T1|3|fleet"],
        ),
        done("@job_name = N'fleet', @server_name = N't2'")
            .by("boss")
            .then("SELECT COUNT(*) FROM sysjobservers WHERE job_id = '{job fleet}'", &["1"]),
        // The last outcome there is forgotten with the target.
        done("@job_name = N'fleet', @server_name = N't1'").then(
            "EXEC sp_add_jobserver @job_name = N'fleet', @server_name = N't1'
            SELECT last_run_outcome FROM sysjobservers AS j JOIN systargetservers AS t
            ON t.server_id = j.server_id WHERE job_id = '{job fleet}' AND server_name = N't1'",
            &["5"],
        ),
        fails("@server_name = N't1'", 14294),
        fails("@job_name = N'fleet', @job_id = '{job fleet}', @server_name = N't1'", 14294),
        fails("@job_name = N'fleet'", 201),
        fails("@job_name = N'fleet', @server_name = N''", 14200),
        fails("@job_name = N'nowhere', @server_name = N't1'", 14262),
        fails("@job_name = N'fleet', @server_name = N't4'", 14262),
        fails("@job_name = N'fleet', @server_name = N't3'", 14270),
        fails("@job_name = N'fleet', @server_name = N'(local)'", 14270),
        fails("@job_name = N'bare', @server_name = N'(local)'", 14270),
        fails("@job_name = N'theirs', @server_name = N'(local)'", 14274).within(TARGET),
        fails("@job_name = N'own', @server_name = N'(local)'", 229).by("user"),
        fails("@job_name = N'own', @server_name = N'(local)'", 229).by("operator"),
    ],
};

const APPLY: Table = Table {
    procedure: "sp_apply_job_to_targets",
    absent: &[],
    cases: &[
        done("@job_name = N'BARE', @target_servers = N't1, T3 ,'").says(&[14240]).then(QUEUE, &["T1|1", "T2|1", "T1|1", "T3|1"]),
        done("@job_id = '{job bare}', @target_server_groups = N'PAIR'")
            .says(&[14240])
            .then(QUEUE, &["T1|1", "T2|1", "T1|1", "T2|1"]),
        // Each target once, and those that it has already not at all.
        done("@job_name = N'bare', @target_server_groups = N'pair', @target_servers = N't2,t3', @operation = 'apply'")
            .by("boss")
            .says(&[14240])
            .then(BARE, &["2|3"]),
        done("@job_name = N'fleet', @target_servers = N't1,t3'").says(&[14240]).then(QUEUE, &["T1|1", "T2|1", "T3|1"]),
        done("@job_name = N'fleet', @target_server_groups = N'pair'").says(&[14240]).then(QUEUE, &["T1|1", "T2|1"]),
        done("@job_name = N'fleet', @target_servers = N't1', @operation = 'REMOVE'")
            .says(&[14241])
            .then(QUEUE, &["T1|1", "T2|1", "T1|3"]),
        done("@job_name = N'fleet', @target_server_groups = N'pair', @operation = 'Remove'")
            .says(&[14241])
            .then("SELECT COUNT(*) FROM sysjobservers WHERE job_id = '{job fleet}'", &["0"]),
        fails("@target_servers = N't1'", 14294),
        fails("@job_name = N'bare', @job_id = '{job bare}', @target_servers = N't1'", 14294),
        fails("@job_name = N'bare'", 14283),
        fails("@job_name = N'bare', @target_servers = N''", 14283),
        fails("@job_name = N'nowhere', @target_servers = N't1'", 14262),
        // One wrong name, and none of the others is taken either.
        fails("@job_name = N'bare', @target_servers = N't1,t4'", 14262),
        fails("@job_name = N'bare', @target_servers = N't1', @target_server_groups = N'trio'", 14262),
        fails("@job_name = N'bare', @target_servers = N't1', @operation = 'MOVE'", 14266),
        fails("@job_name = N'local', @target_servers = N't1'", 14290),
        fails("@job_name = N'own', @target_servers = N't1'", 14290),
        fails("@job_name = N'draft', @target_servers = N't1'", 14544),
        fails("@job_name = N'theirs', @target_servers = N't1'", 14274).within(TARGET),
        fails("@job_name = N'own', @target_servers = N't1'", 229).by("user"),
        fails("@job_name = N'fleet', @target_servers = N't3'", 229).by("operator"),
    ],
};

const REMOVE: Table = Table {
    procedure: "sp_remove_job_from_targets",
    absent: &[],
    cases: &[
        done("@job_name = N'FLEET', @target_servers = N'T1'")
            .says(&[14241])
            .then(QUEUE, &["T1|1", "T2|1", "T1|3"]),
        done("@job_id = '{job fleet}', @target_server_groups = N'pair'")
            .says(&[14241])
            .then(QUEUE, &["T1|1", "T2|1", "T1|3", "T2|3"]),
        done("@job_name = N'fleet', @target_servers = N't2,t3', @target_server_groups = N'pair'")
            .by("boss")
            .says(&[14241])
            .then(
                "SELECT COUNT(*) FROM sysjobservers WHERE job_id = '{job fleet}'",
                &["0"],
            ),
        done("@job_name = N'fleet', @target_servers = N't3'")
            .says(&[14241])
            .then(QUEUE, &["T1|1", "T2|1"]),
        fails("@target_servers = N't1'", 14294),
        fails(
            "@job_name = N'fleet', @job_id = '{job fleet}', @target_servers = N't1'",
            14294,
        ),
        fails("@job_name = N'fleet'", 14283),
        fails("@job_name = N'nowhere', @target_servers = N't1'", 14262),
        fails("@job_name = N'fleet', @target_servers = N't1,t4'", 14262),
        fails(
            "@job_name = N'fleet', @target_server_groups = N'trio'",
            14262,
        ),
        fails("@job_name = N'theirs', @target_servers = N't1'", 14274).within(TARGET),
        fails("@job_name = N'fleet', @target_servers = N't1'", 229).by("operator"),
    ],
};

const HELP: Table = Table {
    procedure: "sp_help_jobserver",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL'").gives("*", &["0|MASTER|NULL|NULL"]),
        done("@job_name = N'local', @show_last_run_details = 1")
            .gives("*", &["0|MASTER|NULL|NULL|20261102|23000|101|1|The job succeeded."]),
        done("@job_id = '{job fleet}', @show_last_run_details = 1").gives(
            "server_name enlist_date last_poll_date last_run_date last_run_time last_run_duration last_run_outcome \
             last_outcome_message",
            &[
                "T1|2026-11-03 12:00:00|2026-11-03 12:00:00|20261102|230000|2|0|Failed there.",
                "T2|2026-11-03 12:00:00|2026-11-03 12:00:00|0|0|0|5|NULL",
            ],
        ),
        done("@job_name = N'own', @show_last_run_details = 1").by("user").gives("last_run_outcome", &["3"]),
        done("@job_name = N'bare', @show_last_run_details = 1").by("reader").gives("*", &[]),
        done("@job_name = N'fleet'").by("operator").gives("server_name", &["T1", "T2"]),
        fails("", 14294),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'local', @show_last_run_details = 2", 14266),
        fails("@job_name = N'theirs'", 14293).within(TARGET).after(NAMESAKE),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("@job_name = N'local'", 229).by("guest1"),
    ],
};

/// `sa` enlists `tsx`, which speaks T-SQL, and gives it the job `fleet`.
const TSX: &str = "
EXEC sp_enlist_tsx @Action = 0, @ServerName = N'tsx', @Location = N'cellar', @TimeZoneAdjustment = 1,
    @LocalTime = NULL, @NTUserName = N'x', @PollInterval = 60
EXEC sp_add_jobserver @job_name = N'fleet', @server_name = N'tsx'";

const REFRESH: Table = Table {
    procedure: "sp_sqlagent_refresh_job",
    absent: &[],
    cases: &[
        done("@job_id = '{job fleet}'").sets(&[
            ("name type", &["fleet|2"]),
            (
                "step_id step_name on_fail_action",
                &["1|one|2 (quit with failure)"],
            ),
            ("schedule_name freq_type freq_interval", &["weekly|8|64"]),
        ]),
        done("@job_id = '{job fleet}', @server_name = N'TSX'")
            .after(TSX)
            .sets(&[
                ("name", &["fleet"]),
                ("step_name", &["one"]),
                ("schedule_name", &["weekly"]),
            ]),
        fails("", 14233),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_id = '{job local}', @server_name = N'tsx'", 14262).after(TSX),
        fails("@job_id = '{job fleet}', @server_name = N't4'", 14364),
        // Only for targets that the login enlisted.
        fails("@job_id = '{job fleet}', @server_name = N't1'", 14260).by("target"),
        fails("@job_id = '{job fleet}', @server_name = N'tsx'", 14260)
            .after(TSX)
            .by("target"),
        fails("@job_id = '{job fleet}'", 14200).by("target"),
        fails("@job_id = '{job fleet}'", 229).by("operator"),
        fails("@job_id = '{job fleet}'", 229).by("guest1"),
    ],
};

tables! {
    add: ADD,
    delete: DELETE,
    apply: APPLY,
    remove: REMOVE,
    help: HELP,
    refresh: REFRESH,
}
