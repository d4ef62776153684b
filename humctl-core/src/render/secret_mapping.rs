//! The secret Shared Values that an Environment uses → one `SecretMapping`
//! (spec/gitops.md §1.4, §2.5).

use std::collections::BTreeMap;

use humctl_api_types::custom_resource::{CrMetadata, CustomResource, RemoteRef, SecretData, SecretMappingSpec};

use crate::render::{Renderer, custom_resource};
use crate::sync_annotations::{DISABLED, SUBSTITUTE};
use crate::values::{SecretReference, SharedValue};

/// Name of the mapping, and of the Kubernetes Secret that it fills.
const NAME: &str = "shared-secrets";

impl Renderer<'_, '_> {
    /// The mapping, when any secret was met; to be asked last.
    pub(super) fn secret_mapping(&self) -> Option<CustomResource<SecretMappingSpec>> {
        let secret_data: Vec<SecretData> = self
            .secrets
            .iter()
            .filter_map(|key| match self.resolver.values.get(key)? {
                SharedValue::Reference(SecretReference { store, reference, version }) => Some(SecretData {
                    secret_key: key.clone(),
                    secret_store_name: store.clone(),
                    remote_ref: RemoteRef { key: reference.clone(), version: version.clone().unwrap_or_default() },
                }),
                SharedValue::Plain(_) | SharedValue::Stored(_) => None,
            })
            .collect();
        if secret_data.is_empty() {
            return None;
        }
        let annotations = BTreeMap::from([(SUBSTITUTE.to_owned(), DISABLED.to_owned())]);
        let metadata = CrMetadata { name: NAME.to_owned(), labels: self.labels(), annotations };
        let spec = SecretMappingSpec { secret_name: NAME.to_owned(), secret_data };
        Some(custom_resource("SecretMapping", metadata, spec))
    }
}
