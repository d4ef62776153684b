//! Deployments into a `file://` repository, held against what stock Git needs.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Bench, best, milliseconds, row};

pub(super) fn run(bench: &Bench) -> Result<()> {
    for n_files in [100, 100_000] {
        bench.deploy(n_files)?;
    }
    bench.concurrent(50)
}

impl Bench {
    /// A bare repository with many files in directories of ten.
    pub(super) fn repository(&self, name: &str, n_files: usize) -> Result<()> {
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

    pub(super) fn define(&self, home: &str, repository: &str) -> Result<()> {
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
    pub(super) fn score(&self, value: usize) -> Result<()> {
        self.score_of(6, value)
    }

    pub(super) fn score_of(&self, n_resources: usize, value: usize) -> Result<()> {
        let resources: serde_json::Map<String, Value> =
            (0..n_resources).map(|number| (format!("db-{number}"), json!({"type": "postgres"}))).collect();
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

pub(super) fn postgres() -> Value {
    json!({
        "apiVersion": "entity.humanitec.io/v1b1", "kind": "Definition", "metadata": {"id": "postgres-team"},
        "entity": {"name": "postgres-team", "type": "postgres", "driver_type": "humanitec/echo",
            "driver_inputs": {"values": {"host": "db", "port": 5432, "name": "${context.res.id}"}}, "criteria": [{}]}})
}
