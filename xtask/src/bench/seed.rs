//! What is measured with: repositories, Definitions and Score files.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Bench;

impl Bench {
    /// A bare repository with many files in directories of ten.
    pub(super) fn repository(&self, name: &str, n_files: usize) -> Result<()> {
        self.git(&["init", "--quiet", "--bare", name])?;
        self.git(&["-C", name, "symbolic-ref", "HEAD", "refs/heads/main"])?;
        self.git(&["-C", name, "config", "uploadpack.allowFilter", "true"])?;
        // Whoever happens to push when it is time to clean up would pay for it.
        self.git(&["-C", name, "config", "receive.autoGc", "false"])?;
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
}

pub(super) fn postgres() -> Value {
    json!({
        "apiVersion": "entity.humanitec.io/v1b1", "kind": "Definition", "metadata": {"id": "postgres-team"},
        "entity": {"name": "postgres-team", "type": "postgres", "driver_type": "humanitec/echo",
            "driver_inputs": {"values": {"host": "db", "port": 5432, "name": "${context.res.id}"}}, "criteria": [{}]}})
}
