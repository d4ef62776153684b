//! Secrets as objects of the External Secrets Operator.

use serde_json::json;

use super::*;

fn file_of(keys: &[(&str, Vec<Part>)]) -> String {
    let found = to_files(&[workload(keys)], &[], open(&context())).unwrap();
    assert_eq!((found.files[0].name.as_str(), found.files.len()), ("externalsecret-web-secrets.yaml", 1));
    found.files[0].content.clone()
}

#[test]
fn whole_secrets_of_one_store() {
    let versioned = Part::Secret(json!({"store": "vault", "ref": "db#password", "version": "3"}));
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
          key: db
          property: password
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
    let object = secret_manifest(json!({
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
    let object = secret_manifest(
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
