//! What references mean once the graph is known: values where they are known,
//! reference nodes for the custom resources where they are not
//! (spec/gitops.md §2.6, rulings on which values are inlined).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::context::{EnvironmentContext, ResourceKey};
use crate::driver::{Outputs, template};
use crate::graph::build::{GraphInput, inherit, is_target_resource};
use crate::graph::outputs::{OutputKind, output_kind};
use crate::graph::set_index::{SetIndex, SetReferenceError};
use crate::graph::{GraphNode, ResourceTypes};
use crate::placeholder::{Projection, Reference, Resolved, ResourceRef, Template, parse};
use crate::plan::{DeployContext, TargetPlan};
use crate::values::{SharedValue, SharedValues};

/// A resource whose Definition is being read.
#[derive(Debug, Clone, Copy)]
pub struct DefinitionScope<'n, 'd> {
    /// The resource.
    pub node: &'n GraphNode<'d>,
    /// The Environment.
    pub context: &'n EnvironmentContext,
}

impl DefinitionScope<'_, '_> {
    /// Completes a reference with the class and id of this resource.
    #[must_use]
    pub fn inherit(&self, reference: &ResourceRef) -> ResourceKey {
        inherit(reference, &self.node.key)
    }
}

/// The value of `${context.<name>}`; `None` for `context.res` outside a
/// Definition and for `context.deploy` outside a Deployment.
#[must_use]
pub fn context_value(
    name: &str,
    context: &EnvironmentContext,
    resource: Option<&ResourceKey>,
    deploy: Option<&DeployContext>,
) -> Option<Value> {
    let text = match name {
        "deploy.id" => deploy?.deployment.to_string(),
        "deploy.set.id" => deploy?.set.to_string(),
        name => context.value(name, resource)?,
    };
    Some(Value::String(text))
}

/// The value at a path of output names.
#[must_use]
pub fn output(outputs: &Map<String, Value>, path: &[String]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(outputs.get(first)?, |value, key| value.get(key)).cloned()
}

/// Why a reference cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolveError {
    /// It may not stand in this place.
    NotAllowed(String),
    /// It names something that is not declared.
    Undeclared {
        /// What is missing.
        reason: String,
        /// What is there instead.
        known: Vec<String>,
    },
    /// The resource has no such output.
    NoOutput {
        /// What is wrong.
        reason: String,
        /// Outputs that there are.
        known: Vec<String>,
    },
    /// A Shared Value is secret, and exists only as a value.
    StoredValue(String),
}

impl From<SetReferenceError> for ResolveError {
    fn from(error: SetReferenceError) -> Self {
        match error {
            SetReferenceError::NotAllowed(reason) => Self::NotAllowed(reason),
            SetReferenceError::Undeclared { reason, known } => Self::Undeclared { reason, known },
        }
    }
}

/// Resolves references into what a custom resource holds.
pub struct CrResolver<'p, 'd> {
    /// The Environment.
    pub context: &'p EnvironmentContext,
    /// Resource Types, to tell secret outputs.
    pub types: &'p ResourceTypes<'d>,
    /// Nodes of the main graph.
    pub nodes: &'p BTreeMap<&'p ResourceKey, &'p GraphNode<'d>>,
    /// Outputs of the target's resources: constants.
    pub target: &'p BTreeMap<ResourceKey, Outputs>,
    /// Ids of the Deployment.
    pub deploy: &'p DeployContext,
    /// The Shared Values of the Environment.
    pub values: &'p SharedValues,
    /// Secrets that only the Orchestrator holds may be used.
    keeps_secrets: bool,
    /// Outputs of the main graph, as far as they are known.
    outputs: Option<&'p BTreeMap<ResourceKey, Outputs>>,
}

impl<'p, 'd> CrResolver<'p, 'd> {
    /// Resolves with what a plan knows.
    #[must_use]
    pub fn new(
        input: GraphInput<'p, 'd>,
        nodes: &'p BTreeMap<&'p ResourceKey, &'p GraphNode<'d>>,
        target: &'p TargetPlan<'_>,
        deploy: &'p DeployContext,
    ) -> Self {
        let (keeps_secrets, GraphInput { context, types, values, .. }) = (input.keeps_secrets(), input);
        Self { context, types, nodes, target: &target.outputs, deploy, values, keeps_secrets, outputs: None }
    }

    /// Also refuses what resources whose outputs are known do not give.
    #[must_use]
    pub fn with_outputs(self, outputs: &'p BTreeMap<ResourceKey, Outputs>) -> Self {
        Self { outputs: Some(outputs), ..self }
    }

    /// Resolves a reference that stands in a Definition.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn in_definition(&self, node: &GraphNode<'_>, reference: &Reference) -> Result<Resolved, ResolveError> {
        match reference {
            Reference::Context(name) => context_value(name, self.context, Some(&node.key), Some(self.deploy))
                .map(Resolved::Known)
                .ok_or_else(|| ResolveError::NotAllowed(format!("there is no `context.{name}` here"))),
            Reference::Resource(reference, projection) => self.project(&inherit(reference, &node.key), projection),
            Reference::Selected(selector, projection) => {
                let selected = node.selected.get(selector).map(Vec::as_slice).unwrap_or_default();
                let mut is_deferred = false;
                let items = selected
                    .iter()
                    .map(|key| {
                        Ok(match self.project(key, projection)? {
                            Resolved::Known(value) => value,
                            Resolved::Deferred(value) => {
                                is_deferred = true;
                                value
                            }
                        })
                    })
                    .collect::<Result<Vec<Value>, ResolveError>>()?;
                let list = Value::Array(items);
                Ok(if is_deferred { Resolved::Deferred(list) } else { Resolved::Known(list) })
            }
            _ => Err(ResolveError::NotAllowed("a Resource Definition knows only `context` and `resources`".to_owned())),
        }
    }

    /// Resolves a reference that stands in a Deployment Set.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn in_set(
        &self,
        index: &SetIndex<'_>,
        workload: Option<&str>,
        reference: &Reference,
    ) -> Result<Resolved, ResolveError> {
        let key = index.resolve(workload, reference)?;
        match (key, reference) {
            (
                Some(key),
                Reference::External(_, out) | Reference::Shared(_, out) | Reference::ModuleExternal(_, _, out),
            ) => self.project(key, &Projection::Output(out.clone())),
            (_, Reference::Context(name)) => context_value(name, self.context, None, Some(self.deploy))
                .map(Resolved::Known)
                .ok_or_else(|| ResolveError::NotAllowed(format!("there is no `context.{name}` here"))),
            (_, Reference::Value(key)) => match self.values.get(key) {
                Some(SharedValue::Plain(text)) => Ok(Resolved::Known(Value::String(text.clone()))),
                Some(SharedValue::Reference(secret)) => Ok(Resolved::Deferred(secret.node())),
                Some(SharedValue::Stored(held)) if self.keeps_secrets => Ok(Resolved::Deferred(held.node())),
                Some(SharedValue::Stored(_)) => Err(ResolveError::StoredValue(key.clone())),
                None => Err(ResolveError::Undeclared {
                    reason: format!("there is no Shared Value `{key}`; make it with: humctl create value {key} VALUE"),
                    known: self.values.keys().map(ToOwned::to_owned).collect(),
                }),
            },
            (_, Reference::Service { workload, field }) => service(index, workload, field),
            (_, Reference::Pod(path)) => Ok(Resolved::Deferred(json!({"$field": {"pod": path}}))),
            (_, Reference::Container { container, resource }) => {
                Ok(Resolved::Deferred(json!({"$field": {"container": container, "resource": resource}})))
            }
            _ => Err(ResolveError::NotAllowed("it has no meaning in a Deployment Set".to_owned())),
        }
    }

    fn project(&self, key: &ResourceKey, projection: &Projection) -> Result<Resolved, ResolveError> {
        if *projection == Projection::Guresid {
            return Ok(Resolved::Known(Value::String(key.guresid(self.context).into())));
        }
        if is_target_resource(key) {
            return self.constant(key, projection);
        }
        let guresid = key.guresid(self.context);
        Ok(match projection {
            Projection::Output(path) | Projection::Bare(path) => {
                self.check_made(key, path)?;
                let name = if self.is_secret(key, path) { "$secretRef" } else { "$ref" };
                Resolved::Deferred(json!({ name: {"res": guresid, "out": path.join(".")} }))
            }
            Projection::Values => Resolved::Deferred(json!({"$ref": {"res": guresid}})),
            Projection::Account => self.account(key)?,
            Projection::Guresid => Resolved::Known(Value::String(guresid.into())),
        })
    }

    /// Refuses an output that the templates of a resource are known not to
    /// make. What echoes its inputs was held to them where the graph was built.
    fn check_made(&self, key: &ResourceKey, path: &[String]) -> Result<(), ResolveError> {
        let is_templated = |node: &&&GraphNode<'_>| node.driver.driver_type == template::DRIVER_TYPE;
        let (Some(outputs), Some(node), Some(name)) =
            (self.outputs.and_then(|outputs| outputs.get(key)), self.nodes.get(key).filter(is_templated), path.first())
        else {
            return Ok(());
        };
        if outputs.values.contains_key(name) || outputs.secret_refs.contains_key(name) {
            return Ok(());
        }
        let definition = &node.rule.definition.id;
        Err(ResolveError::NoOutput {
            reason: format!(
                "`{key}` has no such output: the templates of Definition `{definition}` do not make `{name}`"
            ),
            known: outputs.values.keys().chain(outputs.secret_refs.keys()).cloned().collect(),
        })
    }

    /// True when an output is known to be secret.
    #[must_use]
    pub fn is_secret(&self, key: &ResourceKey, path: &[String]) -> bool {
        let (Some(node), Some(name)) = (self.nodes.get(key), path.first()) else { return false };
        output_kind(node.rule.definition, &node.driver, self.types, name) == Ok(OutputKind::Secret)
    }

    /// An output of a resource of the target graph.
    fn constant(&self, key: &ResourceKey, projection: &Projection) -> Result<Resolved, ResolveError> {
        let outputs = self.target.get(key);
        let unknown = |what: &str| ResolveError::NoOutput {
            reason: format!("`{key}` is part of the target, and {what}"),
            known: outputs.map(|outputs| outputs.values.keys().cloned().collect()).unwrap_or_default(),
        };
        let outputs = outputs.ok_or_else(|| {
            unknown("only the cluster learns its outputs; a Definition with the Driver `humanitec/echo` would make them known here")
        })?;
        match projection {
            Projection::Values => Ok(Resolved::Known(Value::Object(outputs.values.clone()))),
            Projection::Output(path) | Projection::Bare(path) => match output(&outputs.values, path) {
                Some(value) => Ok(Resolved::Known(value)),
                None if output(&outputs.secret_refs, path).is_some() => Err(ResolveError::NoOutput {
                    reason: format!("`{key}` is part of the target, and its secrets are never written to Git"),
                    known: Vec::new(),
                }),
                None => Err(unknown(&format!("it has no output `{}`", path.join(".")))),
            },
            Projection::Account | Projection::Guresid => Err(unknown("it has no account for others to use")),
        }
    }

    /// The Cloud Account of another resource, read in that resource's place.
    fn account(&self, key: &ResourceKey) -> Result<Resolved, ResolveError> {
        let no_output = |reason: String| ResolveError::NoOutput { reason, known: Vec::new() };
        let no_account = || no_output(format!("`{key}` has no Cloud Account"));
        let node = self.nodes.get(key).ok_or_else(no_account)?;
        let text = node.rule.definition.driver_account.as_ref().ok_or_else(no_account)?;
        match parse(text) {
            Ok(template) => match (template.literal(), single(&template)) {
                (Some(literal), _) => Ok(Resolved::Known(Value::String(literal.to_owned()))),
                // The graph has an edge for this reference and no cycles, so this ends.
                (None, Some(reference)) => self.in_definition(node, &reference),
                (None, None) => {
                    Err(no_output(format!("the Cloud Account of `{key}` is neither a name nor one placeholder")))
                }
            },
            Err(error) => Err(no_output(error.to_string())),
        }
    }
}

fn single(template: &Template) -> Option<Reference> {
    Reference::from_tokens(template.single()?).ok()
}

/// The in-cluster name or first port of a Workload's service
/// (spec/resource-model.md §14, choice 17).
fn service(index: &SetIndex<'_>, workload: &str, field: &str) -> Result<Resolved, ResolveError> {
    if field == "name" {
        return Ok(Resolved::Known(Value::String(workload.to_owned())));
    }
    let module = index.set.modules.get(workload);
    let ports = module.and_then(|module| module.spec.get("service")?.get("ports")?.as_object());
    // Sorted here, since a map may keep the order it was written in.
    let first = ports.and_then(|ports| ports.iter().min_by_key(|(name, _)| name.as_str()));
    match first.and_then(|(_, port)| port.get("service_port")) {
        Some(port) => Ok(Resolved::Known(port.clone())),
        None => Err(ResolveError::NoOutput {
            reason: format!("Workload `{workload}` has no service port"),
            known: Vec::new(),
        }),
    }
}
