//! From custom resources to Kubernetes objects and back, beside files of others.

use std::collections::BTreeSet;

use crate::harness::{Remote, TestEnv, git_cluster};
use crate::manifests::{USES_DATABASE, database, objects_shop, record};

const FOREIGN: [&str; 4] = [
    "shop/development/README.md",
    "shop/development/kustomization.yaml",
    "shop/development/deployment-other.yaml",
    "shop/development/base/service-web.yaml",
];

fn paths(remote: &Remote) -> BTreeSet<String> {
    remote.git(&["ls-tree", "-r", "--name-only", "main"]).lines().map(ToOwned::to_owned).collect()
}

/// Lets the Definition of the target say something else.
fn target(env: &TestEnv, remote: &Remote, path: &str, values: &str) {
    env.write("cluster.yaml", &git_cluster(&remote.url(), path, &format!("      branch: main\n{values}")));
    env.run("apply -f cluster.yaml").ok();
}

const PATH: &str = "path: \"${context.app.id}/${context.env.id}\"";
const MANIFESTS: &str = "      output: manifests\n";

#[test]
fn each_kind_of_output_leaves_with_its_own_files_and_no_others() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    remote.commit("main", &FOREIGN.map(|file| (file, "by hand\n")));
    let foreign = || FOREIGN.map(|file| remote.show("main", file));
    let before = (paths(&remote), foreign());
    target(&env, &remote, PATH, "");
    env.run("create app shop").ok();
    database(&env);
    env.score("web", USES_DATABASE).deploy().ok();
    let ours = || -> BTreeSet<String> { paths(&remote).difference(&before.0).cloned().collect() };
    let custom_resources = ours();
    assert!(custom_resources.contains("shop/development/workload-web.yaml"), "{custom_resources:?}");
    for _ in 0..2 {
        target(&env, &remote, PATH, MANIFESTS);
        env.deploy().ok();
        let objects = ours();
        assert!(objects.contains("shop/development/statefulset-shop-db.yaml"), "{objects:?}");
        assert_eq!(objects.intersection(&custom_resources).collect::<Vec<_>>(), [".humctl/shop/development.record"]);
        assert_eq!(foreign(), before.1);
        target(&env, &remote, PATH, "");
        env.deploy().ok();
        assert_eq!((ours(), foreign()), (custom_resources.clone(), before.1.clone()));
        assert_eq!(record(&remote, "main", "shop/development")["output"], "custom-resources");
    }
}

#[test]
fn a_foreign_file_in_the_way_is_named_and_taken_over_when_asked() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    remote.commit("main", &[("shop/development/deployment-web.yaml", "by hand\n")]);
    insta::assert_snapshot!(env.score("web", "").deploy().fails().errors(), @"
    Error: deployment [ID] failed
    TGT-002 Target directory belongs to somebody else (environment development): directory `shop/development` on branch `main` holds files that are not ours: the record of environment `shop/development` does not name them
      deployment-web.yaml
      hint: give this Environment a directory of its own (`path` of the cluster's Definition), or take the files over with --adopt
    ");
    assert_eq!(remote.n_commits("main"), 1);
    let plan = env.run("score deploy --app shop --env development --plan");
    assert!(plan.code == 1 && plan.stderr.contains("deployment-web.yaml"), "{}", plan.stderr);
    env.run("score deploy --app shop --env development --adopt").ok();
    assert!(remote.show("main", "shop/development/deployment-web.yaml").contains("kind: Deployment"));
    // From now on it is ours.
    env.score("api", "").run("score deploy --app shop --env development").ok();
    env.score("web", "").run("score deploy --app shop --env development --remove").ok();
    assert!(!paths(&remote).contains("shop/development/deployment-web.yaml"));
}

#[test]
fn directories_of_objects_do_not_lie_in_each_other() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    let environment = |id: &str, path: &str| {
        let definition = git_cluster(&remote.url(), path, &format!("      branch: main\n{MANIFESTS}"))
            .replace("git-target", &format!("target-{id}"))
            .replace("[{}]", &format!("[{{env_id: {id}}}]"));
        env.write("cluster.yaml", &definition).run("apply -f cluster.yaml").ok();
    };
    environment("development", "path: shop");
    environment("outer", "path: .");
    environment("inner", "path: shop/inner");
    env.run("create app shop").ok();
    env.run("create env outer --type development --app shop").ok();
    env.run("create env inner --type development --app shop").ok();
    env.score("web", "").deploy().ok();
    for name in ["outer", "inner"] {
        let refused = env.run(&format!("score deploy --app shop --env {name}")).fails().stderr;
        let expected = "lie one inside the other (`shop/configmap-web-configmap-main.yaml` is theirs)";
        assert!(refused.contains(expected), "{name}: {refused}");
    }
}

#[test]
fn what_stores_something_is_not_removed_by_accident() {
    let env = TestEnv::new();
    let remote = objects_shop(&env, "");
    database(&env);
    env.score("web", USES_DATABASE).deploy().ok();
    let protect = "score deploy --app shop --env development --protect-stateful";
    insta::assert_snapshot!(env.score("web", "").run(protect).fails().errors(), @"
    Error: deployment [ID] failed
    TGT-008 Stateful resource would be removed (resource shop-db): ExternalSecret `shop-db` would be removed, and what it stores may go with it, or be left behind (shop/development/externalsecret-shop-db.yaml)
      hint: keep the resource in the Score file, or add --allow-data-loss
    TGT-008 Stateful resource would be removed (resource shop-db): Service `shop-db` would be removed, and what it stores may go with it, or be left behind (shop/development/service-shop-db.yaml)
      hint: keep the resource in the Score file, or add --allow-data-loss
    TGT-008 Stateful resource would be removed (resource shop-db): StatefulSet `shop-db` would be removed, and what it stores may go with it, or be left behind (shop/development/statefulset-shop-db.yaml)
      hint: keep the resource in the Score file, or add --allow-data-loss
    ");
    let plan = env.run("score deploy --app shop --env development --plan").stdout;
    assert!(plan.contains("(3 stateful)"), "{plan}");
    env.run(&format!("{protect} --allow-data-loss")).ok();
    assert!(!paths(&remote).contains("shop/development/statefulset-shop-db.yaml"));

    // A claim of a volume, from the `volume` of a Score file.
    let inputs = r#"    values:
      templates:
        outputs: "x: y"
        manifests: |
          claim.yaml:
            location: namespace
            data: {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}
          volume.yaml:
            location: volumes
            data: {name: data, persistentVolumeClaim: {claimName: data}}
"#;
    env.write("volume.yaml", &crate::manifests::definition("volume-claim", "volume", "template", inputs));
    env.run("apply -f volume.yaml").ok();
    let uses = "    volumes: {/data: {source: \"${resources.data}\"}}\nresources:\n  data: {type: volume}\n";
    env.score("web", uses).deploy().ok();
    let file = "shop/development/persistentvolumeclaim-data.yaml";
    assert!(paths(&remote).contains(file));
    let refused = env.score("web", "").run(protect).fails().stderr;
    assert!(refused.contains("TGT-008") && refused.contains(file), "{refused}");
}
