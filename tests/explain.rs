//! `resources explain`: what a person reads, and what stays hidden.

use crate::harness::TestEnv;

const DEFINITIONS: &str = r#"
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: pg-any}
entity:
  name: pg-any
  type: postgres
  driver_type: humanitec/terraform
  criteria: [{}]
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: pg-shop}
entity:
  name: pg-shop
  type: postgres
  driver_type: humanitec/terraform
  driver_account: gcp-team
  driver_inputs:
    values:
      host: "${resources['config#pg'].outputs.host}"
      name: "${context.app.id}-${context.env.id}"
    secret_refs:
      password: {value: "${resources['config#pg'].outputs.password}"}
  criteria: [{app_id: shop}, {env_type: production, app_id: other}]
---
apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: conf-pg}
entity:
  name: conf-pg
  type: config
  driver_type: humanitec/echo
  driver_inputs:
    values: {host: db.internal}
    secret_refs: {password: {store: vault, ref: pg/password}}
  criteria: [{res_id: pg}]
"#;

/// A Workload with a database, deployed.
fn deployed() -> TestEnv {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write("defs.yaml", DEFINITIONS);
    env.run("apply -f defs.yaml").ok();
    env.score(
        "web",
        "    variables: {DB: \"${resources.db.host}:${resources.db.password}\"}\nresources:\n  db: {type: postgres}\n",
    );
    env.deploy().ok();
    env
}

#[test]
fn a_resource_tells_where_everything_about_it_comes_from() {
    let env = deployed();
    let told = env.run("resources explain postgres --app shop --env development").ok();
    insta::assert_snapshot!(told.stdout, @"
    postgres.default#modules.web.externals.db
      context       local/shop/development, environment type development
      guresid       a89c5939436ef19101e5978b4b3b9755bb6431db
      in the graph  Workload `web` declares it as `db`
      needed by     workload.default#modules.web (declared; placeholder at /spec/containers/main/variables/DB)
      made from     Definition `pg-shop` by class=default app_id=shop, score 2, Driver humanitec/terraform, account gcp-team
      without it    pg-any (score 0)
      candidates:
        + pg-shop wins
            class=default app_id=shop: holds, score 2
            class=default app_id=other (here: shop) env_type=production (here: development): does not hold
        2 pg-any runner-up
            class=default: holds, score 0
      depends on:
        config.default#pg (reference at /driver_inputs/secret_refs/password; reference at /driver_inputs/values/host)
      placeholders:
        /driver_inputs/values/host ${resources['config#pg'].outputs.host} <- `host` of config.default#pg = db.internal
        /driver_inputs/values/name ${context.app.id} = shop
        /driver_inputs/values/name ${context.env.id} = development
        /driver_inputs/secret_refs/password/value ${resources['config#pg'].outputs.password} <- `password` of config.default#pg (secret)
    ");
    let told = env.run("resources explain config#pg --app shop --env development").ok();
    insta::assert_snapshot!(told.stdout, @"
    config.default#pg
      context       local/shop/development, environment type development
      guresid       fc8b063ba7a4be5a17542560957c976f7aa2ab25
      in the graph  Definition `pg-shop` of postgres.default#modules.web.externals.db refers to it at /driver_inputs/values/host
      needed by     postgres.default#modules.web.externals.db (reference at /driver_inputs/secret_refs/password; reference at /driver_inputs/values/host)
      made from     Definition `conf-pg` by class=default res_id=pg, score 8, Driver humanitec/echo
      without it    no Definition would match
      candidates:
        + conf-pg wins
            class=default res_id=pg: holds, score 8
    ");
}

#[test]
fn what_is_not_deployed_is_matched_for_any_environment_type() {
    let env = deployed();
    let told = env.run("resources explain postgres.big --env-type production").ok();
    insta::assert_snapshot!(told.stdout, @"
    postgres.big
      context       local/(no app)/(no env), environment type production
      in the graph  no; this is how it would be matched
      made from     nothing: no Definition matches
      candidates:
        x pg-any no match
            class=default (here: big): does not hold
        x pg-shop no match
            class=default (here: big) app_id=other (here: none) env_type=production: does not hold
            class=default (here: big) app_id=shop (here: none): does not hold
    ");
    let told = env.run("resources explain postgres --env-type production --app other -o json").ok().json();
    assert_eq!(told[0]["definition"]["id"], "pg-shop");
    assert_eq!(told[0]["context"], serde_json::json!({"app": "other", "env_type": "production", "org": "local"}));
}

#[test]
fn json_is_one_object_for_one_resource_and_a_list_for_more() {
    let env = deployed();
    let one =
        env.run("resources explain postgres.default#modules.web.externals.db --app shop --env development -o json");
    assert_eq!(one.ok().json()["runner_up"]["definition"], "pg-any");
    let all = env.run("resources explain --all --app shop --env development -o json").ok().json();
    let names: Vec<&str> = all.as_array().unwrap().iter().map(|item| item["resource"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "base-env.default#base-env",
            "config.default#pg",
            "k8s-cluster.default#k8s-cluster",
            "k8s-namespace.default#k8s-namespace",
            "postgres.default#modules.web.externals.db",
            "workload.default#modules.web",
        ]
    );
}

#[test]
fn a_resource_that_nothing_matches_says_so_with_its_error() {
    let env = deployed();
    env.write("pg.yaml", &DEFINITIONS.split("---").next().unwrap().replace("[{}]", "[{env_type: staging}]"));
    env.run("apply -f pg.yaml").ok();
    env.run("delete def pg-shop --force").ok();
    let told = env.run("resources explain postgres --app shop --env development").ok();
    assert!(told.stdout.contains("nothing: no Definition matches"), "{}", told.stdout);
    assert!(told.stdout.contains("env_type=staging (here: development): does not hold"), "{}", told.stdout);
    assert!(told.stdout.contains("PLN-001"), "{}", told.stdout);
}

#[test]
fn explaining_writes_nothing_and_shows_no_secret() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.git_cluster(&remote.url(), "").run("create app shop").ok();
    env.write(
        "secret.yaml",
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {id: base-secret}
entity:
  name: base-secret
  type: base-env
  driver_type: humanitec/echo
  driver_inputs: {secrets: {token: canary-token}, values: {plain: \"${context.env.id}\"}}
  criteria: [{}]
",
    );
    env.run("apply -f secret.yaml").ok();
    for words in ["resources explain --all -o json", "resources explain --all", "resources explain base-env"] {
        let told = env.run(&format!("{words} --app shop --env development")).ok();
        assert!(!told.stdout.contains("canary-token"), "{}", told.stdout);
        assert!(told.stdout.contains("PLN-013"), "{}", told.stdout);
    }
    assert_eq!(remote.n_commits("main"), 0);
}

#[test]
fn wrong_words_are_told() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let at = "--app shop --env development";
    assert!(env.run(&format!("resources explain {at}")).fails().stderr.contains("<RESOURCE>"));
    insta::assert_snapshot!(env.run(&format!("resources explain #x {at}")).fails().stderr, @"
    Error: `#x` is no resource: `` is no resource type: expected letters, digits and hyphens, with one `/` after the organization of a custom type
      hint: write TYPE, TYPE.CLASS or TYPE.CLASS#ID, as in postgres.default#modules.web.externals.db
    ");
    insta::assert_snapshot!(env.run("resources explain postgres").fails().stderr, @"
    Error: application is required
      hint: pass --app, set HUMANITEC_APP, or run humctl config set app NAME
    ");
}

#[test]
fn a_graph_tells_why_when_it_is_asked() {
    let env = deployed();
    let at = "--app shop --env development";
    let tree = env.run(&format!("resources graph {at} --format ascii --why")).ok().stdout;
    insta::assert_snapshot!(tree, @"
    workload.web
    |-- base
    |   `-- base-env.default#base-env [by default-humanitec-base-env: class=default]
    `-- workload.default#modules.web [by default-humanitec-workload-res: class=default]
        `-- (declared, placeholder) postgres.default#modules.web.externals.db [by pg-shop: class=default app_id=shop]
            `-- (reference) config.default#pg [by conf-pg: class=default res_id=pg]
    ");
    let dot = env.run(&format!("resources graph {at} --why")).ok().stdout;
    assert!(dot.contains(r#"-> "config.default#pg" [label="reference"];"#), "{dot}");
    assert!(dot.contains(r"\nby pg-shop: class=default app_id=shop"), "{dot}");
    let plain = env.run(&format!("resources graph {at}")).ok().stdout;
    assert!(!plain.contains("pg-shop") && !plain.contains("reference"), "{plain}");
    let both = env.run(&format!("resources graph {at} --why -o json")).ok().json();
    assert_eq!(both["graph"]["nodes"].as_array().unwrap().len(), 4);
    assert!(both["explanations"].as_array().unwrap().iter().all(|item| item["candidates"].is_array()));
}

#[test]
fn the_page_says_when_definitions_have_changed_since() {
    let env = deployed();
    let page = |env: &TestEnv| {
        let url = env.run("resources graph deploy . --app shop --env development").ok().stdout;
        std::fs::read_to_string(
            url.trim()
                .replace("[TMP]", env.path("").to_str().unwrap().trim_end_matches('/'))
                .trim_start_matches("file://"),
        )
        .unwrap()
    };
    let before = page(&env);
    assert!(before.contains("made from") && !before.contains("have changed since"));
    env.write("pg.yaml", &DEFINITIONS.split("---").nth(1).unwrap().replace("gcp-team", "gcp-other"));
    env.run("apply -f pg.yaml").ok();
    assert!(page(&env).contains("have changed since"));
}

#[test]
fn candidates_are_listed_by_rank_over_the_api() {
    let env = deployed();
    let list = |query: &str| -> Vec<String> {
        let found = env.run(&format!("api get /orgs/local/resources/defs?{query}")).ok().json();
        found.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(list("res_type=postgres&app=shop&env_type=development"), ["pg-shop", "pg-any"]);
    assert_eq!(list("res_type=postgres&app=mail"), ["pg-any"]);
    assert_eq!(list("res_type=postgres&class=big"), [] as [&str; 0]);
    assert_eq!(list("res_type=config"), ["conf-pg"]);
}
