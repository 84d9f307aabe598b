//! Dying at every named place, on either end: afterwards every run has exactly one outcome on the master,
//! and no command ran twice.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]

mod harness;

use catalog::CRASH_POINTS;
use harness::{Instance, Scratch, job_script, wait_for, wait_until};
use std::collections::BTreeSet;
use std::path::Path;

struct Fleet {
    master: Instance,
    target: Instance,
    jobs: usize,
    /// How often an end died and was started again.
    deaths: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Master,
    Target,
}

impl Fleet {
    fn start(scratch: &Scratch) -> Self {
        let master = Instance::start(scratch, "MASTER");
        master.make_master();
        let target = Instance::start(scratch, "TARGET1");
        target.enlist(&master);
        Self {
            master,
            target,
            jobs: 0,
            deaths: 0,
        }
    }

    fn end(&mut self, end: End) -> &mut Instance {
        match end {
            End::Master => &mut self.master,
            End::Target => &mut self.target,
        }
    }

    /// Starts again whatever died meanwhile.
    fn revive(&mut self) {
        for end in [End::Master, End::Target] {
            if self.end(end).has_ended() {
                self.end(end).restart();
                self.deaths += 1;
            }
        }
    }

    /// First value of a batch, from an end that may be dying and is then revived.
    fn ask(&mut self, end: End, sql: &str) -> String {
        wait_for(&format!("{end:?} to answer"), || {
            self.revive();
            let results = self.end(end).try_sql(sql).ok()?;
            results[0].rows[0][0].clone()
        })
    }

    /// A batch on the master that is repeated, after a revival, until `holds` says that it took effect.
    fn achieve(&mut self, sql: &str, holds: &str) {
        for _ in 0..5 {
            let outcome = self.master.try_sql(sql);
            if self.ask(End::Master, holds) != "0" {
                return;
            }
            assert!(outcome.is_err(), "{sql} said yes and left nothing behind");
        }
        panic!("{sql} never took effect");
    }

    /// One job from its creation to its deletion, with `ran` collecting a line per execution.
    fn walk(&mut self, ran: &Path) {
        self.jobs += 1;
        let name = format!("walk{}", self.jobs);
        let job_count = format!(
            "SELECT COUNT(*) FROM msdb.dbo.sysjobservers AS s JOIN msdb.dbo.sysjobs AS j ON j.job_id = s.job_id WHERE j.name = '{name}'"
        );
        let starts = format!(
            "SELECT COUNT(*) FROM msdb.dbo.sysdownloadlist AS d JOIN msdb.dbo.sysjobs AS j ON j.job_id = d.object_id WHERE j.name = '{name}' AND d.operation_code = 4"
        );
        let outcomes = format!(
            "SELECT COUNT(*) FROM msdb.dbo.sysjobhistory AS h JOIN msdb.dbo.sysjobs AS j ON j.job_id = h.job_id WHERE j.name = '{name}' AND h.step_id = 0"
        );
        self.achieve(
            &job_script(
                &name,
                &format!("echo {name} >> {}", ran.display()),
                &["TARGET1"],
            ),
            &job_count,
        );
        self.achieve(
            &format!("EXEC msdb.dbo.sp_start_job @job_name = N'{name}'"),
            &starts,
        );
        let posted = self.ask(End::Master, &starts);
        wait_until(&format!("the outcomes of {name}"), || {
            self.revive();
            self.master
                .try_sql(&outcomes)
                .is_ok_and(|r| r[0].rows[0][0].as_deref() == Some(posted.as_str()))
        });
        let executions = std::fs::read_to_string(ran)
            .unwrap_or_default()
            .lines()
            .filter(|l| *l == name)
            .count();
        let posted: usize = posted.parse().unwrap();
        let succeeded = self.ask(End::Master, &format!("{outcomes} AND h.run_status = 1"));
        let succeeded: usize = succeeded.parse().unwrap();
        assert!(
            executions <= posted,
            "{name} ran {executions} times for {posted} starts"
        );
        assert!(
            succeeded <= executions,
            "{name} succeeded {succeeded} times and ran {executions} times"
        );
        let gone = format!(
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM msdb.dbo.sysjobs WHERE name = '{name}') THEN 0 ELSE 1 END"
        );
        self.achieve(
            &format!("EXEC msdb.dbo.sp_delete_job @job_name = N'{name}'"),
            &gone,
        );
        wait_until(&format!("{name} to leave the target"), || {
            self.revive();
            self.target
                .try_sql(&gone)
                .is_ok_and(|r| r[0].rows[0][0].as_deref() == Some("1"))
        });
    }

    /// Leaves the master and joins it again, as often as dying on the way makes it necessary.
    fn leave_and_join(&mut self) {
        for _ in 0..5 {
            let _ = self.target.try_sql("EXEC msdb.dbo.sp_msx_defect");
            self.revive();
            // A token may die with the master that makes it, and an enlistment with either end.
            let token = self.master.try_token(5);
            let joined = token.and_then(|token| self.target.try_enlist(&self.master, &token).ok());
            self.revive();
            if joined.is_some() {
                break;
            }
        }
        let targets = "SELECT COUNT(*) FROM msdb.dbo.systargetservers";
        assert_eq!(self.ask(End::Master, targets), "1");
    }
}

#[test]
fn dying_anywhere_loses_and_doubles_nothing() {
    let scratch = Scratch::new("crash");
    let ran = scratch.path().join("ran");
    let mut fleet = Fleet::start(&scratch);
    let mut reached = BTreeSet::new();
    // A part of a name walks the points that have it, to look at one alone.
    let only = std::env::var("MUSTER_TEST_CRASH_POINT").unwrap_or_default();
    let walked = || CRASH_POINTS.iter().filter(|point| point.contains(&only));
    for &point in walked() {
        for end in [End::Master, End::Target] {
            let deaths = fleet.deaths;
            let died_early = !fleet.end(end).restart_armed(point);
            fleet.walk(&ran);
            if point.contains("enlist") {
                fleet.leave_and_join();
            }
            // What an end does a little after the walk, by itself, must come before the next restart: a target
            // stores together what was acknowledged and tells together what it carried out, and either end
            // tidies up after a deleted job.
            let later = match end {
                End::Target => point.starts_with("acknowledge_reports"),
                End::Master => point.starts_with("acknowledge_downloads"),
            } || point.starts_with("cleanup_job");
            fleet.revive();
            if later {
                wait_until(&format!("{point} on the {end:?}"), || {
                    fleet.revive();
                    fleet.deaths > deaths
                });
            }
            if died_early || fleet.deaths > deaths {
                reached.insert(point);
            }
            // Whatever was not reached must not be hit by the next walk.
            fleet.end(end).restart();
        }
    }
    let unreached: Vec<_> = walked().filter(|point| !reached.contains(*point)).collect();
    assert!(unreached.is_empty(), "no walk reached {unreached:?}");
}

#[test]
fn twenty_kills_of_each_end_lose_and_double_nothing() {
    let scratch = Scratch::new("kills");
    let ran = scratch.path().join("ran");
    let mut fleet = Fleet::start(&scratch);
    let mut names = Vec::new();
    for kill in 0..40usize {
        let name = format!("kill{kill}");
        let created = format!(
            "SELECT COUNT(*) FROM msdb.dbo.sysjobservers AS s JOIN msdb.dbo.sysjobs AS j ON j.job_id = s.job_id WHERE j.name = '{name}'"
        );
        fleet.achieve(
            &job_script(
                &name,
                &format!("echo {name} >> {}", ran.display()),
                &["TARGET1"],
            ),
            &created,
        );
        fleet
            .master
            .sql(&format!("EXEC msdb.dbo.sp_start_job @job_name = N'{name}'"));
        // A different moment each time: after as many looks at the target as this is the nth kill.
        for _ in 0..kill / 2 {
            fleet.target.sql("SELECT COUNT(*) FROM msdb.dbo.sysjobs");
        }
        let end = if kill % 2 == 0 {
            End::Master
        } else {
            End::Target
        };
        fleet.end(end).kill();
        fleet.end(end).restart();
        names.push(name);
    }
    let outcomes = "SELECT COUNT(*) FROM msdb.dbo.sysjobhistory WHERE step_id = 0";
    wait_until("all outcomes", || {
        fleet.master.scalar(outcomes) == names.len().to_string()
    });
    let log = std::fs::read_to_string(&ran).unwrap_or_default();
    for name in &names {
        assert!(
            log.lines().filter(|line| line == name).count() <= 1,
            "{name} ran twice"
        );
    }
}
