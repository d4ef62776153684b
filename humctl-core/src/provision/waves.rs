//! Which Workloads and resources come before which: `deploy.when` of the
//! Workloads as waves of a sync tool (spec/score.md §7.8).
//!
//! *Invariant.* Nobody's wave is later than that of who needs it. A wave begins
//! once those before it are healthy, so whoever needed something of a later one
//! would wait for ever.

use std::collections::BTreeMap;

use humctl_api_types::custom_resource::WorkloadSpec;
use humctl_api_types::id::Guresid;

use crate::context::ResourceKey;
use crate::manifests::Wave;
use crate::provision::key_of;
use crate::render::CustomResources;

/// The waves of a Deployment. Everybody is in the first one when no Workload
/// asks to be deployed before the others or after them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Waves {
    workloads: BTreeMap<String, Wave>,
    resources: BTreeMap<ResourceKey, Wave>,
}

impl Waves {
    /// Works out who comes in which wave.
    ///
    /// A resource comes with the first Workload that needs it, directly or
    /// through other resources: earlier would not do, since a volume claim, say,
    /// may be healthy only once a Pod uses it. One that no Workload needs comes
    /// with the last of what it needs itself.
    pub(super) fn of(planned: &CustomResources) -> Self {
        let workloads = || planned.workloads.iter().map(|workload| &workload.spec);
        let resources = || planned.resources.iter().map(|resource| &resource.spec);
        if workloads().all(|workload| wave(workload) == USUAL) {
            return Self::default();
        }
        let mut found: BTreeMap<&Guresid, Wave> = BTreeMap::new();
        for workload in workloads() {
            not_later(&mut found, &workload.depends_on, wave(workload));
        }
        // Consumers first: by then, everybody who needs a resource has told.
        for resource in resources().rev() {
            if let Some(wave) = found.get(&resource.guresid).copied() {
                not_later(&mut found, &resource.depends_on, wave);
            }
        }
        // Producers first: by then, everything that a resource needs has its wave.
        for resource in resources() {
            let last = resource.depends_on.iter().filter_map(|needed| found.get(needed)).max().copied();
            found.entry(&resource.guresid).or_insert(last.unwrap_or_default());
        }
        let in_wave = |id| found.get(id).copied().unwrap_or_default();
        Self {
            workloads: workloads().map(|workload| (workload.id.to_string(), wave(workload))).collect(),
            resources: resources().map(|resource| (key_of(resource), in_wave(&resource.guresid))).collect(),
        }
    }

    /// The wave of a Workload.
    pub(super) fn of_workload(&self, name: &str) -> Wave {
        self.workloads.get(name).copied().unwrap_or_default()
    }

    /// The wave of a resource.
    pub(super) fn of_resource(&self, key: &ResourceKey) -> Wave {
        self.resources.get(key).copied().unwrap_or_default()
    }
}

/// The wave of Workloads that ask for nothing, so that there is one before it.
const USUAL: Wave = Wave(1);

/// The wave that a Workload asks for.
fn wave(workload: &WorkloadSpec) -> Wave {
    match workload.deploy.as_ref().map(|deploy| deploy.when.as_str()) {
        Some("before") => Wave(0),
        Some("after") => Wave(2),
        _ => USUAL,
    }
}

/// Takes note that somebody of this wave needs these.
fn not_later<'r>(found: &mut BTreeMap<&'r Guresid, Wave>, needed: &'r [Guresid], wave: Wave) {
    for id in needed {
        let known = found.entry(id).or_insert(wave);
        *known = wave.min(*known);
    }
}

#[cfg(test)]
mod tests {
    use humctl_api_types::custom_resource::{CustomResource, ResourceSpec};
    use proptest::prelude::*;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;
    use crate::context::tests::{context, key};

    fn resource_key(name: &str) -> ResourceKey {
        key(&format!("s3.default#{name}"))
    }

    fn ids(names: &[String]) -> Value {
        names.iter().map(|name| json!(resource_key(name).guresid(&context()))).collect()
    }

    fn custom_resource<S: DeserializeOwned>(kind: &str, spec: &Value) -> CustomResource<S> {
        let object =
            json!({"apiVersion": "humctl.dev/v1alpha1", "kind": kind, "metadata": {"name": "x"}, "spec": spec});
        serde_json::from_value(object).unwrap()
    }

    fn resource(name: &str, needs: &[String]) -> CustomResource<ResourceSpec> {
        let spec = json!({
            "schemaRevision": 1, "guresid": resource_key(name).guresid(&context()), "type": "s3", "class": "default",
            "id": name, "context": of_nobody(), "definition": {"id": "some"}, "driver": {"type": "humanitec/echo"},
            "dependsOn": ids(needs),
        });
        custom_resource("Resource", &spec)
    }

    fn workload(name: &str, when: &str, needs: &[String]) -> CustomResource<WorkloadSpec> {
        let deploy = json!({"when": when, "success": "deploy", "timeout": 0});
        let spec = json!({
            "schemaRevision": 1, "id": name, "profile": "humanitec/default-module", "context": of_nobody(),
            "resource": resource_key(name).guresid(&context()), "dependsOn": ids(needs), "module": {},
            "deploy": if when.is_empty() { Value::Null } else { deploy },
        });
        custom_resource("Workload", &spec)
    }

    fn of_nobody() -> Value {
        json!({"orgId": "local", "appId": "shop", "envId": "development", "envType": "development"})
    }

    /// `web after: db files` is a Workload, `db: files` a resource; producers first.
    fn planned(rows: &[&str]) -> CustomResources {
        let mut planned = CustomResources::default();
        for row in rows {
            let (who, needs) = row.split_once(':').unwrap();
            let needs: Vec<String> = needs.split_whitespace().map(ToOwned::to_owned).collect();
            match who.split_once(' ') {
                Some((name, when)) => planned.workloads.push(workload(name, when.trim(), &needs)),
                None => planned.resources.push(resource(who, &needs)),
            }
        }
        planned
    }

    /// Who is in which wave; Workloads first, each part sorted.
    fn told(rows: &[&str]) -> String {
        let waves = Waves::of(&planned(rows));
        let workloads = waves.workloads.iter().map(|(name, wave)| format!("{name}={}", wave.0));
        let resources = waves.resources.iter().map(|(key, wave)| format!("{}={}", key.id, wave.0));
        workloads.chain(resources).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn resources_come_with_the_first_who_needs_them() {
        for (rows, expected) in [
            // Nobody asks: there are no waves.
            (&["db:", "web : db", "api deploy: db"][..], ""),
            (&["db:", "web whenever: db"], ""),
            (&["init before:", "web :", "api deploy:", "test after:"], "api=1 init=0 test=2 web=1"),
            // Shared with an earlier one, an own one, and one that nobody needs.
            (&["db:", "own:", "left:", "web : db", "test after: db own"], "test=2 web=1 db=1 left=0 own=2"),
            (&["db:", "init before: db", "web : db"], "init=0 web=1 db=0"),
            // Through others.
            (&["disk:", "db: disk", "init before: db", "web : disk"], "init=0 web=1 db=0 disk=0"),
            (&["a:", "b: a", "c: b", "test after: c", "web : b"], "test=2 web=1 a=1 b=1 c=2"),
            // What nobody needs does not wait for what comes later.
            (&["own:", "watch: own", "more: watch", "test after: own"], "test=2 more=2 own=2 watch=2"),
        ] {
            assert_eq!(told(rows), expected, "{rows:?}");
        }
    }

    /// Needs that point backwards only, as the graph has them.
    fn any_planned() -> impl Strategy<Value = CustomResources> {
        let needs = |n: usize| prop::collection::btree_set(0..n.max(1), 0..4);
        let resources = (0..8_usize).prop_flat_map(move |n| (0..n).map(needs).collect::<Vec<_>>());
        let workloads = prop::collection::vec((prop_oneof!["", "before", "deploy", "after"], needs(8)), 0..4);
        (resources, workloads).prop_map(|(resources, workloads)| {
            let names = |needs: std::collections::BTreeSet<usize>, below: usize| -> Vec<String> {
                needs.into_iter().filter(|number| *number < below).map(|number| format!("r{number}")).collect()
            };
            let n_resources = resources.len();
            let numbered = resources.into_iter().enumerate();
            let made = numbered.map(|(number, needs)| resource(&format!("r{number}"), &names(needs, number)));
            let numbered = workloads.into_iter().enumerate();
            let asked = numbered
                .map(|(number, (when, needs))| workload(&format!("w{number}"), &when, &names(needs, n_resources)));
            CustomResources { resources: made.collect(), workloads: asked.collect(), ..CustomResources::default() }
        })
    }

    proptest! {
        #[test]
        fn nobody_comes_later_than_who_needs_it(planned in any_planned()) {
            let waves = Waves::of(&planned);
            let keys: BTreeMap<&Guresid, ResourceKey> =
                planned.resources.iter().map(|made| (&made.spec.guresid, key_of(&made.spec))).collect();
            let is_in_order = |who: Wave, needed: &[Guresid]| needed.iter().all(|id| waves.of_resource(&keys[id]) <= who);
            for made in &planned.resources {
                prop_assert!(is_in_order(waves.of_resource(&key_of(&made.spec)), &made.spec.depends_on), "{waves:?}");
            }
            for asked in &planned.workloads {
                prop_assert!(is_in_order(waves.of_workload(asked.spec.id.as_str()), &asked.spec.depends_on), "{waves:?}");
            }
            // Nobody waits for less than somebody's sake: where there are waves, a Workload asked for them.
            let asks = |asked: &CustomResource<WorkloadSpec>| wave(&asked.spec) != USUAL;
            prop_assert_eq!(waves == Waves::default(), !planned.workloads.iter().any(asks));
        }
    }
}
