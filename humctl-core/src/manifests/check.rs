//! What every object needs, and what only a server writes into it.

use serde_json::{Map, Value};

use crate::manifests::error::{ManifestError, Place, Problem, Source};
use crate::manifests::references;
use crate::manifests::scope::is_cluster_scoped;
use crate::manifests::{Location, Wave};
use crate::yaml::inside;

/// `apiVersion` and kind of a Secret, the one object that may hold secrets.
pub(super) const SECRET: (&str, &str) = ("v1", "Secret");

/// What makes an object unique in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectId {
    /// Group of its `apiVersion`.
    pub(super) group: String,
    pub(super) kind: String,
    /// Its namespace, if that is not the Environment's.
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

impl ObjectId {
    /// What it is, for people.
    pub(super) fn label(&self) -> String {
        label(&self.kind, &self.name)
    }
}

fn label(kind: &str, name: &str) -> String {
    format!("{kind} `{name}`")
}

/// An object on its way to a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) place: Place,
    pub(super) id: ObjectId,
    /// The Secret that the cluster makes from it.
    pub(super) makes: Option<ObjectId>,
    pub(super) object: Map<String, Value>,
    pub(super) traits: Traits,
    pub(super) is_cluster_scoped: bool,
}

/// What an object has from where it comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// Data is lost with it.
    pub(super) is_stateful: bool,
    pub(super) wave: Wave,
}

impl Draft {
    /// An error at a pointer into the object.
    pub(super) fn error(&self, pointer: &str, problem: Problem) -> ManifestError {
        ManifestError { place: self.place.inside(pointer), object: Some(self.id.label()), problem }
    }

    /// The object that takes the place of this Secret.
    pub(super) fn becoming(mut self, object: Map<String, Value>) -> Self {
        let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let id =
            ObjectId { group: group(text("apiVersion")).to_owned(), kind: text("kind").to_owned(), ..self.id.clone() };
        self.makes = Some(std::mem::replace(&mut self.id, id));
        self.object = object;
        self
    }
}

/// Group of an `apiVersion`; empty for Kubernetes' first one.
fn group(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

/// Fields of `metadata` that only a server writes.
const SERVER_MADE: &[&str] =
    &["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// kubectl's copy of what was applied, text of Secrets included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// True for what Kubernetes takes as a name. Roles may be called nearly anything.
fn is_name(name: &str, group: &str) -> bool {
    if group == "rbac.authorization.k8s.io" {
        return !matches!(name, "." | "..") && !name.contains(['/', '%']) && !name.chars().any(char::is_control);
    }
    let is_small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|part| {
            part.starts_with(is_small) && part.ends_with(is_small) && part.chars().all(|c| is_small(c) || c == '-')
        })
}

/// Finds what templates print in the place of keys that are not there.
fn without_value(value: &Value, pointer: &mut String, problems: &mut Vec<(String, Problem)>) {
    match value {
        Value::String(text) if text.contains("<no value>") => problems.push((pointer.clone(), Problem::NoValue)),
        Value::Object(object) => {
            for (key, item) in object {
                inside(pointer, key, |pointer| without_value(item, pointer, problems));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(pointer, &index.to_string(), |pointer| without_value(item, pointer, problems));
            }
        }
        _ => {}
    }
}

/// Reads an object, without what only a server writes and without the
/// Environment's own `namespace`, which the sync tool gives (spec/gitops.md §2.2).
pub(super) fn read(
    place: &Place,
    mut object: Map<String, Value>,
    location: Location,
    namespace: Option<&str>,
) -> Result<Draft, Vec<ManifestError>> {
    let mut problems = Vec::new();
    let api_version = text(&object, "apiVersion", "apiVersion", &mut problems);
    let kind = text(&object, "kind", "kind", &mut problems);
    let mut metadata = mapping(object.get("metadata"), "metadata", &mut problems);
    mapping(metadata.get("labels"), "metadata.labels", &mut problems);
    let mut annotations = mapping(metadata.get("annotations"), "metadata.annotations", &mut problems);
    let name = if metadata.contains_key("generateName") && !metadata.contains_key("name") {
        problems.push(Problem::GenerateName);
        String::new()
    } else {
        text(&metadata, "name", "metadata.name", &mut problems)
    };
    if !name.is_empty() && !is_name(&name, group(&api_version)) {
        problems.push(Problem::BadName { name: name.clone() });
    }
    let mut problems: Vec<(String, Problem)> = problems.into_iter().map(|problem| (String::new(), problem)).collect();
    // What a person wrote into a Score file stands as it is.
    if matches!(place.source, Source::Resource { .. }) {
        for (key, item) in &object {
            inside(&mut String::new(), key, |pointer| without_value(item, pointer, &mut problems));
        }
    }
    if (api_version.as_str(), kind.as_str()) != SECRET {
        references::left_over(&object, &mut problems);
    }
    if !problems.is_empty() {
        let object = (!kind.is_empty() && !name.is_empty()).then(|| label(&kind, &name));
        let error = |(pointer, problem): (String, _)| ManifestError {
            place: place.inside(&pointer),
            object: object.clone(),
            problem,
        };
        return Err(problems.into_iter().map(error).collect());
    }
    metadata.retain(|key, value| match key.as_str() {
        "labels" | "annotations" => !value.is_null(),
        key => !SERVER_MADE.contains(&key),
    });
    if annotations.remove(LAST_APPLIED).is_some() {
        metadata.insert("annotations".to_owned(), Value::Object(annotations));
    }
    let own = metadata.get("namespace").and_then(Value::as_str).filter(|own| !own.is_empty()).map(ToOwned::to_owned);
    let is_cluster_scoped = is_cluster_scoped(group(&api_version), &kind, location, own.is_some());
    let own = own.filter(|own| !is_cluster_scoped && Some(own.as_str()) != namespace);
    if own.is_none() {
        metadata.remove("namespace");
    }
    object.remove("status");
    object.insert("metadata".to_owned(), Value::Object(metadata));
    let id = ObjectId { group: group(&api_version).to_owned(), kind, namespace: own, name };
    Ok(Draft { place: place.clone(), id, makes: None, object, traits: Traits::default(), is_cluster_scoped })
}

fn text(object: &Map<String, Value>, key: &str, field: &'static str, problems: &mut Vec<Problem>) -> String {
    match object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()) {
        Some(text) => text.to_owned(),
        None => {
            problems.push(Problem::Missing { field });
            String::new()
        }
    }
}

fn mapping(value: Option<&Value>, field: &'static str, problems: &mut Vec<Problem>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            problems.push(Problem::NoMapping { field });
            Map::new()
        }
    }
}
