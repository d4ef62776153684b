//! What comes out of Workloads and resources together.

mod external_secrets;
mod laws;
mod objects;
mod secrets;
mod waves;

use serde_json::json;

use super::*;
use crate::context::tests::context;
use crate::objects::text::Part;

/// A manifest of `postgres.default#db`, in the namespace, without data.
pub(super) fn manifest(name: &str, object: Value) -> ResourceManifest {
    ResourceManifest {
        resource: "postgres.default#db".to_owned(),
        name: name.to_owned(),
        location: Location::Namespace,
        is_stateful: false,
        wave: Wave::default(),
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

/// A part of a text.
pub(super) fn secret(store: &str, name: &str) -> Part {
    Part::Secret(json!({"store": store, "ref": name}))
}

/// Another one.
pub(super) fn plain(text: &str) -> Part {
    Part::Plain(text.to_owned())
}

/// A Workload that needs one Secret.
pub(super) fn workload(keys: &[(&str, Vec<Part>)]) -> WorkloadObjects {
    let keys = keys.iter().map(|(key, parts)| ((*key).to_owned(), parts.clone())).collect();
    let secrets = vec![SecretKeys { name: "web-secrets".to_owned(), keys }];
    WorkloadObjects { workload: "web".to_owned(), secrets, ..WorkloadObjects::default() }
}

/// A manifest of a Secret `db`.
pub(super) fn secret_manifest(fields: Value) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}});
    object.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    object
}
