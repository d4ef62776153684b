//! A hosted Orchestrator, played by a server that answers what it is told and
//! remembers what it was asked.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::TestEnv;
use crate::harness::http::{HttpRequest, read_request};

/// What the server says to one request. Made of `(status, body)`, or step by step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    is_cut: bool,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    /// Closes the connection instead of answering.
    pub(crate) fn cut() -> Self {
        Self { is_cut: true, ..Self::default() }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The answer as it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let (status, body) = (self.status, &self.body);
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

impl<B: Into<String>> From<(u16, B)> for Answer {
    fn from((status, body): (u16, B)) -> Self {
        Self::new(status, body)
    }
}

/// The server. It ends with the test.
pub(crate) struct FakeApi {
    port: u16,
    seen: Arc<Mutex<Vec<HttpRequest>>>,
}

impl FakeApi {
    /// Answers the requests in turn, whatever they ask; when the script has
    /// ended nobody can connect any more.
    pub(crate) fn script<A: Into<Answer>>(answers: impl IntoIterator<Item = A>) -> Self {
        let mut answers: Vec<Answer> = answers.into_iter().map(Into::into).collect();
        answers.reverse();
        Self::serve(move |_| answers.pop())
    }

    /// Answers by `METHOD /path?query` (without the prefix's path). The answers of a
    /// route go in turn, and the last one stays; what has no route gets a 404.
    pub(crate) fn routes<A: Into<Answer>>(routes: impl IntoIterator<Item = (&'static str, Vec<A>)>) -> Self {
        let mut routes: BTreeMap<String, Vec<Answer>> = routes
            .into_iter()
            .map(|(route, answers)| (route.to_owned(), answers.into_iter().map(Into::into).rev().collect()))
            .collect();
        Self::serve(move |request| {
            let answers = routes.get_mut(&request.line().replacen(" /base", " ", 1));
            Some(match answers {
                Some(answers) if answers.len() > 1 => answers.pop().unwrap(),
                Some(answers) => answers[0].clone(),
                None => Answer::new(404, "{\"error\":\"API-404\",\"message\":\"not there\"}"),
            })
        })
    }

    /// Answers what a function says, until it says nothing.
    pub(crate) fn serve(mut answer: impl FnMut(&HttpRequest) -> Option<Answer> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read_request(&stream) else { continue };
                let Some(said) = answer(&request) else { return };
                // Whoever reads the answer may look at once.
                log.lock().unwrap().push(request);
                reply(stream, &said);
            }
        });
        Self { port, seen }
    }

    /// The address of the API; it has a path, as behind a gateway.
    pub(crate) fn prefix(&self) -> String {
        format!("http://127.0.0.1:{}/base", self.port)
    }

    /// Host and port, as messages name them.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<HttpRequest> {
        self.seen.lock().unwrap().clone()
    }

    /// The lines of the requests so far, without the prefix's path.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|request| request.line().replacen(" /base", " ", 1)).collect()
    }
}

/// A user with a token for this API, in the Organization `my-org`.
pub(crate) fn hosted(api: &FakeApi) -> TestEnv {
    let mut env = TestEnv::new();
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("HUMANITEC_TOKEN", "some-token").set("HUMANITEC_ORG", "my-org");
    env
}

fn reply(mut stream: TcpStream, answer: &Answer) {
    if !answer.is_cut {
        let _ = stream.write_all(&answer.bytes());
    }
}
