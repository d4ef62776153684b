//! Smart HTTP with basic authentication: `git http-backend` behind a small
//! server on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Works on it and answers.
    None,
    /// Hangs up without working on it.
    DropBefore,
    /// Works on it, and hangs up without an answer.
    DropAfter,
    /// Works on it, and hangs up in the middle of the answer.
    CutAnswer,
    /// Works on it, and never answers.
    Hang,
    /// Answers something else.
    Say(String),
}

/// Decides what is done with each request.
type Faults = dyn FnMut(&HttpRequest) -> Fault + Send;

/// Serves the repositories below a directory to one user.
pub(crate) struct HttpGit {
    port: u16,
    /// Request lines and `Authorization` headers, as they came.
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
}

impl HttpGit {
    pub(crate) fn start(root: &Path, user: &str, password: &str) -> Self {
        Self::with_faults(root, user, password, |_| Fault::None)
    }

    /// A server that does not do as it should with some of the requests that it lets in.
    pub(crate) fn with_faults(
        root: &Path,
        user: &str,
        password: &str,
        fault: impl FnMut(&HttpRequest) -> Fault + Send + 'static,
    ) -> Self {
        let fault: Arc<Mutex<Faults>> = Arc::new(Mutex::new(fault));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let expected =
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (root, log) = (root.to_owned(), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, expected, log) = (root.clone(), expected.clone(), Arc::clone(&log));
                let fault = Arc::clone(&fault);
                std::thread::spawn(move || serve(&stream, &root, &expected, &log, &fault));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn url(&self, repository: &str) -> String {
        format!("http://127.0.0.1:{}/{repository}", self.port)
    }
}

/// A request that came in; names of headers in lower case.
#[derive(Debug, Clone)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl HttpRequest {
    /// Method, path and query.
    pub(crate) fn line(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, self.query)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn serve(mut stream: &TcpStream, root: &Path, expected: &str, log: &Mutex<Vec<String>>, fault: &Mutex<Faults>) {
    let Some(request) = read_request(stream) else { return };
    let authorization = request.header("authorization").unwrap_or_default().to_owned();
    log.lock().unwrap().push(format!("{} {}?{} {authorization}", request.method, request.path, request.query));
    let answer = if authorization == expected {
        let fault = (fault.lock().unwrap())(&request);
        match fault {
            Fault::None => backend(&request, root),
            Fault::DropBefore => return,
            Fault::DropAfter => return drop(backend(&request, root)),
            Fault::CutAnswer => {
                let mut whole = backend(&request, root);
                whole.truncate(whole.len() - whole.len().min(40));
                whole
            }
            Fault::Hang => {
                backend(&request, root);
                // Until the client hangs up.
                let _ = stream.read(&mut [0]);
                return;
            }
            Fault::Say(answer) => answer.into_bytes(),
        }
    } else {
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec()
    };
    let _ = stream.write_all(&answer);
}

/// Reads one request.
pub(crate) fn read_request(stream: impl Read) -> Option<HttpRequest> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (path, query) = (path.to_owned(), query.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = HttpRequest { method, path, query, headers, body: Vec::new() };
    if request.header("transfer-encoding") == Some("chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            request.body.extend_from_slice(&chunk[..size]);
        }
    } else if let Some(length) = request.header("content-length").and_then(|length| length.parse().ok()) {
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
    }
    Some(request)
}

/// Runs the request as a CGI program and turns its answer into HTTP.
fn backend(request: &HttpRequest, root: &Path) -> Vec<u8> {
    let exec_path = Command::new("git").arg("--exec-path").output().unwrap().stdout;
    let program = PathBuf::from(String::from_utf8(exec_path).unwrap().trim()).join("git-http-backend");
    let mut child = Command::new(program)
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REMOTE_USER", "somebody")
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("HTTP_CONTENT_ENCODING", request.header("content-encoding").unwrap_or_default())
        .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default())
        .env("GIT_CONFIG_COUNT", "2")
        .env("GIT_CONFIG_KEY_0", "http.receivepack")
        .env("GIT_CONFIG_VALUE_0", "true")
        .env("GIT_CONFIG_KEY_1", "safe.directory")
        .env("GIT_CONFIG_VALUE_1", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let body = request.body.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&body));
    let output = child.wait_with_output().unwrap().stdout;
    let _ = writer.join();
    let split = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(output.len().saturating_sub(4));
    let head = String::from_utf8_lossy(&output[..split]).into_owned();
    let content = &output[split + 4..];
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let headers: String =
        head.lines().filter(|line| !line.starts_with("Status: ")).map(|line| format!("{line}\r\n")).collect();
    let mut answer =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", content.len())
            .into_bytes();
    answer.extend_from_slice(content);
    answer
}
