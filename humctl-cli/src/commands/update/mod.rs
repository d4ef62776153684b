//! `humctl update`

mod delta;

use clap::Subcommand;

use crate::commands::apply::{self, ApplyArgs};
use crate::context::Context;
use crate::error::CliError;

/// Change a Delta, or apply manifests with -f
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "Examples:
  humctl update delta 0123456789abcdef remove /shared/dns --app shop
  humctl update -f apps.yaml

See also: humctl apply, humctl create delta, humctl deploy delta"
)]
pub(crate) struct UpdateArgs {
    #[command(subcommand)]
    what: Option<UpdateWhat>,
    #[command(flatten)]
    apply: ApplyArgs,
}

#[derive(Debug, Subcommand)]
enum UpdateWhat {
    #[command(visible_alias = "deployment-delta")]
    Delta(delta::UpdateDeltaArgs),
}

pub(crate) fn run(context: &Context, args: &UpdateArgs) -> Result<(), CliError> {
    match &args.what {
        None => apply::run(context, &args.apply),
        Some(UpdateWhat::Delta(args)) => delta::run(context, args),
    }
}
