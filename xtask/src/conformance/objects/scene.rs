//! One case: a Score file and the Definitions that it is deployed with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::deployment::ConvertScore;
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::time::Timestamp;
use humctl_core::builtin;
use humctl_core::render::CrFile;
use humctl_core::score::convert::convert;
use humctl_core::values::{SharedValue, SharedValues};
use serde_json::{Map, Value, json};

use crate::rendering::{ORG, Organization, cluster, definition, environment};

/// A Definition of a library, for every Application and Environment.
#[derive(Clone)]
pub(super) struct Recipe {
    /// Its id.
    pub(super) id: String,
    /// The `entity` of its manifest.
    pub(super) entity: Value,
}

/// What a Definition is for: type, class and resource id.
type Role = (String, String, Option<String>);

impl Recipe {
    fn text(&self, key: &str) -> &str {
        self.entity[key].as_str().unwrap_or_default()
    }

    pub(super) fn res_type(&self) -> &str {
        self.text("type")
    }

    /// Its rules without what is for one Application or Environment.
    pub(super) fn roles(&self) -> BTreeSet<Role> {
        let text = |rule: &Value, key: &str| rule[key].as_str().map(ToOwned::to_owned);
        let role = |rule: &Value| {
            let class = text(rule, "class").unwrap_or_else(|| "default".to_owned());
            (self.res_type().to_owned(), class, text(rule, "res_id"))
        };
        let rules = self.entity["criteria"].as_array().into_iter().flatten();
        let roles: BTreeSet<Role> = rules.map(role).collect();
        if roles.is_empty() { BTreeSet::from([role(&Value::Null)]) } else { roles }
    }

    /// True when every Deployment has a resource of its type, wanted or not.
    pub(super) fn is_implicit(&self) -> bool {
        self.usage() == "implicit"
    }

    /// True when only other Definitions may ask for its type.
    pub(super) fn is_indirect(&self) -> bool {
        self.usage() == "indirect"
    }

    fn usage(&self) -> String {
        let types = builtin::resource_types();
        types
            .into_iter()
            .find(|info| info.res_type.as_str() == self.res_type())
            .map(|info| info.usage)
            .unwrap_or_default()
    }

    /// A Definition that asks for this one's resources.
    pub(super) fn asker(&self) -> Self {
        let asked = self.roles().into_iter().enumerate().map(|(number, (res_type, class, res_id))| {
            let id = res_id.map(|id| format!("#{id}")).unwrap_or_default();
            (format!("asked-{number}"), json!(format!("${{resources['{res_type}.{class}{id}'].guresid}}")))
        });
        let entity = json!({"type": "redis", "driver_type": "humanitec/echo",
            "driver_inputs": {"values": asked.collect::<Map<_, _>>()}});
        Self { id: "asker".to_owned(), entity }
    }
}

/// Definitions in the order in which they are preferred: one for each role, and
/// stand-ins with all outputs of their type where nobody has one.
fn organization(recipes: &[Recipe], set: &DeploymentSet) -> Result<Organization> {
    let (mut taken, mut chosen) = (BTreeSet::new(), vec![cluster()?]);
    for recipe in recipes {
        let roles: Vec<Role> = recipe.roles().into_iter().filter(|role| taken.insert(role.clone())).collect();
        if !roles.is_empty() {
            chosen.push(defined(&recipe.id, &recipe.entity, &roles)?);
        }
    }
    let mut asked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for resource in set.modules.values().flat_map(|module| module.externals.values()).chain(set.shared.values()) {
        let class = resource.class.as_ref().map_or("default", |class| class.as_str());
        asked.entry(resource.res_type.as_str()).or_default().insert(class);
    }
    let platform = builtin::definitions(&ORG.parse()?, &Timestamp::default());
    for info in builtin::resource_types() {
        let res_type = info.res_type.as_str();
        if platform.iter().any(|definition| definition.res_type == info.res_type) || res_type == "k8s-cluster" {
            continue;
        }
        let classes = asked.get(res_type).into_iter().flatten().copied().chain(["default"]);
        let roles: Vec<Role> = classes
            .map(|class| (res_type.to_owned(), class.to_owned(), None))
            .filter(|role| taken.insert(role.clone()))
            .collect();
        if !roles.is_empty() {
            chosen.push(defined(&format!("stand-in-{res_type}"), &stand_in(res_type, &info.outputs_schema), &roles)?);
        }
    }
    Organization::new(chosen)
}

fn defined(id: &str, entity: &Value, roles: &[Role]) -> Result<ResourceDefinition> {
    let mut entity = entity.clone();
    entity["criteria"] = roles
        .iter()
        .map(|(_, class, res_id)| match res_id {
            Some(res_id) => json!({"class": class, "res_id": res_id}),
            None => json!({"class": class}),
        })
        .collect();
    definition(id, &entity).with_context(|| format!("Definition {id}"))
}

fn stand_in(res_type: &str, outputs: &Map<String, Value>) -> Value {
    let outputs = Value::Object(outputs.clone());
    let part = |name: &str, value: &dyn Fn(&str, &Value) -> Value| -> Map<String, Value> {
        let properties = outputs.pointer(&format!("/properties/{name}/properties")).and_then(Value::as_object);
        properties.into_iter().flatten().map(|(key, schema)| (key.clone(), value(key, schema))).collect()
    };
    let values = part("values", &|key, schema| match schema["type"].as_str() {
        Some("integer") => json!(5432),
        Some("array") => json!([]),
        _ => json!(format!("{key}.example.com")),
    });
    let secrets = part("secrets", &|key, _| json!({"store": "vault", "ref": format!("{res_type}/{key}")}));
    json!({"type": res_type, "driver_type": "humanitec/echo",
        "driver_inputs": {"values": values, "secret_refs": secrets}})
}

/// A Score file with the extension beside it, and with what it reads from files
/// in place.
pub(super) fn score(file: &Path, text: &str) -> Result<DeploymentSet> {
    let mut document = object(text)?;
    for container in document.get_mut("containers").and_then(Value::as_object_mut).into_iter().flatten() {
        inline(file, container.1)?;
    }
    let extension = file.with_file_name("humanitec.score.yaml");
    let extensions = fs::read_to_string(extension).ok().map(|text| object(&text)).transpose()?;
    converted(document, extensions)
}

/// The Deployment Set of a Score file.
pub(super) fn converted(document: Map<String, Value>, extensions: Option<Map<String, Value>>) -> Result<DeploymentSet> {
    let request = ConvertScore {
        spec: document,
        image: Some("registry.example.com/demo:1".to_owned()),
        overrides: None,
        property_overrides: None,
        resource_type_aliases: None,
        extensions,
    };
    convert(&request).map_err(|findings| anyhow!(findings.iter().map(|one| format!("{one}\n")).collect::<String>()))
}

/// The one mapping of a YAML text.
pub(super) fn object(text: &str) -> Result<Map<String, Value>> {
    let documents = humctl_core::yaml::parse_documents(text)?;
    match documents.into_iter().next() {
        Some(Value::Object(object)) => Ok(object),
        _ => Err(anyhow!("there is no mapping")),
    }
}

/// Puts the content of local files in place, as the command line does.
fn inline(file: &Path, container: &mut Value) -> Result<()> {
    let files = match container.get_mut("files") {
        Some(Value::Array(files)) => files.iter_mut().collect::<Vec<_>>(),
        Some(Value::Object(files)) => files.values_mut().collect(),
        _ => Vec::new(),
    };
    for entry in files.into_iter().filter_map(Value::as_object_mut) {
        if let Some(source) = entry.remove("source").and_then(|source| source.as_str().map(ToOwned::to_owned)) {
            entry.insert("content".to_owned(), json!(fs::read_to_string(file.with_file_name(source))?));
        }
    }
    Ok(())
}

/// Renders a Deployment Set with the Definitions it is given, best ones first.
pub(super) fn render(mut set: DeploymentSet, recipes: &[Recipe]) -> Result<Vec<CrFile>> {
    let text = serde_json::to_string(&set)?;
    let named = |start: &str| -> Vec<String> {
        let names = text.split(start).skip(1).map(|rest| rest.split(['}', '.']).next().unwrap_or_default().to_owned());
        names.collect()
    };
    // What others deploy: the Workloads whose services are asked for, and the Shared Values.
    for name in named("${modules.") {
        if !set.modules.contains_key(&name) {
            set.modules.extend(workload(&name, &json!({}))?.modules);
        }
    }
    let values: SharedValues =
        named("${values.").into_iter().map(|key| (key, SharedValue::Plain("{}".to_owned()))).collect();
    let organization = organization(recipes, &set)?;
    let made = organization.library().render(&environment("shop", "development")?, &set, &values)?;
    Ok(made.files.into_iter().chain(made.cluster_files).collect())
}

/// A Workload of one container that asks for these resources.
pub(super) fn workload(name: &str, resources: &Value) -> Result<DeploymentSet> {
    let score = json!({"apiVersion": "score.dev/v1b1", "metadata": {"name": name},
        "containers": {"main": {"image": "busybox", "variables": {"LOG": "info"}}},
        "service": {"ports": {"www": {"port": 80, "targetPort": 8080}}}, "resources": resources});
    converted(score.as_object().cloned().unwrap_or_default(), None)
}

/// A volume of class `default` that lives as long as its Pod.
pub(super) fn ephemeral_volume() -> Recipe {
    let manifest =
        json!({"ephemeral.yaml": {"location": "volumes", "data": "name: {{ .id }}-ephemeral\nemptyDir: {}\n"}});
    let entity = json!({"type": "volume", "driver_type": "humanitec/template",
        "driver_inputs": {"values": {"templates": {"manifests": manifest}}}});
    Recipe { id: "ephemeral-volume".to_owned(), entity }
}

/// A name whose `ingress` comes with it.
pub(super) fn dns_with_ingress() -> Recipe {
    let entity = json!({"type": "dns", "driver_type": "humanitec/echo", "provision": {"ingress": {"is_dependent": false}},
        "driver_inputs": {"values": {"host": "web.example.com"}}});
    Recipe { id: "dns-with-ingress".to_owned(), entity }
}
