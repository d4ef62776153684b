//! `humctl diff sets A B`, and of old `diff env A B`, `diff deploy A B`

use humctl_api_types::delta::PlainDelta;
use humctl_api_types::endpoint;
use humctl_api_types::kind::Kind;
use humctl_api_types::manifest::Manifest;
use humctl_core::json;

use crate::commands::references;
use crate::context::Context;
use crate::error::CliError;

/// Show what leads from one Deployment Set to another, as a Delta
///
/// A and B name Deployment Sets: by id, `.` for the latest, `+N` for the N-th
/// before, deploy/ID for that of a Deployment, env/ENV for that of an Environment.
/// With `env` or `deploy` instead of `sets` they name Environments or Deployments.
/// Exit status: 0 whether they differ or not, 1 on errors.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  humctl diff sets env/development env/staging --app shop
  humctl diff sets deploy/+1 deploy/. --app shop --env production
  humctl diff env development staging --app shop -o json

See also: humctl get, humctl deploy set, humctl resources diff"
)]
pub(crate) struct DiffArgs {
    /// What A and B name: sets, env or deploy
    #[arg(value_name = "TYPE", value_parser = ["sets", "set", "env", "envs", "deploy", "deploys"], hide_possible_values = true)]
    kind: String,
    /// The set to start from
    #[arg(value_name = "A")]
    source: String,
    /// The set to get to
    #[arg(value_name = "B")]
    target: String,
}

pub(crate) fn run(context: &Context, args: &DiffArgs) -> Result<(), CliError> {
    let (org, app) = context.app()?;
    let resolve = |reference: &str| match args.kind.trim_end_matches('s') {
        kind @ ("env" | "deploy") if !reference.contains('/') => {
            references::set_id(context, &format!("{kind}/{reference}"))
        }
        _ => references::set_id(context, reference),
    };
    let (source, target) = (resolve(&args.source)?, resolve(&args.target)?);
    let delta = context.client().call(&endpoint::set_diff(&org, &app, &target, &source))?;
    if !context.output.is_machine() {
        return context.output.text(&lines(&delta));
    }
    let manifest = Manifest::from_api(Kind::DeploymentDelta, json::to_object(&delta));
    context.output.document(&json::to_value(&manifest))
}

/// A Delta for people, one line a change.
fn lines(delta: &PlainDelta) -> String {
    let mut lines: Vec<String> = delta.modules.remove.iter().map(|name| format!("- /modules/{name}")).collect();
    lines.extend(delta.modules.add.keys().map(|name| format!("+ /modules/{name}")));
    let updates = delta
        .modules
        .update
        .iter()
        .flat_map(|(name, actions)| actions.iter().map(move |action| (format!("/modules/{name}"), action)));
    for (place, action) in updates.chain(delta.shared.iter().map(|action| ("/shared".to_owned(), action))) {
        let sign = match action.op.as_str() {
            "add" => '+',
            "remove" => '-',
            _ => '~',
        };
        let value = action.value.as_ref().map(|value| format!(" {value}")).unwrap_or_default();
        lines.push(format!("{sign} {place}{}{value}", action.path));
    }
    if lines.is_empty() {
        return "no differences\n".to_owned();
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
