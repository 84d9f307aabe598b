//! Real instances for tests: processes on free ports in a directory of their own, asked through their
//! control sockets as an administrator would.

#![allow(dead_code, reason = "each test program uses its own part")]

use server::control::{Answer, Request, ResultTable, ask};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Password of `sa` on every instance of a test.
pub const PASSWORD: &str = "Correct-Horse-7";
/// Bound on anything a test waits for; reached only when something is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(20);

/// A directory that goes when the test succeeds, and stays for a look when it fails.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new(what: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("muster-{what}-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A running instance; killed when dropped.
pub struct Instance {
    pub name: String,
    pub data: PathBuf,
    pub address: SocketAddr,
    process: Child,
    flags: Vec<String>,
}

impl Instance {
    pub fn start(scratch: &Scratch, name: &str) -> Self {
        Self::start_with(scratch, name, &[], &[])
    }

    pub fn start_with(
        scratch: &Scratch,
        name: &str,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let data = scratch.path().join(name.to_lowercase().replace('\\', "_"));
        let flags = flags.iter().map(|&f| f.to_owned()).collect();
        Self::launch(name, data, "127.0.0.1:0".parse().unwrap(), flags, variables)
            .unwrap_or_else(|log| panic!("{name} did not start: {log}"))
    }

    fn launch(
        name: &str,
        data: PathBuf,
        listen: SocketAddr,
        flags: Vec<String>,
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        std::fs::create_dir_all(data.parent().unwrap()).unwrap();
        let log_path = data.with_extension("log");
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log_path)
            .unwrap();
        let mut command = program();
        command
            .arg("serve")
            .arg("--data")
            .arg(&data)
            .args(["--name", name, "--listen", &listen.to_string()])
            .args(&flags)
            .env("MUSTER_SA_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        for (key, value) in variables {
            command.env(key, value);
        }
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let Ok(ready) = serde_json::from_str::<serde_json::Value>(&line) else {
            let _ = process.kill();
            let _ = process.wait();
            return Err(std::fs::read_to_string(log_path).unwrap_or_default());
        };
        assert_eq!(ready["ready"], true);
        Ok(Self {
            name: name.to_owned(),
            data,
            address: ready["address"].as_str().unwrap().parse().unwrap(),
            process,
            flags,
        })
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// `host,port` as T-SQL and `muster sql` name it.
    pub fn server(&self) -> String {
        format!("{},{}", self.address.ip(), self.address.port())
    }

    /// SIGKILL, then nothing until [`Instance::restart`].
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }

    /// SIGTERM; the exit status.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        server::ask_to_stop(self.process.id()).unwrap();
        wait_for(&format!("{} to stop", self.name), || {
            self.process.try_wait().unwrap()
        })
    }

    /// Whether the process has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    /// Starts again on the same directory and port.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    pub fn restart_with(&mut self, variables: &[(&str, &str)]) {
        self.kill();
        *self = wait_for(&format!("{} to start again", self.name), || {
            // The port may still be held by the connection that died with the process.
            Self::launch(
                &self.name,
                self.data.clone(),
                self.address,
                self.flags.clone(),
                variables,
            )
            .ok()
        });
    }

    /// Starts again with a crash point armed; false when it died of it before it was ready, and was started
    /// without.
    pub fn restart_armed(&mut self, point: &str) -> bool {
        self.kill();
        let variables = [("MUSTER_CRASH_POINT", point)];
        for _ in 0..20 {
            match Self::launch(
                &self.name,
                self.data.clone(),
                self.address,
                self.flags.clone(),
                &variables,
            ) {
                Ok(instance) => {
                    *self = instance;
                    return true;
                }
                // The port of the process that was killed may not be free yet: another reason, another try.
                Err(log)
                    if log
                        .trim_end()
                        .ends_with("Address already in use (os error 98)") => {}
                Err(_) => break,
            }
            std::thread::sleep(LOOK_PAUSE);
        }
        self.restart();
        false
    }

    pub fn ask(&self, request: &Request) -> Result<Answer, String> {
        ask(&self.data, request).map_err(|error| format!("{error:?}"))
    }

    /// Runs a batch as sysadmin; the result sets, or the error as (number, text).
    pub fn try_sql(&self, sql: &str) -> Result<Vec<ResultTable>, (i32, String)> {
        match self.ask(&Request::Query {
            sql: sql.to_owned(),
        }) {
            Ok(Answer::Results { results }) => Ok(results),
            Ok(Answer::Error { number, message }) => Err((number.unwrap_or(0), message)),
            Ok(Answer::Text { text }) => panic!("{text}"),
            Err(message) => Err((-1, message)),
        }
    }

    pub fn sql(&self, sql: &str) -> Vec<ResultTable> {
        self.try_sql(sql)
            .unwrap_or_else(|error| panic!("{}: {sql}: {error:?}", self.name))
    }

    /// First column of the first row.
    pub fn scalar(&self, sql: &str) -> String {
        let results = self.sql(sql);
        results[0].rows[0][0]
            .clone()
            .unwrap_or_else(|| "NULL".to_owned())
    }

    /// Makes a master of it.
    pub fn make_master(&self) {
        self.sql("EXEC msdb.dbo.sp_add_operator @name = N'MSXOperator', @email_address = N'dba@example.com'");
    }

    /// A token good for `uses` enlistments.
    pub fn token(&self, uses: u32) -> String {
        match self.ask(&Request::TokenCreate {
            ttl_secs: 600,
            uses,
            location: None,
        }) {
            Ok(Answer::Text { text }) => text,
            other => panic!("{other:?}"),
        }
    }

    /// As [`Instance::token`], from an instance that may be dying.
    pub fn try_token(&self, uses: u32) -> Option<String> {
        let request = Request::TokenCreate {
            ttl_secs: 600,
            uses,
            location: None,
        };
        match self.ask(&request) {
            Ok(Answer::Text { text }) => Some(text),
            Ok(Answer::Results { .. } | Answer::Error { .. }) | Err(_) => None,
        }
    }

    pub fn try_enlist(&self, master: &Self, token: &str) -> Result<String, (i32, String)> {
        let request = Request::Enlist {
            master: master.server(),
            token: Some(token.to_owned()),
            login: None,
            password: None,
            location: None,
            encryption: None,
        };
        match self.ask(&request) {
            Ok(Answer::Text { text }) => Ok(text),
            Ok(Answer::Error { number, message }) => Err((number.unwrap_or(0), message)),
            Ok(Answer::Results { .. }) => panic!("rows for an enlistment"),
            Err(message) => Err((-1, message)),
        }
    }

    pub fn enlist(&self, master: &Self) {
        let token = master.token(1);
        self.try_enlist(master, &token)
            .unwrap_or_else(|error| panic!("{}: {error:?}", self.name));
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Resident memory of a process, as `ps` shows it.
pub fn resident_kb(process: u32) -> u64 {
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

/// The program under test.
#[expect(clippy::disallowed_methods, reason = "tests start the program itself")]
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_muster"))
}

/// Looks until there is something to see; panics when patience ends.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's patience is measured in real time"
)]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(LOOK_PAUSE);
    }
}

/// Looks until a condition holds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || holds().then_some(()));
}

/// T-SQL that creates a multiserver job of one CmdExec step for some targets, in one transaction.
pub fn job_script(name: &str, command: &str, targets: &[&str]) -> String {
    let servers: String = targets
        .iter()
        .map(|t| {
            format!(
                "EXEC msdb.dbo.sp_add_jobserver @job_name = N'{name}', @server_name = N'{t}';\n"
            )
        })
        .collect();
    format!(
        "BEGIN TRANSACTION;
         EXEC msdb.dbo.sp_add_job @job_name = N'{name}', @owner_login_name = N'sa';
         EXEC msdb.dbo.sp_add_jobstep @job_name = N'{name}', @step_name = N'only', @subsystem = N'CmdExec', @command = N'{}';
         {servers}COMMIT;",
        command.replace('\'', "''")
    )
}
