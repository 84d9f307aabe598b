//! Proxies, their grants, and steps that run under them.

use super::support::{Fixture, n, s};
use engine::host::AdminStatement;
use tsql::Value;

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.member("user", Some("SQLAgentUserRole"));
    let mut sa = fixture.sa();
    sa.administer(&AdminStatement::CreateCredential {
        name: "cred".to_owned(),
        identity: "svc".to_owned(),
        secret: None,
    });
    sa.ok(
        "sp_add_proxy",
        &[("@proxy_name", s("shell")), ("@credential_name", s("cred"))],
    );
    drop(sa);
    fixture
}

#[test]
fn proxies_are_made_changed_and_deleted() {
    let fixture = fixture();
    let mut sa = fixture.sa();
    for (number, given) in [
        (14524, vec![("@proxy_name", s("x"))]),
        (
            14262,
            vec![("@proxy_name", s("x")), ("@credential_name", s("none"))],
        ),
        (
            14262,
            vec![("@proxy_name", s("x")), ("@credential_id", n(99))],
        ),
        (
            14261,
            vec![("@proxy_name", s("SHELL")), ("@credential_name", s("cred"))],
        ),
        (
            14266,
            vec![("@credential_name", s("cred")), ("@enabled", n(2))],
        ),
    ] {
        sa.fails(number, "sp_add_proxy", &given);
    }
    let named = sa.ok("sp_add_proxy", &[("@credential_name", s("cred"))]);
    assert_eq!(sa.column("sysproxies", "name"), [s("shell"), s("svc")]);
    let id = ("@proxy_id", named.values["@proxy_id"].clone());
    sa.fails(
        14605,
        "sp_delete_proxy",
        &[id.clone(), ("@proxy_name", s("shell"))],
    );
    sa.ok(
        "sp_update_proxy",
        &[id.clone(), ("@new_name", s("other")), ("@enabled", n(0))],
    );
    sa.fails(
        14261,
        "sp_update_proxy",
        &[id.clone(), ("@new_name", s("shell"))],
    );
    sa.fails(14262, "sp_update_proxy", &[("@proxy_name", s("svc"))]);
    sa.ok("sp_delete_proxy", &[id]);
    sa.fails(14524, "sp_delete_proxy", &[]);
    let step = [
        ("@job_name", s("job")),
        ("@step_name", s("sh")),
        ("@subsystem", s("CmdExec")),
        ("@proxy_name", s("shell")),
    ];
    sa.ok("sp_add_job", &[("@job_name", s("job"))]);
    sa.fails(14516, "sp_add_jobstep", &step);
    sa.ok(
        "sp_grant_proxy_to_subsystem",
        &[
            ("@proxy_name", s("shell")),
            ("@subsystem_name", s("CmdExec")),
        ],
    );
    sa.ok("sp_add_jobstep", &step);
    sa.fails(14518, "sp_delete_proxy", &[("@proxy_name", s("shell"))]);
    assert_eq!(
        sa.column("sysjobsteps", "proxy_id"),
        sa.column("sysproxies", "proxy_id")
    );
    sa.fails(
        14517,
        "sp_update_jobstep",
        &[
            ("@job_name", s("job")),
            ("@step_id", n(1)),
            ("@subsystem", s("TSQL")),
        ],
    );
}

#[test]
fn grants_decide_who_uses_a_proxy_for_what() {
    let fixture = fixture();
    let mut sa = fixture.sa();
    let shell = ("@proxy_name", s("shell"));
    let to = |subsystem: &str| [shell.clone(), ("@subsystem_name", s(subsystem))];
    sa.fails(14530, "sp_grant_proxy_to_subsystem", &to("TSQL"));
    sa.fails(14262, "sp_grant_proxy_to_subsystem", &to("COBOL"));
    sa.fails(14600, "sp_revoke_proxy_from_subsystem", &to("CmdExec"));
    sa.ok("sp_grant_proxy_to_subsystem", &to("CmdExec"));
    sa.fails(
        14531,
        "sp_grant_proxy_to_subsystem",
        &[shell.clone(), ("@subsystem_id", n(3))],
    );
    let listed = sa.ok("sp_enum_proxy_for_subsystem", &[]);
    assert_eq!(listed.column("subsystem_name"), [s("CmdExec")]);

    let login = |name: &str| [shell.clone(), ("@login_name", s(name))];
    for (number, given) in [
        (14519, vec![shell.clone()]),
        (
            14519,
            vec![
                shell.clone(),
                ("@login_name", s("user")),
                ("@msdb_role", s("x")),
            ],
        ),
        (14520, login("nobody").to_vec()),
        (
            14521,
            vec![shell.clone(), ("@fixed_server_role", s("chief"))],
        ),
        (14522, vec![shell.clone(), ("@msdb_role", s("chief"))]),
        (14395, login("sa").to_vec()),
    ] {
        sa.fails(number, "sp_grant_login_to_proxy", &given);
    }
    let usable = [("@name", s("user")), ("@subsystem_name", s("CmdExec"))];
    assert_eq!(sa.ok("sp_help_proxy", &usable).sets[0].1.len(), 0);
    sa.fails(14532, "sp_help_proxy", &usable[..1]);
    fixture
        .session("user")
        .ok("sp_add_job", &[("@job_name", s("mine"))]);
    let step = [
        ("@job_name", s("mine")),
        ("@step_name", s("sh")),
        ("@subsystem", s("CmdExec")),
        shell.clone(),
    ];
    fixture
        .session("user")
        .fails(14516, "sp_add_jobstep", &step);
    sa.ok(
        "sp_grant_login_to_proxy",
        &[shell.clone(), ("@msdb_role", s("SQLAgentUserRole"))],
    );
    sa.fails(
        14531,
        "sp_grant_login_to_proxy",
        &[shell.clone(), ("@msdb_role", s("sqlagentuserrole"))],
    );
    fixture.session("user").ok("sp_add_jobstep", &step);
    assert_eq!(sa.ok("sp_help_proxy", &usable).column("name"), [s("shell")]);
    let grants = sa.ok("sp_enum_login_for_proxy", &[]);
    assert_eq!(grants.column("flags"), [n(2)]);
    assert!(matches!(grants.column("principal_id")[0], Value::Int(id) if id > 16_384));
    let revoke = [shell.clone(), ("@name", s("SQLAgentUserRole"))];
    sa.ok("sp_revoke_login_from_proxy", &revoke);
    sa.fails(14523, "sp_revoke_login_from_proxy", &revoke);
    sa.ok("sp_revoke_proxy_from_subsystem", &to("CmdExec"));
    let known = sa.ok("sp_enum_sqlagent_subsystems", &[]);
    assert_eq!(known.column("subsystem").len(), 12);
    assert_eq!(known.column("description")[0], s("Transact-SQL subsystem"));
}
