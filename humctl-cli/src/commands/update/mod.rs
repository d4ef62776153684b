//! `humctl update`

mod delta;

use clap::Subcommand;

use crate::commands::apply::{self, ApplyArgs};
use crate::context::Context;
use crate::error::CliError;

/// Change a Delta, or apply manifests with -f
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
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
