//! A Secret → our own `SecretMapping` (spec/gitops.md §1.4, §2.5), which takes
//! whole secrets and nothing else.

use std::collections::BTreeMap;

use humctl_api_types::custom_resource::{
    API_VERSION, CrMetadata, CustomResource, RemoteRef, SecretData, SecretMappingSpec,
};
use serde_json::{Map, Value, json};

use crate::json;
use crate::manifests::check::Draft;
use crate::manifests::error::{ManifestError, Problem};
use crate::manifests::references::Piece;
use crate::manifests::secret::SecretDraft;
use crate::sync_annotations::is_for_sync_tools;
use crate::yaml::escape_pointer;

/// Makes the mapping that fills a Secret.
pub(super) fn secret_mapping(
    draft: &Draft,
    secret: &SecretDraft,
    labels: BTreeMap<String, String>,
) -> Result<Map<String, Value>, Vec<ManifestError>> {
    let mut errors = Vec::new();
    let mut refuse = |pointer: &str, what| errors.push(draft.error(pointer, Problem::NoMappingFor { what }));
    let mut secret_data = Vec::new();
    for (key, pieces) in &secret.keys {
        if let [Piece::Secret(reference)] = pieces.as_slice() {
            secret_data.push(SecretData {
                secret_key: key.clone(),
                secret_store_name: reference.store.clone(),
                remote_ref: RemoteRef {
                    key: reference.reference.clone(),
                    version: reference.version.clone().unwrap_or_default(),
                },
            });
        } else {
            let is_plain = !pieces.iter().any(Piece::is_secret);
            let what = if is_plain { "plain text beside secrets" } else { "a secret with text around it" };
            refuse(&format!("/{}/{}", secret.field_of(key), escape_pointer(key)), what);
        }
    }
    if secret.secret_type().is_some() {
        refuse("/type", "a type of Secret");
    }
    if secret.is_immutable() {
        refuse("/immutable", "a Secret that never changes");
    }
    if !secret.labels().is_empty() {
        refuse("/metadata/labels", "labels of the Secret");
    }
    let (own, copied): (Map<_, _>, Map<_, _>) =
        secret.annotations().into_iter().partition(|(key, _)| is_for_sync_tools(key));
    if !copied.is_empty() {
        refuse("/metadata/annotations", "annotations of the Secret");
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut object = json::to_object(&CustomResource {
        api_version: API_VERSION.to_owned(),
        kind: "SecretMapping".to_owned(),
        metadata: CrMetadata { name: draft.id.name.clone(), labels, annotations: BTreeMap::new() },
        spec: SecretMappingSpec { secret_name: draft.id.name.clone(), secret_data },
    });
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        if let Some(namespace) = &draft.id.namespace {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
        if !own.is_empty() {
            metadata.insert("annotations".to_owned(), Value::Object(own));
        }
    }
    Ok(object)
}
