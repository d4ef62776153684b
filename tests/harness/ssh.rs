//! A real `sshd` on loopback.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An SSH server that lets one key in, as the user who runs the tests.
pub(crate) struct SshServer {
    child: Child,
    port: u16,
    user: String,
    /// The private key that is let in.
    pub(crate) key: String,
    /// A line for `known_hosts`.
    pub(crate) host_key: String,
}

const SSHD: &str = "/usr/sbin/sshd";

impl SshServer {
    pub(crate) fn start(directory: &Path) -> Self {
        assert!(Path::new(SSHD).exists(), "the tests need sshd: apt-get install openssh-server openssh-client");
        fs::create_dir_all(directory).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let key = make_key(directory, "user");
        make_key(directory, "host");
        fs::copy(directory.join("user.pub"), directory.join("authorized_keys")).unwrap();
        // The privilege separation of sshd wants this directory when it runs as root.
        let _ = fs::create_dir_all("/run/sshd");
        let place = directory.display();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {place}/host\nAuthorizedKeysFile {place}/authorized_keys\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nPidFile none\n\
             MaxStartups 100\n"
        );
        fs::write(directory.join("sshd_config"), config).unwrap();
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(directory.join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(directory.join("sshd.log")).unwrap())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "sshd does not answer: {}",
                fs::read_to_string(directory.join("sshd.log")).unwrap_or_default()
            );
            std::thread::yield_now();
        }
        let public = fs::read_to_string(directory.join("host.pub")).unwrap();
        let host_key =
            format!("[127.0.0.1]:{port} {}", public.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        Self { child, port, user: String::from_utf8(user).unwrap().trim().to_owned(), key, host_key }
    }

    pub(crate) fn url(&self, path: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, path.display())
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key pair and returns the private key's text.
pub(crate) fn make_key(directory: &Path, name: &str) -> String {
    fs::create_dir_all(directory).unwrap();
    let path = directory.join(name);
    let status = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
        .arg(&path)
        .stdin(Stdio::null())
        .status()
        .expect("the tests need ssh-keygen: apt-get install openssh-client");
    assert!(status.success());
    fs::read_to_string(path).unwrap()
}
