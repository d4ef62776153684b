//! `humctl get TYPE [ID]`

use humctl_api_types::manifest::Kind;
use serde_json::Value;

use crate::commands::{kinds, references};
use crate::context::Context;
use crate::error::CliError;

/// Show objects
///
/// Types: org, app, env, env-type, def, resource-type, driver, deploy,
/// deployment-error, deployment-set, delta, value, active-resources. Deployments
/// and sets also take `.` for the latest one, and `+N` for the N-th before it.
/// Values are the Application's, unless --env names an Environment.
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
        (Kind::DeploymentDelta, None) => deltas(context)?,
        (_, None) => context.client().get(&kinds::list_path(context, kind)?)?,
        (Kind::Deployment, Some(id)) => deployment(context, id)?,
        (Kind::DeploymentSet, Some(id)) => set(context, id)?,
        (Kind::ActiveResource, Some(id)) => filtered(context, kind, "res_id", id)?,
        (Kind::Value, Some(key)) => filtered(context, kind, "key", key)?,
        (Kind::ResourceType, Some(id)) => filtered(context, kind, "type", id)?,
        (_, Some(id)) => context.client().get(&kinds::object_path(context, kind, id)?)?,
    };
    let is_single = !answer.is_array();
    let manifests = match kind {
        Kind::Value => {
            let (_, app, env) = context.level()?;
            kinds::values(&app, env.as_ref(), answer)
        }
        _ => kinds::manifests(kind, answer),
    };
    context.output.manifests(&manifests, is_single, || kinds::table(kind, &manifests))
}

fn deployment(context: &Context, reference: &str) -> Result<Value, CliError> {
    let id = references::deployment_id(context, reference)?;
    context.client().get(&kinds::object_path(context, Kind::Deployment, id.as_str())?)
}

fn errors(context: &Context, reference: &str) -> Result<Value, CliError> {
    let id = references::deployment_id(context, reference)?;
    context.client().get(&format!("{}/errors", kinds::object_path(context, Kind::Deployment, id.as_str())?))
}

fn set(context: &Context, reference: &str) -> Result<Value, CliError> {
    let id = references::set_id(context, reference)?;
    context.client().get(&kinds::object_path(context, Kind::DeploymentSet, id.as_str())?)
}

/// The Deltas of the Application, or of the Environment that the flag names.
fn deltas(context: &Context) -> Result<Value, CliError> {
    let path = kinds::list_path(context, Kind::DeploymentDelta)?;
    context.client().get(&match context.level()? {
        (_, _, Some(env)) => format!("{path}?env={env}"),
        (_, _, None) => path,
    })
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
