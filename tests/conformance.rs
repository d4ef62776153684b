//! Answers of the embedded Orchestrator against the official description of its API.

use serde_json::{Value, json};

use crate::harness::TestEnv;

/// The path of an Environment in the document.
const E: &str = "/orgs/{orgId}/apps/{appId}/envs/{envId}";

/// The official document, with `nullable` said in the words of JSON Schema.
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn document() -> Option<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/openapi.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared/data/openapi.json not present");
        return None;
    };
    let mut document: Value = serde_json::from_str(&text).unwrap();
    allow_null(&mut document);
    Some(document)
}

fn allow_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        Value::Object(object) => {
            object.values_mut().for_each(allow_null);
            if object.get("nullable") == Some(&json!(true))
                && let Some(Value::String(kind)) = object.get("type").cloned()
            {
                object.insert("type".to_owned(), json!([kind, "null"]));
            }
        }
        _ => {}
    }
}

/// What keeps an answer from fitting the schema of a path's response.
#[track_caller]
fn misfits(document: &Value, method: &str, path: &str, status: &str, answer: &Value) -> Vec<String> {
    let schema = &document["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "the document has no answer {status} for {method} {path}");
    let root = json!({"components": document["components"], "allOf": [schema]});
    let validator = jsonschema::validator_for(&root).unwrap();
    validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[track_caller]
fn check(document: &Value, method: &str, path: &str, status: &str, answer: &Value) {
    let errors = misfits(document, method, path, status, answer);
    assert!(errors.is_empty(), "{method} {path}: {errors:#?}\n{answer:#}");
}

#[test]
fn every_answer_fits_the_official_document() {
    let Some(document) = document() else { return };
    let env = TestEnv::new();
    let remote = env.remote("r");
    let post = |path: &str, body: &str| env.run_args(&["api", "post", path, "-d", body]).ok().json();
    let app = post("/orgs/local/apps", "{\"id\": \"shop\", \"name\": \"Shop\"}");
    check(&document, "post", "/orgs/{orgId}/apps", "201", &app);
    // The check itself can fail.
    assert_eq!(misfits(&document, "post", "/orgs/{orgId}/apps", "201", &json!({"id": 1})).len(), 8);
    env.git_cluster(&remote.url(), "      branch: main\n");
    let definition = "{\"id\": \"pg-def\", \"name\": \"pg\", \"type\": \"postgres\", \"driver_type\": \"humanitec/echo\", \
        \"driver_inputs\": {\"values\": {\"host\": \"db\"}, \"secrets\": {\"b\": \"${resources.config#x.outputs.b}\"}}, \
        \"provision\": {\"dns#x\": {}}, \"criteria\": [{\"app_id\": \"shop\"}]}";
    let made = post("/orgs/local/resources/defs", definition);
    check(&document, "post", "/orgs/{orgId}/resources/defs", "200", &made);
    env.run("delete def pg-def").ok();
    let made = post("/orgs/local/apps/shop/envs", "{\"id\": \"qa\", \"name\": \"QA\", \"type\": \"staging\"}");
    check(&document, "post", "/orgs/{orgId}/apps/{appId}/envs", "201", &made);
    let made = post("/orgs/local/env-types", "{\"id\": \"test\", \"description\": \"Tests\"}");
    check(&document, "post", "/orgs/{orgId}/env-types", "201", &made);
    let score = "{\"spec\": {\"apiVersion\": \"score.dev/v1b1\", \"metadata\": {\"name\": \"web\"}, \
        \"containers\": {\"main\": {\"image\": \"busybox\"}}}}";
    let set = post("/orgs/local/artefact-versions/convert-score", score);
    check(&document, "post", "/orgs/{orgId}/artefact-versions/convert-score", "200", &set);
    let body = json!({"metadata": {"env_id": "development", "name": "n"}, "modules": {"add": set["modules"]}});
    let delta = post("/orgs/local/apps/shop/deltas", &body.to_string());
    check(&document, "post", "/orgs/{orgId}/apps/{appId}/deltas", "200", &delta);
    let environment = "/orgs/local/apps/shop/envs/development";
    let body = json!({"delta_id": delta["id"], "comment": "c"}).to_string();
    let deployment = post(&format!("{environment}/deploys"), &body);
    check(&document, "post", &format!("{E}/deploys"), "201", &deployment);
    let deployment =
        env.run(&format!("api get {environment}/deploys/{}", deployment["id"].as_str().unwrap())).ok().json();
    assert_eq!(deployment["status"], "succeeded");

    let set_id = deployment["set_id"].as_str().unwrap();
    let graph_id = deployment["dependency_graph_id"].as_str().unwrap();
    for (path, template) in [
        ("/current-user".to_owned(), "/current-user".to_owned()),
        ("/orgs".to_owned(), "/orgs".to_owned()),
        ("/orgs/local".to_owned(), "/orgs/{orgId}".to_owned()),
        ("/orgs/local/env-types".to_owned(), "/orgs/{orgId}/env-types".to_owned()),
        ("/orgs/local/env-types/test".to_owned(), "/orgs/{orgId}/env-types/{envTypeId}".to_owned()),
        ("/orgs/local/resources/types".to_owned(), "/orgs/{orgId}/resources/types".to_owned()),
        ("/orgs/local/resources/drivers".to_owned(), "/orgs/{orgId}/resources/drivers".to_owned()),
        ("/orgs/local/resources/defs".to_owned(), "/orgs/{orgId}/resources/defs".to_owned()),
        ("/orgs/local/resources/defs/git-target".to_owned(), "/orgs/{orgId}/resources/defs/{defId}".to_owned()),
        (
            "/orgs/local/resources/defs/git-target/resources".to_owned(),
            "/orgs/{orgId}/resources/defs/{defId}/resources".to_owned(),
        ),
        ("/orgs/local/apps".to_owned(), "/orgs/{orgId}/apps".to_owned()),
        ("/orgs/local/apps/shop".to_owned(), "/orgs/{orgId}/apps/{appId}".to_owned()),
        ("/orgs/local/apps/shop/envs".to_owned(), "/orgs/{orgId}/apps/{appId}/envs".to_owned()),
        ("/orgs/local/apps/shop/deltas".to_owned(), "/orgs/{orgId}/apps/{appId}/deltas".to_owned()),
        ("/orgs/local/apps/shop/sets".to_owned(), "/orgs/{orgId}/apps/{appId}/sets".to_owned()),
        (format!("/orgs/local/apps/shop/sets/{set_id}"), "/orgs/{orgId}/apps/{appId}/sets/{setId}".to_owned()),
        (environment.to_owned(), E.to_owned()),
        (format!("{environment}/deploys"), format!("{E}/deploys")),
        (format!("{environment}/deploys/{}", deployment["id"].as_str().unwrap()), format!("{E}/deploys/{{deployId}}")),
        (format!("{environment}/resources"), format!("{E}/resources")),
        (format!("{environment}/resources/graphs/{graph_id}"), format!("{E}/resources/graphs/{{graphId}}")),
    ] {
        let answer = env.run(&format!("api get {path}")).ok().json();
        check(&document, "get", &template, "200", &answer);
    }

    std::fs::remove_dir_all(&remote.path).unwrap();
    env.score("web", "    variables: {A: b}\n").deploy().fails();
    let failed = env.run("get deploy . --app shop --env development -o json").ok().json();
    let id = failed["metadata"]["id"].as_str().unwrap();
    let errors = env.run(&format!("api get {environment}/deploys/{id}/errors")).ok().json();
    check(&document, "get", &format!("{E}/deploys/{{deployId}}/errors"), "200", &errors);
}
