//! One resource: its inputs settled, its Driver run.

use humctl_api_types::custom_resource::ResourceSpec;
use serde_json::{Map, Value};

use crate::context::known;
use crate::driver::template::{self, Made, SettledCall, reference_nodes};
use crate::driver::{self, Driver, DriverCall, DriverError};
use crate::graph::PlanError;
use crate::nodes::{ResourceOutputs, settle};
use crate::provision::kept::{self, Kept, NotKept};
use crate::provision::{Memory, PodPart, ResourceObject, Run, http, key_of};
use crate::secret::SecretValue;

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
        let made = self.make(spec).and_then(|made| match made {
            Some(Ran { made, memory, told }) => {
                self.result.secrets.extend(told);
                self.take(spec, made, memory)
            }
            None => {
                self.absent.insert(guresid.clone());
                Ok(())
            }
        });
        if let Err(error) = made {
            self.errors.push(error);
            self.absent.insert(guresid);
        }
    }

    /// Runs the Driver of a resource; nothing comes of it while it is still to be
    /// asked.
    fn make(&self, spec: &ResourceSpec) -> Result<Option<Ran>, PlanError> {
        let driver_type = spec.driver.driver_type.as_str();
        let outside = self.input.outside;
        match driver::in_process(driver_type) {
            Some(_) if driver_type == template::DRIVER_TYPE => self.template(spec, self.settled(spec)?).map(Some),
            Some(driver) => {
                let made = handed_on(driver, spec, self.settled(spec)?).map_err(|error| failed(spec, &error))?;
                Ok(Some(Ran { made, ..Ran::default() }))
            }
            None if outside.has_driver(driver_type) => {
                let made = http::make(outside, spec, self.settled(spec)?)?;
                Ok(made.map(|(made, told)| Ran { made, told, ..Ran::default() }))
            }
            None => Err(PlanError::NotProvisioned {
                resource: key_of(spec),
                definition: spec.definition.id.clone(),
                driver_type: driver_type.to_owned(),
                is_registered: false,
            }),
        }
    }

    /// Everything that a Driver gets, with outputs in the place of references
    /// to them.
    fn settled(&self, spec: &ResourceSpec) -> Result<Settled, PlanError> {
        let inputs = spec.driver_inputs.as_ref();
        let empty = Value::Object(Map::new());
        let mut unsettled = Vec::new();
        let mut settled = |value: Option<&Value>, pointer: &str| {
            settle(value.unwrap_or(&empty), pointer, &self.result.outputs, &mut unsettled)
        };
        let values = settled(inputs.and_then(|inputs| inputs.values.as_ref()), "/driver_inputs/values");
        let secrets = settled(inputs.and_then(|inputs| inputs.secret_refs.as_ref()), "/driver_inputs/secret_refs");
        let resource = settled(spec.params.as_ref(), "/params");
        let account = spec.driver.account.as_ref().map(|account| settled(Some(account), "/driver_account"));
        if unsettled.is_empty() {
            let secrets = reference_nodes(secrets.as_object().unwrap_or(&Map::new()));
            return Ok(Settled { values, secrets, resource, account });
        }
        let reasons: Vec<String> = unsettled.iter().map(|error| self.named(error)).collect();
        Err(match spec.id.as_str().strip_prefix("modules.") {
            // Its inputs are the module, so that it is the Workload that asks for too much.
            Some(workload) if spec.res_type.as_str() == known::WORKLOAD => PlanError::NotRendered {
                workload: workload.to_owned(),
                message: format!("workload `{workload}` {}", reasons.join("\n  ").replace("at /params/", "at /")),
            },
            _ => failed(spec, &DriverError::Failed(reasons.join("\n  "))),
        })
    }

    fn template(&self, spec: &ResourceSpec, settled: Settled) -> Result<Ran, PlanError> {
        let mut memory = self.input.memories.get(spec.guresid.as_str()).cloned().unwrap_or_default();
        let mut random = (self.input.random)(spec.guresid.as_str());
        let call = SettledCall {
            values: &settled.values,
            secrets: &settled.secrets,
            resource: &settled.resource,
            guresid: spec.guresid.as_str(),
            cookie: &memory.cookie,
            random: &mut random,
        };
        let planned = self.input.resources.planned.get(&spec.guresid);
        let made = match planned.and_then(|planned| planned.made_of(&call)) {
            Some(made) => made.clone(),
            None => template::make(call).map_err(|error| failed(spec, &error))?,
        };
        memory.cookie.clone_from(&made.cookie);
        memory.drawn.extend(random.drawn().iter().cloned());
        Ok(Ran { made, memory, told: Vec::new() })
    }

    /// Takes in what a Driver made, its secrets kept elsewhere.
    fn take(&mut self, spec: &ResourceSpec, made: Made, memory: Memory) -> Result<(), PlanError> {
        let (guresid, resource, definition) = (spec.guresid.to_string(), key_of(spec), spec.definition.id.clone());
        let is_first = !self.input.memories.contains_key(guresid.as_str());
        let kept = kept::keep(self.input.outside, spec, &memory, is_first, made);
        let Kept { made, values } = kept.map_err(|error| match error {
            NotKept::NoStore(outputs) => {
                PlanError::SecretOutputs { resource: resource.clone(), definition: definition.clone(), outputs }
            }
            NotKept::Shown(places) => {
                PlanError::SecretShown { resource: resource.clone(), definition: definition.clone(), places }
            }
            NotKept::Failed(reason) => {
                PlanError::SecretStore { resource: resource.clone(), definition: definition.clone(), reason }
            }
        })?;
        self.result.secrets.extend(values);
        for (name, fragment) in made.manifests {
            let data = fragment.get("data").cloned().unwrap_or_default();
            match fragment.get("location").and_then(Value::as_str) {
                Some(location @ ("containers" | "volumes")) => {
                    let part = PodPart { is_volume: location == "volumes", data };
                    self.fragments.entry(guresid.clone()).or_default().push(part);
                }
                location => self.result.objects.push(ResourceObject {
                    resource: resource.clone(),
                    name,
                    is_for_cluster: location == Some("cluster"),
                    object: data,
                }),
            }
        }
        if memory != Memory::default() {
            self.result.memories.insert(guresid.clone(), memory);
        }
        self.result.outputs.insert(guresid, ResourceOutputs { values: made.values, secret_refs: made.secrets });
        Ok(())
    }
}

/// What a Driver came to.
#[derive(Default)]
struct Ran {
    made: Made,
    memory: Memory,
    /// Secrets that it knows by value, and that no file may hold.
    told: Vec<SecretValue>,
}

/// What a Driver gets, without references to outputs. What is left of nodes
/// are secrets, which stay references.
pub(super) struct Settled {
    /// `driver_inputs.values`.
    pub(super) values: Value,
    /// `driver_inputs.secret_refs`, each leaf a node.
    pub(super) secrets: Value,
    /// Resource inputs.
    pub(super) resource: Value,
    /// Name of the Cloud Account.
    pub(super) account: Option<Value>,
}

/// What the simple Drivers make: they hand on what they get.
fn handed_on(driver: &dyn Driver, spec: &ResourceSpec, settled: Settled) -> Result<Made, DriverError> {
    let object = |value: Value| match value {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    let call = DriverCall {
        values: object(settled.values),
        secret_refs: object(settled.secrets),
        guresid: spec.guresid.to_string(),
        ..DriverCall::default()
    };
    let outputs = driver.provision(call)?;
    Ok(Made { values: outputs.values, secrets: outputs.secret_refs, manifests: outputs.manifests, cookie: Value::Null })
}

/// A Driver that refuses what it gets, with what to do about a secret.
fn failed(spec: &ResourceSpec, error: &DriverError) -> PlanError {
    let reason = match error {
        DriverError::Failed(reason) => reason.clone(),
        DriverError::Unknown(reason) => {
            format!("{reason}\n  hint: a secret can be printed, also in base64 (`b64enc`), and not be looked into")
        }
    };
    PlanError::DriverFailed { resource: key_of(spec), definition: spec.definition.id.clone(), reason }
}
