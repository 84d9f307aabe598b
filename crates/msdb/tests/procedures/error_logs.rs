//! The error logs, and the two procedures that fail for want of Windows and of mail.

use super::support::{Fixture, NOW, n, s};
use jiff::{SignedDuration, Timestamp};
use msdb::error_log::{LogEntry, LogSeverity};
use tsql::Value;

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let start: Timestamp = NOW.parse().unwrap();
    let entries = [
        (LogSeverity::Information, "Agent starts"),
        (LogSeverity::Warning, "job 'a' refused"),
        (LogSeverity::Error, "job 'b' failed"),
    ];
    *fixture.fake.log.lock().unwrap() = entries
        .into_iter()
        .zip(0..)
        .map(|((severity, text), hours)| LogEntry {
            at: start + SignedDuration::from_hours(hours),
            severity,
            source: "agent".to_owned(),
            text: text.to_owned(),
        })
        .collect();
    fixture
}

#[test]
fn the_agents_log_is_read_with_every_filter() {
    let fixture = fixture();
    let mut sa = fixture.sa();
    // 13:00 on 3 November 2026.
    let one = Value::DateTime {
        days: 46_327,
        ticks: 13 * 3_600 * 300,
    };
    type Case<'a> = (&'a [(&'a str, Value)], &'a [i32]);
    let cases: &[Case<'_>] = &[
        (&[], &[3, 2, 1]),
        (&[("@p7", s("DESC"))], &[1, 2, 3]),
        (&[("@p3", s("JOB"))], &[2, 1]),
        (&[("@p3", s("job")), ("@p4", s("fail"))], &[1]),
        (&[("@p3", s("")), ("@p4", Value::Null)], &[3, 2, 1]),
        (&[("@p5", one.clone())], &[2, 1]),
        (&[("@p6", one.clone())], &[3, 2]),
        (&[("@p5", one.clone()), ("@p6", one)], &[2]),
        (&[("@p1", n(1))], &[]),
    ];
    for (filters, levels) in cases {
        for name in ["xp_readerrorlog", "sp_readerrorlog"] {
            let mut given = vec![("@p2", n(2))];
            given.extend_from_slice(filters);
            let answer = sa.call(name, &given).ok();
            let columns: Vec<&str> = answer.sets[0].0.iter().map(|c| c.name.as_str()).collect();
            assert_eq!(columns, ["LogDate", "ErrorLevel", "Text"]);
            let expected: Vec<Value> = levels.iter().map(|level| n(*level)).collect();
            assert_eq!(answer.column("ErrorLevel"), expected, "{name} {filters:?}");
        }
    }
    let server = sa.call("xp_readerrorlog", &[("@p2", Value::Null)]).ok();
    assert_eq!(server.sets[0].0[1].name, "ProcessInfo");
}

#[test]
fn bad_arguments_of_the_logs() {
    let fixture = fixture();
    let mut sa = fixture.sa();
    for (name, given, number) in [
        ("xp_readerrorlog", [("@p1", n(-1))], 14266),
        ("xp_readerrorlog", [("@p1", n(10))], 22004),
        ("xp_readerrorlog", [("@p2", n(3))], 14266),
        ("xp_readerrorlog", [("@p7", s("up"))], 14266),
        ("xp_enumerrorlogs", [("@p1", n(0))], 14266),
        ("xp_logininfo", [("@acctname", s("CORP\\dba"))], 15404),
    ] {
        sa.call(name, &given).raised(number);
    }
    let accounts = sa.call("xp_logininfo", &[]).ok();
    assert!(accounts.sets[0].1.is_empty());
}

#[test]
fn logs_are_listed_and_closed() {
    let fixture = fixture();
    let mut sa = fixture.sa();
    let files = sa.call("xp_enumerrorlogs", &[("@p1", n(2))]).ok();
    assert_eq!(files.sets[0].1, [[n(0), s("11/03/2026  12:00"), n(4_096)]]);
    sa.call("sp_cycle_agent_errorlog", &[]).ok();
    sa.call("sp_cycle_errorlog", &[]).ok();
    sa.call("sp_sqlagent_notify", &[("@op_type", s("L"))]).ok();
    assert_eq!(
        *fixture.fake.acts.lock().unwrap(),
        ["cycle Agent", "cycle Server", "cycle Agent"]
    );
}

#[test]
fn mail_without_a_mail_system_says_so() {
    let fixture = fixture();
    let before = fixture.fingerprint();
    let mut sa = fixture.sa();
    let to = ("@recipients", s("dba@example.com"));
    for (given, number) in [
        (vec![], 14618),
        (vec![("@recipients", s(" "))], 14618),
        (vec![to.clone(), ("@body_format", s("RTF"))], 14266),
        (vec![to.clone(), ("@importance", s("ASAP"))], 14266),
        (vec![to.clone(), ("@sensitivity", s("none"))], 14266),
        (vec![to.clone(), ("@body_format", s("html"))], 14636),
        (vec![to, ("@profile_name", s("p"))], 14607),
    ] {
        sa.call("sp_send_dbmail", &given).raised(number);
    }
    assert_eq!(before, fixture.fingerprint());
}
