//! sp_add_job, sp_update_job, sp_delete_job.

use super::{LEFT, TARGET, Table, done, fails};

const NEW: &str = "SELECT name, enabled, description, start_step_id, category_id, notify_level_eventlog, \
                   notify_level_email, notify_level_netsend, notify_level_page, delete_level, version_number \
                   FROM sysjobs WHERE name = N'new'";
const OWNER: &str = "SELECT SUSER_SNAME(owner_sid) FROM sysjobs WHERE name = N'new'";
const QUEUE: &str =
    "SELECT target_server, operation_code FROM sysdownloadlist ORDER BY instance_id";
const GIVES_UNKNOWN: &str =
    "An unknown owner, category or operator is 14234, which names the procedure that lists them.";

const ADD: Table = Table {
    procedure: "sp_add_job",
    absent: &[
        (14262, GIVES_UNKNOWN),
        (14285, "A new job has no targets, so that a category of either kind fits."),
        (14286, "As 14285."),
    ],
    cases: &[
        done("@job_name = N'new'").then(NEW, &["new|1|No description available.|1|0|2|0|0|0|0|1"]),
        done("N'new', 0, N'', 2").then(NEW, &["new|0||2|0|2|0|0|0|0|1"]),
        done(
            "@job_name = N' new ', @enabled = 1, @description = N'It''s new', @start_step_id = 3, @category_id = 3,
            @notify_level_eventlog = 0, @notify_level_email = 1, @notify_level_netsend = 2, @notify_level_page = 3,
            @notify_email_operator_name = N'DBA', @notify_netsend_operator_name = N'dba',
            @notify_page_operator_name = N'MSXOperator', @delete_level = 3",
        )
        .then(NEW, &["new|1|It's new|3|3|0|1|2|3|3|1"]),
        done("@job_name = N'new', @notify_email_operator_name = N'dba', @notify_page_operator_name = N''").then(
            "SELECT notify_email_operator_id, notify_netsend_operator_id, notify_page_operator_id FROM sysjobs
            WHERE name = N'new'",
            &["{operator dba}|0|0"],
        ),
        done("@job_name = N'new', @job_id = @guid OUTPUT; SELECT name FROM sysjobs WHERE job_id = @guid")
            .gives("name", &["new"]),
        done("@job_name = N'new', @category_name = N'ours'")
            .then("SELECT category_id FROM sysjobs WHERE name = N'new'", &["{category Ours}"]),
        done("@job_name = N'new', @category_name = N'Theirs'")
            .then("SELECT category_id FROM sysjobs WHERE name = N'new'", &["{category Theirs}"]),
        // No target before sp_add_jobserver, and the agent is told of nothing.
        done("@job_name = N'new'").then(
            "SELECT COUNT(*) FROM sysjobservers AS s JOIN sysjobs AS j ON j.job_id = s.job_id WHERE j.name = N'new'",
            &["0"],
        ),
        done("@job_name = N'new', @originating_server = N'(LOCAL)'").then(OWNER, &["sa"]),
        done("@job_name = N'new', @originating_server = N'master'").then(OWNER, &["sa"]),
        done("@job_name = N'new', @owner_login_name = N'user'").then(OWNER, &["user"]),
        done("@job_name = N'new', @owner_login_name = N'mate'").by("boss").then(OWNER, &["mate"]),
        done("@job_name = N'new'").by("boss").then(OWNER, &["boss"]),
        done("@job_name = N'new'").by("user").then(OWNER, &["user"]),
        done("@job_name = N'new', @owner_login_name = N'USER'").by("user").then(OWNER, &["user"]),
        done("@job_name = N'new'").by("reader").then(OWNER, &["reader"]),
        done("@job_name = N'new'").by("operator").then(OWNER, &["operator"]),
        // Names are unique among jobs from the same server only.
        done("@job_name = N'theirs'").within(TARGET).then(
            "SELECT originating_server_id FROM sysjobs WHERE name = N'theirs' ORDER BY 1",
            &["0", "1"],
        ),
        // A name is cut where its type ends.
        done("@job_name = @long")
            .with("DECLARE @long nvarchar(200) = REPLICATE(N'n', 129)")
            .then("SELECT LEN(name) FROM sysjobs WHERE name LIKE N'nn%'", &["128"]),
        done("@job_name = N'new', @description = @long")
            .with("DECLARE @long nvarchar(1000) = REPLICATE(N'n', 600)")
            .then("SELECT LEN(description) FROM sysjobs WHERE name = N'new'", &["512"]),
        done("@job_name = N'new'").by("dbowner").then(OWNER, &["dbowner"]),
        fails("@job_name = N'LOCAL'", 14261),
        fails("@job_name = N'own '", 14261),
        // Even where the caller does not see the other one.
        fails("@job_name = N'local'", 14261).by("user"),
        fails("@job_name = N'100%'", 14289),
        fails("@job_name = N' '", 14200),
        fails("@job_name = NULL", 14200),
        fails("", 201),
        fails("@job_name = N'new', @enabled = 2", 14266),
        fails("@job_name = N'new', @start_step_id = 0", 14266),
        fails("@job_name = N'new', @start_step_id = -1", 14266),
        fails("@job_name = N'new', @category_name = N'nowhere'", 14234),
        fails("@job_name = N'new', @category_name = N'Loud'", 14234),
        fails("@job_name = N'new', @category_id = 77", 14234),
        fails("@job_name = N'new', @category_id = 98", 14234),
        fails("@job_name = N'new', @category_name = N'Jobs from MSX'", 14267),
        fails("@job_name = N'new', @category_id = 1", 14267),
        fails("@job_name = N'new', @owner_login_name = N'stranger'", 14234),
        fails("@job_name = N'new', @owner_login_name = N'sa'", 14515).by("user"),
        fails("@job_name = N'new', @owner_login_name = N'stranger'", 14515).by("operator"),
        fails("@job_name = N'new', @notify_level_eventlog = 4", 14266),
        fails("@job_name = N'new', @notify_level_eventlog = -1", 14266),
        fails("@job_name = N'new', @notify_level_email = 4", 14266),
        fails("@job_name = N'new', @notify_level_netsend = 4", 14266),
        fails("@job_name = N'new', @notify_level_page = 4", 14266),
        fails("@job_name = N'new', @delete_level = 4", 14266),
        fails("@job_name = N'new', @delete_level = -1", 14266),
        fails("@job_name = N'new', @notify_email_operator_name = N'nobody'", 14234),
        fails("@job_name = N'new', @notify_netsend_operator_name = N'nobody'", 14234),
        fails("@job_name = N'new', @notify_page_operator_name = N'nobody'", 14234),
        fails("@job_name = N'new', @job_id = '00000000-0000-0000-0000-000000000007'", 14284),
        fails("@job_name = N'new', @originating_server = N'elsewhere'", 14370),
        fails("@job_name = N'new', @originating_server = N'HQ'", 14274).within(TARGET),
        fails("@job_name = N'new'", 229).by("guest1"),
        fails("@job_name = N'new'", 229).by("target"),
        fails("@job_name = N'new', @enabled = 'yes'", 8114),
        fails("@job_name = N'new', @enabled = 256", 8114),
        fails("@job_name = N'new', @colour = 1", 8145),
    ],
};

const LOCAL: &str = "SELECT name, enabled, description, start_step_id, category_id, SUSER_SNAME(owner_sid), \
                     notify_level_eventlog, notify_level_email, notify_level_netsend, notify_level_page, \
                     delete_level FROM sysjobs WHERE job_id = '{job local}'";

const UPDATE: Table = Table {
    procedure: "sp_update_job",
    absent: &[],
    cases: &[
        // What is left out stays.
        done("@job_name = N'LOCAL'").then(LOCAL, &["local|1|Here.|1|0|sa|2|0|0|0|0"]),
        done("@job_id = '{job local}', @enabled = 0").then(LOCAL, &["local|0|Here.|1|0|sa|2|0|0|0|0"]),
        done("NULL, N'local', N'far', 0, N'', 2").then(LOCAL, &["far|0||2|0|sa|2|0|0|0|0"]),
        done(
            "@job_name = N'local', @new_name = N' far ', @enabled = 0, @description = N'There.', @start_step_id = 2,
            @category_name = N'Ours', @owner_login_name = N'user', @notify_level_eventlog = 3,
            @notify_level_email = 1, @notify_level_netsend = 2, @notify_level_page = 3, @delete_level = 1,
            @notify_email_operator_name = N'dba', @notify_netsend_operator_name = N'dba',
            @notify_page_operator_name = N'dba'",
        )
        .then(LOCAL, &["far|0|There.|2|{category Ours}|user|3|1|2|3|1"]),
        done("@job_name = N'local', @new_name = N'LOCAL'").then(LOCAL, &["LOCAL|1|Here.|1|0|sa|2|0|0|0|0"]),
        // An empty name takes the operator away.
        done("@job_name = N'local', @notify_email_operator_name = N''")
            .after("EXEC sp_update_job @job_name = N'local', @notify_email_operator_name = N'dba'")
            .then("SELECT notify_email_operator_id FROM sysjobs WHERE name = N'local'", &["0"]),
        done("@job_name = N'bare', @description = N'x'")
            .then("SELECT version_number FROM sysjobs WHERE name = N'bare'", &["2"]),
        // A job without targets may be in a category of either kind.
        done("@job_name = N'bare', @category_name = N'Theirs'")
            .then("SELECT category_id FROM sysjobs WHERE name = N'bare'", &["{category Theirs}"]),
        done("@job_name = N'own', @description = N'x'").by("user"),
        done("@job_name = N'own', @enabled = 0").by("operator").then("SELECT enabled FROM sysjobs WHERE name = N'own'", &["0"]),
        done("@job_name = N'local', @enabled = 0").by("operator"),
        done("@job_name = N'own', @owner_login_name = N'mate'")
            .by("boss")
            .then("SELECT SUSER_SNAME(owner_sid) FROM sysjobs WHERE name = N'own'", &["mate"]),
        // A multiserver job's header goes to its targets.
        done("@job_name = N'fleet', @enabled = 0").then(QUEUE, &["T1|1", "T2|1", "T1|2", "T2|2"]),
        done("@job_name = N'fleet', @enabled = 0, @automatic_post = 0").then(QUEUE, &["T1|1", "T2|1"]),
        done("@job_name = N'fleet', @category_name = N'Theirs', @notify_email_operator_name = N'MSXOperator'")
            .then(QUEUE, &["T1|1", "T2|1", "T1|2", "T2|2"]),
        done("@job_name = N'fleet', @owner_login_name = N'boss'").then(QUEUE, &["T1|1", "T2|1", "T1|2", "T2|2"]),
        done("@job_name = N'local', @new_name = N'theirs'")
            .within(TARGET)
            .then("SELECT originating_server_id FROM sysjobs WHERE name = N'theirs' ORDER BY 1", &["0", "1"]),
        fails("@enabled = 0", 14294),
        fails("@job_name = N'local', @job_id = '{job local}', @enabled = 0", 14294),
        fails("@job_name = N'nowhere', @enabled = 0", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007', @enabled = 0", 14262),
        fails("@job_name = N'theirs', @enabled = 0", 14293).within(TARGET).after("EXEC sp_add_job @job_name = N'theirs'"),
        fails("@job_name = N'theirs', @enabled = 0", 14274).within(TARGET),
        fails("@job_name = N'local', @new_name = N'SECOND'", 14261),
        fails("@job_name = N'local', @new_name = N'50%'", 14289),
        fails("@job_name = N'local', @enabled = 2", 14266),
        fails("@job_name = N'local', @start_step_id = 0", 14266),
        fails("@job_name = N'local', @start_step_id = 3", 14266),
        fails("@job_name = N'local', @category_name = N'nowhere'", 14234),
        fails("@job_name = N'local', @category_name = N'Jobs from MSX'", 14267),
        fails("@job_name = N'local', @category_name = N'Theirs'", 14285),
        fails("@job_name = N'fleet', @category_name = N'Ours'", 14286),
        fails("@job_name = N'local', @owner_login_name = N'stranger'", 14234),
        fails("@job_name = N'fleet', @owner_login_name = N'user'", 14544),
        fails("@job_name = N'fleet', @notify_email_operator_name = N'dba'", 14221),
        fails("@job_name = N'fleet', @notify_page_operator_name = N'dba'", 14221),
        fails("@job_name = N'local', @notify_level_eventlog = 4", 14266),
        fails("@job_name = N'local', @notify_level_email = -1", 14266),
        fails("@job_name = N'local', @notify_level_netsend = 4", 14266),
        fails("@job_name = N'local', @notify_level_page = 4", 14266),
        fails("@job_name = N'local', @delete_level = 4", 14266),
        fails("@job_name = N'local', @notify_email_operator_name = N'nobody'", 14234),
        fails("@job_name = N'local', @notify_netsend_operator_name = N'nobody'", 14234),
        fails("@job_name = N'local', @notify_page_operator_name = N'nobody'", 14234),
        fails("@job_name = N'own', @owner_login_name = N'mate'", 14242).by("user"),
        fails("@job_name = N'local', @enabled = 0", 14262).by("user"),
        fails("@job_name = N'own', @enabled = 0", 14525).by("reader"),
        fails("@job_name = N'own', @enabled = 0, @description = N'x'", 14525).by("operator"),
        fails("@job_name = N'own', @description = N'x'", 14525).by("operator"),
        fails("@job_name = N'fleet', @enabled = 0", 14396).by("operator"),
        fails("@job_name = N'fleet', @enabled = 0", 14396).by("reader"),
        fails("@job_name = N'theirs', @enabled = 0", 14274).by("operator").within(TARGET),
        fails("@job_name = N'own', @enabled = 0", 229).by("guest1"),
    ],
};

const REMAINS: &str = "SELECT (SELECT COUNT(*) FROM sysjobs WHERE name = N'local'), (SELECT COUNT(*) FROM sysjobsteps \
                    WHERE job_id = '{job local}'), (SELECT COUNT(*) FROM sysjobservers WHERE job_id = '{job local}'), \
                    (SELECT COUNT(*) FROM sysjobschedules WHERE job_id = '{job local}'), (SELECT COUNT(*) FROM \
                    sysjobhistory WHERE job_id = '{job local}')";
const SCHEDULES: &str =
    "SELECT name FROM sysschedules WHERE name IN (N'daily', N'shared', N'loose') ORDER BY name";

const DELETE: Table = Table {
    procedure: "sp_delete_job",
    absent: &[(14232, "14279 says the same and names this procedure's parameters in its order.")],
    cases: &[
        done("@job_name = N'LOCAL'").then(REMAINS, &["0|0|0|0|0"]),
        done("@job_id = '{job local}'").then(REMAINS, &["0|0|0|0|0"]),
        done("@job_name = N'local', @delete_history = 0").then(REMAINS, &["0|0|0|0|5"]),
        // Schedules that no other job uses go with it; one that was never used stays.
        done("@job_name = N'local'").then(SCHEDULES, &["loose", "shared"]),
        done("@job_name = N'local', @delete_unused_schedule = 0").then(SCHEDULES, &["daily", "loose", "shared"]),
        done("@job_name = N'second'")
            .after("EXEC sp_detach_schedule @job_name = N'local', @schedule_name = N'shared'")
            .then(SCHEDULES, &["daily", "loose"]),
        // Somebody else's schedule is not the job owner's to delete.
        done("@job_name = N'own'")
            .by("user")
            .after("EXEC sp_attach_schedule @job_name = N'own', @schedule_name = N'loose'")
            .then("SELECT name FROM sysschedules WHERE name IN (N'mine', N'loose')", &["loose"]),
        done("@job_name = N'local'").then("SELECT job_id FROM sysalerts WHERE name = N'alarm'", &["00000000-0000-0000-0000-000000000000"]),
        done("@job_name = N'own'").by("boss").then("SELECT COUNT(*) FROM sysjobs WHERE name = N'own'", &["0"]),
        done("@job_name = N'fleet'").then(
            "SELECT target_server, operation_code, deleted_object_name FROM sysdownloadlist ORDER BY instance_id",
            &["T1|1|NULL", "T2|1|NULL", "T1|3|fleet", "T2|3|fleet"],
        ),
        // What is left of a master that this server has left.
        done("@originating_server = N'hq'")
            .within(LEFT)
            .then("SELECT name FROM sysjobs ORDER BY name", &["draft", "local", "own"]),
        done("@originating_server = N'HQ'")
            .within(LEFT)
            .then("SELECT name FROM sysschedules WHERE name = N'hourly'", &[]),
        done("@job_name = N'own'").by("user").then("SELECT COUNT(*) FROM sysjobactivity WHERE job_id = '{job own}'", &["0"]),
        fails("", 14279),
        fails("@job_name = N''", 14279),
        fails("@job_name = N'local', @job_id = '{job local}'", 14279),
        fails("@job_name = N'local', @originating_server = N'HQ'", 14279),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'theirs'", 14293).within(TARGET).after("EXEC sp_add_job @job_name = N'theirs'"),
        fails("@job_name = N'theirs'", 14274).within(TARGET),
        fails("@originating_server = N'HQ'", 14274).within(TARGET),
        fails("@originating_server = N'elsewhere'", 14268),
        fails("@originating_server = N'HQ'", 14525).by("operator").within(TARGET),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("@job_name = N'own'", 14525).by("reader"),
        fails("@job_name = N'own'", 14525).by("operator"),
        fails("@job_name = N'fleet'", 14396).by("operator"),
        fails("@job_name = N'own'", 229).by("guest1"),
    ],
};

tables! {
    add: ADD,
    update: UPDATE,
    delete: DELETE,
}
