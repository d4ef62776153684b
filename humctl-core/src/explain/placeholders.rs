//! What becomes of each placeholder in the inputs of a resource.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Explainer, PlaceholderFacts, PlaceholderOutcome};
use crate::context::ResourceKey;
use crate::graph::build::{inherit, is_target_resource};
use crate::graph::scan::references_in;
use crate::graph::set_index::is_literal_place;
use crate::graph::{GraphNode, InputScope};
use crate::placeholder::{Projection, Reference, Resolved, visit_strings};
use crate::plan::resolve::{CrResolver, ResolveError, output};
use crate::values::{SecretReference, SharedValue};

/// The placeholders of a node: those of its Definition, then those of its inputs.
pub(super) fn explain<'d>(explainer: &Explainer<'_, 'd>, node: &GraphNode<'d>) -> Vec<PlaceholderFacts> {
    let nodes: BTreeMap<&ResourceKey, &GraphNode<'d>> =
        explainer.plan.graph.nodes.iter().chain(&explainer.target.graph.nodes).map(|node| (&node.key, node)).collect();
    let resolver = CrResolver::new(explainer.input, &nodes, explainer.target, explainer.deploy);
    let definition = node.rule.definition;
    let mut places: Vec<(String, Value, Scope<'_>)> = Vec::new();
    let here = || Scope::Definition(&node.key);
    if let Some(account) = &definition.driver_account {
        places.push(("/driver_account".to_owned(), Value::String(account.clone()), here()));
    }
    if let Some(inputs) = &node.driver.inputs {
        for (part, map) in [("values", &inputs.values), ("secret_refs", &inputs.secret_refs)] {
            places.push((format!("/driver_inputs/{part}"), Value::Object(map.clone()), here()));
        }
    }
    if let Some(inputs) = &node.inputs {
        let scope = match &inputs.scope {
            InputScope::Set { workload } => Scope::Set(workload.as_deref()),
            InputScope::Definition { of } => Scope::Definition(of),
        };
        places.push(("/resource".to_owned(), Value::Object(inputs.value.clone()), scope));
    }
    let teller = Teller { explainer, resolver: &resolver, node };
    let mut found = Vec::new();
    for (base, value, scope) in &places {
        visit_strings(value, base, &mut |pointer, text| {
            // Of a Workload's inputs only its `spec` is expanded, and not all of it.
            if !is_literal_place(pointer.trim_start_matches("/resource")) {
                found.extend(teller.text(pointer, text, scope));
            }
        });
    }
    found
}

/// Whose placeholders a text holds.
enum Scope<'s> {
    /// Those of a Definition that was matched for this resource.
    Definition(&'s ResourceKey),
    /// Those of the Deployment Set, inside this Workload.
    Set(Option<&'s str>),
}

struct Teller<'t, 'p, 'd> {
    explainer: &'t Explainer<'p, 'd>,
    resolver: &'t CrResolver<'t, 'd>,
    node: &'t GraphNode<'d>,
}

impl Teller<'_, '_, '_> {
    fn text(&self, pointer: &str, text: &str, scope: &Scope<'_>) -> Vec<PlaceholderFacts> {
        references_in(text)
            .into_iter()
            .map(|(placeholder, reference)| PlaceholderFacts {
                at: pointer.to_owned(),
                placeholder,
                outcome: match reference {
                    Ok(reference) => self.reference(&reference, scope),
                    Err(reason) => PlaceholderOutcome::Error { reason },
                },
            })
            .collect()
    }

    fn reference(&self, reference: &Reference, scope: &Scope<'_>) -> PlaceholderOutcome {
        match (scope, reference) {
            (Scope::Definition(of), Reference::Resource(target, projection)) => {
                self.output(&inherit(target, of), projection, scope, reference)
            }
            (Scope::Definition(_), Reference::Selected(selector, projection)) => {
                let selected = self.node.selected.get(selector).map(Vec::as_slice).unwrap_or_default();
                PlaceholderOutcome::Selected {
                    from: selected.iter().map(ToString::to_string).collect(),
                    output: output_name(projection),
                }
            }
            (Scope::Set(workload), _) => match self.explainer.index.resolve(*workload, reference) {
                Ok(Some(key)) => self.output(key, &Projection::Output(reference.output().to_vec()), scope, reference),
                _ => self.resolved(reference, scope),
            },
            _ => self.resolved(reference, scope),
        }
    }

    /// An output of another resource, which the graph knows.
    fn output(
        &self,
        key: &ResourceKey,
        projection: &Projection,
        scope: &Scope<'_>,
        reference: &Reference,
    ) -> PlaceholderOutcome {
        let path = match projection {
            Projection::Output(path) | Projection::Bare(path) => Some(path),
            Projection::Values => None,
            Projection::Guresid | Projection::Account => return self.resolved(reference, scope),
        };
        if self.explainer.node(key).is_none() {
            return PlaceholderOutcome::Error { reason: format!("`{key}` has no Definition") };
        }
        if is_target_resource(key)
            && let PlaceholderOutcome::Error { reason } = self.resolved(reference, scope)
        {
            return PlaceholderOutcome::Error { reason };
        }
        let outputs = [&self.explainer.plan.outputs, &self.explainer.target.outputs];
        let known = outputs.into_iter().find_map(|outputs| outputs.get(key));
        PlaceholderOutcome::Output {
            by: key.to_string(),
            output: output_name(projection),
            is_secret: path.is_some_and(|path| self.resolver.is_secret(key, path)),
            value: known.and_then(|known| match path {
                Some(path) => output(&known.values, path),
                None => Some(Value::Object(known.values.clone())),
            }),
        }
    }

    /// What is no output of a resource.
    fn resolved(&self, reference: &Reference, scope: &Scope<'_>) -> PlaceholderOutcome {
        let resolved = match scope {
            Scope::Definition(of) => match self.explainer.node(of) {
                Some(node) => self.resolver.in_definition(node, reference),
                None => Err(ResolveError::NotAllowed(format!("`{of}` has no Definition"))),
            },
            Scope::Set(workload) => self.resolver.in_set(self.explainer.index, *workload, reference),
        };
        match (resolved, reference) {
            (Ok(Resolved::Known(value)), _) => PlaceholderOutcome::Value { value },
            (Ok(Resolved::Deferred(_)), Reference::Value(key)) => match self.explainer.input.values.get(key) {
                Some(SharedValue::Reference(SecretReference { store, reference, .. })) => {
                    PlaceholderOutcome::Secret { store: store.clone(), reference: reference.clone() }
                }
                _ => PlaceholderOutcome::Error { reason: format!("there is no Shared Value `{key}`") },
            },
            (Ok(Resolved::Deferred(_)), Reference::Pod(field)) => PlaceholderOutcome::Pod { field: field.clone() },
            (Ok(Resolved::Deferred(_)), Reference::Container { container, resource }) => {
                PlaceholderOutcome::Pod { field: format!("{resource} of container {container}") }
            }
            (Ok(Resolved::Deferred(value)), _) => PlaceholderOutcome::Value { value },
            (Err(error), _) => PlaceholderOutcome::Error { reason: reason(error) },
        }
    }
}

fn output_name(projection: &Projection) -> Option<String> {
    match projection {
        Projection::Output(path) | Projection::Bare(path) => Some(path.join(".")),
        Projection::Guresid => Some("guresid".to_owned()),
        Projection::Account => Some("account".to_owned()),
        Projection::Values => None,
    }
}

fn reason(error: ResolveError) -> String {
    match error {
        ResolveError::NotAllowed(reason)
        | ResolveError::Undeclared { reason, .. }
        | ResolveError::NoOutput { reason, .. } => reason,
        ResolveError::StoredValue(key) => {
            format!("the Shared Value `{key}` is a secret that only the Orchestrator holds")
        }
    }
}
