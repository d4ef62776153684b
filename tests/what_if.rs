//! `resources diff`: what changed Definitions would change, and that it comes true.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Remote, TestEnv};

const BEFORE: &str = r#"
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: pg-any}
entity:
  name: pg-any
  type: postgres
  driver_type: humanitec/terraform
  driver_inputs:
    values: {size: "${resources['config#pg'].outputs.size}"}
  criteria: [{}]
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: conf-pg}
entity:
  name: conf-pg
  type: config
  driver_type: humanitec/echo
  driver_inputs: {values: {size: 1}}
  criteria: [{res_id: pg}]
"#;

/// Production gets a Definition of its own, and the shared one another input.
const AFTER: &str = "
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: pg-prod}
entity:
  name: pg-prod
  type: postgres
  driver_type: humanitec/echo
  driver_inputs:
    values: {host: prod, port: 5432, name: app}
    secret_refs: {username: {store: vault, ref: u}, password: {store: vault, ref: p}}
  criteria: [{env_type: production}]
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: conf-pg}
entity:
  name: conf-pg
  type: config
  driver_type: humanitec/echo
  driver_inputs: {values: {size: 2}}
  criteria: [{res_id: pg, app_id: shop}]
";

const ENVIRONMENTS: [(&str, &str); 3] = [("shop", "development"), ("shop", "live"), ("mail", "development")];

/// Two Applications, one with a production Environment, each with a database but `mail`.
fn deployed() -> (TestEnv, Remote) {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write("before.yaml", BEFORE).write("after.yaml", AFTER);
    env.run("apply -f before.yaml").ok();
    env.run("create env live --app shop --type production").ok();
    env.run("create app mail").ok();
    for (app, at) in ENVIRONMENTS {
        let resources = if app == "shop" { "resources:\n  db: {type: postgres}\n" } else { "" };
        env.score("web", resources).run(&format!("score deploy --app {app} --env {at}")).ok();
    }
    (env, remote)
}

#[test]
fn the_difference_is_told_for_people_and_in_markdown() {
    let (env, remote) = deployed();
    let before = remote.tree("main");
    let told = env.run("resources diff -f after.yaml");
    assert_eq!((told.code, told.stderr.as_str()), (2, ""));
    insta::assert_snapshot!(told.stdout, @r#"
    shop/development (development)
      ~ config.default#pg
          /values/size 1 -> 2
      ~ resource-fc8b063ba7a4be5a17542560957c976f7aa2ab25.yaml (config.default#pg)

    shop/live (production)
      - config.default#pg
          definition conf-pg
      ~ postgres.default#modules.web.externals.db
          definition pg-any -> pg-prod
          driver humanitec/terraform -> humanitec/echo
          /secret_refs/password none -> {"ref":"p","store":"vault"}
          /secret_refs/username none -> {"ref":"u","store":"vault"}
          /values/host none -> "prod"
          /values/name none -> "app"
          /values/port none -> 5432
          /values/size "${resources['config#pg'].outputs.size}" -> none
          needs no more config.default#pg
      ~ resource-848cf4c955c9865809442a4cf7c1636c64ef6f3d.yaml (postgres.default#modules.web.externals.db)
      - resource-cdede79b9f4e72fa957a289ea79518c0dd64bd7a.yaml (config.default#pg)

    2 of 3 environments would change: 0 resources to add, 2 to change, 1 to remove; 3 files in Git
    "#);
    let told = env.run("resources diff -f after.yaml --env live -o markdown");
    assert_eq!(told.code, 2);
    insta::assert_snapshot!(told.stdout, @r#"
    ### Resource Definitions: 1 of 1 environment would change: 0 resources to add, 1 to change, 1 to remove; 2 files in Git

    New: `pg-prod`

    Changed: `conf-pg`

    <details><summary><b>shop/live</b> (production): 2 resources, 2 files</summary>

    | | resource | change |
    |---|---|---|
    | - | `config.default#pg` | `definition conf-pg` |
    | ~ | `postgres.default#modules.web.externals.db` | `definition pg-any -> pg-prod`<br>`driver humanitec/terraform -> humanitec/echo`<br>`/secret_refs/password none -> {"ref":"p","store":"vault"}`<br>`/secret_refs/username none -> {"ref":"u","store":"vault"}`<br>`/values/host none -> "prod"`<br>`/values/name none -> "app"`<br>`/values/port none -> 5432`<br>`/values/size "${resources['config#pg'].outputs.size}" -> none`<br>`needs no more config.default#pg` |

    - ~ `resource-848cf4c955c9865809442a4cf7c1636c64ef6f3d.yaml`
    - - `resource-cdede79b9f4e72fa957a289ea79518c0dd64bd7a.yaml`

    </details>
    "#);
    assert_eq!(remote.tree("main"), before, "nothing is written");
    assert_eq!(env.run("get def -o json").ok().json().as_array().unwrap().len(), 7, "nothing is applied");
}

#[test]
fn what_changes_nothing_ends_with_success() {
    let (env, _) = deployed();
    let told = env.run("resources diff -f before.yaml").ok();
    assert_eq!(told.stdout, "no changes in 3 environments\n");
    let told = env.run("resources diff -f before.yaml -o json").ok().json();
    assert_eq!(told, serde_json::json!({"changed": [], "created": [], "environments": []}));
    // Narrowed down to where nothing changes; a configured Application does not narrow it down.
    env.run("resources diff -f after.yaml --app mail").ok();
    env.run("config set app mail").ok();
    assert_eq!(env.run("resources diff -f after.yaml").code, 2);
}

#[test]
fn what_is_foretold_is_what_the_next_deployments_do() {
    let (env, remote) = deployed();
    let told = env.run("resources diff -f after.yaml -o json");
    assert_eq!(told.code, 2);
    let told = told.json();
    let foretold: BTreeSet<(String, String)> = told["environments"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|at| {
            let place = format!("{}/{}", at["app"].as_str().unwrap(), at["env"].as_str().unwrap());
            at["files"].as_array().unwrap().iter().map(move |file| {
                (format!("{place}/{}", file["name"].as_str().unwrap()), letter(&file["action"]).to_owned())
            })
        })
        .collect();
    let before = remote.git(&["rev-parse", "main"]);
    env.run("apply -f after.yaml").ok();
    for (app, at) in ENVIRONMENTS {
        let resources = if app == "shop" { "resources:\n  db: {type: postgres}\n" } else { "" };
        env.score("web", resources).run(&format!("score deploy --app {app} --env {at}")).ok();
    }
    let done = remote.git(&["diff", "--name-status", "--no-renames", before.trim(), "main", "--", "shop", "mail"]);
    let done: BTreeSet<(String, String)> = done
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(status, name)| (name.to_owned(), status.to_owned()))
        .collect();
    assert!(!done.is_empty());
    assert_eq!(foretold, done);
    assert_eq!(env.run("resources diff -f after.yaml").ok().stdout, "no changes in 3 environments\n");
}

fn letter(action: &Value) -> &'static str {
    match action.as_str().unwrap() {
        "add" => "A",
        "change" => "M",
        _ => "D",
    }
}

#[test]
fn wrong_files_are_told() {
    let (env, _) = deployed();
    env.write(
        "app.yaml",
        "apiVersion: entity.humanitec.io/v1b1\nkind: Application\nmetadata: {id: x1}\nentity: {name: x}\n",
    );
    insta::assert_snapshot!(env.run("resources diff -f app.yaml").fails().stderr, @"Error: there is no Definition in app.yaml");
    assert!(env.run("resources diff -f nowhere.yaml").fails().stderr.contains("nowhere.yaml"));
    assert!(env.run("resources diff -f after.yaml --app nope").fails().stderr.contains("HTTP-404"));
    assert!(
        env.run("resources diff -f after.yaml --app shop --env nope").fails().stderr.contains("no environment `nope`")
    );
    assert!(env.run("get apps -o markdown").fails().stderr.contains("no Markdown output"));
}

#[test]
fn what_apply_would_refuse_is_an_error_and_no_answer() {
    let (env, _) = deployed();
    env.write(
        "refused.yaml",
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: pg-any}
entity: {name: pg-any, type: s3, driver_type: humanitec/echo}
---
apiVersion: entity.humanitec.io/v1b1
kind: ResourceType
metadata: {id: local/queue}
entity: {name: Queue, use: indirct}
",
    );
    let refused = env.run("resources diff -f refused.yaml").fails().stderr;
    insta::assert_snapshot!(refused, @"
    Error: these files cannot be applied:
    resource type `local/queue`: `use` is direct, indirect or implicit, not `indirct`
    resource definition `pg-any`: its type is `postgres` and cannot change to `s3`
    ");
    env.run("apply -f refused.yaml").fails();
}

#[test]
fn a_resource_type_that_definitions_have_stays() {
    let env = TestEnv::new();
    env.write(
        "queue.yaml",
        "apiVersion: entity.humanitec.io/v1b1
kind: ResourceType
metadata: {id: local/queue}
entity: {name: Queue, use: direct}
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: queues}
entity: {name: queues, type: local/queue, driver_type: humanitec/echo}
",
    );
    env.run("apply -f queue.yaml").ok();
    let refused = env.run("delete resource-type local/queue").fails().stderr;
    assert!(refused.contains("HTTP-409") && refused.contains("`queues`"), "{refused}");
    env.run("delete resource-definition queues").ok();
    env.run("delete resource-type local/queue").ok();
}
