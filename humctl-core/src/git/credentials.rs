//! Handing a password or key to `git` without showing it to anybody else.
//!
//! A password goes over a socket in a private directory to our own executable,
//! which Git starts as its askpass program. A key lies in a file of mode 0600
//! in that directory. The directory is removed when the session ends; what a
//! killed process leaves is swept by the next one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;

use crate::git::error::GitError;
use crate::secret::SecretValue;

/// Set for the child that Git starts as its askpass program; its value is the
/// socket to ask.
pub const ASKPASS_MARKER: &str = "HUMCTL_ASKPASS_SOCKET";

const PREFIX: &str = "humctl-git-";
const LOCK: &str = "lock";

/// The published ed25519 keys of the large hosts, as of 2026
/// (spec/gitops.md §7.3). The Definition's `known_hosts` adds to them.
const SHIPPED_HOST_KEYS: &str = "\
github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
[ssh.github.com]:443 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl
gitlab.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfuCHKVTjquxvt6CM6tdG4SLp1Btn/nOeHHE5UOzRdf
bitbucket.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIazEu89wgQZ4bqs3d63QSMzYVa0MuJ2e2gKTKqu+UUO
";

/// A secret with which to log in.
#[derive(Debug)]
pub enum Login {
    /// The user's own configuration, agent and helpers.
    UsersOwn,
    /// User and password or token, for HTTPS.
    Password {
        /// User name.
        user: String,
        /// Password or token.
        password: SecretValue,
    },
    /// A private key, for SSH.
    SshKey(SecretValue),
}

/// How host keys are trusted.
#[derive(Debug, Clone, Default)]
pub struct HostKeys {
    /// Lines from the Definition.
    pub from_definition: Option<String>,
    /// The user's own file, which is read but not written.
    pub users_file: Option<PathBuf>,
    /// Trust a host that no file names.
    pub accept_new: bool,
}

/// A private directory and whatever runs in it while `git` does.
#[derive(Debug)]
pub struct CredentialSession {
    // Dropped first: it is woken up through a socket in the directory.
    askpass: Option<AskpassServer>,
    directory: TempDir,
    _lock: File,
    variables: Vec<(String, String)>,
    is_isolated: bool,
}

impl CredentialSession {
    /// Prepares a login below `runtime_dir`.
    ///
    /// # Errors
    /// [`GitError::Io`] when the private directory cannot be made.
    pub fn open(runtime_dir: &Path, executable: &Path, login: &Login, host_keys: &HostKeys) -> Result<Self, GitError> {
        let io_error = |source| GitError::Io {
            what: format!("cannot make a private directory below `{}`", runtime_dir.display()),
            source,
        };
        DirBuilder::new().recursive(true).mode(0o700).create(runtime_dir).map_err(io_error)?;
        sweep(runtime_dir);
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(runtime_dir)
            .map_err(io_error)?;
        let lock = File::create(directory.path().join(LOCK)).map_err(io_error)?;
        lock.lock().map_err(io_error)?;
        let mut session = Self {
            askpass: None,
            directory,
            _lock: lock,
            variables: Vec::new(),
            is_isolated: !matches!(login, Login::UsersOwn),
        };
        match login {
            Login::UsersOwn => {}
            Login::Password { user, password } => session.serve(executable, user, password).map_err(io_error)?,
            Login::SshKey(key) => session.write_key(key, host_keys).map_err(io_error)?,
        }
        Ok(session)
    }

    /// The HOME of an isolated child; `None` when it runs as the user.
    #[must_use]
    pub fn private_home(&self) -> Option<&Path> {
        self.is_isolated.then(|| self.directory.path())
    }

    /// Variables that lead the child to its credentials; none holds a secret.
    #[must_use]
    pub fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    fn serve(&mut self, executable: &Path, user: &str, password: &SecretValue) -> io::Result<()> {
        let server = AskpassServer::start(self.directory.path(), user.trim().to_owned(), password.clone())?;
        self.variables = vec![
            ("GIT_ASKPASS".to_owned(), executable.display().to_string()),
            (ASKPASS_MARKER.to_owned(), server.socket.display().to_string()),
        ];
        self.askpass = Some(server);
        Ok(())
    }

    fn write_key(&mut self, key: &SecretValue, host_keys: &HostKeys) -> io::Result<()> {
        let key_file = self.directory.path().join("key");
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&key_file)?;
        // OpenSSH wants LF and a newline at the end, whatever a form field did to the text.
        let text = SecretValue::new(key.expose().replace("\r\n", "\n").trim().to_owned());
        file.write_all(text.expose().as_bytes())?;
        file.write_all(b"\n")?;
        let known_hosts = self.directory.path().join("known_hosts");
        let mut lines = SHIPPED_HOST_KEYS.to_owned();
        if let Some(more) = &host_keys.from_definition {
            lines.push_str(more.trim());
            lines.push('\n');
        }
        if let Some(users) = host_keys.users_file.as_ref().and_then(|file| fs::read_to_string(file).ok()) {
            lines.push_str(&users);
        }
        fs::write(&known_hosts, lines)?;
        // Paths of ours hold no quote; the shell that Git starts wants the rest protected.
        let quote = |path: &Path| format!("'{}'", path.display());
        let strict = if host_keys.accept_new { "accept-new" } else { "yes" };
        self.variables = vec![
            (
                "GIT_SSH_COMMAND".to_owned(),
                format!(
                    "ssh -F /dev/null -i {} -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
                     -o StrictHostKeyChecking={strict} -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null \
                     -o ConnectTimeout=15 -o ServerAliveInterval=15 -o ServerAliveCountMax=4",
                    quote(&key_file),
                    quote(&known_hosts),
                ),
            ),
            ("GIT_SSH_VARIANT".to_owned(), "ssh".to_owned()),
        ];
        Ok(())
    }
}

/// Removes what killed processes left behind: directories whose lock is free.
fn sweep(runtime_dir: &Path) {
    let Ok(entries) = fs::read_dir(runtime_dir) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let is_free = File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_free {
            // Somebody else may sweep at the same time; whoever is second finds nothing.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Answers askpass children over a socket until it is dropped.
#[derive(Debug)]
struct AskpassServer {
    socket: PathBuf,
    is_done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl AskpassServer {
    fn start(directory: &Path, user: String, password: SecretValue) -> io::Result<Self> {
        let socket = directory.join("askpass");
        let listener = UnixListener::bind(&socket)?;
        let is_done = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&is_done);
        let thread = std::thread::Builder::new().name("askpass".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(stream) = stream {
                    // A child that hangs up gets no answer, and Git says so.
                    let _ = answer(&stream, &user, &password);
                }
            }
        })?;
        Ok(Self { socket, is_done, thread: Some(thread) })
    }
}

fn answer(stream: &UnixStream, user: &str, password: &SecretValue) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut prompt = String::new();
    BufReader::new(stream).read_line(&mut prompt)?;
    let text = if prompt.to_lowercase().contains("username") { user } else { password.expose().trim() };
    let mut stream = stream;
    stream.write_all(text.as_bytes())
}

impl Drop for AskpassServer {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::Relaxed);
        // Wakes the thread up so that it sees the flag. Without the socket it
        // cannot be woken, and waiting for it would take forever.
        if UnixStream::connect(&self.socket).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// The child's side: asks the session's socket for what Git wants to know.
///
/// # Errors
/// When the session has ended.
pub fn ask(socket: &Path, prompt: &str) -> io::Result<SecretValue> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(prompt.lines().next().unwrap_or_default().as_bytes())?;
    stream.write_all(b"\n")?;
    let mut text = String::new();
    io::Read::read_to_string(&mut stream, &mut text)?;
    Ok(SecretValue::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(runtime: &Path, login: &Login) -> CredentialSession {
        CredentialSession::open(runtime, Path::new("/bin/humctl"), login, &HostKeys::default()).unwrap()
    }

    #[test]
    fn a_password_is_told_only_over_the_socket() {
        let runtime = tempfile::tempdir().unwrap();
        let login = Login::Password { user: "bot".to_owned(), password: SecretValue::new("canary-12345\n") };
        let session = open(runtime.path(), &login);
        let socket = session.variables().iter().find(|(name, _)| name == ASKPASS_MARKER).unwrap().1.clone();
        assert_eq!(ask(Path::new(&socket), "Username for 'https://h': ").unwrap().expose(), "bot");
        assert_eq!(ask(Path::new(&socket), "Password for 'https://bot@h': ").unwrap().expose(), "canary-12345");
        assert!(!format!("{:?}", session.variables()).contains("canary"));
        assert!(session.private_home().is_some());
        drop(session);
        assert_eq!(fs::read_dir(runtime.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_key_is_a_private_file_with_one_newline_that_goes_away() {
        let runtime = tempfile::tempdir().unwrap();
        let session = open(runtime.path(), &Login::SshKey(SecretValue::new("\r\nline1\r\nline2\r\n\r\n")));
        let key = session.private_home().unwrap().join("key");
        assert_eq!(fs::read_to_string(&key).unwrap(), "line1\nline2\n");
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(key.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(session.variables()[0].1.contains("StrictHostKeyChecking=yes"));
        drop(session);
        assert!(!key.exists());
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_a_living_one_is_kept() {
        let runtime = tempfile::tempdir().unwrap();
        let living = open(runtime.path(), &Login::SshKey(SecretValue::new("k")));
        let dead = runtime.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("key"), "left over").unwrap();
        let _session = open(runtime.path(), &Login::UsersOwn);
        assert!(!dead.exists());
        assert!(living.private_home().unwrap().exists());
    }
}
