//! The house's inner walls, read from `cargo metadata`: which crate may depend on which, and that the pure
//! core names no runtime, socket, file or clock.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on panics, and its modules are its own"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each crate may depend on within the house.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("schedule", &["model"]),
    ("tsql", &[]),
    ("tds", &["tsql"]),
    ("agent", &["model", "schedule"]),
    ("fleet", &["model"]),
    ("catalog", &["model", "schedule"]),
    ("engine", &["tsql"]),
    ("msdb", &["model", "schedule", "tsql", "engine", "catalog"]),
    ("exec", &["model"]),
    ("console", &[]),
    (
        "server",
        &[
            "model", "schedule", "tds", "tsql", "agent", "fleet", "catalog", "engine", "msdb",
            "exec", "console",
        ],
    ),
    ("cli", &["model", "server", "tds", "tsql", "exec", "engine"]),
    ("sim", &["model", "schedule", "agent", "fleet"]),
];

/// Crates that decide and must not act.
const PURE: &[&str] = &["model", "schedule", "tds", "tsql", "agent", "fleet"];
/// Libraries the pure core may use.
const PURE_LIBRARIES: &[&str] = &[
    "jiff",
    "md-5",
    "prost",
    "roxmltree",
    "sha1",
    "sha2",
    "thiserror",
    "uuid",
];
/// Paths that act, which no source file of the pure core names outside its tests.
const ACTING_PATHS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "tokio::",
];

fn metadata() -> serde_json::Value {
    #[expect(clippy::disallowed_methods, reason = "the test asks cargo")]
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Dependencies of each crate for its own code, tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    metadata()["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let names = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| dependency["name"].as_str().unwrap().to_owned())
                .collect();
            (package["name"].as_str().unwrap().to_owned(), names)
        })
        .collect()
}

#[test]
fn dependencies_point_inwards() {
    let house: BTreeSet<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    for (name, dependencies) in dependencies() {
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} has no place in the map"));
        for dependency in &dependencies {
            assert!(
                !house.contains(dependency.as_str()) || allowed.contains(&dependency.as_str()),
                "{name} must not know {dependency}"
            );
            assert!(
                !PURE.contains(&name.as_str())
                    || house.contains(dependency.as_str())
                    || PURE_LIBRARIES.contains(&dependency.as_str()),
                "{name} is pure and must not use {dependency}"
            );
        }
    }
}

#[test]
fn the_pure_core_does_not_act() {
    for name in PURE {
        let mut folders = vec![root().join("crates").join(name).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.file_stem().is_some_and(|stem| stem == "tests") {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                for acting in ACTING_PATHS {
                    assert!(!code.contains(acting), "{} names {acting}", path.display());
                }
            }
        }
    }
}
