//! `humctl resources check-account ID`

use humctl_api_types::check::check_account;
use humctl_core::json;

use crate::context::Context;
use crate::error::CliError;
use crate::output::table::Table;

/// Check the credentials of a Resource Account of a hosted Orchestrator
///
/// Shows whom they belong to, and warnings about them. Fails when the credentials
/// do not work.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl resources check-account my-aws-account
  humctl resources check-account my-aws-account -o json

See also: humctl resources check-connectivity, humctl get")]
pub(crate) struct CheckAccountArgs {
    /// Id of the Resource Account
    #[arg(value_name = "ACCOUNT")]
    id: String,
}

pub(crate) fn run(context: &Context, args: &CheckAccountArgs) -> Result<(), CliError> {
    super::require_hosted(context, "check-account")?;
    if args.id.is_empty() {
        return Err(CliError::user("the id of the Resource Account is empty"));
    }
    let check = context.client().call(&check_account(&context.org()?, &args.id))?;
    if context.output.is_machine() {
        return context.output.document(&json::to_value(&check));
    }
    let mut table = Table::new(&["ID", "Value", "Description"]);
    for field in check.identity_fields {
        table.row([field.id, field.value, field.description]);
    }
    let warnings: String = check.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    context.output.table(&table)?;
    context.output.text(&warnings)
}
