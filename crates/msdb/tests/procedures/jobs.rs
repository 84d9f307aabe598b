//! sp_add_job, sp_update_job, sp_delete_job, sp_help_job.

use super::support::{Fixture, n, s};
use tsql::Value;
use uuid::Uuid;

#[test]
fn add_job_fills_in_the_defaults() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let answer = sa.ok("sp_add_job", &[("@job_name", s("  nightly "))]);
    let id = answer.values["@job_id"].clone();
    let rows = sa.select("sysjobs", &[("job_id", id.clone())]).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0][2], s("nightly"));
    assert_eq!(rows[0][3], Value::TinyInt(1));
    assert_eq!(rows[0][4], s("No description available."));
    assert_eq!(rows[0][7], Value::Binary(vec![1]));
    // eventlog on failure, nothing else; never deleted; version 1
    assert_eq!(rows[0][8..12], [n(2), n(0), n(0), n(0)]);
    assert_eq!(rows[0][15], n(0));
    assert_eq!(rows[0][18], n(1));
    assert_eq!(
        sa.select("sysjobs", &[("name", s("NIGHTLY"))]).unwrap(),
        rows
    );
}

#[test]
fn add_job_refuses_what_it_must() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut sa = fixture.sa();
    sa.job("taken", Some("(local)"));
    let named = ("@job_name", s("new"));
    for (number, given) in [
        (14200, vec![("@job_name", s("  "))]),
        (14261, vec![("@job_name", s("TAKEN"))]),
        (14289, vec![("@job_name", s("100%"))]),
        (
            14284,
            vec![named.clone(), ("@job_id", Value::Guid(Uuid::from_u128(7)))],
        ),
        (14266, vec![named.clone(), ("@enabled", n(2))]),
        (14266, vec![named.clone(), ("@start_step_id", n(0))]),
        (14266, vec![named.clone(), ("@notify_level_eventlog", n(4))]),
        (14266, vec![named.clone(), ("@notify_level_email", n(-1))]),
        (14266, vec![named.clone(), ("@notify_level_netsend", n(9))]),
        (14266, vec![named.clone(), ("@notify_level_page", n(9))]),
        (14266, vec![named.clone(), ("@delete_level", n(4))]),
        (14234, vec![named.clone(), ("@category_name", s("nowhere"))]),
        (14234, vec![named.clone(), ("@category_id", n(98))]),
        (
            14267,
            vec![named.clone(), ("@category_name", s("Jobs from MSX"))],
        ),
        (
            14234,
            vec![named.clone(), ("@notify_email_operator_name", s("nobody"))],
        ),
        (
            14234,
            vec![named.clone(), ("@owner_login_name", s("nobody"))],
        ),
        (
            14370,
            vec![named.clone(), ("@originating_server", s("elsewhere"))],
        ),
    ] {
        sa.fails(number, "sp_add_job", &given);
    }
    let mut user = fixture.session("user");
    user.fails(
        14515,
        "sp_add_job",
        &[named.clone(), ("@owner_login_name", s("sa"))],
    );
    user.ok("sp_add_job", &[named, ("@owner_login_name", s("USER"))]);
}

#[test]
fn update_job_changes_what_is_given_and_counts_versions() {
    let fixture = Fixture::new();
    fixture.member("other", None);
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    sa.job("b", None);
    sa.ok("sp_add_operator", &[("@name", s("dba"))]);
    sa.ok(
        "sp_update_job",
        &[
            ("@job_name", s("a")),
            ("@new_name", s("c")),
            ("@enabled", n(0)),
            ("@description", s("")),
            ("@owner_login_name", s("other")),
            ("@category_name", s("Database Maintenance")),
            ("@notify_level_email", n(2)),
            ("@notify_email_operator_name", s("dba")),
        ],
    );
    let row = sa.select("sysjobs", &[("name", s("c"))]).unwrap().remove(0);
    assert_eq!((&row[3], &row[4]), (&Value::TinyInt(0), &s("")));
    assert_eq!(row[6], n(3));
    assert_eq!(row[7], Value::Binary(vec![b'o'; 16]));
    let first = row[18].as_i64().unwrap();
    sa.ok(
        "sp_update_job",
        &[
            ("@job_name", s("c")),
            ("@notify_email_operator_name", s("")),
        ],
    );
    let row = sa.select("sysjobs", &[("name", s("c"))]).unwrap().remove(0);
    assert_eq!(row[12], n(0), "an empty name is no operator");
    assert_eq!(row[18].as_i64(), Some(first + 1));

    for (number, given) in [
        (14294, vec![("@enabled", n(1))]),
        (14262, vec![("@job_name", s("nope"))]),
        (14262, vec![("@job_id", Value::Guid(Uuid::nil()))]),
        (14261, vec![("@job_name", s("c")), ("@new_name", s("B"))]),
        (14289, vec![("@job_name", s("c")), ("@new_name", s("%"))]),
        (14266, vec![("@job_name", s("c")), ("@start_step_id", n(2))]),
        (14266, vec![("@job_name", s("c")), ("@enabled", n(3))]),
        (
            14267,
            vec![
                ("@job_name", s("c")),
                ("@category_name", s("jobs from msx")),
            ],
        ),
        (
            14285,
            vec![
                ("@job_name", s("c")),
                ("@category_name", s("[Uncategorized (Multi-Server)]")),
            ],
        ),
        (
            14234,
            vec![("@job_name", s("c")), ("@owner_login_name", s("nobody"))],
        ),
    ] {
        sa.fails(number, "sp_update_job", &given);
    }
}

#[test]
fn who_may_change_whose_job() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("reader", Some("SQLAgentReaderRole"));
    fixture.member("operator", Some("SQLAgentOperatorRole"));
    fixture.member("target", Some("TargetServersRole"));
    let mut sa = fixture.sa();
    sa.job("theirs", Some("(local)"));
    fixture.session("user").job("own", Some("(local)"));

    let mut user = fixture.session("user");
    user.ok(
        "sp_update_job",
        &[("@job_name", s("own")), ("@enabled", n(0))],
    );
    user.fails(
        14242,
        "sp_update_job",
        &[("@job_name", s("own")), ("@owner_login_name", s("sa"))],
    );
    // What a user may not see does not exist for it.
    user.fails(
        14262,
        "sp_update_job",
        &[("@job_name", s("theirs")), ("@enabled", n(0))],
    );
    user.fails(14262, "sp_delete_job", &[("@job_name", s("theirs"))]);

    let mut reader = fixture.session("reader");
    reader.fails(
        14525,
        "sp_update_job",
        &[("@job_name", s("own")), ("@enabled", n(0))],
    );

    let mut operator = fixture.session("operator");
    operator.ok(
        "sp_update_job",
        &[("@job_name", s("theirs")), ("@enabled", n(0))],
    );
    operator.fails(
        14525,
        "sp_update_job",
        &[
            ("@job_name", s("theirs")),
            ("@enabled", n(1)),
            ("@new_name", s("x")),
        ],
    );
    operator.fails(14525, "sp_delete_job", &[("@job_name", s("theirs"))]);
    user.ok("sp_delete_job", &[("@job_name", s("own"))]);
}

#[test]
fn delete_job_takes_what_hangs_on_it() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    sa.ok(
        "sp_add_jobschedule",
        &[
            ("@job_name", s("a")),
            ("@name", s("daily")),
            ("@freq_type", n(4)),
            ("@freq_interval", n(1)),
        ],
    );
    sa.fails(14279, "sp_delete_job", &[]);
    sa.fails(14262, "sp_delete_job", &[("@job_name", s("b"))]);
    sa.fails(14268, "sp_delete_job", &[("@originating_server", s("HQ"))]);
    sa.ok("sp_delete_job", &[("@job_name", s("a"))]);
    for table in [
        "sysjobs",
        "sysjobsteps",
        "sysjobservers",
        "sysjobschedules",
        "sysschedules",
    ] {
        assert_eq!(sa.rows(table).len(), 0, "{table}");
    }
}

#[test]
fn help_job_lists_filters_and_shows_one_whole() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    sa.job("b", None);
    sa.ok(
        "sp_update_job",
        &[("@job_name", s("b")), ("@enabled", n(0))],
    );
    let names = |answer: super::support::Answer| answer.column("name");
    assert_eq!(names(sa.ok("sp_help_job", &[])).len(), 2);
    for (given, expected) in [
        (vec![("@enabled", n(1))], vec![s("a")]),
        (
            vec![("@job_type", s("LOCAL")), ("@enabled", n(0))],
            vec![s("b")],
        ),
        (vec![("@job_type", s("multi-server"))], vec![]),
        (
            vec![("@execution_status", n(4)), ("@enabled", n(1))],
            vec![s("a")],
        ),
        (vec![("@execution_status", n(0))], vec![]),
        (vec![("@subsystem", s("CmdExec"))], vec![]),
        (
            vec![("@description", s("No desc%")), ("@enabled", n(1))],
            vec![s("a")],
        ),
    ] {
        assert_eq!(names(sa.ok("sp_help_job", &given)), expected, "{given:?}");
    }
    let one = sa.ok("sp_help_job", &[("@job_name", s("a"))]);
    assert_eq!(one.sets.len(), 4);
    assert_eq!(one.numbers(), [14213, 14214, 14215, 14216]);
    let row = &one.sets[0].1[0];
    assert_eq!(row[1], s("MASTER"));
    assert_eq!(row[7], s("sa"));
    assert_eq!(row[21], n(5), "never ran");
    assert_eq!(row[25..28], [n(4), s("0 (unknown)"), n(0)]);
    assert_eq!(row[28..], [n(1), n(0), n(1), n(1)]);
    let part = sa.ok(
        "sp_help_job",
        &[("@job_name", s("a")), ("@job_aspect", s("steps"))],
    );
    assert_eq!((part.sets.len(), part.messages.len()), (1, 0));
    assert_eq!(
        part.column("on_success_action"),
        [s("1 (quit with success)")]
    );

    for (number, given) in [
        (14280, vec![("@job_name", s("a")), ("@enabled", n(1))]),
        (14280, vec![("@job_aspect", s("JOB"))]),
        (14266, vec![("@job_name", s("a")), ("@job_aspect", s("x"))]),
        (14266, vec![("@job_type", s("x"))]),
        (14266, vec![("@execution_status", n(6))]),
        (14282, vec![("@date_comparator", s("="))]),
        (14262, vec![("@owner_login_name", s("nobody"))]),
        (14262, vec![("@category_name", s("nowhere"))]),
    ] {
        sa.fails(number, "sp_help_job", &given);
    }
    let mut user = fixture.session("user");
    assert_eq!(names(user.ok("sp_help_job", &[])).len(), 0);
    user.fails(14301, "sp_help_job", &[("@owner_login_name", s("sa"))]);
}
