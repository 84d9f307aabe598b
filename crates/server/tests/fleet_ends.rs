//! A master's end and targets' ends over real TLS sockets, each with a catalog of its own; only the agent
//! is a stand-in. Jobs are made through the catalog, as the procedures do.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests, with a harness of their own"
)]

#[path = "fleet_ends/harness.rs"]
mod harness;

use fleet::message::{EnlistRequest, Proof, TargetFacts};
use harness::{Fleet, Outcome, Target, eventually, now};
use model::{InstanceId, Operation};
use server::enlist::apply::EnlistError;
use server::identity::Authority;
use server::identity::authority::new_target_request;
use server::identity::token::EnlistToken;
use std::time::Duration;
use uuid::Uuid;

#[test]
fn a_job_goes_out_runs_and_comes_back() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    let job = master.job("backup", |_| {});
    master.target_job(job, &target);
    eventually("the job is there", || target.has_job(job));

    master.rename_job(job, "backup2");
    master.post(&target, Operation::Update, job);
    eventually("the new name", || {
        target.job(job).is_some_and(|job| job.name == "backup2")
    });

    let run = master.start(&target, job);
    eventually("the outcome", || master.outcomes(run) == 1);
    assert_eq!(master.rows(run), 2, "the step and the outcome");

    // A refused STOP is a result, not a block.
    let stop = master.post(&target, Operation::Stop, job);
    eventually("the refusal", || {
        master.error_of(&target, stop).as_deref() == Some("The job is not running.")
    });
    let second = master.start(&target, job);
    eventually("another outcome", || master.outcomes(second) == 1);

    master.post(&target, Operation::Delete, job);
    eventually("the job is gone", || !target.has_job(job));

    master.post_to_server(&target, Operation::Defect);
    eventually("left", || !target.is_enlisted() && master.targets() == 0);
    assert!(target.operators().is_empty(), "MSXOperator went too");
    eventually("hung up", || master.end.connected() == 0);
}

#[test]
fn the_addresses_that_a_master_tells_outlive_the_target_s_process() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    eventually("the addresses to be kept", || {
        target.told_addresses() == [master.address.clone()]
    });
    // Those of one enlistment say nothing about another's master.
    let other = fleet.master("OTHER");
    target.membership.defect(false).unwrap();
    target.enlist(&other).unwrap();
    eventually("the other master's", || {
        target.told_addresses() == [other.address.clone()]
    });
}

#[test]
fn a_failed_definition_blocks_until_it_is_taken_away() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    let good = master.job("good", |_| {});
    let bad = master.job("bad", |step| step.proxy_name = Some("nobody".to_owned()));
    let failed = master.target_job(bad, &target);
    master.target_job(good, &target);
    let run = master.start(&target, good);
    eventually("the reason", || {
        master
            .error_of(&target, failed)
            .is_some_and(|text| text.contains("proxy"))
    });
    // A connection of its own does not get past it either.
    fleet.cut(&master);
    eventually("connected again", || master.end.connected() == 1);
    assert!(!target.has_job(good));

    master.delete_instruction(&target, failed);
    eventually("what came after it", || {
        target.has_job(good) && master.outcomes(run) == 1
    });
    assert!(!target.has_job(bad));
}

#[test]
fn cuts_lose_and_double_nothing() {
    const RUNS: usize = 60;
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    let job = master.job("often", |step| {
        step.command = Some("x".repeat(200_000));
    });
    master.target_job(job, &target);
    let mut runs = Vec::new();
    for n in 0..RUNS {
        runs.push(master.start(&target, job));
        if n % 4 == 0 {
            // A definition of some size is under way when the connection breaks.
            master.post(&target, Operation::Insert, job);
            let reached = runs[n / 2];
            fleet.cut(&master);
            target.membership.force_poll();
            eventually("some progress", || master.outcomes(reached) == 1);
        }
    }
    eventually("every outcome", || {
        runs.iter().all(|&run| master.outcomes(run) == 1)
    });
    for run in runs {
        assert_eq!(master.rows(run), 2);
        assert_eq!(target.agent.starts_of(run), 1, "started once");
    }
}

#[test]
fn a_target_that_enlists_again_is_given_everything_afresh() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    let job = master.job("backup", |_| {});
    master.target_job(job, &target);
    eventually("the job is there", || target.has_job(job));
    let before = target.generation();

    let again = target.enlist(&master).unwrap();
    assert!(again.renewed);
    assert!(target.generation() > before);
    let run = master.start(&target, job);
    // The queue may be posted afresh while the START is posted; it comes before or after.
    let later = master.post(&target, Operation::Insert, job);
    eventually("the queue goes on", || {
        master.acknowledged(&target) >= later || master.outcomes(run) == 1
    });
    eventually("the job is there again", || target.has_job(job));

    // Forced: the master learns nothing, and takes the same instance again.
    target.membership.defect(true).unwrap();
    assert!(!target.is_enlisted() && !target.has_job(job));
    assert_eq!(master.targets(), 1);
    target.enlist(&master).unwrap();
    eventually("the job came back", || target.has_job(job));

    // In order: both sides know.
    let left = target.membership.defect(false).unwrap();
    assert_eq!((left.jobs_deleted, master.targets()), (1, 0));
    target.enlist(&master).unwrap();
    eventually("connected", || master.end.connected() == 1);
}

#[test]
fn an_older_copy_of_a_target_gets_nothing_and_disturbs_nobody() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    eventually("connected", || master.end.connected() == 1);
    let copy = fleet.copy_of(&target, &master);
    target.enlist(&master).unwrap();
    copy.membership.restart();
    eventually("both are connected", || master.end.connected() == 2);
    let job = master.job("backup", |_| {});
    master.target_job(job, &target);
    eventually("the job is there", || target.has_job(job));
    let run = master.start(&target, job);
    eventually("the outcome", || master.outcomes(run) == 1);
    assert_eq!(master.end.connected(), 2);
    assert!(!copy.has_job(job));
    // What the copy says of leaving concerns its own enlistment alone.
    copy.membership.defect(false).unwrap();
    assert_eq!(master.targets(), 1);
    assert!(target.is_enlisted());
}

#[test]
fn a_newer_connection_takes_the_place_of_the_older() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    eventually("connected", || master.end.connected() == 1);
    let before = fleet.connections(&master);
    // The same enlistment from two places: each ends the other, and one is served at a time.
    let twin = fleet.copy_of(&target, &master);
    twin.membership.restart();
    eventually("they took turns", || {
        assert!(master.end.connected() <= 1);
        fleet.connections(&master) > before + 2
    });
    target.membership.stop();
    let job = master.job("backup", |_| {});
    master.target_job(job, &target);
    eventually("the job is there", || twin.has_job(job));
    assert!(!target.has_job(job));
}

#[test]
fn a_target_that_was_deleted_is_told() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    let job = master.job("backup", |_| {});
    master.target_job(job, &target);
    eventually("the job is there", || target.has_job(job));
    master.delete_target(&target);
    eventually("told", || !target.is_enlisted() && !target.has_job(job));

    // Who was not connected is refused, and gets nothing.
    let late = fleet.target("TARGET2", &master);
    late.enlist(&master).unwrap();
    eventually("connected", || master.end.connected() == 1);
    late.membership.stop();
    eventually("gone", || master.end.connected() == 0);
    master.delete_target(&late);
    let before = fleet.connections(&master);
    late.membership.restart();
    eventually("it tried", || fleet.connections(&master) > before);
    assert_eq!(master.end.connected(), 0);
}

#[test]
fn who_may_not_enlist_learns_why() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    let number = |outcome: Outcome| match outcome {
        Err(EnlistError::Refused(refusal)) => refusal.number,
        Err(error) => panic!("{error}"),
        Ok(_) => 0,
    };
    let cause = |outcome: Outcome| match outcome {
        Err(error) => error.to_string(),
        Ok(_) => "enlisted".to_owned(),
    };

    let token = master.token(Duration::from_secs(600));
    let mut forged = EnlistToken::parse(&token).unwrap();
    forged.secret[0] ^= 1;
    assert!(cause(target.enlist_with(&master.address, &forged.text())).contains("not valid"));
    let expired = master.token(Duration::ZERO);
    assert!(cause(target.enlist_with(&master.address, &expired)).contains("not valid"));

    // Certificates: another authority than the token's, no authority at all, and another name.
    let stranger = fleet.master("STRANGER");
    let theirs = stranger.token(Duration::from_secs(600));
    assert!(cause(target.enlist_with(&master.address, &theirs)).contains("UnknownIssuer"));
    assert!(cause(target.enlist_unpinned(&master, &token)).contains("UnknownIssuer"));
    let elsewhere = master.address.replace("127.0.0.1", "127.0.0.2");
    assert!(cause(target.enlist_with(&elsewhere, &token)).contains("not valid for name"));
    assert!(!target.is_enlisted());

    assert_eq!(number(target.enlist_with(&master.address, &token)), 0);
    let second = fleet.target("TARGET2", &master);
    assert!(
        cause(second.enlist_with(&master.address, &token)).contains("not valid"),
        "one use"
    );
    assert_eq!(
        number(target.enlist(&stranger)),
        fleet::numbers::ENLISTED_ELSEWHERE
    );
    let namesake = fleet.target("target1", &master);
    assert_eq!(number(namesake.enlist(&master)), fleet::numbers::NAME_TAKEN);
    assert_eq!(
        number(master.as_target(&fleet).enlist(&stranger)),
        fleet::numbers::IS_A_MASTER,
        "it has targets"
    );
    assert_eq!(
        number(stranger.as_target(&fleet).enlist(&stranger)),
        fleet::numbers::SELF_ENLIST
    );

    // A target of a newer version.
    let mut request = request(&target, &master.token(Duration::from_secs(600))).0;
    request.version = 99;
    assert_eq!(
        fleet.ask(&master, &request).unwrap_err().number,
        fleet::numbers::MASTER_TOO_OLD
    );
}

#[test]
fn a_lost_answer_does_not_cost_the_token() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    let token = master.token(Duration::from_secs(600));
    let (request, _key) = request(&target, &token);
    let first = fleet.ask(&master, &request).unwrap();
    let again = fleet.ask(&master, &request).unwrap();
    assert!(again.generation > first.generation && again.moved);
    assert_eq!(master.targets(), 1);

    let other_key = EnlistRequest {
        request_der: new_target_request("TARGET1").unwrap().0,
        ..request.clone()
    };
    let other_instance = EnlistRequest {
        instance: InstanceId(Uuid::new_v4()),
        ..request.clone()
    };
    for stolen in [other_key, other_instance] {
        let refusal = fleet.ask(&master, &stolen).unwrap_err();
        assert!(refusal.text.contains("not valid"), "{refusal}");
    }
}

#[test]
fn a_token_used_twice_at_once_enlists_one() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let token = master.token(Duration::from_secs(600));
    let targets: Vec<Target> = (0..4)
        .map(|n| fleet.target(&format!("TARGET{n}"), &master))
        .collect();
    let enlisted = std::thread::scope(|scope| {
        let tries: Vec<_> = targets
            .iter()
            .map(|target| scope.spawn(|| target.enlist_with(&master.address, &token).is_ok()))
            .collect();
        tries
            .into_iter()
            .map(|t| t.join().unwrap())
            .filter(|ok| *ok)
            .count()
    });
    assert_eq!((enlisted, master.targets()), (1, 1));
}

#[test]
fn a_certificate_of_another_authority_is_not_served() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    eventually("connected", || master.end.connected() == 1);
    target.membership.stop();
    eventually("gone", || master.end.connected() == 0);
    let directory = fleet.directory("forger");
    let forger = Authority::open(&directory, "MASTER", now()).unwrap();
    target.certify_with(&forger);
    let before = fleet.connections(&master);
    target.membership.restart();
    eventually("it tried", || fleet.connections(&master) > before);
    assert_eq!(master.end.connected(), 0);
}

#[test]
fn an_old_certificate_is_renewed_while_connected() {
    let fleet = Fleet::new();
    let master = fleet.master("MASTER");
    let target = fleet.target("TARGET1", &master);
    target.enlist(&master).unwrap();
    eventually("connected", || master.end.connected() == 1);
    target.membership.stop();
    let before = target.age_certificate();
    target.membership.restart();
    eventually("renewed", || target.certificate() != before);
    fleet.cut(&master);
    target.membership.force_poll();
    let job = master.job("backup", |_| {});
    master.target_job(job, &target);
    eventually("served with the new one", || target.has_job(job));
    assert!(master.audited("renew certificate"));
}

/// A request with a token, by hand.
fn request(target: &Target, token: &str) -> (EnlistRequest, Vec<u8>) {
    let token = EnlistToken::parse(token).unwrap();
    let (request_der, key) = new_target_request("TARGET1").unwrap();
    let request = EnlistRequest {
        version: fleet::version::PROTOCOL_VERSION,
        proof: Proof::Token {
            id: token.id,
            secret: token.secret.to_vec(),
        },
        instance: target.instance,
        facts: TargetFacts {
            name: "TARGET1".to_owned(),
            location: None,
            utc_offset_minutes: 0,
            program_version: "0".to_owned(),
        },
        request_der,
        previous_generation: None,
        enlisted_at: None,
        requested_by: "sa".to_owned(),
    };
    (request, key)
}
