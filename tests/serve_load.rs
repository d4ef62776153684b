//! `humctl serve` with many clients at once, and killed under them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Remote, Server, TOKEN, TestEnv};

const N_CLIENTS: usize = 50;

/// Most memory that a server may take with all clients at work, in MiB.
const MAX_MEMORY: u64 = 200;

/// A server with an Application of so many Environments, and a Deployment Set for them.
fn many_environments(env: &mut TestEnv, remote: &Remote) -> (Server, Vec<String>, String) {
    env.write("token", TOKEN);
    env.shop(remote, "main");
    let server = start(env);
    let names: Vec<String> = (0..N_CLIENTS).map(|number| format!("env-{number}")).collect();
    for name in &names {
        let body = json!({"id": name, "name": name, "type": "development"});
        assert_eq!(server.ask("POST", "/orgs/local/apps/shop/envs", Some(&body)).status, 201);
    }
    let workload = json!({"profile": "humanitec/default-module",
        "spec": {"containers": {"main": {"id": "main", "image": "busybox"}}}});
    let empty = "0".repeat(43);
    let delta = json!({"modules": {"add": {"web": workload}}});
    let made = server.ask("POST", &format!("/orgs/local/apps/shop/sets/{empty}"), Some(&delta));
    (server, names, made.json().as_str().unwrap().to_owned())
}

fn start(env: &TestEnv) -> Server {
    Server::start(env, "--token-file token")
}

fn path(name: &str) -> String {
    format!("/orgs/local/apps/shop/envs/{name}/deploys")
}

/// Starts a Deployment.
fn deploy(server: &Server, name: &str, set: &str) -> Value {
    let answer = server.ask("POST", &path(name), Some(&json!({"set_id": set})));
    assert_eq!(answer.status, 201, "{name}: {}", answer.body);
    answer.json()
}

/// Asks until a Deployment has ended, some times a second and no more.
fn ended(server: &Server, name: &str, id: &Value) -> Value {
    for _ in 0..600 {
        let deployment = server.ask("GET", &format!("{}/{}", path(name), id.as_str().unwrap()), None).json();
        if deployment["status"] != "in progress" {
            return deployment;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("the deployment of {name} does not end");
}

/// Does something for each Environment, for all at once.
fn at_once<T: Send>(names: &[String], work: impl Fn(&str) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let work = &work;
        let clients: Vec<_> = names.iter().map(|name| scope.spawn(move || work(name))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

#[test]
fn fifty_clients_deploy_at_once() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    let (server, names, set) = many_environments(&mut env, &remote);
    let deployments = at_once(&names, |name| {
        let deployment = deploy(&server, name, &set);
        ended(&server, name, &deployment["id"])
    });
    for deployment in &deployments {
        assert_eq!((&deployment["status"], &deployment["set_id"]), (&"succeeded".into(), &json!(set)), "{deployment}");
    }
    let memory = server.peak_memory();
    assert!(memory < MAX_MEMORY, "the server took {memory} MiB");
    let tree = remote.tree("main");
    assert!(names.iter().all(|name| tree.contains(&format!("shop/{name}/workload-web.yaml"))), "{tree}");
    // One commit each, and no commit has two parents.
    assert_eq!(remote.n_commits("main"), N_CLIENTS);
    assert_eq!(remote.git(&["rev-list", "--min-parents=2", "--count", "main"]).trim(), "0");
    let metrics = server.ask("GET", "/metrics", None).body;
    assert!(metrics.contains(&format!("humctl_deployments_ended_total{{status=\"succeeded\"}} {N_CLIENTS}\n")));
    assert!(server.end().0);
}

#[test]
fn a_killed_server_leaves_nothing_in_progress() {
    let mut env = TestEnv::new();
    let remote = env.remote("r");
    // Enough to be in the middle of things when the first commits have landed.
    let (server, names, set) = many_environments(&mut env, &remote);
    let names = names[..12].to_vec();
    let started = at_once(&names, |name| deploy(&server, name, &set));
    while remote.git(&["for-each-ref"]).is_empty() || remote.n_commits("main") < 3 {
        std::thread::sleep(Duration::from_millis(10));
    }
    server.kill();

    // The start settles; what Git went on with after the kill is known by its commit.
    let server = start(&env);
    let mut statuses = BTreeSet::new();
    for (name, deployment) in names.iter().zip(&started) {
        let settled = server.ask("GET", &format!("{}/{}", path(name), deployment["id"].as_str().unwrap()), None).json();
        statuses.insert(settled["status"].as_str().unwrap().to_owned());
    }
    assert!(!statuses.contains("in progress"), "{statuses:?}");
    assert!(statuses.contains("succeeded"), "{statuses:?}");
    let again = at_once(&names, |name| {
        let deployment = deploy(&server, name, &set);
        ended(&server, name, &deployment["id"])
    });
    assert!(again.iter().all(|deployment| deployment["status"] == "succeeded"), "{again:?}");
    let tree = remote.tree("main");
    assert!(names.iter().all(|name| tree.contains(&format!("shop/{name}/workload-web.yaml"))), "{tree}");
    // Nothing was committed twice.
    assert_eq!(remote.n_commits("main"), names.len());
    assert!(server.end().0);
}
