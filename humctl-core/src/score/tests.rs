//! Tables of cases: spec/score.md §9 (invalid inputs) and §4 (conversion).

mod corpus;

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

#[test]
fn invalid_inputs_get_their_message() {
    const LABEL: &str = "does not match pattern '^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$'";
    let file = "containers.main.files./a";
    // Row of the table, path, value, location, message.
    let rows: Vec<(&str, &str, Value, &str, &str)> = vec![
        ("1", "apiVersion", Value::Null, "", "missing properties: 'apiVersion'"),
        ("2", "apiVersion", json!("score.sh/v1b1"), "/apiVersion", "does not match pattern '^score\\.dev/v1b1$'"),
        ("3", "metadata", json!({}), "/metadata", "missing properties: 'name'"),
        ("4", "", json!({"metadata": null}), "/metadata", "expected object, but got null"),
        ("5", "metadata.name", json!("a"), "/metadata/name", "length must be >= 2, but got 1"),
        ("6", "metadata.name", json!("my_app"), "/metadata/name", LABEL),
        ("7", "metadata.name", json!("x".repeat(64)), "/metadata/name", "length must be <= 63, but got 64"),
        ("8", "metadata.name", json!(123), "/metadata/name", "expected string, but got number"),
        (
            "9",
            "metadata.annotations",
            json!({"my.key/thing": true}),
            "/metadata/annotations/my.key~1thing",
            "expected string, but got boolean",
        ),
        ("11a", "containers", json!({}), "/containers", "minimum 1 properties allowed, but found 0 properties"),
        ("11b", "containers", json!([]), "/containers", "expected object, but got array"),
        ("12", "containers.Main_1", json!({"image": "x"}), "/containers/Main_1", LABEL),
        ("13", "containers.main", json!({}), "/containers/main", "missing properties: 'image'"),
        ("14", "containers.main.image", json!(""), "/containers/main/image", "length must be >= 1, but got 0"),
        ("15", "invalid", json!(1), "", "additionalProperties 'invalid' not allowed"),
        ("16", "containers.main.ports", json!([]), "/containers/main", "additionalProperties 'ports' not allowed"),
        ("17", "containers.main.command", json!("sh -c"), "/containers/main/command", "expected array, but got string"),
        (
            "18",
            "containers.main.variables.PORT",
            json!(8080),
            "/containers/main/variables/PORT",
            "expected string, but got number",
        ),
        (
            "19",
            "containers.main.variables.A=B",
            json!("x"),
            "/containers/main/variables/A=B",
            "does not match pattern '^[^=]+$'",
        ),
        (
            "20",
            file,
            json!({}),
            "/containers/main/files/~1a",
            "exactly one of content, binaryContent, source is required",
        ),
        (
            "21",
            file,
            json!({"content": "x", "source": "y"}),
            "/containers/main/files/~1a",
            "exactly one of content, binaryContent, source is required",
        ),
        (
            "22",
            file,
            json!({"content": "x", "mode": 420}),
            "/containers/main/files/~1a/mode",
            "expected string, but got number",
        ),
        (
            "23",
            file,
            json!({"content": "x", "mode": "1777"}),
            "/containers/main/files/~1a/mode",
            "does not match pattern '^0?[0-7]{3}$'",
        ),
        (
            "24",
            file,
            json!({"content": "x", "target": "/a"}),
            "/containers/main/files/~1a",
            "additionalProperties 'target' not allowed",
        ),
        (
            "25",
            "containers.main.files",
            json!([{"content": "x"}]),
            "/containers/main/files/0",
            "containers.main.files.0.target: is missing or is not a string",
        ),
        ("26", file, json!({"content": ["x"]}), "/containers/main/files/~1a/content", "expected string, but got array"),
        ("27", file, json!({"source": ""}), "/containers/main/files/~1a/source", "length must be >= 1, but got 0"),
        (
            "29",
            file,
            json!({"binaryContent": "%%"}),
            "/containers/main/files/~1a/binaryContent",
            "failed to decode base64",
        ),
        ("31", "containers.main.volumes./v", json!({}), "/containers/main/volumes/~1v", "missing properties: 'source'"),
        (
            "33",
            "containers.main.volumes./v",
            json!({"source": "x", "readOnly": "yes"}),
            "/containers/main/volumes/~1v/readOnly",
            "expected boolean, but got string",
        ),
        (
            "34",
            "containers.main.resources.limits.cpu",
            json!("0.5m"),
            "/containers/main/resources/limits/cpu",
            "does not match pattern '^\\d+(?:m|\\.\\d+)?$'",
        ),
        (
            "35",
            "containers.main.resources.limits.cpu",
            json!(0.5),
            "/containers/main/resources/limits/cpu",
            "expected string, but got number",
        ),
        (
            "37",
            "containers.main.resources.limits.gpu",
            json!("1"),
            "/containers/main/resources/limits",
            "additionalProperties 'gpu' not allowed",
        ),
        (
            "38",
            "containers.main.livenessProbe",
            json!({}),
            "/containers/main/livenessProbe",
            "missing properties: 'httpGet' or 'exec'",
        ),
        (
            "39a",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/"}),
            "/containers/main/livenessProbe/httpGet",
            "missing properties: 'port'",
        ),
        (
            "39b",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": "http"}),
            "/containers/main/livenessProbe/httpGet/port",
            "expected integer, but got string",
        ),
        (
            "39c",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": 70000}),
            "/containers/main/livenessProbe/httpGet/port",
            "must be <= 65535 but found 70000",
        ),
        (
            "40",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": 1, "scheme": "https"}),
            "/containers/main/livenessProbe/httpGet/scheme",
            "value must be one of \"HTTP\", \"HTTPS\"",
        ),
        (
            "41",
            "containers.main.livenessProbe.exec",
            json!({}),
            "/containers/main/livenessProbe/exec",
            "missing properties: 'command'",
        ),
        (
            "43",
            "containers.main.livenessProbe.httpGet",
            json!({"path": "/", "port": 1, "httpHeaders": [{"name": "X"}]}),
            "/containers/main/livenessProbe/httpGet/httpHeaders/0",
            "missing properties: 'value'",
        ),
        ("44", "service.ports.www", json!({"port": 0}), "/service/ports/www/port", "must be >= 1 but found 0"),
        (
            "45",
            "service.ports.www",
            json!({"port": 1, "protocol": "tcp"}),
            "/service/ports/www/protocol",
            "value must be one of \"TCP\", \"UDP\"",
        ),
        ("46", "service.ports.WWW", json!({"port": 1}), "/service/ports/WWW", LABEL),
        ("47", "service.type", json!("x"), "/service", "additionalProperties 'type' not allowed"),
        ("49", "resources.db", json!({}), "/resources/db", "missing properties: 'type'"),
        ("50", "resources.my_db", json!({"type": "postgres"}), "/resources/my_db", LABEL),
        (
            "51",
            "resources.db.type",
            json!("my-org/s3"),
            "/resources/db/type",
            "does not match pattern '^[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$'",
        ),
        (
            "52",
            "resources.db",
            json!({"type": "s3", "id": "Main"}),
            "/resources/db/id",
            "does not match pattern '^[a-z0-9]+(?:-+[a-z0-9]+)*(?:\\.[a-z0-9]+(?:-+[a-z0-9]+)*)*$'",
        ),
        (
            "53",
            "resources.db",
            json!({"type": "s3", "class": ""}),
            "/resources/db/class",
            "length must be >= 2, but got 0",
        ),
        (
            "54",
            "resources.db",
            json!({"type": "s3", "properties": {}}),
            "/resources/db",
            "additionalProperties 'properties' not allowed",
        ),
        (
            "55",
            "resources.db",
            json!({"type": "s3", "params": []}),
            "/resources/db/params",
            "expected object, but got array",
        ),
        (
            "56",
            "containers.main.before",
            json!({"other": {"ready": "done"}}),
            "/containers/main/before/other/ready",
            "value must be one of \"started\", \"healthy\", \"complete\"",
        ),
        (
            "57",
            "containers.main.before",
            json!({"other": {"ready": "started"}}),
            "/containers/main/before/other",
            "container \"main\" before refers to unknown container \"other\"",
        ),
        (
            "58",
            "containers.main.before",
            json!({"main": {"ready": "started"}}),
            "/containers/main/before/main",
            "container \"main\" has a self-referencing before entry",
        ),
        (
            "61",
            "containers.main.variables.A",
            json!("${cheese.x.y}"),
            "/containers/main/variables/A",
            "placeholder ${cheese.x.y} has unsupported first element of \"cheese\"",
        ),
        (
            "unclosed",
            "containers.main.variables.A",
            json!("${resources.db"),
            "/containers/main/variables/A",
            "a `${` has no closing `}`",
        ),
        (
            "metadata",
            "containers.main.variables.A",
            json!("${metadata.nmae}"),
            "/containers/main/variables/A",
            "invalid ref 'metadata.nmae': key 'nmae' not found",
        ),
        (
            "62",
            "containers.main.variables.A",
            json!("${resources.nope.x}"),
            "/containers/main/variables/A",
            "placeholder ${resources.nope.x} does not resolve to a resource, no resource with name \"nope\"",
        ),
        (
            "63",
            "",
            json!({"containers": {"main": {"image": "x", "volumes": {"/v": {"source": "${resources.db}"}}}}, "resources": {"db": {"type": "postgres"}}}),
            "/containers/main/volumes/~1v/source",
            "placeholder ${resources.db} in source is not of type volume, got postgres",
        ),
        (
            "64",
            "containers.main.files.x",
            json!({"content": "y"}),
            "/containers/main/files/x",
            "\"x\" is not an absolute path",
        ),
    ];
    for (row, path, value, location, message) in rows {
        let found = findings(&with(path, value));
        assert!(found.contains(&(location.to_owned(), message.to_owned())), "row {row}: {found:#?}");
        assert!(score::parse(&object(base())).is_ok());
    }
    let found = findings(&with("containers.main.variables.A", json!("${resources}")));
    assert!(found[0].1.starts_with("placeholder ${resources} is malformed"), "row 60: {found:?}");
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
fn resources_go_where_the_table_says() {
    // Rows of spec/score.md §4 that concern resources: row, resource, where, what, `${resources.x.out}`.
    let rows = [
        (
            "24",
            "{type: redis, class: big}",
            "/modules/demo/externals/x",
            json!({"type": "redis", "class": "big"}),
            "${externals.x.out}",
        ),
        (
            "26",
            "{type: dns, id: backend-dns}",
            "/shared/backend-dns",
            json!({"type": "dns", "class": "default"}),
            "${shared.backend-dns.out}",
        ),
        (
            "27",
            "{type: s3, id: main-s3, class: admin}",
            "/shared/main-s3-class-admin",
            json!({"type": "s3", "class": "admin", "id": "shared.main-s3"}),
            "${shared.main-s3-class-admin.out}",
        ),
        (
            "16",
            "{type: postgres, metadata: {annotations: {score.humanitec.io/resId: externals.other}}}",
            "/modules/demo/externals/other",
            json!({"type": "postgres", "class": "default"}),
            "${externals.other.out}",
        ),
        (
            "21",
            "{type: postgres, metadata: {annotations: {score.humanitec.io/resId: modules.demo.externals.q2}}}",
            "/modules/demo/externals/q2",
            json!({"type": "postgres", "class": "default"}),
            "${externals.q2.out}",
        ),
        (
            "20",
            "{type: postgres, metadata: {annotations: {score.humanitec.io/resId: modules.web.externals.q2}}}",
            "/modules/demo/externals/x",
            Value::Null,
            "${modules.web.externals.q2.out}",
        ),
        (
            "23",
            "{type: redis, class: default, metadata: {annotations: {score.humanitec.io/resId: shared.cache}}}",
            "/shared/cache",
            json!({"type": "redis", "class": "default"}),
            "${shared.cache.out}",
        ),
        ("12", "{type: environment}", "/modules/demo/externals/x", Value::Null, "${values.out}"),
        ("14", "{type: service}", "/modules/demo/externals/x", Value::Null, "${modules.x.service.out}"),
        (
            "38",
            "{type: dns, params: {\"k-${metadata.name}\": true, l: [\"${metadata.name}\"], n: 2}}",
            "/modules/demo/externals/x",
            json!({"type": "dns", "class": "default", "params": {"k-demo": true, "l": ["demo"], "n": 2}}),
            "${externals.x.out}",
        ),
    ];
    for (row, resource, pointer, expected, placeholder) in rows {
        let resource = resource.replace("x:", "xx:");
        let score = format!(
            "metadata: {{name: demo}}\ncontainers: {{main: {{image: i, variables: {{V: \"${{resources.xx.out}}\"}}}}}}\nresources: {{xx: {resource}}}\n"
        );
        let set = converted(&score, |_| {});
        let pointer = pointer.replace("/x", "/xx");
        let placeholder = placeholder.replace(".x.", ".xx.");
        assert_eq!(set.pointer(&pointer).cloned().unwrap_or_default(), expected, "row {row}: {set}");
        assert_eq!(
            set["modules"]["demo"]["spec"]["containers"]["main"]["variables"]["V"],
            json!(placeholder),
            "row {row}"
        );
    }
    let score = "metadata: {name: demo}\ncontainers: {main: {image: i}}\nresources: {xx: {type: s3, metadata: {annotations: {score.humanitec.io/resId: foo.bar}}}}\n";
    assert_eq!(
        converted(score, |_| {}),
        json!(["/resources/xx: invalid resource reference 'foo.bar': not supported."])
    );
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
