//! A tap on the line between the command line and a server: it passes everything
//! on and remembers it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::http::{HttpRequest, read_request};

/// A request with its answer.
pub(crate) struct Exchange {
    pub(crate) request: HttpRequest,
    pub(crate) status: u16,
    /// The status line and the headers, in small letters.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// The tap. It ends with the test.
pub(crate) struct Tap {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Exchange>>>,
}

impl Tap {
    /// Listens before the server at a host and port.
    pub(crate) fn before(host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, host) = (Arc::clone(&seen), host.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read_request(&stream) else { continue };
                let exchange = pass_on(&host, request, stream);
                log.lock().unwrap().push(exchange);
            }
        });
        Self { address, seen }
    }

    /// What has passed so far.
    pub(crate) fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn pass_on(host: &str, request: HttpRequest, mut client: TcpStream) -> Exchange {
    let kept = request.headers.iter().filter(|(name, _)| !matches!(name.as_str(), "connection" | "host"));
    let headers: String = kept.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let line = request.line();
    let (method, target) = line.split_once(' ').unwrap();
    let mut server = TcpStream::connect(host).unwrap();
    let head = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n");
    server.write_all(head.as_bytes()).unwrap();
    server.write_all(&request.body).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{line}: no answer: {text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let exchange = Exchange { request, status, head: head.to_ascii_lowercase(), body: body.to_owned() };
    // Whoever asked may be gone.
    let _ = client.write_all(&answer);
    exchange
}
