//! What comes out of Workloads and resources together.

mod laws;
mod objects;
mod secrets;

use serde_json::json;

use super::*;
use crate::context::tests::context;

/// A manifest of `postgres.default#db`, in the namespace, without data.
pub(super) fn manifest(name: &str, object: Value) -> ResourceManifest {
    ResourceManifest {
        resource: "postgres.default#db".to_owned(),
        name: name.to_owned(),
        location: Location::Namespace,
        is_stateful: false,
        object,
    }
}

/// A target that takes everything.
pub(super) fn open(context: &EnvironmentContext) -> TargetOptions<'_> {
    TargetOptions {
        context,
        namespace: Some("shop-dev"),
        secrets: SecretObjects::default(),
        allows_cluster_scoped: true,
    }
}

pub(super) fn written(manifests: &[ResourceManifest]) -> Result<Manifests, Vec<ManifestError>> {
    to_files(&[], manifests, open(&context()))
}

/// The files of one manifest.
pub(super) fn files(object: Value) -> Vec<ManifestFile> {
    written(&[manifest("m", object)]).unwrap().files
}

/// The errors of one manifest, as text.
pub(super) fn errors(object: Value) -> Vec<String> {
    texts(&written(&[manifest("m", object)]).unwrap_err())
}

pub(super) fn texts<T: ToString>(found: &[T]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

/// The object of a file.
pub(super) fn read(file: &ManifestFile) -> Value {
    crate::yaml::parse_documents(&file.content).unwrap().remove(0)
}

pub(super) fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

pub(super) fn secret_ref(store: &str, name: &str) -> Value {
    json!({"$secretRef": {"store": store, "ref": name}})
}
