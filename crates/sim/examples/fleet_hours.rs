//! How many hours of a fleet one second of CPU simulates.
//!
//! `cargo run --release -p sim --example fleet_hours -- [targets] [hours]`

#![expect(
    clippy::print_stdout,
    reason = "the figure is what this program is for"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "it measures real time; one thread, so elapsed time is an upper bound of CPU time"
)]

use sim::{Options, simulate};
use std::time::Instant;

/// Virtual hours that a simulation adds after `Options::hours`.
const SETTLING_HOURS: u64 = 3;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let mut number = |default| match arguments.next() {
        Some(Ok(number)) => number,
        Some(Err(_)) | None => default,
    };
    let targets = number(100);
    let hours = number(24);
    let options = Options::calm(usize::try_from(targets).unwrap_or(100), hours);
    let begun = Instant::now();
    let result = simulate(1, &options);
    let seconds = begun.elapsed().as_secs_f64();
    match result {
        Ok(stats) => {
            let simulated = u32::try_from(hours + SETTLING_HOURS).unwrap_or(u32::MAX);
            println!(
                "{targets} targets, {simulated} hours in {seconds:.2} s: {:.1} fleet hours a second\n{stats:?}",
                f64::from(simulated) / seconds
            );
        }
        Err(violation) => println!("{violation}"),
    }
}
