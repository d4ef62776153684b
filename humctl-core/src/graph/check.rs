//! What each placeholder asks of the resource it names: an output that is
//! there, secrets only where secrets may stand, an account that exists.

use std::rc::Rc;

use crate::context::ResourceKey;
use crate::graph::build::{Builder, inherit, is_target_resource};
use crate::graph::error::{Place, PlanError};
use crate::graph::outputs::{OutputKind, output_kind};
use crate::graph::scan::{Found, Scan};
use crate::placeholder::{Projection, ResourceRef, Selector};

impl Builder<'_, '_> {
    /// Checks every reference, once the Definition of every resource is known.
    pub(super) fn check_references(&mut self) {
        for reference in std::mem::take(&mut self.set_references) {
            self.check_output(None, &reference.place, &reference.placeholder, reference.to, &reference.path);
        }
        for node in 0..self.drafts.len() {
            let Some(scan) = self.drafts[node].maker.as_ref().map(|maker| Rc::clone(&maker.scan)) else { continue };
            for found in &scan.references {
                // The old form is an error here, and told as one.
                if !matches!(found.projection, Projection::Bare(_)) {
                    self.check_found(node, found);
                }
            }
            for found in scan.provisions.iter().flat_map(|provision| &provision.references) {
                self.check_found(node, found);
            }
            self.check_selected(node, &scan);
        }
    }

    fn check_found(&mut self, node: usize, found: &Found<ResourceRef>) {
        let key = inherit(&found.target, &self.drafts[node].key);
        if let Some(&to) = self.index.get(&key) {
            let Some(place) = self.place_in_definition(node, &found.at) else { return };
            self.check_projection(node, &place, &found.text, to, &found.projection);
        }
    }

    fn check_selected(&mut self, node: usize, scan: &Rc<Scan<'_>>) {
        for found in &scan.selectors {
            let Some(place) = self.place_in_definition(node, &found.at) else { return };
            self.check_selected_types(node, &place, found);
            let selected = self.drafts[node].selected.get(&found.target).cloned().unwrap_or_default();
            for to in selected {
                self.check_projection(node, &place, &found.text, to, &found.projection);
            }
        }
    }

    /// A step to a type that does not exist would select nothing, for ever.
    fn check_selected_types(&mut self, node: usize, place: &Place, found: &Found<Selector>) {
        let steps = found.target.steps.iter().map(|step| &step.res_type);
        for res_type in std::iter::once(&found.target.anchor.res_type).chain(steps) {
            if let Err(suggestion) = self.known_type(res_type.as_str()) {
                let error = PlanError::UnknownTypeSelected {
                    place: place.clone(),
                    placeholder: found.text.clone(),
                    res_type: res_type.to_string(),
                    suggestion,
                };
                self.errors.push((Some(node), error));
            }
        }
    }

    fn place_in_definition(&self, node: usize, at: &str) -> Option<Place> {
        let draft = &self.drafts[node];
        let definition = draft.maker.as_ref()?.rule.definition.id.clone();
        Some(Place::Definition { resource: draft.key.clone(), definition, pointer: at.to_owned() })
    }

    fn check_projection(&mut self, node: usize, place: &Place, text: &str, to: usize, projection: &Projection) {
        match projection {
            Projection::Output(path) | Projection::Bare(path) => self.check_output(Some(node), place, text, to, path),
            Projection::Account => {
                let producer = &self.drafts[to];
                if producer.maker.as_ref().is_some_and(|maker| maker.rule.definition.driver_account.is_none()) {
                    let error = PlanError::UnknownOutput {
                        place: place.clone(),
                        placeholder: text.to_owned(),
                        reason: format!("`{}` has no Cloud Account", producer.key),
                        known: Vec::new(),
                    };
                    self.errors.push((Some(node), error));
                }
            }
            Projection::Values | Projection::Guresid => {}
        }
    }

    /// Checks one output; `node` is the resource whose Definition asks for it.
    fn check_output(&mut self, node: Option<usize>, place: &Place, text: &str, to: usize, path: &[String]) {
        let producer = &self.drafts[to];
        let (Some(maker), Some(name)) = (&producer.maker, path.first()) else { return };
        if self.is_main && is_target_resource(&producer.key) {
            return;
        }
        let key: ResourceKey = producer.key.clone();
        match output_kind(maker.rule.definition, &maker.driver, self.input.types, name) {
            Ok(OutputKind::Value | OutputKind::Unknown) => {}
            Ok(OutputKind::Unlisted) => self.warnings.push(format!(
                "{place}: the Resource Type `{}` lists no output `{name}`, so only its Driver knows whether it is there",
                key.res_type
            )),
            Ok(OutputKind::Secret) => {
                if place.pointer().starts_with("/driver_inputs/values/") {
                    self.warnings.push(format!(
                        "{place}: `${{{text}}}` is a secret output, and `values` are for what is not secret; \
                         put it into `secret_refs` as `{{value: \"${{{text}}}\"}}`"
                    ));
                }
            }
            Err(missing) => {
                let error = PlanError::UnknownOutput {
                    place: place.clone(),
                    placeholder: text.to_owned(),
                    reason: format!("`{key}` has no such output: {}", missing.reason),
                    known: missing.known,
                };
                self.errors.push((node, error));
            }
        }
    }
}
