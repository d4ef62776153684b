//! Running the program in a directory and HOME of its own.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::harness::git::Remote;

/// The program under test.
const HUMCTL: &str = env!("CARGO_BIN_EXE_humctl");

/// A Definition that gives every Environment its database, secrets by reference.
pub(crate) const POSTGRES: &str = "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: postgres-team}
entity:
  name: postgres-team
  type: postgres
  driver_type: humanitec/echo
  driver_inputs:
    values: {host: db.internal, port: 5432, name: app}
    secret_refs:
      username: {store: team-vault, ref: db/user}
      password: {store: team-vault, ref: db/password}
  criteria: [{}]
";

/// A temporary machine: working directory, HOME, and a fixed clock for commits.
pub(crate) struct TestEnv {
    directory: tempfile::TempDir,
    home: PathBuf,
    variables: Vec<(String, String)>,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("home");
        fs::create_dir(&home).unwrap();
        Self { directory, home, variables: Vec::new() }
    }

    /// Another user on the same machine: the same directory, a HOME of its own.
    pub(crate) fn other_home(&self, name: &str) -> SecondHome<'_> {
        let home = self.directory.path().join(name);
        fs::create_dir_all(&home).unwrap();
        SecondHome { env: self, home }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A new bare repository beside HOME.
    pub(crate) fn remote(&self, name: &str) -> Remote {
        self.remote_with(name, &[])
    }

    /// The same, made with further options of `git init`.
    pub(crate) fn remote_with(&self, name: &str, options: &[&str]) -> Remote {
        Remote::new(self.path(&format!("{name}.git")), options)
    }

    /// A command in this environment; words are split at spaces.
    pub(crate) fn command(&self, words: &str) -> Command {
        self.command_of(&self.home, &words.split_whitespace().collect::<Vec<_>>())
    }

    fn command_of(&self, home: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(HUMCTL);
        command.args(arguments).current_dir(self.directory.path());
        self.hermetic(&mut command, home);
        command
    }

    /// Keeps what this machine has set up away from a command.
    fn hermetic(&self, command: &mut Command, home: &Path) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
    }

    pub(crate) fn run(&self, words: &str) -> Run {
        self.finish(self.command(words).output().unwrap())
    }

    /// Runs with arguments that hold spaces.
    pub(crate) fn run_args(&self, arguments: &[&str]) -> Run {
        self.finish(self.command_of(&self.home, arguments).output().unwrap())
    }

    /// Runs a script as continuous integration does: bash that stops at the first
    /// failure, with the program on its path.
    pub(crate) fn shell(&self, script: &str, variables: &[(&str, &str)]) -> Run {
        let programs = Path::new(HUMCTL).parent().unwrap().display();
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("bash");
        command.args(["-e", "-o", "pipefail", "-c", script]).current_dir(self.directory.path());
        self.hermetic(&mut command, &self.home);
        self.finish(command.env("PATH", path).envs(variables.iter().copied()).output().unwrap())
    }

    pub(crate) fn run_with_stdin(&self, words: &str, input: &str) -> Run {
        let mut command = self.command(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        self.finish(child.wait_with_output().unwrap())
    }

    pub(crate) fn start(&self, words: &str) -> Child {
        self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Masks what differs from run to run.
    fn finish(&self, output: Output) -> Run {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let place = self.directory.path().display().to_string();
        let stdout = text(&output.stdout).replace(&place, "[TMP]");
        let stderr = text(&output.stderr).replace(&place, "[TMP]");
        Run { stdout, stderr, code: output.status.code().unwrap_or(-1) }
    }

    /// A Definition that sends every Environment to a repository.
    pub(crate) fn git_cluster(&self, url: &str, rest: &str) -> &Self {
        self.write("cluster.yaml", &git_cluster(url, "path: \"${context.app.id}/${context.env.id}\"", rest));
        self.run("apply -f cluster.yaml").ok();
        self
    }

    /// A Score file with a container `main` and what else is given.
    pub(crate) fn score(&self, workload: &str, rest: &str) -> &Self {
        self.write("score.yaml", &score(workload, rest))
    }

    /// An Application `shop` deployed to `branch` of a repository.
    pub(crate) fn shop(&self, remote: &Remote, branch: &str) -> &Self {
        self.git_cluster(&remote.url(), &format!("      branch: {branch}\n"));
        self.run("create app shop").ok();
        self
    }

    pub(crate) fn deploy(&self) -> Run {
        self.run("score deploy --app shop --env development")
    }
}

/// A second user on a [`TestEnv`]'s machine.
pub(crate) struct SecondHome<'e> {
    env: &'e TestEnv,
    home: PathBuf,
}

impl SecondHome<'_> {
    pub(crate) fn run(&self, words: &str) -> Run {
        self.env.finish(self.command(words).output().unwrap())
    }

    pub(crate) fn command(&self, words: &str) -> Command {
        self.env.command_of(&self.home, &words.split_whitespace().collect::<Vec<_>>())
    }
}

pub(crate) fn git_cluster(url: &str, path: &str, rest: &str) -> String {
    format!(
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {{id: git-target}}
entity:
  name: git-target
  type: k8s-cluster
  driver_type: humanitec/k8s-cluster-git
  driver_inputs:
    values:
      url: {url}
      {path}
{rest}
  criteria: [{{}}]
"
    )
}

pub(crate) fn score(workload: &str, rest: &str) -> String {
    format!(
        "apiVersion: score.dev/v1b1
metadata:
  name: {workload}
containers:
  main:
    image: busybox
{rest}"
    )
}

impl Run {
    /// The run succeeded, and success is silent on stderr.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "stdout: {}", self.stdout);
        self
    }

    /// The run failed as failures do: exit 1, nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(self) -> Self {
        assert_eq!((self.code, self.stdout.as_str()), (1, ""), "stderr: {}", self.stderr);
        assert!(self.stderr.starts_with("Error: "), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// stderr with deployment ids masked.
    pub(crate) fn errors(&self) -> String {
        mask(&self.stderr)
    }
}

/// Replaces deployment ids, which are 16 hex digits, and commit ids.
pub(crate) fn mask(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        out.push_str(before);
        let is_hex = word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        out.push_str(match word.len() {
            16 if is_hex => "[ID]",
            12 if is_hex => "[SHA]",
            _ => word,
        });
        rest = after;
    }
    out.push_str(rest);
    out
}
