//! Requests that nobody sends in earnest: each gets an answer in the API's form,
//! and none of them a 5xx.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use crate::harness::{Server, TOKEN, TestEnv};

const APP: &str = "/orgs/local/apps/shop";
const ENV: &str = "/orgs/local/apps/shop/envs/development";

fn server(env: &TestEnv) -> Server {
    env.write("token", TOKEN);
    let remote = env.remote("r");
    env.shop(&remote, "main");
    Server::start(env, "--token-file token")
}

/// One request as bytes; returns the status and the body.
fn raw(server: &Server, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    let mut stream = server.connect();
    // A refusal may come before all of it is read.
    let _ = stream.write_all(&request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: no answer: {answer}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[track_caller]
fn refused(server: &Server, method: &str, path: &str, headers: &str, body: &[u8]) {
    let (status, answer) = raw(server, method, path, headers, body);
    let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    assert!((400..500).contains(&status), "{method} {path} {shown}: {status} {answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{method} {path} {shown}: {answer}"));
    assert!(answer["message"].is_string() || answer.is_string() || answer.is_array(), "{method} {path}: {answer}");
}

#[test]
fn no_path_or_query_makes_a_server_fail() {
    let env = TestEnv::new();
    let server = server(&env);
    let long = "a".repeat(5000);
    let ids = ["%FF", "%00", "a%00b", "%2e%2e%2f%2e%2e", "%E2%80%AE", "%0a", "A%20B", "\u{2f}", "%", "%zz", &long];
    for id in ids {
        for (method, path) in [
            ("GET", format!("/orgs/{id}")),
            ("GET", format!("/orgs/local/apps/{id}")),
            ("DELETE", format!("/orgs/local/apps/{id}")),
            ("GET", format!("{APP}/envs/{id}/deploys")),
            ("GET", format!("{ENV}/deploys/{id}")),
            ("GET", format!("{ENV}/deploys/{id}/errors")),
            ("GET", format!("{ENV}/resources/graphs/{id}")),
            ("DELETE", format!("{ENV}/resources/workload/{id}")),
            ("DELETE", format!("{ENV}/resources/{id}/modules.web")),
            ("GET", format!("{APP}/deltas/{id}")),
            ("GET", format!("{APP}/sets/{id}")),
            ("GET", format!("{APP}/sets/{id}/diff/{id}")),
            ("DELETE", format!("{APP}/values/{id}")),
            ("GET", format!("{APP}/value-set-versions/{id}")),
            ("GET", format!("/orgs/local/resources/defs/{id}")),
            ("GET", format!("/orgs/local/resources/defs/{id}/versions")),
            ("GET", format!("/orgs/local/resources/defs/git-target/versions/{id}")),
            ("DELETE", format!("/orgs/local/resources/defs/git-target/criteria/{id}")),
            ("GET", format!("/orgs/local/resources/drivers/{id}")),
            ("DELETE", format!("/orgs/local/resources/types/{id}")),
            ("DELETE", format!("/orgs/local/env-types/{id}")),
        ] {
            refused(&server, method, &path, "", b"");
        }
    }
    let versions = "/orgs/local/resources/defs/git-target/versions";
    for path in [
        format!("{versions}?per_page=99999999999999999999"),
        format!("{versions}?per_page=-1"),
        format!("{versions}?per_page=0"),
        format!("{versions}?page=abc"),
        format!("{versions}?deleted=perhaps"),
        format!("{ENV}/deploys?pipelineRunId=a"),
        format!("{ENV}/resources?scheduled_deletion=1"),
        format!("{APP}/deltas?env=A%00"),
        format!("{APP}/sets/x?diff=%FF"),
    ] {
        refused(&server, "GET", &path, "", b"");
    }
    let far = raw(&server, "GET", &format!("{versions}?page=18446744073709551615&per_page=100"), "", b"");
    assert_eq!(far, (200, "[]".to_owned()));
    ended_quietly(server);
}

#[test]
fn no_body_makes_a_server_fail() {
    let env = TestEnv::new();
    let server = server(&env);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let targets = [
        ("POST", "/orgs/local/apps".to_owned()),
        ("POST", format!("{APP}/envs")),
        ("POST", format!("{APP}/deltas")),
        ("POST", format!("{APP}/sets/{}", "0".repeat(43))),
        ("POST", format!("{APP}/values")),
        ("POST", format!("{ENV}/deploys")),
        ("PUT", format!("{ENV}/from_deploy_id")),
        ("POST", format!("{ENV}/resources/graph")),
        ("POST", "/orgs/local/resources/defs".to_owned()),
        ("PUT", "/orgs/local/resources/defs/git-target".to_owned()),
        ("PUT", "/orgs/local/resources/defs/git-target/criteria".to_owned()),
        ("POST", "/orgs/local/resources/types".to_owned()),
        ("POST", "/orgs/local/resources/drivers".to_owned()),
        ("POST", "/orgs/local/artefact-versions/convert-score".to_owned()),
    ];
    for (method, path) in &targets {
        for body in ["", "{", "nul", "\u{0}", "{\"id\": 1e999}", "\"\\ud800\"", "123", "\"text\"", "[[]]", &deep] {
            refused(&server, method, path, "", body.as_bytes());
        }
        refused(&server, method, path, "", b"\xff\xfe{}");
        refused(&server, method, path, "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08");
    }
    // Larger than anything that is read.
    refused(&server, "POST", "/orgs/local/apps", "", &vec![b' '; 17 * 1024 * 1024]);
    ended_quietly(server);
}

#[test]
fn odd_values_are_kept_or_refused() {
    let env = TestEnv::new();
    let server = server(&env);
    let odd = [
        json!("a\u{0}b"),
        json!("\u{202e}"),
        json!("${"),
        json!("${x${y}}"),
        json!("{{"),
        json!(1e308),
        json!(i64::MIN),
    ];
    for (number, odd) in odd.iter().enumerate() {
        let name = format!("odd-{number}");
        let definition = json!({"id": name, "name": odd, "type": "postgres", "driver_type": "humanitec/echo",
            "driver_inputs": {"values": {"a": odd, "b": [odd, {"c": odd}]}}, "criteria": [{"res_id": odd}, {"class": odd}]});
        let value = json!({"key": format!("K{number}"), "value": odd, "description": odd});
        let module = json!({"profile": odd, "spec": {"containers": {"main": {"id": "main", "image": odd, "variables": {"A": odd}}}},
            "externals": {"db": {"type": "postgres", "params": {"x": odd}}}});
        let delta = json!({"modules": {"add": {name.as_str(): module}}, "shared": [{"op": "add", "path": format!("/{name}"), "value": odd}]});
        for (path, body) in [
            ("/orgs/local/resources/defs".to_owned(), definition),
            (format!("{APP}/values"), value),
            (format!("{APP}/deltas"), delta.clone()),
            (format!("{APP}/sets/{}", "0".repeat(43)), delta),
            ("/orgs/local/apps".to_owned(), json!({"id": "odd", "name": odd, "env": {"id": odd}})),
            ("/orgs/local/env-types".to_owned(), json!({"id": odd, "description": odd})),
            (format!("{ENV}/resources/graph"), json!([{"id": odd, "type": odd}])),
            (format!("{ENV}/deploys"), json!({"set_id": odd, "comment": odd})),
        ] {
            let answer = server.ask("POST", &path, Some(&body));
            assert!(answer.status < 500, "{path} {body}: {} {}", answer.status, answer.body);
            answer.json();
        }
        for path in
            ["/orgs/local/resources/defs", "/orgs/local/apps", &format!("{APP}/values"), &format!("{APP}/deltas")]
        {
            assert_eq!(server.ask("GET", path, None).status, 200, "{path} after {odd}");
        }
    }
    // A set of odd things deploys or fails, but ends.
    let deltas = server.ask("GET", &format!("{APP}/deltas"), None).json();
    for delta in deltas.as_array().unwrap() {
        let answer = server.ask("POST", &format!("{ENV}/deploys"), Some(&json!({"delta_id": delta["id"]})));
        assert!(answer.status == 201 || answer.status == 400, "{}", answer.body);
        while server.ask("GET", &format!("{ENV}/deploys"), None).json()[0]["status"] == "in progress" {
            std::thread::yield_now();
        }
    }
    ended_quietly(server);
}

#[track_caller]
fn ended_quietly(server: Server) {
    let (has_ended_well, told) = server.end();
    assert!(has_ended_well && !told.contains("panicked"), "{told}");
}
