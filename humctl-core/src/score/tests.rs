//! Tables of cases: spec/score.md §9 (invalid inputs), §4 (conversion) and §10
//! (edge cases).

mod conversion;
mod corpus;
mod edge;
mod invalid;

use humctl_api_types::deployment::ConvertScore;
use serde_json::{Map, Value, json};

use crate::score::convert::convert;
use crate::score::{self, Level};
use crate::yaml;

/// A valid file in which a case replaces or removes one value.
fn base() -> Value {
    json!({
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "demo"},
        "containers": {"main": {"image": "busybox"}},
    })
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn with(path: &str, value: Value) -> Map<String, Value> {
    let mut document = object(base());
    if path.is_empty() {
        for (key, value) in object(value) {
            document.insert(key, value);
        }
    } else {
        score::merge::set_property(&mut document, path, &value).unwrap();
    }
    document
}

fn findings(document: &Map<String, Value>) -> Vec<(String, String)> {
    let found = match score::parse(document) {
        Ok((_, findings)) | Err(findings) => findings,
    };
    found.into_iter().map(|finding| (finding.pointer, finding.message)).collect()
}

fn converted(score_yaml: &str, change: impl FnOnce(&mut ConvertScore)) -> Value {
    let head = "apiVersion: score.dev/v1b1\n";
    let document = yaml::parse_documents(&format!("{head}{score_yaml}")).unwrap().remove(0);
    let mut request = ConvertScore { spec: object(document), ..ConvertScore::default() };
    change(&mut request);
    match convert(&request) {
        Ok(set) => serde_json::to_value(set).unwrap(),
        Err(findings) => json!(findings.iter().map(ToString::to_string).collect::<Vec<_>>()),
    }
}

#[test]
fn the_worked_sample_converts_as_documented() {
    // spec/score.md §4.1, with annotations kept on the pod (our choice).
    let score = r#"
metadata: {name: shop, annotations: {team.example/owner: core}}
service: {ports: {www: {port: 80, targetPort: 8080}}}
containers:
  web:
    image: .
    args: ["--dir", "/srv"]
    variables:
      MODE: fast
      DB_HOST: ${resources.db.host}
      DB_URL: postgres://${resources.db.username}:${resources.db.password}@${resources.db.host}
    files: {/etc/shop/app.conf: {mode: "0640", content: "host=${resources.db.host}\n"}}
    volumes: {/cache: {source: "${resources.tmp}"}}
    readinessProbe: {httpGet: {path: /ok, port: 8080}}
resources: {db: {type: postgres}, tmp: {type: volume}}
"#;
    let expected = json!({"modules": {"shop": {"profile": "humanitec/default-module",
      "spec": {"annotations": {"humanitec.io/managed-by": "score-humanitec"},
       "pod": {"annotations": {"team.example/owner": "core"}},
       "containers": {"web": {"id": "web", "image": "repo/shop:1", "args": ["--dir", "/srv"],
        "variables": {"MODE": "fast", "DB_HOST": "${externals.db.host}",
         "DB_URL": "postgres://${externals.db.username}:${externals.db.password}@${externals.db.host}"},
        "files": {"/etc/shop/app.conf": {"mode": "0640", "value": "host=${externals.db.host}\n"}},
        "volume_mounts": {"/cache": {"id": "externals.tmp", "sub_path": "", "read_only": false}},
        "readiness_probe": {"type": "http", "path": "/ok", "port": 8080}}},
       "service": {"ports": {"www": {"protocol": "TCP", "service_port": 80, "container_port": 8080}}}},
      "externals": {"db": {"type": "postgres", "class": "default"}, "tmp": {"type": "volume", "class": "default"}}}},
      "shared": {}});
    assert_eq!(converted(score, |request| request.image = Some("repo/shop:1".to_owned())), expected);
}

#[test]
fn an_extension_file_wins_over_the_score_file() {
    let score = "metadata: {name: demo}\ncontainers: {main: {image: i, variables: {A: s}}}\n";
    let set = converted(score, |request| {
        request.extensions = Some(object(json!({
            "apiVersion": "humanitec.org/v1b1",
            "profile": "test-org/test-module",
            "spec": {
                "containers": {"main": {"variables": {"A": "e"}}, "side": {"image": "j"}},
                "pod": {"annotations": {"b": "$${context.env.id}"}},
                "annotations": {"humanitec.io/managed-by": "me"},
            },
            "deploy": {"when": "before", "success": "complete", "timeout": 60},
        })));
    });
    let module = &set["modules"]["demo"];
    assert_eq!(module["profile"], "test-org/test-module");
    assert_eq!(module["spec"]["containers"]["main"]["variables"]["A"], "e");
    assert_eq!(module["spec"]["containers"]["side"]["image"], "j");
    assert_eq!(module["spec"]["pod"]["annotations"]["b"], "${context.env.id}");
    assert_eq!(module["spec"]["annotations"]["humanitec.io/managed-by"], "score-humanitec");
    assert_eq!(module["deploy"], json!({"when": "before", "success": "complete", "timeout": 60}));
    let bad = converted(score, |request| {
        request.extensions = Some(object(json!({"apiVersion": "x", "spec": [], "nope": 1, "deploy": {"when": "now"}})));
    });
    assert_eq!(bad.as_array().unwrap().len(), 4, "{bad}");
}

#[test]
fn everything_wrong_is_found_at_once_in_order() {
    let mut document = with("containers.main.variables.A", json!("${nope.x}"));
    document.remove("apiVersion");
    document.insert("servce".to_owned(), json!({}));
    let found = findings(&document);
    assert_eq!(
        found.iter().map(|(_, message)| message.as_str()).collect::<Vec<_>>(),
        [
            "additionalProperties 'servce' not allowed",
            "missing properties: 'apiVersion'",
            "placeholder ${nope.x} has unsupported first element of \"nope\"",
        ]
    );
    let warned = score::parse(&with("containers.main.variables.A", json!("${values.X}"))).unwrap().1;
    assert_eq!(warned[0].level, Level::Warning);
}
