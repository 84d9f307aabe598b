//! What the operating system tells of the computer, the process and its files, for the system views.
//!
//! Whatever it does not tell is 0 or empty: no question about the computer fails.

use engine::databases::DatabaseInfo;
use msdb::services::{DataFile, FileKind, Machine, Volume};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Longest file that is read to learn about the computer.
const FACTS_BYTES_MAX: u64 = 256 * 1024;
/// Number of the database msdb, whose rows lie in the catalog's own files.
const MSDB: i32 = 4;

/// The computer and the process as they are now.
#[must_use]
pub fn machine() -> Machine {
    let memory = table(&read("/proc/meminfo"), ':');
    let status = table(&read("/proc/self/status"), ':');
    let release = table(&read("/etc/os-release"), '=');
    let kilobytes = |facts: &HashMap<String, String>, key: &str| {
        let value = facts.get(key).and_then(|value| value.split(' ').next());
        value.and_then(|value| value.parse().ok()).unwrap_or(0)
    };
    let word = |key: &str| {
        let value = release.get(key).map(|value| value.trim_matches('"'));
        value.unwrap_or_default().to_owned()
    };
    let of_memory = |key: &str| -> u64 { kilobytes(&memory, key) };
    let total = of_memory("MemTotal");
    let available = of_memory("MemAvailable");
    let (user, kernel) = process_times();
    Machine {
        processors: std::thread::available_parallelism()
            .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
        distribution: word("NAME"),
        release: word("VERSION_ID"),
        memory_kb: total,
        memory_available_kb: available,
        commit_limit_kb: total.saturating_add(of_memory("SwapTotal")),
        commit_available_kb: available.saturating_add(of_memory("SwapFree")),
        cache_kb: of_memory("Cached"),
        process_resident_kb: kilobytes(&status, "VmRSS"),
        process_virtual_kb: kilobytes(&status, "VmSize"),
        process_user: user,
        process_kernel: kernel,
        program: std::env::current_exe()
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
        account: account(crate::platform::current_user()),
        uptime: uptime(),
    }
}

/// The files of databases, each with its log where there is one.
#[must_use]
pub fn files(data_directory: &Path, databases: &Path, list: &[DatabaseInfo]) -> Vec<DataFile> {
    let mut found = Vec::new();
    for info in list {
        if info.id == MSDB {
            add(
                &mut found,
                info,
                "MSDBData",
                &data_directory.join("msdb.db"),
            );
            add(
                &mut found,
                info,
                "MSDBRuns",
                &data_directory.join("runs.db"),
            );
            add(
                &mut found,
                info,
                "MSDBObjects",
                &databases.join(format!("{MSDB}.db")),
            );
        } else {
            let path = databases.join(format!("{}.db", info.id));
            add(&mut found, info, &info.name, &path);
        }
    }
    found
}

/// Adds a file and its write-ahead log, as far as they exist.
fn add(found: &mut Vec<DataFile>, info: &DatabaseInfo, name: &str, path: &Path) {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let both = [
        (name.to_owned(), path.to_owned(), FileKind::Rows),
        (format!("{name}_log"), log.into(), FileKind::Log),
    ];
    for (name, path, kind) in both {
        if let Ok(facts) = fs::metadata(&path) {
            found.push(DataFile {
                database: info.name.clone(),
                name,
                path: path.display().to_string(),
                kind,
                bytes: facts.len(),
            });
        }
    }
}

/// The file system that a path lies on.
#[must_use]
pub fn volume(path: &str) -> Option<Volume> {
    let facts = rustix::fs::statvfs(path).ok()?;
    let unit = facts.f_frsize;
    Some(Volume {
        mount: mount_of(Path::new(path)),
        total: facts.f_blocks.saturating_mul(unit),
        available: facts.f_bavail.saturating_mul(unit),
        read_only: facts.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    })
}

/// The uppermost directory on the same device as a path.
fn mount_of(path: &Path) -> String {
    let device = |path: &Path| rustix::fs::stat(path).ok().map(|facts| facts.st_dev);
    let own = device(path);
    let mut top = path;
    for above in path.ancestors() {
        if own.is_none() || device(above) != own {
            break;
        }
        top = above;
    }
    top.display().to_string()
}

/// As much of a small file as is worth reading; empty when there is none.
fn read(path: &str) -> String {
    use std::io::Read as _;
    let mut text = String::new();
    if let Ok(file) = fs::File::open(path) {
        // What was read before an error still counts.
        let _read = file.take(FACTS_BYTES_MAX).read_to_string(&mut text);
    }
    text
}

/// Lines of `key<separator>value`.
fn table(text: &str, separator: char) -> HashMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once(separator))
        .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// Processor time of the process outside and in the kernel.
fn process_times() -> (Duration, Duration) {
    let text = read("/proc/self/stat");
    // The program's name stands in brackets and may hold anything; the numbers follow the last bracket.
    let numbers = text.rsplit(')').next().unwrap_or_default();
    let ticks_per_second = rustix::param::clock_ticks_per_second().max(1);
    let at = |place: usize| {
        let ticks = numbers.split_whitespace().nth(place);
        let ticks: u64 = ticks.and_then(|ticks| ticks.parse().ok()).unwrap_or(0);
        Duration::from_millis(ticks.saturating_mul(1000) / ticks_per_second)
    };
    // Fields 14 and 15 of the file; the first two stand before the bracket.
    (at(11), at(12))
}

fn uptime() -> Duration {
    let text = read("/proc/uptime");
    let seconds = text
        .split(' ')
        .next()
        .and_then(|text| text.parse::<f64>().ok());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .unwrap_or_default()
}

/// Name of a user of the system; the number when it has none.
fn account(user: u32) -> String {
    let text = read("/etc/passwd");
    let named = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == user).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| user.to_string())
}

/// Processor time that the calling thread has taken so far.
#[must_use]
pub fn thread_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_of_itself() {
        let facts = machine();
        assert!(facts.processors >= 1);
        assert!(facts.memory_kb > 0 && facts.memory_available_kb <= facts.memory_kb);
        assert!(facts.process_resident_kb > 0);
        assert!(facts.uptime > Duration::ZERO);
        assert!(!facts.program.is_empty() && !facts.account.is_empty());
        let before = thread_time();
        let mut sum = 0_u64;
        while thread_time() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(thread_time() > before);
    }

    #[test]
    fn files_are_those_that_exist() {
        let directory = std::env::temp_dir().join(format!("muster-files-{}", uuid::Uuid::new_v4()));
        let databases = directory.join("databases");
        fs::create_dir_all(&databases).unwrap();
        fs::write(directory.join("msdb.db"), [0; 10]).unwrap();
        fs::write(directory.join("msdb.db-wal"), [0; 4]).unwrap();
        fs::write(databases.join("5.db"), [0; 7]).unwrap();
        let info = |id, name: &str| DatabaseInfo {
            id,
            name: name.to_owned(),
            created: 0,
            owner_sid: vec![1],
        };
        let list = [info(1, "master"), info(4, "msdb"), info(5, "tools")];
        let found = files(&directory, &databases, &list);
        let found: Vec<_> = found
            .iter()
            .map(|file| {
                (
                    file.database.as_str(),
                    file.name.as_str(),
                    file.kind,
                    file.bytes,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("msdb", "MSDBData", FileKind::Rows, 10),
                ("msdb", "MSDBData_log", FileKind::Log, 4),
                ("tools", "tools", FileKind::Rows, 7),
            ]
        );
        let room = volume(directory.to_str().unwrap()).unwrap();
        assert!(room.available <= room.total && room.mount.starts_with('/'));
        fs::remove_dir_all(&directory).unwrap();
    }
}
