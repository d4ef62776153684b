//! `humctl resources graph`, `humctl resources graph deploy REF`

use humctl_api_types::deployment::Deployment;
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId, OrgId};
use humctl_api_types::resource::ResourceGraph;

use crate::commands::references::deployment_id;
use crate::context::Context;
use crate::error::CliError;
use crate::output::graph;

/// Show the Resource Graph of an Environment
///
/// Without further words the graph of the latest Deployment is printed as DOT,
/// for Graphviz. With `deploy REF` one line is printed: the address of a page
/// with the graph of that Deployment.
#[derive(Debug, clap::Args)]
pub(crate) struct GraphArgs {
    /// deploy
    #[arg(value_name = "deploy", requires = "reference")]
    word: Option<String>,
    /// A Deployment: its id, `.` for the latest, `+N` for the N-th before
    #[arg(value_name = "REF")]
    reference: Option<String>,
}

pub(crate) fn run(context: &Context, args: &GraphArgs) -> Result<(), CliError> {
    let (org, app, env) = context.env()?;
    match (args.word.as_deref(), &args.reference) {
        (Some("deploy" | "deployment"), Some(reference)) => {
            let id = deployment_id(context, reference)?;
            let deployment = context.client().call(&endpoint::deployment(&org, &app, &env, &id))?;
            page(context, &org, &app, &env, &deployment)
        }
        (Some(word), _) => Err(CliError::user(format!("unknown word `{word}` after resources graph"))
            .with_hint("humctl resources graph deploy REF")),
        (None, _) => {
            // Listing also takes in what others deployed since.
            let deployments = context.client().call(&endpoint::deployments(&org, &app, &env))?;
            let Some(latest) = deployments.iter().find(|deployment| deployment.dependency_graph_id.is_some()) else {
                return Err(no_graph(&env, deployments.first()));
            };
            let found = load(context, &org, &app, &env, latest)?;
            if context.output.is_machine() {
                return context.output.document(&humctl_core::json::to_value(&found));
            }
            context.output.text(&graph::dot(&found, app.as_str(), env.as_str()))
        }
    }
}

fn no_graph(env: &EnvId, latest: Option<&Deployment>) -> CliError {
    match latest {
        None => CliError::user(format!("no deployments in environment `{env}`")),
        Some(deployment) => CliError::user(format!(
            "deployment `{}` of environment `{env}` has no Resource Graph: it is {}",
            deployment.id, deployment.status
        ))
        .with_hint("see its errors with: humctl get deployment-error"),
    }
}

fn load(
    context: &Context,
    org: &OrgId,
    app: &AppId,
    env: &EnvId,
    deployment: &Deployment,
) -> Result<ResourceGraph, CliError> {
    match &deployment.dependency_graph_id {
        Some(id) => context.client().call(&endpoint::graph(org, app, env, id)),
        None => Err(no_graph(env, Some(deployment))),
    }
}

/// Prints the address of a page with the graph: the portal's for a hosted
/// Orchestrator, a file of ours otherwise.
fn page(context: &Context, org: &OrgId, app: &AppId, env: &EnvId, deployment: &Deployment) -> Result<(), CliError> {
    if !context.client().is_local() {
        return context.output.line(&format!(
            "https://app.humanitec.io{}/deploys/{}/graph",
            endpoint::env_path(org, app, env),
            deployment.id
        ));
    }
    let found = load(context, org, app, env, deployment)?;
    let directory = crate::env::cache_dir()
        .ok_or_else(|| CliError::user("there is no home directory to write the page to").with_hint("set HOME"))?
        .join("graphs");
    let file = directory.join(format!("{org}-{app}-{env}-{}.html", deployment.id));
    std::fs::create_dir_all(&directory)
        .and_then(|()| std::fs::write(&file, graph::html(&found, app.as_str(), env.as_str())))
        .map_err(|error| CliError::file("write", &file, &error))?;
    context.output.line(&format!("file://{}", file.display()))
}
