//! The official examples: each plans to the graph that its text draws.

use std::collections::BTreeSet;

use crate::harness::TestEnv;
use crate::harness::library::library;

/// The edges of the deployed graph as `from -> to`.
fn edges(env: &TestEnv, app: &str) -> BTreeSet<String> {
    let graph = env.run(&format!("resources graph --app {app} --env development -o json")).ok().json();
    let nodes = graph["nodes"].as_array().unwrap();
    let name = |guresid: &str| {
        let node = nodes.iter().find(|node| node["guresid"] == guresid).unwrap();
        let part = |key: &str| node[key].as_str().unwrap();
        format!("{}.{}#{}", part("type"), part("class"), part("id"))
    };
    nodes
        .iter()
        .flat_map(|node| {
            let from = name(node["guresid"].as_str().unwrap());
            let needs = node["depends_on"].as_array().unwrap();
            needs.iter().map(move |to| format!("{from} -> {}", name(to.as_str().unwrap())))
        })
        .collect()
}

/// Applies the Definitions of an example and deploys its Score files.
fn example(path: &str, app: &str, scores: &[&str]) -> Option<BTreeSet<String>> {
    let directory = library()?.join(path);
    let env = TestEnv::new();
    env.git_cluster(&env.remote("r").url(), "");
    for file in std::fs::read_dir(&directory).unwrap() {
        let file = file.unwrap().path();
        if file.file_name().unwrap().to_str().unwrap().starts_with("def-") {
            // One example ends a comment as Go does not allow (spec/drivers.md §7.3).
            let text = std::fs::read_to_string(&file).unwrap().replace("*//}", "*/}}");
            env.write("definition.yaml", &text).run("apply -f definition.yaml").ok();
        }
    }
    env.run(&format!("create app {app}")).ok();
    for score in scores {
        let file = directory.join(score);
        let words = ["score", "deploy", "--app", app, "--env", "development", "-f", file.to_str().unwrap()];
        env.run_args(&words).ok();
    }
    Some(edges(&env, app))
}

fn set(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn the_delegator_resource_pattern() {
    let Some(edges) =
        example("resource-graph-patterns/delegator-resource", "example-delegator", &["score-a.yaml", "score-b.yaml"])
    else {
        return;
    };
    assert_eq!(
        edges,
        set(&[
            "s3.admin#shared.main-s3 -> s3.concrete#shared.main-s3",
            "s3.read-only#shared.main-s3 -> s3.concrete#shared.main-s3",
            "workload.default#modules.example-a -> aws-policy.s3-admin#shared.main-s3",
            "workload.default#modules.example-a -> s3.admin#shared.main-s3",
            "workload.default#modules.example-b -> aws-policy.s3-read-only#shared.main-s3",
            "workload.default#modules.example-b -> s3.read-only#shared.main-s3",
        ])
    );
}

#[test]
fn the_propagate_id_pattern() {
    let Some(edges) = example("resource-graph-patterns/propagate-id", "example-propagate-id", &["score.yaml"]) else {
        return;
    };
    assert_eq!(
        edges,
        set(&["workload.default#modules.example-workload -> k8s-service-account.default#modules.example-workload"])
    );
}

#[test]
fn the_gitops_runtime_example() {
    let Some(library) = library() else { return };
    let directory = library.join("resource-definitions/k8s-cluster-git/runtime");
    let env = TestEnv::new();
    let remote = env.remote("r");
    for file in std::fs::read_dir(&directory).unwrap() {
        let file = file.unwrap().path();
        let text = std::fs::read_to_string(&file).unwrap();
        // The example's repository and key are not ours.
        let text = text.replace("git@github.com:example-org/gitops-repo.git", &remote.url());
        let mut lines: Vec<&str> = text.lines().collect();
        if file.ends_with("github-for-gitops.yaml") {
            lines.retain(|line| {
                !["    secrets:", "      credentials:", "        ssh_key: my-git-ssh-key"].contains(line)
            });
            lines.push("  criteria: [{res_id: k8s-cluster}]");
        }
        env.write(&format!("defs/{}", file.file_name().unwrap().to_str().unwrap()), &(lines.join("\n") + "\n"));
    }
    env.run("apply -f defs").ok();
    env.run("create app shop").ok();
    env.score("web", "").deploy().ok();
    assert_eq!(edges(&env, "shop"), set(&[]), "the target is no part of the graph");
    let target = env.run("resources explain --all --app shop --env development -o json").ok().json();
    let of_target: Vec<(String, Vec<String>)> = target
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (text(&item["resource"]), item["depends_on"].as_array().unwrap()))
        .map(|(name, needs)| (name, needs.iter().map(|edge| text(&edge["resource"])).collect()))
        .filter(|(name, _)| name.starts_with("k8s") || name.starts_with("agent"))
        .collect();
    let row = |name: &str, needs: &[&str]| (name.to_owned(), needs.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
    assert_eq!(
        of_target,
        [
            row("agent.default#agent", &[]),
            row("k8s-cluster.default#k8s-cluster", &[]),
            row("k8s-cluster.default#k8s-cluster-runtime", &["agent.default#agent"]),
            row("k8s-namespace.default#k8s-namespace", &[]),
        ]
    );
    assert_eq!(remote.list("development", "shop/development").len(), 3, "workload, its resource, base-env");
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn selectors_reach_further_where_that_is_configured() {
    let mut env = TestEnv::new();
    env.git_cluster(&env.remote("r").url(), "").run("create app shop").ok();
    let definition = |id: &str, res_type: &str, uses: &str| {
        format!(
            "apiVersion: entity.humanitec.io/v1b1\nkind: Definition\nmetadata: {{id: {id}}}\nentity:\n  name: {id}\n  type: {res_type}\n  \
             driver_type: humanitec/terraform\n  driver_inputs: {{values: {{uses: \"{uses}\"}}}}\n  criteria: [{{}}]\n---\n"
        )
    };
    let all = [
        definition(
            "wld",
            "workload",
            "${resources.k8s-service-account.outputs.name} ${resources['config#all'].outputs.x}",
        ),
        definition("ksa", "k8s-service-account", "${resources.aws-policy.outputs.arn}"),
        definition("policy", "aws-policy", "none"),
        definition("all", "config", "${resources['workload#modules.web>aws-policy'].outputs.arn}"),
    ];
    env.write("defs.yaml", &all.concat());
    env.run("apply -f defs.yaml").ok();
    env.score("web", "").deploy().ok();
    let selected = "config.default#all -> aws-policy.default#modules.web";
    assert!(!edges(&env, "shop").contains(selected));
    env.run("config set selectorDepth transitive").ok();
    let foretold = env.run("resources explain config#all --app shop --env development -o json").ok().json();
    assert_eq!(foretold[0]["depends_on"][0]["resource"], "aws-policy.default#modules.web");
    env.deploy().ok();
    assert!(edges(&env, "shop").contains(selected));
    assert!(env.run("config set selectorDepth far").fails().stderr.contains("direct or transitive"));
    env.set("HUMCTL_SELECTOR_DEPTH", "far");
    assert!(env.deploy().fails().stderr.contains("direct or transitive"));
    env.run("config view").ok();
}
