//! Logins, users, roles and credentials.

use super::support::{Fixture, s};
use engine::host::{AdminStatement, GivenPassword, Host};

fn login(name: &str, password: &str) -> AdminStatement {
    AdminStatement::CreateLogin {
        name: name.to_owned(),
        password: GivenPassword {
            text: password.to_owned(),
            hashed: false,
        },
        sid: None,
        default_database: None,
    }
}

fn role(role: &str, member: &str, add: bool) -> AdminStatement {
    AdminStatement::AlterRole {
        role: role.to_owned(),
        member: member.to_owned(),
        add,
    }
}

#[test]
fn statements_check_and_act() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let user = AdminStatement::CreateUser {
        name: "ann".to_owned(),
        login: Some("ann".to_owned()),
        default_schema: None,
    };
    let secret = "Correct horse 1";
    for (expected, statement) in [
        (Some(15118), login("ann", "")),
        (Some(15118), login("ann", "ANN")),
        (Some(15025), login("SA", secret)),
        (Some(15007), user.clone()),
        (None, login("ann", secret)),
        (Some(15025), login("Ann", secret)),
        (Some(15151), role("SQLAgentUserRole", "ann", true)),
        (None, user.clone()),
        (Some(15023), user),
        (Some(15151), role("NoSuchRole", "ann", true)),
        (None, role("sqlagentuserrole", "ANN", true)),
        (None, role("SQLAgentUserRole", "ann", true)),
        (Some(15405), role("SQLAgentUserRole", "dbo", true)),
        (
            Some(15151),
            AdminStatement::AlterServerRole {
                role: "chief".to_owned(),
                member: "ann".to_owned(),
                add: true,
            },
        ),
        (
            Some(15174),
            AdminStatement::DropLogin {
                name: "sa".to_owned(),
            },
        ),
        (
            Some(15151),
            AdminStatement::DropCredential {
                name: "none".to_owned(),
            },
        ),
    ] {
        let done = sa.host.administer("msdb", &statement);
        assert_eq!(
            done.err().map(|error| error.number),
            expected,
            "{statement:?}"
        );
    }
    assert_eq!(
        sa.host
            .is_role_member("msdb", "SQLAgentUserRole", Some("ann")),
        Some(true)
    );
    assert_eq!(sa.host.is_role_member("msdb", "NoSuchRole", None), None);
    assert_eq!(sa.host.is_server_role_member("sysadmin", None), Some(true));
    assert_eq!(
        sa.host.is_server_role_member("sysadmin", Some("ann")),
        Some(false)
    );

    let mut ann = fixture.session("ann");
    ann.job("hers", None);
    assert_eq!(
        ann.host
            .administer("msdb", &login("bob", secret))
            .unwrap_err()
            .number,
        15247
    );
    let own_password = AdminStatement::AlterLogin {
        name: "ann".to_owned(),
        password: Some(GivenPassword {
            text: "Other words 2".to_owned(),
            hashed: false,
        }),
        old_password: None,
        enabled: None,
        rename: None,
        default_database: None,
    };
    // Without the old password nobody but sysadmin changes one.
    let refused = ann.host.administer("msdb", &own_password);
    assert_eq!(refused.unwrap_err().number, 15151);
    sa.administer(&own_password);
    let drop = AdminStatement::DropLogin {
        name: "ann".to_owned(),
    };
    assert_eq!(sa.host.administer("msdb", &drop).unwrap_err().number, 15170);
    sa.ok(
        "sp_addsrvrolemember",
        &[("@loginame", s("ann")), ("@rolename", s("sysadmin"))],
    );
    assert!(
        ann.host.principal().sysadmin,
        "at once, in the open session"
    );
    sa.ok(
        "sp_dropsrvrolemember",
        &[("@loginame", s("ann")), ("@rolename", s("sysadmin"))],
    );
    sa.ok(
        "sp_droprolemember",
        &[
            ("@rolename", s("SQLAgentUserRole")),
            ("@membername", s("ann")),
        ],
    );
    ann.call("sp_help_job", &[]).raised(229);
}

#[test]
fn secrets_are_stored_sealed_and_hashed() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.administer(&login("ann", "Correct horse 1"));
    sa.administer(&AdminStatement::CreateCredential {
        name: "c".to_owned(),
        identity: "ann".to_owned(),
        secret: Some("abc".to_owned()),
    });
    let (hash, sealed, audit) = fixture
        .catalog
        .definitions_read(|definitions| {
            let hash = definitions.login("ann")?.unwrap().password_hash;
            let sealed = definitions.credential_by_name("c")?.unwrap().sealed_secret;
            Ok::<_, catalog::CatalogError>((hash, sealed, definitions.audit_rows(0, 100)?))
        })
        .unwrap();
    assert_eq!(hash.as_deref(), Some("hash of 15 characters"));
    assert_eq!(sealed.as_deref(), Some(&b"cba"[..]));
    let actions: Vec<&str> = audit.iter().map(|row| row.entry.action.as_str()).collect();
    assert_eq!(actions, ["CREATE LOGIN", "CREATE CREDENTIAL"]);
    let told = format!("{audit:?}");
    assert!(!told.contains("horse") && !told.contains("abc"), "{told}");
}
