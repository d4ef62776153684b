//! Every kind of manifest: applied, shown, applied again as it was shown, changed
//! and deleted, with the Orchestrator in the process and behind a server.

use serde_json::{Value, json};

use crate::harness::{Run, Server, TestEnv};

const PEM: &str =
    "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL0hZ2V4YW1wbGU=\n-----END PUBLIC KEY-----\n";

/// A kind: the word for `get`, its metadata, its entity, and what changes it
/// (spec/cli.md §7).
struct Case {
    word: &'static str,
    kind: &'static str,
    metadata: Value,
    entity: Value,
    /// Fields of the entity to change; nothing when it cannot change.
    change: Value,
    /// True when part of it never comes back, so that nobody can tell that it did not change.
    has_secrets: bool,
}

fn case(word: &'static str, kind: &'static str, metadata: Value, entity: Value, change: Value) -> Case {
    Case { word, kind, metadata, entity, change, has_secrets: false }
}

/// In the order in which they depend on each other.
fn cases() -> Vec<Case> {
    let secret = |case: Case| Case { has_secrets: true, ..case };
    vec![
        case(
            "env-type",
            "EnvironmentType",
            json!({"id": "qa"}),
            json!({"description": "Tests"}),
            json!({"description": "More"}),
        ),
        case(
            "resource-type",
            "ResourceType",
            json!({"type": "local/queue"}),
            json!({"name": "Queue", "use": "direct", "category": "messaging", "inputs_schema": {}, "outputs_schema": {}}),
            json!({"name": "Line"}),
        ),
        case(
            "resource-class",
            "ResourceClass",
            json!({"id": "small", "resource_type": "postgres"}),
            json!({"description": "Small"}),
            json!({"description": "Tiny"}),
        ),
        case(
            "driver",
            "Driver",
            json!({"id": "bucket"}),
            json!({"type": "s3", "target": "driver://humanitec/template", "template": {}, "account_types": [], "inputs_schema": {}}),
            json!({"template": {"values": "{}"}}),
        ),
        secret(case(
            "secret-store",
            "SecretStore",
            json!({"id": "team-vault"}),
            json!({"primary": false, "vault": {"url": "https://vault.example", "auth": {"token": "canary-store"}}}),
            json!({"primary": true}),
        )),
        secret(case(
            "account",
            "Account",
            json!({"id": "sandbox"}),
            json!({"name": "Sandbox", "type": "aws-role", "credentials": {"external_id": "canary-account"}}),
            json!({"name": "Sand"}),
        )),
        secret(case(
            "registry",
            "Registry",
            json!({"id": "main-reg"}),
            json!({"registry": "registry.example", "type": "basic", "creds": {"username": "u", "password": "canary-registry"}}),
            json!({"enable_ci": true}),
        )),
        case("key", "Key", json!({}), json!({"key": PEM}), json!(null)),
        case(
            "agent",
            "Agent",
            json!({"id": "edge"}),
            json!({"public_key": PEM, "description": "Edge"}),
            json!({"description": "The edge"}),
        ),
        case(
            "workload-profile",
            "WorkloadProfile",
            json!({"id": "batch"}),
            json!({"spec_definition": {"properties": {}}, "workload_profile_chart": {"id": "batch", "version": "latest"}}),
            json!({"description": "Batch jobs"}),
        ),
        case(
            "def",
            "Definition",
            json!({"id": "pg-dev"}),
            json!({"name": "pg-dev", "type": "postgres", "driver_type": "humanitec/echo", "driver_inputs": {"values": {"host": "db"}}}),
            json!({"name": "pg"}),
        ),
        case(
            "",
            "MatchingCriteria",
            json!({"definition": "pg-dev"}),
            json!({"app_id": "shop", "env_type": "qa"}),
            json!(null),
        ),
        case("app", "Application", json!({"id": "shop"}), json!({"name": "Shop"}), json!({"name": "The shop"})),
        case(
            "env",
            "Environment",
            json!({"id": "staging", "app_id": "shop"}),
            json!({"name": "Staging", "type": "staging"}),
            json!({"name": "Stage"}),
        ),
        case(
            "value",
            "Value",
            json!({"key": "LOG_LEVEL", "app_id": "shop"}),
            json!({"value": "info", "description": "d", "is_secret": false}),
            json!({"value": "debug"}),
        ),
        case(
            "value",
            "Value",
            json!({"key": "API_KEY", "app_id": "shop"}),
            json!({"description": "d", "is_secret": true, "secret_ref": {"store": "team-vault", "ref": "shop/api-key"}}),
            json!({"description": "e"}),
        ),
        case(
            "webhook",
            "Webhook",
            json!({"id": "notify", "app_id": "shop"}),
            json!({
                "url": "hooks.example/shop", "triggers": [{"scope": "deployment", "type": "finished"}],
                "headers": {"Authorization": "Bearer sealed-header"},
            }),
            json!({"disabled": true}),
        ),
        case(
            "rule",
            "AutomationRule",
            json!({"app_id": "shop", "env_id": "development"}),
            json!({"type": "update", "active": true, "match_ref": "refs/heads/main", "artefacts_filter": ["r.example/shop"]}),
            json!(null),
        ),
        case(
            "pipeline",
            "Pipeline",
            json!({"id": "gated", "app_id": "shop"}),
            json!({"name": "Gated", "on": {"deployment_request": {}}, "jobs": {}}),
            json!({"name": "Gate"}),
        ),
        case(
            "pipeline-criteria",
            "PipelineCriteria",
            json!({"app_id": "shop", "pipeline_id": "gated"}),
            json!({"trigger": "deployment_request", "env_type": "production", "deployment_type": "deploy"}),
            json!(null),
        ),
    ]
}

fn manifest(case: &Case, change: Option<&Value>) -> String {
    let mut entity = case.entity.clone();
    for (key, value) in change.and_then(Value::as_object).into_iter().flatten() {
        entity[key] = value.clone();
    }
    json!({"apiVersion": "entity.humanitec.io/v1b1", "kind": case.kind, "metadata": case.metadata, "entity": entity})
        .to_string()
}

fn apply(env: &TestEnv, text: &str) -> String {
    let run: Run = env.run_with_stdin("apply -f - --app shop --env development", text);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{text}");
    run.stdout
}

/// Applies every kind, and shows that what is shown can be applied.
pub(crate) fn every_kind(env: &TestEnv) {
    for case in cases() {
        let made = apply(env, &manifest(&case, None));
        assert!(made.starts_with(&format!("{} ", case.kind)) && made.ends_with(": created\n"), "{made}");
        let again = apply(env, &manifest(&case, None));
        let word = if case.has_secrets { ": updated\n" } else { ": unchanged\n" };
        assert!(again.ends_with(word), "{}: {again}", case.kind);
        if !case.word.is_empty() {
            let scope = "--app shop --env development -o yaml";
            let scope = if case.word == "value" { "--app shop -o yaml" } else { scope };
            let shown = env.run(&format!("get {} {scope}", case.word)).ok().stdout;
            assert!(!shown.contains("canary"), "{shown}");
            let lines = apply(env, &shown);
            assert!(lines.lines().all(|line| line.ends_with(": unchanged")), "{}: {lines}\n{shown}", case.kind);
            let one = case.metadata.get("id").or(case.metadata.get("type")).or(case.metadata.get("key"));
            if let Some(id) = one.and_then(Value::as_str) {
                let shown = env.run(&format!("get {} {id} {scope}", case.word)).ok().stdout;
                assert!(apply(env, &shown).ends_with(": unchanged\n"), "{}: {shown}", case.kind);
            }
            let table = env.run(&format!("get {} --app shop --env development", case.word)).ok().stdout;
            assert!(table.lines().count() > 1, "{table}");
        }
        if case.change.is_object() {
            let changed = apply(env, &manifest(&case, Some(&case.change)));
            assert!(changed.ends_with(": updated\n"), "{}: {changed}", case.kind);
        }
    }
    let all: Vec<String> = cases().iter().map(|case| manifest(case, Some(&case.change))).collect();
    let all = all.join("\n---\n");
    assert!(!apply(env, &all).contains("created"));
    env.write("all.yaml", &all);
    env.run("delete -f all.yaml --app shop --env development").ok();
    // What is gone is fine.
    env.run("delete -f all.yaml --app shop --env development").ok();
    for word in ["app", "account", "agent", "key", "registry", "resource-class", "secret-store", "workload-profile"] {
        assert_eq!(env.run(&format!("get {word} -o json")).ok().stdout, "[]\n", "{word}");
    }
}

#[test]
fn what_get_prints_can_be_applied() {
    let env = TestEnv::new();
    every_kind(&env);
    let state = std::fs::read(env.home().join(".local/share/humctl/state.db")).unwrap();
    let state = String::from_utf8_lossy(&state);
    assert!(!state.contains("canary") && !state.contains("sealed-header"));
}

#[test]
fn what_get_prints_can_be_applied_through_a_server() {
    let mut env = TestEnv::new();
    let server = Server::start(&env, "--no-auth");
    env.set("HUMANITEC_API_PREFIX", &server.address).set("HUMANITEC_TOKEN", "any").set("HUMANITEC_ORG", "local");
    every_kind(&env);
    assert!(server.end().0);
}

#[test]
fn one_object_is_deleted_by_its_id() {
    let env = TestEnv::new();
    let all: Vec<String> = cases().iter().map(|case| manifest(case, None)).collect();
    apply(&env, &all.join("\n---\n"));
    for (word, id) in [
        ("rule", ""),
        ("key", ""),
        ("pipeline-criteria", ""),
        ("pipeline", "gated"),
        ("webhook", "notify"),
        ("agent", "edge"),
        ("registry", "main-reg"),
        ("workload-profile", "batch"),
        ("resource-class", "small"),
        ("secret-store", "team-vault"),
        ("account", "sandbox"),
    ] {
        let get = format!("get {word} --app shop --env development -o json");
        let listed = env.run(&get).ok().json();
        let id = if id.is_empty() { listed[0]["metadata"]["id"].as_str().unwrap() } else { id };
        env.run(&format!("delete {word} {id} --app shop --env development")).ok();
        assert_eq!(env.run(&get).ok().stdout, "[]\n", "{word}");
        let gone = env.run(&format!("delete {word} {id} --app shop --env development")).fails().stderr;
        assert!(gone.contains("does not exist"), "{word}: {gone}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    let manifest = |kind: &str, metadata: Value, entity: Value| {
        json!({"apiVersion": "entity.humanitec.io/v1b1", "kind": kind, "metadata": metadata, "entity": entity})
            .to_string()
    };
    for (kind, metadata, entity, reason) in [
        ("Registry", json!({"id": "reg"}), json!({"registry": "r", "type": "basik"}), "unknown variant `basik`"),
        (
            "Registry",
            json!({"id": "reg"}),
            json!({"registry": "r", "type": "public", "cred": {}}),
            "did you mean `creds`?",
        ),
        ("Registry", json!({"id": "Reg"}), json!({"registry": "r", "type": "public"}), "`Reg` is no id"),
        ("SecretStore", json!({"id": "st"}), json!({"primary": true}), "exactly one of awssm"),
        ("Account", json!({"id": "acc"}), json!({"name": "a", "type": "t"}), "field `credentials` is missing"),
        ("ResourceClass", json!({"id": "small"}), json!({"description": "d"}), "metadata.resource_type is missing"),
        (
            "ResourceClass",
            json!({"id": "small", "resource_type": "nope"}),
            json!({"description": "d"}),
            "resource type `nope` does not exist",
        ),
        (
            "PipelineCriteria",
            json!({"app_id": "shop"}),
            json!({"trigger": "deployment_request"}),
            "metadata.pipeline_id is missing",
        ),
        (
            "PipelineCriteria",
            json!({"app_id": "shop", "pipeline_id": "nope"}),
            json!({"trigger": "deployment_request"}),
            "Pipeline `nope` does not exist",
        ),
        (
            "Webhook",
            json!({"id": "hook", "app_id": "nope"}),
            json!({"url": "h.example"}),
            "application `nope` does not exist",
        ),
        (
            "Webhook",
            json!({"id": "hook", "app_id": "shop"}),
            json!({"url": "https://h.example"}),
            "leave out `https://`",
        ),
        ("Webhook", json!({"id": "hook"}), json!({"url": "h.example"}), "application is required"),
        ("Key", json!({}), json!({"key": "canary"}), "the public key is not in PEM form"),
        ("MatchingCriteria", json!({}), json!({"app_id": "shop"}), "metadata.definition is missing"),
        ("MatchingCriteria", json!({"definition": "nope-def"}), json!({"app_id": "shop"}), "does not exist"),
        (
            "ArtefactVersion",
            json!({}),
            json!({"type": "container", "name": "r/i"}),
            "HTTP-501: not supported by the embedded Orchestrator",
        ),
        ("User", json!({"id": "u1"}), json!({}), "kind `User` is only shown"),
    ] {
        let refused = env.run_with_stdin("apply -f -", &manifest(kind, metadata, entity)).fails().stderr;
        assert!(refused.contains(reason) && !refused.contains("canary"), "{kind}: {refused}");
    }
    // An Account that a Definition names stays.
    let account = json!({"name": "a", "type": "aws", "credentials": {"k": "v"}});
    apply(&env, &manifest("Account", json!({"id": "acc"}), account));
    let definition = json!({"name": "d", "type": "s3", "driver_type": "humanitec/echo", "driver_account": "acc"});
    apply(&env, &manifest("Definition", json!({"id": "s3-def"}), definition));
    let refused = env.run("delete account acc").fails().stderr;
    assert!(refused.contains("is used by resource definition `s3-def`"), "{refused}");
    let changed = env
        .run_with_stdin("apply -f -", &manifest("Account", json!({"id": "acc"}), json!({"name": "a", "type": "gcp"})));
    assert!(changed.fails().stderr.contains("type cannot change"));
}

#[test]
fn there_is_one_primary_secret_store() {
    let env = TestEnv::new();
    for id in ["one", "two"] {
        let store = json!({"id": id, "primary": true, "gcpsm": {"project_id": "p"}}).to_string();
        env.run_args(&["api", "post", "/orgs/local/secretstores", "-d", &store]).ok();
    }
    let stores = env.run("get secret-store -o json").ok().json();
    let primary: Vec<&Value> = stores.as_array().unwrap().iter().map(|store| &store["entity"]["primary"]).collect();
    assert_eq!(primary, [false, true]);
}

#[test]
fn what_needs_a_server_says_so() {
    let env = TestEnv::new();
    env.run("create app shop").ok();
    for word in ["user", "token", "artefact", "artefact-version", "pipeline-run", "audit-log"] {
        let refused = env.run(&format!("get {word}")).fails().stderr;
        assert!(refused.contains("HTTP-501: not supported by the embedded Orchestrator"), "{word}: {refused}");
    }
}
