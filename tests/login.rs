//! `login` and `logout`: how a token comes, and where it goes.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::harness::{Answer, FakeApi, TestEnv};

const USER: &str = "GET /current-user";
const DEVICE: &str = "POST /auth/device";
const POLL: &str = "POST /auth/device-poll";

fn user() -> Answer {
    Answer::new(200, json!({"id": "u1", "name": "Jo Trigg", "email": "jo@example.com"}).to_string())
}

fn env(api: &FakeApi) -> TestEnv {
    let mut env = TestEnv::new();
    // No test may reach the keyring of whoever runs it.
    env.set("HUMANITEC_API_PREFIX", &api.prefix()).set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
    env
}

fn config(env: &TestEnv) -> String {
    std::fs::read_to_string(env.home().join(".humctl")).unwrap_or_default()
}

#[test]
fn a_consent_in_the_browser_gives_the_token() {
    let started = json!({"security_code": "code-1", "verification_url": "https://app.example/device?c=1"});
    let done = json!({"accepted": true, "access_token": "canary-token"});
    let api = FakeApi::routes([
        (DEVICE, vec![Answer::new(200, started.to_string())]),
        (POLL, vec![Answer::new(202, ""), Answer::cut(), Answer::new(200, done.to_string())]),
        (USER, vec![user()]),
    ]);
    let env = env(&api);
    std::fs::write(env.home().join(".humctl"), "deviceID: abc\norg: my-org\n").unwrap();
    let run = env.run("login -v9");
    assert_eq!(run.code, 0, "{}", run.stderr);
    let expected =
        format!("Open this page to log in: https://app.example/device?c=1\nlogged in as Jo Trigg at {}\n", api.host());
    assert_eq!(run.stdout, expected);
    assert!(!run.stderr.contains("canary") && !run.stderr.contains("code-1"), "{}", run.stderr);
    assert_eq!(config(&env), "deviceID: abc\norg: my-org\ntoken: canary-token\n");
    let mode = std::fs::metadata(env.home().join(".humctl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let seen = api.seen();
    let device_id = seen[0].json()["device_id"].as_str().unwrap().to_owned();
    assert!(device_id.len() == 40 && device_id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{device_id}");
    assert_eq!(seen[1].json(), json!({"security_code": "code-1"}));
    assert!(seen.iter().take(4).all(|seen| seen.header("authorization").is_none()));
    assert_eq!(seen.last().unwrap().header("authorization"), Some("Bearer canary-token"));
    // What login has stored is used, and gone after logout.
    env.run("api get /current-user").ok();
    assert_eq!(env.run("logout").ok().stdout, "");
    assert_eq!(config(&env), "deviceID: abc\norg: my-org\n");
    env.run("logout").ok();
}

#[test]
fn logins_that_fail_store_nothing() {
    let page = |url: &str| Answer::new(200, json!({"security_code": "c", "verification_url": url}).to_string());
    let poll = |body: serde_json::Value| Answer::new(200, body.to_string());
    let fine = "https://app.example/d";
    for (script, expected) in [
        (vec![Answer::new(404, "")], "HTTP-404"),
        (vec![Answer::new(200, "{}")], "no code and no page"),
        (vec![page("file:///etc/passwd")], "no address of the web"),
        (vec![page(fine), Answer::new(410, "\"expired\"")], "HTTP-410: expired"),
        (vec![page(fine), poll(json!({"accepted": false}))], "refused in the browser"),
        (vec![page(fine), poll(json!({"accepted": true}))], "holds no token"),
        (vec![page(fine), poll(json!({"accepted": true, "access_token": "a b"}))], "holds blanks"),
        (vec![page(fine), poll(json!({"accepted": true, "access_token": "t"})), Answer::new(401, "")], "HTTP-401"),
    ] {
        let api = FakeApi::script(script);
        let env = env(&api);
        let run = env.run("login --no-browser");
        assert!(run.code == 1 && run.stderr.contains(expected), "{expected}: {}", run.stderr);
        assert_eq!(config(&env), "", "{expected}");
    }
}

#[test]
fn a_token_can_be_handed_over() {
    let api = FakeApi::routes([(USER, vec![user()])]);
    let env = env(&api);
    let line = format!("logged in as Jo Trigg at {}\n", api.host());
    let run = env.run_with_stdin("login --token -", "token-1\n").ok();
    assert_eq!((run.stdout, config(&env)), (line, "token: token-1\n".to_owned()));
    let run = env.run("login --token token-2 -o json").ok();
    assert_eq!(run.json(), format!("logged in as Jo Trigg at {}", api.host()));
    assert_eq!(config(&env), "token: token-2\n");
    // An address from the command line goes with the token, which is of no use elsewhere.
    env.run(&format!("login --token token-3 --api-prefix {}", api.prefix())).ok();
    assert_eq!(config(&env), format!("apiPrefix: {}\ntoken: token-3\n", api.prefix()));
    assert!(env.run_with_stdin("login --token -", " \n").fails().stderr.contains("the token is empty"));
    assert!(config(&env).contains("token-3"));
}

#[test]
fn the_environment_wins_over_a_login_and_that_is_said() {
    let api = FakeApi::routes([(USER, vec![user()])]);
    let mut env = env(&api);
    env.set("HUMANITEC_TOKEN", "other");
    let run = env.run("login --token token-1").ok();
    assert!(run.stdout.ends_with("note: HUMANITEC_TOKEN is set, and wins over this login\n"), "{}", run.stdout);
    env.run("api get /current-user").ok();
    assert_eq!(api.seen()[1].header("authorization"), Some("Bearer other"));
}

#[test]
fn the_embedded_orchestrator_has_no_logins() {
    let env = TestEnv::new();
    let failed = env.run("login --api-prefix local").fails();
    insta::assert_snapshot!(failed.stderr, @r"
    Error: the embedded Orchestrator has no logins: it asks for no token
      hint: name a hosted one: humctl login --api-prefix https://api.humanitec.io
    ");
}

#[test]
fn without_a_keyring_the_file_is_offered() {
    let api = FakeApi::routes([(USER, vec![user()])]);
    let mut env = env(&api);
    let failed = env.run("login --token token-1 --store keyring").fails().stderr;
    assert!(failed.starts_with("Error: the token is kept in the keyring, which cannot be used: "), "{failed}");
    assert!(failed.contains("hint: keep it in ~/.humctl instead: humctl login --store file"), "{failed}");
    assert_eq!(config(&env), "");
    // Only the marker leads to the keyring, and only when a token is needed.
    std::fs::write(env.home().join(".humctl"), "tokenStore: keyring\n").unwrap();
    env.run("version").ok();
    env.run("config set org my-org").ok();
    assert!(env.run("get orgs").fails().stderr.contains("keyring"));
    assert!(env.run("get orgs --token given").fails().stderr.contains("HTTP-404"));
    assert_eq!(api.seen().last().unwrap().header("authorization"), Some("Bearer given"));
    env.set("HUMANITEC_TOKEN", "other");
    env.run("api get /current-user").ok();
    env.set("HUMANITEC_TOKEN", "");
    // A login into the file ends it.
    env.run("login --token token-2").ok();
    assert_eq!(config(&env), "org: my-org\ntoken: token-2\n");
    // A logout leaves no marker, even when the keyring cannot be asked.
    std::fs::write(env.home().join(".humctl"), "org: my-org\ntokenStore: keyring\n").unwrap();
    assert!(env.run("logout").fails().stderr.contains("the keyring may still have it"));
    assert_eq!(config(&env), "org: my-org\n");
    env.run("logout").ok();
}
