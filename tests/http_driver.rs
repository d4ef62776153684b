//! Definitions tried out with an HTTP Driver: `test-definition --driver-url`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{HttpRequest, TestEnv, read_request};

const QUEUE: &str = "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: queue}
entity:
  name: queue
  type: queue
  driver_type: acme/queue
  driver_inputs:
    values: {region: \"${context.app.id}-region\"}
    secret_refs:
      account: {key: {store: vault, ref: queue/key}}
  criteria: [{}]
";

const INPUTS: &str = "placeholders: {context.app.id: shop}
resource: {fifo: true}
secretRefs: {account: {key: canary-account-key}}
";

/// A Driver for queues: each operation takes two questions, what it needs to
/// delete is in the cookie, and a wrong region is told with the key.
struct QueueDriver {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

/// How often each resource was asked for, per operation.
type Asked = BTreeMap<String, usize>;

impl QueueDriver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut asked = Asked::new();
            for stream in listener.incoming().flatten() {
                let Some(request) = read_request(&stream) else { continue };
                let (status, cookie, body) = answer(&request, &mut asked);
                let sent = request.header("humanitec-driver-cookie").unwrap_or("-");
                log.lock().unwrap().push(format!("{} {} {sent} -> {status}", request.method, request.path));
                respond(&stream, status, cookie.as_deref(), &body);
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> String {
        std::mem::take(&mut *self.seen.lock().unwrap()).join("\n")
    }
}

fn respond(mut stream: &TcpStream, status: u16, cookie: Option<&str>, body: &str) {
    let cookie = cookie.map(|cookie| format!("Set-Humanitec-Driver-Cookie: {cookie}\r\n")).unwrap_or_default();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{cookie}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn answer(request: &HttpRequest, asked: &mut Asked) -> (u16, Option<String>, String) {
    // Done at once, by the Driver's own clock.
    let running = json!({
        "status": "creating", "current_time": "2020-01-01T00:00:00Z", "estimated_completion_time": "2020-01-01T00:00:00.1Z",
    })
    .to_string();
    let cookie = request.header("humanitec-driver-cookie");
    let n_asked = asked.entry(request.method.clone()).or_default();
    *n_asked += 1;
    let is_first = *n_asked % 2 == 1;
    match request.method.as_str() {
        "PUT" => {
            let Ok(body) = serde_json::from_slice::<Value>(&request.body) else { return (422, None, String::new()) };
            let key = body["driver"]["secrets"]["account"]["key"].as_str().unwrap_or_default();
            let region = body["driver"]["values"]["region"].as_str().unwrap_or_default();
            if region != "shop-region" || body["type"] != "queue" || body["resource"] != json!({"fifo": true}) {
                *n_asked = 0;
                let message = format!("key {key} has no region {region}\nError: not ours");
                return (400, None, json!({"error": "RES-104", "message": message}).to_string());
            }
            if is_first {
                return (202, cookie.is_none().then(|| "first".to_owned()), running);
            }
            let cookie = format!("{}+", cookie.unwrap_or_default());
            let body = json!({
                "id": request.path.trim_start_matches("/v1/"), "type": "queue",
                "resource": {"values": {"name": "q-1"}, "secrets": {"token": key}},
                "manifests": [{"location": "volume", "manifest": {"name": "v", "emptyDir": {}}}],
            });
            (200, Some(cookie), body.to_string())
        }
        "DELETE" if cookie.is_none() => (404, None, String::new()),
        "DELETE" if is_first => (202, None, running),
        "DELETE" => (204, None, String::new()),
        _ => (405, None, String::new()),
    }
}

#[test]
fn a_resource_is_made_updated_and_deleted_with_its_cookie() {
    let env = TestEnv::new();
    let driver = QueueDriver::start();
    env.write("queue.yaml", QUEUE).write("inputs.yaml", INPUTS);
    let run = |words: &str| {
        env.run(&format!(
            "resources test-definition queue.yaml --driver-url http://127.0.0.1:{}/v1/ {words}",
            driver.port
        ))
    };
    let skeleton = run("--generate").ok().stdout;
    assert!(skeleton.contains("context.app.id: \"\"") && skeleton.contains("key: \"\""), "{skeleton}");

    insta::assert_snapshot!(run("--inputs inputs.yaml").ok().stdout, @r"
    cookie: first+
    manifests:
    - data:
        emptyDir: {}
        name: v
      location: volumes
    outputs:
      name: q-1
    secrets:
      token: canary-account-key
    ");
    env.write("second.yaml", &format!("cookie: first+\n{INPUTS}"));
    let second = run("--inputs second.yaml -o json").ok().json();
    assert_eq!((&second["cookie"], &second["outputs"]["name"]), (&json!("first++"), &json!("q-1")));

    // Deleting sends no inputs, so that placeholders need no values.
    env.write("cookie.yaml", "cookie: first++\n").write("empty.yaml", "");
    let deleted = run("--inputs cookie.yaml --destroy").ok().stdout;
    assert!(deleted.starts_with("Resource ") && deleted.ends_with(" deleted\n"), "{deleted}");
    assert!(run("--inputs empty.yaml --destroy").ok().stdout.ends_with(" is not there\n"));

    let seen = driver.seen();
    let id = deleted.split(' ').nth(1).unwrap();
    insta::assert_snapshot!(seen.replace(id, "ID"), @r"
    PUT /v1/ID - -> 202
    PUT /v1/ID first -> 200
    PUT /v1/ID first+ -> 202
    PUT /v1/ID first+ -> 200
    DELETE /v1/ID first++ -> 202
    DELETE /v1/ID first++ -> 204
    DELETE /v1/ID - -> 404
    ");
    assert!(!env.path("home/.local").exists(), "nothing is stored");
}

#[test]
fn what_goes_wrong_is_told_without_secrets() {
    let env = TestEnv::new();
    let driver = QueueDriver::start();
    env.write("queue.yaml", QUEUE).write("inputs.yaml", INPUTS);
    env.write("wrong.yaml", &INPUTS.replace("shop", "nowhere"));
    env.write("object.yaml", &format!("cookie: {{a: 1}}\n{INPUTS}"));
    let local = format!("--driver-url http://127.0.0.1:{}/v1", driver.port);
    let errors: String = [
        format!("--inputs wrong.yaml {local} -v9"),
        format!("--inputs object.yaml {local}"),
        "--inputs inputs.yaml --driver-url http://127.0.0.1:1".to_owned(),
        "--inputs inputs.yaml --driver-url http://driver.example.com".to_owned(),
        "--inputs inputs.yaml --destroy".to_owned(),
        "--inputs inputs.yaml".to_owned(),
    ]
    .iter()
    .map(|words| {
        let run = env.run(&format!("resources test-definition queue.yaml {words}"));
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{words}: {}", run.stderr);
        assert!(!run.stderr.contains("canary"), "{}", run.stderr);
        let lines = run.stderr.lines().filter(|line| !line.contains("DEBUG"));
        lines.map(|line| format!("{}\n", line.replace(&driver.port.to_string(), "[PORT]"))).collect::<String>()
    })
    .collect();
    insta::assert_snapshot!(errors, @"
    Error: queue.yaml: the Driver `acme/queue` at `http://127.0.0.1:[PORT]/v1`: it refuses for good (HTTP-400)
      driver: RES-104: key [secret] has no region nowhere-region
      driver: Error: not ours
      hint: correct what it gets: the inputs of the Definition, or the values and the cookie of an inputs file
    Error: queue.yaml: cookie: the cookie of an HTTP Driver is text, as the Driver set it
    Error: queue.yaml: the Driver `acme/queue` at `http://127.0.0.1:1`: it cannot be reached: Connection refused (os error 111)
      hint: check that it runs, its address and the network
    Error: --driver-url: its address begins with `http://`, which would send secrets in clear; only loopback may be spoken to so
      hint: it is of the form http://localhost:8080 or https://service.example.com/v1
    Error: the following required arguments were not provided: --driver-url <URL>
      hint: see: humctl resources test-definition --help
    Error: queue.yaml: Definition `queue` is for the Driver `acme/queue`, which does not run here
      hint: test-definition runs `humanitec/echo` and `humanitec/template`; an HTTP Driver runs with --driver-url URL
    ");
}

#[test]
fn ctrl_c_ends_the_wait() {
    let env = TestEnv::new();
    env.write("queue.yaml", QUEUE).write("inputs.yaml", INPUTS);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let child = env.start(&format!("resources test-definition queue.yaml --inputs inputs.yaml --driver-url {url}"));
    // The Driver has the request, and never answers.
    let (stream, _) = listener.accept().unwrap();
    assert_eq!(read_request(&stream).unwrap().method, "PUT");
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout, output.stderr), (Some(130), Vec::new(), Vec::new()));
}
