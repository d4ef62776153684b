//! What the planner needs to know, asked of the API: so a hosted Organization
//! is planned in this process just as the local one is.

use humctl_api_types::definition::ResourceDefinition;
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, DeploymentId, EnvId, OrgId, SetId};
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_api_types::set::DeploymentSet;
use humctl_core::context::EnvironmentContext;
use humctl_core::plan::DeployContext;
use humctl_core::values::SharedValues;

use crate::context::Context;
use crate::error::CliError;

/// Definitions and types of an Organization.
pub(super) struct Library {
    pub(super) definitions: Vec<ResourceDefinition>,
    pub(super) types: Vec<ResourceTypeInfo>,
}

/// An Environment with what is deployed in it.
pub(super) struct Deployed {
    pub(super) context: EnvironmentContext,
    pub(super) set: DeploymentSet,
    pub(super) values: SharedValues,
    pub(super) deploy: DeployContext,
    /// False for an Environment in which nothing was deployed yet.
    pub(super) has_deployment: bool,
}

impl Deployed {
    /// An Environment in which nothing was deployed.
    pub(super) fn nothing_in(context: EnvironmentContext) -> Self {
        Self {
            context,
            set: DeploymentSet::default(),
            values: SharedValues::default(),
            deploy: no_deployment(),
            has_deployment: false,
        }
    }
}

/// Asks for the Definitions and types of an Organization.
pub(super) fn library(context: &Context, org: &OrgId) -> Result<Library, CliError> {
    Ok(Library {
        definitions: context.client().call(&endpoint::definitions(org))?,
        types: context.client().call(&endpoint::resource_types(org))?,
    })
}

/// Asks for an Environment and what is deployed in it.
pub(super) fn deployed(context: &Context, org: &OrgId, app: &AppId, env: &EnvId) -> Result<Deployed, CliError> {
    let client = context.client();
    let environment = client.call(&endpoint::environment(org, app, env))?;
    let set = match &environment.from_deploy {
        Some(deployment) => {
            let set = client.call(&endpoint::set(org, app, &deployment.set_id))?;
            DeploymentSet { modules: set.modules, shared: set.shared }
        }
        None => DeploymentSet::default(),
    };
    Ok(Deployed {
        context: EnvironmentContext {
            org: org.clone(),
            app: app.clone(),
            env: env.clone(),
            env_type: environment.env_type,
        },
        values: SharedValues::default(),
        deploy: match &environment.from_deploy {
            Some(deployment) => DeployContext { deployment: deployment.id.clone(), set: deployment.set_id.clone() },
            None => no_deployment(),
        },
        has_deployment: environment.from_deploy.is_some(),
        set,
    })
}

/// Ids that `${context.deploy…}` shows before anything was deployed.
fn no_deployment() -> DeployContext {
    DeployContext {
        deployment: DeploymentId::new("0").unwrap_or_else(|_| unreachable!("a digit is a Deployment id")),
        set: SetId::new("0").unwrap_or_else(|_| unreachable!("zeros name the empty set")),
    }
}
