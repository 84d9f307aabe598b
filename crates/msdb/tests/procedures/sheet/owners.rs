//! Jobs by owner and by identifier: sp_manage_jobs_by_login, sp_check_for_owned_jobs, sp_verify_job_identifiers,
//! sp_get_job_alerts, xp_sqlagent_enum_jobs.

use super::{TARGET, Table, done, fails};

const OWNERS: &str = "SELECT name, SUSER_SNAME(owner_sid) FROM sysjobs ORDER BY name";
const QUEUE: &str =
    "SELECT target_server, operation_code FROM sysdownloadlist ORDER BY instance_id";

const MANAGE: Table = Table {
    procedure: "sp_manage_jobs_by_login",
    absent: &[(14242, "sysadmin alone may execute it: 229.")],
    cases: &[
        done("@action = 'REASSIGN', @current_owner_login_name = N'USER', @new_owner_login_name = N'mate'")
            .says(&[14239])
            .then(OWNERS, &["bare|sa", "draft|mate", "fleet|sa", "local|sa", "own|mate", "second|sa"]),
        done("'reassign', N'sa', N'boss'").says(&[14239]).then(
            OWNERS,
            &["bare|boss", "draft|user", "fleet|boss", "local|boss", "own|user", "second|boss"],
        ),
        // Targets are told of the multiserver ones.
        done("'REASSIGN', N'sa', N'boss'").by("boss").says(&[14239]).then(QUEUE, &["T1|1", "T2|1", "T1|2", "T2|2"]),
        done("'REASSIGN', N'mate', N'user'").says(&[14239]).unchanged(),
        done("@action = 'DELETE', @current_owner_login_name = N'user'")
            .says(&[14238])
            .then(OWNERS, &["bare|sa", "fleet|sa", "local|sa", "second|sa"]),
        done("'DELETE', N'user', N'mate'").says(&[14281, 14238]),
        done("'delete', N'sa'").says(&[14238]).then(QUEUE, &["T1|1", "T2|1", "T1|3", "T2|3"]),
        // Jobs from a master are its own.
        done("'DELETE', N'sa'").within(TARGET).says(&[14238]).then(
            "SELECT name FROM sysjobs ORDER BY name",
            &["draft", "own", "theirs"],
        ),
        fails("'REASSIGN', N'user'", 14237),
        fails("'REASSIGN', N'user', N''", 14237),
        fails("'RENAME', N'user'", 14266),
        fails("NULL, N'user'", 14266),
        fails("'DELETE'", 14200),
        fails("'DELETE', N'stranger'", 14262),
        fails("'REASSIGN', N'user', N'stranger'", 14262),
        fails("'REASSIGN', N'sa', N'user'", 14543),
        fails("@current_owner_login_name = N'user'", 201),
        fails("'DELETE', N'user'", 229).by("user"),
        fails("'DELETE', N'user'", 229).by("operator"),
    ],
};

const OWNED: &str = "CREATE TABLE tempdb.dbo.owned (jobs int)";

const CHECK: Table = Table {
    procedure: "sp_check_for_owned_jobs",
    absent: &[],
    cases: &[
        done("@login_name = N'user', @table_name = N'tempdb.dbo.owned'")
            .after(OWNED)
            .then("SELECT jobs FROM tempdb.dbo.owned", &["2"]),
        done("N'mate', N'tempdb.dbo.owned'")
            .by("boss")
            .after(OWNED)
            .then("SELECT jobs FROM tempdb.dbo.owned", &["0"]),
        fails(
            "@login_name = N'stranger', @table_name = N'tempdb.dbo.owned'",
            14262,
        )
        .after(OWNED),
        fails("@login_name = N'', @table_name = N'x'", 14200),
        fails("@login_name = N'user', @table_name = N''", 14200),
        fails(
            "@login_name = N'user', @table_name = N'x; DROP TABLE y'",
            14200,
        ),
        fails("@login_name = N'user'", 201),
        fails("@login_name = N'user', @table_name = N'x'", 229).by("operator"),
    ],
};

const VERIFY: Table = Table {
    procedure: "sp_verify_job_identifiers",
    absent: &[(14258, "The agent says it itself when it is asked for something.")],
    cases: &[
        done(
            "@name_of_name_parameter = '@job_name', @name_of_id_parameter = '@job_id', @job_name = N'LOCAL',
            @job_id = @guid OUTPUT; SELECT @guid AS id",
        )
        .gives("id", &["{job local}"]),
        done(
            "@name_of_name_parameter = '@n', @name_of_id_parameter = '@i', @job_name = @text OUTPUT,
            @job_id = '{job local}', @sqlagent_starting_test = 'NO_TEST'; SELECT @text AS name",
        )
        .gives("name", &["local"]),
        done("'@n', '@i', N'own', NULL, 'test'").by("user"),
        done("'@n', '@i', N'own'").by("reader"),
        done("'@n', '@i', NULL, '{job fleet}'").by("operator"),
        fails("'@n', '@i'", 14294),
        fails("'@n', '@i', N'local', '{job local}'", 14294),
        fails("'@n', '@i', N'nowhere'", 14262),
        fails("'@n', '@i', NULL, '00000000-0000-0000-0000-000000000007'", 14262),
        fails("'@n', '@i', N'theirs'", 14293).within(TARGET).after("EXEC sp_add_job @job_name = N'theirs'"),
        fails("'@n', '@i', N'local', NULL, 'MAYBE'", 14266),
        fails("'@n', '@i', N'local'", 14262).by("user"),
        fails("'@n'", 201),
        fails("'@n', '@i', N'local'", 229).by("guest1"),
    ],
};

const ALERTS: Table = Table {
    procedure: "sp_get_job_alerts",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL'").gives("*", &["{alert alarm}|alarm|0|17|1"]),
        done("@job_id = '{job local}'")
            .by("operator")
            .gives("name", &["alarm"]),
        done("@job_name = N'second'").gives("*", &[]),
        fails("", 14294),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_name = N'local'", 229).by("reader"),
    ],
};

const ENUM: Table = Table {
    procedure: "xp_sqlagent_enum_jobs",
    absent: &[],
    cases: &[
        done("1, N'sa'").gives(
            "*",
            &[
                "{job local}|20261102|23000|20261104|23000|{schedule daily}|0|0|NULL|0|0|0|4",
                "{job second}|0|0|0|0|0|1|4|boss|1|1|1|1",
                "{job own}|20261102|120000|0|0|0|0|0|NULL|0|0|0|4",
            ],
        ),
        done("@is_sysadmin = 0, @job_owner = N'user'").gives("job_id", &["{job own}"]),
        done("0, N'stranger'").gives("*", &[]),
        done("@is_sysadmin = 1, @job_owner = N'sa', @job_id = '{job second}'")
            .by("boss")
            .gives("job_id job_state", &["{job second}|1"]),
        // Neither a multiserver job nor one that there isn't.
        done("1, N'sa', '{job fleet}'").gives("*", &[]),
        done("1, N'sa', '00000000-0000-0000-0000-000000000007'").gives("*", &[]),
        fails("1", 201),
        fails("1, N'sa'", 229).by("operator"),
    ],
};

tables! {
    manage: MANAGE,
    check: CHECK,
    verify: VERIFY,
    alerts: ALERTS,
    enumerate: ENUM,
}
