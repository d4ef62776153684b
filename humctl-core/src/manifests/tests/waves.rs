//! Objects that come after others.

use serde_json::json;

use super::*;

const WAVE: &str = "/metadata/annotations/argocd.argoproj.io~1sync-wave";

/// File and wave of each object, one a line.
fn waves(found: &Manifests) -> String {
    let line = |file: &ManifestFile| {
        let object = read(file);
        format!("{}: {}\n", file.name, object.pointer(WAVE).and_then(Value::as_str).unwrap_or("-"))
    };
    found.files.iter().map(line).collect()
}

#[test]
fn every_object_has_the_wave_of_where_it_comes_from() {
    let own_wave = json!({"apiVersion": "v1", "kind": "Service", "metadata": {
        "name": "own", "annotations": {"argocd.argoproj.io/sync-wave": "-1"}}});
    let of_workload = WorkloadObjects {
        objects: vec![Object(config_map("web")), Object(own_wave)],
        wave: Wave(2),
        ..workload(&[("A", vec![secret("s", "a")])])
    };
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        config_map("listed"), secret_manifest(json!({"stringData": {"k": secret_ref("s", "b")}}))]});
    let in_wave = |wave, object| ResourceManifest { wave: Wave(wave), ..manifest("m", object) };
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk"}});
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}});
    let manifests = [
        in_wave(1, list),
        in_wave(1, claim),
        in_wave(0, config_map("first")),
        in_wave(2, role),
        in_wave(1, config_map("web")),
    ];
    let context = context();
    let found = to_files(&[of_workload], &manifests, open(&context)).unwrap();
    // What two bring comes with the first of them.
    insta::assert_snapshot!(waves(&found), @"
    clusterrole-r.yaml: 2
    configmap-first.yaml: -
    configmap-listed.yaml: 1
    configmap-web.yaml: 1
    externalsecret-db.yaml: 1
    externalsecret-web-secrets.yaml: 2
    persistentvolumeclaim-disk.yaml: 1
    service-own.yaml: -1
    ");
    let claim = found.files.iter().find(|file| file.kind == "PersistentVolumeClaim").unwrap();
    insta::assert_snapshot!(claim.content, @r#"
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata:
      annotations:
        argocd.argoproj.io/compare-options: IgnoreExtraneous
        argocd.argoproj.io/sync-options: Prune=false,Delete=false
        argocd.argoproj.io/sync-wave: "1"
        kustomize.toolkit.fluxcd.io/prune: disabled
      name: disk
    "#);
    let mappings = TargetOptions { secrets: SecretObjects::SecretMappings, ..open(&context) };
    let of_workload = WorkloadObjects { wave: Wave(1), ..workload(&[("A", vec![secret("s", "a")])]) };
    insta::assert_snapshot!(waves(&to_files(&[of_workload], &[], mappings).unwrap()), @"secretmapping-web-secrets.yaml: 1");
}
