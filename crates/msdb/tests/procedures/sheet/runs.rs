//! sp_start_job and sp_stop_job.

use super::{TARGET, Table, done, fails};
use msdb::services::AgentRefusal;

const fn starting() -> AgentRefusal {
    AgentRefusal::Starting
}

const fn stopped() -> AgentRefusal {
    AgentRefusal::Stopped
}

const fn not_running() -> AgentRefusal {
    AgentRefusal::NotRunning
}

fn already_running() -> AgentRefusal {
    AgentRefusal::AlreadyRunning {
        by: "User sa".to_owned(),
    }
}

const POSTED: &str = "SELECT target_server, operation_code, object_type FROM sysdownloadlist \
                      WHERE operation_code > 3 ORDER BY instance_id";
/// A job made here with the name of one of the master's.
const NAMESAKE: &str = "EXEC sp_add_job @job_name = N'theirs'";

const START: Table = Table {
    procedure: "sp_start_job",
    absent: &[],
    cases: &[
        done("@job_name = N'LOCAL'")
            .says(&[14243])
            .acts(&["start local by sa at None"])
            .unchanged(),
        done("N'local'")
            .says(&[14243])
            .acts(&["start local by sa at None"]),
        done("@job_id = '{job local}'")
            .says(&[14243])
            .acts(&["start local by sa at None"]),
        done("@job_name = N'local', @step_name = N'TWO'")
            .says(&[14243])
            .acts(&["start local by sa at Some(2)"]),
        done("@job_name = N'local', @server_name = N'(local)'")
            .says(&[14243])
            .acts(&["start local by sa at None"]),
        done("@job_name = N'local', @server_name = N'MASTER'")
            .says(&[14243])
            .acts(&["start local by sa at None"]),
        done("@job_name = N'local', @output_flag = 0").acts(&["start local by sa at None"]),
        // A disabled job is started by hand all the same.
        done("@job_name = N'local'")
            .after("EXEC sp_update_job @job_name = N'local', @enabled = 0")
            .says(&[14243])
            .acts(&["start local by sa at None"]),
        done("@job_name = N'local', @error_flag = 0")
            .refused(already_running)
            .returns(1),
        done("@job_name = N'own'")
            .by("user")
            .says(&[14243])
            .acts(&["start own by user at None"]),
        done("@job_name = N'own'")
            .by("operator")
            .says(&[14243])
            .acts(&["start own by operator at None"]),
        done("@job_name = N'local'")
            .by("operator")
            .says(&[14243])
            .acts(&["start local by operator at None"]),
        done("@job_name = N'own'")
            .by("boss")
            .says(&[14243])
            .acts(&["start own by boss at None"]),
        // To all targets, or to one.
        done("@job_name = N'fleet'")
            .says(&[14230])
            .then(POSTED, &["T1|4|1", "T2|4|1"]),
        done("@job_name = N'fleet', @server_name = N't2'")
            .says(&[14230])
            .then(POSTED, &["T2|4|1"]),
        done("@job_name = N'fleet', @step_name = N'one'")
            .says(&[14230])
            .then(POSTED, &["T1|4|1", "T2|4|1"]),
        done("@job_name = N'theirs'")
            .within(TARGET)
            .says(&[14243])
            .acts(&["start theirs by sa at None"]),
        fails("@job_name = N'local', @job_id = '{job local}'", 14294),
        fails("", 14294),
        fails("@job_name = N''", 14294),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'theirs'", 14293)
            .within(TARGET)
            .after(NAMESAKE),
        fails("@job_name = N'bare'", 14256),
        fails("@job_name = N'bare'", 14528).after("EXEC sp_add_jobserver @job_name = N'bare'"),
        fails("@job_name = N'local', @step_name = N'three'", 14262),
        fails("@job_name = N'fleet', @step_name = N'two'", 14262),
        fails("@job_name = N'local', @server_name = N't1'", 14270),
        fails("@job_name = N'fleet', @server_name = N't3'", 14270),
        fails("@job_name = N'fleet', @server_name = N't4'", 14262),
        fails("@job_name = N'local'", 14258).refused(starting),
        fails("@job_name = N'local'", 22022).refused(stopped),
        fails("@job_name = N'local'", 22022).refused(already_running),
        // Jobs that the caller may not see don't exist for it; those it sees are still not its own.
        fails("@job_name = N'local'", 14262).by("user"),
        fails("@job_name = N'own'", 14262).by("mate"),
        fails("@job_name = N'own'", 14393).by("reader"),
        fails("@job_name = N'fleet'", 14397).by("operator"),
        fails("@job_name = N'fleet'", 14397).by("reader"),
        fails("@job_name = N'theirs'", 14397)
            .by("operator")
            .within(TARGET),
        fails("@job_name = N'own'", 229).by("guest1"),
        fails("@job_name = N'own'", 229).by("target"),
        fails("@job_id = 'seven'", 8114),
        fails("@job = N'local'", 8145),
    ],
};

const STOP: Table = Table {
    procedure: "sp_stop_job",
    absent: &[],
    cases: &[
        done("@job_name = N'second'")
            .says(&[14254])
            .acts(&["stop {job second} by sa"])
            .unchanged(),
        done("@job_id = '{job second}'")
            .says(&[14254])
            .acts(&["stop {job second} by sa"]),
        done("@job_name = N'second', @server_name = N'(local)'")
            .says(&[14254])
            .acts(&["stop {job second} by sa"]),
        done("@job_name = N'own'")
            .by("user")
            .says(&[14254])
            .acts(&["stop {job own} by user"]),
        done("@job_name = N'own'")
            .by("operator")
            .says(&[14254])
            .acts(&["stop {job own} by operator"]),
        done("@job_name = N'fleet'")
            .says(&[14230])
            .then(POSTED, &["T1|5|1", "T2|5|1"]),
        done("@job_name = N'fleet', @server_name = N'T1'")
            .says(&[14230])
            .then(POSTED, &["T1|5|1"]),
        done("@job_name = N'theirs'")
            .within(TARGET)
            .says(&[14254])
            .acts(&["stop {job theirs} by sa"]),
        // Those of the master that run.
        done("@originating_server = N'hq'")
            .within(TARGET)
            .says(&[14253])
            .acts(&["stop {job theirs} by sa"])
            .unchanged(),
        done("@originating_server = N'HQ'")
            .within(TARGET)
            .refused(not_running)
            .says(&[14253]),
        fails("", 14232),
        fails("@job_name = N'second', @job_id = '{job second}'", 14232),
        fails("@job_name = N'theirs', @originating_server = N'HQ'", 14232).within(TARGET),
        fails("@job_name = N'nowhere'", 14262),
        fails("@job_id = '00000000-0000-0000-0000-000000000007'", 14262),
        fails("@job_name = N'theirs'", 14293)
            .within(TARGET)
            .after(NAMESAKE),
        fails("@originating_server = N'elsewhere'", 14268).within(TARGET),
        fails("@originating_server = N'HQ'", 14268),
        fails("@job_name = N'bare'", 14257),
        fails("@job_name = N'second', @server_name = N't1'", 14270),
        fails("@job_name = N'fleet', @server_name = N't3'", 14270),
        fails("@job_name = N'fleet', @server_name = N't4'", 14262),
        fails("@job_name = N'local'", 22022).refused(not_running),
        fails("@job_name = N'local'", 14258).refused(starting),
        fails("@job_name = N'local'", 14262).by("user"),
        fails("@job_name = N'local'", 14393).by("reader"),
        fails("@job_name = N'fleet'", 14397).by("operator"),
        fails("@originating_server = N'HQ'", 14397)
            .by("operator")
            .within(TARGET),
        fails("@job_name = N'own'", 229).by("guest1"),
    ],
};

tables! {
    start: START,
    stop: STOP,
}
