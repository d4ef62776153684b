//! One Workload: its module settled and updated, its objects rendered.

use humctl_api_types::custom_resource::WorkloadSpec;
use humctl_api_types::id::Guresid;
use serde_json::{Map, Value, json};

use crate::context::EnvironmentContext;
use crate::graph::PlanError;
use crate::nodes::settle;
use crate::objects::{self, Injected, WorkloadInput};
use crate::plan::update::apply_update;
use crate::provision::{PodPart, RenderedWorkload, Run};

impl Run<'_> {
    pub(super) fn workload(&mut self, spec: &WorkloadSpec) {
        if spec.depends_on.iter().any(|needed| self.absent.contains(needed.as_str())) {
            return;
        }
        let name = spec.id.as_str();
        let not_rendered = |message: String| PlanError::NotRendered { workload: name.to_owned(), message };
        let mut unsettled = Vec::new();
        let module = settle(&spec.module, "/spec", &self.result.outputs, &mut unsettled);
        let told: Vec<String> = unsettled.iter().map(|error| self.named(error)).collect();
        self.errors.extend(told.into_iter().map(|text| not_rendered(format!("workload `{name}` {text}"))));
        let update = self.result.outputs.get(spec.resource.as_str()).and_then(|outputs| outputs.values.get("update"));
        let module = match update {
            None | Some(Value::Null) => module,
            Some(update) => match apply_update(&json!({"spec": module}), update) {
                Ok(mut updated) => updated["spec"].take(),
                Err(reason) => {
                    let made = self.input.resources.resources.iter().find(|made| made.spec.guresid == spec.resource);
                    self.errors.push(match made.map(|made| made.spec.definition.id.clone()) {
                        Some(definition) => PlanError::BadUpdate { workload: name.to_owned(), definition, reason },
                        None => not_rendered(reason),
                    });
                    return;
                }
            },
        };
        let context = EnvironmentContext {
            org: spec.context.org_id.clone(),
            app: spec.context.app_id.clone(),
            env: spec.context.env_id.clone(),
            env_type: spec.context.env_type.clone(),
        };
        let injected = self.injected(spec);
        let rendered = objects::render(WorkloadInput {
            name,
            profile: &spec.profile,
            context: &context,
            module: module.as_object().unwrap_or(&Map::new()),
            injected: &injected,
        });
        match rendered {
            Ok(rendered) => {
                self.result.warnings.extend(rendered.warnings.iter().map(ToString::to_string));
                self.result.workloads.push(RenderedWorkload { name: name.to_owned(), rendered });
            }
            Err(errors) => self.errors.extend(errors.iter().map(|error| not_rendered(error.to_string()))),
        }
    }

    /// What the resources of a Workload put into its Pod.
    fn injected(&self, spec: &WorkloadSpec) -> Injected {
        let parts = |id: &Guresid| self.fragments.get(id.as_str()).into_iter().flatten();
        let mut injected = Injected::default();
        for id in &spec.depends_on {
            for PodPart { is_volume, data } in parts(id) {
                if *is_volume { &mut injected.volumes } else { &mut injected.containers }.push(data.clone());
            }
        }
        let externals = spec.externals.iter().map(|(name, id)| (format!("externals.{name}"), id));
        let shared = spec.shared.iter().map(|(name, id)| (format!("shared.{name}"), id));
        for (reference, id) in externals.chain(shared) {
            let volume = parts(id).find(|part| part.is_volume).and_then(|part| part.data.get("name")?.as_str());
            if let Some(volume) = volume {
                injected.volume_names.insert(reference, volume.to_owned());
            }
        }
        injected
    }
}
