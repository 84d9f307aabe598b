//! Fixed seeds, fresh seeds, and that a seed repeats.
//!
//! A failure prints its seed; `MUSTER_SIM_SEED=<seed> cargo test -p sim --test seeds one_seed` runs it again.
//! `MUSTER_SIM_TRACE=1` shows what happened before. `MUSTER_SIM_FRESH=<count>` runs so many fresh seeds.

use sim::{Options, simulate};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Seeds that once found something, or stand for a kind of trouble.
const FIXED: [u64; 20] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
];
/// Fresh seeds of each test run.
const FRESH_DEFAULT: u64 = 200;

fn check(seeds: impl Iterator<Item = u64>) {
    let seeds: Vec<u64> = seeds.collect();
    // Two cores are what there is everywhere.
    let (left, right) = seeds.split_at(seeds.len() / 2);
    std::thread::scope(|scope| {
        for half in [left, right] {
            scope.spawn(move || {
                for seed in half {
                    let options = Options {
                        trace: std::env::var_os("MUSTER_SIM_TRACE").is_some(),
                        ..Options::default()
                    };
                    if let Err(violation) = simulate(*seed, &options) {
                        let trace = violation.trace.join("\n");
                        panic!(
                            "{trace}\n{violation}\nrun it again: MUSTER_SIM_SEED={seed} cargo test -p sim --test seeds one_seed"
                        );
                    }
                }
            });
        }
    });
}

#[test]
fn fixed_seeds() {
    check(FIXED.into_iter());
}

#[test]
fn fresh_seeds() {
    let count = std::env::var("MUSTER_SIM_FRESH")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(FRESH_DEFAULT);
    let base = RandomState::new().build_hasher().finish();
    println!("fresh seeds from {base}");
    check((0..count).map(|n| base.wrapping_add(n)));
}

#[test]
fn one_seed() {
    if let Some(seed) = std::env::var("MUSTER_SIM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        check(std::iter::once(seed));
    }
}

/// Where nothing goes wrong, a connected target hears of every change at once, not at its next poll.
#[test]
fn a_calm_fleet_is_prompt() {
    for seed in 1..=20 {
        let options = Options {
            acts_per_hour: 1_000,
            ..Options::calm(3, 1)
        };
        if let Err(violation) = simulate(seed, &options) {
            panic!("{violation}");
        }
    }
}

/// A fleet in which nothing happens proves nothing.
#[test]
fn every_trouble_happens() {
    let mut sums = [
        ("crashes", 0),
        ("restores", 0),
        ("resyncs", 0),
        ("blocks", 0),
        ("refused orders", 0),
        ("missed moments", 0),
        ("protocol errors", 0),
        ("failed writes", 0),
        ("defections", 0),
        ("launches", 0),
        ("rows", 0),
    ];
    for seed in FIXED {
        let stats = simulate(seed, &Options::default()).expect("checked above");
        let numbers = [
            stats.crashes,
            stats.restores,
            stats.resyncs,
            stats.blocks,
            stats.refused_orders,
            stats.missed,
            stats.protocol_errors,
            stats.failed_writes,
            stats.defections,
            stats.launches,
            stats.rows,
        ];
        for ((_, sum), number) in sums.iter_mut().zip(numbers) {
            *sum += number;
        }
    }
    println!("{sums:?}");
    assert!(sums.iter().all(|(_, sum)| *sum > 0), "{sums:?}");
}

#[test]
fn a_seed_repeats() {
    let options = Options {
        hours: 2,
        ..Options::default()
    };
    for seed in [3, 4] {
        assert_eq!(simulate(seed, &options), simulate(seed, &options));
    }
}
