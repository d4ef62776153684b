//! `humctl resources explain [RESOURCE | --all]`

use std::collections::BTreeMap;

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::deployment::Deployment;
use humctl_api_types::id::{AppId, Class, EnvId, EnvTypeId, Guresid, ResId};
use humctl_core::context::{EnvironmentContext, ResourceKey};
use humctl_core::explain::{Explainer, Explanation, Named};
use humctl_core::graph::build::GraphInput;
use humctl_core::graph::{ResourceTypes, SetIndex};
use humctl_core::json;
use humctl_core::lowering::Drivers;
use humctl_core::matching::Definitions;
use humctl_core::placeholder::ResourceRef;
use humctl_core::preview::preview;

use crate::commands::resources::survey::{self, Deployed, Library};
use crate::completion;
use crate::context::{Context, bad_id};
use crate::error::CliError;
use crate::output::explain::text;

/// Explain why a resource is what it is
///
/// Shows how the resource came into the Resource Graph, every Resource
/// Definition that could make it and how each of its Matching Criteria compares
/// with the context, which one wins and which one would without it, and where
/// every placeholder in its inputs gets its value. Nothing is deployed, and
/// secrets are never shown.
///
/// Works on what is deployed in an Environment, or with --env-type on a context
/// that need not exist. The Definitions of a hosted Organization are read from
/// it; the planning happens here.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:
  humctl resources explain postgres --app shop --env development
  humctl resources explain 'postgres.default#modules.web.externals.db' \\
    --app shop --env development
  humctl resources explain s3.admin --env-type production  # as if it were there
  humctl resources explain --all -o json

See also: humctl resources graph, humctl resources diff, humctl get",
    after_long_help = "The JSON is one object for a RESOURCE written out in full, else an array. Its fields:
  resource, type, class, id, guresid, context {org, app, env, env_type}
  origin        {kind: implicit | private | shared | reference | co-provision, and what it is}
  definition    {id, version, is_pinned, is_default, driver_type, lowered_to, driver_account, rule, score}
  runner_up     {definition, score}
  candidates    [{definition, is_default, outcome, rules: [{id, matches, score, fields:
                [{field, wanted, actual, matches}]}]}]; outcome is wins, ambiguous, runner-up,
                outranked, no-match or no-criteria
  wave, needed_by and depends_on [{resource, reasons: [{kind, text}]}]
  placeholders  [{at, placeholder, outcome: {kind: value | output | selected | secret | pod | error}}]
  errors        [text]

Examples:
  humctl resources explain postgres --app shop --env development
  humctl resources explain 'postgres.default#modules.web.externals.db' \\
    --app shop --env development
  humctl resources explain s3.admin --env-type production  # as if it were there
  humctl resources explain --all -o json

See also: humctl resources graph, humctl resources diff, humctl get"
)]
pub(crate) struct ExplainArgs {
    /// Resource as TYPE[.CLASS][#ID]; without an id all of that type and class
    #[arg(value_name = "RESOURCE", required_unless_present = "all")]
    resource: Option<String>,
    /// Every resource of the Environment
    #[arg(long, conflicts_with = "resource")]
    all: bool,
    /// Explain for this Environment Type, as if nothing were deployed yet
    #[arg(long, value_name = "TYPE", add = ArgValueCandidates::new(completion::env_types))]
    env_type: Option<String>,
}

pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<(), CliError> {
    let wanted = args.resource.as_deref().map(str::parse::<ResourceRef>).transpose().map_err(|reason| {
        CliError::user(format!("`{}` is no resource: {reason}", args.resource.as_deref().unwrap_or_default()))
            .with_hint("write TYPE, TYPE.CLASS or TYPE.CLASS#ID, as in postgres.default#modules.web.externals.db")
    })?;
    let explanations = explanations(context, args.env_type.as_deref(), wanted.as_ref())?;
    let is_single = wanted.as_ref().is_some_and(|wanted| wanted.id.is_some() && wanted.class.is_some());
    if context.output.is_machine() {
        return match explanations.as_slice() {
            [one] if is_single => context.output.document(&json::to_value(one)),
            all => context.output.document(&json::to_value(&all)),
        };
    }
    let texts: Vec<String> = explanations.iter().map(text).collect();
    context.output.text(&texts.join("\n"))
}

/// Plans what is deployed, or nothing in an imagined Environment, and explains
/// the resources that are wanted.
fn explanations(
    context: &Context,
    env_type: Option<&str>,
    wanted: Option<&ResourceRef>,
) -> Result<Vec<Explanation>, CliError> {
    let library = survey::library(context, &context.org()?)?;
    let (deployed, is_named) = match env_type {
        Some(env_type) => imagined(context, env_type)?,
        None => {
            let (_, app, env) = context.env()?;
            (survey::deployed(context, &library, &app, &env)?, Named::ALL)
        }
    };
    with_explainer(&library, &deployed, is_named, |explainer| {
        let resources = explainer.resources().into_iter();
        let chosen: Vec<&ResourceKey> = resources.filter(|key| wanted.is_none_or(|wanted| fits(wanted, key))).collect();
        match wanted {
            Some(wanted) if chosen.is_empty() => {
                let explainer = explainer.naming(Named { res_id: wanted.id.is_some(), ..is_named });
                vec![explainer.explain(&imagined_resource(wanted))]
            }
            _ => chosen.into_iter().map(|key| explainer.explain(key)).collect(),
        }
    })
}

/// Explains every resource of what a Deployment deployed, by the Definitions
/// that there are now.
pub(super) fn of_deployment(
    context: &Context,
    app: &AppId,
    env: &EnvId,
    deployment: &Deployment,
) -> Result<BTreeMap<Guresid, Explanation>, CliError> {
    let library = survey::library(context, &context.org()?)?;
    let deployed = survey::of_deployment(context, &library, app, env, deployment)?;
    with_explainer(&library, &deployed, Named::ALL, |explainer| {
        let explanations = explainer.resources().into_iter().map(|key| explainer.explain(key));
        explanations.filter_map(|found| Some((found.guresid.clone()?, found))).collect()
    })
}

/// Plans a Deployment Set and lets `read` ask for explanations.
fn with_explainer<T>(
    library: &Library,
    deployed: &Deployed,
    is_named: Named,
    read: impl FnOnce(&Explainer<'_, '_>) -> T,
) -> Result<T, CliError> {
    let (definitions, types) = (Definitions::new(&library.definitions), ResourceTypes::new(&library.types));
    let index = SetIndex::new(&deployed.set).map_err(|reasons| CliError::user(reasons.join("\n")))?;
    let drivers = Drivers::new(library.drivers.iter().cloned());
    let input = deployed.input(&definitions, &types, &drivers);
    let input = GraphInput { secret_store: library.secret_store.as_deref(), ..input };
    let preview = preview(input, &index, &deployed.deploy);
    Ok(read(&Explainer::new(input, &preview, &index, &deployed.deploy, is_named)))
}

fn fits(wanted: &ResourceRef, key: &ResourceKey) -> bool {
    wanted.res_type == key.res_type
        && wanted.class.as_ref().is_none_or(|class| *class == key.class)
        && wanted.id.as_ref().is_none_or(|id| *id == key.id)
}

/// A resource that is in no graph: it shows how one would be matched.
fn imagined_resource(wanted: &ResourceRef) -> ResourceKey {
    ResourceKey {
        res_type: wanted.res_type.clone(),
        class: wanted.class.clone().unwrap_or_else(Class::default_class),
        id: wanted
            .id
            .clone()
            .unwrap_or_else(|| ResId::new("any").unwrap_or_else(|_| unreachable!("three letters are a resource id"))),
    }
}

/// A context that need not exist. Ids that are not given are stand-ins that no
/// rule is compared with.
fn imagined(context: &Context, env_type: &str) -> Result<(Deployed, Named), CliError> {
    let org = context.org()?;
    let app = context.named_app().map(AppId::new).transpose().map_err(bad_id)?;
    let env = context.named_env().map(EnvId::new).transpose().map_err(bad_id)?;
    let is_named = Named { app: app.is_some(), env: env.is_some(), res_id: true };
    let place = EnvironmentContext {
        org,
        app: app.unwrap_or_else(|| AppId::new("any").unwrap_or_else(|_| unreachable!("a valid id"))),
        env: env.unwrap_or_else(|| EnvId::new("any").unwrap_or_else(|_| unreachable!("a valid id"))),
        env_type: EnvTypeId::new(env_type).map_err(bad_id)?,
    };
    Ok((Deployed::nothing_in(place, context.selector_depth()?), is_named))
}
