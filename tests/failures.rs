//! What goes wrong at the target, and how it is told.

use crate::harness::{TestEnv, git_cluster};

#[test]
fn without_a_cluster_definition_the_error_says_what_to_add() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let definition =
        git_cluster(&remote.url(), "path: x", "").replace("criteria: [{}]", "criteria: [{env_type: production}]");
    env.write("c.yaml", &definition).run("apply -f c.yaml").ok();
    env.run("create app shop").ok();
    let failed = env.score("web", "").deploy().fails();
    insta::assert_snapshot!(failed.errors(), @"
    Error: deployment [ID] failed
    PLN-012 No deployment target (environment development): environment `shop/development` has no deployment target: no Resource Definition matches `k8s-cluster.default#k8s-cluster`
      context: org `local`, app_id `shop`, env_id `development`, env_type `development`
      closest: `git-target` asks for env_type `production`, here it is `development`
      hint: add Matching Criteria to a Definition of type `k8s-cluster`, for instance {app_id: shop, env_type: development}
    ");
    let errors = env.run("get deployment-error --app shop --env development -o json").ok().json();
    assert_eq!(errors[0]["status"]["code"], "PLN-012");
    assert_eq!(errors[0]["metadata"]["id"], "");
}

#[test]
fn a_missing_repository_is_recorded_and_the_next_deployment_works() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    let away = env.path("away.git");
    std::fs::rename(&remote.path, &away).unwrap();
    let failed = env.deploy().fails();
    assert!(failed.stderr.contains("Repository not found") && failed.stderr.contains("remote: "), "{}", failed.stderr);
    let deployment = env.run("get deploy . --app shop --env development -o json").ok().json();
    assert_eq!(deployment["status"]["status"], "failed");
    std::fs::rename(&away, &remote.path).unwrap();
    env.deploy().ok();
    assert_eq!(env.run("get deploy-error --app shop --env development -o json").ok().stdout, "[]\n");
}

#[test]
fn a_declined_push_shows_the_words_of_the_server() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    remote.hook("pre-receive", "echo 'GH006: protected branch requires a pull request' >&2; exit 1");
    let failed = env.deploy().fails();
    insta::assert_snapshot!(failed.errors(), @"
    Error: deployment [ID] failed
    TGT-001 Push declined (environment development): push to `file://[TMP]/r.git` branch `main` was declined by the server
      remote: [remote rejected] (pre-receive hook declined)
      remote: GH006: protected branch requires a pull request
      hint: deploy to a branch that may be pushed to, and let a pull request bring it further
    ");
    assert_eq!(remote.n_commits("main"), 0);
}

#[test]
fn a_push_that_is_undone_is_not_believed() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x")]);
    env.shop(&remote, "main").score("web", "");
    remote.hook("post-receive", "while read old new ref; do git update-ref $ref $old; done");
    let failed = env.deploy().fails();
    assert!(failed.stderr.contains("does not contain it"), "{}", failed.stderr);
}

#[test]
fn a_branch_whose_name_is_part_of_another_is_told() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("README.md", "x")]);
    env.shop(&remote, "main/below").score("web", "");
    let failed = env.deploy().fails();
    assert!(failed.stderr.contains("another branch's name"), "{}", failed.stderr);
}

#[test]
fn clusters_that_cannot_be_a_target_are_told() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    env.score("web", "");
    for (change, expected) in [
        (("humanitec/k8s-cluster-git", "humanitec/k8s-cluster-gke"), "`cluster_type: gke`"),
        (("humanitec/k8s-cluster-git", "humanitec/terraform"), "does not run here"),
        (("url: /x", "url: relative/path"), "relative"),
        (("url: /x", "url: ext::sh"), "transport helpers"),
        (("path: p", "path: a/../../b"), "leaves the repository"),
        (("path: p", "branch: a..b"), "no name that git allows"),
    ] {
        let definition = git_cluster("/x", "path: p", "").replace(change.0, change.1);
        env.write("c.yaml", &definition).run("apply -f c.yaml").ok();
        let failed = env.deploy().fails();
        assert!(failed.stderr.contains("PLN-012") && failed.stderr.contains(expected), "{change:?}: {}", failed.stderr);
    }
    // A password in the address is not even stored; one that only a template makes is found when it is used.
    let address = "https://u:canary-12345@host/x";
    env.write("c.yaml", &git_cluster(address, "path: p", ""));
    let refused = env.run("apply -f c.yaml").fails().stderr;
    let made = git_cluster("/x", "path: p", "").replace("humanitec/k8s-cluster-git", "humanitec/template").replace(
        "url: /x",
        "base: u:canary-12345@host\n      templates: {outputs: \"{cluster_type: git, url: 'https://{{ .driver.values.base }}/x'}\"}",
    );
    env.write("c.yaml", &made).run("apply -f c.yaml").ok();
    for told in [refused, env.deploy().fails().stderr] {
        assert!(told.contains("holds a password") && !told.contains("canary"), "{told}");
    }
}

#[test]
fn states_that_cannot_be_used_are_left_as_they_are() {
    let mut env = TestEnv::new();
    env.write("text", "this is a text, and no database at all\n");
    let text = env.path("text").display().to_string();
    env.set("HUMCTL_STATE", &text);
    let failed = env.run("create app shop").fails();
    assert!(failed.stderr.contains("HUMCTL_STATE"), "{}", failed.stderr);
    assert_eq!(std::fs::read_to_string(env.path("text")).unwrap(), "this is a text, and no database at all\n");
    // Another file, named in the address, in a directory that does not exist yet.
    let other = env.path("deep/er/state.db").display().to_string();
    env.run(&format!("create app shop --api-prefix local:{other}")).ok();
    assert!(env.path("deep/er/state.db").is_file());
}

#[test]
fn without_a_target_everything_else_that_is_wrong_is_told_too() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    env.score("web", "    variables: {A: \"${resources.env.NOPE}\"}\nresources:\n  db: {type: postgres}\n  env: {type: environment}\n");
    let errors = env.deploy().fails().errors();
    for code in ["PLN-012", "PLN-001", "PLN-005"] {
        assert!(errors.contains(code), "{code}: {errors}");
    }
}
