//! Real bare repositories, asked by the `git` program.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A bare repository.
pub(crate) struct Remote {
    pub(crate) path: PathBuf,
}

impl Remote {
    pub(crate) fn new(path: PathBuf, options: &[&str]) -> Self {
        fs::create_dir_all(&path).unwrap();
        let remote = Self { path };
        remote.git(&[&["init", "--quiet", "--bare"], options].concat());
        remote.head("main");
        // As the large hosts have it.
        remote.git(&["config", "uploadpack.allowFilter", "true"]);
        remote
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    /// Lets HEAD name a branch, existing or not.
    pub(crate) fn head(&self, branch: &str) -> &Self {
        self.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]);
        self
    }

    /// Commits files to a branch as somebody else would.
    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &str)]) -> &Self {
        let clone = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str]| git_in(clone.path(), arguments);
        git_in(clone.path(), &["clone", "--quiet", &self.url(), "."]);
        if self.try_git(&["rev-parse", "--verify", "--quiet", &format!("refs/heads/{branch}")]).is_some() {
            run(&["checkout", "--quiet", branch]);
        } else {
            run(&["checkout", "--quiet", "--orphan", branch]);
        }
        for (name, content) in files {
            let path = clone.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match content.strip_prefix("-> ") {
                Some(target) => std::os::unix::fs::symlink(target, path).unwrap(),
                None => fs::write(path, content).unwrap(),
            }
        }
        run(&["add", "--all"]);
        run(&["commit", "--quiet", "--message", "by hand"]);
        run(&["push", "--quiet", "origin", branch]);
        self
    }

    /// Installs a hook.
    pub(crate) fn hook(&self, name: &str, script: &str) -> &Self {
        let path = self.path.join("hooks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Names directly in a directory of a branch.
    pub(crate) fn list(&self, branch: &str, directory: &str) -> Vec<String> {
        let tree = format!("{branch}:{directory}");
        self.try_git(&["ls-tree", "--name-only", &tree]).unwrap_or_default().lines().map(ToOwned::to_owned).collect()
    }

    /// All paths of a branch with their blob ids.
    pub(crate) fn tree(&self, branch: &str) -> String {
        self.git(&["ls-tree", "-r", branch])
    }

    pub(crate) fn show(&self, branch: &str, path: &str) -> String {
        self.git(&["show", &format!("{branch}:{path}")])
    }

    pub(crate) fn n_commits(&self, branch: &str) -> usize {
        self.try_git(&["rev-list", "--count", branch]).map_or(0, |count| count.trim().parse().unwrap())
    }

    /// The trailers of a branch's last commit, as Git reads them.
    pub(crate) fn trailers(&self, branch: &str) -> Vec<String> {
        let script = format!("git log -1 --format=%B {branch} | git interpret-trailers --parse");
        let output = command_of("sh", &self.path).args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
    }

    /// The bytes of every object, reachable or not.
    pub(crate) fn all_objects(&self) -> Vec<u8> {
        let output = command(&self.path).args(["cat-file", "--batch-all-objects", "--batch"]).output().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.path, arguments)
    }

    /// Writes a file's content, and returns its id.
    pub(crate) fn blob(&self, content: &[u8]) -> String {
        self.make(&["hash-object", "-w", "--stdin"], content)
    }

    /// Writes a directory of entries (mode, name, id) as they are, in their order
    /// and unchecked, and returns its id.
    pub(crate) fn plant_tree(&self, entries: &[(&str, &[u8], &str)]) -> String {
        let mut raw = Vec::new();
        for (mode, name, id) in entries {
            raw.extend([mode.as_bytes(), b" ", name, b"\0"].concat());
            raw.extend((0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
        }
        self.make(&["hash-object", "-t", "tree", "-w", "--stdin", "--literally"], &raw)
    }

    /// Lets a branch be one commit of a directory, by an object of any kind.
    pub(crate) fn plant(&self, branch: &str, tree: &str) -> &Self {
        let commit = self.git(&["commit-tree", "-m", "planted", tree]);
        self.git(&["update-ref", &format!("refs/heads/{branch}"), commit.trim()]);
        self
    }

    /// Runs a command that reads its input, and returns the id that it prints.
    pub(crate) fn make(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = command(&self.path);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn try_git(&self, arguments: &[&str]) -> Option<String> {
        let output = command(&self.path).args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn git_in(directory: &Path, arguments: &[&str]) -> String {
    let output = command(directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn command(directory: &Path) -> Command {
    command_of("git", directory)
}

fn command_of(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(directory)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Somebody")
        .env("GIT_AUTHOR_EMAIL", "somebody@example.invalid")
        .env("GIT_COMMITTER_NAME", "Somebody")
        .env("GIT_COMMITTER_EMAIL", "somebody@example.invalid");
    command
}
