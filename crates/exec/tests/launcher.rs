//! The launcher as a real process, with real steps. This program is its own launcher: started with
//! `launcher --dir DIR` it is one, otherwise it runs the tests below.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "tests, with a harness of their own"
)]

use exec::launcher::OUTPUT_GRACE;
use exec::{
    LauncherClient, LauncherConfig, LauncherEvent, OutputFile, Program, StepCommand, StepEnd,
    StepEnded, StepKey, StepState,
};
use model::RunId;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Nothing here takes this long unless it hangs.
const BOUND: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    if let Some(code) = exec::launcher::dispatch(std::env::args_os()) {
        return code;
    }
    let tests: &[(&str, fn())] = &[
        ("success_failure_and_signals", success_failure_and_signals),
        ("what_cannot_start_says_why", what_cannot_start_says_why),
        ("environment_and_directory", environment_and_directory),
        (
            "long_commands_and_foreign_bytes",
            long_commands_and_foreign_bytes,
        ),
        ("the_same_key_starts_once", the_same_key_starts_once),
        ("stop_is_polite_first", stop_is_polite_first),
        ("a_hundred_megabytes", a_hundred_megabytes),
        ("a_grandchild_with_the_output", a_grandchild_with_the_output),
        ("live_output", live_output),
        ("output_files", output_files),
        ("an_agent_that_comes_back", an_agent_that_comes_back),
        ("a_launcher_that_was_killed", a_launcher_that_was_killed),
        ("a_step_made_ready_runs_once", a_step_made_ready_runs_once),
        (
            "what_is_ready_runs_nothing_by_itself",
            what_is_ready_runs_nothing_by_itself,
        ),
        ("a_lost_journal_is_told", a_lost_journal_is_told),
        ("two_agents_and_one_launcher", two_agents_and_one_launcher),
        ("garbage_on_the_socket", garbage_on_the_socket),
        ("a_launcher_that_cannot_start", a_launcher_that_cannot_start),
        ("a_deep_directory", a_deep_directory),
        ("nothing_is_inherited", nothing_is_inherited),
        ("shutting_down", shutting_down),
        ("a_thousand_steps", a_thousand_steps),
    ];
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in tests {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let mut failed = Vec::new();
    for (name, test) in tests {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        let started = Instant::now();
        let passed = std::panic::catch_unwind(test).is_ok();
        let verdict = if passed { "ok" } else { "FAILED" };
        println!("test {name} ... {verdict} ({:?})", started.elapsed());
        if !passed {
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        println!("failed: {}", failed.join(", "));
        ExitCode::FAILURE
    }
}

/// A directory of its own for a test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("muster-exec-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A client and what it heard.
struct Agent {
    client: LauncherClient,
    events: Receiver<LauncherEvent>,
    launcher: u32,
    complete: bool,
    known: BTreeMap<StepKey, StepState>,
    cwd: PathBuf,
}

impl Agent {
    fn connect(dir: &Path) -> Self {
        let (sender, events) = channel();
        let config = LauncherConfig {
            dir: dir.join("launcher"),
            program: std::env::current_exe().unwrap(),
        };
        let client = LauncherClient::connect_or_spawn(
            config,
            Box::new(move |event| {
                let _ = sender.send(event);
            }),
        )
        .unwrap();
        let mut agent = Self {
            client,
            events,
            launcher: 0,
            complete: false,
            known: BTreeMap::new(),
            cwd: dir.to_owned(),
        };
        agent.wait_connected();
        agent
    }

    fn wait_connected(&mut self) {
        loop {
            if let LauncherEvent::Connected {
                pid,
                complete,
                steps,
                ..
            } = self.next()
            {
                self.launcher = pid;
                self.complete = complete;
                self.known = steps.into_iter().map(|s| (s.key, s.state)).collect();
                return;
            }
        }
    }

    fn next(&self) -> LauncherEvent {
        self.events.recv_timeout(BOUND).expect("an event in time")
    }

    fn command(&self, key: StepKey, text: &str) -> StepCommand {
        let env = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        StepCommand::new(key, Program::Shell(text.to_owned()), env, &self.cwd)
    }

    fn start(&self, text: &str) -> StepKey {
        let key = fresh_key();
        self.client.start(&self.command(key, text)).unwrap();
        key
    }

    fn wait_running(&self, key: StepKey) -> u32 {
        loop {
            match self.next() {
                LauncherEvent::Running { key: k, pid } if k == key => return pid,
                LauncherEvent::Ended(ended) if ended.key == key => panic!("{ended:?}"),
                _ => {}
            }
        }
    }

    fn wait_ended(&self, key: StepKey) -> StepEnded {
        loop {
            if let LauncherEvent::Ended(ended) = self.next()
                && ended.key == key
            {
                return ended;
            }
        }
    }

    fn run(&self, text: &str) -> StepEnded {
        let key = self.start(text);
        let ended = self.wait_ended(key);
        self.client.collect(key).unwrap();
        ended
    }

    /// Ends the launcher, stopping what runs.
    fn end(mut self) {
        assert!(self.client.shut_down(Some(Duration::ZERO), BOUND));
    }
}

fn fresh_key() -> StepKey {
    StepKey {
        run: RunId(Uuid::new_v4()),
        sequence: 0,
        step_id: 1,
        attempt: 0,
    }
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie is no process any more; in a container nobody may come for it.
    !stat.is_empty()
        && !stat
            .rsplit(')')
            .next()
            .unwrap()
            .trim_start()
            .starts_with('Z')
}

/// Waits for something that no event tells, and fails past the bound.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

fn success_failure_and_signals() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let ended = agent.run("echo out; echo err >&2\necho third line");
    assert_eq!(ended.end, StepEnd::Exited(0));
    assert_eq!(ended.output.text, "out\nerr\nthird line\n");
    assert!(!ended.output.truncated && !ended.stopped && ended.note.is_none());
    assert!(ended.elapsed.is_some());
    assert_eq!(agent.run("exit 7").end, StepEnd::Exited(7));
    assert_eq!(agent.run("kill -9 $$").end, StepEnd::Signaled(9));
    assert_eq!(agent.run("cat; echo no input").output.text, "no input\n");
    let missing = agent.run("no-such-command-here --flag");
    assert_eq!(missing.end, StepEnd::Exited(127));
    assert!(
        missing.output.text.contains("no-such-command-here"),
        "{missing:?}"
    );
    agent.end();
}

fn what_cannot_start_says_why() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let check = |command: StepCommand, expected: &str| {
        agent.client.start(&command).unwrap();
        let ended = agent.wait_ended(command.key);
        match ended.end {
            StepEnd::NotStarted(reason) => assert!(reason.contains(expected), "{reason}"),
            other => panic!("{other:?}"),
        }
    };
    let mut nowhere = agent.command(fresh_key(), "true");
    nowhere.cwd = "/no/such/directory".into();
    check(nowhere, "working directory /no/such/directory");
    let mut program = agent.command(fresh_key(), "");
    program.program = Program::Argv(vec!["/no/such/program".to_owned()]);
    check(program.clone(), "No such file");
    program.key = fresh_key();
    program.program = Program::Argv(Vec::new());
    check(program, "no program");
    check(agent.command(fresh_key(), "echo \0"), "nul");
    agent.end();
}

fn environment_and_directory() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let mut command = agent.command(fresh_key(), "env | sort; pwd; echo $$");
    command
        .env
        .push(("MUSTER_STEP_ID".to_owned(), "4".to_owned()));
    agent.client.start(&command).unwrap();
    let pid = agent.wait_running(command.key);
    let text = agent.wait_ended(command.key).output.text;
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("PWD="))
        .collect();
    let cwd = dir.0.canonicalize().unwrap();
    assert!(lines.contains(&"MUSTER_STEP_ID=4") && lines.contains(&"PATH=/usr/bin:/bin"));
    assert!(lines.contains(&cwd.to_str().unwrap()), "{text}");
    assert_eq!(*lines.last().unwrap(), pid.to_string());
    assert!(!text.contains("HOME="), "{text}");
    agent.end();
}

fn long_commands_and_foreign_bytes() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let long = format!("# {}\necho here", "x".repeat(3_000_000));
    let ended = agent.run(&long);
    assert_eq!(ended.output.text, "here\n");
    let left: Vec<_> = std::fs::read_dir(dir.0.join("launcher/out"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let foreign = agent.run(r"printf 'a\377\000b'");
    assert_eq!(foreign.output.text, "a\u{FFFD}\u{FFFD}b");
    assert_eq!(foreign.output.total_bytes, 4);
    let oversized = agent.command(fresh_key(), &"x".repeat(6_000_000));
    assert!(agent.client.start(&oversized).is_err());
    assert_eq!(agent.run("echo still here").output.text, "still here\n");
    agent.end();
}

fn the_same_key_starts_once() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let command = agent.command(fresh_key(), "echo once >> log; read x < gate");
    let made = std::process::Command::new("mkfifo")
        .arg(dir.0.join("gate"))
        .status()
        .unwrap();
    assert!(made.success());
    agent.client.start(&command).unwrap();
    agent.client.start(&command).unwrap();
    let first = agent.wait_running(command.key);
    assert_eq!(agent.wait_running(command.key), first);
    std::fs::write(dir.0.join("gate"), "go\n").unwrap();
    assert_eq!(agent.wait_ended(command.key).end, StepEnd::Exited(0));
    agent.client.start(&command).unwrap();
    assert_eq!(agent.wait_ended(command.key).end, StepEnd::Exited(0));
    assert_eq!(
        std::fs::read_to_string(dir.0.join("log")).unwrap(),
        "once\n"
    );
    agent.end();
}

fn stop_is_polite_first() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let polite = agent.start("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done");
    agent.client.follow(polite, true).unwrap();
    agent.wait_running(polite);
    // Its trap stands once it says so; what it said before it was followed comes with the end only.
    let trapped = agent.start("true");
    agent.wait_ended(trapped);
    eventually("the trap", || {
        let key = fresh_key();
        let probe = agent.command(key, "pgrep -f 'echo bye' >/dev/null && echo yes");
        agent.client.start(&probe).unwrap();
        agent.wait_ended(key).end == StepEnd::Exited(0)
    });
    agent.client.stop(polite, BOUND).unwrap();
    let ended = agent.wait_ended(polite);
    assert!(ended.stopped, "{ended:?}");
    assert!(
        matches!(ended.end, StepEnd::Exited(3) | StepEnd::Signaled(15)),
        "{ended:?}"
    );

    let deaf = agent.start("trap '' TERM; sleep 1000 & echo $! > deaf.pid; wait; wait");
    let pid = agent.wait_running(deaf);
    eventually("the grandchild", || {
        std::fs::read_to_string(dir.0.join("deaf.pid")).is_ok_and(|text| text.ends_with('\n'))
    });
    agent.client.stop(deaf, Duration::from_millis(50)).unwrap();
    let ended = agent.wait_ended(deaf);
    assert_eq!(ended.end, StepEnd::Signaled(9), "{ended:?}");
    assert!(ended.stopped && !is_alive(pid));
    let grandchild = std::fs::read_to_string(dir.0.join("deaf.pid")).unwrap();
    eventually("the group's end", || {
        !is_alive(grandchild.trim().parse().unwrap())
    });
    // Stopping what is not there does no harm.
    agent.client.stop(deaf, Duration::ZERO).unwrap();
    agent.client.stop(fresh_key(), Duration::ZERO).unwrap();
    assert_eq!(agent.run("true").end, StepEnd::Exited(0));
    agent.end();
}

fn a_hundred_megabytes() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let key = agent.start("echo first; head -c 104857600 /dev/zero | tr '\\0' x; echo; echo last");
    let ended = agent.wait_ended(key);
    assert_eq!(ended.end, StepEnd::Exited(0));
    let output = &ended.output;
    assert_eq!(output.total_bytes, 104_857_600 + 6 + 6);
    assert!(output.truncated && output.text.len() < 1_100_000);
    assert!(output.text.starts_with("first\nxxx") && output.text.ends_with("xxx\nlast\n"));
    assert!(output.text.contains("bytes left out"));
    let spilled = dir.0.join("launcher/out").join(key.to_string());
    assert_eq!(std::fs::metadata(&spilled).unwrap().len(), 1024 * 1024);
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.launcher)).unwrap();
    let peak = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    // Private memory; the program's own pages are shared with the agent.
    assert!(peak("RssAnon:") < 3 * 1024, "{status}");
    assert!(peak("VmRSS:") < 4 * 1024, "{status}");
    agent.client.collect(key).unwrap();
    agent.run("true");
    assert!(!spilled.exists());
    agent.end();
}

fn a_grandchild_with_the_output() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let started = Instant::now();
    let ended = agent.run("sleep 1000 & echo $! > child.pid; echo done");
    assert_eq!(
        (ended.end, ended.output.text.as_str()),
        (StepEnd::Exited(0), "done\n")
    );
    assert!(started.elapsed() >= OUTPUT_GRACE);
    assert!(ended.elapsed.unwrap() < OUTPUT_GRACE);
    let child: u32 = std::fs::read_to_string(dir.0.join("child.pid"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(
        is_alive(child),
        "what a step leaves behind is its own affair"
    );
    kill(child);
    agent.end();
}

fn live_output() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let mut command = agent.command(fresh_key(), "echo one; read x < /dev/null; echo two");
    command.follow = true;
    agent.client.start(&command).unwrap();
    let mut seen = Vec::new();
    let ended = loop {
        match agent.next() {
            LauncherEvent::Output { offset, bytes, .. } => {
                assert_eq!(offset, u64::try_from(seen.len()).unwrap());
                seen.extend(bytes);
            }
            LauncherEvent::Ended(ended) => break ended,
            _ => {}
        }
    };
    assert_eq!(seen, b"one\ntwo\n");
    assert_eq!(ended.output.text, "one\ntwo\n");
    agent.end();
}

fn output_files() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let run = |text: &str, append: bool, path: &str| {
        let mut command = agent.command(fresh_key(), text);
        command.output_file = Some(OutputFile {
            path: path.into(),
            append,
        });
        agent.client.start(&command).unwrap();
        agent.wait_ended(command.key)
    };
    run("echo one", false, "log");
    run("echo two", true, "log");
    assert_eq!(
        std::fs::read_to_string(dir.0.join("log")).unwrap(),
        "one\ntwo\n"
    );
    // The file has what the history has not.
    run("head -c 3000000 /dev/zero", false, "log");
    assert_eq!(
        std::fs::metadata(dir.0.join("log")).unwrap().len(),
        3_000_000
    );
    let ended = run("echo here", false, "no/such/dir/log");
    assert_eq!(
        (ended.end, ended.output.text.as_str()),
        (StepEnd::Exited(0), "here\n")
    );
    assert!(ended.note.unwrap().contains("no/such/dir/log"));
    agent.end();
}

fn an_agent_that_comes_back() {
    let dir = Scratch::new();
    let first = Agent::connect(&dir.0);
    assert!(!first.complete);
    first.client.confirm().unwrap();
    let done = first.start("echo done before");
    first.wait_ended(done);
    let going = first.start("mkfifo gate; echo before; read x < gate; echo after; exit 5");
    first.wait_running(going);
    let launcher = first.launcher;
    drop(first);
    eventually("the gate", || dir.0.join("gate").exists());

    let second = Agent::connect(&dir.0);
    assert_eq!(second.launcher, launcher);
    assert!(second.complete);
    match &second.known[&done] {
        StepState::Ended(ended) => assert_eq!(ended.output.text, "done before\n"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        second.known[&going],
        StepState::Running { orphan: false, .. }
    ));
    std::fs::write(dir.0.join("gate"), "go\n").unwrap();
    let ended = second.wait_ended(going);
    assert_eq!(ended.end, StepEnd::Exited(5));
    assert_eq!(ended.output.text, "before\nafter\n");
    second.client.collect(done).unwrap();
    second.run("true");
    drop(second);

    let third = Agent::connect(&dir.0);
    assert_eq!(third.known.keys().collect::<Vec<_>>(), [&going]);
    third.end();
    // What was not collected outlives even the launcher.
    let fourth = Agent::connect(&dir.0);
    assert!(
        matches!(&fourth.known[&going], StepState::Ended(e) if e.output.text == "before\nafter\n")
    );
    fourth.end();
}

fn a_launcher_that_was_killed() {
    let dir = Scratch::new();
    let mut agent = Agent::connect(&dir.0);
    agent.client.confirm().unwrap();
    let done = agent.start("echo done");
    agent.wait_ended(done);
    let quiet = agent.start("mkfifo gate; read x < gate");
    let quiet_pid = agent.wait_running(quiet);
    let stubborn = agent.start("trap '' TERM; while :; do sleep 0.05; done");
    let stubborn_pid = agent.wait_running(stubborn);
    eventually("the gate", || dir.0.join("gate").exists());
    let before = agent.launcher;
    kill(before);
    agent.wait_connected();
    assert_ne!(agent.launcher, before);
    assert!(agent.complete);
    assert!(matches!(&agent.known[&done], StepState::Ended(e) if e.output.text == "done\n"));
    for (key, pid) in [(quiet, quiet_pid), (stubborn, stubborn_pid)] {
        assert_eq!(
            agent.known[&key],
            StepState::Running { pid, orphan: true },
            "{key}"
        );
    }
    // The same start again is still the same step.
    agent
        .client
        .start(&agent.command(quiet, "echo twice >> twice"))
        .unwrap();
    assert_eq!(agent.wait_running(quiet), quiet_pid);
    std::fs::write(dir.0.join("gate"), "go\n").unwrap();
    let ended = agent.wait_ended(quiet);
    assert_eq!((ended.end, ended.elapsed), (StepEnd::Unknown, None));
    agent
        .client
        .stop(stubborn, Duration::from_millis(20))
        .unwrap();
    let ended = agent.wait_ended(stubborn);
    assert_eq!((ended.end, ended.stopped), (StepEnd::Unknown, true));
    assert!(!is_alive(stubborn_pid));
    assert!(!dir.0.join("twice").exists());
    agent.end();
}

/// The process that stands before its first instruction, if the launcher has one.
fn standing(launcher: u32) -> Option<u32> {
    let stat_of = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let (name, rest) = stat.rsplit_once(") ").unwrap_or_default();
        let mut fields = rest.split(' ').map(str::to_owned);
        (
            name.ends_with("(sh"),
            fields.next().unwrap_or_default(),
            fields.next().unwrap_or_default(),
        )
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .find(|pid| {
            let (shell, state, parent) = stat_of(*pid);
            shell && state == "t" && parent == launcher.to_string()
        })
}

/// Gets a step ready and waits until it stands there.
fn make_ready(agent: &Agent, key: StepKey, text: &str) -> u32 {
    agent.client.prepare(&agent.command(key, text)).unwrap();
    eventually("a process that stands ready", || {
        standing(agent.launcher).is_some()
    });
    standing(agent.launcher).unwrap()
}

fn a_step_made_ready_runs_once() {
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let text = "echo ran >> ran; echo out; echo $$; exit 3";
    let key = fresh_key();
    let ready = make_ready(&agent, key, text);
    // Another step's whole life passes, and it still stands there.
    assert_eq!(agent.run("echo other").output.text, "other\n");
    assert!(!dir.0.join("ran").exists());
    agent.client.start(&agent.command(key, text)).unwrap();
    assert_eq!(agent.wait_running(key), ready);
    let ended = agent.wait_ended(key);
    assert_eq!(ended.end, StepEnd::Exited(3));
    assert_eq!(ended.output.text, format!("out\n{ready}\n"));
    // Neither a second start nor a late preparation runs it again.
    agent.client.start(&agent.command(key, text)).unwrap();
    agent.client.prepare(&agent.command(key, text)).unwrap();
    assert_eq!(agent.wait_ended(key).end, StepEnd::Exited(3));
    assert_eq!(std::fs::read_to_string(dir.0.join("ran")).unwrap(), "ran\n");

    // One that is ready for something else is not used, nor one that was killed meanwhile.
    for killed in [false, true] {
        let key = fresh_key();
        let ready = make_ready(&agent, key, "echo wrong > wrong");
        if killed {
            kill(ready);
        }
        let right = if killed { "echo wrong > wrong" } else { "true" };
        agent.client.start(&agent.command(key, right)).unwrap();
        assert_ne!(agent.wait_running(key), ready);
        assert_eq!(agent.wait_ended(key).end, StepEnd::Exited(0));
        eventually("its end", || !is_alive(ready));
        assert_eq!(dir.0.join("wrong").exists(), killed);
    }
    // What is started at once is the same step, ready or not yet.
    for _ in 0..50 {
        let key = fresh_key();
        let command = agent.command(key, "echo quick");
        agent.client.prepare(&command).unwrap();
        agent.client.start(&command).unwrap();
        assert_eq!(agent.wait_ended(key).output.text, "quick\n");
        agent.client.collect(key).unwrap();
    }
    // It is a step like any other: it can be stopped, and outlives its launcher.
    let key = fresh_key();
    let text = "trap 'exit 9' TERM; while :; do echo up; sleep 0.01; done";
    let ready = make_ready(&agent, key, text);
    agent.client.start(&agent.command(key, text)).unwrap();
    assert_eq!(agent.wait_running(key), ready);
    agent.client.follow(key, true).unwrap();
    loop {
        if matches!(agent.next(), LauncherEvent::Output { key: k, .. } if k == key) {
            break;
        }
    }
    agent.client.stop(key, BOUND).unwrap();
    let ended = agent.wait_ended(key);
    assert_eq!((ended.end, ended.stopped), (StepEnd::Exited(9), true));
    agent.end();
}

fn what_is_ready_runs_nothing_by_itself() {
    let dir = Scratch::new();
    let mut agent = Agent::connect(&dir.0);
    let text = "echo ran > ran";
    // The launcher dies.
    let ready = make_ready(&agent, fresh_key(), text);
    let launcher = agent.launcher;
    kill(launcher);
    eventually("its end", || !is_alive(ready));
    agent.wait_connected();
    assert_ne!(agent.launcher, launcher);
    assert!(agent.known.is_empty(), "{:?}", agent.known);
    // The next is made ready, which it makes room for.
    let ready = make_ready(&agent, fresh_key(), text);
    agent
        .client
        .prepare(&agent.command(fresh_key(), text))
        .unwrap();
    eventually("its end", || !is_alive(ready));
    // The agent goes.
    eventually("the other", || standing(agent.launcher).is_some());
    let ready = standing(agent.launcher).unwrap();
    drop(agent);
    eventually("its end", || !is_alive(ready));
    // One that was released outlives its launcher.
    let mut agent = Agent::connect(&dir.0);
    let key = fresh_key();
    let text = "mkfifo gate; read x < gate; echo on > on";
    let ready = make_ready(&agent, key, text);
    agent.client.start(&agent.command(key, text)).unwrap();
    assert_eq!(agent.wait_running(key), ready);
    eventually("the gate", || dir.0.join("gate").exists());
    kill(agent.launcher);
    agent.wait_connected();
    let running = StepState::Running {
        pid: ready,
        orphan: true,
    };
    assert_eq!(agent.known[&key], running);
    std::fs::write(dir.0.join("gate"), "go\n").unwrap();
    agent.wait_ended(key);
    assert!(dir.0.join("on").exists());
    assert!(!dir.0.join("ran").exists());
    agent.end();
}

fn a_lost_journal_is_told() {
    let dir = Scratch::new();
    let mut agent = Agent::connect(&dir.0);
    agent.client.confirm().unwrap();
    agent.run("true");
    std::fs::remove_file(dir.0.join("launcher/journal")).unwrap();
    kill(agent.launcher);
    agent.wait_connected();
    assert!(!agent.complete && agent.known.is_empty());
    agent.end();
}

fn two_agents_and_one_launcher() {
    let dir = Scratch::new();
    let agents: Vec<Agent> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| Agent::connect(&dir.0)))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    // All found the same one, though each may have tried to start it.
    let launchers: std::collections::BTreeSet<u32> = agents.iter().map(|a| a.launcher).collect();
    assert_eq!(launchers.len(), 1, "{launchers:?}");
    drop(agents);
    Agent::connect(&dir.0).end();
}

fn garbage_on_the_socket() {
    use std::io::{Read, Write};
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let key = agent.start("mkfifo gate; read x < gate");
    agent.wait_running(key);
    eventually("the gate", || dir.0.join("gate").exists());
    let launcher = agent.launcher;
    drop(agent);
    let socket = dir.0.join("launcher/launcher.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for garbage in [
        &b"\xff\xff\xff\xff"[..],
        &[7u8; 100_000],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        let _ = stream.write_all(garbage);
        let mut rest = Vec::new();
        // The launcher hangs up.
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
    }
    let agent = Agent::connect(&dir.0);
    assert_eq!(agent.launcher, launcher);
    assert!(agent.known.contains_key(&key));
    agent.end();
}

fn a_launcher_that_cannot_start() {
    let dir = Scratch::new();
    let config = |program: &str| LauncherConfig {
        dir: dir.0.join("launcher"),
        program: program.into(),
    };
    let attempt = |config: LauncherConfig| {
        let error = LauncherClient::connect_or_spawn(config, Box::new(|_| {})).unwrap_err();
        model::error_chain(&error)
    };
    let text = attempt(config("/no/such/muster"));
    assert!(
        text.contains("/no/such/muster") && text.contains("No such file"),
        "{text}"
    );
    let text = attempt(config("/bin/true"));
    assert!(text.contains("ended at once"), "{text}");
    let open = dir.0.join("launcher");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let text = attempt(config(std::env::current_exe().unwrap().to_str().unwrap()));
    assert!(text.contains("nobody else may write"), "{text}");
}

fn a_deep_directory() {
    let dir = Scratch::new();
    let deep = dir.0.join("d".repeat(120)).join("e".repeat(120));
    std::fs::create_dir_all(&deep).unwrap();
    let agent = Agent::connect(&deep);
    assert_eq!(agent.run("echo deep").output.text, "deep\n");
    agent.end();
}

fn nothing_is_inherited() {
    let dir = Scratch::new();
    // A file left open for whatever this process starts, as a careless shell does.
    let file = std::fs::File::create(dir.0.join("held")).unwrap();
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    let agent = Agent::connect(&dir.0);
    drop(file);
    let ended = agent.run("ls -l /proc/self/fd /proc/$PPID/fd");
    assert!(!ended.output.text.contains("held"), "{}", ended.output.text);
    let own = agent.run("ls /proc/self/fd").output.text;
    // Three standard files and the listing.
    assert_eq!(own.lines().count(), 4, "{own}");
    let signals = agent
        .run("grep -E 'Sig(Ign|Blk)' /proc/self/status")
        .output
        .text;
    for line in signals.lines() {
        let mask = u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap();
        // The C library keeps 32 and 33 for itself.
        assert_eq!(mask & !0x1_8000_0000, 0, "{signals}");
    }
    agent.end();
}

fn shutting_down() {
    let dir = Scratch::new();
    let mut agent = Agent::connect(&dir.0);
    let key = agent.start("mkfifo gate; read x < gate; exit 4");
    agent.wait_running(key);
    eventually("the gate", || dir.0.join("gate").exists());
    let launcher = agent.launcher;
    // Not idle, so not yet.
    assert!(!agent.client.shut_down(None, Duration::from_millis(50)));
    assert!(is_alive(launcher));
    std::fs::write(dir.0.join("gate"), "go\n").unwrap();
    eventually("the launcher's end", || !is_alive(launcher));
    let agent = Agent::connect(&dir.0);
    assert!(matches!(&agent.known[&key], StepState::Ended(e) if e.end == StepEnd::Exited(4)));
    let left = agent.start("sleep 1000");
    let pid = agent.wait_running(left);
    agent.end();
    assert!(!is_alive(pid));
}

fn a_thousand_steps() {
    const STEPS: usize = 1_000;
    const AT_ONCE: usize = 64;
    let dir = Scratch::new();
    let agent = Agent::connect(&dir.0);
    let mut open: BTreeMap<StepKey, usize> = BTreeMap::new();
    let mut started = 0;
    let mut ended = 0;
    while ended < STEPS {
        while started < STEPS && open.len() < AT_ONCE {
            open.insert(agent.start(&format!("echo {started}")), started);
            started += 1;
        }
        if let LauncherEvent::Ended(end) = agent.next() {
            let number = open.remove(&end.key).expect("told once");
            assert_eq!(end.end, StepEnd::Exited(0));
            assert_eq!(end.output.text, format!("{number}\n"));
            agent.client.collect(end.key).unwrap();
            ended += 1;
        }
    }
    let launcher = agent.launcher;
    drop(agent);
    let agent = Agent::connect(&dir.0);
    assert!(agent.known.is_empty() && agent.launcher == launcher);
    agent.end();
}
