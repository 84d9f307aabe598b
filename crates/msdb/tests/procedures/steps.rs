//! sp_add_jobstep, sp_update_jobstep, sp_delete_jobstep, sp_help_jobstep.

use super::support::{Fixture, Session, n, s};
use tsql::Value;

fn add(session: &mut Session<'_>, name: &str, more: &[(&str, Value)]) {
    let mut given = vec![("@job_name", s("job")), ("@step_name", s(name))];
    given.extend_from_slice(more);
    session.ok("sp_add_jobstep", &given);
}

/// (id, name, go-to after success, go-to after failure) of each step.
fn shape(session: &mut Session<'_>) -> Vec<(i64, String, i64, i64)> {
    session
        .ok("sp_help_jobstep", &[("@job_name", s("job"))])
        .sets[0]
        .1
        .iter()
        .map(|row| {
            (
                row[0].as_i64().unwrap(),
                row[1].as_str().unwrap().to_owned(),
                row[7].as_i64().unwrap(),
                row[9].as_i64().unwrap(),
            )
        })
        .collect()
}

fn owned(steps: &[(i64, &str, i64, i64)]) -> Vec<(i64, String, i64, i64)> {
    steps
        .iter()
        .map(|(id, name, a, b)| (*id, (*name).to_owned(), *a, *b))
        .collect()
}

#[test]
fn steps_are_inserted_and_deleted_without_gaps() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.ok("sp_add_job", &[("@job_name", s("job"))]);
    let go_to = |step| [("@on_fail_action", n(4)), ("@on_fail_step_id", n(step))];
    add(&mut sa, "a", &go_to(2));
    add(&mut sa, "b", &[]);
    add(&mut sa, "c", &go_to(1));
    add(&mut sa, "first", &[("@step_id", n(1))]);
    assert_eq!(
        shape(&mut sa),
        owned(&[
            (1, "first", 0, 0),
            (2, "a", 0, 3),
            (3, "b", 0, 0),
            (4, "c", 0, 2)
        ])
    );
    sa.ok(
        "sp_delete_jobstep",
        &[("@job_name", s("job")), ("@step_id", n(3))],
    );
    assert_eq!(
        shape(&mut sa),
        owned(&[(1, "first", 0, 0), (2, "a", 0, 0), (3, "c", 0, 2)])
    );
    sa.fails(
        14262,
        "sp_delete_jobstep",
        &[("@job_name", s("job")), ("@step_id", n(4))],
    );
    sa.ok(
        "sp_delete_jobstep",
        &[("@job_name", s("job")), ("@step_id", n(0))],
    );
    assert_eq!(shape(&mut sa), []);
}

#[test]
fn add_and_update_check_the_same_things() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.ok("sp_add_job", &[("@job_name", s("job"))]);
    add(&mut sa, "one", &[]);
    add(&mut sa, "two", &[]);
    let bad: Vec<(i32, Vec<(&str, Value)>)> = vec![
        (14261, vec![("@step_name", s("ONE"))]),
        (14234, vec![("@subsystem", s("COBOL"))]),
        (14266, vec![("@on_success_action", n(5))]),
        (14266, vec![("@on_fail_action", n(0))]),
        (
            14235,
            vec![("@on_success_action", n(4)), ("@on_success_step_id", n(0))],
        ),
        (14266, vec![("@retry_attempts", n(-1))]),
        (14266, vec![("@retry_interval", n(-1))]),
        (14266, vec![("@os_run_priority", n(7))]),
        (14266, vec![("@flags", n(1))]),
        (14266, vec![("@flags", n(128))]),
        (14262, vec![("@proxy_name", s("nobody"))]),
        (14262, vec![("@proxy_id", n(9))]),
        (
            14545,
            vec![
                ("@subsystem", s("Snapshot")),
                ("@output_file_name", s("/tmp/x")),
            ],
        ),
        (
            14545,
            vec![
                ("@subsystem", s("CmdExec")),
                ("@database_user_name", s("dbo")),
            ],
        ),
    ];
    for (number, given) in bad {
        let mut adding = vec![("@job_name", s("job"))];
        if !given.iter().any(|(name, _)| *name == "@step_name") {
            adding.push(("@step_name", s("new")));
        }
        adding.extend(given.clone());
        sa.fails(number, "sp_add_jobstep", &adding);
        let mut updating = vec![("@job_name", s("job")), ("@step_id", n(2))];
        updating.extend(given);
        sa.fails(number, "sp_update_jobstep", &updating);
    }
    sa.fails(
        14266,
        "sp_add_jobstep",
        &[
            ("@job_name", s("job")),
            ("@step_name", s("x")),
            ("@step_id", n(4)),
        ],
    );
    sa.fails(
        14262,
        "sp_update_jobstep",
        &[("@job_name", s("job")), ("@step_id", n(3))],
    );
    sa.fails(
        14235,
        "sp_update_jobstep",
        &[
            ("@job_name", s("job")),
            ("@step_id", n(2)),
            ("@on_fail_action", n(4)),
            ("@on_fail_step_id", n(2)),
        ],
    );
    // A go-to beyond the last step is a warning: the step may follow.
    let warned = sa.ok(
        "sp_update_jobstep",
        &[
            ("@job_name", s("job")),
            ("@step_id", n(2)),
            ("@on_fail_action", n(4)),
            ("@on_fail_step_id", n(9)),
        ],
    );
    assert_eq!(warned.numbers(), [14236]);
}

#[test]
fn only_sysadmin_gets_a_shell_a_file_or_a_user() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut user = fixture.session("user");
    user.ok("sp_add_job", &[("@job_name", s("job"))]);
    for (number, given) in [
        (
            14516,
            vec![("@subsystem", s("CmdExec")), ("@command", s("id"))],
        ),
        (14260, vec![("@subsystem", s("LogReader"))]),
        (14582, vec![("@output_file_name", s("/tmp/x"))]),
        (14583, vec![("@database_user_name", s("dbo"))]),
    ] {
        let mut all = vec![("@job_name", s("job")), ("@step_name", s("x"))];
        all.extend(given);
        user.fails(number, "sp_add_jobstep", &all);
    }
    add(&mut user, "tsql", &[("@command", s("SELECT 1"))]);
    let row = user.ok("sp_help_jobstep", &[("@job_name", s("job"))]);
    assert_eq!(row.column("database_name"), [s("master")]);
    assert_eq!(row.column("subsystem"), [s("TSQL")]);
    fixture.sa().ok(
        "sp_add_jobstep",
        &[
            ("@job_name", s("job")),
            ("@step_name", s("shell")),
            ("@subsystem", s("CMDEXEC")),
        ],
    );
}

#[test]
fn update_keeps_what_is_not_given() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.ok("sp_add_job", &[("@job_name", s("job"))]);
    add(
        &mut sa,
        "one",
        &[
            ("@command", s("SELECT 1")),
            ("@output_file_name", s("/tmp/x")),
            ("@retry_attempts", n(3)),
        ],
    );
    let version = sa.column("sysjobs", "version_number")[0].as_i64().unwrap();
    sa.ok(
        "sp_update_jobstep",
        &[
            ("@job_name", s("job")),
            ("@step_id", n(1)),
            ("@output_file_name", s("")),
            ("@retry_interval", n(5)),
        ],
    );
    let step = sa.ok("sp_help_jobstep", &[("@job_name", s("job"))]);
    assert_eq!(step.column("command"), [s("SELECT 1")]);
    assert_eq!(step.column("output_file_name"), [Value::Null]);
    assert_eq!(step.column("retry_attempts"), [n(3)]);
    assert_eq!(step.column("retry_interval"), [n(5)]);
    let now = sa.column("sysjobs", "version_number")[0].as_i64().unwrap();
    assert_eq!(now, version + 1);
    sa.fails(
        14262,
        "sp_help_jobstep",
        &[("@job_name", s("job")), ("@step_name", s("x"))],
    );
    let suffixed = sa.ok(
        "sp_help_jobstep",
        &[("@job_name", s("job")), ("@suffix", n(1))],
    );
    assert_eq!(
        suffixed.column("on_fail_action"),
        [s("2 (quit with failure)")]
    );
}
