//! Secrets of Workloads and of resources, as the objects that fetch them.

use serde_json::json;

use super::*;
use crate::objects::text::{Field, Part};

fn secret(store: &str, name: &str) -> Part {
    Part::Secret(json!({"store": store, "ref": name}))
}

fn plain(text: &str) -> Part {
    Part::Plain(text.to_owned())
}

fn workload(keys: &[(&str, Vec<Part>)]) -> WorkloadObjects {
    let keys = keys.iter().map(|(key, parts)| ((*key).to_owned(), parts.clone())).collect();
    let secrets = vec![SecretKeys { name: "web-secrets".to_owned(), keys }];
    WorkloadObjects { workload: "web".to_owned(), objects: Vec::new(), secrets }
}

fn file_of(keys: &[(&str, Vec<Part>)]) -> String {
    let found = to_files(&[workload(keys)], &[], open(&context())).unwrap();
    assert_eq!((found.files[0].name.as_str(), found.files.len()), ("externalsecret-web-secrets.yaml", 1));
    found.files[0].content.clone()
}

fn manifest_of(fields: Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}});
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    object
}

#[test]
fn whole_secrets_of_one_store() {
    let versioned = Part::Secret(json!({"store": "vault", "ref": "db/password", "version": "3"}));
    insta::assert_snapshot!(file_of(&[("PASSWORD", vec![versioned]), ("TOKEN", vec![secret("vault", "token")])]), @"
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      labels:
        app.kubernetes.io/managed-by: humctl
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: web
      name: web-secrets
    spec:
      data:
      - remoteRef:
          key: db/password
          version: \"3\"
        secretKey: PASSWORD
      - remoteRef:
          key: token
        secretKey: TOKEN
      secretStoreRef:
        kind: ClusterSecretStore
        name: vault
      target:
        creationPolicy: Owner
        name: web-secrets
    ");
}

#[test]
fn mixed_texts_of_two_stores() {
    let url = vec![plain("pg://u{{x}}:"), secret("vault", "db"), plain("@h/{"), secret("aws", "name"), plain("}")];
    insta::assert_snapshot!(file_of(&[("PASSWORD", vec![secret("vault", "db")]), ("URL", url)]), @r#"
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      labels:
        app.kubernetes.io/managed-by: humctl
        humanitec.io/app: shop
        humanitec.io/env: development
        humanitec.io/workload: web
      name: web-secrets
    spec:
      data:
      - remoteRef:
          key: db
        secretKey: s1
        sourceRef:
          storeRef:
            kind: ClusterSecretStore
            name: vault
      - remoteRef:
          key: name
        secretKey: s2
        sourceRef:
          storeRef:
            kind: ClusterSecretStore
            name: aws
      target:
        creationPolicy: Owner
        name: web-secrets
        template:
          data:
            PASSWORD: "{{ .s1 }}"
            URL: pg://u{{ "{{" }}x}}:{{ .s1 }}@h/{{ "{" }}{{ .s2 }}}
          engineVersion: v2
          metadata:
            labels:
              app.kubernetes.io/managed-by: humctl
              humanitec.io/app: shop
              humanitec.io/env: development
              humanitec.io/workload: web
    "#);
}

#[test]
fn a_secret_manifest_with_everything() {
    let object = manifest_of(json!({
        "metadata": {
            "name": "db", "namespace": "data",
            "labels": {"team": "db"},
            "annotations": {"note": "{{x}}", "argocd.argoproj.io/sync-wave": "1"},
        },
        "type": "acme.example/db",
        "immutable": true,
        "data": {"host": "ZGIubG9j\nYWw=", "user": "aWdub3JlZA=="},
        "stringData": {"user": "u", "port": 5432, "password": secret_ref("vault", "db")},
    }));
    let found = written(&[ResourceManifest { is_stateful: true, ..manifest("m", object) }]).unwrap();
    assert_eq!(found.files[0].name, "externalsecret-data.db.yaml");
    insta::assert_snapshot!(found.files[0].content, @r#"
    apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata:
      annotations:
        argocd.argoproj.io/compare-options: IgnoreExtraneous
        argocd.argoproj.io/sync-options: Prune=false,Delete=false
        argocd.argoproj.io/sync-wave: "1"
        kustomize.toolkit.fluxcd.io/prune: disabled
      labels:
        app.kubernetes.io/managed-by: humctl
        humanitec.io/app: shop
        humanitec.io/env: development
        team: db
      name: db
      namespace: data
    spec:
      data:
      - remoteRef:
          key: db
        secretKey: s1
      secretStoreRef:
        kind: ClusterSecretStore
        name: vault
      target:
        creationPolicy: Owner
        immutable: true
        name: db
        template:
          data:
            host: db.local
            password: "{{ .s1 }}"
            port: "5432"
            user: u
          engineVersion: v2
          metadata:
            annotations:
              note: "{{ \"{{\" }}x}}"
            labels:
              app.kubernetes.io/managed-by: humctl
              humanitec.io/app: shop
              humanitec.io/env: development
              team: db
          type: acme.example/db
    "#);
}

#[test]
fn a_type_alone_needs_no_texts() {
    let object = manifest_of(
        json!({"type": "kubernetes.io/tls", "stringData": {"tls.key": secret_ref("s", "k"), "tls.crt": secret_ref("s", "c")}}),
    );
    let spec = read(&files(object)[0])["spec"].clone();
    assert_eq!(spec["target"]["template"]["type"], "kubernetes.io/tls");
    assert_eq!(spec["target"]["template"].get("data"), None);
    assert_eq!(spec["data"][0], json!({"secretKey": "tls.crt", "remoteRef": {"key": "c"}}));
}

#[test]
fn stores_may_be_those_of_the_namespace() {
    let context = context();
    let secrets = SecretObjects::ExternalSecrets { store_kind: StoreKind::SecretStore };
    let options = TargetOptions { secrets, ..open(&context) };
    let found = to_files(&[workload(&[("A", vec![secret("s", "a")])])], &[], options).unwrap();
    assert_eq!(read(&found.files[0])["spec"]["secretStoreRef"], json!({"kind": "SecretStore", "name": "s"}));
}

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

    let object = manifest_of(json!({
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
        let object = manifest_of(fields);
        let found = written(&[manifest("m", object.clone())]).unwrap();
        assert_eq!((read(&found.files[0]), found.warnings.len()), (object, n_warnings));
    }
    let joined = manifest_of(json!({"stringData": {"a": {"$concat": ["b", 1]}}}));
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
        (json!({"stringData": node}), "/stringData", "a secret cannot stand here"),
        (json!({"type": node, "stringData": {"a": "b"}}), "/type", "a secret cannot stand here"),
    ] {
        let found = errors(manifest_of(fields));
        let start = format!("resource `postgres.default#db`, manifest `m` at {pointer}: Secret `db`: {expected}");
        assert!(found.len() == 1 && found[0].starts_with(&start), "{found:#?}");
    }
    let field = Part::Field(Field::Pod("status.podIP".to_owned()));
    let found = texts(&to_files(&[workload(&[("A", vec![field])])], &[], open(&context())).unwrap_err());
    assert!(found[0].starts_with("workload `web` at /stringData/A: Secret `web-secrets`: what only"), "{found:?}");
}

#[test]
fn one_secret_has_one_maker() {
    let fetched = manifest_of(json!({"stringData": {"a": secret_ref("s", "r")}}));
    let text = manifest_of(json!({"stringData": {"a": "b"}}));
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
            manifest_of(json!({"stringData": {"a": bad}})),
            manifest_of(json!({"data": {"a": bad}})),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": bad}}),
        ] {
            let found = written(&[manifest("m", object)]).unwrap_err();
            assert!(!format!("{found:?}{}", texts(&found).concat()).contains("canary"), "{found:?}");
        }
    }
    // And of a reference that is taken, these three fields are all that is written.
    let content = &files(manifest_of(json!({"stringData": {"a": node(json!({"version": "7"}))}})))[0];
    assert_eq!(
        read(content)["spec"],
        json!({
            "data": [{"secretKey": "a", "remoteRef": {"key": "db", "version": "7"}}],
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": "vault"},
            "target": {"name": "db", "creationPolicy": "Owner"},
        })
    );
}
