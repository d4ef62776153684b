//! `humctl score deploy`

use std::path::PathBuf;

use humctl_api_types::delta::{DeltaMetadataRequest, DeltaRequest, ModuleDeltas, UpdateAction};
use humctl_api_types::deployment::{ConvertScore, DeploymentRequest};
use humctl_api_types::endpoint;
use humctl_api_types::id::OrgId;
use humctl_api_types::manifest::Kind;
use humctl_api_types::set::DeploymentSet;
use humctl_core::json;
use humctl_core::score::join::join;
use serde_json::json;

use crate::commands::deployment::{self, HowToDeploy};
use crate::commands::kinds;
use crate::commands::score::file::{self, Checked};
use crate::commands::score::sources::{self, ScoreSources};
use crate::context::Context;
use crate::error::CliError;

/// Deploy a Score file into an Environment
///
/// The Workload is added to what is deployed there, or replaces one of its
/// name; other Workloads stay. With a deploy config several Workloads go in one
/// deployment. It ends when the custom resources are in the Git target.
#[derive(Debug, clap::Args)]
pub(crate) struct DeployArgs {
    /// Score file
    #[arg(long, short, value_name = "FILE", default_value = "score.yaml")]
    file: PathBuf,
    /// File that lists the Score files of several Workloads
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "overrides", "extensions", "properties", "workload_source_url"])]
    deploy_config: Option<PathBuf>,
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
    /// Link to the source of the deploy config's directory, from which each
    /// Score file gets its own
    #[arg(long, value_name = "URL", requires = "deploy_config")]
    workload_source_url_prefix: Option<String>,
    /// Make the Delta and deploy nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Remove the Workloads that the Score files name
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    how: HowToDeploy,
}

pub(crate) fn run(context: &Context, args: &DeployArgs) -> Result<(), CliError> {
    let (org, app, env) = context.env()?;
    args.how.prepare(context);
    let workloads = requests(&args.sources()?)?;
    let delta = if args.remove { removal(workloads) } else { addition(context, &org, workloads)? };
    let metadata = DeltaMetadataRequest { name: Some(args.message.clone()), env_id: Some(env.clone()) };
    let delta = context.client().call(&endpoint::create_delta(&org, &app, &DeltaRequest { metadata, ..delta }))?;
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

impl DeployArgs {
    fn sources(&self) -> Result<Vec<ScoreSources>, CliError> {
        // A Workload that is only removed needs no image.
        let image = self.image.as_deref().or(self.remove.then_some("removed"));
        if let Some(config) = &self.deploy_config {
            return sources::from_config(config, image, self.workload_source_url_prefix.as_deref());
        }
        Ok(vec![ScoreSources {
            file: self.file.clone(),
            overrides: self.overrides.clone(),
            extensions: self.extensions.clone(),
            properties: sources::properties(&self.properties),
            image: image.map(ToOwned::to_owned),
            name: None,
            source_url: self.workload_source_url.clone(),
        }])
    }
}

/// A checked Workload: its name, how to convert it, and where it comes from.
struct Request {
    workload: String,
    convert: ConvertScore,
    source_url: Option<String>,
}

/// Checks all Score files; what is wrong with any of them is told at once.
fn requests(sources: &[ScoreSources]) -> Result<Vec<Request>, CliError> {
    let mut requests = Vec::new();
    let mut problems = Vec::new();
    for source in sources {
        match file::check(source).and_then(Checked::into_request) {
            Ok((convert, workload)) => {
                requests.push(Request { workload, convert, source_url: source.source_url.clone() });
            }
            Err(error) => problems.push(error.text()),
        }
    }
    if problems.is_empty() { Ok(requests) } else { Err(CliError::user(problems.join("\nError: "))) }
}

fn removal(workloads: Vec<Request>) -> DeltaRequest {
    let remove = workloads.into_iter().map(|request| request.workload).collect();
    DeltaRequest { modules: ModuleDeltas { remove, ..ModuleDeltas::default() }.into(), ..DeltaRequest::default() }
}

/// Converts every Workload, and makes one Delta of them.
fn addition(context: &Context, org: &OrgId, workloads: Vec<Request>) -> Result<DeltaRequest, CliError> {
    let mut sets = Vec::new();
    for Request { convert, source_url, .. } in workloads {
        let mut set = context.client().call(&endpoint::convert_score(org, &convert))?;
        if let Some(url) = &source_url {
            annotate(&mut set, url);
        }
        sets.push(set);
    }
    let set = join(sets).map_err(|problems| CliError::user(problems.join("\nError: ")))?;
    let shared = set.shared.iter().map(|(key, resource)| UpdateAction {
        op: "add".to_owned(),
        path: format!("/{}", humctl_core::yaml::escape_pointer(key)),
        value: Some(json::to_value(resource)),
        from: None,
    });
    Ok(DeltaRequest {
        shared: Some(shared.collect()),
        modules: ModuleDeltas { add: set.modules, ..ModuleDeltas::default() }.into(),
        ..DeltaRequest::default()
    })
}

fn annotate(set: &mut DeploymentSet, source_url: &str) {
    for module in set.modules.values_mut() {
        let annotations = module.spec.entry("annotations").or_insert_with(|| json!({}));
        annotations["humanitec.io/workload-source"] = json!(source_url);
    }
}
