//! The Agent: its properties, messages to it, its log, who may connect.

use super::{TARGET, Table, done, fails};
use msdb::services::AgentRefusal;

const PROPERTIES: &str = "auto_start msx_server_name sqlagent_type sqlserver_restart jobhistory_max_rows \
                          jobhistory_max_rows_per_job errorlogging_level job_shutdown_timeout login_timeout \
                          idle_cpu_percent idle_cpu_duration sysadmin_only cpu_poller_enabled \
                          replace_alert_tokens_enabled";

const GET: Table = Table {
    procedure: "sp_get_sqlagent_properties",
    absent: &[],
    cases: &[
        done("").gives(PROPERTIES, &["1|NULL|3|0|1000000|1000|3|15|30|10|600|0|0|0"]),
        done("").by("user").gives("sqlagent_type", &["3"]),
        done("").by("operator").gives(
            "startup_account errorlog_file error_recipient monitor_autostart local_host_server cmdexec_account \
             regular_connections host_login_name host_login_password oem_errorlog email_profile \
             email_save_in_sent_folder",
            &["NULL|NULL|NULL|0|NULL|NULL|0|NULL|NULL|0|NULL|0"],
        ),
        done("").within(TARGET).gives("msx_server_name sqlagent_type", &["HQ|2"]),
        // Neither a target nor ready to have any.
        done("")
            .after(
                "EXEC sp_delete_targetserver N't1', @post_defection = 0
                 EXEC sp_delete_targetserver N't2', @post_defection = 0
                 EXEC sp_delete_targetserver N't3', @post_defection = 0
                 EXEC sp_delete_operator N'MSXOperator'",
            )
            .gives("sqlagent_type", &["1"]),
        fails("@x = 1", 8146),
        fails("", 229).by("guest1"),
        fails("", 229).by("target"),
    ],
};

const NO_REGISTRY: &str = "There is no registry that could fail.";
const GOT: &str = "EXEC sp_get_sqlagent_properties";

const SET: Table = Table {
    procedure: "sp_set_sqlagent_properties",
    absent: &[(14303, NO_REGISTRY)],
    cases: &[
        done(
            "@auto_start = 0, @sqlserver_restart = 1, @jobhistory_max_rows = 500, @jobhistory_max_rows_per_job = 50,
             @errorlog_file = N'log', @errorlogging_level = 7, @error_recipient = N'me', @monitor_autostart = 1,
             @local_host_server = N'alias', @job_shutdown_timeout = 600, @regular_connections = 1,
             @host_login_name = N'login', @login_timeout = 45, @idle_cpu_percent = 100, @idle_cpu_duration = 86400,
             @oem_errorlog = 1, @email_profile = N'mail', @email_save_in_sent_folder = 1, @cpu_poller_enabled = 1,
             @alert_replace_runtime_tokens = 1, @use_databasemail = 1, @databasemail_profile = N'profile'",
        )
        .acts(&["settings"])
        .then(
            GOT,
            &["0|NULL|3|NULL|1|500|50|log|7|me|1|alias|600|NULL|1|login|NULL|45|100|86400|1|0|mail|1|1|1"],
        ),
        done("").by("boss").acts(&["settings"]).then(
            GOT,
            &["1|NULL|3|NULL|0|1000000|1000|NULL|3|NULL|0|NULL|15|NULL|0|NULL|NULL|30|10|600|0|0|NULL|0|0|0"],
        ),
        // No limit.
        done("@jobhistory_max_rows = -1, @jobhistory_max_rows_per_job = 0").acts(&["settings"]).then(
            "EXEC sp_get_sqlagent_properties",
            &["1|NULL|3|NULL|0|-1|0|NULL|3|NULL|0|NULL|15|NULL|0|NULL|NULL|30|10|600|0|0|NULL|0|0|0"],
        ),
        done("@sysadmin_only = 1").says(&[14378]).acts(&["settings"]),
        // An empty text takes the value away.
        done("@errorlog_file = N''")
            .after("EXEC sp_set_sqlagent_properties @errorlog_file = N'x'")
            .acts(&["settings"])
            .then(
                GOT,
                &["1|NULL|3|NULL|0|1000000|1000|NULL|3|NULL|0|NULL|15|NULL|0|NULL|NULL|30|10|600|0|0|NULL|0|0|0"],
            ),
        fails("@auto_start = 2", 14266),
        fails("@sqlserver_restart = -1", 14266),
        fails("@jobhistory_max_rows = 1", 14266),
        fails("@jobhistory_max_rows = -2", 14266),
        fails("@jobhistory_max_rows = 10, @jobhistory_max_rows_per_job = 11", 14266),
        fails("@jobhistory_max_rows_per_job = 1000001", 14266),
        fails("@jobhistory_max_rows_per_job = 0", 14266),
        fails("@jobhistory_max_rows = -1, @jobhistory_max_rows_per_job = -1", 14266),
        fails("@errorlogging_level = 8", 14266),
        fails("@errorlogging_level = 0", 14266),
        fails("@monitor_autostart = 2", 14266),
        fails("@job_shutdown_timeout = 4", 14266),
        fails("@job_shutdown_timeout = 601", 14266),
        fails("@regular_connections = 2", 14266),
        fails("@login_timeout = 4", 14266),
        fails("@login_timeout = 46", 14266),
        fails("@idle_cpu_percent = 9", 14266),
        fails("@idle_cpu_percent = 101", 14266),
        fails("@idle_cpu_duration = 19", 14266),
        fails("@idle_cpu_duration = 86401", 14266),
        fails("@oem_errorlog = 2", 14266),
        fails("@email_save_in_sent_folder = 2", 14266),
        fails("@cpu_poller_enabled = 2", 14266),
        fails("@alert_replace_runtime_tokens = 2", 14266),
        fails("@use_databasemail = 2", 14266),
        // One wrong value, and none of them is taken.
        fails("@auto_start = 0, @login_timeout = 4", 14266),
        // Secrets belong into credentials.
        fails("@host_login_password = 0x01", 40515),
        fails("@cmdexec_account = 0x01", 40515),
        fails("@auto_start = 0", 229).by("user"),
        fails("@auto_start = 0", 229).by("operator"),
    ],
};

const NOTIFY: Table = Table {
    procedure: "sp_sqlagent_notify",
    absent: &[],
    cases: &[
        done("@op_type = N'P'").acts(&["poll"]),
        done("N'g'").by("boss").acts(&["settings"]),
        done("@op_type = N'J', @job_id = '{job local}', @action_type = N'S', @error_flag = 1")
            .acts(&["start local by sa at None"]),
        done("N'J', '{job local}', @action_type = N'C'").acts(&["stop {job local} by sa"]),
        // Definitions reach the agent by themselves.
        done("N'J', '{job local}', @action_type = N'U'"),
        done("N'S', @schedule_id = 1, @action_type = N'I'"),
        done("N'A', @alert_id = 1, @action_type = N'D'"),
        done("N'D'"),
        done("N'L'").acts(&["cycle Agent"]),
        fails(
            "N'T', @wmi_namespace = N'root', @wmi_query = N'SELECT 1'",
            40515,
        ),
        fails("N'M'", 40515),
        fails("N'X'", 14266),
        fails("N'J', @action_type = N'S'", 14233),
        fails(
            "N'J', '00000000-0000-0000-0000-000000000009', @action_type = N'S'",
            14262,
        ),
        fails("N'J', '{job local}', @action_type = N'S'", 14258).refused(|| AgentRefusal::Starting),
        fails("N'J', '{job local}', @action_type = N'C'", 22022)
            .refused(|| AgentRefusal::NotRunning),
        fails("", 201),
        fails("N'P'", 229).by("user"),
        fails("N'P'", 229).by("operator"),
    ],
};

const XP_NOTIFY: Table = Table {
    procedure: "xp_sqlagent_notify",
    absent: &[],
    cases: &[
        done("N'P'").acts(&["poll"]),
        done(
            "@op_type = N'J', @job_id = '{job own}', @schedule_id = NULL, @alert_id = NULL, @action_type = N'S',
             @data = NULL",
        )
        .by("boss")
        .acts(&["start own by boss at None"]),
        fails("N'N', NULL, NULL, NULL, N'M', N'someone'", 40515),
        fails("N'X'", 14266),
        fails("N'P'", 229).by("user"),
    ],
};

const CYCLE: Table = Table {
    procedure: "sp_cycle_agent_errorlog",
    absent: &[],
    cases: &[
        done("").acts(&["cycle Agent"]),
        done("").by("boss").acts(&["cycle Agent"]),
        fails("@x = 1", 8146),
        fails("", 229).by("user"),
        fails("", 229).by("operator"),
    ],
};

const ACCESS: Table = Table {
    procedure: "sp_sqlagent_has_server_access",
    absent: &[],
    cases: &[
        done("@login_name = N'USER'").gives("*", &["1|0|user"]),
        done("N'boss'").by("boss").gives("*", &["1|1|boss"]),
        done("N'nobody'").gives("*", &[]),
        done("N'mate'")
            .after("ALTER LOGIN mate DISABLE")
            .gives("*", &["0|0|mate"]),
        done("").gives(
            "actual_login_name is_sysadmin",
            &[
                "sa|1",
                "boss|1",
                "user|0",
                "mate|0",
                "reader|0",
                "operator|0",
                "target|0",
                "dbowner|0",
                "guest1|0",
            ],
        ),
        fails("@x = 1", 8145),
        fails("", 229).by("user"),
    ],
};

tables! {
    get: GET,
    set: SET,
    notify: NOTIFY,
    xp_notify: XP_NOTIFY,
    cycle: CYCLE,
    access: ACCESS,
}
