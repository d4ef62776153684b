//! What a Deployment changes on the branch, and what it leaves alone.

use crate::harness::{POSTGRES, TestEnv, git_cluster, mask};

const DB: &str = "    variables: {DB: \"${resources.db.host}\"}\nresources:\n  db: {type: postgres}\n";

#[test]
fn an_unchanged_deployment_makes_no_commit_and_says_so() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    let tree = remote.tree("main");
    let again = env.deploy().ok();
    assert!(mask(&again.stdout).ends_with("no changes: main@[SHA]\n"), "{}", again.stdout);
    assert_eq!((remote.n_commits("main"), remote.tree("main")), (1, tree));
    let shown = env.run("get deploy . --app shop --env development -o json").ok().json();
    assert_eq!(shown["status"]["target"]["changed"], false);
    assert_eq!(shown["status"]["status"], "succeeded");
}

#[test]
fn a_resource_adds_a_file_and_takes_it_away_again() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "").write("postgres.yaml", POSTGRES);
    env.run("apply -f postgres.yaml").ok();
    env.deploy().ok();
    let before = remote.list("main", "shop/development");
    env.score("web", DB).deploy().ok();
    let with_db = remote.list("main", "shop/development");
    assert_eq!(with_db.len(), before.len() + 1);
    let added = with_db.iter().find(|name| !before.contains(name)).unwrap();
    let file = remote.show("main", &format!("shop/development/{added}"));
    assert!(file.contains("type: postgres") && file.contains("ref: db/password"), "{file}");
    let workload = remote.show("main", "shop/development/workload-web.yaml");
    assert!(workload.contains("$ref:") && !workload.contains("${"), "{workload}");
    env.score("web", "").deploy().ok();
    assert_eq!(remote.list("main", "shop/development"), before);
}

#[test]
fn files_of_others_keep_their_bytes() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let foreign = [
        ("README.md", "read me\n"),
        ("shop/development/kustomization.yaml", "resources: []\n"),
        ("shop/development/notes.txt", "x\r\ny"),
        ("shop/staging/workload-web.yaml", "not ours\n"),
        ("other/deep/file", "z"),
    ];
    remote.commit("main", &foreign);
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    env.run("score deploy --app shop --env development --remove").ok();
    for (path, content) in foreign {
        assert_eq!(remote.show("main", path), content, "{path}");
    }
}

#[test]
fn two_environments_on_one_branch_do_not_disturb_each_other() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.run("create env staging --app shop --type staging").ok();
    env.deploy().ok();
    let development = remote.list("main", "shop/development");
    env.run("score deploy --app shop --env staging").ok();
    assert_eq!(remote.list("main", "shop/development"), development);
    assert_eq!(remote.list("main", "shop/staging").len(), 3);
    env.run("delete env staging --app shop").ok();
    assert_eq!(remote.list("main", "shop"), ["development"]);
    assert_eq!(remote.list("main", ".humctl/shop"), ["development.record"]);
    assert!(env.run("get env staging --app shop").fails().stderr.contains("HTTP-404"));
}

#[test]
fn a_second_application_in_the_same_directory_is_refused() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.write("c.yaml", &git_cluster(&remote.url(), "path: same", "")).run("apply -f c.yaml").ok();
    env.run("create app shop").ok();
    env.run("create app blog").ok();
    env.score("web", "").deploy().ok();
    let tree = remote.tree("main");
    let refused = env.run("score deploy --app blog --env development --wait").fails();
    insta::assert_snapshot!(refused.errors(), @"
    Error: deployment [ID] failed
    TGT-002 Target directory belongs to somebody else (environment development): directory `same` on branch `main` holds files that are not ours: they belong to environment `shop/development`
      resource-73eb520d495ec8f1210e97caa4b4d685c2892abb.yaml
      resource-83e60e9c4f5e9893b04faac4b6fafd2631ec6ff0.yaml
      workload-web.yaml
      hint: give this Environment a directory of its own (`path` of the cluster's Definition), or take the files over with --adopt
    ");
    assert_eq!(remote.tree("main"), tree);
}

#[test]
fn a_directory_inside_another_environments_is_refused() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    for (outer, inner) in [("", "below/it"), ("deep/er", "deep")] {
        let url = remote.url();
        env.write("c.yaml", &git_cluster(&url, &format!("path: \"{outer}\""), "")).run("apply -f c.yaml").ok();
        let _ = env.run("create app shop");
        let _ = env.run("create app blog");
        env.score("web", "").deploy().ok();
        env.write("c.yaml", &git_cluster(&url, &format!("path: \"{inner}\""), "")).run("apply -f c.yaml").ok();
        let refused = env.run("score deploy --app blog --env development").fails().errors();
        assert!(refused.contains("lie one inside the other"), "{refused}");
        env.write("c.yaml", &git_cluster(&url, &format!("path: \"{outer}\""), "")).run("apply -f c.yaml").ok();
        env.run("delete app shop").ok();
    }
}

#[test]
fn files_that_no_record_names_are_refused_and_can_be_adopted() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("shop/development/workload-old.yaml", "kind: Workload\n")]);
    env.shop(&remote, "main").score("web", "");
    let refused = env.deploy().fails().errors();
    assert!(refused.contains("workload-old.yaml") && refused.contains("--adopt"), "{refused}");
    assert_eq!(remote.n_commits("main"), 1);
    env.run("score deploy --app shop --env development --adopt").ok();
    assert_eq!(remote.list("main", "shop/development").len(), 3);
}

#[test]
fn a_symlink_on_the_way_is_refused() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &[("shop", "-> /etc")]);
    env.shop(&remote, "main").score("web", "");
    let refused = env.deploy().fails().errors();
    assert!(refused.contains("`shop` on branch `main` is a symlink"), "{refused}");
    assert_eq!(remote.n_commits("main"), 1);
}

#[test]
fn a_file_edited_by_hand_is_put_right() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    let path = "shop/development/workload-web.yaml";
    let ours = remote.show("main", path);
    remote.commit("main", &[(path, "edited\n")]);
    env.deploy().ok();
    assert_eq!(remote.show("main", path), ours);
}

#[test]
fn an_empty_repository_gets_its_branch() {
    let env = TestEnv::new();
    let configured = env.remote("configured");
    env.shop(&configured, "dev").score("web", "");
    env.deploy().ok();
    assert_eq!(configured.list("dev", "shop/development").len(), 3);

    let env = TestEnv::new();
    let unborn = env.remote("unborn");
    unborn.head("trunk");
    env.git_cluster(&unborn.url(), "").score("web", "").run("create app shop").ok();
    env.deploy().ok();
    assert_eq!(unborn.list("trunk", "shop/development").len(), 3);
}

#[test]
fn the_default_branch_and_the_root_are_legal_targets() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.head("trunk").commit("trunk", &[("README.md", "x")]);
    // A plain path, no branch, no path.
    env.write("c.yaml", &git_cluster(&remote.path.display().to_string(), "branch: \"\"", ""));
    env.run("apply -f c.yaml").ok();
    env.run("create app shop").ok();
    env.score("web", "").deploy().ok();
    let names = remote.list("trunk", "");
    assert_eq!(names.len(), 5, "{names:?}");
    assert!(names.contains(&"workload-web.yaml".to_owned()) && names.contains(&".humctl".to_owned()));
}

#[test]
fn a_moved_target_leaves_the_old_files_and_says_so() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    env.write("c.yaml", &git_cluster(&remote.url(), "path: elsewhere", "      branch: main\n"))
        .run("apply -f c.yaml")
        .ok();
    let told = env.deploy().ok().stdout;
    assert!(told.contains("note: the target moved: the files of the former one are left"), "{told}");
    assert_eq!(remote.list("main", "elsewhere").len(), 3);
    assert_eq!(remote.list("main", "shop/development").len(), 3);
}

#[test]
fn removing_a_workload_keeps_the_others() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    env.score("api", "").deploy().ok();
    env.run("score deploy --app shop --env development --remove").ok();
    let names = remote.list("main", "shop/development");
    assert!(names.contains(&"workload-web.yaml".to_owned()) && !names.contains(&"workload-api.yaml".to_owned()));
}

#[test]
fn a_dry_run_makes_a_delta_and_deploys_nothing() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    let delta = env.run("score deploy --app shop --env development --dry-run -o json").ok().json();
    assert_eq!(delta["kind"], "DeploymentDelta");
    assert_eq!(remote.n_commits("main"), 0);
    assert_eq!(env.run("get delta --app shop -o json").ok().json().as_array().unwrap().len(), 1);
    assert_eq!(env.run("get deploy --app shop --env development -o json").ok().stdout, "[]\n");
}

#[test]
fn a_new_environment_can_start_from_another_one() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    let made =
        env.run("create environment pr-7 -t development --name pr-7 --from development --app shop -o json").ok().json();
    let last = env.run("get deploy . --app shop --env development -o json").ok().json();
    assert_eq!(made["entity"]["from_deploy"], last["metadata"]["id"]);
    env.score("api", "").run("score deploy --app shop --env pr-7").ok();
    let names = remote.list("main", "shop/pr-7");
    assert!(
        names.contains(&"workload-web.yaml".to_owned()) && names.contains(&"workload-api.yaml".to_owned()),
        "{names:?}"
    );
}
