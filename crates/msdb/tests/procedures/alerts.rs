//! Alerts and notifications.

use super::support::{Fixture, n, s};
use tsql::Value;
use uuid::Uuid;

#[test]
fn an_alert_has_exactly_one_condition() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("unplaced", None);
    let x = ("@name", s("x"));
    let performance = (
        "@performance_condition",
        s("SQLAgent:Jobs|Failed jobs||>|3"),
    );
    for (number, given) in [
        (14200, vec![("@name", s(" "))]),
        (14500, vec![x.clone()]),
        (
            14500,
            vec![x.clone(), ("@message_id", n(50_001)), ("@severity", n(17))],
        ),
        (14266, vec![x.clone(), ("@severity", n(26))]),
        (14266, vec![x.clone(), ("@message_id", n(-1))]),
        (
            14266,
            vec![x.clone(), ("@severity", n(17)), ("@enabled", n(2))],
        ),
        (
            14266,
            vec![
                x.clone(),
                ("@severity", n(17)),
                ("@delay_between_responses", n(-1)),
            ],
        ),
        (
            14266,
            vec![
                x.clone(),
                ("@severity", n(17)),
                ("@include_event_description_in", n(8)),
            ],
        ),
        (
            14507,
            vec![x.clone(), ("@performance_condition", s("a|b|c|>=|1"))],
        ),
        (
            14507,
            vec![x.clone(), ("@performance_condition", s("a|b|c|>|one"))],
        ),
        (
            14505,
            vec![x.clone(), performance.clone(), ("@severity", n(17))],
        ),
        (
            14505,
            vec![x.clone(), performance.clone(), ("@database_name", s("db"))],
        ),
        (14508, vec![x.clone(), ("@wmi_namespace", s("root"))]),
        (
            14510,
            vec![
                x.clone(),
                ("@wmi_namespace", s("root")),
                ("@wmi_query", s("q")),
                ("@severity", n(17)),
            ],
        ),
        (
            14234,
            vec![
                x.clone(),
                ("@severity", n(17)),
                ("@category_name", s("nowhere")),
            ],
        ),
        (
            14262,
            vec![x.clone(), ("@severity", n(17)), ("@job_name", s("nope"))],
        ),
        (
            14527,
            vec![
                x.clone(),
                ("@severity", n(17)),
                ("@job_name", s("unplaced")),
            ],
        ),
    ] {
        sa.fails(number, "sp_add_alert", &given);
    }
    sa.ok("sp_add_alert", &[x, ("@severity", n(17))]);
    sa.fails(
        14261,
        "sp_add_alert",
        &[("@name", s("X")), ("@severity", n(18))],
    );
    sa.fails(
        14501,
        "sp_add_alert",
        &[("@name", s("y")), ("@severity", n(17))],
    );
    sa.ok(
        "sp_add_alert",
        &[
            ("@name", s("y")),
            ("@severity", n(17)),
            ("@database_name", s("db")),
        ],
    );
    sa.ok("sp_add_alert", &[("@name", s("perf")), performance]);
    sa.ok(
        "sp_add_alert",
        &[
            ("@name", s("wmi")),
            ("@wmi_namespace", s("root")),
            ("@wmi_query", s("q")),
        ],
    );
    let all = sa.ok("sp_help_alert", &[("@order_by", s("type"))]);
    assert_eq!(all.column("type"), [n(1), n(1), n(2), n(3)]);
    let wmi = sa.ok("sp_help_alert", &[("@alert_name", s("wmi"))]);
    assert_eq!(wmi.column("wmi_query"), [s("q")]);
    assert_eq!(wmi.column("performance_condition"), [Value::Null]);
    let legacy = sa.ok(
        "sp_help_alert",
        &[("@alert_name", s("wmi")), ("@legacy_format", n(1))],
    );
    assert_eq!(legacy.sets[0].0.len(), 27);
    assert_eq!(legacy.column("performance_condition"), [s("q")]);
    assert_eq!(legacy.column("type"), [n(3)]);
    sa.fails(14266, "sp_help_alert", &[("@order_by", s("colour"))]);
    sa.fails(14262, "sp_help_alert", &[("@alert_name", s("none"))]);
}

#[test]
fn update_resets_counters_and_detaches_the_job() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.job("answer", Some("(local)"));
    sa.ok(
        "sp_add_alert",
        &[
            ("@name", s("a")),
            ("@severity", n(17)),
            ("@job_name", s("answer")),
        ],
    );
    let alerts = sa.ok("sp_get_job_alerts", &[("@job_name", s("answer"))]);
    assert_eq!(alerts.column("name"), [s("a")]);
    sa.fails(
        14266,
        "sp_update_alert",
        &[("@name", s("a")), ("@occurrence_count", n(1))],
    );
    sa.fails(
        14500,
        "sp_update_alert",
        &[("@name", s("a")), ("@message_id", n(9))],
    );
    sa.fails(
        14262,
        "sp_update_alert",
        &[("@name", s("b")), ("@enabled", n(0))],
    );
    sa.ok(
        "sp_update_alert",
        &[
            ("@name", s("a")),
            ("@message_id", n(50_001)),
            ("@severity", n(0)),
            ("@occurrence_count", n(0)),
        ],
    );
    assert_eq!(sa.column("sysalerts", "count_reset_date"), [n(20_261_103)]);
    sa.ok(
        "sp_update_alert",
        &[("@name", s("a")), ("@job_id", Value::Guid(Uuid::nil()))],
    );
    assert_eq!(sa.column("sysalerts", "job_id"), [Value::Guid(Uuid::nil())]);
    sa.ok(
        "sp_update_alert",
        &[("@name", s("a")), ("@job_name", s("answer"))],
    );
    sa.ok("sp_delete_job", &[("@job_name", s("answer"))]);
    assert_eq!(sa.column("sysalerts", "job_id"), [Value::Guid(Uuid::nil())]);
    sa.ok("sp_delete_alert", &[("@name", s("a"))]);
    sa.fails(14262, "sp_delete_alert", &[("@name", s("a"))]);
}

#[test]
fn notifications() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    for alert in ["a", "b"] {
        let severity = if alert == "a" { 17 } else { 18 };
        sa.ok(
            "sp_add_alert",
            &[("@name", s(alert)), ("@severity", n(severity))],
        );
    }
    sa.ok(
        "sp_add_operator",
        &[("@name", s("dba")), ("@email_address", s("a@b"))],
    );
    sa.ok("sp_add_operator", &[("@name", s("MSXOperator"))]);
    let given = |alert: &str, operator: &str, method: i32| {
        [
            ("@alert_name", s(alert)),
            ("@operator_name", s(operator)),
            ("@notification_method", n(method)),
        ]
    };
    sa.ok("sp_add_notification", &given("a", "dba", 3));
    for (number, bad) in [
        (14261, given("a", "dba", 1)),
        (14262, given("x", "dba", 1)),
        (14262, given("a", "x", 1)),
        (14266, given("b", "dba", 0)),
        (14266, given("b", "dba", 8)),
        (14251, given("b", "MSXOperator", 1)),
    ] {
        sa.fails(number, "sp_add_notification", &bad);
    }
    sa.fails(14262, "sp_update_notification", &given("b", "dba", 1));
    sa.ok("sp_update_notification", &given("a", "dba", 5));
    assert_eq!(sa.column("sysalerts", "has_notification"), [n(5), n(0)]);
    let help = |object: &str, name: &str, kind: &str, method: i32| {
        vec![
            ("@object_type", s(object)),
            ("@name", s(name)),
            ("@enum_type", s(kind)),
            ("@notification_method", n(method)),
        ]
    };
    let all = sa.ok("sp_help_notification", &help("ALERTS", "dba", "ALL", 7));
    assert_eq!(all.column("alert_name"), [s("a"), s("b")]);
    assert_eq!(all.column("use_netsend"), [n(1), n(0)]);
    assert_eq!(all.column("has_email"), [n(1), n(1)]);
    let actual = sa.ok("sp_help_notification", &help("OPERATORS", "a", "ACTUAL", 1));
    assert_eq!(actual.sets[0].0.len(), 4);
    assert_eq!(actual.column("use_email"), [n(1)]);
    for (number, bad) in [
        (14266, help("CATS", "a", "ALL", 7)),
        (14266, help("ALERTS", "dba", "SOME", 7)),
        (14266, help("ALERTS", "dba", "ALL", 3)),
        (14502, help("ALERTS", "dba", "TARGET", 7)),
        (14262, help("ALERTS", "x", "ALL", 7)),
    ] {
        sa.fails(number, "sp_help_notification", &bad);
    }
    let pair = [("@alert_name", s("a")), ("@operator_name", s("dba"))];
    sa.ok("sp_delete_notification", &pair);
    sa.fails(14262, "sp_delete_notification", &pair);
    for (number, given) in [
        (14604, vec![]),
        (14262, vec![("@name", s("x"))]),
        (14602, vec![("@name", s("MSXOperator"))]),
        (14603, vec![("@name", s("dba"))]),
    ] {
        sa.fails(number, "sp_notify_operator", &given);
    }
}
