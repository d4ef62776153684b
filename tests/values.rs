//! Shared Values: levels, versions, secrets, and the Deployments that use them.

use serde_json::Value;

use crate::harness::{Remote, TestEnv};

const ENV: &str = "--app shop --env development";

const APP_PATH: &str = "/orgs/local/apps/shop";

const CANARY: &str = "canary-Sh4red/+=&";

const SCORE: &str = "    variables: {LEVEL: \"${resources.env.LEVEL}\"}\nresources:\n  env: {type: environment}\n";

fn shop(env: &TestEnv) -> Remote {
    let remote = env.remote("r");
    env.shop(&remote, "main");
    remote
}

fn workload(remote: &Remote) -> String {
    remote.show("main", "shop/development/workload-web.yaml")
}

/// Keys and texts that a level shows.
fn shown(env: &TestEnv, rest: &str) -> Vec<String> {
    let values = env.run(&format!("api get {APP_PATH}{rest}/values")).ok().json();
    let line = |value: &Value| {
        let text = |key: &str| value[key].as_str().unwrap_or("-").to_owned();
        format!("{}={} ({})", text("key"), text("value"), text("source"))
    };
    values.as_array().unwrap().iter().map(line).collect()
}

fn versions(env: &TestEnv, rest: &str) -> Vec<(String, String)> {
    let versions = env.run(&format!("api get {APP_PATH}{rest}")).ok().json();
    let text = |version: &Value, key: &str| version[key].as_str().unwrap().to_owned();
    versions.as_array().unwrap().iter().map(|version| (text(version, "id"), text(version, "result_of"))).collect()
}

fn causes(env: &TestEnv, rest: &str) -> Vec<String> {
    versions(env, rest).into_iter().map(|(_, cause)| cause).collect()
}

#[test]
fn a_changed_value_is_picked_up_and_an_older_version_can_be_deployed() {
    let env = TestEnv::new();
    let remote = shop(&env);
    env.run("create value LEVEL info --app shop").ok();
    env.score("web", SCORE).deploy().ok();
    assert!(workload(&remote).contains("LEVEL: info"), "{}", workload(&remote));
    let first = env.run(&format!("get deploy . {ENV} -o json")).ok().json();
    let version = first["entity"]["value_set_version_id"].as_str().unwrap().to_owned();
    env.run_args(&[
        "api",
        "put",
        &format!("{APP_PATH}/values/LEVEL"),
        "-d",
        "{\"value\": \"debug\", \"description\": \"\"}",
    ])
    .ok();
    assert!(workload(&remote).contains("LEVEL: info"));
    env.run(&format!("deploy env development {ENV}")).ok();
    assert!(workload(&remote).contains("LEVEL: debug"));
    env.run(&format!("deploy env development --values-version {version} {ENV}")).ok();
    assert!(workload(&remote).contains("LEVEL: info"));
    env.run(&format!("deploy env development --values-version . {ENV}")).ok();
    assert!(workload(&remote).contains("LEVEL: debug"));
    // A rollback takes the values along, unless it is told not to.
    env.run(&format!("deploy deploy +1 . {ENV}")).ok();
    assert!(workload(&remote).contains("LEVEL: info"));
    env.run(&format!("deploy deploy . . --values-version . {ENV}")).ok();
    assert!(workload(&remote).contains("LEVEL: debug"));
    let failed = env.run(&format!("deploy env development --values-version 1234 {ENV}")).fails();
    assert!(failed.stderr.contains("HTTP-400: value set version `1234` does not exist"), "{}", failed.stderr);
}

#[test]
fn an_environment_overrides_what_its_application_has() {
    let mut env = TestEnv::new();
    let remote = shop(&env);
    // An Environment of the configuration does not silently make an override.
    env.set("HUMANITEC_ENV", "development");
    let early = env.run("create value LEVEL debug --app shop --env development").fails();
    insta::assert_snapshot!(early.stderr, @"
    Error: HTTP-400: environment value `LEVEL` has no value of application `shop` to override
      hint: make that first: humctl create value LEVEL VALUE --app shop
    ");
    env.run("create value LEVEL info --app shop").ok();
    assert_eq!(shown(&env, ""), ["LEVEL=info (app)"]);
    env.run("create value LEVEL debug --app shop --env development").ok();
    assert_eq!(shown(&env, "/envs/development"), ["LEVEL=debug (env)"]);
    assert_eq!(shown(&env, ""), ["LEVEL=info (app)"]);
    env.score("web", SCORE).deploy().ok();
    assert!(workload(&remote).contains("LEVEL: debug"));
    assert!(env.run("create value LEVEL x --app shop").fails().stderr.contains("HTTP-409"));
    let refused = env.run("delete value LEVEL --app shop").fails();
    insta::assert_snapshot!(refused.stderr, @"
    Error: HTTP-400: shared value `LEVEL` is overridden in environment `development`
      hint: delete that first: humctl delete value LEVEL --app shop --env development
    ");
    env.run("delete value LEVEL --app shop --env development").ok();
    env.run("delete value LEVEL --app shop").ok();
    assert_eq!(env.run("get values --app shop -o json").ok().stdout, "[]\n");
    assert!(
        env.run("delete value LEVEL --app shop")
            .fails()
            .stderr
            .contains("HTTP-404: shared value `LEVEL` does not exist")
    );
    assert!(env.run("get value LEVEL --app shop").fails().stderr.contains("does not exist"));
}

#[test]
fn every_change_makes_a_version_of_every_level_that_it_changes() {
    let env = TestEnv::new();
    shop(&env);
    env.run("create value LEVEL info --app shop").ok();
    // Without a value of its own an Environment has the Application's versions.
    assert_eq!(versions(&env, "/value-set-versions"), versions(&env, "/envs/development/value-set-versions"));
    env.run("create value LEVEL debug --app shop --env development").ok();
    env.run("create value OTHER x --app shop").ok();
    env.run("api put /orgs/local/apps/shop/values/OTHER -d {\"value\":\"x\",\"description\":\"\"}").ok();
    env.run("api patch /orgs/local/apps/shop/values/OTHER -d {\"value\":\"y\"}").ok();
    env.run("delete value OTHER --app shop").ok();
    assert_eq!(
        causes(&env, "/value-set-versions"),
        ["app_value_delete", "app_value_update", "app_value_create", "app_value_create"]
    );
    assert_eq!(
        causes(&env, "/envs/development/value-set-versions"),
        ["app_value_delete", "app_value_update", "app_value_create", "env_value_create"]
    );
    assert_eq!(causes(&env, "/value-set-versions?key_changed=LEVEL"), ["app_value_create"]);
    let (id, _) = versions(&env, "/envs/development/value-set-versions").remove(1);
    let version = env.run(&format!("api get {APP_PATH}/envs/development/value-set-versions/{id}")).ok().json();
    assert_eq!(version["change"][0]["op"], "replace");
    assert_eq!(
        (&version["change"][0]["path"], &version["change"][0]["value"]["value"]),
        (&"/OTHER".into(), &"y".into())
    );
    assert_eq!(version["values"]["LEVEL"]["source"], "env");
    assert!(env.run(&format!("api get {APP_PATH}/value-set-versions/{id}")).fails().stderr.contains("HTTP-404"));
}

#[test]
fn versions_are_restored_whole_or_one_key_at_a_time() {
    let env = TestEnv::new();
    shop(&env);
    env.run("create value AA one --app shop").ok();
    env.run("create value BB one --app shop").ok();
    let (first, _) = versions(&env, "/value-set-versions").remove(0);
    env.run("api patch /orgs/local/apps/shop/values/AA -d {\"value\":\"two\"}").ok();
    env.run("delete value BB --app shop").ok();
    env.run("create value CC two --app shop").ok();
    let restore = |rest: &str| {
        let path = format!("{APP_PATH}/value-set-versions/{first}/restore{rest}");
        env.run_args(&["api", "post", &path, "-d", "{\"comment\": \"back\"}"])
    };
    let made = restore("/BB").ok().json();
    assert_eq!((&made["result_of"], &made["comment"]), (&"app_value_set_version_restore".into(), &"back".into()));
    assert_eq!(made["source_value_set_version_id"], first.as_str());
    assert_eq!(shown(&env, ""), ["AA=two (app)", "BB=one (app)", "CC=two (app)"]);
    // A key that the version does not have is deleted.
    restore("/CC").ok();
    restore("").ok();
    assert_eq!(shown(&env, ""), ["AA=one (app)", "BB=one (app)"]);
    assert!(restore("/DD").fails().stderr.contains("HTTP-400: value set version"));
    env.run("api delete /orgs/local/apps/shop/values").ok();
    assert_eq!(causes(&env, "/value-set-versions")[0], "app_values_delete");
    assert_eq!(shown(&env, ""), Vec::<String>::new());
}

#[test]
fn a_purged_value_is_gone_from_every_version_and_cannot_be_deployed() {
    let env = TestEnv::new();
    let remote = shop(&env);
    env.run("create value LEVEL oops-12345 --app shop").ok();
    env.run("create value LEVEL other --app shop --env development").ok();
    env.run("delete value LEVEL --app shop --env development").ok();
    env.score("web", SCORE).deploy().ok();
    let (first, _) = versions(&env, "/value-set-versions").remove(0);
    env.run("api patch /orgs/local/apps/shop/values/LEVEL -d {\"value\":\"info\"}").ok();
    let purge = |key: &str| env.run(&format!("api post {APP_PATH}/value-set-versions/{first}/purge/{key} -d {{}}"));
    assert_eq!(purge("LEVEL").ok().stdout, "");
    assert_eq!(causes(&env, "/value-set-versions")[0], "app_value_set_version_purge");
    assert_eq!(shown(&env, ""), ["LEVEL=info (app)"]);
    for level in ["", "/envs/development"] {
        let all = env.run(&format!("api get {APP_PATH}{level}/value-set-versions")).ok().stdout;
        assert!(!all.contains("oops-12345"), "{all}");
    }
    assert!(!holds(&state(&env), "oops-12345"));
    let failed = env.run(&format!("deploy deploy . . {ENV}")).fails();
    let text = failed.stderr.replace(|c: char| c.is_ascii_hexdigit() && c.is_ascii_digit(), "0");
    assert!(
        text.contains("holds shared value `LEVEL`, which was purged\n  hint: deploy with another version"),
        "{text}"
    );
    env.run(&format!("deploy deploy . . --values-version . {ENV}")).ok();
    assert!(workload(&remote).contains("LEVEL: info"));
    assert!(purge("LEVEL").fails().stderr.contains("is purged already"));
    assert!(purge("NOPE").fails().stderr.contains("is not there"));
    // A value that is still in use goes, too.
    let (latest, _) = versions(&env, "/value-set-versions").remove(0);
    env.run(&format!("api post {APP_PATH}/value-set-versions/{latest}/purge/LEVEL -d {{}}")).ok();
    assert_eq!(shown(&env, ""), Vec::<String>::new());
}

#[test]
fn secrets_are_nowhere_but_sealed_and_references_reach_git() {
    let env = TestEnv::new();
    let remote = shop(&env);
    let mut outputs = String::new();
    let mut run = |arguments: &[&str]| {
        let run = env.run_args(arguments);
        outputs.push_str(&run.stdout);
        outputs.push_str(&run.stderr);
        run
    };
    let made = env.run_with_stdin("create value STORED - --is-secret --app shop -o json -v9", CANARY);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(!made.stdout.contains(CANARY) && !made.stderr.contains(CANARY));
    run(&[
        "create",
        "value",
        "REF",
        "shop/key",
        "--is-secret-ref",
        "--secret-store",
        "vault",
        "--secret-version",
        "3",
        "--app",
        "shop",
    ]);
    run(&["get", "values", "--app", "shop", "-o", "yaml", "-v9"]);
    run(&["api", "get", &format!("{APP_PATH}/value-set-versions"), "-v9"]);
    let variables = "    variables: {KEY: \"${resources.env.REF}\"}\nresources:\n  env: {type: environment}\n";
    env.score("web", variables);
    run(&["score", "deploy", "--app", "shop", "--env", "development", "-v9"]);
    assert!(workload(&remote).contains("shop/key"), "{}", workload(&remote));
    // A stored secret can reach no custom resource, and the plan says so.
    env.score("web", &variables.replace("REF", "STORED"));
    assert_eq!(run(&["score", "deploy", "--app", "shop", "--env", "development", "-v9"]).code, 1);
    assert!(!holds(&state(&env), CANARY));
    // Nor can its text, wherever it comes from; here a Delta has it, which is in the state as it was written.
    env.score("web", &format!("    variables: {{KEY: \"{CANARY}\"}}\n"));
    // At -v9 the request would be shown as it was written.
    let scanned = run(&["score", "deploy", "--app", "shop", "--env", "development", "-v8"]);
    assert!(scanned.stderr.contains("would hold a secret value"), "{}", scanned.stderr);
    assert!(!outputs.contains(CANARY), "{outputs}");
    assert!(!holds(&remote.all_objects(), CANARY));
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// All bytes of the state.
fn state(env: &TestEnv) -> Vec<u8> {
    let directory = env.home().join(".local/share/humctl");
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn a_purged_secret_is_erased_and_a_deleted_one_can_come_back() {
    let env = TestEnv::new();
    shop(&env);
    env.run_with_stdin("create value KEY - --is-secret --app shop", "first-12345").ok();
    let sealed = || {
        let count = env.run("api get /orgs/local/apps/shop/values").ok().json();
        count.as_array().unwrap().iter().map(|value| value["secret_key"].clone()).collect::<Vec<_>>()
    };
    let place = sealed().remove(0);
    let same = env.run_with_stdin(
        "api put /orgs/local/apps/shop/values/KEY -f -",
        "{\"value\": \"first-12345\", \"description\": \"\"}",
    );
    assert_eq!(same.ok().json()["secret_key"], place, "equal secrets are no change");
    env.run("delete value KEY --app shop").ok();
    let (id, _) = versions(&env, "/value-set-versions").remove(1);
    env.run(&format!("api post {APP_PATH}/value-set-versions/{id}/restore/KEY -d {{}}")).ok();
    assert_eq!(sealed(), [place]);
    env.run(&format!("api post {APP_PATH}/value-set-versions/{id}/purge/KEY -d {{}}")).ok();
    let failed = env.run(&format!("api post {APP_PATH}/value-set-versions/{id}/restore/KEY -d {{}}")).fails();
    assert!(failed.stderr.contains("was purged and cannot be restored"), "{}", failed.stderr);
}

#[test]
fn what_a_value_may_be_is_checked() {
    let env = TestEnv::new();
    shop(&env);
    env.run("create value PLAIN x --app shop").ok();
    for (body, expected) in [
        ("{\"key\": \"a b\", \"description\": \"\", \"value\": \"x\"}", "is no Shared Value key"),
        ("{\"key\": \"AA\", \"description\": \"\"}", "neither `value` nor `secret_ref`"),
        ("{\"key\": \"AA\", \"value\": \"x\", \"secret_ref\": {\"store\": \"s\", \"ref\": \"r\"}}", "side by side"),
        ("{\"key\": \"AA\", \"secret_ref\": {\"store\": \"humanitec\", \"ref\": \"r\"}}", "cannot be named"),
        ("{\"key\": \"AA\", \"secret_ref\": {\"ref\": \"r\"}}", "`ref` needs a `store`"),
        ("{\"key\": \"AA\", \"secret_ref\": {\"store\": \"s\"}}", "`store` needs a `ref`"),
        (
            "{\"key\": \"AA\", \"is_secret\": false, \"secret_ref\": {\"store\": \"s\", \"ref\": \"r\"}}",
            "needs `is_secret: true`",
        ),
    ] {
        let failed = env.run_args(&["api", "post", &format!("{APP_PATH}/values"), "-d", body]).fails();
        assert!(failed.stderr.contains("HTTP-400") && failed.stderr.contains(expected), "{body}: {}", failed.stderr);
    }
    let change = |body: &str| env.run_args(&["api", "put", &format!("{APP_PATH}/values/PLAIN"), "-d", body]).fails();
    assert!(change("{\"description\": \"\", \"is_secret\": true}").stderr.contains("cannot change"));
    assert!(change("{\"description\": \"\", \"key\": \"OTHER\"}").stderr.contains("cannot change"));
    assert!(env.run("create value AA x --is-secret-ref --app shop").fails().stderr.contains("--secret-store"));
    assert_eq!(shown(&env, ""), ["PLAIN=x (app)"]);
}

#[test]
fn values_are_manifests_that_read_back() {
    let env = TestEnv::new();
    shop(&env);
    env.write(
        "values.yaml",
        "apiVersion: entity.humanitec.io/v1b1
kind: Value
metadata: {key: LEVEL, app_id: shop}
entity: {value: info, description: verbosity, is_secret: false}
---
apiVersion: entity.humanitec.io/v1b1
kind: SharedValue
metadata: {key: LEVEL, app_id: shop, env_id: development}
entity: {value: debug, description: verbosity}
---
apiVersion: entity.humanitec.io/v1b1
kind: Value
metadata: {key: API_KEY, app_id: shop}
entity: {description: partner key, is_secret: true, secret_ref: {store: team-vault, ref: shop/api-key}}
---
apiVersion: entity.humanitec.io/v1b1
kind: Value
metadata: {key: SEALED, app_id: shop}
entity: {description: \"\", is_secret: true, value: sealed-12345}
",
    );
    assert_eq!(
        env.run("apply -f values.yaml").ok().stdout,
        "Value LEVEL: created\nValue LEVEL: created\nValue API_KEY: created\nValue SEALED: created\n"
    );
    assert_eq!(
        env.run("apply -f values.yaml").ok().stdout,
        "Value LEVEL: unchanged\nValue LEVEL: unchanged\nValue API_KEY: unchanged\nValue SEALED: unchanged\n"
    );
    for words in ["get values --app shop", "get values --app shop --env development", "get value API_KEY --app shop"] {
        for format in ["yaml", "json"] {
            let shown = env.run(&format!("{words} -o {format}")).ok().stdout;
            assert!(!shown.contains("sealed-12345"));
            let again = env.run_with_stdin("apply -f -", &shown).ok().stdout;
            assert!(again.lines().all(|line| line.ends_with(": unchanged")) && !again.is_empty(), "{again}");
        }
    }
    env.write("values.yaml", "apiVersion: entity.humanitec.io/v1b1\nkind: Value\nmetadata: {key: LEVEL, app_id: shop}\nentity: {value: trace, description: verbosity}\n");
    assert_eq!(env.run("update -f values.yaml").ok().stdout, "Value LEVEL: updated\n");
    assert_eq!(env.run("create -f values.yaml").ok().stdout, "Value LEVEL: unchanged\n");
    assert_eq!(shown(&env, "/envs/development")[1], "LEVEL=debug (env)");
    env.run("delete value LEVEL --app shop --env development").ok();
    env.run("delete -f values.yaml").ok();
    env.run("delete -f values.yaml").ok();
    assert!(!env.run("get values --app shop").ok().stdout.contains("LEVEL"));
    env.write(
        "values.yaml",
        "apiVersion: entity.humanitec.io/v1b1\nkind: Value\nmetadata: {key: L, app: shop}\nentity: {valeu: x}\n",
    );
    let failed = env.run("apply -f values.yaml").fails();
    insta::assert_snapshot!(failed.stderr, @"
    Error: values.yaml:3:20: unknown field `app`
      hint: known here are key, app_id, env_id
    Error: values.yaml:4:10: unknown field `valeu`
      hint: did you mean `value`?
    ");
}

#[test]
fn values_that_are_made_at_once_are_all_there() {
    const N: usize = 8;
    let env = TestEnv::new();
    shop(&env);
    env.run("create value BASE x --app shop").ok();
    env.run("create value BASE y --app shop --env development").ok();
    let children: Vec<_> = (0..N).map(|n| env.start(&format!("create value KEY{n} x --app shop"))).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(shown(&env, "/envs/development").len(), N + 1);
    for level in ["", "/envs/development"] {
        let all = env.run(&format!("api get {APP_PATH}{level}/value-set-versions")).ok().json();
        let sizes: Vec<usize> =
            all.as_array().unwrap().iter().map(|version| version["values"].as_object().unwrap().len()).collect();
        // One version a change, each with one value more than the one before.
        assert_eq!(sizes, (1..=N + 1).rev().collect::<Vec<_>>(), "{level}");
    }
}
