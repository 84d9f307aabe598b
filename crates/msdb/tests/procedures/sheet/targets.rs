//! Target servers and their groups: sp_add_targetservergroup and its kin, sp_help_targetserver,
//! sp_delete_targetserver, sp_downloaded_row_limiter, sp_target_server_summary, sp_multi_server_job_summary.

use super::{TARGET, Table, done, fails};

const GROUPS: &str = "SELECT name FROM systargetservergroups ORDER BY 1";
const MEMBERS: &str = "SELECT g.name, s.server_name FROM systargetservergroupmembers AS m
    JOIN systargetservergroups AS g ON g.servergroup_id = m.servergroup_id
    JOIN systargetservers AS s ON s.server_id = m.server_id ORDER BY 1, 2";
const OTHER: &str = "EXEC sp_add_targetservergroup N'other'";

const ADD_GROUP: Table = Table {
    procedure: "sp_add_targetservergroup",
    absent: &[],
    cases: &[
        done("@name = N'new'").then(GROUPS, &["new", "pair"]),
        done("N' new '").by("boss").then(GROUPS, &["new", "pair"]),
        done("N'50%'").then(GROUPS, &["50%", "pair"]),
        fails("N'PAIR'", 14261),
        fails("N'a,b'", 14289),
        fails("N''", 14200),
        fails("NULL", 14200),
        fails("", 201),
        fails("N'new'", 229).by("user"),
        fails("N'new'", 229).by("operator"),
        fails("N'new'", 229).by("target"),
    ],
};

const UPDATE_GROUP: Table = Table {
    procedure: "sp_update_targetservergroup",
    absent: &[],
    cases: &[
        done("@name = N'Pair', @new_name = N'new'").then(MEMBERS, &["new|T1", "new|T2"]),
        done("N'pair', N'PAIR'").by("boss").then(GROUPS, &["PAIR"]),
        fails("N'pair', N'OTHER'", 14261).after(OTHER),
        fails("N'nothing', N'new'", 14262),
        fails("N'pair', N'a,b'", 14289),
        fails("N'pair', N''", 14200),
        fails("N'', N'new'", 14200),
        fails("N'pair'", 201),
        fails("N'pair', N'new'", 229).by("operator"),
    ],
};

const DELETE_GROUP: Table = Table {
    procedure: "sp_delete_targetservergroup",
    absent: &[],
    cases: &[
        // Its servers stay.
        done("@name = N'PAIR'").then(
            "SELECT (SELECT COUNT(*) FROM systargetservergroups), (SELECT COUNT(*) FROM systargetservergroupmembers),
                (SELECT COUNT(*) FROM systargetservers)",
            &["0|0|3"],
        ),
        done("N'other'").by("boss").after(OTHER).then(GROUPS, &["pair"]),
        fails("N'nothing'", 14262),
        fails("N''", 14200),
        fails("", 201),
        fails("N'pair'", 229).by("operator"),
    ],
};

const HELP_GROUP: Table = Table {
    procedure: "sp_help_targetservergroup",
    absent: &[],
    cases: &[
        done("")
            .after(OTHER)
            .gives("servergroup_id name", &["1|pair", "2|other"]),
        done("@name = N'PAIR'")
            .by("boss")
            .gives("*", &["1|T1", "2|T2"]),
        done("N'other'").after(OTHER).gives("server_name", &[]),
        fails("N'nothing'", 14262),
        fails("", 229).by("user"),
        fails("", 229).by("operator"),
    ],
};

const ADD_MEMBER: Table = Table {
    procedure: "sp_add_targetsvrgrp_member",
    absent: &[],
    cases: &[
        done("@group_name = N'pair', @server_name = N't3'")
            .then(MEMBERS, &["pair|T1", "pair|T2", "pair|T3"]),
        // A server may be in several.
        done("N'OTHER', N'T1'")
            .by("boss")
            .after(OTHER)
            .then(MEMBERS, &["other|T1", "pair|T1", "pair|T2"]),
        fails("N'pair', N't1'", 14263),
        fails("N'nothing', N't1'", 14262),
        fails("N'pair', N'nowhere'", 14262),
        // This server is no target of its own.
        fails("N'pair', N'(local)'", 14262),
        fails("N'pair', N'Master'", 14262),
        fails("N'', N't1'", 14200),
        fails("N'pair', N''", 14200),
        fails("N'pair'", 201),
        fails("N'pair', N't3'", 229).by("operator"),
        fails("N'pair', N't3'", 229).by("target"),
    ],
};

const DELETE_MEMBER: Table = Table {
    procedure: "sp_delete_targetsvrgrp_member",
    absent: &[],
    cases: &[
        done("@group_name = N'PAIR', @server_name = N'T1'").then(MEMBERS, &["pair|T2"]),
        done("N'pair', N't2'")
            .by("boss")
            .then(MEMBERS, &["pair|T1"]),
        fails("N'pair', N't3'", 14264),
        fails("N'other', N't1'", 14264).after(OTHER),
        fails("N'nothing', N't1'", 14262),
        fails("N'pair', N'nowhere'", 14262),
        fails("N'pair'", 201),
        fails("N'pair', N't1'", 229).by("operator"),
    ],
};

const HELP: Table = Table {
    procedure: "sp_help_targetserver",
    absent: &[],
    cases: &[
        done("").gives(
            "*",
            &[
                "1|T1|NULL|1|2026-11-03 12:00:00|2026-11-03 12:00:00|1|1|2026-11-03 13:00:00|sa|60",
                "2|T2|NULL|1|2026-11-03 12:00:00|2026-11-03 12:00:00|1|1|2026-11-03 13:00:00|sa|60",
                "3|T3|NULL|1|2026-11-03 12:00:00|2026-11-03 12:00:00|1|0|2026-11-03 13:00:00|sa|60",
            ],
        ),
        done("@server_name = N't2'")
            .by("boss")
            .gives("server_name", &["T2"]),
        // Each instruction that waits is counted.
        done("N't3'")
            .after(
                "EXEC sp_post_msx_operation 'SYNC-TIME', 'SERVER', @specific_target_server = N't3'",
            )
            .gives("unread_instructions", &["1"]),
        done("").within(TARGET).gives("server_name", &[]),
        fails("N'nowhere'", 14262),
        fails("N'Master'", 14262),
        fails("", 229).by("user"),
        fails("", 229).by("operator"),
        fails("", 229).by("target"),
    ],
};

const QUEUE: &str =
    "SELECT operation_code, object_type FROM sysdownloadlist WHERE target_server = N'T1'
    ORDER BY instance_id";

const DELETE: Table = Table {
    procedure: "sp_delete_targetserver",
    absent: &[],
    cases: &[
        // It is told, and stays listed until it has left; its jobs and groups are gone at once.
        done("@server_name = N't1'").then(QUEUE, &["7|2"]),
        done("N'T1'").by("boss").then(MEMBERS, &["pair|T2"]),
        done("N't1'").then(
            "SELECT s.server_id FROM sysjobservers AS s JOIN sysjobs AS j ON j.job_id = s.job_id
             WHERE j.name = N'fleet'",
            &["2"],
        ),
        done("N't1'").then("SELECT server_name FROM systargetservers ORDER BY 1", &["T1", "T2", "T3"]),
        done("N't1', @clear_downloadlist = 0").then(QUEUE, &["1|1", "7|2"]),
        // It has left by force already.
        done("N't1', @post_defection = 0").then(QUEUE, &[]),
        done("@server_name = N't1', @clear_downloadlist = 1, @post_defection = 0").then(
            "SELECT server_name FROM systargetservers ORDER BY 1",
            &["T2", "T3"],
        ),
        // The job stays, without that target.
        done("N't1', @post_defection = 0")
            .after("EXEC sp_delete_targetserver N't2', @post_defection = 0")
            .then(
                "SELECT COUNT(*) FROM sysjobs WHERE name = N'fleet' AND job_id NOT IN (SELECT job_id FROM sysjobservers)",
                &["1"],
            ),
        fails("N'nowhere'", 14262),
        fails("N'(local)'", 14262),
        fails("N''", 14200),
        fails("", 201),
        fails("N't1'", 229).by("user"),
        fails("N't1'", 229).by("operator"),
        fails("N't1'", 229).by("target"),
    ],
};

const LIMIT: Table = Table {
    procedure: "sp_downloaded_row_limiter",
    absent: &[],
    cases: &[
        // Rows that wait are no downloaded ones.
        done("@server_name = N't1'")
            .by("target")
            .then(QUEUE, &["1|1"]),
        done("N'T1'").then(QUEUE, &["1|1"]),
        fails("N'nowhere'", 14262),
        fails("N''", 14200),
        fails("", 201),
        fails("N't1'", 229).by("user"),
        fails("N't1'", 229).by("operator"),
    ],
};

const SUMMARY: Table = Table {
    procedure: "sp_target_server_summary",
    absent: &[],
    cases: &[
        done("").gives(
            "server_name unread_instructions blocked jobs",
            &["T1|1|0|1", "T2|1|0|1", "T3|0|0|0"],
        ),
        done("@target_server = N'T1'").by("boss").gives(
            "server_id server_name local_time last_poll_date",
            &["1|T1|2026-11-03 13:00:00|2026-11-03 12:00:00"],
        ),
        done("").within(TARGET).gives("server_name", &[]),
        fails("N'nowhere'", 14262),
        fails("", 229).by("user"),
    ],
};

const JOBS: Table = Table {
    procedure: "sp_multi_server_job_summary",
    absent: &[],
    cases: &[
        done("").gives(
            "job_id job_name enabled targets targets_current targets_failed_last",
            &["{job fleet}|fleet|1|2|0|1"],
        ),
        done("@job_name = N'FLEET'")
            .by("boss")
            .gives("targets", &["2"]),
        done("@job_id = '{job fleet}'").gives("targets", &["2"]),
        done("@job_name = N'local'").gives("targets", &[]),
        fails("@job_name = N'nothing'", 14262),
        fails("@job_name = N'fleet', @job_id = '{job fleet}'", 14294),
        fails("", 229).by("user"),
    ],
};

tables! {
    add_group: ADD_GROUP,
    update_group: UPDATE_GROUP,
    delete_group: DELETE_GROUP,
    help_group: HELP_GROUP,
    add_member: ADD_MEMBER,
    delete_member: DELETE_MEMBER,
    help: HELP,
    delete: DELETE,
    limit: LIMIT,
    summary: SUMMARY,
    jobs: JOBS,
}
