//! Deltas and Deployment Sets: edited, merged, compared.

use serde_json::{Value, json};

use crate::harness::{Run, TestEnv, mask};

const ENV: &str = "--app shop --env development";

const APP: &str = "/orgs/local/apps/shop";

fn call(env: &TestEnv, method: &str, path: &str, body: &Value) -> Run {
    env.run_args(&["api", method, &format!("{APP}{path}"), "-d", &body.to_string()])
}

fn id_of(run: Run) -> String {
    run.ok().json()["metadata"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_delta_is_made_edited_and_deployed() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "").deploy().ok();
    let id = id_of(env.run(&format!("create delta --name tweak {ENV} -o json")));
    let main = "/modules/web/spec/containers/main";
    env.run(&format!("update delta {id} add {main}/variables {{}} --app shop")).ok();
    let update = ["update", "delta", &id, "add", &format!("{main}/variables/X"), "a b", "--app", "shop"];
    env.run_args(&update).ok();
    env.run(&format!("update delta {id} replace {main}/image busybox:2 --app shop")).ok();
    let shown = env.run(&format!("get delta {id} --app shop -o json")).ok().json();
    assert_eq!(shown["entity"]["modules"]["update"]["web"].as_array().unwrap().len(), 3);
    env.run(&format!("deploy delta {id} development -m text --app shop --wait")).ok();
    let workload = remote.show("main", "shop/development/workload-web.yaml");
    assert!(workload.contains("X: a b") && workload.contains("image: busybox:2"), "{workload}");
    let deployment = env.run(&format!("get deploy . {ENV} -o json")).ok().json();
    assert_eq!((&deployment["entity"]["comment"], &deployment["entity"]["delta_id"]), (&json!("text"), &json!(id)));
    // Without a target it goes where the Delta is meant to go.
    let other = id_of(env.run(&format!("create delta {ENV} -o json")));
    env.run(&format!("update delta {other} remove /modules/web --app shop")).ok();
    env.run(&format!("deploy delta {other} --app shop")).ok();
    assert!(!remote.list("main", "shop/development").contains(&"workload-web.yaml".to_owned()));
}

#[test]
fn wrong_operations_are_told_before_anything_is_sent() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let id = id_of(env.run("create delta --app shop -o json"));
    for (arguments, expected) in [
        (vec!["move", "/modules/web"], "none of add, remove, replace"),
        (vec!["add", "/modules/web"], "needs a value"),
        (vec!["add", "/nope/web", "x"], "neither `/modules/NAME` nor `/shared/NAME`"),
        (vec!["add", "/modules/web", "{"], "no JSON: line 1"),
        (vec!["add", "/modules/web", "text"], "is no module"),
    ] {
        let words = [vec!["update", "delta", &id], arguments.clone(), vec!["--app", "shop"]].concat();
        let failed = env.run_args(&words).fails();
        assert!(
            failed.stderr.contains(expected) && failed.stderr.contains("hint:"),
            "{arguments:?}: {}",
            failed.stderr
        );
    }
    assert!(
        env.run("update delta 123 remove /modules/web --app shop")
            .fails()
            .stderr
            .contains("HTTP-404: deployment delta")
    );
    assert!(env.run("update").ok().stdout.contains("Usage:"));
    assert!(env.run("update delta --help").ok().stdout.contains("JSON pointer"));
}

#[test]
fn deltas_are_merged_replaced_and_archived() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let module = |v: u8| json!({"profile": "p", "spec": {"v": v}, "externals": {}});
    let made = call(
        &env,
        "post",
        "/deltas",
        &json!({"metadata": {"name": "n"}, "modules": {"add": {"web": module(1)}, "remove": ["old"]}}),
    )
    .ok()
    .json();
    let path = format!("/deltas/{}", made["id"].as_str().unwrap());
    let merged = call(
        &env,
        "patch",
        &path,
        &json!([
            {"modules": {"update": {"web": [{"op": "replace", "path": "/spec/v", "value": 2}]}}},
            {"modules": {"add": {"old": null}}, "shared": [{"op": "add", "path": "/dns", "value": {"type": "dns"}}]},
        ]),
    )
    .ok()
    .json();
    assert_eq!(merged["modules"], json!({"add": {"web": module(2)}, "remove": [], "update": {}}));
    assert_eq!(merged["shared"], json!([{"op": "add", "path": "/dns", "value": {"type": "dns"}}]));
    let misfit = json!([{"modules": {"update": {"web": [{"op": "replace", "path": "/spec/zz", "value": 2}]}}}]);
    let failed = call(&env, "patch", &path, &misfit).fails();
    insta::assert_snapshot!(failed.stderr, @"
    Error: HTTP-400: module `web`: `replace` at `/spec/zz`: no such key to replace
      hint: compare the path with the module that the Delta adds
    ");
    assert_eq!(call(&env, "put", &path, &json!({"modules": {"remove": ["web"]}})).ok().stdout, "");
    let replaced = env.run(&format!("api get {APP}{path}")).ok().json();
    assert_eq!(replaced["modules"], json!({"add": {}, "remove": ["web"], "update": {}}));
    assert_eq!(replaced["metadata"]["name"], "n");
    call(&env, "put", &format!("{path}/metadata/name"), &json!("other")).ok();
    call(&env, "put", &format!("{path}/metadata/env_id"), &json!("development")).ok();
    assert!(call(&env, "put", &format!("{path}/metadata/env_id"), &json!("nope")).fails().stderr.contains("HTTP-400"));
    assert!(env.run("get deltas --app shop --env development").ok().stdout.contains("other"));
    call(&env, "put", &format!("{path}/metadata/archived"), &json!(true)).ok();
    for (method, rest, body) in [
        ("patch", "", json!([])),
        ("put", "", json!({})),
        ("put", "/metadata/name", json!("x")),
        ("put", "/metadata/env_id", json!("development")),
    ] {
        let failed = call(&env, method, &format!("{path}{rest}"), &body).fails();
        assert!(
            failed.stderr.contains("HTTP-400: deployment delta `") && failed.stderr.contains("is archived"),
            "{}",
            failed.stderr
        );
    }
    let listed = |query: &str| env.run(&format!("api get {APP}/deltas{query}")).ok().json().as_array().unwrap().len();
    assert_eq!((listed(""), listed("?archived=true"), listed("?archived=true&env=development")), (0, 1, 1));
    call(&env, "put", &format!("{path}/metadata/archived"), &json!(false)).ok();
    call(&env, "put", &format!("{path}/metadata/name"), &json!("x")).ok();
}

#[test]
fn a_delta_is_a_manifest_that_reads_back() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let text = "apiVersion: entity.humanitec.io/v1b1
kind: DeploymentDelta
metadata: {app_id: shop}
entity:
  metadata: {name: tweak, env_id: development}
  modules:
    remove: [old-job]
    update: {web: [{op: replace, path: /spec/containers/web/image, value: busybox}]}
";
    let made = env.run_with_stdin("apply -f - -o yaml", text).ok().stdout;
    assert_eq!(env.run_with_stdin("apply -f - --app shop", &made).ok().stdout.split(": ").nth(1), Some("unchanged\n"));
    let listed = env.run("get deltas --app shop -o json").ok().stdout;
    assert!(env.run_with_stdin("apply -f - --app shop", &listed).ok().stdout.ends_with(": unchanged\n"));
    let renamed = env.run_with_stdin("apply -f - --app shop", &made.replace("old-job", "older-job")).ok().stdout;
    assert!(renamed.ends_with(": updated\n"), "{renamed}");
    let id = serde_json::from_str::<Value>(&listed).unwrap()[0]["metadata"]["id"].as_str().unwrap().to_owned();
    let unknown = env.run_with_stdin("apply -f - --app shop", &made.replace(&id, "no-such-delta")).fails();
    assert!(unknown.stderr.contains("leave out metadata.id to make a new Delta"), "{}", unknown.stderr);
    let refused = env.run_with_stdin("delete -f - --app shop", &made).fails();
    assert!(
        refused.stderr.contains("cannot be deleted") && refused.stderr.contains("archive it"),
        "{}",
        refused.stderr
    );
    let wrong = env.run_with_stdin("apply -f -", &text.replace("remove:", "remvoe:")).fails();
    assert!(wrong.stderr.contains("did you mean `remove`?"), "{}", wrong.stderr);
}

#[test]
fn sets_are_extended_compared_and_never_change() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score(
        "web",
        "    variables: {A: one}\nresources:\n  dns: {type: dns, params: {p: 1}}\n  shared: {type: s3, id: files}\n",
    );
    env.run_args(&[
        "api",
        "post",
        "/orgs/local/resources/defs",
        "-d",
        &json!({"id": "any-dns", "name": "d", "type": "dns", "driver_type": "humanitec/echo", "criteria": [{}]})
            .to_string(),
    ])
    .ok();
    env.run_args(&[
        "api",
        "post",
        "/orgs/local/resources/defs",
        "-d",
        &json!({"id": "any-s3", "name": "d", "type": "s3", "driver_type": "humanitec/echo", "criteria": [{}]})
            .to_string(),
    ])
    .ok();
    env.deploy().ok();
    let first = id_of(env.run(&format!("get deployment-set . {ENV} -o json")));
    let before = env.run(&format!("api get {APP}/sets/{first}")).ok().stdout;
    let delta = json!({"modules": {"update": {"web": [{"op": "replace", "path": "/spec/containers/main/variables/A", "value": "two"}]}}});
    let second = call(&env, "post", &format!("/sets/{first}"), &delta).ok().json();
    let second = second.as_str().unwrap();
    assert_eq!(env.run(&format!("api get {APP}/sets/{first}")).ok().stdout, before);
    // Making it again makes the same.
    assert_eq!(call(&env, "post", &format!("/sets/{first}"), &delta).ok().json(), second);
    let path = format!("api get {APP}/sets/{second}");
    let diff = env.run(&format!("{path}/diff/{first}")).ok().json();
    assert_eq!(diff["modules"], delta_with_lists(&delta));
    assert_eq!(env.run(&format!("{path}?diff={first}")).ok().json(), diff);
    insta::assert_snapshot!(env.run(&format!("diff sets {first} set/{second} {ENV}")).ok().stdout, @r#"~ /modules/web/spec/containers/main/variables/A "two""#);
    assert_eq!(env.run(&format!("diff sets . {first} {ENV}")).ok().stdout, "no differences\n");
    env.run(&format!("deploy set {second} {ENV}")).ok();
    assert!(remote.show("main", "shop/development/workload-web.yaml").contains("A: two"));
    let changed = env.run(&format!("diff deploy +1 . {ENV}")).ok().stdout;
    assert_eq!(changed, env.run(&format!("diff sets deploy/+1 deploy/. {ENV}")).ok().stdout);
    assert!(
        changed.contains("two")
            && env.run(&format!("diff env development development {ENV}")).ok().stdout.starts_with("no")
    );
    let json = env.run(&format!("diff sets deploy/+1 deploy/. {ENV} -o json")).ok().json();
    assert_eq!((&json["kind"], &json["entity"]["modules"]), (&json!("DeploymentDelta"), &diff["modules"]));
    let misfit = json!({"modules": {"update": {"nope": [{"op": "remove", "path": "/spec/x"}]}}});
    let failed = call(&env, "post", &format!("/sets/{first}"), &misfit).fails();
    assert!(failed.stderr.contains("HTTP-400: the Delta does not fit the deployment set"), "{}", failed.stderr);
    assert!(env.run(&format!("api get {APP}/sets/123/diff/{first}")).fails().stderr.contains("HTTP-404"));
    let inputs = env.run(&format!("api get {APP}/sets/{first}/resources")).ok().json();
    let keys: Vec<(&Value, &Value)> =
        inputs.as_array().unwrap().iter().map(|input| (&input["type"], &input["id"])).collect();
    assert_eq!(
        keys,
        [
            (&json!("workload"), &json!("modules.web")),
            (&json!("dns"), &json!("modules.web.externals.dns")),
            (&json!("s3"), &json!("shared.files")),
        ]
    );
    assert_eq!(inputs[1]["resource"], json!({"p": 1}));
}

fn delta_with_lists(delta: &Value) -> Value {
    json!({"add": {}, "remove": [], "update": delta["modules"]["update"]})
}

#[test]
fn a_set_with_names_that_cannot_be_ids_says_what_to_do() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main");
    let delta = json!({"modules": {"add": {"web": {"spec": {}, "externals": {"a.b": {"type": "dns"}}}}}});
    let zero = "0".repeat(43);
    let set = call(&env, "post", &format!("/sets/{zero}"), &delta).ok().json();
    let set = set.as_str().unwrap();
    assert!(env.run(&format!("api get {APP}/sets/{set}/resources")).fails().stderr.contains("HTTP-400"));
    let failed = env.run(&format!("deploy set {set} {ENV}")).fails();
    insta::assert_snapshot!(mask(&failed.stderr), @"
    Error: deployment [ID] failed
    SET-001 Malformed Deployment Set (environment development): resource `a.b` of Workload `web`: a name may not have a dot
      hint: rename it in the Score file or Delta, then deploy again
    ");
    let delta = json!({"modules": {"update": {"nope": [{"op": "remove", "path": "/spec/x"}]}}});
    let delta = call(&env, "post", "/deltas", &delta).ok().json();
    let failed = env.run(&format!("deploy delta {} {ENV}", delta["id"].as_str().unwrap())).fails();
    insta::assert_snapshot!(mask(&failed.stderr), @"
    Error: deployment [ID] failed
    SET-002 Delta does not fit (environment development): the Delta does not fit what is deployed: update of module `nope`: the Deployment Set has no such module
      hint: compare with: humctl get deployment-set . --app shop --env development -o yaml
    ");
    let failed = call(&env, "post", "/envs/development/deploys", &json!({"mode": "half"})).fails();
    insta::assert_snapshot!(failed.stderr, @"
    Error: HTTP-400: mode `half` is neither full nor incremental
      hint: leave it out for a full deployment
    ");
}

#[test]
fn deployments_are_found_by_their_pipeline_run() {
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").score("web", "").deploy().ok();
    let pipeline = json!({"id": "gate", "run_id": "r1", "job_id": "j", "step_index": 0});
    let made = call(&env, "post", "/envs/development/deploys", &json!({"pipeline": pipeline})).ok().json();
    assert_eq!(made["pipeline"], pipeline);
    let listed = |query: &str| env.run(&format!("api get {APP}/envs/development/deploys{query}")).ok().json();
    assert_eq!(listed("").as_array().unwrap().len(), 2);
    assert_eq!(listed("?pipelineRunId=gate,r1")[0]["id"], made["id"]);
    assert_eq!(listed("?pipelineRunId=gate,r2"), json!([]));
    assert!(
        env.run(&format!("api get {APP}/envs/development/deploys?pipelineRunId=x")).fails().stderr.contains("HTTP-400")
    );
}

#[test]
fn environment_types_are_made_by_name() {
    let env = TestEnv::new();
    env.run_args(&["create", "environment-type", "qa", "--description", "Quality"]).ok();
    assert!(env.run("get env-types").ok().stdout.contains("Quality"));
    assert!(env.run("create env-type qa").fails().stderr.contains("HTTP-409"));
}
