//! Handing a password or key to `git` without showing it to anybody else.
//!
//! A password goes over a socket in a private directory to our own executable,
//! which Git starts as its askpass program. A key lies in a file of mode 0600
//! in that directory. The directory is removed when the session ends; what a
//! killed process leaves is swept by the next one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::fault;
use crate::git::askpass::{ASKPASS_MARKER, Answers, AskpassServer, origin};
use crate::git::error::GitError;
use crate::git::key;
use crate::git::target::{Credential, GitTarget, GitUrl, Transport};
use crate::secret::SecretValue;

const PREFIX: &str = "humctl-git-";
const LOCK: &str = "lock";
const GATE: &str = "lock";

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

impl Login {
    /// User and password, without what a form field or a file put around them.
    #[must_use]
    pub fn password(user: &str, password: &SecretValue) -> Self {
        Self::Password { user: user.trim().to_owned(), password: SecretValue::new(password.expose().trim()) }
    }

    /// A private key that `ssh` can use.
    ///
    /// # Errors
    /// [`GitError::Key`]; `place` says where the key was given.
    pub fn ssh_key(key: &SecretValue, place: &str) -> Result<Self, GitError> {
        key::check(key).map_err(|reason| GitError::Key { place: place.to_owned(), reason })?;
        Ok(Self::SshKey(key::normalized(key)))
    }

    /// The secret, for whoever has to keep it out of sight.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretValue> {
        match self {
            Self::UsersOwn => None,
            Self::Password { password: secret, .. } | Self::SshKey(secret) => Some(secret),
        }
    }
}

/// Credentials that this process was given, for targets whose Definition has none.
#[derive(Debug, Clone, Default)]
pub struct GivenCredentials {
    /// Password or token, for HTTPS.
    pub password: Option<SecretValue>,
    /// File with a private key, for SSH.
    pub ssh_key_file: Option<PathBuf>,
    /// File with a private SSH key to sign commits with.
    pub signing_key_file: Option<PathBuf>,
}

impl GivenCredentials {
    /// How to log in at a target that brings no credentials.
    ///
    /// # Errors
    /// [`GitError::Io`] and [`GitError::Key`] for a key file that cannot be used.
    pub fn login(&self, target: &GitTarget) -> Result<Login, GitError> {
        debug_assert_eq!(target.credential, Credential::UsersOwn);
        match (target.url.transport(), &self.password, &self.ssh_key_file) {
            (Transport::Http { .. }, Some(password), _) => {
                Ok(Login::password(&target.url.username(target.username.as_deref()), password))
            }
            (Transport::Ssh { .. }, _, Some(file)) => read_key(file, "SSH key").map(Login::SshKey),
            _ => Ok(Login::UsersOwn),
        }
    }

    /// Everything that must not be seen, as far as it can be read.
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretValue> {
        let files = [&self.ssh_key_file, &self.signing_key_file].into_iter().flatten();
        let keys = files.filter_map(|file| fs::read_to_string(file).ok()).map(SecretValue::new);
        keys.chain(self.password.clone()).collect()
    }
}

/// A private key in a file of the user's, as OpenSSH wants it.
fn read_key(file: &Path, what: &str) -> Result<SecretValue, GitError> {
    let place = format!("the {what} file `{}`", file.display());
    let text =
        fs::read_to_string(file).map_err(|source| GitError::Io { what: format!("cannot read {place}"), source })?;
    let text = SecretValue::new(text);
    key::check(&text).map_err(|reason| GitError::Key { place, reason })?;
    Ok(key::normalized(&text))
}

/// How host keys are trusted.
#[derive(Debug, Clone, Default)]
pub struct HostKeys {
    /// Lines from the Definition.
    pub from_definition: Option<String>,
    /// The user's own file; it need not exist.
    pub users_file: Option<PathBuf>,
    /// The file that was named to be used instead.
    pub named_file: Option<PathBuf>,
    /// Trust a host that no file names, and keep its key.
    pub accept_new: bool,
}

impl HostKeys {
    /// The user's file, or the one in its place.
    fn file(&self) -> Option<&Path> {
        self.named_file.as_deref().or(self.users_file.as_deref())
    }

    fn is_asked_for(&self) -> bool {
        self.accept_new || self.named_file.is_some() || self.from_definition.is_some()
    }
}

/// A private directory and whatever runs in it while `git` does.
#[derive(Debug)]
pub struct CredentialSession {
    // Dropped first: it is woken up through a socket in the directory.
    askpass: Option<AskpassServer>,
    directory: TempDir,
    _lock: File,
    variables: Vec<(String, OsString)>,
    is_isolated: bool,
}

impl CredentialSession {
    /// Prepares a login at `url` below `runtime_dir`. `environment` is ours, in
    /// which the user may have named an SSH program.
    ///
    /// # Errors
    /// [`GitError::Io`] when the private directory cannot be made, or a named
    /// file cannot be read.
    pub fn open(
        runtime_dir: &Path,
        executable: &Path,
        url: &GitUrl,
        login: &Login,
        host_keys: &HostKeys,
        environment: &BTreeMap<OsString, OsString>,
    ) -> Result<Self, GitError> {
        let io_error = |source| GitError::Io {
            what: format!("cannot make a private directory below `{}`", runtime_dir.display()),
            source,
        };
        DirBuilder::new().recursive(true).mode(0o700).create(runtime_dir).map_err(io_error)?;
        let gate = gate(runtime_dir).map_err(io_error)?;
        sweep_behind_gate(runtime_dir);
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(runtime_dir)
            .map_err(io_error)?;
        fault::point("private directory made");
        let lock = File::create(directory.path().join(LOCK)).map_err(io_error)?;
        lock.lock().map_err(io_error)?;
        drop(gate);
        fault::point("private directory locked");
        let mut session = Self {
            askpass: None,
            directory,
            _lock: lock,
            variables: Vec::new(),
            is_isolated: !matches!(login, Login::UsersOwn),
        };
        let is_ssh = matches!(url.transport(), Transport::Ssh { .. });
        match login {
            Login::UsersOwn if is_ssh && host_keys.is_asked_for() => {
                let named = |name: &str| environment.get(OsStr::new(name)).and_then(|value| value.to_str());
                let program = named("GIT_SSH_COMMAND").map(ToOwned::to_owned);
                let program = program.or_else(|| named("GIT_SSH").map(quote)).unwrap_or_else(|| "ssh".to_owned());
                let trust = session.trust(host_keys, false)?;
                session.set("GIT_SSH_COMMAND", format!("{program} {trust}"));
            }
            Login::UsersOwn => {}
            Login::Password { user, password } => {
                let answers = Answers {
                    origin: origin(url.as_str()).unwrap_or_default(),
                    user: user.clone(),
                    password: password.clone(),
                };
                session.serve(executable, answers).map_err(io_error)?;
            }
            Login::SshKey(key) => session.write_key(key, host_keys, io_error)?,
        }
        fault::point("login prepared");
        Ok(session)
    }

    /// The HOME of an isolated child; `None` when it runs as the user.
    #[must_use]
    pub fn private_home(&self) -> Option<&Path> {
        self.is_isolated.then(|| self.directory.path())
    }

    /// The private directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Variables that lead the child to its credentials; none holds a secret.
    #[must_use]
    pub fn variables(&self) -> &[(String, OsString)] {
        &self.variables
    }

    fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.push((name.to_owned(), value.into()));
    }

    /// Copies the key in a file to where `ssh-keygen` takes it, whatever the
    /// permissions and line ends of the original.
    ///
    /// # Errors
    /// [`GitError::Io`] and [`GitError::Key`].
    pub fn write_signing_key(&self, file: &Path) -> Result<PathBuf, GitError> {
        let key = read_key(file, "signing key")?;
        self.private_file("signing_key", &key)
            .map_err(|source| GitError::Io { what: "cannot make a private file".to_owned(), source })
    }

    /// A file that only we can read.
    fn private_file(&self, name: &str, content: &SecretValue) -> io::Result<PathBuf> {
        let path = self.directory.path().join(name);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(content.expose().as_bytes())?;
        Ok(path)
    }

    fn serve(&mut self, executable: &Path, answers: Answers) -> io::Result<()> {
        let server = AskpassServer::start(self.directory.path(), answers)?;
        self.set("GIT_ASKPASS", executable);
        self.set(ASKPASS_MARKER, &server.socket);
        self.askpass = Some(server);
        Ok(())
    }

    fn write_key(
        &mut self,
        key: &SecretValue,
        host_keys: &HostKeys,
        io_error: impl Fn(io::Error) -> GitError,
    ) -> Result<(), GitError> {
        let key_file = self.private_file("key", key).map_err(io_error)?;
        let trust = self.trust(host_keys, true)?;
        self.set(
            "GIT_SSH_COMMAND",
            format!(
                "ssh -F /dev/null -i {} -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes {trust} \
                 -o GlobalKnownHostsFile=/dev/null -o ConnectTimeout=15 -o ServerAliveInterval=15 \
                 -o ServerAliveCountMax=4",
                quote(key_file.display().to_string()),
            ),
        );
        self.set("GIT_SSH_VARIANT", "ssh");
        Ok(())
    }

    /// The options of `ssh` that say whom to trust. `ssh` keeps the key of a new
    /// host in the first of the files.
    fn trust(&self, host_keys: &HostKeys, is_strict: bool) -> Result<String, GitError> {
        let private = self.directory.path().join("known_hosts");
        let io_error = |path: &Path| {
            let what = format!("cannot use the file of known hosts `{}`", path.display());
            move |source| GitError::Io { what, source }
        };
        let mut lines = SHIPPED_HOST_KEYS.to_owned();
        lines.push_str(host_keys.from_definition.as_deref().unwrap_or_default().trim());
        lines.push('\n');
        fs::write(&private, lines).map_err(io_error(&private))?;
        let mut files = vec![private];
        if let Some(named) = &host_keys.named_file {
            // A file that somebody names has to be there, unless keys are to be kept in it.
            match File::open(named) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && host_keys.accept_new => {}
                other => drop(other.map_err(io_error(named))?),
            }
        }
        if let Some(file) = host_keys.file() {
            let file = std::path::absolute(file).map_err(io_error(file))?;
            if host_keys.accept_new {
                let parent = file.parent().unwrap_or(&file);
                DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(io_error(&file))?;
                files.insert(0, file);
            } else {
                files.push(file);
            }
        }
        // Within the option, `ssh` splits at spaces outside of quotes and expands `%`.
        let files: Vec<String> =
            files.iter().map(|file| format!("\"{}\"", file.display().to_string().replace('%', "%%"))).collect();
        let known = quote(format!("UserKnownHostsFile={}", files.join(" ")));
        let strict = match (host_keys.accept_new, is_strict) {
            (true, _) => " -o StrictHostKeyChecking=accept-new",
            (false, true) => " -o StrictHostKeyChecking=yes",
            // The user's own configuration says.
            (false, false) => "",
        };
        Ok(format!("-o {known}{strict}"))
    }
}

impl Drop for CredentialSession {
    fn drop(&mut self) {
        fault::point("credentials about to go");
    }
}

/// A word for the shell that Git starts.
fn quote(word: impl AsRef<str>) -> String {
    format!("'{}'", word.as_ref().replace('\'', r"'\''"))
}

/// Removes what killed processes left behind in a directory for private files.
pub fn sweep(runtime_dir: &Path) {
    if let Ok(_gate) = gate(runtime_dir) {
        sweep_behind_gate(runtime_dir);
    }
}

/// Held while a private directory is made and while others are swept, so that
/// one that is just being made is never taken for one that was left.
fn gate(runtime_dir: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(runtime_dir.join(GATE))?;
    file.lock()?;
    Ok(file)
}

fn sweep_behind_gate(runtime_dir: &Path) {
    let Ok(entries) = fs::read_dir(runtime_dir) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        // Without a lock its process was killed at that very moment.
        let is_free = File::open(entry.path().join(LOCK)).map_or(true, |lock| lock.try_lock().is_ok());
        if is_free {
            // What cannot be removed now may be another time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_with(
        runtime: &Path,
        url: &str,
        login: &Login,
        host_keys: &HostKeys,
    ) -> Result<CredentialSession, GitError> {
        let url = GitUrl::parse(url).unwrap();
        let environment = BTreeMap::from([("GIT_SSH_COMMAND".into(), "my-ssh -v".into())]);
        CredentialSession::open(runtime, Path::new("/bin/humctl"), &url, login, host_keys, &environment)
    }

    fn open(runtime: &Path, login: &Login) -> CredentialSession {
        open_with(runtime, "https://h/x", login, &HostKeys::default()).unwrap()
    }

    fn n_directories(runtime: &Path) -> usize {
        fs::read_dir(runtime).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
    }

    fn ssh_command(session: &CredentialSession) -> String {
        let variable = session.variables().iter().find(|(name, _)| name == "GIT_SSH_COMMAND");
        variable.map(|(_, value)| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_password_is_told_only_over_the_socket() {
        let runtime = tempfile::tempdir().unwrap();
        let login = Login::password(" bot\n", &SecretValue::new(" canary-12345\r\n"));
        let session = open(runtime.path(), &login);
        let socket = session.variables().iter().find(|(name, _)| name == ASKPASS_MARKER).unwrap().1.clone();
        let ask = |prompt: &str| crate::git::askpass::ask(Path::new(&socket), prompt);
        assert_eq!(ask("Username for 'https://h': ").unwrap().expose(), "bot");
        assert_eq!(ask("Password for 'https://bot@h': ").unwrap().expose(), "canary-12345");
        assert!(ask("Password for 'https://bot@other': ").is_err());
        assert!(!format!("{session:?}{login:?}").contains("canary"));
        assert!(session.private_home().is_some());
        drop(session);
        assert_eq!(n_directories(runtime.path()), 0);
    }

    #[test]
    fn a_key_is_a_private_file_with_one_newline_that_goes_away() {
        let runtime = tempfile::tempdir().unwrap();
        let pem = "\r\n-----BEGIN RSA PRIVATE KEY-----\r\nMIIE\r\n-----END RSA PRIVATE KEY-----\r\n\r\n";
        let login = Login::ssh_key(&SecretValue::new(pem), "here").unwrap();
        let session = open_with(runtime.path(), "git@h:x", &login, &HostKeys::default()).unwrap();
        let key = session.private_home().unwrap().join("key");
        assert_eq!(fs::read_to_string(&key).unwrap(), format!("{}\n", pem.trim().replace('\r', "")));
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(key.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(ssh_command(&session).contains("StrictHostKeyChecking=yes"));
        drop(session);
        assert!(!key.exists());
    }

    #[test]
    fn keys_that_cannot_be_used_are_refused_with_their_place() {
        let error = Login::ssh_key(&SecretValue::new("canary-12345"), "`credentials.ssh_key`").unwrap_err().to_string();
        assert!(error.contains("`credentials.ssh_key`") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn files_of_known_hosts_go_to_ssh_and_only_one_that_is_named_has_to_exist() {
        let runtime = tempfile::tempdir().unwrap();
        let key = Login::SshKey(SecretValue::new("k"));
        let file = |name: &str| Some(runtime.path().join(name));
        fs::write(runtime.path().join("named"), "").unwrap();
        let (absent, named) = (file("it's absent"), file("named"));
        let keys = |accept_new| HostKeys { users_file: absent.clone(), accept_new, ..HostKeys::default() };
        let command =
            |login: &Login, keys: &HostKeys| ssh_command(&open_with(runtime.path(), "git@h:x", login, keys).unwrap());
        let strict = command(&key, &keys(false));
        assert!(strict.contains("known_hosts\" \"") && strict.contains(r"it'\''s absent"), "{strict}");
        // The first file gets what is accepted.
        let accepting = command(&key, &keys(true));
        assert!(accepting.contains("=accept-new") && !accepting.contains("known_hosts\" \""), "{accepting}");
        let instead = command(&key, &HostKeys { named_file: named.clone(), ..keys(false) });
        assert!(instead.contains("/named\"") && !instead.contains("absent"), "{instead}");
        assert!(
            open_with(runtime.path(), "git@h:x", &key, &HostKeys { named_file: absent.clone(), ..keys(false) })
                .is_err()
        );
        // The user's own program is asked to do the same, and left alone when nothing was said.
        let own = command(&Login::UsersOwn, &keys(true));
        assert!(own.starts_with("my-ssh -v -o ") && own.contains("accept-new"), "{own}");
        assert_eq!(command(&Login::UsersOwn, &keys(false)), "");
    }

    #[test]
    fn credentials_of_this_process_go_to_the_transport_that_they_fit() {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("key");
        fs::write(&key, "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----").unwrap();
        let given = GivenCredentials {
            password: Some(SecretValue::new("canary-12345\n")),
            ssh_key_file: Some(key),
            signing_key_file: None,
        };
        assert_eq!(given.secrets().len(), 2);
        assert!(!format!("{given:?}").contains("canary"));
        let login = |url: &str, given: &GivenCredentials| {
            let target = GitTarget {
                url: GitUrl::parse(url).unwrap(),
                branch: None,
                branch_from: None,
                path: crate::git::target::TargetPath::default(),
                username: Some("bot".to_owned()),
                known_hosts: None,
                credential: Credential::UsersOwn,
                output: crate::git::target::TargetOutput::default(),
            };
            given.login(&target)
        };
        assert!(matches!(login("https://h/x", &given), Ok(Login::Password { user, .. }) if user == "bot"));
        assert!(matches!(login("git@h:x", &given), Ok(Login::SshKey(_))));
        assert!(matches!(login("/x", &given), Ok(Login::UsersOwn)));
        for url in ["https://h/x", "git@h:x"] {
            assert!(matches!(login(url, &GivenCredentials::default()), Ok(Login::UsersOwn)), "{url}");
        }
        let absent = GivenCredentials { ssh_key_file: Some("/nowhere/key".into()), ..GivenCredentials::default() };
        assert!(login("git@h:x", &absent).unwrap_err().to_string().contains("/nowhere/key"));
    }

    #[test]
    fn what_a_killed_process_left_is_swept_and_a_living_one_is_kept() {
        let runtime = tempfile::tempdir().unwrap();
        let living = open(runtime.path(), &Login::password("u", &SecretValue::new("p")));
        for (name, has_lock) in [("dead", true), ("stillborn", false)] {
            let dead = runtime.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&dead).unwrap();
            fs::write(dead.join("key"), "left over").unwrap();
            if has_lock {
                fs::write(dead.join(LOCK), "").unwrap();
            }
        }
        sweep(runtime.path());
        assert_eq!(n_directories(runtime.path()), 1);
        assert!(living.directory().exists());
    }
}
