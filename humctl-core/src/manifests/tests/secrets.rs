//! Secrets: our own mappings, what stays text, what is refused.

use serde_json::json;

use super::*;
use crate::objects::text::Field;

#[test]
fn mappings_take_whole_secrets() {
    let context = context();
    let options = TargetOptions { secrets: SecretObjects::SecretMappings, ..open(&context) };
    let found = to_files(&[workload(&[("A", vec![secret("s", "a")])])], &[], options).unwrap();
    assert_eq!(found.files[0].name, "secretmapping-web-secrets.yaml");
    insta::assert_snapshot!(found.files[0].content, @r#"
    apiVersion: humctl.dev/v1alpha1
    kind: SecretMapping
    metadata:
      labels:
        app.kubernetes.io/managed-by: humctl
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: web
      name: web-secrets
    spec:
      secretData:
      - remoteRef:
          key: a
          version: ""
        secretKey: A
        secretStoreName: s
      secretName: web-secrets
    "#);

    let object = secret_manifest(json!({
        "metadata": {"name": "db", "labels": {"a": "b"}, "annotations": {"a": "b"}},
        "type": "kubernetes.io/tls",
        "immutable": true,
        "data": {"host": "aA=="},
        "stringData": {"url": {"$concat": ["a", secret_ref("s", "r")]}, "password": secret_ref("s", "r")},
    }));
    let found = texts(&to_files(&[], &[manifest("m", object)], options).unwrap_err());
    let row = |pointer: &str, what: &str| {
        format!(
            "resource `postgres.default#db`, manifest `m` at {pointer}: Secret `db`: a SecretMapping cannot do this: {what}\n  hint: let the target write secrets as `ExternalSecret`, which can"
        )
    };
    assert_eq!(
        found,
        [
            row("/data/host", "plain text beside secrets"),
            row("/immutable", "a Secret that never changes"),
            row("/metadata/annotations", "annotations of the Secret"),
            row("/metadata/labels", "labels of the Secret"),
            row("/stringData/url", "a secret with text around it"),
            row("/type", "a type of Secret"),
        ]
    );
}

#[test]
fn a_secret_of_plain_text_stays_and_is_warned_of() {
    for (fields, n_warnings) in [
        (json!({"stringData": {"a": "b"}}), 1),
        (json!({"data": {"a": "/w=="}}), 1),
        (json!({"data": {"a": ""}}), 0),
        (json!({"type": "kubernetes.io/service-account-token"}), 0),
    ] {
        let object = secret_manifest(fields);
        let found = written(&[manifest("m", object.clone())]).unwrap();
        assert_eq!((read(&found.files[0]), found.warnings.len()), (object, n_warnings));
    }
    let found = to_files(&[workload(&[("A", vec![plain("b"), plain("c")])])], &[], open(&context())).unwrap();
    assert_eq!(read(&found.files[0])["stringData"], json!({"A": "bc"}));
    assert_eq!(found.warnings.len(), 1);
    let joined = secret_manifest(json!({"stringData": {"a": {"$concat": ["b", 1]}}}));
    let found = written(&[manifest("m", joined)]).unwrap();
    assert_eq!(read(&found.files[0])["stringData"], json!({"a": "b1"}));
    assert_eq!(
        texts(&found.warnings),
        [
            "resource `postgres.default#db`, manifest `m`: the text of Secret `db` goes to Git as it is\n  hint: keep it in a secret store, and use a reference to it under `stringData`"
        ]
    );
}

#[test]
fn what_cannot_be_a_text_of_a_secret_is_refused() {
    let node = secret_ref("s", "r");
    for (fields, pointer, expected) in [
        (json!({"data": {"a": node}}), "/data/a", "a secret cannot stand under `data`, which is base64"),
        (json!({"data": {"b": "/w=="}, "stringData": {"a": node}}), "/data/b", "bytes that are no UTF-8"),
        (json!({"data": {"b": "?"}, "stringData": {"a": node}}), "/data/b", "it is no base64"),
        (
            json!({"stringData": {"a": node, "b": []}}),
            "/stringData/b",
            "the text of a Secret is expected here, not a list",
        ),
        (json!({"stringData": {"a": {"$secretRef": {"store": "s"}}}}), "/stringData/a", "a reference to a secret has"),
        (
            json!({"stringData": {"a": secret_ref("humanitec", "r")}}),
            "/stringData/a",
            "the secret lies in the store `humanitec`",
        ),
        (json!({"stringData": {"a": {"$field": {"pod": "x"}}}}), "/stringData/a", "what only the Pod knows"),
        (json!({"stringData": {"a": {"b": node}}}), "/stringData/a/b", "a secret cannot stand here"),
        (json!({"data": {"a": [node]}}), "/data/a/0", "a secret cannot stand here"),
        (json!({"stringData": node}), "/stringData", "a secret cannot stand here"),
        (json!({"type": node, "stringData": {"a": "b"}}), "/type", "a secret cannot stand here"),
    ] {
        let found = errors(secret_manifest(fields));
        let start = format!("resource `postgres.default#db`, manifest `m` at {pointer}: Secret `db`: {expected}");
        assert!(found.len() == 1 && found[0].starts_with(&start), "{found:#?}");
    }
    let field = Part::Field(Field::Pod("status.podIP".to_owned()));
    let found = texts(&to_files(&[workload(&[("A", vec![field])])], &[], open(&context())).unwrap_err());
    assert!(found[0].starts_with("workload `web` at /stringData/A: Secret `web-secrets`: what only"), "{found:?}");
}

#[test]
fn one_secret_has_one_maker() {
    let fetched = secret_manifest(json!({"stringData": {"a": secret_ref("s", "r")}}));
    let text = secret_manifest(json!({"stringData": {"a": "b"}}));
    let found = texts(&written(&[manifest("m", fetched.clone()), manifest("n", text)]).unwrap_err());
    assert_eq!(
        found,
        [
            "resource `postgres.default#db`, manifest `m`: Secret `db`: a different object of that kind and name comes from resource `postgres.default#db`, manifest `n`\n  hint: rename one of them"
        ]
    );
    assert_eq!(written(&[manifest("m", fetched.clone()), manifest("n", fetched)]).unwrap().files.len(), 1);
}

#[test]
fn nothing_but_references_gets_into_git() {
    let node = |extra: Value| {
        let mut node = json!({"store": "vault", "ref": "db"});
        node.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "$secretRef": node })
    };
    // A value beside a reference is refused, and not told.
    for bad in [
        node(json!({"value": "canary"})),
        node(json!({"version": {"value": "canary"}})),
        json!({"$secretRef": "canary"}),
    ] {
        for object in [
            secret_manifest(json!({"stringData": {"a": bad}})),
            secret_manifest(json!({"data": {"a": bad}})),
            secret_manifest(json!({"stringData": {"a": [bad]}})),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": bad}}),
        ] {
            let found = written(&[manifest("m", object)]).unwrap_err();
            assert!(!format!("{found:?}{}", texts(&found).concat()).contains("canary"), "{found:?}");
        }
    }
    // And of a reference that is taken, these three fields are all that is written.
    let content = &files(secret_manifest(json!({"stringData": {"a": node(json!({"version": "7"}))}})))[0];
    assert_eq!(
        read(content)["spec"],
        json!({
            "data": [{"secretKey": "a", "remoteRef": {"key": "db", "version": "7"}}],
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"},
            "target": {"name": "db", "creationPolicy": "Owner"},
        })
    );
}
