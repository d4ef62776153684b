//! Containers: fields, resources, probes, hooks, and which start first.

use super::*;

const WEB: &str = "Deployment shop /spec/template/spec/containers/0";

/// Rows of a container `web`: chapter, its YAML, a pointer into it, what is there.
fn check_web(rows: &[(&str, &str, &str, &str)]) {
    for (chapter, text, pointer, expected) in rows {
        let found = ok(MODULE, &format!("containers: {{web: {text}}}"));
        assert_eq!(at(&found, &format!("{WEB}{pointer}")), yaml(expected), "{chapter}: {text}");
    }
}

#[test]
fn fields_of_a_container_go_where_they_belong() {
    check_web(&[
        ("§6.2 image", "{image: repo/shop:1}", "/image", "repo/shop:1"),
        ("§6.2 id is for people", "{id: web}", "/id", "null"),
        ("§6.2 command", "{command: [a, $(B)]}", "/command", "[a, $(B)]"),
        ("§6.2 an empty list stays", "{args: []}", "/args", "[]"),
        ("§6.2 env follows", "{env: [{name: A, value: $(B)}]}", "/env", "[{name: A, value: $(B)}]"),
        (
            "§6.2 envFrom follows ours",
            "{envFrom: [{secretRef: {name: mine}}]}",
            "/envFrom",
            "[{configMapRef: {name: shop-configmap-web}}, {secretRef: {name: mine}}]",
        ),
        ("§6.2 raw", "{securityContext: {runAsUser: 0}}", "/securityContext", "{runAsUser: 0}"),
        ("§6.2 raw, false", "{tty: false}", "/tty", "false"),
        ("§6.2 anything else", "{ports: [{containerPort: 80}]}", "/ports", "[{containerPort: 80}]"),
        ("§6.2 anything else", "{volumeDevices: [{name: d, devicePath: /d}]}", "/volumeDevices/0/name", "d"),
        ("§7.2 no ports are declared", "{}", "/ports", "null"),
        ("§6.2 null is absent", "{workingDir: null}", "/workingDir", "null"),
    ]);
}

#[test]
fn resources_are_shallow_or_the_default_of_the_profile() {
    let default = "{limits: {cpu: 250m, memory: 256Mi}, requests: {cpu: 25m, memory: 64Mi}}";
    check_web(&[
        ("§7.2 absent", "{}", "/resources", default),
        ("§10 empty", "{resources: {}}", "/resources", default),
        ("§10 empty parts", "{resources: {requests: {}}}", "/resources", default),
        ("§10 null", "{resources: null}", "/resources", default),
        ("§7.2 shallow", "{resources: {limits: {memory: 1Gi}}}", "/resources", "{limits: {memory: 1Gi}}"),
        ("§6.2 as is", "{resources: {claims: [{name: gpu}]}}", "/resources", "{claims: [{name: gpu}]}"),
    ]);
    check_errors(
        MODULE,
        &[(
            "§6.2",
            "containers: {web: {resources: much}}",
            "/containers/web/resources: it is no mapping with `limits` and `requests`",
        )],
    );
}

#[test]
fn probes_become_those_of_kubernetes() {
    check_web(&[
        (
            "§6.3 http",
            "{readiness_probe: {type: http, path: /ok, port: 80, host: h, scheme: https, headers: {b: '2', a: '1'}}}",
            "/readinessProbe",
            "{httpGet: {path: /ok, port: 80, host: h, scheme: HTTPS, httpHeaders: [{name: a, value: '1'}, {name: b, value: '2'}]}}",
        ),
        (
            "§6.3 no headers",
            "{liveness_probe: {type: http, port: 80, headers: {}}}",
            "/livenessProbe",
            "{httpGet: {port: 80}}",
        ),
        ("§6.3 tcp", "{startup_probe: {type: tcp, port: 80}}", "/startupProbe", "{tcpSocket: {port: 80}}"),
        (
            "§6.3 grpc",
            "{liveness_probe: {type: grpc, port: 9, service: s}}",
            "/livenessProbe",
            "{grpc: {port: 9, service: s}}",
        ),
        ("§6.3 command", "{liveness_probe: {type: command, command: [a]}}", "/livenessProbe", "{exec: {command: [a]}}"),
        (
            "§6.3 thresholds",
            "{liveness_probe: {type: tcp, port: 1, initialDelaySeconds: 0, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}}",
            "/livenessProbe",
            "{tcpSocket: {port: 1}, initialDelaySeconds: 0, periodSeconds: 2, timeoutSeconds: 3, successThreshold: 1, failureThreshold: 4}",
        ),
        (
            "§6.3 what Kubernetes knows more",
            "{liveness_probe: {type: tcp, port: 1, terminationGracePeriodSeconds: 5}}",
            "/livenessProbe/terminationGracePeriodSeconds",
            "5",
        ),
        (
            "§6.3 a Shared Value is text",
            "{liveness_probe: {type: tcp, port: '80', periodSeconds: '7'}}",
            "/livenessProbe",
            "{tcpSocket: {port: 80}, periodSeconds: 7}",
        ),
        ("§6.3 a named port", "{liveness_probe: {type: tcp, port: web}}", "/livenessProbe/tcpSocket/port", "web"),
        (
            "§6.2 native",
            "{readiness_probe: {httpGet: {port: 80}, periodSeconds: 1}}",
            "/readinessProbe",
            "{httpGet: {port: 80}, periodSeconds: 1}",
        ),
        (
            "§7.5 exec counts",
            "{readiness_probe: {httpGet: {port: 80}, exec: {command: [a]}}}",
            "/readinessProbe",
            "{exec: {command: [a]}}",
        ),
        ("§6.2 native key", "{livenessProbe: {tcpSocket: {port: 80}}}", "/livenessProbe", "{tcpSocket: {port: 80}}"),
        (
            "§6.2 hook",
            "{lifecycle: {preStop: {type: command, command: [a]}}}",
            "/lifecycle",
            "{preStop: {exec: {command: [a]}}}",
        ),
        (
            "§6.2 hook",
            "{lifecycle: {postStart: {type: http, port: 80}}}",
            "/lifecycle",
            "{postStart: {httpGet: {port: 80}}}",
        ),
        (
            "§6.2 native hook stays",
            "{lifecycle: {preStop: {sleep: {seconds: 5}}}}",
            "/lifecycle",
            "{preStop: {sleep: {seconds: 5}}}",
        ),
        ("§6.2 raw", "{lifecycle: {stopSignal: SIGUSR1}}", "/lifecycle", "{stopSignal: SIGUSR1}"),
    ]);
    check_warnings(
        MODULE,
        &[(
            "§6.3 a field of another type",
            "containers: {web: {lifecycle: {preStop: {type: command, command: [a], path: /}}}}",
            "/containers/web/lifecycle/preStop/path: it counts for another `type` than command",
        )],
    );
    let of_probe = "/containers/web/liveness_probe: ";
    for (text, expected) in [
        ("{}", "its `type` is none of http, tcp, grpc and command"),
        ("{type: udp}", "its `type` is none of http, tcp, grpc and command"),
        ("{type: udp, httpGet: {port: 1}}", "its `type` is none of http, tcp, grpc and command"),
        ("{type: http, path: /}", "it has no `port`"),
        ("{type: command}", "it has no `command`, which is a list"),
        ("{type: command, command: []}", "it has no `command`, which is a list"),
        ("{sleep: {seconds: 1}}", "a probe cannot sleep"),
        ("often", "it is no mapping"),
    ] {
        let found = errors(MODULE, &format!("containers: {{web: {{liveness_probe: {text}}}}}"));
        assert_eq!(found, format!("{of_probe}{expected}"), "§6.3: {text}");
    }
    check_errors(
        MODULE,
        &[
            (
                "§6.3",
                "containers: {web: {liveness_probe: {type: http, port: 1, headers: [a]}}}",
                "/containers/web/liveness_probe/headers: it is no mapping of names to values",
            ),
            (
                "§6.2",
                "containers: {web: {lifecycle: {preStop: {type: grpc, port: 1}}}}",
                "/containers/web/lifecycle/preStop: a hook cannot use gRPC\n  hint: http, tcp and command can",
            ),
            (
                "§6.2",
                "containers: {web: {lifecycle: {preStop: {type: tcp, port: 1, periodSeconds: 2}}}}",
                "/containers/web/lifecycle/preStop/periodSeconds: a hook has no such field",
            ),
        ],
    );
}

#[test]
fn containers_that_start_before_others_become_init_containers() {
    let probe = "readiness_probe: {type: tcp, port: 1, successThreshold: 3}";
    for (chapter, containers, init, beside) in [
        ("§7.6 complete", "{a: {before: {b: {ready: complete}}}, b: {}}", "[a]", "[b]"),
        ("§7.6 started", "{a: {before: {b: {ready: started}}}, b: {}}", "[a+]", "[b]"),
        (
            "§7.6 a chain",
            "{a: {}, b: {before: {a: {ready: complete}}}, c: {before: {b: {ready: started}}}}",
            "[c+, b]",
            "[a]",
        ),
        (
            "§7.6 ties by name",
            "{c: {before: {z: {ready: complete}}}, b: {before: {z: {ready: complete}}}, z: {}, a: {}}",
            "[b, c]",
            "[a, z]",
        ),
        (
            "§7.6 only init containers",
            "{a: {before: {b: {ready: complete}}}, b: {before: {c: {ready: complete}}}, c: {}}",
            "[a, b]",
            "[c]",
        ),
        (
            "§7.6 the strongest",
            "{a: {before: {b: {ready: complete}, c: {ready: started}}}, b: {}, c: {}}",
            "[a]",
            "[b, c]",
        ),
    ] {
        let found = ok(MODULE, &format!("containers: {containers}"));
        let names = |key: &str| -> Vec<String> {
            let list = pod(&found, key);
            let name = |one: &Value| {
                let mark = if one["restartPolicy"] == json!("Always") { "+" } else { "" };
                format!("{}{mark}", one["name"].as_str().unwrap())
            };
            list.as_array().into_iter().flatten().map(name).collect()
        };
        assert_eq!(json!(names("/initContainers")), yaml(init), "{chapter}: {containers}");
        assert_eq!(json!(names("/containers")), yaml(beside), "{chapter}: {containers}");
    }
    let healthy = format!(
        "containers: {{a: {{{probe}, before: {{b: {{ready: healthy}}, c: {{ready: started}}}}}}, b: {{}}, c: {{}}}}"
    );
    let found = pod(&ok(MODULE, &healthy), "/initContainers/0");
    assert_eq!(found["restartPolicy"], json!("Always"));
    assert_eq!(found["readinessProbe"]["successThreshold"], json!(3));
    assert_eq!(found["startupProbe"], json!({"tcpSocket": {"port": 1}}), "Kubernetes takes one success only there");
    let own = "containers: {a: {liveness_probe: {type: tcp, port: 1}, startup_probe: {type: tcp, port: 2}, before: {b: {ready: healthy}}}, b: {}}";
    assert_eq!(pod(&ok(MODULE, own), "/initContainers/0/startupProbe"), yaml("{tcpSocket: {port: 2}}"));
    check_warnings(
        MODULE,
        &[(
            "§7.6 Kubernetes refuses a probe there",
            "containers: {a: {liveness_probe: {type: tcp, port: 1}, before: {b: {ready: complete}}}, b: {}}",
            "/containers/a: it ends before others start, and its livenessProbe is left out",
        )],
    );
}

#[test]
fn an_order_that_cannot_be_is_refused() {
    check_errors(
        MODULE,
        &[
            (
                "§7.6",
                "containers: {a: {before: {b: {ready: healthy}}}, b: {}}",
                "/containers/a/before: others wait until it is healthy, and it has no probe that would tell\n  hint: give it a readinessProbe",
            ),
            (
                "§7.6 mixed",
                "containers: {a: {before: {b: {ready: healthy}, c: {ready: complete}}}, b: {}, c: {}}",
                "/containers/a/before: it cannot end before one container, and be healthy when another starts\n  hint: one of the two words has to go",
            ),
            (
                "§9 row 56",
                "containers: {a: {before: {b: {ready: done}}}, b: {}}",
                "/containers/a/before/b: its `ready` is none of started, healthy and complete",
            ),
            ("§9 row 56", "containers: {a: {before: [b]}, b: {}}", "/containers/a/before: it is no mapping"),
            (
                "§9 row 57",
                "containers: {a: {before: {x: {ready: started}}}}",
                "/containers/a/before/x: container \"a\" before refers to unknown container \"x\"",
            ),
            (
                "§9 row 58",
                "containers: {a: {before: {a: {ready: started}}}}",
                "/containers/a/before/a: container \"a\" has a self-referencing before entry",
            ),
            (
                "§9 row 58",
                "containers: {a: {before: {b: {ready: started}}}, b: {before: {a: {ready: started}}}}",
                "/containers: containers before relationships contain a cycle: a, b",
            ),
        ],
    );
}

#[test]
fn containers_have_an_image_and_a_name_of_their_own() {
    let taken = "/containers: two containers of the Pod have the name `web`";
    check_errors(
        MODULE,
        &[
            ("§6.2", "containers: {web: {image: ''}}", "/containers/web: it has no image"),
            ("§6.2", "containers: {}", "/containers: there is no container"),
            ("§6.2", "containers: {web: none}", "/containers/web: it is no mapping"),
            ("§6.2", "containers: [web]", "/containers: it is no mapping\n/containers: there is no container"),
            ("§10", "extraContainers: [{name: web}]", taken),
            ("§10", "pod: {initContainers: [{name: web}]}", taken),
            ("§10", "extraContainers: [{image: a}]", "/containers: a container has no name"),
            ("§6.1", "extraContainers: {name: a}", "/extraContainers: it is no list"),
            (
                "§6.2",
                "containers: {Web_1: {}}",
                "/containers: a container cannot be named `Web_1`\n  hint: lower-case letters, digits and -, 63 at most",
            ),
        ],
    );
}
