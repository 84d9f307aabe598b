//! Figures of a small fleet of real processes, each beside its goal: `make bench`, or
//! `cargo bench -p cli --bench fleet -- [start|jobs|memory|cold|demo]...`.
//!
//! Judges nothing. TLS is on, and both ends flush to disk. Where a figure is a ratio, its limit is measured in
//! the same run, turn by turn with it, since shared machines are noisy.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and starts processes"
)]
#![allow(clippy::print_stdout, reason = "its result is what it prints")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "of what a server answers, a benchmark looks at little"
)]

mod figures;
#[path = "../tests/harness/mod.rs"]
mod harness;

use figures::{Commits, Figures, Sql, median, millis};
use harness::{Instance, Scratch, job_script, program, resident_kb};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 300;
const JOBS: usize = 1_000;
const POSTERS: usize = 8;
/// How long a target rests before its memory is looked at.
const REST: Duration = Duration::from_secs(60);
/// Pause between two looks at what the master has. A look reads thousands of rows: many would measure the look.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

fn main() {
    let Some(mut figures) = Figures::from_arguments() else {
        return;
    };
    let scratch = Scratch::new("bench");
    if figures.wants("cold") {
        cold_start(&mut figures, &scratch);
    }
    if ["start", "jobs", "memory"]
        .iter()
        .any(|name| figures.wants(name))
    {
        let master = Instance::start(&scratch, "MASTER");
        master.make_master();
        let target = Instance::start(&scratch, "TARGET1");
        target.enlist(&master);
        if figures.wants("start") {
            start_to_running(&mut figures, &scratch, &master);
        }
        if figures.wants("jobs") {
            throughput(&mut figures, &master);
        }
        if figures.wants("memory") {
            memory(&mut figures, &master, &target);
        }
    }
    if figures.wants("demo") {
        demo(&mut figures);
    }
    figures.finish();
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// When the process behind a pipe runs: opening for reading blocks until the process opens it for writing.
fn running(pipe: &Path) -> std::thread::JoinHandle<Instant> {
    let pipe = pipe.to_owned();
    std::thread::spawn(move || {
        drop(File::open(pipe).unwrap());
        Instant::now()
    })
}

/// Outcomes on the master so far.
const OUTCOMES: &str = "SELECT COUNT(*) FROM msdb.dbo.sysjobhistory WHERE step_id = 0";

/// A START sent over an open connection → the process running on the target, against two durable commits of
/// one page and the start of the same process.
fn start_to_running(figures: &mut Figures, scratch: &Scratch, master: &Instance) {
    let pipe = scratch.path().join("running");
    fifo(&pipe);
    let command = format!(": > {}", pipe.display());
    master.sql(&job_script("latency", &command, &["TARGET1"]));
    let mut sql = Sql::connect(master);
    let mut commits = ["one", "two"].map(|name| Commits::new(&scratch.path().join(name)));
    let (mut ours, mut limit, mut posted) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..STARTS {
        let opened = running(&pipe);
        let begun = Instant::now();
        sql.rows("EXEC msdb.dbo.sp_start_job @job_name = N'latency'");
        posted.push(begun.elapsed());
        ours.push(opened.join().unwrap() - begun);
        while sql.number(OUTCOMES) <= round as i64 {
            std::thread::sleep(LOOK_PAUSE);
        }

        let opened = running(&pipe);
        let begun = Instant::now();
        for commits in &mut commits {
            commits.commit();
        }
        let mut process = Command::new("/bin/sh")
            .arg("-c")
            .arg(&command)
            .spawn()
            .unwrap();
        limit.push(opened.join().unwrap() - begun);
        process.wait().unwrap();
    }
    let ((ours, ours_99), (limit, limit_99)) = (median(ours), median(limit));
    figures.at_most(
        "start posted -> process running, p50",
        ours.as_secs_f64() / limit.as_secs_f64(),
        1.5,
        "x (two durable commits + one process start)",
        &format!(
            "{ours:.2?} (p99 {ours_99:.2?}) against {limit:.2?} (p99 {limit_99:.2?}); the statement alone {:.2?}; {STARTS} rounds",
            median(posted).0
        ),
    );
}

/// Trivial jobs end to end, their outcomes durable on the master.
fn throughput(figures: &mut Figures, master: &Instance) {
    for chunk in 0..JOBS / 100 {
        let script: String = (0..100)
            .map(|i| job_script(&format!("many{}", chunk * 100 + i), "true", &["TARGET1"]))
            .collect();
        master.sql(&script);
    }
    let mut look = Sql::connect(master);
    let before = look.number(OUTCOMES);
    let posters: Vec<Sql> = (0..POSTERS).map(|_| Sql::connect(master)).collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for (poster, mut sql) in posters.into_iter().enumerate() {
            scope.spawn(move || {
                for i in (poster..JOBS).step_by(POSTERS) {
                    sql.rows(&format!(
                        "EXEC msdb.dbo.sp_start_job @job_name = N'many{i}'"
                    ));
                }
            });
        }
    });
    let posted = begun.elapsed();
    while look.number(OUTCOMES) - before < JOBS as i64 {
        std::thread::sleep(LOOK_PAUSE);
    }
    let all = begun.elapsed();
    figures.at_least(
        "trivial jobs end to end, outcome durable on the master",
        JOBS as f64 / all.as_secs_f64(),
        300.0,
        "jobs/s",
        &format!("{JOBS} jobs in {all:.2?}, posting alone {posted:.2?}; 400 is hoped for"),
    );
}

fn with_children(process: u32) -> u64 {
    let children = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.contains("launcher"))
                && std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
                    stat.rsplit(") ")
                        .next()
                        .and_then(|rest| rest.split(' ').nth(1))
                        == Some(&process.to_string())
                })
        })
        .map(resident_kb)
        .sum::<u64>();
    resident_kb(process) + children
}

/// Resident memory as an operator sees it: the sum of what `ps` shows for the instance and its launcher. Pages
/// of the program that both have in memory count twice.
fn memory(figures: &mut Figures, master: &Instance, target: &Instance) {
    std::thread::sleep(REST);
    let own = |instance: &Instance| resident_kb(instance.process_id());
    let all = |instance: &Instance| with_children(instance.process_id());
    figures.at_most(
        "target at rest, launcher included, resident",
        all(target) as f64 / 1024.0,
        15.0,
        "MB",
        &format!(
            "VmRSS {} kB + {} kB after {} s of rest that followed everything above; 12 is hoped for",
            own(target),
            all(target) - own(target),
            REST.as_secs()
        ),
    );
    figures.at_most(
        "master at rest, launcher included, resident",
        all(master) as f64 / 1024.0,
        40.0,
        "MB",
        &format!(
            "VmRSS {} kB + {} kB",
            own(master),
            all(master) - own(master)
        ),
    );
}

/// From the start of the process to its ready line.
fn cold_start(figures: &mut Figures, scratch: &Scratch) {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for i in 0..10 {
        let begun = Instant::now();
        let mut instance = Instance::start(scratch, &format!("COLD{i}"));
        first.push(begun.elapsed());
        instance.stop();
        let begun = Instant::now();
        instance.restart();
        later.push(begun.elapsed());
        instance.stop();
    }
    let ((first, first_99), (later, later_99)) = (median(first), median(later));
    figures.at_most(
        "cold start to ready, p50",
        millis(later),
        100.0,
        "ms",
        &format!("slowest {later_99:.2?}"),
    );
    figures.at_most(
        "first start to ready, keys and catalog made, p50",
        millis(first),
        100.0,
        "ms",
        &format!("slowest {first_99:.2?}"),
    );
}

/// From the built binary to the demo's last outcome.
fn demo(figures: &mut Figures) {
    let mut times = Vec::new();
    let mut ends = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        let mut demo = program()
            .args(["demo", "--once"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(demo.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("outcomes are on the master") {
            line.clear();
            assert_ne!(
                said.read_line(&mut line).unwrap(),
                0,
                "the demo ended early"
            );
        }
        times.push(begun.elapsed());
        said.read_to_string(&mut line).unwrap();
        assert!(demo.wait().unwrap().success(), "{line}");
        ends.push(begun.elapsed());
    }
    figures.at_most(
        "demo, from the built binary to all outcomes, p50",
        median(times).0.as_secs_f64(),
        5.0,
        "s",
        &format!(
            "stopping included {:.2?}; a master and three targets",
            median(ends).0
        ),
    );
}
