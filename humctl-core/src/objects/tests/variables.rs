//! Variables: plain ones, secrets, fields, odd names.

use super::text::Part;
use super::*;

const SECRET: &str = "{$secretRef: {store: vault, ref: db/pw}}";
const POD_IP: &str = "{$field: {pod: status.podIP}}";

fn web(fields: &str) -> String {
    format!("containers: {{web: {{{fields}}}}}")
}

#[test]
fn plain_text_goes_into_the_config_map_as_it_is() {
    for (chapter, value, expected) in [
        ("§10 a literal", "$(OTHER)", json!("$(OTHER)")),
        ("§10 a literal", "$$(X)", json!("$$(X)")),
        ("§10 a literal", "'${X}'", json!("${X}")),
        ("§10 a number", "5", json!("5")),
        ("§10 a bool", "false", json!("false")),
        ("§10 text that looks like one", "'007'", json!("007")),
        ("§10 empty", "''", json!("")),
        ("§10 unicode", "ä 🔐💬x💬🔐", json!("ä 🔐💬x💬🔐")),
        ("§3.6 a mapping is JSON", "{b: 1, a: [x]}", json!("{\"a\":[\"x\"],\"b\":1}")),
    ] {
        let found = ok(MODULE, &web(&format!("variables: {{A: {value}}}")));
        assert_eq!(at(&found, "ConfigMap shop-configmap-web /data/A"), expected, "{chapter}");
        assert_eq!(pod(&found, "/containers/0/env"), Value::Null, "{chapter}");
    }
    let found = ok(MODULE, &web("variables: {A.b-c: x}"));
    assert_eq!(at(&found, "ConfigMap shop-configmap-web /data"), json!({"A.b-c": "x"}), "§10 dots and dashes");
}

#[test]
fn names_that_no_config_map_takes_go_into_env() {
    let old = "Kubernetes before 1.32";
    for (name, version) in [("A B", old), ("1A", old), ("ä", "Kubernetes"), ("..A", old)] {
        let found = ok(MODULE, &web(&format!("variables: {{'{name}': x $(Y)}}")));
        assert_eq!(pod(&found, "/containers/0/env"), json!([{"name": name, "value": "x $$(Y)"}]), "§7.3: {name}");
        assert_eq!(at(&found, "ConfigMap shop-configmap-web /data"), json!({}), "§7.3: {name}");
        let place = format!("workload `shop` at /containers/web/variables/{name}");
        let expected = format!("{place}: {version} takes no variable of the name `{name}`\n  hint: rename it");
        assert_eq!(found.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected], "§7.3: {name}");
    }
    let refused = "a variable has a name, and no `=` in it";
    for (name, pointer) in [("A=B", "A=B"), ("", "")] {
        let found = errors(MODULE, &web(&format!("variables: {{'{name}': x}}")));
        assert_eq!(found, format!("/containers/web/variables/{pointer}: {refused}"), "§9 row 19");
    }
}

#[test]
fn secrets_are_read_from_a_secret() {
    let found = ok(
        MODULE,
        &web(&format!(
            "variables: {{PW: {SECRET}, URL: {{$concat: ['pg://$(X)', {SECRET}]}}, 'odd name': {SECRET}, '..': {SECRET}}}"
        )),
    );
    let keys = &found.secrets[0].keys;
    assert_eq!(found.secrets[0].name, "shop-secrets-web", "§7.1");
    let env = pod(&found, "/containers/0/env");
    for (number, name) in ["..", "PW", "URL", "odd name"].iter().enumerate() {
        let entry = &env[number];
        let key = entry["valueFrom"]["secretKeyRef"]["key"].as_str().unwrap();
        assert_eq!(
            (&entry["name"], &entry["valueFrom"]["secretKeyRef"]["name"]),
            (&json!(name), &json!("shop-secrets-web"))
        );
        assert!(names::is_key(key) && keys.contains_key(key), "§7.3: {key}");
        assert_eq!(key == *name, !matches!(*name, "odd name" | ".."));
    }
    assert_eq!(keys["URL"][0], Part::Plain("pg://$(X)".to_owned()), "§8: never expanded, so never escaped");
    assert_eq!(at(&found, "ConfigMap shop-configmap-web /data"), json!({}), "§7.3");
}

#[test]
fn fields_of_the_pod_come_by_helpers_that_stand_first() {
    let cpu = "{$field: {container: web, resource: requests.cpu}}";
    let found = ok(
        MODULE,
        &web(&format!(
            "variables: {{URL: {{$concat: ['http://', {POD_IP}, '/$(X)']}}, A: {POD_IP}, CPU: {cpu}}}, env: [{{name: LAST, value: $(A)}}]"
        )),
    );
    assert_eq!(
        pod(&found, "/containers/0/env"),
        yaml(
            "[{name: _DOWNWARD_API_POD_STATUS_PODIP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}, \
             {name: _DOWNWARD_API_CONTAINER_WEB_REQUESTS_CPU, valueFrom: {resourceFieldRef: {containerName: web, resource: requests.cpu}}}, \
             {name: A, value: $(_DOWNWARD_API_POD_STATUS_PODIP)}, \
             {name: CPU, value: $(_DOWNWARD_API_CONTAINER_WEB_REQUESTS_CPU)}, \
             {name: URL, value: 'http://$(_DOWNWARD_API_POD_STATUS_PODIP)/$$(X)'}, \
             {name: LAST, value: $(A)}]"
        ),
        "§7.3"
    );
    let label = |key: &str| format!("{{$field: {{pod: \"metadata.labels['{key}']\"}}}}");
    let found = ok(MODULE, &web(&format!("variables: {{A: {}, B: {}}}", label("x-y"), label("x_y"))));
    let env = pod(&found, "/containers/0/env");
    assert_ne!(env[0]["name"], env[1]["name"], "two fields never share a helper");
    assert_ne!(env[2]["value"], env[3]["value"]);
}

#[test]
fn raw_env_may_hold_a_secret_too() {
    let found = ok(
        MODULE,
        &web(&format!("env: [{{name: A, value: {SECRET}}}, {{name: B, value: $(A)}}], variables: {{A: {POD_IP}}}")),
    );
    assert_eq!(
        pod(&found, "/containers/0/env/2"),
        json!({"name": "A", "valueFrom": {"secretKeyRef": {"name": "shop-secrets-web", "key": "A"}}}),
        "§6.2"
    );
    assert_eq!(pod(&found, "/containers/0/env/3"), json!({"name": "B", "value": "$(A)"}), "§6.2: its author means it");
    let twice =
        ok(MODULE, &web(&format!("env: [{{name: A, value: {SECRET}}}], variables: {{A: {{$concat: [x, {SECRET}]}}}}")));
    assert_eq!(twice.secrets[0].keys.len(), 2, "no secret takes the key of another");
}

#[test]
fn texts_that_cannot_be_are_refused() {
    let of = "/containers/web/variables/A: ";
    for (chapter, value, expected) in [
        ("§3.6", format!("{{$concat: [{SECRET}, {POD_IP}]}}"), "a secret and a field of the Pod cannot be in one text"),
        (
            "§3.6",
            format!("{{a: [{SECRET}]}}"),
            "a secret, or a field of the Pod, is inside of a mapping or list, which is no text then",
        ),
        ("§3.6", "{$field: {}}".to_owned(), "it is a field of neither the Pod nor a container of it"),
        (
            "§3.6",
            "{$field: {pod: status.phase}}".to_owned(),
            "no variable can show the field `status.phase` of a Pod\n  hint: known are metadata.name, metadata.namespace, \
             metadata.uid, spec.nodeName, spec.serviceAccountName, status.hostIP, status.hostIPs, status.podIP, \
             status.podIPs, and metadata.labels['KEY'] and metadata.annotations['KEY']",
        ),
        ("§3.6", "{$field: {container: api, resource: limits.cpu}}".to_owned(), "there is no container `api`"),
        (
            "§3.6",
            "{$field: {container: web, resource: limits.gpu}}".to_owned(),
            "no variable can show `limits.gpu` of a container\n  hint: limits.cpu, requests.memory and the like",
        ),
    ] {
        assert_eq!(errors(MODULE, &web(&format!("variables: {{A: {value}}}"))), format!("{of}{expected}"), "{chapter}");
    }
}
