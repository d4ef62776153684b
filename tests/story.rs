//! The official story, exactly as a person types it.

use crate::harness::TestEnv;

pub(crate) fn story(env: &TestEnv, extra: &str) -> crate::harness::Remote {
    let remote = env.remote("gitops");
    remote.commit("development", &[("README.md", "ours\n")]);
    env.write(
        "github-for-gitops.yaml",
        &format!(
            "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata:
  id: github-for-gitops
entity:
  name: github-for-gitops
  driver_type: humanitec/k8s-cluster-git
  type: k8s-cluster
  driver_inputs:
    values:
      # Git repository for pushing manifests
      url: {}
      branch: development
      path: \"${{context.app.id}}/${{context.env.id}}\"
      loadbalancer: 35.10.10.10
    secrets:
      credentials:
        ssh_key: my-git-ssh-key
  criteria:
  - app_id: gitops-app
    env_type: development
  - app_id: gitops-app
    env_type: staging
{extra}",
            remote.url()
        ),
    );
    env.write(
        "score.yaml",
        "apiVersion: score.dev/v1b1
metadata:
  name: hello-world
containers:
  hello-world:
    image: busybox
    command: [\"/bin/sh\"]
    args: [\"-c\", \"while true; do printenv && sleep 30; done\"]
",
    );
    remote
}

#[test]
fn the_story_ends_with_three_files_and_a_graph_of_two() {
    let env = TestEnv::new();
    let remote = story(&env, "");
    assert_eq!(env.run("apply -f github-for-gitops.yaml").ok().stdout, "Definition github-for-gitops: created\n");
    env.run("create app gitops-app").ok();
    env.run("score deploy --app gitops-app --env development --wait").ok();
    assert_eq!(
        remote.list("development", "gitops-app/development"),
        [
            "resource-4dc0643a4752c500d42665fd8b477092430d7b41.yaml",
            "resource-c8ccc76c6d541d5cff9ed7567ed608cec3e6cf53.yaml",
            "workload-hello-world.yaml"
        ]
    );
    let dot = env.run("resources graph --app gitops-app --env development").ok().stdout;
    insta::assert_snapshot!(dot, @r##"
    digraph {
      label="Resource Graph\napp: gitops-app, env: development\n\ngreen: virtual nodes (environment, workloads), blue: active resources";
      labelloc="t";
      "base" [label="base", style="filled", color="#98d58e", fillcolor="#dbeed5"];
      "workload.hello-world" [label="workload.hello-world", style="filled", color="#98d58e", fillcolor="#dbeed5"];
      "base-env.default#base-env" [label="id: base-env\ntype: base-env\nclass: default", style="filled", color="#8cbfd8", fillcolor="#d9e8f1"];
      "workload.default#modules.hello-world" [label="id: modules.hello-world\ntype: workload\nclass: default", style="filled", color="#8cbfd8", fillcolor="#d9e8f1"];
      "base" -> "base-env.default#base-env";
      "workload.hello-world" -> "base";
      "workload.hello-world" -> "workload.default#modules.hello-world";
    }
    "##);
    let page = env.run("resources graph deploy . --app gitops-app --env development").ok().stdout;
    assert!(page.starts_with("file://[TMP]/home/.cache/humctl/graphs/") && page.lines().count() == 1, "{page}");

    let active = env.run_args(&["api", "get", "/orgs/local/apps/gitops-app/envs/development/resources"]).ok().json();
    let ids: Vec<&str> =
        active.as_array().unwrap().iter().map(|resource| resource["res_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["base-env", "k8s-cluster", "k8s-namespace", "modules.hello-world"]);
    let shown = env.run("get active-resources --app gitops-app --env development -o json").ok().json();
    assert_eq!(shown[1]["status"]["resource"]["cluster_type"], "git");
    assert_eq!(shown[3]["metadata"]["type"], "workload");
}

#[test]
fn the_commit_tells_what_was_deployed() {
    let env = TestEnv::new();
    let remote = story(&env, "");
    env.run("apply -f github-for-gitops.yaml").ok();
    env.run("create app gitops-app").ok();
    env.run_args(&[
        "score",
        "deploy",
        "--app",
        "gitops-app",
        "--env",
        "development",
        "-m",
        "first one\nHumctl-App: forged",
    ])
    .ok();
    let message = remote.git(&["log", "-1", "--format=%an <%ae> %at%n%B", "development"]);
    insta::assert_snapshot!(crate::harness::mask(&message), @"
    humctl <humctl@localhost.invalid> 1700000000
    deploy(gitops-app/development): 2 resources, 1 workload changed

    + resource-4dc0643a4752c500d42665fd8b477092430d7b41.yaml (workload.default#modules.hello-world)
    + resource-c8ccc76c6d541d5cff9ed7567ed608cec3e6cf53.yaml (base-env.default#base-env)
    + workload-hello-world.yaml (workload hello-world)

    Humctl-Org: local
    Humctl-App: gitops-app
    Humctl-Env: development
    Humctl-Deployment: [ID]
    Humctl-Set: mZP6jaCJiM8j2mjv_pzFEEP65ETlxR7ars-nQ3w3ZU4
    Humctl-Comment: first one
    ");
    let trailers: Vec<String> =
        remote.trailers("development").iter().map(|trailer| crate::harness::mask(trailer)).collect();
    assert_eq!(
        trailers[..4],
        ["Humctl-Org: local", "Humctl-App: gitops-app", "Humctl-Env: development", "Humctl-Deployment: [ID]"]
    );
    assert_eq!((trailers.len(), trailers[5].as_str()), (6, "Humctl-Comment: first one"));
    let record = remote.show("development", ".humctl/gitops-app/development.record");
    insta::assert_snapshot!(record, @r#"
    {
      "app": "gitops-app",
      "env": "development",
      "env_type": "development",
      "files": {
        "resource-4dc0643a4752c500d42665fd8b477092430d7b41.yaml": "69adc205a9d76d70f4f80244bc251783674d05ba",
        "resource-c8ccc76c6d541d5cff9ed7567ed608cec3e6cf53.yaml": "8e79a43d61efeb4a95ce5bfb162da18c2bd3541c",
        "workload-hello-world.yaml": "6633e77fcbeb79efa065adfe26a2a8e4698b7950"
      },
      "org": "local",
      "output": "custom-resources",
      "path": "gitops-app/development",
      "set": {
        "modules": {
          "hello-world": {
            "externals": {},
            "profile": "humanitec/default-module",
            "spec": {
              "annotations": {
                "humanitec.io/managed-by": "score-humanitec"
              },
              "containers": {
                "hello-world": {
                  "args": [
                    "-c",
                    "while true; do printenv && sleep 30; done"
                  ],
                  "command": [
                    "/bin/sh"
                  ],
                  "id": "hello-world",
                  "image": "busybox"
                }
              }
            }
          }
        },
        "shared": {}
      },
      "version": 1
    }
    "#);
}

#[test]
fn a_runtime_cluster_is_not_needed_to_write_to_git() {
    let env = TestEnv::new();
    let remote = story(
        &env,
        "  provision:\n    k8s-cluster#k8s-cluster-runtime:\n      is_dependent: false\n      match_dependents: false\n",
    );
    env.write(
        "gke.yaml",
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: gke-temporary-credentials-runtime}
entity:
  name: gke-temporary-credentials-runtime
  type: k8s-cluster
  driver_account: gcp-temporary-creds
  driver_type: humanitec/k8s-cluster-gke
  driver_inputs:
    values: {loadbalancer: 35.10.10.10, name: demo-123, zone: europe-west2-a, project_id: my-gcp-project}
    secrets:
      agent_url: \"${resources['agent#agent'].outputs.url}\"
  criteria:
  - res_id: k8s-cluster-runtime
",
    );
    env.run("apply -f github-for-gitops.yaml -f gke.yaml").ok();
    env.run("create app gitops-app").ok();
    let run = env.run("score deploy --app gitops-app --env development --wait -v1");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("needed to read runtime data"), "{}", run.stderr);
    assert!(run.stderr.contains("agent.default#agent"), "{}", run.stderr);
    assert_eq!(remote.list("development", "gitops-app/development").len(), 3);
    // The agent's address is a placeholder, which is no secret and can be read back.
    let definition = env.run("get def gke-temporary-credentials-runtime -o json").ok().json();
    assert_eq!(
        definition["entity"]["driver_inputs"]["secret_refs"]["agent_url"]["value"],
        "${resources['agent#agent'].outputs.url}"
    );
}
