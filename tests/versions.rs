//! Versions of Resource Definitions, pins to them, and what deleting would do.

use serde_json::{Value, json};

use crate::harness::{Remote, Run, TestEnv};

const ENV: &str = "--app shop --env development";

const DEF: &str = "/orgs/local/resources/defs/pg-team";

const PIN: &str = "/orgs/local/apps/shop/envs/development/resources/postgres/modules.web.externals.db/actions/pin";

const DB: &str = "    variables: {DB: \"${resources.db.host}\"}\nresources:\n  db: {type: postgres}\n";

const DB_FILE: &str = "shop/development/resource-a89c5939436ef19101e5978b4b3b9755bb6431db.yaml";

fn call(env: &TestEnv, method: &str, path: &str, body: &Value) -> Run {
    env.run_args(&["api", method, path, "-d", &body.to_string()])
}

fn postgres(id: &str, host: &str, rule: Value) -> Value {
    json!({"id": id, "name": id, "type": "postgres", "driver_type": "humanitec/echo",
           "driver_inputs": {"values": {"host": host, "port": 5432}}, "criteria": [rule]})
}

fn set_host(env: &TestEnv, host: &str) -> Value {
    call(env, "patch", DEF, &json!({"driver_inputs": {"values": {"host": host}}})).ok().json()
}

fn shop_with_database(env: &TestEnv) -> Remote {
    let remote = env.remote("r");
    env.shop(&remote, "main");
    call(env, "post", "/orgs/local/resources/defs", &postgres("pg-team", "one", json!({}))).ok();
    env.score("web", DB).deploy().ok();
    remote
}

/// Versions, newest first: id, host, and what holds for it.
fn versions(env: &TestEnv) -> Vec<(String, String)> {
    let versions = env.run(&format!("api get {DEF}/versions")).ok().json();
    let line = |version: &Value| {
        let words = ["active", "proposed", "archived"].into_iter().filter(|word| version[*word] == true);
        let host = version["driver_inputs"]["values"]["host"].as_str().unwrap();
        let line = format!("{host} {}", words.collect::<Vec<_>>().join(" "));
        (version["id"].as_str().unwrap().to_owned(), line.trim_end().to_owned())
    };
    versions.as_array().unwrap().iter().map(line).collect()
}

fn lines(env: &TestEnv) -> Vec<String> {
    versions(env).into_iter().map(|(_, line)| line).collect()
}

#[test]
fn a_patch_merges_and_null_removes() {
    let env = TestEnv::new();
    let mut body = postgres("pg-team", "one", json!({}));
    body["driver_inputs"]["values"]["deep"] = json!({"keep": 1, "drop": 2});
    body["driver_inputs"]["secret_refs"] =
        json!({"user": {"store": "vault", "ref": "u"}, "password": {"value": "sealed-12345"}});
    body["provision"] = json!({"dns#a": {}, "dns#b": {}});
    body["driver_account"] = json!("account-1");
    call(&env, "post", "/orgs/local/resources/defs", &body).ok();
    let patch = json!({
        "name": "Team", "driver_account": "",
        "driver_inputs": {
            "values": {"port": null, "deep": {"drop": null, "new": 3}},
            "secret_refs": {"user": null, "extra": {"store": "vault", "ref": "x"}},
        },
        "provision": {"dns#a": null, "dns#c": {"is_dependent": true}},
    });
    let patched = call(&env, "patch", DEF, &patch).ok().json();
    assert_eq!(patched["name"], "Team");
    assert_eq!(patched.get("driver_account"), None);
    assert_eq!(patched["driver_inputs"]["values"], json!({"host": "one", "deep": {"keep": 1, "new": 3}}));
    let refs = &patched["driver_inputs"]["secret_refs"];
    assert_eq!(refs["extra"], json!({"store": "vault", "ref": "x"}));
    assert_eq!((refs.get("user"), &refs["password"]["store"]), (None, &json!("humanitec")));
    assert_eq!(patched["provision"].as_object().unwrap().keys().collect::<Vec<_>>(), ["dns#b", "dns#c"]);
    // A patch that changes nothing makes no version.
    call(&env, "patch", DEF, &json!({"name": "Team"})).ok();
    assert_eq!(lines(&env), ["one active", "one"]);
    assert!(call(&env, "patch", "/orgs/local/resources/defs/nope", &json!({})).fails().stderr.contains("HTTP-404"));
}

#[test]
fn versions_are_proposed_promoted_and_archived() {
    let env = TestEnv::new();
    let remote = shop_with_database(&env);
    set_host(&env, "two");
    let proposal = json!({"driver_inputs": {"values": {"host": "three"}}, "proposed": true});
    let kept = call(&env, "patch", DEF, &proposal).ok().json();
    assert_eq!(kept["driver_inputs"]["values"]["host"], "two");
    assert_eq!(lines(&env), ["three proposed", "two active", "one"]);
    env.run(&format!("deploy env development {ENV}")).ok();
    assert!(remote.show("main", DB_FILE).contains("host: two"));
    let ids: Vec<String> = versions(&env).into_iter().map(|(id, _)| id).collect();
    let action = |id: &str, action: &str, body: Value| {
        call(&env, "post", &format!("{DEF}/versions/{id}/actions/{action}"), &body)
    };
    assert_eq!(action(&ids[0], "promote", json!({})).ok().stdout, "");
    assert_eq!(lines(&env), ["three active", "two", "one"]);
    env.run(&format!("deploy env development {ENV}")).ok();
    assert!(remote.show("main", DB_FILE).contains("host: three"));
    action(&ids[2], "archive", json!({})).ok();
    assert_eq!(lines(&env), ["three active", "two", "one archived"]);
    assert!(action(&ids[0], "archive", json!({"archived": true})).fails().stderr.contains("is the active one"));
    assert!(action(&ids[2], "promote", json!({})).fails().stderr.contains("is archived"));
    action(&ids[2], "archive", json!({"archived": false})).ok();
    action(&ids[2], "promote", json!({})).ok();
    assert_eq!(lines(&env), ["three", "two", "one active"]);
    assert!(action("nope", "promote", json!({})).fails().stderr.contains("HTTP-404"));
    // A proposal that was overtaken waits no more.
    call(&env, "patch", DEF, &json!({"name": "p", "proposed": true})).ok();
    set_host(&env, "four");
    assert_eq!(lines(&env)[..2], ["four active", "one"]);
}

#[test]
fn old_versions_go_unless_something_needs_them() {
    let env = TestEnv::new();
    shop_with_database(&env);
    let (first, _) = versions(&env).remove(0);
    for number in 0..55 {
        set_host(&env, &format!("host-{number}"));
    }
    let page = |query: &str| env.run(&format!("api get {DEF}/versions?{query}")).ok().json().as_array().unwrap().len();
    // 50, and the one that the database was made from.
    assert_eq!((page("per_page=100"), page(""), page("page=50"), page("per_page=7&page=49")), (51, 50, 1, 2));
    assert!(env.run(&format!("api get {DEF}/versions?per_page=0")).fails().stderr.contains("from 1 to 100"));
    env.run(&format!("api get {DEF}/versions/{first}")).ok();
    env.run(&format!("deploy env development {ENV}")).ok();
    set_host(&env, "last");
    assert!(env.run(&format!("api get {DEF}/versions/{first}")).fails().stderr.contains("HTTP-404"));
}

#[test]
fn a_pinned_resource_stays_with_its_version_until_it_is_unpinned() {
    let env = TestEnv::new();
    let remote = shop_with_database(&env);
    let (first, _) = versions(&env).remove(0);
    set_host(&env, "two");
    let pinned = call(&env, "post", PIN, &json!({"target_def_version_id": first})).ok().json();
    assert_eq!(pinned["target_def_version_id"], first.as_str());
    let n_commits = remote.n_commits("main");
    env.run(&format!("deploy env development {ENV}")).ok();
    assert_eq!(remote.n_commits("main"), n_commits, "nothing differs from what is deployed");
    let database = || {
        let active = env.run(&format!("get active-resource modules.web.externals.db {ENV} -o json")).ok().json();
        (active["status"]["def_version_id"].clone(), active["status"]["target_def_version_id"].clone())
    };
    assert_eq!(database(), (json!(first), json!(first)));
    let unpinned = call(&env, "post", PIN, &json!({"target_def_version_id": null})).ok().json();
    assert_eq!(unpinned.get("target_def_version_id"), None);
    env.run(&format!("deploy env development {ENV}")).ok();
    assert!(remote.show("main", DB_FILE).contains("host: two"));
    let (second, _) = versions(&env).remove(0);
    assert_eq!(database(), (json!(second), Value::Null));
}

#[test]
fn only_a_version_of_the_definition_that_is_not_archived_can_be_pinned_to() {
    let env = TestEnv::new();
    shop_with_database(&env);
    set_host(&env, "two");
    let (first, _) = versions(&env).remove(1);
    let pin = |version: Value| call(&env, "post", PIN, &json!({"target_def_version_id": version}));
    assert!(call(&env, "post", PIN, &json!({})).fails().stderr.contains("`target_def_version_id` is missing"));
    assert!(
        pin(json!("nope")).fails().stderr.contains("HTTP-400: resource definition `pg-team` has no version `nope`")
    );
    call(&env, "post", &format!("{DEF}/versions/{first}/actions/archive"), &json!({})).ok();
    assert!(pin(json!(first)).fails().stderr.contains("is archived"));
    call(&env, "post", &format!("{DEF}/versions/{first}/actions/archive"), &json!({"archived": false})).ok();
    pin(json!(first)).ok();
    // Archived behind the back of a pin, it is an error of the plan.
    call(&env, "post", &format!("{DEF}/versions/{first}/actions/archive"), &json!({})).ok();
    let failed = env.run(&format!("deploy env development {ENV}")).fails();
    assert!(failed.stderr.contains("PLN-010") && failed.stderr.contains("archived"), "{}", failed.stderr);
    let unknown =
        call(&env, "post", &PIN.replace("externals.db", "externals.x"), &json!({"target_def_version_id": null}));
    assert!(unknown.fails().stderr.contains("HTTP-404"));
}

#[test]
fn deleting_a_definition_says_what_its_resources_would_get() {
    let env = TestEnv::new();
    let remote = shop_with_database(&env);
    call(
        &env,
        "post",
        "/orgs/local/resources/defs",
        &postgres("pg-other", "other", json!({"env_type": "development"})),
    )
    .ok();
    // The more specific one wins from the next deployment on; `pg-team` is still in use.
    let refused = env.run("delete def pg-team").fails();
    insta::assert_snapshot!(refused.stderr, @"
    Error: HTTP-409: it is in use
      used by: shop/development modules.web.externals.db, which would get `pg-other` instead
      hint: delete it all the same with --force; the next deployments match anew
    ");
    env.run("delete def pg-team --force").ok();
    assert!(env.run("get def pg-team").fails().stderr.contains("HTTP-404"));
    let deleted = env.run(&format!("api get {DEF}?deleted=true")).ok().json();
    assert_eq!((&deleted["is_deleted"], &deleted["criteria"]), (&json!(true), &json!([])));
    let listed = |query: &str| env.run(&format!("api get /orgs/local/resources/defs{query}")).ok().stdout;
    assert!(!listed("").contains("pg-team") && listed("?deleted=true").contains("pg-team"));
    let actions: Vec<Value> = env
        .run(&format!("api get {DEF}/versions?deleted=true"))
        .ok()
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["action"].clone())
        .collect();
    assert_eq!(actions, ["deleted", "created"]);
    env.run(&format!("deploy env development {ENV}")).ok();
    assert!(remote.show("main", DB_FILE).contains("host: other"));
    // Its id is free again.
    call(&env, "post", "/orgs/local/resources/defs", &postgres("pg-team", "again", json!({"app_id": "shop"}))).ok();
    assert_eq!(lines(&env)[0], "again active");
}

#[test]
fn deleting_a_rule_says_what_resources_would_get() {
    let env = TestEnv::new();
    shop_with_database(&env);
    let rules = env.run(&format!("api get {DEF}")).ok().json();
    let rule = rules["criteria"][0]["id"].as_str().unwrap();
    let refused = env.run(&format!("api delete {DEF}/criteria/{rule}")).fails();
    assert!(refused.stderr.contains("used by: shop/development modules.web.externals.db, which nothing else matches"));
    let added = call(&env, "post", &format!("{DEF}/criteria"), &json!({"app_id": "shop"})).ok().json();
    // Now another rule of the same Definition matches, so nothing moves.
    env.run(&format!("api delete {DEF}/criteria/{rule}")).ok();
    let added = added["id"].as_str().unwrap();
    env.run(&format!("api delete {DEF}/criteria/{added}")).fails();
    env.run(&format!("api delete {DEF}/criteria/{added}?force=true")).ok();
}

#[test]
fn a_target_that_is_pinned_keeps_its_old_credentials() {
    let env = TestEnv::new();
    let remote = env.remote("served/r");
    let server = crate::harness::HttpGit::start(&env.path("served"), "bot", "first-pass-12345");
    let definition = |password: &str| {
        json!({"name": "git", "driver_type": "humanitec/k8s-cluster-git", "driver_inputs": {
            "values": {"url": server.url("r.git"), "branch": "main", "path": "x", "username": "bot"},
            "secrets": {"credentials": {"password": password}}}})
    };
    let mut body = definition("first-pass-12345");
    body["id"] = json!("git-target");
    body["type"] = json!("k8s-cluster");
    body["criteria"] = json!([{}]);
    let post = |path: &str, body: &Value| env.run_with_stdin(&format!("api post {path} -f -"), &body.to_string());
    post("/orgs/local/resources/defs", &body).ok();
    env.run("create app shop").ok();
    env.score("web", "").deploy().ok();
    let path = "/orgs/local/resources/defs/git-target";
    let first = env.run(&format!("api get {path}")).ok().json()["active_version_id"].clone();
    env.run_with_stdin(&format!("api put {path} -f -"), &definition("wrong-pass-12345").to_string()).ok();
    env.score("api", "").deploy().fails();
    let pin = "/orgs/local/apps/shop/envs/development/resources/k8s-cluster/k8s-cluster/actions/pin";
    post(pin, &json!({"target_def_version_id": first})).ok();
    env.deploy().ok();
    assert_eq!(remote.n_commits("main"), 2);
    // The old secret comes back under its old version, and none is shown.
    env.run_with_stdin(&format!("api put {path} -f -"), &definition("first-pass-12345").to_string()).ok();
    let shown = env.run(&format!("api get {path}/versions")).ok().stdout;
    let versions: Value = serde_json::from_str(&shown).unwrap();
    let version =
        |index: usize| versions[index]["driver_inputs"]["secret_refs"]["credentials"]["password"]["version"].clone();
    assert_eq!((version(0), version(1), version(2)), (json!("1"), json!("2"), json!("1")));
    assert!(!shown.contains("pass-12345"));
}
