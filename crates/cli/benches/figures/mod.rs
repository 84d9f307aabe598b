//! What the benchmarks share: printing a figure beside its goal, and a connection to measure over.

#![allow(dead_code, reason = "each benchmark uses its own part")]

pub mod bare_store;
pub mod wire;

use super::harness::{Instance, PASSWORD};
use server::identity::tls::{EncryptionOption, Trust};
use server::tds_front::client::{ClientOptions, SqlClient};
use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};
use tds::reply::Event;
use tokio::runtime::{Builder, Runtime};
use tsql::{Row, Value};

/// The figures of one benchmark, as the command line asks for them.
pub struct Figures {
    wanted: Vec<String>,
    missed: usize,
    taken: usize,
}

impl Figures {
    /// Figures whose names contain one of the words after `--bench`, all where there is none; `None` when
    /// this is not a benchmark run (`cargo test --benches` starts it too).
    pub fn from_arguments() -> Option<Self> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if !arguments.iter().any(|argument| argument == "--bench") {
            return None;
        }
        println!("{}", machine());
        Some(Self {
            wanted: arguments
                .into_iter()
                .filter(|argument| !argument.starts_with("--"))
                .collect(),
            missed: 0,
            taken: 0,
        })
    }

    /// Whether a group of figures is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|word| name.contains(word.as_str()))
    }

    /// A figure that should not be above its goal.
    pub fn at_most(&mut self, what: &str, value: f64, goal: f64, unit: &str, detail: &str) {
        self.line(what, value, goal, "<=", unit, detail, value <= goal);
    }

    /// A figure that should not be below its goal.
    pub fn at_least(&mut self, what: &str, value: f64, goal: f64, unit: &str, detail: &str) {
        self.line(what, value, goal, ">=", unit, detail, value >= goal);
    }

    #[expect(clippy::too_many_arguments, reason = "a line has its columns")]
    fn line(
        &mut self,
        what: &str,
        value: f64,
        goal: f64,
        sign: &str,
        unit: &str,
        detail: &str,
        met: bool,
    ) {
        let word = if met { "met   " } else { "MISSED" };
        self.taken += 1;
        self.missed += usize::from(!met);
        println!("{word} {what}: {value:.2} {unit} (goal {sign} {goal} {unit}); {detail}");
    }

    /// The last line.
    pub fn finish(self) {
        println!(
            "{} of {} figures met; {}",
            self.taken - self.missed,
            self.taken,
            machine()
        );
    }
}

/// The machine and how busy it is, which is part of every figure.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| {
            Some(
                line.strip_prefix("model name")?
                    .split_once(": ")?
                    .1
                    .to_owned(),
            )
        })
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split(' ').take(3).collect();
    format!(
        "machine: {cores} x {cpu}, Linux {}, load {}",
        read("/proc/sys/kernel/osrelease").trim(),
        load.join(" ")
    )
}

/// Median and 99th percentile.
pub fn median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A logged-in connection that blocks, under TLS.
pub struct Sql {
    runtime: Runtime,
    client: SqlClient,
}

impl Sql {
    pub fn connect(instance: &Instance) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let ip = instance.address.ip().to_string();
        let options = ClientOptions {
            database: Some("msdb".to_owned()),
            trust: Trust {
                option: EncryptionOption::Encrypt,
                authorities: Vec::new(),
                pin: None,
            },
            ..ClientOptions::new(ip, instance.address.port(), "sa", PASSWORD)
        };
        let client = runtime.block_on(SqlClient::connect(&options)).unwrap();
        Self { runtime, client }
    }

    /// Runs a batch; its rows. Panics on an error of the batch.
    pub fn rows(&mut self, sql: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        let done = self.client.batch(sql, |event| {
            match event {
                Event::Row(row) => rows.push(row),
                Event::Message(message) => assert!(!message.is_error(), "{sql}: {message:?}"),
                _ => {}
            }
            ControlFlow::Continue(())
        });
        self.runtime.block_on(done).unwrap();
        rows
    }

    /// How long a batch takes, its rows received; and how many these were.
    pub fn timed(&mut self, sql: &str) -> (Duration, usize) {
        let begun = Instant::now();
        let rows = self.rows(sql).len();
        (begun.elapsed(), rows)
    }

    /// First column of the first row.
    pub fn number(&mut self, sql: &str) -> i64 {
        match self.rows(sql)[0][0] {
            Value::Int(number) => i64::from(number),
            Value::BigInt(number) => number,
            ref other => panic!("{sql}: {other:?}"),
        }
    }
}

/// The cheapest durable commits there are: a page written over another, where no block has to be found for it.
pub struct Commits {
    file: File,
    next: u64,
}

/// Size of a commit: one page.
const COMMIT_BYTES: usize = 4_096;
/// Pages that are written over by turns.
const COMMIT_PAGES: u64 = 256;

impl Commits {
    pub fn new(path: &Path) -> Self {
        let file = File::create(path).unwrap();
        for page in 0..COMMIT_PAGES {
            file.write_all_at(&[1; COMMIT_BYTES], page * COMMIT_BYTES as u64)
                .unwrap();
        }
        file.sync_all().unwrap();
        Self { file, next: 0 }
    }

    pub fn commit(&mut self) {
        let at = self.next % COMMIT_PAGES * COMMIT_BYTES as u64;
        self.next += 1;
        self.file.write_all_at(&[2; COMMIT_BYTES], at).unwrap();
        self.file.sync_data().unwrap();
    }
}
