//! Everything that can be wrong with a plan (spec/resource-model.md §12).
//!
//! The codes are ours and stable; one run reports all errors, sorted.

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

impl Place {
    /// The JSON pointer of the place, into a Definition, module or shared resource.
    #[must_use]
    pub fn pointer(&self) -> &str {
        match self {
            Self::Definition { pointer, .. } | Self::Module { pointer, .. } | Self::Shared { pointer, .. } => pointer,
        }
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
