//! Schedules: made, shared, attached, changed, deleted, described.

use super::support::{Fixture, n, s};
use tsql::Value;

#[test]
fn add_schedule_checks_its_numbers() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut sa = fixture.sa();
    let name = ("@schedule_name", s("x"));
    let daily = ("@freq_type", n(4));
    for (number, given) in [
        (14200, vec![("@schedule_name", s(""))]),
        (14266, vec![name.clone()]),
        (14295, vec![name.clone(), ("@freq_type", n(2))]),
        (14266, vec![name.clone(), daily.clone(), ("@enabled", n(2))]),
        (
            14278,
            vec![name.clone(), daily.clone(), ("@freq_interval", n(0))],
        ),
        (
            14278,
            vec![name.clone(), ("@freq_type", n(8)), ("@freq_interval", n(1))],
        ),
        (
            14287,
            vec![
                name.clone(),
                daily.clone(),
                ("@active_start_date", n(20_260_230)),
            ],
        ),
        (
            14287,
            vec![
                name.clone(),
                daily.clone(),
                ("@active_start_time", n(240_000)),
            ],
        ),
        (
            14288,
            vec![
                name.clone(),
                daily.clone(),
                ("@active_end_date", n(20_000_101)),
            ],
        ),
        (
            14234,
            vec![
                name.clone(),
                daily.clone(),
                ("@owner_login_name", s("nobody")),
            ],
        ),
        (
            14370,
            vec![name.clone(), daily.clone(), ("@originating_server", s("x"))],
        ),
    ] {
        sa.fails(number, "sp_add_schedule", &given);
    }
    let made = sa.ok("sp_add_schedule", &[name.clone(), daily.clone()]);
    assert_eq!(
        made.values["@schedule_id"],
        sa.column("sysschedules", "schedule_id")[0]
    );
    assert_eq!(
        made.values["@schedule_uid"],
        sa.column("sysschedules", "schedule_uid")[0]
    );
    assert_eq!(
        sa.column("sysschedules", "active_start_date"),
        [n(20_261_103)]
    );
    assert_eq!(
        sa.column("sysschedules", "active_end_date"),
        [n(99_991_231)]
    );
    sa.fails(
        14261,
        "sp_add_schedule",
        &[
            name.clone(),
            daily.clone(),
            ("@schedule_uid", made.values["@schedule_uid"].clone()),
        ],
    );
    fixture.session("user").fails(
        14366,
        "sp_add_schedule",
        &[name, daily, ("@owner_login_name", s("sa"))],
    );
}

#[test]
fn a_schedule_is_shared_detached_and_deleted() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    sa.job("b", Some("(local)"));
    let id = sa
        .ok(
            "sp_add_schedule",
            &[("@schedule_name", s("daily")), ("@freq_type", n(4))],
        )
        .values["@schedule_id"]
        .clone();
    let attach = |job: &str| [("@job_name", s(job)), ("@schedule_name", s("daily"))];
    sa.ok("sp_attach_schedule", &attach("a"));
    sa.ok("sp_attach_schedule", &attach("b"));
    let help = sa.ok(
        "sp_help_jobschedule",
        &[("@job_name", s("a")), ("@include_description", n(1))],
    );
    assert_eq!(help.column("job_count"), [n(2)]);
    let description = help.column("schedule_description").remove(0);
    assert!(
        description
            .as_str()
            .unwrap()
            .starts_with("Occurs every day"),
        "{description:?}"
    );
    let count = sa.ok("sp_help_jobcount", &[("@schedule_id", id.clone())]);
    assert_eq!(count.column("JobCount"), [n(2)]);
    let jobs = sa.ok(
        "sp_help_jobs_in_schedule",
        &[("@schedule_name", s("daily"))],
    );
    assert_eq!(jobs.column("name").len(), 2);

    sa.fails(14372, "sp_delete_schedule", &[("@schedule_id", id.clone())]);
    sa.fails(14373, "sp_delete_schedule", &[]);
    sa.fails(
        14368,
        "sp_delete_jobschedule",
        &[("@job_name", s("a")), ("@name", s("daily"))],
    );
    sa.ok("sp_detach_schedule", &attach("a"));
    sa.fails(14374, "sp_detach_schedule", &attach("a"));
    sa.fails(
        14262,
        "sp_detach_schedule",
        &[("@job_name", s("a")), ("@schedule_name", s("x"))],
    );
    let mut last = attach("b").to_vec();
    last.push(("@delete_unused_schedule", n(1)));
    sa.ok("sp_detach_schedule", &last);
    assert_eq!(sa.rows("sysschedules").len(), 0);
}

#[test]
fn names_may_repeat_and_then_the_id_is_asked_for() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    let given = [("@schedule_name", s("twice")), ("@freq_type", n(4))];
    let first = sa.ok("sp_add_schedule", &given).values["@schedule_id"].clone();
    let second = sa.ok("sp_add_schedule", &given).values["@schedule_id"].clone();
    sa.fails(
        14371,
        "sp_attach_schedule",
        &[("@job_name", s("a")), ("@schedule_name", s("twice"))],
    );
    for id in [first, second] {
        sa.ok(
            "sp_attach_schedule",
            &[("@job_name", s("a")), ("@schedule_id", id)],
        );
    }
    let named = [("@job_name", s("a")), ("@schedule_name", s("twice"))];
    sa.fails(14376, "sp_detach_schedule", &named);
    sa.fails(
        14375,
        "sp_update_jobschedule",
        &[("@job_name", s("a")), ("@name", s("twice"))],
    );
}

#[test]
fn update_schedule_keeps_what_is_not_given() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("operator", Some("SQLAgentOperatorRole"));
    let mut sa = fixture.sa();
    sa.ok(
        "sp_add_schedule",
        &[
            ("@schedule_name", s("w")),
            ("@freq_type", n(8)),
            ("@freq_interval", n(2)),
            ("@freq_recurrence_factor", n(1)),
            ("@active_start_time", n(23_000)),
        ],
    );
    sa.ok(
        "sp_update_schedule",
        &[
            ("@name", s("w")),
            ("@new_name", s("v")),
            ("@freq_interval", n(65)),
        ],
    );
    let row = &sa.rows("sysschedules")[0];
    assert_eq!(row[3], s("v"));
    assert_eq!(row[6..8], [n(8), n(65)]);
    assert_eq!(row[14], n(23_000));
    sa.fails(
        14278,
        "sp_update_schedule",
        &[("@name", s("v")), ("@freq_interval", n(128))],
    );
    sa.fails(
        14262,
        "sp_update_schedule",
        &[("@schedule_id", n(99)), ("@enabled", n(0))],
    );
    let mut user = fixture.session("user");
    user.fails(
        14262,
        "sp_update_schedule",
        &[("@name", s("v")), ("@enabled", n(0))],
    );
    let mut operator = fixture.session("operator");
    operator.ok(
        "sp_update_schedule",
        &[("@name", s("v")), ("@enabled", n(0))],
    );
    operator.fails(
        14394,
        "sp_update_schedule",
        &[("@name", s("v")), ("@freq_interval", n(1))],
    );
    operator.fails(14394, "sp_delete_schedule", &[("@schedule_name", s("v"))]);
    assert_eq!(sa.column("sysschedules", "enabled"), [n(0)]);
}

#[test]
fn job_and_schedule_have_one_owner() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("reader", Some("SQLAgentReaderRole"));
    let mut sa = fixture.sa();
    sa.ok(
        "sp_add_schedule",
        &[("@schedule_name", s("sas")), ("@freq_type", n(4))],
    );
    let mut reader = fixture.session("reader");
    reader.job("mine", Some("(local)"));
    let given = [("@job_name", s("mine")), ("@schedule_name", s("sas"))];
    reader.fails(14377, "sp_attach_schedule", &given);
    sa.ok("sp_attach_schedule", &given);
    fixture
        .session("user")
        .fails(14262, "sp_detach_schedule", &given);
    reader.ok("sp_detach_schedule", &given);
}

#[test]
fn add_jobschedule_with_a_known_uid_shares_it() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("a", Some("(local)"));
    sa.job("b", Some("(local)"));
    let given = |job: &str, uid: Value, interval: i32| {
        vec![
            ("@job_name", s(job)),
            ("@name", s("shared")),
            ("@freq_type", n(4)),
            ("@freq_interval", n(interval)),
            ("@schedule_uid", uid),
        ]
    };
    let first = sa.ok("sp_add_jobschedule", &given("a", Value::Null, 1));
    let uid = first.values["@schedule_uid"].clone();
    let second = sa.ok("sp_add_jobschedule", &given("b", uid, 2));
    assert_eq!(first.values["@schedule_id"], second.values["@schedule_id"]);
    assert_eq!(sa.column("sysschedules", "freq_interval"), [n(2)]);
    assert_eq!(sa.rows("sysjobschedules").len(), 2);
    sa.fails(14273, "sp_help_jobschedule", &[]);
    sa.fails(
        14273,
        "sp_help_jobschedule",
        &[("@job_name", s("a")), ("@schedule_id", n(1))],
    );
}

#[test]
fn a_description_without_a_schedule() {
    let fixture = Fixture::new();
    let answer = fixture.sa().ok(
        "sp_get_schedule_description",
        &[("@freq_type", n(64)), ("@freq_interval", n(0))],
    );
    let text = answer.values["@schedule_description"].clone();
    assert!(text.as_str().unwrap().contains("starts"), "{text:?}");
}
