//! `humctl score deploy`

use std::process::ExitCode;

use humctl_api_types::delta::{DeltaMetadataRequest, DeltaRequest, ModuleDeltas, UpdateAction};
use humctl_api_types::deployment::{ConvertScore, DeploymentRequest};
use humctl_api_types::endpoint;
use humctl_api_types::id::OrgId;
use humctl_api_types::kind::Kind;
use humctl_api_types::plain::Place;
use humctl_api_types::set::DeploymentSet;
use humctl_core::json;
use humctl_core::score::join::join;
use serde_json::json;

use crate::commands::deployment::{self, HowToDeploy, plan};
use crate::commands::kinds;
use crate::commands::score::file;
use crate::commands::score::removal;
use crate::commands::score::sources::{ScoreFlags, ScoreSources};
use crate::context::Context;
use crate::error::CliError;

/// The class of every `workload` resource but those of Generic Mode.
const DEFAULT_CLASS: &str = "default";

/// Deploy a Score file into an Environment
///
/// The Workload is added to what is deployed there, or replaces one of its
/// name; other Workloads stay. With a deploy config several Workloads go in one
/// Deployment.
#[derive(Debug, clap::Args)]
#[command(after_help = r#"Examples:
  humctl score deploy --app shop --env development
  humctl score deploy -f web/score.yaml --image registry.example/web:1.4 --wait
  humctl score deploy -p containers.main.variables.LOG=debug -m "Say more"
  humctl score deploy --deploy-config deploy.yaml

See also: humctl score validate, humctl create app, humctl get, humctl deploy deploy"#)]
pub(crate) struct DeployArgs {
    #[command(flatten)]
    score: ScoreFlags,
    /// Message that the history shows
    #[arg(long, short, value_name = "TEXT", default_value = "Auto-deployment (SCORE)")]
    message: String,
    /// Create the Delta, and deploy nothing
    #[arg(long, conflicts_with_all = ["wait", "plan"])]
    dry_run: bool,
    /// Remove the Workload that the Score file names; shared resources stay
    #[arg(long)]
    remove: bool,
    /// Class of the `workload` resource; only `default` is supported
    #[arg(long, value_name = "CLASS", default_value = DEFAULT_CLASS)]
    class: String,
    #[command(flatten)]
    how: HowToDeploy,
}

pub(crate) fn run(context: &Context, args: &DeployArgs) -> Result<ExitCode, CliError> {
    if args.class != DEFAULT_CLASS {
        return Err(CliError::user(format!(
            "the workload class `{}` is for Generic Mode, which is not supported",
            args.class
        ))
        .with_hint("leave --class out: the Score file is deployed as a Workload of class default"));
    }
    let (org, app, env) = context.env()?;
    args.how.prepare(context)?;
    let sources = args.score.sources()?;
    let mut told = Vec::new();
    let delta = if args.remove {
        let workloads = each(&sources, file::workload)?;
        if !context.client().is_local() {
            told = removal::check(context, &org, &app, &env, &workloads)?;
        }
        removal::delta(&workloads)
    } else {
        addition(converted(context, &org, each(&sources, request)?)?)
    };
    let metadata = DeltaMetadataRequest { name: Some(args.message.clone()), env_id: Some(env.clone()) };
    let request = DeploymentRequest {
        comment: Some(args.message.clone()),
        // Only the branch knows what is deployed, and it is read on the way.
        strict_removal: (args.remove && context.client().is_local()).then_some(true),
        ..DeploymentRequest::default()
    };
    if args.how.is_plan() {
        // Not even the Delta is stored.
        let plan = plan::ask(context, &env, args.how.request(request)?, Some(delta))?;
        return plan::print(context, &app, &[plan], false);
    }
    let delta = context.client().call(&endpoint::create_delta(&org, &app, &DeltaRequest { metadata, ..delta }))?;
    if args.dry_run {
        let manifests = kinds::manifests_in(context, Kind::DeploymentDelta, &Place::default(), json::to_value(&delta))?;
        context.output.manifests(&manifests, true, || kinds::table(Kind::DeploymentDelta, &manifests))?;
        return Ok(ExitCode::SUCCESS);
    }
    let request = DeploymentRequest { delta_id: Some(delta.id.clone()), ..request };
    told.push(format!("Delta {}", delta.id));
    deployment::deploy(context, &env, request.into(), &args.how, &told)
}

/// A checked Workload: how to convert it, and where it comes from.
pub(crate) struct Request {
    convert: ConvertScore,
    source_url: Option<String>,
}

/// Reads all Score files; what is wrong with any of them is told at once.
pub(crate) fn each<T>(
    sources: &[ScoreSources],
    read: fn(&ScoreSources) -> Result<T, CliError>,
) -> Result<Vec<T>, CliError> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for source in sources {
        match read(source) {
            Ok(one) => all.push(one),
            Err(error) => problems.push(error.text()),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(CliError::user(problems.join("\nError: "))) }
}

pub(crate) fn request(source: &ScoreSources) -> Result<Request, CliError> {
    let convert = file::check(source)?.into_request()?;
    Ok(Request { convert, source_url: source.source_url.clone() })
}

/// Converts every Workload, and joins them to one Deployment Set.
pub(crate) fn converted(context: &Context, org: &OrgId, workloads: Vec<Request>) -> Result<DeploymentSet, CliError> {
    let mut sets = Vec::new();
    for Request { convert, source_url } in workloads {
        let mut set = context.client().call(&endpoint::convert_score(org, &convert))?;
        if let Some(url) = &source_url {
            annotate(&mut set, url);
        }
        sets.push(set);
    }
    join(sets).map_err(|problems| CliError::user(problems.join("\nError: ")))
}

/// A Delta that adds a Deployment Set.
fn addition(set: DeploymentSet) -> DeltaRequest {
    let shared = set.shared.iter().map(|(key, resource)| UpdateAction {
        op: "add".to_owned(),
        path: format!("/{}", humctl_core::yaml::escape_pointer(key)),
        value: Some(json::to_value(resource)),
        from: None,
    });
    DeltaRequest {
        shared: Some(shared.collect()),
        modules: ModuleDeltas { add: set.modules, ..ModuleDeltas::default() }.into(),
        ..DeltaRequest::default()
    }
}

fn annotate(set: &mut DeploymentSet, source_url: &str) {
    for module in set.modules.values_mut() {
        let annotations = module.spec.entry("annotations").or_insert_with(|| json!({}));
        annotations["humanitec.io/workload-source"] = json!(source_url);
    }
}
