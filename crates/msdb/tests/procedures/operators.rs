//! Operators and categories.

use super::support::{Fixture, n, s};
use catalog::SettingValue;
use tsql::Value;

#[test]
fn operators_are_checked_shown_and_deleted() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.ok(
        "sp_add_operator",
        &[
            ("@name", s("dba")),
            ("@email_address", s("dba@example.com")),
            ("@pager_days", n(62)),
        ],
    );
    for (number, given) in [
        (14261, vec![("@name", s("DBA"))]),
        (14200, vec![("@name", s(""))]),
        (14289, vec![("@name", s("50%"))]),
        (14266, vec![("@name", s("x")), ("@enabled", n(2))]),
        (14266, vec![("@name", s("x")), ("@pager_days", n(128))]),
        (
            14287,
            vec![("@name", s("x")), ("@sunday_pager_end_time", n(99))],
        ),
        (
            14234,
            vec![("@name", s("x")), ("@category_name", s("nowhere"))],
        ),
    ] {
        sa.fails(number, "sp_add_operator", &given);
    }
    let shown = sa.ok("sp_help_operator", &[("@operator_name", s("dba"))]);
    assert_eq!(shown.column("weekday_pager_start_time"), [n(90_000)]);
    assert_eq!(shown.column("category_name"), [s("[Uncategorized]")]);
    assert_eq!(shown.column("pager_days"), [Value::TinyInt(62)]);
    sa.fails(14262, "sp_help_operator", &[("@operator_id", n(99))]);
    sa.ok(
        "sp_update_operator",
        &[
            ("@name", s("dba")),
            ("@new_name", s("ops")),
            ("@email_address", s("")),
        ],
    );
    assert_eq!(sa.column("sysoperators", "email_address"), [Value::Null]);
    sa.ok(
        "sp_add_job",
        &[
            ("@job_name", s("a")),
            ("@notify_email_operator_name", s("ops")),
            ("@notify_level_email", n(3)),
        ],
    );
    let told = sa.ok("sp_help_operator_jobs", &[("@operator_name", s("ops"))]);
    assert_eq!(told.column("notify_level_email"), [n(3)]);
    sa.fails(14262, "sp_help_operator_jobs", &[]);
    sa.fails(
        14262,
        "sp_delete_operator",
        &[("@name", s("ops")), ("@reassign_to_operator", s("x"))],
    );
    fixture.write(|definitions| {
        let key = msdb::settings::agent_key("AlertFailSafeOperator");
        definitions.set_setting(&key, Some(&SettingValue::Text("OPS".to_owned())))
    });
    sa.fails(14504, "sp_delete_operator", &[("@name", s("ops"))]);
}

#[test]
fn the_masters_operator_is_special() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.ok("sp_add_operator", &[("@name", s("MSXOperator"))]);
    sa.fails(
        14222,
        "sp_update_operator",
        &[("@name", s("msxoperator")), ("@new_name", s("x"))],
    );
    fixture.target("t1");
    sa.ok(
        "sp_update_operator",
        &[("@name", s("MSXOperator")), ("@email_address", s("a@b"))],
    );
    assert_eq!(
        sa.column("sysdownloadlist", "operation_code"),
        [Value::TinyInt(6)]
    );
    sa.fails(14223, "sp_delete_operator", &[("@name", s("MSXOperator"))]);
    sa.ok(
        "sp_delete_targetserver",
        &[("@server_name", s("t1")), ("@post_defection", n(0))],
    );
    sa.ok("sp_delete_operator", &[("@name", s("MSXOperator"))]);
}

#[test]
fn categories() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    for (number, given) in [
        (14266, vec![("@class", s("CAT")), ("@name", s("x"))]),
        (14266, vec![("@type", s("NONE")), ("@name", s("x"))]),
        (
            14266,
            vec![
                ("@class", s("ALERT")),
                ("@type", s("LOCAL")),
                ("@name", s("x")),
            ],
        ),
        (14261, vec![("@name", s("database maintenance"))]),
        (14200, vec![("@name", s(""))]),
    ] {
        sa.fails(number, "sp_add_category", &given);
    }
    sa.ok("sp_add_category", &[("@name", s("mine"))]);
    sa.ok(
        "sp_add_category",
        &[("@class", s("OPERATOR")), ("@name", s("mine"))],
    );
    sa.ok(
        "sp_add_category",
        &[("@type", s("MULTI-SERVER")), ("@name", s("ours"))],
    );
    sa.ok(
        "sp_add_job",
        &[("@job_name", s("a")), ("@category_name", s("MINE"))],
    );
    let job = |name: &str| [("@class", s("JOB")), ("@name", s(name))];
    sa.fails(14276, "sp_delete_category", &job("Full-Text"));
    sa.fails(14526, "sp_delete_category", &job("nowhere"));
    sa.ok("sp_delete_category", &job("mine"));
    assert_eq!(sa.column("sysjobs", "category_id"), [n(0)]);
    sa.ok(
        "sp_update_category",
        &[
            ("@class", s("JOB")),
            ("@name", s("ours")),
            ("@new_name", s("all")),
        ],
    );
    let multi = sa.ok(
        "sp_help_category",
        &[("@type", s("multi-server")), ("@suffix", n(1))],
    );
    assert_eq!(
        multi.column("name"),
        [s("[Uncategorized (Multi-Server)]"), s("all")]
    );
    assert_eq!(
        multi.column("category_type"),
        [s("MULTI-SERVER"), s("MULTI-SERVER")]
    );
    let operators = sa.ok(
        "sp_help_category",
        &[("@class", s("OPERATOR")), ("@name", s("mine"))],
    );
    assert_eq!(operators.column("category_type"), [Value::TinyInt(3)]);
}
