//! Secrets that only the Orchestrator holds: those that Definitions and Shared
//! Values give as values. They go to a secret store before anything is made,
//! and are called by what they are there.

use std::borrow::Cow;
use std::collections::BTreeMap;

use humctl_api_types::id::OrgId;
use serde_json::Value;

use crate::driver::template::reference_nodes;
use crate::graph::PlanError;
use crate::nodes::{each, literal};
use crate::provision::key_of;
use crate::provision::outside::{KeptSecrets, Outside};
use crate::render::CustomResources;
use crate::values::{OWN_STORE, SecretReference};

/// The field of a secret that has only one.
const FIELD: &str = "value";

/// Puts every held secret that custom resources name into the store. Registered
/// Drivers get theirs by value, so that these stay.
pub(super) fn kept<'r>(
    resources: &'r CustomResources,
    outside: &dyn Outside,
    errors: &mut Vec<PlanError>,
) -> Cow<'r, CustomResources> {
    let mut moved = Cow::Borrowed(resources);
    for (index, resource) in resources.resources.iter().enumerate() {
        let spec = &resource.spec;
        let Some(tree) = spec.driver_inputs.as_ref().and_then(|inputs| inputs.secret_refs.as_ref()) else { continue };
        let nodes = tree.as_object().map(reference_nodes).unwrap_or_default();
        if !names_held(&nodes) || outside.has_driver(&spec.driver.driver_type) {
            continue;
        }
        let mut keeper = Keeper { outside, org: &spec.context.org_id, failed: None };
        let kept = keeper.replace(&nodes);
        match keeper.failed {
            None => {
                if let Some(inputs) = &mut moved.to_mut().resources[index].spec.driver_inputs {
                    inputs.secret_refs = Some(kept);
                }
            }
            Some(reason) => {
                let (resource, definition) = (key_of(spec), spec.definition.id.clone());
                errors.push(PlanError::SecretStore { resource, definition, reason });
            }
        }
    }
    for (index, workload) in resources.workloads.iter().enumerate() {
        let spec = &workload.spec;
        if !names_held(&spec.module) {
            continue;
        }
        let mut keeper = Keeper { outside, org: &spec.context.org_id, failed: None };
        let kept = keeper.replace(&spec.module);
        match keeper.failed {
            None => moved.to_mut().workloads[index].spec.module = kept,
            Some(reason) => errors.push(PlanError::NotRendered {
                workload: spec.id.to_string(),
                message: format!(
                    "workload `{}` uses a secret Shared Value that belongs into a secret store: {reason}",
                    spec.id
                ),
            }),
        }
    }
    moved
}

/// The held secret that a node names.
fn held(value: &Value) -> Option<SecretReference> {
    let leaf = value.as_object().filter(|object| object.len() == 1)?.get("$secretRef")?;
    SecretReference::read(leaf).filter(|reference| reference.store == OWN_STORE)
}

fn names_held(value: &Value) -> bool {
    held(value).is_some()
        || (literal(value).is_none()
            && match value {
                Value::Object(object) => object.values().any(names_held),
                Value::Array(items) => items.iter().any(names_held),
                _ => false,
            })
}

struct Keeper<'k> {
    outside: &'k dyn Outside,
    org: &'k OrgId,
    failed: Option<String>,
}

impl Keeper<'_> {
    fn replace(&mut self, value: &Value) -> Value {
        if let Some(reference) = held(value) {
            return self.keep(&reference).unwrap_or_else(|reason| {
                self.failed.get_or_insert(reason);
                Value::Null
            });
        }
        match literal(value) {
            Some(_) => value.clone(),
            None => each(value, &mut |_, item| self.replace(item)),
        }
    }

    fn keep(&self, held: &SecretReference) -> Result<Value, String> {
        // A place of its own for each version: who still uses an old one does not bring it back for others.
        let version = held.version.as_ref().map(|version| format!("/{version}")).unwrap_or_default();
        let path = format!("humctl/{}/held/{}{version}", self.org, held.reference);
        let fields = BTreeMap::from([(FIELD.to_owned(), self.outside.secret(held)?)]);
        let kept = self.outside.keep(&KeptSecrets { path, fields, are_new: false });
        let kept = kept.ok_or("there is none that takes values")??;
        kept.get(FIELD).map(SecretReference::node).ok_or_else(|| "it is not there".to_owned())
    }
}
