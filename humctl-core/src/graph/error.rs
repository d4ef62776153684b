//! Everything that can be wrong with a plan (spec/resource-model.md §12).
//!
//! The codes are ours and stable; one run reports all errors, sorted.

use std::fmt;

use humctl_api_types::deployment::DeploymentError;
use humctl_api_types::id::DefinitionId;

use crate::context::{EnvironmentContext, ResourceKey};
use crate::graph::{Origin, Reason};
use crate::matching::NearMiss;

/// One thing that keeps a Deployment from being planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// `PLN-001`: no Definition for a resource.
    NoDefinition {
        /// The resource.
        resource: ResourceKey,
        /// Where it is needed.
        context: EnvironmentContext,
        /// What asks for it.
        needed_by: Origin,
        /// Definitions of its type, nearest first.
        near: Vec<NearMiss>,
    },
    /// `PLN-002`: several Definitions have the same rule.
    Ambiguous {
        /// The resource.
        resource: ResourceKey,
        /// The Definitions, sorted.
        definitions: Vec<DefinitionId>,
    },
    /// `PLN-003`: the type does not exist.
    UnknownType {
        /// The resource.
        resource: ResourceKey,
        /// What asks for it.
        needed_by: Origin,
        /// A similar type.
        suggestion: Option<String>,
    },
    /// `PLN-003`: a selector names a type that does not exist.
    UnknownTypeSelected {
        /// Where it stands.
        place: Place,
        /// The text between `${` and `}`.
        placeholder: String,
        /// The type.
        res_type: String,
        /// A similar one.
        suggestion: Option<String>,
    },
    /// `PLN-003`: the type may not stand in a Deployment Set.
    TypeNotAllowed {
        /// The resource.
        resource: ResourceKey,
        /// `implicit` or `indirect`.
        usage: String,
    },
    /// `PLN-003`: the type can be private only.
    PrivateOnly {
        /// The resource.
        resource: ResourceKey,
    },
    /// `PLN-003`: the deprecated `ingress` of a Workload.
    LegacyIngress {
        /// The Workload.
        workload: String,
    },
    /// `PLN-004`: a placeholder is malformed or not allowed in its place.
    BadPlaceholder {
        /// Where it stands.
        place: Place,
        /// The text between `${` and `}`.
        placeholder: String,
        /// What is wrong.
        reason: String,
    },
    /// `PLN-005`: a placeholder names something that is not declared.
    Undeclared {
        /// Where it stands.
        place: Place,
        /// The text between `${` and `}`.
        placeholder: String,
        /// What is missing.
        reason: String,
        /// What is there instead.
        known: Vec<String>,
    },
    /// `PLN-006`: an output that is not produced.
    UnknownOutput {
        /// Where it stands.
        place: Place,
        /// The text between `${` and `}`.
        placeholder: String,
        /// What is wrong.
        reason: String,
        /// Outputs that there are.
        known: Vec<String>,
    },
    /// `PLN-007`: the resource inputs do not fit the type's schema.
    BadInputs {
        /// The resource.
        resource: ResourceKey,
        /// Where the inputs come from.
        given_by: Origin,
        /// JSON pointer into the inputs, and what is wrong there.
        findings: Vec<(String, String)>,
    },
    /// `PLN-008`: one resource gets different inputs from two places.
    ConflictingInputs {
        /// The resource.
        resource: ResourceKey,
        /// The two places.
        places: Box<[Origin; 2]>,
    },
    /// `PLN-009`: a circle of dependencies.
    Cycle {
        /// The circle from its smallest element.
        steps: Vec<CycleStep>,
    },
    /// `PLN-010`: a resource is pinned to a version that cannot be used.
    PinnedVersion {
        /// The resource.
        resource: ResourceKey,
        /// The Definition that it is matched by.
        definition: DefinitionId,
        /// Id of the version.
        version: String,
        /// `archived` or `missing`.
        state: &'static str,
    },
    /// `PLN-011`: a secret and a field of the pod in one string.
    SecretMixed {
        /// Where the string stands.
        place: Place,
    },
    /// `PLN-014`: a custom resource that no cluster would take.
    TooLarge {
        /// File name.
        file: String,
        /// What it is.
        label: String,
        /// Its size.
        n_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// `PLN-015`: a Workload names a profile that does not exist.
    UnknownProfile {
        /// The Workload.
        workload: String,
        /// The profile.
        profile: String,
        /// What to do.
        hint: String,
    },
    /// `PLN-012`: the deployment target cannot be determined.
    Target {
        /// The Environment.
        context: EnvironmentContext,
        /// What is wrong.
        reason: String,
        /// Definitions of the type that do not match; `None` when one does.
        near: Option<Vec<NearMiss>>,
        /// What to do.
        hint: String,
    },
    /// `PLN-013`: secrets that exist only as values, which may not reach Git.
    LiteralSecrets {
        /// The resource.
        resource: ResourceKey,
        /// Its Definition.
        definition: DefinitionId,
        /// JSON pointers of the secrets.
        pointers: Vec<String>,
    },
    /// `PLN-013`: a Shared Value that exists only as a value is secret.
    StoredValue {
        /// Where it is used.
        place: Place,
        /// Its key.
        key: String,
    },
    /// `PRV-001`: a Driver that runs here refuses its inputs.
    DriverFailed {
        /// The resource.
        resource: ResourceKey,
        /// Its Definition.
        definition: DefinitionId,
        /// What is wrong.
        reason: String,
    },
    /// `PRV-004`: a resource needs a Driver that only Humanitec's own service
    /// runs, and whoever deploys wants none of these.
    HostedDriver {
        /// The resource.
        resource: ResourceKey,
        /// Its Definition.
        definition: DefinitionId,
        /// The Driver.
        driver_type: String,
    },
    /// `PRV-005`: nothing here runs the Driver of a resource, and the Kubernetes
    /// objects of a Deployment cannot do without its outputs.
    NotProvisioned {
        /// The resource.
        resource: ResourceKey,
        /// Its Definition.
        definition: DefinitionId,
        /// The Driver.
        driver_type: String,
        /// A Deployment would ask the Driver, and this is none.
        is_registered: bool,
    },
    /// `PRV-009`: a Driver that the Organization registered makes nothing.
    RegisteredDriver {
        /// The resource.
        resource: ResourceKey,
        /// Its Definition.
        definition: DefinitionId,
        /// The Driver.
        driver_type: String,
        /// Why, and what to do.
        reason: String,
    },
    /// `PRV-010`: the secret store does not take what exists only as a value.
    SecretStore {
        /// The resource.
        resource: ResourceKey,
        /// Its Definition.
        definition: DefinitionId,
        /// Why, and what to do.
        reason: String,
    },
    /// `PRV-011`: a secret output is printed in clear as well.
    SecretShown {
        /// The resource.
        resource: ResourceKey,
        /// Its Definition.
        definition: DefinitionId,
        /// Where: manifests and outputs.
        places: Vec<String>,
    },
    /// `PRV-006`: secret outputs that exist only as values, which may not reach Git.
    SecretOutputs {
        /// The resource.
        resource: ResourceKey,
        /// Its Definition.
        definition: DefinitionId,
        /// Dotted names of the outputs.
        outputs: Vec<String>,
    },
    /// `PRV-007`: a Workload cannot be rendered to Kubernetes objects.
    NotRendered {
        /// The Workload.
        workload: String,
        /// Where, what, and what to do.
        message: String,
    },
    /// `PRV-008`: an object cannot be written to a Git target.
    NotWritten {
        /// The resource or Workload that brings it.
        object: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// `PRV-003`: a Workload would get two Pod volumes or containers of one name.
    FragmentClash {
        /// The Workload.
        workload: String,
        /// `volume` or `container`.
        kind: &'static str,
        /// The name.
        name: String,
        /// Who brings it, sorted: resources, or the Workload itself.
        by: Vec<String>,
    },
    /// `PRV-002`: the `update` of a `workload` resource does not fit its module.
    BadUpdate {
        /// The Workload.
        workload: String,
        /// The Definition of its `workload` resource.
        definition: DefinitionId,
        /// What is wrong.
        reason: String,
    },
}

/// A resource in a circle, and why it needs the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CycleStep {
    /// The resource.
    pub resource: ResourceKey,
    /// Its Definition.
    pub definition: Option<DefinitionId>,
    /// Why it needs the next resource of the circle.
    pub reasons: Vec<Reason>,
}

/// What was made, and everything that is wrong with it. As long as there are
/// errors the result is good only for looking at.
#[derive(Debug)]
pub struct Reported<T> {
    /// What could be made.
    pub result: T,
    /// Everything that is wrong.
    pub errors: Vec<PlanError>,
}

impl<T> Reported<T> {
    /// The result, when nothing is wrong.
    ///
    /// # Errors
    /// Everything that is wrong, sorted.
    pub fn into_result(mut self) -> Result<T, Vec<PlanError>> {
        if self.errors.is_empty() {
            return Ok(self.result);
        }
        sort(&mut self.errors);
        Err(self.errors)
    }
}

/// Where a placeholder stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a Definition, seen from the resource it was matched for.
    Definition {
        /// The resource.
        resource: ResourceKey,
        /// The Definition.
        definition: DefinitionId,
        /// JSON pointer into the Definition.
        pointer: String,
    },
    /// In a module of the Deployment Set.
    Module {
        /// The Workload.
        workload: String,
        /// JSON pointer into the module.
        pointer: String,
    },
    /// In a shared resource of the Deployment Set.
    Shared {
        /// Its key.
        key: String,
        /// JSON pointer into it.
        pointer: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition { resource, definition, pointer } => {
                write!(f, "Definition `{definition}` at `{pointer}`, matched for `{resource}`")
            }
            Self::Module { workload, pointer } => write!(f, "Workload `{workload}` at `{pointer}`"),
            Self::Shared { key, pointer } => write!(f, "shared resource `{key}` at `{pointer}`"),
        }
    }
}

impl Place {
    /// The JSON pointer of the place, into a Definition, module or shared resource.
    #[must_use]
    pub fn pointer(&self) -> &str {
        match self {
            Self::Definition { pointer, .. } | Self::Module { pointer, .. } | Self::Shared { pointer, .. } => pointer,
        }
    }

    /// What to do about a placeholder that is wrong there. It may be none at
    /// all: in Score, too, `$${x}` comes out as one.
    fn remedy(&self) -> String {
        let place = match self {
            Self::Definition { definition, .. } => format!("correct Definition `{definition}`"),
            Self::Module { workload, .. } => format!("correct it in the Score file of Workload `{workload}`"),
            Self::Shared { key, .. } => format!("correct it in the Score file that declares `{key}`"),
        };
        format!("{place}; a literal `${{` is written `$\\{{`")
    }
}

impl PlanError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoDefinition { .. } => "PLN-001",
            Self::Ambiguous { .. } => "PLN-002",
            Self::UnknownType { .. }
            | Self::UnknownTypeSelected { .. }
            | Self::TypeNotAllowed { .. }
            | Self::PrivateOnly { .. }
            | Self::LegacyIngress { .. } => "PLN-003",
            Self::BadPlaceholder { .. } => "PLN-004",
            Self::Undeclared { .. } => "PLN-005",
            Self::UnknownOutput { .. } => "PLN-006",
            Self::BadInputs { .. } => "PLN-007",
            Self::ConflictingInputs { .. } => "PLN-008",
            Self::Cycle { .. } => "PLN-009",
            Self::PinnedVersion { .. } => "PLN-010",
            Self::SecretMixed { .. } => "PLN-011",
            Self::Target { .. } => "PLN-012",
            Self::LiteralSecrets { .. } | Self::StoredValue { .. } => "PLN-013",
            Self::TooLarge { .. } => "PLN-014",
            Self::UnknownProfile { .. } => "PLN-015",
            Self::DriverFailed { .. } => "PRV-001",
            Self::BadUpdate { .. } => "PRV-002",
            Self::FragmentClash { .. } => "PRV-003",
            Self::HostedDriver { .. } => "PRV-004",
            Self::NotProvisioned { .. } => "PRV-005",
            Self::SecretOutputs { .. } => "PRV-006",
            Self::NotRendered { .. } => "PRV-007",
            Self::NotWritten { .. } => "PRV-008",
            Self::RegisteredDriver { .. } => "PRV-009",
            Self::SecretStore { .. } => "PRV-010",
            Self::SecretShown { .. } => "PRV-011",
        }
    }

    /// Scope and id of the object the error is about.
    #[must_use]
    pub fn object(&self) -> (&'static str, String) {
        match self {
            Self::NoDefinition { resource, .. }
            | Self::Ambiguous { resource, .. }
            | Self::UnknownType { resource, .. }
            | Self::TypeNotAllowed { resource, .. }
            | Self::PrivateOnly { resource }
            | Self::BadInputs { resource, .. }
            | Self::HostedDriver { resource, .. }
            | Self::NotProvisioned { resource, .. }
            | Self::SecretOutputs { resource, .. }
            | Self::RegisteredDriver { resource, .. }
            | Self::SecretStore { resource, .. }
            | Self::SecretShown { resource, .. }
            | Self::ConflictingInputs { resource, .. }
            | Self::PinnedVersion { resource, .. }
            | Self::DriverFailed { resource, .. }
            | Self::LiteralSecrets { resource, .. } => ("resource", resource.to_string()),
            Self::BadPlaceholder { place, .. }
            | Self::Undeclared { place, .. }
            | Self::UnknownOutput { place, .. }
            | Self::UnknownTypeSelected { place, .. }
            | Self::SecretMixed { place }
            | Self::StoredValue { place, .. } => match place {
                Place::Definition { resource, .. } => ("resource", resource.to_string()),
                Place::Module { workload, .. } => ("workload", workload.clone()),
                Place::Shared { key, .. } => ("resource", format!("shared.{key}")),
            },
            Self::Cycle { steps } => {
                ("environment", steps.first().map(|step| step.resource.to_string()).unwrap_or_default())
            }
            Self::LegacyIngress { workload }
            | Self::BadUpdate { workload, .. }
            | Self::FragmentClash { workload, .. }
            | Self::NotRendered { workload, .. }
            | Self::UnknownProfile { workload, .. } => ("workload", workload.clone()),
            Self::TooLarge { label, .. } => ("resource", label.clone()),
            Self::NotWritten { object, .. } => ("resource", object.clone()),
            Self::Target { context, .. } => ("environment", context.env.to_string()),
        }
    }

    /// One line for lists.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        match self {
            Self::NoDefinition { .. } => "No matching Resource Definition",
            Self::Ambiguous { .. } => "Ambiguous Resource Definitions",
            Self::UnknownType { .. } | Self::UnknownTypeSelected { .. } => "Unknown Resource Type",
            Self::TypeNotAllowed { .. } | Self::PrivateOnly { .. } => "Resource Type not allowed in this place",
            Self::LegacyIngress { .. } => "Deprecated ingress of a Workload",
            Self::BadPlaceholder { .. } => "Bad placeholder",
            Self::Undeclared { .. } => "Reference to something undeclared",
            Self::UnknownOutput { .. } => "Output not available",
            Self::BadInputs { .. } => "Resource inputs do not fit",
            Self::ConflictingInputs { .. } => "Conflicting resource inputs",
            Self::Cycle { .. } => "Circular dependency",
            Self::PinnedVersion { .. } => "Pinned version cannot be used",
            Self::SecretMixed { .. } => "Secret mixed with a field of the pod",
            Self::TooLarge { .. } => "Custom resource too large",
            Self::UnknownProfile { .. } => "Unknown Workload Profile",
            Self::Target { .. } => "No deployment target",
            Self::LiteralSecrets { .. } | Self::StoredValue { .. } => "Secret values cannot be written to Git",
            Self::DriverFailed { .. } => "Driver failed",
            Self::BadUpdate { .. } => "Update of a Workload cannot be applied",
            Self::HostedDriver { .. } => "Driver of Humanitec's own service",
            Self::NotProvisioned { .. } => "Outputs of a resource are not known here",
            Self::SecretOutputs { .. } | Self::SecretShown { .. } => "Secret values cannot be written to Git",
            Self::RegisteredDriver { .. } => "Registered Driver made nothing",
            Self::SecretStore { .. } => "Secret store cannot be used",
            Self::NotRendered { .. } => "Workload cannot be rendered",
            Self::NotWritten { .. } => "Object cannot be written",
            Self::FragmentClash { .. } => "Two parts of a Pod have the same name",
        }
    }

    /// The error as a Deployment shows it.
    #[must_use]
    pub fn to_deployment_error(&self) -> DeploymentError {
        let (scope, object_id) = self.object();
        DeploymentError {
            code: self.code().to_owned(),
            object_id,
            scope: scope.to_owned(),
            summary: self.summary().to_owned(),
            message: self.to_string(),
            error_type: if self.code().starts_with("PRV") { "provisioning" } else { "configuration" }.to_owned(),
        }
    }
}

/// Sorts errors as they are shown, by code and object, and drops repetitions.
pub fn sort(errors: &mut Vec<PlanError>) {
    errors.sort_by_cached_key(|error| (error.code(), error.object().1, error.to_string()));
    errors.dedup();
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDefinition { resource, context, needed_by, near } => {
                write!(f, "no Resource Definition matches `{resource}` in environment `{context}`")?;
                write!(f, "\n  needed by: {needed_by}")?;
                write_candidates(f, resource.res_type.as_str(), near)?;
                write!(
                    f,
                    "\n  hint: add Matching Criteria to a Definition of type `{}`, for instance ",
                    resource.res_type
                )?;
                if resource.class.as_str() == "default" {
                    write!(f, "{{app_id: {}, env_type: {}}}", context.app, context.env_type)
                } else {
                    write!(f, "{{class: {}}}", resource.class)
                }
            }
            Self::Ambiguous { resource, definitions } => {
                let names: Vec<_> = definitions.iter().map(|id| format!("`{id}`")).collect();
                write!(
                    f,
                    "`{resource}` is matched by the same rule of {}\n  hint: change the Matching Criteria of all but one",
                    names.join(" and ")
                )
            }
            Self::UnknownType { resource, needed_by, suggestion } => {
                write!(f, "`{}` is no Resource Type\n  needed by: {needed_by}", resource.res_type)?;
                write_suggestion(f, suggestion.as_deref())
            }
            Self::UnknownTypeSelected { place, placeholder, res_type, suggestion } => {
                write!(f, "{place}: placeholder `${{{placeholder}}}`: `{res_type}` is no Resource Type")?;
                write_suggestion(f, suggestion.as_deref())
            }
            Self::TypeNotAllowed { resource, usage } => write!(
                f,
                "a Workload cannot ask for `{resource}`: the type `{}` is {usage}\n  hint: {}",
                resource.res_type,
                if usage == "implicit" {
                    "every Deployment has it already"
                } else {
                    "only Resource Definitions refer to it"
                }
            ),
            Self::PrivateOnly { resource } => write!(
                f,
                "`{resource}` is shared, and a `{}` belongs to one Workload\n  hint: declare it in the Workload without an id",
                resource.res_type
            ),
            Self::LegacyIngress { workload } => write!(
                f,
                "Workload `{workload}` at `/spec/ingress`: this deprecated form is not supported\n  hint: declare resources of type `dns` and `route` instead"
            ),
            Self::BadPlaceholder { place, placeholder, reason } => {
                write!(f, "{place}: placeholder `${{{placeholder}}}`: {reason}\n  hint: {}", place.remedy())
            }
            Self::Undeclared { place, placeholder, reason, known }
            | Self::UnknownOutput { place, placeholder, reason, known } => {
                write!(f, "{place}: placeholder `${{{placeholder}}}`: {reason}\n  hint: ")?;
                if known.is_empty() {
                    return f.write_str(&place.remedy());
                }
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "known here: {}", known.join(", "))
            }
            Self::BadInputs { resource, given_by, findings } => {
                write!(f, "the inputs of `{resource}` do not fit the schema of its type; they come from {given_by}:")?;
                for (pointer, finding) in findings {
                    let pointer = if pointer.is_empty() { "/" } else { pointer };
                    write!(f, "\n  {pointer}: {finding}")?;
                }
                write!(f, "\n  hint: see the schema with: humctl get resource-type {} -o yaml", resource.res_type)
            }
            Self::ConflictingInputs { resource, places } => write!(
                f,
                "`{resource}` gets different params from {} and from {}\n  hint: give the same params in both, or in one place only",
                places[0], places[1]
            ),
            Self::Cycle { steps } => {
                f.write_str("the resources need each other in a circle: ")?;
                for step in steps {
                    write!(f, "{} -> ", step.resource)?;
                }
                if let Some(first) = steps.first() {
                    write!(f, "{}", first.resource)?;
                }
                for (index, step) in steps.iter().enumerate() {
                    let next = &steps[(index + 1) % steps.len()].resource;
                    let reasons: Vec<String> = step.reasons.iter().map(ToString::to_string).collect();
                    write!(f, "\n  {} needs {next}: {}", step.resource, reasons.join(", "))?;
                    if let Some(definition) = &step.definition {
                        write!(f, " (Definition `{definition}`)")?;
                    }
                }
                f.write_str("\n  hint: move what they share into a third resource, for instance of type `config`")
            }
            Self::PinnedVersion { resource, definition, version, state } => write!(
                f,
                "`{resource}` is pinned to version {version} of Definition `{definition}`, which is {state}\n  hint: pin it to another version, or to none"
            ),
            Self::SecretMixed { place } => write!(
                f,
                "{place}: one string mixes a secret with a `pod` or `containers` placeholder\n  hint: put them into two variables"
            ),
            Self::StoredValue { place, key } => write!(
                f,
                "{place}: the Shared Value `{key}` is a secret that only the Orchestrator holds, and values are never written to Git\n  hint: give it as a reference instead: humctl create value {key} REF --is-secret-ref --secret-store STORE"
            ),
            Self::DriverFailed { resource, definition, reason } => write!(
                f,
                "Definition `{definition}`, matched for `{resource}`: {reason}\n  hint: correct the driver_inputs of Definition `{definition}`"
            ),
            Self::BadUpdate { workload, definition, reason } => write!(
                f,
                "the `update` of Definition `{definition}` does not fit Workload `{workload}`: {reason}\n  hint: its paths start at the module, as in `/spec/labels/team`"
            ),
            Self::HostedDriver { resource, definition, driver_type } => write!(
                f,
                "`{resource}` (Definition `{definition}`): only Humanitec's own service runs the Driver `{driver_type}`\n  hint: use `humanitec/template` for what runs in the cluster, `humanitec/echo` for what exists already, or deploy without --fail-on-hosted-drivers"
            ),
            Self::NotProvisioned { resource, definition, driver_type, is_registered: false } => write!(
                f,
                "`{resource}` is made by the Driver `{driver_type}` of Definition `{definition}`, which does not run here\n  \
                 hint: give its outputs with --outputs FILE, from what makes it (a Terraform job, say), or match a Definition with the Driver `humanitec/template` or `humanitec/echo`"
            ),
            Self::NotProvisioned { resource, definition, driver_type, is_registered: true } => write!(
                f,
                "`{resource}` is made by the Driver `{driver_type}` of Definition `{definition}`, which only a Deployment asks, and which has not made it yet\n  \
                 hint: deploy, or give its outputs with --outputs FILE"
            ),
            Self::RegisteredDriver { resource, definition, driver_type, reason } => {
                write!(f, "`{resource}` is made by the Driver `{driver_type}` of Definition `{definition}`: {reason}")
            }
            Self::SecretStore { resource, definition, reason } => write!(
                f,
                "Definition `{definition}`, matched for `{resource}`, makes secrets that belong into a secret store: {reason}"
            ),
            Self::SecretOutputs { resource, definition, outputs } => write!(
                f,
                "Definition `{definition}`, matched for `{resource}`, makes secrets that exist only as values, and values are never written to Git: {}\n  \
                 hint: register a Vault with a token as primary secret store, and they are kept there (kind SecretStore); or name them in a secret store, as secret_refs with `store` and `ref`, and hand them on: {{{{ .driver.secrets.NAME }}}}; or give the outputs with --outputs FILE",
                listed(outputs)
            ),
            Self::SecretShown { resource, definition, places } => write!(
                f,
                "Definition `{definition}`, matched for `{resource}`, prints its secrets where everybody can read them: {}\n  \
                 hint: let it read them from a `Secret` (`secretKeyRef`); what is no secret belongs into `outputs`, not into `secrets`",
                listed(places)
            ),
            Self::NotRendered { message, .. } | Self::NotWritten { message, .. } => f.write_str(message),
            Self::FragmentClash { workload, kind, name, by } => write!(
                f,
                "Workload `{workload}` would have two {kind}s `{name}`, from {}\n  hint: make the name unique in the Definition, for instance with `{{{{ .id }}}}`",
                by.join(" and ")
            ),
            Self::TooLarge { file, label, n_bytes, max_bytes } => write!(
                f,
                "{file} ({label}) has {n_bytes} bytes, and a cluster takes at most {max_bytes}\n  hint: move large files into the image or a volume"
            ),
            Self::UnknownProfile { workload, profile, hint } => {
                write!(f, "Workload `{workload}`: there is no profile `{profile}`\n  hint: {hint}")
            }
            Self::Target { context, reason, near, hint } => {
                write!(f, "environment `{context}` has no deployment target: {reason}")?;
                write!(
                    f,
                    "\n  context: org `{}`, app_id `{}`, env_id `{}`, env_type `{}`",
                    context.org, context.app, context.env, context.env_type
                )?;
                if let Some(near) = near {
                    write_candidates(f, crate::context::known::K8S_CLUSTER, near)?;
                }
                write!(f, "\n  hint: {hint}")
            }
            Self::LiteralSecrets { resource, definition, pointers } => {
                write!(
                    f,
                    "Definition `{definition}`, matched for `{resource}`, holds secret values, and values are never written to Git:"
                )?;
                for pointer in pointers {
                    write!(f, "\n  {pointer}")?;
                }
                f.write_str("\n  hint: name them in a secret store instead, as secret_refs with `store` and `ref`")
            }
        }
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn write_suggestion(f: &mut fmt::Formatter<'_>, suggestion: Option<&str>) -> fmt::Result {
    match suggestion {
        Some(suggestion) => write!(f, "\n  hint: did you mean `{suggestion}`?"),
        None => f.write_str("\n  hint: see those that there are with: humctl get resource-types"),
    }
}

fn write_candidates(f: &mut fmt::Formatter<'_>, res_type: &str, near: &[NearMiss]) -> fmt::Result {
    if near.is_empty() {
        return write!(f, "\n  there is no Definition of type `{res_type}`");
    }
    near.iter().try_for_each(|miss| write!(f, "\n  closest: {miss}"))
}
