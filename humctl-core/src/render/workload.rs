//! A module of the Deployment Set → a `Workload` (spec/gitops.md §2.4).

use std::collections::{BTreeMap, BTreeSet};

use humctl_api_types::custom_resource::{CrMetadata, CustomResource, SCHEMA_REVISION, WorkloadSpec};
use humctl_api_types::id::{Guresid, WorkloadId};
use humctl_api_types::set::Module;
use serde_json::{Map, Value};

use crate::context::{ResourceKey, known};
use crate::graph::PlanError;
use crate::graph::error::Place;
use crate::graph::set_index::is_literal_place;
use crate::placeholder::{Expander, Reference, Resolved};
use crate::render::{Renderer, custom_resource, mixing_secret_with_field};
use crate::sync_annotations::{DISABLED, SUBSTITUTE};
use crate::values::SharedValue;

impl Renderer<'_, '_> {
    /// `None` for a name that is no Workload name; the set's index refused it before.
    pub(super) fn workload(&mut self, name: &str, module: &Module) -> Option<CustomResource<WorkloadSpec>> {
        let id = WorkloadId::new(name).ok()?;
        let context = self.resolver.context;
        let resource = known::workload(name);
        let base_env = known::implicit(known::BASE_ENV);
        let needed: BTreeSet<&ResourceKey> = self
            .resolver
            .nodes
            .get(&resource)
            .map(|node| node.depends_on.keys().collect::<BTreeSet<_>>())
            .unwrap_or_default()
            .into_iter()
            .chain([&resource, &base_env])
            .collect();
        let mut depends_on: Vec<Guresid> = needed.iter().map(|key| key.guresid(context)).collect();
        depends_on.sort();
        let externals: BTreeMap<String, Guresid> =
            self.index.externals_of(name).map(|(external, key)| (external.to_owned(), key.guresid(context))).collect();
        let shared: BTreeMap<String, Guresid> = self
            .index
            .all_shared()
            .filter(|(_, key)| needed.contains(key))
            .map(|(shared, key)| (shared.to_owned(), key.guresid(context)))
            .collect();
        let place = |pointer: String| Place::Module { workload: name.to_owned(), pointer };
        let spec = self.in_set(Some(name), &module.spec, "/spec", place);
        let mut mixed = Vec::new();
        mixing_secret_with_field(&spec, &mut "/spec".to_owned(), &mut mixed);
        self.errors.extend(mixed.into_iter().map(|pointer| PlanError::SecretMixed { place: place(pointer) }));
        let spec = WorkloadSpec {
            schema_revision: SCHEMA_REVISION,
            id,
            profile: module.profile.clone(),
            context: self.context(),
            resource: resource.guresid(context),
            depends_on,
            externals,
            shared,
            deploy: module.deploy.clone(),
            module: spec,
        };
        let annotations = BTreeMap::from([(SUBSTITUTE.to_owned(), DISABLED.to_owned())]);
        let metadata = CrMetadata { name: name.to_owned(), labels: self.labels(), annotations };
        Some(custom_resource("Workload", metadata, spec))
    }

    /// Expands an object of the Deployment Set; `place` names where errors stand.
    pub(super) fn in_set(
        &mut self,
        workload: Option<&str>,
        object: &Map<String, Value>,
        pointer: &str,
        place: impl Fn(String) -> Place,
    ) -> Value {
        let mut failures = Vec::new();
        let resolved = Expander {
            is_literal: is_literal_place,
            resolve: &mut |reference| {
                if let Reference::Value(key) = reference
                    && let Some(SharedValue::Reference(_)) = self.resolver.values.get(key)
                {
                    self.secrets.insert(key.clone());
                }
                self.resolver.in_set(self.index, workload, reference)
            },
            failed: &mut |error| failures.push(error),
        }
        .expand_object(object, pointer);
        for error in failures {
            self.failed(place(error.pointer.clone()), error);
        }
        let (Resolved::Known(value) | Resolved::Deferred(value)) = resolved;
        value
    }
}
