//! Joining a master: sp_msx_enlist, sp_msx_defect, the account for it, and what targets that speak T-SQL call on
//! their master.

use super::{TARGET, Table, done, fails};

const OF_THE_MASTER: &str = "The master raises it; it passes on with its number.";
const NO_REGISTRY: &str = "There is no registry that could fail.";
const NO_EDITIONS: &str = "There are no editions.";
const LEAVES_FIRST: &str = "The server that joins looks for it.";

const ENLIST: Table = Table {
    procedure: "sp_msx_enlist",
    absent: &[
        (14228, LEAVES_FIRST),
        (14296, LEAVES_FIRST),
        (14303, NO_REGISTRY),
        (14306, OF_THE_MASTER),
        (14360, OF_THE_MASTER),
        (14362, NO_EDITIONS),
        (14363, OF_THE_MASTER),
        (14539, NO_EDITIONS),
        (14540, NO_EDITIONS),
        (14541, OF_THE_MASTER),
    ],
    cases: &[
        done("@msx_server_name = N'HQ', @location = N'cellar'").within(TARGET).says(&[14229]).acts(&[
            "EnlistRequest { master: \"HQ\", location: Some(\"cellar\"), asked_by: \"sa\", credential: None }",
        ]),
        done("N'hq,1433'")
            .within(TARGET)
            .by("boss")
            .after("EXEC sp_msx_set_account N'cred'")
            .says(&[14229])
            .acts(&[
                "EnlistRequest { master: \"hq,1433\", location: None, asked_by: \"boss\", credential: Some(\"cred\") }",
            ]),
        fails("N'Master'", 14297).within(TARGET),
        fails("N'(local)'", 14297).within(TARGET),
        fails("N'HQ'", 14299),
        // A named instance is reached by its port.
        fails("N'HQ\\one'", 22026).within(TARGET),
        fails("N''", 14200),
        fails("", 201),
        fails("N'HQ'", 229).by("user"),
        fails("N'HQ'", 229).by("operator"),
        fails("N'HQ'", 229).by("target"),
    ],
};

const DEFECT: Table = Table {
    procedure: "sp_msx_defect",
    absent: &[(14303, NO_REGISTRY), (14364, OF_THE_MASTER)],
    cases: &[
        done("")
            .within(TARGET)
            .says(&[14227])
            .acts(&["defect false"]),
        done("@forced_defection = 0")
            .within(TARGET)
            .by("boss")
            .says(&[14227])
            .acts(&["defect false"]),
        done("1")
            .within(TARGET)
            .says(&[14227, 14217])
            .acts(&["defect true"]),
        fails("", 14298),
        fails("@forced_defection = 1", 14298),
        fails("", 229).by("user").within(TARGET),
        fails("", 229).by("operator").within(TARGET),
    ],
};

const SET: &str = "EXEC sp_msx_set_account N'cred'";

const GET_ACCOUNT: Table = Table {
    procedure: "sp_msx_get_account",
    absent: &[],
    cases: &[
        done("").gives("*", &[]),
        done("").by("boss").after(SET).gives("*", &["1|{credential cred}|cred|who"]),
        // A credential that is gone is none.
        done("")
            .after("EXEC sp_msx_set_account N'cred' EXEC sp_delete_proxy @proxy_name = N'px' DROP CREDENTIAL cred")
            .gives("*", &[]),
        fails("@x = 1", 8146),
        fails("", 229).by("user"),
        fails("", 229).by("operator"),
    ],
};

const ACCOUNT: &str = "EXEC sp_msx_get_account";

const SET_ACCOUNT: Table = Table {
    procedure: "sp_msx_set_account",
    absent: &[],
    cases: &[
        done("@credential_name = N'CRED'").then(ACCOUNT, &["1|{credential cred}|cred|who"]),
        done("@credential_id = {credential cred}")
            .by("boss")
            .then(ACCOUNT, &["1|{credential cred}|cred|who"]),
        done("N'cred', {credential cred}").then(ACCOUNT, &["1|{credential cred}|cred|who"]),
        // Neither forgets it.
        done("").after(SET).then(ACCOUNT, &[]),
        fails("N'lost'", 14262),
        fails("@credential_id = 99", 14262),
        fails("N'spare', {credential cred}", 14605)
            .after("CREATE CREDENTIAL spare WITH IDENTITY = N'x'"),
        fails("N'cred'", 229).by("user"),
        fails("N'cred'", 229).by("operator"),
    ],
};

/// A target for which the login `target` speaks.
const TSX: &str = "EXEC sp_enlist_tsx 0, N'tsx', N'cellar', 2, NULL, N'target', 60";
const LISTED: &str =
    "SELECT server_name, location, time_zone_adjustment, enlisted_by_nt_user, poll_interval
    FROM systargetservers WHERE server_name LIKE N'TSX%'";

const ENLIST_TSX: Table = Table {
    procedure: "sp_enlist_tsx",
    absent: &[],
    cases: &[
        done(
            "@Action = 0, @ServerName = N'tsx', @Location = N'cellar', @TimeZoneAdjustment = 2,
             @LocalTime = '2026-11-03 14:00', @NTUserName = N'CORP\\agent', @PollInterval = 90, @TSX_Version = 0",
        )
        .then(LISTED, &["TSX|cellar|2|CORP\\agent|90"]),
        // For anyone but sysadmin it is the login itself that enlists.
        done("0, N'tsx', N'', -12, NULL, N'CORP\\agent', 10").by("target").then(
            LISTED,
            &["TSX|NULL|-12|target|10"],
        ),
        done("0, N'tsx', N'attic', 14, NULL, N'x', 28800").by("target").after(TSX).then(
            LISTED,
            &["TSX|attic|14|target|28800"],
        ),
        done("0, N'tsx', N'', 0, NULL, N'x', 60, 268435456").then(LISTED, &["TSX|NULL|0|x|60"]),
        done("2, N'TSX', N'attic', 3, NULL, N'x', 70").by("target").after(TSX).then(
            LISTED,
            &["TSX|attic|3|target|70"],
        ),
        done("1, N'tsx', N'', 0, NULL, N'', 0").by("target").after(TSX).then(LISTED, &[]),
        fails("3, N'tsx', N'', 0, NULL, N'x', 60", 14266),
        fails("0, N'tsx', N'', 15, NULL, N'x', 60", 14266),
        fails("0, N'tsx', N'', -13, NULL, N'x', 60", 14266),
        fails("0, N'tsx', N'', 0, NULL, N'x', 9", 14266),
        fails("0, N'tsx', N'', 0, NULL, N'x', 28801", 14266),
        fails("0, N'', N'', 0, NULL, N'x', 60", 14200),
        fails("0, N'Master', N'', 0, NULL, N'x', 60", 14297),
        fails("0, N'(local)', N'', 0, NULL, N'x', 60", 14271),
        fails("0, N'ALL', N'', 0, NULL, N'x', 60", 14271),
        fails("0, N'a,b', N'', 0, NULL, N'x', 60", 14271),
        // Newer than this server, and older than the two before it.
        fails("0, N'tsx', N'', 0, NULL, N'x', 60, 285212672", 14306),
        fails("0, N'tsx', N'', 0, NULL, N'x', 60, 218103808", 14306),
        fails("0, N'tsx', N'', 0, NULL, N'x', 60", 14299).within(TARGET),
        fails("0, N'tsx', N'', 0, NULL, N'x', 60", 14363)
            .after(
                "EXEC sp_delete_targetserver N't1', @post_defection = 0
                 EXEC sp_delete_targetserver N't2', @post_defection = 0
                 EXEC sp_delete_targetserver N't3', @post_defection = 0
                 EXEC sp_delete_operator N'MSXOperator'",
            ),
        fails("1, N'tsx', N'', 0, NULL, N'x', 60", 14364),
        fails("2, N'tsx', N'', 0, NULL, N'x', 60", 14364),
        // Nobody speaks for a target that another login or a certificate stands for.
        fails("0, N't1', N'', 0, NULL, N'x', 60", 14260).by("target"),
        fails("2, N't1', N'', 0, NULL, N'x', 60", 14260).by("target"),
        fails("1, N't1', N'', 0, NULL, N'x', 60", 14260).by("target"),
        fails("0, N't1', N'', 0, NULL, N'x', 60", 14360),
        fails("0, N'tsx'", 201),
        fails("0, N'tsx', N'', 0, NULL, N'x', 60", 229).by("user"),
        fails("0, N'tsx', N'', 0, NULL, N'x', 60", 229).by("operator"),
    ],
};

const PROBE: Table = Table {
    procedure: "sp_sqlagent_probe_msx",
    absent: &[],
    cases: &[
        done(
            "@server_name = N'TSX', @local_time = N'2026-11-03 14:00:00', @poll_interval = 60,
             @time_zone_adjustment = 1",
        )
        .by("target")
        .after(TSX)
        .gives("unread_instructions", &["0"])
        .then(
            "SELECT time_zone_adjustment, last_poll_date, local_time_at_last_poll FROM systargetservers
             WHERE server_name = N'TSX'",
            &["1|2026-11-03 12:00:00|2026-11-03 14:00:00"],
        ),
        done("N'tsx', N'2026/11/03 14:00', 120")
            .by("target")
            .after(TSX)
            .gives("unread_instructions", &["0"])
            .then("SELECT poll_interval FROM systargetservers WHERE server_name = N'TSX'", &["120"]),
        done("N't1', N'2026-11-03 13:00:00', 60").by("boss").gives("*", &["1|1"]),
        fails("N'tsx', N'2026-11-03 14:00:00', 60", 14364).by("target"),
        fails("N't1', N'2026-11-03 14:00:00', 60", 14260).by("target"),
        fails("N'tsx', N'2026-11-03 14:00:00', 9", 14266).by("target").after(TSX),
        fails("N'tsx', N'2026-11-03 14:00:00', 60, 15", 14266).by("target").after(TSX),
        fails("N'tsx', N'yesterday', 60", 14287).by("target").after(TSX),
        fails("N'', N'2026-11-03 14:00:00', 60", 14200),
        fails("N'tsx', N'2026-11-03 14:00:00'", 201),
        fails("N't1', N'2026-11-03 14:00:00', 60", 229).by("user"),
        fails("N't1', N'2026-11-03 14:00:00', 60", 229).by("operator"),
    ],
};

const VERSION: Table = Table {
    procedure: "sp_sqlagent_check_msx_version",
    absent: &[],
    cases: &[
        done("")
            .by("target")
            .gives("required_msx_version", &["16.0.4135.4"]),
        done("").gives("required_msx_version", &["16.0.4135.4"]),
        fails("@x = 1", 8146),
        fails("", 229).by("user"),
    ],
};

tables! {
    enlist: ENLIST,
    defect: DEFECT,
    get_account: GET_ACCOUNT,
    set_account: SET_ACCOUNT,
    enlist_tsx: ENLIST_TSX,
    probe: PROBE,
    version: VERSION,
}
