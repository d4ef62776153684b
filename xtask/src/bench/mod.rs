//! The budgets of the design, printed beside what is measured here.
//!
//! A release build and a `file://` repository. The numbers are for people:
//! nothing fails when one is missed.

mod cli;
mod git;
mod plan;
mod render;
mod seed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{program, root, say};
use anyhow::{Context as _, Result, ensure};

/// Runs all benchmarks, or the named one: `cli`, `plan`, `render` or `git`.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    ensure!(matches!(name, None | Some("cli" | "plan" | "render" | "git")), "known are cli, plan, render and git");
    // Only what plans in this process needs it to be a release build, too.
    let is_measured_here = matches!(name, None | Some("plan" | "render"));
    let own = if is_measured_here { &["--package", "xtask"][..] } else { &[] };
    // Built together, so that both have the same features and share their builds.
    say("building (release) …\n");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "humctl-cli"])
        .args(own)
        .current_dir(root())
        .status()?;
    ensure!(built.success(), "the release build failed");
    if cfg!(debug_assertions) && is_measured_here {
        let xtask = program("release", "xtask");
        let status = Command::new(&xtask).arg("bench").args(name).current_dir(root()).status()?;
        ensure!(status.success(), "{} ended with {status}", xtask.display());
        return Ok(());
    }
    let bench = Bench { humctl: program("release", "humctl"), directory: tempfile::tempdir()? };
    let is_wanted = |one: &str| name.is_none_or(|name| name == one);
    if is_wanted("cli") {
        cli::run(&bench)?;
    }
    if is_wanted("plan") {
        plan::run(&bench)?;
    }
    if is_wanted("render") {
        plan::render()?;
        render::run(&bench)?;
    }
    if is_wanted("git") {
        git::run(&bench)?;
    }
    Ok(())
}

fn row(what: &str, measured: &str, budget: &str) {
    say(&format!("{what:<62} {measured:>22}   budget {budget}\n"));
}

/// A row that says when its budget is not kept.
fn held(what: &str, measured: &str, budget: &str, is_kept: bool) {
    row(what, measured, &format!("{budget}{}", if is_kept { "" } else { ", missed" }));
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The shortest of several runs.
fn best(n_runs: u32, mut run: impl FnMut() -> Result<()>) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..n_runs {
        let started = Instant::now();
        run()?;
        best = best.min(started.elapsed());
    }
    Ok(best)
}

/// The middle of several measurements.
fn median<T: Ord + Copy + Default>(mut all: Vec<T>) -> T {
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}

struct Bench {
    humctl: PathBuf,
    directory: tempfile::TempDir,
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, program: &Path, home: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path(home))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .stdin(Stdio::null());
        command
    }

    fn check(&self, program: &Path, home: &str, arguments: &[&str]) -> Result<String> {
        let output = self.command(program, home, arguments).output().context("cannot run")?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{} {}: {text}", program.display(), arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        self.check(Path::new("git"), "home", arguments)
    }

    /// The most memory that a command of ours held, in kB.
    fn peak_memory(&self, home: &str, arguments: &[&str]) -> Result<u64> {
        let mut child = self.command(&self.humctl, home, arguments).stdout(Stdio::null()).spawn()?;
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait()?.is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(peak);
        }
        Ok(peak)
    }

    fn humctl(&self, home: &str, words: &str) -> Result<String> {
        self.check(&self.humctl, home, &words.split(' ').collect::<Vec<_>>())
    }
}
