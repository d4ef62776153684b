//! `humctl resources diff -f FILE`

use std::collections::BTreeMap;
use std::process::ExitCode;

use humctl_api_types::definition::{CreateDefinition, ResourceDefinition};
use humctl_api_types::driver::{CreateDriver, DriverInfo};
use humctl_api_types::endpoint;
use humctl_api_types::id::{AppId, EnvId, OrgId};
use humctl_api_types::resource_type::ResourceTypeInfo;
use humctl_core::graph::build::GraphInput;
use humctl_core::graph::{ResourceTypes, SetIndex};
use humctl_core::json;
use humctl_core::lowering::Drivers;
use humctl_core::manifest::Object;
use humctl_core::matching::Definitions;
use humctl_core::preview::{Preview, preview};
use humctl_core::stored_rules::{check_registration, check_resource_type};
use humctl_core::what_if::{self, EnvironmentChange};
use serde_json::json;

use crate::commands::manifests;
use crate::commands::resources::survey::{self, Deployed};
use crate::context::{Context, bad_id};
use crate::error::CliError;
use crate::output::Format;
use crate::output::diff::{Report, markdown, text};

/// Show what changed Definitions would change
///
/// Plans what is deployed in every Environment twice, with the Definitions as
/// they are and as the files would make them, and shows the difference:
/// resources that get another Definition, Driver or inputs, appear or
/// disappear, and the files in Git that this touches. Nothing is applied or
/// written, with a hosted Orchestrator neither.
///
/// All Environments are looked at, unless the flags --app and --env narrow it down;
/// those of the configuration do not. Exit status: 0 when nothing would change, 2
/// when something would, 1 on errors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl resources diff -f definitions/
  humctl resources diff -f postgres.yaml --app shop -o markdown > comment.md
  humctl resources diff -f new.yaml -o json | jq '.environments[].resources'

See also: humctl apply, humctl resources explain, humctl diff")]
pub(crate) struct DiffArgs {
    /// File or directory with Definitions, Drivers and Resource Types, or - for stdin; may be given more than once
    #[arg(long = "file", short = 'f', value_name = "FILE", required = true)]
    files: Vec<String>,
}

/// Exit status of "there are changes".
const CHANGES: u8 = 2;

pub(crate) fn run(context: &Context, args: &DiffArgs) -> Result<ExitCode, CliError> {
    let org = context.org()?;
    let Files { definitions: files, types: new_types, drivers: new_drivers } = read(&args.files)?;
    let library = survey::library(context, &org)?;
    let refused_types: Vec<String> =
        new_types.iter().filter_map(|info| check_resource_type(&org, info).err()).collect();
    let types_after = with_types(&library.types, new_types);
    let drivers_before = Drivers::new(library.drivers.iter().cloned());
    let (drivers_after, refused_drivers) = with_drivers(&org, &library.drivers, new_drivers);
    let types = ResourceTypes::new(&types_after);
    let overlay = what_if::overlay(&org, &types, &drivers_after, &library.definitions, &files);
    let refused = [refused_types, refused_drivers, overlay.refused.clone()].concat();
    if !refused.is_empty() {
        return Err(CliError::user(format!("these files cannot be applied:\n{}", refused.join("\n"))));
    }
    let secret_store = library.secret_store.as_deref();
    let before = Side::new(&library.definitions, &library.types, &drivers_before, secret_store);
    let after = Side::new(&overlay.definitions, &types_after, &drivers_after, secret_store);
    let environments = environments(context, &org)?;
    let mut report = Report {
        created: overlay.created.clone(),
        changed: overlay.changed.clone(),
        n_environments: environments.len(),
        environments: Vec::new(),
    };
    for (app, env) in &environments {
        let deployed = survey::deployed(context, &library, app, env)?;
        if !deployed.has_deployment {
            continue;
        }
        let change = compare(&deployed, &before, &after)?;
        if !change.is_empty() {
            report.environments.push(change);
        }
    }
    show(context, &report)?;
    Ok(if report.environments.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CHANGES) })
}

/// What is planned with on one side of the comparison.
struct Side<'s> {
    definitions: Definitions<'s>,
    types: ResourceTypes<'s>,
    drivers: &'s Drivers,
    secret_store: Option<&'s str>,
}

impl<'s> Side<'s> {
    fn new(
        definitions: &'s [ResourceDefinition],
        types: &'s [ResourceTypeInfo],
        drivers: &'s Drivers,
        secret_store: Option<&'s str>,
    ) -> Self {
        Self { definitions: Definitions::new(definitions), types: ResourceTypes::new(types), drivers, secret_store }
    }
}

fn compare(deployed: &Deployed, before: &Side<'_>, after: &Side<'_>) -> Result<EnvironmentChange, CliError> {
    let index = SetIndex::new(&deployed.set).map_err(|reasons| CliError::user(reasons.join("\n")))?;
    let (before, after) = (planned(deployed, before, &index), planned(deployed, after, &index));
    Ok(what_if::compare(&deployed.context, &before, &after))
}

fn planned<'s>(deployed: &'s Deployed, side: &'s Side<'s>, index: &SetIndex<'_>) -> Preview<'s> {
    let input = deployed.input(&side.definitions, &side.types, side.drivers);
    preview(GraphInput { secret_store: side.secret_store, ..input }, index, &deployed.deploy)
}

/// What plays a part in planning, out of manifests.
#[derive(Default)]
struct Files {
    definitions: Vec<CreateDefinition>,
    types: Vec<ResourceTypeInfo>,
    drivers: Vec<CreateDriver>,
}

fn read(files: &[String]) -> Result<Files, CliError> {
    let mut found = Files::default();
    for loaded in manifests::load(files)? {
        match loaded.object {
            Object::Definition(definition) => found.definitions.push(*definition),
            Object::ResourceType(res_type) => found.types.push(res_type),
            Object::Driver(driver) => found.drivers.push(*driver),
            other => tracing::info!("{}: a {} plays no part here", loaded.file, other.kind().info().name),
        }
    }
    if found.definitions.is_empty() && found.types.is_empty() && found.drivers.is_empty() {
        return Err(CliError::user(format!("there is no Definition in {}", files.join(", "))));
    }
    Ok(found)
}

/// The Drivers with the new ones in place, and what is wrong with those.
fn with_drivers(org: &OrgId, drivers: &[DriverInfo], new: Vec<CreateDriver>) -> (Drivers, Vec<String>) {
    let new: Vec<DriverInfo> = new.into_iter().map(|driver| driver.into_info(org)).collect();
    let refused = new.iter().filter_map(|driver| check_registration(driver).err()).collect();
    (Drivers::new(drivers.iter().cloned().chain(new)), refused)
}

fn with_types(types: &[ResourceTypeInfo], new: Vec<ResourceTypeInfo>) -> Vec<ResourceTypeInfo> {
    let by_name: BTreeMap<_, _> = types.iter().cloned().chain(new).map(|info| (info.res_type.clone(), info)).collect();
    by_name.into_values().collect()
}

/// Every Environment, or those that the flags name.
fn environments(context: &Context, org: &OrgId) -> Result<Vec<(AppId, EnvId)>, CliError> {
    let app = context.flag_app().map(AppId::new).transpose().map_err(bad_id)?;
    let env = context.flag_env().map(EnvId::new).transpose().map_err(bad_id)?;
    let apps = match &app {
        Some(app) => vec![context.client().call(&endpoint::application(org, app))?],
        None => context.client().call(&endpoint::applications(org))?,
    };
    let found: Vec<(AppId, EnvId)> = apps
        .iter()
        .flat_map(|app| app.envs.iter().map(|env| (app.id.clone(), env.id.clone())))
        .filter(|(_, id)| env.as_ref().is_none_or(|env| env == id))
        .collect();
    match (&app, &env) {
        (Some(app), Some(env)) if found.is_empty() => {
            Err(CliError::user(format!("application `{app}` has no environment `{env}`")))
        }
        _ => Ok(found),
    }
}

fn show(context: &Context, report: &Report) -> Result<(), CliError> {
    match context.output.format() {
        Format::Table => context.output.text(&text(report)),
        Format::Markdown => context.output.text(&markdown(report)),
        Format::Json | Format::Yaml => context.output.document(&json!({
            "created": report.created,
            "changed": report.changed,
            "environments": json::to_value(&report.environments),
        })),
    }
}
