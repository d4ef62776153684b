//! A server to be asked: the program that was just built, with a HOME of its
//! own, on a free port of this machine.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// Every caller's token.
pub(super) const TOKEN: &str = "conformance-0123456789abcdef";

/// A running `humctl serve`; ends when dropped.
pub(super) struct Server {
    humctl: PathBuf,
    directory: tempfile::TempDir,
    child: Child,
    pub(super) address: String,
}

impl Server {
    pub(super) fn start(humctl: PathBuf) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        fs::create_dir(directory.path().join("home"))?;
        fs::write(directory.path().join("token"), TOKEN)?;
        let log = fs::File::create(directory.path().join("serve.log"))?;
        let arguments = ["serve", "--api-prefix", "local", "--listen", "127.0.0.1:0", "--token-file", "token", "-v1"];
        let mut child = command(&humctl, directory.path())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("cannot start humctl serve")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("listening on ").unwrap_or_default().to_owned();
        let server = Self { humctl, directory, child, address };
        ensure!(!server.address.is_empty(), "humctl serve does not listen: {}", server.log());
        Ok(server)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// What the server told on stderr.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.path("serve.log")).unwrap_or_default()
    }

    /// A program that works in the server's directory, and can reach nothing but this machine.
    pub(super) fn command(&self, program: &Path) -> Command {
        command(program, self.directory.path())
    }

    /// Runs humctl as a client of the server.
    pub(super) fn humctl(&self, arguments: &[&str]) -> Result<String> {
        let output = self
            .command(&self.humctl)
            .env("HUMANITEC_API_PREFIX", &self.address)
            .env("HUMANITEC_TOKEN", TOKEN)
            .env("HUMANITEC_ORG", "local")
            .args(arguments)
            .output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`humctl {}` failed: {told}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// What the API answers, as JSON.
    pub(super) fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(Value::to_string);
        let mut arguments = vec!["api", method, path];
        arguments.extend(body.iter().flat_map(|body| ["-d", body.as_str()]));
        let text = self.humctl(&arguments)?;
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }

    /// The server must have survived, and told nothing that it should not.
    pub(super) fn end(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended by itself with {status}: {}", self.log());
        }
        let log = self.log();
        ensure!(!log.contains(TOKEN), "the token is in the server's log");
        ensure!(!log.contains("panicked"), "the server panicked:\n{}", lines_about(&log, "panicked"));
        Ok(())
    }
}

fn lines_about(log: &str, word: &str) -> String {
    log.lines().filter(|line| line.contains(word)).take(20).collect::<Vec<_>>().join("\n")
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory.join("home"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        // Made-up addresses in requests lead nowhere.
        .env("https_proxy", "http://127.0.0.1:1")
        .env("http_proxy", "http://127.0.0.1:1")
        .env("no_proxy", "127.0.0.1,localhost")
        .stdin(Stdio::null());
    command
}
