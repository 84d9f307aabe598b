//! `muster demo`: a master and its targets as real processes, and one multiserver job sent through them.
//!
//! It uses only what any user has: `muster serve`, the control socket's commands and `muster sql`.

use crate::args::DemoArgs;
use crate::commands::{fail, numbered};
use crate::tables;
use server::control::{Answer, Request, ResultTable, ask};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The script that creates the job; also in `examples/`, for any other client.
const SCRIPT: &str = include_str!("../../../examples/multiserver_inventory.sql");
/// The job it creates.
const JOB_NAME: &str = "Fleet inventory";
/// Targets that the script names itself.
const SCRIPT_TARGETS: u16 = 3;
/// Login of the demo.
const LOGIN: &str = "sa";
/// Pause between two looks at the outcomes.
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// Looks before the demo gives up: a minute.
const LOOKS_MAX: u32 = 1_200;
/// Time a process has to end in order.
const STOP_PAUSES_MAX: u32 = 600;

pub(crate) fn run(args: &DemoArgs) -> ExitCode {
    match Demo::start(args).and_then(|mut demo| {
        let result = demo.play(args);
        demo.stop();
        result
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message),
    }
}

struct Instance {
    name: String,
    data: PathBuf,
    address: SocketAddr,
    process: Child,
}

struct Demo {
    directory: PathBuf,
    password: String,
    interrupted: Arc<AtomicBool>,
    instances: Vec<Instance>,
}

impl Demo {
    fn start(args: &DemoArgs) -> Result<Self, String> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))
                .map_err(|error| format!("watch for signals: {error}"))?;
        }
        let mark = format!("{:x}-{}", std::process::id(), args.listen.port());
        let mut demo = Self {
            directory: std::env::temp_dir().join(format!("muster-demo-{mark}")),
            password: server::random_password().map_err(|error| model::error_chain(&error))?,
            interrupted,
            instances: Vec::new(),
        };
        match demo.start_instances(args) {
            Ok(()) => Ok(demo),
            Err(message) => {
                demo.stop();
                Err(message)
            }
        }
    }

    fn start_instances(&mut self, args: &DemoArgs) -> Result<(), String> {
        say(&format!(
            "Starting a master and {} targets in {}",
            args.targets,
            self.directory.display()
        ));
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let names = (1..=args.targets).map(|i| (format!("TARGET{i}"), any));
        let starting: Vec<(String, PathBuf, Child)> = [("MASTER".to_owned(), args.listen)]
            .into_iter()
            .chain(names)
            .map(|(name, listen)| self.spawn(name, listen))
            .collect::<Result<_, _>>()?;
        for (name, data, mut process) in starting {
            let address = read_ready(&name, &mut process);
            self.instances.push(Instance {
                address: *address.as_ref().unwrap_or(&any),
                name,
                data,
                process,
            });
            address?;
        }
        Ok(())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the demo's whole purpose is to start instances"
    )]
    fn spawn(&self, name: String, listen: SocketAddr) -> Result<(String, PathBuf, Child), String> {
        let data = self.directory.join(name.to_lowercase());
        let log = self.directory.join(format!("{}.log", name.to_lowercase()));
        std::fs::create_dir_all(&self.directory)
            .map_err(|error| format!("make {}: {error}", self.directory.display()))?;
        let log = std::fs::File::create(&log)
            .map_err(|error| format!("make {}: {error}", log.display()))?;
        let process = Command::new(own_path()?)
            .arg("serve")
            .arg("--data")
            .arg(&data)
            .args(["--name", &name, "--listen", &listen.to_string()])
            .env("MUSTER_SA_PASSWORD", &self.password)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("start {name}: {error}"))?;
        Ok((name, data, process))
    }

    fn play(&mut self, args: &DemoArgs) -> Result<(), String> {
        for instance in &self.instances {
            say(&format!(
                "  {:<8} ready on {}",
                instance.name, instance.address
            ));
        }
        say("Making MASTER a master: an operator named MSXOperator");
        self.sql("EXEC msdb.dbo.sp_add_operator @name = N'MSXOperator', @email_address = N'dba@example.com'")?;
        say("Enlisting the targets with a one-time token");
        let token = self.token(args.targets)?;
        let master = self.master()?.address;
        for target in self.instances.iter().skip(1) {
            let request = Request::Enlist {
                master: format!("{},{}", master.ip(), master.port()),
                token: Some(token.clone()),
                login: None,
                password: None,
                location: Some(format!("demo, {}", target.name)),
                encryption: None,
            };
            let text = answer_text(ask(&target.data, &request))?;
            say(&format!("  {:<8} {text}", target.name));
        }
        say(&format!(
            "Creating the job {JOB_NAME:?} with examples/multiserver_inventory.sql, through muster sql"
        ));
        self.script(&script_for(args.targets))?;
        self.sql(&format!(
            "EXEC msdb.dbo.sp_start_job @job_name = N'{JOB_NAME}'"
        ))?;
        self.wait_for_outcomes(args.targets)?;
        say("\nTarget servers (muster targets):");
        self.show(tables::Table::Targets)?;
        say("\nHistory on the master (muster history):");
        self.show(tables::Table::History)?;
        if args.once {
            return Ok(());
        }
        let master = self.master()?;
        say(&format!(
            "\nEverything is up. Look around:\n  muster sql -S {ip},{port} -U {LOGIN} -P {password} -C\n  \
             muster history --data {data}\n  https://{ip}:{port}/\nCtrl-C ends the demo.",
            ip = master.address.ip(),
            port = master.address.port(),
            password = self.password,
            data = master.data.display(),
        ));
        while !self.interrupted.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_PAUSE);
        }
        Ok(())
    }

    fn master(&self) -> Result<&Instance, String> {
        self.instances
            .first()
            .ok_or_else(|| "there is no master".to_owned())
    }

    fn token(&self, uses: u16) -> Result<String, String> {
        let request = Request::TokenCreate {
            ttl_secs: 600,
            uses: u32::from(uses),
            location: None,
        };
        answer_text(ask(&self.master()?.data, &request))
    }

    fn wait_for_outcomes(&self, targets: u16) -> Result<(), String> {
        let sql = format!(
            "SELECT s.last_run_outcome FROM msdb.dbo.sysjobservers AS s
             JOIN msdb.dbo.sysjobs AS j ON j.job_id = s.job_id
             WHERE j.name = N'{JOB_NAME}' AND s.last_run_date > 0"
        );
        for _ in 0..LOOKS_MAX {
            let done = self
                .query(&sql)?
                .first()
                .map_or(0, |result| result.rows.len());
            if done >= usize::from(targets) {
                say(&format!("All {targets} outcomes are on the master"));
                return Ok(());
            }
            if self.interrupted.load(Ordering::Relaxed) {
                return Err("interrupted".to_owned());
            }
            std::thread::sleep(LOOK_PAUSE);
        }
        Err(format!(
            "not all outcomes arrived; the logs are in {}",
            self.directory.display()
        ))
    }

    fn query(&self, sql: &str) -> Result<Vec<ResultTable>, String> {
        let request = Request::Query {
            sql: sql.to_owned(),
        };
        match ask(&self.master()?.data, &request).map_err(|error| model::error_chain(&error))? {
            Answer::Results { results } => Ok(results),
            Answer::Text { text } => Err(text),
            Answer::Error { number, message } => Err(numbered(number, &message)),
        }
    }

    fn show(&self, table: tables::Table) -> Result<(), String> {
        let results = self.query(&tables::query(table, 100))?;
        say(&results.first().map(tables::text).unwrap_or_default());
        Ok(())
    }

    fn sql(&self, text: &str) -> Result<(), String> {
        self.muster_sql(&["-Q", text])
    }

    fn script(&self, text: &str) -> Result<(), String> {
        let path = self.directory.join("job.sql");
        std::fs::write(&path, text)
            .map_err(|error| format!("write {}: {error}", path.display()))?;
        self.muster_sql(&["-i", &path.to_string_lossy()])
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the demo runs the client as a user would"
    )]
    fn muster_sql(&self, rest: &[&str]) -> Result<(), String> {
        let master = self.master()?.address;
        let output = Command::new(own_path()?)
            .args([
                "sql",
                "-S",
                &format!("{},{}", master.ip(), master.port()),
                "-U",
                LOGIN,
                "-C",
                "-b",
            ])
            .args(rest)
            .env("SQLCMDPASSWORD", &self.password)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("run muster sql: {error}"))?;
        if output.status.success() {
            Ok(())
        } else {
            Err(format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ))
        }
    }

    /// Ends every process in order and removes what they wrote.
    fn stop(&mut self) {
        let mut clean = true;
        for instance in self.instances.iter_mut().rev() {
            if server::ask_to_stop(instance.process.id()).is_err() {
                clean = false;
            }
        }
        for instance in &mut self.instances {
            let mut pauses = 0;
            while !matches!(instance.process.try_wait(), Ok(Some(_)) | Err(_)) {
                pauses += 1;
                if pauses > STOP_PAUSES_MAX {
                    say(&format!("{} does not stop; killing it", instance.name));
                    clean = false;
                    // Already gone is as good.
                    let _ = instance.process.kill();
                    let _ = instance.process.wait();
                    break;
                }
                std::thread::sleep(LOOK_PAUSE);
            }
        }
        if clean {
            // What is left of a temporary directory harms nobody.
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }
}

fn say(text: &str) {
    // A closed pipe must not keep the demo from stopping its processes.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn own_path() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|error| format!("find this program: {error}"))
}

fn answer_text(answer: Result<Answer, server::control::ControlError>) -> Result<String, String> {
    match answer.map_err(|error| model::error_chain(&error))? {
        Answer::Text { text } => Ok(text),
        Answer::Results { .. } => Err("the instance answered something else".to_owned()),
        Answer::Error { number, message } => Err(numbered(number, &message)),
    }
}

/// The ready line's address.
fn read_ready(name: &str, process: &mut Child) -> Result<SocketAddr, String> {
    let mut line = String::new();
    if let Some(stdout) = process.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(|error| format!("read from {name}: {error}"))?;
    }
    serde_json::from_str::<serde_json::Value>(&line)
        .ok()
        .and_then(|ready| ready.get("address")?.as_str()?.parse().ok())
        .ok_or_else(|| format!("{name} did not start; see its log beside its data directory"))
}

/// The script for as many targets: lines that add absent ones go, further ones are added.
fn script_for(targets: u16) -> String {
    let absent = |line: &&str| {
        !(targets + 1..=SCRIPT_TARGETS).any(|i| line.contains(&format!("N'TARGET{i}'")))
    };
    let mut script: String = SCRIPT
        .lines()
        .filter(absent)
        .fold(String::new(), |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        });
    for i in SCRIPT_TARGETS + 1..=targets {
        script.push_str(&format!(
            "EXEC msdb.dbo.sp_add_jobserver @job_name = N'{JOB_NAME}', @server_name = N'TARGET{i}'\nGO\n"
        ));
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_names_exactly_the_targets_there_are() {
        for targets in [1, 2, 3, 5] {
            let script = script_for(targets);
            for i in 1..=6 {
                assert_eq!(
                    script.contains(&format!("N'TARGET{i}'")),
                    i <= targets,
                    "{targets} {i}"
                );
            }
        }
    }
}
