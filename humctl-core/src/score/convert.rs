//! `ScoreSpec` → Deployment Set, field by field (spec/score.md §3, §5).

use std::collections::BTreeMap;

use humctl_api_types::deployment::ConvertScore;
use humctl_api_types::id::{Class, ResId, ResourceType};
use humctl_api_types::score::{ScoreContainer, ScoreFile, ScoreProbe, ScoreResource, ScoreSpec};
use humctl_api_types::set::{DeclaredResource, DeploymentSet, Module};
use serde_json::{Map, Value, json};

use crate::placeholder::protect;
use crate::score::extension::{self, Extension, Scope};
use crate::score::rewrite::{Names, ResourceName};
use crate::score::{Finding, Level, check, merge};
use crate::yaml::escape_pointer;

/// Annotation by which a resource names its id, from before Score had `id`.
const RES_ID_ANNOTATION: &str = "score.humanitec.io/resId";
const MANAGED_BY: &str = "humanitec.io/managed-by";

/// The document that a request amounts to: the Score file with its overrides,
/// properties and image in place.
///
/// # Errors
/// A property whose path does not fit the document.
pub fn effective_document(request: &ConvertScore) -> Result<Map<String, Value>, Finding> {
    let mut document = request.spec.clone();
    if let Some(overrides) = &request.overrides {
        merge::merge(&mut document, overrides);
    }
    for (path, value) in request.property_overrides.iter().flatten() {
        merge::set_property(&mut document, path, value)
            .map_err(|reason| Finding::error("", format!("property `{path}`: {reason}")))?;
    }
    if let Some(image) = &request.image {
        merge::set_image(&mut document, image);
    }
    Ok(document)
}

/// Converts a Score file with everything that goes with it.
///
/// # Errors
/// Every finding, when at least one is an error.
pub fn convert(request: &ConvertScore) -> Result<DeploymentSet, Vec<Finding>> {
    let document = effective_document(request).map_err(|finding| vec![finding])?;
    let (spec, _) = crate::score::parse(&document)?;
    let aliases = request.resource_type_aliases.clone().unwrap_or_default();
    let (extension, mut findings) = request.extensions.as_ref().map(extension::read).unwrap_or_default();
    let document = Value::Object(document);
    findings.extend(check::check_extension(&document, &extension));
    let mut conversion = Conversion { spec: &spec, extension: &extension, findings, aliases: &aliases };
    let set = conversion.run();
    if conversion.findings.iter().any(|finding| finding.level == Level::Error) {
        conversion.findings.sort();
        return Err(conversion.findings);
    }
    Ok(set)
}

struct Conversion<'s> {
    spec: &'s ScoreSpec,
    extension: &'s Extension,
    findings: Vec<Finding>,
    aliases: &'s BTreeMap<String, String>,
}

/// Where a resource of a Score file goes in the Deployment Set.
enum Destination {
    /// `environment`: the Shared Values.
    Values,
    /// `service`: another Workload.
    Service,
    /// A private resource under this name.
    External(String),
    /// A private resource of another Workload, declared there.
    Foreign(String),
    /// A shared resource: key, and id when it differs from the key.
    Shared { key: String, id: Option<String> },
}

impl Conversion<'_> {
    fn run(&mut self) -> DeploymentSet {
        let (spec, extension) = (self.spec, self.extension);
        let mut names = Names { metadata: spec.metadata.all.clone(), ..Names::default() };
        let mut destinations = BTreeMap::new();
        for (name, resource) in &spec.resources {
            if let Some(destination) = self.destination(name, resource) {
                names.resources.insert(name.clone(), resource_name(name, &destination));
                destinations.insert(name.clone(), destination);
            }
        }
        let mut module = Module { profile: "humanitec/default-module".to_owned(), ..Module::default() };
        let mut shared = BTreeMap::new();
        for (name, destination) in destinations {
            let resource = &spec.resources[&name];
            match destination {
                Destination::External(key) => {
                    if let Some(declared) = self.declare(&name, resource, None, &names) {
                        module.externals.insert(key, declared);
                    }
                }
                Destination::Shared { key, id } => {
                    if let Some(declared) = self.declare(&name, resource, id, &names) {
                        shared.insert(key, declared);
                    }
                }
                Destination::Values | Destination::Service | Destination::Foreign(_) => {}
            }
        }
        module.spec = self.module_spec(&names);
        if let Some(profile) = &extension.profile {
            module.profile.clone_from(profile);
        }
        merge::merge(&mut module.spec, &names.rewrite_object(&extension.spec));
        module.deploy.clone_from(&extension.deploy);
        set_annotation(&mut module.spec, MANAGED_BY, "score-humanitec");
        DeploymentSet { modules: BTreeMap::from([(spec.metadata.name.to_string(), module)]), shared }
    }

    // --- Resources ---------------------------------------------------------

    fn destination(&mut self, name: &str, resource: &ScoreResource) -> Option<Destination> {
        match resource.res_type.as_str() {
            "environment" => return Some(Destination::Values),
            "service" => return Some(Destination::Service),
            _ => {}
        }
        let annotation = resource.metadata.as_ref().and_then(|metadata| metadata.annotations.get(RES_ID_ANNOTATION));
        let class = resource.class.as_deref().unwrap_or("default");
        if let Some(id) = &resource.id {
            return self.by_id(name, id, class);
        }
        match annotation {
            None if self.extension.scopes.get(name) == Some(&Scope::Shared) => Some(shared(name, class)),
            None => Some(Destination::External(name.to_owned())),
            Some(id) => self.by_annotation(name, id, class),
        }
    }

    /// Reads Score's `id` with the annotation's grammar; any other dotted text
    /// is one shared id (spec/score.md §3.3).
    fn by_id(&mut self, name: &str, id: &str, class: &str) -> Option<Destination> {
        match id.split('.').collect::<Vec<_>>().as_slice() {
            ["externals" | "shared", _] | ["modules", _, "externals", ..] => self.by_annotation(name, id, class),
            _ => Some(shared(id, class)),
        }
    }

    fn by_annotation(&mut self, name: &str, id: &str, class: &str) -> Option<Destination> {
        let own = self.spec.metadata.name.as_str();
        match id.splitn(4, '.').collect::<Vec<_>>().as_slice() {
            ["externals", key] if !key.is_empty() => Some(Destination::External((*key).to_owned())),
            ["shared", key] if !key.is_empty() => Some(shared(key, class)),
            ["modules", workload, "externals", key] if *workload == own => {
                Some(Destination::External((*key).to_owned()))
            }
            ["modules", _, "externals", _] => Some(Destination::Foreign(id.to_owned())),
            _ => {
                let pointer = format!("/resources/{}", escape_pointer(name));
                self.findings
                    .push(Finding::error(pointer, format!("invalid resource reference '{id}': not supported.")));
                None
            }
        }
    }

    fn declare(
        &mut self,
        name: &str,
        resource: &ScoreResource,
        id: Option<String>,
        names: &Names,
    ) -> Option<DeclaredResource> {
        let pointer = format!("/resources/{}", escape_pointer(name));
        let res_type = self.aliases.get(&resource.res_type).unwrap_or(&resource.res_type);
        let class = resource.class.as_deref().unwrap_or("default");
        let built = (|| {
            Ok::<_, humctl_api_types::id::IdError>(DeclaredResource {
                res_type: ResourceType::new(res_type)?,
                class: Some(Class::new(class)?),
                params: (!resource.params.is_empty()).then(|| names.rewrite_object(&resource.params)),
                id: id.map(ResId::new).transpose()?,
            })
        })();
        built.map_err(|error| self.findings.push(Finding::error(pointer, error.to_string()))).ok()
    }

    // --- The module's spec -------------------------------------------------

    fn module_spec(&mut self, names: &Names) -> Map<String, Value> {
        let mut spec = Map::new();
        let containers: Map<String, Value> = self
            .spec
            .containers
            .iter()
            .map(|(name, container)| (name.clone(), Value::Object(container_spec(name, container, names))))
            .collect();
        spec.insert("containers".to_owned(), Value::Object(containers));
        let ports: Map<String, Value> = self
            .spec
            .service
            .iter()
            .flat_map(|service| &service.ports)
            .map(|(name, port)| {
                let value = json!({
                    "protocol": port.protocol.as_deref().unwrap_or("TCP"),
                    "service_port": port.port,
                    "container_port": port.target_port.unwrap_or(port.port),
                });
                (name.clone(), value)
            })
            .collect();
        if !ports.is_empty() {
            spec.insert("service".to_owned(), json!({ "ports": ports }));
        }
        let annotations = &self.spec.metadata.annotations;
        if !annotations.is_empty() {
            spec.insert("pod".to_owned(), json!({ "annotations": annotations }));
        }
        spec
    }
}

fn shared(id: &str, class: &str) -> Destination {
    if class == "default" {
        Destination::Shared { key: id.to_owned(), id: None }
    } else {
        // Several classes of one id must not share a key.
        Destination::Shared { key: format!("{id}-class-{class}"), id: Some(format!("shared.{id}")) }
    }
}

fn resource_name(name: &str, destination: &Destination) -> ResourceName {
    let (bare, prefix) = match destination {
        Destination::Values => ("values".to_owned(), "values".to_owned()),
        Destination::Service => (format!("modules.{name}"), format!("modules.{name}.service")),
        Destination::External(key) => (format!("externals.{key}"), format!("externals.{key}")),
        Destination::Foreign(id) => (id.clone(), id.clone()),
        Destination::Shared { key, .. } if key.contains('.') => (format!("shared.{key}"), format!("shared['{key}']")),
        Destination::Shared { key, .. } => (format!("shared.{key}"), format!("shared.{key}")),
    };
    ResourceName { bare, prefix }
}

fn container_spec(name: &str, container: &ScoreContainer, names: &Names) -> Map<String, Value> {
    let mut spec = Map::new();
    let mut put = |key: &str, value: Value| {
        let is_empty = match &value {
            Value::Array(items) => items.is_empty(),
            Value::Object(object) => object.is_empty(),
            Value::Null => true,
            _ => false,
        };
        if !is_empty {
            spec.insert(key.to_owned(), value);
        }
    };
    put("id", json!(name));
    put("image", json!(container.image));
    put("command", json!(container.command));
    put("args", json!(container.args));
    let variables: Map<String, Value> =
        container.variables.iter().map(|(key, text)| (key.clone(), Value::String(names.rewrite(text)))).collect();
    put("variables", Value::Object(variables));
    let files: Map<String, Value> =
        container.files.iter().map(|(target, file)| (target.clone(), file_spec(file, names))).collect();
    put("files", Value::Object(files));
    let mounts: Map<String, Value> = container
        .volumes
        .iter()
        .map(|(target, volume)| {
            let mount = json!({
                "id": names.rewrite(&volume.source),
                "sub_path": volume.path.as_deref().unwrap_or_default(),
                "read_only": volume.read_only.unwrap_or_default(),
            });
            (target.clone(), mount)
        })
        .collect();
    put("volume_mounts", Value::Object(mounts));
    put("before", json!(container.before));
    if let Some(resources) = &container.resources {
        let mut quantities = Map::new();
        for (key, part) in [("limits", &resources.limits), ("requests", &resources.requests)] {
            if let Some(part) = part.as_ref().filter(|part| part.cpu.is_some() || part.memory.is_some()) {
                quantities.insert(key.to_owned(), json!(part));
            }
        }
        put("resources", Value::Object(quantities));
    }
    for (key, probe) in [("liveness_probe", &container.liveness_probe), ("readiness_probe", &container.readiness_probe)]
    {
        put(key, probe.as_ref().map(probe_spec).unwrap_or_default());
    }
    spec
}

fn file_spec(file: &ScoreFile, names: &Names) -> Value {
    let mode = file.mode.as_deref().unwrap_or_default();
    if let Some(bytes) = &file.binary_content {
        return json!({"mode": mode, "binary_value": bytes});
    }
    // `source` was read and inlined by the client; what is left of one is empty.
    let text = file.content.as_deref().unwrap_or_default();
    let value = if file.no_expand { protect(text) } else { names.rewrite(text) };
    json!({"mode": mode, "value": value})
}

fn probe_spec(probe: &ScoreProbe) -> Value {
    if let Some(exec) = &probe.exec {
        return json!({"type": "command", "command": exec.command});
    }
    let Some(http) = &probe.http_get else { return Value::Null };
    let mut spec = Map::from_iter([
        ("type".to_owned(), json!("http")),
        ("path".to_owned(), json!(http.path)),
        ("port".to_owned(), json!(http.port)),
    ]);
    if let Some(host) = &http.host {
        spec.insert("host".to_owned(), json!(host));
    }
    if let Some(scheme) = &http.scheme {
        spec.insert("scheme".to_owned(), json!(scheme));
    }
    if !http.http_headers.is_empty() {
        let headers: Map<String, Value> =
            http.http_headers.iter().map(|header| (header.name.clone(), json!(header.value))).collect();
        spec.insert("headers".to_owned(), Value::Object(headers));
    }
    Value::Object(spec)
}

fn set_annotation(spec: &mut Map<String, Value>, key: &str, value: &str) {
    let annotations = spec.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(annotations) = annotations {
        annotations.insert(key.to_owned(), Value::String(value.to_owned()));
    }
}
