//! Running `git`; the only place where a child process is started.
//!
//! A child gets an environment of its own making, its own process group, a
//! time limit, and ends with us when we are cancelled. What it prints is
//! redacted before anybody sees it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::git::error::GitError;
use crate::git::pipes::{MAX_STDOUT, exchange};
use crate::secret::SecretScanner;

/// Asks for an orderly end; shared with whoever handles Ctrl-C.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// A flag that some other code owns and sets.
    #[must_use]
    pub fn new(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }

    /// True once somebody asked to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How to run `git` in one repository.
#[derive(Debug, Clone)]
pub struct Git {
    /// Where to run; the bare repository unless told otherwise.
    pub directory: PathBuf,
    /// False to run in a directory that is no repository.
    pub is_repository: bool,
    /// The whole environment of the child.
    pub environment: BTreeMap<OsString, OsString>,
    /// Settings for every command, as `-c` arguments.
    pub settings: Vec<String>,
    /// What must not be seen.
    pub scanner: SecretScanner,
    /// Address for messages.
    pub url: String,
    /// Host for messages.
    pub host: Option<String>,
    /// Asks for an orderly end.
    pub cancel: CancelFlag,
}

/// What a child printed and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; 128 and more when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, redacted.
    pub stderr: String,
}

impl Finished {
    /// Standard output as text, redacted by whoever shows it.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }
}

/// A command that was started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Its name, for messages.
    command: String,
    has_ended: bool,
}

impl Running {
    /// Ends it and everything it started.
    fn stop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // It may have ended meanwhile, which is just as well.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.wait();
        self.has_ended = true;
    }
}

impl Drop for Running {
    /// One that was not needed ends with its input, and tidies up; not to the letter, then by force.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let started = Instant::now();
        while !self.has_ended && started.elapsed() < Duration::from_secs(1) {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Ok(Some(_)) | Err(_) => self.has_ended = true,
            }
        }
        if !self.has_ended {
            self.stop();
        }
    }
}

/// How long a command may take, and whether Ctrl-C stops it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Total time.
    pub timeout: Duration,
    /// False for a push, which is finished and verified once begun.
    pub is_cancellable: bool,
    /// How often a command that met a network failure is repeated.
    pub n_retries: u32,
}

impl Git {
    /// Runs a command and returns however it ended.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be started, takes too long or is cancelled.
    pub fn run(&self, arguments: &[&str], input: Option<&[u8]>, limits: Limits) -> Result<Finished, GitError> {
        let running = self.start(arguments, input.is_some())?;
        self.finish(running, input.unwrap_or_default(), limits)
    }

    /// Starts a command, which may then wait for its input.
    ///
    /// # Errors
    /// [`GitError`] when it cannot be started.
    pub fn start(&self, arguments: &[&str], has_input: bool) -> Result<Running, GitError> {
        let mut command = Command::new(self.program());
        if self.is_repository {
            command.arg("--git-dir").arg(&self.directory);
        }
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        command
            .args(arguments)
            .env_clear()
            .envs(&self.environment)
            .current_dir(&self.directory)
            .process_group(0)
            .stdin(if has_input { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        tracing::debug!(target: "humctl::git", "git {}", arguments.join(" "));
        let child = command.spawn().map_err(|source| match self.directory.is_dir() {
            true => GitError::NoProgram { source },
            // Somebody removed the cache while we used it.
            false => {
                GitError::Damaged { directory: self.directory.display().to_string(), words: "it is gone".to_owned() }
            }
        })?;
        Ok(Running { child, command: arguments.first().copied().unwrap_or_default().to_owned(), has_ended: false })
    }

    /// Gives a command its input and waits for its end.
    ///
    /// # Errors
    /// [`GitError`] when it takes too long from now, or is cancelled.
    pub fn finish(&self, mut running: Running, input: &[u8], limits: Limits) -> Result<Finished, GitError> {
        let started = Instant::now();
        let may_go_on = || {
            if limits.is_cancellable && self.cancel.is_set() {
                return Err(GitError::Cancelled);
            }
            let (url, command, seconds) = (self.url.clone(), running.command.clone(), limits.timeout.as_secs());
            if started.elapsed() < limits.timeout { Ok(()) } else { Err(GitError::Timeout { url, command, seconds }) }
        };
        let printed = exchange(&mut running.child, input, may_go_on);
        if printed.is_err() {
            running.stop();
        }
        let printed = printed?;
        let status = running.child.wait().map_err(|source| GitError::NoProgram { source })?;
        running.has_ended = true;
        let Some(stdout) = printed.stdout.whole() else {
            let words = format!("it printed more than {} MiB", MAX_STDOUT >> 20);
            return Err(GitError::Other { url: self.url.clone(), command: running.command.clone(), words });
        };
        let stderr = printed.stderr.end();
        Ok(Finished {
            code: status.code().unwrap_or(128),
            stdout,
            stderr: self.scanner.redact(&plain(&String::from_utf8_lossy(&stderr))),
        })
    }

    /// The program, by its path. With a bare name and a PATH for the child the
    /// standard library would copy this process to start it, which takes longer
    /// than most of what Git does.
    fn program(&self) -> PathBuf {
        let path = self.environment.get(OsStr::new("PATH"));
        let directories = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
        let is_program = |file: &PathBuf| {
            file.is_absolute()
                && file.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        let found = directories.into_iter().map(|directory| directory.join("git")).find(is_program);
        found.unwrap_or_else(|| PathBuf::from("git"))
    }

    /// Runs a command that must succeed and returns what it printed.
    ///
    /// # Errors
    /// [`GitError`], classified by what Git printed.
    pub fn check(&self, arguments: &[&str], input: Option<&[u8]>, limits: Limits) -> Result<Finished, GitError> {
        let finished = self.run(arguments, input, limits)?;
        if finished.code == 0 { Ok(finished) } else { Err(self.classify(arguments, &finished)) }
    }

    /// The class of a command's failure.
    #[must_use]
    pub fn classify(&self, arguments: &[&str], finished: &Finished) -> GitError {
        let command = arguments.first().copied().unwrap_or_default();
        crate::git::error::classify(&self.url, self.host.as_deref(), command, &finished.stderr)
    }
}

/// Text of a server without what would steer a terminal. A carriage return
/// starts a new line, as progress does.
fn plain(text: &str) -> String {
    let is_steering = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let characters = text.chars().map(|c| if c == '\r' { '\n' } else { c });
    characters.filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_steering(*c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::environment::environment;

    fn git(cancel: CancelFlag) -> (tempfile::TempDir, Git) {
        let directory = tempfile::tempdir().unwrap();
        let ours = std::env::vars_os().collect();
        let git = Git {
            directory: directory.path().to_owned(),
            is_repository: true,
            environment: environment(&ours, Some(directory.path()), "file"),
            settings: vec!["alias.nap=!sleep 30".to_owned(), "alias.leak=!echo canary-12345 >&2".to_owned()],
            scanner: SecretScanner::new(&[crate::secret::SecretValue::new("canary-12345")]),
            url: "u".to_owned(),
            host: None,
            cancel,
        };
        git.check(&["init", "--bare", "--quiet"], None, limits(10)).unwrap();
        (directory, git)
    }

    fn limits(seconds: u64) -> Limits {
        Limits { timeout: Duration::from_secs(seconds), is_cancellable: true, n_retries: 0 }
    }

    #[test]
    fn a_slow_child_is_stopped() {
        let (_directory, git) = git(CancelFlag::default());
        assert!(matches!(git.run(&["nap"], None, limits(0)), Err(GitError::Timeout { .. })));
    }

    #[test]
    fn a_cancelled_child_is_stopped_unless_it_must_finish() {
        let cancel = CancelFlag::default();
        let (_directory, git) = git(cancel.clone());
        cancel.0.store(true, Ordering::Relaxed);
        assert!(matches!(git.run(&["nap"], None, limits(30)), Err(GitError::Cancelled)));
        let finished = git.run(&["version"], None, Limits { is_cancellable: false, ..limits(30) }).unwrap();
        assert_eq!(finished.code, 0);
    }

    #[test]
    fn what_a_child_prints_is_redacted() {
        let (_directory, git) = git(CancelFlag::default());
        let finished = git.run(&["leak"], None, limits(10)).unwrap();
        assert_eq!(finished.stderr, "[secret]\n");
    }

    #[test]
    fn servers_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2J\u{9b}b\u{7}\tc\r\nd\u{202e}e\0"), "a[2Jb\tc\n\nde");
    }

    #[test]
    fn a_cache_that_is_gone_is_not_taken_for_a_missing_program() {
        let (directory, git) = git(CancelFlag::default());
        drop(directory);
        assert!(matches!(git.run(&["version"], None, limits(10)), Err(GitError::Damaged { .. })));
    }
}
