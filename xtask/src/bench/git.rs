//! Deployments into a `file://` repository, held against what stock Git needs
//! for the same when a sensible script calls it.
//!
//! Both go into one repository in turns, so that each fetches what the other
//! has pushed, and whatever else the machine does is in both.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Bench, best, held, median, milliseconds, row};

const DEPLOY: &str = "score deploy --app shop --env development";

pub(super) fn run(bench: &Bench) -> Result<()> {
    for (n_files, n_warm, n_cold) in [(100, 25, 9), (10_000, 15, 5), (100_000, 9, 3)] {
        let site = Site::new(bench, n_files)?;
        site.compare("warm", n_warm, false)?;
        site.compare("cold", n_cold, true)?;
        site.processes("warm", 9, false)?;
        site.processes("cold", 3, true)?;
        if n_files == 100 {
            site.unchanged()?;
        }
    }
    bench.concurrent(50)
}

/// A repository with a user of ours and one of stock Git.
struct Site<'b> {
    bench: &'b Bench,
    n_files: usize,
    home: String,
    /// The cache of the script.
    cache: String,
    url: String,
}

/// What one side took.
#[derive(Default)]
struct Taken {
    times: Vec<Duration>,
    /// Bytes that came into its cache.
    bytes: Vec<u64>,
}

impl<'b> Site<'b> {
    fn new(bench: &'b Bench, n_files: usize) -> Result<Self> {
        let (repository, home) = (format!("r{n_files}.git"), format!("home{n_files}"));
        bench.repository(&repository, n_files)?;
        bench.define(&home, &repository)?;
        let url = format!("file://{}", bench.path(&repository).display());
        let site = Self { bench, n_files, cache: format!("cache{n_files}.git"), home, url };
        site.script(0)?;
        site.ours(0)?;
        Ok(site)
    }

    /// Measures both in turns; without their caches when it is to be cold.
    fn compare(&self, what: &str, n_rounds: usize, is_cold: bool) -> Result<()> {
        let (mut ours, mut script) = (Taken::default(), Taken::default());
        for round in 1..=n_rounds {
            let number = round + if is_cold { 1000 } else { 0 };
            ours.measure(&self.ours_cache(), is_cold, || self.ours(number))?;
            script.measure(&self.bench.path(&self.cache), is_cold, || self.script(number))?;
        }
        let (our_bytes, script_bytes) = (median(ours.bytes), median(script.bytes));
        let (ours, script) = (milliseconds(median(ours.times)), milliseconds(median(script.times)));
        let ratio = ours / script;
        held(
            &format!("{what} deploy into {} files ÷ stock git", self.n_files),
            &format!("{ratio:.2} ({ours:.0} / {script:.0} ms)"),
            "≤ 1.3",
            ratio <= 1.3,
        );
        let measured = format!("{} / {} KiB", our_bytes / 1024, script_bytes / 1024);
        row(&format!("  what that adds to the cache, ours / stock git, {what}"), &measured, "-");
        Ok(())
    }

    fn ours(&self, number: usize) -> Result<()> {
        self.bench.score(number)?;
        self.bench.humctl(&self.home, DEPLOY).map(drop)
    }

    fn ours_cache(&self) -> PathBuf {
        self.bench.path(&self.home).join(".cache/humctl")
    }

    /// Fetch, fast-import, push and ls-remote, as a script keeps a cache.
    fn script(&self, number: usize) -> Result<()> {
        let content = "x".repeat(900);
        let mut stream =
            String::from("commit refs/x/work\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\nfrom refs/x/tip\n");
        for file in 0..2 {
            let n_bytes = content.len() + 4;
            stream.push_str(&format!("M 100644 inline floor/dev/f{file}\ndata {n_bytes}\n{content}{number:04}\n"));
        }
        fs::write(self.bench.path("floor"), stream)?;
        let script = format!(
            "set -e
            if [ ! -d {cache} ]; then
              git init --quiet --bare {cache}
              git -C {cache} config remote.origin.url {url}
              depth=--depth=1
            fi
            git -C {cache} fetch --quiet --no-tags --filter=blob:none $depth origin +refs/heads/main:refs/x/tip
            git -C {cache} fast-import --quiet --force < floor
            git -C {cache} push --quiet origin refs/x/work:refs/heads/main
            git -C {cache} ls-remote origin refs/heads/main",
            cache = self.cache,
            url = self.url,
        );
        self.bench.check(Path::new("sh"), "home", &["-c", &script]).map(drop)
    }

    /// Counts the processes of a deployment, and where its time goes. Each `git`
    /// writes its own trace, which costs time, so nothing else is measured here.
    fn processes(&self, what: &str, n_rounds: usize, is_cold: bool) -> Result<()> {
        let log = self.bench.path("trace");
        let programs = self.bench.path("programs");
        fs::create_dir_all(&programs)?;
        let git = self.bench.check(Path::new("sh"), "home", &["-c", "command -v git"])?;
        // The environment of the children is of our own making, so the wrapper has to set the variable.
        let wrapper = programs.join("git");
        fs::write(&wrapper, format!("#!/bin/sh\nGIT_TRACE2_EVENT={} exec {git} \"$@\"\n", log.display()))?;
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        let words: Vec<&str> = DEPLOY.split(' ').collect();
        let mut rounds: Vec<(Duration, Trace)> = Vec::new();
        for round in 0..n_rounds {
            self.bench.score(if is_cold { 3000 } else { 2000 } + round)?;
            if is_cold {
                fs::remove_dir_all(self.ours_cache())?;
            }
            fs::write(&log, "")?;
            let started = Instant::now();
            let mut command = self.bench.command(&self.bench.humctl, &self.home, &words);
            let status = command.env("PATH", &path).stdout(Stdio::null()).status()?;
            ensure!(status.success(), "a traced deployment ended with {status}");
            rounds.push((started.elapsed(), Trace::read(&fs::read_to_string(&log)?)?));
        }
        rounds.sort_by_key(|(took, _)| *took);
        let (took, trace) = &rounds[n_rounds / 2];
        let own: f64 = trace.direct.iter().map(|(_, seconds)| seconds * 1000.0).sum();
        let names: Vec<String> =
            trace.direct.iter().map(|(name, seconds)| format!("{name} {:.1}", seconds * 1000.0)).collect();
        let measured = format!("{}, with theirs {}", trace.direct.len(), trace.n_processes);
        row(&format!("  git processes of a {what} deploy into {} files", self.n_files), &measured, "-");
        let rest = format!(
            "  of {:.1} ms: {}; around them {:.1}\n",
            milliseconds(*took),
            names.join(", "),
            milliseconds(*took) - own
        );
        crate::say(&rest);
        Ok(())
    }

    fn unchanged(&self) -> Result<()> {
        let took = best(20, || self.bench.humctl(&self.home, DEPLOY).map(drop))?;
        let took = milliseconds(took);
        let what = "unchanged deploy, 6 resources, process and fetch included";
        held(what, &format!("{took:.0} ms"), "p50 < 50 ms", took < 50.0);
        let peak = self.bench.peak_memory(&self.home, &DEPLOY.split(' ').collect::<Vec<_>>())?;
        held("peak memory of it", &format!("{peak} kB"), "< 40 MiB", peak < 40 * 1024);
        Ok(())
    }
}

impl Taken {
    fn measure(&mut self, cache: &Path, is_cold: bool, run: impl FnOnce() -> Result<()>) -> Result<()> {
        if is_cold && cache.exists() {
            fs::remove_dir_all(cache)?;
        }
        let before = size(cache)?;
        let started = Instant::now();
        run()?;
        self.times.push(started.elapsed());
        self.bytes.push(size(cache)?.saturating_sub(before));
        Ok(())
    }
}

/// Bytes of all files below a directory.
fn size(path: &Path) -> Result<u64> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(0) };
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}

/// What Git tells of its processes.
struct Trace {
    /// Those that we started, with their seconds.
    direct: Vec<(String, f64)>,
    n_processes: usize,
}

impl Trace {
    fn read(text: &str) -> Result<Self> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut trace = Self { direct: Vec::new(), n_processes: 0 };
        for line in text.lines() {
            let event: Value = serde_json::from_str(line).context("git writes other traces than expected")?;
            let part = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
            let id = part("sid");
            match part("event") {
                "start" => trace.n_processes += 1,
                "cmd_name" => drop(names.insert(id.to_owned(), part("name").to_owned())),
                // A process that another one of Git started has its id behind a slash.
                "exit" if !id.contains('/') => {
                    let seconds = event.get("t_abs").and_then(Value::as_f64).unwrap_or_default();
                    trace.direct.push((names.get(id).cloned().unwrap_or_default(), seconds));
                }
                _ => {}
            }
        }
        Ok(trace)
    }
}

impl Bench {
    fn concurrent(&self, n: usize) -> Result<()> {
        self.repository("many.git", 100)?;
        self.define("home-many", "many.git")?;
        self.score(0)?;
        for number in 0..n {
            self.humctl("home-many", &format!("create env env-{number} --app shop"))?;
        }
        let started = Instant::now();
        let children: Vec<_> = (0..n)
            .map(|number| {
                let env = format!("env-{number}");
                self.command(&self.humctl, "home-many", &["score", "deploy", "--app", "shop", "--env", &env])
                    .stdout(Stdio::null())
                    .spawn()
            })
            .collect::<Result<_, _>>()?;
        let mut n_landed = 0;
        for mut child in children {
            n_landed += usize::from(child.wait()?.success());
        }
        let took = started.elapsed();
        let n_commits: usize = self.git(&["-C", "many.git", "rev-list", "--count", "main"])?.parse()?;
        let n_merges = self.git(&["-C", "many.git", "rev-list", "--merges", "--count", "main"])?;
        row(
            &format!("{n} deploys of different environments at once"),
            &format!("{n_landed} landed in {:.1} s", took.as_secs_f64()),
            &format!("all land, linear: {} commits, {n_merges} merges", n_commits - 1),
        );
        Ok(())
    }
}
