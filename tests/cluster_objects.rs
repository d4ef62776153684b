//! Objects that belong to no namespace, in the directory that `cluster_path`
//! names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Remote, TestEnv, git_cluster};
use crate::manifests::{definition, record};

const PATH: &str = "path: \"${context.app.id}/${context.env.id}\"";
const ROLE: &str = "clusterrole-shop-development.yaml";
const USES_ROLE: &str = "resources:\n  role: {type: dns}\n";
const DEPLOY: &str = "score deploy --app shop --env development";

/// Sends every Environment to a repository, with these values besides.
fn target(env: &TestEnv, remote: &Remote, values: &str) {
    let values = format!("      branch: main\n{values}");
    env.write("cluster.yaml", &git_cluster(&remote.url(), PATH, &values)).run("apply -f cluster.yaml").ok();
}

fn cluster_path(path: &str) -> String {
    format!("      output: manifests\n      cluster_path: \"{path}\"\n")
}

/// Every `dns` brings an object for the cluster.
fn role(env: &TestEnv, object: &str) {
    let inputs = format!(
        "    values:
      name: ${{context.app.id}}-${{context.env.id}}
      templates:
        outputs: \"host: y\"
        manifests: |
          role.yaml: {{location: cluster, data: {object}}}
"
    );
    env.write("role.yaml", &definition("cluster-role", "dns", "template", &inputs)).run("apply -f role.yaml").ok();
}

const CLUSTER_ROLE: &str = "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: {{ .driver.values.name }}}, rules: []}";

fn shop(values: &str) -> (TestEnv, Remote) {
    let env = TestEnv::new();
    let remote = env.remote("r");
    target(&env, &remote, values);
    role(&env, CLUSTER_ROLE);
    env.run("create app shop").ok();
    env.score("web", USES_ROLE);
    (env, remote)
}

fn paths(remote: &Remote) -> BTreeSet<String> {
    remote.git(&["ls-tree", "-r", "--name-only", "main"]).lines().map(ToOwned::to_owned).collect()
}

#[test]
fn without_a_place_for_them_they_are_refused() {
    let (env, remote) = shop("      output: manifests\n");
    insta::assert_snapshot!(env.deploy().fails().errors(), @"
    Error: deployment [ID] failed
    PRV-008 Object cannot be written (resource dns.default#modules.web.externals.role): resource `dns.default#modules.web.externals.role`, manifest `role.yaml`: ClusterRole `shop-development`: it belongs to the whole cluster, and this target takes only what lies in the Environment's namespace
      hint: the input `cluster_path` of the cluster's Definition names the directory for such objects
    ");
    assert_eq!(remote.n_commits("main"), 0);
}

#[test]
fn both_directories_are_of_one_commit_and_one_record() {
    let (env, remote) = shop(&cluster_path("cluster/${context.env.id}"));
    let told = env.run(&format!("{DEPLOY} --wait")).ok().stdout;
    insta::assert_snapshot!(crate::harness::mask(&told), @"
    Deployment [ID]: in progress
    Deployment [ID]: succeeded
      + ClusterRole shop-development (cluster/development/clusterrole-shop-development.yaml)
      + ConfigMap web-configmap-main (shop/development/configmap-web-configmap-main.yaml)
      + Deployment web (shop/development/deployment-web.yaml)
    3 added, 0 changed, 0 removed
    committed: main@[SHA]
    ");
    insta::assert_snapshot!(remote.show("main", &format!("cluster/development/{ROLE}")), @"
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata:
      name: shop-development
    rules: []
    ");
    assert_eq!(remote.n_commits("main"), 1);
    let recorded = record(&remote, "main", "shop/development");
    assert_eq!(
        (&recorded["path"], &recorded["cluster"]["path"]),
        (&json!("shop/development"), &json!("cluster/development"))
    );
    let id = remote.git(&["rev-parse", &format!("main:cluster/development/{ROLE}")]);
    assert_eq!(recorded["cluster"]["files"], json!({ROLE: id.trim()}));

    let again = env.deploy().ok().stdout;
    assert!(again.contains("no changes") && remote.n_commits("main") == 1, "{again}");
    // What was changed by hand is put right.
    remote.commit("main", &[(&format!("cluster/development/{ROLE}"), "by hand\n")]);
    env.deploy().ok();
    assert!(remote.show("main", &format!("cluster/development/{ROLE}")).contains("kind: ClusterRole"));

    // Without the resource, the directory and the part of the record go.
    env.score("web", "").deploy().ok();
    assert!(!paths(&remote).iter().any(|path| path.starts_with("cluster/")));
    assert!(record(&remote, "main", "shop/development").get("cluster").is_none());
}

#[test]
fn a_plan_tells_of_them_and_writes_nothing() {
    let (env, remote) = shop(&cluster_path("cluster"));
    let plan = |flags: &str| env.run(&format!("{DEPLOY} --plan {flags}"));
    let planned = plan("");
    assert!(planned.code == 2 && planned.stdout.contains(&format!("+++ b/cluster/{ROLE}")), "{}", planned.stdout);
    assert_eq!(remote.n_commits("main"), 0);
    env.deploy().ok();
    assert_eq!(plan("").code, 0);
    role(&env, &CLUSTER_ROLE.replace("rules: []", "rules: [{verbs: [get]}]"));
    let planned = plan("-o json").json();
    let changes = planned["target"]["changes"].as_array().unwrap();
    let told: Vec<(&str, &str)> =
        changes.iter().map(|change| (change["action"].as_str().unwrap(), change["path"].as_str().unwrap())).collect();
    assert_eq!(
        told,
        [("change", &*format!("cluster/{ROLE}")), ("change", ".humctl/shop/development.record")],
        "{planned}"
    );
    assert_eq!(changes[0]["fields"][0]["field"], "/rules");
    assert_eq!(planned["target"]["cluster_path"], "cluster");
}

#[test]
fn they_leave_with_their_environment_and_with_their_directory() {
    let (env, remote) = shop(&cluster_path("cluster"));
    remote.commit("main", &[("cluster/README.md", "x\n"), ("cluster/clusterrole-other.yaml", "by hand\n")]);
    let foreign = paths(&remote);
    env.deploy().ok();
    let with = |directory: &str| {
        let ours = [
            ".humctl/shop/development.record",
            "shop/development/configmap-web-configmap-main.yaml",
            "shop/development/deployment-web.yaml",
        ];
        let ours = ours.map(ToOwned::to_owned).into_iter().chain([format!("{directory}/{ROLE}")]);
        foreign.iter().cloned().chain(ours).collect::<BTreeSet<String>>()
    };
    assert_eq!(paths(&remote), with("cluster"));
    // Another directory.
    target(&env, &remote, &cluster_path("elsewhere"));
    env.deploy().ok();
    assert_eq!(paths(&remote), with("elsewhere"));
    // The two change places.
    target(&env, &remote, &cluster_path("cluster"));
    env.deploy().ok();
    // None at all: then there may be no such object.
    target(&env, &remote, "      output: manifests\n");
    assert!(env.deploy().fails().stderr.contains("cluster_path"));
    env.score("web", "").deploy().ok();
    assert!(!paths(&remote).contains(&format!("cluster/{ROLE}")));
    // Custom resources.
    target(&env, &remote, &cluster_path("cluster"));
    env.score("web", USES_ROLE).deploy().ok();
    target(&env, &remote, "");
    env.deploy().ok();
    let left = paths(&remote);
    assert!(
        !left.contains(&format!("cluster/{ROLE}")) && left.contains("shop/development/workload-web.yaml"),
        "{left:?}"
    );
    // The Environment goes.
    target(&env, &remote, &cluster_path("cluster"));
    env.deploy().ok();
    assert_eq!(paths(&remote), with("cluster"));
    env.run("create env keep --type development --app shop").ok();
    env.run("delete env development --app shop").ok();
    assert_eq!(paths(&remote), foreign);
}

#[test]
fn a_directory_is_of_one_environment() {
    let (env, remote) = shop(&cluster_path("cluster"));
    env.run("create env staging --type staging --app shop").ok();
    env.deploy().ok();
    let other = "score deploy --app shop --env staging";
    insta::assert_snapshot!(env.run(other).fails().errors(), @"
    Error: deployment [ID] failed
    TGT-002 Target directory belongs to somebody else (environment staging): directory `cluster` on branch `main` holds files that are not ours: they belong to environment `shop/development`
      clusterrole-shop-development.yaml
      hint: give this Environment a directory of its own (`cluster_path` of the cluster's Definition), or take the files over with --adopt
    ");
    // Inside of another's is no better.
    target(&env, &remote, &cluster_path("cluster/staging"));
    let refused = env.run(other).fails().stderr;
    assert!(refused.contains("lie one inside the other"), "{refused}");
    // Without such objects there is nothing to quarrel about.
    target(&env, &remote, &cluster_path("cluster"));
    env.score("web", "").run(other).ok();
    // Adopted, everything there is the new one's, and no more than that.
    env.score("web", USES_ROLE).run(&format!("{other} --adopt")).ok();
    assert_eq!(remote.list("main", "cluster"), ["clusterrole-shop-staging.yaml"]);
    let former = record(&remote, "main", "shop/development");
    assert!(former.get("cluster").is_none() && former["files"].as_object().unwrap().len() == 2, "{former}");
    assert!(env.deploy().fails().stderr.contains("they belong to environment `shop/staging`"));
}

#[test]
fn environments_of_one_commit_have_directories_of_their_own() {
    let (env, remote) = shop(&cluster_path("cluster/${context.env.id}"));
    env.run("create env staging --type staging --app shop").ok();
    for name in ["development", "staging"] {
        env.run(&format!("score deploy --app shop --env {name}")).ok();
    }
    // Both move to the same place at once, where neither sees the other yet.
    target(&env, &remote, &cluster_path("both"));
    let plan = env.run("deploy env --all-of-app shop --plan");
    let deployed = env.run("deploy env --all-of-app shop");
    for run in [plan, deployed] {
        assert_eq!(run.code, 1, "{}", run.stdout);
        assert!(
            run.stderr.contains("directory `both` of environment `shop/development` are the same"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains("`cluster_path` of the cluster's Definition"), "{}", run.stderr);
    }
    target(&env, &remote, &cluster_path("all/${context.env.id}"));
    let n_commits = remote.n_commits("main");
    env.run("deploy env --all-of-app shop").ok();
    assert_eq!(remote.n_commits("main"), n_commits + 1);
    let moved = paths(&remote).into_iter().filter(|path| path.contains("clusterrole"));
    assert_eq!(
        moved.collect::<Vec<_>>(),
        ["all/development/clusterrole-shop-development.yaml", "all/staging/clusterrole-shop-staging.yaml"]
    );
}

#[test]
fn what_is_in_the_way_is_named_and_taken_over_when_asked() {
    let (env, remote) = shop(&cluster_path("cluster"));
    remote.commit("main", &[(&format!("cluster/{ROLE}"), "by hand\n")]);
    let refused = env.deploy().fails().stderr;
    assert!(refused.contains(ROLE) && refused.contains("--adopt") && refused.contains("`cluster_path`"), "{refused}");
    env.run(&format!("{DEPLOY} --adopt")).ok();
    assert!(remote.show("main", &format!("cluster/{ROLE}")).contains("kind: ClusterRole"));
    // A file where the directory would be.
    remote.commit("main", &[("file", "x\n")]);
    target(&env, &remote, &cluster_path("file/below"));
    let refused = env.deploy().fails().stderr;
    assert!(refused.contains("`file` on branch `main` is a file"), "{refused}");
}

#[test]
fn a_volume_of_the_cluster_is_not_removed_by_accident() {
    let (env, remote) = shop(&cluster_path("cluster"));
    role(&env, "{apiVersion: v1, kind: PersistentVolume, metadata: {name: data}, spec: {capacity: {storage: 1Gi}}}");
    env.deploy().ok();
    let file = "cluster/persistentvolume-data.yaml";
    assert!(paths(&remote).contains(file));
    env.score("web", "");
    let refused = env.run(&format!("{DEPLOY} --protect-stateful")).fails().stderr;
    assert!(refused.contains("TGT-008") && refused.contains(file), "{refused}");
    env.run(&format!("{DEPLOY} --protect-stateful --allow-data-loss")).ok();
    assert!(!paths(&remote).contains(file));
}

#[test]
fn a_secret_is_found_in_them_too() {
    let (env, remote) = shop(&cluster_path("cluster"));
    let secret = "canary-of-a-target";
    let text = git_cluster(&remote.url(), PATH, &format!("      branch: main\n{}", cluster_path("cluster")))
        .replace("  criteria:", &format!("    secrets: {{credentials: {{password: {secret}}}}}\n  criteria:"));
    env.write("secret/cluster.yaml", &text).run("apply -f secret/cluster.yaml").ok();
    role(&env, &format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: x, annotations: {{a: {secret}}}}}}}"));
    let refused = env.deploy().fails().stderr;
    assert!(refused.contains("would hold a secret value") && !refused.contains(secret), "{refused}");
    assert_eq!(remote.all_objects(), b"");
}

#[test]
fn what_brings_them_into_a_cluster_is_printed_once_they_are_there() {
    let (env, _remote) = shop(&cluster_path("cluster/${context.env.id}"));
    let objects = |tool: &str| -> Vec<String> {
        let printed = env.run(&format!("gitops manifests {tool} --app shop --repository https://h/r.git -o json"));
        let line = |object: &Value| {
            let path = object.pointer("/spec/source/path").or(object.pointer("/spec/path"))?.as_str()?;
            Some(format!("{} {path}", object["metadata"]["name"].as_str()?))
        };
        printed.ok().json().as_array().unwrap().iter().filter_map(line).collect()
    };
    let (argocd, flux) = (["shop-development shop/development"], ["shop-development ./shop/development"]);
    // A Definition alone tells of no such object.
    assert_eq!(objects("argocd"), argocd);
    env.score("web", "").deploy().ok();
    assert_eq!(objects("argocd"), argocd);
    assert_eq!(objects("flux"), flux);
    env.score("web", USES_ROLE).deploy().ok();
    assert_eq!(objects("argocd"), [argocd[0], "shop-development-cluster cluster/development"]);
    assert_eq!(objects("flux"), ["shop-development-cluster ./cluster/development", flux[0]]);
    env.score("web", "").deploy().ok();
    assert_eq!(objects("argocd"), argocd);
}
