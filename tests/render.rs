//! `humctl render`: the objects that a Score file comes to, without a target.

use std::fs;

use crate::harness::{Server, TestEnv};

const DEFINITIONS: &str = r#"
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: bucket}
entity:
  name: bucket
  type: s3
  driver_type: humanitec/echo
  driver_inputs:
    values: {bucket: "files-${context.env.type}"}
    secret_refs: {aws_secret_access_key: {store: vault, ref: s3/key}}
  criteria: [{}]
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: queue}
entity:
  name: queue
  type: sqs
  driver_type: humanitec/terraform
  criteria: [{}]
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: role-for-all}
entity:
  name: role-for-all
  type: base-env
  driver_type: humanitec/template
  driver_inputs:
    values:
      templates:
        manifests: |
          role:
            location: cluster
            data: {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reader}, rules: []}
  criteria: [{env_type: production}]
"#;

const BUCKET: &str = "    variables: {BUCKET: \"${resources.files.bucket}\", KEY: \"${resources.files.aws_secret_access_key}\"}\nresources:\n  files: {type: s3}\n";

/// A machine with Definitions, a Score file, and nothing else.
fn ready(rest: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("defs.yaml", DEFINITIONS);
    env.run("apply -f defs.yaml").ok();
    env.score("web", rest);
    env
}

#[test]
fn the_objects_of_a_score_file_are_printed() {
    let env = ready(BUCKET);
    let printed = env.run("render").ok().stdout;
    let documents: Vec<&str> = printed.split("---\n").collect();
    let kinds: Vec<&str> = documents
        .iter()
        .map(|document| document.lines().find_map(|line| line.strip_prefix("kind: ")).unwrap())
        .collect();
    assert_eq!(kinds, ["ConfigMap", "Deployment", "ExternalSecret"]);
    assert!(printed.contains("BUCKET: files-development"), "{printed}");
    assert!(printed.contains("key: s3/key"), "{printed}");
    // Neither Application nor Environment were made by looking.
    assert_eq!(env.run("get app -o json").ok().stdout.trim(), "[]");
    assert_eq!(env.run("render").ok().stdout, printed, "twice the same");
}

#[test]
fn programs_get_a_list_and_pipes_get_documents() {
    let env = ready(BUCKET);
    assert_eq!(env.shell("humctl render -o json | jq -r '.kind, (.items | length)'", &[]).ok().stdout, "List\n3\n");
    let names = env.shell("humctl render -o yaml | yq -r .metadata.name", &[]).ok().stdout;
    assert!(names.contains("web-secrets-main"), "{names}");
    env.run("render -o markdown").fails();
}

#[test]
fn the_environment_decides_whether_it_exists_or_not() {
    let env = ready(BUCKET);
    assert!(env.run("render --env-type production").ok().stdout.contains("BUCKET: files-production"));
    env.run("create app shop").ok();
    env.run("create env live --type production --app shop").ok();
    assert!(env.run("render --app shop --env live").ok().stdout.contains("BUCKET: files-production"));
    assert!(env.run("render --app shop --env absent").ok().stdout.contains("BUCKET: files-development"));
}

#[test]
fn shared_values_are_there_before_the_first_deployment() {
    let env = ready("    variables: {LEVEL: \"${resources.env.LEVEL}\"}\nresources:\n  env: {type: environment}\n");
    env.run("create app shop").ok();
    env.run("create value LEVEL debug --app shop").ok();
    assert!(env.run("render --app shop --env development").ok().stdout.contains("LEVEL: debug"));
}

#[test]
fn files_go_into_an_empty_directory_only() {
    let env = ready(BUCKET);
    assert_eq!(env.run("render --env-type production --out made").ok().stdout, "4 objects in made\n");
    let list = |directory: &str| {
        let mut names: Vec<String> = fs::read_dir(env.path(directory))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let files =
        ["cluster", "configmap-web-configmap-main.yaml", "deployment-web.yaml", "externalsecret-web-secrets-main.yaml"];
    assert_eq!(list("made"), files);
    assert_eq!(list("made/cluster"), ["clusterrole-reader.yaml"]);
    let refused = env.run("render --out made").fails().stderr;
    assert!(refused.contains("directory `made` is not empty"), "{refused}");
    assert_eq!(list("made"), files);
}

#[test]
fn what_nothing_here_makes_is_told_or_given() {
    let env = ready("    variables: {QUEUE: \"${resources.jobs.url}\"}\nresources:\n  jobs: {type: sqs}\n");
    let refused = env.run("render").fails().stderr;
    for part in
        ["PRV-005", "sqs.default#modules.web.externals.jobs", "humanitec/terraform", "`queue`", "--outputs FILE"]
    {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    env.write("made.yaml", "sqs#modules.web.externals.jobs:\n  values: {url: 'https://sqs/jobs'}\n");
    assert!(env.run("render --outputs made.yaml").ok().stdout.contains("QUEUE: https://sqs/jobs"));
    env.write("made.yaml", "sqs#modules.web.externals.jobs: {secrets: {url: canary-value}}\n");
    let refused = env.run("render --outputs made.yaml").fails().stderr;
    assert!(refused.contains("made.yaml: `sqs#") && !refused.contains("canary"), "{refused}");
}

#[test]
fn what_is_deployed_can_be_rendered() {
    let env = ready(BUCKET);
    let remote = env.remote("r");
    env.shop(&remote, "main");
    let refused = env.run("render --deployed --app shop --env development").fails().stderr;
    assert!(refused.contains("nothing is deployed"), "{refused}");
    env.deploy().ok();
    let deployed = env.run("render --deployed --app shop --env development").ok().stdout;
    assert_eq!(deployed, env.run("render --app shop --env development").ok().stdout);
    assert!(deployed.contains("humanitec.io/app: shop"), "{deployed}");
}

#[test]
fn definitions_of_another_orchestrator_are_rendered_here() {
    let mut env = ready(BUCKET);
    let server = Server::start(&env, "--no-auth");
    let here = env.run("render --env-type production").ok().stdout;
    env.set("HUMANITEC_API_PREFIX", &server.address)
        .set("HUMANITEC_TOKEN", "canary-token")
        .set("HUMANITEC_ORG", "local");
    assert_eq!(env.run("render --env-type production").ok().stdout, here);
}

#[test]
fn values_that_no_cluster_takes_are_told_with_their_places() {
    let env = ready("");
    env.write(
        "extension.yaml",
        "apiVersion: humanitec.org/v1b1\nspec:\n  deployment: {replicas: two}\n  containers: {main: {imagePullPolicy: Allways}}\n",
    );
    insta::assert_snapshot!(env.run("render --extensions extension.yaml").fails().stderr, @"
    Error: PRV-007 workload `web` at /containers/main/imagePullPolicy: `Allways` is none of Always, IfNotPresent and Never
      hint: did you mean `Always`?
    Error: PRV-007 workload `web` at /deployment/replicas: `two` is no whole number of 0 or more
    ");
}

#[test]
fn placeholders_that_nobody_replaces_are_told_to_who_asks_for_it() {
    let env = ready("    args: [\"${metadata.name}\"]\n");
    env.run("render").ok();
    let told = env.run("render -v1");
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(
        told.stderr.contains("placeholder ${metadata.name} is not replaced here, and stays as it is"),
        "{}",
        told.stderr
    );
}

#[test]
fn who_meant_text_hears_how_it_is_written() {
    let env = ready("    variables: {A: \"$${nobody.knows}\"}\n");
    insta::assert_snapshot!(env.run("render").fails().stderr, @r"
    Error: PLN-004 Workload `web` at `/spec/containers/main/variables/A`: placeholder `${nobody.knows}`: nothing is called `nobody` here; known are `context`, `values`, `externals`, `shared`, `modules`, `pod`, `containers`, `resources`
      hint: correct it in the Score file of Workload `web`; a literal `${` is written `$\{`
    ");
    env.score("web", "    variables: {A: \"$\\\\{nobody.knows}\"}\n");
    assert!(env.run("render").ok().stdout.contains("A: ${nobody.knows}"));
}
