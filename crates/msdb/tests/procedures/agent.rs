//! The Agent's properties, its live view, messages to it, and the smaller helpers.

use super::support::{Fixture, n, s};
use catalog::HistoryLimits;
use msdb::services::AgentRefusal;
use tsql::Value;
use uuid::Uuid;

#[test]
fn properties_are_checked_kept_and_shown() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let shown = sa.ok("sp_get_sqlagent_properties", &[]);
    assert_eq!(shown.column("sqlagent_type"), [n(1)]);
    assert_eq!(shown.column("login_timeout"), [n(30)]);
    for (parameter, value) in [
        ("@auto_start", 2),
        ("@job_shutdown_timeout", 4),
        ("@login_timeout", 46),
        ("@idle_cpu_percent", 9),
        ("@idle_cpu_duration", 19),
        ("@errorlogging_level", 8),
        ("@jobhistory_max_rows", 1),
        ("@jobhistory_max_rows_per_job", 0),
    ] {
        sa.fails(
            14266,
            "sp_set_sqlagent_properties",
            &[(parameter, n(value))],
        );
    }
    let secret = Value::Binary(vec![1]);
    sa.fails(
        40515,
        "sp_set_sqlagent_properties",
        &[("@host_login_password", secret)],
    );
    let set = sa.ok(
        "sp_set_sqlagent_properties",
        &[
            ("@jobhistory_max_rows", n(500)),
            ("@jobhistory_max_rows_per_job", n(50)),
            ("@job_shutdown_timeout", n(20)),
            ("@databasemail_profile", s("p")),
            ("@sysadmin_only", n(1)),
        ],
    );
    assert_eq!(set.numbers(), [14378]);
    let shown = sa.ok("sp_get_sqlagent_properties", &[]);
    assert_eq!(shown.column("jobhistory_max_rows"), [n(500)]);
    assert_eq!(shown.column("job_shutdown_timeout"), [n(20)]);
    assert_eq!(
        fixture.catalog.history_limits(),
        HistoryLimits {
            rows_max: Some(500),
            rows_per_job_and_target: Some(50),
            age_max: None,
        }
    );
    sa.ok(
        "sp_set_sqlagent_properties",
        &[
            ("@jobhistory_max_rows", n(-1)),
            ("@jobhistory_max_rows_per_job", n(0)),
        ],
    );
    assert_eq!(fixture.catalog.history_limits().rows_max, None);
    sa.ok("sp_add_operator", &[("@name", s("MSXOperator"))]);
    let shown = sa.ok("sp_get_sqlagent_properties", &[]);
    assert_eq!(shown.column("sqlagent_type"), [n(3)]);
    assert_eq!(shown.column("jobhistory_max_rows"), [n(-1)]);
}

#[test]
fn the_live_view_and_messages() {
    let fixture = Fixture::new();
    fixture.target("t1");
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut sa = fixture.sa();
    sa.job("local", Some("(local)"));
    sa.job("multi", Some("t1"));
    let live = |all: i32, owner: &str| {
        let given = [("@is_sysadmin", n(all)), ("@job_owner", s(owner))];
        fixture.sa().ok("xp_sqlagent_enum_jobs", &given)
    };
    let all = live(1, "sa");
    assert_eq!(all.sets[0].0.len(), 13);
    assert_eq!(all.column("job_state"), [n(4)], "local jobs only");
    assert_eq!(live(0, "sa").sets[0].1.len(), 1);
    assert_eq!(live(0, "user").sets[0].1.len(), 0);
    let id = all.column("job_id").remove(0);

    sa.fails(14266, "sp_sqlagent_notify", &[("@op_type", s("Z"))]);
    sa.fails(40515, "sp_sqlagent_notify", &[("@op_type", s("M"))]);
    sa.fails(
        14233,
        "sp_sqlagent_notify",
        &[("@op_type", s("J")), ("@action_type", s("S"))],
    );
    let unknown = Value::Guid(Uuid::from_u128(9));
    let start = |id: Value| {
        [
            ("@op_type", s("j")),
            ("@action_type", s("s")),
            ("@job_id", id),
        ]
    };
    sa.fails(14262, "sp_sqlagent_notify", &start(unknown));
    sa.ok("sp_sqlagent_notify", &start(id.clone()));
    sa.ok("sp_sqlagent_notify", &[("@op_type", s("P"))]);
    sa.ok("xp_sqlagent_notify", &[("@op_type", s("G"))]);
    assert_eq!(
        *fixture.fake.acts.lock().unwrap(),
        ["start local by sa at None", "poll", "settings"]
    );
    *fixture.fake.refusal.lock().unwrap() = Some(AgentRefusal::Stopped);
    sa.fails(22022, "sp_sqlagent_notify", &start(id));
}

#[test]
fn jobs_of_a_login_are_given_away_or_deleted() {
    let fixture = Fixture::new();
    fixture.target("t1");
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("other", None);
    let mut sa = fixture.sa();
    fixture.session("user").job("a", Some("(local)"));
    fixture.session("user").job("b", None);
    sa.job("multi", Some("t1"));
    let manage = |action: &str, from: &str, to: Option<&str>| {
        let mut given = vec![
            ("@action", s(action)),
            ("@current_owner_login_name", s(from)),
        ];
        given.extend(to.map(|to| ("@new_owner_login_name", s(to))));
        given
    };
    let name = "sp_manage_jobs_by_login";
    sa.fails(14266, name, &manage("EAT", "user", None));
    sa.fails(14237, name, &manage("REASSIGN", "user", None));
    sa.fails(14262, name, &manage("DELETE", "nobody", None));
    sa.fails(14262, name, &manage("REASSIGN", "user", Some("nobody")));
    sa.fails(14543, name, &manage("REASSIGN", "sa", Some("other")));
    let moved = sa.ok(name, &manage("reassign", "user", Some("other")));
    assert_eq!(moved.messages[0].message, "2 jobs reassigned to other.");
    let gone = sa.ok(name, &manage("DELETE", "other", Some("sa")));
    assert_eq!(gone.numbers(), [14281, 14238]);
    assert_eq!(sa.column("sysjobs", "name"), [s("multi")]);
}

#[test]
fn step_logs_summaries_and_identifiers() {
    let fixture = Fixture::new();
    let server = fixture.target("t1");
    let mut sa = fixture.sa();
    sa.job("multi", Some("t1"));
    let uid = sa.column("sysjobsteps", "step_uid")[0].as_guid().unwrap();
    let job = sa.column("sysjobsteps", "job_id")[0].as_guid().unwrap();
    fixture
        .catalog
        .runs_write(|runs| {
            let now = super::support::NOW.parse().unwrap();
            let step = model::StepUid(uid);
            runs.write_step_log(model::JobId(job), step, "hello", false, 100, now)
        })
        .unwrap();
    let job = ("@job_name", s("multi"));
    let logs = sa.ok("sp_help_jobsteplog", std::slice::from_ref(&job));
    assert_eq!(logs.column("log"), [s("hello")]);
    assert_eq!(
        sa.column("sysjobstepslogs", "log_size"),
        [Value::BigInt(10)]
    );
    sa.fails(
        14262,
        "sp_help_jobsteplog",
        &[job.clone(), ("@step_id", n(2))],
    );
    sa.ok(
        "sp_delete_jobsteplog",
        &[job.clone(), ("@larger_than", n(10))],
    );
    assert_eq!(sa.rows("sysjobstepslogs").len(), 1);
    sa.ok("sp_delete_jobsteplog", std::slice::from_ref(&job));
    assert_eq!(sa.rows("sysjobstepslogs").len(), 0);

    let summary = sa.ok("sp_multi_server_job_summary", &[]);
    assert_eq!(summary.column("targets"), [n(1)]);
    assert_eq!(
        summary.column("targets_current"),
        [n(0)],
        "the INSERT is unread"
    );
    let targets = sa.ok("sp_target_server_summary", &[("@target_server", s("t1"))]);
    assert_eq!(targets.column("unread_instructions"), [n(1)]);
    assert_eq!(targets.column("jobs"), [n(1)]);
    assert_eq!(
        targets.column("server_id"),
        [n(i32::try_from(server.0).unwrap())]
    );
    sa.ok("sp_downloaded_row_limiter", &[("@server_name", s("t1"))]);

    let names = |more: (&'static str, Value)| {
        [
            ("@name_of_name_parameter", s("@name")),
            ("@name_of_id_parameter", s("@id")),
            more,
        ]
    };
    let found = sa.ok("sp_verify_job_identifiers", &names(job));
    assert_eq!(found.values["@job_id"], sa.column("sysjobs", "job_id")[0]);
    sa.ok(
        "sp_jobhistory_row_limiter",
        &[("@job_id", found.values["@job_id"].clone())],
    );
    let lost = sa.call("sp_verify_job_identifiers", &names(("@job_name", s("x"))));
    assert!(lost.result.unwrap_err().message.contains("@name"));
    let access = sa.ok("sp_sqlagent_has_server_access", &[("@login_name", s("sa"))]);
    assert_eq!(access.column("is_sysadmin"), [n(1)]);
}
