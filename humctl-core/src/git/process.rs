//! Running `git`; the only place where a child process is started.
//!
//! A child gets an environment of its own making, its own process group, a
//! time limit, and ends with us when we are cancelled. What it prints is
//! redacted before anybody sees it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::git::error::GitError;
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
        let command_name = arguments.first().copied().unwrap_or_default();
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
            .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        tracing::debug!(target: "humctl::git", "git {}", arguments.join(" "));
        let mut child = command.spawn().map_err(|source| match self.directory.is_dir() {
            true => GitError::NoProgram { source },
            // Somebody removed the cache while we used it.
            false => {
                GitError::Damaged { directory: self.directory.display().to_string(), words: "it is gone".to_owned() }
            }
        })?;
        let started = Instant::now();
        let (sender, receiver) = mpsc::channel();
        let (stdout, stderr, stdin) = (child.stdout.take(), child.stderr.take(), child.stdin.take());
        let read_all = |pipe: Option<Box<dyn Read + Send>>, limit: usize| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let read = pipe.map(|pipe| read_end(pipe, limit)).unwrap_or_default();
                let _ = sender.send(());
                read
            })
        };
        let stdout = read_all(stdout.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>), MAX_STDOUT);
        let stderr = read_all(stderr.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>), MAX_STDERR);
        let input = input.map(<[u8]>::to_vec);
        let writer = std::thread::spawn(move || {
            if let (Some(mut pipe), Some(input)) = (stdin, input) {
                // A child that ends early closes its input; its exit code says why.
                let _ = pipe.write_all(&input);
            }
        });
        self.wait(&mut child, &receiver, started, command_name, limits)?;
        let status = child.wait().map_err(|source| GitError::NoProgram { source })?;
        let (stdout, is_whole) = stdout.join().unwrap_or_default();
        let (stderr, _) = stderr.join().unwrap_or_default();
        let _ = writer.join();
        if !is_whole {
            let words = format!("it printed more than {} MiB", MAX_STDOUT >> 20);
            return Err(GitError::Other { url: self.url.clone(), command: command_name.to_owned(), words });
        }
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

    /// Waits until both outputs have ended, or stops the child.
    fn wait(
        &self,
        child: &mut Child,
        ended: &mpsc::Receiver<()>,
        started: Instant,
        command: &str,
        limits: Limits,
    ) -> Result<(), GitError> {
        const STEP: Duration = Duration::from_millis(50);
        let mut n_open = 2;
        while n_open > 0 {
            match ended.recv_timeout(STEP) {
                Ok(()) => n_open -= 1,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    let is_cancelled = limits.is_cancellable && self.cancel.is_set();
                    if !is_cancelled && started.elapsed() < limits.timeout {
                        continue;
                    }
                    stop(child);
                    if is_cancelled {
                        return Err(GitError::Cancelled);
                    }
                    return Err(GitError::Timeout {
                        url: self.url.clone(),
                        command: command.to_owned(),
                        seconds: limits.timeout.as_secs(),
                    });
                }
            }
        }
        Ok(())
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

/// What a command may print to be worked with.
const MAX_STDOUT: usize = 512 << 20;

/// How much of what a command says is kept: its end, where the reason stands.
const MAX_STDERR: usize = 64 << 10;

/// Reads a pipe until it ends, and keeps the last `limit` bytes. Also tells
/// whether they are all.
fn read_end(mut pipe: impl Read, limit: usize) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut is_whole = true;
    let mut chunk = [0; 16 << 10];
    // A pipe that breaks ends the text; the exit code tells the rest.
    while let Ok(n_read) = pipe.read(&mut chunk)
        && n_read > 0
    {
        bytes.extend_from_slice(&chunk[..n_read]);
        if bytes.len() >= limit.saturating_mul(2) {
            bytes.drain(..bytes.len() - limit);
            is_whole = false;
        }
    }
    if bytes.len() > limit {
        bytes.drain(..bytes.len() - limit);
        is_whole = false;
    }
    (bytes, is_whole)
}

/// Text of a server without what would steer a terminal. A carriage return
/// starts a new line, as progress does.
fn plain(text: &str) -> String {
    let is_steering = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let characters = text.chars().map(|c| if c == '\r' { '\n' } else { c });
    characters.filter(|c| matches!(c, '\n' | '\t') || !(c.is_control() || is_steering(*c))).collect()
}

/// Ends a child and everything it started.
fn stop(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended meanwhile, which is just as well.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

/// Variables of our own environment that a child may have.
const PASSED: &[&str] = &[
    "PATH",
    "TMPDIR",
    "TZ",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_EXEC_PATH",
];

/// Those it also gets when it runs with the user's own configuration.
const PASSED_TO_USERS_OWN: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "DBUS_SESSION_BUS_ADDRESS",
    "GCM_CREDENTIAL_STORE",
    "KRB5CCNAME",
];

/// The environment of a child: an allow-list of ours, plus what every child
/// needs. With `private_home` the user's own configuration stays outside.
/// `protocol` is the only one that Git may speak then, also when it is sent
/// elsewhere; the user's own configuration may write an address anew
/// (`url.<base>.insteadOf`), and so lead to another safe one.
#[must_use]
pub fn environment(
    ours: &BTreeMap<OsString, OsString>,
    private_home: Option<&Path>,
    protocol: &str,
) -> BTreeMap<OsString, OsString> {
    let allowed = |name: &&OsString| {
        let name = name.to_string_lossy();
        PASSED.contains(&name.as_ref()) || (private_home.is_none() && PASSED_TO_USERS_OWN.contains(&name.as_ref()))
    };
    let mut environment: BTreeMap<OsString, OsString> =
        ours.iter().filter(|(name, _)| allowed(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut set = |name: &str, value: OsString| environment.insert(name.into(), value);
    // Messages are read, so they must not be translated.
    set("LC_ALL", "C".into());
    set("GIT_TERMINAL_PROMPT", "0".into());
    // The user's own configuration may lead an address elsewhere (`insteadOf`), though never to a clear one.
    let protocols = if private_home.is_some() { protocol.to_owned() } else { format!("{protocol}:https:ssh:file") };
    set("GIT_ALLOW_PROTOCOL", protocols.into());
    set("GIT_HTTP_LOW_SPEED_LIMIT", "100".into());
    set("GIT_HTTP_LOW_SPEED_TIME", "30".into());
    if let Some(home) = private_home {
        set("HOME", home.into());
        set("XDG_CONFIG_HOME", home.into());
        set("GIT_CONFIG_NOSYSTEM", "1".into());
        set("GIT_CONFIG_GLOBAL", "/dev/null".into());
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_end_of_what_a_child_prints_is_kept() {
        for (printed, limit, expected) in
            [("abc", 4, ("abc", true)), ("abcd", 4, ("abcd", true)), ("abcde", 4, ("bcde", false)), ("", 4, ("", true))]
        {
            let (bytes, is_whole) = read_end(printed.as_bytes(), limit);
            assert_eq!((String::from_utf8(bytes).unwrap().as_str(), is_whole), expected, "{printed}");
        }
        let (bytes, is_whole) = read_end(std::io::repeat(b'x').take(10 << 20), 1000);
        assert!(bytes.len() == 1000 && bytes.capacity() < 1 << 20 && !is_whole);
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

    #[test]
    fn the_environment_is_an_allow_list() {
        let ours: BTreeMap<OsString, OsString> =
            ["HUMANITEC_TOKEN", "HUMCTL_STATE_KEY", "GIT_DIR", "PATH", "HOME", "SSH_AUTH_SOCK"]
                .iter()
                .map(|name| (OsString::from(name), OsString::from("x")))
                .collect();
        let isolated = environment(&ours, Some(Path::new("/private")), "https");
        let own = environment(&ours, None, "https");
        for secret in ["HUMANITEC_TOKEN", "HUMCTL_STATE_KEY", "GIT_DIR"] {
            assert!(!isolated.contains_key(&OsString::from(secret)) && !own.contains_key(&OsString::from(secret)));
        }
        assert_eq!(isolated[&OsString::from("GIT_ALLOW_PROTOCOL")], "https");
        assert_eq!(own[&OsString::from("GIT_ALLOW_PROTOCOL")], "https:https:ssh:file");
        assert_eq!(isolated[&OsString::from("HOME")], "/private");
        assert!(!isolated.contains_key(&OsString::from("SSH_AUTH_SOCK")));
        assert_eq!(own[&OsString::from("SSH_AUTH_SOCK")], "x");
    }
}
