//! Manifests: what is taken, what is refused, and with which words.

use crate::harness::{TestEnv, git_cluster};

const POSTGRES: &str = "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: postgres-team}
entity:
  name: postgres-team
  type: postgres
  driver_type: humanitec/echo
  driver_inputs:
    values: {host: db.internal, port: 5432}
  criteria: [{}]
";

#[test]
fn applying_twice_changes_nothing_and_a_change_is_an_update() {
    let env = TestEnv::new();
    env.write("d.yaml", POSTGRES);
    assert_eq!(env.run("apply -f d.yaml").ok().stdout, "Definition postgres-team: created\n");
    assert_eq!(env.run("create -f d.yaml").ok().stdout, "Definition postgres-team: unchanged\n");
    env.write("d.yaml", &POSTGRES.replace("5432", "5433"));
    assert_eq!(env.run("update -f d.yaml").ok().stdout, "Definition postgres-team: updated\n");
    env.write("d.yaml", &POSTGRES.replace("5432", "5433").replace("[{}]", "[{app_id: shop}]"));
    assert_eq!(env.run("apply -f d.yaml").ok().stdout, "Definition postgres-team: updated\n");
    // What is shown can be applied again.
    let shown = env.run("get def postgres-team -o yaml").ok().stdout;
    assert_eq!(env.run_with_stdin("apply -f -", &shown).ok().stdout, "Definition postgres-team: unchanged\n");
}

#[test]
fn a_directory_is_applied_in_the_order_of_dependencies() {
    let env = TestEnv::new();
    env.write("defs/1.yaml", POSTGRES)
        .write("defs/2.yaml", "apiVersion: entity.humanitec.io/v1b1\nkind: Environment\nmetadata: {id: qa, app_id: shop}\nentity: {name: QA, type: test}\n")
        .write("defs/3.yaml", "apiVersion: entity.humanitec.io/v1b1\nkind: app\nmetadata: {id: shop}\nentity: {name: Shop}\n---\napiVersion: entity.humanitec.io/v1b1\nkind: EnvironmentType\nmetadata: {id: test}\nentity: {description: Tests}\n")
        .write("defs/4.yml", "apiVersion: entity.humanitec.io/v1b1\nkind: ResourceType\nmetadata: {type: local/queue}\nentity: {name: Queue, use: direct, category: x, inputs_schema: {}, outputs_schema: {}}\n")
        .write("defs/notes.txt", "no manifest");
    insta::assert_snapshot!(env.run("apply -f defs").ok().stdout, @"
    EnvironmentType test: created
    ResourceType local/queue: created
    Definition postgres-team: created
    Application shop: created
    Environment qa: created
    ");
    env.run("delete -f defs").ok();
    assert!(env.run("get app shop").fails().stderr.contains("HTTP-404"));
    env.run("delete -f defs").ok();
}

#[test]
fn all_mistakes_of_all_files_are_told_before_anything_is_sent() {
    let env = TestEnv::new();
    env.write("good.yaml", POSTGRES).write(
        "bad.yaml",
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata:
  id: pg-two
entity:
  name: pg
  type: postgres
  driver_typ: humanitec/echo
  driver_type: humanitec/echo
  driver_inputs:
    value: {}
  criteria:
  - env_tpye: development
---
apiVersion: entity.humanitec.io/v1b1
kind: Definitoin
metadata: {id: x}
---
apiVersion: apps/v1
kind: Deployment
---
apiVersion: entity.humanitec.io/v1b1
kind: Application
metadata: {id: My App}
entity: {name: 7}
",
    );
    let failed = env.run("apply -f good.yaml -f bad.yaml").fails();
    insta::assert_snapshot!(failed.stderr, @"
    Error: bad.yaml:8:3: unknown field `driver_typ`
      hint: did you mean `driver_type`?
    Error: bad.yaml:11:5: unknown field `value`
      hint: did you mean `values`?
    Error: bad.yaml:13:5: unknown field `env_tpye`
      hint: did you mean `env_type`?
    Error: bad.yaml:16:1: unknown kind `Definitoin`
      hint: did you mean `Definition`?
    Error: bad.yaml:19:1: this is no manifest: apiVersion is `apps/v1`, expected `entity.humanitec.io/v1b1`
    Error: bad.yaml:24:12: `id`: `My App` is no application id: expected 2 to 50 lower-case letters, digits or single inner hyphens (did you use the name instead of the id?)
    ");
    assert!(env.run("get def postgres-team").fails().stderr.contains("HTTP-404"));
}

#[test]
fn a_failure_half_way_says_what_was_applied_and_what_was_not() {
    let env = TestEnv::new();
    let second = POSTGRES.replace("postgres-team", "postgres-twin");
    let third = POSTGRES.replace("postgres-team", "mysql-team").replace("type: postgres", "type: mysql");
    env.write("1.yaml", POSTGRES).write("2.yaml", &second).write("3.yaml", &third);
    let failed = env.run("apply -f 1.yaml -f 2.yaml -f 3.yaml").fails();
    insta::assert_snapshot!(failed.stderr, @r#"
    Error: 2.yaml: Definition postgres-twin: HTTP-409: matching criteria {"class":"default"} of type `postgres` belong to resource definition `postgres-team` already
      applied: Definition postgres-team: created
      not applied: Definition postgres-twin (2.yaml)
      not applied: Definition mysql-team (3.yaml)
    "#);
    env.run("get def postgres-team").ok();
    env.run("get def mysql-team").fails();
}

#[test]
fn the_type_of_a_definition_cannot_change() {
    let env = TestEnv::new();
    env.write("d.yaml", POSTGRES).run("apply -f d.yaml").ok();
    env.write("d.yaml", &POSTGRES.replace("type: postgres", "type: mysql"));
    assert!(env.run("apply -f d.yaml").fails().stderr.contains("cannot change to `mysql`"));
}

#[test]
fn broken_and_empty_files_are_told() {
    let env = TestEnv::new();
    env.write("tab.yaml", "a:\n\t- b\n").write("twice.yaml", "a: 1\na: 2\n").write("empty.yaml", "# nothing\n");
    assert!(env.run("apply -f tab.yaml").fails().stderr.contains("tab.yaml:2:"));
    assert!(env.run("apply -f twice.yaml").fails().stderr.contains("twice.yaml:2:1"));
    assert!(env.run("apply -f empty.yaml").fails().stderr.contains("no manifest"));
    env.write("d.yaml", &POSTGRES.replace("driver_type", "driver_tpye")).write("l.yaml", "- a\n");
    let failed = env.run("apply -f d.yaml").fails().stderr;
    assert!(
        failed.contains("d.yaml:7:3: unknown field `driver_tpye`") && failed.contains("`driver_type` is missing"),
        "{failed}"
    );
    // A list stands for its items, as `get` prints them.
    let failed = env.run("apply -f l.yaml").fails().stderr;
    assert!(failed.contains("l.yaml:1:3: expected a mapping, found string"), "{failed}");
    env.write("d.yaml", &POSTGRES.replace("type: postgres", "type: postgers"));
    assert!(env.run("apply -f d.yaml").fails().stderr.contains("did you mean `postgres`?"));
    env.write("d.yaml", &POSTGRES.replace("id: postgres-team", "id: My Team"));
    assert!(env.run("apply -f d.yaml").fails().stderr.contains("d.yaml:3:12: "));
    assert!(env.run("apply -f missing.yaml").fails().stderr.contains("missing.yaml"));
    assert!(env.run("apply").fails().stderr.contains("-f"));
}

#[test]
fn a_definition_in_use_is_not_deleted_without_force() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "");
    env.deploy().ok();
    let refused = env.run("delete def git-target").fails().stderr;
    insta::assert_snapshot!(refused, @"
    Error: HTTP-409: it is in use
      used by: shop/development k8s-cluster, which nothing else matches
      hint: delete it all the same with --force; the next deployments match anew
    ");
    env.run("delete def git-target --force").ok();
    assert!(env.run("get def git-target").fails().stderr.contains("HTTP-404"));
    // The rule is free again.
    env.write("c.yaml", &git_cluster(&remote.url(), "path: x", "")).run("apply -f c.yaml").ok();
}

#[test]
fn score_files_get_every_finding_with_its_place() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    env.write(
        "score.yaml",
        "apiVersion: score.dev/v1b1
metadata:
  name: web
containers:
  main:
    image: busybox
    comand: [\"sh\"]
    variables:
      PORT: 8080
      URL: ${resources.nope.host}
service:
  ports:
    www: {port: 70000}
",
    );
    insta::assert_snapshot!(env.deploy().fails().stderr, @r#"
    Error: score.yaml:7:5: /containers/main: additionalProperties 'comand' not allowed
      hint: did you mean 'command'?
    Error: score.yaml:9:7: /containers/main/variables/PORT: expected string, but got number
      hint: quote it
    Error: score.yaml:10:7: /containers/main/variables/URL: placeholder ${resources.nope.host} does not resolve to a resource, no resource with name "nope"
    Error: score.yaml:13:11: /service/ports/www/port: must be <= 65535 but found 70000
    "#);
    env.write("score.yaml", "apiVersion: score.dev/v1b1\nmetadata: {name: web}\ncontainers: {main: {image: .}}\n");
    assert!(env.deploy().fails().stderr.contains("has no image and --image was not provided"));
    env.write("score.yaml", "a: [\n");
    assert!(env.deploy().fails().stderr.contains("score.yaml:"));
    std::fs::remove_file(env.path("score.yaml")).unwrap();
    assert!(env.deploy().fails().stderr.contains("cannot read `score.yaml`"));
}
