//! Answers of the embedded Orchestrator against the official description of its API.

use serde_json::{Value, json};

use crate::harness::{Run, TestEnv};

/// The path of an Environment in the document.
const E: &str = "/orgs/{orgId}/apps/{appId}/envs/{envId}";

/// The official document, with `nullable` said in the words of JSON Schema.
#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
pub(crate) fn document() -> Option<Value> {
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

/// Asks the API, and holds status and body against the document. `path` and
/// `template` have the same segments; the answer is returned.
struct Asker<'e> {
    env: &'e TestEnv,
    document: &'e Value,
}

impl Asker<'_> {
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> (String, Run) {
        let body = body.map(Value::to_string);
        let mut arguments = vec!["api", method, path, "-v6"];
        if let Some(body) = &body {
            arguments.extend(["-d", body]);
        }
        let run = self.env.run_args(&arguments);
        let line = format!("{} {path}: ", method.to_uppercase());
        let status = run.stderr.split_once(&line).map(|(_, rest)| rest.chars().take(3).collect());
        (status.unwrap_or_else(|| panic!("no status: {}", run.stderr)), run)
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, template: &str, body: Option<&Value>, expected: &str) -> Value {
        let (status, run) = self.send(method, path, body);
        assert_eq!(status, expected, "{method} {path}: {}{}", run.stdout, run.stderr);
        let response = &self.document["paths"][template][method]["responses"][expected];
        assert!(response.is_object(), "the document has no answer {expected} for {method} {template}");
        if response.get("content").is_none() {
            assert_eq!(run.stdout, "", "{method} {path}");
            return Value::Null;
        }
        // A failure is told on stderr, in other words.
        if expected.starts_with('4') {
            return Value::Null;
        }
        let answer = run.json();
        check(self.document, method, template, expected, &answer);
        answer
    }
}

#[test]
fn the_life_of_a_deployment_fits_the_official_document() {
    const A: &str = "/orgs/{orgId}/apps/{appId}";
    const D: &str = "/orgs/{orgId}/resources/defs/{defId}";
    let Some(document) = document() else { return };
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main");
    let api = Asker { env: &env, document: &document };
    let app = "/orgs/local/apps/shop";
    let dev = format!("{app}/envs/development");
    let text = |value: &Value, key: &str| value[key].as_str().unwrap().to_owned();

    // Definitions and their versions.
    let definition = json!({"id": "pg-team", "name": "pg", "type": "postgres", "driver_type": "humanitec/echo",
        "driver_inputs": {"values": {"host": "db"}, "secrets": {"b": "${resources.config#x.outputs.b}"}},
        "provision": {"dns#x": {}}});
    api.ask("post", "/orgs/local/resources/defs", "/orgs/{orgId}/resources/defs", Some(&definition), "200");
    let def = "/orgs/local/resources/defs/pg-team";
    let patch = json!({"driver_inputs": {"values": {"port": 1}}});
    let patched = api.ask("patch", def, D, Some(&patch), "200");
    api.ask("patch", def, D, Some(&json!({"name": "new", "proposed": true})), "200");
    api.ask("patch", &def.replace("pg-team", "nope"), D, Some(&patch), "404");
    let versions = api.ask("get", &format!("{def}/versions"), &format!("{D}/versions"), None, "200");
    assert_eq!(versions.as_array().unwrap().len(), 3);
    let (proposed, first) = (text(&versions[0], "id"), text(&versions[2], "id"));
    let version = |id: &str, rest: &str| format!("{def}/versions/{id}{rest}");
    let template = |rest: &str| format!("{D}/versions/{{defVersionId}}{rest}");
    api.ask("get", &version(&proposed, ""), &template(""), None, "200");
    api.ask("get", &version("nope", ""), &template(""), None, "404");
    let archive = template("/actions/archive");
    api.ask("post", &version(&first, "/actions/archive"), &archive, Some(&json!({"archived": true})), "204");
    api.ask("post", &version("nope", "/actions/archive"), &archive, Some(&json!({})), "404");
    let active = text(&patched, "active_version_id");
    api.ask("post", &version(&active, "/actions/archive"), &archive, Some(&json!({})), "400");
    let promote = template("/actions/promote");
    api.ask("post", &version(&proposed, "/actions/promote"), &promote, None, "204");
    api.ask("post", &version(&first, "/actions/promote"), &promote, None, "400");
    api.ask(
        "get",
        "/orgs/local/resources/defs/default-humanitec-base-env/versions",
        &format!("{D}/versions"),
        None,
        "200",
    );

    // Deltas and sets.
    let module = json!({"profile": "humanitec/default-module", "spec": {"containers": {"main": {"id": "main", "image": "busybox"}}}});
    let body = json!({"metadata": {"name": "n"}, "modules": {"add": {"web": module}}});
    let delta = api.ask("post", &format!("{app}/deltas"), &format!("{A}/deltas"), Some(&body), "200");
    let path = format!("{app}/deltas/{}", text(&delta, "id"));
    let (template, missing) = (format!("{A}/deltas/{{deltaId}}"), format!("{app}/deltas/123"));
    api.ask("get", &path, &template, None, "200");
    api.ask("get", &missing, &template, None, "404");
    api.ask("patch", &path, &template, Some(&json!([{"shared": []}, {"modules": {"remove": ["old"]}}])), "200");
    api.ask("patch", &path, &template, Some(&json!({})), "400");
    api.ask("patch", &missing, &template, Some(&json!([])), "404");
    api.ask("put", &path, &template, Some(&body), "204");
    api.ask("put", &missing, &template, Some(&body), "404");
    for (field, value) in [("archived", json!(false)), ("env_id", json!("development")), ("name", json!("other"))] {
        let template = format!("{template}/metadata/{field}");
        api.ask("put", &format!("{path}/metadata/{field}"), &template, Some(&value), "204");
        api.ask("put", &format!("{missing}/metadata/{field}"), &template, Some(&value), "404");
        api.ask("put", &format!("{path}/metadata/{field}"), &template, Some(&json!({})), "400");
    }
    let empty = "0".repeat(43);
    let (set_path, set) = (|id: &str| format!("{app}/sets/{id}"), format!("{A}/sets/{{setId}}"));
    let made = api.ask("post", &set_path(&empty), &set, Some(&body), "200");
    let made = made.as_str().unwrap();
    api.ask(
        "post",
        &set_path(&empty),
        &set,
        Some(&json!({"modules": {"update": {"x": [{"op": "remove", "path": "/spec/y"}]}}})),
        "400",
    );
    api.ask("post", &set_path("123"), &set, Some(&body), "404");
    api.ask("get", &format!("{}?diff={empty}", set_path(made)), &set, None, "200");
    api.ask("get", &set_path("123"), &set, None, "404");
    api.ask("get", &format!("{}/resources", set_path(made)), &format!("{set}/resources"), None, "200");
    api.ask("get", &format!("{}/resources", set_path("123")), &format!("{set}/resources"), None, "404");
    api.ask("get", &format!("{}/diff/{empty}", set_path(made)), &format!("{set}/diff/{{sourceSetId}}"), None, "200");
    api.ask("get", &format!("{}/diff/123", set_path(made)), &format!("{set}/diff/{{sourceSetId}}"), None, "404");

    // Shared Values, at both levels.
    for (level, template) in [(app.to_owned(), A), (dev.clone(), E)] {
        let (values, versions) = (format!("{level}/values"), format!("{level}/value-set-versions"));
        let (values_t, versions_t) = (format!("{template}/values"), format!("{template}/value-set-versions"));
        let body = |key: &str| json!({"key": key, "value": "info", "description": "d", "is_secret": false});
        api.ask("post", &values, &values_t, Some(&body("LEVEL")), "201");
        let secret = json!({"key": "KEY", "description": "d", "is_secret": true, "value": "sealed-12345"});
        api.ask("post", &values, &values_t, Some(&secret), "201");
        let reference =
            json!({"key": "REF", "description": null, "is_secret": true, "secret_ref": {"store": "s", "ref": "r"}});
        api.ask("post", &values, &values_t, Some(&reference), "201");
        api.ask("post", &values, &values_t, Some(&body("LEVEL")), "409");
        api.ask("post", &values, &values_t, Some(&body("a b")), "400");
        api.ask("get", &values, &values_t, None, "200");
        let (key, key_t) = (format!("{values}/LEVEL"), format!("{values_t}/{{key}}"));
        api.ask("put", &key, &key_t, Some(&json!({"value": "debug", "description": "d"})), "200");
        api.ask("put", &key, &key_t, Some(&json!({"description": "d", "is_secret": true})), "400");
        api.ask("put", &format!("{values}/NOPE"), &key_t, Some(&json!({"description": "d"})), "404");
        api.ask("patch", &key, &key_t, Some(&json!({"description": "new"})), "200");
        api.ask("patch", &format!("{values}/NOPE"), &key_t, Some(&json!({})), "404");
        let listed = api.ask("get", &versions, &versions_t, None, "200");
        api.ask("get", &format!("{versions}?key_changed=KEY"), &versions_t, None, "200");
        let (version, version_t) =
            (|id: &str| format!("{versions}/{id}"), format!("{versions_t}/{{valueSetVersionId}}"));
        let id = text(&listed[1], "id");
        api.ask("get", &version(&id), &version_t, None, "200");
        api.ask("get", &version("nope"), &version_t, None, "404");
        let comment = json!({"comment": "c"});
        let action = |id: &str, rest: &str| format!("{}/{rest}", version(id));
        let action_t = |rest: &str| format!("{version_t}/{rest}");
        api.ask("post", &action(&id, "restore"), &action_t("restore"), Some(&comment), "200");
        api.ask("post", &action("nope", "restore"), &action_t("restore"), Some(&comment), "404");
        api.ask("post", &action(&id, "restore/LEVEL"), &action_t("restore/{key}"), Some(&json!({})), "200");
        api.ask("post", &action(&id, "restore/NOPE"), &action_t("restore/{key}"), Some(&json!({})), "400");
        let first = text(&listed.as_array().unwrap()[listed.as_array().unwrap().len() - 1], "id");
        api.ask("post", &action(&first, "purge/LEVEL"), &action_t("purge/{key}"), Some(&comment), "204");
        api.ask("post", &action(&first, "purge/LEVEL"), &action_t("purge/{key}"), Some(&comment), "400");
        api.ask("post", &action("nope", "purge/LEVEL"), &action_t("purge/{key}"), Some(&comment), "404");
        api.ask("get", &versions, &versions_t, None, "200");
    }
    for (level, template) in [(dev.clone(), E), (app.to_owned(), A)] {
        let (values, values_t) = (format!("{level}/values"), format!("{template}/values"));
        api.ask("delete", &format!("{values}/REF"), &format!("{values_t}/{{key}}"), None, "204");
        api.ask("delete", &format!("{values}/REF"), &format!("{values_t}/{{key}}"), None, "404");
        api.ask("delete", &values, &values_t, None, "204");
    }

    // Deployments, rebases and Active Resources.
    api.ask("put", &format!("{def}/criteria"), &format!("{D}/criteria"), Some(&json!([{}])), "200");
    let values = api.ask(
        "post",
        &format!("{app}/values"),
        &format!("{A}/values"),
        Some(&json!({"key": "K", "value": "v", "description": ""})),
        "201",
    );
    assert_eq!(values["source"], "app");
    let deploys = format!("{E}/deploys");
    let deploy = |body: &Value, status: &str| api.ask("post", &format!("{dev}/deploys"), &deploys, Some(body), status);
    deploy(&json!({"delta_id": "123"}), "400");
    deploy(&json!({"mode": "half"}), "400");
    deploy(&json!({"value_set_version_id": "123"}), "400");
    api.ask("post", &format!("{app}/envs/nope/deploys"), &deploys, Some(&json!({})), "404");
    let first = deploy(&json!({"set_id": made, "mode": "incremental", "value_set_version_id": null}), "201");
    assert!(first["value_set_version_id"].is_string());
    api.ask("get", &format!("{dev}/deploys?pipelineRunId=a,b"), &deploys, None, "200");
    let rebase = format!("{E}/from_deploy_id");
    api.ask("put", &format!("{dev}/from_deploy_id"), &rebase, Some(&first["id"]), "204");
    api.ask("put", &format!("{dev}/from_deploy_id"), &rebase, Some(&json!("123")), "400");
    api.ask("put", &format!("{app}/envs/nope/from_deploy_id"), &rebase, Some(&first["id"]), "404");
    let resources = format!("{E}/resources");
    api.ask("get", &format!("{dev}/resources?scheduled_deletion=false"), &resources, None, "200");
    let one = |rest: &str| format!("{dev}/resources/workload/modules.web{rest}");
    let one_t = |rest: &str| format!("{resources}/{{type}}/{{resId}}{rest}");
    let pin = json!({"target_def_version_id": null});
    api.ask("post", &one("/actions/pin"), &one_t("/actions/pin"), Some(&pin), "200");
    api.ask("post", &one("/actions/pin"), &one_t("/actions/pin"), Some(&json!({})), "400");
    api.ask("post", &one("x/actions/pin"), &one_t("/actions/pin"), Some(&pin), "404");
    api.ask("delete", &one(""), &one_t(""), None, "409");
    deploy(&json!({"set_id": empty}), "201");
    api.ask("delete", &one(""), &one_t(""), None, "202");
    api.ask("delete", &one("?detach=true"), &one_t(""), None, "204");
    api.ask("delete", &one(""), &one_t(""), None, "404");
    api.ask("get", &dev, E, None, "200");

    // What is in use is not deleted without force.
    let git = "/orgs/local/resources/defs/git-target";
    api.ask("delete", git, D, None, "409");
    let used = env.run_args(&["api", "delete", git]);
    assert!(used.stderr.contains("which nothing else matches"), "{}", used.stderr);
    let rule = text(&env.run(&format!("api get {git}")).ok().json()["criteria"][0], "id");
    let criteria = format!("{D}/criteria/{{criteriaId}}");
    api.ask("delete", &format!("{git}/criteria/{rule}"), &criteria, None, "409");
    api.ask("delete", &format!("{git}/criteria/{rule}?force=true"), &criteria, None, "204");
    api.ask("delete", &format!("{git}?force=true"), D, None, "204");
    api.ask("get", git, D, None, "404");
    api.ask("get", &format!("{git}?deleted=true"), D, None, "200");
    api.ask("get", "/orgs/local/resources/defs?deleted=true", "/orgs/{orgId}/resources/defs", None, "200");
    api.ask("get", &format!("{git}/versions?deleted=true"), &format!("{D}/versions"), None, "200");
}

#[test]
fn the_resources_of_a_set_plan_to_the_graph_that_was_deployed() {
    let Some(document) = document() else { return };
    let env = TestEnv::new();
    let remote = env.remote("r");
    env.shop(&remote, "main").write(
        "defs.yaml",
        "apiVersion: entity.humanitec.io/v1b1\nkind: Definition\nmetadata: {id: s3-any}\nentity:\n  name: s3-any\n  type: s3\n  \
         driver_type: humanitec/terraform\n  criteria: [{}, {class: admin}]\n",
    );
    env.run("apply -f defs.yaml").ok();
    env.score(
        "web",
        "    variables: {A: \"${resources.own.bucket}\", B: \"${resources.ours.bucket}\"}\nresources:\n  own: {type: s3}\n  \
         ours: {type: s3, class: admin, id: main}\n",
    );
    env.deploy().ok();
    let api = Asker { env: &env, document: &document };
    let dev = "/orgs/local/apps/shop/envs/development";
    let set = env.run("get deployment-set . --app shop --env development -o json").ok().json();
    let set = format!("/orgs/local/apps/shop/sets/{}/resources", set["metadata"]["id"].as_str().unwrap());
    let inputs = api.ask("get", &set, "/orgs/{orgId}/apps/{appId}/sets/{setId}/resources", None, "200");
    let path = format!("{dev}/resources/graphs");
    let planned = api.ask("post", &path, &format!("{E}/resources/graphs"), Some(&inputs), "200");
    let nodes =
        api.ask("post", &format!("{dev}/resources/graph"), &format!("{E}/resources/graph"), Some(&inputs), "200");
    assert_eq!(planned["nodes"], nodes);
    let deployed = env.run("resources graph --app shop --env development -o json").ok().json();
    let ids = |nodes: &Value| -> Vec<Value> {
        let nodes = nodes.as_array().unwrap().iter();
        nodes.map(|node| json!([node["guresid"], node["depends_on"], node["def_id"]])).collect()
    };
    let mut expected = ids(&deployed["nodes"]);
    expected.retain(|node| node[2] != "default-humanitec-base-env");
    assert_eq!(ids(&nodes), expected);
    let id = planned["id"].as_str().unwrap();
    let stored = api.ask("get", &format!("{path}/{id}"), &format!("{E}/resources/graphs/{{graphId}}"), None, "200");
    assert_eq!(stored["hash"], planned["hash"]);
    let unknown = json!([{"id": "shared.x", "type": "amqp"}]);
    api.ask("post", &path, &format!("{E}/resources/graphs"), Some(&unknown), "400");
    assert_eq!(remote.n_commits("main"), 1, "planning writes nothing");
}
