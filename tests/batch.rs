//! `humctl deploy env --all-of-app`: many Environments, one push.

use crate::harness::{Remote, Server, TestEnv, git_cluster, mask};

const ALL: &str = "deploy env --all-of-app shop";

/// Three Environments that run the same, on one branch.
fn three(env: &TestEnv) -> Remote {
    let remote = env.remote("r");
    env.write("bucket.yaml", &bucket("one")).run("apply -f bucket.yaml").ok();
    env.shop(&remote, "main")
        .score("web", "    variables: {V: \"${resources.cc.bucket}\"}\nresources:\n  cc: {type: s3}\n");
    for name in ["staging", "production"] {
        env.run(&format!("create env {name} --app shop --type {name}")).ok();
    }
    for name in ["development", "staging", "production"] {
        env.run(&format!("score deploy --app shop --env {name}")).ok();
    }
    remote
}

fn bucket(value: &str) -> String {
    format!(
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {{id: team-bucket}}
entity:
  name: team-bucket
  type: s3
  driver_type: humanitec/echo
  driver_inputs: {{values: {{bucket: {value}}}}}
  criteria: [{{}}]
"
    )
}

#[test]
fn all_environments_of_a_branch_go_in_one_commit() {
    let env = TestEnv::new();
    let remote = three(&env);
    env.write("bucket.yaml", &bucket("two")).run("apply -f bucket.yaml").ok();
    let n_before = remote.n_commits("main");
    let planned = env.run(&format!("{ALL} --plan"));
    assert_eq!((planned.code, planned.stderr.as_str()), (2, ""), "{}", planned.stdout);
    assert_eq!(planned.stdout.matches("-> \"two\"").count(), 3, "{}", planned.stdout);
    assert_eq!(remote.n_commits("main"), n_before);

    let told = env.run(ALL).ok().stdout;
    assert_eq!(told.lines().count(), 3);
    assert!(told.lines().all(|line| line.contains("0 added, 1 changed, 0 removed, committed: main@")), "{told}");
    assert_eq!(remote.n_commits("main"), n_before + 1);
    let message = remote.git(&["log", "-1", "--format=%B", "main"]);
    insta::assert_snapshot!(mask(&message), @"
    deploy(shop): 3 environments, 3 resources changed

    shop/development:
    ~ resource-3b1cee403d5dfb2e2dfa411da183ae1f6bbce6e6.yaml (s3.default#modules.web.externals.cc)

    shop/production:
    ~ resource-680157c66a727aa52b5c214720f6e361070cd2ec.yaml (s3.default#modules.web.externals.cc)

    shop/staging:
    ~ resource-db05aaf6b3f6d2b7ff9192ab7273dc99db481024.yaml (s3.default#modules.web.externals.cc)

    Humctl-Org: local
    Humctl-App: shop
    Humctl-Env: development
    Humctl-Deployment: [ID]
    Humctl-Set: cbsgOHt_eNl85fkseqjF0b3WB84BDFQIhGh7VKF7kG0
    Humctl-Env: production
    Humctl-Deployment: [ID]
    Humctl-Set: cbsgOHt_eNl85fkseqjF0b3WB84BDFQIhGh7VKF7kG0
    Humctl-Env: staging
    Humctl-Deployment: [ID]
    Humctl-Set: cbsgOHt_eNl85fkseqjF0b3WB84BDFQIhGh7VKF7kG0
    ");
    let trailers = remote.trailers("main");
    assert_eq!(trailers.len(), 11, "{trailers:?}");
    assert!(trailers.iter().all(|trailer| message.contains(trailer)));
    // Each Environment has its own Deployment, and what is on the branch is known.
    for name in ["development", "staging", "production"] {
        let deployment = env.run(&format!("get deploy . --app shop --env {name} -o json")).ok().json();
        assert_eq!(deployment["status"]["status"], "succeeded");
        let id = deployment["metadata"]["id"].as_str().unwrap();
        assert!(message.contains(&format!("Humctl-Deployment: {id}")), "{message}");
    }
    assert!(env.run(ALL).ok().stdout.lines().all(|line| line.contains(": no changes: main@")));
    assert_eq!(remote.n_commits("main"), n_before + 1);
}

#[test]
fn what_is_wrong_with_one_keeps_no_other_from_it() {
    let env = TestEnv::new();
    let remote = three(&env);
    env.write("bucket.yaml", &bucket("two")).run("apply -f bucket.yaml").ok();
    // Somebody put a file into staging that is not ours.
    remote.commit("main", &[("shop/staging/workload-foreign.yaml", "a: b\n")]);
    let before = remote.git(&["rev-parse", "main:shop/staging"]);
    let failed = env.run(ALL).fails();
    assert!(failed.stderr.contains("1 of 3 environments of application `shop` failed"), "{}", failed.stderr);
    assert!(failed.stderr.contains("staging: deployment ") && failed.stderr.contains("TGT-002"), "{}", failed.stderr);
    for name in ["development", "production"] {
        assert!(failed.stderr.contains(&format!("{name}: 0 added, 1 changed")), "{}", failed.stderr);
        assert!(remote.git(&["grep", "-l", "two", "main", "--", &format!("shop/{name}")]).contains("resource-"));
    }
    assert_eq!(remote.git(&["rev-parse", "main:shop/staging"]), before);
    let status = env.run("get deploy . --app shop --env staging -o json").ok().json();
    assert_eq!(status["status"]["status"], "failed");
}

#[test]
fn environments_of_other_branches_get_commits_of_their_own() {
    let env = TestEnv::new();
    let remote = three(&env);
    let production =
        git_cluster(&remote.url(), "path: \"${context.app.id}/${context.env.id}\"", "      branch: live\n")
            .replace("git-target", "git-live")
            .replace("criteria: [{}]", "criteria: [{env_type: production}]");
    env.write("live.yaml", &production).run("apply -f live.yaml").ok();
    env.write("bucket.yaml", &bucket("two")).run("apply -f bucket.yaml").ok();
    let n_before = remote.n_commits("main");
    env.run(ALL).ok();
    assert_eq!((remote.n_commits("main"), remote.n_commits("live")), (n_before + 1, 1));
    assert!(remote.list("live", "shop").contains(&"production".to_owned()));
}

#[test]
fn definitions_of_one_branch_share_the_commit_and_not_their_failures() {
    let env = TestEnv::new();
    let remote = three(&env);
    let another = |url: &str| {
        git_cluster(url, "path: \"${context.app.id}/${context.env.id}\"", "      branch: main\n")
            .replace("git-target", "git-staging")
            .replace("criteria: [{}]", "criteria: [{env_type: staging}]")
    };
    env.write("other.yaml", &another(&remote.url())).run("apply -f other.yaml").ok();
    env.write("bucket.yaml", &bucket("two")).run("apply -f bucket.yaml").ok();
    let n_before = remote.n_commits("main");
    env.run(ALL).ok();
    assert_eq!(remote.n_commits("main"), n_before + 1);
    // One target that is away is told for its own Environment only.
    env.write("other.yaml", &another("file:///nowhere/r.git")).run("apply -f other.yaml").ok();
    env.write("bucket.yaml", &bucket("three")).run("apply -f bucket.yaml").ok();
    let failed = env.run(ALL).fails();
    assert!(failed.stderr.contains("1 of 3 environments") && failed.stderr.contains("staging: "), "{}", failed.stderr);
    assert_eq!(remote.n_commits("main"), n_before + 2);
}

#[test]
fn a_type_narrows_it_and_what_runs_nothing_is_left_out() {
    let env = TestEnv::new();
    let remote = three(&env);
    env.run("create env fresh --app shop --type development").ok();
    env.write("bucket.yaml", &bucket("two")).run("apply -f bucket.yaml").ok();
    let told = env.run(&format!("{ALL} --env-type development")).ok().stdout;
    assert!(told.starts_with("development: ") && told.lines().count() == 1, "{told}");
    assert!(remote.list("main", "shop/fresh").is_empty());
    let listed = env.run(&format!("{ALL} -o json")).ok().json();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    env.run("create app idle").ok();
    let told = env.run("deploy env --all-of-app idle").ok().stdout;
    assert!(told.contains("runs anything"), "{told}");
    assert_eq!(env.run("deploy env --all-of-app idle development").code, 1);
}

#[test]
fn new_environments_that_share_a_directory_are_told_apart() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.run("create env staging --app shop --type staging").ok();
    for name in ["development", "staging"] {
        env.run(&format!("score deploy --app shop --env {name}")).ok();
    }
    // From now on both are to be written to one directory of a new branch.
    env.write("cluster.yaml", &git_cluster(&remote.url(), "path: same", "      branch: other\n"));
    env.run("apply -f cluster.yaml").ok();
    let failed = env.run(ALL).fails();
    assert!(failed.stderr.contains("lie one inside the other"), "{}", failed.stderr);
    assert_eq!(remote.n_commits("other"), 1);
    assert_eq!(remote.list("other", ".humctl/shop"), ["development.record"]);
}

#[test]
fn a_server_does_it_too() {
    let env = TestEnv::new();
    let remote = three(&env);
    env.write("bucket.yaml", &bucket("two")).run("apply -f bucket.yaml").ok();
    let server = Server::start(&env, "--no-auth");
    let n_before = remote.n_commits("main");
    let told = env.run(&format!("{ALL} --org local --api-prefix {}", server.address)).ok().stdout;
    assert_eq!(told.lines().count(), 3, "{told}");
    assert_eq!(remote.n_commits("main"), n_before + 1);
}

#[test]
fn who_never_deployed_sees_what_others_did() {
    let env = TestEnv::new();
    let remote = three(&env);
    let other = env.other_home("ci");
    for file in ["cluster.yaml", "bucket.yaml"] {
        other.run(&format!("apply -f {file}")).ok();
    }
    other.run("create app shop").ok();
    for (name, env_type) in [("staging", "staging"), ("production", "production"), ("fresh", "development")] {
        other.run(&format!("create env {name} --app shop --type {env_type}")).ok();
    }
    let planned = other.run(&format!("{ALL} --plan")).ok().stdout;
    assert_eq!(planned.matches("no changes").count(), 3, "{planned}");
    env.write("bucket.yaml", &bucket("two"));
    other.run("apply -f bucket.yaml").ok();
    let told = other.run(ALL).ok().stdout;
    assert_eq!(told.lines().count(), 3, "{told}");
    assert!(!told.contains("fresh"), "{told}");
    // And takes away what others deployed.
    let another = env.other_home("third");
    another.run("apply -f cluster.yaml").ok();
    another.run("create app shop").ok();
    another.run("create env staging --app shop --type staging").ok();
    another.run("delete env staging --app shop").ok();
    assert!(remote.list("main", "shop/staging").is_empty());
    assert!(!remote.tree("main").contains("staging.record"));

    // What somebody deleted is not brought back by the way.
    let n_before = remote.n_commits("main");
    assert!(env.run(&format!("{ALL} --plan")).fails().stderr.contains("TGT-009"));
    let failed = env.run(ALL).fails();
    assert!(failed.stderr.contains("TGT-009") && failed.stderr.contains("1 of 3"), "{}", failed.stderr);
    assert!(remote.list("main", "shop/staging").is_empty());
    assert!(remote.n_commits("main") <= n_before + 1);
}

#[test]
fn a_plan_of_all_tells_what_the_deployment_would_find() {
    let env = TestEnv::new();
    let remote = three(&env);
    env.write("cluster.yaml", &git_cluster(&remote.url(), "path: same", "      branch: other\n"));
    env.run("apply -f cluster.yaml").ok();
    let failed = env.run(&format!("{ALL} --plan")).fails();
    assert_eq!(failed.stderr.matches("lie one inside the other").count(), 2, "{}", failed.stderr);
    assert!(failed.stderr.contains("shop/development: 4 to add"), "{}", failed.stderr);
    for (flags, expected) in [("--env staging", "--env names only"), ("--env-type nonesuch", "no environment of type")]
    {
        let failed = env.run(&format!("{ALL} {flags}")).fails();
        assert!(failed.stderr.contains(expected), "{}", failed.stderr);
    }
}
