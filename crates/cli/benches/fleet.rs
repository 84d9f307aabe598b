//! Figures of a small fleet of real processes, each beside its limit measured in the same run.
//!
//! `make bench`. Prints a table; judges nothing. TLS is on, and both ends flush to disk.

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

#[path = "../tests/harness/mod.rs"]
mod harness;

use harness::{Instance, Scratch, job_script, program, wait_until};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 200;
const JOBS: usize = 1_000;
const POSTERS: usize = 8;

fn main() {
    // `cargo test --benches` runs this too; there is nothing to test.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let scratch = Scratch::new("bench");
    cold_start(&scratch);
    let master = Instance::start(&scratch, "MASTER");
    master.make_master();
    let target = Instance::start(&scratch, "TARGET1");
    target.enlist(&master);
    start_to_running(&scratch, &master);
    throughput(&master);
    memory(&master, &target);
    drop((master, target));
    demo();
}

fn median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Start posted on the master → process running on the target, against two durable commits and one process
/// start.
fn start_to_running(scratch: &Scratch, master: &Instance) {
    let pipe = scratch.path().join("running");
    fifo(&pipe);
    let command = format!(": > {}", pipe.display());
    master.sql(&job_script("latency", &command, &["TARGET1"]));
    let mut ours = Vec::new();
    let mut limit = Vec::new();
    let outcomes = "SELECT COUNT(*) FROM msdb.dbo.sysjobhistory WHERE step_id = 0";
    for round in 0..STARTS {
        let pipe_path = pipe.clone();
        let begun = Instant::now();
        let running = std::thread::spawn(move || {
            // Opening for reading blocks until the process opens it for writing.
            drop(File::open(pipe_path).unwrap());
            Instant::now()
        });
        master.sql("EXEC msdb.dbo.sp_start_job @job_name = N'latency'");
        ours.push(running.join().unwrap() - begun);
        wait_until("the outcome", || {
            master.scalar(outcomes) == (round + 1).to_string()
        });

        let begun = Instant::now();
        for file in ["one", "two"] {
            let mut file = File::options()
                .create(true)
                .append(true)
                .open(scratch.path().join(file))
                .unwrap();
            file.write_all(&[0; 4_096]).unwrap();
            file.sync_data().unwrap();
        }
        let pipe_path = pipe.clone();
        let running = std::thread::spawn(move || drop(File::open(pipe_path).unwrap()));
        let mut process = Command::new("/bin/sh")
            .arg("-c")
            .arg(&command)
            .spawn()
            .unwrap();
        running.join().unwrap();
        limit.push(begun.elapsed());
        process.wait().unwrap();
    }
    let ((ours, ours_99), (limit, limit_99)) = (median(ours), median(limit));
    println!(
        "start posted -> process running: p50 {ours:.2?} p99 {ours_99:.2?}; limit p50 {limit:.2?} p99 {limit_99:.2?}; ratio {:.2} (goal 1.5)",
        ours.as_secs_f64() / limit.as_secs_f64()
    );
}

/// Trivial jobs end to end, their outcomes durable on the master.
fn throughput(master: &Instance) {
    for chunk in 0..JOBS / 100 {
        let script: String = (0..100)
            .map(|i| job_script(&format!("many{}", chunk * 100 + i), "true", &["TARGET1"]))
            .collect();
        master.sql(&script);
    }
    let done = "SELECT COUNT(*) FROM msdb.dbo.sysjobservers AS s JOIN msdb.dbo.sysjobs AS j ON j.job_id = s.job_id
        WHERE j.name LIKE N'many%' AND s.last_run_date > 0";
    wait_until("nothing to have run yet", || master.scalar(done) == "0");
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for poster in 0..POSTERS {
            scope.spawn(move || {
                let jobs = (poster..JOBS).step_by(POSTERS);
                let script: String = jobs
                    .map(|i| format!("EXEC msdb.dbo.sp_start_job @job_name = N'many{i}';\n"))
                    .collect();
                master.sql(&script);
            });
        }
    });
    let posted = begun.elapsed();
    wait_until("every outcome", || master.scalar(done) == JOBS.to_string());
    let all = begun.elapsed();
    println!(
        "{JOBS} trivial jobs end to end: {all:.2?}, {:.0}/s (goal 400/s); posting alone {posted:.2?}",
        JOBS as f64 / all.as_secs_f64()
    );
}

fn resident_kb(process: u32) -> u64 {
    std::fs::read_to_string(format!("/proc/{process}/status"))
        .unwrap()
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .trim_end_matches(" kB")
                .parse()
                .ok()
        })
        .unwrap()
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

fn memory(master: &Instance, target: &Instance) {
    std::thread::sleep(Duration::from_secs(60));
    println!(
        "resident after 60 s of rest, launcher included: target {} kB (goal 12,000), master {} kB (goal 25,000)",
        with_children(target.process_id()),
        with_children(master.process_id())
    );
}

fn cold_start(scratch: &Scratch) {
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
    let ((first, _), (later, _)) = (median(first), median(later));
    println!("cold start to ready: first {first:.2?}, later {later:.2?} (goal 100 ms)");
}

fn demo() {
    let mut times = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        let mut demo = program()
            .args(["demo", "--once"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        demo.stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert!(demo.wait().unwrap().success(), "{said}");
        times.push(begun.elapsed());
    }
    println!(
        "demo, stopping included: {:.2?} (goal 5 s to all outcomes)",
        median(times).0
    );
}
