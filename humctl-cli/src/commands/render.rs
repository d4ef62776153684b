//! `humctl render`

use std::fs;
use std::path::{Path, PathBuf};

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::id::{AppId, EnvId, EnvTypeId};
use humctl_core::context::EnvironmentContext;
use humctl_core::graph::build::GraphInput;
use humctl_core::graph::{PlanError, ResourceTypes, SetIndex};
use humctl_core::lowering::Drivers;
use humctl_core::matching::Definitions;
use humctl_core::object_preview::preview_objects;
use humctl_core::provision::{GivenOutputs, ProvisionedFiles};
use humctl_core::render::CrFile;
use humctl_core::set::set_id;
use humctl_core::yaml::parse_documents;
use serde_json::{Value, json};

use crate::commands::deployment::read_outputs;
use crate::commands::resources::survey::{self, Deployed, Library};
use crate::commands::score::deploy::{converted, each, request};
use crate::commands::score::sources::ScoreFlags;
use crate::completion;
use crate::context::{Context, bad_id};
use crate::error::CliError;
use crate::output::Format;

/// Application and Environment of what is rendered for none.
const NOWHERE: (&str, &str) = ("app", "development");

/// Directory of the objects that belong to no namespace.
const CLUSTER: &str = "cluster";

/// Show the Kubernetes objects that a Score file comes to
///
/// Matches the Resource Definitions, provisions what can be provisioned here, and
/// prints every object, one YAML document each. Nothing is deployed, and no
/// target is needed; neither Application nor Environment have to exist. The
/// Definitions of a hosted Organization are read from it; the rendering happens
/// here.
///
/// Secrets are references, in `ExternalSecret`s. Drivers remember nothing, so that
/// random values are others than those of a Deployment.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl render
  humctl render -f web/score.yaml --app shop --env production | kubeconform -
  humctl render --deployed --app shop --env development --out rendered/
  humctl render --outputs terraform.yaml -o json | jq '.items[].kind'

See also: humctl score validate, humctl resources explain, humctl score deploy")]
pub(crate) struct RenderArgs {
    #[command(flatten)]
    score: ScoreFlags,
    /// Render what is deployed in the Environment, and no Score file
    #[arg(long, conflicts_with_all = ["file", "deploy_config", "overrides", "extensions", "properties", "image", "type_aliases"])]
    deployed: bool,
    /// Environment Type of an Environment that need not exist
    #[arg(long, value_name = "TYPE", conflicts_with = "deployed", add = ArgValueCandidates::new(completion::env_types))]
    env_type: Option<String>,
    /// Outputs of resources that are made elsewhere: a YAML or JSON file that maps `type.class#id` to
    /// `values` and `secret_refs`
    #[arg(long, value_name = "FILE")]
    outputs: Option<PathBuf>,
    /// Write one file an object into this directory, which must not hold anything yet
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, args: &RenderArgs) -> Result<(), CliError> {
    let org = context.org()?;
    let given = args.outputs.as_deref().map(read_outputs).transpose()?;
    let given = given.as_ref().map(GivenOutputs::read).transpose();
    let given = given.map_err(|findings| CliError::user(findings.join("\n")))?.unwrap_or_default();
    let requests = if args.deployed { Vec::new() } else { each(&args.score.sources()?, request)? };
    let library = survey::library(context, &org)?;
    let mut place = place(context, args, &library)?;
    if !args.deployed {
        place.set = converted(context, &org, requests)?;
        place.deploy.set = set_id(&place.set);
    }
    let made = rendered(&library, &place, &given).map_err(|errors| told(&errors))?;
    for warning in &made.warnings {
        tracing::warn!("{warning}");
    }
    match &args.out {
        Some(directory) => write(context, directory, &made),
        None => print(context, &made),
    }
}

/// The Environment to render for: the one that is named, or one that is made up.
fn place(context: &Context, args: &RenderArgs, library: &Library) -> Result<Deployed, CliError> {
    if args.deployed {
        let (_, app, env) = context.env()?;
        let deployed = survey::deployed(context, library, &app, &env)?;
        return match deployed.has_deployment {
            true => Ok(deployed),
            false => Err(CliError::user(format!("nothing is deployed in environment `{env}` of application `{app}`"))
                .with_hint("render a Score file: humctl render -f score.yaml")),
        };
    }
    let app = AppId::new(context.named_app().unwrap_or(NOWHERE.0)).map_err(bad_id)?;
    let env = EnvId::new(context.named_env().unwrap_or(NOWHERE.1)).map_err(bad_id)?;
    if args.env_type.is_none() && context.named_app().is_some() {
        match survey::deployed(context, library, &app, &env) {
            Err(error) if error.is_status(404) => {}
            found => return found,
        }
    }
    let env_type = EnvTypeId::new(args.env_type.as_deref().unwrap_or(NOWHERE.1)).map_err(bad_id)?;
    let place = EnvironmentContext { org: context.org()?, app, env, env_type };
    Ok(Deployed::nothing_in(place, context.selector_depth()?))
}

fn rendered(library: &Library, place: &Deployed, given: &GivenOutputs) -> Result<ProvisionedFiles, Vec<PlanError>> {
    let (definitions, types) = (Definitions::new(&library.definitions), ResourceTypes::new(&library.types));
    let drivers = Drivers::new(library.drivers.iter().cloned());
    let index = SetIndex::new(&place.set).map_err(|reasons| {
        let message = reasons.join("\n");
        vec![PlanError::NotRendered { workload: String::new(), message }]
    })?;
    let input = place.input(&definitions, &types, &drivers);
    let input = GraphInput { secret_store: library.secret_store.as_deref(), ..input };
    preview_objects(input, &index, &place.deploy, given)
}

fn told(errors: &[PlanError]) -> CliError {
    let lines: Vec<String> = errors.iter().map(|error| format!("{} {error}", error.code())).collect();
    CliError::user(lines.join("\nError: "))
}

fn all(made: &ProvisionedFiles) -> impl Iterator<Item = &CrFile> {
    made.files.iter().chain(&made.cluster_files)
}

/// One YAML document an object, or a `List` where programs want JSON.
fn print(context: &Context, made: &ProvisionedFiles) -> Result<(), CliError> {
    match context.output.format() {
        Format::Json => {
            let items: Vec<Value> =
                all(made).flat_map(|file| parse_documents(&file.content).unwrap_or_default()).collect();
            context.output.document(&json!({"apiVersion": "v1", "kind": "List", "items": items}))
        }
        Format::Table | Format::Yaml => {
            let documents: Vec<&str> = all(made).map(|file| file.content.as_str()).collect();
            context.output.text(&documents.join("---\n"))
        }
        Format::Markdown => {
            Err(CliError::user("this command has no Markdown output").with_hint("use -o yaml or -o json"))
        }
    }
}

/// Writes the files. What lies in the directory already is nobody's to replace.
fn write(context: &Context, directory: &Path, made: &ProvisionedFiles) -> Result<(), CliError> {
    let failed = |action: &str, path: &Path, error: &std::io::Error| CliError::file(action, path, error);
    fs::create_dir_all(directory).map_err(|error| failed("make", directory, &error))?;
    let mut found = fs::read_dir(directory).map_err(|error| failed("read", directory, &error))?;
    if found.next().is_some() {
        return Err(CliError::user(format!("directory `{}` is not empty", directory.display()))
            .with_hint("name another one, or remove it first, so that no object of an earlier rendering stays"));
    }
    let cluster = directory.join(CLUSTER);
    if !made.cluster_files.is_empty() {
        fs::create_dir(&cluster).map_err(|error| failed("make", &cluster, &error))?;
    }
    for (directory, files) in [(directory, &made.files), (&cluster, &made.cluster_files)] {
        for file in files {
            let path = directory.join(&file.name);
            fs::write(&path, &file.content).map_err(|error| failed("write", &path, &error))?;
        }
    }
    context.output.message(&format!("{} objects in {}", all(made).count(), directory.display()))
}
