//! The budgets of the design, printed beside what is measured here.
//!
//! A release build, a `file://` repository, best of several runs. The numbers
//! are for people: nothing fails when one is missed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use humctl_core::builtin;
use humctl_core::context::EnvironmentContext;
use humctl_core::graph::build::GraphInput;
use humctl_core::graph::{ResourceTypes, SetIndex};
use humctl_core::matching::Definitions;
use humctl_core::plan::{DeployContext, plan, plan_target};
use humctl_core::render::render;
use serde_json::{Value, json};

use crate::{build, say};

pub(crate) fn run() -> Result<()> {
    if cfg!(debug_assertions) {
        // The planner is measured in this process, so it has to be a release build too.
        return crate::show("cargo", &["run", "--quiet", "--release", "--package", "xtask", "--", "bench"]);
    }
    say("building humctl (release) …\n");
    let bench = Bench { humctl: build("release")?, directory: tempfile::tempdir()? };
    bench.start()?;
    planner(1_000)?;
    planner(10_000)?;
    for n_files in [100, 100_000] {
        bench.deploy(n_files)?;
    }
    bench.concurrent(50)?;
    Ok(())
}

fn row(what: &str, measured: &str, budget: &str) {
    say(&format!("{what:<62} {measured:>22}   budget {budget}\n"));
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

    fn humctl(&self, home: &str, words: &str) -> Result<String> {
        self.check(&self.humctl, home, &words.split(' ').collect::<Vec<_>>())
    }

    fn start(&self) -> Result<()> {
        let ours = best(20, || self.humctl("home", "version").map(drop))?;
        let git = best(20, || self.git(&["--version"]).map(drop))?;
        let ratio = ours.as_secs_f64() / git.as_secs_f64();
        row("humctl version ÷ git --version", &format!("{ratio:.2} ({:.1} ms)", milliseconds(ours)), "≤ 2");
        Ok(())
    }

    /// A bare repository with many files in directories of ten.
    fn repository(&self, name: &str, n_files: usize) -> Result<()> {
        self.git(&["init", "--quiet", "--bare", name])?;
        self.git(&["-C", name, "symbolic-ref", "HEAD", "refs/heads/main"])?;
        self.git(&["-C", name, "config", "uploadpack.allowFilter", "true"])?;
        let mut stream = String::from("commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\n");
        for number in 0..n_files {
            let content = format!("file {number}\n{}\n", "x".repeat(780));
            stream.push_str(&format!(
                "M 100644 inline d{}/f{number}\ndata {}\n{content}\n",
                number / 10,
                content.len()
            ));
        }
        let input = self.path("stream");
        fs::write(&input, stream)?;
        let status = self
            .command(Path::new("git"), "home", &["-C", name, "fast-import", "--quiet"])
            .stdin(fs::File::open(input)?)
            .status()?;
        ensure!(status.success(), "fast-import failed");
        Ok(())
    }

    fn define(&self, home: &str, repository: &str) -> Result<()> {
        fs::create_dir_all(self.path(home))?;
        let url = self.path(repository);
        let definition = json!({
            "apiVersion": "entity.humanitec.io/v1b1", "kind": "Definition", "metadata": {"id": "git-target"},
            "entity": {"name": "git-target", "type": "k8s-cluster", "driver_type": "humanitec/k8s-cluster-git",
                "driver_inputs": {"values": {"url": format!("file://{}", url.display()), "branch": "main",
                    "path": "${context.app.id}/${context.env.id}"}},
                "criteria": [{}]}});
        fs::write(self.path("cluster.json"), definition.to_string())?;
        fs::write(self.path("postgres.json"), postgres().to_string())?;
        self.humctl(home, "apply -f cluster.json -f postgres.json")?;
        self.humctl(home, "create app shop").map(drop)
    }

    /// Six resources, and a value that differs from run to run.
    fn score(&self, value: usize) -> Result<()> {
        let resources: serde_json::Map<String, Value> =
            (0..6).map(|number| (format!("db-{number}"), json!({"type": "postgres"}))).collect();
        let score = json!({
            "apiVersion": "score.dev/v1b1", "metadata": {"name": "web"},
            "containers": {"main": {"image": "busybox", "variables": {"VALUE": value.to_string(), "DB": "${resources.db-0.host}"}}},
            "resources": resources});
        Ok(fs::write(self.path("score.yaml"), score.to_string())?)
    }

    fn deploy(&self, n_files: usize) -> Result<()> {
        let repository = format!("r{n_files}.git");
        let home = format!("home{n_files}");
        self.repository(&repository, n_files)?;
        self.define(&home, &repository)?;
        let words = "score deploy --app shop --env development";
        self.score(0)?;
        self.humctl(&home, words)?;
        let mut value = 0;
        let ours = best(10, || {
            value += 1;
            self.score(value)?;
            self.humctl(&home, words).map(drop)
        })?;
        let floor = self.floor(&repository)?;
        let ratio = ours.as_secs_f64() / floor.as_secs_f64();
        row(
            &format!("deploy into {n_files} files ÷ fetch + fast-import + push + ls-remote"),
            &format!("{ratio:.2} ({:.0} / {:.0} ms)", milliseconds(ours), milliseconds(floor)),
            "≤ 1.3",
        );
        if n_files == 100 {
            let planning = best(20, || self.humctl(&home, "score deploy --app shop --env development").map(drop))?;
            row(
                "unchanged deploy, 6 resources, process and fetch included",
                &format!("{:.0} ms", milliseconds(planning)),
                "p50 < 50 ms",
            );
            row("peak memory of it", &self.peak_memory(&home)?, "< 40 MiB");
        }
        Ok(())
    }

    /// What stock git needs for the same: the floor of any writer.
    fn floor(&self, repository: &str) -> Result<Duration> {
        let cache = format!("cache-{repository}");
        self.git(&["init", "--quiet", "--bare", &cache])?;
        let url = format!("file://{}", self.path(repository).display());
        self.git(&["-C", &cache, "config", "remote.origin.url", &url])?;
        let fetch = ["fetch", "--quiet", "--no-tags", "--filter=blob:none", "origin", "+refs/heads/main:refs/x/tip"];
        self.git(&[&["-C", &cache][..], &fetch, &["--depth=1"]].concat())?;
        let mut number = 0;
        best(10, || {
            number += 1;
            self.git(&[&["-C", cache.as_str()][..], &fetch].concat())?;
            let content = "x".repeat(900);
            let mut stream =
                String::from("commit refs/x/work\ncommitter A <a@b> 1700000000 +0000\ndata 1\nx\nfrom refs/x/tip\n");
            for file in 0..2 {
                stream.push_str(&format!(
                    "M 100644 inline floor/dev/f{file}\ndata {}\n{content}{number:04}\n",
                    content.len() + 4
                ));
            }
            let input = self.path("floor");
            fs::write(&input, stream)?;
            let status = self
                .command(Path::new("git"), "home", &["-C", &cache, "fast-import", "--quiet", "--force"])
                .stdin(fs::File::open(input)?)
                .status()?;
            ensure!(status.success(), "fast-import failed");
            self.git(&["-C", &cache, "push", "--quiet", "origin", "refs/x/work:refs/heads/main"])?;
            self.git(&["-C", &cache, "ls-remote", "origin", "refs/heads/main"]).map(drop)
        })
    }

    fn peak_memory(&self, home: &str) -> Result<String> {
        let mut child = self
            .command(&self.humctl, home, &["score", "deploy", "--app", "shop", "--env", "development"])
            .stdout(Stdio::null())
            .spawn()?;
        let status = format!("/proc/{}/status", child.id());
        let mut peak = String::new();
        while child.try_wait()?.is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            if let Some(line) = text.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
                line.trim().clone_into(&mut peak);
            }
        }
        Ok(peak)
    }

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

fn postgres() -> Value {
    json!({
        "apiVersion": "entity.humanitec.io/v1b1", "kind": "Definition", "metadata": {"id": "postgres-team"},
        "entity": {"name": "postgres-team", "type": "postgres", "driver_type": "humanitec/echo",
            "driver_inputs": {"values": {"host": "db", "port": 5432, "name": "${context.res.id}"}}, "criteria": [{}]}})
}

/// Plans and renders a set with many resources against many Definitions.
fn planner(n_resources: usize) -> Result<()> {
    const N_DEFINITIONS: usize = 2_000;
    let context = EnvironmentContext {
        org: "acme-org".parse()?,
        app: "shop".parse()?,
        env: "development".parse()?,
        env_type: "development".parse()?,
    };
    let mut definitions = builtin::definitions(&context.org, &humctl_api_types::time::Timestamp::default());
    let definition = |id: String, res_type: &str, driver: &str, values: Value, criteria: Value| {
        serde_json::from_value(json!({
            "org_id": "acme-org", "id": id, "name": id, "type": res_type, "driver_type": driver,
            "active_version_id": "", "created_at": "", "created_by": "",
            "driver_inputs": {"values": values}, "criteria": criteria}))
    };
    definitions.push(definition(
        "git-target".to_owned(),
        "k8s-cluster",
        "humanitec/k8s-cluster-git",
        json!({"url": "file:///r"}),
        json!([{"id": "x"}]),
    )?);
    for number in 0..N_DEFINITIONS {
        let rules: Vec<Value> =
            (0..4).map(|rule| json!({"id": "x", "app_id": format!("app-{number}-{rule}")})).collect();
        definitions.push(definition(format!("def-{number}"), "postgres", "humanitec/echo", json!({}), json!(rules))?);
    }
    definitions.push(definition(
        "the-one".to_owned(),
        "postgres",
        "humanitec/echo",
        json!({"host": "db", "name": "${context.res.id}"}),
        json!([{"id": "x"}]),
    )?);
    let externals: serde_json::Map<String, Value> =
        (0..n_resources / 100).map(|number| (format!("db-{number}"), json!({"type": "postgres"}))).collect();
    let module = json!({"profile": "humanitec/default-module", "externals": externals,
        "spec": {"containers": {"main": {"image": "x", "variables": {"DB": "${externals.db-0.host}"}}}}});
    let modules: serde_json::Map<String, Value> =
        (0..100).map(|number| (format!("workload-{number}"), module.clone())).collect();
    let set = serde_json::from_value(json!({ "modules": modules }))?;
    let types = builtin::resource_types();
    let types = ResourceTypes::new(&types);
    let index = SetIndex::new(&set).map_err(|errors| anyhow::anyhow!(errors.join(", ")))?;
    let deploy = DeployContext { deployment: "1a".parse()?, set: "0".parse()? };
    let fail = |errors: Vec<humctl_core::graph::PlanError>| anyhow::anyhow!("{}", errors[0]);
    let mut n_files = 0;
    let mut rendering = Duration::MAX;
    let planning = best(5, || {
        let definitions = Definitions::new(&definitions);
        let input = GraphInput::new(&context, &definitions, &types);
        let target = plan_target(input).into_result().map_err(fail)?;
        plan(input, &index, &target, &deploy).into_result().map_err(fail).map(drop)
    })?;
    let definitions = Definitions::new(&definitions);
    let input = GraphInput::new(&context, &definitions, &types);
    let target = plan_target(input).into_result().map_err(fail)?;
    let planned = plan(input, &index, &target, &deploy).into_result().map_err(fail)?;
    for _ in 0..3 {
        let started = Instant::now();
        n_files = render(input, &planned, &index, &target, &deploy).into_result().map_err(fail)?.len();
        rendering = rendering.min(started.elapsed());
    }
    row(
        &format!("plan of {n_resources} resources against {N_DEFINITIONS} × 4 rules"),
        &format!("{:.0} ms", milliseconds(planning)),
        if n_resources == 10_000 { "< 300 ms, ≤ 12 × that of 1,000" } else { "-" },
    );
    row(
        &format!("render of {n_files} custom resources"),
        &format!("{:.0} ms", milliseconds(rendering)),
        "4,000 in < 1 s",
    );
    Ok(())
}
