//! `humctl serve`: the embedded Orchestrator over HTTP.

use std::io::{Read as _, Write as _};
use std::process::Child;

use crate::harness::{Server, TestEnv};

const TOKEN: &str = "canary-token-0123456789";

/// The whole answer to a GET.
fn get(address: &str, path: &str) -> String {
    let host = address.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

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
    env.write("short", "secret\n");
    for (flags, reason) in [
        ("", "--token-file <FILE>"),
        ("--no-auth --listen 0.0.0.0:0", "--no-auth lets everybody in"),
        ("--token-file short", "is shorter than 16 characters"),
        ("--token-file nowhere", "cannot read `nowhere`"),
        ("--no-auth --token-file short", "cannot be used with"),
        ("--no-auth --listen nowhere", "invalid value"),
    ] {
        let refused = env.run(&format!("serve {flags}")).fails().stderr;
        assert!(refused.contains(reason) && !refused.contains("secret\n"), "{flags}: {refused}");
    }
    let server = Server::start(&env, "--no-auth");
    assert!(get(&server.address, "/healthz").ends_with("\r\n\r\nok\n"));
    assert!(get(&server.address, "/orgs/local/apps").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(server.end().0);
}

/// A server without a token, and an environment whose commands go to it.
fn served(env: &mut TestEnv) -> Server {
    let server = Server::start(env, "--no-auth");
    // A client of a server sends some token.
    env.set("HUMANITEC_API_PREFIX", &server.address).set("HUMANITEC_TOKEN", TOKEN).set("HUMANITEC_ORG", "local");
    server
}

#[test]
fn many_clients_deploy_at_once() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    let server = served(&mut env);
    env.shop(&remote, "main").score("web", "");
    let names: Vec<String> = (0..8).map(|number| format!("env-{number}")).collect();
    for name in &names {
        env.run(&format!("create env {name} --app shop --type development")).ok();
    }
    let deploy = |name: &String| env.start(&format!("score deploy --app shop --env {name} --wait"));
    let children: Vec<Child> = names.iter().map(deploy).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let tree = remote.tree("main");
    assert!(names.iter().all(|name| tree.contains(&format!("shop/{name}/workload-web.yaml"))), "{tree}");
    assert_eq!(remote.n_commits("main"), names.len());
    assert!(server.end().0);
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
    let mut server = served(&mut env);
    env.shop(&remote, "main").score("web", "");
    // Git waits for a server that never answers: nothing can have been pushed.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    env.git_cluster(&format!("http://127.0.0.1:{}/r.git", silent.local_addr().unwrap().port()), "      branch: main\n");
    let client = env.start("score deploy --app shop --env development");
    let _connection = silent.accept().unwrap();
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(!client.wait_with_output().unwrap().status.success());
    let server = served(&mut env);
    let deployments = env.run("api get /orgs/local/apps/shop/envs/development/deploys").ok().json();
    assert_eq!(deployments[0]["status"], "failed", "{deployments}");
    env.git_cluster(&remote.url(), "      branch: main\n");
    assert_eq!(env.run("score deploy --app shop --env development --wait").code, 0);
    assert!(server.end().0);
}
