//! Everything that the command line asks, and everything that the Orchestrator
//! answers, held against the official description of the API (ruling 38).
//!
//! Between the two stands a tap. What passes it while commands run is checked:
//! path, query, body of the request; status, content type and body of the answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::conformance::document;
use crate::harness::{Exchange, POSTGRES, Server, Tap, TestEnv};
use crate::kinds::every_kind;

/// Paths of ours that the official API does not have.
const EXTENSIONS: &[&str] = &["/actions/check-target"];

/// An operation of the document that a request is for, as `METHOD /template`.
fn operation(document: &Value, method: &str, path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        let is_same = |(part, segment): (&&str, &&str)| part == segment || part.starts_with('{');
        parts.len() == segments.len() && parts.iter().zip(&segments).all(is_same)
    };
    let n_fixed = |template: &&String| template.split('/').filter(|part| !part.starts_with('{')).count();
    let paths = document["paths"].as_object().unwrap().keys();
    let template = paths.filter(|template| fits(template)).max_by_key(n_fixed)?;
    document["paths"][template].get(method.to_lowercase()).map(|_| format!("{method} {template}"))
}

/// Follows a reference within the document.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn misfits(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let root = json!({"components": document["components"], "allOf": [schema]});
    let validator = jsonschema::validator_for(&root).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// What keeps a request from being one of the operation.
fn wrong_request(document: &Value, operation: &Value, exchange: &Exchange) -> Vec<String> {
    let request = &exchange.request;
    let mut found = Vec::new();
    let parameters = operation["parameters"].as_array();
    let known: BTreeSet<&str> = parameters
        .into_iter()
        .flatten()
        .map(|parameter| resolved(document, parameter))
        .filter(|parameter| parameter["in"] == "query")
        .filter_map(|parameter| parameter["name"].as_str())
        .collect();
    let line = request.line();
    let query = line.split_once('?').map(|(_, query)| query).unwrap_or_default();
    for name in query.split('&').filter_map(|part| part.split('=').next()).filter(|name| !name.is_empty()) {
        if !known.contains(name) {
            found.push(format!("there is no query parameter {name}"));
        }
    }
    let content = &operation["requestBody"]["content"];
    let is_yaml = request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-yaml"));
    match content["application/json"].get("schema") {
        _ if is_yaml && content.get("application/x-yaml").is_some() => {}
        _ if is_yaml => found.push("it takes no YAML".to_owned()),
        Some(schema) if !request.body.is_empty() => found.extend(misfits(document, schema, &request.json())),
        Some(_) if operation["requestBody"]["required"] == true => found.push("it asks for a body".to_owned()),
        None if !request.body.is_empty() => found.push("it takes no body".to_owned()),
        _ => {}
    }
    found
}

/// What keeps an answer from being one of the operation.
fn wrong_answer(document: &Value, operation: &Value, exchange: &Exchange) -> Vec<String> {
    let listed = operation["responses"].get(exchange.status.to_string());
    let schema = listed.and_then(|response| resolved(document, response).pointer("/content/application~1json/schema"));
    if exchange.body.is_empty() {
        let is_due = schema.is_some() && exchange.status != 204;
        return if is_due { vec!["the answer is empty".to_owned()] } else { Vec::new() };
    }
    if !exchange.head.contains("content-type: application/json") {
        return vec!["the answer is no JSON by its content type".to_owned()];
    }
    let Ok(body) = serde_json::from_str::<Value>(&exchange.body) else {
        return vec!["the answer is no JSON".to_owned()];
    };
    match schema {
        Some(schema) => misfits(document, schema, &body),
        // A status that the document does not list carries the standard error body.
        None if exchange.status >= 400 => {
            misfits(document, &json!({"$ref": "#/components/schemas/HumanitecErrorResponse"}), &body)
        }
        None => vec![format!("the document lists no status {}", exchange.status)],
    }
}

/// Checks all that has passed; returns the operations that were met.
fn check(document: &Value, exchanges: &[Exchange]) -> BTreeSet<String> {
    let mut met = BTreeSet::new();
    let mut wrong = Vec::new();
    for exchange in exchanges {
        let (method, path) = (&exchange.request.method, &exchange.request.path);
        if EXTENSIONS.iter().any(|extension| path.ends_with(extension)) {
            continue;
        }
        let Some(name) = operation(document, method, path) else {
            wrong.push(format!("{method} {path} is not in the document"));
            continue;
        };
        let template = name.split_once(' ').unwrap().1;
        let description = &document["paths"][template][method.to_lowercase()];
        // A refused request may well be wrong.
        let mut found = if exchange.status < 400 { wrong_request(document, description, exchange) } else { Vec::new() };
        found.extend(wrong_answer(document, description, exchange));
        wrong.extend(found.iter().map(|problem| {
            format!(
                "{} → {}: {problem}\n  > {}\n  < {}",
                exchange.request.line(),
                exchange.status,
                exchange.request.text(),
                exchange.body
            )
        }));
        met.insert(name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    met
}

/// A server with a tap before it, and a machine whose commands go there.
fn tapped() -> (TestEnv, Server, Tap) {
    let mut env = TestEnv::new();
    let server = Server::start(&env, "--no-auth");
    let tap = Tap::before(server.host());
    env.set("HUMANITEC_API_PREFIX", &tap.address).set("HUMANITEC_TOKEN", "some-token").set("HUMANITEC_ORG", "local");
    (env, server, tap)
}

#[test]
fn every_kind_of_manifest_keeps_to_the_official_document() {
    let Some(document) = document() else { return };
    let (env, _server, tap) = tapped();
    every_kind(&env);
    let met = check(&document, &tap.take());
    assert!(met.len() >= 70, "{}: {met:#?}", met.len());
}

#[test]
fn every_command_keeps_to_the_official_document() {
    let Some(document) = document() else { return };
    let (mut env, _server, tap) = tapped();
    let remote = env.remote("r");
    env.shop(&remote, "main").write("postgres.yaml", POSTGRES);
    env.run("apply -f postgres.yaml").ok();
    env.set("HUMANITEC_APP", "shop").set("HUMANITEC_ENV", "development");
    let db = "    variables: {DB: \"${resources.db.host}\"}\nresources:\n  db: {type: postgres}\n";
    env.score("web", db);
    let id = |command: &str| {
        let shown = env.run(command).ok().json();
        shown.get(0).unwrap_or(&shown)["metadata"]["id"].as_str().unwrap().to_owned()
    };
    for command in [
        "get orgs",
        "get app shop",
        "api post /orgs/local/resources/types -d {\"type\":\"local/queue\",\"use\":\"direct\"}",
        "api put /orgs/local/resources/types/local%2Fqueue -d {\"use\":\"direct\",\"category\":\"c\"}",
        "create env staging --type staging",
        "create value KEY text -d d",
        "create value KEY more -d d --env staging",
        "api patch /orgs/local/resources/types/local%2Fqueue -d {\"name\":\"Line\"}",
        "create value SECRET path -d d --is-secret-ref --secret-store st",
        "score validate",
        "score available-resource-types",
        "score deploy --dry-run",
        "score deploy --wait",
        "score deploy --property containers.main.image=busybox:2 --wait",
        "get deploy .",
        "get deploy +1",
        "get deployment-error",
        "get deployment-set .",
        "get sets",
        "get active-resources",
        "resources graph",
        "resources active-resource-usage",
        "resources explain postgres",
        "deploy deploy +1 . --wait",
        "deploy env development staging --wait",
        "create env pr --from development --type development",
        "diff sets deploy/+1 deploy/.",
        "get delta",
        "score deploy --remove --wait",
        "delete value KEY --env staging",
        "delete env staging",
        "doctor",
        "api get /current-user",
        "api put /orgs/local/apps/shop/envs/development/from_deploy_id -d \"1\" --env development",
        "delete app shop",
    ] {
        let run = env.run(command);
        // There is no Deployment `1`.
        assert!(run.code == 0 || command.contains("from_deploy_id"), "{command}: {}", run.stderr);
        if command == "get delta" {
            let delta = id("create delta --name n -o json");
            env.run(&format!("update delta {delta} add /modules/web/spec/labels {{}}"));
            env.run(&format!("get delta {delta}")).ok();
            let set = id("get set . -o json");
            env.run(&format!("deploy set {set} development --wait")).ok();
        }
    }
    let met = check(&document, &tap.take());
    assert!(met.len() >= 35, "{}: {met:#?}", met.len());
}

/// Every operation of the document is served, or refused as one that needs a
/// hosted Orchestrator.
#[test]
fn every_official_operation_is_known() {
    let Some(document) = document() else { return };
    let env = TestEnv::new();
    let server = Server::start(&env, "--no-auth");
    let mut unknown = Vec::new();
    for (template, operations) in document["paths"].as_object().unwrap() {
        let fill = |segment: &str| match segment.strip_prefix('{') {
            None => segment.to_owned(),
            Some("orgId}") => "local".to_owned(),
            Some(_) => "some-id".to_owned(),
        };
        let path = template.split('/').map(fill).collect::<Vec<_>>().join("/");
        for method in operations.as_object().unwrap().keys() {
            if !["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                continue;
            }
            let answer = server.send(&method.to_uppercase(), &path, "", None);
            if answer.status == 405
                || answer.body.contains("there is no such path")
                || answer.status >= 500 && answer.status != 501
            {
                unknown.push(format!("{method} {template}: {} {}", answer.status, answer.body));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}
