//! Walked lists: every procedure by every role, every table by every role.

use super::support::{Fixture, TABLES};
use engine::host::{Argument, Host, ResultSink};
use msdb::declare::{Execute, procedures};
use tsql::{Column, Row, SqlError, Value};

struct Nowhere;

impl ResultSink for Nowhere {
    fn columns(&mut self, _columns: &[Column]) -> Result<(), SqlError> {
        Ok(())
    }
    fn row(&mut self, _row: Row) -> Result<(), SqlError> {
        Ok(())
    }
    fn done(&mut self, _rows: Option<u64>) -> Result<(), SqlError> {
        Ok(())
    }
    fn message(&mut self, _message: SqlError) {}
}

const ROLES: &[(&str, Option<&str>)] = &[
    ("nobody", None),
    ("user", Some("SQLAgentUserRole")),
    ("reader", Some("SQLAgentReaderRole")),
    ("operator", Some("SQLAgentOperatorRole")),
    ("target", Some("TargetServersRole")),
    ("mailer", Some("DatabaseMailUserRole")),
    ("boss", Some("db_owner")),
];

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    for (login, role) in ROLES {
        fixture.member(login, *role);
    }
    fixture
}

/// Whether a member of the role may execute, by the published matrix.
fn may(role: Option<&str>, least: Execute) -> bool {
    let rank = match role {
        Some("SQLAgentUserRole") => 1,
        Some("SQLAgentReaderRole") => 2,
        Some("SQLAgentOperatorRole") => 3,
        Some("db_owner") => return true,
        _ => 0,
    };
    match least {
        Execute::Public => true,
        Execute::User => rank >= 1,
        Execute::Reader => rank >= 2,
        Execute::Operator => rank >= 3,
        Execute::TargetServers => role == Some("TargetServersRole"),
        Execute::MailUser => role == Some("DatabaseMailUserRole"),
        Execute::Sysadmin => false,
    }
}

#[test]
fn every_procedure_by_every_role() {
    let fixture = fixture();
    let before = fixture.fingerprint();
    let mut walked = 0;
    for declared in procedures().values() {
        for (login, role) in ROLES {
            let mut session = fixture.session(login);
            // NULL for everything: who may execute gets as far as some other error.
            let mut arguments: Vec<Argument> = declared
                .decl
                .params
                .iter()
                .map(|_| Argument {
                    value: Value::Null,
                    given: false,
                })
                .collect();
            let called = session
                .host
                .call(&declared.decl, &mut arguments, &mut Nowhere);
            let denied = called.is_err_and(|error| error.number == 229);
            let name = declared.procedure.name;
            assert_eq!(
                !denied,
                may(*role, declared.procedure.execute),
                "{name} by {login}"
            );
            walked += 1;
        }
    }
    assert_eq!(walked, procedures().len() * ROLES.len());
    assert_eq!(before, fixture.fingerprint());
}

#[test]
fn every_table_by_every_role() {
    let fixture = fixture();
    // What each role reads directly, beside syscategories, which everyone reads.
    let expected = |login: &str| -> &[&str] {
        match login {
            "user" | "reader" | "operator" => &[
                "sysjobs_view",
                "sysoperators",
                "systargetservers_view",
                "sysoriginatingservers_view",
            ],
            "target" => &[
                "sysjobs_view",
                "sysjobservers",
                "systargetservers_view",
                "sysdownloadlist",
            ],
            "boss" => TABLES,
            _ => &[],
        }
    };
    for (login, _) in ROLES {
        let mut session = fixture.session(login);
        for table in TABLES {
            let allowed = *table == "syscategories" || expected(login).contains(table);
            let read = session.select(table, &[]).map(|_| ());
            assert_eq!(
                read,
                if allowed { Ok(()) } else { Err(229) },
                "{table} by {login}"
            );
        }
    }
}

#[test]
fn a_grant_opens_and_a_deny_closes() {
    use catalog::{Grant, GrantState};
    let fixture = fixture();
    let grant = |object: &str, grantee: &str, permission: &str, state| {
        Grant::on_object("msdb", ("dbo", object), grantee, permission, state)
    };
    fixture.write(|definitions| {
        definitions.set_grant(&grant(
            "sp_purge_jobhistory",
            "user",
            "EXECUTE",
            GrantState::Granted,
        ))?;
        definitions.set_grant(&grant(
            "sp_help_job",
            "SQLAgentReaderRole",
            "EXECUTE",
            GrantState::Denied,
        ))?;
        definitions.set_grant(&grant("sysjobs", "nobody", "SELECT", GrantState::Granted))
    });
    let mut user = fixture.session("user");
    user.job("own", Some("(local)"));
    let own = [("@job_name", super::support::s("own"))];
    assert_eq!(user.ok("sp_purge_jobhistory", &own).numbers(), [14226]);
    user.call("sp_purge_jobhistory", &[]).raised(14392);
    fixture
        .session("reader")
        .call("sp_help_job", &[])
        .raised(229);
    assert_eq!(
        fixture
            .session("nobody")
            .select("sysjobs", &[])
            .unwrap()
            .len(),
        1
    );
}
