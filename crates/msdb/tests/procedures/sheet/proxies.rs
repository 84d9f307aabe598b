//! Proxies: sp_add_proxy, sp_update_proxy, sp_delete_proxy, sp_help_proxy, their grants and the subsystems.

use super::{Table, done, fails};

const MADE: &str = "SELECT p.name, p.enabled, p.description, c.name FROM sysproxies AS p
    JOIN sys.credentials AS c ON c.credential_id = p.credential_id WHERE p.name <> N'px'";
const NO_WINDOWS: &str = "Identities are not looked up: there are no Windows accounts.";

const ADD: Table = Table {
    procedure: "sp_add_proxy",
    absent: &[(14529, NO_WINDOWS)],
    cases: &[
        done("@proxy_name = N'new', @credential_name = N'cred'").then(MADE, &["new|1|NULL|cred"]),
        done("N'new', 0, N'Text', N'CRED'").by("boss").then(MADE, &["new|0|Text|cred"]),
        done(
            "@proxy_name = N'new', @enabled = 1, @description = N'', @credential_id = {credential cred},
             @credential_name = N'cred', @proxy_id = @int OUTPUT",
        )
        .then(MADE, &["new|1||cred"]),
        done("@proxy_name = N'new', @credential_id = {credential cred}, @proxy_id = @int OUTPUT; SELECT IIF(@int > 0, 1, 0) AS given")
            .gives("given", &["1"]),
        // Without a name it is called as the identity.
        done("@credential_name = N'cred'").then(MADE, &["who|1|NULL|cred"]),
        done("@proxy_name = N'', @credential_name = N'cred'").then(MADE, &["who|1|NULL|cred"]),
        fails("@proxy_name = N'PX', @credential_name = N'cred'", 14261),
        fails("@credential_name = N'cred'", 14261)
            .after("EXEC sp_add_proxy @proxy_name = N'WHO', @credential_name = N'cred'"),
        fails("@proxy_name = N'new', @credential_name = N'lost'", 14262),
        fails("@proxy_name = N'new', @credential_id = 99", 14262),
        fails("@proxy_name = N'new'", 14524),
        fails("@proxy_name = N'new', @enabled = 2, @credential_name = N'cred'", 14266),
        fails("@proxy_name = N'new', @credential_name = N'cred'", 229).by("user"),
        fails("@proxy_name = N'new', @credential_name = N'cred'", 229).by("operator"),
    ],
};

const PX: &str = "SELECT p.name, p.enabled, p.description, c.name FROM sysproxies AS p
    JOIN sys.credentials AS c ON c.credential_id = p.credential_id";
const SPARE: &str = "CREATE CREDENTIAL spare WITH IDENTITY = N'user'";

const UPDATE: Table = Table {
    procedure: "sp_update_proxy",
    absent: &[],
    cases: &[
        done("@proxy_name = N'px'").then(PX, &["px|1|NULL|cred"]),
        done("@proxy_name = N'Px', @new_name = N'PX', @enabled = 0, @description = N'Off'")
            .by("boss")
            .then(PX, &["PX|0|Off|cred"]),
        done("@proxy_id = {proxy px}, @new_name = N'new'").then(PX, &["new|1|NULL|cred"]),
        done("@proxy_id = {proxy px}, @proxy_name = N'px', @enabled = 0").then(PX, &["px|0|NULL|cred"]),
        done("@proxy_name = N'px', @credential_name = N'spare'").after(SPARE).then(
            "SELECT c.name, SUSER_SNAME(p.user_sid) FROM sysproxies AS p
             JOIN sys.credentials AS c ON c.credential_id = p.credential_id",
            &["spare|user"],
        ),
        done("@proxy_name = N'px', @credential_id = {credential cred}").then(PX, &["px|1|NULL|cred"]),
        // Steps follow its name.
        done("@proxy_name = N'px', @new_name = N'new'").after(USED).then(
            "SELECT p.name FROM sysjobsteps AS s JOIN sysproxies AS p ON p.proxy_id = s.proxy_id",
            &["new"],
        ),
        fails("@proxy_name = N'px', @new_name = N'OTHER'", 14261).after(OTHER),
        fails("@proxy_name = N'px', @proxy_id = {proxy other}", 14605).after(OTHER),
        fails(
            "@proxy_name = N'px', @credential_name = N'spare', @credential_id = {credential cred}",
            14605,
        )
        .after(SPARE),
        fails("@proxy_name = N'nothing', @enabled = 0", 14262),
        fails("@proxy_id = 99, @enabled = 0", 14262),
        fails("@proxy_name = N'px', @credential_name = N'lost'", 14262),
        fails("@proxy_name = N'px', @credential_id = 99", 14262),
        fails("@enabled = 0", 14524),
        fails("@proxy_name = N'px', @enabled = 2", 14266),
        fails("@proxy_name = N'px', @enabled = 0", 229).by("user"),
        fails("@proxy_name = N'px', @enabled = 0", 229).by("operator"),
    ],
};

const OTHER: &str = "EXEC sp_add_proxy @proxy_name = N'other', @credential_name = N'cred'";
const USED: &str =
    "EXEC sp_add_jobstep @job_name = N'bare', @step_name = N'run', @subsystem = N'CmdExec',
    @command = N'true', @proxy_name = N'px'";

const DELETE: Table = Table {
    procedure: "sp_delete_proxy",
    absent: &[],
    cases: &[
        // Its grants go with it.
        done("@proxy_name = N'PX'").then(
            "SELECT (SELECT COUNT(*) FROM sysproxies), (SELECT COUNT(*) FROM sysproxylogin),
                (SELECT COUNT(*) FROM sysproxysubsystem)",
            &["0|0|0"],
        ),
        done("@proxy_id = {proxy px}").by("boss").then(PX, &[]),
        done("N'{proxy px}', N'px'").then(PX, &[]),
        done("@proxy_name = N'other'")
            .after(OTHER)
            .then(PX, &["px|1|NULL|cred"]),
        fails("@proxy_name = N'px'", 14518).after(USED),
        fails("@proxy_id = {proxy px}", 14518).after(USED),
        fails("@proxy_name = N'nothing'", 14262),
        fails("@proxy_id = 99", 14262),
        fails("@proxy_id = {proxy px}, @proxy_name = N'other'", 14605).after(OTHER),
        fails("", 14524),
        fails("@proxy_name = N'px'", 229).by("user"),
        fails("@proxy_name = N'px'", 229).by("operator"),
    ],
};

const HELP: Table = Table {
    procedure: "sp_help_proxy",
    absent: &[],
    cases: &[
        done("").gives(
            "*",
            &["{proxy px}|px|who|1|NULL|0x00|{credential cred}|1"],
        ),
        // Who stands behind it is for sysadmin.
        done("").by("operator").gives(
            "*",
            &["{proxy px}|px|NULL|1|NULL|NULL|{credential cred}|1"],
        ),
        done("@proxy_id = {proxy px}").by("boss").gives("name", &["px"]),
        done("@proxy_name = N'PX'").after(OTHER).gives("name", &["px"]),
        done("@subsystem_name = N'CmdExec', @name = N'user'").after(OTHER).gives("name", &["px"]),
        done("@subsystem_name = N'CmdExec', @name = N'mate'").gives("name", &[]),
        done("@subsystem_name = N'PowerShell', @name = N'user'").gives("name", &[]),
        // sysadmin may use any.
        done("@subsystem_name = N'cmdexec', @name = N'boss'").gives("name", &["px"]),
        done("@subsystem_name = N'CmdExec', @name = N'nobody'").gives("name", &[]),
        // By a server role, and by a role of msdb that its own includes.
        done("@subsystem_name = N'CmdExec', @name = N'mate'")
            .after("EXEC sp_addsrvrolemember N'mate', N'setupadmin' EXEC sp_grant_login_to_proxy @proxy_name = N'px', @fixed_server_role = N'setupadmin'")
            .gives("name", &["px"]),
        done("@subsystem_name = N'CmdExec', @name = N'operator'")
            .after("EXEC sp_grant_login_to_proxy @proxy_name = N'px', @msdb_role = N'SQLAgentReaderRole'")
            .gives("name", &["px"]),
        done("@subsystem_name = N'CmdExec', @name = N'mate'")
            .after("EXEC sp_grant_login_to_proxy @proxy_name = N'px', @msdb_role = N'SQLAgentReaderRole'")
            .gives("name", &[]),
        fails("@proxy_name = N'nothing'", 14262),
        fails("@proxy_id = 99", 14262),
        fails("@subsystem_name = N'Abacus', @name = N'user'", 14262),
        fails("@subsystem_name = N'CmdExec'", 14532),
        fails("@name = N'user'", 14532),
        fails("", 229).by("user"),
        fails("", 229).by("reader"),
    ],
};

const SUBSYSTEMS: &str = "SELECT s.subsystem FROM sysproxysubsystem AS g
    JOIN syssubsystems AS s ON s.subsystem_id = g.subsystem_id ORDER BY g.subsystem_id";

const GRANT_SUBSYSTEM: Table = Table {
    procedure: "sp_grant_proxy_to_subsystem",
    absent: &[],
    cases: &[
        done("@proxy_name = N'px', @subsystem_name = N'PowerShell'")
            .then(SUBSYSTEMS, &["CmdExec", "PowerShell"]),
        done("@proxy_id = {proxy px}, @subsystem_id = 11")
            .by("boss")
            .then(SUBSYSTEMS, &["CmdExec", "SSIS"]),
        // The name that the page has for SSIS.
        done("@proxy_name = N'px', @subsystem_name = N'Dts'")
            .then(SUBSYSTEMS, &["CmdExec", "SSIS"]),
        done("@proxy_name = N'px', @subsystem_id = 12, @subsystem_name = N'powershell'")
            .then(SUBSYSTEMS, &["CmdExec", "PowerShell"]),
        fails("@proxy_name = N'px', @subsystem_name = N'cmdexec'", 14531),
        fails("@proxy_name = N'px', @subsystem_id = 3", 14531),
        fails("@proxy_name = N'px', @subsystem_name = N'TSQL'", 14530),
        fails("@proxy_name = N'px', @subsystem_id = 1", 14530),
        fails("@proxy_name = N'px', @subsystem_name = N'Abacus'", 14262),
        fails("@proxy_name = N'px', @subsystem_id = 13", 14262),
        fails(
            "@proxy_name = N'px', @subsystem_id = 3, @subsystem_name = N'SSIS'",
            14605,
        ),
        fails("@proxy_name = N'px'", 14524),
        fails("@subsystem_name = N'SSIS'", 14524),
        fails("@proxy_name = N'nothing', @subsystem_name = N'SSIS'", 14262),
        fails("@proxy_id = 99, @subsystem_name = N'SSIS'", 14262),
        fails("@proxy_name = N'px', @subsystem_name = N'SSIS'", 229).by("user"),
        fails("@proxy_name = N'px', @subsystem_name = N'SSIS'", 229).by("operator"),
    ],
};

const REVOKE_SUBSYSTEM: Table = Table {
    procedure: "sp_revoke_proxy_from_subsystem",
    absent: &[],
    cases: &[
        done("@proxy_name = N'Px', @subsystem_name = N'CMDEXEC'").then(SUBSYSTEMS, &[]),
        done("@proxy_id = {proxy px}, @subsystem_id = 3")
            .by("boss")
            .then(SUBSYSTEMS, &[]),
        // A step that relies on it stays; it fails when it runs.
        done("@proxy_name = N'px', @subsystem_name = N'CmdExec'")
            .after(USED)
            .then(
                "SELECT COUNT(*) FROM sysjobsteps WHERE proxy_id IS NOT NULL",
                &["1"],
            ),
        fails("@proxy_name = N'px', @subsystem_name = N'SSIS'", 14600),
        fails("@proxy_name = N'px', @subsystem_id = 12", 14600),
        fails("@proxy_name = N'px', @subsystem_name = N'TSQL'", 14530),
        fails("@proxy_name = N'px', @subsystem_name = N'Abacus'", 14262),
        fails(
            "@proxy_name = N'nothing', @subsystem_name = N'CmdExec'",
            14262,
        ),
        fails("@proxy_name = N'px'", 14524),
        fails("@subsystem_name = N'CmdExec'", 14524),
        fails("@proxy_name = N'px', @subsystem_name = N'CmdExec'", 229).by("operator"),
    ],
};

const PRINCIPALS: &str = "SELECT SUSER_SNAME(sid), flags FROM sysproxylogin ORDER BY 1";

const GRANT_LOGIN: Table = Table {
    procedure: "sp_grant_login_to_proxy",
    absent: &[],
    cases: &[
        done("@login_name = N'MATE', @proxy_name = N'px'").then(PRINCIPALS, &["mate|0", "user|0"]),
        done("@fixed_server_role = N'setupadmin', @proxy_id = {proxy px}")
            .by("boss")
            .then("SELECT flags FROM sysproxylogin ORDER BY 1", &["0", "1"]),
        done("@msdb_role = N'SQLAgentUserRole', @proxy_name = N'px'")
            .then("SELECT flags FROM sysproxylogin ORDER BY 1", &["0", "2"]),
        fails("@login_name = N'USER', @proxy_name = N'px'", 14531),
        fails("@login_name = N'nobody', @proxy_name = N'px'", 14520),
        fails(
            "@fixed_server_role = N'dustadmin', @proxy_name = N'px'",
            14521,
        ),
        fails("@msdb_role = N'DustRole', @proxy_name = N'px'", 14522),
        fails("@login_name = N'sa', @proxy_name = N'px'", 14395),
        fails("@login_name = N'boss', @proxy_name = N'px'", 14395),
        fails(
            "@fixed_server_role = N'sysadmin', @proxy_name = N'px'",
            14395,
        ),
        fails("@proxy_name = N'px'", 14519),
        fails(
            "@login_name = N'mate', @msdb_role = N'SQLAgentUserRole', @proxy_name = N'px'",
            14519,
        ),
        fails(
            "@login_name = N'mate', @fixed_server_role = N'setupadmin', @proxy_name = N'px'",
            14519,
        ),
        fails("@login_name = N'mate'", 14524),
        fails("@login_name = N'mate', @proxy_name = N'nothing'", 14262),
        fails("@login_name = N'mate', @proxy_id = 99", 14262),
        fails("@login_name = N'mate', @proxy_name = N'px'", 229).by("user"),
        fails("@login_name = N'mate', @proxy_name = N'px'", 229).by("operator"),
    ],
};

const REVOKE_LOGIN: Table = Table {
    procedure: "sp_revoke_login_from_proxy",
    absent: &[],
    cases: &[
        done("@name = N'USER', @proxy_name = N'px'").then("SELECT COUNT(*) FROM sysproxylogin", &["0"]),
        done("N'user', {proxy px}").by("boss").then("SELECT COUNT(*) FROM sysproxylogin", &["0"]),
        done("N'SQLAgentUserRole', @proxy_name = N'px'")
            .after("EXEC sp_grant_login_to_proxy @msdb_role = N'SQLAgentUserRole', @proxy_name = N'px'")
            .then("SELECT flags FROM sysproxylogin", &["0"]),
        done("N'setupadmin', @proxy_id = {proxy px}, @proxy_name = N'px'")
            .after("EXEC sp_grant_login_to_proxy @fixed_server_role = N'setupadmin', @proxy_name = N'px'")
            .then("SELECT flags FROM sysproxylogin", &["0"]),
        fails("N'mate', @proxy_name = N'px'", 14523),
        fails("N'nobody', @proxy_name = N'px'", 14523),
        fails("N'user', @proxy_name = N'other'", 14523).after(OTHER),
        fails("N'user', @proxy_name = N'nothing'", 14262),
        fails("N'user', 99", 14262),
        fails("N'user'", 14524),
        fails("@proxy_name = N'px'", 201),
        fails("N'user', @proxy_name = N'px'", 229).by("user"),
        fails("N'user', @proxy_name = N'px'", 229).by("operator"),
    ],
};

const ENUM_LOGINS: Table = Table {
    procedure: "sp_enum_login_for_proxy",
    absent: &[],
    cases: &[
        done("").gives(
            "proxy_id proxy_name flags name sid principal_id",
            &["{proxy px}|px|0|user|0x75757575757575757575757575757575|NULL"],
        ),
        done("@name = N'USER', @proxy_id = {proxy px}, @proxy_name = N'px'").by("boss").gives(
            "name",
            &["user"],
        ),
        done("@name = N'mate'").gives("name", &[]),
        done("@proxy_name = N'other'").after(OTHER).gives("name", &[]),
        done("")
            .after(
                "EXEC sp_grant_login_to_proxy @msdb_role = N'SQLAgentUserRole', @proxy_name = N'px'
                 EXEC sp_grant_login_to_proxy @fixed_server_role = N'setupadmin', @proxy_name = N'px'",
            )
            .gives(
                "flags name",
                &["1|setupadmin", "2|SQLAgentUserRole", "0|user"],
            ),
        fails("@proxy_name = N'nothing'", 14262),
        fails("@proxy_id = 99", 14262),
        fails("", 229).by("user"),
        fails("", 229).by("operator"),
    ],
};

const ENUM_SUBSYSTEM_PROXIES: Table = Table {
    procedure: "sp_enum_proxy_for_subsystem",
    absent: &[],
    cases: &[
        done("").gives("*", &["3|CmdExec|{proxy px}|px"]),
        done("@proxy_name = N'PX', @subsystem_name = N'cmdexec'")
            .by("boss")
            .gives("proxy_name", &["px"]),
        done("@proxy_id = {proxy px}, @subsystem_id = 3").gives("subsystem_name", &["CmdExec"]),
        done("@subsystem_id = 11").gives("proxy_name", &[]),
        done("@proxy_name = N'other'")
            .after(OTHER)
            .gives("proxy_name", &[]),
        fails("@proxy_name = N'nothing'", 14262),
        fails("@proxy_id = 99", 14262),
        fails("@subsystem_name = N'Abacus'", 14262),
        fails("@subsystem_id = 99", 14262),
        fails("", 229).by("user"),
        fails("", 229).by("operator"),
    ],
};

const ENUM_SUBSYSTEMS: Table = Table {
    procedure: "sp_enum_sqlagent_subsystems",
    absent: &[],
    cases: &[
        done("").by("operator").gives(
            "subsystem subsystem_id",
            &[
                "TSQL|1",
                "ActiveScripting|2",
                "CmdExec|3",
                "Snapshot|4",
                "LogReader|5",
                "Distribution|6",
                "Merge|7",
                "QueueReader|8",
                "ANALYSISQUERY|9",
                "ANALYSISCOMMAND|10",
                "SSIS|11",
                "PowerShell|12",
            ],
        ),
        fails("@x = 1", 8146),
        fails("", 229).by("user"),
        fails("", 229).by("reader"),
    ],
};

tables! {
    add: ADD,
    update: UPDATE,
    delete: DELETE,
    help: HELP,
    grant_subsystem: GRANT_SUBSYSTEM,
    revoke_subsystem: REVOKE_SUBSYSTEM,
    grant_login: GRANT_LOGIN,
    revoke_login: REVOKE_LOGIN,
    enum_logins: ENUM_LOGINS,
    enum_subsystem_proxies: ENUM_SUBSYSTEM_PROXIES,
    enum_subsystems: ENUM_SUBSYSTEMS,
}
