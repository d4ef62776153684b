//! What a command costs before it does its work: the process as a whole, held
//! against the quickest thing that Git does.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Bench, held, median, milliseconds};

const N_APPS: usize = 100;
const N_ROUNDS: usize = 40;

/// What is measured, its words, and its budget: as text, and whether a ratio and
/// the milliseconds of ours keep it.
#[expect(clippy::type_complexity, reason = "a table says it all")]
const COMMANDS: &[(&str, &str, &str, fn(f64, f64) -> bool)] = &[
    ("version", "version", "≤ 2", |ratio, _| ratio <= 2.0),
    ("get apps, 100 of them,", "get apps", "-", |_, _| true),
    ("plan of a Workload with 6 resources", EXPLAIN, "p50 < 50 ms", |_, ours| ours < 50.0),
];

/// Plans what is deployed, without Git.
const EXPLAIN: &str = "resources explain --all --app shop --env development";

pub(super) fn run(bench: &Bench) -> Result<()> {
    let home = "home-cli";
    bench.repository("cli.git", 10)?;
    bench.define(home, "cli.git")?;
    bench.score(0)?;
    bench.humctl(home, "score deploy --app shop --env development")?;
    for number in 1..N_APPS {
        bench.humctl(home, &format!("create app app-{number} --skip-environment-creation"))?;
    }
    for (what, words, budget, is_kept) in COMMANDS {
        // In turns, so that whatever else the machine does is in both.
        let (mut ours, mut git) = (Vec::new(), Vec::new());
        for _ in 0..N_ROUNDS {
            ours.push(time(|| bench.humctl(home, words))?);
            git.push(time(|| bench.git(&["--version"]))?);
        }
        let (ours, git) = (milliseconds(median(ours)), milliseconds(median(git)));
        let ratio = ours / git;
        let measured = format!("{ratio:.2} ({ours:.1} / {git:.1} ms)");
        held(&format!("{what} ÷ git --version"), &measured, budget, is_kept(ratio, ours));
    }
    Ok(())
}

fn time(run: impl FnOnce() -> Result<String>) -> Result<Duration> {
    let started = Instant::now();
    run()?;
    Ok(started.elapsed())
}
