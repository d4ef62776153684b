//! Answering Git's question for user name and password.
//!
//! Git starts our own executable as its askpass program, and that asks the
//! session over a socket in a private directory. Only a question that names the
//! repository's own scheme, host and port is answered: a server that sends Git
//! elsewhere learns nothing.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::secret::SecretValue;

/// Set for the child that Git starts as its askpass program; its value is the
/// socket to ask.
pub const ASKPASS_MARKER: &str = "HUMCTL_ASKPASS_SOCKET";

/// Longer questions are none of Git's.
const MAX_PROMPT: u64 = 4096;

/// What askpass children are told, and for which server.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// `https://host:port` of the repository.
    pub(super) origin: String,
    pub(super) user: String,
    pub(super) password: SecretValue,
}

impl Answers {
    /// The answer to one question; `None` when it is about another server.
    fn to(&self, prompt: &str) -> Option<&str> {
        let (question, rest) = prompt.split_once(" for '")?;
        let url = rest.rsplit_once('\'')?.0;
        if origin(url).is_none_or(|asked| asked != self.origin) {
            return None;
        }
        match question {
            "Username" => Some(&self.user),
            "Password" => Some(self.password.expose()),
            _ => None,
        }
    }
}

/// Scheme, host and port of an address, in the one form that can be compared.
pub(super) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host_port)| host_port).to_ascii_lowercase();
    let standard = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    Some(format!("{scheme}://{}", host_port.strip_suffix(standard).unwrap_or(&host_port)))
}

/// Answers askpass children over a socket until it is dropped.
#[derive(Debug)]
pub(super) struct AskpassServer {
    pub(super) socket: PathBuf,
    is_done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl AskpassServer {
    pub(super) fn start(directory: &Path, answers: Answers) -> io::Result<Self> {
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
                    let _ = answer(&stream, &answers);
                }
            }
        })?;
        Ok(Self { socket, is_done, thread: Some(thread) })
    }
}

fn answer(mut stream: &UnixStream, answers: &Answers) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.set_write_timeout(Some(Duration::from_secs(5)))?;
    let mut prompt = String::new();
    BufReader::new(stream.take(MAX_PROMPT)).read_line(&mut prompt)?;
    stream.write_all(answers.to(prompt.trim_end()).unwrap_or_default().as_bytes())
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
/// When the session has ended, or has no answer to this question.
pub fn ask(socket: &Path, prompt: &str) -> io::Result<SecretValue> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(prompt.lines().next().unwrap_or_default().as_bytes())?;
    stream.write_all(b"\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    match text.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::PermissionDenied, "no credentials for that server")),
        false => Ok(SecretValue::new(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_questions_about_our_own_server_are_answered() {
        let answers = |url: &str| Answers {
            origin: origin(url).unwrap(),
            user: "bot".to_owned(),
            password: SecretValue::new("canary-12345"),
        };
        for (ours, prompt, expected) in [
            ("https://h/x", "Username for 'https://h': ", Some("bot")),
            ("https://h/x", "Password for 'https://bot@h': ", Some("canary-12345")),
            ("https://h/x", "Password for 'https://b@t@h': ", Some("canary-12345")),
            ("https://H:443/x", "Password for 'https://bot@h': ", Some("canary-12345")),
            ("https://h:8443/x", "Password for 'https://bot@h:8443': ", Some("canary-12345")),
            ("http://[::1]:80/x", "Password for 'http://bot@[::1]': ", Some("canary-12345")),
            ("https://h/x", "Password for 'https://bot@h/x': ", Some("canary-12345")),
            ("https://h/x", "Password for 'http://bot@h': ", None),
            ("https://h/x", "Password for 'https://bot@h:8443': ", None),
            ("https://h/x", "Password for 'https://bot@evil': ", None),
            ("https://h/x", "Password for 'https://h@evil': ", None),
            ("https://h/x", "Password for 'https://evil/https://h': ", None),
            ("https://h/x", "Username for 'https://evil': ", None),
            ("https://h/x", "Enter passphrase for key 'https://h': ", None),
            ("https://h/x", "Password: ", None),
            ("https://h/x", "", None),
        ] {
            assert_eq!(answers(ours).to(prompt), expected, "{ours} {prompt}");
        }
    }
}
