//! The state that is asked about: an Application with everything an
//! Organization has, deployed once, so that ids in paths exist.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::conformance::server::Server;

const APP: &str = "/orgs/local/apps/shop";
const ENV: &str = "/orgs/local/apps/shop/envs/development";

/// Fills the server's state; returns ids by the name of the path parameter.
pub(super) fn seed(server: &Server) -> Result<Value> {
    let repository = server.path("gitops.git");
    let made = Command::new("git").args(["init", "--quiet", "--bare"]).arg(&repository).status()?;
    ensure!(made.success(), "cannot make a Git repository");
    let post = |path: &str, body: &Value| server.api("post", path, Some(body));

    // Where deployments go.
    fs::write(server.path("cluster.yaml"), cluster(&format!("file://{}", repository.display())))?;
    server.humctl(&["apply", "-f", "cluster.yaml"])?;
    for id in ["shop", "spare"] {
        post("/orgs/local/apps", &json!({"id": id, "name": id}))?;
        post("/orgs/local/env-types", &json!({"id": format!("{id}-type"), "description": id}))?;
    }
    post("/orgs/local/env-types", &json!({"id": "spare"}))?;
    for id in ["staging", "spare"] {
        post(&format!("{APP}/envs"), &json!({"id": id, "name": id, "type": "staging"}))?;
    }

    // What resources are made of.
    for id in ["queue", "spare"] {
        let schema = json!({"type": "object", "properties": {"values": {"type": "object"}}});
        post(
            "/orgs/local/resources/types",
            &json!({"type": format!("local/{id}"), "name": id, "category": "own", "inputs_schema": {}, "outputs_schema": schema, "use": "direct"}),
        )?;
        post(
            "/orgs/local/resources/drivers",
            &json!({"id": id, "type": "postgres", "target": "driver://humanitec/echo", "inputs_schema": {}, "account_types": [],
                "template": {"host": "db"}}),
        )?;
    }
    let definition = |id: &str| {
        json!({"id": id, "name": id, "type": "postgres", "driver_type": "humanitec/echo",
            "driver_inputs": {"values": {"host": "db.internal", "port": 5432}}, "criteria": [{"class": id}]})
    };
    for id in ["pg-team", "spare"] {
        post("/orgs/local/resources/defs", &definition(id))?;
    }
    let rule = post("/orgs/local/resources/defs/pg-team/criteria", &json!({"app_id": "shop"}))?;
    let patch = json!({"driver_inputs": {"values": {"port": 5433}}});
    server.api("patch", "/orgs/local/resources/defs/pg-team", Some(&patch))?;
    let versions = server.api("get", "/orgs/local/resources/defs/pg-team/versions", None)?;

    // Shared Values and their versions.
    for level in [APP, ENV] {
        for (key, value) in [("LEVEL", "info"), ("NAME", "shop"), ("SPARE", "gone")] {
            let body = json!({"key": key, "value": value, "description": "seeded", "is_secret": false});
            post(&format!("{level}/values"), &body)?;
        }
    }
    let value_versions = |level: &str| server.api("get", &format!("{level}/value-set-versions"), None);
    let (of_app, of_env) = (value_versions(APP)?, value_versions(ENV)?);

    // What is only kept.
    let kept = kept(server)?;

    // One Deployment.
    fs::write(server.path("score.yaml"), SCORE)?;
    server.humctl(&["score", "deploy", "--app", "shop", "--env", "development", "--wait"])?;
    let deployment = server.api("get", &format!("{ENV}/deploys"), None)?[0].clone();
    ensure!(deployment["status"] == "succeeded", "the seeded deployment has not succeeded: {deployment}");
    let deltas = server.api("get", &format!("{APP}/deltas?archived=true"), None)?;
    let deltas_open = server.api("get", &format!("{APP}/deltas"), None)?;
    let first = |list: &Value| list[0]["id"].as_str().map(ToOwned::to_owned);
    let delta = first(&deltas).or_else(|| first(&deltas_open)).context("no Delta was made")?;
    let sets = server.api("get", &format!("{APP}/sets"), None)?;

    let ids = |list: &Value| -> Vec<Value> {
        list.as_array().map(|list| list.iter().map(|one| one["id"].clone()).collect()).unwrap_or_default()
    };
    let set = deployment["set_id"].as_str().context("the deployment has no set")?;
    let resources = server.api("get", &format!("{APP}/sets/{set}/resources"), None)?;
    let mut ids = json!({
        "orgId": ["local"],
        "appId": ["shop"],
        "envId": ["development"],
        "envTypeId": ["shop-type", "development"],
        // Values are put into paths as they are.
        "typeId": ["local%2Fqueue", "postgres"],
        "driverId": ["queue"],
        "defId": ["pg-team", "default-humanitec-base-env"],
        "criteriaId": [rule["id"]],
        "defVersionId": ids(&versions),
        "key": ["LEVEL", "NAME"],
        "app:valueSetVersionId": ids(&of_app),
        "env:valueSetVersionId": ids(&of_env),
        "deltaId": [delta],
        "setId": [set],
        "sourceSetId": ids(&sets),
        "resources": resources,
        "deployId": [deployment["id"]],
        "graphId": [deployment["dependency_graph_id"]],
        // These go together.
        "type": ["workload", "postgres", "postgres.default"],
        "resId": ["modules.web", "modules.web.externals.db", "modules.web.externals.db"],
    });
    for (name, id) in kept {
        ids[name] = json!([id]);
    }
    Ok(ids)
}

/// Makes an object of every kind that is plain data; returns their ids by the
/// name of the path parameter.
fn kept(server: &Server) -> Result<Vec<(&'static str, Value)>> {
    let pem =
        "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL0hZ2V4YW1wbGU=\n-----END PUBLIC KEY-----\n";
    let objects = [
        (
            "accId",
            "/orgs/local/resources/accounts",
            json!({"id": "acc", "name": "A", "type": "aws", "credentials": {"k": "v"}}),
        ),
        ("regId", "/orgs/local/registries", json!({"id": "reg", "registry": "r.example", "type": "public"})),
        ("storeId", "/orgs/local/secretstores", json!({"id": "store", "primary": true, "gcpsm": {"project_id": "p"}})),
        ("classId", "/orgs/local/resources/types/postgres/classes", json!({"id": "small", "description": "Small"})),
        ("agentId", "/orgs/local/agents", json!({"id": "edge", "public_key": pem})),
        ("keyId", "/orgs/local/keys", json!(pem)),
        (
            "profileQid",
            "/orgs/local/workload-profiles",
            json!({"id": "batch", "spec_definition": {}, "workload_profile_chart": {"id": "batch", "version": "1"}}),
        ),
        ("jobId", "/orgs/local/apps/shop/webhooks", json!({"id": "hook", "url": "hooks.example/a"})),
        ("ruleId", "/orgs/local/apps/shop/envs/development/rules", json!({"type": "update"})),
    ];
    let mut ids = Vec::new();
    for (name, path, body) in objects {
        let made = server.api("post", path, Some(&body))?;
        ids.push((name, made["id"].clone()));
    }
    fs::write(
        server.path("pipeline.yaml"),
        "apiVersion: entity.humanitec.io/v1b1\nkind: Pipeline\nmetadata: {id: gated, app_id: shop}\n\
         entity: {name: Gated, on: {deployment_request: {}}, jobs: {}}\n",
    )?;
    server.humctl(&["apply", "-f", "pipeline.yaml"])?;
    ids.push(("pipelineId", json!("gated")));
    Ok(ids)
}
fn cluster(url: &str) -> String {
    format!(
        "apiVersion: entity.humanitec.io/v1b1
kind: Definition
metadata: {{id: git-target}}
entity:
  name: git-target
  type: k8s-cluster
  driver_type: humanitec/k8s-cluster-git
  driver_inputs:
    values:
      url: {url}
      branch: main
      path: \"${{context.app.id}}/${{context.env.id}}\"
  criteria: [{{}}]
"
    )
}

const SCORE: &str = "apiVersion: score.dev/v1b1
metadata: {name: web}
containers:
  main:
    image: busybox
    variables: {DB: \"${resources.db.host}\"}
resources:
  db: {type: postgres}
";
