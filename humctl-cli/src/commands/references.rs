//! The short forms in which commands name Deployments, sets and Environments
//! (spec/cli.md §6.7).
//!
//! | form | Deployment | set |
//! |---|---|---|
//! | `.` | the latest of the Environment | its set |
//! | `+N` | the N-th before the latest, failed ones counted | its set |
//! | `deploy/X` | | the set of Deployment X |
//! | `env/E`, `envs/E` | | the set that is deployed in Environment E |
//! | `set/ID`, `sets/ID` | | that set |
//! | anything else | that Deployment | that set |

use humctl_api_types::deployment::{Deployment, DeploymentStatus};
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, DeploymentId, EnvId, OrgId, SetId};

use crate::context::{Context, bad_id};
use crate::error::CliError;

/// A Deployment by its place in the history, or by its id.
enum Place {
    Back(usize),
    Id(DeploymentId),
}

impl Place {
    fn parse(reference: &str) -> Result<Self, CliError> {
        match reference.strip_prefix('+') {
            Some(number) => number
                .parse()
                .map(Self::Back)
                .map_err(|_| CliError::user(format!("`{reference}` is no deployment: after + comes a number"))),
            None if reference == "." => Ok(Self::Back(0)),
            None => DeploymentId::new(reference).map(Self::Id).map_err(bad_id),
        }
    }
}

/// The id of a Deployment in the Environment of the context. Only a place in
/// the history takes a request.
pub(crate) fn deployment_id(context: &Context, reference: &str) -> Result<DeploymentId, CliError> {
    match Place::parse(reference)? {
        Place::Id(id) => Ok(id),
        Place::Back(back) => {
            let (org, app, env) = context.env()?;
            Ok(from_history(context, &org, &app, &env, back)?.id)
        }
    }
}

/// A Deployment of an Environment.
pub(crate) fn deployment(context: &Context, env: &EnvId, reference: &str) -> Result<Deployment, CliError> {
    let (org, app) = context.app()?;
    match Place::parse(reference)? {
        Place::Id(id) => context.client().call(&endpoint::deployment(&org, &app, env, &id)),
        Place::Back(back) => from_history(context, &org, &app, env, back),
    }
}

fn from_history(context: &Context, org: &OrgId, app: &AppId, env: &EnvId, back: usize) -> Result<Deployment, CliError> {
    let mut deployments = context.client().call(&endpoint::deployments(org, app, env))?;
    match deployments.len() {
        0 => Err(CliError::user(format!("no deployments in environment `{env}`"))),
        n_deployments if back >= n_deployments => {
            Err(CliError::user(format!("deployment `+{back}` not found: environment `{env}` has {n_deployments}"))
                .with_hint(format!("list them with: humctl get deployments --app {app} --env {env}")))
        }
        _ => Ok(deployments.swap_remove(back)),
    }
}

/// The id of a Deployment Set.
pub(crate) fn set_id(context: &Context, reference: &str) -> Result<SetId, CliError> {
    let of_deployment = |reference: &str| {
        let (_, _, env) = context.env()?;
        Ok(deployment(context, &env, reference)?.set_id)
    };
    match reference.split_once('/') {
        Some(("deploy" | "deploys", deployment)) => of_deployment(deployment),
        Some(("env" | "envs", _)) => Ok(deployed_set(context, &environment(context, reference)?)?),
        Some(("set" | "sets", id)) => SetId::new(id).map_err(bad_id),
        None if reference == "." || reference.starts_with('+') => of_deployment(reference),
        _ => SetId::new(reference)
            .map_err(|error| bad_id(error).with_hint("or name it as `.`, `+1`, `deploy/ID`, `env/ENV` or `set/ID`")),
    }
}

/// The set of the latest Deployment of an Environment that did not fail.
pub(crate) fn deployed_set(context: &Context, env: &EnvId) -> Result<SetId, CliError> {
    let (org, app) = context.app()?;
    let deployments = context.client().call(&endpoint::deployments(&org, &app, env))?;
    let n_failed = deployments.len();
    match deployments.into_iter().find(|deployment| deployment.status != DeploymentStatus::Failed) {
        Some(deployment) => Ok(deployment.set_id),
        None if n_failed == 0 => Err(CliError::user(format!("no deployments in environment `{env}`"))),
        None => Err(CliError::user(format!("no deployments in environment `{env}` succeeded"))
            .with_hint(format!("see why: humctl get deployment-error --app {app} --env {env}"))),
    }
}

/// An Environment: its id, `env/ID` or `envs/ID`, or `.` for that of the context.
pub(crate) fn environment(context: &Context, reference: &str) -> Result<EnvId, CliError> {
    let id = reference.strip_prefix("envs/").or_else(|| reference.strip_prefix("env/")).unwrap_or(reference);
    match id {
        "." => Ok(context.env()?.2),
        id => EnvId::new(id).map_err(bad_id),
    }
}
