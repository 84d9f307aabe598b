//! A fleet whose nodes break a rule is caught: the checker can fail.

use sim::{Broken, Options, simulate};

/// Seeds in which a broken node has to be found.
const SEEDS: u64 = 150;

#[test]
fn every_broken_node_is_caught() {
    let mut uncaught = Vec::new();
    for broken in Broken::ALL {
        let plain = Options {
            broken,
            ..Options::default()
        };
        let options = if broken == Broken::ForgetsRestore {
            // It takes a restore between a definition and its cursor.
            Options {
                faults_per_hour: 60,
                acts_per_hour: 60,
                restores_permille: 200,
                ..plain
            }
        } else {
            plain
        };
        match (1..=SEEDS).find_map(|seed| simulate(seed, &options).err()) {
            Some(violation) => println!("{broken:?}: {violation}"),
            None => uncaught.push(broken),
        }
    }
    assert!(
        uncaught.is_empty(),
        "not caught within {SEEDS} seeds: {uncaught:?}"
    );
}
