//! Definitions as scripts: what sp_muster_script writes makes the same definitions again; and rehearsals.

use super::scripts::{errors, run, session};
use super::support::{Fixture, Session, n, s};
use engine::host::{AdminStatement, Host};
use proptest::prelude::*;
use tsql::Value;

/// Random catalogs tried.
const CATALOGS: u32 = 24;
/// Definitions of each.
const DEFINITIONS_MAX: usize = 25;
/// Columns that differ between two instances with equal definitions.
const VOLATILE: &[&str] = &[
    "job_id",
    "schedule_id",
    "id",
    "proxy_id",
    "credential_id",
    "user_sid",
    "category_id",
    "servergroup_id",
    "server_id",
    "step_uid",
    "date_created",
    "date_modified",
    "enlist_date",
    "last_poll_date",
    "version_number",
    "originating_server",
    "instance_id",
    "date_posted",
    "object_id",
];

/// A call that defines something; it may be refused, and then defines nothing.
type Definition = (&'static str, Vec<(&'static str, Value)>);

fn word() -> impl Strategy<Value = Value> {
    // Quotes, brackets, comment marks, line ends with GO, tokens, other scripts.
    prop_oneof![
        "[a-c]{1,2}",
        "[a-z'\\]\\[ *é中;-]{1,8}",
        Just("*/ x /*".to_owned()),
        Just("it''s\r\nGO\r\n$(ESCAPE_NONE(JOBID)) '".to_owned()),
    ]
    .prop_map(|text| s(&text))
}

/// Few, so that references meet.
fn name() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => prop::sample::select(vec!["a", "b'", "c]"]).prop_map(s),
        1 => word(),
    ]
}

fn maybe(strategy: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    prop_oneof![Just(Value::Null), strategy].boxed()
}

fn number(range: std::ops::RangeInclusive<i32>) -> BoxedStrategy<Value> {
    range.prop_map(n).boxed()
}

/// A call with a value drawn for each parameter.
fn call(
    procedure: &'static str,
    parameters: Vec<(&'static str, BoxedStrategy<Value>)>,
) -> BoxedStrategy<Definition> {
    let (names, values): (Vec<_>, Vec<_>) = parameters.into_iter().unzip();
    values
        .prop_map(move |values| (procedure, names.iter().copied().zip(values).collect()))
        .boxed()
}

fn definition() -> impl Strategy<Value = Definition> {
    let owner = || prop::sample::select(vec!["sa", "user"]).prop_map(s).boxed();
    let class = || {
        let classes = vec!["JOB", "ALERT", "OPERATOR"];
        prop::sample::select(classes).prop_map(s).boxed()
    };
    let kind = || {
        let kinds = vec!["LOCAL", "MULTI-SERVER", "NONE"];
        prop::sample::select(kinds).prop_map(s).boxed()
    };
    let subsystem = || {
        let known = vec!["TSQL", "CmdExec", "PowerShell"];
        prop::sample::select(known).prop_map(s).boxed()
    };
    let server = || {
        let known = vec!["(local)", "t1", "t2"];
        prop::sample::select(known).prop_map(s).boxed()
    };
    let timing = |mut parameters: Vec<(&'static str, BoxedStrategy<Value>)>| {
        parameters.extend([
            ("@enabled", number(0..=1)),
            (
                "@freq_type",
                prop::sample::select(vec![1, 4, 8, 16, 32, 64, 128])
                    .prop_map(n)
                    .boxed(),
            ),
            ("@freq_interval", number(1..=12)),
            (
                "@freq_subday_type",
                prop::sample::select(vec![1, 2, 4, 8]).prop_map(n).boxed(),
            ),
            ("@freq_subday_interval", number(10..=70)),
            (
                "@freq_relative_interval",
                prop::sample::select(vec![1, 2, 4, 8, 16])
                    .prop_map(n)
                    .boxed(),
            ),
            ("@freq_recurrence_factor", number(1..=3)),
            ("@active_start_time", number(0..=59)),
        ]);
        parameters
    };
    prop_oneof![
        2 => call("sp_add_category", vec![("@class", class()), ("@type", kind()), ("@name", name().boxed())]),
        3 => call("sp_add_operator", vec![
            ("@name", prop_oneof![name(), Just(s("MSXOperator"))].boxed()),
            ("@enabled", number(0..=1)),
            ("@email_address", maybe(word())),
            ("@pager_address", maybe(word())),
            ("@netsend_address", maybe(word())),
            ("@pager_days", number(0..=127)),
            ("@sunday_pager_end_time", number(0..=235_959)),
            ("@category_name", maybe(name())),
        ]),
        2 => call("sp_add_schedule", timing(vec![
            ("@schedule_name", name().boxed()),
            ("@owner_login_name", maybe(owner())),
        ])),
        6 => call("sp_add_job", vec![
            ("@job_name", name().boxed()),
            ("@enabled", number(0..=1)),
            ("@description", maybe(word())),
            ("@category_name", maybe(name())),
            ("@owner_login_name", maybe(owner())),
            ("@notify_level_eventlog", number(0..=3)),
            ("@notify_level_email", number(0..=3)),
            ("@notify_email_operator_name", maybe(name())),
            ("@notify_page_operator_name", maybe(Just(s("MSXOperator")))),
            ("@delete_level", number(0..=3)),
        ]),
        8 => call("sp_add_jobstep", vec![
            ("@job_name", name().boxed()),
            ("@step_name", name().boxed()),
            ("@subsystem", subsystem()),
            ("@command", maybe(word())),
            ("@cmdexec_success_code", number(0..=2)),
            ("@on_success_action", number(1..=4)),
            ("@on_success_step_id", number(0..=3)),
            ("@on_fail_action", number(1..=4)),
            ("@on_fail_step_id", number(0..=3)),
            ("@database_name", maybe(word())),
            ("@retry_attempts", number(0..=5)),
            ("@retry_interval", number(0..=5)),
            ("@os_run_priority", number(-1..=1)),
            ("@output_file_name", maybe(word())),
            ("@flags", prop::sample::select(vec![0, 2, 4, 8]).prop_map(n).boxed()),
            ("@proxy_name", maybe(name())),
        ]),
        2 => call("sp_update_job", vec![("@job_name", name().boxed()), ("@start_step_id", number(1..=3))]),
        3 => call("sp_add_jobschedule", timing(vec![("@job_name", name().boxed()), ("@name", name().boxed())])),
        3 => call("sp_attach_schedule", vec![("@job_name", name().boxed()), ("@schedule_name", name().boxed())]),
        5 => call("sp_add_jobserver", vec![("@job_name", name().boxed()), ("@server_name", server())]),
        4 => call("sp_add_alert", vec![
            ("@name", name().boxed()),
            ("@severity", number(0..=25)),
            ("@enabled", number(0..=1)),
            ("@delay_between_responses", number(0..=90)),
            ("@notification_message", maybe(word())),
            ("@include_event_description_in", number(0..=7)),
            ("@database_name", maybe(word())),
            ("@event_description_keyword", maybe(word())),
            ("@category_name", maybe(name())),
        ]),
        1 => call("sp_add_alert", vec![
            ("@name", name().boxed()),
            ("@performance_condition", Just(s("SQLServer:Locks|Waits|_Total|>|5")).boxed()),
        ]),
        1 => call("sp_add_alert", vec![
            ("@name", name().boxed()),
            ("@wmi_namespace", word().boxed()),
            ("@wmi_query", word().boxed()),
        ]),
        2 => call("sp_update_alert", vec![("@name", name().boxed()), ("@job_name", name().boxed())]),
        3 => call("sp_add_notification", vec![
            ("@alert_name", name().boxed()),
            ("@operator_name", name().boxed()),
            ("@notification_method", number(1..=7)),
        ]),
        2 => call("sp_add_proxy", vec![
            ("@proxy_name", name().boxed()),
            ("@credential_name", prop::sample::select(vec!["c1", "c']2"]).prop_map(s).boxed()),
            ("@enabled", number(0..=1)),
            ("@description", maybe(word())),
        ]),
        2 => call("sp_grant_proxy_to_subsystem", vec![("@proxy_name", name().boxed()), ("@subsystem_name", subsystem())]),
        1 => call("sp_grant_login_to_proxy", vec![("@proxy_name", name().boxed()), ("@login_name", owner())]),
        1 => call("sp_grant_login_to_proxy", vec![
            ("@proxy_name", name().boxed()),
            ("@msdb_role", Just(s("SQLAgentUserRole")).boxed()),
        ]),
        1 => call("sp_add_targetservergroup", vec![("@name", name().boxed())]),
        1 => call("sp_add_targetsvrgrp_member", vec![("@group_name", name().boxed()), ("@server_name", server())]),
    ]
}

/// An instance with what a script cannot make: logins and targets.
fn instance() -> Fixture {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.target("t1");
    fixture.target("t2");
    fixture
}

fn credentials(fixture: &Fixture) {
    for (name, secret) in [("c1", None), ("c']2", Some("secret".to_owned()))] {
        fixture.sa().administer(&AdminStatement::CreateCredential {
            name: name.to_owned(),
            identity: format!("{name}'s"),
            secret,
        });
    }
}

/// Every definition as the help procedures tell of it, without what may differ.
fn told(session: &mut Session<'_>) -> Vec<String> {
    let mut told = Vec::new();
    let mut names: Vec<(String, String)> = Vec::new();
    for (procedure, name) in [
        ("sp_help_category", None),
        ("sp_help_operator", Some("name")),
        ("sp_help_schedule", None),
        ("sp_help_job", Some("name")),
        ("sp_help_alert", Some("name")),
        ("sp_help_proxy", Some("name")),
        ("sp_help_targetservergroup", Some("name")),
    ] {
        let answer = session.ok(procedure, &[]);
        if let Some(column) = name {
            let texts = answer.column(column).into_iter();
            names.extend(texts.map(|v| (procedure.to_owned(), v.as_str().unwrap().to_owned())));
        }
        told.extend(rows(procedure, &answer));
    }
    for class in ["ALERT", "OPERATOR"] {
        told.extend(rows(
            class,
            &session.ok("sp_help_category", &[("@class", s(class))]),
        ));
    }
    for (procedure, name) in names {
        let about: &[(&str, &str)] = match procedure.as_str() {
            "sp_help_job" => &[
                ("sp_help_jobstep", "@job_name"),
                ("sp_help_jobschedule", "@job_name"),
                ("sp_help_jobserver", "@job_name"),
            ],
            "sp_help_proxy" => &[
                ("sp_enum_login_for_proxy", "@proxy_name"),
                ("sp_enum_proxy_for_subsystem", "@proxy_name"),
            ],
            "sp_help_targetservergroup" => &[("sp_help_targetservergroup", "@name")],
            "sp_help_operator" => &[("sp_help_operator_jobs", "@operator_name")],
            _ => &[],
        };
        for (help, parameter) in about {
            let answer = session.ok(help, &[(parameter, s(&name))]);
            told.extend(rows(&format!("{help} {name}"), &answer));
        }
        if procedure == "sp_help_alert" {
            let answer = session.ok(
                "sp_help_notification",
                &[
                    ("@object_type", s("OPERATORS")),
                    ("@name", s(&name)),
                    ("@enum_type", s("ACTUAL")),
                    ("@notification_method", n(7)),
                ],
            );
            told.extend(rows(&format!("notified of {name}"), &answer));
        }
    }
    told.sort();
    told
}

fn rows(what: &str, answer: &super::support::Answer) -> Vec<String> {
    let (columns, rows) = &answer.sets[0];
    rows.iter()
        .map(|row| {
            let kept: Vec<String> = columns
                .iter()
                .zip(row)
                .filter(|(column, _)| !VOLATILE.contains(&column.name.as_str()))
                .map(|(column, value)| format!("{}={value:?}", column.name))
                .collect();
            format!("{what}: {}", kept.join(" "))
        })
        .collect()
}

fn scripted(session: &mut Session<'_>) -> Vec<String> {
    session
        .ok("sp_muster_script", &[])
        .column("script")
        .iter()
        .map(|text| {
            // The note that a credential's secret is to be set: the other instance's has none.
            let lines = text.as_str().unwrap().split_inclusive('\n');
            lines
                .filter(|line| !line.starts_with("-- The credential"))
                .collect()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CATALOGS))]

    #[test]
    fn a_script_makes_the_same_definitions_again(
        definitions in prop::collection::vec(definition(), 1..DEFINITIONS_MAX)
    ) {
        let one = instance();
        credentials(&one);
        let mut sa = one.sa();
        for (procedure, given) in &definitions {
            sa.call(procedure, given);
        }
        let scripts = scripted(&mut sa);
        let other = instance();
        let failed = errors(&mut session(&other, "sa"), &scripts.concat());
        prop_assert_eq!(failed, vec![], "{}", scripts.concat());
        prop_assert_eq!(told(&mut sa), told(&mut other.sa()), "{}", scripts.concat());
        prop_assert_eq!(scripts, scripted(&mut other.sa()));
    }
}

#[test]
fn one_definition_and_who_may_see_it() {
    let fixture = instance();
    let mut sa = fixture.sa();
    sa.ok("sp_add_operator", &[("@name", s("op"))]);
    sa.job("boss's", Some("(local)"));
    fixture.session("user").job("own", Some("(local)"));
    let of = |kind: &str, name: &str| vec![("@object_type", s(kind)), ("@name", s(name))];
    let job = sa.ok("sp_muster_script", &of("job", "BOSS'S"));
    assert_eq!(job.column("object_name"), [s("boss's")]);
    for (given, number) in [
        (of("JOB", "none"), 14262),
        (of("JOBS", "own"), 14266),
        (of("ALL", "own"), 14272),
    ] {
        sa.call("sp_muster_script", &given).raised(number);
    }
    let mut user = fixture.session("user");
    let seen = user.ok("sp_muster_script", &[]);
    assert_eq!(seen.column("object_name"), [s("own")]);
    user.call("sp_muster_script", &of("JOB", "boss's"))
        .raised(14262);
    user.call("sp_muster_script", &of("OPERATOR", "op"))
        .raised(14260);
}

#[test]
fn the_shape_is_that_of_ssms() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("nightly", Some("(local)"));
    let script = scripted(&mut sa).concat();
    insta::assert_snapshot!(script);
}

#[test]
fn a_rehearsal_leaves_nothing_behind() {
    let fixture = instance();
    fixture.sa().job("old", Some("(local)"));
    let before = fixture.fingerprint();
    let mut sa = session(&fixture, "sa");
    let transcript = run(
        &mut sa,
        "
EXEC msdb.dbo.sp_muster_rehearsal 1
GO
EXEC msdb.dbo.sp_delete_job @job_name = N'old'
EXEC msdb.dbo.sp_add_job @job_name = N'outside'
BEGIN TRANSACTION
EXEC msdb.dbo.sp_add_job @job_name = N'committed'
COMMIT
BEGIN TRANSACTION
EXEC msdb.dbo.sp_add_job @job_name = N'undone'
SAVE TRANSACTION s
EXEC msdb.dbo.sp_add_job @job_name = N'undone twice'
ROLLBACK TRANSACTION s
ROLLBACK
EXEC msdb.dbo.sp_start_job @job_name = N'outside'
CREATE LOGIN eve WITH PASSWORD = 'Correct horse 1'
SELECT name FROM msdb.dbo.sysjobs ORDER BY name",
    );
    let failed: Vec<_> = transcript
        .messages
        .iter()
        .filter(|m| m.is_error())
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(
        transcript
            .messages
            .iter()
            .any(|m| m.message.contains("sp_start_job acts at once"))
    );
    assert_eq!(transcript.sets[0].1, [[s("committed")], [s("outside")]]);
    assert!(fixture.fake.acts.lock().unwrap().is_empty());
    drop(sa);
    assert_eq!(before, fixture.fingerprint());

    // A session that ends, and one that rolls back before it wrote anything.
    let mut gone = session(&fixture, "sa");
    let script = "EXEC msdb.dbo.sp_muster_rehearsal 1
BEGIN TRANSACTION ROLLBACK
EXEC msdb.dbo.sp_delete_job @job_name = N'old'";
    assert!(errors(&mut gone, script).is_empty());
    drop(gone);
    let mut inside = session(&fixture, "sa");
    let inside = errors(
        &mut inside,
        "BEGIN TRANSACTION EXEC msdb.dbo.sp_muster_rehearsal 1",
    );
    assert_eq!(inside[0].number, 226);
    assert_eq!(before, fixture.fingerprint());
}

#[test]
fn nothing_that_a_session_runs_ends_its_rehearsal() {
    let fixture = instance();
    let before = fixture.fingerprint();
    for leave in [
        "EXEC msdb.dbo.sp_muster_rehearsal 0",
        "EXEC msdb.dbo.sp_muster_rehearsal 1",
        "EXEC msdb.dbo.sp_muster_rehearsal NULL",
        "DECLARE @p sysname = N'msdb.dbo.sp_muster_' + N'rehearsal' EXEC @p 0",
        "EXEC(N'EXEC msdb.dbo.sp_muster_' + N'rehearsal 0')",
        "EXEC sp_executesql N'EXEC msdb.dbo.sp_muster_rehearsal @on', N'@on bit', 0",
        "BEGIN TRANSACTION EXEC msdb.dbo.sp_muster_rehearsal 0",
    ] {
        let mut sa = session(&fixture, "sa");
        assert!(errors(&mut sa, "EXEC msdb.dbo.sp_muster_rehearsal 1").is_empty());
        let numbers: Vec<i32> = errors(&mut sa, leave).iter().map(|e| e.number).collect();
        assert_eq!(numbers, [50_003], "{leave}");
        let on = "IF @@TRANCOUNT > 0 COMMIT EXEC msdb.dbo.sp_add_job @job_name = N'escaped'";
        assert!(errors(&mut sa, on).is_empty(), "{leave}");
        drop(sa);
        assert_eq!(before, fixture.fingerprint(), "{leave}");
    }
}

/// A pool hands the connection on: who gets it next must not rehearse unknowingly.
#[test]
fn a_reset_of_the_connection_ends_a_rehearsal() {
    let fixture = instance();
    let add = |name: &str| format!("EXEC msdb.dbo.sp_add_job @job_name = N'{name}'");
    let names = "SELECT name FROM msdb.dbo.sysjobs ORDER BY name";
    let mut sa = session(&fixture, "sa");
    let resets: [fn(&mut engine::Session); 2] = [
        engine::Session::reset,
        engine::Session::reset_keeping_transaction,
    ];
    for (round, reset) in resets.into_iter().enumerate() {
        let rehearsed = format!("EXEC msdb.dbo.sp_muster_rehearsal 1 {}", add("rehearsed"));
        assert!(errors(&mut sa, &rehearsed).is_empty());
        reset(&mut sa);
        assert!(errors(&mut sa, &add(&format!("kept {round}"))).is_empty());
    }
    // Inside a transaction: one reset ends both, the other keeps both.
    let open = format!(
        "EXEC msdb.dbo.sp_muster_rehearsal 1 {} BEGIN TRANSACTION {}",
        add("rehearsed"),
        add("inside")
    );
    assert!(errors(&mut sa, &open).is_empty());
    sa.reset_keeping_transaction();
    assert!(errors(&mut sa, "COMMIT").is_empty());
    let again = errors(&mut sa, "EXEC msdb.dbo.sp_muster_rehearsal 0");
    assert_eq!(again[0].number, 50_003);
    assert!(errors(&mut sa, "BEGIN TRANSACTION").is_empty());
    sa.reset();
    assert!(errors(&mut sa, &add("kept 2")).is_empty());
    drop(sa);
    let kept = run(&mut session(&fixture, "sa"), names);
    assert_eq!(
        kept.sets[0].1,
        [[s("kept 0")], [s("kept 1")], [s("kept 2")]]
    );
}

#[test]
fn a_rehearsal_writes_nothing_that_it_cannot_undo() {
    let fixture = instance();
    let mut sa = session(&fixture, "sa");
    assert!(errors(&mut sa, "CREATE TABLE tempdb.dbo.t (a int)").is_empty());
    assert!(errors(&mut sa, "EXEC msdb.dbo.sp_muster_rehearsal 1").is_empty());
    for script in [
        "CREATE TABLE tempdb.dbo.u (a int)",
        "CREATE DATABASE d",
        "INSERT INTO tempdb.dbo.t VALUES (1)",
        "DROP TABLE tempdb.dbo.t",
    ] {
        let numbers: Vec<i32> = errors(&mut sa, script).iter().map(|e| e.number).collect();
        assert_eq!(numbers, [50_002], "{script}");
    }
    // What is the session's own goes on.
    let own = "CREATE TABLE #t (a int) INSERT INTO #t VALUES (1) DROP TABLE #t";
    assert!(errors(&mut sa, own).is_empty());
}

/// What a rehearsal passes over is declared: a slip in a name would carry it out.
#[test]
fn what_acts_at_once_is_passed_over() {
    let fixture = instance();
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    sa.ok("sp_muster_rehearsal", &[("@on", Value::Bit(true))]);
    for name in [
        "sp_start_job",
        "sp_stop_job",
        "sp_purge_jobhistory",
        "sp_delete_jobsteplog",
        "sp_cycle_agent_errorlog",
        "sp_cycle_errorlog",
        "sp_msx_enlist",
        "sp_msx_defect",
        "sp_sqlagent_notify",
        "xp_sqlagent_notify",
        "sp_sqlagent_log_jobhistory",
        "sp_sqlagent_probe_msx",
    ] {
        let answer = sa.call(name, &[]).ok();
        assert_eq!(answer.numbers(), [50_001], "{name}");
    }
    sa.host.enter_database("msdb");
    assert!(fixture.fake.acts.lock().unwrap().is_empty());
}
