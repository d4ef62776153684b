//! A node of the Resource Graph → a `Resource` (spec/gitops.md §2.3).

use std::collections::BTreeMap;

use humctl_api_types::custom_resource::{
    CrDefinition, CrDriver, CrDriverInputs, CrMetadata, CustomResource, GROUP, ResourceSpec, SCHEMA_REVISION,
};
use serde_json::{Map, Value, json};

use crate::graph::error::Place;
use crate::graph::export::depends_on;
use crate::graph::scan::SecretLeaf;
use crate::graph::{GraphNode, InputScope, Origin};
use crate::placeholder::{Expander, Resolved, nothing_literal};
use crate::plan::resolve::ResolveError;
use crate::render::{Renderer, custom_resource, label_value};
use crate::sync_annotations::{DISABLED, KEPT, SUBSTITUTE};
use crate::yaml::escape_pointer;

impl Renderer<'_, '_> {
    pub(super) fn resource(&mut self, node: &GraphNode<'_>) -> CustomResource<ResourceSpec> {
        let definition = node.rule.definition;
        let account =
            definition.driver_account.as_ref().map(|account| self.text_in_definition(node, account, "/driver_account"));
        let driver_inputs = node.driver.inputs.as_deref().map(|inputs| CrDriverInputs {
            values: (!inputs.values.is_empty())
                .then(|| self.in_definition(node, &inputs.values, "/driver_inputs/values")),
            secret_refs: (!inputs.secret_refs.is_empty())
                .then(|| Value::Object(self.secret_refs(node, &inputs.secret_refs, "/driver_inputs/secret_refs"))),
        });
        let spec = ResourceSpec {
            schema_revision: SCHEMA_REVISION,
            guresid: node.guresid.clone(),
            res_type: node.key.res_type.clone(),
            class: node.key.class.clone(),
            id: node.key.id.clone(),
            context: self.context(),
            definition: CrDefinition { id: definition.id.clone() },
            driver: CrDriver {
                driver_type: node.driver.driver_type.to_string(),
                account,
                in_place_change: definition.in_place_driver_change,
            },
            driver_inputs,
            params: self.params(node),
            depends_on: depends_on(node, self.resolver.context),
            outputs_schema: self
                .resolver
                .types
                .get(node.key.res_type.as_str())
                .map(|info| info.outputs_schema.clone())
                .unwrap_or_default(),
        };
        let mut labels = self.labels();
        labels.insert(format!("{GROUP}/res-type"), label_value(node.key.res_type.as_str()));
        labels.insert(format!("{GROUP}/res-class"), label_value(node.key.class.as_str()));
        let metadata = CrMetadata { name: node.guresid.to_string(), labels, annotations: annotations(node) };
        custom_resource("Resource", metadata, spec)
    }

    /// Resource inputs, read in the language of whoever gave them.
    fn params(&mut self, node: &GraphNode<'_>) -> Option<Value> {
        let inputs = node.inputs.as_ref()?;
        match &inputs.scope {
            InputScope::Definition { of } => match self.resolver.nodes.get(of).copied() {
                Some(giver) => Some(self.in_definition(giver, &inputs.value, "/provision")),
                None => Some(Value::Object(inputs.value.clone())),
            },
            InputScope::Set { workload } => {
                let place = |pointer: String| match (&node.origin, workload) {
                    (Origin::Shared { key }, _) => Place::Shared { key: key.clone(), pointer },
                    (_, Some(workload)) => Place::Module { workload: workload.clone(), pointer },
                    (_, None) => Place::Shared { key: node.key.to_string(), pointer },
                };
                let base = match &node.origin {
                    Origin::External { name, .. } => format!("/externals/{}/params", escape_pointer(name)),
                    Origin::Shared { .. } => "/params".to_owned(),
                    _ => String::new(),
                };
                Some(self.in_set(workload.as_deref(), &inputs.value, &base, place))
            }
        }
    }

    fn in_definition(&mut self, node: &GraphNode<'_>, object: &Map<String, Value>, pointer: &str) -> Value {
        self.expanded(node, |expander| expander.expand_object(object, pointer))
    }

    fn text_in_definition(&mut self, node: &GraphNode<'_>, text: &str, pointer: &str) -> Value {
        self.expanded(node, |expander| expander.expand(&Value::String(text.to_owned()), pointer))
    }

    fn expanded(
        &mut self,
        node: &GraphNode<'_>,
        expand: impl FnOnce(&mut Expander<'_, ResolveError>) -> Resolved,
    ) -> Value {
        let mut failures = Vec::new();
        let resolved = expand(&mut Expander {
            is_literal: nothing_literal,
            resolve: &mut |reference| self.resolver.in_definition(node, reference),
            failed: &mut |error| failures.push(error),
        });
        for error in failures {
            let place = Place::Definition {
                resource: node.key.clone(),
                definition: node.rule.definition.id.clone(),
                pointer: error.pointer.clone(),
            };
            self.failed(place, error);
        }
        let (Resolved::Known(value) | Resolved::Deferred(value)) = resolved;
        value
    }

    /// The secret inputs: references stay, placeholders become `$secretRef`
    /// nodes. Values cannot get here, the planner refuses them.
    fn secret_refs(&mut self, node: &GraphNode<'_>, tree: &Map<String, Value>, pointer: &str) -> Map<String, Value> {
        tree.iter()
            .map(|(name, value)| {
                let pointer = format!("{pointer}/{}", escape_pointer(name));
                let rendered = match SecretLeaf::read(value) {
                    Some(SecretLeaf::Value(text)) => self.secret_placeholder(node, text, &pointer),
                    Some(SecretLeaf::Stored | SecretLeaf::Reference) => value.clone(),
                    None => match value {
                        Value::Object(inner) => Value::Object(self.secret_refs(node, inner, &pointer)),
                        other => other.clone(),
                    },
                };
                (name.clone(), rendered)
            })
            .collect()
    }

    fn secret_placeholder(&mut self, node: &GraphNode<'_>, text: &str, pointer: &str) -> Value {
        let rendered = self.text_in_definition(node, text, pointer);
        match rendered.get("$ref") {
            // In this place the output is a secret, whatever the type's schema says.
            Some(reference) => json!({ "$secretRef": reference }),
            None => rendered,
        }
    }
}

/// Annotations that keep a real resource alive when its file leaves Git, and its
/// text as it is. And which Driver the Definition names, when another one makes
/// the resource (spec/drivers.md §17).
fn annotations(node: &GraphNode<'_>) -> BTreeMap<String, String> {
    let always = KEPT.into_iter().chain([(SUBSTITUTE, DISABLED)]);
    let mut annotations: BTreeMap<String, String> =
        always.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if let Some(driver_type) = node.driver.lowered_from {
        annotations.insert(format!("{GROUP}/lowered-from"), driver_type.to_owned());
    }
    annotations
}
