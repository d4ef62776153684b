//! `humctl score deploy`

use std::path::PathBuf;

use humctl_api_types::delta::{DeltaMetadataRequest, DeltaRequest, ModuleDeltas, UpdateAction};
use humctl_api_types::deployment::DeploymentRequest;
use humctl_api_types::endpoint;
use humctl_api_types::id::{EnvId, OrgId};
use humctl_api_types::manifest::Kind;
use humctl_api_types::set::DeploymentSet;
use humctl_core::json;
use serde_json::json;

use crate::commands::deployment::{self, HowToDeploy};
use crate::commands::kinds;
use crate::commands::score::file::{self, ScoreSources};
use crate::context::Context;
use crate::error::CliError;

/// Deploy a Score file into an Environment
///
/// The Workload is added to what is deployed there, or replaces one of its
/// name; other Workloads stay. The Deployment ends when the custom resources
/// are in the Git target.
#[derive(Debug, clap::Args)]
pub(crate) struct DeployArgs {
    /// Score file
    #[arg(long, short, value_name = "FILE", default_value = "score.yaml")]
    file: PathBuf,
    /// Score overrides file, merged over the Score file
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
    /// Score extension file
    #[arg(long, value_name = "FILE")]
    extensions: Option<PathBuf>,
    /// Set a value, as in containers.main.image=repo/app:1; without = it is removed
    #[arg(long = "property", short = 'p', value_name = "PATH=VALUE")]
    properties: Vec<String>,
    /// Image for containers that have none or `.`
    #[arg(long, short, value_name = "IMAGE")]
    image: Option<String>,
    /// Text for the history
    #[arg(long, short, value_name = "TEXT", default_value = "Auto-deployment (SCORE)")]
    message: String,
    /// Link to the source of the Score file, kept as an annotation
    #[arg(long, value_name = "URL")]
    workload_source_url: Option<String>,
    /// Make the Delta and deploy nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Remove the Workload that the Score file names
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    how: HowToDeploy,
}

pub(crate) fn run(context: &Context, args: &DeployArgs) -> Result<(), CliError> {
    let (org, app, env) = context.env()?;
    args.how.prepare(context);
    let delta = delta(context, args, &org, &env)?;
    let delta = context.client().call(&endpoint::create_delta(&org, &app, &delta))?;
    if args.dry_run {
        let manifests = kinds::manifests(Kind::DeploymentDelta, json::to_value(&delta));
        return context.output.manifests(&manifests, true, || kinds::table(Kind::DeploymentDelta, &manifests));
    }
    let request = DeploymentRequest {
        delta_id: Some(delta.id.clone()),
        comment: Some(args.message.clone()),
        ..DeploymentRequest::default()
    };
    deployment::deploy(context, &env, request, &args.how, &[format!("Delta {}", delta.id)])
}

/// What the Score file changes.
fn delta(context: &Context, args: &DeployArgs, org: &OrgId, env: &EnvId) -> Result<DeltaRequest, CliError> {
    let sources = ScoreSources {
        file: &args.file,
        overrides: args.overrides.as_deref(),
        extensions: args.extensions.as_deref(),
        properties: &args.properties,
        // A Workload that is only removed needs no image.
        image: args.image.as_deref().or(args.remove.then_some("removed")),
    };
    let (request, name) = file::check(&sources)?.into_request()?;
    let metadata = DeltaMetadataRequest { name: Some(args.message.clone()), env_id: Some(env.clone()) };
    if args.remove {
        let modules = ModuleDeltas { remove: vec![name], ..ModuleDeltas::default() };
        return Ok(DeltaRequest { metadata, modules: modules.into(), shared: None });
    }
    let mut set: DeploymentSet = context.client().call(&endpoint::convert_score(org, &request))?;
    if let Some(url) = &args.workload_source_url {
        for module in set.modules.values_mut() {
            let annotations = module.spec.entry("annotations").or_insert_with(|| json!({}));
            annotations["humanitec.io/workload-source"] = json!(url);
        }
    }
    let shared = set.shared.iter().map(|(key, resource)| UpdateAction {
        op: "add".to_owned(),
        path: format!("/{}", humctl_core::yaml::escape_pointer(key)),
        value: Some(json::to_value(resource)),
        from: None,
    });
    let shared: Vec<UpdateAction> = shared.collect();
    Ok(DeltaRequest {
        metadata,
        modules: ModuleDeltas { add: set.modules, ..ModuleDeltas::default() }.into(),
        shared: Some(shared),
    })
}
