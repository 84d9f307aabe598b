//! Tables and views: what each column holds in an instance with one of everything, and who sees which rows.

use super::render::{Names, cells};
use super::{MASTER, TARGET, World, run};
use tsql::SqlError;

/// A query by a login and its rows; `None` where it may not read.
type Look = (
    World,
    &'static str,
    &'static str,
    Option<&'static [&'static str]>,
);

const fn sees(
    world: World,
    login: &'static str,
    query: &'static str,
    rows: &'static [&'static str],
) -> Look {
    (world, login, query, Some(rows))
}

const fn denied(world: World, login: &'static str, query: &'static str) -> Look {
    (world, login, query, None)
}

const VALUES: &[Look] = &[ sees(MASTER, "sa",
        "SELECT * FROM sysalerts", &[
            "1|alarm|MSSQLSERVER|NULL|NULL|0|17|1|0|0|0|0|0|NULL|5|NULL|NULL|0|0|0|{job local}|0|0|NULL|98"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysoperators", &[
            "1|MSXOperator|1|msx@hq|0|0|NULL|0|0|90000|180000|90000|180000|90000|180000|0|NULL|0|0|99",
            "2|dba|1|dba@hq|0|0|NULL|0|0|90000|180000|90000|180000|90000|180000|0|NULL|0|0|99"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysproxies", &[
            "1|px|1|1|NULL|0x00|2026-11-03 12:00:00"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysproxylogin", &[
            "1|0x75757575757575757575757575757575|NULL|0"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysproxysubsystem", &[
            "3|1"]),
    sees(MASTER, "sa",
        "SELECT * FROM syssubsystems WHERE subsystem_id IN (1, 3, 12)", &[
            "1|TSQL|14556|NULL|NULL|NULL|NULL|NULL|40",
            "3|CmdExec|14550|NULL|NULL|NULL|NULL|NULL|20",
            "12|PowerShell|14698|NULL|NULL|NULL|NULL|NULL|2"]),
    sees(MASTER, "sa",
        "SELECT * FROM systargetservers", &[
            "1|T1|NULL|1|2026-11-03 12:00:00|2026-11-03 12:00:00|1|2026-11-03 13:00:00|sa|60",
            "2|T2|NULL|1|2026-11-03 12:00:00|2026-11-03 12:00:00|1|2026-11-03 13:00:00|sa|60",
            "3|T3|NULL|1|2026-11-03 12:00:00|2026-11-03 12:00:00|1|2026-11-03 13:00:00|sa|60"]),
    sees(MASTER, "sa",
        "SELECT * FROM systargetservergroups", &[
            "1|pair"]),
    sees(MASTER, "sa",
        "SELECT * FROM systargetservergroupmembers", &[
            "1|1",
            "1|2"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysdownloadlist", &[
            "1|MASTER|1|1|{job fleet}|T1|NULL|2026-11-03 12:00:00|NULL|0|NULL",
            "2|MASTER|1|1|{job fleet}|T2|NULL|2026-11-03 12:00:00|NULL|0|NULL"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysoriginatingservers", &[]),
    sees(TARGET, "sa",
        "SELECT * FROM sysoriginatingservers", &[
            "1|HQ|1"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysoriginatingservers_view", &[
            "0|MASTER|0"]),
    sees(TARGET, "user",
        "SELECT * FROM sysoriginatingservers_view", &[
            "0|MASTER|0",
            "1|HQ|1"]),
    sees(MASTER, "sa",
        "SELECT * FROM sqlagent_info", &[]),
    sees(TARGET, "sa",
        "SELECT * FROM sqlagent_info", &[]),
    sees(MASTER, "sa",
        "SELECT * FROM syscachedcredentials", &[]),
    sees(MASTER, "sa",
        "SELECT * FROM systaskids", &[]),
    sees(MASTER, "sa",
        "SELECT * FROM sysjobs WHERE name IN (N'local', N'own')", &[
            "{job local}|0|local|1|Here.|1|0|0x01|2|0|0|0|0|0|0|0|2026-11-03 12:00:00|2026-11-03 12:00:00|5",
            "{job own}|0|own|1|No description available.|1|0|0x75757575757575757575757575757575|2|0|0|0|0|0|0|0|2026-11-03 12:00:00|2026-11-03 12:00:00|3"]),
    sees(TARGET, "sa",
        "SELECT * FROM sysjobs WHERE name = N'theirs'", &[
            "{job theirs}|1|theirs|1|No description available.|1|1|0x01|2|0|0|0|0|0|0|0|2026-11-03 12:00:00|2026-11-03 12:00:00|3"]),
    sees(TARGET, "sa",
        "SELECT * FROM sysjobs_view WHERE name IN (N'theirs', N'own')", &[
            "{job own}|MASTER|own|1|No description available.|1|0|0x75757575757575757575757575757575|2|0|0|0|0|0|0|0|2026-11-03 12:00:00|2026-11-03 12:00:00|3|0|0",
            "{job theirs}|HQ|theirs|1|No description available.|1|1|0x01|2|0|0|0|0|0|0|0|2026-11-03 12:00:00|2026-11-03 12:00:00|3|1|1"]),
    sees(MASTER, "sa",
        "SELECT job_id, step_id, step_name, subsystem, command, flags, additional_parameters,
            cmdexec_success_code, on_success_action, on_success_step_id, on_fail_action, on_fail_step_id, server,
            database_name, database_user_name, retry_attempts, retry_interval, os_run_priority, output_file_name,
            last_run_outcome, last_run_duration, last_run_retries, last_run_date, last_run_time, proxy_id,
            IIF(step_uid IS NULL, 0, 1)
         FROM sysjobsteps WHERE step_name = N'two'", &[
            "{job local}|2|two|TSQL|SELECT 2|0|NULL|0|1|0|2|0|NULL|msdb|NULL|0|0|0|NULL|0|0|0|0|0|NULL|1"]),
    sees(MASTER, "sa",
        "SELECT log, date_created, date_modified, log_size FROM sysjobstepslogs", &[
            "hello|2026-11-03 12:00:00|2026-11-03 12:00:00|10"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysschedules WHERE name IN (N'daily', N'weekly')", &[
            "1|{uid daily}|0|daily|0x01|1|4|1|1|0|0|0|20261103|99991231|23000|235959|2026-11-03 12:00:00|2026-11-03 12:00:00|1",
            "3|{uid weekly}|0|weekly|0x01|1|8|64|1|0|0|1|20261103|99991231|0|235959|2026-11-03 12:00:00|2026-11-03 12:00:00|1"]),
    sees(TARGET, "sa",
        "SELECT name, originating_server_id FROM sysschedules ORDER BY 1", &[
            "daily|0",
            "hourly|1",
            "mine|0",
            "spare|0"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysjobschedules ORDER BY schedule_id, next_run_date", &[
            "1|{job local}|20261104|23000",
            "2|{job local}|0|0",
            "2|{job second}|0|0",
            "3|{job fleet}|0|0",
            "7|{job own}|0|0"]),
    sees(MASTER, "sa",
        "SELECT j.name, s.* FROM sysjobservers AS s JOIN sysjobs AS j ON j.job_id = s.job_id ORDER BY 1, 3", &[
            "fleet|{job fleet}|1|0|Failed there.|20261102|230000|2",
            "fleet|{job fleet}|2|5|NULL|0|0|0",
            "local|{job local}|0|1|The job succeeded.|20261102|23000|101",
            "own|{job own}|0|3|Stopped.|20261102|120000|10000",
            "second|{job second}|0|5|NULL|0|0|0"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysjobhistory", &[
            "1|{job local}|1|one|208|16|No such table.|2|20261101|23000|5|0|0|0|0|Master",
            "2|{job local}|1|one|208|16|Still none.|0|20261101|23005|10|0|0|0|1|Master",
            "3|{job local}|0|(Job outcome)|0|0|The job failed.|0|20261101|23000|15|2|0|0|0|Master",
            "4|{job local}|1|one|0|0|Well.|1|20261102|23000|100|0|0|0|0|Master",
            "5|{job local}|0|(Job outcome)|0|0|The job succeeded.|1|20261102|23000|101|0|0|0|0|Master",
            "6|{job own}|0|(Job outcome)|0|0|Stopped.|3|20261102|120000|10000|0|0|0|0|Master",
            "7|{job fleet}|0|(Job outcome)|0|0|Failed there.|0|20261102|230000|2|0|0|0|0|T1"]),
    sees(MASTER, "sa",
        "SELECT * FROM sysjobactivity", &[
            "1|{job local}|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
            "1|{job own}|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
            "2|{job local}|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|2026-11-04 02:30:00",
            "2|{job fleet}|2026-11-02 22:00:00|4|NULL|2026-11-02 22:00:00|NULL|NULL|2026-11-02 22:00:02|7|NULL",
            "2|{job own}|2026-11-02 12:00:00|4|NULL|2026-11-02 12:00:00|1|2026-11-02 12:00:00|2026-11-02 13:00:00|6|NULL"]),
    sees(MASTER, "sa",
        "SELECT * FROM syssessions", &[
            "1|2026-11-01 00:00:00",
            "2|2026-11-02 00:00:00"]), ];

/// Who sees which rows of the views.
const VIEWS: &[Look] = &[
    sees(
        MASTER,
        "sa",
        "SELECT name FROM sysjobs_view ORDER BY name",
        ALL_JOBS,
    ),
    sees(
        MASTER,
        "boss",
        "SELECT name FROM sysjobs_view ORDER BY name",
        ALL_JOBS,
    ),
    sees(
        MASTER,
        "reader",
        "SELECT name FROM sysjobs_view ORDER BY name",
        ALL_JOBS,
    ),
    sees(
        MASTER,
        "operator",
        "SELECT name FROM sysjobs_view ORDER BY name",
        ALL_JOBS,
    ),
    sees(
        MASTER,
        "user",
        "SELECT name FROM sysjobs_view ORDER BY name",
        &["draft", "own"],
    ),
    sees(
        MASTER,
        "mate",
        "SELECT name FROM sysjobs_view ORDER BY name",
        &[],
    ),
    // Jobs that targets run.
    sees(
        MASTER,
        "target",
        "SELECT name FROM sysjobs_view ORDER BY name",
        &["fleet"],
    ),
    denied(MASTER, "guest1", "SELECT name FROM sysjobs_view"),
    denied(MASTER, "user", "SELECT name FROM sysjobs"),
    denied(MASTER, "operator", "SELECT name FROM sysjobs"),
    sees(
        MASTER,
        "sa",
        "SELECT server_name FROM systargetservers_view ORDER BY 1",
        &["T1", "T2", "T3"],
    ),
    sees(
        MASTER,
        "user",
        "SELECT server_name FROM systargetservers_view ORDER BY 1",
        &["T1", "T2", "T3"],
    ),
    sees(
        MASTER,
        "reader",
        "SELECT server_name FROM systargetservers_view ORDER BY 1",
        &["T1", "T2", "T3"],
    ),
    // A target sees what it enlisted itself.
    sees(
        MASTER,
        "target",
        "SELECT server_name FROM systargetservers_view ORDER BY 1",
        &[],
    ),
    denied(
        MASTER,
        "guest1",
        "SELECT server_name FROM systargetservers_view",
    ),
    denied(MASTER, "user", "SELECT server_name FROM systargetservers"),
    sees(
        TARGET,
        "reader",
        "SELECT originating_server_id FROM sysoriginatingservers_view ORDER BY 1",
        &["0", "1"],
    ),
    sees(
        MASTER,
        "user",
        "SELECT originating_server_id FROM sysoriginatingservers_view",
        &["0"],
    ),
    denied(
        MASTER,
        "guest1",
        "SELECT originating_server FROM sysoriginatingservers_view",
    ),
    denied(MASTER, "target", "SELECT name FROM sysalerts"),
    denied(MASTER, "operator", "SELECT name FROM sysalerts"),
    denied(MASTER, "operator", "SELECT name FROM sysproxies"),
    denied(MASTER, "operator", "SELECT session_id FROM syssessions"),
    sees(
        MASTER,
        "user",
        "SELECT name FROM sysoperators ORDER BY 1",
        &["dba", "MSXOperator"],
    ),
    sees(
        MASTER,
        "guest1",
        "SELECT name FROM syscategories WHERE category_id = 3",
        &["Database Maintenance"],
    ),
];

const ALL_JOBS: &[&str] = &["bare", "draft", "fleet", "local", "own", "second"];

fn check(looks: &[Look]) {
    let mut wrong = Vec::new();
    for world in [MASTER, TARGET] {
        let fixture = (world.open)();
        let names = Names::of(&fixture);
        for (of, login, query, expected) in looks {
            if of.name != world.name {
                continue;
            }
            let seen = run(&fixture, login, query);
            let errors: Vec<&SqlError> = seen.messages.iter().filter(|m| m.is_error()).collect();
            let found = match expected {
                None => {
                    let numbers: Vec<i32> = errors.iter().map(|error| error.number).collect();
                    if numbers != [229] {
                        wrong.push(format!("{query} by {login}: {errors:?}"));
                    }
                    continue;
                }
                Some(_) if !errors.is_empty() => {
                    wrong.push(format!("{query} by {login}: {errors:?}"));
                    continue;
                }
                Some(_) => cells(&seen.sets[0].0, &seen.sets[0].1, "*").unwrap(),
            };
            let expected = names.fill_all(expected.unwrap_or_default());
            if found != expected {
                wrong.push(format!("{} {query} by {login}:\n  {found:#?}", world.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn values() {
    check(VALUES);
}

#[test]
fn views_by_role() {
    check(VIEWS);
}
