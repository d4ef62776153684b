//! Reference nodes on their way into objects.

use super::*;
use crate::nodes::{OutputsById, ResourceOutputs, Unsettled, settle};

fn outputs() -> OutputsById {
    let object = |value: Value| value.as_object().unwrap().clone();
    BTreeMap::from([(
        "db".to_owned(),
        ResourceOutputs {
            values: object(json!({"host": "h", "port": 5432, "tls": {"on": true}})),
            secret_refs: object(json!({"password": {"$secretRef": {"store": "s", "ref": "r"}}})),
        },
    )])
}

#[test]
fn references_become_what_they_stand_for() {
    let secret = json!({"$secretRef": {"store": "s", "ref": "r"}});
    let reference = |out: &str| json!({"$ref": {"res": "db", "out": out}});
    for (name, value, expected) in [
        ("a value keeps its type", reference("port"), json!(5432)),
        ("a dotted path", reference("tls.on"), json!(true)),
        ("a secret stays a reference", reference("password"), secret.clone()),
        ("all values", json!({"$ref": {"res": "db"}}), json!({"host": "h", "port": 5432, "tls": {"on": true}})),
        ("text is joined", json!({"$concat": ["a:", reference("port"), "/", reference("host")]}), json!("a:5432/h")),
        (
            "around a secret",
            json!({"$concat": ["a", "b", reference("password"), {"$concat": [reference("host"), "c"]}]}),
            json!({"$concat": ["ab", secret, "hc"]}),
        ),
        ("nothing to join", json!({"$concat": []}), json!("")),
        ("in a store already", secret.clone(), secret.clone()),
        (
            "data of a user that looks like one",
            json!({"$lit": {"$ref": reference("host")}}),
            json!({"$lit": {"$ref": "h"}}),
        ),
        ("inside of others", json!({"a": [reference("host")]}), json!({"a": ["h"]})),
    ] {
        let mut failed = Vec::new();
        assert_eq!(settle(&value, "", &outputs(), &mut failed), expected, "{name}");
        assert_eq!(failed, [], "{name}");
    }
}

#[test]
fn what_stands_for_nothing_is_told_with_its_place() {
    for (node, expected) in [
        (json!({"$ref": {"res": "mq", "out": "x"}}), "at /a/0: nothing is known of resource mq"),
        (json!({"$ref": {"res": "db", "out": "x"}}), "at /a/0: resource db has no output `x`"),
        (
            json!({"$secretRef": {"res": "db", "out": "host"}}),
            "at /a/0: output `host` of resource db is no secret, and is used as one",
        ),
    ] {
        let mut failed: Vec<Unsettled> = Vec::new();
        settle(&json!({"a": [node]}), "", &outputs(), &mut failed);
        assert_eq!(failed.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn data_that_only_looks_like_a_node_is_data() {
    let looks_like = "{$lit: {$secretRef: mine}}";
    check(
        MODULE,
        &[
            (
                "gitops.md §2.6",
                &format!("pod: {{dnsConfig: {looks_like}}}"),
                "Deployment shop /spec/template/spec/dnsConfig",
                "{$secretRef: mine}",
            ),
            (
                "gitops.md §2.6",
                &format!("containers: {{web: {{variables: {{A: {looks_like}}}}}}}"),
                "ConfigMap shop-configmap-web /data/A",
                "'{\"$secretRef\":\"mine\"}'",
            ),
        ],
    );
}

#[test]
fn a_secret_where_none_can_be_is_refused() {
    let (secret, field) = ("{$secretRef: {store: s, ref: r}}", "{$field: {pod: metadata.name}}");
    let refused = "a secret, or a field of the Pod, cannot stand here\n  hint: use it in a variable or in a file";
    for (text, pointer) in [
        (format!("pod: {{hostname: {secret}}}"), "/pod/hostname"),
        (format!("pod: {{annotations: {{a: {secret}}}}}"), "/pod/annotations/a"),
        (format!("labels: {{a: {field}}}"), "/labels/a"),
        (format!("deployment: {{annotations: {{a: {secret}}}}}"), "/deployment/annotations/a"),
        (format!("containers: {{web: {{args: [{secret}]}}}}"), "/containers/web/args/0"),
        (format!("containers: {{web: {{image: {{$concat: [a, {secret}]}}}}}}"), "/containers/web/image"),
        (
            format!("containers: {{web: {{liveness_probe: {{type: http, port: 1, path: {secret}}}}}}}"),
            "/containers/web/liveness_probe/path",
        ),
        (format!("service: {{ports: {{a: {{service_port: 1, name: {secret}}}}}}}"), "/service/ports/a/name"),
        (format!("extraContainers: [{{name: a, image: {secret}}}]"), "/extraContainers/0/image"),
        (
            format!("extraObjects: [{{apiVersion: v1, kind: A, metadata: {{name: a}}, b: {secret}}}]"),
            "/extraObjects/0/b",
        ),
    ] {
        let found = errors(MODULE, &text);
        assert!(found.contains(&format!("{pointer}: {refused}")), "{text}: {found}");
    }
}
