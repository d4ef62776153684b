//! `humctl serve`: the embedded Orchestrator over HTTP.

use std::io::{Read as _, Write as _};

use serde_json::Value;

use crate::harness::{Server, TOKEN, TestEnv};

#[test]
fn a_team_shares_one_orchestrator() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    env.write("token", TOKEN);
    let server = Server::start(&env, "--token-file token -v6");
    env.set("HUMANITEC_API_PREFIX", &server.address).set("HUMANITEC_TOKEN", TOKEN).set("HUMANITEC_ORG", "local");
    env.shop(&remote, "main").score("web", "");
    assert_eq!(env.run("score deploy --app shop --env development --wait").code, 0);
    assert!(remote.tree("main").contains("shop/development/workload-web.yaml"));
    assert!(env.run("get apps").ok().stdout.contains("shop"));
    // Without the token nobody learns anything.
    env.set("HUMANITEC_TOKEN", "another-token-0123456789");
    let refused = env.run("get apps").fails().stderr;
    assert!(refused.contains("HTTP-401") && !refused.contains("another-token"), "{refused}");
    let (has_ended_well, told) = server.end();
    assert!(has_ended_well, "{told}");
    assert!(told.contains("POST /orgs/local/apps/shop/envs/development/deploys: 201"), "{told}");
    assert!(!told.contains("canary-token") && !told.contains("another-token"), "{told}");
}

#[test]
fn who_may_call_has_to_be_said() {
    let env = TestEnv::new();
    env.write("short", "secret\n").write("words", "one two three four\n");
    for (flags, reason) in [
        ("", "--token-file <FILE>"),
        ("--no-auth --listen 0.0.0.0:0", "--no-auth lets everybody in"),
        ("--token-file short", "is shorter than 16 characters"),
        ("--token-file nowhere", "cannot read `nowhere`"),
        ("--no-auth --token-file short", "cannot be used with"),
        ("--no-auth --listen nowhere", "invalid value"),
        ("--token-file words", "is no single word of ASCII characters"),
        ("--no-auth --tls-cert short", "--tls-key <FILE>"),
        ("--no-auth --tls-cert short --tls-key short", "it holds no certificate"),
        ("--no-auth --tls-cert nowhere --tls-key short", "cannot read `nowhere`"),
        ("--no-auth --log-format xml", "invalid value"),
    ] {
        let refused = env.run(&format!("serve {flags}")).fails().stderr;
        assert!(refused.contains(reason) && !refused.contains("secret\n"), "{flags}: {refused}");
    }
    let server = Server::start(&env, "--no-auth");
    assert_eq!(server.send("GET", "/healthz", "", None).body, "ok\n");
    assert_eq!(server.send("GET", "/orgs/local/apps", "", None).status, 200);
    assert!(server.end().0);
}

#[test]
fn a_stranger_learns_nothing() {
    let env = TestEnv::new();
    env.write("token", TOKEN);
    let server = Server::start(&env, "--token-file token -v9");
    let basic = format!("Authorization: Basic {TOKEN}\r\n");
    for headers in ["", "Authorization: Bearer\r\n", "Authorization: Bearer another-token\r\n", &basic] {
        for path in ["/orgs", "/nowhere", "/metrics", "/healthz/x"] {
            let answer = server.send("GET", path, headers, None);
            assert_eq!((answer.status, &*answer.json()["error"].to_string()), (401, "\"API-401\""), "{path} {headers}");
            assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
        }
    }
    assert_eq!(server.send("GET", "/orgs", &format!("authorization: bearer {TOKEN}\r\n"), None).status, 200);
    let arguments = std::fs::read(format!("/proc/{}/cmdline", server.child.id())).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains(TOKEN));
    let (has_ended_well, told) = server.end();
    assert!(has_ended_well && told.contains("GET /orgs: 401"), "{told}");
    assert!(!told.contains("canary") && !told.contains("another-token"), "{told}");
}

#[test]
fn the_token_may_come_from_a_pipe() {
    let env = TestEnv::new();
    // The pipe ends with the token; a server that cannot listen is enough to see that it was taken.
    let refused = env.run_with_stdin("serve --api-prefix local --token-file - --listen 192.0.2.1:0", TOKEN).fails();
    assert!(refused.stderr.contains("cannot serve on 192.0.2.1:0"), "{}", refused.stderr);
    let refused = env.run_with_stdin("serve --api-prefix local --token-file -", "short").fails();
    assert!(refused.stderr.contains("shorter than 16 characters"), "{}", refused.stderr);
}

#[test]
fn https_is_served_to_whoever_trusts_the_certificate() {
    let mut env = TestEnv::new();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/tls");
    env.write("token", TOKEN);
    let server = Server::start(
        &env,
        &format!("--token-file token --tls-cert {directory}/server.crt --tls-key {directory}/server.key"),
    );
    assert!(server.address.starts_with("https://"), "{}", server.address);
    env.set("HUMANITEC_API_PREFIX", &server.address).set("HUMANITEC_TOKEN", TOKEN).set("HUMANITEC_ORG", "local");
    assert!(env.run("get apps").fails().stderr.contains("certificate"));
    env.set("SSL_CERT_FILE", &format!("{directory}/server.crt"));
    env.run("create app shop").ok();
    assert!(env.run("get apps").ok().stdout.contains("shop"));
    assert!(server.end().0);
    // A key that is not the certificate's.
    let other = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n-----END PRIVATE KEY-----\n";
    env.write("other.key", other);
    let refused =
        env.run(&format!("serve --api-prefix local --no-auth --tls-cert {directory}/server.crt --tls-key other.key"));
    let refused = refused.fails().stderr;
    assert!(refused.contains("do not fit each other") && !refused.contains("AAECAwQF"), "{refused}");
}

#[test]
fn requests_and_deployments_are_counted() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    env.write("token", TOKEN);
    let server = Server::start(&env, "--token-file token");
    env.set("HUMANITEC_API_PREFIX", &server.address).set("HUMANITEC_TOKEN", TOKEN).set("HUMANITEC_ORG", "local");
    env.shop(&remote, "main").score("web", "");
    assert_eq!(env.run("score deploy --app shop --env development --wait").code, 0);
    assert_eq!(server.ask("BREW", "/nowhere/shop", None).status, 404);
    let metrics = server.ask("GET", "/metrics", None);
    assert!(metrics.head.contains("content-type: text/plain; version=0.0.4"), "{}", metrics.head);
    for line in [
        "humctl_deployments_running 0",
        "humctl_deployments_ended_total{status=\"failed\"} 0",
        "humctl_deployments_ended_total{status=\"succeeded\"} 1",
        "humctl_http_requests_total{method=\"POST\",route=\"/orgs/{org}/apps/{app}/envs/{env}/deploys\",status=\"201\"} 1",
        "humctl_http_requests_total{method=\"other\",route=\"none\",status=\"404\"} 1",
        "humctl_http_request_duration_seconds_count{method=\"POST\",route=\"/orgs/{org}/apps\"} 1",
    ] {
        assert!(metrics.body.lines().any(|known| known == line), "{line}\n{}", metrics.body);
    }
    assert!(!metrics.body.contains("shop"), "{}", metrics.body);
    assert!(server.end().0);
}

#[test]
fn each_request_is_a_line_of_the_log() {
    let env = TestEnv::new();
    let server = Server::start(&env, "--no-auth --log-format json -v1");
    let answer = server.send("GET", "/orgs?token=canary-query", "X-Request-Id: from-a-proxy\r\n", None);
    assert!(answer.head.contains("x-request-id: from-a-proxy"), "{}", answer.head);
    assert_eq!(server.send("GET", "/orgs/local/apps/no%22pe", "X-Request-Id: {\"a\"}\r\n", None).status, 400);
    let (has_ended_well, told) = server.end();
    assert!(has_ended_well && !told.contains("canary-query"), "{told}");
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let requests: Vec<&Value> = lines.iter().filter(|line| line["path"].is_string()).collect();
    assert_eq!(requests.len(), 2, "{told}");
    let first = requests[0];
    assert_eq!((&first["method"], &first["path"]), (&"GET".into(), &"/orgs".into()));
    assert_eq!((&first["status"], &first["request_id"]), (&200.into(), &"from-a-proxy".into()));
    assert!(first["duration_ms"].is_u64() && first["time"].as_str().unwrap().ends_with('Z'), "{first}");
    assert_ne!(requests[1]["request_id"], "{\"a\"}");

    let server = Server::start(&env, "--no-auth --log-format text -v1");
    server.send("GET", "/orgs", "X-Request-Id: from-a-proxy\r\n", None);
    let told = server.end().1;
    assert!(told.contains("GET /orgs: 200 in ") && told.contains("[from-a-proxy]\n"), "{told}");
}

#[test]
fn an_idle_connection_does_not_keep_a_server_from_its_end() {
    let env = TestEnv::new();
    let server = Server::start(&env, "--no-auth");
    // One that asked and stays, one that says nothing, and one that never ends its question.
    let mut kept = server.connect();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    kept.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let silent = server.connect();
    let mut slow = server.connect();
    slow.write_all(b"GET /orgs HTTP/1.1\r\nHost: ").unwrap();
    // All three are known to the server once it has answered somebody who came later.
    assert_eq!(server.send("GET", "/healthz", "", None).status, 200);
    let (has_ended_well, told) = server.end();
    assert!(has_ended_well, "{told}");
    drop((kept, silent, slow));
}

#[test]
fn a_server_that_is_told_twice_ends_at_once() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    let server = served(&mut env);
    env.shop(&remote, "main").score("web", "");
    let gate = env.path("gate");
    remote.hook("pre-receive", &format!("touch {0}.here; while [ ! -e {0} ]; do sleep 0.05; done", gate.display()));
    assert_eq!(env.run("score deploy --app shop --env development").code, 0);
    while !env.path("gate.here").exists() {
        std::thread::yield_now();
    }
    server.tell_to_end();
    // It has heard the first when it takes no more connections.
    while std::net::TcpStream::connect(server.host()).is_ok() {
        std::thread::yield_now();
    }
    server.tell_to_end();
    let (code, told) = server.wait();
    assert_eq!(code, Some(130), "{told}");
    assert!(told.contains("told twice to end") && told.contains("the next start settles them"), "{told}");
    std::fs::write(gate, "").unwrap();
}

/// A server without a token, and an environment whose commands go to it.
fn served(env: &mut TestEnv) -> Server {
    let server = Server::start(env, "--no-auth");
    // A client of a server sends some token.
    env.set("HUMANITEC_API_PREFIX", &server.address).set("HUMANITEC_TOKEN", TOKEN).set("HUMANITEC_ORG", "local");
    server
}

#[test]
fn a_server_that_is_told_to_end_finishes_its_deployments() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    let server = served(&mut env);
    env.shop(&remote, "main").score("web", "");
    let gate = env.path("gate");
    remote.hook("pre-receive", &format!("touch {0}.here; while [ ! -e {0} ]; do sleep 0.05; done", gate.display()));
    assert_eq!(env.run("score deploy --app shop --env development").code, 0, "the server answers at once");
    while !env.path("gate.here").exists() {
        std::thread::yield_now();
    }
    let open = std::thread::spawn(move || std::fs::write(gate, "").unwrap());
    let (has_ended_well, told) = server.end();
    open.join().unwrap();
    assert!(has_ended_well, "{told}");
    assert_eq!(remote.n_commits("main"), 1);
}

#[test]
fn a_server_settles_what_was_interrupted_when_it_starts() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    let server = served(&mut env);
    env.shop(&remote, "main").score("web", "");
    // Git waits for a server that never answers: nothing can have been pushed.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    env.git_cluster(&format!("http://127.0.0.1:{}/r.git", silent.local_addr().unwrap().port()), "      branch: main\n");
    let client = env.start("score deploy --app shop --env development");
    let _connection = silent.accept().unwrap();
    server.kill();
    assert!(!client.wait_with_output().unwrap().status.success());
    let server = served(&mut env);
    let deployments = env.run("api get /orgs/local/apps/shop/envs/development/deploys").ok().json();
    assert_eq!(deployments[0]["status"], "failed", "{deployments}");
    env.git_cluster(&remote.url(), "      branch: main\n");
    assert_eq!(env.run("score deploy --app shop --env development --wait").code, 0);
    assert!(server.end().0);
}
