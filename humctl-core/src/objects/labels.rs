//! Labels of the objects of a Workload (spec/score.md §7.1).
//!
//! Those that say what an object belongs to are ours, whatever a module says:
//! the Deployment and the Service find the Pods by two of them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::context::EnvironmentContext;
use crate::objects::WorkloadInput;
use crate::objects::report::{Report, inside};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Labels that tell what an object belongs to; one of a resource belongs to no
/// Workload.
pub(crate) fn belonging(context: &EnvironmentContext, workload: Option<&str>) -> BTreeMap<String, String> {
    let labels = [
        (MANAGED_BY, Some("humctl")),
        ("humanitec.io/app", Some(context.app.as_str())),
        ("humanitec.io/env", Some(context.env.as_str())),
        ("humanitec.io/workload", workload),
    ];
    labels.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect()
}

/// Labels of the objects of a Workload.
pub(super) struct Labels {
    selector: Map<String, Value>,
    object: Map<String, Value>,
}

impl Labels {
    pub(super) fn new(input: &WorkloadInput<'_>) -> Self {
        let named = ["app.kubernetes.io/instance", "app.kubernetes.io/name"];
        let selector: Map<String, Value> = named.into_iter().map(|key| (key.to_owned(), json!(input.name))).collect();
        let belonging = belonging(input.context, Some(input.name));
        let mut object: Map<String, Value> = belonging.into_iter().map(|(key, value)| (key, json!(value))).collect();
        object.extend(selector.clone());
        Self { selector, object }
    }

    /// What selects the Pods.
    pub(super) fn selector(&self) -> &Map<String, Value> {
        &self.selector
    }

    /// Labels of every object.
    pub(super) fn of_object(&self) -> &Map<String, Value> {
        &self.object
    }

    /// Metadata of an object: its own labels and annotations, and ours. The
    /// pointer is that of what has `labels` and `annotations`.
    pub(super) fn metadata(
        &self,
        name: &str,
        given: &Map<String, Value>,
        pointer: &str,
        report: &mut Report,
    ) -> Map<String, Value> {
        let mut labels = report.strings(given, "labels", pointer);
        self.put_ours(&mut labels, &inside(pointer, "labels"), report);
        let mut metadata = Map::from_iter([("name".to_owned(), json!(name)), ("labels".to_owned(), labels.into())]);
        let annotations = report.strings(given, "annotations", pointer);
        if !annotations.is_empty() {
            metadata.insert("annotations".to_owned(), annotations.into());
        }
        metadata
    }

    /// Puts our labels of a Pod over given ones. Who manages it says the object
    /// that makes it.
    pub(super) fn put_on_pod(&self, labels: &mut Map<String, Value>, pointer: &str, report: &mut Report) {
        let managed_by = labels.remove_entry(MANAGED_BY);
        self.put_ours(labels, pointer, report);
        labels.remove(MANAGED_BY);
        labels.extend(managed_by);
    }

    fn put_ours(&self, labels: &mut Map<String, Value>, pointer: &str, report: &mut Report) {
        for (key, ours) in &self.object {
            let given = labels.insert(key.clone(), ours.clone());
            if given.is_some_and(|given| given != *ours) {
                report.warn(
                    &inside(pointer, key),
                    format!(
                        "this label tells what an object belongs to, and stays {ours}\n  hint: use another name for it"
                    ),
                );
            }
        }
    }
}
