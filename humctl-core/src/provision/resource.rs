//! One resource: its inputs settled, its Driver run.

use humctl_api_types::custom_resource::ResourceSpec;
use serde_json::{Map, Value};

use crate::driver::template::{self, Made, SettledCall, reference_nodes};
use crate::driver::{self, DriverCall, DriverError};
use crate::graph::PlanError;
use crate::nodes::{ResourceOutputs, is_node, settle};
use crate::provision::{PodPart, ResourceObject, Run, key_of};
use crate::secret::{SecretScanner, SecretValue};

impl Run<'_> {
    pub(super) fn resource(&mut self, spec: &ResourceSpec) {
        let guresid = spec.guresid.to_string();
        if let Some(outputs) = self.input.given.of(&key_of(spec)) {
            self.result.outputs.insert(guresid, outputs.clone());
            return;
        }
        if spec.depends_on.iter().any(|needed| self.absent.contains(needed.as_str())) {
            self.absent.insert(guresid);
            return;
        }
        match self.make(spec) {
            Ok((made, made_up)) => self.take(spec, made, &made_up),
            Err(error) => {
                self.errors.push(error);
                self.absent.insert(guresid);
            }
        }
    }

    /// Runs the Driver of a resource. With what it made come the random texts
    /// that it made up.
    fn make(&mut self, spec: &ResourceSpec) -> Result<(Made, Vec<SecretValue>), PlanError> {
        let failed = |reason: String| PlanError::DriverFailed {
            resource: key_of(spec),
            definition: spec.definition.id.clone(),
            reason,
        };
        let driver_type = spec.driver.driver_type.as_str();
        let Some(in_process) = driver::in_process(driver_type) else {
            return Err(PlanError::NotProvisioned {
                resource: key_of(spec),
                definition: spec.definition.id.clone(),
                driver_type: driver_type.to_owned(),
            });
        };
        let inputs = spec.driver_inputs.clone().unwrap_or_default();
        let mut unsettled = Vec::new();
        let mut settled = |value: Option<Value>, pointer: &str| {
            settle(&value.unwrap_or_else(|| Value::Object(Map::new())), pointer, &self.result.outputs, &mut unsettled)
        };
        let values = settled(inputs.values, "/driver_inputs/values");
        let secrets = settled(inputs.secret_refs, "/driver_inputs/secret_refs");
        let resource = settled(spec.params.clone(), "/params");
        if !unsettled.is_empty() {
            let reasons: Vec<String> = unsettled.iter().map(ToString::to_string).collect();
            return Err(failed(reasons.join("\n  ")));
        }
        let secrets = reference_nodes(secrets.as_object().unwrap_or(&Map::new()));
        if driver_type == template::DRIVER_TYPE {
            let nothing = Value::Null;
            let mut random = (self.input.random)(spec.guresid.as_str());
            let made = template::make(SettledCall {
                values: &values,
                secrets: &secrets,
                resource: &resource,
                guresid: spec.guresid.as_str(),
                cookie: self.input.cookies.0.get(spec.guresid.as_str()).unwrap_or(&nothing),
                random: &mut random,
            });
            let made = made.map_err(|error| failed(told(&error)))?;
            let made_up = made_up(&made, random.drawn());
            if !random.drawn().is_empty() {
                self.result.drawn_for.push(key_of(spec));
            }
            return Ok((made, made_up));
        }
        // The others hand on what they get.
        let object = |value: Value| match value {
            Value::Object(object) => object,
            _ => Map::new(),
        };
        let call = DriverCall {
            values: object(values),
            secret_refs: object(secrets),
            guresid: spec.guresid.to_string(),
            ..DriverCall::default()
        };
        let outputs = in_process.provision(call).map_err(|error| failed(told(&error)))?;
        let (values, secrets, manifests) = (outputs.values, outputs.secret_refs, outputs.manifests);
        Ok((Made { values, secrets, manifests, cookie: Value::Null }, Vec::new()))
    }

    /// Keeps what a Driver made.
    fn take(&mut self, spec: &ResourceSpec, made: Made, made_up: &[SecretValue]) {
        let guresid = spec.guresid.to_string();
        let mut in_clear = Vec::new();
        texts(&Value::Object(made.secrets.clone()), "", &mut in_clear);
        let made_up = SecretScanner::new(made_up);
        for (name, fragment) in &made.manifests {
            made_up_keys(&fragment["data"], &made_up, &format!("manifest {name}"), &mut in_clear);
        }
        if !in_clear.is_empty() {
            self.errors.push(PlanError::SecretOutputs {
                resource: key_of(spec),
                definition: spec.definition.id.clone(),
                outputs: in_clear,
            });
        }
        for (name, fragment) in made.manifests {
            let data = fragment.get("data").cloned().unwrap_or_default();
            match fragment.get("location").and_then(Value::as_str) {
                Some(location @ ("containers" | "volumes")) => {
                    let part = PodPart { is_volume: location == "volumes", data };
                    self.fragments.entry(guresid.clone()).or_default().push(part);
                }
                location => self.result.objects.push(ResourceObject {
                    resource: key_of(spec),
                    name,
                    is_for_cluster: location == Some("cluster"),
                    object: data,
                }),
            }
        }
        if !made.cookie.is_null() {
            self.result.cookies.0.insert(guresid.clone(), made.cookie);
        }
        self.result.outputs.insert(guresid, ResourceOutputs { values: made.values, secret_refs: made.secrets });
    }
}

/// What keeps a Driver from making something, with what to do about a secret.
fn told(error: &DriverError) -> String {
    match error {
        DriverError::Failed(reason) => reason.clone(),
        DriverError::Unknown(reason) => format!(
            "{reason}\n  hint: a secret can be printed whole, and not be looked into; in a `Secret` use `stringData` instead of `b64enc`"
        ),
    }
}

/// Dotted names of the secret outputs that are text, and no reference.
fn texts(value: &Value, name: &str, found: &mut Vec<String>) {
    match value {
        node if is_node(node) => {}
        Value::Object(object) => {
            for (key, item) in object {
                texts(item, &if name.is_empty() { key.clone() } else { format!("{name}.{key}") }, found);
            }
        }
        // Nobody keeps nothing secret.
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        _ => found.push(name.to_owned()),
    }
}

/// The random texts, of this run and of those before, that a resource shows to
/// nobody: neither as an output nor as the name of an object.
fn made_up(made: &Made, drawn: &[String]) -> Vec<SecretValue> {
    let mut shown = Value::Object(made.values.clone()).to_string();
    for fragment in made.manifests.values() {
        shown.push_str(fragment.pointer("/data/metadata/name").and_then(Value::as_str).unwrap_or_default());
    }
    let mut kept = Vec::new();
    strings(&made.cookie, &mut kept);
    let texts = drawn.iter().map(String::as_str).chain(kept);
    texts.filter(|text| !shown.contains(text)).map(SecretValue::new).collect()
}

fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        // What it refers to is not known here, and so was not made up here.
        node if is_node(node) => {}
        Value::Object(object) => object.values().for_each(|item| strings(item, found)),
        _ => {}
    }
}

/// Keys of the Secrets in a manifest that hold a text which was made up.
fn made_up_keys(manifest: &Value, made_up: &SecretScanner, place: &str, found: &mut Vec<String>) {
    for item in manifest.get("items").unwrap_or(manifest).as_array().into_iter().flatten() {
        made_up_keys(item, made_up, place, found);
    }
    if manifest.get("kind").and_then(Value::as_str) != Some("Secret") {
        return;
    }
    for field in ["data", "stringData"] {
        for (key, text) in manifest.get(field).and_then(Value::as_object).into_iter().flatten() {
            if made_up.finds_in(&text.to_string()) {
                found.push(format!("{place}: {field}.{key}"));
            }
        }
    }
}
