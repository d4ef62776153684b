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
    const N: usize = 50;
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x\n"), ("shop/notes.txt", "y\r\nz")]);
    env.shop(&remote, "main").score("web", "");
    let environment = |number| {
        format!(
            "apiVersion: entity.humanitec.io/v1b1\nkind: Environment\nmetadata: {{id: env-{number}, app_id: shop}}\n\
             entity: {{name: env-{number}, type: development}}\n"
        )
    };
    env.write("envs.yaml", &(0..N).map(environment).collect::<Vec<_>>().join("---\n"));
    env.run("apply -f envs.yaml --app shop").ok();
    let children: Vec<_> =
        (0..N).map(|number| env.start(&format!("score deploy --app shop --env env-{number}"))).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(remote.n_commits("main"), N + 1);
    assert_eq!(remote.git(&["rev-list", "--merges", "--count", "main"]).trim(), "0");
    assert_eq!(remote.git(&["ls-tree", "-r", "--name-only", "main", "shop/"]).lines().count(), 3 * N + 1);
    assert_eq!(remote.show("main", "README.md"), "x\n");
    assert_eq!(remote.show("main", "shop/notes.txt"), "y\r\nz");
    remote.git(&["fsck", "--strict"]);
}

#[test]
fn many_deployments_of_one_environment_at_once_tell_who_lost() {
    const N: usize = 20;
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x\n")]);
    env.shop(&remote, "main");
    for number in 0..N {
        env.write(&format!("{number}.yaml"), &score(&format!("web-{number}"), ""));
    }
    let deploy = |number| env.start(&format!("score deploy --app shop --env development -f {number}.yaml"));
    let children: Vec<_> = (0..N).map(deploy).collect();
    let mut n_landed = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => n_landed += 1,
            Some(1) => assert!(told.contains("another deployment") && told.contains("in progress"), "{told}"),
            other => panic!("{other:?}: {told}"),
        }
    }
    assert!(n_landed > 0);
    // Each that landed is there, and nothing else.
    assert_eq!(remote.n_commits("main"), n_landed + 1);
    let names = remote.list("main", "shop/development");
    assert_eq!(names.iter().filter(|name| name.starts_with("workload-")).count(), n_landed);
    assert_eq!(remote.git(&["rev-list", "--merges", "--count", "main"]).trim(), "0");
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

/// Status of a Deployment in one state.
fn status(env: &TestEnv, reference: &str) -> serde_json::Value {
    let shown = env.run(&format!("get deploy {reference} --app shop --env development -o json")).ok().json();
    shown["status"]["status"].clone()
}

#[test]
fn a_deployment_that_was_killed_before_its_push_is_settled_as_failed() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    let away = env.path("away.git");
    // Git waits for a server that never answers: nothing can have been pushed.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/r.git", silent.local_addr().unwrap().port());
    env.git_cluster(&url, "      branch: main\n");
    let mut child = env.start("score deploy --app shop --env development");
    let _connection = silent.accept().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!away.exists());
    env.git_cluster(&remote.url(), "      branch: main\n");
    assert_eq!(status(&env, "."), "failed");
    let errors = env.run("get deploy-error --app shop --env development -o json").ok().json();
    assert_eq!(errors[0]["status"]["summary"], "Interrupted");
    env.deploy().ok();
    assert_eq!(status(&env, "."), "succeeded");
}

#[test]
fn a_commit_that_arrives_after_its_process_was_killed_counts() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    let gate = env.path("gate");
    remote.hook("pre-receive", &format!("touch {0}.here; while [ ! -e {0} ]; do sleep 0.05; done", gate.display()));
    env.score("api", "");
    let mut child = env.start("score deploy --app shop --env development");
    while !env.path("gate.here").exists() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(status(&env, "."), "failed");
    std::fs::write(gate, "").unwrap();
    while remote.n_commits("main") < 2 {
        std::thread::yield_now();
    }
    let deployments = env.run("get deploys --app shop --env development -o json").ok().json();
    let statuses: Vec<&str> = deployments
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|deployment| deployment["status"]["status"].as_str())
        .collect();
    assert_eq!(statuses, ["succeeded", "succeeded"]);
    // It is as if the process had lived: resources, graph, and what is in use.
    let id = &deployments[0]["metadata"]["id"];
    let active = env.run("get active-resource modules.api --app shop --env development -o json").ok().json();
    assert_eq!(active["status"]["deploy_id"], *id);
    assert!(env.run("resources graph --app shop --env development").ok().stdout.contains("workload.api"));
    let used = env.run("delete active-resource modules.api --app shop --env development").fails().stderr;
    assert!(used.contains(id.as_str().unwrap()), "{used}");
    assert!(env.deploy().ok().stdout.contains("no changes"));
}

#[test]
fn an_environment_whose_record_vanished_is_told() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    remote.git(&["update-ref", "-d", "refs/heads/main"]);
    let told = env.score("api", "").deploy().ok().stdout;
    assert!(
        told.contains("note: branch `main` has no record of this Environment any more") && told.contains(": web"),
        "{told}"
    );
}

#[test]
fn ctrl_c_ends_a_fetch_and_finishes_a_push() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    let gate = env.path("gate");
    remote.hook("pre-receive", &format!("touch {0}.here; while [ ! -e {0} ]; do sleep 0.05; done", gate.display()));
    let child = env.start("score deploy --app shop --env development");
    while !env.path("gate.here").exists() {
        std::thread::yield_now();
    }
    interrupt(&child);
    std::fs::write(&gate, "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((remote.n_commits("main"), status(&env, ".")), (1, "succeeded".into()));

    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/r.git", silent.local_addr().unwrap().port());
    env.git_cluster(&url, "      branch: main\n");
    let child = env.start("score deploy --app shop --env development");
    let _connection = silent.accept().unwrap();
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn interrupt(child: &std::process::Child) {
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}
