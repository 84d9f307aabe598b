//! xp_instance_regread and xp_instance_regwrite on the Agent's key.

use super::support::{Answer, Fixture, n, s};
use tsql::Value;

const KEY: &str = r"SOFTWARE\Microsoft\MSSQLServer\SQLServerAgent";

fn at(name: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("@rootkey", s("HKEY_LOCAL_MACHINE")),
        ("@key", s(KEY)),
        ("@value_name", s(name)),
    ]
}

fn with(name: &str, more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let mut given = at(name);
    given.extend_from_slice(more);
    given
}

#[test]
fn values_are_written_checked_and_read() {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    let read = |name: &str| -> Answer {
        fixture.session("user").ok(
            "xp_instance_regread",
            &with(name, &[("@value", Value::Null)]),
        )
    };
    assert_eq!(
        read("MsxEncryptChannelOptions").values["@value"],
        n(2),
        "the default"
    );
    let mut sa = fixture.sa();
    let dword = ("@type", s("REG_DWORD"));
    sa.ok(
        "xp_instance_regwrite",
        &with(
            "MsxEncryptChannelOptions",
            &[dword.clone(), ("@value", n(1))],
        ),
    );
    assert_eq!(read("msxencryptchanneloptions").values["@value"], n(1));
    sa.ok(
        "xp_regwrite",
        &with(
            "AlertForwardingServer",
            &[("@type", s("REG_SZ")), ("@value", s("HQ"))],
        ),
    );
    let row = fixture
        .session("user")
        .ok("xp_regread", &at("AlertForwardingServer"));
    assert_eq!(row.sets[0].1, [[s("AlertForwardingServer"), s("HQ")]]);
    for given in [
        with(
            "MsxEncryptChannelOptions",
            &[dword.clone(), ("@value", n(3))],
        ),
        with(
            "MsxEncryptChannelOptions",
            &[("@type", s("REG_SZ")), ("@value", s("1"))],
        ),
        with("x", &[("@type", s("REG_ODD")), ("@value", n(1))]),
    ] {
        sa.fails(14266, "xp_instance_regwrite", &given);
    }
    let nothing = read("Nothing");
    assert_eq!(nothing.values["@value"], Value::Null);
    assert_eq!(nothing.numbers(), [22001]);
    let mut elsewhere = at("x");
    elsewhere[1].1 = s("SOFTWARE\\Other");
    elsewhere.extend([dword.clone(), ("@value", n(1))]);
    sa.fails(22001, "xp_instance_regwrite", &elsewhere);
    sa.ok(
        "xp_instance_regdeletevalue",
        &at("MsxEncryptChannelOptions"),
    );
    assert_eq!(read("MsxEncryptChannelOptions").values["@value"], n(2));
    fixture.session("user").fails(
        229,
        "xp_instance_regwrite",
        &with("x", &[dword, ("@value", n(1))]),
    );
    assert!(
        fixture
            .fake
            .acts
            .lock()
            .unwrap()
            .contains(&"settings".to_owned())
    );
}

#[test]
fn limits_of_history_work_when_written() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let mut write = |name: &str, rows: i32| {
        let given = [("@type", s("REG_DWORD")), ("@value", n(rows))];
        sa.ok("xp_instance_regwrite", &with(name, &given));
        let limits = fixture.catalog.history_limits();
        (limits.rows_max, limits.rows_per_job_and_target)
    };
    assert_eq!(write("JobHistoryMaxRows", 700).0, Some(700));
    assert_eq!(write("jobhistorymaxrowsperjob", 60), (Some(700), Some(60)));
    assert_eq!(write("JobHistoryMaxRows", -1), (None, Some(60)));
    sa.ok("xp_instance_regdeletevalue", &at("JobHistoryMaxRows"));
    let limits = fixture.catalog.history_limits();
    assert_eq!(
        limits.rows_max,
        catalog::HistoryLimits::default().rows_max,
        "the default"
    );
    for (name, bad) in [("JobHistoryMaxRows", -2), ("JobHistoryMaxRowsPerJob", -1)] {
        let given = [("@type", s("REG_DWORD")), ("@value", n(bad))];
        sa.fails(14266, "xp_instance_regwrite", &with(name, &given));
    }
    assert_eq!(fixture.catalog.history_limits(), limits);
}
