//! From a Resource Definition's cluster to an opened Git target.

use std::time::Duration;

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::id::{DefinitionId, OrgId};
use humctl_api_types::resource_type::ResourceTypeInfo;

use crate::context::{EnvironmentContext, known};
use crate::git::credentials::Login;
use crate::git::target::Credential;
use crate::git::{GitError, GitSession, GitTarget};
use crate::graph::build::GraphInput;
use crate::graph::{PlanError, ResourceTypes, SelectorDepth};
use crate::lowering::Drivers;
use crate::matching::{Definitions, Pins};
use crate::orchestrator::documents::TargetDoc;
use crate::orchestrator::{Orchestrator, OrchestratorError, Result};
use crate::plan::{TargetPlan, plan_target};
use crate::secret::{SecretScanner, SecretValue};
use crate::values::{OWN_STORE, SharedValues};

/// What planning needs of an Organization.
pub(super) struct Library {
    pub(super) definitions: Vec<ResourceDefinition>,
    pub(super) types: Vec<ResourceTypeInfo>,
    drivers: Drivers,
    /// The secret store that takes secret values.
    secret_store: Option<String>,
    selector_depth: SelectorDepth,
}

/// What planning needs of an Environment, besides the Deployment Set.
pub(super) struct OwnInputs {
    context: EnvironmentContext,
    pins: Pins,
    values: SharedValues,
}

impl Library {
    /// The input of every graph of an Environment.
    pub(super) fn input<'a, 'd>(
        &'d self,
        own: &'d OwnInputs,
        definitions: &'a Definitions<'d>,
        types: &'a ResourceTypes<'d>,
    ) -> GraphInput<'a, 'd>
    where
        'd: 'a,
    {
        GraphInput {
            pins: &own.pins,
            values: &own.values,
            drivers: &self.drivers,
            secret_store: self.secret_store.as_deref(),
            selector_depth: self.selector_depth,
            ..GraphInput::new(&own.context, definitions, types)
        }
    }
}

/// A planned target with everything that opening it takes.
pub(super) struct ResolvedTarget {
    pub(super) target: GitTarget,
    pub(super) definition: DefinitionId,
    pub(super) login: Login,
    /// Finds every secret value of the Organization.
    pub(super) scanner: SecretScanner,
}

impl Orchestrator {
    pub(super) fn library(&self, org: &OrgId) -> Result<Library> {
        let definitions = self.definitions(org)?;
        let types = self.resource_types(org)?;
        let drivers = self.registered_drivers(org)?;
        let secret_store = self.primary_store(org)?;
        Ok(Library { definitions, types, drivers, secret_store, selector_depth: self.config.selector_depth })
    }

    pub(super) fn own_inputs(&self, context: &EnvironmentContext, values: SharedValues) -> Result<OwnInputs> {
        Ok(OwnInputs { context: context.clone(), pins: self.pins(context)?, values })
    }

    /// Reads the target out of its plan and prepares the login.
    pub(super) fn resolve_target(
        &self,
        context: &EnvironmentContext,
        plan: &TargetPlan<'_>,
    ) -> Result<ResolvedTarget, TargetFailure> {
        let cluster = known::implicit(known::K8S_CLUSTER);
        let node = plan.graph.find(&cluster);
        let definition = node.map(|node| node.rule.definition.id.clone());
        let name = || definition.as_ref().map(ToString::to_string).unwrap_or_default();
        let git_failed = |error: GitError| TargetFailure::Orchestrator(error.into());
        let fail = |reason: String| {
            let name = name();
            TargetFailure::Plan(Box::new(PlanError::Target {
                context: context.clone(),
                reason: format!("Definition `{name}`: {reason}"),
                near: None,
                hint: format!("see it with: humctl get resource-definition {name} -o yaml"),
            }))
        };
        let target = GitTarget::from_outputs(&plan.cluster()).map_err(fail)?;
        let open = |place: &crate::git::target::SecretPlace| -> Result<SecretValue, TargetFailure> {
            if place.store != OWN_STORE {
                return Err(fail(format!(
                    "its credentials lie in the secret store `{}`, which only the cluster can read; give them as `secrets`",
                    place.store
                )));
            }
            Ok(self.open_secret(&context.org, &place.reference, place.version.as_deref())?)
        };
        let login = match &target.credential {
            // The Definition's own come first, then those of this process, then the user's.
            Credential::UsersOwn => self.config.git.given.login(&target).map_err(git_failed)?,
            Credential::SshKey(place) => {
                let name = format!("`credentials.ssh_key` of Definition `{}`", name());
                Login::ssh_key(&open(place)?, &name).map_err(git_failed)?
            }
            Credential::Password(place) => {
                Login::password(&target.url.username(target.username.as_deref()), &open(place)?)
            }
        };
        let mut secrets = self.all_secrets(&context.org)?;
        secrets.extend(login.secret().cloned());
        secrets.extend(self.config.git.given.secrets());
        let Some(definition) = definition else {
            return Err(fail("it is not in the plan".to_owned()));
        };
        Ok(ResolvedTarget { target, definition, login, scanner: SecretScanner::new(&secrets) })
    }

    /// Plans the target of an Environment and hands the plan on. Shared Values
    /// are for Workloads; no target depends on them.
    pub(super) fn with_target_plan<T>(
        &self,
        context: &EnvironmentContext,
        then: impl FnOnce(std::result::Result<TargetPlan<'_>, Vec<PlanError>>) -> Result<T>,
    ) -> Result<T> {
        let own = self.own_inputs(context, SharedValues::NONE)?;
        let library = self.library(&context.org)?;
        let definitions = Definitions::new(&library.definitions);
        let types = ResourceTypes::new(&library.types);
        then(plan_target(library.input(&own, &definitions, &types)).into_result())
    }

    pub(super) fn open_target(
        &self,
        resolved: &ResolvedTarget,
        timeout: Option<Duration>,
    ) -> Result<GitSession, TargetFailure> {
        let ResolvedTarget { target, login, scanner, .. } = resolved;
        GitSession::open(&self.config.git, target, login, scanner.clone(), timeout)
            .map_err(|error| TargetFailure::Orchestrator(error.into()))
    }

    /// Opens the target that an Environment was last written to, with the
    /// credentials of its Definition.
    pub(super) fn reopen_target(
        &self,
        context: &EnvironmentContext,
        recorded: &TargetDoc,
        timeout: Option<Duration>,
    ) -> Result<(GitSession, ResolvedTarget)> {
        let mut resolved = self.with_target_plan(context, |plan| {
            let plan = plan.map_err(|errors| OrchestratorError::Conflict(told(&errors)))?;
            Ok(self.resolve_target(context, &plan)?)
        })?;
        if resolved.target.url.as_str() != recorded.url {
            return Err(OrchestratorError::Conflict(format!(
                "environment `{context}` was written to `{}`, but its cluster's Definition names `{}` now, and there are no credentials for the old address",
                recorded.url, resolved.target.url
            )));
        }
        resolved.target.branch = Some(recorded.branch.clone());
        resolved.target.path =
            crate::git::target::TargetPath::parse(&recorded.path).map_err(OrchestratorError::Internal)?;
        let session = self.open_target(&resolved, timeout).map_err(OrchestratorError::from)?;
        Ok((session, resolved))
    }
}

/// All errors of a plan, for an answer that has room for a text only.
pub(super) fn told(errors: &[PlanError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl ResolvedTarget {
    /// The target as the state keeps it, opened by a session.
    pub(super) fn doc(&self, session: &GitSession, commit: &str) -> TargetDoc {
        TargetDoc {
            url: self.target.url.to_string(),
            branch: session.branch().to_owned(),
            path: self.target.path.as_str().to_owned(),
            // What is there is known when the Deployment is worked out.
            cluster_path: None,
            definition: self.definition.clone(),
            commit: commit.to_owned(),
        }
    }
}

/// Why a target could not be opened.
pub(super) enum TargetFailure {
    /// The Definition is at fault.
    Plan(Box<PlanError>),
    /// Anything else.
    Orchestrator(OrchestratorError),
}

impl From<OrchestratorError> for TargetFailure {
    fn from(error: OrchestratorError) -> Self {
        Self::Orchestrator(error)
    }
}

impl From<TargetFailure> for OrchestratorError {
    fn from(failure: TargetFailure) -> Self {
        match failure {
            TargetFailure::Plan(error) => Self::Conflict(error.to_string()),
            TargetFailure::Orchestrator(error) => error,
        }
    }
}
