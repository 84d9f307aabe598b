//! sp_msx_enlist, sp_msx_defect, the account, and what a target may not do.

use super::support::{Fixture, NOW, n, s};
use catalog::EnlistmentRow;
use engine::host::{AdminStatement, Host};
use model::{Enlistment, Generation, InstanceId, JobDocument};
use msdb::services::RemoteError;
use uuid::Uuid;

fn enlisted(fixture: &Fixture) {
    fixture.write(|definitions| {
        definitions.set_enlistment(&EnlistmentRow {
            enlistment: Enlistment {
                master_name: "HQ".to_owned(),
                master_address: "hq,1433".to_owned(),
                master_id: InstanceId(Uuid::from_u128(77)),
                generation: Generation(1),
                enlisted: NOW.parse().unwrap(),
                poll_interval_secs: 60,
            },
            location: None,
            encryption: 2,
            pinned_ca_pem: String::new(),
            certificate_pem: String::new(),
            certificate_expires: None,
            sealed_key: Vec::new(),
        })
    });
}

/// A job of the master, as its document brings it.
fn downloaded(fixture: &Fixture, name: &str) {
    let mut sa = fixture.sa();
    sa.job(name, Some("(local)"));
    sa.ok(
        "sp_add_jobschedule",
        &[
            ("@job_name", s(name)),
            ("@name", s("daily")),
            ("@freq_type", n(4)),
            ("@freq_interval", n(1)),
        ],
    );
    let mut document: JobDocument = fixture
        .catalog
        .definitions_read(|definitions| {
            let job = definitions.jobs_by_name(name)?.remove(0);
            definitions.job_document(job.id)
        })
        .unwrap()
        .unwrap();
    sa.ok("sp_delete_job", &[("@job_name", s(name))]);
    document.job.originating_server = Some("HQ".to_owned());
    for schedule in &mut document.schedules {
        schedule.originating_server = Some("HQ".to_owned());
    }
    fixture.write(|definitions| definitions.apply_job(&document));
}

#[test]
fn enlist_hands_over_what_was_set() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    sa.administer(&AdminStatement::CreateCredential {
        name: "msx".to_owned(),
        identity: "t1login".to_owned(),
        secret: Some("secret".to_owned()),
    });
    assert_eq!(sa.ok("sp_msx_get_account", &[]).sets[0].1.len(), 0);
    sa.fails(14262, "sp_msx_set_account", &[("@credential_name", s("x"))]);
    sa.fails(14262, "sp_msx_set_account", &[("@credential_id", n(99))]);
    sa.ok("sp_msx_set_account", &[("@credential_name", s("MSX"))]);
    let account = sa.ok("sp_msx_get_account", &[]);
    assert_eq!(account.column("msx_login_name"), [s("t1login")]);
    assert_eq!(account.column("msx_credential_name"), [s("msx")]);

    let answer = sa.ok(
        "sp_msx_enlist",
        &[("@msx_server_name", s("hq,1433")), ("@location", s("here"))],
    );
    assert_eq!(answer.numbers(), [14229]);
    let acts = fixture.fake.acts.lock().unwrap().join("\n");
    assert!(acts.contains("master: \"hq,1433\""), "{acts}");
    assert!(acts.contains("credential: Some(\"msx\")"), "{acts}");
    drop(sa.ok("sp_msx_set_account", &[]));
    assert_eq!(sa.ok("sp_msx_get_account", &[]).sets[0].1.len(), 0);
}

#[test]
fn enlist_refuses() {
    let fixture = Fixture::new();
    let mut sa = fixture.sa();
    let to = |master: &str| [("@msx_server_name", s(master))];
    sa.fails(14200, "sp_msx_enlist", &to(""));
    sa.fails(14297, "sp_msx_enlist", &to("MASTER"));
    sa.fails(22026, "sp_msx_enlist", &to("host\\blue"));
    *fixture.fake.remote.lock().unwrap() = Some(RemoteError::Refused {
        number: 14363,
        text: "not ready".to_owned(),
    });
    sa.fails(14363, "sp_msx_enlist", &to("hq,1433"));
    *fixture.fake.remote.lock().unwrap() = Some(RemoteError::Failed {
        cause: "no route".to_owned(),
    });
    sa.fails(22026, "sp_msx_enlist", &to("hq,1433"));
    fixture.target("t1");
    sa.fails(14299, "sp_msx_enlist", &to("hq,1433"));
    sa.fails(14298, "sp_msx_defect", &[]);
}

#[test]
fn a_forced_defection_says_what_is_left_to_do() {
    let fixture = Fixture::new();
    enlisted(&fixture);
    let mut sa = fixture.sa();
    assert_eq!(sa.ok("sp_msx_defect", &[]).numbers(), [14227]);
    let forced = sa.ok("sp_msx_defect", &[("@forced_defection", n(1))]);
    assert_eq!(forced.numbers(), [14227, 14217]);
}

#[test]
fn downloaded_jobs_are_the_masters() {
    let fixture = Fixture::new();
    fixture.member("operator", Some("SQLAgentOperatorRole"));
    downloaded(&fixture, "theirs");
    enlisted(&fixture);
    let mut sa = fixture.sa();
    let job = ("@job_name", s("theirs"));
    for (procedure, more) in [
        ("sp_update_job", vec![("@enabled", n(0))]),
        ("sp_delete_job", vec![]),
        ("sp_add_jobstep", vec![("@step_name", s("x"))]),
        ("sp_update_jobstep", vec![("@step_id", n(1))]),
        ("sp_delete_jobstep", vec![("@step_id", n(1))]),
        (
            "sp_add_jobschedule",
            vec![("@name", s("x")), ("@freq_type", n(4))],
        ),
        ("sp_detach_schedule", vec![("@schedule_name", s("daily"))]),
        ("sp_add_jobserver", vec![]),
        ("sp_delete_jobserver", vec![("@server_name", s("(local)"))]),
    ] {
        let mut given = vec![job.clone()];
        given.extend(more);
        sa.fails(14274, procedure, &given);
    }
    sa.fails(
        14274,
        "sp_update_schedule",
        &[("@name", s("daily")), ("@enabled", n(0))],
    );
    sa.fails(
        14274,
        "sp_delete_schedule",
        &[("@schedule_name", s("daily")), ("@force_delete", n(1))],
    );
    sa.fails(14274, "sp_delete_job", &[("@originating_server", s("HQ"))]);
    sa.fails(
        14274,
        "sp_add_job",
        &[("@job_name", s("x")), ("@originating_server", s("hq"))],
    );

    // Starting and stopping here is allowed, for sysadmin.
    fixture
        .session("operator")
        .fails(14397, "sp_start_job", std::slice::from_ref(&job));
    assert_eq!(
        sa.ok("sp_start_job", std::slice::from_ref(&job)).numbers(),
        [14243]
    );
    let stopped = sa.ok("sp_stop_job", &[("@originating_server", s("HQ"))]);
    assert_eq!(
        stopped.messages[0].message,
        "0 of 0 jobs stopped successfully."
    );
    sa.fails(14268, "sp_stop_job", &[("@originating_server", s("other"))]);

    // A local job of the same name may live beside it; then the name is not enough.
    sa.ok("sp_add_job", std::slice::from_ref(&job));
    sa.fails(14293, "sp_update_job", &[job, ("@enabled", n(0))]);
    let origins = sa.column("sysjobs_view", "originating_server");
    assert!(origins.contains(&s("HQ")) && origins.contains(&s("MASTER")));
    assert_eq!(sa.host.principal().login, "sa");
}
