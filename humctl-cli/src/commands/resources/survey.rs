//! What the planner needs to know, asked of the API: so a hosted Organization
//! is planned in this process just as the local one is.

use humctl_api_types::definition::{DefinitionVersion, ResourceDefinition};
use humctl_api_types::deployment::Deployment;
use humctl_api_types::driver::DriverInfo;
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, DeploymentId, EnvId, EnvTypeId, OrgId, SetId};
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_api_types::set::DeploymentSet;
use humctl_api_types::value;
use humctl_core::context::{EnvironmentContext, ResourceKey};
use humctl_core::graph::build::GraphInput;
use humctl_core::graph::{ResourceTypes, SelectorDepth};
use humctl_core::lowering::Drivers;
use humctl_core::matching::{Definitions, Pin, PinnedDefinition, Pins};
use humctl_core::plan::DeployContext;
use humctl_core::values::{OWN_STORE, SecretReference, SharedValue, SharedValues};

use crate::context::Context;
use crate::error::CliError;

/// Definitions, Drivers and types of an Organization.
pub(crate) struct Library {
    pub(crate) definitions: Vec<ResourceDefinition>,
    pub(crate) drivers: Vec<DriverInfo>,
    pub(crate) types: Vec<ResourceTypeInfo>,
    /// The secret store that a Deployment writes secret values to.
    pub(crate) secret_store: Option<String>,
}

/// An Environment with what is deployed in it.
pub(crate) struct Deployed {
    pub(crate) context: EnvironmentContext,
    pub(crate) set: DeploymentSet,
    pub(crate) deploy: DeployContext,
    /// False for an Environment in which nothing was deployed yet.
    pub(crate) has_deployment: bool,
    values: SharedValues,
    pins: Pins,
    selector_depth: SelectorDepth,
}

impl Deployed {
    /// An Environment in which nothing was deployed.
    pub(crate) fn nothing_in(context: EnvironmentContext, selector_depth: SelectorDepth) -> Self {
        Self {
            context,
            set: DeploymentSet::default(),
            deploy: no_deployment(),
            has_deployment: false,
            values: SharedValues::default(),
            pins: Pins::default(),
            selector_depth,
        }
    }

    /// What the planner takes.
    pub(crate) fn input<'d>(
        &'d self,
        definitions: &'d Definitions<'d>,
        types: &'d ResourceTypes<'d>,
        drivers: &'d Drivers,
    ) -> GraphInput<'d, 'd> {
        GraphInput {
            values: &self.values,
            pins: &self.pins,
            drivers,
            selector_depth: self.selector_depth,
            ..GraphInput::new(&self.context, definitions, types)
        }
    }
}

/// Asks for the Definitions, Drivers and types of an Organization.
pub(crate) fn library(context: &Context, org: &OrgId) -> Result<Library, CliError> {
    Ok(Library {
        definitions: context.client().call(&endpoint::definitions(org))?,
        drivers: context.client().call(&endpoint::drivers(org))?,
        types: context.client().call(&endpoint::resource_types(org))?,
        secret_store: secret_store(context, org),
    })
}

/// The primary secret store, if the embedded Orchestrator can write to such a
/// one. Who may not see the stores is taken to have none.
fn secret_store(context: &Context, org: &OrgId) -> Option<String> {
    let stores = context.client().call(&endpoint::secret_stores(org)).unwrap_or_default();
    stores.into_iter().find(|store| store.primary && store.vault.is_some()).map(|store| store.id)
}

/// Asks for an Environment and what is deployed in it. `library` is needed for
/// the pins of resources.
pub(crate) fn deployed(context: &Context, library: &Library, app: &AppId, env: &EnvId) -> Result<Deployed, CliError> {
    let environment = context.client().call(&endpoint::environment(&context.org()?, app, env))?;
    let place = place(context, app, env, environment.env_type)?;
    match &environment.from_deploy {
        Some(deployment) => with_deployment(context, library, place, deployment),
        // Shared Values and pins are there before the first Deployment.
        None => Ok(Deployed {
            values: values(context, &place)?,
            pins: pins(context, library, &place.org, app, env)?,
            ..Deployed::nothing_in(place, context.selector_depth()?)
        }),
    }
}

fn values(context: &Context, place: &EnvironmentContext) -> Result<SharedValues, CliError> {
    let values = context.client().call(&endpoint::values(&place.org, &place.app, Some(&place.env)))?;
    Ok(values.into_iter().map(shared_value).collect())
}

/// Asks for what a Deployment deployed into an Environment.
pub(crate) fn of_deployment(
    context: &Context,
    library: &Library,
    app: &AppId,
    env: &EnvId,
    deployment: &Deployment,
) -> Result<Deployed, CliError> {
    let environment = context.client().call(&endpoint::environment(&context.org()?, app, env))?;
    let place = place(context, app, env, environment.env_type)?;
    with_deployment(context, library, place, deployment)
}

fn place(context: &Context, app: &AppId, env: &EnvId, env_type: EnvTypeId) -> Result<EnvironmentContext, CliError> {
    Ok(EnvironmentContext { org: context.org()?, app: app.clone(), env: env.clone(), env_type })
}

fn with_deployment(
    context: &Context,
    library: &Library,
    place: EnvironmentContext,
    deployment: &Deployment,
) -> Result<Deployed, CliError> {
    let client = context.client();
    let (org, app, env) = (&place.org, &place.app, &place.env);
    let set = client.call(&endpoint::set(org, app, &deployment.set_id))?;
    Ok(Deployed {
        set: DeploymentSet { modules: set.modules, shared: set.shared },
        deploy: DeployContext { deployment: deployment.id.clone(), set: deployment.set_id.clone() },
        has_deployment: true,
        values: values(context, &place)?,
        pins: pins(context, library, org, app, env)?,
        selector_depth: context.selector_depth()?,
        context: place,
    })
}

fn shared_value(value: value::SharedValue) -> (String, SharedValue) {
    let planned = match (value.is_secret, value.secret_store_id, value.secret_key) {
        (false, ..) => SharedValue::Plain(value.value),
        (true, Some(store), Some(reference)) if store != OWN_STORE => {
            let version = value.secret_version.filter(|version| !version.is_empty());
            SharedValue::Reference(SecretReference { store, reference, version })
        }
        (true, store, reference) => SharedValue::Stored(SecretReference {
            store: store.unwrap_or_else(|| OWN_STORE.to_owned()),
            reference: reference.unwrap_or_default(),
            version: None,
        }),
    };
    (value.key.to_string(), planned)
}

/// The resources of an Environment that stay with a version of their Definition.
fn pins(context: &Context, library: &Library, org: &OrgId, app: &AppId, env: &EnvId) -> Result<Pins, CliError> {
    let client = context.client();
    let mut pins = Vec::new();
    for resource in client.call(&endpoint::active_resources(org, app, env))? {
        let Some(version) = resource.target_def_version_id else { continue };
        let definition = match library.definitions.iter().find(|definition| definition.id == resource.def_id) {
            None => PinnedDefinition::Missing,
            Some(definition) if definition.active_version_id == version => {
                PinnedDefinition::Usable(Box::new(definition.clone()))
            }
            Some(definition) => {
                let found = client.call(&endpoint::definition_version(org, &definition.id, &version))?;
                pinned(definition, found)
            }
        };
        let key = ResourceKey { res_type: resource.res_type, class: resource.class, id: resource.res_id };
        pins.push((key, Pin { version, definition }));
    }
    Ok(pins.into_iter().collect())
}

fn pinned(definition: &ResourceDefinition, version: DefinitionVersion) -> PinnedDefinition {
    if version.archived {
        return PinnedDefinition::Archived;
    }
    PinnedDefinition::Usable(Box::new(ResourceDefinition {
        driver_type: version.driver_type,
        driver_account: Some(version.driver_account).filter(|account| !account.is_empty()),
        driver_inputs: Some(version.driver_inputs),
        in_place_driver_change: version.in_place_driver_change,
        provision: version.provision,
        active_version_id: version.id,
        ..definition.clone()
    }))
}

/// Ids that `${context.deploy…}` shows before anything was deployed.
fn no_deployment() -> DeployContext {
    DeployContext {
        deployment: DeploymentId::new("0").unwrap_or_else(|_| unreachable!("a digit is a Deployment id")),
        set: SetId::new("0").unwrap_or_else(|_| unreachable!("zeros name the empty set")),
    }
}
