//! How many steps a second the launcher starts and ends, beside bare process starts in the same run.
//!
//! `cargo run --release -p exec --example launch_rate [STEPS [AT_ONCE]]`

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use exec::{LauncherClient, LauncherConfig, LauncherEvent, Program, StepCommand, StepKey};
use model::RunId;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::channel;
use std::time::Instant;
use uuid::Uuid;

fn main() -> ExitCode {
    if let Some(code) = exec::launcher::dispatch(std::env::args_os()) {
        return code;
    }
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().unwrap());
    let steps: usize = numbers.next().unwrap_or(2_000);
    let at_once: usize = numbers.next().unwrap_or(8);

    let began = Instant::now();
    for _ in 0..steps {
        let mut child = Command::new("/bin/sh")
            .args(["-c", ":"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        child.wait().unwrap();
    }
    report("bare, one after the other", steps, began);

    let dir = std::env::temp_dir().join(format!("muster-launch-rate-{}", std::process::id()));
    let (sender, events) = channel();
    let config = LauncherConfig {
        dir: dir.clone(),
        program: std::env::current_exe().unwrap(),
    };
    let handler = Box::new(move |event| {
        let _ = sender.send(event);
    });
    let mut client = LauncherClient::connect_or_spawn(config, handler).unwrap();
    let start = |client: &LauncherClient| {
        let key = StepKey {
            run: RunId(Uuid::new_v4()),
            sequence: 0,
            step_id: 1,
            attempt: 0,
        };
        let program = Program::Shell(":".to_owned());
        client
            .start(&StepCommand::new(key, program, Vec::new(), "/"))
            .unwrap();
    };
    let began = Instant::now();
    let mut launcher = 0;
    let (mut started, mut ended) = (0, 0);
    while ended < steps {
        while started < steps && started - ended < at_once {
            start(&client);
            started += 1;
        }
        match events.recv().unwrap() {
            LauncherEvent::Connected { pid, .. } => launcher = pid,
            LauncherEvent::Ended(step) => {
                client.collect(step.key).unwrap();
                ended += 1;
            }
            LauncherEvent::Running { .. }
            | LauncherEvent::Output { .. }
            | LauncherEvent::Lost { .. }
            | LauncherEvent::Unavailable { .. } => {}
        }
    }
    report(&format!("launcher, {at_once} at once"), steps, began);
    let status = std::fs::read_to_string(format!("/proc/{launcher}/status")).unwrap();
    for line in status
        .lines()
        .filter(|line| line.starts_with("Rss") || line.starts_with("VmRSS"))
    {
        println!("launcher {line}");
    }
    client.shut_down(None, std::time::Duration::from_secs(5));
    let _ = std::fs::remove_dir_all(dir);
    ExitCode::SUCCESS
}

fn report(what: &str, steps: usize, began: Instant) {
    let rate = f64::from(u32::try_from(steps).unwrap()) / began.elapsed().as_secs_f64();
    println!("{what}: {rate:.0} steps/s");
}
