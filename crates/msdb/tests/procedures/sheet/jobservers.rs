//! What a target asks its master: sp_sqlagent_refresh_job.

use super::{Table, done, fails};

/// Enlists `tsx`, which speaks T-SQL, as the login `target`, and gives it the job `fleet`.
const TSX: &str = "
EXEC sp_addrolemember @rolename = N'TargetServersRole', @membername = N'mate'
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

pub(super) const TABLES: &[Table] = &[REFRESH];

#[test]
fn refresh() {
    REFRESH.check();
}
