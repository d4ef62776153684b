//! Where a main graph starts: the Environment, the Workloads and the resources
//! that the Deployment Set declares (spec/resource-model.md §6.3, steps 1 and 2).

use serde_json::{Map, Value, json};

use crate::context::{ResourceKey, known};
use crate::graph::build::{Builder, SetReference};
use crate::graph::error::{Place, PlanError};
use crate::graph::place::SetPlace;
use crate::graph::scan::references_in;
use crate::graph::set_index::{SetIndex, SetReferenceError, is_literal_place};
use crate::graph::{InputScope, NodeInputs, Origin, Reason};
use crate::placeholder::{Reference, parse, visit_strings};
use crate::values::SharedValue;
use crate::yaml::escape_pointer;

/// A string of the Deployment Set and the nodes that need what it names.
struct SetText<'t> {
    workload: Option<&'t str>,
    place: Place,
    text: &'t str,
    /// Each node with the reason of its edges.
    from: Vec<(usize, Reason)>,
}

impl Builder<'_, '_> {
    pub(super) fn seed(&mut self, index: &SetIndex<'_>) {
        let inputs = |value: Map<String, Value>, workload: Option<&str>| {
            Some(NodeInputs { value, scope: InputScope::Set { workload: workload.map(ToOwned::to_owned) } })
        };
        let env_id = json!(self.input.context.env);
        self.add(
            known::implicit(known::BASE_ENV),
            inputs(Map::from_iter([("id".to_owned(), env_id)]), None),
            Origin::Implicit,
        );
        for (workload, module) in &index.set.modules {
            if module.spec.get("ingress").is_some_and(|ingress| !ingress.is_null()) {
                self.errors.push((None, PlanError::LegacyIngress { workload: workload.clone() }));
            }
            let spec = Map::from_iter([
                ("id".to_owned(), json!(workload)),
                ("spec".to_owned(), Value::Object(module.spec.clone())),
            ]);
            self.add(known::workload(workload), inputs(spec, Some(workload)), Origin::Implicit);
            for (name, key) in index.externals_of(workload) {
                let params = module.externals.get(name).and_then(|resource| resource.params.clone());
                let origin = Origin::External { workload: workload.clone(), name: name.to_owned() };
                self.declare(key, params.and_then(|params| inputs(params, Some(workload))), origin);
            }
        }
        for (name, key) in index.all_shared() {
            let params = index.set.shared.get(name).and_then(|resource| resource.params.clone());
            self.declare(key, params.and_then(|params| inputs(params, None)), Origin::Shared { key: name.to_owned() });
        }
        self.declared_edges(index);
    }

    /// Adds a resource of the Deployment Set after checking that its type may stand there.
    fn declare(&mut self, key: &ResourceKey, inputs: Option<NodeInputs>, origin: Origin) {
        let is_shared = matches!(origin, Origin::Shared { .. });
        let node = self.add(key.clone(), inputs, origin);
        let error = match self.input.types.get(key.res_type.as_str()) {
            Some(info) if info.usage != "direct" => {
                PlanError::TypeNotAllowed { resource: key.clone(), usage: info.usage.clone() }
            }
            Some(_) if is_shared && key.res_type.as_str() == known::POD_AUTOSCALER => {
                PlanError::PrivateOnly { resource: key.clone() }
            }
            _ => return,
        };
        self.errors.push((Some(node), error));
    }

    fn declared_edges(&mut self, index: &SetIndex<'_>) {
        for (workload, module) in &index.set.modules {
            let node = self.node(&known::workload(workload));
            for (_, key) in index.externals_of(workload) {
                self.edge(node, self.node(key), Reason::Declared);
            }
            for (pointer, text) in strings_of(&module.spec, "/spec") {
                if is_literal_place(&pointer) {
                    continue;
                }
                let at = pointer.as_str().into();
                let place = Place::Module { workload: workload.clone(), pointer };
                let from = vec![(node, Reason::Placeholder { at })];
                self.set_text(index, &SetText { workload: Some(workload), place, text, from });
            }
            for (pointer, key) in mounted_resources(&module.spec, index, workload) {
                self.edge(node, self.node(key), Reason::Placeholder { at: pointer.into() });
            }
            for (name, key) in index.externals_of(workload) {
                let Some(params) = module.externals.get(name).and_then(|resource| resource.params.as_ref()) else {
                    continue;
                };
                let external = self.node(key);
                let base = format!("/externals/{}/params", escape_pointer(name));
                for (pointer, text) in strings_of(params, &base) {
                    let at: std::sync::Arc<str> = pointer.as_str().into();
                    // References in the params of a private resource count for its Workload too.
                    let from = vec![(external, Reason::Params { at: at.clone() }), (node, Reason::Placeholder { at })];
                    let place = Place::Module { workload: workload.clone(), pointer };
                    self.set_text(index, &SetText { workload: Some(workload), place, text, from });
                }
                self.check_route(key, params);
            }
        }
        for (name, key) in index.all_shared() {
            let Some(params) = index.set.shared.get(name).and_then(|resource| resource.params.as_ref()) else {
                continue;
            };
            let node = self.node(key);
            for (pointer, text) in strings_of(params, "/params") {
                let from = vec![(node, Reason::Params { at: pointer.as_str().into() })];
                let place = Place::Shared { key: name.to_owned(), pointer };
                self.set_text(index, &SetText { workload: None, place, text, from });
            }
            self.check_route(key, params);
        }
    }

    /// A route finds its ingress through the `dns` resource that its host names.
    fn check_route(&mut self, key: &ResourceKey, params: &Map<String, Value>) {
        let is_plain = |host: &Value| host.as_str().is_some_and(|host| !crate::placeholder::has_placeholder(host));
        if key.res_type.as_str() == "route" && params.get("host").is_some_and(is_plain) {
            self.warnings.push(format!(
                "`{key}`: the param `host` names no output of a `dns` resource, so no ingress will have this route"
            ));
        }
    }

    /// Adds the edges for the placeholders in one string of the Deployment Set.
    fn set_text(&mut self, index: &SetIndex<'_>, text: &SetText<'_>) {
        let is_whole = parse(text.text).is_ok_and(|template| template.single().is_some());
        for (placeholder, reference) in references_in(text.text) {
            let bad = |reason: String| PlanError::BadPlaceholder {
                place: text.place.clone(),
                placeholder: placeholder.clone(),
                reason,
            };
            let reference = match reference {
                Ok(reference) => reference,
                Err(reason) => {
                    self.errors.push((None, bad(reason)));
                    continue;
                }
            };
            if let Some(reason) = SetPlace::of(text.place.pointer()).refuses(&reference, is_whole) {
                self.errors.push((None, bad(reason.to_owned())));
                continue;
            }
            match (index.resolve(text.workload, &reference), &reference) {
                (Ok(Some(key)), _) => {
                    let to = self.node(key);
                    for (node, reason) in &text.from {
                        self.edge(*node, to, reason.clone());
                    }
                    let place = text.place.clone();
                    self.set_references.push(SetReference {
                        place,
                        placeholder,
                        to,
                        path: reference.output().to_vec(),
                    });
                }
                (Ok(None), Reference::Value(key)) => self.shared_value(&text.place, placeholder, key),
                (Ok(None), _) => {}
                (Err(SetReferenceError::NotAllowed(reason)), _) => self.errors.push((None, bad(reason))),
                (Err(SetReferenceError::Undeclared { reason, known }), _) => {
                    let place = text.place.clone();
                    self.errors.push((None, PlanError::Undeclared { place, placeholder, reason, known }));
                }
            }
        }
    }

    fn shared_value(&mut self, place: &Place, placeholder: String, key: &str) {
        let place = place.clone();
        let error = match self.input.values.get(key) {
            Some(SharedValue::Plain(_) | SharedValue::Reference(_)) => return,
            Some(SharedValue::Stored(_)) if self.input.keeps_secrets() => return,
            Some(SharedValue::Stored(_)) => PlanError::StoredValue { place, key: key.to_owned() },
            None => PlanError::Undeclared {
                place,
                placeholder,
                reason: format!("there is no Shared Value `{key}`; make it with: humctl create value {key} VALUE"),
                known: self.input.values.keys().map(ToOwned::to_owned).collect(),
            },
        };
        self.errors.push((None, error));
    }
}

/// The strings with placeholders inside a map, with their pointers.
fn strings_of<'v>(map: &'v Map<String, Value>, pointer: &str) -> Vec<(String, &'v str)> {
    let mut found = Vec::new();
    for (key, value) in map {
        let pointer = format!("{pointer}/{}", escape_pointer(key));
        visit_strings(value, &pointer, &mut |pointer, text| found.push((pointer.to_owned(), text)));
    }
    found
}

/// Resources that volume mounts name without a placeholder: `id: externals.N`.
fn mounted_resources<'i>(
    spec: &Map<String, Value>,
    index: &'i SetIndex<'_>,
    workload: &str,
) -> Vec<(String, &'i ResourceKey)> {
    let mut found = Vec::new();
    for (container, content) in spec.get("containers").and_then(Value::as_object).into_iter().flatten() {
        for (path, mount) in content.get("volume_mounts").and_then(Value::as_object).into_iter().flatten() {
            let named = mount.get("id").and_then(Value::as_str).and_then(|id| id.split_once('.'));
            let key = match named {
                Some(("externals", name)) => index.external(workload, name),
                Some(("shared", name)) => index.shared(name),
                _ => None,
            };
            let at =
                || format!("/spec/containers/{}/volume_mounts/{}/id", escape_pointer(container), escape_pointer(path));
            found.extend(key.map(|key| (at(), key)));
        }
    }
    found
}
