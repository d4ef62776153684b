//! The conversion cases of spec/score.md §4, one row a case.

use humctl_api_types::deployment::ConvertScore;
use serde_json::{Value, json};

use super::converted;
use crate::score::merge::parse_property;
use crate::yaml;

/// A row of the table: its number, the Score file without its first line, what
/// else is given, and JSON pointers into the set with what stands there; null
/// where nothing may stand.
struct Case {
    row: &'static str,
    score: String,
    given: Given,
    expected: Vec<(&'static str, Value)>,
}

/// What comes beside a Score file.
#[derive(Default)]
struct Given {
    extensions: &'static str,
    properties: &'static [&'static str],
    image: Option<&'static str>,
}

/// A Workload `demo` with one container `main`: its parts, and the resources.
fn demo(container: &str, resources: &str) -> String {
    let comma = if container.is_empty() { "" } else { ", " };
    format!(
        "metadata: {{name: demo}}\ncontainers: {{main: {{image: x{comma}{container}}}}}\nresources: {{{resources}}}\n"
    )
}

fn case(row: &'static str, score: impl Into<String>, expected: Vec<(&'static str, Value)>) -> Case {
    Case { row, score: score.into(), given: Given::default(), expected }
}

fn given(row: &'static str, score: impl Into<String>, given: Given, expected: Vec<(&'static str, Value)>) -> Case {
    Case { row, score: score.into(), given, expected }
}

const MAIN: &str = "/modules/demo/spec/containers/main";
const VALUE: &str = "/modules/demo/spec/containers/main/variables/V";
const EXTERNALS: &str = "/modules/demo/externals";
const FILE: &str = "/modules/demo/spec/containers/main/files/~1f";

fn variable(text: &str) -> String {
    format!("variables: {{V: {}}}", json!(text))
}

fn extension(extensions: &'static str) -> Given {
    Given { extensions, ..Given::default() }
}

#[test]
fn every_row_of_the_table_converts_as_it_says() {
    let res_id = |id: &str| format!("metadata: {{annotations: {{score.humanitec.io/resId: {id}}}}}");
    let cases = vec![
        case(
            "1",
            "metadata: {name: backend}\ncontainers: {backend: {image: busybox, command: [/bin/sh], args: [-c, loop]}}\n",
            vec![
                (
                    "/modules/backend/spec/containers/backend",
                    json!({"id": "backend", "image": "busybox", "command": ["/bin/sh"], "args": ["-c", "loop"]}),
                ),
                ("/modules/backend/externals", json!({})),
                ("/modules/backend/spec/service", Value::Null),
                ("/modules/backend/profile", json!("humanitec/default-module")),
                ("/modules/backend/spec/annotations", json!({"humanitec.io/managed-by": "score-humanitec"})),
                ("/shared", json!({})),
            ],
        ),
        case(
            "2",
            demo("", "") + "service: {ports: {www: {port: 80, targetPort: 8080}, admin: {port: 8080}}}\n",
            vec![(
                "/modules/demo/spec/service/ports",
                json!({"www": {"protocol": "TCP", "service_port": 80, "container_port": 8080},
                    "admin": {"protocol": "TCP", "service_port": 8080, "container_port": 8080}}),
            )],
        ),
        case(
            "3",
            demo("", "") + "service: {ports: {dns: {port: 53, targetPort: 5353, protocol: UDP}}}\n",
            vec![(
                "/modules/demo/spec/service/ports/dns",
                json!({"protocol": "UDP", "service_port": 53, "container_port": 5353}),
            )],
        ),
        case("4", demo("", "") + "service: {ports: {}}\n", vec![("/modules/demo/spec/service", Value::Null)]),
        case(
            "5",
            demo("resources: {limits: {cpu: 500m, memory: 128Mi}, requests: {cpu: 250m, memory: 64Mi}}", ""),
            vec![(
                "/modules/demo/spec/containers/main/resources",
                json!({"limits": {"cpu": "500m", "memory": "128Mi"}, "requests": {"cpu": "250m", "memory": "64Mi"}}),
            )],
        ),
        case(
            "6",
            demo("resources: {limits: {cpu: 500m}}", ""),
            vec![("/modules/demo/spec/containers/main/resources", json!({"limits": {"cpu": "500m"}}))],
        ),
        case(
            "7",
            demo(
                "command: [], args: [], variables: {}, files: {}, volumes: {}, resources: {limits: {}, requests: {}}",
                "",
            ),
            vec![(MAIN, json!({"id": "main", "image": "x"}))],
        ),
        case(
            "8",
            demo("livenessProbe: {httpGet: {path: /alive, port: 8080}}", ""),
            vec![(
                "/modules/demo/spec/containers/main/liveness_probe",
                json!({"type": "http", "path": "/alive", "port": 8080}),
            )],
        ),
        case(
            "9",
            demo(
                "readinessProbe: {httpGet: {path: /health, port: 8080, httpHeaders: [{name: Custom-Header, value: Ops!}]}}",
                "",
            ),
            vec![(
                "/modules/demo/spec/containers/main/readiness_probe",
                json!({"type": "http", "path": "/health", "port": 8080, "headers": {"Custom-Header": "Ops!"}}),
            )],
        ),
        case(
            "10",
            demo("livenessProbe: {httpGet: {path: /, port: 1, host: h, scheme: HTTPS}}", ""),
            vec![(
                "/modules/demo/spec/containers/main/liveness_probe",
                json!({"type": "http", "path": "/", "port": 1, "host": "h", "scheme": "HTTPS"}),
            )],
        ),
        case(
            "11",
            demo("livenessProbe: {exec: {command: [a, b]}}", ""),
            vec![(
                "/modules/demo/spec/containers/main/liveness_probe",
                json!({"type": "command", "command": ["a", "b"]}),
            )],
        ),
        case(
            "12",
            demo(&variable("${resources.env.DEBUG}"), &format!("env: {{type: environment, {}}}", res_id("shared.env"))),
            vec![(VALUE, json!("${values.DEBUG}")), (EXTERNALS, json!({})), ("/shared", json!({}))],
        ),
        case("13", demo(&variable("${pod.debug.level}"), ""), vec![(VALUE, json!("${pod.debug.level}"))]),
        case(
            "14",
            demo(&variable("http://${resources.orders.name}:${resources.orders.port}/api"), "orders: {type: service}"),
            vec![
                (VALUE, json!("http://${modules.orders.service.name}:${modules.orders.service.port}/api")),
                (EXTERNALS, json!({})),
            ],
        ),
        case(
            "15",
            demo(&variable("${resources.my-svc.ports.http}"), "my-svc: {type: service}"),
            vec![(VALUE, json!("${modules.my-svc.service.ports.http}"))],
        ),
        case(
            "16",
            demo(
                &variable("${resources.db.host}"),
                &format!(
                    "db: {{type: postgres, class: large, params: {{a: {{b: 1}}}}, {}}}",
                    res_id("externals.annotations-db-id")
                ),
            ),
            vec![
                (
                    EXTERNALS,
                    json!({"annotations-db-id": {"type": "postgres", "class": "large", "params": {"a": {"b": 1}}}}),
                ),
                (VALUE, json!("${externals.annotations-db-id.host}")),
            ],
        ),
        given(
            "17",
            demo("", &format!("db: {{type: postgres, {}}}", res_id("externals.other"))),
            extension("resources: {db: {scope: shared}}"),
            vec![(EXTERNALS, json!({"other": {"type": "postgres", "class": "default"}})), ("/shared", json!({}))],
        ),
        given(
            "18",
            demo(&variable("${resources.dns.domain}"), "dns: {type: dns, params: {test: value}}"),
            extension("resources: {dns: {scope: shared}}"),
            vec![
                ("/shared", json!({"dns": {"type": "dns", "class": "default", "params": {"test": "value"}}})),
                (VALUE, json!("${shared.dns.domain}")),
            ],
        ),
        given(
            "19",
            demo("", "dns: {type: dns}, route: {type: route, params: {host: \"${resources.dns.host}\"}}"),
            extension("resources: {dns: {scope: shared}}"),
            vec![("/modules/demo/externals/route/params/host", json!("${shared.dns.host}"))],
        ),
        case(
            "20",
            demo(
                &variable("${resources.xx.name}"),
                &format!("xx: {{type: s3, {}}}", res_id("modules.test-module.externals.test-resource")),
            ),
            vec![(VALUE, json!("${modules.test-module.externals.test-resource.name}")), (EXTERNALS, json!({}))],
        ),
        case(
            "21",
            demo("", &format!("xx: {{type: s3, {}}}", res_id("modules.demo.externals.q2"))),
            vec![(EXTERNALS, json!({"q2": {"type": "s3", "class": "default"}}))],
        ),
        case(
            "22",
            demo(
                &variable("${resources.bucket.name}"),
                &format!("bucket: {{type: bucket, class: sensitive, {}}}", res_id("shared.sensitive-bucket")),
            ),
            vec![
                (
                    "/shared",
                    json!({"sensitive-bucket-class-sensitive":
                        {"type": "bucket", "class": "sensitive", "id": "shared.sensitive-bucket"}}),
                ),
                (VALUE, json!("${shared.sensitive-bucket-class-sensitive.name}")),
            ],
        ),
        case(
            "23",
            demo(
                &variable("${resources.xx.host}"),
                &format!("xx: {{type: redis, class: default, {}}}", res_id("shared.cache")),
            ),
            vec![
                ("/shared", json!({"cache": {"type": "redis", "class": "default"}})),
                (VALUE, json!("${shared.cache.host}")),
            ],
        ),
        case(
            "24",
            demo(&variable("${resources.q3.host}"), "q3: {type: redis, class: big}"),
            vec![(EXTERNALS, json!({"q3": {"type": "redis", "class": "big"}})), (VALUE, json!("${externals.q3.host}"))],
        ),
        case("25a", demo("", &format!("xx: {{type: s3, {}}}", res_id("foo.bar"))), unsupported("foo.bar")),
        case("25b", demo("", &format!("xx: {{type: s3, {}}}", res_id("onlyid"))), unsupported("onlyid")),
        case("25c", demo("", &format!("xx: {{type: s3, {}}}", res_id("modules.a.b"))), unsupported("modules.a.b")),
        case(
            "26",
            demo(&variable("${resources.my-dns.host}"), "my-dns: {type: dns, id: backend-dns}"),
            vec![
                ("/shared", json!({"backend-dns": {"type": "dns", "class": "default"}})),
                (VALUE, json!("${shared.backend-dns.host}")),
            ],
        ),
        case(
            "27",
            demo("", "aa: {type: s3, id: main-s3, class: admin}, bb: {type: s3, id: main-s3, class: read-only}"),
            vec![(
                "/shared",
                json!({"main-s3-class-admin": {"type": "s3", "class": "admin", "id": "shared.main-s3"},
                    "main-s3-class-read-only": {"type": "s3", "class": "read-only", "id": "shared.main-s3"}}),
            )],
        ),
        case(
            "28",
            demo(
                "volumes: {/mnt/data: {source: \"${resources.data}\", path: sub/path, readOnly: true}}",
                "data: {type: volume}",
            ),
            vec![(
                "/modules/demo/spec/containers/main/volume_mounts/~1mnt~1data",
                json!({"id": "externals.data", "sub_path": "sub/path", "read_only": true}),
            )],
        ),
        case(
            "29",
            demo("volumes: {/v: {source: volumes.tmp}}", ""),
            vec![(
                "/modules/demo/spec/containers/main/volume_mounts/~1v",
                json!({"id": "volumes.tmp", "sub_path": "", "read_only": false}),
            )],
        ),
        case(
            "30",
            demo("volumes: {/v: {source: \"${resources.data}\"}}", "data: {type: volume, id: v1}"),
            vec![("/modules/demo/spec/containers/main/volume_mounts/~1v/id", json!("shared.v1"))],
        ),
        case(
            "31",
            demo(
                "files: {/f: {mode: \"666\", content: \"---\\nDEBUG: ${resources.env.DEBUG}\\n\"}}",
                "env: {type: environment}",
            ),
            vec![(FILE, json!({"mode": "666", "value": "---\nDEBUG: ${values.DEBUG}\n"}))],
        ),
        case(
            "32, 33",
            demo(
                "files: {/f: {content: \"a\\nDEBUG: ${resources.env.DEBUG}\", noExpand: true}}",
                "env: {type: environment}",
            ),
            vec![(FILE, json!({"mode": "", "value": "a\nDEBUG: $\\{resources.env.DEBUG}"}))],
        ),
        case("34", demo("files: {/f: {content: x}}", ""), vec![(FILE, json!({"mode": "", "value": "x"}))]),
        case(
            "35",
            demo("files: [{target: /f, content: [l1, \"l2 ${metadata.name}\"]}]", ""),
            vec![(FILE, json!({"mode": "", "value": "l1\nl2 demo"}))],
        ),
        case(
            "36",
            demo("files: {/f: {content: \"x $$ $${y}\"}}", ""),
            vec![(FILE, json!({"mode": "", "value": "x $ ${y}"}))],
        ),
        case(
            "37",
            demo("files: {/f: {content: \"a $$ ${b}\", noExpand: true}}", ""),
            vec![(FILE, json!({"mode": "", "value": "a $$ $\\{b}"}))],
        ),
        case(
            "38",
            demo(
                "",
                "dns: {type: dns}, xx: {type: s3, params: {\"k-${metadata.name}\": true, list: [\"${resources.dns.host}\"]}}",
            ),
            vec![("/modules/demo/externals/xx/params", json!({"k-demo": true, "list": ["${externals.dns.host}"]}))],
        ),
        given(
            "40",
            demo("", "env: {type: environment}"),
            extension(
                "profile: test-org/test-module\nspec: {labels: {tags.datadoghq.com/env: \"${resources.env.DATADOG_ENV}\"}}",
            ),
            vec![
                ("/modules/demo/profile", json!("test-org/test-module")),
                ("/modules/demo/spec/labels", json!({"tags.datadoghq.com/env": "${values.DATADOG_ENV}"})),
            ],
        ),
        given(
            "41",
            demo("", "dns: {type: dns}"),
            extension("spec: {ingress: {rules: {\"${resources.dns}\": {http: {/: {type: prefix, port: 80}}}}}}"),
            vec![(
                "/modules/demo/spec/ingress/rules",
                json!({"externals.dns": {"http": {"/": {"type": "prefix", "port": 80}}}}),
            )],
        ),
        given(
            "42",
            demo("livenessProbe: {httpGet: {path: /s, port: 1}}", ""),
            extension("spec: {containers: {main: {liveness_probe: {failureThreshold: 5}}}}"),
            vec![(
                "/modules/demo/spec/containers/main/liveness_probe",
                json!({"type": "http", "path": "/s", "port": 1, "failureThreshold": 5}),
            )],
        ),
        given(
            "43",
            demo("", ""),
            extension("spec: {containers: {side: {image: y}}}"),
            vec![
                ("/modules/demo/spec/containers/main/image", json!("x")),
                ("/modules/demo/spec/containers/side/image", json!("y")),
            ],
        ),
        given(
            "44",
            demo("variables: {A: s}", ""),
            extension("spec: {containers: {main: {variables: {A: e}}}}"),
            vec![("/modules/demo/spec/containers/main/variables", json!({"A": "e"}))],
        ),
        given(
            "45",
            demo("", ""),
            extension("spec: {pod: {annotations: {b: \"$${context.env.id}\"}}}"),
            vec![("/modules/demo/spec/pod/annotations/b", json!("${context.env.id}"))],
        ),
        given(
            "46",
            demo("files: {/f: {content: x}}", "dns: {type: dns}"),
            extension(
                "spec: {containers: {main: {files: {/etc/z: {mode: \"644\", value: \"${resources.dns.host}\"}}}}}",
            ),
            vec![
                (FILE, json!({"mode": "", "value": "x"})),
                (
                    "/modules/demo/spec/containers/main/files/~1etc~1z",
                    json!({"mode": "644", "value": "${externals.dns.host}"}),
                ),
            ],
        ),
        given(
            "47",
            demo("", ""),
            extension("deploy: {when: before, success: complete, timeout: 60}"),
            vec![("/modules/demo/deploy", json!({"when": "before", "success": "complete", "timeout": 60}))],
        ),
        given(
            "48",
            "metadata: {name: demo}\ncontainers: {main: {image: .}, side: {image: \"other:2\"}}\n",
            Given { image: Some("repo/app:1"), ..Given::default() },
            vec![
                ("/modules/demo/spec/containers/main/image", json!("repo/app:1")),
                ("/modules/demo/spec/containers/side/image", json!("other:2")),
            ],
        ),
        given(
            "49",
            demo("", "db: {type: postgres}"),
            Given { properties: &["resources.db"], ..Given::default() },
            vec![(EXTERNALS, json!({}))],
        ),
        given(
            "50",
            demo("args: [a, b]", ""),
            Given { properties: &["containers.main.args.-1=c"], ..Given::default() },
            vec![("/modules/demo/spec/containers/main/args", json!(["a", "b", "c"]))],
        ),
        given(
            "51",
            demo("", "service-a: {type: service}, dns: {type: dns, id: dns}"),
            extension(
                "spec: {nested: {\"${resources.service-a.name}\": {url: \"http://${resources.dns.domain}\", n: 3}}}",
            ),
            vec![(
                "/modules/demo/spec/nested",
                json!({"${modules.service-a.service.name}": {"url": "http://${shared.dns.domain}", "n": 3}}),
            )],
        ),
        case(
            "52",
            demo(&variable("hé ${resources.db.host} 🔐"), "db: {type: postgres}"),
            vec![(VALUE, json!("hé ${externals.db.host} 🔐"))],
        ),
        case(
            "53",
            demo("", "hpa: {type: horizontal-pod-autoscaler, params: {maxReplicas: 2}}"),
            vec![(
                EXTERNALS,
                json!({"hpa": {"type": "horizontal-pod-autoscaler", "class": "default", "params": {"maxReplicas": 2}}}),
            )],
        ),
        case(
            "54",
            demo(
                "variables: {AD: \"${resources.ad.name}:9555\", CART: \"${resources.cart.name}:7070\"}",
                "ad: {type: service}, cart: {type: service}, dns: {type: dns}, \
                 route: {type: route, params: {host: \"${resources.dns.host}\", path: /, port: 80}}",
            ),
            vec![
                (
                    EXTERNALS,
                    json!({"dns": {"type": "dns", "class": "default"}, "route": {"type": "route", "class": "default",
                        "params": {"host": "${externals.dns.host}", "path": "/", "port": 80}}}),
                ),
                (
                    "/modules/demo/spec/containers/main/variables",
                    json!({"AD": "${modules.ad.service.name}:9555", "CART": "${modules.cart.service.name}:7070"}),
                ),
            ],
        ),
    ];
    for Case { row, score, given, expected } in cases {
        let set = converted(&score, |request| give(request, &given));
        for (pointer, value) in expected {
            assert_eq!(set.pointer(pointer).cloned().unwrap_or_default(), value, "row {row} at {pointer}: {set}");
        }
    }
}

/// Row 25: no set comes of it.
fn unsupported(id: &str) -> Vec<(&'static str, Value)> {
    vec![("/0", json!(format!("/resources/xx: invalid resource reference '{id}': not supported.")))]
}

fn give(request: &mut ConvertScore, given: &Given) {
    if !given.extensions.is_empty() {
        let text = format!("apiVersion: humanitec.org/v1b1\n{}", given.extensions);
        let document = yaml::parse_documents(&text).unwrap().remove(0);
        request.extensions = Some(document.as_object().unwrap().clone());
    }
    request.image = given.image.map(ToOwned::to_owned);
    let properties = given.properties.iter().map(|property| parse_property(property));
    request.property_overrides = (!given.properties.is_empty()).then(|| properties.collect());
}
