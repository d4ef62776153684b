//! `humctl get TYPE [ID]`

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::endpoint::encode_segment;
use humctl_api_types::id::EnvId;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use serde_json::Value;

use crate::commands::{kinds, references, suggest};
use crate::completion;
use crate::context::{Context, bad_id};
use crate::error::CliError;

/// Show one object, or all of a type
///
/// A list shows the latest first where time matters. Deployments and Deployment Sets
/// also take `.` for the latest one, and `+N` for the N-th before it (failed ones
/// count), as ID. Values
/// are the Application's, unless --env names an Environment. What -o yaml prints can
/// be changed and applied.
#[derive(Debug, clap::Args)]
#[command(after_help = "Types:
  org, app, env, env-type
  deploy, deployment-error, deployment-set, delta, value, active-resources
  def, resource-type, resource-class, driver, account, secret-store
  pipeline, pipeline-criteria, rule, webhook
  registry, agent, key, workload-profile
Types that need a hosted Orchestrator:
  user, token, audit-log, pipeline-run, artefact, artefact-version

Examples:
  humctl get apps
  humctl get env --app shop
  humctl get deploy . --app shop --env development -o json
  humctl get def postgres-team -o yaml

See also: humctl apply, humctl delete, humctl api")]
pub(crate) struct GetArgs {
    /// Type of object, in singular or plural
    #[arg(add = ArgValueCandidates::new(completion::types), value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Id of the only one to show; all of them when absent
    #[arg(add = ArgValueCandidates::new(completion::objects), value_name = "ID")]
    pub(crate) id: Option<String>,
}

pub(crate) fn run(context: &Context, args: &GetArgs) -> Result<(), CliError> {
    let Some(word) = &args.kind else {
        return crate::commands::help(&mut <GetArgs as clap::Args>::augment_args(clap::Command::new("humctl get")));
    };
    let kind = kinds::parse(word)?;
    let answer = match (kind, &args.id) {
        (Kind::DeploymentError, id) => errors(context, id.as_deref().unwrap_or("."))?,
        (Kind::DeploymentDelta, None) => deltas(context)?,
        (Kind::PipelineRun, None) => runs(context)?,
        (_, None) => context.client().get(&kinds::list_path(context, kind)?)?,
        (Kind::Deployment, Some(id)) => deployment(context, id)?,
        (Kind::DeploymentSet, Some(id)) => set(context, id)?,
        (kind, Some(id)) => match searched_by(kind) {
            Some(field) => kinds::search(context, kind, field, id)?,
            None => {
                let answer = context.client().get(&kinds::object_path(context, kind, id)?);
                answer.map_err(|error| suggest::object(context, kind, id, error))?
            }
        },
    };
    let is_single = !answer.is_array();
    let answer = match kind {
        Kind::Pipeline if context.output.is_machine() => with_documents(context, answer)?,
        _ => answer,
    };
    let env = context.flag_env().map(EnvId::new).transpose().map_err(bad_id)?;
    let place = match kind {
        Kind::Value => Place { env_id: env, ..Place::default() },
        _ => Place::default(),
    };
    let manifests = kinds::manifests_in(context, kind, &place, answer)?;
    context.output.manifests(&manifests, is_single, || kinds::table(kind, &manifests))
}

/// The field by which one object is found in the list, for kinds that have no
/// endpoint for a single one, or one that asks for more than the id.
fn searched_by(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::ActiveResource => Some("res_id"),
        Kind::Value => Some("key"),
        Kind::ResourceType => Some("type"),
        Kind::ResourceClass
        | Kind::PipelineCriteria
        | Kind::PipelineRun
        | Kind::Agent
        | Kind::Artefact
        | Kind::AuditLog => Some("id"),
        _ => None,
    }
}

/// Puts their documents into what is told of Pipelines.
fn with_documents(context: &Context, mut answer: Value) -> Result<Value, CliError> {
    let pipelines = match &mut answer {
        Value::Array(pipelines) => pipelines.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    for pipeline in pipelines {
        let id = pipeline.get("id").and_then(Value::as_str).unwrap_or_default();
        let path = kinds::object_path(context, Kind::Pipeline, id)?;
        pipeline["document"] = kinds::pipeline_document(context, &path)?;
    }
    Ok(answer)
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

/// The runs of the Organization, or of the Application and Environment that flags name.
fn runs(context: &Context) -> Result<Value, CliError> {
    let mut path = kinds::list_path(context, Kind::PipelineRun)?;
    for (name, value) in [("app", context.flag_app()), ("env", context.flag_env())] {
        if let Some(value) = value {
            let sign = if path.contains('?') { '&' } else { '?' };
            path.push_str(&format!("{sign}{name}={}", encode_segment(value)));
        }
    }
    context.client().get(&path)
}
