//! Three years of a thousand sites, with a CA that fails, moves its dates and counts, a clock that
//! jumps and a process that is restarted every hour: nothing may lapse, and no limit of the CA may be
//! exceeded.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and this one prints its figures"
)]

mod authority;
mod dice;
mod troubles;
mod world;

use std::thread;

use world::{Figures, World};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Lifetimes as Let's Encrypt's profiles have them: `shortlived`, `tlsserver` and `classic`.
const LIVES: [(&str, u64); 3] =
    [("6 days", 160 * HOUR), ("45 days", 45 * DAY), ("90 days", 90 * DAY)];

/// A third of the sites has certificates of each kind, so that they are a thousand in all.
const SITES: [usize; 3] = [334, 333, 333];

fn simulate(renewal_info: bool) {
    let runs: Vec<_> = LIVES
        .into_iter()
        .zip(SITES)
        .map(|((name, life), sites)| {
            thread::spawn(move || (name, World::new(sites, life, renewal_info).run(3 * 365)))
        })
        .collect();
    let figures: Vec<(&str, Figures)> = runs.into_iter().map(|run| run.join().unwrap()).collect();
    println!("1,000 sites, 3 years, renewal information: {renewal_info}");
    for (name, figures) in &figures {
        println!("  {name:>7}: {figures}");
    }
    for (name, figures) in &figures {
        figures.check(name);
    }
}

#[test]
fn three_years_without_renewal_information() {
    simulate(false);
}

#[test]
fn three_years_with_renewal_information_and_mass_revocations() {
    simulate(true);
}
