//! `humctl resources check-connectivity`

use std::process::ExitCode;

use clap_complete::engine::ArgValueCandidates;
use humctl_api_types::check::{ConnectivityRequest, check_connectivity};
use humctl_api_types::endpoint;
use humctl_api_types::id::EnvTypeId;
use humctl_core::json;

use crate::completion;
use crate::context::{Context, bad_id};
use crate::error::CliError;
use crate::output::progress::Progress;
use crate::output::table::Table;

/// Check that a hosted Orchestrator reaches the cluster of an Environment
///
/// Provisions the resources that lead to the cluster, tries them, and shows each
/// check. Fails when one of them does.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  humctl resources check-connectivity --app shop --env development
  humctl resources check-connectivity --app shop --env qa --env-type production

See also: humctl resources check-account, humctl doctor")]
pub(crate) struct CheckConnectivityArgs {
    /// Environment Type to check for [default: that of the Environment]
    #[arg(long, value_name = "TYPE", add = ArgValueCandidates::new(completion::env_types))]
    env_type: Option<String>,
}

pub(crate) fn run(context: &Context, args: &CheckConnectivityArgs) -> Result<ExitCode, CliError> {
    super::require_hosted(context, "check-connectivity")?;
    let (org, app, env) = context.env()?;
    let env_type = match &args.env_type {
        Some(id) => EnvTypeId::new(id.clone()).map_err(bad_id)?,
        None => context.client().call(&endpoint::environment(&org, &app, &env))?.env_type,
    };
    let request = ConnectivityRequest { app_id: app, env_id: env, env_type };
    let progress = Progress::start("checking");
    let check = context.client().call(&check_connectivity(&org, &request))?;
    drop(progress);
    if context.output.is_machine() {
        context.output.document(&json::to_value(&check))?;
    } else {
        let mut table = Table::new(&["Condition", "Status", "Message"]);
        for condition in check.conditions {
            table.row([condition.condition_type, condition.status, condition.message]);
        }
        context.output.table(&table)?;
    }
    Ok(if check.success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
