//! `humctl score deploy`

use std::collections::BTreeMap;
use std::path::PathBuf;
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
use crate::commands::score::sources::{self, ScoreSources};
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
    /// Score file to deploy
    #[arg(long, short, value_name = "FILE", default_value = "score.yaml")]
    file: PathBuf,
    /// File that lists the Score files of several Workloads (kind `ScoreDeployConfig`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "overrides", "extensions", "properties", "workload_source_url"])]
    deploy_config: Option<PathBuf>,
    /// Score overrides file, merged over the Score file
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
    /// Score extension file, with what is specific to the Orchestrator
    #[arg(long, value_name = "FILE")]
    extensions: Option<PathBuf>,
    /// Change a value of the Score file, as in containers.main.image=repo/app:1; without = it is removed
    #[arg(long = "property", short = 'p', value_name = "PATH=VALUE")]
    properties: Vec<String>,
    /// Image for containers whose image is `.` or missing
    #[arg(long, short, value_name = "IMAGE")]
    image: Option<String>,
    /// Message that the history shows
    #[arg(long, short, value_name = "TEXT", default_value = "Auto-deployment (SCORE)")]
    message: String,
    /// Link to the source of the Score file, kept as an annotation
    #[arg(long, value_name = "URL")]
    workload_source_url: Option<String>,
    /// Link to the source of the deploy config's directory; each Score file's link is made from it
    #[arg(long, value_name = "URL", requires = "deploy_config")]
    workload_source_url_prefix: Option<String>,
    /// Create the Delta, and deploy nothing
    #[arg(long, conflicts_with_all = ["wait", "plan"])]
    dry_run: bool,
    /// Remove the Workload that the Score file names; shared resources stay
    #[arg(long)]
    remove: bool,
    /// What a Resource Type of the Score file stands for, as in s3=my-org/s3
    #[arg(long = "resource-type-alias", value_name = "TYPE=ORG/TYPE", value_parser = sources::type_alias)]
    type_aliases: Vec<(String, String)>,
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
    let sources = args.sources()?;
    let mut told = Vec::new();
    let delta = if args.remove {
        let workloads = each(&sources, file::workload)?;
        if !context.client().is_local() {
            told = removal::check(context, &org, &app, &env, &workloads)?;
        }
        removal::delta(&workloads)
    } else {
        addition(context, &org, each(&sources, request)?)?
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

impl DeployArgs {
    fn sources(&self) -> Result<Vec<ScoreSources>, CliError> {
        let image = self.image.as_deref();
        let type_aliases: BTreeMap<String, String> = self.type_aliases.iter().cloned().collect();
        if let Some(config) = &self.deploy_config {
            let mut sources = sources::from_config(config, image, self.workload_source_url_prefix.as_deref())?;
            for source in &mut sources {
                source.type_aliases.clone_from(&type_aliases);
            }
            return Ok(sources);
        }
        Ok(vec![ScoreSources {
            file: self.file.clone(),
            overrides: self.overrides.clone(),
            extensions: self.extensions.clone(),
            properties: sources::properties(&self.properties),
            image: image.map(ToOwned::to_owned),
            name: None,
            source_url: self.workload_source_url.clone(),
            type_aliases,
        }])
    }
}

/// A checked Workload: how to convert it, and where it comes from.
struct Request {
    convert: ConvertScore,
    source_url: Option<String>,
}

/// Reads all Score files; what is wrong with any of them is told at once.
fn each<T>(sources: &[ScoreSources], read: fn(&ScoreSources) -> Result<T, CliError>) -> Result<Vec<T>, CliError> {
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

fn request(source: &ScoreSources) -> Result<Request, CliError> {
    let convert = file::check(source)?.into_request()?;
    Ok(Request { convert, source_url: source.source_url.clone() })
}

/// Converts every Workload, and makes one Delta of them.
fn addition(context: &Context, org: &OrgId, workloads: Vec<Request>) -> Result<DeltaRequest, CliError> {
    let mut sets = Vec::new();
    for Request { convert, source_url } in workloads {
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
