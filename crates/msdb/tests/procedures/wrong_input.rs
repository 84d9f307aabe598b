//! Every procedure with arguments drawn at random, most of them wrong: whatever it raises, nothing has changed.

use super::support::{Answer, Fixture, Session, n, s};
use engine::host::ParamDecl;
use msdb::declare::procedures;
use tsql::{SqlType, Value};
use uuid::Uuid;

/// Calls of each procedure.
const CALLS: u64 = 6;
/// Numbers of errors that belong to the store, not to a client: 823, 2627, 547, 3701, 8115, 1205, 1222.
const OF_THE_STORE: &[i32] = &[823, 2627, 547, 3701, 8115, 1205, 1222];

/// Numbers that repeat from a seed. Source: Vigna, "An experimental exploration of Marsaglia's xorshift generators".
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        usize::try_from(drawn % u64::try_from(bound).unwrap()).unwrap()
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// One of everything, so that references may also be right.
fn populated() -> Fixture {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    fixture.member("operator", Some("SQLAgentOperatorRole"));
    fixture.target("t1");
    let mut sa = fixture.sa();
    sa.ok("sp_add_operator", &[("@name", s("MSXOperator"))]);
    sa.ok(
        "sp_add_operator",
        &[("@name", s("op")), ("@email_address", s("a@b"))],
    );
    sa.job("job", Some("(local)"));
    sa.job("fleet", Some("t1"));
    fixture.session("user").job("own", Some("(local)"));
    sa.ok(
        "sp_add_schedule",
        &[("@schedule_name", s("sched")), ("@freq_type", n(4))],
    );
    sa.ok(
        "sp_attach_schedule",
        &[("@job_name", s("job")), ("@schedule_name", s("sched"))],
    );
    sa.ok(
        "sp_add_alert",
        &[("@name", s("alert")), ("@severity", n(17))],
    );
    sa.ok(
        "sp_add_notification",
        &[
            ("@alert_name", s("alert")),
            ("@operator_name", s("op")),
            ("@notification_method", n(1)),
        ],
    );
    sa.ok("sp_add_category", &[("@name", s("cat"))]);
    sa.ok("sp_add_targetservergroup", &[("@name", s("group"))]);
    sa.administer(&engine::host::AdminStatement::CreateCredential {
        name: "cred".to_owned(),
        identity: "who".to_owned(),
        secret: None,
    });
    sa.ok(
        "sp_add_proxy",
        &[("@proxy_name", s("proxy")), ("@credential_name", s("cred"))],
    );
    fixture
}

const NUMBERS: &[i32] = &[
    -1,
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    10,
    16,
    64,
    99,
    255,
    2_000,
    20_261_103,
    99_991_231,
    235_959,
    246_060,
    i32::MAX,
    i32::MIN,
];

const WORDS: &[&str] = &[
    "",
    " ",
    "job",
    "fleet",
    "own",
    "sched",
    "alert",
    "op",
    "MSXOperator",
    "cat",
    "group",
    "proxy",
    "cred",
    "t1",
    "(local)",
    "ALL",
    "sa",
    "user",
    "nobody",
    "JOB",
    "LOCAL",
    "MULTI-SERVER",
    "TSQL",
    "CmdExec",
    "INSERT",
    "START",
    "SERVER",
    "DELETE",
    "REASSIGN",
    "APPLY",
    "REMOVE",
    "ACTUAL",
    "TARGET",
    "FULL",
    "J",
    "S",
    "TEST",
    "HKEY_LOCAL_MACHINE",
    "SOFTWARE\\Microsoft\\X\\SQLServerAgent",
    "REG_DWORD",
    "a%b",
    "a,b",
    "it's",
    "é中",
];

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other type is a text's"
)]
fn value(draw: &mut Draw, param: &ParamDecl, ids: &[Value]) -> Value {
    match param.ty {
        SqlType::UniqueIdentifier => draw.one(ids),
        SqlType::DateTime => Value::DateTime {
            days: i32::try_from(draw.below(100_000)).unwrap() - 50_000,
            ticks: 0,
        },
        SqlType::VarBinary(_) => Value::Binary(vec![1, 2]),
        SqlType::Bit => Value::Bit(draw.below(2) == 1),
        SqlType::TinyInt => Value::TinyInt(draw.one(&[0, 1, 2, 3, 4, 8, 255])),
        SqlType::Int | SqlType::SqlVariant => n(draw.one(NUMBERS)),
        _ => s(draw.one(WORDS)),
    }
}

fn drawn_call(draw: &mut Draw, session: &mut Session<'_>, name: &str, ids: &[Value]) -> Answer {
    let declared = procedures()[&name.to_ascii_lowercase()].decl.clone();
    let mut given = Vec::new();
    for param in &declared.params {
        // Required ones mostly, others rarely, so that calls get past the first check.
        let chance = if param.default.is_none() { 9 } else { 3 };
        if draw.below(10) < chance {
            let drawn = if draw.below(12) == 0 {
                Value::Null
            } else {
                value(draw, param, ids)
            };
            given.push((param.name, drawn));
        }
    }
    session.call(name, &given)
}

#[test]
fn whatever_is_raised_nothing_has_changed() {
    let mut draw = Draw(0x6d75_7374_6572);
    let mut refused = 0;
    let mut done = 0;
    for name in procedures().keys() {
        let fixture = populated();
        let mut ids = fixture.sa().column("sysjobs", "job_id");
        ids.extend(fixture.sa().column("sysschedules", "schedule_uid"));
        ids.extend([Value::Guid(Uuid::nil()), Value::Guid(Uuid::from_u128(7))]);
        let mut before = fixture.fingerprint();
        for _ in 0..CALLS {
            let login = draw.one(&["sa", "sa", "sa", "user", "operator"]);
            let mut session = fixture.session(login);
            let answer = drawn_call(&mut draw, &mut session, name, &ids);
            match &answer.result {
                Err(error) => {
                    refused += 1;
                    // Database Mail's tables have constraints of their own, which its procedures name.
                    let own = error.message.to_lowercase().contains("sysmail_");
                    assert!(
                        own || !OF_THE_STORE.contains(&error.number),
                        "{name}: {error:?}"
                    );
                    assert!(error.severity > 10, "{name}: {error:?}");
                    assert_eq!(
                        before,
                        fixture.fingerprint(),
                        "{name} by {login}: {error:?}"
                    );
                }
                Ok(code) => {
                    done += 1;
                    assert_eq!(*code, 0, "{name}");
                    before = fixture.fingerprint();
                }
            }
        }
    }
    // Both happened often enough to mean something.
    assert!(refused > 300 && done > 50, "{refused} refused, {done} done");
}
