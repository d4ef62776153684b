//! Several users, states and processes on one branch.

use crate::harness::{Run, SecondHome, TestEnv, git_cluster, score};

/// Two users with a state each, set up alike.
fn two_users<'e>(env: &'e TestEnv, url: &str) -> [SecondHome<'e>; 2] {
    env.write(
        "cluster.yaml",
        &git_cluster(url, "path: \"${context.app.id}/${context.env.id}\"", "      branch: main\n"),
    );
    ["ann", "ben"].map(|name| {
        let home = env.other_home(name);
        home.run("apply -f cluster.yaml").ok();
        home.run("create app shop").ok();
        env.write(&format!("{name}.yaml"), &score(name, ""));
        home
    })
}

/// Workloads in the latest set that a state shows.
fn workloads(run: Run) -> Vec<String> {
    run.ok().json()["entity"]["modules"].as_object().unwrap().keys().cloned().collect()
}

const SET: &str = "get deployment-set . --app shop --env development -o json";

#[test]
fn two_states_deploy_one_after_the_other_and_both_show_both() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let [ann, ben] = two_users(&env, &remote.url());
    ann.run("score deploy --app shop --env development -f ann.yaml").ok();
    ben.run("score deploy --app shop --env development -f ben.yaml").ok();
    let names = remote.list("main", "shop/development");
    assert!(
        names.contains(&"workload-ann.yaml".to_owned()) && names.contains(&"workload-ben.yaml".to_owned()),
        "{names:?}"
    );
    assert_eq!(names.len(), 5);
    for user in [&ann, &ben] {
        assert_eq!(workloads(user.run(SET)), ["ann", "ben"]);
        let active = user.run("get active-resources --app shop --env development -o json").ok().json();
        let ids: Vec<&str> =
            active.as_array().unwrap().iter().filter_map(|resource| resource["metadata"]["res_id"].as_str()).collect();
        assert_eq!(ids, ["base-env", "k8s-cluster", "k8s-namespace", "modules.ann", "modules.ben"]);
        let dot = user.run("resources graph --app shop --env development").ok().stdout;
        assert!(dot.contains("workload.ann") && dot.contains("workload.ben"), "{dot}");
    }
    let found = ben.run("get deploy --app shop --env development -o json").ok().json();
    let comments: Vec<&str> =
        found.as_array().unwrap().iter().filter_map(|d| d["entity"]["comment"].as_str()).collect();
    assert_eq!(comments.len(), 2);
    assert!(comments[1].starts_with("found at main@"), "{comments:?}");
}

#[test]
fn two_states_deploy_at_the_same_time_and_nothing_is_lost() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let [ann, ben] = two_users(&env, &remote.url());
    for round in 0..5 {
        env.write("ann.yaml", &score("ann", &format!("    variables: {{ROUND: \"{round}\"}}\n")));
        env.write("ben.yaml", &score("ben", &format!("    variables: {{ROUND: \"{round}\"}}\n")));
        let mut children = [
            ann.command("score deploy --app shop --env development -f ann.yaml").spawn().unwrap(),
            ben.command("score deploy --app shop --env development -f ben.yaml").spawn().unwrap(),
        ];
        for child in &mut children {
            assert!(child.wait().unwrap().success());
        }
        for name in ["ann", "ben"] {
            let file = remote.show("main", &format!("shop/development/workload-{name}.yaml"));
            assert!(file.contains(&format!("ROUND: \"{round}\"")), "{file}");
        }
    }
    assert_eq!(remote.n_commits("main"), 10);
    for user in [&ann, &ben] {
        assert_eq!(workloads(user.run(SET)), ["ann", "ben"]);
    }
}

#[test]
fn many_environments_at_once_all_land_in_a_line() {
    const N: usize = 8;
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x\n")]);
    env.shop(&remote, "main").score("web", "");
    for number in 0..N {
        env.run(&format!("create env env-{number} --app shop")).ok();
    }
    let children: Vec<_> =
        (0..N).map(|number| env.start(&format!("score deploy --app shop --env env-{number}"))).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(remote.n_commits("main"), N + 1);
    assert_eq!(remote.git(&["rev-list", "--merges", "--count", "main"]).trim(), "0");
    assert_eq!(remote.list("main", "shop").len(), N);
    assert_eq!(remote.show("main", "README.md"), "x\n");
}

#[test]
fn only_one_deployment_of_an_environment_runs_in_one_state() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    let gate = env.path("gate");
    // The push waits in a hook until the gate is opened.
    remote.hook("pre-receive", &format!("while [ ! -e {} ]; do sleep 0.05; done", gate.display()));
    let first = env.start("score deploy --app shop --env development");
    while !env.run("get deploy --app shop --env development -o json").stdout.contains("in progress") {
        std::thread::yield_now();
    }
    let second = env.deploy().fails();
    assert!(second.stderr.contains("HTTP-409"), "{}", second.stderr);
    std::fs::write(gate, "").unwrap();
    assert!(first.wait_with_output().unwrap().status.success());
    env.deploy().ok();
}

#[test]
fn an_interrupted_deployment_is_settled_by_the_next_command() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    let status = |reference: &str| {
        env.run(&format!("get deploy {reference} --app shop --env development -o json")).ok().json()["status"]["status"]
            .clone()
    };
    // Killed while the push waits: the commit never arrives.
    remote.hook("pre-receive", "sleep 600");
    env.score("web", "    variables: {A: \"1\"}\n");
    let mut child = env.start("score deploy --app shop --env development");
    let started = remote.path.join("started");
    remote.hook("pre-receive", &format!("touch {}; exec sleep 5", started.display()));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut child = env.start("score deploy --app shop --env development");
    while !started.exists() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    remote.hook("pre-receive", "exit 0");
    let state = status(".");
    assert!(state == "failed" || state == "succeeded", "{state}");
    env.deploy().ok();
    assert_eq!(status("."), "succeeded");
    assert!(remote.show("main", "shop/development/workload-web.yaml").contains("A: \"1\""));
}
