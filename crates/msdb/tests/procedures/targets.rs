//! Multiserver jobs: targets, posts, the download list.

use super::support::{Fixture, Session, n, s};
use tsql::Value;
use uuid::Uuid;

/// (target, operation code, object name or kept name) of the whole queue.
fn queue(session: &mut Session<'_>) -> Vec<(String, i64)> {
    session
        .rows("sysdownloadlist")
        .iter()
        .map(|row| {
            (
                row[5].as_str().unwrap().to_owned(),
                row[2].as_i64().unwrap(),
            )
        })
        .collect()
}

fn entries(of: &[(&str, i64)]) -> Vec<(String, i64)> {
    of.iter()
        .map(|(target, op)| ((*target).to_owned(), *op))
        .collect()
}

#[test]
fn a_job_goes_to_its_targets_and_changes_follow() {
    let fixture = Fixture::new();
    fixture.target("t1");
    fixture.target("t2");
    let mut sa = fixture.sa();
    sa.job("multi", Some("t1"));
    assert_eq!(
        sa.column("sysjobs", "category_id"),
        [n(2)],
        "uncategorized, multiserver"
    );
    let job = ("@job_name", s("multi"));
    let on = |server: &str| [job.clone(), ("@server_name", s(server))];
    sa.ok("sp_add_jobserver", &on("T2"));
    assert_eq!(queue(&mut sa), entries(&[("T1", 1), ("T2", 1)]));
    sa.fails(14269, "sp_add_jobserver", &on("t1"));
    sa.fails(14262, "sp_add_jobserver", &on("t3"));
    sa.fails(14291, "sp_add_jobserver", &on("(local)"));

    // Steps are not posted by themselves, and the caller is told so.
    let step = sa.ok("sp_add_jobstep", &[job.clone(), ("@step_name", s("two"))]);
    assert_eq!(step.numbers(), [14547]);
    sa.ok("sp_update_job", &[job.clone(), ("@enabled", n(0))]);
    let started = sa.ok("sp_start_job", std::slice::from_ref(&job));
    assert_eq!(started.numbers(), [14230]);
    assert!(started.messages[0].message.contains("2 'START'"));
    sa.ok("sp_stop_job", &on("t2"));
    sa.fails(14262, "sp_stop_job", &on("t3"));
    assert_eq!(
        queue(&mut sa)[2..],
        entries(&[("T1", 2), ("T2", 2), ("T1", 4), ("T2", 4), ("T2", 5)])
    );
    sa.ok("sp_delete_jobserver", &on("t1"));
    sa.fails(14270, "sp_delete_jobserver", &on("t1"));
    sa.fails(14270, "sp_delete_jobserver", &on("(local)"));
    sa.ok("sp_delete_job", &[job]);
    assert_eq!(queue(&mut sa)[7..], entries(&[("T1", 3), ("T2", 3)]));
    assert_eq!(
        sa.column("sysdownloadlist", "deleted_object_name")[8],
        s("multi")
    );
    assert!(
        fixture.fake.acts.lock().unwrap().is_empty(),
        "nothing local"
    );
}

#[test]
fn what_cannot_be_a_multiserver_job() {
    let fixture = Fixture::new();
    fixture.target("t1");
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut sa = fixture.sa();
    sa.job("local", Some("(local)"));
    sa.fails(
        14290,
        "sp_add_jobserver",
        &[("@job_name", s("local")), ("@server_name", s("t1"))],
    );

    let mut user = fixture.session("user");
    user.job("users", None);
    let users = [("@job_name", s("users")), ("@server_name", s("t1"))];
    user.fails(14398, "sp_add_jobserver", &users);
    sa.fails(14544, "sp_add_jobserver", &users);

    sa.ok("sp_add_operator", &[("@name", s("dba"))]);
    sa.ok("sp_add_operator", &[("@name", s("MSXOperator"))]);
    sa.ok(
        "sp_add_job",
        &[
            ("@job_name", s("told")),
            ("@notify_email_operator_name", s("dba")),
        ],
    );
    let told = [("@job_name", s("told")), ("@server_name", s("t1"))];
    sa.fails(14221, "sp_add_jobserver", &told);
    sa.ok(
        "sp_update_job",
        &[
            ("@job_name", s("told")),
            ("@notify_email_operator_name", s("msxoperator")),
        ],
    );
    sa.ok("sp_add_jobserver", &told);
    sa.fails(
        14221,
        "sp_update_job",
        &[
            ("@job_name", s("told")),
            ("@notify_page_operator_name", s("dba")),
        ],
    );
    sa.fails(
        14286,
        "sp_update_job",
        &[
            ("@job_name", s("told")),
            ("@category_name", s("Database Maintenance")),
        ],
    );
    sa.fails(
        14544,
        "sp_update_job",
        &[("@job_name", s("told")), ("@owner_login_name", s("user"))],
    );
    sa.fails(
        14542,
        "sp_add_jobstep",
        &[
            ("@job_name", s("told")),
            ("@step_name", s("x")),
            ("@database_user_name", s("dbo")),
        ],
    );
    sa.fails(14528, "sp_start_job", &[("@job_name", s("told"))]);
}

#[test]
fn schedules_of_multiserver_jobs_post_by_themselves() {
    let fixture = Fixture::new();
    fixture.target("t1");
    let mut sa = fixture.sa();
    sa.job("multi", Some("t1"));
    sa.ok(
        "sp_add_schedule",
        &[("@schedule_name", s("daily")), ("@freq_type", n(4))],
    );
    let attach = [("@job_name", s("multi")), ("@schedule_name", s("daily"))];
    sa.ok("sp_attach_schedule", &attach);
    sa.ok(
        "sp_update_schedule",
        &[("@name", s("daily")), ("@enabled", n(0))],
    );
    sa.ok(
        "sp_update_schedule",
        &[
            ("@name", s("daily")),
            ("@enabled", n(1)),
            ("@automatic_post", n(0)),
        ],
    );
    sa.ok("sp_detach_schedule", &attach);
    assert_eq!(
        queue(&mut sa),
        entries(&[("T1", 1), ("T1", 1), ("T1", 1), ("T1", 1)])
    );
}

#[test]
fn groups_and_lists_of_targets() {
    let fixture = Fixture::new();
    for name in ["t1", "t2", "t3"] {
        fixture.target(name);
    }
    let mut sa = fixture.sa();
    sa.ok("sp_add_job", &[("@job_name", s("multi"))]);
    sa.ok("sp_add_targetservergroup", &[("@name", s("east"))]);
    sa.fails(14261, "sp_add_targetservergroup", &[("@name", s("EAST"))]);
    sa.fails(14289, "sp_add_targetservergroup", &[("@name", s("a,b"))]);
    sa.ok(
        "sp_update_targetservergroup",
        &[("@name", s("east")), ("@new_name", s("west"))],
    );
    sa.fails(
        14262,
        "sp_delete_targetservergroup",
        &[("@name", s("east"))],
    );
    let member = |server: &str| [("@group_name", s("west")), ("@server_name", s(server))];
    sa.ok("sp_add_targetsvrgrp_member", &member("t1"));
    sa.ok("sp_add_targetsvrgrp_member", &member("t2"));
    sa.fails(14263, "sp_add_targetsvrgrp_member", &member("t2"));
    sa.fails(14264, "sp_delete_targetsvrgrp_member", &member("t3"));
    let help = sa.ok("sp_help_targetservergroup", &[("@name", s("west"))]);
    assert_eq!(help.column("server_name"), [s("T1"), s("T2")]);

    let job = ("@job_name", s("multi"));
    sa.fails(14283, "sp_apply_job_to_targets", std::slice::from_ref(&job));
    sa.fails(
        14262,
        "sp_apply_job_to_targets",
        &[job.clone(), ("@target_servers", s("t1, nowhere"))],
    );
    sa.fails(
        14266,
        "sp_apply_job_to_targets",
        &[
            job.clone(),
            ("@target_servers", s("t1")),
            ("@operation", s("MOVE")),
        ],
    );
    let both = [
        job.clone(),
        ("@target_server_groups", s("west")),
        ("@target_servers", s("T2, t3")),
    ];
    let applied = sa.ok("sp_apply_job_to_targets", &both);
    assert_eq!(applied.messages[0].message, "Job applied to 3 new servers.");
    let servers = sa.ok(
        "sp_help_jobserver",
        &[job.clone(), ("@show_last_run_details", n(1))],
    );
    assert_eq!(servers.column("server_name"), [s("T1"), s("T2"), s("T3")]);
    assert_eq!(
        servers.column("last_run_outcome"),
        vec![Value::TinyInt(5); 3]
    );
    let removed = sa.ok(
        "sp_remove_job_from_targets",
        &[job, ("@target_server_groups", s("west"))],
    );
    assert_eq!(removed.messages[0].message, "Job removed from 2 servers.");
    sa.ok("sp_delete_targetservergroup", &[("@name", s("west"))]);
}

#[test]
fn posting_by_hand() {
    let fixture = Fixture::new();
    fixture.target("t1");
    fixture.target("t2");
    let mut sa = fixture.sa();
    sa.job("multi", Some("t1"));
    sa.job("local", Some("(local)"));
    let ids = sa.rows("sysjobs");
    let id = |name: &str| ids.iter().find(|row| row[2] == s(name)).unwrap()[0].clone();
    let multi = id("multi");
    let post = |given: Vec<(&'static str, Value)>| given;
    for (number, given) in [
        (14266, post(vec![("@operation", s("EXPLODE"))])),
        (
            14266,
            post(vec![
                ("@operation", s("INSERT")),
                ("@object_type", s("CAT")),
            ]),
        ),
        (14266, post(vec![("@operation", s("DEFECT"))])),
        (
            14266,
            post(vec![
                ("@operation", s("START")),
                ("@object_type", s("SERVER")),
            ]),
        ),
        (14233, post(vec![("@operation", s("INSERT"))])),
        (
            14262,
            post(vec![
                ("@operation", s("INSERT")),
                ("@job_id", Value::Guid(Uuid::from_u128(5))),
            ]),
        ),
        (
            14365,
            post(vec![
                ("@operation", s("INSERT")),
                ("@object_type", s("SCHEDULE")),
            ]),
        ),
        (
            14266,
            post(vec![
                ("@operation", s("SET-POLL")),
                ("@object_type", s("SERVER")),
                ("@value", n(9)),
            ]),
        ),
        (
            14262,
            post(vec![
                ("@operation", s("SYNC-TIME")),
                ("@object_type", s("SERVER")),
                ("@specific_target_server", s("t9")),
            ]),
        ),
    ] {
        sa.fails(number, "sp_post_msx_operation", &given);
    }
    let mut counted = |given: &[(&str, Value)]| {
        let answer = sa.ok("sp_post_msx_operation", given);
        (
            answer.messages[0].number,
            answer.messages[0].message.clone(),
        )
    };
    let (number, text) = counted(&[("@operation", s("insert")), ("@job_id", multi.clone())]);
    assert_eq!(number, 14230);
    assert!(text.contains(": 1 'INSERT'"), "{text}");
    let (number, _) = counted(&[
        ("@operation", s("START")),
        ("@job_id", multi),
        ("@specific_target_server", s("t2")),
    ]);
    assert_eq!(number, 14231);
    let (_, text) = counted(&[("@operation", s("INSERT")), ("@job_id", id("local"))]);
    assert!(text.contains(": 0 "), "{text}");
    let (_, text) = counted(&[
        ("@operation", s("SET-POLL")),
        ("@object_type", s("SERVER")),
        ("@value", n(10)),
    ]);
    assert!(text.contains(": 2 "), "{text}");
    assert_eq!(
        sa.column("systargetservers", "poll_interval"),
        [n(10), n(10)]
    );

    let listed = |sa: &mut Session<'_>, given: &[(&str, Value)]| {
        sa.ok("sp_help_downloadlist", given)
            .column("operation_code")
    };
    assert_eq!(listed(&mut sa, &[]).len(), 4);
    assert_eq!(listed(&mut sa, &[("@job_name", s("multi"))]).len(), 2);
    assert_eq!(
        listed(
            &mut sa,
            &[("@operation", s("set-poll")), ("@target_server", s("t2"))]
        ),
        [s("9 (SET-POLL)")]
    );
    assert_eq!(
        listed(
            &mut sa,
            &[("@object_type", s("SERVER")), ("@object_name", s("T1"))]
        )
        .len(),
        1
    );
    assert_eq!(listed(&mut sa, &[("@status", n(1))]).len(), 0);
    assert_eq!(listed(&mut sa, &[("@has_error", n(1))]).len(), 0);
    sa.fails(14272, "sp_help_downloadlist", &[("@object_type", s("JOB"))]);
    sa.fails(14266, "sp_help_downloadlist", &[("@operation", s("x"))]);
    sa.fails(
        14262,
        "sp_help_downloadlist",
        &[("@target_server", s("t9"))],
    );
    let help = sa.ok("sp_help_targetserver", &[("@server_name", s("t1"))]);
    assert_eq!(help.column("unread_instructions"), [n(3)]);
    assert_eq!(help.column("status"), [n(1)]);
    assert_eq!(help.column("time_zone_adjustment"), [n(1)]);
    sa.fails(14262, "sp_help_targetserver", &[("@server_name", s("t9"))]);
}

#[test]
fn resync_and_deletion_of_a_target() {
    let fixture = Fixture::new();
    fixture.target("t1");
    fixture.target("t2");
    let mut sa = fixture.sa();
    sa.job("multi", Some("t1"));
    sa.ok(
        "sp_update_job",
        &[("@job_name", s("multi")), ("@enabled", n(0))],
    );
    sa.fails(
        14262,
        "sp_resync_targetserver",
        &[("@server_name", s("t9"))],
    );
    let resync = sa.ok("sp_resync_targetserver", &[("@server_name", s("all"))]);
    assert_eq!(resync.numbers(), [14230, 14230, 14230, 14548]);
    assert_eq!(queue(&mut sa), entries(&[("T1", 3), ("T1", 1), ("T2", 3)]));

    sa.fails(
        14262,
        "sp_delete_targetserver",
        &[("@server_name", s("t9"))],
    );
    sa.ok("sp_delete_targetserver", &[("@server_name", s("t1"))]);
    assert_eq!(queue(&mut sa), entries(&[("T2", 3), ("T1", 7)]));
    assert_eq!(sa.rows("sysjobservers").len(), 0);
    assert_eq!(
        sa.rows("systargetservers").len(),
        2,
        "listed until it has left"
    );
    sa.ok(
        "sp_delete_targetserver",
        &[("@server_name", s("t2")), ("@post_defection", n(0))],
    );
    assert_eq!(sa.column("systargetservers", "server_name"), [s("T1")]);
}
