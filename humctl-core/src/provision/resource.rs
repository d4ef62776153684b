//! One resource: its inputs settled, its Driver run.

use humctl_api_types::custom_resource::ResourceSpec;
use serde_json::{Map, Value};

use crate::context::known;
use crate::driver::template::{self, Made, SettledCall, reference_nodes};
use crate::driver::{self, DriverCall, DriverError};
use crate::graph::PlanError;
use crate::nodes::{ResourceOutputs, is_node, settle};
use crate::provision::{Memory, PodPart, ResourceObject, Run, key_of};
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
            Ok((made, memory)) => self.take(spec, made, memory),
            Err(error) => {
                self.errors.push(error);
                self.absent.insert(guresid);
            }
        }
    }

    /// Runs the Driver of a resource.
    fn make(&self, spec: &ResourceSpec) -> Result<(Made, Memory), PlanError> {
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
            let reasons: Vec<String> = unsettled.iter().map(|error| self.named(error)).collect();
            return Err(match spec.id.as_str().strip_prefix("modules.") {
                // Its inputs are the module, so that it is the Workload that asks for too much.
                Some(workload) if spec.res_type.as_str() == known::WORKLOAD => PlanError::NotRendered {
                    workload: workload.to_owned(),
                    message: format!("workload `{workload}` {}", reasons.join("\n  ").replace("at /params/", "at /")),
                },
                _ => failed(reasons.join("\n  ")),
            });
        }
        let secrets = reference_nodes(secrets.as_object().unwrap_or(&Map::new()));
        if driver_type == template::DRIVER_TYPE {
            let mut memory = self.input.memories.get(spec.guresid.as_str()).cloned().unwrap_or_default();
            let mut random = (self.input.random)(spec.guresid.as_str());
            let made = template::make(SettledCall {
                values: &values,
                secrets: &secrets,
                resource: &resource,
                guresid: spec.guresid.as_str(),
                cookie: &memory.cookie,
                random: &mut random,
            });
            let made = made.map_err(|error| failed(told(&error)))?;
            memory.cookie.clone_from(&made.cookie);
            memory.drawn.extend(random.drawn().iter().cloned());
            return Ok((made, memory));
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
        let made = Made {
            values: outputs.values,
            secrets: outputs.secret_refs,
            manifests: outputs.manifests,
            cookie: Value::Null,
        };
        Ok((made, Memory::default()))
    }

    /// Keeps what a Driver made.
    fn take(&mut self, spec: &ResourceSpec, made: Made, memory: Memory) {
        let guresid = spec.guresid.to_string();
        let mut in_clear = Vec::new();
        texts(&Value::Object(made.secrets.clone()), "", &mut in_clear);
        let drawn = passwords(&memory, &made);
        for (name, fragment) in made.manifests {
            let data = fragment.get("data").cloned().unwrap_or_default();
            if holds_drawn(&data, &drawn) {
                in_clear.push(format!("manifest {name}"));
            }
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
        if !in_clear.is_empty() {
            self.errors.push(PlanError::SecretOutputs {
                resource: key_of(spec),
                definition: spec.definition.id.clone(),
                outputs: in_clear,
            });
        }
        if memory != Memory::default() {
            self.result.memories.insert(guresid.clone(), memory);
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

/// What was drawn at random and is shown nowhere: a text that is also part of
/// an output or of another object, such as a name, is no password.
fn passwords(memory: &Memory, made: &Made) -> SecretScanner {
    let shown = |fragment: &Value| {
        let mut shown = fragment.clone();
        if is_secret(&shown["data"]) {
            for key in ["data", "stringData"] {
                shown["data"][key] = Value::Null;
            }
        }
        shown.to_string()
    };
    let mut public = Value::Object(made.values.clone()).to_string();
    public.extend(made.manifests.values().map(shown));
    let hidden = memory.drawn.iter().filter(|text| !public.contains(text.as_str()));
    SecretScanner::new(&hidden.map(SecretValue::new).collect::<Vec<_>>())
}

fn is_secret(manifest: &Value) -> bool {
    manifest.get("kind").and_then(Value::as_str) == Some("Secret")
}

/// True for a Secret whose text was drawn at random: a password that nobody
/// else knows.
fn holds_drawn(manifest: &Value, drawn: &SecretScanner) -> bool {
    let holds = |key: &str| manifest.get(key).is_some_and(|part| drawn.finds_in(&part.to_string()));
    is_secret(manifest) && (holds("data") || holds("stringData"))
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
