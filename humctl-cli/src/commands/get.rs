//! `humctl get TYPE [ID]`

use humctl_api_types::endpoint;
use humctl_api_types::id::DeploymentId;
use humctl_api_types::manifest::Kind;
use serde_json::Value;

use crate::commands::kinds;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Show objects
///
/// Types: org, app, env, env-type, def, resource-type, driver, deploy,
/// deployment-error, deployment-set, delta, active-resources. Deployments and
/// sets also take `.` for the latest one, and `+N` for the N-th before it.
#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    /// What to show
    #[arg(value_name = "TYPE")]
    kind: Option<String>,
    /// Only this one
    #[arg(value_name = "ID")]
    id: Option<String>,
}

pub(crate) fn run(context: &Context, args: &GetArgs) -> Result<(), CliError> {
    let Some(word) = &args.kind else {
        return crate::commands::help(&mut <GetArgs as clap::Args>::augment_args(clap::Command::new("humctl get")));
    };
    let kind = kinds::parse(word)?;
    let answer = match (kind, &args.id) {
        (Kind::DeploymentError, id) => errors(context, id.as_deref().unwrap_or("."))?,
        (_, None) => context.client().get(&kinds::list_path(context, kind)?)?,
        (Kind::Deployment, Some(id)) => deployment(context, id)?,
        (Kind::DeploymentSet, Some(id)) => set(context, id)?,
        (Kind::ActiveResource, Some(id)) => filtered(context, kind, "res_id", id)?,
        (Kind::ResourceType, Some(id)) => filtered(context, kind, "type", id)?,
        (_, Some(id)) => context.client().get(&kinds::object_path(context, kind, id)?)?,
    };
    let is_single = !answer.is_array();
    let manifests = kinds::manifests(kind, answer);
    context.output.manifests(&manifests, is_single, || kinds::table(kind, &manifests))
}

/// The id of a Deployment: itself, `.` for the latest, `+N` for the N-th before.
pub(crate) fn deployment_id(context: &Context, reference: &str) -> Result<DeploymentId, CliError> {
    let back = match reference.strip_prefix('+') {
        Some(number) => number
            .parse::<usize>()
            .map_err(|_| CliError::user(format!("`{reference}` is no deployment: after + comes a number")))?,
        None if reference == "." => 0,
        None => return DeploymentId::new(reference).map_err(bad_id),
    };
    let (org, app, env) = context.env()?;
    let deployments = context.client().call(&endpoint::deployments(&org, &app, &env))?;
    match deployments.get(back) {
        Some(deployment) => Ok(deployment.id.clone()),
        None if deployments.is_empty() => Err(CliError::user(format!("no deployments in environment `{env}`"))),
        None => Err(CliError::user(format!(
            "there is no deployment `{reference}` in environment `{env}`: it has {}",
            deployments.len()
        ))),
    }
}

fn deployment(context: &Context, reference: &str) -> Result<Value, CliError> {
    let id = deployment_id(context, reference)?;
    context.client().get(&kinds::object_path(context, Kind::Deployment, id.as_str())?)
}

fn errors(context: &Context, reference: &str) -> Result<Value, CliError> {
    let id = deployment_id(context, reference)?;
    context.client().get(&format!("{}/errors", kinds::object_path(context, Kind::Deployment, id.as_str())?))
}

/// A Deployment Set; `.` and `+N` name those of Deployments.
fn set(context: &Context, reference: &str) -> Result<Value, CliError> {
    let id = if reference == "." || reference.starts_with('+') {
        let deployment = deployment(context, reference)?;
        deployment.get("set_id").and_then(Value::as_str).unwrap_or_default().to_owned()
    } else {
        reference.to_owned()
    };
    context.client().get(&kinds::object_path(context, Kind::DeploymentSet, &id)?)
}

/// One kind has no endpoint for a single object, so the list is searched.
fn filtered(context: &Context, kind: Kind, field: &str, id: &str) -> Result<Value, CliError> {
    let Value::Array(mut items) = context.client().get(&kinds::list_path(context, kind)?)? else {
        return Err(CliError::user("the answer is no list"));
    };
    items.retain(|item| item.get(field).and_then(Value::as_str) == Some(id));
    match items.len() {
        0 => Err(CliError::user(format!("{} `{id}` does not exist", kind.info().name))),
        1 => Ok(items.remove(0)),
        _ => Ok(Value::Array(items)),
    }
}
