//! Everything that fuzzing has found worth keeping, run through the fuzz targets' own bodies.

#[path = "../../../fuzz/bodies.rs"]
mod bodies;

use std::path::Path;

/// Runs a target's body over its corpus; a panic names the file.
fn replay(target: &str, body: fn(&[u8])) {
    replay_directory(&format!("fuzz/corpus/{target}"), body);
    for data in [&[][..], &[0], &[0xFF; 64]] {
        body(data);
    }
}

/// Runs a target's body over the files of a directory of the project.
fn replay_directory(directory: &str, body: fn(&[u8])) {
    struct Name(std::path::PathBuf);
    impl Drop for Name {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("while replaying {}", self.0.display());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut replayed = 0;
    for entry in std::fs::read_dir(root.join(directory)).expect("a corpus for each target") {
        let path = entry.expect("a readable directory").path();
        let data = std::fs::read(&path).expect("a readable file");
        let _name = Name(path);
        body(&data);
        replayed += 1;
    }
    assert!(replayed > 0, "{directory} is empty");
}

#[test]
fn tds_before_login() {
    replay("tds_before_login", bodies::tds_before_login);
}

#[test]
fn login_record() {
    replay("login_record", bodies::login_record);
}

#[test]
fn tds_after_login() {
    replay("tds_after_login", bodies::tds_after_login);
}

#[test]
fn rpc() {
    replay("rpc", bodies::rpc);
}

#[test]
fn bulk_load() {
    replay("bulk_load", bodies::bulk_load);
}

#[test]
fn tds_answer() {
    replay("tds_answer", bodies::tds_answer);
}

#[test]
fn tsql() {
    replay("tsql", bodies::tsql);
    // The scripts that everything else is tried with are the other half of its corpus.
    replay_directory("examples", bodies::tsql);
}

#[test]
fn fleet_frames() {
    replay("fleet_frames", bodies::fleet_frames);
}
