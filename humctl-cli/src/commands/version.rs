//! `humctl version`

use crate::context::Context;
use crate::error::CliError;

/// Show the version of humctl
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl version

See also: humctl doctor")]
pub(crate) struct VersionArgs {}

pub(crate) fn run(context: &Context, _: &VersionArgs) -> Result<(), CliError> {
    context.output.line(&format!("humctl version {}", env!("CARGO_PKG_VERSION")))
}
